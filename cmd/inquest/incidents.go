package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web/words"
)

func newIncidents() *cobra.Command {
	list := newIncidentsList()
	cmd := &cobra.Command{
		Use:     "incidents",
		Short:   "Incidents of a running server: list, show, declare, judge, look back",
		Long:    "Incidents lists those that need somebody, those opened last first; commands below it show one, open one, judge it, and tell how they went.\n" + remoteHelp,
		Example: "  inquest incidents\n  inquest incidents list --state resolved\n  inquest incidents show INC-20261129-7KQ2\n  inquest ack INC-20261129-7KQ2",
		Args:    cobra.NoArgs,
		PreRunE: list.PreRunE, RunE: list.RunE, // without more it lists
	}
	cmd.Flags().AddFlagSet(list.Flags())
	return group(cmd, append([]*cobra.Command{list, newIncidentsShow(), newIncidentsDeclare(), newIncidentsStats()}, judgements()...)...)
}

func newIncidentsList() *cobra.Command {
	r := &remote{}
	var state, service string
	var severity int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List incidents, those opened last first",
		Long:    "List prints incidents, at most 50: those that need somebody, or those that the flags say.\n" + remoteHelp,
		Example: "  inquest incidents list\n  inquest incidents list --state all --service checkout\n  inquest incidents list --severity 2 --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			if state != "all" {
				q.Set("state", state)
			}
			if service != "" {
				q.Set("service", service)
			}
			if severity != 0 {
				q.Set("severity", strconv.Itoa(severity))
			}
			return ask(cmd, r, "incidents", q, func(l *struct {
				Items []inquest.Incident
				Next  string
			}) error {
				r.incidents(l.Items)
				if l.Next != "" {
					fmt.Fprintln(r.out, "There are more; --format json gives \"next\" for the API, the page /incidents has them.")
				}
				return nil
			})
		},
	}
	states := []string{"active", "open", "acknowledged", "mitigated", "resolved", "reviewed", "all"}
	cmd.Flags().StringVar(&state, "state", "active", strings.Join(states, ", "))
	cmd.Flags().StringVar(&service, "service", "", "whose requests fail")
	cmd.Flags().IntVar(&severity, "severity", 0, "1 to 4: this one and worse ones")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(states, state) {
			return usageError{fmt.Errorf("--state %q: say %s", state, strings.Join(states, ", "))}
		}
		return nil
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) incidents(all []inquest.Incident) {
	if len(all) == 0 {
		fmt.Fprintln(r.out, "No incident fits.")
		return
	}
	rows := [][]string{{"INCIDENT", "SEV", "STATE", "OPENED (UTC)", "OWNER", "WHAT"}}
	for _, i := range all {
		owner := said(i.Owner)
		if owner == "" {
			owner = "-"
		}
		rows = append(rows, []string{i.ID, strconv.Itoa(int(i.Severity)), string(i.State), minute(i.Opened), owner, said(i.Title)})
	}
	r.table(rows)
}

// incidentView is what the server tells of an incident, as far as a terminal shows it.
type incidentView struct {
	Incident  inquest.Incident        `json:"incident"`
	Timeline  []inquest.IncidentEntry `json:"timeline"`
	Similar   []inquest.Similar       `json:"similar"`
	Runbook   *inquest.Runbook        `json:"runbook"`
	Published bool                    `json:"published"`
	OpenItems []string                `json:"openItems"`
}

func newIncidentsShow() *cobra.Command {
	r := &remote{}
	var all bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one incident: verdict, blast radius, first action, timeline",
		Long:    "Show prints what is known of an incident, the last 15 entries of its timeline last. --format json has everything, with the whole diagnosis.\n" + remoteHelp,
		Example: "  inquest incidents show INC-20261129-7KQ2\n  inquest incidents show INC-20261129-7KQ2 --all\n  inquest incidents show INC-20261129-7KQ2 --format json | jq .diagnosis.verdict",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, r, "incidents/"+url.PathEscape(args[0]), nil, func(v *incidentView) error {
				r.incident(v, all)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "the whole timeline")
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) incident(v *incidentView, all bool) {
	i := &v.Incident
	r.para("", fmt.Sprintf("%s  %s  %s  %s", i.ID, i.Severity, i.State, i.Title))
	owner := "nobody has it"
	if i.Owner != "" {
		owner = i.Owner + " has it"
	}
	r.para("  ", fmt.Sprintf("opened %s UTC, %s", minute(i.Opened), owner))
	if len(i.Services) > 0 {
		r.para("  services    ", strings.Join(i.Services, ", "))
	}
	if i.Requests > 0 {
		r.para("  failed      ", fmt.Sprintf("%s of %s requests (%s)", words.Count(i.Failed), words.Count(i.Requests), words.Percent(words.Number(float64(i.Failed)/float64(i.Requests)))))
	}
	if i.Verdict.Summary != "" {
		r.para("  verdict     ", fmt.Sprintf("%s: %s", i.Verdict.Level, i.Verdict.Summary))
	} else {
		r.para("  verdict     ", "none yet")
	}
	if i.Verdict.Action != "" {
		r.para("  do first    ", i.Verdict.Action)
	}
	r.spells(i, v.Runbook)
	if i.Repeats != "" {
		r.para("  repeat of   ", i.Repeats)
	}
	for _, o := range v.OpenItems {
		r.para("  still open  ", o)
	}
	if b := v.Runbook; b != nil {
		done := 0
		for _, s := range b.Steps {
			if s.Done != nil {
				done++
			}
		}
		r.para("  runbook     ", fmt.Sprintf("%s, %d of %d steps checked off: inquest runbook show %s", b.Subject(), done, len(b.Steps), i.ID))
	}
	for k, s := range v.Similar {
		if k < 3 {
			r.para("  similar     ", fmt.Sprintf("%s (%s): %s", s.Incident, words.Percent(words.Number(s.Score)), s.Why))
		}
	}
	shown := v.Timeline
	fmt.Fprintln(r.out)
	if n := len(shown) - 15; n > 0 && !all {
		shown = shown[n:]
		fmt.Fprintf(r.out, "  %d earlier entries: --all\n", n)
	}
	for _, e := range shown {
		r.para(fmt.Sprintf("  %s  ", e.Time.UTC().Format("01-02 15:04:05")), fmt.Sprintf("%s: %s (%s)", e.Kind, e.Text, e.By))
	}
	fmt.Fprintf(r.out, "\n  %s\n", r.client.Page("incidents/"+i.ID))
}

func (r *remote) spells(i *inquest.Incident, book *inquest.Runbook) {
	var parts []string
	for _, m := range []struct {
		name string
		f    func() (time.Duration, bool)
	}{{"detect", i.TimeToDetect}, {"acknowledge", i.TimeToAcknowledge}, {"mitigate", i.TimeToMitigate}, {"verify", func() (time.Duration, bool) { return i.TimeToVerify(book) }}, {"resolve", i.TimeToResolve}} {
		if d, ok := m.f(); ok {
			parts = append(parts, m.name+" "+words.Span(d))
		}
	}
	if len(parts) > 0 {
		r.para("  time to     ", strings.Join(parts, ", "))
	}
}

func newIncidentsDeclare() *cobra.Command {
	r := &remote{}
	var services []string
	var severity int
	var text string
	cmd := &cobra.Command{
		Use:     "declare TITLE",
		Short:   "Open an incident by hand",
		Long:    "Declare opens an incident because a person says so; alerts of the same services join it. TITLE says what users see.\n" + remoteHelp,
		Example: `  inquest incidents declare "customers cannot pay" --service checkout --severity 1 --text "support has twenty calls"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"title": args[0], "services": services, "severity": severity, "text": text}
			return send(cmd, r, "incidents", in, func(i *inquest.Incident) error {
				fmt.Fprintf(r.out, "%s %s opened: %s\n", i.ID, i.Severity, r.client.Page("incidents/"+i.ID))
				return nil
			})
		},
	}
	cmd.Flags().StringSliceVar(&services, "service", nil, "whose requests fail; may be given several times")
	cmd.Flags().IntVar(&severity, "severity", 0, "1 (users cannot do what it is for) to 4 (nobody has noticed yet); judged by the services when left out")
	cmd.Flags().StringVar(&text, "text", "", "what is known")
	r.flags(cmd, "text", "json")
	return cmd
}
