package pattern

import "math"

// Kind says how a pattern's rate in a window compares with the baseline.
type Kind string

// The kinds of novelty.
const (
	KindSteady   Kind = "steady"
	KindNew      Kind = "new"      // never in the baseline, present in the window
	KindSurging  Kind = "surging"  // at least SurgeRatio times as often, and not by chance
	KindVanished Kind = "vanished" // gone from the window, and not by chance
)

const (
	// SurgeRatio is three because traffic itself doubles within an ordinary day, and what merely follows traffic is no symptom.
	SurgeRatio = 3
	// maxChance is one in ten thousand because a system has hundreds to thousands of patterns, each of which is a test:
	// fewer than one in a report then surges by chance.
	maxChance = 1e-4
)

// Novelty is the comparison of one pattern's counts in a baseline and a window.
type Novelty struct {
	Kind           Kind
	Before, During uint64 // lines in the baseline and in the window
	// Ratio is the rate in the window over that in the baseline. Half a line is added to both counts, so that it stays finite
	// and tiny counts give no huge ratios.
	Ratio float64
	// Chance is the probability that the window would hold this many lines or more (for vanished: this few) if the
	// rate had not changed.
	Chance float64
}

// Compare judges a pattern by two half-open intervals in Unix nanoseconds. They should not overlap, and the log must
// cover both of them, else absence means nothing.
//
// The test is the exact conditional one for two rates: of all lines in both intervals, the window's share is binomial
// when the rate is unchanged. Lines come in bursts (one retry loop writes twenty), so the counts are first divided by
// the dispersion of the baseline: a pattern that always came in bursts has to burst more than usual to count.
//
// A pattern the baseline lacks is KindNew even when seen once: the line that names the cause is often written once. Chance
// then says how surprising that is, given the length of the baseline.
func Compare(e *Entry, baseline, window [2]int64) Novelty {
	long, short := float64(baseline[1]-baseline[0]), float64(window[1]-window[0])
	if long <= 0 || short <= 0 { // nothing to compare with; what there was is counted all the same
		n := Novelty{Kind: KindSteady, Ratio: 1, Chance: 1}
		if long > 0 {
			n.Before = e.Histogram.Count(baseline[0], baseline[1])
		}
		if short > 0 {
			n.During = e.Histogram.Count(window[0], window[1])
		}
		return n
	}
	n := Novelty{
		Kind:   KindSteady,
		Before: e.Histogram.Count(baseline[0], baseline[1]),
		During: e.Histogram.Count(window[0], window[1]),
		Chance: 1,
	}
	before, during := float64(n.Before), float64(n.During)
	n.Ratio = (during + 0.5) / short / ((before + 0.5) / long)
	burst := math.Max(1, e.Histogram.Dispersion(baseline[0], baseline[1]))
	before, during = before/burst, during/burst
	share := short / (short + long)
	switch {
	case n.During == 0 && n.Before == 0:
	case n.During == 0:
		if n.Chance = math.Pow(1-share, before); n.Chance < maxChance {
			n.Kind = KindVanished
		}
	case n.Before == 0:
		n.Kind = KindNew
		n.Chance = atLeast(during, during, share)
	default:
		n.Chance = atLeast(during, before+during, share)
		if n.Ratio >= SurgeRatio && n.Chance < maxChance {
			n.Kind = KindSurging
		}
	}
	return n
}

// atLeast returns the probability of k successes or more in n trials of probability p, through the incomplete beta
// function so that k and n need not be whole.
func atLeast(k, n, p float64) float64 {
	if k <= 0 {
		return 1
	}
	return incompleteBeta(k, n-k+1, p)
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by its hypergeometric series (DLMF 8.17.8), whose
// terms are positive and fall on the side of the mean chosen here, so that small results keep their precision.
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 || x >= 1 {
		return math.Min(1, math.Max(0, x))
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x)
	}
	lgamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	term := math.Exp(lgamma(a+b) - lgamma(a+1) - lgamma(b) + a*math.Log(x) + b*math.Log1p(-x))
	sum := term
	// A million terms are reached at some 1e11 lines only, where chance has no say any more.
	for i := 0.0; i < 1e6 && term > sum*1e-12; i++ {
		term *= x * (a + b + i) / (a + 1 + i)
		sum += term
	}
	return math.Min(1, sum)
}
