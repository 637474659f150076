package policy

import "time"

// steps is in how many parts a window moves on: a tenth of the window is forgotten at a time, so that one bad second
// does not leave at once with all that was counted beside it.
const steps = 10

// window counts outcomes over the latest stretch of time. It is not safe for concurrent use.
type window struct {
	step    int64 // nanoseconds
	current int64 // number of the step that buckets[current%steps] holds
	buckets [steps]struct{ failed, total int }
	failed  int
	total   int
}

func newWindow(length time.Duration) *window {
	return &window{step: max(1, int64(length)/steps)}
}

// add counts one outcome at now, in nanoseconds since any start, and returns the sums over the window.
func (w *window) add(now int64, failed bool) (failures, total int) {
	w.forget(now / w.step)
	b := &w.buckets[w.current%steps]
	b.total++
	w.total++
	if failed {
		b.failed++
		w.failed++
	}
	return w.failed, w.total
}

// forget moves on to the given step and drops the buckets that have left the window.
func (w *window) forget(step int64) {
	if step-w.current >= steps {
		w.clear()
		w.current = step
		return
	}
	for ; w.current < step; w.current++ {
		b := &w.buckets[(w.current+1)%steps]
		w.failed -= b.failed
		w.total -= b.total
		b.failed, b.total = 0, 0
	}
}

func (w *window) clear() {
	*w = window{step: w.step, current: w.current}
}
