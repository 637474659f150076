package mem

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/stat"
)

// Pattern is one kind of log line of one service: how often, when, and a few examples.
type Pattern struct {
	ID        pattern.ID
	Service   string
	Level     inquest.Level
	Template  string
	Times     stat.Histogram
	Count     uint64
	Untimed   uint64         // occurrences without a time of their own; an example has the time of the line before it
	Carried   stat.Histogram // those occurrences, at the time of the line before
	Examples  []Example      // at most two a minute, ascending in time once sealed
	Requests  []uint64       // hashes of the ids of the requests that it belongs to, at most maxIDs
	Instances []string       // who wrote it, sorted, at most 16
	last      int64          // slot of the example wanted last
	wanted    int            // examples wanted of that slot
	wide      uint8          // examples are kept of slots of minute<<wide
	lastID    uint64         // larger ids are not kept any more; 0: all are
}

// Example is one occurrence of a pattern.
type Example struct {
	Time      int64
	File      int32
	Line      int32
	Text      string // message with the error fields, at most maxExampleBytes
	Instance  string
	RequestID string
	URL       string
	Exception *inquest.Exception
	Pool      *inquest.Pool
	Fields    []parse.Field // SQLSTATE, error codes, addresses: short ones only
}

func (p *Pattern) compare(o *Pattern) int {
	return cmp.Or(cmp.Compare(p.Service, o.Service), cmp.Compare(p.Level, o.Level), cmp.Compare(p.ID, o.ID))
}

func (e Example) compare(o Example) int {
	return cmp.Or(cmp.Compare(e.Time, o.Time), cmp.Compare(e.File, o.File), cmp.Compare(e.Line, o.Line))
}

// merge keeps the earliest examples of each minute, so that the outcome does not depend on the order of merges.
func (p *Pattern) merge(o *Pattern) {
	p.Times.Merge(&o.Times)
	p.Count += o.Count
	p.Untimed += o.Untimed
	p.Carried.Merge(&o.Carried)
	for _, h := range o.Requests {
		p.addID(h)
	}
	p.trimIDs()
	p.wide = max(p.wide, o.wide)
	p.Examples = append(p.Examples, o.Examples...)
	if p.thin(); cap(p.Examples) > 2*keptExamples {
		p.Examples = append(make([]Example, 0, len(p.Examples)), p.Examples...)
	}
	for _, i := range o.Instances {
		p.addInstance(i)
	}
}

// addID notes the id of a request. The smallest ids stay: ids are hashes, so that is a fair draw, however the file was
// divided.
func (p *Pattern) addID(h uint64) {
	if p.lastID != 0 && h > p.lastID {
		return
	}
	if len(p.Requests) == maxIDs && cap(p.Requests) < maxIDs*5/4 { // no more than will ever be held
		p.Requests = slices.Grow(p.Requests, maxIDs/4)
	}
	if p.Requests = append(p.Requests, h); len(p.Requests) >= maxIDs*5/4 {
		p.trimIDs()
	}
}

// Drawn tells which ids Requests holds: all, or, of more than are kept, those up to last. Ids are hashes, so what holds for
// these holds for all.
func (p *Pattern) Drawn() (last uint64, all bool) {
	if len(p.Requests) < maxIDs {
		return 0, true
	}
	return p.Requests[len(p.Requests)-1], false
}

func (p *Pattern) trimIDs() {
	slices.Sort(p.Requests)
	p.Requests = slices.Compact(p.Requests)
	if len(p.Requests) >= maxIDs {
		p.Requests = p.Requests[:maxIDs]
		p.lastID = p.Requests[maxIDs-1]
	}
}

// addInstance notes a writer; the first ones by name stay.
func (p *Pattern) addInstance(name string) {
	i, found := slices.BinarySearch(p.Instances, name)
	if found || name == "" || i >= maxInstances {
		return
	}
	p.Instances = slices.Insert(p.Instances, i, name)
	p.Instances = p.Instances[:min(len(p.Instances), maxInstances)]
}

// wants reports whether the next line of the pattern, at time t, is to be kept as an example. Where times go back and
// forth it says yes too often; thin sees to that.
func (p *Pattern) wants(t int64) bool {
	if slot := p.slot(t); p.wanted == 0 || slot != p.last {
		p.last, p.wanted = slot, 0
	}
	p.wanted++
	return p.wanted <= examplesPerSlot
}

// slot numbers the stretches of time of which a few examples are kept: minutes, or longer ones when there are many.
func (p *Pattern) slot(t int64) int64 { return t / (minute << p.wide) }

// add keeps an example that is wanted.
func (p *Pattern) add(e Example) {
	if n := len(p.Examples); n == cap(p.Examples) && n >= keptExamples/2 { // no more than will ever be held
		p.Examples = slices.Grow(p.Examples, keptExamples+1-n)
	}
	if p.Examples = append(p.Examples, e); len(p.Examples) > keptExamples {
		p.thin()
	}
}

// thin keeps the first examplesPerSlot lines of each slot, of wider slots if that is too many.
func (p *Pattern) thin() {
	for {
		slices.SortFunc(p.Examples, func(a, b Example) int {
			return cmp.Or(cmp.Compare(p.slot(a.Time), p.slot(b.Time)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		out, slot, n := p.Examples[:0], int64(-1), 0
		for _, e := range p.Examples {
			if m := p.slot(e.Time); m != slot {
				slot, n = m, 0
			}
			if n++; n <= examplesPerSlot {
				out = append(out, e)
			}
		}
		clear(p.Examples[len(out):])
		if p.Examples = out; len(out) <= keptExamples {
			return
		}
		p.wide++
	}
}

func (p *Pattern) seal() {
	p.trimIDs()
	p.thin()
	slices.SortFunc(p.Examples, Example.compare)
	p.Examples = spread(p.Examples)
}

// spread picks maxExamples, the first and the last among them.
func spread(in []Example) []Example {
	if len(in) <= maxExamples {
		return in
	}
	kept := make([]Example, 0, maxExamples)
	for i := range maxExamples {
		kept = append(kept, in[i*(len(in)-1)/(maxExamples-1)])
	}
	return kept
}

const (
	second = int64(1e9)
	minute = 60 * second
)

// isErrorField tells the names of fields that say what went wrong, beside the message. It is asked about every field of every
// line, and a switch over words costs a fraction of a map.
func isErrorField(name string) bool {
	switch name {
	case "err", "error", "reason", "cause", "detail", "details", "exception", "stderr",
		"err.message", "error.message", "err.code", "error.code", "err.type", "error.type",
		"errorMessage", "error_message", "exc_info", "hint", "error.cause",
		"exception_message", "exception_type", "error_type", "err_msg", "errmsg":
		return true
	}
	return false
}

// keptFields are the fields worth carrying along with an example.
func keptField(f parse.Field) bool {
	if len(f.Value) > 512 {
		return false
	}
	switch f.Name {
	case "user_agent", "referrer", "time", "timestamp", "@timestamp", "level":
		return false
	}
	return true
}

// appendText writes the text that tells what a record is about: its message, then its error fields, then the exception
// that the message does not already quote.
func appendText(dst []byte, r *parse.Record) []byte {
	msg := r.Message
	if r.Exception != nil { // the trace itself is in Exception; frames would make every line a pattern of its own
		if i := strings.IndexByte(msg, '\n'); i >= 0 {
			msg = msg[:i]
		}
	}
	dst = append(dst, msg...)
	for _, f := range r.Fields {
		if isErrorField(f.Name) && f.Value != "" && !strings.Contains(msg, f.Value) {
			v := headOf(f.Value)
			if len(dst) > 0 {
				dst = append(dst, "; "...)
			}
			dst = append(dst, f.Name...)
			dst = append(dst, '=')
			dst = append(dst, v...)
		}
	}
	if e := r.Exception; e != nil {
		dst = appendCause(dst, inquest.Cause{Type: e.Type, Message: e.Message})
		if root := e.Root(); root.Message != e.Message || root.Type != e.Type {
			dst = appendCause(dst, root)
		}
	}
	if b := banner(r); b != "" && !strings.Contains(string(dst), b) {
		dst = append(append(dst, "; "...), b...)
	}
	if r.Exception != nil && throughClient(r) {
		dst = append(dst, "; while reading an HTTP client's answer"...)
	}
	if whom := calledIn(r); whom != "" && !strings.Contains(string(dst), whom) {
		dst = append(append(dst, "; while calling "...), whom...)
	}
	if len(dst) > maxExampleBytes {
		dst = dst[:maxExampleBytes]
	}
	return dst
}

// callee is whom a line of source calls: a URL, or the setting that holds one.
var callee = regexp.MustCompile(`https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?|\b[A-Z][A-Z0-9_]*_(?:URL|URI|HOST|ADDR|ADDRESS|ENDPOINT|BASE)\b`)

// calledIn reads whom a Python trace was calling from the lines of source that it quotes: an exception of a socket ("timed out")
// names nobody, but the line of our own code that waits does.
func calledIn(r *parse.Record) string {
	if r.Exception == nil || !strings.Contains(r.Message, "Traceback (most recent call last)") {
		return ""
	}
	found := ""
	for line := range strings.Lines(r.Message) {
		if source, ok := strings.CutPrefix(line, "    "); ok && strings.Contains(source, "(") {
			if m := callee.FindString(source); m != "" {
				found = m
			}
		}
	}
	return found
}

// banners are words that a runtime puts before or behind a trace to say that nobody caught it; the first line often lacks them.
var banners = []string{"triggerUncaughtException(err, true", "triggerUncaughtException", "UnhandledPromiseRejection", "Unhandled 'error' event", "Reached heap limit", "JavaScript heap out of memory"}

func banner(r *parse.Record) string {
	if strings.IndexByte(r.Message, '\n') < 0 {
		return ""
	}
	// Node prints its version only when it ends of an error; a stack that passed through the microtask queue was a promise's.
	if strings.Contains(r.Message, "\nNode.js v") && strings.Contains(r.Message, "processTicksAndRejections") {
		return "UnhandledPromiseRejection, the process ended"
	}
	for _, b := range banners {
		if strings.Contains(r.Message, b) {
			return b
		}
	}
	return ""
}

// clientFrames stand in a stack trace that went through the answer of an outgoing call: HTTP clients' own files and types.
var clientFrames = []string{"requests/models.py", "httpx/_models.py", "aiohttp/client", "urllib3/response", "node_modules/axios/", "node_modules/node-fetch/",
	"node:internal/deps/undici", "node_modules/got/", "okhttp3.", "retrofit2.", "org.apache.http.", "org.apache.hc.", "java.net.http.", "RestTemplate", "WebClient",
	"net/http.rb", "faraday/", "httparty", "GuzzleHttp", "guzzlehttp", "System.Net.Http.", "HttpContentJson", "reqwest::"}

func throughClient(r *parse.Record) bool {
	in := func(s string) bool {
		return slices.ContainsFunc(clientFrames, func(f string) bool { return strings.Contains(s, f) })
	}
	return in(r.Message) || slices.ContainsFunc(r.Fields, func(f parse.Field) bool { return len(f.Value) > 80 && in(f.Value) })
}

// headOf is the beginning of an error text: its first three lines on one, where drivers list the addresses they tried; what
// follows is a trace.
func headOf(s string) string {
	lines := strings.SplitN(s, "\n", 4)
	if len(lines) == 1 {
		return s
	}
	var b strings.Builder
	for i, l := range lines[:min(3, len(lines))] {
		l = strings.TrimSpace(l)
		if i > 0 && (strings.HasPrefix(l, "at ") || strings.HasPrefix(l, "File ") || strings.HasPrefix(l, "goroutine ")) {
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(l)
	}
	return b.String()
}

func appendCause(dst []byte, c inquest.Cause) []byte {
	if c.Message != "" && strings.Contains(string(dst), c.Message) && (c.Type == "" || strings.Contains(string(dst), c.Type)) {
		return dst
	}
	dst = append(dst, "; "...)
	dst = append(dst, c.Type...)
	if c.Message != "" {
		dst = append(dst, ": "...)
		m := c.Message
		if i := strings.IndexByte(m, '\n'); i >= 0 {
			m = m[:i]
		}
		dst = append(dst, m...)
	}
	return dst
}

// AppendText appends the text whose template is the pattern of a record, for whoever counts patterns beside the store.
func AppendText(dst []byte, r *parse.Record) []byte { return appendText(dst, r) }
