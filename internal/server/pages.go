package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/server/arrivals"
	"github.com/inquesthq/inquest/internal/server/pages"
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// openPages puts the pages together.
func (p *process) openPages(context.Context) error {
	zones := make([]*time.Location, 0, len(p.Settings.Zones))
	for _, name := range p.Settings.Zones {
		z, err := time.LoadLocation(name)
		if err != nil {
			return err
		}
		zones = append(zones, z)
	}
	zone := ""
	if len(p.Settings.Zones) > 0 {
		zone = p.Settings.Zones[0]
	}
	books := pages.NewRunbooks(p.desk, p.escalates(), p.Now)
	w, err := web.New(web.Config{Runbooks: books,
		Postmortems: pages.NewPostmortems(p.desk, p.archive, pages.PostmortemsConfig{Title: titles(), Zone: zone, Now: p.Now}), Auth: p.auth, Desk: pages.NewDesk(p.desk, p.Now), Records: p.records, Querier: p.metrics, Now: p.Now, Lookup: p.lines, Objectives: p, Findings: p, Settings: p,
		Signals: &arrivals.Arrivals{Server: p.name, Since: p.began, Tail: p.tail, Scraper: p.scraper, Intake: p.intake, Counting: p.follower.Status, Now: p.Now},
		Title:   titles(), Zones: zones, Version: p.Version, Ways: p.described(), PublicReports: p.Settings.Access.PublicReports})
	if err != nil {
		return err
	}
	if p.handler, err = p.beside(w.Handler()); err != nil {
		return err
	}
	p.also("time boxes", func(ctx context.Context) error {
		return p.every(ctx, 15*time.Second, "time boxes", func() error { return books.Overruns(ctx) })
	})
	p.also("live pages", func(ctx context.Context) error {
		for e := range p.desk.Subscribe(ctx) {
			w.Changed(e.Incident)
		}
		return nil
	})
	return nil
}

// trace finds everything about one request in the lines that this server keeps.
func (p *process) trace(ctx context.Context, ids ...string) (*web.Trace, error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	found, err := flow.LookupLive(ctx, p.spool.Segments(inquest.Window{}), ids...)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	if found == nil || len(found.Records) == 0 && len(found.Spans) == 0 && found.Back.IsZero() {
		return nil, store.ErrNotFound
	}
	return peers.Trace(found), nil
}

// Objectives tells how the objectives stand.
func (p *process) Objectives(ctx context.Context) ([]web.Objective, error) {
	out := make([]web.Objective, 0, len(p.objectives))
	for i := range p.objectives {
		s := &p.objectives[i]
		o := web.Objective{Name: s.Name, Service: s.Service, Target: s.Target, Days: int(s.Window.Hours() / 24), Good: web.Number(math.NaN()), Left: web.Number(math.NaN())}
		for _, b := range []struct {
			window string
			limit  float64
		}{{"1h", 14.4}, {"6h", 6}, {"3d", 1}} {
			bad := p.badShare(ctx, s.Bad, s.Total, b.window)
			o.Burn = append(o.Burn, web.BurnWindow{Window: b.window, Rate: web.Number(bad / (1 - s.Target)), Limit: web.Number(b.limit)})
		}
		if bad := p.badShare(ctx, s.Bad, s.Total, fmt.Sprintf("%dh", int(s.Window.Hours()))); !math.IsNaN(bad) {
			o.Good, o.Left = web.Number(1-bad), web.Number(1-bad/(1-s.Target))
		}
		out = append(out, o)
	}
	return out, nil
}

// badShare asks for the share of bad events over a window; NaN when nothing tells.
func (p *process) badShare(ctx context.Context, bad, total, window string) float64 {
	query := strings.ReplaceAll("("+bad+") / ("+total+")", "{{.window}}", window)
	got, err := p.metrics.Instant(ctx, query, p.Now())
	if err != nil || len(got) != 1 || len(got[0].Samples) != 1 {
		return math.NaN()
	}
	return got[0].Samples[0].Value
}

// Setup tells how the server is set up, without secrets.
func (p *process) Setup(ctx context.Context) (*web.Setup, error) {
	out := &web.Setup{}
	for _, name := range slices.Sorted(maps.Keys(p.Settings.Channels)) {
		c := p.Settings.Channels[name]
		ch := web.Channel{Name: name, DryRun: c.DryRun || p.Settings.DryRun}
		switch {
		case c.PagerDuty != nil:
			ch.Kind = "pagerduty"
		case c.Slack != nil:
			ch.Kind = "slack"
		case c.Teams != nil:
			ch.Kind = "teams"
		case c.Email != nil:
			ch.Kind, ch.Where = "email", c.Email.Server
		case c.Webhook != nil:
			ch.Kind = "webhook"
		}
		out.Channels = append(out.Channels, ch)
	}
	if err := pages.Deliveries(ctx, p.records, out.Channels); err != nil {
		return nil, err
	}
	for _, r := range p.detector.Status() {
		out.Rules = append(out.Rules, pages.RuleOf(r))
	}
	rosters, err := p.desk.Rosters(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rosters {
		out.Rosters = append(out.Rosters, pages.OnCall(&rosters[i], p.Now()))
	}
	out.Facts = []web.Fact{
		{Name: "version", Value: p.Version}, {Name: "server", Value: p.name}, {Name: "data folder", Value: p.Settings.Data},
		{Name: "lines are kept for", Value: p.Settings.Logs.MaxAge.String()}, {Name: "metrics are kept for", Value: p.Settings.Metrics.Retention.String()},
	}
	s := p.follower.Status()
	out.Facts = append(out.Facts, web.Fact{Name: "counting is behind by", Value: s.Lag.Round(time.Second).String()})
	if s.Err != nil {
		out.Facts = append(out.Facts, web.Fact{Name: "counting", Value: s.Err.Error()})
	}
	return out, nil
}

// escalates says whom people call, as the settings have it; "" when they name nobody.
func (p *process) escalates() string {
	var all []string
	for _, l := range p.Settings.Escalation {
		who := strings.Join(l.Channels, ", ")
		if l.Roster != "" {
			who = "roster " + l.Roster + " through " + who
		}
		all = append(all, fmt.Sprintf("%s (told by itself after %s)", who, l.After))
	}
	return strings.Join(all, ", then ")
}

// titles are the mechanisms' names for people.
func titles() func(inquest.MechanismID) string {
	by := map[inquest.MechanismID]string{}
	for _, m := range mechanism.All() {
		by[m.ID] = m.Title
	}
	return func(id inquest.MechanismID) string { return cmp.Or(by[id], string(id)) }
}
