package policy

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// AdaptiveConfig is the configuration of an [AdaptiveLimiter].
type AdaptiveConfig struct {
	Name    string // of the dependency or server; required, told in errors
	Min     int    // the limit never falls below (default 4)
	Max     int    // nor rises above (default 1,000)
	Initial int    // before anything was measured (default 20)
	// Tolerance is how many times the usual latency is still called usual (default 1.5): the limit falls only beyond.
	Tolerance float64
	// OnChange, if set, is told each new limit with the reason: "latency", "failures" or "headroom". It is called
	// outside of any lock.
	OnChange func(name string, limit int, reason string)
}

func (c *AdaptiveConfig) fill() error {
	setDefault(&c.Min, 4)
	setDefault(&c.Max, 1000)
	setDefault(&c.Initial, min(max(20, c.Min), c.Max))
	setDefault(&c.Tolerance, 1.5)
	switch {
	case c.Name == "":
		return errors.New("policy: adaptive limit without a name: name what it protects")
	case c.Min < 1, c.Max < c.Min, c.Initial < c.Min, c.Initial > c.Max:
		return fmt.Errorf("policy: adaptive limit %q: want 1 <= Min <= Initial <= Max, have %d, %d, %d", c.Name, c.Min, c.Initial, c.Max)
	case !(c.Tolerance >= 1):
		return fmt.Errorf("policy: adaptive limit %q: Tolerance %v is below 1: it would fall for ever", c.Name, c.Tolerance)
	}
	return nil
}

// sampleFor is how long latencies are gathered before the limit is looked at again, and sampleCalls how many there
// must be: single latencies say little, and a limit that follows them swings.
const (
	sampleFor   = 100 * time.Millisecond
	sampleCalls = 10
)

// AdaptiveLimiter limits the calls in flight to what is served at the usual latency, for a capacity that nobody knows in
// advance. It compares the recent mean latency with the usual one, that without load: where the recent one is more than
// Tolerance times as long, calls are queueing somewhere and the limit falls in proportion, at most by half; else it
// rises by its square root, as the gradient limiters of the field do. It only rises while more than half of it is used,
// for without load nothing is learnt. Failures cut it by a tenth (multiplicative decrease).
type AdaptiveLimiter struct {
	cfg      AdaptiveConfig
	start    time.Time
	limit    atomic.Int64
	inFlight atomic.Int64
	refusal  *FullError

	mu     sync.Mutex
	from   int64   // when the sample began
	calls  int     // in the sample
	failed int     // in the sample
	sum    float64 // of their latencies in nanoseconds
	peak   int64   // calls in flight, the most in the sample
	usual  float64 // latency without a queue, in nanoseconds
	slow   int     // samples in a row that were slower than tolerated
}

// NewAdaptiveLimiter returns a limiter at its initial limit.
func NewAdaptiveLimiter(cfg AdaptiveConfig) (*AdaptiveLimiter, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	l := &AdaptiveLimiter{cfg: cfg, start: time.Now(), refusal: &FullError{cfg.Name}}
	l.limit.Store(int64(cfg.Initial))
	return l, nil
}

// Lease is the place of one call. It is a value: copy it, but report one outcome only.
type Lease struct {
	l     *AdaptiveLimiter
	begun int64
}

// Acquire takes a place or returns [*FullError]. The caller must report the outcome with [Lease.Done].
func (l *AdaptiveLimiter) Acquire() (Lease, error) {
	if l.inFlight.Add(1) > l.limit.Load() {
		l.inFlight.Add(-1)
		return Lease{}, l.refusal
	}
	return Lease{l, int64(time.Since(l.start))}, nil
}

// Done gives the place back. The time since Acquire is the latency of the call, unless the outcome is Ignored: a client
// that left, or an answer made without work, says nothing about capacity.
func (p Lease) Done(o Outcome) {
	l := p.l
	if l == nil {
		return
	}
	inFlight := l.inFlight.Add(-1) + 1
	if o == Ignored {
		return
	}
	now := int64(time.Since(l.start))
	l.mu.Lock()
	l.calls++
	l.sum += float64(now - p.begun)
	l.peak = max(l.peak, inFlight)
	if o == Failure {
		l.failed++
	}
	var reason string
	if l.calls >= sampleCalls && now-l.from >= int64(sampleFor) {
		reason = l.adapt()
		l.from, l.calls, l.failed, l.sum, l.peak = now, 0, 0, 0, 0
	}
	l.mu.Unlock()
	if reason != "" && l.cfg.OnChange != nil {
		l.cfg.OnChange(l.cfg.Name, l.Limit(), reason)
	}
}

// adapt sets the limit from the sample and returns why it changed, or "".
func (l *AdaptiveLimiter) adapt() (reason string) {
	recent := l.sum / float64(l.calls)
	old := float64(l.limit.Load())
	limit := old
	switch gradient := l.gradient(recent); {
	case l.failed*10 >= l.calls: // a tenth: single failures are not overload
		limit, reason = old*0.9, "failures"
	case gradient < 1:
		limit, reason = old*gradient, "latency"
	case float64(l.peak) > old/2:
		limit, reason = old+math.Sqrt(old), "headroom"
	}
	const smoothing = 0.2 // a fifth of the way at a time: one odd sample must not halve the capacity
	next := int64(math.Round(old*(1-smoothing) + limit*smoothing))
	if next == int64(old) && limit != old { // rounding must not hold a small limit for ever
		next += int64(math.Copysign(1, limit-old))
	}
	next = min(max(next, int64(l.cfg.Min)), int64(l.cfg.Max))
	if next == int64(old) {
		return ""
	}
	l.limit.Store(next)
	return reason
}

// gradient returns how far the limit is to fall for latency, between 0.5 and 1 (not at all), and learns what is usual.
// Under load latency contains the queue, so that the usual one may then only get shorter: else an overload would become
// usual while it lasts. The exception is a minute of latency that no cut of the limit cured: then the work itself takes
// longer than it did.
func (l *AdaptiveLimiter) gradient(recent float64) float64 {
	const learn, patience = 0.1, int(time.Minute / sampleFor)
	loaded := float64(l.peak) > float64(l.limit.Load())/2
	slow := recent > l.cfg.Tolerance*l.usual
	if !slow {
		l.slow = 0
	}
	switch {
	case l.usual == 0, l.slow >= patience:
		l.usual, l.slow, slow = recent, 0, false
	case slow:
		l.slow++
	}
	if !loaded || recent < l.usual {
		l.usual += (recent - l.usual) * learn
	}
	if !slow {
		return 1
	}
	return max(0.5, l.cfg.Tolerance*l.usual/recent)
}

// Limit returns the present limit.
func (l *AdaptiveLimiter) Limit() int { return int(l.limit.Load()) }

// InFlight returns the calls in flight and the present limit.
func (l *AdaptiveLimiter) InFlight() (now, most int) { return int(l.inFlight.Load()), l.Limit() }

// Name returns the name of what is protected.
func (l *AdaptiveLimiter) Name() string { return l.cfg.Name }
