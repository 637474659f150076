package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestAFullDiskIsSaidAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	var room atomic.Int64
	room.Store(12)
	disk := &spool.FaultyDisk{Write: func(f *os.File, b []byte) (int, error) {
		if n := room.Load(); int64(len(b)) > n { // part of it still fits
			k, _ := f.Write(b[:n])
			return k, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
		room.Add(-int64(len(b)))
		return f.Write(b)
	}}
	dir := t.TempDir()
	s := open(t, spool.WithDisk(spool.Config{Dir: dir}, disk))
	add(t, s, "a", "12345")
	for range 50 {
		err := s.Append(context.Background(), spool.Source{Name: "a"}, []byte("a longer line\n"))
		if !errors.Is(err, spool.ErrFull) || !strings.Contains(err.Error(), "free space") {
			t.Fatalf("full disk: %v", err)
		}
		if err := s.Append(context.Background(), spool.Source{Name: "b"}, []byte("a new source\n")); !errors.Is(err, spool.ErrFull) {
			t.Fatalf("full disk, new source: %v", err)
		}
	}
	if got := text(t, s, "a"); got != "12345\n" {
		t.Errorf("got %q", got)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	if len(files) != 1 {
		t.Errorf("attempts left files: %v", files)
	}
	if st := s.Stats(); st.RefusedFull != 100 || st.LastError == "" {
		t.Errorf("stats %+v", st)
	}
	room.Store(1000)
	add(t, s, "a", "a longer line")
	add(t, s, "b", "x")
	if got := text(t, s, "a"); got != "12345\na longer line\n" {
		t.Errorf("after there is room: %q", got)
	}
	b, err := os.ReadFile(filepath.Join(dir, s.Segments(inquest.Window{})[0].Name))
	if err != nil || string(b) != "12345\na longer line\n" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestAFailedFsyncIsNotTrustedAgain(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	disk := &spool.FaultyDisk{Sync: func(string) error {
		if broken.Load() {
			return syscall.EIO
		}
		return nil
	}}
	c := newClock()
	s := open(t, spool.WithDisk(spool.Config{Dir: t.TempDir(), Now: c.Now}, disk))
	add(t, s, "a", "first")
	broken.Store(true)
	for range 3 {
		if err := s.Append(context.Background(), spool.Source{Name: "a"}, []byte("lost\n")); !errors.Is(err, syscall.EIO) {
			t.Fatalf("got %v", err)
		}
	}
	broken.Store(false)
	c.add(time.Second)
	add(t, s, "a", "second")
	if got := text(t, s, "a"); got != "first\nsecond\n" {
		t.Errorf("got %q", got)
	}
	if n := len(s.Segments(inquest.Window{})); n != 2 {
		t.Errorf("%d segments, want a new one after the failure", n)
	}
}

func TestASegmentThatCannotBeCutIsLeftBehind(t *testing.T) {
	t.Parallel()
	bad := true
	disk := &spool.FaultyDisk{
		Write: func(f *os.File, b []byte) (int, error) {
			if strings.HasPrefix(string(b), "bad") && bad {
				n, _ := f.Write(b[:2])
				return n, syscall.EIO
			}
			return f.Write(b)
		},
		Cut: func(string) error { return syscall.EIO },
	}
	dir := t.TempDir()
	s := open(t, spool.WithDisk(spool.Config{Dir: dir}, disk))
	add(t, s, "a", "good")
	if err := s.Append(context.Background(), spool.Source{Name: "a"}, []byte("bad\n")); err == nil {
		t.Error("no error")
	}
	add(t, s, "a", "better")
	if got := text(t, s, "a"); got != "good\nbetter\n" {
		t.Errorf("got %q", got)
	}
	_ = s.Close()
	if got := text(t, open(t, spool.Config{Dir: dir}), "a"); got != "good\nbetter\n" {
		t.Errorf("opened again: %q", got)
	}
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var readOnly atomic.Bool
	readOnly.Store(true)
	disk := &spool.FaultyDisk{Open: func(path string, _ bool) error {
		if readOnly.Load() {
			return &os.PathError{Op: "open", Path: path, Err: syscall.EROFS}
		}
		return nil
	}}
	s := open(t, spool.WithDisk(spool.Config{Dir: t.TempDir()}, disk))
	err := s.Append(context.Background(), spool.Source{Name: "a"}, []byte("x\n"))
	if !errors.Is(err, spool.ErrReadOnly) || !strings.Contains(err.Error(), "mount it for writing") {
		t.Errorf("got %v", err)
	}
	readOnly.Store(false)
	add(t, s, "a", "x")

	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(spool.Config{Dir: filepath.Join(blocked, "spool")}); err == nil {
		t.Error("a folder below a file was opened")
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 { // root may write anywhere
		if _, err := spool.Open(spool.Config{Dir: locked}); !errors.Is(err, spool.ErrReadOnly) {
			t.Errorf("read-only folder: %v", err)
		}
	}
	if _, err := spool.Open(spool.Config{}); err == nil {
		t.Error("no folder was opened")
	}
	if _, err := spool.Open(spool.Config{Dir: t.TempDir(), MaxBytes: -1}); err == nil {
		t.Error("a negative limit was taken")
	}
}

func TestTheOldestGoWhenThereAreTooManyBytes(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, spool.Config{Dir: t.TempDir(), Now: c.Now, MaxBytes: 8000, SegmentBytes: 400})
	line := strings.Repeat("x", 99)
	for i := range 200 {
		add(t, s, fmt.Sprint("s", i%3), line)
		c.add(time.Second)
		if st := s.Stats(); st.Bytes > 8000 {
			t.Fatalf("%d bytes", st.Bytes)
		}
	}
	st := s.Stats()
	if st.Bytes+st.DeletedBySize != 20_000 || st.DeletedByAge != 0 || st.Deleted == 0 || st.Appended != 20_000 {
		t.Errorf("stats %+v", st)
	}
	oldest := c.Now()
	for _, g := range s.Segments(inquest.Window{}) {
		if g.Start.Before(oldest) {
			oldest = g.Start
		}
	}
	if age := c.Now().Sub(oldest); age > 90*time.Second {
		t.Errorf("the oldest segment is %s old", age)
	}
	if !st.DeletedTo.Before(oldest) || c.Now().Sub(st.DeletedTo) > 2*time.Minute {
		t.Errorf("deleted to %s, and the oldest that is kept is of %s", st.DeletedTo, oldest)
	}
}

func TestTheOldGoByAge(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir, Now: c.Now, MaxAge: time.Hour})
	add(t, s, "gone", "x")
	add(t, s, "stays", "1")
	c.add(40 * time.Minute)
	add(t, s, "stays", "2")
	c.add(40 * time.Minute)
	for range 30 {
		s.Sweep()
	}
	if got := text(t, s, "stays"); got != "2\n" {
		t.Errorf("got %q", got)
	}
	if st := s.Stats(); st.DeletedByAge != 4 || st.Sources != 1 {
		t.Errorf("stats %+v", st)
	}
	if _, err := os.Stat(filepath.Join(dir, "gone.log")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a source without lines: %v", err)
	}
	add(t, s, "gone", "again")
	if got := text(t, s, "gone"); got != "again\n" {
		t.Errorf("got %q", got)
	}
}

func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir, Now: c.Now})
	r, err := s.Reader("test")
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, "a", "before")
	c.add(365 * 24 * time.Hour)
	for range 9 { // ahead for less than ten minutes
		s.Sweep()
	}
	add(t, s, "a", "ahead")
	c.add(-365 * 24 * time.Hour)
	s.Sweep()
	add(t, s, "a", "right again")
	c.add(-48 * time.Hour)
	add(t, s, "a", "behind")
	c.add(48*time.Hour + time.Minute)
	add(t, s, "a", "and right")
	const want = "before\nahead\nright again\nbehind\nand right\n"
	if got := text(t, s, "a"); got != want {
		t.Errorf("got %q", got)
	}
	if got := follow(t, r, 1<<20); got != want {
		t.Errorf("the reader got %q", got)
	}
	today := inquest.Window{From: c.Now().Add(-time.Hour), To: c.Now().Add(time.Hour)}
	var b strings.Builder
	for _, g := range s.Segments(today) {
		b.WriteString(head(t, g, g.Size))
	}
	for _, line := range []string{"before", "right again", "and right"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("%q was written today and is not in today's segments", line)
		}
	}
	// What was stamped in the future goes a day after the clock was right, not in a year.
	c.add(25 * time.Hour)
	for range 10 {
		s.Sweep()
	}
	if n := len(s.Segments(inquest.Window{})); n != 0 {
		t.Errorf("%d segments are left", n)
	}
	add(t, s, "a", "next day")
	_ = s.Close()
	again := open(t, spool.Config{Dir: dir, Now: c.Now})
	if got := text(t, again, "a"); got != "next day\n" {
		t.Errorf("opened again: %q", got)
	}
}
