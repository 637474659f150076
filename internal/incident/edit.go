package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Kinds of the records that the desk owns.
const (
	kindIncident      = "incident"
	kindEntry         = "entry"
	kindDiagnosis     = "diagnosis"
	kindInvestigation = "investigation"
	kindNotice        = "notice"
	kindAlert         = "alert"
	kindBoard         = "board"
	kindReport        = "report"
	kindSilence       = "silence"
	kindWindow        = "window"
	kindRoster        = "roster"
	kindWaiver        = "waiver"
	kindPostmortem    = "postmortem" // another room's; the desk asks whether there is one
	kindChange        = "change"     // likewise; shown in timelines
)

const (
	byDesk  = "inquest" // who acts when no person does
	boardID = "incidents"
)

// document is the body of an incident's record: the noun, and what the desk notes beside it.
type document struct {
	inquest.Incident
	Desk ledger `json:"desk"`
}

// ledger is what the desk has to remember of an incident and nobody else needs.
type ledger struct {
	Calm       time.Time                `json:"calm,omitzero"`       // since when none of its alerts fires
	Alarmed    time.Time                `json:"alarmed,omitzero"`    // when people were told last that it needs somebody: escalation counts from here
	Escalated  int                      `json:"escalated,omitempty"` // how many levels were told since
	Called     time.Time                `json:"called,omitzero"`     // when the last of them was: from here on it is told again
	Muted      string                   `json:"muted,omitempty"`     // why nobody was told
	Untold     inquest.Occasion         `json:"untold,omitempty"`    // that it was opened or reopened, while muted: to be told when that ends
	Told       map[inquest.Occasion]int `json:"told,omitempty"`      // how often, for the ids of notices
	SeverityBy string                   `json:"severityBy,omitempty"`
	Gravest    inquest.Severity         `json:"gravest,omitempty"`  // severity it had while it was active
	Patterns   []string                 `json:"patterns,omitempty"` // ids of the log patterns in its evidence
	Overrun    []inquest.StepPhase      `json:"overrun,omitempty"`  // phases of the runbook whose time is over, as the timeline has it
}

// draft is one incident while it is being changed.
type draft struct {
	inquest.Incident
	desk    ledger
	read    store.Record // as it was read; Version 0: it is new
	entries []inquest.IncidentEntry
	more    []store.Record
	changed bool
}

// board lists what is on the desk. Whoever puts an alert into an incident writes the board too, so that such decisions are made one after another.
type board struct {
	version int64
	Active  []string    `json:"active"`
	Closed  []closedOne `json:"closed,omitempty"` // resolved lately: what fires again goes there
}

type closedOne struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// edit is one change: what was read, and what will be written.
type edit struct {
	desk   *Desk
	now    time.Time
	board  board
	placed bool // an alert was put into an incident
	drafts map[string]*draft
	more   []store.Record // that belong to no incident
	quiet  *quietness     // read when it is asked for

	damaged []string // active incidents whose records cannot be read; they stay on the board
}

// read begins an edit with all that is on the desk.
func (d *Desk) read(ctx context.Context) (*edit, error) {
	e := &edit{desk: d, now: d.now(), drafts: map[string]*draft{}}
	r, err := d.cfg.Records.Get(ctx, kindBoard, boardID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, nil
	case err != nil:
		return nil, fmt.Errorf("incident: read the board: %w", err)
	}
	if err := json.Unmarshal(r.Body, &e.board); err != nil {
		return nil, fmt.Errorf("incident: the record board/%s cannot be read: %w", boardID, err)
	}
	e.board.version = r.Version
	ids := slices.Clone(e.board.Active)
	for _, c := range e.board.Closed {
		ids = append(ids, c.ID)
	}
	for _, id := range ids {
		_, err := e.incident(ctx, id)
		switch {
		case err == nil, errors.Is(err, store.ErrNotFound): // retention may have been quicker than the board
		case errors.Is(err, errBody): // one damaged incident must not keep others from being opened
			e.damaged = append(e.damaged, id)
			d.failed(err)
		default:
			return nil, err
		}
	}
	return e, nil
}

// incident returns the draft of an incident, read when it is not on the desk.
func (e *edit) incident(ctx context.Context, id string) (*draft, error) {
	if f := e.drafts[id]; f != nil {
		return f, nil
	}
	r, err := e.desk.cfg.Records.Get(ctx, kindIncident, id)
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	f, err := fromRecord(r)
	if err != nil {
		return nil, err
	}
	e.drafts[id] = f
	return f, nil
}

// errBody: a record is there, and is not what it should be.
var errBody = errors.New("its record cannot be read")

func fromRecord(r store.Record) (*draft, error) {
	var doc document
	if err := json.Unmarshal(r.Body, &doc); err != nil {
		return nil, fmt.Errorf("incident %s: %w: %w", r.ID, errBody, err)
	}
	doc.Version = r.Version
	// A change of the severity reads the one before: no severity of an active incident gets past this.
	if g := &doc.Desk.Gravest; *g == 0 || doc.State.Active() && doc.Severity < *g {
		*g = doc.Severity
	}
	return &draft{Incident: doc.Incident, desk: doc.Desk, read: r}, nil
}

// active returns the drafts of incidents that somebody may still have to act on, oldest first.
func (e *edit) active() []*draft {
	return e.sorted(func(f *draft) bool { return f.State.Active() })
}

// closed returns those that were resolved within the time in which they are reopened, newest first. One whose end lies ahead, because the clock was set
// back, is none: reopened, it would have begun in the future, and nothing could be found out about it.
func (e *edit) closed() []*draft {
	out := e.sorted(func(f *draft) bool {
		return f.State == inquest.IncidentResolved && f.Merged == "" && e.now.Sub(f.Resolved) <= e.desk.policy.Reopen && !f.Resolved.After(e.now.Add(skew))
	})
	slices.Reverse(out)
	return out
}

func (e *edit) sorted(want func(*draft) bool) []*draft {
	var out []*draft
	for _, f := range e.drafts {
		if want(f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *draft) int {
		if c := a.Opened.Compare(b.Opened); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// entry adds to the incident's timeline. Its id names the version that it comes with, and so cannot clash.
func (f *draft) entry(at time.Time, kind inquest.EntryKind, by, text string, data map[string]any) {
	f.changed = true
	f.entries = append(f.entries, inquest.IncidentEntry{
		ID: f.part("e", len(f.entries)), Incident: f.ID, Time: moment(at), Kind: kind, By: by, Text: text, Data: data,
	})
}

func (f *draft) part(letter string, n int) string {
	return fmt.Sprintf("%s/%06d-%s%d", f.ID, f.read.Version+1, letter, n+1)
}

// add puts a record of the incident beside the change.
func (f *draft) add(kind, id, state string, at time.Time, body any) error {
	r, err := record(kind, id, f.ID, state, at, body)
	f.more = append(f.more, r)
	f.changed = true
	return err
}

func record(kind, id, parent, state string, at time.Time, body any) (store.Record, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return store.Record{}, fmt.Errorf("incident: write %s %s: %w", kind, id, err)
	}
	return store.Record{Kind: kind, ID: id, Parent: parent, State: state, Time: moment(at), Body: b}, nil
}

// records returns what the change has to write, the board last.
func (e *edit) records() ([]store.Record, error) {
	out := e.more
	for _, f := range e.sorted(func(f *draft) bool { return f.changed }) {
		b, err := json.Marshal(document{f.Incident, f.desk})
		if err != nil {
			return nil, fmt.Errorf("incident %s: %w", f.ID, err)
		}
		out = append(out, store.Record{Kind: kindIncident, ID: f.ID, State: string(f.State), Time: f.Opened, Version: f.read.Version, Body: b})
		for i := range f.entries {
			r, err := record(kindEntry, f.entries[i].ID, f.ID, string(f.entries[i].Kind), f.entries[i].Time, &f.entries[i])
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		out = append(out, f.more...)
	}
	return e.withBoard(out)
}

// withBoard adds the board where it has changed.
func (e *edit) withBoard(out []store.Record) ([]store.Record, error) {
	next := board{Active: []string{}}
	for _, f := range e.active() {
		next.Active = append(next.Active, f.ID)
	}
	next.Active = append(next.Active, e.damaged...)
	for _, f := range e.closed() {
		next.Closed = append(next.Closed, closedOne{f.ID, f.Resolved})
	}
	if !e.placed && sameSet(next.Active, e.board.Active) && slices.EqualFunc(next.Closed, e.board.Closed, func(a, b closedOne) bool { return a.ID == b.ID }) {
		return out, nil
	}
	r, err := record(kindBoard, boardID, "", "", e.now, next)
	r.Version = e.board.version
	return append(out, r), err
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
