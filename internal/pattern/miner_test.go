package pattern_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/pattern"
)

const sec = int64(time.Second)

// print writes everything a miner holds.
func print(m *pattern.Miner) string {
	var b strings.Builder
	for _, e := range m.Entries() {
		fmt.Fprintf(&b, "%v %q %d %d %d %v", e.ID, e.Template, e.Count, e.First, e.Last, e.Histogram.Width())
		for start, n := range e.Histogram.Buckets() {
			fmt.Fprintf(&b, " %d:%d", start/sec, n)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestMinerCounts(t *testing.T) {
	m := pattern.New(pattern.Config{})
	m.Add([]byte("slow query 17"), 30*sec)
	m.Add([]byte("slow query 18"), 10*sec)
	m.AddN([]byte("slow query 19"), 0, 5)
	e := m.Add([]byte("up"), 0)
	if e.First != 0 || e.Last != 0 || e.Count != 1 || e.Histogram.Len() != 0 {
		t.Errorf("a line without a time: %+v", e)
	}
	slow := m.Entry(pattern.Hash([]byte("slow query 0")))
	if slow == nil || slow.Count != 7 || slow.First != 10*sec || slow.Last != 30*sec || slow.Histogram.Count(0, 60*sec) != 2 {
		t.Errorf("slow query: %+v", slow)
	}
	if all := m.Entries(); len(all) != 2 || m.Len() != 2 || all[0] != slow || all[1] != e {
		t.Errorf("entries %v", all)
	}
	if got := m.Entry(12345); got != nil {
		t.Errorf("an unknown id has entry %v", got)
	}
}

// messages draws lines from more templates than the small miners below keep.
func messages(r *rand.Rand, n int) (lines []string, times []int64) {
	for range n {
		lines = append(lines, fmt.Sprintf("%s %s %d", string(rune('a'+r.IntN(26))), string(rune('a'+r.IntN(4))), r.IntN(9)))
		times = append(times, r.Int64N(3000)*sec)
	}
	return lines, times
}

func TestMinerDoesNotDependOnOrderOrDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, cfg := range []pattern.Config{{}, {MaxTemplates: 20, MaxBuckets: 8}, {MaxTemplates: 1, MaxBuckets: 1}} {
		for range 20 {
			lines, times := messages(r, 600)
			whole := pattern.New(cfg)
			for i := range lines {
				whole.Add([]byte(lines[i]), times[i])
			}
			parts := make([]*pattern.Miner, 4)
			for i := range parts {
				parts[i] = pattern.New(cfg)
			}
			for _, i := range r.Perm(len(lines)) {
				parts[r.IntN(len(parts))].Add([]byte(lines[i]), times[i])
			}
			// ((a+b)+c)+d, and d+(c+(b+a)) with fresh copies, since Merge changes its receiver only.
			left, right := pattern.New(cfg), pattern.New(cfg)
			for _, p := range parts {
				left.Merge(p)
			}
			slices.Reverse(parts)
			inner := pattern.New(cfg)
			inner.Merge(parts[2])
			inner.Merge(parts[3])
			right.Merge(parts[0])
			right.Merge(parts[1])
			right.Merge(inner)
			want := print(whole)
			if got := print(left); got != want {
				t.Fatalf("%+v: merged in order:\n%s\nwhole:\n%s", cfg, got, want)
			}
			if got := print(right); got != want {
				t.Fatalf("%+v: merged otherwise:\n%s\nwhole:\n%s", cfg, got, want)
			}
		}
	}
}

func TestMinerTellsLinesOfOneShapeApartWhereDigitsMatter(t *testing.T) {
	m := pattern.New(pattern.Config{})
	for _, l := range []string{
		"status 200", "status 503", "status 504", "status 404", "status 503", "IPv4 down", "IPv6 down", "IPv5 down",
		"took 1 ms", "took 9 ms", `{"a":1,"status":500}`, `{"a":2,"status":200}`, "at 12:34 \xb0\xb1", "at 12:34 \x80\x81",
	} {
		if e := m.Add([]byte(l), 0); e.ID != pattern.Hash([]byte(l)) {
			t.Errorf("%q counted as %q, its template is %q", l, e.Template, pattern.Template([]byte(l)))
		}
	}
}

func TestMinerKeepsAtMostMaxTemplates(t *testing.T) {
	m := pattern.New(pattern.Config{MaxTemplates: 10})
	r := rand.New(rand.NewPCG(1, 1))
	lines, times := messages(r, 1000)
	for i := range lines {
		m.Add([]byte(lines[i]), times[i])
	}
	all := m.Entries()
	other := all[len(all)-1]
	if len(all) != 11 || other.ID != pattern.Other || other.Template != "(other)" || m.Entry(pattern.Other) != other {
		t.Fatalf("%d entries, the last %+v", len(all), other)
	}
	var sum uint64
	for _, e := range all {
		sum += e.Count
	}
	if sum != 1000 {
		t.Errorf("the entries count %d of 1000 lines", sum)
	}
}

func TestMinerMergeLeavesTheOtherAlone(t *testing.T) {
	a, b := pattern.New(pattern.Config{}), pattern.New(pattern.Config{})
	a.Add([]byte("x 1"), sec)
	b.Add([]byte("x 2"), 2*sec)
	b.Add([]byte("y"), 3*sec)
	before := print(b)
	a.Merge(b)
	a.Add([]byte("y"), 4*sec)
	if got := print(b); got != before {
		t.Errorf("other became\n%s\nfrom\n%s", got, before)
	}
}

func TestMinerAddAllocatesNothingOnceSeen(t *testing.T) {
	m := pattern.New(pattern.Config{})
	line := []byte(`{"level":"error","msg":"connection to 10.0.0.7 refused","user":"alice"}`)
	m.Add(line, sec)
	if n := testing.AllocsPerRun(100, func() { m.Add(line, sec) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}
