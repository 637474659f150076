package flow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/spool"
)

// filled is a spool of two sources with a segment each minute; the request sought is in the segments of minute 3.
func filled(t testing.TB, minutes, lines int) []spool.Segment {
	t.Helper()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s, err := spool.Open(spool.Config{Dir: t.TempDir(), Now: func() time.Time { return now }, SegmentAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for m := range minutes {
		var access, app strings.Builder
		for i := range lines {
			at := now.Add(time.Duration(i) * time.Minute / time.Duration(lines)).Format("2006-01-02T15:04:05.000Z")
			id := fmt.Sprintf("req-%08x%08x", rand.Uint32(), rand.Uint32())
			status, extra := 200, ""
			if m == 3 && i == lines/2 {
				id, status, extra = "req-sought-1234", 500, ` error_id=ERR-7KQ2-M4XA`
				fmt.Fprintf(&app, "%s ERROR cart failed request_id=%s%s\njava.lang.IllegalStateException: no price\n\tat com.shop.Cart.total(Cart.java:7)\n", at, id, extra)
			}
			fmt.Fprintf(&access, `{"time":%q,"method":"GET","uri":"/cart/%d","status":%d,"request_time":0.1,"request_id":%q,"remote_addr":"10.0.0.1"}`+"\n", at, i, status, id)
			fmt.Fprintf(&app, "%s INFO served request_id=%s\n", at, id)
		}
		for name, b := range map[string]string{"nginx": access.String(), "cart": app.String()} {
			if err := s.Append(context.Background(), spool.Source{Name: name}, []byte(b)); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Minute)
	}
	return s.Segments(inquest.Window{})
}

func TestARequestIsFoundInTheSpool(t *testing.T) {
	t.Parallel()
	segments := filled(t, 6, 500)
	for _, id := range []string{"req-sought-1234", "ERR-7KQ2-M4XA"} {
		trace, err := flow.LookupLive(context.Background(), segments, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range trace.Records {
			file, line := f.File, f.Record.Line
			got = append(got, fmt.Sprint(f.Service, " ", f.Layer, " ", f.Record.Status, " ", strings.Contains(f.Record.Message, "no price")))
			text, err := os.ReadFile(filepath.Join(segments[0].Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if quoted := strings.Split(string(text), "\n")[line-1]; !strings.Contains(quoted, "req-sought-1234") {
				t.Errorf("%s:%d is %q", file, line, quoted)
			}
		}
		want := []string{"cart application 0 true", "cart application 0 false", "nginx response 500 false"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if !trace.Back.IsZero() || trace.Omitted != 0 {
			t.Errorf("%s: back %v, omitted %d", id, trace.Back, trace.Omitted)
		}
	}
	trace, err := flow.LookupLive(context.Background(), segments, "req-never-was")
	if err != nil || len(trace.Records) != 0 || !trace.Back.IsZero() {
		t.Errorf("an id that is nowhere: %+v, %v", trace, err)
	}
	if _, err := flow.LookupLive(context.Background(), segments, "x"); err == nil {
		t.Error("an id of one letter was looked for")
	}
}

func TestALookUpThatRunsOutOfTimeSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	segments := filled(t, 6, 50)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	trace, err := flow.LookupLive(ctx, segments, "req-sought-1234")
	if err != nil || len(trace.Records) != 0 || !trace.Back.Equal(segments[len(segments)-1].End) {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestASegmentThatGoesWhileItIsSoughtInIsPassedOver(t *testing.T) {
	t.Parallel()
	segments := filled(t, 6, 50)
	for _, g := range segments {
		if strings.HasSuffix(g.Name, "T120500.log") {
			if err := os.Remove(filepath.Join(g.Dir, g.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	trace, err := flow.LookupLive(context.Background(), segments, "req-sought-1234")
	if err != nil || len(trace.Records) != 3 {
		t.Errorf("%+v, %v", trace, err)
	}
}

func TestAnIDOnEveryLineIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s, err := spool.Open(spool.Config{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	line := `{"time":"2026-11-29T12:00:00Z","level":"error","msg":"again","request_id":"req-sought-1234"}` + "\n"
	if err := s.Append(context.Background(), spool.Source{Name: "cart"}, []byte(strings.Repeat(line, 20_000))); err != nil {
		t.Fatal(err)
	}
	trace, err := flow.LookupLive(context.Background(), s.Segments(inquest.Window{}), "req-sought-1234")
	if err != nil || len(trace.Records) != 500 || trace.Omitted == 0 {
		t.Errorf("%d records, %d omitted, %v", len(trace.Records), trace.Omitted, err)
	}
}

func TestAnIDIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	const chunk = 128 << 10 // what is searched at a time
	for _, at := range []int{0, 1, chunk - 20, chunk - 15, chunk - 8, chunk - 1, chunk, chunk + 1, 2*chunk - 23} {
		s, err := spool.Open(spool.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("2026-11-29T12:00:00Z INFO ok\n", chunk)[:at]
		if i := strings.LastIndexByte(text, '\n') + 1; i < len(text) { // no half time before it
			text = text[:i] + strings.Repeat("x", len(text)-i)
		}
		if err := s.Append(context.Background(), spool.Source{Name: "cart"}, []byte(text+"req-sought-1234 failed\n2026-11-29T12:00:01Z INFO ok\n")); err != nil {
			t.Fatal(err)
		}
		trace, err := flow.LookupLive(context.Background(), s.Segments(inquest.Window{}), "req-sought-1234")
		if err != nil || len(trace.Records) != 1 {
			t.Errorf("at byte %d: %+v, %v", at, trace, err)
		}
		_ = s.Close()
	}
}

// BenchmarkLookupLive looks for an id in the oldest of 60 segments, 100 MB in all; cpu-ms/op is processor time.
func BenchmarkLookupLive(b *testing.B) {
	segments := filled(b, 30, 15_000)
	size := int64(0)
	for _, g := range segments {
		size += g.Size
	}
	b.SetBytes(size)
	start := cpuTime()
	for b.Loop() {
		trace, err := flow.LookupLive(context.Background(), segments, "ERR-7KQ2-M4XA")
		if err != nil || len(trace.Records) != 3 {
			b.Fatalf("%+v, %v", trace, err)
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
