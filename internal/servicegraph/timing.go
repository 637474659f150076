package servicegraph

import (
	"math"
	"sort"

	"github.com/inquesthq/inquest"
)

// moments accumulates a sample's size, and sum and sum of squares of its values and of their logarithms.
type moments struct{ n, sum, sq, logSum, logSq float64 }

func (m *moments) add(v float64) {
	l := math.Log(v + 1e-3) // a millisecond more or less is nothing a request would notice
	m.n, m.sum, m.sq, m.logSum, m.logSq = m.n+1, m.sum+v, m.sq+v*v, m.logSum+l, m.logSq+l*l
}

// meanVariance is the mean and its variance, from a size, a sum and a sum of squares.
func meanVariance(n, sum, sq float64) (mean, variance float64) {
	mean = sum / n
	return mean, math.Max(0, (sq-sum*mean)/(n-1)) / n
}

// pair holds moments of the baseline and of the incident.
type pair [2]moments

// minCalls is the least number of calls on either side for a comparison of times.
const minCalls = 3

// slower returns the added seconds a call and two parts of its significance: the mean difference of logarithms times
// the calls, and its variance. Logarithms, since a delay multiplies times that are spread over decades anyway, and one
// slow request among hundreds must not pass for a slow service. ok is false when there are too few calls.
func (p pair) slower() (seconds, logs, variance float64, ok bool) {
	b, w := p[0], p[1]
	if b.n < minCalls || w.n < minCalls {
		return 0, 0, 0, false
	}
	m0, _ := meanVariance(b.n, b.sum, b.sq)
	m1, _ := meanVariance(w.n, w.sum, w.sq)
	l0, v0 := meanVariance(b.n, b.logSum, b.logSq)
	l1, v1 := meanVariance(w.n, w.logSum, w.logSq)
	floor := 0.1 * 0.1 * (1/b.n + 1/w.n) // calls within 10 % of each other are equal
	return m1 - m0, (l1 - l0) * w.n, (v0 + v1 + floor) * w.n * w.n, true
}

type operation struct{ service, name string }

type call struct {
	inquest.Edge
	name string
}

// slowness sums up how much slower several operations became.
type slowness struct {
	seconds, calls, logs, variance float64
}

func (s *slowness) add(p *pair) {
	if sec, logs, v, ok := p.slower(); ok {
		s.seconds += sec * p[1].n
		s.calls += p[1].n
		s.logs += logs
		s.variance += v
	}
}

func (s slowness) z() float64 {
	if s.variance <= 0 {
		return 0
	}
	return s.logs / math.Sqrt(s.variance)
}

// slowServices and slowCalls add up operations; the order is fixed, since sums of floats depend on it.
func (t timing) slowServices() map[string]slowness {
	ops := make([]operation, 0, len(t.self))
	for o := range t.self {
		ops = append(ops, o)
	}
	sort.Slice(ops, func(i, j int) bool {
		return ops[i].service+"\x00"+ops[i].name < ops[j].service+"\x00"+ops[j].name
	})
	out := map[string]slowness{}
	for _, o := range ops {
		s := out[o.service]
		s.add(t.self[o])
		out[o.service] = s
	}
	return out
}

func (t timing) slowCalls() map[inquest.Edge]slowness {
	calls := make([]call, 0, len(t.gap))
	for c := range t.gap {
		calls = append(calls, c)
	}
	sort.Slice(calls, func(i, j int) bool {
		a, b := calls[i], calls[j]
		return a.From+"\x00"+a.To+"\x00"+a.name < b.From+"\x00"+b.To+"\x00"+b.name
	})
	out := map[inquest.Edge]slowness{}
	for _, c := range calls {
		s := out[c.Edge]
		s.add(t.gap[c])
		out[c.Edge] = s
	}
	return out
}

// timing is what traces say about time and failure.
type timing struct {
	self   map[operation]*pair // seconds a span spent in its own service
	gap    map[call]*pair      // caller's span minus callee's span: network, queueing, connecting
	total  map[string]*pair    // by service: seconds of its entry spans
	failed map[string]*pair    // by service: failed entry spans (1) or not (0), failures of callees excluded
	roots  pair                // seconds of the spans nobody in the data called
	traces [2]int
	usual  float64 // seconds the incident's requests would have taken as in the baseline
}

// measure compares the baseline with the parts of the incident from the given one on.
func measure(forest []*node, at map[uint64]int, window int) timing {
	t := timing{map[operation]*pair{}, map[call]*pair{}, map[string]*pair{}, map[string]*pair{}, pair{}, [2]int{}, 0}
	for _, s := range at {
		if s == 0 || s >= window {
			t.traces[min(s, 1)]++
		}
	}
	for _, n := range forest {
		side, ok := at[n.trace]
		if !ok || side != 0 && side < window {
			continue
		}
		t.add(n, min(side, 1))
	}
	if b := t.roots[0]; b.n > 0 {
		t.usual = b.sum / b.n * t.roots[1].n
	}
	return t
}

func (t *timing) add(n *node, side int) {
	own := seconds(n.dur - covered(n))
	if c := onlyRemoteChild(n); c != nil {
		key := call{inquest.Edge{From: n.svc, To: c.svc}, c.op}
		at(t.gap, key)[side].add(seconds(max(0, n.dur-c.dur)))
	} else {
		at(t.self, operation{n.svc, n.op})[side].add(own)
	}
	if n.parent == nil {
		t.roots[side].add(seconds(n.dur))
	}
	if n.entry == n {
		at(t.total, n.svc)[side].add(seconds(n.dur))
		v := 0.0
		if n.failed && !failedBelow(n) {
			v = 1
		}
		at(t.failed, n.svc)[side].add(v)
	}
}

func at[K comparable](m map[K]*pair, k K) *pair {
	p := m[k]
	if p == nil {
		p = &pair{}
		m[k] = p
	}
	return p
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// onlyRemoteChild returns the callee's span when n is nothing but a call to another service.
func onlyRemoteChild(n *node) *node {
	if len(n.children) == 1 && n.children[0].remote() {
		return n.children[0]
	}
	return nil
}

// failedBelow reports whether a service called by n's service failed on n's behalf.
func failedBelow(n *node) bool {
	todo := []*node{n}
	for len(todo) > 0 {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, c := range m.children {
			if c.failed && c.svc != n.svc {
				return true
			}
			todo = append(todo, c)
		}
	}
	return false
}

// covered returns the nanoseconds of n in which at least one child ran. Children that outlive n count only inside it.
func covered(n *node) int64 {
	if len(n.children) == 0 {
		return 0
	}
	iv := make([][2]int64, 0, len(n.children))
	for _, c := range n.children {
		iv = append(iv, [2]int64{max(c.start, n.start), min(c.start+c.dur, n.start+n.dur)})
	}
	sort.Slice(iv, func(i, j int) bool { return iv[i][0] < iv[j][0] })
	var sum int64
	end := n.start
	for _, v := range iv {
		if from := max(v[0], end); v[1] > from {
			sum += v[1] - from
			end = v[1]
		}
	}
	return sum
}
