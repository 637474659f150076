package health_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/health"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

func fixed(name string, s health.Status) health.Check {
	return health.Check{Name: name, Run: func(context.Context) health.Result { return health.Result{Status: s} }}
}

func optional(c health.Check) health.Check { c.Optional = true; return c }
func shared(c health.Check) health.Check   { c.Shared = true; return c }

func newHealth(t *testing.T, cfg health.Config) *http.ServeMux {
	t.Helper()
	h, err := health.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Register(mux)
	return mux
}

func ask(mux http.Handler, path string) (*httptest.ResponseRecorder, map[string]any) {
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var doc map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &doc)
	return w, doc
}

func TestWhoIsAliveAndWhoCanServe(t *testing.T) {
	most := func(unready, total int, err error) func(context.Context) (int, int, error) {
		return func(context.Context) (int, int, error) { return unready, total, err }
	}
	cases := map[string]struct {
		cfg           health.Config
		ready, report int
		status        string
	}{
		"nothing to check":      {health.Config{}, 200, 200, "pass"},
		"all well":              {health.Config{Checks: []health.Check{fixed("db", health.Pass)}}, 200, 200, "pass"},
		"a warning":             {health.Config{Checks: []health.Check{fixed("db", health.Warn)}}, 200, 200, "warn"},
		"one of two fails":      {health.Config{Checks: []health.Check{fixed("a", health.Pass), fixed("db", health.Fail)}}, 503, 503, "fail"},
		"an optional one fails": {health.Config{Checks: []health.Check{optional(fixed("mail", health.Fail))}}, 200, 200, "warn"},
		"down for everybody":    {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail))}, Peers: most(3, 4, nil)}, 200, 503, "fail"},
		"down for us alone":     {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail))}, Peers: most(1, 4, nil)}, 503, 503, "fail"},
		"half of them":          {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail))}, Peers: most(2, 4, nil)}, 503, 503, "fail"},
		"no peers":              {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail))}, Peers: most(0, 0, nil)}, 503, 503, "fail"},
		"peers unknown":         {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail))}, Peers: most(4, 4, errors.New("x"))}, 503, 503, "fail"},
		"down for everybody, and a fault of ours": {health.Config{Checks: []health.Check{shared(fixed("db", health.Fail)), fixed("disk", health.Fail)}, Peers: most(4, 4, nil)}, 503, 503, "fail"},
		"a check that panics":                     {health.Config{Checks: []health.Check{{Name: "x", Run: func(context.Context) health.Result { panic("boom") }}}}, 503, 503, "fail"},
	}
	for name, c := range cases {
		mux := newHealth(t, c.cfg)
		if w, _ := ask(mux, "/livez"); w.Code != 200 {
			t.Errorf("%s: /livez %d: no restart mends a dependency", name, w.Code)
		}
		ready, _ := ask(mux, "/readyz")
		report, doc := ask(mux, "/health")
		if ready.Code != c.ready || report.Code != c.report || doc["status"] != c.status {
			t.Errorf("%s: ready %d, health %d %v; want %d, %d %s", name, ready.Code, report.Code, doc, c.ready, c.report, c.status)
		}
		if report.Header().Get("Content-Type") != "application/health+json" || (report.Code == 503) != (report.Header().Get("Retry-After") == "10") {
			t.Errorf("%s: header %v", name, report.Header())
		}
	}
}

func TestAHungDependencyDoesNotHangTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		stubborn := health.Check{Name: "db", Run: func(context.Context) health.Result {
			running.Add(1)
			time.Sleep(time.Hour) // and does not heed its context
			running.Add(-1)
			return health.Result{Status: health.Pass}
		}}
		slow := health.Check{Name: "cache", Run: func(ctx context.Context) health.Result {
			time.Sleep(300 * time.Millisecond)
			return health.Result{Status: health.Pass}
		}}
		hungPeers := func(ctx context.Context) (int, int, error) { time.Sleep(time.Hour); return 1, 1, nil }
		mux := newHealth(t, health.Config{Checks: []health.Check{shared(stubborn), slow, slow2(slow)}, Peers: hungPeers})
		for range 20 {
			begin := time.Now()
			if w, _ := ask(mux, "/readyz"); w.Code != 503 || time.Since(begin) >= 500*time.Millisecond {
				t.Fatalf("%d after %v", w.Code, time.Since(begin))
			}
			time.Sleep(10 * time.Second)
		}
		if running.Load() != 1 {
			t.Errorf("%d goroutines hang: one per check is the most", running.Load())
		}
		time.Sleep(2 * time.Hour)
		if w, doc := ask(mux, "/health"); w.Code != 503 && doc["status"] != "pass" {
			t.Errorf("after it came back: %d %v", w.Code, doc)
		}
		time.Sleep(2 * time.Hour)
	})
}

func slow2(c health.Check) health.Check { c.Name += "2"; return c }

func TestManyQuestionsCostOneRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rounds atomic.Int64
		mux := newHealth(t, health.Config{Checks: []health.Check{{Name: "db", Run: func(context.Context) health.Result {
			rounds.Add(1)
			time.Sleep(50 * time.Millisecond)
			return health.Result{Status: health.Pass}
		}}}})
		for range 50 {
			go ask(mux, "/health")
		}
		time.Sleep(time.Second)
		if rounds.Load() != 1 {
			t.Errorf("%d rounds for 50 questions at once", rounds.Load())
		}
		time.Sleep(2 * time.Second)
		ask(mux, "/health")
		if rounds.Load() != 2 {
			t.Errorf("%d rounds: results must not grow old", rounds.Load())
		}
	})
}

// A load balancer that asks every 10 s takes a sick instance out within 30 s.
func TestALoadBalancerTakesASickInstanceOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sick := time.Now().Add(5 * time.Second)
		mux := newHealth(t, health.Config{Checks: []health.Check{{Name: "db", Run: func(context.Context) health.Result {
			if time.Now().After(sick) {
				return health.Result{Status: health.Fail}
			}
			return health.Result{Status: health.Pass}
		}}}})
		failures := 0
		for failures < 2 { // taken out after the second failure
			time.Sleep(10 * time.Second)
			if w, _ := ask(mux, "/readyz"); w.Code != 200 {
				failures++
			}
		}
		if took := time.Since(sick); took > 30*time.Second {
			t.Errorf("out after %v", took)
		}
	})
}

func run(c health.Check) health.Result { return c.Run(context.Background()) }

func TestPing(t *testing.T) {
	refused := func(context.Context) error { return &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED} }
	if r := run(health.Ping("db", refused)); r.Status != health.Fail || r.Output != "refused" {
		t.Errorf("%+v: the reason is one word, and no address", r)
	}
	if r := run(health.Ping("db", func(context.Context) error { return nil })); r.Status != health.Pass {
		t.Errorf("%+v", r)
	}
}

func TestUsage(t *testing.T) {
	for used, want := range map[float64]health.Status{0: health.Pass, 0.80: health.Pass, 0.81: health.Warn, 0.95: health.Warn, 0.96: health.Fail, 1: health.Fail} {
		r := run(health.Usage("pool", 0, 0, func() (float64, error) { return used, nil }))
		if r.Status != want || r.Unit != "percent" {
			t.Errorf("%v used: %+v, want %s", used, r, want)
		}
	}
	if r := run(health.Usage("pool", 0.5, 0.6, func() (float64, error) { return 0.7, nil })); r.Status != health.Fail || r.Value != 70 {
		t.Errorf("own thresholds: %+v", r)
	}
	if r := run(health.Usage("pool", 0, 0, func() (float64, error) { return 0, errors.New("x") })); r.Status != health.Warn {
		t.Errorf("what cannot be measured: %+v", r)
	}
}

// connector opens connections that can do nothing.
type connector struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return idle{}, nil }
func (connector) Driver() driver.Driver                        { return nil }

type idle struct{}

func (idle) Prepare(string) (driver.Stmt, error) { return nil, errors.New("no") }
func (idle) Close() error                        { return nil }
func (idle) Begin() (driver.Tx, error)           { return nil, errors.New("no") }

type seen map[string]float64

func (s seen) Observe(n metric.Name, v float64, a metric.Attrs) {
	s[string(n)+" "+a[0].Value+a[1].Value] = v
}

func TestPool(t *testing.T) {
	db := sql.OpenDB(connector{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if r := run(health.Pool("orders", db, 0, 0, nil)); r.Status != health.Warn {
		t.Errorf("a pool without a limit: %+v", r)
	}
	db.SetMaxOpenConns(2)
	numbers := seen{}
	check := health.Pool("orders", db, 0, 0, numbers)
	if r := run(check); r.Status != health.Pass {
		t.Errorf("at rest: %+v", r)
	}
	for range 2 {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if r := run(check); r.Status != health.Fail || r.Value != 100 {
		t.Errorf("all in use: %+v", r)
	}
	if numbers["db.client.connection.count ordersused"] != 2 || numbers["db.client.connection.max orders"] != 2 {
		t.Errorf("numbers %v", numbers)
	}
}

func TestBreakersThatStayOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := policy.NewBreaker(policy.BreakerConfig{Name: "payment", Failures: 1})
		if err != nil {
			t.Fatal(err)
		}
		check := health.Breakers("breakers", time.Minute, func() []*policy.Breaker { return []*policy.Breaker{b} })
		if r := run(check); r.Status != health.Pass {
			t.Errorf("closed: %+v", r)
		}
		p, _ := b.Allow()
		p.Done(policy.Failure)
		if r := run(check); r.Status != health.Warn || r.Output != "open: payment" {
			t.Errorf("just opened: %+v", r)
		}
		time.Sleep(61 * time.Second)
		if r := run(check); r.Status != health.Fail {
			t.Errorf("open for long: %+v", r)
		}
	})
}

func TestSettingsMemoryAndDisk(t *testing.T) {
	get := func(n string) (string, bool) { v, ok := map[string]string{"A": "1", "B": ""}[n]; return v, ok }
	if r := run(health.Settings("config", get, "A")); r.Status != health.Pass {
		t.Errorf("%+v", r)
	}
	if r := run(health.Settings("config", get, "A", "B", "C")); r.Status != health.Fail || r.Output != "2 settings are missing" {
		t.Errorf("%+v", r)
	}
	if r := run(health.Memory("memory", 0, 0)); r.Unit != "percent" || r.Value <= 0 || r.Value > 100 {
		t.Errorf("memory: %+v", r)
	}
	if r := run(health.Disk("disk", t.TempDir(), 0, 0)); r.Unit != "percent" || r.Value < 0 || r.Value > 100 {
		t.Errorf("disk: %+v", r)
	}
	if r := run(health.Disk("disk", filepath.Join(t.TempDir(), "gone"), 0, 0)); r.Status != health.Warn {
		t.Errorf("no disk: %+v", r)
	}
}

func TestConfigsAreChecked(t *testing.T) {
	for name, cfg := range map[string]health.Config{
		"a check without a name": {Checks: []health.Check{{Run: fixed("", health.Pass).Run}}},
		"one without a function": {Checks: []health.Check{{Name: "x"}}},
		"two of a name":          {Checks: []health.Check{fixed("x", health.Pass), fixed("x", health.Pass)}},
		"a negative budget":      {Budget: -1},
	} {
		if _, err := health.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParse(t *testing.T) {
	for body, want := range map[string]health.Status{
		`{"status":"pass"}`: health.Pass, `{"status":"UP"}`: health.Pass, `ok`: health.Pass, ``: health.Pass, `[]`: health.Pass,
		`{"status":"fail"}`: health.Fail, `{"status":"DOWN","components":{}}`: health.Fail, `{"healthy":false}`: health.Fail, `{"status":"OUT_OF_SERVICE"}`: health.Fail,
		`{"status":"warn"}`: health.Warn, `{"status":"degraded"}`: health.Warn, `{"status":200}`: health.Pass,
	} {
		if got := health.Parse(200, []byte(body)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
		if got := health.Parse(503, []byte(body)); got != health.Fail {
			t.Errorf("503 %s: %s", body, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(200, []byte(`{"status":"pass"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		switch s := health.Parse(status, body); {
		case s != health.Pass && s != health.Warn && s != health.Fail:
			t.Errorf("%q", s)
		case status > 299 && s != health.Fail:
			t.Errorf("%d passes", status)
		}
	})
}
