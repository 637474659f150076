package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// nats reads the NATS server's log: `[1] 2026/02/06 07:20:08.508891 [DBG] 172.18.0.1:38630 - cid:1 - message`.
type nats struct{ stamp stampCache }

func newNATS([]byte) lineParser { return &nats{} }

func (p *nats) parse(line []byte, r *Record) bool {
	pid, b := bracket(line)
	if !allDigits(pid) {
		return false
	}
	ns, n, c := p.stamp.parse(b)
	if n == 0 || c == ClockNone || n >= len(b) {
		return false
	}
	mark, msg := bracket(bytes.TrimPrefix(b[n:], []byte{' '}))
	level, word := natsLevel(mark)
	if word == "" {
		return false
	}
	addNum(r, "pid", pid)
	r.Level = level
	r.Add("level", word)
	// Local time by default (logtime_utc is off), but servers run in containers whose zone is UTC, and every shipper reads
	// it so; a server elsewhere shows up as a clock off by hours like any other.
	r.Time, r.Clock = ns, ClockUTC
	r.Message = str(natsClient(msg, r))
	return true
}

func natsLevel(mark []byte) (inquest.Level, string) {
	switch string(mark) {
	case "TRC":
		return inquest.LevelTrace, "trace"
	case "DBG":
		return inquest.LevelDebug, "debug"
	case "INF":
		return inquest.LevelInfo, "info"
	case "WRN":
		return inquest.LevelWarn, "warning"
	case "ERR":
		return inquest.LevelError, "error"
	case "FTL":
		return inquest.LevelFatal, "fatal"
	}
	return inquest.LevelUnknown, ""
}

// natsClient reads `address - cid:1 - message` and returns the message.
func natsClient(msg []byte, r *Record) []byte {
	i := bytes.Index(msg, []byte(" - cid:"))
	if i <= 0 || bytes.IndexByte(msg[:i], ' ') >= 0 {
		return msg
	}
	host, port := splitAddr(msg[:i])
	r.ClientAddr = str(host)
	addNum(r, "remote_port", port)
	id, k := digitsAt(msg, i+7)
	addNum(r, "client_id", id)
	rest := msg[i+7+k:]
	if at := bytes.Index(rest, []byte(" - ")); at >= 0 {
		rest = rest[at+3:]
	}
	if len(rest) > 4 && (bytes.HasPrefix(rest, []byte("->> ")) || bytes.HasPrefix(rest, []byte("<<- "))) {
		return natsProtocol(rest[4:], r)
	}
	return rest
}

// natsProtocol names the operation of a protocol trace and returns its argument.
func natsProtocol(b []byte, r *Record) []byte {
	if b[0] == '[' {
		b = bytes.TrimSuffix(b[1:], []byte{']'})
	}
	op, arg := cutToken(b)
	name := ""
	switch string(bytes.TrimRight(op, ":]")) {
	case "CONNECT":
		name = "connection"
	case "SUB":
		name = "subscribe"
	case "UNSUB", "DELSUB":
		name = "unsubscribe"
	case "PUB", "HPUB":
		name = "publish"
	case "MSG", "HMSG":
		name = "message"
	case "MSG_PAYLOAD":
		name = "payload"
	case "PING":
		name = "ping"
	case "PONG":
		name = "pong"
	case "INFO":
		name = "information"
	case "-ERR":
		name = "error"
	case "OK", "+OK":
		name = "acknowledge"
	}
	r.Add("msg_type", name)
	if arg = bytes.TrimSpace(arg); len(arg) > 0 {
		return arg
	}
	return b
}
