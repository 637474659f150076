package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// passing: what is right must pass untouched.
func passing() []behaviour {
	const group = "what passes untouched"
	problem := `{"type":"https://shop.example/out-of-stock","title":"Out of stock","status":409}`
	same := func(status int, kind, body string) behaviour {
		return behaviour{group: group, name: fmt.Sprintf("own-%d", status), sentence: "the service's own answer passes untouched", expected: fmt.Sprint(status),
			script: reply(message(status, kind, body)), judge: want{status: []int{status}, body: body, header: map[string]string{"Content-Type": kind}, attempts: 1}.judge}
	}
	return []behaviour{
		same(400, "application/json", `{"error":"bad"}`), same(401, "text/plain", "who?"), same(404, "text/html", "<p>none</p>"),
		same(409, "application/problem+json", problem), same(422, "application/problem+json", problem), same(501, "text/plain", "later"),
		{group: group, name: "429-retry-after", sentence: "429 and Retry-After of the upstream pass untouched", expected: "429, Retry-After 17",
			script: reply(message(429, "text/plain", "slow", "Retry-After: 17")), judge: want{status: []int{429}, body: "slow", header: map[string]string{"Retry-After": "17"}}.judge},
		{group: group, name: "503-bare", sentence: "a 503 without Retry-After gets one", expected: "503, Retry-After",
			script: reply(message(503, "text/plain", "down")), judge: want{status: []int{503}, retry: true}.judge},
		{group: group, name: "429-bare", sentence: "a 429 without Retry-After gets one", expected: "429, Retry-After",
			script: reply(message(429, "text/plain", "slow")), judge: want{status: []int{429}, retry: true}.judge},
		{group: group, name: "5xx-problem-json", sentence: "a 5xx that already speaks problem+json keeps its body", expected: "500, untouched",
			script: reply(message(500, "application/problem+json", `{"type":"about:blank","title":"Internal error","status":500}`)),
			judge:  want{status: []int{500}, body: `{"type":"about:blank","title":"Internal error","status":500}`}.judge},
		{group: group, name: "head", sentence: "an answer to HEAD has a length and no body", expected: "200, Content-Length 1234",
			script: reply("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"), ask: ask{method: "HEAD"},
			judge: want{status: []int{200}, whole: true, header: map[string]string{"Content-Length": "1234"}}.judge},
		{group: group, name: "close-delimited", sentence: "a body that ends with the connection passes whole", expected: "200, whole",
			script: replyClose("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it"), judge: want{status: []int{200}, whole: true, body: "all of it"}.judge},
		{group: group, name: "http10", sentence: "an HTTP/1.0 answer passes", expected: "200",
			script: replyClose("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold"), judge: want{status: []int{200}, whole: true, body: "old"}.judge},
		{group: group, name: "trailers", sentence: "trailers pass", expected: "200, trailer X-Sum",
			script: reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n"),
			judge: func(v *view) string {
				if v.Trailer.Get("X-Sum") != "42" {
					return fmt.Sprintf("trailer %v", v.Trailer)
				}
				return want{status: []int{200}, whole: true, body: "ok"}.judge(v)
			}},
		{group: group, name: "early-hints", sentence: "103 is passed on, then the answer", expected: "103, 200",
			script: reply("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + ok),
			judge: func(v *view) string {
				if len(v.Interim) != 1 || v.Interim[0] != 103 {
					return fmt.Sprintf("interim answers %v", v.Interim)
				}
				return want{status: []int{200}, body: "ok"}.judge(v)
			}},
		{group: group, name: "early-hints-then-hang", sentence: "an interim answer takes nothing from the answer after it: 504, with the request's id", expected: "504, X-Request-Id",
			script: func(p *peer) { p.request(); p.say("HTTP/1.1 102 Processing\r\nX-Request-Id: theirs\r\n\r\n"); p.hang() },
			ask:    ask{header: []string{"X-Request-Id: mine-12345"}},
			judge:  want{status: []int{504}, header: map[string]string{"X-Request-Id": "mine-12345"}, reason: "header-timeout"}.judge},
		{group: group, name: "query", sentence: "a query that Go cannot parse is the service's to judge: it passes as it came", expected: "200, the same query",
			script: func(p *peer) {
				r := p.request()
				p.say(message(200, "text/plain", r.RequestURI))
			},
			ask: ask{path: "/a%2Fb?x=1;y=2&z=%zz"}, judge: want{status: []int{200}, body: "/a%2Fb?x=1;y=2&z=%zz"}.judge},
		{group: group, name: "json-lines", sentence: "a JSON stream passes as it comes: the first line does not wait for the second", expected: "200, cut after the first line",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n")
				p.hang()
			},
			judge: want{status: []int{200}, cut: true, has: []string{`{"a":1}`}, reason: "stall"}.judge},
		{group: group, name: "bad-request-chunk", sentence: "a request whose body is no chunked coding is 400, and speaks against nobody", expected: "400",
			script: func(p *peer) { p.head(); p.hang() },
			ask:    ask{method: "POST", header: []string{"Transfer-Encoding: chunked"}, send: func(c net.Conn) { _, _ = io.WriteString(c, "ZZ\r\nx\r\n0\r\n\r\n") }},
			judge:  want{status: []int{400}, reason: "bad-request"}.judge},
		{group: group, name: "no-content-type", sentence: "an answer without Content-Type gets none by guessing", expected: "200, no Content-Type",
			script: reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), judge: func(v *view) string {
				if kind := v.Header.Get("Content-Type"); kind != "" {
					return "Content-Type " + kind
				}
				return want{status: []int{200}, body: "ok"}.judge(v)
			}},
		{group: group, name: "slow-body", sentence: "a slow but steady body with a length is no timeout", expected: "200, whole",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
				for range 8 {
					p.pause(200 * time.Millisecond)
					p.say("x")
				}
			}, judge: want{status: []int{200}, whole: true, body: "xxxxxxxx", atLeast: 1400 * time.Millisecond}.judge},
		{group: group, name: "slow-chunks", sentence: "a slow but steady chunked body is no timeout", expected: "200, whole",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
				for range 6 {
					p.pause(250 * time.Millisecond)
					p.say("1\r\n \r\n")
				}
				p.say("1\r\n}\r\n0\r\n\r\n")
			}, judge: want{status: []int{200}, whole: true, body: "{      }"}.judge},
		{group: group, name: "event-stream", sentence: "events of a stream arrive one by one", expected: "200, first event at once",
			script: func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
				p.pause(500 * time.Millisecond)
				p.say("data: 2\n\n")
			}, judge: func(v *view) string {
				if v.First > 400*time.Millisecond {
					return fmt.Sprintf("the first event took %v", v.First)
				}
				return want{status: []int{200}, whole: true, body: "data: 1\n\ndata: 2\n\n"}.judge(v)
			}},
		{group: group, name: "big-body", sentence: "a body of 64 MiB passes whole and is not buffered", expected: "200, 67108864 bytes",
			addr: goServer(func(w http.ResponseWriter, _ *http.Request) {
				block := make([]byte, 1<<20)
				for range 64 {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			}), judge: func(v *view) string {
				if v.Bytes != 64<<20 {
					return fmt.Sprintf("%d bytes", v.Bytes)
				}
				return want{status: []int{200}, whole: true}.judge(v)
			}},
		{group: group, name: "websocket", sentence: "an upgrade that the client asked for is handed through", expected: "101",
			script: func(p *peer) {
				p.head()
				p.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
				b := make([]byte, 4)
				if _, err := io.ReadFull(p.r, b); err == nil {
					p.say(strings.ToUpper(string(b)))
				}
			}, ask: ask{header: []string{"Connection: Upgrade", "Upgrade: websocket"}},
			judge: func(v *view) string {
				if v.Status != 101 {
					return fmt.Sprintf("status %d", v.Status)
				}
				return echo(v.front)
			}},
		{group: group, name: "early-413", sentence: "413 reaches a client that is still sending", expected: "413",
			script: func(p *peer) {
				p.head()
				p.say(message(413, "text/plain", "too large", "Connection: close"))
				p.linger()
			},
			ask: upload(8 << 20), judge: want{status: []int{413}, within: 4 * time.Second}.judge},
		{group: group, name: "early-503", sentence: "503 reaches a client that is still sending", expected: "503",
			script: func(p *peer) { p.head(); p.say(message(503, "text/plain", "busy", "Connection: close")); p.linger() },
			ask:    upload(8 << 20), judge: want{status: []int{503}, within: 4 * time.Second, retry: true}.judge},
		{group: group, name: "expect-continue", sentence: "a client that waits for 100 Continue gets it", expected: "100, 200",
			script: reply(ok), ask: ask{method: "POST", header: []string{"Expect: 100-continue", "Content-Length: 4"}, send: func(c net.Conn) {
				time.Sleep(300 * time.Millisecond)
				_, _ = io.WriteString(c, "body")
			}}, judge: want{status: []int{200}, body: "ok", attempts: 1}.judge},
		{group: group, name: "slow-upload", sentence: "a slow but steady upload is no timeout", expected: "200",
			script: reply(ok), ask: ask{method: "POST", header: []string{"Content-Length: 6"}, send: func(c net.Conn) {
				for range 6 {
					time.Sleep(250 * time.Millisecond)
					_, _ = io.WriteString(c, "b")
				}
			}}, judge: want{status: []int{200}, body: "ok", attempts: 1}.judge},
	}
}

// upload sends a body of n bytes after the header, as fast as it goes.
func upload(n int) ask {
	return ask{method: "POST", header: []string{fmt.Sprintf("Content-Length: %d", n)}, send: func(c net.Conn) {
		block := make([]byte, 64<<10)
		for sent := 0; sent < n; sent += len(block) {
			if _, err := c.Write(block); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}}
}

// echo asks for the upgrade once more and talks over it.
func echo(front string) string {
	c, err := net.Dial("tcp", front)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = c.Close() }() // what matters was read
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "GET /a/ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }() // an upgrade has none
	_, _ = io.WriteString(c, "ping")
	b := make([]byte, 4)
	if _, err := io.ReadFull(r, b); err != nil || string(b) != "PING" {
		return fmt.Sprintf("echo %q: %v", b, err)
	}
	return ""
}

// twice: what may be sent again, and what must not.
func twice() []behaviour {
	const group = "sending again"
	once := func(p *peer) { // a kept connection that closes under the second request
		if p.request() == nil {
			return
		}
		p.say(ok)
		if p.n > 1 {
			if p.request() != nil {
				p.say(ok)
			}
			return
		}
		p.request()
	}
	return []behaviour{
		{group: group, name: "race-get", sentence: "a GET lost on a kept connection is sent once more", expected: "200",
			script: once, before: []ask{{path: "/first"}}, judge: want{status: []int{200}, attempts: 2}.judge},
		{group: group, name: "race-post", sentence: "a POST lost on a kept connection is 502, sent once", expected: "502, 1 attempt",
			script: once, before: []ask{{path: "/first"}}, ask: ask{method: "POST", body: "x=1"}, judge: want{status: []int{502}, attempts: 1}.judge},
		{group: group, name: "silent-retry-logged", sentence: "an attempt that the client library makes by itself is in the log", expected: "attempts 2",
			script: once, before: []ask{{path: "/first"}}, judge: func(v *view) string {
				if v.log.Attempts != 2 {
					return fmt.Sprintf("logged %d attempts", v.log.Attempts)
				}
				return ""
			}},
		{group: group, name: "idle-close", sentence: "a kept connection that the upstream closed while idle costs no attempt", expected: "200, 1 attempt",
			script: func(p *peer) {
				if p.request() != nil {
					p.say(ok)
				}
			}, before: []ask{{path: "/first"}}, judge: func(v *view) string {
				time.Sleep(100 * time.Millisecond)
				s := v.again(ask{method: "POST", path: "/again", body: "x"})
				if s.Status != 200 {
					return fmt.Sprintf("a POST afterwards: %d", s.Status)
				}
				return want{status: []int{200}, attempts: 1}.judge(v)
			}},
		{group: group, name: "post-500-once", sentence: "a POST answered 500 or 503 is not sent again", expected: "503, 1 attempt",
			script: reply(message(503, "text/plain", "down")), ask: ask{method: "POST", body: "x"}, judge: want{status: []int{503}, attempts: 1}.judge},
	}
}
