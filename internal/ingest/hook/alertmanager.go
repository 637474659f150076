package hook

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

// Bounds on one webhook of an Alertmanager. Its own groups have some dozens of alerts.
const (
	maxAlerts      = 10_000
	maxAlertLabels = 64
	maxAlertText   = 4096
)

// alertSource is the source that an Alertmanager's token is for, and of its alerts.
const alertSource = "alertmanager"

// alertmanager takes a webhook of version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. It sends again what is
// answered with 5xx, and forgets what is answered with 4xx.
func (h *Hooks) alertmanager(w http.ResponseWriter, r *http.Request) (string, error) {
	n, err := h.takeAlerts(w, r)
	if err != nil {
		h.cfg.Intake.NotTaken(alertSource, ingest.Alerts, max(n, 1), err)
		return "", err
	}
	h.cfg.Intake.Received(alertSource, ingest.Alerts, n)
	return fmt.Sprintf("%d alerts", n), nil
}

func (h *Hooks) takeAlerts(w http.ResponseWriter, r *http.Request) (int, error) {
	if err := h.cfg.Auth.Check(r, alertSource); err != nil {
		return 0, err
	}
	body, hold, err := h.cfg.Intake.Body(w, r)
	if err != nil {
		return 0, asServerError(err)
	}
	defer hold.Release()
	alerts, err := readAlerts(body)
	if err != nil {
		return 0, err
	}
	if err := h.cfg.Alerts(r.Context(), alerts); err != nil {
		return len(alerts), fmt.Errorf("the alerts were not kept: %w", err)
	}
	return len(alerts), nil
}

// asServerError turns 429 into 503: an Alertmanager does not send again what is answered with 4xx.
func asServerError(err error) error {
	if status, after := ingest.Status(err); status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return &ingest.Refusal{Status: http.StatusServiceUnavailable, After: max(after, time.Second), Err: err}
	}
	return err
}

type sentAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Generator   string            `json:"generatorURL"`
}

func readAlerts(body []byte) ([]inquest.Alert, error) {
	var m struct {
		Version string      `json:"version"`
		Alerts  []sentAlert `json:"alerts"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, ingest.Refuse(http.StatusBadRequest, "the body is no webhook of an Alertmanager: %w", err)
	}
	if m.Version != "4" {
		return nil, ingest.Refuse(http.StatusBadRequest, "webhook version %.20q: Alertmanager's version 4 is read", m.Version)
	}
	if len(m.Alerts) > maxAlerts {
		return nil, ingest.Refuse(http.StatusBadRequest, "%d alerts in one webhook, at most %d: set max_alerts", len(m.Alerts), maxAlerts)
	}
	out := make([]inquest.Alert, 0, len(m.Alerts))
	for i := range m.Alerts {
		a, err := m.Alerts[i].alert()
		if err != nil {
			return nil, ingest.Refuse(http.StatusBadRequest, "alert %d: %w", i+1, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func (s *sentAlert) alert() (inquest.Alert, error) {
	if len(s.Labels) > maxAlertLabels || len(s.Annotations) > maxAlertLabels {
		return inquest.Alert{}, fmt.Errorf("it has more than %d labels or annotations", maxAlertLabels)
	}
	labels := bounded(s.Labels)
	a := inquest.Alert{Rule: labels["alertname"], Labels: labels, Annotations: bounded(s.Annotations), Since: s.StartsAt.UTC(), Fired: s.StartsAt.UTC(), Source: alertSource, URL: webAddress(s.Generator)}
	delete(labels, "alertname")
	if a.Rule == "" {
		return a, fmt.Errorf("it has no label alertname")
	}
	switch s.Status {
	case "firing":
		a.State = inquest.AlertFiring
	case "resolved":
		a.State, a.Resolved = inquest.AlertResolved, s.EndsAt.UTC()
	default:
		return a, fmt.Errorf("status %.40q is not known: firing or resolved", s.Status)
	}
	return a, nil
}

// bounded copies labels, values cut to a bounded length.
func bounded(in map[string]string) map[string]string {
	out := maps.Clone(in)
	for k, v := range out {
		if len(v) > maxAlertText {
			out[k] = strings.ToValidUTF8(v[:maxAlertText], "")
		}
	}
	if out == nil {
		out = map[string]string{}
	}
	return out
}

// webAddress is an address that a page may link to, "" for others: javascript: is one too.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(s) > maxAlertText {
		return ""
	}
	return s
}
