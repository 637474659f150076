package preflight

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Env checks that environment variables are set and not empty. Values are never told.
func Env(names ...string) Check {
	return Check{Name: "environment", Run: func(context.Context) []error {
		var problems []error
		for _, name := range names {
			if os.Getenv(name) == "" {
				problems = append(problems, fmt.Errorf("Required environment variable '%s' is not set.", name)) //nolint:revive // the documented sentence
			}
		}
		return problems
	}}
}

// Ping checks that something can be reached, such as a database with [sql.DB.PingContext]; it is retried.
func Ping(name string, f func(ctx context.Context) error) Check {
	return Check{Name: name, Retry: true, Run: func(ctx context.Context) []error {
		if err := f(ctx); err != nil {
			return []error{fmt.Errorf("%s cannot be reached: %w", name, err)}
		}
		return nil
	}}
}

// Files checks that files and folders exist and can be read by this user.
func Files(paths ...string) Check {
	return Check{Name: "files", Run: func(context.Context) []error {
		var problems []error
		for _, p := range paths {
			f, err := os.Open(p)
			if err != nil {
				problems = append(problems, fmt.Errorf("file '%s' cannot be read: %w", p, err))
				continue
			}
			_ = f.Close()
		}
		return problems
	}}
}

// Version checks the version of the schema: query must return one row with one value, such as
// SELECT max(version) FROM schema_migrations. It is retried: a migration may be under way.
func Version(db *sql.DB, query, want string) Check {
	return Check{Name: "schema version", Retry: true, Run: func(ctx context.Context) []error {
		var have sql.NullString
		if err := db.QueryRowContext(ctx, query).Scan(&have); err != nil {
			return []error{fmt.Errorf("schema version cannot be read: %w", err)}
		}
		if have.String != want {
			return []error{fmt.Errorf("schema version is '%s', this build needs '%s': run the migrations before the deploy", have.String, want)}
		}
		return nil
	}}
}

// Columns checks that a table has the columns that the code uses, in any SQL database. table and columns stand in a statement as they
// are: they are names from the program, never from a user.
func Columns(db *sql.DB, table string, columns ...string) Check {
	return Check{Name: "schema", Run: func(ctx context.Context) []error {
		rows, err := db.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1=0") //nolint:gosec // see above
		if err != nil {
			return []error{fmt.Errorf("table '%s' cannot be read: %w", table, err)}
		}
		defer func() { _ = rows.Close() }() // its fault, if any, is in rows.Err
		have, err := rows.Columns()
		if err != nil {
			return []error{fmt.Errorf("columns of table '%s' cannot be read: %w", table, err)}
		}
		var problems []error
		for _, c := range columns {
			if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, c) }) {
				problems = append(problems, fmt.Errorf("column '%s' of table '%s' does not exist, and this build uses it: run the migrations before the deploy, and drop a column only when no build uses it", c, table))
			}
		}
		if err := rows.Err(); err != nil {
			problems = append(problems, fmt.Errorf("table '%s': %w", table, err))
		}
		return problems
	}}
}
