package mem

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
)

// Collector gathers the signals of one worker of one file; it is a parse.Sink. It has all but the requests to itself: what
// it counts of them in a batch goes to the tally that it shares with the other workers of the file.
type Collector struct {
	file  int32
	shift time.Duration // added to every time without a zone (clock correction)
	carry bool          // records without a time take that of the record before

	recorded bool     // changes are known already
	last     int64    // time of the last record that had one
	untimed  bool     // the current record has no time of its own
	local    [2]int64 // first and last time without a zone, before the shift
	starts   []int64  // times without a zone at which a process said that it starts, before the shift

	tally     *tally
	numbers   numberTable // of the streams that this worker has met
	streams   []*Stream   // these by number, for their names: their counters are the tally's
	batch     []counted
	failures  []Failure // not yet in the tally, as are answers and clients
	answers   []Answer
	clients   []clientOf
	served    Served
	slots     map[uint64]*slotCount // by stream and status
	observers nameTable             // who wrote the records; the first is unnamed
	writers   []uint32              // their numbers in the tally
	others    []uint32              // by these: 1 more than the number of the stream of other routes, once there is one
	patterns  map[patternKey]*Pattern
	upstream  upstreamTable
	answerers map[answererKey]*Answerer

	// As in the tally when this worker looked last: they only become smaller.
	lastID   uint64 // answers of larger ids are not kept any more, see bounds.go
	lastRank uint64 // routes of higher rank are not kept any more

	lastPattern pattern.ID // nor are patterns of larger ids

	loggers map[string]bool // of records that name no writer, see CluesOf

	complains map[streamKey]*Complaint
	series    []inquest.Series
	spans     []*inquest.Span
	changes   []inquest.Change
	edges     []inquest.Edge
	hints     []inquest.Hint
	events    []event

	route   []byte
	text    []byte
	texts   [256]seenText
	made    Example // by example
	intern  nameTable
	skipped int // records without a time
}

// seenText is a text whose pattern is known.
type seenText struct {
	hash    uint64
	pattern *Pattern
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
	// Recorded says that changes are known from a record that was made of these lines: those in the file would be counted twice.
	Recorded bool
}

// NewCollector returns a collector for the first worker of one file; see Beside for the others.
func NewCollector(set Settings) *Collector { return newCollector(set, newTally()) }

func newCollector(set Settings, t *tally) *Collector {
	c := &Collector{
		file: int32(set.File), shift: set.Shift, carry: set.Carry, recorded: set.Recorded,
		tally: t, observers: newNameTable(), upstream: newUpstreamTable(), intern: newNameTable(), slots: map[uint64]*slotCount{},
		lastID: math.MaxUint64, lastRank: math.MaxUint64, lastPattern: math.MaxUint64,
		patterns: map[patternKey]*Pattern{}, complains: map[streamKey]*Complaint{}, answerers: map[answererKey]*Answerer{},
	}
	c.observers.id(unnamed)
	t.members = append(t.members, c)
	return c
}

// Beside returns a collector for a further worker of the same file. The two may be used at the same time. All collectors of
// a file are to be merged into the same store, once all its workers are done.
func (c *Collector) Beside() *Collector {
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	return newCollector(Settings{File: int(c.file), Shift: c.shift, Carry: c.carry, Recorded: c.recorded}, c.tally)
}

// leads reports whether c is the one that answers for the tally of its file.
func (c *Collector) leads() bool { return c.tally.members[0] == c }

// gather brings all that the workers of the file still hold to the tally.
func (t *tally) gather() *tally {
	for _, c := range t.members {
		c.bring()
	}
	return t
}

// Log takes one record.
func (c *Collector) Log(r *parse.Record) {
	c.untimed = false
	c.logger(r)
	switch {
	case r.Time == 0:
		if c.carry {
			r.Time, c.untimed = c.last, true
		}
	case r.Clock != parse.ClockUTC:
		if c.local[0] == 0 || r.Time < c.local[0] {
			c.local[0] = r.Time
		}
		c.local[1] = max(c.local[1], r.Time)
		if len(c.starts) < 64 && SaysStart(r.Message) {
			c.starts = append(c.starts, r.Time)
		}
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
		if r.Level < inquest.LevelWarn && r.Exception == nil && r.Status < 500 && !r.Broken && !limitedForError(r) {
			return
		}
		if r.Message == "" && r.Exception == nil && !hasErrorField(r) {
			return
		}
	}
	c.log(r)
}

func hasErrorField(r *parse.Record) bool {
	return slices.ContainsFunc(r.Fields, func(f parse.Field) bool { return isErrorField(f.Name) })
}

// Signal takes everything that is no log record.
func (c *Collector) Signal(s parse.Signal) {
	switch {
	case s.Series != nil:
		c.series = append(c.series, *s.Series)
	case s.Span != nil:
		c.spans = append(c.spans, s.Span)
	case s.Change != nil:
		if !c.recorded {
			c.changes = append(c.changes, *s.Change)
		}
	case s.Edge != nil:
		c.edges = append(c.edges, *s.Edge)
	case s.Hint != nil:
		c.hints = append(c.hints, *s.Hint)
	}
}

func (c *Collector) observer(r *parse.Record) string {
	return c.observers.names[c.observers.id(r.Service)]
}

// name gives the records that named nobody to service.
func (c *Collector) name(service string) {
	for _, p := range c.patterns {
		if p.Service == unnamed {
			p.Service = service
		}
	}
	for _, u := range c.upstream.all {
		if u.Observer == unnamed {
			u.Observer = service
		}
	}
	for _, a := range c.answerers {
		if a.Observer == unnamed {
			a.Observer = service
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

func (c *Collector) internString(s string) string { return c.intern.names[c.intern.id(s)] }

// pattern finds the pattern of c.text, nil when there are too many. Programs repeat themselves word by word, so a small cache
// by the text saves most of the masking.
func (c *Collector) pattern(r *parse.Record, service string) *Pattern {
	hash := maphash.Bytes(c.tally.seed, c.text) ^ uint64(r.Level) ^ observerHash(c.observers.id(service)) // services say the same in many words
	seen := &c.texts[hash%uint64(len(c.texts))]
	if seen.pattern != nil && seen.hash == hash && seen.pattern.Level == r.Level && seen.pattern.Service == service {
		return seen.pattern
	}
	id := pattern.Hash(c.text)
	k := patternKey{service, r.Level, id}
	p := c.patterns[k]
	if p == nil {
		if id > c.lastPattern {
			return nil
		}
		if len(c.patterns) > maxPatterns*5/4 {
			c.lastPattern = thinPatterns(c.patterns, maxPatterns)
		}
		p = &Pattern{ID: id, Service: service, Level: r.Level, Template: pattern.Template(c.text)}
		c.patterns[k] = p
	}
	seen.hash, seen.pattern = hash, p
	return p
}

// log counts a record under its pattern. Records without a time count too, at time 0.
func (c *Collector) log(r *parse.Record) {
	c.text = appendText(c.text[:0], r)
	if len(c.text) == 0 {
		return
	}
	service := c.observer(r)
	p := c.pattern(r, service)
	if p == nil {
		return
	}
	p.Count++
	if c.untimed || r.Time == 0 {
		p.Untimed++
		if r.Time != 0 {
			p.Carried.Add(r.Time, 1)
		}
	} else {
		p.Times.Add(r.Time, 1)
	}
	if r.Level >= inquest.LevelError && !c.untimed && r.Kind == parse.KindLog {
		c.complain(r, service)
	}
	if r.Level == inquest.LevelUnknown || r.Level >= inquest.LevelWarn { // what is said of requests that go well is not why some do not
		if h := HashID(cmp.Or(r.RequestID, r.TraceID)); h != 0 {
			p.addID(h)
		}
	}
	if r.Instance != "" {
		p.addInstance(c.internString(r.Instance))
	}
	if r.TraceID != "" && r.SpanID != "" {
		c.events = append(c.events, event{strings.Clone(r.TraceID), service, c.internString(r.Instance), c.internString(cmp.Or(r.Logger, p.ID.String())), time.Unix(0, r.Time).UTC()})
	}
	if p.wants(r.Time) {
		p.add(c.example(r))
	}
}

func (c *Collector) example(r *parse.Record) Example {
	e := &c.made
	*e = Example{Time: r.Time, File: c.file, Line: int32(r.Line), Text: unsafe.String(unsafe.SliceData(c.text), len(c.text)), Instance: c.internString(r.Instance),
		RequestID: cmp.Or(r.RequestID, r.TraceID), URL: r.URL, Pool: r.Pool}
	if r.Exception != nil {
		x := *r.Exception
		x.Top, x.Thrown = inquest.Frame{}, inquest.Frame{} // TopFrame says it
		x.Chain = slices.Clone(x.Chain)
		for i, l := range x.Chain {
			x.Chain[i] = inquest.Cause{Type: l.Type, Message: l.Message}
		}
		e.Exception = &x
	}
	if r.Level >= inquest.LevelWarn || r.Level == inquest.LevelUnknown {
		e.Fields = keptFields(r)
	}
	own(e.strings)
	return *e
}

// keptFields are the fields of a record worth carrying along with an example, still in the read buffer.
func keptFields(r *parse.Record) []parse.Field {
	out := make([]parse.Field, 0, min(len(r.Fields)+1, 40))
	if r.Upstream != "" {
		out = append(out, parse.Field{Name: "upstream", Value: r.Upstream})
	}
	for _, f := range r.Fields {
		if keptField(f) && len(out) < cap(out) {
			out = append(out, f)
		}
	}
	return out
}

// strings calls do with every string of e that is in the read buffer.
func (e *Example) strings(do func(*string)) {
	do(&e.Text)
	do(&e.RequestID)
	do(&e.URL)
	for i := range e.Fields {
		do(&e.Fields[i].Name)
		do(&e.Fields[i].Value)
	}
	x := e.Exception
	if x == nil {
		return
	}
	for _, s := range []*string{&x.Language, &x.Type, &x.Message, &x.TopFrame, &x.AppFrame, &x.Code, &x.App.Function, &x.App.File, &x.App.Module} {
		do(s)
	}
	for i := range x.Chain {
		do(&x.Chain[i].Type)
		do(&x.Chain[i].Message)
	}
}

// own copies strings out of the read buffer, all into one piece of memory: they are kept and given up together, and the garbage
// collector has one thing to look at instead of ten.
func own(all func(func(*string))) {
	n := 0
	all(func(s *string) { n += len(*s) })
	var b strings.Builder
	b.Grow(n)
	all(func(s *string) { b.WriteString(*s) })
	rest := b.String()
	all(func(s *string) { *s, rest = rest[:len(*s)], rest[len(*s):] })
}
