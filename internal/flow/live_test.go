package flow_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/casestest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
)

// asServer hands the files of a case over as a server would have them: logs in the spool, in two segments each,
// metrics as series, changes as values, the alert as a hint.
func asServer(t *testing.T, folder string) (flow.Live, *spool.Spool) {
	t.Helper()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s, err := spool.Open(spool.Config{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	files, err := casestest.Files(folder)
	if err != nil {
		t.Fatal(err)
	}
	var live flow.Live
	logs, begun := map[string][][]byte{}, map[string]int64{}
	for _, f := range files {
		k := &kinds{}
		dir := t.TempDir()
		name := filepath.Base(strings.TrimSuffix(f.Name, ".gz"))
		if err := os.WriteFile(filepath.Join(dir, name), f.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		report := parse.ReadFile(context.Background(), dir, name, parse.Options{Workers: 1}, func() parse.Sink { return k })
		if k.logs == 0 && len(k.live.Series)+len(k.live.Changes) > 0 || k.hint {
			live.Series = append(live.Series, k.live.Series...)
			live.Changes = append(live.Changes, k.live.Changes...)
			if k.hint {
				live.Hint = k.live.Hint
			}
			continue
		}
		source := sourceName(f.Name, report.Format)
		if before := logs[source]; before != nil { // the pieces of one log, in their order
			pieces := [][]byte{bytes.Join(before, nil), f.Bytes}
			if k.from < begun[source] {
				slices.Reverse(pieces)
			}
			logs[source], begun[source] = parts(bytes.Join(pieces, nil), 2), min(begun[source], k.from)
			continue
		}
		logs[source], begun[source] = parts(f.Bytes, 2), k.from
	}
	for i := range 2 { // segment by segment: begun ten minutes later each
		for name, p := range logs {
			if i < len(p) {
				if err := s.Append(context.Background(), spool.Source{Name: name}, p[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		now = now.Add(10 * time.Minute)
	}
	live.Segments = s.Segments(inquest.Window{})
	return live, s
}

// sourceName is what a user calls the source of a file: a file of a folder of its own by the service, and what it holds.
func sourceName(file, format string) string {
	file = strings.TrimSuffix(file, ".gz")
	if !strings.Contains(file, "/") {
		return file
	}
	name := casefile.ServiceOf(file, format)
	if dir := filepath.Base(filepath.Dir(file)); strings.HasPrefix(dir, name) { // an instance
		name = dir
	}
	if base := filepath.Base(file); strings.Contains(base, "error") || strings.Contains(base, "access") {
		kind := "access"
		if strings.Contains(base, "error") {
			kind = "error"
		}
		return name + "-" + kind + ".log"
	}
	return name + ".log"
}

// kinds sorts what a file holds.
type kinds struct {
	mu   sync.Mutex
	from int64 // the first time, Unix ns
	logs int
	hint bool
	live flow.Live
}

func (k *kinds) Log(r *parse.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.logs++; k.from == 0 {
		k.from = r.Time
	}
}

func (k *kinds) Signal(s parse.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case s.Series != nil:
		x := *s.Series
		x.Source = inquest.Source{}
		k.live.Series = append(k.live.Series, x)
	case s.Change != nil:
		k.live.Changes = append(k.live.Changes, *s.Change)
	case s.Hint != nil:
		k.live.Hint, k.hint = *s.Hint, true
	default:
		k.logs++
	}
}

// parts cuts a text into about n parts of whole lines, none in the middle of a record that goes on on indented lines.
func parts(text []byte, n int) (out [][]byte) {
	for size := len(text)/n + 1; len(text) > 0; {
		at := min(size, len(text))
		for at < len(text) {
			i := bytes.IndexByte(text[at:], '\n')
			if i < 0 {
				at = len(text)
				break
			}
			at += i + 1
			if at == len(text) || strings.IndexByte("0123456789{[", text[at]) >= 0 { // how records begin
				break
			}
		}
		out = append(out, text[:at])
		text = text[at:]
	}
	return out
}

func TestTheServersEvidenceGivesTheVerdictOfTheFolder(t *testing.T) {
	classes := map[string]int{}
	known := open(t, "as the server has it")
	for _, c := range corpus(t) {
		class := strings.SplitN(c.Name, "/", 2)[0]
		if classes[class]++; !c.Caused() && c.Truth.IsIncident || testing.Short() && classes[class] > 1 {
			known.skip(c.Name)
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			live, _ := asServer(t, c.Folder)
			if len(live.Segments) < 2 {
				t.Fatalf("%d segments", len(live.Segments))
			}
			o, err := flow.InvestigateLive(context.Background(), live)
			if err != nil {
				t.Fatal(err)
			}
			folder := investigate(t, c.Folder)
			diff := slices.DeleteFunc(differences(folder, o.Diagnosis, true), func(what string) bool { return what == "confidence" || what == "trigger" })
			a, b := verdictOf(folder), verdictOf(o.Diagnosis)
			ta, tb := triggerOf(a), triggerOf(b)
			ta.Why, tb.Why = "", "" // names further lines where a log is cut
			if ta != tb {
				diff = append(diff, "trigger")
			}
			if math.Abs(a.Confidence-b.Confidence) > 0.05 {
				diff = append(diff, "confidence")
			}
			if len(diff) > 0 {
				t.Logf("the server: %s, confidence %.2f, trigger %+v; the folder: %s, confidence %.2f, trigger %+v", b.Culprit, b.Confidence, tb, a.Culprit, a.Confidence, ta)
			}
			known.check(t, c.Name, diff)
			quotes(t, live, o.Diagnosis)
		})
	}
}

func TestASegmentThatIsGoneIsSaid(t *testing.T) {
	t.Parallel()
	live, _ := asServer(t, "../../testdata/cases/database/down/database-does-not-answer/case")
	gone := live.Segments[1]
	if err := os.Remove(filepath.Join(gone.Dir, gone.Name)); err != nil {
		t.Fatal(err)
	}
	live.Notes = []string{"the spool has lost an hour"}
	o, err := flow.InvestigateLive(context.Background(), live)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(o.Diagnosis.Coverage.Files, func(f inquest.FileCoverage) bool { return f.File == gone.Name })
	if i < 0 || !strings.Contains(strings.Join(o.Diagnosis.Coverage.Files[i].Notes, " "), "not found") {
		t.Errorf("coverage of %s: %+v", gone.Name, o.Diagnosis.Coverage.Files)
	}
	if !slices.Contains(o.Diagnosis.Coverage.Missing, live.Notes[0]) {
		t.Errorf("missing: %v", o.Diagnosis.Coverage.Missing)
	}
}

func TestOurOwnCountsAreNoSecondWitness(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	series := func(name string) inquest.Series {
		return inquest.Series{Name: name, Labels: map[string]string{"job": "x"}, Samples: []inquest.Sample{{Time: at, Value: 1}}}
	}
	live := flow.Live{Series: []inquest.Series{series("inquest_requests_total"), series("inquest_gateway_upstream_up"), series("up")},
		Changes: []inquest.Change{{Time: at, Kind: inquest.ChangeDeploy, Service: "cart"}}}
	o, err := flow.InvestigateLive(context.Background(), live)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range o.Case.Series {
		got = append(got, s.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"inquest_gateway_upstream_up", "up"}) {
		t.Errorf("series %v", got)
	}
	if len(o.Case.Changes) != 1 || o.Case.Changes[0].Source.File != "record of changes" || live.Changes[0].Source.File != "" {
		t.Errorf("changes %+v, given %+v", o.Case.Changes, live.Changes)
	}
	if live.Series[0].Source.Metric != "" {
		t.Error("the caller's series were changed")
	}
}

func TestEdgesOfTheSettingsAreTold(t *testing.T) {
	t.Parallel()
	o, err := flow.InvestigateLive(t.Context(), flow.Live{Edges: []inquest.Edge{{From: "cart", To: "db-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(o.Case.Edges, inquest.Edge{From: "cart", To: "db-1"}) {
		t.Errorf("edges %v", o.Case.Edges)
	}
}

func TestWithoutAnythingThereIsNoIncident(t *testing.T) {
	t.Parallel()
	o, err := flow.InvestigateLive(context.Background(), flow.Live{})
	if err != nil || o.Diagnosis.Incident {
		t.Errorf("%+v, %v", o, err)
	}
}

// quotes checks that the evidence leads to the line that it quotes.
func quotes(t *testing.T, live flow.Live, d *inquest.Diagnosis) {
	t.Helper()
	quoted := 0
	for _, e := range d.Evidence {
		i := slices.IndexFunc(live.Segments, func(g spool.Segment) bool { return g.Name == e.Source.File })
		if i < 0 {
			if e.Source.Metric == "" && e.Kind != "change" {
				t.Errorf("evidence %q is from %q, which is no segment", e.Text, e.Source.File)
			}
			continue
		}
		lines, err := parse.Around(live.Segments[i].Dir, e.Source.File, e.Source.Line, 0)
		if err != nil || len(lines) == 0 {
			t.Errorf("line %d of %s: %v", e.Source.Line, e.Source.File, err)
		}
		quoted++
	}
	if quoted == 0 && d.Incident {
		t.Error("no line of a segment is quoted")
	}
}

// A server records the changes that come in as lines, those of other servers too: in the lines they are not read once more.
func TestChangesAreThoseOfTheRecord(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s, err := spool.Open(spool.Config{Dir: t.TempDir(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	line := `{"time":"2026-11-29T12:00:00Z","kind":"deploy","service":"cart","version":"2.1","summary":"coupons"}` + "\n"
	for _, src := range []spool.Source{{Name: "changes", Kind: "changes"}, {Name: "deploys.jsonl", Kind: "log"}} {
		if err := s.Append(t.Context(), src, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	segments := s.Segments(inquest.Window{})
	recorded := inquest.Change{Time: at, Kind: inquest.ChangeDeploy, Service: "cart", Version: "2.1", Summary: "coupons", Source: inquest.Source{File: segments[0].Name, Line: 1}}
	o, err := flow.InvestigateLive(t.Context(), flow.Live{Segments: segments, Changes: []inquest.Change{recorded}})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Case.Changes) != 1 || o.Case.Changes[0].Service != "cart" {
		t.Errorf("%+v, want one", o.Case.Changes)
	}
}
