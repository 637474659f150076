package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// mongodb reads MongoDB's text log of 3.0 to 4.2: `time I COMPONENT [context] message`.
// https://www.mongodb.com/docs/v4.2/reference/log-messages/
type mongodb struct{ stamp stampCache }

func newMongoDB([]byte) lineParser { return &mongodb{} }

func (p *mongodb) parse(line []byte, r *Record) bool {
	ns, n, c := p.stamp.parse(line)
	if n == 0 || c == ClockNone || len(line) < n+6 || line[n] != ' ' || line[n+2] != ' ' && line[n+3] != ' ' {
		return false
	}
	level := letterLevel(line[n+1])
	component, rest := cutToken(line[n+3:])
	rest = bytes.TrimLeft(rest, " ")
	if level == inquest.LevelUnknown || len(component) == 0 || len(rest) == 0 || rest[0] != '[' || !isUpper(component) && component[0] != '-' {
		return false
	}
	thread, msg := bracket(rest)
	msg = bytes.TrimLeft(msg, " ")
	r.Time, r.Clock, r.Level, r.Message = ns, c, level, str(msg)
	r.Add("level", str(line[n+1:n+2]))
	r.Add("component", str(component))
	r.Add("thread", str(thread))
	mongoFacts(msg, r)
	return true
}

func isUpper(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return len(b) > 0
}

// mongoFacts reads the duration that slow operations end with: "... protocol:op_msg 153ms".
func mongoFacts(msg []byte, r *Record) {
	i := bytes.LastIndexByte(msg, ' ')
	if i < 0 || !bytes.HasSuffix(msg, []byte("ms")) {
		return
	}
	if v, ok := decimalOver(msg[i+1:len(msg)-2], 1e3); ok {
		r.Duration = v
	}
}

// mongoAttr takes durationMillis and the remote address out of a JSON record's attributes (MongoDB 4.4 and later).
func mongoAttr(p *jsonParser, r *Record) {
	if v, ok := decimalOver([]byte(r.Get("attr.durationMillis")), 1e3); ok {
		r.Duration = v
	}
	if remote := r.Get("attr.remote"); remote != "" {
		host, _ := splitAddr([]byte(remote))
		r.ClientAddr = string(host)
	}
}
