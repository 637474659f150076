package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/probe"
)

// check asks a handler so often, by a clock that each look moves on by a tenth of a second.
func check(t *testing.T, h http.HandlerFunc, want probe.Want) *probe.Checked {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	now := time.Unix(1795168801, 0)
	got, err := probe.Check(t.Context(), probe.Config{Transport: transport, Now: func() time.Time { now = now.Add(100 * time.Millisecond); return now }, Timeout: 10 * time.Second}, s.URL+"/api/cart", want)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func answers(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestAnAnswerPassesOnlyIfItServesTheUser(t *testing.T) {
	const js = "application/json"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   probe.Want
		why    string
	}{
		"a 200 with JSON":                     {answers(200, js, `{"items": [1], "data": {"total": 3}}`), probe.Want{}, ""},
		"a page":                              {answers(200, "text/html", `<p>Add to basket</p>`), probe.Want{Contains: "Add to basket"}, ""},
		"JSON texts in a row":                 {answers(200, "application/x-ndjson", "{}\n{}\n"), probe.Want{}, ""},
		"a stream of JSON":                    {answers(200, "application/stream+json", "{}\n{}\n"), probe.Want{}, ""},
		"a kind of JSON that is none":         {answers(200, "application/hal+json; charset=utf-8", "<p>"), probe.Want{}, "the body is no JSON"},
		"a 204 without a body":                {answers(204, js, ""), probe.Want{}, ""},
		"fields that are there":               {answers(200, js, `{"items": [], "data": {"total": 0}}`), probe.Want{Fields: []string{"items", "data.total"}}, ""},
		"a status that was asked for":         {answers(503, "text/plain", "closed"), probe.Want{Status: []int{503}}, ""},
		"a 503":                               {answers(503, "text/plain", "closed"), probe.Want{}, "another status is wanted"},
		"a redirect, which is not followed":   {answers(302, "text/plain", ""), probe.Want{}, "another status is wanted"},
		"a 404":                               {answers(404, js, `{}`), probe.Want{}, "another status is wanted"},
		"another success than asked for":      {answers(204, js, ""), probe.Want{Status: []int{200}}, "another status is wanted"},
		"a 200 that tells of an error":        {answers(200, js, `{"success": false, "error": {"code": 500, "message": "could not connect to database"}}`), probe.Want{}, "the body tells of a 5"},
		"JSON that is cut off":                {answers(200, js, `{"items": [1, `), probe.Want{}, "the body is no JSON"},
		"a page where JSON was said":          {answers(200, js, `<html>Welcome</html>`), probe.Want{}, "the body is no JSON"},
		"a field that is missing":             {answers(200, js, `{"items": []}`), probe.Want{Fields: []string{"items", "data.total"}}, `the body has no "data.total"`},
		"a field that is null":                {answers(200, js, `{"items": null}`), probe.Want{Fields: []string{"items"}}, `the body has no "items"`},
		"a field of what is no object":        {answers(200, js, `[{"items": 1}]`), probe.Want{Fields: []string{"items"}}, `the body has no "items"`},
		"nothing where JSON was said":         {answers(200, js, ""), probe.Want{}, "the body is no JSON"},
		"fields of a page":                    {answers(200, "text/html", `<p>`), probe.Want{Fields: []string{"items"}}, "the body is no JSON"},
		"fields of nothing":                   {answers(200, js, ""), probe.Want{Fields: []string{"items"}}, "the body is no JSON"},
		"a text that is missing":              {answers(200, "text/html", `<p>Sorry</p>`), probe.Want{Contains: "Add to basket"}, `the body does not hold "Add to basket"`},
		"slower than wanted, by the clock":    {answers(200, "text/html", `<p>`), probe.Want{Within: 99 * time.Millisecond}, "took longer than 99ms"},
		"as slow as wanted":                   {answers(200, "text/html", `<p>`), probe.Want{Within: 100 * time.Millisecond}, ""},
		"a body that is too large to look at": {answers(200, js, `"`+strings.Repeat("x", 9<<20)+`"`), probe.Want{}, "larger than 8 MiB"},
		"a connection that ends within a body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, probe.Want{}, "the answer broke off: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Times = 2
			got := check(t, c.answer, c.want)
			failed := 0
			if c.why != "" {
				failed = 2
			}
			if got.Asked != 2 || got.Failed != failed || len(got.Answers) != 1 || got.Answers[0].Count != 2 || !strings.Contains(got.Answers[0].Why, c.why) || (c.why == "") != (got.Answers[0].Why == "") {
				t.Errorf("%+v, want %q", got, c.why)
			}
		})
	}
}

func TestEachRequestHasAConnectionOfItsOwnAndTheHeadersThatWereAskedFor(t *testing.T) {
	from := map[string]bool{}
	got := check(t, func(w http.ResponseWriter, r *http.Request) {
		from[r.RemoteAddr] = true
		if r.Host != "shop.example" || r.Header.Get("X-Tenant") != "a" || r.UserAgent() != "checker" || r.Method != http.MethodGet {
			t.Errorf("%s %s %v", r.Method, r.Host, r.Header)
		}
		if len(from) == 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}, probe.Want{Times: 4, Header: http.Header{"Host": {"shop.example"}, "X-Tenant": {"a"}, "User-Agent": {"checker"}}})
	want := &probe.Checked{URL: got.URL, Asked: 4, Failed: 1, Median: 100 * time.Millisecond, Slowest: 100 * time.Millisecond,
		Answers: []probe.Answer{{Status: 200, Count: 3}, {Status: 502, Why: "another status is wanted", Count: 1}}}
	if diff := cmp.Diff(want, got); diff != "" || len(from) != 4 {
		t.Errorf("%d connections\n%s", len(from), diff)
	}
}

func TestWhatDoesNotAnswerFails(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	cfg := probe.Config{Transport: http.DefaultTransport, Now: time.Now}
	got, err := probe.Check(t.Context(), cfg, s.URL, probe.Want{Times: 3})
	if err != nil || got.Failed != 3 || len(got.Answers) != 1 || got.Answers[0] != (probe.Answer{Why: "connection refused", Count: 3}) {
		t.Errorf("%+v %v", got, err)
	}
	var asked atomic.Int32
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(release)
	cfg.Timeout = 50 * time.Millisecond
	got, err = probe.Check(t.Context(), cfg, slow.URL, probe.Want{Times: 2})
	if err != nil || got.Failed != 2 || got.Answers[0].Why != "no whole answer within the time" || got.Slowest != 0 {
		t.Errorf("%+v %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = probe.Check(ctx, probe.Config{Transport: http.DefaultTransport, Now: time.Now}, s.URL, probe.Want{Times: 3, Between: func(ctx context.Context, done int) error { cancel(); return ctx.Err() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

func TestWhatCannotBeAskedIsAnError(t *testing.T) {
	cfg := probe.Config{Transport: http.DefaultTransport, Now: time.Now}
	for url, times := range map[string]int{"ftp://shop.example/": 1, "shop.example": 1, "http://shop.example/a": 0, "http://shop.example/b": probe.MaxURLs + 1} {
		if got, err := probe.Check(t.Context(), cfg, url, probe.Want{Times: times}); err == nil {
			t.Errorf("%s, %d times: %+v", url, times, got)
		}
	}
	if _, err := probe.Check(t.Context(), probe.Config{}, "http://shop.example", probe.Want{Times: 1}); err == nil {
		t.Error("without a transport")
	}
}
