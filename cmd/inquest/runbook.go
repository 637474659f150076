package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/runbook"
)

func newRunbook() *cobra.Command {
	return group(&cobra.Command{
		Use:     "runbook",
		Short:   "What to do about an incident, step by step",
		Long:    "Runbook shows the steps of an incident's mechanism with their commands and time boxes, and checks them off. Nothing is executed.\n" + remoteHelp,
		Example: "  inquest runbook show INC-20261129-7KQ2\n  inquest runbook check INC-20261129-7KQ2 3 --outcome helped --note \"40 waiting\"\n  inquest runbook show database/pool-exhausted",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}, newRunbookShow(), newRunbookCheck())
}

func newRunbookShow() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:   "show INCIDENT|MECHANISM",
		Short: "Print a runbook",
		Long: `Show prints the runbook of an incident, with what was done of it, or that of a mechanism (class/name, as inquest explain lists them),
for which no server is asked.
` + remoteHelp,
		Example: "  inquest runbook show INC-20261129-7KQ2\n  inquest runbook show database/pool-exhausted",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			if m, ok := mechanism.ByID(inquest.MechanismID(args[0])); ok {
				b, err := json.Marshal(runbook.Of(&m))
				if err != nil {
					return err
				}
				return present(r, b, r.runbook)
			}
			if strings.Contains(args[0], "/") {
				return fmt.Errorf("there is no mechanism %s: inquest explain lists them", redact.Clean(args[0], 100))
			}
			return ask(cmd, r, "incidents/"+url.PathEscape(args[0])+"/runbook", nil, r.runbook)
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) runbook(b *inquest.Runbook) error {
	r.para("", b.Title)
	r.para("  ", b.Purpose)
	r.para("  ", b.Impact)
	n := 0
	for _, p := range b.ByPhase() {
		box := ""
		if p.Box != nil {
			box = fmt.Sprintf(" (%d to %d min", p.Box.Least, p.Box.Most)
			if !p.Box.Began.IsZero() {
				box += fmt.Sprintf(", %d used", p.Box.Used)
			}
			if p.Box.Over {
				box += ": over its time"
			}
			box += ")"
		}
		fmt.Fprintf(r.out, "\n%s%s\n", p.Phase, box)
		for _, s := range p.Steps {
			n++
			mark := "[ ]"
			if s.Done != nil {
				mark = "[x]"
			}
			text := s.Text
			if s.Changes {
				text += " (changes the system)"
			}
			r.para(fmt.Sprintf("%s %2d. ", mark, n), text)
			if s.Command != "" {
				fmt.Fprintf(r.out, "        $ %s\n", redact.Clean(s.Command, 2000)) // not wrapped: it is to be copied
			}
			if s.Expect != "" {
				r.para("        expect: ", s.Expect)
			}
			if d := s.Done; d != nil {
				r.para("        ", strings.TrimSuffix(fmt.Sprintf("%s, %s, %s: %s", d.Outcome, d.By, d.Time.UTC().Format("15:04:05"), d.Note), ": "))
			}
		}
	}
	fmt.Fprintln(r.out)
	r.para("Escalate: ", b.Escalation)
	r.para("Close: ", b.Closing)
	return nil
}

func newRunbookCheck() *cobra.Command {
	r := &remote{}
	var outcome, note string
	outcomes := make([]string, len(inquest.Outcomes))
	for i, o := range inquest.Outcomes {
		outcomes[i] = string(o)
	}
	cmd := &cobra.Command{
		Use:   "check INCIDENT STEP",
		Short: "Check a step off: who, when and what came out go into the timeline",
		Long: `Check notes that a step was done, and what came of it. STEP is its number in inquest runbook show, or its id. The steps change with the
diagnosis, so look at them before.
` + remoteHelp,
		Example: "  inquest runbook check INC-20261129-7KQ2 3 --outcome helped --note \"40 waiting\"\n  inquest runbook check INC-20261129-7KQ2 5 --outcome no-effect",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.open(cmd); err != nil {
				return err
			}
			at := "incidents/" + url.PathEscape(args[0])
			step, err := r.step(cmd, at, args[1])
			if err != nil {
				return err
			}
			in := map[string]string{"outcome": outcome, "note": note}
			return send(cmd, r, at+"/steps/"+url.PathEscape(step.ID), in, func(*inquest.Runbook) error {
				r.para("", fmt.Sprintf("%s: %s", outcome, step.Text))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&outcome, "outcome", "", strings.Join(outcomes, ", "))
	cmd.Flags().StringVar(&note, "note", "", "what came out")
	_ = cmd.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(outcomes, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	cmd.PreRunE = func(*cobra.Command, []string) error {
		for _, o := range outcomes {
			if o == outcome {
				return nil
			}
		}
		return usageError{fmt.Errorf("--outcome %q: say %s", outcome, strings.Join(outcomes, ", "))}
	}
	r.flags(cmd, "text", "json")
	return cmd
}

// step finds a step by its number or id.
func (r *remote) step(cmd *cobra.Command, at, name string) (*inquest.Step, error) {
	var b inquest.Runbook
	if err := r.client.Get(cmd.Context(), at+"/runbook", nil, &b); err != nil {
		return nil, known(at, err)
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(b.Steps) {
		return &b.Steps[n-1], nil
	}
	for i := range b.Steps {
		if b.Steps[i].ID == name {
			return &b.Steps[i], nil
		}
	}
	return nil, fmt.Errorf("the runbook has %d steps, and none is %s: inquest runbook show lists them", len(b.Steps), redact.Clean(name, 100))
}
