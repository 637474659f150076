package prom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/prom"
	"github.com/inquesthq/inquest/internal/store/promtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct {
	mu     sync.Mutex
	series []inquest.Series
	fail   error
}

func (m *memory) Append(_ context.Context, series []inquest.Series) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, s := range series {
		s.Labels, s.Samples = maps.Clone(s.Labels), slices.Clone(s.Samples)
		m.series = append(m.series, s)
	}
	return nil
}

// values are the samples of a metric, in the order in which they came; a mark of staleness is "stale".
func (m *memory) values(name string) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.series {
		for _, x := range s.Samples {
			v := fmt.Sprint(x.Value)
			if math.Float64bits(x.Value) == ingest.StaleNaN {
				v = "stale"
			}
			if s.Name == name {
				out = append(out, strings.ReplaceAll(inquest.LabelText(s.Labels), ", ", ",")+" "+v)
			}
		}
	}
	return out
}

func message(num protowire.Number, b ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), bytes.Join(b, nil))
}

func text(num protowire.Number, s string) []byte { return message(num, []byte(s)) }

func label(name, value string) []byte { return message(1, text(1, name), text(2, value)) }

func sample(v float64, ms int64) []byte {
	b := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(v))
	return message(2, protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(ms)))
}

func write(t testing.TB, m *memory, cfg ingest.Config, auth ingest.Auth, body []byte, headers ...string) (*httptest.ResponseRecorder, *ingest.Intake) {
	t.Helper()
	in, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w, err := prom.NewWriter(prom.WriteConfig{Intake: in, Appender: m, Auth: auth})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(body))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if in.Held() != 0 {
		t.Errorf("%d bytes are held", in.Held())
	}
	return rec, in
}

func TestRemoteWrite(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	good := append(message(1, label("__name__", "up"), label("job", "shop"), label("empty", ""), sample(1, 1_795_960_923_456), sample(math.Float64frombits(ingest.StaleNaN), 1_795_960_938_456)), message(1, label("__name__", "no_samples"))...)
	nobody := func(*http.Request, string) error { return fmt.Errorf("%w", ingest.ErrUnauthenticated) }
	lying := append(protowire.AppendVarint(nil, 900<<20), snappy.Encode(nil, good)[2:]...)
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		auth    ingest.Auth
		fail    error
		status  int
	}{
		"taken":                    {snappy.Encode(nil, good), nil, nil, nil, 204},
		"empty":                    {snappy.Encode(nil, nil), nil, nil, nil, 204},
		"not packed":               {good, nil, nil, nil, 400},
		"a length that lies":       {lying, nil, nil, nil, 413},
		"a bomb":                   {snappy.Encode(nil, make([]byte, 64<<20)), nil, nil, nil, 413},
		"damaged":                  {snappy.Encode(nil, good[:len(good)-2]), nil, nil, nil, 400},
		"another packing":          {good, []string{"Content-Encoding", "zstd"}, nil, nil, 415},
		"version 2":                {good, []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, nil, nil, 415},
		"a series without a name":  {snappy.Encode(nil, message(1, label("a", "b"), sample(1, 1))), nil, nil, nil, 400},
		"a label of many bytes":    {snappy.Encode(nil, message(1, label("a", strings.Repeat("x", 5000)), sample(1, 1))), nil, nil, nil, 400},
		"nobody":                   {snappy.Encode(nil, good), nil, nobody, nil, 401},
		"the store cannot keep it": {snappy.Encode(nil, good), nil, nil, errors.New("the disk is full"), 503},
	} {
		m := &memory{fail: c.fail}
		rec, in := write(t, m, ingest.Config{MaxBody: 1 << 20, InFlight: 8 << 20, Now: func() time.Time { return at }}, c.auth, c.body, c.headers...)
		if rec.Code != c.status {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if (rec.Header().Get("Retry-After") != "") != (c.status == 503) {
			t.Errorf("%s: %v", name, rec.Header())
		}
		if name != "taken" {
			if len(m.series) > 0 {
				t.Errorf("%s: kept %v", name, m.series)
			}
			continue
		}
		if diff := cmp.Diff([]string{`{job="shop"} 1`, `{job="shop"} stale`}, m.values("up")); diff != "" {
			t.Error(diff)
		}
		if got := m.series[0].Samples[0].Time; !got.Equal(time.UnixMilli(1_795_960_923_456)) {
			t.Error(got)
		}
		if diff := cmp.Diff([]ingest.Stat{{Source: "prometheus", Signal: "metrics", Received: 2, LastReceived: at}}, in.Stats()); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzRemoteWrite(f *testing.F) {
	f.Add(message(1, label("__name__", "up"), sample(1, 1)))
	f.Add([]byte{0x0a, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, _ := write(t, &memory{}, ingest.Config{MaxBody: 1 << 20}, nil, snappy.Encode(nil, body))
		if rec.Code != 204 && rec.Code != 400 && rec.Code != 413 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestARealPrometheusWrites(t *testing.T) {
	t.Parallel()
	in, err := ingest.New(ingest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	w, err := prom.NewWriter(prom.WriteConfig{Intake: in, Appender: m})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/write", w)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "# TYPE orders_total counter\norders_total{shop=\"a\"} 7\n")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	p, err := promtest.Prometheus(fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]\nremote_write: [{url: %q}]\n", strings.TrimPrefix(server.URL, "http://"), server.URL+"/api/v1/write"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end) && len(m.values("orders_total")) == 0; {
		time.Sleep(100 * time.Millisecond)
	}
	got := m.values("orders_total")
	if len(got) == 0 || !strings.Contains(got[0], `job="shop",shop="a"} 7`) {
		t.Errorf("%v\n%s", got, p.Log())
	}
}

func TestScrape(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	answer := "# TYPE a counter\na_total{job=\"mine\",x=\"1\"} 5 # {trace_id=\"t\"} 1\na_created 1\nb 2\nb{x=\"2\"} 3 1795960923\n# EOF\n"
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		if r.Header.Get("Authorization") != "Bearer x" || r.URL.Path != "/metrics" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, answer)
		if asked == 1 {
			answer = "b 4\n"
		} else {
			answer = strings.Repeat("x 1\n", 200)
		}
	}))
	defer server.Close()
	m := &memory{}
	s, err := prom.NewScraper(prom.ScrapeConfig{Appender: m, MaxSamples: 100, Targets: []prom.Target{{URL: server.URL, Job: "shop", Interval: time.Second, Labels: map[string]string{"instance": "i1", "zone": "a"}, Authorization: func() (string, error) { return "Bearer x", nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end) && len(m.values("up")) < 3; {
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	const who = `instance="i1",job="shop"`
	for name, want := range map[string][]string{
		"a_total":   {`{exported_job="mine",` + who + `,x="1",zone="a"} 5`, `{exported_job="mine",` + who + `,x="1",zone="a"} stale`},
		"b":         {`{` + who + `,zone="a"} 2`, `{` + who + `,x="2",zone="a"} 3`, `{` + who + `,zone="a"} 4`, `{` + who + `,x="2",zone="a"} stale`, `{` + who + `,zone="a"} stale`},
		"up":        {`{` + who + `,zone="a"} 1`, `{` + who + `,zone="a"} 1`, `{` + who + `,zone="a"} 0`},
		"x":         nil,
		"a_created": nil,
	} {
		if diff := cmp.Diff(want, m.values(name)[:min(len(want), len(m.values(name)))]); diff != "" && len(want)+len(m.values(name)) > 0 {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(m.values("scrape_duration_seconds")); n < 3 {
		t.Errorf("%d durations", n)
	}
	if st := s.States(); len(st) != 1 || st[0].Up || !strings.Contains(st[0].Error, "100 samples") {
		t.Errorf("%+v", st)
	}
}

func TestTargetsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, target := range []prom.Target{{URL: "shop:8080"}, {URL: "file:///etc/passwd"}, {URL: "http://user:pw@shop/metrics"}, {URL: "http://shop", Interval: time.Millisecond}} {
		if _, err := prom.NewScraper(prom.ScrapeConfig{Appender: &memory{}, Targets: []prom.Target{target}}); err == nil {
			t.Errorf("%s is taken", target.URL)
		}
	}
}

func TestATargetThatAnswersWithAnything(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><body>hello</body></html>\n") },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("# a comment\n"), 200_000))
		},
		"an error":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"nothing, ever": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(h)
			defer server.Close()
			m := &memory{}
			s, err := prom.NewScraper(prom.ScrapeConfig{Appender: m, MaxBody: 1 << 20, Targets: []prom.Target{{URL: server.URL, Interval: time.Second, Timeout: 200 * time.Millisecond}}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() { done <- s.Run(ctx) }()
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && len(m.values("up")) == 0; {
				time.Sleep(20 * time.Millisecond)
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := m.values("up"); len(got) == 0 || !strings.HasSuffix(got[0], " 0") || s.States()[0].Error == "" {
				t.Errorf("%v %+v", got, s.States())
			}
		})
	}
}
