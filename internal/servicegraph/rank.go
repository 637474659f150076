package servicegraph

import (
	"math"
	"sort"

	"github.com/inquesthq/inquest"
)

// Input is all that a ranking looks at. Every field may be empty; Hint needs a Window or a Time, since a ranking
// without an incident has no meaning.
type Input struct {
	Hint   inquest.Hint
	Edges  []inquest.Edge
	Series []inquest.Series
	Traces *Traces // may be nil
	Events *Events // may be nil
}

// Suspect is a component in which the disturbance may have begun.
type Suspect struct {
	Component string
	Score     float64          // 0 to 1: how much unexplained deviation there is; comparable between incidents
	Why       string           // one sentence with numbers, about the strongest reason
	Evidence  []inquest.Source // the metrics behind it; empty where traces or logs spoke
}

// leastScore is below what a single weak clue yields; less than that is noise and better not said.
const leastScore = 0.1

// Rank orders components by how much deviation began in them, best first. It returns nil when nothing deviates or
// when the hint names no time. Where the hint names a target and nothing deviates clearly, what deviates barely is
// returned with half the score. Equal scores are ordered by name.
func Rank(in Input) []Suspect {
	f, ok := frameOf(in.Hint)
	if !ok {
		return nil
	}
	if out := rank(in, f); len(out) > 0 || in.Hint.Target == "" {
		return out
	}
	// Somebody was alerted about a component, so that something is wrong: say what is least unlikely.
	f.from = barely
	out := rank(in, f)
	for i := range out {
		out[i].Score *= 0.5
	}
	return out
}

func rank(in Input, f frame) []Suspect {
	b := &board{clues: map[string][]clue{}}
	bk := readAll(in.Series, f)
	g := BuildGraph(append(sortedEdges(bk.calls), in.Edges...), in.Traces)
	s := scene{bk, g, f, nil, b, anybodyReports(bk.components, f)}
	s.gaps = s.metricGaps()
	if in.Traces.Len() > 0 || in.Events.Len() > 0 {
		for e, x := range traceGaps(traceClues(b, in, f)) {
			if old, ok := s.gaps[e]; !ok || x.z > old.z {
				s.gaps[e] = x
			}
		}
	}
	s.feelGaps()
	s.metricClues()
	blameGaps(b, f, s.gaps)
	return b.suspects(g, in.Hint)
}

// traceClues looks at traces and log statements, and returns what they say about time.
func traceClues(b *board, in Input, f frame) timing {
	forest := in.Traces.forest()
	starts := map[uint64]int64{}
	note := func(trace uint64, at int64) {
		if t, ok := starts[trace]; !ok || at < t {
			starts[trace] = at
		}
	}
	for _, n := range forest {
		note(n.trace, n.start)
	}
	if in.Events != nil {
		for _, e := range in.Events.events {
			note(e.trace, e.at)
		}
	}
	side, window := stretches(f, starts)
	t := measure(forest, side, window)
	timingClues(b, f, t)
	failedSpanClues(b, f, t)
	flowClues(b, flowBreaks(segments(forest, in.Events, side), f))
	return t
}

// suspects combines the clues of each component: independent reasons add up as probabilities do.
func (b *board) suspects(g *Graph, h inquest.Hint) []Suspect {
	reach := g.Reachable(h.Target)
	best := map[string]*[channelCount]float64{}
	firm := map[string]float64{} // score without the channels that a callee's trouble brings about
	for name, clues := range b.clues {
		best[name] = &[channelCount]float64{}
		for _, c := range clues {
			best[name][c.channel] = math.Max(best[name][c.channel], c.strength*weight(c.channel, h.Metric))
		}
		only := *best[name]
		only[chFlow], only[chStarving] = 0, 0
		firm[name] = union(only)
	}
	var out []Suspect
	for name, clues := range b.clues {
		own := *best[name]
		below, broken := 0.0, 0.0
		if own[chFlow]+own[chStarving] > 0 {
			for c := range g.Reachable(name) {
				if p := best[c]; p != nil && c != name {
					below, broken = math.Max(below, firm[c]), math.Max(broken, p[chFlow])
				}
			}
		}
		// Trouble further down brings about these two. Of a break only half may be explained by a break below: traces
		// in which both broke are already counted for the callee alone.
		own[chFlow] *= (1 - below) * (1 - broken/2)
		own[chStarving] *= (1 - below) * (1 - broken)
		score := union(own)
		if reach != nil && !reach[name] {
			score *= 0.3 // the alerted component does not depend on it
		}
		if score >= leastScore {
			top := strongest(clues, &own)
			out = append(out, Suspect{name, score, name + ": " + top.why, top.sources})
		}
	}
	discountRelays(g, out)
	sort.Slice(out, func(i, j int) bool {
		if out[i].Score != out[j].Score {
			return out[i].Score > out[j].Score
		}
		return out[i].Component < out[j].Component
	})
	return out
}

func union(p [channelCount]float64) float64 {
	rest := 1.0
	for _, v := range p {
		rest *= 1 - v
	}
	return 1 - rest
}

// strongest returns the clue that says most about the component.
func strongest(clues []clue, best *[channelCount]float64) clue {
	sort.SliceStable(clues, func(i, j int) bool {
		a, b := clues[i], clues[j]
		switch {
		case best[a.channel] != best[b.channel]:
			return best[a.channel] > best[b.channel]
		case a.channel != b.channel:
			return a.channel < b.channel
		case a.strength != b.strength:
			return a.strength > b.strength
		}
		return a.why < b.why
	})
	return clues[0]
}

// discountRelays puts nodes that only mirror others behind what they may mirror, as long as somebody else is
// suspected at all: half the score of the foremost.
func discountRelays(g *Graph, s []Suspect) {
	others := 0.0
	for _, x := range s {
		if !g.relays(x.Component) {
			others = math.Max(others, x.Score)
		}
	}
	for i := range s {
		if others > 0 && g.relays(s[i].Component) {
			s[i].Score = math.Min(s[i].Score, others/2)
		}
	}
}
