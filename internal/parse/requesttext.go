package parse

import (
	"bytes"
	"unsafe"
)

// Requests that an application logged as text: "GET /api/users/me 200 1ms rid=ab12", "500 POST /x (10.0.0.7) 82.70ms",
// "HTTP GET /x responded 200 in 12.3 ms", `10.0.0.7:5432 - "GET /x HTTP/1.1" 200 OK`.

// requestHead is how far into a message its request line may begin.
const requestHead = 160

// messageRequest reads r.Message as a request if it is one. Only a message that begins with the request counts:
// "upstream GET /quote answered 503" is somebody's error about another request.
func messageRequest(r *Record) {
	if len(r.Message) < 8 {
		return
	}
	b := unsafe.Slice(unsafe.StringData(r.Message), len(r.Message))
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	slash := bytes.IndexByte(b[:min(len(b), requestHead)], '/')
	if slash < 4 {
		return
	}
	status, addr := r.Status, r.ClientAddr
	m, method, ok := methodBefore(b, slash)
	if !ok || !requestPrefix(b[:m], r) {
		r.Status, r.ClientAddr = status, addr
		return
	}
	url, rest := cutToken(b[m+len(method):])
	url = bytes.Trim(url, `"'`)
	d, id := requestTail(rest, r)
	if r.Status == 0 || len(url) == 0 {
		r.Status, r.ClientAddr = status, addr
		return
	}
	r.Method, r.URL, r.Kind = str(method), pathOf(str(url)), KindAccess
	if d >= 0 {
		r.Duration = d
	}
	if len(id) > 0 && r.RequestID == "" {
		r.RequestID = str(id)
	}
}

// methodBefore finds the method in front of the URL that holds the slash. m is where it begins.
func methodBefore(b []byte, slash int) (m int, method []byte, ok bool) {
	from := bytes.LastIndexByte(b[:slash], ' ')
	if from < 0 && slash > 0 {
		return 0, nil, false
	}
	if w := b[from+1 : slash]; len(w) > 0 && w[0] != '"' && w[0] != '\'' && !bytes.HasPrefix(w, []byte("http")) {
		// HTTP/1.1" is the first slash where the protocol comes before the method.
		if bytes.HasPrefix(w, []byte("HTTP")) {
			next := bytes.IndexByte(b[slash+1:], '/')
			if next < 0 {
				return 0, nil, false
			}
			return methodBefore(b, slash+1+next)
		}
		return 0, nil, false
	}
	end := from
	for end > 0 && (b[end-1] == ' ' || b[end-1] == '"' || b[end-1] == ':') {
		end--
	}
	m = end
	for m > 0 && b[m-1] >= 'A' && b[m-1] <= 'Z' {
		m--
	}
	return m, b[m:end], isHTTPMethod(b[m:end])
}

// isHTTPMethod knows the methods of HTTP and WebDAV that occur: a capital word alone proves nothing in free text.
func isHTTPMethod(b []byte) bool {
	switch string(b) {
	case "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL",
		"COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE":
		return true
	}
	return false
}

// requestPrefix reads what stands before the method: a status, an address, punctuation and a few words that loggers
// put there. Any other word means that the request is only mentioned.
func requestPrefix(b []byte, r *Record) bool {
	for len(b) > 0 {
		var tok []byte
		tok, b = cutToken(b)
		tok = bytes.Trim(tok, `"'[]()|:-,<>=`)
		if len(tok) == 0 {
			continue
		}
		if s := statusCode(tok); s > 0 {
			r.Status = s
			continue
		}
		if isDigit(tok[0]) || tok[0] == ':' {
			if host, _ := splitAddr(tok); r.ClientAddr == "" && bytes.Count(host, dot) == 3 {
				r.ClientAddr = str(host)
			}
			continue
		}
		switch string(tok) {
		case "HTTP", "HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/2.0", "Request", "request", "finished", "Finished", "completed",
			"Completed", "handled", "Handled", "served", "Incoming", "incoming", "access", "Access", "http", "GIN", "RequestFinished":
		default:
			if bytes.IndexByte(tok, '=') < 0 && bytes.IndexByte(tok, ':') < 0 {
				return false
			}
		}
	}
	return true
}

var dot = []byte{'.'}

// requestTail reads status, duration and request id behind the URL.
func requestTail(b []byte, r *Record) (d float64, id []byte) {
	d = -1
	for len(b) > 0 {
		var tok []byte
		tok, b = cutToken(b)
		if k := bytes.IndexByte(tok, '='); k > 0 {
			tailPair(tok[:k], bytes.Trim(tok[k+1:], `",;`), r, &d, &id)
			continue
		}
		tok = bytes.Trim(tok, `"'[](),;|`)
		if len(tok) == 0 || !isDigit(tok[0]) {
			continue
		}
		if s := statusCode(tok); s > 0 && r.Status == 0 {
			r.Status = s
			continue
		}
		if v, k := quantity(tok); k == len(tok) && k > 0 {
			d = v
			continue
		}
		if next, _ := cutToken(b); isUnit(next) && d < 0 {
			if v, ok := duration(append(append(make([]byte, 0, 32), tok...), bytes.Trim(next, ",;)")...), unitNone); ok {
				d = v
			}
			continue
		}
		if host, _ := splitAddr(tok); r.ClientAddr == "" && bytes.Count(host, dot) == 3 {
			r.ClientAddr = str(host)
		}
	}
	return d, id
}

func isUnit(tok []byte) bool {
	switch string(bytes.Trim(tok, ",;)")) {
	case "ms", "s", "µs", "us", "ns", "sec", "seconds", "milliseconds":
		return true
	}
	return false
}

// tailPair reads key=value behind a request.
func tailPair(key, value []byte, r *Record, d *float64, id *[]byte) {
	rule := ruleOf(key)
	switch rule.act {
	case actStatus:
		if s := statusCode(value); s > 0 && r.Status == 0 {
			r.Status = s
		}
	case actDuration:
		unit := rule.unit
		if unit == unitNone {
			unit = unitMs // a number beside a request line without a unit: loggers of this style write milliseconds
		}
		if v, ok := duration(value, unit); ok {
			*d = v
		}
	case actRequestID:
		*id = value
	case actClient:
		host, _ := splitAddr(value)
		r.ClientAddr = str(host)
	case actTraceID:
		r.TraceID = str(value)
	}
}

// ruleOf is ruleFor for a short key of a text line, without allocation for the usual spellings.
func ruleOf(key []byte) keyRule {
	switch string(key) {
	case "requestId", "request_id", "requestID", "req_id", "reqId", "request-id", "x-request-id", "X-Request-Id":
		return keyRules["requestid"]
	case "correlation_id", "correlationId":
		return keyRules["correlationid"]
	case "duration_ms", "durationMs", "elapsed_ms", "took_ms", "latency_ms":
		return keyRule{act: actDuration, prio: 9, unit: unitMs}
	case "trace_id", "traceId":
		return keyRules["traceid"]
	}
	if rule, ok := keyRules[string(key)]; ok {
		return rule
	}
	if len(key) > 40 {
		return keyRule{}
	}
	return ruleFor(str(key))
}

// cutToken cuts the first blank-separated token off b.
func cutToken(b []byte) (tok, rest []byte) {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	b = b[i:]
	for i = 0; i < len(b); i++ {
		if b[i] == ' ' || b[i] == '\t' {
			return b[:i], b[i:]
		}
	}
	return b, nil
}
