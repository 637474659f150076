package postgres_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/store/pgtest"
	"github.com/inquesthq/inquest/internal/store/postgres"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

// The tests start this program again as a process of its own, to kill it.
const (
	childDoes = "POSTGRES_TEST_CHILD"
	childURL  = "POSTGRES_TEST_URL"
	childRun  = "POSTGRES_TEST_RUN"
)

// server is shared by the tests that leave it running; each of them has a schema of its own.
var server *pgtest.Server

func TestMain(m *testing.M) {
	if what := os.Getenv(childDoes); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var err error
	if server, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func child(what string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, postgres.Config{URL: os.Getenv(childURL)})
	if err != nil {
		return err
	}
	switch what {
	case "write":
		return storetest.WriteForever(ctx, s, os.Getenv(childRun), os.Stdout)
	case "lead": // and die without a word
		for {
			ok, err := s.Lead(ctx, "detect", os.Getenv(childRun), 2*time.Second)
			if err != nil {
				return err
			}
			if ok {
				fmt.Println("leading")
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return fmt.Errorf("a child that does %q", what)
}

func again(t *testing.T, what, url, run string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childDoes+"="+what, childURL+"="+url, childRun+"="+run)
	return c
}
