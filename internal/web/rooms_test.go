package web_test

import (
	"context"
	"hash/fnv"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// service is how a made-up service does.
type service struct {
	rate, p99 float64
	tier      string
	failed    func(at time.Time) float64 // ratio
	lying     float64
}

// querier answers what the pages ask about made-up services.
type querier struct {
	services map[string]service
	fail     error
}

func (q *querier) each(f func(name string, s service) float64, at time.Time) []inquest.Series {
	var out []inquest.Series
	for name, s := range q.services {
		if v := f(name, s); !math.IsNaN(v) {
			out = append(out, inquest.Series{Labels: map[string]string{"service": name, "tier": s.tier}, Samples: []inquest.Sample{{Time: at, Value: v}}})
		}
	}
	return out
}

func (q *querier) Instant(_ context.Context, query string, at time.Time) ([]inquest.Series, error) {
	if q.fail != nil {
		return nil, q.fail
	}
	return q.each(func(_ string, s service) float64 {
		switch {
		case strings.Contains(query, "service_info"):
			return 1
		case strings.Contains(query, "quantile"):
			return s.p99
		case strings.Contains(query, "lying"):
			return s.rate * s.lying
		case strings.Contains(query, "failures"):
			return s.rate * s.failed(at)
		}
		return s.rate
	}, at), nil
}

func (q *querier) Range(_ context.Context, query string, from, to time.Time, step time.Duration) ([]inquest.Series, error) {
	if q.fail != nil {
		return nil, q.fail
	}
	var out []inquest.Series
	for name, s := range q.services {
		one := inquest.Series{Labels: map[string]string{"service": name}}
		if strings.Contains(query, "increase") && !strings.Contains(query, name) {
			continue
		}
		for at := from; !at.After(to); at = at.Add(step) {
			h := fnv.New32()
			_, _ = h.Write([]byte(name + at.String()))
			noise := 0.9 + 0.2*float64(h.Sum32()%100)/100 // the same in every run
			v := s.failed(at) * noise
			if strings.Contains(query, "increase") {
				v = s.rate * step.Seconds() * noise
				if strings.Contains(query, "lying") {
					v *= s.lying
				} else if strings.Contains(query, "failures") {
					v *= s.failed(at)
				}
			}
			if s.rate > 0 {
				one.Samples = append(one.Samples, inquest.Sample{Time: at, Value: v})
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func (q *querier) Raw(context.Context, string, time.Time, time.Time) ([]inquest.Series, error) {
	return nil, nil
}

// runbooks has one book, for incidents with a verdict.
type runbooks struct {
	mu    sync.Mutex
	steps []web.Step
	for_  string
	done  time.Time // it was verified
}

func (r *runbooks) Runbook(_ context.Context, incident string) (*web.Runbook, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if incident != r.for_ {
		return nil, store.ErrNotFound
	}
	return &web.Runbook{Title: "Slow queries", Purpose: "To end it.", Boxes: []inquest.TimeBox{{Phase: "Cause", Least: 5, Most: 10, Began: time.Unix(1, 0), Used: 12, Over: true}}, Steps: append([]web.Step(nil), r.steps...), Verified: r.done, Escalation: "Call ben.", Closing: "Done when it holds."}, nil
}

func (r *runbooks) Check(_ context.Context, incident string, c web.StepCheck) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.steps {
		if r.steps[i].ID == c.Step && incident == r.for_ {
			r.steps[i].Done = &c
			return nil
		}
	}
	return store.ErrNotFound
}

// postmortems keeps texts and finds fault with those that have no action item.
type postmortems struct {
	mu    sync.Mutex
	saved map[string]web.Postmortem
}

func (p *postmortems) finish(d web.Postmortem) *web.Postmortem {
	d.HTML, _ = postmortem.HTML(d.Markdown) // fails only where its writer does
	d.Lint = []web.LintFinding{}
	if !strings.Contains(d.Markdown, "owner:") {
		d.Lint = append(d.Lint, web.LintFinding{Rule: "action-owner", Error: true, Text: "The root cause has no action item with an owner, a due date and a check.", Line: 12},
			web.LintFinding{Rule: "lesson", Text: "No lesson links to a guard or a rule that enforces it."})
	}
	return &d
}

func (p *postmortems) Get(_ context.Context, incident string) (*web.Postmortem, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.saved[incident]
	if !ok {
		return nil, store.ErrNotFound
	}
	return p.finish(d), nil
}

func (p *postmortems) Draft(_ context.Context, incident string) (*web.Postmortem, error) {
	return p.finish(web.Postmortem{Incident: incident, Markdown: "# Checkout answered 500\n\n## Summary\n\nFrom 04:14:05 UTC one in six requests failed.\n\n" +
		"## Action items\n\n| # | What | Type | Cause | Cures | Owner | Due | Check | State |\n|---|---|---|---|---|---|---|---|--:|\n| 1 | Index orders by customer_email and placed_at, without locking the table | fix | 1 | cause | TODO | TODO | TODO | open |\n\n" +
		"## Evidence\n\n- **E1** infrastructure, 04:14:05, `postgresql.log:61`\n\n  ```text\n  duration: 1106.534 ms  execute S_5: select count(*), coalesce(sum(cents), 0) from orders where customer_email = $1\n  ```\n"}), nil
}

func (p *postmortems) Save(_ context.Context, d web.Postmortem) (*web.Postmortem, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.saved[d.Incident].Version != d.Version {
		return nil, store.ErrConflict
	}
	d.Version++
	p.saved[d.Incident] = d
	return p.finish(d), nil
}

func (p *postmortems) Publish(_ context.Context, incident, by string, version int64) (*web.Postmortem, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.saved[incident]
	switch {
	case !ok:
		return nil, &web.RefusedError{Reason: "nobody has saved one yet"}
	case p.finish(d).Blocked():
		return nil, &web.RefusedError{Reason: "it has faults"}
	case version != 0 && version != d.Version:
		return nil, store.ErrConflict
	}
	d.Published, d.PublishedBy = time.Unix(1e9, 0), by
	d.Version++
	p.saved[incident] = d
	return p.finish(d), nil
}

func (p *postmortems) OpenItems(_ context.Context, incident string) ([]string, error) {
	if incident == beforeIncident {
		return []string{"index on orders(customer_email) (root, due 2026-11-20)"}, nil
	}
	return nil, nil
}

// lookup knows one request.
type lookup struct{ trace *web.Trace }

func (l *lookup) Lookup(_ context.Context, id string) (*web.Trace, error) {
	for _, known := range l.trace.IDs {
		if known == id {
			return l.trace, nil
		}
	}
	return nil, store.ErrNotFound
}

// told is a room that answers with what it was made with.
type told struct {
	objectives []web.Objective
	findings   *web.Findings
	setup      *web.Setup
	arrivals   *web.Arrivals
}

func (t *told) Objectives(context.Context) ([]web.Objective, error) { return t.objectives, nil }
func (t *told) Findings(context.Context) (*web.Findings, error)     { return t.findings, nil }
func (t *told) Setup(context.Context) (*web.Setup, error)           { return t.setup, nil }
func (t *told) Arrivals(context.Context) (*web.Arrivals, error)     { return t.arrivals, nil }
