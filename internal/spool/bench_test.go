package spool_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/spool"
)

// BenchmarkAppend appends batches of 200-byte lines from eight appenders, at 10 MB/s and as fast as it goes, and says what that
// costs: cpu-ms/s is processor time, user and system, for each second of it.
func BenchmarkAppend(b *testing.B) {
	line := strings.Repeat("x", 199) + "\n"
	for _, batch := range []int{1, 64, 512} {
		for _, rate := range []int{10 << 20, 0} {
			name := fmt.Sprintf("lines=%d/rate=%dMB", batch, rate>>20)
			if rate == 0 {
				name = fmt.Sprintf("lines=%d/rate=any", batch)
			}
			b.Run(name, func(b *testing.B) { benchAppend(b, []byte(strings.Repeat(line, batch)), rate) })
		}
	}
}

func benchAppend(b *testing.B, data []byte, rate int) {
	s := open(b, spool.Config{Dir: b.TempDir(), MaxBytes: 1 << 30})
	appenders := 8
	if len(data) < 1000 && rate > 0 {
		appenders = 512 // a lone line waits for the disk: it takes many senders to bring many
	}
	b.SetBytes(int64(len(data)))
	var left atomic.Int64
	left.Store(int64(b.N))
	cpu, start := cpuTime(), time.Now()
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			src := spool.Source{Name: fmt.Sprint("s", a%8)}
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				if rate > 0 {
					due := time.Duration(float64(int64(b.N)-n) * float64(len(data)) / float64(rate) * float64(time.Second))
					time.Sleep(due - time.Since(start))
				}
				if err := s.Append(context.Background(), src, data); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wall := time.Since(start)
	b.ReportMetric(float64((cpuTime()-cpu).Milliseconds())/wall.Seconds(), "cpu-ms/s")
	b.ReportMetric(float64(s.Stats().Lines)/wall.Seconds(), "lines/s")
	b.ReportMetric(float64(s.Stats().Commits)/wall.Seconds(), "commits/s")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
