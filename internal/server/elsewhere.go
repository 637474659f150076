package server

import (
	"fmt"
	"net/http"

	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/server/acks"
	"github.com/inquesthq/inquest/internal/web"
)

// openAcks mounts the addresses that Slack sends pressed buttons to and PagerDuty acknowledgements, each if a channel has its secret.
func (p *process) openAcks() error {
	for _, kind := range []struct {
		way    web.Way
		secret func(*Channel) string
		handle func(*acks.Signers) http.HandlerFunc
	}{
		{web.Way{Path: "/api/v1/hooks/slack", Summary: "A button of a message that was pressed in Slack; its signature is checked", Takes: []string{"application/x-www-form-urlencoded"}, Signed: true},
			func(c *Channel) string {
				if c.Slack == nil {
					return ""
				}
				return c.Slack.SigningSecretFile
			}, func(s *acks.Signers) http.HandlerFunc { return s.Slack }},
		{web.Way{Path: "/api/v1/hooks/pagerduty", Summary: "Webhook of PagerDuty, version 3: acknowledgements; X-PagerDuty-Signature is checked", Takes: []string{"application/json"}, Signed: true},
			func(c *Channel) string {
				if c.PagerDuty == nil {
					return ""
				}
				return c.PagerDuty.WebhookSecretFile
			}, func(s *acks.Signers) http.HandlerFunc { return s.PagerDuty }},
	} {
		s := &acks.Signers{Desk: p.desk, Auth: p.auth, Log: p.Log, Now: p.Now}
		for name, c := range p.Settings.Channels {
			file := kind.secret(&c)
			if file == "" {
				continue
			}
			key, err := secret(file)
			if err != nil {
				return fmt.Errorf("channels: %s: %w", name, err)
			}
			one := acks.Signer{Secret: notify.Secret(key), People: map[string]string{}}
			for person, id := range c.People {
				one.People[id] = person
			}
			s.Channels = append(s.Channels, one)
		}
		if len(s.Channels) > 0 {
			p.mount(kind.way, kind.handle(s))
		}
	}
	return nil
}
