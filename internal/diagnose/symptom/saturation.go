package symptom

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Resources, as in the catalogue of mechanisms.
const (
	pool        = "pool"
	threads     = "threads"
	memory      = "memory"
	disk        = "disk"
	descriptors = "descriptors"
	cpu         = "cpu"
	connections = "connections"
	ports       = "ports"
)

// full is the share of a limit from which a resource counts as exhausted: 95% pages in every runbook (REQUIREMENTS tier 3);
// what was as full before the incident is its ordinary state.
const full = 0.95

// part says what a series measures of a resource.
type part uint8

const (
	partUsed part = iota + 1
	partFree
	partLimit
	partTotal   // used and idle together
	partWaiting // gauge of waiters or queued work
	partWaits   // counter of waits, rejections, throttling
)

// gaugeKey groups the series that describe one resource of one instance.
type gaugeKey struct{ component, instance, resource, scope string }

type gauge struct {
	parts map[part][]*inquest.Series
}

// classify says which resource a metric describes and which part of it, by the naming conventions of Prometheus
// client libraries, exporters and OpenTelemetry. scope tells several resources of one instance apart.
func classify(s *inquest.Series) (resource, scope string, p part, ok bool) {
	t := tokens(s.Name)
	switch {
	case has(t, "node") && has(t, "filesystem"), has(t, "disk", "volume", "filesystem", "fs") && !has(t, "io", "read", "written", "writes", "reads"):
		return classifyDisk(s, t)
	case t["fds"] || t["filefd"] || t["file"] && t["descriptor"] || t["files"] && t["open"] && !t["db"]:
		scope = "process"
		switch {
		case has(t, "max", "limit", "maximum"):
			return descriptors, scope, partLimit, true
		case has(t, "open", "used", "allocated", "count"):
			return descriptors, scope, partUsed, true
		}
	case isPool(s, t):
		return classifyPool(s, t)
	case t["phpfpm"]:
		return classifyFPM(t)
	case has(t, "thread", "threads", "executor", "worker", "workers", "processes") && !t["cpu"] && !t["connected"]: // MySQL's threads_connected are connections
		return classifyThreads(s, t)
	case has(t, "memory", "heap", "mem"):
		return classifyMemory(s, t)
	case has(t, "connections", "clients", "connected", "backends", "numbackends", "activity", "maxclients"):
		return classifyConnections(s, t)
	case has(t, "cpu", "throttled"):
		return classifyCPU(s, t)
	}
	return "", "", 0, false
}

func isPool(s *inquest.Series, t map[string]bool) bool {
	return has(t, "pool", "pgxpool", "hikaricp", "hikari", "c3p0", "dbcp") && !has(t, "thread", "threads", "executor", "jvm", "buffer", "memory") ||
		t["sql"] && t["go"] || t["db"] && t["client"] && has(t, "connection", "connections") || t["datasource"] && has(t, "connections", "active")
}

func classifyPool(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	scope := firstToken(s.Name) + s.Labels["pool"] + s.Labels["pool_name"]
	switch {
	case has(t, "closed", "lifetime", "created", "creation", "usage") && !has(t, "connections"), has(t, "closed", "destroy", "duration", "seconds", "min", "minimum"):
		return "", "", 0, false
	case has(t, "waiting", "waiters", "pending", "queued", "queue", "awaiting"):
		return pool, scope, partWaiting, true
	case t["wait"] && t["count"], has(t, "timeouts", "timeout", "exhausted"):
		return pool, scope, partWaits, isCounter(s)
	case has(t, "max", "limit", "maximum", "capacity") && !t["idle"]:
		return pool, scope, partLimit, true
	case t["state"] || s.Labels["state"] != "":
		if s.Labels["state"] == "used" || s.Labels["state"] == "active" {
			return pool, scope, partUsed, true
		}
		return pool, scope, partFree, true
	case has(t, "idle", "free", "available"):
		return pool, scope, partFree, true
	case has(t, "active", "use", "used", "busy", "checked", "acquired", "borrowed", "leased", "inuse", "out"):
		return pool, scope, partUsed, true
	case has(t, "total", "open", "size", "connections") && !isWaitCounter(s):
		return pool, scope, partTotal, true
	}
	return "", "", 0, false
}

func isWaitCounter(s *inquest.Series) bool { return s.Type == "counter" }

func classifyThreads(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	scope := firstToken(s.Name) + s.Labels["name"] + s.Labels["pool"]
	switch {
	case has(t, "queued", "queue", "backlog", "pending", "waiting"):
		return threads, scope, partWaiting, !isCounter(s)
	case has(t, "rejected"):
		return threads, scope, partWaits, true
	case has(t, "max", "limit", "maximum") && !t["peak"]:
		return threads, scope, partLimit, true
	case has(t, "busy", "active") && !isCounter(s):
		return threads, scope, partUsed, true
	case has(t, "idle") && !isCounter(s):
		return threads, scope, partFree, true
	}
	return "", "", 0, false
}

// classifyFPM reads php-fpm's status page: its max_ figures are peaks since the start, and in the dynamic modes all children
// are busy as a matter of course. Requests that queue, and children that could not be started, are what a limit shows in.
func classifyFPM(t map[string]bool) (string, string, part, bool) {
	switch {
	case t["children"] && t["reached"]:
		return threads, "phpfpm", partWaits, true
	case t["queue"] && !has(t, "max", "length", "len"):
		return threads, "phpfpm", partWaiting, true
	}
	return "", "", 0, false
}

func classifyMemory(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	scope := "process"
	switch {
	case t["node"] && t["memavailable"]:
		return memory, "host", partFree, true
	case t["node"] && t["memtotal"]:
		return memory, "host", partTotal, true
	case t["jvm"] && s.Labels["area"] != "" && s.Labels["area"] != "heap", t["virtual"], t["dataset"], t["peak"], has(t, "fragmentation", "lua", "scripts", "startup", "overhead", "gc", "pool"):
		return "", "", 0, false
	case t["jvm"] || t["redis"]:
		scope = firstToken(s.Name)
	case t["container"]:
		scope = "container"
	case t["percent"] || t["ratio"] || !has(t, "limit", "max"):
		return "", "", 0, false // resident size alone has no limit to run against
	}
	switch {
	case has(t, "max", "limit"):
		return memory, scope, partLimit, true
	case has(t, "used", "working", "usage"):
		return memory, scope, partUsed, true
	}
	return "", "", 0, false
}

func classifyDisk(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	scope := s.Labels["mountpoint"] + s.Labels["path"] + firstToken(s.Name)
	if has(t, "files") {
		scope += "inodes"
	}
	switch {
	case has(t, "error", "readonly", "device") && !t["bytes"]:
		return "", "", 0, false
	case has(t, "avail", "available"), has(t, "free") && !t["node"], t["files"] && t["free"]:
		return disk, scope, partFree, true
	case has(t, "size", "total", "capacity", "limit") && !isCounter(s), t["files"] && !t["free"]:
		return disk, scope, partTotal, true
	case has(t, "used") && has(t, "bytes"):
		return disk, scope, partUsed, true
	}
	return "", "", 0, false
}

func classifyConnections(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	scope := firstToken(s.Name)
	switch {
	case has(t, "rejected"):
		return connections, scope, partWaits, true
	case has(t, "max", "maximum", "limit", "maxclients") && !has(t, "duration", "input", "output", "tx", "age", "used", "user"): // MySQL's max_used_connections is a peak
		return connections, scope, partLimit, true
	case isCounter(s) && !(t["activity"] && t["count"]), has(t, "duration", "buffer", "table", "age"):
		return "", "", 0, false
	case has(t, "activity", "numbackends", "connected", "current"):
		if t["numbackends"] {
			return "", "", 0, false // the same as the activity count, per database
		}
		return connections, scope, partUsed, true
	}
	return "", "", 0, false
}

func classifyCPU(s *inquest.Series, t map[string]bool) (string, string, part, bool) {
	switch {
	case has(t, "throttled") && isCounter(s):
		return cpu, "throttle", partWaits, true
	case t["process"] && t["cpu"] && t["seconds"] && !has(t, "user", "system"):
		return cpu, "process", partUsed, true
	}
	return "", "", 0, false
}

func firstToken(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] == '_' || name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// saturations finds resources at their limit in the incident that were not so before.
func saturations(c *inquest.Case, r *Resolver) []inquest.Symptom {
	var out []inquest.Symptom
	groups, keys := gauges(c, r)
	for _, k := range keys {
		out = append(out, groups[k].symptoms(c, k)...)
	}
	return out
}

// gauges groups the series by the resource that they measure; the keys come in a stable order.
func gauges(c *inquest.Case, r *Resolver) (map[gaugeKey]*gauge, []gaugeKey) {
	groups, exporters := map[gaugeKey]*gauge{}, exporters(c)
	for i := range c.Series {
		s := &c.Series[i]
		res, scope, p, ok := classify(s)
		if !ok || exporters[s.Labels["instance"]] && strings.HasPrefix(s.Name, "process_") {
			continue
		}
		k := gaugeKey{owner(s, r), cmp.Or(s.Labels["pod"], s.Labels["instance"]), res, scope}
		if groups[k] == nil {
			groups[k] = &gauge{parts: map[part][]*inquest.Series{}}
		}
		groups[k].parts[p] = append(groups[k].parts[p], s)
	}
	keys := make([]gaugeKey, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b gaugeKey) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.resource, b.resource), cmp.Compare(a.instance, b.instance), cmp.Compare(a.scope, b.scope))
	})
	return groups, keys
}

// exporters are the targets that speak for another process, as their "pg_up" or "redis_exporter_build_info" tells: what they say
// of "the process" is about themselves.
func exporters(c *inquest.Case) map[string]bool {
	out := map[string]bool{}
	for i := range c.Series {
		s := &c.Series[i]
		if strings.HasSuffix(s.Name, "_exporter_build_info") || strings.HasSuffix(s.Name, "_up") {
			out[s.Labels["instance"]] = s.Labels["instance"] != ""
		}
	}
	return out
}

// look is where saturation is looked for: from two minutes before the onset, since resources fill before requests fail.
func look(c *inquest.Case) inquest.Window {
	if c.Onset.IsZero() {
		return c.Span // nothing failed: all of it
	}
	return inquest.Window{From: c.Onset.Add(-min(2*time.Minute, c.Onset.Sub(c.Span.From)/4)), To: c.Window.To}
}

// before is the healthy stretch, without the minutes that look takes.
func before(c *inquest.Case) inquest.Window {
	b := c.Baseline
	if l := look(c); b.To.After(l.From) && b.From.Before(l.From) {
		b.To = l.From
	}
	return b
}

func (g *gauge) symptoms(c *inquest.Case, k gaugeKey) []inquest.Symptom {
	var out []inquest.Symptom
	if s, ok := g.used(c, k); ok {
		out = append(out, s)
	}
	for _, p := range []part{partWaiting, partWaits} {
		for _, s := range g.parts[p] {
			if x, ok := waiting(c, k, s, p == partWaits); ok {
				out = append(out, x)
				break
			}
		}
	}
	return out
}

// used compares use with the limit.
func (g *gauge) used(c *inquest.Case, k gaugeKey) (inquest.Symptom, bool) {
	use, limit, ratio, src := g.shares(k.resource)
	whole := &inquest.Series{Samples: ratio}
	now, then := points(whole, look(c)), points(whole, before(c))
	peak, usual := quantile(now, 0.9), quantile(then, 0.9)
	if math.IsNaN(peak) || peak < full || usual >= 0.9 {
		return inquest.Symptom{}, false
	}
	s := inquest.Symptom{Kind: inquest.SymptomSaturation, Detail: k.resource, Component: k.component, Share: -1,
		Value: peak, Baseline: usual, Limit: 1, Count: len(now)}
	for _, x := range now {
		if x.Value >= full {
			s.Onset = x.Time
			break
		}
	}
	s.Since, s.Calm = riseBegan(ratio, s.Onset, quantile(then, 0.5)) // the median: the baseline may hold part of the rise
	value, max := valueAt(use, s.Onset), valueAt(limit, s.Onset)
	if k.resource == cpu {
		s.Text = fmt.Sprintf("%s: one core fully used (%.0f%%, %.0f%% before)", name(k), 100*peak, 100*usual)
	} else {
		s.Text = fmt.Sprintf("%s: %s %s of %s used (%.0f%%, %.0f%% before)", name(k), k.resource, short(value), short(max), 100*peak, 100*usual)
	}
	s.Evidence = []inquest.Evidence{{Layer: inquest.LayerInfrastructure, Kind: "metric", Time: s.Onset, Text: s.Text, Source: metricSource(src)}}
	return s, true
}

// shares is the use of a resource as a share of its limit over time; nil where there is no limit to run against. CPU time grows
// by a second a second when one core is fully used.
func (g *gauge) shares(resource string) (use, limit, ratio []inquest.Sample, src *inquest.Series) {
	use, limit, src = g.level()
	switch {
	case src == nil:
		return nil, nil, nil, nil
	case resource == cpu:
		return use, limit, rates(use), src
	case limit != nil:
		return use, limit, ratioSeries(use, limit), src
	}
	return nil, nil, nil, nil
}

// riseBegan walks back from the time a resource was full to the last time it was at its usual level (a tenth of the limit
// more is not usual any more), and returns the first sample of the rise and the last calm one.
func riseBegan(ratio []inquest.Sample, full time.Time, usual float64) (began, calm time.Time) {
	level := math.Max(0, usual)
	if math.IsNaN(usual) && len(ratio) > 0 {
		level = ratio[0].Value
	}
	began = full
	for i := len(ratio) - 1; i >= 0; i-- {
		if ratio[i].Time.After(full) {
			continue
		}
		if ratio[i].Value <= level+0.1 {
			return began, ratio[i].Time
		}
		began = ratio[i].Time
	}
	return began, time.Time{}
}

func name(k gaugeKey) string {
	if k.instance != "" && k.instance != k.component {
		return k.component + " (" + k.instance + ")"
	}
	return k.component
}

// level returns use and limit as far as the parts allow: used against limit, total minus free against total or limit.
func (g *gauge) level() (use, limit []inquest.Sample, src *inquest.Series) {
	lim, tot, fre, usd := sum(g.parts[partLimit]), sum(g.parts[partTotal]), sum(g.parts[partFree]), sum(g.parts[partUsed])
	if lim == nil {
		lim = tot
	}
	switch {
	case usd != nil:
		return usd, lim, g.parts[partUsed][0]
	case tot != nil && fre != nil:
		return combine(tot, fre, func(a, b float64) float64 { return a - b }), lim, g.parts[partTotal][0]
	case lim != nil && fre != nil:
		return combine(lim, fre, func(a, b float64) float64 { return a - b }), lim, g.parts[partLimit][0]
	}
	return nil, nil, nil
}

// sum adds the series of one part sample by sample (pools of several targets, connections by state).
func sum(in []*inquest.Series) []inquest.Sample {
	if len(in) == 0 {
		return nil
	}
	out := in[0].Samples
	for _, s := range in[1:] {
		out = combine(out, s.Samples, func(a, b float64) float64 { return a + b })
	}
	return out
}

// combine joins two series at the times of the first; the second counts with its last value before.
func combine(a, b []inquest.Sample, f func(a, b float64) float64) []inquest.Sample {
	out := make([]inquest.Sample, 0, len(a))
	j := 0
	for _, x := range a {
		for j+1 < len(b) && !b[j+1].Time.After(x.Time) {
			j++
		}
		v := 0.0
		if len(b) > 0 {
			v = b[j].Value
		}
		out = append(out, inquest.Sample{Time: x.Time, Value: f(x.Value, v)})
	}
	return out
}

func valueAt(in []inquest.Sample, t time.Time) float64 {
	v := math.NaN()
	for _, x := range in {
		if x.Time.After(t) {
			break
		}
		v = x.Value
	}
	return v
}

// waiting reports a queue, or a counter of waits and rejections, that moved in the incident and (nearly) not before.
func waiting(c *inquest.Case, k gaugeKey, s *inquest.Series, counter bool) (inquest.Symptom, bool) {
	now, then := points(s, look(c)), points(s, before(c))
	if counter {
		now, then = rates(now), rates(then)
	}
	peak, usual := quantile(now, 0.9), quantile(then, 0.9)
	if math.IsNaN(usual) {
		usual = 0
	}
	if math.IsNaN(peak) || peak < 1 && !counter || peak <= 0.05 || peak < 5*usual {
		return inquest.Symptom{}, false
	}
	x := inquest.Symptom{Kind: inquest.SymptomSaturation, Detail: k.resource, Component: k.component, Share: -1, Value: peak, Baseline: usual, Limit: none}
	for _, p := range now {
		if p.Value >= peak/2 {
			x.Onset = p.Time
			break
		}
	}
	what := "waiting"
	if counter {
		what = "waits or rejections a second"
	}
	x.Text = fmt.Sprintf("%s: %s: %s %s (%s), %s before", name(k), k.resource, short(peak), what, s.Name, short(usual))
	x.Evidence = []inquest.Evidence{{Layer: inquest.LayerInfrastructure, Kind: "metric", Time: x.Onset, Text: x.Text, Source: metricSource(s)}}
	return x, true
}

// short prints a number as people say it.
func short(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "?"
	case a >= 1<<30:
		return fmt.Sprintf("%.1fG", v/(1<<30))
	case a >= 10<<20:
		return fmt.Sprintf("%.0fM", v/(1<<20))
	case a == math.Trunc(a):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
