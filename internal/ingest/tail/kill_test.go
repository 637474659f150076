package tail_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/spool"
)

func followUntilKilled(dir string) {
	s, err := spool.Open(spool.Config{Dir: filepath.Join(dir, "spool")})
	if err == nil {
		var t *tail.Tail
		t, err = tail.New(tail.Config{Targets: []tail.Target{{Glob: filepath.Join(dir, "logs", "*.log*"), FromStart: true}}, Spool: s, Checkpoint: filepath.Join(dir, "tail.json"),
			Poll: 5 * time.Millisecond, Piece: 2000})
		if err == nil {
			err = t.Run(context.Background())
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKillLosesNothingAndRepeatsOnePieceAtMost writes numbered lines with rotation while the follower is killed again and again.
func TestKillLosesNothingAndRepeatsOnePieceAtMost(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testing.Short() {
		rounds = 5
	}
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	const writers = 3
	stop := make(chan struct{})
	written := make(chan int, writers)
	for i := range writers {
		go func() { written <- writeAndRotate(logs, i, stop) }()
	}
	for range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "TAIL_TEST_FOLLOWER="+dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(250*time.Millisecond + rand.N(250*time.Millisecond))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	close(stop)
	var counts []int
	for range writers {
		counts = append(counts, <-written)
	}
	t.Log("lines written by the writers:", counts)
	finish(t, dir)
	check(t, dir, logs, rounds)
}

// writeAndRotate appends numbered lines and rotates the file every 300.
func writeAndRotate(logs string, i int, stop chan struct{}) int {
	path := filepath.Join(logs, fmt.Sprintf("w%d.log", i))
	for n := 0; ; n++ {
		select {
		case <-stop:
			return n
		default:
		}
		if n%300 == 299 {
			_ = os.Rename(path, fmt.Sprintf("%s.%d", path, n))
		}
		if f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
			fmt.Fprintf(f, "w%d-%d end\n", i, n)
			f.Close()
		}
		time.Sleep(time.Millisecond)
	}
}

// finish follows to the end and stops cleanly.
func finish(t *testing.T, dir string) {
	t.Helper()
	s, err := spool.Open(spool.Config{Dir: filepath.Join(dir, "spool")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	f, err := tail.New(tail.Config{Targets: []tail.Target{{Glob: filepath.Join(dir, "logs", "*.log*")}}, Spool: s, Checkpoint: filepath.Join(dir, "tail.json"), Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, dir, logs string, kills int) {
	t.Helper()
	want := map[string]bool{}
	files, err := os.ReadDir(logs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(logs, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(b)) {
			want[strings.TrimSpace(l)] = true
		}
	}
	s, err := spool.Open(spool.Config{Dir: filepath.Join(dir, "spool")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	got := map[string]int{}
	twice := 0
	for _, g := range s.Segments(inquest.Window{}) {
		b, err := os.ReadFile(filepath.Join(g.Dir, filepath.FromSlash(g.Name)))
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(b[:g.Size])) {
			l = strings.TrimSpace(l)
			if got[l]++; got[l] > 1 {
				twice++
			}
			if !want[l] {
				t.Errorf("never written: %q", l)
			}
		}
	}
	for l := range want {
		if got[l] == 0 {
			t.Errorf("lost: %q", l)
		}
	}
	// A piece has 2000 bytes, some 200 lines; of each writer's files one may be in flight.
	if most := kills * 200 * 3; twice > most {
		t.Errorf("%d lines twice after %d kills", twice, kills)
	}
	t.Logf("%d lines, %d twice after %d kills", len(want), twice, kills)
}
