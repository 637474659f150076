package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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

// fetch [-X METHOD] [-d BODY] URL FILE [HEADER...]: the answer's status, header and body go to FILE. It waits for the server to be there.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
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
