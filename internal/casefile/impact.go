package casefile

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// impact counts what failed between onset and end as the outermost observer saw it.
func (b *builder) impact() {
	b.failIDs, b.hit = map[uint64]bool{}, map[routeStatus]bool{}
	for _, g := range b.groups {
		b.hit[routeStatus{g.Route, g.Status}] = true
	}
	var wg sync.WaitGroup
	wg.Go(func() { b.chart = b.drawChart() })
	defer wg.Wait()
	if len(b.groups) == 0 {
		return
	}
	b.collectFailures()
	im := &b.impactOf
	perRoute := map[string]*inquest.RouteImpact{}
	clients := map[uint64]bool{}
	for _, s := range b.edge {
		im.Requests += b.addStream(perRoute, s, clients)
	}
	b.addLies(perRoute)
	counted := b.counters && slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool { return !g.RateOnly })
	for _, g := range b.groups {
		if g.RateOnly && !counted { // the requests that did not fail are unknown
			r := routeOf(perRoute, g.Route)
			im.Requests += max(0, g.Failed-r.Requests)
			r.Requests = max(r.Requests, g.Failed)
			fail(r, g.Status, g.Failed)
		}
	}
	for _, r := range perRoute {
		if r.Failed > 0 {
			im.Failed += r.Failed
			im.Routes = append(im.Routes, *r)
		}
	}
	slices.SortFunc(im.Routes, func(x, y inquest.RouteImpact) int {
		return cmp.Or(cmp.Compare(y.Failed, x.Failed), cmp.Compare(x.Route, y.Route))
	})
	if im.Requests > 0 {
		im.Ratio = min(1, float64(im.Failed)/float64(im.Requests))
	}
	im.Clients = len(clients)
	im.Services = b.servicesHit()
	im.Spread = b.spread(im)
}

// collectFailures gathers the kept failures of the incident and the ids of all requests that failed.
func (b *builder) collectFailures() {
	from, to := ns(b.window.From), ns(b.window.To)
	all := b.st.Failures()
	for i := range all {
		f := &all[i]
		if f.Time >= from && f.Time < to+int64(time.Second) && b.isEdge(f.Observer) && b.inGroups(f.Name(), groupStatus(f)) {
			b.failing = append(b.failing, f)
			if f.ID != 0 {
				b.failIDs[f.ID] = true
			}
		}
	}
	for _, l := range b.liedBy {
		b.failIDs[l.answer.ID] = true
	}
}

// fail adds n requests that failed with a status.
func fail(r *inquest.RouteImpact, status, n int) {
	if r.Status == nil { // most routes have none
		r.Status = map[int]int{}
	}
	r.Status[status] += n
	r.Failed += n
}

func routeOf(perRoute map[string]*inquest.RouteImpact, name string) *inquest.RouteImpact {
	r := perRoute[name]
	if r == nil {
		r = &inquest.RouteImpact{Route: name}
		perRoute[name] = r
	}
	return r
}

// addStream adds a stream's answers of the incident and returns how many there were.
func (b *builder) addStream(perRoute map[string]*inquest.RouteImpact, s *mem.Stream, clients map[uint64]bool) int {
	from, to := ns(b.window.From), ns(b.window.To)
	n := int(s.Requests.Count(from, to))
	r := routeOf(perRoute, s.Name())
	r.Requests += n
	for i := range s.Status {
		code, times := s.Status[i].Status, &s.Status[i].Times
		switch {
		case code == statusAbandoned:
			times = &s.Abandoned
		case code == statusLimited:
			times = &s.Limited
		case !failing(code):
			continue
		}
		if k := int(times.Count(from, to)); k > 0 && b.inGroups(s.Name(), code) {
			fail(r, code, k)
		}
	}
	if k := int(s.Broken.Count(from, to)); k > 0 && b.inGroups(s.Name(), statusLie) {
		fail(r, statusLie, k)
		b.impactOf.Lying += k
	}
	if r.Failed > 0 {
		s.Clients.Hashes(func(h uint64) { clients[h] = true })
	}
	return n
}

// addLies adds the answers of 2xx that hide a failure: counted by request id, or else as many as the errors say.
func (b *builder) addLies(perRoute map[string]*inquest.RouteImpact) {
	lies := map[string]int{}
	for _, l := range b.liedBy {
		lies[l.route()]++
	}
	from, to := ns(b.window.From), ns(b.window.To)
	for i := range b.groups {
		g := &b.groups[i]
		switch {
		case !g.Lying:
		case g.Route != "":
			if lies[g.Route] == 0 && routeOf(perRoute, g.Route).Status[statusLie] == 0 {
				lies[g.Route] = g.Failed
			}
		default:
			for route, hs := range b.complaintsByRoute() { // there is one group of all routes
				if r := perRoute[route]; r != nil && lies[route] == 0 && r.Status[statusLie] == 0 {
					for _, h := range hs {
						lies[route] += int(h.Count(from, to))
					}
					lies[route] = min(lies[route], r.Requests-r.Failed)
				}
			}
		}
	}
	for route, r := range perRoute {
		if k := lies[route]; k > 0 {
			fail(r, statusLie, k)
			b.impactOf.Lying += k
		}
	}
}

// routeStatus is what a group is of; route is "" for all.
type routeStatus struct {
	route  string
	status int
}

func (b *builder) inGroups(route string, status int) bool {
	return b.hit[routeStatus{route, status}] || b.hit[routeStatus{"", status}]
}

// servicesHit names whose requests failed: behind a proxy the owners of the upstreams, else the observers themselves.
func (b *builder) servicesHit() []string {
	set := map[string]bool{}
	for _, f := range b.failing {
		if !b.proxy {
			set[b.names.nameOf(f.Observer)] = true
			continue
		}
		for _, u := range strings.FieldsFunc(f.Upstream, func(r rune) bool { return r == ',' || r == ' ' }) {
			if c := b.names.resolve(u); c != nil {
				set[c.Name] = true
			}
		}
		for _, a := range b.answersOf(f.ID) {
			if f.ID != 0 && !b.isEdge(a.By.Observer) {
				set[b.names.nameOf(a.By.Observer)] = true
			}
		}
	}
	if slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool { return g.RateOnly }) {
		for _, c := range b.blamed() {
			set[c.Name] = true
		}
	}
	if b.proxy {
		delete(set, b.names.nameOf(b.observer)) // who passes the answer on is not who failed
	}
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// blamed are the upstreams that the proxies' error logs name during the incident.
func (b *builder) blamed() []*component {
	var out []*component
	for _, p := range b.st.Patterns() {
		if !b.writesProxyFormat(p.Service) {
			continue
		}
		for i := range p.Examples {
			if e := &p.Examples[i]; b.window.Contains(at(e.Time)) {
				if c := b.names.resolve(upstreamOf(e)); c != nil {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// spread tells how far the failure reaches: one client, one route, one service, or everything.
func (b *builder) spread(im *inquest.Impact) inquest.Spread {
	if im.Failed >= 2*minFailures && b.oneClient() {
		return inquest.SpreadClient
	}
	if len(im.Routes) == 1 {
		return inquest.SpreadRoute
	}
	if len(im.Services) == 1 && (b.proxy || len(b.edge) > len(im.Routes)) {
		return inquest.SpreadService
	}
	// A route counts as hit when a tenth of it fails; everything means that nine in ten requests go to such routes.
	hit := 0
	for _, r := range im.Routes {
		if r.Failed*10 >= r.Requests {
			hit += r.Requests
		}
	}
	if im.Requests > 0 && hit*10 >= im.Requests*9 {
		return inquest.SpreadEverything
	}
	return inquest.SpreadService
}

// nearlyAll: what fails of all others in an incident of one client is what fails every day.
const nearlyAll = 0.95

// oneClient reports whether nearly all failed requests are one client's, while others were served.
func (b *builder) oneClient() bool {
	of, most, n := map[string]int{}, "", 0
	for _, f := range b.failing {
		if f.Client == "" {
			continue
		}
		n++
		if of[f.Client]++; of[f.Client] > of[most] {
			most = f.Client
		}
	}
	if n < 2*minFailures || float64(of[most]) < nearlyAll*float64(n) {
		return false
	}
	return slices.ContainsFunc(b.failing, func(f *mem.Failure) bool {
		s := b.st.Served(f.File)
		return s.Many || s.Client != "" && s.Client != most
	})
}

// drawChart makes the small chart of the whole recording: at most 60 steps.
func (b *builder) drawChart() inquest.Chart {
	if b.span.IsZero() || len(b.edge) == 0 {
		return inquest.Chart{}
	}
	step := time.Second
	for b.span.Duration()/step > 60 {
		step *= 2
	}
	req := b.bins(step, func(yield func(int64, uint32)) {
		for _, s := range b.edge {
			for t, n := range s.Requests.Buckets() {
				yield(t, n)
			}
		}
	})
	fail := b.bins(step, func(yield func(int64, uint32)) {
		for _, s := range b.edge {
			if b.inGroups(s.Name(), statusAbandoned) {
				for t, n := range s.Abandoned.Buckets() {
					yield(t, n)
				}
			}
			if b.inGroups(s.Name(), statusLimited) {
				for t, n := range s.Limited.Buckets() {
					yield(t, n)
				}
			}
			for i := range s.Status {
				if failing(s.Status[i].Status) {
					for t, n := range s.Status[i].Times.Buckets() {
						yield(t, n)
					}
				}
			}
		}
	})
	lied := b.bins(step, func(yield func(int64, uint32)) {
		for _, l := range b.liedBy {
			yield(l.answer.Time, 1)
		}
		for _, s := range b.edge {
			if s.Broken.Len() > 0 && b.inGroups(s.Name(), statusLie) {
				for t, n := range s.Broken.Buckets() {
					yield(t, n)
				}
			}
		}
		b.complained(yield)
	})
	return inquest.Chart{From: b.span.From, Step: step, Requests: ints(req), Failed: ints(fail), Lying: ints(lied)}
}

// complained yields the errors about the routes of lying groups, each once.
func (b *builder) complained(yield func(int64, uint32)) {
	by, told := b.complaintsByRoute(), map[*stat.Histogram]bool{}
	for i := range b.groups {
		if !b.groups[i].Lying {
			continue
		}
		for _, hs := range complaintsOf(&b.groups[i], by) {
			for _, h := range hs {
				if told[h] {
					continue
				}
				told[h] = true
				for t, n := range h.Buckets() {
					yield(t, n)
				}
			}
		}
	}
}

func ints(in []float64) []int {
	out := make([]int, len(in))
	for i, v := range in {
		out[i] = int(v)
	}
	return out
}

// traffic compares the load of the incident with the load before.
func (b *builder) traffic() inquest.Traffic {
	t := inquest.Traffic{BaselineMean: -1, IncidentMean: -1, DistinctRoutes: len(b.edge)}
	if len(b.edge) == 0 {
		return t
	}
	rate := func(w inquest.Window) float64 { return b.rate(b.edge, w) }
	mean := func(w inquest.Window) float64 {
		n, sum := uint64(0), uint64(0)
		for _, s := range b.edge {
			if s.Timed {
				n += s.Requests.Count(ns(w.From), ns(w.To))
				sum += s.Requests.Sum(ns(w.From), ns(w.To))
			}
		}
		if n == 0 {
			return -1
		}
		return float64(sum) * mem.DurationUnit.Seconds() / float64(n)
	}
	calm := b.calm()
	t.BaselineRate, t.IncidentRate = rate(calm), rate(b.window)
	t.BaselineMean, t.IncidentMean = mean(b.base), mean(b.window)
	if !b.onset.IsZero() {
		t.OnsetRate = rate(inquest.Window{From: b.onset.Add(-b.lead()), To: b.onset})
		// A system that fails at once under more load shows no rise before: the seconds around the onset count too, when
		// the rise in them is more than chance (four standard deviations of a Poisson count).
		around := inquest.Window{From: b.onset.Add(-5 * time.Second), To: b.onset.Add(5 * time.Second)}
		expect := t.BaselineRate * around.Duration().Seconds()
		if n := float64(requestsIn(b.edge, around)); n > expect+4*math.Sqrt(expect) {
			t.OnsetRate = max(t.OnsetRate, rate(around))
		}
	}
	t.Heaviest = b.heaviest()
	return t
}

// calm is the baseline without the stretch right before the onset: a rise of traffic that leads to the failures is no part of the usual load.
func (b *builder) calm() inquest.Window {
	calm := b.base
	if b.lead() > 0 && calm.To.Equal(b.onset) {
		calm.To = calm.To.Add(-b.lead())
	}
	return calm
}

// rate is how many requests of streams came in a second.
func (b *builder) rate(streams []*mem.Stream, w inquest.Window) float64 {
	if s := w.Duration().Seconds(); s > 0 {
		return float64(requestsIn(streams, w)) / s
	}
	return 0
}

// maxPassed bounds how far back the requests before the onset are told second by second.
const maxPassed = 48 * time.Hour

// passed counts the requests of the failing routes that were answered well in each second before the onset, the last one first:
// those after a change speak against it. Where the store counts in wider steps, a step's requests stand in its first second.
func (b *builder) passed() []int {
	if len(b.groups) == 0 || b.counters || len(b.edge) == 0 {
		return nil
	}
	out := make([]int, max(0, min(maxPassed, b.onset.Sub(b.span.From))/time.Second))
	onset := b.onset.UnixNano()
	add := func(h *stat.Histogram, sign int) {
		for t, n := range h.Buckets() {
			if i := (onset - t) / int64(time.Second); t < onset && i < int64(len(out)) {
				out[i] += sign * int(n)
			}
		}
	}
	for _, s := range b.edge {
		if !slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool { return g.Route == "" || g.Route == s.Name() }) {
			continue
		}
		add(&s.Requests, 1)
		add(&s.Broken, -1)
		for i := range s.Status {
			if failing(s.Status[i].Status) {
				add(&s.Status[i].Times, -1)
			}
		}
	}
	return out
}

func requestsIn(ss []*mem.Stream, w inquest.Window) (n uint64) {
	for _, s := range ss {
		n += s.Requests.Count(ns(w.From), ns(w.To))
	}
	return n
}

// upstreams tells for each address what the proxy got from it before and during the incident.
func (b *builder) upstreams() []inquest.UpstreamUse {
	var out []inquest.UpstreamUse
	bf, bt, wf, wt := ns(b.base.From), ns(b.base.To), ns(b.window.From), ns(b.window.To)
	for _, u := range b.st.Upstreams() {
		x := inquest.UpstreamUse{Observer: b.names.nameOf(u.Observer), Addr: u.Addr}
		if c := b.names.resolve(u.Addr); c != nil {
			x.Component = c.Name
		}
		x.BaselineFailed = int(u.Failed.Count(bf, bt))
		x.BaselineOK = int(u.Requests.Count(bf, bt)) - x.BaselineFailed
		x.IncidentFailed = int(u.Failed.Count(wf, wt))
		x.IncidentOK = int(u.Requests.Count(wf, wt)) - x.IncidentFailed
		x.NoAnswer = int(u.NoAnswer.Count(wf, wt))
		for t := range u.Requests.Buckets() {
			if x.FirstSeen.IsZero() {
				x.FirstSeen = at(t)
			}
			x.LastSeen = at(t)
		}
		out = append(out, x)
	}
	return out
}

// edges joins the declared call graph with what the logs show: who answers for a proxy's upstreams, who is in traces.
func (b *builder) edges() []inquest.Edge {
	set := map[inquest.Edge]bool{}
	for _, e := range slices.Concat(b.st.Edges(), b.st.Traces().Edges()) {
		set[inquest.Edge{From: b.names.nameOf(e.From), To: b.names.nameOf(e.To)}] = true
	}
	for _, u := range b.st.Upstreams() {
		if c := b.names.resolve(u.Addr); c != nil {
			set[inquest.Edge{From: b.names.nameOf(u.Observer), To: c.Name}] = true
		}
	}
	out := make([]inquest.Edge, 0, len(set))
	for e := range set {
		if e.From != e.To {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b inquest.Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}
