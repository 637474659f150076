package notify

import (
	"context"
	"errors"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
)

// PagerDuty sends events of its Events API v2. The incident's id is the dedup key: PagerDuty has one incident for one of ours, and hears of its acknowledgement and end.
type PagerDuty struct {
	RoutingKey Secret // of the integration "Events API v2"
	URL        string // "" is PagerDuty's own; the EU has https://events.eu.pagerduty.com/v2/enqueue
}

const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

type pagerDuty struct {
	*httpClient
	url, key, client string
}

func (p *PagerDuty) open(h *httpClient, base string) (channel, error) {
	if p.RoutingKey == "" {
		return nil, errors.New("it needs a routing key, of the integration Events API v2")
	}
	to := p.URL
	if to == "" {
		to = pagerDutyURL
	}
	to, err := address(Secret(to))
	return &pagerDuty{h, to, string(p.RoutingKey), base}, err
}

type pagerDutyEvent struct {
	RoutingKey  string            `json:"routing_key"`
	EventAction string            `json:"event_action"`
	DedupKey    string            `json:"dedup_key"`
	Client      string            `json:"client,omitempty"`
	ClientURL   string            `json:"client_url,omitempty"`
	Payload     *pagerDutyPayload `json:"payload,omitempty"`
	Links       []pagerDutyLink   `json:"links,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp,omitempty"`
	Component string            `json:"component,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// pagerDutyAction is the event for an occasion. PagerDuty notes a trigger for a key that it has already, and calls nobody again.
func pagerDutyAction(o inquest.Occasion) string {
	switch o {
	case inquest.OccasionAcknowledged:
		return "acknowledge"
	case inquest.OccasionResolved, inquest.OccasionAlertOver:
		return "resolve"
	}
	return "trigger"
}

func (p *pagerDuty) send(ctx context.Context, m *Message) (string, error) {
	e := pagerDutyEvent{RoutingKey: p.key, EventAction: pagerDutyAction(m.Occasion), DedupKey: m.Key}
	if e.EventAction == "trigger" {
		e.Client, e.ClientURL = "Inquest", m.Link
		if m.Link == "" {
			e.ClientURL = p.client
		}
		e.Payload = &pagerDutyPayload{
			Summary: redact.Clean(m.Title, 1024), Source: "inquest", Severity: pagerDutySeverity(m.Severity), Timestamp: m.Time.UTC().Format(time.RFC3339), Details: map[string]string{},
		}
		if len(m.Services) > 0 {
			e.Payload.Component, e.Payload.Source = m.Services[0], m.Services[0]
		}
		if m.Incident != nil {
			e.Payload.Class = string(m.Incident.Verdict.Mechanism)
		}
		for _, f := range m.Facts {
			e.Payload.Details[f.Name] = f.Text
		}
		if m.Link != "" {
			e.Links = []pagerDutyLink{{m.Link, "Incident " + m.Key}}
		}
	}
	return "", p.post(ctx, p.url, e, nil)
}

func pagerDutySeverity(s inquest.Severity) string {
	switch s {
	case inquest.SEV1:
		return "critical"
	case inquest.SEV2:
		return "error"
	case inquest.SEV3:
		return "warning"
	}
	return "info"
}
