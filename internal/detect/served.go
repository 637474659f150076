package detect

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store"
)

// Served asks the metrics store which services fail requests now.
type Served struct {
	Metrics  store.Querier
	Critical func(service string) bool
	Calls    func(service string) []string // what it calls, by the settings
}

// Failing tells which services have failed requests in the last two minutes, by the measure of the shipped rules (docs/rules.md). Two minutes and not
// five: long enough to see a few requests, short enough that who has mended it need not wait for long until what failed before is out of sight.
func (p *Served) Failing(ctx context.Context, services []string, now time.Time) ([]string, error) {
	failed, err := p.rose(ctx, "inquest_failures_total", now)
	if err != nil {
		return nil, err
	}
	requests, err := p.rose(ctx, "inquest_requests_total", now)
	if err != nil {
		return nil, err
	}
	if services, err = p.counted(ctx, services, requests, now); err != nil {
		return nil, err
	}
	var out []string
	for _, s := range services {
		k := failed[s]
		n := max(k, requests[s])
		if fails(k, n, inquest.MayFail(p.Critical(s))) {
			out = append(out, fmt.Sprintf("%s failed %s %% of its requests in the last 2 minutes (%.0f of %.0f)", s, strconv.FormatFloat(math.Round(1000*k/n)/10, 'f', -1, 64), k, n))
		}
	}
	return out, nil
}

// fails reports whether k failures of n requests are more than the share that may fail, and not chance.
func fails(k, n, most float64) bool {
	return math.Round(k) >= 5 && (k/n > most && n*most >= 10 || stat.WilsonLower(k, n, 1.645) > most)
}

// counted returns those of the services whose requests are counted. Where none is, as of a service without an access log behind a web server, it is those that call
// them by the settings, and without such a word those that pass requests on to others.
func (p *Served) counted(ctx context.Context, services []string, requests map[string]float64, now time.Time) ([]string, error) {
	var own, callers, proxies []string
	passed, err := p.rose(ctx, "inquest_upstream_requests_total", now)
	if err != nil {
		return nil, err
	}
	for s, n := range requests {
		switch {
		case n <= 0:
		case slices.Contains(services, s):
			own = append(own, s)
		case slices.ContainsFunc(p.Calls(s), func(to string) bool { return slices.Contains(services, to) }):
			callers = append(callers, s)
		case passed[s] > 0:
			proxies = append(proxies, s)
		}
	}
	for _, list := range [][]string{own, callers, proxies} {
		if len(list) > 0 {
			slices.Sort(list)
			return list, nil
		}
	}
	return nil, nil
}

// rose tells by how much a counter rose within two minutes, by service.
func (p *Served) rose(ctx context.Context, counter string, now time.Time) (map[string]float64, error) {
	got, err := p.Metrics.Instant(ctx, fmt.Sprintf("sum by (service) (increase(%s[2m]))", counter), now)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, s := range got {
		if len(s.Samples) == 1 {
			out[s.Labels["service"]] = s.Samples[0].Value
		}
	}
	return out, nil
}
