package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

var errMixed = errors.New("servers of one upstream speak one protocol: all http, all https or all h2c")

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Path []string // keys and indices from the top, for example upstreams, shop, servers, 0
	Text string   // what is wrong, and the remedy
}

func (f Fault) Error() string { return strings.Join(f.Path, ".") + ": " + f.Text }

// table is a configuration that is served: what it says, built.
type table struct {
	cfg       Config
	upstreams map[string]*upstream.Upstream
	routes    []*route // the most specific first
	trusted   []netip.Prefix
	judges    map[string]*answer.Judge
}

// build makes a table. It collects everything that is wrong. With upstreams unstarted nothing runs yet: see start.
func (g *Gateway) build(cfg Config) (*table, []Fault) {
	cfg = cfg.WithDefaults()
	t := &table{cfg: cfg, upstreams: map[string]*upstream.Upstream{}, judges: map[string]*answer.Judge{}}
	faults := cfg.checkListen()
	fault := func(err error, path ...string) {
		if err != nil {
			faults = append(faults, Fault{path, err.Error()})
		}
	}
	for i, s := range cfg.TrustedProxies {
		p, err := network(s)
		fault(err, "trusted_proxies", itoa(i))
		t.trusted = append(t.trusted, p)
	}
	for _, name := range sortedKeys(cfg.Upstreams) {
		uc := cfg.Upstreams[name]
		c, err := g.upstreamConfig(name, &uc)
		if err != nil {
			fault(err, "upstreams", name)
			continue
		}
		u, err := upstream.New(c)
		fault(err, "upstreams", name)
		if err == nil {
			t.upstreams[name] = u
		}
	}
	if len(cfg.Routes) == 0 {
		fault(errors.New("missing; write at least one route with an upstream"), "routes")
	}
	names := map[string]int{}
	for i := range cfg.Routes {
		r, errs := g.newRoute(&cfg, &cfg.Routes[i], t)
		for _, f := range errs {
			faults = append(faults, Fault{append([]string{"routes", itoa(i)}, f.Path...), f.Text})
		}
		if r == nil {
			continue
		}
		if at, twice := names[r.name]; twice {
			fault(fmt.Errorf("the name %q is route %d's already; names are for logs and commands, give each route its own", r.name, at+1), "routes", itoa(i), "name")
		}
		names[r.name] = i
		t.routes = append(t.routes, r)
	}
	slices.SortStableFunc(t.routes, moreSpecific)
	if len(faults) > 0 {
		t.close()
		return nil, faults
	}
	return t, nil
}

func (t *table) close() {
	for _, u := range t.upstreams {
		u.Close()
	}
}

func (g *Gateway) upstreamConfig(name string, c *Upstream) (upstream.Config, error) {
	scheme, protocol, addrs, err := c.protocolOf()
	if err != nil {
		return upstream.Config{}, err
	}
	tc, err := clientTLS(&c.TLS, scheme)
	if err != nil {
		return upstream.Config{}, err
	}
	out := upstream.Config{
		Name: name, Servers: addrs, Scheme: scheme, Protocol: protocol, TLS: tc,
		ConnectTimeout: c.Timeouts.Connect, ResponseTimeout: c.Timeouts.Response, StallTimeout: c.Timeouts.Stall,
		IdleTimeout: c.Idle.Timeout, IdleConns: c.Idle.Conns,
		Budget:    policy.BudgetConfig{Ratio: c.Budget.Ratio, MinPerSecond: c.Budget.MinPerSecond, Max: c.Budget.Max},
		NoBreaker: c.Breaker.Off, Failures: c.Breaker.Statuses,
		Breaker: policy.BreakerConfig{Failures: c.Breaker.Failures, OpenFor: c.Breaker.OpenFor, Probes: c.Breaker.Probes,
			Ratio: c.Breaker.Ratio, Window: c.Breaker.Window, MinRequests: c.Breaker.MinRequests},
		InFlight: c.Bulkhead.InFlight, Queue: c.Bulkhead.Queue, Wait: c.Bulkhead.Wait,
		OnChange: func(server string, ch policy.Change, cause *upstream.Failure) {
			e := Event{Time: time.Now(), Kind: "breaker", Upstream: name, Server: server, Text: ch.From.String() + " to " + ch.To.String()}
			if ch.To == policy.Open && cause != nil {
				e.Said = cause.Error()
			}
			g.tell(e)
		},
		OnHealth: func(server string, up bool, why string) {
			state := "up"
			if !up {
				state = "down: " + why
			}
			g.event("health", name, server, state)
		},
	}
	if c.Retries != nil {
		if out.Retries = *c.Retries; *c.Retries == 0 {
			out.Retries = -1
		}
		if *c.Retries < 0 || *c.Retries > 2 {
			return out, errors.New("retries: at most two retries are honest; write 0, 1 or 2")
		}
	}
	if a := c.Adaptive; a != nil {
		out.Adaptive = &policy.AdaptiveConfig{Min: a.Min, Max: a.Max, Initial: a.Initial}
	}
	if h := c.Health; h != nil {
		out.Health = &upstream.HealthConfig{Path: h.Path, Host: h.Host, Interval: h.Interval, Timeout: h.Timeout, Fall: h.Fall, Rise: h.Rise}
	}
	return out, nil
}

func clientTLS(c *UpstreamTLS, scheme string) (*tls.Config, error) {
	if scheme != "https" {
		if *c != (UpstreamTLS{}) {
			return nil, errors.New("tls: the servers are not https; write them as https://host:port, or take tls out")
		}
		return nil, nil
	}
	out := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s holds no PEM certificate", c.CA)
		}
	}
	if (c.Cert == "") != (c.Key == "") {
		return nil, errors.New("tls: cert and key go together; give both or none")
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// network reads 10.0.0.0/8 or a single address.
func network(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network; write 10.0.0.0/8 or 192.0.2.7", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func within(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func ifZero(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
