package metric_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard/metric"
)

func scrape(p *metric.Prometheus) string {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestAScrape(t *testing.T) {
	var p metric.Prometheus
	get := metric.Attrs{{Key: "http.route", Value: `/a"b\`}, {Key: "http.request.method", Value: "GET"}}
	for _, v := range []float64{0.004, 0.005, 0.02, 99} {
		p.Observe(metric.ServerDuration, v, get)
	}
	p.Observe(metric.BreakerState, 2, metric.Attrs{{Key: "guard.dependency", Value: "payment"}})
	p.Observe(metric.BreakerState, 1, metric.Attrs{{Key: "guard.dependency", Value: "payment"}})
	p.Observe(metric.ServerActive, 1, metric.Attrs{})
	p.Observe(metric.ServerActive, 1, metric.Attrs{})
	p.Observe(metric.ServerActive, -1, metric.Attrs{})
	p.Observe(metric.Retries, 3, metric.Attrs{})
	p.Observe("own.thing", 1.5, metric.Attrs{})
	got := scrape(&p)
	for _, want := range []string{
		"# TYPE guard_breaker_state gauge\nguard_breaker_state{guard_dependency=\"payment\"} 1\n",
		"# TYPE guard_dependency_retries_total counter\nguard_dependency_retries_total 3\n",
		"# TYPE http_server_active_requests gauge\nhttp_server_active_requests 1\n",
		"# HELP http_server_request_duration_seconds Duration of HTTP server requests.\n# TYPE http_server_request_duration_seconds histogram\n",
		`http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a\"b\\",le="0.005"} 2` + "\n",
		`http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a\"b\\",le="0.025"} 3` + "\n",
		`http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a\"b\\",le="10"} 3` + "\n",
		`http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/a\"b\\",le="+Inf"} 4` + "\n",
		`http_server_request_duration_seconds_sum{http_request_method="GET",http_route="/a\"b\\"} 99.029` + "\n",
		`http_server_request_duration_seconds_count{http_request_method="GET",http_route="/a\"b\\"} 4` + "\n",
		"own_thing_total 1.5\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the scrape lacks\n%s\nin\n%s", want, got)
		}
	}
}

func TestSeriesAreBounded(t *testing.T) {
	var p metric.Prometheus
	for i := range 5000 {
		p.Observe(metric.Calls, 1, metric.Attrs{{Key: "x", Value: fmt.Sprint(i)}})
	}
	got := scrape(&p)
	if n := strings.Count(got, "\nguard_dependency_calls_total{"); n != 2001 {
		t.Errorf("%d series", n)
	}
	if !strings.Contains(got, `guard_dependency_calls_total{otel_metric_overflow="true"} 3000`) {
		t.Error("what is too much is not counted")
	}
}

func TestAKnownSeriesCostsNoAllocation(t *testing.T) {
	var p metric.Prometheus
	attrs := metric.Attrs{{Key: "http.request.method", Value: "GET"}}
	for _, name := range []metric.Name{metric.ServerDuration, metric.BreakerState, metric.Calls} {
		p.Observe(name, 0.2, attrs)
		if n := testing.AllocsPerRun(100, func() { p.Observe(name, 0.2, attrs) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestEveryNameIsDescribed(t *testing.T) {
	for _, n := range []metric.Name{metric.ServerDuration, metric.ServerActive, metric.ClientDuration, metric.Calls, metric.Retries, metric.BreakerState, metric.Errors, metric.LostRecords, metric.ConnectionCount, metric.ConnectionMax, metric.ConnectionWaits} {
		if in := metric.Describe(n); in.Unit == "" || in.Description == "" || (in.Kind == metric.Histogram) != (len(in.Bounds) > 0) {
			t.Errorf("%s: %+v", n, in)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	var p metric.Prometheus
	attrs := metric.Attrs{{Key: "http.request.method", Value: "GET"}, {Key: "url.scheme", Value: "http"}, {Key: "http.response.status_code", Value: "200"}, {Key: "http.route", Value: "/orders/{id}"}}
	b.ReportAllocs()
	for b.Loop() {
		p.Observe(metric.ServerDuration, 0.02, attrs)
	}
}
