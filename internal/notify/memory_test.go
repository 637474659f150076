package notify_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// memory is store.Records in memory, for tests in a bubble of virtual time.
type memory struct {
	mu      sync.Mutex
	records map[[2]string]store.Record
	puts    int
	fail    func(records []store.Record) error // asked before each Put
}

func newMemory() *memory { return &memory{records: map[[2]string]store.Record{}} }

func (m *memory) Get(_ context.Context, kind, id string) (store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[[2]string{kind, id}]
	if !ok {
		return r, store.ErrNotFound
	}
	r.Body = slices.Clone(r.Body)
	return r, nil
}

func (m *memory) Put(_ context.Context, records ...store.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(records); err != nil {
			return err
		}
	}
	seen := map[[2]string]bool{}
	for _, r := range records {
		key := [2]string{r.Kind, r.ID}
		if m.records[key].Version != r.Version || seen[key] {
			return store.ErrConflict
		}
		seen[key] = true
	}
	for _, r := range records {
		r.Version++
		r.Time = r.Time.UTC().Truncate(time.Microsecond)
		r.Body = slices.Clone(r.Body)
		m.records[[2]string{r.Kind, r.ID}] = r
	}
	m.puts++
	return nil
}

func (m *memory) List(_ context.Context, q store.Query) ([]store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sign := 1
	if q.Newest {
		sign = -1
	}
	order := func(at time.Time, id string, r store.Record) int {
		return sign * cmp.Or(at.Compare(r.Time), cmp.Compare(id, r.ID))
	}
	var out []store.Record
	for _, r := range m.records {
		if r.Kind == q.Kind && (q.Parent == "" || r.Parent == q.Parent) && (q.State == "" || r.State == q.State) &&
			(q.From.IsZero() || !r.Time.Before(q.From)) && (q.To.IsZero() || r.Time.Before(q.To)) &&
			(q.After == store.Cursor{} || order(q.After.Time, q.After.ID, r) < 0) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b store.Record) int { return order(a.Time, a.ID, b) })
	return out[:min(len(out), cmp.Or(q.Limit, 1000))], nil
}
