package postmortem

import (
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web/words"
)

// Public writes the report for users: title, team, what happened with an apology, timeline, cause, measures, commitment and thanks. It leaves out names,
// evidence, cost and what went wrong inside; a text that is still to be written stays a TODO.
func Public(p *inquest.Postmortem, team string) string {
	w := &writer{zone: zoneOf(p.Zone)}
	i := &p.Impact
	fmt.Fprintf(w, "# Incident report: %s\n\nBy %s\n\nDear users,\n\n", p.Title, orTodo(team))
	fmt.Fprintf(w, "%s did not work for you as it should. We are sorry: you rely on it, and we let you down. %s\n", orTodo(strings.Join(p.Services, " and ")), publicState(p))
	w.section("What happened")
	fmt.Fprintf(w, "From %s to %s", orTodo(stamp(i.Start, w.zone)), orTodo(stamp(i.End, w.zone)))
	if i.End.After(i.Start) {
		fmt.Fprintf(w, " (%s)", words.Span(i.End.Sub(i.Start)))
	}
	fmt.Fprintf(w, " %s failed. You may have seen: %s. Affected: %s. Not affected: %s.\n", orTodo(i.Failed), orTodo(i.Status), orTodo(i.Affected), orTodo(i.NotAffected))
	w.section("Timeline (" + w.zone.String() + ")")
	r := &p.Response
	began := i.Start
	if began.Equal(r.Detected) {
		began = time.Time{} // it is not known
	}
	for _, l := range []struct {
		at   time.Time
		text string
	}{
		{began, "First requests failed."}, {r.Detected, "Our monitoring noticed it and alerted us."}, {r.Acknowledged, "We began to work on it."}, {r.Identified, "We knew the cause."},
		{r.Mitigated, "You were served again."}, {r.Resolved, "The cause was gone."},
	} {
		if !l.at.IsZero() {
			fmt.Fprintf(w, "- %s - %s\n", stamp(l.at, w.zone), l.text)
		}
	}
	w.section("Cause")
	if len(p.Causes) == 0 {
		w.WriteString(todo + ": say in plain words what caused it\n")
	}
	for _, c := range p.Causes {
		fmt.Fprintf(w, "- %s\n", c.Text)
	}
	w.section("What we do about it")
	n := 0
	for _, x := range p.Items {
		if x.State == inquest.ItemDropped {
			continue
		}
		n++
		line := "- " + strings.TrimSuffix(x.Text, ".")
		switch {
		case x.State == inquest.ItemDone:
			line += " (done)"
		case !x.Due.IsZero():
			line += " (by " + x.Due.Format(day) + ")"
		}
		w.WriteString(line + ".\n")
	}
	if n == 0 {
		w.WriteString(todo + ": name the measures\n")
	}
	fmt.Fprintf(w, "\nWe will tell you when these are done. Thank you for your patience, and to everybody who told us%s.\n\nSincerely,\n%s\n", told(i.Reports), orTodo(team))
	return w.String()
}

func publicState(p *inquest.Postmortem) string {
	if p.State == inquest.IncidentResolved || p.State == inquest.IncidentReviewed {
		return "It works again, and this report says what happened and what we do so that it does not happen again."
	}
	return "We are still working on it; this report says what we know so far."
}

func told(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d of you did)", n)
}
