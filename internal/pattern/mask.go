package pattern

import (
	"bytes"
	"unicode/utf8"
)

const (
	// MaxLine is how many bytes of a line are looked at. What tells messages apart stands at the front; the rest of a
	// longer line is dumped data.
	MaxLine = 8 << 10
	// MaxTemplate bounds a template in bytes; a longer one ends in "...".
	MaxTemplate = 1 << 10
	// maxValue is how far a closing quote or bracket is searched for, so that an unclosed one costs no quadratic time.
	maxValue = 512
	// maxWord is the longest run of letters taken for a word. The longest identifiers of real APIs have some 60 letters;
	// beyond that it is encoded data.
	maxWord = 64
)

const (
	placeholder = "<*>"
	// slack is more than any one step writes beyond MaxTemplate, where lit stops and the loop ends.
	slack = 64
)

// masker holds the one pass over a line.
type masker struct {
	src []byte
	i   int // next byte of src
	// buf[:n] is the template so far. An array rather than a slice, for then a masker stays on the stack: appending
	// through a pointer would move it to the heap.
	buf [MaxTemplate + slack]byte
	n   int
	// gap says that blanks were read since the last output.
	gap bool
	// wordFrom and wordTo delimit the last literal word or key in src.
	wordFrom, wordTo int
	// open is the offset in out of the last opening bracket, -1 when none is open.
	open int
	// closes holds where in src the quotes end that are read as text: of '"', and of the other kinds.
	closes [2]int
	// sawDigit says that a rule depended on which digit stood somewhere (see shape.go).
	sawDigit bool
	// syslogHost says that a date of the form "Jan 2 15:04:05" at the head of the line was read: RFC 3164 puts the
	// host name next.
	syslogHost bool
}

// AppendTemplate appends the template of line to dst. It looks at the first line of the first MaxLine bytes and appends
// at most MaxTemplate bytes of valid UTF-8 and, when cut there, "...".
func AppendTemplate(dst, line []byte) []byte {
	var m masker
	return append(dst, m.mask(firstLine(line))...)
}

// mask returns the template of what firstLine returned, valid until the next call.
func (m *masker) mask(line []byte) []byte {
	m.src, m.i, m.n, m.gap, m.sawDigit = line, 0, 0, false, false
	m.wordFrom, m.wordTo, m.open, m.closes, m.syslogHost = 0, 0, -1, [2]int{-1, -1}, false
	src := m.src
	for m.i < len(src) && m.n <= MaxTemplate {
		c := src[m.i]
		switch k := classOf[c]; {
		case c == ' ':
			m.i++
			m.gap = true
		case k&clsToken != 0:
			m.token()
		case k&clsSpace != 0:
			m.space(c)
		case k&clsHigh != 0:
			m.rune()
		default:
			m.punct(c)
		}
	}
	if m.n > MaxTemplate {
		m.cut()
	}
	m.src = nil // a Miner must not keep the caller's line alive
	return m.buf[:m.n]
}

// firstLine cuts blank lines in front and all lines after the first.
func firstLine(line []byte) []byte {
	if len(line) > MaxLine {
		line = line[:MaxLine]
	}
	for len(line) > 0 && isSpace(line[0]) && line[0] != 0x1b {
		line = line[1:]
	}
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return line
}

// cut ends an overlong template at a rune boundary.
func (m *masker) cut() {
	m.n = MaxTemplate
	for !utf8.RuneStart(m.buf[m.n]) {
		m.n--
	}
	m.n += copy(m.buf[m.n:], "...")
}

// lit writes s after a pending blank.
func (m *masker) lit(s []byte) {
	if m.gap {
		m.blank()
	}
	m.n += copy(m.buf[m.n:], s)
}

func (m *masker) byte(c byte) {
	if m.gap {
		m.blank()
	}
	m.buf[m.n] = c
	m.n++
}

func (m *masker) blank() {
	m.gap = false
	if m.n > 0 {
		m.buf[m.n] = ' '
		m.n++
	}
}

// hole writes the placeholder as it is.
func (m *masker) hole() { m.n += copy(m.buf[m.n:], placeholder) }

// space skips a blank, and a terminal's colour sequences, which some loggers write into files.
func (m *masker) space(c byte) {
	m.i++
	if c != 0x1b {
		m.gap = true
		return
	}
	if m.i < len(m.src) && m.src[m.i] == '[' {
		for m.i++; m.i < len(m.src) && !isLetter(m.src[m.i]); {
			m.i++
		}
		m.i++
	}
}

// rune copies one multi-byte rune; what is not UTF-8 becomes U+FFFD, once for a run.
func (m *masker) rune() {
	r, n := utf8.DecodeRune(m.src[m.i:])
	from := m.i
	m.i += n
	if r != utf8.RuneError {
		m.lit(m.src[from:m.i])
		return
	}
	if m.gap || m.n < 3 || string(m.buf[m.n-3:m.n]) != "\uFFFD" {
		m.lit([]byte("\uFFFD"))
	}
}

// value writes the placeholder. Values that follow each other with nothing but a separator between them become one,
// so that lists of any length, numbers printed in groups, and dates give one template.
func (m *masker) value() {
	if j := m.joined(); j >= 0 {
		m.n = j
		m.gap = false
		return
	}
	if m.gap {
		m.blank()
	}
	m.hole()
}

// joined returns the end of the placeholder that the next one would merge with, or -1.
func (m *masker) joined() int {
	j := m.n
	if j < len(placeholder) {
		return -1
	}
	if c := m.buf[j-1]; c != '>' {
		switch c {
		case ',', ';', '|':
		case ':', '/', '-', '.', '_', '+':
			if m.gap {
				return -1
			}
		default:
			return -1
		}
		j--
	}
	if !m.holeBefore(j) {
		return -1
	}
	return j
}

// holeBefore reports whether a placeholder ends at buf[j].
func (m *masker) holeBefore(j int) bool {
	return j >= len(placeholder) && m.buf[j-1] == '>' && m.buf[j-2] == '*' && m.buf[j-3] == '<'
}

// bracketed closes a bracket. Three things make one value: a bracket that holds only values and dashes; such a bracket
// right after a value, which says the value again in another form ("2484 bytes (2.42 KB)", "10.0.0.1 (host)", "10.0.0.1 ()"); and
// equal bracketed values in a row.
func (m *masker) bracketed(c byte) {
	m.gap = false
	m.byte(c)
	m.i++
	open := m.open
	m.open = -1
	if open < 0 || m.n-open > 24 {
		return
	}
	if inner := m.buf[open+1 : m.n-1]; len(inner) > 0 || c != ')' {
		if !onlyValues(inner) {
			return
		}
		m.n = open + 1
		m.hole()
		m.byte(c)
	}
	j := open
	if j > 0 && m.buf[j-1] == ' ' {
		j--
	}
	if c == ')' && m.holeBefore(j) {
		m.n = j
		return
	}
	m.foldUnit()
}

// foldUnit drops a bracketed or quoted value that repeats the one before it.
func (m *masker) foldUnit() {
	const unit = len(placeholder) + 2
	if m.n < 2*unit {
		return
	}
	j := m.n - unit
	for k := 0; k < 2 && (m.buf[j-1] == ' ' || m.buf[j-1] == ','); k++ {
		j--
	}
	if j >= unit && string(m.buf[j-unit:j]) == string(m.buf[m.n-unit:m.n]) {
		m.n = j
	}
}

// onlyValues reports whether s, a part of a template, holds values and "-" (an absent value in most log formats) only.
func onlyValues(s []byte) bool {
	some := false
	for i := 0; i < len(s); {
		switch {
		case s[i] == ' ' || s[i] == ',':
			i++
		case s[i] == '-' && (i+1 == len(s) || s[i+1] == ' '):
			some = true
			i++
		case i+3 <= len(s) && string(s[i:i+3]) == placeholder:
			some = true
			i += 3
		default:
			return false
		}
	}
	return some
}
