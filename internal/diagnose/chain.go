package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// clock is a time of day, dated when the onset or the end of the record is on another day.
func (a *analysis) clock(t time.Time) string {
	return mechanism.Clock(t, a.c.Onset, a.c.Span.To)
}

// cite files evidence and returns its id; the same source is filed once.
func (a *analysis) cite(e inquest.Evidence) string {
	key := evidenceKey(&e)
	for i := range a.evidence {
		if evidenceKey(&a.evidence[i]) == key {
			return a.evidence[i].ID
		}
	}
	e.ID = fmt.Sprintf("E%d", len(a.evidence)+1)
	a.evidence = append(a.evidence, e)
	if lc, ok := a.out.Coverage.Layers[e.Layer]; ok {
		lc.Evidence++
		a.out.Coverage.Layers[e.Layer] = lc
	}
	return e.ID
}

func evidenceKey(e *inquest.Evidence) string {
	return fmt.Sprintf("%s:%d:%s:%v:%s", e.Source.File, e.Source.Line, e.Source.Metric, e.Source.Labels, e.Kind)
}

func (a *analysis) citeAll(es []inquest.Evidence, max int) []string {
	ids := []string{}
	for _, e := range es[:min(max, len(es))] {
		if id := a.cite(e); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func changeEvidence(ch *inquest.Change) inquest.Evidence {
	return inquest.Evidence{Layer: inquest.LayerChange, Kind: "change", Time: ch.Time, Text: changeText(ch), Source: ch.Source}
}

func changeText(ch *inquest.Change) string {
	head := strings.Join(strings.Fields(strings.Join([]string{string(ch.Kind), ch.Service, ch.Version}, " ")), " ")
	if rest, ok := strings.CutPrefix(ch.Summary, head); ok { // many summaries begin with the same words
		return head + rest
	}
	return head + ": " + ch.Summary
}

// chain tells trigger, cause, effects and symptoms.
func (a *analysis) chain(c *candidate, v *inquest.Verdict) {
	if t := v.Trigger; t != nil {
		l := inquest.Link{Role: inquest.RoleTrigger, Time: t.Time, Evidence: []string{}}
		l.Text = fmt.Sprintf("%s: %s", t.Kind, t.Summary)
		for i := range a.c.Changes {
			if ch := &a.c.Changes[i]; ch.Time.Equal(t.Time) && ch.Summary == t.Summary {
				l.Text = changeText(ch)
				l.Evidence = append(l.Evidence, a.cite(changeEvidence(ch)))
			}
		}
		v.Chain = append(v.Chain, l)
	}
	v.Chain = append(v.Chain, inquest.Link{Role: inquest.RoleCause, Time: c.onset, Text: fmt.Sprintf("%s: %s", c.culprit, a.saying(c)), Evidence: a.evidenceOf(c, 4)})
	effects := a.effects(c)
	for _, e := range effects[:min(len(effects), 5)] {
		v.Chain = append(v.Chain, inquest.Link{Role: inquest.RoleEffect, Time: e.onset, Text: fmt.Sprintf("%s: %s", first(e.observers, e.culprit), a.saying(e)), Evidence: a.evidenceOf(e, 2)})
	}
	a.symptomLinks(v)
}

func first(set map[string]bool, or string) string {
	best := ""
	for s := range set {
		if best == "" || s < best {
			best = s
		}
	}
	return cmp.Or(best, or)
}

// saying is the title of the mechanism with the most telling text or measurement.
func (a *analysis) saying(c *candidate) string {
	title := a.d.byID[c.id].Title
	if s, ok := c.scanned(); ok {
		title += " (" + s.String() + ")"
	}
	if lost, ok := c.missing(); ok {
		return title + ": " + quote(lost.quote)
	}
	for _, cl := range c.claims {
		if cl.symptom.Pattern != nil {
			return title + ": " + quote(symptom.Example(cl.symptom.Pattern).Text)
		}
	}
	return title + ": " + c.claims[0].symptom.Text
}

// quote is the first line of a text, cut to what a sentence bears.
func quote(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	r := []rune(s)
	if len(r) > 160 {
		return string(r[:157]) + "..."
	}
	return s
}

func (a *analysis) evidenceOf(c *candidate, max int) []string {
	ids := []string{}
	for _, cl := range c.claims {
		for _, e := range cl.symptom.Evidence {
			if id := a.cite(e); !slices.Contains(ids, id) && len(ids) < max {
				ids = append(ids, id)
			}
		}
		if len(ids) >= max {
			break
		}
	}
	return ids
}

// effects lists what the cause brought about, in time order, each mechanism once.
func (a *analysis) effects(c *candidate) []*candidate {
	var out []*candidate
	var walk func(x *candidate)
	told := map[*inquest.Symptom]bool{c.claims[0].symptom: true}
	walk = func(x *candidate) {
		for _, e := range x.explains {
			// What rests on a measured answer alone is the symptom again; what rests on the same line was told already.
			if top := e.claims[0].symptom; e.strength >= faint && e.specific() && !told[top] {
				told[top] = true
				out = append(out, e)
			}
			walk(e)
		}
	}
	walk(c)
	slices.SortStableFunc(out, func(x, y *candidate) int { return x.onset.Compare(y.onset) })
	return out
}

// symptomLinks adds what the outermost observer saw.
func (a *analysis) symptomLinks(v *inquest.Verdict) {
	im := a.c.Impact
	if im.Failed == 0 {
		return
	}
	statuses := map[int]int{}
	for _, r := range im.Routes {
		for s, n := range r.Status {
			statuses[s] += n
		}
	}
	codes := make([]int, 0, len(statuses))
	for s := range statuses {
		codes = append(codes, s)
	}
	slices.SortFunc(codes, func(x, y int) int { return cmp.Or(cmp.Compare(statuses[y], statuses[x]), cmp.Compare(x, y)) })
	var parts []string
	for _, s := range codes {
		if s < 300 {
			parts = append(parts, fmt.Sprintf("%d answers of 2xx that hide a failure", statuses[s]))
			continue
		}
		parts = append(parts, fmt.Sprintf("%d answers of %d", statuses[s], s))
	}
	l := inquest.Link{Role: inquest.RoleSymptom, Time: a.c.Onset, Text: strings.Join(parts, ", ") + " on " + routesText(im.Routes), Evidence: []string{}}
	if len(a.c.Failures) > 0 {
		f := a.c.Failures[0]
		l.Evidence = append(l.Evidence, a.cite(inquest.Evidence{Layer: inquest.LayerResponse, Kind: "request", Time: f.Time, Text: requestText(f), Source: f.Source}))
	}
	v.Chain = append(v.Chain, l)
}

func requestText(f inquest.Request) string {
	text := fmt.Sprintf("%s %d", f.Route, f.Status)
	if f.Duration >= 0 {
		text += fmt.Sprintf(" after %.3f s", f.Duration)
	}
	if f.Upstream != "" {
		text += " via " + f.Upstream
	}
	return text
}

func routesText(rs []inquest.RouteImpact) string {
	var names []string
	for _, r := range rs[:min(3, len(rs))] {
		names = append(names, r.Route)
	}
	if n := len(rs) - len(names); n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}

// timeline merges changes, symptoms, onset and recovery on one clock.
func (a *analysis) timeline(v *inquest.Verdict) {
	var out []inquest.Entry
	marks := &a.out.Chart.Marks
	last := a.lastChange(v)
	for i := range a.c.Changes {
		ch := &a.c.Changes[i]
		// Changes long before the recording belong to the record, not to the timeline, unless one is the trigger, or what the culprit has run with since.
		if a.longBefore(ch) && i != last && (v == nil || v.Trigger == nil || !v.Trigger.Time.Equal(ch.Time)) {
			continue
		}
		e := inquest.Entry{Time: ch.Time, Kind: "change", Text: changeText(ch), Evidence: []string{}}
		if v != nil {
			e.Evidence = append(e.Evidence, a.cite(changeEvidence(ch)))
		}
		out = append(out, e)
		if a.c.Span.Contains(ch.Time) {
			*marks = append(*marks, inquest.Mark{Time: ch.Time, Kind: "change", Text: changeText(ch)})
		}
	}
	if a.c.Incident {
		out = append(out, inquest.Entry{Time: a.c.Onset, Kind: "onset", Text: "first failed request", Evidence: []string{}})
		*marks = append(*marks, inquest.Mark{Time: a.c.Onset, Kind: "onset", Text: "onset"})
		out = append(out, a.symptomEntries()...)
	}
	if !a.c.End.IsZero() {
		out = append(out, inquest.Entry{Time: a.c.End, Kind: "recovery", Text: "requests are answered well again", Evidence: []string{}})
		*marks = append(*marks, inquest.Mark{Time: a.c.End, Kind: "end", Text: "recovery"})
	}
	slices.SortStableFunc(out, func(x, y inquest.Entry) int { return x.Time.Compare(y.Time) })
	slices.SortStableFunc(*marks, func(x, y inquest.Mark) int { return x.Time.Compare(y.Time) })
	a.out.Timeline = out
}

// lastChange is the last change of the culprit before the onset, -1 for none.
func (a *analysis) lastChange(v *inquest.Verdict) int {
	last := -1
	if v == nil || v.Culprit == "" {
		return last
	}
	for i := range a.c.Changes { // ascending
		if ch := &a.c.Changes[i]; a.names.Name(ch.Service) == v.Culprit && ch.Time.Before(a.c.Onset) {
			last = i
		}
	}
	return last
}

// symptomEntries picks the symptoms that the candidates rest on, the strongest twelve.
func (a *analysis) symptomEntries() []inquest.Entry {
	var out []inquest.Entry
	seen := map[string]bool{}
	for _, c := range a.cands {
		for _, cl := range c.claims[:min(2, len(c.claims))] {
			s := cl.symptom
			if seen[s.Text] || cl.strength < 0.2 || len(out) >= 12 {
				continue
			}
			seen[s.Text] = true
			text := s.Text
			if s.Pattern != nil {
				text += ": " + quote(symptom.Example(s.Pattern).Text)
			}
			out = append(out, inquest.Entry{Time: s.Onset, Kind: entryKind(s), Text: text, Evidence: a.citeAll(s.Evidence, 2)})
		}
	}
	return out
}

func entryKind(s *inquest.Symptom) string {
	switch s.Kind {
	case inquest.SymptomSaturation, inquest.SymptomGap:
		return "metric"
	case inquest.SymptomRestart:
		return "restart"
	}
	return "symptom"
}
