package otlp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/otlptranslator"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

// Bounds on what one request may be turned into.
const (
	batchSeries  = 2000 // series that are handed to the store at a time
	maxLabels    = 64
	maxLabelText = 2048
	maxBuckets   = 2000
)

// takeMetrics takes an ExportMetricsServiceRequest.
func (o *Receiver) takeMetrics(ctx context.Context, t *taking) error {
	m := &metrics{o: o, t: t, ctx: ctx}
	err := each(t.body, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return m.resource(f.bytes)
	})
	if err != nil {
		return err
	}
	return m.flush()
}

// metrics turns one request into series.
type metrics struct {
	o      *Receiver
	t      *taking
	ctx    context.Context //nolint:containedctx // of the one call
	source string
	who    map[string]string // labels of the resource
	batch  []inquest.Series
	latest time.Time // of the resource's points

	name string // of the metric at hand
	typ  string
}

func (m *metrics) flush() error {
	if len(m.batch) == 0 {
		return nil
	}
	if err := m.o.cfg.Appender.Append(m.ctx, m.batch); err != nil {
		return fmt.Errorf("the metrics were not kept: %w", err)
	}
	clear(m.batch)
	m.batch = m.batch[:0]
	return nil
}

// resource reads a ResourceMetrics. Its labels are job and instance; the other attributes are those of the series target_info, as
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes-1 has it.
func (m *metrics) resource(b []byte) error {
	who, err := readResource(b)
	if err != nil {
		return err
	}
	if err := m.t.allow(who.service); err != nil {
		return err
	}
	m.source = m.o.cfg.Intake.Source(who.service, unnamed)
	m.t.count(m.source, 0)
	job := cmp.Or(who.service, unnamed)
	if who.namespace != "" {
		job = who.namespace + "/" + job
	}
	m.who = map[string]string{"job": cut(job)}
	if id := cmp.Or(who.id, who.instance); id != "" {
		m.who["instance"] = cut(id)
	}
	m.latest = time.Time{}
	err = each(b, func(f *wireField) error {
		if f.num != 2 || f.typ != protowire.BytesType {
			return nil
		}
		return each(f.bytes, func(f *wireField) error {
			if f.num != 2 || f.typ != protowire.BytesType {
				return nil
			}
			return m.metric(f.bytes)
		})
	})
	if err != nil || m.latest.IsZero() {
		return err
	}
	labels, err := m.labels(who.attributes)
	if err != nil {
		return err
	}
	m.name, m.typ = "target_info", "gauge"
	return m.add("", labels, m.latest, 1)
}

// Fields of Metric that hold its points, and what they are.
const (
	fieldGauge       = 5
	fieldSum         = 7
	fieldHistogram   = 9
	fieldExponential = 10
	fieldSummary     = 11
)

func (m *metrics) metric(b []byte) error {
	var name, unit string
	var data wireField
	err := each(b, func(f *wireField) error {
		switch {
		case f.typ != protowire.BytesType:
		case f.num == 1:
			name = string(f.bytes)
		case f.num == 3:
			unit = string(f.bytes)
		case f.num == fieldGauge, f.num == fieldSum, f.num >= fieldHistogram && f.num <= fieldSummary:
			data = *f
		}
		return nil
	})
	if err != nil {
		return err
	}
	n := 0
	var temporality, monotonic uint64
	err = each(data.bytes, func(f *wireField) error {
		switch {
		case f.num == 1 && f.typ == protowire.BytesType:
			n++
		case f.num == 2 && f.typ == protowire.VarintType:
			temporality = f.n
		case f.num == 3 && f.typ == protowire.VarintType:
			monotonic = f.n
		}
		return nil
	})
	if err != nil || n == 0 {
		return err
	}
	if reason := m.begin(data.num, name, unit, temporality, monotonic != 0); reason != "" {
		m.t.reject(n, reason)
		return nil
	}
	return each(data.bytes, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return m.point(data.num, f.bytes)
	})
}

const cumulative = 2

// begin names the metric. It returns why it cannot be taken, "" if it can.
func (m *metrics) begin(num protowire.Number, name, unit string, temporality uint64, monotonic bool) string {
	if (num == fieldSum || num == fieldHistogram || num == fieldExponential) && temporality != cumulative {
		return fmt.Sprintf("metric %.100q has delta temporality, which loses counts when a request is sent twice: set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative", name)
	}
	if name == "" {
		return "a metric has no name"
	}
	kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
	m.typ = "gauge"
	switch {
	case num == fieldSum && monotonic:
		kind, m.typ = otlptranslator.MetricTypeMonotonicCounter, "counter"
	case num == fieldSum:
		kind = otlptranslator.MetricTypeNonMonotonicCounter
	case num == fieldHistogram, num == fieldExponential:
		kind, m.typ = otlptranslator.MetricTypeHistogram, "histogram"
	case num == fieldSummary:
		kind, m.typ = otlptranslator.MetricTypeSummary, "summary"
	}
	built, err := m.o.metric.Build(otlptranslator.Metric{Name: name[:min(len(name), maxLabelText)], Unit: unit[:min(len(unit), 63)], Type: kind})
	if err != nil {
		return fmt.Sprintf("metric %.100q has no name that Prometheus could have: %v", name, err)
	}
	m.name = built
	return ""
}

func (m *metrics) point(num protowire.Number, b []byte) error {
	switch num {
	case fieldHistogram:
		return m.histogram(b)
	case fieldExponential:
		return m.exponential(b)
	case fieldSummary:
		return m.summary(b)
	}
	return m.number(b)
}

// dataPoint is what the points of all kinds share. The fields of its attributes and flags differ.
type dataPoint struct {
	at    time.Time
	stale bool
	attrs [][]byte
}

// read takes a point apart; more gets the fields that are not every point's.
func (m *metrics) read(b []byte, attributes, flags protowire.Number, more func(f *wireField) error) (p dataPoint, labels map[string]string, err error) {
	err = each(b, func(f *wireField) error {
		switch {
		case f.num == attributes && f.typ == protowire.BytesType:
			if p.attrs = append(p.attrs, f.bytes); len(p.attrs) > maxAttributes {
				return errAttributes
			}
		case f.num == flags && f.typ == protowire.VarintType:
			p.stale = f.n&1 != 0
		case f.num == 3 && f.typ == protowire.Fixed64Type && f.n <= math.MaxInt64:
			p.at = time.Unix(0, int64(f.n)).UTC()
		default:
			return more(f)
		}
		return nil
	})
	if err != nil {
		return p, nil, err
	}
	if p.at.IsZero() {
		p.at = m.o.cfg.Now().UTC()
	}
	if p.at.After(m.latest) {
		m.latest = p.at
	}
	labels, err = m.labels(p.attrs)
	return p, labels, err
}

func (m *metrics) number(b []byte) error {
	value := 0.0
	p, labels, err := m.read(b, 7, 8, func(f *wireField) error {
		switch {
		case f.typ != protowire.Fixed64Type:
		case f.num == 4:
			value = f.float()
		case f.num == 6:
			value = float64(int64(f.n))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.stale {
		value = staleness()
	}
	return m.add("", labels, p.at, value)
}

func (m *metrics) summary(b []byte) error {
	type quantile struct{ q, v float64 }
	var quantiles []quantile
	var count uint64
	sum := 0.0
	p, labels, err := m.read(b, 7, 8, func(f *wireField) error {
		switch {
		case f.num == 4 && f.typ == protowire.Fixed64Type:
			count = f.n
		case f.num == 5 && f.typ == protowire.Fixed64Type:
			sum = f.float()
		case f.num == 6 && f.typ == protowire.BytesType && len(quantiles) < maxBuckets:
			var q quantile
			err := each(f.bytes, func(f *wireField) error {
				switch {
				case f.typ != protowire.Fixed64Type:
				case f.num == 1:
					q.q = f.float()
				case f.num == 2:
					q.v = f.float()
				}
				return nil
			})
			quantiles = append(quantiles, q)
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, q := range quantiles {
		if err := m.add("", with(labels, "quantile", number(q.q)), p.at, p.or(q.v)); err != nil {
			return err
		}
	}
	return m.totals(labels, &p, float64(count), sum, true)
}

// or is the value, or the mark of staleness.
func (p *dataPoint) or(v float64) float64 {
	if p.stale {
		return staleness()
	}
	return v
}

// staleness is Prometheus' mark for a series that has ended: a certain not-a-number.
func staleness() float64 { return math.Float64frombits(ingest.StaleNaN) }
