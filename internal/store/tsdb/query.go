package tsdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Instant evaluates PromQL at one time.
func (d *DB) Instant(ctx context.Context, query string, at time.Time) ([]inquest.Series, error) {
	q, err := d.engine.NewInstantQuery(ctx, view{d}, nil, query, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrQuery, err)
	}
	out, err := run(ctx, q, at)
	if err == nil && slices.ContainsFunc(out, func(s inquest.Series) bool { return len(s.Samples) != 1 }) {
		return nil, fmt.Errorf("%w: %q gives a range of samples: use Range, or Raw", store.ErrQuery, query)
	}
	return out, err
}

// Range evaluates PromQL at from, from+step, ... up to and including to.
func (d *DB) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) ([]inquest.Series, error) {
	if step <= 0 || to.Before(from) {
		return nil, fmt.Errorf("%w: from %s to %s every %s: the step must be above zero, and the end not before the start", store.ErrQuery, from, to, step)
	}
	q, err := d.engine.NewRangeQuery(ctx, view{d}, nil, query, from, to, step)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrQuery, err)
	}
	return run(ctx, q, from)
}

// Raw returns the samples of [from, to) as they were stored. Marks of series that ended are no samples.
func (d *DB) Raw(ctx context.Context, selector string, from, to time.Time) ([]inquest.Series, error) {
	matchers, err := d.parser.ParseMetricSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrQuery, err)
	}
	if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		return nil, fmt.Errorf("%w: %s chooses everything: name a metric, or a label's value", store.ErrQuery, selector)
	}
	mint, maxt := from.UnixMilli(), to.UnixMilli()-1
	if maxt < mint {
		return nil, nil
	}
	q, err := view{d}.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	defer func() { _ = q.Close() }()
	var out []inquest.Series
	set := q.Select(ctx, true, nil, matchers...)
	var it chunkenc.Iterator
	for set.Next() {
		s := seriesOf(set.At().Labels())
		it = set.At().Iterator(it)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValFloat {
				continue // a native histogram has no one value
			}
			if t, v := it.At(); t >= mint && t <= maxt && !value.IsStaleNaN(v) {
				s.Samples = append(s.Samples, inquest.Sample{Time: time.UnixMilli(t).UTC(), Value: v})
			}
		}
		if err := it.Err(); err != nil {
			return nil, fmt.Errorf("tsdb: %w", err)
		}
		if len(s.Samples) > 0 {
			out = append(out, s)
		}
	}
	if err := set.Err(); err != nil {
		return nil, fmt.Errorf("tsdb: %w", err)
	}
	return out, nil
}

func run(ctx context.Context, q promql.Query, at time.Time) ([]inquest.Series, error) {
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, queryError(ctx, res.Err)
	}
	switch v := res.Value.(type) {
	case promql.Scalar:
		return []inquest.Series{{Samples: []inquest.Sample{{Time: at.UTC(), Value: v.V}}}}, nil
	case promql.Vector:
		out := make([]inquest.Series, 0, len(v))
		for _, x := range v {
			if x.H != nil {
				continue
			}
			s := seriesOf(x.Metric)
			s.Samples = []inquest.Sample{{Time: time.UnixMilli(x.T).UTC(), Value: x.F}}
			out = append(out, s)
		}
		return out, nil
	case promql.Matrix:
		out := make([]inquest.Series, 0, len(v))
		for _, x := range v {
			s := seriesOf(x.Metric)
			for _, p := range x.Floats {
				s.Samples = append(s.Samples, inquest.Sample{Time: time.UnixMilli(p.T).UTC(), Value: p.F})
			}
			if len(s.Samples) > 0 {
				out = append(out, s)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: it gives a %s: ask for numbers", store.ErrQuery, res.Value.Type())
}

// queryError tells a query that cannot be answered from a store that cannot answer.
func queryError(ctx context.Context, err error) error {
	var slow promql.ErrQueryTimeout
	var storage promql.ErrStorage
	var many promql.ErrTooManySamples
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &storage):
		return fmt.Errorf("tsdb: %w", err)
	case errors.As(err, &slow), errors.As(err, &many):
		return fmt.Errorf("%w: %w: ask for less time, or fewer series", store.ErrQuery, err)
	}
	return fmt.Errorf("%w: %w", store.ErrQuery, err)
}

func seriesOf(set labels.Labels) inquest.Series {
	s := inquest.Series{Name: set.Get(model.MetricNameLabel)}
	set.Range(func(l labels.Label) {
		if l.Name == model.MetricNameLabel {
			return
		}
		if s.Labels == nil {
			s.Labels = make(map[string]string, set.Len())
		}
		s.Labels[l.Name] = l.Value
	})
	return s
}

// Check parses an expression without evaluating it.
func (d *DB) Check(query string) error {
	if _, err := d.parser.ParseExpr(query); err != nil {
		return fmt.Errorf("%w: %w", store.ErrQuery, err)
	}
	return nil
}

// Stats is the state of the database.
type Stats struct {
	Series   uint64    // in memory: those that got samples of late
	Bytes    int64     // on disk
	From, To time.Time // of the samples; zero when there are none
	Appended uint64    // samples since Open

	// Samples that were dropped since Open, each for one reason.
	OutOfOrder uint64 // older than one that the series has
	TooOld     uint64 // older than the time for which samples are still taken
	Twice      uint64 // the series has another value at that time
	Future     uint64 // more than ten minutes ahead of the clock
	Invalid    uint64 // no name

	Repaired bool          // the log of writes was damaged when the folder was opened, and was cut off there
	Ahead    time.Duration // how far the newest sample is ahead of the clock; above ten minutes, what is stored now is kept apart
}

// Stats counts.
func (d *DB) Stats() (Stats, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	sums, err := d.counters()
	if err != nil {
		return Stats{}, err
	}
	s := Stats{
		Appended: sums["prometheus_tsdb_head_samples_appended_total"], OutOfOrder: sums["prometheus_tsdb_out_of_order_samples_total"],
		TooOld: sums["prometheus_tsdb_out_of_bound_samples_total"] + sums["prometheus_tsdb_too_old_samples_total"],
		Twice:  d.twice.Load(), Future: d.future.Load(), Invalid: d.invalid.Load(),
		Repaired: sums["prometheus_tsdb_wal_corruptions_total"]+sums["prometheus_tsdb_mmap_chunk_corruptions_total"] > 0,
	}
	oldest, latest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, db := range d.all() {
		h := db.Head()
		s.Series += h.NumSeries()
		s.Bytes += h.Size()
		if h.NumSeries() > 0 {
			oldest = min(oldest, h.MinTime())
		}
		for _, b := range db.Blocks() {
			s.Bytes += b.Size()
			oldest = min(oldest, b.Meta().MinTime)
		}
		latest = max(latest, newest(db))
	}
	if latest != math.MinInt64 {
		s.From, s.To = time.UnixMilli(oldest).UTC(), time.UnixMilli(latest).UTC()
		s.Ahead = max(0, s.To.Sub(d.cfg.Now()))
	}
	return s, nil
}

func (d *DB) counters() (map[string]uint64, error) {
	all := []*prometheus.Registry{d.reg}
	if d.again != nil {
		all = append(all, d.again.reg)
	}
	sums := map[string]uint64{}
	for _, reg := range all {
		families, err := reg.Gather()
		if err != nil {
			return nil, fmt.Errorf("tsdb: %w", err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				sums[f.GetName()] += uint64(m.GetCounter().GetValue())
			}
		}
	}
	return sums, nil
}

var (
	_ store.Appender = (*DB)(nil)
	_ store.Querier  = (*DB)(nil)
)
