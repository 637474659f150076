package servicegraph

import (
	"math"
	"sort"

	"github.com/inquesthq/inquest"
)

// moments accumulates a sample's size, sum and sum of squares.
type moments struct{ n, sum, sq float64 }

func (m *moments) add(v float64) { m.n++; m.sum += v; m.sq += v * v }

func (m moments) mean() float64 {
	if m.n == 0 {
		return 0
	}
	return m.sum / m.n
}

// meanVariance is the variance of the mean.
func (m moments) meanVariance() float64 {
	if m.n < 2 {
		return 0
	}
	v := (m.sq - m.sum*m.sum/m.n) / (m.n - 1)
	return math.Max(v, 0) / m.n
}

// pair holds moments of the baseline and of the incident.
type pair [2]moments

// minCalls is the least number of calls on either side for a comparison of times.
const minCalls = 4

// excess returns the added seconds over all calls of the incident, and its standard deviation.
func (p pair) excess() (seconds, sigma float64, ok bool) {
	if p[0].n < minCalls || p[1].n < minCalls {
		return 0, 0, false
	}
	d := p[1].mean() - p[0].mean()
	floor := 0.02 * p[0].mean() // as for metrics: nothing is measured more finely
	return d * p[1].n, math.Sqrt(p[0].meanVariance()+p[1].meanVariance()+floor*floor) * p[1].n, true
}

type operation struct{ service, name string }

type call struct {
	inquest.Edge
	name string
}

// timing is what traces say about time and failure.
type timing struct {
	self   map[operation]*pair // seconds a span spent in its own service
	gap    map[call]*pair      // caller's span minus callee's span: network, queueing, connecting
	total  map[string]*pair    // by service: seconds of its entry spans
	failed map[string]*pair    // by service: failed entry spans (1) or not (0), failures of callees excluded
	traces [2]int
}

func measure(forest []*node, at map[uint64]int) timing {
	t := timing{map[operation]*pair{}, map[call]*pair{}, map[string]*pair{}, map[string]*pair{}, [2]int{}}
	for _, side := range at {
		if side >= 0 {
			t.traces[side]++
		}
	}
	for _, n := range forest {
		side, ok := at[n.trace]
		if !ok || side < 0 {
			continue
		}
		t.add(n, side)
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
