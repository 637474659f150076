package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is what senders did.
type load struct {
	taken, shed, failed atomic.Int64 // records or requests
}

func client(conns int) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns}}
}

// paced calls do from so many workers, so many times a second in all, until ctx ends; 0: as often as they can. Who is late catches up.
func paced(ctx context.Context, workers int, perSecond float64, do func(worker int)) {
	var wg sync.WaitGroup
	began := time.Now()
	var turn atomic.Int64
	for w := range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if perSecond > 0 {
					due := began.Add(time.Duration(float64(turn.Add(1)-1) / perSecond * float64(time.Second)))
					select {
					case <-ctx.Done():
						return
					case <-time.After(time.Until(due)):
					}
				}
				do(w)
			}
		})
	}
	wg.Wait()
}

// sendRecords sends batches to an OTLP address.
func sendRecords(ctx context.Context, url string, workers int, recordsPerSecond float64, l *load) {
	c := client(workers)
	batches := make([]*batch, workers)
	for i := range batches {
		batches[i] = newBatch([]string{"checkout", "payment", "search", "cart"}[i%4], i)
	}
	paced(ctx, workers, recordsPerSecond/batchSize, func(w int) {
		res, err := c.Post(url+"/v1/logs", "application/x-protobuf", bytes.NewReader(batches[w].stamp(time.Now())))
		count(l, res, err, batchSize)
	})
	c.CloseIdleConnections()
}

// sendRequests asks the gateway.
func sendRequests(ctx context.Context, url string, workers int, perSecond float64, l *load) {
	c := client(workers)
	paced(ctx, workers, perSecond, func(int) {
		res, err := c.Get(url + "/orders/42")
		count(l, res, err, 1)
	})
	c.CloseIdleConnections()
}

func count(l *load, res *http.Response, err error, n int64) {
	if err != nil {
		l.failed.Add(n)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is kept
	_ = res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
		l.taken.Add(n)
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable:
		l.shed.Add(n)
	default:
		l.failed.Add(n)
	}
}
