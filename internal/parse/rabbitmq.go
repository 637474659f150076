package parse

import (
	"bytes"
)

// rabbitmq reads RabbitMQ's log before 3.7: `=ERROR REPORT==== 20-Nov-2026::16:12:03 ===`, then the message on lines of its
// own. Later versions write lines that headParser reads.
type rabbitmq struct{}

func newRabbitMQ([]byte) lineParser { return rabbitmq{} }

func (rabbitmq) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[0] != '=' {
		return false
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

func (rabbitmq) finish(r *Record) {
	for len(r.Message) > 0 && r.Message[0] == '\n' {
		r.Message = r.Message[1:]
	}
}
