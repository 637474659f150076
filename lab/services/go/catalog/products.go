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

type product struct {
	ID    int64  `json:"id"`
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Cents int    `json:"cents"`
	Stock int    `json:"stock"`
}

type tier struct {
	From  int `json:"from"`
	Cents int `json:"cents"`
}

// unitPrice is the price of a single piece: tiers are sorted, the first begins at one.
func unitPrice(tiers []tier) int {
	return tiers[0].Cents
}

// through answers from the cache, or loads and keeps for a while; without a cache it loads every time.
func through[T any](ctx context.Context, a *app, key string, load func() (T, error)) (T, error) {
	var v T
	text, err := a.cache.Get(ctx, key).Bytes()
	if err == nil && json.Unmarshal(text, &v) == nil {
		a.cached.WithLabelValues("hit").Inc()
		return v, nil
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		a.cached.WithLabelValues("error").Inc()
		a.log.Warn("cache get failed, falling back to database", "key", key, "err", err.Error())
	} else {
		a.cached.WithLabelValues("miss").Inc()
	}
	if v, err = load(); err != nil {
		return v, err
	}
	if text, err = json.Marshal(v); err == nil {
		if err := a.cache.Set(ctx, key, text, time.Minute).Err(); err != nil {
			a.log.Warn("cache set failed", "key", key, "err", err.Error())
		}
	}
	return v, nil
}

func (a *app) list(r *http.Request) (any, error) {
	category := r.URL.Query().Get("category")
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	return through(r.Context(), a, fmt.Sprintf("list:%s:%d", category, page), func() ([]product, error) {
		return a.products(r.Context(), "list products", `SELECT id, sku, name, stock, tiers FROM products WHERE category = $1 ORDER BY id LIMIT 24 OFFSET $2`, category, page*24)
	})
}

func (a *app) search(r *http.Request) (any, error) {
	q := r.URL.Query().Get("q")
	return through(r.Context(), a, "search:"+q, func() ([]product, error) {
		return a.products(r.Context(), "search products", `SELECT id, sku, name, stock, tiers FROM products WHERE name ILIKE '%' || $1 || '%' ORDER BY stock DESC, id LIMIT 24`, q)
	})
}

func (a *app) one(r *http.Request) (any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return nil, errMissing
	}
	return through(r.Context(), a, fmt.Sprintf("product:%d", id), func() (product, error) {
		found, err := a.products(r.Context(), "load product", `SELECT id, sku, name, stock, tiers FROM products WHERE id = $1`, id)
		if err != nil {
			return product{}, err
		}
		if len(found) == 0 {
			return product{}, errMissing
		}
		return found[0], nil
	})
}

func (a *app) products(ctx context.Context, what, text string, args ...any) ([]product, error) {
	rows, err := a.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	out := []product{}
	for rows.Next() {
		var p product
		var raw []byte
		if err := rows.Scan(&p.ID, &p.SKU, &p.Name, &p.Stock, &raw); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		var tiers []tier
		if err := json.Unmarshal(raw, &tiers); err != nil {
			return nil, fmt.Errorf("%s: tiers of %s: %w", what, p.SKU, err)
		}
		p.Cents = unitPrice(tiers)
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}
