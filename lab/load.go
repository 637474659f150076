package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Route is one kind of request. Paths, bodies and header values may hold {n:1-500} (a number), {pick:a|b|c}
// (one of the words) and {hex} (16 hex digits); each is drawn anew per request, the same {n} in path and body is not shared.
type Route struct {
	Name    string // as in want.json, e.g. "GET /api/events/{id}"
	Method  string // default GET
	URL     string // address of the gateway and path
	Weight  float64
	Body    string
	Headers map[string]string
	Timeout time.Duration // how long the client waits; default 30 s
	Clients string        // prefix of the client addresses, e.g. "203.0.113."; default 198.51.100.
	Agent   string        // user agent; default one of several browsers
	Retries int           // a client that tries again at once when it gets a 5xx

	Lying      string // a 200 whose body matches this expression is a failure
	Background bool   // its failures are an old, known noise and no onset
	During     string // "", "fault" (only sent after the fault began) or "baseline"
}

type result struct {
	route   *Route
	started time.Time
	ended   time.Time
	status  int // 0: no answer
	failed  bool
	err     string
}

type load struct {
	e       *Env
	stopc   chan struct{}
	done    sync.WaitGroup
	mu      sync.Mutex
	res     []result
	clients map[string]*http.Client
	busy    atomic.Int64 // requests under way
}

func newLoad(e *Env) *load {
	return &load{e: e, stopc: make(chan struct{}), clients: map[string]*http.Client{}}
}

var agents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
	"okhttp/4.12.0", "python-requests/2.32.3",
}

func (l *load) start() {
	l.done.Add(1)
	go func() {
		defer l.done.Done()
		next := time.Now()
		for {
			select {
			case <-l.stopc:
				return
			default:
			}
			rate := l.e.S.RPS
			if f := l.e.S.Shape; f != nil {
				since := time.Since(l.e.Began) - l.e.S.Baseline
				rate *= f(since)
			}
			if rate <= 0 {
				time.Sleep(100 * time.Millisecond)
				next = time.Now()
				continue
			}
			next = next.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
			time.Sleep(time.Until(next))
			if u := int64(l.e.S.Users); u > 0 && l.busy.Load() >= u {
				continue
			}
			if r := l.choose(); r != nil {
				l.done.Add(1)
				l.busy.Add(1)
				go func() { defer l.done.Done(); defer l.busy.Add(-1); l.fire(r, r.Retries) }()
			}
		}
	}()
}

func (l *load) choose() *Route {
	during := "baseline"
	if !l.e.Injected.IsZero() {
		during = "fault"
	}
	routes := l.e.S.Routes
	sum := 0.0
	for i := range routes {
		if routes[i].During == "" || routes[i].During == during {
			sum += routes[i].Weight
		}
	}
	x := rand.Float64() * sum
	for i := range routes {
		if routes[i].During == "" || routes[i].During == during {
			if x -= routes[i].Weight; x < 0 {
				return &routes[i]
			}
		}
	}
	return nil
}

func (l *load) client(ip string) *http.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[ip]
	if c == nil {
		d := &net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		c = &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		l.clients[ip] = c
	}
	return c
}

func (l *load) fire(r *Route, retries int) {
	prefix := r.Clients
	if prefix == "" {
		prefix = "198.51.100."
	}
	ip := fill(prefix)
	if strings.HasSuffix(prefix, ".") {
		ip += strconv.Itoa(2 + rand.IntN(200))
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	method := r.Method
	if method == "" {
		method = "GET"
	}
	req, err := http.NewRequestWithContext(ctx, method, fill(r.URL), bytes.NewReader([]byte(fill(r.Body))))
	if err != nil {
		l.e.Note("bad route %s: %v", r.Name, err)
		return
	}
	agent := r.Agent
	if agent = fill(agent); agent == "" {
		agent = agents[int(hash(ip))%len(agents)]
	}
	req.Header.Set("User-Agent", agent)
	if r.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.Headers {
		req.Header.Set(k, fill(v))
	}
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
	}
	res := result{route: r, started: time.Now()}
	res.status, res.failed, res.err = l.do(ip, req, r)
	res.ended = time.Now()
	l.mu.Lock()
	l.res = append(l.res, res)
	l.mu.Unlock()
	if res.failed && retries > 0 {
		l.fire(r, retries-1)
	}
}

func (l *load) do(ip string, req *http.Request, r *Route) (status int, failed bool, msg string) {
	resp, err := l.client(ip).Do(req)
	if err != nil {
		return 0, true, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return resp.StatusCode, true, err.Error()
	}
	if resp.StatusCode >= 500 {
		return resp.StatusCode, true, ""
	}
	if r.Lying != "" && regexp.MustCompile(r.Lying).Match(body) {
		return resp.StatusCode, true, "lying"
	}
	return resp.StatusCode, false, ""
}

func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h >> 3
}

var holes = regexp.MustCompile(`\{(n:\d+-\d+|pick:[^}]*|hex|nowms)\}`)

// fill draws the holes of a template.
func fill(t string) string {
	return holes.ReplaceAllStringFunc(t, func(h string) string {
		h = h[1 : len(h)-1]
		if h == "hex" {
			return fmt.Sprintf("%016x", rand.Uint64())
		}
		if h == "nowms" {
			return strconv.FormatInt(time.Now().UnixMilli(), 10)
		}
		if words, ok := strings.CutPrefix(h, "pick:"); ok {
			w := strings.Split(words, "|")
			return w[rand.IntN(len(w))]
		}
		from, to, _ := strings.Cut(strings.TrimPrefix(h, "n:"), "-")
		a, _ := strconv.Atoi(from)
		b, _ := strconv.Atoi(to)
		return strconv.Itoa(a + rand.IntN(b-a+1))
	})
}

// stop ends the stream of new requests and leaves those under way eight seconds to end.
func (l *load) stop() {
	close(l.stopc)
	done := make(chan struct{})
	go func() { l.done.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(8 * time.Second):
	}
}

func (l *load) results() []result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]result(nil), l.res...)
}
