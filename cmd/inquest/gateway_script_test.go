package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/inquesthq/inquest/internal/gateway/accesslog"
)

// freeport NAME...: each variable becomes an address of this machine that nobody listens on.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(name, l.Addr().String())
		ts.Check(l.Close())
	}
}

// expand FILE...: variables in the files are replaced by their values.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range args {
		ts.Check(os.WriteFile(ts.MkAbs(f), []byte(os.Expand(ts.ReadFile(f), ts.Getenv)), 0o644))
	}
}

// service NAME PATH=STATUS=BODY...: a service with these answers; the variable becomes its address. A body that begins with { is JSON.
func service(ts *testscript.TestScript, _ bool, args []string) {
	mux := http.NewServeMux()
	for _, a := range args[1:] {
		f := strings.SplitN(a, "=", 3)
		if len(f) != 3 {
			ts.Fatalf("usage: service NAME PATH=STATUS=BODY...")
		}
		body := unquote(ts, f[2])
		var status int
		_, err := fmt.Sscan(f[1], &status)
		ts.Check(err)
		mux.HandleFunc(f[0], func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if strings.HasPrefix(body, "{") {
				w.Header().Set("Content-Type", "application/json")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	s := httptest.NewServer(mux)
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.Listener.Addr().String())
}

// fetch [-n TIMES] [-X METHOD] [-d BODY] URL FILE [HEADER...]: the (last) answer's status, header and body go to FILE. It waits for the
// server to be there.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 3 && args[0] == "-n" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		for range n {
			fetch(ts, neg, args[2:])
		}
		return
	}
	method, body := http.MethodGet, ""
	for len(args) > 2 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-X":
			method = args[1]
		case "-d":
			method, body = http.MethodPost, args[1]
		}
		args = args[2:]
	}
	body = os.Expand(body, ts.Getenv)
	var resp *http.Response
	for try := 0; ; try++ {
		r, err := http.NewRequest(method, args[0], strings.NewReader(body))
		ts.Check(err)
		for _, h := range args[2:] {
			k, v, _ := strings.Cut(h, ":")
			r.Header.Set(k, strings.TrimSpace(v))
		}
		if resp, err = http.DefaultClient.Do(r); err == nil {
			break
		}
		if try > 100 {
			ts.Fatalf("fetch: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	defer resp.Body.Close()
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	fmt.Fprintln(f, resp.StatusCode)
	ts.Check(resp.Header.Write(f))
	fmt.Fprintln(f)
	_, err = io.Copy(f, resp.Body)
	ts.Check(err)
	ts.Check(f.Close())
}

// errorid FILE NAME: the variable becomes the error id in an answer that fetch wrote.
func errorID(ts *testscript.TestScript, _ bool, args []string) {
	id := regexp.MustCompile(`X-Error-Id: (ERR-\d{13}-[0-9A-Z]{6})`).FindStringSubmatch(ts.ReadFile(args[0]))
	if id == nil {
		ts.Fatalf("no X-Error-Id in %s", args[0])
	}
	ts.Setenv(args[1], id[1])
}

// gatewaylog DIR STATUS REASON [EVERY]: what the gateway writes over fifteen minutes, from the tenth on of an upstream that fails for a
// reason: five requests in a row are asked in vain, then the circuit is open for half a minute. With EVERY only each such request fails, and
// the circuit stays closed.
func gatewayLog(ts *testscript.TestScript, _ bool, args []string) {
	var access, events bytes.Buffer
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	inARow, every := 0, 0
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	if len(args) > 3 {
		every, err = strconv.Atoi(args[3])
		ts.Check(err)
	}
	said := map[string]string{"header-timeout": "upstream request timeout: no whole header within the limit", "cut": "unexpected EOF", "stall": "no byte of the body within the limit",
		"refused": "dial tcp 10.2.0.9:3100: connect: connection refused", "connect-timeout": "dial tcp 10.2.0.9:3100: i/o timeout",
		"malformed": `malformed HTTP response "\x00\x01pay"`, "dns": "dial tcp: lookup payment.internal on 10.2.0.53:53: no such host",
		"tls": "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-03-14T09:10:00Z is after 2026-03-14T09:09:59Z"}
	for i := range 15 * 60 * 4 {
		at := start.Add(time.Duration(i) * 250 * time.Millisecond)
		e := accesslog.Entry{Time: at, RequestID: fmt.Sprintf("7cab%028x", 7919*i), Client: fmt.Sprintf("10.1.0.%d", i%200), Method: "GET", Host: "shop.example", URI: "/",
			Protocol: "HTTP/1.1", Route: "shop", Service: "web", Status: 200, Upstream: "10.2.0.1:3000", Answered: 200, Attempts: 1, Sent: 512, Duration: 20 * time.Millisecond, Waited: 19 * time.Millisecond}
		if i%2 == 1 {
			e.URI, e.Route, e.Service, e.Upstream = "/api/payment", "payment", "payment", "10.2.0.9:3100"
			if late := at.Sub(start) >= 10*time.Minute; late && every > 0 {
				if i/2%every == 0 {
					e.Status, e.Reason, e.Answered, e.Detail = status, args[2], status, args[2]+": "+said[args[2]]
				}
			} else if late {
				e.ErrorID = fmt.Sprintf("ERR-%d-%06d", at.UnixMilli(), i)
				if inARow++; inARow%60 < 5 {
					e.Status, e.Reason, e.Answered, e.Detail = status, args[2], 0, args[2]+": "+said[args[2]]
					if inARow%60 == 4 {
						fmt.Fprintf(&events, "{\"time\":%q,\"level\":\"warn\",\"service\":\"inquest-gateway\",\"msg\":\"circuit breaker of payment 10.2.0.9:3100: closed to open\",\"kind\":\"breaker\"}\n", at.Format(time.RFC3339Nano))
					}
				} else {
					e.Status, e.Reason, e.Upstream, e.Answered, e.Attempts, e.Waited = 503, "open", "", 0, 0, 0
					e.Detail = "open: upstream payment: payment 10.2.0.9:3100: circuit breaker is open"
				}
			}
		}
		access.Write(e.Append(nil))
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "gateway-access.log"), access.Bytes(), 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "gateway-events.log"), events.Bytes(), 0o644))
}
