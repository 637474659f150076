package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The page about the rules is written by `make docs`; this says when it was forgotten.
func TestTheRulesOfAuditHaveTheirPage(t *testing.T) {
	want, err := os.ReadFile("../../docs/audit-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"audit", "rules", "--format", "markdown"}, &out, &errs); code != exitOK {
		t.Fatalf("code %d: %s", code, &errs)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("docs/audit-rules.md is not current, make docs writes it: -want +got\n%s", diff)
	}
}

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
