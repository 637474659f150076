package servicegraph_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

// onset is when faults begin in a world: an hour of health before, ten minutes of incident after.
var onset = time.Date(2031, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	before   = time.Hour
	incident = 10 * time.Minute
	scrape   = 30 * time.Second
)

// world builds telemetry of a made-up system. Noise is 3 % and comes from a fixed seed.
type world struct {
	in  servicegraph.Input
	rng *rand.Rand
}

func newWorld() *world {
	w := &world{rng: rand.New(rand.NewPCG(7, 11))}
	w.in.Hint = inquest.Hint{
		Time:     onset.Add(incident),
		Window:   inquest.Window{From: onset, To: onset.Add(incident)},
		Baseline: inquest.Window{From: onset.Add(-before), To: onset.Add(-2 * time.Minute)},
	}
	w.in.Traces, w.in.Events = &servicegraph.Traces{}, &servicegraph.Events{}
	return w
}

func (w *world) noisy(v float64) float64 { return v * (1 + 0.03*w.rng.NormFloat64()) }

// edges takes "a>b>c" chains.
func (w *world) edges(chains ...string) *world {
	for _, c := range chains {
		names := strings.Split(c, ">")
		for i := 1; i < len(names); i++ {
			w.in.Edges = append(w.in.Edges, inquest.Edge{From: names[i-1], To: names[i]})
		}
	}
	return w
}

// labels takes "k=v,k=v".
func labels(s string) map[string]string {
	m := map[string]string{}
	for _, kv := range strings.Split(s, ",") {
		if k, v, ok := strings.Cut(kv, "="); ok {
			m[k] = v
		}
	}
	return m
}

// gauge adds a series at one level before the onset and at another one after it.
func (w *world) gauge(name, lab string, healthy, sick float64) *world {
	s := inquest.Series{Name: name, Labels: labels(lab), Type: "gauge"}
	w.walk(func(at time.Time, ill bool) {
		v := healthy
		if ill {
			v = sick
		}
		s.Samples = append(s.Samples, inquest.Sample{Time: at, Value: w.noisy(v)})
	})
	w.in.Series = append(w.in.Series, s)
	return w
}

// counter adds a counter that grows by so much a second.
func (w *world) counter(name, lab string, healthy, sick float64) *world {
	s := inquest.Series{Name: name, Labels: labels(lab), Type: "counter"}
	total := 1000.0
	w.walk(func(at time.Time, ill bool) {
		v := healthy
		if ill {
			v = sick
		}
		total += w.noisy(v) * scrape.Seconds()
		s.Samples = append(s.Samples, inquest.Sample{Time: at, Value: total})
	})
	w.in.Series = append(w.in.Series, s)
	return w
}

func (w *world) walk(f func(at time.Time, ill bool)) {
	for at := onset.Add(-before); !at.After(onset.Add(incident)); at = at.Add(scrape) {
		f(at, at.After(onset))
	}
}

// served adds what a component usually exports: requests a second, mean latency and failed share.
func (w *world) served(name string, rps [2]float64, latency [2]float64, failing [2]float64) *world {
	lab := "service=" + name
	w.gauge("rpc_requests_per_second", lab, rps[0], rps[1])
	w.gauge("rpc_latency_seconds", lab+",stat=avg", latency[0], latency[1])
	w.gauge("rpc_errors_ratio", lab, failing[0], failing[1])
	return w
}

// op is a span to be: what it takes by itself, and its children, one after the other.
type op struct {
	service, name string
	own           time.Duration
	network       time.Duration // between the caller's span and this one, when the services differ
	failed        bool
	peer          string
	children      []op
}

// request records one trace; it returns how long it took.
func (w *world) request(id string, start time.Time, o op) time.Duration {
	n := 0
	var add func(o op, parent string, start time.Time) time.Duration
	add = func(o op, parent string, start time.Time) time.Duration {
		n++
		span := fmt.Sprintf("%s-%d", id, n)
		took := time.Duration(w.noisy(float64(o.own)))
		for _, c := range o.children {
			t := add(c, span, start.Add(took+c.network/2))
			took += t + c.network
		}
		kind := "internal"
		if o.peer != "" {
			kind = "client"
		}
		w.in.Traces.Add(inquest.Span{TraceID: id, SpanID: span, ParentID: parent, Service: o.service, Name: o.name,
			Start: start, Duration: took, Error: o.failed, Peer: o.peer, Kind: kind})
		return took
	}
	return add(o, "", start)
}

// requests records one trace every ten seconds, healthy or sick.
func (w *world) requests(root func(ill bool, n int) op) *world {
	n := 0
	for at := onset.Add(-before); at.Before(onset.Add(incident)); at = at.Add(10 * time.Second) {
		w.request(fmt.Sprintf("trace-%d", n), at, root(!at.Before(onset), n))
		n++
	}
	return w
}

// statements logs the keys one after the other, a millisecond apart.
func (w *world) statements(trace, service string, start time.Time, keys ...string) {
	for i, k := range keys {
		w.in.Events.Add(trace, service, "", k, start.Add(time.Duration(i+1)*time.Millisecond))
	}
}

func ranking(in servicegraph.Input) []string {
	var out []string
	for _, s := range servicegraph.Rank(in) {
		out = append(out, s.Component)
	}
	return out
}

func describe(in servicegraph.Input) string {
	var b strings.Builder
	for _, s := range servicegraph.Rank(in) {
		fmt.Fprintf(&b, "\n  %.3f %s", s.Score, s.Why)
	}
	return b.String()
}

// wantFirst fails unless the suspects begin with the names, in any order among them.
func wantFirst(t *testing.T, in servicegraph.Input, names ...string) {
	t.Helper()
	got := ranking(in)
	if len(got) < len(names) {
		t.Fatalf("want %v first, got only %v%s", names, got, describe(in))
	}
	rest := map[string]bool{}
	for _, g := range got[:len(names)] {
		rest[g] = true
	}
	for _, n := range names {
		if !rest[n] {
			t.Fatalf("want %v first, got %v%s", names, got, describe(in))
		}
	}
}
