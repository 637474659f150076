package diagnose

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// fit is how well a change fits as the trigger of a cause.
type fit struct {
	change *inquest.Change
	score  float64
	why    string
}

// leastFit: below it, naming a change is a guess, and the guess is a decoy more often than not.
const leastFit = 0.5

// trigger finds what set the cause off. Nearness alone is nothing: a deploy of another service half a minute before is
// innocent, one of the culprit twelve hours before may be guilty when its path was not used since.
func (a *analysis) trigger(c *candidate) *inquest.Trigger {
	var best fit
	for i := range a.c.Changes {
		f := a.fit(c, &a.c.Changes[i])
		if f.score > best.score || f.score == best.score && best.change != nil && f.change.Time.After(best.change.Time) {
			best = f
		}
	}
	if best.score >= leastFit && best.score >= a.loadFit(c) {
		ch := best.change
		return &inquest.Trigger{Kind: inquest.TriggerKind(ch.Kind), Time: ch.Time, Service: ch.Service, Version: ch.Version, Summary: ch.Summary, Why: best.why}
	}
	return a.noChange(c)
}

// noChange says what set it off when no recorded change did.
func (a *analysis) noChange(c *candidate) *inquest.Trigger {
	t := &inquest.Trigger{Time: a.c.Onset}
	switch {
	case a.c.Impact.Spread == inquest.SpreadClient:
		t.Kind, t.Summary, t.Why = inquest.TriggerClient, "one client's requests", "all failed requests are of one client"
	case a.loadFit(c) > 0:
		t.Time = a.rose()
		t.Kind, t.Summary, t.Why = inquest.TriggerTraffic, fmt.Sprintf("requests rose from %.3g to %.3g a second", a.c.Traffic.BaselineRate, math.Max(a.c.Traffic.OnsetRate, a.c.Traffic.IncidentRate)), "no recorded change fits, and the load rose before the failures"
	case c.id.Class() == inquest.ClassDependency && !a.ours(c.culprit):
		t.Kind, t.Summary, t.Why = inquest.TriggerExternal, a.display(c.culprit)+" failed from outside", "the dependency is not ours, and no recorded change fits"
	case c.id.Class() == inquest.ClassException:
		t.Kind, t.Summary, t.Why = inquest.TriggerData, "a value that the code does not expect", "the code did not change; requests with other values go on working"
	default:
		return nil
	}
	if !a.c.Layers[inquest.LayerChange] && t.Kind != inquest.TriggerTraffic {
		return nil // without a record of changes, "no change" is not known
	}
	return t
}

// loadFit is how well a rise of traffic fits as the trigger. It has to precede the failures (retries raise the rate once
// they have begun), and to be more than an ordinary day's swing. It beats a change that lies far back, and yields to one
// right before.
func (a *analysis) loadFit(c *candidate) float64 {
	t := a.c.Traffic
	if t.BaselineRate <= 0 || t.OnsetRate < 1.5*t.BaselineRate || !slices.Contains(a.d.byID[c.id].Triggers, inquest.TriggerTraffic) {
		return 0
	}
	return 0.8
}

// rose is when the load that led to the failures began: the first of the chart's steps in a row before the onset with half as
// much again as usual.
func (a *analysis) rose() time.Time {
	ch := a.c.Chart
	began := a.c.Onset
	for i := len(ch.Requests) - 1; i >= 0 && ch.Step > 0; i-- {
		at := ch.From.Add(time.Duration(i) * ch.Step)
		if !at.Before(a.c.Onset) {
			continue
		}
		if float64(ch.Requests[i]) < 1.5*a.c.Traffic.BaselineRate*ch.Step.Seconds() {
			break
		}
		began = at
	}
	return began
}

// ours: a component of which the folder holds a log, metrics or a change is run by the people who keep the folder.
func (a *analysis) ours(name string) bool {
	c := a.names.Find(name)
	if c == nil {
		return false
	}
	if c.Logs || c.Metrics {
		return true
	}
	return slices.ContainsFunc(a.c.Changes, func(ch inquest.Change) bool { return a.names.Name(ch.Service) == c.Name })
}

// kindFit says how often a kind of change sets a mechanism off: as its catalogue entry lists it, or hardly.
func (a *analysis) kindFit(c *candidate, kind inquest.ChangeKind) float64 {
	i := slices.Index(a.d.byID[c.id].Triggers, inquest.TriggerKind(kind))
	switch {
	case i == 0 || i == 1:
		return 1
	case i > 0:
		return 0.85
	}
	return 0.5
}

// fit scores one change against the cause.
func (a *analysis) fit(c *candidate, ch *inquest.Change) fit {
	f := fit{change: ch}
	gap := a.c.Onset.Sub(ch.Time)
	if gap < -1500*time.Millisecond { // change records are often cut to seconds
		return f
	}
	var why []string
	score := 0.0
	who := a.names.Name(ch.Service)
	text := strings.ToLower(ch.Summary + " " + ch.Version)
	switch {
	case who == c.culprit:
		score, why = 0.6, append(why, "it changed "+c.culprit+" itself")
	case ch.Service == "" && mentions(text, c.culprit):
		score, why = 0.5, append(why, "it names "+c.culprit)
	case c.observers[who] && a.names.Kind(who) != inquest.KindProxy:
		score, why = 0.5, append(why, "it changed "+who+", where it shows")
	case a.explainsAt(c, who):
		score, why = 0.35, append(why, "it changed "+who+", which suffers from it")
	default:
		score = 0.1
	}
	if terms := a.terms(c, text); len(terms) > 0 {
		score += 0.25
		why = append(why, "it is about "+strings.Join(terms, ", ")+", which the failures name")
	}
	if p := a.sharedPath(c, ch.Summary); p != "" {
		score += 0.4 // a path is a name that nobody uses by chance
		why = append(why, "it touched "+p+", where the failures are")
	}
	score *= a.kindFit(c, ch.Kind)
	if undoes(text) && gap > time.Minute {
		score *= 0.6
	}
	t, reason := a.timeFit(c, ch, gap)
	f.score = score * t
	f.why = strings.Join(append(why, reason), "; ")
	return f
}

// undoes: a rollback heals more often than it harms.
func undoes(text string) bool {
	return strings.Contains(text, "roll back") || strings.Contains(text, "rollback") || strings.Contains(text, "revert")
}

func (a *analysis) explainsAt(c *candidate, who string) bool {
	for _, e := range c.explains {
		if e.culprit == who || e.observers[who] && a.names.Kind(who) != inquest.KindProxy {
			return true
		}
	}
	return false
}

// timeFit judges the time between change and first failure by what happened in between: requests of the affected routes
// that were answered well after the change acquit it, unless the mechanism builds up.
func (a *analysis) timeFit(c *candidate, ch *inquest.Change, gap time.Duration) (float64, string) {
	switch {
	case gap < 0:
		return 1.3, "the failures begin in the same second"
	case gap <= 90*time.Second:
		return 1.6, fmt.Sprintf("the failures begin %s later", gap.Round(time.Second))
	}
	gradual := a.d.byID[c.id].Gradual
	good := a.answeredSince(ch.Time)
	switch {
	case good == 0 && !ch.Time.Before(a.c.Span.From):
		return 1.5, "the affected routes were not used in between"
	case gradual && a.grewSince(c, ch.Time):
		return 1.4, fmt.Sprintf("it built up over the %s since", gap.Round(time.Second))
	case gradual && gap <= 15*time.Minute:
		return 1.2, fmt.Sprintf("the mechanism takes time to build up; %s passed", gap.Round(time.Second))
	case ch.Time.Before(a.c.Span.From):
		// Before the recording: nothing is known of the time in between, but the recording began healthy.
		return 0.55, "it lies before the recording, which began healthy"
	case gap <= 10*time.Minute:
		return 0.8, fmt.Sprintf("%s later, with %d requests answered well in between", gap.Round(time.Second), good)
	}
	return 0.5, fmt.Sprintf("%d requests of the affected routes were answered well in between", good)
}

// answeredSince estimates how many requests of the affected routes were answered well between a change and the onset, from
// the chart's steps.
func (a *analysis) answeredSince(t time.Time) int {
	n := 0
	ch := a.c.Chart
	for i := range ch.Requests {
		at := ch.From.Add(time.Duration(i) * ch.Step)
		if at.After(t) && at.Before(a.c.Onset) {
			n += ch.Requests[i] - ch.Failed[i]
		}
	}
	return n
}

// grewSince reports whether a resource of the culprit rose gradually to its limit, and began to right after the change (or
// was rising already when the recording began, where the change lies before it).
func (a *analysis) grewSince(c *candidate, t time.Time) bool {
	for _, cl := range c.claims {
		s := cl.symptom
		if s.Kind != inquest.SymptomSaturation || s.Since.IsZero() || s.Onset.Sub(s.Since) < 10*time.Second {
			continue
		}
		if began := s.Since.Sub(t); began > -10*time.Second && began < 2*time.Minute {
			return true
		}
		if t.Before(a.c.Span.From) && s.Since.Sub(a.c.Span.From) < 15*time.Second {
			return true
		}
	}
	return false
}

var word = regexp.MustCompile(`[a-z][a-z0-9_]{3,}|\d{3,5}`)

// common words of change summaries and error messages that link nothing to anything.
var commonWords = map[string]bool{
	"deploy": true, "release": true, "rollback": true, "update": true, "upgrade": true, "version": true, "config": true, "change": true, "restart": true, "service": true,
	"error": true, "failed": true, "request": true, "timeout": true, "server": true, "http": true, "https": true, "with": true, "from": true, "that": true, "this": true,
	"after": true, "before": true, "exception": true, "null": true, "does": true, "exist": true, "column": true, "table": true, "connection": true, "connect": true,
	"enable": true, "disable": true, "increase": true, "reduce": true, "remove": true, "added": true, "dependency": true, "dependencies": true, "message": true, "info": true,
	"warn": true, "level": true, "time": true, "trying": true, "when": true, "node": true, "java": true, "python": true, "line": true, "file": true, "code": true, "true": true,
	"false": true, "list": true, "data": true, "type": true, "value": true, "user": true, "users": true, "into": true, "main": true, "worker": true, "thread": true, "java.lang": true,
	"status": true, "available": true, "unable": true, "cannot": true, "method": true, "call": true, "internal": true, "upstream": true, "client": true, "host": true,
}

// terms are the distinctive words that a change's summary shares with the evidence of the cause: a column, a route, a
// flag, a port.
func (a *analysis) terms(c *candidate, text string) []string {
	said := map[string]bool{}
	for i, cl := range c.claims {
		if i >= 4 || cl.symptom.Pattern == nil {
			continue
		}
		for _, w := range word.FindAllString(strings.ToLower(symptom.Example(cl.symptom.Pattern).Text), -1) {
			said[w] = true
			said[strings.TrimSuffix(w, "s")] = true
		}
	}
	for _, r := range a.c.Impact.Routes {
		for _, w := range word.FindAllString(strings.ToLower(r.Route), -1) {
			said[w] = true
			said[strings.TrimSuffix(w, "s")] = true
		}
	}
	who := strings.ToLower(c.culprit)
	var out []string
	for _, w := range word.FindAllString(text, -1) {
		if (said[w] || said[strings.TrimSuffix(w, "s")]) && !commonWords[w] && !strings.Contains(who, w) && !slices.Contains(out, w) && a.names.Find(w) == nil {
			out = append(out, w)
		}
	}
	return out[:min(len(out), 3)]
}

var pathWord = regexp.MustCompile(`/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+`)

// sharedPath is a path of a change's summary under which the failures name a file.
func (a *analysis) sharedPath(c *candidate, summary string) string {
	for _, p := range pathWord.FindAllString(summary, 4) {
		for i, cl := range c.claims {
			if i < 4 && cl.symptom.Pattern != nil && strings.Contains(symptom.Example(cl.symptom.Pattern).Text, strings.TrimRight(p, "/.")) {
				return p
			}
		}
	}
	return ""
}

func mentions(text, name string) bool { return wordIn(text, strings.ToLower(name)) }
