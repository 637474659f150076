package rates_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTick counts what two seconds bring at 50,000 records a second: half requests of an access log, half JSON lines of an
// application. cpu-ns/line is processor time, user and system.
func BenchmarkTick(b *testing.B) {
	var access_, app strings.Builder
	for i := range 50_000 {
		access_.WriteString(access(i, 200+i%5/4*300))
		fmt.Fprintf(&app, `{"time":"2026-11-29T12:00:%02d.123Z","level":"INFO","msg":"cart %d priced in %d ms","service":"cart","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user":"u%d"}`+"\n", i%60, i, i%300, i%1000)
	}
	w := newWorld(b)
	w.add("nginx", access(1, 200))
	if err := w.tick(); err != nil {
		b.Fatal(err)
	}
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		w.add("nginx", access_.String())
		w.add("cart", app.String())
		b.StartTimer()
		start := cpuTime()
		if err := w.tick(); err != nil {
			b.Fatal(err)
		}
		used += cpuTime() - start
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/100_000, "cpu-ns/line")
}

// BenchmarkTickOfManySources counts a line of each of 1000 sources: what a source costs beside its lines.
func BenchmarkTickOfManySources(b *testing.B) {
	const sources = 1000
	w := newWorld(b)
	fill := func() {
		var all sync.WaitGroup
		for i := range sources {
			all.Go(func() { w.add(fmt.Sprint("cart-", i), access(i, 200)) })
		}
		all.Wait()
	}
	fill()
	if err := w.tick(); err != nil {
		b.Fatal(err)
	}
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		fill()
		b.StartTimer()
		start := cpuTime()
		if err := w.tick(); err != nil {
			b.Fatal(err)
		}
		used += cpuTime() - start
	}
	b.ReportMetric(float64(used.Microseconds())/float64(b.N)/sources, "cpu-us/source")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
