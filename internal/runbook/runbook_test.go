package runbook_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/runbook"
)

func at(min int) time.Time {
	return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC).Add(time.Duration(min) * time.Minute)
}

func phases(b *inquest.Runbook) []inquest.StepPhase {
	var out []inquest.StepPhase
	for _, s := range b.Steps {
		if len(out) == 0 || out[len(out)-1] != s.Phase {
			out = append(out, s.Phase)
		}
	}
	return out
}

// changing are words of commands that change something.
var changing = regexp.MustCompile(`rollout (?:undo|restart)|pg_(?:cancel|terminate)_backend|\bKILL\b|\brm\b|\bALTER\b|\bDROP\b|\bscale\b|restart`)

// Every mechanism has a runbook that can be followed: all phases in order, ids that differ, checks that say what to expect, nothing that changes
// the system before Mitigate, 30 to 55 minutes.
func TestEveryMechanismHasARunbook(t *testing.T) {
	texts := map[string]inquest.Class{}
	for _, m := range mechanism.All() {
		b := runbook.Of(&m)
		if diff := cmp.Diff(inquest.StepPhases, phases(b)); diff != "" {
			t.Errorf("%s: %s", m.ID, diff)
		}
		ids := map[string]bool{}
		for _, s := range b.Steps {
			if ids[s.ID] || s.ID == "" || s.Minutes < 1 {
				t.Errorf("%s: step %q has the id %q and %d minutes", m.ID, s.Text, s.ID, s.Minutes)
			}
			ids[s.ID] = true
			reads := s.Phase == inquest.StepSymptoms || s.Phase == inquest.StepCause || s.Phase == inquest.StepVerify
			if reads && (s.Command == "" || s.Expect == "") {
				t.Errorf("%s: %q tells no command, or not what to expect", m.ID, s.Text)
			}
			if reads && (s.Changes || changing.MatchString(s.Command)) {
				t.Errorf("%s: %q changes the system before anybody decided so: %s", m.ID, s.Text, s.Command)
			}
			if s.Phase == inquest.StepMitigate && !s.Changes {
				t.Errorf("%s: %q does not say that it changes something", m.ID, s.Text)
			}
			if strings.ContainsAny(strings.NewReplacer("%{http_code}", "", "%{time_total}", "").Replace(s.Command), "\n") {
				t.Errorf("%s: a command of two lines: %q", m.ID, s.Command)
			}
		}
		least, most := 0, 0
		for _, x := range b.Boxes {
			least, most = least+x.Least, most+x.Most
		}
		if least != 30 || most != 55 || b.Title == "" || b.Purpose == "" || b.Impact == "" || b.Escalation == "" || b.Closing == "" || b.Generator == "" || b.Version == "" {
			t.Errorf("%s: %d to %d minutes, %+v", m.ID, least, most, b)
		}
		var all strings.Builder
		for _, s := range b.Steps {
			all.WriteString(s.Text + "\n")
		}
		if other, ok := texts[all.String()]; ok {
			t.Errorf("%s has the steps of one of %s", m.ID, other)
		}
		texts[all.String()] = m.ID.Class()
	}
}

func TestWhileTheCauseIsOpenTheRunbookFitsAny5xx(t *testing.T) {
	for name, d := range map[string]*inquest.Diagnosis{"no diagnosis yet": nil, "an open one": {Incident: true, Verdict: &inquest.Verdict{Level: inquest.Open}}} {
		b := runbook.Write(runbook.Situation{Incident: &inquest.Incident{ID: "INC-1", Services: []string{"checkout"}, Opened: at(0)}, Diagnosis: d, At: at(1)})
		if diff := cmp.Diff(inquest.StepPhases, phases(b)); diff != "" || b.Mechanism != "" || !strings.Contains(b.Title, "cause open") {
			t.Errorf("%s: %s%s", name, b.Title, diff)
		}
		var commands []string
		for _, s := range b.Steps {
			commands = append(commands, s.Command)
		}
		all := strings.Join(commands, "\n")
		for _, want := range []string{"inquest incidents show INC-1", "inquest changes --service checkout", "deployment/checkout", "pg_stat_activity", "free -h; df -h", "kubectl rollout undo"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
	}
}

func TestTheCommandsAreThoseOfTheDiagnosis(t *testing.T) {
	out, err := flow.Investigate(context.Background(), "../../examples/black-friday", flow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Diagnosis
	b := runbook.Write(runbook.Situation{Diagnosis: d, At: at(1), Escalate: "roster second after 10 min", Incident: &inquest.Incident{ID: "INC-1", Services: d.Impact.Services, Failed: 1204, Requests: 9000, Reports: 2,
		Alerts: []inquest.Alert{{Rule: "HonestErrorRatio"}, {Rule: "HonestErrorRatio"}}}})
	if b.Mechanism != d.Verdict.Mechanism || !strings.Contains(b.Title, d.Verdict.Culprit) || b.Impact != "1,204 of 9,000 requests failed (13%), 2 users told so." ||
		!strings.HasSuffix(b.Purpose, "Led here: HonestErrorRatio.") || !strings.Contains(b.Escalation, "roster second after 10 min") {
		t.Errorf("%+v", b)
	}
	for _, c := range d.Verdict.Confirm {
		if !slices.ContainsFunc(b.Steps, func(s inquest.Step) bool { return s.Command == c.Command && s.Phase == inquest.StepCause }) {
			t.Errorf("the check %q is missing", c.Text)
		}
	}
	if got := b.Steps[1].Expect; !strings.HasPrefix(got, "the trigger that the diagnosis names: traffic at ") { // traffic is nobody's
		t.Errorf("expected of the look at changes: %q", got)
	}
	for _, a := range d.Verdict.Actions {
		phase := inquest.StepPrevent
		if a.Phase == inquest.PhaseNow {
			phase = inquest.StepMitigate
		}
		if !slices.ContainsFunc(b.Steps, func(s inquest.Step) bool { return s.Text == a.Text && s.Phase == phase && s.Cures == a.Cures }) {
			t.Errorf("the action %q is missing", a.Text)
		}
	}
}

// The look at changes is for the service that was changed, not for the first one that fails: gateways stand before shops in the alphabet.
func TestTheLookAtChangesIsForTheServiceThatWasChanged(t *testing.T) {
	both := []string{"nginx", "shop"}
	found := func(culprit string, trigger *inquest.Trigger) *inquest.Diagnosis {
		return &inquest.Diagnosis{Incident: true, Verdict: &inquest.Verdict{Level: inquest.Probable, Mechanism: "bad-deploy/schema-mismatch", Culprit: culprit, Trigger: trigger}}
	}
	for name, c := range map[string]struct {
		services []string
		d        *inquest.Diagnosis
		want     string
	}{
		"that of the trigger":              {both, found("db-1", &inquest.Trigger{Kind: "deploy", Service: "shop", Version: "2.4.0", Time: at(0)}), "inquest changes --service shop"},
		"the culprit: traffic is nobody's": {both, found("shop", &inquest.Trigger{Kind: inquest.TriggerTraffic, Time: at(0)}), "inquest changes --service shop"},
		"the culprit":                      {both, found("db-1", nil), "inquest changes --service db-1"},
		"an address is no service":         {both, found("10.2.0.9", nil), "inquest changes"},
		"two of which it may be either":    {both, nil, "inquest changes"},
		"one that fails":                   {[]string{"shop"}, nil, "inquest changes --service shop"},
		"nobody has said what fails":       {nil, nil, "inquest changes"},
		"a name that a shell would act on": {both, found("db-1", &inquest.Trigger{Kind: "deploy", Service: "x;reboot", Time: at(0)}), "inquest changes --service <service>"},
		"the cause is open":                {both, &inquest.Diagnosis{Verdict: &inquest.Verdict{Level: inquest.Open}}, "inquest changes"},
	} {
		b := runbook.Write(runbook.Situation{Incident: &inquest.Incident{ID: "INC-1", Services: c.services}, Diagnosis: c.d, At: at(1)})
		if got := b.Steps[1].Command; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// story checks steps off and reads them back from the timeline, as a desk keeps it.
type story struct {
	t  *testing.T
	s  runbook.Situation
	id map[inquest.StepPhase][]string
}

func newStory(t *testing.T) *story {
	x := &story{t: t, s: runbook.Situation{Incident: &inquest.Incident{ID: "INC-1", Services: []string{"checkout"}, Opened: at(0), Acknowledged: at(1)}, At: at(1)}, id: map[inquest.StepPhase][]string{}}
	for _, s := range x.book().Steps {
		x.id[s.Phase] = append(x.id[s.Phase], s.ID)
	}
	return x
}

func (x *story) book() *inquest.Runbook { return runbook.Write(x.s) }

func (x *story) check(min int, phase inquest.StepPhase, n int, outcome inquest.Outcome) inquest.IncidentEntry {
	x.t.Helper()
	x.s.At = at(min)
	e, err := runbook.Entry(x.book(), inquest.StepCheck{Step: x.id[phase][n], Outcome: outcome, By: "ada", Time: at(min), Note: " seen "})
	if err != nil {
		x.t.Fatal(err)
	}
	x.s.Entries = append(x.s.Entries, e)
	return e
}

func (x *story) box(phase inquest.StepPhase) inquest.TimeBox {
	b := x.book()
	return b.Boxes[slices.IndexFunc(b.Boxes, func(t inquest.TimeBox) bool { return t.Phase == phase })]
}

func TestAStepThatIsCheckedOffStandsInTheTimeline(t *testing.T) {
	x := newStory(t)
	e := x.check(3, inquest.StepSymptoms, 0, inquest.OutcomeHelped)
	if e.Kind != inquest.EntryStep || e.By != "ada" || !e.Time.Equal(at(3)) || !strings.HasPrefix(e.Text, "Symptoms, helped: Read the blast radius") || !strings.HasSuffix(e.Text, "(seen)") {
		t.Errorf("%+v", e)
	}
	x.check(4, inquest.StepSymptoms, 0, inquest.OutcomeNoEffect) // the last one counts
	for _, s := range x.book().Steps {
		if s.ID == x.id[inquest.StepSymptoms][0] {
			want := &inquest.StepCheck{Step: s.ID, Outcome: inquest.OutcomeNoEffect, Note: "seen", By: "ada", Time: at(4)}
			if diff := cmp.Diff(want, s.Done); diff != "" {
				t.Error(diff)
			}
		} else if s.Done != nil {
			t.Errorf("%q was not done", s.Text)
		}
	}
	for name, c := range map[string]inquest.StepCheck{"a step that is not there": {Step: "nope", Outcome: inquest.OutcomeHelped}, "an outcome of its own": {Step: x.id[inquest.StepCause][0], Outcome: "maybe"}} {
		if _, err := runbook.Entry(x.book(), c); !errors.Is(err, runbook.ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimeBoxesAreKept(t *testing.T) {
	x := newStory(t)
	x.s.Incident.Acknowledged = time.Time{}
	if b := x.box(inquest.StepSymptoms); !b.Began.IsZero() || b.Used != 0 {
		t.Errorf("nobody has it, and time runs: %+v", b)
	}
	x.s.Incident.Acknowledged = at(1)
	x.s.At = at(12)
	if b := x.box(inquest.StepSymptoms); !b.Over || b.Used != 11 {
		t.Errorf("eleven minutes of ten: %+v", b)
	}
	if b := x.box(inquest.StepCause); !b.Began.IsZero() {
		t.Errorf("Cause has not begun: %+v", b)
	}
	x.check(5, inquest.StepSymptoms, 0, inquest.OutcomeHelped)
	x.check(6, inquest.StepSymptoms, 1, inquest.OutcomeSkipped)
	x.s.At = at(14)
	if b := x.box(inquest.StepSymptoms); b.Over || b.Used != 5 || !b.Ended.Equal(at(6)) {
		t.Errorf("done after five minutes: %+v", b)
	}
	if b := x.box(inquest.StepCause); b.Used != 8 || b.Over {
		t.Errorf("Cause runs from the last step on: %+v", b)
	}
	e := x.check(20, inquest.StepCause, 0, inquest.OutcomeHelped)
	if e.Data["over"] != 4 || !strings.HasSuffix(e.Text, "; Cause is 4 min over its 10 min") {
		t.Errorf("%+v", e)
	}
	x.s.Incident.Resolved, x.s.At = at(21), at(500)
	if b := x.box(inquest.StepCause); b.Used != 15 {
		t.Errorf("after the end no time runs: %+v", b)
	}
}

func TestVerifiedIsWhenTheLastStepOfVerifyHelped(t *testing.T) {
	x := newStory(t)
	is := func(name string, want time.Time) {
		t.Helper()
		if got := x.book().Verified; !got.Equal(want) {
			t.Errorf("%s: verified %s, want %s", name, got, want)
		}
	}
	is("nothing was checked", time.Time{})
	x.check(3, inquest.StepMitigate, 0, inquest.OutcomeHelped)
	x.check(4, inquest.StepVerify, 0, inquest.OutcomeHelped)
	is("one step is left", time.Time{})
	x.check(6, inquest.StepVerify, 1, inquest.OutcomeNoEffect)
	is("the alert still fires", time.Time{})
	x.check(12, inquest.StepVerify, 1, inquest.OutcomeHelped)
	is("both helped", at(12))
	x.check(13, inquest.StepVerify, 1, inquest.OutcomeSkipped)
	is("one was left out", at(4))
	x.check(14, inquest.StepVerify, 0, inquest.OutcomeSkipped)
	is("both were left out", time.Time{})
	x.check(15, inquest.StepVerify, 0, inquest.OutcomeHelped)
	is("looked again", at(15))
	x.s.Entries = append(x.s.Entries, inquest.IncidentEntry{Time: at(30), Kind: inquest.EntryState, By: "ada", Text: "open, was resolved", Data: map[string]any{"from": inquest.IncidentResolved, "to": inquest.IncidentOpen}})
	is("it came back", time.Time{})
	x.check(40, inquest.StepVerify, 0, inquest.OutcomeHelped)
	x.check(41, inquest.StepVerify, 1, inquest.OutcomeHelped)
	is("looked at after it came back", at(41))
}

// Who has tried a restart must read why it cannot help (REQUIREMENTS 274).
func TestTheRunbookOfAnIncidentTellsWhatHappens(t *testing.T) {
	for name, s := range map[string]runbook.Situation{
		"a verdict":            {Incident: &inquest.Incident{ID: "INC-1"}, Diagnosis: &inquest.Diagnosis{Verdict: &inquest.Verdict{Level: inquest.Established, Mechanism: "bad-deploy/schema-mismatch"}}},
		"the verdict's digest": {Incident: &inquest.Incident{ID: "INC-1", Verdict: inquest.VerdictSummary{Level: inquest.Established, Mechanism: "bad-deploy/schema-mismatch"}}},
	} {
		if b := runbook.Write(s); !strings.Contains(b.Purpose, "A restart does not help: the same code meets the same schema again.") {
			t.Errorf("%s: %s", name, b.Purpose)
		}
	}
	if b := runbook.Write(runbook.Situation{Incident: &inquest.Incident{ID: "INC-1"}}); !strings.HasSuffix(b.Purpose, "in production.") {
		t.Errorf("an open cause: %s", b.Purpose)
	}
}
