package storetest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// Bench measures what the server does most, in a store that holds 100,000 records of the sizes of entries already.
func Bench(b *testing.B, s Store) {
	e := &entries{}
	for range stored / 1000 {
		if err := s.Put(b.Context(), e.next(1000)...); err != nil {
			b.Fatal(err)
		}
	}
	benchPut(b, s, e)
	benchList(b, s)
}

const stored = 100_000

// entries makes records like those of timelines, a hundred an incident.
type entries struct{ n atomic.Int64 }

func (e *entries) next(count int) []store.Record {
	out := make([]store.Record, count)
	for i := range out {
		n := e.n.Add(1)
		out[i] = store.Record{Kind: "entry", ID: fmt.Sprintf("INC-20261129-%04d/%08d", n/100, n), Parent: fmt.Sprintf("INC-20261129-%04d", n/100),
			State: []string{"", "due", "sent"}[min(2, n%1000)], Time: noon.Add(time.Duration(n) * time.Second), Body: []byte(`{"text":"` + strings.Repeat("x", 400) + `"}`)}
	}
	return out
}

func benchPut(b *testing.B, s Store, e *entries) {
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("Put/new/%d", n), func(b *testing.B) {
			for b.Loop() {
				if err := s.Put(b.Context(), e.next(n)...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Put/new/1/4 writers a processor", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := s.Put(b.Context(), e.next(1)...); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("Get and Put/1", func(b *testing.B) {
		for b.Loop() {
			rec, err := s.Get(b.Context(), "entry", "INC-20261129-0500/00050000")
			if err == nil {
				err = s.Put(b.Context(), rec)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchList(b *testing.B, s Store) {
	middle := noon.Add(stored / 2 * time.Second)
	for _, c := range []struct {
		name string
		q    store.Query
	}{
		{"List/1000 from the middle", store.Query{From: middle}},
		{"List/100 newest", store.Query{Newest: true, Limit: 100}},
		{"List/100 of one parent", store.Query{Parent: "INC-20261129-0500"}},
		{"List/100 of a rare state", store.Query{State: "due", Limit: 100}},
		{"List/100 behind a cursor", store.Query{After: store.Cursor{Time: middle, ID: "INC"}, Limit: 100}},
		{"List/none of a common state", store.Query{State: "sent", From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}},
	} {
		c.q.Kind = "entry"
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.List(b.Context(), c.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
