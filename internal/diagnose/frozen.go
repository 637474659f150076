package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// lagging: the event loop of a runtime with a single one is late by this much. Node's own documentation calls tens of milliseconds a problem;
// at a second the requests of all routes queue behind whatever computes.
const lagging = time.Second

// frozen: a runtime that serves everything from one event loop answers nothing while that loop computes, not even the page of its
// metrics. Waiting does not block it, whoever is slow; so a process of that kind that runs on, and that nothing can be had from, computes. Or it
// still manages to measure itself: then it says how late its loop is.
func (a *analysis) frozen() {
	for _, name := range a.eventLoops() {
		if s := a.lag(name); s != nil {
			a.symptoms = append(a.symptoms, *s)
			a.claim("resource-exhaustion/cpu", name, 0.85, s, "the only loop that serves requests is late: it computes")
			continue
		}
		for i := range a.symptoms {
			s := &a.symptoms[i]
			if s.Kind == inquest.SymptomGap && s.Detail == "up" && s.Component == name && s.Onset.Sub(a.c.Onset).Abs() <= time.Minute && a.timesOut(name) && !a.startedAnew(name, s.Onset) {
				a.claim("resource-exhaustion/cpu", name, 0.85, s, "the process runs on and answers nothing, not even its metrics: its only loop computes")
				break
			}
		}
	}
}

// onlyFrozen is the component that alone speaks for a candidate and whose event loop computed meanwhile, "" when there is none, or another one
// says the same.
func (a *analysis) onlyFrozen(c *candidate) string {
	only := ""
	for o := range c.observers {
		if only != "" {
			return ""
		}
		only = o
	}
	for i := range a.claimed {
		if cl := &a.claimed[i]; cl.mechanism == "resource-exhaustion/cpu" && cl.culprit == only && !cl.text && cl.strength >= 0.8 {
			return only
		}
	}
	return ""
}

// eventLoops lists the components whose metrics are those of a runtime with one event loop: Node.js under the names of prom-client.
func (a *analysis) eventLoops() []string {
	var out []string
	for i := range a.c.Series {
		if s := &a.c.Series[i]; strings.HasPrefix(s.Name, "nodejs_eventloop_") {
			if who := a.names.Owner(s); who != "" && !slices.Contains(out, who) {
				out = append(out, who)
			}
		}
	}
	slices.Sort(out)
	return out
}

// lag is the symptom of a late loop, nil when it is not, or was as late before.
func (a *analysis) lag(name string) *inquest.Symptom {
	var worst *inquest.Symptom
	for i := range a.c.Series {
		s := &a.c.Series[i]
		switch s.Name {
		case "nodejs_eventloop_lag_seconds", "nodejs_eventloop_lag_p50_seconds", "nodejs_eventloop_lag_mean_seconds":
		default:
			continue
		}
		if a.names.Owner(s) != name {
			continue
		}
		before, count, first, most := 0.0, 0, time.Time{}, 0.0
		for _, x := range s.Samples {
			switch {
			case a.c.Baseline.Contains(x.Time):
				before = max(before, x.Value)
			case a.c.Window.Contains(x.Time) && x.Value >= lagging.Seconds():
				if count++; first.IsZero() {
					first = x.Time
				}
				most = max(most, x.Value)
			}
		}
		if count < 2 || before >= lagging.Seconds()/2 || worst != nil && worst.Value >= most {
			continue
		}
		text := fmt.Sprintf("%s: event loop late by up to %.1f s, %.2g s before", name, most, before)
		worst = &inquest.Symptom{Kind: inquest.SymptomSaturation, Detail: "cpu", Component: name, Onset: first, Count: count, Share: -1, Value: most, Baseline: before, Limit: -1, Text: text,
			Evidence: []inquest.Evidence{{Layer: inquest.LayerInfrastructure, Kind: "metric", Time: first, Text: text, Source: inquest.Source{File: s.Source.File, Metric: s.Name, Labels: s.Labels}}}}
	}
	return worst
}

// startedAnew reports whether a component's process ended or began around the onset: then silence has another reason, unless that was a
// release, and it was seen at work before it fell silent.
func (a *analysis) startedAnew(name string, silent time.Time) bool {
	return slices.ContainsFunc(a.symptoms, func(s inquest.Symptom) bool {
		return s.Kind == inquest.SymptomRestart && s.Component == name && s.Onset.Sub(a.c.Onset).Abs() <= 2*time.Minute &&
			!(s.Count == 1 && s.Onset.Before(silent) && a.releasedAt(name, s.Onset))
	})
}

// releasedAt reports whether a component was deployed shortly before its process began.
func (a *analysis) releasedAt(name string, began time.Time) bool {
	return slices.ContainsFunc(a.c.Changes, func(ch inquest.Change) bool {
		d := began.Sub(ch.Time)
		return ch.Kind == inquest.ChangeDeploy && a.names.Name(ch.Service) == name && d >= -2*time.Second && d <= 2*time.Minute
	})
}

// timesOut reports whether most requests to a component ended because nobody answered in time: those to a process that is gone are refused.
func (a *analysis) timesOut(name string) bool {
	for i := range a.symptoms {
		s := &a.symptoms[i]
		if s.Kind == inquest.SymptomUpstream && s.Detail == "timeout" && s.Peer == name && s.Share >= 0.5 {
			return true
		}
	}
	return false
}
