package policy

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
)

// Outcome is what one call says about the dependency that was called.
type Outcome uint8

const (
	// Ignored says nothing about the dependency: the client left, a policy refused the call, the dependency limits our
	// rate (429), or it has a bug on this route (500). It is the zero value, so that a forgotten outcome does no harm.
	Ignored Outcome = iota
	// Success says that the dependency did its work. An answer below 500 other than 429 is one: a 404 comes from a healthy server.
	Success
	// Failure says that the dependency did not do its work: refused, timed out, cut, or an answer that says overloaded or down.
	Failure
)

// String returns ignored, success or failure.
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Failure:
		return "failure"
	}
	return "ignored"
}

// FailureStatuses returns the statuses that count against a dependency unless configured otherwise: 502, 503 and 504
// say that the dependency, or something it needs, is down or overloaded, so that calling it again at once is useless.
// 500 is not among them: it says that one request met a bug, and opening a circuit for it would take the healthy
// routes along. Add 500, best with a [BreakerConfig] in ratio mode, where a dependency answers 500 when it is down.
func FailureStatuses() []int {
	return []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
}

// StatusOutcome judges an HTTP answer by its status. Statuses in failures are failures; with none given those of
// [FailureStatuses] are. 4xx never are, whatever is configured: they are the client's, and 429 is a limit that does its work.
func StatusOutcome(status int, failures ...int) Outcome {
	switch {
	case status == http.StatusTooManyRequests:
		return Ignored
	case status < 500:
		return Success
	case len(failures) == 0:
		if status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout {
			return Failure
		}
	case slices.Contains(failures, status):
		return Failure
	}
	return Ignored
}

// ErrorOutcome judges the error of a call that was made under ctx, the caller's context. A caller that cancelled says
// nothing about the dependency; a deadline that passed does. A row that is not there ([sql.ErrNoRows]) was looked for.
func ErrorOutcome(ctx context.Context, err error) Outcome {
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows):
		return Success
	case errors.Is(err, ErrOpen), errors.Is(err, ErrFull), errors.Is(err, ErrLimited):
		return Ignored
	case errors.Is(ctx.Err(), context.Canceled):
		return Ignored
	case errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return Ignored
	}
	return Failure
}
