package diagnose

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Strengths from which a cause may be called probable or established. Established asks for one literal statement in the
// failed requests themselves (0.8 and more) or two independent witnesses; probable for one usual meaning.
const (
	probableFrom    = 0.4
	establishedFrom = 0.75
	faint           = 0.25 // what is weaker is neither listed nor counted: half a trace at the end of a file, a line in passing
)

// decide ranks what was not explained away, and writes the verdict.
func (a *analysis) decide() {
	var open []*candidate
	for _, c := range a.cands {
		c.elsewhere = a.remainder(c)
		// What fits a dozen mechanisms (slow answers, a time-out's length, an upstream's status) names none of them.
		if (c.explained == nil || c.root().strength < probableFrom) && c.specific() {
			open = append(open, c)
		}
	}
	slices.SortStableFunc(open, func(x, y *candidate) int {
		if p, q := a.weight(x), a.weight(y); p != q {
			if p > q {
				return -1
			}
			return 1
		}
		return a.compare(x, y)
	})
	if len(open) == 0 || open[0].strength < probableFrom {
		a.undecided(open)
		return
	}
	best := open[0]
	v := &inquest.Verdict{Mechanism: best.id, Culprit: a.display(best.culprit)}
	v.Trigger = a.trigger(best)
	a.byTrigger(best, v)
	v.Confidence, v.Level = a.confidence(best, open[1:])
	a.chain(best, v)
	m := a.d.byID[best.id]
	v.Actions = a.actions(best, v)
	v.Confirm = a.fill(m.Confirm, best, v)
	v.Summary = a.summary(best, v)
	v.Also = a.second(best, open[1:])
	a.out.Verdict = v
	a.alternatives(best)
	a.timeline(v)
	a.out.Evidence = a.evidence
}

// display is how a culprit is printed: a component by its name, anybody else by the host without its port.
func (a *analysis) display(name string) string {
	if a.names.Find(name) != nil {
		return a.names.Name(name)
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}

// root is the deepest candidate that explains c. One that is a guess itself silences nothing: without this, a weak reason behind
// an established fact would leave the verdict open.
func (c *candidate) root() *candidate {
	for c.explained != nil {
		c = c.explained
	}
	return c
}

// weight ranks candidates: by their own strength, and by how much of the failure they explain, themselves or through what
// they bring about. What explains others is deeper and earlier, which is worth more than being louder.
func (a *analysis) weight(c *candidate) float64 {
	share, known := math.Max(0, c.share), c.share >= 0
	brought := 0.0
	var walk func(x *candidate)
	walk = func(x *candidate) {
		for _, e := range x.explains {
			brought = math.Max(brought, e.strength)
			if e.share > share {
				share = e.share
			}
			known = known || e.share >= 0
			walk(e)
		}
	}
	walk(c)
	w := c.strength * (1 + 0.3*brought)
	if known {
		w *= 0.5 + 0.5*math.Min(1, share/0.3)
	}
	if a.lateComer(c) {
		w *= 0.8
	}
	return w * (1 - c.elsewhere/2)
}

// tooLate is how long after the first failure a cause that is told in words may be told first, when another one was told with it: time
// for a call to run into its time-out.
const tooLate = 5 * time.Second

// lateComer reports whether the words for c come only after requests have failed for a while of something else that is told: it may
// have made things worse, and did not begin them.
func (a *analysis) lateComer(c *candidate) bool {
	told, ok := c.told()
	if !ok || told.Sub(a.c.Onset) <= tooLate {
		return false
	}
	return slices.ContainsFunc(a.cands, func(o *candidate) bool {
		first, ok := o.told()
		return ok && o.explained == nil && o.strength >= probableFrom && first.Sub(a.c.Onset) <= time.Second
	})
}

// told is when the first words for a candidate came.
func (c *candidate) told() (first time.Time, ok bool) {
	for i := range c.claims {
		if cl := &c.claims[i]; cl.text && cl.strength >= faint && (!ok || cl.symptom.Onset.Before(first)) {
			first, ok = cl.symptom.Onset, true
		}
	}
	return first, ok
}

// byTrigger lets the change that set a fault off choose between the components on which one could act: a slow query is
// the database's matter after an index was dropped, and the service's after a release.
func (a *analysis) byTrigger(c *candidate, v *inquest.Verdict) {
	t := v.Trigger
	if t == nil || t.Service == "" {
		return
	}
	who := a.names.Name(t.Service)
	if strings.HasPrefix(t.Summary, inquest.JobBegan) && (a.d.byID[c.id].Shared || c.id.Class() == inquest.ClassDatabase) { // what it shares is well when it ends
		v.Culprit = who
		return
	}
	if who == c.culprit || !c.observers[who] {
		return
	}
	roles := a.d.byID[c.id].Roles
	if len(roles) > 1 {
		v.Culprit = who
	}
}

// undecided writes an open verdict: it names no cause, but what would be needed.
func (a *analysis) undecided(open []*candidate) {
	v := &inquest.Verdict{Level: inquest.Open}
	v.Summary = "Requests fail, and the evidence does not say why. " + a.lacking()
	if s := a.c.Suspects; len(s) > 0 && a.c.Impact.Failed == 0 {
		v.Summary = fmt.Sprintf("The alert is real: most of what deviates begins at %s (%s). What is wrong there, the evidence does not say. %s", s[0].Component, s[0].Why, a.lacking())
	}
	a.symptomLinks(v)
	a.out.Verdict = v
	for _, c := range open[:min(3, len(open))] {
		a.out.Alternatives = append(a.out.Alternatives, a.asCandidate(c, ""))
	}
	a.timeline(v)
	a.out.Evidence = a.evidence
}

func (a *analysis) lacking() string {
	var miss []string
	for _, l := range []inquest.Layer{inquest.LayerResponse, inquest.LayerApplication, inquest.LayerInfrastructure, inquest.LayerChange} {
		if !a.c.Layers[l] {
			miss = append(miss, map[inquest.Layer]string{
				inquest.LayerResponse: "the gateway's access log", inquest.LayerApplication: "the application's log",
				inquest.LayerInfrastructure: "metrics and the logs of database and supervisor", inquest.LayerChange: "the record of changes"}[l])
		}
	}
	if len(miss) == 0 {
		return "All layers were read; the application logs no reason for the failed requests: raise its log level for a while, or trace them."
	}
	return "Get " + strings.Join(miss, ", ") + " for the same time."
}

// second names an independent second cause: another culprit, of requests that the first does not touch.
func (a *analysis) second(best *candidate, rest []*candidate) []inquest.Candidate {
	for _, c := range rest {
		if c.strength < 0.6 || c.culprit == best.culprit || c.share < 0.1 && c.share >= 0 || c.share < 0 {
			continue
		}
		if best.share >= 0 && best.share+c.share <= 1.05 && !a.sameRequests(best, c) {
			return []inquest.Candidate{a.asCandidate(c, "")}
		}
	}
	return nil
}

// sameRequests: one component logged both.
func (a *analysis) sameRequests(x, y *candidate) bool { return a.shareObserver(x, y) }

// alternatives lists what else was considered, with what speaks against it.
func (a *analysis) alternatives(best *candidate) {
	for _, c := range a.cands {
		if c == best || len(a.out.Alternatives) >= 5 || c.strength < faint {
			continue
		}
		reason := ""
		switch {
		case c.explained != nil:
			reason = fmt.Sprintf("a consequence of %s at %s, which is there since %s", c.explained.id, c.explained.culprit, a.clock(c.explained.onset))
		case c.share >= 0 && best.share > c.share:
			reason = fmt.Sprintf("it accompanies %.0f%% of the failed requests, the cause %.0f%%", 100*c.share, 100*best.share)
		default:
			reason = "weaker evidence"
		}
		a.out.Alternatives = append(a.out.Alternatives, a.asCandidate(c, reason))
	}
}

func (a *analysis) asCandidate(c *candidate, against string) inquest.Candidate {
	out := inquest.Candidate{Mechanism: c.id, Culprit: a.display(c.culprit), Confidence: math.Round(c.strength*50) / 100, For: []string{}, Against: slices.Clone(c.against)}
	seen := map[string]bool{}
	for _, cl := range c.claims {
		if len(out.For) >= 3 || seen[cl.symptom.Text] {
			continue
		}
		seen[cl.symptom.Text] = true
		out.For = append(out.For, cl.symptom.Text+" ("+cl.why+")")
	}
	if against != "" {
		out.Against = append(out.Against, against)
	}
	return out
}
