package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}

func put(t *testing.T, s *sqlite.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Put(t.Context(), store.Record{Kind: "incident", ID: id, Time: noon, Body: []byte(`{"title":"checkout fails"}`)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, t.TempDir()) })
}

func TestWhatWasWrittenIsThereAfterTheNextStart(t *testing.T) {
	for _, name := range []string{"plain", "a folder", "50%25 #1?mode=memory&x", "ä☃'\"", strings.Repeat("deep/", 20)} {
		dir := filepath.Join(t.TempDir(), name)
		for i := range 3 {
			s := open(t, dir)
			for j := range i {
				if _, err := s.Get(t.Context(), "incident", fmt.Sprint(j)); err != nil {
					t.Errorf("%q: %v", name, err)
				}
			}
			put(t, s, fmt.Sprint(i))
			shut(t, s)
		}
		info, err := os.Stat(filepath.Join(dir, sqlite.File))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q: others may read the records: %s", name, info.Mode())
		}
	}
}

func TestARelativeFolderStaysWhereItWasWhenTheProcessMoves(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	s := open(t, "data")
	put(t, s, "a")
	t.Chdir(t.TempDir())
	put(t, s, "b")
	shut(t, s)
	if got, err := open(t, filepath.Join(top, "data")).List(t.Context(), store.Query{Kind: "incident"}); err != nil || len(got) != 2 {
		t.Errorf("%d records, %v, want 2", len(got), err)
	}
}

// Power cannot be cut here, so the settings on which SQLite's promise rests are looked at.
func TestEveryCommitIsSynced(t *testing.T) {
	s := open(t, t.TempDir())
	for _, c := range []struct{ pragma, want string }{{"synchronous", "2"}, {"journal_mode", "wal"}, {"busy_timeout", "10000"}} {
		for pool, db := range sqlite.Pools(s) {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s of the %s is %q, %v, want %q", c.pragma, pool, got, err, c.want)
			}
		}
	}
	_, err := sqlite.Pools(s)["reader"].ExecContext(t.Context(), "DELETE FROM records")
	if err == nil {
		t.Error("the connections for reading can write")
	}
}

func TestASecondProcessIsTurnedAwayAndTheFirstGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a")
	out, err := again(t, "open", dir).CombinedOutput()
	want := fmt.Sprintf("the data folder %s is in use by process %d: stop that one first, or give this one a folder of its own", dir, os.Getpid())
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("the second process: %v: %s\nwant %s", err, out, want)
	}
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a second store in one process: %v, want %s", err, want)
	}
	put(t, s, "b")
	shut(t, s)
	if out, err := again(t, "open", dir).CombinedOutput(); err != nil {
		t.Errorf("after the first one has ended: %v: %s", err, out)
	}
}

func TestAKilledProcessLeavesTheFolderAndItsLeasesFree(t *testing.T) {
	dir := t.TempDir()
	c := again(t, "hold", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	s := open(t, dir)
	if ok, err := s.Lead(t.Context(), "detect", "a", time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	shut(t, s)
	if ok, err := open(t, dir).Lead(t.Context(), "detect", "b", time.Hour); !ok || err != nil {
		t.Errorf("a new process waits for the lease of a dead one: %v, %v", ok, err)
	}
}

func TestAClockThatGoesBackLeavesNoTaskWithoutALeader(t *testing.T) {
	s := open(t, t.TempDir())
	for holder, hours := range map[string]int{"before a jump": 1, "before a longer one": 10_000} {
		if ok, err := s.Lead(t.Context(), "detect", holder, time.Minute); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if ok, err := s.Lead(t.Context(), "detect", "other", time.Minute); ok || err != nil {
			t.Fatalf("two leaders: %v", err)
		}
		if _, err := sqlite.Pools(s)["writer"].ExecContext(t.Context(), "UPDATE leases SET taken = taken + $1, until = until + $1", int64(hours)*3600*1e6); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Lead(t.Context(), "detect", "other", time.Minute); !ok || err != nil {
			t.Errorf("a lease of the future holds everyone: %v, %v", ok, err)
		}
		if _, err := sqlite.Pools(s)["writer"].ExecContext(t.Context(), "DELETE FROM leases"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingAcknowledgedIsLostAndNothingIsHalfWhenTheProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	for run := range kills(20) {
		c := again(t, "write", dir, fmt.Sprintf("%s=run%02d", childRun, run))
		acked = append(acked, storetest.Kill(t, c, time.Duration(rand.IntN(150))*time.Millisecond, func() error { return c.Process.Kill() })...)
		s := open(t, dir)
		storetest.Verify(t, s, acked)
		shut(t, s)
		if t.Failed() {
			t.Fatalf("after %d kills and %d acknowledged writes", run+1, len(acked))
		}
	}
	t.Logf("%d acknowledged writes", len(acked))
}

func TestANewerDatabaseIsRefusedUnlessItAllowsThisProgram(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a")
	for _, c := range []struct {
		version, oldest int
		want            string
	}{
		{2, 1, ""},
		{3, 2, "the database has schema 3, which programs that know schema 2 and up can use, and this one knows 1: start the newer release of inquest, or restore a backup"},
	} {
		if _, err := sqlite.Pools(s)["writer"].ExecContext(t.Context(), "INSERT INTO migration VALUES ($1, $2, 'of the future', 0)", c.version, c.oldest); err != nil {
			t.Fatal(err)
		}
		shut(t, s)
		next, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		if c.want == "" {
			if err != nil {
				t.Fatalf("schema %d, which allows this program: %v", c.version, err)
			}
			s = next
			put(t, s, "b")
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("schema %d: %v, want %q", c.version, err, c.want)
		}
	}
}

func TestOpenSaysWhatIsWrongWithTheFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": "not named", file: "cannot be written to", filepath.Join(file, "below"): "cannot be written to"} {
		if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", dir, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := sqlite.Open(ctx, sqlite.Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a context that has ended: %v", err)
	}
	put(t, open(t, dir), "a") // which leaves no lock behind
}

// An operator looks into the file with what every system has.
func TestRecordsAreLegibleWithPlainSQL(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, "INC-1")
	var got string
	err := sqlite.Pools(s)["reader"].QueryRowContext(t.Context(),
		"SELECT id || ' ' || datetime(time / 1000000, 'unixepoch') || ' ' || json_extract(body, '$.title') FROM records WHERE kind = 'incident'").Scan(&got)
	if d := cmp.Diff("INC-1 2026-11-29 12:00:00 checkout fails", got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

// kills are fewer in a quick run.
func kills(n int) int {
	if testing.Short() {
		return (n + 4) / 5
	}
	return n
}

func BenchmarkRecords(b *testing.B) { storetest.Bench(b, open(b, b.TempDir())) }
