package pages

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/web"
)

// Stats looks back on the incidents that were opened in a window.
func (p *Desk) Stats(ctx context.Context, w inquest.Window) (*web.Stats, error) {
	s, err := p.desk.Stats(ctx, w)
	if err != nil {
		return nil, failed(err)
	}
	out := &web.Stats{From: w.From, To: w.To, Incidents: s.Incidents, Active: s.Active, Repeats: s.Repeats, Merged: s.Merged, Late: s.Late, LateAfter: web.Number(s.AckTarget.Seconds()), Cost: s.Cost, Currency: s.Currency,
		Severity: tally(s.Severity), Class: tally(s.Class), Factor: tally(s.Factor), State: tally(s.State)}
	for i, t := range []struct {
		name, time string
		mean       incident.Mean
	}{{"MTTD", "to detect", s.Detect}, {"MTTA", "to acknowledge", s.Acknow}, {"MTTM", "to mitigate", s.Mitigate}, {"MTTR", "to resolve", s.Resolve}} {
		one := web.TimeStat{Name: t.name, Time: t.time, Meaning: web.TimeMeanings[i], Count: t.mean.Count, Mean: web.Number(math.NaN()), Median: web.Number(math.NaN())}
		if t.mean.Count > 0 {
			one.Mean, one.Median = web.Number(t.mean.Mean.Seconds()), web.Number(t.mean.Median.Seconds())
		}
		out.Times = append(out.Times, one)
	}
	return out, nil
}

// tally orders counts by how many, the most first.
func tally[K comparable](counts map[K]int) []web.Tally {
	out := make([]web.Tally, 0, len(counts))
	for k, n := range counts {
		out = append(out, web.Tally{Name: fmt.Sprint(k), Count: n})
	}
	slices.SortFunc(out, func(a, b web.Tally) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out
}
