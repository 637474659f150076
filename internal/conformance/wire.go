package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// wire is an upstream on the level of TCP: each connection is handed to a script.
type wire struct {
	l        net.Listener
	script   func(*peer)
	attempts atomic.Int32 // requests whose header was read whole
	dials    atomic.Int32
	closed   atomic.Int32 // connections that the gateway closed while the script waited

	mu    sync.Mutex
	open  map[net.Conn]bool
	quit  chan struct{}
	group sync.WaitGroup
}

func listen(script func(*peer)) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	w := &wire{l: l, script: script, open: map[net.Conn]bool{}, quit: make(chan struct{})}
	w.group.Go(w.accept)
	return w, nil
}

func (w *wire) accept() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		n := int(w.dials.Add(1))
		w.mu.Lock()
		w.open[c] = true
		w.mu.Unlock()
		w.group.Go(func() {
			defer func() {
				_ = c.Close()
				w.mu.Lock()
				delete(w.open, c)
				w.mu.Unlock()
			}()
			w.script(&peer{w: w, Conn: c, r: bufio.NewReader(c), n: n})
		})
	}
}

func (w *wire) close() {
	close(w.quit)
	_ = w.l.Close()
	w.mu.Lock()
	for c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.group.Wait()
}

func (w *wire) addr() string { return w.l.Addr().String() }

// peer is one connection of the gateway to the upstream.
type peer struct {
	net.Conn
	w *wire
	r *bufio.Reader
	n int // number of the connection, from 1
}

// request reads one request with its body, nil if there is none.
func (p *peer) request() *http.Request {
	r := p.head()
	if r == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil
	}
	return r
}

// head reads the header of a request only.
func (p *peer) head() *http.Request {
	r, err := http.ReadRequest(p.r)
	if err != nil {
		return nil
	}
	p.w.attempts.Add(1)
	return r
}

// say writes to the gateway; whether it still listens shows in what comes next.
func (p *peer) say(s string) { _, _ = io.WriteString(p.Conn, s) }

// linger closes its side and goes on reading for a second, as servers do after an early answer (RFC 9112, 9.6): closing a
// connection with unread data makes TCP reset it, and the reset may overtake the answer.
func (p *peer) linger() {
	if c, ok := p.Conn.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
	_ = p.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, p.Conn)
}

// reset closes the connection with RST.
func (p *peer) reset() {
	if c, ok := p.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = p.Close()
}

// hang does nothing until the gateway closes the connection, or the test ends.
func (p *peer) hang() {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, err := io.Copy(io.Discard, p.r)
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset") {
			p.w.closed.Add(1)
		}
	}()
	select {
	case <-gone:
	case <-p.w.quit:
		_ = p.Close()
		<-gone
	}
}

// each answers every request of a connection in the same way until the answer closes it.
func each(answer func(*peer, *http.Request) (more bool)) func(*peer) {
	return func(p *peer) {
		for {
			r := p.request()
			if r == nil || !answer(p, r) {
				return
			}
		}
	}
}

// ok is a plain good answer.
const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

// reply answers every request with the same bytes and keeps the connection.
func reply(s string) func(*peer) {
	return each(func(p *peer, _ *http.Request) bool { p.say(s); return true })
}

// replyClose answers the first request with the bytes and closes.
func replyClose(s string) func(*peer) {
	return each(func(p *peer, _ *http.Request) bool { p.say(s); return false })
}

// message is a whole answer with a body.
func message(status int, kind, body string, header ...string) string {
	h := ""
	for _, l := range header {
		h += l + "\r\n"
	}
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s", status, http.StatusText(status), kind, len(body), h, body)
}

// pause sleeps in a script, shorter if the test ends.
func (p *peer) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.w.quit:
	}
}
