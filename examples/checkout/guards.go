package main

import (
	"context"
	"net/http"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/policy"
)

// guards is all that stands between the business and what fails: everything of guard that the service uses is in this file.
type guards struct {
	guard                        *guard.Guard
	payment, inventory, database *guard.Dependency
}

func newGuards(perSecond int) (*guards, error) {
	g := &guards{}
	var err error
	add := func(d **guard.Dependency, all *guard.Registry, name string, failures int, openFor time.Duration, most int) {
		if err == nil {
			*d, err = all.Add(guard.DependencyConfig{Name: name, Breaker: policy.BreakerConfig{Failures: failures, OpenFor: openFor}, Bulkhead: policy.BulkheadConfig{InFlight: most},
				FailureStatuses: append(policy.FailureStatuses(), http.StatusInternalServerError)}) // what cannot charge a card is down, whatever it calls it
		}
	}
	var all guard.Registry
	add(&g.payment, &all, "payment", 5, 30*time.Second, 50)
	add(&g.inventory, &all, "inventory", 3, 15*time.Second, 50)
	add(&g.database, &all, "database", 5, 5*time.Second, 100)
	if err != nil {
		return nil, err
	}
	rates, err := policy.NewKeyedRateLimiter(policy.RateConfig{Name: "default", Limit: perSecond}, 0)
	if err != nil {
		return nil, err
	}
	g.guard, err = guard.New(guard.Config{Service: "checkout", Rates: rates})
	return g, err
}

func (g *guards) service(orders *store, paymentURL, inventoryURL string) *service {
	return &service{
		orders: orders, query: g.database.Do,
		payment:   payment{peer{paymentURL, &http.Client{Transport: g.payment.Transport(nil)}}},
		inventory: inventory{peer{inventoryURL, &http.Client{Transport: g.inventory.Transport(nil)}}},
	}
}

func (g *guards) handler(s *service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/checkout/complete", g.guard.Handle(s.complete))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.Handle("GET /readyz", g.guard.Handle(func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), 400*time.Millisecond)
		defer cancel()
		if err := s.orders.db.PingContext(ctx); err != nil {
			return guard.Unavailable(err, 5*time.Second)
		}
		return nil
	}))
	return mux
}
