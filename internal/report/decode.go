package report

import (
	"math"
	"time"

	"github.com/inquesthq/inquest"
)

// some maps a list; an empty one becomes nil, as the nouns leave it.
func some[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	return each(in, f)
}

func (s *stamp) time() time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Time(*s)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func mechanismID(class, name string) inquest.MechanismID {
	if class == "" && name == "" {
		return ""
	}
	return inquest.MechanismID(class + "/" + name)
}

func fromWire(w *wireReport) *inquest.Diagnosis {
	return &inquest.Diagnosis{
		Incident: w.Incident,
		Onset:    w.Onset.time(),
		End:      w.End.time(),
		Window:   inquest.Window{From: w.Window.From.time(), To: w.Window.To.time()},
		Baseline: inquest.Window{From: w.Baseline.From.time(), To: w.Baseline.To.time()},
		Impact: inquest.Impact{
			Requests: w.Impact.Requests, Failed: w.Impact.Failed, Ratio: float64(w.Impact.Ratio), Lying: w.Impact.Lying,
			Routes: some(w.Impact.Routes, func(r wireRoute) inquest.RouteImpact {
				return inquest.RouteImpact{Route: r.Route, Requests: r.Requests, Failed: r.Failed, Status: r.Status}
			}),
			Services: some(w.Impact.Services, same), Clients: w.Impact.Clients, Spread: inquest.Spread(w.Impact.Spread),
		},
		Verdict:      fromVerdict(w.Verdict),
		Alternatives: some(w.Alternatives, fromCandidate),
		Suspects: some(w.Suspects, func(s wireSuspect) inquest.Suspect {
			return inquest.Suspect{Component: s.Component, Score: float64(s.Score), Why: s.Why}
		}),
		Resources: some(w.Resources, func(r wireResource) inquest.ResourceLevel {
			return inquest.ResourceLevel{Resource: r.Resource, Component: r.Component, Instance: r.Instance,
				Value: measuredOr(r.Value), Limit: measuredOr(r.Limit), Share: measuredOr(r.Share), Before: measuredOr(r.Before), Time: r.Time.time()}
		}),
		Evidence: some(w.Evidence, func(e wireEvidence) inquest.Evidence {
			return inquest.Evidence{
				ID: e.ID, Layer: inquest.Layer(e.Layer), Kind: e.Kind, Time: e.Time.time(), Text: e.Text,
				Source: inquest.Source(e.Source),
			}
		}),
		Timeline: some(w.Timeline, func(e wireEntry) inquest.Entry {
			return inquest.Entry{Time: e.Time.time(), Kind: e.Kind, Text: e.Text, Evidence: some(e.Evidence, same)}
		}),
		Similar: some(w.Similar, func(s wireSimilar) inquest.Similar {
			return inquest.Similar{Incident: s.Incident, Score: float64(s.Score), Why: s.Why}
		}),
		Coverage: fromCoverage(w.Coverage),
		Chart: inquest.Chart{
			From: w.Chart.From.time(), Step: time.Duration(w.Chart.StepMS) * time.Millisecond,
			Requests: some(w.Chart.Requests, same), Failed: some(w.Chart.Failed, same), Lying: some(w.Chart.Lying, same),
			Marks: some(w.Chart.Marks, func(m wireMark) inquest.Mark {
				return inquest.Mark{Time: m.Time.time(), Kind: m.Kind, Text: m.Text}
			}),
		},
		Notes: some(w.Notes, same),
	}
}

func fromVerdict(w *wireVerdict) *inquest.Verdict {
	if w == nil {
		return nil
	}
	v := &inquest.Verdict{
		Level: inquest.VerdictLevel(w.Level), Mechanism: mechanismID(deref(w.Class), deref(w.Mechanism)),
		Culprit: deref(w.Culprit), Confidence: float64(w.Confidence), Summary: w.Summary,
		Chain: some(w.Chain, func(l wireLink) inquest.Link {
			return inquest.Link{Role: inquest.LinkRole(l.Role), Time: l.Time.time(), Text: l.Text, Evidence: some(l.Evidence, same)}
		}),
		Actions: some(w.Actions, func(a wireAction) inquest.Action {
			return inquest.Action{Text: a.Text, Phase: inquest.Phase(a.Phase), Cures: a.Cures, Command: a.Command}
		}),
		Confirm: some(w.Confirm, func(c wireCommand) inquest.Command { return inquest.Command(c) }),
		Also:    some(w.Also, fromCandidate),
	}
	if t := w.Trigger; t != nil {
		v.Trigger = &inquest.Trigger{
			Kind: inquest.TriggerKind(t.Kind), Time: t.Time.time(), Service: t.Service, Version: t.Version,
			Summary: t.Summary, Why: t.Why,
		}
	}
	return v
}

func fromCandidate(c wireCandidate) inquest.Candidate {
	return inquest.Candidate{
		Mechanism: mechanismID(c.Class, c.Mechanism), Culprit: c.Culprit, Confidence: float64(c.Confidence),
		For: some(c.For, same), Against: some(c.Against, same),
	}
}

func fromCoverage(w wireCoverage) inquest.Coverage {
	layer := func(l wireLayer) inquest.LayerCoverage { return inquest.LayerCoverage(l) }
	return inquest.Coverage{
		Layers: map[inquest.Layer]inquest.LayerCoverage{
			inquest.LayerResponse:       layer(w.Layers.Response),
			inquest.LayerApplication:    layer(w.Layers.Application),
			inquest.LayerInfrastructure: layer(w.Layers.Infrastructure),
			inquest.LayerChange:         layer(w.Layers.Change),
		},
		Files: some(w.Files, func(f wireFile) inquest.FileCoverage {
			return inquest.FileCoverage{
				File: f.File, Format: f.Format, Records: f.Records, Skipped: f.Skipped, From: f.From.time(), To: f.To.time(),
				Notes: some(f.Notes, same),
			}
		}),
		Missing: some(w.Missing, same),
	}
}

func measuredOr(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
