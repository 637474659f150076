package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/notify"
)

// openPeople opens who may come in, and how people are told.
func (p *process) openPeople(context.Context) error {
	channels, err := p.channels()
	if err != nil {
		return err
	}
	p.sender, err = notify.New(notify.Config{Records: p.records, Channels: channels, BaseURL: p.Settings.URL, DryRun: p.Settings.DryRun, Failed: p.failed("messages"), Now: p.Now})
	if err != nil {
		return err
	}
	p.also("messages", p.sender.Run)
	cfg := auth.Config{Records: p.records, Now: p.Now, URL: p.Settings.URL}
	for _, name := range slices.Sorted(maps.Keys(p.Settings.Access.Users)) {
		u := p.Settings.Access.Users[name]
		cfg.Users = append(cfg.Users, auth.User{Name: name, Password: u.Password, Role: auth.Role(u.Role)})
	}
	if o := p.Settings.Access.OIDC; o != nil {
		key, err := secret(o.SecretFile)
		if err != nil {
			return err
		}
		roles := map[string]auth.Role{}
		for value, role := range o.Roles {
			roles[value] = auth.Role(role)
		}
		cfg.OIDC = &auth.OIDC{Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: key, Scopes: o.Scopes, Claim: o.Claim, Roles: roles, Default: auth.Role(o.Default)}
	}
	p.auth, err = auth.New(cfg)
	return err
}

func (p *process) channels() ([]notify.Channel, error) {
	var out []notify.Channel
	var errs []error
	read := func(file string) notify.Secret {
		s, err := secret(file)
		errs = append(errs, err)
		return notify.Secret(s)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Settings.Channels)) {
		c := p.Settings.Channels[name]
		n := notify.Channel{Name: name, People: c.People, Allow: c.Allow, DryRun: c.DryRun}
		switch {
		case c.PagerDuty != nil:
			n.PagerDuty = &notify.PagerDuty{RoutingKey: read(c.PagerDuty.KeyFile), URL: c.PagerDuty.URL}
		case c.Slack != nil:
			n.Slack = &notify.Slack{URL: read(c.Slack.URLFile), Interactive: c.Slack.SigningSecretFile != ""}
		case c.Teams != nil:
			n.Teams = &notify.Teams{URL: read(c.Teams.URLFile)}
		case c.Email != nil:
			n.Email = &notify.Email{Host: c.Email.Server, From: c.Email.From, To: c.Email.To, User: c.Email.User, Password: read(c.Email.PasswordFile), Plain: c.Email.NoTLS}
		case c.Webhook != nil:
			n.Webhook = &notify.Webhook{URL: notify.Secret(c.Webhook.URL), Secret: read(c.Webhook.SecretFile)}
		}
		out = append(out, n)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	return out, nil
}
