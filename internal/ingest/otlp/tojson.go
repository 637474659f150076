package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

// appendMessage appends a message as OTLP/JSON. A field that is there in several places (repeated elements may be) stands once.
func appendMessage(dst, b []byte, m *message, depth int) ([]byte, error) {
	if depth > maxNesting {
		return dst, errDepth
	}
	var first, last [32]int // of each field of the schema, where it lies; 0: nowhere
	for at := 0; at < len(b); {
		f, rest, err := next(b[at:])
		if err != nil {
			return dst, err
		}
		end := len(b) - len(rest)
		if i := m.byNumber(f.num); i >= 0 && m.fields[i].fits(f.typ) {
			if last[i] == 0 {
				first[i] = at
			}
			last[i] = end
			if !m.fields[i].repeated {
				first[i] = at // the last one counts
			}
		}
		at = end
	}
	dst = append(dst, '{')
	open := len(dst)
	for i := range m.fields {
		if last[i] == 0 {
			continue
		}
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.fields[i].name...), '"', ':')
		var err error
		if dst, err = appendField(dst, b[first[i]:last[i]], &m.fields[i], depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// fits reports whether a field lies on the wire as it should. Packed lists of numbers are in metrics only, which are not written as JSON.
func (f *field) fits(t protowire.Type) bool {
	switch f.kind {
	case kindString, kindID, kindBytes, kindMessage:
		return t == protowire.BytesType
	case kindFixed64, kindDouble:
		return t == protowire.Fixed64Type
	case kindFixed32:
		return t == protowire.Fixed32Type
	}
	return t == protowire.VarintType
}

// appendField appends the values of one field among those that lie in b.
func appendField(dst, b []byte, f *field, depth int) ([]byte, error) {
	if f.repeated {
		dst = append(dst, '[')
	}
	open := len(dst)
	for len(b) > 0 {
		w, rest, err := next(b)
		if err != nil {
			return dst, err
		}
		b = rest
		if w.num != f.num || !f.fits(w.typ) {
			continue
		}
		if len(dst) > open {
			dst = append(dst, ',')
		}
		if f.kind == kindMessage {
			if dst, err = appendMessage(dst, w.bytes, f.msg, depth+1); err != nil {
				return dst, err
			}
			continue
		}
		dst = appendScalar(dst, &w, f.kind)
	}
	if f.repeated {
		dst = append(dst, ']')
	}
	return dst, nil
}

func appendScalar(dst []byte, w *wireField, k kind) []byte {
	switch k {
	case kindString:
		return ingest.AppendJSON(dst, w.bytes)
	case kindID:
		return append(hex.AppendEncode(append(dst, '"'), w.bytes), '"')
	case kindBytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), w.bytes), '"')
	case kindDouble:
		return appendDouble(dst, w.float())
	case kindBool:
		return strconv.AppendBool(dst, w.n != 0)
	case kindInt64:
		return append(strconv.AppendInt(append(dst, '"'), int64(w.n), 10), '"')
	case kindUint64, kindFixed64:
		return append(strconv.AppendUint(append(dst, '"'), w.n, 10), '"')
	case kindZigzag:
		return strconv.AppendInt(dst, protowire.DecodeZigZag(w.n), 10)
	}
	return strconv.AppendInt(dst, int64(w.n), 10)
}
