package spool_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SPOOL_TEST_WRITER"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 29, 14, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t testing.TB, cfg spool.Config) *spool.Spool {
	t.Helper()
	s, err := spool.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t testing.TB, s *spool.Spool, name string, lines ...string) {
	t.Helper()
	if err := s.Append(context.Background(), spool.Source{Name: name}, []byte(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
}

// text is what the segments of a source hold, in order.
func text(t testing.TB, s *spool.Spool, name string) string {
	t.Helper()
	var b strings.Builder
	for _, g := range s.Segments(inquest.Window{}) {
		if g.Source.Name == name {
			b.WriteString(head(t, g, g.Size))
		}
	}
	return b.String()
}

// head is the first n bytes of a segment.
func head(t testing.TB, g spool.Segment, n int64) string {
	t.Helper()
	p, err := os.ReadFile(filepath.Join(g.Dir, filepath.FromSlash(g.Name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

func names(segments []spool.Segment) (out []string) {
	for _, g := range segments {
		out = append(out, g.Name)
	}
	return out
}
