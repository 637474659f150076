package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Alerts takes what fires and what has resolved, whole or only what is new: an alert that the desk knows in this state changes nothing,
// so that it may be told any number of times, by any number of servers. Pending alerts are passed over.
func (d *Desk) Alerts(ctx context.Context, alerts []inquest.Alert) error {
	work := slices.DeleteFunc(slices.Clone(alerts), func(a inquest.Alert) bool {
		return a.State != inquest.AlertFiring && a.State != inquest.AlertResolved
	})
	if len(work) == 0 {
		return nil
	}
	slices.SortStableFunc(work, func(a, b inquest.Alert) int { // what wakes people opens the incident that the rest joins
		return urgencyRank(a.Urgency()) - urgencyRank(b.Urgency())
	})
	g, blind := d.grouping(ctx)
	err := d.change(ctx, func(ctx context.Context, e *edit) error {
		for i := range work {
			if err := e.alert(ctx, work[i], g); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, blind)
}

// Reconcile takes the whole truth about some rules of a source: what of them the desk believes to fire and is not among still has resolved, while
// nobody was there to see it. still holds what fires and what is pending. A rule that could not be evaluated is not to be among rules: not to know is not to have resolved.
func (d *Desk) Reconcile(ctx context.Context, source string, rules []string, still []inquest.Alert) error {
	known := map[string]bool{}
	for i := range still {
		known[still[i].Key()] = true
	}
	gone := func(a *inquest.Alert) bool {
		return a.State == inquest.AlertFiring && a.Source == source && slices.Contains(rules, a.Rule) && !known[a.Key()]
	}
	standing, err := d.all(ctx, store.Query{Kind: kindAlert, State: string(inquest.AlertFiring)})
	if err != nil {
		return err
	}
	return d.change(ctx, func(ctx context.Context, e *edit) error {
		var ended []inquest.Alert
		for _, f := range append(e.active(), e.closed()...) {
			for i := range f.Alerts {
				if gone(&f.Alerts[i]) {
					ended = append(ended, f.Alerts[i])
				}
			}
		}
		for _, r := range standing {
			s, err := decode[Standing](r)
			if err != nil {
				return err
			}
			if gone(&s.Alert) {
				ended = append(ended, s.Alert)
			}
		}
		for _, a := range ended {
			a.State, a.Resolved = inquest.AlertResolved, e.now
			if err := e.resolvedAlert(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func urgencyRank(u inquest.AlertUrgency) int {
	return slices.Index([]inquest.AlertUrgency{inquest.UrgencyPage, inquest.UrgencyChat, inquest.UrgencyTicket}, u)
}

// alert decides on one alert.
func (e *edit) alert(ctx context.Context, a inquest.Alert, g *grouping) error {
	a.Since, a.Fired, a.Resolved = moment(a.Since), moment(a.Fired), moment(a.Resolved)
	if a.Fired.IsZero() {
		a.Fired = e.now
	}
	if a.State == inquest.AlertResolved {
		if a.Resolved.IsZero() {
			a.Resolved = e.now
		}
		return e.resolvedAlert(ctx, a)
	}
	a.Resolved = time.Time{}
	key := a.Key()
	for _, f := range e.active() {
		if i := f.has(key); i >= 0 {
			return e.again(ctx, f, i, a)
		}
	}
	for _, f := range e.closed() {
		if i := f.has(key); i >= 0 {
			return e.againAfter(ctx, f, i, a)
		}
	}
	silence, err := e.silenced(ctx, &a)
	if err != nil {
		return err
	}
	if silence != "" || a.Urgency() == inquest.UrgencyTicket && !e.opens(&a) {
		return e.keepAlert(ctx, a, silence)
	}
	if f := g.find(e.active(), &a); f != nil {
		return e.join(ctx, f, a)
	}
	if !e.opens(&a) {
		return e.keepAlert(ctx, a, "")
	}
	for _, f := range e.closed() {
		if sameServices(f, &a) {
			if err := e.reopen(ctx, f, e.now, byDesk, describe(&a)+" within "+text(e.desk.policy.Reopen)+" of its end"); err != nil {
				return err
			}
			return e.join(ctx, f, a)
		}
	}
	return e.openFor(ctx, a)
}

func (e *edit) opens(a *inquest.Alert) bool {
	return slices.Contains(e.desk.policy.Opens, a.Urgency())
}

// has returns the place of an alert in the incident, -1 for none.
func (f *draft) has(key string) int {
	return slices.IndexFunc(f.Alerts, func(a inquest.Alert) bool { return a.Key() == key })
}

// firing returns the alerts that keep the incident open: those that page or, without any, all that fire.
func (f *draft) firing() []*inquest.Alert {
	var pages, all []*inquest.Alert
	for i := range f.Alerts {
		a := &f.Alerts[i]
		if a.State == inquest.AlertFiring {
			all = append(all, a)
		}
		if a.Urgency() == inquest.UrgencyPage {
			pages = append(pages, a)
		}
	}
	if len(pages) == 0 {
		return all
	}
	return slices.DeleteFunc(pages, func(a *inquest.Alert) bool { return a.State != inquest.AlertFiring })
}

// again handles an alert that fires in an active incident that has it already.
func (e *edit) again(ctx context.Context, f *draft, i int, a inquest.Alert) error {
	if f.Alerts[i].State == inquest.AlertFiring {
		return nil
	}
	if e.toldLate(&a, &f.Alerts[i]) {
		return nil
	}
	f.Alerts[i] = a
	f.desk.Calm = time.Time{}
	f.entry(a.Fired, inquest.EntryAlert, a.Source, describe(&a)+" again", alertData(&a))
	if f.State == inquest.IncidentMitigated {
		return e.tell(ctx, f, inquest.OccasionWorse)
	}
	return nil
}

// toldLate reports whether an alert that fires is a firing that has ended since. An end that lies ahead is of a clock that was set back, and says nothing of
// what fires now: without that, nobody would be told until the clock has caught up.
func (e *edit) toldLate(a, known *inquest.Alert) bool {
	return !a.Fired.After(known.Fired) && a.Fired.Before(known.Resolved) && !known.Resolved.After(e.now.Add(skew))
}

// skew is how far the clock of another machine may be ahead of ours.
const skew = time.Minute

// againAfter handles an alert that fires though its incident was resolved a short while ago.
func (e *edit) againAfter(ctx context.Context, f *draft, i int, a inquest.Alert) error {
	old := &f.Alerts[i]
	why := describe(&a) + " again"
	switch {
	case old.State == inquest.AlertFiring && e.now.Sub(f.Resolved).Abs() < e.desk.policy.Settle:
		return nil // the window of its rule still holds the failures from before; an end far ahead is of a clock that was set back
	case old.State == inquest.AlertFiring:
		why = describe(&a) + " still, " + text(e.desk.policy.Settle) + " after the incident was resolved"
	case e.toldLate(&a, old):
		return nil
	}
	f.Alerts[i] = a
	return e.reopen(ctx, f, e.now, byDesk, why)
}

// resolvedAlert handles an alert that does not fire any more, wherever it is kept.
func (e *edit) resolvedAlert(ctx context.Context, a inquest.Alert) error {
	key := a.Key()
	for _, f := range append(e.active(), e.closed()...) {
		i := f.has(key)
		if i < 0 || f.Alerts[i].State != inquest.AlertFiring {
			continue
		}
		if fired := f.Alerts[i].Fired; a.Resolved.Before(fired) && !fired.After(e.now) { // else the clock was set back since
			return nil // told late: the end of an earlier firing
		}
		f.Alerts[i].State, f.Alerts[i].Resolved = inquest.AlertResolved, a.Resolved
		f.entry(a.Resolved, inquest.EntryAlert, a.Source, describe(&a), alertData(&a))
		if f.State.Active() && len(f.firing()) == 0 {
			f.desk.Calm = a.Resolved
		}
		return nil
	}
	return e.endAlert(ctx, a)
}

// join puts an alert into an incident that is active.
func (e *edit) join(ctx context.Context, f *draft, a inquest.Alert) error {
	e.placed = true
	f.Alerts = append(f.Alerts, a)
	f.desk.Calm = time.Time{}
	if f.Detected.IsZero() || a.Fired.Before(f.Detected) {
		f.Detected = a.Fired
	}
	f.addServices(a.Service())
	f.entry(a.Fired, inquest.EntryAlert, a.Source, describe(&a), alertData(&a))
	if err := e.plan(f, "alert joined", e.now); err != nil {
		return err
	}
	if f.State == inquest.IncidentMitigated && a.Urgency() == inquest.UrgencyPage {
		return e.tell(ctx, f, inquest.OccasionWorse)
	}
	return e.weigh(ctx, f)
}

// openFor opens an incident for an alert.
func (e *edit) openFor(ctx context.Context, a inquest.Alert) error {
	title := a.Annotations["summary"]
	if title == "" {
		title = a.Rule
		if s := a.Service(); s != "" {
			title += " on " + s
		}
	}
	f := e.blank(cut(title, 200))
	f.Detected = a.Fired
	f.Alerts = []inquest.Alert{a}
	f.addServices(a.Service())
	f.Severity = e.severity(f)
	f.entry(a.Fired, inquest.EntryAlert, a.Source, describe(&a), alertData(&a))
	return e.opened(ctx, f, byDesk)
}

// blank puts a new incident on the desk.
func (e *edit) blank(title string) *draft {
	f := &draft{Incident: inquest.Incident{
		ID: e.desk.cfg.NewID(e.now), Title: title, State: inquest.IncidentOpen, Services: []string{}, Alerts: []inquest.Alert{}, Opened: e.now,
	}}
	e.placed = true
	e.drafts[f.ID] = f
	return f
}

// opened does what is due when an incident has been opened: told, planned, and the reports of users taken in.
func (e *edit) opened(ctx context.Context, f *draft, by string) error {
	f.entry(e.now, inquest.EntryState, by, fmt.Sprintf("opened as %s", f.Severity), stateData("", f.State, f.Severity))
	for _, s := range schedule {
		if err := e.plan(f, s.reason, e.now.Add(s.after)); err != nil {
			return err
		}
	}
	if err := e.gather(ctx, f); err != nil {
		return err
	}
	return e.tell(ctx, f, inquest.OccasionOpened)
}

func (f *draft) addServices(names ...string) {
	for _, n := range names {
		if n != "" {
			f.Services = append(f.Services, n)
		}
	}
	slices.Sort(f.Services)
	f.Services = slices.Compact(f.Services)
}

// describe says what an alert does, in words.
func describe(a *inquest.Alert) string {
	s := a.Rule
	if svc := a.Service(); svc != "" {
		s += " on " + svc
	}
	if a.State == inquest.AlertResolved {
		return s + " has resolved"
	}
	return s + " fires"
}

func alertData(a *inquest.Alert) map[string]any {
	return map[string]any{"rule": a.Rule, "labels": a.Labels, "state": a.State, "value": finite(a.Value)}
}

// text writes a duration as people say it.
func text(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Standing is an alert that belongs to no incident: one for working hours, one for a chat, or a silenced one.
type Standing struct {
	inquest.Alert
	ID       string    `json:"id"`
	First    time.Time `json:"first"`             // when it fired first
	Times    int       `json:"times"`             // how often it has fired
	Silence  string    `json:"silence,omitempty"` // the silence that kept it quiet
	Incident string    `json:"incident,omitempty"`
}

// keepAlert records an alert that opens nothing and joins nothing.
func (e *edit) keepAlert(ctx context.Context, a inquest.Alert, silence string) error {
	id := hash(a.Key())
	r, s, err := e.standing(ctx, id)
	if err != nil || s != nil && s.State == inquest.AlertFiring && s.Silence == silence {
		return err
	}
	next := Standing{Alert: a, ID: id, First: a.Fired, Times: 1, Silence: silence}
	if s != nil {
		next.First, next.Times = s.First, s.Times
		if s.State != inquest.AlertFiring {
			next.Times++
		}
	}
	if err := e.putStanding(r, &next); err != nil {
		return err
	}
	if a.Urgency() == inquest.UrgencyChat && silence == "" {
		return e.tellChat(&next, inquest.OccasionAlert)
	}
	return nil
}

// endAlert marks a standing alert as resolved.
func (e *edit) endAlert(ctx context.Context, a inquest.Alert) error {
	r, s, err := e.standing(ctx, hash(a.Key()))
	if err != nil || s == nil || s.State != inquest.AlertFiring || a.Resolved.Before(s.Fired) && !s.Fired.After(e.now) {
		return err
	}
	s.State, s.Alert.Resolved = inquest.AlertResolved, a.Resolved
	if err := e.putStanding(r, s); err != nil {
		return err
	}
	if s.Urgency() == inquest.UrgencyChat && s.Silence == "" {
		return e.tellChat(s, inquest.OccasionAlertOver)
	}
	return nil
}

func (e *edit) standing(ctx context.Context, id string) (store.Record, *Standing, error) {
	r, err := e.desk.cfg.Records.Get(ctx, kindAlert, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Record{}, nil, nil
	}
	if err != nil {
		return r, nil, fmt.Errorf("incident: read alert %s: %w", id, err)
	}
	var s Standing
	if err := json.Unmarshal(r.Body, &s); err != nil {
		return r, nil, fmt.Errorf("incident: alert %s: its record cannot be read: %w", id, err)
	}
	return r, &s, nil
}

// bound cuts a name to what a record may have as its parent.
func bound(name string) string { return name[:min(len(name), 200)] }

func (e *edit) putStanding(old store.Record, s *Standing) error {
	s.Value = finite(s.Value)
	r, err := record(kindAlert, s.ID, bound(s.Service()), string(s.State), s.Fired, s)
	r.Version = old.Version
	e.more = append(e.more, r)
	return err
}
