package guard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

// upstream serves each connection by hand: script is told the number of the request and writes raw bytes.
func upstream(t *testing.T, script func(n int, r *http.Request, c net.Conn)) (url string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	requests = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }() // what matters was sent
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				script(int(requests.Add(1)), r, c)
			}()
		}
	}()
	return "http://" + l.Addr().String(), requests
}

func say(text string) func(int, *http.Request, net.Conn) {
	return func(_ int, _ *http.Request, c net.Conn) { _, _ = io.WriteString(c, text) }
}

const (
	ok200   = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	only503 = "HTTP/1.1 503 Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
)

// send makes one request with a fresh context, reads its body, and returns what came of it.
func send(t *testing.T, d *guard.Dependency, method, url string, body io.Reader, header ...string) (int, string, guard.CallResult, error) {
	t.Helper()
	ctx, call := guard.WithCall(t.Context())
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := d.Transport(nil).RoundTrip(req)
	if err != nil {
		return 0, "", call.Result(), err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), call.Result(), err
}

func quick(cfg guard.DependencyConfig) guard.DependencyConfig {
	cfg.Timeouts = policy.Timeouts{Connect: time.Second, Response: time.Second} // long enough for a busy machine
	cfg.Retry.Backoff = time.Millisecond
	return cfg
}

func TestWhatAnUpstreamDoesWrongIsNamed(t *testing.T) {
	wait := func(d time.Duration) { time.Sleep(d) }
	cases := map[string]struct {
		script func(int, *http.Request, net.Conn)
		want   policy.Reason
	}{
		"closed before the header": {func(int, *http.Request, net.Conn) {}, policy.Cut},
		"closed within the header": {say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"), policy.Cut},
		"no HTTP":                  {say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), policy.Malformed},
		"two lengths":              {say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"), policy.Malformed},
		"a huge header":            {say("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 1000) + "\r\n"), policy.Malformed},
		"hangs before the header":  {func(int, *http.Request, net.Conn) { wait(3 * time.Second) }, policy.HeaderTimeout},
		"hangs within the header": {func(_ int, _ *http.Request, c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			wait(3 * time.Second)
		}, policy.HeaderTimeout},
		"body ends early":  {say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), policy.Cut},
		"chunks end early": {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), policy.Cut},
		"a bad chunk":      {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"), policy.Malformed},
		"body stalls": {func(_ int, _ *http.Request, c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
			wait(3 * time.Second)
		}, policy.Stall},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := upstream(t, c.script)
			d := newDependency(t, quick(guard.DependencyConfig{Retry: policy.RetryConfig{Attempts: 1}, Breaker: policy.BreakerConfig{Failures: 1}}))
			_, _, result, err := send(t, d, http.MethodGet, url, nil)
			if err == nil || result.Reason != c.want || result.Outcome != policy.Failure || policy.ErrorReason(err) != c.want {
				t.Errorf("%v; %+v, want %s", err, result, c.want)
			}
			if d.Breaker().State() != policy.Open {
				t.Error("the breaker did not hear of it")
			}
		})
	}
}

func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close()
	d := newDependency(t, quick(guard.DependencyConfig{}))
	_, _, result, err := send(t, d, "POST", url, strings.NewReader("x"))
	if result.Reason != policy.Refused || result.Attempts != 3 {
		t.Errorf("%+v (%v): want refused after 3 attempts, since nothing was sent", result, err)
	}
}

func TestRetriesOverHTTP(t *testing.T) {
	flaky := func(n int, r *http.Request, c net.Conn) {
		b, _ := io.ReadAll(r.Body)
		if n < 3 {
			_, _ = io.WriteString(c, only503)
			return
		}
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(b), b)
	}
	cases := map[string]struct {
		method   string
		body     io.Reader
		header   []string
		status   int
		attempts int
	}{
		"GET":                              {"GET", nil, nil, 200, 3},
		"PUT with a body that can be had":  {"PUT", strings.NewReader("x"), nil, 200, 3},
		"PUT with a body that is gone":     {"PUT", io.MultiReader(strings.NewReader("x")), nil, 503, 1},
		"POST":                             {"POST", strings.NewReader("x"), nil, 503, 1},
		"POST that the client vouches for": {"POST", strings.NewReader("x"), []string{"Idempotency-Key", "7d"}, 200, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			url, requests := upstream(t, flaky)
			status, body, result, err := send(t, newDependency(t, quick(guard.DependencyConfig{})), c.method, url, c.body, c.header...)
			if err != nil || status != c.status || int(requests.Load()) != c.attempts || result.Attempts != c.attempts {
				t.Errorf("%d %q after %d attempts (%+v): %v", status, body, requests.Load(), result, err)
			}
			if c.body != nil && status == 200 && body != "x" {
				t.Errorf("the last attempt sent %q", body)
			}
		})
	}
}

func TestWhenRetriesEndTheLastAnswerIsReturned(t *testing.T) {
	url, requests := upstream(t, say(only503))
	status, body, result, err := send(t, newDependency(t, quick(guard.DependencyConfig{})), http.MethodGet, url, nil)
	if err != nil || status != 503 || body != "busy" || requests.Load() != 3 {
		t.Errorf("%d %q after %d attempts: %v", status, body, requests.Load(), err)
	}
	wantEqual(t, result, guard.CallResult{Attempts: 3, Status: 503, Outcome: policy.Failure})
}

func TestAnUpstreamThatDropsEveryRequestIsSpared(t *testing.T) {
	url, requests := upstream(t, func(int, *http.Request, net.Conn) {})
	d := newDependency(t, quick(guard.DependencyConfig{}))
	open := 0
	for range 100 {
		if _, _, _, err := send(t, d, http.MethodGet, url, nil); errors.Is(err, policy.ErrOpen) {
			open++
		}
	}
	if requests.Load() > 20 || open < 90 {
		t.Errorf("%d attempts for 100 requests, %d refused by the breaker", requests.Load(), open)
	}
}

func TestAnswersThatAreNoFailuresNeverOpenTheCircuit(t *testing.T) {
	for _, status := range []int{200, 204, 301, 400, 404, 409, 422, 429, 500, 501} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		d := newDependency(t, quick(guard.DependencyConfig{Breaker: policy.BreakerConfig{Failures: 1}, Retry: policy.RetryConfig{Attempts: 1}}))
		if got, _, _, err := send(t, d, http.MethodGet, s.URL, nil); err != nil || got != status || d.Breaker().State() != policy.Closed {
			t.Errorf("%d: %v, breaker %v", got, err, d.Breaker().State())
		}
		s.Close()
	}
}

func TestACallerThatLeavesIsNoFailureAndFreesItsPlace(t *testing.T) {
	gone := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	defer s.Close()
	cfg := quick(guard.DependencyConfig{Breaker: policy.BreakerConfig{Failures: 1}, Bulkhead: policy.BulkheadConfig{InFlight: 1}})
	cfg.Timeouts.Response = 10 * time.Second
	d := newDependency(t, cfg)
	for _, path := range []string{"/header", "/body"} {
		ctx, call := guard.WithCall(t.Context())
		ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("too long"))
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(100*time.Millisecond, cancel)
		resp, err := d.Transport(nil).RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		<-gone // the upstream request was cancelled too
		if r := call.Result(); err == nil || r.Reason != policy.ClientLeft || r.Outcome != policy.Ignored {
			t.Errorf("%s: %v, %+v", path, err, r)
		}
		if now, _ := d.InFlight(); now != 0 || d.Breaker().State() != policy.Closed {
			t.Errorf("%s: %d in flight, breaker %v", path, now, d.Breaker().State())
		}
	}
}

func TestSlowButSteadyIsNoTimeout(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		for range 5 {
			_, _ = fmt.Fprint(w, n)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(300 * time.Millisecond)
		}
	}))
	defer s.Close()
	slow := &steps{n: 5, every: 300 * time.Millisecond}
	status, body, result, err := send(t, newDependency(t, quick(guard.DependencyConfig{})), "POST", s.URL, slow)
	if err != nil || status != 200 || body != "55555" || result.Outcome != policy.Success {
		t.Errorf("%d %q: %v (%+v)", status, body, err, result)
	}
}

// steps is a request body of n bytes that comes slowly.
type steps struct {
	n     int
	every time.Duration
}

func (s *steps) Read(p []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.every)
	s.n--
	p[0] = 'x'
	return 1, nil
}

func TestAnEarlyRefusalReachesACallerThatIsStillSending(t *testing.T) {
	t.Parallel()
	url, _ := upstream(t, func(_ int, _ *http.Request, c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo")
		time.Sleep(1500 * time.Millisecond / 2)
		_, _ = io.WriteString(c, " la")
		time.Sleep(1500 * time.Millisecond / 2) // the clock of the upload must not end the answer
		_, _ = io.WriteString(c, "rge")
		time.Sleep(time.Second / 2)
	})
	status, body, _, err := send(t, newDependency(t, quick(guard.DependencyConfig{})), "POST", url, &steps{n: 100, every: 50 * time.Millisecond})
	if err != nil || status != 413 || body != "too large" {
		t.Errorf("%d %q: %v", status, body, err)
	}
}

func TestAnUpgradedConnectionStaysWritable(t *testing.T) {
	t.Parallel()
	url, _ := upstream(t, func(_ int, _ *http.Request, c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, c)
	})
	d := newDependency(t, quick(guard.DependencyConfig{Bulkhead: policy.BulkheadConfig{InFlight: 1}}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := d.Transport(nil).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // again, where the test ends early
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the body of a 101 is a %T", resp.Body)
	}
	time.Sleep(1200 * time.Millisecond) // beyond the response and stall limits
	_, err = io.WriteString(conn, "hello")
	got := make([]byte, 5)
	_, err2 := io.ReadFull(conn, got)
	if err != nil || err2 != nil || string(got) != "hello" {
		t.Errorf("%q: %v, %v", got, err, err2)
	}
	if now, _ := d.InFlight(); now != 1 {
		t.Errorf("%d in flight while it is in use", now)
	}
	_ = conn.Close()
	if now, _ := d.InFlight(); now != 0 {
		t.Errorf("%d in flight after it was closed", now)
	}
}

func TestTheNumbersOfARequest(t *testing.T) {
	seen := &numbers{}
	url, _ := upstream(t, func(n int, _ *http.Request, c net.Conn) {
		if n > 1 {
			_, _ = io.WriteString(c, ok200)
		}
	})
	d := newDependency(t, quick(guard.DependencyConfig{Observer: seen}))
	if status, _, _, err := send(t, d, http.MethodGet, url, nil); err != nil || status != 200 {
		t.Fatalf("%d: %v", status, err)
	}
	wantEqual(t, seen.sums, map[string]float64{
		"guard.breaker.state guard.dependency=payment":                                                                                         0,
		"guard.dependency.calls guard.dependency=payment guard.outcome=failure error.type=cut":                                                 1,
		"guard.dependency.calls guard.dependency=payment guard.outcome=success":                                                                1,
		"guard.dependency.retries guard.dependency=payment":                                                                                    1,
		"http.client.request.duration guard.dependency=payment http.request.method=GET server.address=127.0.0.1 error.type=cut":                1,
		"http.client.request.duration guard.dependency=payment http.request.method=GET server.address=127.0.0.1 http.response.status_code=200": 1,
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestThePortIsToldWhereTheURLLeavesItOut(t *testing.T) {
	for url, want := range map[string]string{
		"http://payment/":        `server_port="80"`,
		"https://payment/":       `server_port="443"`,
		"https://payment:8443/":  `server_port="8443"`,
		"http://[2001:db8::1]/a": `server_port="80"`,
	} {
		var numbers metric.Prometheus
		d := newDependency(t, guard.DependencyConfig{Observer: &numbers})
		client := http.Client{Transport: d.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
		}))}
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if scrape := serve(&numbers, get("/metrics")).Body.String(); !strings.Contains(scrape, want) {
			t.Errorf("%s: no %s in\n%s", url, want, scrape)
		}
	}
}
