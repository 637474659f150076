package policy_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

func TestARateLimitSpacesCallsAndAllowsABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(policy.NewRateLimiter(policy.RateConfig{Name: "default", Limit: 10, Per: time.Second, Burst: 3}))(t)
		for i := range 3 {
			want := policy.Quota{Allowed: true, Limit: 10, Per: time.Second, Remaining: 2 - i, Reset: time.Duration(i+1) * 100 * time.Millisecond}
			wantEqual(t, l.Allow(), want)
		}
		want := policy.Quota{Limit: 10, Per: time.Second, Reset: 300 * time.Millisecond, RetryAfter: 100 * time.Millisecond}
		wantEqual(t, l.Allow(), want)
		wantEqual(t, l.Allow(), want) // a refused call takes nothing
		time.Sleep(want.RetryAfter)
		if q := l.Allow(); !q.Allowed || q.Remaining != 0 {
			t.Errorf("after Retry-After: %+v", q)
		}
		time.Sleep(time.Hour)
		if q := l.Allow(); q.Remaining != 2 {
			t.Errorf("a long pause saves up the burst and no more: %+v", q)
		}
	})
}

func TestARateHoldsOverADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(policy.NewRateLimiter(policy.RateConfig{Name: "default", Limit: 7, Per: time.Minute}))(t)
		allowed := 0
		for begin := time.Now(); time.Since(begin) < 24*time.Hour; time.Sleep(time.Second) {
			if l.Allow().Allowed {
				allowed++
			}
		}
		if want := 7 * 60 * 24; allowed < want || allowed > want+7 {
			t.Errorf("%d calls in a day at 7 a minute, want %d and the first burst", allowed, want)
		}
	})
}

func TestKeysDoNotShareAQuota(t *testing.T) {
	l := must(policy.NewKeyedRateLimiter(policy.RateConfig{Name: "per-client", Limit: 1, Per: time.Hour}, 0))(t)
	for _, key := range []string{"a", "b", ""} {
		if first, second := l.Allow(key), l.Allow(key); !first.Allowed || second.Allowed {
			t.Errorf("%q: %v then %v", key, first.Allowed, second.Allowed)
		}
	}
	if l.Keys() != 3 || l.Name() != "per-client" {
		t.Errorf("%s holds %d keys", l.Name(), l.Keys())
	}
}

func TestAFloodOfKeysStaysBoundedAndBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(policy.NewKeyedRateLimiter(policy.RateConfig{Name: "x", Limit: 1, Per: time.Minute}, 1600))(t)
		for i := range 100_000 {
			if q := l.Allow(fmt.Sprint(i)); !q.Allowed {
				t.Fatalf("new key %d was refused: %+v", i, q)
			}
		}
		if n := l.Keys(); n > 1600 {
			t.Errorf("%d keys are held, at most 1,600", n)
		}
		time.Sleep(2 * time.Minute)
		for i := range 1600 {
			l.Allow(fmt.Sprint("later ", i)) // keys whose quota is whole make room
		}
		if n := l.Keys(); n > 1600 {
			t.Errorf("%d keys are held, at most 1,600", n)
		}
	})
}

func TestQuotaInHeaders(t *testing.T) {
	h := http.Header{}
	policy.Quota{Allowed: true, Limit: 100, Per: time.Minute, Remaining: 42, Reset: 16500 * time.Millisecond}.SetHeader(h, "default")
	policy.Quota{Limit: 5, Per: 100 * time.Millisecond, Reset: time.Second, RetryAfter: 2001 * time.Millisecond}.SetHeader(h, "burst")
	wantEqual(t, h, http.Header{
		"Ratelimit-Policy": {`"default";q=100;w=60, "burst";q=5;w=1`},
		"Ratelimit":        {`"default";r=42;t=17, "burst";r=0;t=1`},
		"Retry-After":      {"3"},
	})
}

func TestARefusedQuotaIsAnErrorThatSaysWhenToComeBack(t *testing.T) {
	if err := (policy.Quota{Allowed: true}).Err("x"); err != nil {
		t.Errorf("allowed: %v", err)
	}
	err := policy.Quota{Limit: 5, Per: time.Second, RetryAfter: time.Minute}.Err("login")
	var limit *policy.LimitError
	if !errors.Is(err, policy.ErrLimited) || !errors.As(err, &limit) || limit.RetryAfter() != time.Minute {
		t.Errorf("refused: %v", err)
	}
	if want := "login: rate limit exceeded: 5 per 1s"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// serve drives an adaptive limiter for a while: callers that find no place come back, and latency depends on how many are in flight.
func serve(t *testing.T, l *policy.AdaptiveLimiter, callers int, span time.Duration, latency func(inFlight int) time.Duration, outcome policy.Outcome) {
	end := time.Now().Add(span)
	for range callers {
		go func() {
			for time.Now().Before(end) {
				lease, err := l.Acquire()
				if err != nil {
					if !errors.Is(err, policy.ErrFull) {
						t.Errorf("refused with %v", err)
					}
					time.Sleep(10 * time.Millisecond)
					continue
				}
				n, _ := l.InFlight()
				time.Sleep(latency(n))
				lease.Done(outcome)
			}
		}()
	}
	time.Sleep(span + time.Minute)
	synctest.Wait()
}

func TestAnAdaptiveLimitFindsTheCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reasons = map[string]bool{}
		l := must(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x", OnChange: func(_ string, _ int, reason string) { reasons[reason] = true }}))(t)
		// 30 at a time are served in 10 ms; beyond, they queue.
		queueing := func(n int) time.Duration { return 10 * time.Millisecond * time.Duration(max(30, n)) / 30 }
		serve(t, l, 200, 2*time.Minute, queueing, policy.Success)
		if l.Limit() < 30 || l.Limit() > 90 {
			t.Errorf("limit %d for a capacity of 30 and a tolerated latency of 1.5 times the usual", l.Limit())
		}
		if !reasons["headroom"] || !reasons["latency"] {
			t.Errorf("reasons told: %v", reasons)
		}
	})
}

func TestAnAdaptiveLimitFallsOnFailuresAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x", Max: 50}))(t)
		steady := func(int) time.Duration { return 10 * time.Millisecond }
		serve(t, l, 100, 30*time.Second, steady, policy.Failure)
		if l.Limit() != 4 {
			t.Errorf("limit %d after 30 s of failures, want the minimum", l.Limit())
		}
		serve(t, l, 100, time.Minute, steady, policy.Ignored)
		if l.Limit() != 4 {
			t.Errorf("limit %d: calls that say nothing moved it", l.Limit())
		}
		serve(t, l, 100, time.Minute, steady, policy.Success)
		if l.Limit() != 50 {
			t.Errorf("limit %d after a minute of success under load, want the maximum", l.Limit())
		}
		if now, most := l.InFlight(); now != 0 || most != 50 {
			t.Errorf("%d of %d in flight at rest", now, most)
		}
	})
}

func TestAnAdaptiveLimitLearnsNothingWithoutLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "x"}))(t)
		serve(t, l, 2, 10*time.Minute, func(int) time.Duration { return 10 * time.Millisecond }, policy.Success)
		if l.Limit() != 20 {
			t.Errorf("limit %d after ten quiet minutes, want the initial 20", l.Limit())
		}
	})
}
