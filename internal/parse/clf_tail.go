package parse

import (
	"bytes"
	"encoding/binary"
)

// tail reads what a log_format adds behind the user agent. Named parts (`rt=0.012 us="200"`) say what they are; unnamed
// ones (`0.012 0.010 "10.0.0.1:8080"`) are told apart by their form in the sample.
type tail struct {
	fixed func(rest []byte, r *Record) bool // a proxy's own layout

	named   []tailKey // the first parts of the line before, in order: most lines of a file have the same
	columns []tailUse // of unnamed parts by position, learnt from the sample
}

// tailUse says what a part of the tail is.
type tailUse uint8

const (
	useNone tailUse = iota
	useDuration
	useDurationMS
	useDurationUS
	useUpstreamDuration
	useUpstream
	useUpstreamStatus
	useRequestID
	useTraceID
	useHost
	useUpstreamName
	useRetryAfter

	// From here on only when all fields are wanted.
	useForwarded
	useRequestBytes
	useCache
	useExtra // kept as a field under its own name
)

// tailKey is one named part.
type tailKey struct {
	name   string
	use    tailUse
	quoted bool
	shut   uint8 // length of what ends the value and belongs to it: the closing quote

	// The blank before, the name, '=' and the opening quote, as the first n bytes of a word that is compared at once.
	// mask is 0 if they are longer than that: then the name is read anew on each line.
	word, mask uint64
	n          int
}

// useOf knows the names that people give nginx's and Apache's variables; the variables' own names too.
func useOf(name string) tailUse {
	switch name {
	case "rt", "request_time", "req_time", "duration", "time", "request_duration", "total_time", "took", "tt", "reqtime", "t":
		return useDuration
	case "D", "duration_us", "usec", "request_time_us", "time_us":
		return useDurationUS
	case "duration_ms", "ms", "request_time_ms", "msec", "time_ms", "elapsed_ms":
		return useDurationMS
	case "urt", "upstream_response_time", "upstream_time", "ups_rt", "upstream_rt", "upstream_duration", "up_time", "u_rt":
		return useUpstreamDuration
	case "ua", "upstream_addr", "upstream", "ups", "ups_addr", "uaddr", "up_addr", "backend", "to":
		return useUpstream
	case "us", "upstream_status", "ups_status", "ustatus", "up_status", "backend_status":
		return useUpstreamStatus
	case "rid", "request_id", "req_id", "reqid", "id", "x_request_id", "x-request-id", "kong_request_id", "correlation_id":
		return useRequestID
	case "trace_id", "traceid", "trace", "ot_trace_id", "b3":
		return useTraceID
	case "xff", "forwarded_for", "x_forwarded_for", "http_x_forwarded_for":
		return useForwarded
	case "rl", "request_length", "req_len", "bytes_in":
		return useRequestBytes
	case "host", "vhost", "http_host", "server_name":
		return useHost
	case "cs", "ucs", "cache", "cache_status", "upstream_cache_status":
		return useCache
	case "un", "upstream_name", "proxy_upstream_name":
		return useUpstreamName
	case retryAfter, "sent_http_retry_after":
		return useRetryAfter
	}
	return useExtra
}

// parse reads the tail into r. What only a reader of single lines wants is left out unless full.
func (t *tail) parse(p []byte, r *Record, full bool) {
	i := 0
	for ; i < len(t.named); i++ {
		k := &t.named[i]
		if len(p) < 8 {
			if !k.short(p) {
				break
			}
		} else if binary.LittleEndian.Uint64(p)&k.mask != k.word {
			break
		}
		n := k.quick(p[k.n:], r, full)
		if n == 0 {
			var v, rest []byte
			v, rest = value(p[k.n:], k.quoted)
			set(r, k.use, k.name, v, full)
			p = rest
			continue
		}
		p = p[k.n+n:]
	}
	if len(p) > 0 {
		t.thorough(p, r, full, i)
	}
}

// thorough reads what is left of a tail when named parts, of which there were so many, are not those of the line before.
func (t *tail) thorough(p []byte, r *Record, full bool, named int) {
	for col := 0; ; {
		for len(p) > 0 && p[0] == ' ' {
			p = p[1:]
		}
		if len(p) == 0 {
			return
		}
		var v []byte
		if k, n := keyAt(p); n > 0 {
			if k.mask != 0 && named <= len(t.named) && named < 40 && col == 0 {
				t.named = append(t.named[:named], k)
			}
			named++
			v, p = value(p[n:], k.quoted)
			set(r, k.use, k.name, v, full)
			continue
		}
		v, p = part(p)
		if col < len(t.columns) {
			set(r, t.columns[col], "", v, full)
		}
		col++
	}
}

// short reports whether p, too short to be compared as a word, begins with the key.
func (k *tailKey) short(p []byte) bool {
	var w [8]byte
	copy(w[:], p)
	return len(p) >= k.n && binary.LittleEndian.Uint64(w[:])&k.mask == k.word
}

// quick reads the value of a known name where that takes no thought: a plain number, a value of one element, or a short
// one that nobody asked for. It returns how much it took, 0 to leave the value to the thorough way.
func (k *tailKey) quick(p []byte, r *Record, full bool) int {
	end := byte(' ')
	if k.quoted {
		end = '"'
	}
	// nginx writes times as seconds with three decimals, so nearly all are "0.012".
	ms := -1
	if len(p) > 5 && p[5] == end && p[1] == '.' {
		ms = millis(p)
	}
	switch k.use {
	case useDuration, useUpstreamDuration:
		f, n := float64(ms)/1000, 5
		if ms < 0 {
			if f, n = decimal(p); n == 0 || n == len(p) || p[n] != end {
				return 0
			}
		}
		if k.use == useDuration {
			r.Duration = f
		} else {
			r.UpstreamDuration = f
		}
		return n + int(k.shut)
	case useUpstreamStatus:
		if len(p) > 3 && p[3] == end && p[0] != '-' {
			r.UpstreamStatus = str(p[:3])
			return 3 + int(k.shut)
		}
		return 0
	case useUpstream:
		n := bytes.IndexByte(p, end)
		if n < 2 || p[n-1] == '\\' || p[n-1] == ',' {
			return 0
		}
		r.Upstream = str(p[:n])
		return n + int(k.shut)
	}
	if full || !k.quoted || k.use < useForwarded {
		return 0
	}
	if ms >= 0 {
		return 6
	}
	for n := 0; n < len(p) && n < 16; n++ {
		if p[n] == '"' && (n == 0 || p[n-1] != '\\') {
			return n + 1
		}
	}
	return 0
}

// millis reads "1.234" as 1234, -1 if it is something else.
func millis(p []byte) int {
	a, b, c, d := p[0]-'0', p[2]-'0', p[3]-'0', p[4]-'0'
	if a > 9 || b > 9 || c > 9 || d > 9 {
		return -1
	}
	return int(a)*1000 + int(b)*100 + int(c)*10 + int(d)
}

// keyAt reads `name=`, `name="` or `name: "` at the head of p; n is their length, 0 if there is none.
func keyAt(p []byte) (k tailKey, n int) {
	for n < len(p) && n < 40 && (alnum(p[n]) || p[n] == '_' || p[n] == '-') {
		n++
	}
	if n == 0 || n == len(p) {
		return k, 0
	}
	name := p[:n]
	switch {
	case p[n] == '=':
		n++
	case p[n] == ':' && n+2 < len(p) && p[n+1] == ' ' && p[n+2] == '"':
		n += 2
	default:
		return k, 0
	}
	if n < len(p) && p[n] == '"' {
		k.quoted = true
		n++
	}
	if k.quoted {
		k.shut = 1
	}
	k.name = string(name)
	k.use = useOf(k.name)
	if n < 8 {
		var w [8]byte
		w[0] = ' '
		copy(w[1:], p[:n])
		k.n, k.word = n+1, binary.LittleEndian.Uint64(w[:])
		k.mask = 1<<(8*(n+1)) - 1 // all ones for eight bytes
	}
	return k, n
}

// value returns the value at the head of p and what follows it.
func value(p []byte, quoted bool) (v, rest []byte) {
	if quoted {
		i := quoteEnd(p)
		if i < 0 {
			return p, nil
		}
		return p[:i], p[i+1:]
	}
	// Without quotes a list "10.0.0.1:80, 10.0.0.2:80" still holds blanks: a comma before one joins.
	for i := 0; i < len(p); i++ {
		if p[i] == ' ' && (i == 0 || p[i-1] != ',') {
			return p[:i], p[i:]
		}
	}
	return p, nil
}

// part returns the unnamed part at the head of p, without quotes or brackets.
func part(p []byte) (v, rest []byte) {
	switch p[0] {
	case '"':
		return value(p[1:], true)
	case '[':
		if i := bytes.IndexByte(p, ']'); i > 0 {
			return p[1:i], p[i+1:]
		}
	}
	return value(p, false)
}

// set puts one value where it belongs.
func set(r *Record, use tailUse, name string, v []byte, full bool) {
	if len(v) == 0 || len(v) == 1 && v[0] == '-' {
		if use == useRetryAfter && full {
			r.Add(retryAfter, "-")
		}
		return
	}
	switch use {
	case useDuration:
		r.Duration = seconds(v)
	case useDurationMS:
		r.Duration = scaled(v, 1e-3)
	case useDurationUS:
		r.Duration = scaled(v, 1e-6)
	case useUpstreamDuration:
		r.UpstreamDuration = sumSeconds(v)
	case useUpstream:
		r.Upstream = str(v)
	case useUpstreamStatus:
		r.UpstreamStatus = str(v)
	case useRequestID:
		r.RequestID = str(v)
	case useTraceID:
		r.TraceID = str(v)
	case useHost:
		r.Add("host", str(v))
	case useUpstreamName:
		r.Add("upstream_name", str(v))
	case useForwarded:
		if full {
			r.Add("forwarded_for", str(v))
		}
	case useRequestBytes:
		if full {
			r.AddNum("request_bytes", str(v))
		}
	case useCache:
		if full {
			r.Add("cache_status", str(v))
		}
	case useRetryAfter:
		if full {
			r.Add(retryAfter, str(v))
		}
	case useExtra:
		if full {
			r.Add(name, str(v))
		}
	}
}

// seconds reads a decimal number with an optional unit (ms, s, us); -1 if it is none.
func seconds(p []byte) float64 {
	f, n := decimal(p)
	if n == 0 {
		return -1
	}
	switch string(p[n:]) {
	case "":
		return f
	case "ms":
		return f / 1e3
	case "us", "µs", "micros":
		return f / 1e6
	case "ns":
		return f / 1e9
	case "s":
		return f
	}
	return -1
}

func scaled(p []byte, unit float64) float64 {
	f, n := decimal(p)
	if n == 0 || n != len(p) {
		return -1
	}
	if unit == 1e-3 {
		return f / 1e3
	}
	return f / 1e6
}

// sumSeconds adds up nginx's lists "0.001, 0.002" (one a try) and "0.001 : 0.002" (one an internal redirect): the time
// that the request spent with upstreams, of which a first try that timed out is the larger part. Tries without an
// answer are dashes.
func sumSeconds(p []byte) float64 {
	if f, n := decimal(p); n == len(p) && n > 0 {
		return f
	}
	total := -1.0
	for len(p) > 0 {
		end := bytes.IndexAny(p, " ,:")
		if end < 0 {
			end = len(p)
		}
		if f := seconds(p[:end]); f >= 0 {
			total = max(total, 0) + f
		}
		p = p[min(end+1, len(p)):]
	}
	return total
}

var tenTo = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal reads an unsigned decimal number at the head of p; n is its length, 0 if there is none.
func decimal(p []byte) (f float64, n int) {
	var m uint64
	frac := -1
	for ; n < len(p) && n < 17; n++ {
		c := p[n] - '0'
		if c <= 9 {
			m = m*10 + uint64(c)
			if frac >= 0 {
				frac++
			}
			continue
		}
		if p[n] != '.' || frac >= 0 || n == 0 {
			break
		}
		frac = 0
	}
	if n == 0 || p[0]-'0' > 9 {
		return 0, 0
	}
	if frac > 0 {
		return float64(m) / tenTo[frac], n
	}
	return float64(m), n
}

// ingressTail reads ingress-nginx's `req_len rt [upstream_name] [alternative] addr len urt status req_id`.
func ingressTail(p []byte, r *Record) bool {
	var v [9][]byte
	for i := range v {
		if p = bytes.TrimLeft(p, " "); len(p) == 0 {
			return false
		}
		if (i == 2 || i == 3) != (p[0] == '[') {
			return false
		}
		v[i], p = part(p)
	}
	if _, n := decimal(v[0]); n != len(v[0]) {
		return false
	}
	r.AddNum("request_bytes", str(v[0]))
	set(r, useDuration, "", v[1], true)
	set(r, useUpstreamName, "", v[2], true)
	set(r, useUpstream, "", v[4], true)
	set(r, useUpstreamDuration, "", v[6], true)
	set(r, useUpstreamStatus, "", v[7], true)
	set(r, useRequestID, "", v[8], true)
	return true
}

// traefikTail reads Traefik's `count "router" "server-url" 12ms`.
func traefikTail(p []byte, r *Record) bool {
	var v [4][]byte
	for i := range v {
		if p = bytes.TrimLeft(p, " "); len(p) == 0 || (i == 1 || i == 2) != (p[0] == '"') {
			return false
		}
		v[i], p = part(p)
	}
	if !bytes.HasSuffix(v[3], []byte("ms")) {
		return false
	}
	set(r, useExtra, "router", v[1], true)
	set(r, useUpstream, "", v[2], true)
	set(r, useDuration, "", v[3], true)
	return r.Duration >= 0
}
