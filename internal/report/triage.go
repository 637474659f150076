package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// near is how far from the onset an error still belongs to the second question: the first errors of a fault show
// within two minutes in practice (time-outs of 30 and 60 s, retries), later ones are its consequences.
const near = 2 * time.Minute

// answer is one of the four answers: the answer itself, then what it rests on.
type answer struct {
	question string
	answer   string
	calm     bool // nothing is wrong, or nothing is known
	details  []string
	quotes   []inquest.Evidence
}

// Triage writes the four answers of the five-minute triage, in this order and before anything else: when did it start
// against the last change, which errors came up at that time, how full were the pools, how full disk and memory. What
// was not measured is said to be "no data", for no news is not good news.
func Triage(w io.Writer, d *inquest.Diagnosis, symptoms []inquest.Symptom, opts TerminalOptions) error {
	t := terminal{newScreen(opts.Width, opts.Color, opts.ASCII), newStory(d, opts.Zone, opts.Title, opts.Name)}
	symptoms = safe(symptoms)
	for i, a := range []answer{t.whenAnswer(), t.errorAnswer(symptoms), t.poolAnswer(symptoms), t.hostAnswer(symptoms)} {
		if i > 0 {
			t.blank()
		}
		t.hang(pad(fmt.Sprintf("%d.", i+1), 3), 0, 3, faint, a.question)
		tint := strong
		if !a.calm {
			tint = red
		}
		t.para(3, tint, a.answer)
		for _, d := range a.details {
			t.hang("   "+t.g.bullet+" ", 0, 5, plain, d)
		}
		for _, q := range a.quotes {
			t.para(5, faint, strings.TrimSpace(fmt.Sprintf("%s %s", t.clock(q.Time), place(q.Source))))
			t.quote(5, firstLine(q.Text), 3)
		}
	}
	t.blank()
	t.para(0, faint, t.triageEnd())
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("report: write triage: %w", err)
	}
	return nil
}

func (t terminal) triageEnd() string {
	switch t.state {
	case stateHealthy:
		return "No incident was found. Times in " + t.zoneName() + "."
	case stateOpen:
		return "The cause is open; the full report says what is missing. Times in " + t.zoneName() + "."
	}
	return fmt.Sprintf("Verdict: %s, %s. The full report has the reasons. Times in %s.", t.headline(), levelNames[t.level()], t.zoneName())
}

// whenAnswer is question 1: start against the last change.
func (t terminal) whenAnswer() answer {
	a := answer{question: "When did it start, against the last change?"}
	last := t.lastChange()
	switch {
	case t.state == stateHealthy:
		a.answer, a.calm = "It did not: no failure stands out.", true
	case t.d.Onset.IsZero():
		a.answer, a.calm = "No data: no first failure can be told.", true
	case last == nil && t.d.Coverage.Layers[inquest.LayerChange].State != layerChecked:
		a.answer = "At " + t.stamp(t.d.Onset) + "; no data on changes."
	case last == nil:
		a.answer = "At " + t.stamp(t.d.Onset) + "; no change on record before it."
	default:
		a.answer = fmt.Sprintf("At %s, %s after the last change.", t.stamp(t.d.Onset), span(t.d.Onset.Sub(last.Time)))
	}
	for _, c := range t.changes() {
		a.details = append(a.details, strings.TrimSpace(fmt.Sprintf("%s %s%s", t.clock(c.Time), c.Text, t.aside(c.Time)))+refs(c.Evidence))
	}
	return a
}

func (t terminal) aside(at time.Time) string {
	if r := t.relative(at); r != "" {
		return " (" + strings.TrimSuffix(r, " the first failure") + ")"
	}
	return ""
}

// errorAnswer is question 2: errors at that time.
func (t terminal) errorAnswer(symptoms []inquest.Symptom) answer {
	a := answer{question: "Which errors came up at that time?"}
	var found []inquest.Symptom
	for _, s := range symptoms {
		failing := s.Kind == inquest.SymptomPattern || s.Kind == inquest.SymptomUpstream
		if failing && (t.d.Onset.IsZero() || s.Onset.IsZero() || absolute(s.Onset.Sub(t.d.Onset)) <= near) {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b inquest.Symptom) int { return cmp.Or(a.Onset.Compare(b.Onset), b.Count-a.Count) })
	if len(found) == 0 {
		a.calm = true
		a.answer = "No data: no application log was given."
		if t.d.Coverage.Layers[inquest.LayerApplication].State == layerChecked {
			a.answer = "None: no new or surging error within " + span(near) + " of it."
		}
		return a
	}
	first := found[0]
	a.answer = sentence(first.Text)
	a.details = append(a.details, fmt.Sprintf("first at %s, %s, by %s", t.clock(first.Onset), plural(first.Count, "time"), cmp.Or(first.Component, "unknown")))
	for i, s := range found[1:] {
		if i == mostSuspects {
			a.details = append(a.details, fmt.Sprintf("and %s more", plural(len(found)-1-i, "pattern")))
			break
		}
		a.details = append(a.details, fmt.Sprintf("%s %s (%s)", t.clock(s.Onset), s.Text, plural(s.Count, "time")))
	}
	if len(first.Evidence) > 0 {
		a.quotes = first.Evidence[:1]
	}
	return a
}

// poolAnswer is question 3: pools of connections and threads.
func (t terminal) poolAnswer(symptoms []inquest.Symptom) answer {
	return t.saturation(symptoms, answer{question: "How full were the pools?"}, "pool", "connections", "threads")
}

// hostAnswer is question 4: disk and memory.
func (t terminal) hostAnswer(symptoms []inquest.Symptom) answer {
	return t.saturation(symptoms, answer{question: "How full were disk and memory?"}, "disk", "memory")
}

// saturation answers for some resources. A resource that no symptom names is "no data": it may have been fine, or
// never measured, and a symptom is all that tells.
func (t terminal) saturation(symptoms []inquest.Symptom, a answer, resources ...string) answer {
	a.calm = true
	var silent []string
	for _, r := range resources {
		n := len(a.details)
		for _, s := range symptoms {
			if s.Kind == inquest.SymptomSaturation && s.Detail == r {
				a.details = append(a.details, t.measured(s))
				if a.calm {
					a.answer, a.calm = sentence(s.Text), false
				}
			}
		}
		if len(a.details) == n {
			silent = append(silent, r)
		}
	}
	infra := t.d.Coverage.Layers[inquest.LayerInfrastructure]
	none := "No data: no infrastructure metric or log was given."
	if infra.State == layerChecked {
		none = fmt.Sprintf("No data on any of them near its limit (%s of the infrastructure read).", plural(infra.Files, "file"))
	}
	if a.calm {
		a.answer = none
		return a
	}
	for _, r := range silent {
		a.details = append(a.details, r+": no data near a limit")
	}
	return a
}

// measured is "pool at checkout: 10 of 10, from 2, since 14:01:42 [E2]".
func (t terminal) measured(s inquest.Symptom) string {
	text := s.Detail
	if s.Component != "" {
		text += " at " + s.Component
	}
	text += ": " + number(s.Value)
	if !math.IsNaN(s.Limit) {
		text += " of " + number(s.Limit)
	}
	if !math.IsNaN(s.Baseline) {
		text += ", " + number(s.Baseline) + " before"
	}
	if !s.Onset.IsZero() {
		text += ", since " + t.clock(s.Onset)
	}
	var ids []string
	for _, e := range s.Evidence {
		if e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
	return text + refs(ids)
}

func absolute(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}
