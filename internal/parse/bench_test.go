package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// counter is the cheapest sink there is: what is measured is the reader.
type counter struct{ records, failed int }

func (c *counter) Log(r *parse.Record) {
	c.records++
	if r.Status >= 500 {
		c.failed++
	}
}

func (c *counter) Signal(parse.Signal) {}

// BenchmarkNginx reads 64 MB of combined lines with timings and upstreams, as a proxy in production writes them.
func BenchmarkNginx(b *testing.B) {
	var buf bytes.Buffer
	start := time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC)
	lines := 0
	for ; buf.Len() < 64<<20; lines++ {
		status, d := 200, float64(lines%977)/1000
		if lines%200 == 0 {
			status = 502
		}
		fmt.Fprintf(&buf, `%d.20.%d.7 - - [%s] "GET /api/v1/orders/%d?page=2 HTTP/1.1" %d %d "-" "Mozilla/5.0 (X11; Linux `+
			`x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36" rt=%.3f uct="0.001" uht="%.3f" urt="%.3f" ua="10.0.0.%d:8080" us="%d"`+"\n",
			11+lines%200, lines%250, start.Add(time.Duration(lines)*time.Millisecond).Format("02/Jan/2006:15:04:05 -0700"),
			lines*7919%900000, status, lines%40000, d, d, d, lines%12, status)
	}
	benchFile(b, buf.Bytes(), lines)
}

// BenchmarkFile reads the file named by INQUEST_BENCH_FILE, for timing on a log of one's own.
func BenchmarkFile(b *testing.B) {
	name := os.Getenv("INQUEST_BENCH_FILE")
	if name == "" {
		b.Skip("INQUEST_BENCH_FILE is not set")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	benchFile(b, data, bytes.Count(data, []byte("\n")))
}

func benchFile(b *testing.B, data []byte, lines int) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), data, 0o600); err != nil {
		b.Fatal(err)
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				rep := parse.ReadFile(context.Background(), dir, "a.log", parse.Options{Workers: workers},
					func() parse.Sink { return &counter{} })
				if rep.Records != lines {
					b.Fatalf("%d records of %d lines: %+v", rep.Records, lines, rep)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
		})
	}
}
