package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// story holds the sentences that all renderings for people share. Its Diagnosis is a safe copy.
type story struct {
	d     *inquest.Diagnosis
	state state
	zone  *time.Location
	title func(inquest.MechanismID) string
	name  string
	live  bool // PageOptions.Live
}

func newStory(d *inquest.Diagnosis, zone *time.Location, title func(inquest.MechanismID) string, name string) *story {
	if zone == nil {
		zone = time.UTC
	}
	if title == nil {
		title = func(m inquest.MechanismID) string { return humanize(cmp.Or(m.Name(), string(m.Class()), "unnamed")) }
	}
	return &story{d: safe(d), state: stateOf(d), zone: zone, title: title, name: safe(name)}
}

// stamp is the full time with its zone.
func (s *story) stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.In(s.zone).Format("2006-01-02 15:04:05 MST")
}

// clock is the time of day, with the date in front when it is another day than the onset's.
func (s *story) clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	y, m, d := t.In(s.zone).Date()
	if ry, rm, rd := s.reference().Date(); y == ry && m == rm && d == rd {
		return t.In(s.zone).Format("15:04:05")
	}
	return t.In(s.zone).Format("01-02 15:04:05")
}

// reference is the day that short times are on.
func (s *story) reference() time.Time {
	if s.d.Onset.IsZero() {
		return s.d.Window.From.In(s.zone)
	}
	return s.d.Onset.In(s.zone)
}

// clockColumn is the width that the short times of this story need, with a gap behind.
func (s *story) clockColumn() int {
	wide := 8
	for _, e := range s.d.Timeline {
		wide = max(wide, len(s.clock(e.Time)))
	}
	for _, e := range s.d.Evidence {
		wide = max(wide, len(s.clock(e.Time)))
	}
	if s.d.Verdict != nil {
		for _, l := range s.d.Verdict.Chain {
			wide = max(wide, len(s.clock(l.Time)))
		}
	}
	return wide + 2
}

// zoneName names the zone of all short times.
func (s *story) zoneName() string { return s.reference().Format("MST") }

// headline is the answer in a few words.
func (s *story) headline() string {
	switch s.state {
	case stateHealthy:
		if s.d.Coverage.Unread() {
			return "Nothing could be read"
		}
		return "No incident"
	case stateOpen:
		return "Something failed; the cause is open"
	}
	v := s.d.Verdict
	h := s.title(v.Mechanism)
	if v.Culprit != "" {
		h += " at " + v.Culprit
	}
	return h
}

// cause is the pair of words of the catalogue.
func (s *story) cause() string {
	if s.state != stateFound {
		return ""
	}
	m := s.d.Verdict.Mechanism
	class, ok := classNames[m.Class()]
	if !ok {
		class = strings.ToLower(humanize(string(m.Class())))
	}
	return class + " / " + strings.ToLower(humanize(m.Name()))
}

func (s *story) level() inquest.VerdictLevel {
	if s.state == stateFound {
		return s.d.Verdict.Level
	}
	return inquest.Open
}

// summary is the verdict's own sentence, with the evidence of the cause behind it.
func (s *story) summary() string {
	switch {
	case s.state == stateHealthy:
		return s.healthySummary()
	case s.d.Verdict == nil || s.d.Verdict.Summary == "":
		return "Requests failed, and what was read does not suffice to name a cause."
	}
	var ids []string
	for _, l := range s.d.Verdict.Chain {
		if l.Role == inquest.RoleCause {
			ids = append(ids, l.Evidence...)
		}
	}
	return s.d.Verdict.Summary + refs(ids)
}

func (s *story) healthySummary() string {
	if s.d.Coverage.Unread() {
		return "This is no all-clear: not a record came out of what was given. Below stands why, file by file."
	}
	i := s.d.Impact
	text := "Nothing here needs you."
	if i.Requests > 0 {
		text += fmt.Sprintf(" %s answered, %s failed (%s)", plural(i.Requests, "request"), count(i.Failed), percent(i.Ratio))
		text += ", no more than this system's usual background."
	} else {
		text += " No failure stands out from the usual background."
	}
	return text
}

// lookedAt says which stretch of time was read.
func (s *story) lookedAt() string {
	if s.d.Window.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s to %s (%s)", s.stamp(s.d.Window.From), s.clock(s.d.Window.To), span(s.d.Window.Duration()))
}

// since is the onset and how long it went on.
func (s *story) since() string {
	if s.d.Onset.IsZero() {
		return "unknown"
	}
	if s.d.End.IsZero() && s.live {
		return s.stamp(s.d.Onset) + ", still going on"
	}
	if s.d.End.IsZero() {
		return s.stamp(s.d.Onset) + ", not over when the recording ends"
	}
	return fmt.Sprintf("%s, for %s (until %s)", s.stamp(s.d.Onset), span(s.d.End.Sub(s.d.Onset)), s.clock(s.d.End))
}

// trigger is what set it off, and the reason for believing so.
func (s *story) trigger() (what, why string) {
	if s.state != stateFound {
		return "", ""
	}
	t := s.d.Verdict.Trigger
	if t == nil {
		return "none found: no recorded change or outside event fits", ""
	}
	parts := []string{string(t.Kind)}
	for _, p := range []string{t.Service, t.Version} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	what = strings.Join(parts, " ")
	if !t.Time.IsZero() {
		what += " at " + s.clock(t.Time)
		if before := s.d.Onset.Sub(t.Time); !s.d.Onset.IsZero() && before > 0 {
			what += ", " + span(before) + " before"
		}
	}
	if t.Summary != "" {
		what += ": " + t.Summary
	}
	return what + refs(s.roleEvidence(inquest.RoleTrigger)), sentence(t.Why)
}

func (s *story) roleEvidence(role inquest.LinkRole) []string {
	var ids []string
	if s.d.Verdict != nil {
		for _, l := range s.d.Verdict.Chain {
			if l.Role == role {
				ids = append(ids, l.Evidence...)
			}
		}
	}
	return ids
}

// caveat marks a verdict that lacks one of the three layers: a stack trace alone proves no cause.
func (s *story) caveat() string {
	var missing []string
	for _, l := range layers[:3] {
		if s.d.Coverage.Layers[l].State != layerChecked {
			missing = append(missing, layerNames[l])
		}
	}
	if s.state != stateFound || len(missing) == 0 {
		return ""
	}
	if len(missing) == 1 {
		return "Unconfirmed: the " + missing[0] + " layer was not checked."
	}
	last := len(missing) - 1
	return "Unconfirmed: the " + strings.Join(missing[:last], ", ") + " and " + missing[last] + " layers were not checked."
}

// impact is the blast radius in sentences.
func (s *story) impact() []string {
	i := s.d.Impact
	out := []string{fmt.Sprintf("%s of %s failed (%s).", count(i.Failed), plural(i.Requests, "request"), percent(i.Ratio))}
	if i.Lying > 0 {
		out = append(out, fmt.Sprintf("%s of them lied: answered 2xx, though they had failed or broke off.", count(i.Lying)))
	}
	var reach []string
	if n := spreadNames[i.Spread]; n != "" {
		reach = append(reach, "spread: "+n)
	}
	if len(i.Services) > 0 {
		reach = append(reach, "services: "+strings.Join(i.Services, ", "))
	}
	if i.Clients > 0 {
		reach = append(reach, plural(i.Clients, "client")+" hit")
	}
	if len(reach) > 0 {
		out = append(out, sentence(strings.Join(reach, "; ")))
	}
	return out
}

// statusLine is one failing status with its count and whose fault it is.
type statusLine struct {
	Status int
	Count  int
	Owner  string
}

func (s *story) statuses() []statusLine {
	sum := map[int]int{}
	for _, r := range s.d.Impact.Routes {
		for code, n := range r.Status {
			sum[code] += n
		}
	}
	var out []statusLine
	for code, n := range sum {
		out = append(out, statusLine{code, n, statusOwner(code)})
	}
	slices.SortFunc(out, func(a, b statusLine) int { return cmp.Or(b.Count-a.Count, a.Status-b.Status) })
	return out
}

// changes are the timeline's changes, and how they lie to the onset.
func (s *story) changes() []inquest.Entry {
	var out []inquest.Entry
	for _, e := range s.d.Timeline {
		if e.Kind == "change" {
			out = append(out, e)
		}
	}
	return out
}

// noChanges is said when no change is on the timeline.
func (s *story) noChanges() string {
	if s.d.Coverage.Layers[inquest.LayerChange].State == layerChecked {
		return "No change on record near the incident."
	}
	return "No data: no record of changes was given, so none can be ruled out."
}

// relative says where t lies to the onset.
func (s *story) relative(t time.Time) string {
	if t.IsZero() || s.d.Onset.IsZero() {
		return ""
	}
	switch d := s.d.Onset.Sub(t); {
	case d > 0:
		return span(d) + " before the first failure"
	case d < 0:
		return span(d) + " after the first failure"
	}
	return "with the first failure"
}

// firstFailure is when it began, and the earliest quote of a failure at or after that.
func (s *story) firstFailure() (string, *inquest.Evidence) {
	if s.d.Onset.IsZero() {
		return "No data on when it began.", nil
	}
	text := "First failing answer at " + s.stamp(s.d.Onset)
	if last := s.lastChange(); last != nil {
		text += ", " + span(s.d.Onset.Sub(last.Time)) + " after the last change." + refs(last.Evidence)
	} else {
		text += "."
	}
	var first *inquest.Evidence
	for i := range s.d.Evidence {
		e := &s.d.Evidence[i]
		failing := e.Layer == inquest.LayerResponse || e.Layer == inquest.LayerApplication
		quoted := e.Source.File != "" && e.Kind != "change" && e.Kind != "metric"
		if failing && quoted && !e.Time.Before(s.d.Onset.Add(-time.Second)) && (first == nil || e.Time.Before(first.Time)) {
			first = e
		}
	}
	return text, first
}

func (s *story) lastChange() *inquest.Entry {
	var last *inquest.Entry
	for _, e := range s.changes() {
		if !e.Time.IsZero() && !e.Time.After(s.d.Onset) && (last == nil || e.Time.After(last.Time)) {
			last = &e
		}
	}
	return last
}

// infrastructure is the evidence of the third layer; empty has a sentence why.
func (s *story) infrastructure() ([]inquest.Evidence, string) {
	var out []inquest.Evidence
	for _, e := range s.d.Evidence {
		if e.Layer == inquest.LayerInfrastructure {
			out = append(out, e)
		}
	}
	c := s.d.Coverage.Layers[inquest.LayerInfrastructure]
	switch {
	case len(out) > 0:
		return out, ""
	case c.State == layerChecked:
		return nil, fmt.Sprintf("Checked in %s: nothing out of the ordinary.", plural(c.Files, "file"))
	}
	return nil, "No data: the infrastructure layer was not among what was given."
}

// fetchNext is what to bring so that the next run can say more.
func (s *story) fetchNext() []string {
	var out []string
	for _, l := range layers {
		if s.d.Coverage.Layers[l].State != layerChecked {
			out = append(out, layerFetch[l])
		}
	}
	return out
}

// actions are those of one phase; "no phase" is shown with the later ones.
func (s *story) actions(p inquest.Phase) []inquest.Action {
	var out []inquest.Action
	if s.d.Verdict == nil {
		return nil
	}
	for _, a := range s.d.Verdict.Actions {
		if a.Phase == p || a.Phase == "" && p == inquest.PhaseLater {
			out = append(out, a)
		}
	}
	return out
}

// candidates are the rejected causes: independent second ones first.
func (s *story) also() []inquest.Candidate {
	if s.d.Verdict == nil {
		return nil
	}
	return s.d.Verdict.Also
}

func (s *story) candidate(c inquest.Candidate) string {
	t := s.title(c.Mechanism)
	if c.Culprit != "" {
		t += " at " + c.Culprit
	}
	return t
}

// refs is " [E1, E4]", or nothing.
func refs(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	seen := make([]string, 0, len(ids))
	for _, id := range ids {
		if !slices.Contains(seen, id) {
			seen = append(seen, id)
		}
	}
	return " [" + strings.Join(seen, ", ") + "]"
}

// place is where a quote can be read: file:line, or the metric with its labels.
func place(src inquest.Source) string {
	switch {
	case src.File != "" && src.Line > 0:
		return fmt.Sprintf("%s:%d", src.File, src.Line)
	case src.File != "":
		return src.File
	case src.Metric == "":
		return ""
	}
	keys := make([]string, 0, len(src.Labels))
	for k := range src.Labels {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s=%q", k, src.Labels[k])
	}
	if len(keys) == 0 {
		return src.Metric
	}
	return src.Metric + "{" + strings.Join(keys, ",") + "}"
}

// sentence gives text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if c := text[0]; 'a' <= c && c <= 'z' {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
