package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// maxResponseHeader bounds the header of an answer, in bytes. Go's own limit is 10 MB for each request under way.
const maxResponseHeader = 64 << 10

// Protocol is what an upstream speaks.
type Protocol string

// The protocols. Over TLS, HTTP/2 is used whenever the server offers it.
const (
	HTTP1 Protocol = "http/1.1"
	H2C   Protocol = "h2c" // HTTP/2 without TLS, by prior knowledge
)

// newTransport returns the client side. All waiting times but connect and TLS are the exchange's own, see exchange.go: one timer
// instead of one per phase, and one that knows progress.
func newTransport(c *Config) *http.Transport {
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	tr := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &conn{Conn: nc}, nil
		},
		TLSClientConfig:        c.TLS,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    c.IdleConns,
		IdleConnTimeout:        c.IdleTimeout,
		DisableCompression:     true, // what the client asked for is what the upstream is asked for
		MaxResponseHeaderBytes: maxResponseHeader,
		ExpectContinueTimeout:  min(time.Second, c.ResponseTimeout/2), // then the body is sent unasked
		WriteBufferSize:        4 << 10,
		ReadBufferSize:         4 << 10,
		Protocols:              new(http.Protocols),
	}
	if c.Protocol == H2C {
		tr.Protocols.SetUnencryptedHTTP2(true)
	} else {
		tr.Protocols.SetHTTP1(true)
		tr.Protocols.SetHTTP2(true)
	}
	return tr
}

// conn lets an answer through that the server sent before it closed its reading side: a server that refuses an upload (413, 503)
// answers and closes, and the next write of the upload fails. http.Transport would report the failed write and drop the answer
// (RFC 9112 9.5 wants it read). So a write that fails after others of the same request succeeded is passed over in silence; what
// the reader then finds, the answer or the end of the connection, decides. The first write's error is reported: nothing was sent,
// and the request may go elsewhere.
type conn struct {
	net.Conn
	sent atomic.Bool // something was written since the last byte was read
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		c.sent.Store(true)
		return n, nil
	}
	if c.sent.Load() && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		return len(p), nil
	}
	return n, err
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.sent.Store(false)
	}
	return n, err
}
