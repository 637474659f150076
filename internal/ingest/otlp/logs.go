package otlp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"math"
	"path"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// takeLogs takes an ExportLogsServiceRequest.
func (o *Receiver) takeLogs(ctx context.Context, t *taking) error {
	p := o.parts(t)
	defer p.release()
	l := &logs{parts: p, now: o.cfg.Now()}
	err := each(t.body, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return l.resource(f.bytes)
	})
	if err != nil {
		return err
	}
	return p.flush(ctx)
}

// logs writes the records of one request as lines.
type logs struct {
	*parts
	now time.Time

	who    resource
	prefix []byte // what stands in each line of a resource
	logger []byte // the scope, as JSON
	attrs  [][]byte
	source string
	out    *[]byte
}

// resource reads a ResourceLogs: its resource may stand behind its records.
func (l *logs) resource(b []byte) error {
	var err error
	if l.who, err = readResource(b); err != nil {
		return err
	}
	if err := l.t.allow(l.who.service); err != nil {
		return err
	}
	l.source = l.o.cfg.Intake.Source(l.who.service, unnamed)
	l.t.count(l.source, 0)
	l.out = nil
	l.prefix = l.who.appendPrefix(l.prefix[:0])
	return each(b, func(f *wireField) error {
		if f.num != 2 || f.typ != protowire.BytesType {
			return nil
		}
		return l.scope(f.bytes)
	})
}

func (l *logs) scope(b []byte) error {
	l.logger = l.logger[:0]
	err := each(b, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return each(f.bytes, func(f *wireField) error {
			if f.num == 1 && f.typ == protowire.BytesType && len(f.bytes) > 0 {
				l.logger = ingest.AppendJSON(append(l.logger[:0], `,"logger":`...), f.bytes[:min(len(f.bytes), maxPrefixValue)])
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		if f.num == 2 && f.typ == protowire.BytesType {
			if err := l.record(f.bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

// record is one LogRecord as it lies on the wire.
type record struct {
	time, observed uint64
	number         uint64
	text           []byte
	body           []byte
	trace, span    []byte
	event          []byte
	bodied         bool // has a body
}

func (l *logs) record(b []byte) error {
	var r record
	l.attrs = l.attrs[:0]
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch {
		case f.num == 1 && f.typ == protowire.Fixed64Type:
			r.time = f.n
		case f.num == 11 && f.typ == protowire.Fixed64Type:
			r.observed = f.n
		case f.num == 2 && f.typ == protowire.VarintType:
			r.number = f.n
		case f.typ != protowire.BytesType:
		case f.num == 3:
			r.text = f.bytes
		case f.num == 5:
			r.body, r.bodied = f.bytes, true
		case f.num == 6:
			if l.attrs = append(l.attrs, f.bytes); len(l.attrs) > maxAttributes {
				return errAttributes
			}
		case f.num == 9:
			r.trace = f.bytes
		case f.num == 10:
			r.span = f.bytes
		case f.num == 12:
			r.event = f.bytes
		}
	}
	if !r.bodied && len(l.attrs) == 0 && len(r.event) == 0 {
		l.t.reject(1, "a log record without body and attributes says nothing")
		return nil
	}
	l.t.count(l.source, 1)
	if raw, file := l.rawLine(&r); raw != nil {
		name := l.o.cfg.Intake.Source(cmp.Or(l.who.service, unnamed)+"/"+file, unnamed)
		out := l.of(spool.Source{Name: name, Kind: "log"})
		*out = append(append(*out, raw...), '\n')
		return l.grew(len(raw) + 1)
	}
	return l.line(&r)
}

// rawLine tells a line that a collector has read from a file and not taken apart: it is kept as it was written, because our readers know its
// format. It returns nil for all others.
func (l *logs) rawLine(r *record) (line []byte, file string) {
	if r.number != 0 || len(r.text) > 0 {
		return nil, ""
	}
	body, err := anyValue(r.body)
	if err != nil || body.num != valueString || len(body.bytes) == 0 || bytes.IndexByte(body.bytes, '\n') >= 0 {
		return nil, ""
	}
	for _, a := range l.attrs {
		key, value, err := keyValue(a)
		if err != nil || string(key) != "log.file.name" && string(key) != "log.file.path" {
			continue
		}
		if v, err := anyValue(value); err == nil && v.num == valueString && len(v.bytes) > 0 && len(v.bytes) < 1000 {
			return body.bytes, path.Base(string(v.bytes))
		}
	}
	return nil, ""
}

// line appends one record.
func (l *logs) line(r *record) error {
	if l.out == nil {
		l.out = l.of(spool.Source{Name: l.source, Kind: KindLogs})
	}
	b := *l.out
	before := len(b)
	b = append(b, `{"time":"`...)
	b = r.when(l.now).AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	if level := r.level(); level != "" {
		b = append(append(append(b, `,"level":"`...), level...), '"')
	} else if len(r.text) > 0 {
		b = ingest.AppendJSON(append(b, `,"level":`...), r.text)
	}
	b = append(append(b, l.prefix...), l.logger...)
	b = appendID(b, `,"trace_id":"`, r.trace, 16)
	b = appendID(b, `,"span_id":"`, r.span, 8)
	var err error
	switch {
	case r.bodied:
		if b, err = appendBody(b, r.body); err != nil {
			return err
		}
	case len(r.event) > 0:
		b = ingest.AppendJSON(append(b, `,"msg":`...), r.event)
	}
	for _, a := range l.attrs {
		if b, err = appendAttribute(b, a); err != nil {
			return err
		}
	}
	b = append(b, '}', '\n')
	*l.out = b
	return l.grew(len(b) - before)
}

func appendBody(b, body []byte) ([]byte, error) {
	v, err := anyValue(body)
	if err != nil || v.num == 0 {
		return b, err
	}
	if v.num == valueMap {
		return appendValue(append(b, `,"body":`...), body, 0)
	}
	return appendValue(append(b, `,"msg":`...), body, 0)
}

// appendAttribute appends one attribute under its own name, unless our own keys have it.
func appendAttribute(b, attribute []byte) ([]byte, error) {
	key, value, err := keyValue(attribute)
	if err != nil || len(key) == 0 {
		return b, err
	}
	b = append(b, ',')
	switch string(key) {
	case "time", "timestamp", "@timestamp", "ts", "level", "severity", "log.level", "levelname", "msg", "message", "body", "service", "service.name",
		"instance", "version", "service.version", "logger", "trace_id", "span_id":
		b = append(append(append(b, `"attr.`...), key...), `":`...)
	default:
		b = append(ingest.AppendJSON(b, key), ':')
	}
	return appendValue(b, value, 0)
}

func appendID(b []byte, key string, id []byte, n int) []byte {
	if len(id) != n {
		return b
	}
	for _, c := range id {
		if c != 0 {
			return append(hex.AppendEncode(append(b, key...), id), '"')
		}
	}
	return b
}

// when is the time that the source gave, or the time at which somebody saw it.
func (r *record) when(now time.Time) time.Time {
	ns := cmp.Or(r.time, r.observed)
	if ns == 0 || ns > math.MaxInt64 {
		return now.UTC()
	}
	return time.Unix(0, int64(ns)).UTC()
}

// level is the name of the severity number's range: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
func (r *record) level() string {
	names := [...]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
	if r.number == 0 || r.number > 24 {
		return ""
	}
	return names[(r.number-1)/4]
}
