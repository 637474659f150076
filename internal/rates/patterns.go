package rates

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Bounds. A service has some hundred patterns; one that has thousands writes values where words should be, and what is beyond the
// bounds counts as its pattern "(other)".
const (
	maxPatterns = 20_000 // of all services, some 700 bytes each
	freshMinute = 100    // new ones of one service in a minute
	forgetAfter = 24 * time.Hour

	// learning is how long all patterns of a service that nobody knows are new because it is new.
	learning = 10 * time.Minute
	// recurs is from which occurrence on a new pattern is counted as one: what happens once in millions of requests is noise. The rule of latent risks has the same figure.
	recurs = 3
	// What a pattern is compared with: the hour before the last five minutes.
	surgeMinutes, baseMinutes, leastBase = 5, 55, 10
)

// Pattern is one kind of log line of one service, as it is stored.
type Pattern struct {
	ID       pattern.ID
	Service  string
	Template string
	Level    inquest.Level
	First    time.Time
	Last     time.Time
	Count    uint64
	New      bool // it appeared when its service had been known for a while
	Surging  bool // it occurs far more often than in the hour before
	Ratio    float64
	Example  Example
}

// Example is one occurrence of a pattern.
type Example struct {
	Time      time.Time
	Text      string
	RequestID string
	File      string // segment of the spool
	Line      int
}

type patternKey struct {
	service string
	id      pattern.ID
}

// Patterns finds kinds of log lines. Not for concurrent use.
type Patterns struct {
	step     time.Duration
	seed     maphash.Seed
	entries  map[patternKey]*entry
	services map[string]*speaker
	texts    [512]seenText
	text     []byte
	minute   int64 // of the last look for surges
	counters map[levelKey]*counted
}

type entry struct {
	Pattern
	key     patternKey
	minutes [surgeMinutes + baseMinutes + 4]uint32 // by minute, a ring
	minute  int64                                  // the last that counts
	state   entryState
	saved   uint64    // count when it was stored last
	asked   time.Time // when it was handed out last
	begun   time.Time // when its first line arrived
	urgent  bool      // something else than the count has changed
	waits   bool      // it is new, and counted as such when it recurs
}

type entryState int

const (
	unasked entryState = iota // nobody has looked whether it is known
	settled
)

// speaker is a service that logs.
type speaker struct {
	since  time.Time // its first line
	known  bool      // from before
	minute int64
	fresh  int // new patterns in the minute
}

type seenText struct {
	hash  uint64
	entry *entry
}

type levelKey struct{ service, level string }

// NewPatterns returns an empty table whose Series is called about every step.
func NewPatterns(step time.Duration) *Patterns {
	return &Patterns{step: step, seed: maphash.MakeSeed(), entries: map[patternKey]*entry{}, services: map[string]*speaker{}, counters: map[levelKey]*counted{}}
}

// Log counts a record under its pattern; one that does not name its writer is writer's. now is when it arrived: rates are of
// arrivals, so that a line with a wrong clock surges no less.
func (p *Patterns) Log(r *parse.Record, writer, file string, now time.Time) {
	if r.Kind == parse.KindAccess && r.Status != 0 && (r.Message == "" && r.Exception == nil || r.Level < inquest.LevelWarn && r.Exception == nil && r.Status < 500) {
		return // a request is counted as one
	}
	if p.text = mem.AppendText(p.text[:0], r); len(p.text) == 0 {
		return
	}
	service := cmp.Or(r.Service, writer)
	e := p.entry(service, r.Level, now)
	e.count(now)
	p.countNew(e)
	if r.Level > e.Level {
		e.Level, e.urgent = r.Level, true
	}
	at := now
	if r.Clock == parse.ClockUTC {
		at = time.Unix(0, r.Time).UTC()
	}
	if e.First.IsZero() || at.Before(e.First) {
		e.First = at
	}
	if at.After(e.Last) {
		e.Last = at
	}
	if e.Example.Text == "" {
		e.Example = Example{Time: at, Text: string(p.text[:min(len(p.text), 1000)]), RequestID: strings.Clone(cmp.Or(r.RequestID, r.TraceID)), File: file, Line: r.Line}
	}
}

// entry finds the entry of p.text. Programs repeat themselves word by word: a small cache saves most of the masking.
func (p *Patterns) entry(service string, level inquest.Level, now time.Time) *entry {
	hash := maphash.Bytes(p.seed, p.text)
	seen := &p.texts[hash%uint64(len(p.texts))]
	if seen.entry != nil && seen.hash == hash && seen.entry.Service == service {
		return seen.entry
	}
	key := patternKey{service, pattern.Hash(p.text)}
	e := p.entries[key]
	if e == nil {
		if e = p.fresh(key, level, now); e.ID != key.id {
			return e // not to be cached: the next minute may have room for it
		}
	}
	*seen = seenText{hash, e}
	return e
}

// fresh makes an entry where the bounds allow it, and returns the one of all others where not.
func (p *Patterns) fresh(key patternKey, level inquest.Level, now time.Time) *entry {
	key.service = strings.Clone(key.service)
	s := p.services[key.service]
	if s == nil {
		if len(p.services) >= maxServices {
			key = patternKey{other, pattern.Other}
		}
		if s = p.services[key.service]; s == nil {
			s = &speaker{since: now}
			p.services[key.service] = s
		}
	}
	if m := now.Unix() / 60; m != s.minute {
		s.minute, s.fresh = m, 0
	}
	if s.fresh++; s.fresh > freshMinute || len(p.entries) >= maxPatterns {
		key.id = pattern.Other
	}
	e := p.entries[key]
	if e == nil {
		e = &entry{key: key, begun: now, Pattern: Pattern{ID: key.id, Service: key.service, Template: other, Level: level}}
		if key.id != pattern.Other {
			e.Template = pattern.Template(p.text)
		}
		p.entries[key] = e
	}
	return e
}

func (e *entry) count(now time.Time) {
	e.Count++
	m := now.Unix() / 60
	switch gap := m - e.minute; {
	case gap >= int64(len(e.minutes)) || gap < -60: // long ago, or the clock was wrong
		clear(e.minutes[:])
		e.minute = m
	case gap > 0:
		for k := e.minute + 1; k <= m; k++ {
			e.minutes[k%int64(len(e.minutes))] = 0
		}
		e.minute = m
	}
	e.minutes[e.minute%int64(len(e.minutes))]++
}

// Due returns the patterns that have news for the store, the most important first, at most so many. What is handed out is not due
// again for a minute (ten, where it is no warning). Those that are Fresh are to be settled.
func (p *Patterns) Due(now time.Time, most int) []Due {
	if m := now.Unix() / 60; m != p.minute {
		p.minute = m
		p.surges(now)
		p.forget(now)
	}
	var due []*entry
	for _, e := range p.entries {
		pause := time.Minute
		if e.Level < inquest.LevelWarn {
			pause = 10 * time.Minute
		}
		if e.state == unasked || e.urgent || e.Count != e.saved && now.Sub(e.asked).Abs() >= pause {
			due = append(due, e)
		}
	}
	slices.SortFunc(due, func(a, b *entry) int {
		return cmp.Or(rank(b)-rank(a), a.asked.Compare(b.asked), cmp.Compare(a.Service, b.Service), cmp.Compare(a.ID, b.ID))
	})
	due = due[:min(len(due), most)]
	out := make([]Due, len(due))
	for i, e := range due {
		e.asked = now
		out[i] = Due{Pattern: e.Pattern, Fresh: e.state == unasked, Delta: e.Count - e.saved, key: e.key}
	}
	return out
}

// rank puts what is new before what is more of the same, and errors before what is none.
func rank(e *entry) int {
	n := int(e.Level)
	if e.state == unasked || e.urgent {
		n += 100
	}
	return n
}

// Due is a pattern that is to be stored.
type Due struct {
	Pattern
	Fresh bool   // the store is to be asked whether it knows it, and Settle to be told
	Delta uint64 // how many of Count the store does not have yet
	key   patternKey
}

// Failed makes a pattern that could not be stored due again at once.
func (p *Patterns) Failed(d Due) {
	if e := p.entries[d.key]; e != nil {
		e.asked = time.Time{}
	}
}

// Settle says whether the store knows a fresh pattern, and whether it knows any of its service: then it is no new service. It returns
// whether the pattern is new; it is counted as such when it recurs. A service that is new itself has nothing but new patterns for a while,
// which is no news.
func (p *Patterns) Settle(d Due, known, serviceKnown bool) (isNew bool) {
	e := p.entries[d.key]
	if e == nil || e.state == settled {
		return false
	}
	s := p.services[e.Service]
	s.known = s.known || serviceKnown
	e.state = settled
	if known || e.ID == pattern.Other || !s.known && e.begun.Sub(s.since) < learning {
		return false
	}
	e.New, e.waits = true, true
	p.countNew(e)
	return true
}

// countNew counts a new pattern as soon as it recurs.
func (p *Patterns) countNew(e *entry) {
	if e.waits && e.Count >= recurs {
		e.waits = false
		p.counter(e.Service, e.Level).value++
	}
}

func (p *Patterns) counter(service string, level inquest.Level) *counted {
	key := levelKey{service, cmp.Or(level.String(), "unknown")}
	c := p.counters[key]
	if c == nil {
		c = &counted{name: "inquest_new_patterns_total", labels: map[string]string{"service": service, "level": key.level}}
		p.counters[key] = c
	}
	return c
}

// Saved says that a pattern was stored.
func (p *Patterns) Saved(d Due) {
	if e := p.entries[d.key]; e != nil {
		e.saved, e.urgent = e.saved+d.Delta, false
	}
}

// Series are the counts of new patterns, as Counter.Series.
func (p *Patterns) Series(now time.Time) []inquest.Series {
	var out []inquest.Series
	for _, c := range p.counters {
		out = c.show(out, now, p.step)
	}
	slices.SortFunc(out, func(a, b inquest.Series) int {
		return cmp.Or(cmp.Compare(a.Labels["service"], b.Labels["service"]), cmp.Compare(a.Labels["level"], b.Labels["level"]))
	})
	return out
}

// setBack moves what was noted by a clock that has been set back by so much since.
func (p *Patterns) setBack(by time.Duration, now time.Time) {
	for _, c := range p.counters {
		c.startOver()
	}
	for _, s := range p.services {
		s.since = s.since.Add(-by)
	}
	for _, e := range p.entries {
		e.begun = e.begun.Add(-by)
		if e.Last.After(now) {
			e.Last = now
		}
	}
}

// surges looks at each pattern of a warning or worse once a minute.
func (p *Patterns) surges(now time.Time) {
	for _, e := range p.entries {
		if e.Level < inquest.LevelWarn && e.Level != inquest.LevelUnknown {
			continue
		}
		surging, ratio := e.surging(now, p.services[e.Service].since)
		if surging != e.Surging {
			e.Surging, e.Ratio, e.urgent = surging, ratio, true
		}
	}
}

// surging compares the last five whole minutes with the up to 55 before them, by the test that the diagnosis uses.
func (e *entry) surging(now, since time.Time) (bool, float64) {
	const minute = int64(time.Minute)
	to := now.Unix() / 60
	from := max(to-surgeMinutes-baseMinutes, (since.Unix()+59)/60)
	if to-surgeMinutes-from < leastBase {
		return false, 0
	}
	h := pattern.Entry{Histogram: stat.NewHistogram(2 * len(e.minutes))}
	for m := from; m < to; m++ {
		if m <= e.minute && m > e.minute-int64(len(e.minutes)) {
			if n := e.minutes[m%int64(len(e.minutes))]; n > 0 {
				h.Histogram.Add(m*minute, n)
			}
		}
	}
	n := pattern.Compare(&h, [2]int64{from * minute, (to - surgeMinutes) * minute}, [2]int64{(to - surgeMinutes) * minute, to * minute})
	return n.Kind == pattern.KindSurging, n.Ratio
}

// forget gives up what was not seen for a day; the store remembers it.
func (p *Patterns) forget(now time.Time) {
	n := len(p.entries)
	for k, e := range p.entries {
		if e.Count == e.saved && now.Unix()/60-e.minute > int64(forgetAfter/time.Minute) {
			delete(p.entries, k)
		}
	}
	if len(p.entries) < n {
		clear(p.texts[:])
	}
}
