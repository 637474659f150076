package incident

import (
	"context"
	"fmt"
	"math"

	"github.com/inquesthq/inquest"
)

// severity judges an incident from the urgency of its alerts, the tier of its services and the share of requests that fail:
//
//	          critical, severe share   critical or severe share   neither
//	page      SEV-1                    SEV-2                      SEV-3
//	chat      SEV-2                    SEV-3                      SEV-4
//	ticket    SEV-4                    SEV-4                      SEV-4
//
// A page says that users are hit. The tier says whether the business stands still, the share whether the service still does what it is for.
func (e *edit) severity(f *draft) inquest.Severity {
	worst := 2
	for i := range f.Alerts {
		worst = min(worst, urgencyRank(f.Alerts[i].Urgency()))
	}
	if worst == 2 && len(f.Alerts) > 0 {
		return inquest.SEV4
	}
	if len(f.Alerts) == 0 {
		worst = 0 // a person opened it: somebody is hit
	}
	s := inquest.SEV3 + inquest.Severity(worst)
	for _, name := range f.Services {
		if e.desk.policy.Services[name].Critical {
			s--
			break
		}
	}
	if f.Requests > 0 && float64(f.Failed) >= e.desk.policy.Severe*float64(f.Requests) {
		s--
	}
	return max(inquest.SEV1, s)
}

// weigh raises the severity when the incident got worse. It never falls by itself, and what a person has set stays.
func (e *edit) weigh(ctx context.Context, f *draft) error {
	s := e.severity(f)
	if f.desk.SeverityBy != "" || s >= f.Severity {
		return nil
	}
	f.entry(e.now, inquest.EntryState, byDesk, fmt.Sprintf("%s is now %s", f.Severity, s), stateData(f.State, f.State, s))
	f.Severity = s
	return e.tell(ctx, f, inquest.OccasionWorse)
}

func stateData(from, to inquest.IncidentState, s inquest.Severity) map[string]any {
	return map[string]any{"from": from, "to": to, "severity": s}
}

// finite makes a number fit for JSON.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
