package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load sends checkouts as many customers do, at a rate, whatever becomes of them (an open loop): each request from one of 200 addresses, which
// the gateway believes as it would a load balancer.
type load struct {
	url    string
	rate   atomic.Int64 // requests a second
	client *http.Client
	wg     sync.WaitGroup

	mu            sync.Mutex
	sent, failed  int
	first, enough time.Time // first failing answer; when the shipped rule may fire
	recent        []answer  // of the last five minutes, oldest first
}

type answer struct {
	at     time.Time
	failed bool
}

// inFlight bounds the requests under way: customers are many, not infinite.
const inFlight = 1000

func newLoad(url string, rate int) *load {
	l := &load{url: url, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: inFlight}}}
	l.rate.Store(int64(rate))
	return l
}

// run sends until ctx ends, and returns when the last answer is there.
func (l *load) run(ctx context.Context) {
	defer l.wg.Wait()
	slots := make(chan struct{}, inFlight)
	for next := time.Now(); ; {
		next = next.Add(time.Duration(rand.ExpFloat64() / float64(l.rate.Load()) * float64(time.Second))) // arrivals of a Poisson process
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		select {
		case slots <- struct{}{}:
		default:
			continue // as many as there are wait already
		}
		l.wg.Go(func() {
			l.send(ctx)
			<-slots
		})
	}
}

func (l *load) send(ctx context.Context) {
	n := rand.IntN(4000)
	body := fmt.Sprintf(`{"cartId":"c%d","userId":"u%d","paymentToken":"tok_%d","sku":"chair","quantity":1,"amountCents":%d}`, rand.IntN(10000), n, n, 1000+rand.IntN(9000))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, strings.NewReader(body))
	if err != nil {
		return // the URL is ours
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", 1+n%200))
	req.Header.Set("User-Agent", "okhttp/4.12.0")
	resp, err := l.client.Do(req)
	if ctx.Err() != nil {
		return // the demo is over
	}
	failed := err != nil || resp.StatusCode >= http.StatusInternalServerError
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body) // the status is what counts
		resp.Body.Close()
	}
	l.note(answer{time.Now(), failed})
}

func (l *load) note(a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if a.failed {
		l.failed++
		if l.first.IsZero() {
			l.first = a.at
		}
	}
	if !l.enough.IsZero() {
		return
	}
	l.recent = append(l.recent, a)
	for a.at.Sub(l.recent[0].at) > 5*time.Minute {
		l.recent = l.recent[1:]
	}
	if mayPage(l.recent) {
		l.enough, l.recent = a.at, nil
	}
}

// mayPage is the condition of the shipped rule CriticalServiceFailing (docs/rules.md): from here on it is Inquest's time that passes, before it is
// the window's, which wants to see enough.
func mayPage(window []answer) bool {
	n, f := float64(len(window)), 0.0
	for _, a := range window {
		if a.failed {
			f++
		}
	}
	const z2 = 2.706 // 95 %, one-sided
	lower := (f + z2/2 - 1.645*math.Sqrt(f*(n-f)/n+z2/4)) / (n + z2)
	return f >= 5 && (lower > 0.01 || n >= 1000 && f/n > 0.01)
}

// tally is what the customers saw.
type tally struct {
	sent, failed  int
	first, enough time.Time
}

func (l *load) tally() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return tally{l.sent, l.failed, l.first, l.enough}
}
