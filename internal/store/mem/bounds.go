package mem

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"
	"unsafe"

	"github.com/inquesthq/inquest/internal/pattern"
)

// What is kept beyond a bound must not depend on how a file was divided among workers, nor on the order of merges. Each
// rule here therefore picks what stays by a property of the record itself, so that a part of the input never gives up what
// the whole would keep.

// other is the route under which the requests of too many routes are counted, one stream an observer.
const other = "(other)"

// rank orders streams by their names for eviction: a hash of the name is a fair draw that every division of the input makes alike.
func rank(name []byte) uint64 { return HashID(unsafe.String(unsafe.SliceData(name), len(name))) }

func (s *Stream) isOther() bool { return s.Method == "" && s.Route == other }

// surplus returns the streams beyond the first limit by rank, and the rank of the last one that stays.
func surplus(all []*Stream, limit int) (out []*Stream, last uint64) {
	list := make([]*Stream, 0, len(all))
	for _, st := range all {
		if !st.isOther() {
			list = append(list, st)
		}
	}
	if len(list) <= limit {
		return nil, math.MaxUint64
	}
	slices.SortFunc(list, func(a, b *Stream) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		return cmp.Compare(a.Observer, b.Observer)
	})
	return list[limit:], list[limit-1].rank
}

// thinFailures keeps at most limit failures: of each file, stream, status and minute the first failuresPerSlot lines, and
// if these are too many, fewer of each and of longer times, so that what is left still covers all streams and all times.
func thinFailures(in []Failure, limit int) []Failure {
	groups := make([]failureRank, len(in))
	for i := range in {
		f := &in[i]
		groups[i] = failureRank{group: HashID(f.Observer) ^ HashID(f.Method)*3 ^ HashID(f.Route)*5 ^ uint64(f.Status)<<32 ^ uint64(f.File), index: int32(i), line: f.Line}
	}
	for level := 0; ; level++ {
		quota, width := max(1, failuresPerSlot>>level), minute<<max(0, level-5)
		groups = firstOfEach(groups, in, quota, width)
		if len(groups) <= limit || width > 1<<61 {
			break
		}
	}
	slices.SortFunc(groups, func(a, b failureRank) int { return cmp.Compare(a.index, b.index) })
	for i, g := range groups {
		in[i] = in[g.index]
	}
	clear(in[len(groups):])
	return in[:len(groups)]
}

type failureRank struct {
	group       uint64 // file, stream and status
	slot        int64
	index, line int32
}

// firstOfEach keeps the first quota lines of each group and slot of time.
func firstOfEach(groups []failureRank, in []Failure, quota int, width int64) []failureRank {
	for i := range groups {
		groups[i].slot = in[groups[i].index].Time / width
	}
	slices.SortFunc(groups, func(a, b failureRank) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.slot, b.slot), cmp.Compare(a.line, b.line))
	})
	out, n := groups[:0], 0
	for i, g := range groups {
		if i > 0 && (g.group != groups[i-1].group || g.slot != groups[i-1].slot) {
			n = 0
		}
		if n++; n <= quota {
			out = append(out, g)
		}
	}
	return out
}

// thinAnswers keeps at most limit answers, those with the smallest ids, and returns the largest id that may stay. Ids are
// hashes, so this is a fair draw of requests, and the same one in the files of all services: what two of them say about a
// request can still be put together.
func thinAnswers(in []Answer, limit int) (out []Answer, last uint64) {
	last = math.MaxUint64
	for out = in; len(out) > limit && last > 0; {
		last >>= 1
		out = slices.DeleteFunc(out, func(a Answer) bool { return a.ID > last })
	}
	return out, last
}

// thinPatterns keeps the patterns with the smallest ids and returns the largest id that stays.
func thinPatterns(m map[patternKey]*Pattern, limit int) (last pattern.ID) {
	if len(m) <= limit {
		return math.MaxUint64
	}
	keys := slices.SortedFunc(maps.Keys(m), func(a, b patternKey) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.service, b.service), cmp.Compare(a.level, b.level))
	})
	for _, k := range keys[limit:] {
		delete(m, k)
	}
	return keys[limit-1].id
}

// Budgets for the histograms of all streams together, in filled buckets of 12 bytes. A recording of hours with thousands of
// routes would fill a bucket with nearly every request; then the width doubles for all streams alike, to the smallest one
// that is within the budget. Failures have a budget of their own, so that much traffic does not blur when they began.
const (
	maxTrafficBuckets = 1 << 19
	maxFailureBuckets = 1 << 18
)

// filled is how many buckets the histograms of streams fill.
type filled struct{ traffic, failures int }

func filledBy(streams iter.Seq[*Stream]) (f filled) {
	for st := range streams {
		f.traffic += st.Requests.Len()
		f.failures += st.Abandoned.Len() + st.Broken.Len() + st.Limited.Len()
		for i := range st.Status {
			f.failures += st.Status[i].Times.Len()
		}
	}
	return f
}

// over reports whether that is more than the budgets allow.
func (f filled) over() bool { return f.traffic > maxTrafficBuckets || f.failures > maxFailureBuckets }

// widths are the widths to which the budgets forced the histograms: seconds << width.
type widths struct{ traffic, failures uint8 }

// hold widens the histograms until they are within the budgets, and returns what they fill then.
func (w *widths) hold(streams iter.Seq[*Stream]) filled {
	for {
		for st := range streams {
			st.widen(*w)
		}
		f := filledBy(streams)
		if !f.over() || w.traffic > 30 || w.failures > 30 {
			return f
		}
		if f.traffic > maxTrafficBuckets {
			w.traffic++
		}
		if f.failures > maxFailureBuckets {
			w.failures++
		}
	}
}

func (s *Stream) widen(w widths) {
	s.Requests.Widen(w.traffic)
	s.Abandoned.Widen(w.failures)
	s.Broken.Widen(w.failures)
	s.Limited.Widen(w.failures)
	for i := range s.Status {
		s.Status[i].Times.Widen(w.failures)
	}
}
