package parse

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/inquesthq/inquest"
)

// AppendJSON appends r as one JSON object, without a line ending: `inquest parse --format jsonl` prints it. It has
// `line` and whatever else the line gave, under the names of docs/format/parse.md. A field of the line that is called
// like one that Inquest derives gives way to it, except level, which is printed as the line spells it.
func AppendJSON(dst []byte, r *Record) []byte {
	o := object{dst: append(dst, '{')}
	o.int("line", int64(r.Line))
	if r.Lines > 1 {
		o.int("lines", int64(r.Lines))
	}
	o.time(r)
	if level := r.Get("level"); level != "" {
		o.str("level", level)
	} else {
		o.str("level", r.Level.String())
	}
	o.request(r)
	for _, f := range [...]Field{{"remote_addr", r.ClientAddr, false}, {"request_id", r.RequestID, false},
		{"trace_id", r.TraceID, false}, {"span_id", r.SpanID, false}, {"service", r.Service, false},
		{"instance", r.Instance, false}, {"version", r.Version, false}, {"logger", r.Logger, false},
		{"message", messageText(r), false}} {
		o.str(f.Name, f.Value)
	}
	o.exception(r.Exception)
	o.pool(r.Pool)
	o.fields(r)
	return append(o.dst, '}')
}

// object writes the members of one JSON object.
type object struct {
	dst   []byte
	names [40]string // of the members, as far as Inquest gave them
	n     int
}

func (o *object) key(name string) {
	if o.n > 0 {
		o.dst = append(o.dst, ',')
	}
	if o.n < len(o.names) {
		o.names[o.n] = name
		o.n++
	}
	o.dst = appendString(o.dst, name)
	o.dst = append(o.dst, ':')
}

func (o *object) str(name, v string) {
	if v != "" {
		o.key(name)
		o.dst = appendString(o.dst, v)
	}
}

func (o *object) int(name string, v int64) {
	o.key(name)
	o.dst = strconv.AppendInt(o.dst, v, 10)
}

func (o *object) seconds(name string, v float64) {
	if v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return
	}
	o.key(name)
	o.dst = strconv.AppendFloat(o.dst, v, 'f', -1, 64)
}

func (o *object) time(r *Record) {
	name, layout := "time", "2006-01-02T15:04:05.999999999Z"
	switch r.Clock {
	case ClockNone:
		return
	case ClockLocal, ClockNoYear:
		name, layout = "time_local", "2006-01-02T15:04:05.999999999"
	}
	o.key(name)
	o.dst = append(o.dst, '"')
	o.dst = time.Unix(0, r.Time).UTC().AppendFormat(o.dst, layout)
	o.dst = append(o.dst, '"')
}

func (o *object) request(r *Record) {
	if r.Status > 0 {
		o.int("status", int64(r.Status))
	}
	o.str("method", r.Method)
	o.str("url", r.URL)
	if r.URL != "" {
		path, query, _ := strings.Cut(r.URL, "?")
		o.str("path", path)
		if r.Get("query") == "" {
			o.str("query", decodeQuery(query))
		}
	}
	if p := r.Get("protocol"); strings.HasPrefix(p, "HTTP/") && r.Get("http_version") == "" {
		o.str("http_version", p[len("HTTP/"):])
		if r.Kind == KindAccess && r.Method != "" && r.Get("request") == "" {
			o.str("request", r.Method+" "+r.URL+" "+p)
		}
	}
	o.seconds("duration_s", r.Duration)
	o.seconds("upstream_duration_s", r.UpstreamDuration)
	if r.Bytes >= 0 {
		o.int("bytes", r.Bytes)
	}
	o.attempts("upstream", "upstreams", r.Upstream)
	o.attempts("upstream_status", "upstream_statuses", r.UpstreamStatus)
}

// attempts writes the last one of a comma list (the upstream that answered) and, if there were several, the list.
func (o *object) attempts(name, names, list string) {
	last := list[strings.LastIndexAny(list, ", ")+1:]
	if isNumber(last) {
		o.key(name)
		o.dst = append(o.dst, last...)
	} else {
		o.str(name, last)
	}
	if last != list {
		o.str(names, list)
	}
}

// decodeQuery undoes percent-encoding; what is no valid encoding stays as it is, and so does '+'.
func decodeQuery(q string) string {
	if strings.IndexByte(q, '%') < 0 {
		return q
	}
	if d, err := url.PathUnescape(q); err == nil && utf8.ValidString(d) {
		return d
	}
	return q
}

func (o *object) exception(e *inquest.Exception) {
	if e == nil {
		return
	}
	o.str("language", e.Language)
	o.str("exception_type", e.Type)
	o.str("exception_message", e.Message)
	root := e.Root()
	o.str("root_type", root.Type)
	o.str("root_message", root.Message)
	if len(e.Chain) > 0 {
		o.key("chain")
		o.dst = append(o.dst, '[')
		o.dst = appendChain(o.dst, e)
		o.dst = append(o.dst, ']')
	}
	if len(e.Chain) > 0 && e.Chain[0].Frames > 0 {
		o.int("frames", int64(e.Chain[0].Frames))
	}
	o.frame("top_frame", e.Top)
	o.frame("app_frame", e.App)
	o.frame("thrown_at", e.Thrown)
	o.str("code", e.Code)
}

func (o *object) frame(name string, f inquest.Frame) {
	if f.IsZero() {
		return
	}
	o.key(name)
	in := object{dst: append(o.dst, '{')}
	if name != "thrown_at" { // an anonymous function of a known place prints as ""
		in.key("function")
		in.dst = appendString(in.dst, f.Function)
	}
	in.str("file", f.File)
	if f.Line > 0 {
		in.int("line", int64(f.Line))
	}
	in.str("module", f.Module)
	o.dst = append(in.dst, '}')
}

func (o *object) pool(p *inquest.Pool) {
	if p == nil {
		return
	}
	o.key("pool")
	in := object{dst: append(o.dst, '{')}
	for _, f := range [...]struct {
		name string
		v    int
	}{{"max", p.Max}, {"active", p.Active}, {"idle", p.Idle}, {"pending", p.Pending}} {
		if f.v >= 0 {
			in.int(f.name, int64(f.v))
		}
	}
	o.dst = append(in.dst, '}')
}

func (o *object) fields(r *Record) {
	own := o.n
	for i, f := range r.Fields {
		// A name twice in one object is bad JSON to many readers; the first one counts.
		if f.Value == "" || slices.Contains(o.names[:own], f.Name) ||
			slices.ContainsFunc(r.Fields[:i], func(g Field) bool { return g.Name == f.Name && g.Value != "" }) {
			continue
		}
		o.key(f.Name)
		switch {
		case f.Name == "remote_addrs":
			o.dst = appendAddresses(o.dst, f.Value)
		case f.Num:
			o.dst = append(o.dst, f.Value...)
		default:
			o.dst = appendString(o.dst, f.Value)
		}
	}
}

// appendAddresses appends the addresses at the head of an access log line as a sorted list.
func appendAddresses(dst []byte, list string) []byte {
	a := strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == '"' })
	slices.Sort(a)
	dst = append(dst, '[')
	for i, s := range a {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD; control characters are escaped, so
// that a line of the output is a line of the terminal.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' || r >= 0x80 && r < 0xa0 {
				dst = append(dst, s[from:i]...)
				dst = appendEscape(dst, r)
				from = i + n
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		if k := strings.IndexByte("\"\\\n\r\t", c); k >= 0 {
			dst = append(dst, '\\', "\"\\nrt"[k])
		} else {
			dst = appendEscape(dst, rune(c))
		}
		i++
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// String returns r as AppendJSON writes it, for tests and debugging.
func (r *Record) String() string { return string(AppendJSON(nil, r)) }
