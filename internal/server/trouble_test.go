package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

// disk mounts a file system of some megabytes. Where this user may not mount, a folder is returned, and false.
func disk(t *testing.T, megabytes int) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Logf("no file system of its own: mount: %v", err)
		return dir, false
	}
	t.Cleanup(func() {
		// Tests beside this one start processes, which hold every open file between fork and exec. What the server itself leaves open stays.
		var err error
		for range 100 {
			if err = syscall.Unmount(dir, 0); !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir, true
}

// refused runs a server that must not begin, and returns why it does not.
func refused(t *testing.T, s server.Settings) string {
	t.Helper()
	s.Listen.Address = "127.0.0.1:0"
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	err := server.Run(ctx, server.Options{Settings: s, Now: time.Now, Ready: func([]string) { t.Error("it began"); stop() }})
	if err == nil {
		t.Fatal("it ended without an error")
	}
	return err.Error()
}

func lines(n int, text string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s INFO %s %d\n", time.Now().UTC().Format(time.RFC3339Nano), text, i)
	}
	return b.String()
}

func TestAFullDiskShedsSaysSoAndIsLeftBehind(t *testing.T) {
	t.Parallel()
	dir, own := disk(t, 48)
	if !own {
		return // internal/spool and internal/store/sqlite test a disk that says it is full without one
	}
	settings := server.Settings{Data: filepath.Join(dir, "data"), Logs: server.Logs{MaxBytes: 1 << 30}}
	s := start(t, settings, nil)
	p := nobody(t, s.at)
	send := func(text string) (int, string) {
		return p.send("POST", "/api/v1/logs?service=shop", "text/plain", text)
	}
	if status, text := send(lines(100, "before")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 64<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	status, text := 0, ""
	for i := range 200 { // what was allocated before the disk was full may take some
		if status, text = send(lines(1000, "while it is full")); status != http.StatusOK {
			t.Logf("refused at the %dth", i+1)
			break
		}
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "the disk is full") || !strings.Contains(text, "free space") {
		t.Errorf("on a full disk: %d %s, want 503 with the remedy", status, text)
	}
	until(t, "the operator is told", func() bool { return len(s.with("full"))+len(s.with("no space left")) > 0 })
	if status, page := p.send("GET", "/", "", ""); status != http.StatusOK || !strings.Contains(page, "Shed for want of room") || !strings.Contains(page, "logs of shop") {
		t.Errorf("the pages answer %d while the disk is full, and say what was shed: %.2000s", status, page)
	}
	if status, text := p.send("POST", "/api/v1/incidents", "application/json", `{"title":"the disk is full"}`); status == http.StatusOK {
		t.Log("the records still had room")
	} else if !strings.Contains(text, "full") {
		t.Errorf("an incident: %d %s", status, text)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "it takes lines again, without a restart", func() bool { status, _ := send(lines(100, "after")); return status == http.StatusOK })
	until(t, "it writes records again", func() bool {
		status, _ := p.send("POST", "/api/v1/incidents", "application/json", `{"title":"there is room"}`)
		return status == http.StatusOK
	})
	until(t, "it counts again", func() bool { return len(s.with("counting goes on")) > 0 || len(s.with("counting:")) == 0 })
	// A restart finds what was acknowledged, and begins.
	if err := s.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	again := start(t, settings, nil)
	p.at = again.at
	if all := read[list](p, "/incidents").Items; len(all) == 0 {
		t.Error("the incident is lost")
	}
	last := ""
	defer func() {
		if t.Failed() {
			t.Log(last)
		}
	}()
	until(t, "the kinds of lines from before and after", func() bool {
		_, text := p.send("GET", "/api/v1/patterns", "", "")
		last = text
		return strings.Contains(text, "before") && strings.Contains(text, "after")
	})
}

func TestAFolderThatCannotBeWrittenIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	dir, own := disk(t, 48)
	if !own {
		return // internal/store/sqlite tests it as a user without rights
	}
	s := start(t, server.Settings{Data: dir}, nil)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if text := refused(t, server.Settings{Data: dir}); !strings.Contains(text, "cannot be written to; is its disk mounted read-only") {
		t.Errorf("%s does not say what to do", text)
	}
	if text := refused(t, server.Settings{Data: filepath.Join(dir, "new")}); !strings.Contains(text, "set data to a folder that this user may write to") {
		t.Errorf("%s does not say what to do", text)
	}
}

func TestADamagedFileIsNamedWithTheRemedy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, server.Settings{Data: dir, Backups: server.Backups{Keep: -1}}, nil)
	p := nobody(t, s.at)
	for i := range 50 {
		if status, text := p.send("POST", "/api/v1/incidents", "application/json", fmt.Sprintf(`{"title":"outage %d","text":%q}`, i, strings.Repeat("x", 3000))); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = start(t, server.Settings{Data: dir}, nil)
	until(t, "the first backup", func() bool {
		found, _ := filepath.Glob(filepath.Join(dir, "backups", "records-*.db"))
		return len(found) == 1
	})
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	damage := func(at int64) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, sqlite.File), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte(strings.Repeat("garbage ", 512)), at); err != nil {
			t.Fatal(err)
		}
	}
	size, err := os.Stat(filepath.Join(dir, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	// Somewhere in the middle nobody has read yet: the server begins, and says so within the minute.
	damage(size.Size() / 2 / 4096 * 4096)
	s = start(t, server.Settings{Data: dir}, nil)
	until(t, "the damage is told", func() bool { return len(s.with("put a backup in its place")) > 0 })
	_ = s.stop() // what it last wanted to read may be the damaged page
	// Its head: the server does not begin, and touches nothing.
	damage(0)
	if text := refused(t, server.Settings{Data: dir}); !strings.Contains(text, sqlite.File) || !strings.Contains(text, "put a backup in its place") {
		t.Errorf("%s does not say what to do", text)
	}
	// The remedy works.
	backups, err := filepath.Glob(filepath.Join(dir, "backups", "records-*.db"))
	if err != nil || len(backups) != 1 {
		t.Fatal(backups, err)
	}
	for _, f := range []string{sqlite.File, sqlite.File + "-wal", sqlite.File + "-shm"} {
		_ = os.Remove(filepath.Join(dir, f)) // two of them may not be there
	}
	if err := os.Rename(backups[0], filepath.Join(dir, sqlite.File)); err != nil {
		t.Fatal(err)
	}
	s = start(t, server.Settings{Data: dir}, nil)
	p.at = s.at
	if all := read[list](p, "/incidents").Items; len(all) == 0 {
		t.Error("the backup has no incident")
	}
}

// quickRule is the shipped one of failures with a window of seconds instead of a minute.
const quickRule = `groups:
  - name: quick
    rules:
      - alert: Failing
        expr: sum by (service) (rate(inquest_failures_total[10s])) / sum by (service) (rate(inquest_requests_total[10s])) > 0.01
        labels: {severity: page}
`

// TestTheClockMayJump sets the clock of a running server ahead and back while requests arrive, each time to healthy ones at first. After each jump nobody is
// told of what is long over, and the next outage is an incident that is investigated and told.
func TestTheClockMayJump(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	hook, dir := newChannel(t), t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(rules, []byte(quickRule), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, server.Settings{Data: filepath.Join(dir, "data"), Rules: server.Rules{Interval: time.Second, NoShipped: true, Files: []string{rules}},
		Incident: server.Incident{Calm: time.Second}, Channels: hook.settings(), Tell: []server.Tell{{Channel: "hook"}}}, clock)
	p := nobody(t, s.at)
	send := func(fail bool) {
		t.Helper()
		traffic(p, p, p, clock().Add(-500*time.Millisecond), 10, 50*time.Millisecond, func(i int) bool { return fail && i%2 == 0 })
		time.Sleep(300 * time.Millisecond)
	}
	active := func() (out []inquest.Incident) {
		for _, inc := range read[list](p, "/incidents").Items {
			if inc.State.Active() {
				out = append(out, inc)
			}
		}
		return out
	}
	first := time.Time{} // outage
	jumps := []struct {
		name string
		jump func() time.Duration
	}{
		{"no jump", func() time.Duration { return 0 }},
		{"three hours ahead", func() time.Duration { return 3 * time.Hour }},
		{"back to just before the first outage", func() time.Duration { return first.Add(-5 * time.Second).Sub(clock()) }},
		{"another hour back", func() time.Duration { return -time.Hour }},
	}
	if testing.Short() {
		jumps = jumps[:3]
	}
	for i, c := range jumps {
		offset.Add(int64(c.jump()))
		for until := time.Now().Add(12 * time.Second); time.Now().Before(until); {
			send(false)
			if found := active(); len(found) > 0 {
				t.Fatalf("%s: all is well, and there is %+v", c.name, found[0])
			}
		}
		told := len(hook.got())
		failing := time.Now()
		if first.IsZero() {
			first = clock()
		}
		until(t, c.name+": an outage is seen, investigated and told", func() bool {
			send(true)
			found := active()
			return len(found) == 1 && found[0].Revision > 0 && len(hook.got()) > told
		})
		if took := time.Since(failing); took > time.Minute {
			t.Errorf("%s: it took %s", c.name, took)
		}
		inc := active()[0]
		do[inquest.Incident](p, "/incidents/"+inc.ID+"/acknowledge", `{}`)
		until(t, c.name+": it ends", func() bool { send(false); return len(active()) == 0 })
		if got := s.with("the clock was set"); len(got) < i {
			t.Errorf("%s: the operator was told %q", c.name, got)
		}
	}
}

func TestASlowChannelHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	quick := newChannel(t)
	channels := quick.settings()
	channels["slow"] = server.Channel{Webhook: &server.Webhook{URL: slow.URL}, Allow: []string{"127.0.0.0/8"}}
	s := start(t, server.Settings{Data: t.TempDir(), Channels: channels, Tell: []server.Tell{{Channel: "slow"}, {Channel: "hook"}}}, nil)
	p := nobody(t, s.at)
	began := time.Now()
	for i := range 5 {
		do[inquest.Incident](p, "/incidents", fmt.Sprintf(`{"title":"outage %d","services":["s%[1]d"]}`, i))
	}
	until(t, "the quick channel has all five", func() bool { return len(quick.got()) >= 5 })
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	began = time.Now()
	if status, _ := p.send("GET", "/", "", ""); status != http.StatusOK || time.Since(began) > 10*time.Second {
		t.Errorf("the pages: %d after %s", status, time.Since(began))
	}
}

func TestTenThousandKindsOfLinesAMinuteStayBounded(t *testing.T) {
	t.Parallel()
	s := start(t, server.Settings{Data: t.TempDir()}, nil)
	p := nobody(t, s.at)
	word := func(n int) string { // letters: numbers would be taken for variables
		b := make([]byte, 0, 16)
		for range 12 {
			b = append(b, byte('a'+n%26))
			n = n/26*31 + n%7 + 11
		}
		return string(b)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for part := range 10 {
		var b strings.Builder
		for i := range 1000 {
			n := part*1000 + i
			fmt.Fprintf(&b, "%s ERROR cannot %s the %s of %s because %s\n", time.Now().UTC().Format(time.RFC3339Nano), word(n), word(n*7+1), word(n*13+2), word(n*29+3))
		}
		if status, text := p.send("POST", "/api/v1/logs?service=shop", "text/plain", b.String()); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	type metricsOf struct{ Items []struct{ Service string } }
	until(t, "they are counted", func() bool { return len(read[metricsOf](p, "/patterns").Items) > 0 })
	time.Sleep(10 * time.Second) // several ticks
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 256<<20 { // the other tests run beside it
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	began := time.Now()
	if status, _ := p.send("GET", "/patterns", "", ""); status != http.StatusOK || time.Since(began) > 20*time.Second {
		t.Errorf("the page of patterns: %d after %s", status, time.Since(began))
	}
	if status, text := p.send("POST", "/api/v1/logs?service=billing", "text/plain", lines(10, "all is well")); status != http.StatusOK {
		t.Errorf("after them: %d %s", status, text)
	}
	until(t, "what another service says meanwhile is counted", func() bool {
		_, text := p.send("GET", "/api/v1/patterns?q=all+is+well", "", "")
		return strings.Contains(text, "all is well")
	})
	if _, text := p.send("GET", "/api/v1/patterns?service=shop&q=other", "", ""); !strings.Contains(text, "(other)") {
		t.Errorf("those beyond the bound have no pattern of their own: %.500s", text)
	}
}
