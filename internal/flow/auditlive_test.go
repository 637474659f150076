package flow_test

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
)

// auditedLines are answers of a gateway: every second a 503 without Retry-After.
func auditedLines(from, n int) string {
	var b strings.Builder
	for i := range n {
		at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC).Add(time.Duration(from+i) * time.Second)
		fmt.Fprintf(&b, "10.0.0.9 - - [%s] \"GET /cart HTTP/1.1\" %d 12 \"-\" \"curl/8\" sent_http_retry_after=\"-\"\n", at.Format("02/Jan/2006:15:04:05 -0700"), 200+303*((from+i)%2))
	}
	return b.String()
}

func TestPiecesOfALogAreAuditedAsTheWhole(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s, err := spool.Open(spool.Config{Dir: t.TempDir(), SegmentAge: time.Minute, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	src := spool.Source{Name: "edge/nginx", Kind: "access"}
	for i := range 3 {
		if err := s.Append(t.Context(), src, []byte(auditedLines(i*100, 100))); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Minute)
	}
	segments := s.Segments(inquest.Window{})
	if len(segments) != 3 {
		t.Fatalf("%d segments", len(segments))
	}
	a, err := audit.New(audit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	run := func(pieces ...spool.Range) *inquest.Audit {
		t.Helper()
		out, err := flow.AuditLive(t.Context(), pieces, a, flow.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	count := func(x *inquest.Audit) (requests, failures int, places []string) {
		for _, f := range x.Findings {
			if f.Rule.ID == "status/503-without-retry-after" {
				failures += f.Count
				for _, e := range f.Examples {
					if lines, err := parse.Around(segments[0].Dir, e.Source.File, e.Source.Line, 0); err != nil || len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0]), " 503 ") {
						t.Errorf("%s:%d leads to %v, %v", e.Source.File, e.Source.Line, lines, err)
					}
					places = append(places, fmt.Sprintf("%s:%d", path.Base(e.Source.File), e.Source.Line))
				}
			}
		}
		return x.Requests, failures, places
	}
	all := func(g spool.Segment) spool.Range { return spool.Range{Segment: g, To: g.Size} }
	whole := run(all(segments[2]), all(segments[0]), all(segments[1])) // in any order
	requests, failures, _ := count(whole)
	if requests != 300 || failures != 150 || len(whole.Files) != 3 || whole.Files[0].File != "edge/nginx" {
		t.Errorf("%d requests, %d failures, files %+v", requests, failures, whole.Files)
	}
	// Cut at a line, and the rest: together they are the whole, and lines keep their numbers.
	half := segments[0].Size / 2
	line := segments[0].Size / 100
	half -= half % line
	front, back := run(spool.Range{Segment: segments[0], To: half}), run(spool.Range{Segment: segments[0], From: half, To: segments[0].Size}, all(segments[1]), all(segments[2]))
	n1, f1, _ := count(front)
	n2, f2, places := count(back)
	if n1+n2 != 300 || f1+f2 != 150 || n1 == 0 || places[0] != path.Base(segments[0].Name)+fmt.Sprintf(":%d", half/line+2-(half/line)%2) {
		t.Errorf("%d and %d requests, %d and %d failures, %v", n1, n2, f1, f2, places)
	}
	if diff := cmp.Diff(count2(a.Merge([]*inquest.Audit{front, back})), count2(a.Merge([]*inquest.Audit{whole}))); diff != "" {
		t.Error(diff)
	}
	// Cut within a line: that line is read as well.
	if n, _, _ := count(run(spool.Range{Segment: segments[1], From: 3*line + 7, To: segments[1].Size})); n != 97 {
		t.Errorf("from within the fourth line on there are %d requests, want 97", n)
	}
}

// count2 is what was found, without the examples.
func count2(a *inquest.Audit) []string {
	out := []string{fmt.Sprint(a.Requests, a.Records, len(a.Files), a.Window)}
	for _, f := range a.Findings {
		out = append(out, fmt.Sprint(f.Rule.ID, f.Service, f.Route, f.Count, f.Of, f.From, f.To))
	}
	return out
}

func TestASegmentThatIsGoneIsSaidInTheAudit(t *testing.T) {
	t.Parallel()
	a, err := audit.New(audit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	gone := spool.Segment{Source: spool.Source{Name: "nginx"}, Dir: t.TempDir(), Name: "nginx.log/nginx-20261129T120000.log", Size: 100}
	out, err := flow.AuditLive(t.Context(), []spool.Range{{Segment: gone, From: 10, To: 100}}, a, flow.Options{Workers: 1})
	if err != nil || len(out.Files) != 1 || len(out.Files[0].Notes) == 0 || out.Requests != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}
