package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// StatusClientLeft is what is logged for a client that left before its answer: nginx's 499. It is never sent.
const StatusClientLeft = 499

// Failure is an exchange that did not end in a whole answer.
type Failure struct {
	Reason policy.Reason
	// Timeout tells a 504 from a 502 where the reason alone does not: a name server, or a TLS handshake, that does not answer.
	Timeout bool
	// Cause is, for a circuit that is open, why the attempt failed that opened it; "" for anything else.
	Cause policy.Reason
	// RetryAfter is when trying again makes sense; zero: not known.
	RetryAfter time.Duration
	Err        error // the whole story, for the log: it may name hosts
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return string(f.Reason)
	}
	return fmt.Sprintf("%s: %v", f.Reason, f.Err)
}

// Unwrap returns the story behind the reason.
func (f *Failure) Unwrap() error { return f.Err }

// Status is what a client is to be told (RFC 9110 15.6): 504 if the upstream took too long, 502 if what it did was wrong, 503 if
// it was not asked, 499 (in the log only) for a client that left.
func (f *Failure) Status() int {
	switch f.Reason {
	case policy.ConnectTimeout, policy.HeaderTimeout, policy.Stall:
		return http.StatusGatewayTimeout
	case policy.BreakerOpen, policy.Shed:
		return http.StatusServiceUnavailable
	case policy.Limited:
		return http.StatusTooManyRequests
	case policy.ClientLeft:
		return StatusClientLeft
	}
	if f.Timeout {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// reasonStatus begins the [Failure].Cause of a circuit that statuses opened, of the upstream itself: "status-502". What is wrong there
// depends on which.
const reasonStatus policy.Reason = "status-"

// outcome is what the failure says about the server that was asked. A client that left and the gateway's own limits say nothing.
func (f *Failure) outcome() policy.Outcome {
	switch f.Reason {
	case policy.ClientLeft, policy.Shed, policy.BreakerOpen, policy.Limited:
		return policy.Ignored
	}
	return policy.Failure
}

// errLocal marks failures of this machine: no descriptor or no port is left.
var errLocal = errors.New("the gateway itself has no descriptor or port left; raise its limit of open files (ulimit -n) or its range of ports")

// failureOf puts an error of the transport under its reason. An error that nothing is known of is an answer that made no sense.
func failureOf(err error) *Failure {
	var f *Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return &Failure{Reason: policy.Shed, Err: fmt.Errorf("%w: %w", errLocal, err)}
	}
	f = &Failure{Reason: policy.ErrorReason(err), Err: err}
	if strings.Contains(err.Error(), "TLS handshake timeout") { // an untyped error of net/http
		f.Reason = policy.ConnectTimeout
	}
	switch f.Reason {
	case policy.Other:
		f.Reason = policy.Malformed
	case policy.DNS:
		var t interface{ Timeout() bool }
		f.Timeout = errors.As(err, &t) && t.Timeout()
	}
	return f
}
