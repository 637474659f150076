package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// juli reads java.util.logging: Tomcat's one-line format (`20-Nov-2026 16:40:38.451 INFO [main]
// org.apache.catalina.startup.Catalina.start message`) and the two-line one (`Nov 20, 2026 4:40:38 PM
// org.example.Class method`, then `INFO: message`).
type juli struct{ stamp stampCache }

func newJULI([]byte) lineParser { return &juli{} }

func (p *juli) parse(line []byte, r *Record) bool {
	ns, n, c := p.stamp.parse(line)
	if n == 0 || c == ClockNone || n+8 > len(line) || line[n] != ' ' {
		return false
	}
	first, rest := cutToken(line[n:])
	if isAlpha(line[0]) {
		method, more := cutToken(rest)
		if !isDotted(first) || len(method) == 0 || len(bytes.TrimSpace(more)) > 0 {
			return false
		}
		r.Time, r.Clock, r.Logger = ns, c, str(first)
		return true
	}
	if line[2] != '-' || !isAlpha(line[3]) {
		return false
	}
	rest = bytes.TrimLeft(rest, " ")
	if julLevel(first) == inquest.LevelUnknown || len(rest) == 0 || rest[0] != '[' {
		return false
	}
	thread, rest := bracket(rest)
	class, msg := cutToken(rest)
	if !isDotted(class) || len(msg) == 0 {
		return false
	}
	setLevel(r, first)
	r.Time, r.Clock = ns, c
	r.Add("thread", str(thread))
	if i := bytes.LastIndexByte(class, '.'); i > 0 { // the last part is the method
		r.Logger = str(class[:i])
		r.Add("method_name", str(class[i+1:]))
	}
	r.Message = str(msg[1:])
	return true
}

// finish reads the second line of the two-line format.
func (p *juli) finish(r *Record) {
	if r.Level != inquest.LevelUnknown || len(r.Message) < 2 || r.Message[0] != '\n' {
		return
	}
	b := []byte(r.Message[1:])
	i := bytes.IndexByte(b, ':')
	if i < 0 || !setLevel(r, b[:i]) {
		return
	}
	r.Message = string(bytes.TrimPrefix(b[i+1:], []byte{' '}))
}

// julLevel knows the levels of java.util.logging only.
func julLevel(b []byte) inquest.Level {
	switch string(b) {
	case "SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST":
		return levelOf(b)
	}
	return inquest.LevelUnknown
}

// isDotted reports whether b is a qualified Java name.
func isDotted(b []byte) bool {
	dots := 0
	for _, c := range b {
		if c == '.' {
			dots++
		} else if !isWord(c) && c != '$' && c != '<' && c != '>' && c != '-' {
			return false
		}
	}
	return dots > 0 && isAlpha(b[0]) && b[len(b)-1] != '.'
}
