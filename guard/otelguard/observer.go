// Package otelguard tells guard's numbers to OpenTelemetry. It is a module of its own, so that guard itself needs the
// standard library only; it knows OpenTelemetry's interfaces, not an SDK: the service chooses that, its readers and its
// exporters.
//
//	observer := otelguard.New(otel.GetMeterProvider())
//	g, err := guard.New(guard.Config{Service: "checkout", Observer: observer})
package otelguard

import (
	"context"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelmetric "go.opentelemetry.io/otel/metric"

	"github.com/inquesthq/inquest/guard/metric"
)

const (
	// Scope is the instrumentation scope of all instruments.
	Scope = "github.com/inquesthq/inquest/guard"
	// Schema is the version of the semantic conventions that guard's names and attributes keep.
	Schema = "https://opentelemetry.io/schemas/1.40.0"
)

// maxSeries is how many series an instrument may have before further ones are counted in one, with otel.metric.overflow:
// OpenTelemetry's specification lets an SDK keep 2000, but Go's has no limit of its own.
const maxSeries = 2000

// overflow stands for all series beyond.
var overflow = metric.Attrs{{Key: "otel.metric.overflow", Value: "true"}}

// Observer is a [metric.Observer] that feeds the instruments of a meter. An instrument is made when its name is first
// observed, with the kind, unit, description and bounds of [metric.Describe].
//
// Observations carry no context: exemplars name no trace.
type Observer struct {
	meter       otelmetric.Meter
	mu          sync.RWMutex
	instruments map[metric.Name]*instrument
}

// New makes an observer for a provider; nil is the global one, which may be set later.
func New(provider otelmetric.MeterProvider) *Observer {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	return &Observer{
		meter:       provider.Meter(Scope, otelmetric.WithSchemaURL(Schema)),
		instruments: map[metric.Name]*instrument{},
	}
}

// Observe implements [metric.Observer]. A series that is known costs no allocation here. What a meter has against a
// name goes to OpenTelemetry's error handler, once a name.
func (o *Observer) Observe(name metric.Name, value float64, attrs metric.Attrs) {
	o.mu.RLock()
	in := o.instruments[name]
	o.mu.RUnlock()
	if in == nil {
		in = o.add(name)
	}
	in.observe(value, attrs)
}

func (o *Observer) add(name metric.Name) *instrument {
	o.mu.Lock()
	defer o.mu.Unlock()
	if in := o.instruments[name]; in != nil {
		return in
	}
	in, err := newInstrument(o.meter, name)
	if err != nil {
		otel.Handle(err)
	}
	o.instruments[name] = in
	return in
}

// instrument has either an adder or a recorder.
type instrument struct {
	kind  metric.Kind
	adder interface { // a counter, or an up-down counter
		Add(context.Context, float64, ...otelmetric.AddOption)
	}
	recorder interface { // a histogram, or a gauge
		Record(context.Context, float64, ...otelmetric.RecordOption)
	}
	mu     sync.RWMutex
	series map[metric.Attrs]*series
}

// newInstrument makes the instrument of a name. OpenTelemetry gives one that can be used, or does nothing, with an error too.
func newInstrument(m otelmetric.Meter, name metric.Name) (*instrument, error) {
	d := metric.Describe(name)
	unit, text := otelmetric.WithUnit(d.Unit), otelmetric.WithDescription(d.Description)
	in := &instrument{kind: d.Kind, series: map[metric.Attrs]*series{}}
	var err error
	switch d.Kind {
	case metric.UpDownCounter, metric.Level:
		in.adder, err = m.Float64UpDownCounter(string(name), unit, text)
	case metric.Gauge:
		in.recorder, err = m.Float64Gauge(string(name), unit, text)
	case metric.Histogram:
		in.recorder, err = m.Float64Histogram(string(name), unit, text, otelmetric.WithExplicitBucketBoundaries(d.Bounds...))
	default:
		in.adder, err = m.Float64Counter(string(name), unit, text)
	}
	return in, err
}

// series are the options of one set of attributes, ready to be passed on.
type series struct {
	add    []otelmetric.AddOption
	record []otelmetric.RecordOption
	mu     sync.Mutex
	level  float64 // last observed
}

func (in *instrument) observe(value float64, attrs metric.Attrs) {
	in.mu.RLock()
	s := in.series[attrs]
	in.mu.RUnlock()
	if s == nil {
		s = in.addSeries(attrs)
	}
	ctx := context.Background()
	switch {
	case in.recorder != nil:
		in.recorder.Record(ctx, value, s.record...)
	case in.kind == metric.Level:
		in.adder.Add(ctx, s.change(value), s.add...)
	default:
		in.adder.Add(ctx, value, s.add...)
	}
}

// change is what has to be added to come to a level. Changes may be added in any order.
func (s *series) change(level float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := level - s.level
	s.level = level
	return by
}

func (in *instrument) addSeries(attrs metric.Attrs) *series {
	in.mu.Lock()
	defer in.mu.Unlock()
	if s := in.series[attrs]; s != nil {
		return s
	}
	// A level cannot share a series, and its attributes are named by the service itself.
	if len(in.series) >= maxSeries && in.kind != metric.Level {
		attrs = overflow
		if s := in.series[attrs]; s != nil {
			return s
		}
	}
	option := otelmetric.WithAttributeSet(set(attrs))
	s := &series{add: []otelmetric.AddOption{option}, record: []otelmetric.RecordOption{option}}
	in.series[attrs] = s
	return s
}

// set leaves out what has no value, and gives numbers and truths their type in the conventions.
func set(attrs metric.Attrs) attribute.Set {
	kv := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		if a.Key == "" || a.Value == "" {
			continue
		}
		kv = append(kv, keyValue(a))
	}
	return attribute.NewSet(kv...)
}

func keyValue(a metric.Attr) attribute.KeyValue {
	switch a.Key {
	case "otel.metric.overflow":
		return attribute.Bool(a.Key, true)
	case "http.response.status_code", "server.port":
		if n, err := strconv.Atoi(a.Value); err == nil {
			return attribute.Int(a.Key, n)
		}
	}
	return attribute.String(a.Key, a.Value)
}
