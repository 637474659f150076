// Package sqlrecords keeps store.Records in a SQL database: the tables, their migrations, and the statements that SQLite and PostgreSQL share.
// What the two say differently is a Dialect. It promises what the contracts in internal/store promise, as far as the database keeps a commit;
// the rooms sqlite and postgres see to that. It does not look into bodies, and it keeps nothing in memory.
package sqlrecords

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// Limits of a record. PostgreSQL's indexes hold at most 2,704 bytes a row, and both databases must take the same records.
const (
	MaxWord = 64       // bytes of a kind or a state
	MaxID   = 1024     // bytes of an id or a parent
	MaxBody = 64 << 20 // bytes of a body: it is in memory several times while it is written
)

// Dialect is what databases say differently.
type Dialect struct {
	Prefix    string // of every table's name: "" or `"schema".`
	Bytes     string // column type of ids and bodies, which may hold any bytes, and are ordered byte by byte
	Integer   string // column type of 64-bit integers
	Strict    string // ends a CREATE TABLE
	ForUpdate string // ends a SELECT whose rows the transaction will change: it waits for others that change them
	Skip      string // likewise, but leaves out rows that others change
	Now       string // expression: the database's clock when it is evaluated, microseconds since 1970
	Exists    string // query: whether the table of migrations is there

	// Prepare readies the transaction that migrates: alone, and in a schema that exists. Nil where nothing is to be done.
	Prepare func(ctx context.Context, tx *sql.Tx) error
	ID      func(string) any // binds an id or a parent
	Body    func([]byte) any // binds a body
	// Again reports whether a transaction that failed so, before its commit, may be tried once more.
	Again func(error) bool
	// Explain gives an error of the database its remedy, and wraps store.ErrCorrupt where that is what it means.
	Explain func(error) error
}

// Config of New. Everything but Timeout and Migrations is required.
type Config struct {
	Read, Write *sql.DB // may be the same
	Dialect     Dialect
	Attempts    int           // for what Dialect.Again allows; at least 1
	Timeout     time.Duration // of one transaction; 0: none but the caller's
	Migrations  []Migration   // default: Shipped(Dialect)
}

// Records is store.Records, store.Keeper and store.Leaders in a SQL database. Safe for concurrent use.
type Records struct {
	c                 Config
	records, leases   string // qualified names of tables
	migration         string
	insert, supersede string // ends of an INSERT
}

// New checks the settings. It does not touch the database: call Migrate before anything else.
func New(c Config) (*Records, error) {
	d := c.Dialect
	switch {
	case c.Read == nil || c.Write == nil:
		return nil, errors.New("sqlrecords: Read and Write are required")
	case d.Bytes == "" || d.Integer == "" || d.Now == "" || d.Exists == "" || d.ID == nil || d.Body == nil || d.Again == nil || d.Explain == nil:
		return nil, errors.New("sqlrecords: the dialect is not complete")
	}
	c.Attempts = max(1, c.Attempts)
	if c.Migrations == nil {
		c.Migrations = Shipped(d)
	}
	for i, m := range c.Migrations {
		if i > 0 && m.Oldest > i {
			return nil, fmt.Errorf("sqlrecords: migration %d %q shuts out the release before it", i+1, m.Name)
		}
	}
	return &Records{
		c: c, records: d.Prefix + "records", leases: d.Prefix + "leases", migration: d.Prefix + "migration",
		insert: " ON CONFLICT (kind, id) DO NOTHING RETURNING kind, id",
		supersede: " ON CONFLICT (kind, id) DO UPDATE SET parent = excluded.parent, state = excluded.state, time = excluded.time," +
			" version = excluded.version, body = excluded.body",
	}, nil
}

// Get returns one record, or store.ErrNotFound.
func (r *Records) Get(ctx context.Context, kind, id string) (store.Record, error) {
	what := fmt.Sprintf("read %s %q", kind, id)
	if err := checkWord("kind", kind); err != nil {
		return store.Record{}, fmt.Errorf("%s: %w", what, err)
	}
	var rec store.Record
	err := r.do(ctx, what, func(ctx context.Context) error {
		row := r.c.Read.QueryRowContext(ctx, "SELECT "+columns+" FROM "+r.records+" WHERE kind = $1 AND id = $2", kind, r.c.Dialect.ID(id))
		err := scan(row.Scan, &rec)
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return store.Record{}, err
	}
	return rec, nil
}

const columns = "kind, id, parent, state, time, version, body"

func scan(from func(...any) error, rec *store.Record) error {
	var micros int64
	if err := from(&rec.Kind, &rec.ID, &rec.Parent, &rec.State, &micros, &rec.Version, &rec.Body); err != nil {
		return err
	}
	rec.Time = time.UnixMicro(micros).UTC()
	return nil
}

// do runs f, again where that is safe, and says in the error what was tried.
func (r *Records) do(ctx context.Context, what string, f func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := r.once(ctx, f)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, ended(ctx, err))
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("%s: %w", what, err)
		case attempt >= r.c.Attempts || !r.c.Dialect.Again(err) || errors.As(err, new(*commitError)):
			return fmt.Errorf("%s: %w", what, r.c.Dialect.Explain(err))
		}
	}
}

func (r *Records) once(ctx context.Context, f func(context.Context) error) error {
	if r.c.Timeout <= 0 {
		return f(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.c.Timeout, fmt.Errorf("no answer within %s: %w", r.c.Timeout, context.DeadlineExceeded))
	defer cancel()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		return ended(ctx, err)
	}
	return err
}

// ended says that the context ended the call, where drivers say "interrupted" and the like, and keeps what is known of the commit.
func ended(ctx context.Context, err error) error {
	if errors.As(err, new(*commitError)) {
		return &commitError{context.Cause(ctx)}
	}
	return context.Cause(ctx)
}

// commitError marks an error after which nobody knows whether the transaction was kept.
type commitError struct{ err error }

func (e *commitError) Error() string {
	return "while it was committed, so it may have been written or not, read it again: " + e.err.Error()
}
func (e *commitError) Unwrap() error { return e.err }

// change runs f in a transaction for writing.
func (r *Records) change(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	return r.do(ctx, what, func(ctx context.Context) error {
		tx, err := r.c.Write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(ctx, tx); err != nil {
			_ = tx.Rollback() // it fails where the database has rolled back by itself
			return err
		}
		if err := tx.Commit(); err != nil {
			return &commitError{err}
		}
		return nil
	})
}
