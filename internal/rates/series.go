package rates

import (
	"time"

	"github.com/inquesthq/inquest"
)

// idle is how long a series that does not change is silent: well within the five minutes that PromQL looks back, and several times
// within the minute that is the shortest useful window of a rate.
const idle = 15 * time.Second

// counted is one counter and what was said of it last.
type counted struct {
	name   string
	labels map[string]string
	value  float64
	shown  float64
	at     time.Time // zero: never shown
}

// show appends the counter's series when there is something to say. The first time it says that the counter was 0 half a step ago, else
// nobody could tell that it rose: the first failure would be no increase.
func (c *counted) show(out []inquest.Series, now time.Time, step time.Duration) []inquest.Series {
	first := c.at.IsZero()
	if !first && c.value == c.shown && now.Sub(c.at) < idle || first && c.value == 0 || !now.After(c.at) {
		return out
	}
	s := inquest.Series{Name: c.name, Labels: c.labels, Type: "counter"}
	if first {
		s.Samples = append(s.Samples, inquest.Sample{Time: now.Add(-step / 2)})
	}
	s.Samples = append(s.Samples, inquest.Sample{Time: now, Value: c.value})
	c.shown, c.at = c.value, now
	return append(out, s)
}

func (c *counted) startOver() { c.value, c.shown, c.at = 0, 0, time.Time{} }

// bounds are the upper bounds of the buckets of durations, in seconds, as labels and as numbers.
var bounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

var boundLabels = [...]string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf"}

// durations is a histogram as Prometheus has it: cumulative buckets, sum and count.
type durations struct {
	in     [len(boundLabels)]uint64 // not cumulative
	sum    float64
	series []counted // buckets, sum, count
}

func (d *durations) add(seconds float64) {
	i := 0
	for i < len(bounds) && seconds > bounds[i] {
		i++
	}
	d.in[i]++
	d.sum += seconds
}

func (d *durations) merge(o *durations) {
	for i := range d.in {
		d.in[i] += o.in[i]
	}
	d.sum += o.sum
}

func (d *durations) show(out []inquest.Series, service, route string, now time.Time, step time.Duration) []inquest.Series {
	const name = "inquest_request_duration_seconds"
	if d.series == nil {
		for _, le := range boundLabels {
			d.series = append(d.series, counted{name: name + "_bucket", labels: map[string]string{"service": service, "route": route, "le": le}})
		}
		labels := map[string]string{"service": service, "route": route}
		d.series = append(d.series, counted{name: name + "_sum", labels: labels}, counted{name: name + "_count", labels: labels})
	}
	sum := uint64(0)
	for i := range d.in {
		sum += d.in[i]
		d.series[i].value = float64(sum)
	}
	n := len(d.in)
	d.series[n].value, d.series[n+1].value = d.sum, float64(sum)
	for i := range d.series {
		// An empty bucket below the others has to be there: quantiles are read from all of them.
		if s := &d.series[i]; s.at.IsZero() && s.value == 0 && sum > 0 {
			out = append(out, inquest.Series{Name: s.name, Labels: s.labels, Type: "counter", Samples: []inquest.Sample{{Time: now}}})
			s.at = now
			continue
		}
		out = d.series[i].show(out, now, step)
	}
	return out
}
