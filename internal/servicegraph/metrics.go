package servicegraph

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/inquesthq/inquest"
)

// grid is one quantity over time, in Unix nanoseconds rounded to a step, so that series of several instances can be
// added up.
type grid map[int64]float64

// measured is everything metrics say about one component or one call.
type measured struct {
	latency  map[string]*average // by statistic
	outgoing map[string]*average
	requests grid            // per step; the family that counts most
	failures grid            // per step
	reqBy    map[string]grid // by family: several may count the same requests
	failBy   map[string]grid
	ratio    *average // failed share
	cpu      *average
	cores    grid
	throttle grid
	full     map[string]*average // by family
	restarts grid
	up       *average
	used     map[string]grid // by stem and labels
	limit    map[string]grid
	grown    map[string]*average // in use, limit unknown, by family
	io       map[string]grid     // by family
	sum      [2]grid             // histogram sums: latency, outgoing
	count    [2]grid
	sources  map[kind][]inquest.Source // at most maxSources each
}

// average is the mean over the series that describe the same thing (pods of a service).
type average struct{ sum, n grid }

func newMeasured() *measured {
	return &measured{latency: map[string]*average{}, outgoing: map[string]*average{}, requests: grid{}, failures: grid{}, cores: grid{},
		throttle: grid{}, full: map[string]*average{}, restarts: grid{},
		reqBy: map[string]grid{}, failBy: map[string]grid{}, used: map[string]grid{}, limit: map[string]grid{},
		grown: map[string]*average{}, io: map[string]grid{}, sum: [2]grid{{}, {}}, count: [2]grid{{}, {}}, sources: map[kind][]inquest.Source{}}
}

func (a *average) add(g grid) {
	for t, v := range g {
		a.sum[t] += v
		a.n[t]++
	}
}

func (a *average) grid() grid {
	out := grid{}
	if a == nil {
		return out
	}
	for t, v := range a.sum {
		out[t] = v / a.n[t]
	}
	return out
}

// plus adds one more series; a is made when it is nil.
func (a *average) plus(g grid) *average {
	if a == nil {
		a = &average{grid{}, grid{}}
	}
	a.add(g)
	return a
}

func (g grid) add(o grid) {
	for t, v := range o {
		g[t] += v
	}
}

// minus subtracts where both have a value.
func (g grid) minus(o grid) grid {
	out := grid{}
	for t, v := range g {
		if w, ok := o[t]; ok {
			out[t] = v - w
		}
	}
	return out
}

func into(m map[string]*average, key string, g grid) {
	m[key] = m[key].plus(g)
}

// book holds the readings of all series.
type book struct {
	components map[string]*measured
	calls      map[inquest.Edge][2]*measured // [0] the callee's view, [1] the caller's
}

// readAll understands all series. Series are taken in the order of their identity, since sums of floats depend on it.
func readAll(series []inquest.Series, f frame) *book {
	b := &book{components: map[string]*measured{}, calls: map[inquest.Edge][2]*measured{}}
	type known struct {
		reading
		id string
		s  *inquest.Series
	}
	var all []known
	for i := range series {
		if len(series[i].Samples) == 0 {
			continue
		}
		if r, ok := read(series[i]); ok {
			all = append(all, known{r, identity(series[i]), &series[i]})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	step := commonStep(series)
	for _, k := range all {
		g := sampled(*k.s, k.reading, step, f.winTo)
		if k.kind == kindNone || len(g) == 0 {
			continue
		}
		m := b.target(k.reading)
		m.add(k.reading, *k.s, g)
		if src := m.sources[k.kind]; len(src) < maxSources {
			m.sources[k.kind] = append(src, source(*k.s))
		}
	}
	for _, m := range b.components {
		m.settle()
	}
	for _, e := range sortedEdges(b.calls) {
		b.calls[e][0].settle()
		b.calls[e][1].settle()
	}
	b.fromCalls()
	for _, m := range b.components {
		m.saturate()
	}
	return b
}

// maxSources bounds the evidence quoted for one clue.
const maxSources = 3

func source(s inquest.Series) inquest.Source {
	if s.Source.File != "" || s.Source.Metric != "" {
		return s.Source
	}
	return inquest.Source{Metric: s.Name, Labels: s.Labels}
}

// fromCalls adds up the calls of a mesh to what a component without metrics of its own served. The callee's view is
// taken where there is one: it does not contain the network.
func (b *book) fromCalls() {
	own := map[string]bool{}
	for name := range b.components {
		own[name] = true
	}
	for _, e := range sortedEdges(b.calls) {
		if own[e.To] {
			continue
		}
		m, v := b.target(reading{component: e.To}), b.calls[e][0]
		if len(v.latency)+len(v.sum[0])+len(v.requests) == 0 {
			v = b.calls[e][1]
		}
		for stat, a := range v.latency {
			into(m.latency, stat, a.grid())
		}
		m.requests.add(v.requests)
		m.failures.add(v.failures)
		m.sum[0].add(v.sum[0])
		m.count[0].add(v.count[0])
		for k, src := range v.sources {
			m.sources[k] = append(m.sources[k], src...)
		}
	}
}

// evidence returns the series of the first kind that has any.
func (m *measured) evidence(kinds ...kind) []inquest.Source {
	for _, k := range kinds {
		if len(m.sources[k]) > 0 {
			return m.sources[k]
		}
	}
	return nil
}

func (b *book) target(r reading) *measured {
	if r.from == "" {
		if b.components[r.component] == nil {
			b.components[r.component] = newMeasured()
		}
		return b.components[r.component]
	}
	e := inquest.Edge{From: r.from, To: r.component}
	views, ok := b.calls[e]
	if !ok {
		views = [2]*measured{newMeasured(), newMeasured()}
		b.calls[e] = views
	}
	if r.callerView {
		return views[1]
	}
	return views[0]
}

func (m *measured) add(r reading, s inquest.Series, g grid) {
	switch r.kind {
	case kindLatency, kindOutgoing:
		out, dir := m.latency, 0
		if r.kind == kindOutgoing {
			out, dir = m.outgoing, 1
		}
		if r.part == "sum" {
			m.sum[dir].add(g)
			return
		}
		into(out, r.stat, g)
	case kindRequests:
		addTo(m.reqBy, s.Name, g)
		if r.failed {
			addTo(m.failBy, s.Name, g)
		}
		if r.part == "count" {
			m.count[0].add(g)
		}
	case kindFailures:
		addTo(m.failBy, s.Name, g)
	case kindFailRatio:
		m.ratio = m.ratio.plus(g)
	default:
		m.addResource(r, s, g)
	}
}

func (m *measured) addResource(r reading, s inquest.Series, g grid) {
	switch r.kind {
	case kindCPU:
		m.cpu = m.cpu.plus(g)
	case kindCores:
		m.cores.add(g)
	case kindThrottle:
		m.throttle.add(g)
	case kindSaturation:
		into(m.full, s.Name, g)
	case kindRestarts:
		m.restarts.add(g)
	case kindUp:
		m.up = m.up.plus(g)
	case kindUsed:
		m.used[r.stem+"\x00"+s.Name+identity(inquest.Series{Labels: s.Labels})] = g
	case kindIO:
		addTo(m.io, s.Name, g)
	case kindLimit:
		m.limit[r.stem+identity(inquest.Series{Labels: s.Labels})] = g
	}
}

func addTo(m map[string]grid, key string, g grid) {
	if m[key] == nil {
		m[key] = grid{}
	}
	m[key].add(g)
}

// settle chooses the families by which requests and failures are counted: the one that counts most, of those that
// tell failures apart if there are such.
func (m *measured) settle() {
	both := map[string]grid{}
	for fam, g := range m.reqBy {
		if _, ok := m.failBy[fam]; ok {
			both[fam] = g
		}
	}
	if len(both) > 0 {
		fam := largest(both)
		m.requests.add(m.reqBy[fam])
		m.failures.add(m.failBy[fam])
		return
	}
	m.requests.add(m.reqBy[largest(m.reqBy)])
	m.failures.add(m.failBy[largest(m.failBy)])
}

func largest(m map[string]grid) string {
	best, most := "", -1.0
	for _, fam := range sortedKeys(m) {
		if t := m[fam].total(); t > most {
			best, most = fam, t
		}
	}
	return best
}

// total adds up all values, in the order of time, since sums of floats depend on it.
func (g grid) total() float64 {
	times := make([]int64, 0, len(g))
	for t := range g {
		times = append(times, t)
	}
	slices.Sort(times)
	sum := 0.0
	for _, t := range times {
		sum += g[t]
	}
	return sum
}

// saturate divides what is in use by its limit, where both are known.
func (m *measured) saturate() {
	for _, key := range sortedKeys(m.used) {
		used := m.used[key]
		stem, rest, _ := strings.Cut(key, "\x00")
		name, labels, _ := strings.Cut(rest, "\x00")
		if labels != "" {
			labels = "\x00" + labels
		}
		limit := m.limit[stem+labels]
		most := 0.0
		for _, v := range limit {
			most = math.Max(most, v)
		}
		if most <= 0 { // none, or "unlimited"
			into(m.grown, name, used)
			continue
		}
		g := grid{}
		for t, v := range used {
			g[t] = v / most
		}
		into(m.full, name, g)
	}
}

// absurd is beyond anything that is measured (a million terabytes, thirty billion years).
const absurd = 1e18

// sampled brings a series to its unit and onto the step; counters become rates.
func sampled(s inquest.Series, r reading, step, anchor int64) grid {
	samples := append([]inquest.Sample(nil), s.Samples...)
	sort.SliceStable(samples, func(i, j int) bool { return samples[i].Time.Before(samples[j].Time) })
	g := grid{}
	rate := r.counter || r.part == "sum" || r.part == "count"
	for i, p := range samples {
		v := p.Value
		if rate {
			if i == 0 {
				continue
			}
			dt := p.Time.Sub(samples[i-1].Time).Seconds()
			if dt <= 0 {
				continue
			}
			if v -= samples[i-1].Value; v < 0 {
				v = p.Value // the counter was reset: it counts from zero
			}
			v /= dt
		}
		if v *= r.scale; r.perSecond || rate && (r.kind == kindRequests || r.kind == kindFailures) {
			v *= float64(step) / 1e9
		}
		if r.inverted {
			v = 1 - v
		}
		if math.IsNaN(v) || math.Abs(v) > absurd {
			continue
		}
		g[snap(p.Time.UnixNano(), step, anchor)] = v
	}
	return g
}

// snap moves a time to the nearest point of the grid through the end of the window, so that the jitter of scrapes
// does not push a sample over the edge.
func snap(t, step, anchor int64) int64 {
	return anchor + int64(math.Round(float64(t-anchor)/float64(step)))*step
}

// commonStep is the usual distance of samples, at least a second: the median over the series of their median gap.
func commonStep(series []inquest.Series) int64 {
	var gaps []float64
	for _, s := range series {
		if n := len(s.Samples); n > 1 {
			gaps = append(gaps, s.Samples[n-1].Time.Sub(s.Samples[0].Time).Seconds()/float64(n-1))
		}
	}
	return int64(math.Max(1, math.Round(quantile(gaps, 0.5)))) * 1e9
}

func identity(s inquest.Series) string {
	id := s.Name
	for _, k := range sortedKeys(s.Labels) {
		id += "\x00" + k + "\x01" + s.Labels[k]
	}
	return id
}
