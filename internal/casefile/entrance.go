package casefile

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/store/mem"
)

const (
	// sameRoutes is the share of a proxy's requests on routes of another from which on one is taken to stand behind the other, which sends it all that it gets.
	sameRoutes = 0.5
	// sameTime is the share of the longer recording that both must cover: else "nothing fails there" may be "nobody looked".
	sameTime = 0.8
)

// entrances lists the proxies at which requests enter the system, in the order in which they are looked at: those that the alert is about, then by requests. A proxy that has to do
// with a larger one (the same requests, a call, mostly the same routes) stands behind it, or beside it for the same purpose, and what it saw is no other outage.
func (b *builder) entrances(proxies []string) []string {
	out := proxies[:1:1]
	if len(proxies) > 1 {
		v := b.views(proxies)
		for _, p := range proxies[1:] {
			if !slices.ContainsFunc(out, func(f string) bool { return v.related(f, p) }) {
				out = append(out, p)
			}
		}
	}
	about := func(p string) int {
		if i := slices.Index(b.cfg.About, p); i >= 0 {
			return i
		}
		return len(b.cfg.About)
	}
	slices.SortStableFunc(out, func(x, y string) int { return about(x) - about(y) })
	return out
}

// views is what tells proxies that belong together from those that do not.
type views struct {
	streams map[string][]*mem.Stream
	paths   map[string]map[string]bool // of each proxy, its paths
	ends    map[string]map[string]bool // and what is left of them when a prefix is cut off
	linked  map[[2]string]bool         // a request of both, or a call from one to the other
}

func (b *builder) views(proxies []string) *views {
	v := &views{streams: map[string][]*mem.Stream{}, paths: map[string]map[string]bool{}, ends: map[string]map[string]bool{}, linked: map[[2]string]bool{}}
	for _, p := range proxies {
		v.paths[p], v.ends[p] = map[string]bool{}, map[string]bool{}
	}
	for _, s := range b.st.Streams() {
		if o := s.Observer; v.paths[o] != nil {
			v.streams[o] = append(v.streams[o], s)
			v.paths[o][s.Route] = true
			for end := range ends(s.Route) {
				v.ends[o][end] = true
			}
		}
	}
	link := func(x, y string) { v.linked[[2]string{x, y}], v.linked[[2]string{y, x}] = true, true }
	for _, e := range slices.Concat(b.st.Edges(), b.st.Traces().Edges()) {
		link(e.From, e.To)
	}
	for _, u := range b.st.Upstreams() {
		host, _, _ := strings.Cut(u.Addr, ":")
		for _, p := range proxies {
			if p != u.Observer && (p == host || p == u.Name) {
				link(p, u.Observer)
			}
		}
	}
	var id uint64
	var seen []string                  // proxies that answered the request of the id; services may stand between them
	for _, a := range b.st.Answers() { // ascending in id
		if a.ID != id {
			id, seen = a.ID, seen[:0]
		}
		if by := a.By.Observer; v.paths[by] != nil && !slices.Contains(seen, by) {
			for _, o := range seen {
				link(o, by)
			}
			seen = append(seen, by)
		}
	}
	return v
}

// related reports whether a proxy has to do with a larger one.
func (v *views) related(front, p string) bool {
	if v.linked[[2]string{front, p}] {
		return true
	}
	x, y := spanOf(v.streams[front]), spanOf(v.streams[p])
	both := minTime(x.To, y.To).Sub(maxTime(x.From, y.From))
	if float64(both) < sameTime*float64(max(x.Duration(), y.Duration(), time.Second)) {
		return true
	}
	all, shared := uint64(0), uint64(0)
	for _, s := range v.streams[p] {
		n := s.Requests.Count(0, 1<<62)
		all += n
		if v.sameRoute(front, s.Route) {
			shared += n
		}
	}
	return float64(shared) >= sameRoutes*float64(all)
}

// sameRoute reports whether a proxy may have a route under this path, or under it with a prefix that one of the two has cut off.
func (v *views) sameRoute(front, path string) bool {
	if v.paths[front][path] || v.ends[front][path] {
		return true
	}
	for end := range ends(path) {
		if v.paths[front][end] {
			return true
		}
	}
	return false
}

// ends are what is left of a path when one, two, ... of its first segments are cut off; "/" alone says nothing.
func ends(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			i := strings.IndexByte(path[min(1, len(path)):], '/')
			if i < 0 || i+2 >= len(path) {
				return
			}
			if path = path[i+1:]; !yield(path) {
				return
			}
		}
	}
}
