package parse

import (
	"bytes"
)

// rabbitmq reads RabbitMQ's log: "2026-11-20 16:12:03.123456+00:00 [warning] <0.123.0> message" since 3.7 (the zone since 3.9; the
// number is that of an Erlang process), and before that `=ERROR REPORT==== 20-Nov-2026::16:12:03 ===` with the message on lines of
// its own (https://www.rabbitmq.com/docs/logging).
type rabbitmq struct{}

func newRabbitMQ([]byte) lineParser { return rabbitmq{} }

func (rabbitmq) parse(line []byte, r *Record) bool {
	if len(line) < 30 {
		return false
	}
	if line[0] != '=' {
		return rabbitmqLine(line, r)
	}
	i := bytes.Index(line, []byte(" REPORT==== "))
	if i < 2 || !setLevel(r, line[1:i]) {
		return false
	}
	ns, n, c := parseTime(line[i+12:])
	if n == 0 {
		r.Reset()
		return false
	}
	r.Time, r.Clock = ns, c
	return true
}

func rabbitmqLine(line []byte, r *Record) bool {
	ns, n, c := parseTime(line)
	if n == 0 || !bytes.HasPrefix(line[n:], []byte(" [")) {
		return false
	}
	level, rest, ok := bytes.Cut(line[n+2:], []byte("] <"))
	if !ok || len(level) > len("emergency") {
		return false
	}
	i := bytes.IndexByte(rest, '>')
	if i < len("0.1.0") || i+1 < len(rest) && rest[i+1] != ' ' || !erlangPID(rest[:i]) || !setLevel(r, level) {
		return false
	}
	r.Time, r.Clock = ns, c
	r.Message = str(bytes.TrimPrefix(rest[i+1:], []byte{' '}))
	return true
}

// erlangPID reports whether s is three numbers with dots between them.
func erlangPID(s []byte) bool {
	dots := 0
	for i, c := range s {
		switch {
		case isDigit(c):
		case c == '.' && i > 0 && s[i-1] != '.' && i+1 < len(s):
			dots++
		default:
			return false
		}
	}
	return dots == 2
}

func (rabbitmq) finish(r *Record) {
	for len(r.Message) > 0 && r.Message[0] == '\n' {
		r.Message = r.Message[1:]
	}
}
