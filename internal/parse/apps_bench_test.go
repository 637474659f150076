package parse

import (
	"fmt"
	"testing"
)

// Healthy lines as services write them by the hundred million; the numbers that vary do so here too, because a parser's
// caches would otherwise never miss.
func BenchmarkLines(b *testing.B) {
	for _, c := range []struct {
		name  string
		new   func([]byte) lineParser
		shape string
	}{
		{"json", newJSON(&jsonVariant{name: "json"}),
			`{"level":"info","time":"2026-01-15T08:00:%02d.%03dZ","pid":6,"hostname":"catalog-51e","service":"catalog","trace_id":"9db2806c651eb11032bb0712","req":{"method":"GET","path":"/api/v3/shipping/wishlist/%d?per_page=50&sort=-created_at"},"status":200,"duration_ms":20.75,"msg":"request completed"}`},
		{"logback", newHead(true, true),
			"2026-11-20 16:41:%02d.%03d INFO  [http-worker-11] com.shop.shipping.Shipping - POST /api/quote/%d 200 25ms requestId=799ce0bcbb8f6f0b23f36d6cc8875903"},
		{"logfmt", newLogfmt,
			"time=2026-11-20T15:39:%02d.%03dZ level=INFO msg=request service=catalog method=GET path=/api/products/%d status=200 duration_ms=0 request_id=c15ae2f227b2ae4cf035148c8eb325ea"},
		{"postgresql", newPostgres,
			"2026-11-20 15:40:%02d.%03d UTC [%d] app@shop LOG:  duration: 0.327 ms  statement: select 1"},
	} {
		b.Run(c.name, func(b *testing.B) {
			lines := make([][]byte, 1000)
			for i := range lines {
				lines[i] = fmt.Appendf(nil, c.shape, i/20, i%1000, i*7919)
			}
			p := c.new(nil)
			var r Record
			b.SetBytes(int64(len(lines[0])))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r.Reset()
				if !p.parse(lines[i], &r) {
					b.Fatalf("refused %s", lines[i])
				}
				if i++; i == len(lines) {
					i = 0
				}
			}
		})
	}
}
