package stat_test

import (
	"math"
	"testing"

	"github.com/inquesthq/inquest/internal/stat"
)

func TestScanFindsTheIntervalThatWasBuiltIn(t *testing.T) {
	trials, failures := make([]float64, 100), make([]float64, 100)
	for i := range trials {
		trials[i] = 50
		if i%10 == 0 {
			failures[i] = 1 // background
		}
		if i >= 60 && i < 75 {
			failures[i] = 20
		}
	}
	b := stat.Scan(trials, failures)
	if b.From != 60 || b.To != 75 {
		t.Fatalf("burst at [%d,%d), want [60,75)", b.From, b.To)
	}
	if b.In != 0.4 || b.Out > 0.01 || b.LLR < 100 {
		t.Fatalf("in %v out %v llr %v", b.In, b.Out, b.LLR)
	}
}

func TestScanSeesNothingInASteadyRatioUnderASpikeOfTraffic(t *testing.T) {
	trials, failures := make([]float64, 100), make([]float64, 100)
	for i := range trials {
		trials[i], failures[i] = 100, 1
		if i >= 40 && i < 50 {
			trials[i], failures[i] = 1000, 10
		}
	}
	if b := stat.Scan(trials, failures); b.LLR > 1 {
		t.Fatalf("llr %v for a constant ratio", b.LLR)
	}
}

func TestScanOfNoFailuresIsEmpty(t *testing.T) {
	if b := stat.Scan([]float64{5, 5}, []float64{0, 0}); b != (stat.Burst{}) {
		t.Fatalf("got %+v", b)
	}
}

func TestWilsonLower(t *testing.T) {
	f := func(k, n, want float64) {
		t.Helper()
		if got := stat.WilsonLower(k, n, 1.96); math.Abs(got-want) > 0.001 {
			t.Errorf("WilsonLower(%v, %v) = %v, want %v", k, n, got, want)
		}
	}
	f(10, 10, 0.722) // ten of ten may still be 72%
	f(1, 10, 0.018)
	f(0, 10, 0)
	f(10, 100000, 0.0000543)
}
