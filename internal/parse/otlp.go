package parse

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
)

// otlpFormat reads OTLP/JSON traces: one export request a line (the collector's file exporter), or one document.
func otlpFormat() format {
	return format{name: "otlp-traces", kind: KindLog, read: readOTLP, score: func(sample []byte) float64 {
		return max(keysScore(sample, `"resourceSpans"`), keysScore(sample, `"resource_spans"`),
			keysScore(sample, `"batches"`, `"scopeSpans"`))
	}}
}

func readOTLP(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	o := &otlp{file: file, sink: sink, names: map[string]string{}}
	err := jsonValues(r, skip, func(value []byte, line int) error {
		o.line = line
		o.p = pull{b: value}
		before := o.n
		o.p.object(func(key []byte) {
			switch string(key) {
			case "resourceSpans", "resource_spans", "batches": // "batches": Tempo's API
				o.p.array(o.resourceSpans)
			case "trace": // Tempo's API, version 2
				o.p.object(func(key []byte) {
					if string(key) == "resourceSpans" || string(key) == "batches" {
						o.p.array(o.resourceSpans)
					}
				})
			}
		})
		if o.p.bad {
			skip(line, errJSON.Error())
		} else if o.n == before {
			skip(line, "no spans in it")
		}
		return nil
	})
	return o.n, err
}

// otlp reads spans. Attribute keys and the values that repeat on every span are interned: they are most of the text.
type otlp struct {
	p     pull
	file  string
	line  int
	sink  Sink
	names map[string]string
	n     int

	service, instance string
}

// maxInterned bounds the table of repeated strings.
const maxInterned = 1 << 14

func (o *otlp) intern(b []byte) string {
	if s, ok := o.names[string(b)]; ok {
		return s
	}
	s := unescapeJSON(b)
	if len(s) <= 64 && len(o.names) < maxInterned {
		o.names[string(b)] = s
	}
	return s
}

// resourceSpans reads {resource, scopeSpans}. The resource may stand behind its spans, hence two passes.
func (o *otlp) resourceSpans() {
	o.service, o.instance = "", ""
	at := o.p.i
	pod, host := "", ""
	o.p.object(func(key []byte) {
		if string(key) != "resource" {
			o.p.skip()
			return
		}
		o.p.object(func(key []byte) {
			if string(key) == "attributes" {
				o.attributes(func(k, v string) {
					switch k {
					case "service.name":
						o.service = v
					case "service.instance.id":
						o.instance = v
					case "k8s.pod.name":
						pod = v
					case "host.name", "container.name":
						host = v
					}
				})
			}
		})
	})
	if o.p.bad {
		return
	}
	// The pod is the name by which metrics and events know the instance; a generated uuid says nothing to people.
	switch {
	case pod != "":
		o.instance = pod
	case o.instance == "":
		o.instance = host
	}
	o.p.i = at
	o.p.object(func(key []byte) {
		switch string(key) {
		case "scopeSpans", "scope_spans", "instrumentationLibrarySpans":
			o.p.array(func() {
				o.p.object(func(key []byte) {
					if string(key) == "spans" {
						o.p.array(o.span)
					}
				})
			})
		}
	})
}

// attributes reads [{key, value{stringValue|intValue|…}}] and calls f for each.
func (o *otlp) attributes(f func(k, v string)) {
	o.p.array(func() {
		k, v := "", ""
		o.p.object(func(key []byte) {
			switch string(key) {
			case "key":
				k = o.intern(o.p.bytes())
			case "value":
				v = o.anyValue()
			}
		})
		if k != "" && !o.p.bad {
			f(k, v)
		}
	})
}

// anyValue reads one typed value as text: a list's elements joined by commas (header values are lists of one), a map
// as its JSON.
func (o *otlp) anyValue() (v string) {
	if o.p.peek() != '{' {
		return o.p.str() // some exporters write plain values
	}
	o.p.object(func(key []byte) {
		if o.p.peek() == '"' {
			v = o.intern(o.p.raw())
			return
		}
		if string(key) != "arrayValue" && string(key) != "array_value" {
			v = o.p.str()
			return
		}
		o.p.object(func(key []byte) {
			o.p.array(func() {
				if v != "" {
					v += ","
				}
				v += o.anyValue()
			})
		})
	})
	return v
}

func (o *otlp) span() {
	s := &inquest.Span{Service: o.service, Instance: o.instance, Source: inquest.Source{File: o.file, Line: o.line}}
	var start, end int64
	event := ""
	o.p.object(func(key []byte) {
		switch string(key) {
		case "traceId", "trace_id":
			s.TraceID = spanID(o.p.bytes(), 16)
		case "spanId", "span_id":
			s.SpanID = spanID(o.p.bytes(), 8)
		case "parentSpanId", "parent_span_id":
			s.ParentID = spanID(o.p.bytes(), 8)
		case "name":
			s.Name = o.intern(o.p.bytes())
		case "kind":
			s.Kind = spanKind(string(o.p.bytes()))
		case "startTimeUnixNano", "start_time_unix_nano":
			start = o.p.int64()
		case "endTimeUnixNano", "end_time_unix_nano":
			end = o.p.int64()
		case "attributes":
			s.Attributes = map[string]string{}
			o.attributes(func(k, v string) { s.Attributes[k] = v })
		case "status":
			o.status(s)
		case "events":
			o.p.array(func() {
				if text := o.event(); event == "" {
					event = text
				}
			})
		}
	})
	if o.p.bad || start == 0 {
		return
	}
	s.Start = time.Unix(0, start).UTC()
	if end > start {
		s.Duration = time.Duration(end - start)
	}
	finishSpan(s, event)
	o.n++
	o.sink.Signal(Signal{Span: s})
}

func (o *otlp) status(s *inquest.Span) {
	o.p.object(func(key []byte) {
		switch string(key) {
		case "code":
			c := string(o.p.bytes())
			s.Error = c == "2" || c == "STATUS_CODE_ERROR"
		case "message", "description":
			s.Message = o.p.str()
		}
	})
}

// event returns "type: message" of an exception event, "" for any other.
func (o *otlp) event() string {
	name, typ, msg := "", "", ""
	o.p.object(func(key []byte) {
		switch string(key) {
		case "name":
			name = o.intern(o.p.bytes())
		case "attributes":
			o.attributes(func(k, v string) {
				switch k {
				case "exception.type":
					typ = v
				case "exception.message":
					msg = v
				}
			})
		}
	})
	if name != "exception" {
		return ""
	}
	if typ != "" && msg != "" {
		return typ + ": " + msg
	}
	return typ + msg
}

// finishSpan derives what every kind of trace says in attributes: HTTP status, peer, error text.
func finishSpan(s *inquest.Span, event string) {
	if s.Message == "" {
		s.Message = event
	}
	for _, k := range [...]string{"http.response.status_code", "http.status_code", "http.status"} {
		if n, err := strconv.Atoi(s.Attributes[k]); err == nil && n >= 100 && n < 600 {
			s.StatusCode = n
			break
		}
	}
	for _, k := range [...]string{"server.address", "net.peer.name", "peer.service", "peer.hostname", "net.sock.peer.name", "network.peer.address",
		"net.peer.ip", "peer.address", "db.system.name", "db.system", "messaging.system", "rpc.service"} {
		if s.Kind == "server" || s.Kind == "internal" { // there server.address is the service's own
			break
		}
		if v := s.Attributes[k]; v != "" {
			s.Peer = v
			break
		}
	}
}

// spanKind maps OTLP's number or name, and the words of Jaeger and Zipkin.
func spanKind(s string) string {
	switch s {
	case "1", "SPAN_KIND_INTERNAL", "internal", "INTERNAL":
		return "internal"
	case "2", "SPAN_KIND_SERVER", "server", "SERVER":
		return "server"
	case "3", "SPAN_KIND_CLIENT", "client", "CLIENT":
		return "client"
	case "4", "SPAN_KIND_PRODUCER", "producer", "PRODUCER":
		return "producer"
	case "5", "SPAN_KIND_CONSUMER", "consumer", "CONSUMER":
		return "consumer"
	}
	return ""
}

// spanID returns the id in lower-case hex. OTLP/JSON demands hex; protobuf's own JSON mapping, which some tools use,
// gives base64. n is the number of bytes an id has, so the length tells which.
func spanID(b []byte, n int) string {
	if len(b) == 0 || string(b) == "null" {
		return ""
	}
	if len(b) == base64.StdEncoding.EncodedLen(n) && len(b) != 2*n {
		buf := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		if m, err := base64.StdEncoding.Decode(buf, b); err == nil && m == n {
			b = []byte(hex.EncodeToString(buf[:n]))
		}
	}
	zero, upper := true, false
	for _, c := range b {
		zero = zero && c == '0'
		upper = upper || c >= 'A' && c <= 'F'
	}
	if zero {
		return "" // all zero means "no parent"
	}
	if upper {
		b = append([]byte(nil), b...)
		for i, c := range b {
			if c >= 'A' && c <= 'F' {
				b[i] = c | 0x20
			}
		}
	}
	return string(b)
}
