package policy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrFull is matched by the refusal of a [Bulkhead] or an [AdaptiveLimiter]: too many calls are in flight. It is
// answered with 503 and Retry-After: the server lacks capacity, no client is to blame.
var ErrFull = errors.New("too many calls in flight")

// FullError is a refusal for lack of capacity. It matches [ErrFull].
type FullError struct{ name string }

// Name returns the name of the dependency or server that is full.
func (e *FullError) Name() string { return e.name }

// RetryAfter returns one second. Capacity comes back with each call that ends; the unit of the header field is seconds.
func (e *FullError) RetryAfter() time.Duration { return time.Second }

// Error names what is full.
func (e *FullError) Error() string { return e.name + ": " + ErrFull.Error() }

// Is reports whether target is [ErrFull].
func (e *FullError) Is(target error) bool { return target == ErrFull }

// BulkheadConfig is the configuration of a [Bulkhead].
type BulkheadConfig struct {
	Name     string // of the dependency or server; required, told in errors
	InFlight int    // calls at a time, at least 1; required
	// Queue is how many callers may wait for a place (default none). A queue longer than what is served within Wait
	// only turns refusals into slow refusals.
	Queue int
	// Wait is how long a caller waits in the queue at most (default 1 s).
	Wait time.Duration
}

// Bulkhead limits the calls in flight, so that one slow dependency cannot hold every goroutine, connection and buffer.
type Bulkhead struct {
	cfg     BulkheadConfig
	places  chan struct{}
	waiting atomic.Int64
	refusal *FullError
}

// NewBulkhead returns an empty bulkhead.
func NewBulkhead(cfg BulkheadConfig) (*Bulkhead, error) {
	switch {
	case cfg.Name == "":
		return nil, errors.New("policy: bulkhead without a name: name what it protects")
	case cfg.InFlight < 1:
		return nil, fmt.Errorf("policy: bulkhead %q: InFlight is %d, it must be at least 1", cfg.Name, cfg.InFlight)
	case cfg.Queue < 0, cfg.Wait < 0:
		return nil, fmt.Errorf("policy: bulkhead %q: a negative setting; leave it 0 for the default", cfg.Name)
	}
	setDefault(&cfg.Wait, time.Second)
	return &Bulkhead{cfg: cfg, places: make(chan struct{}, cfg.InFlight), refusal: &FullError{cfg.Name}}, nil
}

// Acquire takes a place, waiting in the queue if there is one. It returns [*FullError], or the cause of ctx if that
// ends first. After nil the caller must call [Bulkhead.Release].
func (b *Bulkhead) Acquire(ctx context.Context) error {
	select {
	case b.places <- struct{}{}:
		return nil
	default:
	}
	if b.cfg.Queue == 0 {
		return b.refusal
	}
	return b.wait(ctx)
}

func (b *Bulkhead) wait(ctx context.Context) error {
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > int64(b.cfg.Queue) {
		return b.refusal
	}
	timer := time.NewTimer(b.cfg.Wait)
	defer timer.Stop()
	select {
	case b.places <- struct{}{}:
		return nil
	case <-timer.C:
		return b.refusal
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Release gives back the place of one call. Releasing more than was acquired is a fault of the caller and panics.
func (b *Bulkhead) Release() {
	select {
	case <-b.places:
	default:
		panic("policy: bulkhead " + b.cfg.Name + ": released more often than acquired")
	}
}

// Name returns the name of what is protected.
func (b *Bulkhead) Name() string { return b.cfg.Name }

// InFlight returns the calls in flight and how many there may be.
func (b *Bulkhead) InFlight() (now, most int) { return len(b.places), cap(b.places) }

// Waiting returns how many callers wait for a place.
func (b *Bulkhead) Waiting() int { return int(min(b.waiting.Load(), int64(b.cfg.Queue))) }
