package incident_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/store"
)

// world is a desk in a bubble of virtual time.
type world struct {
	*incident.Desk
	t        *testing.T
	ctx      context.Context
	records  *memory
	answer   *inquest.Diagnosis // of the investigation
	failure  error
	takes    time.Duration
	jobs     []incident.Job
	problems []error
	mu       sync.Mutex
}

var everyone = incident.Policy{
	Currency: "EUR",
	Services: map[string]incident.Service{"checkout": {Critical: true, Revenue: 9000}, "search": {Revenue: 500}},
	Routes:   []incident.Route{{Channel: "slack"}, {Channel: "pager", Severity: inquest.SEV2, Roster: "primary"}},
}

// inWorld runs a story in virtual time, with a desk that runs.
func inWorld(t *testing.T, policy incident.Policy, story func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := &world{t: t, ctx: ctx, records: newMemory(), answer: poolExhausted()}
		w.Desk = w.desk(incident.Config{Policy: policy})
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		synctest.Wait() // its ticks fall on whole seconds after the beginning of the story
		time.Sleep(time.Millisecond)
		story(w)
		stop()
		running.Wait()
		for _, err := range w.problems {
			t.Errorf("Run went on after: %v", err)
		}
	})
}

func (w *world) desk(cfg incident.Config) *incident.Desk {
	cfg.Records = w.records
	cfg.Investigate = func(ctx context.Context, j incident.Job) (*inquest.Diagnosis, error) {
		w.mu.Lock()
		w.jobs = append(w.jobs, j)
		answer, failure, takes := w.answer, w.failure, w.takes
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(takes):
		}
		return answer, failure
	}
	cfg.Failed = func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.problems = append(w.problems, err)
	}
	d, err := incident.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) set(answer *inquest.Diagnosis, failure error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer, w.failure = answer, failure
}

// poolExhausted is a diagnosis with all that a desk looks at.
func poolExhausted() *inquest.Diagnosis {
	return &inquest.Diagnosis{
		Incident: true, Onset: time.Now().Add(-3 * time.Minute),
		Impact: inquest.Impact{Requests: 1000, Failed: 120, Ratio: 0.12, Services: []string{"checkout"}},
		Verdict: &inquest.Verdict{
			Level: inquest.Established, Mechanism: "database/pool-exhausted", Culprit: "checkout-db", Confidence: 0.9, Summary: "The pool of checkout-db is exhausted.",
			Actions: []inquest.Action{{Text: "Write the runbook", Phase: inquest.PhaseLater}, {Text: "Restart the workers", Phase: inquest.PhaseNow}},
		},
		Evidence: []inquest.Evidence{{ID: "E1", Kind: "log", Text: "timeout exceeded when trying to connect, pool size 10"}},
		Timeline: []inquest.Entry{{Time: time.Now().Add(-3 * time.Minute), Kind: "onset", Text: "first failing answer"}},
	}
}

func alert(rule, service, urgency string) inquest.Alert {
	return inquest.Alert{
		Rule: rule, Labels: map[string]string{"service": service, "severity": urgency}, State: inquest.AlertFiring, Source: "rules",
		Since: time.Now().Add(-time.Minute), Fired: time.Now(), Value: 0.12,
	}
}

func over(a inquest.Alert) inquest.Alert {
	a.State, a.Resolved = inquest.AlertResolved, time.Now()
	return a
}

func (w *world) alerts(a ...inquest.Alert) {
	w.t.Helper()
	if err := w.Alerts(w.ctx, a); err != nil {
		w.t.Fatal(err)
	}
}

// all returns every incident, oldest first.
func (w *world) all() []inquest.Incident {
	w.t.Helper()
	out, err := w.List(w.ctx, incident.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(out)
	return out
}

func (w *world) only() inquest.Incident {
	w.t.Helper()
	all := w.all()
	if len(all) != 1 {
		w.t.Fatalf("%d incidents, not one: %v", len(all), all)
	}
	return all[0]
}

// told lists the notices as "occasion channel to".
func (w *world) told(id string) []string {
	w.t.Helper()
	records, err := w.records.List(w.ctx, store.Query{Kind: "notice", Parent: id})
	if err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, r := range records {
		out = append(out, strings.TrimPrefix(r.ID, id+"/"))
	}
	slices.Sort(out)
	return out
}

// story lists the texts of the timeline, as far as they are entries.
func (w *world) story(id string) string {
	w.t.Helper()
	entries, err := w.Timeline(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %s: %s\n", e.Kind, e.By, e.Text)
	}
	return b.String()
}

func (w *world) expect(got, want any) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("-want +got\n%s", diff)
	}
}

func (w *world) contains(text, want string) {
	w.t.Helper()
	if !strings.Contains(text, want) {
		w.t.Errorf("%q is not in:\n%s", want, text)
	}
}

func TestAPageOpensAnIncidentAndTheInvestigationRuns(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		a := alert("HighErrorRate", "checkout", "page")
		w.alerts(a)
		inc := w.only()
		if !regexp.MustCompile(`^INC-20000101-[2-9A-HJKMNP-Z]{4}$`).MatchString(inc.ID) {
			t.Errorf("id %q", inc.ID)
		}
		w.expect([]any{inc.Title, inc.State, inc.Severity, inc.Services, inc.Detected},
			[]any{"HighErrorRate on checkout", inquest.IncidentOpen, inquest.SEV2, []string{"checkout"}, a.Fired.UTC().Truncate(time.Microsecond)})

		time.Sleep(2 * time.Second)
		inc = w.only()
		w.expect(inc.Verdict, inquest.VerdictSummary{Level: inquest.Established, Mechanism: "database/pool-exhausted", Culprit: "checkout-db", Confidence: 0.9,
			Summary: "The pool of checkout-db is exhausted.", Action: "Restart the workers"})
		w.expect([]any{inc.Revision, inc.Failed, inc.Requests, inc.Identified.IsZero()}, []any{1, 120, 1000, false})
		w.expect(w.told(inc.ID), []string{"opened-1/pager", "opened-1/slack"})
		story := w.story(inc.ID)
		for _, want := range []string{"alert rules: HighErrorRate on checkout fires", "state inquest: opened as SEV-2", "diagnosis inquest: revision 1: The pool of checkout-db is exhausted.", "evidence evidence: first failing answer"} {
			w.contains(story, want)
		}
		d, err := w.Diagnosis(w.ctx, inc.ID, 1)
		if err != nil || d.Verdict.Culprit != "checkout-db" {
			t.Errorf("diagnosis %v, %v", d, err)
		}
	})
}

func TestTheSameAlertAHundredTimesIsOneIncident(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		other := w.desk(incident.Config{Policy: everyone})
		a, b := alert("HighErrorRate", "checkout", "page"), alert("SlowAnswers", "checkout", "page")
		var all sync.WaitGroup
		for range 50 {
			for _, d := range []*incident.Desk{w.Desk, other} {
				all.Go(func() {
					if err := d.Alerts(w.ctx, []inquest.Alert{a, b}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		inc := w.only()
		w.expect(len(inc.Alerts), 2)
		w.expect(w.told(inc.ID), []string{"opened-1/pager", "opened-1/slack"})
		w.expect(strings.Count(w.story(inc.ID), "alert rules:"), 2)
	})
}

func TestWhichAlertsBelongTogether(t *testing.T) {
	related := everyone
	related.Edges = []inquest.Edge{{From: "gateway", To: "checkout"}, {From: "checkout", To: "checkout-db"}}
	type step struct {
		after time.Duration
		alert func() inquest.Alert
	}
	fires := func(service, urgency string) func() inquest.Alert {
		return func() inquest.Alert { return alert("R-"+service+urgency, service, urgency) }
	}
	ends := func(service string) func() inquest.Alert {
		return func() inquest.Alert { return over(alert("R-"+service+"page", service, "page")) }
	}
	for name, c := range map[string]struct {
		steps []step
		want  [][]string // services of each incident
	}{
		"one service":                                          {[]step{{0, fires("checkout", "page")}, {time.Hour, fires("checkout", "chat")}}, [][]string{{"checkout"}}},
		"a caller at the same time":                            {[]step{{0, fires("checkout", "page")}, {time.Minute, fires("gateway", "page")}}, [][]string{{"checkout", "gateway"}}},
		"a callee at the same time":                            {[]step{{0, fires("checkout", "page")}, {time.Minute, fires("checkout-db", "page")}}, [][]string{{"checkout", "checkout-db"}}},
		"the caller of the caller, by the one between":         {[]step{{0, fires("gateway", "page")}, {time.Second, fires("checkout", "page")}, {time.Second, fires("checkout-db", "page")}}, [][]string{{"checkout", "checkout-db", "gateway"}}},
		"a service that has nothing to do with it":             {[]step{{0, fires("checkout", "page")}, {time.Minute, fires("mail", "page")}}, [][]string{{"checkout"}, {"mail"}}},
		"a related one within ten minutes of the end":          {[]step{{0, fires("checkout", "page")}, {time.Minute, ends("checkout")}, {4 * time.Minute, fires("gateway", "page")}}, [][]string{{"checkout", "gateway"}}},
		"a related one when all was over long ago":             {[]step{{0, fires("checkout", "page")}, {time.Minute, ends("checkout")}, {20 * time.Minute, fires("gateway", "page")}}, [][]string{{"checkout"}, {"gateway"}}},
		"the same service after it was resolved a while ago":   {[]step{{0, fires("checkout", "page")}, {time.Minute, ends("checkout")}, {20 * time.Minute, func() inquest.Alert { return alert("Other", "checkout", "page") }}}, [][]string{{"checkout"}}},
		"the same service after it was resolved an hour ago":   {[]step{{0, fires("checkout", "page")}, {time.Minute, ends("checkout")}, {time.Hour, fires("checkout", "page")}}, [][]string{{"checkout"}, {"checkout"}}},
		"a chat alert alone opens nothing":                     {[]step{{0, fires("checkout", "chat")}}, [][]string{}},
		"a ticket alone opens nothing":                         {[]step{{0, fires("checkout", "ticket")}}, [][]string{}},
		"a ticket does not join":                               {[]step{{0, fires("checkout", "page")}, {time.Second, fires("gateway", "ticket")}}, [][]string{{"checkout"}}},
		"a pending alert is nothing yet":                       {[]step{{0, func() inquest.Alert { a := alert("R", "checkout", "page"); a.State = inquest.AlertPending; return a }}}, [][]string{}},
		"an alert whose beginning nobody saw has not resolved": {[]step{{0, ends("checkout")}}, [][]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, related, func(w *world) {
				for _, s := range c.steps {
					time.Sleep(s.after)
					w.set(nothing(), nil)
					w.alerts(s.alert())
				}
				got := [][]string{}
				for _, i := range w.all() {
					got = append(got, i.Services)
				}
				w.expect(got, c.want)
			})
		})
	}
}

func TestAnAlertAboutWhatTheDiagnosisBlamesJoins(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(2 * time.Second)
		w.alerts(alert("DatabaseDown", "checkout-db", "page"))
		w.expect(w.only().Services, []string{"checkout", "checkout-db"})
	})
}

func TestSeverityFollowsUrgencyTierAndShare(t *testing.T) {
	chatOpens := everyone
	chatOpens.Opens = []inquest.AlertUrgency{inquest.UrgencyPage, inquest.UrgencyChat, inquest.UrgencyTicket}
	for name, c := range map[string]struct {
		service, urgency string
		failed           int
		want             inquest.Severity
	}{
		"half of a critical service's requests fail": {"checkout", "page", 500, inquest.SEV1},
		"a critical service pages":                   {"checkout", "page", 499, inquest.SEV2},
		"half of another's fail":                     {"search", "page", 500, inquest.SEV2},
		"another pages":                              {"search", "page", 10, inquest.SEV3},
		"a critical one is talked about":             {"checkout", "chat", 10, inquest.SEV3},
		"another is talked about":                    {"search", "chat", 10, inquest.SEV4},
		"a ticket, however bad":                      {"checkout", "ticket", 900, inquest.SEV4},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, chatOpens, func(w *world) {
				d := poolExhausted()
				d.Impact = inquest.Impact{Requests: 1000, Failed: c.failed, Ratio: float64(c.failed) / 1000}
				w.set(d, nil)
				w.alerts(alert("R", c.service, c.urgency))
				time.Sleep(3 * time.Second)
				w.expect(w.only().Severity, c.want)
			})
		})
	}
}

func TestSeverityRisesWithTheEvidenceAndSaysSoOnce(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		time.Sleep(3 * time.Second)
		inc := w.only()
		w.sendAll()
		worse := poolExhausted()
		worse.Impact.Failed, worse.Impact.Ratio = 700, 0.7
		w.set(worse, nil)
		time.Sleep(31 * time.Second)
		w.expect(w.only().Severity, inquest.SEV1)
		w.set(poolExhausted(), nil)
		time.Sleep(20 * time.Minute)
		w.expect(w.only().Severity, inquest.SEV1) // it does not fall by itself
		w.expect(w.told(inc.ID), []string{"opened-1/pager", "opened-1/slack", "worse-1/pager", "worse-1/slack"})
	})
}

// sendAll marks all due notices as sent, as the sender would.
func (w *world) sendAll() {
	w.records.mu.Lock()
	defer w.records.mu.Unlock()
	for k, r := range w.records.records {
		if r.Kind == "notice" && r.State == "due" {
			r.State = "sent"
			r.Version++
			r.Body = []byte(strings.Replace(strings.Replace(string(r.Body), `"state":"due"`, `"state":"sent"`, 1), `"attempts":0`, fmt.Sprintf(`"attempts":1,"sent":%q`, time.Now().UTC().Format(time.RFC3339Nano)), 1))
			w.records.records[k] = r
		}
	}
}

func TestFlappingIsOneIncident(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		a := alert("HighErrorRate", "checkout", "page")
		w.alerts(a)
		id := w.only().ID
		for range 5 { // resolves and fires again within the five minutes: nothing is said
			time.Sleep(2 * time.Minute)
			w.alerts(over(a))
			time.Sleep(2 * time.Minute)
			a = alert("HighErrorRate", "checkout", "page")
			w.alerts(a)
		}
		w.expect(w.only().State, inquest.IncidentOpen)
		w.alerts(over(a))
		end := time.Now()
		time.Sleep(4*time.Minute + 58*time.Second)
		w.expect(w.only().State, inquest.IncidentOpen)
		time.Sleep(4 * time.Second)
		inc := w.only()
		w.expect([]any{inc.State, inc.Resolved, inc.Mitigated}, []any{inquest.IncidentResolved, end.UTC().Truncate(time.Microsecond), end.UTC().Truncate(time.Microsecond)})
		w.contains(w.story(id), "resolved, was open: its alerts have been resolved for 5m")

		time.Sleep(20 * time.Minute)
		w.alerts(alert("HighErrorRate", "checkout", "page"))
		inc = w.only()
		w.expect([]any{inc.State, inc.Resolved.IsZero()}, []any{inquest.IncidentOpen, true})
		w.expect(w.told(id), []string{"opened-1/pager", "opened-1/slack", "reopened-1/pager", "reopened-1/slack", "resolved-1/pager", "resolved-1/slack"})
	})
}

func TestWhatAPersonResolvedStaysResolvedWhileTheRulesWindowRunsOut(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		a := alert("HighErrorRate", "checkout", "page")
		w.alerts(a)
		id := w.only().ID
		_, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Text: "rolled back"})
		if !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "1 of its alerts still fire") {
			t.Fatalf("resolved while the alert fires: %v", err)
		}
		if _, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Force: true}); !errors.Is(err, incident.ErrInput) {
			t.Fatalf("forced without a reason: %v", err)
		}
		if _, err := w.Resolve(w.ctx, id, incident.Act{By: "ada", Text: "rolled back", Force: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		w.alerts(a)
		w.expect(w.only().State, inquest.IncidentResolved)
		time.Sleep(2 * time.Minute)
		w.alerts(a)
		w.expect(w.only().State, inquest.IncidentOpen)
		w.contains(w.story(id), "fires still, 10m after the incident was resolved")
	})
}

func TestMessagesToldLateChangeNothing(t *testing.T) {
	inWorld(t, everyone, func(w *world) {
		first := alert("HighErrorRate", "checkout", "page")
		w.alerts(first)
		time.Sleep(time.Minute)
		end := over(first)
		w.alerts(end)
		time.Sleep(time.Minute)
		w.alerts(first) // the queue of a sender that was behind
		inc := w.only()
		w.expect(inc.Alerts[0].State, inquest.AlertResolved)
		second := alert("HighErrorRate", "checkout", "page")
		w.alerts(second)
		w.alerts(end) // the end of the first firing is not that of the second
		inc = w.only()
		w.expect(inc.Alerts[0].State, inquest.AlertFiring)
	})
}

func TestStandingAlertsAreListedAndTheChatIsTold(t *testing.T) {
	policy := everyone
	policy.Routes = []incident.Route{{Channel: "slack"}, {Channel: "slack", Services: []string{"checkout"}}, {Channel: "pager", Severity: inquest.SEV2},
		{Channel: "others", Services: []string{"search"}}, {Channel: "outages", Occasions: []inquest.Occasion{inquest.OccasionOpened}}}
	inWorld(t, policy, func(w *world) {
		chat, ticket := alert("NewPattern", "checkout", "chat"), alert("DiskFills", "search", "ticket")
		w.alerts(chat, ticket)
		w.alerts(chat, ticket)
		w.expect(len(w.all()), 0)
		list, err := w.Standing(w.ctx, inquest.AlertFiring, "")
		if err != nil || len(list) != 2 {
			t.Fatalf("%d standing alerts, %v", len(list), err)
		}
		time.Sleep(time.Minute)
		w.alerts(over(ticket), over(chat))
		w.alerts(alert("DiskFills", "search", "ticket"))
		list, err = w.Standing(w.ctx, inquest.AlertFiring, "search")
		if err != nil || len(list) != 1 || list[0].Times != 2 || !list[0].First.Before(list[0].Fired) {
			t.Errorf("after the second time: %+v, %v", list, err)
		}
		records, _ := w.records.List(w.ctx, store.Query{Kind: "notice"})
		var ids []string
		for _, r := range records {
			ids = append(ids, r.ID[strings.LastIndex(r.ID[:len(r.ID)-6], "/")+1:])
		}
		w.expect(ids, []string{"alert-1/slack", "alert-resolved-1/slack"})
	})
}

func TestADeskNeedsWhatItStandsOn(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  incident.Config
		want string
	}{
		"no records":                   {incident.Config{}, "needs Records"},
		"leaders without a name":       {incident.Config{Records: newMemory(), Leaders: leaders{}}, "needs a name of its own"},
		"a route to nowhere":           {incident.Config{Records: newMemory(), Policy: incident.Policy{Routes: []incident.Route{{}}}}, "route 1 names no channel"},
		"a level that tells nobody":    {incident.Config{Records: newMemory(), Policy: incident.Policy{Escalation: []incident.Level{{After: time.Minute}}}}, "level 1 names no channel"},
		"levels in the wrong order":    {incident.Config{Records: newMemory(), Policy: incident.Policy{Escalation: []incident.Level{{After: time.Hour, Channels: []string{"a"}}, {After: time.Minute, Channels: []string{"a"}}}}}, "list them in the order"},
		"a share that is a percentage": {incident.Config{Records: newMemory(), Policy: incident.Policy{Severe: 50}}, "from 0 to 1"},
		"a negative revenue":           {incident.Config{Records: newMemory(), Policy: incident.Policy{Services: map[string]incident.Service{"a": {Revenue: -1}}}}, "must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := incident.New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// leaders gives the lease to one holder.
type leaders struct{ holder string }

func (l leaders) Lead(_ context.Context, _, holder string, _ time.Duration) (bool, error) {
	return holder == l.holder, nil
}
