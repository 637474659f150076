package guard

import (
	"context"
	"sync"

	"github.com/inquesthq/inquest/guard/policy"
)

// CallResult is what became of one request through [Dependency.Transport].
type CallResult struct {
	Attempts int            // how often it was sent; 0 if a policy refused it
	Status   int            // of the last answer, 0 if there was none
	Reason   policy.Reason  // why the last attempt came to nothing; None if it did not
	Outcome  policy.Outcome // as the breaker heard it
}

// Call collects the result of one request, for an access log. It is filled in as the request goes on: what became of
// the body is known once that was read or closed.
type Call struct {
	mu     sync.Mutex
	result CallResult
}

// Result returns what is known so far.
func (c *Call) Result() CallResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result
}

// set changes the result; on nil it does nothing, for requests that nobody watches.
func (c *Call) set(f func(*CallResult)) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.result)
}

type callKey struct{}

// WithCall returns a context for one outgoing request, and where its result will stand.
func WithCall(ctx context.Context) (context.Context, *Call) {
	c := &Call{}
	return context.WithValue(ctx, callKey{}, c), c
}

func callOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}
