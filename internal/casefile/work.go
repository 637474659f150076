package casefile

import (
	"math"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/mem"
)

const (
	// minWork: a route that asks for twice as much as all routes together did before asks for more than a service has to spare.
	minWork = 2
	// earlyOn: retries follow failures by some seconds; who began to ask within half a minute of the first did not do it because of them.
	earlyOn = 30 * time.Second
)

// heaviest finds the route whose requests, at their usual duration, came to keep far more workers busy than before, nil when there is none.
// How many requests are under way is their rate times their duration (Little's law); with the duration of the time before, a service that
// became slow makes none of its routes heavy.
func (b *builder) heaviest() *inquest.RouteWork {
	calm := b.calm()
	if b.onset.IsZero() || calm.Duration() < earlyOn {
		return nil
	}
	rise := inquest.Window{From: b.onset.Add(-b.lead()), To: minTime(b.onset.Add(earlyOn), b.window.To)}
	if rise.Duration() <= 0 {
		return nil
	}
	all, general := 0.0, 1.0
	if before := b.rate(b.edge, calm); before > 0 {
		general = math.Max(1, b.rate(b.edge, rise)/before)
	}
	var found *inquest.RouteWork
	for _, s := range b.edge {
		w, ok := b.work(s, calm, rise)
		if !ok {
			continue
		}
		all += w.Before
		if w.RateDuring >= minRise*general*w.RateBefore && b.moreThanChance(s, w.RateBefore, rise) && (found == nil || w.During > found.During) {
			found = &w
		}
	}
	if found == nil || found.During-found.Before < math.Max(1, minWork*all) {
		return nil
	}
	found.All = all
	return found
}

// work is what a route's requests kept busy before, and would at the rate of the rise; not known of a route without durations.
func (b *builder) work(s *mem.Stream, calm, rise inquest.Window) (inquest.RouteWork, bool) {
	n := s.Requests.Count(ns(calm.From), ns(calm.To))
	if n < 2 || !s.Timed {
		return inquest.RouteWork{}, false
	}
	one := []*mem.Stream{s}
	w := inquest.RouteWork{Observer: s.Observer, Route: s.Name(), Mean: float64(s.Requests.Sum(ns(calm.From), ns(calm.To))) * mem.DurationUnit.Seconds() / float64(n),
		RateBefore: b.rate(one, calm), RateDuring: b.rate(one, rise)}
	w.Before, w.During = w.RateBefore*w.Mean, w.RateDuring*w.Mean
	return w, true
}

// moreThanChance: four standard deviations of a Poisson count above what the rate before lets expect.
func (b *builder) moreThanChance(s *mem.Stream, rate float64, w inquest.Window) bool {
	expect := rate * w.Duration().Seconds()
	return float64(s.Requests.Count(ns(w.From), ns(w.To))) > expect+4*math.Sqrt(expect)
}
