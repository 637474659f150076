package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func lead(t *testing.T, s Store, task, holder string, ttl time.Duration) bool {
	t.Helper()
	ok, err := s.Lead(t.Context(), task, holder, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func leading(t *testing.T, s Store) {
	const ttl = 1500 * time.Millisecond
	if !lead(t, s, "detect", "a", time.Minute) || lead(t, s, "detect", "b", ttl) || !lead(t, s, "detect", "a", ttl) {
		t.Fatal("the first one leads, the second one does not, and the first one may go on")
	}
	began := time.Now()
	for !lead(t, s, "detect", "b", time.Minute) { // a is dead: it renews nothing
		if time.Since(began) > ttl+10*time.Second {
			t.Fatalf("nobody leads after %s", time.Since(began))
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(began); took < ttl/2 {
		t.Errorf("the lease was lost after %s of %s", took, ttl)
	}
	if lead(t, s, "detect", "a", time.Minute) {
		t.Error("the old leader came back beside the new one")
	}
}

func oneLeader(t *testing.T, s Store) {
	for round := range 20 {
		var leaders atomic.Int32
		together(writers, func(i int) {
			if ok, err := s.Lead(t.Context(), fmt.Sprintf("task%d", round), fmt.Sprintf("server %d", i), time.Minute); err != nil {
				t.Error(err)
			} else if ok {
				leaders.Add(1)
			}
		})
		same(t, int32(1), leaders.Load())
	}
}

func tasks(t *testing.T, s Store) {
	if !lead(t, s, "detect", "a", time.Minute) || !lead(t, s, "notify", "b", time.Minute) || lead(t, s, "notify", "a", time.Minute) {
		t.Error("each task has a leader of its own")
	}
	for name, try := range map[string]func() (bool, error){
		"no task":   func() (bool, error) { return s.Lead(t.Context(), "", "a", time.Minute) },
		"no holder": func() (bool, error) { return s.Lead(t.Context(), "free", "", time.Minute) },
		"no time":   func() (bool, error) { return s.Lead(t.Context(), "free", "a", 0) },
	} {
		if ok, err := try(); ok || err == nil {
			t.Errorf("%s: %v, %v, want an error", name, ok, err)
		}
	}
	if !lead(t, s, "free", "\xff\x00'", time.Minute) || lead(t, s, "free", "c", time.Minute) {
		t.Error("a holder may have any name")
	}
}
