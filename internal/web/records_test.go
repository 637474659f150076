package web_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// records is a store in memory, with versions as the real ones.
type records struct {
	mu  sync.Mutex
	all map[string]store.Record // by kind/id
}

func (m *records) Get(_ context.Context, kind, id string) (store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.all[kind+"/"+id]
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return r, nil
}

func (m *records) Put(_ context.Context, rs ...store.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range rs {
		if m.all[r.Kind+"/"+r.ID].Version != r.Version {
			return store.ErrConflict
		}
	}
	for _, r := range rs {
		r.Version++
		m.all[r.Kind+"/"+r.ID] = r
	}
	return nil
}

func (m *records) List(_ context.Context, q store.Query) ([]store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Record
	compare := func(a, b store.Record) int {
		c := cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
		if q.Newest {
			return -c
		}
		return c
	}
	for _, r := range m.all {
		after := store.Record{Time: q.After.Time, ID: q.After.ID}
		if r.Kind == q.Kind && (q.State == "" || r.State == q.State) && (q.Parent == "" || r.Parent == q.Parent) &&
			(q.After == store.Cursor{} || compare(after, r) < 0) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, compare)
	if n := cmp.Or(q.Limit, 1000); len(out) > n {
		out = out[:n]
	}
	return out, nil
}

// put writes a document as the room that owns its kind would.
func (m *records) put(kind, id, parent string, at time.Time, body any) {
	m.putAs("", kind, id, parent, at, body)
}

func (m *records) putAs(state, kind, id, parent string, at time.Time, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	if err := m.Put(context.Background(), store.Record{Kind: kind, ID: id, Parent: parent, State: state, Time: at.UTC(), Body: b}); err != nil {
		panic(err)
	}
}
