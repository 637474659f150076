package upstream

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// Exchange is one request of a client and all that came of it upstream. It is the context of the request, so that the transport
// and the body find it; it is made by Begin, closed by Close, and read for the log after the answer was sent.
type Exchange struct {
	context.Context

	Server          string    // the server asked last, host:port; "" if none was
	Status          int       // what the upstream answered, 0 if nothing whole enough
	Start           time.Time // when the first server was picked
	Answered, Ended time.Time // when the header, and the end of the body, came; zero: never

	parent context.Context // the client's
	// Owner is whoever began the exchange: the way from a request back to what is known of it.
	Owner any

	cancel   context.CancelCauseFunc
	attempts atomic.Int32
	most     int32       // attempts
	dials    int         // that failed and were tried elsewhere
	kept     atomic.Bool // the connection of the attempt had served before
	allow    func() bool

	mu       sync.Mutex
	failure  *Failure
	timer    *time.Timer
	deadline atomic.Int64 // Unix nanoseconds; 0: nobody waits for the upstream
	fires    atomic.Int64 // when the timer fires, Unix nanoseconds
	phase    atomic.Int32
	limit    time.Duration // of the waits for the header, pauses for the client's own slowness not counted
}

// The phases of an exchange that a limit belongs to.
const (
	phaseIdle   int32 = iota
	phaseHeader       // sent, or being sent; waiting for the header
	phaseBody         // reading the body
)

type exchangeKey struct{}

// Value makes the exchange known to whoever holds the request.
func (x *Exchange) Value(key any) any {
	if _, ok := key.(exchangeKey); ok {
		return x
	}
	return x.Context.Value(key)
}

// Of returns the exchange that a request belongs to, nil if none.
func Of(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// Begin starts the exchange for a client's request and returns the request with it as context. Close must be called.
func Begin(r *http.Request) (*Exchange, *http.Request) {
	ctx, cancel := context.WithCancelCause(r.Context())
	x := &Exchange{Context: ctx, parent: r.Context(), cancel: cancel, most: 1}
	x.fires.Store(math.MaxInt64)
	return x, r.WithContext(x)
}

// watch has the transport tell which connections it takes. ReverseProxy brings a trace of its own, made for this request; the hook
// is set in it, for putting one trace before another (httptrace.WithClientTrace) costs a context, a request and reflection.
func (x *Exchange) watch(r *http.Request) *http.Request {
	if t := httptrace.ContextClientTrace(r.Context()); t != nil && t.GotConn == nil {
		t.GotConn = x.gotConn
		return r
	}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: x.gotConn}))
}

// Close ends the exchange and whatever of it is still under way upstream.
func (x *Exchange) Close() {
	x.deadline.Store(0)
	x.mu.Lock()
	if x.timer != nil {
		x.timer.Stop()
	}
	x.phase.Store(phaseIdle)
	x.mu.Unlock()
	x.cancel(nil)
}

// Attempts is how often the request was sent, or was about to be: http.Transport sends a GET once more on its own when a kept
// connection breaks, so connections are counted, not calls.
func (x *Exchange) Attempts() int { return int(x.attempts.Load()) }

// Failure is why the exchange failed, nil while it has not.
func (x *Exchange) Failure() *Failure {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.failure
}

// fail notes the first failure of the exchange; the ones after it follow from it.
func (x *Exchange) fail(f *Failure) *Failure {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failure == nil {
		x.failure = f
	}
	return x.failure
}

// forget takes a failure back because the next attempt may do better.
func (x *Exchange) forget() {
	x.mu.Lock()
	x.failure = nil
	x.mu.Unlock()
}

var errAttempts = errors.New("kept connections broke on every attempt; no further one is allowed")

// gotConn counts an attempt. One more than allowed is stopped before its first byte: the connection is closed under the transport,
// and the canceled context keeps it from taking another.
func (x *Exchange) gotConn(info httptrace.GotConnInfo) {
	n := x.attempts.Add(1)
	x.kept.Store(info.Reused)
	if n > 1 && (n > x.most || x.allow != nil && !x.allow()) {
		x.attempts.Add(-1)
		x.stop(&Failure{Reason: policy.Cut, Err: errAttempts})
		if c, ok := info.Conn.(*conn); ok { // HTTP/1.1 without TLS: nobody else is on it
			_ = c.Close()
		}
		return
	}
	x.wait(phaseHeader, x.limit)
}

func (x *Exchange) clientLeft() bool { return x.parent.Err() != nil }

// Leave ends the exchange because the client could not be written to, which says nothing of the upstream.
func (x *Exchange) Leave() { x.stop(&Failure{Reason: policy.ClientLeft, Err: errLeft}) }

// stop ends the exchange with a failure of our own finding.
func (x *Exchange) stop(f *Failure) { x.cancel(x.fail(f)) }

// wait sets the limit for what the upstream does next.
func (x *Exchange) wait(phase int32, d time.Duration) {
	x.phase.Store(phase)
	x.touch(d)
}

// touch restarts the limit; d <= 0 stops it. The timer itself is set again only if it would fire too late: when it fires early it
// goes on for the rest. So a read costs a look at the clock, not a change of a timer.
func (x *Exchange) touch(d time.Duration) {
	if d <= 0 {
		x.deadline.Store(0)
		return
	}
	at := time.Now().Add(d).UnixNano()
	x.deadline.Store(at)
	if at < x.fires.Load() {
		x.arm(at, d)
	}
}

func (x *Exchange) arm(at int64, d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase.Load() == phaseIdle {
		return
	}
	x.fires.Store(at)
	if x.timer == nil {
		x.timer = time.AfterFunc(d, x.expire)
		return
	}
	x.timer.Reset(d)
}

func (x *Exchange) expire() {
	at := x.deadline.Load()
	if at == 0 { // nobody waits; touch sets the timer again
		x.fires.Store(math.MaxInt64)
		if at = x.deadline.Load(); at == 0 {
			return
		}
	}
	if left := time.Until(time.Unix(0, at)); left > 0 {
		x.arm(at, left)
		return
	}
	switch x.phase.Load() {
	case phaseHeader:
		x.stop(&Failure{Reason: policy.HeaderTimeout, Err: errHeaderTimeout})
	case phaseBody:
		x.stop(&Failure{Reason: policy.Stall, Err: errStall})
	}
}

var (
	errHeaderTimeout = errors.New("upstream request timeout: no whole header within the limit")
	errLeft          = errors.New("the client could not be written to")
	errStall         = errors.New("no byte of the body within the limit")
)
