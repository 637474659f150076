package casefile

import (
	"cmp"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

const (
	maxBins = 240 // keeps the quadratic scan under 30,000 steps a group; a bin is then under half a percent of the recording
	// minFailures: one error of ten is 10% and says nothing; the Wilson bound of five in a row starts at 57% (REQUIREMENTS T17).
	minFailures = 5
	// minRise: traffic doubles within an ordinary day and caches warm up; what is less than threefold is no change of kind.
	minRise = 3
	// minRatio: below one failure in a hundred of a route, a ratio is a latent risk and not an incident (tier 3 pages at 1%).
	minRatio = 0.01
	// blipSeconds: a restart of a single instance costs some seconds; what heals by itself within ten is set aside and told.
	blipSeconds = 10
	// statusAbandoned is nginx's 499: the client closed the connection. Some clients always do; when a third of a route's
	// requests is given up after a second and more, the route hangs.
	statusAbandoned = 499
	minAbandoned    = 1.0 / 3
	// oneInAThousand is ln 1000: the log-likelihood ratio that chance reaches once in a thousand tries.
	oneInAThousand = 6.907755278982137
)

// candidate is one set of requests whose failures may have risen.
type candidate struct {
	route    string
	status   int
	requests []*mem.Stream
	failures []*stat.Histogram
	minus    []*stat.Histogram // failures that were answered as such
	lying    bool
	rateOnly bool    // requests are unknown: the failures' rate over time is judged
	least    float64 // ratio below which a rise is no failure of ours
}

// detect finds the groups of routes and statuses whose failures rose, and with them onset and end.
func (b *builder) detect() {
	if b.span.IsZero() {
		return
	}
	b.unscraped()
	b.search(b.candidates())
	if len(b.groups) == 0 {
		b.throughout()
	}
	if len(b.groups) == 0 {
		b.askCounters()
	}
}

// search judges candidates and keeps the groups of one incident.
func (b *builder) search(cands []candidate) {
	width := binWidth(b.span)
	threshold := significance(b.span, width, len(cands))
	judged := make([]judgement, len(cands))
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(len(cands), runtime.GOMAXPROCS(0)) { // most of the time that follows the reading goes here
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(cands)); i = next.Add(1) - 1 {
				judged[i] = b.judge(cands[i], width, threshold)
			}
		})
	}
	wg.Wait()
	for _, j := range judged {
		switch {
		case !j.rose || j.faint:
		case j.blip:
			b.blips = append(b.blips, j.FailureGroup)
		default:
			b.groups = append(b.groups, j.FailureGroup)
		}
	}
	b.groups = dropCovered(b.groups)
	b.blips = dropCovered(b.blips)
	slices.SortStableFunc(b.groups, func(x, y inquest.FailureGroup) int { return cmp.Compare(y.Score, x.Score) })
	slices.SortStableFunc(b.blips, func(x, y inquest.FailureGroup) int { return x.Window.From.Compare(y.Window.From) })
	b.keepTogether()
	b.joinFaint(judged)
	b.unhealed()
	b.blips = slices.DeleteFunc(b.blips, func(x inquest.FailureGroup) bool { // part of what was found
		return slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool {
			return g.Status == x.Status && g.Route == "" && g.Window.Contains(x.Window.From)
		})
	})
}

// joinFaint adds the routes whose failures rose too little to be found by themselves (a route that hardly anybody asked for before), where
// they failed with the status of the incident and during it: where and when to look is known then, and need not be paid for with significance.
func (b *builder) joinFaint(judged []judgement) {
	w, was := b.window, slices.Clone(b.groups)
	w.From, w.To = w.From.Add(-blipSeconds*time.Second), w.To.Add(blipSeconds*time.Second)
	for _, j := range judged {
		if !j.faint || j.Lying || j.RateOnly || !w.Contains(j.Window.From) || j.Window.To.After(w.To) {
			continue
		}
		known := slices.ContainsFunc(was, func(g inquest.FailureGroup) bool { return g.Status == j.Status && !g.Lying })
		covered := slices.ContainsFunc(was, func(g inquest.FailureGroup) bool { return g.Status == j.Status && g.Route == "" })
		if known && !covered && j.Route != "" {
			b.groups = append(b.groups, j.FailureGroup)
			b.window.From = minTime(b.window.From, j.Window.From)
		}
	}
}

// unhealed takes back from the blips what only changed its status: a route that fails with 500 for some seconds and then with 503, because
// whoever stands in front of it asks it no more, has not healed, and what it said first tells why.
func (b *builder) unhealed() {
	var took []inquest.FailureGroup
	b.blips = slices.DeleteFunc(b.blips, func(x inquest.FailureGroup) bool {
		goesOn := slices.ContainsFunc(b.groups, func(g inquest.FailureGroup) bool {
			return g.Route == x.Route && g.Status != x.Status && !g.Lying && !x.Lying && g.Window.To.After(x.Window.To) &&
				g.Window.From.Before(x.Window.To.Add(blipSeconds*time.Second)) && x.Window.From.Before(g.Window.From.Add(blipSeconds*time.Second))
		})
		if goesOn {
			took = append(took, x)
		}
		return goesOn
	})
	b.groups = append(b.groups, took...)
	for _, g := range took {
		b.window.From = minTime(b.window.From, g.Window.From)
	}
}

// mostly: where more than half of all requests fail from the first line to the last, nothing in the recording is healthy to
// compare with, but nobody calls it background.
const mostly = 0.5

// throughout takes a recording that fails from end to end for an incident (REQUIREMENTS T17: ten of ten still page).
func (b *builder) throughout() {
	requests, failed, by := 0.0, 0.0, map[int]int{}
	for _, s := range b.edge {
		requests += float64(s.Requests.Count(0, 1<<62))
		for status, n := range failures(s) {
			failed += n
			by[status] += int(n)
		}
	}
	if failed < minFailures {
		return
	}
	if stat.WilsonLower(failed, requests, 1.96) < mostly {
		b.routesThroughout(requests)
		return
	}
	for status, n := range by {
		b.groups = append(b.groups, inquest.FailureGroup{Status: status, Window: b.span, Requests: int(requests), Failed: n, Score: float64(n)})
	}
	slices.SortFunc(b.groups, func(x, y inquest.FailureGroup) int {
		return cmp.Or(cmp.Compare(y.Failed, x.Failed), cmp.Compare(x.Status, y.Status))
	})
	b.window, b.allFails = b.span, true
}

// minThroughout is the share of all requests from which on routes that never worked are no background: tier 3 tells people of more
// than 5% even where the path is not critical (REQUIREMENTS 187).
const minThroughout = 0.05

// routesThroughout does the same for routes that fail mostly, from end to end, beside others that work: an upstream that was
// never reached. Rare ones are somebody's old bug, or nobody's page.
func (b *builder) routesThroughout(requests float64) {
	failed := 0.0
	var groups []inquest.FailureGroup
	for _, s := range b.edge {
		n, bad := float64(s.Requests.Count(0, 1<<62)), 0.0
		var of []inquest.FailureGroup
		for status, k := range failures(s) {
			bad += k
			of = append(of, inquest.FailureGroup{Route: s.Name(), Status: status, Window: b.span, Requests: int(n), Failed: int(k), Score: k})
		}
		if bad >= minFailures && stat.WilsonLower(bad, n, 1.96) >= mostly {
			failed += bad
			groups = append(groups, of...)
		}
	}
	if stat.WilsonLower(failed, requests, 1.96) < minThroughout {
		return
	}
	slices.SortFunc(groups, func(x, y inquest.FailureGroup) int {
		return cmp.Or(cmp.Compare(y.Failed, x.Failed), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Status, y.Status))
	})
	b.groups, b.window, b.allFails = groups, b.span, true
}

// dropCovered leaves one telling of each status: the routes where these hold most of its failures, for they say it more exactly, else all
// routes together, for where every request has a route of its own the few that were seen twice are not where it fails.
func dropCovered(in []inquest.FailureGroup) []inquest.FailureGroup {
	overall, routed := map[int]int{}, map[int]int{} // failures by status
	for _, g := range in {
		if g.Route == "" {
			overall[g.Status] += g.Failed
		} else {
			routed[g.Status] += g.Failed
		}
	}
	return slices.DeleteFunc(in, func(g inquest.FailureGroup) bool {
		exact := 2*routed[g.Status] >= overall[g.Status]
		return overall[g.Status] > 0 && routed[g.Status] > 0 && exact == (g.Route == "")
	})
}

// significance is the log-likelihood ratio that chance reaches in less than one of a thousand recordings: the number of
// intervals and of groups tried, plus ln 1000.
func significance(span inquest.Window, width time.Duration, groups int) float64 {
	bins := float64(span.Duration()/width) + 1
	return math.Log(bins*bins/2) + math.Log(float64(max(1, groups))) + oneInAThousand
}

func binWidth(span inquest.Window) time.Duration {
	w := time.Second
	for span.Duration()/w > maxBins {
		w *= 2
	}
	return w
}

// candidates lists every route and status, and every failing status over all routes (a fault that is spread thin over
// very many routes shows only there).
func (b *builder) candidates() []candidate {
	var out []candidate
	overall := map[int]*candidate{}
	for _, s := range b.edge {
		for i := range s.Status {
			st := &s.Status[i]
			if !failing(st.Status) {
				continue
			}
			o := overall[st.Status]
			if o == nil {
				o = &candidate{status: st.Status, requests: b.edge}
				overall[st.Status] = o
			}
			o.failures = append(o.failures, &st.Times)
			if st.Count >= minFailures && st.Status != 499 {
				out = append(out, candidate{route: s.Name(), status: st.Status, requests: []*mem.Stream{s}, failures: []*stat.Histogram{&st.Times}})
			}
		}
	}
	for _, s := range b.edge {
		if s.Abandoned.Len() > 0 {
			out = append(out, candidate{route: s.Name(), status: statusAbandoned, requests: []*mem.Stream{s}, failures: []*stat.Histogram{&s.Abandoned}, least: minAbandoned})
		}
	}
	out = append(out, b.limitedForErrors()...)
	lies := b.lyingTimes()
	for _, s := range b.edge {
		if s.Broken.Len() > 0 { // the proxy measured it: better than what the service wrote
			out = append(out, candidate{route: s.Name(), status: statusLie, requests: []*mem.Stream{s}, failures: []*stat.Histogram{&s.Broken}, lying: true})
			continue
		}
		if h := lies[s.Name()]; h != nil {
			out = append(out, candidate{route: s.Name(), status: statusLie, requests: []*mem.Stream{s}, failures: []*stat.Histogram{h}, lying: true})
		}
	}
	out = append(out, b.complaints()...)
	slices.SortStableFunc(out, func(x, y candidate) int { return cmp.Compare(total(y.failures), total(x.failures)) })
	out = out[:min(len(out), 400)]
	for _, o := range overall {
		if total(o.failures) >= minFailures {
			out = append(out, *o)
		}
	}
	slices.SortStableFunc(out, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(x.route, y.route), cmp.Compare(x.status, y.status))
	})
	return out
}

// statusLimited is "too many requests" (RFC 6585, 4).
const statusLimited = 429

// limitedForErrors are candidates for 429s that a proxy made of 5xx.
func (b *builder) limitedForErrors() []candidate {
	var out []candidate
	for _, s := range b.edge {
		if s.Limited.Len() > 0 {
			out = append(out, candidate{route: s.Name(), status: statusLimited, requests: []*mem.Stream{s}, failures: []*stat.Histogram{&s.Limited}, least: b.leastLimited(s)})
		}
	}
	return out
}

// leastLimited is the ratio from which such 429s are more than the excess of one client, for which a limit is there: where all are one
// client's, most of the route's requests have to fail.
func (b *builder) leastLimited(s *mem.Stream) float64 {
	client, others := "", false
	for _, f := range b.st.Failures() {
		if f.Status == statusLimited && f.Observer == s.Observer && f.On(s.Name()) {
			others = others || client != "" && f.Client != client || f.Client == ""
			client = f.Client
		}
	}
	if others {
		return 0
	}
	return mostly
}

// failures lists the statuses of a stream whose requests failed, with how many: those that say so, and 429s made of 5xx.
func failures(s *mem.Stream) iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		for i := range s.Status {
			if st := &s.Status[i]; failing(st.Status) && !yield(st.Status, float64(st.Count)) {
				return
			}
		}
		if n := s.Limited.Count(0, 1<<62); n > 0 {
			yield(statusLimited, float64(n))
		}
	}
}

// failing statuses: every 5xx but 501 (the method is not implemented: the client's choice) and 505.
func failing(status int) bool { return status >= 500 && status != 501 && status != 505 }

func total(hs []*stat.Histogram) (n uint64) {
	for _, h := range hs {
		n += h.Count(0, 1<<62)
	}
	return n
}

// against lists the requests among which a candidate's failures are counted: those of its route, or, where that never
// answered well and so has no good stretch of its own to compare with, all of them.
func (b *builder) against(c *candidate) []*mem.Stream {
	if c.route == "" || len(c.requests) != 1 {
		return c.requests
	}
	s := c.requests[0]
	well := slices.ContainsFunc(s.Status, func(s mem.StatusCount) bool { return !failing(s.Status) })
	if c.status == statusLimited {
		well = s.Limited.Count(0, 1<<62) < s.Requests.Count(0, 1<<62)
	}
	if c.lying {
		well = s.Broken.Len() == 0 || s.Broken.Count(0, 1<<62) < s.Requests.Count(0, 1<<62)
	}
	if well {
		return c.requests
	}
	return b.edge
}

// judgement is what a scan of one candidate came to.
type judgement struct {
	inquest.FailureGroup
	rose  bool // or else the group is empty
	faint bool // by less than chance would do somewhere, at some time
	blip  bool // the burst was short and healed
}

// judge scans one candidate. It only reads, so that several can be judged at a time.
func (b *builder) judge(c candidate, width time.Duration, threshold float64) judgement {
	trials := b.bins(width, func(yield func(int64, uint32)) {
		for _, s := range b.against(&c) {
			for t, n := range s.Requests.Buckets() {
				yield(t, n)
			}
		}
	})
	fails := b.bins(width, func(yield func(int64, uint32)) {
		for _, h := range c.failures {
			for t, n := range h.Buckets() {
				yield(t, n)
			}
		}
	})
	if len(c.minus) > 0 {
		told := b.bins(width, func(yield func(int64, uint32)) {
			for _, h := range c.minus {
				for t, n := range h.Buckets() {
					yield(t, n)
				}
			}
		})
		for i := range fails {
			fails[i] = min(max(0, fails[i]-told[i]), max(0, trials[i]-told[i]))
		}
	}
	if c.rateOnly {
		most := slices.Max(fails)
		for i := range trials {
			trials[i] = most
		}
	}
	for i := range fails {
		trials[i] = max(trials[i], fails[i])
	}
	burst := stat.Scan(trials, fails)
	if !rose(burst, oneInAThousand) {
		return judgement{}
	}
	faint := !rose(burst, threshold)
	short := time.Duration(burst.To-burst.From)*width < blipSeconds*time.Second
	if again, ok := recurs(trials, fails, burst, int(blipSeconds*time.Second/width), threshold); short && ok {
		burst, short = again, false
	}
	if len(b.against(&c)) > len(c.requests) { // the scan is over, and the route's own requests count: all of them failed
		burst.Requests = burst.Failed
	}
	if stat.WilsonLower(burst.Failed, burst.Requests, 1.96) < max(minRatio, c.least) {
		return judgement{}
	}
	from := b.span.From.Add(time.Duration(burst.From) * width)
	to := b.span.From.Add(time.Duration(burst.To) * width)
	g := inquest.FailureGroup{Route: c.route, Status: c.status, Window: inquest.Window{From: from, To: to},
		Requests: int(burst.Requests), Failed: int(burst.Failed), Before: burst.Out, Score: burst.LLR, Lying: c.lying, RateOnly: c.rateOnly}
	healed := b.span.To.Sub(to) >= blipSeconds*time.Second
	return judgement{g, true, faint, short && healed}
}

// rose reports whether a burst is more than chance, and more than an ordinary swing.
func rose(burst stat.Burst, threshold float64) bool {
	return burst.Failed >= minFailures && burst.LLR >= threshold && burst.In >= minRise*burst.Out
}

// recurs looks for a second burst, apart from the first by at least that many bins, and returns both as one: what heals by itself
// within seconds and comes again is no blip, but a process that dies again and again.
func recurs(trials, fails []float64, first stat.Burst, apart int, threshold float64) (stat.Burst, bool) {
	n, k := slices.Clone(trials), slices.Clone(fails)
	clear(n[first.From:first.To])
	clear(k[first.From:first.To])
	again := stat.Scan(n, k)
	if !rose(again, threshold) || again.From < first.To+apart && again.To > first.From-apart {
		return stat.Burst{}, false
	}
	both := stat.Burst{From: min(first.From, again.From), To: max(first.To, again.To), LLR: first.LLR + again.LLR, Out: again.Out, Failed: first.Failed + again.Failed}
	for _, t := range trials[both.From:both.To] {
		both.Requests += t
	}
	both.In = both.Failed / both.Requests
	return both, true
}

// bins spreads counts over the bins of the span.
func (b *builder) bins(width time.Duration, each func(yield func(int64, uint32))) []float64 {
	n := int(b.span.Duration()/width) + 1
	out := make([]float64, n)
	from := b.span.From.UnixNano()
	each(func(t int64, count uint32) {
		if i := int((t - from) / int64(width)); i >= 0 && i < n {
			out[i] += float64(count)
		}
	})
	return out
}

// keepTogether keeps the groups of one incident: those that overlap in time with the strongest, directly or through
// others (a minute of slack: time-outs surface late). The others are earlier or later incidents and are told as such.
func (b *builder) keepTogether() {
	if len(b.groups) == 0 {
		return
	}
	const slack = time.Minute
	in := make([]bool, len(b.groups))
	in[0] = true
	w := b.groups[0].Window
	for changed := true; changed; {
		changed = false
		for i, g := range b.groups {
			if !in[i] && g.Window.From.Before(w.To.Add(slack)) && w.From.Before(g.Window.To.Add(slack)) {
				in[i], changed = true, true
				w.From, w.To = minTime(w.From, g.Window.From), maxTime(w.To, g.Window.To)
			}
		}
	}
	var kept []inquest.FailureGroup
	for i, g := range b.groups {
		if in[i] {
			kept = append(kept, g)
			continue
		}
		g.Note = "a separate burst, not part of this incident"
		b.blips = append(b.blips, g)
	}
	b.groups = kept
	b.window = w
}

func minTime(a, c time.Time) time.Time {
	if c.Before(a) {
		return c
	}
	return a
}

func maxTime(a, c time.Time) time.Time {
	if c.After(a) {
		return c
	}
	return a
}
