package incident

import (
	"context"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// Mean is the mean and the median of a time over the incidents for which it is known.
type Mean struct {
	Count  int           `json:"count"`
	Mean   time.Duration `json:"mean"`
	Median time.Duration `json:"median"`
}

// Stats looks back on the incidents that were opened in a window.
type Stats struct {
	Window    inquest.Window                `json:"window"`
	Incidents int                           `json:"incidents"`
	Active    int                           `json:"active"`
	Severity  map[inquest.Severity]int      `json:"severity"`
	Class     map[inquest.Class]int         `json:"class"`  // of the cause; "other" where none was found (REQUIREMENTS 74: from own data)
	Factor    map[inquest.Factor]int        `json:"factor"` // contributing factors that people gave
	State     map[inquest.IncidentState]int `json:"state"`
	Repeats   int                           `json:"repeats"`
	Merged    int                           `json:"merged"` // that turned out to be part of another; they count nowhere else
	Late      []string                      `json:"late"`   // ids of those acknowledged, or not yet, later than Policy.AckTarget (REQUIREMENTS 273)
	AckTarget time.Duration                 `json:"ackTarget"`
	Cost      float64                       `json:"cost"`
	Currency  string                        `json:"currency,omitempty"`
	Detect    Mean                          `json:"detect"`      // MTTD
	Acknow    Mean                          `json:"acknowledge"` // MTTA
	Mitigate  Mean                          `json:"mitigate"`    // MTTM
	Resolve   Mean                          `json:"resolve"`     // MTTR
}

// Stats reckons MTTD, MTTA, MTTM and MTTR and counts what there was. An incident for which a time has not come yet does not count for it.
func (d *Desk) Stats(ctx context.Context, w inquest.Window) (Stats, error) {
	s := Stats{Window: w, Severity: map[inquest.Severity]int{}, Class: map[inquest.Class]int{}, Factor: map[inquest.Factor]int{}, State: map[inquest.IncidentState]int{}, Late: []string{}, AckTarget: d.policy.AckTarget}
	const everything = 1 << 30
	all, err := d.List(ctx, Filter{Opened: w, Limit: everything})
	if err != nil {
		return s, err
	}
	var detect, acknow, mitigate, resolve []time.Duration
	add := func(list *[]time.Duration, t time.Duration, known bool) {
		if known {
			*list = append(*list, t)
		}
	}
	for i := range all {
		inc := &all[i]
		if inc.Merged != "" {
			s.Merged++
			continue
		}
		s.Incidents++
		if d.late(inc) {
			s.Late = append(s.Late, inc.ID)
		}
		s.Severity[inc.Severity]++
		s.State[inc.State]++
		if inc.State.Active() {
			s.Active++
		}
		class := inc.Verdict.Mechanism.Class()
		if class == "" {
			class = "other"
		}
		s.Class[class]++
		for _, f := range inc.Factors {
			s.Factor[f]++
		}
		if inc.Repeats != "" {
			s.Repeats++
		}
		s.Cost += inc.Cost
		if inc.Currency != "" {
			s.Currency = inc.Currency
		}
		t, ok := inc.TimeToDetect()
		add(&detect, t, ok)
		t, ok = inc.TimeToAcknowledge()
		add(&acknow, t, ok)
		t, ok = inc.TimeToMitigate()
		add(&mitigate, t, ok)
		t, ok = inc.TimeToResolve()
		add(&resolve, t, ok)
	}
	s.Detect, s.Acknow, s.Mitigate, s.Resolve = mean(detect), mean(acknow), mean(mitigate), mean(resolve)
	return s, nil
}

// late reports whether nobody had the incident within the target.
func (d *Desk) late(inc *inquest.Incident) bool {
	t, ok := inc.TimeToAcknowledge()
	if !ok && inc.State == inquest.IncidentOpen && !inc.Detected.IsZero() {
		t = d.now().Sub(inc.Detected)
	}
	return t > d.policy.AckTarget
}

func mean(all []time.Duration) Mean {
	if len(all) == 0 {
		return Mean{}
	}
	slices.Sort(all)
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	m := all[len(all)/2]
	if len(all)%2 == 0 {
		m = (all[len(all)/2-1] + m) / 2
	}
	return Mean{Count: len(all), Mean: sum / time.Duration(len(all)), Median: m}
}
