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
	// earlyOn bounds how long after the first failure a request counts that was sent before it: it is logged when it is over. Who asks after
	// the first failure may ask because of it.
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
	all, general := 0.0, 1.0
	if before := b.rate(b.edge, calm); before > 0 {
		general = math.Max(1, b.rate(b.edge, b.rise(0))/before)
	}
	var found *inquest.RouteWork
	for _, s := range b.edge {
		w, ok := b.work(s, calm)
		if !ok {
			continue
		}
		all += w.Before
		if w.RateDuring >= minRise*general*w.RateBefore && b.moreThanChance(s, w) && (found == nil || w.During > found.During) {
			found = &w
		}
	}
	if found == nil || found.During-found.Before < math.Max(1, minWork*all) {
		return nil
	}
	found.All = all
	return found
}

// rise is when requests were logged that were sent shortly before the first failure, if they take so long.
func (b *builder) rise(takes time.Duration) inquest.Window {
	return inquest.Window{From: b.onset.Add(-b.lead()), To: b.onset.Add(max(time.Second, min(takes, earlyOn)))}
}

// work is what a route's requests kept busy before, and would at the rate of the rise; not known of a route without durations.
func (b *builder) work(s *mem.Stream, calm inquest.Window) (inquest.RouteWork, bool) {
	n := s.Requests.Count(ns(calm.From), ns(calm.To))
	if n < 2 || !s.Timed {
		return inquest.RouteWork{}, false
	}
	one := []*mem.Stream{s}
	w := inquest.RouteWork{Observer: s.Observer, Route: s.Name(), Mean: float64(s.Requests.Sum(ns(calm.From), ns(calm.To))) * mem.DurationUnit.Seconds() / float64(n),
		RateBefore: b.rate(one, calm)}
	w.RateDuring = b.rate(one, b.rise(b.takes(s, w.Mean)))
	w.Before, w.During = w.RateBefore*w.Mean, w.RateDuring*w.Mean
	return w, true
}

// takes is how long the requests took that were logged from the first failure on: as long as before, or less where they fail early.
func (b *builder) takes(s *mem.Stream, mean float64) time.Duration {
	to := b.onset.Add(time.Duration(mean * float64(time.Second)))
	if n := s.Requests.Count(ns(b.onset), ns(to)); n > 0 {
		mean = math.Min(mean, float64(s.Requests.Sum(ns(b.onset), ns(to)))*mem.DurationUnit.Seconds()/float64(n))
	}
	return time.Duration(mean * float64(time.Second))
}

// moreThanChance: four standard deviations of a Poisson count above what the rate before lets expect.
func (b *builder) moreThanChance(s *mem.Stream, w inquest.RouteWork) bool {
	rise := b.rise(b.takes(s, w.Mean))
	expect := w.RateBefore * rise.Duration().Seconds()
	return float64(s.Requests.Count(ns(rise.From), ns(rise.To))) > expect+4*math.Sqrt(expect)
}
