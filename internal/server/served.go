package server

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/inquesthq/inquest/internal/stat"
)

// failing tells which services have failed requests in the last two minutes, by the measure of the shipped rules (docs/rules.md). Two minutes and not
// five: long enough to see a few requests, short enough that who has mended it need not wait for long until what failed before is out of sight.
func (p *process) failing(ctx context.Context, services []string) ([]string, error) {
	failed, err := p.rose(ctx, "inquest_failures_total")
	if err != nil {
		return nil, err
	}
	requests, err := p.rose(ctx, "inquest_requests_total")
	if err != nil {
		return nil, err
	}
	if services, err = p.counted(ctx, services, requests); err != nil {
		return nil, err
	}
	var out []string
	for _, s := range services {
		most := 0.05
		if p.Settings.Services[s].Critical {
			most = 0.01
		}
		k := failed[s]
		n := max(k, requests[s])
		if fails(k, n, most) {
			out = append(out, fmt.Sprintf("%s failed %s %% of its requests in the last 2 minutes (%.0f of %.0f)", s, strconv.FormatFloat(math.Round(1000*k/n)/10, 'f', -1, 64), k, n))
		}
	}
	return out, nil
}

// fails reports whether k failures of n requests are more than the share that may fail, and not chance.
func fails(k, n, most float64) bool {
	return k >= 5 && (k/n > most && n*most >= 10 || stat.WilsonLower(k, n, 1.645) > most)
}

// counted returns those of the services whose requests are counted. Where none is, as of a service without an access log behind a web server, it is those that call
// them by the settings, and without such a word those that pass requests on to others.
func (p *process) counted(ctx context.Context, services []string, requests map[string]float64) ([]string, error) {
	var own, callers, proxies []string
	passed, err := p.rose(ctx, "inquest_upstream_requests_total")
	if err != nil {
		return nil, err
	}
	for s, n := range requests {
		switch {
		case n <= 0:
		case slices.Contains(services, s):
			own = append(own, s)
		case slices.ContainsFunc(p.Settings.Services[s].Calls, func(to string) bool { return slices.Contains(services, to) }):
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
func (p *process) rose(ctx context.Context, counter string) (map[string]float64, error) {
	got, err := p.metrics.Instant(ctx, fmt.Sprintf("sum by (service) (increase(%s[2m]))", counter), p.Now())
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, s := range got {
		if len(s.Samples) == 1 {
			out[s.Labels["service"]] = math.Round(s.Samples[0].Value)
		}
	}
	return out, nil
}
