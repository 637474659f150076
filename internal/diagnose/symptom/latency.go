package symptom

import (
	"fmt"
	"math"
	"slices"

	"github.com/inquesthq/inquest"
)

// plateaus finds the time-out behind failures: when most failures of a status took nearly the same time, and that time is
// long, something waited for a limit. Time-outs are configured in round figures; failures cluster just above.
func plateaus(c *inquest.Case) []inquest.Symptom {
	byRoute := map[int][]inquest.Request{}
	for _, f := range c.Failures {
		if f.Duration >= 0 {
			byRoute[f.Status] = append(byRoute[f.Status], f)
		}
	}
	var out []inquest.Symptom
	for status, fs := range byRoute {
		if len(fs) < 5 {
			continue
		}
		var d []float64
		for _, f := range fs {
			d = append(d, f.Duration)
		}
		slices.Sort(d)
		level, share := plateau(d)
		if share < 0.3 || level < 0.5 {
			continue
		}
		first := fs[0]
		for _, f := range fs {
			if near(f.Duration, level) {
				first = f
				break
			}
		}
		out = append(out, inquest.Symptom{
			Kind: inquest.SymptomPlateau, Detail: fmt.Sprint(status), Component: c.Observer, Onset: first.Time, Count: len(fs), Share: share * float64(len(fs)) / float64(max(1, len(c.Failures))),
			Value: level, Baseline: c.Traffic.BaselineMean, Limit: none,
			Text:     fmt.Sprintf("%.0f%% of the %d answers took %.3g s: a time-out of that length", 100*share, status, level),
			Evidence: []inquest.Evidence{requestEvidence(first)},
		})
	}
	slices.SortFunc(out, func(a, b inquest.Symptom) int { return b.Count - a.Count })
	return out
}

// plateau returns the duration around which the most values lie (within 4%, at least 60 ms, the jitter of a busy
// event loop), and their share.
func plateau(d []float64) (level, share float64) {
	best := 0
	for i, lo := 0, 0; i < len(d); i++ {
		for !near(d[lo], d[i]) {
			lo++
		}
		if n := i - lo + 1; n > best {
			best, level = n, d[lo+(i-lo)/2]
		}
	}
	return level, float64(best) / float64(len(d))
}

func near(a, b float64) bool { return math.Abs(a-b) <= math.Max(0.06, 0.04*math.Max(a, b)) }

func requestEvidence(f inquest.Request) inquest.Evidence {
	text := fmt.Sprintf("%s %d", f.Route, f.Status)
	if f.Duration >= 0 {
		text += fmt.Sprintf(" after %.3f s", f.Duration)
	}
	if f.Upstream != "" {
		text += fmt.Sprintf(" (upstream %s answered %s)", f.Upstream, orDash(f.UpstreamStatus))
	}
	return inquest.Evidence{Layer: inquest.LayerResponse, Kind: "request", Time: f.Time, Text: text, Source: f.Source}
}

func orDash(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// slowness compares the mean duration of all answers; twice as slow is felt by people.
func slowness(c *inquest.Case) []inquest.Symptom {
	t := c.Traffic
	if t.BaselineMean <= 0 || t.IncidentMean < 2*t.BaselineMean || t.IncidentMean < 0.1 {
		return nil
	}
	return []inquest.Symptom{{
		Kind: inquest.SymptomSlow, Component: c.Observer, Onset: c.Onset, Share: -1, Value: t.IncidentMean, Baseline: t.BaselineMean, Limit: none,
		Text: fmt.Sprintf("mean answer time %.3g s, %.3g s before", t.IncidentMean, t.BaselineMean),
	}}
}

// traffic reports a surge that precedes the failures. Retries and impatient users raise the rate once answers fail, so
// the stretch before the onset decides.
func traffic(c *inquest.Case) []inquest.Symptom {
	t := c.Traffic
	if t.BaselineRate <= 0 {
		return nil
	}
	s := inquest.Symptom{Kind: inquest.SymptomTraffic, Component: c.Observer, Onset: c.Onset, Share: -1, Baseline: t.BaselineRate, Limit: none}
	switch {
	case math.Max(t.OnsetRate, t.IncidentRate) >= 1.8*t.BaselineRate:
		s.Detail, s.Value = "surge", math.Max(t.OnsetRate, t.IncidentRate)
	case t.IncidentRate <= 0.4*t.BaselineRate:
		s.Detail, s.Value = "drop", t.IncidentRate
	default:
		return nil
	}
	s.Text = fmt.Sprintf("%.3g requests a second, %.3g before", s.Value, t.BaselineRate)
	return []inquest.Symptom{s}
}

// heavy reports a route whose requests came to keep far more of the service busy than all did before: the others queue behind them.
func heavy(c *inquest.Case, r *Resolver) []inquest.Symptom {
	w := c.Traffic.Heaviest
	if w == nil || c.Traffic.IncidentMean < 2*c.Traffic.BaselineMean { // nobody waits
		return nil
	}
	s := inquest.Symptom{Kind: inquest.SymptomTraffic, Detail: "heavy", Component: r.Name(w.Observer), Onset: c.Onset, Share: -1, Value: w.During, Baseline: w.All, Limit: none,
		Text: fmt.Sprintf("%s takes %.3g s a request and came %.2g times a second, %.2g before: %.2g under way at a time, %.2g of all routes before",
			w.Route, w.Mean, w.RateDuring, w.RateBefore, w.During, w.All)}
	for i := range c.Failures {
		f := &c.Failures[i]
		if f.Route == w.Route && len(s.Evidence) == 0 {
			s.Evidence = []inquest.Evidence{requestEvidence(*f)}
		}
		if x := r.Find(lastAddr(f.Upstream)); x != nil && x.Kind == inquest.KindApp && (s.Peer == "" || f.Route == w.Route) {
			s.Peer = x.Name
		}
	}
	if s.Peer != "" { // it is the service's work, whoever counted it
		s.Component = s.Peer
	}
	return []inquest.Symptom{s}
}
