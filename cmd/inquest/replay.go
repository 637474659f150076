package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/replay"
)

const (
	exitWrongPage  = 3 // replay --exit-code: somebody would have been woken or told for nothing
	exitUndetected = 4 // replay --exit-code: an incident that no page and no chat alert told of
)

type replayOptions struct {
	rules, critical []string
	format          string
	byCode          bool
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay DIR|FILE",
		Short: "Say what rules would have paged for, over logs of the past",
		Long: `Replay reads logs as investigate does, counts them as the server does, and lets rules run on the logs' own clock. It prints what would
have been told, to whom, when and for how long; how long after the onset that the investigation finds; and what was told when there
was no incident. Nothing leaves the machine.

Without --rules the shipped rules run. Services of --critical page; without it, the service that investigate observes is critical.

Exit codes:
  0  answered
  1  could not be answered (nothing to read, a rule file that cannot be used)
  2  wrong usage
  3  with --exit-code: a page or a chat alert outside of any incident
  4  with --exit-code: an incident that nothing told of`,
		Example: `  inquest replay ./logs
  inquest replay ./logs --rules my.rules.yml --rules slo.yml --critical checkout
  inquest replay ./logs --format json | jq .detected_seconds`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.format != "text" && o.format != "json" {
				return usageError{fmt.Errorf("--format %q: say text or json", o.format)}
			}
			return runReplay(cmd, args[0], &o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.rules, "rules", "r", nil, "a rule file or an OpenSLO file instead of the shipped rules; may be given several times")
	f.StringArrayVar(&o.critical, "critical", nil, "a service whose failures page; may be given several times")
	f.StringVarP(&o.format, "format", "f", "text", "text or json")
	f.BoolVar(&o.byCode, "exit-code", false, "tell the answer by the exit code, for scripts")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runReplay(cmd *cobra.Command, path string, o *replayOptions) error {
	groups, err := readAllRules(o.rules)
	if err != nil {
		return err
	}
	bar := newProgress(cmd)
	defer bar.done()
	found, err := flow.Investigate(cmd.Context(), path, flow.Options{Progress: func(done, total int64) { bar.update(done, 3*total) }})
	if err != nil {
		return err
	}
	if err := unread(path, found.Diagnosis); err != nil {
		return err
	}
	critical := o.critical
	if len(critical) == 0 && found.Case.Observer != "" {
		critical = []string{found.Case.Observer}
	}
	res, err := replay.Run(cmd.Context(), replay.Config{Path: path, Groups: groups, Critical: critical, Reports: found.Reports, Found: found.Diagnosis,
		Progress: func(done, total int64) { bar.update(total/2+done, total/2+total) }})
	if err != nil {
		return err
	}
	bar.done()
	if o.format == "json" {
		err = replayJSON(cmd.OutOrStdout(), res, critical)
	} else {
		err = replayText(cmd.OutOrStdout(), res, critical)
	}
	if err != nil || !o.byCode {
		return err
	}
	switch {
	case len(res.Wrong) > 0:
		return exitCode(exitWrongPage)
	case res.Incident && res.Detected < 0:
		return exitCode(exitUndetected)
	}
	return nil
}

func replayText(w io.Writer, r *replay.Result, critical []string) error {
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
	fmt.Fprintf(w, "%s to %s UTC, %d records, %d rules looked at every %s\n", at(r.Window.From), at(r.Window.To), r.Records, r.Rules, r.Step)
	for _, c := range critical {
		fmt.Fprintf(w, "critical: %s\n", redact.Clean(c, 0))
	}
	for _, f := range r.Failing {
		fmt.Fprintf(w, "could not be evaluated: %s\n", redact.Clean(f, 300))
	}
	if len(r.Alerts) > 0 {
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "\nALERT\tWHO\tABOUT\tFIRED (UTC)\tFOR\tJUDGEMENT")
		for i := range r.Alerts {
			a := &r.Alerts[i]
			judged := string(a.Judgement)
			if a.Judgement == replay.Right {
				judged += fmt.Sprintf(", %s after the onset", a.After.Round(time.Second))
			}
			about := a.Service()
			if about == "" {
				about = inquest.LabelText(a.Labels)
			}
			lasted := a.Lasted.Round(time.Second).String()
			if a.Resolved.IsZero() {
				lasted += ", to the end"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", redact.Clean(a.Rule, 0), a.Urgency(), redact.Clean(about, 80), at(a.Fired), lasted, judged)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	switch {
	case !r.Incident:
		fmt.Fprint(w, "\nNo incident in these logs.")
	case r.Detected < 0:
		fmt.Fprintf(w, "\nThe incident of %s UTC: nobody would have been told.", at(r.Onset))
	default:
		fmt.Fprintf(w, "\nThe incident of %s UTC: told by %s after %s.", at(r.Onset), redact.Clean(r.By, 0), r.Detected.Round(time.Second))
	}
	_, err := fmt.Fprintf(w, " Wrong: %d pages, %d chat alerts.\n", r.Wrong[inquest.UrgencyPage], r.Wrong[inquest.UrgencyChat])
	return err
}

// replayJSON writes inquest/replay/v1, docs/format/replay-v1.md.
func replayJSON(w io.Writer, r *replay.Result, critical []string) error {
	type alert struct {
		inquest.Alert
		Urgency   inquest.AlertUrgency `json:"urgency"`
		Lasted    float64              `json:"lasted_seconds"`
		Judgement replay.Judgement     `json:"judgement"`
		After     *float64             `json:"after_seconds"`
	}
	out := struct {
		Schema   string         `json:"schema"`
		Window   inquest.Window `json:"window"`
		Step     float64        `json:"step_seconds"`
		Records  int            `json:"records"`
		Rules    int            `json:"rules"`
		Critical []string       `json:"critical"`
		Failing  []string       `json:"failing"`
		Alerts   []alert        `json:"alerts"`
		Incident bool           `json:"incident"`
		Onset    *time.Time     `json:"onset"`
		End      *time.Time     `json:"end"`
		Detected *float64       `json:"detected_seconds"`
		By       string         `json:"detected_by"`
		Wrong    map[string]int `json:"wrong"`
	}{Schema: "inquest/replay/v1", Window: r.Window, Step: r.Step.Seconds(), Records: r.Records, Rules: r.Rules, Critical: append([]string{}, critical...),
		Failing: append([]string{}, r.Failing...), Alerts: []alert{}, Incident: r.Incident, By: r.By,
		Wrong: map[string]int{"page": r.Wrong[inquest.UrgencyPage], "chat": r.Wrong[inquest.UrgencyChat]}}
	if !r.Onset.IsZero() {
		out.Onset = &r.Onset
	}
	if !r.End.IsZero() {
		out.End = &r.End
	}
	if r.Detected >= 0 {
		s := r.Detected.Seconds()
		out.Detected = &s
	}
	for _, a := range r.Alerts {
		x := alert{Alert: a.Alert, Urgency: a.Urgency(), Lasted: a.Lasted.Seconds(), Judgement: a.Judgement}
		if a.Judgement == replay.Right {
			s := a.After.Seconds()
			x.After = &s
		}
		out.Alerts = append(out.Alerts, x)
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, redact.Text(string(b)))
	return err
}
