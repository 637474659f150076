package parse

import "bytes"

// postgresCSV reads PostgreSQL's CSV log; quoted values may run over lines.
// https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG
type postgresCSV struct{ stamp stampCache }

func newPostgresCSV([]byte) lineParser { return &postgresCSV{} }

// Columns of the CSV log. Versions only add columns at the end.
const (
	csvUser        = 1
	csvDatabase    = 2
	csvPid         = 3
	csvFrom        = 4
	csvSession     = 5
	csvCommand     = 7
	csvLevel       = 11
	csvState       = 12
	csvMessage     = 13
	csvDetail      = 14
	csvHint        = 15
	csvContext     = 18
	csvQuery       = 19
	csvApplication = 22
	csvBackend     = 23
)

func (p *postgresCSV) parse(line []byte, r *Record) bool {
	ns, n, c := p.stamp.parse(line)
	if n == 0 || c == ClockNone || n >= len(line) {
		return false
	}
	b := line[n:]
	if k := bytes.IndexByte(b[:min(len(b), 8)], ','); k > 0 && b[0] == ' ' { // a zone nobody knows
		b = b[k:]
	}
	if b[0] != ',' || bytes.Count(b, []byte{','}) < 11 {
		return false
	}
	cols, ok := p.columns(line, r)
	if ok {
		r.Time, r.Clock = ns, c
		return true
	}
	if cols <= csvLevel {
		r.Reset()
		return false
	}
	// Still inside quotes at the end of the line: finish reads the record again when it is whole.
	r.Reset()
	r.Time, r.Clock, r.Message = ns, c, str(line)
	r.Add("level", "LOG")
	r.Add(openQuote, "1")
	return true
}

// openQuote marks a record whose first line ends within quotes; finish takes the mark away.
const openQuote = "csv_open"

func (p *postgresCSV) finish(r *Record) {
	if r.Get(openQuote) != "" {
		text, ns, c, line, lines := []byte(r.Message), r.Time, r.Clock, r.Line, r.Lines
		service, instance := r.Service, r.Instance
		r.Reset()
		r.Time, r.Clock, r.Line, r.Lines, r.Service, r.Instance = ns, c, line, lines, service, instance
		p.columns(text, r)
	}
	// The message of a statement is the statement itself, like query_text of the text log.
	if text, step, ok := pgStatement(r); ok {
		r.Message = text
		r.Add("query_step", step)
	}
}

// columns puts the columns of b into r. It returns how many there were and whether the last one was closed.
func (p *postgresCSV) columns(b []byte, r *Record) (n int, ok bool) {
	for ; ; n++ {
		v, rest, closed := csvValue(b)
		if !closed {
			p.column(n, v, r)
			return n, false
		}
		p.column(n, v, r)
		if len(rest) == 0 {
			n++
			break
		}
		b = rest[1:]
	}
	return n, n > csvMessage && r.Get("level") != ""
}

// csvValue cuts the first value off b; rest begins with the comma behind it. Doubled quotes are made single.
func csvValue(b []byte) (v, rest []byte, closed bool) {
	if len(b) == 0 || b[0] != '"' {
		i := bytes.IndexByte(b, ',')
		if i < 0 {
			return b, nil, true
		}
		return b[:i], b[i:], true
	}
	doubled := false
	for i := 1; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		if i+1 < len(b) && b[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		v = b[1:i]
		if doubled {
			v = bytes.ReplaceAll(v, []byte(`""`), []byte{'"'})
		}
		return v, b[i+1:], i+1 == len(b) || b[i+1] == ','
	}
	return b[1:], nil, false
}

func (p *postgresCSV) column(n int, v []byte, r *Record) {
	if len(v) == 0 {
		return
	}
	switch n {
	case csvUser:
		r.Add("user", str(v))
	case csvDatabase:
		r.Add("database", str(v))
	case csvPid:
		addNum(r, "pid", v)
	case csvFrom:
		pgHost(v, r)
	case csvSession:
		r.Add("session_id", str(v))
	case csvCommand:
		r.Add("command_tag", str(v))
	case csvLevel:
		if r.Level = pgLevelOf(v); r.Level != 0 {
			r.Add("level", str(v))
		}
	case csvState:
		r.Add("sqlstate", str(v))
	case csvMessage:
		r.Message = str(v)
	case csvDetail:
		r.Add("detail", str(v))
	case csvHint:
		r.Add("hint", str(v))
	case csvContext:
		r.Add("context", str(v))
	case csvQuery:
		r.Add("query_text", str(v))
	case csvApplication:
		r.Add("application", str(v))
	case csvBackend:
		r.Add("backend_type", str(v))
	}
}
