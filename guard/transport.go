package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

// Transport puts the policies of d around base, or, where base is nil, around a [NewTransport] of its own.
//
// Each attempt asks the policies, and reports to them when its body has been read: a body that is cut is a failure, a
// caller that leaves is not. A request is repeated as [policy.Retry] allows and only if its body can be had again
// ([http.Request.GetBody]). When retries end with an answer the caller gets that answer, not an error. The caller's
// context bounds the whole; a body may take as long as it likes while it keeps coming.
func (d *Dependency) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base, _ = NewTransport(d.cfg.Timeouts) // the timeouts were checked
	}
	return &transport{d, base}
}

type transport struct {
	d    *Dependency
	base http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	call := callOf(ctx)
	hasBody := req.Body != nil && req.Body != http.NoBody
	repeatable := policy.Repeatable(req.Method, req.Header)
	t.d.retry.Begin()
	for n := 1; ; n++ {
		resp, err := t.attempt(req, call)
		if hasBody && req.GetBody == nil {
			return resp, err
		}
		a := policy.Attempt{Number: n, Repeatable: repeatable, Err: err}
		if err == nil {
			a.Status, a.Header = resp.StatusCode, resp.Header
		}
		wait, again := t.d.retry.Next(a)
		if !again || ctx.Err() != nil || !inTime(ctx, wait) {
			return resp, err
		}
		if resp != nil {
			discard(resp.Body)
		}
		if !sleep(ctx, wait) {
			return nil, t.d.failure(ctx, ctx.Err())
		}
		if hasBody {
			body, err := req.GetBody()
			if err != nil {
				return nil, fmt.Errorf("%s: the request's body cannot be had again: %w", t.d.cfg.Name, err)
			}
			req = req.Clone(ctx)
			req.Body = body
		}
		t.d.observe(metric.Retries, 1, metric.Attrs{})
	}
}

func inTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

// discard reads what little is left, so that the connection can be used again, and closes the body.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

// attempt is one exchange under the policies.
func (t *transport) attempt(req *http.Request, call *Call) (*http.Response, error) {
	ctx := req.Context()
	p, err := t.d.enter(ctx)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper must
		}
		reason := policy.ErrorReason(err)
		call.set(func(r *CallResult) { r.Status, r.Reason, r.Outcome = 0, reason, policy.Ignored })
		t.d.count(policy.Ignored, reason)
		return nil, err
	}
	call.set(func(r *CallResult) { r.Attempts++ })
	x := &exchange{pass: p, call: call, req: req, begun: time.Now(), caller: ctx}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	x.wait = time.AfterFunc(t.d.cfg.Timeouts.Connect+t.d.cfg.Timeouts.Response, func() {
		if !x.answered.Load() { // a server may answer while it is still being sent to
			x.cancel(policy.ErrHeaderTimeout)
		}
	})
	resp, err := t.base.RoundTrip(x.request())
	x.answered.Store(true)
	x.wait.Stop()
	if err != nil {
		err = t.d.failure(x.ctx, err)
		x.settle(0, err)
		return nil, err
	}
	x.answer(resp)
	return resp, nil
}

// failure says which dependency an error came from, and the reason where a context hides it.
func (d *Dependency) failure(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) || cause != nil && errors.Is(ctx.Err(), context.Canceled) && !ours(cause) {
		cause = policy.ErrClientLeft
	}
	if cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return &CallError{d.cfg.Name, policy.ErrorReason(err), err}
}

// ours reports whether a context was cancelled by the limits of a transport, not by the caller.
func ours(cause error) bool {
	return errors.Is(cause, policy.ErrHeaderTimeout) || errors.Is(cause, policy.ErrStall)
}

// exchange is one attempt under way: until its body was read, or closed, it holds its place.
type exchange struct {
	pass
	call   *Call
	req    *http.Request
	begun  time.Time
	caller context.Context // of the caller
	ctx    context.Context // of the attempt
	cancel context.CancelCauseFunc

	wait     *time.Timer // for the header
	answered atomic.Bool
	stall    *time.Timer // for the next piece of the body
	settled  atomic.Bool // a body may be closed while it is read: only one of the two ends the exchange
}

// request returns the request to send: it runs the clock only while it is the dependency's turn.
func (x *exchange) request() *http.Request {
	limit := x.d.cfg.Timeouts.Response
	trace := &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { x.wait.Reset(limit) },
		WroteRequest: func(httptrace.WroteRequestInfo) { x.wait.Reset(limit) },
	}
	req := x.req.WithContext(httptrace.WithClientTrace(x.ctx, trace))
	if st, ok := x.caller.Value(stateKey{}).(*state); ok {
		req.Header = st.handOn(req.Header)
	}
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &upload{req.Body, x.wait, limit}
	}
	return req
}

// upload stops the clock while the caller is the one to deliver.
type upload struct {
	io.ReadCloser
	timer *time.Timer
	limit time.Duration
}

func (u *upload) Read(b []byte) (int, error) {
	u.timer.Stop()
	defer u.timer.Reset(u.limit)
	return u.ReadCloser.Read(b)
}

// answer puts the watch around the body, or settles at once where there is nothing to wait for: an answer that failed
// already, a protocol that takes the connection over, a stream that is meant to last.
func (x *exchange) answer(resp *http.Response) {
	status := resp.StatusCode
	outcome := policy.StatusOutcome(status, x.d.cfg.FailureStatuses...)
	x.call.set(func(r *CallResult) { r.Status, r.Reason, r.Outcome = status, policy.None, outcome })
	if outcome == policy.Failure {
		x.d.failed(status, nil)
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		x.settle(status, nil)
		return
	}
	conn, upgrade := resp.Body.(io.ReadWriteCloser)
	upgrade = upgrade && status == http.StatusSwitchingProtocols
	if upgrade || outcome == policy.Failure || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		x.permit.Done(outcome)
		x.permit = policy.Permit{}
	}
	if upgrade {
		resp.Body = &upgraded{conn, x}
		return
	}
	x.stall = time.AfterFunc(time.Hour, func() { x.cancel(policy.ErrStall) })
	x.stall.Stop()
	resp.Body = &watchedBody{resp.Body, x, status}
}

// settle ends the exchange: with the status of an answer whose body is done with, or with an error.
func (x *exchange) settle(status int, err error) {
	if x.settled.Swap(true) {
		return
	}
	outcome := policy.StatusOutcome(status, x.d.cfg.FailureStatuses...)
	reason := policy.None
	if err != nil {
		outcome, reason = policy.ErrorOutcome(x.caller, err), policy.ErrorReason(err)
		if errors.Is(x.caller.Err(), context.Canceled) {
			reason = policy.ClientLeft
		}
		x.call.set(func(r *CallResult) { r.Reason, r.Outcome = reason, outcome })
		if outcome == policy.Failure {
			x.d.failed(0, err)
		}
	}
	x.leave(outcome)
	x.cancel(nil)
	x.d.count(outcome, reason)
	x.observe(status, reason)
}

func (x *exchange) observe(status int, reason policy.Reason) {
	if x.d.cfg.Observer == nil {
		return
	}
	attrs := metric.Attrs{
		1: {Key: "http.request.method", Value: methodAttr(x.req.Method)},
		2: {Key: "server.address", Value: x.req.URL.Hostname()},
		3: {Key: "server.port", Value: portAttr(x.req.URL)},
	}
	if status != 0 {
		attrs[4] = metric.Attr{Key: "http.response.status_code", Value: strconv.Itoa(status)}
	}
	switch {
	case reason != policy.None:
		attrs[5] = metric.Attr{Key: "error.type", Value: string(reason)}
	case status >= 400:
		attrs[5] = metric.Attr{Key: "error.type", Value: strconv.Itoa(status)}
	}
	x.d.observe(metric.ClientDuration, time.Since(x.begun).Seconds(), attrs)
}

// portAttr is the port that is called, told or not: OpenTelemetry's conventions require it.
func portAttr(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// methodAttr bounds what strangers can put into a metric, as OpenTelemetry's conventions ask.
func methodAttr(method string) string {
	switch method {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}
