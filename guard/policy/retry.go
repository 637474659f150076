package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RetryConfig is the configuration of a [Retry].
type RetryConfig struct {
	Attempts int // in total (default 3); 1 never retries
	// Statuses that are worth another attempt (default 429, 502, 503 and 504). 500 is not: the same request meets the
	// same bug.
	Statuses []int
	// Backoff is the upper bound of the first wait (default 100 ms); each further one doubles, up to MaxBackoff
	// (default 2 s). The wait is drawn evenly from 0 up to the bound (full jitter), so that the callers of one failure do not return together.
	Backoff, MaxBackoff time.Duration
	// MaxRetryAfter is the longest Retry-After that is waited for (default 10 s). A longer one is passed on to the
	// caller together with the answer, at once.
	MaxRetryAfter time.Duration
	// Budget bounds the retries of all calls together; nil makes one with its defaults.
	Budget *RetryBudget
}

// Retry decides whether and when a call is attempted again.
type Retry struct{ cfg RetryConfig }

// NewRetry returns a policy with what cfg leaves open filled in.
func NewRetry(cfg RetryConfig) (*Retry, error) {
	if cfg.Attempts < 0 || cfg.Backoff < 0 || cfg.MaxBackoff < 0 || cfg.MaxRetryAfter < 0 {
		return nil, errors.New("policy: retry: a negative setting; leave it 0 for the default")
	}
	setDefault(&cfg.Attempts, 3)
	setDefault(&cfg.Backoff, 100*time.Millisecond)
	setDefault(&cfg.MaxBackoff, 2*time.Second)
	setDefault(&cfg.MaxRetryAfter, 10*time.Second)
	if cfg.Statuses == nil {
		cfg.Statuses = append(FailureStatuses(), http.StatusTooManyRequests)
	}
	for _, s := range cfg.Statuses {
		if s < 400 || s > 599 {
			return nil, fmt.Errorf("policy: retry: status %d is no failure; list those from 400 to 599", s)
		}
	}
	if cfg.Budget == nil {
		budget, err := NewRetryBudget(BudgetConfig{})
		if err != nil {
			return nil, err
		}
		cfg.Budget = budget
	}
	return &Retry{cfg}, nil
}

// Attempt describes an attempt that has ended, for [Retry.Next].
type Attempt struct {
	Number     int         // 1 for the first
	Repeatable bool        // the request may be sent twice: see [Repeatable]
	Status     int         // of the answer; 0 if there was none
	Header     http.Header // of the answer; only Retry-After is read
	Err        error       // if there was no answer
}

// Begin notes the first attempt of a call: it earns the budget its share.
func (r *Retry) Begin() { r.cfg.Budget.Earn() }

// Next decides whether there is another attempt, and after which wait. It takes that attempt from the budget.
func (r *Retry) Next(a Attempt) (wait time.Duration, again bool) {
	if a.Number >= r.cfg.Attempts {
		return 0, false
	}
	switch {
	case a.Err != nil:
		var refusal interface{ RetryAfter() time.Duration }
		if errors.As(a.Err, &refusal) || !a.Repeatable && !NothingSent(a.Err) || Hopeless(a.Err) {
			return 0, false
		}
	case !a.Repeatable || !slices.Contains(r.cfg.Statuses, a.Status):
		return 0, false
	}
	wait = r.backoff(a.Number)
	if after, ok := RetryAfter(a.Header, time.Now()); ok {
		if after > r.cfg.MaxRetryAfter {
			return 0, false
		}
		wait += after
	}
	if !r.cfg.Budget.Spend() {
		return 0, false
	}
	return wait, true
}

func (r *Retry) backoff(attempt int) time.Duration {
	bound := r.cfg.MaxBackoff
	if shift := attempt - 1; shift < 32 && r.cfg.Backoff<<shift < bound && r.cfg.Backoff<<shift > 0 {
		bound = r.cfg.Backoff << shift
	}
	return rand.N(bound + 1)
}

// Repeatable reports whether a request may be sent twice: its method is idempotent (RFC 9110, 9.2.2), or the client
// vouches for it with an Idempotency-Key.
func Repeatable(method string, header http.Header) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return header.Get("Idempotency-Key") != ""
}

// NothingSent reports whether err proves that no byte of the request left: the connection was never made. Any method
// may then be tried again.
func NothingSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// Hopeless reports whether the same call would fail in the same way at once: the certificate, the name or the address
// is wrong, or what is spoken there is not HTTP.
func Hopeless(err error) bool {
	switch ErrorReason(err) {
	case TLS, Malformed:
		return true
	case DNS:
		var dns *net.DNSError
		return errors.As(err, &dns) && dns.IsNotFound
	}
	return false
}

// RetryAfter reads Retry-After, which is a number of seconds or a date (RFC 9110, 10.2.3). A date in the past is 0. A
// value that is neither counts as absent; seconds beyond a century are a century.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if value[0] >= '0' && value[0] <= '9' {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		const century = 100 * 365 * 24 * 3600
		return time.Duration(min(seconds, century)) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}
