package rates

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Bounds on the number of series. A service has some dozens of routes and upstreams; more are data in paths and scans.
const (
	maxServices  = 1000
	maxRoutes    = 200 // of one service
	maxUpstreams = 200 // of one service
	other        = "(other)"
)

// Counter counts requests and log records into cumulative series. Not for concurrent use.
type Counter struct {
	step     time.Duration
	services map[string]*service
	last     *service
	text     []byte
}

type service struct {
	name      string
	access    bool // it writes an access log: its spans are the same requests once more
	well      bool // it has written of a request that went well
	routes    map[string]*route
	levels    [inquest.LevelFatal + 1]counted
	upstreams map[string]*[outcomes]counted
}

type route struct {
	name          string
	codes         []code
	failed, lying counted
	durations     *durations // nil: nothing told how long it took
}

type code struct {
	status int
	counted
}

// NewCounter returns a Counter whose Series is called about every step.
func NewCounter(step time.Duration) *Counter {
	return &Counter{step: step, services: map[string]*service{}}
}

// Sink counts the records of one log; those that do not name their writer are writer's.
func (c *Counter) Sink(writer string) parse.Sink { return counterSink{c, writer} }

type counterSink struct {
	c      *Counter
	writer string
}

func (s counterSink) Log(r *parse.Record) { s.c.Log(r, s.writer) }

func (s counterSink) Signal(x parse.Signal) {
	if x.Span != nil {
		s.c.Span(x.Span)
	}
}

// Log counts one record; one that does not name its writer is writer's.
func (c *Counter) Log(r *parse.Record, writer string) {
	s := c.service(cmp.Or(r.Service, writer))
	request := r.Kind == parse.KindAccess && r.Status != 0 && !s.failuresOnly(r)
	if !request || r.Level != inquest.LevelUnknown {
		s.level(r.Level)
	}
	if !request {
		return
	}
	s.access = true
	c.text = append(append(c.text[:0], r.Method...), ' ')
	if r.Method == "" {
		c.text = c.text[:0]
	}
	c.text = mem.AppendRoute(c.text, r.URL)
	t := s.route(c.text)
	t.request(s.name, r.Status)
	// A tunnel (101, CONNECT) ends as it pleases; what was promised whole and broke off has failed.
	if r.Broken && r.Status >= 200 && r.Status < 400 {
		t.lying.value++
	}
	if r.Duration >= 0 {
		t.duration(r.Duration)
	}
	if r.Upstream != "" {
		s.viaUpstreams(r)
	}
}

// failuresOnly reports whether a record is of a log that tells of failed requests alone, as guard's records and those of many error handlers do:
// there is nothing to hold them against, and "all of its requests fail" would be said of a service in which one of a million does.
func (s *service) failuresOnly(r *parse.Record) bool {
	if r.Status < 500 {
		s.well = true
	}
	return !s.well && r.Level >= inquest.LevelError && (r.Exception != nil || r.Get("errorId") != "")
}

// Span counts a server's span as a request where its service writes no access log, and a client's as a call of its peer.
func (c *Counter) Span(p *inquest.Span) {
	if p.Service == "" {
		return
	}
	s := c.service(p.Service)
	switch {
	case p.Kind == "server" && p.StatusCode != 0 && !s.access:
		c.text = append(c.text[:0], p.Name...)
		t := s.route(c.text)
		t.request(s.name, p.StatusCode)
		t.duration(p.Duration.Seconds())
	case p.Kind == "client" && p.Peer != "":
		o := outcomeOK
		if p.Error {
			o = outcomeFailed
		}
		s.upstream(p.Peer, o)
	}
}

// service finds a service by a name that may not outlive the call.
func (c *Counter) service(name string) *service {
	if c.last != nil && c.last.name == name {
		return c.last
	}
	s := c.services[name]
	if s == nil {
		if len(c.services) >= maxServices && name != other {
			return c.service(other)
		}
		name = strings.Clone(name)
		s = &service{name: name, routes: map[string]*route{}, upstreams: map[string]*[outcomes]counted{}}
		c.services[name] = s
	}
	c.last = s
	return s
}

func (s *service) level(l inquest.Level) {
	n := &s.levels[min(max(l, 0), inquest.LevelFatal)]
	if n.labels == nil {
		*n = counted{name: "inquest_log_records_total", labels: map[string]string{"service": s.name, "level": cmp.Or(l.String(), "unknown")}}
	}
	n.value++
}

func (s *service) route(name []byte) *route {
	t := s.routes[string(name)]
	if t == nil {
		key := string(name)
		if len(s.routes) >= maxRoutes {
			if t = s.routes[other]; t != nil {
				return t
			}
			key = other
		}
		failure := func(kind string) counted {
			return counted{name: "inquest_failures_total", labels: map[string]string{"service": s.name, "route": key, "kind": kind}}
		}
		t = &route{name: key, failed: failure("5xx"), lying: failure("lying")}
		s.routes[key] = t
	}
	return t
}

func (t *route) request(service string, status int) {
	if status < 100 || status > 999 {
		status = 0 // a misread column must not make a series of each number
	}
	t.code(service, status).value++
	if status >= 500 {
		t.failed.value++
	}
}

func (t *route) code(service string, status int) *code {
	for i := range t.codes {
		if t.codes[i].status == status {
			return &t.codes[i]
		}
	}
	t.codes = append(t.codes, code{status, counted{name: "inquest_requests_total",
		labels: map[string]string{"service": service, "route": t.name, "code": strconv.Itoa(status)}}})
	return &t.codes[len(t.codes)-1]
}

func (t *route) duration(seconds float64) {
	if t.durations == nil {
		t.durations = new(durations)
	}
	t.durations.add(seconds)
}

// Series returns what has changed, and now and then what has not, with samples at now. Counts are cumulative since NewCounter.
// now must ascend; samples that would not ascend are left out.
func (c *Counter) Series(now time.Time) []inquest.Series {
	var out []inquest.Series
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		s := c.services[name]
		for _, key := range slices.Sorted(maps.Keys(s.routes)) {
			t := s.routes[key]
			for i := range t.codes {
				out = t.codes[i].show(out, now, c.step)
			}
			out = t.lying.show(t.failed.show(out, now, c.step), now, c.step)
			if t.durations != nil {
				out = t.durations.show(out, s.name, t.name, now, c.step)
			}
		}
		for i := range s.levels {
			out = s.levels[i].show(out, now, c.step)
		}
		for _, addr := range slices.Sorted(maps.Keys(s.upstreams)) {
			for i := range s.upstreams[addr] {
				out = s.upstreams[addr][i].show(out, now, c.step)
			}
		}
	}
	return out
}

// StartOver makes all counts begin again at zero, as those of a new process do: a counter that falls to zero is understood everywhere, one whose samples go
// back in time is not.
func (c *Counter) StartOver() {
	for _, s := range c.services {
		for _, t := range s.routes {
			for i := range t.codes {
				t.codes[i].startOver()
			}
			t.failed.startOver()
			t.lying.startOver()
			t.durations = nil
		}
		for i := range s.levels {
			s.levels[i].startOver()
		}
		for _, u := range s.upstreams {
			for i := range u {
				u[i].startOver()
			}
		}
	}
}

// Add adds what another counter has counted: a replay counts each stretch of time by itself, in whatever order logs are read, and
// adds them up in the order of time.
func (c *Counter) Add(o *Counter) {
	for name, from := range o.services {
		s := c.service(name)
		s.access = s.access || from.access
		for key, f := range from.routes {
			s.route([]byte(key)).add(s.name, f)
		}
		for i := range from.levels {
			if n := from.levels[i].value; n > 0 {
				s.level(inquest.Level(i))
				s.levels[i].value += n - 1
			}
		}
		for addr, u := range from.upstreams {
			for i := range u {
				if n := u[i].value; n > 0 {
					s.upstream(addr, outcome(i)).value += n - 1
				}
			}
		}
	}
}

func (t *route) add(service string, f *route) {
	for i := range f.codes {
		t.code(service, f.codes[i].status).value += f.codes[i].value
	}
	t.failed.value += f.failed.value
	t.lying.value += f.lying.value
	if f.durations != nil {
		if t.durations == nil {
			t.durations = new(durations)
		}
		t.durations.merge(f.durations)
	}
}
