package trace_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard/trace"
)

func TestRequestID(t *testing.T) {
	for id, want := range map[string]bool{
		"4bf92f3577b34da6a3ce929d0e0e4736": true, "7d9f-ab.cd_12": true, "12345678": true, strings.Repeat("x", 128): true,
		"abc-123": true, "1": true, "Root=1-67891233-abcdef012345678912345678": true, "dGhlIGlk+/8=": true, "a:b": true,
		"": false, "../../etc/passwd": false, "a\u202eb": false, strings.Repeat("x", 129): false, "<script>x": false, "a b c d e": false, "12345678\r\nX: y": false, "ünïcödé-1": false, "12345678\x00": false,
	} {
		h := http.Header{"X-Request-Id": {id}}
		if got := trace.RequestID(h); (got == id && id != "") != want {
			t.Errorf("%q: %q", id, got)
		}
	}
	if got := trace.RequestID(http.Header{"X-Request-Id": {"12345678", "87654321"}}); got != "" {
		t.Errorf("two ids: %q", got)
	}
}

func TestParseParent(t *testing.T) {
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for s, want := range map[string]bool{
		"00-" + id + "-" + span + "-01":                       true,
		"00-" + id + "-" + span + "-00":                       true,
		"cc-" + id + "-" + span + "-01-what-comes-later":      true,
		"00-" + id + "-" + span + "-01-":                      false,
		"ff-" + id + "-" + span + "-01":                       false,
		"00-" + strings.ToUpper(id) + "-" + span + "-01":      false,
		"00-00000000000000000000000000000000-" + span + "-01": false,
		"00-" + id + "-0000000000000000-01":                   false,
		"00-" + id + "-" + span:                               false,
		"00-" + id + "-" + span + "-zz":                       false,
		"":                                                    false,
		"cc-" + id + "-" + span + "-01.later":                 false,
	} {
		p, ok := trace.FromHeader(http.Header{"Traceparent": {s}})
		if ok != want || ok && (p.TraceID != id || p.SpanID != span) {
			t.Errorf("%q: %+v, %v", s, p, ok)
		}
		if ok && s[:2] == "00" && p.String() != s {
			t.Errorf("%q is written %q", s, p)
		}
	}
	if _, ok := trace.FromHeader(http.Header{"Traceparent": {"a", "b"}}); ok {
		t.Error("two parents were accepted")
	}
}

func TestIDsAreValidAndNew(t *testing.T) {
	var ids trace.IDs
	seen := map[string]bool{}
	for range 10_000 {
		id := ids.Next()
		if seen[id] || !trace.ValidRequestID(id) || len(id) != 32 {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
	if n := testing.AllocsPerRun(1000, func() { ids.Next() }); n > 0.1 {
		t.Errorf("%v allocations an id", n)
	}
}

func FuzzRequestID(f *testing.F) {
	f.Add("4bf92f3577b34da6", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, id, parent string) {
		if got := trace.RequestID(http.Header{"X-Request-Id": {id}}); got != "" && (len(got) > 64 || strings.ContainsAny(got, "<>\"'&\r\n\x00 ;")) {
			t.Errorf("kept %q", got)
		}
		if p, ok := trace.ParseParent(parent); ok {
			if again, ok := trace.ParseParent(p.String()); !ok || again != p {
				t.Errorf("%q: %+v, then %+v", parent, p, again)
			}
		}
	})
}
