package stat

import "math"

// Burst is the interval of bins in which a ratio rose the most.
type Burst struct {
	From, To int     // half-open bin interval
	LLR      float64 // log-likelihood ratio against "the same ratio everywhere"
	In, Out  float64 // ratio inside and outside
	Failed   float64 // failures inside
	Requests float64 // trials inside
}

// Scan finds the interval of consecutive bins whose failure ratio exceeds the ratio outside most significantly:
// Kulldorff's scan statistic for the Bernoulli model (Communications in Statistics 26, 1997) in one dimension. trials and
// failures have equal length; failures[i] <= trials[i]. Takes quadratic time, so callers give it some hundreds of bins.
func Scan(trials, failures []float64) Burst {
	n := len(trials)
	sumN, sumK := make([]float64, n+1), make([]float64, n+1)
	for i := range n {
		sumN[i+1] = sumN[i] + trials[i]
		sumK[i+1] = sumK[i] + failures[i]
	}
	N, K := sumN[n], sumK[n]
	best := Burst{}
	if K == 0 || N == 0 {
		return best
	}
	null := bernoulli(K, N)
	for i := range n {
		if failures[i] == 0 { // the best interval begins and ends with a failure
			continue
		}
		for j := i + 1; j <= n; j++ {
			if failures[j-1] == 0 {
				continue
			}
			tn, tk := sumN[j]-sumN[i], sumK[j]-sumK[i]
			if tn <= 0 || (N > tn && tk/tn <= (K-tk)/(N-tn)) {
				continue
			}
			if llr := bernoulli(tk, tn) + bernoulli(K-tk, N-tn) - null; llr > best.LLR {
				best = Burst{From: i, To: j, LLR: llr, Failed: tk, Requests: tn, In: tk / tn}
				if N > tn {
					best.Out = (K - tk) / (N - tn)
				}
			}
		}
	}
	return best
}

// bernoulli is the maximised log-likelihood of k successes in n trials.
func bernoulli(k, n float64) float64 {
	if n <= 0 || k <= 0 || k >= n {
		return 0
	}
	p := k / n
	return k*math.Log(p) + (n-k)*math.Log1p(-p)
}

// WilsonLower is the lower bound of the Wilson score interval (JASA 22, 1927) for k of n at z standard deviations.
func WilsonLower(k, n, z float64) float64 {
	if n <= 0 {
		return 0
	}
	p := k / n
	d := 1 + z*z/n
	c := p + z*z/(2*n)
	return max(0, (c-z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n)))/d)
}
