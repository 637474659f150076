package parse

import (
	"bytes"
)

// clf reads the common log format and what grew from it: nginx and Apache common and combined, with or without virtual
// host in front, with timings and upstreams behind, Tomcat's and Traefik's access log, ingress-nginx.
//
//	[vhost[:port]] addr[, addr] ident user [time] "request" status bytes ["referrer" "agent" [tail]]
//
// Sources: nginx ngx_http_log_module, Apache mod_log_config, Tomcat AccessLogValve, ingress-nginx log-format-upstream,
// Traefik's common log format. What stands in the tail is learnt from the sample, see clf_tail.go.
type clf struct {
	all  bool
	tail tail

	last      [32]byte // text of the time stamp read last: thousands of lines share one
	lastLen   int
	lastTime  int64
	lastClock Clock
}

func newCLF(sample []byte) lineParser {
	p := &clf{}
	p.tail.learn(sample, p.beforeTail)
	return p
}

// newIngress and newTraefik are clf for files of which every line has the tail of that proxy, so that coverage names it.
func newIngress([]byte) lineParser { return &clf{tail: tail{fixed: ingressTail}} }
func newTraefik([]byte) lineParser { return &clf{tail: tail{fixed: traefikTail}} }

func (p *clf) allFields(all bool) { p.all = all }

func (p *clf) parse(line []byte, r *Record) bool {
	rest, proto, ok := p.head(line, r)
	if !ok {
		return false
	}
	full := p.all || r.Status >= 500
	if full {
		addProtocol(r, proto)
	}
	if full {
		rest = agentPart(rest, r, full)
	} else {
		rest = skipAgent(rest, r)
	}
	if p.tail.fixed != nil {
		return p.tail.fixed(rest, r)
	}
	p.tail.parse(rest, r, full)
	return true
}

// beforeTail returns the tail of a line, for learning.
func (p *clf) beforeTail(line []byte) ([]byte, bool) {
	var r Record
	rest, _, ok := p.head(line, &r)
	if !ok {
		return nil, false
	}
	return agentPart(rest, &r, false), true
}

// head reads up to and including the byte count; rest is what follows it, from the blank on.
func (p *clf) head(line []byte, r *Record) (rest, proto []byte, ok bool) {
	i := bytes.IndexByte(line, '[')
	if i < 2 || line[i-1] != ' ' || line[0] == ' ' {
		return nil, nil, false
	}
	// "02/Jan/2006:15:04:05 -0700" is what all but a few write.
	k := i + 27
	if k >= len(line) || line[k] != ']' {
		if k = bytes.IndexByte(line[i:], ']'); k < 0 {
			return nil, nil, false
		}
		k += i
	}
	if !p.time(line[i+1:k], r) {
		return nil, nil, false
	}
	// API Gateway's common log format has no blank here.
	rest = line[k+1:]
	if len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	if len(rest) < 3 || rest[0] != '"' {
		return nil, nil, false
	}
	rest = rest[1:]
	end := quoteEnd(rest)
	if end < 0 {
		return nil, nil, false
	}
	request := rest[:end]
	rest, ok = statusBytes(rest[end+1:], r)
	if !ok {
		return nil, nil, false
	}
	r.Kind = KindAccess
	proto = splitRequest(request, r)
	p.client(line[:i-1], r)
	return rest, proto, true
}

// time reads the time stamp, from memory if it is the one of the line before.
func (p *clf) time(t []byte, r *Record) bool {
	if len(t) == 0 || len(t) != p.lastLen || string(t) != string(p.last[:p.lastLen]) {
		ns, n, c := parseCLF(t)
		if n != len(t) || n == 0 {
			// IIS-like and custom formats put ISO 8601 into the brackets ($time_iso8601).
			if ns, n, c = parseISO(t); n != len(t) || n == 0 {
				return false
			}
		}
		if len(t) <= len(p.last) {
			p.lastLen = copy(p.last[:], t)
			p.lastTime, p.lastClock = ns, c
		}
		r.Time, r.Clock = ns, c
		return true
	}
	r.Time, r.Clock = p.lastTime, p.lastClock
	return true
}

// quoteEnd returns the index of the quote that ends a quoted part, whose first quote was taken off. Servers escape
// quotes inside with a backslash (or as \x22).
func quoteEnd(p []byte) int {
	i := bytes.IndexByte(p, '"')
	if i > 0 && p[i-1] == '\\' {
		return quotedEnd(p)
	}
	return i
}

// splitRequest splits "GET /path HTTP/1.1" and returns the protocol. What is no request (a TLS hello sent to a plain
// port) becomes the field request.
func splitRequest(q []byte, r *Record) (proto []byte) {
	i := 0
	for i < len(q) && i < 24 && (q[i]|0x20)-'a' < 26 {
		i++
	}
	if i < 3 || i+1 >= len(q) || q[i] != ' ' {
		if len(q) > 0 && string(q) != "-" && string(q) != "- - -" {
			r.Add("request", str(q))
		}
		return nil
	}
	r.Method = str(q[:i])
	url := q[i+1:]
	switch n := len(url); {
	case n > 9 && string(url[n-9:n-3]) == " HTTP/":
		url, proto = url[:n-9], url[n-8:]
	case n > 7 && string(url[n-7:n-1]) == " HTTP/":
		url, proto = url[:n-7], url[n-6:]
	}
	r.URL = str(url)
	return proto
}

// addProtocol adds protocol; http_version is made of it on output.
func addProtocol(r *Record, proto []byte) { r.Add("protocol", str(proto)) }

// statusBytes reads ` 200 612`; Traefik writes `- -` for a client that went away.
func statusBytes(p []byte, r *Record) ([]byte, bool) {
	if len(p) < 4 || p[0] != ' ' {
		return nil, false
	}
	if p[1] == '-' {
		p = p[2:]
	} else {
		a, b, c := p[1]-'0', p[2]-'0', p[3]-'0'
		if a > 9 || b > 9 || c > 9 {
			return nil, false
		}
		r.Status = int(a)*100 + int(b)*10 + int(c)
		p = p[4:]
	}
	if len(p) < 2 || p[0] != ' ' {
		return nil, false
	}
	p = p[1:]
	i, n := 0, int64(0)
	for i < len(p) && i < 18 && p[i]-'0' <= 9 {
		n = n*10 + int64(p[i]-'0')
		i++
	}
	if i == 0 {
		if p[0] != '-' {
			return nil, false
		}
		return p[1:], true
	}
	r.Bytes = n
	if i < len(p) && p[i] != ' ' {
		return nil, false
	}
	return p[i:], true
}

// agentPart skips ` "referrer" "agent"` if they are there; an unquoted dash stands for either.
func agentPart(p []byte, r *Record, full bool) []byte {
	for _, name := range [...]string{"referrer", "user_agent"} {
		if len(p) < 2 || p[0] != ' ' {
			return p
		}
		switch {
		case p[1] == '"':
			q := p[2:]
			end := quoteEnd(q)
			if end < 0 {
				return nil
			}
			if full && end > 0 && (end > 1 || q[0] != '-') {
				r.Add(name, str(q[:end]))
			}
			p = q[end+1:]
		case p[1] == '-' && (len(p) == 2 || p[2] == ' '):
			p = p[2:]
		default:
			return p
		}
	}
	return p
}

// skipAgent is agentPart for the many lines of which nobody wants to know.
func skipAgent(p []byte, r *Record) []byte {
	if len(p) > 4 && p[1] == '"' {
		q := p[2:]
		i := 1 // most referrers are a dash
		if q[0] != '-' || q[1] != '"' {
			i = bytes.IndexByte(q, '"')
		}
		if i >= 0 && i+3 < len(q) && q[i+2] == '"' && (i == 0 || q[i-1] != '\\') {
			q = q[i+3:]
			if i = bytes.IndexByte(q, '"'); i >= 0 && (i == 0 || q[i-1] != '\\') {
				return q[i+1:]
			}
		}
	}
	return agentPart(p, r, false)
}

// client reads what stands before the time: `addr ident user`, with virtual host and further addresses before it.
func (p *clf) client(h []byte, r *Record) {
	n := bytes.IndexByte(h, ' ')
	if n < 0 {
		r.ClientAddr = str(h)
		return
	}
	// Nearly every line: one address, no identity, no user.
	if string(h[n:]) == " - -" && h[0] != '"' && h[n-1] != ',' {
		r.ClientAddr = str(h[:n])
		if p.all {
			r.Add("remote_addrs", r.ClientAddr)
		}
		return
	}
	addrs, user := splitUser(h)
	if p.all && string(user) != "-" && string(user) != `""` {
		r.Add("user", str(bytes.Trim(user, `"`)))
	}
	p.addresses(addrs, r)
}

// splitUser takes ident and user off the end: the ident is a dash nearly always, so a user name may hold blanks.
func splitUser(h []byte) (addrs, user []byte) {
	if i := bytes.LastIndex(h, []byte(" - ")); i > 0 {
		return h[:i], h[i+3:]
	}
	i := bytes.LastIndexByte(h, ' ')
	if i < 0 {
		return h, nil
	}
	if string(h[i+1:]) == "-" && bytes.IndexByte(h[:i], ' ') < 0 {
		return h[:i], nil
	}
	k := bytes.LastIndexByte(h[:i], ' ')
	if k < 0 {
		return h[:i], h[i+1:]
	}
	return h[:k], h[i+1:]
}

// addresses reads `[vhost[:port] ]addr[, addr][ addr]`. The first of several addresses is the client's, as in
// X-Forwarded-For. A first word without a comma behind it is the virtual host.
func (p *clf) addresses(a []byte, r *Record) {
	i := bytes.IndexByte(a, ' ')
	if i > 0 && a[0] != '"' && a[i-1] != ',' && !(looksLikeIP(a[:i]) && looksLikeIP(a[i+1:])) {
		addHost(r, a[:i])
		a = a[i+1:]
	}
	first := bytes.TrimLeft(a, `"`)
	if k := bytes.IndexAny(first, `, "`); k > 0 {
		first = first[:k]
	}
	r.ClientAddr = str(first)
	if p.all && string(first) != "unix:" {
		r.Add("remote_addrs", str(a))
	}
}

// looksLikeIP reports whether p is one IP address, without a port.
func looksLikeIP(p []byte) bool {
	dots, colons := 0, 0
	for _, c := range p {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c-'0' > 9 && (c|0x20)-'a' > 5:
			return false
		}
	}
	return dots == 3 && colons == 0 || colons > 1
}

// addHost adds host and server_port of "example.com:443".
func addHost(r *Record, h []byte) {
	if i := bytes.LastIndexByte(h, ':'); i > 0 && bytes.IndexByte(h[:i], ':') < 0 {
		r.Add("server_port", str(h[i+1:]))
		h = h[:i]
	}
	if len(h) > 0 && string(h) != "-" {
		r.Add("host", str(h))
	}
}
