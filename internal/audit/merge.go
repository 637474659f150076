package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// mostMerged bounds the findings, mappings, logs and files of a merged audit, each: a scan makes a route of every path, and nobody reads
// them.
const mostMerged = 500

// Merge makes one audit of several over consecutive stretches of time, oldest first: what one over all of it would have found, with these
// differences. Counts are summed; Of counts the stretches in which there was something to find. Rules about logs are judged anew over all
// records. Examples are the newest instead of the first: those whose lines are still kept. A rule is unchecked if no stretch could check it.
func (a *Auditor) Merge(parts []*inquest.Audit) *inquest.Audit {
	m := &merger{rules: map[string]*rule{}, out: &inquest.Audit{}, findings: map[findingKey]*inquest.AuditFinding{}, about: map[findingKey]inquest.Window{},
		mappings: map[inquest.StatusMapping]int{}, logs: map[string]*inquest.LogQuality{}, files: map[string]*inquest.FileCoverage{}, gaps: map[string]gap{}}
	for i := range a.rules {
		m.rules[a.rules[i].ID] = &a.rules[i]
	}
	for _, p := range parts {
		m.part(p)
	}
	return m.merged(a.rules)
}

// findingKey is what makes two findings the same.
type findingKey struct{ rule, service, route, detail string }

// gap is how often a rule could not be checked.
type gap struct {
	parts int
	why   string
}

type merger struct {
	rules    map[string]*rule
	out      *inquest.Audit
	parts    int                // that had something to judge
	idle     []inquest.AuditGap // of one that had nothing
	findings map[findingKey]*inquest.AuditFinding
	about    map[findingKey]inquest.Window // when a rule about logs was broken
	mappings map[inquest.StatusMapping]int // by all but their count
	logs     map[string]*inquest.LogQuality
	files    map[string]*inquest.FileCoverage
	gaps     map[string]gap
}

func (m *merger) part(p *inquest.Audit) {
	m.out.Requests += p.Requests
	m.out.Records += p.Records
	m.out.Window = spanned(m.out.Window, p.Window)
	for i := range p.Findings {
		m.finding(&p.Findings[i], p.Window)
	}
	for _, x := range p.Mappings {
		n := x.Count
		x.Count = 0
		m.mappings[x] += n
	}
	for i := range p.Logs {
		m.log(&p.Logs[i])
	}
	for i := range p.Files {
		m.file(&p.Files[i])
	}
	for _, n := range p.Notes {
		if !slices.Contains(m.out.Notes, n) {
			m.out.Notes = append(m.out.Notes, n)
		}
	}
	if p.Requests+p.Records == 0 { // that nothing came says nothing of what can be checked
		m.idle = p.Unchecked
		return
	}
	m.parts++
	for _, g := range p.Unchecked {
		m.gaps[g.Rule] = gap{m.gaps[g.Rule].parts + 1, g.Why}
	}
}

func (m *merger) finding(f *inquest.AuditFinding, w inquest.Window) {
	r := m.rules[f.Rule.ID]
	if r == nil { // is skipped now, or of another release
		return
	}
	k := findingKey{f.Rule.ID, f.Service, f.Route, f.Detail}
	if r.log != nil {
		m.about[k] = spanned(m.about[k], w)
		return
	}
	sum := m.findings[k]
	if sum == nil {
		sum = &inquest.AuditFinding{Rule: r.AuditRule, Service: f.Service, Route: f.Route, Detail: f.Detail}
		m.findings[k] = sum
	}
	sum.Count += f.Count
	sum.Of += f.Of
	sum.Estimated = sum.Estimated || f.Estimated
	seen := spanned(inquest.Window{From: sum.From, To: sum.To}, inquest.Window{From: f.From, To: f.To})
	sum.From, sum.To = seen.From, seen.To
	sum.Intervals = joinIntervals(sum.Intervals, f.Intervals)
	sum.Examples = newest(sum.Examples, f.Examples)
}

// newest keeps the last examples of two lists.
func newest(a, b []inquest.AuditExample) []inquest.AuditExample {
	all := append(slices.Clone(a), b...)
	slices.SortStableFunc(all, func(x, y inquest.AuditExample) int { return x.Time.Compare(y.Time) })
	return all[max(0, len(all)-maxExamples):]
}

// joinIntervals adds intervals behind others; those that a border between two stretches cut apart become one.
func joinIntervals(all, more []inquest.AuditInterval) []inquest.AuditInterval {
	for _, x := range more {
		if n := len(all); n > 0 && x.From.Sub(all[n-1].To) <= joined*time.Minute {
			last := &all[n-1]
			last.Window = spanned(last.Window, x.Window)
			last.Healthy, last.Requests, last.Failed = last.Healthy+x.Healthy, last.Requests+x.Requests, last.Failed+x.Failed
			continue
		}
		all = append(all, x)
	}
	return all[max(0, len(all)-mostMerged):]
}

func (m *merger) log(q *inquest.LogQuality) {
	sum := m.logs[q.Service]
	if sum == nil {
		sum = &inquest.LogQuality{Service: q.Service}
		m.logs[q.Service] = sum
	}
	sum.Records += q.Records
	sum.Structured += q.Structured
	sum.Timestamp += q.Timestamp
	sum.Severity += q.Severity
	sum.Correlation += q.Correlation
	sum.Business += q.Business
	sum.Errors += q.Errors
	sum.Traced += q.Traced
	sum.Format = q.Format
	if q.Rewritten != "" {
		sum.Sample, sum.Rewritten = q.Sample, q.Rewritten
	}
}

func (m *merger) file(f *inquest.FileCoverage) {
	sum := m.files[f.File]
	if sum == nil {
		sum = &inquest.FileCoverage{File: f.File}
		m.files[f.File] = sum
	}
	sum.Format = cmp.Or(f.Format, sum.Format)
	sum.Records += f.Records
	sum.Skipped += f.Skipped
	w := spanned(inquest.Window{From: sum.From, To: sum.To}, inquest.Window{From: f.From, To: f.To})
	sum.From, sum.To = w.From, w.To
	for _, n := range f.Notes {
		if len(sum.Notes) < maxExamples && !slices.Contains(sum.Notes, n) {
			sum.Notes = append(sum.Notes, n)
		}
	}
}

// merged is the result, each list in the order of Judge.
func (m *merger) merged(rules []rule) *inquest.Audit {
	out := m.out
	for k, n := range m.mappings {
		k.Count = n
		out.Mappings = append(out.Mappings, k)
	}
	slices.SortFunc(out.Mappings, func(a, b inquest.StatusMapping) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	for _, q := range m.logs {
		out.Logs = append(out.Logs, *q)
	}
	slices.SortFunc(out.Logs, func(a, b inquest.LogQuality) int { return strings.Compare(a.Service, b.Service) })
	for _, f := range m.files {
		out.Files = append(out.Files, *f)
	}
	slices.SortFunc(out.Files, func(a, b inquest.FileCoverage) int { return strings.Compare(a.File, b.File) })
	for _, f := range m.findings {
		out.Findings = append(out.Findings, *f)
	}
	for i := range rules {
		if rules[i].log != nil {
			out.Findings = append(out.Findings, m.aboutLogs(&rules[i])...)
		}
	}
	slices.SortFunc(out.Findings, byGravity)
	if m.parts == 0 {
		out.Unchecked = m.idle
	}
	for i := range rules {
		g := m.gaps[rules[i].ID]
		if g.parts == m.parts && g.parts > 0 && !slices.ContainsFunc(out.Findings, func(f inquest.AuditFinding) bool { return f.Rule.ID == rules[i].ID }) {
			out.Unchecked = append(out.Unchecked, inquest.AuditGap{Rule: rules[i].ID, Why: g.why})
		}
	}
	out.Findings, out.Mappings = bounded(out, "findings", out.Findings), bounded(out, "changes of status", out.Mappings)
	out.Logs, out.Files = bounded(out, "logs", out.Logs), bounded(out, "sources", out.Files)
	return out
}

// aboutLogs judges the logs, and says since when each has been as it is.
func (m *merger) aboutLogs(r *rule) []inquest.AuditFinding {
	all := r.judgeLogs(m.out.Logs)
	for i := range all {
		seen := m.about[findingKey{r.ID, all[i].Service, all[i].Route, all[i].Detail}]
		all[i].From, all[i].To = seen.From, seen.To
	}
	return all
}

// bounded cuts a list that is too long, and says so.
func bounded[T any](out *inquest.Audit, what string, all []T) []T {
	if len(all) <= mostMerged {
		return all
	}
	note := fmt.Sprintf("only %d %s are kept of each hour, and shown; there were more", mostMerged, what)
	if !slices.Contains(out.Notes, note) {
		out.Notes = append(out.Notes, note)
	}
	return all[:mostMerged]
}

// spanned is the least window around two; a zero time is no time.
func spanned(a, b inquest.Window) inquest.Window {
	if a.From.IsZero() || !b.From.IsZero() && b.From.Before(a.From) {
		a.From = b.From
	}
	if b.To.After(a.To) {
		a.To = b.To
	}
	return a
}
