package flow

import (
	"context"
	"slices"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// alignClocks reads files whose times carry no zone (or no year) again, shifted to fit those that carry one: by the same
// requests in both, by the same failures, else by the stretch of time they cover. What fits as it is stays as it is. So a host's
// clock that is wrong by minutes is put right too, where the same requests prove it.
func (r *reader) alignClocks(ctx context.Context) {
	ref, ids, failed := r.reference()
	if ref == (stretch{}) {
		r.byStarts(ctx)
		return
	}
	for i := range r.reports {
		rep := &r.reports[i]
		own := r.local(i)
		if own == (stretch{}) {
			continue
		}
		shift, ok := r.byRequests(i, ids)
		if !ok {
			shift, ok = r.byFailures(i, failed)
		}
		if !ok {
			shift = byStretch(own, ref, rep.Clock == parse.ClockNoYear)
		}
		if shift == 0 || ctx.Err() != nil {
			continue
		}
		r.done.Add(-r.entries[i].Size)
		r.file(ctx, i, 1, shift)
		rep.Shift, rep.From, rep.To = shift, own.from.Add(shift), own.to.Add(shift)
	}
}

// byStarts fits the clocks of a folder in which nothing but the record of changes carries a zone: a process that is deployed
// or restarted says that it starts. One shift for all files, and only when it makes starts and changes meet within seconds
// while no shift does not.
func (r *reader) byStarts(ctx context.Context) {
	var changes []time.Time
	var starts []int64
	for i := range r.reports {
		for _, c := range r.sinks[i] {
			c.ChangeTimes(func(at time.Time) { changes = append(changes, at) })
			starts = append(starts, c.Starts()...)
		}
	}
	meet := func(shift time.Duration) (n int) {
		for _, s := range starts {
			at := time.Unix(0, s).Add(shift)
			if slices.ContainsFunc(changes, func(c time.Time) bool { d := at.Sub(c); return d >= -3*time.Second && d <= 20*time.Second }) {
				n++
			}
		}
		return n
	}
	best, most := time.Duration(0), meet(0)
	for k := 1; k <= 28; k++ {
		for _, d := range []time.Duration{time.Duration(k), time.Duration(-k)} {
			if n := meet(d * 2 * quarter); n > most {
				best, most = d*2*quarter, n
			}
		}
	}
	if best == 0 {
		return
	}
	for i := range r.reports {
		if own := r.local(i); own != (stretch{}) && ctx.Err() == nil {
			r.done.Add(-r.entries[i].Size)
			r.file(ctx, i, 1, best)
			rep := &r.reports[i]
			rep.Shift, rep.From, rep.To = best, own.from.Add(best), own.to.Add(best)
		}
	}
}

// local is the stretch of a file's times without a zone. A file may hold both kinds: a server's banner and its application's lines.
func (r *reader) local(i int) stretch {
	var s stretch
	for _, c := range r.sinks[i] {
		from, to := c.Local()
		if from == 0 {
			continue
		}
		if f := time.Unix(0, from).UTC(); s.from.IsZero() || f.Before(s.from) {
			s.from = f
		}
		if t := time.Unix(0, to).UTC(); t.After(s.to) {
			s.to = t
		}
	}
	return s
}

// stretch is the time that a file covers.
type stretch struct{ from, to time.Time }

// reference is the time covered by the files with full times, when each identified request was answered in them, and when each
// request failed.
func (r *reader) reference() (stretch, map[uint64]int64, once) {
	var s stretch
	widen := func(from, to time.Time) {
		if from.IsZero() || to.Before(from) {
			return
		}
		if s.from.IsZero() || from.Before(s.from) {
			s.from = from
		}
		if to.After(s.to) {
			s.to = to
		}
	}
	ids, failed := map[uint64]int64{}, once{}
	for i := range r.reports {
		rep := &r.reports[i]
		for _, c := range r.sinks[i] {
			if from, to := c.Range(); from != 0 {
				widen(time.Unix(0, from), time.Unix(0, to))
			}
			if rep.Clock == parse.ClockUTC && len(ids) < 200_000 {
				c.AnswerTimes(func(id uint64, at int64) { ids[id] = at })
				c.FailedAsks(failed.add)
			}
		}
		if rep.Clock == parse.ClockUTC && rep.Records > 0 && len(r.sinks[i]) > 0 {
			widen(rep.From, rep.To)
		}
	}
	return s, ids, failed
}

// quarter: every zone in use is a multiple of fifteen minutes from UTC.
const quarter = 15 * time.Minute

// byRequests finds the shift from requests that both this file and one with full times logged.
func (r *reader) byRequests(i int, ids map[uint64]int64) (time.Duration, bool) {
	var diffs []time.Duration
	for _, c := range r.sinks[i] {
		c.AnswerTimes(func(id uint64, at int64) {
			if t, ok := ids[id]; ok {
				diffs = append(diffs, time.Duration(t-at))
			}
		})
	}
	return agreed(diffs, 5)
}

// once holds when something was asked for that was asked for once; -1 if more than once. Two lines of a request (its error and its
// answer) are one.
type once map[string]int64

func (o once) add(asked string, at int64) {
	was, again := o[asked]
	switch {
	case !again:
		o[asked] = at
	case was < 0 || time.Duration(at-was).Abs() > time.Second:
		o[asked] = -1
	}
}

// byFailures finds the shift from requests that failed here and there: what was asked for once is the same request. No id is
// needed for it.
func (r *reader) byFailures(i int, failed once) (time.Duration, bool) {
	own := once{}
	for _, c := range r.sinks[i] {
		c.FailedAsks(own.add)
	}
	var diffs []time.Duration
	for asked, at := range own {
		if t, ok := failed[asked]; ok && t >= 0 && at >= 0 {
			diffs = append(diffs, time.Duration(t-at))
		}
	}
	return agreed(diffs, 3) // few are kept with what they asked for
}

// agreed is the shift that the differences of the same requests' times agree on: a zone's, or that of a clock that is minutes wrong,
// to the second. False when they are few or contradict each other: four of five have to agree.
func agreed(diffs []time.Duration, least int) (time.Duration, bool) {
	if len(diffs) < least {
		return 0, false
	}
	slices.Sort(diffs)
	median := diffs[len(diffs)/2]
	shift, slack := median.Round(quarter), 2*time.Minute // a zone's, give or take what a request took
	if (median - shift).Abs() >= slack {
		shift, slack = median.Round(time.Second), 3*time.Second
	}
	same := 0
	for _, d := range diffs {
		if (d - shift).Abs() < slack {
			same++
		}
	}
	return shift, same*5 >= len(diffs)*4
}

// byStretch finds the shift by which the file covers the time of the others best. It takes one only when the file hardly
// fits as it is and fits nearly whole when shifted; of equal fits the smallest shift wins.
func byStretch(f, ref stretch, noYear bool) time.Duration {
	if overlap(f, ref, 0) >= 0.5 {
		return 0
	}
	years := []time.Duration{0}
	if noYear {
		for _, y := range []int{ref.from.Year(), ref.to.Year()} {
			if d := f.from.AddDate(y-f.from.Year(), 0, 0).Sub(f.from); !slices.Contains(years, d) {
				years = append(years, d)
			}
		}
	}
	best, fit := time.Duration(0), 0.0
	for _, y := range years {
		for _, z := range zones() {
			if o := overlap(f, ref, y+z); o > fit+0.02 {
				best, fit = y+z, o
			}
		}
	}
	if fit < 0.8 {
		return 0
	}
	return best
}

// zones are the shifts to try, the likelier ones first: from -12 to +14 hours by the half hour, the smaller before the larger,
// then the three zones in use that are off by a quarter (Nepal, Eucla, Chatham Islands).
func zones() []time.Duration {
	out := []time.Duration{0}
	for k := time.Duration(1); k <= 28; k++ {
		out = append(out, k*2*quarter, -k*2*quarter)
	}
	return append(out, -(5*time.Hour + 3*quarter), -(8*time.Hour + 3*quarter), -(12*time.Hour + 3*quarter))
}

// overlap is the share of the shorter stretch that both cover.
func overlap(f, ref stretch, shift time.Duration) float64 {
	from, to := f.from.Add(shift), f.to.Add(shift)
	short := min(to.Sub(from), ref.to.Sub(ref.from))
	if from.Before(ref.from) {
		from = ref.from
	}
	if to.After(ref.to) {
		to = ref.to
	}
	if short <= 0 {
		if !to.Before(from) {
			return 1
		}
		return 0
	}
	return max(0, float64(to.Sub(from))/float64(short))
}
