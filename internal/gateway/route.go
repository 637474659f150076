package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// route is a Route that is served.
type route struct {
	Route
	name     string
	host     string // in small letters, without the *
	wildcard bool
	path     string // without a slash at the end; "" for all
	audit    bool
	sanitise bool
	up       *upstream.Upstream
	proxy    *httputil.ReverseProxy
	limit    *policy.RateLimiter      // of the route
	keyed    *policy.KeyedRateLimiter // of each client
	closed   maintenance
	judge    *answer.Judge
	own      []Rule // with their texts in small letters
	trusting bool   // no rule looks at successful answers
	meter    *meter
}

// newRoute builds a route; the paths of faults are below it.
func (g *Gateway) newRoute(c *Config, rc *Route, t *table) (*route, []Fault) {
	r := &route{Route: *rc, audit: c.Audit, sanitise: true}
	var faults []Fault
	fault := func(key string, err error) {
		if err != nil {
			faults = append(faults, Fault{[]string{key}, err.Error()})
		}
	}
	r.host, r.wildcard = strings.ToLower(rc.Host), false
	if rest, ok := strings.CutPrefix(r.host, "*."); ok {
		r.host, r.wildcard = "."+rest, true
	}
	if strings.ContainsAny(r.host, "*/: ") {
		fault("host", fmt.Errorf("%q is no host; write shop.example or *.shop.example, without scheme and port", rc.Host))
	}
	if rc.Path != "" && rc.Path[0] != '/' {
		fault("path", fmt.Errorf("%q does not begin with a slash; write /%s", rc.Path, rc.Path))
	}
	r.path = strings.TrimRight(rc.Path, "/")
	if r.name = rc.Name; r.name == "" {
		r.name = cmp.Or(rc.Host, "*") + cmp.Or(rc.Path, "/")
	}
	if rc.Audit != nil {
		r.audit = *rc.Audit
	}
	if rc.Sanitise != nil {
		r.sanitise = *rc.Sanitise
	}
	r.RetryAfter = ifZero(rc.RetryAfter, 5*time.Second)
	if _, named := c.Upstreams[rc.Upstream]; !named {
		fault("upstream", fmt.Errorf("there is no upstream %q; known: %s", rc.Upstream, strings.Join(sortedKeys(c.Upstreams), ", ")))
	}
	for i, m := range rc.Methods {
		if m == "" || strings.ToUpper(m) != m || strings.ContainsAny(m, " ,/") {
			faults = append(faults, Fault{[]string{"methods", itoa(i)}, fmt.Sprintf("%q is no method; write GET, POST and so on in capitals", m)})
		}
	}
	if rc.MaxBody < 0 {
		fault("max_body", errors.New("it is negative; leave it out for no limit"))
	}
	fault("rate_limit", r.limits(rc.RateLimit))
	fault("error_mapping", r.mapping(&rc.Mapping, t))
	fault("maintenance", r.closed.set(rc.Maintenance))
	if len(faults) > 0 {
		return nil, faults
	}
	if r.up = t.upstreams[rc.Upstream]; r.up == nil {
		return nil, nil // its own faults are told
	}
	r.proxy, r.meter = g.newProxy(r), g.meters.of(r.name)
	return r, nil
}

func (r *route) limits(c *RateLimit) (err error) {
	if c == nil {
		return nil
	}
	cfg := policy.RateConfig{Name: "default", Limit: c.Requests, Per: ifZero(c.Per, time.Second), Burst: c.Burst}
	switch c.By {
	case "", "client":
		r.keyed, err = policy.NewKeyedRateLimiter(cfg, 100_000)
	case "route":
		r.limit, err = policy.NewRateLimiter(cfg)
	default:
		err = fmt.Errorf("by: %q is neither client nor route", c.By)
	}
	return err
}

// moreSpecific orders routes: exact hosts before wildcards before none, longer ones first, then longer paths, then those with methods.
func moreSpecific(a, b *route) int {
	rank := func(r *route) int {
		switch {
		case r.host == "":
			return 0
		case r.wildcard:
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(len(b.host), len(a.host)), cmp.Compare(len(b.path), len(a.path)),
		cmp.Compare(min(1, len(b.Methods)), min(1, len(a.Methods))))
}

// find returns the route of a request, nil if none fits; known tells that one would with another method.
func (t *table) find(r *http.Request) (found *route, known bool) {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	for _, rt := range t.routes {
		if !rt.fitsHost(host) || !rt.fitsPath(r.URL.Path) {
			continue
		}
		if len(rt.Methods) > 0 && !slices.Contains(rt.Methods, r.Method) {
			known = true
			continue
		}
		return rt, true
	}
	return nil, known
}

func (r *route) fitsHost(host string) bool {
	switch {
	case r.host == "":
		return true
	case r.wildcard:
		return len(host) > len(r.host) && strings.EqualFold(host[len(host)-len(r.host):], r.host)
	}
	return strings.EqualFold(host, r.host)
}

func (r *route) fitsPath(path string) bool {
	return strings.HasPrefix(path, r.path) && (len(path) == len(r.path) || path[len(r.path)] == '/' || r.path == "")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(i int) string { return strconv.Itoa(i) }
