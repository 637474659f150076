package probe_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/probe"
)

// ask asks a server's paths.
func ask(t *testing.T, h http.HandlerFunc, cfg probe.Config, paths ...string) ([]*parse.Record, []string, error) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	urls := make([]string, len(paths))
	for i, p := range paths {
		urls[i] = s.URL + p
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg.Transport, cfg.Now = transport, func() time.Time { return time.Unix(1795168801, 0) }
	return probe.Get(t.Context(), cfg, urls)
}

func TestAnswersBecomeRecords(t *testing.T) {
	recs, notes, err := ask(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.UserAgent() != "inquest" || r.Header.Get("Accept") == "" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		w.Header().Set("Server", "nginx/1.22.1")
		if r.URL.Path == "/limit" {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "no")
	}, probe.Config{}, "/a?x=1", "/limit")
	if err != nil || len(notes) != 0 || len(recs) != 2 {
		t.Fatalf("%v %v %v", recs, notes, err)
	}
	got := map[string]string{}
	for _, name := range []string{"retry_after", "response_body", "response_server", "content_type"} {
		got[name] = recs[0].Get(name)
	}
	want := map[string]string{"retry_after": "-", "response_body": "no", "response_server": "nginx/1.22.1", "content_type": "text/plain; charset=utf-8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if r := recs[0]; r.Status != 503 || r.URL != "/a?x=1" || r.Line != 1 || r.Kind != parse.KindAccess || !strings.HasPrefix(r.Service, "127.0.0.1:") {
		t.Errorf("%+v", r)
	}
	if recs[1].Get("retry_after") != "7" {
		t.Errorf("%+v", recs[1].Fields)
	}
}

// A redirect names a host that nobody asked for: it is an answer like any other.
func TestNoRedirectIsFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	recs, _, err := ask(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, probe.Config{}, "/login")
	if err != nil || len(recs) != 1 || recs[0].Status != http.StatusFound {
		t.Errorf("%v %v", recs, err)
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

func TestAHungServerCostsItsTimeout(t *testing.T) {
	began := time.Now()
	recs, notes, err := ask(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
	}, probe.Config{Timeout: 200 * time.Millisecond}, "/hang", "/fine")
	if err != nil || len(recs) != 1 || len(notes) != 1 || !strings.Contains(notes[0], "/hang") {
		t.Errorf("%v %v %v", recs, notes, err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestABodyIsReadUpToABound(t *testing.T) {
	recs, _, err := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}, probe.Config{}, "/big")
	if err != nil || len(recs) != 1 || len(recs[0].Get("response_body")) > 64<<10 {
		t.Errorf("%v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	good := probe.Config{Transport: transport, Now: time.Now}
	for name, c := range map[string]struct {
		cfg  probe.Config
		urls []string
	}{
		"no transport":    {probe.Config{Now: time.Now}, []string{"http://127.0.0.1/"}},
		"another scheme":  {good, []string{"file:///etc/passwd"}},
		"no host":         {good, []string{"http:///x"}},
		"too many":        {good, make([]string, probe.MaxURLs+1)},
		"nobody answered": {good, []string{"http://127.0.0.1:1/"}},
	} {
		if _, _, err := probe.Get(context.Background(), c.cfg, c.urls); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
