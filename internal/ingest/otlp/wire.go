package otlp

import (
	"math"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

// maxDepth bounds how deep values may be nested in values: a stack has an end.
const maxDepth = 32

// maxAttributes of one record; OpenTelemetry's own limit is 128.
const maxAttributes = 1000

var (
	errWire       = ingest.Refuse(http.StatusBadRequest, "the body is no OTLP request: it is damaged, or of another type than its Content-Type says")
	errAttributes = ingest.Refuse(http.StatusBadRequest, "a record, point or resource has more than %d attributes", maxAttributes)
	errDepth      = ingest.Refuse(http.StatusBadRequest, "values are nested deeper than %d", maxDepth)
)

// wireField is one field of a message as it lies there.
type wireField struct {
	num   protowire.Number
	typ   protowire.Type
	n     uint64 // of numbers
	bytes []byte // of strings, bytes and messages
}

func (f *wireField) float() float64 { return math.Float64frombits(f.n) }

// next takes the first field off a message.
func next(b []byte) (f wireField, rest []byte, err error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, nil, errWire
	}
	b = b[n:]
	f.num, f.typ = num, typ
	switch typ {
	case protowire.VarintType:
		f.n, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		f.n, n = protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		f.n = uint64(v)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b)
	default: // groups are not in OTLP
		return f, nil, errWire
	}
	if n < 0 {
		return f, nil, errWire
	}
	return f, b[n:], nil
}

// each calls do for every field of a message.
func each(b []byte, do func(f *wireField) error) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		if err := do(&f); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// keyValue splits a KeyValue into its key and the message of its value.
func keyValue(b []byte) (key, value []byte, err error) {
	for len(b) > 0 {
		var f wireField
		if f, b, err = next(b); err != nil {
			return nil, nil, err
		}
		switch {
		case f.num == 1 && f.typ == protowire.BytesType:
			key = f.bytes
		case f.num == 2 && f.typ == protowire.BytesType:
			value = f.bytes
		}
	}
	return key, value, nil
}

// Fields of AnyValue.
const (
	valueString = 1
	valueBool   = 2
	valueInt    = 3
	valueDouble = 4
	valueArray  = 5
	valueMap    = 6
	valueBytes  = 7
)

// anyValue returns what an AnyValue holds: its last field, as of every oneof. The zero field is the empty value.
func anyValue(b []byte) (out wireField, err error) {
	for len(b) > 0 {
		var f wireField
		if f, b, err = next(b); err != nil {
			return out, err
		}
		if want, ok := valueType(f.num); ok && f.typ == want {
			out = f
		}
	}
	return out, nil
}

func valueType(num protowire.Number) (protowire.Type, bool) {
	switch num {
	case valueString, valueArray, valueMap, valueBytes:
		return protowire.BytesType, true
	case valueBool, valueInt:
		return protowire.VarintType, true
	case valueDouble:
		return protowire.Fixed64Type, true
	}
	return 0, false
}
