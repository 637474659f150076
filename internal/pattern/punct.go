package pattern

import "bytes"

// punct handles a byte that is neither token nor blank.
func (m *masker) punct(c byte) {
	switch c {
	case '=':
		if m.i+1 < len(m.src) && m.src[m.i+1] == '=' {
			m.repeated(c)
		} else {
			m.equals()
		}
	case '"', '`':
		m.quote(c)
	case '\'':
		m.apostrophe()
	case '<':
		m.less()
	case '[', '{':
		m.opening(c)
	case '(':
		m.byte(c)
		m.open = m.n - 1
		m.i++
	case ')', ']', '}':
		m.bracketed(c)
	case '*', '!', '?':
		m.repeated(c)
	case ':':
		m.colon()
	default:
		m.byte(c)
		m.i++
	}
}

// repeated writes at most three of a run of the same mark, and takes "*64" for the number it is.
func (m *masker) repeated(c byte) {
	if c == '*' && m.i+1 < len(m.src) && isDigit(m.src[m.i+1]) && (m.i == 0 || isSpace(m.src[m.i-1])) {
		m.i++
		return
	}
	n := 0
	for m.i < len(m.src) && m.src[m.i] == c {
		if n < 3 {
			m.byte(c)
		}
		n++
		m.i++
	}
}

// less handles '<': a placeholder that stands in the text (so that a template is its own template), "<1 ms", or a bracket.
func (m *masker) less() {
	src, i := m.src, m.i
	if i+2 < len(src) && src[i+1] == '*' && src[i+2] == '>' {
		m.i += 3
		m.value()
		return
	}
	if i+1 < len(src) && isDigit(src[i+1]) {
		j := i + 1
		for j < len(src) && isToken(src[j]) {
			j++
		}
		if j == len(src) || src[j] == ' ' {
			m.i++
			return
		}
	}
	m.byte('<')
	m.i++
}

// opening handles '[' and '{'. A list of single tokens in them is one value whatever its length.
func (m *masker) opening(c byte) {
	if c == '[' && m.n > 0 && m.n < 32 {
		if end := m.thread(); end > 0 {
			m.byte(c)
			m.hole()
			m.i = end
			return
		}
	}
	end, commas := m.i+1, 0
	for ; end < len(m.src) && end < m.i+maxValue; end++ {
		b := m.src[end]
		if b == ',' {
			commas++
			if end+1 < len(m.src) && m.src[end+1] == ' ' {
				end++
			}
			continue
		}
		if !isToken(b) {
			break
		}
	}
	m.byte(c)
	m.open = m.n - 1
	m.i++
	if commas > 0 && end < len(m.src) && m.src[end] == closer(c) {
		m.hole()
		m.i = end
	}
}

// thread returns the end of a thread name in brackets, 0 if the bracket holds none. Most loggers for the JVM and .NET put
// it beside the level at the head of the line: "time LEVEL [thread]" or "time [thread] LEVEL". Which thread of a pool
// wrote a line does not make another message.
func (m *masker) thread() int {
	end := m.i + 1
	for limit := min(len(m.src), m.i+256); end < limit && m.src[end] != ']' && m.src[end] != '[' && m.src[end] != '='; {
		end++
	}
	if end+1 >= len(m.src) || m.src[end] != ']' || isLevel(bytes.TrimSpace(m.src[m.i+1:end])) {
		return 0
	}
	head := bytes.TrimPrefix(m.buf[:m.n], []byte("["))
	head, dated := bytes.CutPrefix(head, []byte(placeholder))
	if !dated {
		return 0
	}
	head = bytes.Trim(head, " -:]")
	after, _, _ := bytes.Cut(bytes.TrimLeft(m.src[end+1:], " "), []byte(" "))
	if isLevel(head) || len(head) == 0 && isLevel(after) {
		return end
	}
	return 0
}

// equals handles key=value, also with blanks around the sign.
func (m *masker) equals() {
	src, at := m.src, m.i
	m.byte('=')
	m.i++
	if !m.isKey(at) {
		return
	}
	if namesKind(src[m.wordFrom:m.wordTo]) {
		return
	}
	j := m.i
	for j < len(src) && isSpace(src[j]) {
		j++
	}
	if j == len(src) {
		m.value()
		m.i = j
		return
	}
	if j > m.i {
		if src[j] == ',' || m.startsKey(j) {
			m.value() // the value is empty
			return
		}
		m.gap = true
	}
	switch c := src[j]; c {
	case ',', ';', ')', ']', '}', '>', '|', '&':
		m.value() // empty, too
		m.i = j
	case '"', '\'', '`':
		m.i = j
		if end := m.closing(j, c); end > 0 {
			m.byte(c)
			m.hole()
			m.byte(c)
			m.i = end + 1
		} else {
			m.byte(c)
			m.i++
		}
	case '(', '[', '{', '<':
		m.i = j
		if end := m.balanced(j, false); end > 0 {
			m.value()
			m.i = end
		}
	default:
		m.i = m.valueEnd(j)
		m.value()
		if isNumber(src[j:m.i]) {
			m.unit()
		}
	}
}

// isNumber reports whether w is a number without a unit.
func isNumber(w []byte) bool {
	for _, c := range w {
		if classOf[c]&(clsDigit|clsDot|clsSign) == 0 {
			return false
		}
	}
	return len(w) > 0
}

// isKey reports whether '=' at src[at] follows a key, and is neither a comparison nor a rule drawn with ====.
func (m *masker) isKey(at int) bool {
	if m.wordTo == 0 || at+1 < len(m.src) && (m.src[at+1] == '=' || m.src[at+1] == '>' || m.src[at+1] == '~') {
		return false
	}
	for i := m.wordTo; i < at; i++ {
		switch m.src[i] {
		case ' ', ']', '"', '\'', ')':
		default:
			return false
		}
	}
	return true
}

// startsKey reports whether another key= starts at src[j].
func (m *masker) startsKey(j int) bool {
	from := j
	for j < len(m.src) && isToken(m.src[j]) {
		j++
	}
	return j > from && j < len(m.src) && m.src[j] == '='
}

// valueEnd returns the end of the unquoted value at src[j]. Word{...} and Word(...) are objects printed by a program, so
// the bracket belongs to the value.
func (m *masker) valueEnd(j int) int {
	src, from := m.src, j
	for ; j < len(src); j++ {
		switch c := src[j]; c {
		case ',', ';', ')', ']', '}', '>', '|', '"', '\'':
			return m.trimValue(from, j)
		case '(', '[', '{', '<':
			if end := m.balanced(j, true); end > 0 {
				j = end - 1
				continue
			}
			return m.trimValue(from, j)
		default:
			if classOf[c]&clsSpace != 0 {
				return m.trimValue(from, j)
			}
		}
	}
	return m.trimValue(from, j)
}

// trimValue leaves the sentence its full stop and colon.
func (m *masker) trimValue(from, to int) int {
	for to > from+1 && (m.src[to-1] == '.' || m.src[to-1] == ':') {
		to--
	}
	return max(to, m.i)
}

// balanced returns the index after the bracket that closes the one at src[j], 0 when there is none near.
func (m *masker) balanced(j int, blanks bool) int {
	depth := 0
	for end := min(len(m.src), j+maxValue); j < end; j++ {
		switch c := m.src[j]; c {
		case '(', '[', '{', '<':
			depth++
		case ')', ']', '}', '>':
			if depth--; depth == 0 {
				return j + 1
			}
		default:
			if !blanks && classOf[c]&clsSpace != 0 {
				return 0
			}
		}
	}
	return 0
}

// closing returns the index of the quote that ends the string begun at src[j], 0 when there is none near.
func (m *masker) closing(j int, q byte) int {
	for i, end := j+1, min(len(m.src), j+maxValue); i < end; i++ {
		switch {
		case m.src[i] == '\\':
			i++
		case m.src[i] == q && (q != '\'' || i+1 == len(m.src) || !isAlnum(m.src[i+1])):
			return i
		}
	}
	return 0
}

// apostrophe tells the one in "can't" from a quote.
func (m *masker) apostrophe() {
	if m.i > 0 && isAlnum(m.src[m.i-1]) {
		m.byte('\'')
		m.i++
		return
	}
	m.quote('\'')
}

// quote handles a quoted string. One token in quotes is a name; several are text and are read like the rest, since
// programs quote each other's messages. A name in front of a colon is a key (JSON), and one after a word such as "state"
// says what happened; both stay.
func (m *masker) quote(q byte) {
	src, from, pair := m.src, m.i, 1
	if q == '"' {
		pair = 0
	}
	m.byte(q)
	m.i++
	if from == m.closes[pair] || from > 0 && src[from-1] == '\\' {
		return // the end of a text, or a quote within a quoted text
	}
	end := m.closing(from, q)
	if end == 0 {
		return
	}
	if m.quotedText(src[from+1:end], from, end) {
		m.closes[pair] = end
		return
	}
	m.hole()
	m.byte(q)
	m.i = end + 1
	m.foldUnit()
}

// quotedText reports whether what stands in quotes, src[from:end+1], is to be read like the rest.
func (m *masker) quotedText(s []byte, from, end int) bool {
	for _, c := range s {
		if classOf[c]&clsSpace != 0 {
			return true
		}
	}
	if len(s) == 0 {
		return false
	}
	return m.isQuotedKey(end) || m.followsKind(from)
}

// isQuotedKey reports whether the string that ends at src[end] is a key: "key": value.
func (m *masker) isQuotedKey(end int) bool {
	j := end + 1
	for j < len(m.src) && m.src[j] == ' ' {
		j++
	}
	return j+1 < len(m.src) && m.src[j] == ':'
}

// followsKind reports whether src[from] comes right after a word that names a kind (see namesKind).
func (m *masker) followsKind(from int) bool {
	if m.wordTo == 0 || from-m.wordTo > 4 {
		return false
	}
	for _, c := range m.src[m.wordTo:from] {
		if c != ' ' && c != ':' && c != '=' && c != '"' && c != '\'' {
			return false
		}
	}
	return namesKind(m.src[m.wordFrom:m.wordTo])
}

// colon handles ':', be it the start of an IPv6 address such as ::1.
func (m *masker) colon() {
	if m.i+1 < len(m.src) && m.src[m.i+1] == ':' && (m.i == 0 || !isToken(m.src[m.i-1])) {
		if end := m.groups(m.i); end > 0 {
			m.i = end
			m.value()
			return
		}
	}
	m.byte(':')
	m.i++
	m.afterColon()
}

// afterColon masks a boolean or null that follows "key:"; other words after a colon are text.
func (m *masker) afterColon() {
	j := m.i
	if j < len(m.src) && m.src[j] == ' ' {
		j++
	}
	from := j
	for j < len(m.src) && isLetter(m.src[j]) {
		j++
	}
	if j == from || j-from > 9 || !isNothing(m.src[from:j]) {
		return
	}
	switch {
	case j < len(m.src) && m.src[j] != ',' && m.src[j] != '}' && m.src[j] != ')' && m.src[j] != ']' && m.src[j] != ';':
		return // "error: no such file", "on: fire"
	}
	m.gap = from > m.i
	m.i = j
	m.value()
}
