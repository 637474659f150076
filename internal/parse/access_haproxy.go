package parse

import (
	"bytes"
	"time"
)

// haproxy reads HAProxy's httplog, httpslog and tcplog, bare or behind a syslog header, and "Connect from" lines:
//
//	addr:port [accept] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cc cs state a/f/b/s/r sq/bq {..} {..} "request"
//	addr:port [accept] frontend backend/server Tw/Tc/Tt bytes state a/f/b/s/r sq/bq
//
// Source: HAProxy configuration manual, section 8.2. Durations are milliseconds, -1 for a phase that was not reached.
type haproxy struct {
	t [12]token
}

func newHAProxy([]byte) lineParser { return &haproxy{} }

func (p *haproxy) parse(line []byte, r *Record) bool {
	head, body := haproxyBody(line)
	if i := bytes.Index(body, []byte("Connect from ")); i == 0 {
		return p.connect(head, body[i+len("Connect from "):], r)
	}
	n, rest := tokens(body, p.t[:6])
	if n < 6 || p.t[1].quote != '[' {
		return false
	}
	addr, port := hostOf(p.t[0].text)
	slash := bytes.IndexByte(p.t[3].text, '/')
	if len(port) == 0 || slash < 0 {
		return false
	}
	ns, k, c := parseCLF(p.t[1].text)
	if k == 0 || k != len(p.t[1].text) {
		return false
	}
	var timers [6]int64
	nt := slashInts(p.t[4].text, timers[:])
	if nt < 3 || !p.result(nt, timers[:nt], rest, r) {
		return false
	}
	r.Kind, r.Time, r.Clock = KindAccess, ns, c
	r.ClientAddr = str(addr)
	r.AddNum("remote_port", str(port))
	r.Add("accept_date", str(p.t[1].text))
	r.Add("frontend", str(p.t[2].text))
	r.Add("backend", str(p.t[3].text[:slash]))
	r.Add("server", str(p.t[3].text[slash+1:]))
	// <NOSRV> stays: no server was left, and of which backend matters.
	if s := p.t[3].text[slash+1:]; len(s) > 0 && string(s) != "<STATS>" && !dash(s) {
		r.Upstream = str(p.t[3].text)
	}
	syslogHead(head, r, c)
	return true
}

// result reads what follows the timers. nt is their number: five for HTTP, three for TCP (four in HAProxy 1.x's
// HTTP, which lacked the last).
func (p *haproxy) result(nt int, timers []int64, rest []byte, r *Record) bool {
	http := nt >= 5
	if last := timers[nt-1]; last >= 0 {
		r.Duration = float64(last) / 1e3
	}
	first := p.t[5].text
	if http {
		status, ok := code3(bytes.TrimPrefix(first, []byte("-1")))
		if !ok && string(first) != "-1" {
			return false
		}
		r.Status = status
		r.AddNum("request_ms", signed(timers[0]))
		r.AddNum("queue_ms", signed(timers[1]))
		r.AddNum("connect_ms", signed(timers[2]))
		r.AddNum("response_ms", signed(timers[3]))
		if timers[3] >= 0 {
			r.UpstreamDuration = float64(timers[3]) / 1e3
		}
		return p.httpRest(rest, r)
	}
	n, ok := whole(first)
	if !ok {
		return false
	}
	r.Bytes = n
	r.AddNum("queue_ms", signed(timers[0]))
	r.AddNum("connect_ms", signed(timers[1]))
	k, _ := tokens(rest, p.t[6:9])
	if k < 3 {
		return false
	}
	return counters(p.t[6].text, p.t[7].text, p.t[8].text, r)
}

func (p *haproxy) httpRest(rest []byte, r *Record) bool {
	k, rest := tokens(rest, p.t[6:12])
	if k < 6 {
		return false
	}
	n, ok := whole(p.t[6].text)
	if !ok {
		return false
	}
	r.Bytes = n
	if !counters(p.t[9].text, p.t[10].text, p.t[11].text, r) {
		return false
	}
	// Captured headers hold blanks and quotes; the request is what follows them.
	rest = bytes.TrimLeft(rest, " ")
	for i := 0; len(rest) > 0 && rest[0] == '{' && i < 2; i++ {
		end := bytes.Index(rest, []byte("} "))
		if end < 0 {
			break
		}
		if end > 1 {
			r.Add([...]string{"request_headers", "response_headers"}[i], str(rest[1:end]))
		}
		rest = bytes.TrimLeft(rest[end+1:], " ")
	}
	if len(rest) < 2 || rest[0] != '"' {
		return true // cut by syslog's line limit
	}
	// HAProxy does not escape, so the last quote ends the request; a line cut off has none.
	q := rest[1:]
	if i := bytes.LastIndexByte(q, '"'); i >= 0 {
		q = q[:i]
	}
	if string(q) == "<BADREQ>" {
		r.Add("request", "<BADREQ>")
		return true
	}
	addProtocol(r, splitRequest(q, r))
	return true
}

// counters reads the termination state, `actconn/feconn/beconn/srv_conn/retries` and `srv_queue/backend_queue`.
func counters(state, conns, queues []byte, r *Record) bool {
	var c [5]int64
	var q [2]int64
	if len(state) < 2 || len(state) > 4 || slashInts(conns, c[:]) != 5 || slashInts(queues, q[:]) != 2 {
		return false
	}
	r.Add("termination_state", str(state))
	// "SD": the connection to the server died in the middle of the data; "sD": the server was silent for too long (HAProxy
	// configuration manual, 8.5). "CD" and "cD" are the client's.
	r.Broken = (state[0] == 'S' || state[0] == 's') && state[1] == 'D'
	for i, name := range [...]string{"active_connections", "frontend_connections", "backend_connections", "server_connections", "retries"} {
		r.AddNum(name, signed(c[i]))
	}
	r.AddNum("server_queue", signed(q[0]))
	r.AddNum("backend_queue", signed(q[1]))
	return true
}

// connect reads `1.2.3.4:40780 to 1.2.3.4:5000 (main/HTTP)`.
func (p *haproxy) connect(head, rest []byte, r *Record) bool {
	n, _ := tokens(rest, p.t[:4])
	if n < 4 || string(p.t[1].text) != "to" {
		return false
	}
	addr, port := hostOf(p.t[0].text)
	_, to := hostOf(p.t[2].text)
	who := bytes.Trim(p.t[3].text, "()")
	slash := bytes.IndexByte(who, '/')
	if slash < 0 || len(port) == 0 || len(to) == 0 {
		return false
	}
	r.Message = str(rest)
	r.ClientAddr = str(addr)
	r.AddNum("remote_port", str(port))
	r.AddNum("server_port", str(to))
	r.Add("frontend", str(who[:slash]))
	r.Add("mode", str(who[slash+1:]))
	if ns, n, c := parseTime(head); n > 0 {
		r.Time, r.Clock = ns, c
	}
	syslogHead(head, r, ClockUTC)
	return true
}

// haproxyBody splits off a syslog header, which ends with "name[pid]: ". Without one the line begins with the address.
func haproxyBody(line []byte) (head, body []byte) {
	// The accept date in brackets is unmistakable; the client before it begins the body, whatever program name and pid the
	// syslog header has (rsyslog, containers and log-tag change them).
	if i := bytes.IndexByte(line, '['); i >= 0 {
		for k := i; k >= 0 && k+8 < len(line); {
			if k > 1 && line[k-1] == ' ' && line[k+3] == '/' && line[k+7] == '/' {
				j := bytes.LastIndexByte(line[:k-1], ' ') + 1
				return bytes.TrimSuffix(bytes.TrimRight(line[:j], " "), []byte(":")), line[j:]
			}
			next := bytes.IndexByte(line[k+1:], '[')
			if next < 0 {
				break
			}
			k += 1 + next
		}
	}
	i := bytes.IndexByte(line, '[')
	if i < 1 || line[i-1] == ' ' {
		return nil, line
	}
	k := bytes.Index(line[i:], []byte("]: "))
	if k < 0 || k > 12 {
		return nil, line
	}
	return line[:i+k+1], line[i+k+3:]
}

// syslogHead adds hostname, program and pid of `Feb 25 16:19:38 host haproxy[7]`. HAProxy writes the accept date in
// local time; a header with a zone tells the offset.
func syslogHead(head []byte, r *Record, accept Clock) {
	if len(head) == 0 {
		return
	}
	if head[0] == '<' {
		if i := bytes.IndexByte(head, '>'); i > 0 && i < 6 {
			head = head[i+1:]
		}
	}
	ns, n, c := parseTime(head)
	if n > 0 {
		head = head[n:]
	}
	if c == ClockUTC && accept == ClockLocal {
		const quarter = int64(15 * time.Minute)
		off := r.Time - ns
		if off >= 0 {
			off = (off + quarter/2) / quarter * quarter
		} else {
			off = (off - quarter/2) / quarter * quarter
		}
		r.Time, r.Clock = r.Time-off, ClockUTC
	}
	open := bytes.LastIndexByte(head, '[')
	if open < 0 {
		return
	}
	r.AddNum("pid", str(bytes.TrimSuffix(head[open+1:], []byte{']'})))
	words := bytes.Fields(head[:open])
	if len(words) > 0 {
		r.Add("program", str(words[len(words)-1]))
	}
	if len(words) > 1 {
		r.Add("hostname", str(words[0]))
		r.Instance = str(words[0])
	}
}

// slashInts reads "0/-1/+7" and returns how many numbers there are, 0 if something else is there.
func slashInts(p []byte, into []int64) int {
	n := 0
	for n < len(into) {
		part, rest, more := bytes.Cut(p, []byte{'/'})
		v, ok := whole(part)
		if !ok {
			return 0
		}
		into[n] = v
		n++
		if !more {
			return n
		}
		p = rest
	}
	return 0
}

// signed formats a small number; the common ones without allocating.
func signed(v int64) string {
	const digits = "0123456789"
	switch {
	case v >= 0 && v < 10:
		return digits[v : v+1]
	case v == -1:
		return "-1"
	}
	return string(appendInt(nil, v))
}
