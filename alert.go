package inquest

import "time"

// AlertState is where an alert stands; the words are Prometheus'.
type AlertState string

// The states of an alert.
const (
	AlertPending  AlertState = "pending"  // the condition holds, but not yet for as long as the rule wants
	AlertFiring   AlertState = "firing"   // it holds
	AlertResolved AlertState = "resolved" // it does not hold any more
)

// AlertUrgency says who is to be told.
type AlertUrgency string

// The urgencies, most urgent first; they are the values of the label "severity".
const (
	UrgencyPage   AlertUrgency = "page"   // wake a person
	UrgencyChat   AlertUrgency = "chat"   // tell the team, now
	UrgencyTicket AlertUrgency = "ticket" // somebody has to look, in working hours
)

// MayFail is the share of a service's requests that may fail before people are told: 1% where users cannot do without it, else 5%. The shipped rules have the
// same figures (docs/rules.md), and a service is shown as degraded, and not yet served again, above them.
func MayFail(critical bool) float64 {
	if critical {
		return 0.01
	}
	return 0.05
}

// Alert is one condition on one thing: a rule whose expression gave a sample with these labels.
type Alert struct {
	Rule        string            `json:"rule"`   // the alert's name in its rule file
	Labels      map[string]string `json:"labels"` // of the sample and the rule, without alertname
	Annotations map[string]string `json:"annotations,omitempty"`
	State       AlertState        `json:"state"`
	Since       time.Time         `json:"since"`          // when the condition began to hold
	Fired       time.Time         `json:"fired,omitzero"` // when it had held for long enough
	Resolved    time.Time         `json:"resolved,omitzero"`
	Value       float64           `json:"value"`  // of the expression when it was last looked at
	Source      string            `json:"source"` // "rules", or who sent it: "alertmanager"
	URL         string            `json:"url,omitempty"`
}

// Urgency reads the label "severity". "critical" pages, as most Prometheus rule files have it; what is not known tells the team.
func (a *Alert) Urgency() AlertUrgency {
	switch s := a.Labels["severity"]; s {
	case "page", "critical", "emergency":
		return UrgencyPage
	case "ticket", "info", "notice":
		return UrgencyTicket
	}
	return UrgencyChat
}

// Service names whom the alert is about, "" when it does not say.
func (a *Alert) Service() string {
	for _, key := range []string{"service", "service_name", "app", "job"} {
		if v := a.Labels[key]; v != "" {
			return v
		}
	}
	return ""
}

// Key tells alerts apart: rule, source and labels. The same condition on the same thing has the same key in every evaluation.
func (a *Alert) Key() string { return a.Source + "/" + a.Rule + LabelText(a.Labels) }
