package upstream_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

func build(t *testing.T, c upstream.Config) *upstream.Upstream {
	t.Helper()
	c.Name = "shop"
	u, err := upstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// send makes one exchange and reads the answer: its status and its whole body.
func send(t *testing.T, u *upstream.Upstream, method, body string, header ...string) (x *upstream.Exchange, status int, answer string, err error) {
	t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "http://shop.example/", rd)
	r.RequestURI = ""
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	x, r = upstream.Begin(r)
	t.Cleanup(x.Close)
	resp, err := u.RoundTrip(r)
	if err != nil {
		return x, 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return x, resp.StatusCode, string(b), errors.Join(err, resp.Body.Close())
}

func server(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }
}

func TestARequestOfWhichNothingWasSentGoesToAnotherServer(t *testing.T) {
	u := build(t, upstream.Config{Servers: []string{nobody(t), server(t, named("up"))}, Breaker: policy.BreakerConfig{Failures: 1000}})
	for range 30 {
		x, _, body, err := send(t, u, "POST", "x=1")
		if err != nil || body != "up" || x.Attempts() != 1 {
			t.Fatalf("%q, %d attempts, %v", body, x.Attempts(), err)
		}
	}
}

func TestAnOpenCircuitIsPassedOverWhileAnotherServerIsThere(t *testing.T) {
	var sick, well atomic.Int64
	u := build(t, upstream.Config{Breaker: policy.BreakerConfig{Failures: 3}, Servers: []string{
		server(t, func(w http.ResponseWriter, _ *http.Request) {
			sick.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}), server(t, func(http.ResponseWriter, *http.Request) { well.Add(1) })}})
	for range 60 {
		if _, _, _, err := send(t, u, "GET", ""); err != nil {
			t.Fatal(err)
		}
	}
	if sick.Load() != 3 || well.Load() != 57 {
		t.Errorf("the sick server was asked %d times, the other %d", sick.Load(), well.Load())
	}
}

func TestAllCircuitsOpenIsARefusalThatSaysWhenToComeBack(t *testing.T) {
	u := build(t, upstream.Config{Servers: []string{nobody(t)}, Breaker: policy.BreakerConfig{Failures: 2, OpenFor: time.Minute}})
	var f *upstream.Failure
	for i := range 3 {
		x, _, _, err := send(t, u, "GET", "")
		if !errors.As(err, &f) {
			t.Fatal(err)
		}
		want := policy.Refused
		if i == 2 {
			want = policy.BreakerOpen
		}
		if f.Reason != want || x.Failure() != f {
			t.Errorf("request %d: %v", i, f)
		}
	}
	if f.Status() != 503 || f.RetryAfter <= 50*time.Second || f.RetryAfter > time.Minute {
		t.Errorf("status %d, after %v", f.Status(), f.RetryAfter)
	}
	if reset, err := u.ResetBreaker(u.State()[0].Server); err != nil || len(reset) != 1 {
		t.Errorf("reset %v, %v", reset, err)
	}
	if _, err := u.ResetBreaker("other:1"); err == nil {
		t.Error("an unknown server was reset")
	}
}

func TestTheLessBusyOfTwoIsAsked(t *testing.T) {
	hold := make(chan struct{})
	var slow atomic.Int64
	busy := server(t, func(http.ResponseWriter, *http.Request) { slow.Add(1); <-hold })
	u := build(t, upstream.Config{Servers: []string{busy, server(t, named("up"))}, ResponseTimeout: time.Minute})
	var wg sync.WaitGroup
	for slow.Load() == 0 { // until one meets the busy server, and stays there
		answered := make(chan struct{})
		wg.Go(func() { defer close(answered); _, _, _, _ = send(t, u, "GET", "") })
		for waiting := true; waiting && slow.Load() == 0; {
			select {
			case <-answered:
				waiting = false
			case <-time.After(time.Millisecond):
			}
		}
	}
	for range 40 {
		if _, _, body, err := send(t, u, "GET", ""); err != nil || body != "up" {
			t.Errorf("%q %v", body, err)
		}
	}
	if got := slow.Load(); got != 1 {
		t.Errorf("the busy server got %d requests", got)
	}
	close(hold)
	wg.Wait()
}

func TestABulkheadSheds(t *testing.T) {
	hold, inside := make(chan struct{}), make(chan struct{}, 8)
	u := build(t, upstream.Config{Servers: []string{server(t, func(http.ResponseWriter, *http.Request) { inside <- struct{}{}; <-hold })}, InFlight: 2})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { _, _, _, _ = send(t, u, "GET", "") })
	}
	<-inside
	<-inside
	_, _, _, err := send(t, u, "GET", "")
	var f *upstream.Failure
	if !errors.As(err, &f) || f.Reason != policy.Shed || f.Status() != 503 || f.RetryAfter == 0 {
		t.Errorf("the third: %v", err)
	}
	close(hold)
	wg.Wait()
	if _, _, _, err := send(t, u, "GET", ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAnActiveCheckTakesAServerOutAndBackIn(t *testing.T) {
	var sick atomic.Bool
	changes := make(chan bool, 10)
	a := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/livez" && sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "a")
	})
	u := build(t, upstream.Config{Servers: []string{a, server(t, named("b"))}, OnHealth: func(_ string, up bool, _ string) { changes <- up },
		Health: &upstream.HealthConfig{Interval: 5 * time.Millisecond, Fall: 2, Rise: 2}})
	sick.Store(true)
	if up := <-changes; up {
		t.Fatal("it went up")
	}
	for range 30 {
		if _, _, body, err := send(t, u, "GET", ""); err != nil || body != "b" {
			t.Fatalf("%q was asked (%v)", body, err)
		}
	}
	sick.Store(false)
	if up := <-changes; !up {
		t.Fatal("it went down again")
	}
	for range 200 {
		if _, _, body, _ := send(t, u, "GET", ""); body == "a" {
			return
		}
	}
	t.Error("it gets no requests")
}

func TestWhenEveryCheckFailsServersAreAskedAllTheSame(t *testing.T) {
	u := build(t, upstream.Config{Servers: []string{server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/livez" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}), server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })}, Health: &upstream.HealthConfig{Interval: time.Millisecond, Fall: 1}})
	for range 500 {
		if s := u.State(); !s[0].Up && !s[1].Up {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, status, _, err := send(t, u, "GET", ""); err != nil || status >= 500 {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestALongUploadIsNotSentTwice(t *testing.T) {
	var n atomic.Int64
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	u := build(t, upstream.Config{Servers: []string{addr}})
	for body, want := range map[string]int64{"short": 3, strings.Repeat("x", 100<<10): 1} {
		n.Store(0)
		_, _, _, err := send(t, u, "POST", body, "Idempotency-Key: k")
		var f *upstream.Failure
		if !errors.As(err, &f) || f.Reason != policy.Cut || n.Load() != want {
			t.Errorf("%d bytes were sent %d times, want %d: %v", len(body), n.Load(), want, err)
		}
	}
}

func TestRetriesStopWhereTheBudgetEnds(t *testing.T) {
	var n atomic.Int64
	addr := server(t, func(http.ResponseWriter, *http.Request) { n.Add(1); panic(http.ErrAbortHandler) })
	u := build(t, upstream.Config{Servers: []string{addr}, NoBreaker: true, Budget: policy.BudgetConfig{Max: 5, Ratio: 0.1, MinPerSecond: 0.001}})
	for range 50 {
		_, _, _, _ = send(t, u, "GET", "")
	}
	if got := n.Load(); got < 50 || got > 62 {
		t.Errorf("50 requests were sent %d times: 5 saved and 5 earned retries are allowed", got)
	}
}

func TestAnOpenCircuitSaysWhatOpenedIt(t *testing.T) {
	busy := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	for name, c := range map[string]struct {
		addr  string
		cause policy.Reason
		says  string
	}{
		"nobody listens":                {"127.0.0.1:1", policy.Refused, "connection refused"},
		"it answers 503":                {busy, "status-503", "it answered 503"},
		"it hangs up on a fresh caller": {server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), policy.Cut, "closed a new connection before it answered"},
	} {
		var told string
		u := build(t, upstream.Config{Servers: []string{c.addr}, Retries: -1, Breaker: policy.BreakerConfig{Failures: 2},
			OnChange: func(_ string, _ policy.Change, cause *upstream.Failure) { told = cause.Error() }})
		for range 2 {
			_, _, _, _ = send(t, u, "GET", "")
		}
		x, _, _, err := send(t, u, "GET", "")
		var f *upstream.Failure
		if !errors.As(err, &f) || f.Reason != policy.BreakerOpen || f.Cause != c.cause || !strings.Contains(f.Error(), c.says) || !strings.Contains(told, c.says) || x.Server != c.addr || x.Attempts() != 0 {
			t.Errorf("%s: %+v, told %q, server %q, %d attempts", name, f, told, x.Server, x.Attempts())
		}
	}
}

// The attempt that opened the circuit is why the request failed, not that there was no second one.
func TestARetryThatTheCircuitRefusesLeavesTheFailureBefore(t *testing.T) {
	u := build(t, upstream.Config{Servers: []string{server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}, Breaker: policy.BreakerConfig{Failures: 1}})
	x, _, _, err := send(t, u, "GET", "")
	var f *upstream.Failure
	if !errors.As(err, &f) || f.Reason != policy.Cut || x.Attempts() != 1 || x.Failure() != f {
		t.Errorf("%v after %d attempts", err, x.Attempts())
	}
}

func TestServersAsTheyAreWritten(t *testing.T) {
	for in, want := range map[string]string{
		"http://a": "http http/1.1 a:80", "https://a": "https http/1.1 a:443", "h2c://a:81/": "http h2c a:81", "http://[::1]:8080": "http http/1.1 [::1]:8080",
	} {
		scheme, p, addr, err := upstream.ParseServer(in)
		if got := scheme + " " + string(p) + " " + addr; err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a:80", "ftp://a", "http://a/path", "http://u:p@a", "http://:80", "http://a?b"} {
		if _, _, _, err := upstream.ParseServer(in); err == nil {
			t.Errorf("%q passes", in)
		}
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	for want, c := range map[string]upstream.Config{
		"no name": {}, "no servers": {Name: "a"}, "is not host:port": {Name: "a", Servers: []string{"b"}}, "neither http nor https": {Name: "a", Servers: []string{"b:1"}, Scheme: "x"},
		"h2c is HTTP/2 without TLS": {Name: "a", Servers: []string{"b:1"}, Scheme: "https", Protocol: upstream.H2C}, "negative": {Name: "a", Servers: []string{"b:1"}, StallTimeout: -1},
		"health check": {Name: "a", Servers: []string{"b:1"}, Health: &upstream.HealthConfig{Fall: -1}}, "ratio": {Name: "a", Servers: []string{"b:1"}, Breaker: policy.BreakerConfig{Ratio: 7}},
	} {
		if _, err := upstream.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestFailuresOfThisMachineAreNotTheServers(t *testing.T) {
	for _, c := range []struct {
		f      upstream.Failure
		status int
	}{
		{upstream.Failure{Reason: policy.Shed, Err: syscall.EMFILE}, 503}, {upstream.Failure{Reason: policy.DNS}, 502}, {upstream.Failure{Reason: policy.DNS, Timeout: true}, 504},
		{upstream.Failure{Reason: policy.Stall}, 504}, {upstream.Failure{Reason: policy.ClientLeft}, 499}, {upstream.Failure{Reason: policy.Limited}, 429}, {upstream.Failure{Reason: policy.TLS}, 502},
	} {
		if got := c.f.Status(); got != c.status || !strings.HasPrefix(c.f.Error(), string(c.f.Reason)) {
			t.Errorf("%v: %d, want %d", &c.f, got, c.status)
		}
	}
}

func TestARequestWithoutAnExchangeIsAnError(t *testing.T) {
	u := build(t, upstream.Config{Servers: []string{nobody(t)}})
	resp, err := u.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	if err == nil {
		_ = resp.Body.Close() // what matters is that there is none
	}
	if err == nil || !strings.Contains(err.Error(), "call Begin first") {
		t.Errorf("got %v", err)
	}
}
