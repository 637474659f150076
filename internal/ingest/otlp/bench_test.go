package otlp_test

import (
	"context"
	"fmt"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/otlp"
	"github.com/inquesthq/inquest/internal/spool"
)

type nowhere struct{}

func (nowhere) Append(context.Context, spool.Source, []byte) error { return nil }

func benchRequest(b *testing.B) []byte {
	var records []*logspb.LogRecord
	for i := range 1000 {
		records = append(records, &logspb.LogRecord{TimeUnixNano: at + uint64(i), SeverityNumber: 9, SeverityText: "INFO", Body: str(fmt.Sprintf("order %d was paid by card ending in 4242 within 37 ms", i)),
			TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), Attributes: []*common.KeyValue{kv("http.request.method", str("POST")), kv("url.path", str("/orders/42/pay")),
				kv("http.response.status_code", num(200)), kv("thread.name", str("http-nio-8080-exec-7")), kv("user.id", str("u-19382")), kv("duration_ms", num(37))}})
	}
	return marshal(b, logRequest(service("checkout", kv("service.version", str("1.2.3")), kv("k8s.pod.name", str("checkout-7d9f4"))), records...))
}

// BenchmarkLogs takes requests of 1000 records with six attributes each, from the body to the lines; one operation is one record.
func BenchmarkLogs(b *testing.B) {
	body := benchRequest(b)
	for name, packed := range map[string]bool{"plain": false, "gzip": true} {
		b.Run(name, func(b *testing.B) {
			intake, err := ingest.New(ingest.Config{})
			if err != nil {
				b.Fatal(err)
			}
			r, err := otlp.New(otlp.Config{Intake: intake, Spool: nowhere{}, Appender: appender{&memory{}}})
			if err != nil {
				b.Fatal(err)
			}
			w := &world{memory: &memory{}, intake: intake, receiver: r}
			data, headers := body, []string(nil)
			if packed {
				data, headers = zipped(b, body), []string{"Content-Encoding", "gzip"}
			}
			b.ReportAllocs()
			for b.Loop() {
				if rec := w.post("/v1/logs", protobuf, data, headers...); rec.Code != 200 {
					b.Fatal(rec.Code)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
		})
	}
}
