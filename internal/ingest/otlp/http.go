package otlp

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// Handler answers POST /v1/logs, /v1/traces and /v1/metrics.
func (o *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, s := range map[string]signal{"/v1/logs": o.logs(), "/v1/traces": o.spans(), "/v1/metrics": o.metrics()} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { o.serve(w, r, s) })
	}
	return mux
}

func (o *Receiver) serve(w http.ResponseWriter, r *http.Request, s signal) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != typeProto && kind != typeJSON {
		err := ingest.Refuse(http.StatusUnsupportedMediaType, "Content-Type %.60q: send %s or %s", r.Header.Get("Content-Type"), typeProto, typeJSON)
		o.cfg.Intake.NotTaken(unnamed, s.name, 1, err)
		fail(w, typeProto, err)
		return
	}
	t, err := o.receive(w, r, s, kind == typeJSON)
	if err == nil {
		defer t.hold.Release()
		err = o.take(r.Context(), s, t)
	} else {
		o.cfg.Intake.NotTaken(unnamed, s.name, 1, err)
	}
	if err != nil {
		fail(w, kind, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(t.answer(s, kind == typeJSON)) // a sender that has gone sends again
}

// receive reads the body into the wire format.
func (o *Receiver) receive(w http.ResponseWriter, r *http.Request, s signal, json bool) (*taking, error) {
	if err := o.cfg.Auth.Check(r, ""); err != nil {
		return nil, err
	}
	body, hold, err := o.cfg.Intake.Body(w, r)
	if err != nil {
		return nil, err
	}
	if json {
		if err = hold.Resize(3 * int64(len(body))); err == nil { // the wire format is shorter than its JSON; a slice that grows has up to twice its length
			body, err = toWire(body, s.schema)
		}
		if err != nil {
			hold.Release()
			return nil, err
		}
	}
	return &taking{body: body, hold: hold, auth: func(source string) error { return o.cfg.Auth.Check(r, source) }}, nil
}

// answer is an ExportLogsServiceResponse, or that of another signal: they have the same shape.
func (t *taking) answer(s signal, json bool) []byte {
	if json {
		if t.rejected == 0 && t.reason == "" {
			return []byte("{}")
		}
		b := append([]byte(`{"partialSuccess":{"`), s.rejected...)
		b = strconv.AppendInt(append(b, `":"`...), t.rejected, 10)
		return append(ingest.AppendJSON(append(b, `","errorMessage":`...), t.reason), "}}"...)
	}
	if t.rejected == 0 && t.reason == "" {
		return nil
	}
	var part []byte
	part = protowire.AppendVarint(protowire.AppendTag(part, 1, protowire.VarintType), uint64(t.rejected))
	part = protowire.AppendString(protowire.AppendTag(part, 2, protowire.BytesType), t.reason)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), part)
}

// fail answers with a google.rpc.Status, as the protocol wants it.
func fail(w http.ResponseWriter, kind string, err error) {
	status := ingest.Header(w, err)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	code := uint64(codeOf(status))
	if kind == typeJSON {
		fmt.Fprintf(w, `{"code":%d,"message":%s}`, code, ingest.AppendJSON(nil, err.Error()))
		return
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), code)
	_, _ = w.Write(protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), err.Error()))
}
