package web_test

import (
	"flag"
	"net"
	"net/http"
	"testing"
	"time"
)

var serveAt = flag.String("serve", "", "go test ./internal/web -run DevServer -timeout 0 -serve 127.0.0.1:9187: look at the pages with made-up data")

// TestDevServer serves the made-up world for people, or makes sure that it could.
func TestDevServer(t *testing.T) {
	w := newWorld(t, nil, nil)
	if *serveAt == "" {
		resp, err := http.Get(w.serve(t).URL + "/incidents/" + openIncident)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		_ = resp.Body.Close()
		return
	}
	l, err := net.Listen("tcp", *serveAt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("http://%s/", *serveAt)
	s := &http.Server{Handler: w.Handler(), ReadHeaderTimeout: 10 * time.Second}
	t.Fatal(s.Serve(l))
}
