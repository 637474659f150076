package incident

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/store"
)

// schedule is when an incident is investigated after it was opened: at once, since people are waiting, and again as evidence grows: logs that lag
// behind, a second minute of failures to compare, a restart that did not help. After that it goes on as long as the incident is active: see goOn.
var schedule = []struct {
	reason string
	after  time.Duration
}{
	{"opened", 0}, {"30s", 30 * time.Second}, {"2m", 2 * time.Minute}, {"5m", 5 * time.Minute}, {"15m", 15 * time.Minute},
}

const (
	// stillActive is the least time between two investigations of an incident that has been through the schedule.
	stillActive = 15 * time.Minute
	// settled is how long after a change was recorded its effect is looked into: a deploy is told by several at once, and what it does takes a moment to show.
	settled = 10 * time.Second
	// soon is the time within which what is planned anyway makes one more investigation needless.
	soon = 30 * time.Second
)

// PriorChange is how long before an incident a change is looked for that explains it. The path that a release broke may not be used over a weekend; who
// releases every two weeks has had another release since then, and what is older rarely explains anything.
const PriorChange = 14 * 24 * time.Hour

// reasonStill is the reason of those after the schedule.
const reasonStill = "still active"

// ErrStands says that an investigation could only know less than the one before, because what that had read is not kept any more. What was found stands.
var ErrStands = errors.New("what it would be made of is not kept any more")

// States of the record of an investigation.
const (
	investigationDue    = "due"
	investigationDone   = "done"
	investigationFailed = "failed"
)

// planned is the body of the record of an investigation.
type planned struct {
	Incident string    `json:"incident"`
	Reason   string    `json:"reason"`
	Due      time.Time `json:"due"`
	Made     time.Time `json:"made,omitzero"` // when it was planned
	Done     time.Time `json:"done,omitzero"`
	Revision int       `json:"revision,omitempty"` // that it led to; 0: nothing new
	Error    string    `json:"error,omitempty"`
}

// plan makes an investigation due. What is not carried out because the server dies stays due.
func (e *edit) plan(f *draft, reason string, at time.Time) error {
	if e.desk.cfg.Investigate == nil {
		return nil
	}
	return f.add(kindInvestigation, f.part("i", len(f.more)), investigationDue, at, planned{Incident: f.ID, Reason: reason, Due: moment(at), Made: e.now})
}

// Changed takes the news that something was changed, once it is on record: active incidents that it may explain, or end, are looked into again.
func (d *Desk) Changed(ctx context.Context, c inquest.Change) error {
	return d.change(ctx, func(ctx context.Context, e *edit) error {
		for _, f := range e.active() {
			if f.Merged != "" || c.Time.Before(began(&f.Incident).Add(-PriorChange)) || c.Time.After(e.now.Add(skew)) {
				continue
			}
			planned, err := e.planned(ctx, f, e.now.Add(soon), nil)
			if err != nil {
				return err
			}
			if planned {
				continue
			}
			if err := e.plan(f, "change", e.now.Add(settled)); err != nil {
				return err
			}
		}
		return nil
	})
}

// began is when an incident began, as far as that is known.
func began(i *inquest.Incident) time.Time {
	out := i.Opened
	for _, t := range []time.Time{i.Onset, i.Detected} {
		if !t.IsZero() && t.Before(out) {
			out = t
		}
	}
	return out
}

// planned reports whether an investigation is due between now and then, besides those that are being carried out; the zero time: whenever.
func (e *edit) planned(ctx context.Context, f *draft, then time.Time, besides []store.Record) (bool, error) {
	due, err := e.desk.cfg.Records.List(ctx, store.Query{Kind: kindInvestigation, Parent: f.ID, State: investigationDue, From: e.now.Add(time.Microsecond), To: then})
	if err != nil {
		return false, fmt.Errorf("incident %s: read what is planned: %w", f.ID, err)
	}
	return slices.ContainsFunc(due, func(r store.Record) bool {
		return !slices.ContainsFunc(besides, func(b store.Record) bool { return b.ID == r.ID })
	}), nil
}

// goOn plans the next investigation of an incident that has been through its schedule and is still active: what it costs and whom it hits grows, and what is tried
// against it shows. The older it is, the less a quarter of an hour changes.
func (e *edit) goOn(ctx context.Context, f *draft, done []store.Record) error {
	if f.Merged != "" || !f.State.Active() {
		return nil
	}
	if planned, err := e.planned(ctx, f, time.Time{}, done); err != nil || planned {
		return err
	}
	return e.plan(f, reasonStill, e.now.Add(max(stillActive, e.now.Sub(f.Opened)/4)))
}

// dueInvestigations groups what is due by incident. What was planned at a time that has not come is of a clock that was set back since, and due: its time may be hours away.
func (d *Desk) dueInvestigations(ctx context.Context) (map[string][]store.Record, error) {
	records, err := d.cfg.Records.List(ctx, store.Query{Kind: kindInvestigation, State: investigationDue})
	if err != nil {
		return nil, fmt.Errorf("incident: read what is to be investigated: %w", err)
	}
	now := d.now()
	out := map[string][]store.Record{}
	for _, r := range records {
		p, _ := decode[planned](r) // one that cannot be read is due at its time
		if !r.Time.After(now) || p.Made.After(now.Add(skew)) {
			out[r.Parent] = append(out[r.Parent], r)
		}
	}
	return out, nil
}

// investigate carries out what is due for one incident, all of it at once, and records what came of it.
func (d *Desk) investigate(ctx context.Context, id string, due []store.Record) error {
	due, err := d.stillDue(ctx, due) // one that was being carried out when they were listed may have ended since
	if err != nil || len(due) == 0 {
		return err
	}
	inc, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	reason := reasonOf(due[len(due)-1])
	further := !slices.ContainsFunc(due, func(r store.Record) bool { return reasonOf(r) != reasonStill })
	if inc.Merged != "" || further && !inc.State.Active() { // the other one is looked into, or nothing is left to be seen
		return d.change(ctx, func(ctx context.Context, e *edit) error {
			f, err := e.incident(ctx, id)
			if err != nil {
				return err
			}
			return e.settle(ctx, f, due, planned{Incident: id, Reason: reason, Done: e.now}, investigationDone)
		})
	}
	looking, stop := context.WithTimeoutCause(ctx, d.policy.Investigate, fmt.Errorf("it took longer than %s", text(d.policy.Investigate)))
	defer stop()
	diagnosis, failure := d.look(looking, Job{Incident: *inc, Began: began(inc), Reason: reason, At: d.now()})
	if ctx.Err() != nil {
		return context.Cause(ctx) // the server stops; the investigation stays due
	}
	return d.change(ctx, func(ctx context.Context, e *edit) error {
		f, err := e.incident(ctx, id)
		if err != nil {
			return err
		}
		p := planned{Incident: id, Reason: reason, Done: e.now}
		state := investigationDone
		left, err := d.stillDue(ctx, due)
		switch {
		case err != nil || len(left) == 0: // another server was quicker
			return err
		case f.Merged != "":
		case errors.Is(failure, ErrStands):
			p.Error = failure.Error()
		case failure != nil:
			state, p.Error = investigationFailed, cut(failure.Error(), 1000)
			f.entry(e.now, inquest.EntryDiagnosis, byDesk, "the investigation failed: "+p.Error, map[string]any{"reason": reason, "error": p.Error})
		default:
			if p.Revision, err = e.diagnosed(ctx, f, diagnosis, reason); err != nil {
				return err
			}
		}
		if err := e.hurry(ctx, f); err != nil {
			return err
		}
		if err := e.goOn(ctx, f, left); err != nil {
			return err
		}
		return e.settle(ctx, f, left, p, state)
	})
}

// settle marks investigations as carried out.
func (e *edit) settle(ctx context.Context, f *draft, due []store.Record, p planned, state string) error {
	left, err := e.desk.stillDue(ctx, due)
	if err != nil {
		return err
	}
	for _, r := range left {
		p.Due = r.Time
		next, err := record(kindInvestigation, r.ID, f.ID, state, r.Time, p)
		if err != nil {
			return err
		}
		next.Version = r.Version
		f.more = append(f.more, next)
		f.changed = true
	}
	return nil
}

func reasonOf(r store.Record) string {
	p, err := decode[planned](r)
	if err != nil {
		return "due"
	}
	return p.Reason
}

// look calls the investigation. One that panics has failed like any other: the server goes on.
func (d *Desk) look(ctx context.Context, j Job) (out *inquest.Diagnosis, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("the investigation broke: %v", p)
		}
	}()
	out, err = d.cfg.Investigate(ctx, j)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err == nil && out == nil {
		err = errors.New("it gave no diagnosis")
	}
	return out, err
}

func (d *Desk) stillDue(ctx context.Context, due []store.Record) ([]store.Record, error) {
	var out []store.Record
	for _, r := range due {
		now, err := d.cfg.Records.Get(ctx, r.Kind, r.ID)
		if err != nil {
			return nil, fmt.Errorf("incident: read investigation %s: %w", r.ID, err)
		}
		if now.State == investigationDue {
			out = append(out, now)
		}
	}
	return out, nil
}

// revisionID is the id of the record of a diagnosis.
func revisionID(incident string, revision int) string { return incident + "/" + strconv.Itoa(revision) }

// diagnosed takes a diagnosis in: as a new revision if it says something new. It returns the revision, 0 for none.
func (e *edit) diagnosed(ctx context.Context, f *draft, d *inquest.Diagnosis, reason string) (int, error) {
	if f.Revision > 0 {
		last, err := e.desk.Diagnosis(ctx, f.ID, f.Revision)
		if err != nil {
			return 0, err
		}
		// An outage that is over drowns among what has succeeded since. It was one all the same: what was found out then stands.
		if !differs(last, d) || last.Incident && !d.Incident {
			return 0, nil
		}
	}
	var body bytes.Buffer
	if err := report.JSON(&body, d, report.JSONOptions{Compact: true}); err != nil {
		return 0, fmt.Errorf("incident %s: %w", f.ID, err)
	}
	before := f.Verdict
	f.Revision++
	f.more = append(f.more, store.Record{
		Kind: kindDiagnosis, ID: revisionID(f.ID, f.Revision), Parent: f.ID, State: string(levelOf(d)), Time: e.now, Body: body.Bytes(),
	})
	f.Verdict = summarize(d)
	f.Failed, f.Requests = d.Impact.Failed, d.Impact.Requests
	if !d.Onset.IsZero() {
		f.Onset = moment(d.Onset)
	}
	f.addServices(d.Impact.Services...)
	f.desk.Patterns = patternsOf(d)
	e.desk.price(&f.Incident)
	f.entry(e.now, inquest.EntryDiagnosis, byDesk, fmt.Sprintf("revision %d: %s", f.Revision, f.Verdict.Summary), map[string]any{
		"revision": f.Revision, "reason": reason, "level": f.Verdict.Level, "mechanism": f.Verdict.Mechanism, "culprit": f.Verdict.Culprit, "confidence": finite(f.Verdict.Confidence),
	})
	if f.Verdict.Level != inquest.Open && f.Identified.IsZero() {
		f.Identified = e.now
	}
	if err := e.remember(ctx, f); err != nil {
		return 0, err
	}
	if f.State.Active() {
		if g := e.sameOutage(f); g != nil {
			if err := e.merge(ctx, f, g); err != nil {
				return 0, err
			}
		}
	}
	if f.State.Active() {
		if err := e.weigh(ctx, f); err != nil {
			return 0, err
		}
		if news(before, f.Verdict) {
			return f.Revision, e.tell(ctx, f, inquest.OccasionDiagnosed)
		}
	}
	return f.Revision, nil
}

// news reports whether people have to hear of a verdict: it names a cause, and another one than before.
func news(before, now inquest.VerdictSummary) bool {
	if now.Level == inquest.Open {
		return before.Mechanism != "" // what they were told is not held any more
	}
	return now.Mechanism != before.Mechanism || now.Culprit != before.Culprit
}

func levelOf(d *inquest.Diagnosis) inquest.VerdictLevel {
	if d.Verdict == nil {
		return inquest.Open
	}
	return d.Verdict.Level
}

// summarize takes out of a diagnosis what a list of incidents shows.
func summarize(d *inquest.Diagnosis) inquest.VerdictSummary {
	v := d.Verdict
	if v == nil {
		return inquest.VerdictSummary{Level: inquest.Open, Summary: "Nothing fails more often than before, as far as could be read."}
	}
	out := inquest.VerdictSummary{Level: v.Level, Mechanism: v.Mechanism, Culprit: v.Culprit, Confidence: finite(v.Confidence), Summary: v.Summary}
	if v.Level == inquest.Open {
		out.Mechanism, out.Culprit, out.Confidence = "", "", 0
	}
	for _, a := range v.Actions {
		if a.Phase == inquest.PhaseNow {
			out.Action = a.Text
			break
		}
	}
	return out
}

// differs reports whether a diagnosis says something new: another verdict, trigger, onset or end, other services, or numbers that have moved by a tenth,
// which is what changes a decision. The rest is noise of a window that has grown.
func differs(a, b *inquest.Diagnosis) bool {
	x, y := summarize(a), summarize(b)
	switch {
	case a.Incident != b.Incident, x.Level != y.Level, x.Mechanism != y.Mechanism, x.Culprit != y.Culprit:
		return true
	case math.Abs(x.Confidence-y.Confidence) > 0.099: // 0.9 and 1.0 differ by a little less than 0.1
		return true
	case triggerOf(a) != triggerOf(b):
		return true
	case moved(float64(a.Impact.Failed), float64(b.Impact.Failed)), moved(a.Impact.Ratio, b.Impact.Ratio):
		return true
	case !slices.Equal(a.Impact.Services, b.Impact.Services):
		return true
	case a.End.IsZero() != b.End.IsZero():
		return true
	}
	return a.Onset.Sub(b.Onset).Abs() >= 10*time.Second
}

func moved(a, b float64) bool {
	return math.Abs(a-b) > 0.1*math.Max(math.Abs(a), math.Abs(b))
}

func triggerOf(d *inquest.Diagnosis) inquest.Trigger {
	if d.Verdict == nil || d.Verdict.Trigger == nil {
		return inquest.Trigger{}
	}
	t := *d.Verdict.Trigger
	return inquest.Trigger{Kind: t.Kind, Service: t.Service, Version: t.Version}
}
