package guard

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// Error is an answer that a handler chose: a status, a code for programs, a sentence for people. Below 500 it is told
// to the client and recorded nowhere; from 500 on it is recorded too. Err is for the record and never told.
type Error struct {
	Status     int
	Code       string         // such as INVENTORY_CONFLICT
	Message    string         // told to the client
	RetryAfter time.Duration  // told as Retry-After and retryAfterSeconds; 503 and 429 have one in any case
	Fields     map[string]any // further members of the answer
	Location   string         // of a redirect
	Err        error          // the cause, for the inside
}

// Error is for the inside: it names the cause.
func (e *Error) Error() string {
	s := fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// BadRequest is 400: the request is wrong, and the client can mend it.
func BadRequest(code, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// SeeOther is 303 to location, such as the page where one logs in.
func SeeOther(location string) *Error {
	return &Error{Status: http.StatusSeeOther, Code: "SEE_OTHER", Location: location}
}

// Unauthorized is 401: the client is not logged in. challenge is the value of WWW-Authenticate, as RFC 9110, 15.5.2 requires one.
func Unauthorized(challenge string) *Error {
	return &Error{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "Please log in.", Location: challenge}
}

// PaymentRequired is 402: a payment was declined.
func PaymentRequired(code, message string) *Error {
	return &Error{Status: http.StatusPaymentRequired, Code: code, Message: message}
}

// NotFound is 404.
func NotFound(code, message string) *Error {
	return &Error{Status: http.StatusNotFound, Code: code, Message: message}
}

// Conflict is 409: the request was understood and refused, as with something that is out of stock.
func Conflict(code, message string) *Error {
	return &Error{Status: http.StatusConflict, Code: code, Message: message}
}

// TooManyRequests is 429: this client asks too much.
func TooManyRequests(after time.Duration) *Error {
	return &Error{Status: http.StatusTooManyRequests, Code: "TOO_MANY_REQUESTS", Message: "Too many requests. Please slow down.", RetryAfter: after}
}

// BadGateway is 502: what was called answered with something that cannot be understood.
func BadGateway(err error) *Error {
	return &Error{Status: http.StatusBadGateway, Code: "BAD_GATEWAY", Message: "A service that we depend on gave an answer that we cannot use.", Err: err}
}

// Unavailable is 503: the code is well, something that it needs is not, and coming back helps.
func Unavailable(err error, after time.Duration) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Code: unavailable, Message: unavailableMessage, RetryAfter: after, Err: err}
}

const (
	unavailable        = "SERVICE_TEMPORARILY_UNAVAILABLE"
	unavailableMessage = "The service is temporarily unavailable. Please try again shortly."
	internalMessage    = "Something went wrong on our side. Please quote the error id when you ask for help."
)

// GatewayTimeout is 504: what was called did not answer in time.
func GatewayTimeout(err error) *Error {
	return &Error{Status: http.StatusGatewayTimeout, Code: "GATEWAY_TIMEOUT", Message: "A service that we depend on did not answer in time.", Err: err}
}

// Trace adds the stack of its caller to err, for the record: Go's errors say what went wrong but not where. Wrap an
// error with it where it enters your code. An error that has a stack already, and nil, are returned as they are.
func Trace(err error) error {
	if err == nil || stackOf(err) != "" {
		return err
	}
	var pcs [32]uintptr
	return &traced{err, pcs[:runtime.Callers(2, pcs[:])]}
}

type traced struct {
	error
	pcs []uintptr
}

func (t *traced) Unwrap() error { return t.error }

func (t *traced) stack() string {
	var b strings.Builder
	frames := runtime.CallersFrames(t.pcs)
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
		if !more {
			return b.String()
		}
	}
}
