package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// UserReport is what a user tells of a failure (REQUIREMENTS 287).
type UserReport struct {
	ID       string    `json:"id"`                // given by the sender so that it counts once however often it arrives; "" for a new one
	ErrorID  string    `json:"errorId,omitempty"` // that the error page showed
	Text     string    `json:"text,omitempty"`
	Contact  string    `json:"contact,omitempty"` // how to answer
	Service  string    `json:"service,omitempty"`
	Time     time.Time `json:"time"` // when it was received
	Incident string    `json:"incident,omitempty"`
}

const (
	reportLoose    = "loose" // belongs to no incident yet
	reportAttached = "attached"
)

// loose is how long a report waits for an incident to belong to: users are often quicker than rules, which want five minutes of failures.
const loose = 30 * time.Minute

// Report takes a user's report in. It is attached to the incident that its error id, an earlier report of the same id, or its service points at, or
// to the only incident there is. Otherwise it waits for one.
func (d *Desk) Report(ctx context.Context, u UserReport) (UserReport, error) {
	u.Text, u.ErrorID = strings.TrimSpace(redact.Lines(u.Text, 2000)), redact.Clean(strings.TrimSpace(u.ErrorID), 100)
	u.Contact, u.Service = redact.Clean(strings.TrimSpace(u.Contact), 200), redact.Clean(strings.TrimSpace(u.Service), 200)
	if u.Text == "" && u.ErrorID == "" {
		return u, fmt.Errorf("incident: %w: a report needs a text or the error id", ErrInput)
	}
	if u.ID == "" {
		u.ID = newID("REP-")
	}
	if len(u.ID) > 200 {
		return u, fmt.Errorf("incident: %w: the id of a report has at most 200 bytes", ErrInput)
	}
	if u.Time.IsZero() {
		u.Time = d.now()
	}
	u.Time = moment(u.Time)
	at := u.Time
	if u.ErrorID != "" && d.cfg.FindError != nil {
		service, when, err := d.cfg.FindError(ctx, u.ErrorID)
		switch {
		case err == nil:
			u.Service, at = service, when
		case !errors.Is(err, store.ErrNotFound):
			return u, fmt.Errorf("incident: look for error %s: %w", u.ErrorID, err)
		}
	}
	out := u
	err := d.change(ctx, func(ctx context.Context, e *edit) error {
		old, err := d.cfg.Records.Get(ctx, kindReport, u.ID)
		if err == nil {
			out, err = decode[UserReport](old)
			return err
		}
		if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("incident: read report %s: %w", u.ID, err)
		}
		out = u
		f, err := e.reported(ctx, &u, at)
		if err != nil {
			return err
		}
		if f == nil {
			r, err := record(kindReport, u.ID, u.ErrorID, reportLoose, u.Time, u)
			e.more = append(e.more, r)
			return err
		}
		out.Incident = f.ID
		return e.attach(f, out, 0)
	})
	return out, err
}

// reported finds the incident that a report belongs to, nil for none.
func (e *edit) reported(ctx context.Context, u *UserReport, at time.Time) (*draft, error) {
	if u.ErrorID != "" {
		same, err := e.desk.cfg.Records.List(ctx, store.Query{Kind: kindReport, Parent: u.ErrorID, State: reportAttached, Limit: 1})
		if err != nil {
			return nil, fmt.Errorf("incident: read earlier reports of %s: %w", u.ErrorID, err)
		}
		if len(same) > 0 {
			first, err := decode[UserReport](same[0])
			if err != nil {
				return nil, err
			}
			return e.incident(ctx, first.Incident)
		}
	}
	active := e.active()
	for _, f := range append(active, e.closed()...) {
		if slices.Contains(f.Services, u.Service) && f.during(at) {
			return f, nil
		}
	}
	if len(active) == 1 && u.Service == "" {
		return active[0], nil
	}
	return nil, nil
}

// during reports whether the incident was going on. Failures that users saw a little before the first alert are its own.
func (f *draft) during(at time.Time) bool {
	from := f.Opened.Add(-loose)
	if !f.Onset.IsZero() && f.Onset.Before(from) {
		from = f.Onset
	}
	return at.After(from) && (f.Resolved.IsZero() || !at.After(f.Resolved))
}

// attach counts a report for an incident. The record keeps the error id as its parent, so that the next report of it finds the way.
func (e *edit) attach(f *draft, u UserReport, version int64) error {
	u.Incident = f.ID
	parent := u.ErrorID
	if parent == "" {
		parent = f.ID
	}
	r, err := record(kindReport, u.ID, parent, reportAttached, u.Time, u)
	r.Version = version
	f.more = append(f.more, r)
	f.Reports++
	line := "a user reports"
	if u.ErrorID != "" {
		line += " error " + u.ErrorID
	}
	if u.Text != "" {
		line += ": " + u.Text
	}
	f.entry(u.Time, inquest.EntryReport, "user", line, map[string]any{"report": u.ID, "errorId": u.ErrorID, "contact": u.Contact})
	return err
}

// gather attaches reports that came before their incident was opened.
func (e *edit) gather(ctx context.Context, f *draft) error {
	records, err := e.desk.cfg.Records.List(ctx, store.Query{Kind: kindReport, State: reportLoose, From: e.now.Add(-loose)})
	if err != nil {
		return fmt.Errorf("incident: read reports: %w", err)
	}
	only := len(e.active()) == 1
	for _, r := range records {
		u, err := decode[UserReport](r)
		if err != nil {
			return err
		}
		if slices.Contains(f.Services, u.Service) || u.Service == "" && only {
			if err := e.attach(f, u, r.Version); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reports lists what users told, newest first; errorID "" for all.
func (d *Desk) Reports(ctx context.Context, errorID string) ([]UserReport, error) {
	records, err := d.cfg.Records.List(ctx, store.Query{Kind: kindReport, Parent: errorID, Newest: true})
	if err != nil {
		return nil, fmt.Errorf("incident: list reports: %w", err)
	}
	out := make([]UserReport, 0, len(records))
	for _, r := range records {
		u, err := decode[UserReport](r)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}
