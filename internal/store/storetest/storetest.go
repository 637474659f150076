// Package storetest is the suite that every implementation of store.Records, store.Keeper and store.Leaders passes: what is written here is what the
// contracts in internal/store mean. Nothing but tests imports it.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/store"
)

// Store is what an implementation implements.
type Store interface {
	store.Records
	store.Keeper
	store.Leaders
}

// Run runs the suite. open returns an empty store, whose end it sees to; it is called once for each subtest.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"a record comes back as it was written", roundTrip},
		{"what was never written is not found", notFound},
		{"a new version replaces the one that its writer has read, and no other", versions},
		{"a record that was deleted is not brought back by its writer", noResurrection},
		{"Put writes all of its records or none", allOrNone},
		{"Put refuses what it could not keep, and writes nothing", refused},
		{"Put of nothing does nothing", putNothing},
		{"many records of several kinds in one Put", manyInOnePut},
		{"times are kept to the microsecond, in UTC", times},
		{"bodies of many megabytes", bigBodies},
		{"ids and parents may hold any bytes", hostileIDs},
		{"List restricts by every field of the query", restrictions},
		{"List goes by time and id, from either end", order},
		{"pages give each record once, also where all times are equal", pages},
		{"pages go on while others write", pagesUnderWriting},
		{"List without a limit gives a thousand", defaultLimit},
		{"List refuses a query that means nothing", badQueries},
		{"Delete removes what is older, of one kind", deletes},
		{"Delete of many thousand", deletesMany},
		{"one of many writers makes a record", oneCreator},
		{"no change of many writers is lost", counter},
		{"writers of many records in different orders do not stop each other", crossing},
		{"readers see a Put whole or not at all", snapshots},
		{"Delete and Put at once", deleteWhileWriting},
		{"a context that has ended ends the call, and nothing was written", cancelled},
		{"one holder leads, until it lets go", leading},
		{"one of many leads", oneLeader},
		{"tasks are led apart, and bad leases are refused", tasks},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// noon is when everything in this suite happens.
var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func record(kind, id string, at time.Time) store.Record {
	return store.Record{Kind: kind, ID: id, Time: at, Body: []byte(`{"id":"` + kind + `"}`)}
}

func numbered(kind string, n int) []store.Record {
	out := make([]store.Record, n)
	for i := range out {
		out[i] = record(kind, fmt.Sprintf("%06d", i), noon.Add(time.Duration(i)*time.Second))
	}
	return out
}

func put(t *testing.T, s Store, records ...store.Record) {
	t.Helper()
	if err := s.Put(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s Store, kind, id string) store.Record {
	t.Helper()
	rec, err := s.Get(t.Context(), kind, id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func list(t *testing.T, s Store, q store.Query) []store.Record {
	t.Helper()
	out, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ids of what List gives.
func ids(t *testing.T, s Store, q store.Query) []string {
	t.Helper()
	out := []string{}
	for _, rec := range list(t, s, q) {
		out = append(out, rec.ID)
	}
	return out
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// update changes a record until nobody else was faster.
func update(ctx context.Context, s Store, kind, id string, change func(*store.Record)) error {
	for {
		rec, err := s.Get(ctx, kind, id)
		if err != nil {
			return err
		}
		change(&rec)
		if err := s.Put(ctx, rec); !isConflict(err) {
			return err
		}
	}
}
