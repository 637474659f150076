package spool_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
)

// writeUntilKilled appends numbered lines from eight appenders and prints each one that was acknowledged.
func writeUntilKilled(dir string) {
	s, err := spool.Open(spool.Config{Dir: dir, SegmentBytes: 20_000})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for a := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				line := fmt.Sprintf("%d-%d-%d %s end", os.Getpid(), a, i, strings.Repeat("x", i%300))
				if err := s.Append(context.Background(), spool.Source{Name: fmt.Sprint("s", a%3)}, []byte(line)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("%s\n", line) // one write call: no line is torn that a kill does not tear
			}
		})
	}
	wg.Wait()
}

func TestKillLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SPOOL_TEST_WRITER="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		before := len(acknowledged)
		for in.Scan() {
			if strings.HasSuffix(in.Text(), " end") {
				acknowledged[in.Text()] = true
			}
			if len(acknowledged) == before+1 { // it runs: a while to live
				time.AfterFunc(20*time.Millisecond+rand.N(150*time.Millisecond), func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait()
		if len(acknowledged) == before {
			t.Fatal("the writer wrote nothing")
		}
	}
	s := open(t, spool.Config{Dir: dir})
	there := map[string]bool{}
	for _, g := range s.Segments(inquest.Window{}) {
		for l := range strings.Lines(head(t, g, g.Size)) {
			l = strings.TrimSuffix(l, "\n")
			if !strings.HasSuffix(l, " end") {
				t.Errorf("torn line in %s: %q", g.Name, l)
			}
			if there[l] {
				t.Errorf("twice: %q", l)
			}
			there[l] = true
		}
	}
	for l := range acknowledged {
		if !there[l] {
			t.Errorf("acknowledged and lost: %q", l)
		}
	}
	t.Logf("%d lines acknowledged in %d rounds, %d there", len(acknowledged), rounds, len(there))
}
