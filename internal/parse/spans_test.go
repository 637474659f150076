package parse_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

const otlpResource = `"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}},{"key":"service.instance.id","value":{"stringValue":"checkout-1"}}]}`

// The span of the tests: a failing client call.
func wantSpan() *inquest.Span {
	return &inquest.Span{TraceID: "5b8efff798038103d269b633813fc60c", SpanID: "eee19b7ec3c1b174", ParentID: "eee19b7ec3c1b173",
		Service: "checkout", Instance: "checkout-1", Name: "POST", Kind: "client",
		Start: time.Date(2026, 11, 20, 16, 0, 0, 5, time.UTC), Duration: 1500 * time.Microsecond, Error: true, StatusCode: 503,
		Message: "ConnectionError: refused", Peer: "api.pay.example",
		Attributes: map[string]string{"http.response.status_code": "503", "server.address": "api.pay.example", "retry": "true", "x": "a,b"},
		Source:     inquest.Source{File: "in", Line: 1}}
}

const otlpSpan = `{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173","name":"POST","kind":3,` +
	`"startTimeUnixNano":"1795190400000000005","endTimeUnixNano":"1795190400001500005","attributes":[` +
	`{"key":"http.response.status_code","value":{"intValue":"503"}},{"key":"server.address","value":{"stringValue":"api.pay.example"}},` +
	`{"key":"retry","value":{"boolValue":true}},{"key":"x","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}}],` +
	`"events":[{"name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"ConnectionError"}},` +
	`{"key":"exception.message","value":{"stringValue":"refused"}}]}],"status":{"code":2}}`

func TestOTLP(t *testing.T) {
	for name, text := range map[string]string{
		"one request a line": `{"resourceSpans":[{` + otlpResource + `,"scopeSpans":[{"scope":{"name":"x"},"spans":[` + otlpSpan + `]}]}]}` + "\n",
		"resource behind its spans, no newline at the end": `{"resourceSpans":[{"scopeSpans":[{"spans":[` + otlpSpan + `]}],` + otlpResource + `}]}`,
		"ids in base64, kind and status as words": `{"resourceSpans":[{` + otlpResource + `,"scopeSpans":[{"spans":[` + strings.NewReplacer(
			"5B8EFFF798038103D269B633813FC60C", "W47/95gDgQPSabYzgT/GDA==", `"eee19b7ec3c1b174"`, `"7uGbfsPBsXQ="`, `"eee19b7ec3c1b173"`, `"7uGbfsPBsXM="`,
			`"kind":3`, `"kind":"SPAN_KIND_CLIENT"`, `"code":2`, `"code":"STATUS_CODE_ERROR"`).Replace(otlpSpan) + `]}]}]}`,
		"pretty printed": "{\n \"resourceSpans\": [{\n" + otlpResource + ",\n\"scopeSpans\": [{\"spans\": [" + strings.ReplaceAll(otlpSpan, ",", ",\n  ") + "]}]}]\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			k := readText(t, "otlp-traces", text)
			if diff := cmp.Diff([]*inquest.Span{wantSpan()}, k.spans); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestOTLPKeepsWhatComesBeforeAndAfterADamagedLine(t *testing.T) {
	good := `{"resourceSpans":[{` + otlpResource + `,"scopeSpans":[{"spans":[` + otlpSpan + `]}]}]}`
	k := readText(t, "otlp-traces", good+"\n"+"garbage\n"+good+"\n"+good[:200])
	if len(k.spans) != 2 {
		t.Errorf("%d spans, want 2", len(k.spans))
	}
	if len(k.rep.Skips) != 2 || k.rep.Skips[0].Line != 2 || k.rep.Skips[1].Line != 4 {
		t.Errorf("the damaged lines 2 and 4 are not reported: %v", k.rep.Skips)
	}
	if k.spans[1].Source.Line != 3 {
		t.Errorf("the second span points at line %d, want 3", k.spans[1].Source.Line)
	}
}

func TestJaeger(t *testing.T) {
	k := readText(t, "jaeger", `{"data":[{"traceID":"abc","spans":[{"traceID":"abc","spanID":"2","operationName":"GET /cart","references":[{"refType":"CHILD_OF","traceID":"abc","spanID":"1"}],
"startTime":1795190400000000,"duration":2500,"tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"http.status_code","type":"int64","value":500},{"key":"error","type":"bool","value":true}],
"logs":[],"processID":"p1"}],"processes":{"p1":{"serviceName":"cart","tags":[{"key":"hostname","type":"string","value":"cart-1"}]}}}]}`)
	want := []*inquest.Span{{TraceID: "abc", SpanID: "2", ParentID: "1", Service: "cart", Instance: "cart-1", Name: "GET /cart", Kind: "server",
		Start: time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC), Duration: 2500 * time.Microsecond, Error: true, StatusCode: 500,
		Attributes: map[string]string{"span.kind": "server", "http.status_code": "500", "error": "true"}, Source: inquest.Source{File: "in", Line: 1}}}
	if diff := cmp.Diff(want, k.spans); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestZipkin(t *testing.T) {
	k := readText(t, "zipkin", `[{"traceId":"abc","id":"2","parentId":"1","name":"get","kind":"CLIENT","timestamp":1795190400000000,"duration":2500,
"localEndpoint":{"serviceName":"cart","ipv4":"10.0.0.1"},"remoteEndpoint":{"serviceName":"redis"},"tags":{"error":"timeout"}}]`)
	want := []*inquest.Span{{TraceID: "abc", SpanID: "2", ParentID: "1", Service: "cart", Instance: "10.0.0.1", Name: "get", Kind: "client",
		Start: time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC), Duration: 2500 * time.Microsecond, Error: true, Message: "timeout", Peer: "redis",
		Attributes: map[string]string{"error": "timeout"}, Source: inquest.Source{File: "in", Line: 1}}}
	if diff := cmp.Diff(want, k.spans); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzOTLP(f *testing.F) {
	f.Add(`{"resourceSpans":[{` + otlpResource + `,"scopeSpans":[{"spans":[` + otlpSpan + `]}]}]}`)
	f.Add(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":1e18}]}]}]}` + "\n]}")
	f.Add(`{"resourceSpans":[[[[{{{"`)
	f.Fuzz(func(t *testing.T, s string) {
		k := fuzzDocument(t, s, "otlp-traces", "jaeger", "zipkin")
		for _, x := range k.spans {
			if x.Duration < 0 || x.Start.IsZero() {
				t.Fatalf("%+v", x)
			}
		}
	})
}

// BenchmarkOTLP reads export requests of 100 spans with eight attributes each, one a line.
func BenchmarkOTLP(b *testing.B) {
	var buf bytes.Buffer
	const lines, spans = 50, 100
	for l := range lines {
		buf.WriteString(`{"resourceSpans":[{` + otlpResource + `,"scopeSpans":[{"spans":[`)
		for s := range spans {
			if s > 0 {
				buf.WriteByte(',')
			}
			buf.WriteString(strings.Replace(otlpSpan, "eee19b7ec3c1b174", fmt.Sprintf("%016x", l*spans+s+1), 1))
		}
		buf.WriteString("]}]}]}\n")
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		k := &kept{}
		if rep := parse.ReadFile(b.Context(), dir, "in", parse.Options{Workers: 1}, func() parse.Sink { return k }); rep.Records != lines*spans {
			b.Fatal(rep.Records)
		}
	}
}
