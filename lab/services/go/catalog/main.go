// Command catalog answers which products there are, from a cache in front of the database.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	_ "github.com/lib/pq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"
)

var errMissing = errors.New("no such product")

type app struct {
	db      *sql.DB
	cache   *redis.Client
	log     *slog.Logger
	seconds *prometheus.HistogramVec
	cached  *prometheus.CounterVec
}

func main() {
	var h slog.Handler = slog.NewJSONHandler(os.Stdout, nil)
	if os.Getenv("LOG_FORMAT") == "text" {
		h = slog.NewTextHandler(os.Stdout, nil)
	}
	log := slog.New(h).With("service", "catalog", "version", os.Getenv("APP_VERSION"))
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Error("open database", "err", err)
		os.Exit(1)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(4)
	a := &app{db: db, log: log,
		cache:   redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR"), DialTimeout: 500 * time.Millisecond, ReadTimeout: 300 * time.Millisecond, MaxRetries: -1}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "Duration.", Buckets: []float64{0.02, 0.1, 0.5, 2, 5}}, []string{"route", "code"}),
		cached:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cache_requests_total", Help: "Look-ups."}, []string{"result"})}
	prometheus.MustRegister(a.seconds, a.cached, collectors.NewDBStatsCollector(db, "shop"))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	a.serve(mux, "GET /api/products", a.list)
	a.serve(mux, "GET /api/products/{id}", a.one)
	a.serve(mux, "GET /api/search", a.search)
	log.Info("catalog starting", "addr", os.Getenv("LISTEN"), "db_max_open", 8)
	if err := http.ListenAndServe(os.Getenv("LISTEN"), mux); err != nil {
		log.Error("serve", "err", err)
		os.Exit(1)
	}
}

func (a *app) serve(mux *http.ServeMux, route string, do func(*http.Request) (any, error)) {
	mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
		began, status, id := time.Now(), http.StatusOK, r.Header.Get("X-Request-Id")
		defer func() {
			if v := recover(); v != nil {
				status = http.StatusInternalServerError
				a.log.Error("panic recovered", "route", route, "request_id", id, "err", fmt.Sprint(v), "stack", string(debug.Stack()))
				http.Error(w, `{"error":"internal error"}`, status)
			}
			a.seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(time.Since(began).Seconds())
			a.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", status, "duration_ms", time.Since(began).Milliseconds(), "request_id", id)
		}()
		ctx, cancel := context.WithTimeout(r.Context(), 4*time.Second)
		defer cancel()
		v, err := do(r.WithContext(ctx))
		switch {
		case errors.Is(err, errMissing):
			status, v = http.StatusNotFound, map[string]string{"error": err.Error()}
		case err != nil:
			status, v = http.StatusInternalServerError, map[string]string{"error": "internal error"}
			a.log.Error("request failed", "route", route, "request_id", id, "err", err.Error())
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the client may be gone
	})
}
