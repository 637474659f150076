package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// headParser reads text lines of the shape that nearly all loggers share: a time, then level, thread, process and
// logger in any order and in any brackets, then the message. It reads the default and usual patterns of log4j,
// logback, Spring Boot, java.util.logging, Python's logging, loguru, gunicorn, Celery, Airflow, ZooKeeper, Spark,
// supervisord, RabbitMQ, env_logger, tracing, Serilog, zerolog's console, PHP-FPM and Go's log.
type headParser struct {
	stamp stampCache
	plain ansi

	// What a named format asks for.
	needLevel, needLogger bool

	near  bool // the time may stand behind up to nearWords other words
	colon bool // the pattern of the file is "name: message", see learn
}

// nearWords is how many words may stand before the time: file names (OpenStack's), facilities and nodes (Blue Gene's).
const nearWords = 5

// textHead is how far the reading of one line got.
type textHead struct {
	r      *Record
	b      []byte // what is left
	time   bool
	level  bool
	thread bool
	pid    bool
	marked bool // Spring Boot's "---" was seen
	colon  bool // any word with a colon behind the level is a logger
	done   bool // the separator before the message was read
	inside bool // within the bracket that began with the time
}

// maxHead bounds how many parts a head may have; patterns in use have at most seven.
const maxHead = 10

func newHead(needLevel, needLogger bool) func([]byte) lineParser {
	return func(sample []byte) lineParser {
		p := &headParser{needLevel: needLevel, needLogger: needLogger, near: !needLogger}
		p.learn(sample)
		return p
	}
}

// learn decides whether a capital word with a colon behind the level is a logger ("Remoting: Starting") or the start of a
// sentence ("Warning: disk is full"). A pattern is the same on all lines: where three in four lines have a name and
// a colon there, all have.
func (p *headParser) learn(sample []byte) {
	level, colon := 0, 0
	var r Record
	for n := 0; n < 100 && len(sample) > 0; n++ {
		var line []byte
		line, sample = cutLine(sample)
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		r.Reset()
		h := textHead{r: &r, b: trimEnd(line)}
		if !p.begin(&h) {
			continue
		}
		for i := 0; i < maxHead && h.part(); i++ {
		}
		if h.level {
			level++
			if r.Logger != "" && h.done {
				colon++
			}
		}
	}
	p.colon = level >= 8 && colon*4 >= level*3
}

func (p *headParser) parse(line []byte, r *Record) bool {
	line = p.plain.strip(line)
	h := textHead{r: r, b: line, colon: p.colon}
	if !p.begin(&h) {
		return false
	}
	for i := 0; i < maxHead && !h.done && h.part(); i++ {
	}
	if p.needLevel && !h.level || p.needLogger && r.Logger == "" {
		return false
	}
	r.Message = str(h.b)
	messageRequest(r)
	signIn(r)
	return true
}

// begin reads the time, which may stand in a bracket or behind a level.
func (p *headParser) begin(h *textHead) bool {
	if p.time(h) {
		return true
	}
	if len(h.b) == 0 || h.b[0] == ' ' || h.b[0] == '\t' || h.b[0] == '{' {
		return false
	}
	save := *h
	for i := 0; i < 3 && h.part() && h.level; i++ {
		for len(h.b) > 0 && (h.b[0] == ' ' || h.b[0] == ':' || h.b[0] == ',') {
			h.b = h.b[1:]
		}
		if p.time(h) {
			return true
		}
	}
	h.r.Fields = h.r.Fields[:0]
	h.r.Level = inquest.LevelUnknown
	*h = save
	return p.near && p.nearTime(h)
}

// nearTime looks for the time behind the first words of the line; what stands before it is kept as prefix.
func (p *headParser) nearTime(h *textHead) bool {
	if h.b[0] == '#' { // a comment
		return false
	}
	save := *h
	rest := h.b[:min(len(h.b), 160)]
	for range nearWords {
		_, rest = cutToken(rest)
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 {
			break
		}
		at := len(save.b[:min(len(save.b), 160)]) - len(rest)
		h.b = save.b[at:]
		if (isDigit(rest[0]) || rest[0] == '[' && len(rest) > 1 && isDigit(rest[1])) && p.time(h) && h.r.Clock != ClockNone {
			h.r.Add("prefix", str(bytes.TrimRight(save.b[:at], " \t")))
			return true
		}
	}
	h.r.Time, h.r.Clock, h.r.Fields = 0, ClockNone, h.r.Fields[:0]
	*h = save
	return false
}

// time reads a time at the start of h.b.
func (p *headParser) time(h *textHead) bool {
	b := h.b
	open := len(b) > 0 && (b[0] == '[' || b[0] == '(' || b[0] == '<')
	if open {
		b = b[1:]
	}
	ns, n, c := p.stamp.parse(b)
	if n == 0 || n < len(b) && isWord(b[n]) {
		return false
	}
	if c == ClockNone { // a time of day without a date: it orders nothing, but the line is a log line
		h.r.Add("time_of_day", str(b[:n]))
	}
	h.r.Time, h.r.Clock, h.time = ns, c, true
	if open {
		h.inside = true
		h.b = b[n:]
		h.closeTime()
		return true
	}
	h.b = b[n:]
	return true
}

// closeTime ends the bracket of the time, if it ends here.
func (h *textHead) closeTime() {
	if len(h.b) > 0 && (h.b[0] == ']' || h.b[0] == ')' || h.b[0] == '>') {
		h.b, h.inside = h.b[1:], false
	}
}

// part reads one more part of the head. It returns false when the message begins, which is then h.b.
func (h *textHead) part() bool {
	b := h.b
	i := 0
	for i < len(b) {
		c := b[i]
		if c == ' ' || c == '\t' || (c == '|' || c == ',' || c == '/' && h.inside) && h.time {
			i++
			continue
		}
		if c == '-' || c == ':' {
			k := i
			for k < len(b) && b[k] == c {
				k++
			}
			if k == len(b) || b[k] == ' ' || b[k] == '\t' || b[k] == '[' {
				h.marked = h.marked || k-i == 3
				i = k
				continue
			}
		}
		break
	}
	b = b[i:]
	if len(b) == 0 {
		h.b = b
		return false
	}
	h.b = b
	if h.inside && b[0] == ']' {
		h.b, h.inside = b[1:], false
		return true
	}
	switch b[0] {
	case '[', '(', '{', '<':
		return h.group()
	}
	return h.word()
}

var closing = [...]byte{'[': ']', '(': ')', '{': '}', '<': '>'}

// maxGroup is the longest thread or logger name in brackets that is believed.
const maxGroup = 400

// group reads a part in brackets.
func (h *textHead) group() bool {
	b := h.b
	end := bytes.IndexByte(b[:min(len(b), maxGroup)], closing[b[0]])
	if end < 1 {
		return false
	}
	in := bytes.TrimSpace(b[1:end])
	rest := b[end+1:]
	if len(rest) > 0 && isWord(rest[0]) { // {id}/path, <tag>text: part of a sentence
		return false
	}
	switch {
	case len(in) == 0:
		h.b = rest
		return true
	case !h.level && logLevelOf(in) != inquest.LevelUnknown:
		h.level = setLevel(h.r, in)
	case !h.time && !h.level || bytes.Count(in, dot) == 3 && bytes.Contains(rest, []byte("HTTP/")):
		return false
	case b[0] == '{' && bytes.IndexByte(in, '"') >= 0:
		return false // JSON
	case !h.pid && isPid(in):
		h.pid = true
		addNum(h.r, "pid", bytes.TrimLeft(in, "#"))
	case bytes.IndexByte(in, ' ') >= 0 && !h.loggerFollows(rest):
		return false
	default:
		h.named(b[0], in)
	}
	h.b = rest
	return true
}

// named files the text of a bracket that is neither a level nor a number.
func (h *textHead) named(open byte, in []byte) {
	r := h.r
	if i := bytes.IndexByte(in, ','); h.marked && i > 0 { // Spring: [app,trace,span]
		r.Service = str(in[:i])
		if k := bytes.IndexByte(in[i+1:], ','); k >= 0 {
			r.TraceID, r.SpanID = str(in[i+1:i+1+k]), str(bytes.TrimSpace(in[i+1+k+1:]))
		}
		return
	}
	switch {
	case isCaller(in):
		r.Add("caller", str(in))
	case bytes.HasPrefix(in, []byte("myid:")):
		r.Add("myid", str(in[5:]))
	case h.thread && h.marked:
		// Spring Boot 3: [application] [thread]
		r.Service = r.Get("thread")
		for i := range r.Fields {
			if r.Fields[i].Name == "thread" {
				r.Fields[i].Value = str(in)
			}
		}
	case h.thread, loggerLine(in):
		if r.Logger == "" {
			r.Logger = str(in)
		}
	default:
		if at := bytes.LastIndexByte(in, '@'); at > 0 && allDigits(in[at+1:]) { // ZooKeeper: thread:Class@line
			if colon := bytes.LastIndexByte(in[:at], ':'); colon > 0 {
				r.Logger = str(in[colon+1 : at])
				in = in[:colon]
			}
		}
		h.thread = true
		r.Add("thread", str(in))
	}
}

// loggerFollows reports whether a level or a logger comes next: then what is before it belongs to the head.
func (h *textHead) loggerFollows(b []byte) bool {
	tok, rest := cutToken(b)
	if n := len(tok); n > 2 && tok[n-1] == ':' && bytes.IndexByte(tok[:n-1], '.') > 0 { // com.acme.Cart: message
		return true
	}
	tok = bytes.Trim(tok, "[]:|")
	if len(tok) == 0 {
		return false
	}
	return logLevelOf(tok) != inquest.LevelUnknown || separated(rest) > 0
}

// isPid reports whether b is a process number as written in brackets: 123, #123, 123:456.
func isPid(b []byte) bool {
	b = bytes.TrimLeft(b, "#")
	return len(b) < 11 && allDigits(b)
}

// isCaller reports whether b is file.ext:line.
func isCaller(b []byte) bool {
	i := bytes.LastIndexByte(b, ':')
	if i < 3 || !allDigits(b[i+1:]) {
		return false
	}
	k := bytes.LastIndexByte(b[:i], '.')
	return k > 0 && i-k <= 6 && bytes.IndexByte(b, ' ') < 0
}

// loggerLine reports whether b is a dotted logger with the line of the call, as in Django's "[django.request:222]".
func loggerLine(b []byte) bool {
	i := bytes.LastIndexByte(b, ':')
	return i > 2 && allDigits(b[i+1:]) && isDotted(b[:i])
}

// word reads a part without brackets: level, process number, logger, caller.
func (h *textHead) word() bool {
	b := h.b
	n := 0
	for n < len(b) && b[n] != ' ' && b[n] != '\t' && b[n] != '|' && !(h.inside && (b[n] == ']' || b[n] == '/')) {
		n++
	}
	tok := b[:n]
	if !h.level {
		w := bytes.TrimRight(tok, ":,-")
		i := bytes.IndexByte(w, ':')
		if i > 0 {
			w = w[:i]
		}
		if logLevelOf(w) != inquest.LevelUnknown {
			h.level = setLevel(h.r, w)
			h.b = b[len(w):]
			if i > 0 && h.time {
				h.basicConfig()
			}
			return true
		}
	}
	if !h.time || len(tok) > maxGroup {
		return false
	}
	switch {
	case !h.pid && len(tok) < 9 && allDigits(tok) && h.pidFollowed(b[n:]):
		h.pid = true
		addNum(h.r, "pid", tok)
	case isCaller(bytes.TrimRight(tok, ":")) && tok[0] != '/':
		h.r.Add("caller", str(bytes.TrimRight(tok, ":")))
	case h.inside && h.level && n < len(b) && b[n] == ']': // env_logger's module, Celery's process
		if bytes.IndexByte(tok, '.') > 0 || bytes.Contains(tok, []byte("::")) {
			h.r.Logger = str(tok)
		} else {
			h.r.Add("thread", str(tok))
		}
	case h.r.Logger == "" && h.isLogger(tok, b[n:]):
		h.r.Logger = str(bytes.TrimRight(tok, ":"))
		h.b = b[n:]
		if h.level && !h.inside {
			// The message begins behind the separator and one blank; what else stands there belongs to it.
			h.done = true
			h.b = bytes.TrimPrefix(h.b[separated(h.b):], []byte{' '})
		}
		return true
	default:
		return false
	}
	h.b = b[n:]
	return true
}

// basicConfig reads the logger of Python's short form LEVEL:logger:message.
func (h *textHead) basicConfig() {
	n := 1
	for n < len(h.b) && (isWord(h.b[n]) || h.b[n] == '.') {
		n++
	}
	if n > 1 && n < len(h.b) && h.b[n] == ':' && h.r.Logger == "" {
		h.r.Logger, h.b, h.done = str(h.b[1:n]), h.b[n+1:], true
	}
}

// pidFollowed reports whether a bare number is a process number: a level, a bracket or Spring's "---" comes next.
func (h *textHead) pidFollowed(b []byte) bool {
	tok, _ := cutToken(b)
	if len(tok) == 0 {
		return false
	}
	return tok[0] == '[' || string(tok) == "---" || (!h.level && logLevelOf(bytes.Trim(tok, "[]:")) != inquest.LevelUnknown)
}

// separated returns the length of a separator between logger and message at the start of b: " - ", " : ", " | ", " -- ".
func separated(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	k := i
	for k < len(b) && (b[k] == '-' || b[k] == ':' || b[k] == '|') {
		k++
	}
	if i == 0 || k == i || k < len(b) && b[k] != ' ' {
		return 0
	}
	return k
}

// isLogger reports whether tok, followed by rest, names a logger. A name ends with ": " or is set off by " - " or " : ".
// Many messages begin with a word and a colon, so the colon form must look like a name.
func (h *textHead) isLogger(tok, rest []byte) bool {
	name := bytes.TrimRight(tok, ":")
	if len(name) < 2 || !isAlpha(name[0]) && name[0] != '_' {
		return false
	}
	for _, c := range name {
		if !isWord(c) && c != '.' && c != '$' && c != '-' && c != ':' && c != '/' && c != '@' && c != '#' && c != '<' && c != '>' && c != '{' && c != '}' && c != '=' {
			return false
		}
	}
	if len(name) == len(tok) {
		k := separated(rest)
		return k > 0 && (h.level || h.loggerFollows(rest[k:]))
	}
	if !h.level && (bytes.Count(name, dot) < 2 || !isDotted(name)) || bytes.HasSuffix(name, []byte("Error")) || bytes.HasSuffix(name, []byte("Exception")) {
		return false
	}
	return h.thread || h.colon || bytes.IndexByte(name, '.') > 0 || bytes.Contains(name, []byte("::")) || isIdentifier(name)
}

// isIdentifier reports whether name is written like an identifier (snake_case, CamelCase) and not like a word.
func isIdentifier(name []byte) bool {
	if bytes.IndexByte(name, '_') >= 0 {
		return true
	}
	lower, humps := false, 0
	for _, c := range name {
		if c >= 'a' && c <= 'z' {
			lower = true
		} else if c >= 'A' && c <= 'Z' && lower {
			humps++
		}
	}
	return humps > 0
}

// ansi takes terminal colours out of lines. Its arena is never rewound, because records point into it.
type ansi struct{ buf []byte }

func (a *ansi) strip(line []byte) []byte {
	i := bytes.IndexByte(line, 0x1b)
	if i < 0 {
		return line
	}
	if cap(a.buf)-len(a.buf) < len(line) {
		a.buf = make([]byte, 0, max(8<<10, len(line)))
	}
	from := len(a.buf)
	a.buf = append(a.buf, line[:i]...)
	for i < len(line) {
		if line[i] != 0x1b {
			a.buf = append(a.buf, line[i])
			i++
			continue
		}
		i++
		if i < len(line) && line[i] == '[' {
			for i++; i < len(line) && (line[i] < '@' || line[i] > '~'); i++ {
			}
		}
		i++
	}
	return a.buf[from:]
}
