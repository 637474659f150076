package otlp_test

import (
	"encoding/json"
	"strings"
	"testing"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/inquesthq/inquest/internal/ingest"
)

// fuzz posts anything: the answer is one of few, lines are JSON, and nothing is held afterwards (newWorld looks).
func fuzz(f *testing.F, path string) {
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		w := newWorld(t, ingest.Config{MaxBody: 1 << 20, InFlight: 32 << 20}, nil)
		kind := protobuf
		if isJSON {
			kind = jsonType
		}
		rec := w.post(path, kind, body)
		if rec.Code != 200 && rec.Code != 400 && rec.Code != 413 {
			t.Errorf("status %d", rec.Code)
		}
		for src, text := range w.lines {
			if src.Kind == "log" {
				continue
			}
			for l := range strings.Lines(string(text)) {
				if !json.Valid([]byte(l)) {
					t.Errorf("no JSON: %q", l)
				}
			}
		}
	})
}

func FuzzLogs(f *testing.F) {
	f.Add(marshal(f, logRequest(service("shop"), &logspb.LogRecord{TimeUnixNano: at, SeverityNumber: 9, Body: object(kv("a", list(num(1)))), TraceId: []byte("0123456789abcdef")})), false)
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[{"key":"a","value":{"doubleValue":"NaN"}}]}}}]}]}]}`), true)
	fuzz(f, "/v1/logs")
}

func FuzzSpans(f *testing.F) {
	f.Add(marshal(f, traceRequest()), false)
	f.Add([]byte(`{"resource_spans":[{"scopeSpans":[{"spans":[{"traceId":"00","kind":2,"status":{"code":2}}]}]}]}`), true)
	fuzz(f, "/v1/traces")
}

func FuzzMetrics(f *testing.F) {
	f.Add(marshal(f, metricRequest(sum("a.b", "By", true, cumulative, numbers(1, 2)...))), false)
	f.Add([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"3","bucketCounts":["1","2"],"explicitBounds":[0.5],"attributes":[{"key":"k","value":{"intValue":3}}]}]}},
		{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"scale":-2,"positive":{"offset":-3,"bucketCounts":["1"]}}]}}]}]}]}`), true)
	fuzz(f, "/v1/metrics")
}
