package stat

import (
	"iter"
	"math"
	"slices"
	"sort"
	"time"
)

// DefaultBuckets bounds a Histogram whose limit was not set: at one second each that is 17 minutes of uninterrupted
// counts before the width doubles, and 8 KiB.
const DefaultBuckets = 1024

// Histogram counts happenings over time in buckets of equal width. The width starts at one second and doubles whenever
// more buckets would be filled than the limit allows; buckets are aligned to the Unix epoch. Empty buckets take no
// memory, so a lone count costs 8 bytes beside the struct, and one wrong clock does not coarsen the rest.
//
// The contents depend only on the multiset of what was added: neither the order of Add nor that of Merge matters, as
// long as all histograms concerned have the same limit. The width is the smallest one at which the filled buckets are
// within the limit.
//
// Times are Unix nanoseconds. The range is 1970 to 2106; what lies outside is counted at its ends. A bucket counts up to
// 2^32-1 and stays there. The zero value is ready for use. Not safe for concurrent use.
type Histogram struct {
	buckets []bucket // ascending, none empty
	limit   uint16
	shift   uint8 // width is 1s << shift
}

// bucket counts n happenings in the seconds [at<<shift, (at+1)<<shift).
type bucket struct{ at, n uint32 }

// NewHistogram returns an empty histogram of at most limit filled buckets, 1 to 65535; 0 means DefaultBuckets.
func NewHistogram(limit int) Histogram {
	return Histogram{limit: uint16(min(max(limit, 0), math.MaxUint16))}
}

func (h *Histogram) max() int {
	if h.limit == 0 {
		return DefaultBuckets
	}
	return int(h.limit)
}

func second(t int64) uint32 {
	return uint32(min(max(t/int64(time.Second), 0), math.MaxUint32))
}

// Add counts n happenings at time t.
func (h *Histogram) Add(t int64, n uint32) {
	if n == 0 {
		return
	}
	h.add(second(t)>>h.shift, n)
}

func (h *Histogram) add(at, n uint32) {
	last := len(h.buckets) - 1
	switch {
	case last >= 0 && h.buckets[last].at == at:
		h.buckets[last].n = saturate(h.buckets[last].n, n)
		return
	case last < 0 || h.buckets[last].at < at:
		h.buckets = append(h.buckets, bucket{at, n})
	default:
		i, found := slices.BinarySearchFunc(h.buckets, at, func(b bucket, at uint32) int { return cmpUint32(b.at, at) })
		if found {
			h.buckets[i].n = saturate(h.buckets[i].n, n)
			return
		}
		h.buckets = slices.Insert(h.buckets, i, bucket{at, n})
	}
	for len(h.buckets) > h.max() {
		h.coarsen(1)
	}
}

// Merge adds the counts of other, which stays as it is.
func (h *Histogram) Merge(other *Histogram) {
	if len(other.buckets) == 0 {
		return
	}
	if h.shift < other.shift {
		h.coarsen(other.shift - h.shift)
	}
	by := h.shift - other.shift
	a, b := h.buckets, other.buckets
	if len(b) < len(a)/16 { // a few more counts: cheaper one by one than a new list of all
		for _, x := range b {
			h.add(x.at>>(h.shift-other.shift), x.n) // adding may have widened h
		}
		return
	}
	out := make([]bucket, 0, min(len(a)+len(b), h.max()+1))
	for len(a) > 0 || len(b) > 0 {
		var next bucket
		if len(b) == 0 || len(a) > 0 && a[0].at <= b[0].at>>by {
			next, a = a[0], a[1:]
		} else {
			next, b = bucket{b[0].at >> by, b[0].n}, b[1:]
		}
		out = push(out, next)
	}
	h.buckets = out
	for len(h.buckets) > h.max() {
		h.coarsen(1)
	}
}

// Widen makes the buckets at least a second << shift wide and gives back the memory that this saves: a keeper of many
// histograms calls it on all of them to hold a common budget. The contents are as if the width had never been smaller.
func (h *Histogram) Widen(shift uint8) {
	if h.shift >= shift {
		return
	}
	h.coarsen(min(shift, 31) - h.shift)
	if cap(h.buckets) > len(h.buckets)+len(h.buckets)/2 {
		h.buckets = append(make([]bucket, 0, len(h.buckets)), h.buckets...)
	}
}

// coarsen makes the buckets 2^by times as wide.
func (h *Histogram) coarsen(by uint8) {
	h.shift += by
	out := h.buckets[:0]
	for _, b := range h.buckets {
		out = push(out, bucket{b.at >> by, b.n})
	}
	h.buckets = out
}

// push appends b, or adds it to the last bucket when that one stands for the same time.
func push(out []bucket, b bucket) []bucket {
	if last := len(out) - 1; last >= 0 && out[last].at == b.at {
		out[last].n = saturate(out[last].n, b.n)
		return out
	}
	return append(out, b)
}

func saturate(a, b uint32) uint32 {
	if a > math.MaxUint32-b {
		return math.MaxUint32
	}
	return a + b
}

func cmpUint32(a, b uint32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Width returns the width of a bucket: a power of two seconds.
func (h *Histogram) Width() time.Duration { return time.Second << h.shift }

// Len returns the number of filled buckets.
func (h *Histogram) Len() int { return len(h.buckets) }

// Buckets yields start (Unix nanoseconds) and count of each filled bucket in ascending order.
func (h *Histogram) Buckets() iter.Seq2[int64, uint32] {
	return func(yield func(int64, uint32) bool) {
		for _, b := range h.buckets {
			if !yield(h.start(b), b.n) {
				return
			}
		}
	}
}

func (h *Histogram) start(b bucket) int64 {
	return int64(b.at) << h.shift * int64(time.Second)
}

// Count returns how many happenings fell into the half-open interval [from, to), in Unix nanoseconds. A bucket counts as
// a whole, by its middle: the answer is exact at borders that are multiples of Width, and a burst at a border is never
// smeared over both sides of it.
func (h *Histogram) Count(from, to int64) uint64 {
	var sum uint64
	h.within(from, to, func(n uint32) { sum += uint64(n) })
	return sum
}

func (h *Histogram) within(from, to int64, f func(n uint32)) {
	half := int64(h.Width()) / 2
	first := sort.Search(len(h.buckets), func(i int) bool { return h.start(h.buckets[i])+half >= from })
	for _, b := range h.buckets[first:] {
		if h.start(b)+half >= to {
			return
		}
		f(b.n)
	}
}

// Dispersion returns variance over mean of the counts per bucket in [from, to), empty buckets included: 1 for
// independent happenings, more when they come in bursts, 0 when there are none.
func (h *Histogram) Dispersion(from, to int64) float64 {
	var sum, squares float64
	h.within(from, to, func(n uint32) {
		sum += float64(n)
		squares += float64(n) * float64(n)
	})
	buckets := math.Max(1, math.Round(float64(to-from)/float64(h.Width())))
	if sum == 0 || to <= from {
		return 0
	}
	mean := sum / buckets
	return squares/sum - mean
}
