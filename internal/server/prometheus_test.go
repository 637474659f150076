package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store/promtest"
)

// shop is a service that Prometheus scrapes: twenty requests a second, of which half fail while it is broken.
type shop struct {
	*httptest.Server
	broken atomic.Bool

	mu         sync.Mutex
	seen       time.Time
	ok, failed float64
}

func newShop(t *testing.T) *shop {
	s := &shop{seen: time.Now()}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 20 * time.Since(s.seen).Seconds()
		s.seen = time.Now()
		if s.broken.Load() {
			s.failed += n / 2
			n /= 2
		}
		s.ok += n
		fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total{service=\"checkout\",code=\"200\"} %g\nhttp_requests_total{service=\"checkout\",code=\"500\"} %g\n", s.ok, s.failed)
		fmt.Fprint(w, "# TYPE db_pool_connections gauge\ndb_pool_connections{service=\"checkout\",state=\"used\"} 3\n")
	}))
	t.Cleanup(s.Close)
	return s
}

// watched starts a Prometheus that scrapes the shop, and its Alertmanager, whose webhook is the server's.
func watched(t *testing.T, s *shop) (prometheus, alertmanager *promtest.Server, tellServer func(at, key string)) {
	t.Helper()
	dir := t.TempDir()
	rules, key := filepath.Join(dir, "rules.yml"), filepath.Join(dir, "token")
	const rule = `groups: [{name: shop, rules: [{alert: CheckoutFails, labels: {severity: critical}, annotations: {summary: "checkout answers 5xx"}, for: 1s,
  expr: 'sum by (service) (rate(http_requests_total{code=~"5.."}[10s])) / sum by (service) (rate(http_requests_total[10s])) > 0.05'}]}]`
	for file, text := range map[string]string{rules: rule, key: "not yet"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The Alertmanager wants an address before the server has one: this one passes on.
	var server atomic.Pointer[string]
	pass := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := server.Load()
		if at == nil {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, *at+"/api/v1/hooks/alertmanager", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(pass.Close)
	run := func(s *promtest.Server, err error) *promtest.Server {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(s.Log())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	alertmanager = run(promtest.Alertmanager(fmt.Sprintf("route: {receiver: inquest, group_wait: 100ms, group_interval: 1s, repeat_interval: 3s}\n"+
		"receivers: [{name: inquest, webhook_configs: [{url: %q, send_resolved: true, http_config: {authorization: {credentials_file: %q}}}]}]\n", pass.URL, key)))
	prometheus = run(promtest.Prometheus(fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]\nalerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n",
		rules, strings.TrimPrefix(s.URL, "http://"), strings.TrimPrefix(alertmanager.URL, "http://"))))
	return prometheus, alertmanager, func(at, token string) {
		if err := os.WriteFile(key, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		server.Store(&at)
	}
}

// TestAlertsOfARealPrometheusOpenAndResolveIncidents: metrics are in a real Prometheus, which scrapes a service that begins to fail; its alert
// comes by a real Alertmanager, which has a token, tells again every three seconds, and is started again on the way.
func TestAlertsOfARealPrometheusOpenAndResolveIncidents(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	prometheus, alertmanager, tellServer := watched(t, s)
	// Our own rule asks the real store for what it scraped. Shipped ones look back five minutes, for which a test does not wait.
	own := filepath.Join(t.TempDir(), "own.yml")
	if err := os.WriteFile(own, []byte(`groups: [{name: own, rules: [{alert: SeenByUs, labels: {severity: page}, annotations: {summary: "5xx"},
  expr: 'sum by (service) (rate(http_requests_total{code=~"5..", job="shop"}[10s])) > 1'}]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	inquestServer := start(t, server.Settings{Data: t.TempDir(), Name: "one", Access: people(t), Metrics: server.Metrics{Remote: prometheus.URL}, Rules: server.Rules{Interval: time.Second, NoShipped: true, Files: []string{own}},
		Services: map[string]server.Service{"checkout": {Critical: true}}, Incident: server.Incident{Calm: 2 * time.Second}}, nil)
	admin := signIn(t, inquestServer.at, "admin")
	tellServer(inquestServer.at, admin.program("alertmanager").bearer)
	logs := admin.program("checkout")
	requests := func(n int, status int, text string) {
		t.Helper()
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "{\"time\":%q,\"level\":%q,\"method\":\"POST\",\"path\":\"/pay\",\"status\":%d,\"duration_ms\":%d,\"msg\":%q}\n",
				time.Now().UTC().Format(time.RFC3339Nano), map[bool]string{true: "info", false: "error"}[status < 500], status, 5+i%3, text)
		}
		if status, text := logs.send("POST", "/api/v1/logs?service=checkout", "text/plain", b.String()); status != http.StatusOK {
			t.Fatalf("its log is not taken: %d %s", status, text)
		}
	}
	for range 8 {
		requests(20, 200, "paid")
		time.Sleep(time.Second)
	}
	if got := read[list](admin, "/incidents"); len(got.Items) != 0 {
		t.Fatalf("all is well, and there is an incident: %+v", got)
	}

	s.broken.Store(true)
	var inc inquest.Incident
	until(t, "an incident with a verdict", func() bool {
		requests(5, 200, "paid")
		requests(5, 500, "payment failed: connect ECONNREFUSED 10.2.0.9:5432")
		time.Sleep(500 * time.Millisecond)
		if all := read[list](admin, "/incidents").Items; len(all) > 0 {
			inc = all[0]
		}
		return inc.Verdict.Mechanism != "" && len(inc.Alerts) > 1
	})
	if inc.Verdict.Mechanism != "database/down" || !slices.Equal(inc.Services, []string{"checkout"}) || len(inc.Alerts) == 0 {
		t.Fatalf("%+v", inc)
	}
	slices.SortFunc(inc.Alerts, func(a, b inquest.Alert) int { return strings.Compare(a.Rule, b.Rule) })
	if a := inc.Alerts[0]; a.Rule != "CheckoutFails" || a.Source != "alertmanager" || !strings.Contains(a.URL, "/graph?g0.expr=") || a.Annotations["summary"] != "checkout answers 5xx" {
		t.Errorf("its alert: %+v", a)
	}
	if a := inc.Alerts[1]; a.Rule != "SeenByUs" || a.Source != "rules" || a.Value <= 1 {
		t.Errorf("our own: %+v", a)
	}
	res, err := http.Get(prometheus.URL + "/api/v1/query?query=" + url.QueryEscape(`count(inquest_requests_total{instance="one"}) == count(inquest_requests_total)`))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(text), `"value":`) {
		t.Errorf("what this server counts does not have its name, by which the counts of others are told apart: %s, %v", text, err)
	}
	_ = res.Body.Close()
	if err := alertmanager.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := alertmanager.Resume(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second) // it tells again
	if all := read[list](admin, "/incidents").Items; len(all) != 1 {
		t.Errorf("one outage, %d incidents: %+v", len(all), all)
	}
	checkStore(t, admin, inc.ID)

	s.broken.Store(false)
	defer func() {
		if t.Failed() {
			_, text := admin.send("GET", "/api/v1/incidents/"+inc.ID, "", "")
			t.Logf("in the end: %+v\n%.6000s", inc, text)
		}
	}()
	until(t, "resolved", func() bool {
		requests(5, 200, "paid")
		time.Sleep(500 * time.Millisecond)
		for _, i := range read[list](admin, "/incidents").Items {
			if i.ID != inc.ID {
				t.Fatalf("a second incident: %+v", i)
			}
			inc = i
		}
		return inc.State == inquest.IncidentResolved
	})
	if inc.Resolved.Before(inc.Opened) || slices.ContainsFunc(inc.Alerts, func(a inquest.Alert) bool { return a.State != inquest.AlertResolved }) {
		t.Errorf("%+v", inc)
	}
	for _, text := range []string{"rule ", "counting", "tiers", "counts"} {
		if all := inquestServer.with(text); len(all) > 0 {
			t.Errorf("it complains: %q", all)
		}
	}
}

type list struct{ Items []inquest.Incident }

// checkStore looks whether what is asked of the metrics store is answered by the real one: series that it scraped are evidence, and ours are on the pages.
func checkStore(t *testing.T, p *person, id string) {
	t.Helper()
	if _, text := p.send("GET", "/api/v1/incidents/"+id, "", ""); strings.Contains(text, "could not be read") {
		t.Errorf("something could not be read: %s", text)
	}
	_, report := p.send("GET", "/incidents/"+id, "", "")
	if !strings.Contains(report, "ECONNREFUSED") {
		t.Errorf("its page does not quote the log: %.2000s", report)
	}
	until(t, "the service with its share of failures on the overview", func() bool {
		o := read[struct {
			Services []struct {
				Service string
				Ratio   float64
			}
		}](p, "/overview")
		return len(o.Services) == 1 && o.Services[0].Service == "checkout" && o.Services[0].Ratio > 0.05
	})
}
