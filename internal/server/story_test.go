package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web/browsertest"
)

// channel is where messages go: it counts each by its id and its kind.
type channel struct {
	*httptest.Server
	mu    sync.Mutex
	count map[string]int    // by Webhook-Id
	text  map[string]string // the same
}

func newChannel(t *testing.T) *channel {
	c := &channel{count: map[string]int{}, text: map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		id := r.Header.Get("Webhook-Id")
		c.count[id]++
		c.text[id] = string(b)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *channel) settings() map[string]server.Channel {
	return map[string]server.Channel{"hook": {Webhook: &server.Webhook{URL: c.URL}, Allow: []string{"127.0.0.0/8"}}}
}

// got is how often each message came.
func (c *channel) got() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for id, n := range c.count {
		out[id] = n
	}
	return out
}

const objective = `apiVersion: openslo/v1
kind: SLO
metadata: {name: cart-availability}
spec:
  service: nginx
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.999}]
`

// traffic writes what a gateway and the service behind it log of requests at given times.
func traffic(p *person, gateway, shop *person, from time.Time, n int, pace time.Duration, fail func(i int) bool) {
	p.t.Helper()
	var access, log strings.Builder
	for i := range n {
		at := from.Add(time.Duration(i) * pace).UTC()
		status, level, msg := 200, "info", "request completed"
		if fail(i) {
			status, level, msg = 500, "error", "request failed: connect ECONNREFUSED 10.2.0.9:5432"
		}
		id := fmt.Sprintf("%032x", at.UnixNano())
		fmt.Fprintf(&access, "10.0.0.%d - - [%s] \"GET /api/cart HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 uct=\"0.001\" urt=\"0.011\" ua=\"10.1.0.5:3000\" us=\"%d\" rid=%s\n", i%200, at.Format("02/Jan/2006:15:04:05 -0700"), status, status, id)
		fmt.Fprintf(&log, "{\"time\":%q,\"level\":%q,\"service\":\"shop\",\"requestId\":%q,\"msg\":%q}\n", at.Format("2006-01-02T15:04:05.000Z"), level, id, msg)
	}
	for path, who := range map[string]struct {
		*person
		text string
	}{"/api/v1/logs?service=nginx": {gateway, access.String()}, "/api/v1/logs?service=shop": {shop, log.String()}} {
		if status, text := who.send("POST", path, "text/plain", who.text); status != http.StatusOK {
			p.t.Fatalf("%s: %d %s", path, status, text)
		}
	}
}

// TestAnOutageInABrowserOnEachStore is the whole story on the wired server: what people see and do from the first failing request to the review, and
// after a restart.
func TestAnOutageInABrowserOnEachStore(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"SQLite": func(*testing.T) string { return "" }, "PostgreSQL": func(t *testing.T) string { return database(t, "story") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, hook := t.TempDir(), newChannel(t)
			slo := filepath.Join(dir, "slo.yaml")
			if err := os.WriteFile(slo, []byte(objective), 0o600); err != nil {
				t.Fatal(err)
			}
			settings := server.Settings{Data: filepath.Join(dir, "data"), Database: database(t), Access: people(t), Services: map[string]server.Service{"nginx": {Critical: true, Calls: []string{"shop"}}},
				Rules: server.Rules{Interval: time.Second, SLOs: []string{slo}}, Channels: hook.settings(), Tell: []server.Tell{{Channel: "hook"}}}
			story(t, settings, hook)
		})
	}
}

func story(t *testing.T, settings server.Settings, hook *channel) {
	s := start(t, settings, nil)
	settings.Listen.Address = strings.TrimPrefix(s.at, "http://") // where people find it again
	admin := signIn(t, s.at, "admin")
	gateway, shop, pipeline := admin.program("nginx"), admin.program("shop"), admin.program("db-primary")
	healthy := func(int) bool { return false }
	traffic(admin, gateway, shop, time.Now().Add(-4*time.Minute), 1200, 200*time.Millisecond, healthy)
	if status, text := pipeline.send("POST", "/api/v1/changes", "application/json", `{"kind":"config","service":"db-primary","summary":"a new address"}`); status != http.StatusOK {
		t.Fatalf("the change is not taken: %d %s", status, text)
	}

	tab := browsertest.NewTab(browsertest.Start(t), t, s.at)
	tab.Open("/incidents")
	enter(tab, "a guess of its own")
	tab.Says("name or password are wrong")
	tab.Heard() // the browser notes the 401
	enter(tab, password)
	tab.Until(`location.pathname === "/incidents"`)
	tab.Says("No incident fits")
	tab.Open("/")
	tab.Until(`document.querySelector(".services") && document.body.textContent.includes("nginx")`)
	tab.Says("Nothing is open")
	for path, text := range map[string]string{"/slos": "cart-availability", "/changes": "a new address", "/patterns": "request completed", "/settings": "CriticalServiceFailing", "/settings#channels": "hook"} {
		tab.Open(path)
		tab.Says(text)
	}

	// It breaks while somebody looks at the overview, which shows it by itself.
	tab.Open("/")
	began := time.Now().UTC()
	var id string
	until(t, "an incident with a verdict", func() bool {
		traffic(admin, gateway, shop, time.Now().Add(-500*time.Millisecond), 10, 50*time.Millisecond, func(i int) bool { return i%2 == 0 })
		time.Sleep(400 * time.Millisecond)
		all := read[list](admin, "/incidents").Items
		if len(all) > 1 {
			t.Fatalf("one outage, %d incidents: %+v", len(all), all)
		}
		if len(all) == 1 && all[0].Verdict.Mechanism == "database/down" {
			id = all[0].ID
		}
		return id != ""
	})
	t.Logf("%s from the first failing request to the verdict", time.Since(began).Round(100*time.Millisecond))
	// So many more that the budget burns beyond doubt, however fast the verdict was there.
	traffic(admin, gateway, shop, time.Now().Add(-5*time.Second), 200, 25*time.Millisecond, func(i int) bool { return i%2 == 0 })
	tab.Until(`document.querySelector('a[href="/incidents/` + id + `"]')`)
	tab.Press(`a[href="/incidents/` + id + `"]`)
	tab.Says("10.2.0.9")
	for _, v := range tab.Serious() {
		t.Error("axe:", v)
	}
	handle(tab, id, func() []inquest.Alert { return read[view](admin, "/incidents/"+id).Incident.Alerts })
	lookUp(t, tab, admin)
	for _, v := range tab.Heard() {
		t.Error("the console says:", v)
	}

	// What is written down is there after a restart, and whoever has signed in still is.
	before := read[view](admin, "/incidents/"+id)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	start(t, settings, nil)
	after := read[view](admin, "/incidents/"+id)
	if after.Incident.State != inquest.IncidentResolved || after.Incident.Owner != "responder" || after.Incident.Severity != inquest.SEV3 || len(after.Timeline) < len(before.Timeline) || after.Incident.Revision != before.Incident.Revision {
		t.Errorf("before %+v\nafter %+v", before.Incident, after.Incident)
	}
	tab.Open("/incidents/" + id)
	tab.Says("pointed the shop at the new address")
	tab.Press(`form[action$="/review"] button`) // it was graver: refused without a postmortem, and the browser notes the 409
	tab.Says("before it became SEV-3")
	tab.Heard()
	tab.Open("/incidents/" + id)
	tab.Click("details.fold summary")
	tab.Fill(`form[action$="/waive"] input[name=text]`, "an exercise")
	tab.Press(`form[action$="/waive"] button`)
	tab.Says("No postmortem: an exercise")
	tab.Press(`form[action$="/review"] button`)
	tab.Until(`document.querySelector(".outage .st-reviewed")`)
	for message, n := range hook.got() {
		if n != 1 {
			t.Errorf("%s was sent %d times", message, n)
		}
	}
	for _, occasion := range []string{"opened", "acknowledged", "mitigated", "resolved"} {
		if hook.got()[id+"/"+occasion+"-1/hook"] != 1 {
			t.Errorf("nobody was told that it is %s: %v", occasion, hook.got())
		}
	}
}

// view is an incident with what the pages show of it.
type view struct {
	Incident inquest.Incident
	Timeline []inquest.IncidentEntry
}

func enter(tab *browsertest.Tab, password string) {
	tab.T.Helper()
	tab.Fill("input[name=name]", "responder")
	tab.Fill("input[name=password]", password)
	tab.Press("form[action='/login'] button")
}

// handle does what a responder does with an incident, until it is resolved.
func handle(tab *browsertest.Tab, id string, alerts func() []inquest.Alert) {
	tab.T.Helper()
	tab.Press(`form[action$="/acknowledge"] button`) // from now on it is theirs
	tab.Says("responder has it")
	tab.Fill("#note", "pointed the shop at the new address <b>of the database</b>")
	tab.Press(".note button")
	tab.Says("pointed the shop at the new address <b>of the database</b>")
	tab.Click("details.fold summary")
	tab.Fill(`form[action$="/severity"] select`, "3")
	tab.Press(`form[action$="/severity"] button`)
	tab.Says("SEV-3")
	tab.Press(`form[action$="/mitigate"] button`)
	tab.Until(`document.querySelector(".outage .st-mitigated")`)
	tab.Press(`.acts form[action$="/resolve"] button`) // an alert still fires: refused, and the browser notes the 409
	tab.Says("alerts still fire")
	tab.Heard()
	settled(tab.T, alerts) // another one that fires after the end would open it again, as it should
	tab.Open("/incidents/" + id)
	tab.Click("details.fold summary")
	tab.Fill(`form[action$="/resolve"].inline input[name=text]`, "its rule looks back five minutes")
	tab.Press(`form[action$="/resolve"].inline button`)
	tab.Until(`document.querySelector(".outage .st-resolved")`)
}

// settled waits until all rules that page for the outage have done so, and none has found anything new for as long as several evaluations take.
func settled(t testing.TB, alerts func() []inquest.Alert) {
	t.Helper()
	var last []inquest.Alert
	since := time.Now()
	until(t, "the alerts of the incident stay as they are", func() bool {
		now := alerts()
		if len(now) != len(last) {
			last, since = now, time.Now()
		}
		for _, rule := range []string{"CriticalServiceFailing", "BudgetBurnsFast", "BudgetBurns"} {
			if !slices.ContainsFunc(now, func(a inquest.Alert) bool { return a.Rule == rule }) {
				return false
			}
		}
		return time.Since(since) > 5*time.Second
	})
}

// lookUp finds a failed request by its id, as a user reads it to support.
func lookUp(t *testing.T, tab *browsertest.Tab, admin *person) {
	t.Helper()
	patterns := read[struct {
		Items []struct {
			Example struct {
				RequestID string `json:"request_id"`
			}
		}
	}](admin, "/patterns?q=ECONNREFUSED")
	if len(patterns.Items) == 0 {
		t.Fatal("the line that failed is no pattern")
	}
	id := patterns.Items[0].Example.RequestID
	tab.Open("/errors")
	tab.Fill(`form.inline input[name=id]`, id)
	tab.Press(`form.inline button.primary`)
	tab.Says("2 lines")
	tab.Says("GET /api/cart 500")
	tab.Says("connect ECONNREFUSED 10.2.0.9:5432")
}
