package tsdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

// child is what the test program does when a test starts it once more: "append DIR MINUTE" writes one sample after the other and says which
// were taken, until it is killed; "full DIR" runs into a limit for the size of files, which is how a disk is full for one process; "open DIR"
// only opens it, since Prometheus leaves a goroutine behind where that fails.
func child(args []string) bool {
	if len(args) < 3 || args[1] != "append" && args[1] != "full" && args[1] != "open" {
		return false
	}
	db, err := tsdb.Open(tsdb.Config{Dir: args[2]})
	switch {
	case err != nil:
		err = fmt.Errorf("%w (corrupt: %t)", err, errors.Is(err, store.ErrCorrupt))
	case args[1] == "append":
		err = appendForever(db, args[3])
	case args[1] == "full":
		err = fill(db)
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	return true
}

func appendForever(db *tsdb.DB, minute string) error {
	after, err := time.ParseDuration(minute + "m")
	if err != nil {
		return err
	}
	start := time.Now().Add(after - 50*time.Minute)
	for i := 0; ; i++ {
		if err := db.Append(context.Background(), one("x", start.Add(time.Duration(i)*time.Millisecond), float64(i))); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func TestKillLosesNothingThatAppendReturnedFor(t *testing.T) {
	dir := t.TempDir()
	total := 0
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "append", dir, fmt.Sprint(10*round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, taken := bufio.NewScanner(out), 0
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Fatal(lines.Text())
			}
			if taken++; taken == 300*(round+1) {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		total += taken

		db, err := tsdb.Open(tsdb.Config{Dir: dir})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got, err := db.Instant(t.Context(), "count_over_time(x[1h])", time.Now().Add(time.Minute))
		if err != nil || len(got) != 1 {
			t.Fatalf("round %d: %v %v", round, got, err)
		}
		if n := int(got[0].Samples[0].Value); n < total || n > total+round+1 { // one may have been written and not been told
			t.Errorf("round %d: %d samples are there, %d were acknowledged", round, n, total)
		} else {
			total = n
		}
		s := stats(t, db)
		if s.Repaired {
			t.Logf("round %d: the log of writes ended in the middle of a record", round)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func labelled(n int, at time.Time, v float64) []inquest.Series {
	s := one("x", at, v)
	s[0].Labels = map[string]string{"n": fmt.Sprint(n)}
	return s
}

// fill appends until the limit, sees the error, lifts the limit, and goes on.
func fill(db *tsdb.DB) error {
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 96 << 10, Max: was.Max}); err != nil {
		return err
	}
	start, taken, refused := time.Now(), 0, 0
	for i := range 40_000 {
		err := db.Append(context.Background(), labelled(i%50, start.Add(time.Duration(i)*time.Millisecond), float64(i)))
		if err == nil {
			taken++
			continue
		}
		if !strings.Contains(err.Error(), "make room on the disk") || !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("the error does not say what to do: %w", err)
		}
		if refused++; refused == 5 {
			break
		}
	}
	if refused < 5 {
		return errors.New("the limit was never met")
	}
	if got, err := db.Instant(context.Background(), "count(x)", time.Now().Add(time.Minute)); err != nil || len(got) != 1 {
		return fmt.Errorf("no queries while the disk is full: %v %w", got, err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	at := time.Now().Add(time.Minute)
	if err := db.Append(context.Background(), one("after", at, 1)); err != nil {
		return fmt.Errorf("it does not recover: %w", err)
	}
	fmt.Println("taken", taken, "refused", refused)
	return db.Close()
}

func TestAFullDiskIsToldAndOverWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command(os.Args[0], "full", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var taken, refused float64
	if _, err := fmt.Sscanf(string(out), "taken %g refused %g", &taken, &refused); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	db := open(t, tsdb.Config{Dir: dir})
	got, err := db.Instant(t.Context(), `sum(count_over_time(x[1h]))`, time.Now().Add(time.Minute))
	if err != nil || len(got) != 1 || got[0].Samples[0].Value < taken || got[0].Samples[0].Value > taken+refused {
		t.Errorf("%v samples were taken and %v refused, there are %v (%v)", taken, refused, got, err)
	}
	if got, err := db.Instant(t.Context(), `after`, time.Now().Add(2*time.Minute)); err != nil || len(got) != 1 {
		t.Errorf("what came when there was room again: %v (%v)", got, err)
	}
}
