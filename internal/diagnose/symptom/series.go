package symptom

import (
	"cmp"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

// Owner names the component that a series is about.
func (r *Resolver) Owner(s *inquest.Series) string { return owner(s, r) }

// owner names the component that a series is about.
func owner(s *inquest.Series, r *Resolver) string {
	inst := s.Labels["instance"]
	host := inst
	if h, _, err := net.SplitHostPort(inst); err == nil {
		host = h
	}
	for _, k := range []string{s.Container(), host, s.Labels["service"], s.Labels["app"], s.Labels["application"], s.Labels["service_name"], s.Labels["container"], s.Labels["deployment"], s.Labels["job"]} {
		if k == "" || servicegraph.Loopback(k) {
			continue
		}
		if c := r.Find(k); c != nil {
			return c.Name
		}
	}
	return cmp.Or(s.Container(), s.Labels["service"], s.Labels["app"], s.Labels["pod"], host, s.Labels["job"])
}

// points are the values of a series inside a window.
func points(s *inquest.Series, w inquest.Window) []inquest.Sample {
	if w.IsZero() {
		return nil
	}
	lo, _ := slices.BinarySearchFunc(s.Samples, w.From, func(x inquest.Sample, t time.Time) int { return x.Time.Compare(t) })
	hi, _ := slices.BinarySearchFunc(s.Samples, w.To, func(x inquest.Sample, t time.Time) int { return x.Time.Compare(t) })
	return s.Samples[lo:hi]
}

// rates turns a counter into its increase per second between samples; resets count from zero.
func rates(in []inquest.Sample) []inquest.Sample {
	var out []inquest.Sample
	for i := 1; i < len(in); i++ {
		dt := in[i].Time.Sub(in[i-1].Time).Seconds()
		if dt <= 0 {
			continue
		}
		d := in[i].Value - in[i-1].Value
		if d < 0 {
			d = in[i].Value
		}
		out = append(out, inquest.Sample{Time: in[i].Time, Value: d / dt})
	}
	return out
}

func isCounter(s *inquest.Series) bool {
	return s.Type == "counter" || strings.HasSuffix(s.Name, "_total") || strings.HasSuffix(s.Name, "_count") || strings.HasSuffix(s.Name, "_sum")
}

func quantile(in []inquest.Sample, q float64) float64 {
	if len(in) == 0 {
		return math.NaN()
	}
	v := make([]float64, 0, len(in))
	for _, x := range in {
		if !math.IsNaN(x.Value) {
			v = append(v, x.Value)
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[int(q*float64(len(v)-1)+0.5)]
}

// ratioSeries divides two series sample by sample; the limit may be rarer, its last value before a point counts.
func ratioSeries(used, limit []inquest.Sample) []inquest.Sample {
	var out []inquest.Sample
	j := 0
	for _, u := range used {
		for j+1 < len(limit) && !limit[j+1].Time.After(u.Time) {
			j++
		}
		if len(limit) == 0 || limit[j].Value <= 0 || math.IsInf(limit[j].Value, 0) {
			continue
		}
		out = append(out, inquest.Sample{Time: u.Time, Value: u.Value / limit[j].Value})
	}
	return out
}

// tokens splits a metric name into its words.
func tokens(name string) map[string]bool {
	out := map[string]bool{}
	for _, t := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '.' || r == ':' || r == '-' || r == '/' }) {
		out[t] = true
	}
	return out
}

func has(t map[string]bool, words ...string) bool {
	for _, w := range words {
		if t[w] {
			return true
		}
	}
	return false
}

// metricSource points at a series as evidence.
func metricSource(s *inquest.Series) inquest.Source {
	return inquest.Source{Metric: s.Name, Labels: s.Labels, File: s.Source.File}
}
