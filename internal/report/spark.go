package report

import (
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// glyphs are the marks a text rendering is drawn with.
type glyphs struct {
	levels             []rune // of a sparkline, from little to much
	none               string // a step with a count of zero
	rule, bar, quote   string
	change, onset, end string
	down, bullet, dot  string
	ok, bad, open      string
}

var unicodeGlyphs = glyphs{
	levels: []rune("▁▂▃▄▅▆▇█"), none: "·", rule: "─", bar: "█", quote: "│",
	change: "◆", onset: "▲", end: "▽", down: "↓", bullet: "•", dot: "·", ok: "✓", bad: "✗", open: "?",
}

var asciiGlyphs = glyphs{
	levels: []rune(".:-=+*#@"), none: " ", rule: "-", bar: "#", quote: "|",
	change: "c", onset: "^", end: "v", down: "|", bullet: "*", dot: "-", ok: "+", bad: "x", open: "?",
}

// chartRow is one series of the small chart.
type chartRow struct {
	Name string
	Line string // one character a column
	Peak int    // highest count of a column
}

// chart is the small chart: rows over the same columns, marks below them.
type chart struct {
	Rows  []chartRow
	Marks string        // a glyph under the column of each mark
	Step  time.Duration // of a column
	From  time.Time
	To    time.Time
}

// drawChart fits the counts into width columns, several steps to a column if need be. Each row has its own scale: a
// failure ratio of one percent is an incident too and would vanish on the scale of the requests. The scale of failures
// covers at least one in fifty requests, so that a single background error does not look like a wall of them.
func drawChart(c inquest.Chart, width int, g glyphs) *chart {
	n := max(len(c.Requests), len(c.Failed), len(c.Lying))
	if n == 0 || width < 8 || c.Step <= 0 {
		return nil
	}
	group := (n + width - 1) / width
	columns := (n + group - 1) / group
	out := &chart{Step: c.Step * time.Duration(group), From: c.From, To: c.From.Add(c.Step * time.Duration(n))}
	least := 0
	for _, s := range []struct {
		name   string
		counts []int
	}{{"requests", c.Requests}, {"failed", c.Failed}, {"lying 2xx", c.Lying}} {
		row, any := drawRow(s.counts, group, columns, least, g)
		if s.name == "requests" {
			least = row.Peak / 50
		}
		if any || s.name != "lying 2xx" {
			row.Name = s.name
			out.Rows = append(out.Rows, row)
		}
	}
	marks := []rune(strings.Repeat(" ", columns))
	for _, kind := range []string{"change", "end", "onset"} { // the onset wins its column
		for _, m := range c.Marks {
			if i := columnOf(m.Time, c.From, out.Step); m.Kind == kind && i >= 0 && i < columns {
				marks[i] = []rune(g.mark(kind))[0]
			}
		}
	}
	out.Marks = strings.TrimRight(string(marks), " ")
	return out
}

// columnOf is the index of the step that holds t, -1 before the first.
func columnOf(t, from time.Time, step time.Duration) int {
	if t.Before(from) {
		return -1
	}
	return int(t.Sub(from) / step)
}

func drawRow(counts []int, group, columns, least int, g glyphs) (row chartRow, any bool) {
	sums := make([]int, columns)
	for i, n := range counts {
		sums[i/group] += max(n, 0)
		row.Peak = max(row.Peak, sums[i/group])
	}
	var b strings.Builder
	for _, n := range sums {
		if n == 0 {
			b.WriteString(g.none)
			continue
		}
		any = true
		b.WriteRune(g.levels[(n*len(g.levels)-1)/max(row.Peak, least)])
	}
	row.Line = b.String()
	return row, any
}

func (g glyphs) mark(kind string) string {
	switch kind {
	case "onset":
		return g.onset
	case "end", "recovery":
		return g.end
	}
	return g.change
}

// legend explains the marks that the chart has: "; ^ first failure".
func (c *chart) legend(g glyphs) string {
	out := ""
	for _, m := range [...]struct{ glyph, name string }{{g.change, "change"}, {g.onset, "first failure"}, {g.end, "end"}} {
		if !strings.Contains(c.Marks, m.glyph) {
			continue
		}
		if out == "" {
			out = ";"
		}
		out += " " + m.glyph + " " + m.name
	}
	return out
}
