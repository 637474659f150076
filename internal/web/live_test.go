package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listen opens the stream of events and returns its lines.
func listen(t *testing.T, w *world, a *agent) (<-chan string, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.serve(t).URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.cookie != nil {
		r.AddCookie(a.cookie)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines, resp
}

func TestEventsTellWhichIncidentHasChanged(t *testing.T) {
	w := newWorld(t, users(), nil)
	lines, resp := listen(t, w, w.signIn(t, "vic")) //nolint:bodyclose // listen closes it
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	for l := range lines {
		if l == ": connected" {
			break
		}
	}
	if _, err := w.desk.Act(t.Context(), openIncident, actNote("hello")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for l := range lines {
		if l != "" {
			got = append(got, l)
		}
		if strings.HasPrefix(l, "data:") {
			break
		}
	}
	if strings.Join(got, "|") != "event: changed|data: "+openIncident {
		t.Errorf("told %q", got)
	}
}

func TestEventsAreForWhoMayRead(t *testing.T) {
	w := newWorld(t, users(), nil)
	_, resp := listen(t, w, &agent{w: w}) //nolint:bodyclose // listen closes it
	if resp.StatusCode != http.StatusUnauthorized && resp.Request.URL.Path != "/login" {
		t.Errorf("nobody hears events: %d at %s", resp.StatusCode, resp.Request.URL)
	}
}

func TestAWatcherThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	w := newWorld(t, nil, nil)
	listen(t, w, &agent{w: w}) //nolint:bodyclose // it closes it
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100_000 {
			w.Changed(openIncident)
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("telling waits for a reader")
	}
}
