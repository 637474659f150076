package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/health"
	"github.com/inquesthq/inquest/guard/maintenance"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/guard/preflight"
)

// guards is all that stands between the business and what fails: whatever the service uses of guard is in this file.
type guards struct {
	guard       *guard.Guard
	all         guard.Registry
	health      *health.Health
	metrics     metric.Prometheus
	maintenance maintenance.Switch
}

func newGuards(orders *store, perSecond int) (*guards, error) {
	g := &guards{}
	add := func(name string, failures int, openFor time.Duration) (err error) {
		_, err = g.all.Add(guard.DependencyConfig{Name: name, Breaker: policy.BreakerConfig{Failures: failures, OpenFor: openFor}, Bulkhead: policy.BulkheadConfig{InFlight: 50},
			Observer: &g.metrics, FailureStatuses: append(policy.FailureStatuses(), http.StatusInternalServerError)}) // what cannot charge a card is down, whatever it calls it
		return err
	}
	rates, err := policy.NewKeyedRateLimiter(policy.RateConfig{Name: "default", Limit: perSecond}, 0)
	if err := errors.Join(err, add("payment", 5, 30*time.Second), add("inventory", 3, 15*time.Second), add("database", 5, 5*time.Second)); err != nil {
		return nil, err
	}
	g.guard, err = guard.New(guard.Config{Service: "checkout", Rates: rates, Observer: &g.metrics})
	var bad error
	g.health, bad = health.New(health.Config{Service: "checkout", Checks: []health.Check{health.Ping("database:ping", orders.db.PingContext),
		health.Pool("database:pool", orders.db, 0, 0, &g.metrics), health.Breakers("breakers:open", 0, g.breakers), health.Memory("memory:used", 0.9, 0.99)}})
	return g, errors.Join(err, bad)
}

func (g *guards) breakers() (list []*policy.Breaker) {
	for _, d := range g.all.All() {
		list = append(list, d.Breaker())
	}
	return list
}

func (g *guards) client(name string) *http.Client {
	return &http.Client{Transport: g.all.Get(name).Transport(nil)}
}

func (g *guards) routes(public, admin *http.ServeMux, s *service) {
	public.Handle("POST /api/checkout/complete", g.maintenance.Wrap(g.guard.Handle(s.complete)))
	g.health.Register(public)
	admin.Handle("GET /metrics", &g.metrics)
	admin.Handle("/maintenance", g.maintenance.API())
}

func checkEnvironment(ctx context.Context) error {
	return preflight.Run(ctx, preflight.Config{}, preflight.Env("DATABASE_URL", "PAYMENT_URL", "INVENTORY_URL"), preflight.Descriptors(256))
}

func checkDatabase(ctx context.Context, s *store) error {
	return preflight.Run(ctx, preflight.Config{}, preflight.Ping("database", s.db.PingContext),
		preflight.Version(s.db, "SELECT version FROM schema_version", schemaVersion), preflight.Columns(s.db, "orders", columns...))
}
