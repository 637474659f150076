package stat_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/stat"
)

const sec = int64(time.Second)

type filled struct {
	start int64
	n     uint32
}

func contents(h *stat.Histogram) []filled {
	var out []filled
	for start, n := range h.Buckets() {
		out = append(out, filled{start, n})
	}
	return out
}

// sums returns what each filled bucket amounts to.
func sums(h *stat.Histogram) []uint64 {
	var out []uint64
	for start := range h.Buckets() {
		out = append(out, h.Sum(start, start+int64(h.Width())))
	}
	return out
}

func same(a, b *stat.Histogram) bool {
	return a.Width() == b.Width() && slices.Equal(contents(a), contents(b)) && slices.Equal(sums(a), sums(b))
}

func TestHistogramCounts(t *testing.T) {
	var h stat.Histogram
	for _, s := range []int64{100, 100, 101, 105, 99} {
		h.Add(s*sec+7, 1)
	}
	h.Add(105*sec, 4)
	h.Add(106*sec, 0)
	want := []filled{{99 * sec, 1}, {100 * sec, 2}, {101 * sec, 1}, {105 * sec, 5}}
	if got := contents(&h); !slices.Equal(got, want) {
		t.Fatalf("buckets %v, want %v", got, want)
	}
	for _, c := range []struct {
		name     string
		from, to int64
		want     uint64
	}{
		{"all", 0, 1000 * sec, 9},
		{"the end is outside", 99 * sec, 100 * sec, 1},
		{"the start is inside", 100 * sec, 106 * sec, 8},
		{"an empty stretch", 102 * sec, 105 * sec, 0},
		{"a reversed interval", 105 * sec, 99 * sec, 0},
	} {
		if got := h.Count(c.from, c.to); got != c.want {
			t.Errorf("%s: Count = %d, want %d", c.name, got, c.want)
		}
	}
}

func TestHistogramSumsWhatHappeningsAmountTo(t *testing.T) {
	var h stat.Histogram
	h.AddSum(100, 2, 30)
	h.AddSum(102, 1, 7)
	h.AddSum(100, 1, 5)
	h.AddSum(101, 0, 9) // nothing happened
	h.Add(102*sec, 1)
	if got := []uint64{h.Sum(0, 1000*sec), h.Sum(100*sec, 101*sec), h.Sum(101*sec, 102*sec), h.Count(0, 1000*sec)}; !slices.Equal(got, []uint64{42, 35, 0, 5}) {
		t.Errorf("sums of all, of two seconds, and the count: %v", got)
	}
	h.AddSum(100, 1, math.MaxUint32)
	if got := h.Sum(100*sec, 101*sec); got != math.MaxUint32 {
		t.Errorf("sum %d, want it to stay at the largest", got)
	}
}

// Workers that share a file bring their counts in turns, each a little behind the others, and sometimes far behind.
func TestHistogramTakesLateComers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var late, ordered stat.Histogram
	var all []int64
	for s := range int64(600) {
		back := r.Int64N(40)
		if r.IntN(20) == 0 {
			back = r.Int64N(600)
		}
		at := max(0, s-back) * sec
		late.Add(at, 1)
		all = append(all, at)
	}
	slices.Sort(all)
	for _, at := range all {
		ordered.Add(at, 1)
	}
	if !same(&late, &ordered) {
		t.Errorf("late %v, in order %v", contents(&late), contents(&ordered))
	}
}

func TestHistogramEnds(t *testing.T) {
	h := stat.NewHistogram(2)
	if from, to := h.Ends(); from != 0 || to != 0 {
		t.Errorf("of an empty one: %d to %d", from, to)
	}
	for _, s := range []int64{101, 103, 105} {
		h.Add(s*sec, 1)
	}
	if from, to := h.Ends(); from != 100*sec || to != 108*sec || h.Width() != 4*time.Second {
		t.Errorf("%d to %d at a width of %v", from/sec, to/sec, h.Width())
	}
}

func TestHistogramDoublesItsWidthOnlyWhenFull(t *testing.T) {
	h := stat.NewHistogram(4)
	for s := range int64(4) {
		h.Add((1000+s)*sec, 1)
	}
	if h.Width() != time.Second {
		t.Fatalf("width %v at the limit, want 1s", h.Width())
	}
	h.Add(1004*sec, 1)
	want := []filled{{1000 * sec, 2}, {1002 * sec, 2}, {1004 * sec, 1}}
	if got := contents(&h); h.Width() != 2*time.Second || !slices.Equal(got, want) {
		t.Fatalf("width %v buckets %v, want 2s %v", h.Width(), got, want)
	}
}

func TestHistogramKeepsItsWidthWhenOneClockIsWrong(t *testing.T) {
	h := stat.NewHistogram(100)
	h.Add(-5, 1)
	h.Add(math.MaxInt64, 1)
	for s := range int64(50) {
		h.Add(1_700_000_000*sec+s*sec, 1)
	}
	if h.Width() != time.Second || h.Count(1_700_000_000*sec, 1_700_000_050*sec) != 50 {
		t.Errorf("width %v, count %d", h.Width(), h.Count(1_700_000_000*sec, 1_700_000_050*sec))
	}
}

func TestHistogramStopsAtTheLargestCount(t *testing.T) {
	var h stat.Histogram
	h.Add(sec, math.MaxUint32-1)
	h.Add(sec, 5)
	if got := h.Count(0, 2*sec); got != math.MaxUint32 {
		t.Errorf("count %d, want %d", got, uint32(math.MaxUint32))
	}
}

func TestHistogramDoesNotDependOnOrderOrDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		limit, n := 1+r.IntN(20), r.IntN(200)
		span := int64(1) << r.IntN(32)
		whole := stat.NewHistogram(limit)
		parts := []stat.Histogram{stat.NewHistogram(limit), stat.NewHistogram(limit), stat.NewHistogram(limit)}
		for range n {
			at, c, sum := uint32(r.Int64N(span)), r.Uint32N(5), r.Uint32N(100)
			whole.AddSum(at, c, sum)
			parts[r.IntN(3)].AddSum(at, c, sum)
		}
		a, b, c := parts[0], parts[1], parts[2]
		left := stat.NewHistogram(limit) // (a+b)+c
		left.Merge(&a)
		left.Merge(&b)
		left.Merge(&c)
		tail := stat.NewHistogram(limit) // c+b, then a into it
		tail.Merge(&c)
		tail.Merge(&b)
		right := stat.NewHistogram(limit)
		right.Merge(&tail)
		right.Merge(&a)
		if !same(&whole, &left) || !same(&whole, &right) {
			t.Fatalf("limit %d: whole %v %v\nleft %v %v\nright %v %v", limit,
				whole.Width(), contents(&whole), left.Width(), contents(&left), right.Width(), contents(&right))
		}
		if whole.Len() > limit {
			t.Fatalf("%d buckets, limit %d", whole.Len(), limit)
		}
	}
}

func TestHistogramMergeOfAFewIntoManyIsLikeAddingThem(t *testing.T) {
	many, few, want := stat.NewHistogram(64), stat.NewHistogram(64), stat.NewHistogram(64)
	for s := range int64(63) {
		many.Add(s*10*sec, 1)
		want.Add(s*10*sec, 1)
	}
	for _, s := range []int64{5, 6, 777} { // the second one makes the width double
		few.Add(s*sec, 2)
		want.Add(s*sec, 2)
	}
	many.Merge(&few)
	if !same(&many, &want) {
		t.Errorf("merged %v %v, added %v %v", many.Width(), contents(&many), want.Width(), contents(&want))
	}
}

func TestHistogramWidenIsAsIfTheWidthHadNeverBeenSmaller(t *testing.T) {
	var early, late, empty stat.Histogram
	early.Widen(3)
	for s := range int64(200) {
		early.Add(s*sec, 1)
		late.Add(s*sec, 1)
	}
	late.Widen(3)
	late.Widen(2)
	empty.Widen(1)
	if !same(&early, &late) || late.Width() != 8*time.Second || late.Len() != 25 || empty.Len() != 0 {
		t.Errorf("early %v %v, late %v %v", early.Width(), contents(&early), late.Width(), contents(&late))
	}
}

func TestHistogramMergeLeavesTheOtherAlone(t *testing.T) {
	a, b := stat.NewHistogram(2), stat.NewHistogram(2)
	a.Add(0, 1)
	a.Add(100*sec, 1)
	a.Add(200*sec, 1)
	b.Add(5*sec, 1)
	before := contents(&b)
	a.Merge(&b)
	a.Add(6*sec, 9)
	if !slices.Equal(before, contents(&b)) {
		t.Errorf("other changed from %v to %v", before, contents(&b))
	}
}

func TestHistogramDispersionTellsBurstsFromASteadyRate(t *testing.T) {
	var steady, bursty stat.Histogram
	for s := range int64(100) {
		steady.Add(s*sec, 2)
		if s%10 == 0 {
			bursty.Add(s*sec, 20)
		}
	}
	if d := steady.Dispersion(0, 100*sec); d > 1e-9 {
		t.Errorf("a constant rate has dispersion %v, want 0", d)
	}
	if d := bursty.Dispersion(0, 100*sec); math.Abs(d-18) > 1e-9 { // E[n^2]/E[n] - E[n] = 40/2 - 2
		t.Errorf("bursts of twenty have dispersion %v, want 18", d)
	}
	if d := steady.Dispersion(100*sec, 0); d != 0 {
		t.Errorf("a reversed interval has dispersion %v, want 0", d)
	}
}

func TestHistogramAddAllocatesNothingOnceSeen(t *testing.T) {
	var h stat.Histogram
	h.Add(7*sec, 1)
	if n := testing.AllocsPerRun(100, func() { h.Add(7*sec, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	h := stat.NewHistogram(512)
	b.ReportAllocs()
	var at int64
	for b.Loop() {
		at += sec / 100
		h.Add(at, 1)
	}
}
