package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/web"
)

// openSlack mounts the address that Slack sends pressed buttons to, if a channel has a signing secret. Slack signs what it sends; it has no token.
func (p *process) openSlack() error {
	var channels []hookChannel
	for name, c := range p.Settings.Channels {
		if c.Slack == nil || c.Slack.SigningSecretFile == "" {
			continue
		}
		one, err := signedBy(name, c.Slack.SigningSecretFile, c.People)
		if err != nil {
			return err
		}
		channels = append(channels, one)
	}
	if len(channels) > 0 {
		p.mount(web.Way{Path: "/api/v1/hooks/slack", Summary: "A button of a message that was pressed in Slack; its signature is checked", Takes: []string{"application/x-www-form-urlencoded"}, Signed: true},
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.pressed(w, r, channels) }))
	}
	return nil
}

// pressed acknowledges for whoever pressed a button. Slack wants an answer within three seconds, and shows people a fault for any status but 200: what
// the desk refuses, for example what somebody else has already, is told to the operator alone.
func (p *process) pressed(w http.ResponseWriter, r *http.Request, channels []hookChannel) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 256 KiB", http.StatusRequestEntityTooLarge)
		return
	}
	for _, c := range channels {
		a, err := notify.ReadSlackAction(c.secret, r.Header, body, p.Now())
		if errors.Is(err, notify.ErrSignature) {
			continue
		}
		if err != nil { // a button that only opens a page is sent too
			return
		}
		who := c.people[a.User]
		if who == "" {
			who = a.Name + " (Slack)"
		}
		if _, err := p.desk.Acknowledge(r.Context(), a.Incident, incident.Act{By: who}); err != nil {
			p.Log("slack: " + err.Error())
			return
		}
		if err := p.auth.Audit(r.Context(), auth.Audit{By: who, Action: "incident: acknowledge", Target: a.Incident, Detail: "by Slack member " + a.User, From: auth.Address(r)}); err != nil {
			p.Log("slack: " + err.Error())
		}
		return
	}
	http.Error(w, "the signature does not fit, or the request is older than five minutes: is the signing secret in the settings that of the app, and does the clock go right?", http.StatusUnauthorized)
}
