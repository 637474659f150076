package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// Policy is what the operator chooses. The zero value is a sensible one that tells nobody.
type Policy struct {
	Opens      []inquest.AlertUrgency // alerts that open an incident by themselves; none: page
	Services   map[string]Service
	Edges      []inquest.Edge // who calls whom
	Currency   string         // of Service.Revenue, as in "EUR"
	Routes     []Route        // who is told of an incident's changes
	Escalation []Level        // who is told when nobody acknowledges, in the order of After; the last one again until somebody does

	Together    time.Duration // alerts of related services this near are one outage; 0: 10 minutes
	Calm        time.Duration // an incident is resolved when its alerts have been for this long; 0: 5 minutes, the window of the rules
	Reopen      time.Duration // what fires again within this is the same incident; 0: 30 minutes
	Settle      time.Duration // an alert that fires on so long after a person resolved its incident reopens it; 0: 10 minutes, twice the window of the rules
	AckTarget   time.Duration // within which a person is to have it; 0: 5 minutes
	Wait        time.Duration // the first message waits this long for the first verdict; 0: 10 seconds, <0: not at all
	Investigate time.Duration // limit of one investigation; 0: 1 minute
	Severe      float64       // share of failed requests from which on users cannot do what the service is for; 0: 0.5
}

// Service is what is known of a service beside its telemetry.
type Service struct {
	Critical bool    // tier critical: without it the business stands still
	Revenue  float64 // per minute; what an outage costs, REQUIREMENTS 70
}

// Route tells one channel of incidents. Empty fields do not restrict.
type Route struct {
	Channel   string           // by its name in the settings of internal/notify
	Severity  inquest.Severity // and worse ones
	Services  []string
	Occasions []inquest.Occasion
	Roster    string // the message is for who is on call here
}

// Level is one step of an escalation: whom to tell when nobody has acknowledged for so long.
type Level struct {
	After    time.Duration
	Channels []string
	Roster   string // the message is for who is on call here
}

// complete fills in the defaults, and says what cannot be meant.
func (p Policy) complete() (Policy, error) {
	if len(p.Opens) == 0 {
		p.Opens = []inquest.AlertUrgency{inquest.UrgencyPage}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&p.Together, 10 * time.Minute}, {&p.Calm, 5 * time.Minute}, {&p.Reopen, 30 * time.Minute}, {&p.Settle, 10 * time.Minute},
		{&p.Wait, 10 * time.Second}, {&p.AckTarget, 5 * time.Minute}, {&p.Investigate, time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if p.Severe == 0 {
		p.Severe = 0.5
	}
	if p.Severe < 0 || p.Severe > 1 {
		return p, fmt.Errorf("incident: severe is a share of requests, from 0 to 1, not %v", p.Severe)
	}
	for name, s := range p.Services {
		if s.Revenue < 0 {
			return p, fmt.Errorf("incident: service %s: revenue per minute must not be negative", name)
		}
	}
	for i, r := range p.Routes {
		if r.Channel == "" {
			return p, fmt.Errorf("incident: route %d names no channel", i+1)
		}
	}
	for i, l := range p.Escalation {
		if len(l.Channels) == 0 {
			return p, fmt.Errorf("incident: escalation level %d names no channel", i+1)
		}
		if i > 0 && l.After < p.Escalation[i-1].After {
			return p, fmt.Errorf("incident: escalation level %d comes after %s, before level %d: list them in the order in which they are told", i+1, l.After, i)
		}
	}
	return p, nil
}

// tellsAlert reports whether the route wants to hear of an alert of urgency chat that belongs to no incident. One for grave incidents does not.
func (r *Route) tellsAlert(service string, o inquest.Occasion) bool {
	if r.Severity != 0 && r.Severity < inquest.SEV4 || len(r.Occasions) > 0 && !slices.Contains(r.Occasions, o) {
		return false
	}
	return len(r.Services) == 0 || slices.Contains(r.Services, service)
}

// tells reports whether the route wants to hear of it.
func (r *Route) tells(inc *inquest.Incident, o inquest.Occasion) bool {
	switch {
	case r.Severity != 0 && inc.Severity > r.Severity:
		return false
	case len(r.Occasions) > 0 && !slices.Contains(r.Occasions, o):
		return false
	case len(r.Services) == 0:
		return true
	}
	return slices.ContainsFunc(inc.Services, func(s string) bool { return slices.Contains(r.Services, s) })
}
