package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

// ink is an ANSI attribute. Only bold, faint and the three colours that are legible on dark and on light grounds in
// every common palette are used, and never as the only carrier of a meaning.
type ink string

const (
	plain  ink = ""
	strong ink = "1"
	faint  ink = "2"
	red    ink = "1;31"
	green  ink = "1;32"
	purple ink = "1;35"
)

// screen builds a text rendering of a fixed width. Text is wrapped before it is coloured, so that no line is wider.
type screen struct {
	bytes.Buffer
	width int
	color bool
	ascii bool
	g     glyphs
}

const (
	narrowest = 40
	usual     = 80
)

func newScreen(width int, color, ascii bool) *screen {
	switch {
	case width <= 0:
		width = usual
	case width < narrowest:
		width = narrowest
	}
	s := &screen{width: width, color: color, ascii: ascii, g: unicodeGlyphs}
	if ascii {
		s.g = asciiGlyphs
	}
	return s
}

// ink paints text when colour is on.
func (s *screen) ink(i ink, text string) string {
	if !s.color || i == plain || text == "" {
		return text
	}
	return "\x1b[" + string(i) + "m" + text + "\x1b[0m"
}

// text makes a string fit for the screen: in ASCII mode all else becomes visible escapes.
func (s *screen) text(t string) string {
	if !s.ascii {
		return t
	}
	var b strings.Builder
	for _, r := range t {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r == '…':
			b.WriteString("...")
		case r == '–' || r == '—':
			b.WriteByte('-')
		case r == '→':
			b.WriteString("->")
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func (s *screen) blank() { s.WriteByte('\n') }

// line writes one line that is known to fit.
func (s *screen) line(text string) {
	s.WriteString(strings.TrimRight(text, " "))
	s.WriteByte('\n')
}

// section writes a heading between blank lines.
func (s *screen) section(title, aside string) {
	s.blank()
	head := strings.ToUpper(title)
	if with := head + " " + s.g.dot + " " + aside; aside != "" && uniseg.StringWidth(with) < s.width {
		head = with
	}
	rest := s.width - uniseg.StringWidth(head) - 1
	s.line(s.ink(strong, head) + " " + s.ink(faint, strings.Repeat(s.g.rule, max(rest, 0))))
}

// para writes wrapped text behind an indent of blanks.
func (s *screen) para(indent int, i ink, text string) { s.hang("", indent, indent, i, text) }

// item writes a label in a column of its own and wraps the text beside it.
func (s *screen) item(label string, column int, i ink, text string) {
	s.hang(s.ink(faint, pad(s.text(label), column)), 0, column, i, text)
}

// hang writes text wrapped to the width from column on; lead stands in the first line's column.
func (s *screen) hang(lead string, first, column int, i ink, text string) {
	for n, l := range wrap(s.text(text), s.width-column) {
		prefix := strings.Repeat(" ", column)
		if n == 0 && lead != "" {
			prefix = lead
		} else if n == 0 {
			prefix = strings.Repeat(" ", first)
		}
		s.line(prefix + s.ink(i, l))
	}
}

// quote writes verbatim text behind a bar, long lines wrapped.
func (s *screen) quote(indent int, text string, maxLines int) {
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		for _, part := range wrapKeep(s.text(l), s.width-indent-2) {
			if n++; n > maxLines {
				s.line(strings.Repeat(" ", indent) + s.ink(faint, s.g.quote+s.text(" … more at the source")))
				return
			}
			s.line(strings.Repeat(" ", indent) + s.ink(faint, s.g.quote) + " " + part)
		}
	}
}

// command writes a command line. It is not wrapped at words, as it will be copied; terminals join what they wrap.
func (s *screen) command(indent int, text string) {
	for n, l := range wrapKeep(s.text(text), s.width-indent-2) {
		lead := "$ "
		if n > 0 {
			lead = "  "
		}
		s.line(strings.Repeat(" ", indent) + s.ink(strong, lead) + s.ink(strong, l))
	}
}

// pad fills text with blanks up to width, or cuts it with an ellipsis.
func pad(text string, width int) string {
	if w := uniseg.StringWidth(text); w <= width {
		return text + strings.Repeat(" ", width-w)
	}
	head, _ := split(text, width-2)
	return pad(head+"~ ", width)
}

// wrap breaks text at blanks so that no line is wider than width; a word that is wider is broken inside.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && uniseg.StringWidth(line)+1+uniseg.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			out = append(out, line)
		}
		for uniseg.StringWidth(word) > width {
			var head string
			head, word = split(word, width)
			out = append(out, head)
		}
		line = word
	}
	if line != "" || len(out) == 0 {
		out = append(out, line)
	}
	return out
}

// wrapKeep breaks text at the width, at a blank if there is one in the last third, and keeps its blanks otherwise.
func wrapKeep(text string, width int) []string {
	var out []string
	for uniseg.StringWidth(text) > width {
		head, tail := split(text, width)
		if cut := strings.LastIndexByte(head, ' '); cut > len(head)*2/3 {
			head, tail = text[:cut], text[cut+1:]
		}
		out = append(out, head)
		text = tail
	}
	return append(out, text)
}

// split cuts text after the last grapheme cluster that fits; it always takes at least one.
func split(text string, width int) (head, tail string) {
	used, rest, state := 0, text, -1
	for len(rest) > 0 {
		var w int
		var cluster string
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used > 0 && used+w > width {
			return text[:len(text)-len(rest)-len(cluster)], text[len(text)-len(rest)-len(cluster):]
		}
		used += w
	}
	return text, ""
}
