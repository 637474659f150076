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

	root  *jsonKey
	last  *jsonKey // the key read last on this line
	index map[jsonRef]*jsonKey
	esc   []byte // arena for unescaped strings; never rewound, because records may point into it

	layouts jsonLayout              // root of the tree
	spans   [maxLayoutVals]jsonSpan // of the line followed last
	grown   int                     // nodes in it
	vain    int                     // lines of unknown layout, less those of a known one
}

// jsonKey is one path of the file, such as req.method.
type jsonKey struct {
	name   string // last part, as written between the quotes
	parent *jsonKey
	next   *jsonKey // the key that followed last time

	// What the mapper makes of it.
	act   uint8 // 0: an extra field
	prio  uint8 // of two keys with the same act, the higher one wins
	unit  uint8 // of durations
	mark  uint8 // bit that a named format asks for
	flags uint8 // jsonWhole
	depth int8
	once  bool // beyond maxJSONKeys: good for this line only
	error bool // an extra field whose name says that it tells of an error

	path string // parts joined with dots
	as   string // name of the extra field
}

type jsonRef struct {
	parent *jsonKey
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
	return &jsonScanner{classify: classify, index: map[jsonRef]*jsonKey{}, root: &jsonKey{depth: -1}}
}

// scan reads one object at the start of line. end is where it ended; ok tells whether it was whole, otherwise vals
// has what came before the fault at end.
func (s *jsonScanner) scan(line []byte) (end int, ok bool) {
	s.vals, s.last = s.vals[:0], s.root
	i := skipSpace(line, 0)
	if i >= len(line) || line[i] != '{' {
		return i, false
	}
	return s.object(line, i+1, s.root)
}

// object reads members from i, behind the opening brace. Most files have no blanks between tokens, so each place
// looks for the expected byte before it skips any.
func (s *jsonScanner) object(b []byte, i int, parent *jsonKey) (int, bool) {
	if i = skipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1, true
	}
	for {
		if i >= len(b) || b[i] != '"' {
			if i = skipSpace(b, i); i >= len(b) || b[i] != '"' {
				return i, false
			}
		}
		k, end := s.key(b, i+1, parent)
		if k == nil {
			return end, false
		}
		if i = end; i >= len(b) || b[i] != ':' {
			if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
				return i, false
			}
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if i >= len(b) {
			return i, false
		}
		if b[i] == '"' {
			end, esc := stringEnd(b, i+1)
			if esc {
				s.add(k, b[i+1:min(end, len(b))], jsonEscaped)
			} else {
				s.add(k, b[i+1:min(end, len(b))], jsonString)
			}
			if end >= len(b) {
				return end, false
			}
			i = end + 1
		} else {
			var ok bool
			if i, ok = s.value(b, i, k); !ok {
				return i, false
			}
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if i >= len(b) {
			return i, false
		}
		if b[i] == '}' {
			return i + 1, true
		}
		if b[i] != ',' {
			return i, false
		}
		i++
	}
}

// value reads the value at i of key k, which is no string.
func (s *jsonScanner) value(b []byte, i int, k *jsonKey) (int, bool) {
	switch c := b[i]; {
	case c == '{' && k.depth < maxJSONDepth && k.flags&jsonWhole == 0 && !k.once:
		return s.object(b, i+1, k)
	case c == '{', c == '[':
		end, ok := skipNested(b, i)
		s.add(k, b[i:end], jsonRaw)
		return end, ok
	case c == '-' || isDigit(c):
		end := numberEnd(b, i+1)
		s.add(k, b[i:end], jsonNumber)
		return end, true
	}
	return s.literal(b, i, k)
}

// literal reads true, false, null, and the NaN and Infinity that Python writes.
func (s *jsonScanner) literal(b []byte, i int, k *jsonKey) (int, bool) {
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

func (s *jsonScanner) add(k *jsonKey, raw []byte, kind jsonKind) {
	n := len(s.vals)
	if n == cap(s.vals) {
		if n >= maxJSONVals {
			return
		}
		s.vals = append(s.vals, jsonVal{})
	}
	s.vals = s.vals[:n+1] // filled in place: a copy of the struct costs as much as finding the value
	v := &s.vals[n]
	v.key, v.raw, v.kind = k, raw, kind
}

// key reads a key from i, behind its quote; nil if the line ends in it. The prediction from the key before comes first.
func (s *jsonScanner) key(b []byte, i int, parent *jsonKey) (*jsonKey, int) {
	before := s.last
	if k := before.next; k != nil && k.parent == parent {
		if e := i + len(k.name); e < len(b) && b[e] == '"' && string(b[i:e]) == k.name {
			s.last = k
			return k, e + 1
		}
	}
	end, _ := stringEnd(b, i)
	if end >= len(b) {
		return nil, len(b)
	}
	k := s.lookup(b[i:end], parent)
	if !k.once {
		before.next = k
	}
	s.last = k
	return k, end + 1
}

// lookup finds or makes the key.
func (s *jsonScanner) lookup(name []byte, parent *jsonKey) *jsonKey {
	if k, ok := s.index[jsonRef{parent, str(name)}]; ok {
		return k
	}
	n := string(name)
	k := &jsonKey{name: n, path: n, parent: parent, depth: parent.depth + 1}
	if parent != s.root {
		k.path = parent.path + "." + n
	}
	if k.as = k.path; k.as == "" {
		k.as = "_" // an empty key
	}
	s.classify(k)
	if len(s.index) >= maxJSONKeys {
		k.once = true
		return k
	}
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
