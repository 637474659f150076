package casefile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// lie is one request that was answered 2xx although the service itself wrote down that it failed.
type lie struct {
	answer  mem.Answer
	example *mem.Example
}

// failureWords must occur in a line before its request counts as failed.
var failureWords = []string{"fail", "error", "exception", "refused", "timed out", "timeout", "unavailable", "not completed", "could not", "cannot", "unable", "rejected", "aborted"}

// recovered words say that the request got its answer in another way: a retry, a fallback, a stale copy. That is
// degradation, not a lie.
var recovered = []string{"retry", "retri", "fallback", "falling back", "fall back", "stale", "default", "degraded", "attempt", "skipp", "ignor", "best effort", "best-effort", "will try", "warming"}

// suspectLies finds requests answered 2xx of which the service wrote down that they failed: the line carries the request's
// id, is a warning or worse, and speaks of failure without recovery. Whether they are an incident, detect judges by their
// rate, like that of any failure.
func (b *builder) suspectLies() {
	seen := map[uint64]bool{}
	for _, p := range b.st.Patterns() {
		if p.Level < inquest.LevelWarn || len(p.Requests) < 3 || len(p.Examples) == 0 {
			continue
		}
		text := strings.ToLower(p.Examples[0].Text)
		if !pattern.ContainsAny(text, failureWords) || pattern.ContainsAny(text, recovered) {
			continue
		}
		for _, id := range p.Requests {
			if seen[id] {
				continue
			}
			for _, a := range b.answersOf(id) {
				if b.isEdge(a.By.Observer) && a.Status >= 200 && a.Status < 300 {
					seen[id] = true
					b.liedBy = append(b.liedBy, lie{answer: a, example: &p.Examples[0]})
					break
				}
			}
		}
	}
	slices.SortFunc(b.liedBy, func(x, y lie) int {
		return cmp.Or(cmp.Compare(x.answer.Time, y.answer.Time), cmp.Compare(x.answer.ID, y.answer.ID))
	})
}

// route names the route of a lie.
func (l *lie) route() string { return strings.TrimSpace(l.answer.By.Method + " " + l.answer.By.Route) }

// lyingTimes counts the lies of each route over time.
func (b *builder) lyingTimes() map[string]*stat.Histogram {
	out := map[string]*stat.Histogram{}
	for i := range b.liedBy {
		r := b.liedBy[i].route()
		if out[r] == nil {
			out[r] = &stat.Histogram{}
		}
		out[r].Add(b.liedBy[i].answer.Time, 1)
	}
	return out
}

// complaints are candidates of another kind of lie: the service logs errors about the requests of a route, without their
// ids, more often than the route answers 5xx. At most as many as there were other answers can be lies.
func (b *builder) complaints() []candidate {
	if !b.proxy {
		return b.attempts() // without a second observer there is nothing to set the errors against
	}
	by := b.complaintsByRoute()
	var out []candidate
	all := candidate{status: statusLie, requests: b.edge, lying: true}
	for _, s := range b.edge {
		hs := by[s.Name()]
		if len(hs) == 0 || s.Broken.Len() > 0 {
			continue
		}
		c := candidate{route: s.Name(), status: statusLie, requests: []*mem.Stream{s}, failures: hs, lying: true}
		for i := range s.Status {
			if s.Status[i].Status >= 400 {
				c.minus = append(c.minus, &s.Status[i].Times)
			}
		}
		out = append(out, c)
		all.failures, all.minus = append(all.failures, c.failures...), append(all.minus, c.minus...)
	}
	if len(out) >= severalRoutes { // where every request has a route of its own, only all together tell
		out = append(out, all)
	}
	return out
}

// severalRoutes is from how many routes on their errors are looked at together as well.
const severalRoutes = 3

// complaintsByRoute are the times of the errors that services logged about the requests of a route. A line with a request's id
// counts where the edge logs none: elsewhere its request is known by the id (suspectLies). A line that tells no method is about the
// only route of its path.
func (b *builder) complaintsByRoute() map[string][]*stat.Histogram {
	known := slices.ContainsFunc(b.st.Answers(), func(a mem.Answer) bool { return b.isEdge(a.By.Observer) })
	paths := map[string][]string{} // names of the edge's routes, by path
	for _, s := range b.edge {
		paths[s.Route] = append(paths[s.Route], s.Name())
	}
	by := map[string][]*stat.Histogram{}
	for _, x := range b.st.Complaints() {
		name := x.Name()
		if x.Method == "" {
			if len(paths[x.Route]) != 1 {
				continue
			}
			name = paths[x.Route][0]
		}
		by[name] = append(by[name], &x.Times)
		if !known {
			by[name] = append(by[name], &x.Named)
		}
	}
	return by
}

// complaintsOf picks from complaintsByRoute the routes of a group.
func complaintsOf(g *inquest.FailureGroup, by map[string][]*stat.Histogram) map[string][]*stat.Histogram {
	if g.Route == "" {
		return by
	}
	return map[string][]*stat.Histogram{g.Route: by[g.Route]}
}

// attempts are failures told by a proxy's error log alone, where its request log is missing: every line about an upstream or an answer of
// 5xx is a request that failed, or was tried again. How many did not fail nobody tells, so their rate is judged, not their ratio.
func (b *builder) attempts() []candidate {
	var out []candidate
	for _, x := range b.st.Complaints() {
		if b.writesProxyFormat(x.Service) && x.Via.Len() > 0 {
			out = append(out, candidate{route: x.Name(), status: cmp.Or(x.Status, statusBadGateway), failures: []*stat.Histogram{&x.Via}, rateOnly: true})
		}
	}
	if len(b.edge) == 0 || b.counters {
		out = append(out, b.errorsAlone()...)
	}
	return out
}

// requestFailed are the words in which servers and frameworks say that a request ended in an error (net/http, servlets, ASGI, Rack,
// Express, PHP, .NET). An error as such does not say so: most services log errors that they answer well behind.
var requestFailed = []string{"request failed", "request errored", "failed request", "error processing request", "error handling request", "processing of the request failed", "unhandled exception", "unhandled error",
	"uncaught exception", "uncaught error", "uncaught phperror", "exception on /", "exception in asgi application", "panic serving", "servlet.service() for servlet", "internal server error", "status 500", "status=500",
	"status: 500", "status code 500", "statuscode=500", "statuscode\":500", "status=502", "status=503", "status=504", "completed 500"}

// errorsAlone are failures told by applications' logs alone, where nobody logged requests: the errors of each that say that a request
// failed. A service that logs three times as many of them as before, and significantly so, is failing,
// whoever noticed.
func (b *builder) errorsAlone() []candidate {
	by := map[string]*candidate{}
	var names []string
	for _, p := range b.st.Patterns() {
		if p.Level < inquest.LevelError || len(p.Examples) == 0 || b.writesProxyFormat(p.Service) {
			continue
		}
		if f := p.Examples[0].File; int(f) < len(b.cfg.Reports) {
			if k := KindOf(p.Service, b.cfg.Reports[f].Format); k != "" && k != inquest.KindApp {
				continue
			}
		}
		text := strings.ToLower(p.Examples[0].Text)
		if !pattern.ContainsAny(text, requestFailed) || pattern.ContainsAny(text, recovered) {
			continue
		}
		if by[p.Service] == nil {
			by[p.Service] = &candidate{route: p.Service, status: statusInternal, rateOnly: true}
			names = append(names, p.Service)
		}
		by[p.Service].failures = append(by[p.Service].failures, &p.Times)
	}
	out := make([]candidate, 0, len(names))
	for _, n := range names {
		out = append(out, *by[n])
	}
	return out
}

// statusLie stands for the statuses below 400 of requests that failed: those of lies and of answers that broke off.
const statusLie = 200

// groupStatus is the status by which a kept failure belongs to a group: what failed with a good status is a lie.
func groupStatus(f *mem.Failure) int {
	if f.Status < 400 {
		return statusLie
	}
	return int(f.Status)
}

// statusInternal stands for what a service answers when it fails (RFC 9110, 15.6.1).
const statusInternal = 500

// statusBadGateway stands for what a proxy answers when its upstream fails (RFC 9110, 15.6.3).
const statusBadGateway = 502

// keepLies keeps the lies of the incident: those on routes whose lies rose.
func (b *builder) keepLies() {
	b.liedBy = slices.DeleteFunc(b.liedBy, func(l lie) bool {
		return !b.window.Contains(at(l.answer.Time)) || !slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool { return g.Lying && g.Route == l.route() })
	})
}
