package parse_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const harHead = `{
  "log": {
    "version": "1.2",
    "creator": {"name": "WebInspector", "version": "537.36"},
    "pages": [],
    "entries": [
`

func har(entries ...string) string {
	return harHead + strings.Join(entries, ",\n") + "\n    ]\n  }\n}\n"
}

const harEntry = `{"startedDateTime": "2026-11-20T10:00:00.500Z", "time": 250.5,
 "request": {"method": "POST", "url": "https://shop.example/api/pay?x=1#top", "httpVersion": "h2", "headers": [{"name": "X-Request-Id", "value": "mine"},
  {"name": "traceparent", "value": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}], "bodySize": 9},
 "response": {"status": 503, "statusText": "", "headers": [{"name": "Content-Type", "value": "text/html"}, {"name": "Server", "value": "nginx/1.22.1"}, {"name": "X-Request-ID", "value": "theirs"}],
  "content": {"size": 5, "mimeType": "text/html", "text": "<h1>no</h1>"}, "bodySize": 5}, "cache": {}, "timings": {"wait": 250}, "serverIPAddress": "192.0.2.7"}`

func TestHAR(t *testing.T) {
	k := readText(t, "har", har(harEntry))
	if len(k.records) != 1 {
		t.Fatalf("%d records, skipped %v", len(k.records), k.rep.Skips)
	}
	want := `{"line":7,"time":"2026-11-20T10:00:00.7505Z","status":503,"method":"POST","url":"/api/pay?x=1","path":"/api/pay","query":"x=1","duration_s":0.2505,"bytes":5,` +
		`"request_id":"theirs","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","service":"shop.example","host":"shop.example","content_type":"text/html",` +
		`"response_server":"nginx/1.22.1","server_address":"192.0.2.7","retry_after":"-","response_body":"<h1>no</h1>"}`
	if diff := cmp.Diff(want, k.records[0].String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestHAREntriesThatDiffer(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"a header that was sent":         {`"value": "nginx/1.22.1"}`, `"value": "x"}, {"name": "retry-after", "value": "30"}`, `"retry_after":"30"`},
		"a body in base64":               {`"text": "<h1>no</h1>"`, `"text": "eyJlcnJvciI6MX0=", "encoding": "base64"`, `"response_body":"{\"error\":1}"`},
		"a body that is no base64":       {`"text": "<h1>no</h1>"`, `"text": "###", "encoding": "base64"`, `"response_body":"###"`},
		"a long body is cut":             {`<h1>no</h1>`, strings.Repeat("x", 20_000), strings.Repeat("x", 16<<10) + `"`},
		"the archive without headers":    {`"headers": [{"name": "Content-Type"`, `"_headers": [{"name": "Content-Type"`, `"response_body"`},
		"a time in another zone":         {`10:00:00.500Z`, `12:00:00.500+02:00`, `"time":"2026-11-20T10:00:00.7505Z"`},
		"keys that are not the standard": {`"cache": {}`, `"_priority": [1, {"a": "}"}]`, `"status":503`},
	} {
		t.Run(name, func(t *testing.T) {
			k := readText(t, "har", har(strings.Replace(harEntry, c.from, c.to, 1)))
			if len(k.records) != 1 || !strings.Contains(k.records[0].String(), c.want) {
				t.Errorf("no %.80s in %v, skipped %v", c.want, k.records, k.rep.Skips)
			}
		})
	}
}

func TestHAREntriesWithoutAnAnswer(t *testing.T) {
	k := readText(t, "har", har(strings.Replace(harEntry, `"status": 503`, `"status": 0`, 1), harEntry))
	if len(k.records) != 1 || k.rep.Skipped != 1 || k.rep.Skips[0].Line != 7 {
		t.Errorf("%d records, %+v", len(k.records), k.rep)
	}
	if k.records[0].Line != 12 {
		t.Errorf("the second entry begins on line 12, got %d", k.records[0].Line)
	}
}

func TestHARThatBreaksOff(t *testing.T) {
	k := readText(t, "har", har(harEntry)[:700])
	if len(k.records) != 0 || len(k.rep.Skips) == 0 {
		t.Errorf("%d records, %+v", len(k.records), k.rep)
	}
}

// An answer's Retry-After that would have been logged and was not sent is told apart from one that nobody logs.
func TestRetryAfterThatWasNotSent(t *testing.T) {
	combined := `10.0.0.9 - - [20/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 503 12 "-" "curl" rt=0.1`
	nginx := `{"time":"2026-11-20T10:00:01+00:00","remote_addr":"10.0.0.9","request":"GET / HTTP/1.1","status":"503","request_time":"0.2"`
	for line, want := range map[string]string{
		combined + ` retry_after="30"`:           `"retry_after":"30"`,
		combined + ` retry_after="-"`:            `"retry_after":"-"`,
		combined + ` sent_http_retry_after=-`:    `"retry_after":"-"`,
		combined:                                 "",
		nginx + `,"sent_http_retry_after":"30"}`: `"retry_after":"30"`,
		nginx + `,"sent_http_retry_after":""}`:   `"retry_after":"-"`,
		nginx + `,"sent_http_retry_after":"-"}`:  `"retry_after":"-"`,
		nginx + `,"upstream_http_x":"-"}`:        "",
	} {
		format := "combined"
		if line[0] == '{' {
			format = "nginx-json"
		}
		k := readText(t, format, line+"\n"+line+"\n")
		got := k.records[0].String()
		if want != "" && !strings.Contains(got, want) || want == "" && strings.Contains(got, `"retry_after"`) {
			t.Errorf("want %q of %s, got\n%s", want, line, got)
		}
	}
}

func FuzzHAR(f *testing.F) {
	f.Add(har(harEntry))
	f.Add(harHead + `{"request":{"headers":[{"name":[]}]},"response":{"content":{"text":{}}}`)
	f.Add(`{"log":{"version":"1.2","entries":[[[`)
	f.Fuzz(func(t *testing.T, s string) {
		lines := strings.Count(s, "\n") + 1
		for _, r := range fuzzDocument(t, s, "har").records {
			if r.Line < 1 || r.Line > lines {
				t.Errorf("record on line %d of %d", r.Line, lines)
			}
			if body := r.Get("response_body"); len(body) > 16<<10 {
				t.Errorf("a body of %d bytes is kept", len(body))
			}
		}
	})
}
