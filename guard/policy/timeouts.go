package policy

import (
	"errors"
	"time"
)

// Timeouts bound the stages of a call. A call without a bound holds its goroutine, its connection and its caller for as
// long as the other side likes.
type Timeouts struct {
	Connect  time.Duration // until the connection stands, TLS included (default 3 s)
	Response time.Duration // from there until the header of the answer (default 5 s)
	Stall    time.Duration // between two pieces of the body (default Response); a steady body may take for ever
	Query    time.Duration // for a whole call that is no HTTP request, such as a query (default 10 s)
}

// Fill returns t with its defaults filled in, or says what is wrong with it. A stage without a bound is not offered; a
// long one is.
func (t Timeouts) Fill() (Timeouts, error) {
	if t.Connect < 0 || t.Response < 0 || t.Stall < 0 || t.Query < 0 {
		return t, errors.New("policy: a negative timeout; leave it 0 for the default, or set a long one")
	}
	setDefault(&t.Connect, 3*time.Second)
	setDefault(&t.Response, 5*time.Second)
	setDefault(&t.Stall, t.Response)
	setDefault(&t.Query, 10*time.Second)
	return t, nil
}
