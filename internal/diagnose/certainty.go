package diagnose

import (
	"math"
	"slices"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// Whatever speaks for a cause, what nobody looked at may hold what speaks against it: a verdict is capped by the evidence that is
// there at all.
const (
	mostCertain = 0.97 // with every layer read
	// layerCost: who skips a layer is wrong once in five times more (REQUIREMENTS 54).
	layerCost = 0.2
	// voiceCost: what stops answering was seen to stop by others; why, only its own log could tell.
	voiceCost = 0.17
	// leastCertain: below one in four, naming a cause is a guess.
	leastCertain = 0.25
)

// confidence turns strength into a calibrated figure and a level, lowered by what could not be checked: a verdict from a
// stack trace alone is unconfirmed until the infrastructure was looked at (REQUIREMENTS 54, 56).
func (a *analysis) confidence(c *candidate, rivals []*candidate) (float64, inquest.VerdictLevel) {
	p := 1 - (1-c.strength)*(1-a.corroborated(c))
	level := inquest.Probable
	if p >= establishedFrom {
		level = inquest.Established
	}
	if a.doubted(c, rivals) {
		level = inquest.Probable
	}
	if a.nameless(c) {
		p *= 0.85
	}
	if a.rivalled(c, rivals) {
		p *= math.Min(0.85, 1-c.elsewhere/2)
	}
	seen, most := a.coverage(c)
	p *= seen
	switch {
	case p < leastCertain:
		level = inquest.Open
	case most < mostCertain:
		level = inquest.Probable
	}
	return math.Round(math.Min(most, p)*100) / 100, level
}

// doubted: something speaks against the cause, nothing shows what is usual, or it is known by its consequence alone.
func (a *analysis) doubted(c *candidate, rivals []*candidate) bool {
	return len(c.against) > 0 || a.c.Baseline.IsZero() || a.nameless(c) || a.mute(c) || a.rivalled(c, rivals)
}

// nameless: a dependency failed, and its caller, who alone tells of it, does not say which.
func (a *analysis) nameless(c *candidate) bool {
	return c.id.Class() == inquest.ClassDependency && a.d.byID[c.id].Roles[0] == mechanism.RolePeer && len(c.observers) == 1 && c.observers[c.culprit] && a.names.Kind(c.culprit) == inquest.KindApp
}

// rivalled: a cause elsewhere has about as much for it, or more requests failed elsewhere, of which it says nothing, than strays do.
func (a *analysis) rivalled(c *candidate, rivals []*candidate) bool {
	return c.elsewhere >= aFew || slices.ContainsFunc(rivals, func(r *candidate) bool { return !a.sameFault(r, c) && a.weight(r)/a.weight(c) > 0.8 })
}

// sameFault: the culprits are one, or may be one that two callers know by different names.
func (a *analysis) sameFault(x, y *candidate) bool {
	return x.culprit == y.culprit || x.id == y.id && (a.names.Find(x.culprit) == nil || a.names.Find(y.culprit) == nil)
}

// mute: others wait for a component of ours in vain, and nothing of its own tells what it does meanwhile.
func (a *analysis) mute(c *candidate) bool {
	return c.id == "dependency-failure/timeout" && a.ours(c.culprit) && a.names.Kind(c.culprit) == inquest.KindApp && !c.observers[c.culprit]
}

// coverage is what was not looked at: the factor by which it lowers the confidence in a cause, and the most that it leaves.
func (a *analysis) coverage(c *candidate) (seen, most float64) {
	seen, most = 1, mostCertain
	for _, l := range []inquest.Layer{inquest.LayerResponse, inquest.LayerApplication, inquest.LayerInfrastructure} {
		if !a.c.Layers[l] {
			seen *= 0.85
			most -= layerCost
		}
	}
	if !a.c.Layers[inquest.LayerChange] { // what set it off, and so what to undo, cannot be told
		seen *= 0.95
		most = math.Min(most, mostCertain-0.01)
	}
	if len(a.c.Series) == 0 { // logs of servers tell what broke, only metrics rule resources out
		seen *= 0.93
	}
	if a.c.Baseline.IsZero() {
		seen *= 0.8
	}
	if a.unheard(c) {
		most -= voiceCost
	}
	if a.unasked(c) {
		most -= layerCost
	}
	return seen, most
}

// unheard: callers tell that a component of ours did not answer, and its own log, in which it could say why, is not there. Of a name that
// does not resolve the callers tell what the resolver said.
func (a *analysis) unheard(c *candidate) bool {
	if c.id.Class() != inquest.ClassDependency || c.id == "dependency-failure/dns" || !a.ours(c.culprit) {
		return false
	}
	x := a.names.Find(c.culprit)
	return !a.c.Layers[inquest.LayerApplication] || x != nil && x.Kind == inquest.KindApp && !x.Logs
}

// unasked: a caller suffers at its end of a database (its pool ran dry), and the server's own log, which would tell of slow and
// waiting statements behind it, is not there.
func (a *analysis) unasked(c *candidate) bool {
	if c.id.Class() != inquest.ClassDatabase || slices.Contains(a.d.byID[c.id].Roles, mechanism.RoleDatabase) || !a.c.Layers[inquest.LayerInfrastructure] {
		return false // or counted with its layer
	}
	return !slices.ContainsFunc(a.c.Components, func(x inquest.Component) bool { return x.Kind == inquest.KindDatabase && x.Logs })
}

// corroborated is how much the consequences that a mechanism declares, directly or through others, seen in the failed requests, add to
// what speaks for it directly: at most half of the doubt goes, since another cause might have the same consequence.
func (a *analysis) corroborated(c *candidate) float64 {
	most := 0.0
	for _, e := range c.explains {
		if e.specific() && e.strength >= faint {
			most = math.Max(most, e.strength/2)
		}
		most = math.Max(most, a.corroborated(e))
	}
	return most
}
