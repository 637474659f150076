package server

import (
	"cmp"
	"context"
	"math"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/roster"
	"github.com/inquesthq/inquest/internal/web"
)

// badShare asks for the share of bad events over a window; NaN when nothing tells.
func (p *process) badShare(ctx context.Context, bad, total, window string) float64 {
	query := strings.ReplaceAll("("+bad+") / ("+total+")", "{{.window}}", window)
	got, err := p.metrics.Instant(ctx, query, p.Now())
	if err != nil || len(got) != 1 || len(got[0].Samples) != 1 {
		return math.NaN()
	}
	return got[0].Samples[0].Value
}

func ruleOf(r detect.RuleStatus) web.Rule {
	out := web.Rule{Group: r.Group, Name: r.Name, Expr: r.Expr, Severity: r.Severity, For: r.For, State: "inactive", Pending: r.Pending, Firing: r.Firing}
	switch {
	case r.Error != "":
		out.State = r.Error
	case !r.Alert:
		out.State = "recorded"
	case r.Firing > 0:
		out.State = "firing"
	case r.Pending > 0:
		out.State = "pending"
	}
	return out
}

// ahead is how far the settings page looks for the next shift.
const ahead = 14 * 24 * time.Hour

func onCall(r *roster.Roster, now time.Time) web.OnCall {
	out := web.OnCall{Roster: r.Name, Person: r.OnCall(now)}
	for _, s := range r.Shifts(now, now.Add(ahead)) {
		if s.Person != out.Person {
			out.Until, out.Next = s.From, s.Person
			break
		}
	}
	return out
}

// titles are the mechanisms' names for people.
func titles() func(inquest.MechanismID) string {
	by := map[inquest.MechanismID]string{}
	for _, m := range mechanism.All() {
		by[m.ID] = m.Title
	}
	return func(id inquest.MechanismID) string { return cmp.Or(by[id], string(id)) }
}
