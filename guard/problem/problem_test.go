package problem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/guard/problem"
)

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]string{
		"":                         problem.JSON,
		"*/*":                      problem.JSON,
		"application/json":         problem.JSON,
		"application/problem+json": problem.Details,
		"text/html":                problem.HTML,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": problem.HTML, // a browser
		"application/json, text/plain, */*":                               problem.JSON, // axios
		"application/json, application/problem+json":                      problem.JSON,
		"application/json;q=0.5, application/problem+json":                problem.Details,
		"text/html;q=0, */*":                                              problem.JSON,
		"text/html;q=0.1, application/*;q=0.2":                            problem.JSON,
		"application/json;q=0, text/html;q=0.001":                         problem.HTML,
		"text/*":                          problem.HTML,
		"TEXT/HTML ; Q=1 , */* ; q = 0.1": problem.HTML,
		"image/png":                       problem.JSON, // an error is better read than refused
		"text/html;q=bogus":               problem.HTML,
		"application/json;charset=utf-8;q=0.2,text/html;level=1;q=0.3": problem.HTML,
	} {
		if got := problem.Negotiate([]string{accept}); got != want {
			t.Errorf("%q: %s, want %s", accept, got, want)
		}
	}
	if got := problem.Negotiate([]string{"image/png", "text/html"}); got != problem.HTML {
		t.Errorf("two fields: %s", got)
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("text/html,*/*;q=0.8")
	f.Add(";q=,q=;,")
	f.Fuzz(func(t *testing.T, accept string) {
		switch got := problem.Negotiate([]string{accept}); got {
		case problem.JSON, problem.Details, problem.HTML:
		default:
			t.Errorf("%q: %q", accept, got)
		}
	})
}

func TestBodies(t *testing.T) {
	p := problem.Problem{Status: 503, Code: "SERVICE_TEMPORARILY_UNAVAILABLE", Message: "Try <again> later.", ID: "ERR-1732845600000-K7X2MN",
		RetryAfter: 29500 * time.Millisecond, Fields: map[string]any{"queue": 3}, Report: "/report?a=1&b=2"}
	for mediaType, want := range map[string]map[string]any{
		problem.JSON: {"error": "SERVICE_TEMPORARILY_UNAVAILABLE", "message": "Try <again> later.", "errorId": "ERR-1732845600000-K7X2MN", "retryAfterSeconds": 30.0, "queue": 3.0},
		problem.Details: {"type": "about:blank", "title": "Service Unavailable", "status": 503.0, "detail": "Try <again> later.", "code": "SERVICE_TEMPORARILY_UNAVAILABLE",
			"instance": "urn:error:ERR-1732845600000-K7X2MN", "errorId": "ERR-1732845600000-K7X2MN", "retryAfterSeconds": 30.0, "queue": 3.0},
	} {
		var got map[string]any
		if err := json.Unmarshal(p.Body(mediaType), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v (%v)", mediaType, got, err)
		}
	}
	page := string(p.Body(problem.HTML))
	for _, want := range []string{"<title>503 Service Unavailable</title>", "Try &lt;again&gt; later.", "<code>ERR-1732845600000-K7X2MN</code>", `action="/report?a=1&amp;b=2"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	p.Fields = map[string]any{"bad": func() {}}
	if body := string(p.Body(problem.JSON)); !strings.Contains(body, `"errorId"`) {
		t.Errorf("a field that JSON cannot hold costs the answer: %s", body)
	}
	bare := problem.Problem{Status: 499, Message: "x"}
	if page := string(bare.Body(problem.HTML)); !strings.Contains(page, "Status 499") || strings.Contains(page, "<form") {
		t.Errorf("bare page: %s", page)
	}
}

func TestWriteReplacesWhatTheHandlerPrepared(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Etag", `"x"`)
	w.Header().Set("Set-Cookie", "a=b")
	r := httptest.NewRequest(http.MethodHead, "/", nil)
	r.Header.Set("Accept", "text/html")
	(&problem.Problem{Status: 503, ID: "ERR-1732845600000-K7X2MN", RetryAfter: time.Second}).Write(w, r)
	h := w.Header()
	if w.Body.Len() != 0 || h.Get("Content-Encoding") != "" || h.Get("Etag") != "" || h.Get("Set-Cookie") == "" || h.Get("Retry-After") != "1" ||
		h.Get("Vary") != "Accept" || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || h.Get("Content-Security-Policy") == "" {
		t.Errorf("%v %q", h, w.Body)
	}
}

func TestAMillionIDsDoNotClash(t *testing.T) {
	form := regexp.MustCompile(`^ERR-\d{13}-[0-9A-Z]{6}$`)
	var ids problem.IDs
	n := 1_000_000
	seen := make(map[string]bool, n)
	at := time.UnixMilli(1732845600000)
	letters := map[byte]int{}
	for i := range n {
		id := ids.Next(at.Add(time.Duration(i/5000) * time.Millisecond))
		if seen[id] {
			t.Fatalf("%s came twice within %d", id, i)
		}
		if i%1000 == 0 && (!form.MatchString(id) || !problem.ValidID(id)) {
			t.Fatalf("%s", id)
		}
		letters[id[23]]++
		seen[id] = true
	}
	for c, k := range letters { // 27,778 each; five standard deviations are 820
		if k < 26_900 || k > 28_700 {
			t.Errorf("%c ends %d of %d ids", c, k, n)
		}
	}
	if len(letters) != 36 {
		t.Errorf("%d different letters", len(letters))
	}
	if id := ids.Next(at.Add(-time.Hour)); seen[id] || !strings.HasPrefix(id, "ERR-17328456001") {
		t.Errorf("after the clock stepped back: %s", id)
	}
	for _, s := range []string{"", "ERR-1732845600000-k7x2mn", "ERR-173284560000-K7X2MNA", "ERR-1732845600000_K7X2MN", "ERR-17328456000A0-K7X2MN"} {
		if problem.ValidID(s) {
			t.Errorf("%q passes for an id", s)
		}
	}
}
