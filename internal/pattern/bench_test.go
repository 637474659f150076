package pattern_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/inquesthq/inquest/internal/pattern"
)

// benchLines are of the kinds a web service writes, about 100 bytes each.
func benchLines(n int) ([][]byte, int64) {
	forms := []string{
		"order %d for customer %d accepted, total=%d.50 EUR, warehouse=north, took %dms and was sent to the queue",
		"connect to 10.0.%d.%d:5432 failed after 3 attempts: connection refused (errno=111), giving up, id=%d/%d",
		`request finished method=GET path=/api/orders/%d status=200 duration=%dms bytes=%d trace=4bf92f3577b34da%d`,
		"HikariPool-1 - Connection is not available, request timed out after 30%d03ms (total=10, active=10, idle=0, waiting=%d) %d %d",
		`{"level":"error","msg":"payment declined","user":"u%d","amount":%d,"gateway":"acme","attempt":%d,"ms":%d}`,
		"Scheduled job nightly-report started by the scheduler; previous run finished normally, %d rows %d %d %d",
		"GET /assets/app.%d.js HTTP/1.1 200 %d \"https://shop.example.com/cart/%d\" Mozilla/5.0 (X11; Linux) 0.0%d",
		"cache miss for key session:%d:profile, loading from the primary database, shard %d, %d entries, age %d s",
	}
	out := make([][]byte, n)
	var size int64
	for i := range out {
		out[i] = fmt.Appendf(nil, forms[i%len(forms)], i, i%251, i*7%1000, i%9)
		size += int64(len(out[i]))
	}
	return out, size / int64(n)
}

func BenchmarkHash(b *testing.B) {
	lines, size := benchLines(4096)
	b.SetBytes(size)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		pattern.Hash(lines[i&4095])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// The usual case: most lines differ from a recent one in digits only.
func BenchmarkMinerAdd(b *testing.B) {
	lines, size := benchLines(4096)
	benchAdd(b, lines, size)
}

// The worst case: a random word in each line, so that no short cut is ever taken.
func BenchmarkMinerAddUnlike(b *testing.B) {
	lines, size := benchLines(4096)
	r := rand.New(rand.NewPCG(1, 2))
	unlike := make([][]byte, 1<<16)
	for i := range unlike {
		unlike[i] = fmt.Appendf(nil, "%s trace=%s", lines[i&4095], letters(r, 12))
	}
	benchAdd(b, unlike, size+19)
}

func benchAdd(b *testing.B, lines [][]byte, size int64) {
	m := pattern.New(pattern.Config{})
	b.SetBytes(size)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Add(lines[i%len(lines)], 1_700_000_000_000_000_000+int64(i)*1000)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
