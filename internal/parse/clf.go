package parse

import (
	"bytes"
)

// clf reads the common log format and everything that grew from it: nginx and Apache combined, with or without virtual
// host in front, with timings and upstreams behind, Tomcat's access log.
//
//	[vhost[:port]] addr[, addr] ident user [time] "request" status bytes ["referrer" "agent" [tail]]
type clf struct {
	all       bool
	last      [32]byte // text of the time stamp read last: thousands of lines share one
	lastLen   int
	lastTime  int64
	lastClock Clock
}

func newCLF(sample []byte) lineParser { return &clf{} }

func (p *clf) allFields(all bool) { p.all = all }

func (p *clf) parse(line []byte, r *Record) bool {
	rest, ok := p.head(line, r)
	if !ok {
		return false
	}
	_ = rest
	return true
}

// head reads up to and including the byte count; rest is what follows it, from the blank on.
func (p *clf) head(line []byte, r *Record) (rest []byte, ok bool) {
	i := bytes.IndexByte(line, '[')
	if i < 2 || line[i-1] != ' ' {
		return nil, false
	}
	k := bytes.IndexByte(line[i:], ']')
	if k < 0 || !p.time(line[i+1:i+k], r) {
		return nil, false
	}
	rest = line[i+k+1:]
	if len(rest) < 3 || rest[0] != ' ' || rest[1] != '"' {
		return nil, false
	}
	rest = rest[2:]
	end := quoteEnd(rest)
	if end < 0 {
		return nil, false
	}
	p.request(rest[:end], r)
	rest, ok = statusBytes(rest[end+1:], r)
	if !ok {
		return nil, false
	}
	r.Kind = KindAccess
	r.ClientAddr = str(line[:i-1])
	if n := bytes.IndexByte(line[:i], ' '); n > 0 {
		r.ClientAddr = str(line[:n])
	}
	return rest, true
}

// time reads the time stamp, from memory if it is the one of the line before.
func (p *clf) time(t []byte, r *Record) bool {
	if len(t) != p.lastLen || string(t) != string(p.last[:p.lastLen]) {
		ns, c, ok := clfTime(t)
		if !ok || len(t) > len(p.last) {
			return false
		}
		p.lastLen = copy(p.last[:], t)
		p.lastTime, p.lastClock = ns, c
	}
	r.Time, r.Clock = p.lastTime, p.lastClock
	return true
}

// quoteEnd returns the index of the quote that ends a quoted part, whose first quote was taken off. Servers escape
// quotes inside with a backslash (or as \x22).
func quoteEnd(p []byte) int {
	i := bytes.IndexByte(p, '"')
	if i > 0 && p[i-1] == '\\' {
		return stringEnd(p)
	}
	return i
}

// request splits "GET /path HTTP/1.1". What is none (a TLS hello sent to a plain port) becomes the field request.
func (p *clf) request(q []byte, r *Record) {
	i := bytes.IndexByte(q, ' ')
	if i < 3 || i > 20 {
		p.oddRequest(q, r)
		return
	}
	for _, c := range q[:i] {
		if c < 'A' || c > 'Z' {
			p.oddRequest(q, r)
			return
		}
	}
	r.Method = str(q[:i])
	url := q[i+1:]
	if n := len(url); n > 9 && string(url[n-9:n-3]) == " HTTP/" {
		url = url[:n-9]
	}
	r.URL = str(url)
}

func (p *clf) oddRequest(q []byte, r *Record) {
	if len(q) > 0 && string(q) != "-" {
		r.Add("request", str(q))
	}
}

// statusBytes reads ` 200 612`.
func statusBytes(p []byte, r *Record) ([]byte, bool) {
	if len(p) < 5 || p[0] != ' ' {
		return nil, false
	}
	a, b, c := p[1]-'0', p[2]-'0', p[3]-'0'
	if a > 9 || b > 9 || c > 9 {
		return nil, false
	}
	r.Status = int(a)*100 + int(b)*10 + int(c)
	p = p[4:]
	if p[0] != ' ' {
		return nil, false
	}
	p = p[1:]
	i, n := 0, int64(0)
	for i < len(p) && p[i]-'0' <= 9 {
		n = n*10 + int64(p[i]-'0')
		i++
	}
	if i > 0 {
		r.Bytes = n
		return p[i:], true
	}
	if len(p) > 0 && p[0] == '-' {
		return p[1:], true
	}
	return nil, false
}
