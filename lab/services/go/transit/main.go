// Command transit tells when the next bus comes.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var served = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_server_request_duration_seconds", Help: "Requests.", Buckets: []float64{0.01, 0.1, 1}}, []string{"route", "code"})

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	prometheus.MustRegister(served)
	mux := http.NewServeMux()
	routes(mux)
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	slog.Info("transit ready", "version", os.Getenv("APP_VERSION"), "addr", os.Getenv("LISTEN"))
	if err := http.ListenAndServe(os.Getenv("LISTEN"), mux); err != nil {
		slog.Error("serve", "err", err)
		os.Exit(1)
	}
}

func routes(mux *http.ServeMux) {
	handle(mux, "GET /stops/{stop}", stop)
	handle(mux, "GET /stops/{stop}/departures", departures)
	handle(mux, "GET /lines/{line}", line)
	handle(mux, "POST /tickets", ticket)
}

func handle(mux *http.ServeMux, pattern string, do func(*http.Request) (int, any)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status, v := do(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the client may be gone
		served.WithLabelValues(pattern, strconv.Itoa(status)).Observe(time.Since(began).Seconds())
		slog.Info("served", "route", pattern, "path", r.URL.Path, "status", status, "request_id", r.Header.Get("X-Request-Id"))
	})
}

func stop(r *http.Request) (int, any) {
	n, err := strconv.Atoi(r.PathValue("stop"))
	if err != nil || n > 900 {
		return http.StatusNotFound, map[string]string{"error": "no such stop"}
	}
	return http.StatusOK, map[string]any{"stop": n, "name": fmt.Sprintf("Stop %d", n)}
}

func departures(r *http.Request) (int, any) {
	var out []string
	for i := range 6 {
		out = append(out, time.Now().Add(time.Duration(i*7)*time.Minute).Format("15:04"))
	}
	return http.StatusOK, map[string]any{"stop": r.PathValue("stop"), "next": out}
}

func line(r *http.Request) (int, any) {
	return http.StatusOK, map[string]any{"line": r.PathValue("line"), "stops": []int{4, 8, 15, 16, 23, 42}}
}

func ticket(r *http.Request) (int, any) {
	var in struct {
		Zone int `json:"zone"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return http.StatusBadRequest, map[string]string{"error": "no ticket order"}
	}
	return http.StatusCreated, map[string]any{"zone": in.Zone, "cents": 180 + in.Zone*60}
}
