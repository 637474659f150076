package symptom

import (
	"cmp"
	"fmt"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// spanPeer is the field in which a failed span says whom it called (mem.PeerField).
const spanPeer = "span.peer"

// minShare: a line that accompanies half of the failed requests by id is about them, however old it is.
const minShare = 0.5

// patterns keeps the log patterns that can tell something: new or surging ones that warn, fail or come from the
// infrastructure, and those that accompany most failed requests.
func patterns(c *inquest.Case, r *Resolver) []inquest.Symptom {
	var out []inquest.Symptom
	for i := range c.Patterns {
		p := &c.Patterns[i]
		if p.During == 0 || len(p.Examples) == 0 || !telling(p) {
			continue
		}
		if !p.New && !p.Surging && p.Share < minShare {
			continue
		}
		x := Example(p)
		s := inquest.Symptom{Kind: inquest.SymptomPattern, Component: p.Service, Onset: p.First, Last: p.Last, Count: p.During, Share: p.Share,
			Value: float64(p.During), Baseline: float64(p.Before), Limit: none, Pattern: p}
		s.Peer = r.Called(cmp.Or(x.Fields[spanPeer], Peer(x.Text, x.Fields)))
		switch {
		case p.New:
			s.Detail, s.Text = "new", fmt.Sprintf("%s: new line, %d times since %s", p.Service, p.During, mechanism.Clock(p.First, c.Onset, c.Span.To))
		case p.Surging:
			s.Detail, s.Text = "surging", fmt.Sprintf("%s: line %.0f times as frequent as before, %d times", p.Service, p.Ratio, p.During)
		default:
			s.Detail, s.Text = "steady", fmt.Sprintf("%s: line in %.0f%% of the failed requests", p.Service, 100*p.Share)
		}
		s.Evidence = []inquest.Evidence{{Layer: layerOf(p), Kind: kindOf(p), Time: x.Time, Text: x.Text, Source: x.Source}}
		out = append(out, s)
	}
	return out
}

func kindOf(p *inquest.LogPattern) string {
	if p.Span {
		return "span"
	}
	return "log"
}

// telling: chatter of applications below a warning tells nothing, except where the line carries an exception. Databases,
// kernels and supervisors report deaths and starts at any level.
func telling(p *inquest.LogPattern) bool {
	switch p.Origin {
	case inquest.KindDatabase, inquest.KindKernel, inquest.KindSupervisor, inquest.KindCache, inquest.KindBroker, inquest.KindHost, inquest.KindProxy:
		return true
	}
	return p.Level >= inquest.LevelWarn || p.Level == inquest.LevelUnknown || p.Examples[0].Exception != nil
}

// Example is the occurrence to quote: the first one within the incident.
func Example(p *inquest.LogPattern) *inquest.LogExample {
	for i := range p.Examples {
		if !p.Examples[i].Time.Before(p.First) {
			return &p.Examples[i]
		}
	}
	return &p.Examples[0] // lines without a time of their own
}

func layerOf(p *inquest.LogPattern) inquest.Layer {
	switch p.Origin {
	case inquest.KindProxy:
		return inquest.LayerResponse
	case inquest.KindDatabase, inquest.KindCache, inquest.KindBroker, inquest.KindKernel, inquest.KindSupervisor, inquest.KindHost:
		return inquest.LayerInfrastructure
	}
	return inquest.LayerApplication
}
