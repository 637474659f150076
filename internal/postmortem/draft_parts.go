package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
)

// wrongTurns are causes that were believed and given up, and steps that did not show or do what they should, with the time that they took.
func (r *Record) wrongTurns() []inquest.WrongTurn {
	var out []inquest.WrongTurn
	final := r.Incident.Verdict.Mechanism
	if v := r.verdict(); v != nil {
		final = v.Mechanism
	}
	var believed inquest.MechanismID
	var named string
	var since, told, step time.Time
	for i := range r.Entries {
		e := &r.Entries[i]
		switch e.Kind {
		case inquest.EntryDiagnosis:
			m, _ := e.Data["mechanism"].(string)
			now := inquest.MechanismID(m)
			if believed != "" && now != believed && believed != final {
				out = append(out, inquest.WrongTurn{Belief: text(r.Title(believed)), Minutes: minutes(e.Time.Sub(since)), Why: text(e.Text)})
			}
			if now != believed {
				believed, since = now, e.Time
			}
		case inquest.EntryNote:
			now := causeNamed(e)
			if now == "" || now == named {
				continue
			}
			if named != "" {
				out = append(out, inquest.WrongTurn{Belief: text(named), Minutes: minutes(e.Time.Sub(told)), Why: text("then named: " + now)})
			}
			named, told = now, e.Time
		case inquest.EntryStep:
			if w, ok := r.inVain(e, cmp.Or(step, r.Incident.Acknowledged)); ok {
				out = append(out, w)
			}
			step = e.Time
		}
	}
	return out
}

// inVain is a step of any phase that had no effect, showed something else, or made it worse; from is when it can have begun.
func (r *Record) inVain(e *inquest.IncidentEntry, from time.Time) (inquest.WrongTurn, bool) {
	what, _ := e.Data["text"].(string)
	outcome := fmt.Sprint(e.Data["outcome"])
	if what == "" || outcome != string(inquest.OutcomeNoEffect) && outcome != string(inquest.OutcomeWorse) {
		return inquest.WrongTurn{}, false
	}
	spent := 1
	if !from.IsZero() {
		spent = minutes(e.Time.Sub(from))
	}
	why := outcome
	if phase := fmt.Sprint(e.Data["phase"]); phase != string(inquest.StepMitigate) {
		why = phase + ", " + outcome
	}
	note, _ := e.Data["note"].(string)
	return inquest.WrongTurn{Belief: text(what), Minutes: spent, Why: text(strings.TrimSuffix(why+": "+note, ": "))}, true
}

// causeNamed is the cause that a person names in an entry, "" when it names none.
func causeNamed(e *inquest.IncidentEntry) string {
	if e.Kind != inquest.EntryNote || e.Data["identified"] != true {
		return ""
	}
	return strings.Join(strings.Fields(strings.TrimPrefix(e.Text, "the cause: ")), " ")
}

// lastNamed is the cause that people named last, and when they first did.
func (r *Record) lastNamed() (cause string, at time.Time) {
	for i := range r.Entries {
		if now := causeNamed(&r.Entries[i]); now != "" && now != cause {
			cause, at = now, r.Entries[i].Time
		}
	}
	return cause, at
}

func minutes(d time.Duration) int { return max(1, int(d.Round(time.Minute).Minutes())) }

// fixes are the steps of the runbook that changed something, as they were checked off.
func (r *Record) fixes() []inquest.Fix {
	var out []inquest.Fix
	for i := range r.Entries {
		e := &r.Entries[i]
		what, _ := e.Data["text"].(string)
		if e.Kind != inquest.EntryStep || what == "" || fmt.Sprint(e.Data["phase"]) != string(inquest.StepMitigate) {
			continue
		}
		outcome := fmt.Sprint(e.Data["outcome"])
		if outcome == string(inquest.OutcomeSkipped) {
			continue
		}
		f := inquest.Fix{Text: text(what), State: outcome, Time: whole(e.Time)}
		if v := r.verdict(); v != nil {
			for _, a := range v.Actions {
				if a.Text == what {
					f.Cures = a.Cures
				}
			}
		}
		if outcome == string(inquest.OutcomeHelped) {
			f.Verified = r.verified(e.Time)
		}
		out = append(out, f)
	}
	helped := slices.ContainsFunc(out, func(f inquest.Fix) bool { return f.State == string(inquest.OutcomeHelped) })
	if !helped && !r.Incident.Resolved.IsZero() {
		out = append(out, r.ended())
	}
	return out
}

// ended is what people said that ended it, when they brought the incident to its end or said that users are served again.
func (r *Record) ended() inquest.Fix {
	f := inquest.Fix{Text: todo + ": what ended it?", State: "done", Time: whole(r.Incident.Resolved), Verified: r.verified(time.Time{})}
	if said := r.saidOf(inquest.IncidentResolved); said != "" {
		f.Text = text(said)
	} else if said := r.saidOf(inquest.IncidentMitigated); said != "" {
		f.Text, f.Time = text(said), whole(r.Incident.Mitigated)
	}
	return f
}

// saidOf is what a person said when they brought the incident into a state, "" for nothing. A comment on the severity while it was in that state is
// none, and neither is that the desk found it calm.
func (r *Record) saidOf(state inquest.IncidentState) string {
	for i := range slices.Backward(r.Entries) {
		e := &r.Entries[i]
		if e.Kind == inquest.EntryState && fmt.Sprint(e.Data["to"]) == string(state) && fmt.Sprint(e.Data["from"]) != string(state) {
			if e.By == "inquest" {
				return ""
			}
			_, said, _ := strings.Cut(e.Text, ": ")
			return said
		}
	}
	return ""
}

// verified tells what showed that it was over: a step of the phase Verify, or that the alerts stopped.
func (r *Record) verified(after time.Time) string {
	for i := range r.Entries {
		e := &r.Entries[i]
		if e.Kind == inquest.EntryStep && !e.Time.Before(after) && fmt.Sprint(e.Data["phase"]) == string(inquest.StepVerify) && fmt.Sprint(e.Data["outcome"]) == string(inquest.OutcomeHelped) {
			what, _ := e.Data["text"].(string)
			return text(what)
		}
	}
	alerts := r.Incident.Alerts
	if len(alerts) > 0 && !slices.ContainsFunc(alerts, func(a inquest.Alert) bool { return a.State == inquest.AlertFiring }) {
		return "no alert fires any more"
	}
	return ""
}

// items are what the diagnosis advises beyond the incident itself. Owner, date and check are for people to give.
func (r *Record) items(causes int) []inquest.ActionItem {
	v := r.verdict()
	if v == nil {
		return nil
	}
	var out []inquest.ActionItem
	for _, a := range v.Actions {
		x := inquest.ActionItem{Text: text(a.Text), Cures: a.Cures, Cause: min(1, causes), State: inquest.ItemOpen}
		switch {
		case a.Phase == inquest.PhasePrevent:
			x.Type = inquest.ItemPrevent
		case a.Phase == inquest.PhaseLater && a.Cures == "cause":
			x.Type = inquest.ItemFix
		case a.Phase == inquest.PhaseLater:
			x.Type = inquest.ItemMitigate
		default:
			continue
		}
		out = append(out, x)
	}
	for k, m := range r.Diagnosis.Coverage.Missing {
		if k == 3 {
			break
		}
		out = append(out, inquest.ActionItem{Text: "Make it seen: " + text(m), Type: inquest.ItemInstrument, Cause: min(1, causes), State: inquest.ItemOpen})
	}
	return out
}

// mostLines bounds the timeline: the whole of it stays with the incident.
const mostLines = 80

// began says what is known of the begin of the span.
func (r *Record) began() string {
	switch {
	case !r.Incident.Onset.IsZero():
		return "first failing answer"
	case !r.Incident.Detected.IsZero():
		return "detected"
	}
	return "opened"
}

// timeline are the facts in order, from the first failing answer's trigger to the end; who was told by which channel is no fact of the outage.
func (r *Record) timeline() []inquest.TimelineLine {
	from, to := r.span()
	var out []inquest.TimelineLine
	if !slices.ContainsFunc(r.Entries, func(e inquest.IncidentEntry) bool {
		return fmt.Sprint(e.Data["kind"]) == "onset" && whole(e.Time).Equal(from)
	}) {
		out = append(out, inquest.TimelineLine{Time: from, Text: r.began()})
	}
	if !to.IsZero() {
		out = append(out, inquest.TimelineLine{Time: to, Text: "users are served again"})
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		if e.Kind == inquest.EntryNotice && e.Data["state"] != string(inquest.NoticeFailed) {
			continue
		}
		line := inquest.TimelineLine{Time: whole(e.Time), Text: text(redact.Clean(e.Text, 300))}
		if e.By != "" && e.By != "evidence" && e.By != "change" {
			line.Text += " (" + text(e.By) + ")"
		}
		out = append(out, line)
	}
	slices.SortStableFunc(out, func(a, b inquest.TimelineLine) int { return a.Time.Compare(b.Time) })
	if n := len(out) - mostLines; n > 0 { // the begin and the end matter most
		cut := inquest.TimelineLine{Time: out[mostLines*3/4].Time, Text: fmt.Sprintf("%d more entries stand in the incident", n)}
		out = slices.Concat(out[:mostLines*3/4], []inquest.TimelineLine{cut}, out[len(out)-mostLines/4:])
	}
	return out
}

// evidence are the quotes that the verdict's chain rests on.
func (r *Record) evidence() []inquest.Quote {
	v := r.verdict()
	if v == nil {
		return nil
	}
	cited := map[string]bool{}
	for _, l := range v.Chain {
		for _, id := range l.Evidence {
			cited[id] = true
		}
	}
	var out []inquest.Quote
	for _, e := range r.Diagnosis.Evidence {
		if cited[e.ID] {
			out = append(out, inquest.Quote{ID: e.ID, Layer: e.Layer, Time: whole(e.Time), Source: place(e.Source), Text: strings.TrimRight(redact.Lines(redact.Text(e.Text), 1200), "\n ")})
		}
	}
	return out
}

// quoted are those of some ids that the evidence has a quote of.
func (r *Record) quoted(ids []string) []string {
	var out []string
	for _, id := range ids {
		if slices.ContainsFunc(r.Diagnosis.Evidence, func(e inquest.Evidence) bool { return e.ID == id }) {
			out = append(out, id)
		}
	}
	return out
}

func place(s inquest.Source) string {
	out := s.File + s.Metric + inquest.LabelText(s.Labels)
	if s.File != "" && s.Line > 0 {
		out = fmt.Sprintf("%s:%d", s.File, s.Line)
	}
	return strings.Join(strings.Fields(redact.Clean(redact.Text(out), 300)), " ")
}
