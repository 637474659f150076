package pattern

import "bytes"

// token reads a run of token bytes and decides by its shape whether it is a word or a value.
func (m *masker) token() {
	src, start := m.src, m.i
	i := start
	var k uint16
	for i < len(src) {
		c := classOf[src[i]]
		if c&clsToken == 0 {
			break
		}
		k |= c
		i++
	}
	if k&clsLetter != 0 && k&(clsDigit|clsDot|clsSlash|clsAt) == 0 {
		m.i = i
		m.word(src[start:i], k)
		return
	}
	if k&(clsLetter|clsDigit) == 0 {
		m.i = i
		m.symbols(src[start:i])
		return
	}
	// The full stop of the sentence is not part of the token.
	for src[i-1] == '.' {
		i--
	}
	m.i = i
	w := src[start:i]
	switch {
	case i < len(src) && src[i] == '=' && k&clsLetter != 0 && m.isKeyName(w, k):
		m.named(w, k)
	case m.isURL() || src[start] == '/' && i-start > 1 || m.isDrive(w):
		m.path(start)
	case isFaultCandidate(k) && isFault(w):
		m.named(w, k)
	case k&clsDigit != 0:
		if k&(clsNonHex|clsDot|clsSlash|clsAt|clsSign) == 0 && i < len(src) && src[i] == ':' {
			if end := m.groups(start); end > 0 {
				m.i = end
				m.value()
				m.unit() // "5:54:25 PM"
				return
			}
		}
		m.number(w, k)
	case k&clsSlash != 0 && count(w, '/') > 1:
		m.value()
	case k&clsAt != 0 && bytes.IndexByte(w, '@') > 0:
		m.value() // e-mail address, Class@hash
	case k&clsDot != 0 && m.isName(w):
		m.value()
	default:
		m.literal(w)
	}
}

// isKeyName reports whether the token w in front of '=' is a key, although it has dots (service.name=) or a digit
// (p99=). More than two digits make it an id.
func (m *masker) isKeyName(w []byte, k uint16) bool {
	if m.i+1 < len(m.src) && m.src[m.i+1] == '=' || !isLetter(w[0]) || k&(clsSlash|clsAt) != 0 {
		return false
	}
	digits := 0
	for _, c := range w {
		if isDigit(c) {
			digits++
		}
	}
	return digits <= 2
}

// groups returns the end of groups of up to four hexadecimal digits between colons (IPv6 and hardware addresses, clock
// times) that start at src[j], 0 when there are none. Without it a group such as "fe" would pass for a word.
func (m *masker) groups(j int) int {
	src, colons, digits, run := m.src, 0, 0, 0
	for ; j < len(src); j++ {
		c := src[j]
		if c == ':' {
			if j+1 == len(src) || classOf[src[j+1]]&(clsLetter|clsDigit|clsPunct) == 0 || classOf[src[j+1]]&clsNonHex != 0 {
				break // the colon of the sentence
			}
			colons++
			run = 0
			continue
		}
		if k := classOf[c]; k&(clsLetter|clsDigit) == 0 || k&clsNonHex != 0 {
			break
		} else if k&clsDigit != 0 {
			digits++
		}
		if run++; run > 4 {
			return 0
		}
	}
	if colons < 2 || digits == 0 || j < len(src) && isAlnum(src[j]) {
		return 0
	}
	return j
}

// isFaultCandidate keeps the comparison with endings away from tokens without a name part.
func isFaultCandidate(k uint16) bool { return k&clsLetter != 0 && k&(clsDot|clsSlash) != 0 }

// named writes a key or name that stays although it may hold a digit.
func (m *masker) named(w []byte, k uint16) {
	m.sawDigit = m.sawDigit || k&clsDigit != 0
	m.literal(w)
}

// literal writes a word that stays, and remembers it as a possible key.
func (m *masker) literal(w []byte) {
	m.wordFrom, m.wordTo = m.i-len(w), m.i
	m.lit(w)
}

// word decides on a token of letters, '_', '-' and the like.
func (m *masker) word(w []byte, k uint16) {
	if m.i < len(m.src) && m.src[m.i] == ':' && k&clsNonHex == 0 && len(w) <= 4 {
		if end := m.groups(m.i - len(w)); end > 0 {
			m.i = end
			m.value()
			return
		}
	}
	if m.i < len(m.src) && m.src[m.i] == ':' && (m.isURL() || m.isDrive(w) || m.isLocalPort(w)) {
		m.path(m.i - len(w))
		return
	}
	if m.syslogHost {
		m.syslogHost = false
		m.value()
		return
	}
	n := len(w)
	switch {
	case n < 3:
	case n > maxWord, n >= 8 && k&(clsNonHex|clsSign) == 0: // encoded data; hexadecimal without a digit
		m.value()
		return
	case n <= 5 && (string(w) == "true" || string(w) == "false"):
		m.value()
		return
	case n <= 9 && k&clsUpper != 0 && m.isDate(w):
		m.value()
		return
	}
	// Only after "for" and "user" can a name follow; most words are told apart by length.
	if last := m.wordTo - m.wordFrom; (last == 3 || last == 4) && m.isUserName(w) {
		m.value()
		return
	}
	m.literal(w)
}

// isUserName reports whether w is the name in "for user alice" or "password for alice" (see introducesUser).
func (m *masker) isUserName(w []byte) bool {
	at := m.i - len(w)
	if m.wordTo+1 != at || m.src[m.wordTo] != ' ' {
		return false
	}
	switch string(m.src[m.wordFrom:m.wordTo]) {
	case "user":
		return introducesUser(m.wordBefore()) && !isFunctionWord(w)
	case "for":
		return introducesAccount(m.wordBefore()) && !isFunctionWord(w)
	}
	return false
}

// wordBefore returns the word before the last one, nil when there is none right before it.
func (m *masker) wordBefore() []byte {
	to := m.wordFrom - 1
	if to <= 0 || m.src[to] != ' ' {
		return nil
	}
	from := to
	for from > 0 && isLetter(m.src[from-1]) {
		from--
	}
	return m.src[from:to]
}

// isDate reports whether w is a month or weekday next to a number, "Jul  1" or "Sun Dec 04", "Sun, 06 Nov 1994".
func (m *masker) isDate(w []byte) bool {
	month := isMonth(w)
	if !month && !isWeekday(w) {
		return false
	}
	j := m.i
	for j < len(m.src) && (m.src[j] == ' ' || m.src[j] == ',') {
		j++
	}
	if j == m.i || j == len(m.src) {
		return false
	}
	rest := m.src[j:]
	if month {
		if !isDigit(rest[0]) {
			return false
		}
		m.syslogHost = m.n == 0 && isSyslogDate(rest)
		return true
	}
	return isDigit(rest[0]) || len(rest) > 3 && isMonth(rest[:3])
}

// isSyslogDate reports whether s goes on as "2 15:04:05 " behind the month.
func isSyslogDate(s []byte) bool {
	i := 0
	for i < len(s) && i < 2 && isDigit(s[i]) {
		i++
	}
	s = s[i:]
	return len(s) > 9 && s[0] == ' ' && isDigit(s[1]) && s[3] == ':' && s[6] == ':' && isDigit(s[8]) && s[9] == ' '
}

// number writes a token that holds a digit. Whatever else is in it, it is made up for the occurrence: counts, ids, sizes,
// addresses, versions, block_17, worker-3. A unit behind it belongs to it.
func (m *masker) number(w []byte, k uint16) {
	if m.isFailedStatus(w) {
		m.lit(w)
		return
	}
	if isProtocol(w) {
		m.sawDigit = true
		if w[3] == '4' || w[3] == '6' {
			m.literal(w)
			return
		}
	}
	if m.syslogHost && !isDigit(w[0]) {
		m.syslogHost = false
	}
	if len(w) > 5 && string(w[:5]) == "HTTP/" {
		m.wordFrom, m.wordTo = m.i-len(w), m.i-len(w)+4 // the status follows
	}
	m.value()
	if k&(clsLetter|clsSlash|clsAt) == 0 {
		m.unit()
	}
}

// unit skips a unit of measure behind a number.
func (m *masker) unit() {
	src, from := m.src, m.i+1
	if from+1 < len(src) && src[from+1] == 's' && (string(src[m.i:from+1]) == "µ" || string(src[m.i:from+1]) == "μ") {
		m.i += 3 // 75.9µs, with the micro sign or the Greek letter
		return
	}
	if from >= len(src) || src[m.i] != ' ' || !isLetter(src[from]) {
		return
	}
	j := from
	for j < len(src) && isAlnum(src[j]) {
		j++
	}
	if !isUnit(src[from:j]) || j < len(src) && !endsUnit(src[j]) {
		return
	}
	m.i = j
	// The dot of an abbreviation ("secs. to complete") is the unit's, the one of the sentence is not.
	if j+2 < len(src) && src[j] == '.' && src[j+1] == ' ' && src[j+2] >= 'a' && src[j+2] <= 'z' {
		m.i++
	}
}

// endsUnit reports whether c may follow a unit; after "5 b=7" it is a key, and after "5 min-age" part of a word.
func endsUnit(c byte) bool {
	switch c {
	case ' ', '\t', '.', ',', ';', ':', ')', ']', '}', '>', '/', '|', '"', '\'', '!', '?':
		return true
	}
	return false
}

// isFailedStatus reports whether w is an HTTP status 5xx after a word that says so. It stays: which of them was answered
// says who failed (500 the program, 502 the answer from behind it, 503 nobody there, 504 too late). Statuses below 500
// are part of healthy operation and are masked as other numbers are.
func (m *masker) isFailedStatus(w []byte) bool {
	if len(w) != 3 || !isDigit(w[0]) || m.wordTo == 0 {
		return false
	}
	for _, c := range m.src[m.wordTo : m.i-3] {
		switch c {
		case ' ', ':', '=', '"', '\'', '(', '[', '/', '.':
		default:
			if !isDigit(c) { // of HTTP/1.1
				return false
			}
		}
	}
	if m.i-3-m.wordTo >= 8 || !namesStatus(m.src[m.wordFrom:m.wordTo]) {
		return false
	}
	m.sawDigit = true
	return w[0] == '5' && w[1] >= '0' && w[1] <= '2' && isDigit(w[2])
}

// isName reports whether a token with dots names one thing: three parts and more (hosts, packages, classes), or two of
// which the second is a file ending or an internet domain, or two with a port behind.
func (m *masker) isName(w []byte) bool {
	dots, last := 0, -1
	for i, c := range w {
		if c != '.' {
			continue
		}
		if i == 0 || i == last+1 {
			return false // "...", ".x"
		}
		dots++
		last = i
	}
	if dots >= 2 {
		return len(w) > 2*dots+1 && !isConstant(w[last+1:]) // not "a.m.", "e.g."
	}
	if dots == 0 {
		return false
	}
	if m.i+1 < len(m.src) && m.src[m.i] == ':' && isDigit(m.src[m.i+1]) {
		return true
	}
	return isEnding(w[last+1:])
}

// isLocalPort reports localhost:8080, the one host name without a dot that needs no guess.
func (m *masker) isLocalPort(w []byte) bool {
	return len(w) == 9 && string(w) == "localhost" && m.i+1 < len(m.src) && isDigit(m.src[m.i+1])
}

func (m *masker) isURL() bool {
	return m.i+2 < len(m.src) && m.src[m.i] == ':' && m.src[m.i+1] == '/' && m.src[m.i+2] == '/'
}

// isDrive reports C:\ or C:/.
func (m *masker) isDrive(w []byte) bool {
	return len(w) == 1 && m.i+1 < len(m.src) && m.src[m.i] == ':' && (m.src[m.i+1] == '\\' || m.src[m.i+1] == '/')
}

// path writes a path or URL that begins at start. It ends at a blank or quote, or at a comma, semicolon or closing
// bracket that was not opened inside it; a full stop or colon at the end belongs to the sentence.
func (m *masker) path(start int) {
	src, depth, i := m.src, 0, start
loop:
	for ; i < len(src); i++ {
		switch c := src[i]; c {
		case '(', '[', '{', '<':
			depth++
		case ')', ']', '}', '>':
			if depth == 0 {
				break loop
			}
			depth--
		case ',', ';':
			if depth == 0 {
				break loop
			}
		case '"', '\'', '`':
			break loop
		default:
			if classOf[c]&clsSpace != 0 {
				break loop
			}
		}
	}
	for i > start+1 && (src[i-1] == '.' || src[i-1] == ':') {
		i--
	}
	m.i = i
	m.value()
}

// symbols writes a run such as "--" or "....": separators are drawn in any length, so at most three bytes of it.
func (m *masker) symbols(w []byte) {
	if len(w) > 3 {
		w = w[:3]
	}
	m.lit(w)
}

// isConstant reports whether the last part of a dotted name is written as a constant, as in com.example.State.CLOSED. Such
// a name is one of a closed set and says what happened.
func isConstant(w []byte) bool {
	for _, c := range w {
		if c != '_' && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(w) > 1
}

func count(w []byte, c byte) int {
	n := 0
	for _, b := range w {
		if b == c {
			n++
		}
	}
	return n
}
