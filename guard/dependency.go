package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

// DependencyConfig is the configuration of a [Dependency]. Only Name is required: the zero value of the other fields
// is a breaker, retries and timeouts with their defaults, and neither a bulkhead nor a rate limit.
type DependencyConfig struct {
	Name     string // such as payment; stands in errors, metrics and health
	Breaker  policy.BreakerConfig
	Retry    policy.RetryConfig // of requests that may be repeated; Attempts 1 switches it off
	Timeouts policy.Timeouts

	Bulkhead policy.BulkheadConfig // none unless InFlight is set
	Rate     policy.RateConfig     // none unless Limit is set
	Adaptive policy.AdaptiveConfig // none unless Max is set

	// FailureStatuses are the statuses that count against the dependency (default [policy.FailureStatuses]).
	FailureStatuses []int
	// Judge judges errors of functions (default [policy.ErrorOutcome]): tell it which errors are business, not failure.
	Judge func(ctx context.Context, err error) policy.Outcome
	// Observer, if set, is told calls, durations, retries and breaker states.
	Observer metric.Observer
}

// Dependency guards the calls to one thing that a service depends on. Make it once, with [Registry.Add] or
// [NewDependency], and use it for all calls to that thing.
type Dependency struct {
	cfg      DependencyConfig
	breaker  *policy.Breaker
	retry    *policy.Retry
	bulkhead *policy.Bulkhead        // or nil
	rate     *policy.RateLimiter     // or nil
	adaptive *policy.AdaptiveLimiter // or nil
	latest   atomic.Pointer[string]  // failure, in words; nil before the first
}

// NewDependency returns a dependency that stands in no registry.
func NewDependency(cfg DependencyConfig) (*Dependency, error) {
	d := &Dependency{cfg: cfg}
	if err := d.build(); err != nil {
		return nil, fmt.Errorf("guard: dependency %q: %w", cfg.Name, err)
	}
	d.observe(metric.BreakerState, 0, metric.Attrs{})
	return d, nil
}

func (d *Dependency) build() (err error) {
	if d.cfg.Name == "" {
		return errors.New("it has no name: errors, metrics and health name it")
	}
	for _, name := range []*string{&d.cfg.Breaker.Name, &d.cfg.Bulkhead.Name, &d.cfg.Rate.Name, &d.cfg.Adaptive.Name} {
		if *name != "" && *name != d.cfg.Name {
			return fmt.Errorf("it was offered a policy of %q: policies are never shared, or one sick dependency takes the others along; leave the policy's name empty", *name)
		}
		*name = d.cfg.Name
	}
	if d.cfg.Judge == nil {
		d.cfg.Judge = policy.ErrorOutcome
	}
	for _, s := range d.cfg.FailureStatuses {
		if s < 500 || s > 599 {
			return fmt.Errorf("status %d cannot count against it: only 5xx say that the server failed", s)
		}
	}
	told := d.cfg.Breaker.OnChange
	d.cfg.Breaker.OnChange = func(c policy.Change) {
		d.observe(metric.BreakerState, [...]float64{policy.Closed: 0, policy.HalfOpen: 1, policy.Open: 2}[c.To], metric.Attrs{})
		if told != nil {
			told(c)
		}
	}
	if d.cfg.Timeouts, err = d.cfg.Timeouts.Fill(); err != nil {
		return err
	}
	if d.breaker, err = policy.NewBreaker(d.cfg.Breaker); err != nil {
		return err
	}
	if d.retry, err = policy.NewRetry(d.cfg.Retry); err != nil {
		return err
	}
	return d.buildLimits()
}

func (d *Dependency) buildLimits() (err error) {
	if d.cfg.Bulkhead.InFlight != 0 {
		if d.bulkhead, err = policy.NewBulkhead(d.cfg.Bulkhead); err != nil {
			return err
		}
	}
	if d.cfg.Rate.Limit != 0 {
		if d.rate, err = policy.NewRateLimiter(d.cfg.Rate); err != nil {
			return err
		}
	}
	if d.cfg.Adaptive.Max != 0 {
		if d.adaptive, err = policy.NewAdaptiveLimiter(d.cfg.Adaptive); err != nil {
			return err
		}
	}
	return nil
}

// Name returns the name of the dependency.
func (d *Dependency) Name() string { return d.cfg.Name }

// Breaker returns the circuit breaker, to show or reset it.
func (d *Dependency) Breaker() *policy.Breaker { return d.breaker }

// InFlight returns the calls in flight and how many there may be; most is 0 where nothing bounds them.
func (d *Dependency) InFlight() (now, most int) {
	switch {
	case d.bulkhead != nil:
		return d.bulkhead.InFlight()
	case d.adaptive != nil:
		return d.adaptive.InFlight()
	}
	return 0, 0
}

// pass is the permission of all policies for one attempt.
type pass struct {
	d      *Dependency
	permit policy.Permit
	lease  policy.Lease
}

// enter asks the policies. A breaker that is open refuses first, so that nobody queues for a dependency that is down;
// the permit is taken last, so that it is not held, and does not grow stale, while the caller waits.
func (d *Dependency) enter(ctx context.Context) (p pass, err error) {
	if err := d.breaker.Refuse(); err != nil {
		return pass{}, d.refused(err)
	}
	if d.rate != nil {
		if q := d.rate.Allow(); !q.Allowed {
			return pass{}, q.Err(d.cfg.Name)
		}
	}
	if d.bulkhead != nil {
		if err := d.bulkhead.Acquire(ctx); err != nil {
			return pass{}, err
		}
	}
	p.d = d
	if d.adaptive != nil {
		p.lease, err = d.adaptive.Acquire()
	}
	if err == nil {
		p.permit, err = d.breaker.Allow()
	}
	if err != nil {
		p.leave(policy.Ignored)
		return pass{}, d.refused(err)
	}
	return p, nil
}

// failed notes why a call failed, before the breaker hears of it.
func (d *Dependency) failed(status int, err error) {
	why := "status " + strconv.Itoa(status)
	if err != nil {
		why = err.Error()
	}
	d.latest.Store(&why)
}

// refused adds to a breaker's refusal why the latest call failed: whoever reads of an open breaker wants to know what opened it, and the
// record of that call may be lost, since retries end with a refusal.
func (d *Dependency) refused(err error) error {
	if why := d.latest.Load(); why != nil && errors.Is(err, policy.ErrOpen) {
		return &opened{err, *why}
	}
	return err
}

// opened is a refusal, and in words what led to it: the error itself is another call's.
type opened struct {
	error
	why string
}

func (o *opened) Error() string { return o.error.Error() + " after: " + o.why }
func (o *opened) Unwrap() error { return o.error }

// leave gives back what enter took. The breaker may have heard the outcome before: see [policy.Permit.Done].
func (p pass) leave(o policy.Outcome) {
	p.permit.Done(o)
	p.lease.Done(o)
	if p.d.bulkhead != nil {
		p.d.bulkhead.Release()
	}
}

// Do calls f, once, under the policies and the query timeout. It returns f's error as it is, or the refusal of a policy.
// It is for calls that are no HTTP requests: queries, caches, queues.
func (d *Dependency) Do(ctx context.Context, f func(context.Context) error) error {
	p, err := d.enter(ctx)
	if err != nil {
		d.count(policy.Ignored, policy.ErrorReason(err))
		return err
	}
	outcome := policy.Failure // if f panics
	defer func() {
		p.leave(outcome)
		reason := policy.None
		if outcome == policy.Failure {
			if reason = policy.ErrorReason(err); reason == policy.None {
				reason = policy.Other
			}
		}
		d.count(outcome, reason)
	}()
	bounded, cancel := context.WithTimeout(ctx, d.cfg.Timeouts.Query)
	defer cancel()
	err = f(bounded)
	if outcome = d.cfg.Judge(ctx, err); outcome == policy.Failure && err != nil {
		d.failed(0, err)
	}
	return err
}

// DoRepeatable is [Dependency.Do] with retries. By calling it the caller vouches that f may run more than once with the effect of one
// run. The last error is returned.
func (d *Dependency) DoRepeatable(ctx context.Context, f func(context.Context) error) error {
	d.retry.Begin()
	for n := 1; ; n++ {
		err := d.Do(ctx, f)
		if err == nil || d.cfg.Judge(ctx, err) != policy.Failure {
			return err
		}
		wait, again := d.retry.Next(policy.Attempt{Number: n, Repeatable: true, Err: err})
		if !again || !sleep(ctx, wait) {
			return err
		}
		d.observe(metric.Retries, 1, metric.Attrs{})
	}
}

// sleep waits and reports whether ctx is still alive afterwards. It does not begin a wait that ctx will not live to see.
func sleep(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (d *Dependency) count(o policy.Outcome, r policy.Reason) {
	attrs := metric.Attrs{{}, {Key: "guard.outcome", Value: o.String()}}
	if r != policy.None {
		attrs[2] = metric.Attr{Key: "error.type", Value: string(r)}
	}
	d.observe(metric.Calls, 1, attrs)
}

// observe tells a number of the dependency. attrs[0] is left for its name.
func (d *Dependency) observe(name metric.Name, value float64, attrs metric.Attrs) {
	if d.cfg.Observer == nil {
		return
	}
	attrs[0] = metric.Attr{Key: "guard.dependency", Value: d.cfg.Name}
	d.cfg.Observer.Observe(name, value, attrs)
}

// NewTransport returns an [http.Transport] with the given timeouts and bounds: a header of at most 64 KiB, 64 idle
// connections per host that are given up after 60 s, before most servers close them under a request.
func NewTransport(t policy.Timeouts) (*http.Transport, error) {
	t, err := t.Fill()
	if err != nil {
		return nil, fmt.Errorf("guard: transport: %w", err)
	}
	dialer := &net.Dialer{Timeout: t.Connect, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    t.Connect,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}, nil
}

// Registry holds the dependencies of a service, one of each name. The zero value is empty and ready.
type Registry struct {
	mu   sync.RWMutex
	deps []*Dependency
}

// Add makes a dependency and keeps it. A name that is there already is refused, with whatever settings: two breakers
// would each see half of the failures. Use [Registry.Get] for the second caller.
func (r *Registry) Add(cfg DependencyConfig) (*Dependency, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.deps, func(d *Dependency) bool { return d.cfg.Name == cfg.Name }) {
		return nil, fmt.Errorf("guard: dependency %q is registered already: one breaker per dependency; use Get, or another name for another thing", cfg.Name)
	}
	d, err := NewDependency(cfg)
	if err != nil {
		return nil, err
	}
	r.deps = append(r.deps, d)
	return d, nil
}

// Get returns the dependency of that name, or nil.
func (r *Registry) Get(name string) *Dependency {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, d := range r.deps {
		if d.cfg.Name == name {
			return d
		}
	}
	return nil
}

// Breakers returns the circuit breakers of all dependencies, for a health check.
func (r *Registry) Breakers() []*policy.Breaker {
	var out []*policy.Breaker
	for _, d := range r.All() {
		out = append(out, d.breaker)
	}
	return out
}

// All returns the dependencies in the order in which they were added.
func (r *Registry) All() []*Dependency {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.deps)
}
