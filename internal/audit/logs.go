package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// logKey is one service's log in one format.
type logKey struct {
	service, format string
	kind            inquest.ComponentKind
}

// logTally counts what the records of a log hold.
type logTally struct {
	records, fields, timestamp, severity, correlation, business int
	errors, traced                                              int
	first, firstError                                           *sample
}

// sample is a record as it is and as it should be.
type sample struct {
	example
	rewritten string
}

func (s *sample) before(o *sample) bool { return o == nil || s != nil && s.compare(o.example) < 0 }

func (t *logTally) merge(o *logTally) {
	t.records += o.records
	t.fields += o.fields
	t.timestamp += o.timestamp
	t.severity += o.severity
	t.correlation += o.correlation
	t.business += o.business
	t.errors += o.errors
	t.traced += o.traced
	if o.first.before(t.first) {
		t.first = o.first
	}
	if o.firstError.before(t.firstError) {
		t.firstError = o.firstError
	}
}

func (w *world) logOf(k logKey) *logTally {
	if w.logs[k] == nil {
		w.logs[k] = &logTally{}
	}
	return w.logs[k]
}

// record counts what a log record tells. What format the file has is known only afterwards.
func (c *Collector) record(r *parse.Record, at int64) {
	c.holdings.logs++
	t := c.logs[logKey{service: r.Service}]
	if t == nil {
		t = &logTally{}
		c.logs[logKey{service: strings.Clone(r.Service)}] = t
	}
	t.records++
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	traced := correlated(r)
	count(&t.fields, len(r.Fields) > 0)
	count(&t.timestamp, r.Clock != parse.ClockNone)
	count(&t.severity, r.Level != inquest.LevelUnknown)
	count(&t.correlation, traced)
	count(&t.business, business(r))
	failed := r.Level >= inquest.LevelError || r.Exception != nil
	count(&t.errors, failed)
	count(&t.traced, failed && traced)
	e := example{file: c.file, line: int32(r.Line), time: at}
	if s := (&sample{example: e}); s.before(t.first) {
		t.first = c.sampled(r, s)
	} else if failed && s.before(t.firstError) {
		t.firstError = c.sampled(r, s)
	}
}

func (c *Collector) sampled(r *parse.Record, s *sample) *sample {
	head, _, _ := strings.Cut(r.Message, "\n")
	s.text, s.rewritten = strings.Clone(cut(head, 300)), rewrite(r, s.time)
	return s
}

// correlated reports whether the record can be found by the request that it belongs to.
func correlated(r *parse.Record) bool {
	if r.RequestID != "" || r.TraceID != "" {
		return true
	}
	return slices.ContainsFunc(r.Fields, func(f parse.Field) bool {
		switch plainKey(f.Name) {
		case "correlationid", "xcorrelationid", "requestid", "xrequestid", "traceid", "errorid":
			return f.Value != ""
		}
		return false
	})
}

// business reports whether the record says whom or what it concerns.
func business(r *parse.Record) bool {
	if slices.ContainsFunc(r.Fields, func(f parse.Field) bool { return f.Value != "" && businessKey(f.Name) }) {
		return true
	}
	return len(businessPairs(r.Message)) > 0
}

// businessPairs finds key=value pairs with business keys in the first line of a text.
func businessPairs(text string) [][2]string {
	text, _, _ = strings.Cut(cut(text, 512), "\n")
	var out [][2]string
	for {
		before, after, ok := strings.Cut(text, "=")
		if !ok {
			return out
		}
		key := before[strings.LastIndexAny(before, " \t,;([{\"'")+1:]
		value, _, _ := strings.Cut(after, " ")
		if value = strings.Trim(value, `"',;)]}`); value != "" && businessKey(key) {
			out = append(out, [2]string{key, value})
		}
		text = after
	}
}

// plainKey is the last part of a key in lower case without signs.
func plainKey(key string) string {
	key = key[strings.LastIndexByte(key, '.')+1:]
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
}

// technical are ids that say where or how something ran, not whom it concerned.
var technical = []string{"request", "xrequest", "req", "trace", "span", "parent", "parentspan", "correlation", "xcorrelation", "process", "p", "t", "thread", "event", "log",
	"message", "msg", "instance", "container", "pod", "node", "host", "connection", "conn", "worker", "task", "job", "error", "query", "service", "build", "commit"}

// businessKey reports whether a field by that name says whom or what a record concerns: a user, an order, or the id of
// something that is not a part of the machinery.
func businessKey(key string) bool {
	k := plainKey(key)
	switch k {
	case "user", "username", "customer", "account", "tenant", "order", "cart", "invoice", "sku", "merchant", "subscription":
		return true
	}
	stem, ok := strings.CutSuffix(k, "id")
	return ok && len(stem) > 2 && !slices.Contains(technical, stem)
}

// rewrite makes the structured record that the line should have been, with the fields of a log that can be searched under
// pressure; null is what the line does not tell.
func rewrite(r *parse.Record, at int64) string {
	var out strings.Builder
	out.WriteByte('{')
	add := func(key string, value any) {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		v, err := json.Marshal(value)
		if err != nil { // no such value is added
			v = []byte("null")
		}
		fmt.Fprintf(&out, "%q:%s", key, v)
	}
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	stamp := ""
	if r.Clock != parse.ClockNone && at != 0 {
		stamp = instant(at).Format("2006-01-02T15:04:05.000Z")
	}
	add("timestamp", orNull(stamp))
	add("level", orNull(r.Level.String()))
	add("service", orNull(r.Service))
	add("requestId", orNull(cmp.Or(r.RequestID, r.TraceID)))
	for _, p := range businessPairs(r.Message) {
		add(p[0], p[1])
	}
	if r.Method != "" && r.URL != "" {
		add("endpoint", r.Method+" "+cut(r.URL, 200))
	}
	if r.Exception != nil {
		add("errorClass", r.Exception.Type)
	}
	head, _, _ := strings.Cut(r.Message, "\n")
	add("message", cut(head, 300))
	if r.Duration >= 0 {
		add("durationMs", r.Duration*1000)
	}
	out.WriteByte('}')
	return out.String()
}

// structuredFormats are the formats of parse whose records are made of named fields, beside those called "...-json".
var structuredFormats = []string{"json", "logfmt", "ecs", "logback", "gcp", "bunyan", "pino", "zap", "slog", "zerolog", "winston", "serilog", "gelf", "rust-tracing", "otlp-logs", "sentry"}

func structured(format string) bool {
	return strings.HasSuffix(format, "-json") || slices.Contains(structuredFormats, format)
}

// logQuality lists the logs of applications; databases, proxies and the system write as they must.
func (w *world) logQuality() []inquest.LogQuality {
	by := map[string]*inquest.LogQuality{}
	best := map[string]*sample{}
	for _, k := range w.logKeys() {
		t := w.logs[k]
		q := by[k.service]
		if q == nil {
			q = &inquest.LogQuality{Service: k.service, Format: k.format}
			by[k.service] = q
		}
		q.Records += t.records
		q.Timestamp += t.timestamp
		q.Severity += t.severity
		q.Correlation += t.correlation
		q.Business += t.business
		q.Errors += t.errors
		q.Traced += t.traced
		if structured(k.format) {
			q.Structured += t.fields
			continue
		}
		// A failure shows best what is missing.
		if s := cmp.Or(t.firstError, t.first); best[k.service] == nil && s != nil {
			best[k.service] = s
			q.Format = k.format
			q.Rewritten = strings.Replace(s.rewritten, `"service":null`, fmt.Sprintf(`"service":%q`, k.service), 1)
			q.Sample = w.shown(&tally{examples: []example{s.example}})[0]
		}
	}
	var out []inquest.LogQuality
	for _, q := range by {
		out = append(out, *q)
	}
	slices.SortFunc(out, func(a, b inquest.LogQuality) int { return cmp.Compare(a.Service, b.Service) })
	return out
}

// logKeys are the logs of applications in order.
func (w *world) logKeys() []logKey {
	var out []logKey
	for k := range w.logs {
		if k.kind == "" && w.kinds[k.service] == "" {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b logKey) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.format, b.format))
	})
	return out
}
