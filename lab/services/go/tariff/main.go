// Command tariff tells what a risk costs: a small simulation for each question.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /premium", func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		age, err := strconv.Atoi(r.URL.Query().Get("age"))
		if err != nil {
			http.Error(w, `{"error":"age is no number"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"cents": premium(age)}) // the caller may be gone
		log.Info("premium", "age", age, "took", time.Since(began).Round(time.Millisecond).String())
	})
	log.Info("tariff starts", "version", os.Getenv("APP_VERSION"), "addr", os.Getenv("LISTEN"))
	if err := http.ListenAndServe(os.Getenv("LISTEN"), mux); err != nil {
		log.Error("serve", "err", err)
		os.Exit(1)
	}
}

// premium plays a few thousand lives through.
func premium(age int) int {
	sum, x := 0.0, uint64(age)*2654435761+1
	for range 120000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		u := float64(x%1000000)/1000000 + 1e-9
		sum += math.Exp(float64(age)/40) * -math.Log(u)
	}
	return int(sum / 120000 * 100)
}
