package web

import (
	"context"
	"errors"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/store"
)

const perPage = 50

func (w *Web) incidents(c *call) (any, error) {
	f := Filter{Service: c.query("service"), Limit: perPage + 1}
	switch s := c.query("state"); {
	case s == "active":
		f.Active = true
	case s != "" && !slices.Contains(inquest.IncidentStates, inquest.IncidentState(s)):
		return nil, &InputError{"state is open, acknowledged, mitigated, resolved, reviewed or active"}
	default:
		f.State = inquest.IncidentState(s)
	}
	if s := c.query("severity"); s != "" {
		n, err := strconv.ParseInt(strings.TrimPrefix(s, "SEV-"), 10, 8)
		if err != nil || n < 1 || n > 4 {
			return nil, &InputError{"severity is 1, 2, 3 or 4"}
		}
		f.Severity = inquest.Severity(n)
	}
	var err error
	if f.After, err = cursor(c.query("after")); err != nil {
		return nil, err
	}
	all, err := w.cfg.Desk.List(c.ctx(), f)
	if err != nil {
		return nil, err
	}
	return paged(all, func(i inquest.Incident) store.Cursor { return store.Cursor{Time: i.Opened, ID: i.ID} }), nil
}

// defaultSince is how far statistics look back when nobody says.
const defaultSince = 30 * 24 * time.Hour

func (w *Web) stats(c *call) (any, error) {
	since := defaultSince
	if s := c.query("since"); s != "" {
		var err error
		if since, err = time.ParseDuration(s); err != nil || since < time.Hour || since > 10*366*24*time.Hour {
			return nil, &InputError{"since is how far to look back, in hours: 720h for 30 days; at least 1h, at most ten years"}
		}
	}
	now := w.cfg.Now().UTC()
	return w.cfg.Desk.Stats(c.ctx(), inquest.Window{From: now.Add(-since), To: now})
}

// paged cuts a listing to a page and says where the next one begins.
func paged[T any](all []T, at func(T) store.Cursor) *list[T] {
	out := &list[T]{Items: all}
	if out.Items == nil {
		out.Items = []T{}
	}
	if len(all) > perPage {
		out.Items = all[:perPage]
		last := at(out.Items[perPage-1])
		out.Next = last.Time.UTC().Format(time.RFC3339Nano) + "~" + last.ID
	}
	return out
}

func cursor(text string) (store.Cursor, error) {
	if text == "" {
		return store.Cursor{}, nil
	}
	at, id, ok := strings.Cut(text, "~")
	t, err := time.Parse(time.RFC3339Nano, at)
	if !ok || err != nil {
		return store.Cursor{}, &InputError{"after must be the `next` of the answer before"}
	}
	return store.Cursor{Time: t, ID: id}, nil
}

// IncidentView is all about one incident.
type IncidentView struct {
	Incident   inquest.Incident        `json:"incident"`
	Version    int64                   `json:"version"`  // to be sent with what is done to it
	Revision   int                     `json:"revision"` // of Diagnosis; 0: none yet
	Revisions  []Revision              `json:"revisions"`
	Diagnosis  any                     `json:"diagnosis"` // the report, inquest/report/v1; null before the first
	Timeline   []inquest.IncidentEntry `json:"timeline"`
	Similar    []SimilarIncident       `json:"similar"`
	Runbook    *Runbook                `json:"runbook"`
	Postmortem bool                    `json:"postmortem"` // one was saved
	Published  bool                    `json:"published"`  // and is final
	OpenItems  []string                `json:"openItems"`  // action items of the incident that this one repeats, which are still open
	Next       []Verb                  `json:"next"`       // what may follow, by its state

	Chart template.HTML `json:"-"` // requests and failures now; the diagnosis has its own
	parts *report.Parts
}

// SimilarIncident is an earlier incident of the same kind.
type SimilarIncident struct {
	Incident string  `json:"incident"`
	Score    float64 `json:"score"` // 0 to 1
	Why      string  `json:"why"`
}

// Part is a section of the diagnosis for the template.
func (v *IncidentView) Part(name string) template.HTML {
	if v.parts == nil {
		return ""
	}
	return v.parts.Sections[name]
}

// Tone is the class that colours the verdict.
func (v *IncidentView) Tone() string {
	if v.parts == nil {
		return "open"
	}
	return v.parts.State
}

func (w *Web) incident(c *call) (any, error) {
	id := c.path("id")
	inc, err := w.cfg.Desk.Get(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	v := &IncidentView{Incident: *inc, Version: inc.Version, Next: nextVerbs(inc.State)}
	if v.Timeline, err = w.cfg.Desk.Timeline(c.ctx(), id); err != nil {
		return nil, err
	}
	if v.Revisions, err = w.cfg.Desk.Revisions(c.ctx(), id); err != nil {
		return nil, err
	}
	similar, err := w.cfg.Desk.Similar(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	v.Similar = make([]SimilarIncident, len(similar))
	for i, s := range similar {
		v.Similar[i] = SimilarIncident(s)
	}
	if err := w.putDiagnosis(c, v); err != nil {
		return nil, err
	}
	if c.html {
		w.putChart(c.ctx(), v)
	}
	return v, w.putDocuments(c.ctx(), v)
}

// nextVerbs are the changes of state that make sense next; the desk has the last word.
func nextVerbs(s inquest.IncidentState) []Verb {
	switch s {
	case inquest.IncidentOpen:
		return []Verb{Acknowledge, Mitigate, Resolve}
	case inquest.IncidentAcknowledged:
		return []Verb{Mitigate, Resolve}
	case inquest.IncidentMitigated:
		return []Verb{Resolve}
	case inquest.IncidentResolved:
		return []Verb{Review, Reopen}
	}
	return []Verb{}
}

// putDiagnosis adds the verdict, if there is one: as report JSON for machines and in sections for the page.
func (w *Web) putDiagnosis(c *call, v *IncidentView) error {
	revision := 0
	if s := c.query("revision"); s != "" {
		var err error
		if revision, err = strconv.Atoi(s); err != nil || revision < 1 {
			return &InputError{"revision is a number from 1 on"}
		}
	}
	d, err := w.cfg.Desk.Diagnosis(c.ctx(), v.Incident.ID, revision)
	if errors.Is(err, store.ErrNotFound) && revision == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	v.Revision = revision
	if revision == 0 {
		v.Revision = v.Incident.Revision
	}
	if c.html {
		// Similar incidents are the page's own.
		shown := *d
		shown.Similar = nil
		parts, err := report.HTMLParts(&shown, report.PageOptions{Zone: w.cfg.Zones[0], Title: w.cfg.Title, Name: v.Incident.ID, Live: v.Incident.State.Active()})
		v.parts = &parts
		return err
	}
	v.Diagnosis, err = reportJSON(d)
	return err
}

// putChart draws what the metrics store counts now; where it has nothing (any more), what the diagnosis has counted.
func (w *Web) putChart(ctx context.Context, v *IncidentView) {
	chart, err := w.chartOf(ctx, v)
	if err == nil && len(chart.Requests) > 0 {
		v.Chart, err = w.chartPart(v, chart)
	}
	if (err != nil || v.Chart == "") && v.parts != nil {
		v.Chart = v.parts.Sections["chart"]
	}
}

// putDocuments adds runbook and postmortem.
func (w *Web) putDocuments(ctx context.Context, v *IncidentView) error {
	if w.cfg.Runbooks != nil {
		book, err := w.cfg.Runbooks.Runbook(ctx, v.Incident.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			v.Runbook = book
		}
	}
	v.OpenItems = []string{}
	if w.cfg.Postmortems == nil {
		return nil
	}
	p, err := w.cfg.Postmortems.Get(ctx, v.Incident.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	v.Postmortem = err == nil
	v.Published = err == nil && !p.Published.IsZero()
	if v.Incident.Repeats != "" {
		items, err := w.cfg.Postmortems.OpenItems(ctx, v.Incident.Repeats)
		if err != nil {
			return err
		}
		v.OpenItems = append(v.OpenItems, items...)
	}
	return nil
}
