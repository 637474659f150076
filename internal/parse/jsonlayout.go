package parse

import (
	"encoding/binary"
)

// jsonLayout is a node of the tree of layouts that the lines of a file were seen to have: what is written between two
// values, keys, quotes, blanks and all, is the same on the lines that one statement of a program logs. Such a line is read
// by comparing a few words and looking for the ends of its values; no key is cut out. Any other line is read the thorough
// way, and its layout learnt. What comes out is the same either way.
type jsonLayout struct {
	text fixedText // what is between the value before, from its closing quote on, and this one; true, false and null too
	key  *jsonKey  // of the value behind text; nil at the end of the object
	kind jsonKind  // jsonString, jsonNumber or jsonRaw for an array
	next []*jsonLayout

	// At the end of an object: the values of the line, those that are true, false or null whole, the others without their
	// text, of which spans tells which one of the line's it is (-1: it is whole).
	vals  []jsonVal
	spans []int16

	// For lines on which no value is empty: what jsonParser.choose finds.
	chosen  bool
	refused bool
	request bool // it has all that jsonParser.answeredWell asks for
	message bool // it has all that jsonParser.everyday asks for
	dated   bool // it has a time, a level and a message
	slots   [actCount]int16
	acts    []jsonAct // the values that mean something
}

// jsonAct is a value that means something, by the layout of its line.
type jsonAct struct {
	key    *jsonKey
	span   int16 // which one of the line's values it is; -1: it is raw, of that kind
	chosen bool  // it is the one for its meaning
	kind   jsonKind
	raw    []byte
}

// jsonSpan is where on a line a value stands. It holds no pointers, so that storing it takes no write barrier while memory is
// collected: the barriers of all that is stored on a line showed as some 5% of a profile.
type jsonSpan struct {
	from, to uint32
	kind     jsonKind
}

// Bounds of what one file may make a scanner learn. Logs have a handful of layouts; where every line has its own, the
// attempts cost more than they save and are given up.
const (
	maxLayouts    = 512
	maxLayoutNext = 8
	maxLayoutVals = 100
	maxVainTries  = 256
)

// fixedText is a text that is compared by its first and last eight bytes before the rest is looked at.
type fixedText struct {
	head, tail uint64
	text       string
}

func newFixedText(b []byte) fixedText {
	t := fixedText{text: string(b)}
	if len(b) >= 8 {
		t.head, t.tail = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	}
	return t
}

// at reports whether the text stands at i in b, where 0 <= i <= len(b).
func (t *fixedText) at(b []byte, i int) bool {
	n := len(t.text)
	if n > len(b)-i {
		return false
	}
	p := b[i : i+n]
	if n < 8 {
		return string(p) == t.text
	}
	if binary.LittleEndian.Uint64(p) != t.head || binary.LittleEndian.Uint64(p[n-8:]) != t.tail {
		return false
	}
	return n <= 16 || string(p[8:n-8]) == t.text[8:n-8]
}

// follow finds the values of a line of a known layout and returns the end of the layout, nil if the line has no known one.
// empty tells whether a string on it is empty.
func (s *jsonScanner) follow(b []byte) (leaf *jsonLayout, empty bool) {
	if s.vain >= maxVainTries {
		return nil, false
	}
	node, i, n := &s.layouts, 0, 0
next:
	for {
		for _, c := range node.next {
			if !c.text.at(b, i) {
				continue
			}
			at := i + len(c.text.text)
			if c.key == nil {
				s.vain = max(0, s.vain-1)
				return c, empty
			}
			end, kind := c.value(b, at)
			if end < 0 {
				continue
			}
			empty = empty || end == at
			s.spans[n] = jsonSpan{uint32(at), uint32(end), kind}
			node, i, n = c, end, n+1
			continue next
		}
		s.vain++
		return nil, false
	}
}

// all puts the values of the line b that s has just followed to leaf into s.vals.
func (s *jsonScanner) all(leaf *jsonLayout, b []byte) {
	s.vals = append(s.vals[:0], leaf.vals...)
	for i, k := range leaf.spans {
		if k >= 0 {
			at, v := &s.spans[k], &s.vals[i]
			v.raw, v.kind = b[at.from:at.to], at.kind
		}
	}
}

// value returns where the value at i ends, and its kind; -1 if it is of another kind or has no end.
func (c *jsonLayout) value(b []byte, i int) (int, jsonKind) {
	switch c.kind {
	case jsonString:
		end, esc := stringEnd(b, i)
		if end >= len(b) {
			return -1, 0
		}
		if esc {
			return end, jsonEscaped
		}
		return end, jsonString
	case jsonNumber:
		end := numberEnd(b, i)
		if end == i || b[i] != '-' && !isDigit(b[i]) {
			return -1, 0
		}
		return end, jsonNumber
	}
	if i >= len(b) || b[i] != '[' {
		return -1, 0
	}
	end, ok := skipNested(b, i)
	if !ok {
		return -1, 0
	}
	return end, jsonRaw
}

// numberEnd returns where the digits and signs of a number that begins at i end.
func numberEnd(b []byte, i int) int {
	for i < len(b) && (isDigit(b[i]) || b[i] == '.' || b[i] == 'e' || b[i] == 'E' || b[i] == '-' || b[i] == '+') {
		i++
	}
	return i
}

// learn adds the layout of a line that scan has just read whole, up to end; the values still point into it.
func (s *jsonScanner) learn(line []byte, end int) {
	if s.vain >= maxVainTries || len(s.vals) == 0 || len(s.vals) >= maxLayoutVals {
		return
	}
	for i := range s.vals {
		if v := &s.vals[i]; v.key.once || v.kind == jsonRaw && v.raw[0] != '[' {
			return
		}
	}
	node, from := &s.layouts, 0
	vals, spans, n := append([]jsonVal(nil), s.vals...), make([]int16, len(s.vals)), int16(0)
	for i := range s.vals {
		v := &s.vals[i]
		kind := v.kind
		switch kind {
		case jsonTrue, jsonFalse, jsonNull:
			vals[i].raw, spans[i] = []byte(string(v.raw)), -1
			continue
		case jsonEscaped:
			kind = jsonString
		}
		at := cap(line) - cap(v.raw) // both end where the buffer does
		if node = s.grow(node, line[from:at], v.key, kind); node == nil {
			return
		}
		from = at + len(v.raw)
		vals[i].raw, spans[i] = nil, n
		n++
	}
	if leaf := s.grow(node, line[from:end], nil, 0); leaf != nil && leaf.vals == nil {
		leaf.vals, leaf.spans = vals, spans
	}
}

// grow returns the child of node for a text and a kind of value, a new one if need be; nil if there are too many.
func (s *jsonScanner) grow(node *jsonLayout, text []byte, key *jsonKey, kind jsonKind) *jsonLayout {
	for _, c := range node.next {
		if c.key == key && c.kind == kind && c.text.text == string(text) {
			return c
		}
	}
	if s.grown >= maxLayouts || len(node.next) >= maxLayoutNext {
		return nil
	}
	s.grown++
	c := &jsonLayout{text: newFixedText(text), key: key, kind: kind}
	node.next = append(node.next, c)
	return c
}
