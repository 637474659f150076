package otlp

import "google.golang.org/protobuf/encoding/protowire"

// kind is how a field lies on the wire and is written in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
type kind uint8

const (
	kindString  kind = iota
	kindID           // bytes, in hexadecimal digits
	kindBytes        // bytes, in base64
	kindVarint       // int32, uint32 and enumerations: a number
	kindInt64        // as text
	kindZigzag       // sint32
	kindUint64       // varint, as text
	kindFixed64      // as text
	kindFixed32      // a number
	kindDouble
	kindBool
	kindMessage
)

// field is one field of a message.
type field struct {
	name     string
	num      protowire.Number
	kind     kind
	msg      *message
	repeated bool
}

// message is one type of the protocol, as far as it is kept.
type message struct {
	fields []field // by number
	byName map[string]*field
}

func (m *message) set(fields ...field) *message {
	m.fields = fields
	m.byName = make(map[string]*field, len(fields))
	for i := range fields {
		m.byName[fields[i].name] = &fields[i]
	}
	return m
}

func (m *message) byNumber(n protowire.Number) int {
	for i := range m.fields {
		if m.fields[i].num == n {
			return i
		}
	}
	return -1
}

// schemas are the three requests: https://github.com/open-telemetry/opentelemetry-proto at v1.9.
type schemas struct {
	logs, traces, metrics *message
	resourceSpans         *message
	keyValue              *message
	resource, scope       *message
}

func newSchemas() *schemas {
	s := &schemas{keyValue: &message{}, resource: &message{}, scope: &message{}}
	value, array, list := &message{}, &message{}, &message{}
	value.set(
		field{name: "stringValue", num: 1}, field{name: "boolValue", num: 2, kind: kindBool}, field{name: "intValue", num: 3, kind: kindInt64},
		field{name: "doubleValue", num: 4, kind: kindDouble}, field{name: "arrayValue", num: 5, kind: kindMessage, msg: array},
		field{name: "kvlistValue", num: 6, kind: kindMessage, msg: list}, field{name: "bytesValue", num: 7, kind: kindBytes})
	array.set(many("values", 1, value))
	list.set(many("values", 1, s.keyValue))
	s.keyValue.set(field{name: "key", num: 1}, one("value", 2, value))
	s.resource.set(many("attributes", 1, s.keyValue))
	s.scope.set(field{name: "name", num: 1}, field{name: "version", num: 2}, many("attributes", 3, s.keyValue))
	s.logs = s.request("resourceLogs", "scopeLogs", "logRecords", s.logRecord(value))
	s.traces = s.request("resourceSpans", "scopeSpans", "spans", s.span())
	s.resourceSpans = s.traces.fields[0].msg
	s.metrics = s.request("resourceMetrics", "scopeMetrics", "metrics", s.metric())
	return s
}

func one(name string, num protowire.Number, m *message) field {
	return field{name: name, num: num, kind: kindMessage, msg: m}
}

func many(name string, num protowire.Number, m *message) field {
	return field{name: name, num: num, kind: kindMessage, msg: m, repeated: true}
}

// request is the shape that all three share: resources, scopes in them, and items in those.
func (s *schemas) request(resources, scopes, items string, item *message) *message {
	perScope := new(message).set(one("scope", 1, s.scope), many(items, 2, item))
	perResource := new(message).set(one("resource", 1, s.resource), many(scopes, 2, perScope))
	return new(message).set(many(resources, 1, perResource))
}

func (s *schemas) logRecord(value *message) *message {
	return new(message).set(
		field{name: "timeUnixNano", num: 1, kind: kindFixed64}, field{name: "severityNumber", num: 2, kind: kindVarint}, field{name: "severityText", num: 3},
		one("body", 5, value), many("attributes", 6, s.keyValue), field{name: "traceId", num: 9, kind: kindID}, field{name: "spanId", num: 10, kind: kindID},
		field{name: "observedTimeUnixNano", num: 11, kind: kindFixed64}, field{name: "eventName", num: 12})
}

func (s *schemas) span() *message {
	event := new(message).set(field{name: "timeUnixNano", num: 1, kind: kindFixed64}, field{name: "name", num: 2}, many("attributes", 3, s.keyValue))
	link := new(message).set(field{name: "traceId", num: 1, kind: kindID}, field{name: "spanId", num: 2, kind: kindID}, many("attributes", 4, s.keyValue))
	status := new(message).set(field{name: "message", num: 2}, field{name: "code", num: 3, kind: kindVarint})
	return new(message).set(
		field{name: "traceId", num: 1, kind: kindID}, field{name: "spanId", num: 2, kind: kindID}, field{name: "traceState", num: 3},
		field{name: "parentSpanId", num: 4, kind: kindID}, field{name: "name", num: 5}, field{name: "kind", num: 6, kind: kindVarint},
		field{name: "startTimeUnixNano", num: 7, kind: kindFixed64}, field{name: "endTimeUnixNano", num: 8, kind: kindFixed64},
		many("attributes", 9, s.keyValue), many("events", 11, event), many("links", 13, link), one("status", 15, status))
}

func (s *schemas) metric() *message {
	common := func(more ...field) []field {
		return append(more, field{name: "startTimeUnixNano", num: 2, kind: kindFixed64}, field{name: "timeUnixNano", num: 3, kind: kindFixed64})
	}
	number := new(message).set(common(field{name: "asDouble", num: 4, kind: kindDouble}, field{name: "asInt", num: 6, kind: kindFixed64},
		many("attributes", 7, s.keyValue), field{name: "flags", num: 8, kind: kindVarint})...)
	histogram := new(message).set(common(field{name: "count", num: 4, kind: kindFixed64}, field{name: "sum", num: 5, kind: kindDouble},
		field{name: "bucketCounts", num: 6, kind: kindFixed64, repeated: true}, field{name: "explicitBounds", num: 7, kind: kindDouble, repeated: true},
		many("attributes", 9, s.keyValue), field{name: "flags", num: 10, kind: kindVarint})...)
	buckets := new(message).set(field{name: "offset", num: 1, kind: kindZigzag}, field{name: "bucketCounts", num: 2, kind: kindUint64, repeated: true})
	exponential := new(message).set(common(many("attributes", 1, s.keyValue), field{name: "count", num: 4, kind: kindFixed64},
		field{name: "sum", num: 5, kind: kindDouble}, field{name: "scale", num: 6, kind: kindZigzag}, field{name: "zeroCount", num: 7, kind: kindFixed64},
		one("positive", 8, buckets), one("negative", 9, buckets), field{name: "flags", num: 10, kind: kindVarint})...)
	quantile := new(message).set(field{name: "quantile", num: 1, kind: kindDouble}, field{name: "value", num: 2, kind: kindDouble})
	summary := new(message).set(common(field{name: "count", num: 4, kind: kindFixed64}, field{name: "sum", num: 5, kind: kindDouble},
		many("quantileValues", 6, quantile), many("attributes", 7, s.keyValue), field{name: "flags", num: 8, kind: kindVarint})...)
	temporality := field{name: "aggregationTemporality", num: 2, kind: kindVarint}
	points := func(m *message, more ...field) *message {
		return new(message).set(append([]field{many("dataPoints", 1, m)}, more...)...)
	}
	return new(message).set(field{name: "name", num: 1}, field{name: "unit", num: 3}, one("gauge", 5, points(number)),
		one("sum", 7, points(number, temporality, field{name: "isMonotonic", num: 3, kind: kindBool})), one("histogram", 9, points(histogram, temporality)),
		one("exponentialHistogram", 10, points(exponential, temporality)), one("summary", 11, points(summary)))
}
