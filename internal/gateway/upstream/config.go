package upstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// Config is an upstream: one service behind one or more servers.
type Config struct {
	Name     string   // of the service, for the log and the policies; required
	Servers  []string // host:port each; at least one
	Scheme   string   // http (default) or https
	Protocol Protocol // HTTP1 (default; over TLS also HTTP/2) or H2C
	TLS      *tls.Config

	ConnectTimeout  time.Duration // to connect, and for the TLS handshake (default 3 s)
	ResponseTimeout time.Duration // from the request, or its latest piece, to the whole header of the answer (default 5 s)
	StallTimeout    time.Duration // between two pieces of a body (default ResponseTimeout)
	IdleTimeout     time.Duration // a kept connection is closed after (default 90 s)
	IdleConns       int           // kept for each server (default 256)

	// Retries is how often a request may be sent again, beside the first time (default 2; -1 for never). Which ones may be is not
	// to be set: those of which nothing was sent, of which the upstream says that it did not process them, and GET, HEAD, OPTIONS
	// and TRACE or whatever carries an Idempotency-Key.
	Retries int
	Budget  policy.BudgetConfig // of the retries of all requests together

	Breaker   policy.BreakerConfig // for each server; Name and OnChange are filled in
	Failures  []int                // statuses that count against a server (default 502, 503, 504)
	NoBreaker bool

	InFlight int                    // requests at a time (default 0: no bound of its own)
	Queue    int                    // requests that may wait for a place
	Wait     time.Duration          // for at most (default 1 s)
	Adaptive *policy.AdaptiveConfig // instead of InFlight: a limit found from the latency; nil for none

	Health *HealthConfig // active checks; nil for none

	OnChange func(server string, c policy.Change, cause *Failure) // a circuit opened or closed; cause is the server's latest failure, nil if it has none
	OnHealth func(server string, up bool, why string)             // an active check changed its mind
}

func (c *Config) fill() error {
	if c.Name == "" {
		return errors.New("upstream: no name")
	}
	if len(c.Servers) == 0 {
		return fmt.Errorf("upstream %s: no servers; list at least one as host:port", c.Name)
	}
	for _, s := range c.Servers {
		if host, port, err := net.SplitHostPort(s); err != nil || host == "" || port == "" {
			return fmt.Errorf("upstream %s: server %q is not host:port", c.Name, s)
		}
	}
	switch c.Scheme {
	case "":
		c.Scheme = "http"
	case "http", "https":
	default:
		return fmt.Errorf("upstream %s: scheme %q is neither http nor https", c.Name, c.Scheme)
	}
	if c.Protocol == "" {
		c.Protocol = HTTP1
	}
	if c.Protocol == H2C && c.Scheme == "https" {
		return fmt.Errorf("upstream %s: h2c is HTTP/2 without TLS; over https HTTP/2 is agreed on by itself", c.Name)
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&c.ConnectTimeout, 3 * time.Second}, {&c.ResponseTimeout, 5 * time.Second}, {&c.StallTimeout, 0}, {&c.IdleTimeout, 90 * time.Second}} {
		if *d.v < 0 {
			return fmt.Errorf("upstream %s: a negative timeout; leave it out for the default", c.Name)
		}
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if c.StallTimeout == 0 {
		c.StallTimeout = c.ResponseTimeout
	}
	if c.IdleConns == 0 {
		c.IdleConns = 256
	}
	if c.Retries == 0 {
		c.Retries = 2
	}
	return nil
}

// ParseServer reads a server as it is written in the configuration: http://host:port, https://host:port or h2c://host:port.
func ParseServer(s string) (scheme string, p Protocol, hostport string, err error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", "", "", fmt.Errorf("%q is no server; write it as http://host:port, https://host:port or h2c://host:port", s)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return "", "", "", fmt.Errorf("%q: a server is scheme, host and port only; paths are rewritten by the route (strip_prefix, add_prefix)", s)
	}
	scheme, p = u.Scheme, HTTP1
	port := "80"
	switch u.Scheme {
	case "http":
	case "https":
		port = "443"
	case "h2c":
		scheme, p = "http", H2C
	default:
		return "", "", "", fmt.Errorf("%q: the scheme is one of http, https, h2c", s)
	}
	host := u.Hostname()
	if u.Port() != "" {
		port = u.Port()
	}
	if host == "" {
		return "", "", "", fmt.Errorf("%q names no host", s)
	}
	return scheme, p, net.JoinHostPort(host, port), nil
}
