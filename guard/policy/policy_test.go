package policy_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestStatusOutcome(t *testing.T) {
	cases := map[string]struct {
		status   int
		failures []int
		want     policy.Outcome
	}{
		"done":                                   {200, nil, policy.Success},
		"not found comes from a healthy server":  {404, nil, policy.Success},
		"a limit that does its work":             {429, nil, policy.Ignored},
		"429 is no failure even when asked for":  {429, []int{429}, policy.Ignored},
		"404 is no failure even when asked for":  {404, []int{404}, policy.Success},
		"a bug on one route":                     {500, nil, policy.Ignored},
		"a bug, counted because configured":      {500, []int{500}, policy.Failure},
		"not implemented":                        {501, nil, policy.Ignored},
		"bad gateway":                            {502, nil, policy.Failure},
		"unavailable":                            {503, nil, policy.Failure},
		"gateway timeout":                        {504, nil, policy.Failure},
		"the configured list replaces the usual": {504, []int{500}, policy.Ignored},
	}
	for name, c := range cases {
		if got := policy.StatusOutcome(c.status, c.failures...); got != c.want {
			t.Errorf("%s: %d is %v, want %v", name, c.status, got, c.want)
		}
	}
	for _, s := range policy.FailureStatuses() {
		if policy.StatusOutcome(s) != policy.Failure {
			t.Errorf("%d is listed as a failure and not judged as one", s)
		}
	}
}

func TestABulkheadBoundsTheCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := must(policy.NewBulkhead(policy.BulkheadConfig{Name: "inventory", InFlight: 3, Queue: 2, Wait: time.Second}))(t)
		var inFlight, most, served, refused atomic.Int64
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := b.Acquire(t.Context()); err != nil {
					if !errors.Is(err, policy.ErrFull) || !strings.HasPrefix(err.Error(), "inventory: ") {
						t.Errorf("refused with %v", err)
					}
					refused.Add(1)
					return
				}
				defer b.Release()
				most.Store(max(most.Load(), inFlight.Add(1)))
				time.Sleep(500 * time.Millisecond)
				inFlight.Add(-1)
				served.Add(1)
			})
		}
		wg.Wait()
		if most.Load() > 3 || served.Load() != 5 || refused.Load() != 5 {
			t.Errorf("at most %d in flight, %d served, %d refused; want 3, 5, 5", most.Load(), served.Load(), refused.Load())
		}
	})
}

func TestTheQueueOfABulkheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := must(policy.NewBulkhead(policy.BulkheadConfig{Name: "x", InFlight: 1, Queue: 1, Wait: 2 * time.Second}))(t)
		if err := b.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		done := make(chan error)
		go func() { done <- b.Acquire(t.Context()) }()
		synctest.Wait()
		if now, most := b.InFlight(); now != 1 || most != 1 || b.Waiting() != 1 {
			t.Errorf("%d of %d in flight, %d waiting", now, most, b.Waiting())
		}
		if err := b.Acquire(t.Context()); !errors.Is(err, policy.ErrFull) || time.Since(begin) > 0 {
			t.Errorf("with a full queue: %v after %v; want a refusal at once", err, time.Since(begin))
		}
		if err := <-done; !errors.Is(err, policy.ErrFull) || time.Since(begin) != 2*time.Second {
			t.Errorf("in the queue: %v after %v; want a refusal after 2 s", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the client left"))
		defer cancel()
		if err := b.Acquire(ctx); err == nil || err.Error() != "the client left" {
			t.Errorf("a client that leaves the queue: %v", err)
		}
		b.Release()
		defer func() {
			if recover() == nil {
				t.Error("a place that nobody held was released without complaint")
			}
		}()
		b.Release()
	})
}

func TestARetryBudgetBoundsRetriesByTheCallsThatEarnThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := must(policy.NewRetryBudget(policy.BudgetConfig{}))(t)
		spend := func(calls int) (retries int) {
			for range calls {
				b.Earn()
				for range 2 { // each call would like two
					if b.Spend() {
						retries++
					}
				}
			}
			return retries
		}
		if n := spend(1000); n < 205 || n > 215 {
			t.Errorf("%d retries for 1,000 calls at once, want 200 and the 10 that were saved", n)
		}
		time.Sleep(5 * time.Second)
		if n := spend(1); n != 2 {
			t.Errorf("%d retries after 5 quiet seconds, want both: there is a minimum", n)
		}
	})
}

func TestConfigsAreChecked(t *testing.T) {
	errOf := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"bulkhead without name":       errOf(policy.NewBulkhead(policy.BulkheadConfig{InFlight: 1})),
		"bulkhead without places":     errOf(policy.NewBulkhead(policy.BulkheadConfig{Name: "x"})),
		"bulkhead, negative queue":    errOf(policy.NewBulkhead(policy.BulkheadConfig{Name: "x", InFlight: 1, Queue: -1})),
		"rate without name":           errOf(policy.NewRateLimiter(policy.RateConfig{Limit: 1})),
		"rate with a quote":           errOf(policy.NewRateLimiter(policy.RateConfig{Name: `a"b`, Limit: 1})),
		"rate of nothing":             errOf(policy.NewRateLimiter(policy.RateConfig{Name: "x"})),
		"rate beyond nanoseconds":     errOf(policy.NewRateLimiter(policy.RateConfig{Name: "x", Limit: 2, Per: 1})),
		"keyed rate with 3 keys":      errOf(policy.NewKeyedRateLimiter(policy.RateConfig{Name: "x", Limit: 1}, 3)),
		"keyed rate of nothing":       errOf(policy.NewKeyedRateLimiter(policy.RateConfig{Name: "x"}, 0)),
		"adaptive without name":       errOf(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{})),
		"adaptive upside down":        errOf(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x", Min: 9, Max: 3})),
		"adaptive with tolerance 0.5": errOf(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x", Tolerance: 0.5})),
		"budget of 20":                errOf(policy.NewRetryBudget(policy.BudgetConfig{Ratio: 20})),
		"retry of a success":          errOf(policy.NewRetry(policy.RetryConfig{Statuses: []int{200}})),
		"negative attempts":           errOf(policy.NewRetry(policy.RetryConfig{Attempts: -1})),
		"negative timeout":            errOf(policy.Timeouts{Query: -1}.Fill()),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTimeoutsHaveTheUsualDefaults(t *testing.T) {
	got := must(policy.Timeouts{}.Fill())(t)
	wantEqual(t, got, policy.Timeouts{Connect: 3 * time.Second, Response: 5 * time.Second, Stall: 5 * time.Second, Query: 10 * time.Second})
	got = must(policy.Timeouts{Response: time.Minute}.Fill())(t)
	wantEqual(t, got.Stall, time.Minute)
}

// The decision that stands before each call allocates nothing, whether it lets the call pass or refuses it.
func TestDecisionsDoNotAllocate(t *testing.T) {
	closed, open := newBreaker(t, policy.BreakerConfig{}), newBreaker(t, policy.BreakerConfig{Failures: 1})
	report(t, open, 1, policy.Failure)
	ratio := newBreaker(t, policy.BreakerConfig{Ratio: 0.5})
	rate := must(policy.NewRateLimiter(policy.RateConfig{Name: "default", Limit: 1e6}))(t)
	refusing := must(policy.NewRateLimiter(policy.RateConfig{Name: "default", Limit: 1, Per: time.Hour}))(t)
	refusing.Allow()
	keyed := must(policy.NewKeyedRateLimiter(policy.RateConfig{Name: "default", Limit: 1e6}, 0))(t)
	keyed.Allow("10.0.0.1")
	places := must(policy.NewBulkhead(policy.BulkheadConfig{Name: "x", InFlight: 10}))(t)
	full := must(policy.NewBulkhead(policy.BulkheadConfig{Name: "x", InFlight: 1}))(t)
	if err := full.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	adaptive := must(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x"}))(t)
	budget := must(policy.NewRetryBudget(policy.BudgetConfig{}))(t)
	ctx := context.Background()
	for name, f := range map[string]func(){
		"breaker":              func() { p, _ := closed.Allow(); p.Done(policy.Success) },
		"breaker, open":        func() { _, _ = open.Allow() },
		"breaker by ratio":     func() { p, _ := ratio.Allow(); p.Done(policy.Success) },
		"rate limit":           func() { rate.Allow() },
		"rate limit, refusing": func() { refusing.Allow() },
		"keyed rate limit":     func() { keyed.Allow("10.0.0.1") },
		"bulkhead":             func() { _ = places.Acquire(ctx); places.Release() },
		"bulkhead, full":       func() { _ = full.Acquire(ctx) },
		"adaptive limit":       func() { p, _ := adaptive.Acquire(); p.Done(policy.Success) },
		"retry budget":         func() { budget.Earn(); budget.Spend() },
		"status":               func() { policy.StatusOutcome(503) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	breaker, _ := policy.NewBreaker(policy.BreakerConfig{Name: "x"})
	rate, _ := policy.NewRateLimiter(policy.RateConfig{Name: "x", Limit: 1e9})
	places, _ := policy.NewBulkhead(policy.BulkheadConfig{Name: "x", InFlight: 100})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		p, err := breaker.Allow()
		if err != nil {
			b.Fatal(err)
		}
		if q := rate.Allow(); !q.Allowed {
			b.Fatal(q)
		}
		if err := places.Acquire(ctx); err != nil {
			b.Fatal(err)
		}
		places.Release()
		p.Done(policy.Success)
	}
}
