package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// syslog reads lines of syslog daemons and of journalctl's short formats: RFC 3164 (`Nov 20 16:12:03 host
// program[pid]: message`), the same with an ISO time, RFC 5424, with or without <priority>.
type syslog struct {
	stamp stampCache
	json  lineParser
}

func newSyslog(sample []byte) lineParser {
	return &syslog{json: newJSON(&jsonVariant{name: "json"})(sample)}
}

func (p *syslog) parse(line []byte, r *Record) bool {
	b, severity := syslogPriority(line)
	if severity >= 0 && len(b) > 2 && isDigit(b[0]) && b[1] == ' ' {
		return p.rfc5424(b[2:], severity, r)
	}
	ns, n, c := p.stamp.parse(b)
	if n == 0 || c == ClockNone || n+4 > len(b) || b[n] != ' ' || (c != ClockNoYear && b[0]-'0' > 9 && severity < 0) {
		return false
	}
	host, rest := cutToken(b[n:])
	program, msg, ok := syslogTag(rest)
	if !ok || len(host) == 0 || !isHost(host) {
		return false
	}
	r.Time, r.Clock = ns, c
	r.Instance = str(host)
	r.Add("hostname", str(host))
	p.tag(program, r)
	p.message(msg, r)
	setSeverity(severity, r)
	return true
}

// syslogPriority reads <34> and returns the severity in it, -1 if there is none.
func syslogPriority(b []byte) ([]byte, int) {
	if len(b) < 5 || b[0] != '<' {
		return b, -1
	}
	v, k := leadingInt(b[1:], 3)
	if k == 0 || b[1+k] != '>' || v > 191 {
		return b, -1
	}
	return b[2+k:], v & 7
}

func setSeverity(severity int, r *Record) {
	if severity < 0 || r.Level != inquest.LevelUnknown {
		return
	}
	level, word := syslogLevel(severity)
	r.Level = level
	r.Add("level", word)
}

// isHost reports whether b can be a host name or address: no brackets, quotes or other marks of a log message, and no
// level word.
func isHost(b []byte) bool {
	colons := bytes.IndexByte(b, ':') >= 0
	for _, c := range b {
		if colons && c != ':' && c != '.' && !isDigit(c) && (c|0x20)-'a' > 5 { // only IPv6 addresses have colons
			return false
		}
		if !isWord(c) && c != '.' && c != '-' && c != ':' && c != '@' && c != '/' && c != '%' {
			return false
		}
	}
	return len(b) < 256 && b[len(b)-1] != ':' && levelOf(b) == inquest.LevelUnknown && !allDigits(b) && b[0] != '-'
}

// syslogTag splits `program[pid]: message`. Programs may have blanks in their names (macOS) but then end with a pid.
func syslogTag(b []byte) (program, msg []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	limit := min(len(b), 100)
	i := bytes.Index(b[:limit], []byte(": "))
	if i < 0 && limit == len(b) && limit > 0 && b[limit-1] == ':' {
		i = limit - 1
	}
	if i <= 0 {
		return nil, nil, false
	}
	program = b[:i]
	if bytes.IndexByte(program, ' ') >= 0 && program[len(program)-1] != ']' && program[len(program)-1] != ')' {
		return nil, nil, false
	}
	if c := program[0]; c == '[' || c == '"' || c == '{' || c == '-' {
		return nil, nil, false
	}
	return program, bytes.TrimPrefix(b[i+1:], []byte{' '}), true
}

// tag files program and pid: sshd[123], com.apple.xpc.launchd[1] (com.apple.x[99]), postfix/smtpd[12].
func (p *syslog) tag(tag []byte, r *Record) {
	// macOS's launchd names its job too: com.apple.xpc.launchd[1] (com.apple.quicklook[21498]). That is left whole.
	if len(tag) > 2 && !bytes.Contains(tag, []byte("] (")) && tag[len(tag)-1] == ']' {
		if i := bytes.LastIndexByte(tag, '['); i > 0 {
			if pid := tag[i+1 : len(tag)-1]; allDigits(pid) {
				addNum(r, "pid", pid)
				tag = tag[:i]
			}
		}
	}
	r.Add("program", str(tag))
}

// message reads what the program wrote, as far as it says more than text: JSON, kernel messages, a level.
func (p *syslog) message(msg []byte, r *Record) {
	if len(msg) > 1 && msg[0] == '{' {
		ns, c := r.Time, r.Clock
		if p.json.parse(msg, r) {
			if r.Clock == ClockNone {
				r.Time, r.Clock = ns, c
			}
			return
		}
	}
	r.Message = str(msg)
	if r.Get("program") == "kernel" {
		kernelMessage(msg, r)
		return
	}
	if r.Get("program") == "haproxy" {
		haproxyMessage(msg, r)
		return
	}
	word, _ := cutToken(msg)
	word = bytes.Trim(word, "[]:<>")
	if l := logLevelOf(word); l != inquest.LevelUnknown {
		r.Level = l
		r.Add("level", str(word))
	}
	messageRequest(r)
}

// rfc5424 reads `time host app procid msgid [data] message`.
func (p *syslog) rfc5424(b []byte, severity int, r *Record) bool {
	if len(b) > 1 && b[0] == '-' {
		b = b[1:]
	} else {
		ns, n, c := p.stamp.parse(b)
		if n == 0 || c == ClockNone {
			return false
		}
		r.Time, r.Clock = ns, c
		b = b[n:]
	}
	for i, name := range [...]string{"hostname", "program", "pid", "msgid"} {
		var v []byte
		if v, b = cutToken(b); len(v) == 0 {
			r.Reset()
			return false
		}
		if len(v) == 1 && v[0] == '-' {
			continue
		}
		if i == 0 {
			r.Instance = str(v)
		}
		addNum(r, name, v)
	}
	b = bytes.TrimLeft(b, " ")
	for len(b) > 0 && b[0] == '[' {
		end := structuredEnd(b)
		if end < 0 {
			break
		}
		r.Add("structured_data", str(b[:end]))
		b = b[end:]
	}
	b = bytes.TrimPrefix(b, []byte("-"))
	b = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte{' '}), bomUTF8Mark)
	p.message(b, r)
	setSeverity(severity, r)
	return true
}

var bomUTF8Mark = []byte("\xef\xbb\xbf")

// structuredEnd returns the end of [id key="value"]; quotes in values are escaped.
func structuredEnd(b []byte) int {
	quoted := false
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ']' && !quoted:
			return i + 1
		}
	}
	return -1
}
