package report

import (
	"cmp"
	"fmt"
	"io"
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
	// What calls itself an error comes first: databases accompany theirs with parameters and statements.
	quiet := func(s inquest.Symptom) int {
		if s.Pattern != nil && s.Pattern.Level < inquest.LevelWarn {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(found, func(a, b inquest.Symptom) int {
		return cmp.Or(quiet(a)-quiet(b), a.Onset.Compare(b.Onset), b.Count-a.Count)
	})
	if len(found) == 0 {
		a.calm = true
		a.answer = "No data: no application log was given."
		if t.d.Coverage.Layers[inquest.LayerApplication].State == layerChecked {
			a.answer = "None: no new or surging error within " + span(near) + " of it."
		}
		return a
	}
	first := found[0]
	a.answer = sentence(said(first))
	a.details = append(a.details, fmt.Sprintf("first at %s, %s, by %s", t.clock(first.Onset), plural(first.Count, "time"), cmp.Or(first.Component, "unknown")))
	for i, s := range found[1:] {
		if i == mostSuspects {
			a.details = append(a.details, fmt.Sprintf("and %s more", plural(len(found)-1-i, "pattern")))
			break
		}
		a.details = append(a.details, fmt.Sprintf("%s %s (%s)", t.clock(s.Onset), said(s), plural(s.Count, "time")))
	}
	if len(first.Evidence) > 0 {
		a.quotes = first.Evidence[:1]
	}
	return a
}

// said is what a pattern says, in the line's own words; a measurement has only ours.
func said(s inquest.Symptom) string {
	if s.Pattern == nil || len(s.Evidence) == 0 {
		return s.Text
	}
	line := []rune(firstLine(s.Evidence[0].Text))
	if len(line) > 120 {
		line = append(line[:117], []rune("...")...)
	}
	return cmp.Or(s.Component, "unknown") + ": " + string(line)
}

// poolAnswer is question 3: pools of connections and threads.
func (t terminal) poolAnswer(symptoms []inquest.Symptom) answer {
	return t.saturation(symptoms, answer{question: "How full were the pools?"}, "pool", "connections", "threads")
}

// hostAnswer is question 4: disk and memory.
func (t terminal) hostAnswer(symptoms []inquest.Symptom) answer {
	return t.saturation(symptoms, answer{question: "How full were disk and memory?"}, "disk", "memory")
}

// saturation answers for some resources: the one that ran out first, else their figures as far as anything measured them.
func (t terminal) saturation(symptoms []inquest.Symptom, a answer, resources ...string) answer {
	a.calm = true
	usual := ""
	for _, r := range resources {
		i := slices.IndexFunc(symptoms, func(s inquest.Symptom) bool { return s.Kind == inquest.SymptomSaturation && s.Detail == r })
		if i >= 0 && a.calm {
			a.answer, a.calm = sentence(symptoms[i].Text), false
		}
		level := "no data"
		for _, l := range t.d.Resources {
			if l.Resource == r && l.Component != "" {
				level = percent(l.Share) + " at " + resourceText(l)
				if l.Share >= resourceFull && usual == "" {
					usual = fmt.Sprintf("As full as before the incident: %s %s at %s.", resourceNames[r], percent(l.Share), l.Component)
				}
			}
		}
		if i >= 0 && level == "no data" { // a log told it, no metric
			level = symptoms[i].Text
		}
		a.details = append(a.details, resourceNames[r]+": "+level)
	}
	switch {
	case !a.calm:
	case usual != "":
		a.answer = usual
	case slices.ContainsFunc(a.details, func(d string) bool { return !strings.HasSuffix(d, ": no data") }):
		a.answer = "None that was measured came near its limit."
	case t.d.Coverage.Layers[inquest.LayerInfrastructure].State == layerChecked:
		a.answer = fmt.Sprintf("No data: nothing measures them in the %s of the infrastructure.", plural(t.d.Coverage.Layers[inquest.LayerInfrastructure].Files, "file"))
		a.details = nil
	default:
		a.answer, a.details = "No data: no infrastructure metric or log was given.", nil
	}
	return a
}

func absolute(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}
