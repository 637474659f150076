package incident_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
)

// window puts services under maintenance for so long.
func (w *world) window(d time.Duration, services ...string) incident.MaintenanceWindow {
	w.t.Helper()
	return must[incident.MaintenanceWindow](w.t)(w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "new disks", Services: services, Until: time.Now().Add(d)}))
}

func TestWhatCameBackDuringMaintenanceIsToldWhenThatEnds(t *testing.T) {
	before := []string{"opened-1/pager", "opened-1/slack", "resolved-1/pager", "resolved-1/slack"}
	after := []string{"opened-1/pager", "opened-1/slack", "reopened-1/pager", "reopened-1/slack", "resolved-1/pager", "resolved-1/slack"}
	back := func(w *world) (string, inquest.Alert) {
		w.t.Helper()
		id := w.opened()
		w.resolved(id)
		w.window(10*time.Minute, "checkout")
		a := alert("HighErrorRate", "checkout", "page")
		w.alerts(a)
		time.Sleep(9 * time.Minute)
		w.expect([]any{w.get(id).State, w.told(id)}, []any{inquest.IncidentOpen, before})
		return id, a
	}
	inWorld(t, everyone, func(w *world) {
		id, _ := back(w)
		time.Sleep(2 * time.Minute)
		w.expect(w.told(id), after)
		time.Sleep(time.Hour)
		w.expect(w.told(id), after) // once
	})
	inWorld(t, everyone, func(w *world) { // it is over before the window is: who was told that it was resolved knows all there is
		id, a := back(w)
		w.alerts(over(a))
		time.Sleep(20 * time.Minute)
		w.expect([]any{w.get(id).State, w.told(id)}, []any{inquest.IncidentResolved, before})
	})
	inWorld(t, everyone, func(w *world) { // quiet for the moment when the window ends, and then it fires again
		id, a := back(w)
		w.alerts(over(a))
		time.Sleep(3 * time.Minute)
		w.expect([]any{w.get(id).State, w.told(id)}, []any{inquest.IncidentOpen, before})
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(2 * time.Second)
		w.expect(w.told(id), after)
	})
}

func TestWhoWasToldFirstOfAReopenedIncidentWasNotified(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.window(8*time.Minute, "checkout")
		a := alert("HighErrorRate", "checkout", "page")
		w.alerts(a)
		id := w.only().ID
		w.alerts(over(a)) // it is over when the window is, and nobody has heard of it
		time.Sleep(9 * time.Minute)
		w.expect([]any{w.get(id).State, len(w.told(id))}, []any{inquest.IncidentResolved, 0})
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(11 * time.Second)
		w.sendAll()
		time.Sleep(2 * time.Second)
		w.expect([]any{w.told(id), w.get(id).Notified.IsZero()}, []any{[]string{"reopened-1/pager", "reopened-1/slack"}, false})
	})
}

func TestTheLastLevelIsToldAgainUntilSomebodyHasIt(t *testing.T) {
	levels := func(all ...incident.Level) incident.Policy {
		p := everyone
		p.Routes, p.Escalation = []incident.Route{{Channel: "slack", Occasions: []inquest.Occasion{inquest.OccasionOpened, inquest.OccasionReopened}}}, all
		return p
	}
	called := func(w *world, id, channel string) (n int) {
		for _, s := range w.told(id) {
			if strings.HasPrefix(s, "escalated-") && strings.HasSuffix(s, "/"+channel) {
				n++
			}
		}
		return n
	}
	two := levels(incident.Level{After: 5 * time.Minute, Channels: []string{"mail"}}, incident.Level{After: 15 * time.Minute, Channels: []string{"phone"}})
	inWorld(t, two, func(w *world) {
		id := w.opened()
		time.Sleep(24*time.Minute + 55*time.Second)
		w.expect([]int{called(w, id, "mail"), called(w, id, "phone")}, []int{1, 1})
		time.Sleep(10 * time.Second)
		w.expect([]int{called(w, id, "mail"), called(w, id, "phone")}, []int{1, 2})
		w.contains(w.story(id), "state inquest: nobody acknowledged within 25m: told again level 2\n")
		time.Sleep(3 * time.Hour)
		w.expect(called(w, id, "phone"), 20) // every ten minutes, which lie between the levels
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
		time.Sleep(3 * time.Hour)
		w.expect(called(w, id, "phone"), 20)
	})
	inWorld(t, levels(incident.Level{After: time.Minute, Channels: []string{"phone"}}), func(w *world) {
		id := w.opened()
		time.Sleep(20*time.Minute + 10*time.Second)
		w.expect(called(w, id, "phone"), 4) // after 1, 6, 11 and 16 minutes: never more often than each five
		must[*inquest.Incident](t)(w.Mitigate(w.ctx, id, by("ada")))
		time.Sleep(time.Hour)
		w.expect(called(w, id, "phone"), 4)
	})
	inWorld(t, two, func(w *world) { // maintenance that begins meanwhile
		id := w.opened()
		time.Sleep(6 * time.Minute)
		w.window(time.Hour, "checkout")
		time.Sleep(50 * time.Minute)
		w.expect([]int{called(w, id, "mail"), called(w, id, "phone")}, []int{1, 0})
		w.expect(strings.Count(w.story(id), "nobody is told: maintenance window"), 1)
		time.Sleep(11 * time.Minute)
		w.expect([]int{called(w, id, "mail"), called(w, id, "phone")}, []int{1, 1}) // late, and not all at once what was left out
	})
}

func TestAServerThatWasAwayCallsOnceAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := everyone
		policy.Routes, policy.Escalation = nil, []incident.Level{{After: 5 * time.Minute, Channels: []string{"phone"}}}
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		w.Desk = w.desk(incident.Config{Policy: policy})
		id := w.opened()
		run := func(d time.Duration) {
			ctx, stop := context.WithTimeout(t.Context(), d)
			defer stop()
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		}
		run(6 * time.Minute)
		time.Sleep(2 * time.Hour)
		run(time.Minute)
		w.expect(w.told(id), []string{"escalated-1/phone", "escalated-2/phone"})
	})
}

func TestNobodyHasWhatWasReopened(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened()
		time.Sleep(time.Minute)
		first := must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
		w.resolved(id)
		w.expect(w.get(id).Owner, "ada")
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		inc := w.get(id)
		w.expect([]any{inc.State, inc.Owner, inc.Acknowledged, inc.Mitigated.IsZero(), inc.Resolved.IsZero()}, []any{inquest.IncidentOpen, "", first.Acknowledged, true, true})
		inc = must[*inquest.Incident](t)(w.Mitigate(w.ctx, id, by("ben")))
		w.expect([]any{inc.Owner, inc.Acknowledged}, []any{"ben", first.Acknowledged}) // who does something has it
	})
	inWorld(t, everyone, func(w *world) { // a person was at it once: it stays an incident of its own
		d := poolExhausted()
		d.Impact.Services = nil
		w.set(d, nil)
		w.opened()
		time.Sleep(20 * time.Second)
		w.set(nothing(), nil)
		w.alerts(alert("HighErrorRate", "search", "page"))
		time.Sleep(20 * time.Second)
		id := w.all()[1].ID
		must[*inquest.Incident](t)(w.Acknowledge(w.ctx, id, by("ada")))
		w.resolved(id)
		w.set(d, nil)
		must[*inquest.Incident](t)(w.Reopen(w.ctx, id, by("ada")))
		time.Sleep(time.Minute)
		inc := w.get(id)
		w.expect([]any{inc.State, inc.Merged, inc.Verdict.Culprit}, []any{inquest.IncidentOpen, "", "checkout-db"})
	})
}

func TestASeveritySetLowerSavesNoPostmortem(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		id := w.opened() // a SEV-2
		w.resolved(id)
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, id, inquest.SEV4, by("ada")))
		_, err := w.Review(w.ctx, id, by("ada"))
		if !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "it was SEV-2 before it became SEV-4, and a SEV-2 needs a published postmortem") {
			t.Errorf("%v", err)
		}
		must[*inquest.Incident](t)(w.Waive(w.ctx, id, incident.Act{By: "ada", Text: "one customer, who was told"}))
		w.expect(must[*inquest.Incident](t)(w.Review(w.ctx, id, by("ada"))).State, inquest.IncidentReviewed)
	})
	inWorld(t, everyone, func(w *world) { // while it was active, and in the very next change
		inc := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "nobody can pay", Severity: inquest.SEV1}, by("ada")))
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, inc.ID, inquest.SEV3, by("ada")))
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, inc.ID, inquest.SEV4, by("ada")))
		must[*inquest.Incident](t)(w.Resolve(w.ctx, inc.ID, by("ada")))
		if _, err := w.Review(w.ctx, inc.ID, by("ada")); !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "it was SEV-1 before it became SEV-4") {
			t.Errorf("%v", err)
		}
	})
	inWorld(t, everyone, func(w *world) { // judged graver and put right again when it was over: it never was
		inc := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "slow", Severity: inquest.SEV3}, by("ada")))
		must[*inquest.Incident](t)(w.Resolve(w.ctx, inc.ID, by("ada")))
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, inc.ID, inquest.SEV1, by("ada")))
		must[*inquest.Incident](t)(w.SetSeverity(w.ctx, inc.ID, inquest.SEV3, by("ada")))
		must[*inquest.Incident](t)(w.Review(w.ctx, inc.ID, by("ada")))
	})
}

func TestAnIncidentIsNotResolvedWhileItsServicesAreUnderMaintenance(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		inc := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "nobody can pay", Services: []string{"checkout", "search"}}, by("ada")))
		w.window(time.Hour, "mail")
		all := w.window(time.Hour, "*")
		late := must[incident.MaintenanceWindow](t)(w.AddWindow(w.ctx, incident.MaintenanceWindow{By: "ada", Why: "later", Services: []string{"search"}, From: time.Now().Add(time.Hour), Until: time.Now().Add(2 * time.Hour)}))
		own := w.window(time.Hour, "db", "checkout")
		_, err := w.Resolve(w.ctx, inc.ID, incident.Act{By: "ada", Force: true, Text: "it is over"})
		if !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "maintenance window "+own.ID+" is still on; end it first, then verify that users are served without it (db, checkout until ") {
			t.Errorf("%v", err)
		}
		if err := w.EndWindow(w.ctx, own.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		w.expect(must[*inquest.Incident](t)(w.Resolve(w.ctx, inc.ID, by("ada"))).State, inquest.IncidentResolved) // although all.ID is on, and late.ID will be
		w.expect([]bool{all.EndedBy == "", late.EndedBy == ""}, []bool{true, true})
	})
}

func TestNothingIsResolvedWhileUsersAreNotServed(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	answer, failure := []string{"checkout failed 50 % of its requests in the last 2 minutes (60 of 120)"}, error(nil)
	story := func(t *testing.T, f func(w *world, id string)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, ctx: t.Context(), records: newMemory()}
			w.Desk = w.desk(incident.Config{Policy: everyone, Failing: func(_ context.Context, services []string) ([]string, error) {
				mu.Lock()
				defer mu.Unlock()
				asked = services
				return answer, failure
			}})
			f(w, must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "nobody can pay", Services: []string{"checkout"}}, by("ada"))).ID)
		})
	}
	story(t, func(w *world, id string) {
		_, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Text: "rolled back"})
		if !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "users are not served yet: checkout failed 50 % of its requests in the last 2 minutes (60 of 120). Resolve it once they are; to resolve it now, force it and say why") {
			t.Errorf("%v", err)
		}
		w.expect([]any{asked, w.get(id).State}, []any{[]string{"checkout"}, inquest.IncidentOpen})
		if _, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Force: true, Text: " "}); !errors.Is(err, incident.ErrInput) || !strings.Contains(err.Error(), "say why it is resolved although checkout failed 50 %") {
			t.Errorf("forced without a reason: %v", err)
		}
		w.expect(must[*inquest.Incident](w.t)(w.Resolve(w.ctx, id, incident.Act{By: "ada", Force: true, Text: "a load test fails on purpose"})).State, inquest.IncidentResolved)
		w.contains(w.story(id), "note inquest: resolved by force although users are not served yet: checkout failed 50 %")
	})
	answer = nil
	story(t, func(w *world, id string) {
		must[*inquest.Incident](w.t)(w.Resolve(w.ctx, id, by("ada")))
		if strings.Contains(w.story(id), "served") {
			t.Errorf("nothing is to be said:\n%s", w.story(id))
		}
	})
	failure = errors.New("the store is away")
	story(t, func(w *world, id string) {
		must[*inquest.Incident](w.t)(w.Resolve(w.ctx, id, by("ada")))
		w.contains(w.story(id), "note inquest: whether users are served again could not be found out: the store is away")
	})
}

func TestAnAnswerThatDoesNotComeHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), records: newMemory()}
		w.Desk = w.desk(incident.Config{Policy: everyone, Failing: func(ctx context.Context, _ []string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		id := must[*inquest.Incident](t)(w.Declare(w.ctx, incident.Declaration{Title: "nobody can pay", Services: []string{"checkout"}}, by("ada"))).ID
		began := time.Now()
		must[*inquest.Incident](t)(w.Resolve(w.ctx, id, by("ada")))
		w.expect(time.Since(began), 5*time.Second)
		w.contains(w.story(id), "could not be found out")
	})
}
