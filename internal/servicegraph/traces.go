package servicegraph

import (
	"hash/fnv"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// DefaultLimit is how many spans or statements are kept (about 64 bytes each) where no limit was set.
const DefaultLimit = 1 << 20

// Traces accumulates spans in compact form. The zero value is ready for use. Not safe for concurrent use.
type Traces struct {
	// Limit bounds the spans kept; 0 means DefaultLimit. Past it, whole traces are dropped by the hash of their id, half
	// of them at a time, so that what is kept is still whole and does not depend on the order of arrival.
	Limit int

	names intern
	spans []span
	keep  sampler
}

type span struct {
	trace, id, parent uint64
	start, dur        int64 // nanoseconds
	service, name     int32
	peer              int32 // whom a client span called, 0 when unknown
	failed            bool
}

// Add takes one span over. Spans may come in any order; spans without service or trace id are ignored.
func (t *Traces) Add(s inquest.Span) {
	if s.TraceID == "" || s.Service == "" || s.Start.IsZero() {
		return
	}
	trace := hash(s.TraceID)
	if !t.keep.takes(trace) {
		return
	}
	rec := span{trace: trace, id: hash(s.SpanID), start: s.Start.UnixNano(), dur: int64(s.Duration),
		service: t.names.id(s.Service), name: t.names.id(s.Name), failed: s.Error || s.StatusCode >= 500}
	if p := peerName(s); p != "" && p != s.Service {
		rec.peer = t.names.id(p) // never 0: the span's own service has been numbered before
	}
	if s.ParentID != "" {
		rec.parent = hash(s.ParentID)
	}
	t.spans = append(t.spans, rec)
	for len(t.spans) > limit(t.Limit) && t.keep.shift < 63 {
		t.keep.shift++
		t.spans = kept(t.spans, func(s span) bool { return t.keep.takes(s.trace) })
	}
}

// peerName is whom a span that leaves its service called, without the port.
func peerName(s inquest.Span) string {
	if s.Kind != "client" && s.Kind != "producer" {
		return ""
	}
	name := s.Peer
	if i := strings.LastIndexByte(name, ':'); i > 0 && allDigits(name[i+1:]) {
		name = name[:i]
	}
	return name
}

// Len returns the number of spans held.
func (t *Traces) Len() int {
	if t == nil {
		return 0
	}
	return len(t.spans)
}

// Events accumulates log statements that carry a trace id. The zero value is ready for use.
type Events struct {
	Limit int // as Traces.Limit

	names  intern
	events []event
	keep   sampler
}

type event struct {
	trace        uint64
	at           int64
	service, key int32
}

// Add takes one log statement over. eventKey identifies the statement in the code, not the message: logger and
// line (or caller) where the log names them, a template id otherwise. instance is accepted for callers that know no service; it is used in its place.
func (e *Events) Add(traceID, service, instance, eventKey string, at time.Time) {
	if service == "" {
		service = workload(instance)
	}
	if traceID == "" || service == "" || eventKey == "" || at.IsZero() {
		return
	}
	trace := hash(traceID)
	if !e.keep.takes(trace) {
		return
	}
	e.events = append(e.events, event{trace, at.UnixNano(), e.names.id(service), e.names.id(eventKey)})
	for len(e.events) > limit(e.Limit) && e.keep.shift < 63 {
		e.keep.shift++
		e.events = kept(e.events, func(v event) bool { return e.keep.takes(v.trace) })
	}
}

// Len returns the number of log statements held.
func (e *Events) Len() int {
	if e == nil {
		return 0
	}
	return len(e.events)
}

func limit(n int) int {
	if n <= 0 {
		return DefaultLimit
	}
	return n
}

// sampler keeps one trace in 2^shift.
type sampler struct{ shift uint }

func (s sampler) takes(trace uint64) bool { return trace&(1<<s.shift-1) == 0 }

func kept[T any](in []T, keep func(T) bool) []T {
	out := in[:0]
	for _, v := range in {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// intern numbers strings; the numbers depend on the order of arrival and must never decide an order.
type intern struct {
	ids  map[string]int32
	list []string
}

func (n *intern) id(s string) int32 {
	if id, ok := n.ids[s]; ok {
		return id
	}
	if n.ids == nil {
		n.ids = map[string]int32{}
	}
	id := int32(len(n.list))
	n.ids[s] = id
	n.list = append(n.list, s)
	return id
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // never fails
	v := h.Sum64()
	v ^= v >> 33 // FNV's low bits, by which we sample, are weak for short ids
	v *= 0xff51afd7ed558ccd
	return v ^ v>>33
}

// node is a span in its trace.
type node struct {
	span
	svc, op  string
	parent   *node
	children []*node
	entry    *node // the span by which its service was entered
}

// remote reports whether the span was caused by another service.
func (n *node) remote() bool { return n.parent != nil && n.parent.svc != n.svc }

// forest joins spans to trees, ordered by trace and start.
func (t *Traces) forest() []*node {
	if t == nil {
		return nil
	}
	nodes := make([]*node, len(t.spans))
	arena := make([]node, len(t.spans))
	for i, s := range t.spans {
		arena[i] = node{span: s, svc: t.names.list[s.service], op: t.names.list[s.name]}
		nodes[i] = &arena[i]
	}
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].before(nodes[j]) })
	for lo := 0; lo < len(nodes); {
		hi := lo
		for hi < len(nodes) && nodes[hi].trace == nodes[lo].trace {
			hi++
		}
		link(nodes[lo:hi])
		lo = hi
	}
	return append(nodes, t.peers(nodes)...)
}

// peers stands in for callees that send no spans of their own: databases, third parties, or a service that could not
// be reached. Such a callee took all the time of the call, and failed where the call failed.
func (t *Traces) peers(nodes []*node) []*node {
	var out []*node
	for _, n := range nodes {
		if n.peer == 0 || hasRemoteChild(n) {
			continue
		}
		p := &node{span: n.span, svc: t.names.list[n.peer], op: n.op, parent: n}
		p.entry = p
		n.children = append(n.children, p)
		out = append(out, p)
	}
	return out
}

func hasRemoteChild(n *node) bool {
	for _, c := range n.children {
		if c.svc != n.svc {
			return true
		}
	}
	return false
}

func (n *node) before(o *node) bool {
	switch {
	case n.trace != o.trace:
		return n.trace < o.trace
	case n.start != o.start:
		return n.start < o.start
	case n.dur != o.dur:
		return n.dur > o.dur // the enclosing span first
	case n.id != o.id:
		return n.id < o.id
	}
	return n.svc+"\x00"+n.op < o.svc+"\x00"+o.op
}

// link sets parents, children and entries within one trace. A parent must start no later than its child (and come
// before it in order), which makes cycles of broken ids harmless; clocks of two machines may differ by a little, so
// that a child starting earlier is still accepted when its own ancestry does not lead back.
func link(trace []*node) {
	byID := make(map[uint64]*node, len(trace))
	for _, n := range trace {
		if _, dup := byID[n.id]; !dup {
			byID[n.id] = n
		}
	}
	for _, n := range trace {
		p := byID[n.span.parent]
		if n.span.parent == 0 || p == nil || p == n || leadsTo(p, n) {
			continue
		}
		n.parent = p
		p.children = append(p.children, n)
	}
	for _, n := range trace {
		n.entry = n
		for steps := 0; n.entry.parent != nil && n.entry.parent.svc == n.svc && steps < maxDepth; steps++ {
			n.entry = n.entry.parent
		}
	}
}

// maxDepth bounds walks up a trace; real traces are a few dozen spans deep.
const maxDepth = 256

func leadsTo(p, n *node) bool {
	for steps := 0; p != nil; p, steps = p.parent, steps+1 {
		if p == n || steps > maxDepth {
			return true
		}
	}
	return false
}

// Edges returns who called whom in the traces, callees that send no spans of their own included, in no order.
func (t *Traces) Edges() []inquest.Edge {
	seen := map[inquest.Edge]bool{}
	for _, n := range t.forest() {
		if n.remote() {
			seen[inquest.Edge{From: n.parent.svc, To: n.svc}] = true
		}
	}
	out := make([]inquest.Edge, 0, len(seen))
	for e := range seen {
		out = append(out, e)
	}
	return out
}

// minTraces is the least number of traces in the window for their times to be looked at alone; with fewer, everything
// since the end of the baseline counts as the incident.
const minTraces = 20

// parts is the number of parts the time since the baseline is cut into. The fault began somewhere in it, nobody knows
// where, so that each part together with all later ones is held against the baseline.
const parts = 5

// stretches says for each trace whether it belongs to the baseline (0), to a part of the time since (1 to parts, in
// time) or to neither (-1). The parts are cut at the quarters of the traces and at the start of the window; window is
// the first part that counts for times.
func stretches(f frame, starts map[uint64]int64) (side map[uint64]int, window int) {
	side = make(map[uint64]int, len(starts))
	var times []float64
	inWindow := 0
	for id, at := range starts {
		switch {
		case at >= f.baseFrom && at < f.baseTo:
			side[id] = 0
		case at >= f.baseTo && at < f.until:
			side[id] = 1
			times = append(times, float64(at-f.baseTo))
			if at >= f.winFrom {
				inWindow++
			}
		default:
			side[id] = -1
		}
	}
	cuts := []float64{float64(f.winFrom - f.baseTo)}
	for _, q := range []float64{0.25, 0.5, 0.75} {
		cuts = append(cuts, quantile(times, q))
	}
	slices.Sort(cuts)
	window = 1
	if inWindow >= minTraces {
		window += 1 + slices.Index(cuts, float64(f.winFrom-f.baseTo))
	}
	for id, s := range side {
		if s != 1 {
			continue
		}
		for _, c := range cuts {
			if float64(starts[id]-f.baseTo) >= c {
				side[id]++
			}
		}
	}
	return side, window
}
