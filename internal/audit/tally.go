package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// maxExamples is how many occurrences of a finding are shown: one to look at, two to see that it was no accident.
const maxExamples = 3

// maxTallies bounds what is counted apart: a scan asks for ten thousand routes, and nobody reads them.
const maxTallies = 2000

// otherRoutes is the route under which the findings of too many routes are counted.
const otherRoutes = "(other)"

// tallyKey is what is counted apart: a rule's detail, or a change of status, on one route.
type tallyKey struct {
	service, route string
	rule, detail   string
	mapped         mapped // zero but for changes of status
}

func (k tallyKey) compare(o tallyKey) int {
	return cmp.Or(cmp.Compare(k.rule, o.rule), cmp.Compare(k.service, o.service), cmp.Compare(k.route, o.route), cmp.Compare(k.detail, o.detail),
		cmp.Compare(k.mapped.upstream, o.mapped.upstream), cmp.Compare(k.mapped.status, o.mapped.status), cmp.Compare(k.mapped.basis, o.mapped.basis))
}

// rank orders keys for eviction: a hash of the route is a fair draw that every division of the input makes alike.
func (k tallyKey) rank() uint64 { return mem.HashID(k.route) }

// tally counts occurrences and keeps the first few by file and line.
type tally struct {
	count    int
	from, to int64
	examples []example
}

type example struct {
	file, line int32
	time       int64
	text       string
}

func (e example) compare(o example) int {
	return cmp.Or(cmp.Compare(e.file, o.file), cmp.Compare(e.line, o.line))
}

// wants reports whether an occurrence at that place would be among the examples, so that others need no text.
func (t *tally) wants(file, line int32) bool {
	if len(t.examples) < maxExamples {
		return true
	}
	return example{file: file, line: line}.compare(t.examples[maxExamples-1]) < 0
}

func (t *tally) keep(e example) {
	i, _ := slices.BinarySearchFunc(t.examples, e, example.compare)
	t.examples = slices.Insert(t.examples, i, e)
	t.examples = t.examples[:min(len(t.examples), maxExamples)]
}

func (t *tally) at(time int64, n int) {
	t.count += n
	if time == 0 {
		return
	}
	if t.from == 0 || time < t.from {
		t.from = time
	}
	t.to = max(t.to, time)
}

func (t *tally) merge(o *tally) {
	t.at(o.from, 0)
	t.at(o.to, o.count)
	for _, e := range o.examples {
		if t.wants(e.file, e.line) {
			t.keep(e)
		}
	}
}

// tallies holds at most maxTallies routes' worth of keys. Those given up are counted under otherRoutes.
type tallies struct {
	by   map[tallyKey]*tally
	last uint64 // keys of a higher rank are given up; 0: none yet
}

func newTallies() tallies { return tallies{by: map[tallyKey]*tally{}} }

func (t *tallies) get(k tallyKey) *tally {
	if t.last != 0 && k.rank() > t.last && k.route != otherRoutes {
		k.route = otherRoutes
	}
	x := t.by[k]
	if x == nil {
		x = &tally{}
		t.by[k] = x
		if len(t.by) > 2*maxTallies {
			t.shrink()
			return t.get(k)
		}
	}
	return x
}

// shrink gives up the keys beyond maxTallies by rank.
func (t *tallies) shrink() {
	ranks := make([]uint64, 0, len(t.by))
	for k := range t.by {
		if k.route != otherRoutes {
			ranks = append(ranks, k.rank())
		}
	}
	if len(ranks) <= maxTallies {
		return
	}
	slices.Sort(ranks)
	t.last = ranks[maxTallies-1]
	for k, x := range t.by {
		if k.route == otherRoutes || k.rank() <= t.last {
			continue
		}
		delete(t.by, k)
		k.route = otherRoutes
		if rest := t.by[k]; rest != nil {
			rest.merge(x)
		} else {
			t.by[k] = x
		}
	}
}

// merge takes over o's counts; unnamed services are called name.
func (t *tallies) merge(o *tallies, name string) {
	for k, x := range o.by {
		k.service = cmp.Or(k.service, name)
		t.get(k).merge(x)
	}
}

func (t *tallies) keys() []tallyKey {
	out := make([]tallyKey, 0, len(t.by))
	for k := range t.by {
		out = append(out, k)
	}
	slices.SortFunc(out, tallyKey.compare)
	return out
}

// instant is the time of Unix nanoseconds, zero for 0.
func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// shown are the examples as the answer holds them; files are numbered in the order of names.
func (w *world) shown(t *tally) []inquest.AuditExample {
	var out []inquest.AuditExample
	for _, e := range t.examples {
		out = append(out, inquest.AuditExample{Source: inquest.Source{File: w.in.Files[e.file].Report.File, Line: int(e.line)}, Time: instant(e.time), Text: e.text})
	}
	return out
}
