package conformance

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// reaching: no connection, or none that is of use.
func reaching() []behaviour {
	const group = "reaching the upstream"
	soon := 3000 * time.Millisecond
	return []behaviour{
		{group: group, name: "refused", sentence: "connection refused is 502 at once; 503 with Retry-After is fine", expected: "502",
			addr: nobody, judge: want{status: []int{502, 503}, within: soon, reason: "refused"}.judge},
		{group: group, name: "black-hole", sentence: "a connect that is never answered is 504 after the connect timeout", expected: "504 at the limit",
			addr: blackHole, judge: want{status: []int{504}, within: 5 * time.Second, atLeast: 1900 * time.Millisecond, reason: "connect-timeout"}.judge},
		{group: group, name: "accept-close", sentence: "accepted and closed at once is 502, at most two retries", expected: "502",
			script: func(p *peer) {}, judge: func(v *view) string {
				if n := v.wire.dials.Load(); n > 3 {
					return fmt.Sprintf("%d connections", n)
				}
				return want{status: []int{502}, reason: "cut"}.judge(v)
			}},
		{group: group, name: "dns", sentence: "a name that does not resolve is 502, and the name is not told", expected: "502",
			addr:  func() (Server, func(), error) { return Server{URL: "http://no-such-host.invalid:80"}, func() {}, nil },
			judge: want{status: []int{502}, not: []string{"no-such-host"}, reason: "dns"}.judge},
		{group: group, name: "tls-untrusted", sentence: "a certificate that cannot be verified is 502, and the connection is never used", expected: "502",
			addr: untrusted, judge: want{status: []int{502}, reason: "tls"}.judge},
		{group: group, name: "tls-plain", sentence: "an upstream that speaks no TLS where TLS is asked for is 502", expected: "502",
			addr: plainForTLS, judge: want{status: []int{502}, reason: "tls"}.judge},
	}
}

func nobody() (Server, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Server{}, nil, err
	}
	addr := l.Addr().String()
	return Server{URL: "http://" + addr}, func() {}, l.Close()
}

// blackHole is a listener with a full backlog: the kernel drops further connection attempts.
func blackHole() (Server, func(), error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return Server{}, nil, err
	}
	stop := func() { _ = syscall.Close(fd) }
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return Server{}, stop, err
	}
	if err := syscall.Listen(fd, 0); err != nil {
		return Server{}, stop, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return Server{}, stop, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	held := fillBacklog(addr)
	return Server{URL: "http://" + addr}, func() {
		for _, c := range held {
			_ = c.Close()
		}
		stop()
	}, nil
}

// fillBacklog connects to a listener that accepts nobody until a connection is not answered, and returns those that were.
func fillBacklog(addr string) (held []net.Conn) {
	for range 8 {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return held
		}
		held = append(held, c)
	}
	return held
}

// headers: no header, or one that must not be handed on.
func headers() []behaviour {
	const group = "the header of the answer"
	timeout := func(atLeast time.Duration) func(*view) string {
		return func(v *view) string {
			s := want{status: []int{504}, within: 3 * time.Second, atLeast: atLeast, attempts: 1, reason: "header-timeout"}.judge(v)
			if s != "" {
				return s
			}
			for range 400 {
				if v.wire.closed.Load() > 0 {
					return ""
				}
				time.Sleep(20 * time.Millisecond)
			}
			return "the upstream's connection was not closed"
		}
	}
	bad := func(name, sentence, answer string) behaviour {
		return behaviour{group: group, name: name, sentence: sentence, expected: "502", script: replyClose(answer),
			judge: want{status: []int{502}, not: []string{"secret"}, attempts: 3, reason: "malformed"}.judge}
	}
	return []behaviour{
		{group: group, name: "close-after-request", sentence: "closed after the request is 502; a GET is attempted at most three times", expected: "502, at most 3 attempts",
			script: func(p *peer) { p.request() }, judge: want{status: []int{502}, attempts: 3, reason: "cut"}.judge},
		{group: group, name: "close-after-post", sentence: "closed after a POST is 502, and the POST is sent once", expected: "502, 1 attempt",
			script: func(p *peer) { p.request() }, ask: ask{method: "POST", body: "x=1"}, judge: want{status: []int{502}, attempts: 1, reason: "cut"}.judge},
		{group: group, name: "reset-after-request", sentence: "reset before the header is 502", expected: "502, at most 3 attempts",
			script: func(p *peer) { p.request(); p.reset() }, judge: want{status: []int{502}, attempts: 3, reason: "cut"}.judge},
		{group: group, name: "close-with-key", sentence: "a POST with an Idempotency-Key may be sent again", expected: "200, 2 attempts",
			script: func(p *peer) {
				if r := p.request(); r != nil && p.n > 1 {
					p.say(ok)
				}
			}, ask: ask{method: "POST", body: "x=1", header: []string{"Idempotency-Key: k1"}}, judge: want{status: []int{200}, attempts: 2, body: "ok"}.judge},
		{group: group, name: "hang-before-headers", sentence: "a hang before the header is 504 at the limit, asked once, and the upstream's connection is closed", expected: "504 at the limit",
			script: func(p *peer) { p.request(); p.hang() }, judge: timeout(900 * time.Millisecond)},
		{group: group, name: "hang-mid-headers", sentence: "a hang within the header is 504 at the limit", expected: "504 at the limit",
			script: func(p *peer) { p.request(); p.say("HTTP/1.1 200 OK\r\nContent-Ty"); p.hang() }, judge: timeout(900 * time.Millisecond)},
		{group: group, name: "close-mid-headers", sentence: "closed in the middle of the header is 502", expected: "502",
			script: replyClose("HTTP/1.1 200 OK\r\nContent-Type: text/pl"), judge: want{status: []int{502}, attempts: 3, reason: "cut"}.judge},
		{group: group, name: "reset-mid-headers", sentence: "reset in the middle of the header is 502", expected: "502",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Type: te")
				p.pause(20 * time.Millisecond)
				p.reset()
			},
			judge: want{status: []int{502}, attempts: 3, reason: "cut"}.judge},
		bad("invalid-http", "what is no HTTP is 502, and is not passed on", "SSH-2.0-OpenSSH_9.2 secret\r\n\r\n"),
		bad("invalid-status", "a status that is no number is 502", "HTTP/1.1 OK secret\r\n\r\n"),
		bad("version-7", "a version of HTTP that does not exist is 502", "HTTP/7.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"),
		bad("status-999", "a status outside of 100 to 599 is 502", "HTTP/1.1 999 Odd\r\nContent-Length: 6\r\n\r\nsecret"),
		bad("status-99", "a status below 100 is 502", "HTTP/1.1 099 Odd\r\nContent-Length: 6\r\n\r\nsecret"),
		bad("invalid-header-name", "an invalid name of a header field is 502", "HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 6\r\n\r\nsecret"),
		bad("invalid-header-value", "NUL in the value of a header field is 502", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 6\r\n\r\nsecret"),
		bad("two-lengths", "two different Content-Lengths are 502", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 3\r\n\r\nsecret"),
		bad("header-too-large", "a header of 3 MB is 502", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 3200)+"Content-Length: 6\r\n\r\nsecret"),
		{group: group, name: "unexpected-101", sentence: "101 that nobody asked for is 502", expected: "502",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
				p.hang()
			}, judge: want{status: []int{502}, attempts: 1, within: 3 * time.Second, reason: "malformed"}.judge},
		{group: group, name: "log-line", sentence: "one line says status, reason, upstream status, attempts, upstream, request id and trace id", expected: "all of them",
			script: reply(message(503, "text/plain", "down")), ask: ask{header: []string{"X-Request-Id: req-12345678", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}},
			judge: func(v *view) string {
				want := Line{Status: 503, Upstream: 503, Attempts: 1, RequestID: "req-12345678", TraceID: "0af7651916cd43dd8448eb211c80319c", Address: v.wire.addr()}
				got := v.log
				got.ErrorID, got.Reason = "", ""
				if got != want {
					return fmt.Sprintf("the line has %+v", v.log)
				}
				return ""
			}},
		{group: group, name: "hostile-request-id", sentence: "a hostile request id is refused: not echoed, not logged", expected: "an id of the gateway's own",
			script: reply(ok), ask: ask{header: []string{"X-Request-Id: <script>" + strings.Repeat("a", 3000)}},
			judge: func(v *view) string {
				if id := v.Header.Get("X-Request-Id"); id == "" || len(id) > 128 || strings.Contains(id, "<") || v.log.RequestID != id {
					return fmt.Sprintf("the answer has %.60q, the log %.60q", id, v.log.RequestID)
				}
				return ""
			}},
	}
}

// bodies: an answer that ends early.
func bodies() []behaviour {
	const group = "the body of the answer"
	lengthHead := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n\r\n"
	chunkHead := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
	some := strings.Repeat("a", 3000)
	chunk := "bb8\r\n" + some + "\r\n"
	stalled := want{cut: true, early: []int{504}, within: 3 * time.Second, reason: "stall"}.judge
	short := want{cut: true, early: []int{502}, reason: "cut"}.judge
	return []behaviour{
		{group: group, name: "hang-mid-body", sentence: "a body with a length that stalls looks cut at the stall limit", expected: "cut at the limit",
			script: func(p *peer) { p.request(); p.say(lengthHead + some); p.hang() }, judge: stalled},
		{group: group, name: "hang-before-body", sentence: "a stall before the first byte of a body with a length can still be 504", expected: "504",
			script: func(p *peer) { p.request(); p.say(lengthHead); p.hang() }, judge: want{status: []int{504}, within: 3 * time.Second, reason: "stall"}.judge},
		{group: group, name: "hang-mid-chunked", sentence: "a chunked body that stalls looks cut at the stall limit", expected: "cut at the limit",
			script: func(p *peer) { p.request(); p.say(chunkHead + chunk); p.hang() }, judge: stalled},
		{group: group, name: "reset-mid-body", sentence: "a body that is reset looks cut", expected: "cut",
			script: func(p *peer) { p.request(); p.say(lengthHead + some); p.pause(50 * time.Millisecond); p.reset() }, judge: short},
		{group: group, name: "truncated-length", sentence: "a body shorter than its Content-Length looks cut", expected: "cut",
			script: replyClose(lengthHead + some), judge: short},
		{group: group, name: "cut-before-body", sentence: "a body of which not a byte came can still be 502", expected: "502",
			script: replyClose(lengthHead), judge: want{status: []int{502}, reason: "cut"}.judge},
		{group: group, name: "truncated-chunked", sentence: "a chunked body without its last chunk looks cut", expected: "cut",
			script: replyClose(chunkHead + chunk), judge: short},
		{group: group, name: "truncated-http10", sentence: "a body that is cut looks cut to a client of HTTP/1.0 too, to which a close is the end", expected: "reset",
			script: replyClose(chunkHead + chunk), ask: ask{version: "1.0"}, judge: short},
		{group: group, name: "bad-chunk", sentence: "a chunk whose size is no number is 502 or visibly cut", expected: "502 or cut",
			script: replyClose(chunkHead + chunk + "zz\r\nxx\r\n"), judge: want{cut: true, early: []int{502}, reason: "malformed"}.judge},
		{group: group, name: "panic-abort", sentence: "a Go service that aborts its handler looks cut", expected: "cut",
			addr: goServer(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(some))
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}), judge: short},
		{group: group, name: "client-left", sentence: "a client that leaves is 499, no failure of the upstream, whose request is cancelled", expected: "logged 499, upstream closed",
			script: func(p *peer) { p.request(); p.hang() }, ask: ask{leave: 600 * time.Millisecond}, judge: func(v *view) string {
				for range 800 {
					if l, ok := v.line(); ok && v.wire.closed.Load() > 0 {
						if l.Status != 499 || l.Reason != "client-left" {
							return fmt.Sprintf("logged %d %s", l.Status, l.Reason)
						}
						return ""
					}
					time.Sleep(10 * time.Millisecond)
				}
				return "the upstream's request was not cancelled, or nothing was logged"
			}},
	}
}
