package otlp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/inquesthq/inquest/internal/ingest"
)

func traceRequest() *coltrace.ExportTraceServiceRequest {
	span := func(name string) *tracepb.Span {
		return &tracepb.Span{TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), ParentSpanId: []byte("76543210"), Name: name, Kind: tracepb.Span_SPAN_KIND_SERVER,
			StartTimeUnixNano: at, EndTimeUnixNano: at + uint64(1500*time.Millisecond), Attributes: []*common.KeyValue{kv("http.response.status_code", num(500)), kv("http.route", str("/pay/{id}"))},
			Events: []*tracepb.Span_Event{{TimeUnixNano: at, Name: "exception", Attributes: []*common.KeyValue{kv("exception.type", str("IOError")), kv("exception.message", str("no \"route\""))}}},
			Links:  []*tracepb.Span_Link{{TraceId: []byte("fedcba9876543210"), SpanId: []byte("01234567")}}, Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}, Flags: 257}
	}
	one := func(service_ string, spans ...*tracepb.Span) *tracepb.ResourceSpans {
		return &tracepb.ResourceSpans{Resource: service(service_), ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "lib", Version: "1"}, Spans: spans}}}
	}
	return &coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{one("pay", span("POST /pay/{id}"), span("second")), one("cart", span("third")), one("idle")}}
}

func TestSpansStayOTLP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	if rec := w.post("/v1/traces", protobuf, marshal(t, traceRequest())); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	text := w.of("pay", "otlp-spans")
	if strings.Count(text, "\n") != 1 || len(w.lines) != 2 {
		t.Errorf("%d sources; %s", len(w.lines), text)
	}
	s, rep := read(t, text)
	if rep.Format != "otlp-traces" || len(s.spans) != 2 {
		t.Fatalf("%+v", rep)
	}
	p := s.spans[0]
	got := []any{p.TraceID, p.SpanID, p.ParentID, p.Service, p.Name, p.Kind, p.Start.UnixNano(), p.Duration, p.Error, p.StatusCode, p.Message, p.Attributes["http.route"]}
	want := []any{"30313233343536373839616263646566", "3031323334353637", "3736353433323130", "pay", "POST /pay/{id}", "server", int64(at), 1500 * time.Millisecond, true, 500, `IOError: no "route"`, "/pay/{id}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ingest.Stat{{Source: "cart", Signal: "spans", Received: 1}, {Source: "pay", Signal: "spans", Received: 2}}, w.intake.Stats()); diff != "" {
		t.Error(diff)
	}
	// What was written is a request in JSON: sent again it gives the same line.
	again := newWorld(t, ingest.Config{}, nil)
	if rec := again.post("/v1/traces", jsonType, []byte(text)); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if diff := cmp.Diff(text, again.of("pay", "otlp-spans")); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatedFieldsMayLieApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	// Two halves of one ResourceSpans, concatenated within it: protobuf merges them.
	half := marshal(t, traceRequest().ResourceSpans[0])
	both := append(append([]byte{}, half...), half...)
	body := append([]byte{0x0a, byte(len(both)&0x7f | 0x80), byte(len(both) >> 7)}, both...)
	if rec := w.post("/v1/traces", protobuf, body); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if s, _ := read(t, w.of("pay", "otlp-spans")); len(s.spans) != 4 {
		t.Errorf("%d spans: %s", len(s.spans), w.of("pay", "otlp-spans"))
	}
}
