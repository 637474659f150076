package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

// maxNesting bounds how deep JSON may be nested: each value in a value is three objects and a list.
const maxNesting = 4*maxDepth + 16

// toWire writes a request in JSON into the wire format.
func toWire(body []byte, m *message) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	c := &fromJSON{d: d}
	t, err := c.token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, c.wrong("an object is wanted")
	}
	out, err := c.message(nil, m)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, c.wrong("something follows the request")
	}
	return out, nil
}

type fromJSON struct {
	d     *json.Decoder
	depth int
}

func (c *fromJSON) wrong(what string) error {
	return ingest.Refuse(http.StatusBadRequest, "the body is no OTLP/JSON: at byte %d %s", c.d.InputOffset(), what)
}

// token returns the next token, and keeps the depth.
func (c *fromJSON) token() (json.Token, error) {
	t, err := c.d.Token()
	if err != nil {
		return nil, c.wrong(err.Error())
	}
	switch t {
	case json.Delim('{'), json.Delim('['):
		if c.depth++; c.depth > maxNesting {
			return nil, errDepth
		}
	case json.Delim('}'), json.Delim(']'):
		c.depth--
	}
	return t, nil
}

// skip passes over the value that begins with t.
func (c *fromJSON) skip(t json.Token) error {
	if _, open := t.(json.Delim); !open {
		return nil
	}
	for end := c.depth - 1; c.depth > end; {
		if _, err := c.token(); err != nil {
			return err
		}
	}
	return nil
}

// message appends the fields of an object whose brace was read.
func (c *fromJSON) message(dst []byte, m *message) ([]byte, error) {
	for {
		t, err := c.token()
		if err != nil {
			return dst, err
		}
		key, ok := t.(string)
		if !ok { // the closing brace
			return dst, nil
		}
		if t, err = c.token(); err != nil {
			return dst, err
		}
		f := m.byName[key]
		if f == nil && strings.Contains(key, "_") { // protobuf's own names are allowed in its JSON
			f = m.byName[camel(key)]
		}
		switch {
		case f == nil || t == nil: // unknown fields must be ignored; null is as if it was not there
			err = c.skip(t)
		case f.repeated:
			dst, err = c.list(dst, f, t)
		default:
			dst, err = c.value(dst, f, t)
		}
		if err != nil {
			return dst, err
		}
	}
}

func camel(s string) string {
	var b strings.Builder
	up := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_':
			up = true
		case up && c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = false
		}
	}
	return b.String()
}

func (c *fromJSON) list(dst []byte, f *field, t json.Token) ([]byte, error) {
	if t != json.Delim('[') {
		return dst, c.wrong(f.name + " is a list")
	}
	for {
		t, err := c.token()
		if err != nil || t == json.Delim(']') {
			return dst, err
		}
		if t == nil {
			continue
		}
		if dst, err = c.value(dst, f, t); err != nil {
			return dst, err
		}
	}
}

// value appends one field with its tag.
func (c *fromJSON) value(dst []byte, f *field, t json.Token) ([]byte, error) {
	if f.kind == kindMessage {
		if t != json.Delim('{') {
			return dst, c.wrong(f.name + " is an object")
		}
		dst = protowire.AppendTag(dst, f.num, protowire.BytesType)
		from := len(dst)
		dst, err := c.message(dst, f.msg)
		if err != nil {
			return dst, err
		}
		n := len(dst) - from
		size := protowire.SizeVarint(uint64(n)) // the length goes in front of what is there by now
		dst = append(dst, make([]byte, size)...)
		copy(dst[from+size:], dst[from:from+n])
		protowire.AppendVarint(dst[:from], uint64(n))
		return dst, nil
	}
	switch v := t.(type) {
	case string:
		return c.fromText(dst, f, v)
	case json.Number:
		return c.fromText(dst, f, v.String())
	case bool:
		if f.kind != kindBool {
			return dst, c.wrong(f.name + " is no boolean")
		}
		return protowire.AppendVarint(protowire.AppendTag(dst, f.num, protowire.VarintType), protowire.EncodeBool(v)), nil
	}
	return dst, c.wrong(f.name + " is a single value")
}

func (c *fromJSON) fromText(dst []byte, f *field, s string) ([]byte, error) {
	switch f.kind {
	case kindString:
		return protowire.AppendString(protowire.AppendTag(dst, f.num, protowire.BytesType), s), nil
	case kindID, kindBytes:
		b, err := hex.DecodeString(s)
		if f.kind == kindBytes {
			b, err = base64.StdEncoding.DecodeString(s)
		}
		if err != nil {
			return dst, c.wrong(f.name + ": " + err.Error())
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, f.num, protowire.BytesType), b), nil
	case kindDouble:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return dst, c.wrong(f.name + " is a number")
		}
		return protowire.AppendFixed64(protowire.AppendTag(dst, f.num, protowire.Fixed64Type), math.Float64bits(v)), nil
	}
	n, err := integer(s)
	if err != nil {
		return dst, c.wrong(f.name + " is a whole number")
	}
	switch f.kind {
	case kindFixed64:
		return protowire.AppendFixed64(protowire.AppendTag(dst, f.num, protowire.Fixed64Type), n), nil
	case kindFixed32:
		return protowire.AppendFixed32(protowire.AppendTag(dst, f.num, protowire.Fixed32Type), uint32(n)), nil
	case kindZigzag:
		return protowire.AppendVarint(protowire.AppendTag(dst, f.num, protowire.VarintType), protowire.EncodeZigZag(int64(n))), nil
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, f.num, protowire.VarintType), n), nil
}

// integer reads signed and unsigned numbers of 64 bits, and 1e3, which protobuf's JSON allows.
func integer(s string) (uint64, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return uint64(n), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return 0, strconv.ErrSyntax
	}
	return uint64(int64(v)), nil
}
