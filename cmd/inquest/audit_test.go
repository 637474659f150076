package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A running service is asked once for each URL, by GET, and its answers are judged as those in a log.
func TestAuditAsksURLs(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodGet {
			t.Errorf("%s", r.Method)
		}
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/lie":
			fmt.Fprint(w, `{"success":false,"error":"database unavailable"}`)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "https://example.invalid/", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"audit", s.URL + "/lie", s.URL + "/busy", s.URL + "/moved", "http://127.0.0.1:1/nobody", "--fail-on", "error"}, &out, &errs)
	if code != exitFindings || asked.Load() != 3 {
		t.Errorf("code %d, asked %d times\n%s", code, asked.Load(), &errs)
	}
	for _, want := range []string{"error: status/lying-200", "1 of 1 GET /lie (127.0.0.1:", "the body says 500", "error: status/503-without-retry-after", "1 of 1 GET /busy", "live: live, 3 records"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if !strings.Contains(errs.String(), "127.0.0.1:1") {
		t.Errorf("the URL that did not answer is not named: %s", &errs)
	}
}
