package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
	told "github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/internal/gateway/accesslog"
	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// Sink takes the lines of the access log.
type Sink interface{ Write(*accesslog.Entry) }

// Event is something that happened beside the requests: a circuit that opened, a server that went down, a route that was closed.
type Event struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"` // breaker, health, maintenance, reload, reset
	Upstream string    `json:"upstream,omitempty"`
	Server   string    `json:"server,omitempty"`
	Route    string    `json:"route,omitempty"`
	Text     string    `json:"text"`
	By       string    `json:"by,omitempty"` // who did it, if a person

	// Of a failure: which request, and what the upstream said.
	Status    int    `json:"upstream_status,omitempty"`
	Path      string `json:"path,omitempty"`
	ErrorID   string `json:"error_id,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	TraceID   string `json:"trace_id,omitempty"`
	Said      string `json:"-"` // by the upstream of a failure, or what opened a circuit: for the message of the record
}

// Gateway is the handler. Its configuration can be replaced while it serves.
type Gateway struct {
	log     Sink
	events  func(Event)
	report  func(Report) error
	table   atomic.Pointer[table]
	reload  sync.Mutex
	meters  meters
	ids     told.IDs
	buffers buffers
}

// Options is the wiring of a gateway.
type Options struct {
	Log    Sink        // required
	Events func(Event) // told what happens beside the requests; may be nil
	// Reports takes what users send with the form of the error page; nil for no form.
	Reports func(Report) error
}

// New builds a gateway. The error joins everything that is wrong with the configuration, each a Fault.
func New(cfg Config, o Options) (*Gateway, error) {
	if o.Log == nil {
		return nil, errors.New("gateway: no access log to write to")
	}
	g := &Gateway{log: o.Log, events: o.Events, report: o.Reports}
	t, faults := g.build(cfg)
	if len(faults) > 0 {
		return nil, join(faults)
	}
	g.table.Store(t)
	return g, nil
}

func join(faults []Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// Check says what is wrong with a configuration without serving it.
func Check(cfg Config) []Fault {
	g := &Gateway{}
	t, faults := g.build(cfg)
	if t != nil {
		t.close()
	}
	return faults
}

// Reload replaces the configuration. Requests under way end under the old one; a wrong configuration changes nothing.
func (g *Gateway) Reload(cfg Config) error {
	g.reload.Lock()
	defer g.reload.Unlock()
	t, faults := g.build(cfg)
	if len(faults) > 0 {
		return join(faults)
	}
	old := g.table.Swap(t)
	g.event("reload", "", "", "the new configuration is served")
	old.close() // kept connections and checks; exchanges under way go on
	return nil
}

// Close ends the checks. The server must have been shut down before.
func (g *Gateway) Close() { g.table.Load().close() }

func (g *Gateway) event(kind, up, server, text string) {
	g.tell(Event{Time: time.Now(), Kind: kind, Upstream: up, Server: server, Text: text})
}

func (g *Gateway) tell(e Event) {
	if g.events != nil {
		g.events(e)
	}
}

// ServeHTTP answers one request and logs it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{g: g, t: g.table.Load(), w: w, in: r}
	c.Time = time.Now()
	c.Waited = -1
	c.identify()
	defer c.finish()
	c.serve()
}

// call is one request on its way through the gateway.
type call struct {
	accesslog.Entry
	g    *Gateway
	t    *table
	rt   *route
	w    http.ResponseWriter
	in   *http.Request
	addr netip.Addr // of the client

	x        *upstream.Exchange
	status   int       // sent; 0 while none was
	ids      [2]string // the request's id, and the traceparent for the upstream
	body     *clientBody
	panicked any
}

// serve goes through what can keep a request from its upstream, and then there.
func (c *call) serve() {
	if c.in.URL.Path == reportPath && c.reports() {
		c.takeReport()
		return
	}
	rt, known := c.t.find(c.in)
	if rt == nil {
		c.noRoute(known)
		return
	}
	c.rt = rt
	c.Route, c.Service = rt.name, rt.up.Name()
	if s := rt.closed.closedFor(c.addr, c.Time); s != nil {
		c.maintenance(s)
		return
	}
	if q, ok := c.withinRate(); !ok {
		if !c.rt.audit {
			c.limited(q)
			return
		}
		c.would("429 rate limit")
	}
	if rt.MaxBody > 0 {
		if c.in.ContentLength > rt.MaxBody {
			c.tooLarge()
			return
		}
		c.in.Body = http.MaxBytesReader(c.w, c.in.Body, rt.MaxBody)
	}
	c.forward()
}

func (c *call) withinRate() (policy.Quota, bool) {
	var q policy.Quota
	switch {
	case c.rt.keyed != nil:
		q = c.rt.keyed.Allow(c.Client)
	case c.rt.limit != nil:
		q = c.rt.limit.Allow()
	default:
		return q, true
	}
	if !c.rt.audit {
		q.SetHeader(c.w.Header(), "default")
	}
	return q, q.Allowed
}

func (c *call) would(what string) {
	if c.Would != "" {
		what = c.Would + "; " + what
	}
	c.Would = what
}

// forward hands the request to the proxy under an exchange.
func (c *call) forward() {
	x, r := upstream.Begin(c.in)
	defer x.Close()
	x.Owner = c
	c.x = x
	if r.Body != nil && r.Body != http.NoBody {
		c.body = &clientBody{ReadCloser: r.Body, c: http.NewResponseController(c.w), limit: c.t.cfg.Server.StallTimeout}
		r.Body = c.body
	}
	c.rt.proxy.ServeHTTP(c, r)
}

// finish logs the request, however it ended.
func (c *call) finish() {
	c.panicked = recover()
	if c.panicked != nil && c.panicked != http.ErrAbortHandler { // it is compared as net/http does
		c.broken(c.panicked)
	}
	c.settle()
	c.Duration = time.Since(c.Time)
	c.g.meters.count(c)
	c.g.log.Write(&c.Entry)
	if c.panicked == nil {
		return
	}
	// What was sent so far goes out, so that the client sees an answer that is cut and not a connection that says nothing.
	if c.status != 0 {
		_ = http.NewResponseController(c.w).Flush() // the connection is closed next
		c.reset()
	}
	panic(http.ErrAbortHandler)
}

// reset ends the connection of an HTTP/1.0 client whose answer has no length: its close is the end of the body, so that only
// a reset tells a body that was cut from a whole one (RFC 9112 8). All others see it by the length or the chunks.
func (c *call) reset() {
	if c.in.ProtoAtLeast(1, 1) || c.w.Header().Get("Content-Length") != "" {
		return
	}
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		return // it is closed without
	}
	defer func() { _ = conn.Close() }()                         // it is broken off on purpose
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS: its own goodbye would say that all is well
		conn = over.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
}

// settle takes the facts of the exchange into the entry.
func (c *call) settle() {
	if c.Status == 0 {
		c.Status = c.status
	}
	x := c.x
	if x == nil {
		return
	}
	c.Upstream, c.Answered, c.Attempts = x.Server, x.Status, x.Attempts()
	if !x.Start.IsZero() {
		end := x.Ended
		if end.IsZero() {
			end = time.Now()
		}
		c.Waited = end.Sub(x.Start)
	}
	f := x.Failure()
	if f == nil && c.in.Context().Err() != nil && c.panicked != nil {
		f = &upstream.Failure{Reason: policy.ClientLeft, Err: c.in.Context().Err()}
	}
	if f != nil {
		c.Cause = string(f.Cause)
	}
	if f != nil && c.Reason == "" {
		c.Reason = string(f.Reason)
		if c.Detail == "" {
			c.Detail = f.Error()
		}
		if f.Reason == policy.ClientLeft {
			c.Status = upstream.StatusClientLeft
		}
	}
	if c.panicked != nil && c.Reason == "" { // writing to the client failed
		c.Reason, c.Status = string(policy.ClientLeft), upstream.StatusClientLeft
	}
	if c.body != nil {
		c.Read = c.body.n.Load()
	}
}

// Header, Write and WriteHeader make the call the writer that the proxy answers to.
func (c *call) Header() http.Header { return c.w.Header() }

func (c *call) WriteHeader(status int) {
	h := c.w.Header()
	if status >= 200 || status == http.StatusSwitchingProtocols {
		c.status = status
		if _, ok := h["X-Request-Id"]; !ok { // ReverseProxy clears the header after an interim answer
			h["X-Request-Id"] = c.requestID()
		}
		if _, ok := h["Content-Type"]; !ok {
			h["Content-Type"] = nil // or net/http guesses one
		}
		c.w.WriteHeader(status)
		return
	}
	if c.in.ProtoAtLeast(1, 1) { // RFC 9110 15.2: an HTTP/1.0 client would take an interim answer for the answer
		delete(h, "X-Request-Id") // the upstream's may be beside it
		c.w.WriteHeader(status)
	}
}

func (c *call) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.w.Write(b)
	c.Sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection: to flush, and to take it over for an upgrade.
func (c *call) Unwrap() http.ResponseWriter { return c.w }

// clientBody is the body of a request under the stall limit for clients.
type clientBody struct {
	io.ReadCloser
	c     *http.ResponseController
	limit time.Duration
	n     atomic.Int64
}

func (b *clientBody) Read(p []byte) (int, error) {
	_ = b.c.SetReadDeadline(time.Now().Add(b.limit)) // a writer without deadlines has no limit
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		_ = b.c.SetReadDeadline(time.Time{})
	default:
		var big *http.MaxBytesError
		if !errors.As(err, &big) {
			err = &upstream.Failure{Reason: policy.ClientLeft, Err: err}
		}
	}
	return n, err
}

// clientAddr is the address behind a RemoteAddr.
func clientAddr(remote string) (netip.Addr, string) {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		a := ap.Addr().Unmap()
		host, _, _ := net.SplitHostPort(remote)
		return a, host
	}
	return netip.Addr{}, remote
}

var _ context.Context = (*upstream.Exchange)(nil)
