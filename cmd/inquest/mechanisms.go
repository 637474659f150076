package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/redact"
)

// ownFlag adds --mechanisms to a command. What it returns reads the mechanisms of the user's own, once flags are parsed.
func ownFlag(cmd *cobra.Command) func() ([]mechanism.Mechanism, error) {
	var paths []string
	cmd.Flags().StringArrayVar(&paths, "mechanisms", nil, "YAML file, or folder of them, with mechanisms of your own; repeatable (default: $"+config.MechanismsVariable+")")
	return func() ([]mechanism.Mechanism, error) { return config.LoadMechanisms(config.MechanismPaths(paths)...) }
}

// titlesOf gives the words for the mechanisms of a catalogue.
func titlesOf(list []mechanism.Mechanism) func(inquest.MechanismID) string {
	return func(id inquest.MechanismID) string {
		for i := range list {
			if list[i].ID == id {
				return list[i].Title
			}
		}
		return string(id)
	}
}

func newMechanisms() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mechanisms",
		Short: "Check mechanisms of your own, which you write in YAML",
		Long: `A mechanism is one way to fail: what speaks for it, what it brings about, how to confirm it, what to do. Inquest ships a
catalogue ('inquest explain' lists it). Your own, in YAML, take part in a diagnosis as the shipped ones do: name the files or
folders by --mechanisms, or in ` + config.MechanismsVariable + `.
` + exitCodesHelp,
		Example: `  inquest mechanisms check own.yaml
  inquest investigate ./case --mechanisms own.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	check := newMechanismsCheck()
	wrapArgs(check)
	cmd.AddCommand(check)
	return cmd
}

func newMechanismsCheck() *cobra.Command {
	var texts []string
	var from string
	cmd := &cobra.Command{
		Use:   "check [FILE|DIR]...",
		Short: "Check files of mechanisms, and try their clues on texts",
		Long: `Check reads files (or folders of *.yaml) with mechanisms of your own and says everything that is wrong with them, with file,
line, key and remedy. With --text it says which mechanisms, yours and the shipped ones, a log line or a stack trace speaks for,
and how strongly. Without files it takes those of ` + config.MechanismsVariable + `, and without those the shipped catalogue alone.

Exit codes:
  0  nothing is wrong
  1  something is wrong, or cannot be read
  2  wrong usage
`,
		Example: `  inquest mechanisms check own.yaml
  inquest mechanisms check own.yaml --text "licence server unreachable"
  inquest mechanisms check --from database --text "FATAL: sorry, too many clients already"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			origin := slices.Index(config.Origins(), from) + 1
			if origin == 0 {
				return usageError{fmt.Errorf("--from %q: say one of %q", from, config.Origins())}
			}
			paths := config.MechanismPaths(args)
			if len(paths)+len(texts) == 0 {
				return usageError{errors.New("mechanisms check: nothing to check: name a file, or set " + config.MechanismsVariable)}
			}
			own, err := config.LoadMechanisms(paths...)
			if err != nil {
				return err
			}
			w := bufio.NewWriter(cmd.OutOrStdout())
			if len(paths) > 0 {
				listOwn(w, own)
			}
			list := mechanism.With(own)
			m := mechanism.New(list)
			for i, t := range texts {
				if i > 0 || len(paths) > 0 {
					fmt.Fprintln(w)
				}
				tryText(w, m, own, t, mechanism.Origin(origin))
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringArrayVarP(&texts, "text", "t", nil, "say which mechanisms this log line or stack trace speaks for; repeatable")
	cmd.Flags().StringVar(&from, "from", "app", "who wrote the texts: app, proxy, database, cache, broker, kernel or supervisor")
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(config.Origins(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func listOwn(w io.Writer, own []mechanism.Mechanism) {
	noun := "mechanisms"
	if len(own) == 1 {
		noun = "mechanism"
	}
	fmt.Fprintf(w, "%d %s, nothing wrong\n", len(own), noun)
	for i := range own {
		note := ""
		if _, shipped := mechanism.ByID(own[i].ID); shipped {
			note = " (in place of the shipped one)"
		}
		fmt.Fprintf(w, "  %-40s  %s%s\n", own[i].ID, own[i].Title, note)
	}
}

// tryText says which mechanisms a text speaks for, as the diagnosis would read it: an exception with its causes is taken apart.
func tryText(w io.Writer, m *mechanism.Matcher, own []mechanism.Mechanism, text string, from mechanism.Origin) {
	t := mechanism.Text{Message: text, Origin: from}
	if e := parse.ParseTrace(text); e != nil {
		t.ExceptionType, t.ExceptionMessage, t.Chain = e.Type, e.Message, e.Chain
		if e.Code != "" {
			t.Codes = []string{e.Code}
		}
	}
	quoted := redact.Clean(redact.Text(text), 100)
	hits := m.Match(t)
	if len(hits) == 0 {
		fmt.Fprintf(w, "%q speaks for no mechanism\n", quoted)
		return
	}
	fmt.Fprintf(w, "%q speaks for\n", quoted)
	for _, h := range hits {
		whose := "shipped"
		if slices.ContainsFunc(own, func(m mechanism.Mechanism) bool { return m.ID == h.Mechanism }) {
			whose = "own"
		}
		fmt.Fprintf(w, "  %.2f  %-7s  %s: %s\n", h.Weight, whose, h.Mechanism, h.Why)
	}
}
