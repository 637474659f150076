package servicegraph

import (
	"fmt"
	"math"
	"sort"

	"github.com/inquesthq/inquest"
)

// Input is all that a ranking looks at. Every field may be empty; Hint needs a Window or a Time, since a ranking
// without an incident has no meaning.
type Input struct {
	Hint   inquest.Hint
	Edges  []inquest.Edge
	Series []inquest.Series
	Traces *Traces // may be nil
	Events *Events // may be nil
}

// Suspect is a component in which the disturbance may have begun.
type Suspect struct {
	Component string
	Score     float64 // 0 to 1; how much unexplained deviation there is, comparable between incidents
	Why       string  // one sentence with numbers
	Evidence  []inquest.Source
}

// clue is one observation against one component, callees' part already subtracted.
type clue struct {
	channel  channel
	strength float64 // 0 to 1
	why      string
	source   inquest.Source
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
var weights = [channelCount]float64{chFailures: 0.8, chSeconds: 0.7, chNetwork: 0.8, chResource: 0.85, chFlow: 0.8, chStarving: 0.4}

// board collects clues.
type board struct {
	clues map[string][]clue
}

func (b *board) add(component string, c clue) {
	if c.strength > 0 && component != "" {
		b.clues[component] = append(b.clues[component], c)
	}
}

// leastScore is below what a single weak clue yields; less than that is noise and better not said.
const leastScore = 0.1

// Rank orders components by how much deviation began in them, best first. It returns nil when nothing deviates or
// when the hint names no time. Equal scores are ordered by name.
func Rank(in Input) []Suspect {
	f, ok := frameOf(in.Hint)
	if !ok {
		return nil
	}
	b := &board{clues: map[string][]clue{}}
	g := BuildGraph(in.Edges, in.Traces)
	metricClues(b, readAll(in.Series, f), g, f, in.Hint.Target)
	traceClues(b, in, f)
	return b.suspects(g, in.Hint)
}

// suspects combines the clues of each component: independent reasons add up as probabilities do.
func (b *board) suspects(g *Graph, h inquest.Hint) []Suspect {
	reach := g.Reachable(h.Target)
	var out []Suspect
	for name, clues := range b.clues {
		sort.SliceStable(clues, func(i, j int) bool {
			wi, wj := clues[i].strength*weights[clues[i].channel], clues[j].strength*weights[clues[j].channel]
			if wi != wj {
				return wi > wj
			}
			return clues[i].why < clues[j].why
		})
		var best [channelCount]float64
		for _, c := range clues {
			best[c.channel] = math.Max(best[c.channel], c.strength)
		}
		rest := 1.0
		for ch, s := range best {
			rest *= 1 - s*weights[ch]
		}
		score := 1 - rest
		if reach != nil && !reach[name] {
			score *= 0.3 // the alerted component does not depend on it
		}
		if score < leastScore {
			continue
		}
		out = append(out, Suspect{name, score, name + ": " + clues[0].why, nil})
	}
	b.discountRelays(g, out)
	sort.Slice(out, func(i, j int) bool {
		if out[i].Score != out[j].Score {
			return out[i].Score > out[j].Score
		}
		return out[i].Component < out[j].Component
	})
	return out
}

// discountRelays lowers nodes that only mirror others as long as somebody else is suspected at all.
func (b *board) discountRelays(g *Graph, s []Suspect) {
	others := 0.0
	for _, x := range s {
		if !g.relays(x.Component) {
			others = math.Max(others, x.Score)
		}
	}
	for i := range s {
		if g.relays(s[i].Component) {
			s[i].Score *= 1 - others // whatever the real node explains, the mirror need not
		}
	}
}

func metricClues(b *board, bk *book, g *Graph, f frame, target string) {
	secondsClues(b, bk, g, f, target)
	failureClues(b, bk, g, f, target)
	networkClues(b, bk, f)
	for _, name := range sortedKeys(bk.components) {
		resourceClues(b, name, bk.components[name], f)
	}
}

// traffic is the ratio of requests now to requests before, 1 when unknown.
func (m *measured) traffic(f frame) float64 {
	l := f.split(m.requests)
	before := quantile(l.base, 0.5)
	if len(l.base) < minBaseline || len(l.now) == 0 || before <= 0 {
		return 1
	}
	return mean(l.now) / before
}

func resourceClues(b *board, name string, m *measured, f frame) {
	growth := math.Max(1, m.traffic(f))
	if c, ok := f.split(m.cpu.grid()).rise(); ok {
		// What more requests cost is no fault: the reference grows with the traffic.
		points := c.now - c.ref*growth
		if points > 0.1 && significance(c.z()) > 0 {
			b.add(name, clue{chResource, ramp(points, 0.1, 0.6), fmt.Sprintf("CPU rose from %.0f %% to %.0f %% of its limit", 100*c.ref, 100*c.now), inquest.Source{}})
		}
	}
	for _, fam := range sortedKeys(m.full) {
		if c, ok := f.split(m.full[fam].grid()).rise(); ok && c.now > 0.9 && c.delta > 0.1 && significance(c.z()) > 0 {
			b.add(name, clue{chResource, 0.8, fmt.Sprintf("%s rose from %.0f %% to %.0f %%", fam, 100*c.ref, 100*c.now), inquest.Source{}})
		}
	}
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
func (m *measured) load(f frame) float64 {
	if l := f.split(m.requests); len(l.now) > 0 {
		return math.Max(mean(l.now), 0)
	}
	return 1
}

// impact is a quantity of harm per unit of time (seconds or failed requests) with its noise.
type impact struct {
	amount, noise float64
	change
}

// secondsClues subtracts from each component's added seconds those of its callees.
func secondsClues(b *board, bk *book, g *Graph, f frame, target string) {
	added := map[string]impact{}
	for name, m := range bk.components {
		c, ok := latencyRise(m.latency, m.sum[0], m.count[0], f)
		if !ok {
			continue
		}
		if o, ok := latencyRise(m.outgoing, m.sum[1], m.count[1], f); ok && o.delta > 0 {
			c.delta -= o.delta // time spent waiting for others
			c.noise = math.Hypot(c.noise, o.noise)
		}
		r := m.load(f)
		added[name] = impact{c.delta * r, c.noise * r, c}
	}
	unexplained(added, bk, g, f, func(name string, own impact, share float64) {
		s := significance(own.amount/own.noise) * share
		b.add(name, clue{chSeconds, s, fmt.Sprintf("requests take %.3gs instead of %.3gs, and its callees do not explain it", own.now, own.ref), inquest.Source{}})
	}, target)
}

func failureClues(b *board, bk *book, g *Graph, f frame, target string) {
	added := map[string]impact{}
	for name, m := range bk.components {
		gr := m.ratio.grid()
		if len(gr) == 0 && len(m.failures) > 0 && len(m.requests) > 0 {
			for t, n := range m.requests {
				if n > 0 {
					gr[t] = math.Min(1, m.failures[t]/n)
				}
			}
		}
		c, ok := f.split(gr).rise()
		if !ok {
			continue
		}
		c.noise = math.Max(c.noise, 0.001)
		r := m.load(f)
		added[name] = impact{c.delta * r, c.noise * r, c}
	}
	unexplained(added, bk, g, f, func(name string, own impact, share float64) {
		s := significance(own.amount/own.noise) * share
		b.add(name, clue{chFailures, s, fmt.Sprintf("%.2g %% of requests fail instead of %.2g %%, and its callees do not explain it", 100*own.now, 100*own.ref), inquest.Source{}})
	}, target)
}

// unexplained calls report with what remains of each component's harm after its callees' harm is taken off. A callee
// with several callers shares its harm among them by their load.
func unexplained(added map[string]impact, bk *book, g *Graph, f frame, report func(string, impact, float64), target string) {
	load := func(name string) float64 {
		if m := bk.components[name]; m != nil {
			return math.Max(m.load(f), 1e-9)
		}
		return 1
	}
	for _, name := range sortedKeys(added) {
		own := added[name]
		if own.amount <= 0 {
			continue
		}
		variance := own.noise * own.noise
		for _, c := range g.Callees(name) {
			x, ok := added[c]
			if !ok || x.amount <= 0 {
				continue
			}
			total := 0.0
			for _, caller := range g.Callers(c) {
				if !g.relays(caller) {
					total += load(caller)
				}
			}
			part := 1.0
			if total > 0 {
				part = load(name) / total
			}
			own.amount -= x.amount * math.Min(1, part)
			variance += x.noise * x.noise * part * part
		}
		own.noise = math.Sqrt(variance)
		share := 1.0
		if t, ok := added[target]; ok && t.amount > 0 {
			share = math.Min(1, own.amount/t.amount)
		}
		if own.amount > 0 && own.noise > 0 {
			report(name, own, share)
		}
	}
}

// networkClues looks at calls measured on both sides.
func networkClues(b *board, bk *book, f frame) {
	gaps := map[inquest.Edge]gapRise{}
	for e, views := range bk.calls {
		caller, ok := latencyRise(views[1].latency, views[1].sum[0], views[1].count[0], f)
		if !ok {
			continue
		}
		callee, _ := latencyRise(views[0].latency, views[0].sum[0], views[0].count[0], f)
		gaps[e] = gapRise{caller.delta - math.Max(0, callee.delta), math.Hypot(caller.noise, callee.noise)}
	}
	blameGaps(b, gaps)
}

// gapRise is the added seconds of a call that its callee does not account for.
type gapRise struct{ delta, noise float64 }

// blameGaps finds the ends at which slow calls meet. A delay at one component's network shows on all its calls, in and
// out; on the neighbours' side it shows on that one call of several. The component with the largest share of its
// calls slowed (weighted by the seconds) is blamed, its calls are set aside, and what is left is looked at again.
func blameGaps(b *board, gaps map[inquest.Edge]gapRise) {
	slow := map[inquest.Edge]float64{}
	incident := map[string]int{}
	total := 0.0
	for e, g := range gaps {
		incident[e.From]++
		incident[e.To]++
		if g.noise > 0 {
			if s := significance(g.delta / g.noise); s > 0 {
				slow[e] = g.delta * s
				total += g.delta * s
			}
		}
	}
	for len(slow) > 0 {
		name, sum, n := worstEnd(slow, incident)
		if sum <= 0.05*total {
			return
		}
		b.add(name, clue{chNetwork, sum / total, fmt.Sprintf("%d of its %d calls take longer than the callee needs, by %.3gs a call", n, incident[name], sum/float64(n)), inquest.Source{}})
		for e := range slow {
			if e.From == name || e.To == name {
				delete(slow, e)
			}
		}
	}
}

func worstEnd(slow map[inquest.Edge]float64, incident map[string]int) (string, float64, int) {
	sums, ns := map[string]float64{}, map[string]int{}
	edges := make([]inquest.Edge, 0, len(slow))
	for e := range slow {
		edges = append(edges, e)
	}
	sort.Slice(edges, func(i, j int) bool {
		return edges[i].From < edges[j].From || edges[i].From == edges[j].From && edges[i].To < edges[j].To
	})
	for _, e := range edges {
		for _, end := range []string{e.From, e.To} {
			sums[end] += slow[e]
			ns[end]++
		}
	}
	best, bestValue := "", -1.0
	for _, name := range sortedKeys(sums) {
		v := sums[name] * float64(ns[name]) / float64(incident[name])
		if v > bestValue || v == bestValue && isCallee(edges, name) && !isCallee(edges, best) {
			best, bestValue = name, v
		}
	}
	return best, sums[best], ns[best]
}

func isCallee(edges []inquest.Edge, name string) bool {
	for _, e := range edges {
		if e.To == name {
			return true
		}
	}
	return false
}

func traceClues(b *board, in Input, f frame) {
	if in.Traces.Len() == 0 && in.Events.Len() == 0 {
		return
	}
	forest := in.Traces.forest()
	starts := map[uint64]int64{}
	note := func(trace uint64, at int64) {
		if t, ok := starts[trace]; !ok || at < t {
			starts[trace] = at
		}
	}
	for _, n := range forest {
		note(n.trace, n.start)
	}
	if in.Events != nil {
		for _, e := range in.Events.events {
			note(e.trace, e.at)
		}
	}
	side := stretches(f, starts)
	t := measure(forest, side)
	timingClues(b, t)
	flowClues(b, flowBreaks(segments(forest, in.Events, side)))
}

func timingClues(b *board, t timing) {
	type sum struct{ seconds, variance float64 }
	self, total := map[string]*sum{}, 0.0
	ops := make([]operation, 0, len(t.self))
	for o := range t.self {
		ops = append(ops, o)
	}
	sort.Slice(ops, func(i, j int) bool {
		return ops[i].service < ops[j].service || ops[i].service == ops[j].service && ops[i].name < ops[j].name
	})
	for _, o := range ops {
		s, sigma, ok := t.self[o].excess()
		if !ok {
			continue
		}
		if self[o.service] == nil {
			self[o.service] = &sum{}
		}
		self[o.service].seconds += s
		self[o.service].variance += sigma * sigma
	}
	for _, name := range sortedKeys(self) {
		total += math.Max(0, self[name].seconds)
	}
	for _, name := range sortedKeys(self) {
		s := self[name]
		if s.seconds <= 0 || s.variance <= 0 {
			continue
		}
		b.add(name, clue{chSeconds, s.seconds / total * significance(s.seconds/math.Sqrt(s.variance)),
			fmt.Sprintf("its own code took %.3gs longer over %d traces", s.seconds, t.traces[1]), inquest.Source{}})
	}
	gaps := map[inquest.Edge]gapRise{}
	for c, p := range t.gap {
		if s, sigma, ok := p.excess(); ok {
			g := gaps[c.Edge]
			gaps[c.Edge] = gapRise{g.delta + s, math.Hypot(g.noise, sigma)}
		}
	}
	blameGaps(b, gaps)
}

func flowClues(b *board, flows map[string]*flowBreak) {
	total := 0.0
	for _, x := range flows {
		total += x.own
	}
	for _, name := range sortedKeys(flows) {
		x := flows[name]
		if x.own == 0 {
			continue
		}
		b.add(name, clue{chFlow, x.own / total * math.Min(1, x.own/x.total*2), fmt.Sprintf("%.0f of %.0f requests no longer take their usual course, and none of its callees' do not either: %s", x.own, x.total, x.example), inquest.Source{}})
	}
}
