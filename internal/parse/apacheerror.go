package parse

import "bytes"

// apacheError reads the error logs of Apache 2.2 and 2.4: `[Fri Sep 09 10:42:29.902022 2026] [core:error] [pid 35708:tid
// 43] [client 10.0.0.1:123] AH00957: ...`. https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat
type apacheError struct{}

func newApacheError([]byte) lineParser { return apacheError{} }

func (apacheError) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[0] != '[' || !isAlpha(line[1]) {
		return false
	}
	ns, n, c := parseTime(line[1:])
	if n == 0 || c == ClockNone || n+4 > len(line) || line[n+1] != ']' || line[n+2] != ' ' || line[n+3] != '[' {
		return false
	}
	b := line[n+3:]
	group, rest := bracket(b)
	level := group
	if i := bytes.LastIndexByte(group, ':'); i >= 0 {
		level = group[i+1:]
	}
	if !setLevel(r, level) {
		return false
	}
	r.Time, r.Clock = ns, c
	if i := len(group) - len(level); i > 1 {
		r.Add("module", str(group[:i-1]))
	}
	b = rest
	for len(b) > 0 && b[0] == '[' {
		group, rest = bracket(b)
		if !apacheGroup(group, r) {
			break
		}
		b = rest
	}
	r.Message = str(b)
	apacheMessage(b, r)
	return true
}

// bracket returns what stands in the bracket that b begins with, and what follows it and a blank.
func bracket(b []byte) (in, rest []byte) {
	end := bytes.IndexByte(b, ']')
	if len(b) == 0 || b[0] != '[' || end < 0 {
		return nil, b
	}
	return b[1:end], bytes.TrimPrefix(b[end+1:], []byte{' '})
}

// apacheGroup reads [pid 12:tid 34], [client 10.0.0.1:123] and [remote ...].
func apacheGroup(group []byte, r *Record) bool {
	key, v := cutToken(group)
	v = bytes.TrimLeft(v, " ")
	switch string(key) {
	case "pid":
		pid := v
		if i := bytes.IndexByte(v, ':'); i >= 0 {
			pid = v[:i]
			addNum(r, "tid", bytes.TrimPrefix(v[i+1:], []byte("tid ")))
		}
		addNum(r, "pid", pid)
	case "client", "remote":
		host, port := splitAddr(v)
		r.ClientAddr = str(host)
		addNum(r, "remote_port", port)
	default:
		return false
	}
	return true
}

// apacheMessage finds the file, the error code and the referrer in a message.
func apacheMessage(b []byte, r *Record) {
	const missing = "File does not exist: "
	msg := b
	if i := bytes.LastIndex(b, []byte(", referer: ")); i >= 0 {
		r.Add("referrer", str(b[i+11:]))
		msg = b[:i]
	}
	if i := bytes.Index(msg, []byte(missing)); i >= 0 {
		r.Add("file", str(msg[i+len(missing):]))
	}
	if i := bytes.Index(msg[:min(len(msg), 60)], []byte("AH")); i >= 0 {
		if d, k := digitsAt(msg, i+2); k == 5 {
			r.Add("code", str(msg[i:i+2+len(d)]))
		}
	}
}
