package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

var errNoExchange = errors.New("upstream: a request without an exchange; call Begin first")

// RoundTrip sends the request to a server and returns its answer, with the first bytes of the body read where its length is known.
// Its errors are *Failure. The request's URL.Host and Body are replaced: the request is the caller's no more.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	x := Of(r.Context())
	if x == nil {
		return nil, errNoExchange
	}
	r = x.watch(r)
	u.begin(x, r)
	var not *server
	var before *Failure // of the attempt before
	for {
		t, f := u.pick(x, not)
		if f != nil {
			if before != nil { // it says more than that there is no attempt after it
				f = before
			}
			return nil, x.fail(f)
		}
		resp, f := u.attempt(x, r, &t)
		if f == nil {
			return resp, nil
		}
		f = x.fail(f)
		not, before = t.s, f
		t.failed(f)
		if !u.again(x, r, f) {
			return nil, f
		}
		x.forget()
		if r = u.repeated(r); r == nil {
			return nil, x.fail(f)
		}
	}
}

// begin prepares the exchange and makes the request's body one that can be sent again.
func (u *Upstream) begin(x *Exchange, r *http.Request) {
	x.Start = time.Now()
	x.limit = u.cfg.ResponseTimeout
	x.most = int32(1 + max(0, u.cfg.Retries))
	u.budget.Earn()
	x.allow = u.budget.Spend
	r.URL.Scheme = u.cfg.Scheme
	if r.Body != nil && r.Body != http.NoBody {
		keep := &replay{rc: r.Body}
		get := func() (io.ReadCloser, error) { return keep.reader(x, x.limit) }
		r.GetBody = get
		r.Body, _ = get() // nothing was read yet: it cannot be too long
	}
}

// repeated returns the request for another attempt, nil if its body cannot be sent again.
func (u *Upstream) repeated(r *http.Request) *http.Request {
	out := *r
	url := *r.URL
	out.URL = &url
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err != nil {
			return nil
		}
		out.Body = b
	}
	return &out
}

// attempt asks one server. On success the ticket lives on in the body, which reports the outcome when it ends.
func (u *Upstream) attempt(x *Exchange, r *http.Request, t *ticket) (*http.Response, *Failure) {
	r.URL.Host = t.s.addr
	x.Server = t.s.addr
	x.Status = 0
	resp, err := u.transport.RoundTrip(r)
	if err != nil {
		x.touch(0)
		return nil, x.headerFailure(err)
	}
	x.Answered = time.Now()
	x.Status = resp.StatusCode
	if f := lint(r, resp); f != nil {
		x.touch(0)
		_ = resp.Body.Close() // closes the connection: nobody reads on
		return nil, f
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.wait(phaseIdle, 0)
		t.done(policy.Success)
		return resp, nil
	}
	x.wait(phaseBody, 0)
	return u.open(x, r, resp, t)
}

// open wraps the body and reads its first bytes where its length is known.
func (u *Upstream) open(x *Exchange, r *http.Request, resp *http.Response, t *ticket) (*http.Response, *Failure) {
	b := &body{rc: resp.Body, x: x, stall: u.cfg.StallTimeout, ticket: *t, status: resp.StatusCode, outcome: policy.StatusOutcome(resp.StatusCode, u.cfg.Failures...)}
	if resp.ContentLength > 0 && r.Method != http.MethodHead {
		buf := headPool.Get().(*[headSize]byte)
		err := b.readAhead(buf[:min(headSize, resp.ContentLength)])
		if err != nil {
			headPool.Put(buf)
			_ = resp.Body.Close()
			return nil, failureOf(err)
		}
		b.buf = buf
	}
	if b.err != nil { // the whole body is here already
		b.settle(nil)
		x.Ended = x.Answered
	} else {
		b.open = true
	}
	resp.Body = b
	return resp, nil
}

// headerFailure says why there is no answer.
func (x *Exchange) headerFailure(err error) *Failure {
	if f := x.Failure(); f != nil {
		return f
	}
	if x.clientLeft() {
		return &Failure{Reason: policy.ClientLeft, Err: err}
	}
	f := failureOf(err)
	if f.Reason == policy.Cut && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
		which := "a new" // the upstream hangs up on requests
		if x.kept.Load() {
			which = "a kept" // it may have been closing it for being idle
		}
		f.Err = fmt.Errorf("the upstream closed %s connection before it answered: %w", which, err)
	}
	return f
}

// again decides whether the failed request may be sent once more: to another server if nothing was sent, or if it does no harm.
func (u *Upstream) again(x *Exchange, r *http.Request, f *Failure) bool {
	if x.Context.Err() != nil || x.Attempts() >= int(x.most) && x.Attempts() > 0 {
		return false
	}
	switch f.Reason {
	case policy.Refused, policy.ConnectTimeout, policy.DNS, policy.TLS: // nothing was sent
		if len(u.servers) < 2 || x.dials >= int(x.most) {
			return false
		}
		x.dials++
		return true // no server works twice for it: it needs no budget
	case policy.Cut: // gotConn takes it from the budget
		return x.Status == 0 && harmless(r)
	}
	return false
}

// harmless reports whether processing a request twice does no more than processing it once. PUT and DELETE are idempotent by
// definition (RFC 9110 9.2.2), but not every service keeps to it, and nothing in them says so: they need the client's word.
func harmless(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
	}
	return r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != ""
}

var (
	errVersion   = errors.New("a version of HTTP other than 1.x and 2")
	errStatus    = errors.New("a status outside of 200 to 599")
	errSwitched  = errors.New("101 Switching Protocols, which nobody asked for")
	errFieldName = errors.New("a blank in the name of a header field")
)

// lint refuses what http.Transport accepts and a proxy must not hand on.
func lint(r *http.Request, resp *http.Response) *Failure {
	if resp.ProtoMajor != 1 && resp.ProtoMajor != 2 {
		return &Failure{Reason: policy.Malformed, Err: errVersion} // RFC 9110 2.5: its framing is not known
	}
	switch c := resp.StatusCode; {
	case c == http.StatusSwitchingProtocols:
		asked := r.Header.Get("Upgrade")
		if asked == "" || !strings.EqualFold(asked, resp.Header.Get("Upgrade")) {
			return &Failure{Reason: policy.Malformed, Err: errSwitched} // RFC 9110 15.2.2
		}
	case c < 200 || c > 599: // RFC 9110 15
		return &Failure{Reason: policy.Malformed, Err: errStatus}
	}
	for name := range resp.Header {
		if strings.IndexByte(name, ' ') >= 0 { // RFC 9112 5.1; the only byte of those not allowed that textproto lets pass
			return &Failure{Reason: policy.Malformed, Err: errFieldName}
		}
	}
	return nil
}

// headSize is how much of a body is read before its header is sent on, in bytes.
const headSize = 4 << 10

var headPool = sync.Pool{New: func() any { return new([headSize]byte) }}
