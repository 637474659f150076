package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/rates"
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/store"
)

func (p *process) openDesk(ctx context.Context) error {
	var err error
	if p.archive, err = postmortem.NewArchive(p.records, p.Now); err != nil {
		return err
	}
	p.desk, err = incident.New(incident.Config{Records: p.records, Leaders: p.records, Server: p.name, Policy: p.policy(), Investigate: p.investigate,
		FindError: p.lines.Answered, Failing: p.failing(), OpenItems: p.archive.OpenItems, Failed: p.failed("incidents"), Now: p.Now})
	if err != nil {
		return err
	}
	p.also("incidents", p.desk.Run)
	return p.keepRosters(ctx)
}

// failing asks the counts which services still fail when somebody says that an incident is over.
func (p *process) failing() func(context.Context, []string) ([]string, error) {
	s := &detect.Served{Metrics: p.metrics, Critical: func(s string) bool { return p.Settings.Services[s].Critical }, Calls: func(s string) []string { return p.Settings.Services[s].Calls }}
	return func(ctx context.Context, services []string) ([]string, error) {
		return s.Failing(ctx, services, p.Now())
	}
}

// policy translates the settings.
func (p *process) policy() incident.Policy {
	s := p.Settings
	out := incident.Policy{Services: map[string]incident.Service{}, Currency: s.Currency, Calm: s.Incident.Calm, Reopen: s.Incident.Reopen}
	for _, u := range s.Incident.Opens {
		out.Opens = append(out.Opens, inquest.AlertUrgency(u))
	}
	for name, v := range s.Services {
		out.Services[name] = incident.Service{Critical: v.Critical, Revenue: v.Revenue}
		for _, to := range v.Calls {
			out.Edges = append(out.Edges, inquest.Edge{From: name, To: to})
		}
	}
	slices.SortFunc(out.Edges, func(a, b inquest.Edge) int { return strings.Compare(a.From+" "+a.To, b.From+" "+b.To) })
	for _, t := range s.Tell {
		r := incident.Route{Channel: t.Channel, Severity: inquest.Severity(t.Severity), Services: t.Services, Roster: t.Roster}
		for _, o := range t.Occasions {
			r.Occasions = append(r.Occasions, inquest.Occasion(o))
		}
		if len(r.Occasions) == 0 && s.Channels[t.Channel].PagerDuty != nil { // it wakes people, and an alert for the chat is not to
			r.Occasions = slices.DeleteFunc(slices.Clone(inquest.Occasions), func(o inquest.Occasion) bool { return o == inquest.OccasionAlert || o == inquest.OccasionAlertOver })
		}
		out.Routes = append(out.Routes, r)
	}
	for _, l := range s.Escalation {
		out.Escalation = append(out.Escalation, incident.Level{After: l.After, Channels: l.Channels, Roster: l.Roster})
	}
	return out
}

const (
	// healthy is how much of the time before an incident is read along: what is new is told by what was there before.
	healthy = 30 * time.Minute
	// leastHealthy is how much of it must still be kept for a verdict to be worth more than the last one, which had read all of it.
	leastHealthy = time.Minute
)

// changed tells the desk of a change that has been recorded.
func (p *process) changed(ctx context.Context, c inquest.Change) {
	if err := p.desk.Changed(ctx, c); err != nil && ctx.Err() == nil {
		p.Log("incidents: a change that may belong to one: " + err.Error())
	}
}

// reported hands the desk what a user told with the form of the gateway's error page.
func (p *process) reported(ctx context.Context, r rates.UserReport) error {
	_, err := p.desk.Report(ctx, incident.UserReport{ID: r.ID, ErrorID: r.ErrorID, Text: r.Text, Time: r.Time})
	if errors.Is(err, incident.ErrInput) { // it will not get better
		p.Log("incidents: " + err.Error())
		return nil
	}
	return err
}

// investigate reads the hours of an incident as `inquest investigate` reads a folder.
func (p *process) investigate(ctx context.Context, job incident.Job) (*inquest.Diagnosis, error) {
	i := job.Incident
	began := job.Began
	if began.After(job.At) { // the clock was set back since
		began = job.At
	}
	if gone := p.spool.Stats().DeletedTo; i.Revision > 0 && gone.After(began.Add(-leastHealthy)) {
		return nil, fmt.Errorf("%w: lines up to %s were deleted to make room (logs.max_bytes, logs.max_age)", incident.ErrStands, gone.UTC().Format(time.RFC3339))
	}
	w := inquest.Window{From: began.Add(-healthy), To: job.At.Add(time.Second)}
	series, err := p.metrics.Raw(ctx, `{__name__=~".+"}`, w.From, w.To)
	var notes []string
	if err != nil {
		notes = append(notes, "metrics could not be read: "+err.Error())
	}
	// Our own counts are made of the lines that are read anyway.
	series = slices.DeleteFunc(series, func(s inquest.Series) bool {
		return strings.HasPrefix(s.Name, "inquest_") || s.Name == "ALERTS" || s.Name == "ALERTS_FOR_STATE"
	})
	changes, all, err := p.changes(ctx, inquest.Window{From: began.Add(-incident.PriorChange), To: w.To})
	switch {
	case err != nil:
		notes = append(notes, "the record of changes could not be read: "+err.Error())
	case !all:
		notes = append(notes, fmt.Sprintf("of the changes of the %d days before, only the newest %d were read", incident.PriorChange/(24*time.Hour), mostChanges))
	}
	segments, missing := p.lines.Lines(ctx, w)
	out, err := flow.InvestigateLive(ctx, flow.Live{Segments: segments, Series: series, Changes: changes, Edges: p.policy().Edges, About: alerted(&i), Notes: append(notes, missing...)})
	if err != nil {
		return nil, fmt.Errorf("investigate %s: %w", i.ID, err)
	}
	return out.Diagnosis, p.poorer(ctx, &i, out.Diagnosis)
}

// poorer returns incident.ErrStands when a diagnosis says less than the last one for want of another server's lines.
func (p *process) poorer(ctx context.Context, i *inquest.Incident, d *inquest.Diagnosis) error {
	if i.Revision == 0 || len(p.lines.Others) == 0 {
		return nil
	}
	last, err := p.desk.Diagnosis(ctx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	if lost := peers.Poorer(last, d); lost != "" {
		p.Log("incident " + i.ID + ": the verdict stands: " + lost)
		return fmt.Errorf("%w: %s", incident.ErrStands, lost)
	}
	return nil
}

// alerted lists the services that an incident's alerts are about, those that page first; without alerts those that whoever declared it named.
func alerted(i *inquest.Incident) []string {
	alerts := slices.Clone(i.Alerts)
	slices.SortStableFunc(alerts, func(a, b inquest.Alert) int { return urgent(&b) - urgent(&a) })
	var out []string
	for _, a := range alerts {
		if s := a.Service(); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return i.Services
	}
	return out
}

func urgent(a *inquest.Alert) int {
	if a.Urgency() == inquest.UrgencyPage {
		return 1
	}
	return 0
}

// mostChanges is how many changes are weighed at most, the newest: more than 140 a day for two weeks.
const mostChanges = 2000

// changes lists what was changed in a window, oldest first, and whether that is all.
func (p *process) changes(ctx context.Context, w inquest.Window) (out []inquest.Change, all bool, err error) {
	q := store.Query{Kind: "change", From: w.From, To: w.To, Newest: true, Limit: 1000}
	for len(out) <= mostChanges {
		page, err := p.records.List(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, r := range page {
			var c inquest.Change
			if err := json.Unmarshal(r.Body, &c); err != nil {
				return nil, false, fmt.Errorf("change %s: %w", r.ID, err)
			}
			out = append(out, c)
		}
		if len(page) < q.Limit {
			break
		}
		q.After = store.Cursor{Time: page[len(page)-1].Time, ID: page[len(page)-1].ID}
	}
	all = len(out) <= mostChanges
	out = out[:min(len(out), mostChanges)]
	slices.Reverse(out)
	return out, all, nil
}
