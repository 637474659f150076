package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/pgtest"
	"github.com/inquesthq/inquest/internal/store/postgres"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

// The tests start this program again as a server of its own, to kill it.
const (
	childURL   = "INCIDENT_TEST_URL"
	childHook  = "INCIDENT_TEST_HOOK"
	childName  = "INCIDENT_TEST_NAME"
	childBegan = "INCIDENT_TEST_BEGAN"
	childCount = "INCIDENT_TEST_OUTAGES"
)

// pg is the PostgreSQL of all tests, started by the first that asks.
var pg = sync.OnceValues(pgtest.Start)

func TestMain(m *testing.M) {
	if os.Getenv(childURL) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if s, err := pg(); err == nil {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// database makes an empty one and returns its address.
func database(t *testing.T, name string) string {
	t.Helper()
	s, err := pg()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SQL("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// hook is the server behind the channel: it counts what it gets by id.
type hook struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]int
}

func newHook(t *testing.T) *hook {
	h := &hook{got: map[string]int{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got[r.Header.Get("Webhook-Id")]++
	}))
	t.Cleanup(h.Close)
	return h
}

// quick is a policy for tests in real time.
func quick() incident.Policy {
	return incident.Policy{
		Routes: []incident.Route{{Channel: "hook"}}, Services: map[string]incident.Service{"checkout": {Critical: true}},
		Calm: 300 * time.Millisecond, Wait: 10 * time.Second, Reopen: time.Hour, Settle: time.Hour,
	}
}

type records interface {
	store.Records
	store.Leaders
}

// serve runs a desk and a sender, as a server does, until ctx ends.
func serve(ctx context.Context, s records, name, hook string, failed func(error)) (*incident.Desk, func() error, error) {
	d, err := incident.New(incident.Config{Records: s, Leaders: s, Server: name, Lease: 600 * time.Millisecond, Policy: quick(), Failed: failed,
		Investigate: func(_ context.Context, j incident.Job) (*inquest.Diagnosis, error) {
			out := poolExhausted()
			out.Onset = j.Incident.Opened.Add(-time.Minute)
			out.Impact.Services = nil
			out.Timeline = nil
			out.Verdict.Culprit = j.Incident.Services[0]
			return out, nil
		}})
	if err != nil {
		return nil, nil, err
	}
	n, err := notify.New(notify.Config{
		Records: s, Poll: 20 * time.Millisecond, Timeout: time.Second, Lease: 2 * time.Second, Backoff: 50 * time.Millisecond, Failed: failed,
		Channels: []notify.Channel{{Name: "hook", Webhook: &notify.Webhook{URL: notify.Secret(hook)}, Allow: []string{"127.0.0.1"}}},
	})
	if err != nil {
		return nil, nil, err
	}
	var all sync.WaitGroup
	errs := make([]error, 2)
	all.Go(func() { errs[0] = d.Run(ctx) })
	all.Go(func() { errs[1] = n.Run(ctx) })
	return d, func() error { all.Wait(); return errors.Join(errs...) }, nil
}

// waitFor asks until it is so, for a minute at most.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

func TestAnIncidentFromAlertToReviewOnRealStores(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) records{
		"SQLite": func(t *testing.T) records {
			s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		},
		"PostgreSQL": func(t *testing.T) records { return connect(t, database(t, "story")) },
	} {
		t.Run(name, func(t *testing.T) {
			s, h := open(t), newHook(t)
			ctx, stop := context.WithCancel(context.Background())
			d, ended, err := serve(ctx, s, "a", h.URL, func(err error) { t.Errorf("went on after: %v", err) })
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				stop()
				if err := ended(); err != nil {
					t.Error(err)
				}
			}()
			a := alert("HighErrorRate", "checkout", "page")
			check := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			check(d.Alerts(ctx, []inquest.Alert{a, alert("DiskFills", "checkout", "ticket")}))
			all, err := d.List(ctx, incident.Filter{})
			check(err)
			id := all[0].ID
			get := func() *inquest.Incident { i, err := d.Get(ctx, id); check(err); return i }
			waitFor(t, "diagnosed and notified", func() bool { i := get(); return i.Revision == 1 && !i.Notified.IsZero() })
			_, err = d.Report(ctx, incident.UserReport{ErrorID: "ERR-1", Text: "it does not work"})
			check(err)
			w, err := d.AddWindow(ctx, incident.MaintenanceWindow{By: "ada", Why: "a new pool", Services: []string{"checkout"}, Incident: id, Until: time.Now().Add(time.Hour)})
			check(err)
			_, err = d.Acknowledge(ctx, id, by("ada"))
			check(err)
			check(d.Alerts(ctx, []inquest.Alert{over(a)}))
			time.Sleep(1500 * time.Millisecond)
			if i := get(); i.State != inquest.IncidentAcknowledged {
				t.Errorf("it is %s while its maintenance is on", i.State)
			}
			check(d.EndWindow(ctx, w.ID, "ada"))
			waitFor(t, "resolved", func() bool { return get().State == inquest.IncidentResolved })
			_, err = d.Waive(ctx, id, incident.Act{By: "ada", Text: "a drill"})
			check(err)
			_, err = d.Review(ctx, id, by("ada"))
			check(err)
			similar, err := d.Similar(ctx, id)
			check(err)
			stats, err := d.Stats(ctx, inquest.Window{})
			check(err)
			standing, err := d.Standing(ctx, inquest.AlertFiring, "checkout")
			check(err)
			if i := get(); i.State != inquest.IncidentReviewed || i.Reports != 1 || len(similar) != 0 || stats.Incidents != 1 || len(standing) != 1 {
				t.Errorf("%+v, %v, %+v, %v", i, similar, stats, standing)
			}
			entries, err := d.Timeline(ctx, id)
			check(err)
			for _, want := range []string{"fires", "opened as SEV-2", "revision 1", "delivered to hook", "a user reports error ERR-1", "maintenance of checkout", "acknowledged, was open", "has resolved", "resolved, was acknowledged", "no postmortem: a drill", "reviewed, was resolved"} {
				if !slices.ContainsFunc(entries, func(e inquest.IncidentEntry) bool { return strings.Contains(e.Text, want) }) {
					t.Errorf("no entry says %q", want)
				}
			}
		})
	}
}

func connect(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTwoServersThatGetTheSameAlertsOpenOneIncidentAndNotifyOnce(t *testing.T) {
	url, h := database(t, "two"), newHook(t)
	ctx, stop := context.WithCancel(context.Background())
	var desks []*incident.Desk
	var ends []func() error
	for _, name := range []string{"a", "b"} {
		d, ended, err := serve(ctx, connect(t, url), name, h.URL, func(err error) { t.Errorf("%s went on after: %v", name, err) })
		if err != nil {
			t.Fatal(err)
		}
		desks, ends = append(desks, d), append(ends, ended)
	}
	first, second := alert("HighErrorRate", "checkout", "page"), alert("SlowAnswers", "checkout", "page")
	var all sync.WaitGroup
	for _, d := range desks {
		all.Go(func() {
			for i := range 100 {
				if err := d.Alerts(ctx, [][]inquest.Alert{{first, second}, {second, first}}[i%2]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, d := range desks {
		if err := d.Alerts(ctx, []inquest.Alert{over(first), over(second)}); err != nil {
			t.Error(err)
		}
	}
	var incidents []inquest.Incident
	waitFor(t, "one resolved and told", func() bool {
		var err error
		if incidents, err = desks[0].List(ctx, incident.Filter{}); err != nil {
			t.Fatal(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		return incidents[0].State == inquest.IncidentResolved && len(h.got) >= 2
	})
	time.Sleep(500 * time.Millisecond) // whatever would come twice
	stop()
	for _, e := range ends {
		if err := e(); err != nil {
			t.Error(err)
		}
	}
	if len(incidents) != 1 || len(incidents[0].Alerts) != 2 {
		t.Fatalf("%d incidents: %+v", len(incidents), incidents)
	}
	id := incidents[0].ID
	want := map[string]int{id + "/opened-1/hook": 1, id + "/resolved-1/hook": 1}
	if fmt.Sprint(h.got) != fmt.Sprint(want) {
		t.Errorf("messages %v, want %v", h.got, want)
	}
	judge(t, desks[0], connect(t, url), id)
}

// judge looks for what a torn or a doubled write would leave.
func judge(t *testing.T, d *incident.Desk, s store.Records, id string) {
	t.Helper()
	ctx := context.Background()
	entries, err := d.Timeline(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	inc, err := d.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range entries {
		text, _, _ := strings.Cut(e.Text, ":")
		count[text]++
	}
	for text, n := range count {
		if n > 1 && !strings.Contains(text, "could not tell") {
			t.Errorf("%s: %d entries say %q", id, n, text)
		}
	}
	for _, want := range []string{"opened as " + inc.Severity.String(), "resolved, was open", "revision 1"} {
		if count[want] != 1 {
			t.Errorf("%s: %d entries say %q: %v", id, count[want], want, count)
		}
	}
	for _, a := range inc.Alerts {
		on := a.Rule + " on " + a.Service()
		if count[on+" fires"] != 1 || count[on+" has resolved"] != 1 || a.State != inquest.AlertResolved {
			t.Errorf("%s: alert %s: %v", id, on, count)
		}
	}
	revisions, err := d.Diagnoses(ctx, id)
	if err != nil || len(revisions) != inc.Revision {
		t.Errorf("%s: %d revisions, the incident says %d, %v", id, len(revisions), inc.Revision, err)
	}
	notices, err := s.List(ctx, store.Query{Kind: "notice", Parent: id})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range notices {
		ids = append(ids, strings.TrimPrefix(r.ID, id+"/")+" "+r.State)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "diagnosed-1/hook sent" }) // where the server that looked into it was killed, so that the first message went out without a verdict
	if got := strings.Join(ids, ", "); got != "opened-1/hook sent, resolved-1/hook sent" {
		t.Errorf("%s: notices %s", id, got)
	}
	if inc.State != inquest.IncidentResolved || inc.Notified.IsZero() || inc.Identified.IsZero() {
		t.Errorf("%s: %+v", id, inc)
	}
}

// outages is the world that the children see: one of a service of its own after another, each for a while.
const (
	every = 700 * time.Millisecond
	lasts = 2 * time.Second
)

// told returns the alerts of the outages as they are at a time: all that fire, and those that have ended.
func told(outages int, began, now time.Time) []inquest.Alert {
	var out []inquest.Alert
	for i := range outages {
		fired := began.Add(time.Duration(i) * every)
		if now.Before(fired) {
			break
		}
		service := fmt.Sprintf("service-%02d", i)
		a := inquest.Alert{Rule: "Down", Labels: map[string]string{"service": service, "severity": "page"}, Source: "rules", State: inquest.AlertFiring, Since: fired, Fired: fired}
		if end := fired.Add(lasts); now.After(end) {
			a.State, a.Resolved = inquest.AlertResolved, end
		}
		out = append(out, a)
	}
	return out
}

// child is a server: it evaluates the rules ten times a second, until it is killed.
func child() error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, postgres.Config{URL: os.Getenv(childURL), Connections: 4})
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(os.Getenv(childBegan), 10, 64)
	if err != nil {
		return err
	}
	outages, err := strconv.Atoi(os.Getenv(childCount))
	if err != nil {
		return err
	}
	d, _, err := serve(ctx, s, os.Getenv(childName), os.Getenv(childHook), func(err error) { fmt.Fprintln(os.Stderr, err) })
	if err != nil {
		return err
	}
	for {
		if err := d.Alerts(ctx, told(outages, time.UnixMicro(unix), time.Now())); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestServersThatAreKilledInALoopLoseNothingAndTellNothingTwice(t *testing.T) {
	url, h := database(t, "killed"), newHook(t)
	outages := 12
	if testing.Short() {
		outages = 4
	}
	began := time.Now().Add(time.Second)
	start := func(name string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), childURL+"="+url, childHook+"="+h.URL, childName+"="+name, childBegan+"="+strconv.FormatInt(began.UnixMicro(), 10), childCount+"="+strconv.Itoa(outages))
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	servers := []*exec.Cmd{start("a"), start("b")}
	kills := 0
	for end := began.Add(time.Duration(outages)*every + lasts); time.Now().Before(end); kills++ {
		time.Sleep(time.Duration(200+rand.IntN(700)) * time.Millisecond)
		i := rand.IntN(2)
		if err := servers[i].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = servers[i].Wait() // it was killed
		servers[i] = start([]string{"a", "b"}[i])
	}
	s := connect(t, url)
	d, err := incident.New(incident.Config{Records: s})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var all []inquest.Incident
	waitFor(t, "all is over and told", func() bool {
		if all, err = d.List(ctx, incident.Filter{}); err != nil {
			t.Fatal(err)
		}
		due, err := s.List(ctx, store.Query{Kind: "notice", State: "due"})
		if err != nil {
			t.Fatal(err)
		}
		quiet := len(all) == outages && len(due) == 0
		for _, i := range all {
			quiet = quiet && i.State == inquest.IncidentResolved && i.Revision > 0 && !i.Notified.IsZero()
		}
		return quiet
	})
	for _, c := range servers {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	services := map[string]bool{}
	want := map[string]bool{}
	for _, i := range all {
		services[strings.Join(i.Services, " ")] = true
		want[i.ID+"/opened-1/hook"], want[i.ID+"/resolved-1/hook"] = true, true
		judge(t, d, s, i.ID)
	}
	again := 0
	for id, n := range h.got {
		again += n - 1
		if _, err := s.Get(ctx, "notice", id); err != nil {
			t.Errorf("a message that nobody wrote: %s: %v", id, err)
		}
		delete(want, id)
	}
	if len(services) != outages || len(want) != 0 {
		t.Errorf("%d services in %d incidents; not sent: %v", len(services), len(all), want)
	}
	if again > kills {
		t.Errorf("%d repetitions after %d kills: only a kill between sending and writing it down may cause one", again, kills)
	}
	t.Logf("%d kills, %d incidents, %d messages, %d of them repeated under the same id", kills, len(all), len(h.got), again)
	var body map[string]json.RawMessage
	r, err := s.Get(ctx, "board", "incidents")
	if err != nil || json.Unmarshal(r.Body, &body) != nil || string(body["active"]) != "[]" {
		t.Errorf("the board %s, %v", r.Body, err)
	}
}
