package parse

import "bytes"

// haproxyNotes reads what HAProxy writes to stderr about itself and its servers:
// `[WARNING]  (8) : Server web/s1 is DOWN, reason: Layer4 connection problem, ...` and, before 2.3,
// `[ALERT] 323/161203 (8) : ...` (day of the year and time of day, without a year).
type haproxyNotes struct{}

func newHAProxyNotes([]byte) lineParser { return haproxyNotes{} }

func (haproxyNotes) parse(line []byte, r *Record) bool {
	level, b := bracket(line)
	if len(level) == 0 || len(b) < 8 {
		return false
	}
	b = bytes.TrimLeft(b, " ")
	if len(b) > 10 && isDigit(b[0]) && b[3] == '/' {
		r.Add("time_of_day", str(b[:10]))
		b = bytes.TrimLeft(b[10:], " ")
	}
	if b[0] != '(' {
		r.Reset()
		return false
	}
	pid, k := digitsAt(b, 1)
	if k == 0 || !bytes.HasPrefix(b[1+k:], []byte(") : ")) || !setLevel(r, level) {
		r.Reset()
		return false
	}
	addNum(r, "pid", pid)
	r.Add("program", "haproxy")
	msg := b[1+k+4:]
	r.Message = str(msg)
	haproxyMessage(msg, r)
	return true
}

// haproxyMessage reads `Server backend/server is DOWN, reason: ...`, `backend x has no server available!`.
func haproxyMessage(msg []byte, r *Record) {
	word, rest := cutToken(msg)
	name, rest := cutToken(rest)
	switch string(word) {
	case "Server", "Backup", "Health":
		i := bytes.IndexByte(name, '/')
		if i <= 0 {
			return
		}
		r.Add("backend", str(name[:i]))
		r.Add("server", str(name[i+1:]))
		if bytes.HasPrefix(rest, []byte(" is DOWN")) {
			r.Level = levelOf([]byte("error"))
		}
		if k := bytes.Index(rest, []byte("reason: ")); k >= 0 {
			v := rest[k+8:]
			if end := bytes.IndexByte(v, ','); end >= 0 {
				v = v[:end]
			}
			r.Add("reason", str(v))
		}
	case "backend", "proxy":
		if bytes.Contains(rest, []byte("no server available")) {
			r.Add("backend", str(bytes.Trim(name, "'")))
			r.Level = levelOf([]byte("error"))
		}
	}
}
