package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

type account struct {
	ID      string `json:"id"`
	Owner   string `json:"owner"`
	Balance int64  `json:"balance_cents"`
}

func (s *server) account(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	var a account
	err := s.db.QueryRowContext(ctx, `select id, owner, balance from accounts where id = $1`, r.PathValue("id")).Scan(&a.ID, &a.Owner, &a.Balance)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load account %s: %w", r.PathValue("id"), err)
	}
	return a, nil
}

type entry struct {
	At    time.Time `json:"at"`
	Cents int64     `json:"cents"`
	Text  string    `json:"text"`
}

func (s *server) statement(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, `select at, cents, text from entries where account_id = $1 order by at desc limit 20`, r.PathValue("id"))
	if err != nil {
		return nil, fmt.Errorf("load statement: %w", err)
	}
	defer rows.Close()
	var entries []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.At, &e.Cents, &e.Text); err != nil {
			return nil, fmt.Errorf("read statement: %w", err)
		}
		entries = append(entries, e)
	}
	return summarise(entries), rows.Err()
}

func summarise(entries []entry) any {
	var sum int64
	for _, e := range entries {
		sum += e.Cents
	}
	return map[string]any{"entries": entries, "sum_cents": sum}
}

type transfer struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Cents int64  `json:"cents"`
	Text  string `json:"text"`
}

func (s *server) transfer(r *http.Request) (any, error) {
	var t transfer
	if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
		return nil, fmt.Errorf("decode transfer: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.db.ExecContext(ctx, `insert into entries (account_id, cents, text) values ($1, -$3::bigint, $4), ($2, $3::bigint, $4)`, t.From, t.To, t.Cents, t.Text); err != nil {
		return nil, fmt.Errorf("book transfer: %w", err)
	}
	return map[string]string{"status": "booked"}, nil
}
