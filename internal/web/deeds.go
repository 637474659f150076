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
	Force    bool                  `json:"force,omitempty"`    // although alerts still fire; say why in text
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
	Hours int       `json:"hours,omitempty"` // how long, if until is not given
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why"`
}

func (w *Web) addSilence(c *call) (any, error) {
	in := c.input.(*silenceInput)
	until := in.Until
	if until.IsZero() {
		if in.Hours < 1 || in.Hours > 24*90 {
			return nil, &InputError{"say for how many hours (1 to 2160), or until when"}
		}
		until = w.cfg.Now().Add(time.Duration(in.Hours) * time.Hour)
	}
	s, err := w.cfg.Desk.AddSilence(c.ctx(), Silence{Match: in.Match, Until: until, By: c.who.Name, Why: in.Why})
	return &s, err
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
