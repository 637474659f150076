// Package postgres keeps store.Records in PostgreSQL, for servers on several machines. Its tables are in a schema of their own.
// When Put returns nil, PostgreSQL has the records on its disk, even where the server's default says synchronous_commit=off; fsync=off breaks
// the promise. A connection that PostgreSQL has cut, by a restart or a failover, is replaced; while no server answers, calls fail at once and say so.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/inquesthq/inquest/internal/store/sqlrecords"
)

// Config of Open.
type Config struct {
	// URL is a connection string of libpq, "postgres://user@host/database" or "host=... user=...". Several hosts and
	// target_session_attrs=read-write find the primary after a failover. A pooler in front must pool sessions, not transactions.
	URL         string
	Schema      string                 // default "inquest"; it is made where it is missing
	Connections int                    // at most; default 8
	Timeout     time.Duration          // of one call's transaction; default 30 s
	Migrations  []sqlrecords.Migration // default: what the program ships
}

// Store is store.Records, store.Keeper and store.Leaders in PostgreSQL.
type Store struct {
	*sqlrecords.Records
	db *sql.DB
}

// Open connects, and brings the schema to this program's version.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.URL == "" {
		return nil, errors.New("postgres: the connection string is empty")
	}
	if c.Schema == "" {
		c.Schema = "inquest"
	}
	if c.Connections <= 0 {
		c.Connections = 8
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	conf, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err) // it hides the password
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = 5 * time.Second
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "inquest"
	}
	db := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(prepareSession))
	db.SetMaxOpenConns(c.Connections)
	db.SetMaxIdleConns(c.Connections)
	s := &Store{db: db}
	where := fmt.Sprintf("PostgreSQL at %s:%d, database %s", conf.Host, conf.Port, conf.Database)
	s.Records, err = sqlrecords.New(sqlrecords.Config{Read: db, Write: db, Dialect: dialect(c.Schema, where), Timeout: c.Timeout,
		Attempts:   c.Connections + 2, // each connection in the pool may be one that was cut
		Migrations: c.Migrations})
	if err == nil {
		err = s.Migrate(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the connections. It is safe to call once, after all other calls have returned.
func (s *Store) Close() error { return s.db.Close() }

// prepareSession sets what a session needs, and leaves alone what is stricter already.
//   - synchronous_commit: off would lose the last commits with the server.
//   - idle_in_transaction_session_timeout and the keepalives: a server that vanished in the middle of a transaction, with its machine or its
//     network, must not keep its locks for the two hours that TCP takes to notice.
func prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', false) END,
		set_config('idle_in_transaction_session_timeout', '60s', false),
		set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)`)
	return err
}

func dialect(schema, where string) sqlrecords.Dialect {
	quoted := pgx.Identifier{schema}.Sanitize()
	literal := func(s string) string { return "'" + doubled(s) + "'" }
	return sqlrecords.Dialect{
		Prefix: quoted + ".", Bytes: "bytea", Integer: "bigint", // text refuses NUL and what is not UTF-8, and sorts by locale
		ForUpdate: " FOR UPDATE", Skip: " FOR UPDATE SKIP LOCKED",
		Now:    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		Exists: "SELECT to_regclass(" + literal(quoted+".migration") + ") IS NOT NULL",
		Prepare: func(ctx context.Context, tx *sql.Tx) error {
			return prepareSchema(ctx, tx, schema, quoted)
		},
		ID: func(id string) any { return []byte(id) },
		Body: func(body []byte) any {
			if body == nil {
				return []byte{} // nil would be NULL
			}
			return body
		},
		Again:   again,
		Explain: func(err error) error { return explain(where, err) },
	}
}

// prepareSchema makes the schema. Servers that start together do it one after the other.
func prepareSchema(ctx context.Context, tx *sql.Tx, schema, quoted string) error {
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "inquest schema "+schema); err != nil {
		return err
	}
	var exists bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regnamespace($1) IS NOT NULL", quoted).Scan(&exists); err != nil || exists {
		return err
	}
	_, err := tx.ExecContext(ctx, "CREATE SCHEMA "+quoted) // IF NOT EXISTS would want the right to make one even where it exists
	return err
}
