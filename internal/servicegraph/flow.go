package servicegraph

import (
	"math"
	"sort"
)

// segment is one service's part of one request: from the span by which the service was entered to its last event.
type segment struct {
	service, entry string
	side           int // 0 the baseline, 1 to parts the incident
	parent         *segment
	steps          []step
	broken         []departure
	below          bool // a segment it called is broken, too
}

type step struct {
	at  int64
	key string
}

// order sorts the steps by time, then by name.
func (s *segment) order() {
	sort.Slice(s.steps, func(i, j int) bool {
		if s.steps[i].at != s.steps[j].at {
			return s.steps[i].at < s.steps[j].at
		}
		return s.steps[i].key < s.steps[j].key
	})
}

// segments cuts traces and log statements into segments. Log statements join the latest segment of their service and
// trace that had begun by then; without spans, each trace and service is one segment.
func segments(forest []*node, ev *Events, side map[uint64]int) []*segment {
	type place struct {
		trace   uint64
		service string
	}
	var all []*segment
	byEntry := map[*node]*segment{}
	open := map[place][]*segment{}
	starts := map[*segment]int64{}
	for _, n := range forest {
		if s, ok := side[n.trace]; !ok || s < 0 {
			continue
		}
		seg := byEntry[n.entry]
		if seg == nil {
			seg = &segment{service: n.svc, entry: n.entry.op, side: side[n.trace]}
			byEntry[n.entry] = seg
			all = append(all, seg)
			starts[seg] = n.entry.start
			p := place{n.trace, n.svc}
			open[p] = append(open[p], seg)
		}
		seg.steps = append(seg.steps, step{n.start, "span " + n.op})
	}
	for e, seg := range byEntry {
		if e.parent != nil {
			seg.parent = byEntry[e.parent.entry]
		}
	}
	if ev != nil {
		for _, v := range ev.events {
			s, ok := side[v.trace]
			if !ok || s < 0 {
				continue
			}
			p := place{v.trace, ev.names.list[v.service]}
			if len(open[p]) == 0 {
				seg := &segment{service: p.service, side: s}
				all = append(all, seg)
				starts[seg] = math.MinInt64
				open[p] = append(open[p], seg)
			}
			seg := open[p][0]
			for _, o := range open[p] {
				if starts[o] <= v.at {
					seg = o
				}
			}
			seg.steps = append(seg.steps, step{v.at, "log " + ev.names.list[v.key]})
		}
	}
	for _, s := range all {
		s.order()
	}
	return all
}

// minRuns is the least number of healthy requests from which a usual course can be told. Few, since services of small
// load see few a minute; the significance of a loss takes care of the rest.
const minRuns = 3

// tally counts by side.
type tally [parts + 1]float64

// since adds up the incident from a part on.
func (t tally) since(part int) float64 {
	s := 0.0
	for _, v := range t[part:] {
		s += v
	}
	return s
}

// follow counts segments in which an event occurred, and in which another one followed.
type follow struct{ seen, kept tally }

// lost says from which part of the incident on a near-certain succession is significantly rarer, and by how much.
// part is 0 when it is not.
func (f follow) lost(from float64) (part int, drop float64) {
	if f.seen[0] < minRuns || f.kept[0] < 0.9*f.seen[0] {
		return 0, 0
	}
	return worst(f.kept, f.seen, from)
}

// worst compares the baseline's share with the incident's, from each part on, and returns the part with the clearest
// drop: at least a tenth, and the given number of standard deviations of the pooled share (add-one smoothed, since a share of exactly
// one has no variance).
func worst(kept, seen tally, from float64) (part int, drop float64) {
	best := from
	for p := 1; p <= parts; p++ {
		n := seen.since(p)
		if n == 0 {
			break
		}
		k := kept.since(p)
		mean := (kept[0] + k + 1) / (seen[0] + n + 2)
		d := kept[0]/seen[0] - k/n
		if z := d / math.Sqrt(mean*(1-mean)*(1/seen[0]+1/n)); d >= 0.1 && z > best {
			best, part, drop = z, p, d
		}
	}
	return part, drop
}

// departure is one way in which a segment leaves the usual course.
type departure struct {
	text string
	drop float64 // how much rarer the usual course is now, as a difference of shares
}

type context struct{ service, entry string }

// flowBreak is what one service's broken successions amount to.
type flowBreak struct {
	own, broken, total float64 // segments of the incident: broken with no broken callee, broken at all, all
	drop               float64 // the largest loss of a share among the own breaks, 0 to 1
	example            string
}

// flowBreaks finds services whose requests stop taking their usual course. Event pairs are learned from the baseline:
// where b nearly always followed a, and now often does not, the code between a and b no longer gets there. A request
// that breaks in a callee breaks in its callers, too (they got an error back), so that only the deepest break counts.
func flowBreaks(all []*segment, f frame) map[string]*flowBreak {
	m := learn(all, f.from)
	for _, s := range all {
		for _, c := range s.contexts() {
			m.count(s, c)
		}
	}
	for _, s := range all {
		if s.side > 0 {
			s.broken = m.breaks(s)
		}
	}
	for _, s := range all {
		if len(s.broken) == 0 {
			continue
		}
		for p, n := s.parent, 0; p != nil && n < maxDepth; p, n = p.parent, n+1 {
			p.below = true
		}
	}
	return summarise(all)
}

func summarise(all []*segment) map[string]*flowBreak {
	out := map[string]*flowBreak{}
	for _, s := range all {
		if s.side == 0 {
			continue
		}
		b := out[s.service]
		if b == nil {
			b = &flowBreak{}
			out[s.service] = b
		}
		b.total++
		if len(s.broken) == 0 {
			continue
		}
		b.broken++
		if !s.below {
			b.own++
			for _, d := range s.broken {
				if d.drop > b.drop || d.drop == b.drop && d.text < b.example {
					b.drop, b.example = d.drop, d.text
				}
			}
		}
	}
	return out
}

// model is what is known about the usual course of requests.
type model struct {
	from   float64 // least z of a loss that counts
	runs   map[context]*tally
	nexts  map[context]map[string]map[string]*follow // first event, second event
	events map[context]map[string]*tally             // segments in which an event occurred
}

// learn notes which events come right after one another in the baseline.
func learn(all []*segment, from float64) *model {
	m := &model{from, map[context]*tally{}, map[context]map[string]map[string]*follow{}, map[context]map[string]*tally{}}
	for _, s := range all {
		for _, c := range s.contexts() {
			m.learn(s, c)
		}
	}
	return m
}

func (m *model) learn(s *segment, c context) {
	if m.runs[c] == nil {
		m.runs[c], m.nexts[c], m.events[c] = &tally{}, map[string]map[string]*follow{}, map[string]*tally{}
	}
	m.runs[c][s.side]++
	if s.side != 0 {
		return
	}
	for i := 1; i < len(s.steps); i++ {
		a, b := s.steps[i-1].key, s.steps[i].key
		if m.nexts[c][a] == nil {
			m.nexts[c][a] = map[string]*follow{}
		}
		if m.nexts[c][a][b] == nil {
			m.nexts[c][a][b] = &follow{}
		}
	}
}

func (s *segment) context() context { return context{s.service, s.entry} }

// contexts are those a segment teaches: its own, and its service's whatever the entry.
func (s *segment) contexts() []context {
	if s.entry == "" {
		return []context{s.context()}
	}
	return []context{s.context(), {service: s.service}}
}

// positions returns where each event occurs first and last.
func (s *segment) positions() (first, last map[string]int) {
	first, last = map[string]int{}, map[string]int{}
	for i, st := range s.steps {
		if _, ok := first[st.key]; !ok {
			first[st.key] = i
		}
		last[st.key] = i
	}
	return first, last
}

func (m *model) count(s *segment, c context) {
	first, last := s.positions()
	for a, i := range first {
		if m.events[c][a] == nil {
			m.events[c][a] = &tally{}
		}
		m.events[c][a][s.side]++
		for b, f := range m.nexts[c][a] {
			f.seen[s.side]++
			if j, ok := last[b]; ok && j > i {
				f.kept[s.side]++
			}
		}
	}
}

// breaks lists how the segment departs from the usual course in ways that are significant over all segments.
func (m *model) breaks(s *segment) []departure {
	c := s.context()
	if m.runs[c][0] < minRuns {
		c = context{service: s.service} // a rare entry: what all entries of the service have in common
	}
	runs := m.runs[c]
	if runs[0] < minRuns {
		return nil
	}
	first, last := s.positions()
	var out []departure
	for a, i := range first {
		if ev := m.events[c][a]; ev[0] == 0 {
			without := *runs
			for p := range without {
				without[p] -= ev[p]
			}
			if part, drop := worst(without, *runs, m.from); part > 0 && s.side >= part {
				out = append(out, departure{a + " is new", drop})
			}
		}
		for b, f := range m.nexts[c][a] {
			if j, ok := last[b]; !ok || j <= i {
				if part, drop := f.lost(m.from); part > 0 && s.side >= part {
					out = append(out, departure{a + " no longer leads to " + b, drop})
				}
			}
		}
	}
	return out
}
