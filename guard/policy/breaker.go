package policy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOpen is matched by the refusal of an open circuit breaker. It is answered with 503 and Retry-After, never 429.
var ErrOpen = errors.New("circuit breaker is open")

// State is the state of a [Breaker].
type State uint8

// The states of a circuit breaker.
const (
	Closed   State = iota // calls pass
	Open                  // calls are refused without reaching the dependency
	HalfOpen              // one probe at a time is let through
)

// String returns closed, open or half-open.
func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// Change is one transition of a [Breaker].
type Change struct {
	Name     string    // of the breaker
	From, To State     // never equal
	At       time.Time // when; changes may be delivered out of order
}

// BreakerConfig is the configuration of a [Breaker]. The zero value of each field but Name is its default.
type BreakerConfig struct {
	Name string // of the dependency; required, told in errors

	// Failures in a row open the breaker (default 5). A success in between starts the count anew.
	Failures int
	// OpenFor is how long the breaker stays open before it lets a probe through (default 30 s).
	OpenFor time.Duration
	// Probes is how many probes, one after the other, must succeed to close it (default 1).
	Probes int
	// ProbeTimeout is after how long a probe that was not reported counts as lost and the next caller becomes the
	// probe (default OpenFor). Without it one lost permit would keep the breaker half-open for ever.
	ProbeTimeout time.Duration

	// Ratio, above 0 and up to 1, opens on the share of failures within Window instead of on failures in a row: for a
	// dependency with many callers, where a few percent of failures are normal and a run of five happens by chance.
	Ratio float64
	// Window is the time over which Ratio is taken (default 10 s), in ten steps.
	Window time.Duration
	// MinRequests is how many outcomes Window must hold before Ratio is looked at (default 20): below, one failure is
	// a large share.
	MinRequests int

	// OnChange, if set, is called once for each transition, by the call that caused it and outside of any lock.
	OnChange func(Change)
}

func (c *BreakerConfig) fill() error {
	switch {
	case c.Name == "":
		return errors.New("policy: breaker without a name: name the dependency that it protects")
	case c.Failures < 0, c.OpenFor < 0, c.Probes < 0, c.ProbeTimeout < 0, c.Window < 0, c.MinRequests < 0:
		return fmt.Errorf("policy: breaker %q: a negative setting; leave it 0 for the default", c.Name)
	case !(c.Ratio >= 0 && c.Ratio <= 1):
		return fmt.Errorf("policy: breaker %q: ratio %v is not between 0 and 1 (50%% is 0.5)", c.Name, c.Ratio)
	}
	setDefault(&c.Failures, 5)
	setDefault(&c.OpenFor, 30*time.Second)
	setDefault(&c.Probes, 1)
	setDefault(&c.ProbeTimeout, c.OpenFor)
	setDefault(&c.Window, 10*time.Second)
	setDefault(&c.MinRequests, 20)
	return nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Breaker is a circuit breaker for one dependency. It counts what calls report; it makes none itself.
type Breaker struct {
	cfg   BreakerConfig
	start time.Time // times below are since then, on the monotonic clock

	// word is epoch<<2 | State. Each transition and each probe begins a new epoch, so that a call that began in an
	// earlier one cannot speak for the present.
	word    atomic.Uint64
	until   atomic.Int64 // open: when the first probe may pass; half-open: when the probe counts as lost
	refusal *OpenError   // the same for all refusals: nothing is allocated for a call that is refused

	failures atomic.Int64 // in a row
	mu       sync.Mutex   // transitions, and what follows
	probes   int          // that succeeded since half-open
	opened   time.Time    // when it left closed; zero when closed
	window   *window      // in ratio mode
}

// NewBreaker returns a closed breaker.
func NewBreaker(cfg BreakerConfig) (*Breaker, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	b := &Breaker{cfg: cfg, start: time.Now()}
	b.refusal = &OpenError{b}
	if cfg.Ratio > 0 {
		b.window = newWindow(cfg.Window)
	}
	return b, nil
}

// Permit is the permission for one call. It is a value: copy it, but report one outcome only.
type Permit struct {
	b     *Breaker
	epoch uint64
}

// Allow returns the permit for one call, or [*OpenError]. The caller must report the outcome with [Permit.Done]; if it
// never does, a breaker that is half-open waits for ProbeTimeout before it tries another probe.
func (b *Breaker) Allow() (Permit, error) {
	word := b.word.Load()
	switch State(word & 3) {
	case Closed:
		return Permit{b, word >> 2}, nil
	case Open, HalfOpen:
		if b.now() < b.until.Load() {
			return Permit{}, b.refusal
		}
	}
	return b.probe()
}

// Refuse returns the error that [Breaker.Allow] would return now, without taking a permit. It spares a call that is
// going to wait for something else first.
func (b *Breaker) Refuse() error {
	if State(b.word.Load()&3) != Closed && b.now() < b.until.Load() {
		return b.refusal
	}
	return nil
}

// probe makes the caller the one probe, unless another was faster.
func (b *Breaker) probe() (Permit, error) {
	b.mu.Lock()
	word := b.word.Load()
	state := State(word & 3)
	if state == Closed {
		b.mu.Unlock()
		return Permit{b, word >> 2}, nil
	}
	if b.now() < b.until.Load() {
		b.mu.Unlock()
		return Permit{}, b.refusal
	}
	b.until.Store(b.now() + int64(b.cfg.ProbeTimeout))
	notify := b.move(HalfOpen)
	p := Permit{b, b.word.Load() >> 2}
	b.mu.Unlock()
	notify()
	return p, nil
}

// Done reports the outcome of the call. The report of a call that began before the breaker last changed is not
// counted, and so is a second report of a probe.
func (p Permit) Done(o Outcome) {
	b := p.b
	if b == nil {
		return
	}
	word := b.word.Load()
	if word>>2 != p.epoch {
		return
	}
	if State(word&3) == Closed && b.window == nil {
		switch {
		case o == Failure && b.failures.Add(1) >= int64(b.cfg.Failures):
		case o == Success && b.failures.Load() != 0:
			b.failures.Store(0)
			return
		default:
			return
		}
	}
	b.settle(p.epoch, o)
}

// settle is the slow part of Done: outcomes that may change the state, and all outcomes in ratio mode.
func (b *Breaker) settle(epoch uint64, o Outcome) {
	b.mu.Lock()
	word := b.word.Load()
	notify := func() {}
	switch state := State(word & 3); {
	case word>>2 != epoch:
	case state == Closed && b.window == nil:
		notify = b.trip()
	case state == Closed && o != Ignored:
		failed, total := b.window.add(b.now(), o == Failure)
		if o == Failure && total >= b.cfg.MinRequests && float64(failed) >= b.cfg.Ratio*float64(total) {
			notify = b.trip()
		}
	case state == HalfOpen && o == Failure:
		notify = b.trip()
	case state == HalfOpen && o == Ignored:
		b.until.Store(b.now()) // the next caller is the probe
		notify = b.move(HalfOpen)
	case state == HalfOpen && o == Success:
		b.until.Store(b.now())
		if b.probes++; b.probes >= b.cfg.Probes {
			notify = b.move(Closed)
		} else {
			notify = b.move(HalfOpen)
		}
	}
	b.mu.Unlock()
	notify()
}

func (b *Breaker) trip() (notify func()) {
	b.until.Store(b.now() + int64(b.cfg.OpenFor))
	return b.move(Open)
}

// move begins a new epoch in the given state. The caller holds mu, and calls what it returns after releasing it.
func (b *Breaker) move(to State) (notify func()) {
	word := b.word.Load()
	from := State(word & 3)
	switch {
	case to == Closed:
		b.opened = time.Time{}
		b.failures.Store(0)
		if b.window != nil {
			b.window.clear()
		}
	case from == Closed:
		b.opened = time.Now()
	}
	if to != HalfOpen || from != HalfOpen {
		b.probes = 0
	}
	b.word.Store((word>>2+1)<<2 | uint64(to))
	if from == to || b.cfg.OnChange == nil {
		return func() {}
	}
	change := Change{b.cfg.Name, from, to, time.Now()}
	return func() { b.cfg.OnChange(change) }
}

func (b *Breaker) now() int64 { return int64(time.Since(b.start)) }

// Name returns the name of the dependency.
func (b *Breaker) Name() string { return b.cfg.Name }

// State returns the present state. A breaker whose time is up is open until a caller comes to be its probe.
func (b *Breaker) State() State { return State(b.word.Load() & 3) }

// OpenSince returns when the breaker last left closed, and whether it is open or half-open now.
func (b *Breaker) OpenSince() (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened, !b.opened.IsZero()
}

// Reset closes the breaker and forgets what it counted: the operator's override once the cause is mended.
func (b *Breaker) Reset() {
	b.mu.Lock()
	notify := b.move(Closed)
	b.mu.Unlock()
	notify()
}

// Do calls f if the breaker allows it, and reports what [ErrorOutcome] makes of its error. The error is returned as it
// is; a panic counts as a failure and goes on.
func (b *Breaker) Do(ctx context.Context, f func(context.Context) error) error {
	p, err := b.Allow()
	if err != nil {
		return err
	}
	outcome := Failure
	defer func() { p.Done(outcome) }()
	err = f(ctx)
	outcome = ErrorOutcome(ctx, err)
	return err
}

// OpenError is the refusal of a [Breaker]. It matches [ErrOpen].
type OpenError struct{ b *Breaker }

// Name returns the name of the dependency.
func (e *OpenError) Name() string { return e.b.cfg.Name }

// RetryAfter returns how long the breaker still refuses, from now on; at least one nanosecond, so that rounding up to
// seconds never gives 0. While a probe is out it is at most one second: its answer decides, not the clock.
func (e *OpenError) RetryAfter() time.Duration {
	left := max(1, time.Duration(e.b.until.Load()-e.b.now()))
	if e.b.State() == HalfOpen {
		return min(left, time.Second)
	}
	return left
}

// Error names the dependency.
func (e *OpenError) Error() string { return e.b.cfg.Name + ": " + ErrOpen.Error() }

// Is reports whether target is [ErrOpen].
func (e *OpenError) Is(target error) bool { return target == ErrOpen }
