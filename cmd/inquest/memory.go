package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/inquesthq/inquest/internal/resident"
)

// softLimit is what the process may hold before collections come more often, in bytes: with the pages of the program itself it
// stays below 100 MB as long as the live data do (docs/performance.md says for which logs they do not).
const softLimit = 68 << 20

// atStart and later are by how much of its live data the heap grows between collections, in percent: at the start, that nothing is
// collected below 16 MB, where most runs are over, and then.
const atStart, later = 400, 100

// saveMemory sets how much memory the process may take: logs of any size are to be read on small machines, next to what failed.
// Where the data themselves need more than the limit, it gives way, for collecting over and over frees nothing.
func saveMemory() {
	resident.ForgetStart()
	resident.HugeHeap(softLimit)
	debug.SetGCPercent(atStart)
	debug.SetMemoryLimit(softLimit)
	go func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		limit := int64(softLimit)
		time.Sleep(200 * time.Millisecond)
		if was := debug.SetGCPercent(later); was != atStart {
			debug.SetGCPercent(was) // the command has chosen for itself, as the gateway does
		}
		for range time.Tick(200 * time.Millisecond) {
			metrics.Read(live)
			if next := limitFor(int64(live[0].Value.Uint64()), limit); next != limit {
				limit = next
				debug.SetMemoryLimit(limit)
			}
		}
	}()
}

// limitFor is the limit for so many bytes of live data: an eighth above them, and what is not heap, is left to work with. It never
// falls.
func limitFor(live, limit int64) int64 {
	return max(limit, live+live/8+5<<20)
}
