package otlp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/inquesthq/inquest/internal/ingest"
)

const (
	cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	delta      = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
)

func metricRequest(metrics ...*metricspb.Metric) *colmetrics.ExportMetricsServiceRequest {
	res := service("pay", kv("service.namespace", str("shop")), kv("service.instance.id", str("pay-1")), kv("cloud.region", str("eu")))
	return &colmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{Resource: res, ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: metrics}}}}}
}

func numbers(v ...float64) (out []*metricspb.NumberDataPoint) {
	for _, x := range v {
		out = append(out, &metricspb.NumberDataPoint{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: x}})
	}
	return out
}

func sum(name, unit string, monotonic bool, temporality metricspb.AggregationTemporality, points ...*metricspb.NumberDataPoint) *metricspb.Metric {
	return &metricspb.Metric{Name: name, Unit: unit, Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{DataPoints: points, IsMonotonic: monotonic, AggregationTemporality: temporality}}}
}

func TestMetricsHaveTheNamesThatPrometheusGivesThem(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	point := &metricspb.NumberDataPoint{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsInt{AsInt: -3}, Attributes: []*common.KeyValue{kv("http.route", str("/a")), kv("job", str("mine")), kv("ok", num(1))}}
	const who = `instance="pay-1",job="shop/pay"`
	for name, c := range map[string]struct {
		metric *metricspb.Metric
		want   []string
	}{
		"a counter":          {sum("http.server.requests", "1", true, cumulative, numbers(7)...), []string{`http_server_requests_total{` + who + `} counter 7`}},
		"a counter of bytes": {sum("io.read", "By", true, cumulative, numbers(7)...), []string{`io_read_bytes_total{` + who + `} counter 7`}},
		"an up-down counter": {sum("queue.length", "{items}", false, cumulative, point), []string{`queue_length{http_route="/a",` + who + `,ok="1"} gauge -3`}},
		"a gauge":            {&metricspb.Metric{Name: "cpu.use", Unit: "1", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: numbers(0.5)}}}, []string{`cpu_use_ratio{` + who + `} gauge 0.5`}},
		"a histogram": {&metricspb.Metric{Name: "http.duration", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: cumulative,
			DataPoints: []*metricspb.HistogramDataPoint{{TimeUnixNano: at, Count: 6, Sum: f(2.5), BucketCounts: []uint64{1, 2, 3}, ExplicitBounds: []float64{0.1, 1}}}}}}, []string{
			`http_duration_seconds_bucket{` + who + `,le="+Inf"} histogram 6`, `http_duration_seconds_bucket{` + who + `,le="0.1"} histogram 1`,
			`http_duration_seconds_bucket{` + who + `,le="1"} histogram 3`, `http_duration_seconds_count{` + who + `} histogram 6`, `http_duration_seconds_sum{` + who + `} histogram 2.5`}},
		// Scale 1: bounds are 2^(i/2). Offset -1: (0.707, 1], (1, 1.41], (1.41, 2], (2, 2.83].
		"an exponential histogram": {&metricspb.Metric{Name: "d", Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{AggregationTemporality: cumulative,
			DataPoints: []*metricspb.ExponentialHistogramDataPoint{{TimeUnixNano: at, Count: 16, Sum: f(9), Scale: 1, ZeroCount: 1, Positive: &metricspb.ExponentialHistogramDataPoint_Buckets{Offset: -1, BucketCounts: []uint64{1, 2, 4, 8}}}}}}}, []string{
			`d_bucket{` + who + `,le="+Inf"} histogram 16`, `d_bucket{` + who + `,le="1"} histogram 2`, `d_bucket{` + who + `,le="2"} histogram 8`, `d_bucket{` + who + `,le="4"} histogram 16`,
			`d_count{` + who + `} histogram 16`, `d_sum{` + who + `} histogram 9`}},
		"an exponential histogram of a coarse scale": {&metricspb.Metric{Name: "d", Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{AggregationTemporality: cumulative,
			DataPoints: []*metricspb.ExponentialHistogramDataPoint{{TimeUnixNano: at, Count: 3, Scale: -1, Positive: &metricspb.ExponentialHistogramDataPoint_Buckets{Offset: 0, BucketCounts: []uint64{1, 2}}}}}}}, []string{
			`d_bucket{` + who + `,le="+Inf"} histogram 3`, `d_bucket{` + who + `,le="16"} histogram 3`, `d_bucket{` + who + `,le="4"} histogram 1`, `d_count{` + who + `} histogram 3`}},
		"a summary": {&metricspb.Metric{Name: "s", Unit: "ms", Data: &metricspb.Metric_Summary{Summary: &metricspb.Summary{DataPoints: []*metricspb.SummaryDataPoint{{TimeUnixNano: at, Count: 4, Sum: 10,
			QuantileValues: []*metricspb.SummaryDataPoint_ValueAtQuantile{{Quantile: 0.99, Value: 5}}}}}}}, []string{
			`s_milliseconds_count{` + who + `} summary 4`, `s_milliseconds_sum{` + who + `} summary 10`, `s_milliseconds{` + who + `,quantile="0.99"} summary 5`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ingest.Config{}, nil)
			if rec := w.post("/v1/metrics", protobuf, marshal(t, metricRequest(c.metric))); rec.Code != 200 || rec.Body.Len() != 0 {
				t.Fatalf("%d %q", rec.Code, rec.Body)
			}
			want := append(c.want, `target_info{cloud_region="eu",`+who+`,service_instance_id="pay-1",service_name="pay",service_namespace="shop"} gauge 1`)
			if diff := cmp.Diff(want, w.samples()); diff != "" {
				t.Error(diff)
			}
			if got := w.series[0].Samples[0].Time.UnixNano(); got != int64(at) {
				t.Errorf("time %d", got)
			}
		})
	}
}

func TestMetricsThatCannotBeTakenAreToldAndTheRestIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	broken := &metricspb.Metric{Name: "h", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: cumulative,
		DataPoints: []*metricspb.HistogramDataPoint{{TimeUnixNano: at, BucketCounts: []uint64{1}, ExplicitBounds: []float64{1, 2}}}}}}
	req := metricRequest(sum("d", "", true, delta, numbers(1, 2)...), broken, sum("", "", true, cumulative, numbers(1)...), sum("good", "", true, cumulative, numbers(5)...))
	rec := w.post("/v1/metrics", protobuf, marshal(t, req))
	var res colmetrics.ExportMetricsServiceResponse
	unmarshal(t, rec.Body.Bytes(), &res)
	if rec.Code != 200 || res.GetPartialSuccess().GetRejectedDataPoints() != 4 || !strings.Contains(res.GetPartialSuccess().GetErrorMessage(), "cumulative") {
		t.Errorf("%d %v", rec.Code, &res)
	}
	if got := w.samples(); len(got) != 2 || !strings.HasPrefix(got[0], "good_total") {
		t.Errorf("%v", got)
	}
	w.fail = errDisk
	if rec := w.post("/v1/metrics", protobuf, marshal(t, metricRequest(sum("good", "", true, cumulative, numbers(5)...)))); rec.Code != 503 {
		t.Errorf("%d", rec.Code)
	}
}

func TestAPointWithoutAValueEndsItsSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	p := numbers(1)
	p[0].Flags = 1
	if rec := w.post("/v1/metrics", protobuf, marshal(t, metricRequest(sum("c", "", true, cumulative, p...)))); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if got := math.Float64bits(w.series[0].Samples[0].Value); got != ingest.StaleNaN {
		t.Errorf("%x", got)
	}
}
