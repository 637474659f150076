package server

import (
	"context"
	"errors"

	"github.com/inquesthq/inquest/guard/health"
	"github.com/inquesthq/inquest/internal/server/arrivals"
	"github.com/inquesthq/inquest/internal/store"
)

// health answers /livez, /readyz and /health, which load balancers and supervisors ask without a login. A server is not ready when its records cannot be reached: then
// another one on the same database may do better. A full disk and counting that lags behind only warn: pages, and what is sent to other ways in, go on.
func (p *process) health() (*health.Health, error) {
	return health.New(health.Config{Service: "inquest", Checks: []health.Check{
		health.Ping("records:ping", func(ctx context.Context) error {
			_, err := p.records.Get(ctx, "board", "health") // no such record: the answer is what counts
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		}),
		optional(health.Disk("data:disk", p.Settings.Data, 0, 0)),
		{Name: "counting:lag", Optional: true, Run: func(context.Context) health.Result {
			s := p.follower.Status()
			r := health.Result{Status: health.Pass, Value: s.Lag.Seconds(), Unit: "seconds"}
			if s.Lag > arrivals.TooLate || s.Err != nil {
				r.Status, r.Output = health.Warn, "behind"
			}
			return r
		}},
	}})
}

func optional(c health.Check) health.Check {
	c.Optional = true
	return c
}
