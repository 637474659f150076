package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/runbook"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// Runbooks are those of a desk's incidents. What was checked off stands in the incidents' timelines.
type Runbooks struct {
	desk     *incident.Desk
	escalate string
	now      func() time.Time
}

// NewRunbooks wraps a desk; escalate says whom the settings name when nobody gets on.
func NewRunbooks(d *incident.Desk, escalate string, now func() time.Time) *Runbooks {
	return &Runbooks{d, escalate, now}
}

// Runbook writes the runbook of an incident as it stands.
func (b *Runbooks) Runbook(ctx context.Context, id string) (*inquest.Runbook, error) {
	inc, err := b.desk.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	diagnosis, err := newest(ctx, b.desk, inc)
	if err != nil {
		return nil, err
	}
	entries, err := b.desk.Timeline(ctx, id)
	if err != nil {
		return nil, err
	}
	return runbook.Write(runbook.Situation{Incident: inc, Diagnosis: diagnosis, Entries: entries, Escalate: b.escalate, At: b.now().UTC()}), nil
}

// Overruns notes the phases of incidents that people have and that take longer than their boxes. When the search for the cause does, others have to come.
func (b *Runbooks) Overruns(ctx context.Context) error {
	var errs []error
	for _, state := range []inquest.IncidentState{inquest.IncidentAcknowledged, inquest.IncidentMitigated} {
		all, err := b.desk.List(ctx, incident.Filter{State: state})
		errs = append(errs, err)
		for i := range all {
			errs = append(errs, b.overruns(ctx, all[i].ID, state == inquest.IncidentMitigated))
		}
	}
	return errors.Join(errs...)
}

// overruns notes those of one incident. Once users are served, it is the phases after Mitigate that count.
func (b *Runbooks) overruns(ctx context.Context, id string, mitigated bool) error {
	book, err := b.Runbook(ctx, id)
	if err != nil {
		return err
	}
	for i := range book.Boxes {
		x := &book.Boxes[i]
		if first := &book.Boxes[0]; x.Phase == inquest.StepCause && x.Began.IsZero() && first.Ended.IsZero() && first.Used > first.Most+x.Most { // nobody checks anything off, and the time is up all the same
			x.Used, x.Over = first.Used-first.Most, true
		}
		if !x.Over || !x.Ended.IsZero() || mitigated && i <= slices.Index(inquest.StepPhases, inquest.StepMitigate) {
			continue
		}
		then := ""
		if x.Phase == inquest.StepCause {
			then = "escalate to " + cmp.Or(b.escalate, "the service's owner")
		}
		if err := b.desk.Overrun(ctx, id, x, then); err != nil {
			return err
		}
	}
	return nil
}

// newest is the newest diagnosis, nil before the first.
func newest(ctx context.Context, desk *incident.Desk, inc *inquest.Incident) (*inquest.Diagnosis, error) {
	if inc.Revision == 0 {
		return nil, nil
	}
	d, err := desk.Diagnosis(ctx, inc.ID, inc.Revision)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return d, err
}

// Check writes the timeline.
func (b *Runbooks) Check(ctx context.Context, id string, c inquest.StepCheck) error {
	book, err := b.Runbook(ctx, id)
	if err != nil {
		return err
	}
	entry, err := runbook.Entry(book, c)
	if err != nil {
		return failed(err)
	}
	_, err = b.desk.Add(ctx, id, entry)
	return failed(err)
}

// Postmortems writes drafts from the desk's record, and keeps what people make of them.
type Postmortems struct {
	desk    *incident.Desk
	archive *postmortem.Archive
	cfg     PostmortemsConfig
}

// PostmortemsConfig wires Postmortems.
type PostmortemsConfig struct {
	Title func(inquest.MechanismID) string
	Zone  string // that timelines are written in; "" is UTC
	Now   func() time.Time
}

// NewPostmortems puts desk and archive together.
func NewPostmortems(d *incident.Desk, a *postmortem.Archive, cfg PostmortemsConfig) *Postmortems {
	return &Postmortems{d, a, cfg}
}

// Get returns the saved one.
func (p *Postmortems) Get(ctx context.Context, id string) (*web.Postmortem, error) {
	s, err := p.archive.Get(ctx, id)
	if err != nil {
		return nil, failed(err)
	}
	return p.shown(s)
}

// shown is a text with what the lint says of it.
func (p *Postmortems) shown(s postmortem.Saved) (*web.Postmortem, error) {
	html, err := postmortem.HTML(s.Markdown)
	if err != nil {
		return nil, err
	}
	out := &web.Postmortem{Incident: s.Incident, Markdown: s.Markdown, HTML: html, By: s.By, Time: s.Time, Version: s.Version, Published: s.Published, PublishedBy: s.PublishedBy, Lint: []web.LintFinding{}}
	for _, f := range postmortem.Lint(s.Markdown, postmortem.Options{Now: p.cfg.Now()}) {
		out.Lint = append(out.Lint, web.LintFinding{Rule: f.Rule, Error: f.Must, Text: f.Text, Line: f.Line})
	}
	return out, nil
}

// Draft writes one from the record and keeps nothing.
func (p *Postmortems) Draft(ctx context.Context, id string) (*web.Postmortem, error) {
	inc, err := p.desk.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r := postmortem.Record{Incident: inc, Title: p.cfg.Title, Zone: p.cfg.Zone, Author: inc.Owner, At: p.cfg.Now().UTC()}
	if r.Diagnosis, err = newest(ctx, p.desk, inc); err != nil {
		return nil, err
	}
	if r.Entries, err = p.desk.Timeline(ctx, id); err != nil {
		return nil, err
	}
	r.Verified = runbook.Write(runbook.Situation{Incident: inc, Diagnosis: r.Diagnosis, Entries: r.Entries, At: r.At}).Verified
	cost, err := p.desk.Cost(ctx, id)
	if err != nil {
		return nil, err
	}
	r.CostBasis = cost.Formula
	if inc.Repeats != "" {
		if r.Open, err = p.OpenItems(ctx, inc.Repeats); err != nil {
			return nil, err
		}
	}
	return p.shown(postmortem.Saved{Incident: id, Markdown: postmortem.Markdown(postmortem.Draft(r))})
}

// Save keeps a text of an incident that there is.
func (p *Postmortems) Save(ctx context.Context, d web.Postmortem) (*web.Postmortem, error) {
	if _, err := p.desk.Get(ctx, d.Incident); err != nil {
		return nil, err
	}
	s, err := p.archive.Save(ctx, d.Incident, d.Markdown, d.By, d.Version)
	if err != nil {
		return nil, failed(err)
	}
	return p.shown(s)
}

// Publish says that a text is final, in the timeline too.
func (p *Postmortems) Publish(ctx context.Context, id, by string, version int64) (*web.Postmortem, error) {
	before, err := p.archive.Get(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	s, err := p.archive.Publish(ctx, id, by, version)
	if err != nil {
		return nil, failed(err)
	}
	if before.Published.IsZero() {
		if _, err := p.desk.Add(ctx, id, inquest.IncidentEntry{Kind: inquest.EntryNote, By: by, Text: fmt.Sprintf("postmortem published, version %d", s.Version)}); err != nil {
			return nil, failed(err)
		}
	}
	return p.shown(s)
}

// OpenItems lists what is not done yet.
func (p *Postmortems) OpenItems(ctx context.Context, id string) ([]string, error) {
	return p.archive.OpenItems(ctx, id)
}
