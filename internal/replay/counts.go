package replay

import (
	"context"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/rates"
)

// counts holds what the logs say, by steps of time.
type counts struct {
	cfg      Config
	step     time.Duration
	from, to time.Time
	buckets  map[int64]*rates.Counter // by step since from
	series   []inquest.Series         // metrics in the folder; what was written is cut off their fronts
	all      *rates.Counter           // of the steps up to now
	records  int
	total    int64 // bytes
}

func newCounts(cfg Config) *counts {
	c := &counts{cfg: cfg, step: cfg.Step, buckets: map[int64]*rates.Counter{}}
	for i := range cfg.Reports {
		rep := &cfg.Reports[i]
		if rep.Records == 0 || rep.From.IsZero() {
			continue
		}
		if c.from.IsZero() || rep.From.Before(c.from) {
			c.from = rep.From
		}
		if rep.To.After(c.to) {
			c.to = rep.To
		}
	}
	if c.step <= 0 {
		c.step = max(5*time.Second, (c.to.Sub(c.from) / most).Round(time.Second))
	}
	c.from = c.from.Truncate(c.step)
	c.all = rates.NewCounter(c.step)
	return c
}

func (c *counts) steps() int64 { return int64(c.to.Sub(c.from)/c.step) + 1 }

// read counts every file again, now that it is known whose log it is.
func (c *counts) read(ctx context.Context) error {
	entries, _, err := parse.Walk(c.cfg.Path)
	if err != nil {
		return err
	}
	reports := map[string]*parse.FileReport{}
	for i := range c.cfg.Reports {
		reports[c.cfg.Reports[i].File] = &c.cfg.Reports[i]
	}
	for _, e := range entries {
		c.total += e.Size
	}
	done := int64(0)
	for _, e := range entries {
		s := &sink{counts: c}
		if rep := reports[e.Name]; rep != nil {
			s.writer, s.shift = rep.Writer, rep.Shift
		}
		parse.ReadFile(ctx, e.Dir, e.Name, parse.Options{Workers: 1, Progress: func(read, _ int64) {
			if c.cfg.Progress != nil {
				c.cfg.Progress(done+read, 2*c.total)
			}
		}}, func() parse.Sink { return s })
		if err := ctx.Err(); err != nil {
			return err
		}
		done += e.Size
	}
	c.series = merged(c.series)
	return nil
}

// merged puts the samples of one series together, whatever files and lines they are from, in order of time.
func merged(parts []inquest.Series) []inquest.Series {
	place := map[string]int{}
	var out []inquest.Series
	for _, s := range parts {
		key := s.Name + inquest.LabelText(s.Labels)
		i, ok := place[key]
		if !ok {
			i = len(out)
			place[key] = i
			out = append(out, inquest.Series{Name: s.Name, Labels: s.Labels})
		}
		out[i].Samples = append(out[i].Samples, s.Samples...)
	}
	for i := range out {
		slices.SortStableFunc(out[i].Samples, func(a, b inquest.Sample) int { return a.Time.Compare(b.Time) })
	}
	return out
}

// at returns the counter of a time; nil for times that no report knows of, such as a stray line of another year.
func (c *counts) at(t time.Time) *rates.Counter {
	if t.Before(c.from) || t.After(c.to) {
		return nil
	}
	i := int64(t.Sub(c.from) / c.step)
	b := c.buckets[i]
	if b == nil {
		b = rates.NewCounter(c.step)
		c.buckets[i] = b
	}
	c.records++
	return b
}

// advance returns the samples at the end of step i.
func (c *counts) advance(i int64, at time.Time) []inquest.Series {
	if b := c.buckets[i]; b != nil {
		c.all.Add(b)
		delete(c.buckets, i)
	}
	out := c.all.Series(at)
	for k := range c.series {
		s := &c.series[k]
		n := 0
		for n < len(s.Samples) && !s.Samples[n].Time.After(at) {
			n++
		}
		if n > 0 {
			part := *s
			part.Samples, s.Samples = s.Samples[:n], s.Samples[n:]
			out = append(out, part)
		}
	}
	return out
}

// sink takes the records of one file.
type sink struct {
	counts *counts
	writer string
	shift  time.Duration
}

// Log counts a record at its time.
func (s *sink) Log(r *parse.Record) {
	if r.Time == 0 {
		return
	}
	if b := s.counts.at(time.Unix(0, r.Time).Add(s.shift).UTC()); b != nil {
		b.Log(r, s.writer)
	}
}

// Signal counts a span at its end, and keeps metrics.
func (s *sink) Signal(x parse.Signal) {
	switch {
	case x.Span != nil:
		if b := s.counts.at(x.Span.Start.Add(x.Span.Duration).UTC()); b != nil {
			b.Span(x.Span)
		}
	case x.Series != nil && len(x.Series.Samples) > 0 && !x.Series.Samples[0].Time.IsZero():
		s.counts.series = append(s.counts.series, *x.Series)
	}
}
