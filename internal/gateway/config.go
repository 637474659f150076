package gateway

import (
	"time"

	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// Config is a gateway. The yaml tags are the keys of its file (docs/gateway.md); package config reads it.
type Config struct {
	Listen    []Listen            `yaml:"listen"`
	Admin     string              `yaml:"admin"` // unix:/path or loopback host:port; "" for none
	AccessLog Log                 `yaml:"access_log"`
	Server    Server              `yaml:"server"`
	Upstreams map[string]Upstream `yaml:"upstreams"`
	Routes    []Route             `yaml:"routes"`
	// Forwarded are the networks whose X-Forwarded-For, X-Forwarded-Proto, traceparent and X-Request-Id are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Audit only records what would be changed; answers pass as they are. Routes can say otherwise.
	Audit bool `yaml:"audit"`
	// EventLog is where circuits that open, servers that go down, and operators' switches are written; default standard error.
	EventLog Log `yaml:"event_log"`
	// Reports is where the form of the error page files what users say; without a file there is no form.
	Reports Log `yaml:"reports"`
}

// Listen is one address that is served.
type Listen struct {
	Address string `yaml:"address"` // host:port or :port
	Cert    string `yaml:"cert"`    // PEM files; both or none
	Key     string `yaml:"key"`
	ACME    *ACME  `yaml:"acme"` // certificates by themselves, instead of files
	H2C     bool   `yaml:"h2c"`  // HTTP/2 without TLS too
}

// ACME is how certificates are had automatically.
type ACME struct {
	Domains []string `yaml:"domains"`
	Email   string   `yaml:"email"`
	Dir     string   `yaml:"dir"`      // where they are kept
	CA      string   `yaml:"ca"`       // directory URL; default Let's Encrypt
	CARoots string   `yaml:"ca_roots"` // PEM file of the CA's own root, for a private CA
}

// Log is the access log.
type Log struct {
	File    string        `yaml:"file"` // default standard output
	MaxSize int64         `yaml:"max_size" unit:"bytes"`
	MaxAge  time.Duration `yaml:"max_age"`
	Keep    int           `yaml:"keep"`
}

// Server are the limits towards clients.
type Server struct {
	HeaderTimeout time.Duration `yaml:"header_timeout"`          // for the header of a request (default 10 s)
	IdleTimeout   time.Duration `yaml:"idle_timeout"`            // of a kept connection (default 75 s)
	StallTimeout  time.Duration `yaml:"stall_timeout"`           // between two pieces of a request's body (default 30 s)
	MaxHeader     int64         `yaml:"max_header" unit:"bytes"` // default 64 KiB
	DrainTimeout  time.Duration `yaml:"drain_timeout"`           // for requests under way at the end (default 30 s)
}

// Upstream is one service behind one or more servers.
type Upstream struct {
	Servers  []string    `yaml:"servers"` // http://, https:// or h2c:// host:port; all of one kind
	Timeouts Timeouts    `yaml:"timeouts"`
	Retries  *int        `yaml:"retries"` // default 2
	Budget   Budget      `yaml:"retry_budget"`
	Breaker  Breaker     `yaml:"breaker"`
	Bulkhead Bulkhead    `yaml:"bulkhead"`
	Adaptive *Adaptive   `yaml:"adaptive_limit"`
	Health   *Health     `yaml:"health"`
	TLS      UpstreamTLS `yaml:"tls"`
	Idle     Idle        `yaml:"keepalive"`
}

// Timeouts bound the stages of an exchange.
type Timeouts struct {
	Connect  time.Duration `yaml:"connect"`  // default 3 s
	Response time.Duration `yaml:"response"` // default 5 s
	Stall    time.Duration `yaml:"stall"`    // default response
}

// Budget bounds the retries of all requests to an upstream together.
type Budget struct {
	Ratio        float64 `yaml:"ratio"`          // retries a request earns (default 0.2)
	MinPerSecond float64 `yaml:"min_per_second"` // default 1
	Max          int     `yaml:"max"`            // default 10
}

// Breaker is the circuit of each server.
type Breaker struct {
	Off         bool          `yaml:"off"`
	Failures    int           `yaml:"failures"`     // in a row (default 5)
	OpenFor     time.Duration `yaml:"open_for"`     // default 30 s
	Probes      int           `yaml:"probes"`       // default 1
	Ratio       float64       `yaml:"ratio"`        // instead of failures in a row: their share
	Window      time.Duration `yaml:"window"`       // default 10 s
	MinRequests int           `yaml:"min_requests"` // default 20
	Statuses    []int         `yaml:"statuses"`     // that count as failures (default 502, 503, 504)
}

// Bulkhead bounds the requests under way to an upstream.
type Bulkhead struct {
	InFlight int           `yaml:"in_flight"` // default 0: no bound
	Queue    int           `yaml:"queue"`
	Wait     time.Duration `yaml:"wait"`
}

// Adaptive finds the bound from the latency.
type Adaptive struct {
	Min     int `yaml:"min"`
	Max     int `yaml:"max"`
	Initial int `yaml:"initial"`
}

// Health is an active check.
type Health struct {
	Path     string        `yaml:"path"`
	Host     string        `yaml:"host"`
	Interval time.Duration `yaml:"interval"`
	Timeout  time.Duration `yaml:"timeout"`
	Fall     int           `yaml:"fall"`
	Rise     int           `yaml:"rise"`
}

// UpstreamTLS is how servers over https are verified.
type UpstreamTLS struct {
	CA         string `yaml:"ca"`          // PEM file of the roots, instead of the system's
	ServerName string `yaml:"server_name"` // instead of the host's
	Cert       string `yaml:"cert"`        // of the gateway, for servers that want one
	Key        string `yaml:"key"`
}

// Idle are the kept connections to each server.
type Idle struct {
	Conns   int           `yaml:"connections"` // default 256
	Timeout time.Duration `yaml:"timeout"`     // default 90 s
}

// Route sends requests to an upstream. Of the routes whose host, path and methods fit, the one with the longest host, then the
// longest path is taken.
type Route struct {
	Name     string   `yaml:"name"`
	Host     string   `yaml:"host"` // exact, or *.domain; default any
	Path     string   `yaml:"path"` // prefix of whole segments; default /
	Methods  []string `yaml:"methods"`
	Upstream string   `yaml:"upstream"`

	StripPrefix string `yaml:"strip_prefix"`
	AddPrefix   string `yaml:"add_prefix"`
	HostHeader  string `yaml:"host_header"` // to send instead of the client's

	MaxBody     int64         `yaml:"max_body" unit:"bytes"` // of a request (default 0: no limit)
	RateLimit   *RateLimit    `yaml:"rate_limit"`
	RetryAfter  time.Duration `yaml:"retry_after"` // added to a 503 or 429 of the upstream that has none (default 5 s)
	Sanitise    *bool         `yaml:"sanitise"`    // bodies of 5xx (default true)
	Mapping     Mapping       `yaml:"error_mapping"`
	Audit       *bool         `yaml:"audit"`
	ErrorPage   string        `yaml:"error_page"` // contact line of the error page
	Maintenance *Maintenance  `yaml:"maintenance"`
}

// RateLimit bounds the requests of a route.
type RateLimit struct {
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"` // default 1 s
	Burst    int           `yaml:"burst"`
	By       string        `yaml:"by"` // client (default) or route
}

// Mapping is which rules correct the status of an answer.
type Mapping struct {
	Off []string `yaml:"off"` // shipped rules that are switched off; all for every one
	Own []Rule   `yaml:"rules"`
}

// Rule maps an answer to the status that is true.
type Rule struct {
	Name       string        `yaml:"name"`
	Statuses   []int         `yaml:"statuses"` // of the upstream
	Body       []string      `yaml:"body"`     // one of the texts, in any case
	Not        []string      `yaml:"not"`      // none of these
	Status     int           `yaml:"status"`   // to answer
	RetryAfter time.Duration `yaml:"retry_after"`
}

// Maintenance closes a route for a time.
type Maintenance struct {
	On      bool      `yaml:"on" json:"on"`
	Message string    `yaml:"message" json:"message,omitempty"`
	Page    string    `yaml:"page" json:"page,omitempty"` // HTML file
	Until   time.Time `yaml:"until" json:"until,omitzero"`
	Allow   []string  `yaml:"allow" json:"allow,omitempty"` // networks that pass
}

func (c *Upstream) protocolOf() (scheme string, p upstream.Protocol, addrs []string, err error) {
	for i, s := range c.Servers {
		sc, pr, addr, err := upstream.ParseServer(s)
		if err != nil {
			return "", "", nil, err
		}
		if i > 0 && (sc != scheme || pr != p) {
			return "", "", nil, errMixed
		}
		scheme, p = sc, pr
		addrs = append(addrs, addr)
	}
	return scheme, p, addrs, nil
}
