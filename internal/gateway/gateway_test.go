package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/accesslog"
)

// log keeps what the gateway writes.
type log struct {
	mu      sync.Mutex
	entries []accesslog.Entry
	events  []gateway.Event
	reports []gateway.Report
}

func (l *log) Write(e *accesslog.Entry) {
	l.mu.Lock()
	l.entries = append(l.entries, *e)
	l.mu.Unlock()
}

func (l *log) last() accesslog.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return accesslog.Entry{}
	}
	return l.entries[len(l.entries)-1]
}

func (l *log) kinds() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.events {
		out = append(out, e.Kind)
	}
	return out
}

// serve builds a gateway before a service with this handler. edit may change its configuration.
func serve(t *testing.T, h http.HandlerFunc, edit func(*gateway.Config)) (*gateway.Gateway, *log) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	cfg := gateway.Config{Upstreams: map[string]gateway.Upstream{"web": {Servers: []string{s.URL}}}, Routes: []gateway.Route{{Name: "web", Upstream: "web"}}}
	if edit != nil {
		edit(&cfg)
	}
	l := &log{}
	g, err := gateway.New(cfg, gateway.Options{Log: l, Events: func(e gateway.Event) { l.mu.Lock(); l.events = append(l.events, e); l.mu.Unlock() },
		Reports: func(r gateway.Report) error { l.reports = append(l.reports, r); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g, l
}

func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func ask(g http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestTheMostSpecificRouteIsTaken(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-Host")+r.URL.Path)
	}
	g, l := serve(t, echo, func(c *gateway.Config) {
		c.Routes = []gateway.Route{
			{Name: "all", Upstream: "web"}, {Name: "api", Path: "/api", Upstream: "web"}, {Name: "api-v2", Path: "/api/v2/", Upstream: "web", StripPrefix: "/api", AddPrefix: "/new"},
			{Name: "shop", Host: "shop.example", Upstream: "web"}, {Name: "any-shop", Host: "*.shop.example", Upstream: "web"},
			{Name: "post", Path: "/api", Methods: []string{"POST"}, Upstream: "web"},
		}
	})
	for _, c := range []struct{ method, target, route, path string }{
		{"GET", "http://x/", "all", "/"}, {"GET", "http://x/apix", "all", "/apix"}, {"GET", "http://x/api", "api", "/api"}, {"GET", "http://x/api/1", "api", "/api/1"},
		{"GET", "http://x/api/v2/a", "api-v2", "/new/v2/a"}, {"POST", "http://x/api/1", "post", "/api/1"}, {"GET", "http://SHOP.example:8080/api", "shop", "/api"},
		{"GET", "http://a.shop.example/", "any-shop", "/"}, {"GET", "http://ashop.example/", "all", "/"},
	} {
		w := ask(g, c.method, c.target)
		if got := l.last().Route; got != c.route || !strings.HasSuffix(w.Body.String(), c.path) {
			t.Errorf("%s %s went to %s with %q, want %s with %s", c.method, c.target, got, w.Body, c.route, c.path)
		}
	}
}

func TestWhatNoRouteTakes(t *testing.T) {
	g, l := serve(t, says(200, "text/plain", "ok"), func(c *gateway.Config) {
		c.Routes = []gateway.Route{{Name: "a", Path: "/a", Methods: []string{"GET"}, Upstream: "web"}}
	})
	if w := ask(g, "GET", "/b"); w.Code != 404 || l.last().Reason != "no-route" {
		t.Errorf("unknown path: %d, %s", w.Code, l.last().Reason)
	}
	if w := ask(g, "POST", "/a"); w.Code != 405 || l.last().Reason != "no-route" {
		t.Errorf("unknown method: %d, %s", w.Code, l.last().Reason)
	}
}

func TestForwardingHeadersAreBelievedOfTrustedProxiesOnly(t *testing.T) {
	seen := http.Header{}
	h := func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }
	for _, c := range []struct {
		trusted        []string
		forwarded, log string
	}{{nil, "192.0.2.1", "192.0.2.1"}, {[]string{"192.0.2.0/24"}, "203.0.113.9, 192.0.2.77, 192.0.2.1", "203.0.113.9"}} {
		g, l := serve(t, h, func(cfg *gateway.Config) { cfg.TrustedProxies = c.trusted })
		ask(g, "GET", "/", "X-Forwarded-For: 203.0.113.9, 192.0.2.77") // httptest's client is 192.0.2.1
		if got := seen.Get("X-Forwarded-For"); got != c.forwarded || l.last().Client != c.log {
			t.Errorf("trusting %v: forwarded %q, logged %q", c.trusted, got, l.last().Client)
		}
	}
}

func TestIdsAreKeptMadeOrRefused(t *testing.T) {
	var id, parent string
	g, l := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		id, parent = r.Header.Get("X-Request-Id"), r.Header.Get("Traceparent")
	}, nil)
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	w := ask(g, "GET", "/", "X-Request-Id: abc-12345678", "Traceparent: "+good)
	if id != "abc-12345678" || parent != good || w.Header().Get("X-Request-Id") != id || l.last().TraceID != good[3:35] {
		t.Errorf("kept: %q %q, logged %q", id, parent, l.last().TraceID)
	}
	for _, bad := range []string{"../../etc/passwd", strings.Repeat("a", 200), "a b c d e f g h", "<script>alert(1)</script>", "\x1b[31mred-red"} {
		ask(g, "GET", "/", "X-Request-Id: "+bad)
		if id == bad || len(id) != 32 || l.last().RequestID != id {
			t.Errorf("%q became %q", bad, id)
		}
	}
	for _, bad := range []string{"00-00000000000000000000000000000000-b7ad6b7169203331-01", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x"} {
		ask(g, "GET", "/", "Traceparent: "+bad)
		if parent == bad || len(parent) != 55 {
			t.Errorf("traceparent %q became %q", bad, parent)
		}
	}
}

func TestRateLimits(t *testing.T) {
	g, l := serve(t, says(200, "text/plain", "ok"), func(c *gateway.Config) {
		c.Routes[0].RateLimit = &gateway.RateLimit{Requests: 2, Per: time.Minute, Burst: 2}
	})
	for range 2 {
		if w := ask(g, "GET", "/"); w.Code != 200 || w.Header().Get("RateLimit") == "" {
			t.Errorf("within the limit: %d, RateLimit %q", w.Code, w.Header().Get("RateLimit"))
		}
	}
	w := ask(g, "GET", "/")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || l.last().Reason != "limited" || l.last().Attempts != 0 {
		t.Errorf("beyond it: %d, Retry-After %q, logged %+v", w.Code, w.Header().Get("Retry-After"), l.last())
	}
}

func TestABodyThatIsTooLargeIs413(t *testing.T) {
	g, l := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, func(c *gateway.Config) { c.Routes[0].MaxBody = 10 })
	for _, r := range []*http.Request{httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("a", 11))), chunked(strings.Repeat("a", 11))} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != 413 || l.last().Reason != "too-large" {
			t.Errorf("%d, %s (%s)", w.Code, l.last().Reason, l.last().Detail)
		}
	}
}

func chunked(s string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(s)))
	r.ContentLength = -1
	return r
}

func TestMaintenance(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte("<h1>Our own page</h1>"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := gateway.Maintenance{On: true, Page: page, Until: time.Now().Add(time.Hour)}
	g, l := serve(t, says(200, "text/plain", "ok"), func(c *gateway.Config) { c.Routes[0].Maintenance = &closed })
	w := ask(g, "GET", "/", "Accept: text/html")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "Our own page") || l.last().Reason != "maintenance" || l.last().ErrorID == "" {
		t.Errorf("closed: %d %s, logged %+v", w.Code, w.Body, l.last())
	}
	for _, c := range []struct {
		why string
		m   gateway.Maintenance
		n   int
	}{
		{"for somebody else", gateway.Maintenance{On: true, Allow: []string{"198.51.100.0/24"}}, 503}, {"but not for us", gateway.Maintenance{On: true, Allow: []string{"192.0.2.1"}}, 200},
		{"expired", gateway.Maintenance{On: true, Until: time.Now().Add(-time.Second)}, 200}, {"off", gateway.Maintenance{}, 200},
	} {
		if err := g.SetMaintenance("web", c.m, "ada"); err != nil {
			t.Fatal(err)
		}
		if w := ask(g, "GET", "/"); w.Code != c.n {
			t.Errorf("%s: %d", c.why, w.Code)
		}
	}
	if err := g.SetMaintenance("gone", gateway.Maintenance{}, ""); err == nil || !strings.Contains(err.Error(), `known: ["web"]`) {
		t.Errorf("an unknown route: %v", err)
	}
}

func TestAuditChangesNothingAndRecordsEverything(t *testing.T) {
	trace := "java.lang.IllegalStateException: x\n\tat com.shop.A.b(A.java:1)\n"
	for _, c := range []struct {
		why, kind, body, would string
		status                 int
	}{
		{"a leak", "text/plain", trace, "body replaced (leaks stack", 500}, {"a limit", "application/json", `{"error":"rate limit exceeded"}`, "500 to 429 (limit-as-500)", 500},
		{"a lie", "application/json", `{"error":"internal error"}`, "200 to 500 (error-as-200)", 200}, {"no Retry-After", "text/plain", "down", "add Retry-After", 503},
	} {
		g, l := serve(t, says(c.status, c.kind, c.body), func(cfg *gateway.Config) { cfg.Audit = true })
		w := ask(g, "GET", "/")
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Retry-After") != "" {
			t.Errorf("%s was changed: %d %q", c.why, w.Code, w.Body)
		}
		if e := l.last(); !strings.Contains(e.Would, c.would) || e.Reason != "" {
			t.Errorf("%s: would %q, reason %q", c.why, e.Would, e.Reason)
		}
	}
}

func TestRulesOfTheUsersOwn(t *testing.T) {
	rule := gateway.Rule{Name: "quota", Statuses: []int{200, 500}, Body: []string{"Kontingent erschöpft"}, Not: []string{"test"}, Status: 429, RetryAfter: 7 * time.Second}
	g, l := serve(t, func(w http.ResponseWriter, r *http.Request) {
		says(500, "text/plain", "Fehler: kontingent erschöpft"+r.URL.Path)(w, r)
	}, func(c *gateway.Config) { c.Routes[0].Mapping.Own = []gateway.Rule{rule} })
	w := ask(g, "GET", "/")
	if w.Code != 429 || w.Header().Get("Retry-After") != "7" || w.Header().Get("X-Inquest-Rule") != "quota" || l.last().Rule != "quota" || l.last().Answered != 500 {
		t.Errorf("%d, %v, logged %+v", w.Code, w.Header(), l.last())
	}
	if w := ask(g, "GET", "/test"); w.Code != 500 {
		t.Errorf("the exception is mapped: %d", w.Code)
	}
}

func TestShippedRulesCanBeSwitchedOff(t *testing.T) {
	for _, off := range [][]string{{"limit-as-500"}, {"all"}} {
		g, _ := serve(t, says(500, "application/json", `{"error":"rate limit exceeded"}`), func(c *gateway.Config) { c.Routes[0].Mapping.Off = off })
		if w := ask(g, "GET", "/"); w.Code != 500 {
			t.Errorf("%v off: %d", off, w.Code)
		}
	}
}

func TestSanitisingKeepsWhatBrowsersNeedAndRecordsTheOriginal(t *testing.T) {
	g, l := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://shop.example")
		w.Header().Set("Server", "Apache/2.4")
		says(500, "text/plain", "panic: password=hunter2secret\n\ngoroutine 1 [running]:\nmain.main()\n")(w, r)
	}, nil)
	w := ask(g, "GET", "/", "Accept: application/problem+json")
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	id, _ := body["errorId"].(string)
	if w.Code != 500 || w.Header().Get("Access-Control-Allow-Origin") == "" || w.Header().Get("Server") != "" || id == "" || l.last().ErrorID != id {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if len(l.events) != 1 || l.events[0].ErrorID != id || !strings.Contains(l.events[0].Said, "goroutine 1") || strings.Contains(l.events[0].Said, "hunter2secret") {
		t.Errorf("the record: %+v", l.events)
	}
}

func TestAnErrorHasTheShapeThatTheClientWouldRatherHave(t *testing.T) {
	g, _ := serve(t, says(500, "text/plain", "panic: x\n\ngoroutine 1 [running]:\n"), nil)
	for accept, want := range map[string]string{
		"": "application/json", "image/png": "application/json", "application/problem+json": "application/problem+json",
		"text/html,application/xhtml+xml,*/*;q=0.8":          "text/html; charset=utf-8", // a browser
		"application/json, text/html;q=0.1":                  "application/json",
		"application/problem+json;q=0.1, application/json":   "application/json",
		"application/problem+json;q=0, text/html;q=0.5, */*": "application/json",
	} {
		w := ask(g, "GET", "/", "Accept: "+accept)
		if got := w.Header().Get("Content-Type"); w.Code != 500 || got != want || w.Header().Get("Vary") != "Accept" {
			t.Errorf("%q: %d, %s, Vary %q, want %s", accept, w.Code, got, w.Header().Get("Vary"), want)
		}
	}
}

func TestReportsOfUsers(t *testing.T) {
	g, l := serve(t, says(500, "text/plain", "panic: x\n\ngoroutine 1 [running]:\n"), func(c *gateway.Config) { c.Reports.File = "somewhere" })
	w := ask(g, "GET", "/", "Accept: text/html")
	id := l.last().ErrorID
	if !strings.Contains(w.Body.String(), `name="id" value="`+id+`"`) || !strings.Contains(w.Body.String(), `action="/.well-known/inquest/report"`) {
		t.Fatalf("no form: %s", w.Body)
	}
	post := func(form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/.well-known/inquest/report", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	if w := post(url.Values{"id": {id}, "text": {"I clicked\n\"pay\"\x1b[31m"}}); w.Code != 202 || len(l.reports) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got, want := l.reports[0].Message, "a user reports "+id+`: I clicked "pay" [31m`; got != want || l.reports[0].ErrorID != id {
		t.Errorf("filed %q", got)
	}
	if w := post(url.Values{"id": {id}, "text": {"my card 4111 1111 1111 1111 and password=hunter22"}}); w.Code != 202 || len(l.reports) != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := l.reports[1].Message; strings.Contains(got, "4111") || strings.Contains(got, "hunter22") || !strings.Contains(got, "my card") {
		t.Errorf("a secret is filed: %q", got)
	}
	l.reports = l.reports[:1]
	for why, form := range map[string]url.Values{"no id": {"text": {"x"}}, "a wrong id": {"id": {"<script>"}}, "too long": {"id": {id}, "text": {strings.Repeat("x", 10000)}}} {
		if w := post(form); w.Code != 400 || len(l.reports) != 1 {
			t.Errorf("%s: %d", why, w.Code)
		}
	}
}

func TestOneHungUpstreamLeavesTheOthersFast(t *testing.T) {
	hang := make(chan struct{})
	sick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(sick.Close)
	t.Cleanup(func() { close(hang) })
	g, l := serve(t, says(200, "text/plain", "ok"), func(c *gateway.Config) {
		c.Upstreams["sick"] = gateway.Upstream{Servers: []string{sick.URL}, Timeouts: gateway.Timeouts{Response: time.Second}, Bulkhead: gateway.Bulkhead{InFlight: 60},
			Breaker: gateway.Breaker{OpenFor: time.Minute}}
		c.Routes = append(c.Routes, gateway.Route{Name: "sick", Path: "/sick", Upstream: "sick"})
	})
	var wg sync.WaitGroup
	statuses := make(chan int, 80)
	for range 80 {
		wg.Go(func() { statuses <- ask(g, "GET", "/sick").Code })
	}
	for range 20 {
		begun := time.Now()
		if w := ask(g, "GET", "/"); w.Code != 200 || time.Since(begun) > 500*time.Millisecond {
			t.Errorf("another route: %d after %v", w.Code, time.Since(begun))
		}
	}
	wg.Wait()
	got := map[int]int{}
	for range 80 {
		got[<-statuses]++
	}
	if got[504] > 60 || got[503] < 20 || got[503]+got[504] != 80 {
		t.Errorf("80 requests of which 60 may hang: %v", got)
	}
	begun := time.Now()
	w := ask(g, "GET", "/sick")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || time.Since(begun) > 300*time.Millisecond || l.last().Reason != "open" {
		t.Errorf("afterwards: %d, Retry-After %q, %s, after %v", w.Code, w.Header().Get("Retry-After"), l.last().Reason, time.Since(begun))
	}
	if reset, err := g.ResetBreaker("sick", "", "ada"); err != nil || len(reset) != 1 {
		t.Errorf("reset: %v, %v", reset, err)
	}
	if kinds := l.kinds(); !cmp.Equal(kinds[len(kinds)-1], "breaker-reset") || l.events[len(l.events)-1].By != "ada" {
		t.Errorf("events %v", kinds)
	}
}

func TestMetrics(t *testing.T) {
	g, _ := serve(t, says(503, "text/plain", "down"), nil)
	ask(g, "GET", "/")
	ask(g, "GET", "/")
	var b strings.Builder
	if err := g.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`inquest_gateway_responses_total{http_route="web",http_response_status_code="503"} 2`, `http_server_request_duration_seconds_count{http_route="web"} 2`,
		`inquest_gateway_upstream_requests_total{guard_dependency="web",server_address="127.0.0.1:`, `guard_breaker_state{guard_dependency="web"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, &b)
		}
	}
}

func TestFaultsNameThePathAndTheRemedy(t *testing.T) {
	up := map[string]gateway.Upstream{"web": {Servers: []string{"http://127.0.0.1:1"}}}
	three := 3
	for want, cfg := range map[string]gateway.Config{
		"routes: missing; write at least one route":                         {Upstreams: up},
		`routes.0.upstream: there is no upstream "x"; known: web`:           {Upstreams: up, Routes: []gateway.Route{{Upstream: "x"}}},
		`routes.1.name: the name "*/" is route 1's already`:                 {Upstreams: up, Routes: []gateway.Route{{Upstream: "web"}, {Upstream: "web"}}},
		`routes.0.path: "a" does not begin with a slash`:                    {Upstreams: up, Routes: []gateway.Route{{Path: "a", Upstream: "web"}}},
		`routes.0.host: "http://x" is no host`:                              {Upstreams: up, Routes: []gateway.Route{{Host: "http://x", Upstream: "web"}}},
		`routes.0.methods.0: "get" is no method`:                            {Upstreams: up, Routes: []gateway.Route{{Methods: []string{"get"}, Upstream: "web"}}},
		`routes.0.error_mapping: off: answer: no rule "x" to switch off`:    {Upstreams: up, Routes: []gateway.Route{{Upstream: "web", Mapping: gateway.Mapping{Off: []string{"x"}}}}},
		`routes.0.error_mapping: rule 1: no name`:                           {Upstreams: up, Routes: []gateway.Route{{Upstream: "web", Mapping: gateway.Mapping{Own: []gateway.Rule{{}}}}}},
		`upstreams.web: retries: at most two retries are honest`:            {Upstreams: map[string]gateway.Upstream{"web": {Servers: []string{"http://a"}, Retries: &three}}},
		`upstreams.web: servers of one upstream speak one protocol`:         {Upstreams: map[string]gateway.Upstream{"web": {Servers: []string{"http://a", "https://b"}}}},
		`upstreams.web: upstream web: no servers`:                           {Upstreams: map[string]gateway.Upstream{"web": {}}},
		`trusted_proxies.0: "x" is neither an address nor a network`:        {TrustedProxies: []string{"x"}},
		`admin: "0.0.0.0:9901": the admin API asks for no password`:         {Admin: "0.0.0.0:9901"},
		`listen.0.cert: cert and key go together`:                           {Listen: []gateway.Listen{{Address: ":1", Cert: "a"}}},
		`listen.0.acme: no domains`:                                         {Listen: []gateway.Listen{{Address: ":1", ACME: &gateway.ACME{}}}},
		`listen.1.address: :1 is listed twice`:                              {Listen: []gateway.Listen{{Address: ":1"}, {Address: ":1"}}},
		`routes.0.maintenance: allow: "x" is neither an address nor a netw`: {Upstreams: up, Routes: []gateway.Route{{Upstream: "web", Maintenance: &gateway.Maintenance{On: true, Allow: []string{"x"}}}}},
	} {
		var all []string
		for _, f := range gateway.Check(cfg) {
			all = append(all, f.Error())
		}
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("no %q in\n%s", want, strings.Join(all, "\n"))
		}
	}
	if _, err := gateway.New(gateway.Config{}, gateway.Options{}); err == nil {
		t.Error("a gateway without a log")
	}
}

func TestARequestBodyThatBreaksIsTheClients(t *testing.T) {
	g, l := serve(t, says(200, "text/plain", "ok"), nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Body = bomb{}
	r.ContentLength = 3
	w := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }()
		g.ServeHTTP(w, r)
	}()
	if l.last().Reason != "client-left" {
		t.Errorf("logged %+v", l.last())
	}
}

// bomb is a request body whose reading fails.
type bomb struct{}

func (bomb) Read([]byte) (int, error) { return 0, fmt.Errorf("the client's connection broke") }
func (bomb) Close() error             { return nil }

func TestAnInterimAnswerIsNotForHTTP10(t *testing.T) {
	g, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	}, nil)
	front := httptest.NewServer(g)
	defer front.Close()
	for proto, want := range map[string]string{"HTTP/1.0": "HTTP/1.0 200", "HTTP/1.1": "HTTP/1.1 103"} {
		c, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / "+proto+"\r\nHost: x\r\nConnection: close\r\n\r\n")
		got, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %v, %q, want %s first", proto, err, got, want)
		}
		_ = c.Close()
	}
}

func TestAStreamOfJSONIsNotHeldBackForItsNextLine(t *testing.T) {
	next := make(chan struct{})
	g, l := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{\"error\":1}\n")
		_ = http.NewResponseController(w).Flush()
		<-next
		_, _ = io.WriteString(w, "{\"error\":2}\n")
	}, nil)
	front := httptest.NewServer(g)
	defer front.Close()
	resp, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	first := make([]byte, len("{\"error\":1}\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	close(next) // only now does the service say more
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(first)+string(rest) != "{\"error\":1}\n{\"error\":2}\n" {
		t.Errorf("%v, %s%s", err, first, rest)
	}
	if e := l.last(); e.Status != 200 || e.Reason != "" {
		t.Errorf("logged %d, %s", e.Status, e.Reason)
	}
}
