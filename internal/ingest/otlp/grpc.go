package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // what senders pack with
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/inquesthq/inquest/internal/ingest"
)

// Bounds on gRPC: connections, and requests on each. What they hold is bounded by the intake.
const (
	maxConnections = 1000
	maxStreams     = 100
	maxHeaders     = 16 << 10
)

// ServeGRPC answers OTLP/gRPC on a listener until ctx ends, and closes it. Requests that are being answered are waited for. config may be nil.
func (o *Receiver) ServeGRPC(ctx context.Context, l net.Listener, config *tls.Config) error {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(int(o.cfg.Intake.MaxBody())),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.InTapHandle(o.tap),
	}
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	server := grpc.NewServer(options...)
	for name, s := range map[string]signal{"logs.v1.LogsService": o.logs(), "trace.v1.TraceService": o.spans(), "metrics.v1.MetricsService": o.metrics()} {
		server.RegisterService(o.service("opentelemetry.proto.collector."+name, s), o)
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		server.GracefulStop()
		close(stopped)
	})
	err := server.Serve(ingest.LimitListener(l, maxConnections))
	if !stop() {
		<-stopped
	}
	if ctx.Err() != nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil //nolint:nilerr // it was asked to end
	}
	return fmt.Errorf("otlp: gRPC on %s: %w", l.Addr(), err)
}

func (o *Receiver) service(name string, s signal) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: name, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Export",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return o.export(ctx, s, decode)
		}}}}
}

type holdKey struct{}

// tap sets memory aside before a message is read: a message has no length before. It must not wait.
func (o *Receiver) tap(ctx context.Context, call *tap.Info) (context.Context, error) {
	hold, err := o.cfg.Intake.TryHold(o.cfg.Intake.MaxBody())
	if err != nil {
		name := ingest.Logs
		switch {
		case strings.Contains(call.FullMethodName, "TraceService"):
			name = ingest.Spans
		case strings.Contains(call.FullMethodName, "MetricsService"):
			name = ingest.Metrics
		}
		o.cfg.Intake.NotTaken(unnamed, name, 1, err)
		return nil, asStatus(err)
	}
	context.AfterFunc(ctx, hold.Release)
	return context.WithValue(ctx, holdKey{}, hold), nil
}

func (o *Receiver) export(ctx context.Context, s signal, decode func(any) error) (any, error) {
	hold, ok := ctx.Value(holdKey{}).(*ingest.Hold)
	if !ok {
		return nil, status.Error(codes.Internal, "no memory was set aside")
	}
	r := asRequest(ctx)
	if err := o.cfg.Auth.Check(r, ""); err != nil {
		o.cfg.Intake.NotTaken(unnamed, s.name, 1, err)
		return nil, asStatus(err)
	}
	var body []byte
	if err := decode(&body); err != nil {
		o.cfg.Intake.NotTaken(unnamed, s.name, 1, ingest.Refuse(http.StatusBadRequest, "no message"))
		return nil, err
	}
	if err := hold.Resize(int64(len(body))); err != nil {
		return nil, asStatus(err)
	}
	t := &taking{body: body, hold: hold, auth: func(source string) error { return o.cfg.Auth.Check(r, source) }}
	if err := o.take(ctx, s, t); err != nil {
		return nil, asStatus(err)
	}
	return t.answer(s, false), nil
}

// asRequest lets one Auth judge both protocols.
func asRequest(ctx context.Context) *http.Request {
	r := (&http.Request{Method: http.MethodPost, Header: http.Header{}, Host: "localhost"}).WithContext(ctx)
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		for k, v := range md {
			if !strings.HasPrefix(k, ":") && !strings.HasSuffix(k, "-bin") {
				r.Header[http.CanonicalHeaderKey(k)] = v
			}
		}
		if host := md.Get(":authority"); len(host) > 0 {
			r.Host = host[0]
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		r.RemoteAddr = p.Addr.String()
		if t, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			r.TLS = &t.State
		}
	}
	return r
}

// codeOf maps an HTTP status to gRPC's code. UNAVAILABLE is the one that senders send again for.
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.InvalidArgument
}

func asStatus(err error) error {
	code, after := ingest.Status(err)
	s := status.New(codeOf(code), err.Error())
	if after > 0 {
		if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(after)}); err == nil {
			s = with
		}
	}
	return s.Err()
}

// rawCodec leaves messages as they are on the wire.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("otlp: answer of type %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("otlp: message into %T", v)
	}
	*b = data.Materialize()
	return nil
}
