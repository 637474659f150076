package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

func newRules() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Check, test and export alerting rules",
		Long: `Rules are ordinary Prometheus rule files. The commands check them, run unit tests of them, and print the shipped ones.
docs/rules.md explains the shipped rules.
` + exitCodesHelp,
		Example: `  inquest rules export > inquest.rules.yml
  inquest rules check my.rules.yml
  inquest rules test my.rules_test.yml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesCheck(), newRulesTest(), newRulesExport())
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
	return cmd
}

func newRulesCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say whether files are rule files, or OpenSLO files",
		Long: `Check reads rule files (or OpenSLO files, apiVersion openslo/v1) and prints what is in them, or everything that is wrong.

Exit codes:
  0  all of them can be used
  1  one of them cannot
  2  wrong usage
`,
		Example: `  inquest rules check rules/*.yml slo.yml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bad := 0
			for _, file := range args {
				groups, err := readRules(file)
				if err != nil {
					bad++
					fmt.Fprintln(cmd.ErrOrStderr(), redact.Lines(err.Error(), 0))
					continue
				}
				records, alerts := 0, 0
				for _, g := range groups {
					for _, r := range g.Rules {
						if r.Alert != "" {
							alerts++
						} else {
							records++
						}
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d groups, %d recording rules, %d alerts\n", redact.Clean(file, 0), len(groups), records, alerts)
			}
			if bad > 0 {
				return fmt.Errorf("%d of %d files cannot be used", bad, len(args))
			}
			return nil
		},
	}
}

// readRules reads a rule file, or the rules of an OpenSLO file.
func readRules(file string) ([]detect.Group, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if !detect.IsOpenSLO(b) {
		return detect.Parse(file, b)
	}
	slos, err := detect.ParseOpenSLO(file, b)
	if err != nil {
		return nil, err
	}
	var out []detect.Group
	for _, s := range slos {
		g, err := s.Rules()
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// readAllRules reads the files, or the shipped rules where there are none.
func readAllRules(files []string) ([]detect.Group, error) {
	if len(files) == 0 {
		return detect.Shipped()
	}
	var out []detect.Group
	for _, f := range files {
		groups, err := readRules(f)
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
	}
	return out, nil
}

func newRulesTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE...",
		Short: "Run unit tests of rules, as promtool test rules does",
		Long: `Test runs files of unit tests in the format of promtool test rules (https://prometheus.io/docs/prometheus/latest/configuration/
unit_testing_rules/). Rule files that they name are looked for beside them; a file that names none tests the shipped rules.

Exit codes:
  0  everything is as expected
  1  something is not, or a file cannot be used
  2  wrong usage
`,
		Example: `  inquest rules test my.rules_test.yml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			failed, total := 0, 0
			for _, file := range args {
				n, bad, err := testRules(cmd, file)
				if err != nil {
					return err
				}
				total, failed = total+n, failed+bad
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d tests failed", failed, total)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d tests passed\n", total)
			return nil
		},
	}
}

func testRules(cmd *cobra.Command, file string) (total, failed int, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, fmt.Errorf("rules: %w", err)
	}
	cases, err := detect.ParseCases(file, b)
	if err != nil {
		return 0, 0, err
	}
	var files []string
	for _, pattern := range cases.RuleFiles {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(file), pattern)
		}
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			return 0, 0, fmt.Errorf("%s: rule file %s: no such file", file, pattern)
		}
		files = append(files, found...)
	}
	groups, err := readAllRules(files)
	if err != nil {
		return 0, 0, err
	}
	for i := range cases.Tests {
		wrong, err := testCase(cmd.Context(), cases, i, groups)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: test %d: %w", file, i+1, err)
		}
		if len(wrong) == 0 {
			continue
		}
		failed++
		name := cases.Tests[i].Name
		if name == "" {
			name = fmt.Sprintf("test %d", i+1)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n  %s\n", redact.Clean(file, 0), redact.Clean(name, 0), redact.Lines(strings.Join(wrong, "\n  "), 0))
	}
	return len(cases.Tests), failed, nil
}

// testCase runs one test over a store that is thrown away.
func testCase(ctx context.Context, cases *detect.Cases, i int, groups []detect.Group) (wrong []string, err error) {
	dir, err := os.MkdirTemp("", "inquest-rules-")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := tsdb.Open(tsdb.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	wrong, err = cases.Run(ctx, i, groups, db)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return wrong, err
}

func newRulesExport() *cobra.Command {
	var slos []string
	cmd := &cobra.Command{
		Use:   "export [FILE...]",
		Short: "Print the shipped rules, or those of SLOs, as a Prometheus rule file",
		Long: `Export prints the shipped rules as one rule file for a Prometheus of yours, with their comments; FILEs (requests.yml, resources.yml,
latency.yml, latent.yml) choose some of them. With --slo it prints the rules of OpenSLO files instead.
` + exitCodesHelp,
		Example: `  inquest rules export > /etc/prometheus/rules/inquest.yml
  inquest rules export requests.yml
  inquest rules export --slo slo.yml > slo.rules.yml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(slos) > 0 {
				return exportSLOs(cmd, slos, args)
			}
			files, err := detect.ShippedFiles()
			if err != nil {
				return err
			}
			return exportShipped(cmd, files, args)
		},
	}
	cmd.Flags().StringArrayVar(&slos, "slo", nil, "an OpenSLO file; may be given several times")
	return cmd
}

func exportSLOs(cmd *cobra.Command, slos, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("export: --slo, or names of shipped rule files, not both")}
	}
	var groups []detect.Group
	for _, file := range slos {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("rules: %w", err)
		}
		if !detect.IsOpenSLO(b) {
			return fmt.Errorf("%w: %s is no OpenSLO file: it has no apiVersion: openslo/v1", detect.ErrRules, file)
		}
		made, err := readRules(file)
		if err != nil {
			return err
		}
		groups = append(groups, made...)
	}
	b, err := detect.Write(groups)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(b)
	return err
}

// exportShipped joins the files under one key "groups", so that their comments stay.
func exportShipped(cmd *cobra.Command, files []detect.File, names []string) error {
	known := map[string]bool{}
	for _, f := range files {
		known[f.Name] = true
	}
	for _, n := range names {
		if !known[n] {
			return usageError{fmt.Errorf("export: no shipped rule file %q", n)}
		}
	}
	var b strings.Builder
	b.WriteString("# The rules that Inquest ships, " + version + ". Explained in docs/rules.md.\ngroups:\n")
	for _, f := range files {
		chosen := len(names) == 0
		for _, n := range names {
			chosen = chosen || n == f.Name
		}
		if !chosen {
			continue
		}
		head, groups, ok := strings.Cut(string(f.Content), "\ngroups:\n")
		if !ok {
			return fmt.Errorf("shipped rule file %s: no groups", f.Name)
		}
		b.WriteString("\n" + head + "\n" + groups)
	}
	_, err := cmd.OutOrStdout().Write([]byte(b.String()))
	return err
}
