package otlp_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/inquesthq/inquest/internal/ingest"
)

// serveGRPC answers gRPC on a port of its own until the test ends.
func (w *world) serveGRPC(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.receiver.ServeGRPC(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

type exporters struct {
	logs    sdklog.Exporter
	spans   sdktrace.SpanExporter
	metrics sdkmetric.Exporter
}

// emit sends one of each signal with OpenTelemetry's own SDK.
func emit(t *testing.T, e exporters) {
	t.Helper()
	ctx := context.Background()
	res := resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("service.version", "1.2"))
	logs := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(e.logs)))
	spans := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(e.spans))
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(e.metrics, sdkmetric.WithInterval(time.Hour))))
	ctx2, span := spans.Tracer("lib").Start(ctx, "GET /")
	var r log.Record
	r.SetSeverity(log.SeverityWarn)
	r.SetBody(attribute.StringValue("slow"))
	r.AddAttributes(attribute.Int("ms", 1200))
	logs.Logger("lib").Emit(ctx2, r)
	span.End()
	counter, err := metrics.Meter("lib").Int64Counter("orders")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(ctx, 3)
	if err := errors.Join(logs.Shutdown(ctx), spans.Shutdown(ctx), metrics.Shutdown(ctx)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) arrived(t *testing.T) {
	t.Helper()
	if got := w.of("shop", "otlp-logs"); !strings.Contains(got, `"level":"WARN","service":"shop","version":"1.2","logger":"lib","trace_id":"`) || !strings.Contains(got, `"msg":"slow","ms":1200}`) {
		t.Errorf("log %s", got)
	}
	if s, _ := read(t, w.of("shop", "otlp-spans")); len(s.spans) != 1 || s.spans[0].Name != "GET /" {
		t.Errorf("span %s", w.of("shop", "otlp-spans"))
	}
	if got := strings.Join(w.samples(), "\n"); !strings.Contains(got, `orders_total{job="shop"} counter 3`) {
		t.Errorf("metrics %s", got)
	}
}

func TestTheSDKSendsByHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, onlyShop)
	server := httptest.NewServer(w.receiver.Handler())
	defer server.Close()
	ctx := context.Background()
	head := map[string]string{"Authorization": "Bearer shop"}
	to := strings.TrimPrefix(server.URL, "http://")
	var e exporters
	var err1, err2, err3 error
	e.logs, err1 = otlploghttp.New(ctx, otlploghttp.WithEndpoint(to), otlploghttp.WithInsecure(), otlploghttp.WithHeaders(head), otlploghttp.WithCompression(otlploghttp.GzipCompression))
	e.spans, err2 = otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(to), otlptracehttp.WithInsecure(), otlptracehttp.WithHeaders(head))
	e.metrics, err3 = otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(to), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHeaders(head))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	emit(t, e)
	w.arrived(t)
	http.DefaultClient.CloseIdleConnections()
}

func TestTheSDKSendsByGRPC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ingest.Config{}, onlyShop)
	to := w.serveGRPC(t)
	ctx := context.Background()
	head := map[string]string{"authorization": "Bearer shop"}
	var e exporters
	var err1, err2, err3 error
	e.logs, err1 = otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(to), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(head), otlploggrpc.WithCompressor("gzip"))
	e.spans, err2 = otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(to), otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(head))
	e.metrics, err3 = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(to), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithHeaders(head))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	emit(t, e)
	w.arrived(t)
}

func TestGRPCAnswers(t *testing.T) {
	t.Parallel()
	good := logRequest(service("shop"), &logspb.LogRecord{Body: str("x")}, &logspb.LogRecord{})
	for name, c := range map[string]struct {
		req   *collogs.ExportLogsServiceRequest
		auth  ingest.Auth
		fail  error
		busy  bool
		code  codes.Code
		retry bool
	}{
		"taken, but for one record": {good, nil, nil, false, codes.OK, false},
		"no token":                  {good, onlyShop, nil, false, codes.Unauthenticated, false},
		"the disk is full":          {good, nil, errDisk, false, codes.Unavailable, true},
		"no room":                   {good, nil, nil, true, codes.Unavailable, true},
		"too large":                 {logRequest(service("shop"), &logspb.LogRecord{Body: str(strings.Repeat("x", 2<<20))}), nil, nil, false, codes.ResourceExhausted, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ingest.Config{MaxBody: 1 << 20, InFlight: 1 << 20}, c.auth)
			w.fail = c.fail
			conn, err := grpc.NewClient(w.serveGRPC(t), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if c.busy {
				h, err := w.intake.TryHold(1)
				if err != nil {
					t.Fatal(err)
				}
				defer h.Release()
			}
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			res, err := collogs.NewLogsServiceClient(conn).Export(ctx, c.req)
			if got := status.Code(err); got != c.code {
				t.Fatalf("%s: %v", got, err)
			}
			if details := status.Convert(err).Details(); (len(details) == 1) != c.retry {
				t.Errorf("details %v", details)
			}
			if err == nil && res.GetPartialSuccess().GetRejectedLogRecords() != 1 {
				t.Errorf("%v", res)
			}
		})
	}
}
