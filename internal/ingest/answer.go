package ingest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Errors of the ways in, to be asked for with errors.Is.
var (
	// ErrBusy: there is no room for more just now.
	ErrBusy = errors.New("the server has no room for more just now: send it again later, or in smaller parts")
	// ErrUnauthenticated: nobody knows who sends. An Auth func returns it, wrapped, where credentials are missing or wrong.
	ErrUnauthenticated = errors.New("who sends is not known: send a token (Authorization: Bearer ...)")
)

// Auth says whether a request may send signals for a source. Source "" asks only whether it may send for any: it is asked before a body is
// read. An error that wraps ErrUnauthenticated is answered with 401, another one with 403.
type Auth func(r *http.Request, source string) error

// Refusal is an error with the HTTP status that answers it. 429 and 5xx ask the sender to send again, others not to.
type Refusal struct {
	Status int
	After  time.Duration // when to send again
	Err    error
}

func (e *Refusal) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Refusal) Unwrap() error { return e.Err }

// Refuse makes a Refusal that sending again does not mend.
func Refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Err: fmt.Errorf(format, args...)}
}

// Check asks auth, and makes a Refusal of its error.
func (auth Auth) Check(r *http.Request, source string) error {
	if auth == nil {
		return nil
	}
	err := auth(r, source)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnauthenticated):
		return &Refusal{Status: http.StatusUnauthorized, Err: err}
	}
	return &Refusal{Status: http.StatusForbidden, Err: err}
}

const statusBusy = http.StatusTooManyRequests

// Pauses that senders are asked for: room comes back within a commit or two, a full disk not before somebody makes room.
const (
	afterBusy    = 1 * time.Second
	afterFailure = 10 * time.Second
)

// Status returns what an error is answered with, and when the sender shall send again, 0 for never. What is no Refusal is a failure to
// keep what was sent: the sender still has it, and is asked to send it again.
func Status(err error) (int, time.Duration) {
	var e *Refusal
	switch {
	case err == nil:
		return http.StatusOK, 0
	case errors.As(err, &e):
		return e.Status, e.After
	case errors.Is(err, ErrBusy):
		return statusBusy, afterBusy
	}
	return http.StatusServiceUnavailable, afterFailure
}

// Answer writes the status and the Retry-After of an error, and its text.
func Answer(w http.ResponseWriter, err error) {
	status := Header(w, err)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff") // the text quotes what was sent
	w.WriteHeader(status)
	fmt.Fprintln(w, err)
}

// Header sets the headers that go with an error, and returns its status.
func Header(w http.ResponseWriter, err error) int {
	status, after := Status(err)
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="inquest"`)
	}
	return status
}
