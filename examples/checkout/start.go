package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// failure is a reason not to start: a person reads it in the log of a deployment.
func failure(format string, args ...any) error {
	return fmt.Errorf("STARTUP_FAILURE: "+format, args...)
}

// start makes everything that the service needs, or says all that is missing. Nothing is answered before it has returned.
func start(ctx context.Context, env func(string) string) (*store, *guards, error) {
	var missing []error
	for _, name := range []string{"DATABASE_URL", "PAYMENT_URL", "INVENTORY_URL"} {
		if env(name) == "" {
			missing = append(missing, failure("Required environment variable '%s' is not set.", name))
		}
	}
	if len(missing) > 0 {
		return nil, nil, errors.Join(missing...)
	}
	limit := 100 // requests a second and client
	if text := env("RATE_LIMIT"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, nil, failure("RATE_LIMIT is %q: say how many requests a second one client may send.", text)
		}
		limit = n
	}
	g, err := newGuards(limit)
	if err != nil {
		return nil, nil, failure("%w", err)
	}
	orders, err := openStore(env("DATABASE_URL"))
	if err != nil {
		return nil, nil, failure("%w", err)
	}
	if err := orders.check(ctx); err != nil {
		return nil, nil, errors.Join(err, orders.db.Close())
	}
	return orders, g, nil
}

// reachable tries the database a few times, as it may be starting too; the waits are drawn, so that a fleet does not come back
// all at once.
func (s *store) reachable(ctx context.Context) error {
	var err error
	for n := range 4 {
		if n > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration((0.5 + rand.Float64()) * float64(n) * float64(300*time.Millisecond))):
			}
		}
		one, cancel := context.WithTimeout(ctx, 3*time.Second)
		err = s.db.PingContext(one)
		cancel()
		if err == nil {
			return nil
		}
	}
	return failure("The database cannot be reached: %w.", err)
}

// check compares the database with what this build's statements name.
func (s *store) check(ctx context.Context) error {
	if err := s.reachable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var version int
	if err := s.db.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version); err != nil {
		return failure("The table schema_version cannot be read: %w. Run `checkout migrate` first.", err)
	}
	var wrong []error
	if version != schemaVersion {
		wrong = append(wrong, failure("The database's schema has version %d, this build needs %d. Run `checkout migrate` first.", version, schemaVersion))
	}
	for table, names := range columns {
		for _, name := range names {
			rows, err := s.db.QueryContext(ctx, "SELECT "+name+" FROM "+table+" LIMIT 0")
			if err != nil {
				wrong = append(wrong, failure("Column %s.%s, which this build uses, cannot be read: %w.", table, name, err))
				continue
			}
			_ = rows.Close() // holds no row
		}
	}
	return errors.Join(wrong...)
}
