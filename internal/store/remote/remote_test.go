package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/promtest"
	"github.com/inquesthq/inquest/internal/store/remote"
	"github.com/inquesthq/inquest/internal/store/storetest"
)

// prometheus starts one with an empty store that takes remote write.
func prometheus(t *testing.T, config string) string {
	t.Helper()
	p, err := promtest.Prometheus(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.URL
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func open(t *testing.T, url string) *remote.Store {
	t.Helper()
	s, err := remote.New(remote.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMetrics(t *testing.T) {
	s := open(t, prometheus(t, "{}"))
	now := time.Now()
	storetest.Metrics(t, storetest.MetricsStore{Append: s, Query: s, Now: now})
	t.Run("what was dropped is counted", func(t *testing.T) {
		before := s.Dropped()
		if before == 0 {
			t.Error("the suite gives a sample that goes back in time, and none was counted")
		}
		err := s.Append(t.Context(), []inquest.Series{{Name: "far", Samples: []inquest.Sample{{Time: now.Add(-30 * 24 * time.Hour), Value: 1}, {Time: now, Value: 2}}}})
		if err != nil || s.Dropped() != before+1 {
			t.Errorf("%v; %d dropped, want one more than %d", err, s.Dropped(), before)
		}
		got, err := s.Instant(t.Context(), "far", now)
		if err != nil || len(got) != 1 || got[0].Samples[0].Value != 2 {
			t.Errorf("its neighbour is %v (%v)", got, err)
		}
	})
	t.Run("more samples than one request takes", func(t *testing.T) {
		big := inquest.Series{Name: "big"}
		for i := range 4500 {
			big.Samples = append(big.Samples, inquest.Sample{Time: now.Add(time.Duration(i-4500) * time.Second / 2), Value: float64(i)})
		}
		if err := s.Append(t.Context(), []inquest.Series{big}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Instant(t.Context(), "count_over_time(big[50m])", now)
		if err != nil || len(got) != 1 || got[0].Samples[0].Value != 4500 {
			t.Errorf("got %v (%v), want 4500", got, err)
		}
	})
}

// A Prometheus that scrapes is asked as one that is written to.
func TestAPrometheusThatScrapes(t *testing.T) {
	var n atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\",service=\"checkout\"} %d\n", 10*n.Add(1))
	}))
	defer target.Close()
	host := strings.TrimPrefix(target.URL, "http://")
	s := open(t, prometheus(t, "global: {scrape_interval: 1s}\nscrape_configs:\n- {job_name: shop, static_configs: [{targets: ['"+host+"']}]}\n"))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		got, err := s.Instant(t.Context(), `sum by (job, service) (increase(http_requests_total{code="200"}[1m])) > 0`, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 1 && got[0].Labels["service"] == "checkout" && got[0].Labels["job"] == "shop" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was scraped: %v", got)
		}
	}
	raw, err := s.Raw(t.Context(), `{service="checkout"}`, time.Now().Add(-time.Minute), time.Now().Add(time.Second))
	if err != nil || len(raw) != 1 || raw[0].Name != "http_requests_total" || len(raw[0].Samples) < 2 || raw[0].Samples[0].Value != 10 {
		t.Errorf("raw: %v (%v)", raw, err)
	}
}

func TestWhatTheOtherSideMayDo(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a page instead of JSON": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "is it the address of a Prometheus?"},
		"not allowed":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "set its Authorization header"},
		"out of order": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"status":"error","errorType":"unavailable","error":"TSDB not ready"}`)
		}, "TSDB not ready"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 1<<11)) }, "more than 1024 bytes"},
		"a broken value": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}`)
		}, "invalid syntax"},
		"a value without a time": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["1"]}]}}`)
		}, "json"},
		"a stream": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"streams","result":[]}}`)
		}, "ask for numbers"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			s, err := remote.New(remote.Config{URL: server.URL + "/", MaxBytes: 1024, Timeout: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Instant(t.Context(), "x", time.Now()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestATimeoutOfTheQueryIsTheAskers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "timeout", "error": "query timed out"})
	}))
	defer server.Close()
	if _, err := open(t, server.URL).Instant(t.Context(), "x", time.Now()); !errors.Is(err, store.ErrQuery) {
		t.Errorf("got %v, want ErrQuery", err)
	}
}

func TestAppendSaysWhatIsWrong(t *testing.T) {
	sample := []inquest.Series{{Name: "x", Samples: []inquest.Sample{{Time: time.Now(), Value: 1}}}}
	for status, want := range map[int]string{404: "--web.enable-remote-write-receiver", 500: "status 500: broken", 403: "Authorization"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintln(w, "broken")
		}))
		if err := open(t, server.URL).Append(t.Context(), sample); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: got %v, want %q in it", status, err, want)
		}
		server.Close()
	}
	if err := open(t, "http://"+freeAddress(t)).Append(t.Context(), sample); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody there: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := open(t, "http://"+freeAddress(t)).Append(ctx, sample); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
	if err := open(t, "http://"+freeAddress(t)).Append(t.Context(), nil); err != nil {
		t.Errorf("nothing to send: %v", err)
	}
}

func TestHeadersAreSent(t *testing.T) {
	var tenant string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant = r.Header.Get("X-Scope-OrgID")
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	}))
	defer server.Close()
	s, err := remote.New(remote.Config{URL: server.URL, Headers: map[string]string{"X-Scope-OrgID": "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Instant(t.Context(), "x", time.Now()); err != nil || tenant != "shop" {
		t.Errorf("tenant %q (%v)", tenant, err)
	}
}

func TestNewWantsAnAddress(t *testing.T) {
	for _, url := range []string{"", "prometheus:9090", "file:///etc", "http://", "http://a b"} {
		if _, err := remote.New(remote.Config{URL: url}); err == nil || !strings.Contains(err.Error(), "such as http://") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := remote.New(remote.Config{URL: "http://a", WriteURL: "b"}); err == nil {
		t.Error("an address to write to that is none")
	}
}

// Rules run over a store elsewhere as over our own: what they record, and the state of their alerts, is written there and read back.
func TestRulesOverAPrometheusElsewhere(t *testing.T) {
	s := open(t, prometheus(t, "{}"))
	groups, err := detect.Parse("r.yml", []byte("groups: [{name: g, rules: [{record: service:up:sum, expr: sum by (service) (up)}, {alert: Down, expr: service:up:sum == 0, labels: {severity: page}}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	start := func(r *desk) *detect.Detector {
		d, err := detect.New(detect.Config{Groups: groups, Query: s, Append: s, Receiver: r})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	now := time.Now().Add(-10 * time.Minute).Truncate(time.Second).UTC()
	look := func(d *detect.Detector, up float64) {
		t.Helper()
		now = now.Add(30 * time.Second)
		err := s.Append(t.Context(), []inquest.Series{{Name: "up", Labels: map[string]string{"service": "checkout"}, Samples: []inquest.Sample{{Time: now, Value: up}}}})
		if err == nil {
			err = d.Eval(t.Context(), now)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r := &desk{}
	d := start(r)
	look(d, 1)
	look(d, 0)
	fired := now
	look(start(r), 0) // another process
	look(start(r), 1)
	if len(r.told) != 3 || r.told[0].State != inquest.AlertFiring || r.told[1].State != inquest.AlertFiring || r.told[2].State != inquest.AlertResolved || !r.told[2].Since.Equal(fired) {
		t.Errorf("told %+v, want firing, firing again after a restart, resolved", r.told)
	}
	got, err := s.Instant(t.Context(), `ALERTS`, now)
	if err != nil || len(got) > 0 {
		t.Errorf("the mark of its end did not arrive: %v (%v)", got, err)
	}
	got, err = s.Instant(t.Context(), `sum_over_time(ALERTS{alertname="Down",alertstate="firing"}[10m])`, now)
	if err != nil || len(got) != 1 || got[0].Samples[0].Value != 2 {
		t.Errorf("ALERTS in that Prometheus: %v (%v), want 2 samples", got, err)
	}
}

type desk struct{ told []inquest.Alert }

func (d *desk) Alerts(_ context.Context, alerts []inquest.Alert) error {
	d.told = append(d.told, alerts...)
	return nil
}
