package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/serve"
)

// running is a gateway process inside of a test.
type running struct {
	addr, dir string
	cfg       atomic.Pointer[gateway.Config]
	reload    chan os.Signal
	stop      func() error
}

func start(t *testing.T, edit func(*gateway.Config)) *running {
	t.Helper()
	r := &running{dir: t.TempDir(), reload: make(chan os.Signal, 1)}
	cfg := gateway.Config{
		Listen: []gateway.Listen{{Address: free(t)}}, Admin: "unix:" + filepath.Join(r.dir, "admin.sock"),
		AccessLog: gateway.Log{File: filepath.Join(r.dir, "access.log")}, EventLog: gateway.Log{File: filepath.Join(r.dir, "events.log")},
	}.WithDefaults()
	edit(&cfg)
	r.addr = cfg.Listen[0].Address
	r.cfg.Store(&cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- serve.Run(ctx, serve.Options{Load: func() (gateway.Config, error) { return *r.cfg.Load(), nil }, Reload: r.reload, Ready: func([]string) { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	var once sync.Once
	var err error
	r.stop = func() error { once.Do(func() { cancel(); err = <-ended }); return err }
	t.Cleanup(func() { _ = r.stop() })
	return r
}

func free(t *testing.T) string {
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

// service answers with its name, slowly enough that reloads fall into requests.
func service(t *testing.T, name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Millisecond)
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func one(url string) func(*gateway.Config) {
	return func(c *gateway.Config) {
		c.Upstreams = map[string]gateway.Upstream{"web": {Servers: []string{url}}}
		c.Routes = []gateway.Route{{Name: "web", Upstream: "web"}}
	}
}

// load asks as fast as it can with n clients until stop is called, which returns the number of requests and what went wrong.
func load(addr string, n int) (stop func() (int, []string)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults []string
	var count atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	for range n {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				resp, err := client.Get("http://" + addr + "/")
				fault := ""
				if err != nil {
					fault = err.Error()
				} else {
					b, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err != nil || resp.StatusCode != http.StatusOK || string(b) != "one" && string(b) != "two" {
						fault = fmt.Sprintf("%d %q %v", resp.StatusCode, b, err)
					}
				}
				count.Add(1)
				if fault != "" {
					mu.Lock()
					faults = append(faults, fault)
					mu.Unlock()
				}
			}
		})
	}
	return func() (int, []string) { cancel(); wg.Wait(); return int(count.Load()), faults }
}

func TestAReloadUnderLoadDropsNoRequest(t *testing.T) {
	first, second := service(t, "one"), service(t, "two")
	r := start(t, one(first))
	stop := load(r.addr, 8)
	for i := range 20 {
		cfg := *r.cfg.Load()
		one(map[bool]string{true: second, false: first}[i%2 == 0])(&cfg)
		cfg.AccessLog.File = filepath.Join(r.dir, fmt.Sprintf("access-%d.log", i%3))
		r.cfg.Store(&cfg)
		r.reload <- os.Interrupt
		time.Sleep(30 * time.Millisecond)
	}
	n, faults := stop()
	if len(faults) > 0 || n < 50 {
		t.Fatalf("of %d requests %d went wrong: %.300q", n, len(faults), faults)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, r.dir, "access"); got != n {
		t.Errorf("%d requests, %d lines in the access logs", n, got)
	}
	if got := strings.Count(read(t, filepath.Join(r.dir, "events.log")), `"kind":"reload"`); got < 15 {
		t.Errorf("%d reloads were told, 20 were asked for", got)
	}
}

func TestEndingLetsRequestsUnderWayEnd(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-leave
		_, _ = io.WriteString(w, "late")
	}))
	t.Cleanup(s.Close)
	r := start(t, one(s.URL))
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + r.addr)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		got <- string(b)
	}()
	<-inside
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	time.Sleep(50 * time.Millisecond)
	if _, err := net.DialTimeout("tcp", r.addr, time.Second); err == nil {
		t.Error("new connections are still taken")
	}
	close(leave)
	if b := <-got; b != "late" {
		t.Errorf("the request under way got %q", b)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAWrongReloadChangesNothing(t *testing.T) {
	r := start(t, one(service(t, "one")))
	bad := *r.cfg.Load()
	bad.Routes = []gateway.Route{{Upstream: "gone"}}
	r.cfg.Store(&bad)
	o, err := serve.NewOperator(bad.Admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Post(t.Context(), "/reload", struct{}{}); err == nil || !strings.Contains(err.Error(), `there is no upstream "gone"`) {
		t.Errorf("the operator was told %v", err)
	}
	resp, err := http.Get("http://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d after a reload that failed", resp.StatusCode)
	}
	if events := read(t, filepath.Join(r.dir, "events.log")); !strings.Contains(events, "failed, the old configuration goes on") {
		t.Errorf("the event log does not tell: %s", events)
	}
}

func TestMaintenanceIsSwitchedInUnderASecond(t *testing.T) {
	r := start(t, one(service(t, "one")))
	o, err := serve.NewOperator(r.cfg.Load().Admin)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := o.Post(t.Context(), "/maintenance", map[string]any{"route": "web", "on": true, "by": "ada"}); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || time.Since(begun) > time.Second {
		t.Errorf("status %d, Retry-After %q after %v", resp.StatusCode, resp.Header.Get("Retry-After"), time.Since(begun))
	}
	if events := read(t, filepath.Join(r.dir, "events.log")); !strings.Contains(events, "maintenance of route web on by ada") {
		t.Errorf("no record of who did it: %s", events)
	}
}

func TestTheAdminAPIRefusesBrowsers(t *testing.T) {
	admin := free(t)
	start(t, func(c *gateway.Config) { one(service(t, "one"))(c); c.Admin = admin })
	for _, c := range []struct {
		why    string
		host   string
		origin string
		want   int
	}{{"a name that was made to point here", "evil.example", "", 400}, {"another site", "localhost", "https://evil.example", 400}, {"an operator", "localhost", "", 200}} {
		req, err := http.NewRequest(http.MethodGet, "http://"+admin+"/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.why, resp.StatusCode, c.want)
		}
	}
}

func TestASocketThatIsServedIsNotTaken(t *testing.T) {
	r := start(t, one(service(t, "one")))
	err := serve.Run(t.Context(), serve.Options{Load: func() (gateway.Config, error) {
		c := *r.cfg.Load()
		c.Listen = []gateway.Listen{{Address: free(t)}}
		c.AccessLog.File, c.EventLog.File = filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "e")
		return c, nil
	}})
	if err == nil || !strings.Contains(err.Error(), "is served by another gateway") {
		t.Errorf("the second gateway was told %v", err)
	}
}

func TestNothingToListenOnIsAnError(t *testing.T) {
	err := serve.Run(t.Context(), serve.Options{Load: func() (gateway.Config, error) { return gateway.Config{}, nil }})
	if err == nil || !strings.Contains(err.Error(), "nothing to listen on") {
		t.Errorf("got %v", err)
	}
	want := errors.New("unreadable")
	if err := serve.Run(t.Context(), serve.Options{Load: func() (gateway.Config, error) { return gateway.Config{}, want }}); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines counts the JSON lines in the files whose name begins so.
func lines(t *testing.T, dir, prefix string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		for _, l := range bytes.Split(bytes.TrimSpace([]byte(read(t, f))), []byte("\n")) {
			if len(l) == 0 {
				continue
			}
			if !json.Valid(l) {
				t.Errorf("%s: no JSON: %s", f, l)
			}
			n++
		}
	}
	return n
}
