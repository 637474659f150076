package parse_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// show prints a series on one line: name{labels} type: seconds=value ...
func show(s *inquest.Series) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%v %s:", s.Name, s.Labels, s.Type)
	for _, p := range s.Samples {
		if p.Time.IsZero() {
			fmt.Fprintf(&b, " ?=%v", p.Value)
			continue
		}
		fmt.Fprintf(&b, " %v=%v", float64(p.Time.UnixNano())/1e9, p.Value)
	}
	return b.String()
}

func showAll(k *kept) []string {
	var out []string
	for _, s := range k.series {
		out = append(out, show(s))
	}
	return out
}

func TestOpenMetrics(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
		skip int
	}{
		"seconds, one series after the other": {
			"# HELP up Whether.\n# TYPE up gauge\nup{job=\"a\"} 1 1795191122.105\nup{job=\"a\"} 0 1795191124.105\nup{job=\"b\"} 1 1795191122\n# EOF\n",
			[]string{"upmap[job:a] gauge: 1.795191122105e+09=1 1.795191124105e+09=0", "upmap[job:b] gauge: 1.795191122e+09=1"}, 0},
		"milliseconds of the older text format": {
			"# TYPE x_total counter\nx_total 3 1795191122105\nx_total 4 1795191124105\n",
			[]string{"x_totalmap[] counter: 1.795191122105e+09=3 1.795191124105e+09=4"}, 0},
		"scrapes one after the other, samples out of order": {
			"# TYPE a gauge\na 1 100\nb 5 100\na 3 300\na 2 200\n",
			[]string{"amap[] gauge: 100=1 200=2 300=3", "bmap[] : 100=5"}, 0},
		"no timestamps: a scrape at an unknown moment": {
			"# TYPE process_open_fds gauge\nprocess_open_fds 1020\n", []string{"process_open_fdsmap[] gauge: ?=1020"}, 0},
		"escapes, braces and hashes inside labels; exemplar; family suffix": {
			"# TYPE h histogram\nh_bucket{path=\"/a}\\\"b\\\\ #\\n\",le=\"+Inf\"} 17 100 # {trace_id=\"x\"} 0.5 99\nh_count 17 100\n",
			[]string{"h_bucketmap[le:+Inf path:/a}\"b\\ #\n] histogram: 100=17", "h_countmap[] histogram: 100=17"}, 0},
		"quoted names of OpenMetrics 2": {
			"# TYPE \"http.server.duration\" gauge\n{\"http.server.duration\",job=\"a\"} 1.5 100\n",
			[]string{"http.server.durationmap[job:a] gauge: 100=1.5"}, 0},
		"infinities count, NaN is no observation": {
			"# TYPE q gauge\nq 1e400 100\nq -Inf 101\nq NaN 102\nq 1.5e-3 103\n",
			[]string{"qmap[] gauge: 100=+Inf 101=-Inf 103=0.0015"}, 0},
		"bad lines are reported and the rest is read": {
			"# TYPE a gauge\na 1 100\nnonsense here\na{x=\"1\" 3\na{x=1} 3\na 2 tomorrow\na 4 101\n",
			[]string{"amap[] gauge: 100=1 101=4"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			k := readText(t, "openmetrics", tc.text)
			if diff := cmp.Diff(tc.want, showAll(k)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if k.rep.Skipped != tc.skip {
				t.Errorf("%d lines skipped, want %d: %v", k.rep.Skipped, tc.skip, k.rep.Skips)
			}
		})
	}
}

func TestOpenMetricsFloatsAreExact(t *testing.T) {
	var in strings.Builder
	in.WriteString("# TYPE v gauge\n")
	var want []float64
	for i, s := range []string{"0.1", "123456789012345", "1234567890123456789", "0.30000000000000004", "-7.25", "1e22", "5e-324", "9007199254740993",
		"179769313486231570000000000000000000000", "0.000000000000000000000000000001", "3.14159265358979", "00012.5"} {
		fmt.Fprintf(&in, "v %s %d\n", s, 100+i)
		var f float64
		if _, err := fmt.Sscan(s, &f); err != nil {
			t.Fatal(err)
		}
		want = append(want, f)
	}
	k := readText(t, "openmetrics", in.String())
	var got []float64
	for _, p := range k.series[0].Samples {
		got = append(got, p.Value)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPrometheusAPI(t *testing.T) {
	k := readText(t, "prometheus-api", `{"status":"success","data":{"resultType":"matrix","result":[
 {"metric":{"__name__":"up","job":"a\"b"},"values":[[1795191122.5,"1"],[1795191124,"NaN"],[1795191126,"0"]]},
 {"metric":{},"values":[[1795191122,"2.5"]]}]}}
{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"v"},"value":[1795191122,"7"]}]}}
{"status":"error","errorType":"bad_data","error":"parse error"}`)
	want := []string{"upmap[job:a\"b] : 1.7951911225e+09=1 1.795191126e+09=0", "querymap[] : 1.795191122e+09=2.5", "vmap[] : 1.795191122e+09=7"}
	if diff := cmp.Diff(want, showAll(k)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(k.rep.Skips) != 1 || !strings.Contains(k.rep.Skips[0].Reason, "parse error") {
		t.Errorf("the API's error is not passed on: %v", k.rep.Skips)
	}
}

func TestCloudWatch(t *testing.T) {
	k := readText(t, "cloudwatch", `{"MetricDataResults":[{"Id":"m1","Label":"CPUUtilization","Timestamps":["2026-11-20T16:05:00Z","2026-11-20T16:00:00+00:00"],"Values":[80.5,10],"StatusCode":"Complete"}]}`)
	if diff := cmp.Diff([]string{"CPUUtilizationmap[id:m1] gauge: 1.7951904e+09=10 1.7951907e+09=80.5"}, showAll(k)); diff != "" {
		t.Errorf("get-metric-data: -want +got\n%s", diff)
	}
	k = readText(t, "cloudwatch", "{\n  \"Label\": \"FreeStorageSpace\",\n  \"Datapoints\": [\n    {\"Timestamp\": \"2026-11-20T16:00:00Z\", \"Maximum\": 9, \"Average\": 5.5, \"Unit\": \"Bytes\"}\n  ]\n}\n")
	want := []string{"FreeStorageSpacemap[stat:Average unit:Bytes] gauge: 1.7951904e+09=5.5", "FreeStorageSpacemap[stat:Maximum unit:Bytes] gauge: 1.7951904e+09=9"}
	if diff := cmp.Diff(want, showAll(k)); diff != "" {
		t.Errorf("get-metric-statistics: -want +got\n%s", diff)
	}
}

func TestSeriesCarryTheirSource(t *testing.T) {
	s := readText(t, "openmetrics", "# TYPE up gauge\nup{job=\"a\"} 1 100\n").series[0]
	want := inquest.Source{File: "in", Metric: "up", Labels: map[string]string{"job": "a"}}
	if diff := cmp.Diff(want, s.Source); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzOpenMetrics(f *testing.F) {
	for _, s := range []string{"a{b=\"c\"} 1 2\n", "a 1 2.5 # {x=\"y\"} 1\n", "{\"a.b\"} 1\n", "a{b=\"\\n\\\\\"} +Inf 1e9", "a 0x1p3 -1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := fuzzDocument(t, s, "openmetrics", "prometheus-api", "cloudwatch")
		for _, x := range k.series {
			last := time.Time{}
			for _, p := range x.Samples {
				if p.Time.Before(last) || math.IsNaN(p.Value) {
					t.Fatalf("samples out of order or NaN: %v", x)
				}
				last = p.Time
			}
		}
	})
}

// BenchmarkOpenMetrics reads a made-up exposition of 1000 series with 200 samples each, the labels of a usual one.
func BenchmarkOpenMetrics(b *testing.B) {
	var buf bytes.Buffer
	buf.WriteString("# TYPE http_request_duration_seconds histogram\n")
	const series, samples = 1000, 200
	for s := range series {
		for i := range samples {
			fmt.Fprintf(&buf, "http_request_duration_seconds_bucket{instance=\"shop-%d:3000\",job=\"shop\",le=\"0.25\",method=\"POST\",route=\"/api/checkout\",status=\"201\"} %d 17951%05d.837\n", s, i*7, i*2)
		}
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		k := &kept{}
		rep := parse.ReadFile(b.Context(), dir, "in", parse.Options{Workers: 1}, func() parse.Sink { return k })
		if rep.Records != series*samples {
			b.Fatal(rep.Records)
		}
	}
	b.ReportMetric(float64(series*samples*b.N)/b.Elapsed().Seconds(), "samples/s")
}
