package parse

import "bytes"

// kafka reads Kafka's log4j layouts: `[time] LEVEL [component] message (logger)` of the default configuration and
// `[time] [LEVEL] [thread] [logger] - [component] message` of several distributions.
type kafka struct{ stamp stampCache }

func newKafka([]byte) lineParser { return &kafka{} }

func (p *kafka) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[0] != '[' {
		return false
	}
	ns, n, c := p.stamp.parse(line[1:])
	if n == 0 || c == ClockNone || n+3 >= len(line) || line[n+1] != ']' || line[n+2] != ' ' {
		return false
	}
	b := line[n+3:]
	ok := false
	if b[0] == '[' {
		b, ok = p.bracketed(b, r)
	} else {
		b, ok = p.plain(b, r)
	}
	if !ok {
		return false
	}
	if in, rest := bracket(bytes.TrimLeft(b, " ")); len(in) > 0 && len(in) < 200 {
		r.Add("component", str(in))
		b = bytes.TrimPrefix(rest, []byte(": "))
	} else {
		r.Add("component", "unknown") // the word of Filebeat's Kafka module for a line that names none
	}
	r.Time, r.Clock, r.Message = ns, c, str(b)
	return true
}

// plain reads `LEVEL message (logger)` and returns the message.
func (p *kafka) plain(b []byte, r *Record) ([]byte, bool) {
	level, rest := cutToken(b)
	t := bytes.TrimRight(rest, " ")
	if len(t) < 5 || t[len(t)-1] != ')' {
		return nil, false
	}
	open := bytes.LastIndexByte(t, '(')
	if open < 1 || t[open-1] != ' ' {
		return nil, false
	}
	logger := t[open+1 : len(t)-1]
	if bytes.IndexByte(logger, '.') < 0 || bytes.IndexByte(logger, ' ') >= 0 || !setLevel(r, level) {
		return nil, false
	}
	r.Logger = str(logger)
	return bytes.TrimLeft(t[:open-1], " "), true
}

// bracketed reads `[LEVEL] [thread] [logger] - message`.
func (p *kafka) bracketed(b []byte, r *Record) ([]byte, bool) {
	level, b := bracket(b)
	thread, b := bracket(b)
	logger, b := bracket(b)
	if len(thread) == 0 || len(logger) == 0 || !bytes.HasPrefix(b, []byte("- ")) || !setLevel(r, bytes.TrimSpace(level)) {
		r.Fields = r.Fields[:0]
		return nil, false
	}
	r.Add("thread", str(thread))
	r.Logger = str(logger)
	return b[2:], true
}
