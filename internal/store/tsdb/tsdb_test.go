package tsdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/storetest"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

func TestMain(m *testing.M) {
	if child(os.Args) {
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, cfg tsdb.Config) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMetrics(t *testing.T) {
	now := time.Now()
	db := open(t, tsdb.Config{Dir: t.TempDir()})
	storetest.Metrics(t, storetest.MetricsStore{Append: db, Query: db, Now: now})
}

// clock is the machine's clock, as far as the store can see.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func one(name string, at time.Time, value float64) []inquest.Series {
	return []inquest.Series{{Name: name, Samples: []inquest.Sample{{Time: at, Value: value}}}}
}

func add(t *testing.T, db *tsdb.DB, series []inquest.Series) {
	t.Helper()
	if err := db.Append(t.Context(), series); err != nil {
		t.Fatal(err)
	}
}

func stats(t *testing.T, db *tsdb.DB) tsdb.Stats {
	t.Helper()
	s, err := db.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored returns the values of a metric in the days around noon.
func stored(t *testing.T, db *tsdb.DB, selector string) []float64 {
	t.Helper()
	got, err := db.Raw(t.Context(), selector, noon.AddDate(-30, 0, 0), noon.AddDate(30, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, s := range got {
		for _, x := range s.Samples {
			out = append(out, x.Value)
		}
	}
	return out
}

func wantStored(t *testing.T, db *tsdb.DB, selector string, want ...float64) {
	t.Helper()
	if diff := cmp.Diff(want, stored(t, db, selector)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", selector, diff)
	}
}

func TestWhatIsDroppedIsCountedByReason(t *testing.T) {
	c := &clock{noon}
	db := open(t, tsdb.Config{Dir: t.TempDir(), Now: c.now})
	add(t, db, one("x", noon, 1))
	add(t, db, one("x", noon.Add(-time.Minute), 2))   // back in time
	add(t, db, one("x", noon, 3))                     // another value for that time
	add(t, db, one("y", noon.Add(-4*time.Hour), 4))   // older than anything that is still taken
	add(t, db, one("x", noon.Add(11*time.Minute), 5)) // of the future
	add(t, db, one("", noon, 6))                      // nameless
	add(t, db, one("x", noon.Add(9*time.Minute), 7))  // a clock that is a little fast
	s := stats(t, db)
	got := tsdb.Stats{OutOfOrder: s.OutOfOrder, TooOld: s.TooOld, Twice: s.Twice, Future: s.Future, Invalid: s.Invalid, Appended: s.Appended}
	if diff := cmp.Diff(tsdb.Stats{OutOfOrder: 1, TooOld: 1, Twice: 1, Future: 1, Invalid: 1, Appended: 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantStored(t, db, "x", 1, 7)
	if !s.From.Equal(noon) || !s.To.Equal(noon.Add(9*time.Minute)) || s.Series != 1 || s.Bytes == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestAClockThatRanAheadCostsNothingOfThePresent(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now})
	add(t, db, one("x", noon, 1))
	c.Time = noon.AddDate(2, 0, 0) // somebody set the clock to a year that has not come
	add(t, db, one("x", c.Time, 2))
	c.Time = noon.Add(6 * time.Minute) // and back
	add(t, db, one("x", c.Time, 3))
	wantStored(t, db, "x", 1, 3)
	if s := stats(t, db); s.Ahead < 24*time.Hour || s.TooOld+s.OutOfOrder > 0 || s.Appended != 3 {
		t.Errorf("two years ahead: stats %+v", s)
	}
	got, err := db.Instant(t.Context(), "x", c.Time)
	if err != nil || len(got) != 1 || got[0].Samples[0].Value != 3 {
		t.Errorf("x now is %v (%v), want 3", got, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, tsdb.Config{Dir: dir, Now: c.now}) // a start with the future on disk
	c.Time = noon.Add(7 * time.Minute)
	add(t, db, one("x", c.Time, 4))
	wantStored(t, db, "x", 1, 3, 4)
	c.Time = noon.AddDate(2, 0, 1) // the present has caught up
	add(t, db, one("x", c.Time, 5))
	wantStored(t, db, "x", 1, 3, 4, 5)
}

// TestAnHourThatIsLivedTwiceCountsOnce: what an hour was the first time is not mixed into what it is the second time, neither while it lasts nor later.
func TestAnHourThatIsLivedTwiceCountsOnce(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now})
	count := func(from, minutes int, value, rise float64) {
		t.Helper()
		for m := range minutes {
			c.Time = noon.Add(time.Duration(from+m) * time.Minute)
			add(t, db, []inquest.Series{{Name: "x", Samples: []inquest.Sample{{Time: c.Time, Value: value + float64(m)*rise}}}})
		}
	}
	rises := func(what string, want float64) {
		t.Helper()
		got, err := db.Instant(t.Context(), "max_over_time(rate(x[3m])[1h:1m])", c.Time)
		if err != nil || len(got) != 1 || got[0].Samples[0].Value != want {
			t.Errorf("%s: the steepest rate is %v (%v), want %g", what, got, err, want)
		}
	}
	count(0, 60, 0, 6) // a tenth a second
	rises("the first time", 0.1)
	count(-10, 60, 0, 3) // the counter begins anew
	rises("the second time", 0.05)
	for _, series := range []string{"x", `{__name__=~"x|y"}`} {
		got, err := db.Range(t.Context(), series, noon.Add(-10*time.Minute), noon.Add(time.Hour), time.Minute)
		if err != nil || len(got) != 1 || len(got[0].Samples) != 64 { // the last is seen for four minutes more
			t.Errorf("%s over both: %v (%v)", series, got, err)
		}
	}
	count(-30, 20, 0, 12) // and again, before anything that there is
	rises("the third time", 0.2)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, tsdb.Config{Dir: dir, Now: c.now})
	rises("after a restart", 0.2)
	count(-10, 90, 240, 3)
	rises("on into what is new", 0.05)
	if s := stats(t, db); s.OutOfOrder+s.TooOld+s.Twice > 0 {
		t.Errorf("stats %+v: something was dropped", s)
	}
}

func TestTheFolderOfAClockThatWasSetBackMayBeBroken(t *testing.T) {
	for _, x := range []struct {
		name, file, text string
		want             error
	}{
		{"its making was broken off", "span.json.new", "{}", nil},
		{"its span cannot be read", "span.json", "{", store.ErrCorrupt},
	} {
		dir := t.TempDir()
		again := filepath.Join(dir, "set-back")
		if err := errors.Join(os.Mkdir(again, 0o700), os.WriteFile(filepath.Join(again, x.file), []byte(x.text), 0o600)); err != nil {
			t.Fatal(err)
		}
		db, err := tsdb.Open(tsdb.Config{Dir: dir})
		if !errors.Is(err, x.want) || x.want != nil && !strings.Contains(err.Error(), again) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
		if err == nil {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAClockThatRanBehindDropsUntilItHasCaughtUp(t *testing.T) {
	c := &clock{noon}
	db := open(t, tsdb.Config{Dir: t.TempDir(), Now: c.now})
	add(t, db, one("x", noon, 1))
	c.Time = noon.Add(-5 * time.Minute) // less than what counts as a wrong clock: the usual rule of a series holds
	add(t, db, one("x", c.Time, 2))
	add(t, db, one("y", c.Time, 3)) // a new series has nothing to go back behind
	c.Time = noon.Add(time.Second)
	add(t, db, one("x", c.Time, 4))
	wantStored(t, db, "x", 1, 4)
	wantStored(t, db, "y", 3)
	if s := stats(t, db); s.OutOfOrder != 1 {
		t.Errorf("stats %+v, want one out of order", s)
	}
}

func TestRetentionByTimeLeavesThePastOfABlockOfTheFuture(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now, Retention: 24 * time.Hour})
	hours := func(from, to int) {
		for h := from; h < to; h++ {
			for m := range 6 {
				c.Time = noon.Add(time.Duration(h)*time.Hour + time.Duration(m)*10*time.Minute)
				add(t, db, one("x", c.Time, float64(h)))
			}
		}
		if err := db.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hours(0, 12)
	hours(24*365, 24*365+12) // a year ahead
	if got := stored(t, db, "x"); len(got) == 0 || got[0] != 8760 {
		t.Fatalf("the clock says that a year has passed, so the day is gone; got %v", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	c.Time = noon
	db = open(t, tsdb.Config{Dir: dir, Now: c.now, Retention: 24 * time.Hour})
	hours(0, 12)
	if got := stored(t, db, "x"); len(got) == 0 || got[0] != 0 {
		t.Errorf("a block of the future made the present too old: %v", got)
	}
}

func TestRetentionBySize(t *testing.T) {
	c := &clock{noon}
	db := open(t, tsdb.Config{Dir: t.TempDir(), Now: c.now, MaxBytes: 1}) // anything is too much
	for h := range 12 {
		c.Time = noon.Add(time.Duration(h) * time.Hour)
		add(t, db, one("x", c.Time, float64(h)))
		add(t, db, one("x", c.Time.Add(time.Minute), float64(h)))
	}
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, db, "x"); len(got) == 0 || got[0] < 6 {
		t.Errorf("no block may stay, and what is in memory must; got %v", got)
	}
}

func TestSamplesOutliveARestart(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now})
	add(t, db, one("x", noon, 1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, tsdb.Config{Dir: dir, Now: c.now})
	wantStored(t, db, "x", 1)
	if s := stats(t, db); s.Repaired || s.Ahead != 0 {
		t.Errorf("after an orderly end: %+v", s)
	}
}

func TestRunSyncsUntilItIsTold(t *testing.T) {
	db := open(t, tsdb.Config{Dir: t.TempDir(), SyncEvery: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- db.Run(ctx) }()
	for i := range 20 {
		add(t, db, one("x", time.Now(), float64(i)))
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// damage writes over the middle of the only segment of the log of writes.
func damage(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "wal", "00000000")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b)
	for end > 0 && b[end-1] == 0 { // pages are padded
		end--
	}
	for i := end / 2; i < end/2+64; i++ {
		b[i] ^= 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedLogOfWritesIsCutOffAndTold(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now})
	for i := range 200 {
		c.Time = noon.Add(time.Duration(i) * time.Second)
		add(t, db, one("x", c.Time, float64(i)))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, dir)
	db = open(t, tsdb.Config{Dir: dir, Now: c.now})
	if s := stats(t, db); !s.Repaired {
		t.Errorf("nobody is told of the damage: %+v", s)
	}
	got := stored(t, db, "x")
	if len(got) < 50 || len(got) >= 200 {
		t.Errorf("%d of 200 samples are left, want those before the damage", len(got))
	}
	c.Time = c.Time.Add(time.Second)
	add(t, db, one("x", c.Time, -1))
	if now := stored(t, db, "x"); now[len(now)-1] != -1 {
		t.Error("it takes no more samples")
	}
}

func TestADamagedBlockIsNamed(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	db := open(t, tsdb.Config{Dir: dir, Now: c.now})
	for h := range 8 {
		c.Time = noon.Add(time.Duration(h) * time.Hour)
		add(t, db, one("x", c.Time, 1))
		add(t, db, one("x", c.Time.Add(time.Minute), 2))
	}
	if err := errors.Join(db.Compact(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	indexes, err := filepath.Glob(filepath.Join(dir, "0*", "index"))
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no blocks: %v", err)
	}
	if err := os.WriteFile(indexes[0], []byte("not an index"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(os.Args[0], "open", dir).CombinedOutput()
	for _, want := range []string{"corrupt: true", filepath.Base(filepath.Dir(indexes[0])), "move the named block"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("said %s (%v), want %q in it", out, err, want)
		}
	}
}

func TestOpenSaysWhatIsWrongWithTheFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, tsdb.Config{Dir: filepath.Join(dir, "busy")})
	for name, c := range map[string]struct {
		cfg  tsdb.Config
		want string
	}{
		"none":                   {tsdb.Config{}, "set the data folder"},
		"a file":                 {tsdb.Config{Dir: file}, "not a directory"},
		"in use":                 {tsdb.Config{Dir: filepath.Join(dir, "busy")}, "another process"},
		"a retention below zero": {tsdb.Config{Dir: dir, Retention: -time.Hour}, "below zero"},
		"a size below zero":      {tsdb.Config{Dir: dir, MaxBytes: -1}, "below zero"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tsdb.Open(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestQueriesHaveABound(t *testing.T) {
	db := open(t, tsdb.Config{Dir: t.TempDir(), Timeout: time.Nanosecond})
	add(t, db, one("x", time.Now(), 1))
	if _, err := db.Instant(t.Context(), "x", time.Now()); !errors.Is(err, store.ErrQuery) {
		t.Errorf("too slow: %v, want ErrQuery", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := db.Instant(ctx, "x", time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v, want Canceled", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	db, err := tsdb.Open(tsdb.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	batch := make([]inquest.Series, 1000)
	for i := range batch {
		batch[i] = inquest.Series{Name: "inquest_requests_total", Labels: map[string]string{"service": "checkout", "route": fmt.Sprintf("GET /%d", i), "code": "200"}, Samples: make([]inquest.Sample, 1)}
	}
	at := time.Now().Add(-24 * time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(5 * time.Second)
		for i := range batch {
			batch[i].Samples[0] = inquest.Sample{Time: at, Value: float64(i)}
		}
		if err := db.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/sample")
}
