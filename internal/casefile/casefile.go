// Package casefile turns what a store holds into a Case: since when and where requests fail, which stretch to compare
// with, which log patterns are new, who is who under which names, and what could not be read. It measures and names no
// cause. It is pure: no I/O, no clock.
package casefile

import (
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Config of Build; the zero value is fine.
type Config struct {
	// Reports of the files, in the order of their indices in the store.
	Reports []parse.FileReport
	// Notes of the walk over the folder: what was left out.
	Notes []string
	// About are the services of which an alert says that they fail, the most urgent first; nil: nobody said anything.
	About []string
}

// Build makes the case of everything in the store, which must be sealed.
func Build(st *mem.Store, cfg Config) *inquest.Case {
	b := &builder{st: st, cfg: cfg}
	b.observers()
	b.frame()
	b.components()
	b.keepLies()
	b.impact()
	c := b.make()
	c.Coverage = b.coverage(c)
	return c
}

// builder holds the steps' results.
type builder struct {
	st  *mem.Store
	cfg Config

	edge     []*mem.Stream   // streams of the outermost observer
	atEdge   map[string]bool // the observers of these
	observer string
	proxy    bool
	counters bool // the edge is known from request counters alone
	span     inquest.Window

	groups   []inquest.FailureGroup
	blips    []inquest.FailureGroup
	onset    time.Time
	end      time.Time
	window   inquest.Window
	base     inquest.Window
	allFails bool // from the first request to the last
	byHint   bool // the alert said so, the requests did not

	names    *names
	liedBy   []lie          // requests answered well though they failed
	failing  []*mem.Failure // failures of the incident at the edge
	failIDs  map[uint64]bool
	hit      map[routeStatus]bool // the groups, once they are settled
	impactOf inquest.Impact
	chart    inquest.Chart
}

func (b *builder) make() *inquest.Case {
	c := &inquest.Case{
		Hint: b.st.Hint(), Span: b.span, Incident: len(b.groups) > 0 || b.byHint, Onset: b.onset, End: b.end,
		Window: b.window, Baseline: b.base, Observer: b.names.nameOf(b.observer), Proxy: b.proxy, Impact: b.impactOf,
		Groups: b.groups, Blips: b.blips, Chart: b.chart,
		Series: b.st.Series(), Changes: b.st.Changes(), Components: b.names.list(),
	}
	var wg sync.WaitGroup // none of these changes what another one reads
	wg.Go(func() {
		c.Patterns = b.patterns()
		c.Traffic = b.traffic()
	})
	c.Failures = b.requests()
	c.Answered = b.answered()
	c.Passed = b.passed()
	c.Upstreams = b.upstreams()
	c.Starts = b.starts()
	wg.Wait()
	if jobs := b.jobs(c.Patterns); len(jobs) > 0 {
		c.Changes = slices.Concat(c.Changes, jobs)
		slices.SortStableFunc(c.Changes, func(a, b inquest.Change) int { return a.Time.Compare(b.Time) })
	}
	c.Edges = b.edges()
	return c
}

func at(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

func (b *builder) source(file, line int32) inquest.Source {
	if int(file) < len(b.cfg.Reports) {
		return inquest.Source{File: b.cfg.Reports[file].File, Line: int(line)}
	}
	return inquest.Source{}
}

// requests lists the failed requests of the incident for the diagnosis.
func (b *builder) requests() []inquest.Request {
	out := make([]inquest.Request, 0, len(b.failing))
	for _, f := range b.failing {
		out = append(out, inquest.Request{
			Time: at(f.Time), Observer: f.Observer, Route: f.Name(), URL: f.URL, Status: int(f.Status), Duration: f.Duration,
			Upstream: f.Upstream, UpstreamStatus: f.UpstreamStatus, Reason: f.Reason, RequestID: f.RequestID, Client: f.Client,
			Source: b.source(f.File, f.Line),
		})
	}
	return out
}

// answered lists the routes that went on working, busiest first: they rule causes out.
func (b *builder) answered() []inquest.RouteHealth {
	if len(b.groups) == 0 {
		return nil
	}
	rose := map[string]bool{}
	for _, g := range b.groups {
		rose[g.Route] = true
	}
	var out []inquest.RouteHealth
	for _, s := range b.edge {
		if rose[s.Name()] {
			continue
		}
		h := inquest.RouteHealth{Observer: s.Observer, Route: s.Name(), Requests: int(s.Requests.Count(ns(b.window.From), ns(b.window.To)))}
		h.Failed = int(s.Broken.Count(ns(b.window.From), ns(b.window.To)))
		for i := range s.Status {
			if s.Status[i].Status >= 500 {
				h.Failed += int(s.Status[i].Times.Count(ns(b.window.From), ns(b.window.To)))
			}
		}
		if h.Requests > 0 {
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(x, y inquest.RouteHealth) int { return y.Requests - x.Requests })
	return out[:min(len(out), 50)]
}

func ns(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
