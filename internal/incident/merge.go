package incident

import (
	"context"

	"github.com/inquesthq/inquest"
)

// sameOutage returns another active incident with the same cause, nil for none: alerts of services of which nobody knew that they depend on one thing.
func (e *edit) sameOutage(f *draft) *draft {
	if f.Verdict.Level == inquest.Open || f.Verdict.Culprit == "" {
		return nil
	}
	for _, g := range e.active() {
		if g != f && g.Verdict.Level != inquest.Open && g.Verdict.Culprit != "" && isRepeat(f, g) {
			return g
		}
	}
	return nil
}

// mergeable reports whether an incident may become a part of another: only one that no person has touched.
func (f *draft) mergeable() bool {
	return f.State == inquest.IncidentOpen && len(f.Alerts) > 0 && f.desk.SeverityBy == "" && f.Acknowledged.IsZero()
}

// merge makes the younger of two incidents of one outage a part of the older. What of it has not been said yet is not said any more; who was told
// of it hears that it is over.
func (e *edit) merge(ctx context.Context, a, b *draft) error {
	old, young := a, b
	if b.Opened.Before(a.Opened) || b.Opened.Equal(a.Opened) && b.ID < a.ID {
		old, young = b, a
	}
	if !young.mergeable() {
		return nil
	}
	e.placed = true
	for _, alert := range young.Alerts {
		if old.has(alert.Key()) >= 0 {
			continue
		}
		old.Alerts = append(old.Alerts, alert)
		old.entry(alert.Fired, inquest.EntryAlert, alert.Source, describe(&alert)+", of "+young.ID, alertData(&alert))
	}
	if len(old.firing()) > 0 {
		old.desk.Calm = young.desk.Calm
	}
	old.addServices(young.Services...)
	old.Reports += young.Reports
	old.entry(e.now, inquest.EntryNote, byDesk, young.ID+" is part of this one: both have the same cause", map[string]any{"merged": young.ID})
	unsaid, err := e.withdraw(ctx, young)
	if err != nil {
		return err
	}
	young.entry(e.now, inquest.EntryState, byDesk, "part of "+old.ID+": both have the same cause", map[string]any{"from": young.State, "to": inquest.IncidentResolved, "merged": old.ID})
	young.State, young.Merged, young.Resolved, young.Alerts, young.desk.Calm = inquest.IncidentResolved, old.ID, e.now, []inquest.Alert{}, e.now
	if !unsaid {
		if err := e.tell(ctx, young, inquest.OccasionResolved); err != nil {
			return err
		}
	}
	return e.weigh(ctx, old)
}

// withdraw keeps notices from being sent that have not been yet. It reports whether nobody has heard of the incident then.
func (e *edit) withdraw(ctx context.Context, f *draft) (bool, error) {
	due, err := e.dueNotices(ctx, f)
	if err != nil {
		return false, err
	}
	taken := 0
	for _, n := range due {
		if n.record.Version == 0 || n.notice.Attempts > 0 {
			continue
		}
		n.notice.State, n.notice.Error = inquest.NoticeFailed, "withdrawn: the incident turned out to be part of another"
		r, err := record(kindNotice, n.notice.ID, f.ID, string(n.notice.State), n.notice.Created, &n.notice)
		if err != nil {
			return false, err
		}
		r.Version = n.record.Version
		f.more = append(f.more, r)
		taken++
	}
	all, err := e.desk.all(ctx, noticesOf(f.ID))
	return taken == len(all), err
}
