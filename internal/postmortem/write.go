// Package postmortem drafts the postmortem of an incident from its record, writes it as Markdown and reads that back without a loss, says what it
// lacks, renders it, and keeps it. A draft states what the record shows and marks the rest with TODO, which the lint finds: nothing is
// made up. It names no person as a cause.
package postmortem

import (
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web/words"
)

// todo marks what people have to write.
const todo = "TODO"

const (
	day   = "2006-01-02"
	utc   = "2006-01-02 15:04:05 UTC"
	local = "2006-01-02 15:04:05 -07:00"
)

// stamp writes a time with date and zone; "" for none.
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if t = t.In(zone); zone == time.UTC {
		return t.Format(utc)
	}
	return t.Format(local)
}

// zoneOf is a zone by its name, UTC when it is not known.
func zoneOf(name string) *time.Location {
	if z, err := time.LoadLocation(name); err == nil {
		return z
	}
	return time.UTC
}

type writer struct {
	strings.Builder
	zone *time.Location
}

func (w *writer) section(title string) { fmt.Fprintf(w, "\n## %s\n\n", title) }

// field writes one value; what is not known is left out, unless it is required.
func (w *writer) field(name, value string) {
	if value != "" {
		fmt.Fprintf(w, "- **%s**: %s\n", name, value)
	}
}

func (w *writer) need(name, value string) {
	if value == "" {
		value = todo
	}
	w.field(name, value)
}

func (w *writer) row(cells ...string) {
	for i, c := range cells {
		if i == 0 {
			w.WriteString("|")
		}
		w.WriteString(" " + strings.TrimSpace(c) + " |")
	}
	w.WriteString("\n")
}

func (w *writer) table(heads ...string) {
	w.row(heads...)
	w.WriteString(strings.Repeat("|---", len(heads)) + "|\n")
}

// Markdown writes a postmortem. Parse reads it back.
func Markdown(p *inquest.Postmortem) string {
	w := &writer{zone: zoneOf(p.Zone)}
	w.head(p)
	w.section("Executive summary")
	w.WriteString(p.Summary + "\n")
	w.impact(&p.Impact)
	w.response(p)
	w.section("Symptom")
	w.WriteString(p.Symptom + "\n")
	w.section("Wrong turns")
	w.table("What was believed", "Minutes", "Why it was wrong")
	for _, x := range p.Wrong {
		w.row(x.Belief, fmt.Sprint(x.Minutes), x.Why)
	}
	w.section("Root causes")
	for i, c := range p.Causes {
		fmt.Fprintf(w, "%d. %s%s\n", i+1, c.Text, refs(c.Evidence))
	}
	w.section("How it came about")
	w.field("Trigger", p.Trigger)
	for i, c := range p.Chain {
		fmt.Fprintf(w, "%d. %s\n", i+1, c)
	}
	w.measures(p)
	w.section("Timeline (" + w.zone.String() + ")")
	for _, l := range p.Timeline {
		fmt.Fprintf(w, "- %s - %s\n", stamp(l.Time, w.zone), l.Text)
	}
	w.evidence(p)
	return strings.TrimLeft(w.String(), "\n")
}

func (w *writer) head(p *inquest.Postmortem) {
	fmt.Fprintf(w, "# Postmortem: %s\n\n", p.Title)
	w.need("Incident", p.Incident)
	if p.Severity != 0 {
		w.field("Severity", p.Severity.String())
	} else {
		w.need("Severity", "")
	}
	w.field("State", string(p.State))
	w.field("Services", strings.Join(p.Services, ", "))
	w.need("Author", p.Author)
	if !p.Written.IsZero() {
		w.field("Written", p.Written.Format(day))
	}
	factors := make([]string, len(p.Factors))
	for i, f := range p.Factors {
		factors[i] = string(f)
	}
	w.need("Contributing factors", strings.Join(factors, ", "))
	w.field("Repeat of", p.Repeats)
	for _, o := range p.Open {
		w.field("Still open from there", o)
	}
}

func (w *writer) impact(i *inquest.PostmortemImpact) {
	w.section("Impact")
	w.need("Start", stamp(i.Start, w.zone))
	w.need("End", stamp(i.End, w.zone))
	if !i.Start.IsZero() && i.End.After(i.Start) {
		w.field("Duration", words.Span(i.End.Sub(i.Start)))
	}
	w.need("What failed", i.Failed)
	w.need("Status codes", i.Status)
	w.need("Requests", i.Requests)
	w.need("Affected", i.Affected)
	w.need("Not affected", i.NotAffected)
	w.field("User reports", fmt.Sprint(i.Reports))
	w.field("Cost", i.Cost)
}

func (w *writer) response(p *inquest.Postmortem) {
	r := &p.Response
	w.section("Detection and response")
	w.need("Detected by", r.Source)
	w.need("Detected", stamp(r.Detected, w.zone))
	w.field("Acknowledged", stamp(r.Acknowledged, w.zone))
	w.field("Identified", stamp(r.Identified, w.zone))
	w.field("Mitigated", stamp(r.Mitigated, w.zone))
	w.field("Verified", stamp(r.Verified, w.zone))
	w.field("Resolved", stamp(r.Resolved, w.zone))
	fixed := r.Mitigated
	if fixed.IsZero() {
		fixed = r.Resolved
	}
	for _, m := range []struct {
		name     string
		from, to time.Time
	}{
		{"Time to detect", p.Impact.Start, r.Detected}, {"Time to acknowledge", r.Detected, r.Acknowledged}, {"Time to identify", p.Impact.Start, r.Identified},
		{"Identified to fixed", r.Identified, fixed}, {"Time to mitigate", p.Impact.Start, fixed}, {"Time to verify", p.Impact.Start, r.Verified}, {"Time to resolve", p.Impact.Start, r.Resolved},
	} {
		if m.name == "Time to detect" && m.from.Equal(m.to) {
			continue // when it began is not known
		}
		if !m.from.IsZero() && !m.to.IsZero() {
			w.field(m.name, words.Span(m.to.Sub(m.from)))
		}
	}
}

func refs(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	links := make([]string, len(ids))
	for i, id := range ids {
		links[i] = "[" + id + "](#evidence)"
	}
	return " (" + strings.Join(links, ", ") + ")"
}

func (w *writer) measures(p *inquest.Postmortem) {
	w.section("Fixes")
	w.table("#", "What was done", "Cures", "State", "When", "Verified by")
	for i, f := range p.Fixes {
		w.row(fmt.Sprint(i+1), f.Text, f.Cures, f.State, stamp(f.Time, w.zone), f.Verified)
	}
	w.section("Action items")
	w.table("#", "What", "Type", "Cause", "Cures", "Owner", "Due", "Check", "State")
	for i, x := range p.Items {
		cause, due := "", ""
		if x.Cause > 0 {
			cause = fmt.Sprint(x.Cause)
		}
		if !x.Due.IsZero() {
			due = x.Due.Format(day)
		}
		w.row(fmt.Sprint(i+1), x.Text, string(x.Type), cause, x.Cures, orTodo(x.Owner), orTodo(due), orTodo(x.Check), string(x.State))
	}
	w.section("Lessons")
	for _, l := range p.Lessons {
		line := "- " + l.Text
		if l.Enforced != "" {
			line += " Enforced by: " + l.Enforced
		}
		w.WriteString(line + "\n")
	}
}

func orTodo(s string) string {
	if s == "" {
		return todo
	}
	return s
}

func (w *writer) evidence(p *inquest.Postmortem) {
	w.section("Evidence")
	for _, q := range p.Evidence {
		fmt.Fprintf(w, "- **%s** %s, %s, %s\n\n%s\n\n", q.ID, q.Layer, stamp(q.Time, w.zone), code(q.Source), fence(q.Text))
	}
}

// code is a code span that holds any text.
func code(s string) string {
	ticks := strings.Repeat("`", longest(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || s == "" {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// fence is an indented block of code, below a bullet, that holds any text.
func fence(s string) string {
	ticks := strings.Repeat("`", max(3, longest(s, '`')+1))
	return "  " + ticks + "text\n  " + strings.ReplaceAll(s, "\n", "\n  ") + "\n  " + ticks
}

func longest(s string, c rune) int {
	most, run := 0, 0
	for _, r := range s {
		if r != c {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// Escape makes a text that others wrote inert in Markdown, on one line, in a table too.
func Escape(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]<>|~#&", r), i == 0 && strings.ContainsRune("-+=", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Plain is a text as a reader sees it where no Markdown is rendered: without the backslashes of Escape.
func Plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\\`*_[]<>|~#&-+=", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
