package mem_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// split deals records out to collectors in runs of random length, as workers take blocks of one file: each collector sees
// its lines in ascending order. They stand beside the first one, as those of one file do, or by themselves, as those of two
// files. The collectors are merged in a random order.
func split(rng *rand.Rand, records []*parse.Record, workers int) *mem.Store {
	cs := make([]*mem.Collector, workers)
	for i := range cs {
		if i > 0 && rng.IntN(3) > 0 {
			cs[i] = cs[0].Beside()
		} else {
			cs[i] = mem.NewCollector(mem.Settings{})
		}
	}
	for i := 0; i < len(records); {
		c := cs[rng.IntN(workers)]
		for n := 1 + rng.IntN(1+len(records)/20); n > 0 && i < len(records); n-- {
			r := *records[i]
			c.Log(&r)
			i++
		}
	}
	order(rng, cs)
	st := mem.New()
	for _, c := range cs {
		st.Merge(c, "api")
	}
	st.Seal()
	return st
}

func TestOneFileGivesTheSameStoreHoweverItIsSplitAmongWorkers(t *testing.T) {
	mixture := func(n int, over time.Duration) func(*rand.Rand) []*parse.Record {
		return func(rng *rand.Rand) []*parse.Record { return busy(rng, n, over) }
	}
	for _, w := range []struct {
		name    string
		records func(*rand.Rand) []*parse.Record
	}{
		{"a few lines", mixture(300, 10*time.Minute)},
		{"more failures and examples a minute than are kept", mixture(5000, 6*time.Minute)},
		{"more minutes than examples are kept of", mixture(3000, 5*time.Hour)},
		{"more request ids of a pattern than are kept", func(*rand.Rand) (out []*parse.Record) {
			for i := range 18_000 {
				out = append(out, line(t0.Add(time.Duration(i)*50*time.Millisecond), inquest.LevelError, "db is away", inLine(i+1), id(fmt.Sprint("req-", i))))
			}
			return out
		}},
		{"more routes and more failures than are kept", func(rng *rand.Rand) (out []*parse.Record) {
			for i := range 70_000 {
				n := rng.IntN(30_000)
				name := string([]byte{byte('g' + n%20), byte('g' + n/20%20), byte('g' + n/400%20), byte('g' + n/8000%20)})
				out = append(out, access(t0.Add(time.Duration(i)*time.Second), "GET", "/"+name, [...]int{200, 500, 500, 500, 500, 502, 502, 503, 503, 504}[rng.IntN(10)], inLine(i+1), id(name)))
			}
			return out
		}},
	} {
		t.Run(w.name, func(t *testing.T) {
			for seed := range uint64(3) {
				rng := rand.New(rand.NewPCG(seed, 7))
				records := w.records(rng)
				want := list(split(rng, records, 1))
				got := list(split(rng, records, 2+rng.IntN(5)))
				if reflect.DeepEqual(want, got) { // much quicker than cmp
					continue
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("seed %d: (-one worker +several)\n%s", seed, head(d))
				}
			}
		})
	}
}

func TestWorkersOfOneFileLogAtTheSameTime(t *testing.T) {
	records := busy(rand.New(rand.NewPCG(1, 1)), 40_000, time.Hour)
	first := mem.NewCollector(mem.Settings{})
	cs := []*mem.Collector{first, first.Beside(), first.Beside()}
	var wg sync.WaitGroup
	for i, c := range cs {
		wg.Go(func() {
			for k := i; k < len(records); k += len(cs) {
				r := *records[k]
				c.Log(&r)
			}
		})
	}
	wg.Wait()
	ids := 0
	for _, c := range cs {
		c.AnswerTimes(func(uint64, int64) { ids++ })
	}
	st := mem.New()
	for _, c := range cs {
		st.Merge(c, "api")
	}
	st.Seal()
	got, want := list(st), list(split(rand.New(rand.NewPCG(1, 1)), records, 1))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-one worker +three at a time)\n%s", head(d))
	}
	if ids != len(want.Answers) {
		t.Errorf("the collectors told of %d identified requests, want %d", ids, len(want.Answers))
	}
}

func head(s string) string { return s[:min(len(s), 3000)] }

func TestMergesInAnyOrderGiveTheSameStore(t *testing.T) {
	signals := []parse.Signal{
		{Series: &inquest.Series{Name: "up", Labels: map[string]string{"job": "b"}}}, {Series: &inquest.Series{Name: "up", Labels: map[string]string{"job": "a"}}},
		{Change: &inquest.Change{Time: t0.Add(time.Hour), Service: "api", Summary: "later"}}, {Change: &inquest.Change{Time: t0, Service: "api", Summary: "first"}},
		{Edge: &inquest.Edge{From: "web", To: "api"}}, {Edge: &inquest.Edge{From: "api", To: "db"}}, {Edge: &inquest.Edge{From: "web", To: "api"}},
		{Span: &inquest.Span{TraceID: "t1", SpanID: "s1", Service: "api", Name: "query", Message: "refused", Error: true, Start: t0, Duration: time.Second}},
		{Span: &inquest.Span{TraceID: "t2", SpanID: "s2", Service: "api", Name: "query", Message: "refused", Error: true, Start: t0.Add(time.Minute)}},
	}
	var want listed
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var cs []*mem.Collector
		for i, s := range signals {
			c := mem.NewCollector(mem.Settings{File: i})
			c.Signal(s)
			c.Log(access(t0.Add(time.Duration(i)*time.Second), "GET", fmt.Sprint("/p/", i), 500, id(fmt.Sprint("r", i))))
			cs = append(cs, c)
		}
		order(rng, cs)
		st := mem.New()
		for _, c := range cs {
			st.Merge(c, "api")
		}
		st.Seal()
		got := list(st)
		if seed == 0 {
			want = got
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d:\n%s", seed, head(d))
		}
	}
	if len(want.Series) != 2 || want.Series[0].Labels["job"] != "a" || len(want.Edges) != 2 || want.Changes[0].Summary != "first" || want.Spans == 0 {
		t.Errorf("listing is not sorted, not compacted or lost something: %+v", want)
	}
	if n := want.SpanErrors; len(n) != 1 || n[0].Count != 2 {
		t.Errorf("failed spans: %+v, want one pattern counted twice", n)
	}
}
