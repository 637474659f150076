// Command ledger is the accounts API of a bank.
package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"route", "code"})

type server struct {
	db    *sql.DB
	rates *rates
	log   *slog.Logger
}

func main() {
	log := newLogger()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Error("bad DATABASE_URL", "err", err)
		os.Exit(1)
	}
	maxOpen, _ := strconv.Atoi(os.Getenv("DB_MAX_OPEN"))
	if maxOpen == 0 {
		maxOpen = 12
	}
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(4)
	db.SetConnMaxLifetime(30 * time.Second)
	reg := prometheus.DefaultRegisterer
	reg.MustRegister(requests, collectors.NewDBStatsCollector(db, "ledger"))
	s := &server{db: db, rates: newRates(os.Getenv("RATES_URL")), log: log}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, map[string]string{"status": "ok"}) })
	s.handle(mux, "GET /accounts/{id}", s.account)
	s.handle(mux, "GET /accounts/{id}/statement", s.statement)
	s.handle(mux, "POST /transfers", s.transfer)
	s.handle(mux, "GET /fx/{currency}", s.fx)
	log.Info("listening", "addr", os.Getenv("LISTEN"), "version", os.Getenv("APP_VERSION"))
	log.Error("server ended", "err", http.ListenAndServe(os.Getenv("LISTEN"), mux))
	os.Exit(1)
}

func newLogger() *slog.Logger {
	if os.Getenv("LOG_FORMAT") == "json" {
		return slog.New(slog.NewJSONHandler(os.Stdout, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stdout, nil))
}

var errNotFound = errors.New("not found")

func (s *server) handle(mux *http.ServeMux, route string, f func(*http.Request) (any, error)) {
	mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		v, err := f(r)
		code := 200
		switch {
		case errors.Is(err, errNotFound):
			code, v = 404, map[string]string{"error": "NOT_FOUND"}
		case err != nil:
			code, v = 500, map[string]string{"error": "INTERNAL"}
			s.log.Error("request failed", "route", route, "path", r.URL.Path, "request_id", r.Header.Get("X-Request-Id"), "err", err.Error())
		}
		requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
		reply(w, code, v)
		s.log.Info("request", "route", route, "code", code, "duration", time.Since(began).Round(time.Microsecond).String())
	})
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
