package mem

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// request counts one request. It runs on every line of an access log: no allocation, no map, and as few places in memory
// as the counters need.
func (c *Collector) request(r *parse.Record) {
	if c.unchecked++; c.unchecked >= budgetEvery {
		c.unchecked = 0
		c.widths.hold(slices.Values(c.streams.all))
	}
	st := c.stream(r)
	st.Requests.Add(r.Time, 1)
	if r.Duration >= 0 {
		st.Timed++
		if n := r.Duration*float64(time.Second/DurationUnit) + 0.5; n >= 1 {
			st.Seconds.Add(r.Time, uint32(min(n, 4e9)))
		}
	}
	n := st.status(r.Status)
	n.Count++
	if r.Upstream != "" {
		st.Proxy = true
		c.viaUpstream(r, st.observer)
	}
	if r.RequestID != "" {
		c.answer(r, st)
	}
	if r.Status >= 400 {
		n.Times.Add(r.Time, 1)
		if r.Status == 499 && r.Duration >= 1 {
			st.Abandoned.Add(r.Time, 1)
		}
		if r.Status >= 500 || r.Status == 499 {
			c.failure(r, st, n)
		}
	}
}

// stream finds the stream of a record.
func (c *Collector) stream(r *parse.Record) *Stream {
	obs := c.observers.id(r.Service)
	c.route = append(append(c.route[:0], r.Method...), ' ')
	c.route = foldRoute(c.route, r.URL)
	h := c.streams.hash(obs, c.route)
	if st := c.streams.find(h, obs, c.route); st != nil {
		return st
	}
	if c.streams.evicted && rank(c.route) > c.streams.last {
		return c.streams.other(obs, c.observers.names[obs])
	}
	c.streams.add(h, newStream(obs, c.observers.names[obs], string(c.route), len(r.Method)))
	if len(c.streams.all) > maxStreams*5/4 {
		c.streams.shrink(maxStreams)
	}
	return c.stream(r) // it may have been given up at once
}

// answer notes what an identified request got.
func (c *Collector) answer(r *parse.Record, st *Stream) {
	id := HashID(r.RequestID)
	if id > c.lastID {
		return
	}
	if len(c.answers) >= 2*maxAnswers { // twice, so that it happens rarely
		c.answers, c.lastID = thinAnswers(c.answers, maxAnswers)
	}
	c.answers = append(c.answers, Answer{ID: id, Time: r.Time, Status: int16(min(r.Status, 999)), By: c.answerer(r, st)})
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

func (c *Collector) viaUpstream(r *parse.Record, observer uint32) {
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
	case len(status) == 3 && status[0] == '5':
		u.Failed.Add(r.Time, 1)
	}
}

func (c *Collector) failure(r *parse.Record, st *Stream, n *StatusCount) {
	if r.ClientAddr != "" && r.Status >= 500 {
		st.Clients.add(HashID(r.ClientAddr))
	}
	method, route := st.Method, st.Route
	if st.isOther() { // kept under its own name until Seal: thinning must not depend on when a worker gave the route up
		name := string(c.route)
		method, route = name[:len(r.Method)], name[len(r.Method)+1:]
	} else if n.full(r.Time / minute) {
		return
	}
	if len(c.failures) >= 2*maxFailures { // twice, so that it happens rarely
		c.failures = thinFailures(c.failures, maxFailures)
	}
	reason := r.Get("response_flags")
	reason = cmp.Or(reason, r.Get("termination_state"), r.Get("error_reason"), r.Get("upstream_failure"), r.Get("response_code_details"))
	c.failures = append(c.failures, Failure{
		Time: r.Time, File: c.file, Line: int32(r.Line), Status: int32(r.Status), Duration: r.Duration,
		Observer: st.Observer, Method: method, Route: route, URL: strings.Clone(r.URL),
		Upstream: c.internString(r.Upstream), UpstreamStatus: c.internString(r.UpstreamStatus), Reason: c.internString(reason),
		ID: HashID(r.RequestID), RequestID: strings.Clone(r.RequestID), Client: strings.Clone(r.ClientAddr),
	})
}
