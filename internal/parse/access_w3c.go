package parse

import (
	"bytes"
	"slices"
)

// w3c reads the W3C extended log format, whose #Fields line names the columns: IIS, CloudFront and others. Files that
// lost their header are read as what IIS writes by default.
//
// Sources: W3C working draft WD-logfile; Microsoft, "W3C Logging"; AWS, "Standard logging reference" of CloudFront.
type w3c struct {
	columns []w3cColumn // by the #Fields line
	guessed []w3cColumn // by the form of lines without one

	ms bool // time-taken is milliseconds
	t  [64]token
}

// w3cUse says what a column is.
type w3cUse uint8

const (
	w3cField w3cUse = iota // kept under the name
	w3cNumber
	w3cSkip
	w3cDate
	w3cTime
	w3cLocalDate
	w3cLocalTime
	w3cMethod
	w3cStem
	w3cQuery
	w3cStatus
	w3cClient
	w3cBytes
	w3cTaken
	w3cTakenMS
	w3cVersion
	w3cRequestID
	w3cForwarded
)

type w3cColumn struct {
	use  w3cUse
	name string
}

func newW3C([]byte) lineParser { return &w3c{ms: true} }

// w3cColumns maps the names of the #Fields line.
var w3cColumns = map[string]w3cColumn{
	"date": {w3cDate, ""}, "time": {w3cTime, ""}, "date-local": {w3cLocalDate, ""}, "time-local": {w3cLocalTime, ""},
	"cs-method": {w3cMethod, ""}, "cs-uri-stem": {w3cStem, ""}, "cs-uri": {w3cStem, ""}, "cs-uri-query": {w3cQuery, ""},
	"sc-status": {w3cStatus, ""}, "c-ip": {w3cClient, ""}, "c-port": {w3cNumber, "remote_port"}, "sc-bytes": {w3cBytes, ""},
	"cs-bytes": {w3cNumber, "request_bytes"}, "time-taken": {w3cTaken, ""}, "TimeTakenMS": {w3cTakenMS, ""},
	"cs-version": {w3cVersion, ""}, "cs-protocol-version": {w3cVersion, ""}, "cs(User-Agent)": {w3cField, "user_agent"},
	"cs(Referer)": {w3cField, "referrer"}, "cs(Host)": {w3cField, "host"}, "cs-host": {w3cField, "host"},
	"x-host-header": {w3cField, "host"}, "cs-username": {w3cField, "user"}, "s-port": {w3cNumber, "server_port"},
	"s-ip": {w3cField, "server_addr"}, "s-computername": {w3cField, "hostname"}, "s-sitename": {w3cField, "site"},
	"sc-substatus": {w3cNumber, "sub_status"}, "sc-win32-status": {w3cNumber, "win32_status"},
	"x-forwarded-for": {w3cForwarded, ""}, "X-Forwarded-For": {w3cForwarded, ""}, "x-edge-request-id": {w3cRequestID, ""},
	"x-edge-location": {w3cField, "edge"}, "x-edge-result-type": {w3cField, "cache_status"},
	"x-edge-detailed-result-type": {w3cField, "edge_result"}, "x-edge-response-result-type": {w3cSkip, ""},
	"cs(Cookie)": {w3cSkip, ""}, "time-to-first-byte": {w3cNumber, "first_byte_s"}, "cs-protocol": {w3cField, "scheme"},
	"s-reason": {w3cField, "reason"}, "s-siteid": {w3cField, "site"}, "s-queuename": {w3cField, "queue"},
}

// iisDefault are the columns that IIS 7 and later write when nobody chose any.
const iisDefault = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) " +
	"sc-status sc-substatus sc-win32-status time-taken"

// header takes the lines that begin with '#', and the blank ones that IIS Advanced Logging puts between them.
func (p *w3c) header(line []byte) bool {
	if len(line) == 0 || line[0] != '#' {
		return false
	}
	if fields, ok := bytes.CutPrefix(line, []byte("#Fields:")); ok {
		p.setColumns(fields)
	}
	return bytes.HasPrefix(line, []byte("#Fields:")) || bytes.HasPrefix(line, []byte("#Version:")) ||
		bytes.HasPrefix(line, []byte("#Software:")) || bytes.HasPrefix(line, []byte("#Date:")) ||
		bytes.HasPrefix(line, []byte("#Start-Date:")) || bytes.HasPrefix(line, []byte("#End-Date:")) ||
		bytes.HasPrefix(line, []byte("#Remark:"))
}

func (p *w3c) setColumns(fields []byte) {
	names := bytes.Fields(fields)
	p.columns = columnsOf(names)
	// CloudFront writes time-taken in seconds, and an edge location that nobody else has.
	p.ms = !slices.ContainsFunc(names, func(n []byte) bool { return string(n) == "x-edge-location" })
}

func columnsOf(names [][]byte) []w3cColumn {
	var out []w3cColumn
	for _, n := range names {
		c, ok := w3cColumns[string(n)]
		if !ok {
			c = w3cColumn{w3cField, string(n)}
		}
		out = append(out, c)
	}
	return out
}

func (p *w3c) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[0] == '#' {
		return false
	}
	n := p.split(line)
	// A file without a header, or lines of IIS's default among others: logs of several servers, put together.
	if n != len(p.columns) && !p.guess(n) {
		return false
	}
	var day, tod []byte
	clock := ClockUTC
	columns := p.columns
	if n != len(columns) {
		columns = p.guessed
	}
	for i, c := range columns {
		v := p.t[i].text
		if dash(v) {
			continue
		}
		switch c.use {
		case w3cDate:
			day = v
		case w3cTime:
			tod = v
		case w3cLocalDate:
			day, clock = v, ClockLocal
		case w3cLocalTime:
			tod, clock = v, ClockLocal
		case w3cSkip:
		default:
			if !p.column(c, v, r) {
				return false
			}
		}
	}
	if !w3cClock(day, tod, clock, r) || r.Method == "" && r.Status == 0 {
		return false
	}
	r.Kind = KindAccess
	return true
}

// column puts one value into r; false when it cannot be one of this column, so the header does not fit the line.
func (p *w3c) column(c w3cColumn, v []byte, r *Record) bool {
	switch c.use {
	case w3cMethod:
		r.Method = str(v)
	case w3cStem:
		r.URL = str(v)
	case w3cQuery:
		r.Add("query", decodeQuery(blanks(v)))
	case w3cStatus:
		s, ok := code3(v)
		r.Status = s
		return ok
	case w3cClient:
		r.ClientAddr = str(unlinked(v))
	case w3cBytes:
		if n, ok := whole(v); ok {
			r.Bytes = n
		}
	case w3cTaken, w3cTakenMS:
		p.taken(c.use, v, r)
	case w3cVersion:
		r.Add("protocol", str(v))
	case w3cRequestID:
		r.RequestID = str(v)
	case w3cForwarded:
		r.Add("forwarded_for", str(v))
	case w3cNumber:
		r.AddNum(c.name, str(v))
	default:
		r.Add(c.name, str(v))
	}
	return true
}

func (p *w3c) taken(use w3cUse, v []byte, r *Record) {
	f, n := decimal(v)
	if n == 0 || n != len(v) {
		return
	}
	r.AddNum("time_taken", str(v))
	if use == w3cTakenMS || p.ms && bytes.IndexByte(v, '.') < 0 {
		f /= 1e3
	}
	r.Duration = f
}

// unlinked takes the text out of a Markdown link: tickets and chats turn the addresses of logs pasted into them into links.
func unlinked(v []byte) []byte {
	if v[0] == '[' {
		if i := bytes.Index(v, []byte("](http")); i > 0 {
			return v[1:i]
		}
	}
	return v
}

// blanks undoes IIS's '+' for a blank in queries.
func blanks(v []byte) string {
	if bytes.IndexByte(v, '+') < 0 {
		return str(v)
	}
	return string(bytes.ReplaceAll(v, []byte{'+'}, []byte{' '}))
}

// split cuts the line into p.t. CloudFront separates by tabs, IIS by blanks; Advanced Logging quotes, and doubles quotes
// inside.
func (p *w3c) split(line []byte) int {
	sep := byte(' ')
	if bytes.IndexByte(line, '\t') > 0 {
		sep = '\t'
	}
	n := 0
	for len(line) > 0 && n < len(p.t) {
		if line[0] == sep {
			line = line[1:]
			continue
		}
		if line[0] == '"' && sep == ' ' {
			v, rest, ok := doubled(line[1:])
			if !ok {
				return 0
			}
			p.t[n].text, line = v, rest
			n++
			continue
		}
		end := bytes.IndexByte(line, sep)
		if end < 0 {
			end = len(line)
		}
		p.t[n].text, line = line[:end], line[end:]
		n++
	}
	if len(line) > 0 {
		return 0
	}
	return n
}

// doubled reads up to a quote that is not doubled.
func doubled(p []byte) (v, rest []byte, ok bool) {
	escaped := false
	for i := 0; i < len(p); i++ {
		if p[i] != '"' {
			continue
		}
		if i+1 < len(p) && p[i+1] == '"' {
			escaped = true
			i++
			continue
		}
		v = p[:i]
		if escaped {
			v = bytes.ReplaceAll(v, []byte(`""`), []byte{'"'})
		}
		return v, p[i+1:], true
	}
	return nil, nil, false
}

// guess sets the columns of a file without a header, from the form of its lines.
func (p *w3c) guess(n int) bool {
	if n < 14 || !requestMethod(p.t[3].text) || len(p.t[0].text) != 10 || !looksLikeIP(p.t[2].text) {
		return false
	}
	columns := []byte(iisDefault)
	at := 11
	if _, ok := code3(p.t[10].text); ok && n == 14 { // IIS before 8 has no referrer
		columns = bytes.Replace(columns, []byte(" cs(Referer)"), nil, 1)
		at = 10
	}
	if s, ok := code3(p.t[at].text); !ok || s == 0 {
		return false
	}
	if n == 16 && (looksLikeIP(p.t[15].text) || dash(p.t[15].text)) {
		columns = append(columns, " x-forwarded-for"...)
	}
	if len(p.guessed) != n {
		p.guessed = columnsOf(bytes.Fields(columns))
	}
	return len(p.guessed) == n
}

// w3cClock joins date and time, which the format defines as UTC unless the names say local.
func w3cClock(day, tod []byte, clock Clock, r *Record) bool {
	if len(day) != 10 || len(tod) < 8 || len(tod) > 20 {
		return false
	}
	var buf [32]byte
	b := append(append(append(buf[:0], day...), 'T'), tod...)
	ns, n, _ := parseISO(b)
	if n != len(b) {
		return false
	}
	r.Time, r.Clock = ns, clock
	return true
}
