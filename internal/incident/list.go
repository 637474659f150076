package incident

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/store"
)

// decode reads the body of a record.
func decode[T any](r store.Record) (T, error) {
	var v T
	if err := json.Unmarshal(r.Body, &v); err != nil {
		return v, fmt.Errorf("incident: the record %s/%s cannot be read: %w", r.Kind, r.ID, err)
	}
	return v, nil
}

// Get returns an incident as it is now, or store.ErrNotFound. The cost of one that goes on is that until now.
func (d *Desk) Get(ctx context.Context, id string) (*inquest.Incident, error) {
	r, err := d.cfg.Records.Get(ctx, kindIncident, id)
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	f, err := fromRecord(r)
	if err != nil {
		return nil, err
	}
	inc := f.result(d)
	return &inc, nil
}

// Filter says which incidents List returns. Zero fields do not restrict.
type Filter struct {
	Active   bool // open, acknowledged or mitigated
	State    inquest.IncidentState
	Service  string
	Severity inquest.Severity // and worse ones
	Opened   inquest.Window
	Limit    int // 0: 100
	After    store.Cursor
}

// List returns incidents, those opened last first. To go on, give Opened and ID of the last one in After.
func (d *Desk) List(ctx context.Context, f Filter) ([]inquest.Incident, error) {
	limit := cmp.Or(f.Limit, 100)
	q := store.Query{Kind: kindIncident, State: string(f.State), From: f.Opened.From, To: f.Opened.To, Newest: true, Limit: 200, After: f.After}
	out := []inquest.Incident{}
	for {
		records, err := d.cfg.Records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("incident: list: %w", err)
		}
		for _, r := range records {
			doc, err := fromRecord(r)
			if err != nil {
				return nil, err
			}
			if f.wants(&doc.Incident) {
				out = append(out, doc.result(d))
			}
			if len(out) == limit {
				return out, nil
			}
			q.After = store.Cursor{Time: r.Time, ID: r.ID}
		}
		if len(records) < q.Limit {
			return out, nil
		}
	}
}

func (f *Filter) wants(i *inquest.Incident) bool {
	return (!f.Active || i.State.Active()) && (f.Service == "" || slices.Contains(i.Services, f.Service)) && (f.Severity == 0 || i.Severity <= f.Severity)
}

// all reads a listing to its end.
func (d *Desk) all(ctx context.Context, q store.Query) ([]store.Record, error) {
	var out []store.Record
	q.Limit = 1000
	for {
		page, err := d.cfg.Records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("incident: list %s: %w", q.Kind, err)
		}
		out = append(out, page...)
		if len(page) < q.Limit {
			return out, nil
		}
		last := page[len(page)-1]
		q.After = store.Cursor{Time: last.Time, ID: last.ID}
	}
}

// Timeline returns what happened in an incident, oldest first: its entries, and what its newest diagnosis found in the evidence. Before there is a
// diagnosis, the changes to its services stand there, from two hours before it was opened.
func (d *Desk) Timeline(ctx context.Context, id string) ([]inquest.IncidentEntry, error) {
	inc, err := d.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	records, err := d.all(ctx, store.Query{Kind: kindEntry, Parent: id})
	if err != nil {
		return nil, err
	}
	out := make([]inquest.IncidentEntry, 0, len(records))
	for _, r := range records {
		e, err := decode[inquest.IncidentEntry](r)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	more, err := d.evidence(ctx, inc)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	slices.SortStableFunc(out, func(a, b inquest.IncidentEntry) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// evidence makes entries of what a diagnosis or, without one, the record of changes says.
func (d *Desk) evidence(ctx context.Context, inc *inquest.Incident) ([]inquest.IncidentEntry, error) {
	if inc.Revision == 0 {
		return d.changes(ctx, inc)
	}
	dia, err := d.Diagnosis(ctx, inc.ID, inc.Revision)
	if err != nil {
		return nil, err
	}
	var out []inquest.IncidentEntry
	for i, t := range dia.Timeline {
		kind := inquest.EntryEvidence
		if t.Kind == "change" {
			kind = inquest.EntryChange
		}
		out = append(out, inquest.IncidentEntry{
			ID: fmt.Sprintf("%s/r%d-%04d", inc.ID, inc.Revision, i+1), Incident: inc.ID, Time: t.Time, Kind: kind, By: "evidence", Text: t.Text,
			Data: map[string]any{"kind": t.Kind, "evidence": t.Evidence, "revision": inc.Revision},
		})
	}
	return out, nil
}

func (d *Desk) changes(ctx context.Context, inc *inquest.Incident) ([]inquest.IncidentEntry, error) {
	to := inc.Resolved
	if to.IsZero() {
		to = d.now()
	}
	var out []inquest.IncidentEntry
	for _, service := range inc.Services {
		records, err := d.all(ctx, store.Query{Kind: kindChange, Parent: service, From: inc.Opened.Add(-2 * time.Hour), To: to})
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			c, err := decode[inquest.Change](r)
			if err != nil {
				return nil, err
			}
			line := strings.TrimSpace(fmt.Sprintf("%s of %s %s", c.Kind, service, c.Version))
			if c.Summary != "" {
				line += ": " + cut(c.Summary, 500)
			}
			out = append(out, inquest.IncidentEntry{ID: inc.ID + "/change/" + r.ID, Incident: inc.ID, Time: r.Time, Kind: inquest.EntryChange, By: "change", Text: line})
		}
	}
	return out, nil
}

// Diagnosis returns one revision, or store.ErrNotFound; revision 0 is the newest.
func (d *Desk) Diagnosis(ctx context.Context, id string, revision int) (*inquest.Diagnosis, error) {
	if revision == 0 {
		inc, err := d.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		revision = inc.Revision
	}
	r, err := d.cfg.Records.Get(ctx, kindDiagnosis, revisionID(id, revision))
	if err != nil {
		return nil, fmt.Errorf("incident %s: revision %d of its diagnosis: %w", id, revision, err)
	}
	out, err := report.ReadJSON(bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("incident %s: revision %d: %w", id, revision, err)
	}
	return out, nil
}

// Revision is one diagnosis of an incident, in short.
type Revision struct {
	Number  int                    `json:"number"`
	Time    time.Time              `json:"time"`
	Failed  int                    `json:"failed"`
	Ratio   float64                `json:"ratio"`
	Verdict inquest.VerdictSummary `json:"verdict"`
}

// Diagnoses lists the revisions, oldest first.
func (d *Desk) Diagnoses(ctx context.Context, id string) ([]Revision, error) {
	records, err := d.all(ctx, store.Query{Kind: kindDiagnosis, Parent: id})
	if err != nil {
		return nil, err
	}
	out := make([]Revision, 0, len(records))
	for _, r := range records {
		dia, err := report.ReadJSON(bytes.NewReader(r.Body))
		if err != nil {
			return nil, fmt.Errorf("incident %s: diagnosis %s: %w", id, r.ID, err)
		}
		n, err := strconv.Atoi(strings.TrimPrefix(r.ID, id+"/"))
		if err != nil {
			return nil, fmt.Errorf("incident %s: diagnosis %s has no number: %w", id, r.ID, err)
		}
		out = append(out, Revision{Number: n, Time: r.Time, Failed: dia.Impact.Failed, Ratio: dia.Impact.Ratio, Verdict: summarize(dia)})
	}
	return out, nil
}

// Standing lists the alerts that belong to no incident, by state and service, those that fired last first.
func (d *Desk) Standing(ctx context.Context, state inquest.AlertState, service string) ([]Standing, error) {
	records, err := d.cfg.Records.List(ctx, store.Query{Kind: kindAlert, State: string(state), Parent: bound(service), Newest: true})
	if err != nil {
		return nil, fmt.Errorf("incident: list alerts: %w", err)
	}
	out := make([]Standing, 0, len(records))
	for _, r := range records {
		s, err := decode[Standing](r)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}
