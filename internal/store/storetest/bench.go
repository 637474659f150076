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
	const stored = 100_000
	var next atomic.Int64
	entry := func() store.Record {
		n := next.Add(1)
		return store.Record{Kind: "entry", ID: fmt.Sprintf("INC-20261129-%04d/%08d", n/100, n), Parent: fmt.Sprintf("INC-20261129-%04d", n/100),
			State: []string{"", "due", "sent"}[min(2, n%1000)], Time: noon.Add(time.Duration(n) * time.Second), Body: []byte(`{"text":"` + strings.Repeat("x", 400) + `"}`)}
	}
	entries := func(n int) []store.Record {
		out := make([]store.Record, n)
		for i := range out {
			out[i] = entry()
		}
		return out
	}
	for range stored / 1000 {
		if err := s.Put(b.Context(), entries(1000)...); err != nil {
			b.Fatal(err)
		}
	}
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("Put/new/%d", n), func(b *testing.B) {
			for b.Loop() {
				if err := s.Put(b.Context(), entries(n)...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Put/new/1/8 writers", func(b *testing.B) {
		b.SetParallelism(4) // of two processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := s.Put(b.Context(), entry()); err != nil {
					b.Error(err)
				}
			}
		})
	})
	middle := noon.Add(stored / 2 * time.Second)
	for name, q := range map[string]store.Query{
		"List/1000 from the middle":   {From: middle},
		"List/100 newest":             {Newest: true, Limit: 100},
		"List/100 of one parent":      {Parent: "INC-20261129-0500"},
		"List/100 of a rare state":    {State: "due", Limit: 100},
		"List/100 behind a cursor":    {After: store.Cursor{Time: middle, ID: "INC"}, Limit: 100},
		"List/none of a common state": {State: "sent", From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)},
	} {
		q.Kind = "entry"
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.List(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("change one", func(b *testing.B) {
		rec, err := s.Get(b.Context(), "entry", "INC-20261129-0500/00050000")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if rec, err = s.Get(b.Context(), rec.Kind, rec.ID); err != nil {
				b.Fatal(err)
			}
			if err := s.Put(b.Context(), rec); err != nil {
				b.Fatal(err)
			}
		}
	})
}
