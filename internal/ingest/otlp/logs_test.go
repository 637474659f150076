package otlp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

func str(v string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}
}

func num(v int64) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v}}
}

func list(v ...*common.AnyValue) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: v}}}
}

func object(kv ...*common.KeyValue) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: kv}}}
}

func kv(key string, v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: key, Value: v} }

func service(name string, more ...*common.KeyValue) *resource.Resource {
	return &resource.Resource{Attributes: append([]*common.KeyValue{kv("service.name", str(name))}, more...)}
}

func logRequest(res *resource.Resource, records ...*logspb.LogRecord) *collogs.ExportLogsServiceRequest {
	return &collogs.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{Resource: res, ScopeLogs: []*logspb.ScopeLogs{{
		Scope: &common.InstrumentationScope{Name: "com.shop.Cart"}, LogRecords: records}}}}}
}

var at = uint64(time.Date(2026, 11, 29, 14, 2, 3, 456789000, time.UTC).UnixNano())

func TestALogRecordBecomesALineThatIsReadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	req := logRequest(service("checkout", kv("service.version", str("5.18.1")), kv("k8s.pod.name", str("checkout-7d9f")), kv("service.instance.id", str("uuid"))), &logspb.LogRecord{
		TimeUnixNano: at, SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_ERROR2, SeverityText: "SEVERE", Body: str("could not pay \"42\"\n"),
		TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), Attributes: []*common.KeyValue{
			kv("http.response.status_code", num(503)), kv("exception.type", str("java.sql.SQLTransientConnectionException")),
			kv("exception.message", str("HikariPool-1 - Connection is not available")),
			kv("exception.stacktrace", str("java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available\n\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)\n\tat com.shop.Cart.total(Cart.java:42)")),
			kv("msg", str("another")), kv("cart", object(kv("items", num(3)), kv("sum", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 1.5}}))),
			kv("tags", list(str("a"), str("b"))), kv("ok", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}), kv("nothing", nil)}})
	if rec := w.post("/v1/logs", protobuf, marshal(t, req)); rec.Code != 200 || rec.Body.Len() != 0 || rec.Header().Get("Content-Type") != protobuf {
		t.Fatalf("%d %v %q", rec.Code, rec.Header(), rec.Body)
	}
	text := w.of("checkout", "otlp-logs")
	want := `{"time":"2026-11-29T14:02:03.456789Z","level":"ERROR","service":"checkout","instance":"checkout-7d9f","version":"5.18.1","logger":"com.shop.Cart",` +
		`"trace_id":"30313233343536373839616263646566","span_id":"3031323334353637","msg":"could not pay \"42\"\n","http.response.status_code":503,` +
		`"exception.type":"java.sql.SQLTransientConnectionException"`
	if !strings.HasPrefix(text, want) || !json.Valid([]byte(text)) || strings.Count(text, "\n") != 1 {
		t.Errorf("line\n%s\nwant\n%s", text, want)
	}
	for _, part := range []string{`"attr.msg":"another"`, `"cart":{"items":3,"sum":1.5}`, `"tags":["a","b"]`, `"ok":true`, `"nothing":null}`} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	s, rep := read(t, text)
	if len(s.logs) != 1 {
		t.Fatalf("%+v", rep)
	}
	r := s.logs[0]
	got := []any{r.Time, r.Level, r.Service, r.Instance, r.Version, r.TraceID, r.SpanID, r.Logger, r.Status, strings.TrimSpace(r.Message)}
	wantRead := []any{int64(at), inquest.LevelError, "checkout", "checkout-7d9f", "5.18.1", "30313233343536373839616263646566", "3031323334353637", "com.shop.Cart", 503, `could not pay "42"`}
	if diff := cmp.Diff(wantRead, got); diff != "" {
		t.Error(diff)
	}
	if r.Exception == nil || r.Exception.Type != "java.sql.SQLTransientConnectionException" || r.Exception.AppFrame != "com.shop.Cart.total (Cart.java:42)" {
		t.Errorf("exception %+v", r.Exception)
	}
}

func TestRecordsThatLackThings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		res    *resource.Resource
		record *logspb.LogRecord
		source string
		want   string
	}{
		"no time, then when it was observed": {service("a"), &logspb.LogRecord{ObservedTimeUnixNano: at, Body: str("x")}, "a", `{"time":"2026-11-29T14:02:03.456789Z","service":"a","msg":"x"}`},
		"no time at all":                     {service("a"), &logspb.LogRecord{Body: str("x")}, "a", `{"time":"2026-11-29T14:30:00Z","service":"a","msg":"x"}`},
		"a time that no clock shows":         {service("a"), &logspb.LogRecord{TimeUnixNano: 1 << 63, Body: str("x")}, "a", `{"time":"2026-11-29T14:30:00Z","service":"a","msg":"x"}`},
		"a level by its text":                {service("a"), &logspb.LogRecord{TimeUnixNano: at, SeverityText: "Warning", Body: str("x")}, "a", `{"time":"2026-11-29T14:02:03.456789Z","level":"Warning","service":"a","msg":"x"}`},
		"no service":                         {nil, &logspb.LogRecord{TimeUnixNano: at, Body: str("x")}, "unknown_service", `{"time":"2026-11-29T14:02:03.456789Z","msg":"x"}`},
		"a body of fields":                   {service("a"), &logspb.LogRecord{TimeUnixNano: at, Body: object(kv("message", str("hi")))}, "a", `{"time":"2026-11-29T14:02:03.456789Z","service":"a","body":{"message":"hi"}}`},
		"an event":                           {service("a"), &logspb.LogRecord{TimeUnixNano: at, EventName: "cart.emptied"}, "a", `{"time":"2026-11-29T14:02:03.456789Z","service":"a","msg":"cart.emptied"}`},
		"ids of the wrong length, or zero":   {service("a"), &logspb.LogRecord{TimeUnixNano: at, Body: str("x"), TraceId: []byte("x"), SpanId: make([]byte, 8)}, "a", `{"time":"2026-11-29T14:02:03.456789Z","service":"a","msg":"x"}`},
		"a hostile service":                  {service("../\x1b[2J\n"), &logspb.LogRecord{TimeUnixNano: at, Body: str("x")}, "../_[2J_", `{"time":"2026-11-29T14:02:03.456789Z","service":"../_[2J_","msg":"x"}`},
	} {
		w := newWorld(t, ingest.Config{}, nil)
		req := logRequest(c.res, c.record)
		req.ResourceLogs[0].ScopeLogs[0].Scope = nil
		if rec := w.post("/v1/logs", protobuf, marshal(t, req)); rec.Code != 200 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if got := strings.TrimSuffix(w.of(c.source, "otlp-logs"), "\n"); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func TestLinesThatACollectorHasReadFromAFileStayAsTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	line := `10.0.0.1 - - [29/Nov/2026:14:02:03 +0000] "GET /products/1 HTTP/1.1" 502 157 "-" "curl/8"`
	file := kv("log.file.path", str("/var/log/nginx/access.log"))
	req := logRequest(service("edge"), &logspb.LogRecord{ObservedTimeUnixNano: at, Body: str(line), Attributes: []*common.KeyValue{file}},
		&logspb.LogRecord{ObservedTimeUnixNano: at, Body: str("taken apart"), SeverityNumber: 9, Attributes: []*common.KeyValue{file}})
	if rec := w.post("/v1/logs", protobuf, marshal(t, req)); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if got := w.of("edge/access.log", "log"); got != line+"\n" {
		t.Errorf("%q", got)
	}
	if got := w.of("edge", "otlp-logs"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "taken apart") {
		t.Errorf("%q", got)
	}
}

func TestEmptyRecordsAreLeftOutAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	req := logRequest(service("a"), &logspb.LogRecord{}, &logspb.LogRecord{Body: str("x")}, &logspb.LogRecord{TimeUnixNano: at})
	rec := w.post("/v1/logs", protobuf, marshal(t, req))
	var res collogs.ExportLogsServiceResponse
	unmarshal(t, rec.Body.Bytes(), &res)
	if rec.Code != 200 || res.GetPartialSuccess().GetRejectedLogRecords() != 2 || res.GetPartialSuccess().GetErrorMessage() == "" {
		t.Errorf("%d %v", rec.Code, &res)
	}
	want := []ingest.Stat{{Source: "a", Signal: "logs", Received: 1}, {Source: "unknown_service", Signal: "logs", Refused: 2}}
	if diff := cmp.Diff(want, w.intake.Stats()); diff != "" {
		t.Error(diff)
	}
}
