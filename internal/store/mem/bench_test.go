package mem_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// traffic is a proxy's log of many routes with ids in their paths, a few hundred requests a second.
func traffic() []*parse.Record {
	var out []*parse.Record
	for i := range 8192 {
		url := fmt.Sprintf("/api/v%d/%s/%d/items?page=%d", i%3, [...]string{"orders", "carts", "users", "stock"}[i/3%4], i*7919, i%9)
		out = append(out, access(t0.Add(time.Duration(i)*3*time.Millisecond), [...]string{"GET", "GET", "POST"}[i%3], url, [...]int{200, 200, 204, 404}[i/5%4],
			took(float64(i%90)/1000), via(fmt.Sprintf("10.0.1.%d:8080", i%12), "200"), client("192.0.2.1")))
	}
	return out
}

func BenchmarkCollectorRequest(b *testing.B) {
	c := mem.NewCollector(mem.Settings{})
	records := traffic()
	for _, r := range records {
		c.Log(r)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Log(records[i])
		i = (i + 1) % len(records)
	}
}

// Healthy traffic is counted without allocating, once its routes are known: a log of any length is read in little memory.
func TestRequestsOnKnownRoutesAllocateNothing(t *testing.T) {
	c := mem.NewCollector(mem.Settings{})
	records := traffic()
	count := func() {
		for _, r := range records {
			c.Log(r)
		}
	}
	for range 5 { // more than a worker gathers before it counts them
		count()
	}
	if n := testing.AllocsPerRun(5, count); n != 0 {
		t.Errorf("%v allocations for %d requests", n, len(records))
	}
}
