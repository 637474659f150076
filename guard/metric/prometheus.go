package metric

import (
	"bufio"
	"bytes"
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// maxSeries is how many series one instrument may have, as OpenTelemetry's SDKs limit them; further ones are counted in
// one with otel_metric_overflow="true". Attributes that strangers choose must not fill the memory.
const maxSeries = 2000

// Prometheus keeps observations and serves them in Prometheus' text format. The zero value is ready.
type Prometheus struct {
	mu     sync.RWMutex
	series map[seriesKey]*series
	count  map[Name]int
}

type seriesKey struct {
	name  Name
	attrs Attrs
}

type series struct {
	value  atomic.Uint64 // bits of a float: the sum of a histogram, else the value
	bounds []float64
	counts []atomic.Uint64 // by bound, and one beyond; nil unless a histogram
}

// Observe implements [Observer]. A series that is known costs no allocation.
func (p *Prometheus) Observe(name Name, value float64, attrs Attrs) {
	key := seriesKey{name, attrs}
	p.mu.RLock()
	s := p.series[key]
	p.mu.RUnlock()
	kind := kindOf(name)
	if s == nil {
		s = p.add(key)
	}
	if s.counts != nil {
		i, _ := slices.BinarySearch(s.bounds, value) // the bound itself belongs to its bucket
		s.counts[i].Add(1)
	}
	if kind == Gauge || kind == Level {
		s.value.Store(math.Float64bits(value))
		return
	}
	for {
		old := s.value.Load()
		if s.value.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+value)) {
			return
		}
	}
}

// kindOf is [Describe] without what allocates.
func kindOf(name Name) Kind {
	switch name {
	case ServerDuration, ClientDuration:
		return Histogram
	}
	return Describe(name).Kind
}

func (p *Prometheus) add(key seriesKey) *series {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.series == nil {
		p.series, p.count = map[seriesKey]*series{}, map[Name]int{}
	}
	if s := p.series[key]; s != nil {
		return s
	}
	if p.count[key.name] >= maxSeries {
		key.attrs = Attrs{{"otel.metric.overflow", "true"}}
		if s := p.series[key]; s != nil {
			return s
		}
	}
	s := &series{}
	if in := Describe(key.name); in.Kind == Histogram {
		s.bounds, s.counts = in.Bounds, make([]atomic.Uint64, len(in.Bounds)+1)
	}
	p.series[key] = s
	p.count[key.name]++
	return s
}

// ServeHTTP answers a scrape (text format 0.0.4), with the names that OpenTelemetry's own exporter would give:
// http.server.request.duration in s becomes http_server_request_duration_seconds.
func (p *Prometheus) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var out bytes.Buffer
	p.write(&out)
	_, _ = w.Write(out.Bytes()) // a scraper that is gone
}

func (p *Prometheus) write(out *bytes.Buffer) {
	p.mu.RLock()
	keys := make([]seriesKey, 0, len(p.series))
	for k := range p.series {
		keys = append(keys, k)
	}
	p.mu.RUnlock()
	slices.SortFunc(keys, func(a, b seriesKey) int {
		if c := cmp.Compare(a.name, b.name); c != 0 {
			return c
		}
		return cmp.Compare(labels(a.attrs), labels(b.attrs))
	})
	b := bufio.NewWriter(out)
	var last Name
	for _, k := range keys {
		p.mu.RLock()
		s := p.series[k]
		p.mu.RUnlock()
		in := Describe(k.name)
		name := exported(k.name, in)
		if k.name != last {
			last = k.name
			if in.Description != "" {
				b.WriteString("# HELP " + name + " " + in.Description + "\n")
			}
			b.WriteString("# TYPE " + name + " " + map[Kind]string{Counter: "counter", UpDownCounter: "gauge", Gauge: "gauge", Level: "gauge", Histogram: "histogram"}[in.Kind] + "\n")
		}
		s.write(b, name, labels(k.attrs))
	}
	_ = b.Flush() // into memory
}

func (s *series) write(b *bufio.Writer, name, labels string) {
	value := number(math.Float64frombits(s.value.Load()))
	if s.counts == nil {
		b.WriteString(name + braces(labels) + " " + value + "\n")
		return
	}
	var sum uint64
	for i := range s.counts {
		sum += s.counts[i].Load()
		le := "+Inf"
		if i < len(s.bounds) {
			le = number(s.bounds[i])
		}
		with := `le="` + le + `"`
		if labels != "" {
			with = labels + "," + with
		}
		b.WriteString(name + "_bucket{" + with + "} " + strconv.FormatUint(sum, 10) + "\n")
	}
	b.WriteString(name + "_sum" + braces(labels) + " " + value + "\n")
	b.WriteString(name + "_count" + braces(labels) + " " + strconv.FormatUint(sum, 10) + "\n")
}

func braces(labels string) string {
	if labels == "" {
		return ""
	}
	return "{" + labels + "}"
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// labels writes the attributes in the order of their names.
func labels(attrs Attrs) string {
	slices.SortFunc(attrs[:], func(a, b Attr) int { return strings.Compare(a.Key, b.Key) })
	var b strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for _, a := range attrs {
		if a.Key == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(underscores(a.Key) + `="` + escape.Replace(strings.ToValidUTF8(a.Value, "\uFFFD")) + `"`)
	}
	return b.String()
}

// exported is the name that Prometheus knows an instrument by: the unit and, for counters, _total behind it.
func exported(n Name, in Instrument) string {
	name := underscores(string(n))
	if in.Unit == "s" {
		name += "_seconds"
	}
	if in.Kind == Counter {
		name += "_total"
	}
	return name
}

func underscores(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
}
