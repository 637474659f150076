package report

import "strings"

// escape makes one line of text inert in Markdown: no emphasis, code, link, HTML, table cell, heading or list. An
// "@" before a name becomes a full-width one, for no escape keeps chat and code hosts from paging "@here".
func escape(text string) string {
	text = strings.TrimSpace(text) // blanks at the edge undo emphasis or make a code block
	var b strings.Builder
	for i, r := range text {
		switch r {
		case '\\', '`', '*', '_', '[', ']', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '\n', '\r':
			b.WriteByte(' ')
		case '@':
			if i+1 < len(text) && isWordByte(text[i+1]) {
				r = '＠'
			}
			b.WriteRune(r)
		case '#', '+', '-', '=':
			if i == 0 || r == '#' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		case '.', ')':
			if i > 0 && strings.Trim(text[:i], "0123456789") == "" && i < 10 {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		case '!':
			b.WriteString(`\!`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80
}

// codeSpan quotes one line as code, with more backticks around it than there are in a row inside.
func codeSpan(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if text == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(text, '`')+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return ticks + text + ticks
}

// fence quotes lines as code that they cannot leave, each behind an indent.
func fence(text, language, indent string) string {
	ticks := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return indent + ticks + language + "\n" + indent + strings.Join(lines, "\n"+indent) + "\n" + indent + ticks
}

func longestRun(text string, c byte) int {
	longest, run := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
