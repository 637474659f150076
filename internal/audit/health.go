package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// healthRules: a health check says how the service is.
func healthRules() []rule {
	return []rule{{
		AuditRule: inquest.AuditRule{
			ID: "health/lied", Title: "a health check answered 200 while requests failed", Severity: inquest.AuditError,
			Why:    "A health check that says fine while requests fail is worse than none: the balancer keeps sending traffic, and nobody is told.",
			Source: "draft-inadarei-api-health-check, 3; Kubernetes, readiness probes",
			Fix: "Let readiness test what requests need (the pool, the database, disk, breakers) within half a second, and answer 503 when it " +
				"fails. Liveness must not test dependencies.",
			Needs: "an access log that holds the health checks beside the requests",
		},
		whole:  healthLies,
		unable: needRequests,
	}}
}

// healthNames are the last parts of the paths under which frameworks and platforms ask whether a service can take requests. Checks
// of mere liveness (/livez, /ping) are not among them: they say fine on purpose while a dependency is down.
var healthNames = []string{"health", "healthz", "healthcheck", "health-check", "health_check", "_health", "ready", "readyz", "readiness", "_status", "heartbeat", "hc"}

// isHealth reports whether a route is a health check, and the part of the path before it: "/orders/health" speaks for /orders.
func (w *world) isHealth(s *mem.Stream) (prefix string, ok bool) {
	if s.Method != "GET" && s.Method != "HEAD" { //nolint:usestdlibvars // an offline room imports no net/http
		return "", false
	}
	if slices.Contains(w.cfg.HealthRoutes, s.Route) {
		return "/", true
	}
	if strings.Contains(s.Route, "live") {
		return "", false
	}
	route := strings.TrimSuffix(s.Route, "/")
	for _, tail := range []string{"/readiness", "/ready"} { // /actuator/health/readiness, /health/ready
		if rest, found := strings.CutSuffix(route, tail); found && strings.HasSuffix(rest, "/health") {
			route = rest
		}
	}
	i := strings.LastIndexByte(route, '/')
	if i < 0 || !slices.Contains(healthNames, route[i+1:]) {
		return "", false
	}
	prefix = route[:i+1]
	switch prefix {
	case "/actuator/", "/-/", "/management/", "/manage/", "/q/", "/internal/", "/admin/", "/system/": // of the whole service
		prefix = "/"
	}
	return prefix, true
}

// trailing is over how many minutes failures are set against requests: that of the usual alert on 5xx.
const trailing = 5

// minFailed failures must be in it: one of two is 50% and says nothing.
const minFailed = 5

// healthLies looks at each health check beside the requests of the same observer below the same prefix.
func healthLies(w *world) {
	streams := w.in.Store.Streams()
	for _, h := range streams {
		prefix, ok := w.isHealth(h)
		if !ok {
			continue
		}
		var served []*mem.Stream
		for _, s := range streams {
			if _, check := w.isHealth(s); !check && s.Observer == h.Observer && strings.HasPrefix(s.Route, prefix) {
				served = append(served, s)
			}
		}
		w.healthLied(h, served)
	}
}

// healthLied lists the intervals in which the check h was answered well while the requests failed.
func (w *world) healthLied(h *mem.Stream, served []*mem.Stream) {
	r, on := w.rules["health/lied"]
	if !on {
		return
	}
	healthy, requests, failed := wellByMinute(h), byMinute{}, byMinute{}
	for _, s := range served {
		requests.add(&s.Requests)
		for i := range s.Status {
			if s.Status[i].Status >= 500 {
				failed.add(&s.Status[i].Times)
			}
		}
	}
	f := inquest.AuditFinding{Rule: r, Service: h.Observer, Route: h.Name(), Of: total(h)}
	end := int64(0) // minute at which the last interval ends
	for _, m := range slices.Sorted(maps.Keys(failed)) {
		if healthy[m] == 0 || !w.failing(requests, failed, m) {
			continue
		}
		if n := len(f.Intervals); n == 0 || m-end > joined {
			f.Intervals = append(f.Intervals, inquest.AuditInterval{Window: inquest.Window{From: instant(m * minute)}})
			end = m
		}
		last := &f.Intervals[len(f.Intervals)-1]
		for ; end <= m; end++ {
			last.Healthy, last.Requests, last.Failed = last.Healthy+healthy[end], last.Requests+requests[end], last.Failed+failed[end]
			f.Count += healthy[end]
		}
		last.To = instant(end * minute)
	}
	if n := len(f.Intervals); n > 0 {
		f.From, f.To = f.Intervals[0].From, f.Intervals[n-1].To
		f.Detail = fmt.Sprintf("health checks answered well while more than %g%% of requests were answered 5xx", 100*w.cfg.HealthThreshold)
		w.found = append(w.found, f)
	}
}

// joined: intervals with so few minutes between them are one. Health checks come every 10 to 30 seconds and may miss a minute.
const joined = 2

// failing reports whether the share of failures in minute m, or over the minutes up to it, is surely above the threshold.
func (w *world) failing(requests, failed byMinute, m int64) bool {
	n, k := requests[m], failed[m]
	if w.tooMany(k, n) {
		return true
	}
	for i := m - trailing + 1; i < m; i++ {
		n, k = n+requests[i], k+failed[i]
	}
	return w.tooMany(k, n)
}

func (w *world) tooMany(failed, requests int) bool {
	return failed >= minFailed && stat.WilsonLower(float64(failed), float64(requests), 1.96) > w.cfg.HealthThreshold
}
