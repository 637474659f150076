package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// postgres reads PostgreSQL's stderr log with any log_line_prefix. What every line has is "LEVEL:  message" with two
// blanks; the prefix before it is read part by part: times, [process], user@database, user=...,db=..., addresses.
// DETAIL, HINT, STATEMENT and so on are lines with a prefix of their own, and records of their own here.
// https://www.postgresql.org/docs/current/runtime-config-logging.html
type postgres struct {
	stamp stampCache
	esc   []byte // arena of local; never rewound
}

func newPostgres([]byte) lineParser { return &postgres{} }

// maxPrefix is how far into a line the level may stand: prefixes hold names of up to 63 bytes each.
const maxPrefix = 300

func (p *postgres) parse(line []byte, r *Record) bool {
	if len(line) < 12 || line[0] == ' ' || line[0] == '\t' {
		return false
	}
	from, end := pgLevel(line[:min(len(line), maxPrefix)])
	if end == 0 || quotesServer(line[:from]) {
		return false
	}
	p.prefix(line[:from], r)
	if r.Clock == ClockNone && r.Get("pid") == "" {
		return false
	}
	word := line[from:end]
	r.Level = pgLevelOf(word)
	r.Add("level", str(word))
	b := line[end+3:]
	if len(b) > 7 && b[5] == ':' && b[6] == ' ' && sqlStateForm(b[:5]) {
		r.Add("sqlstate", str(b[:5]))
		b = b[7:]
	}
	r.Message = str(b)
	return true
}

// quotesServer reports whether what stands before the level is no log_line_prefix but the beginning of a client's line, which
// has a level of its own, or names the error class before it quotes the server.
func quotesServer(before []byte) bool {
	if startsWithLevel(before) || bytes.Contains(before, []byte("SQLSTATE[")) || bytes.Contains(before, []byte("PG::")) {
		return true
	}
	for _, word := range bytes.FieldsFunc(before, func(r rune) bool {
		return r == ' ' || r == '[' || r == ']' || r == ',' || r == ':' || r == '|' || r == '('
	}) {
		switch string(word) {
		case "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "FATAL", "NOTICE", "SEVERE", "CRITICAL":
			return true
		}
	}
	return false
}

// pgLevel finds the level: a known word before ":  ", with two blanks. More are another's padding (Uvicorn: "INFO:     ").
func pgLevel(b []byte) (from, end int) {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(":  "))
		if i < 0 {
			return 0, 0
		}
		i += at
		from = i
		for from > 0 && (b[from-1] >= 'A' && b[from-1] <= 'Z' || isDigit(b[from-1])) {
			from--
		}
		if padded := i+3 < len(b) && b[i+3] == ' '; !padded && pgLevelOf(b[from:i]) != inquest.LevelUnknown {
			return from, i
		}
		at = i + 3
	}
}

// pgLevelOf knows PostgreSQL's words. FATAL ends one session only (a wrong password, too many connections), PANIC the
// server: they are an error and a fatal one.
func pgLevelOf(word []byte) inquest.Level {
	switch string(word) {
	case "LOG", "INFO", "NOTICE", "DETAIL", "HINT", "STATEMENT", "QUERY", "CONTEXT", "LOCATION", "BACKTRACE":
		return inquest.LevelInfo
	case "WARNING":
		return inquest.LevelWarn
	case "ERROR", "FATAL":
		return inquest.LevelError
	case "PANIC":
		return inquest.LevelFatal
	case "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5":
		return inquest.LevelDebug
	}
	return inquest.LevelUnknown
}

// sqlStateForm reports whether b has the form of an SQLSTATE.
func sqlStateForm(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(b) == 5 && (isDigit(b[0]) || isDigit(b[1]) || isDigit(b[2]))
}

// prefix reads what log_line_prefix put before the level.
func (p *postgres) prefix(b []byte, r *Record) {
	user := false
	for len(b) > 0 {
		c := b[0]
		if c == ' ' || c == ',' || c == ':' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>' {
			b = b[1:]
			continue
		}
		if r.Clock == ClockNone {
			if n := p.time(b, r); n > 0 {
				b = b[n:]
				continue
			}
		}
		if c == '[' && !bytes.HasPrefix(b, []byte("[unknown]")) && !bytes.HasPrefix(b, []byte("[local]")) {
			in, rest := bracket(b)
			if in == nil {
				return
			}
			if pid, k := digitsAt(in, 0); k > 0 && r.Get("pid") == "" {
				addNum(r, "pid", pid)
			} else if bytes.IndexByte(in, '@') > 0 {
				pgToken(in, r, &user)
			}
			b = rest
			continue
		}
		n := bytes.IndexAny(b, " ,|")
		if n < 0 {
			n = len(b)
		}
		tok := bytes.TrimRight(b[:n], ":")
		b = b[n:]
		if bytes.IndexByte(tok, '@') > 0 { // Amazon RDS: host(port):user@db:[pid]
			for _, part := range bytes.Split(tok, []byte{':'}) {
				pgToken(part, r, &user)
			}
			continue
		}
		pgToken(tok, r, &user)
	}
}

// time reads a time and a zone, also one whose abbreviation nobody knows.
func (p *postgres) time(b []byte, r *Record) int {
	ns, n, c := p.stamp.parse(b)
	if n == 0 || c == ClockNone {
		return 0
	}
	r.Time, r.Clock = ns, c
	if k := n; c == ClockUTC && k > 19 && isAlpha(b[k-1]) && b[k-1] != 'Z' {
		// The name of a zone is less certain than an offset: give what the line says as well.
		for isAlpha(b[k-1]) {
			k--
		}
		r.Add("zone", str(b[k:n]))
		p.local(bytes.TrimRight(b[:k], " "), r)
	}
	if c == ClockLocal && n+4 < len(b) && b[n] == ' ' && b[n+1] >= 'A' && b[n+1] <= 'Z' {
		k := n + 1
		for k < len(b) && isAlpha(b[k]) {
			k++
		}
		if k-n <= 6 && k < len(b) && (b[k] == ' ' || b[k] == ':' || b[k] == ',') && pgLevelOf(b[n+1:k]) == inquest.LevelUnknown {
			r.Add("zone", str(b[n+1:k]))
			n = k
		}
	}
	return n
}

// local keeps the wall clock as it stands on the line.
func (p *postgres) local(b []byte, r *Record) {
	if cap(p.esc)-len(p.esc) < len(b) {
		p.esc = make([]byte, 0, 8<<10)
	}
	from := len(p.esc)
	p.esc = append(p.esc, b...)
	p.esc[from+10] = 'T'
	r.Add("time_local", str(p.esc[from:]))
}

// pgToken reads one part of a prefix.
func pgToken(tok []byte, r *Record, user *bool) {
	if len(tok) == 0 {
		return
	}
	if in, _ := bracket(tok); in != nil && allDigits(in) {
		addNum(r, "pid", in)
		return
	}
	if i := bytes.IndexByte(tok, '='); i > 0 {
		v := tok[i+1:]
		switch string(tok[:i]) {
		case "user", "usr", "u":
			r.Add("user", unbracket(v))
		case "db", "database", "d":
			r.Add("database", unbracket(v))
		case "app", "application":
			r.Add("application", unbracket(v))
		case "client", "host", "h", "remote":
			pgHost(v, r)
		case "pid", "p":
			addNum(r, "pid", v)
		case "state", "sqlstate", "e":
			r.Add("sqlstate", str(v))
		}
		return
	}
	if i := bytes.IndexByte(tok, '@'); i > 0 {
		r.Add("user", unbracket(tok[:i]))
		r.Add("database", unbracket(tok[i+1:]))
		*user = true
		return
	}
	switch {
	case bytes.Count(tok, dot) == 3 && isDigit(tok[0]):
		pgHost(tok, r)
	case allDigits(tok) && r.Get("pid") == "" && len(tok) < 9:
		addNum(r, "pid", tok)
	case sqlStateForm(tok) && r.Get("sqlstate") == "":
		r.Add("sqlstate", str(tok))
	case *user && r.Get("application") == "" && isAlpha(tok[0]):
		r.Add("application", str(tok))
	}
}

// unbracket takes the brackets off [unknown].
func unbracket(v []byte) string { return str(bytes.Trim(v, "[]")) }

// pgHost reads 10.0.0.1(5432) and 10.0.0.1:5432.
func pgHost(v []byte, r *Record) {
	if i := bytes.IndexByte(v, '('); i > 0 {
		addNum(r, "remote_port", bytes.TrimRight(v[i+1:], ")"))
		v = v[:i]
	}
	host, port := splitAddr(v)
	if len(port) > 0 {
		addNum(r, "remote_port", port)
	}
	r.ClientAddr = unbracket(host)
}

// finish reads durations and statements, which may go over several lines.
func (p *postgres) finish(r *Record) {
	switch r.Get("level") {
	case "STATEMENT", "QUERY":
		r.Add("query_text", r.Message)
	case "LOG":
		if text, step, ok := pgStatement(r); ok {
			r.Add("query_step", step)
			r.Add("query_text", text)
		}
	}
}

// pgStatement reads "duration: 37.118 ms  statement: SELECT ...", "duration: 1 ms  execute name: ...", "statement: ...".
// ok is false when the message names no statement.
func pgStatement(r *Record) (text, step string, ok bool) {
	msg := r.Message
	const dur = "duration: "
	if len(msg) > len(dur) && msg[:len(dur)] == dur {
		i := len(dur)
		for i < len(msg) && msg[i] != ' ' {
			i++
		}
		v, valid := decimalOver([]byte(msg[len(dur):i]), 1e3)
		if !valid || len(msg) < i+3 || msg[i:i+3] != " ms" {
			return "", "", false
		}
		r.Duration = v
		if msg = msg[i+3:]; len(msg) < 3 {
			return "", "", false
		}
		msg = msg[2:]
	}
	for _, s := range [...]string{"statement", "parse", "bind", "execute fetch from", "execute", "fastpath function call"} {
		if len(msg) <= len(s)+1 || msg[:len(s)] != s || msg[len(s)] != ':' && msg[len(s)] != ' ' {
			continue
		}
		i := len(s)
		for i < len(msg) && msg[i] != ':' {
			i++
		}
		if i+2 > len(msg) || i > len(s)+80 || s == "statement" && i != len(s) {
			return "", "", false
		}
		return msg[i+2:], s, true
	}
	return "", "", false
}
