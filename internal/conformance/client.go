package conformance

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Seen is what a client saw of an answer.
type Seen struct {
	Status   int // 0: the connection was closed without an answer
	Interim  []int
	Header   http.Header
	Trailer  http.Header
	Body     string // the first 1 MiB
	Bytes    int64
	Cut      bool          // the message is visibly incomplete
	First    time.Duration // until the header
	Took     time.Duration
	Attempts int
	Err      string
}

// String is the answer in a few words, as the tables show it.
func (s *Seen) String() string {
	if s.Status == 0 {
		return "closed"
	}
	out := fmt.Sprint(s.Status)
	if s.Cut {
		out += " cut"
	}
	if s.Attempts > 1 {
		out += fmt.Sprintf(" x%d", s.Attempts)
	}
	if s.Took > 250*time.Millisecond {
		out += fmt.Sprintf(" %.1fs", s.Took.Seconds())
	}
	return out
}

// ask is a request by its bytes.
type ask struct {
	method, path string
	version      string // of HTTP (default 1.1)
	header       []string
	body         string
	send         func(net.Conn) // instead of body: after the header, in its own time
	leave        time.Duration  // the client closes after
}

// patience is how long a client waits for a gateway that does nothing.
const patience = 8 * time.Second

// do sends one request on a connection of its own and reads the answer to its end.
func do(addr string, a ask) *Seen {
	s := &Seen{}
	begun := time.Now()
	defer func() { s.Took = time.Since(begun) }()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		s.Err = err.Error()
		return s
	}
	defer func() { _ = c.Close() }() // what matters was read
	_ = c.SetDeadline(begun.Add(patience))
	if a.method == "" {
		a.method = http.MethodGet
	}
	if a.path == "" {
		a.path = "/"
	}
	head := fmt.Sprintf("%s %s HTTP/%s\r\nHost: shop.example\r\n", a.method, a.path, cmp.Or(a.version, "1.1"))
	for _, h := range a.header {
		head += h + "\r\n"
	}
	if a.body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(a.body))
	}
	if !strings.Contains(head, "Connection:") {
		head += "Connection: close\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"+a.body); err != nil {
		s.Err = err.Error()
	}
	if a.send != nil {
		done := make(chan struct{})
		go func() { defer close(done); a.send(c) }()
		defer func() { _ = c.Close(); <-done }()
	}
	if a.leave > 0 {
		time.Sleep(a.leave)
		return s
	}
	s.read(bufio.NewReader(c), a.method, begun)
	return s
}

func (s *Seen) read(r *bufio.Reader, method string, begun time.Time) {
	var resp *http.Response
	for {
		var err error
		resp, err = http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				s.Err = err.Error()
			}
			return
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
		s.Interim = append(s.Interim, resp.StatusCode)
		_ = resp.Body.Close() // interim answers have none
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	s.First = time.Since(begun)
	s.Status, s.Header = resp.StatusCode, resp.Header
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	var text strings.Builder
	n, err := io.Copy(&limited{&text, 1 << 20}, resp.Body)
	s.Bytes, s.Body = n, text.String()
	s.Trailer = resp.Trailer
	if err != nil {
		s.Cut = true
		s.Err = err.Error()
	}
}

// limited keeps the first n bytes and counts the rest.
type limited struct {
	w *strings.Builder
	n int
}

func (l *limited) Write(b []byte) (int, error) {
	if room := l.n - l.w.Len(); room > 0 {
		l.w.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
