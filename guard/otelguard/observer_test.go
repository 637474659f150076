package otelguard_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/semconv/v1.40.0/dbconv"
	"go.opentelemetry.io/otel/semconv/v1.40.0/httpconv"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/otelguard"
	"github.com/inquesthq/inquest/guard/record"
)

// point is a data point, with its attributes as text and the type of their values.
type point struct {
	Attrs  string
	Value  float64 // the sum of a histogram
	Counts []uint64
}

// instrument is what the SDK tells of one.
type instrument struct {
	Kind, Unit, Description string
	Points                  []point
}

func observed(t *testing.T) (*otelguard.Observer, func() map[string]instrument) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return otelguard.New(provider), func() map[string]instrument {
		t.Helper()
		var rm metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &rm); err != nil {
			t.Fatal(err)
		}
		out := map[string]instrument{}
		for _, s := range rm.ScopeMetrics {
			if s.Scope.Name != otelguard.Scope || s.Scope.SchemaURL != semconv.SchemaURL {
				t.Errorf("the scope is %+v", s.Scope)
			}
			for _, m := range s.Metrics {
				out[m.Name] = told(t, m)
			}
		}
		return out
	}
}

func told(t *testing.T, m metricdata.Metrics) instrument {
	t.Helper()
	in := instrument{Unit: m.Unit, Description: m.Description}
	switch d := m.Data.(type) {
	case metricdata.Sum[float64]:
		in.Kind = "up-down counter"
		if d.IsMonotonic {
			in.Kind = "counter"
		}
		for _, p := range d.DataPoints {
			in.Points = append(in.Points, point{Attrs: text(p.Attributes), Value: p.Value})
		}
	case metricdata.Gauge[float64]:
		in.Kind = "gauge"
		for _, p := range d.DataPoints {
			in.Points = append(in.Points, point{Attrs: text(p.Attributes), Value: p.Value})
		}
	case metricdata.Histogram[float64]:
		in.Kind = "histogram"
		for _, p := range d.DataPoints {
			if want := metric.Describe(metric.Name(m.Name)).Bounds; !slices.Equal(p.Bounds, want) {
				t.Errorf("%s has the bounds %v, want %v", m.Name, p.Bounds, want)
			}
			in.Points = append(in.Points, point{text(p.Attributes), p.Sum, p.BucketCounts})
		}
	default:
		t.Fatalf("%s is a %T", m.Name, d)
	}
	slices.SortFunc(in.Points, func(a, b point) int { return cmp.Compare(a.Attrs, b.Attrs) })
	return in
}

func text(set attribute.Set) string {
	out := ""
	for _, a := range set.ToSlice() {
		out += fmt.Sprintf("%s=%s(%s) ", a.Key, a.Value.Type(), a.Value.Emit())
	}
	return out
}

func TestEachKindOfInstrument(t *testing.T) {
	payment := metric.Attrs{{Key: "guard.dependency", Value: "payment"}}
	pool := func(state string) metric.Attrs {
		return metric.Attrs{{Key: "db.client.connection.pool.name", Value: "orders"}, {Key: "db.client.connection.state", Value: state}}
	}
	tests := map[string]struct {
		name   metric.Name
		values []float64
		attrs  metric.Attrs
		kind   string
		want   point
	}{
		"a counter adds": {metric.Retries, []float64{1, 2, 1}, payment,
			"counter", point{Attrs: "guard.dependency=STRING(payment) ", Value: 4}},
		"an up-down counter adds and takes away": {metric.ServerActive, []float64{1, 1, -1}, metric.Attrs{{Key: "url.scheme", Value: "http"}},
			"up-down counter", point{Attrs: "url.scheme=STRING(http) ", Value: 1}},
		"a gauge holds the latest": {metric.BreakerState, []float64{0, 2, 1}, payment,
			"gauge", point{Attrs: "guard.dependency=STRING(payment) ", Value: 1}},
		"a level holds the latest, in an up-down counter": {metric.ConnectionCount, []float64{3, 7, 5}, pool("used"),
			"up-down counter", point{Attrs: "db.client.connection.pool.name=STRING(orders) db.client.connection.state=STRING(used) ", Value: 5}},
		"a histogram counts by size, the bound within": {metric.ServerDuration, []float64{0.004, 0.005, 0.02, 99}, metric.Attrs{},
			"histogram", point{Value: 99.029, Counts: []uint64{2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}},
		"a name that guard does not know is a counter": {"own.thing", []float64{1.5, 1}, metric.Attrs{}, "counter", point{Value: 2.5}},
		"statuses and ports are numbers, what is empty is left out": {metric.ClientDuration, []float64{0.2},
			metric.Attrs{1: {Key: "http.response.status_code", Value: "503"}, 3: {Key: "server.port", Value: "8443"}, 5: {Key: "http.route"}},
			"histogram", point{"http.response.status_code=INT64(503) server.port=INT64(8443) ", 0.2, []uint64{0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}}},
		"a port that is no number is kept as it is": {metric.Calls, []float64{1}, metric.Attrs{{Key: "server.port", Value: "http"}},
			"counter", point{Attrs: "server.port=STRING(http) ", Value: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, collect := observed(t)
			for _, v := range test.values {
				o.Observe(test.name, v, test.attrs)
			}
			d := metric.Describe(test.name)
			want := map[string]instrument{string(test.name): {test.kind, d.Unit, d.Description, []point{test.want}}}
			if diff := gocmp.Diff(want, collect()); diff != "" {
				t.Errorf("the SDK tells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeriesAreApart(t *testing.T) {
	o, collect := observed(t)
	for state, n := range map[string]float64{"used": 8, "idle": 2} {
		for _, v := range []float64{1, n} {
			o.Observe(metric.ConnectionCount, v, metric.Attrs{{Key: "db.client.connection.state", Value: state}})
		}
	}
	want := []point{{Attrs: "db.client.connection.state=STRING(idle) ", Value: 2}, {Attrs: "db.client.connection.state=STRING(used) ", Value: 8}}
	if diff := gocmp.Diff(want, collect()["db.client.connection.count"].Points); diff != "" {
		t.Error(diff)
	}
}

// What OpenTelemetry's own packages of the conventions say is the measure of guard's names, units and kinds.
func TestTheConventionsAreKept(t *testing.T) {
	o, collect := observed(t)
	for _, c := range []struct {
		ours metric.Name
		conv interface{ Name() string }
		unit string
		kind string
	}{
		{metric.ServerDuration, httpconv.ServerRequestDuration{}, httpconv.ServerRequestDuration{}.Unit(), "histogram"},
		{metric.ServerActive, httpconv.ServerActiveRequests{}, httpconv.ServerActiveRequests{}.Unit(), "up-down counter"},
		{metric.ClientDuration, httpconv.ClientRequestDuration{}, httpconv.ClientRequestDuration{}.Unit(), "histogram"},
		{metric.ConnectionCount, dbconv.ClientConnectionCount{}, dbconv.ClientConnectionCount{}.Unit(), "up-down counter"},
		{metric.ConnectionMax, dbconv.ClientConnectionMax{}, dbconv.ClientConnectionMax{}.Unit(), "up-down counter"},
	} {
		o.Observe(c.ours, 1, metric.Attrs{})
		got := collect()[c.conv.Name()]
		if got.Unit != c.unit || got.Kind != c.kind {
			t.Errorf("%s: a %s in %q, want a %s in %q", c.conv.Name(), got.Kind, got.Unit, c.kind, c.unit)
		}
	}
}

func TestSeriesAreBounded(t *testing.T) {
	o, collect := observed(t)
	for i := range 5000 {
		o.Observe(metric.Calls, 1, metric.Attrs{{Key: "x", Value: fmt.Sprint(i)}})
	}
	points := collect()["guard.dependency.calls"].Points
	if len(points) != 2001 || !slices.ContainsFunc(points, func(p point) bool { return p.Attrs == "otel.metric.overflow=BOOL(true) " && p.Value == 3000 }) {
		t.Errorf("%d series, first %+v", len(points), points[0])
	}
}

func TestManyAtOnceLoseNothing(t *testing.T) {
	o, collect := observed(t)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				o.Observe(metric.Calls, 1, metric.Attrs{{Key: "x", Value: fmt.Sprint(i % 5)}})
				o.Observe(metric.ConnectionMax, float64(g*1000+i), metric.Attrs{})
			}
		})
	}
	all.Wait()
	o.Observe(metric.ConnectionMax, 20, metric.Attrs{})
	got := collect()
	var calls float64
	for _, p := range got["guard.dependency.calls"].Points {
		calls += p.Value
	}
	if calls != 4000 {
		t.Errorf("%v calls of 4000", calls)
	}
	if diff := gocmp.Diff([]point{{Value: 20}}, got["db.client.connection.max"].Points); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedNameIsReportedOnceAndHarmsNothing(t *testing.T) {
	var told []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { told = append(told, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	o, collect := observed(t)
	o.Observe("0 is no name", 1, metric.Attrs{})
	o.Observe("0 is no name", 1, metric.Attrs{})
	o.Observe(metric.Retries, 1, metric.Attrs{})
	if len(told) != 1 || !errors.Is(told[0], sdkmetric.ErrInstrumentName) {
		t.Errorf("reported: %v", told)
	}
	if collect()["guard.dependency.retries"].Points[0].Value != 1 {
		t.Error("another instrument was harmed")
	}
}

func TestWithoutAProviderTheGlobalOneIsTaken(t *testing.T) {
	o := otelguard.New(nil)
	o.Observe(metric.Retries, 1, metric.Attrs{}) // before there is one: dropped
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	otel.SetMeterProvider(provider)
	t.Cleanup(func() { otel.SetMeterProvider(noop.NewMeterProvider()); _ = provider.Shutdown(context.Background()) })
	o.Observe(metric.Retries, 2, metric.Attrs{})
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil || len(rm.ScopeMetrics) != 1 {
		t.Fatalf("%+v, %v", rm, err)
	}
	if got := told(t, rm.ScopeMetrics[0].Metrics[0]); got.Points[0].Value != 2 {
		t.Errorf("told %+v", got)
	}
}

func TestThroughTheMiddlewareAndADependency(t *testing.T) {
	o, collect := observed(t)
	g, err := guard.New(guard.Config{Service: "checkout", Observer: o, Sink: record.NewLines(io.Discard)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", g.Handle(func(http.ResponseWriter, *http.Request) error { return errors.New("lost") }))
	server := httptest.NewServer(g.Wrap(mux))
	defer server.Close()
	d, err := guard.NewDependency(guard.DependencyConfig{Name: "orders", Observer: o})
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: d.Transport(nil), Timeout: time.Minute}
	res, err := client.Get(server.URL + "/orders/7")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	server.Close() // waits for the handler, which tells its numbers last
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for name, in := range collect() {
		for _, p := range in.Points {
			got[name] = append(got[name], p.Attrs)
		}
	}
	want := map[string][]string{
		"http.server.request.duration": {"error.type=STRING(error) http.request.method=STRING(GET) http.response.status_code=INT64(500) http.route=STRING(/orders/{id}) url.scheme=STRING(http) "},
		"http.server.active_requests":  {"http.request.method=STRING(GET) url.scheme=STRING(http) "},
		"http.client.request.duration": {"error.type=STRING(500) guard.dependency=STRING(orders) http.request.method=STRING(GET) http.response.status_code=INT64(500) server.address=STRING(127.0.0.1) server.port=INT64(" + address.Port() + ") "},
		"guard.breaker.state":          {"guard.dependency=STRING(orders) "},
		"guard.dependency.calls":       {"guard.dependency=STRING(orders) guard.outcome=STRING(ignored) "},
		"guard.errors":                 {"error.type=STRING(error) http.response.status_code=INT64(500) http.route=STRING(/orders/{id}) "},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the SDK tells (-want +got):\n%s", diff)
	}
}

func TestAKnownSeriesCostsNoAllocation(t *testing.T) {
	o, _ := observed(t)
	attrs := metric.Attrs{{Key: "http.request.method", Value: "GET"}, {Key: "http.response.status_code", Value: "200"}}
	for _, name := range []metric.Name{metric.ServerDuration, metric.ServerActive, metric.BreakerState, metric.Calls, metric.ConnectionMax} {
		o.Observe(name, 0.2, attrs)
		if n := testing.AllocsPerRun(100, func() { o.Observe(name, 0.2, attrs) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	o := otelguard.New(provider)
	attrs := metric.Attrs{{Key: "http.request.method", Value: "GET"}, {Key: "url.scheme", Value: "http"}, {Key: "http.response.status_code", Value: "200"}, {Key: "http.route", Value: "/orders/{id}"}}
	b.ReportAllocs()
	for b.Loop() {
		o.Observe(metric.ServerDuration, 0.02, attrs)
	}
}
