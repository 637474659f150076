package servicegraph

import (
	"fmt"
	"math"
	"sort"

	"github.com/inquesthq/inquest"
)

// clue is one observation against one component, callees' part already subtracted.
type clue struct {
	channel  channel
	strength float64 // 0 to 1
	why      string
	sources  []inquest.Source
}

type channel uint8

const (
	chFailures channel = iota // requests fail here and not further down
	chSeconds                 // requests spend more time here and not further down
	chNetwork                 // calls to and from here take longer than the callee needs
	chResource                // a resource is used up
	chFlow                    // requests no longer take their course
	chStarving                // calls it used to make are no longer made
	channelCount
)

// weights say how much a full clue of a channel may claim of a score. A resource at its limit and a broken course are
// facts about the component itself; time and failures are what everybody upstream shows, too, and remain after a
// subtraction that is never exact; calls no longer made have many innocent reasons.
var weights = [channelCount]float64{chFailures: 0.8, chSeconds: 0.7, chNetwork: 0.8, chResource: 0.85, chFlow: 0.8, chStarving: 0.5}

// weight lowers, a little, the channels that do not make the harm the alert was about: slow components rarely cause
// wrong answers, and failing ones answer fast. A little only, since timeouts turn one into the other.
func weight(ch channel, metric string) float64 {
	w := weights[ch]
	switch {
	case metric == "availability" && (ch == chSeconds || ch == chNetwork || ch == chResource),
		metric == "latency" && (ch == chFailures || ch == chFlow || ch == chStarving):
		w *= 0.85
	}
	return w
}

// board collects clues.
type board struct {
	clues map[string][]clue
}

func (b *board) add(component string, c clue) {
	if c.strength > 0 && component != "" { // a NaN is not
		c.strength = math.Min(c.strength, 1)
		b.clues[component] = append(b.clues[component], c)
	}
}

// scene is what all metric rules look at.
type scene struct {
	*book
	graph *Graph
	frame frame
	gaps  map[inquest.Edge]gap
	board *board
	// reporting is set when most components that ever reported resource use still do.
	reporting bool
}

func (s scene) metricClues() {
	s.secondsClues()
	s.failureClues()
	for _, name := range sortedKeys(s.components) {
		s.resourceClues(name, s.components[name])
	}
	s.starvingClues()
}

// ramp maps from..to onto 0..1.
func ramp(v, from, to float64) float64 { return math.Max(0, math.Min(1, (v-from)/(to-from))) }

// latencyRise returns the rise of the mean request time. The average is taken where there is one; otherwise the mean
// of the quantiles, leaving out the 99th, which a single slow request moves.
func latencyRise(stats map[string]*average, sum, count grid, f frame) (change, bool) {
	if len(sum) > 0 && len(count) > 0 {
		g := grid{}
		for t, s := range sum {
			if n := count[t]; n > 0 {
				g[t] = s / n
			}
		}
		return f.split(g).rise()
	}
	for _, only := range []string{"avg", ""} {
		if a := stats[only]; a != nil {
			return f.split(a.grid()).rise()
		}
	}
	var all change
	n := 0.0
	for _, st := range []string{"p50", "p90", "p95"} {
		if a := stats[st]; a != nil {
			if c, ok := f.split(a.grid()).rise(); ok {
				all.ref, all.now, all.delta, all.noise, n = all.ref+c.ref, all.now+c.now, all.delta+c.delta, all.noise+c.noise, n+1
			}
		}
	}
	if n == 0 {
		if a := stats["p99"]; a != nil {
			return f.split(a.grid()).rise()
		}
		return change{}, false
	}
	return change{all.ref / n, all.now / n, all.delta / n, all.noise / n}, true
}

// load is the requests per unit of time now, 1 when unknown: components without a count weigh alike.
func (s scene) load(name string) float64 {
	if m := s.components[name]; m != nil {
		if l := s.frame.split(m.requests); len(l.now) > 0 {
			return math.Max(mean(l.now), 1e-9)
		}
	}
	return 1
}

// impact is harm per unit of time (seconds or failed requests), and the change behind it.
type impact struct {
	amount float64
	change
}

// secondsClues subtracts from each component's added seconds those of its callees.
func (s scene) secondsClues() {
	added := map[string]impact{}
	for name, m := range s.components {
		c, ok := latencyRise(m.latency, m.sum[0], m.count[0], s.frame)
		if !ok {
			continue
		}
		if o, ok := latencyRise(m.outgoing, m.sum[1], m.count[1], s.frame); ok && o.delta > 0 {
			c.delta -= o.delta // time spent waiting for others
		}
		for _, callee := range s.graph.Callees(name) {
			if g := s.gaps[inquest.Edge{From: name, To: callee}]; s.frame.significance(g.z) > 0 {
				c.delta -= g.delta // time lost on the way to others
			}
		}
		added[name] = impact{c.delta * s.load(name), c}
	}
	s.unexplained(added, func(name string, own impact, strength float64) {
		// A twentieth more is steady enough to be measured, and still nothing that anybody would be woken for.
		s.board.add(name, clue{chSeconds, strength * ramp(own.delta/own.ref, 0.05, 0.25),
			fmt.Sprintf("requests take %.3g s instead of %.3g s, more than its callees explain", own.now, own.ref), s.components[name].evidence(kindLatency)})
	})
}

func (m *measured) failShare() grid {
	g := m.ratio.grid()
	if len(g) == 0 && len(m.failures) > 0 {
		for t, n := range m.requests {
			if n > 0 {
				g[t] = math.Min(1, m.failures[t]/n)
			}
		}
	}
	return g
}

// failureClues subtracts from each component's failed requests those of its callees.
func (s scene) failureClues() {
	added := map[string]impact{}
	for name, m := range s.components {
		if c, ok := s.frame.split(m.failShare()).rise(); ok {
			c.noise = math.Max(c.noise, 0.001) // one failure in a thousand is the background of any system
			added[name] = impact{c.delta * s.load(name), c}
		}
	}
	s.unexplained(added, func(name string, own impact, strength float64) {
		s.board.add(name, clue{chFailures, strength,
			fmt.Sprintf("%.2g %% of requests fail instead of %.2g %%, more than its callees explain", 100*own.now, 100*own.ref),
			s.components[name].evidence(kindFailRatio, kindFailures, kindRequests)})
	})
}

// unexplained reports what remains of each component's harm after its callees' harm is taken off. A callee with
// several callers shares its harm among them by their load. The strength is the significance of the component's own
// deviation times the share of it that remains. Where callees do not report the quantity at all, the caller's harm may
// well be theirs, and counts less in proportion.
func (s scene) unexplained(added map[string]impact, report func(string, impact, float64)) {
	for _, name := range sortedKeys(added) {
		own := added[name]
		if own.amount <= 0 {
			continue
		}
		rest := own.amount
		for _, c := range s.graph.Callees(name) {
			x, ok := added[c]
			if !ok || x.amount <= 0 {
				continue
			}
			total := 0.0
			for _, caller := range s.graph.Callers(c) {
				if !s.graph.relays(caller) {
					total += s.load(caller)
				}
			}
			part := 1.0
			if total > 0 {
				part = math.Min(1, s.load(name)/total)
			}
			rest -= x.amount * part * ramp(x.z(), 1, 3) // a rise within noise explains nothing
		}
		if rest > 0 {
			report(name, own, s.frame.significance(own.z())*rest/own.amount*s.sighted(name, added))
		}
	}
}

// callRatio is the component's requests per request of its callers, where those had any.
func (s scene) callRatio(name string) grid {
	sum := grid{}
	for _, caller := range s.graph.Callers(name) {
		m := s.components[caller]
		if m == nil || len(m.requests) == 0 {
			return nil // a caller that nobody counted may account for any change
		}
		sum.add(m.requests)
	}
	out := grid{}
	for t, n := range s.components[name].requests {
		if sum[t] > 0 {
			out[t] = n / sum[t]
		}
	}
	return out
}

// starvingClues blames callers whose callees are no longer called although the callers themselves still are: the code
// no longer gets that far.
func (s scene) starvingClues() {
	strength, why := map[string]float64{}, map[string]string{}
	for _, name := range sortedKeys(s.components) {
		callers := s.graph.Callers(name)
		drop := s.missing(name)
		if drop == 0 || len(callers) == 0 {
			continue
		}
		// Half of the calls missing may be another mix of requests; all of them missing is not.
		share := ramp(drop, 0.5, 1) / float64(len(callers))
		for _, caller := range callers {
			if share > strength[caller] {
				why[caller] = fmt.Sprintf("still gets requests, but calls %s %.0f %% less", name, 100*drop)
			}
			strength[caller] = 1 - (1-strength[caller])*(1-share)
		}
	}
	for _, caller := range sortedKeys(strength) {
		s.board.add(caller, clue{chStarving, strength[caller], why[caller], s.components[caller].evidence(kindRequests)})
	}
}

// sighted is the share of the component and its callees that report the quantity.
func (s scene) sighted(name string, added map[string]impact) float64 {
	seen, all := 1.0, 1.0
	for _, c := range s.graph.Callees(name) {
		all++
		if _, ok := added[c]; ok {
			seen++
		}
	}
	return seen / all
}

// missing returns the share of its usual requests that a component no longer gets from callers that go on, 0 when
// that is within what the baseline showed.
func (s scene) missing(name string) float64 {
	l := s.frame.split(s.callRatio(name))
	if len(l.base) < minBaseline || len(l.now) == 0 {
		return 0
	}
	before := quantile(l.base, 0.5)
	if len(l.recent) > 0 {
		before = math.Min(before, quantile(l.recent, 0.75))
	}
	now, low := mean(l.now), quantile(l.base, 0.05)
	noise := math.Max((quantile(l.base, 0.5)-low)/1.645, spread(l.base))
	if before <= 0 || now >= low || before-now < 3*noise {
		return 0
	}
	// Where a handful of calls were to be expected, none at all may be chance: 5 expected and none seen has a
	// probability of 0.7 %, and dozens of components are looked at.
	usual := quantile(s.frame.split(s.components[name].requests).base, 0.5) * float64(len(l.now))
	return (1 - now/before) * ramp(usual, 3, 10)
}

// gap is the added seconds of a call that its callee does not account for, and their significance.
type gap struct {
	delta, z float64
	sources  []inquest.Source
}

// metricGaps looks at calls measured by the caller. Where the callee measured them, too, the difference of the two
// views is compared with the baseline's difference: it is steadier than either view.
func (s scene) metricGaps() map[inquest.Edge]gap {
	gaps := map[inquest.Edge]gap{}
	for e, views := range s.calls {
		if e.From == e.To {
			continue // there is no way to go wrong on
		}
		diff := map[string]*average{}
		for stat, a := range views[1].latency {
			g := a.grid()
			if callee := views[0].latency[stat]; callee != nil {
				g = g.minus(callee.grid())
			}
			into(diff, stat, g)
		}
		c, ok := latencyRise(diff, views[1].sum[0], views[1].count[0], s.frame)
		if !ok {
			continue
		}
		gaps[e] = gap{c.delta, c.z(), views[1].sources[kindLatency]}
	}
	return gaps
}

// feelGaps drops what the callers hardly notice: a gap counts in full from a tenth of their usual request time on, and
// not at all below a fiftieth.
func (s scene) feelGaps() {
	for e, g := range s.gaps {
		m := s.components[e.From]
		if m == nil {
			continue
		}
		if c, ok := latencyRise(m.latency, m.sum[0], m.count[0], s.frame); ok && c.ref > 0 {
			g.z *= ramp(g.delta/c.ref, 0.02, 0.1)
			s.gaps[e] = g
		}
	}
}

// blameGaps finds the ends at which slow calls meet. A delay at one component's network shows on all its calls, in and
// out; on the neighbours' side it shows on that one call of several. The component with the largest share of its
// calls slowed (weighted by the seconds) is blamed, its calls are set aside, and what is left is looked at again.
func blameGaps(b *board, f frame, gaps map[inquest.Edge]gap) {
	slow := map[inquest.Edge]float64{}
	incident := map[string]int{}
	total := 0.0
	for _, e := range sortedEdges(gaps) {
		incident[e.From]++
		incident[e.To]++
		if s := f.significance(gaps[e].z); s > 0 {
			slow[e] = gaps[e].delta * s
			total += slow[e]
		}
	}
	for len(slow) > 0 {
		name, sum, edges := worstEnd(slow, incident)
		if sum < 0.05*total {
			return
		}
		best, seconds := 0.0, 0.0
		var src []inquest.Source
		for _, e := range edges {
			best = math.Max(best, f.significance(gaps[e].z))
			seconds = math.Max(seconds, gaps[e].delta)
			src = append(src, gaps[e].sources...)
			delete(slow, e)
		}
		b.add(name, clue{chNetwork, sum / total * best,
			fmt.Sprintf("%d of its %d calls take longer than the callee needs, by up to %.3g s", len(edges), incident[name], seconds), src})
	}
}

func sortedEdges[V any](m map[inquest.Edge]V) []inquest.Edge {
	edges := make([]inquest.Edge, 0, len(m))
	for e := range m {
		edges = append(edges, e)
	}
	sort.Slice(edges, func(i, j int) bool {
		return edges[i].From < edges[j].From || edges[i].From == edges[j].From && edges[i].To < edges[j].To
	})
	return edges
}

// worstEnd returns the component with the largest slow seconds times share of slow calls; of two equal ones the
// callee, since a delay is more often on the side that answers.
func worstEnd(slow map[inquest.Edge]float64, incident map[string]int) (string, float64, []inquest.Edge) {
	sums := map[string]float64{}
	at := map[string][]inquest.Edge{}
	called := map[string]bool{}
	for _, e := range sortedEdges(slow) {
		for _, end := range []string{e.From, e.To} {
			sums[end] += slow[e]
			at[end] = append(at[end], e)
		}
		called[e.To] = true
	}
	best, bestValue := "", -1.0
	for _, name := range sortedKeys(sums) {
		v := sums[name] * float64(len(at[name])) / float64(incident[name])
		if v > bestValue || v == bestValue && called[name] && !called[best] {
			best, bestValue = name, v
		}
	}
	return best, sums[best], at[best]
}

// timingClues weighs each service's own added seconds against all that were added, on calls included.
func timingClues(b *board, f frame, t timing) {
	self, calls := t.slowServices(), t.slowCalls()
	total := 0.0
	for _, name := range sortedKeys(self) {
		total += math.Max(0, self[name].seconds)
	}
	for _, e := range sortedEdges(calls) {
		total += math.Max(0, calls[e].seconds)
	}
	// Less than a tenth of the time requests take anyway is nothing anybody was alerted for.
	felt := ramp(total/math.Max(t.usual, 1e-9), 0.02, 0.1)
	for _, name := range sortedKeys(self) {
		if s := self[name]; s.seconds > 0 {
			b.add(name, clue{chSeconds, s.seconds / total * f.significance(s.z()) * felt,
				fmt.Sprintf("its own code took %.3g s longer over %d traces", s.seconds, t.traces[1]), nil})
		}
	}
}

// failedSpanClues compares the share of failed requests, callees' failures excluded.
func failedSpanClues(b *board, f frame, t timing) {
	for _, name := range sortedKeys(t.failed) {
		p := t.failed[name]
		if p[0].n < minBaseline || p[1].n < minBaseline {
			continue
		}
		before, now := p[0].sum/p[0].n, p[1].sum/p[1].n
		both := (p[0].sum + p[1].sum + 1) / (p[0].n + p[1].n + 2)
		z := (now - before) / math.Sqrt(both*(1-both)*(1/p[0].n+1/p[1].n))
		if z > f.from {
			b.add(name, clue{chFailures, math.Max(f.significance(z), ramp(now-before, 0, 0.5)),
				fmt.Sprintf("%.2g %% of its spans fail instead of %.2g %%, without a failing callee", 100*now, 100*before), nil})
		}
	}
}

// traceGaps is what traces say about calls: the caller's span minus the callee's.
func traceGaps(t timing) map[inquest.Edge]gap {
	out := map[inquest.Edge]gap{}
	for e, s := range t.slowCalls() {
		if s.calls > 0 {
			out[e] = gap{s.seconds / s.calls, s.z(), nil}
		}
	}
	return out
}

func flowClues(b *board, flows map[string]*flowBreak) {
	for _, name := range sortedKeys(flows) {
		if x := flows[name]; x.own > 0 {
			// A defect stops nearly every request that comes by; a changed mix of requests shifts a share. And what
			// befell one request in fifty proves less: of many rare branches some are not taken by chance.
			common := 0.5 + 0.5*ramp(x.own/x.total, 0, 0.2)
			b.add(name, clue{chFlow, ramp(x.drop, 0.2, 1) * x.own / x.broken * common,
				fmt.Sprintf("%.0f of %.0f requests left their usual course here, not in a callee: %s", x.own, x.total, x.example), nil})
		}
	}
}
