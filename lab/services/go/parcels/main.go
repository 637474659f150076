// Command parcels is the dispatch service of a parcel carrier.
package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var responses = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parcels_http_responses_total", Help: "Responses."}, []string{"handler", "status"})

type app struct {
	db     *sql.DB
	quotes *http.Client
}

var errMissing = errors.New("missing")

func main() {
	log.SetOutput(os.Stdout)
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatalf("FATAL open database: %v", err)
	}
	limit, _ := strconv.Atoi(os.Getenv("DB_CONNS"))
	db.SetMaxOpenConns(max(limit, 8))
	db.SetMaxIdleConns(4)
	prometheus.MustRegister(responses, collectors.NewDBStatsCollector(db, "parcels"))
	a := &app{db: db, quotes: &http.Client{Timeout: 4 * time.Second}}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ready") })
	a.serve(mux, "GET /parcels/{id}", a.parcel)
	a.serve(mux, "GET /parcels/{id}/track", a.track)
	a.serve(mux, "POST /parcels", a.accept)
	a.serve(mux, "GET /depots", a.depots)
	a.serve(mux, "GET /quote", a.quote)
	log.Printf("INFO parcels %s serving on %s", os.Getenv("APP_VERSION"), os.Getenv("LISTEN"))
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), mux))
}

func (a *app) serve(mux *http.ServeMux, pattern string, do func(*http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status := http.StatusOK
		defer func() {
			if v := recover(); v != nil {
				status = http.StatusInternalServerError
				log.Printf("ERROR %s %s: recovered: %v\n%s", r.Method, r.URL.Path, v, debug.Stack())
				http.Error(w, `{"message":"internal error"}`, status)
			}
			responses.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
			log.Printf("INFO %s %s %d %dms", r.Method, r.URL.RequestURI(), status, time.Since(began).Milliseconds())
		}()
		v, err := do(r)
		if errors.Is(err, errMissing) {
			status, v = http.StatusNotFound, map[string]string{"message": "no such parcel"}
		} else if err != nil {
			status, v = http.StatusInternalServerError, map[string]string{"message": "internal error"}
			log.Printf("ERROR %s %s: %v", r.Method, r.URL.Path, err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the client may be gone
	})
}
