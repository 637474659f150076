package notify

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// failure is an attempt that did not work out, with what is known about trying again.
type failure struct {
	err   error
	never bool          // trying again cannot help
	after time.Duration // the channel asked to wait so long
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func permanent(err error) error { return &failure{err: err, never: true} }

func isPermanent(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.never
}

func retryAfter(err error) time.Duration {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.after
	}
	return 0
}

// askedToWait reads Retry-After (RFC 9110 10.2.3): seconds, or a date.
func askedToWait(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil {
		return max(0, min(time.Duration(s), patience/time.Second)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
