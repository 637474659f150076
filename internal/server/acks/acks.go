// Package acks takes acknowledgements that people give where they are told: a button in Slack, an acknowledgement in PagerDuty.
package acks

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// Signers are the channels of one kind whose people acknowledge where they are told; what they did is signed, there is no token.
type Signers struct {
	Desk     *incident.Desk
	Auth     *auth.Auth
	Channels []Signer
	Log      func(string)
	Now      func() time.Time
}

// Signer is one channel.
type Signer struct {
	Secret notify.Secret
	People map[string]string // the channel's id of a person: person
}

// Slack acknowledges for whoever pressed a button. Slack wants an answer within three seconds, and shows people a fault for any status but 200: what
// the desk refuses, for example what somebody else has already, is told to the operator alone.
func (p *Signers) Slack(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 256 KiB", http.StatusRequestEntityTooLarge)
		return
	}
	for _, c := range p.Channels {
		a, err := notify.ReadSlackAction(c.Secret, r.Header, body, p.Now())
		if errors.Is(err, notify.ErrSignature) {
			continue
		}
		if err != nil { // a button that only opens a page is sent too
			return
		}
		who := c.People[a.User]
		if who == "" {
			who = a.Name + " (Slack)"
		}
		if _, err := p.Desk.Acknowledge(r.Context(), a.Incident, incident.Act{By: who}); err != nil {
			p.Log("slack: " + err.Error())
			return
		}
		if err := p.Auth.Audit(r.Context(), auth.Audit{By: who, Action: "incident: acknowledge", Target: a.Incident, Detail: "by Slack member " + a.User, From: auth.Address(r)}); err != nil {
			p.Log("slack: " + err.Error())
		}
		return
	}
	http.Error(w, "the signature does not fit, or the request is older than five minutes: is the signing secret in the settings that of the app, and does the clock go right?", http.StatusUnauthorized)
}

// PagerDuty acknowledges for whoever did so in PagerDuty. PagerDuty sends again what was answered with 5xx, and turns a webhook off that fails too often: what
// does not concern us, or was acknowledged before, is answered with success.
func (p *Signers) PagerDuty(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 1 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	for _, c := range p.Channels {
		e, err := notify.ReadPagerDutyEvent(c.Secret, r.Header, body)
		switch {
		case errors.Is(err, notify.ErrSignature):
			continue
		case err != nil:
			http.Error(w, "the body is no event", http.StatusBadRequest)
		case !e.Acknowledged:
			w.WriteHeader(http.StatusAccepted)
		default:
			p.acknowledgedThere(w, r, e, cmp.Or(c.People[e.User], redact.Clean(cmp.Or(e.Name, e.User), 200)+" (PagerDuty)"))
		}
		return
	}
	http.Error(w, "the signature does not fit: is the secret in the settings that of the webhook?", http.StatusUnauthorized)
}

// acknowledgedThere acknowledges what nobody has here. Who has it keeps it: what is acknowledged here PagerDuty tells, too.
func (p *Signers) acknowledgedThere(w http.ResponseWriter, r *http.Request, e notify.PagerDutyEvent, who string) {
	_, err := p.Desk.Acknowledge(r.Context(), e.Incident, incident.Act{By: who, State: inquest.IncidentOpen})
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict), errors.Is(err, incident.ErrInput):
		w.WriteHeader(http.StatusAccepted)
		return
	case err != nil:
		p.Log("pagerduty: " + err.Error())
		http.Error(w, "it could not be written down; send it again", http.StatusServiceUnavailable)
		return
	}
	if err := p.Auth.Audit(r.Context(), auth.Audit{By: who, Action: "incident: acknowledge", Target: e.Incident, Detail: "by PagerDuty user " + redact.Clean(e.User, 200), From: auth.Address(r)}); err != nil {
		p.Log("pagerduty: " + err.Error())
	}
	w.WriteHeader(http.StatusAccepted)
}
