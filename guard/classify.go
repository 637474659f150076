package guard

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/policy"
)

// classify finds the answer that an error deserves. What it does not know is a bug, 500: everything else would promise
// the client something.
func (g *Guard) classify(err error) *Error {
	var chosen *Error
	if errors.As(err, &chosen) {
		return g.complete(*chosen)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: "REQUEST_TOO_LARGE", Message: fmt.Sprintf("The request is longer than %d bytes.", tooLarge.Limit), Err: err}
	}
	if after, ok := g.unavailable(err); ok {
		return Unavailable(err, after)
	}
	if e := policy.ErrorReason(err); e == policy.TLS || e == policy.Malformed && fromDependency(err) {
		return BadGateway(err)
	}
	return &Error{Status: http.StatusInternalServerError, Code: "INTERNAL_SERVER_ERROR", Message: internalMessage, Err: err}
}

// complete fills in what every answer of its status has.
func (g *Guard) complete(e Error) *Error {
	if e.Status < 300 || e.Status > 599 {
		wrong := e
		e = Error{Status: http.StatusInternalServerError, Err: &wrong}
	}
	if e.Code == "" {
		e.Code = strings.ToUpper(strings.NewReplacer(" ", "_", "-", "_").Replace(http.StatusText(e.Status)))
	}
	if e.Message == "" {
		if e.Message = internalMessage; e.Status < 500 {
			e.Message = http.StatusText(e.Status)
		}
	}
	if e.RetryAfter <= 0 && (e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests) {
		e.RetryAfter = g.cfg.RetryAfter
	}
	return &e
}

// unavailable reports whether err says that something the code needs is not there now, and when to come back: a policy
// that refused, a timeout, a dependency that cannot be reached, a pool, disk or table that is full. A limit on our own calls is one too: it is no fault of the client.
func (g *Guard) unavailable(err error) (after time.Duration, ok bool) {
	var refusal interface{ RetryAfter() time.Duration }
	switch {
	case errors.As(err, &refusal):
		return refusal.RetryAfter(), true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, policy.ErrHeaderTimeout), errors.Is(err, policy.ErrStall),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return g.cfg.RetryAfter, true
	}
	switch policy.ErrorReason(err) {
	case policy.Refused, policy.ConnectTimeout:
		return g.cfg.RetryAfter, true
	case policy.DNS, policy.HeaderTimeout, policy.Cut:
		if fromDependency(err) { // else it may be the client's body that was cut
			return g.cfg.RetryAfter, true
		}
	}
	_, rule := g.judge.Words(err.Error())
	return g.cfg.RetryAfter, rule == answer.RulePool || rule == answer.RuleBreaker || rule == answer.RuleTimeout
}

// CallError is an error of a request through [Dependency.Transport].
type CallError struct {
	Dependency string
	Reason     policy.Reason
	Err        error
}

// Error names the dependency.
func (e *CallError) Error() string { return e.Dependency + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// whose names the dependency that failed, or that is refused because it did; "" where the error does not tell.
func whose(err error) string {
	var call *CallError
	if errors.As(err, &call) {
		return call.Dependency
	}
	var open *policy.OpenError
	if errors.As(err, &open) {
		return open.Name()
	}
	return "" // what is full may be this service
}

func fromDependency(err error) bool {
	var call *CallError
	return errors.As(err, &call)
}

// class names the type of an error: that of the deepest one that is more than words.
func class(err error) string {
	name := ""
	var panicked *panicError
	if errors.As(err, &panicked) {
		return fmt.Sprintf("panic: %T", panicked.value)
	}
	for e := err; e != nil; {
		switch t := fmt.Sprintf("%T", e); t {
		case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.errorString", "*errors.joinError", "*guard.traced", "*guard.Error", "*guard.CallError", "*guard.opened":
		default:
			name = t
		}
		switch u := e.(type) { //nolint:errorlint // it walks the chain itself, one error at a time
		case interface{ Unwrap() error }:
			e = u.Unwrap()
		case interface{ Unwrap() []error }:
			all := u.Unwrap()
			if len(all) == 0 {
				return name
			}
			e = all[len(all)-1]
		default:
			e = nil
		}
	}
	if name == "" {
		return "error"
	}
	return strings.TrimPrefix(name, "*")
}

// stackOf returns the stack that an error carries, ours or that of another library's Stack method, or "".
func stackOf(err error) string {
	var ours *traced
	if errors.As(err, &ours) {
		return ours.stack()
	}
	var theirs interface{ Stack() []byte }
	if errors.As(err, &theirs) {
		return string(theirs.Stack())
	}
	return ""
}
