package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

type sailing struct {
	ID     int64   `json:"id"`
	Code   string  `json:"code"`
	Vessel string  `json:"vessel"`
	Seats  int     `json:"seats"`
	Cents  int     `json:"cents"`
	Notice *notice `json:"notice,omitempty"`
}

type notice struct {
	Text string `json:"text"`
}

// through answers from the cache, or loads and keeps for a minute; without a cache it loads every time.
func through[T any](ctx context.Context, a *app, key string, load func() (T, error)) (T, error) {
	var v T
	text, err := a.cache.Get(ctx, key).Bytes()
	if err == nil && json.Unmarshal(text, &v) == nil {
		cached.WithLabelValues("hit").Inc()
		return v, nil
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		cached.WithLabelValues("error").Inc()
		a.log.Warn("cache read failed, asking the database", "key", key, "err", err.Error())
	} else {
		cached.WithLabelValues("miss").Inc()
	}
	if v, err = load(); err != nil {
		return v, err
	}
	if text, err = json.Marshal(v); err == nil {
		if err := a.cache.Set(ctx, key, text, time.Minute).Err(); err != nil {
			a.log.Warn("cache write failed", "key", key, "err", err.Error())
		}
	}
	return v, nil
}

// list shows the sailings of a line on a day with the seats that are left.
func (a *app) list(r *http.Request) (any, error) {
	line, _ := strconv.Atoi(r.URL.Query().Get("line"))
	day, _ := strconv.Atoi(r.URL.Query().Get("day"))
	return through(r.Context(), a, fmt.Sprintf("list:%d:%d", line, day), func() ([]sailing, error) {
		return a.query(r.Context(), `select s.id, s.code, s.vessel, s.seats - coalesce((select sum(b.seats) from bookings b where b.sailing_id = s.id and md5(b.note) <> ''), 0), s.price_cents
			from sailings s where line = $1 and day = $2 order by s.code limit 30`, line, day)
	})
}

func (a *app) search(r *http.Request) (any, error) {
	q := r.URL.Query().Get("q")
	return through(r.Context(), a, "search:"+q, func() ([]sailing, error) {
		return a.query(r.Context(), `select id, code, vessel, seats, price_cents from sailings where vessel || ' ' || note ilike '%' || $1 || '%' order by code limit 20`, q)
	})
}

func (a *app) query(ctx context.Context, text string, args ...any) ([]sailing, error) {
	rows, err := a.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("query sailings: %w", err)
	}
	defer rows.Close()
	out := []sailing{}
	for rows.Next() {
		var s sailing
		if err := rows.Scan(&s.ID, &s.Code, &s.Vessel, &s.Seats, &s.Cents); err != nil {
			return nil, fmt.Errorf("read sailing: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func (a *app) one(r *http.Request) (any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return nil, errMissing
	}
	return through(r.Context(), a, fmt.Sprintf("one:%d", id), func() (sailing, error) {
		found, err := a.query(r.Context(), `select id, code, vessel, seats, price_cents from sailings where id = $1`, id)
		if err != nil {
			return sailing{}, err
		}
		if len(found) == 0 {
			return sailing{}, errMissing
		}
		return found[0], nil
	})
}
