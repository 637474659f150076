package parse

import "bytes"

// uwsgi reads uWSGI's request log:
//
//	[pid: 7|app: 0|req: 1/1] 10.0.0.1 (user) {38 vars in 696 bytes} [Sun Mar 13 22:49:12 2016] POST /x => generated 47 bytes
//	in 129 msecs (HTTP/1.1 200) 9 headers in 378 bytes (1 switches on core 3)
//
// Source: uWSGI core/logging.c. A time is given in msecs or micros.
type uwsgi struct{}

func newUWSGI([]byte) lineParser { return uwsgi{} }

func (uwsgi) parse(line []byte, r *Record) bool {
	rest, ok := bytes.CutPrefix(line, []byte("[pid: "))
	if !ok {
		return false
	}
	pid, rest, ok1 := bytes.Cut(rest, []byte{'|'})
	_, rest, ok2 := bytes.Cut(rest, []byte("] "))
	addr, rest, ok3 := bytes.Cut(rest, []byte(" ("))
	user, rest, ok4 := bytes.Cut(rest, []byte(") {"))
	vars, rest, ok5 := bytes.Cut(rest, []byte("} ["))
	stamp, rest, ok6 := bytes.Cut(rest, []byte("] "))
	// The URL may hold anything, so the last arrow separates.
	arrow := bytes.LastIndex(rest, []byte(" => generated "))
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || arrow < 0 {
		return false
	}
	request, result := rest[:arrow], rest[arrow+len(" => generated "):]
	ns, n, c := parseTime(stamp)
	if n == 0 || n != len(stamp) {
		return false
	}
	var t [8]token
	k, tail := tokens(result, t[:6])
	if k < 6 || string(t[1].text) != "bytes" || string(t[2].text) != "in" {
		return false
	}
	size, ok := whole(t[0].text)
	took, num := decimal(t[3].text)
	if !ok || num == 0 {
		return false
	}
	r.Kind, r.Time, r.Clock, r.Bytes, r.ClientAddr = KindAccess, ns, c, size, str(addr)
	switch string(t[4].text) {
	case "msecs":
		r.Duration = took / 1e3
	case "micros":
		r.Duration = took / 1e6
	case "secs", "nanos":
		r.Duration = seconds([]byte(string(t[3].text) + string(t[4].text[:1])))
	}
	// t[5] is "(HTTP/1.1", then comes "200)".
	addProtocol(r, bytes.TrimPrefix(t[5].text, []byte{'('}))
	status, _, _ := bytes.Cut(bytes.TrimLeft(tail, " "), []byte{')'})
	r.Status, _ = code3(status)
	splitRequest(append(append([]byte(nil), request...), " HTTP/1.1"...), r)
	r.AddNum("pid", str(pid))
	add(r, "user", user)
	if i := bytes.Index(vars, []byte(" in ")); i > 0 {
		addNumber(r, "request_bytes", bytes.TrimSuffix(vars[i+4:], []byte(" bytes")))
	}
	return true
}
