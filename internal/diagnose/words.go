package diagnose

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// summary is the verdict in one or two sentences.
func (a *analysis) summary(c *candidate, v *inquest.Verdict) string {
	m := a.d.byID[c.id]
	s := fmt.Sprintf("%s at %s since %s.", m.Title, v.Culprit, a.clock(a.c.Onset))
	if read, ok := c.scanned(); ok {
		s = fmt.Sprintf("%s at %s since %s: %s.", m.Title, v.Culprit, a.clock(a.c.Onset), read)
	}
	if lost, ok := c.missing(); ok {
		s = fmt.Sprintf("%s at %s since %s: the errors name %s%s.", m.Title, v.Culprit, a.clock(a.c.Onset), lost, lost.at())
	}
	if t := v.Trigger; t != nil {
		switch t.Kind {
		case inquest.TriggerExternal:
			s += fmt.Sprintf(" Nothing at home set it off: %s.", strings.TrimSuffix(t.Summary, "."))
		case inquest.TriggerTraffic, inquest.TriggerData, inquest.TriggerClient:
			s += fmt.Sprintf(" Set off by %s: %s.", t.Kind, strings.TrimSuffix(t.Summary, "."))
		default:
			s += fmt.Sprintf(" Set off by the %s of %s at %s (%s).", t.Kind, t.Service, a.clock(t.Time), strings.TrimSuffix(t.Summary, "."))
		}
	}
	return s
}

// actions are the fixes of the mechanism, mitigation first, and the guard against the exception that it surfaces as.
func (a *analysis) actions(c *candidate, v *inquest.Verdict) []inquest.Action {
	values := a.values(c, v)
	lost, known := c.missing()
	var out []inquest.Action
	for _, act := range a.d.byID[c.id].Actions {
		if mechanism.IsRollback(act) {
			var ok bool
			if act, ok = a.rollBack(act, v.Trigger); !ok {
				continue
			}
		}
		if known {
			act = lost.sweep(act)
		}
		act.Text, act.Command = mechanism.Fill(act.Text, values), mechanism.Fill(a.command(act.Command, v), values)
		out = append(out, act)
	}
	if guard, ok := a.guard(c); ok {
		guard.Text, guard.Command = mechanism.Fill(guard.Text, values), mechanism.Fill(a.env.On(guard.Command), values)
		out = append(out, guard)
	}
	slices.SortStableFunc(out, func(x, y inquest.Action) int { return phaseOrder[x.Phase] - phaseOrder[y.Phase] })
	return out
}

var phaseOrder = map[inquest.Phase]int{inquest.PhaseNow: 0, inquest.PhaseLater: 1, inquest.PhasePrevent: 2}

// rollBack fits the advice to roll back to what set the fault off: named when it was a change, left out when it was none, and
// as it stands when that is unknown.
func (a *analysis) rollBack(act inquest.Action, t *inquest.Trigger) (inquest.Action, bool) {
	if t == nil {
		return act, true
	}
	switch t.Kind {
	case inquest.TriggerTraffic, inquest.TriggerExternal, inquest.TriggerData, inquest.TriggerClient:
		return act, false
	}
	act.Text = fmt.Sprintf("Undo the %s of %s at %s first, investigate second: %s.", t.Kind, t.Service, a.clock(t.Time), strings.TrimSuffix(t.Summary, "."))
	if t.Kind != inquest.TriggerKind(inquest.ChangeDeploy) {
		act.Command = "" // how a setting, flag or migration is undone, only its owner knows
	} else {
		act.Command = mechanism.Fill(a.env.On(act.Command), map[string]string{"service": t.Service})
	}
	return act, true
}

// guard is what to do about the exception that the cause surfaces as: it eases the symptom, and the report says so.
func (a *analysis) guard(c *candidate) (inquest.Action, bool) {
	for _, e := range a.effects(c) {
		if e.id.Class() != inquest.ClassException {
			continue
		}
		for _, act := range a.d.byID[e.id].Actions {
			if act.Phase == inquest.PhaseLater && act.Cures == "symptom" {
				return act, true
			}
		}
		break
	}
	return inquest.Action{}, false
}

// command is a template of the catalogue in this environment. Nobody restarts or scales a third party: what acts on a culprit
// that is not run by the people who keep the folder is left to its owner.
func (a *analysis) command(template string, v *inquest.Verdict) string {
	if strings.HasPrefix(template, "kubectl ") && strings.Contains(template, "{peer}") && !a.ours(v.Culprit) {
		return ""
	}
	return a.env.On(template)
}

func (a *analysis) fill(in []inquest.Command, c *candidate, v *inquest.Verdict) []inquest.Command {
	values := a.values(c, v)
	out := make([]inquest.Command, 0, len(in))
	for _, cmd := range in {
		command := a.command(cmd.Command, v)
		if command == "" {
			continue // a check that nobody can run is none
		}
		out = append(out, inquest.Command{Text: mechanism.Fill(cmd.Text, values), Command: mechanism.Fill(command, values), Expect: mechanism.Fill(cmd.Expect, values)})
	}
	return out
}

// values fill the templates of commands; mechanism.Fill refuses what could break a shell line.
func (a *analysis) values(c *candidate, v *inquest.Verdict) map[string]string {
	out := map[string]string{"service": first(c.observers, v.Culprit), "peer": v.Culprit, "since": a.c.Onset.Format("2006-01-02T15:04:05Z")}
	if c.observers[v.Culprit] {
		out["service"] = v.Culprit
	}
	set := func(k, val string) {
		if out[k] == "" {
			out[k] = val
		}
	}
	if host, port, err := net.SplitHostPort(c.culprit); err == nil {
		set("host", host)
		set("port", port)
	}
	if v.Trigger != nil {
		set("version", v.Trigger.Version)
	}
	if s, ok := c.scanned(); ok {
		set("table", s.table)
		set("column", strings.Join(s.columns, ","))
	}
	if lost, ok := c.missing(); ok {
		set("table", lost.table)
	}
	for _, cl := range c.claims {
		if cl.symptom.Pattern == nil {
			continue
		}
		x := symptom.Example(cl.symptom.Pattern)
		set("request", x.RequestID)
		set("database", x.Fields["database"])
		if host, port, err := net.SplitHostPort(cl.symptom.Peer); err == nil {
			set("host", host)
			set("port", port)
		}
	}
	return out
}

// notes tell what was seen and set aside: short bursts, background, changes that fit nothing.
func (a *analysis) notes() []string {
	var out []string
	for _, b := range a.c.Blips {
		where := b.Route
		if where == "" {
			where = "all routes"
		}
		text := fmt.Sprintf("%d answers of %d on %s at %s, over within %s: set aside as a blip.", b.Failed, b.Status, where, a.clock(b.Window.From), b.Window.Duration())
		if b.Note != "" {
			text = fmt.Sprintf("%d answers of %d on %s from %s to %s: %s.", b.Failed, b.Status, where, a.clock(b.Window.From), a.clock(b.Window.To), b.Note)
		}
		if ch := a.changeNear(b.Window); ch != nil {
			text += " It fits the " + string(ch.Kind) + " of " + ch.Service + " at " + a.clock(ch.Time) + "."
		}
		out = append(out, text)
	}
	return out
}

func (a *analysis) changeNear(w inquest.Window) *inquest.Change {
	for i := range a.c.Changes {
		ch := &a.c.Changes[i]
		if d := w.From.Sub(ch.Time); d >= -2e9 && d <= 60e9 {
			return ch
		}
	}
	return nil
}
