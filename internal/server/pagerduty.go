package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// openPagerDuty mounts the address that PagerDuty tells of acknowledgements, if a channel has the secret of its webhook.
func (p *process) openPagerDuty() error {
	var channels []hookChannel
	for name, c := range p.Settings.Channels {
		if c.PagerDuty == nil || c.PagerDuty.WebhookSecretFile == "" {
			continue
		}
		one, err := signedBy(name, c.PagerDuty.WebhookSecretFile, c.People)
		if err != nil {
			return err
		}
		channels = append(channels, one)
	}
	if len(channels) > 0 {
		p.mount(web.Way{Path: "/api/v1/hooks/pagerduty", Summary: "Webhook of PagerDuty, version 3: acknowledgements; X-PagerDuty-Signature is checked", Takes: []string{"application/json"}, Signed: true},
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.told(w, r, channels) }))
	}
	return nil
}

// told acknowledges for whoever did so in PagerDuty. PagerDuty sends again what was answered with 5xx, and turns a webhook off that fails too often: what
// does not concern us, or was acknowledged before, is answered with success.
func (p *process) told(w http.ResponseWriter, r *http.Request, channels []hookChannel) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 1 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	for _, c := range channels {
		e, err := notify.ReadPagerDutyEvent(c.secret, r.Header, body)
		switch {
		case errors.Is(err, notify.ErrSignature):
			continue
		case err != nil:
			http.Error(w, "the body is no event", http.StatusBadRequest)
		case !e.Acknowledged:
			w.WriteHeader(http.StatusAccepted)
		default:
			p.acknowledgedThere(w, r, e, cmp.Or(c.people[e.User], redact.Clean(cmp.Or(e.Name, e.User), 200)+" (PagerDuty)"))
		}
		return
	}
	http.Error(w, "the signature does not fit: is the secret in the settings that of the webhook?", http.StatusUnauthorized)
}

// acknowledgedThere acknowledges what nobody has here. Who has it keeps it: what is acknowledged here PagerDuty tells, too.
func (p *process) acknowledgedThere(w http.ResponseWriter, r *http.Request, e notify.PagerDutyEvent, who string) {
	_, err := p.desk.Acknowledge(r.Context(), e.Incident, incident.Act{By: who, State: inquest.IncidentOpen})
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict), errors.Is(err, incident.ErrInput):
		w.WriteHeader(http.StatusAccepted)
		return
	case err != nil:
		p.Log("pagerduty: " + err.Error())
		http.Error(w, "it could not be written down; send it again", http.StatusServiceUnavailable)
		return
	}
	if err := p.auth.Audit(r.Context(), auth.Audit{By: who, Action: "incident: acknowledge", Target: e.Incident, Detail: "by PagerDuty user " + redact.Clean(e.User, 200), From: auth.Address(r)}); err != nil {
		p.Log("pagerduty: " + err.Error())
	}
	w.WriteHeader(http.StatusAccepted)
}

// hookChannel is a channel whose people acknowledge where they are told; what they did is signed.
type hookChannel struct {
	secret notify.Secret
	people map[string]string // the channel's id of a person: person
}

func signedBy(name, file string, people map[string]string) (hookChannel, error) {
	key, err := secret(file)
	if err != nil {
		return hookChannel{}, fmt.Errorf("channels: %s: %w", name, err)
	}
	one := hookChannel{notify.Secret(key), map[string]string{}}
	for person, id := range people {
		one.people[id] = person
	}
	return one, nil
}
