package policy_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

func newBreaker(t *testing.T, cfg policy.BreakerConfig) *policy.Breaker {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "payment"
	}
	b, err := policy.NewBreaker(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// report makes n calls with the given outcome, all of which must be allowed.
func report(t *testing.T, b *policy.Breaker, n int, o policy.Outcome) {
	t.Helper()
	for range n {
		p, err := b.Allow()
		if err != nil {
			t.Fatalf("a call was refused in state %v: %v", b.State(), err)
		}
		p.Done(o)
	}
}

func wantState(t *testing.T, b *policy.Breaker, want policy.State) {
	t.Helper()
	if got := b.State(); got != want {
		t.Fatalf("state %v, want %v", got, want)
	}
}

func TestBreakerOpensOnTheFifthFailureInARow(t *testing.T) {
	b := newBreaker(t, policy.BreakerConfig{})
	report(t, b, 4, policy.Failure)
	wantState(t, b, policy.Closed)
	report(t, b, 1, policy.Success) // the count starts anew
	report(t, b, 4, policy.Failure)
	report(t, b, 20, policy.Ignored) // neither counts nor resets
	wantState(t, b, policy.Closed)
	report(t, b, 1, policy.Failure)
	wantState(t, b, policy.Open)
}

func TestAnOpenBreakerRefusesAtOnceAndSaysWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, policy.BreakerConfig{})
		report(t, b, 5, policy.Failure)
		time.Sleep(29*time.Second + 900*time.Millisecond)
		called := false
		err := b.Do(t.Context(), func(context.Context) error { called = true; return nil })
		var open *policy.OpenError
		if !errors.Is(err, policy.ErrOpen) || !errors.As(err, &open) || called {
			t.Fatalf("error %v, dependency called: %v", err, called)
		}
		if open.Name() != "payment" || open.RetryAfter() != 100*time.Millisecond || policy.Seconds(open.RetryAfter()) != 1 {
			t.Errorf("%s: come back after %v", open.Name(), open.RetryAfter())
		}
		if err := b.Refuse(); !errors.Is(err, policy.ErrOpen) {
			t.Errorf("Refuse: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := b.Refuse(); err != nil {
			t.Errorf("Refuse when the time is up: %v", err)
		}
		report(t, b, 1, policy.Success)
		wantState(t, b, policy.Closed)
	})
}

func TestOneHundredCallersAtHalfOpenAreOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, policy.BreakerConfig{})
		report(t, b, 5, policy.Failure)
		time.Sleep(30 * time.Second)
		var reached, refused atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := b.Do(t.Context(), func(context.Context) error {
					reached.Add(1)
					time.Sleep(time.Second)
					return nil
				})
				if errors.Is(err, policy.ErrOpen) {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		if reached.Load() != 1 || refused.Load() != 99 {
			t.Errorf("%d reached the dependency, %d were refused; want 1 and 99", reached.Load(), refused.Load())
		}
		wantState(t, b, policy.Closed)
	})
}

func TestAProbeDecides(t *testing.T) {
	cases := map[string]struct {
		outcome policy.Outcome
		want    policy.State
		refused bool // the next caller
	}{
		"success closes and zeroes the count":              {policy.Success, policy.Closed, false},
		"failure opens for the whole time again":           {policy.Failure, policy.Open, true},
		"a probe that says nothing makes room for another": {policy.Ignored, policy.HalfOpen, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, policy.BreakerConfig{})
				report(t, b, 5, policy.Failure)
				time.Sleep(30 * time.Second)
				report(t, b, 1, c.outcome)
				wantState(t, b, c.want)
				p, err := b.Allow()
				if (err != nil) != c.refused {
					t.Errorf("next call: %v", err)
				}
				p.Done(policy.Success)
				if c.want == policy.Closed {
					report(t, b, 4, policy.Failure)
					wantState(t, b, policy.Closed)
				}
			})
		})
	}
}

func TestALostProbeBlocksNobodyForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, policy.BreakerConfig{ProbeTimeout: 7 * time.Second})
		report(t, b, 5, policy.Failure)
		time.Sleep(30 * time.Second)
		lost, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(7*time.Second - time.Nanosecond)
		_, err = b.Allow()
		var open *policy.OpenError
		if !errors.As(err, &open) || open.RetryAfter() > time.Second {
			t.Fatalf("before the probe is given up: %v", err)
		}
		time.Sleep(time.Nanosecond)
		second, err := b.Allow()
		if err != nil {
			t.Fatalf("a lost probe still blocks: %v", err)
		}
		lost.Done(policy.Success) // too late: it may not speak for the present
		wantState(t, b, policy.HalfOpen)
		second.Done(policy.Failure)
		wantState(t, b, policy.Open)
	})
}

func TestCallsOfAnEarlierTimeAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, policy.BreakerConfig{})
		slow, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		slower := slow
		report(t, b, 5, policy.Failure)
		slow.Done(policy.Success)
		wantState(t, b, policy.Open)
		time.Sleep(30 * time.Second)
		report(t, b, 1, policy.Success)
		report(t, b, 4, policy.Failure)
		slower.Done(policy.Failure)
		wantState(t, b, policy.Closed)
	})
}

func TestSeveralProbesInARowCanBeAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, policy.BreakerConfig{Probes: 3})
		report(t, b, 5, policy.Failure)
		time.Sleep(30 * time.Second)
		report(t, b, 2, policy.Success)
		wantState(t, b, policy.HalfOpen)
		report(t, b, 1, policy.Failure)
		time.Sleep(30 * time.Second)
		report(t, b, 2, policy.Success)
		wantState(t, b, policy.HalfOpen) // the failure started the count anew
		report(t, b, 1, policy.Success)
		wantState(t, b, policy.Closed)
	})
}

func TestRatioMode(t *testing.T) {
	cfg := policy.BreakerConfig{Ratio: 0.5, Window: 10 * time.Second, MinRequests: 10}
	cases := map[string]struct {
		run  func(t *testing.T, b *policy.Breaker)
		want policy.State
	}{
		"half of enough calls failed": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 5, policy.Success)
			report(t, b, 5, policy.Failure)
		}, policy.Open},
		"too few calls to judge": {func(t *testing.T, b *policy.Breaker) { report(t, b, 9, policy.Failure) }, policy.Closed},
		"less than half failed": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 6, policy.Success)
			report(t, b, 5, policy.Failure)
		}, policy.Closed},
		"old failures have left the window": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 9, policy.Failure)
			time.Sleep(11 * time.Second)
			report(t, b, 9, policy.Failure)
		}, policy.Closed},
		"failures a step apart are still in it": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 5, policy.Failure)
			time.Sleep(8 * time.Second)
			report(t, b, 5, policy.Failure)
		}, policy.Open},
		"a long pause forgets all": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 9, policy.Failure)
			time.Sleep(time.Hour)
			report(t, b, 1, policy.Failure)
		}, policy.Closed},
		"what says nothing dilutes nothing": {func(t *testing.T, b *policy.Breaker) {
			report(t, b, 100, policy.Ignored)
			report(t, b, 10, policy.Failure)
		}, policy.Open},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, cfg)
				c.run(t, b)
				wantState(t, b, c.want)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, cfg)
		report(t, b, 10, policy.Failure)
		time.Sleep(30 * time.Second)
		report(t, b, 1, policy.Success)
		report(t, b, 9, policy.Failure) // the window began anew when it closed
		wantState(t, b, policy.Closed)
	})
}

func TestTransitionsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		b := newBreaker(t, policy.BreakerConfig{OnChange: func(c policy.Change) {
			got = append(got, c.Name+" "+c.From.String()+" "+c.To.String()+c.At.Format(" 04:05"))
		}})
		report(t, b, 5, policy.Failure)
		since, open := b.OpenSince()
		time.Sleep(30 * time.Second)
		report(t, b, 1, policy.Failure)
		if again, stillOpen := b.OpenSince(); !open || !stillOpen || !again.Equal(since) {
			t.Errorf("open since %v, then since %v: a failed probe is the same outage", since, again)
		}
		time.Sleep(30 * time.Second)
		report(t, b, 1, policy.Success)
		if _, open := b.OpenSince(); open {
			t.Error("a closed breaker says that it is open")
		}
		b.Reset() // changes nothing, tells nothing
		want := []string{
			"payment closed open 00:00", "payment open half-open 00:30", "payment half-open open 00:30",
			"payment open half-open 01:00", "payment half-open closed 01:00",
		}
		wantEqual(t, got, want)
	})
}

func TestResetClosesAnOpenBreaker(t *testing.T) {
	b := newBreaker(t, policy.BreakerConfig{Failures: 1})
	report(t, b, 1, policy.Failure)
	wantState(t, b, policy.Open)
	b.Reset()
	wantState(t, b, policy.Closed)
	report(t, b, 1, policy.Success)
}

func TestDoReturnsTheOriginalError(t *testing.T) {
	b := newBreaker(t, policy.BreakerConfig{Failures: 2})
	declined := errors.New("declined")
	if err := b.Do(t.Context(), func(context.Context) error { return declined }); !errors.Is(err, declined) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = b.Do(t.Context(), func(context.Context) error { panic("boom") })
	}()
	wantState(t, b, policy.Open) // the panic was the second failure
}

func TestAClientThatLeftSaysNothingAboutTheDependency(t *testing.T) {
	b := newBreaker(t, policy.BreakerConfig{Failures: 1})
	ctx, cancel := context.WithCancel(t.Context())
	_ = b.Do(ctx, func(ctx context.Context) error { cancel(); return errors.New("read: connection closed") })
	wantState(t, b, policy.Closed)
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_ = b.Do(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	wantState(t, b, policy.Open) // but a deadline does
}

func TestBreakerConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]policy.BreakerConfig{
		"no name":              {},
		"negative failures":    {Name: "x", Failures: -1},
		"negative open time":   {Name: "x", OpenFor: -1},
		"ratio in percent":     {Name: "x", Ratio: 50},
		"negative min":         {Name: "x", MinRequests: -1},
		"negative probe count": {Name: "x", Probes: -1},
	} {
		if _, err := policy.NewBreaker(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A day of a dependency that is down every third hour: the breaker lets a probe through every 30 s and no more, whatever the load.
func TestADayOfOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		down := func() bool { return int(time.Since(begin).Hours())%3 == 2 }
		var inOutage, outsideRefused atomic.Int64
		b := newBreaker(t, policy.BreakerConfig{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for time.Since(begin) < 24*time.Hour {
					wasDown := down()
					err := b.Do(t.Context(), func(context.Context) error {
						if wasDown {
							inOutage.Add(1)
							return errors.New("refused")
						}
						return nil
					})
					if errors.Is(err, policy.ErrOpen) && !wasDown {
						outsideRefused.Add(1)
					}
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		// 8 outages of an hour: 5 failures (up to 3 more are under way) and 120 probes each.
		if n := inOutage.Load(); n < 8*120 || n > 8*(8+121) {
			t.Errorf("%d calls reached the dependency while it was down", n)
		}
		// After each outage at most 30 s of refusals for 4 callers.
		if n := outsideRefused.Load(); n > 8*4*31 {
			t.Errorf("%d calls were refused while the dependency was well", n)
		}
		wantState(t, b, policy.Open) // the last hour was an outage
	})
}
