package parse

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// errJSON says that a document is not the JSON it should be. Where it happened is the caller's to add.
var errJSON = errors.New("not valid JSON here")

// jsonDepth bounds nesting: telemetry nests a dozen levels, a crafted file a million.
const jsonDepth = 128

// pull reads one JSON value by callbacks, without building a tree: traces are large and almost every member of them
// is skipped. After an error (bad) every call returns at once.
type pull struct {
	b     []byte
	i     int
	bad   bool
	depth int
}

func (p *pull) fail() { p.bad, p.i = true, len(p.b) }

func (p *pull) ws() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// peek returns the first byte of the next value, 0 at the end.
func (p *pull) peek() byte {
	p.ws()
	if p.i >= len(p.b) {
		return 0
	}
	return p.b[p.i]
}

// object calls member for each key; member must read or skip the value. A value that is no object is skipped.
func (p *pull) object(member func(key []byte)) {
	if p.peek() != '{' {
		p.skip()
		return
	}
	if p.depth++; p.depth > jsonDepth {
		p.fail()
		return
	}
	p.i++
	if p.peek() == '}' {
		p.i++
		p.depth--
		return
	}
	for !p.bad {
		key := p.raw()
		if p.bad || p.peek() != ':' {
			p.fail()
			return
		}
		p.i++
		p.ws()
		at := p.i
		member(key)
		if p.i == at && !p.bad { // member did not look at the value
			p.skip()
		}
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			p.depth--
			return
		default:
			p.fail()
		}
	}
}

// array calls element for each element; element must read or skip it. A value that is no array is skipped.
func (p *pull) array(element func()) {
	if p.peek() != '[' {
		p.skip()
		return
	}
	if p.depth++; p.depth > jsonDepth {
		p.fail()
		return
	}
	p.i++
	if p.peek() == ']' {
		p.i++
		p.depth--
		return
	}
	for !p.bad {
		p.ws()
		at := p.i
		element()
		if p.i == at && !p.bad {
			p.skip()
		}
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			p.depth--
			return
		default:
			p.fail()
		}
	}
}

// raw reads a string and returns its bytes between the quotes, escapes untouched (keys hardly ever have any).
func (p *pull) raw() []byte {
	if p.peek() != '"' {
		p.fail()
		return nil
	}
	start := p.i + 1
	for i := start; ; {
		j := bytes.IndexByte(p.b[i:], '"')
		if j < 0 {
			p.fail()
			return nil
		}
		i += j
		n := 0
		for k := i - 1; k >= start && p.b[k] == '\\'; k-- {
			n++
		}
		if n%2 == 0 {
			p.i = i + 1
			return p.b[start:i]
		}
		i++
	}
}

// str reads a string, a number or a literal as text; null is "", an object or array its raw JSON.
func (p *pull) str() string {
	switch p.peek() {
	case '"':
		return unescapeJSON(p.raw())
	case '{', '[':
		at := p.i
		p.skip()
		if p.bad {
			return ""
		}
		return string(p.b[at:p.i])
	}
	s := p.word()
	if string(s) == "null" {
		return ""
	}
	return string(s)
}

// bytes is str without a copy where the value has no escapes; valid as long as the document.
func (p *pull) bytes() []byte {
	if p.peek() == '"' {
		return p.raw()
	}
	at := p.i
	p.skip()
	if p.bad {
		return nil
	}
	return p.b[at:p.i]
}

// word reads a number or literal.
func (p *pull) word() []byte {
	p.ws()
	at := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c >= '0' && c <= '9' || isLetter(c) || c == '-' || c == '+' || c == '.':
			p.i++
		default:
			if p.i == at {
				p.fail()
			}
			return p.b[at:p.i]
		}
	}
	if p.i == at {
		p.fail()
	}
	return p.b[at:p.i]
}

// num reads a number, or a string that holds one ("NaN", "+Inf" included).
func (p *pull) num() (float64, bool) {
	b := p.bytes()
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}

// int64 reads an integer, or a string that holds one; 0 otherwise.
func (p *pull) int64() int64 {
	b := p.bytes()
	var n int64
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 && (len(b) > 19 || b[0] > '8') {
		return 0
	}
	for i, c := range b {
		if c < '0' || c > '9' {
			if f, err := strconv.ParseFloat(string(b), 64); err == nil && i > 0 && f < 1<<62 {
				n = int64(f) // 1.79e18
				break
			}
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n
}

// skip passes over one value of any kind without recursion.
func (p *pull) skip() {
	depth := 0
	for !p.bad {
		switch p.peek() {
		case 0:
			p.fail()
			return
		case '"':
			p.raw()
		case '{', '[':
			depth++
			p.i++
			continue
		case '}', ']':
			if depth == 0 {
				p.fail()
				return
			}
			depth--
			p.i++
		case ',', ':':
			if depth == 0 {
				p.fail()
				return
			}
			p.i++
			continue
		default:
			p.word()
		}
		if depth == 0 {
			return
		}
	}
}

// unescapeJSON decodes the escapes of a JSON string; bad ones stand as they are.
func unescapeJSON(b []byte) string {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return string(b)
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for i < len(b) {
		c := b[i]
		if c != '\\' || i+1 >= len(b) {
			out = append(out, c)
			i++
			continue
		}
		i += 2
		switch c := b[i-1]; c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			r, ok := hexRune(b, i)
			if !ok {
				out = append(out, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+6 <= len(b) && b[i] == '\\' && b[i+1] == 'u' {
				if lo, ok := hexRune(b, i+2); ok {
					if full := utf16.DecodeRune(r, lo); full != utf8.RuneError {
						r = full
						i += 6
					}
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func hexRune(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[i:i+4]), 16, 32)
	return rune(v), err == nil
}
