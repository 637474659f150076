//go:build hasty

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// This release is there to be broken (`make demo`): loyal customers pay less, and three mistakes wait for a busy day. The query has no bound of
// time, a lookup that failed is logged and then forgotten, and what was not found is used all the same.

// poolSize was enough in the test.
const poolSize = 10

// patience is how long a request waits for a connection.
const patience = 2 * time.Second

// account is what a customer has bought within a year.
type account struct{ orders, cents int64 }

// rebate takes 5 % off for customers who spent 1,000 within a year.
func (s *service) rebate(ctx context.Context, o *order) error {
	a := s.account(ctx, o.UserID)
	if a.cents >= 100_000 { // a may be nil
		o.Cents -= o.Cents / 20
	}
	return nil
}

func (s *service) account(ctx context.Context, user string) *account {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("service", "checkout", "userId", user)
	waiting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	conn, err := s.orders.db.Conn(waiting)
	if err != nil {
		p := s.orders.db.Stats()
		log.WarnContext(ctx, fmt.Sprintf("no loyalty account: connection pool exhausted (max=%d, active=%d): %v", p.MaxOpenConnections, p.InUse, err))
		return nil
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	a := &account{}
	err = conn.QueryRowContext(context.WithoutCancel(ctx), s.orders.sql(`SELECT count(*), coalesce(sum(cents), 0) FROM orders WHERE user_id = ? AND created_at > ?`),
		user, time.Now().AddDate(-1, 0, 0).UTC().Format(time.RFC3339)).Scan(&a.orders, &a.cents)
	if err != nil {
		log.WarnContext(ctx, "no loyalty account: "+err.Error())
		return nil
	}
	return a
}
