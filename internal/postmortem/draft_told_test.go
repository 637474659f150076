package postmortem_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/postmortem"
)

// moved is the entry of a change of state or severity, as the desk writes it.
func moved(at time.Time, by string, from, to inquest.IncidentState, text string) inquest.IncidentEntry {
	return inquest.IncidentEntry{Time: at, Kind: inquest.EntryState, By: by, Text: text, Data: map[string]any{"from": from, "to": to, "severity": inquest.SEV2}}
}

// told is the record of an incident that was found out by people: two causes named, the verdict open, no first failing answer.
func told(t *testing.T) (postmortem.Record, func(min int) time.Time) {
	at := func(min int) time.Time {
		return time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC).Add(time.Duration(min) * time.Minute)
	}
	named := func(min int, cause string) inquest.IncidentEntry {
		return inquest.IncidentEntry{Time: at(min), Kind: inquest.EntryNote, By: "ada", Text: "the cause: " + cause, Data: map[string]any{"identified": true}}
	}
	return postmortem.Record{
		Incident: &inquest.Incident{ID: "INC-20261129-7KQ2", Title: "customers cannot pay", State: inquest.IncidentResolved, Severity: inquest.SEV2, Services: []string{"checkout"}, Detected: at(0), Opened: at(0), Acknowledged: at(1),
			Identified: at(5), Mitigated: at(40), Resolved: at(40), Verdict: inquest.VerdictSummary{Level: inquest.Open}},
		Diagnosis: &inquest.Diagnosis{Incident: true, Verdict: &inquest.Verdict{Level: inquest.Open}}, Author: "ada", At: at(120),
		Entries: []inquest.IncidentEntry{
			moved(at(1), "ada", inquest.IncidentOpen, inquest.IncidentAcknowledged, "acknowledged, was open"),
			named(5, "the payment provider is slow."),
			named(25, "max=10 of the pool is too small."), named(26, "max=10 of the pool is too small."),
			moved(at(40), "ada", inquest.IncidentAcknowledged, inquest.IncidentResolved, "resolved, was acknowledged: pool raised"),
		},
	}, at
}

func TestACommentOnTheSeverityIsNoFix(t *testing.T) {
	r, at := told(t)
	r.Entries = append(r.Entries, moved(at(45), "ada", inquest.IncidentResolved, inquest.IncidentResolved, "SEV-4, was SEV-2: not so bad"))
	fixes := postmortem.Draft(r).Fixes
	if len(fixes) != 1 || fixes[0].Text != "pool raised" || !fixes[0].Time.Equal(at(40)) {
		t.Errorf("%+v", fixes)
	}
}

func TestThatTheDeskFoundItCalmIsNoFix(t *testing.T) {
	r, at := told(t)
	r.Incident.Mitigated = at(30)
	calm := moved(at(40), "inquest", inquest.IncidentMitigated, inquest.IncidentResolved, "resolved, was mitigated: its alerts have been resolved for 5m")
	r.Entries[4] = moved(at(30), "ada", inquest.IncidentAcknowledged, inquest.IncidentMitigated, "mitigated, was acknowledged: pool raised")
	r.Entries = append(r.Entries, calm)
	if fixes := postmortem.Draft(r).Fixes; len(fixes) != 1 || fixes[0].Text != "pool raised" || !fixes[0].Time.Equal(at(30)) {
		t.Errorf("what was said when users were served again: %+v", fixes)
	}
	r.Entries = []inquest.IncidentEntry{calm}
	if fixes := postmortem.Draft(r).Fixes; len(fixes) != 1 || fixes[0].Text != "TODO: what ended it?" {
		t.Errorf("nobody said anything: %+v", fixes)
	}
}

func TestABeginThatIsNotKnownIsNotStated(t *testing.T) {
	r, at := told(t)
	p := postmortem.Draft(r)
	text, public := postmortem.Markdown(p), postmortem.Public(p, "The checkout team")
	for _, not := range []string{"first failing answer", "Time to detect"} {
		if strings.Contains(text, not) {
			t.Errorf("the draft states %q", not)
		}
	}
	if strings.Contains(public, "First requests failed") {
		t.Error("users are told when it began")
	}
	for _, want := range []string{"- 2026-11-29 09:00:00 UTC - detected\n", "From 2026-11-29 09:00:00 UTC (detected; when it began is not known) to 2026-11-29 09:40:00 UTC (40 min) checkout failed."} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	r.Incident.Onset = at(-3)
	p = postmortem.Draft(r)
	text, public = postmortem.Markdown(p), postmortem.Public(p, "The checkout team")
	if !strings.Contains(text, "08:57:00 UTC - first failing answer") || !strings.Contains(text, "- **Time to detect**: 3 min") || strings.Contains(text, "not known)") || !strings.Contains(public, "First requests failed") {
		t.Errorf("one that is known is:\n%s\n%s", text, public)
	}
}

// What people said the cause is stands in the draft also when the verdict is open (REQUIREMENTS 210, 211).
func TestACauseThatPeopleNamedIsInTheDraft(t *testing.T) {
	r, _ := told(t)
	p := postmortem.Draft(r)
	want := []inquest.RootCause{{Text: "max=10 of the pool is too small (named by the responders at 2026-11-29 09:25:00 UTC) TODO: its evidence"}}
	if diff := cmp.Diff(want, p.Causes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]inquest.WrongTurn{{Belief: "the payment provider is slow.", Minutes: 20, Why: "then named: max=10 of the pool is too small."}}, p.Wrong); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(p.Summary, "not known yet") || !strings.Contains(p.Summary, "The cause that the responders named: max=10 of the pool is too small.") {
		t.Errorf("the summary: %s", p.Summary)
	}
	found := postmortem.Lint(postmortem.Markdown(p), postmortem.Options{})
	if !has(found, "cause-evidence") || has(found, "cause-none") || has(found, "cause-person") {
		t.Errorf("%+v", found)
	}
	r.Entries[2].Text += " See https://graphs.example/1"
	r.Entries[3].Text = r.Entries[2].Text
	p = postmortem.Draft(r)
	if found := postmortem.Lint(postmortem.Markdown(p), postmortem.Options{}); has(found, "cause-evidence") || strings.Contains(p.Causes[0].Text, "TODO") {
		t.Errorf("where the evidence is was said: %+v", p.Causes)
	}
}

func TestACauseThatPeopleNamedStandsBesideTheVerdict(t *testing.T) {
	r := record(t)
	verdict := postmortem.Draft(r)
	r.Entries = append(r.Entries, inquest.IncidentEntry{Time: r.At, Kind: inquest.EntryNote, By: "ada", Text: "the cause: nobody reviews migrations", Data: map[string]any{"identified": true}})
	p := postmortem.Draft(r)
	if n := len(verdict.Causes); len(p.Causes) != n+1 || p.Causes[0].Text != verdict.Causes[0].Text || !strings.HasPrefix(p.Causes[n].Text, "nobody reviews migrations (named by the responders at ") {
		t.Errorf("%+v", p.Causes)
	}
}

// Each figure in how it came about is linked to the quote that it is from (REQUIREMENTS 211, C6).
func TestEachStepOfHowItCameAboutIsLinkedToItsQuotes(t *testing.T) {
	r := record(t)
	p := postmortem.Draft(r)
	quoted := map[string]bool{}
	for _, q := range p.Evidence {
		quoted[q.ID] = true
	}
	for i, l := range r.Diagnosis.Verdict.Chain {
		for _, id := range l.Evidence {
			if link := "[" + id + "](#evidence)"; quoted[id] != strings.Contains(p.Chain[i], link) {
				t.Errorf("%q: quoted %v, linked %v: %s", id, quoted[id], !quoted[id], p.Chain[i])
			}
		}
	}
	if len(quoted) == 0 || !strings.Contains(p.Chain[1], "](#evidence)") {
		t.Errorf("%q", p.Chain)
	}
	r.Diagnosis = &inquest.Diagnosis{Incident: true, Verdict: &inquest.Verdict{Level: inquest.Probable, Mechanism: "database/pool-exhausted", Chain: []inquest.Link{{Role: inquest.RoleCause, Text: "max=10, active=10", Evidence: []string{"E1", "E2"}}}},
		Evidence: []inquest.Evidence{{ID: "E2", Layer: inquest.LayerApplication, Text: "HikariPool max=10 active=10"}}}
	if got := postmortem.Draft(r).Chain; len(got) != 1 || got[0] != "**cause**: max=10, active=10 ([E2](#evidence))" {
		t.Errorf("a quote that is not there is linked: %q", got)
	}
}

// What a check showed to be otherwise took time as well as a fix that had no effect.
func TestStepsInVainOfAllPhasesAreWrongTurns(t *testing.T) {
	r, at := told(t)
	step := func(min int, phase, outcome, text, note string) inquest.IncidentEntry {
		return inquest.IncidentEntry{Time: at(min), Kind: inquest.EntryStep, By: "ada", Text: text, Data: map[string]any{"step": text, "phase": phase, "outcome": outcome, "text": text, "note": note}}
	}
	r.Entries = []inquest.IncidentEntry{
		step(4, "Symptoms", "helped", "Read the blast radius.", ""),
		step(9, "Cause", "no-effect", "Are connections waiting?", "none waits"),
		step(15, "Mitigate", "made-worse", "Restart.", ""),
		step(20, "Verify", "no-effect", "Send test requests.", "still 500"),
		step(22, "Prevent", "skipped", "Write it down.", ""),
	}
	want := []inquest.WrongTurn{
		{Belief: "Are connections waiting?", Minutes: 5, Why: "Cause, no-effect: none waits"},
		{Belief: "Restart.", Minutes: 6, Why: "made-worse"},
		{Belief: "Send test requests.", Minutes: 5, Why: "Verify, no-effect: still 500"},
	}
	if diff := cmp.Diff(want, postmortem.Draft(r).Wrong); diff != "" {
		t.Error(diff)
	}
}
