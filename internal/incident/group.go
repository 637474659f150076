package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/inquesthq/inquest"
)

// grouping knows which services belong together.
type grouping struct {
	near     map[inquest.Edge]bool // both directions
	together time.Duration
	now      time.Time
}

// grouping gathers who calls whom. When the edges that were seen cannot be had, those of the policy have to do: an alert is never held up.
func (d *Desk) grouping(ctx context.Context) (*grouping, error) {
	g := &grouping{near: map[inquest.Edge]bool{}, together: d.policy.Together, now: d.now()}
	edges := d.policy.Edges
	var blind error
	if d.cfg.Edges != nil {
		seen, err := d.cfg.Edges(ctx)
		if err != nil {
			blind = fmt.Errorf("incident: alerts were grouped without the call graph: %w", err)
		}
		edges = append(edges[:len(edges):len(edges)], seen...)
	}
	for _, e := range edges {
		g.near[e] = true
		g.near[inquest.Edge{From: e.To, To: e.From}] = true
	}
	return g, blind
}

// find returns the incident that an alert belongs to: one of the same service first, then one of a related service at the same time.
func (g *grouping) find(active []*draft, a *inquest.Alert) *draft {
	for _, f := range active {
		if sameServices(f, a) {
			return f
		}
	}
	for _, f := range active {
		if g.related(f, a.Service()) && g.sameTime(f, a) {
			return f
		}
	}
	return nil
}

// sameServices reports whether the alert is about a service of the incident. An alert that names no service belongs where its rule fires already.
func sameServices(f *draft, a *inquest.Alert) bool {
	service := a.Service()
	if service == "" {
		for i := range f.Alerts {
			if f.Alerts[i].Rule == a.Rule && f.Alerts[i].Service() == "" {
				return true
			}
		}
		return false
	}
	for _, s := range f.Services {
		if s == service {
			return true
		}
	}
	return f.Verdict.Culprit == service // the diagnosis has found it failing first
}

// related reports whether the service calls, or is called by, one whose requests fail or which the diagnosis blames.
func (g *grouping) related(f *draft, service string) bool {
	if service == "" {
		return false
	}
	for _, s := range f.Services {
		if g.near[inquest.Edge{From: s, To: service}] {
			return true
		}
	}
	return f.Verdict.Culprit != "" && g.near[inquest.Edge{From: f.Verdict.Culprit, To: service}]
}

// sameTime reports whether the alert overlaps the incident's alerts, or began within the time in which outages are taken for one.
func (g *grouping) sameTime(f *draft, a *inquest.Alert) bool {
	began := a.Since
	if began.IsZero() {
		began = a.Fired
	}
	if len(f.Alerts) == 0 { // a person opened it
		return began.Sub(f.Opened) <= g.together
	}
	for i := range f.Alerts {
		if f.Alerts[i].State == inquest.AlertFiring || began.Sub(f.Alerts[i].Resolved) <= g.together {
			return true
		}
	}
	return false
}
