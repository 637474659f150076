package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/roster"
	"github.com/inquesthq/inquest/internal/store"
)

func by(who string) incident.Act { return incident.Act{By: who} }

// opened opens an incident on checkout.
func (w *world) opened() string {
	w.t.Helper()
	w.alerts(alert("HighErrorRate", "checkout", "page"))
	time.Sleep(time.Millisecond) // until what that has set off is done
	return w.only().ID
}

// over lets all alerts of the incident resolve and waits until it has.
func (w *world) resolved(id string) {
	w.t.Helper()
	inc := w.get(id)
	for _, a := range inc.Alerts {
		w.alerts(over(a))
	}
	time.Sleep(5*time.Minute + 2*time.Second)
	if inc := w.get(id); inc.State != inquest.IncidentResolved {
		w.t.Fatalf("it is %s", inc.State)
	}
}

func (w *world) get(id string) *inquest.Incident {
	w.t.Helper()
	inc, err := w.Get(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return inc
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestTheMovesOfAnIncident(t *testing.T) {
	type move = func(*world, string) error
	moves := map[string]move{
		"acknowledge": func(w *world, id string) error { _, err := w.Acknowledge(w.ctx, id, by("ada")); return err },
		"mitigate":    func(w *world, id string) error { _, err := w.Mitigate(w.ctx, id, by("ada")); return err },
		"resolve": func(w *world, id string) error {
			_, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Text: "rules are wrong", Force: true})
			return err
		},
		"reopen": func(w *world, id string) error { _, err := w.Reopen(w.ctx, id, by("ada")); return err },
		"waive": func(w *world, id string) error {
			_, err := w.Waive(w.ctx, id, incident.Act{By: "ada", Text: "a drill"})
			return err
		},
		"review": func(w *world, id string) error { _, err := w.Review(w.ctx, id, by("ada")); return err },
	}
	for path, want := range map[string]any{
		"":                                 inquest.IncidentOpen,
		"acknowledge":                      inquest.IncidentAcknowledged,
		"acknowledge acknowledge":          inquest.IncidentAcknowledged,
		"acknowledge mitigate resolve":     inquest.IncidentResolved,
		"mitigate":                         inquest.IncidentMitigated,
		"mitigate acknowledge":             inquest.IncidentMitigated, // who has it can change at any time
		"resolve":                          inquest.IncidentResolved,
		"resolve reopen":                   inquest.IncidentOpen,
		"resolve waive review":             inquest.IncidentReviewed,
		"waive resolve review":             inquest.IncidentReviewed,
		"reopen":                           "is open and cannot become open",
		"acknowledge reopen":               "is acknowledged and cannot become open",
		"mitigate mitigate":                "what may follow is resolved",
		"review":                           "is open and cannot become reviewed",
		"resolve resolve":                  "what may follow is open, reviewed",
		"resolve acknowledge":              "is resolved and cannot become acknowledged",
		"resolve waive review reopen":      "nothing may follow",
		"resolve waive review acknowledge": "is reviewed and cannot",
		"resolve waive review waive":       "nothing left to waive",
		"resolve review":                   "a SEV-2 needs a published postmortem before it is closed",
	} {
		t.Run(path, func(t *testing.T) {
			inWorld(t, everyone, func(w *world) {
				id := w.opened()
				var err error
				for step := range strings.FieldsSeq(path) {
					if err != nil {
						t.Fatalf("before %s: %v", step, err)
					}
					err = moves[step](w, id)
				}
				if state, ok := want.(inquest.IncidentState); ok {
					if got := w.get(id).State; err != nil || got != state {
						t.Errorf("%s, %v, want %s", got, err, state)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), want.(string)) || !errors.Is(err, incident.ErrMove) && !errors.Is(err, incident.ErrRefused) {
					t.Errorf("%v, want %q", err, want)
				}
			})
		})
	}
}

func TestWhoHasItAndSinceWhen(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(time.Minute)
		first := must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
		time.Sleep(time.Minute)
		second := must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ben")))
		w.expect([]any{second.Owner, second.Acknowledged}, []any{"ben", first.Acknowledged})
		w.contains(w.story(id), "state ben: taken over from ada")
		synctest.Wait() // the desk at work in the same moment writes too
		again := must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ben")))
		w.expect(again.Version, w.get(id).Version) // nothing was written
		w.expect(w.told(id), []string{"acknowledged-1/pager", "acknowledged-1/slack", "opened-1/pager", "opened-1/slack"})
	})
}

func TestAChangeNamesTheVersionThatItChanges(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		seen := w.get(id).Version
		must[*inquest.Incident](t)(w.Note(w.ctx, id, incident.Act{By: "ben", Text: "restarted", Version: seen}))
		_, err := w.Mitigate(w.ctx, id, incident.Act{By: "ada", Version: seen})
		if !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "look at it again") {
			t.Errorf("%v", err)
		}
		must[*inquest.Incident](t)(w.Mitigate(w.ctx, id, incident.Act{By: "ada", Version: seen + 1}))
	})
}

func TestADeedThatNamesTheStateMindsOnlyWhoMovedIt(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		must[*inquest.Incident](t)(w.Note(w.ctx, id, incident.Act{By: "ben", Text: "restarted"})) // changes the version, not the state
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, incident.Act{By: "ada", State: inquest.IncidentOpen}))
		_, err := w.Acknowledge(w.ctx, id, incident.Act{By: "ben", State: inquest.IncidentOpen})
		if !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "is acknowledged by now") {
			t.Errorf("%v", err)
		}
		w.expect(w.get(id).Owner, "ada")
	})
}

func TestWhatPeopleWriteIsChecked(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		for name, err := range map[string]error{
			"name who does it":                    second(w.Acknowledge(w.ctx, id, incident.Act{})),
			"a note needs a text":                 second(w.Note(w.ctx, id, incident.Act{By: "ada", Text: " \n"})),
			"say what the cause is":               second(w.Identify(w.ctx, id, by("ada"))),
			"say why there will be no postmortem": second(w.Waive(w.ctx, id, by("ada"))),
			"choose 1 (users cannot":              second(w.SetSeverity(w.ctx, id, 5, by("ada"))),
			`"gremlins" is no contributing factor; choose of bug, traffic-spike, security, hardware, natural-disaster, human-error`: second(w.SetFactors(w.ctx, id, []inquest.Factor{"bug", "gremlins"}, by("ada"))),
			"not for others to write": second(w.Add(w.ctx, id, inquest.IncidentEntry{By: "ada", Kind: inquest.EntryState})),
			"give it a title":         second(w.Declare(w.ctx, incident.Declaration{}, by("ada"))),
			"name who declares it":    second(w.Declare(w.ctx, incident.Declaration{Title: "x"}, incident.Act{})),
			"severity 7":              second(w.Declare(w.ctx, incident.Declaration{Title: "x", Severity: 7}, by("ada"))),
			"a report needs a text":   second(w.Report(w.ctx, incident.UserReport{})),
			"at most 200 bytes":       second(w.Report(w.ctx, incident.UserReport{ID: strings.Repeat("x", 201), Text: "x"})),
		} {
			if !errors.Is(err, incident.ErrInput) || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want %q", err, name)
			}
		}
		_, err := w.Acknowledge(w.ctx, "INC-0", by("ada"))
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an incident that is not there: %v", err)
		}
		must[*inquest.Incident](t)(w.Note(w.ctx, id, incident.Act{By: "ada", Text: "\x1b[2Jlook " + strings.Repeat("long ", 10000)}))
		for _, e := range must[[]inquest.IncidentEntry](t)(w.Timeline(w.ctx, id)) {
			if strings.Contains(e.Text, "\x1b") || len(e.Text) > 11_000 {
				t.Errorf("entry of %d bytes: %.40q", len(e.Text), e.Text)
			}
		}
	})
}

// nothing is what an investigation gives that found nothing out.
func nothing() *inquest.Diagnosis {
	return &inquest.Diagnosis{Verdict: &inquest.Verdict{Level: inquest.Open, Summary: "open"}}
}

func second[T any](_ T, err error) error { return err }

func TestNotesFactorsCausesAndSteps(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		id := w.opened()
		time.Sleep(time.Minute)
		w.expect(w.get(id).Identified.IsZero(), true)
		must[*inquest.Incident](t)(w.Identify(w.ctx, id, incident.Act{By: "ada", Text: "the migration"}))
		w.expect(w.get(id).Identified.IsZero(), false)
		must[*inquest.Incident](t)(w.SetFactors(w.ctx, id, []inquest.Factor{inquest.FactorHuman, inquest.FactorBug, inquest.FactorBug}, by("ada")))
		version := w.get(id).Version
		must[*inquest.Incident](t)(w.SetFactors(w.ctx, id, []inquest.Factor{inquest.FactorBug, inquest.FactorHuman}, by("ada")))
		w.expect(w.get(id).Version, version)
		w.expect(w.get(id).Factors, []inquest.Factor{inquest.FactorBug, inquest.FactorHuman})
		earlier := time.Now().Add(-30 * time.Second)
		must[*inquest.Incident](t)(w.Add(w.ctx, id, inquest.IncidentEntry{By: "ada", Kind: inquest.EntryStep, Text: "restart: did not help", Time: earlier, Data: map[string]any{"outcome": "failed"}}))
		w.contains(w.story(id), "step ada: restart: did not help\nnote ada: the cause: the migration\nnote ada: contributing factors: bug, human-error\n")
	})
}

func TestAPersonsSeverityStays(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(3 * time.Second)
		w.sendAll()
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, id, inquest.SEV3, incident.Act{By: "ada", Text: "one customer"}))
		worse := poolExhausted()
		worse.Impact.Failed = 900
		w.set(worse, nil)
		time.Sleep(time.Minute)
		w.expect(w.get(id).Severity, inquest.SEV3)
		w.expect(w.told(id), []string{"opened-1/pager", "opened-1/slack"})
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, id, inquest.SEV1, by("ben")))
		w.expect(w.told(id), []string{"opened-1/pager", "opened-1/slack", "worse-1/pager", "worse-1/slack"})
		w.contains(w.story(id), "state ada: SEV-3, was SEV-2: one customer")
	})
}

func TestADeclaredIncidentIsJoinedByAlerts(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		inc := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "Customers cannot pay", Services: []string{"checkout"}}, incident.Act{By: "ada", Text: "the shop's owner called"}))
		w.expect([]any{inc.Severity, inc.State, inc.Version}, []any{inquest.SEV2, inquest.IncidentOpen, int64(1)})
		time.Sleep(3 * time.Minute)
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		got := w.only()
		w.expect([]any{got.ID, len(got.Alerts), got.Detected}, []any{inc.ID, 1, inc.Opened})
		time.Sleep(time.Hour)
		w.expect(w.only().State, inquest.IncidentOpen) // nothing resolves it but its alerts or a person
		w.contains(w.story(inc.ID), "note ada: the shop's owner called")
	})
}

func TestTheFirstMessageWaitsForTheVerdictButNotForLong(t *testing.T) {
	next := func(w *world, id string) time.Duration {
		records := must[[]store.Record](t)(w.records.List(w.ctx, store.Query{Kind: "notice", Parent: id}))
		return records[0].Time.Sub(w.get(id).Opened)
	}
	inWorld(t, everyone, func(w *world) {
		w.takes = 2 * time.Second
		id := w.opened()
		w.expect(next(w, id), 10*time.Second)
		time.Sleep(3 * time.Second)
		if d := next(w, id); d > 3*time.Second {
			t.Errorf("the verdict is there, and the message waits until %s", d)
		}
	})
	inWorld(t, everyone, func(w *world) {
		w.takes = 20 * time.Second
		id := w.opened()
		time.Sleep(11 * time.Second)
		w.sendAll()
		time.Sleep(15 * time.Second)
		w.expect(w.told(id), []string{"diagnosed-1/pager", "diagnosed-1/slack", "opened-1/pager", "opened-1/slack"})
	})
	hasty := everyone
	hasty.Wait = -1
	inWorld(t, hasty, func(w *world) { w.expect(next(w, w.opened()), time.Duration(0)) })
}

// looked lists the investigations so far: why, and how long after the incident was opened.
func (w *world) looked() (out []string) {
	opened := w.only().Opened
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		out = append(out, fmt.Sprintf("%s at %s", j.Reason, j.At.Sub(opened).Round(time.Second)))
	}
	return out
}

func TestAChangeDuringAnIncidentIsLookedInto(t *testing.T) {
	changed := func(w *world, ago time.Duration) {
		w.t.Helper()
		if err := w.Changed(w.ctx, inquest.Change{Kind: inquest.ChangeDeploy, Service: "checkout", Version: "2", Time: time.Now().Add(-ago)}); err != nil {
			w.t.Fatal(err)
		}
	}
	inWorld(t, everyone, func(w *world) {
		changed(w, 0) // no incident: nothing to do
		w.opened()
		changed(w, 0) // soon it is looked into anyway
		time.Sleep(6 * time.Minute)
		for range 50 { // a pipeline that tells much
			changed(w, time.Minute)
			time.Sleep(100 * time.Millisecond)
		}
		changed(w, 15*24*time.Hour) // too long ago
		time.Sleep(time.Minute)
		changed(w, -time.Hour) // has not happened yet
		time.Sleep(time.Minute)
		w.expect(w.looked(), []string{"opened at 0s", "30s at 31s", "2m at 2m1s", "5m at 5m1s", "change at 6m11s"})
		changed(w, 3*24*time.Hour) // a deploy of Friday that is told on Monday
		time.Sleep(time.Minute)
		w.expect(len(w.looked()), 6)
	})
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		w.resolved(id)
		before := len(w.looked())
		changed(w, 0)
		time.Sleep(time.Minute)
		w.expect(len(w.looked()), before)
	})
}

func TestAnIncidentThatLastsIsLookedIntoAgainAndAgain(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(100 * time.Minute)
		w.expect(w.looked()[4:], []string{"15m at 15m1s", "still active at 30m1s", "still active at 45m1s", "still active at 1h0m1s", "still active at 1h15m2s", "still active at 1h33m48s"})
		w.resolved(id)
		n := len(w.looked())
		w.expect(w.looked()[n-1], "resolved at 1h45m1s")
		time.Sleep(5 * time.Hour)
		w.expect(len(w.looked()), n)
	})
}

func TestWhatWasPlannedBeforeTheClockWasSetBackIsDone(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		ahead := w.desk(incident.Config{Policy: everyone, Now: func() time.Time { return time.Now().Add(3 * time.Hour) }})
		if err := ahead.Alerts(w.ctx, []inquest.Alert{alert("HighErrorRate", "checkout", "page")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // the desk of this world runs by a clock that is three hours behind
		w.expect(w.only().Revision, 1)
		n := len(w.looked())
		time.Sleep(14 * time.Minute)
		w.expect(len(w.looked()), n) // all of them were due, and that was once
		time.Sleep(2 * time.Minute)
		w.expect(len(w.looked()), n+1)
	})
}

func TestWhatWasFoundStandsWhenLessIsKept(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		w.set(nil, fmt.Errorf("%w: deleted", incident.ErrStands))
		time.Sleep(20 * time.Minute)
		w.expect(w.get(id).Revision, 1)
		if story := w.story(id); strings.Contains(story, "failed") {
			t.Errorf("it is told as a failure:\n%s", story)
		}
	})
}

func TestRevisionsSayOnlyWhatIsNew(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(20 * time.Minute)
		w.expect(w.get(id).Revision, 1)
		var reasons []string
		for _, j := range w.jobs {
			reasons = append(reasons, fmt.Sprintf("%s at %s", j.Reason, j.At.Sub(w.get(id).Opened).Round(time.Second)))
		}
		w.expect(reasons, []string{"opened at 0s", "30s at 31s", "2m at 2m1s", "5m at 5m1s", "15m at 15m1s"})
		w.sendAll()

		grown := poolExhausted()
		grown.Onset = w.get(id).Onset
		grown.Impact.Failed, grown.Impact.Ratio = 131, 0.131 // less than a tenth more
		w.set(grown, nil)
		w.alerts(alert("Joins", "checkout", "page"))
		time.Sleep(2 * time.Second)
		w.expect(w.get(id).Revision, 1)

		other := poolExhausted()
		other.Onset = grown.Onset
		other.Verdict.Mechanism, other.Verdict.Summary = "database/lock-contention", "A lock is held."
		w.set(other, nil)
		w.alerts(alert("Joins too", "checkout", "page"))
		time.Sleep(2 * time.Second)
		inc := w.get(id)
		w.expect([]any{inc.Revision, inc.Verdict.Mechanism}, []any{2, inquest.MechanismID("database/lock-contention")})
		w.expect(w.told(id), []string{"diagnosed-1/pager", "diagnosed-1/slack", "opened-1/pager", "opened-1/slack"})

		revisions := must[[]incident.Revision](t)(w.Diagnoses(w.ctx, id))
		w.expect(len(revisions), 2)
		w.expect([]any{revisions[0].Number, revisions[0].Verdict.Mechanism, revisions[1].Number, revisions[1].Verdict.Mechanism},
			[]any{1, inquest.MechanismID("database/pool-exhausted"), 2, inquest.MechanismID("database/lock-contention")})
		old := must[*inquest.Diagnosis](t)(w.Diagnosis(w.ctx, id, 1))
		w.expect(old.Verdict.Mechanism, inquest.MechanismID("database/pool-exhausted")) // nothing was overwritten
		newest := must[*inquest.Diagnosis](t)(w.Diagnosis(w.ctx, id, 0))
		w.expect(newest.Verdict.Mechanism, inquest.MechanismID("database/lock-contention"))
		if _, err := w.Diagnosis(w.ctx, id, 3); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revision 3: %v", err)
		}
	})
}

func TestWhatMakesANewRevision(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*inquest.Diagnosis)
		want   int
	}{
		"nothing":         {func(*inquest.Diagnosis) {}, 1},
		"another culprit": {func(d *inquest.Diagnosis) { d.Verdict.Culprit = "disk" }, 2},
		"another level":   {func(d *inquest.Diagnosis) { d.Verdict.Level = inquest.Probable }, 2},
		"surer by 0.1":    {func(d *inquest.Diagnosis) { d.Verdict.Confidence = 1 }, 2},
		"surer by 0.05":   {func(d *inquest.Diagnosis) { d.Verdict.Confidence = 0.95 }, 1},
		"a trigger": {func(d *inquest.Diagnosis) {
			d.Verdict.Trigger = &inquest.Trigger{Kind: "deploy", Service: "checkout", Version: "2"}
		}, 2},
		"a fifth more failures":              {func(d *inquest.Diagnosis) { d.Impact.Failed = 150 }, 2},
		"another service":                    {func(d *inquest.Diagnosis) { d.Impact.Services = []string{"cart", "checkout"} }, 2},
		"it ended":                           {func(d *inquest.Diagnosis) { d.End = time.Now() }, 2},
		"another onset":                      {func(d *inquest.Diagnosis) { d.Onset = d.Onset.Add(-time.Minute) }, 2},
		"it drowned in what succeeded since": {func(d *inquest.Diagnosis) { d.Incident, d.Verdict = false, nil }, 1},
		"another wording":                    {func(d *inquest.Diagnosis) { d.Verdict.Summary = "The pool is empty." }, 1},
		"more that did not matter":           {func(d *inquest.Diagnosis) { d.Notes = []string{"a blip"} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, everyone, func(w *world) {
				onset := time.Now().Add(-3 * time.Minute)
				make := func() *inquest.Diagnosis { d := poolExhausted(); d.Onset = onset; return d }
				w.set(make(), nil)
				id := w.opened()
				time.Sleep(5 * time.Second)
				d := make()
				c.change(d)
				w.set(d, nil)
				time.Sleep(time.Minute)
				w.expect(w.get(id).Revision, c.want)
			})
		})
	}
}

func TestAnInvestigationThatFailsIsAnEntryAndTheNextOneRuns(t *testing.T) {
	for name, c := range map[string]struct {
		investigate func(context.Context, incident.Job) (*inquest.Diagnosis, error)
		want        string
	}{
		"an error": {func(context.Context, incident.Job) (*inquest.Diagnosis, error) {
			return nil, errors.New("the spool cannot be read")
		}, "the investigation failed: the spool cannot be read"},
		"a panic":      {func(context.Context, incident.Job) (*inquest.Diagnosis, error) { panic("index out of range") }, "the investigation failed: the investigation broke: index out of range"},
		"no diagnosis": {func(context.Context, incident.Job) (*inquest.Diagnosis, error) { return nil, nil }, "it gave no diagnosis"},
		"it does not end": {func(ctx context.Context, _ incident.Job) (*inquest.Diagnosis, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "the investigation failed: it took longer than 1m"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, ctx: t.Context(), records: newMemory()}
				broken := true
				d, err := incident.New(incident.Config{Records: w.records, Policy: everyone, Investigate: func(ctx context.Context, j incident.Job) (*inquest.Diagnosis, error) {
					if broken {
						broken = false
						return c.investigate(ctx, j)
					}
					return nothing(), nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				w.Desk = d
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- d.Run(ctx) }()
				id := w.opened()
				time.Sleep(3 * time.Minute)
				w.contains(w.story(id), c.want)
				w.expect(w.get(id).Revision, 1)
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestEscalationUntilSomebodyHasIt(t *testing.T) {
	policy := everyone
	policy.Routes = []incident.Route{{Channel: "slack", Roster: "primary"}}
	policy.Escalation = []incident.Level{{After: 5 * time.Minute, Channels: []string{"pager", "mail"}, Roster: "second"}, {After: 15 * time.Minute, Channels: []string{"phone"}}}
	put := func(w *world) {
		for _, text := range []string{`{"name":"primary","rotations":[{"people":["ada"],"start":"1999-12-31"}]}`, `{"name":"second","rotations":[{"people":["ben"],"start":"1999-12-31"}]}`} {
			r := must[roster.Roster](t)(roster.Parse([]byte(text)))
			must[roster.Roster](t)(w.PutRoster(w.ctx, r))
		}
	}
	inWorld(t, policy, func(w *world) {
		put(w)
		id := w.opened()
		time.Sleep(4*time.Minute + 58*time.Second)
		w.expect(w.told(id), []string{"opened-1/slack"})
		time.Sleep(4 * time.Second)
		w.expect(w.told(id), []string{"escalated-1/mail", "escalated-1/pager", "opened-1/slack"})
		r := must[store.Record](t)(w.records.Get(w.ctx, "notice", id+"/escalated-1/pager"))
		var n inquest.Notice
		if err := json.Unmarshal(r.Body, &n); err != nil || n.To != "ben" {
			t.Errorf("it is for %q, %v", n.To, err)
		}
		w.contains(w.story(id), "nobody acknowledged within 5m: escalated to level 1, ben")
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ben")))
		time.Sleep(time.Hour)
		w.expect(w.told(id), []string{"acknowledged-1/slack", "escalated-1/mail", "escalated-1/pager", "opened-1/slack"})
	})
	inWorld(t, policy, func(w *world) {
		put(w)
		id := w.opened()
		time.Sleep(16 * time.Minute)
		w.expect(w.told(id), []string{"escalated-1/mail", "escalated-1/pager", "escalated-2/phone", "opened-1/slack"})
	})
}

func TestRostersAreKeptByVersion(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		r := must[roster.Roster](t)(roster.Parse([]byte(`{"name":"primary","rotations":[{"people":["ada"],"start":"1999-12-31"}]}`)))
		r = must[roster.Roster](t)(w.PutRoster(w.ctx, r))
		r.Rotations[0].People = []string{"ben"}
		must[roster.Roster](t)(w.PutRoster(w.ctx, r))
		if _, err := w.PutRoster(w.ctx, r); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version: %v", err)
		}
		if _, err := w.PutRoster(w.ctx, roster.Roster{Name: "x"}); !errors.Is(err, incident.ErrInput) {
			t.Errorf("a bad one: %v", err)
		}
		all := must[[]roster.Roster](t)(w.Rosters(w.ctx))
		if len(all) != 1 || all[0].Version != 2 || all[0].OnCall(time.Now()) != "ben" {
			t.Errorf("%+v", all)
		}
		if _, err := w.Roster(w.ctx, "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("one that is not there: %v", err)
		}
	})
}

func TestSilencesKeepAlertsQuietAndOnRecord(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		s := must[incident.Silence](t)(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "load test", Until: time.Now().Add(time.Hour),
			Matchers: []incident.Matcher{{Name: "alertname", Value: "High.*", Regex: true}, {Name: "service", Value: "search", Not: true}, {Name: "service", Value: ".+", Regex: true}}}))
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		w.expect(len(w.all()), 0)
		standing := must[[]incident.Standing](t)(w.Standing(w.ctx, inquest.AlertFiring, "checkout"))
		w.expect([]any{len(standing), standing[0].Silence}, []any{1, s.ID})
		w.alerts(alert("HighErrorRate", "search", "page"))
		w.expect(w.only().Services, []string{"search"})
		time.Sleep(61 * time.Minute)
		w.expect(len(must[[]incident.Silence](t)(w.Silences(w.ctx, false))), 0)
		ended := must[[]incident.Silence](t)(w.Silences(w.ctx, true))
		w.expect([]any{len(ended), ended[0].EndedBy}, []any{1, "inquest"})
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		w.expect(len(w.all()), 2)
	})
	inWorld(t, everyone, func(w *world) {
		s := must[incident.Silence](t)(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "load test", Until: time.Now().Add(time.Hour), Matchers: []incident.Matcher{{Name: "service", Value: "checkout"}}}))
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		if err := w.EndSilence(w.ctx, s.ID, "ben"); err != nil {
			t.Fatal(err)
		}
		if err := w.EndSilence(w.ctx, s.ID, "ben"); err != nil {
			t.Errorf("ending twice: %v", err)
		}
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		w.expect(w.only().State, inquest.IncidentOpen)
	})
}

func TestSilencesAndWindowsThatCannotBeMeant(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		later := time.Now().Add(time.Hour)
		good := []incident.Matcher{{Name: "service", Value: "a"}}
		for want, err := range map[string]error{
			"needs who and why":          second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Until: later, Matchers: good})),
			"needs a matcher":            second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: later})),
			"and in the future":          second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: time.Now().Add(-time.Hour), Matchers: good})),
			"90 days at most":            second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: later.AddDate(1, 0, 0), Matchers: good})),
			"and so everything":          second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: later, Matchers: []incident.Matcher{{Name: "service", Value: ".*", Regex: true}}})),
			"missing closing )":          second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: later, Matchers: []incident.Matcher{{Name: "service", Value: "(", Regex: true}}})),
			"the name of a label":        second(w.AddSilence(w.ctx, incident.Silence{By: "ada", Why: "x", Until: later, Matchers: []incident.Matcher{{Value: "a"}}})),
			"name the services":          second(w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "x", Until: later})),
			"a maintenance window needs": second(w.AddWindow(w.ctx, incident.MaintenanceWindow{Why: "x", Until: later, Services: []string{"a"}})),
		} {
			if !errors.Is(err, incident.ErrInput) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		if err := w.EndWindow(w.ctx, "MW-0", "ada"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a window that is not there: %v", err)
		}
	})
}

func TestMaintenanceTellsNobodyUntilItEnds(t *testing.T) {
	window := func(w *world) incident.MaintenanceWindow {
		return must[incident.MaintenanceWindow](t)(w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "new disks", Services: []string{"checkout"}, Until: time.Now().Add(10 * time.Minute)}))
	}
	inWorld(t, everyone, func(w *world) {
		window(w)
		id := w.opened()
		time.Sleep(9 * time.Minute)
		w.expect(w.told(id), []string{})
		w.expect(w.get(id).Revision, 1) // investigated all the same
		w.contains(w.story(id), "notice inquest: nobody is told: maintenance window MW-")
		time.Sleep(2 * time.Minute)
		w.expect(w.told(id), []string{"opened-1/pager", "opened-1/slack"}) // it still fires
	})
	inWorld(t, everyone, func(w *world) {
		window(w)
		id := w.opened()
		w.alerts(over(w.get(id).Alerts[0]))
		end := time.Now()
		time.Sleep(6 * time.Minute)
		w.expect(w.get(id).State, inquest.IncidentOpen) // who knows whether users are served without the window
		time.Sleep(9 * time.Minute)
		inc := w.get(id)
		w.expect([]any{inc.State, inc.Resolved}, []any{inquest.IncidentResolved, end.UTC().Truncate(time.Microsecond)})
		w.expect(w.told(id), []string{}) // it was over before the window was
	})
	inWorld(t, everyone, func(w *world) {
		window(w)
		id := w.opened()
		other := everyone
		other.Edges = []inquest.Edge{{From: "checkout", To: "mail"}}
		if err := w.desk(incident.Config{Policy: other}).Alerts(w.ctx, []inquest.Alert{alert("R", "mail", "page")}); err != nil {
			t.Fatal(err)
		}
		w.expect(len(w.get(id).Alerts), 2)
		time.Sleep(2 * time.Second)
		w.expect(w.told(id), []string{"opened-1/pager", "opened-1/slack"}) // mail is not in maintenance
	})
}

func TestAnIncidentIsNotResolvedWhileItsMaintenanceIsOn(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		win := must[incident.MaintenanceWindow](t)(w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "login is under maintenance", Services: []string{"checkout"}, Incident: id, Until: time.Now().Add(time.Hour)}))
		w.alerts(over(w.get(id).Alerts[0]))
		time.Sleep(6 * time.Minute)
		w.expect(w.get(id).State, inquest.IncidentOpen) // not by itself
		_, err := w.Resolve(w.ctx, id, by("ada"))
		if !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "maintenance window "+win.ID+" is still on; end it first") {
			t.Errorf("%v", err)
		}
		if err := w.EndWindow(w.ctx, win.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.expect(w.get(id).State, inquest.IncidentResolved)
		w.contains(w.story(id), "step ada: maintenance of checkout until ")
		if _, err := w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "x", Services: []string{"checkout"}, Incident: "INC-0", Until: time.Now().Add(time.Hour)}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a window of no incident: %v", err)
		}
	})
}

func TestAGraveIncidentIsNotClosedWithoutAPostmortem(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		w.resolved(id)
		if _, err := w.Review(w.ctx, id, by("ada")); !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "inquest postmortem draft "+id) {
			t.Errorf("%v", err)
		}
		text := store.Record{Kind: "postmortem", ID: id, Parent: id, State: "draft", Time: time.Now(), Body: []byte("{}")}
		if err := w.records.Put(w.ctx, text); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Review(w.ctx, id, by("ada")); !errors.Is(err, incident.ErrRefused) {
			t.Errorf("with a text that nobody has published: %v", err)
		}
		text.State, text.Version = "published", 1
		if err := w.records.Put(w.ctx, text); err != nil {
			t.Fatal(err)
		}
		inc := must[*inquest.Incident](t)(w.Review(w.ctx, id, by("ada")))
		w.expect([]any{inc.State, inc.Reviewed.IsZero()}, []any{inquest.IncidentReviewed, false})
	})
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		w.alerts(alert("HighErrorRate", "search", "page")) // SEV-3
		id := w.only().ID
		w.resolved(id)
		must[*inquest.Incident](t)(w.Review(w.ctx, id, by("ada")))
	})
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		w.resolved(id)
		inc := must[*inquest.Incident](t)(w.Waive(w.ctx, id, incident.Act{By: "ada", Text: "a drill"}))
		w.expect(inc.Waiver, "a drill (ada, 2000-01-01)")
		must[*inquest.Incident](t)(w.Review(w.ctx, id, by("ada")))
		w.expect(len(must[[]store.Record](t)(w.records.List(w.ctx, store.Query{Kind: "waiver", Parent: id}))), 1)
	})
}

func TestUsersReportsFindTheirIncident(t *testing.T) {
	report := func(w *world, u incident.UserReport) incident.UserReport {
		return must[incident.UserReport](t)(w.Report(w.ctx, u))
	}
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		early := report(w, incident.UserReport{Text: "the basket is empty", Service: "checkout"})
		w.expect(early.Incident, "")
		stray := report(w, incident.UserReport{Text: "search is slow", Service: "search"})
		time.Sleep(5 * time.Minute)
		id := w.opened()
		w.expect(w.get(id).Reports, 1) // users were quicker than the rule
		first := report(w, incident.UserReport{ID: "R1", ErrorID: "ERR-1", Text: "I cannot pay", Contact: "eve@example.com"})
		w.expect(first.Incident, id) // the only incident there is
		w.expect(report(w, incident.UserReport{ID: "R1", ErrorID: "ERR-1", Text: "I cannot pay"}).Incident, id)
		w.expect(w.get(id).Reports, 2) // the same report counts once
		w.alerts(alert("HighErrorRate", "mail", "page"))
		w.expect(report(w, incident.UserReport{ErrorID: "ERR-1"}).Incident, id) // of the same error
		w.expect(report(w, incident.UserReport{ErrorID: "ERR-2"}).Incident, "") // it may be either
		w.expect(report(w, incident.UserReport{Text: "no mail", Service: "mail"}).Incident != id, true)
		w.expect(stray.Incident, "")
		w.contains(w.story(id), "report user: a user reports error ERR-1: I cannot pay")
		w.expect(len(must[[]incident.UserReport](t)(w.Reports(w.ctx, "ERR-1"))), 2)
	})
}

func TestAReportsErrorIDTellsServiceAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		where := map[string]string{"ERR-A": "checkout", "ERR-B": "mail"}
		d, err := incident.New(incident.Config{Records: w.records, Policy: everyone, FindError: func(_ context.Context, id string) (string, time.Time, error) {
			switch {
			case id == "ERR-X":
				return "", time.Time{}, errors.New("the spool cannot be read")
			case where[id] == "":
				return "", time.Time{}, store.ErrNotFound
			}
			return where[id], time.Now().Add(-time.Minute), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		a, b := alert("R", "checkout", "page"), alert("R", "mail", "page")
		w.alerts(a)
		w.alerts(b)
		for id, service := range where {
			u := must[incident.UserReport](t)(w.Report(w.ctx, incident.UserReport{ErrorID: id}))
			w.expect(w.get(u.Incident).Services, []string{service})
		}
		w.expect(must[incident.UserReport](t)(w.Report(w.ctx, incident.UserReport{ErrorID: "ERR-C"})).Incident, "")
		if _, err := w.Report(w.ctx, incident.UserReport{ErrorID: "ERR-X"}); err == nil || !strings.Contains(err.Error(), "the spool cannot be read") {
			t.Errorf("%v", err)
		}
	})
}

func TestCostIsMinutesTimesRevenue(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		d := poolExhausted()
		d.Impact.Services = []string{"checkout", "search"}
		w.set(d, nil)
		id := w.opened()
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
		onset := d.Onset
		time.Sleep(time.Until(onset.Add(11 * time.Minute)))
		must[*inquest.Incident](t)(w.Mitigate(w.ctx, id, by("ada")))
		time.Sleep(time.Hour)
		c := must[incident.Cost](t)(w.Cost(w.ctx, id))
		w.expect(c.Formula, "11 min x (9000 checkout + 500 search) EUR/min = 104500 EUR")
		inc := w.get(id)
		w.expect([]any{int(inc.Cost), inc.Currency}, []any{104500, "EUR"})
	})
	inWorld(t, incident.Policy{}, func(w *world) {
		id := w.opened()
		w.expect(must[incident.Cost](t)(w.Cost(w.ctx, id)).Formula, "")
	})
}

func TestMeanTimesOverAWindow(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		from := time.Now()
		for _, minutes := range []time.Duration{10, 30} {
			w.set(poolExhausted(), nil)
			a := alert("HighErrorRate", "checkout", "page")
			w.alerts(a)
			id := must[[]inquest.Incident](t)(w.List(w.ctx, incident.Filter{Active: true}))[0].ID
			time.Sleep(minutes * time.Minute)
			must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
			must[*inquest.Incident](t)(w.SetFactors(w.ctx, id, []inquest.Factor{inquest.FactorTraffic}, by("ada")))
			w.alerts(over(a))
			time.Sleep(2 * time.Hour)
		}
		s := must[incident.Stats](t)(w.Stats(w.ctx, inquest.Window{From: from, To: time.Now()}))
		w.expect([]any{s.Incidents, s.Active, s.Repeats, s.Class, s.Factor, s.Severity, s.State, s.Currency}, []any{2, 0, 1, map[inquest.Class]int{"database": 2},
			map[inquest.Factor]int{inquest.FactorTraffic: 2}, map[inquest.Severity]int{inquest.SEV2: 2}, map[inquest.IncidentState]int{inquest.IncidentResolved: 2}, "EUR"})
		near := func(got incident.Mean, count int, want time.Duration) {
			t.Helper()
			if got.Count != count || (got.Mean-want).Abs() > 5*time.Second || (got.Median-want).Abs() > 5*time.Second {
				t.Errorf("%+v, want %d of %s", got, count, want)
			}
		}
		near(s.Detect, 2, 3*time.Minute)
		near(s.Acknow, 2, 20*time.Minute)
		near(s.Mitigate, 2, 23*time.Minute)
		near(s.Resolve, 2, 23*time.Minute)
		empty := must[incident.Stats](t)(w.Stats(w.ctx, inquest.Window{From: from.Add(-time.Hour), To: from.Add(-time.Minute)}))
		w.expect([]any{empty.Incidents, empty.Resolve.Count}, []any{0, 0})
	})
}

func TestARepeatIsMarkedAndLinkedWithWhatIsOpen(t *testing.T) {
	exception := func(line string) *inquest.Diagnosis {
		d := poolExhausted()
		d.Verdict.Mechanism, d.Verdict.Culprit = "unhandled-exception/null-dereference", "checkout"
		d.Evidence = []inquest.Evidence{{ID: "E1", Kind: "log", Text: line}}
		return d
	}
	other := func(change func(*inquest.Verdict)) *inquest.Diagnosis {
		d := poolExhausted()
		change(d.Verdict)
		return d
	}
	for name, c := range map[string]struct {
		first, second *inquest.Diagnosis
		service       string
		want          bool
	}{
		"the same drill":                           {nil, nil, "checkout", true},
		"another mechanism":                        {nil, other(func(v *inquest.Verdict) { v.Mechanism = "database/slow-query" }), "checkout", false},
		"another culprit":                          {nil, other(func(v *inquest.Verdict) { v.Culprit = "other-db" }), "checkout", false},
		"the same database behind another service": {nil, nil, "search", true},
		"nobody knows why, twice":                  {other(func(v *inquest.Verdict) { *v = inquest.Verdict{Level: inquest.Open, Summary: "open"} }), other(func(v *inquest.Verdict) { *v = inquest.Verdict{Level: inquest.Open, Summary: "open"} }), "checkout", false},
		"the same line of code":                    {exception("cannot read total of undefined at cart.js:42 for user 17"), exception("cannot read total of undefined at cart.js:42 for user 99"), "checkout", true},
		"another bug of the same kind":             {exception("cannot read total of undefined at cart.js:42"), exception("profile has no name at profile.js:7"), "checkout", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, records: newMemory()}
				ctx, stop := context.WithCancel(t.Context())
				w.ctx = ctx
				var answer *inquest.Diagnosis
				asked := ""
				d, err := incident.New(incident.Config{Records: w.records, Policy: everyone,
					Investigate: func(context.Context, incident.Job) (*inquest.Diagnosis, error) {
						if answer == nil {
							return poolExhausted(), nil
						}
						return answer, nil
					},
					OpenItems: func(_ context.Context, id string) ([]string, error) {
						asked = id
						return []string{"alert at 80% of the pool (ada, 2000-02-01)"}, nil
					}})
				if err != nil {
					t.Fatal(err)
				}
				w.Desk = d
				ended := make(chan error)
				go func() { ended <- d.Run(ctx) }()
				answer = c.first
				first := w.opened()
				time.Sleep(5 * time.Second)
				w.resolved(first)
				time.Sleep(24 * time.Hour)
				answer = c.second
				w.alerts(alert("HighErrorRate", c.service, "page"))
				time.Sleep(5 * time.Second)
				inc := w.all()[1]
				if got := inc.Repeats == first; got != c.want {
					t.Errorf("repeats %q, want %v", inc.Repeats, c.want)
				}
				if c.want {
					w.expect(asked, first)
					w.contains(w.story(inc.ID), "REPEAT of "+first+": 1 of its action items are still open: alert at 80% of the pool (ada, 2000-02-01)")
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestSimilarIncidentsWithTheReason(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		first := w.opened()
		time.Sleep(5 * time.Second)
		w.resolved(first)
		time.Sleep(time.Hour)
		lock := poolExhausted()
		lock.Verdict.Mechanism = "database/lock-contention"
		lock.Evidence = nil
		w.set(lock, nil)
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(5 * time.Second)
		second := w.all()[1].ID
		w.resolved(second)
		time.Sleep(time.Hour)
		w.set(poolExhausted(), nil)
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(5 * time.Second)
		similar := must[[]inquest.Similar](t)(w.Similar(w.ctx, w.all()[2].ID))
		w.expect(similar, []inquest.Similar{
			{Incident: first, Score: 1, Why: "same mechanism database/pool-exhausted, culprit checkout-db, 100% of their log patterns, services"},
			{Incident: second, Score: 0.4, Why: "same culprit checkout-db, services"},
		})
		if _, err := w.Similar(w.ctx, "INC-0"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		for i := range 7 {
			must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: fmt.Sprint("number ", i), Services: []string{[]string{"a", "b"}[i%2]}, Severity: inquest.Severity(1 + i%4)}, by("ada")))
			time.Sleep(time.Second)
		}
		all := w.all()
		must[*inquest.Incident](t)(w.Resolve(w.ctx, all[0].ID, by("ada")))
		count := func(f incident.Filter) int { return len(must[[]inquest.Incident](t)(w.List(w.ctx, f))) }
		w.expect([]int{count(incident.Filter{Active: true}), count(incident.Filter{State: inquest.IncidentResolved}), count(incident.Filter{Service: "b"}), count(incident.Filter{Severity: inquest.SEV2}), count(incident.Filter{Limit: 2}),
			count(incident.Filter{Opened: inquest.Window{From: all[2].Opened, To: all[4].Opened}})}, []int{6, 1, 3, 4, 2, 2})
		var titles []string
		var after store.Cursor
		for {
			page := must[[]inquest.Incident](t)(w.List(w.ctx, incident.Filter{Limit: 3, After: after}))
			for _, i := range page {
				titles = append(titles, i.Title[7:])
			}
			if len(page) < 3 {
				break
			}
			after = store.Cursor{Time: page[2].Opened, ID: page[2].ID}
		}
		w.expect(strings.Join(titles, ""), "6543210")
	})
}

func TestTheTimelineShowsChangesBeforeThereIsADiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		d, err := incident.New(incident.Config{Records: w.records})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		for id, at := range map[string]time.Duration{"c1": -time.Hour, "c2": -3 * time.Hour} {
			b, err := json.Marshal(inquest.Change{Time: time.Now().Add(at), Kind: inquest.ChangeDeploy, Service: "checkout", Version: "2.3", Summary: id})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.records.Put(w.ctx, store.Record{Kind: "change", ID: id, Parent: "checkout", Time: time.Now().Add(at), Body: b}); err != nil {
				t.Fatal(err)
			}
		}
		id := w.opened()
		story := w.story(id)
		w.contains(story, "change change: deploy of checkout 2.3: c1\n")
		if strings.Contains(story, "c2") {
			t.Errorf("a change of three hours ago is in the timeline:\n%s", story)
		}
	})
}

func TestWatchersHearOfChanges(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		ctx, stop := context.WithCancel(w.ctx)
		events := w.Subscribe(ctx)
		w.takes = time.Second
		id := w.opened()
		w.expect(<-events, incident.Event{Incident: id, Version: 1, State: inquest.IncidentOpen})
		other := w.desk(incident.Config{Policy: everyone})
		must[*inquest.Incident](t)(other.Acknowledge(w.ctx, id, by("ada")))
		for ev := range events {
			if ev.State == inquest.IncidentAcknowledged { // what another server did
				break
			}
		}
		for range 100 { // nobody reads
			must[*inquest.Incident](t)(w.Note(w.ctx, id, incident.Act{By: "ada", Text: "x"}))
		}
		last := incident.Event{}
		missed := false
		for len(events) > 0 {
			last = <-events
			missed = missed || last.Incident == ""
		}
		w.expect([]any{missed, last.Version}, []any{true, w.get(id).Version})
		stop()
		synctest.Wait()
		if _, open := <-events; open {
			t.Error("the channel is open after its context ended")
		}
	})
}

func TestADeliveryIsNotedOnce(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(3 * time.Second)
		w.sendAll()
		sent := time.Now()
		time.Sleep(3 * time.Second)
		inc := w.get(id)
		w.expect([]any{inc.Notified, inc.Acknowledged.IsZero()}, []any{sent.UTC().Truncate(time.Microsecond), true})
		version := inc.Version
		time.Sleep(10 * time.Second)
		w.expect(w.get(id).Version, version)
	})
}

func TestOnlyTheLeaderDoesWhatIsToBeDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := newMemory()
		w := &world{t: t, records: records}
		ctx, stop := context.WithCancel(t.Context())
		w.ctx = ctx
		var done []string
		ended := make(chan error, 2)
		for _, name := range []string{"a", "b"} {
			d, err := incident.New(incident.Config{Records: records, Leaders: leaders{"b"}, Server: name, Policy: everyone, Investigate: func(context.Context, incident.Job) (*inquest.Diagnosis, error) {
				done = append(done, name)
				return poolExhausted(), nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			w.Desk = d
			go func() { ended <- d.Run(ctx) }()
		}
		w.opened()
		time.Sleep(20 * time.Minute)
		w.expect(done, []string{"b", "b", "b", "b", "b"})
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

// slow is a store that takes three seconds to list what is to be investigated.
type slow struct{ *memory }

func (s slow) List(ctx context.Context, q store.Query) ([]store.Record, error) {
	out, err := s.memory.List(ctx, q)
	if q.Kind == "investigation" {
		time.Sleep(3 * time.Second)
	}
	return out, err
}

// An investigation that ends while what is due is being listed is on that list and done all the same.
func TestWhatWasInvestigatedMeanwhileIsNotInvestigatedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := &world{t: t, ctx: ctx, records: newMemory()}
		var done []string
		d, err := incident.New(incident.Config{Records: slow{w.records}, Policy: everyone, Investigate: func(_ context.Context, j incident.Job) (*inquest.Diagnosis, error) {
			done = append(done, j.Reason)
			time.Sleep(2 * time.Second)
			return poolExhausted(), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		w.opened()
		time.Sleep(20 * time.Minute)
		w.expect(done, []string{"opened", "30s", "2m", "5m", "15m"})
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestEdgesThatCannotBeHadHoldUpNoAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		d, err := incident.New(incident.Config{Records: w.records, Policy: everyone, Edges: func(context.Context) ([]inquest.Edge, error) { return nil, errors.New("away") }})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		if err := d.Alerts(w.ctx, []inquest.Alert{alert("R", "checkout", "page")}); err == nil || !strings.Contains(err.Error(), "without the call graph: away") {
			t.Errorf("%v", err)
		}
		w.expect(w.only().State, inquest.IncidentOpen)
	})
}

func TestADamagedIncidentKeepsNoOtherFromBeingOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		var told error
		d, err := incident.New(incident.Config{Records: w.records, Policy: everyone, Failed: func(err error) { told = err }})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		id := w.opened()
		key := [2]string{"incident", id}
		whole := w.records.records[key]
		broken := whole
		broken.Body = []byte(`{"id":`)
		w.records.records[key] = broken
		w.alerts(alert("R", "mail", "page"))
		if told == nil || !strings.Contains(told.Error(), id+": its record cannot be read") {
			t.Errorf("told %v", told)
		}
		w.records.records[key] = whole // from a backup
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		w.expect(len(w.all()), 2) // it is still on the board
	})
}

func TestTwoIncidentsOfOneCauseBecomeOne(t *testing.T) {
	open := func(w *world) (old, young string) {
		d := poolExhausted()
		d.Impact.Services = nil
		w.set(d, nil)
		old = w.opened()
		time.Sleep(20 * time.Second)
		w.sendAll()
		w.takes = 5 * time.Second // so that the test can look at the second before it is looked into
		w.alerts(alert("HighErrorRate", "search", "page"))
		return old, w.all()[1].ID
	}
	inWorld(t, everyone, func(w *world) {
		old, young := open(w)
		must[incident.UserReport](t)(w.Report(w.ctx, incident.UserReport{Text: "nothing is found", Service: "search"}))
		time.Sleep(10 * time.Second)
		a, b := w.get(old), w.get(young)
		w.expect([]any{a.State, a.Services, len(a.Alerts), a.Reports}, []any{inquest.IncidentOpen, []string{"checkout", "search"}, 2, 1})
		w.expect([]any{b.State, b.Merged, len(b.Alerts)}, []any{inquest.IncidentResolved, old, 0})
		w.contains(w.story(old), young+" is part of this one: both have the same cause")
		w.contains(w.story(young), "part of "+old)
		r := must[store.Record](t)(w.records.Get(w.ctx, "notice", young+"/opened-1/slack"))
		w.expect([]any{r.State, w.told(young)}, []any{"failed", []string{"opened-1/slack"}}) // nobody was called twice, and nobody hears of an end

		w.alerts(over(b1(a, "search")), over(b1(a, "checkout")))
		time.Sleep(6 * time.Minute)
		w.expect(w.get(old).State, inquest.IncidentResolved)
		w.alerts(alert("HighErrorRate", "search", "page"))
		w.expect([]any{w.get(old).State, w.get(young).State}, []any{inquest.IncidentOpen, inquest.IncidentResolved})
		s := must[incident.Stats](t)(w.Stats(w.ctx, inquest.Window{}))
		w.expect([]any{s.Incidents, s.Merged}, []any{1, 1})
		must[*inquest.Incident](t)(w.Review(w.ctx, young, by("ada"))) // there is nothing to write about it
	})
	inWorld(t, everyone, func(w *world) {
		_, young := open(w)
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, young, by("ada")))
		time.Sleep(10 * time.Second)
		w.expect(w.get(young).State, inquest.IncidentAcknowledged) // a person is at it
	})
	inWorld(t, everyone, func(w *world) {
		d := poolExhausted()
		d.Impact.Services, d.Verdict.Culprit = nil, "search-db"
		w.set(d, nil)
		w.alerts(alert("HighErrorRate", "search", "page"))
		time.Sleep(10 * time.Second)
		w.set(poolExhausted(), nil)
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(10 * time.Second)
		w.expect(len(must[[]inquest.Incident](t)(w.List(w.ctx, incident.Filter{Active: true}))), 2) // two causes
	})
	inWorld(t, everyone, func(w *world) {
		_, young := open(w)
		w.sendAll()
		time.Sleep(10 * time.Second)
		w.expect(w.told(young), []string{"opened-1/slack", "resolved-1/slack"}) // who was told hears that it is over
	})
}

func b1(i *inquest.Incident, service string) inquest.Alert {
	for _, a := range i.Alerts {
		if a.Service() == service {
			return a
		}
	}
	return alert("none", service, "page")
}

func TestWhatResolvedUnseenIsFoundOut(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		seen, unseen, other, ticket := alert("A", "checkout", "page"), alert("B", "checkout", "page"), alert("C", "checkout", "page"), alert("B", "search", "ticket")
		foreign := alert("B", "checkout", "page")
		foreign.Source = "alertmanager"
		w.alerts(seen, unseen, other, ticket, foreign)
		if err := w.Reconcile(w.ctx, "rules", []string{"A", "B"}, []inquest.Alert{seen}); err != nil { // C could not be evaluated
			t.Fatal(err)
		}
		var got []string
		for _, a := range w.only().Alerts {
			got = append(got, a.Source+" "+a.Rule+" "+string(a.State))
		}
		w.expect(got, []string{"rules A firing", "rules B resolved", "rules C firing", "alertmanager B firing"})
		w.expect(len(must[[]incident.Standing](t)(w.Standing(w.ctx, inquest.AlertFiring, ""))), 0)
		time.Sleep(5 * time.Second) // until it has been looked into
		version := w.only().Version
		if err := w.Reconcile(w.ctx, "rules", []string{"A", "B"}, []inquest.Alert{seen}); err != nil {
			t.Fatal(err)
		}
		w.expect(w.only().Version, version)
	})
}

func TestIncidentsThatNobodyHadInTimeAreNamed(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.set(nothing(), nil)
		var ids []string
		for i, service := range []string{"a", "b", "c"} {
			inc := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: service, Services: []string{service}}, by("ada")))
			ids = append(ids, inc.ID)
			if i == 0 {
				must[*inquest.Incident](t)(w.Acknowledge(w.ctx, inc.ID, by("ada")))
			}
		}
		time.Sleep(30 * time.Minute) // as in REQUIREMENTS 273: alerted at 8:30, taken at 9:00
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, ids[1], by("ada")))
		s := must[incident.Stats](t)(w.Stats(w.ctx, inquest.Window{}))
		slices.Sort(ids[1:])
		slices.Sort(s.Late)
		w.expect([]any{s.Late, s.Acknow.Mean}, []any{ids[1:], 15 * time.Minute})
	})
}

func TestAClockThatIsSetBackStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := everyone
		policy.Escalation = []incident.Level{{After: 5 * time.Minute, Channels: []string{"phone"}}}
		w := &world{t: t, records: newMemory()}
		ctx, stop := context.WithCancel(t.Context())
		w.ctx = ctx
		var back atomic.Int64
		d, err := incident.New(incident.Config{Records: w.records, Policy: policy, Now: func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }})
		if err != nil {
			t.Fatal(err)
		}
		w.Desk = d
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		id := w.opened()
		back.Store(int64(24 * time.Hour))
		time.Sleep(6 * time.Minute)
		w.expect(w.told(id), []string{"escalated-1/phone", "opened-1/pager", "opened-1/slack"})
		// Its alert fired "tomorrow": it ends all the same, and so does the incident.
		a := w.get(id).Alerts[0]
		a.State, a.Resolved = inquest.AlertResolved, time.Now().Add(-24*time.Hour)
		must[struct{}](t)(struct{}{}, w.Alerts(ctx, []inquest.Alert{a}))
		time.Sleep(6 * time.Minute)
		w.expect(w.get(id).State, inquest.IncidentResolved)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatFiresAfterTheClockWasSetBackIsNotTakenForWhatEndedLater(t *testing.T) {
	for name, back := range map[string]time.Duration{"while the incident is open": 2 * time.Minute, "when it was resolved": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, ctx: t.Context(), records: newMemory()}
				now := func() time.Time { return time.Now() }
				var err error
				w.Desk, err = incident.New(incident.Config{Records: w.records, Policy: everyone, Now: func() time.Time { return now() }})
				if err != nil {
					t.Fatal(err)
				}
				first := alert("HighErrorRate", "checkout", "page")
				time.Sleep(10 * time.Minute)
				w.alerts(first, over(first))
				id := w.only().ID
				if back == time.Hour {
					must[*inquest.Incident](t)(w.Resolve(w.ctx, id, incident.Act{By: "ada", Force: true, Text: "rolled back"}))
				}
				now = func() time.Time { return time.Now().Add(-back) }
				again := alert("HighErrorRate", "checkout", "page")
				again.Fired, again.Since = first.Fired.Add(-back), first.Since.Add(-back)
				w.alerts(again)
				all := w.all()
				if back == time.Hour {
					w.expect([]any{len(all), all[0].State, all[0].Opened.Before(now().Add(time.Second)), len(w.told(all[0].ID))}, []any{2, inquest.IncidentOpen, true, 2})
				} else {
					w.expect([]any{len(all), all[0].Alerts[0].State}, []any{1, inquest.AlertFiring})
				}
			})
		})
	}
}
