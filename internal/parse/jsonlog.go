package parse

import (
	"bytes"
	"sort"
	"strings"

	"github.com/inquesthq/inquest"
)

// jsonParser reads lines of one JSON object each. All JSON formats share it: a variant adds only how the format is
// recognised and where it means something else by a key than loggers usually do.
//
// Stack traces and exception texts stay in Fields under their path: err.stack, error.stack, error.stack_trace,
// exception, exception.stacktrace, stack, stack_trace, stacktrace, exc_info, backtrace, @x, thrown.extendedStackTrace.
type jsonParser struct {
	scan    *jsonScanner
	variant *jsonVariant
	need    uint8 // marks of the keys that must be there
	slots   [actCount]int16
	stamp   stampCache
	sample  []byte
	bare    uint8 // unit of durations that do not say theirs; unitNone: not yet found out
	lean    bool  // leave the extra fields of healthy requests and of everyday lines out, see Options.AllFields
	well    bool  // the line is of such a request, or such a line
}

func (p *jsonParser) allFields(all bool) { p.lean = !all }

// jsonVariant is a JSON format by name.
type jsonVariant struct {
	name string
	need []string           // paths that every line has; "a|b" for either
	keys map[string]keyRule // overrides of keyRules, by the path as written
	ok   func(p *jsonParser, r *Record) bool
	rest func(p *jsonParser, r *Record) // further work on the finished record
	bare uint8                          // unit of durations that do not say theirs, where the format fixes it

	common bool // the keys are those of a library, and formats that are built with it are more specific
}

func newJSON(v *jsonVariant) func([]byte) lineParser {
	return func(sample []byte) lineParser {
		p := &jsonParser{variant: v, sample: sample, bare: v.bare, need: 1<<len(v.need) - 1}
		p.scan = newJSONScanner(p.classify)
		return p
	}
}

// classify says what a new key of the file means.
func (p *jsonParser) classify(k *jsonKey) {
	rule, ok := p.variant.keys[k.path]
	if !ok {
		rule = ruleFor(k.path)
	}
	k.act, k.prio, k.unit = rule.act, rule.prio, rule.unit
	if rule.as != "" {
		k.as = rule.as
	}
	k.error = k.act == actField && namesError(k.as)
	for i, need := range p.variant.need {
		for _, alt := range splitBar(need) {
			if alt == k.path {
				k.mark |= 1 << i
			}
		}
	}
}

func splitBar(s string) []string {
	var out []string
	for {
		i := bytes.IndexByte([]byte(s), '|')
		if i < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:i]), s[i+1:]
	}
}

func (p *jsonParser) parse(line []byte, r *Record) bool {
	if len(line) < 2 || (line[0] != '{' && line[0] != ' ') {
		return false
	}
	end, whole := 0, true
	leaf, empty := p.scan.follow(line)
	switch {
	case leaf == nil:
		if end, whole = p.scan.scan(line); whole {
			p.scan.learn(line, end)
		}
	case !empty && leaf.chosen:
		if p.well = p.lean && (leaf.request && p.wellAt(leaf, line) || leaf.message && p.everydayAt(leaf, line)); p.well {
			return p.known(leaf, line, r)
		}
		fallthrough
	default:
		p.scan.all(leaf, line)
	}
	vals := p.scan.vals
	if len(vals) == 0 || !p.chosen(leaf, empty, vals) {
		return false
	}
	p.well = p.lean && (p.healthy(vals) || p.everyday(vals))
	for i := range vals {
		if v := &vals[i]; !p.well || v.counts() {
			p.value(v, i, r)
		}
	}
	if !p.isLog(r) || p.variant.ok != nil && !p.variant.ok(p, r) {
		return false
	}
	if !whole {
		p.cutOff(line, end, r)
	}
	finishRequest(r)
	if p.variant.rest != nil {
		p.variant.rest(p, r)
	}
	return true
}

// known reads a line that is well, by its layout alone: no value on it is empty.
func (p *jsonParser) known(leaf *jsonLayout, line []byte, r *Record) bool {
	var v jsonVal // set by field: a whole value is copied by wide loads that wait for its narrow stores
	for i := range leaf.acts {
		a := &leaf.acts[i]
		v.key = a.key
		if a.span >= 0 {
			at := &p.scan.spans[a.span]
			v.raw, v.kind = line[at.from:at.to], at.kind
		} else {
			v.raw, v.kind = a.raw, a.kind
		}
		if !a.chosen || !p.take(&v, r) {
			p.field(&v, r)
		}
	}
	finishRequest(r)
	if leaf.dated {
		return true
	}
	p.slots = leaf.slots
	return p.isLog(r)
}

// value puts the i-th value of a line where it belongs: what is not the value for a meaning is an extra field.
func (p *jsonParser) value(v *jsonVal, i int, r *Record) {
	if v.blank() {
		if v.key.as == retryAfter {
			r.Add(retryAfter, "-")
		}
		return
	}
	if a := v.key.act; a == actField || p.slots[a] != int16(i) || !p.take(v, r) {
		p.field(v, r)
	}
}

// blank reports whether a value says nothing.
func (v *jsonVal) blank() bool { return v.kind == jsonNull || len(v.raw) == 0 }

// counts reports whether a value is wanted of a request that was answered well, or of an everyday line.
func (v *jsonVal) counts() bool {
	return v.key.act != actField || v.key.error || v.key.as == retryAfter && v.blank()
}

// chosen is choose, from memory for lines of a known layout.
func (p *jsonParser) chosen(leaf *jsonLayout, empty bool, vals []jsonVal) bool {
	if leaf == nil || empty {
		return p.choose(vals)
	}
	if !leaf.chosen {
		leaf.chosen, leaf.refused = true, !p.choose(vals)
		leaf.slots = p.slots
		leaf.request = !leaf.refused && p.requests() && leaf.spans[p.slots[actStatus]]|leaf.spans[p.slots[actMethod]]|leaf.spans[p.slots[actURL]]|leaf.spans[p.slots[actLevel]] >= 0
		leaf.message = !leaf.refused && p.messages() && leaf.spans[p.slots[actLevel]] >= 0
		leaf.dated = p.slots[actTime]|p.slots[actLevel]|p.slots[actMessage] >= 0
		for i := range vals {
			v := &vals[i]
			if !v.counts() {
				continue
			}
			a := jsonAct{key: v.key, span: leaf.spans[i], chosen: v.key.act != actField && p.slots[v.key.act] == int16(i), kind: v.kind, raw: leaf.vals[i].raw}
			if v.blank() { // null; as an extra field it counts where that says that there is none
				if v.key.as != retryAfter {
					continue
				}
				a.kind, a.raw = jsonString, []byte("-")
			}
			leaf.acts = append(leaf.acts, a)
		}
	}
	p.slots = leaf.slots
	return !leaf.refused
}

// healthy reports whether the line is a request of which only what is counted matters: it was answered well, and nobody
// complained. Formats that look at fields themselves have none such.
func (p *jsonParser) healthy(vals []jsonVal) bool {
	return p.requests() && answeredWell(vals[p.slots[actStatus]].raw, vals[p.slots[actMethod]].raw, vals[p.slots[actURL]].raw, vals[p.slots[actLevel]].raw)
}

// wellAt is healthy for a line that was followed to a leaf that is a request.
func (p *jsonParser) wellAt(leaf *jsonLayout, line []byte) bool {
	raw := func(act uint8) []byte {
		at := &p.scan.spans[leaf.spans[leaf.slots[act]]]
		return line[at.from:at.to]
	}
	return answeredWell(raw(actStatus), raw(actMethod), raw(actURL), raw(actLevel))
}

// everyday reports whether the line is a message of a level below warnings, and of no request: only its text is counted.
func (p *jsonParser) everyday(vals []jsonVal) bool {
	return p.messages() && belowWarning(vals[p.slots[actLevel]].raw)
}

// everydayAt is everyday for a line that was followed to a leaf that is a message.
func (p *jsonParser) everydayAt(leaf *jsonLayout, line []byte) bool {
	at := &p.scan.spans[leaf.spans[leaf.slots[actLevel]]]
	return belowWarning(line[at.from:at.to])
}

// messages reports whether the line has what everyday asks for.
func (p *jsonParser) messages() bool {
	return p.variant.ok == nil && p.variant.rest == nil && p.slots[actStatus]&p.slots[actMethod]&p.slots[actURL] < 0 &&
		p.slots[actTime]|p.slots[actLevel]|p.slots[actMessage] >= 0
}

func belowWarning(level []byte) bool { return string(level) == "info" || string(level) == "debug" }

// requests reports whether the line has what answeredWell asks for.
func (p *jsonParser) requests() bool {
	return p.variant.ok == nil && p.variant.rest == nil && p.slots[actStatus]|p.slots[actMethod]|p.slots[actURL]|p.slots[actLevel] >= 0
}

func answeredWell(status, method, url, level []byte) bool {
	code := statusCode(status)
	return code >= 100 && code < 400 && isMethod(method) && url[0] == '/' && string(level) == "info"
}

// isLog decides about objects that may lack a time, a level or a message: two of the three make a log record, and so
// does a time with a request.
func (p *jsonParser) isLog(r *Record) bool {
	if p.slots[actTime]|p.slots[actLevel]|p.slots[actMessage] >= 0 {
		return true
	}
	n := 0
	for _, a := range [...]uint8{actTime, actLevel, actMessage} {
		if p.slots[a] >= 0 {
			n++
		}
	}
	if p.slots[actTime] >= 0 && r.Clock == ClockNone {
		return false
	}
	return n >= 2 || (n == 1 && p.slots[actTime] >= 0 && (r.Status > 0 || r.Method != "" || p.variant.name != "json")) ||
		(n == 1 && p.slots[actMessage] >= 0)
}

// choose finds the value for each meaning and checks that the format's own keys are there.
func (p *jsonParser) choose(vals []jsonVal) bool {
	for i := range p.slots {
		p.slots[i] = -1
	}
	marks := uint8(0)
	for i := range vals {
		k := vals[i].key
		marks |= k.mark
		if k.act == actField {
			continue
		}
		if vals[i].kind == jsonNull || len(vals[i].raw) == 0 || vals[i].kind == jsonRaw {
			continue
		}
		if s := p.slots[k.act]; s < 0 || vals[s].key.prio < k.prio {
			p.slots[k.act] = int16(i)
		}
	}
	return marks&p.need == p.need
}

// field keeps v as an extra field.
func (p *jsonParser) field(v *jsonVal, r *Record) {
	f := Field{Name: v.key.as, Value: p.scan.text(v), Num: v.kind == jsonNumber}
	if f.Name == "pid" && v.kind == jsonString {
		f.Num = allDigits(v.raw)
	}
	r.Fields = append(r.Fields, f)
}

// take puts v into its place in r. It returns false if the value does not fit the meaning of the key, as a status of
// "failed": then it is a field like any other.
func (p *jsonParser) take(v *jsonVal, r *Record) bool {
	switch v.key.act {
	case actTime:
		return p.time(v, r)
	case actLevel:
		return p.level(v, r)
	case actMessage:
		r.Message = p.scan.text(v)
	case actStatus:
		r.Status = statusCode(v.raw)
		return r.Status > 0
	case actDuration:
		return p.duration(v, &r.Duration)
	case actUpstreamDuration:
		return p.duration(v, &r.UpstreamDuration)
	case actBytes:
		if n := wholeNumber(v.raw); n >= 0 {
			r.Bytes = n
			return true
		}
		return false
	case actMethod:
		if !isMethod(v.raw) {
			return false
		}
		r.Method = str(v.raw)
	case actURL:
		if v.raw[0] == '-' {
			return false
		}
		r.URL = p.scan.text(v)
		if v.key.unit == urlWhole {
			r.URL = pathOf(r.URL)
		}
	case actClient:
		addr, _ := splitAddr(v.raw)
		r.ClientAddr = str(addr)
	case actRequestLine:
		return requestLine(v, p, r)
	default:
		return p.takeText(v, r)
	}
	return true
}

func (p *jsonParser) takeText(v *jsonVal, r *Record) bool {
	var to *string
	switch v.key.act {
	case actService:
		to = &r.Service
	case actInstance:
		to = &r.Instance
	case actVersion:
		to = &r.Version
	case actLogger:
		to = &r.Logger
	case actUpstream:
		to = &r.Upstream
	case actUpstreamStatus:
		to = &r.UpstreamStatus
	case actRequestID:
		to = &r.RequestID
	case actTraceID:
		to = &r.TraceID
	case actSpanID:
		to = &r.SpanID
	default:
		return false
	}
	*to = p.scan.text(v)
	return true
}

// requestLine reads "GET /x HTTP/1.1" in one value.
func requestLine(v *jsonVal, p *jsonParser, r *Record) bool {
	i := bytes.IndexByte(v.raw, ' ')
	if i < 0 || !isMethod(v.raw[:i]) || i+1 >= len(v.raw) {
		return false
	}
	r.Method = str(v.raw[:i])
	url := v.raw[i+1:]
	if k := bytes.IndexByte(url, ' '); k >= 0 {
		url = url[:k]
	}
	if r.URL == "" {
		r.URL = str(url)
	}
	return true
}

func (p *jsonParser) time(v *jsonVal, r *Record) bool {
	if v.kind == jsonNumber || v.kind == jsonString && allDigits(v.raw) && len(v.raw) != 14 {
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
	return true
}

func (p *jsonParser) level(v *jsonVal, r *Record) bool {
	if v.kind == jsonNumber || v.key.unit == numbersSyslog && len(v.raw) == 1 && isDigit(v.raw[0]) {
		l, word := numberLevel(int(wholeNumber(v.raw)), v.key.unit)
		if l == inquest.LevelUnknown {
			return false
		}
		r.Level = l
		if v.key.as == "priority" { // journald: the number is the field, the word would hide it
			p.field(v, r)
			return true
		}
		r.Add("level", word)
		return true
	}
	if p.well { // it is "info" or "debug", and no field is wanted
		if r.Level = inquest.LevelInfo; v.raw[0] == 'd' {
			r.Level = inquest.LevelDebug
		}
		return true
	}
	r.Level = levelOf(bytes.TrimSpace(v.raw))
	if r.Level == inquest.LevelUnknown && len(v.raw) == 1 {
		r.Level = letterLevel(v.raw[0])
	}
	r.Add("level", p.scan.text(v))
	return true
}

// duration reads a duration into to.
func (p *jsonParser) duration(v *jsonVal, to *float64) bool {
	unit := v.key.unit
	if unit == unitNone && v.kind == jsonNumber {
		unit = p.bareUnit(v.raw)
	}
	d, ok := duration(v.raw, unit)
	if ok {
		*to = d
	}
	return ok
}

// bareUnit decides about a number under a key that does not tell its unit. An integer of a million or more is a count
// of nanoseconds (Go's time.Duration): as milliseconds it would be over a quarter of an hour. Otherwise the file
// decides as a whole: half of a server's requests take longer than half a millisecond and less than half a second,
// so a median under 0.5 means seconds.
func (p *jsonParser) bareUnit(raw []byte) uint8 {
	if v := wholeNumber(raw); v >= 1e6 {
		return unitNs
	}
	if p.bare != unitNone {
		return p.bare
	}
	p.bare = unitMs // for the samples read on the way
	q := &jsonParser{variant: &jsonVariant{}, bare: unitMs}
	q.scan = newJSONScanner(q.classify)
	var all []float64
	for _, line := range bytes.Split(p.sample, newlineSep) {
		if len(all) == 200 {
			break
		}
		q.scan.scan(line)
		for i := range q.scan.vals {
			v := &q.scan.vals[i]
			if v.key.act == actDuration && v.key.unit == unitNone && v.kind == jsonNumber {
				if f, ok := plainDecimal(v.raw); ok && f > 0 {
					all = append(all, f)
				}
			}
		}
	}
	sort.Float64s(all)
	if len(all) > 0 && all[len(all)/2] < 0.5 {
		p.bare = unitS
	}
	return p.bare
}

var newlineSep = []byte{'\n'}

// cutOff notes that the line is not whole JSON (a crash, a log driver that splits long lines, a writer that breaks
// lines inside an array). finish needs to know where the message ends.
func (p *jsonParser) cutOff(line []byte, end int, r *Record) {
	r.Add("parse_note", "JSON ends early or is broken")
}

// finish reads the rest of a JSON record that was written over several lines.
func (p *jsonParser) finish(r *Record) {
	if r.Lines < 2 || r.Get("parse_note") == "" {
		return
	}
	i := bytes.Index([]byte(r.Message), []byte("\n\""))
	if i < 0 {
		return
	}
	rest := append([]byte{'{'}, r.Message[i+1:]...)
	s := newJSONScanner(p.classify)
	s.scan(rest)
	r.Message = r.Message[:i]
	for k := range s.vals {
		v := &s.vals[k]
		r.Fields = append(r.Fields, Field{Name: v.key.as, Value: s.text(v), Num: v.kind == jsonNumber})
	}
}

// isMethod reports whether b looks like an HTTP method: capitals only. (Servers log any word a client sends.)
func isMethod(b []byte) bool {
	if len(b) < 3 || len(b) > 12 {
		return false
	}
	for _, c := range b {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// splitAddr splits host:port; addresses without a port, IPv6 too, come back whole.
func splitAddr(b []byte) (host, port []byte) {
	i := bytes.LastIndexByte(b, ':')
	if i <= 0 || !allDigits(b[i+1:]) {
		return b, nil
	}
	if b[0] == '[' && b[i-1] == ']' {
		return b[1 : i-1], b[i+1:]
	}
	if bytes.IndexByte(b[:i], ':') >= 0 {
		return b, nil
	}
	return b[:i], b[i+1:]
}

// toldAgain reports whether the line is Caddy's word on why a request failed: its access log has the request too, by default in the same
// file (Caddy documentation, "How Logging Works"; modules/caddyhttp, Server.ServeHTTP).
func toldAgain(r *Record) bool { return strings.HasPrefix(r.Logger, "http.log.error") }

// finishRequest decides whether the record is a request, and gives back to Fields what only looked like one.
func finishRequest(r *Record) {
	if toldAgain(r) {
		return
	}
	if r.Method != "" && r.URL != "" && r.Status > 0 && !isOutgoing(r.URL) {
		r.Kind = KindAccess
		return
	}
	if r.Method == "" && r.Status == 0 {
		if r.URL == "" {
			messageRequest(r)
			return
		}
		r.Add("path", r.URL)
		r.URL = ""
	}
}

// pathOf takes scheme and host off a URL.
func pathOf(url string) string {
	if !isOutgoing(url) {
		return url
	}
	rest := url[8:]
	for i := 0; i < len(rest); i++ {
		if rest[i] == '/' || rest[i] == '?' {
			return rest[i:]
		}
	}
	return "/"
}

// isOutgoing reports whether a URL names a scheme: servers log the path they were asked for, clients the whole URL.
func isOutgoing(url string) bool {
	return len(url) > 8 && (url[:7] == "http://" || url[:8] == "https://")
}
