package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

func restrictions(t *testing.T, s Store) {
	var all []store.Record
	for _, kind := range []string{"incident", "entry"} {
		for i, parent := range []string{"", "p", "q"} {
			for j, state := range []string{"", "open", "resolved"} {
				rec := record(kind, parent+"/"+state, noon.Add(time.Duration(3*i+j)*time.Minute))
				rec.Parent, rec.State = parent, state
				all = append(all, rec)
			}
		}
	}
	put(t, s, all...)
	m := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for _, c := range []struct {
		name string
		q    store.Query
		want []string
	}{
		{"kind alone", store.Query{}, []string{"/", "/open", "/resolved", "p/", "p/open", "p/resolved", "q/", "q/open", "q/resolved"}},
		{"parent", store.Query{Parent: "p"}, []string{"p/", "p/open", "p/resolved"}},
		{"state", store.Query{State: "open"}, []string{"/open", "p/open", "q/open"}},
		{"parent and state", store.Query{Parent: "q", State: "open"}, []string{"q/open"}},
		{"nobody's parent", store.Query{Parent: "P"}, []string{}},
		{"nobody's state", store.Query{State: "Open"}, []string{}},
		{"From is inclusive", store.Query{From: m(7)}, []string{"q/open", "q/resolved"}},
		{"From a microsecond later", store.Query{From: m(7).Add(time.Microsecond)}, []string{"q/resolved"}},
		{"To is exclusive", store.Query{To: m(1)}, []string{"/"}},
		{"To a microsecond later", store.Query{To: m(1).Add(time.Microsecond)}, []string{"/", "/open"}},
		{"a window that is empty", store.Query{From: m(3), To: m(3)}, []string{}},
		{"a window the wrong way round", store.Query{From: m(5), To: m(3)}, []string{}},
		{"window, state, newest, limit", store.Query{From: m(1), To: m(7), State: "open", Newest: true, Limit: 1}, []string{"p/open"}},
		{"all at once, behind a record", store.Query{Parent: "p", From: m(3), To: m(6), After: store.Cursor{Time: m(3), ID: "p/"}, Limit: 5}, []string{"p/open", "p/resolved"}},
	} {
		for _, kind := range []string{"incident", "entry"} {
			c.q.Kind = kind
			if got := ids(t, s, c.q); !slices.Equal(c.want, got) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func order(t *testing.T, s Store) {
	put(t, s, record("a", "3", noon), record("a", "1", noon.Add(time.Second)), record("a", "2", noon), record("a", "0", noon.Add(time.Second)))
	want := []string{"2", "3", "0", "1"}
	same(t, want, ids(t, s, store.Query{Kind: "a"}))
	slices.Reverse(want)
	same(t, want, ids(t, s, store.Query{Kind: "a", Newest: true}))
	// A change of its time moves a record.
	moved := get(t, s, "a", "2")
	moved.Time = noon.Add(time.Hour)
	put(t, s, moved)
	same(t, []string{"3", "0", "1", "2"}, ids(t, s, store.Query{Kind: "a"}))
}

func pages(t *testing.T, s Store) {
	var want []string
	var batch []store.Record
	for i := range 100 {
		rec := record("entry", fmt.Sprintf("%03d", (i*37)%100), noon.Add(time.Duration(i/40)*time.Microsecond)) // 40, 40 and 20 at one time
		batch = append(batch, rec)
	}
	put(t, s, batch...)
	slices.SortFunc(batch, func(a, b store.Record) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	for _, rec := range batch {
		want = append(want, rec.ID)
	}
	for _, newest := range []bool{false, true} {
		for _, limit := range []int{1, 3, 40, 99, 100, 101} {
			var got []string
			q := store.Query{Kind: "entry", Newest: newest, Limit: limit}
			for {
				page := list(t, s, q)
				for _, rec := range page {
					got = append(got, rec.ID)
				}
				if len(page) < limit {
					break
				}
				last := page[len(page)-1]
				q.After = store.Cursor{Time: last.Time, ID: last.ID}
			}
			if !slices.Equal(want, got) {
				t.Errorf("newest %v, %d a page: %q, want %q", newest, limit, got, want)
			}
		}
		slices.Reverse(want)
	}
	// A cursor need not be at a record, and survives the one that it was at.
	same(t, want[40:42], ids(t, s, store.Query{Kind: "entry", Limit: 2, After: store.Cursor{Time: noon, ID: "zzz"}}))
	same(t, want[40:42], ids(t, s, store.Query{Kind: "entry", Limit: 2, After: store.Cursor{Time: noon.Add(time.Microsecond)}}))
}

func pagesUnderWriting(t *testing.T, s Store) {
	put(t, s, numbered("entry", 300)...)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { // others come between those that are read, and behind them
		for i := 0; ctx.Err() == nil; i++ {
			rec := record("entry", fmt.Sprintf("new %d", i), noon.Add(time.Duration(i%400)*time.Second))
			if err := s.Put(ctx, rec); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	seen := map[string]int{}
	q := store.Query{Kind: "entry", Limit: 7, To: noon.Add(300 * time.Second)}
	for {
		page := list(t, s, q)
		for _, rec := range page {
			seen[rec.ID]++
			q.After = store.Cursor{Time: rec.Time, ID: rec.ID}
		}
		if len(page) < q.Limit {
			break
		}
	}
	cancel()
	wg.Wait()
	for i := range 300 {
		if n := seen[fmt.Sprintf("%06d", i)]; n != 1 {
			t.Errorf("record %d was listed %d times", i, n)
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was listed %d times", id, n)
		}
	}
}

func defaultLimit(t *testing.T, s Store) {
	put(t, s, numbered("entry", 1001)...)
	same(t, 1000, len(list(t, s, store.Query{Kind: "entry"})))
	same(t, 1001, len(list(t, s, store.Query{Kind: "entry", Limit: 5000})))
	same(t, "001000", ids(t, s, store.Query{Kind: "entry", Newest: true})[0])
}

func badQueries(t *testing.T, s Store) {
	for name, q := range map[string]store.Query{
		"no kind":          {},
		"a bad kind":       {Kind: "a b"},
		"a bad state":      {Kind: "a", State: "\x00"},
		"a negative limit": {Kind: "a", Limit: -1},
	} {
		if got, err := s.List(t.Context(), q); err == nil || got != nil {
			t.Errorf("%s: %v, %v, want an error", name, got, err)
		}
	}
	if _, err := s.Get(t.Context(), "", "a"); err == nil {
		t.Error("Get without a kind: no error")
	}
}

func deletes(t *testing.T, s Store) {
	put(t, s, numbered("pattern", 10)...)
	put(t, s, numbered("incident", 10)...)
	for _, c := range []struct {
		before time.Time
		want   int
		left   int
	}{
		{noon, 0, 10},
		{noon.Add(time.Microsecond), 1, 9},
		{noon.Add(4 * time.Second), 3, 6},
		{noon.Add(4 * time.Second), 0, 6},
		{noon.Add(time.Hour), 6, 0},
	} {
		n, err := s.Delete(t.Context(), "pattern", c.before)
		if err != nil || n != c.want {
			t.Errorf("Delete before %s: %d, %v, want %d", c.before, n, err, c.want)
		}
		same(t, c.left, len(list(t, s, store.Query{Kind: "pattern"})))
	}
	same(t, 10, len(list(t, s, store.Query{Kind: "incident"})))
	if _, err := s.Delete(t.Context(), "", noon); err == nil {
		t.Error("Delete without a kind: no error")
	}
}

func deletesMany(t *testing.T, s Store) {
	put(t, s, numbered("pattern", 5003)...)
	n, err := s.Delete(t.Context(), "pattern", noon.Add(5001*time.Second))
	if err != nil || n != 5001 {
		t.Errorf("Delete: %d, %v, want 5001", n, err)
	}
	same(t, []string{"005001", "005002"}, ids(t, s, store.Query{Kind: "pattern"}))
}
