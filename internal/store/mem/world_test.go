package mem_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

var t0 = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// access is a request record as a reader hands it over.
func access(at time.Time, method, url string, status int, more ...func(*parse.Record)) *parse.Record {
	var r parse.Record
	r.Reset()
	r.Kind, r.Time, r.Clock = parse.KindAccess, at.UnixNano(), parse.ClockUTC
	r.Method, r.URL, r.Status = method, url, status
	for _, f := range more {
		f(&r)
	}
	return &r
}

func line(at time.Time, level inquest.Level, message string, more ...func(*parse.Record)) *parse.Record {
	var r parse.Record
	r.Reset()
	r.Level, r.Message = level, message
	if !at.IsZero() {
		r.Time, r.Clock = at.UnixNano(), parse.ClockUTC
	}
	for _, f := range more {
		f(&r)
	}
	return &r
}

func by(service string) func(*parse.Record) { return func(r *parse.Record) { r.Service = service } }
func from(instance string) func(*parse.Record) {
	return func(r *parse.Record) { r.Instance = instance }
}
func id(s string) func(*parse.Record)          { return func(r *parse.Record) { r.RequestID = s } }
func client(s string) func(*parse.Record)      { return func(r *parse.Record) { r.ClientAddr = s } }
func took(seconds float64) func(*parse.Record) { return func(r *parse.Record) { r.Duration = seconds } }
func inLine(n int) func(*parse.Record)         { return func(r *parse.Record) { r.Line = n } }
func clock(c parse.Clock) func(*parse.Record)  { return func(r *parse.Record) { r.Clock = c } }
func field(name, v string) func(*parse.Record) { return func(r *parse.Record) { r.Add(name, v) } }
func via(up, status string) func(*parse.Record) {
	return func(r *parse.Record) { r.Upstream, r.UpstreamStatus = up, status }
}

// gather logs records into one collector and seals a store with it.
func gather(set mem.Settings, service string, records ...*parse.Record) *mem.Store {
	c := mem.NewCollector(set)
	for _, r := range records {
		c.Log(r)
	}
	st := mem.New()
	st.Merge(c, service)
	st.Seal()
	return st
}

// listed is everything that a sealed store lists, as plain values.
type listed struct {
	Streams    []stream
	Patterns   []patternRow
	SpanErrors []patternRow
	Complaints []complaint
	Upstreams  []upstream
	Failures   []mem.Failure
	Answers    []answer
	Series     []inquest.Series
	Changes    []inquest.Change
	Edges      []inquest.Edge
	Hint       inquest.Hint
	Spans      int
}

type bucket struct {
	At int64
	N  uint32
}

type counts struct {
	Width   time.Duration
	Buckets []bucket
}

func countsOf(h *stat.Histogram) counts {
	c := counts{Width: h.Width()}
	for at, n := range h.Buckets() {
		c.Buckets = append(c.Buckets, bucket{at / 1e9, n})
	}
	return c
}

type status struct {
	Code  int
	Count uint64
	Times counts
}

type stream struct {
	Observer, Name              string
	Proxy, Timed                bool
	Requests, Abandoned, Broken counts
	Seconds                     uint64
	Status                      []status
	Clients                     []uint64
}

type patternRow struct {
	Service   string
	Level     inquest.Level
	ID        string
	Template  string
	Count     uint64
	Times     counts
	Examples  []mem.Example
	Requests  []uint64
	Instances []string
}

type complaint struct {
	Service, Name string
	Times         counts
	Named         uint64 // lines with an id
}

type upstream struct {
	Observer, Addr             string
	Requests, Failed, NoAnswer counts
}

type answer struct {
	ID     uint64
	Time   int64
	By     mem.Answerer
	Status int16
}

func list(st *mem.Store) listed {
	l := listed{Failures: st.Failures(), Series: st.Series(), Changes: st.Changes(), Edges: st.Edges(), Hint: st.Hint(), Spans: st.Traces().Len()}
	for _, s := range st.Streams() {
		x := stream{Observer: s.Observer, Name: s.Name(), Proxy: s.Proxy, Timed: s.Timed, Requests: countsOf(&s.Requests), Seconds: s.Requests.Sum(0, math.MaxInt64), Abandoned: countsOf(&s.Abandoned), Broken: countsOf(&s.Broken)}
		for i := range s.Status {
			x.Status = append(x.Status, status{s.Status[i].Status, s.Status[i].Count, countsOf(&s.Status[i].Times)})
		}
		s.Clients.Hashes(func(h uint64) { x.Clients = append(x.Clients, h) })
		slices.Sort(x.Clients)
		l.Streams = append(l.Streams, x)
	}
	l.Patterns, l.SpanErrors = patternsOf(st.Patterns()), patternsOf(st.SpanErrors())
	for _, c := range st.Complaints() {
		l.Complaints = append(l.Complaints, complaint{c.Service, c.Name(), countsOf(&c.Times), c.Named.Count(0, 1<<62)})
	}
	for _, u := range st.Upstreams() {
		l.Upstreams = append(l.Upstreams, upstream{u.Observer, u.Addr, countsOf(&u.Requests), countsOf(&u.Failed), countsOf(&u.NoAnswer)})
	}
	for _, a := range st.Answers() {
		l.Answers = append(l.Answers, answer{a.ID, a.Time, *a.By, a.Status})
	}
	return l
}

func patternsOf(in []*mem.Pattern) []patternRow {
	var out []patternRow
	for _, p := range in {
		out = append(out, patternRow{p.Service, p.Level, p.ID.String(), p.Template, p.Count, countsOf(&p.Times), p.Examples, p.Requests, p.Instances})
	}
	return out
}

// busy is a random mixture of requests and log lines of minutes, a little out of order as concurrent writers leave it.
func busy(rng *rand.Rand, n int, over time.Duration) []*parse.Record {
	routes := []string{"/api/orders/%d", "/cart", "/api/users/%d/avatar.png", "/static/app.js?v=%d"}
	texts := []string{"payment for order %d failed", "retry %d of 5", "GET /api/orders/%d failed: timeout", "cache miss for key %d"}
	var at []time.Duration
	for range n {
		at = append(at, time.Duration(rng.Int64N(int64(over))))
	}
	slices.Sort(at)
	out := make([]*parse.Record, 0, n)
	for i, d := range at {
		when := t0.Add(d + time.Duration(rng.IntN(3000)-1500)*time.Millisecond)
		reqID := fmt.Sprintf("req-%08d", i)
		if rng.IntN(4) == 0 {
			url := fmt.Sprintf(routes[rng.IntN(len(routes))], rng.IntN(1000))
			code := []int{200, 200, 201, 404, 499, 500, 502, 503}[rng.IntN(8)]
			r := access(when, []string{"GET", "POST"}[rng.IntN(2)], url, code, inLine(i+1), id(reqID), client(fmt.Sprint("10.0.0.", rng.IntN(200))), took(rng.Float64()*3))
			if rng.IntN(2) == 0 {
				r.Upstream, r.UpstreamStatus = "10.1.0.1:80, 10.1.0.2:80", "502, 200"
			}
			if rng.IntN(3) == 0 {
				r.Service = "edge"
			}
			out = append(out, r)
			continue
		}
		levels := []inquest.Level{inquest.LevelInfo, inquest.LevelWarn, inquest.LevelError}
		r := line(when, levels[rng.IntN(3)], fmt.Sprintf(texts[rng.IntN(len(texts))], rng.IntN(1000)), inLine(i+1), from(fmt.Sprint("api-", rng.IntN(40))))
		if rng.IntN(3) > 0 {
			r.RequestID = reqID
		}
		out = append(out, r)
	}
	return out
}

func order[T any](rng *rand.Rand, in []T) {
	rng.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
}
