package otlp_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/inquesthq/inquest/internal/ingest"
)

func unmarshal(t testing.TB, b []byte, m proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatalf("%v: %q", err, b)
	}
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func onlyShop(r *http.Request, source string) error {
	switch {
	case r.Header.Get("Authorization") != "Bearer shop":
		return fmt.Errorf("%w", ingest.ErrUnauthenticated)
	case source != "" && source != "shop":
		return errors.New("this token sends for shop")
	}
	return nil
}

// nested is a log request whose body is an array in an array in ..., made by hand because protobuf's own limit is in the way.
func nested(depth int) []byte {
	bytesField := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	value := []byte(nil)
	for range depth {
		value = bytesField(5, bytesField(1, value))
	}
	return bytesField(1, bytesField(2, bytesField(2, bytesField(5, value))))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	good := marshal(t, logRequest(service("shop"), &logspb.LogRecord{TimeUnixNano: at, Body: str("x")}))
	mixed := marshal(t, &collogs.ExportLogsServiceRequest{ResourceLogs: append(logRequest(service("shop"), &logspb.LogRecord{Body: str("x")}).ResourceLogs,
		logRequest(service("payments"), &logspb.LogRecord{Body: str("y")}).ResourceLogs...)})
	manyAttributes := &logspb.LogRecord{Body: str("x")}
	for range 2000 {
		manyAttributes.Attributes = append(manyAttributes.Attributes, &common.KeyValue{})
	}
	fat := logRequest(service("shop", kv("service.version", str(strings.Repeat("v", 200)))))
	for range 60_000 {
		fat.ResourceLogs[0].ScopeLogs[0].LogRecords = append(fat.ResourceLogs[0].ScopeLogs[0].LogRecords, &logspb.LogRecord{Body: str("")})
	}
	token := []string{"Authorization", "Bearer shop"}
	for name, c := range map[string]struct {
		kind    string
		body    []byte
		headers []string
		fail    error
		status  int
		kept    bool
	}{
		"taken":                              {protobuf, good, token, nil, 200, true},
		"taken with gzip":                    {protobuf, zipped(t, good), append([]string{"Content-Encoding", "gzip"}, token...), nil, 200, true},
		"an empty request":                   {protobuf, nil, token, nil, 200, false},
		"JSON":                               {jsonType, []byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`), token, nil, 200, true},
		"no token":                           {protobuf, good, nil, nil, 401, false},
		"a token for another source":         {protobuf, mixed, token, nil, 403, false},
		"another type":                       {"text/plain", good, token, nil, 415, false},
		"damaged":                            {protobuf, good[:len(good)-3], token, nil, 400, false},
		"damaged JSON":                       {jsonType, []byte(`{"resourceLogs":[{`), token, nil, 400, false},
		"JSON of another kind":               {jsonType, []byte(`{"resourceLogs":"x"}`), token, nil, 400, false},
		"too large":                          {protobuf, make([]byte, 2<<20), token, nil, 413, false},
		"a zip bomb":                         {protobuf, zipped(t, make([]byte, 100<<20)), append([]string{"Content-Encoding", "gzip"}, token...), nil, 413, false},
		"nested too deep":                    {protobuf, nested(5_000), token, nil, 400, false},
		"JSON nested too deep":               {jsonType, []byte(strings.Repeat(`{"resourceLogs":[`, 20_000)), token, nil, 400, false},
		"unknown JSON nested too deep":       {jsonType, []byte(`{"x":` + strings.Repeat(`[`, 500_000)), token, nil, 400, false},
		"too many attributes":                {protobuf, marshal(t, logRequest(service("shop"), manyAttributes)), token, nil, 400, false},
		"lines many times as large as it is": {protobuf, marshal(t, fat), token, nil, 413, false},
		"the disk is full":                   {protobuf, good, token, errDisk, 503, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ingest.Config{MaxBody: 1 << 20, InFlight: 16 << 20}, onlyShop)
			w.fail = c.fail
			rec := w.post("/v1/logs", c.kind, c.body, c.headers...)
			if rec.Code != c.status {
				t.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
			if kept := len(w.lines) > 0; kept != c.kept {
				t.Errorf("kept: %v", w.lines)
			}
			if c.status == 200 {
				return
			}
			if c.kind == jsonType {
				if !strings.Contains(rec.Body.String(), `"message":"`) {
					t.Errorf("%s", rec.Body)
				}
			} else {
				var s status.Status
				unmarshal(t, rec.Body.Bytes(), &s)
				if s.GetMessage() == "" || s.GetCode() == 0 {
					t.Errorf("status %v", &s)
				}
			}
			if (rec.Header().Get("Retry-After") != "") != (c.status == 503) {
				t.Errorf("%v", rec.Header())
			}
			stats := w.intake.Stats()
			if len(stats) != 1 || (stats[0].Shed > 0) != (c.status == 503) || (stats[0].Refused > 0) == (c.status == 503) || stats[0].Received != 0 {
				t.Errorf("counted: %+v", stats)
			}
		})
	}
}

func TestASenderIsShedWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{MaxBody: 1 << 20, InFlight: 1 << 20, Patience: 1}, nil)
	hold, err := w.intake.TryHold(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	body := marshal(t, logRequest(service("shop"), &logspb.LogRecord{Body: str("x")}))
	rec := w.post("/v1/logs", protobuf, body)
	if rec.Code != 429 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if diff := cmp.Diff([]ingest.Stat{{Source: "unknown_service", Signal: "logs", Shed: 1}}, w.intake.Stats()); diff != "" {
		t.Error(diff)
	}
	hold.Release()
	if rec := w.post("/v1/logs", protobuf, body); rec.Code != 200 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestTenThousandSourcesInOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{MaxSources: 100}, nil)
	req := &collogs.ExportLogsServiceRequest{}
	for i := range 10_000 {
		req.ResourceLogs = append(req.ResourceLogs, logRequest(service(fmt.Sprint("s", i)), &logspb.LogRecord{Body: str("x")}).ResourceLogs...)
	}
	if rec := w.post("/v1/logs", protobuf, marshal(t, req)); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if len(w.lines) != 101 {
		t.Errorf("%d sources", len(w.lines))
	}
	if got := w.of(ingest.Other, "otlp-logs"); strings.Count(got, "\n") != 9900 || !strings.Contains(got, `"service":"s9999"`) {
		t.Errorf("%d lines of the others", strings.Count(got, "\n"))
	}
}

func TestJSONSaysTheSameAsProtobuf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, nil)
	body := `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"lib"},"unknownField":{"a":[1]},
		"logRecords":[{"timeUnixNano":"1795960923456789000","observed_time_unix_nano":1,"severityNumber":17,"body":{"stringValue":"boom"},"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
		"attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"d","value":{"doubleValue":0.5}},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":false},{"stringValue":"é"}]}}},
		{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"aGk="}}]}}},{"key":"z","value":null}]}]}]}]}`
	if rec := w.post("/v1/logs", jsonType, []byte(body)); rec.Code != 200 || rec.Body.String() != "{}" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	want := `{"time":"2026-11-29T14:02:03.456789Z","level":"ERROR","service":"shop","logger":"lib","trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174","msg":"boom","n":-7,"d":0.5,"l":[false,"é"],"m":{"k":"aGk="},"z":null}` + "\n"
	if diff := cmp.Diff(want, w.of("shop", "otlp-logs")); diff != "" {
		t.Error(diff)
	}
	if rec := w.post("/v1/logs", jsonType, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}`)); !strings.Contains(rec.Body.String(), `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"`) {
		t.Errorf("%s", rec.Body)
	}
}
