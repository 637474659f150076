package casefile

import (
	"cmp"
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

// observers chooses whose view of the requests counts: the outermost proxy, which is the one that answered the most requests; without a proxy every service
// that logs its requests. Where there are several entrances that have nothing to do with each other (a gateway of the shop, one of the search), it is the
// one that the alert is about, else the largest, if its failures have risen; else the largest of the others whose failures have.
func (b *builder) observers() {
	requests, proxy := map[string]uint64{}, map[string]bool{}
	for _, s := range b.st.Streams() {
		requests[s.Observer] += s.Requests.Count(0, 1<<62)
		proxy[s.Observer] = proxy[s.Observer] || s.Proxy || b.writesProxyFormat(s.Observer)
	}
	var proxies []string
	for o := range requests {
		if proxy[o] {
			proxies = append(proxies, o)
		}
	}
	if len(proxies) == 0 {
		b.serviceLogs(len(requests) == 1)
		b.suspectLies()
		b.detect()
		return
	}
	slices.SortFunc(proxies, func(x, y string) int { return cmp.Or(cmp.Compare(requests[y], requests[x]), cmp.Compare(x, y)) })
	fronts := b.entrances(proxies)
	whole := "" // the first that fails from end to end
	for _, f := range fronts {
		b.lookFrom(f)
		switch {
		case len(fronts) == 1 || len(b.groups) > 0 && !b.allFails:
			return
		case len(b.groups) > 0:
			whole = cmp.Or(whole, f)
		}
	}
	b.lookFrom(cmp.Or(whole, proxies[0]))
}

// serviceLogs takes every service that logs its requests, or else the counters of requests, for the edge.
func (b *builder) serviceLogs(single bool) {
	b.edge = b.st.Streams()
	if len(b.edge) == 0 {
		b.edge = counted(b.st.Series())
		b.counters = len(b.edge) > 0
	}
	b.settle()
	if single {
		b.observer = b.edge[0].Observer
	}
}

// lookFrom takes a proxy for the edge and looks for failures that rose there.
func (b *builder) lookFrom(front string) {
	b.observer, b.proxy, b.edge = front, true, nil
	b.groups, b.blips, b.liedBy, b.window, b.allFails = nil, nil, nil, inquest.Window{}, false
	for _, s := range b.st.Streams() {
		if s.Observer == front {
			b.edge = append(b.edge, s)
		}
	}
	b.settle()
	b.suspectLies()
	b.detect()
}

func (b *builder) settle() {
	b.atEdge = map[string]bool{}
	for _, s := range b.edge {
		b.atEdge[s.Observer] = true
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
