package casefile

import (
	"cmp"
	"net"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// names knows every component by all the names that the data use for it.
type names struct {
	byName map[string]*component // canonical and alias, lower case
	all    []*component
}

type component struct {
	inquest.Component
	software string
	rank     int // of the source that gave the name: lower wins
}

// Ranks of the sources of a name: what an application calls itself, what the people who keep the change record call it,
// what monitoring calls it, what its file is called, its bare address.
const (
	rankService = iota
	rankChange
	rankMetrics
	rankFile
	rankAddress
)

func (n *names) get(name string) *component { return n.byName[strings.ToLower(name)] }

// add makes a component, or returns the one that goes by the name already.
func (n *names) add(name string, kind inquest.ComponentKind, rank int) *component {
	if c := n.get(name); c != nil {
		if c.Kind == "" {
			c.Kind = kind
		}
		return c
	}
	c := &component{Component: inquest.Component{Name: name, Kind: kind}, rank: rank, software: softwareOf(name)}
	n.all = append(n.all, c)
	n.byName[strings.ToLower(name)] = c
	return c
}

// alias lets c go by one more name. A better source renames it.
func (n *names) alias(c *component, name string, rank int) {
	if name == "" {
		return
	}
	k := strings.ToLower(name)
	if old := n.byName[k]; old != nil {
		if old != c {
			n.unite(c, old)
		}
		return
	}
	n.byName[k] = c
	if rank < c.rank {
		c.Aliases = append(c.Aliases, c.Name)
		c.Name, c.rank = name, rank
		return
	}
	c.Aliases = append(c.Aliases, name)
}

// unite lets a stand for both.
func (n *names) unite(a, b *component) {
	if a == b {
		return
	}
	other := b.Name
	if b.rank < a.rank {
		other, a.Name, a.rank = a.Name, b.Name, b.rank
	}
	a.Aliases = append(append(a.Aliases, other), b.Aliases...)
	a.Kind = cmp.Or(a.Kind, b.Kind)
	a.software = cmp.Or(a.software, b.software)
	a.Logs, a.Metrics = a.Logs || b.Logs, a.Metrics || b.Metrics
	for k, v := range n.byName {
		if v == b {
			n.byName[k] = a
		}
	}
	n.all = slices.DeleteFunc(n.all, func(c *component) bool { return c == b })
}

// resolve finds the component behind a name, instance, host:port or address; nil when nobody goes by it.
func (n *names) resolve(name string) *component {
	if name == "" {
		return nil
	}
	if c := n.get(name); c != nil {
		return c
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		if c := n.get(host); c != nil {
			return c
		}
		name = host
	}
	if base, ok := group(name); ok {
		if c := n.get(base); c != nil {
			return c
		}
	}
	if backend, server, ok := strings.Cut(name, "/"); ok { // HAProxy's backend/server
		if c := n.resolve(server); c != nil {
			return c
		}
		return n.resolve(backend)
	}
	if first, _, ok := strings.Cut(name, "."); ok && net.ParseIP(name) == nil { // api.shop.svc.cluster.local
		return n.get(first)
	}
	return nil
}

func (n *names) list() []inquest.Component {
	out := make([]inquest.Component, 0, len(n.all))
	for _, c := range n.all {
		v := c.Component
		if v.Kind == "" {
			v.Kind = inquest.KindApp
		}
		v.Aliases = slices.Clone(v.Aliases)
		slices.Sort(v.Aliases)
		v.Aliases = slices.Compact(v.Aliases)
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b inquest.Component) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// nameOf is the canonical name of whoever goes by name, or name itself.
func (n *names) nameOf(name string) string {
	if c := n.resolve(name); c != nil {
		return c.Name
	}
	return name
}
