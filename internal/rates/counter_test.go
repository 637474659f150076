package rates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/rates"
)

const step = 2 * time.Second

func TestRecordsBecomeCounts(t *testing.T) {
	t.Parallel()
	broken := request("GET", "/download", 200)
	broken.Broken = true
	tunnel := request("GET", "/socket", 101)
	tunnel.Broken = true
	named := request("GET", "/", 200)
	named.Service = "checkout"
	retried := request("POST", "/pay", 200)
	retried.Upstream, retried.UpstreamStatus = "10.0.0.1:80, 10.0.0.2:80", "502, 200"
	refused := request("POST", "/pay", 502)
	refused.Upstream, refused.UpstreamStatus = "10.0.0.1:80", "-"
	cut := request("GET", "/download", 200)
	cut.Broken, cut.Upstream, cut.UpstreamStatus = true, "10.0.0.2:80", "200"
	warned := request("GET", "/x", 503)
	warned.Level = inquest.LevelWarn

	reported := request("POST", "/pay", 500)
	reported.Level, reported.Fields = inquest.LevelError, []parse.Field{{Name: "errorId", Value: "ERR-1"}}
	thrown := request("POST", "/pay", 500)
	thrown.Level, thrown.Exception = inquest.LevelError, &inquest.Exception{Type: "NullPointerException"}

	for name, c := range map[string]struct {
		records []*parse.Record
		want    map[string]float64
	}{
		"a log that tells of failures alone says nothing of how many went well": {
			[]*parse.Record{reported, thrown},
			map[string]float64{`inquest_log_records_total{level="error", service="gateway"}`: 2}},
		"an access log with the stack traces of its failures": {
			[]*parse.Record{request("POST", "/pay", 201), thrown},
			map[string]float64{
				`inquest_requests_total{code="201", route="POST /pay", service="gateway"}`: 1,
				`inquest_requests_total{code="500", route="POST /pay", service="gateway"}`: 1,
				`inquest_failures_total{kind="5xx", route="POST /pay", service="gateway"}`: 1,
				`inquest_log_records_total{level="error", service="gateway"}`:              1,
			}},
		"requests by route and code": {
			[]*parse.Record{request("GET", "/products/17?x=1", 200), request("GET", "/products/18", 200), request("GET", "/products/19", 404)},
			map[string]float64{
				`inquest_requests_total{code="200", route="GET /products/{id}", service="gateway"}`: 2,
				`inquest_requests_total{code="404", route="GET /products/{id}", service="gateway"}`: 1,
			}},
		"a 5xx is a failure": {
			[]*parse.Record{request("GET", "/a", 500), request("GET", "/a", 503)},
			map[string]float64{
				`inquest_requests_total{code="500", route="GET /a", service="gateway"}`: 1,
				`inquest_requests_total{code="503", route="GET /a", service="gateway"}`: 1,
				`inquest_failures_total{kind="5xx", route="GET /a", service="gateway"}`: 2,
			}},
		"a 200 that broke off is one too, a tunnel that ends is none": {
			[]*parse.Record{broken, tunnel},
			map[string]float64{
				`inquest_requests_total{code="200", route="GET /download", service="gateway"}`:   1,
				`inquest_failures_total{kind="lying", route="GET /download", service="gateway"}`: 1,
				`inquest_requests_total{code="101", route="GET /socket", service="gateway"}`:     1,
			}},
		"a record that names its service is that one's": {
			[]*parse.Record{named},
			map[string]float64{`inquest_requests_total{code="200", route="GET /", service="checkout"}`: 1},
		},
		"each upstream that was tried counts": {
			[]*parse.Record{retried, refused, cut},
			map[string]float64{
				`inquest_requests_total{code="200", route="POST /pay", service="gateway"}`:                        1,
				`inquest_requests_total{code="502", route="POST /pay", service="gateway"}`:                        1,
				`inquest_failures_total{kind="5xx", route="POST /pay", service="gateway"}`:                        1,
				`inquest_requests_total{code="200", route="GET /download", service="gateway"}`:                    1,
				`inquest_failures_total{kind="lying", route="GET /download", service="gateway"}`:                  1,
				`inquest_upstream_requests_total{outcome="failed", service="gateway", upstream="10.0.0.1:80"}`:    1,
				`inquest_upstream_requests_total{outcome="no-answer", service="gateway", upstream="10.0.0.1:80"}`: 1,
				`inquest_upstream_requests_total{outcome="ok", service="gateway", upstream="10.0.0.2:80"}`:        1,
				`inquest_upstream_requests_total{outcome="failed", service="gateway", upstream="10.0.0.2:80"}`:    1,
			}},
		"log records by level": {
			[]*parse.Record{said(inquest.LevelError, "a"), said(inquest.LevelError, "b"), said(inquest.LevelUnknown, "c"), warned},
			map[string]float64{
				`inquest_log_records_total{level="error", service="gateway"}`:           2,
				`inquest_log_records_total{level="unknown", service="gateway"}`:         1,
				`inquest_log_records_total{level="warn", service="gateway"}`:            1,
				`inquest_requests_total{code="503", route="GET /x", service="gateway"}`: 1,
				`inquest_failures_total{kind="5xx", route="GET /x", service="gateway"}`: 1,
			}},
		"a status that is none is code 0": {
			[]*parse.Record{request("GET", "/", 70000)},
			map[string]float64{`inquest_requests_total{code="0", route="GET /", service="gateway"}`: 1},
		},
		"a line of an access log without a status is no request": {[]*parse.Record{request("GET", "/", 0)},
			map[string]float64{`inquest_log_records_total{level="unknown", service="gateway"}`: 1}},
	} {
		counter := rates.NewCounter(step)
		for _, r := range c.records {
			counter.Log(r, "gateway")
		}
		if diff := cmp.Diff(c.want, shown(counter.Series(noon))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDurationsAreAHistogram(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	for _, d := range []float64{.001, .005, .3, 31, -1} {
		r := request("GET", "/", 200)
		r.Duration = d
		c.Log(r, "gateway")
	}
	got := map[string]float64{}
	for _, s := range c.Series(noon) {
		if name, ok := strings.CutPrefix(s.Name, "inquest_request_duration_seconds_"); ok {
			got[name+" "+s.Labels["le"]] = s.Samples[len(s.Samples)-1].Value
		}
	}
	want := map[string]float64{"bucket 0.005": 2, "bucket 0.01": 2, "bucket 0.025": 2, "bucket 0.05": 2, "bucket 0.1": 2, "bucket 0.25": 2, "bucket 0.5": 3,
		"bucket 1": 3, "bucket 2.5": 3, "bucket 5": 3, "bucket 10": 3, "bucket 30": 3, "bucket +Inf": 4, "count ": 4, "sum ": 31.306}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEmptyBucketIsShownBesideFullOnes(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	r := request("GET", "/", 200)
	r.Duration = 3
	c.Log(r, "gateway")
	if n := len(only(c.Series(noon), "inquest_request_duration_seconds_bucket")); n != 13 {
		t.Errorf("%d buckets, want all 13: a quantile needs the empty ones", n)
	}
}

func TestSeriesRiseFromZeroAndAreQuietWhileNothingHappens(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	at := func(d time.Duration) []string { return lines(c.Series(noon.Add(d))) }
	const name = `inquest_requests_total{code="500", route="GET /", service="gateway"}`
	const failures = `inquest_failures_total{kind="5xx", route="GET /", service="gateway"}`
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("nothing yet", at(0))
	c.Log(request("GET", "/", 500), "gateway")
	check("the first one is a rise from zero", at(2*time.Second), failures+" 0@1s 1@2s", name+" 0@1s 1@2s")
	check("no news", at(4*time.Second))
	check("the same time again", at(4*time.Second))
	check("still there", at(18*time.Second), failures+" 1@18s", name+" 1@18s")
	c.Log(request("GET", "/", 500), "gateway")
	check("one more", at(20*time.Second), failures+" 2@20s", name+" 2@20s")
	c.Log(request("GET", "/", 500), "gateway")
	check("a clock that went back", at(10*time.Second))
	check("and is right again", at(22*time.Second), failures+" 3@22s", name+" 3@22s")
}

func TestSpansCountWhereNoAccessLogDoes(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	server := inquest.Span{Service: "cart", Kind: "server", Name: "GET /cart", StatusCode: 500, Duration: 20 * time.Millisecond}
	client := inquest.Span{Service: "cart", Kind: "client", Name: "GET", Peer: "pricing", Error: true}
	sink := c.Sink("")
	sink.Signal(parse.Signal{Span: &server})
	sink.Signal(parse.Signal{Span: &client})
	client.Error = false
	sink.Signal(parse.Signal{Span: &client})
	sink.Signal(parse.Signal{Span: &inquest.Span{Kind: "server", StatusCode: 500}}) // nobody's
	logged := request("GET", "/", 200)
	logged.Service = "web"
	sink.Log(logged)
	server.Service = "web"
	sink.Signal(parse.Signal{Span: &server})
	got := shown(c.Series(noon))
	for name := range got {
		if strings.Contains(name, "duration") {
			delete(got, name)
		}
	}
	want := map[string]float64{
		`inquest_requests_total{code="500", route="GET /cart", service="cart"}`:                 1,
		`inquest_failures_total{kind="5xx", route="GET /cart", service="cart"}`:                 1,
		`inquest_upstream_requests_total{outcome="failed", service="cart", upstream="pricing"}`: 1,
		`inquest_upstream_requests_total{outcome="ok", service="cart", upstream="pricing"}`:     1,
		`inquest_requests_total{code="200", route="GET /", service="web"}`:                      1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	for i := range 5000 {
		r := request("GET", "/"+strings.Repeat("x", i%300)+fmt.Sprint("-", strings.Repeat("y", i/300)), 200)
		r.Upstream = fmt.Sprint("10.0.", i/250, ".", i%250, ":80")
		c.Log(r, "gateway")
	}
	all := c.Series(noon)
	routes, upstreams := only(all, "inquest_requests_total"), only(all, "inquest_upstream_requests_total")
	if len(routes) != 201 || len(upstreams) != 201 {
		t.Errorf("%d routes and %d upstreams, want 200 of each and one for the others", len(routes), len(upstreams))
	}
	sum := 0.0
	for _, s := range routes {
		sum += s.Samples[len(s.Samples)-1].Value
	}
	if sum != 5000 {
		t.Errorf("%g requests, want 5000: none may be lost", sum)
	}
	c = rates.NewCounter(step)
	for i := range 3000 {
		c.Log(said(inquest.LevelInfo, "x"), fmt.Sprint("service-", i))
	}
	if n := len(c.Series(noon)); n != 1001 {
		t.Errorf("%d services, want 1000 and one for the others", n)
	}
}

func TestCountersOfPartsAddUp(t *testing.T) {
	t.Parallel()
	whole, sum := rates.NewCounter(step), rates.NewCounter(step)
	for part := range 5 {
		c := rates.NewCounter(step)
		for i := range 40 {
			r := request("GET", fmt.Sprint("/route-", string(rune('a'+i%7))), []int{200, 404, 500, 503}[(i+part)%4])
			r.Duration, r.Upstream = float64(i)/8, "a:80"
			r.Broken = i%5 == 0
			for _, to := range []*rates.Counter{whole, c} {
				to.Log(r, "gateway")
				to.Log(said(inquest.LevelError, "x"), "cart")
			}
		}
		sum.Add(c)
	}
	if diff := cmp.Diff(lines(whole.Series(noon)), lines(sum.Series(noon))); diff != "" {
		t.Errorf("the whole, and the sum of its parts (-want +got):\n%s", diff)
	}
}

func TestALogIsCountedAsItIsRead(t *testing.T) {
	t.Parallel()
	c := rates.NewCounter(step)
	var text strings.Builder
	for i := range 100 {
		status := 200
		if i >= 90 {
			status = 502
		}
		fmt.Fprintf(&text, "10.0.0.1 - - [29/Nov/2026:12:00:%02d +0000] \"GET /products/%d HTTP/1.1\" %d 5 \"-\" \"curl/8\"\n", i/2, i, status)
	}
	read(t, text.String(), c.Sink("nginx"))
	got := shown(c.Series(noon))
	want := map[string]float64{
		`inquest_requests_total{code="200", route="GET /products/{id}", service="nginx"}`: 90,
		`inquest_requests_total{code="502", route="GET /products/{id}", service="nginx"}`: 10,
		`inquest_failures_total{kind="5xx", route="GET /products/{id}", service="nginx"}`: 10,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
