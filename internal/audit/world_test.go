package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/flow"
)

// folder writes files and returns where.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// judge audits a folder of files the way the command does.
func judge(t testing.TB, cfg audit.Config, files map[string]string) *inquest.Audit {
	t.Helper()
	a, err := audit.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out, err := flow.Audit(t.Context(), folder(t, files), a, nil, flow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// found lists findings as "rule count route (service): detail", but for those about logs unless all are asked for.
func found(a *inquest.Audit, prefixes ...string) []string {
	out := []string{}
	for _, f := range a.Findings {
		for _, p := range prefixes {
			if strings.HasPrefix(f.Rule.ID, p) {
				line := fmt.Sprintf("%s %d %s (%s)", f.Rule.ID, f.Count, f.Route, f.Service)
				if f.Detail != "" {
					line += ": " + f.Detail
				}
				out = append(out, line)
			}
		}
	}
	return out
}

var t0 = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// clf is a line of the combined format n seconds after ten, with a tail of named parts.
func clf(n int, request string, status int, tail string) string {
	return fmt.Sprintf("10.0.0.9 - - [%s] \"%s HTTP/1.1\" %d 12 \"-\" \"curl/8\" %s\n", t0.Add(time.Duration(n)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), request, status, tail)
}

// via is the tail of a gateway's line about one upstream.
func via(status string) string { return `ua="10.0.0.1:8080" us="` + status + `"` }

func times(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}
