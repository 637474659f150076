package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/inquesthq/inquest"
)

// figure is the geometry of one chart in the units of its SVG viewBox: the failure ratio above, requests with the
// failed and the lying ones below, marks through both.
type figure struct {
	Class                   string // wide or narrow: a phone gets its own, so that no text is scaled away
	ID                      string
	W, H                    float64
	Left, Right             float64
	RatioTop, RatioBottom   float64
	CountTop, CountBottom   float64
	RatioArea, RatioLine    string // paths
	RequestArea             string
	Failed, Lying           []rect
	Incident                *rect
	RatioTicks, CountTicks  []tick
	TimeTicks               []tick
	Marks                   []markLabel
	Title, Desc, CountLabel string
}

type rect struct{ X, Y, W, H string }

type tick struct {
	At   string
	Text string
}

type markLabel struct {
	X, TextX, TextY, LineTop string
	Anchor, Kind, Text       string
}

// layout are the measures that differ between the two sizes.
type layout struct {
	class       string
	width       float64
	columns     int // most bars
	timeTicks   int
	labelRunes  int
	ratioHeight float64
	countHeight float64
}

var (
	wideLayout   = layout{class: "wide", width: 960, columns: 180, timeTicks: 9, labelRunes: 34, ratioHeight: 150, countHeight: 96}
	narrowLayout = layout{class: "narrow", width: 360, columns: 60, timeTicks: 4, labelRunes: 22, ratioHeight: 120, countHeight: 80}
)

const (
	runeWidth  = 6.3 // of the 12px label font, on the safe side for digits and lower case
	laneHeight = 18
)

// drawFigure lays a chart out; nil when there is nothing to draw.
func (s *story) drawFigure(l layout) *figure {
	c := s.d.Chart
	n := max(len(c.Requests), len(c.Failed), len(c.Lying))
	if n == 0 || c.Step <= 0 {
		return nil
	}
	group := (n + l.columns - 1) / l.columns
	columns := (n + group - 1) / group
	step := c.Step * time.Duration(group)
	f := &figure{Class: l.class, ID: "chart-" + l.class, W: l.width, Left: 44, Right: l.width - 8}
	p := plot{f: f, from: c.From, step: step, columns: columns}
	f.Marks = p.marks(c.Marks, l)
	lanes := 0.0
	for _, m := range f.Marks {
		lanes = max(lanes, parse(m.TextY))
	}
	f.RatioTop = lanes + 14
	f.RatioBottom = f.RatioTop + l.ratioHeight
	f.CountTop = f.RatioBottom + 26
	f.CountBottom = f.CountTop + l.countHeight
	f.H = f.CountBottom + 24
	requests, failed, lying := grouped(c.Requests, group, columns), grouped(c.Failed, group, columns), grouped(c.Lying, group, columns)
	p.ratio(requests, failed, s.state == stateHealthy)
	p.counts(requests, failed, lying)
	f.TimeTicks = p.timeTicks(s, l.timeTicks)
	f.Incident = p.incident(s.d)
	f.CountLabel = "requests in " + span(step)
	f.Title = "Failure ratio and requests over time"
	f.Desc = s.chartSentence(requests, failed, step)
	return f
}

func parse(x string) float64 {
	var v float64
	_, _ = fmt.Sscanf(x, "%g", &v) // it is our own number
	return v
}

func grouped(counts []int, group, columns int) []int {
	out := make([]int, columns)
	for i, n := range counts {
		out[i/group] += max(n, 0)
	}
	return out
}

// chartSentence tells the picture to who cannot see it.
func (s *story) chartSentence(requests, failed []int, step time.Duration) string {
	peak, where := 0.0, 0
	for i := range failed {
		if r := share(failed[i], requests[i]); r > peak {
			peak, where = r, i
		}
	}
	text := fmt.Sprintf("From %s to %s in steps of %s. ", s.stamp(s.d.Chart.From), s.clock(s.d.Chart.From.Add(step*time.Duration(len(failed)))), span(step))
	if peak == 0 {
		return text + "No request failed."
	}
	text += fmt.Sprintf("The failure ratio peaks at %s at %s.", percent(peak), s.clock(s.d.Chart.From.Add(step*time.Duration(where))))
	if !s.d.Onset.IsZero() {
		text += " It began at " + s.clock(s.d.Onset) + "."
	}
	return text
}

// plot turns times and counts into coordinates.
type plot struct {
	f       *figure
	from    time.Time
	step    time.Duration
	columns int
}

func (p plot) x(column float64) float64 {
	return p.f.Left + (p.f.Right-p.f.Left)*column/float64(p.columns)
}

func (p plot) xTime(t time.Time) float64 {
	return p.x(float64(t.Sub(p.from)) / float64(p.step))
}

func px(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

// ratio draws failed/requests as steps, on a scale from 0 to a round number above the peak. Without an incident the
// scale covers at least 5%, so that background errors look like what they are.
func (p plot) ratio(requests, failed []int, calm bool) {
	peak := 0.0
	for i := range failed {
		peak = max(peak, share(failed[i], requests[i]))
	}
	top := 1.0
	for _, t := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5} {
		if peak <= t && (t >= 0.05 || !calm) {
			top = t
			break
		}
	}
	y := func(r float64) float64 { return p.f.RatioBottom - (p.f.RatioBottom-p.f.RatioTop)*r/top }
	var line strings.Builder
	for i := range failed {
		r := share(failed[i], requests[i])
		cmd := "L"
		if i == 0 {
			cmd = "M"
		}
		fmt.Fprintf(&line, "%s%s %sL%s %s", cmd, px(p.x(float64(i))), px(y(r)), px(p.x(float64(i+1))), px(y(r)))
	}
	p.f.RatioLine = line.String()
	p.f.RatioArea = line.String() + fmt.Sprintf("L%s %sL%s %sZ", px(p.f.Right), px(y(0)), px(p.f.Left), px(y(0)))
	for _, r := range []float64{0, top / 2, top} {
		p.f.RatioTicks = append(p.f.RatioTicks, tick{px(y(r)), strings.TrimSuffix(fmt.Sprintf("%g", math.Round(r*1e4)/100), ".0") + "%"})
	}
}

// counts draws requests as an area, and failed and lying ones as bars before it on the same scale.
func (p plot) counts(requests, failed, lying []int) {
	peak := 1
	for i := range requests {
		peak = max(peak, requests[i], failed[i])
	}
	top := niceCount(peak)
	height := p.f.CountBottom - p.f.CountTop
	y := func(n int) float64 { return p.f.CountBottom - height*float64(n)/float64(top) }
	var area strings.Builder
	fmt.Fprintf(&area, "M%s %s", px(p.f.Left), px(p.f.CountBottom))
	for i, n := range requests {
		fmt.Fprintf(&area, "L%s %sL%s %s", px(p.x(float64(i))), px(y(n)), px(p.x(float64(i+1))), px(y(n)))
	}
	fmt.Fprintf(&area, "L%s %sZ", px(p.f.Right), px(p.f.CountBottom))
	p.f.RequestArea = area.String()
	gap := min(1, (p.x(1)-p.x(0))*0.2)
	bar := func(i, base, n int) rect {
		h := max(height*float64(n)/float64(top), 1)
		return rect{px(p.x(float64(i)) + gap/2), px(y(base) - h), px(p.x(1) - p.x(0) - gap), px(h)}
	}
	for i := range failed {
		honest := max(failed[i]-lying[i], 0)
		if honest > 0 {
			p.f.Failed = append(p.f.Failed, bar(i, 0, honest))
		}
		if lying[i] > 0 {
			p.f.Lying = append(p.f.Lying, bar(i, honest, lying[i]))
		}
	}
	for _, n := range []int{0, top} {
		p.f.CountTicks = append(p.f.CountTicks, tick{px(y(n)), short(n)})
	}
}

// niceCount is the next 1, 2 or 5 times a power of ten.
func niceCount(n int) int {
	for p := 1; p < math.MaxInt/10; p *= 10 {
		for _, m := range []int{1, 2, 5} {
			if n <= m*p {
				return m * p
			}
		}
	}
	return n
}

func short(n int) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%gG", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%gM", float64(n)/1e6)
	case n >= 10000:
		return fmt.Sprintf("%gk", float64(n)/1e3)
	}
	return count(n)
}

// incident shades the stretch from onset to end.
func (p plot) incident(d *inquest.Diagnosis) *rect {
	if !d.Incident || d.Onset.IsZero() {
		return nil
	}
	from, to := p.xTime(d.Onset), p.f.Right
	if !d.End.IsZero() {
		to = p.xTime(d.End)
	}
	from, to = max(from, p.f.Left), min(to, p.f.Right)
	if to <= from {
		return nil
	}
	return &rect{px(from), px(p.f.RatioTop), px(to - from), px(p.f.CountBottom - p.f.RatioTop)}
}

// timeTicks puts at most n ticks on round times of the zone.
func (p plot) timeTicks(s *story, n int) []tick {
	total := p.step * time.Duration(p.columns)
	steps := []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
		12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
	}
	every := total / time.Duration(n)
	for _, d := range steps {
		if total/d <= time.Duration(n) {
			every = d
			break
		}
	}
	form := "15:04"
	switch {
	case every < time.Minute:
		form = "15:04:05"
	case every >= 24*time.Hour:
		form = "01-02"
	}
	_, offset := p.from.In(s.zone).Zone()
	shift := time.Duration(offset) * time.Second
	var out []tick
	t := p.from.Add(shift).Truncate(every).Add(-shift)
	for ; len(out) < 2*n && !t.After(p.from.Add(total)); t = t.Add(every) {
		if x := p.xTime(t); x >= p.f.Left+12 && x <= p.f.Right-14 {
			out = append(out, tick{px(x), t.In(s.zone).Format(form)})
		}
	}
	return out
}

// marks places the labels in lanes so that none covers another. Labels near the right edge turn to the left.
func (p plot) marks(marks []inquest.Mark, l layout) []markLabel {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b inquest.Mark) int { return a.Time.Compare(b.Time) })
	const most = 12 // more marks than that are a smear; the timeline has them all
	type placed struct {
		from, to float64
		lane     int
	}
	var taken []placed
	var out []markLabel
	for _, m := range marks {
		x := p.xTime(m.Time)
		if x < p.f.Left || x > p.f.Right || len(out) == most {
			continue
		}
		text := clip(m.Text, l.labelRunes)
		width := float64(utf8.RuneCountInString(text))*runeWidth + 10
		label := markLabel{X: px(x), Anchor: "start", Kind: m.Kind, Text: text, TextX: px(x + 5)}
		from, to := x, x+width
		if to > p.f.W {
			label.Anchor, label.TextX = "end", px(x-5)
			from, to = x-width, x
		}
		lane := 0
		for slices.ContainsFunc(taken, func(o placed) bool { return o.lane == lane && from < o.to && o.from < to }) {
			lane++
		}
		taken = append(taken, placed{from, to, lane})
		label.TextY = px(float64(lane)*laneHeight + 13)
		label.LineTop = px(float64(lane)*laneHeight + 3)
		out = append(out, label)
	}
	return out
}

func clip(text string, runes int) string {
	if utf8.RuneCountInString(text) <= runes {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:runes-1]), " ") + "…"
}
