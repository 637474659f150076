package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/explain"
)

func newExplain() *cobra.Command {
	var own func() ([]mechanism.Mechanism, error)
	cmd := &cobra.Command{
		Use:   "explain [STATUS|MECHANISM|CLASS|RULE]...",
		Short: "Explain an HTTP status, a mechanism of failure or a rule of the gateway",
		Long: `Explain says what a status means (the words of RFC 9110, whose fault it is, where to look, whether to retry) or what a mechanism
is (signs, evidence, how to confirm it, what to do now, later and for good), or what a rule by which the gateway corrected an answer
(X-Inquest-Rule) is there for, how to mend the answer at its source, and which runbook to take. Two statuses are set side by side.
Without arguments it lists everything it knows.
` + exitCodesHelp,
		Example: `  inquest explain                       the list
  inquest explain 502                   a status
  inquest explain 500 503               two, side by side
  inquest explain pool-exhausted        a mechanism
  inquest explain database              all mechanisms of a class
  inquest explain pool-as-500           a rule of the gateway`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var out []string
			extra, _ := own() // completion has nowhere to complain
			for _, m := range mechanism.With(extra) {
				out = append(out, string(m.ID)+"\t"+m.Title)
			}
			for _, e := range explain.All() {
				out = append(out, fmt.Sprintf("%d\t%s", e.Code, e.Phrase))
			}
			for _, r := range answer.Rules() {
				out = append(out, r.ID+"\t"+r.Reason)
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := screenOf(cmd.OutOrStdout(), "auto")
			if err != nil {
				return err
			}
			extra, err := own()
			if err != nil {
				return err
			}
			w := &pager{w: bufio.NewWriter(cmd.OutOrStdout()), width: s.width, catalogue: mechanism.With(extra)}
			if len(args) == 0 {
				w.list()
				return w.w.Flush()
			}
			for i, a := range args {
				if i > 0 {
					w.line("")
				}
				if err := w.topic(a); err != nil {
					return err
				}
			}
			return w.w.Flush()
		},
	}
	own = ownFlag(cmd)
	return cmd
}

// pager writes wrapped text.
type pager struct {
	w         *bufio.Writer
	width     int
	catalogue []mechanism.Mechanism
}

func (p *pager) line(s string) { _, _ = io.WriteString(p.w, s+"\n") } // Flush reports

// para writes text under an indent, the first line after the label.
func (p *pager) para(label, text string) {
	if text == "" {
		return
	}
	pad := strings.Repeat(" ", len([]rune(label)))
	for _, l := range wrap(text, max(20, p.width-len([]rune(label)))) {
		p.line(label + l)
		label = pad
	}
}

func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(w)) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(out, line)
}

func (p *pager) list() {
	p.line("Mechanisms (inquest explain NAME):")
	class := inquest.Class("")
	for _, m := range p.catalogue {
		if m.ID.Class() != class {
			class = m.ID.Class()
			p.line("\n  " + string(class))
		}
		p.line(fmt.Sprintf("    %-22s %s", m.ID.Name(), m.Title))
	}
	p.line("\nStatuses (inquest explain CODE):\n")
	for _, e := range explain.All() {
		p.line(fmt.Sprintf("    %d  %s", e.Code, e.Phrase))
	}
	p.line("\nWhat the gateway corrects (inquest explain RULE):\n")
	for _, r := range answer.Rules() {
		p.line("    " + r.ID)
	}
}

// topic explains one status, mechanism or class.
func (p *pager) topic(name string) error {
	if e, ok := explain.Lookup(name); ok {
		p.status(e)
		return nil
	}
	rules := answer.Rules()
	if i := slices.IndexFunc(rules, func(r answer.Rule) bool { return strings.EqualFold(r.ID, name) }); i >= 0 {
		p.correction(rules[i])
		return nil
	}
	found := slices.DeleteFunc(slices.Clone(p.catalogue), func(m mechanism.Mechanism) bool {
		return !strings.EqualFold(string(m.ID), name) && !strings.EqualFold(m.ID.Name(), name) && !strings.EqualFold(string(m.ID.Class()), name)
	})
	if len(found) == 0 {
		return usageError{fmt.Errorf("explain: nothing is known of %q%s; 'inquest explain' lists what is", name, didYouMean(name, p.catalogue))}
	}
	for i := range found {
		if i > 0 {
			p.line("")
		}
		p.mechanism(&found[i])
	}
	return nil
}

// didYouMean proposes the mechanism that shares the most letter pairs with what was typed.
func didYouMean(name string, all []mechanism.Mechanism) string {
	best, score := "", 0
	for _, m := range all {
		n := 0
		for i := 0; i+2 <= len(name); i++ {
			if strings.Contains(m.ID.Name(), strings.ToLower(name[i:i+2])) {
				n++
			}
		}
		if n > score {
			best, score = m.ID.Name(), n
		}
	}
	if score*2 < len(name) {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

func (p *pager) status(e explain.Entry) {
	p.line(fmt.Sprintf("%d %s", e.Code, e.Phrase))
	p.line("")
	p.para("  ", `"`+e.Meaning+`" (`+e.Source+")")
	p.line("")
	rows := [][2]string{{"Fault", e.Fault}, {"Causes", strings.Join(e.Causes, "; ")}, {"Is it up?", e.Up}, {"Retry", e.Retry}, {"Retry-After", e.RetryAfter},
		{"Where", e.Where}, {"Fix", e.Fix}, {"Balancer", e.Balancer}, {"Alert", e.Alert}, {"Example", e.Example}, {"Wrong when", e.Misuse}}
	for _, r := range rows {
		p.para(fmt.Sprintf("  %-12s ", r[0]), r[1])
	}
	var look []string
	for _, id := range e.Look {
		look = append(look, id.Name())
	}
	p.para(fmt.Sprintf("  %-12s ", "See"), strings.Join(look, ", "))
}

// correction explains what the gateway and the middleware correct, by the name that stands in their logs and in X-Inquest-Rule.
func (p *pager) correction(r answer.Rule) {
	p.line("Rule " + r.ID)
	p.line("")
	p.para("  ", r.Reason)
	p.line("")
	p.para("  Fix      ", r.Fix)
	p.para("  Runbook  ", r.Runbook+" (inquest explain "+r.Runbook+")")
}

func (p *pager) mechanism(m *mechanism.Mechanism) {
	p.line(fmt.Sprintf("%s (%s)", m.Title, m.ID))
	p.line("")
	p.para("  ", m.What)
	p.bullets("Signs", m.Signs)
	p.bullets("Evidence it takes", m.Needs)
	p.bullets("What would contradict it", m.Contradicts)
	p.line("\nHow to confirm (read-only)")
	for _, c := range m.Confirm {
		p.para("  - ", c.Text)
		p.line("      $ " + c.Command)
		p.para("      expect: ", c.Expect)
	}
	for _, ph := range []struct {
		phase inquest.Phase
		head  string
	}{{inquest.PhaseNow, "Do now"}, {inquest.PhaseLater, "Then fix it"}, {inquest.PhasePrevent, "So that it does not come back"}} {
		p.line("\n" + ph.head)
		for _, a := range m.Actions {
			if a.Phase != ph.phase {
				continue
			}
			p.para("  - ", fmt.Sprintf("%s (%s)", a.Text, map[string]string{"cause": "cures the cause", "symptom": "eases a symptom"}[a.Cures]))
			if a.Command != "" {
				p.line("      $ " + a.Command)
			}
		}
	}
	var brings []string
	for _, id := range m.Explains {
		brings = append(brings, id.Name())
	}
	if len(brings) > 0 {
		p.line("")
		p.para("Brings about: ", strings.Join(brings, ", "))
	}
	p.line(fmt.Sprintf("Fault of: %s. A well-behaved service answers %d meanwhile.", m.Owner, m.Status))
}

func (p *pager) bullets(head string, items []string) {
	if len(items) == 0 {
		return
	}
	p.line("\n" + head)
	for _, s := range items {
		p.para("  - ", s)
	}
}
