package parse

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
)

func TestATraceSeenBeforeReadsTheSame(t *testing.T) {
	java := "java.lang.IllegalStateException: no route\n\tat shop.Cart.add(Cart.java:7)\nCaused by: java.net.ConnectException: refused\n\tat shop.Db.open(Db.java:3)"
	texts := []string{java, strings.Replace(java, ":7)", ":8)", 1), "TypeError: x is undefined\n    at f (/app/src/a.js:1:2)", "two lines\nof no trace", "Error: a line", "",
		"E: " + strings.Repeat("x", maxSeenTrace) + "\n    at f (/app/a.js:1:2)"}
	var m traceMemo
	for range 3 {
		for _, text := range texts {
			got := m.read(text)
			if d := cmp.Diff(ParseTrace(text), got); d != "" {
				t.Errorf("%.60q (-read +remembered)\n%s", text, d)
			}
			if got != nil { // what a caller makes of it is not remembered
				got.Type, got.Chain[0] = "changed", inquest.Cause{Type: "changed"}
			}
		}
	}
	var none *traceMemo
	if d := cmp.Diff(ParseTrace(java), none.read(java)); d != "" {
		t.Error(d)
	}
}

func TestEveryFieldOfAnErrorPassesTheCheapTest(t *testing.T) {
	for _, names := range [][]string{stackFields[:], typeFields[:], textFields[:], codeFields[:]} {
		for _, name := range names {
			if !tellsError(Field{Name: name}) {
				t.Errorf("a record whose one field is %s is not looked at", name)
			}
		}
	}
	if tellsError(Field{Name: "hostname"}) || tellsError(Field{Name: "duration_ms"}) {
		t.Error("a field that has nothing to do with errors passes")
	}
}
