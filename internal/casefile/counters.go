package casefile

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// statusLabels are the labels in which request counters carry the answer's status: Prometheus client libraries,
// OpenTelemetry's http.response.status_code, Envoy, Traefik, Spring.
var statusLabels = []string{"code", "status", "status_code", "http_status_code", "http_response_status_code", "response_code", "envoy_response_code"}

var routeLabels = []string{"route", "handler", "path", "uri", "endpoint", "http_route", "view", "url"}

// counted makes request streams of request counters, for folders without a request log: which answers there were then is
// known to the scrape, and of single requests nothing.
func counted(series []inquest.Series) []*mem.Stream {
	by := map[[3]string]*mem.Stream{}
	var out []*mem.Stream
	known := scrapedTwice(series)
	for i := range series {
		s := &series[i]
		if !countsRequests(s.Name) {
			continue
		}
		status, ok := firstLabel(s.Labels, statusLabels)
		code, err := strconv.Atoi(strings.Replace(status, "xx", "00", 1))
		if !ok || err != nil || code < 100 || code > 599 {
			continue
		}
		route, _ := firstLabel(s.Labels, routeLabels)
		who := cmp.Or(s.Labels["service"], s.Labels["app"], s.Labels["job"], hostPart(s.Labels["instance"]), "service")
		key := [3]string{who, strings.ToUpper(s.Labels["method"]), cmp.Or(route, "(all)")}
		st := by[key]
		if st == nil {
			st = &mem.Stream{Observer: who, Method: key[1], Route: key[2]}
			by[key] = st
			out = append(out, st)
		}
		addCounter(st, s, code, known[target(s)])
	}
	slices.SortFunc(out, func(a, b *mem.Stream) int {
		return cmp.Or(cmp.Compare(a.Observer, b.Observer), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	return out
}

// countsRequests: http_requests_total, http_server_requests_seconds_count, envoy_cluster_upstream_rq and the like.
func countsRequests(name string) bool {
	n := strings.ToLower(name)
	if strings.HasSuffix(n, "frontend_http_responses_total") { // HAProxy: its servers and backends count the same answers again
		return true
	}
	return (strings.Contains(n, "request") || strings.Contains(n, "_rq")) && (strings.HasSuffix(n, "_total") || strings.HasSuffix(n, "_count")) &&
		!strings.Contains(n, "client") && !strings.Contains(n, "scrape")
}

func firstLabel(labels map[string]string, names []string) (string, bool) {
	for _, n := range names {
		if v := labels[n]; v != "" {
			return v, true
		}
	}
	return "", false
}

func hostPart(instance string) string {
	if h, _, err := net.SplitHostPort(instance); err == nil {
		return h
	}
	return instance
}

// target is what a series was scraped from.
func target(s *inquest.Series) [3]string {
	return [3]string{s.Labels["job"], s.Labels["instance"], s.Labels["pod"]}
}

// scrapedTwice tells when each target was scraped for the second time: where a file begins in the middle of a scrape, the first one
// lacks series.
func scrapedTwice(series []inquest.Series) map[[3]string]time.Time {
	times := map[[3]string][2]time.Time{}
	for i := range series {
		key := target(&series[i])
		for _, x := range series[i].Samples[:min(2, len(series[i].Samples))] {
			switch t := times[key]; {
			case t[0].IsZero() || x.Time.Before(t[0]):
				times[key] = [2]time.Time{x.Time, t[0]}
			case x.Time.After(t[0]) && (t[1].IsZero() || x.Time.Before(t[1])):
				times[key] = [2]time.Time{t[0], x.Time}
			}
		}
	}
	out := map[[3]string]time.Time{}
	for key, t := range times {
		if !t[1].IsZero() {
			out[key] = t[1]
		}
	}
	return out
}

// addCounter adds a counter's increases; after a reset it counts from zero. One that appears when its target was scraped twice before
// without it was born in between, with the first answer of its status, and counts from zero as well (client libraries make
// the series of a set of labels when it is first used).
func addCounter(st *mem.Stream, s *inquest.Series, code int, scraped time.Time) {
	i := slices.IndexFunc(st.Status, func(c mem.StatusCount) bool { return c.Status == code })
	if i < 0 {
		st.Status = append(st.Status, mem.StatusCount{Status: code})
		i = len(st.Status) - 1
	}
	c := &st.Status[i]
	for j := range s.Samples {
		d := s.Samples[j].Value
		switch {
		case j > 0 && d >= s.Samples[j-1].Value:
			d -= s.Samples[j-1].Value
		case j == 0 && (scraped.IsZero() || !s.Samples[0].Time.After(scraped)):
			continue // what it had counted before nobody knows
		}
		if n := uint32(min(max(0, d), 1e9)); n > 0 {
			at := s.Samples[j].Time.UnixNano()
			st.Requests.Add(at, n)
			c.Count += uint64(n)
			c.Times.Add(at, n)
		}
	}
}
