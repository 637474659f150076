package parse

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// Clock says how much of a point in time a line really gave.
type Clock uint8

// The clocks, from none to partial.
const (
	ClockNone   Clock = iota // no time on the line
	ClockUTC                 // a full time with zone or offset: Record.Time is exact
	ClockLocal               // date and time without a zone: Record.Time is the wall clock read as UTC
	ClockNoYear              // no year (syslog, klog): Record.Time uses the year guessed from the file
)

// Kind tells request lines from everything else.
type Kind uint8

// The kinds of records.
const (
	KindLog    Kind = iota // application or server log record
	KindAccess             // one request, written by a proxy, a server or an application's request logger
)

// Record is one parsed log entry. Strings may alias the read buffer: valid until the Sink returns, see Clone.
// Absent numbers are -1, absent strings "". Field names in `inquest parse` output are given in brackets.
type Record struct {
	Line  int   // [line] 1-based number of the first physical line in the uncompressed file
	Lines int   // [lines] physical lines of the record, 1 for most
	Time  int64 // [time, time_local] Unix nanoseconds, see Clock; 0 with ClockNone
	Clock Clock
	Kind  Kind
	Level inquest.Level // normalised severity

	// The hot fields of a request.
	Status           int     // [status] HTTP status sent to the client, 0 when none
	Method           string  // [method]
	URL              string  // [url] as in the request line, query included
	Duration         float64 // [duration_s] seconds, -1 when absent
	UpstreamDuration float64 // [upstream_duration_s] seconds with upstreams, all attempts together, -1 when absent
	Bytes            int64   // [bytes] response bytes as the log counts them, -1 when absent
	Upstream         string  // [upstream; upstreams] host:port; a comma list when several were tried, the last one answered
	UpstreamStatus   string  // [upstream_status; upstream_statuses] a comma list likewise
	ClientAddr       string  // [remote_addr]
	RequestID        string  // [request_id]
	TraceID          string  // [trace_id]
	SpanID           string  // [span_id]

	// Who wrote it.
	Service  string // [service]
	Instance string // [instance] host, pod or instance name
	Version  string // [version]
	Logger   string // [logger]

	Message   string             // [message] the text, continuation lines included, at most MaxRecordBytes
	Exception *inquest.Exception // stack trace found in the message or in its fields
	Pool      *inquest.Pool      // pool figures found in the message or in its fields

	// Broken says that the answer broke off: the proxy sent its head on and then lost its upstream, or waited for the rest in
	// vain. The status was sent before that and tells nothing of it. Not printed: the proxy's own word is among Fields.
	Broken bool

	Fields []Field // everything else, in the order of the line
}

// Field is a named value of a record that has no struct field of its own: JSON keys and key=value pairs as
// written, and the names listed in docs/format/parse.md (for example termination_state, sqlstate, thread).
type Field struct {
	Name  string
	Value string
	Num   bool // Value is a JSON number; printed bare
}

// Get returns the value of the named extra field, "" if the record has none.
func (r *Record) Get(name string) string {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return r.Fields[i].Value
		}
	}
	return ""
}

// Add appends an extra field; an empty value is ignored, so parsers need not check for absent parts.
func (r *Record) Add(name, value string) {
	if value != "" {
		r.Fields = append(r.Fields, Field{Name: name, Value: value})
	}
}

// AddNum appends an extra field that is printed as a number; a value that is no JSON number is printed as text.
func (r *Record) AddNum(name, value string) {
	if value != "" {
		r.Fields = append(r.Fields, Field{Name: name, Value: value, Num: isNumber(value)})
	}
}

// isNumber reports whether s is a number as JSON writes it, without exponent.
func isNumber(s string) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	dot := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.' && !dot && i > 0 && i < len(s)-1:
			dot = true
		case c < '0' || c > '9':
			return false
		}
	}
	return s != "" && (s[0] != '0' || len(s) == 1 || s[1] == '.')
}

// Reset empties the record for reuse and keeps the capacity of Fields.
func (r *Record) Reset() {
	f := r.Fields[:0]
	*r = Record{} // in place: a literal with values would be made elsewhere and copied, on every line
	r.Fields, r.Lines, r.Duration, r.UpstreamDuration, r.Bytes = f, 1, -1, -1, -1
}

// Clone returns a deep copy that outlives the read buffer.
func (r *Record) Clone() *Record {
	c := *r
	for _, s := range []*string{&c.Method, &c.URL, &c.Upstream, &c.UpstreamStatus, &c.ClientAddr, &c.RequestID,
		&c.TraceID, &c.SpanID, &c.Service, &c.Instance, &c.Version, &c.Logger, &c.Message} {
		*s = strings.Clone(*s)
	}
	c.Fields = make([]Field, len(r.Fields))
	for i, f := range r.Fields {
		c.Fields[i] = Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value), Num: f.Num}
	}
	return &c
}
