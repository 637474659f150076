package web

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Pattern is one kind of log line: the body of a record of kind "pattern" (docs/format/pattern.md).
type Pattern struct {
	ID       string    `json:"id"`
	Service  string    `json:"service"`
	Template string    `json:"template"`
	Level    string    `json:"level"`
	Count    int       `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	New      bool      `json:"new,omitempty"`     // it appeared when its service had been known for a while
	Surging  bool      `json:"surging,omitempty"` // far more often than before
	Example  Example   `json:"example"`
}

// Example is the last line of a pattern.
type Example struct {
	Time      time.Time `json:"time,omitzero"`
	Text      string    `json:"text"`
	RequestID string    `json:"request_id,omitempty"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`
}

func (w *Web) patterns(c *call) (any, error) {
	level, words := strings.ToLower(c.query("level")), strings.ToLower(c.query("q"))
	return listed(c, w.cfg.Records, store.Query{Kind: "pattern", Parent: c.query("service"), State: c.query("state"), Newest: true}, func(r store.Record) (Pattern, bool) {
		p := Pattern{ID: r.ID, Service: r.Parent, Last: r.Time}
		if err := json.Unmarshal(r.Body, &p); err != nil {
			p.Template = "this record cannot be read: " + err.Error()
		}
		fits := (level == "" || strings.EqualFold(p.Level, level)) && (words == "" || strings.Contains(strings.ToLower(p.Template+" "+p.Example.Text), words))
		return p, fits
	})
}

// Change is what somebody did to a system.
type Change struct {
	Time    time.Time          `json:"time"`
	Kind    inquest.ChangeKind `json:"kind"`
	Service string             `json:"service"`
	Version string             `json:"version,omitempty"`
	Summary string             `json:"summary,omitempty"`
	Source  inquest.Source     `json:"source,omitzero"`
}

func (w *Web) changes(c *call) (any, error) {
	kind := c.query("kind")
	return listed(c, w.cfg.Records, store.Query{Kind: "change", Parent: c.query("service"), Newest: true}, func(r store.Record) (Change, bool) {
		ch := Change{Time: r.Time, Service: r.Parent}
		if err := json.Unmarshal(r.Body, &ch); err != nil {
			ch.Summary = "this record cannot be read: " + err.Error()
		}
		return ch, kind == "" || string(ch.Kind) == kind
	})
}

// mostRead bounds how many records one listing looks at when a filter lets few through: then the page is short and has a "next".
const mostRead = 5000

// listed reads a page of records that pass a filter.
func listed[T any](c *call, records store.Records, q store.Query, read func(store.Record) (T, bool)) (*list[T], error) {
	type row struct {
		value T
		at    store.Cursor
	}
	var err error
	if q.After, err = cursor(c.query("after")); err != nil {
		return nil, err
	}
	q.Limit = 500
	var rows []row
	looked := 0
	for looked < mostRead && len(rows) <= perPage {
		recs, err := records.List(c.ctx(), q)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			q.After = store.Cursor{Time: r.Time, ID: r.ID}
			looked++
			if v, ok := read(r); ok {
				if rows = append(rows, row{v, q.After}); len(rows) > perPage {
					break
				}
			}
		}
		if len(recs) < q.Limit {
			break
		}
	}
	page := paged(rows, func(r row) store.Cursor { return r.at })
	out := &list[T]{Items: make([]T, len(page.Items)), Next: page.Next}
	for i, r := range page.Items {
		out.Items[i] = r.value
	}
	if out.Next == "" && looked >= mostRead {
		out.Next = q.After.Time.UTC().Format(time.RFC3339Nano) + "~" + q.After.ID
	}
	return out, nil
}

// LookupView is the answer to a search for one request.
type LookupView struct {
	ID        string             `json:"id"`
	Trace     *Trace             `json:"trace"`     // null when nothing was asked or found
	Incidents []inquest.Incident `json:"incidents"` // open, or opened within an hour of the request
	Note      string             `json:"note,omitempty"`
}

func (w *Web) lookup(c *call) (any, error) {
	v := &LookupView{ID: c.query("id"), Incidents: []inquest.Incident{}}
	if v.ID == "" {
		return v, nil
	}
	if inc, err := w.cfg.Desk.Get(c.ctx(), v.ID); err == nil { // somebody pasted the number of an incident
		v.Incidents = append(v.Incidents, *inc)
		return v, nil
	}
	if w.cfg.Lookup == nil {
		v.Note = "This server keeps no logs to look in."
		return v, nil
	}
	t, err := w.cfg.Lookup.Lookup(c.ctx(), v.ID)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && len(t.Lines) == 0:
		v.Note = "No line names this id. Only lines that are still kept are searched."
		if t != nil && len(t.Missing) > 0 {
			v.Note = "No line that could be looked at names this id: " + strings.Join(t.Missing, "; ") + "."
		}
		return v, nil
	case err != nil:
		return nil, err
	}
	v.Trace = t
	return v, w.incidentsAround(c.ctx(), v)
}

// incidentsAround adds the incidents in whose time the request falls.
func (w *Web) incidentsAround(ctx context.Context, v *LookupView) error {
	all, err := w.cfg.Desk.List(ctx, Filter{Limit: perPage})
	if err != nil {
		return err
	}
	at := v.Trace.Lines[0].Time
	for _, inc := range all {
		from, to := inc.Opened, inc.Resolved
		if !inc.Onset.IsZero() {
			from = inc.Onset
		}
		if !at.Before(from.Add(-time.Minute)) && (to.IsZero() || at.Before(to)) &&
			(len(inc.Services) == 0 || slices.ContainsFunc(v.Trace.Lines, func(l Line) bool { return slices.Contains(inc.Services, l.Service) })) {
			v.Incidents = append(v.Incidents, inc)
		}
	}
	return nil
}
