package parse

import "bytes"

// litespeed reads the error log of LiteSpeed: `2026-06-08 22:49:20.774649 [NOTICE] [1226033] [1.2.3.4:45164:HTTP2-41#vhost]
// [STDERR] message`.
type litespeed struct{ stamp stampCache }

func newLiteSpeed([]byte) lineParser { return &litespeed{} }

func (p *litespeed) parse(line []byte, r *Record) bool {
	ns, n, c := p.stamp.parse(line)
	if n == 0 || c == ClockNone || n+4 > len(line) || line[n] != ' ' || line[n+1] != '[' {
		return false
	}
	level, b := bracket(line[n+1:])
	pid, b := bracket(b)
	if !allDigits(pid) || !isUpper(level) || !setLevel(r, level) {
		return false
	}
	r.Time, r.Clock = ns, c
	addNum(r, "pid", pid)
	conn, rest := bracket(b)
	if colon := bytes.IndexByte(conn, ':'); colon > 0 && bytes.Count(conn[:colon], dot) == 3 {
		r.ClientAddr = str(conn[:colon])
		port, _ := digitsAt(conn, colon+1)
		addNum(r, "remote_port", port)
		if i := bytes.IndexByte(conn, '#'); i > 0 {
			r.Add("server", str(conn[i+1:]))
		}
		b = rest
	} else if !bytes.HasPrefix(b, []byte("[")) && len(conn) == 0 {
		r.Reset()
		return false
	}
	r.Message = str(b)
	signIn(r)
	return true
}
