package mem

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
)

// Collector gathers the signals of one worker of one file; it is a parse.Sink.
type Collector struct {
	file  int32
	shift time.Duration // added to every time without a zone (clock correction)
	carry bool          // records without a time take that of the record before
	last  int64         // time of the last record that had one
	local [2]int64      // first and last time without a zone, before the shift

	streams   map[streamKey]*Stream
	patterns  map[patternKey]*Pattern
	upstream  map[upstreamKey]*Upstream
	slots     map[slotKey]int
	answerers map[Answerer]*Answerer
	failures  []Failure
	answers   []Answer
	complains map[streamKey]*Complaint
	series    []inquest.Series
	spans     []*inquest.Span
	changes   []inquest.Change
	edges     []inquest.Edge
	hints     []inquest.Hint
	events    []event

	route   []byte
	text    []byte
	recent  [256]cached // last stream per hash of method, path and observer
	lastUp  *Upstream
	intern  map[string]string
	skipped int // records without a time
}

type cached struct {
	hash   uint64
	stream *Stream
}

type slotKey struct {
	stream *Stream
	status int
	minute int64
}

type event struct {
	trace, service, instance, key string
	at                            time.Time
}

// unnamed stands for the writer of records that do not say who wrote them, until Merge names it.
const unnamed = ""

// Settings of a Collector.
type Settings struct {
	File  int           // index of the file in the case
	Shift time.Duration // added to times without a zone or year
	// Carry gives a record without a time the time of the record before it, which is when it was written at the earliest. Only
	// where one collector sees the whole file in order, else the outcome would depend on how it was split.
	Carry bool
}

// NewCollector returns a collector for one worker of one file.
func NewCollector(set Settings) *Collector {
	return &Collector{
		file: int32(set.File), shift: set.Shift, carry: set.Carry,
		streams: map[streamKey]*Stream{}, patterns: map[patternKey]*Pattern{}, upstream: map[upstreamKey]*Upstream{},
		complains: map[streamKey]*Complaint{}, slots: map[slotKey]int{}, answerers: map[Answerer]*Answerer{}, intern: map[string]string{},
	}
}

// Log takes one record.
func (c *Collector) Log(r *parse.Record) {
	switch {
	case r.Time == 0:
		if c.carry {
			r.Time = c.last
		}
	case r.Clock != parse.ClockUTC:
		if c.local[0] == 0 || r.Time < c.local[0] {
			c.local[0] = r.Time
		}
		c.local[1] = max(c.local[1], r.Time)
		r.Time += int64(c.shift)
		c.last = r.Time
	default:
		c.last = r.Time
	}
	if r.Kind == parse.KindAccess && r.Status != 0 {
		if r.Time == 0 {
			c.skipped++
			return
		}
		c.request(r)
		if r.Level < inquest.LevelWarn && r.Exception == nil && r.Status < 500 {
			return
		}
		if r.Message == "" && r.Exception == nil && !hasErrorField(r) {
			return
		}
	}
	c.log(r)
}

func hasErrorField(r *parse.Record) bool {
	return slices.ContainsFunc(r.Fields, func(f parse.Field) bool { return errorFields[f.Name] })
}

// Signal takes everything that is no log record.
func (c *Collector) Signal(s parse.Signal) {
	switch {
	case s.Series != nil:
		c.series = append(c.series, *s.Series)
	case s.Span != nil:
		c.spans = append(c.spans, s.Span)
	case s.Change != nil:
		c.changes = append(c.changes, *s.Change)
	case s.Edge != nil:
		c.edges = append(c.edges, *s.Edge)
	case s.Hint != nil:
		c.hints = append(c.hints, *s.Hint)
	}
}

func (c *Collector) observer(r *parse.Record) string {
	if r.Service != "" {
		return c.internString(r.Service)
	}
	return unnamed
}

// name gives the records that named nobody to service.
func (c *Collector) name(service string) {
	for _, st := range c.streams {
		if st.Observer == unnamed {
			st.Observer = service
		}
	}
	for _, p := range c.patterns {
		if p.Service == unnamed {
			p.Service = service
		}
	}
	for _, u := range c.upstream {
		if u.Observer == unnamed {
			u.Observer = service
		}
	}
	for _, a := range c.answerers {
		if a.Observer == unnamed {
			a.Observer = service
		}
	}
	for i := range c.failures {
		if c.failures[i].Observer == unnamed {
			c.failures[i].Observer = service
		}
	}
	for _, x := range c.complains {
		if x.Service == unnamed {
			x.Service = service
		}
	}
	for i := range c.events {
		if c.events[i].service == unnamed {
			c.events[i].service = service
		}
	}
}

func (c *Collector) internString(s string) string {
	if v, ok := c.intern[s]; ok {
		return v
	}
	v := strings.Clone(s)
	c.intern[v] = v
	return v
}

func (c *Collector) request(r *parse.Record) {
	st := c.stream(r)
	st.Requests.Add(r.Time, 1)
	if r.Duration >= 0 {
		st.Timed++
		if us := r.Duration * 1e6; us >= 1 {
			st.Seconds.Add(r.Time, uint32(min(us, 4e9)))
		}
	}
	n := st.status(r.Status)
	n.Count++
	if r.Upstream != "" {
		st.Proxy = true
		c.viaUpstream(r)
	}
	if r.RequestID != "" && len(c.answers) < maxAnswers {
		c.answers = append(c.answers, Answer{ID: HashID(r.RequestID), Time: r.Time, Status: int16(min(r.Status, 999)), By: c.answerer(r, st)})
	}
	if r.Status >= 400 {
		n.Times.Add(r.Time, 1)
		if r.Status == 499 && r.Duration >= 1 {
			st.Abandoned.Add(r.Time, 1)
		}
		if r.Status >= 500 || r.Status == 499 {
			c.failure(r, st)
		}
	}
}

// stream finds the stream of a record. The cache in front of the map is indexed by a cheap hash of the raw path with
// digits folded; it only saves work, a miss falls through to folding the route properly.
func (c *Collector) stream(r *parse.Record) *Stream {
	obs := c.observer(r)
	h := quickHash(r.Method, r.URL)
	slot := &c.recent[h&255]
	if slot.stream != nil && slot.hash == h && slot.stream.Observer == obs && slot.stream.Method == r.Method && sameRoute(slot.stream.Route, r.URL) {
		return slot.stream
	}
	c.route = foldRoute(c.route[:0], r.URL)
	st := c.streams[streamKey{obs, r.Method, string(c.route)}]
	if st == nil {
		route := string(c.route)
		method := c.internString(r.Method)
		if len(c.streams) >= maxStreams {
			method, route = "", "(other)"
			if st = c.streams[streamKey{obs, method, route}]; st != nil {
				return st
			}
		}
		st = &Stream{Observer: obs, Method: method, Route: route}
		c.streams[streamKey{obs, method, route}] = st
	}
	slot.hash, slot.stream = h, st
	return st
}

// sameRoute reports whether url is literally the route: only then may the cache answer without folding.
func sameRoute(route, url string) bool {
	return strings.HasPrefix(url, route) && (len(url) == len(route) || url[len(route)] == '?')
}

func quickHash(method, url string) uint64 {
	h := uint64(len(method))
	for i := 0; i < len(url) && url[i] != '?'; i++ {
		h = (h ^ uint64(url[i])) * 1099511628211
	}
	return h
}

func (c *Collector) answerer(r *parse.Record, st *Stream) *Answerer {
	k := Answerer{Observer: st.Observer, Method: st.Method, Route: st.Route, Upstream: lastOf(r.Upstream), Proxy: r.Upstream != ""}
	if a := c.answerers[k]; a != nil {
		return a
	}
	k.Upstream = strings.Clone(k.Upstream)
	c.answerers[k] = &k
	return &k
}

// lastOf returns the last entry of a comma list: a proxy that tried several upstreams got its answer from the last.
func lastOf(list string) string {
	if i := strings.LastIndexAny(list, ",: "); i >= 0 && strings.ContainsAny(list, ", ") {
		if j := strings.LastIndexAny(list, ", "); j >= 0 {
			return strings.TrimSpace(list[j+1:])
		}
	}
	return list
}

func (c *Collector) viaUpstream(r *parse.Record) {
	addr, status := r.Upstream, r.UpstreamStatus
	if strings.IndexByte(addr, ',') < 0 {
		c.oneUpstream(r, addr, status)
		return
	}
	// nginx: "a:80, b:80" tried in turn, ": " between groups of an internal redirect
	addrs, codes := strings.Split(addr, ","), strings.Split(status, ",")
	for i, a := range addrs {
		s := ""
		if i < len(codes) {
			s = strings.TrimSpace(codes[i])
		}
		c.oneUpstream(r, strings.TrimSpace(a), s)
	}
}

func (c *Collector) oneUpstream(r *parse.Record, addr, status string) {
	if addr == "" || addr == "-" {
		return
	}
	obs := c.observer(r)
	u := c.lastUp
	if u == nil || u.Addr != addr || u.Observer != obs {
		k := upstreamKey{obs, addr}
		if u = c.upstream[k]; u == nil {
			if len(c.upstream) >= 4096 { // more addresses than any proxy has upstreams: a parse error or a scan
				return
			}
			u = &Upstream{Observer: obs, Addr: strings.Clone(addr)}
			c.upstream[upstreamKey{obs, u.Addr}] = u
		}
		c.lastUp = u
	}
	u.Requests.Add(r.Time, 1)
	switch {
	case status == "" && r.Status >= 500, status == "-" && r.Status >= 500:
		u.NoAnswer.Add(r.Time, 1)
		u.Failed.Add(r.Time, 1)
	case len(status) == 3 && status[0] == '5':
		u.Failed.Add(r.Time, 1)
	}
}

func (c *Collector) failure(r *parse.Record, st *Stream) {
	if r.ClientAddr != "" && r.Status >= 500 {
		st.Clients.add(HashID(r.ClientAddr))
	}
	k := slotKey{st, r.Status, r.Time / minute}
	if c.slots[k]++; c.slots[k] > failuresPerSlot || len(c.failures) >= maxFailures {
		return
	}
	reason := r.Get("response_flags")
	reason = cmp.Or(reason, r.Get("termination_state"), r.Get("error_reason"), r.Get("upstream_failure"), r.Get("response_code_details"))
	c.failures = append(c.failures, Failure{
		Time: r.Time, File: c.file, Line: int32(r.Line), Status: int32(r.Status), Duration: r.Duration,
		Observer: st.Observer, Method: st.Method, Route: st.Route, URL: strings.Clone(r.URL),
		Upstream: strings.Clone(r.Upstream), UpstreamStatus: strings.Clone(r.UpstreamStatus), Reason: strings.Clone(reason),
		ID: HashID(r.RequestID), RequestID: strings.Clone(r.RequestID), Client: strings.Clone(r.ClientAddr),
	})
}

// log counts a record under its pattern. Records without a time count too, at time 0.
func (c *Collector) log(r *parse.Record) {
	c.text = appendText(c.text[:0], r)
	if len(c.text) == 0 {
		return
	}
	id := pattern.Hash(c.text)
	service := c.observer(r)
	k := patternKey{service, r.Level, id}
	p := c.patterns[k]
	if p == nil {
		if len(c.patterns) >= maxPatterns {
			return
		}
		p = &Pattern{ID: id, Service: service, Level: r.Level, Template: pattern.Template(c.text), slots: map[int64]int{}}
		c.patterns[k] = p
	}
	p.Count++
	if r.Time != 0 {
		p.Times.Add(r.Time, 1)
	}
	if r.Level >= inquest.LevelError && r.RequestID == "" && r.Kind == parse.KindLog {
		c.complain(r, service)
	}
	if h := HashID(cmp.Or(r.RequestID, r.TraceID)); h != 0 && len(p.Requests) < maxIDs && r.Level != inquest.LevelInfo {
		p.Requests = append(p.Requests, h)
	}
	if r.Instance != "" {
		p.addInstance(c.internString(r.Instance))
	}
	if r.TraceID != "" && r.SpanID != "" {
		c.events = append(c.events, event{strings.Clone(r.TraceID), service, c.internString(r.Instance), c.internString(cmp.Or(r.Logger, id.String())), time.Unix(0, r.Time).UTC()})
	}
	slot := r.Time / minute
	if p.slots[slot]++; p.slots[slot] <= examplesPerSlot && len(p.Examples) < 8*maxExamples {
		p.Examples = append(p.Examples, c.example(r))
	}
}

func (c *Collector) example(r *parse.Record) Example {
	e := Example{Time: r.Time, File: c.file, Line: int32(r.Line), Text: string(c.text), Instance: strings.Clone(r.Instance),
		RequestID: strings.Clone(cmp.Or(r.RequestID, r.TraceID)), URL: strings.Clone(r.URL), Exception: cloneException(r.Exception), Pool: r.Pool}
	if r.Level >= inquest.LevelWarn || r.Level == inquest.LevelUnknown {
		if r.Upstream != "" {
			e.Fields = append(e.Fields, parse.Field{Name: "upstream", Value: strings.Clone(r.Upstream)})
		}
		for _, f := range r.Fields {
			if keptField(f) && len(e.Fields) < 40 {
				e.Fields = append(e.Fields, parse.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value), Num: f.Num})
			}
		}
	}
	return e
}

// cloneException copies an exception out of the read buffer.
func cloneException(e *inquest.Exception) *inquest.Exception {
	if e == nil {
		return nil
	}
	c := *e
	for _, p := range []*string{&c.Language, &c.Type, &c.Message, &c.TopFrame, &c.AppFrame, &c.Code} {
		*p = strings.Clone(*p)
	}
	c.Chain = make([]inquest.Cause, len(e.Chain))
	for i, l := range e.Chain {
		c.Chain[i] = inquest.Cause{Type: strings.Clone(l.Type), Message: strings.Clone(l.Message)}
	}
	return &c
}
