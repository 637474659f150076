package gateway

import (
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// meters count what is shown as metrics. They are kept by the names of routes, so that they outlive a reload.
type meters struct {
	mu     sync.Mutex
	routes map[string]*meter
	other  meter // requests that no route took
}

// bounds of the histogram of durations in seconds, as OpenTelemetry's HTTP conventions advise.
var bounds = [...]float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// meter is one route's.
type meter struct {
	status  [600]atomic.Int64
	bucket  [len(bounds) + 1]atomic.Int64
	nanos   atomic.Int64
	retries atomic.Int64

	mu      sync.Mutex
	reasons map[string]int64
}

func (m *meters) of(route string) *meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.routes == nil {
		m.routes = map[string]*meter{}
	}
	if m.routes[route] == nil {
		m.routes[route] = &meter{}
	}
	return m.routes[route]
}

func (m *meters) count(c *call) {
	meter := &m.other
	if c.rt != nil {
		meter = c.rt.meter
	}
	if c.Status >= 0 && c.Status < len(meter.status) {
		meter.status[c.Status].Add(1)
	}
	s, i := c.Duration.Seconds(), 0
	for i < len(bounds) && s > bounds[i] {
		i++
	}
	meter.bucket[i].Add(1)
	meter.nanos.Add(int64(c.Duration))
	if c.Attempts > 1 {
		meter.retries.Add(int64(c.Attempts - 1))
	}
	if c.Reason != "" {
		meter.mu.Lock()
		if meter.reasons == nil {
			meter.reasons = map[string]int64{}
		}
		meter.reasons[c.Reason]++
		meter.mu.Unlock()
	}
}

// WriteMetrics writes everything in the text format of Prometheus, under OpenTelemetry's names.
func (g *Gateway) WriteMetrics(w io.Writer) error {
	var b strings.Builder
	g.meters.mu.Lock()
	routes := map[string]*meter{"": &g.meters.other}
	for name, m := range g.meters.routes {
		routes[name] = m
	}
	g.meters.mu.Unlock()
	b.WriteString("# HELP http_server_request_duration_seconds Duration of HTTP server requests.\n# TYPE http_server_request_duration_seconds histogram\n")
	names := sortedKeys(routes)
	for _, name := range names {
		routes[name].histogram(&b, name)
	}
	b.WriteString("# HELP inquest_gateway_responses_total Answers by the status that was sent (499: the client left).\n# TYPE inquest_gateway_responses_total counter\n")
	for _, name := range names {
		for code := range routes[name].status {
			if n := routes[name].status[code].Load(); n > 0 {
				fmt.Fprintf(&b, "inquest_gateway_responses_total{http_route=%s,http_response_status_code=\"%d\"} %d\n", quote(name), code, n)
			}
		}
	}
	b.WriteString("# HELP inquest_gateway_failures_total Requests that failed or were answered by the gateway itself, by reason.\n# TYPE inquest_gateway_failures_total counter\n")
	for _, name := range names {
		routes[name].failures(&b, name)
	}
	b.WriteString("# HELP inquest_gateway_retries_total Attempts after the first.\n# TYPE inquest_gateway_retries_total counter\n")
	for _, name := range names {
		fmt.Fprintf(&b, "inquest_gateway_retries_total{http_route=%s} %d\n", quote(name), routes[name].retries.Load())
	}
	g.writeUpstreams(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *meter) histogram(b *strings.Builder, route string) {
	total := int64(0)
	for i := range m.bucket {
		total += m.bucket[i].Load()
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		fmt.Fprintf(b, "http_server_request_duration_seconds_bucket{http_route=%s,le=\"%s\"} %d\n", quote(route), le, total)
	}
	fmt.Fprintf(b, "http_server_request_duration_seconds_sum{http_route=%s} %g\nhttp_server_request_duration_seconds_count{http_route=%s} %d\n",
		quote(route), time.Duration(m.nanos.Load()).Seconds(), quote(route), total)
}

func (m *meter) failures(b *strings.Builder, route string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range sortedKeys(m.reasons) {
		fmt.Fprintf(b, "inquest_gateway_failures_total{http_route=%s,reason=%s} %d\n", quote(route), quote(r), m.reasons[r])
	}
}

func (g *Gateway) writeUpstreams(b *strings.Builder) {
	states := map[string]int{policy.Closed.String(): 0, policy.HalfOpen.String(): 1, policy.Open.String(): 2}
	type row struct{ name, labels, value string }
	var rows []row
	for name, u := range g.table.Load().upstreams {
		for _, s := range u.State() {
			labels := fmt.Sprintf("{guard_dependency=%s,server_address=%s}", quote(name), quote(s.Server))
			rows = append(rows, row{"inquest_gateway_upstream_in_flight", labels, strconv.FormatInt(s.InFlight, 10)},
				row{"inquest_gateway_upstream_requests_total", labels, strconv.FormatInt(s.Requests, 10)},
				row{"inquest_gateway_upstream_failures_total", labels, strconv.FormatInt(s.Failures, 10)},
				row{"guard_breaker_state", labels, strconv.Itoa(states[s.Breaker])},
				row{"inquest_gateway_upstream_up", labels, map[bool]string{true: "1", false: "0"}[s.Up]})
		}
	}
	sort.Slice(rows, func(i, j int) bool {
		if rows[i].name != rows[j].name {
			return rows[i].name < rows[j].name
		}
		return rows[i].labels < rows[j].labels
	})
	last := ""
	for _, r := range rows {
		if r.name != last {
			kind := "gauge"
			if strings.HasSuffix(r.name, "_total") {
				kind = "counter"
			}
			fmt.Fprintf(b, "# TYPE %s %s\n", r.name, kind)
			last = r.name
		}
		fmt.Fprintf(b, "%s%s %s\n", r.name, r.labels, r.value)
	}
}

// quote writes a label's value: backslash, quote and line feed are escaped, nothing else is.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
