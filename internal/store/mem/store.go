// Package mem is the in-memory store behind `inquest investigate DIR`: it reads the signals of a case folder once
// and keeps metrics for everything and detail for failures. Healthy requests become counters per route and second
// (coarser when the recording is long); failed requests, log patterns with a few examples, series, spans and
// changes are kept as records, each within a stated bound. Memory grows with the number of routes and patterns,
// not with traffic.
//
// One Collector belongs to one worker of one file; Store.Merge is commutative, so the result does not depend on
// how a file was split among workers.
package mem

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

// Bounds on what is kept. They are sizes at which a person stops reading, or memory budgets; counts stay exact.
const (
	maxStreams      = 12_000  // distinct routes of all observers; more are data in paths, and counted under "(other)"
	maxPatterns     = 20_000  // distinct log patterns
	maxFailures     = 20_000  // failed requests kept with detail (some 400 bytes each)
	failuresPerSlot = 32      // of one stream and minute
	examplesPerSlot = 2       // of one pattern and minute
	maxExamples     = 48      // of one pattern
	keptExamples    = 96      // of one pattern while reading: maxExamples are left when every other slot is given up
	maxInstances    = 16      // of one pattern
	maxExampleBytes = 4 << 10 // of one example's text
	maxIDs          = 4096    // request ids kept per pattern: of 12,000 failures some 300 can be compared then, which tells a share to three percent
	maxAnswers      = 200_000 // request id -> answer rows (32 bytes each)
)

// Store holds the signals of one investigation.
type Store struct {
	mu       sync.Mutex
	streams  map[streamKey]*Stream
	patterns map[patternKey]*Pattern
	failures []Failure
	answers  []Answer
	served   map[int32]Served // by file
	upstream map[upstreamKey]*Upstream
	series   []inquest.Series
	errSpans map[patternKey]*Pattern
	complain map[streamKey]*Complaint
	changes  []inquest.Change
	edges    []inquest.Edge
	hints    []inquest.Hint
	traces   *servicegraph.Traces
	events   *servicegraph.Events
	widths   widths
	evicted  bool // there were more streams than maxStreams
	sealed   bool

	listed listings // what Seal sorted
}

// listings are the sorted contents of the maps; the stages behind ask for them again and again.
type listings struct {
	streams   []*Stream
	patterns  []*Pattern
	upstreams []*Upstream
}

// New returns an empty store.
func New() *Store {
	return &Store{
		streams:  map[streamKey]*Stream{},
		patterns: map[patternKey]*Pattern{},
		upstream: map[upstreamKey]*Upstream{},
		errSpans: map[patternKey]*Pattern{},
		complain: map[streamKey]*Complaint{},
		served:   map[int32]Served{},
		traces:   new(servicegraph.Traces),
		events:   new(servicegraph.Events),
	}
}

// Merge adds what a collector gathered; service is the name of whoever wrote the records that named nobody (it is known
// only once the file has been recognised). It may be called from several goroutines, in any order.
func (s *Store) Merge(c *Collector, service string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.name(service)
	served := s.served[c.file]
	served.merge(c.served)
	s.served[c.file] = served
	if c.leads() {
		s.mergeTally(c.tally.gather(), service)
	}
	for _, p := range c.patterns {
		mergeInto(s.patterns, patternKey{p.Service, p.Level, p.ID}, p)
	}
	if len(s.patterns) > maxPatterns*5/4 {
		thinPatterns(s.patterns, maxPatterns)
	}
	for _, u := range c.upstream.all {
		mergeInto(s.upstream, upstreamKey{u.Observer, u.Addr}, u)
	}
	for _, x := range c.complains {
		mergeInto(s.complain, streamKey{x.Service, x.Method, x.Route}, x)
	}
	s.series = append(s.series, c.series...)
	s.changes = append(s.changes, c.changes...)
	s.edges = append(s.edges, c.edges...)
	s.hints = append(s.hints, c.hints...)
	for _, sp := range c.spans {
		s.addSpan(sp, c.file)
	}
	for _, e := range c.events {
		s.events.Add(e.trace, e.service, e.instance, e.key, e.at)
	}
}

// mergeTally adds the requests of a file.
func (s *Store) mergeTally(t *tally, service string) {
	t.name(service)
	for _, st := range t.all() {
		mergeInto(s.streams, streamKey{st.Observer, st.Method, st.Route}, st)
	}
	s.widths.traffic = max(s.widths.traffic, t.widths.traffic)
	s.widths.failures = max(s.widths.failures, t.widths.failures)
	s.widths.hold(maps.Values(s.streams))
	s.evicted = s.evicted || t.evicted
	if len(s.streams) > maxStreams*5/4 {
		s.shrink()
	}
	s.failures = slices.Grow(s.failures, t.failed)
	for _, some := range t.failures {
		s.failures = append(s.failures, some...)
	}
	t.failures = nil
	if len(s.failures) > maxFailures*5/4 {
		s.failures = thinFailures(s.failures, maxFailures)
	}
	if s.answers = append(s.answers, t.answers...); len(s.answers) > maxAnswers*5/4 {
		s.answers, _ = thinAnswers(s.answers, maxAnswers)
	}
}

// shrink gives up the streams beyond maxStreams, as the collectors do. What the records of failures and answers call their
// routes follows.
func (s *Store) shrink() {
	out, _ := surplus(slices.Collect(maps.Values(s.streams)), maxStreams)
	s.evicted = s.evicted || len(out) > 0
	for _, st := range out {
		delete(s.streams, streamKey{st.Observer, st.Method, st.Route})
		k := streamKey{st.Observer, "", other}
		if s.streams[k] == nil {
			s.streams[k] = &Stream{Observer: st.Observer, Route: other}
		}
		s.streams[k].merge(st)
	}
}

// renameEvicted puts failures and answers of streams that were given up under the route that counts them.
func (s *Store) renameEvicted() {
	if !s.evicted {
		return
	}
	evicted := func(observer, method, route string) bool { return s.streams[streamKey{observer, method, route}] == nil }
	for i := range s.failures {
		if f := &s.failures[i]; evicted(f.Observer, f.Method, f.Route) {
			f.Method, f.Route = "", other
		}
	}
	for i := range s.answers {
		if a := s.answers[i].By; evicted(a.Observer, a.Method, a.Route) {
			a.Method, a.Route = "", other
		}
	}
}

type merger[T any] interface{ merge(T) }

func mergeInto[K comparable, T merger[T]](m map[K]T, k K, v T) {
	if old, ok := m[k]; ok {
		old.merge(v)
		return
	}
	m[k] = v
}

// Seal sorts what was merged; afterwards the store is read-only and every listing is deterministic.
func (s *Store) Seal() {
	if s.sealed {
		return
	}
	s.sealed = true
	s.shrink()
	s.failures = thinFailures(s.failures, maxFailures)
	s.renameEvicted()
	s.widths.hold(maps.Values(s.streams))
	thinPatterns(s.patterns, maxPatterns)
	for _, st := range s.streams {
		st.seal()
	}
	for _, p := range s.patterns {
		p.seal()
	}
	for _, p := range s.errSpans {
		p.seal()
	}
	s.listed = listings{
		streams:   sortedValues(s.streams, (*Stream).compare),
		patterns:  sortedValues(s.patterns, (*Pattern).compare),
		upstreams: sortedValues(s.upstream, (*Upstream).compare),
	}
	s.answers, _ = thinAnswers(s.answers, maxAnswers)
	slices.SortFunc(s.failures, Failure.compare)
	slices.SortFunc(s.answers, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Time, b.Time), cmp.Compare(a.By.Observer, b.By.Observer))
	})
	slices.SortStableFunc(s.series, compareSeries)
	slices.SortStableFunc(s.changes, func(a, b inquest.Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Summary, b.Summary))
	})
	slices.SortFunc(s.edges, func(a, b inquest.Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	s.edges = slices.Compact(s.edges)
}

// Streams lists the request streams by observer, route, status.
func (s *Store) Streams() []*Stream { return s.listed.streams }

// Patterns lists the log patterns by service and id.
func (s *Store) Patterns() []*Pattern { return s.listed.patterns }

// SpanErrors lists patterns of failed spans.
func (s *Store) SpanErrors() []*Pattern { return sortedValues(s.errSpans, (*Pattern).compare) }

// Complaints lists the errors about requests without an id, by service and route.
func (s *Store) Complaints() []*Complaint { return sortedValues(s.complain, (*Complaint).compare) }

// Upstreams lists what proxies saw of their upstreams.
func (s *Store) Upstreams() []*Upstream { return s.listed.upstreams }

// Failures lists the failed requests that were kept, ascending in time.
func (s *Store) Failures() []Failure { return s.failures }

// Answers lists which answer each identified request got, ascending in id.
func (s *Store) Answers() []Answer { return s.answers }

// Series lists the metric series.
func (s *Store) Series() []inquest.Series { return s.series }

// Changes lists the recorded changes, ascending in time.
func (s *Store) Changes() []inquest.Change { return s.changes }

// Edges lists the declared call graph.
func (s *Store) Edges() []inquest.Edge { return s.edges }

// Hint returns what the alert said, zero if there was none.
func (s *Store) Hint() inquest.Hint {
	if len(s.hints) == 0 {
		return inquest.Hint{}
	}
	return s.hints[0]
}

// Traces returns the accumulated spans, Events the log statements that belong to traces.
func (s *Store) Traces() *servicegraph.Traces { return s.traces }

// Events returns the log statements that carry a trace id.
func (s *Store) Events() *servicegraph.Events { return s.events }

func sortedValues[K comparable, V any](m map[K]V, compare func(a, b V) int) []V {
	out := make([]V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, compare)
	return out
}

func compareSeries(a, b inquest.Series) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(labelText(a.Labels), labelText(b.Labels)), cmp.Compare(a.Source.File, b.Source.File))
}

func labelText(l map[string]string) string {
	keys := make([]string, 0, len(l))
	for k := range l {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b []byte
	for _, k := range keys {
		b = append(b, k...)
		b = append(b, '=')
		b = append(b, l[k]...)
		b = append(b, ',')
	}
	return string(b)
}

type patternKey struct {
	service string
	level   inquest.Level
	id      pattern.ID
}
