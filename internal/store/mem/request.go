package mem

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/stat"
)

// streamKey is one observer's view of one route.
type streamKey struct {
	observer, method, route string
}

// Stream counts the requests that one observer (a proxy or a service) answered on one route.
type Stream struct {
	// What counting a request touches stands together, in one line of the processor's cache.
	Requests stat.Histogram // how long they took is summed up, in units of DurationUnit
	Status   []StatusCount  // ascending by status once sealed
	Timed    bool           // some of them carried a duration
	Proxy    bool           // the observer is a proxy: its records name an upstream

	gone     bool   // given up
	observer uint32 // number of Observer in its tally
	rank     uint64 // of name, see bounds.go
	name     string // "METHOD /route"; Method and Route are parts of it
	Observer string
	Method   string
	Route    string    // folded path
	Clients  clientSet // clients whose requests failed
	// Abandoned counts requests that the client gave up (499) after a second or more of waiting: nobody waits for a page
	// that long by choice. Clients that leave at once are the clients' business.
	Abandoned stat.Histogram
	// Broken counts answers that began well, with a status below 400, and broke off in the middle, by the proxy's own word.
	Broken stat.Histogram
	// Limited counts answers of 429 that the proxy made of its upstream's 5xx. A 429 of the upstream's own is how a limit should be told,
	// and the client's business; this upstream called it a failure of its own, and whoever reads its statuses sees an outage.
	Limited stat.Histogram
}

// newStream makes the stream of a name ("METHOD /route") of which the first n bytes are the method.
func newStream(id uint32, observer, name string, n int) *Stream {
	return &Stream{observer: id, Observer: observer, name: name, Method: name[:n], Route: name[n+1:], rank: HashID(name)}
}

// DurationUnit is the unit of the sums of Stream.Requests: fine enough for answers from a cache, and coarse enough for a counter of 32 bits
// to hold five days of waiting, which a busy minute of a hanging service adds up to.
const DurationUnit = 100 * time.Microsecond

// StatusCount counts one status of a stream.
type StatusCount struct {
	Status int
	Count  uint64
	Times  stat.Histogram // kept for 4xx and 5xx only
}

// Name returns "METHOD /route".
func (s *Stream) Name() string {
	switch {
	case s.Method == "":
		return s.Route
	case s.name == "": // not of a log, but made from a server's counters
		return s.Method + " " + s.Route
	}
	return s.name
}

func (s *Stream) compare(o *Stream) int {
	return cmp.Or(cmp.Compare(s.Observer, o.Observer), cmp.Compare(s.Route, o.Route), cmp.Compare(s.Method, o.Method))
}

func (s *Stream) merge(o *Stream) {
	s.Proxy, s.Timed = s.Proxy || o.Proxy, s.Timed || o.Timed
	s.Requests.Merge(&o.Requests)
	s.Abandoned.Merge(&o.Abandoned)
	s.Broken.Merge(&o.Broken)
	s.Limited.Merge(&o.Limited)
	for i := range o.Status {
		c := s.status(o.Status[i].Status)
		c.Count += o.Status[i].Count
		c.Times.Merge(&o.Status[i].Times)
	}
	s.Clients.merge(&o.Clients)
}

func (s *Stream) seal() {
	slices.SortFunc(s.Status, func(a, b StatusCount) int { return cmp.Compare(a.Status, b.Status) })
}

func (s *Stream) status(code int) *StatusCount {
	for i := range s.Status {
		if s.Status[i].Status == code {
			return &s.Status[i]
		}
	}
	if len(s.Status) == cap(s.Status) { // there are many streams of few statuses: no room to spare
		s.Status = append(make([]StatusCount, 0, len(s.Status)+2), s.Status...)
	}
	s.Status = append(s.Status, StatusCount{Status: code})
	return &s.Status[len(s.Status)-1]
}

// clientSet counts distinct clients by hash, exactly up to its bound.
type clientSet struct {
	seen map[uint64]struct{}
}

const maxClients = 50_000

func (c *clientSet) add(h uint64) {
	if c.seen == nil {
		c.seen = map[uint64]struct{}{}
	}
	if len(c.seen) < maxClients {
		c.seen[h] = struct{}{}
	}
}

func (c *clientSet) merge(o *clientSet) {
	for h := range o.seen {
		c.add(h)
	}
}

// Hashes calls f for each distinct client, in no order.
func (c *clientSet) Hashes(f func(uint64)) {
	for h := range c.seen {
		f(h)
	}
}

// Failure is one failed request kept with its detail.
type Failure struct {
	Time           int64 // when it was answered, Unix ns
	File           int32 // index into the case's files
	Line           int32
	Status         int32
	Duration       float64 // seconds, -1 when unknown
	Observer       string
	Method         string
	Route          string
	URL            string
	Upstream       string
	UpstreamStatus string
	Reason         string // the proxy's own word: response flags, termination state
	ID             uint64 // hash of the request id, 0 when it has none
	RequestID      string
	Client         string
}

func (f Failure) compare(o Failure) int {
	return cmp.Or(cmp.Compare(f.Time, o.Time), cmp.Compare(f.File, o.File), cmp.Compare(f.Line, o.Line))
}

// Name returns "METHOD /route".
func (f *Failure) Name() string {
	if f.Method == "" {
		return f.Route
	}
	return f.Method + " " + f.Route
}

// On reports whether Name is route.
func (f *Failure) On(route string) bool {
	rest, ok := strings.CutPrefix(route, f.Method)
	if ok && f.Method != "" {
		rest, ok = strings.CutPrefix(rest, " ")
	}
	return ok && rest == f.Route
}

// Answer says what one identified request got, from one observer.
type Answer struct {
	ID     uint64 // hash of the request id
	Time   int64
	By     *Answerer
	Status int16
}

// Answerer says who wrote an answer down, for which route, and whom a proxy had asked.
type Answerer struct {
	Observer, Method, Route, Upstream string
	Proxy                             bool
}

type upstreamKey struct{ observer, addr string }

// Upstream counts what one proxy got from one upstream address.
type Upstream struct {
	observer uint32 // number of Observer in its collector
	Observer string
	Addr     string
	Requests stat.Histogram
	Failed   stat.Histogram // upstream answered 5xx or not at all
	NoAnswer stat.Histogram // not at all
	Name     string         // by which the proxy's own configuration knows it (a cluster, a backend), told by a failed request
}

func (u *Upstream) compare(o *Upstream) int {
	return cmp.Or(cmp.Compare(u.Observer, o.Observer), cmp.Compare(u.Addr, o.Addr))
}

func (u *Upstream) merge(o *Upstream) {
	u.Requests.Merge(&o.Requests)
	u.Failed.Merge(&o.Failed)
	u.NoAnswer.Merge(&o.NoAnswer)
	u.Name = max(u.Name, o.Name) // two names at one address: either, but always the same
}

// HashID hashes a request or trace id, the same in every run; 0 stands for "no id" and is never returned for a non-empty id.
// It is a multiplicative hash of eight bytes a step, as in wyhash (https://github.com/wangyi-fudan/wyhash).
func HashID(id string) uint64 {
	if id == "" {
		return 0
	}
	h := uint64(len(id)) ^ 0xa0761d6478bd642f
	for ; len(id) > 8; id = id[8:] {
		h = mix(h^word(id), 0xe7037ed1a0b428db)
	}
	var last [8]byte
	copy(last[:], id)
	h = mix(h^binary.LittleEndian.Uint64(last[:]), 0x8ebc6af09c88c6e3)
	if h == 0 {
		return 1
	}
	return h
}

// mix folds the 128 bits of a product into 64.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
