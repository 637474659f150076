package casefile

import (
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// frame fixes onset, end, window and baseline.
func (b *builder) frame() {
	h := b.st.Hint()
	switch {
	case len(b.groups) > 0:
		b.sharpenOnset()
		b.findEnd()
	case !h.Window.IsZero() || !h.Time.IsZero():
		b.byHint = true
		b.fromHint(h)
	default:
		b.window = inquest.Window{}
		b.base = b.span
		return
	}
	if !h.Baseline.IsZero() {
		b.base = h.Baseline
		return
	}
	b.base = inquest.Window{From: b.span.From, To: b.onset}
	if b.allFails {
		b.base = inquest.Window{} // a good request before the first failure is luck
		return
	}
	if !b.base.From.Before(b.base.To) { // failing from the first line on: what comes after the end is all there is to compare with
		b.base = inquest.Window{}
		if !b.end.IsZero() && b.span.To.Sub(b.end) > blipSeconds*time.Second {
			b.base = inquest.Window{From: b.end, To: b.span.To}
		}
	}
}

func (b *builder) fromHint(h inquest.Hint) {
	w := h.Window
	if w.IsZero() {
		w = inquest.Window{From: h.Time.Add(-5 * time.Minute), To: h.Time}
	}
	b.window, b.onset = w, w.From
	if b.span.IsZero() {
		b.span = w
	}
}

// sharpenOnset moves the onset from the edge of a bin to the first failed request. A scan cuts the thin beginning of
// a ramp off, so single failures of the same route and status before it are taken in as long as the gap to the next is
// short and the background makes a failure within such a gap unlikely.
func (b *builder) sharpenOnset() {
	times := b.failureTimes()
	for _, g := range b.groups {
		first := b.firstFailure(g, times)
		if first.IsZero() {
			first = g.Window.From
		}
		if b.onset.IsZero() || first.Before(b.onset) {
			b.onset = first
		}
	}
	b.window.From = b.onset
}

func (b *builder) firstFailure(g inquest.FailureGroup, times map[routeStatus][]int64) time.Time {
	if g.Lying {
		for i := range b.liedBy {
			if l := &b.liedBy[i]; l.route() == g.Route && !at(l.answer.Time).Before(g.Window.From) {
				return at(l.answer.Time)
			}
		}
	}
	if g.RateOnly {
		return g.Window.From
	}
	mine := times[routeStatus{g.Route, g.Status}]
	i, _ := slices.BinarySearch(mine, g.Window.From.UnixNano())
	if i >= len(mine) {
		return time.Time{}
	}
	// Bursts of few failures a second have gaps of seconds; ten is what a person would still call "it began".
	gap := int64(blipSeconds) * int64(time.Second)
	if n := g.Failed; n > 0 {
		gap = max(gap, 5*int64(g.Window.Duration())/int64(n))
	}
	if g.Route == "" {
		return at(mine[i]) // a status over all routes has a background of its own: no walking back
	}
	for i > 0 && mine[i]-mine[i-1] <= gap {
		// The background is what failed well before the failure in question: the ramp itself must not count.
		calm := mine[i-1] - int64(rampSeconds*time.Second)
		step, past := float64(mine[i]-mine[i-1]), float64(calm-b.span.From.UnixNano())
		if before, _ := slices.BinarySearch(mine[:i], calm); past > 0 && float64(before)/past*step >= 0.2 {
			break
		}
		i--
	}
	return at(mine[i])
}

// rampSeconds is how long failures may take to become many: pools fill and queues build within half a minute.
const rampSeconds = 30

// failureTimes lists when requests of each group failed, within its window and without, ascending.
func (b *builder) failureTimes() map[routeStatus][]int64 {
	out := map[routeStatus][]int64{}
	for _, g := range b.groups {
		out[routeStatus{g.Route, g.Status}] = nil
	}
	all := b.st.Failures()
	for i := range all {
		f := &all[i]
		if f.Status == statusAbandoned && f.Duration < 1 || !b.isEdge(f.Observer) {
			continue
		}
		status := groupStatus(f)
		for _, k := range [...]routeStatus{{f.Name(), status}, {"", status}} {
			if times, wanted := out[k]; wanted {
				out[k] = append(times, f.Time)
			}
		}
	}
	return out
}

func (b *builder) isEdge(observer string) bool {
	return b.atEdge[observer]
}

// findEnd sets the end when requests were answered well for a while after the last burst.
func (b *builder) findEnd() {
	last := b.window.To
	quiet := max(blipSeconds*time.Second, b.span.Duration()/20)
	if b.span.To.Sub(last) >= quiet {
		b.end = last
		return
	}
	b.window.To = b.span.To
}
