package spool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
)

// follow reads what is new, whole lines at a time, as a consumer does.
func follow(t testing.TB, r *spool.Reader, most int64) string {
	t.Helper()
	var b strings.Builder
	for _, g := range r.Next(most) {
		part := head(t, g.Segment, g.To)[g.From:]
		n := strings.LastIndexByte(part, '\n') + 1
		b.WriteString(part[:n])
		r.Done(g, g.From+int64(n))
	}
	return b.String()
}

func reader(t testing.TB, s *spool.Spool) *spool.Reader {
	t.Helper()
	r, err := s.Reader("test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReaderGetsWhatIsNewOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir, Now: c.Now, SegmentBytes: 10})
	add(t, s, "a", "1")
	r := reader(t, s)
	if _, err := s.Reader("test"); err == nil {
		t.Error("two readers of one name")
	}
	step := func(want string) {
		t.Helper()
		if got := follow(t, r, 1<<20); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if n := r.Unread(); n != 0 {
			t.Errorf("%d bytes unread", n)
		}
	}
	step("1\n")
	step("")
	add(t, s, "a", "2")
	c.add(time.Second)
	add(t, s, "b", "3")
	if n := r.Unread(); n != 4 {
		t.Errorf("%d bytes unread, want 4", n)
	}
	step("2\n3\n")
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 { // several segments
		add(t, s, "a", fmt.Sprint("line", i))
	}
	step("line0\nline1\nline2\nline3\nline4\nline5\nline6\nline7\nline8\nline9\n")

	// The process dies without saving: what was done since is read again, what was saved is not.
	_ = s.Close()
	s = open(t, spool.Config{Dir: dir, Now: c.Now, SegmentBytes: 10})
	r = reader(t, s)
	step("line0\nline1\nline2\nline3\nline4\nline5\nline6\nline7\nline8\nline9\n")
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r = reader(t, s)
	step("")
}

func TestAReaderGetsNoMoreThanItAsksFor(t *testing.T) {
	t.Parallel()
	s := open(t, spool.Config{Dir: t.TempDir()})
	line := strings.Repeat("x", 999) + "\n"
	for range 10 {
		add(t, s, "a", strings.Repeat(line, 1000))
	}
	r := reader(t, s)
	got, rounds := 0, 0
	for ; rounds < 20; rounds++ {
		n := len(follow(t, r, 1))
		if n > 4<<20 {
			t.Errorf("%d bytes at a time", n)
		}
		if got += n; n == 0 {
			break
		}
	}
	if got != 10_000_000 || rounds != 3 {
		t.Errorf("%d bytes in %d rounds", got, rounds)
	}
}

func TestWhatIsDeletedUnreadIsCounted(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, spool.Config{Dir: t.TempDir(), Now: c.Now, MaxBytes: 1000, SegmentBytes: 100})
	r := reader(t, s)
	line := strings.Repeat("x", 99)
	for range 5 {
		add(t, s, "a", line)
	}
	read := len(follow(t, r, 1<<20))
	for range 20 {
		add(t, s, "a", line)
		c.add(time.Second)
	}
	read += len(follow(t, r, 1<<20))
	st := s.Stats()
	if st.DeletedUnread == 0 || int64(read)+st.DeletedUnread != 2500 {
		t.Errorf("read %d, stats %+v", read, st)
	}
}

func TestADamagedCheckpointIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir})
	for what, text := range map[string]string{"torn": `{"version":1,"at":{"a.l`, "of a later version": `{"version":2}`, "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, ".reader-test.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reader("test"); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, name := range []string{"", "../x", "A"} {
		if _, err := s.Reader(name); err == nil {
			t.Errorf("a reader called %q", name)
		}
	}
	if n := len(s.Segments(inquest.Window{})); n != 0 {
		t.Errorf("%d segments", n)
	}
}
