package servicegraph

import (
	"math"
	"sort"
	"time"

	"github.com/inquesthq/inquest"
)

// frame is the time a ranking looks at, in Unix nanoseconds: the healthy reference, the stretch right before the
// incident, and the incident.
type frame struct {
	baseFrom, baseTo, winFrom, winTo int64
	until                            int64   // the alert, or winTo when that is later
	from                             float64 // least deviation that counts: clearly or barely
}

// frameOf completes a hint. Without a window, the five minutes before the alert are looked at (alert rules look back
// that far as a rule); without a baseline, the hour before the window. ok is false when the hint has no time at all.
func frameOf(h inquest.Hint) (frame, bool) {
	w, b := h.Window, h.Baseline
	if w.IsZero() {
		if h.Time.IsZero() {
			return frame{}, false
		}
		w = inquest.Window{From: h.Time.Add(-5 * time.Minute), To: h.Time}
	}
	if b.IsZero() {
		b = inquest.Window{From: w.From.Add(-time.Hour), To: w.From}
	}
	if !w.From.Before(w.To) || !b.From.Before(b.To) {
		return frame{}, false
	}
	f := frame{b.From.UnixNano(), b.To.UnixNano(), w.From.UnixNano(), w.To.UnixNano(), w.To.UnixNano(), clearly}
	if t := h.Time.UnixNano(); !h.Time.IsZero() && t > f.until {
		f.until = t
	}
	return f, true
}

// levels are the values of one quantity, sorted into the three stretches of a frame.
type levels struct{ base, recent, now []float64 }

// split sorts samples into stretches. A sample describes the time up to its timestamp (a scrape, the end of a
// period), so that the stretches are half-open at their start: (from, to].
func (f frame) split(points map[int64]float64) levels {
	var l levels
	times := make([]int64, 0, len(points))
	for t := range points {
		times = append(times, t)
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	for _, t := range times {
		v := points[t]
		switch {
		case t >= f.baseFrom && t <= f.baseTo:
			l.base = append(l.base, v)
		case t > f.winFrom && t <= f.winTo:
			l.now = append(l.now, v)
		case t > f.baseTo && t <= f.winFrom:
			l.recent = append(l.recent, v)
		}
	}
	return l
}

// change says how far the incident's level lies from the reference.
type change struct {
	ref, now, delta float64
	noise           float64 // how far a healthy value strays from the reference, as one standard deviation
}

// z is the change in healthy standard deviations.
func (c change) z() float64 {
	if c.noise <= 0 {
		return 0
	}
	return c.delta / c.noise
}

// minBaseline is the least number of healthy samples that allow a statement about what is normal.
const minBaseline = 5

// rise measures how much higher the level is now. It compares with the baseline and with the time right before the
// incident, and believes the smaller rise: the system may have changed since the baseline was recorded. Of the
// recent values the lowest quarter counts, since the last of them may already lie in the incident and the first in
// the aftermath of another one.
func (l levels) rise() (change, bool) {
	if len(l.base) < minBaseline || len(l.now) == 0 {
		return change{}, false
	}
	ref := quantile(l.base, 0.5)
	tail := quantile(l.base, 0.95) - ref
	noise := math.Max(spread(l.base), tail/1.645) // a heavy tail is noise, too: 1.645 sigma is the 95th percentile of a normal distribution
	if r := lowest(l.recent); len(l.recent) > 0 && r > ref {
		if ref > 0 {
			noise *= r / ref // the level moved since the baseline, and noise grows with the level
		}
		ref = r
	}
	now := mean(l.now)
	// Nothing is measured more finely than to 2 %; without this floor a constant baseline makes any change infinite.
	noise = math.Max(noise, 0.02*math.Abs(ref))
	return change{ref, now, now - ref, noise}, true
}

// lowest returns the value at the lower quartile, the lower one where it lies between two: of a healthy and a sick value
// the mean is neither.
func lowest(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := append([]float64(nil), v...)
	sort.Float64s(s)
	return s[(len(s)-1)/4]
}

func mean(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// quantile interpolates linearly; v need not be sorted and is not changed.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := append([]float64(nil), v...)
	sort.Float64s(s)
	p := q * float64(len(s)-1)
	i := int(p)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i] + (p-float64(i))*(s[i+1]-s[i])
}

// spread is the standard deviation estimated by the median absolute deviation, which outliers do not move.
func spread(v []float64) float64 {
	m := quantile(v, 0.5)
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = math.Abs(x - m)
	}
	return 1.4826 * quantile(d, 0.5)
}

// clearly and barely are the deviations, in healthy standard deviations, from which on something counts. A metric
// sampled each minute strays further than three about once in six hours, further than two every twenty minutes.
const (
	clearly = 3.0
	barely  = 2.0
)

// significance maps a z value to 0..1: nothing below the frame's threshold, all from 30 on, logarithmically between.
func (f frame) significance(z float64) float64 {
	const full = 30.0
	if !(z > f.from) {
		return 0
	}
	return math.Min(1, 0.2+0.8*math.Log(z/f.from)/math.Log(full/f.from))
}
