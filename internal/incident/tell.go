package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// tell writes a notice for each channel that wants to hear of it. While the incident is muted nobody is told, and the timeline says so.
func (e *edit) tell(ctx context.Context, f *draft, o inquest.Occasion) error {
	var targets []Route
	for _, r := range e.desk.policy.Routes {
		if r.tells(&f.Incident, o) {
			targets = append(targets, r)
		}
	}
	return e.tellThem(ctx, f, o, targets)
}

func (e *edit) tellThem(ctx context.Context, f *draft, o inquest.Occasion, targets []Route) error {
	alarm := o == inquest.OccasionOpened || o == inquest.OccasionReopened
	muted, err := e.muted(ctx, f)
	if err != nil {
		return err
	}
	switch {
	case muted != "":
		if alarm || f.desk.Muted == "" {
			f.entry(e.now, inquest.EntryNotice, byDesk, "nobody is told: "+muted, map[string]any{"occasion": o, "muted": muted})
		}
		f.desk.Muted = muted
		if alarm && f.desk.Untold == "" {
			f.desk.Untold = o
		}
		return nil
	case !alarm && (f.desk.Untold != "" || f.desk.Told[inquest.OccasionOpened]+f.desk.Told[inquest.OccasionReopened] == 0):
		return nil // who was not told that it began need not hear how it goes on
	}
	f.desk.Muted = ""
	if alarm {
		f.desk.Alarmed, f.desk.Escalated, f.desk.Untold = e.now, 0, ""
	}
	if len(targets) == 0 {
		f.told(o)
		return nil
	}
	waiting, err := e.waiting(ctx, f, o)
	if err != nil {
		return err
	}
	return e.notices(ctx, f, o, slices.DeleteFunc(targets, func(r Route) bool { return slices.Contains(waiting, r.Channel) }))
}

// told counts an occasion. Its number makes the ids of its notices unique.
func (f *draft) told(o inquest.Occasion) int {
	if f.desk.Told == nil {
		f.desk.Told = map[inquest.Occasion]int{}
	}
	f.desk.Told[o]++
	f.changed = true
	return f.desk.Told[o]
}

// notices writes one notice for each channel of the targets.
func (e *edit) notices(ctx context.Context, f *draft, o inquest.Occasion, targets []Route) error {
	if len(targets) == 0 {
		return nil
	}
	occasion := string(o) + "-" + strconv.Itoa(f.told(o))
	next := e.now
	if o == inquest.OccasionOpened && f.Revision == 0 && e.desk.cfg.Investigate != nil {
		next = e.now.Add(max(0, e.desk.policy.Wait))
	}
	seen := map[string]bool{}
	for _, r := range targets {
		id := f.ID + "/" + occasion + "/" + r.Channel
		if seen[id] {
			continue // two routes to one channel are one message
		}
		seen[id] = true
		to, err := e.onCall(ctx, r.Roster)
		if err != nil {
			return err
		}
		n := inquest.Notice{ID: id, Incident: f.ID, Occasion: o, Channel: r.Channel, To: to, State: inquest.NoticeDue, Created: e.now, Next: next}
		if err := f.add(kindNotice, id, string(n.State), n.Next, &n); err != nil {
			return err
		}
	}
	return nil
}

// waiting lists the channels whose first message has not gone out yet. It will show the incident as it is then, so that what got worse or
// became known in the meantime needs no message of its own.
func (e *edit) waiting(ctx context.Context, f *draft, o inquest.Occasion) ([]string, error) {
	if o != inquest.OccasionDiagnosed && o != inquest.OccasionWorse {
		return nil, nil
	}
	due, err := e.dueNotices(ctx, f)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range due {
		if r.notice.Attempts == 0 && (r.notice.Occasion == inquest.OccasionOpened || r.notice.Occasion == inquest.OccasionReopened) {
			out = append(out, r.notice.Channel)
		}
	}
	return out, nil
}

type noticeRecord struct {
	record store.Record
	notice inquest.Notice
}

func noticesOf(id string) store.Query { return store.Query{Kind: kindNotice, Parent: id} }

// dueNotices returns the incident's notices that are still to be sent, with those of this very change.
func (e *edit) dueNotices(ctx context.Context, f *draft) ([]noticeRecord, error) {
	records, err := e.desk.cfg.Records.List(ctx, store.Query{Kind: kindNotice, Parent: f.ID, State: string(inquest.NoticeDue)})
	if err != nil {
		return nil, fmt.Errorf("incident %s: read its notices: %w", f.ID, err)
	}
	records = slices.DeleteFunc(records, func(r store.Record) bool { // what this change has decided on already
		return slices.ContainsFunc(f.more, func(m store.Record) bool { return m.Kind == kindNotice && m.ID == r.ID })
	})
	for _, r := range f.more {
		if r.Kind == kindNotice && r.Version == 0 {
			records = append(records, r)
		}
	}
	out := make([]noticeRecord, 0, len(records))
	for _, r := range records {
		var n inquest.Notice
		if err := json.Unmarshal(r.Body, &n); err != nil {
			return nil, fmt.Errorf("incident %s: notice %s cannot be read: %w", f.ID, r.ID, err)
		}
		out = append(out, noticeRecord{r, n})
	}
	return out, nil
}

// hurry lets first messages that waited for a verdict go now.
func (e *edit) hurry(ctx context.Context, f *draft) error {
	due, err := e.dueNotices(ctx, f)
	if err != nil {
		return err
	}
	for _, n := range due {
		if n.record.Version == 0 || n.notice.Attempts > 0 || !n.notice.Next.After(e.now) {
			continue
		}
		n.notice.Next = e.now
		r, err := record(kindNotice, n.notice.ID, f.ID, string(n.notice.State), e.now, &n.notice)
		if err != nil {
			return err
		}
		r.Version = n.record.Version
		f.more = append(f.more, r)
		f.changed = true
	}
	return nil
}

// tellChat writes notices about an alert that belongs to no incident, one for each channel that wants them.
func (e *edit) tellChat(s *Standing, o inquest.Occasion) error {
	told := map[string]bool{}
	for _, route := range e.desk.policy.Routes {
		if told[route.Channel] || !route.tellsAlert(s.Service(), o) {
			continue
		}
		told[route.Channel] = true
		id := "alert/" + s.ID + "/" + string(o) + "-" + strconv.Itoa(s.Times) + "/" + route.Channel
		n := inquest.Notice{ID: id, Alert: s.ID, Occasion: o, Channel: route.Channel, State: inquest.NoticeDue, Created: e.now, Next: e.now}
		r, err := record(kindNotice, id, s.ID, string(n.State), e.now, &n)
		if err != nil {
			return err
		}
		e.more = append(e.more, r)
	}
	return nil
}

// leastAgain is the least time between two calls of the last level: people need a moment to get up.
const leastAgain = 5 * time.Minute

// escalate tells the next level of people when nobody has acknowledged in time, and the last one again and again until somebody has.
func (e *edit) escalate(ctx context.Context, f *draft) error {
	for f.State == inquest.IncidentOpen && f.desk.Muted == "" && !f.desk.Alarmed.IsZero() {
		l, due := e.desk.policy.next(&f.desk)
		if l == nil || e.now.Before(due) {
			return nil
		}
		muted, err := e.muted(ctx, f)
		if err != nil {
			return err
		}
		if muted != "" { // the timeline says so; the level is told when that ends
			return e.tellThem(ctx, f, inquest.OccasionEscalated, nil)
		}
		if err := e.call(ctx, f, l); err != nil {
			return err
		}
	}
	return nil
}

// next returns the level that is to be told next, and when; nil without an escalation.
func (p *Policy) next(l *ledger) (*Level, time.Time) {
	n := len(p.Escalation)
	if n == 0 {
		return nil, time.Time{}
	}
	if l.Escalated < n {
		level := &p.Escalation[l.Escalated]
		return level, l.Alarmed.Add(level.After)
	}
	last, before := &p.Escalation[n-1], time.Duration(0)
	if n > 1 {
		before = p.Escalation[n-2].After
	}
	return last, l.Called.Add(max(leastAgain, last.After-before))
}

// call tells a level, and writes down that and why.
func (e *edit) call(ctx context.Context, f *draft, l *Level) error {
	to, err := e.onCall(ctx, l.Roster)
	if err != nil {
		return err
	}
	n := len(e.desk.policy.Escalation)
	did := "escalated to level"
	if f.desk.Escalated >= n {
		did = "told again level"
	}
	f.desk.Escalated, f.desk.Called = min(f.desk.Escalated+1, n), e.now
	why := fmt.Sprintf("nobody acknowledged within %s: %s %d", text(e.now.Sub(f.desk.Alarmed).Truncate(time.Second)), did, f.desk.Escalated)
	if to != "" {
		why += ", " + to
	}
	f.entry(e.now, inquest.EntryState, byDesk, why, map[string]any{"escalated": f.desk.Escalated, "to": to})
	targets := make([]Route, 0, len(l.Channels))
	for _, c := range l.Channels {
		targets = append(targets, Route{Channel: c, Roster: l.Roster})
	}
	return e.tellThem(ctx, f, inquest.OccasionEscalated, targets)
}
