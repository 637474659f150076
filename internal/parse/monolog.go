package parse

import (
	"bytes"
	"strings"
)

// monolog reads the line format of PHP's Monolog, which Laravel, Symfony and Magento write: `[2026-11-20 16:12:03]
// channel.LEVEL: message {"context":1} []`. An exception's context runs over the following lines.
type monolog struct{ stamp stampCache }

func newMonolog([]byte) lineParser { return &monolog{} }

func (p *monolog) parse(line []byte, r *Record) bool {
	if len(line) < 25 || line[0] != '[' {
		return false
	}
	ns, n, c := p.stamp.parse(line[1:])
	if n == 0 || c == ClockNone || n+3 > len(line) || line[n+1] != ']' || line[n+2] != ' ' {
		return false
	}
	b := line[n+3:]
	colon := bytes.Index(b[:min(len(b), 80)], []byte(": "))
	if colon < 0 {
		return false
	}
	at := bytes.LastIndexByte(b[:colon], '.')
	if at <= 0 || bytes.IndexByte(b[:colon], ' ') >= 0 || !isUpper(b[at+1:colon]) || !setLevel(r, b[at+1:colon]) {
		return false
	}
	r.Time, r.Clock = ns, c
	r.Add("channel", str(b[:at]))
	msg := bytes.TrimSuffix(bytes.TrimSuffix(b[colon+2:], []byte(" []")), []byte(" []"))
	if i := bytes.Index(msg, []byte(` {"`)); i >= 0 {
		r.Add("context", str(msg[i+1:]))
		msg = msg[:i]
	}
	r.Message = str(msg)
	messageRequest(r)
	return true
}

// finish moves the trace out of the message into the field exception, where its head already is: Monolog writes both as
// one JSON value with real line breaks in it.
func (p *monolog) finish(r *Record) {
	if r.Lines < 2 {
		return
	}
	i := strings.IndexByte(r.Message, '\n')
	context := r.Get("context")
	if i < 0 || context == "" {
		return
	}
	for k := range r.Fields {
		if r.Fields[k].Name == "context" {
			r.Fields[k] = Field{Name: "exception", Value: context + r.Message[i:]}
		}
	}
	r.Message = r.Message[:i]
}
