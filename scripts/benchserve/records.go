package main

import (
	"encoding/binary"
	"fmt"
	"time"
)

// batchSize is how many records one request holds, as a collector's batch processor sends them.
const batchSize = 1000

// batch is an OTLP request of log records, encoded once; stamp gives it the time of its sending. The protobuf is written by hand, for a library
// would take a core of the two that are measured: https://github.com/open-telemetry/opentelemetry-proto
type batch struct {
	body  []byte
	times []int // where the fixed64 of each record's time is
}

// newBatch makes one of a service: mostly successes, one error in a hundred, six attributes each.
func newBatch(service string, seed int) *batch {
	b := &batch{}
	var records []byte
	var at []int
	for i := range batchSize {
		severity, text, body := uint64(9), "INFO", fmt.Sprintf("order %d was paid by card ending in 4242 within %d ms", seed*batchSize+i, 20+i%37)
		if i%100 == 99 {
			severity, text, body = 17, "ERROR", fmt.Sprintf("order %d was not paid: the card was declined after %d ms", seed*batchSize+i, 20+i%37)
		}
		r := append([]byte{1<<3 | 1}, make([]byte, 8)...) // time_unix_nano
		r = binary.AppendUvarint(append(r, 2<<3), severity)
		r = field(r, 3, []byte(text))
		r = field(r, 5, field(nil, 1, []byte(body)))
		for _, kv := range [][2]string{{"http.request.method", "POST"}, {"url.path", "/orders/42/pay"}, {"thread.name", "http-nio-8080-exec-7"}, {"user.id", fmt.Sprintf("u-%d", i)}, {"region", "eu-central-1"}, {"zone", "b"}} {
			r = field(r, 6, attribute(kv[0], kv[1]))
		}
		r = field(r, 9, fmt.Appendf(nil, "%016d", seed*batchSize+i))
		at = append(at, len(records)+1+uvarintLen(len(r))+1)
		records = field(records, 2, r)
	}
	resource := field(nil, 1, field(nil, 1, attribute("service.name", service)))
	head := append(resource, prefix(2, len(records))...)
	outer := prefix(1, len(head)+len(records))
	for _, n := range at {
		b.times = append(b.times, len(outer)+len(head)+n)
	}
	b.body = append(append(outer, head...), records...)
	return b
}

func (b *batch) stamp(now time.Time) []byte {
	for i, at := range b.times {
		binary.LittleEndian.PutUint64(b.body[at:], uint64(now.UnixNano()+int64(i)))
	}
	return b.body
}

func attribute(key, value string) []byte {
	return field(field(nil, 1, []byte(key)), 2, field(nil, 1, []byte(value)))
}

func field(to []byte, number int, content []byte) []byte {
	return append(append(to, prefix(number, len(content))...), content...)
}

func prefix(number, length int) []byte {
	return binary.AppendUvarint([]byte{byte(number<<3 | 2)}, uint64(length))
}

func uvarintLen(n int) int { return len(binary.AppendUvarint(nil, uint64(n))) }
