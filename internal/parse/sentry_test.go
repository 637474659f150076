package parse_test

import (
	"strings"
	"testing"
)

func TestSentryEvent(t *testing.T) {
	k := readText(t, "sentry", `{"event_id":"1","timestamp":1795176000.25,"platform":"python","level":"fatal","logger":"app","release":"1.2","server_name":"web-1","exception":{"values":[
{"type":"OSError","value":"disk full","module":"builtins","stacktrace":{"frames":[{"function":"save","filename":"app/store.py","module":"app.store","lineno":7,"in_app":true},{"function":"write","filename":"io.py","lineno":3,"in_app":false}]}},
{"type":"SaveError","value":"cart","stacktrace":{"frames":[{"function":"view","filename":"app/views.py","lineno":9,"in_app":true}]}}]},"request":{"url":"https://shop.example/cart","method":"POST"}}`)
	if len(k.records) != 1 {
		t.Fatalf("%d records, want 1: %v", len(k.records), k.rep.Skips)
	}
	got := k.records[0].String()
	for _, want := range []string{`"line":1`, `"time":"2026-11-20T12:00:00.25`, `"exception_type":"SaveError"`, `"root_type":"OSError"`, `"language":"python"`,
		`"chain":[{"type":"OSError","message":"disk full","frames":2,"innermost":{"function":"write","file":"io.py","line":3},"innermost_in_app":{"function":"save","module":"app.store","file":"app/store.py","line":7}},`,
		`"url":"https://shop.example/cart"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if f := k.records[0].Exception.AppFrame; f != "save (app/store.py:7)" {
		t.Errorf("own frame of the root is %q", f)
	}
}
