package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web/words"
)

// Finding is one thing that a postmortem lacks, or says as it should not.
type Finding struct {
	Rule string `json:"rule"`
	Must bool   `json:"error"` // it cannot be published so; else it is advice
	Text string `json:"text"`  // what, and the remedy
	Line int    `json:"line,omitempty"`
}

// Options tune the lint.
type Options struct {
	AckTarget time.Duration // an acknowledgement that took longer is remarked upon; 0: 5 minutes
	Now       time.Time     // action items that were due before are late; zero: none is
}

// Lint says what a postmortem lacks, what must be mended first, in the order of the text.
func Lint(text string, o Options) []Finding {
	if o.AckTarget == 0 {
		o.AckTarget = 5 * time.Minute
	}
	l := &linter{document: read(text), Options: o, found: []Finding{}}
	for _, check := range []func(){l.head, l.present, l.summary, l.impact, l.response, l.wrongTurns, l.rootCauses, l.measures, l.actions, l.lessonsLearnt, l.timeline, l.repeat, l.leftovers, l.wording} {
		check()
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		if a.Must != b.Must {
			return map[bool]int{true: -1, false: 1}[a.Must]
		}
		return cmp.Compare(a.Line, b.Line)
	})
	return l.found
}

// Blocks reports whether a finding keeps a postmortem from being published.
func Blocks(all []Finding) bool {
	return slices.ContainsFunc(all, func(f Finding) bool { return f.Must })
}

type linter struct {
	*document
	Options
	found []Finding
}

func (l *linter) must(rule string, line int, format string, args ...any) {
	l.found = append(l.found, Finding{rule, true, fmt.Sprintf(format, args...), line})
}

func (l *linter) should(rule string, line int, format string, args ...any) {
	l.found = append(l.found, Finding{rule, false, fmt.Sprintf(format, args...), line})
}

// at is the line of a section, 0 when it is not there.
func (l *linter) at(kind string) int {
	if s := l.section(kind); s != nil {
		return s.line
	}
	return 0
}

func (l *linter) head() {
	if l.Title == "" || l.Title == todo {
		l.must("title", 1, "it has no title: begin with \"# Postmortem: what users saw\"")
	}
	if l.Severity == 0 {
		l.must("severity", l.fields["head/severity"].line, "the severity is missing: write \"- **Severity**: SEV-1\" (to SEV-4) below the title")
	}
	if l.Author == "" {
		l.must("author", l.fields["head/author"].line, "nobody is named as its author: who answers questions about it?")
	}
	if len(l.Factors) == 0 {
		l.should("factors", l.fields["head/contributing factors"].line, "no contributing factor is given: one or more of %s", factorNames())
	}
	for _, f := range l.Factors {
		if !slices.Contains(inquest.Factors, f) {
			l.must("factor-unknown", l.fields["head/contributing factors"].line, "%q is no contributing factor: choose of %s", f, factorNames())
		}
	}
}

func factorNames() string {
	all := make([]string, len(inquest.Factors))
	for i, f := range inquest.Factors {
		all[i] = string(f)
	}
	return strings.Join(all, ", ")
}

// present asks for the sections that a postmortem has.
func (l *linter) present() {
	for _, s := range []struct{ kind, title, holds string }{
		{"summary", "Executive summary", "what happened, in five sentences that a manager understands"}, {"impact", "Impact", "who was hit, for how long, and who was not"},
		{"response", "Detection and response", "what noticed it, and when it was acknowledged and mitigated"}, {"symptom", "Symptom", "what users and operators saw"},
		{"wrong", "Wrong turns", "what was believed first, and the minutes that it took"}, {"causes", "Root causes", "each with its evidence"},
		{"fixes", "Fixes", "what was done, when, and how it was verified"}, {"items", "Action items", "each with owner, due date and check"},
		{"timeline", "Timeline (UTC)", "times and facts"}, {"lessons", "Lessons", "each with the guard or rule that enforces it"},
	} {
		if l.section(s.kind) == nil {
			l.must("section-missing", 0, "the section \"## %s\" is missing: %s", s.title, s.holds)
		}
	}
}

func (l *linter) summary() {
	at := l.at("summary")
	if l.Summary == "" {
		return // the section is asked for, or the mark in it is
	}
	if n := sentences(l.Summary); n > 5 {
		l.must("summary-length", at, "the summary has %d sentences: tell it in five, details stand below", n)
	}
	if what := technical(l.Summary); what != "" {
		l.must("summary-technical", at, "%q is no word for managers: say what it meant for users; the details stand below", what)
	}
	low := strings.ToLower(l.Summary)
	if !strings.ContainsAny(low, "0123456789") {
		l.must("summary-impact", at, "the summary has no figure: how many requests or users were hit?")
	}
	if !mentions(low, "minute", " min", "hour", " h ", "second", " s)", "seit", "days", " from ") {
		l.must("summary-duration", at, "the summary does not say how long it took")
	}
	if !mentions(low, "resolved", "fixed", "mitigated", "restored", "ongoing", "over", "back", "recovered", "still") {
		l.must("summary-state", at, "the summary does not say whether it is over")
	}
}

func mentions(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}

func (l *linter) impact() {
	if l.section("impact") == nil {
		return
	}
	for _, f := range []struct{ key, name string }{{"start", "Start"}, {"end", "End"}} {
		v := l.fields["impact/"+f.key]
		if v.text != "" && v.text != todo && moment(v.text).IsZero() {
			l.must("date-and-zone", v.line, "%q is no time with date and zone: write 2026-11-29 08:30:00 UTC", v.text)
		} else if v.text == "" {
			l.must("impact-field", l.at("impact"), "the impact does not say its %s, with date and zone", f.key)
		}
	}
	for _, f := range []struct{ key, ask string }{
		{"what failed", "What failed"}, {"status codes", "Status codes"}, {"affected", "Affected"}, {"not affected", "Not affected"},
	} {
		if l.fields["impact/"+f.key].text == "" {
			l.must("impact-field", l.at("impact"), "the impact lacks \"- **%s**: ...\"", f.ask)
		}
	}
	if i := l.Impact; !i.Start.IsZero() && i.End.Before(i.Start) && !i.End.IsZero() {
		l.must("impact-interval", l.fields["impact/end"].line, "it ends before it begins")
	}
}

func (l *linter) response() {
	if l.section("response") == nil {
		return
	}
	r := l.Response
	if l.fields["response/detected by"].text == "" || l.fields["response/detected"].text == "" {
		l.must("detection", l.at("response"), "say what noticed it and when: \"- **Detected by**: ...\" and \"- **Detected**: 2026-11-29 08:30:00 UTC\"")
	}
	for _, key := range []string{"detected", "acknowledged", "identified", "mitigated", "verified", "resolved"} {
		v := l.fields["response/"+key]
		if v.text != "" && v.text != todo && moment(v.text).IsZero() {
			l.must("date-and-zone", v.line, "%q is no time with date and zone: write 2026-11-29 08:30:00 UTC", v.text)
		}
	}
	if !r.Detected.IsZero() && !r.Acknowledged.IsZero() {
		if took := r.Acknowledged.Sub(r.Detected); took > l.AckTarget {
			l.should("late-acknowledgement", l.fields["response/acknowledged"].line, "it took %s from the alert until somebody had it, the target is %s: does an action item see to that?", words.Span(took), words.Span(l.AckTarget))
		}
	}
}

func (l *linter) wrongTurns() {
	for _, w := range l.Wrong {
		if w.Belief != "" && w.Minutes == 0 {
			l.should("wrong-turn-minutes", l.at("wrong"), "how many minutes did it take to find out that it was not %q?", w.Belief)
		}
	}
}

func (l *linter) rootCauses() {
	s := l.section("causes")
	if s == nil {
		return
	}
	if len(l.Causes) == 0 {
		l.must("cause-none", s.line, "no root cause is named: what made it possible, and what set it off?")
	}
	known := map[string]bool{}
	for _, q := range l.Evidence {
		known[q.ID] = true
	}
	for i, c := range l.Causes {
		at := l.causes[i]
		if c.Text == "" || c.Text == todo {
			continue
		}
		if len(c.Evidence) == 0 && !strings.Contains(c.Text, "](") && !strings.Contains(c.Text, "://") {
			l.must("cause-evidence", at, "root cause %d points at no evidence: link a quote below, a log, a graph or a change", i+1)
		}
		for _, id := range c.Evidence {
			if !known[id] {
				l.must("cause-evidence", at, "root cause %d points at %s, which is not among the evidence", i+1, id)
			}
		}
		if who := l.person(c.Text); who != "" {
			l.must("cause-person", at, "root cause %d is %s: a person is no cause. What let one slip have such an effect?", i+1, who)
		}
		if !slices.ContainsFunc(l.Items, func(x inquest.ActionItem) bool { return x.Cause == i+1 && x.State != inquest.ItemDropped }) {
			l.must("cause-without-item", at, "root cause %d has no action item: what keeps it from coming back?", i+1)
		}
	}
}
