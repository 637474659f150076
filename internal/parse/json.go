package parse

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScanner reads lines that are one JSON object each into a flat list of values, without allocating. Lines of one
// file have the same keys in nearly the same order, so it remembers for each key which key followed it and compares
// with that before it looks anything up: on a typical line no key is hashed at all.
//
// It is a reader, not a validator: it takes whatever can be told apart, and says how far it came.
type jsonScanner struct {
	// vals are the values of the last line, in its order; valid until the next scan.
	vals []jsonVal

	// classify is asked once for each new path; what it answers stands in jsonKey.act and so on.
	classify func(k *jsonKey)

	keys  []*jsonKey
	once  []*jsonKey // keys of this line beyond maxJSONKeys
	index map[jsonRef]int32
	esc   []byte // arena for unescaped strings; never rewound, because records may point into it
}

// jsonKey is one path of the file, such as req.method.
type jsonKey struct {
	name   string // last part, as written between the quotes
	path   string // parts joined with dots
	parent int32
	next   int32 // the key that followed last time
	depth  int8

	// What the mapper makes of it.
	act   uint8  // 0: an extra field
	prio  uint8  // of two keys with the same act, the higher one wins
	unit  uint8  // of durations
	mark  uint8  // bit that a named format asks for
	flags uint8  // see jsonWhole and the mapper
	as    string // name of the extra field
}

type jsonRef struct {
	parent int32
	name   string
}

// jsonWhole keeps an object as one value instead of walking into it.
const jsonWhole = 1

// jsonKind is the type of a value.
type jsonKind uint8

const (
	jsonString  jsonKind = iota
	jsonEscaped          // a string with backslashes
	jsonNumber
	jsonTrue
	jsonFalse
	jsonNull
	jsonRaw // an array, or an object that is not walked into: its text
)

type jsonVal struct {
	key  *jsonKey
	raw  []byte // strings without quotes
	kind jsonKind
}

// Bounds of what one file may make the scanner remember. Maps keyed by ids ({"user-123":...}) would otherwise grow it
// without end; beyond the bound a key is looked at afresh on each line.
const (
	maxJSONKeys  = 2048
	maxJSONDepth = 6
	maxJSONVals  = 512
)

func newJSONScanner(classify func(*jsonKey)) *jsonScanner {
	s := &jsonScanner{classify: classify, index: map[jsonRef]int32{}}
	s.keys = append(s.keys, &jsonKey{parent: -1, next: -1, depth: -1})
	return s
}

// scan reads one object at the start of line. end is where it ended; ok tells whether it was whole, otherwise vals
// has what came before the fault at end.
func (s *jsonScanner) scan(line []byte) (end int, ok bool) {
	s.vals, s.once = s.vals[:0], s.once[:0]
	i := skipSpace(line, 0)
	if i >= len(line) || line[i] != '{' {
		return i, false
	}
	last := int32(0)
	return s.object(line, i+1, 0, &last)
}

// object reads members from i, behind the opening brace.
func (s *jsonScanner) object(b []byte, i int, parent int32, last *int32) (int, bool) {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1, true
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return i, false
		}
		k, end, ok := s.key(b, i+1, parent, *last)
		if !ok {
			return end, false
		}
		*last = k
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return i, false
		}
		if i = skipSpace(b, i+1); i >= len(b) {
			return i, false
		}
		if i, ok = s.value(b, i, k, last); !ok {
			return i, false
		}
		if i = skipSpace(b, i); i >= len(b) {
			return i, false
		}
		if b[i] == '}' {
			return i + 1, true
		}
		if b[i] != ',' {
			return i, false
		}
		i = skipSpace(b, i+1)
	}
}

// value reads the value at i of key k.
func (s *jsonScanner) value(b []byte, i int, k int32, last *int32) (int, bool) {
	switch c := b[i]; {
	case c == '"':
		end, esc := stringEnd(b, i+1)
		kind := jsonString
		if esc {
			kind = jsonEscaped
		}
		s.add(k, b[i+1:min(end, len(b))], kind)
		return end + 1, end < len(b)
	case c == '{':
		key := s.at(k)
		if key.depth < maxJSONDepth && key.flags&jsonWhole == 0 && k < maxJSONKeys { // keys of one line have no table for children
			return s.object(b, i+1, k, last)
		}
		end, ok := skipNested(b, i)
		s.add(k, b[i:end], jsonRaw)
		return end, ok
	case c == '[':
		end, ok := skipNested(b, i)
		s.add(k, b[i:end], jsonRaw)
		return end, ok
	case c == '-' || isDigit(c):
		end := i + 1
		for end < len(b) && (isDigit(b[end]) || b[end] == '.' || b[end] == 'e' || b[end] == 'E' || b[end] == '-' || b[end] == '+') {
			end++
		}
		s.add(k, b[i:end], jsonNumber)
		return end, true
	}
	return s.literal(b, i, k)
}

// literal reads true, false, null, and the NaN and Infinity that Python writes.
func (s *jsonScanner) literal(b []byte, i int, k int32) (int, bool) {
	end := i
	for end < len(b) && isAlpha(b[end]) {
		end++
	}
	kind := jsonNull
	switch string(b[i:end]) {
	case "true":
		kind = jsonTrue
	case "false":
		kind = jsonFalse
	case "null", "NaN", "Infinity":
	default:
		return i, false
	}
	s.add(k, b[i:end], kind)
	return end, true
}

func (s *jsonScanner) add(k int32, raw []byte, kind jsonKind) {
	if len(s.vals) < maxJSONVals {
		s.vals = append(s.vals, jsonVal{s.at(k), raw, kind})
	}
}

// at returns the key number k.
func (s *jsonScanner) at(k int32) *jsonKey {
	if k >= maxJSONKeys {
		return s.once[k-maxJSONKeys]
	}
	return s.keys[k]
}

// key reads a key from i, behind its quote, and returns its number. The prediction from the key before is tried first.
func (s *jsonScanner) key(b []byte, i int, parent, last int32) (k int32, end int, ok bool) {
	before := s.at(last)
	if p := before.next; p > 0 {
		key := s.keys[p]
		if e := i + len(key.name); key.parent == parent && e < len(b) && b[e] == '"' && string(b[i:e]) == key.name {
			return p, e + 1, true
		}
	}
	end, _ = stringEnd(b, i)
	if end >= len(b) {
		return 0, len(b), false
	}
	k = s.lookup(b[i:end], parent)
	if k < maxJSONKeys {
		before.next = k
	}
	return k, end + 1, true
}

// lookup finds or makes the key. When the table is full, a new key is good for this line only.
func (s *jsonScanner) lookup(name []byte, parent int32) int32 {
	if k, ok := s.index[jsonRef{parent, str(name)}]; ok {
		return k
	}
	n := string(name)
	key := &jsonKey{name: n, path: n, parent: parent, next: -1, depth: s.keys[parent].depth + 1}
	if parent > 0 {
		key.path = s.keys[parent].path + "." + n
	}
	key.as = key.path
	s.classify(key)
	if len(s.keys) == maxJSONKeys {
		s.once = append(s.once, key)
		return int32(maxJSONKeys + len(s.once) - 1)
	}
	s.keys = append(s.keys, key)
	k := int32(len(s.keys) - 1)
	s.index[jsonRef{parent, n}] = k
	return k
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// stringEnd returns the position of the quote that ends the string from i, len(b) or more if there is none, and
// whether a backslash came before it. Eight bytes are looked at in one step.
func stringEnd(b []byte, i int) (end int, escaped bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for {
		for i+8 <= len(b) {
			v := binary.LittleEndian.Uint64(b[i:])
			q, e := v^(ones*'"'), v^(ones*'\\')
			m := ((q - ones) &^ q & highs) | ((e - ones) &^ e & highs)
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' {
			i++
		}
		if i >= len(b) {
			return len(b), escaped
		}
		if b[i] == '"' {
			return i, escaped
		}
		escaped = true
		i += 2
	}
}

// skipNested returns the end of the array or object that begins at i.
func skipNested(b []byte, i int) (int, bool) {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			end, _ := stringEnd(b, i+1)
			if end >= len(b) {
				return len(b), false
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
		i++
	}
	return len(b), false
}

// text returns the value of v as text; null is "".
func (s *jsonScanner) text(v *jsonVal) string {
	switch v.kind {
	case jsonEscaped:
		return s.unescape(v.raw)
	case jsonNull:
		return ""
	}
	return str(v.raw)
}

// unescape resolves the backslashes of a string into the arena.
func (s *jsonScanner) unescape(raw []byte) string {
	if cap(s.esc)-len(s.esc) < len(raw) {
		s.esc = make([]byte, 0, max(8<<10, len(raw)))
	}
	from := len(s.esc)
	s.esc = appendUnescaped(s.esc, raw)
	return str(s.esc[from:])
}

// appendUnescaped appends raw with its escapes resolved; never longer than raw.
func appendUnescaped(out, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 >= len(raw) {
			out = append(out, c)
			continue
		}
		i++
		switch raw[i] {
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
			r, n := unescapeRune(raw[i+1:])
			if n == 0 {
				out = append(out, '\\', 'u')
				continue
			}
			out = utf8.AppendRune(out, r)
			i += n
		default:
			out = append(out, raw[i])
		}
	}
	return out
}

// unescapeRune reads the digits behind \u, and the second half of a surrogate pair.
func unescapeRune(b []byte) (rune, int) {
	r, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
			if low, ok := hex4(b[6:]); ok {
				if d := utf16.DecodeRune(r, low); d != utf8.RuneError {
					return d, 10
				}
			}
		}
		return utf8.RuneError, 4
	}
	return r, 4
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case (c|0x20)-'a' < 6:
			r = r<<4 | rune((c|0x20)-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
