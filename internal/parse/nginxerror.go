package parse

import "bytes"

// nginxError reads nginx's error log: `2026/11/20 16:43:24 [error] 74#74: *28 recv() failed (104: Connection reset by
// peer) while reading ..., client: 10.0.0.1, server: x, request: "GET / HTTP/1.1", upstream: "http://10.0.0.2:80/", host:
// "x"`. https://nginx.org/en/docs/ngx_core_module.html#error_log; the tail is ngx_http_log_error's.
type nginxError struct{ stamp stampCache }

func newNginxError([]byte) lineParser { return &nginxError{} }

func (p *nginxError) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[4] != '/' {
		return false
	}
	ns, n, c := p.stamp.parse(line)
	if n == 0 || n+3 > len(line) || line[n] != ' ' || line[n+1] != '[' {
		return false
	}
	b := line[n+2:]
	end := bytes.IndexByte(b[:min(len(b), 10)], ']')
	if end < 0 || !setLevel(r, b[:end]) || end+2 > len(b) {
		return false
	}
	b = b[end+1:]
	pid, k := digitsAt(b, 1)
	if k == 0 || 1+k >= len(b) || b[1+k] != '#' {
		r.Reset()
		return false
	}
	tid, k2 := digitsAt(b, 2+k)
	b = b[2+k+k2:]
	b = bytes.TrimPrefix(b, []byte(": "))
	r.Time, r.Clock = ns, c
	addNum(r, "pid", pid)
	addNum(r, "tid", tid)
	if len(b) > 1 && b[0] == '*' {
		if id, k := digitsAt(b, 1); k > 0 {
			addNum(r, "connection_id", id)
			b = bytes.TrimPrefix(b[1+k:], []byte{' '})
		}
	}
	p.tail(b, r)
	return true
}

// digitsAt returns the digits of b from i.
func digitsAt(b []byte, i int) (digits []byte, n int) {
	if i > len(b) {
		return nil, 0
	}
	b = b[i:]
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return b[:n], n
}

// tail splits the message from what nginx says about the request.
func (p *nginxError) tail(b []byte, r *Record) {
	at := bytes.LastIndex(b, []byte(", client: "))
	if at < 0 {
		r.Message = str(b)
		return
	}
	msg, rest := b[:at], b[at+2:]
	if i := bytes.Index(msg, []byte(", excess: ")); i >= 0 {
		v, _ := cutToken(msg[i+10:])
		addFloat(r, "excess", bytes.TrimRight(v, ","))
		if k := bytes.Index(msg, []byte(`by zone "`)); k >= 0 {
			r.Add("zone", str(untilQuote(msg[k+9:])))
		}
		msg = msg[:i]
	}
	r.Message = str(msg)
	if rest, ok := bytes.CutPrefix(msg, []byte(`user "`)); ok { // auth_basic: user "x": password mismatch
		if i := bytes.IndexByte(rest, '"'); i > 0 {
			r.Add("user", str(rest[:i]))
		}
	}
	nginxPairs(rest, r)
}

// nginxPairs reads `client: 10.0.0.1, server: x, request: "GET / HTTP/1.1", ...`.
func nginxPairs(rest []byte, r *Record) {
	for len(rest) > 0 {
		i := bytes.Index(rest, []byte(": "))
		if i < 0 {
			return
		}
		key, v := rest[:i], rest[i+2:]
		var next []byte
		if len(v) > 0 && v[0] == '"' {
			q := untilQuote(v[1:])
			next = v[min(len(v), len(q)+2):]
			v = q
		} else if k := bytes.Index(v, []byte(", ")); k >= 0 {
			v, next = v[:k], v[k:]
		}
		rest = bytes.TrimPrefix(next, []byte(", "))
		switch string(key) {
		case "client":
			r.ClientAddr = str(v)
		case "request":
			r.Add("request", str(v))
			setRequest(v, r)
		case "upstream":
			r.Upstream = str(v)
		case "server", "host", "subrequest", "bytes from/to client", "bytes from/to upstream":
			r.Add(str(key), str(v))
		case "referrer":
			r.Add("referrer", str(v))
		}
	}
}

// untilQuote returns b up to the quote that is followed by a comma or ends the line: URLs may hold quotes.
func untilQuote(b []byte) []byte {
	for i := 0; ; i++ {
		k := bytes.IndexByte(b[i:], '"')
		if k < 0 {
			return b
		}
		if i += k; i+1 == len(b) || b[i+1] == ',' {
			return b[:i]
		}
	}
}

// setRequest puts "GET /x HTTP/1.1" into method, URL and protocol.
func setRequest(v []byte, r *Record) {
	m, rest := cutToken(v)
	url, rest := cutToken(rest)
	if isMethod(m) && len(url) > 0 {
		r.Method, r.URL = str(m), str(url)
		r.Add("protocol", str(bytes.TrimSpace(rest)))
	}
}

// addFloat appends a field whose value is a decimal number.
func addFloat(r *Record, name string, v []byte) {
	if _, ok := plainDecimal(v); ok {
		r.Fields = append(r.Fields, Field{Name: name, Value: str(v), Num: true})
	}
}

// finish finds the request behind a message of several lines (PHP's stderr by FastCGI); the message stays whole.
func (p *nginxError) finish(r *Record) {
	if r.Lines < 2 || r.ClientAddr != "" {
		return
	}
	b := []byte(r.Message)
	if at := bytes.LastIndex(b, []byte(", client: ")); at >= 0 {
		nginxPairs(b[at+2:], r)
	}
}
