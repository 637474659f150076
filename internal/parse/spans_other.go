package parse

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// jaegerFormat reads the JSON of Jaeger's UI and API: {"data":[{"traceID","spans":[…],"processes":{…}}]}.
func jaegerFormat() format {
	return format{name: "jaeger", kind: KindLog, read: readJaeger, score: func(sample []byte) float64 {
		return max(keysScore(sample, `"traceID"`, `"operationName"`), keysScore(sample, `"traceID"`, `"spans"`, `"data"`))
	}}
}

func readJaeger(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		j := &jaeger{p: pull{b: value}, file: file, line: line, sink: sink}
		if j.p.peek() == '[' {
			j.p.array(j.trace)
		} else {
			at := j.p.i
			found := false
			j.p.object(func(key []byte) {
				if string(key) == "data" {
					found = true
					j.p.array(j.trace)
				}
			})
			if !found { // one trace on its own
				j.p.i = at
				j.trace()
			}
		}
		if j.p.bad {
			skip(line, errJSON.Error())
		} else if j.n == 0 {
			skip(line, "no spans in it")
		}
		n += j.n
		return nil
	})
	return n, err
}

type jaeger struct {
	p    pull
	file string
	line int
	sink Sink
	n    int
}

// trace reads one trace; the processes stand behind the spans, so spans wait for their names.
func (j *jaeger) trace() {
	type waiting struct {
		s       *inquest.Span
		process string
	}
	var spans []waiting
	service, instance := map[string]string{}, map[string]string{}
	j.p.object(func(key []byte) {
		switch string(key) {
		case "spans":
			j.p.array(func() {
				if s, process := j.span(); s != nil {
					spans = append(spans, waiting{s, process})
				}
			})
		case "processes":
			j.p.object(func(key []byte) {
				id := string(key)
				j.p.object(func(key []byte) {
					switch string(key) {
					case "serviceName":
						service[id] = j.p.str()
					case "tags":
						for k, v := range j.tags() {
							if k == "hostname" || k == "service.instance.id" || k == "k8s.pod.name" {
								instance[id] = v
							}
						}
					}
				})
			})
		}
	})
	if j.p.bad {
		return
	}
	for _, w := range spans {
		if w.s.Service == "" {
			w.s.Service, w.s.Instance = service[w.process], instance[w.process]
		}
		j.n++
		j.sink.Signal(Signal{Span: w.s})
	}
}

func (j *jaeger) span() (*inquest.Span, string) {
	s := &inquest.Span{Source: inquest.Source{File: j.file, Line: j.line}, Attributes: map[string]string{}}
	process, event := "", ""
	var start, micros int64
	j.p.object(func(key []byte) {
		switch string(key) {
		case "traceID":
			s.TraceID = j.p.str()
		case "spanID":
			s.SpanID = j.p.str()
		case "parentSpanID":
			s.ParentID = j.p.str()
		case "operationName":
			s.Name = j.p.str()
		case "processID":
			process = j.p.str()
		case "startTime":
			start = j.p.int64()
		case "duration":
			micros = j.p.int64()
		case "process":
			j.p.object(func(key []byte) {
				if string(key) == "serviceName" {
					s.Service = j.p.str()
				}
			})
		case "tags":
			s.Attributes = j.tags()
		case "logs":
			j.p.array(func() {
				if text := j.log(); event == "" {
					event = text
				}
			})
		case "references":
			j.p.array(func() { j.reference(s) })
		}
	})
	if j.p.bad || start == 0 {
		return nil, ""
	}
	s.Start, s.Duration = time.UnixMicro(start).UTC(), time.Duration(micros)*time.Microsecond
	s.Kind = spanKind(s.Attributes["span.kind"])
	s.Error = s.Attributes["error"] == "true" || s.Attributes["otel.status_code"] == "ERROR"
	s.Message = s.Attributes["otel.status_description"]
	finishSpan(s, event)
	return s, process
}

// log returns "type: message" of an entry that reports an error, "" for any other.
func (j *jaeger) log() (text string) {
	j.p.object(func(key []byte) {
		if string(key) != "fields" {
			return
		}
		f := j.tags()
		if f["event"] == "error" || f["event"] == "exception" {
			text = strings.TrimPrefix(firstOf(f, "exception.type", "error.kind")+": "+firstOf(f, "exception.message", "message", "error.object"), ": ")
		}
	})
	return text
}

// reference takes the parent: the CHILD_OF reference, or else the first of any kind.
func (j *jaeger) reference(s *inquest.Span) {
	kind, id := "", ""
	j.p.object(func(key []byte) {
		switch string(key) {
		case "refType":
			kind = j.p.str()
		case "spanID":
			id = j.p.str()
		}
	})
	if kind == "CHILD_OF" || s.ParentID == "" {
		s.ParentID = id
	}
}

// tags reads [{key, type, value}].
func (j *jaeger) tags() map[string]string {
	m := map[string]string{}
	j.p.array(func() {
		k, v := "", ""
		j.p.object(func(key []byte) {
			switch string(key) {
			case "key":
				k = j.p.str()
			case "value":
				v = j.p.str()
			}
		})
		if k != "" {
			m[k] = v
		}
	})
	return m
}

func firstOf(m map[string]string, keys ...string) string {
	for _, k := range keys {
		if m[k] != "" {
			return m[k]
		}
	}
	return ""
}

// zipkinFormat reads Zipkin v2: an array of spans, or one array a line.
func zipkinFormat() format {
	return format{name: "zipkin", kind: KindLog, read: readZipkin, score: func(sample []byte) float64 {
		if bytes.Contains(sample, []byte(`"startTimeUnixNano"`)) {
			return 0
		}
		return keysScore(sample, `"traceId"`, `"localEndpoint"`)
	}}
}

func readZipkin(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		p := &pull{b: value}
		emit := func() {
			if s := zipkinSpan(p, file, line); s != nil {
				n++
				sink.Signal(Signal{Span: s})
			}
		}
		if p.peek() == '[' {
			p.array(func() {
				if p.peek() == '[' { // a list of traces
					p.array(emit)
					return
				}
				emit()
			})
		} else {
			emit()
		}
		if p.bad {
			skip(line, errJSON.Error())
		}
		return nil
	})
	return n, err
}

func zipkinSpan(p *pull, file string, line int) *inquest.Span {
	s := &inquest.Span{Source: inquest.Source{File: file, Line: line}, Attributes: map[string]string{}}
	var start, micros int64
	remote := ""
	endpoint := func(name, addr *string) {
		p.object(func(key []byte) {
			switch string(key) {
			case "serviceName":
				*name = p.str()
			case "ipv4", "ipv6":
				*addr = p.str()
			}
		})
	}
	p.object(func(key []byte) {
		switch string(key) {
		case "traceId":
			s.TraceID = p.str()
		case "id":
			s.SpanID = p.str()
		case "parentId":
			s.ParentID = p.str()
		case "name":
			s.Name = p.str()
		case "kind":
			s.Kind = spanKind(p.str())
		case "timestamp":
			start = p.int64()
		case "duration":
			micros = p.int64()
		case "localEndpoint":
			endpoint(&s.Service, &s.Instance)
		case "remoteEndpoint":
			addr := ""
			endpoint(&remote, &addr)
			if remote == "" {
				remote = addr
			}
		case "tags":
			p.object(func(key []byte) { s.Attributes[unescapeJSON(key)] = p.str() })
		}
	})
	if p.bad || start == 0 {
		return nil
	}
	s.Start, s.Duration = time.UnixMicro(start).UTC(), time.Duration(micros)*time.Microsecond
	s.Message, s.Error = s.Attributes["error"], s.Attributes["error"] != "" && s.Attributes["error"] != "false"
	finishSpan(s, "")
	if remote != "" && s.Kind != "server" {
		s.Peer = remote
	}
	return s
}
