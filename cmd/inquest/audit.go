package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/probe"
	"github.com/inquesthq/inquest/internal/report"
)

// exitFindings is what audit ends with when a finding is as grave as --fail-on says.
const exitFindings = 3

// auditFlags are what the command line says about an audit.
type auditFlags struct {
	format, color, output, zone, failOn string
	width, workers                      int
	unchecked                           bool
	timeout                             time.Duration
	cfg                                 audit.Config
}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit DIR|FILE|URL...",
		Short: "Find where answers and logs hide failures",
		Long: `Audit looks for what makes the next incident longer: statuses that lie, errors that change their meaning between upstream and
client, answers without Retry-After, requests sent twice that must not be, bodies that tell too much, health checks that said fine
while requests failed, logs that nobody can search. Each finding has its rule, count, route, first examples by file and line, and a fix.

It reads access logs (of a gateway, of what stands behind it, or both: they are put together by request id, else by route and
minute), application logs and HAR files, as 'inquest investigate' does; and it asks URLs, each once, by GET, following no redirect.
A rule that the evidence does not suffice for is counted as unchecked; --unchecked lists them. 'inquest audit rules' lists all rules.

Exit codes:
  0  answered (with --fail-on: nothing that grave was found)
  1  could not be answered (nothing to read, no URL answered)
  2  wrong usage
  3  with --fail-on: a finding of that severity or a graver one`,
		Example: `  inquest audit ./logs
  inquest audit gateway.log --format json | jq '.mappings'
  inquest audit ./logs --fail-on error --format sarif --output audit.sarif
  inquest audit https://shop.example/health https://shop.example/api/none`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	s := cmd.Flags()
	s.StringVarP(&f.format, "format", "f", "text", "text, json, sarif or markdown")
	s.StringVarP(&f.output, "output", "o", "", "write to this file instead of standard output")
	s.StringVar(&f.failOn, "fail-on", "none", "end with exit code 3 on findings of this severity or graver: error, warning, note or none")
	s.StringSliceVar(&f.cfg.Skip, "skip", nil, "IDs of rules that are not applied")
	s.Float64Var(&f.cfg.HealthThreshold, "health-threshold", 0.05, "share of 5xx above which a health check that says fine lies")
	s.StringSliceVar(&f.cfg.HealthRoutes, "health-route", nil, "paths of health checks beside the usual ones")
	s.DurationVar(&f.timeout, "timeout", 10*time.Second, "for each URL that is asked")
	s.BoolVar(&f.unchecked, "unchecked", false, "text: list each rule that could not be checked (JSON and Markdown always do)")
	s.StringVar(&f.color, "color", "auto", "colour in text: auto, always or never")
	s.StringVar(&f.zone, "zone", "UTC", "time zone of text and markdown")
	s.IntVar(&f.width, "width", 0, "columns of text; 0: as wide as the terminal")
	s.IntVar(&f.workers, "workers", 0, "parallel readers; 0: one a core")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "sarif", "markdown"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{"error", "warning", "note", "none"}, cobra.ShellCompDirectiveNoFileComp))
	for _, c := range []*cobra.Command{newAuditRules(), newAuditServer()} {
		wrapArgs(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command, args []string) error {
	if !slices.Contains([]string{"error", "warning", "note", "none"}, f.failOn) {
		return usageError{fmt.Errorf("--fail-on %q: say error, warning, note or none", f.failOn)}
	}
	render, err := f.renderer(cmd, strings.Join(args, " "))
	if err != nil {
		return err
	}
	auditor, err := audit.New(f.cfg)
	if err != nil {
		return usageError{err}
	}
	path, urls, err := sources(args)
	if err != nil {
		return err
	}
	var asked []*parse.Record
	var notes []string
	if len(urls) > 0 {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxResponseHeaderBytes = 64 << 10
		asked, notes, err = probe.Get(cmd.Context(), probe.Config{Transport: transport, Now: time.Now, Timeout: f.timeout, Agent: "inquest/" + version}, urls)
		transport.CloseIdleConnections()
		if err != nil {
			return err
		}
	}
	bar := newProgress(cmd)
	a, err := flow.Audit(cmd.Context(), path, auditor, asked, flow.Options{Workers: f.workers, Progress: bar.update})
	bar.done()
	if err != nil {
		return err
	}
	a.Notes = append(a.Notes, notes...)
	for _, n := range notes {
		fmt.Fprintln(cmd.ErrOrStderr(), n)
	}
	if err := write(cmd.OutOrStdout(), f.output, func(w io.Writer) error { return render(w, a) }); err != nil {
		return err
	}
	least := inquest.AuditSeverity(f.failOn).Rank()
	if least > 0 && slices.ContainsFunc(a.Findings, func(x inquest.AuditFinding) bool { return x.Rule.Severity.Rank() >= least }) {
		return exitCode(exitFindings)
	}
	return nil
}

// sources tells the one folder or file from the URLs.
func sources(args []string) (path string, urls []string, err error) {
	for _, a := range args {
		switch {
		case strings.Contains(a, "://"):
			urls = append(urls, a)
		case path != "":
			return "", nil, usageError{errors.New("audit: one folder or file at a time: put what belongs together into one folder")}
		default:
			path = a
		}
	}
	return path, urls, nil
}

// renderer returns the rendering of the format.
func (f *auditFlags) renderer(cmd *cobra.Command, name string) (func(io.Writer, *inquest.Audit) error, error) {
	loc, err := time.LoadLocation(f.zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("--zone %q: %w (say a name of the IANA database, UTC or Local)", f.zone, err)}
	}
	s, err := screenOf(cmd.OutOrStdout(), f.color)
	if err != nil {
		return nil, err
	}
	if f.width > 0 {
		s.width = f.width
	}
	switch f.format {
	case "text":
		return func(w io.Writer, a *inquest.Audit) error {
			return report.AuditTerminal(w, a, report.TerminalOptions{Width: s.width, Color: s.color, ASCII: !s.unicode, Zone: loc, Name: name, Full: f.unchecked})
		}, nil
	case "json":
		return report.AuditJSON, nil
	case "sarif":
		return func(w io.Writer, a *inquest.Audit) error { return report.AuditSARIF(w, a, audit.Rules(), version) }, nil
	case "markdown", "md":
		return func(w io.Writer, a *inquest.Audit) error {
			return report.AuditMarkdown(w, a, report.PageOptions{Zone: loc, Name: name})
		}, nil
	}
	return nil, usageError{fmt.Errorf("--format %q: say text, json, sarif or markdown", f.format)}
}

func newAuditRules() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "rules [RULE]...",
		Short: "List the rules of audit, or explain some",
		Long: `Rules lists every rule of 'inquest audit' with its severity. With the names of rules, or of groups of them (status, mapping), it
says why each matters, who says so, what it needs to be checked, and what to do.
` + exitCodesHelp,
		Example: `  inquest audit rules
  inquest audit rules status/503-without-retry-after mapping`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := chosen(args)
			if err != nil {
				return err
			}
			switch format {
			case "json":
				return report.AuditRulesJSON(cmd.OutOrStdout(), rules)
			case "markdown":
				return report.AuditRulesMarkdown(cmd.OutOrStdout(), rules)
			case "text":
			default:
				return usageError{fmt.Errorf("--format %q: say text, json or markdown", format)}
			}
			s, err := screenOf(cmd.OutOrStdout(), "auto")
			if err != nil {
				return err
			}
			p := &pager{w: bufio.NewWriter(cmd.OutOrStdout()), width: s.width}
			for i := range rules {
				p.rule(&rules[i], len(args) > 0)
			}
			return p.w.Flush()
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, json or markdown")
	return cmd
}

// chosen are the rules that the names mean; all without names.
func chosen(names []string) ([]inquest.AuditRule, error) {
	all := audit.Rules()
	if len(names) == 0 {
		return all, nil
	}
	var out []inquest.AuditRule
	for _, n := range names {
		before := len(out)
		for _, r := range all {
			if group, _, _ := strings.Cut(r.ID, "/"); r.ID == n || group == n {
				out = append(out, r)
			}
		}
		if len(out) == before {
			return nil, usageError{fmt.Errorf("rules: no rule or group %q: `inquest audit rules` lists them", n)}
		}
	}
	return out, nil
}

// rule writes one line about a rule, or everything.
func (p *pager) rule(r *inquest.AuditRule, whole bool) {
	p.line(fmt.Sprintf("%-8s %-36s %s", r.Severity, r.ID, r.Title))
	if !whole {
		return
	}
	p.para("  Why     ", r.Why)
	p.para("  Fix     ", r.Fix)
	p.para("  Needs   ", r.Needs)
	p.para("  Source  ", r.Source)
	p.line("")
}
