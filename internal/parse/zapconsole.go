package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// zapConsole reads zap's console encoder: time, level, logger (if any), caller, message and a JSON object, set apart by
// tabs, or by blanks where a terminal or an editor turned them into such.
type zapConsole struct {
	stamp stampCache
	plain ansi
	scan  *jsonScanner
}

func newZapConsole([]byte) lineParser {
	return &zapConsole{scan: newJSONScanner(func(k *jsonKey) { k.flags |= jsonWhole })}
}

func (p *zapConsole) parse(line []byte, r *Record) bool {
	line = p.plain.strip(line)
	ns, n, c := p.stamp.parse(line)
	if n == 0 || c == ClockNone {
		return false
	}
	level, b := cutColumn(bytes.TrimLeft(line[n:], " \t"))
	if l := logLevelOf(level); l == inquest.LevelUnknown || len(b) == 0 {
		return false
	}
	first, rest := cutColumn(b)
	second, rest2 := cutColumn(rest)
	switch {
	case isCaller(first):
		r.Add("caller", str(first))
		b = rest
	case isCaller(second) && bytes.IndexByte(first, ' ') < 0:
		r.Logger = str(first)
		r.Add("caller", str(second))
		b = rest2
	default:
		return false
	}
	setLevel(r, level)
	r.Time, r.Clock = ns, c
	msg, tail := b, []byte(nil)
	if i := bytes.LastIndex(b, []byte("{\"")); i > 0 && b[len(b)-1] == '}' {
		for i > 0 && b[i-1] != '\t' && !bytes.HasSuffix(b[:i], []byte("  ")) {
			if i = bytes.LastIndex(b[:i], []byte("{\"")); i < 0 {
				break
			}
		}
		if i > 0 {
			msg, tail = bytes.TrimRight(b[:i], " \t"), b[i:]
		}
	}
	r.Message = str(msg)
	p.fields(tail, r)
	messageRequest(r)
	return true
}

// fields reads the JSON object at the end.
func (p *zapConsole) fields(b []byte, r *Record) {
	if len(b) == 0 {
		return
	}
	p.scan.scan(b)
	for i := range p.scan.vals {
		v := &p.scan.vals[i]
		textPair([]byte(v.key.name), v.raw, p.scan.text(v), v.kind == jsonNumber, r)
	}
}

// textPair files a named value of a text line: into the hot fields where the name says so and the value fits.
func textPair(key, raw []byte, value string, num bool, r *Record) {
	if !takePair(ruleOf(key), raw, value, r) && value != "" && len(key) > 0 {
		r.Fields = append(r.Fields, Field{Name: string(key), Value: value, Num: num})
	}
}

// takePair puts a value where its rule says; it returns false if there is no such place or the value does not fit.
func takePair(rule keyRule, raw []byte, value string, r *Record) bool {
	switch rule.act {
	case actStatus:
		if s := statusCode(raw); s > 0 {
			r.Status = s
			return true
		}
	case actDuration:
		unit := rule.unit
		if unit == unitNone {
			unit = unitMs
			if wholeNumber(raw) >= 1e6 {
				unit = unitNs
			}
		}
		if d, ok := duration(raw, unit); ok && len(raw) > 0 {
			r.Duration = d
			return true
		}
	case actMethod:
		if isHTTPMethod(raw) {
			r.Method = value
			return true
		}
	case actURL:
		if len(value) > 0 && value[0] == '/' {
			r.URL = value
			return true
		}
	case actRequestID:
		r.RequestID = value
		return true
	case actTraceID:
		r.TraceID = value
		return true
	case actSpanID:
		r.SpanID = value
		return true
	case actService:
		if rule.prio >= 9 {
			r.Service = value
			return true
		}
	case actClient:
		host, _ := splitAddr(raw)
		r.ClientAddr = str(host)
		return true
	}
	return false
}
