package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

// The tests start this program again as a process of its own, to kill it, to limit it, or to be another user.
const (
	childDoes = "SQLITE_TEST_CHILD"
	childDir  = "SQLITE_TEST_DIR"
	childRun  = "SQLITE_TEST_RUN"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(childDoes); what != "" {
		if err := child(what, os.Getenv(childDir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func child(what, dir string) error {
	ctx := context.Background()
	if what == "limited" { // before SQLite opens the file
		signal.Ignore(syscall.SIGXFSZ) // the write then fails with EFBIG
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
			return err
		}
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Dir: dir})
	if err != nil {
		return err
	}
	switch what {
	case "open":
		fmt.Println("open")
	case "hold":
		fmt.Println("open")
		select {}
	case "write":
		err = storetest.WriteForever(ctx, s, os.Getenv(childRun), os.Stdout)
	case "limited":
		err = untilFull(ctx, s)
	default:
		return fmt.Errorf("a child that does %q", what)
	}
	return errors.Join(err, s.Close())
}

// untilFull writes until nothing fits any more, shows that the store can still be read, and returns the error of the last write.
func untilFull(ctx context.Context, s *sqlite.Store) error {
	for n := 0; n < 1000; n++ {
		rec := store.Record{Kind: "entry", ID: fmt.Sprintf("%06d", n), Time: noon, Body: []byte(strings.Repeat("x", 20_000))}
		if full := s.Put(ctx, rec); full != nil {
			got, err := s.List(ctx, store.Query{Kind: "entry"})
			if err != nil || len(got) != n {
				return fmt.Errorf("%d records were written, %d are there: %w", n, len(got), err)
			}
			fmt.Println(n)
			return full
		}
	}
	return errors.New("it never got full")
}

func again(t *testing.T, what, dir string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), childDoes+"="+what, childDir+"="+dir), env...)
	return c
}
