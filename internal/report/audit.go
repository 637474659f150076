package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// How much of an audit is shown on a screen; the JSON has the rest.
const (
	mostAuditRoutes   = 8
	mostAuditMappings = 12
	mostAuditSamples  = 3
)

// auditStory holds an audit with the words that terminal and Markdown share.
type auditStory struct {
	a    *inquest.Audit
	zone *time.Location
}

// auditGroup is all findings of one rule.
type auditGroup struct {
	rule     inquest.AuditRule
	findings []inquest.AuditFinding
	count    int
}

// groups puts findings together by rule; they come gravest rule first.
func (s auditStory) groups() []auditGroup {
	var out []auditGroup
	for _, f := range s.a.Findings {
		n := len(out)
		if n == 0 || out[n-1].rule.ID != f.Rule.ID {
			out = append(out, auditGroup{rule: f.Rule})
			n++
		}
		out[n-1].findings = append(out[n-1].findings, f)
		out[n-1].count += f.Count
	}
	return out
}

func (s auditStory) headline() string {
	by := map[inquest.AuditSeverity]int{}
	for _, g := range s.groups() {
		by[g.rule.Severity]++
	}
	if len(s.a.Findings) == 0 {
		return "No rule is broken, as far as it could be checked."
	}
	var parts []string
	for _, sev := range []inquest.AuditSeverity{inquest.AuditError, inquest.AuditWarning, inquest.AuditNote} {
		if by[sev] > 0 {
			parts = append(parts, plural(by[sev], string(sev)))
		}
	}
	return fmt.Sprintf("%s broken: %s.", plural(len(s.groups()), "rule"), strings.Join(parts, ", "))
}

func (s auditStory) lookedAt() string {
	t := fmt.Sprintf("%s and %s in %s", plural(s.a.Requests, "request"), plural(s.a.Records, "log record"), plural(len(s.a.Files), "file"))
	if !s.a.Window.IsZero() {
		t += fmt.Sprintf(", %s to %s", s.stamp(s.a.Window.From), s.stamp(s.a.Window.To))
	}
	return t
}

func (s auditStory) stamp(t time.Time) string {
	if s.zone != nil {
		t = t.In(s.zone)
	}
	return t.Format("2006-01-02 15:04:05 MST")
}

// line says what one finding counts: "12 of 340 POST /pay (gateway): upstream answered 429, the client got 500".
func (s auditStory) line(f inquest.AuditFinding) string {
	n := count(f.Count)
	if f.Estimated {
		n = "about " + n
	}
	if f.Of > 0 {
		n += " of " + count(f.Of)
	}
	where := strings.TrimSpace(f.Route + " " + "(" + f.Service + ")")
	if f.Detail == "" {
		return n + "  " + where
	}
	return n + "  " + where + ": " + f.Detail
}

// exampleLine is one occurrence with its place.
func exampleLine(e inquest.AuditExample) string { return place(e.Source) + "  " + e.Text }

func (s auditStory) interval(i inquest.AuditInterval) string {
	return fmt.Sprintf("%s to %s (%s): %s answered well, %d of %d requests failed", s.stamp(i.From), s.stamp(i.To), span(i.Duration()),
		plural(i.Healthy, "health check"), i.Failed, i.Requests)
}

func mappingLine(m inquest.StatusMapping) string {
	text := fmt.Sprintf("%s -> %d  %s  %s (%s)", m.UpstreamStatus, m.Status, count(m.Count), m.Route, m.Service)
	if m.Basis == inquest.ByMinute {
		text += ", an estimate by route and minute"
	}
	if m.Rule != "" {
		text += ", breaks " + m.Rule
	}
	return text
}

// logLine says how much of a log can be searched.
func logLine(q inquest.LogQuality) string {
	of := func(n int) string { return percent(share(n, q.Records)) }
	return fmt.Sprintf("%s (%s, %s): structured %s, timestamp %s, severity %s, correlation id %s, business context %s",
		q.Service, q.Format, plural(q.Records, "record"), of(q.Structured), of(q.Timestamp), of(q.Severity), of(q.Correlation), of(q.Business))
}

// AuditTerminal writes a as text for a terminal, gravest findings first.
func AuditTerminal(w io.Writer, a *inquest.Audit, opts TerminalOptions) error {
	s := auditStory{safe(a), opts.Zone}
	t := newScreen(opts.Width, opts.Color, opts.ASCII)
	tint, word := green, t.g.ok+" AUDIT"
	if len(s.a.Findings) > 0 {
		tint, word = red, t.g.bad+" AUDIT"
	}
	t.line(t.ink(tint, word) + " " + t.ink(faint, t.text(t.g.dot+" "+opts.Name)))
	t.blank()
	t.para(0, tint, s.headline())
	t.item("Looked at", column, plain, s.lookedAt())
	for _, g := range s.groups() {
		t.auditGroup(s, g)
	}
	t.auditTables(s)
	t.section("What could not be checked", "")
	t.auditGaps(s, opts.Full)
	for _, n := range s.a.Notes {
		t.hang(t.g.bullet+" ", 0, 2, plain, n)
	}
	for i, f := range s.a.Files {
		if i == mostFiles {
			t.para(2, faint, fmt.Sprintf("and %s more in the JSON", plural(len(s.a.Files)-i, "file")))
			break
		}
		t.para(2, faint, fileLine(f))
		for _, n := range f.Notes {
			t.para(4, plain, n)
		}
	}
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("report: write text: %w", err)
	}
	return nil
}

// auditGaps says what could not be checked: how many rules for want of what, or, in full, each of them.
func (s *screen) auditGaps(story auditStory, full bool) {
	gaps := story.a.Unchecked
	switch {
	case len(gaps) == 0:
		s.para(0, plain, "Every rule could be applied to something.")
	case full:
		for _, u := range gaps {
			s.item(s.g.open+" "+u.Rule, 33, plain, u.Why)
		}
	default:
		s.hang(s.g.open+" ", 0, 2, plain, story.lacks()+" --unchecked lists them.")
	}
}

// lacks sums up the rules that could not be checked: "14 rules: 12 as no log holds the bodies; 2 as no application logs were read."
func (s auditStory) lacks() string {
	var order []string
	by := map[string]int{}
	for _, u := range s.a.Unchecked {
		if by[u.Why] == 0 {
			order = append(order, u.Why)
		}
		by[u.Why]++
	}
	parts := make([]string, len(order))
	for i, why := range order {
		parts[i] = fmt.Sprintf("%d as %s", by[why], why)
	}
	rules := plural(len(s.a.Unchecked), "rule")
	if len(order) == 1 {
		return rules + ", as " + order[0] + "."
	}
	return rules + ": " + strings.Join(parts, "; ") + "."
}

func (s *screen) auditGroup(story auditStory, g auditGroup) {
	tint := map[inquest.AuditSeverity]ink{inquest.AuditError: red, inquest.AuditWarning: purple}[g.rule.Severity]
	s.section(g.rule.Title, "")
	s.hang(s.ink(tint, string(g.rule.Severity)+": "), 0, len(g.rule.Severity)+2, faint, g.rule.ID)
	for i, f := range g.findings {
		if i == mostAuditRoutes {
			s.para(2, faint, fmt.Sprintf("and %s more in the JSON", plural(len(g.findings)-i, "route")))
			break
		}
		s.hang("  ", 2, 4, plain, story.line(f))
		for _, x := range f.Intervals[:min(len(f.Intervals), mostAuditRoutes)] {
			s.hang("    ", 4, 6, plain, story.interval(x))
		}
		if i == 0 { // one occurrence to look at; the others are alike
			for _, e := range f.Examples[:min(len(f.Examples), 1)] {
				s.hang("    "+s.g.quote+" ", 6, 6, faint, exampleLine(e))
			}
		}
	}
	s.item("  Why", 9, plain, g.rule.Why)
	s.item("  Fix", 9, plain, g.rule.Fix)
	s.item("  Source", 9, faint, g.rule.Source)
}

func (s *screen) auditTables(story auditStory) {
	if len(story.a.Mappings) > 0 {
		s.section("Statuses that changed between upstream and client", "")
		for i, m := range story.a.Mappings {
			if i == mostAuditMappings {
				s.para(2, faint, fmt.Sprintf("and %s more in the JSON", plural(len(story.a.Mappings)-i, "row")))
				break
			}
			s.hang("  ", 2, 4, plain, mappingLine(m))
		}
	}
	if len(story.a.Logs) > 0 {
		s.section("Logs", "")
		for i, q := range story.a.Logs {
			s.hang("  ", 2, 4, plain, logLine(q))
			if q.Rewritten != "" && i < mostAuditSamples {
				s.hang("    "+s.g.quote+" ", 6, 6, faint, exampleLine(q.Sample))
				s.para(4, plain, "as a structured record:")
				s.quote(4, q.Rewritten, mostQuote)
			}
		}
	}
}

// AuditMarkdown writes a as GitHub-flavoured Markdown; text from logs is inert.
func AuditMarkdown(w io.Writer, a *inquest.Audit, opts PageOptions) error {
	s := auditStory{safe(a), opts.Zone}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Audit of %s\n\n%s\n\n- **Looked at**: %s\n", escape(opts.Name), escape(s.headline()), escape(s.lookedAt()))
	for _, g := range s.groups() {
		p("\n## %s: %s\n\n%s `%s`. %s\n\n", g.rule.Severity, escape(g.rule.Title), "Rule", g.rule.ID, escape(g.rule.Why))
		for _, f := range g.findings {
			p("- %s\n", escape(s.line(f)))
			for _, x := range f.Intervals {
				p("  - %s\n", escape(s.interval(x)))
			}
			for _, e := range f.Examples {
				p("  - %s\n", codeSpan(exampleLine(e)))
			}
		}
		p("\n**Fix**: %s\n\n**Source**: %s\n", escape(g.rule.Fix), escape(g.rule.Source))
	}
	if len(s.a.Mappings) > 0 {
		p("\n## Statuses that changed between upstream and client\n\n| upstream | client | count | route | gateway | by | rule |\n|---|---|---:|---|---|---|---|\n")
		for _, m := range s.a.Mappings {
			p("| %s | %d | %d | %s | %s | %s | %s |\n", m.UpstreamStatus, m.Status, m.Count, escape(m.Route), escape(m.Service), m.Basis, m.Rule)
		}
	}
	if len(s.a.Logs) > 0 {
		p("\n## Logs\n\n")
		for _, q := range s.a.Logs {
			p("- %s\n", escape(logLine(q)))
			if q.Rewritten != "" {
				p("\n  %s\n\n%s\n", codeSpan(exampleLine(q.Sample)), fence(q.Rewritten, "json", "  "))
			}
		}
	}
	if len(s.a.Unchecked) > 0 {
		p("\n## What could not be checked\n\n")
		for _, u := range s.a.Unchecked {
			p("- `%s`: %s\n", u.Rule, escape(u.Why))
		}
	}
	for _, n := range s.a.Notes {
		p("- %s\n", escape(n))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write Markdown: %w", err)
	}
	return nil
}

// AuditRulesMarkdown writes the catalogue of rules as a page.
func AuditRulesMarkdown(w io.Writer, rules []inquest.AuditRule) error {
	var b strings.Builder
	b.WriteString("# The rules of an audit\n\nWritten by `make docs` from the catalogue; `inquest audit rules NAME` prints the same. [audit.md](audit.md) says how to use them.\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "\n## %s\n\n%s: %s.\n\n%s\n\n- **Fix**: %s\n- **Needs**: %s\n- **Source**: %s\n", r.ID, r.Severity, escape(r.Title), escape(r.Why), escape(r.Fix), escape(r.Needs), escape(r.Source))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write Markdown: %w", err)
	}
	return nil
}
