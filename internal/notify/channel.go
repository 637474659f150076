package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Secret is a text that is never shown: not by fmt, not in JSON or YAML, not in an error of this package.
type Secret string

const hidden = "(secret)"

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides it from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides it from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Channel is where messages go. Exactly one of the kinds is set.
type Channel struct {
	Name      string
	PagerDuty *PagerDuty
	Slack     *Slack
	Teams     *Teams
	Email     *Email
	Webhook   *Webhook
	People    map[string]string // person -> how the channel knows them: a Slack member id, a mail address
	Allow     []string          // private addresses that it may reach, "10.1.2.0/24"; others are refused
	DryRun    bool
}

// open makes the channel ready to send.
func (c *Channel) open(base string) (channel, error) {
	if c.Name == "" {
		return nil, errors.New("notify: a channel needs a name")
	}
	allow, err := prefixes(c.Allow)
	if err != nil {
		return nil, fmt.Errorf("notify: channel %s: %w", c.Name, err)
	}
	h := newHTTP(allow)
	kinds := 0
	var out channel
	add := func(set bool, open func() (channel, error)) {
		if !set {
			return
		}
		kinds++
		var e error
		out, e = open()
		err = errors.Join(err, e)
	}
	add(c.PagerDuty != nil, func() (channel, error) { return c.PagerDuty.open(h, base) })
	add(c.Slack != nil, func() (channel, error) { return c.Slack.open(h, c.People) })
	add(c.Teams != nil, func() (channel, error) { return c.Teams.open(h) })
	add(c.Email != nil, func() (channel, error) { return c.Email.open(c.People) })
	add(c.Webhook != nil, func() (channel, error) { return c.Webhook.open(h) })
	if kinds != 1 {
		return nil, fmt.Errorf("notify: channel %s: it is one of pagerduty, slack, teams, email and webhook; %d are set", c.Name, kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("notify: channel %s: %w", c.Name, c.withoutSecrets(err))
	}
	return out, nil
}

// secrets lists what must not be shown.
func (c *Channel) secrets() []string {
	var out []string
	add := func(all ...Secret) {
		for _, s := range all {
			if s != "" {
				out = append(out, string(s))
			}
		}
	}
	if c.PagerDuty != nil {
		add(c.PagerDuty.RoutingKey)
	}
	if c.Slack != nil {
		add(c.Slack.URL)
	}
	if c.Teams != nil {
		add(c.Teams.URL)
	}
	if c.Email != nil {
		add(c.Email.Password)
	}
	if c.Webhook != nil {
		add(c.Webhook.URL, c.Webhook.Secret, c.Webhook.Authorization)
	}
	return out
}

// withoutSecrets takes what must not be shown out of an error's text: an address that is a secret stands in the errors of net/http and is echoed by servers.
func (c *Channel) withoutSecrets(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, s := range c.secrets() {
		text = strings.ReplaceAll(text, s, hidden)
		if u, e := url.Parse(s); e == nil && u.Host != "" {
			for _, part := range parts(u) {
				text = strings.ReplaceAll(text, part, hidden)
			}
		}
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return &failure{err: errors.New(text), never: f.never, after: f.after}
	}
	return errors.New(text)
}

// parts lists what in an address lets somebody in: password, and whatever of path and query is long enough to be no word.
func parts(u *url.URL) []string {
	password, _ := u.User.Password()
	all := append(strings.Split(u.EscapedPath(), "/"), strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		all = append(all, values...)
	}
	all = slices.DeleteFunc(append(all, u.RawQuery), func(p string) bool { return len(p) < 8 })
	if password != "" {
		all = append(all, password)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

func prefixes(all []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range all {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err2 := netip.ParseAddr(s)
			if err2 != nil {
				return nil, fmt.Errorf("allow: %q is no address and no network such as 10.1.2.0/24", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// address checks a channel's address without showing it.
func address(u Secret) (string, error) {
	if u == "" {
		return "", errors.New("it needs a url")
	}
	p, err := url.Parse(string(u))
	if err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http" {
		return "", errors.New("its url is no http or https address")
	}
	return string(u), nil
}

func checkBase(base string) error {
	if base == "" {
		return nil
	}
	if _, err := address(Secret(base)); err != nil {
		return fmt.Errorf("notify: the base url %q is no http or https address", base)
	}
	return nil
}
