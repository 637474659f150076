// Command plays counts what people listen to.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"
)

var duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_server_request_duration_seconds", Help: "Time to answer.", Buckets: []float64{0.01, 0.05, 0.25, 1, 3}},
	[]string{"http_route", "http_response_status_code"})

type server struct {
	kv   *redis.Client
	keys []string
}

type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (s *server) handle(mux *http.ServeMux, route string, do func(http.ResponseWriter, *http.Request) error) {
	mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		a := &answer{w, http.StatusOK}
		w.Header().Set("Content-Type", "application/json")
		if !s.allowed(r) {
			http.Error(a, `{"error":"api key is not valid"}`, http.StatusUnauthorized)
		} else if err := do(a, r); err != nil {
			log.Printf("[ERROR] %s %s: %v", r.Method, r.URL.Path, err)
			http.Error(a, `{"error":"internal"}`, http.StatusInternalServerError)
		}
		duration.WithLabelValues(route, strconv.Itoa(a.status)).Observe(time.Since(began).Seconds())
		log.Printf("[INFO] %s %s %d %s rid=%s", r.Method, r.URL.Path, a.status, time.Since(began).Round(10*time.Microsecond), r.Header.Get("X-Request-Id"))
	})
}

func (s *server) allowed(r *http.Request) bool {
	if len(s.keys) == 0 {
		return true
	}
	for _, k := range s.keys {
		if r.Header.Get("X-Api-Key") == k {
			return true
		}
	}
	return false
}

func (s *server) play(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Track   int    `json:"track"`
		Country string `json:"country"`
		ID      int    `json:"id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Track == 0 {
		http.Error(w, `{"error":"track is missing"}`, http.StatusUnprocessableEntity)
		return nil
	}
	if err := s.kv.ZIncrBy(r.Context(), "chart:"+in.Country, 1, strconv.Itoa(in.Track)).Err(); err != nil {
		return fmt.Errorf("count play of track %d: %w", in.Track, err)
	}
	if err := s.kv.Set(r.Context(), fmt.Sprintf("listener:%d", in.ID), in.Track, time.Hour).Err(); err != nil {
		return fmt.Errorf("remember listener %d: %w", in.ID, err)
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintln(w, `{"ok":true}`)
	return nil
}

func (s *server) charts(w http.ResponseWriter, r *http.Request) error {
	top, err := s.kv.ZRevRangeWithScores(r.Context(), "chart:"+r.PathValue("country"), 0, 19).Result()
	if err != nil {
		return fmt.Errorf("read chart: %w", err)
	}
	return json.NewEncoder(w).Encode(top)
}

func (s *server) listener(w http.ResponseWriter, r *http.Request) error {
	track, err := s.kv.Get(r.Context(), "listener:"+r.PathValue("id")).Result()
	if errors.Is(err, redis.Nil) {
		http.Error(w, `{"error":"has not listened to anything"}`, http.StatusNotFound)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read listener: %w", err)
	}
	return json.NewEncoder(w).Encode(map[string]string{"last_track": track})
}

func main() {
	log.SetFlags(log.Ldate | log.Ltime | log.Lmicroseconds)
	log.SetOutput(os.Stdout)
	prometheus.MustRegister(duration)
	s := &server{kv: redis.NewClient(&redis.Options{Addr: os.Getenv("KV_ADDR"), ReadTimeout: 2 * time.Second, MaxRetries: 1})}
	if k := os.Getenv("API_KEYS"); k != "" {
		s.keys = strings.Split(k, ",")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.Handle("GET /metrics", promhttp.Handler())
	s.handle(mux, "POST /plays", s.play)
	s.handle(mux, "GET /charts/{country}", s.charts)
	s.handle(mux, "GET /listeners/{id}", s.listener)
	srv := &http.Server{Addr: os.Getenv("LISTEN"), Handler: mux}
	go func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		<-c
		log.Print("[INFO] draining connections")
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}()
	log.Printf("[INFO] plays %s listens on %s, kv at %s", os.Getenv("APP_VERSION"), srv.Addr, os.Getenv("KV_ADDR"))
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("[FATAL] listen: %v", err)
	}
	time.Sleep(300 * time.Millisecond)
}
