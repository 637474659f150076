package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// Message is what people are told: the state of an incident, or of an alert that belongs to none, when it is sent.
type Message struct {
	ID       string // of the notice; the same in each attempt
	Key      string // what the channel groups by: the incident's id
	Occasion inquest.Occasion
	Title    string // one line
	Facts    []Fact // verdict, blast radius, first action, ..., in the order in which they are read
	Link     string // to the page; "" when the server's address is not set
	To       string // a person
	Severity inquest.Severity
	State    inquest.IncidentState
	Services []string
	Time     time.Time // since when
	Over     bool      // nothing is left to do

	Incident *inquest.Incident // nil for an alert
	Alert    *inquest.Alert    // nil for an incident
}

// Fact is one thing to know.
type Fact struct {
	Name string
	Text string
}

// headline says what has happened, for the beginning of a title.
func headline(o inquest.Occasion) string {
	switch o {
	case inquest.OccasionDiagnosed:
		return "cause found"
	case inquest.OccasionEscalated:
		return "nobody has acknowledged"
	case inquest.OccasionWorse:
		return "got worse"
	case inquest.OccasionAlert:
		return "alert"
	case inquest.OccasionAlertOver:
		return "alert resolved"
	}
	return string(o)
}

// message renders a notice from what is known now.
func (s *Sender) message(ctx context.Context, n *inquest.Notice) (*Message, error) {
	kind, id := "incident", n.Incident
	if id == "" {
		kind, id = "alert", n.Alert
	}
	r, err := s.cfg.Records.Get(ctx, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, permanent(fmt.Errorf("the %s %s is not there any more", kind, id))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, id, err)
	}
	m := &Message{ID: n.ID, Key: cmp.Or(n.Incident, "alert-"+n.Alert), Occasion: n.Occasion, To: n.To}
	if n.Incident == "" {
		m.Alert = &inquest.Alert{}
		if err := json.Unmarshal(r.Body, m.Alert); err != nil {
			return nil, permanent(fmt.Errorf("the alert %s cannot be read: %w", id, err))
		}
		m.ofAlert()
		return m, nil
	}
	m.Incident = &inquest.Incident{}
	if err := json.Unmarshal(r.Body, m.Incident); err != nil {
		return nil, permanent(fmt.Errorf("the incident %s cannot be read: %w", id, err))
	}
	if s.cfg.BaseURL != "" {
		m.Link = strings.TrimSuffix(s.cfg.BaseURL, "/") + "/incidents/" + id
	}
	m.ofIncident()
	return m, nil
}

func (m *Message) ofIncident() {
	i := m.Incident
	m.Severity, m.State, m.Services, m.Time = i.Severity, i.State, i.Services, i.Onset
	for _, t := range []time.Time{i.Detected, i.Opened} {
		if m.Time.IsZero() {
			m.Time = t
		}
	}
	m.Over = !i.State.Active()
	m.Title = redact.Clean(fmt.Sprintf("%s %s: %s [%s]", i.Severity, headline(m.Occasion), i.Title, i.ID), 250)
	m.fact("State", state(i))
	m.fact("Verdict", verdict(i))
	m.fact("Blast radius", radius(i))
	if i.State.Active() {
		m.fact("First action", i.Verdict.Action)
	}
	if i.Merged != "" {
		m.fact("Part of", i.Merged)
	}
	if i.Repeats != "" {
		m.fact("Repeat", "the same cause as "+i.Repeats)
	}
	m.fact("Since", m.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	m.fact("For", m.To)
}

func (m *Message) ofAlert() {
	a := m.Alert
	m.Severity, m.Time, m.Over = inquest.SEV4, a.Fired, a.State == inquest.AlertResolved
	if s := a.Service(); s != "" {
		m.Services = []string{s}
	}
	what := cmp.Or(a.Annotations["summary"], a.Rule)
	m.Title = redact.Clean(headline(m.Occasion)+": "+what, 250)
	m.Link = ""
	m.fact("Rule", a.Rule+inquest.LabelText(a.Labels))
	m.fact("Description", a.Annotations["description"])
	m.fact("Since", m.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func (m *Message) fact(name, text string) {
	if text = strings.TrimSpace(redact.Clean(text, 500)); text != "" {
		m.Facts = append(m.Facts, Fact{name, text})
	}
}

func state(i *inquest.Incident) string {
	if i.Owner != "" && i.State.Active() {
		return string(i.State) + ", " + i.Owner + " has it"
	}
	return string(i.State)
}

// verdict says how sure it is; that nothing is known yet is said too.
func verdict(i *inquest.Incident) string {
	v := i.Verdict
	switch {
	case i.Revision == 0:
		return "not investigated yet"
	case v.Level == inquest.Open:
		return "open: " + v.Summary
	}
	return fmt.Sprintf("%s (%.0f%%): %s", v.Level, 100*v.Confidence, v.Summary)
}

// radius says who is hit and how badly.
func radius(i *inquest.Incident) string {
	out := strings.Join(i.Services, ", ")
	if i.Requests > 0 {
		out += fmt.Sprintf(": %d of %d requests failed (%.1f%%)", i.Failed, i.Requests, 100*float64(i.Failed)/float64(i.Requests))
	}
	if i.Reports == 1 {
		out += "; one user has reported it"
	}
	if i.Reports > 1 {
		out += fmt.Sprintf("; %d users have reported it", i.Reports)
	}
	if i.Cost > 0 {
		out += strings.TrimRight(fmt.Sprintf("; %.0f %s so far", i.Cost, i.Currency), " ")
	}
	return out
}

// text writes the message in lines, for channels that show plain text.
func (m *Message) text() string {
	var b strings.Builder
	for _, f := range m.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Text)
	}
	if m.Link != "" {
		fmt.Fprintf(&b, "%s\n", m.Link)
	}
	return b.String()
}
