package servicegraph

import (
	"sort"
	"strings"

	"github.com/inquesthq/inquest"
)

// Graph is the directed call graph: an edge leads from the caller to the callee. Cycles are allowed.
type Graph struct {
	callees, callers map[string][]string
}

// BuildGraph joins the given edges (topology files, upstreams seen in access logs) with those observed in traces.
// traces may be nil. Self-calls and empty names are dropped, duplicates count once.
func BuildGraph(edges []inquest.Edge, traces *Traces) *Graph {
	seen := map[inquest.Edge]bool{}
	for _, e := range edges {
		seen[inquest.Edge{From: strings.TrimSpace(e.From), To: strings.TrimSpace(e.To)}] = true
	}
	for _, e := range traces.Edges() {
		seen[e] = true
	}
	g := &Graph{callees: map[string][]string{}, callers: map[string][]string{}}
	for e := range seen {
		if e.From == "" || e.To == "" || e.From == e.To {
			continue
		}
		g.callees[e.From] = append(g.callees[e.From], e.To)
		g.callers[e.To] = append(g.callers[e.To], e.From)
	}
	for _, m := range []map[string][]string{g.callees, g.callers} {
		for k := range m {
			sort.Strings(m[k])
		}
	}
	return g
}

// Callees returns whom the component calls, sorted.
func (g *Graph) Callees(name string) []string { return g.callees[name] }

// Callers returns who calls the component, sorted.
func (g *Graph) Callers(name string) []string { return g.callers[name] }

// Components returns every name of the graph, sorted.
func (g *Graph) Components() []string {
	set := map[string]bool{}
	for k := range g.callees {
		set[k] = true
	}
	for k := range g.callers {
		set[k] = true
	}
	return sortedKeys(set)
}

// Edges returns the edges, sorted by caller, then callee.
func (g *Graph) Edges() []inquest.Edge {
	var out []inquest.Edge
	for _, from := range sortedKeys(g.callees) {
		for _, to := range g.callees[from] {
			out = append(out, inquest.Edge{From: from, To: to})
		}
	}
	return out
}

// Reachable returns the components that can be reached from name by calls, name itself included; nil when the
// graph does not know the name.
func (g *Graph) Reachable(name string) map[string]bool {
	if len(g.callees[name]) == 0 && len(g.callers[name]) == 0 {
		return nil
	}
	seen, todo := map[string]bool{name: true}, []string{name}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, c := range g.callees[n] {
			if !seen[c] {
				seen[c] = true
				todo = append(todo, c)
			}
		}
	}
	return seen
}

// relays reports whether a component is by its name and place only a view of another one: a load balancer or a host
// seen from its clients, or the clients of a node. What such a node shows was caused behind (or in front of) it.
func (g *Graph) relays(name string) bool {
	words := tokens(name)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	if last == "client" && len(g.callers[name]) == 0 {
		return true
	}
	if len(g.callees[name]) > 0 {
		return false
	}
	if last == "remote" {
		return true
	}
	for _, w := range words {
		if relayWords[w] {
			return true
		}
	}
	return false
}

// relayWords name machines that only pass requests on. "gateway" and "proxy" are missing on purpose: those run
// configuration and code of their own and are often enough the culprit.
var relayWords = map[string]bool{"elb": true, "alb": true, "nlb": true, "lb": true, "loadbalancer": true, "vip": true}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Loopback reports whether a host is every machine's own: such an address names nobody.
func Loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }
