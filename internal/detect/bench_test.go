package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

// BenchmarkShippedRules is one evaluation of all shipped rules over 10 services of 50 routes with an hour of samples every 5 s.
func BenchmarkShippedRules(b *testing.B) {
	db, err := tsdb.Open(tsdb.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	start := time.Now().Add(-time.Hour)
	var batch []inquest.Series
	for s := range 10 {
		for r := range 50 {
			labels := func(more ...string) map[string]string {
				m := map[string]string{"service": fmt.Sprint("s", s), "route": fmt.Sprint("GET /", r)}
				for i := 0; i < len(more); i += 2 {
					m[more[i]] = more[i+1]
				}
				return m
			}
			batch = append(batch, inquest.Series{Name: "inquest_requests_total", Labels: labels("code", "200")}, inquest.Series{Name: "inquest_failures_total", Labels: labels("kind", "5xx")},
				inquest.Series{Name: "inquest_request_duration_seconds_count", Labels: labels()})
			for _, le := range []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf"} {
				batch = append(batch, inquest.Series{Name: "inquest_request_duration_seconds_bucket", Labels: labels("le", le)})
			}
		}
	}
	for i := range 720 {
		for k := range batch {
			batch[k].Samples = []inquest.Sample{{Time: start.Add(time.Duration(i) * 5 * time.Second), Value: float64(i * k)}}
		}
		if err := db.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	groups, err := detect.Shipped()
	if err != nil {
		b.Fatal(err)
	}
	d, err := detect.New(detect.Config{Groups: groups, Query: db, Append: db, Restore: -1})
	if err != nil {
		b.Fatal(err)
	}
	at := start.Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Millisecond)
		if err := d.Eval(b.Context(), at); err != nil {
			b.Fatal(err)
		}
	}
}
