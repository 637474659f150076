package mem

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"
)

// tally counts the requests of one file. Its workers share it, so that each route has its counters once however many
// workers there are. They bring their requests in batches, each ordered by stream: a stream's counters lie in many places
// of memory, which are then fetched once for all its requests of the batch.
//
// Numbers have a lock of their own: a worker that meets a new route does not wait until another one has counted its batch.
type tally struct {
	seed maphash.Seed

	names     sync.Mutex // of what has a number; whoever needs both locks mu first
	observers nameTable  // who wrote the records
	numbers   numberTable
	streams   []*Stream // by number; the numbers of streams that were given up lead to the one of other routes
	others    []uint32  // by observer: 1 more than the number of its stream of other routes
	live      int       // streams but those of other routes
	evicted   bool      // there were too many
	last      uint64    // then: the highest rank that stays
	widths    widths    // of new streams

	mu      sync.Mutex   // of what the streams count, and of the rest; giving streams up takes both
	members []*Collector // of the workers
	filled  filled       // by all streams, at these widths

	failures [][]Failure // as the workers brought them: a list of its own would be copied whenever it grows
	failed   int         // of them
	answers  []Answer
	lastID   uint64 // answers of larger ids are not kept any more, see bounds.go

	starts []uint32 // scratch of apply
	order  []uint16
}

func newTally() *tally {
	return &tally{seed: maphash.MakeSeed(), observers: newNameTable(), last: math.MaxUint64, lastID: math.MaxUint64}
}

// hash hashes the name of a stream ("METHOD /route"). The seed has no influence on what the tally holds.
func (t *tally) hash(observer uint32, name []byte) uint64 {
	return maphash.Bytes(t.seed, name) ^ observerHash(observer)
}

func observerHash(observer uint32) uint64 { return uint64(observer) * 0x9e3779b97f4a7c15 }

// number returns the number of the stream of a name, of which the first n bytes are the method; names is locked.
func (t *tally) number(hash uint64, observer uint32, name []byte, n int) uint32 {
	if k, ok := t.numbers.find(hash); ok {
		return k
	}
	if t.evicted && rank(name) > t.last || n == 0 && string(name[1:]) == other {
		return t.other(observer)
	}
	k := t.add(newStream(observer, t.observers.names[observer], string(name), n))
	t.numbers.put(hash, k)
	t.live++
	return k
}

// crowded reports whether there are so many streams that some are to be given up; names is locked.
func (t *tally) crowded() bool { return t.live > maxStreams*5/4 }

// list returns the streams by number. It stays as it is while mu is locked: those that come later are behind its end.
func (t *tally) list() []*Stream {
	t.names.Lock()
	defer t.names.Unlock()
	return t.streams
}

func (t *tally) add(st *Stream) uint32 {
	st.widen(t.widths)
	t.streams = append(t.streams, st)
	return uint32(len(t.streams) - 1)
}

// other returns the number of the stream for the routes beyond maxStreams.
func (t *tally) other(observer uint32) uint32 {
	for len(t.others) <= int(observer) {
		t.others = append(t.others, 0)
	}
	if t.others[observer] == 0 {
		t.others[observer] = 1 + t.add(newStream(observer, t.observers.names[observer], " "+other, 0))
	}
	return t.others[observer] - 1
}

// all lists the streams, each once; names is locked.
func (t *tally) all() []*Stream {
	out := make([]*Stream, 0, t.live)
	for k, st := range t.streams {
		if !st.isOther() || t.others[st.observer] == uint32(k)+1 {
			out = append(out, st)
		}
	}
	return out
}

// shrink gives up the streams beyond the limit, if there are too many; what they counted goes to those for other routes.
func (t *tally) shrink(limit int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names.Lock()
	defer t.names.Unlock()
	if !t.crowded() {
		return // another worker was first
	}
	out, last := surplus(t.all(), limit)
	if len(out) == 0 {
		return
	}
	t.evicted, t.last = true, last
	for _, st := range out {
		st.gone = true
	}
	t.live -= len(out)
	for k, st := range t.streams {
		if st.gone {
			to := t.streams[t.other(st.observer)]
			to.merge(st)
			t.streams[k] = to
		}
	}
	t.filled = filledBy(slices.Values(t.all()))
	t.renumber()
}

// renumber leaves the streams that were given up out of the table: the more of it that a core's cache holds, the better.
func (t *tally) renumber() {
	t.numbers.clear()
	for k, st := range t.streams {
		if !st.isOther() {
			t.numbers.put(maphash.String(t.seed, st.name)^observerHash(st.observer), uint32(k))
		}
	}
}

// batchSize is how many requests a worker gathers: enough that the frequent routes come many times, few enough that the
// batch stays in the cache. While another worker counts it goes on gathering, up to maxBatch.
const (
	batchSize = 1 << 15
	maxBatch  = 1 << 16
)

// counted is one request of a batch.
type counted struct {
	stream uint32
	second uint32 // when, Unix seconds
	wait   uint32 // duration in units of DurationUnit
	status uint16
	flags  uint8
}

const (
	countedTimed     = 1 << iota // it carried a duration
	countedProxy                 // it named an upstream
	countedAbandoned             // see Stream.Abandoned
	countedBroken                // see Stream.Broken
	countedLimited               // see Stream.Limited
)

// apply counts a batch; mu is locked.
func (t *tally) apply(batch []counted, streams []*Stream) {
	if len(batch) == 0 {
		return
	}
	order := t.sort(batch, len(streams))
	for from := 0; from < len(order); {
		k := batch[order[from]].stream
		to := from + 1
		for to < len(order) && batch[order[to]].stream == k {
			to++
		}
		streams[k].count(batch, order[from:to], &t.filled)
		from = to
	}
	if t.filled.over() {
		t.names.Lock()
		defer t.names.Unlock()
		t.filled = t.widths.hold(slices.Values(t.all()))
	}
}

// sort returns the batch's indices ordered by stream, of which there are n, those of one stream as they came.
func (t *tally) sort(batch []counted, n int) []uint16 {
	if need := n + 1; cap(t.starts) < need {
		t.starts = make([]uint32, need+need/2)
	}
	if cap(t.order) < len(batch) {
		t.order = make([]uint16, len(batch))
	}
	starts, order := t.starts[:n+1], t.order[:len(batch)]
	clear(starts)
	for i := range batch {
		starts[batch[i].stream+1]++
	}
	sum := uint32(0)
	for k := range starts {
		sum += starts[k]
		starts[k] = sum
	}
	for i := range batch {
		at := &starts[batch[i].stream]
		order[*at] = uint16(i)
		*at++
	}
	return order
}

// count counts the requests of a stream: those of one second together.
func (s *Stream) count(batch []counted, order []uint16, f *filled) {
	before := s.Requests.Len()
	for len(order) > 0 {
		at := batch[order[0]].second
		n, wait := 0, uint64(0)
		for ; n < len(order) && batch[order[n]].second == at; n++ {
			r := &batch[order[n]]
			wait += uint64(r.wait)
			s.countStatus(r, f)
		}
		s.Requests.AddSum(at, uint32(n), uint32(min(wait, math.MaxUint32)))
		order = order[n:]
	}
	f.traffic += s.Requests.Len() - before
}

func (s *Stream) countStatus(r *counted, f *filled) {
	s.Timed = s.Timed || r.flags&countedTimed != 0
	s.Proxy = s.Proxy || r.flags&countedProxy != 0
	c := s.status(int(r.status))
	c.Count++
	if r.status < 400 && r.flags&countedBroken == 0 {
		return
	}
	before := c.Times.Len() + s.Abandoned.Len() + s.Broken.Len() + s.Limited.Len()
	if r.flags&countedBroken != 0 {
		s.Broken.AddSum(r.second, 1, 0)
	}
	if r.status >= 400 {
		c.Times.AddSum(r.second, 1, 0)
	}
	if r.flags&countedAbandoned != 0 {
		s.Abandoned.AddSum(r.second, 1, 0)
	}
	if r.flags&countedLimited != 0 {
		s.Limited.AddSum(r.second, 1, 0)
	}
	f.failures += c.Times.Len() + s.Abandoned.Len() + s.Broken.Len() + s.Limited.Len() - before
}

// keep takes failures and answers from a worker.
func (t *tally) keep(failures []Failure, answers []Answer) {
	if len(failures) > 0 {
		t.failures = append(t.failures, slices.Clone(failures))
		t.failed += len(failures)
	}
	if t.failed > maxFailures*5/4 {
		all := slices.Grow(t.failures[0], t.failed-len(t.failures[0])+maxFailures/8) // with room for those that come before it is too many again
		for _, some := range t.failures[1:] {
			all = append(all, some...)
		}
		all = thinFailures(all, maxFailures)
		t.failures, t.failed = [][]Failure{all}, len(all)
	}
	if t.answers = append(t.answers, answers...); len(t.answers) > maxAnswers*5/4 {
		t.answers, t.lastID = thinAnswers(t.answers, maxAnswers)
	}
}

// name gives the records that named nobody to service.
func (t *tally) name(service string) {
	for _, st := range t.streams {
		if st.Observer == unnamed {
			st.Observer = service
		}
	}
	for _, some := range t.failures {
		for i := range some {
			if some[i].Observer == unnamed {
				some[i].Observer = service
			}
		}
	}
}
