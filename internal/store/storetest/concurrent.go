package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

const writers = 8

// together runs f in several goroutines and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func oneCreator(t *testing.T, s Store) {
	for round := range 10 {
		var made, met atomic.Int32
		id := fmt.Sprintf("INC/opened %d/slack", round)
		together(writers, func(i int) {
			rec := record("notice", id, noon)
			rec.Body = []byte(strconv.Itoa(i))
			switch err := s.Put(t.Context(), rec, record("entry", fmt.Sprintf("%d by %d", round, i), noon)); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, store.ErrConflict):
				met.Add(1)
			default:
				t.Error(err)
			}
		})
		if made.Load() != 1 || met.Load() != writers-1 {
			t.Errorf("%d writers made the record, %d met a conflict", made.Load(), met.Load())
		}
		same(t, round+1, len(list(t, s, store.Query{Kind: "entry"}))) // the losers' other records are not there
	}
}

func counter(t *testing.T, s Store) {
	const times = 15
	rec := record("roster", "n", noon)
	rec.Body = []byte("0")
	put(t, s, rec)
	together(writers, func(i int) {
		for range times {
			err := update(t.Context(), s, "roster", "n", func(r *store.Record) {
				n, err := strconv.Atoi(string(r.Body))
				if err != nil {
					t.Error(err)
				}
				r.Body = []byte(strconv.Itoa(n + 1))
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	got := get(t, s, "roster", "n")
	same(t, strconv.Itoa(writers*times), string(got.Body))
	same(t, int64(1+writers*times), got.Version)
}

// crossing is what would stop in a circle if each writer locked records as they come.
func crossing(t *testing.T, s Store) {
	const records, rounds = 12, 25
	put(t, s, numbered("incident", records)...)
	var done atomic.Int64
	together(writers, func(i int) {
		for round := range rounds {
			batch := []store.Record{record("entry", fmt.Sprintf("%d/%d", i, round), noon), record("notice", fmt.Sprint(rand.IntN(6), "/", round), noon)}
			for _, n := range rand.Perm(records)[:5] {
				rec, err := s.Get(t.Context(), "incident", fmt.Sprintf("%06d", n))
				if err != nil {
					t.Error(err)
					return
				}
				batch = append(batch, rec)
			}
			rand.Shuffle(len(batch), func(a, b int) { batch[a], batch[b] = batch[b], batch[a] })
			err := s.Put(t.Context(), batch...)
			if err == nil {
				done.Add(1)
			} else if !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		}
	})
	var versions int64
	for _, rec := range list(t, s, store.Query{Kind: "incident"}) {
		versions += rec.Version - 1
	}
	if done.Load() == 0 || versions != 5*done.Load() {
		t.Errorf("%d Puts of 5 records went through, and the versions rose by %d in all", done.Load(), versions)
	}
	same(t, int(done.Load()), len(list(t, s, store.Query{Kind: "entry"})))
}

func snapshots(t *testing.T, s Store) {
	put(t, s, numbered("incident", 20)...)
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			batch, err := s.List(ctx, store.Query{Kind: "incident"})
			if err == nil {
				for j := range batch {
					batch[j].Body = []byte(strconv.Itoa(i))
				}
				err = s.Put(ctx, batch...)
			}
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	together(4, func(int) {
		for range 25 {
			got, err := s.List(t.Context(), store.Query{Kind: "incident"})
			if err != nil || len(got) != 20 {
				t.Errorf("%d records, %v", len(got), err)
				return
			}
			for _, rec := range got {
				if string(rec.Body) != string(got[0].Body) || rec.Version != got[0].Version {
					t.Errorf("half a Put was seen: %s at version %d beside %s at version %d", rec.Body, rec.Version, got[0].Body, got[0].Version)
					return
				}
			}
		}
	})
	cancel()
	writer.Wait()
}

func deleteWhileWriting(t *testing.T, s Store) {
	put(t, s, numbered("pattern", 400)...)
	var stop atomic.Bool // not a context: a database may hold the locks of a call that was cut off for a moment longer
	var writer sync.WaitGroup
	writer.Go(func() {
		for !stop.Load() {
			batch, err := s.List(t.Context(), store.Query{Kind: "pattern", Limit: 50, Newest: true})
			if err == nil {
				err = s.Put(t.Context(), batch...)
			}
			if err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
				return
			}
		}
	})
	all := 0
	for i := range 40 {
		n, err := s.Delete(t.Context(), "pattern", noon.Add(time.Duration(10*i)*time.Second))
		if err != nil {
			t.Error(err)
		}
		all += n
	}
	stop.Store(true)
	writer.Wait()
	n, err := s.Delete(t.Context(), "pattern", noon.Add(time.Hour)) // also those that were being changed
	if err != nil || all+n != 400 {
		t.Errorf("%d and then %d records were deleted of 400 (%v)", all, n, err)
	}
}
