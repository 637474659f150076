package redact

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// longestWord is the length in runes at which a word without blanks is cut: longer than any sensible URL path or
// class name, shorter than the base64 blobs and minified lines that would bury a report.
const longestWord = 240

const ellipsis = '…'

// Clean returns s on one line, at most max runes long (no limit when max is 0). Control characters, line breaks,
// escape sequences, direction overrides, zero-width characters and invalid UTF-8 become visible escapes (\n, \x1b,
// \u202e, \xff); words beyond 240 runes and what exceeds max are cut with an ellipsis.
func Clean(s string, max int) string { return clean(s, max, false) }

// Lines is Clean for quotes of several lines, such as stack traces: line feeds stay, tabs become four blanks.
func Lines(s string, max int) string { return clean(s, max, true) }

// Visible returns s with what Clean makes visible, except line breaks and tabs, and cuts nothing: for formats that other
// programs read and people look at in a terminal all the same.
func Visible(s string) string {
	if !strings.ContainsFunc(s, steers) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if raw := s[i : i+size]; r == '\n' || r == '\t' {
			b.WriteString(raw)
		} else {
			b.WriteString(show(r, raw, false))
		}
		i += size
	}
	return b.String()
}

// EscapeJSON writes DEL, C1 controls and invisible characters as \u escapes. JSON allows them raw, but people read JSON in
// terminals, where U+009B begins an escape sequence. They can only stand inside strings.
func EscapeJSON(b []byte) []byte {
	if !bytes.ContainsFunc(b, func(r rune) bool { return r == 0x7f || Hidden(r) }) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r < 0x7f || r > 0x7f && !Hidden(r):
			out = append(out, b[:size]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[size:]
	}
	return out
}

func steers(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || Hidden(r) }

func clean(s string, max int, lines bool) string {
	if lines {
		s = strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	}
	var c cutter
	for i := 0; i < len(s) && (max <= 0 || len(c.out) <= max); {
		r, size := utf8.DecodeRuneInString(s[i:])
		for _, shown := range show(r, s[i:i+size], lines) {
			c.add(shown)
		}
		i += size
	}
	c.endWord()
	if max > 0 && len(c.out) > max {
		c.out = append(c.out[:max-1], ellipsis)
	}
	return string(c.out)
}

// cutter collects runes and shortens words. The last rune that a word may have is held back until it is known
// whether the word ends there.
type cutter struct {
	out  []rune
	word int
	held rune
}

func (c *cutter) add(r rune) {
	if r == ' ' || r == '\n' {
		c.endWord()
		c.out = append(c.out, r)
		return
	}
	switch c.word++; {
	case c.word < longestWord:
		c.out = append(c.out, r)
	case c.word == longestWord:
		c.held = r
	}
}

func (c *cutter) endWord() {
	if c.word > longestWord {
		c.held = ellipsis
	}
	if c.word >= longestWord {
		c.out = append(c.out, c.held)
	}
	c.word = 0
}

const tab = "    "

// show returns the visible form of one rune.
func show(r rune, raw string, lines bool) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case r == '\n' && lines:
		return "\n"
	case r == '\t' && lines:
		return tab
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < 0x20 || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	case Hidden(r):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return raw
}

// Hidden reports whether a rune beyond ASCII steers or deceives instead of showing something: C1 controls,
// direction marks and overrides, zero-width and invisible characters, line and paragraph separators, tags.
func Hidden(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, r == 0xad, r == 0x61c, r == 0x180e, r >= 0x200b && r <= 0x200f,
		r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb,
		r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}
