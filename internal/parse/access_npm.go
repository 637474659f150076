package parse

import "bytes"

// npm reads the log formats of Nginx Proxy Manager:
//
//	[time] cache upstream_status status - METHOD scheme host "url" [Client a] [Length n] [Gzip g] [Sent-to s] "agent" "referrer"
//	[time] status - METHOD scheme host "url" [Client a] [Length n] [Gzip g] "agent" "referrer"
//
// Source: nginx-proxy-manager, docker/rootfs/etc/nginx/conf.d/include/log.conf.
type npm struct {
	clf clf // for its memory of time stamps
	t   [16]token
}

func newNPM([]byte) lineParser { return &npm{} }

func (p *npm) parse(line []byte, r *Record) bool {
	if len(line) < 40 || line[0] != '[' {
		return false
	}
	n, _ := tokens(line, p.t[:])
	t := p.t[:n]
	if n < 8 || !p.clf.time(t[0].text, r) {
		return false
	}
	// The dash before the method stands third or fifth.
	at := 0
	for _, i := range [...]int{2, 4} {
		if i+4 < n && string(t[i].text) == "-" && t[i+4].quote == '"' && requestMethod(t[i+1].text) {
			at = i
		}
	}
	if at == 0 {
		return false
	}
	status, ok := code3(t[at-1].text)
	if !ok {
		return false
	}
	r.Kind, r.Status = KindAccess, status
	if at == 4 {
		add(r, "cache_status", t[1].text)
		if !dash(t[2].text) {
			r.UpstreamStatus = str(t[2].text)
		}
	}
	r.Method, r.URL = str(t[at+1].text), str(t[at+4].text)
	add(r, "scheme", t[at+2].text)
	add(r, "host", t[at+3].text)
	p.rest(t[at+5:], r)
	return true
}

func (p *npm) rest(t []token, r *Record) {
	quoted := 0
	for _, v := range t {
		if v.quote == '"' {
			add(r, [...]string{"user_agent", "referrer", "extra"}[min(quoted, 2)], v.text)
			quoted++
			continue
		}
		name, val, ok := bytes.Cut(v.text, []byte{' '})
		if !ok || dash(val) {
			continue
		}
		switch string(name) {
		case "Client":
			r.ClientAddr = str(val)
		case "Length":
			if n, ok := whole(val); ok {
				r.Bytes = n
			}
		case "Sent-to":
			r.Upstream = str(val)
		}
	}
}

// timeFirst reads log formats that put the time in brackets first and the request in quotes later: Apache's
// ssl_request_log, and what people build from the same variables:
//
//	[time] addr TLSv1.2 cipher "GET /x HTTP/1.1" 1375
//	[time] host addr 0.227 "GET /x HTTP/1.1" 207 125 440 - agent
type timeFirst struct {
	clf clf
	t   [12]token
}

func newTimeFirst([]byte) lineParser { return &timeFirst{} }

func (p *timeFirst) parse(line []byte, r *Record) bool {
	if len(line) < 40 || line[0] != '[' {
		return false
	}
	n, rest := tokens(line, p.t[:8])
	t := p.t[:n]
	if n < 4 || !p.clf.time(t[0].text, r) || r.Clock == ClockNone {
		return false
	}
	at := 1
	for at < n && t[at].quote != '"' {
		at++
	}
	if at < 2 || at+1 >= n || t[at].quote != '"' {
		return false
	}
	for _, v := range t[1:at] {
		p.before(v.text, r)
	}
	if r.ClientAddr == "" {
		return false
	}
	r.Kind = KindAccess
	addProtocol(r, splitRequest(t[at].text, r))
	return p.after(t[at+1:], rest, r)
}

// before takes an address, a host, a duration or the TLS parameters.
func (p *timeFirst) before(v []byte, r *Record) {
	f, n := decimal(v)
	switch {
	case looksLikeIP(v):
		r.ClientAddr = str(v)
	case n == len(v) && n > 0:
		r.Duration = f
	case bytes.HasPrefix(v, []byte("TLSv")), bytes.HasPrefix(v, []byte("SSLv")):
		r.Add("tls_version", str(v))
	case r.Get("tls_version") != "":
		add(r, "tls_cipher", v)
	default:
		add(r, "host", v)
	}
}

// after takes `bytes` or `status bytes [request_bytes [referrer agent]]`.
func (p *timeFirst) after(t []token, rest []byte, r *Record) bool {
	if len(t) == 1 {
		if n, ok := whole(t[0].text); ok {
			r.Bytes = n
			return true
		}
		return dash(t[0].text)
	}
	status, ok := code3(t[0].text)
	if !ok {
		return false
	}
	r.Status = status
	if n, ok := whole(t[1].text); ok {
		r.Bytes = n
	}
	if len(t) > 2 && t[2].quote == 0 {
		addNumber(r, "request_bytes", t[2].text)
		t = t[3:]
	} else {
		t = t[2:]
	}
	tail := rest
	if len(t) > 0 {
		// What was split already and what was not are parts of one line.
		tail = span(t[0], rest)
	}
	tail = agentTail(tail, r)
	add(r, "user_agent", bytes.TrimSpace(tail))
	return true
}

// agentTail takes the referrer and a quoted agent off; an agent without quotes runs to the end of the line.
func agentTail(p []byte, r *Record) []byte {
	p = bytes.TrimLeft(p, " ")
	for _, name := range [...]string{"referrer", "user_agent"} {
		var t [1]token
		n, rest := tokens(p, t[:])
		if n == 0 || t[0].quote != '"' && name == "user_agent" {
			return p
		}
		add(r, name, t[0].text)
		p = bytes.TrimLeft(rest, " ")
	}
	return nil
}

// span returns the bytes from the start of part t to the end of rest, which follows it on the same line.
func span(t token, rest []byte) []byte {
	n := cap(t.text) - cap(rest) + len(rest)
	if t.quote != 0 {
		return rest // the quote before the text is out of reach; no such layout is known
	}
	return t.text[:n:n]
}
