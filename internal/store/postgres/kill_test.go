package postgres_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/pgtest"
	"github.com/inquesthq/inquest/internal/store/postgres"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

// own starts a server that the test may stop.
func own(t *testing.T) *pgtest.Server {
	t.Helper()
	s, err := pgtest.Start()
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

func TestNothingAcknowledgedIsLostAndNothingIsHalfWhenTheProcessIsKilled(t *testing.T) {
	sql(t, "CREATE DATABASE killed")
	url := server.URL("killed")
	s := open(t, postgres.Config{URL: url, Schema: "inquest"})
	var acked []string
	for run := range kills(20) {
		name := fmt.Sprintf("run%02d", run)
		c := again(t, "write", url+"&application_name="+name, name)
		acked = append(acked, storetest.Kill(t, c, time.Duration(rand.IntN(150))*time.Millisecond, func() error { return c.Process.Kill() })...)
		for sql(t, "SELECT count(*) FROM pg_stat_activity WHERE application_name = '"+name+"'") != "0" { // it may still be committing
			time.Sleep(20 * time.Millisecond)
		}
		storetest.Verify(t, s, acked)
		if t.Failed() {
			t.Fatalf("after %d kills and %d acknowledged writes", run+1, len(acked))
		}
	}
	t.Logf("%d acknowledged writes", len(acked))
}

func TestPostgreSQLGoesAwayAndComesBack(t *testing.T) {
	pg := own(t)
	t.Run("what was acknowledged before it was killed is there, and nothing is half", func(t *testing.T) { killed(t, pg) })
	t.Run("a restart is told while it lasts, and forgotten afterwards", func(t *testing.T) { restarted(t, pg) })
}

func killed(t *testing.T, pg *pgtest.Server) {
	s := open(t, postgres.Config{URL: pg.URL("postgres"), Schema: "inquest"})
	var acked []string
	for run := range kills(5) {
		c := again(t, "write", pg.URL("postgres"), fmt.Sprintf("run%02d", run))
		acked = append(acked, storetest.Kill(t, c, time.Duration(rand.IntN(200))*time.Millisecond, pg.Kill)...)
		if err := pg.Resume(); err != nil {
			t.Fatal(err)
		}
		storetest.Verify(t, s, acked)
		if t.Failed() {
			t.Fatalf("after %d kills and %d acknowledged writes", run+1, len(acked))
		}
	}
	t.Logf("%d acknowledged writes", len(acked))
}

func restarted(t *testing.T, pg *pgtest.Server) {
	const connections = 5
	s := open(t, postgres.Config{URL: pg.URL("postgres"), Connections: connections})
	for round, stop := range []func() error{pg.Stop, pg.Kill} {
		var wg sync.WaitGroup
		for i := range connections { // so that the pool has connections to be cut
			wg.Go(func() { put(t, s, fmt.Sprintf("%d before %d", round, i)) })
		}
		wg.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := s.Put(t.Context(), store.Record{Kind: "incident", ID: "meanwhile"})
		if err == nil || !strings.Contains(err.Error(), "does not answer: see that it runs") {
			t.Errorf("while it is down: %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s to say so", took)
		}
		if err := pg.Resume(); err != nil {
			t.Fatal(err)
		}
		for i := range 2 * connections { // no call fails for a connection that was cut before
			put(t, s, fmt.Sprintf("%d after %d", round, i))
		}
	}
	got, err := s.List(t.Context(), store.Query{Kind: "incident"})
	if want := 2 * 3 * connections; err != nil || len(got) != want {
		t.Errorf("%d records, %v, want %d", len(got), err, want)
	}
}

// All of the pool's connections are cut at once, between two calls and in the middle of them.
func TestCutConnectionsAreReplacedWithoutAnError(t *testing.T) {
	s := open(t, postgres.Config{Schema: "cut", URL: server.URL("postgres") + "&application_name=cut"})
	put(t, s, "first")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 50 {
				rec := store.Record{Kind: "incident", ID: fmt.Sprintf("%d/%d", i, n), Time: noon}
				err := s.Put(t.Context(), rec)
				if err != nil && !strings.Contains(err.Error(), "may have been written or not") {
					t.Error(err)
				}
				if _, err := s.Get(t.Context(), "incident", "first"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		sql(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'")
	}
	wg.Wait()
}

func TestAKilledLeaderIsReplacedWithinItsTime(t *testing.T) {
	sql(t, "CREATE DATABASE led")
	url := server.URL("led")
	s := open(t, postgres.Config{URL: url, Schema: "inquest"})
	for round := range kills(3) {
		c := again(t, "lead", url, fmt.Sprintf("server %d", round))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "leading\n" {
			t.Fatalf("the child says %q, %v", line, err)
		}
		if ok, err := s.Lead(t.Context(), "detect", "other", 2*time.Second); ok || err != nil {
			t.Fatalf("two leaders: %v, %v", ok, err)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		began := time.Now()
		for {
			ok, err := s.Lead(t.Context(), "detect", "other", time.Millisecond) // and let go at once
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if took := time.Since(began); took > 4*time.Second { // two, and the machine's other work
			t.Errorf("it took %s of 2s", took)
		}
	}
}

// kills are fewer in a quick run.
func kills(n int) int {
	if testing.Short() {
		return (n + 4) / 5
	}
	return n
}
