package guard_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func newDependency(t *testing.T, cfg guard.DependencyConfig) *guard.Dependency {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "payment"
	}
	d, err := guard.NewDependency(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// numbers keeps what it is told, as "name attr=value...".
type numbers struct {
	mu   sync.Mutex
	sums map[string]float64
}

func (n *numbers) Observe(name metric.Name, value float64, attrs metric.Attrs) {
	key := string(name)
	for _, a := range attrs {
		if a.Key != "" && a.Key != "server.port" {
			key += " " + a.Key + "=" + a.Value
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sums == nil {
		n.sums = map[string]float64{}
	}
	if metric.Describe(name).Kind == metric.Histogram {
		value = 1
	}
	n.sums[key] += value
}

func TestARegistryHasOneBreakerPerDependency(t *testing.T) {
	var r guard.Registry
	payment, err := r.Add(guard.DependencyConfig{Name: "payment"})
	if err != nil {
		t.Fatal(err)
	}
	inventory, err := r.Add(guard.DependencyConfig{Name: "inventory", Breaker: policy.BreakerConfig{Failures: 3, OpenFor: 15 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	if payment.Breaker() == inventory.Breaker() {
		t.Error("two dependencies share a breaker")
	}
	if r.Get("payment") != payment || r.Get("inventory") != inventory || r.Get("mail") != nil {
		t.Error("Get does not find what was added")
	}
	wantEqual(t, r.All(), []*guard.Dependency{payment, inventory})
	for name, cfg := range map[string]guard.DependencyConfig{
		"the same name again":             {Name: "payment"},
		"the same name, other settings":   {Name: "payment", Breaker: policy.BreakerConfig{Failures: 3}},
		"a breaker of another dependency": {Name: "mail", Breaker: policy.BreakerConfig{Name: "payment"}},
		"no name":                         {},
		"a 4xx that counts against it":    {Name: "mail", FailureStatuses: []int{404}},
		"a negative timeout":              {Name: "mail", Timeouts: policy.Timeouts{Query: -1}},
		"an impossible breaker":           {Name: "mail", Breaker: policy.BreakerConfig{Ratio: 2}},
		"an impossible bulkhead":          {Name: "mail", Bulkhead: policy.BulkheadConfig{InFlight: -1}},
		"an impossible rate":              {Name: "mail", Rate: policy.RateConfig{Limit: -1}},
		"an impossible adaptive limit":    {Name: "mail", Adaptive: policy.AdaptiveConfig{Max: -1}},
		"an impossible retry":             {Name: "mail", Retry: policy.RetryConfig{Attempts: -1}},
	} {
		if _, err := r.Add(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		} else if !strings.HasPrefix(err.Error(), "guard: dependency ") {
			t.Errorf("%s: %v does not name the dependency", name, err)
		}
	}
	if n := len(r.All()); n != 2 {
		t.Errorf("%d dependencies after the refusals", n)
	}
}

func TestDoBoundsAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &numbers{}
		d := newDependency(t, guard.DependencyConfig{Name: "db", Observer: seen, Breaker: policy.BreakerConfig{Failures: 2}})
		begin := time.Now()
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		if err := d.Do(t.Context(), hang); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 10*time.Second {
			t.Errorf("a query that hangs: %v after %v; want the deadline after 10 s", err, time.Since(begin))
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.Do(t.Context(), func(context.Context) error { panic("boom") })
		}()
		if err := d.Do(t.Context(), hang); !errors.Is(err, policy.ErrOpen) {
			t.Errorf("after two failures: %v", err)
		}
		time.Sleep(30 * time.Second)
		if err := d.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("the probe: %v", err)
		}
		wantEqual(t, seen.sums, map[string]float64{
			"guard.dependency.calls guard.dependency=db guard.outcome=failure error.type=header-timeout": 1,
			"guard.dependency.calls guard.dependency=db guard.outcome=failure error.type=other":          1,
			"guard.dependency.calls guard.dependency=db guard.outcome=ignored error.type=open":           1,
			"guard.dependency.calls guard.dependency=db guard.outcome=success":                           1,
			"guard.breaker.state guard.dependency=db":                                                    0 + 2 + 1 + 0,
		})
	})
}

func TestABusinessErrorIsNoFailure(t *testing.T) {
	declined := errors.New("card declined")
	d := newDependency(t, guard.DependencyConfig{
		Breaker: policy.BreakerConfig{Failures: 1},
		Judge: func(ctx context.Context, err error) policy.Outcome {
			if errors.Is(err, declined) {
				return policy.Success
			}
			return policy.ErrorOutcome(ctx, err)
		},
	})
	calls := 0
	err := d.DoRepeatable(t.Context(), func(context.Context) error { calls++; return declined })
	if !errors.Is(err, declined) || calls != 1 || d.Breaker().State() != policy.Closed {
		t.Errorf("%v after %d calls, breaker %v", err, calls, d.Breaker().State())
	}
}

func TestDoRepeatableTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(t, guard.DependencyConfig{})
		calls := 0
		err := d.DoRepeatable(t.Context(), func(context.Context) error {
			if calls++; calls < 3 {
				return errors.New("reset")
			}
			return nil
		})
		if err != nil || calls != 3 {
			t.Errorf("%v after %d calls", err, calls)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		calls = 0
		_ = d.DoRepeatable(ctx, func(context.Context) error { calls++; return errors.New("reset") })
		if calls != 1 {
			t.Errorf("%d calls for a caller whose time is up", calls)
		}
	})
}

func TestTheLimitsOfADependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := func(ctx context.Context) error { <-ctx.Done(); return nil }
		for name, c := range map[string]struct {
			cfg  guard.DependencyConfig
			want error
			most int
		}{
			"bulkhead":       {guard.DependencyConfig{Bulkhead: policy.BulkheadConfig{InFlight: 1}}, policy.ErrFull, 1},
			"adaptive limit": {guard.DependencyConfig{Adaptive: policy.AdaptiveConfig{Min: 1, Initial: 1, Max: 9}}, policy.ErrFull, 1},
			"rate":           {guard.DependencyConfig{Rate: policy.RateConfig{Limit: 1}}, policy.ErrLimited, 0},
		} {
			d := newDependency(t, c.cfg)
			go func() { _ = d.Do(t.Context(), block) }()
			synctest.Wait()
			if now, most := d.InFlight(); now != c.most || most != c.most {
				t.Errorf("%s: %d of %d in flight", name, now, most)
			}
			if err := d.Do(t.Context(), block); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "payment: ") {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(11 * time.Second)
			if now, _ := d.InFlight(); now != 0 {
				t.Errorf("%s: %d in flight at rest", name, now)
			}
		}
	})
}

// Who reads of an open breaker wants to know what opened it: the call that failed may have left no record, because its retry was refused.
func TestARefusalSaysWhatFailedBeforeAndIsNotThatFailure(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.7:5432: connect: connection refused")
	for name, c := range map[string]struct {
		fail func(*guard.Dependency)
		want string
	}{
		"an error": {func(d *guard.Dependency) {
			_ = d.Do(t.Context(), func(context.Context) error { return cause })
		}, "payment: circuit breaker is open after: dial tcp 10.0.0.7:5432: connect: connection refused"},
		"a status without a body": {func(d *guard.Dependency) { reply(t, d, http.StatusServiceUnavailable, http.NoBody) }, "payment: circuit breaker is open after: status 503"},
		"a status with a body": {func(d *guard.Dependency) {
			reply(t, d, http.StatusBadGateway, io.NopCloser(strings.NewReader("down")))
		}, "payment: circuit breaker is open after: status 502"},
		"an operator, before anything failed": {func(d *guard.Dependency) {
			p, err := d.Breaker().Allow()
			if err != nil {
				t.Fatal(err)
			}
			p.Done(policy.Failure)
		}, "payment: circuit breaker is open"},
	} {
		d := newDependency(t, guard.DependencyConfig{Breaker: policy.BreakerConfig{Failures: 2}, Retry: policy.RetryConfig{Attempts: 1}})
		c.fail(d)
		c.fail(d)
		err := d.Do(t.Context(), func(context.Context) error { t.Errorf("%s: an open breaker let a call through", name); return nil })
		var open *policy.OpenError
		if err == nil || err.Error() != c.want || !errors.Is(err, policy.ErrOpen) || !errors.As(err, &open) || open.Name() != "payment" || errors.Is(err, cause) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// reply lets one request be answered so.
func reply(t *testing.T, d *guard.Dependency, status int, body io.ReadCloser) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://payment.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.Transport(always{status, body}).RoundTrip(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if err != nil && !errors.Is(err, policy.ErrOpen) {
		t.Fatal(err)
	}
}

// always answers the same.
type always struct {
	status int
	body   io.ReadCloser
}

func (a always) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: a.body, Request: req}, nil
}
