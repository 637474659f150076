package parse

import (
	"bytes"
)

// logfmt reads lines of key=value pairs: Go kit, logrus, slog's text handler, Grafana and OpenTelemetry's.
type logfmt struct {
	stamp stampCache
	rules map[string]keyRule // keys of the file seen so far
	esc   jsonScanner        // for its arena
	pairs []logfmtPair
	best  [actCount]int16
}

type logfmtPair struct {
	key, raw []byte
	rule     keyRule
	quoted   bool
	escaped  bool
}

func newLogfmt([]byte) lineParser { return &logfmt{rules: map[string]keyRule{}} }

// maxLogfmtKeys bounds the cache of keys, maxPairs the pairs of one line.
const (
	maxLogfmtKeys = 2048
	maxPairs      = 256
)

func (p *logfmt) parse(line []byte, r *Record) bool {
	if !p.split(line) {
		return false
	}
	have := 0
	for _, a := range [...]uint8{actTime, actLevel, actMessage} {
		if p.best[a] >= 0 {
			have++
		}
	}
	if have < 2 && !(p.best[actTime] >= 0 && len(p.pairs) > 2) && !(have > 0 && len(p.pairs) > 3) {
		return false
	}
	for i := range p.pairs {
		v := &p.pairs[i]
		if a := v.rule.act; a != actField && int(p.best[a]) == i && p.take(v, r) {
			continue
		}
		name := v.rule.as
		if name == "" {
			name = str(v.key)
		}
		if text := p.text(v); text != "" {
			r.Fields = append(r.Fields, Field{Name: name, Value: text, Num: !v.quoted && numberForm(v.raw)})
		}
	}
	if r.Clock == ClockNone && p.best[actTime] >= 0 {
		return false
	}
	finishRequest(r)
	return true
}

// numberForm reports whether b is a number as JSON would write it.
func numberForm(b []byte) bool {
	_, ok := plainDecimal(b)
	return ok && (len(b) == 1 || b[0] != '0' || b[1] == '.') && b[len(b)-1] != '.' && b[0] != '.'
}

// split cuts the line into pairs. It returns false when the line does not begin as key=value.
func (p *logfmt) split(line []byte) bool {
	p.pairs = p.pairs[:0]
	for i := range p.best {
		p.best[i] = -1
	}
	i := 0
	for i < len(line) && len(p.pairs) < maxPairs {
		for i < len(line) && line[i] == ' ' {
			i++
		}
		from := i
		for i < len(line) && line[i] != '=' && line[i] != ' ' && line[i] != '"' {
			i++
		}
		if i == from || i >= len(line) || line[i] != '=' {
			if len(p.pairs) == 0 {
				return false
			}
			for i < len(line) && line[i] != ' ' { // a bare word
				i++
			}
			continue
		}
		v := logfmtPair{key: line[from:i]}
		i++
		if i < len(line) && line[i] == '"' {
			end, esc := stringEnd(line, i+1)
			v.raw, v.quoted, v.escaped = line[i+1:min(end, len(line))], true, esc
			i = end + 1
		} else {
			from = i
			for i < len(line) && line[i] != ' ' {
				i++
			}
			v.raw = line[from:i]
		}
		p.add(v)
	}
	return len(p.pairs) > 0
}

// add notes the pair and what it may mean.
func (p *logfmt) add(v logfmtPair) {
	rule, ok := p.rules[str(v.key)]
	if !ok {
		key := string(v.key)
		rule = ruleFor(key)
		if len(p.rules) < maxLogfmtKeys {
			p.rules[key] = rule
		}
	}
	v.rule = rule
	p.pairs = append(p.pairs, v)
	if a := rule.act; a != actField && len(v.raw) > 0 {
		if s := p.best[a]; s < 0 || p.pairs[s].rule.prio < rule.prio {
			p.best[a] = int16(len(p.pairs) - 1)
		}
	}
}

func (p *logfmt) text(v *logfmtPair) string {
	if v.escaped {
		return p.esc.unescape(v.raw)
	}
	return str(v.raw)
}

// take puts v into its place, see jsonParser.take.
func (p *logfmt) take(v *logfmtPair, r *Record) bool {
	switch v.rule.act {
	case actTime:
		if allDigits(v.raw) || numberForm(v.raw) {
			ns, ok := parseEpoch(v.raw)
			if ok {
				r.Time, r.Clock = ns, ClockUTC
			}
			return ok
		}
		ns, n, c := p.stamp.parse(v.raw)
		if n == 0 || c == ClockNone {
			return false
		}
		r.Time, r.Clock = ns, c
	case actLevel:
		r.Level = levelOf(v.raw)
		r.Add("level", p.text(v))
	case actMessage:
		r.Message = p.text(v)
	case actService:
		r.Service = p.text(v)
	case actInstance:
		r.Instance = p.text(v)
	case actVersion:
		r.Version = p.text(v)
	case actLogger:
		r.Logger = p.text(v)
	case actUpstreamDuration, actBytes, actUpstream, actUpstreamStatus, actRequestLine:
		return false
	case actURL:
		r.URL = p.text(v)
	case actMethod:
		if !isMethod(v.raw) {
			return false
		}
		r.Method = str(v.raw)
	default:
		return takePair(v.rule, v.raw, p.text(v), r)
	}
	return true
}

// pairsIn reads a message that is itself key=value pairs, as lograge writes behind Rails' own head.
func pairsIn(msg []byte, r *Record) {
	if !bytes.HasPrefix(msg, []byte("method=")) {
		return
	}
	p := logfmt{rules: map[string]keyRule{}}
	if !p.split(msg) {
		return
	}
	for i := range p.pairs {
		v := &p.pairs[i]
		textPair(v.key, v.raw, p.text(v), numberForm(v.raw), r)
	}
	finishRequest(r)
}
