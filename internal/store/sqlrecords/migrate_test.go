package sqlrecords_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // a database to migrate

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlrecords"
)

func dialect() sqlrecords.Dialect {
	return sqlrecords.Dialect{
		Bytes: "text", Integer: "integer", Now: "0", Exists: "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'migration'",
		ID: func(id string) any { return id }, Body: func(b []byte) any { return string(b) },
		Again: func(error) bool { return false }, Explain: func(err error) error { return err },
	}
}

func database(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// migrate runs a program that knows these steps.
func migrate(t *testing.T, db *sql.DB, steps ...sqlrecords.Migration) error {
	t.Helper()
	r, err := sqlrecords.New(sqlrecords.Config{Read: db, Write: db, Dialect: dialect(), Migrations: steps})
	if err != nil {
		t.Fatal(err)
	}
	return r.Migrate(t.Context())
}

// applied is what the database says about its schema.
func applied(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out sql.NullString
	if err := db.QueryRowContext(t.Context(), "SELECT group_concat(version || '<' || oldest || ' ' || name, ', ') FROM (SELECT * FROM migration ORDER BY version)").Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out.String
}

var (
	first  = sqlrecords.Migration{Name: "first", Oldest: 1, SQL: []string{"CREATE TABLE a (x integer)"}}
	second = sqlrecords.Migration{Name: "second", Oldest: 1, SQL: []string{"ALTER TABLE a ADD COLUMN y integer", "CREATE TABLE b (x integer)"}}
	third  = sqlrecords.Migration{Name: "third", Oldest: 2, SQL: []string{"DROP TABLE b"}}
	broken = sqlrecords.Migration{Name: "broken", Oldest: 2, SQL: []string{"CREATE TABLE c (x integer)", "ALTER TABLE nobody ADD COLUMN y integer"}}
)

func TestStepsAreMadeOnceInTheirOrderAndOlderReleasesWorkAsFarAsTheyMay(t *testing.T) {
	db := database(t)
	for _, c := range []struct {
		program string
		steps   []sqlrecords.Migration
		refused string // part of the error
		want    string // the schema afterwards
	}{
		{"release 1 on nothing", []sqlrecords.Migration{first}, "", "1<1 first"},
		{"release 1 once more", []sqlrecords.Migration{first}, "", "1<1 first"},
		{"release 2", []sqlrecords.Migration{first, second}, "", "1<1 first, 2<1 second"},
		{"back to release 1", []sqlrecords.Migration{first}, "", "1<1 first, 2<1 second"},
		{"release 2 with a step that fails", []sqlrecords.Migration{first, second, broken}, "migration 3, broken", "1<1 first, 2<1 second"},
		{"release 3", []sqlrecords.Migration{first, second, third}, "", "1<1 first, 2<1 second, 3<2 third"},
		{"back to release 2", []sqlrecords.Migration{first, second}, "", "1<1 first, 2<1 second, 3<2 third"},
		{"back to release 1, which is one too far", []sqlrecords.Migration{first}, "the database has schema 3, which programs that know schema 2 and up can use, and this one knows 1: " +
			"start the newer release of inquest, or restore a backup from before its upgrade", "1<1 first, 2<1 second, 3<2 third"},
	} {
		err := migrate(t, db, c.steps...)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s: %v, want %q", c.program, err, c.refused)
		}
		if d := cmp.Diff(c.want, applied(t, db)); d != "" {
			t.Errorf("%s: %s", c.program, d)
		}
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'c'").Scan(&n); err != nil || n != 0 {
		t.Errorf("half of the step that failed was kept (%d, %v)", n, err)
	}
}

func TestAReleaseJumpsOverOthers(t *testing.T) {
	db := database(t)
	if err := migrate(t, db, first, second, third); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("1<1 first, 2<1 second, 3<2 third", applied(t, db)); d != "" {
		t.Error(d)
	}
}

// What is shipped must hold what Migration promises.
func TestShippedStepsLeaveWhatTheReleaseBeforeCanUse(t *testing.T) {
	for i, m := range sqlrecords.Shipped(dialect()) {
		if m.Name == "" || m.Oldest < 1 || i > 0 && m.Oldest > i {
			t.Errorf("step %d %q can be used from version %d on only", i+1, m.Name, m.Oldest)
		}
		for _, q := range m.SQL {
			if strings.ContainsAny(q, "{}") {
				t.Errorf("step %d has a place that was not filled: %s", i+1, q)
			}
		}
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	db := database(t)
	half := dialect()
	half.Explain = nil
	for want, c := range map[string]sqlrecords.Config{
		"Read and Write are required":                       {Dialect: dialect()},
		"the dialect is not complete":                       {Read: db, Write: db, Dialect: half},
		`migration 2 "second" shuts out the release before`: {Read: db, Write: db, Dialect: dialect(), Migrations: []sqlrecords.Migration{first, {Name: "second", Oldest: 2}}},
	} {
		if _, err := sqlrecords.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestAFailureIsTriedAgainWhereThatIsSafeAndAsOftenAsAllowed(t *testing.T) {
	passing := errors.New("passing")
	for _, c := range []struct {
		name            string
		fails, attempts int // how often preparing fails, how often it may be tried
		want            error
		tried           int
	}{
		{"nothing fails", 0, 3, nil, 1},
		{"twice, and three attempts", 2, 3, nil, 3},
		{"three times, and three attempts", 3, 3, passing, 3},
		{"attempts that were not set", 1, 0, passing, 1},
	} {
		db, d, tried := database(t), dialect(), 0
		d.Prepare = func(context.Context, *sql.Tx) error {
			if tried++; tried <= c.fails {
				return passing
			}
			return nil
		}
		d.Again = func(err error) bool { return errors.Is(err, passing) }
		d.Explain = func(err error) error { return fmt.Errorf("explained: %w", err) }
		r, err := sqlrecords.New(sqlrecords.Config{Read: db, Write: db, Dialect: d, Attempts: c.attempts})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Migrate(t.Context())
		if !errors.Is(err, c.want) || tried != c.tried {
			t.Errorf("%s: %v after %d attempts, want %v after %d", c.name, err, tried, c.want, c.tried)
		}
		if err != nil && !strings.Contains(err.Error(), "explained") {
			t.Errorf("%s: %v has no remedy", c.name, err)
		}
	}
}

func TestACallEndsWithItsTimeout(t *testing.T) {
	db, d := database(t), dialect()
	d.Prepare = func(ctx context.Context, _ *sql.Tx) error {
		<-ctx.Done()
		return errors.New("interrupted")
	}
	r, err := sqlrecords.New(sqlrecords.Config{Read: db, Write: db, Dialect: d, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Migrate(t.Context()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("%v, want the timeout", err)
	}
}

// A statement takes at most 65,535 parameters in PostgreSQL and 32,766 in SQLite, and is not copied when bodies are large.
func TestAPutOfManyIsCutIntoFewStatements(t *testing.T) {
	db, d := database(t), dialect()
	bodies := 0
	d.Body = func(b []byte) any { bodies++; return string(b) }
	r, err := sqlrecords.New(sqlrecords.Config{Read: db, Write: db, Dialect: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 3, 63, 64, 65, 127, 5000} {
		var records []store.Record
		for i := range n {
			size := 10
			if i%50 == 0 {
				size = 400_000
			}
			records = append(records, store.Record{Kind: fmt.Sprintf("k%d", n), ID: fmt.Sprint(i), Body: make([]byte, size)})
		}
		bodies = 0
		if err := r.Put(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
		got, err := r.List(t.Context(), store.Query{Kind: records[0].Kind, Limit: n + 1})
		if err != nil || len(got) != n || bodies != n {
			t.Errorf("%d records: %d are there, %d were bound, %v", n, len(got), bodies, err)
		}
	}
}
