package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/postgres"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

var (
	noon    = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	schemas atomic.Int32
)

// schema is one that nobody has used, with a name that wants quoting.
func schema() string { return fmt.Sprintf(`Test "%d'`, schemas.Add(1)) }

func open(t testing.TB, c postgres.Config) *postgres.Store {
	t.Helper()
	if c.URL == "" {
		c.URL = server.URL("postgres")
	}
	if c.Schema == "" {
		c.Schema = schema()
	}
	s, err := postgres.Open(t.Context(), c)
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

func sql(t *testing.T, query string) string {
	t.Helper()
	out, err := server.SQL(query)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func put(t *testing.T, s store.Records, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Put(t.Context(), store.Record{Kind: "incident", ID: id, Time: noon, Body: []byte(`{"title":"checkout fails"}`)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, postgres.Config{}) })
}

func TestServersThatStartTogetherMakeTheTablesOnce(t *testing.T) {
	c := postgres.Config{URL: server.URL("postgres"), Schema: schema(), Connections: 2}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Put(t.Context(), store.Record{Kind: "incident", ID: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := open(t, c).List(t.Context(), store.Query{Kind: "incident"})
	if err != nil || len(got) != 6 {
		t.Errorf("%d records, %v, want 6", len(got), err)
	}
}

func TestTheSchemaIsOfItsOwnAndLegibleWithPlainSQL(t *testing.T) {
	put(t, open(t, postgres.Config{Schema: "inquest"}), "INC-1")
	if got := sql(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); got != "0" {
		t.Errorf("%s tables in the schema public", got)
	}
	got := sql(t, "SELECT encode(id, 'escape'), convert_from(body, 'UTF8')::json ->> 'title', to_timestamp(time / 1e6) AT TIME ZONE 'UTC' FROM inquest.records WHERE kind = 'incident'")
	if want := "INC-1|checkout fails|2026-11-29 12:00:00"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAUserWithoutRightsToMakeASchemaIsServedOnceTheTablesAreThere(t *testing.T) {
	sql(t, "CREATE ROLE little LOGIN; CREATE DATABASE narrow; REVOKE ALL ON DATABASE narrow FROM PUBLIC; GRANT CONNECT ON DATABASE narrow TO little")
	url := strings.Replace(server.URL("narrow"), "inquest@", "little@", 1)
	_, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err == nil || !strings.Contains(err.Error(), "does not let this user do it") {
		t.Errorf("without any rights: %v", err)
	}
	put(t, open(t, postgres.Config{URL: server.URL("narrow"), Schema: "inquest"}), "a")
	sql(t, `\c narrow
		GRANT USAGE ON SCHEMA inquest TO little;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inquest TO little`)
	put(t, open(t, postgres.Config{URL: url, Schema: "inquest"}), "b")
}

func TestANewerDatabaseIsRefusedUnlessItAllowsThisProgram(t *testing.T) {
	c := postgres.Config{Schema: "future"}
	open(t, c)
	sql(t, "INSERT INTO future.migration VALUES (2, 1, 'of the future', 0)")
	put(t, open(t, c), "a")
	sql(t, "INSERT INTO future.migration VALUES (3, 2, 'of the future', 0)")
	c.URL = server.URL("postgres")
	_, err := postgres.Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "start the newer release of inquest, or restore a backup") {
		t.Errorf("%v does not say what to do", err)
	}
}

func TestCommitsAreOnTheDiskWhateverTheDefault(t *testing.T) {
	for _, c := range []struct{ set, want string }{{"off", "on"}, {"local", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"}} {
		s := open(t, postgres.Config{URL: server.URL("postgres") + "&options=-csynchronous_commit%3D" + c.set})
		var got string
		if err := postgres.DB(s).QueryRowContext(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&got); err != nil || got != c.want {
			t.Errorf("with %s as the default: %q, %v, want %q", c.set, got, err, c.want)
		}
	}
}

func TestOpenSaysWhatIsWrongAndKeepsThePasswordToItself(t *testing.T) {
	sql(t, "CREATE ROLE nologin NOLOGIN")
	for name, c := range map[string]struct{ url, want string }{
		"no connection string": {"", "is empty"},
		"nobody listens":       {"postgres://u:hunter2@127.0.0.1:1/db?sslmode=disable", "does not answer: see that it runs"},
		"no such host":         {"postgres://u:hunter2@db.invalid/db?sslmode=disable", "does not answer: see that it runs"},
		"no such database":     {server.URL("nothing"), "make the database first (createdb)"},
		"a user who may not":   {strings.Replace(server.URL("postgres"), "inquest@", "nologin:hunter2@", 1), "refuses user and password"},
		"not a URL":            {"postgres://u:hunter2@host:port/db", "cannot parse"},
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{URL: c.url})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %v", name, err)
		}
	}
}

func TestAReadOnlyServerIsTold(t *testing.T) {
	s := open(t, postgres.Config{})
	sql(t, "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()")
	defer sql(t, "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()")
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // until the sessions have read it
		err := s.Put(t.Context(), store.Record{Kind: "incident", ID: fmt.Sprint(time.Since(began))})
		if err != nil {
			if !strings.Contains(err.Error(), "is read-only, perhaps a standby: name the primary") {
				t.Error(err)
			}
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("it goes on writing")
		}
	}
}

// A server that hangs, or a network that swallows, must not hold its callers.
func TestACallEndsWhenPostgreSQLDoesNot(t *testing.T) {
	put(t, open(t, postgres.Config{Schema: "slow"}), "a")
	s := open(t, postgres.Config{Schema: "slow", Timeout: 3 * time.Second}) // of which its own start takes some
	release := hold(t, "LOCK TABLE slow.records")
	var wg sync.WaitGroup
	for what, call := range map[string]func() error{
		"Get":    func() error { _, err := s.Get(t.Context(), "incident", "a"); return err },
		"Put":    func() error { return s.Put(t.Context(), store.Record{Kind: "incident", ID: "b"}) },
		"Delete": func() error { _, err := s.Delete(t.Context(), "incident", noon); return err },
	} {
		wg.Go(func() {
			err := call()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 3s") || !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	wg.Wait()
	release()
	put(t, s, "c")
}

// hold keeps a transaction with a statement open until the returned function is called.
func hold(t *testing.T, statement string) func() {
	t.Helper()
	db := postgres.DB(open(t, postgres.Config{Connections: 1}))
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkRecords(b *testing.B) { storetest.Bench(b, open(b, postgres.Config{})) }
