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

const placeholder = "<*>"

// masker holds the one pass over a line.
type masker struct {
	src []byte
	out []byte
	i   int // next byte of src
	// base is where this template starts in out.
	base int
	// gap says that blanks were read since the last output.
	gap bool
	// wordFrom and wordTo delimit the last literal word or key in src.
	wordFrom, wordTo int
	// open is the offset in out of the last opening bracket, -1 when none is open.
	open int
	// syslogHost says that a date of the form "Jan 2 15:04:05" at the head of the line was read: RFC 3164 puts the
	// host name next.
	syslogHost bool
}

// AppendTemplate appends the template of line to dst. It looks at the first line of the first MaxLine bytes and appends
// at most MaxTemplate+3 bytes of valid UTF-8.
func AppendTemplate(dst, line []byte) []byte {
	m := masker{src: firstLine(line), out: dst, base: len(dst), open: -1}
	for m.i < len(m.src) {
		if len(m.out)-m.base > MaxTemplate {
			return m.cut()
		}
		c := m.src[m.i]
		switch k := classOf[c]; {
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
	if len(m.out)-m.base > MaxTemplate {
		return m.cut()
	}
	return m.out
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
func (m *masker) cut() []byte {
	end := m.base + MaxTemplate
	for end > m.base && !utf8.RuneStart(m.out[end]) {
		end--
	}
	return append(m.out[:end], "..."...)
}

// lit writes s after a pending blank.
func (m *masker) lit(s []byte) {
	if m.gap {
		m.blank()
	}
	if room := MaxTemplate + 1 - (len(m.out) - m.base); len(s) > room && room >= 0 {
		s = s[:room]
	}
	m.out = append(m.out, s...)
}

func (m *masker) byte(c byte) {
	if m.gap {
		m.blank()
	}
	m.out = append(m.out, c)
}

func (m *masker) blank() {
	m.gap = false
	if len(m.out) > m.base {
		m.out = append(m.out, ' ')
	}
}

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
	if !m.gap && bytes.HasSuffix(m.out[m.base:], []byte("\uFFFD")) {
		return
	}
	m.lit([]byte("\uFFFD"))
}

// value writes the placeholder. Values that follow each other with nothing but a separator between them become one,
// so that lists of any length, numbers printed in groups, and dates give one template.
func (m *masker) value() {
	if j := m.joined(); j >= 0 {
		m.out = m.out[:j]
		m.gap = false
		return
	}
	m.lit([]byte(placeholder))
}

// joined returns the end of the placeholder that the next one would merge with, or -1.
func (m *masker) joined() int {
	j := len(m.out)
	if j-m.base < len(placeholder) {
		return -1
	}
	if c := m.out[j-1]; c != '>' {
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
	if j-m.base < len(placeholder) || string(m.out[j-3:j]) != placeholder {
		return -1
	}
	return j
}

// bracketed closes a bracket. Three things make one value: a bracket that holds only values and dashes; such a bracket
// right after a value, which says the value again in another form ("2484 bytes (2.42 KB)", "host (10.0.0.1)"); and
// equal bracketed values in a row.
func (m *masker) bracketed(c byte) {
	m.gap = false
	m.out = append(m.out, c)
	m.i++
	open := m.open
	m.open = -1
	if open < m.base || len(m.out)-open > 24 {
		return
	}
	if !onlyValues(m.out[open+1 : len(m.out)-1]) {
		return
	}
	m.out = append(append(m.out[:open+1], placeholder...), c)
	j := open
	if j > m.base && m.out[j-1] == ' ' {
		j--
	}
	if c == ')' && j-m.base >= 3 && string(m.out[j-3:j]) == placeholder {
		m.out = m.out[:j]
		return
	}
	m.foldUnit()
}

// foldUnit drops a bracketed or quoted value that repeats the one before it.
func (m *masker) foldUnit() {
	const unit = len(placeholder) + 2
	n := len(m.out)
	if n-m.base < 2*unit {
		return
	}
	j := n - unit
	for k := 0; k < 2 && (m.out[j-1] == ' ' || m.out[j-1] == ','); k++ {
		j--
	}
	if j-m.base >= unit && string(m.out[j-unit:j]) == string(m.out[n-unit:n]) {
		m.out = m.out[:j]
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
