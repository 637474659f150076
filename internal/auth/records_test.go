package auth_test

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/inquesthq/inquest/internal/store"
)

// records is a store in memory, with versions as the real ones.
type records struct {
	mu   sync.Mutex
	all  map[string]store.Record // by kind/id
	fail error                   // of every Put, when set
	gets int
}

func (m *records) Get(_ context.Context, kind, id string) (store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gets++
	r, ok := m.all[kind+"/"+id]
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return r, nil
}

func (m *records) Put(_ context.Context, rs ...store.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, r := range rs {
		if m.all[r.Kind+"/"+r.ID].Version != r.Version {
			return store.ErrConflict
		}
	}
	for _, r := range rs {
		r.Version++
		if m.all == nil {
			m.all = map[string]store.Record{}
		}
		m.all[r.Kind+"/"+r.ID] = r
	}
	return nil
}

func (m *records) List(_ context.Context, q store.Query) ([]store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Record
	for _, r := range m.all {
		if r.Kind == q.Kind && (q.State == "" || r.State == q.State) && (q.Parent == "" || r.Parent == q.Parent) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b store.Record) int {
		c := cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
		if q.Newest {
			return -c
		}
		return c
	})
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}
