// Command journey is the front of a travel agency: it asks the services behind it and puts pages together.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"
)

type front struct {
	log    *slog.Logger
	client *http.Client
}

var errMissing = errors.New("missing")

func main() {
	f := &front{log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), client: &http.Client{Timeout: 5 * time.Second}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	f.serve(mux, "GET /trips", f.trips)
	f.serve(mux, "GET /trips/{id}", f.trip)
	f.serve(mux, "GET /trips/{id}/insurance", func(r *http.Request) (any, error) {
		return f.ask(r, http.MethodGet, "/quotes?age="+r.URL.Query().Get("age"), nil)
	})
	f.serve(mux, "POST /insurances", func(r *http.Request) (any, error) { return f.ask(r, http.MethodPost, "/policies", r.Body) })
	f.log.Info("journey listening", "version", os.Getenv("APP_VERSION"), "addr", os.Getenv("LISTEN"))
	if err := http.ListenAndServe(os.Getenv("LISTEN"), mux); err != nil {
		f.log.Error("serve", "err", err)
		os.Exit(1)
	}
}

func (f *front) serve(mux *http.ServeMux, pattern string, do func(*http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		began, status := time.Now(), http.StatusOK
		v, err := do(r)
		switch {
		case errors.Is(err, errMissing):
			status, v = http.StatusNotFound, map[string]string{"error": "no such trip"}
		case err != nil:
			status, v = http.StatusBadGateway, map[string]string{"error": "try again later"}
			f.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the caller may be gone
		f.log.Info("http", "client", r.RemoteAddr, "method", r.Method, "path", r.URL.RequestURI(), "route", pattern, "status", status, "ms", time.Since(began).Milliseconds())
	})
}

func (f *front) trips(*http.Request) (any, error) {
	out := make([]string, 0, 20)
	for i := range 20 {
		out = append(out, fmt.Sprintf("trip-%d", i+1))
	}
	return out, nil
}

func (f *front) trip(r *http.Request) (any, error) {
	if len(r.PathValue("id")) > 3 {
		return nil, errMissing
	}
	return map[string]any{"id": r.PathValue("id"), "nights": 7}, nil
}

func (f *front) ask(r *http.Request, method, path string, body io.Reader) (any, error) {
	req, err := http.NewRequestWithContext(r.Context(), method, os.Getenv("COVER_URL")+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cover: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("cover: %w", err)
	}
	if resp.StatusCode >= 400 {
		return nil, fmt.Errorf("cover answered %d to %s", resp.StatusCode, path)
	}
	return json.RawMessage(text), nil
}
