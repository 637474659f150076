package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/report"
)

func FuzzInvestigate(f *testing.F) {
	gw, cart := gatewayLog(), cartLog(utc)
	f.Add([]byte(gw[:1500]), []byte(cart[:600]), []byte(`{"time":"2026-11-20T09:59:50Z","kind":"deploy","service":"pay","summary":"x"}`))
	f.Add([]byte(gw[len(gw)-2400:]), []byte(cart[len(cart)-900:]), []byte(`{"from":"a","to":"b"}`))
	f.Add([]byte(""), []byte("\x1f\x8b\x08\x00"), []byte("\x00\x00\x00"))
	f.Add([]byte("# TYPE up gauge\nup{job=\"a\"} 1 1795168800\n# EOF\n"), []byte(`{"resourceSpans":[]}`), []byte(`{"time":"2026-11-20T10:00:00Z","window":{"from":"2026-11-20T10:00:00Z","to":"2026-11-20T10:01:00Z"}}`))
	f.Add([]byte("Nov 20 10:00:00 h app[1]: panic: x\n"), []byte("2026-11-20 10:00:00 ERROR x\n\tat a.B(C.java:1)\n"), []byte("9999-12-31T23:59:59Z 0001-01-01T00:00:00Z\n"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"access.log": a, "app.log": b, "changes.jsonl": c} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		o, err := flow.Investigate(ctx, dir, flow.Options{})
		if err != nil {
			t.Fatalf("bad input is for the coverage to tell: %v", err)
		}
		var out bytes.Buffer
		if err := report.JSON(&out, o.Diagnosis, report.JSONOptions{}); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("report: %v\n%s", err, out.Bytes())
		}
		if d := o.Diagnosis; d.Incident != (d.Verdict != nil) || len(d.Coverage.Files) != 3 {
			t.Fatalf("incident %v, verdict %v, %d files accounted for", d.Incident, d.Verdict, len(d.Coverage.Files))
		}
		if _, err := report.ReadJSON(&out); err != nil {
			t.Fatalf("the report cannot be read back: %v", err)
		}
	})
}
