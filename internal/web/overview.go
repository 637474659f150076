package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
)

// Overview is the first page: what is open, and how each service does.
type Overview struct {
	At         time.Time          `json:"at"`
	Incidents  []inquest.Incident `json:"incidents"` // that somebody may have to act on
	Alerts     AlertCount         `json:"alerts"`
	Services   []ServiceHealth    `json:"services"` // the worst first
	Objectives []Objective        `json:"objectives"`
	Notes      []string           `json:"notes"`   // what could not be asked
	Signals    []string           `json:"signals"` // what is wrong with what arrives
}

// ServiceHealth is how one service does in the last five minutes.
type ServiceHealth struct {
	Service string   `json:"service"`
	Tier    string   `json:"tier,omitempty"`  // "critical", or ""
	State   string   `json:"state"`           // ok, degraded, down, idle
	Rate    Number   `json:"rate"`            // requests a second
	Ratio   Number   `json:"ratio"`           // honest: 5xx and answers that lied, of all
	Lying   Number   `json:"lying"`           // of all requests, those that said 2xx and had failed
	P99     Number   `json:"p99"`             // seconds
	Burn    Number   `json:"burn"`            // the fastest burn rate of its objectives over an hour
	Trend   []Number `json:"trend,omitempty"` // Ratio in each minute of the last hour, oldest first; null where nothing was asked
}

// down is the share of failures from which on a service is down, whatever its health check says: most requests fail.
const down = 0.5

func stateOfService(s *ServiceHealth) string {
	switch ratio := float64(s.Ratio); {
	case !s.Rate.Known() || s.Rate == 0:
		return "idle"
	case ratio >= down:
		return "down"
	case ratio > inquest.MayFail(s.Tier == "critical"):
		return "degraded"
	}
	return "ok"
}

// overviewCache keeps the answers of the metrics store for a moment: ten screens on a wall ask it no more often than one.
type overviewCache struct {
	mu   sync.Mutex
	at   time.Time
	list []ServiceHealth
	err  error
}

const overviewAge = 2 * time.Second

func (w *Web) overview(c *call) (any, error) {
	out := &Overview{At: w.cfg.Now().UTC()}
	var err error
	if out.Incidents, err = w.cfg.Desk.List(c.ctx(), Filter{Active: true}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out.Incidents, func(a, b inquest.Incident) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), b.Opened.Compare(a.Opened))
	})
	if out.Alerts, err = w.countAlerts(c.ctx()); err != nil {
		return nil, err
	}
	out.Services, err = w.services(c.ctx())
	if err != nil { // the incidents are shown whatever becomes of the metrics
		out.Notes = append(out.Notes, "The metrics store does not answer: "+err.Error())
	}
	if w.cfg.Objectives != nil {
		if out.Objectives, err = w.cfg.Objectives.Objectives(c.ctx()); err != nil {
			out.Notes = append(out.Notes, "The objectives cannot be reckoned: "+err.Error())
		}
	}
	if w.cfg.Signals != nil {
		arrivals, err := w.cfg.Signals.Arrivals(c.ctx())
		if err != nil {
			return nil, err
		}
		out.Signals = arrivals.Warnings
	}
	out.Services = slices.Clone(out.Services)
	for i := range out.Services {
		out.Services[i].Burn = burnOf(out.Services[i].Service, out.Objectives)
	}
	return out, nil
}

// burnOf is the fastest burn rate of a service over the shortest window of an hour or more that its objectives have.
func burnOf(service string, all []Objective) Number {
	burn := math.NaN()
	for _, o := range all {
		if o.Service != service || len(o.Burn) == 0 {
			continue
		}
		rate := o.Burn[0].Rate
		for _, b := range o.Burn {
			if b.Window == "1h" {
				rate = b.Rate
			}
		}
		if rate.Known() && !(burn >= float64(rate)) {
			burn = float64(rate)
		}
	}
	return Number(burn)
}

// services asks the metrics store how everyone does, at most once in overviewAge.
func (w *Web) services(ctx context.Context) ([]ServiceHealth, error) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	now := w.cfg.Now()
	if !w.seen.at.IsZero() && now.Sub(w.seen.at) < overviewAge {
		return w.seen.list, w.seen.err
	}
	w.seen.list, w.seen.err = w.askServices(ctx, now)
	w.seen.at = now
	return w.seen.list, w.seen.err
}

func (w *Web) askServices(ctx context.Context, now time.Time) ([]ServiceHealth, error) {
	all := map[string]*ServiceHealth{}
	get := func(name string) *ServiceHealth {
		if all[name] == nil {
			nan := Number(math.NaN())
			all[name] = &ServiceHealth{Service: name, Rate: nan, Ratio: nan, Lying: nan, P99: nan, Burn: nan}
		}
		return all[name]
	}
	for _, q := range []struct {
		query string
		set   func(*ServiceHealth, Number)
	}{
		{`sum by (service) (rate(inquest_requests_total[5m]))`, func(s *ServiceHealth, v Number) { s.Rate = v }},
		{`sum by (service) (rate(inquest_failures_total[5m]))`, func(s *ServiceHealth, v Number) { s.Ratio = v / s.Rate }},
		{`sum by (service) (rate(inquest_failures_total{kind="lying"}[5m]))`, func(s *ServiceHealth, v Number) { s.Lying = v / s.Rate }},
		{`histogram_quantile(0.99, sum by (service, le) (rate(inquest_request_duration_seconds_bucket[5m])))`, func(s *ServiceHealth, v Number) { s.P99 = v }},
	} {
		series, err := w.cfg.Querier.Instant(ctx, q.query, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.query, err)
		}
		for _, s := range series {
			if name := s.Labels["service"]; name != "" && len(s.Samples) > 0 {
				q.set(get(name), Number(s.Samples[0].Value))
			}
		}
	}
	tiers, err := w.cfg.Querier.Instant(ctx, "inquest_service_info", now)
	if err != nil {
		return nil, fmt.Errorf("tiers: %w", err)
	}
	for _, s := range tiers {
		if name := s.Labels["service"]; name != "" {
			get(name).Tier = s.Labels["tier"]
		}
	}
	if err := w.trends(ctx, now, get); err != nil {
		return nil, err
	}
	return ranked(all), nil
}

const (
	trendStep   = time.Minute
	trendPoints = 60
	ratioQuery  = `(sum by (service) (rate(inquest_failures_total[2m])) or 0 * sum by (service) (rate(inquest_requests_total[2m]))) / (sum by (service) (rate(inquest_requests_total[2m])) > 0)`
)

// trends fills the last hour of each service, minute by minute.
func (w *Web) trends(ctx context.Context, now time.Time, get func(string) *ServiceHealth) error {
	to := now.Truncate(trendStep)
	from := to.Add(-(trendPoints - 1) * trendStep)
	series, err := w.cfg.Querier.Range(ctx, ratioQuery, from, to, trendStep)
	if err != nil {
		return fmt.Errorf("trend: %w", err)
	}
	for _, s := range series {
		name := s.Labels["service"]
		if name == "" {
			continue
		}
		trend := make([]Number, trendPoints)
		for i := range trend {
			trend[i] = Number(math.NaN())
		}
		for _, p := range s.Samples {
			if i := int(p.Time.Sub(from) / trendStep); i >= 0 && i < trendPoints {
				trend[i] = Number(p.Value)
			}
		}
		get(name).Trend = trend
	}
	return nil
}

// ranked orders services: down, degraded, ok, idle; within these the higher ratio first.
func ranked(all map[string]*ServiceHealth) []ServiceHealth {
	out := make([]ServiceHealth, 0, len(all))
	for _, s := range all {
		if s.Rate > 0 && !s.Ratio.Known() {
			s.Ratio = 0 // asked, and nothing failed: there is no such series
		}
		if s.Rate > 0 && !s.Lying.Known() {
			s.Lying = 0
		}
		s.State = stateOfService(s)
		out = append(out, *s)
	}
	order := []string{"down", "degraded", "ok", "idle"}
	value := func(n Number) float64 {
		if !n.Known() {
			return -1
		}
		return float64(n)
	}
	slices.SortFunc(out, func(a, b ServiceHealth) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)), cmp.Compare(value(b.Ratio), value(a.Ratio)), cmp.Compare(a.Service, b.Service))
	})
	return out
}
