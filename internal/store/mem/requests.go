package mem

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// request counts one request. It runs on every line of an access log: no allocation, no map, and as few places in memory
// as can be.
func (c *Collector) request(r *parse.Record) {
	k := c.stream(r)
	n := counted{stream: k, second: uint32(min(max(r.Time/second, 0), math.MaxUint32)), status: uint16(min(r.Status, math.MaxUint16))}
	if r.Duration >= 0 {
		n.flags = countedTimed
		n.wait = uint32(min(r.Duration*float64(time.Second/DurationUnit)+0.5, 4e9))
	}
	if r.Upstream != "" {
		n.flags |= countedProxy
		c.viaUpstream(r)
	}
	if r.RequestID != "" {
		c.answer(r, k)
	}
	if r.Broken && r.Status >= 200 && r.Status < 400 { // 101 and CONNECT are tunnels, which end as they please
		n.flags |= countedBroken
		c.failure(r, k)
	}
	if limitedForError(r) {
		n.flags |= countedLimited
		c.failure(r, k)
	}
	if !c.served.Many && r.Status < 400 {
		c.served.serve(r)
	}
	if r.Status >= 499 {
		if r.Status == 499 && r.Duration >= 1 {
			n.flags |= countedAbandoned
		}
		if r.Status >= 500 || r.Status == 499 {
			c.failure(r, k)
		}
	}
	if len(c.batch) == cap(c.batch) { // doubling leaves less behind than append does, and a file may be small
		c.batch = slices.Grow(c.batch, max(64, len(c.batch)))
	}
	if c.batch = append(c.batch, n); len(c.batch) >= batchSize {
		c.flush()
	}
}

// statusLimited is "too many requests" (RFC 6585, 4).
const statusLimited = 429

// limitedForError reports whether a proxy told the client 429 for a 5xx of the upstream, see [Stream.Limited].
func limitedForError(r *parse.Record) bool {
	return r.Status == statusLimited && strings.HasPrefix(lastOf(r.UpstreamStatus), "5")
}

// flush brings what was gathered to the tally. While another worker is at it, gathering goes on, up to maxBatch: a worker that
// waits is a core that idles.
func (c *Collector) flush() {
	t := c.tally
	if len(c.batch) >= maxBatch {
		t.mu.Lock()
	} else if !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	c.bring()
}

// bring is flush when the tally is locked.
func (c *Collector) bring() {
	t := c.tally
	streams := t.list()
	t.apply(c.batch, streams)
	t.keep(c.failures, c.answers)
	for _, x := range c.clients {
		streams[x.stream].Clients.add(x.hash)
	}
	clear(c.failures)
	c.batch, c.failures, c.answers, c.clients = c.batch[:0], c.failures[:0], c.answers[:0], c.clients[:0]
	c.lastID = t.lastID
	t.names.Lock()
	defer t.names.Unlock()
	c.follow()
}

// follow learns which streams the tally gave up, whose names are locked: they are told by their rank from now on.
func (c *Collector) follow() {
	if t := c.tally; c.lastRank != t.last {
		c.lastRank = t.last
		c.numbers.copy(&t.numbers)
		c.streams = append(c.streams[:0], t.streams...)
	}
}

// stream finds the number of the stream of a record.
func (c *Collector) stream(r *parse.Record) uint32 {
	obs := c.observerNumber(r.Service)
	c.route = append(append(c.route[:0], r.Method...), ' ')
	c.route = foldRoute(c.route, r.URL)
	// Where there are too many routes most requests are on those given up, so these are told before the table is asked.
	if c.lastRank != math.MaxUint64 && int(obs) < len(c.others) && c.others[obs] != 0 && rank(c.route) > c.lastRank {
		return c.others[obs] - 1
	}
	h := c.tally.hash(obs, c.route)
	if k, ok := c.numbers.find(h); ok {
		return k
	}
	return c.newNumber(h, obs, len(r.Method))
}

// newNumber asks the tally for the number of the stream of c.route.
func (c *Collector) newNumber(h uint64, obs uint32, method int) uint32 {
	k, crowded := c.askNumber(h, obs, method)
	if crowded {
		c.tally.shrink(maxStreams)
	}
	return k
}

// askNumber is newNumber without giving up other streams; it reports whether there are too many.
func (c *Collector) askNumber(h uint64, obs uint32, method int) (k uint32, crowded bool) {
	t := c.tally
	t.names.Lock()
	defer t.names.Unlock()
	k = t.number(h, obs, c.route, method)
	for len(c.streams) <= int(k) {
		c.streams = append(c.streams, nil)
	}
	c.streams[k] = t.streams[k]
	c.follow()
	if !t.evicted || rank(c.route) <= t.last {
		c.numbers.put(h, k)
		return k, t.crowded()
	}
	for len(c.others) <= int(obs) {
		c.others = append(c.others, 0)
	}
	c.others[obs] = t.other(obs) + 1
	return k, t.crowded()
}

// observerNumber returns the tally's number of a writer of records.
func (c *Collector) observerNumber(service string) uint32 {
	id := c.observers.id(service)
	if int(id) < len(c.writers) {
		return c.writers[id]
	}
	c.tally.names.Lock()
	defer c.tally.names.Unlock()
	for int(id) >= len(c.writers) {
		c.writers = append(c.writers, c.tally.observers.id(c.observers.names[len(c.writers)]))
	}
	return c.writers[id]
}

// answer notes what an identified request got.
func (c *Collector) answer(r *parse.Record, k uint32) {
	id := HashID(r.RequestID)
	if id > c.lastID {
		return
	}
	c.answers = append(c.answers, Answer{ID: id, Time: r.Time, Status: int16(min(r.Status, 999)), By: c.answerer(r, k)})
}

type answererKey struct {
	stream, upstream uint32
	proxy            bool
}

func (c *Collector) answerer(r *parse.Record, k uint32) *Answerer {
	upstream := lastOf(r.Upstream)
	key := answererKey{k, c.intern.id(upstream), r.Upstream != ""}
	if a := c.answerers[key]; a != nil {
		return a
	}
	st := c.streams[k]
	a := &Answerer{Observer: st.Observer, Method: st.Method, Route: st.Route, Upstream: c.intern.names[key.upstream], Proxy: key.proxy}
	c.answerers[key] = a
	return a
}

// lastOf returns the last entry of a comma list: a proxy that tried several upstreams got its answer from the last.
func lastOf(list string) string {
	if j := strings.LastIndexAny(list, ", "); j >= 0 {
		return strings.TrimSpace(list[j+1:])
	}
	return list
}

// upstreamTable finds the upstreams by observer and address. A proxy has a handful, in turn.
type upstreamTable struct {
	addrs nameTable
	byKey map[uint64]*Upstream // observer<<32 | address
	all   []*Upstream
	last  [64]*Upstream // by address, of the observer that asked last
}

// maxUpstreams is more than any proxy has: beyond it the addresses come from a scan or from a misread column.
const maxUpstreams = 4096

func newUpstreamTable() upstreamTable {
	return upstreamTable{addrs: newNameTable(), byKey: map[uint64]*Upstream{}}
}

// get returns the upstream, nil when there are too many.
func (t *upstreamTable) get(observer uint32, name, addr string) *Upstream {
	slot := &t.last[cacheSlot(addr)]
	if u := *slot; u != nil && u.observer == observer && u.Addr == addr {
		return u
	}
	if len(t.all) >= maxUpstreams && !t.addrs.has(addr) {
		return nil
	}
	id := t.addrs.id(addr)
	key := uint64(observer)<<32 | uint64(id)
	u := t.byKey[key]
	if u == nil {
		if len(t.all) >= maxUpstreams {
			return nil
		}
		u = &Upstream{observer: observer, Observer: name, Addr: t.addrs.names[id]}
		t.byKey[key] = u
		t.all = append(t.all, u)
	}
	*slot = u
	return u
}

func (c *Collector) viaUpstream(r *parse.Record) {
	observer := c.observers.id(r.Service)
	addr, status := r.Upstream, r.UpstreamStatus
	if strings.IndexByte(addr, ',') < 0 {
		c.oneUpstream(r, observer, addr, status)
		return
	}
	// nginx: "a:80, b:80" tried in turn, ": " between groups of an internal redirect
	addrs, codes := strings.Split(addr, ","), strings.Split(status, ",")
	for i, a := range addrs {
		s := ""
		if i < len(codes) {
			s = strings.TrimSpace(codes[i])
		}
		c.oneUpstream(r, observer, strings.TrimSpace(a), s)
	}
}

func (c *Collector) oneUpstream(r *parse.Record, observer uint32, addr, status string) {
	if addr == "" || addr == "-" {
		return
	}
	u := c.upstream.get(observer, c.observers.names[observer], addr)
	if u == nil {
		return
	}
	u.Requests.Add(r.Time, 1)
	switch {
	case status == "" && r.Status >= 500, status == "-" && r.Status >= 500:
		u.NoAnswer.Add(r.Time, 1)
		u.Failed.Add(r.Time, 1)
	case len(status) == 3 && status[0] == '5', r.Broken && r.Status < 400:
		u.Failed.Add(r.Time, 1)
	}
}

// failure keeps a failed request with its detail.
func (c *Collector) failure(r *parse.Record, k uint32) {
	st := c.streams[k]
	if r.ClientAddr != "" && r.Status != 499 {
		c.clients = append(c.clients, clientOf{k, HashID(r.ClientAddr)})
	}
	method, route := st.Method, st.Route
	if st.isOther() { // kept under its own name until Seal: thinning must not depend on when a worker gave the route up
		name := string(c.route)
		method, route = name[:len(r.Method)], name[len(r.Method)+1:]
	} else if c.full(k, r.Status, r.Time/minute) {
		return
	}
	reason := r.Get("response_flags")
	reason = cmp.Or(reason, r.Get("termination_state"), r.Get("error_reason"), r.Get("upstream_failure"), r.Get("response_code_details"))
	if cause := r.Get("cause"); reason == "open" { // inquest gateway: the circuit is the consequence
		reason = cmp.Or(cause, reason)
	}
	c.nameUpstream(r)
	c.failures = append(c.failures, Failure{
		Time: r.Time, File: c.file, Line: int32(r.Line), Status: int32(r.Status), Duration: r.Duration,
		Observer: st.Observer, Method: method, Route: route, URL: r.URL,
		Upstream: c.internString(r.Upstream), UpstreamStatus: c.internString(r.UpstreamStatus), Reason: c.internString(reason),
		ID: HashID(r.RequestID), RequestID: r.RequestID, Client: r.ClientAddr,
	})
	f := &c.failures[len(c.failures)-1]
	own(func(do func(*string)) {
		do(&f.URL)
		do(&f.RequestID)
		do(&f.Client)
	})
}

// nameUpstream keeps by which name the proxy knows who failed: Envoy and Kong log it beside the address, inquest gateway and Traefik too.
func (c *Collector) nameUpstream(r *parse.Record) {
	name := r.Get("upstream_name")
	if name == "" || r.Upstream == "" || strings.IndexByte(r.Upstream, ',') >= 0 {
		return
	}
	observer := c.observers.id(r.Service)
	if u := c.upstream.get(observer, c.observers.names[observer], r.Upstream); u != nil && u.Name < name {
		u.Name = c.internString(name)
	}
}

// clientOf is a client whose request failed.
type clientOf struct {
	stream uint32
	hash   uint64
}

// slotCount counts the failures of one stream and status in the minute of the last one.
type slotCount struct {
	minute int64
	n      int
}

// full counts a failure and reports whether enough of that minute are kept. Each worker counts for itself: it sees its lines
// in their order, so that the first ones of the file are among those that it keeps.
func (c *Collector) full(k uint32, status int, minute int64) bool {
	key := uint64(k)<<32 | uint64(uint32(status))
	s := c.slots[key]
	if s == nil {
		s = &slotCount{}
		c.slots[key] = s
	}
	if s.minute != minute {
		s.minute, s.n = minute, 0
	}
	s.n++
	return s.n > failuresPerSlot
}
