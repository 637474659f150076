package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// PageOptions are the options of Markdown and HTML.
type PageOptions struct {
	Zone *time.Location // of the times shown; nil is UTC
	Name string         // what was investigated, e.g. the folder
	// Title gives the words for a mechanism; nil makes them of its name.
	Title func(inquest.MechanismID) string
	Live  bool // what was investigated goes on
}

// chartColumns is the width of the chart in a code fence: fits a chat window.
const chartColumns = 60

type markdown struct {
	strings.Builder
	*story
}

// Markdown writes d as GitHub-flavoured Markdown, for an incident channel, a ticket or a wiki. Text from logs stands
// in code fences or is escaped; it can neither format, link by syntax, nor mention anybody.
func Markdown(w io.Writer, d *inquest.Diagnosis, opts PageOptions) error {
	m := &markdown{story: newStory(d, opts.Zone, opts.Title, opts.Name)}
	m.live = opts.Live
	m.verdict()
	if m.state == stateHealthy {
		m.chart()
		m.list("Noise that was set aside", m.d.Notes)
	} else {
		m.openEnd()
		m.blastRadius()
		m.timeline()
		m.firstError()
		m.layer3()
		m.chain()
		m.evidence()
		m.plan()
		m.rivals()
		m.list("Seen and set aside", m.d.Notes)
	}
	m.coverage()
	if _, err := io.WriteString(w, m.String()); err != nil {
		return fmt.Errorf("report: write Markdown: %w", err)
	}
	return nil
}

func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(m, format, args...) }

func (m *markdown) section(title string) { m.printf("\n## %s\n\n", title) }

func (m *markdown) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	m.section(title)
	for _, i := range items {
		m.printf("- %s\n", escape(i))
	}
}

func (m *markdown) verdict() {
	m.printf("# %s\n\n", escape(m.headline()))
	switch m.state {
	case stateHealthy:
		if m.d.Coverage.Unread() {
			m.printf("**No answer**")
		} else {
			m.printf("**Healthy**")
		}
	case stateOpen:
		m.printf("**Incident, open**: %s", levelMeanings[inquest.Open])
	default:
		m.printf("**Incident, %s**, confidence %s: %s; %s", levelNames[m.level()], score(m.d.Verdict.Confidence),
			escape(m.cause()), levelMeanings[m.level()])
	}
	m.printf(".\n\n%s\n\n", escape(m.summary()))
	if c := m.caveat(); c != "" {
		m.printf("> %s\n\n", escape(c))
	}
	if m.name != "" {
		m.printf("- **Case**: %s\n", codeSpan(m.name))
	}
	if m.state == stateHealthy {
		if l := m.lookedAt(); l != "" {
			m.printf("- **Looked at**: %s\n", escape(l))
		}
		return
	}
	m.printf("- **Since**: %s\n", escape(m.since()))
	if what, why := m.trigger(); what != "" {
		m.printf("- **Trigger**: %s\n", escape(what))
		if why != "" {
			m.printf("  (%s)\n", escape(why))
		}
	}
	for _, c := range m.also() {
		m.printf("- **Also**: %s, independently, confidence %s\n", escape(m.candidate(c)), score(c.Confidence))
	}
	if now := m.actions(inquest.PhaseNow); len(now) > 0 {
		m.printf("- **Do first**: %s\n", escape(now[0].Text))
	}
}

func (m *markdown) openEnd() {
	if m.state == stateOpen {
		m.list("What is missing, what to fetch next", append(append([]string{}, m.d.Coverage.Missing...), m.fetchNext()...))
	}
}

func (m *markdown) blastRadius() {
	m.section("Blast radius")
	for _, l := range m.impact() {
		m.printf("- %s\n", escape(l))
	}
	for _, s := range m.statuses() {
		m.printf("- %d × %s: fault of %s\n", s.Status, count(s.Count), s.Owner)
	}
	if len(m.d.Impact.Routes) == 0 {
		return
	}
	m.printf("\n| Route | Requests | Failed | Ratio |\n|:--|--:|--:|--:|\n")
	for i, r := range m.d.Impact.Routes {
		if i == 3*mostRoutes {
			m.printf("| and %s more | | | |\n", plural(len(m.d.Impact.Routes)-i, "route"))
			break
		}
		cell := strings.ReplaceAll(codeSpan(r.Route), "|", `\|`)
		m.printf("| %s | %s | %s | %s |\n", cell, count(r.Requests), count(r.Failed), percent(share(r.Failed, r.Requests)))
	}
}

func (m *markdown) timeline() {
	m.section("Timeline (" + escape(m.zoneName()) + ")")
	m.chart()
	for i, e := range m.d.Timeline {
		if i == mostEntries {
			m.printf("- and %s more entries in the JSON\n", count(len(m.d.Timeline)-i))
			break
		}
		m.printf("- `%s` **%s** %s\n", m.clock(e.Time), escape(e.Kind), escape(e.Text+refs(e.Evidence)))
	}
	if len(m.changes()) == 0 {
		m.printf("- %s\n", m.noChanges())
	}
}

func (m *markdown) chart() {
	c := drawChart(m.d.Chart, chartColumns, unicodeGlyphs)
	if c == nil {
		return
	}
	var b strings.Builder
	for _, r := range c.Rows {
		fmt.Fprintf(&b, "%s %s peak %s\n", pad(r.Name, 9), r.Line, count(r.Peak))
	}
	if c.Marks != "" {
		fmt.Fprintf(&b, "%s %s\n", pad("", 9), c.Marks)
	}
	fmt.Fprintf(&b, "%s %s to %s, %s a column%s", pad("", 9), m.clock(c.From), m.clock(c.To), span(c.Step), c.legend(unicodeGlyphs))
	if m.state == stateHealthy {
		m.printf("\n")
	}
	m.printf("%s\n\n", fence(b.String(), "text", ""))
}

func (m *markdown) firstError() {
	m.section("First failure")
	text, quote := m.firstFailure()
	m.printf("%s\n", escape(text))
	if quote != nil {
		m.printf("\n%s, %s:\n\n%s\n", escape("["+quote.ID+"]"), codeSpan(place(quote.Source)), fence(firstLine(quote.Text), "text", ""))
	}
}

func (m *markdown) layer3() {
	m.section("Infrastructure")
	if rows := m.resourceRows(); len(rows) > 0 {
		m.printf("| resource | fullest | where |\n|:--|--:|:--|\n")
		for _, r := range rows {
			share := ""
			if !math.IsNaN(r.Share) {
				share = percent(r.Share)
			}
			m.printf("| %s | %s | %s |\n", escape(r.Name), share, escape(r.Text))
		}
		m.printf("\n")
	}
	found, none := m.infrastructure()
	if none != "" {
		m.printf("%s\n", none)
	}
	for _, e := range found {
		m.printf("- `%s` %s\n", m.clock(e.Time), escape(firstLine(e.Text)+refs([]string{e.ID})))
	}
}

func (m *markdown) chain() {
	v := m.d.Verdict
	if v == nil || len(v.Chain) == 0 {
		return
	}
	m.section("How it came about")
	for i, l := range v.Chain {
		m.printf("%d. **%s**, `%s`: %s\n", i+1, escape(string(l.Role)), m.clock(l.Time), escape(l.Text+refs(l.Evidence)))
	}
}

func (m *markdown) evidence() {
	if len(m.d.Evidence) == 0 {
		return
	}
	m.section("Evidence")
	for i, e := range m.d.Evidence {
		if i == mostEvidence {
			m.printf("And %s more in the JSON.\n", plural(len(m.d.Evidence)-i, "piece"))
			break
		}
		m.printf("**%s** %s, `%s`", escape("["+e.ID+"]"), escape(evidenceKind(e)), m.clock(e.Time))
		if p := place(e.Source); p != "" {
			m.printf(", %s", codeSpan(p))
		}
		m.printf("\n\n%s\n\n", fence(e.Text, "text", ""))
	}
}

func (m *markdown) plan() {
	for _, p := range phases {
		list := m.actions(p.phase)
		if len(list) == 0 {
			continue
		}
		m.section(p.title)
		for i, a := range list {
			m.printf("%d. %s", i+1, escape(a.Text))
			if c := cureNote(a.Cures); c != "" {
				m.printf(" *(%s)*", c)
			}
			m.printf("\n")
			if a.Command != "" {
				m.printf("\n%s\n\n", fence(a.Command, "sh", "   "))
			}
		}
	}
	if v := m.d.Verdict; v != nil && len(v.Confirm) > 0 {
		m.section("How to confirm (read-only)")
		for _, c := range v.Confirm {
			m.printf("- %s\n\n%s\n", escape(c.Text), fence(c.Command, "sh", "  "))
			if c.Expect != "" {
				m.printf("\n  Expect: %s\n", escape(c.Expect))
			}
		}
	}
}

func (m *markdown) rivals() {
	if len(m.d.Alternatives) > 0 {
		m.section("Considered, and why not")
		for _, c := range m.d.Alternatives {
			m.printf("- **%s**, %s\n", escape(m.candidate(c)), score(c.Confidence))
			for _, f := range c.For {
				m.printf("  - for: %s\n", escape(f))
			}
			for _, a := range c.Against {
				m.printf("  - against: %s\n", escape(a))
			}
		}
	}
	if len(m.d.Suspects) > 0 {
		m.section("Suspects")
		for i, s := range m.d.Suspects {
			if i == 2*mostSuspects {
				break
			}
			m.printf("%d. %s, %s: %s\n", i+1, escape(s.Component), score(s.Score), escape(s.Why))
		}
	}
	if len(m.d.Similar) > 0 {
		m.section("Seen before")
		for _, s := range m.d.Similar {
			m.printf("- %s (%s alike): %s\n", escape(s.Incident), score(s.Score), escape(s.Why))
		}
	}
}

func (m *markdown) coverage() {
	m.section("What was checked, and what was not")
	m.printf("| Layer | State | Files | Quoted |\n|:--|:--|--:|--:|\n")
	for _, l := range layers {
		c := m.d.Coverage.Layers[l]
		state := "**not checked**"
		if c.State == layerChecked {
			state = layerChecked
		}
		m.printf("| %s | %s | %d | %d |\n", layerNames[l], state, c.Files, c.Evidence)
	}
	m.printf("\n")
	if m.state != stateOpen {
		for _, x := range m.d.Coverage.Missing {
			m.printf("- %s\n", escape(x))
		}
	}
	for i, f := range m.d.Coverage.Files {
		if i == 3*mostFiles {
			m.printf("- and %s more in the JSON\n", plural(len(m.d.Coverage.Files)-i, "file"))
			break
		}
		m.printf("- %s", escape(fileLine(f)))
		if len(f.Notes) > 0 {
			m.printf(" (%s)", escape(strings.Join(f.Notes, "; ")))
		}
		m.printf("\n")
	}
}
