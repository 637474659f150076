package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// TerminalOptions are the options of Terminal and Triage.
type TerminalOptions struct {
	Width int            // columns; 0 is 80, the least is 40
	Color bool           // ANSI colours, legible on dark and light grounds
	ASCII bool           // for terminals that cannot show UTF-8
	Zone  *time.Location // of the times shown; nil is UTC
	Name  string         // what was investigated, e.g. the folder
	Full  bool           // of an audit: each rule that could not be checked, not only how many for want of what
	// Title gives the words for a mechanism; nil makes them of its name.
	Title func(inquest.MechanismID) string
}

// How much of a list is shown at 3 am; the JSON has the rest.
const (
	mostRoutes   = 8
	mostEvidence = 40
	mostEntries  = 40
	mostFiles    = 12
	mostSuspects = 5
	mostQuote    = 14 // lines of a quote
)

const column = 11 // width of the labels on the left

type terminal struct {
	*screen
	*story
}

// Terminal writes d as text for a terminal: the verdict first, each line within the width.
func Terminal(w io.Writer, d *inquest.Diagnosis, opts TerminalOptions) error {
	t := terminal{newScreen(opts.Width, opts.Color, opts.ASCII), newStory(d, opts.Zone, opts.Title, opts.Name)}
	t.verdict()
	if t.state == stateHealthy {
		t.healthy()
	} else {
		t.blastRadius()
		t.timeline()
		t.firstError()
		t.layer3()
		t.chain()
		t.evidence()
		t.plan()
		t.rivals()
		t.similar()
		t.notes("Seen and set aside")
	}
	t.coverage()
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("report: write text: %w", err)
	}
	return nil
}

func (t terminal) verdict() {
	tint, word := red, t.g.bad+" INCIDENT"
	switch t.state {
	case stateHealthy:
		if tint, word = green, t.g.ok+" HEALTHY"; t.d.Coverage.Unread() {
			tint, word = purple, t.g.open+" NO ANSWER"
		}
	case stateOpen:
		tint, word = purple, t.g.open+" OPEN"
	}
	aside := ""
	if t.state == stateFound {
		v := t.d.Verdict
		aside = fmt.Sprintf("%s %s, confidence %s ", t.g.dot, levelNames[v.Level], score(v.Confidence))
	}
	if t.name != "" {
		aside += t.g.dot + " " + t.name
	}
	t.line(t.ink(tint, word) + " " + t.ink(faint, wrap(t.text(aside), t.width-len(word)-1)[0]))
	t.blank()
	t.para(0, tint, t.headline())
	if t.state == stateFound {
		t.para(0, faint, t.cause()+" "+t.g.dot+" "+levelMeanings[t.level()])
	}
	if c := t.caveat(); c != "" {
		t.para(0, purple, c)
	}
	t.blank()
	t.para(0, plain, t.summary())
	t.blank()
	if t.state == stateHealthy {
		if l := t.lookedAt(); l != "" {
			t.item("Looked at", column, plain, l)
		}
		return
	}
	t.item("Since", column, plain, t.since())
	if what, why := t.trigger(); what != "" {
		t.item("Trigger", column, plain, what)
		if why != "" {
			t.item("", column, faint, why)
		}
	}
	for _, c := range t.also() {
		t.item("Also", column, plain, t.candidate(c)+", independently, confidence "+score(c.Confidence))
	}
	if now := t.actions(inquest.PhaseNow); len(now) > 0 {
		t.item("Do first", column, strong, now[0].Text)
		if now[0].Command != "" {
			t.command(column, now[0].Command)
		}
	}
	t.openEnd()
}

// openEnd says under an open verdict what would settle it.
func (t terminal) openEnd() {
	if t.state != stateOpen {
		return
	}
	fetch := t.fetchNext()
	if len(fetch)+len(t.d.Coverage.Missing) == 0 {
		return
	}
	t.section("What is missing, what to fetch next", "")
	for _, m := range t.d.Coverage.Missing {
		t.hang(t.g.bullet+" ", 0, 2, plain, m)
	}
	for _, f := range fetch {
		t.hang(t.ink(strong, "> "), 0, 2, plain, f)
	}
}

func (t terminal) blastRadius() {
	t.section("Blast radius", "")
	for _, l := range t.impact() {
		t.para(0, plain, l)
	}
	if st := t.statuses(); len(st) > 0 {
		for _, s := range st {
			t.para(2, plain, fmt.Sprintf("%d %s %s, fault of %s", s.Status, t.times(), count(s.Count), s.Owner))
		}
		t.para(0, faint, "The requests were answered, so client network, DNS and URL are not the cause.")
	}
	t.routes()
}

func (t terminal) times() string {
	if t.ascii {
		return "x"
	}
	return "×"
}

func (t terminal) routes() {
	routes := t.d.Impact.Routes
	if len(routes) == 0 {
		return
	}
	const bar = 10
	name := t.width - 2 - 3*10 - bar - 2
	if name < 12 {
		name = t.width - 2 - 3*10
	}
	t.blank()
	t.line(t.ink(faint, "  "+pad("route", name)+right("requests", 10)+right("failed", 10)+right("ratio", 10)))
	for i, r := range routes {
		if i == mostRoutes {
			t.para(2, faint, fmt.Sprintf("and %s more", plural(len(routes)-i, "route")))
			break
		}
		ratio := share(r.Failed, r.Requests)
		row := "  " + pad(t.text(r.Route), name) + right(count(r.Requests), 10) + right(count(r.Failed), 10) + right(percent(ratio), 10)
		if t.width-name > 2+3*10+bar {
			row += "  " + t.ink(red, strings.Repeat(t.g.bar, int(ratio*bar+0.5)))
		}
		t.line(row)
	}
}

func right(text string, width int) string {
	return strings.Repeat(" ", max(0, width-len(text))) + text
}

func (t terminal) timeline() {
	t.section("Timeline", "times in "+t.zoneName())
	t.chart()
	if len(t.d.Chart.Requests) > 0 && len(t.d.Timeline) > 0 {
		t.blank()
	}
	entries := t.d.Timeline
	hidden := max(0, len(entries)-mostEntries)
	for _, e := range entries[:len(entries)-hidden] {
		tint, mark := plain, " "
		switch e.Kind {
		case "onset":
			tint, mark = red, t.g.onset
		case "change":
			tint, mark = purple, t.g.change
		case "recovery":
			tint, mark = green, t.g.end
		}
		lead := t.ink(tint, mark) + " " + pad(t.clock(e.Time), t.clockColumn()) + t.ink(faint, pad(t.text(e.Kind), 9)) + " "
		t.hang(lead, 0, 2+t.clockColumn()+10, plain, e.Text+refs(e.Evidence))
	}
	if hidden > 0 {
		t.para(2, faint, fmt.Sprintf("and %s more entries in the JSON", count(hidden)))
	}
	if len(t.changes()) == 0 {
		t.para(2, faint, t.noChanges())
	}
}

func (t terminal) chart() {
	c := drawChart(t.d.Chart, t.width-column-16, t.g)
	if c == nil {
		return
	}
	for _, r := range c.Rows {
		tint := plain
		if r.Name != "requests" && t.state != stateHealthy {
			tint = red
		}
		t.line(t.ink(faint, pad("  "+r.Name, column+1)) + t.ink(tint, r.Line) + t.ink(faint, "  peak "+count(r.Peak)))
	}
	if c.Marks != "" {
		t.line(strings.Repeat(" ", column+1) + t.ink(purple, c.Marks))
	}
	legend := fmt.Sprintf("%s to %s, %s a column", t.clock(c.From), t.clock(c.To), span(c.Step))
	t.para(column+1, faint, legend+c.legend(t.g))
}
