package pattern_test

import (
	"math"
	"testing"

	"github.com/inquesthq/inquest/internal/pattern"
)

func TestCompare(t *testing.T) {
	baseline, window := [2]int64{1000 * sec, 1600 * sec}, [2]int64{1600 * sec, 1660 * sec} // ten minutes, one minute
	every := func(m *pattern.Miner, from, to, step int64, n uint32) {
		for s := from; s < to; s += step {
			m.AddN([]byte("x"), s*sec, n)
		}
	}
	for _, c := range []struct {
		name string
		fill func(m *pattern.Miner)
		want pattern.Kind
	}{
		{"seen once, never before", func(m *pattern.Miner) { every(m, 1630, 1631, 1, 1) }, pattern.KindNew},
		{"a flood, never before", func(m *pattern.Miner) { every(m, 1600, 1660, 1, 50) }, pattern.KindNew},
		{"the same rate", func(m *pattern.Miner) { every(m, 1000, 1660, 1, 3) }, pattern.KindSteady},
		{"twice the rate follows traffic", func(m *pattern.Miner) {
			every(m, 1000, 1600, 1, 3)
			every(m, 1600, 1660, 1, 6)
		}, pattern.KindSteady},
		{"five times the rate", func(m *pattern.Miner) {
			every(m, 1000, 1600, 1, 3)
			every(m, 1600, 1660, 1, 15)
		}, pattern.KindSurging},
		{"once before and twice now may be chance", func(m *pattern.Miner) {
			every(m, 1300, 1301, 1, 1)
			every(m, 1610, 1650, 20, 1)
		}, pattern.KindSteady},
		{"once before and twenty times now is none", func(m *pattern.Miner) {
			every(m, 1300, 1301, 1, 1)
			every(m, 1600, 1660, 3, 1)
		}, pattern.KindSurging},
		{"one more burst of a pattern that comes in bursts", func(m *pattern.Miner) {
			every(m, 1000, 1600, 150, 40)
			every(m, 1620, 1621, 1, 60)
		}, pattern.KindSteady},
		{"steady, then gone", func(m *pattern.Miner) { every(m, 1000, 1600, 1, 3) }, pattern.KindVanished},
		{"rare, and absent for a minute", func(m *pattern.Miner) { every(m, 1000, 1600, 100, 1) }, pattern.KindSteady},
		{"neither before nor now", func(m *pattern.Miner) { every(m, 5, 6, 1, 1) }, pattern.KindSteady},
	} {
		m := pattern.New(pattern.Config{MaxBuckets: 1024})
		c.fill(m)
		n := pattern.Compare(m.Entries()[0], baseline, window)
		if n.Kind != c.want {
			t.Errorf("%s: %+v, want %s", c.name, n, c.want)
		}
		if math.IsNaN(n.Chance) || n.Chance < 0 || n.Chance > 1 || math.IsNaN(n.Ratio) || math.IsInf(n.Ratio, 0) {
			t.Errorf("%s: %+v has impossible figures", c.name, n)
		}
	}
}

func TestCompareFigures(t *testing.T) {
	m := pattern.New(pattern.Config{})
	m.AddN([]byte("x"), 100*sec, 1)
	m.AddN([]byte("x"), 600*sec, 3)
	// Four lines in two intervals of the same length, three of them in the second: P(at least 3 of 4 at 1/2) = 5/16.
	n := pattern.Compare(m.Entries()[0], [2]int64{0, 500 * sec}, [2]int64{500 * sec, 1000 * sec})
	if n.Before != 1 || n.During != 3 || math.Abs(n.Chance-5.0/16) > 1e-9 || math.Abs(n.Ratio-3.5/1.5) > 1e-9 {
		t.Errorf("%+v, want 1 before, 3 during, chance 0.3125, ratio 2.33", n)
	}
}

func TestCompareHugeCounts(t *testing.T) {
	m := pattern.New(pattern.Config{})
	for s := range int64(600) {
		m.AddN([]byte("x"), s*sec, 1_000_000)
	}
	for s := range int64(60) {
		m.AddN([]byte("x"), (600+s)*sec, 4_000_000)
	}
	n := pattern.Compare(m.Entries()[0], [2]int64{0, 600 * sec}, [2]int64{600 * sec, 660 * sec})
	if n.Kind != pattern.KindSurging || n.Chance > 1e-9 || math.Abs(n.Ratio-4) > 0.2 {
		t.Errorf("%+v, want surging fourfold", n)
	}
}

func TestCompareWithoutABaselineSaysNothing(t *testing.T) {
	m := pattern.New(pattern.Config{})
	m.Add([]byte("x"), 5*sec)
	for _, c := range []struct {
		baseline, window [2]int64
		before, during   uint64
	}{
		{[2]int64{0, 0}, [2]int64{0, 10 * sec}, 0, 1}, {[2]int64{0, 9 * sec}, [2]int64{9, 9}, 1, 0}, {[2]int64{5, 0}, [2]int64{0, 5}, 0, 0},
	} {
		n := pattern.Compare(m.Entries()[0], c.baseline, c.window)
		if n.Kind != pattern.KindSteady || n.Chance != 1 || n.Ratio != 1 || n.Before != c.before || n.During != c.during {
			t.Errorf("%v %v: %+v; nothing can be compared, and what there was is counted", c.baseline, c.window, n)
		}
	}
}
