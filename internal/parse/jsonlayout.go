package parse

import (
	"encoding/binary"
)

// jsonLayout is a node of the tree of layouts that the lines of a file were seen to have: what is written between two
// values, keys, quotes, blanks and all, is the same on the lines that one statement of a program logs. Such a line is read
// by comparing a few words and looking for the ends of its values; no key is cut out. Any other line is read the thorough
// way, and its layout learnt. What comes out is the same either way.
type jsonLayout struct {
	text  fixedText // what is between the value before, from its closing quote on, and this one
	key   *jsonKey  // of the value behind text; nil at the end of the object
	kind  jsonKind  // jsonString, jsonNumber or jsonRaw for an array
	words []jsonVal // true, false and null within text
	next  []*jsonLayout

	// At the end of an object, for lines on which no value is empty: what jsonParser.choose finds.
	chosen  bool
	refused bool
	slots   [actCount]int16
	acts    []int16 // the values that mean something
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

// follow reads a line of a known layout into s.vals and returns the end of the layout, nil if the line has no known one.
// empty tells whether a string on it is empty.
func (s *jsonScanner) follow(b []byte) (leaf *jsonLayout, empty bool) {
	if s.vain >= maxVainTries {
		return nil, false
	}
	if cap(s.vals) < maxLayoutVals {
		s.vals = make([]jsonVal, 0, maxLayoutVals)
	}
	s.vals = s.vals[:0]
	node, i := &s.layouts, 0
next:
	for {
		for _, c := range node.next {
			if !c.text.at(b, i) {
				continue
			}
			at := i + len(c.text.text)
			if c.key == nil {
				s.vals = append(s.vals, c.words...)
				s.vain = max(0, s.vain-1)
				return c, empty
			}
			end, kind := c.value(b, at)
			if end < 0 {
				continue
			}
			empty = empty || end == at
			if len(c.words) > 0 {
				s.vals = append(s.vals, c.words...)
			}
			n := len(s.vals)
			s.vals = s.vals[:n+1]
			v := &s.vals[n]
			v.key, v.raw, v.kind = c.key, b[at:end], kind
			node, i = c, end
			continue next
		}
		s.vain++
		return nil, false
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
	var words []jsonVal
	for i := range s.vals {
		v := &s.vals[i]
		kind := v.kind
		switch kind {
		case jsonTrue, jsonFalse, jsonNull:
			words = append(words, jsonVal{v.key, []byte(string(v.raw)), kind})
			continue
		case jsonEscaped:
			kind = jsonString
		}
		at := cap(line) - cap(v.raw) // both end where the buffer does
		if node = s.grow(node, line[from:at], v.key, kind, words); node == nil {
			return
		}
		from, words = at+len(v.raw), nil
	}
	s.grow(node, line[from:end], nil, 0, words)
}

// grow returns the child of node for a text and a kind of value, a new one if need be; nil if there are too many.
func (s *jsonScanner) grow(node *jsonLayout, text []byte, key *jsonKey, kind jsonKind, words []jsonVal) *jsonLayout {
	for _, c := range node.next {
		if c.key == key && c.kind == kind && c.text.text == string(text) {
			return c
		}
	}
	if s.grown >= maxLayouts || len(node.next) >= maxLayoutNext {
		return nil
	}
	s.grown++
	c := &jsonLayout{text: newFixedText(text), key: key, kind: kind, words: words}
	node.next = append(node.next, c)
	return c
}
