package tail_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("TAIL_TEST_FOLLOWER"); dir != "" {
		followUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// memory is a spool that remembers, and fails as long as it is told to.
type memory struct {
	mu    sync.Mutex
	lines map[string][]string
	fail  error
	calls int
	most  int // bytes of the largest piece
}

func (m *memory) Append(ctx context.Context, src spool.Source, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	m.most = max(m.most, len(lines))
	if m.fail != nil {
		return m.fail
	}
	if m.lines == nil {
		m.lines = map[string][]string{}
	}
	m.lines[src.Name] = append(m.lines[src.Name], strings.Split(strings.TrimSuffix(string(lines), "\n"), "\n")...)
	return ctx.Err()
}

func (m *memory) of(source string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.lines[source], " ")
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

type world struct {
	t    *testing.T
	dir  string
	mem  *memory
	cfg  tail.Config
	tail *tail.Tail
	stop func()
}

// follow begins to follow files in a new folder; what is there when the test begins counts.
func follow(t *testing.T, glob string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, mem: &memory{}}
	w.cfg = tail.Config{Targets: []tail.Target{{Glob: filepath.Join(dir, glob), FromStart: true}}, Spool: w.mem, Checkpoint: filepath.Join(t.TempDir(), "tail.json"),
		Poll: 10 * time.Millisecond, Grace: 150 * time.Millisecond}
	t.Cleanup(func() { w.end() })
	return w
}

func (w *world) start() {
	w.t.Helper()
	var err error
	if w.tail, err = tail.New(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.tail.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) end() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

func (w *world) write(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		w.t.Fatal(err)
	}
}

// copyTruncate is what logrotate's copytruncate does.
func (w *world) copyTruncate(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, from))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, to), b, 0o600)
	}
	if err == nil {
		err = os.Truncate(filepath.Join(w.dir, from), 0)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// want waits until the spool has the lines, and a little longer for lines that it must not have.
func (w *world) want(source, lines string) {
	w.t.Helper()
	w.until(func() bool { return w.mem.of(source) == lines })
	time.Sleep(40 * time.Millisecond)
	if got := w.mem.of(source); got != lines {
		w.t.Fatalf("%s: %q in the spool, want %q; %+v", source, got, lines, w.tail.Stats())
	}
}

func (w *world) until(ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && !ok(); {
		time.Sleep(5 * time.Millisecond)
	}
}
