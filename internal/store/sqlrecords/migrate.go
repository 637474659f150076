package sqlrecords

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Migration is one step of the schema. Its version is its place in the list, from 1 on. A step is never edited after its release.
type Migration struct {
	Name string
	// Oldest is the oldest version that a program may know to go on working with what this step leaves. A step must leave what the release
	// before it can use: add first, remove one release later. So servers are upgraded one by one, and an upgrade can be taken back.
	Oldest int
	SQL    []string
}

// Shipped is the schema of this program.
func Shipped(d Dialect) []Migration {
	r := strings.NewReplacer("{prefix}", d.Prefix, "{bytes}", d.Bytes, "{integer}", d.Integer, "{strict}", d.Strict)
	first := Migration{Name: "records and leases", Oldest: 1, SQL: []string{
		`CREATE TABLE {prefix}records (kind text NOT NULL, id {bytes} NOT NULL, parent {bytes} NOT NULL, state text NOT NULL,
			time {integer} NOT NULL, version {integer} NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (kind, id)){strict}`,
		`CREATE INDEX records_time ON {prefix}records (kind, time, id)`,
		`CREATE INDEX records_parent ON {prefix}records (kind, parent, time, id)`,
		`CREATE INDEX records_state ON {prefix}records (kind, state, time, id)`,
		`CREATE TABLE {prefix}leases (task text PRIMARY KEY, holder {bytes} NOT NULL, taken {integer} NOT NULL, until {integer} NOT NULL){strict}`,
	}}
	for i, q := range first.SQL {
		first.SQL[i] = r.Replace(q)
	}
	return []Migration{first}
}

// Migrate brings the database to this program's schema, all steps or none, and refuses a database that is too new.
func (r *Records) Migrate(ctx context.Context) error {
	return r.change(ctx, "check the schema", func(ctx context.Context, tx *sql.Tx) error {
		if prepare := r.c.Dialect.Prepare; prepare != nil {
			if err := prepare(ctx, tx); err != nil {
				return err
			}
		}
		version, oldest, err := r.schema(ctx, tx)
		if err != nil {
			return err
		}
		if known := len(r.c.Migrations); oldest > known {
			return fmt.Errorf("the database has schema %d, which programs that know schema %d and up can use, and this one knows %d: "+
				"start the newer release of inquest, or restore a backup from before its upgrade", version, oldest, known)
		}
		for i := version; i < len(r.c.Migrations); i++ {
			if err := r.migrate(ctx, tx, i+1, r.c.Migrations[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// schema returns the version of the schema that the database has, 0 for none, and the oldest that a program may know.
func (r *Records) schema(ctx context.Context, tx *sql.Tx) (version, oldest int, err error) {
	var exists bool
	if err := tx.QueryRowContext(ctx, r.c.Dialect.Exists).Scan(&exists); err != nil {
		return 0, 0, err
	}
	if !exists {
		d := r.c.Dialect
		_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TABLE %s (version %[2]s PRIMARY KEY, oldest %[2]s NOT NULL, name text NOT NULL, applied %[2]s NOT NULL)%s",
			r.migration, d.Integer, d.Strict))
		return 0, 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT version, oldest FROM "+r.migration+" ORDER BY version DESC LIMIT 1").Scan(&version, &oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	return version, oldest, err
}

func (r *Records) migrate(ctx context.Context, tx *sql.Tx, version int, m Migration) error {
	for _, q := range m.SQL {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("migration %d, %s: %w", version, m.Name, err)
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (version, oldest, name, applied) VALUES ($1, $2, $3, %s)", r.migration, r.c.Dialect.Now),
		version, m.Oldest, m.Name)
	return err
}
