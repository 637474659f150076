package otlp

import (
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

// appendValue appends an AnyValue as plain JSON: what a logger would have written.
func appendValue(dst, b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, errDepth
	}
	v, err := anyValue(b)
	if err != nil {
		return dst, err
	}
	switch v.num {
	case valueString:
		return ingest.AppendJSON(dst, v.bytes), nil
	case valueBool:
		return strconv.AppendBool(dst, v.n != 0), nil
	case valueInt:
		return strconv.AppendInt(dst, int64(v.n), 10), nil
	case valueDouble:
		return appendDouble(dst, v.float()), nil
	case valueBytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.bytes), '"'), nil
	case valueArray:
		return appendList(dst, v.bytes, '[', ']', func(dst, item []byte) ([]byte, error) { return appendValue(dst, item, depth+1) })
	case valueMap:
		return appendList(dst, v.bytes, '{', '}', func(dst, item []byte) ([]byte, error) {
			key, value, err := keyValue(item)
			if err != nil {
				return dst, err
			}
			return appendValue(append(ingest.AppendJSON(dst, key), ':'), value, depth+1)
		})
	}
	return append(dst, "null"...), nil
}

// appendList appends the elements of an ArrayValue or a KeyValueList, which are both in field 1.
func appendList(dst, b []byte, open, end byte, item func(dst, item []byte) ([]byte, error)) ([]byte, error) {
	dst = append(dst, open)
	first := true
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return dst, err
		}
		b = rest
		if f.num != 1 || f.typ != protowire.BytesType {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if dst, err = item(dst, f.bytes); err != nil {
			return dst, err
		}
	}
	return append(dst, end), nil
}

// appendDouble appends a number; JSON has none for what is not finite.
func appendDouble(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(strconv.AppendFloat(append(dst, '"'), v, 'g', -1, 64), '"')
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// text is an AnyValue as the text of a label or a name.
func text(b []byte) (string, error) {
	v, err := anyValue(b)
	if err != nil {
		return "", err
	}
	switch v.num {
	case 0:
		return "", nil
	case valueString:
		return string(v.bytes), nil
	case valueDouble:
		return strconv.FormatFloat(v.float(), 'g', -1, 64), nil
	}
	out, err := appendValue(nil, b, 0)
	return string(out), err
}
