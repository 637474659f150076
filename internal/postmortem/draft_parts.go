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

// wrongTurns are causes that were believed and given up, and steps that did not help, with the time that they took.
func (r *Record) wrongTurns() []inquest.WrongTurn {
	var out []inquest.WrongTurn
	final := r.Incident.Verdict.Mechanism
	if v := r.verdict(); v != nil {
		final = v.Mechanism
	}
	var believed inquest.MechanismID
	var since, step time.Time
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
		case inquest.EntryStep:
			what, _ := e.Data["text"].(string)
			outcome := fmt.Sprint(e.Data["outcome"])
			if phase := fmt.Sprint(e.Data["phase"]); what != "" && phase == string(inquest.StepMitigate) && (outcome == string(inquest.OutcomeNoEffect) || outcome == string(inquest.OutcomeWorse)) {
				note, _ := e.Data["note"].(string)
				from := step
				if from.IsZero() {
					from = r.Incident.Acknowledged
				}
				spent := 1
				if !from.IsZero() {
					spent = minutes(e.Time.Sub(from))
				}
				out = append(out, inquest.WrongTurn{Belief: text(what), Minutes: spent, Why: text(strings.TrimSuffix(outcome+": "+note, ": "))})
			}
			step = e.Time
		}
	}
	return out
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
	if at := r.Incident.Resolved; !helped && !at.IsZero() {
		out = append(out, inquest.Fix{Text: cmp.Or(text(r.saidOf(inquest.IncidentResolved)), todo+": what ended it?"), State: "done", Time: whole(at), Verified: r.verified(time.Time{})})
	}
	return out
}

// saidOf is what a person said when they brought the incident into a state, "" for nothing.
func (r *Record) saidOf(state inquest.IncidentState) string {
	for i := range slices.Backward(r.Entries) {
		e := &r.Entries[i]
		if e.Kind == inquest.EntryState && fmt.Sprint(e.Data["to"]) == string(state) {
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

// timeline are the facts in order, from the first failing answer's trigger to the end; who was told by which channel is no fact of the outage.
func (r *Record) timeline() []inquest.TimelineLine {
	from, to := r.span()
	var out []inquest.TimelineLine
	if !slices.ContainsFunc(r.Entries, func(e inquest.IncidentEntry) bool {
		return fmt.Sprint(e.Data["kind"]) == "onset" && whole(e.Time).Equal(from)
	}) {
		out = append(out, inquest.TimelineLine{Time: from, Text: "first failing answer"})
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

func place(s inquest.Source) string {
	out := s.File + s.Metric + inquest.LabelText(s.Labels)
	if s.File != "" && s.Line > 0 {
		out = fmt.Sprintf("%s:%d", s.File, s.Line)
	}
	return strings.Join(strings.Fields(redact.Clean(redact.Text(out), 300)), " ")
}
