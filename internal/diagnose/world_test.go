package diagnose_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// The cases here last 20 minutes; requests to cart fail from minute 10 to 15.
var (
	t0    = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	onset = t0.Add(10 * time.Minute)
	end   = t0.Add(15 * time.Minute)
)

type part func(*inquest.Case)

// incident is a gateway in front of cart, which uses db-1 and calls pay. Every layer was read; nothing tells why it failed.
func incident(parts ...part) *inquest.Case {
	c := &inquest.Case{Incident: true, Onset: onset, End: end, Observer: "gateway", Proxy: true,
		Span: inquest.Window{From: t0, To: t0.Add(20 * time.Minute)}, Window: inquest.Window{From: onset, To: end}, Baseline: inquest.Window{From: t0, To: onset},
		Impact: inquest.Impact{Requests: 3000, Failed: 600, Ratio: 0.2, Clients: 40, Spread: inquest.SpreadRoute, Services: []string{"cart"},
			Routes: []inquest.RouteImpact{{Route: "GET /cart", Requests: 900, Failed: 600, Status: map[int]int{500: 600}}}},
		Groups:  []inquest.FailureGroup{{Route: "GET /cart", Status: 500, Window: inquest.Window{From: onset, To: end}, Requests: 900, Failed: 600}},
		Traffic: inquest.Traffic{BaselineRate: 10, OnsetRate: 10, IncidentRate: 10, BaselineMean: 0.05, IncidentMean: 0.06},
		Components: []inquest.Component{
			{Name: "cart", Kind: inquest.KindApp, Logs: true, Aliases: []string{"10.0.0.1:8080"}}, {Name: "db-1", Kind: inquest.KindDatabase, Logs: true, Metrics: true, Aliases: []string{"10.0.0.9"}},
			{Name: "gateway", Kind: inquest.KindProxy, Logs: true}, {Name: "pay", Kind: inquest.KindApp, Logs: true},
		},
		Edges:    []inquest.Edge{{From: "gateway", To: "cart"}, {From: "cart", To: "db-1"}, {From: "cart", To: "pay"}},
		Layers:   map[inquest.Layer]bool{inquest.LayerResponse: true, inquest.LayerApplication: true, inquest.LayerInfrastructure: true, inquest.LayerChange: true},
		Coverage: inquest.Coverage{Layers: map[inquest.Layer]inquest.LayerCoverage{}},
	}
	c.Chart = inquest.Chart{From: t0, Step: 20 * time.Second}
	for i := range 60 {
		c.Chart.Requests, c.Chart.Failed, c.Chart.Lying = append(c.Chart.Requests, 200), append(c.Chart.Failed, 0), append(c.Chart.Lying, 0)
		if i >= 30 && i < 45 {
			c.Chart.Failed[i] = 40
		}
	}
	for range 600 {
		c.Passed = append(c.Passed, 3)
	}
	for i := range 100 {
		c.Failures = append(c.Failures, inquest.Request{Time: onset.Add(time.Duration(i) * 3 * time.Second), Observer: "gateway", Route: "GET /cart", Status: 500, Duration: 0.05, Upstream: "10.0.0.1:8080", UpstreamStatus: "500",
			RequestID: fmt.Sprint("r", i), Source: inquest.Source{File: "access.log", Line: i + 1}})
	}
	for _, p := range parts {
		p(c)
	}
	slices.SortFunc(c.Components, func(a, b inquest.Component) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// says adds a new error line of a component, first seen d after the onset and then to the end, in a share of the failed requests
// (-1: it carries no ids).
func says(who, text string, share float64, d time.Duration, more ...func(*inquest.LogPattern)) part {
	return func(c *inquest.Case) {
		at := onset.Add(d)
		p := inquest.LogPattern{ID: fmt.Sprintf("%016x", len(c.Patterns)), Service: who, Origin: inquest.KindApp, Level: inquest.LevelError, Template: text, Total: 300, During: 300, New: true,
			First: at, Last: end, Share: share, Answered: -1, Examples: []inquest.LogExample{{Time: at, Text: text, RequestID: "r1", Source: inquest.Source{File: who + ".log", Line: 10 + len(c.Patterns)}}}}
		for _, x := range c.Components {
			if x.Name == who {
				p.Origin = x.Kind
			}
		}
		for _, f := range more {
			f(&p)
		}
		c.Patterns = append(c.Patterns, p)
	}
}

func thrown(typ, msg string) func(*inquest.LogPattern) {
	return func(p *inquest.LogPattern) {
		p.Examples[0].Exception = &inquest.Exception{Type: typ, Message: msg, Chain: []inquest.Cause{{Type: typ, Message: msg}}}
	}
}

func at(level inquest.Level) func(*inquest.LogPattern) {
	return func(p *inquest.LogPattern) { p.Level = level }
}

// measured adds series that are scraped every 15 s: one value from d after the onset to the end, another outside.
func measured(name string, during, usual float64, d time.Duration, labels ...string) part {
	return func(c *inquest.Case) {
		s := inquest.Series{Name: name, Labels: map[string]string{}}
		for i := 0; i+1 < len(labels); i += 2 {
			s.Labels[labels[i]] = labels[i+1]
		}
		for x := time.Duration(0); x < 20*time.Minute; x += 15 * time.Second {
			v := usual
			if t := t0.Add(x); !t.Before(onset.Add(d)) && t.Before(end) {
				v = during
			}
			s.Samples = append(s.Samples, inquest.Sample{Time: t0.Add(x), Value: v})
		}
		c.Series = append(c.Series, s)
	}
}

func changed(d time.Duration, kind inquest.ChangeKind, who, summary string) part {
	return func(c *inquest.Case) {
		c.Changes = append(c.Changes, inquest.Change{Time: onset.Add(d), Kind: kind, Service: who, Version: "v2", Summary: summary, Source: inquest.Source{File: "changes.jsonl", Line: len(c.Changes) + 1}})
		slices.SortStableFunc(c.Changes, func(a, b inquest.Change) int { return a.Time.Compare(b.Time) })
	}
}

func calls(from, to string) part {
	return func(c *inquest.Case) { c.Edges = append(c.Edges, inquest.Edge{From: from, To: to}) }
}

func component(name string, kind inquest.ComponentKind, known bool) part {
	return func(c *inquest.Case) {
		c.Components = append(c.Components, inquest.Component{Name: name, Kind: kind, Logs: known})
	}
}

func failing(set func(i int, r *inquest.Request)) part {
	return func(c *inquest.Case) {
		for i := range c.Failures {
			set(i, &c.Failures[i])
		}
	}
}

func without(layers ...inquest.Layer) part {
	return func(c *inquest.Case) {
		for _, l := range layers {
			c.Layers[l] = false
		}
	}
}

var catalogue = diagnose.New(mechanism.All())

func verdict(parts ...part) *inquest.Verdict {
	d := catalogue.Diagnose(incident(parts...)).Diagnosis
	if d.Verdict == nil {
		return &inquest.Verdict{}
	}
	return d.Verdict
}

// name says what a verdict names.
func name(v *inquest.Verdict) string {
	if v.Mechanism == "" {
		return string(v.Level)
	}
	return string(v.Mechanism) + " at " + v.Culprit
}

// The lines that several tests use.
var (
	nullDereference = says("cart", "TypeError: Cannot read properties of undefined (reading 'price')", 0.9, 0, thrown("TypeError", "Cannot read properties of undefined (reading 'price')"))
	poolError       = says("cart", "timeout exceeded when trying to connect", 0.6, 0)
	poolFull        = func(c *inquest.Case) {
		measured("pg_pool_total_count", 10, 2, 0, "job", "cart")(c)
		measured("pg_pool_idle_count", 0, 2, 0, "job", "cart")(c)
		measured("pg_pool_max", 10, 10, 0, "job", "cart")(c)
		measured("pg_pool_waiting_count", 40, 0, 0, "job", "cart")(c)
	}
	slow          = func(c *inquest.Case) { c.Traffic.IncidentMean = 3 }
	slowStatement = says("db-1", "duration: 8123.4 ms  statement: SELECT * FROM baskets WHERE owner = 17", -1, -20*time.Second, at(inquest.LevelInfo))
)

// timingOut: the gateway waits for cart in vain.
func timingOut(c *inquest.Case) {
	failing(func(_ int, r *inquest.Request) { r.Status, r.Duration, r.UpstreamStatus = 504, 8, "504" })(c)
	c.Groups[0].Status = 504
	c.Impact.Routes[0].Status = map[int]int{504: 600}
}

// crashLoop lets a component start anew every minute of the incident.
func crashLoop(who string) part {
	return func(c *inquest.Case) {
		s := inquest.Series{Name: "process_start_time_seconds", Labels: map[string]string{"job": who}}
		for x := time.Duration(0); x < 20*time.Minute; x += 15 * time.Second {
			v := t0.Add(-time.Hour)
			if t := t0.Add(x); t.After(onset) && t.Before(end) {
				v = t.Truncate(time.Minute)
			}
			s.Samples = append(s.Samples, inquest.Sample{Time: t0.Add(x), Value: float64(v.Unix())})
		}
		c.Series = append(c.Series, s)
	}
}

func answersBetween(c *inquest.Case) {
	c.Upstreams = []inquest.UpstreamUse{{Observer: "gateway", Addr: "10.0.0.1:8080", Component: "cart", BaselineOK: 6000, IncidentOK: 300, IncidentFailed: 600, FirstSeen: t0, LastSeen: end}}
}

// startedAgain lets a component start anew once, d after the onset.
func startedAgain(who string, d time.Duration) part {
	return func(c *inquest.Case) {
		s := inquest.Series{Name: "process_start_time_seconds", Labels: map[string]string{"job": who}}
		for x := time.Duration(0); x < 20*time.Minute; x += 5 * time.Second {
			v, at := t0.Add(-time.Hour), t0.Add(x)
			if !at.Before(onset.Add(d)) {
				v = onset.Add(d)
			}
			if at.Before(onset) || !at.Before(end) { // it is not scraped meanwhile
				s.Samples = append(s.Samples, inquest.Sample{Time: at, Value: float64(v.Unix())})
			}
		}
		c.Series = append(c.Series, s)
	}
}

// throttled lets a container's quota hold it back from d after the onset to the end, ten times a second.
func throttled(who string, d time.Duration) part {
	return func(c *inquest.Case) {
		s, n := inquest.Series{Name: "container_cpu_cfs_throttled_periods_total", Labels: map[string]string{"pod": who + "-5b8f7c9d4-q7k2m", "container": who}}, 0.0
		for x := time.Duration(0); x < 20*time.Minute; x += 5 * time.Second {
			if at := t0.Add(x); at.After(onset.Add(d)) && at.Before(end) {
				n += 50
			}
			s.Samples = append(s.Samples, inquest.Sample{Time: t0.Add(x), Value: n})
		}
		c.Series = append(c.Series, s)
	}
}

// export is a route of ten seconds that somebody began to fetch three times a second.
func export(c *inquest.Case) {
	c.Traffic.Heaviest = &inquest.RouteWork{Observer: "gateway", Route: "GET /cart", RateBefore: 0.03, RateDuring: 3, Mean: 10, Before: 0.3, During: 30, All: 0.8}
}

// to lets a gateway's line name the upstream.
func to(upstream string) func(*inquest.LogPattern) {
	return func(p *inquest.LogPattern) {
		p.Examples[0].Fields = map[string]string{"upstream": "http://" + upstream + "/"}
	}
}

// instances are two old ones of cart, which failed so many times together, and one that appears with the first failure and only fails.
func instances(old int) part {
	return func(c *inquest.Case) {
		for i, addr := range []string{"10.0.0.1:8080", "10.0.0.2:8080"} {
			c.Upstreams = append(c.Upstreams, inquest.UpstreamUse{Observer: "gateway", Addr: addr, Component: "cart", BaselineOK: 3000, IncidentOK: 1200, IncidentFailed: old / (i + 1), FirstSeen: t0, LastSeen: end})
		}
		c.Upstreams = append(c.Upstreams, inquest.UpstreamUse{Observer: "gateway", Addr: "10.0.0.3:8080", Component: "cart", IncidentFailed: 600, FirstSeen: onset, LastSeen: end})
	}
}

// started lets a component's process say that it comes up, d after the onset.
func started(who string, d time.Duration) part {
	return func(c *inquest.Case) {
		c.Starts = append(c.Starts, inquest.Start{Component: who, Time: onset.Add(d)})
	}
}
