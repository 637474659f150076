package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/web/words"
)

// Record is all that is known of an incident.
type Record struct {
	Incident  *inquest.Incident
	Diagnosis *inquest.Diagnosis // the newest revision; nil: none
	Entries   []inquest.IncidentEntry
	Open      []string // action items of the incident that it repeats, which are still open
	Title     func(inquest.MechanismID) string
	Verified  time.Time // the runbook's checks had shown that users are served; zero: they have not
	CostBasis string    // how the cost was reckoned, "" for none
	Zone      string    // IANA name; "" is UTC
	Author    string
	At        time.Time // now
}

// Draft writes what the record shows; what only people know stays empty, and is a TODO in the text.
func Draft(r Record) *inquest.Postmortem {
	if r.Title == nil {
		r.Title = func(id inquest.MechanismID) string { return strings.ReplaceAll(id.Name(), "-", " ") }
	}
	i := r.Incident
	p := &inquest.Postmortem{
		Incident: i.ID, Title: text(i.Title), Severity: i.Severity, State: i.State, Author: text(r.Author), Written: midnight(r.At), Factors: i.Factors,
		Repeats: i.Repeats, Zone: cmp.Or(r.Zone, "UTC"), Symptom: r.symptom(), Impact: r.impact(), Wrong: r.wrongTurns(), Fixes: r.fixes(), Timeline: r.timeline(), Evidence: r.evidence(),
		Response: inquest.PostmortemResponse{Source: r.source(), Detected: whole(i.Detected), Acknowledged: whole(i.Acknowledged), Identified: whole(i.Identified), Mitigated: whole(i.Mitigated), Verified: whole(r.Verified), Resolved: whole(i.Resolved)},
	}
	for _, name := range i.Services {
		p.Services = append(p.Services, text(name))
	}
	for _, o := range r.Open {
		p.Open = append(p.Open, text(o))
	}
	p.Causes, p.Trigger, p.Chain = r.causes()
	p.Items = r.items(len(p.Causes))
	p.Lessons = []inquest.Lesson{{Text: todo + ": what is known now that was not known before?"}}
	p.Summary = r.summary(p)
	return p
}

// text is a text of the record, inert and without secrets.
func text(s string) string { return Escape(redact.Clean(redact.Text(s), 600)) }

func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

func midnight(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// verdict is the newest one, nil while the cause is open.
func (r *Record) verdict() *inquest.Verdict {
	if r.Diagnosis == nil || r.Diagnosis.Verdict == nil || r.Diagnosis.Verdict.Level == inquest.Open {
		return nil
	}
	return r.Diagnosis.Verdict
}

// span is when users were hit: from the first failing answer until they were served again.
func (r *Record) span() (from, to time.Time) {
	i := r.Incident
	from = cmp.Or(whole(i.Onset), whole(i.Detected), whole(i.Opened))
	if d := r.Diagnosis; d != nil && !d.End.IsZero() && d.End.After(from) && !i.Resolved.IsZero() {
		return from, whole(d.End)
	}
	return from, cmp.Or(whole(i.Mitigated), whole(i.Resolved))
}

func (r *Record) impact() inquest.PostmortemImpact {
	i := r.Incident
	out := inquest.PostmortemImpact{Reports: i.Reports}
	out.Start, out.End = r.span()
	if i.Requests > 0 {
		out.Requests = fmt.Sprintf("%s of %s failed (%s)", words.Count(i.Failed), words.Count(i.Requests), words.Percent(words.Number(float64(i.Failed)/float64(i.Requests))))
	}
	if i.Cost > 0 {
		out.Cost = strings.TrimSpace(fmt.Sprintf("%.0f %s", i.Cost, i.Currency))
		if r.CostBasis != "" {
			out.Cost += " (" + text(r.CostBasis) + ")"
		}
	}
	d := r.Diagnosis
	if d == nil {
		return out
	}
	status := map[int]int{}
	var routes []string
	for k, x := range d.Impact.Routes {
		for code, n := range x.Status {
			status[code] += n
		}
		if k < 5 {
			routes = append(routes, text(x.Route))
		}
	}
	if len(routes) > 0 {
		out.Failed = strings.Join(routes, ", ")
		if n := len(d.Impact.Routes) - len(routes); n > 0 {
			out.Failed += fmt.Sprintf(" and %d more routes", n)
		}
	}
	var codes []string
	for _, c := range slices.Sorted(mapKeys(status)) {
		codes = append(codes, fmt.Sprintf("%d (%s times)", c, words.Count(status[c])))
	}
	out.Status = strings.Join(codes, ", ")
	if d.Impact.Clients > 0 {
		out.Affected = fmt.Sprintf("%s clients, %s", words.Count(d.Impact.Clients), spread(d.Impact.Spread))
	}
	return out
}

func mapKeys(m map[int]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func spread(s inquest.Spread) string {
	switch s {
	case inquest.SpreadClient:
		return "all of one kind"
	case inquest.SpreadRoute:
		return "on one route"
	case inquest.SpreadService:
		return "on one service"
	}
	return "on everything"
}

// source is what noticed it first.
func (r *Record) source() string {
	if a := r.Incident.Alerts; len(a) > 0 {
		return text(fmt.Sprintf("alert %s of %s", a[0].Rule, cmp.Or(a[0].Source, "rules")))
	}
	for _, e := range r.Entries {
		if e.Kind == inquest.EntryState {
			return text(e.By)
		}
	}
	return ""
}

func (r *Record) symptom() string {
	d := r.Diagnosis
	if d == nil || d.Verdict == nil {
		return todo + ": what did users and operators see?"
	}
	var lines []string
	for _, l := range d.Verdict.Chain {
		if l.Role == inquest.RoleSymptom {
			lines = append(lines, text(l.Text))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, text(r.Incident.Title))
	}
	return strings.Join(lines, ". ") + "."
}

// causes are those of the verdict, each with the evidence of its links in the chain, and the one that people named last.
func (r *Record) causes() (causes []inquest.RootCause, trigger string, chain []string) {
	v := r.verdict()
	if v == nil {
		return r.named(nil), "", nil
	}
	first := inquest.RootCause{Text: r.mechanism(v.Mechanism, v.Culprit)}
	for _, l := range v.Chain {
		chain = append(chain, fmt.Sprintf("**%s**: %s%s", l.Role, text(l.Text), refs(r.quoted(l.Evidence))))
		if l.Role == inquest.RoleCause {
			told := l.Text
			if _, rest, ok := strings.Cut(told, r.Title(v.Mechanism)+": "); ok { // it is named already
				told = rest
			}
			first.Text += ": " + text(told)
		}
		if l.Role == inquest.RoleCause || l.Role == inquest.RoleTrigger {
			for _, id := range l.Evidence {
				if !slices.Contains(first.Evidence, id) {
					first.Evidence = append(first.Evidence, id)
				}
			}
		}
	}
	causes = append(causes, first)
	for _, c := range v.Also {
		causes = append(causes, inquest.RootCause{Text: r.mechanism(c.Mechanism, c.Culprit) + ": " + text(strings.Join(c.For, "; "))})
	}
	if t := v.Trigger; t != nil {
		trigger = triggerText(t)
		if !t.Time.IsZero() {
			trigger += " at " + stamp(whole(t.Time), zoneOf(cmp.Or(r.Zone, "UTC")))
		}
		if t.Summary != "" {
			trigger += ": " + t.Summary
		}
		trigger = text(trigger)
	}
	return r.named(causes), trigger, chain
}

// named adds the cause that people named last. They gave no evidence for it: that is asked for, unless they said where it is.
func (r *Record) named(causes []inquest.RootCause) []inquest.RootCause {
	cause, at := r.lastNamed()
	if cause == "" {
		return causes
	}
	told := fmt.Sprintf("%s (named by the responders at %s)", strings.TrimSuffix(text(cause), "."), stamp(whole(at), zoneOf(cmp.Or(r.Zone, "UTC"))))
	if !strings.Contains(cause, "://") {
		told += " " + todo + ": its evidence"
	}
	return append(causes, inquest.RootCause{Text: told})
}

func (r *Record) mechanism(id inquest.MechanismID, culprit string) string {
	out := text(r.Title(id))
	if culprit != "" {
		out += " at " + text(culprit)
	}
	return out
}

// summary is for managers: when, what, why, whether it is over.
func (r *Record) summary(p *inquest.Postmortem) string {
	i, zone := r.Incident, zoneOf(p.Zone)
	what := text(strings.Join(i.Services, " and "))
	if what == "" {
		what = "the service"
	}
	var s []string
	begin := stamp(p.Impact.Start, zone)
	if how := r.began(); i.Onset.IsZero() {
		begin += " (" + how + "; when it began is not known)"
	}
	switch from, to := p.Impact.Start, p.Impact.End; {
	case i.Requests > 0 && !to.IsZero():
		s = append(s, fmt.Sprintf("From %s to %s (%s) %s of %s requests to %s failed.", begin, stamp(to, zone), words.Span(to.Sub(from)), words.Count(i.Failed), words.Count(i.Requests), what))
	case !to.IsZero():
		s = append(s, fmt.Sprintf("From %s to %s (%s) %s failed.", begin, stamp(to, zone), words.Span(to.Sub(from)), what))
	default:
		s = append(s, fmt.Sprintf("Since %s requests to %s fail: %s of %s so far, over %s.", begin, what, words.Count(i.Failed), words.Count(i.Requests), words.Span(r.At.Sub(from))))
	}
	if v := r.verdict(); v != nil {
		line := "The cause was: " + lowerFirst(r.mechanism(v.Mechanism, v.Culprit))
		if v.Level == inquest.Probable {
			line += " (probable, not proven)"
		}
		if v.Trigger != nil {
			line += ", set off by " + text(triggerText(v.Trigger))
		}
		s = append(s, line+".")
	} else if cause, _ := r.lastNamed(); cause != "" {
		s = append(s, "The cause that the responders named: "+strings.TrimSuffix(text(cause), ".")+".")
	} else {
		s = append(s, "The cause is not known yet.")
	}
	if i.Reports > 0 {
		s = append(s, fmt.Sprintf("%d users told of it.", i.Reports))
	}
	if i.Repeats != "" {
		s = append(s, fmt.Sprintf("It repeats %s.", i.Repeats))
	}
	switch i.State {
	case inquest.IncidentResolved, inquest.IncidentReviewed:
		s = append(s, "It is resolved.")
	case inquest.IncidentMitigated:
		s = append(s, "It is mitigated: users are served again, the cause is still there.")
	default:
		s = append(s, "It is still going on.")
	}
	return strings.Join(s, " ")
}

func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && r[1] >= 'a' && r[1] <= 'z' { // not DNS or TLS
		return strings.ToLower(string(r[:1])) + string(r[1:])
	}
	return s
}

// triggerText names a trigger; traffic is nobody's.
func triggerText(t *inquest.Trigger) string {
	out := string(t.Kind)
	if t.Service != "" {
		out += " of " + t.Service
	}
	return strings.TrimSpace(out + " " + t.Version)
}
