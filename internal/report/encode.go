package report

import (
	"cmp"
	"math"
	"time"

	"github.com/inquesthq/inquest"
)

// each maps a list; the result is never nil, so that it is [] in JSON.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, a := range in {
		out = append(out, f(a))
	}
	return out
}

func same[T any](v T) T { return v }

func at(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

func toWire(d *inquest.Diagnosis) *wireReport {
	w := &wireReport{
		Schema:       Schema,
		Incident:     d.Incident,
		Onset:        at(d.Onset),
		End:          at(d.End),
		Window:       wireWindow{at(d.Window.From), at(d.Window.To)},
		Baseline:     wireWindow{at(d.Baseline.From), at(d.Baseline.To)},
		Impact:       toImpact(d.Impact),
		Alternatives: each(d.Alternatives, toCandidate),
		Suspects:     each(d.Suspects, func(s inquest.Suspect) wireSuspect { return wireSuspect{s.Component, ratio(s.Score), s.Why} }),
		Resources:    each(d.Resources, toResource),
		Evidence:     each(d.Evidence, toEvidence),
		Timeline: each(d.Timeline, func(e inquest.Entry) wireEntry {
			return wireEntry{at(e.Time), e.Kind, e.Text, each(e.Evidence, same)}
		}),
		Similar:  each(d.Similar, func(s inquest.Similar) wireSimilar { return wireSimilar{s.Incident, ratio(s.Score), s.Why} }),
		Coverage: toCoverage(d.Coverage),
		Chart: wireChart{
			From: at(d.Chart.From), StepMS: d.Chart.Step.Milliseconds(),
			Requests: each(d.Chart.Requests, same), Failed: each(d.Chart.Failed, same), Lying: each(d.Chart.Lying, same),
			Marks: each(d.Chart.Marks, func(m inquest.Mark) wireMark { return wireMark{at(m.Time), m.Kind, m.Text} }),
		},
		Notes: each(d.Notes, same),
	}
	if d.Incident {
		w.Verdict = toVerdict(d.Verdict)
	}
	return w
}

func toImpact(i inquest.Impact) wireImpact {
	return wireImpact{
		Requests: i.Requests, Failed: i.Failed, Ratio: ratio(i.Ratio), Lying: i.Lying,
		Routes: each(i.Routes, func(r inquest.RouteImpact) wireRoute {
			status := r.Status
			if status == nil {
				status = map[int]int{}
			}
			return wireRoute{r.Route, r.Requests, r.Failed, ratio(share(r.Failed, r.Requests)), status}
		}),
		Services: each(i.Services, same), Clients: i.Clients, Spread: string(i.Spread),
	}
}

// toVerdict writes an open verdict without a name: whatever the Diagnosis may carry there is not to be claimed.
func toVerdict(v *inquest.Verdict) *wireVerdict {
	if v == nil {
		v = &inquest.Verdict{}
	}
	w := &wireVerdict{
		Level: cmp.Or(string(v.Level), string(inquest.Open)), Summary: v.Summary,
		Chain: each(v.Chain, func(l inquest.Link) wireLink {
			return wireLink{string(l.Role), at(l.Time), l.Text, each(l.Evidence, same)}
		}),
		Actions: each(v.Actions, func(a inquest.Action) wireAction {
			return wireAction{a.Text, string(a.Phase), a.Cures, a.Command}
		}),
		Confirm: each(v.Confirm, func(c inquest.Command) wireCommand { return wireCommand(c) }),
		Also:    each(v.Also, toCandidate),
	}
	if w.Level == string(inquest.Open) {
		return w
	}
	class, name, culprit := string(v.Mechanism.Class()), v.Mechanism.Name(), v.Culprit
	w.Class, w.Mechanism, w.Culprit, w.Confidence = &class, &name, &culprit, ratio(v.Confidence)
	if t := v.Trigger; t != nil {
		w.Trigger = &wireTrigger{string(t.Kind), at(t.Time), t.Service, t.Version, t.Summary, t.Why}
	}
	return w
}

func toCandidate(c inquest.Candidate) wireCandidate {
	return wireCandidate{
		Class: string(c.Mechanism.Class()), Mechanism: c.Mechanism.Name(), Culprit: c.Culprit,
		Confidence: ratio(c.Confidence), For: each(c.For, same), Against: each(c.Against, same),
	}
}

func toEvidence(e inquest.Evidence) wireEvidence {
	return wireEvidence{e.ID, string(e.Layer), e.Kind, at(e.Time), e.Text, wireSource(e.Source)}
}

func toResource(r inquest.ResourceLevel) wireResource {
	return wireResource{r.Resource, r.Component, r.Instance, numberOrNull(r.Value), numberOrNull(r.Limit), numberOrNull(r.Share), numberOrNull(r.Before), at(r.Time)}
}

// numberOrNull is null for what is no number.
func numberOrNull(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func toCoverage(c inquest.Coverage) wireCoverage {
	layer := func(l inquest.Layer) wireLayer {
		lc := c.Layers[l]
		return wireLayer{cmp.Or(lc.State, layerMissing), lc.Files, lc.Evidence}
	}
	return wireCoverage{
		Layers: wireLayers{
			layer(inquest.LayerResponse), layer(inquest.LayerApplication), layer(inquest.LayerInfrastructure), layer(inquest.LayerChange),
		},
		Files:   each(c.Files, toFile),
		Missing: each(c.Missing, same),
	}
}

func toFile(f inquest.FileCoverage) wireFile {
	return wireFile{f.File, f.Format, f.Records, f.Skipped, at(f.From), at(f.To), each(f.Notes, same)}
}

// share returns part/whole, 0 for an empty whole.
func share(part, whole int) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Min(1, float64(part)/float64(whole))
}
