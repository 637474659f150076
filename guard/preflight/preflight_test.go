package preflight_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/preflight"
)

// table is a database with one table, users(id, Email), at schema version 7.
type table struct{}

func (table) Connect(context.Context) (driver.Conn, error) { return table{}, nil }
func (table) Driver() driver.Driver                        { return nil }
func (table) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("no") }
func (table) Close() error                                 { return nil }
func (table) Begin() (driver.Tx, error)                    { return nil, errors.New("no") }
func (table) QueryContext(_ context.Context, q string, _ []driver.NamedValue) (driver.Rows, error) {
	switch q {
	case "SELECT * FROM users WHERE 1=0":
		return &rows{columns: []string{"id", "Email"}}, nil
	case "SELECT max(version) FROM schema_migrations":
		return &rows{columns: []string{"max"}, values: []driver.Value{"7"}}, nil
	}
	return nil, errors.New("no such table")
}

type rows struct {
	columns []string
	values  []driver.Value
}

func (r *rows) Columns() []string { return r.columns }
func (r *rows) Close() error      { return nil }
func (r *rows) Next(dest []driver.Value) error {
	if r.values == nil {
		return io.EOF
	}
	copy(dest, r.values)
	r.values = nil
	return nil
}

func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func wantLines(t *testing.T, err error, want ...string) {
	t.Helper()
	got := lines(err)
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("line %d: %q, want it to begin %q", i, got[i], want[i])
		}
	}
}

func quiet() preflight.Config { return preflight.Config{Attempts: 1, Log: io.Discard} }

func TestAllProblemsAreListedAtOnce(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	t.Setenv("HOME_OF_GUARD", "x")
	db := sql.OpenDB(table{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	gone := filepath.Join(t.TempDir(), "tls.pem")
	err := preflight.Run(t.Context(), quiet(),
		preflight.Env("DATABASE_URL", "HOME_OF_GUARD", "GUARD_TEST_NOT_SET"),
		preflight.Files(os.Args[0], gone),
		preflight.Ping("database", func(context.Context) error { return errors.New("connection\nrefused") }),
		preflight.Columns(db, "users", "ID", "email", "user_tier"),
		preflight.Columns(db, "orders", "id"),
		preflight.Version(db, "SELECT max(version) FROM schema_migrations", "8"),
		preflight.Version(db, "SELECT max(version) FROM nothing", "8"),
		preflight.Disk(os.TempDir(), 1<<62),
		preflight.Disk(gone, 1),
		preflight.Descriptors(1<<62),
	)
	wantLines(t, err,
		"STARTUP_FAILURE: Required environment variable 'DATABASE_URL' is not set.",
		"STARTUP_FAILURE: Required environment variable 'GUARD_TEST_NOT_SET' is not set.",
		"STARTUP_FAILURE: file '"+gone+"' cannot be read: ",
		"STARTUP_FAILURE: database cannot be reached: connection refused",
		"STARTUP_FAILURE: column 'user_tier' of table 'users' does not exist",
		"STARTUP_FAILURE: table 'orders' cannot be read: no such table",
		"STARTUP_FAILURE: schema version is '7', this build needs '8'",
		"STARTUP_FAILURE: schema version cannot be read: no such table",
		"STARTUP_FAILURE: disk of '", "STARTUP_FAILURE: disk of '",
		"STARTUP_FAILURE: the process may open ",
	)
	var failure *preflight.Failure
	if !errors.As(err, &failure) || len(failure.Problems) != 11 {
		t.Errorf("%T", err)
	}
}

func TestWhatIsWellIsSilent(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://x")
	db := sql.OpenDB(table{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err := preflight.Run(t.Context(), quiet(), preflight.Env("DATABASE_URL"), preflight.Files(os.Args[0], os.TempDir()), preflight.Ping("database", db.PingContext),
		preflight.Columns(db, "users", "id", "email"), preflight.Version(db, "SELECT max(version) FROM schema_migrations", "7"), preflight.Disk(os.TempDir(), 1), preflight.Descriptors(1))
	if err != nil {
		t.Error(err)
	}
	preflight.Exit(nil)
}

func TestADependencyThatIsStartingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var log bytes.Buffer
		up := func(context.Context) error {
			if time.Since(begin) < 3*time.Second {
				return errors.New("starting up")
			}
			return nil
		}
		if err := preflight.Run(t.Context(), preflight.Config{Log: &log}, preflight.Ping("database", up)); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took < 3*time.Second || took > 10*time.Second || strings.Count(log.String(), "starting up") < 3 {
			t.Errorf("after %v, told:\n%s", took, &log)
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		begin := time.Now()
		err := preflight.Run(t.Context(), preflight.Config{Log: io.Discard}, preflight.Ping("database", func(context.Context) error { tries++; return errors.New("refused") }))
		if err == nil || tries != 5 || time.Since(begin) > 20*time.Second {
			t.Errorf("%v after %d attempts and %v", err, tries, time.Since(begin))
		}
		hang := preflight.Check{Name: "hung", Run: func(context.Context) []error { time.Sleep(time.Hour); return nil }}
		begin = time.Now()
		err = preflight.Run(t.Context(), preflight.Config{Log: io.Discard}, hang, preflight.Check{Name: "odd", Run: func(context.Context) []error { panic("boom") }})
		wantLines(t, err, "STARTUP_FAILURE: hung: no answer within 5s", "STARTUP_FAILURE: odd: the check itself panicked: boom")
		if time.Since(begin) != 5*time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		begin = time.Now()
		if err := preflight.Run(ctx, preflight.Config{Log: io.Discard}, preflight.Ping("database", func(context.Context) error { return errors.New("refused") })); err == nil || time.Since(begin) > time.Second {
			t.Errorf("a start that was called off: %v after %v", err, time.Since(begin))
		}
		time.Sleep(2 * time.Hour)
	})
}

// The process that fails its preflight says why, exits 1, and never opens its port.
func TestAServiceThatCannotServeDoesNotStart(t *testing.T) {
	if addr := os.Getenv("PREFLIGHT_TEST_ADDR"); addr != "" {
		preflight.Exit(preflight.Run(t.Context(), preflight.Config{}, preflight.Env("PREFLIGHT_TEST_DATABASE_URL")))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = l.Accept()
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PREFLIGHT_TEST_ADDR="+addr)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	opened := make(chan bool)
	stop := make(chan struct{})
	go func() {
		for {
			if c, err := net.Dial("tcp", addr); err == nil {
				_ = c.Close()
				opened <- true
				return
			}
			select {
			case <-stop:
				opened <- false
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	err = cmd.Run()
	close(stop)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || <-opened {
		t.Errorf("%v", err)
	}
	if want := "STARTUP_FAILURE: Required environment variable 'PREFLIGHT_TEST_DATABASE_URL' is not set.\n"; stderr.String() != want {
		t.Errorf("said %q, want %q", stderr.String(), want)
	}
}
