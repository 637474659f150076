package servicegraph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

// FuzzRank builds systems from random numbers: cycles, components that only exist in one source, broken traces, values
// that are no numbers. Whatever comes, Rank must return, twice the same, with scores between 0 and 1, descending.
func FuzzRank(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed), uint8(3*seed), uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, edges, series, spans uint8) {
		in := randomInput(rand.New(rand.NewPCG(seed, 3)), int(edges), int(series), int(spans))
		got := servicegraph.Rank(in)
		last := 1.0
		seen := map[string]bool{}
		for _, s := range got {
			if !(s.Score > 0) || s.Score > last || seen[s.Component] || s.Component == "" || s.Why == "" {
				t.Fatalf("bad suspect %+v after score %v", s, last)
			}
			last, seen[s.Component] = s.Score, true
		}
		if again := servicegraph.Rank(in); !reflect.DeepEqual(got, again) {
			t.Fatalf("first %+v\nthen %+v", got, again)
		}
	})
}

var fuzzFamilies = []string{"request_latency_seconds", "http_requests_total", "errors_total", "cpu_usage_percent", "up", "x_sum",
	"http_request_duration_seconds_sum", "http_request_duration_seconds_count", "process_open_fds", "process_max_fds", "availability_percent",
	"client_request_duration_seconds", "container_memory_usage_bytes", "restarts_total", "cpu_throttled_ratio", "fs_writes_total", "rpc_requests_per_second"}

func randomInput(r *rand.Rand, edges, series, spans int) servicegraph.Input {
	name := func() string { return fmt.Sprint("n", r.IntN(7)) }
	in := servicegraph.Input{Traces: &servicegraph.Traces{}, Events: &servicegraph.Events{}}
	from := onset.Add(-time.Duration(r.IntN(3)) * time.Minute)
	in.Hint = inquest.Hint{Window: inquest.Window{From: from, To: from.Add(time.Duration(r.IntN(20)) * time.Minute)}}
	if r.IntN(2) == 0 {
		in.Hint.Baseline = inquest.Window{From: from.Add(-time.Duration(r.IntN(90)) * time.Minute), To: from}
	}
	if r.IntN(2) == 0 {
		in.Hint.Target, in.Hint.Time = name(), from.Add(5*time.Minute)
	}
	for range edges {
		in.Edges = append(in.Edges, inquest.Edge{From: name(), To: name()})
	}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, math.MaxFloat64, 1e-300}
	for range series {
		s := inquest.Series{Name: fuzzFamilies[r.IntN(len(fuzzFamilies))], Labels: map[string]string{"service": name()}}
		if r.IntN(4) == 0 {
			s.Labels = map[string]string{"source": name(), "destination": name(), "reporter": []string{"source", "destination"}[r.IntN(2)]}
		}
		for at := onset.Add(-time.Hour); at.Before(onset.Add(10 * time.Minute)); at = at.Add(time.Minute) {
			v := r.Float64() * 10
			if r.IntN(40) == 0 {
				v = odd[r.IntN(len(odd))]
			}
			s.Samples = append(s.Samples, inquest.Sample{Time: at, Value: v})
		}
		in.Series = append(in.Series, s)
	}
	for i := range spans * 8 {
		at := onset.Add(time.Duration(r.IntN(4200)-3600) * time.Second)
		trace := fmt.Sprint("t", r.IntN(1+spans))
		in.Traces.Add(inquest.Span{TraceID: trace, SpanID: fmt.Sprint(r.IntN(30)), ParentID: []string{"", fmt.Sprint(r.IntN(30))}[r.IntN(2)],
			Service: name(), Name: fmt.Sprint("op", r.IntN(3)), Start: at, Duration: time.Duration(r.Int64N(1e10) - 1e6), Error: r.IntN(3) == 0,
			Kind: []string{"", "client", "server"}[r.IntN(3)], Peer: []string{"", name()}[r.IntN(2)]})
		in.Events.Add(trace, name(), "", fmt.Sprint("k", i%5), at)
	}
	return in
}

// BenchmarkRank ranks a system of 60 services with 2400 series and 50 000 spans.
func BenchmarkRank(b *testing.B) {
	w := newWorld()
	for i := range 60 {
		if i > 0 {
			w.edges(fmt.Sprintf("s%d>s%d", (i-1)/3, i))
		}
		for j := range 10 {
			w.served(fmt.Sprint("s", i, "-", j), same(20), same(0.1), same(0.001))
			w.gauge("container_cpu_usage_percent", fmt.Sprint("service=s", i, ",pod=p", j), 20, 20)
		}
	}
	for i := range 5000 {
		var chain op
		for j := 9; j >= 0; j-- {
			o := op{service: fmt.Sprint("s", (i+j)%60), name: "op", own: milli(3)}
			if chain.service != "" {
				o.children = []op{chain}
			}
			chain = o
		}
		w.request(fmt.Sprint("t", i), onset.Add(-before+time.Duration(i)*840*time.Millisecond), chain)
	}
	b.ResetTimer()
	for b.Loop() {
		servicegraph.Rank(w.in)
	}
}
