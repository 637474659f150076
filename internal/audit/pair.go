package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// pair is a gateway and a service behind it whose logs hold the same requests.
type pair struct{ gateway, service string }

// byID calls f with the answers of each identified request.
func (w *world) byID(f func(answers []mem.Answer)) {
	all := w.in.Store.Answers()
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].ID == all[from].ID {
			to++
		}
		f(all[from:to])
		from = to
	}
}

// pairUp finds out which logs hold the same requests, who of two stands in front, and notes the changes of status between them.
// A pair without shared ids is compared by route and minute.
func (w *world) pairUp() {
	later := map[pair]int{} // how often the first finished a shared request after the second, less how often before
	w.byID(func(answers []mem.Answer) {
		for i := range answers {
			for k := range answers {
				if a, b := &answers[i], &answers[k]; a.By.Observer != b.By.Observer && sameRequest(a.By, b.By) {
					later[pair{a.By.Observer, b.By.Observer}] += cmp.Compare(a.Time, b.Time)
				}
			}
		}
	})
	front := map[pair]bool{}
	for p := range later {
		if w.inFront(p.gateway, p.service, later[p]) {
			front[p] = true
			w.shared = append(w.shared, p)
		}
	}
	slices.SortFunc(w.shared, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.gateway, b.gateway), cmp.Compare(a.service, b.service))
	})
	w.mapByID(front)
	w.mapByMinute(later)
}

// sameRequest reports whether two logs write of one request passed on, not of a request and the call that it caused: method
// and path are the same, or the gateway took a prefix off.
func sameRequest(a, b *mem.Answerer) bool {
	return a.Method == b.Method && (strings.HasSuffix(a.Route, b.Route) || strings.HasSuffix(b.Route, a.Route))
}

// inFront reports whether a passes requests on to b: it names upstreams and b does not, or is a proxy by its log's format, or
// finishes later, as whoever waits for another does.
func (w *world) inFront(a, b string, later int) bool {
	pa, pb := w.proxy(a), w.proxy(b)
	switch {
	case pa != pb:
		return pa
	case later != 0:
		return later > 0
	}
	return a < b
}

// proxy reports whether a service passes requests on.
func (w *world) proxy(service string) bool {
	return w.kinds[service] == inquest.KindProxy || w.proxies[service]
}

// mapByID notes the changes of status between two logs that share ids, where the gateway's own record does not tell them.
func (w *world) mapByID(front map[pair]bool) {
	told := w.tellsUpstream()
	failures := map[uint64]*mem.Failure{}
	for i := range w.in.Store.Failures() {
		f := &w.in.Store.Failures()[i]
		failures[f.ID] = f
	}
	w.byID(func(answers []mem.Answer) {
		for i := range answers {
			g := &answers[i]
			var last *mem.Answer // of several attempts the last one was passed on
			for k := range answers {
				s := &answers[k]
				if front[pair{g.By.Observer, s.By.Observer}] && sameRequest(g.By, s.By) && (last == nil || s.Time >= last.Time) {
					last = s
				}
			}
			if last == nil || told[g.By.Observer] {
				continue
			}
			up, final := int(last.Status), int(g.Status)
			if up == final || final == 499 || final < 100 || up < 400 && final < 400 {
				continue
			}
			w.changed(g, mapped{up, final, inquest.ByID}, last.By.Observer, failures[g.ID])
		}
	})
}

// changed counts one change of status seen in two logs.
func (w *world) changed(g *mem.Answer, m mapped, service string, f *mem.Failure) {
	name := strings.TrimSpace(g.By.Method + " " + g.By.Route)
	t := w.tallies.get(tallyKey{service: g.By.Observer, route: name, mapped: m})
	t.at(g.Time, 1)
	if f == nil || !t.wants(f.File, f.Line) {
		return
	}
	t.keep(example{file: f.File, line: f.Line, time: f.Time, text: fmt.Sprintf("%s %s: %s answered %d, %s answered %d; request id %s",
		f.Method, cut(f.URL, 200), service, m.upstream, g.By.Observer, m.status, cut(f.RequestID, 64))})
}

// tellsUpstream says of which services the records hold the upstream's status, so that no second log is needed.
func (w *world) tellsUpstream() map[string]bool {
	out := map[string]bool{}
	for k := range w.tallies.by {
		if k.mapped.basis == inquest.ByLine {
			out[k.service] = true
		}
	}
	for i := range w.in.Store.Failures() {
		if f := &w.in.Store.Failures()[i]; f.UpstreamStatus != "" {
			out[f.Observer] = true
		}
	}
	return out
}

// retriedByID finds requests that one gateway answered once and a service behind it answered more than once.
func (w *world) retriedByID() {
	front := map[pair]bool{}
	for _, p := range w.shared {
		front[p] = true
	}
	w.byID(func(answers []mem.Answer) {
		for i := range answers {
			g := &answers[i]
			if idempotent(g.By.Method) || slices.ContainsFunc(answers, func(a mem.Answer) bool { return a != *g && a.By.Observer == g.By.Observer }) {
				continue // answered twice: the client sent it twice
			}
			n, first := 0, ""
			for k := range answers {
				if s := &answers[k]; front[pair{g.By.Observer, s.By.Observer}] && sameRequest(g.By, s.By) {
					n++
					first = s.By.Observer
				}
			}
			if n < 2 {
				continue
			}
			name := strings.TrimSpace(g.By.Method + " " + g.By.Route)
			w.tallies.get(tallyKey{service: g.By.Observer, route: name, rule: "retry/non-idempotent", detail: fmt.Sprintf("%s was sent the same request %d times", first, n)}).at(g.Time, 1)
		}
	})
}
