package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// Act is what a person does to an incident.
type Act struct {
	By      string // who; required
	Text    string // what they say about it; may be empty where a comment does not say otherwise
	Version int64  // of the incident that they looked at: store.ErrConflict when it has changed since. 0: whatever it is now
	// State is the one that they saw: store.ErrConflict when somebody has moved it since. An investigation that went on meanwhile is none of
	// their decision, as it would be with Version. "": whatever it is now.
	State inquest.IncidentState
	Force bool // do it although alerts still fire, or requests fail; Text must say why
}

// mostText bounds what a person may write, in characters: a note, not a log.
const mostText = 10_000

// act lets f change one incident on behalf of a person, and returns what became of it.
func (d *Desk) act(ctx context.Context, id string, a Act, f func(context.Context, *edit, *draft) error) (*inquest.Incident, error) {
	if a.By == "" {
		return nil, fmt.Errorf("incident %s: %w: name who does it", id, ErrInput)
	}
	var out *draft
	err := d.change(ctx, func(ctx context.Context, e *edit) error {
		var err error
		if out, err = e.incident(ctx, id); err != nil {
			return err
		}
		if a.Version != 0 && a.Version != out.Version {
			return fmt.Errorf("incident %s is at version %d, not %d: look at it again, then decide: %w", id, out.Version, a.Version, store.ErrConflict)
		}
		if a.State != "" && a.State != out.State {
			return fmt.Errorf("incident %s is %s by now, not %s: look at it again, then decide: %w", id, out.State, a.State, store.ErrConflict)
		}
		return f(ctx, e, out)
	})
	if err != nil {
		return nil, err
	}
	inc := out.result(d)
	return &inc, nil
}

// result is the incident as it is after the change was written.
func (f *draft) result(d *Desk) inquest.Incident {
	inc := f.Incident
	inc.Version = f.read.Version
	if f.changed {
		inc.Version++
	}
	d.price(&inc)
	return inc
}

// Declaration is an incident that a person opens.
type Declaration struct {
	Title    string // required
	Services []string
	Severity inquest.Severity // 0: judged by the services' tier
}

// Declare opens an incident because a person says so. Alerts of the same services join it.
func (d *Desk) Declare(ctx context.Context, decl Declaration, a Act) (*inquest.Incident, error) {
	title := strings.TrimSpace(redact.Clean(decl.Title, 200))
	switch {
	case a.By == "":
		return nil, fmt.Errorf("incident: %w: name who declares it", ErrInput)
	case title == "":
		return nil, fmt.Errorf("incident: %w: give it a title that says what users see", ErrInput)
	case decl.Severity < 0 || decl.Severity > inquest.SEV4:
		return nil, badSeverity(decl.Severity)
	}
	var out *draft
	err := d.change(ctx, func(ctx context.Context, e *edit) error {
		out = e.blank(title)
		out.Detected = e.now
		out.addServices(decl.Services...)
		out.Severity = decl.Severity
		if out.Severity == 0 {
			out.Severity = e.severity(out)
		} else {
			out.desk.SeverityBy = a.By
		}
		if a.Text != "" {
			out.entry(e.now, inquest.EntryNote, a.By, cut(a.Text, mostText), nil)
		}
		return e.opened(ctx, out, a.By)
	})
	if err != nil {
		return nil, err
	}
	inc := out.result(d)
	return &inc, nil
}

func badSeverity(s inquest.Severity) error {
	return fmt.Errorf("incident: %w: severity %d: choose 1 (users cannot do what the service is for), 2, 3 or 4 (nobody has noticed yet)", ErrInput, s)
}

// moves are the states that may follow each.
func moves(from inquest.IncidentState) []inquest.IncidentState {
	switch from {
	case inquest.IncidentOpen:
		return []inquest.IncidentState{inquest.IncidentAcknowledged, inquest.IncidentMitigated, inquest.IncidentResolved}
	case inquest.IncidentAcknowledged:
		return []inquest.IncidentState{inquest.IncidentMitigated, inquest.IncidentResolved}
	case inquest.IncidentMitigated:
		return []inquest.IncidentState{inquest.IncidentResolved}
	case inquest.IncidentResolved:
		return []inquest.IncidentState{inquest.IncidentOpen, inquest.IncidentReviewed}
	}
	return nil
}

// move changes the state, if that is allowed, and writes it down.
func (e *edit) move(f *draft, to inquest.IncidentState, at time.Time, by, said string) error {
	allowed := moves(f.State)
	if !slices.Contains(allowed, to) {
		hint := "nothing may follow"
		if len(allowed) > 0 {
			hint = "what may follow is " + joinStates(allowed)
		}
		return fmt.Errorf("incident %s is %s and cannot become %s: %s: %w", f.ID, f.State, to, hint, ErrMove)
	}
	line := fmt.Sprintf("%s, was %s", to, f.State)
	if said != "" {
		line += ": " + cut(said, mostText)
	}
	f.entry(at, inquest.EntryState, by, line, stateData(f.State, to, f.Severity))
	f.State = to
	return nil
}

func joinStates(all []inquest.IncidentState) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// Acknowledge says that a person has it: nobody else is called. A second person who acknowledges takes it over; the first time stays.
func (d *Desk) Acknowledge(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		switch {
		case f.State != inquest.IncidentOpen && f.State.Active() && f.Owner == a.By:
			return nil
		case f.State != inquest.IncidentOpen && f.State.Active():
			f.entry(e.now, inquest.EntryState, a.By, strings.TrimSuffix("taken over from "+f.Owner, " from "), map[string]any{"owner": a.By})
			f.taken(e.now, a.By)
			return nil
		}
		if err := e.move(f, inquest.IncidentAcknowledged, e.now, a.By, a.Text); err != nil {
			return err
		}
		f.taken(e.now, a.By)
		return e.tell(ctx, f, inquest.OccasionAcknowledged)
	})
}

// Mitigate says that users are served again, though the cause is still there.
func (d *Desk) Mitigate(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		if err := e.move(f, inquest.IncidentMitigated, e.now, a.By, a.Text); err != nil {
			return err
		}
		f.Mitigated = e.now
		e.acted(f, a.By)
		return e.tell(ctx, f, inquest.OccasionMitigated)
	})
}

// acted takes what a person did for their acknowledgement when nobody has it: they did.
func (e *edit) acted(f *draft, by string) {
	if f.Owner == "" && by != byDesk {
		f.taken(e.now, by)
	}
}

// taken notes who has it. The first time that somebody had it stays, also when it was reopened since.
func (f *draft) taken(at time.Time, by string) {
	f.Owner = by
	if f.Acknowledged.IsZero() {
		f.Acknowledged = at
	}
}

// Resolve says that the cause is gone. It is refused while a maintenance window of the incident or its services is on, and, unless Force says why
// it is right all the same, while alerts fire or its services still fail requests.
func (d *Desk) Resolve(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		if err := e.mayResolve(ctx, f, a); err != nil {
			return err
		}
		e.acted(f, a.By)
		return e.resolve(ctx, f, e.now, a.By, a.Text)
	})
}

// mayResolve refuses what is not over yet: alerts fire, or users are not served (REQUIREMENTS 282).
func (e *edit) mayResolve(ctx context.Context, f *draft, a Act) error {
	if !f.State.Active() {
		return nil // which is another refusal
	}
	why := strings.TrimSpace(a.Text) != ""
	if n := len(f.firing()); n > 0 {
		if !a.Force {
			return fmt.Errorf("incident %s: %w: %d of its alerts still fire. It resolves by itself %s after they have stopped; to resolve it now, force it and say why", f.ID, ErrRefused, n, text(e.desk.policy.Calm))
		}
		if !why {
			return fmt.Errorf("incident %s: %w: say why it is resolved although %d alerts fire", f.ID, ErrInput, n)
		}
	}
	failing := e.failing(ctx, f)
	if len(failing) == 0 {
		return nil
	}
	what := cut(strings.Join(failing, "; "), 1000)
	if !a.Force {
		return fmt.Errorf("incident %s: %w: users are not served yet: %s. Resolve it once they are; to resolve it now, force it and say why", f.ID, ErrRefused, what)
	}
	if !why {
		return fmt.Errorf("incident %s: %w: say why it is resolved although %s", f.ID, ErrInput, what)
	}
	f.entry(e.now, inquest.EntryNote, byDesk, "resolved by force although users are not served yet: "+what, map[string]any{"failing": failing})
	return nil
}

// mostAsking bounds how long a person waits for an answer to whether users are served.
const mostAsking = 5 * time.Second

// failing lists which services of the incident still fail requests. Where nobody can tell, that is written down and keeps nobody from resolving it.
func (e *edit) failing(ctx context.Context, f *draft) []string {
	if e.desk.cfg.Failing == nil || len(f.Services) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, mostAsking)
	defer stop()
	out, err := e.desk.cfg.Failing(ctx, f.Services)
	if err != nil {
		f.entry(e.now, inquest.EntryNote, byDesk, "whether users are served again could not be found out: "+cut(err.Error(), 300), nil)
		return nil
	}
	return out
}

// resolve ends an incident. at is when it was over, which may be before now.
func (e *edit) resolve(ctx context.Context, f *draft, at time.Time, by, said string) error {
	open, err := e.openWindow(ctx, f)
	if err != nil {
		return err
	}
	if open != nil {
		return fmt.Errorf("incident %s: %w: its maintenance window %s is still on; end it first, then verify that users are served without it (%s until %s, by %s: %s)",
			f.ID, ErrRefused, open.ID, strings.Join(open.Services, ", "), open.Until.Format(time.RFC3339), open.By, open.Why)
	}
	if err := e.move(f, inquest.IncidentResolved, at, by, said); err != nil {
		return err
	}
	f.Resolved = at
	if f.Mitigated.IsZero() {
		f.Mitigated = at
	}
	e.desk.price(&f.Incident)
	if err := e.plan(f, "resolved", e.now); err != nil {
		return err
	}
	return e.tell(ctx, f, inquest.OccasionResolved)
}

// Reopen says that a resolved incident is back.
func (d *Desk) Reopen(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		return e.reopen(ctx, f, e.now, a.By, a.Text)
	})
}

func (e *edit) reopen(ctx context.Context, f *draft, at time.Time, by, why string) error {
	if err := e.move(f, inquest.IncidentOpen, at, by, why); err != nil {
		return err
	}
	e.placed = true
	f.Merged = ""
	f.Owner = "" // nobody has what has come back; when somebody acknowledged first stays
	f.Resolved, f.Mitigated, f.desk.Calm = time.Time{}, time.Time{}, time.Time{}
	f.desk.Overrun = nil
	if len(f.firing()) == 0 && len(f.Alerts) > 0 && by == byDesk {
		f.desk.Calm = at
	}
	for _, s := range schedule {
		if err := e.plan(f, "reopened, "+s.reason, e.now.Add(s.after)); err != nil {
			return err
		}
	}
	return e.tell(ctx, f, inquest.OccasionReopened)
}

// Note writes down what a person has seen or done.
func (d *Desk) Note(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(_ context.Context, e *edit, f *draft) error {
		said := strings.TrimSpace(a.Text)
		if said == "" {
			return fmt.Errorf("incident %s: %w: a note needs a text", id, ErrInput)
		}
		f.entry(e.now, inquest.EntryNote, a.By, cut(said, mostText), nil)
		return nil
	})
}

// Identify says that a person has found the cause.
func (d *Desk) Identify(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(_ context.Context, e *edit, f *draft) error {
		said := strings.TrimSpace(a.Text)
		if said == "" {
			return fmt.Errorf("incident %s: %w: say what the cause is", id, ErrInput)
		}
		if f.Identified.IsZero() {
			f.Identified = e.now
		}
		f.entry(e.now, inquest.EntryNote, a.By, "the cause: "+cut(said, mostText), map[string]any{"identified": true})
		return nil
	})
}

// Add writes an entry of another room into the timeline: a step of a runbook, a change. Its ID, Incident and, where it is zero, Time are the desk's to give.
func (d *Desk) Add(ctx context.Context, id string, entry inquest.IncidentEntry) (*inquest.Incident, error) {
	switch entry.Kind {
	case inquest.EntryNote, inquest.EntryStep, inquest.EntryChange, inquest.EntryReport:
	default:
		return nil, fmt.Errorf("incident %s: %w: an entry of kind %q is not for others to write; use step, note, change or report", id, ErrInput, entry.Kind)
	}
	return d.act(ctx, id, Act{By: entry.By}, func(_ context.Context, e *edit, f *draft) error {
		at := entry.Time
		if at.IsZero() {
			at = e.now
		}
		f.entry(at, entry.Kind, entry.By, cut(entry.Text, mostText), entry.Data)
		return nil
	})
}

// SetSeverity is a person's judgement; the desk does not change it any more.
func (d *Desk) SetSeverity(ctx context.Context, id string, s inquest.Severity, a Act) (*inquest.Incident, error) {
	if s < inquest.SEV1 || s > inquest.SEV4 {
		return nil, badSeverity(s)
	}
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		old := f.Severity
		if old == s && f.desk.SeverityBy != "" {
			return nil
		}
		line := fmt.Sprintf("%s, was %s", s, old)
		if a.Text != "" {
			line += ": " + cut(a.Text, mostText)
		}
		f.entry(e.now, inquest.EntryState, a.By, line, stateData(f.State, f.State, s))
		f.Severity, f.desk.SeverityBy = s, a.By
		if s < old && f.State.Active() {
			return e.tell(ctx, f, inquest.OccasionWorse)
		}
		return nil
	})
}

// SetFactors says what contributed; an unknown factor is refused with the list of those there are (REQUIREMENTS A1).
func (d *Desk) SetFactors(ctx context.Context, id string, factors []inquest.Factor, a Act) (*inquest.Incident, error) {
	for _, x := range factors {
		if !slices.Contains(inquest.Factors, x) {
			return nil, fmt.Errorf("incident %s: %w: %q is no contributing factor; choose of %s", id, ErrInput, x, joinFactors(inquest.Factors))
		}
	}
	return d.act(ctx, id, a, func(_ context.Context, e *edit, f *draft) error {
		next := slices.Clone(factors)
		slices.Sort(next)
		next = slices.Compact(next)
		if slices.Equal(next, f.Factors) {
			return nil
		}
		f.Factors = next
		f.entry(e.now, inquest.EntryNote, a.By, "contributing factors: "+joinFactors(next), map[string]any{"factors": next})
		return nil
	})
}

func joinFactors(all []inquest.Factor) string {
	if len(all) == 0 {
		return "none"
	}
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// cut shortens a text that people wrote or that came with an alert, and takes out what steers a terminal.
func cut(s string, most int) string { return redact.Lines(s, most) }
