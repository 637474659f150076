package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// odoo reads Odoo's log: `2026-04-05 14:40:34,644 1 INFO database odoo.module: message`. Its web server's request lines
// stand in the message in the common log format.
type odoo struct{ stamp stampCache }

func newOdoo([]byte) lineParser { return &odoo{} }

func (p *odoo) parse(line []byte, r *Record) bool {
	ns, n, c := p.stamp.parse(line)
	if n < 23 || c == ClockNone || n >= len(line) || line[n] != ' ' {
		return false
	}
	pid, rest := cutToken(line[n:])
	level, rest := cutToken(rest)
	db, rest := cutToken(rest)
	logger, msg := cutToken(rest)
	if !allDigits(pid) || logLevelOf(level) == inquest.LevelUnknown || len(db) == 0 || len(logger) < 3 ||
		logger[len(logger)-1] != ':' || bytes.IndexByte(db, ':') >= 0 || db[0] == '[' || string(db) == "---" {
		return false
	}
	setLevel(r, level)
	r.Time, r.Clock, r.Logger = ns, c, str(logger[:len(logger)-1])
	addNum(r, "pid", pid)
	if db[0] != '?' {
		r.Add("database", str(db))
	}
	r.Message = str(bytes.TrimPrefix(msg, []byte{' '}))
	messageRequest(r)
	signIn(r)
	return true
}
