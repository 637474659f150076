package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// mysqlError reads the error logs of MySQL and MariaDB, 5.5 to 8.4 and 10 to 11, lines of mysqld_safe among them, and
// the general query log: `2026-11-20T16:12:03.335060Z 0 [Warning] [MY-010068] [Server] CA certificate ...`.
// https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html. The message keeps code and subsystem, which people
// search for; they are fields as well.
type mysqlError struct{ stamp stampCache }

func newMySQLError([]byte) lineParser { return &mysqlError{} }

func (p *mysqlError) parse(line []byte, r *Record) bool {
	if len(line) < 20 || !isDigit(line[0]) {
		return false
	}
	ns, n, c := p.stamp.parse(line)
	if n == 0 && line[4] == '-' && line[10] == ' ' && line[11] == ' ' { // MariaDB pads the hour: 2026-11-20  9:12:03
		at := [19]byte(line)
		at[11] = '0'
		ns, n, c = p.stamp.parse(at[:])
	}
	if n == 0 || c == ClockNone || n >= len(line) || line[n] != ' ' && line[n] != '\t' {
		return false
	}
	old := line[6] == ' ' // 261120  9:12:03
	b := bytes.TrimLeft(line[n:], " \t")
	tid, k := digitsAt(b, 0)
	if k > 0 && k < len(b) && b[k] == ' ' {
		b = b[k+1:]
	} else {
		tid, k = nil, 0
	}
	switch {
	case len(b) > 0 && b[0] == '[':
		group, rest := bracket(b)
		if !mysqlWord(group) {
			return false
		}
		setLevel(r, group)
		b = rest
	case k > 0 && bytes.IndexByte(b, '\t') > 0 && generalCommand(b[:bytes.IndexByte(b, '\t')]):
	case old && (bytes.HasPrefix(b, []byte("mysqld")) || bytes.HasPrefix(b, []byte("InnoDB:"))):
	case bytes.HasPrefix(b, []byte("mysqld_safe ")):
	default:
		return false
	}
	r.Time, r.Clock, r.Message = ns, c, str(bytes.TrimLeft(b, " "))
	addNum(r, "tid", tid)
	if code, rest := bracket(b); bytes.HasPrefix(code, []byte("MY-")) {
		r.Add("code", str(code))
		if sub, _ := bracket(rest); sub != nil {
			r.Add("component", str(sub))
		}
	}
	return true
}

// mysqlWord reports whether b is a level of MySQL.
func mysqlWord(b []byte) bool {
	switch string(b) {
	case "Note", "Warning", "ERROR", "Error", "System":
		return true
	}
	return false
}

// generalCommand knows the commands of the general query log.
func generalCommand(b []byte) bool {
	switch string(b) {
	case "Query", "Connect", "Quit", "Prepare", "Execute", "Init DB", "Close stmt", "Statistics", "Ping", "Field List", "Shutdown",
		"Change user", "Reset stmt", "Fetch", "Binlog Dump", "Register Slave", "Kill":
		return true
	}
	return false
}

// mysqlSlow reads the slow query log: a head of comment lines, then the statement. finish reads all of it, because
// servers put different figures on different lines.
// https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html, https://mariadb.com/kb/en/slow-query-log-overview
type mysqlSlow struct {
	time  int64
	clock Clock
}

func newMySQLSlow([]byte) lineParser { return &mysqlSlow{} }

var slowHost = []byte("# User@Host: ")

func (p *mysqlSlow) parse(line []byte, r *Record) bool {
	if !bytes.HasPrefix(line, slowHost) {
		return false
	}
	r.Time, r.Clock, r.Message = p.time, p.clock, str(line)
	p.time, p.clock = 0, ClockNone
	return true
}

// header takes the lines between records: "# Time: ..." which the server leaves out when the second is the same, and
// what it writes at its start.
func (p *mysqlSlow) header(line []byte) bool {
	if bytes.HasPrefix(line, []byte("# Time: ")) {
		p.time, _, p.clock = parseTime(line[8:])
		return true
	}
	return bytes.HasPrefix(line, []byte("Tcp port: ")) || bytes.HasPrefix(line, []byte("Time                 Id Command")) ||
		bytes.HasSuffix(line, []byte("started with:")) || bytes.HasPrefix(line, []byte("TCP Port: "))
}

func (p *mysqlSlow) finish(r *Record) {
	b := []byte(r.Message)
	for len(b) > 0 {
		line, rest := cutLine(b)
		switch {
		case bytes.HasPrefix(line, slowHost):
			slowUser(line[len(slowHost):], r)
		case bytes.HasPrefix(line, []byte("# administrator command: ")):
			r.Message = string(line[2:])
			r.Add("query_text", r.Message)
			return
		case len(line) > 0 && line[0] == '#':
			slowFigures(line[1:], r)
		case bytes.HasPrefix(line, []byte("SET timestamp=")):
			if ns, ok := parseEpoch(bytes.TrimRight(line[14:], "; ")); ok {
				r.Time, r.Clock = ns, ClockUTC
			}
		case bytes.HasPrefix(line, []byte("use ")) && bytes.HasSuffix(line, []byte{';'}) && len(rest) > 0:
			r.Add("database", string(bytes.Trim(line[4:len(line)-1], "` ")))
		default:
			r.Message = string(b)
			r.Add("query_text", r.Message)
			return
		}
		b = rest
	}
}

// cutLine cuts the first line off b.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// slowUser reads `app[app] @ host [10.0.0.1]  Id:  5`.
func slowUser(b []byte, r *Record) {
	if i := bytes.IndexByte(b, '['); i > 0 {
		r.Add("user", string(b[:i]))
	}
	at := bytes.Index(b, []byte(" @ "))
	if at < 0 {
		return
	}
	b = b[at+3:]
	if i := bytes.IndexByte(b, '['); i >= 0 {
		if host := bytes.TrimSpace(b[:i]); len(host) > 0 {
			r.Add("host", string(host))
		}
		addr, rest := bracket(b[i:])
		r.ClientAddr = string(addr)
		slowFigures(rest, r)
	}
}

// slowFigures reads `Query_time: 0.0001  Lock_time: 0.00003 Rows_sent: 101 ...`; a value may be missing.
func slowFigures(b []byte, r *Record) {
	for len(b) > 0 {
		var key []byte
		key, b = cutToken(b)
		if len(key) < 2 || key[len(key)-1] != ':' {
			continue
		}
		v, rest := cutToken(b)
		if len(v) == 0 || v[len(v)-1] == ':' {
			continue
		}
		b = rest
		switch name := string(key[:len(key)-1]); name {
		case "Query_time":
			if d, ok := plainDecimal(v); ok && r.Duration < 0 {
				r.Duration = d
			}
		case "Lock_time":
			addFloat(r, "lock_s", bytes.Clone(v))
		case "Rows_sent", "Rows_examined", "Rows_affected":
			addNum(r, string(bytes.ToLower(key[:len(key)-1])), bytes.Clone(v))
		case "Id", "Thread_id":
			if r.Get("tid") == "" {
				addNum(r, "tid", bytes.Clone(v))
			}
		case "Schema":
			r.Add("database", string(v))
		case "Last_errno", "Errno":
			if string(v) != "0" {
				r.Add("code", string(v))
				r.Level = inquest.LevelError
			}
		}
	}
}
