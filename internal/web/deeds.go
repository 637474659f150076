package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

// nothing is an empty object.
type nothing struct{}

type actInput struct {
	Text     string                `json:"text,omitempty"`     // what there is to say about it
	Version  int64                 `json:"version,omitempty"`  // of the incident that was looked at: refused when it has changed since
	State    inquest.IncidentState `json:"state,omitempty"`    // that was seen: refused when somebody has moved it since; an investigation that went on does not matter
	Force    bool                  `json:"force,omitempty"`    // although alerts still fire or requests fail; say why in text
	Severity int8                  `json:"severity,omitempty"` // of "severity"
	Factors  []inquest.Factor      `json:"factors,omitempty"`  // of "factors"
}

func (w *Web) act(v Verb) func(*call) (any, error) {
	return func(c *call) (any, error) {
		in := c.input.(*actInput)
		return w.cfg.Desk.Act(c.ctx(), c.path("id"), Act{Verb: v, By: c.who.Name, Text: in.Text, Version: in.Version, State: in.State, Force: in.Force,
			Severity: inquest.Severity(in.Severity), Factors: in.Factors})
	}
}

type declareInput struct {
	Title    string   `json:"title"`
	Services []string `json:"services,omitempty"`
	Severity int8     `json:"severity,omitempty"` // 1 to 4; left out, it is judged
	Text     string   `json:"text,omitempty"`
}

func (w *Web) declare(c *call) (any, error) {
	in := c.input.(*declareInput)
	if strings.TrimSpace(in.Title) == "" {
		return nil, &InputError{"give it a title that says what users see"}
	}
	return w.cfg.Desk.Declare(c.ctx(), Declaration{Title: in.Title, Services: in.Services, Severity: inquest.Severity(in.Severity), By: c.who.Name, Text: in.Text})
}

type stepInput struct {
	Outcome inquest.Outcome `json:"outcome"` // helped, no-effect, made-worse or skipped
	Note    string          `json:"note,omitempty"`
}

func (w *Web) checkStep(c *call) (any, error) {
	in := c.input.(*stepInput)
	if w.cfg.Runbooks == nil {
		return nil, &RefusedError{"this server has no runbooks"}
	}
	if !slices.Contains(inquest.Outcomes, in.Outcome) {
		return nil, &InputError{fmt.Sprintf("outcome is one of %v", inquest.Outcomes)}
	}
	err := w.cfg.Runbooks.Check(c.ctx(), c.path("id"), StepCheck{Step: c.path("step"), Outcome: in.Outcome, Note: in.Note, By: c.who.Name, Time: w.cfg.Now().UTC()})
	if err != nil {
		return nil, err
	}
	return w.cfg.Runbooks.Runbook(c.ctx(), c.path("id"))
}

func (w *Web) runbook(c *call) (any, error) {
	if w.cfg.Runbooks == nil {
		return nil, &RefusedError{"this server has no runbooks"}
	}
	return w.cfg.Runbooks.Runbook(c.ctx(), c.path("id"))
}

type silenceInput struct {
	Match string    `json:"match"`           // {service="checkout"}
	From  string    `json:"from,omitempty"`  // RFC 3339, or 2026-11-29T22:00 in the time zone of the pages; left out: now
	Hours int       `json:"hours,omitempty"` // how long, if until is not given
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why"`
}

func (w *Web) addSilence(c *call) (any, error) {
	in := c.input.(*silenceInput)
	at, err := w.spell(in.From, in.Hours, in.Until)
	if err != nil {
		return nil, err
	}
	s, err := w.cfg.Desk.AddSilence(c.ctx(), Silence{Match: in.Match, From: at.From, Until: at.To, By: c.who.Name, Why: in.Why})
	return &s, err
}

// spell reads from when until when something is to be quiet.
func (w *Web) spell(from string, hours int, until time.Time) (at inquest.Window, err error) {
	at.From = w.cfg.Now()
	if from = strings.TrimSpace(from); from != "" {
		if at.From, err = time.Parse(time.RFC3339, from); err != nil { // what a browser sends of a field for date and time has no zone
			at.From, err = time.ParseInLocation("2006-01-02T15:04", from, w.cfg.Zones[0])
		}
		if err != nil {
			return at, &InputError{fmt.Sprintf("from %q: write 2026-11-29T22:00 (in %s), or with a zone 2026-11-29T22:00:00Z", from, w.cfg.Zones[0])}
		}
	}
	if at.To = until; until.IsZero() {
		if hours < 1 || hours > 24*90 {
			return at, &InputError{"say for how many hours (1 to 2160), or until when"}
		}
		at.To = at.From.Add(time.Duration(hours) * time.Hour)
	}
	return at, nil
}

type maintenanceInput struct {
	Services []string  `json:"services"`        // that are worked on; "*" for all
	From     string    `json:"from,omitempty"`  // RFC 3339, or 2026-11-29T22:00 in the time zone of the pages; left out: now
	Hours    int       `json:"hours,omitempty"` // how long, if until is not given
	Until    time.Time `json:"until,omitzero"`
	Why      string    `json:"why"`
}

func (w *Web) addMaintenance(c *call) (any, error) {
	in := c.input.(*maintenanceInput)
	at, err := w.spell(in.From, in.Hours, in.Until)
	if err != nil {
		return nil, err
	}
	m, err := w.cfg.Desk.AddMaintenance(c.ctx(), Maintenance{Services: in.Services, From: at.From, Until: at.To, By: c.who.Name, Why: in.Why})
	return &m, err
}

func (w *Web) endMaintenance(c *call) (any, error) {
	return nothing{}, w.cfg.Desk.EndMaintenance(c.ctx(), c.path("window"), c.who.Name)
}

func (w *Web) endSilence(c *call) (any, error) {
	return nothing{}, w.cfg.Desk.EndSilence(c.ctx(), c.path("silence"), c.who.Name)
}

// reportJSON is a diagnosis in its published format, to be put into another JSON document.
func reportJSON(d *inquest.Diagnosis) (json.RawMessage, error) {
	var b bytes.Buffer
	err := report.JSON(&b, d, report.JSONOptions{Compact: true})
	return b.Bytes(), err
}
