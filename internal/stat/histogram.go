package stat

import (
	"cmp"
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
// Happenings may carry an amount (how long a request took), which is summed up beside their number.
//
// Times are Unix nanoseconds. The range is 1970 to 2106; what lies outside is counted at its ends. A bucket counts and sums
// up to 2^32-1 and stays there. The zero value is ready for use. Not safe for concurrent use.
type Histogram struct {
	buckets []bucket // ascending, none empty
	limit   uint16
	shift   uint8 // width is 1s << shift
}

// bucket counts n happenings of the amount sum in the seconds [at<<shift, (at+1)<<shift). Number and amount stand together
// because they are asked for together, and counting a request then touches fewer places of memory.
type bucket struct{ at, n, sum uint32 }

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
	h.AddSum(second(t), n, 0)
}

// AddSum counts n happenings of the amount sum in a second of Unix time.
func (h *Histogram) AddSum(second, n, sum uint32) {
	if n > 0 {
		h.add(bucket{second >> h.shift, n, sum})
	}
}

func (h *Histogram) add(b bucket) {
	last := len(h.buckets) - 1
	switch {
	case last >= 0 && h.buckets[last].at == b.at:
		h.buckets[last].take(b)
		return
	case last < 0 || h.buckets[last].at < b.at:
		h.buckets = append(h.buckets, b)
	default:
		i := h.find(b.at)
		if h.buckets[i].at == b.at {
			h.buckets[i].take(b)
			return
		}
		h.buckets = slices.Insert(h.buckets, i, b)
	}
	for len(h.buckets) > h.max() {
		h.coarsen(1)
	}
}

// find returns the first bucket at or after at, where there is one. What comes late is mostly a few buckets late: workers
// that share a file run ahead of each other.
func (h *Histogram) find(at uint32) int {
	i := len(h.buckets) - 1
	for near := i - 16; i > 0 && h.buckets[i-1].at >= at; i-- {
		if i == near {
			i, _ = slices.BinarySearchFunc(h.buckets[:i], at, func(b bucket, at uint32) int { return cmp.Compare(b.at, at) })
			break
		}
	}
	return i
}

// take adds the counts of o, of the same time.
func (b *bucket) take(o bucket) {
	b.n, b.sum = saturate(b.n, o.n), saturate(b.sum, o.sum)
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
	if len(b) < len(a)/4 { // a few more counts: cheaper one by one than a new list of all
		for _, x := range b {
			x.at >>= h.shift - other.shift // adding may have widened h
			h.add(x)
		}
		return
	}
	out := make([]bucket, 0, min(len(a)+len(b), h.max()+1))
	for len(a) > 0 || len(b) > 0 {
		var next bucket
		if len(b) == 0 || len(a) > 0 && a[0].at <= b[0].at>>by {
			next, a = a[0], a[1:]
		} else {
			next, b = bucket{b[0].at >> by, b[0].n, b[0].sum}, b[1:]
		}
		out = push(out, next)
	}
	h.buckets = out
	for len(h.buckets) > h.max() {
		h.coarsen(1)
	}
}

// Widen makes the buckets at least a second << shift wide: a keeper of many histograms calls it on all of them to hold a
// common budget. The contents are as if the width had never been smaller. Memory for up to four times as many buckets stays,
// since most histograms go on to fill it again.
func (h *Histogram) Widen(shift uint8) {
	if h.shift >= shift {
		return
	}
	h.coarsen(min(shift, 31) - h.shift)
	if cap(h.buckets) > 4*len(h.buckets) {
		h.buckets = append(make([]bucket, 0, len(h.buckets)), h.buckets...)
	}
}

// coarsen makes the buckets 2^by times as wide.
func (h *Histogram) coarsen(by uint8) {
	h.shift += by
	out := h.buckets[:0]
	for _, b := range h.buckets {
		b.at >>= by
		out = push(out, b)
	}
	h.buckets = out
}

// push appends b, or adds it to the last bucket when that one stands for the same time.
func push(out []bucket, b bucket) []bucket {
	if last := len(out) - 1; last >= 0 && out[last].at == b.at {
		out[last].take(b)
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

// Ends returns the start of the first filled bucket and the end of the last one (Unix nanoseconds), twice 0 when there is none.
func (h *Histogram) Ends() (from, to int64) {
	if len(h.buckets) == 0 {
		return 0, 0
	}
	return h.start(h.buckets[0]), h.start(h.buckets[len(h.buckets)-1]) + int64(h.Width())
}

func (h *Histogram) start(b bucket) int64 {
	return int64(b.at) << h.shift * int64(time.Second)
}

// Count returns how many happenings fell into the half-open interval [from, to), in Unix nanoseconds. A bucket counts as
// a whole, by its middle: the answer is exact at borders that are multiples of Width, and a burst at a border is never
// smeared over both sides of it.
func (h *Histogram) Count(from, to int64) uint64 {
	var n uint64
	for _, b := range h.within(from, to) {
		n += uint64(b.n)
	}
	return n
}

// Sum returns what the happenings of [from, to) amount to, by the same rule as Count.
func (h *Histogram) Sum(from, to int64) uint64 {
	var sum uint64
	for _, b := range h.within(from, to) {
		sum += uint64(b.sum)
	}
	return sum
}

// within returns the buckets whose middles are in [from, to).
func (h *Histogram) within(from, to int64) []bucket {
	half := int64(h.Width()) / 2
	rest := h.buckets[sort.Search(len(h.buckets), func(i int) bool { return h.start(h.buckets[i])+half >= from }):]
	return rest[:sort.Search(len(rest), func(i int) bool { return h.start(rest[i])+half >= to })]
}

// Dispersion returns variance over mean of the counts per bucket in [from, to), empty buckets included: 1 for
// independent happenings, more when they come in bursts, 0 when there are none.
func (h *Histogram) Dispersion(from, to int64) float64 {
	var sum, squares float64
	for _, b := range h.within(from, to) {
		sum += float64(b.n)
		squares += float64(b.n) * float64(b.n)
	}
	buckets := math.Max(1, math.Round(float64(to-from)/float64(h.Width())))
	if sum == 0 || to <= from {
		return 0
	}
	mean := sum / buckets
	return squares/sum - mean
}
