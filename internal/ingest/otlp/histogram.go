package otlp

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest"
)

// fixed64s reads a repeated field of 64-bit numbers, packed or not.
func fixed64s(dst []uint64, f *wireField) ([]uint64, error) {
	switch f.typ {
	case protowire.Fixed64Type:
		return append(dst, f.n), nil
	case protowire.BytesType:
		for b := f.bytes; len(b) > 0; {
			v, n := protowire.ConsumeFixed64(b)
			if n < 0 {
				return dst, errWire
			}
			if dst = append(dst, v); len(dst) > maxBuckets {
				return dst, nil
			}
			b = b[n:]
		}
	}
	return dst, nil
}

// histogram is a HistogramDataPoint: buckets with explicit bounds become the classic _bucket, cumulative.
func (m *metrics) histogram(b []byte) error {
	var counts, bounds []uint64
	var count uint64
	sum, hasSum := 0.0, false
	p, labels, err := m.read(b, 9, 10, func(f *wireField) (err error) {
		switch f.num {
		case 4:
			count = f.n
		case 5:
			sum, hasSum = f.float(), true
		case 6:
			counts, err = fixed64s(counts, f)
		case 7:
			bounds, err = fixed64s(bounds, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(bounds) > maxBuckets || len(counts) > 0 && len(counts) != len(bounds)+1 {
		m.t.reject(1, fmt.Sprintf("metric %.100q has %d buckets and %d bounds: one bucket more than bounds is wanted, at most %d", m.name, len(counts), len(bounds), maxBuckets))
		return nil
	}
	below := uint64(0)
	for i := range bounds {
		if len(counts) == 0 {
			break
		}
		below += counts[i]
		if err := m.add("_bucket", with(labels, "le", number(math.Float64frombits(bounds[i]))), p.at, p.or(float64(below))); err != nil {
			return err
		}
	}
	if err := m.add("_bucket", with(labels, "le", "+Inf"), p.at, p.or(float64(count))); err != nil {
		return err
	}
	return m.totals(labels, &p, float64(count), sum, hasSum)
}

// Buckets of exponential histograms are merged to powers of two, which every scale of at least 0 has among its bounds: the bounds of
// a series must not change when its scale does. Powers outside of these join the first, and +Inf.
const (
	minPower = -30 // a nanosecond, in seconds
	maxPower = 40  // a terabyte
)

func (m *metrics) exponential(b []byte) error {
	var count, zero uint64
	sum, hasSum, scale := 0.0, false, int64(0)
	var positive, negative []byte
	p, labels, err := m.read(b, 1, 10, func(f *wireField) error {
		switch f.num {
		case 4:
			count = f.n
		case 5:
			sum, hasSum = f.float(), true
		case 6:
			scale = protowire.DecodeZigZag(f.n)
		case 7:
			zero = f.n
		case 8:
			positive = f.bytes
		case 9:
			negative = f.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	at, err := powers(positive, scale)
	if err != nil {
		return err
	}
	below := zero
	if err := each(negative, func(f *wireField) error { return f.sumVarints(2, &below) }); err != nil {
		return err
	}
	for _, power := range slices.Sorted(maps.Keys(at)) {
		below += at[power]
		if power > maxPower {
			continue
		}
		if err := m.add("_bucket", with(labels, "le", number(math.Ldexp(1, int(power)))), p.at, p.or(float64(below))); err != nil {
			return err
		}
	}
	if err := m.add("_bucket", with(labels, "le", "+Inf"), p.at, p.or(float64(count))); err != nil {
		return err
	}
	return m.totals(labels, &p, float64(count), sum, hasSum)
}

// sumVarints adds a repeated field of varints, packed or not.
func (f *wireField) sumVarints(num protowire.Number, sum *uint64) error {
	return f.varints(num, func(v uint64) { *sum += v })
}

func (f *wireField) varints(num protowire.Number, do func(v uint64)) error {
	switch {
	case f.num != num:
	case f.typ == protowire.VarintType:
		do(f.n)
	case f.typ == protowire.BytesType:
		for b := f.bytes; len(b) > 0; {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return errWire
			}
			do(v)
			b = b[n:]
		}
	}
	return nil
}

// powers adds up exponential buckets by the power of two that is their upper bound or next above it. Bucket i of a scale holds what is in
// (base^i, base^(i+1)], base = 2^(2^-scale): https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponential-buckets
func powers(b []byte, scale int64) (map[int64]uint64, error) {
	out := map[int64]uint64{}
	offset := int64(0)
	if err := each(b, func(f *wireField) error {
		if f.num == 1 && f.typ == protowire.VarintType {
			offset = protowire.DecodeZigZag(f.n)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	i := offset
	err := each(b, func(f *wireField) error {
		return f.varints(2, func(v uint64) {
			power := i + 1
			switch {
			case scale > 0:
				power = (i >> min(scale, 62)) + 1
			case scale < 0:
				power = min(max(i+1, -64), 64) << min(-scale, 10)
			}
			i++
			if v > 0 {
				out[min(max(power, minPower), maxPower+1)] += v
			}
		})
	})
	return out, err
}

// totals adds _count and _sum.
func (m *metrics) totals(labels map[string]string, p *dataPoint, count, sum float64, hasSum bool) error {
	if hasSum { // histograms of what can be negative have none
		if err := m.add("_sum", labels, p.at, p.or(sum)); err != nil {
			return err
		}
	}
	return m.add("_count", labels, p.at, p.or(count))
}

// add hands one sample on, with those before it once they are many.
func (m *metrics) add(suffix string, labels map[string]string, at time.Time, value float64) error {
	name := m.name + suffix
	m.batch = append(m.batch, inquest.Series{Name: name, Labels: labels, Type: m.typ, Samples: []inquest.Sample{{Time: at, Value: value}}})
	m.t.count(m.source, 1)
	if len(m.batch) >= batchSeries {
		return m.flush()
	}
	return nil
}

// labels are those of the resource and of attributes, in Prometheus' spelling. Two attributes that have the same spelling share the label, their
// values joined by a semicolon, as the specification has it.
func (m *metrics) labels(attributes [][]byte) (map[string]string, error) {
	out := make(map[string]string, len(attributes)+len(m.who))
	for _, a := range attributes {
		if len(out) >= maxLabels {
			break
		}
		key, value, err := keyValue(a)
		if err != nil {
			return nil, err
		}
		v, err := text(value)
		if err != nil {
			return nil, err
		}
		name, err := m.o.label.Build(string(key[:min(len(key), maxLabelText)]))
		if err != nil || v == "" {
			continue // a name of nothing but punctuation; an empty value is no label in Prometheus
		}
		if old := out[name]; old != "" {
			v = old + ";" + v
		}
		out[name] = cut(v)
	}
	maps.Copy(out, m.who)
	return out, nil
}

func with(labels map[string]string, key, value string) map[string]string {
	out := maps.Clone(labels)
	out[key] = value
	return out
}

func cut(s string) string { return s[:min(len(s), maxLabelText)] }

// number is a bound as Prometheus writes it.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
