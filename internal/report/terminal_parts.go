package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/inquesthq/inquest"
)

func (t terminal) firstError() {
	t.section("First failure", "")
	text, quote := t.firstFailure()
	t.para(0, plain, text)
	if quote != nil {
		t.para(2, faint, fmt.Sprintf("earliest quote: [%s] %s, %s", quote.ID, t.clock(quote.Time), place(quote.Source)))
		t.quote(2, firstLine(quote.Text), 3)
	}
}

func firstLine(text string) string {
	l, _, _ := strings.Cut(text, "\n")
	return l
}

func (t terminal) layer3() {
	t.section("Infrastructure", "")
	rows := t.resourceRows()
	for _, r := range rows {
		t.hang(t.resourceLead(r), 0, resourceColumn, plain, r.Text)
	}
	if len(rows) > 0 {
		t.blank()
	}
	found, none := t.infrastructure()
	if none != "" {
		t.para(0, plain, none)
		return
	}
	for i, e := range found {
		if i == mostSuspects*2 {
			t.para(2, faint, fmt.Sprintf("and %s more below", plural(len(found)-i, "finding")))
			return
		}
		t.hang(pad(t.clock(e.Time), t.clockColumn()), 0, t.clockColumn(), plain, firstLine(e.Text)+refs([]string{e.ID}))
	}
}

// resourceColumn is where the text beside the name, share and bar of a resource begins.
const resourceColumn = 12 + 7 + 12

func (t terminal) resourceLead(r resourceRow) string {
	share, bar, tint := "", 0, faint
	if !math.IsNaN(r.Share) {
		share, bar = percent(r.Share), int(min(r.Share, 1)*10+0.5)
	}
	if r.Share >= resourceFull {
		tint = red
	}
	return pad(t.text(r.Name), 12) + right(share, 6) + " " + t.ink(tint, strings.Repeat(t.g.bar, bar)) + strings.Repeat(" ", 12-bar)
}

// resourceFull is the share of a limit that is shown as full: what pages in every runbook.
const resourceFull = 0.95

func (t terminal) chain() {
	v := t.d.Verdict
	if v == nil || len(v.Chain) == 0 {
		return
	}
	t.section("How it came about", "")
	for i, l := range v.Chain {
		if i > 0 {
			t.line(t.ink(faint, "  "+t.g.down))
		}
		tint := plain
		switch l.Role {
		case inquest.RoleCause:
			tint = red
		case inquest.RoleTrigger:
			tint = purple
		}
		lead := t.ink(tint, pad(t.text(string(l.Role)), 9)) + t.ink(faint, pad(t.clock(l.Time), t.clockColumn()))
		t.hang(lead, 0, 9+t.clockColumn(), plain, l.Text+refs(l.Evidence))
	}
}

func (t terminal) evidence() {
	if len(t.d.Evidence) == 0 {
		return
	}
	t.section("Evidence", "quoted as found")
	for i, e := range t.d.Evidence {
		if i == mostEvidence {
			t.para(0, faint, fmt.Sprintf("and %s more in the JSON", plural(len(t.d.Evidence)-i, "piece")))
			return
		}
		head := evidenceKind(e)
		if !e.Time.IsZero() {
			head += ", " + t.clock(e.Time)
		}
		if p := place(e.Source); p != "" {
			head += ", " + p
		}
		t.hang(t.ink(strong, pad("["+e.ID+"]", 6)), 0, 6, faint, head)
		t.quote(6, e.Text, mostQuote)
	}
}

// plan is what to do, mitigation before analysis, and how to check the verdict by hand.
func (t terminal) plan() {
	for _, p := range phases {
		list := t.actions(p.phase)
		if len(list) == 0 {
			continue
		}
		t.section(p.title, "")
		for i, a := range list {
			cures := cureNote(a.Cures)
			if cures != "" {
				cures = " (" + cures + ")"
			}
			t.hang(pad(fmt.Sprintf("%d.", i+1), 4), 0, 4, plain, a.Text+cures)
			if a.Command != "" {
				t.command(4, a.Command)
			}
		}
	}
	v := t.d.Verdict
	if v == nil || len(v.Confirm) == 0 {
		return
	}
	t.section("How to confirm", "read-only")
	for _, c := range v.Confirm {
		t.hang(t.g.bullet+" ", 0, 2, plain, c.Text)
		t.command(2, c.Command)
		if c.Expect != "" {
			t.para(2, faint, "expect: "+c.Expect)
		}
	}
}

// phases are the headings of the plan, in the order of acting.
var phases = [...]struct {
	phase inquest.Phase
	title string
}{
	{inquest.PhaseNow, "Do now"},
	{inquest.PhaseLater, "Then fix it"},
	{inquest.PhasePrevent, "So that it does not come back"},
}

func cureNote(cures string) string {
	switch cures {
	case "cause":
		return "cures the cause"
	case "symptom":
		return "eases a symptom only"
	}
	return ""
}

func (t terminal) rivals() {
	if len(t.d.Alternatives) > 0 {
		t.section("Considered, and why not", "")
		for _, c := range t.d.Alternatives {
			t.hang(t.g.bullet+" ", 0, 2, strong, t.candidate(c)+", "+score(c.Confidence))
			for _, f := range c.For {
				t.hang("  + ", 0, 4, plain, f)
			}
			for _, a := range c.Against {
				t.hang("  - ", 0, 4, plain, a)
			}
		}
	}
	if len(t.d.Suspects) > 0 {
		t.section("Suspects", "by impact that nothing else explains")
		for i, s := range t.d.Suspects {
			if i == mostSuspects {
				t.para(0, faint, fmt.Sprintf("and %s more in the JSON", plural(len(t.d.Suspects)-i, "component")))
				break
			}
			t.hang(pad(fmt.Sprintf("%d.", i+1), 4), 0, 4, plain, fmt.Sprintf("%s, %s: %s", s.Component, score(s.Score), s.Why))
		}
	}
}

func (t terminal) similar() {
	if len(t.d.Similar) == 0 {
		return
	}
	t.section("Seen before", "")
	for _, s := range t.d.Similar {
		t.hang(t.g.bullet+" ", 0, 2, plain, fmt.Sprintf("%s (%s alike): %s", s.Incident, score(s.Score), s.Why))
	}
}

func (t terminal) notes(title string) {
	if len(t.d.Notes) == 0 {
		return
	}
	t.section(title, "")
	for _, n := range t.d.Notes {
		t.hang(t.g.bullet+" ", 0, 2, plain, n)
	}
}

func (t terminal) healthy() {
	if c := drawChart(t.d.Chart, t.width-column-16, t.g); c != nil {
		t.section("The stretch", "times in "+t.zoneName())
		t.chart()
	}
	t.notes("Noise that was set aside")
}

func (t terminal) coverage() {
	c := t.d.Coverage
	t.section("What was checked, and what was not", "")
	for _, l := range layers {
		lc := c.Layers[l]
		if lc.State != layerChecked {
			t.item(t.g.open+" "+layerNames[l], 18, purple, "not checked: nothing given")
			continue
		}
		text := plural(lc.Files, "file")
		if lc.Evidence > 0 {
			text += fmt.Sprintf(", %s quoted", plural(lc.Evidence, "piece"))
		}
		t.item(t.g.ok+" "+layerNames[l], 18, plain, text)
	}
	if t.state != stateOpen { // an open verdict has said it above
		for _, m := range c.Missing {
			t.hang(t.g.bullet+" ", 0, 2, plain, m)
		}
	}
	for i, f := range c.Files {
		if i == mostFiles {
			t.para(2, faint, fmt.Sprintf("and %s more in the JSON", plural(len(c.Files)-i, "file")))
			break
		}
		t.para(2, faint, fileLine(f))
		for _, n := range f.Notes {
			t.para(4, plain, n)
		}
	}
}

func fileLine(f inquest.FileCoverage) string {
	format := f.Format
	if format == "" {
		format = "not recognised"
	}
	line := fmt.Sprintf("%s: %s, %s", f.File, format, plural(f.Records, "record"))
	if f.Skipped > 0 {
		line += fmt.Sprintf(", %s skipped", plural(f.Skipped, "line"))
	}
	return line
}
