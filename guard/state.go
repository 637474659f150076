package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/guard/record"
	"github.com/inquesthq/inquest/guard/trace"
)

// Wrap puts the guard around a handler. The handler's errors and panics, and the 5xx that it writes itself, become
// answers that are right, leak nothing, and carry an id under which the record stands. A success whose body is an error
// gets the status of that error. Everything else passes as it is: streams, trailers, 1xx, upgrades, files.
func (g *Guard) Wrap(next http.Handler) http.Handler { return &guarded{g, next} }

type guarded struct {
	g    *Guard
	next http.Handler
}

// ServeHTTP implements [http.Handler]. A healthy request costs two allocations: its state, and the copy of the request
// that carries it.
func (x *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := x.g
	if outer, ok := r.Context().Value(stateKey{}).(*state); ok && outer.guard == g && outer.writes(w) {
		x.next.ServeHTTP(w, r) // a Handle within a Wrap: one request, one record, one count
		return
	}
	st := &state{Context: r.Context(), guard: g, w: w, begun: time.Now(), incoming: r.Header}
	if st.id[0] = trace.RequestID(r.Header); st.id[0] == "" {
		st.id[0] = g.ids.Next()
	}
	w.Header()[trace.RequestIDHeader] = st.id[:1:1]
	r = r.WithContext(st)
	st.active(r, 1)
	defer st.end(r)
	if st.admit(r) {
		x.next.ServeHTTP((*writer)(st), r)
	}
}

// state is one request under the guard. It is its context and, as *writer, its response writer.
type state struct {
	context.Context
	guard *Guard
	w     http.ResponseWriter
	id    [1]string // request id, as the value of a header
	begun time.Time
	lease policy.Lease

	incoming http.Header // of the request

	status   int    // that the handler chose, 0 before
	sent     bool   // the header is on its way: nothing can be taken back
	holding  bool   // the answer is kept until it was judged
	held     []byte // its body
	overflow bool   // which was longer than is worth keeping
	failed   bool   // the failure was answered
	cut      bool   // the connection must not end as if the answer were whole
	reason   string // error.type

	mu     sync.Mutex
	fields map[string]string
	parent trace.Parent // of the client, or ours; made when it is first asked for: most requests call and fail nothing
}

type stateKey struct{}

// Value implements [context.Context].
func (st *state) Value(key any) any {
	if key == (stateKey{}) {
		return st
	}
	return st.Context.Value(key)
}

// writes reports whether what is written to w passes st; middleware between says so by Unwrap, as for [http.ResponseController].
func (st *state) writes(w http.ResponseWriter) bool {
	for {
		if at, ok := w.(*writer); ok && (*state)(at) == st {
			return true
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = inner.Unwrap()
	}
}

func (st *state) annotate(name, value string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.fields == nil {
		st.fields = map[string]string{}
	}
	st.fields[name] = value
}

// traceOf returns the trace that the request is part of: the client's, or one that begins here.
func (st *state) traceOf() trace.Parent {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.parent.TraceID == "" {
		var ok bool
		if st.parent, ok = trace.FromHeader(st.incoming); !ok {
			st.parent.TraceID = st.guard.ids.Next()
		}
	}
	return st.parent
}

// handOn returns the header of an outgoing request with the request id and the trace context, so that what happens there
// can be found from here. What the caller has set itself stays.
func (st *state) handOn(h http.Header) http.Header {
	h = h.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h.Get(trace.RequestIDHeader) == "" {
		h[trace.RequestIDHeader] = []string{st.id[0]}
	}
	if h.Get(trace.TraceparentHeader) == "" {
		p := st.traceOf()
		p.SpanID = st.guard.ids.Next()[:16]
		h[trace.TraceparentHeader] = []string{p.String()}
	}
	return h
}

// admit asks the policies of the server and reports whether the request may pass.
func (st *state) admit(r *http.Request) bool {
	g := st.guard
	if g.cfg.Rates != nil {
		q := g.cfg.Rates.Allow(g.cfg.Key(r))
		q.SetHeader(st.w.Header(), g.cfg.Rates.Name())
		if !q.Allowed {
			st.reason = string(policy.Limited)
			st.answer(r, TooManyRequests(q.RetryAfter), "")
			return false
		}
	}
	if g.cfg.Capacity != nil {
		lease, err := g.cfg.Capacity.Acquire()
		if err != nil {
			st.reason = string(policy.Shed)
			st.answer(r, g.classify(err), "")
			return false
		}
		st.lease = lease
	}
	return true
}

// end is deferred around the handler.
func (st *state) end(r *http.Request) {
	switch v := recover(); v {
	case nil:
		st.finish(r)
	case http.ErrAbortHandler: // net/http compares it so
		st.cut = true
	default:
		st.fail(r, &panicError{v}, panicStack())
	}
	outcome := policy.StatusOutcome(max(200, st.status), http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	st.lease.Done(outcome)
	st.active(r, -1)
	st.observe(r)
	if st.cut {
		panic(http.ErrAbortHandler)
	}
}

// panicError is what a handler panicked with.
type panicError struct{ value any }

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// panicStack returns the stack from the place of the panic on.
func panicStack() string {
	stack := string(debug.Stack())
	if _, after, ok := strings.Cut(stack, "\npanic("); ok {
		if _, from, ok := strings.Cut(after, "\n\t"); ok {
			if _, from, ok := strings.Cut(from, "\n"); ok {
				return from
			}
		}
	}
	return stack
}

// fail answers and records an error or a panic of the handler, unless that was done before.
func (st *state) fail(r *http.Request, err error, stack string) {
	if st.failed {
		return
	}
	st.failed = true
	var panicked *panicError
	isPanic := errors.As(err, &panicked)
	if !isPanic && errors.Is(st.Context.Err(), context.Canceled) { // the client left: nobody to answer, nothing to mend
		const clientClosedRequest = 499 // nginx's word for it, for logs and metrics only
		st.status, st.reason, st.cut = clientClosedRequest, string(policy.ClientLeft), st.sent
		return
	}
	e := st.guard.classify(err)
	if isPanic {
		e = &Error{Status: http.StatusInternalServerError, Code: "INTERNAL_SERVER_ERROR", Message: internalMessage, Err: err}
	}
	if st.reason = string(policy.ErrorReason(err)); isPanic || st.reason == string(policy.Other) {
		st.reason = class(err)
	}
	if st.sent {
		if e.Status < 500 {
			e.Status = http.StatusInternalServerError // it was promised and not kept
		}
		st.record(r, e, st.guard.errorIDs.Next(time.Now()), stack, "")
		st.cut = true
		return
	}
	st.answer(r, e, stack)
}

// answer tells the client e, and writes it down from 500 on.
func (st *state) answer(r *http.Request, e *Error, stack string) {
	st.failed, st.holding, st.held = true, false, nil
	h := st.w.Header()
	switch {
	case e.Status < 400:
		st.status, st.sent = e.Status, true
		h.Set("Location", e.Location)
		st.w.WriteHeader(e.Status)
		return
	case e.Status == http.StatusUnauthorized && e.Location != "":
		h.Set("WWW-Authenticate", e.Location)
	}
	p := problem.Problem{Status: e.Status, Code: e.Code, Message: e.Message, RetryAfter: e.RetryAfter, Fields: e.Fields}
	if e.Status >= 500 {
		p.ID, p.Report = st.guard.errorIDs.Next(time.Now()), st.guard.cfg.ReportPath
		st.guard.judge.StripHeader(h)
		if e.Err != nil && time.Now().Before(st.guard.cfg.VerboseUntil) {
			p.Fields = maps.Clone(p.Fields)
			if p.Fields == nil {
				p.Fields = map[string]any{}
			}
			p.Fields["verbose"] = st.guard.redactor.Text(e.Err.Error())
		}
		st.record(r, e, p.ID, stack, "")
	}
	st.status, st.sent = e.Status, true
	p.Write(st.w, r)
}

// finish ends an answer that the handler wrote itself.
func (st *state) finish(r *http.Request) {
	if st.sent || st.status == 0 {
		return // on its way, taken over, or the empty 200 that net/http makes
	}
	if !st.holding {
		st.send()
		return
	}
	g := st.guard
	a := answer.Answer{Status: st.status, Header: st.w.Header(), Body: st.held, Whole: !st.overflow}
	verdict := g.judge.Status(a)
	if st.status < 500 && !verdict.Changed() {
		st.release()
		return
	}
	var leaks []answer.Leak
	if verdict.Status >= 500 {
		if leaks = g.judge.Leaks(a); len(leaks) == 0 && st.overflow {
			leaks = []answer.Leak{{Kind: answer.Opaque}}
		}
	}
	rule := verdict.Rule
	if rule == "" && len(leaks) > 0 {
		rule = "leak-" + string(leaks[0].Kind)
	}
	if rule != "" {
		st.reason = rule
	}
	e := g.complete(Error{Status: verdict.Status})
	told := answer.Extract(a)
	e.Err = &writtenError{st.status, told}
	stack := g.redactor.Text(string(st.held[:min(len(st.held), 8<<10)]))
	if len(leaks) > 0 {
		if e.Status == http.StatusServiceUnavailable {
			e.Code, e.Message = unavailable, unavailableMessage
		}
		st.replaced(r, e, stack, rule)
		return
	}
	st.corrected(r, e, stack, rule)
}

// writtenError is a failure that a handler answered itself.
type writtenError struct {
	status int
	told   answer.Error
}

func (e *writtenError) Error() string {
	s := "the handler answered " + strconv.Itoa(e.status)
	if text := strings.TrimSpace(e.told.Code + " " + e.told.Message); text != "" {
		s += ": " + text
	}
	return s
}

// replaced sends an answer of ours in the place of one that leaks.
func (st *state) replaced(r *http.Request, e *Error, stack, rule string) {
	h := st.w.Header()
	if after, ok := policy.RetryAfter(h, time.Now()); ok {
		e.RetryAfter = after
	}
	p := problem.Problem{Status: e.Status, Code: e.Code, Message: e.Message, RetryAfter: e.RetryAfter, ID: st.idOf(h), Report: st.guard.cfg.ReportPath}
	st.record(r, e, p.ID, stack, rule)
	st.status, st.sent, st.holding = e.Status, true, false
	st.guard.judge.StripHeader(h)
	p.Write(st.w, r)
}

// idOf is the id of a failure that a handler answered: the one that the answer has already, from a guarded service behind
// the handler, so that the client is told one id and the records of both have it.
func (st *state) idOf(h http.Header) string {
	if id := h.Get("X-Error-Id"); problem.ValidID(id) {
		return id
	}
	return st.guard.errorIDs.Next(time.Now())
}

// corrected sends the handler's own body, with the right status and with what every failure has.
func (st *state) corrected(r *http.Request, e *Error, stack, rule string) {
	st.status = e.Status
	h := st.w.Header()
	if e.Status >= 500 && (e.Status != http.StatusNotImplemented || rule != "") {
		id := st.idOf(h)
		h.Set("X-Error-Id", id)
		st.guard.judge.StripHeader(h)
		st.held = withID(st.held, h, id)
		st.record(r, e, id, stack, rule)
	}
	if h.Get("Content-Length") != "" && r.Method != http.MethodHead {
		h.Set("Content-Length", strconv.Itoa(len(st.held)))
	}
	st.release()
}

// withID puts the id into a body that is a JSON object without one.
func withID(body []byte, h http.Header, id string) []byte {
	trimmed := bytes.TrimSpace(body)
	if h.Get("Content-Encoding") != "" || !strings.Contains(h.Get("Content-Type"), "json") || len(trimmed) < 2 || trimmed[0] != '{' || trimmed[len(trimmed)-1] != '}' ||
		bytes.Contains(body, []byte(`"errorId"`)) {
		return body
	}
	out := append([]byte(`{"errorId":"`+id+`"`), ',')
	if rest := bytes.TrimSpace(trimmed[1:]); len(rest) > 1 {
		return append(out, rest...)
	}
	return append(out[:len(out)-1], '}')
}

// release sends what was held.
func (st *state) release() {
	st.holding = false
	st.send()
	if len(st.held) > 0 {
		_, _ = st.w.Write(st.held) // as of any answer, net/http knows when the client is gone
		st.held = nil
	}
}

// send puts the header on its way.
func (st *state) send() {
	h := st.w.Header()
	if st.status == http.StatusServiceUnavailable || st.status == http.StatusTooManyRequests {
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", strconv.Itoa(policy.Seconds(st.guard.cfg.RetryAfter)))
		}
	}
	st.sent = true
	st.w.WriteHeader(st.status)
}

// record writes the failure down and tells the people.
func (st *state) record(r *http.Request, e *Error, id, stack, rule string) {
	g := st.guard
	err := e.Err
	if err == nil {
		err = e
	}
	now := time.Now()
	rec := record.Record{
		Time: now, Service: g.cfg.Service, ErrorID: id, ErrorClass: class(err), Endpoint: endpoint(r), Status: e.Status,
		Message: clip(g.redactor.Text(err.Error()), 4<<10), Duration: now.Sub(st.begun), Method: r.Method,
		URL: clip(g.redactor.URL(r.URL), 2<<10), UserAgent: clip(g.redactor.Text(r.UserAgent()), 200), RequestID: st.id[0], Rule: rule, Dependency: whose(err),
	}
	if rec.Stack = stack; stack == "" {
		if rec.Stack = stackOf(err); rec.Stack == "" {
			rec.Stack = chain(err)
		}
		rec.Stack = g.redactor.Text(rec.Stack)
	}
	rec.Stack = clip(rec.Stack, 32<<10)
	rec.TraceID = st.traceOf().TraceID
	st.mu.Lock()
	rec.Fields = maps.Clone(st.fields)
	st.mu.Unlock()
	if err := g.sink.Write(rec); err != nil {
		g.observe(metric.LostRecords, float64(int64(g.sink.Lost())-g.lost.Swap(int64(g.sink.Lost()))), metric.Attrs{})
	}
	g.observe(metric.Errors, 1, metric.Attrs{{Key: "http.route", Value: route(r)}, {Key: "error.type", Value: rec.ErrorClass}, {Key: "http.response.status_code", Value: strconv.Itoa(e.Status)}})
	g.alerts.raise(rec)
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " [cut]"
}

// chain writes an error and what it wraps, one a line, as far as each says something of its own.
func chain(err error) string {
	var b strings.Builder
	for e := err; e != nil; e = errors.Unwrap(e) {
		if b.Len() > 0 {
			b.WriteString("\ncaused by: ")
		}
		fmt.Fprintf(&b, "%T: %v", e, e)
	}
	return b.String()
}

// endpoint is method and route: the pattern of the mux where there is one.
func endpoint(r *http.Request) string {
	if rt := route(r); rt != "" {
		return methodAttr(r.Method) + " " + rt
	}
	return methodAttr(r.Method) + " " + clip(r.URL.Path, 200)
}

// route is the pattern of net/http's mux without method and host, or "".
func route(r *http.Request) string {
	if i := strings.IndexByte(r.Pattern, '/'); i >= 0 {
		return r.Pattern[i:]
	}
	return ""
}

func (g *Guard) observe(name metric.Name, value float64, attrs metric.Attrs) {
	if g.cfg.Observer != nil {
		g.cfg.Observer.Observe(name, value, attrs)
	}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func (st *state) active(r *http.Request, n float64) {
	if st.guard.cfg.Observer != nil {
		st.guard.observe(metric.ServerActive, n, metric.Attrs{{Key: "http.request.method", Value: methodAttr(r.Method)}, {Key: "url.scheme", Value: scheme(r)}})
	}
}

func (st *state) observe(r *http.Request) {
	if st.guard.cfg.Observer == nil {
		return
	}
	status := st.status
	if status == 0 {
		status = http.StatusOK
	}
	attrs := metric.Attrs{
		{Key: "http.request.method", Value: methodAttr(r.Method)}, {Key: "url.scheme", Value: scheme(r)},
		{Key: "http.response.status_code", Value: statusAttr(status)},
	}
	if rt := route(r); rt != "" {
		attrs[3] = metric.Attr{Key: "http.route", Value: rt}
	}
	switch {
	case st.reason != "":
		attrs[4] = metric.Attr{Key: "error.type", Value: st.reason}
	case status >= 500:
		attrs[4] = metric.Attr{Key: "error.type", Value: statusAttr(status)}
	}
	st.guard.observe(metric.ServerDuration, time.Since(st.begun).Seconds(), attrs)
}

// statusAttr spells a status, without allocating for the common ones.
func statusAttr(status int) string {
	switch status {
	case 200:
		return "200"
	case 201:
		return "201"
	case 204:
		return "204"
	case 304:
		return "304"
	case 400:
		return "400"
	case 404:
		return "404"
	case 500:
		return "500"
	case 503:
		return "503"
	}
	return strconv.Itoa(status)
}

var _ io.ReaderFrom = (*writer)(nil)
