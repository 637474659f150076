package main

import "testing"

func TestTheMemoryLimitGivesWayToWhatMustBeHeld(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name              string
		live, limit, want int64
	}{
		{"little is held", 20 * mib, softLimit, softLimit},
		{"up to what leaves room to work", 48 * mib, softLimit, softLimit},
		{"more than the limit", 80 * mib, softLimit, 95 * mib},
		{"less than before: what was needed once is needed again", 20 * mib, 95 * mib, 95 * mib},
	} {
		if got := limitFor(c.live, c.limit); got != c.want {
			t.Errorf("%s: %d MiB, want %d", c.name, got/mib, c.want/mib)
		}
	}
}
