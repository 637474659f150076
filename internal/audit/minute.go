package audit

import (
	"maps"
	"math"
	"slices"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

const minute = int64(60e9)

// mapByMinute compares a gateway and a service whose logs share no ids, route by route and minute by minute: where the service
// answered some status more often than the gateway passed on, and the gateway another one more often than the service gave,
// the one became the other. It is told apart from what was counted request by request.
func (w *world) mapByMinute(shared map[pair]int) {
	told := w.tellsUpstream()
	services := map[string][]*mem.Stream{} // by route
	for _, s := range w.in.Store.Streams() {
		if !w.proxy(s.Observer) {
			services[s.Name()] = append(services[s.Name()], s)
		}
	}
	for _, g := range w.in.Store.Streams() {
		if !w.proxy(g.Observer) || told[g.Observer] || g.Method == "" {
			continue
		}
		behind := services[g.Name()]
		if len(behind) != 1 { // nobody, or several: who answered which request cannot be told
			continue
		}
		s := behind[0]
		if _, ids := shared[pair{g.Observer, s.Observer}]; ids || !sameTraffic(total(g), total(s)) {
			continue
		}
		w.compareMinutes(g, s)
	}
}

// sameTraffic reports whether two counts can be of the same requests: within a tenth, which the ends of recordings and requests
// that never reached the service account for.
func sameTraffic(a, b int) bool { return math.Abs(float64(a-b)) <= 0.1*float64(max(a, b)) }

func (w *world) compareMinutes(g, s *mem.Stream) {
	counts := map[mapped]*tally{}
	gateway, service := statuses(g), statuses(s)
	for _, m := range slices.Sorted(maps.Keys(service.minutes)) {
		from, to := surplus(service, gateway, m), surplus(gateway, service, m)
		if len(from) != 1 || len(to) != 1 { // several became several: which became which cannot be told
			continue
		}
		k := mapped{from[0].status, to[0].status, inquest.ByMinute}
		if k.status == 499 {
			continue
		}
		if counts[k] == nil {
			counts[k] = &tally{}
		}
		counts[k].at(m*minute, min(from[0].n, to[0].n))
	}
	for k, t := range counts {
		if t.count >= minEstimate {
			w.tallies.get(tallyKey{service: g.Observer, route: g.Name(), mapped: k}).merge(t)
		}
	}
}

// minEstimate is how many requests must seem to have changed: requests that end on either side of a full minute look the same.
const minEstimate = 5

// well stands for all answers below 400.
const well = 200

// byMinute counts by minutes since 1970. What a histogram that had to widen counts over several minutes counts for the first.
type byMinute map[int64]int

func (b byMinute) add(h *stat.Histogram) {
	for start, n := range h.Buckets() {
		b[start/minute] += int(n)
	}
}

// wellByMinute counts a stream's answers below 400.
func wellByMinute(s *mem.Stream) byMinute {
	out := byMinute{}
	out.add(&s.Requests)
	for i := range s.Status {
		if s.Status[i].Status >= 400 {
			for start, n := range s.Status[i].Times.Buckets() {
				out[start/minute] -= int(n)
			}
		}
	}
	maps.DeleteFunc(out, func(_ int64, n int) bool { return n <= 0 })
	return out
}

// answers counts a stream's answers by status and minute.
type answers struct {
	minutes byMinute // all
	by      map[int]byMinute
}

func statuses(s *mem.Stream) answers {
	out := answers{byMinute{}, map[int]byMinute{well: wellByMinute(s)}}
	out.minutes.add(&s.Requests)
	for i := range s.Status {
		if c := &s.Status[i]; c.Status >= 400 {
			out.by[c.Status] = byMinute{}
			out.by[c.Status].add(&c.Times)
		}
	}
	return out
}

type excess struct{ status, n int }

// surplus is what a answered more often than b in a minute; differences of a twentieth are the borders of minutes.
func surplus(a, b answers, m int64) []excess {
	var out []excess
	for status, by := range a.by {
		if d := by[m] - b.by[status][m]; d > 0 && float64(d) > 0.05*float64(by[m]) {
			out = append(out, excess{status, d})
		}
	}
	return out
}
