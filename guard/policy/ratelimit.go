package policy

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// ErrLimited is matched by the refusal of a rate limiter. It is answered with 429 and Retry-After: the client asks for
// more than its share, the server is well.
var ErrLimited = errors.New("rate limit exceeded")

// LimitError is the refusal of a rate limiter. It matches [ErrLimited].
type LimitError struct {
	Name  string
	Quota Quota
}

// RetryAfter returns when the next call will be allowed.
func (e *LimitError) RetryAfter() time.Duration { return e.Quota.RetryAfter }

// Error names the limit and its rate.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %v: %d per %v", e.Name, ErrLimited, e.Quota.Limit, e.Quota.Per)
}

// Is reports whether target is [ErrLimited].
func (e *LimitError) Is(target error) bool { return target == ErrLimited }

// RateConfig is the configuration of a [RateLimiter].
type RateConfig struct {
	Name  string        // of the limit, as told to clients: a token such as "default"; required
	Limit int           // calls per Per, at least 1; required
	Per   time.Duration // (default 1 s)
	Burst int           // calls at once after a pause (default Limit)
}

func (c *RateConfig) fill() error {
	if err := validName(c.Name); err != nil {
		return fmt.Errorf("policy: rate limit: %w", err)
	}
	setDefault(&c.Per, time.Second)
	setDefault(&c.Burst, c.Limit)
	switch {
	case c.Limit < 1, c.Burst < 1, c.Per < 0:
		return fmt.Errorf("policy: rate limit %q: %d per %v with bursts of %d: each must be at least 1", c.Name, c.Limit, c.Per, c.Burst)
	case c.Per/time.Duration(c.Limit) < 1:
		return fmt.Errorf("policy: rate limit %q: more than one call a nanosecond is no limit", c.Name)
	}
	return nil
}

// validName: the name stands in quotes in a header field, so it must need no escaping.
func validName(name string) error {
	if name == "" {
		return errors.New("no name: it tells clients which limit they met")
	}
	for _, r := range name {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return fmt.Errorf("name %q: use printable ASCII without quotes and backslashes", name)
		}
	}
	return nil
}

// Quota is the decision of a rate limiter and what is left of the quota. It is a value and allocates nothing.
type Quota struct {
	Allowed    bool
	Limit      int           // calls per Per
	Per        time.Duration // the window that Limit is told for
	Remaining  int           // calls that would be allowed now
	Reset      time.Duration // until the whole burst is there again
	RetryAfter time.Duration // 0 if allowed, else until the next call is
}

// Seconds rounds a duration up to whole seconds, as header fields such as Retry-After count them: whoever comes back
// after that many seconds does not come too early.
func Seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d + time.Second - 1) / time.Second)
}

// gcra is the generic cell rate algorithm: one time says all about a client, namely when its quota is whole again.
type gcra struct{ interval, burst int64 } // nanoseconds for one call, and for all that may come at once

// take decides for one call at now, given when the quota is whole, and returns when it will be after this call.
func (g gcra) take(whole, now int64) (next int64, allowed bool) {
	next = max(whole, now) + g.interval
	return next, next-now <= g.burst
}

// RateLimiter limits a rate by the generic cell rate algorithm: calls are spaced evenly, with bursts after a pause. It
// has no ticker and no windows at whose edges twice the rate passes.
type RateLimiter struct {
	cfg   RateConfig
	gcra  gcra
	start time.Time
	whole atomic.Int64
}

// NewRateLimiter returns a limiter with its whole burst available.
func NewRateLimiter(cfg RateConfig) (*RateLimiter, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	return &RateLimiter{cfg: cfg, gcra: cfg.gcra(), start: time.Now()}, nil
}

func (c *RateConfig) gcra() gcra {
	interval := int64(c.Per) / int64(c.Limit)
	return gcra{interval, interval * int64(c.Burst)}
}

// Allow decides for one call. A refused call takes nothing from the quota.
func (l *RateLimiter) Allow() Quota {
	now := int64(time.Since(l.start))
	for {
		whole := l.whole.Load()
		next, ok := l.gcra.take(whole, now)
		if !ok {
			return l.cfg.quota(l.gcra, next, now, false)
		}
		if l.whole.CompareAndSwap(whole, next) {
			return l.cfg.quota(l.gcra, next, now, true)
		}
	}
}

func (c *RateConfig) quota(g gcra, next, now int64, allowed bool) Quota {
	q := Quota{Allowed: allowed, Limit: c.Limit, Per: c.Per}
	if !allowed {
		q.RetryAfter = time.Duration(next - now - g.burst)
		next -= g.interval // nothing was taken
	}
	q.Reset = time.Duration(next - now)
	q.Remaining = int((g.burst - (next - now)) / g.interval)
	return q
}

// Name returns the name of the limit.
func (l *RateLimiter) Name() string { return l.cfg.Name }

// Err returns nil for an allowed call and [*LimitError] for a refused one.
func (q Quota) Err(name string) error {
	if q.Allowed {
		return nil
	}
	return &LimitError{name, q}
}

// SetHeader tells the client its quota, as draft-ietf-httpapi-ratelimit-headers-10 has it:
//
//	RateLimit-Policy: "default";q=100;w=60
//	RateLimit: "default";r=42;t=17
//
// and, where the call was refused, Retry-After (RFC 9110, 10.2.3). Several limits of one answer stand in one list.
func (q Quota) SetHeader(h http.Header, name string) {
	item := func(params string) string { return `"` + name + `"` + params }
	add := func(key, value string) {
		if old := h.Get(key); old != "" {
			value = old + ", " + value
		}
		h.Set(key, value)
	}
	add("RateLimit-Policy", item(";q="+strconv.Itoa(q.Limit)+";w="+strconv.Itoa(max(1, Seconds(q.Per)))))
	add("RateLimit", item(";r="+strconv.Itoa(q.Remaining)+";t="+strconv.Itoa(Seconds(q.Reset))))
	if !q.Allowed {
		h.Set("Retry-After", strconv.Itoa(Seconds(q.RetryAfter)))
	}
}
