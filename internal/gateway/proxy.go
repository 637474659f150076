package gateway

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"

	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// newProxy returns the proxy of a route. What it does beyond handing on is decided by the call, which is the writer it answers to.
func (g *Gateway) newProxy(r *route) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        r.rewrite,
		Transport:      r.up,
		BufferPool:     &g.buffers,
		ErrorLog:       log.New(io.Discard, "", 0), // the access log has it all, in one line
		ModifyResponse: func(resp *http.Response) error { return callOf(resp.Request).answered(resp) },
		ErrorHandler:   func(_ http.ResponseWriter, out *http.Request, err error) { callOf(out).failed(err) },
	}
}

func callOf(r *http.Request) *call { return upstream.Of(r.Context()).Owner.(*call) }

// rewrite makes the request for the upstream.
func (r *route) rewrite(p *httputil.ProxyRequest) {
	c := callOf(p.In)
	if c.trusted() {
		p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	}
	p.SetXForwarded()
	if proto := p.In.Header.Get("X-Forwarded-Proto"); proto != "" && c.trusted() {
		p.Out.Header.Set("X-Forwarded-Proto", proto)
	}
	p.Out.URL.RawQuery = p.In.URL.RawQuery // ReverseProxy drops what Go cannot parse; nothing here depends on it, and it is the service's to judge
	if r.HostHeader != "" {
		p.Out.Host = r.HostHeader
	}
	if r.StripPrefix != "" || r.AddPrefix != "" {
		p.Out.URL.Path = r.rebase(p.Out.URL.Path)
		if p.Out.URL.RawPath != "" {
			p.Out.URL.RawPath = r.rebase(p.Out.URL.RawPath)
		}
	}
	p.Out.Header["X-Request-Id"] = c.requestID()
	p.Out.Header["Traceparent"] = c.traceparent()
}

// rebase takes the prefix off that the route strips, at a slash, and puts the one on that it adds.
func (r *route) rebase(path string) string {
	if rest, ok := strings.CutPrefix(path, strings.TrimRight(r.StripPrefix, "/")); ok && (rest == "" || rest[0] == '/') {
		path = rest
	}
	if path = strings.TrimRight(r.AddPrefix, "/") + path; path == "" {
		return "/"
	}
	return path
}

// failed answers for an exchange that failed before anything was sent.
func (c *call) failed(err error) {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		c.tooLarge()
		return
	}
	var r *replaced
	if errors.As(err, &r) {
		c.replace(r)
		return
	}
	var f *upstream.Failure
	if !errors.As(err, &f) {
		f = &upstream.Failure{Err: err} // of ReverseProxy itself
	}
	c.upstreamFailed(f)
}

// bufferSize is what is copied of a body at a time, in bytes.
const bufferSize = 32 << 10

// buffers keeps them: without, one is allocated for each request, and collecting them costs as much as serving.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return new([bufferSize]byte)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
