package runbook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Entry is the line of the timeline for a step that was checked off. The last one of a step counts.
func Entry(b *inquest.Runbook, c inquest.StepCheck) (inquest.IncidentEntry, error) {
	at := slices.IndexFunc(b.Steps, func(s inquest.Step) bool { return s.ID == c.Step })
	if at < 0 {
		return inquest.IncidentEntry{}, fmt.Errorf("runbook: %w: there is no step %q in %q; the diagnosis may have changed, look at the steps again", ErrInput, c.Step, b.Title)
	}
	if !slices.Contains(inquest.Outcomes, c.Outcome) {
		return inquest.IncidentEntry{}, fmt.Errorf("runbook: %w: the outcome %q is none of %s", ErrInput, c.Outcome, list(inquest.Outcomes))
	}
	step := &b.Steps[at]
	line := fmt.Sprintf("%s, %s: %s", step.Phase, c.Outcome, step.Text)
	note := strings.TrimSpace(c.Note)
	if note != "" {
		line += " (" + note + ")"
	}
	data := map[string]any{"step": step.ID, "phase": step.Phase, "outcome": c.Outcome, "text": step.Text}
	if note != "" {
		data["note"] = note
	}
	if b.Mechanism != "" {
		data["mechanism"] = b.Mechanism
	}
	if i := slices.IndexFunc(b.Boxes, func(x inquest.TimeBox) bool { return x.Phase == step.Phase }); i >= 0 && !b.Boxes[i].Began.IsZero() {
		if used := int(c.Time.Sub(b.Boxes[i].Began).Minutes()); used > b.Boxes[i].Most {
			line += fmt.Sprintf("; %s is %d min over its %d min", step.Phase, used-b.Boxes[i].Most, b.Boxes[i].Most)
			data["over"] = used - b.Boxes[i].Most
		}
	}
	return inquest.IncidentEntry{Kind: inquest.EntryStep, By: c.By, Time: c.Time, Text: line, Data: data}, nil
}

func list(all []inquest.Outcome) string {
	out := make([]string, len(all))
	for i, o := range all {
		out[i] = string(o)
	}
	return strings.Join(out, ", ")
}

// Checks reads the steps that were checked off from a timeline, in its order.
func Checks(entries []inquest.IncidentEntry) []inquest.StepCheck {
	var out []inquest.StepCheck
	for i := range entries {
		e := &entries[i]
		id, _ := e.Data["step"].(string)
		if e.Kind != inquest.EntryStep || id == "" {
			continue
		}
		note, _ := e.Data["note"].(string)
		out = append(out, inquest.StepCheck{Step: id, Outcome: inquest.Outcome(fmt.Sprint(e.Data["outcome"])), Note: note, By: e.By, Time: e.Time})
	}
	return out
}

func checkedOff(b *inquest.Runbook, entries []inquest.IncidentEntry) {
	for _, c := range Checks(entries) {
		for i := range b.Steps {
			if b.Steps[i].ID == c.Step {
				b.Steps[i].Done = &c
			}
		}
	}
}

// verified is when the last step of Verify was checked off as helped, none of them as anything else but skipped. What was checked before the incident came
// back tells nothing.
func verified(b *inquest.Runbook, entries []inquest.IncidentEntry) time.Time {
	var last time.Time
	back, _ := reopened(entries)
	for _, s := range b.Steps {
		switch {
		case s.Phase != inquest.StepVerify:
		case s.Done == nil || s.Done.Time.Before(back) || s.Done.Outcome != inquest.OutcomeHelped && s.Done.Outcome != inquest.OutcomeSkipped:
			return time.Time{}
		case s.Done.Outcome == inquest.OutcomeHelped && s.Done.Time.After(last):
			last = s.Done.Time
		}
	}
	return last
}

// reopened is when the incident came back last, and when a person had it then; zero when it did not, or nobody has yet.
func reopened(entries []inquest.IncidentEntry) (back, taken time.Time) {
	for i := range entries {
		e := &entries[i]
		if e.Kind != inquest.EntryState {
			continue
		}
		switch from, to := fmt.Sprint(e.Data["from"]), fmt.Sprint(e.Data["to"]); {
		case from == string(inquest.IncidentResolved) && to == string(inquest.IncidentOpen):
			back, taken = e.Time, time.Time{}
		case from == string(inquest.IncidentOpen) && to != from && taken.IsZero():
			taken = e.Time
		}
	}
	return back, taken
}

// boxes tells how the phases do with their time. The first begins when a person had the incident, since it came back where it did, each other with the last
// check-off before it.
func boxes(b *inquest.Runbook, s *Situation) {
	began := s.Incident.Acknowledged
	back, taken := reopened(s.Entries)
	if !back.IsZero() {
		began = taken
	}
	now := s.At
	if r := s.Incident.Resolved; !r.IsZero() && r.Before(now) {
		now = r
	}
	for i := range b.Boxes {
		x := &b.Boxes[i]
		var first, last time.Time
		open := false
		for _, st := range b.Steps {
			if st.Phase != x.Phase {
				continue
			}
			if st.Done == nil || st.Done.Time.Before(back) {
				open = true
				continue
			}
			if first.IsZero() || st.Done.Time.Before(first) {
				first = st.Done.Time
			}
			if st.Done.Time.After(last) {
				last = st.Done.Time
			}
		}
		x.Began = began
		if began.IsZero() || i > 0 && first.IsZero() && anyOpen(b, b.Boxes[i-1].Phase, back) {
			x.Began = time.Time{} // nobody is there yet
		}
		if x.Began.IsZero() && !first.IsZero() {
			x.Began = first
		}
		if x.Began.IsZero() {
			continue
		}
		until := now
		if !open {
			x.Ended, until = last, last
		}
		x.Used = max(0, int(until.Sub(x.Began).Minutes()))
		x.Over = x.Used > x.Most
		if !last.IsZero() {
			began = last
		}
	}
}

func anyOpen(b *inquest.Runbook, phase inquest.StepPhase, back time.Time) bool {
	return slices.ContainsFunc(b.Steps, func(s inquest.Step) bool { return s.Phase == phase && (s.Done == nil || s.Done.Time.Before(back)) })
}
