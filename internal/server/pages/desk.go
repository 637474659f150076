// Package pages puts the rooms of the server behind the interfaces that the pages declare: the desk's deeds, words and errors become those of
// internal/web. It translates and decides nothing.
package pages

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/runbook"
	"github.com/inquesthq/inquest/internal/web"
)

// Desk is an incident desk as the pages know it.
type Desk struct {
	desk *incident.Desk
	now  func() time.Time
}

// NewDesk wraps a desk.
func NewDesk(d *incident.Desk, now func() time.Time) *Desk { return &Desk{desk: d, now: now} }

// failed turns the desk's errors into those that the pages answer with a status of its own.
func failed(err error) error {
	switch {
	case errors.Is(err, incident.ErrInput), errors.Is(err, runbook.ErrInput), errors.Is(err, postmortem.ErrInput):
		return &web.InputError{Reason: err.Error()}
	case errors.Is(err, incident.ErrMove), errors.Is(err, incident.ErrRefused), errors.Is(err, postmortem.ErrRefused):
		return &web.RefusedError{Reason: err.Error()}
	}
	return err
}

// Get returns an incident.
func (p *Desk) Get(ctx context.Context, id string) (*inquest.Incident, error) {
	return p.desk.Get(ctx, id)
}

// List returns incidents, those opened last first.
func (p *Desk) List(ctx context.Context, f web.Filter) ([]inquest.Incident, error) {
	return p.desk.List(ctx, incident.Filter{Active: f.Active, State: f.State, Service: f.Service, Severity: f.Severity, Limit: f.Limit, After: f.After})
}

// Timeline returns all entries in order of time.
func (p *Desk) Timeline(ctx context.Context, id string) ([]inquest.IncidentEntry, error) {
	return p.desk.Timeline(ctx, id)
}

// Diagnosis returns a revision, 0 for the newest.
func (p *Desk) Diagnosis(ctx context.Context, id string, revision int) (*inquest.Diagnosis, error) {
	return p.desk.Diagnosis(ctx, id, revision)
}

// Revisions lists the diagnoses, oldest first.
func (p *Desk) Revisions(ctx context.Context, id string) ([]web.Revision, error) {
	all, err := p.desk.Diagnoses(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]web.Revision, len(all))
	for i, r := range all {
		out[i] = web.Revision(r)
	}
	return out, nil
}

// Similar lists earlier incidents of the same kind.
func (p *Desk) Similar(ctx context.Context, id string) ([]inquest.Similar, error) {
	return p.desk.Similar(ctx, id)
}

// Declare opens an incident.
func (p *Desk) Declare(ctx context.Context, d web.Declaration) (*inquest.Incident, error) {
	inc, err := p.desk.Declare(ctx, incident.Declaration{Title: d.Title, Services: d.Services, Severity: d.Severity}, incident.Act{By: d.By, Text: d.Text})
	return inc, failed(err)
}

// Act does what a person wants.
func (p *Desk) Act(ctx context.Context, id string, a web.Act) (*inquest.Incident, error) {
	act := incident.Act{By: a.By, Text: a.Text, Version: a.Version, State: a.State, Force: a.Force}
	deed := map[web.Verb]func(context.Context, string, incident.Act) (*inquest.Incident, error){
		web.Acknowledge: p.desk.Acknowledge, web.Mitigate: p.desk.Mitigate, web.Resolve: p.desk.Resolve, web.Reopen: p.desk.Reopen, web.Note: p.desk.Note,
		web.Identify: p.desk.Identify, web.Waive: p.desk.Waive, web.Review: p.desk.Review,
		web.SetSeverity: func(ctx context.Context, id string, x incident.Act) (*inquest.Incident, error) {
			return p.desk.SetSeverity(ctx, id, a.Severity, x)
		},
		web.SetFactors: func(ctx context.Context, id string, x incident.Act) (*inquest.Incident, error) {
			return p.desk.SetFactors(ctx, id, a.Factors, x)
		},
	}[a.Verb]
	if deed == nil {
		return nil, &web.InputError{Reason: fmt.Sprintf("nobody knows how to %q an incident", a.Verb)}
	}
	inc, err := deed(ctx, id, act)
	return inc, failed(err)
}

// Report takes in what a user tells.
func (p *Desk) Report(ctx context.Context, r web.UserReport) (web.UserReport, error) {
	out, err := p.desk.Report(ctx, incident.UserReport(r))
	return web.UserReport(out), failed(err)
}

// Silences lists those that are on, and those that are to come.
func (p *Desk) Silences(ctx context.Context) ([]web.Silence, error) {
	all, err := p.desk.Silences(ctx, false)
	if err != nil {
		return nil, err
	}
	out := make([]web.Silence, len(all))
	for i, s := range all {
		out[i] = p.silence(s)
	}
	return out, nil
}

func (p *Desk) silence(s incident.Silence) web.Silence {
	return web.Silence{ID: s.ID, Match: matchText(s.Matchers), From: s.From, Until: s.Until, By: s.By, Why: s.Why, On: s.EndedBy == "" && p.now().Before(s.Until)}
}

// AddSilence records a silence.
func (p *Desk) AddSilence(ctx context.Context, s web.Silence) (web.Silence, error) {
	matchers, err := parseMatch(s.Match)
	if err != nil {
		return s, &web.InputError{Reason: err.Error()}
	}
	out, err := p.desk.AddSilence(ctx, incident.Silence{Matchers: matchers, From: s.From, Until: s.Until, By: s.By, Why: s.Why})
	return p.silence(out), failed(err)
}

// Maintenance lists the windows that are on, and those that are to come.
func (p *Desk) Maintenance(ctx context.Context) ([]web.Maintenance, error) {
	all, err := p.desk.Windows(ctx, false)
	if err != nil {
		return nil, err
	}
	out := make([]web.Maintenance, len(all))
	for i, w := range all {
		out[i] = p.maintenance(w)
	}
	return out, nil
}

func (p *Desk) maintenance(w incident.MaintenanceWindow) web.Maintenance {
	return web.Maintenance{ID: w.ID, Services: w.Services, From: w.From, Until: w.Until, By: w.By, Why: w.Why, On: w.EndedBy == "" && p.now().Before(w.Until)}
}

// AddMaintenance records a window.
func (p *Desk) AddMaintenance(ctx context.Context, m web.Maintenance) (web.Maintenance, error) {
	out, err := p.desk.AddWindow(ctx, incident.MaintenanceWindow{Services: m.Services, From: m.From, Until: m.Until, By: m.By, Why: m.Why})
	return p.maintenance(out), failed(err)
}

// EndMaintenance ends one.
func (p *Desk) EndMaintenance(ctx context.Context, id, by string) error {
	return failed(p.desk.EndWindow(ctx, id, by))
}

// EndSilence ends one.
func (p *Desk) EndSilence(ctx context.Context, id, by string) error {
	return failed(p.desk.EndSilence(ctx, id, by))
}
