package flow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/report"
)

var t0 = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// folder writes files by name.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// gatewayLog is 20 minutes of an nginx log in JSON, five requests a second; one in three fails from minute 10 on.
func gatewayLog() string {
	var b strings.Builder
	for i := range 20 * 60 * 5 {
		at, status := t0.Add(time.Duration(i)*200*time.Millisecond), 200
		if i >= 10*60*5 && i%3 == 0 {
			status = 500
		}
		fmt.Fprintf(&b, `{"time":"%s","remote_addr":"198.51.100.%d","request_method":"GET","request_uri":"/cart","status":%d,"request_time":0.05,"request_id":"req-%06d","upstream_addr":"10.0.0.1:8080","upstream_status":"%d"}`+"\n",
			at.Format(time.RFC3339Nano), i%40, status, i, status)
	}
	return b.String()
}

// cartLog is what the application says of the failed requests; layout prints the time.
func cartLog(layout func(time.Time) string) string {
	var b strings.Builder
	for i := range 20 * 60 * 5 {
		if at := t0.Add(time.Duration(i) * 200 * time.Millisecond); i >= 10*60*5 && i%3 == 0 {
			fmt.Fprintf(&b, "%s ERROR [req-%06d] cart: TypeError: Cannot read properties of undefined (reading 'price')\n", layout(at), i)
		} else if i%50 == 0 {
			fmt.Fprintf(&b, "%s INFO [req-%06d] cart: basket opened\n", layout(at), i)
		}
	}
	return b.String()
}

func utc(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }

func TestAFolderIsInvestigatedFromBytesToVerdict(t *testing.T) {
	dir := folder(t, map[string]string{"gateway-access.json": gatewayLog(), "cart.log": cartLog(utc),
		"changes.jsonl": `{"time":"2026-11-20T09:59:50Z","kind":"deploy","service":"pay","version":"7","summary":"release 7"}` + "\n"})
	d := investigate(t, dir)
	if !d.Incident || d.Onset.Sub(t0.Add(10*time.Minute)).Abs() > time.Second || d.Impact.Failed != 1000 {
		t.Fatalf("incident %v since %s, %d failed", d.Incident, d.Onset, d.Impact.Failed)
	}
	if d.Verdict.Mechanism != "unhandled-exception/null-dereference" || d.Verdict.Culprit != "cart" {
		t.Errorf("verdict %s at %s", d.Verdict.Mechanism, d.Verdict.Culprit)
	}
}

func TestASingleFileIsAnInvestigationToo(t *testing.T) {
	dir := folder(t, map[string]string{"gateway-access.json": gatewayLog()})
	d := investigate(t, filepath.Join(dir, "gateway-access.json"))
	if !d.Incident || d.Verdict.Level != inquest.Open || len(d.Coverage.Files) != 1 || d.Coverage.Files[0].File != "gateway-access.json" {
		t.Errorf("incident %v, verdict %+v, files %+v", d.Incident, d.Verdict, d.Coverage.Files)
	}
}

func TestNothingToReadIsAnErrorThatSaysWhatToDo(t *testing.T) {
	for _, c := range []struct{ name, path, says string }{
		{"an empty folder", t.TempDir(), "put access logs"},
		{"no such folder", filepath.Join(t.TempDir(), "nowhere"), "nowhere"},
	} {
		o, err := flow.Investigate(context.Background(), c.path, flow.Options{})
		if err == nil || o != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAFolderOfNothingButNoiseIsNoIncident(t *testing.T) {
	d := investigate(t, folder(t, map[string]string{"a.bin": "\x7fELF\x00\x01\x02\x03", "empty.log": "", "poem.txt": "roses are red\nviolets are blue\n"}))
	if d.Incident || len(d.Coverage.Missing) < 3 {
		t.Errorf("incident %v, missing %q", d.Incident, d.Coverage.Missing)
	}
}

func TestAnInvestigationStopsWhenItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := flow.Investigate(ctx, folder(t, map[string]string{"a.json": gatewayLog()}), flow.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgressReachesTheTotal(t *testing.T) {
	var last, total atomic.Int64
	dir := folder(t, map[string]string{"gateway-access.json": gatewayLog(), "cart.log": cartLog(utc)})
	_, err := flow.Investigate(context.Background(), dir, flow.Options{Progress: func(done, all int64) {
		total.Store(all)
		for old := last.Load(); done > old && !last.CompareAndSwap(old, done); old = last.Load() {
		}
	}})
	if err != nil || total.Load() == 0 || last.Load() != total.Load() {
		t.Errorf("%d of %d bytes, %v", last.Load(), total.Load(), err)
	}
}

func TestAnyNumberOfWorkersGivesTheSameBytes(t *testing.T) {
	dir := folder(t, map[string]string{"gateway-access.json": gatewayLog(), "cart.log": cartLog(utc)})
	var want string
	for _, workers := range []int{1, 2, 7} {
		o, err := flow.Investigate(context.Background(), dir, flow.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := report.JSON(&b, o.Diagnosis, report.JSONOptions{}); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = b.String()
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%d workers:\n%s", workers, d)
		}
	}
}
