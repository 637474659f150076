package web_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// desk keeps incidents in memory and does what it is told, as far as pages can see.
type desk struct {
	mu        sync.Mutex
	now       func() time.Time
	incidents []*inquest.Incident // opened last first
	timeline  map[string][]inquest.IncidentEntry
	diagnoses map[string][]*inquest.Diagnosis
	similar   map[string][]inquest.Similar
	silences  []web.Silence
	windows   []web.Maintenance
	reports   []web.UserReport
	acts      []web.Act
	changed   func(string)
	fail      error // of every call, when set
}

func (d *desk) find(id string) *inquest.Incident {
	for _, i := range d.incidents {
		if i.ID == id {
			return i
		}
	}
	return nil
}

func (d *desk) Get(_ context.Context, id string) (*inquest.Incident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	i := d.find(id)
	if i == nil {
		return nil, fmt.Errorf("incident %s: %w", id, store.ErrNotFound)
	}
	out := *i
	return &out, nil
}

func (d *desk) List(_ context.Context, f web.Filter) ([]inquest.Incident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	var out []inquest.Incident
	behind := f.After.ID == ""
	for _, i := range d.incidents {
		if behind && (!f.Active || i.State.Active()) && (f.State == "" || i.State == f.State) && (f.Service == "" || slices.Contains(i.Services, f.Service)) &&
			(f.Severity == 0 || i.Severity <= f.Severity) && len(out) < f.Limit+1000*min(1, max(0, 1-f.Limit)) {
			out = append(out, *i)
		}
		behind = behind || i.ID == f.After.ID
	}
	return out, nil
}

func (d *desk) Timeline(_ context.Context, id string) ([]inquest.IncidentEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.timeline[id]), nil
}

func (d *desk) Diagnosis(_ context.Context, id string, revision int) (*inquest.Diagnosis, error) {
	all := d.diagnoses[id]
	if revision == 0 {
		revision = len(all)
	}
	if revision < 1 || revision > len(all) {
		return nil, fmt.Errorf("incident %s: revision %d: %w", id, revision, store.ErrNotFound)
	}
	return all[revision-1], nil
}

func (d *desk) Revisions(_ context.Context, id string) ([]web.Revision, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []web.Revision
	for i, x := range d.diagnoses[id] {
		r := web.Revision{Number: i + 1, Time: d.find(id).Opened.Add(time.Duration(i) * time.Minute), Failed: x.Impact.Failed, Ratio: x.Impact.Ratio}
		if v := x.Verdict; v != nil {
			r.Verdict = inquest.VerdictSummary{Level: v.Level, Mechanism: v.Mechanism, Culprit: v.Culprit, Confidence: v.Confidence, Summary: v.Summary}
		}
		out = append(out, r)
	}
	return out, nil
}

func (d *desk) Similar(_ context.Context, id string) ([]inquest.Similar, error) {
	return d.similar[id], nil
}

func (d *desk) Declare(_ context.Context, x web.Declaration) (*inquest.Incident, error) {
	d.mu.Lock()
	i := &inquest.Incident{ID: fmt.Sprintf("INC-20261121-N%03d", len(d.incidents)), Title: x.Title, State: inquest.IncidentOpen, Severity: max(x.Severity, 1),
		Services: x.Services, Opened: d.now(), Detected: d.now(), Version: 1}
	d.incidents = append([]*inquest.Incident{i}, d.incidents...)
	d.timeline[i.ID] = []inquest.IncidentEntry{{ID: "1", Incident: i.ID, Time: d.now(), Kind: inquest.EntryState, By: x.By, Text: "open: " + x.Text}}
	out := *i
	d.mu.Unlock()
	d.tell(out.ID)
	return &out, nil
}

// quiet ends the alerts of the incident opened last, while pages may be asking for it.
func (d *desk) quiet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.incidents[0].Alerts = nil
}

func (d *desk) tell(id string) {
	if d.changed != nil {
		d.changed(id)
	}
}

func (d *desk) Act(_ context.Context, id string, a web.Act) (*inquest.Incident, error) {
	d.mu.Lock()
	i := d.find(id)
	if i == nil {
		d.mu.Unlock()
		return nil, store.ErrNotFound
	}
	if a.Version != 0 && a.Version != i.Version {
		d.mu.Unlock()
		return nil, fmt.Errorf("incident %s has changed since: %w", id, store.ErrConflict)
	}
	d.acts = append(d.acts, a)
	kind, text := inquest.EntryState, string(a.Verb)
	switch a.Verb {
	case web.Acknowledge:
		i.State, i.Owner, i.Acknowledged = inquest.IncidentAcknowledged, a.By, d.now()
	case web.Mitigate:
		i.State, i.Mitigated = inquest.IncidentMitigated, d.now()
	case web.Resolve:
		if !a.Force && len(i.Alerts) > 0 {
			d.mu.Unlock()
			return nil, &web.RefusedError{Reason: "alerts still fire: say why it is resolved nevertheless"}
		}
		i.State, i.Resolved = inquest.IncidentResolved, d.now()
	case web.Reopen:
		i.State, i.Resolved = inquest.IncidentOpen, time.Time{}
	case web.SetSeverity:
		i.Severity, text = a.Severity, "severity "+a.Severity.String()
	case web.SetFactors:
		i.Factors = a.Factors
	case web.Waive:
		i.Waiver = a.Text
	case web.Review:
		i.State, i.Reviewed = inquest.IncidentReviewed, d.now()
	case web.Note, web.Identify:
		kind, text = inquest.EntryNote, ""
	}
	if a.Text != "" {
		text = fmt.Sprint(text, " ", a.Text)
	}
	d.timeline[id] = append(d.timeline[id], inquest.IncidentEntry{ID: fmt.Sprint(len(d.timeline[id])), Incident: id, Time: d.now(), Kind: kind, By: a.By, Text: text})
	i.Version++
	out := *i
	d.mu.Unlock()
	d.tell(id)
	return &out, nil
}

// Stats tells of incidents that were not acknowledged for long; of a window of less than a fortnight there are none.
func (d *desk) Stats(_ context.Context, w inquest.Window) (*web.Stats, error) {
	unknown := web.Number(math.NaN())
	s := &web.Stats{From: w.From, To: w.To, Times: []web.TimeStat{{Name: "MTTD", Time: "to detect", Meaning: web.TimeMeanings[0], Mean: unknown, Median: unknown}}, Severity: []web.Tally{}, Class: []web.Tally{}, Factor: []web.Tally{}, State: []web.Tally{}, Late: []string{}}
	if w.To.Sub(w.From) < 14*24*time.Hour {
		return s, nil
	}
	s.Incidents, s.Active, s.Repeats, s.Merged, s.Cost, s.Currency, s.LateAfter, s.Late = 14, 2, 3, 1, 41200, "EUR", 300, []string{beforeIncident}
	s.Severity, s.Class = []web.Tally{{Name: "SEV-2", Count: 9}, {Name: "SEV-1", Count: 5}}, []web.Tally{{Name: "database", Count: 8}, {Name: "other", Count: 6}}
	s.Times = append(s.Times, web.TimeStat{Name: "MTTA", Time: "to acknowledge", Meaning: web.TimeMeanings[1], Count: 12, Mean: 412, Median: 95})
	return s, nil
}

func (d *desk) Report(_ context.Context, r web.UserReport) (web.UserReport, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.ID, r.Incident = fmt.Sprintf("REP-%d", len(d.reports)+1), d.incidents[0].ID
	d.reports = append(d.reports, r)
	return r, nil
}

func (d *desk) Silences(context.Context) ([]web.Silence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.silences), nil
}

func (d *desk) AddSilence(_ context.Context, s web.Silence) (web.Silence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.Match == "{}" {
		return s, &web.InputError{Reason: "this would silence everything"}
	}
	s.ID, s.On = fmt.Sprintf("S%d", len(d.silences)+1), true
	d.silences = append(d.silences, s)
	return s, nil
}

func (d *desk) EndSilence(_ context.Context, id, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.silences {
		if d.silences[i].ID == id {
			d.silences[i].On = false
			return nil
		}
	}
	return store.ErrNotFound
}

func (d *desk) Maintenance(context.Context) ([]web.Maintenance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.windows), nil
}

func (d *desk) AddMaintenance(_ context.Context, m web.Maintenance) (web.Maintenance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(m.Services) == 0 {
		return m, &web.InputError{Reason: "name the services"}
	}
	m.ID, m.On = fmt.Sprintf("MW%d", len(d.windows)+1), true
	d.windows = append(d.windows, m)
	return m, nil
}

func (d *desk) EndMaintenance(_ context.Context, id, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.windows {
		if d.windows[i].ID == id {
			d.windows[i].On = false
			return nil
		}
	}
	return store.ErrNotFound
}

// actNote is what somebody else writes.
func actNote(text string) web.Act { return web.Act{Verb: web.Note, By: "ben", Text: text} }
