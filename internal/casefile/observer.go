package casefile

import (
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// proxyFormats are the formats that web servers, gateways and load balancers write, by the first part of the name.
var proxyFormats = []string{"nginx", "apache", "haproxy", "envoy", "istio", "traefik", "caddy", "kong", "iis", "aws", "cloudflare", "ingress", "litespeed", "combined", "common", "inquest-gateway"}

func isProxyFormat(format string) bool {
	for _, p := range proxyFormats {
		if strings.HasPrefix(format, p) {
			return true
		}
	}
	return false
}

// observers chooses whose view of the requests counts: the outermost proxy, which is the one that answered the
// most requests; without a proxy every service that logs its requests.
func (b *builder) observers() {
	requests, proxy := map[string]uint64{}, map[string]bool{}
	for _, s := range b.st.Streams() {
		n := s.Requests.Count(0, 1<<62)
		requests[s.Observer] += n
		proxy[s.Observer] = proxy[s.Observer] || s.Proxy || b.writesProxyFormat(s.Observer)
	}
	best := ""
	for _, s := range b.st.Streams() { // in name order: ties go to the first name
		o := s.Observer
		if proxy[o] && (best == "" || requests[o] > requests[best]) {
			best = o
		}
	}
	b.observer, b.proxy = best, best != ""
	for _, s := range b.st.Streams() {
		if best == "" || s.Observer == best {
			b.edge = append(b.edge, s)
		}
	}
	if len(b.edge) == 0 {
		b.edge = counted(b.st.Series())
		b.counters = len(b.edge) > 0
	}
	b.atEdge = map[string]bool{}
	for _, s := range b.edge {
		b.atEdge[s.Observer] = true
	}
	if best == "" && len(requests) == 1 {
		b.observer = b.edge[0].Observer
	}
	b.span = spanOf(b.edge)
	if b.span.IsZero() {
		b.span = b.patternSpan()
	}
}

// writesProxyFormat reports whether a file whose records go by the name is in a format of web servers and gateways.
func (b *builder) writesProxyFormat(service string) bool {
	return slices.ContainsFunc(b.cfg.Reports, func(r parse.FileReport) bool {
		return isProxyFormat(r.Format) && writer(&r) == service
	})
}

func spanOf(streams []*mem.Stream) inquest.Window {
	lo, hi := int64(0), int64(0)
	for _, s := range streams {
		lo, hi = around(lo, hi, &s.Requests)
	}
	return inquest.Window{From: at(lo), To: at(hi)}
}

// around is the span from lo to hi (0: none yet) with that of h.
func around(lo, hi int64, h *stat.Histogram) (from, to int64) {
	if from, to = h.Ends(); lo != 0 && (lo < from || from == 0) {
		from = lo
	}
	return from, max(hi, to)
}

func (b *builder) patternSpan() inquest.Window {
	lo, hi := int64(0), int64(0)
	for _, p := range b.st.Patterns() {
		lo, hi = around(lo, hi, &p.Times)
	}
	return inquest.Window{From: at(lo), To: at(hi)}
}
