package diagnose

import (
	"fmt"
	"net"
	"path"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// summary is the verdict in one or two sentences.
func (a *analysis) summary(c *candidate, v *inquest.Verdict) string {
	m := a.d.byID[c.id]
	s := fmt.Sprintf("%s at %s since %s.", m.Title, v.Culprit, clock(a.c.Onset))
	if t := v.Trigger; t != nil {
		switch t.Kind {
		case inquest.TriggerTraffic, inquest.TriggerExternal, inquest.TriggerData, inquest.TriggerClient:
			s += fmt.Sprintf(" Set off by %s: %s.", t.Kind, strings.TrimSuffix(t.Summary, "."))
		default:
			s += fmt.Sprintf(" Set off by the %s of %s at %s (%s).", t.Kind, t.Service, clock(t.Time), strings.TrimSuffix(t.Summary, "."))
		}
	}
	return s
}

// actions are the fixes of the mechanism, then those of its effects that only ease a symptom.
func (a *analysis) actions(c *candidate, v *inquest.Verdict) []inquest.Action {
	values := a.values(c, v)
	var out []inquest.Action
	add := func(m []inquest.Action, symptomOnly bool) {
		for _, act := range m {
			if symptomOnly {
				if act.Phase != inquest.PhaseLater {
					continue
				}
				act.Cures = "symptom"
			}
			act.Text, act.Command = fill(act.Text, values), fill(act.Command, values)
			out = append(out, act)
		}
	}
	add(a.d.byID[c.id].Actions, false)
	for _, e := range a.effects(c) {
		if e.id.Class() == inquest.ClassException && len(a.d.byID[e.id].Actions) > 0 {
			guard := a.d.byID[e.id].Actions
			for _, act := range guard {
				if act.Phase == inquest.PhaseLater && act.Cures == "symptom" {
					add([]inquest.Action{act}, true)
					break
				}
			}
			break
		}
	}
	return out
}

func (a *analysis) fill(in []inquest.Command, c *candidate, v *inquest.Verdict) []inquest.Command {
	values := a.values(c, v)
	out := make([]inquest.Command, 0, len(in))
	for _, cmd := range in {
		out = append(out, inquest.Command{Text: fill(cmd.Text, values), Command: fill(cmd.Command, values), Expect: fill(cmd.Expect, values)})
	}
	return out
}

// values fill the templates of commands; only what cannot break a shell line is put in.
func (a *analysis) values(c *candidate, v *inquest.Verdict) map[string]string {
	out := map[string]string{"service": v.Culprit}
	if host, port, err := net.SplitHostPort(v.Culprit); err == nil {
		out["host"], out["port"] = host, port
	}
	if v.Trigger != nil && v.Trigger.Version != "" {
		out["version"] = v.Trigger.Version
	}
	out["since"] = a.c.Onset.Format("2006-01-02T15:04:05Z")
	for _, cl := range c.claims {
		p := cl.symptom.Pattern
		if p == nil {
			continue
		}
		x := symptom.Example(p)
		if out["request"] == "" && x.RequestID != "" {
			out["request"] = x.RequestID
		}
		if d := x.Fields["database"]; d != "" && out["database"] == "" {
			out["database"] = d
		}
		if x.Exception != nil && out["path"] == "" {
			out["path"] = path.Clean(x.Exception.AppFrame)
		}
		if host, port, err := net.SplitHostPort(cl.symptom.Peer); err == nil && out["host"] == "" {
			out["host"], out["port"] = host, port
		}
	}
	for k, s := range out {
		if strings.ContainsAny(s, "'\"`$\\;&|<>(){}[]*?!#~ \n\t") {
			delete(out, k)
		}
	}
	return out
}

// fill replaces {name} by its value, or by <name> when it is not known, which no shell takes for a value.
func fill(s string, values map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		j := strings.IndexByte(s[max(0, i):], '}')
		if i < 0 || j < 0 {
			b.WriteString(s)
			return b.String()
		}
		name := s[i+1 : i+j]
		if !isName(name) {
			b.WriteString(s[:i+1])
			s = s[i+1:]
			continue
		}
		b.WriteString(s[:i])
		if v := values[name]; v != "" {
			b.WriteString(v)
		} else {
			b.WriteString("<" + name + ">")
		}
		s = s[i+j+1:]
	}
}

func isName(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// notes tell what was seen and set aside: short bursts, background, changes that fit nothing.
func (a *analysis) notes() []string {
	var out []string
	for _, b := range a.c.Blips {
		where := b.Route
		if where == "" {
			where = "all routes"
		}
		text := fmt.Sprintf("%d answers of %d on %s at %s, over within %s: set aside as a blip.", b.Failed, b.Status, where, clock(b.Window.From), b.Window.Duration())
		if b.Note != "" {
			text = fmt.Sprintf("%d answers of %d on %s from %s to %s: %s.", b.Failed, b.Status, where, clock(b.Window.From), clock(b.Window.To), b.Note)
		}
		if ch := a.changeNear(b.Window); ch != nil {
			text += " It fits the " + string(ch.Kind) + " of " + ch.Service + " at " + clock(ch.Time) + "."
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
