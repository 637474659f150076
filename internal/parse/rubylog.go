package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// rubyLog reads Ruby's Logger, Rails among its users: `I, [2026-11-20T16:12:03.123456 #123]  INFO -- program: message`.
type rubyLog struct{ stamp stampCache }

func newRubyLog([]byte) lineParser { return &rubyLog{} }

func (p *rubyLog) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[1] != ',' || line[2] != ' ' || line[3] != '[' {
		return false
	}
	ns, n, c := p.stamp.parse(line[4:])
	if n == 0 || c == ClockNone {
		return false
	}
	b := line[4+n:]
	end := bytes.IndexByte(b, ']')
	if end < 0 || end > 20 {
		return false
	}
	if pid := bytes.TrimLeft(b[:end], " #"); allDigits(pid) {
		addNum(r, "pid", pid)
	}
	level, rest := cutToken(b[end+1:])
	at := bytes.Index(rest, []byte("-- "))
	if at < 0 || at > 3 {
		r.Reset()
		return false
	}
	if !setLevel(r, level) && string(level) != "ANY" {
		r.Reset()
		return false
	}
	r.Time, r.Clock = ns, c
	b = rest[at+3:]
	if i := bytes.Index(b[:min(len(b), 60)], []byte(": ")); i >= 0 && bytes.IndexByte(b[:i], ' ') < 0 {
		r.Logger = str(b[:i])
		b = b[i+2:]
	} else {
		b = bytes.TrimPrefix(b, []byte(": "))
	}
	railsMessage(b, r)
	return true
}

// railsMessage reads Rails' request lines, their tags and lograge's pairs.
func railsMessage(b []byte, r *Record) {
	for len(b) > 2 && b[0] == '[' { // log_tags: the request id is the usual one
		tag, rest := bracket(b)
		if len(tag) < 16 || bytes.IndexByte(tag, ' ') >= 0 {
			break
		}
		if r.RequestID == "" {
			r.RequestID = str(tag)
		}
		b = rest
	}
	r.Message = str(b)
	switch {
	case bytes.HasPrefix(b, []byte("Started ")):
		method, rest := cutToken(b[8:])
		url, rest := cutToken(rest)
		if isHTTPMethod(method) {
			r.Method, r.URL = str(method), str(bytes.Trim(url, `"`))
			r.ClientAddr = str(addressAfter(bytes.Replace(rest, []byte(" for "), []byte(" from "), 1)))
		}
	case bytes.HasPrefix(b, []byte("Completed ")):
		status, _ := cutToken(b[10:])
		r.Status = statusCode(status)
		if i := bytes.Index(b, []byte(" in ")); i > 0 {
			tok, _ := cutToken(b[i+4:])
			if d, ok := duration(tok, unitMs); ok {
				r.Duration = d
			}
		}
		if r.Status >= 500 && r.Level < inquest.LevelError {
			r.Level = inquest.LevelError
		}
	case bytes.HasPrefix(b, []byte("method=")):
		pairsIn(b, r)
	default:
		messageRequest(r)
	}
}
