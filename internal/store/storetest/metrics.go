// Package storetest is the suite that every store of internal/store passes: one file a contract.
package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// MetricsStore is a metrics store to be tested: empty, and able to take samples of the last hour.
type MetricsStore struct {
	Append store.Appender
	Query  store.Querier
	// Settle waits until what was appended can be queried; nil: at once.
	Settle func(t *testing.T)
	Now    time.Time // samples may be as old as an hour before
}

// Metrics is the suite of every metrics store: what is appended is found, PromQL counts as Prometheus counts, and what is wrong is told.
func Metrics(t *testing.T, m MetricsStore) {
	t.Helper()
	if m.Settle == nil {
		m.Settle = func(*testing.T) {}
	}
	s := &metrics{MetricsStore: m, base: m.Now.Add(-50 * time.Minute).Truncate(time.Minute).UTC()}
	t.Run("raw samples come back as they were", s.raw)
	t.Run("a selector chooses", s.selects)
	t.Run("a counter's rate bridges its reset", s.rate)
	t.Run("a range has a value a step, both ends included", s.ranges)
	t.Run("a histogram gives its quantile", s.quantile)
	t.Run("a scalar has no labels", s.scalar)
	t.Run("values that are no numbers stay", s.special)
	t.Run("what goes back in time is dropped, the rest is kept", s.backwards)
	t.Run("the same samples twice are one", s.twice)
	t.Run("odd names and labels", s.odd)
	t.Run("a bad query is the asker's", s.bad)
	t.Run("nothing matches", s.nothing)
}

type metrics struct {
	MetricsStore
	base time.Time
}

// at is the time of minute m of the suite's hour, a second past it, so that no window's end meets a sample: whether the first instant
// of a range counts differs between Prometheus 2 and 3.
func (s *metrics) at(minute float64) time.Time {
	return s.base.Add(time.Duration(minute*60)*time.Second + time.Second)
}

func (s *metrics) add(t *testing.T, series ...inquest.Series) {
	t.Helper()
	if err := s.Append.Append(t.Context(), series); err != nil {
		t.Fatalf("append: %v", err)
	}
	s.Settle(t)
}

// series has one value a minute, from minute 0 on.
func (s *metrics) series(name string, labels map[string]string, values ...float64) inquest.Series {
	out := inquest.Series{Name: name, Labels: labels}
	for i, v := range values {
		out.Samples = append(out.Samples, inquest.Sample{Time: s.at(float64(i)), Value: v})
	}
	return out
}

func (s *metrics) want(t *testing.T, query string, minute float64, want map[string]float64) {
	t.Helper()
	got, err := s.Query.Instant(t.Context(), query, s.at(minute).Add(time.Second))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if want, got := lines(want), lines(values(t, got)); want != got {
		t.Errorf("%s at minute %v gives\n%s\nwant\n%s", query, minute, got, want)
	}
}

// lines has one value a line, to nine digits: two implementations of one sum differ in the last ones.
func lines(values map[string]float64) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s %.9g\n", k, values[k])
	}
	return b.String()
}

// sameSeries compares series, samples and all; %v of a float tells all its digits.
func sameSeries(t *testing.T, what string, want, got []inquest.Series) {
	t.Helper()
	text := func(series []inquest.Series) string {
		var b strings.Builder
		for _, s := range series {
			fmt.Fprintf(&b, "%s%s %q", s.Name, inquest.LabelText(s.Labels), s.Type)
			for _, x := range s.Samples {
				fmt.Fprintf(&b, " %s=%v", x.Time.Format("15:04:05.000"), x.Value)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	if want, got := text(want), text(got); want != got {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

func values(t *testing.T, series []inquest.Series) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, x := range series {
		if len(x.Samples) != 1 {
			t.Errorf("%s has %d samples, an instant has one", x.Name, len(x.Samples))
			continue
		}
		out[x.Name+inquest.LabelText(x.Labels)] = x.Samples[0].Value
	}
	return out
}

func (s *metrics) fetch(t *testing.T, selector string, from, to float64) []inquest.Series {
	t.Helper()
	got, err := s.Query.Raw(t.Context(), selector, s.at(from), s.at(to))
	if err != nil {
		t.Fatalf("%s: %v", selector, err)
	}
	slices.SortFunc(got, func(a, b inquest.Series) int {
		return cmp.Compare(a.Name+inquest.LabelText(a.Labels), b.Name+inquest.LabelText(b.Labels))
	})
	return got
}

func (s *metrics) raw(t *testing.T) {
	in := s.series("raw_total", map[string]string{"service": "checkout", "code": "500"}, 1, 2, 4, 8)
	other := s.series("raw_total", map[string]string{"service": "web", "code": "500"}, 16)
	s.add(t, in, other)
	sameSeries(t, "what is stored", []inquest.Series{in}, s.fetch(t, `raw_total{service="checkout"}`, -1, 10))
	part := in
	part.Samples = in.Samples[1:3]
	sameSeries(t, "half-open: the start belongs to it, the end does not", []inquest.Series{part}, s.fetch(t, `raw_total{service="checkout"}`, 1, 3))
	if got := s.fetch(t, `raw_total`, 20, 30); len(got) > 0 {
		t.Errorf("where nothing is: %v", got)
	}
	if got := s.fetch(t, `raw_total`, 3, 1); len(got) > 0 {
		t.Errorf("of a window that ends before it starts: %v", got)
	}
}

func (s *metrics) selects(t *testing.T) {
	s.add(t, s.series("sel", map[string]string{"service": "checkout", "route": "GET /a"}, 1), s.series("sel", map[string]string{"service": "checkout", "route": "GET /b"}, 2), s.series("sel", map[string]string{"service": "web"}, 3))
	s.want(t, `sel{service="checkout"}`, 0, map[string]float64{`sel{route="GET /a", service="checkout"}`: 1, `sel{route="GET /b", service="checkout"}`: 2})
	s.want(t, `sel{service!~"chec.*"}`, 0, map[string]float64{`sel{service="web"}`: 3})
	s.want(t, `sum by (service) (sel)`, 0, map[string]float64{`{service="checkout"}`: 3, `{service="web"}`: 3})
	s.want(t, `sel{route=""}`, 0, map[string]float64{`sel{service="web"}`: 3})
}

func (s *metrics) rate(t *testing.T) {
	s.add(t, s.series("resets_total", nil, 10, 20, 30, 5, 15))
	// From minute 0 to 4: 10+10, then the reset (5 from zero), then 10: 35 in 4 minutes; increase extends it to the whole window.
	s.want(t, `sum_over_time(resets_total[290s])`, 4, map[string]float64{"": 80})
	s.want(t, `resets(resets_total[290s])`, 4, map[string]float64{"": 1})
	s.want(t, `increase(resets_total[4m2s])`, 4, map[string]float64{"": 35 * 242.0 / 240})
}

func (s *metrics) ranges(t *testing.T) {
	s.add(t, s.series("steps", map[string]string{"a": "b"}, 0, 1, 2, 3, 4, 5))
	got, err := s.Query.Range(t.Context(), `steps * 10`, s.at(1), s.at(3), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := []inquest.Series{{Labels: map[string]string{"a": "b"}, Samples: []inquest.Sample{
		{Time: s.at(1), Value: 10}, {Time: s.at(1.5), Value: 10}, {Time: s.at(2), Value: 20}, {Time: s.at(2.5), Value: 20}, {Time: s.at(3), Value: 30}}}}
	sameSeries(t, "what is stored", want, got)
	for name, step := range map[string]time.Duration{"no step": 0, "a step back": -time.Second} {
		if _, err := s.Query.Range(t.Context(), `steps`, s.at(1), s.at(3), step); !errors.Is(err, store.ErrQuery) {
			t.Errorf("%s: %v, want ErrQuery", name, err)
		}
	}
	if _, err := s.Query.Range(t.Context(), `steps`, s.at(3), s.at(1), time.Second); !errors.Is(err, store.ErrQuery) {
		t.Errorf("an end before the start: %v, want ErrQuery", err)
	}
}

func (s *metrics) quantile(t *testing.T) {
	var all []inquest.Series
	for le, n := range map[string]float64{"0.1": 50, "0.5": 90, "1": 100, "+Inf": 100} {
		all = append(all, s.series("took_seconds_bucket", map[string]string{"le": le, "service": "web"}, n))
	}
	s.add(t, all...)
	s.want(t, `histogram_quantile(0.9, took_seconds_bucket)`, 0, map[string]float64{`{service="web"}`: 0.5})
	s.want(t, `histogram_quantile(0.95, took_seconds_bucket)`, 0, map[string]float64{`{service="web"}`: 0.75})
}

func (s *metrics) scalar(t *testing.T) {
	s.want(t, `6 * 7`, 0, map[string]float64{"": 42})
	s.want(t, `vector(3)`, 0, map[string]float64{"": 3})
}

func (s *metrics) special(t *testing.T) {
	s.add(t, s.series("odd_values", nil, math.Inf(1), math.Inf(-1), math.NaN(), 1e-300, -0.1))
	got := s.fetch(t, `odd_values`, -1, 10)
	if len(got) != 1 || len(got[0].Samples) != 5 {
		t.Fatalf("got %v, want one series of five samples", got)
	}
	for i, want := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1e-300, -0.1} {
		if v := got[0].Samples[i].Value; v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
			t.Errorf("sample %d is %v, want %v", i, v, want)
		}
	}
}

func (s *metrics) backwards(t *testing.T) {
	s.add(t, s.series("back", map[string]string{"n": "1"}, 1, 2, 3))
	late := inquest.Series{Name: "back", Labels: map[string]string{"n": "1"}, Samples: []inquest.Sample{{Time: s.at(0.5), Value: 99}}}
	s.add(t, late, s.series("back", map[string]string{"n": "2"}, 7))
	want := []inquest.Series{s.series("back", map[string]string{"n": "1"}, 1, 2, 3), s.series("back", map[string]string{"n": "2"}, 7)}
	sameSeries(t, "what is stored", want, s.fetch(t, `back`, -1, 10))
}

func (s *metrics) twice(t *testing.T) {
	in := s.series("twice", nil, 1, 2)
	s.add(t, in)
	s.add(t, in)
	sameSeries(t, "what is stored", []inquest.Series{in}, s.fetch(t, `twice`, -1, 10))
}

func (s *metrics) odd(t *testing.T) {
	in := s.series("odd:names_total", map[string]string{"route": "GET /ü/{id}?a=\"b\"\\\n", "empty": ""}, 1)
	want := in
	want.Labels = map[string]string{"route": in.Labels["route"]}
	s.add(t, in)
	sameSeries(t, "a label without a value is none", []inquest.Series{want}, s.fetch(t, `{__name__="odd:names_total"}`, -1, 10))
	s.want(t, fmt.Sprintf(`odd:names_total{route=%q}`, in.Labels["route"]), 0, map[string]float64{"odd:names_total" + inquest.LabelText(want.Labels): 1})
}

func (s *metrics) bad(t *testing.T) {
	for _, query := range []string{"", "sum(", "rate(x)", `{}`, `x{a=~"("}`, `"text"`} {
		if _, err := s.Query.Instant(t.Context(), query, s.at(0)); !errors.Is(err, store.ErrQuery) {
			t.Errorf("Instant %q: %v, want ErrQuery", query, err)
		}
	}
	for _, selector := range []string{"", "sum(x)", "x[5m]", "x offset 5m", "x or y", `{}`} {
		if _, err := s.Query.Raw(t.Context(), selector, s.at(0), s.at(1)); !errors.Is(err, store.ErrQuery) {
			t.Errorf("Raw %q: %v, want ErrQuery", selector, err)
		}
	}
}

func (s *metrics) nothing(t *testing.T) {
	s.want(t, `no_such_metric`, 0, map[string]float64{})
	s.want(t, `sum(no_such_metric)`, 0, map[string]float64{})
}
