// Package runbook writes what to do about an incident, step by step, from the catalogue of mechanisms and the incident's diagnosis: confirm by
// commands that only read, mitigate, verify, prevent, each phase in a box of time. It says which step was checked off, by whom, and what came
// out: that stands in the incident's timeline, nowhere else. It executes nothing, reads no clock and does no I/O.
package runbook

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/web/words"
)

// version of the form that a runbook has.
const version = "1"

// ErrInput says that a check-off cannot be meant; the message says what is expected.
var ErrInput = errors.New("cannot be understood")

// Situation is what a runbook is written for.
type Situation struct {
	Incident  *inquest.Incident
	Diagnosis *inquest.Diagnosis // nil: none yet
	Entries   []inquest.IncidentEntry
	Escalate  string // whom the settings name after how long; "" when they name nobody
	At        time.Time
}

// Write writes the runbook of an incident as it stands. While the cause is open it is the one of the status that most failures have, or the one that fits any 5xx: never none.
func Write(s Situation) *inquest.Runbook {
	b := frame()
	b.Generated = s.At
	if v := verdictOf(&s); v != nil {
		fromVerdict(b, v)
	} else if m, ok := mechanism.ByID(s.Incident.Verdict.Mechanism); ok {
		fromCatalogue(b, &m, nil)
	} else {
		generic(b, &s)
	}
	b.Purpose = fmt.Sprintf("To find and end what makes %s answer 5xx in production.%s%s", cmp.Or(strings.Join(s.Incident.Services, ", "), "the service"), what(b.Mechanism), alerted(s.Incident))
	b.Impact = impact(&s)
	b.Escalation = escalation(s.Escalate)
	b.Steps = slices.Concat(symptoms(&s), b.Steps, verify(&s), prevent(b, &s))
	finish(b)
	checkedOff(b, s.Entries)
	boxes(b, &s)
	b.Verified = verified(b, s.Entries)
	return b
}

// Of is the runbook of a mechanism without an incident, from the catalogue.
func Of(m *mechanism.Mechanism) *inquest.Runbook {
	b := frame()
	fromCatalogue(b, m, nil)
	s := Situation{Incident: &inquest.Incident{}}
	b.Purpose, b.Impact, b.Escalation = m.What, "The incident's page has the measured impact.", escalation("")
	b.Steps = slices.Concat(symptoms(&s), b.Steps, verify(&s), prevent(b, &s))
	finish(b)
	return b
}

// frame has what all runbooks have. The boxes add up to 30 to 55 minutes (REQUIREMENTS 43): longer than that, and others have to come.
func frame() *inquest.Runbook {
	return &inquest.Runbook{Generator: "inquest", Version: version, Boxes: []inquest.TimeBox{
		{Phase: inquest.StepSymptoms, Least: 5, Most: 10}, {Phase: inquest.StepCause, Least: 5, Most: 10}, {Phase: inquest.StepMitigate, Least: 5, Most: 10},
		{Phase: inquest.StepVerify, Least: 5, Most: 10}, {Phase: inquest.StepPrevent, Least: 10, Most: 15},
	}, Closing: "Done when the verification holds for a full window. What is left of Prevent goes into the postmortem as action items with owner, due date and check."}
}

// verdictOf is the verdict that steps can be taken from, nil while the cause is open.
func verdictOf(s *Situation) *inquest.Verdict {
	if s.Diagnosis == nil || s.Diagnosis.Verdict == nil || s.Diagnosis.Verdict.Level == inquest.Open || s.Diagnosis.Verdict.Mechanism == "" {
		return nil
	}
	return s.Diagnosis.Verdict
}

// fromVerdict takes the commands of the diagnosis: they have the names of this system in them.
func fromVerdict(b *inquest.Runbook, v *inquest.Verdict) {
	b.Mechanism = v.Mechanism
	b.Title = "Runbook: " + titleOf(v.Mechanism)
	if v.Culprit != "" {
		b.Title += " at " + v.Culprit
	}
	steps(b, v.Confirm, v.Actions)
}

// fromCatalogue takes them as the catalogue has them; names stay to be filled in.
func fromCatalogue(b *inquest.Runbook, m *mechanism.Mechanism, values map[string]string) {
	b.Mechanism, b.Title = m.ID, "Runbook: "+m.Title
	confirm, actions := slices.Clone(m.Confirm), slices.Clone(m.Actions)
	for i := range confirm {
		confirm[i].Command = mechanism.Fill(confirm[i].Command, values)
	}
	for i := range actions {
		actions[i].Text, actions[i].Command = mechanism.Fill(actions[i].Text, values), mechanism.Fill(actions[i].Command, values)
	}
	steps(b, confirm, actions)
}

func titleOf(id inquest.MechanismID) string {
	if m, ok := mechanism.ByID(id); ok {
		return m.Title
	}
	return string(id)
}

func steps(b *inquest.Runbook, confirm []inquest.Command, actions []inquest.Action) {
	for _, c := range confirm {
		b.Steps = append(b.Steps, inquest.Step{Phase: inquest.StepCause, Text: c.Text, Command: c.Command, Expect: c.Expect})
	}
	for _, a := range actions {
		phase := inquest.StepPrevent
		if a.Phase == inquest.PhaseNow {
			phase = inquest.StepMitigate
		}
		b.Steps = append(b.Steps, inquest.Step{Phase: phase, Text: a.Text, Command: a.Command, Cures: a.Cures, Changes: phase == inquest.StepMitigate})
	}
}

// what happens, and why what one would try first does not help, as the catalogue tells it.
func what(id inquest.MechanismID) string {
	if m, ok := mechanism.ByID(id); ok && m.What != "" {
		return " " + m.What
	}
	return ""
}

func alerted(i *inquest.Incident) string {
	var rules []string
	for _, a := range i.Alerts {
		if !slices.Contains(rules, a.Rule) {
			rules = append(rules, a.Rule)
		}
	}
	if len(rules) == 0 {
		return ""
	}
	return " Led here: " + strings.Join(rules, ", ") + "."
}

func impact(s *Situation) string {
	i := s.Incident
	if i.Requests == 0 {
		return "Not measured yet: the investigation has counted no request so far."
	}
	line := fmt.Sprintf("%s of %s requests failed (%s)", words.Count(i.Failed), words.Count(i.Requests), words.Percent(words.Number(float64(i.Failed)/float64(i.Requests))))
	if i.Reports > 0 {
		line += fmt.Sprintf(", %d users told so", i.Reports)
	}
	return line + "."
}

func escalation(who string) string {
	when := "when Cause is over its box without an answer, at the first step that made it worse, or when a step needs a right that you do not have"
	if who == "" {
		return "Call the service's owner " + when + ". The settings name nobody (escalation in docs/serve.md)."
	}
	return "Call " + who + " " + when + "."
}

// finish gives steps their order, ids and shares of the time.
func finish(b *inquest.Runbook) {
	slices.SortStableFunc(b.Steps, func(x, y inquest.Step) int {
		return cmp.Compare(slices.Index(inquest.StepPhases, x.Phase), slices.Index(inquest.StepPhases, y.Phase))
	})
	b.Steps = slices.CompactFunc(b.Steps, func(x, y inquest.Step) bool { return x.Phase == y.Phase && x.Text == y.Text })
	count := map[inquest.StepPhase]int{}
	for i := range b.Steps {
		count[b.Steps[i].Phase]++
	}
	seen := map[string]bool{}
	for i := range b.Steps {
		s := &b.Steps[i]
		id := pattern.Hash([]byte(string(s.Phase) + "\n" + s.Text)).String()
		for n := 2; seen[id]; n++ {
			id = fmt.Sprintf("%s-%d", pattern.Hash([]byte(string(s.Phase)+"\n"+s.Text)), n)
		}
		seen[id] = true
		s.ID = id
		for _, box := range b.Boxes {
			if box.Phase == s.Phase {
				s.Minutes = max(1, box.Most/count[s.Phase])
			}
		}
	}
}
