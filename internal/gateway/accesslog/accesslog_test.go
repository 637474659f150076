package accesslog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/gateway/accesslog"
)

func full() accesslog.Entry {
	return accesslog.Entry{
		Time: time.Date(2026, 3, 14, 9, 0, 0, 5000, time.UTC), RequestID: "r1", TraceID: "t1", ErrorID: "ERR-1", Client: "192.0.2.7", Method: "GET", Host: "shop",
		URI: "/a?b=\"c\"", Protocol: "HTTP/1.1", Route: "web", Service: "shop", Status: 502, Reason: "cut", Detail: "EOF", Upstream: "10.0.0.1:80", Answered: 200,
		Attempts: 2, Rule: "r", Would: "w", Cause: "refused", Sent: 10, Read: 3, Duration: 1500 * time.Microsecond, Waited: time.Millisecond, UserAgent: "ua", Referer: "ref",
	}
}

func TestALineHasEverything(t *testing.T) {
	e := full()
	var got map[string]any
	if err := json.Unmarshal(e.Append(nil), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"time": "2026-03-14T09:00:00.000005Z", "status": 502.0, "method": "GET", "host": "shop", "request_uri": `/a?b="c"`, "reason": "cut", "upstream_addr": "10.0.0.1:80",
		"upstream_status": 200.0, "attempts": 2.0, "request_id": "r1", "trace_id": "t1", "error_id": "ERR-1", "bytes_sent": 10.0, "request_bytes": 3.0, "duration_s": 0.0015,
		"upstream_duration_s": 0.001, "remote_addr": "192.0.2.7", "protocol": "HTTP/1.1", "route_name": "web", "upstream_name": "shop", "rule": "r", "would": "w", "cause": "refused",
		"error": "EOF", "user_agent": "ua", "referer": "ref",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatIsEmptyIsLeftOut(t *testing.T) {
	e := accesslog.Entry{Status: 200, Waited: -1}
	want := `{"time":"0001-01-01T00:00:00.000000Z","status":200,"attempts":0,"bytes_sent":0,"duration_s":0}` + "\n"
	if got := string(e.Append(nil)); got != want {
		t.Errorf("got %s", got)
	}
}

// Whatever a client writes into its headers, a line is one line of JSON that says it.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"", "a", "\"", "\\", "\n\r\t", "\x00\x1f\x7f", "é", "\xff\xfe", strings.Repeat("x", 5000), "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := accesslog.Entry{UserAgent: s, URI: s}
		b := e.Append(nil)
		if n := strings.Count(string(b), "\n"); n != 1 {
			t.Fatalf("%d lines: %q", n, b)
		}
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		if ua, _ := got["user_agent"].(string); len(s) <= 2000 && ua != strings.ToValidUTF8(s, "\ufffd") && strings.Count(ua, "\ufffd") == 0 {
			t.Fatalf("%q became %q", s, ua)
		}
	})
}

func open(t *testing.T, c accesslog.Config) *accesslog.Writer {
	t.Helper()
	w, err := accesslog.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func count(t *testing.T, pattern string) (lines, files int) {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(b), "\n")
	}
	return lines, len(all)
}

func TestLinesAreWrittenWithinTheFlushTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	w := open(t, accesslog.Config{File: file, Flush: 10 * time.Millisecond})
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	e := full()
	w.Write(&e)
	for range 500 {
		if n, _ := count(t, file); n == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the line was not written")
}

func TestRotationBySizeKeepsEveryLineAndSoManyFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	w := open(t, accesslog.Config{File: file, MaxSize: 3000, Keep: 100, Flush: time.Hour})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				e := full()
				w.Write(&e)
				if err := w.Sync(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if lines, files := count(t, file+"*"); lines != 200 || files < 10 {
		t.Errorf("%d lines in %d files", lines, files)
	}
	w = open(t, accesslog.Config{File: file, MaxSize: 1, Keep: 3, Flush: time.Hour})
	for range 3 {
		w.WriteLine([]byte("x"))
		time.Sleep(2 * time.Millisecond)
		if err := w.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, files := count(t, file+".*"); files != 3 {
		t.Errorf("%d rotated files, 3 are to stay", files)
	}
}

// In a bubble, where no time passes but what the test sleeps: on a slow machine the closing would rotate once more.
func TestRotationByAge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	synctest.Test(t, func(t *testing.T) {
		w := open(t, accesslog.Config{File: file, MaxAge: time.Hour, Flush: 24 * time.Hour})
		write := func(after time.Duration) {
			t.Helper()
			w.WriteLine([]byte("x"))
			time.Sleep(after)
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		write(time.Hour)                   // into a new file, however late
		write(59 * time.Minute)            // old enough since the file was opened: goes into a second
		write(time.Hour - time.Nanosecond) // not yet
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if lines, files := count(t, file+"*"); lines != 3 || files != 2 {
			t.Errorf("%d lines in %d files", lines, files)
		}
	})
}

func TestReopenGoesOnInANewFileAfterTheOldOneWasMoved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	w := open(t, accesslog.Config{File: file, Flush: time.Hour})
	w.WriteLine([]byte("one"))
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	w.WriteLine([]byte("two"))
	if err := w.Reopen(); err != nil {
		t.Fatal(err)
	}
	w.WriteLine([]byte("three"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	old, _ := os.ReadFile(file + ".1")
	now, _ := os.ReadFile(file)
	if string(old) != "one\ntwo\n" || string(now) != "three\n" {
		t.Errorf("old %q, new %q", old, now)
	}
}

func TestALineThatAKilledProcessLeftIsEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	for before, want := range map[string]string{"one\ntw": "one\ntw\nthree\n", "one\ntwo\n": "one\ntwo\nthree\n", "": "three\n"} {
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		w := open(t, accesslog.Config{File: file})
		w.WriteLine([]byte("three"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("after %q: %q, %v", before, got, err)
		}
	}
}

// A limit on a file's size stands for a disk that is full in the middle of a write.
func TestALineThatAFullDiskCutIsEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	small := was
	small.Cur = 6
	w := open(t, accesslog.Config{File: file, Flush: time.Hour})
	w.WriteLine([]byte("one"))
	w.WriteLine([]byte("two"))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := w.Sync()
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); back != nil {
		t.Fatal(back)
	}
	if !errors.Is(err, syscall.EFBIG) || w.Lost() != 1 {
		t.Errorf("%v, %d lines lost", err, w.Lost())
	}
	w.WriteLine([]byte("three"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "one\ntw\nthree\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// /dev/full is a disk without room.
func TestADiskThatIsFullLosesLinesAndSaysSo(t *testing.T) {
	var mu sync.Mutex
	var told []error
	w := open(t, accesslog.Config{File: "/dev/full", MaxSize: -1, Flush: time.Millisecond, OnError: func(err error, _ int64) { mu.Lock(); told = append(told, err); mu.Unlock() }})
	for i := range 3000 {
		w.WriteLine([]byte(fmt.Sprint(i)))
	}
	begun := time.Now()
	for w.Lost() < 3000 && time.Since(begun) < 10*time.Second {
		time.Sleep(time.Millisecond)
	}
	if w.Lost() != 3000 {
		t.Errorf("%d lines are counted as lost", w.Lost())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || !errors.Is(told[0], syscall.ENOSPC) {
		t.Errorf("told %v, once is enough", told)
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	_, err := accesslog.Open(accesslog.Config{File: filepath.Join(t.TempDir(), "none", "a.log")})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "create the folder") {
		t.Errorf("got %v", err)
	}
}

func TestAClosedWriterTakesNothing(t *testing.T) {
	w := open(t, accesslog.Config{File: filepath.Join(t.TempDir(), "a.log")})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.WriteLine([]byte("x")) {
		t.Error("a line was taken, and nobody writes it")
	}
}

func TestAnEntryAllocatesNothing(t *testing.T) {
	e, b := full(), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b = e.Append(b[:0]) }); n > 0 {
		t.Errorf("%v allocations a line", n)
	}
}
