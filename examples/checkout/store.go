package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// schema is what migrations leave behind, in order. schemaVersion is what this build expects to find.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, cart_id TEXT NOT NULL, user_id TEXT NOT NULL, transaction_id TEXT NOT NULL, cents INTEGER NOT NULL, created_at TEXT NOT NULL)`,
	`CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, created_at)`,
}

const schemaVersion = "1"

// columns are those of orders that the statements below name.
var columns = []string{"id", "cart_id", "user_id", "transaction_id", "cents", "created_at"}

// store keeps the orders.
type store struct {
	db     *sql.DB
	dollar bool // PostgreSQL writes parameters as $1
}

// openStore chooses the driver by the URL: postgres://... or sqlite:FILE. It does not connect yet.
func openStore(url string) (*store, error) {
	s := &store{}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		s.dollar = true
		s.db, err = sql.Open("pgx", url)
	case "sqlite":
		s.db, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(rest, "//")+"?_pragma=busy_timeout(5000)")
	default:
		return nil, fmt.Errorf("DATABASE_URL begins with %q: say postgres://user@host/database or sqlite:FILE", scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	s.db.SetMaxOpenConns(poolSize)
	s.db.SetMaxIdleConns(poolSize)
	s.db.SetConnMaxLifetime(30 * time.Minute)
	return s, nil
}

// migrate makes the tables; `checkout migrate` runs it, before the new version is started.
func (s *store) migrate(ctx context.Context) error {
	for _, stmt := range schema {
		if _, err := s.db.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM schema_version`); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES (`+schemaVersion+`)`); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// order is a confirmed order.
type order struct {
	ID, CartID, UserID, TransactionID string
	Cents                             int64
	Created                           time.Time
}

func (s *store) insert(ctx context.Context, o order) error {
	_, err := s.db.ExecContext(ctx, s.sql(`INSERT INTO orders (id, cart_id, user_id, transaction_id, cents, created_at) VALUES (?, ?, ?, ?, ?, ?)`),
		o.ID, o.CartID, o.UserID, o.TransactionID, o.Cents, o.Created.UTC().Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("insert order: %w", err)
	}
	return nil
}

// sql writes the parameters of a statement the way the database wants them.
func (s *store) sql(stmt string) string {
	if !s.dollar {
		return stmt
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(stmt, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		fmt.Fprintf(&b, "$%d", n)
		stmt = after
	}
}
