package pages

import (
	"time"

	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/roster"
	"github.com/inquesthq/inquest/internal/web"
)

// RuleOf shows a rule.
func RuleOf(r detect.RuleStatus) web.Rule {
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

// OnCall tells who is on call, and who is next.
func OnCall(r *roster.Roster, now time.Time) web.OnCall {
	out := web.OnCall{Roster: r.Name, Person: r.OnCall(now)}
	for _, s := range r.Shifts(now, now.Add(ahead)) {
		if s.Person != out.Person {
			out.Until, out.Next = s.From, s.Person
			break
		}
	}
	return out
}
