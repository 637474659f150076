package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestWhatIsAppendedIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir})
	add(t, s, "checkout", "one", "two")
	add(t, s, "checkout", "three\n")
	add(t, s, "gateway", "GET / 200")
	if err := s.Append(context.Background(), spool.Source{Name: "checkout"}, nil); err != nil {
		t.Errorf("nothing appended: %v", err)
	}
	for name, want := range map[string]string{"checkout": "one\ntwo\nthree\n", "gateway": "GET / 200\n"} {
		if diff := cmp.Diff(want, text(t, s, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(context.Background(), spool.Source{Name: "checkout"}, []byte("x\n")); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("append after Close: %v", err)
	}
	again := open(t, spool.Config{Dir: dir})
	add(t, again, "checkout", "four")
	if diff := cmp.Diff("one\ntwo\nthree\nfour\n", text(t, again, "checkout")); diff != "" {
		t.Errorf("after opening again (-want +got):\n%s", diff)
	}
	if n := len(again.Segments(inquest.Window{})); n != 2 {
		t.Errorf("%d segments, want the 2 from before, written on", n)
	}
}

func TestKindsOfOneNameAreFilesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := open(t, spool.Config{Dir: t.TempDir(), Now: newClock().Now})
	for _, kind := range []string{"", "otlp-spans"} {
		if err := s.Append(context.Background(), spool.Source{Name: "checkout", Kind: kind}, []byte("x\n")); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"checkout.log/checkout-20261129T143000.log", "checkout.otlp-spans/checkout-20261129T143000.log"}
	if diff := cmp.Diff(want, names(s.Segments(inquest.Window{}))); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
}

func TestASegmentIsFollowedByANewOne(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, spool.Config{Dir: t.TempDir(), Now: c.Now, SegmentBytes: 10})
	add(t, s, "a", "12345678")
	add(t, s, "a", "0") // 11 bytes: too large
	c.add(9 * time.Minute)
	add(t, s, "a", "1")
	c.add(2 * time.Minute)
	add(t, s, "a", "2") // 11 minutes: too old
	want := []string{"a.log/a-20261129T143000.log", "a.log/a-20261129T143001.log", "a.log/a-20261129T144100.log"}
	got := s.Segments(inquest.Window{})
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Fatalf("segments (-want +got):\n%s", diff)
	}
	if got[1].Size != 4 || !got[1].End.Equal(got[1].Start.Add(9*time.Minute)) {
		t.Errorf("second segment: %+v", got[1])
	}
	window := func(from, to int) inquest.Window {
		at := func(m int) time.Time { return time.Date(2026, 11, 29, 14, 30+m, 0, 0, time.UTC) }
		return inquest.Window{From: at(from), To: at(to)}
	}
	for w, want := range map[inquest.Window]int{window(-9, -1): 0, window(-1, 1): 2, window(5, 6): 1, window(9, 12): 2, window(12, 20): 0} {
		if n := len(s.Segments(w)); n != want {
			t.Errorf("%d segments in %v, want %d", n, w, want)
		}
	}
}

func TestEachSegmentOfALogBeginsWithItsHeader(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	const header = "#Version: 1.0\n#Fields: date time cs-uri\n"
	s := open(t, spool.Config{Dir: dir, Now: c.Now, SegmentBytes: 60})
	line := strings.Repeat("x", 30) + "\n"
	add(t, s, "iis", header+line)
	add(t, s, "iis", line)
	add(t, s, "mysql", "# Time: 2026-11-29\n"+line)
	add(t, s, "mysql", line+line)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, spool.Config{Dir: dir, Now: c.Now, SegmentBytes: 60})
	add(t, s, "iis", line)
	add(t, s, "iis", "#Version: 2.0\n"+line)
	add(t, s, "iis", line)
	const later = "#Version: 2.0\n"
	if diff := cmp.Diff(header+line+header+line+header+line+later+line+later+line, text(t, s, "iis")); diff != "" {
		t.Errorf("iis (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("# Time: 2026-11-29\n"+line+line+line, text(t, s, "mysql")); diff != "" {
		t.Errorf("a record that begins with # is no header (-want +got):\n%s", diff)
	}
	if st := s.Stats(); st.Appended != int64(3*len(line)+len(later)) || st.Lines != 4 {
		t.Errorf("the header is no line that was received: %+v", st)
	}
}

func TestATornLastLineIsCutWhenTheSpoolIsOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir})
	add(t, s, "a", "whole", "lines")
	name := s.Segments(inquest.Window{})[0].Name
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, tail := range map[string]string{"half a line": "half a li", "zeros after a loss of power": strings.Repeat("\x00", 200_000), "nothing": ""} {
		t.Run(what, func(t *testing.T) {
			f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(tail); err != nil {
				t.Fatal(err)
			}
			f.Close()
			s, err := spool.Open(spool.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if got := text(t, s, "a"); got != "whole\nlines\n" {
				t.Errorf("got %.40q", got)
			}
			if st, _ := os.Stat(filepath.Join(dir, name)); st.Size() != int64(len("whole\nlines\n")) {
				t.Errorf("the file has %d bytes", st.Size())
			}
			if got := s.Stats().Torn; got != int64(len(tail)) {
				t.Errorf("Torn = %d, want %d", got, len(tail))
			}
		})
	}
}

func TestASegmentOfNothingButATornLineGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.log"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.log", "a-20261129T143000.log")
	if err := os.WriteFile(path, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, spool.Config{Dir: dir})
	if n := len(s.Segments(inquest.Window{})); n != 0 {
		t.Errorf("%d segments", n)
	}
	add(t, s, "a", "x") // must not fall over what is left
	if got := text(t, s, "a"); got != "x\n" {
		t.Errorf("got %q", got)
	}
}

func TestFilesOfOthersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"README", "a.log/notes.txt", "no-kind/a-20261129T143000.log", "a%2.log/a-20261129T143000.log", ".hidden/x.log", "a%2fb.log/a-20261129T143000.log"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("torn"), 0o644); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if b, err := os.ReadFile(path); err != nil || string(b) != "torn" {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}()
	}
	s := open(t, spool.Config{Dir: dir})
	if st := s.Stats(); st.Segments != 0 || st.Torn != 0 {
		t.Errorf("taken for segments: %+v", st)
	}
}

func TestTwoProcessesMustNotShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, spool.Config{Dir: dir})
	if s, err := spool.Open(spool.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open: %v, %v", s, err)
	}
}

func TestConcurrentAppendsShareCommits(t *testing.T) {
	t.Parallel()
	var syncs atomic.Int64
	disk := &spool.FaultyDisk{Sync: func(path string) error { syncs.Add(1); time.Sleep(2 * time.Millisecond); return nil }}
	s := open(t, spool.WithDisk(spool.Config{Dir: t.TempDir(), SegmentBytes: 4 << 10}, disk))
	const appenders, each = 32, 50
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				if err := s.Append(context.Background(), spool.Source{Name: fmt.Sprint("s", a%4)}, fmt.Appendf(nil, "%d %d", a, i)); err != nil {
					t.Error(err)
				}
				_ = s.Segments(inquest.Window{})
				_ = s.Stats()
			}
		})
	}
	wg.Wait()
	st := s.Stats()
	if st.Lines != appenders*each {
		t.Errorf("%d lines, want %d", st.Lines, appenders*each)
	}
	if st.Commits > appenders*each/4 {
		t.Errorf("%d commits for %d appends: they did not share", st.Commits, appenders*each)
	}
	if n := syncs.Load(); n > st.Commits*6+20 {
		t.Errorf("%d fsyncs for %d commits of at most 4 files", n, st.Commits)
	}
	for k := range 4 { // each appender's lines are in its order
		next := map[string]int{}
		for l := range strings.Lines(text(t, s, fmt.Sprint("s", k))) {
			a, i, _ := strings.Cut(strings.TrimSpace(l), " ")
			if fmt.Sprint(next[a]) != i {
				t.Fatalf("appender %s: line %s, want %d", a, i, next[a])
			}
			next[a]++
		}
	}
}

func TestAnAppenderThatGivesUpReturns(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	disk := &spool.FaultyDisk{Sync: func(string) error { <-release; return nil }}
	s := open(t, spool.WithDisk(spool.Config{Dir: t.TempDir()}, disk))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Append(ctx, spool.Source{Name: "a"}, []byte("x\n")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// The disk hangs: what may wait in memory is bounded.
	ctx, cancel = context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	big := make([]byte, 20<<20)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := s.Append(ctx, spool.Source{Name: "a"}, big); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	close(release)
	add(t, s, "a", "y")
	if got := s.Stats().Appended; got > 64<<20+10 {
		t.Errorf("%d bytes had waited", got)
	}
}

func TestManySourcesKeepFewFilesOpen(t *testing.T) {
	t.Parallel()
	sources := 10_000
	if testing.Short() {
		sources = 500
	}
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir, MaxOpen: 100})
	for round := range 2 {
		var wg sync.WaitGroup
		for k := range 8 {
			wg.Go(func() {
				for i := k; i < sources; i += 8 * 50 { // in groups, as a receiver has them
					var in sync.WaitGroup
					for n := i; n < min(i+8*50, sources); n += 8 {
						in.Go(func() { add(t, s, fmt.Sprint("service-", n), fmt.Sprint(round)) })
					}
					in.Wait()
				}
			})
		}
		wg.Wait()
		if n := s.Opened(); n > 100 {
			t.Errorf("%d files open", n)
		}
	}
	if st := s.Stats(); st.Sources != sources || st.Lines != int64(2*sources) || st.Segments != sources {
		t.Errorf("stats %+v", st)
	}
	if got := text(t, s, "service-77"); got != "0\n1\n" {
		t.Errorf("service-77 has %q", got)
	}
}

func TestSourcesOfAnyName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Repeat("x", 5000)
	hostile := []string{"..", ".", "../../etc/passwd", "/etc/passwd", "a/b", "a_b", "a%2Fb", "-rf", "a\x00b", "a\nb", "ü", "日本", "\xff\xfe", "CON", "a.log", ".lock",
		".reader-rates.json", strings.Repeat("/", 300), long + "1", long + "2", strings.Repeat("ü", 200), "a~b", " ", "checkout.log/../x", "A", "a"}
	s := open(t, spool.Config{Dir: dir})
	for _, name := range hostile {
		add(t, s, name, fmt.Sprintf("%q", name))
	}
	check := func(s *spool.Spool) {
		t.Helper()
		got := map[string]bool{}
		for _, g := range s.Segments(inquest.Window{}) {
			rel, err := filepath.Rel(dir, filepath.Join(dir, g.Name))
			if err != nil || strings.HasPrefix(rel, "..") || strings.Count(rel, "/") != 1 {
				t.Errorf("%q lies at %q", g.Source.Name, rel)
			}
			if text := head(t, g, g.Size); text != fmt.Sprintf("%q\n", g.Source.Name) && len(text) < 200 {
				t.Errorf("segment of %q holds %q", g.Source.Name, text)
			} else {
				got[text] = true
			}
		}
		if len(got) != len(hostile) {
			t.Errorf("%d sources, want %d", len(got), len(hostile))
		}
	}
	check(s)
	_ = s.Close()
	again := open(t, spool.Config{Dir: dir})
	check(again)
	add(t, again, long+"1", "on")
	if n := len(again.Segments(inquest.Window{})); n != len(hostile) {
		t.Errorf("%d segments: the long name was not found again", n)
	}
	for _, bad := range []spool.Source{{}, {Name: "a", Kind: "Log"}, {Name: "a", Kind: "../x"}, {Name: "a", Kind: strings.Repeat("k", 33)}} {
		if err := again.Append(context.Background(), bad, []byte("x\n")); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
