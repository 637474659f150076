package diagnose

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// candidate is one mechanism at one culprit, with everything that speaks for it.
type candidate struct {
	id        inquest.MechanismID
	culprit   string
	claims    []claim
	strength  float64 // 0 to 1
	onset     time.Time
	share     float64 // of the failed requests, by its own lines; -1 unknown
	layers    map[inquest.Layer]bool
	observers map[string]bool
	explained *candidate // by whom it is explained away
	explains  []*candidate
	against   []string
	doubt     float64 // factor below 1 for what speaks against it
	elsewhere float64 // see remainder; known from decide on
}

// active is the strength from which a candidate may explain others: weaker ones are guesses.
const active = 0.35

// candidates joins the claims by mechanism and culprit.
func (a *analysis) candidates() {
	type key struct {
		id      inquest.MechanismID
		culprit string
	}
	by := map[key]*candidate{}
	var order []key
	a.joinEnds()
	for _, cl := range a.claimed {
		k := key{cl.mechanism, cl.culprit}
		if by[k] == nil {
			by[k] = &candidate{id: cl.mechanism, culprit: cl.culprit, layers: map[inquest.Layer]bool{}, observers: map[string]bool{}, share: -1, doubt: 1}
			order = append(order, k)
		}
		by[k].claims = append(by[k].claims, cl)
	}
	for _, k := range order {
		c := by[k]
		c.weigh(a.d.byID[c.id].Silent)
		a.contradict(c)
		c.strength *= c.doubt
		if c.strength > 0.05 {
			a.cands = append(a.cands, c)
		}
	}
	slices.SortStableFunc(a.cands, a.compare)
}

// joinEnds lets the two ends of one fault speak for one candidate: what a server's own log says and what its callers say of it, a
// full disk that the host's metrics show and the service on it complains of. Told twice it is surer, and no rival to itself. On
// whom to act, the catalogue's first role says; the trigger may choose the other (byTrigger).
func (a *analysis) joinEnds() {
	servers, callers := map[inquest.MechanismID]string{}, map[inquest.MechanismID]string{}
	note := func(of map[inquest.MechanismID]string, id inquest.MechanismID, who string) {
		if old, ok := of[id]; ok && old != who {
			who = "" // several: which of them it is about is not known
		}
		of[id] = who
	}
	for i := range a.claimed {
		cl := &a.claimed[i]
		if !cl.text && cl.symptom.Kind != inquest.SymptomSaturation || cl.strength < 0.15 || !a.twoEnded(cl) {
			continue
		}
		if a.serverEnd(cl) {
			note(servers, cl.mechanism, cl.culprit)
		} else {
			note(callers, cl.mechanism, cl.culprit)
		}
	}
	for i := range a.claimed {
		cl := &a.claimed[i]
		server, caller := servers[cl.mechanism], callers[cl.mechanism]
		if server == "" || caller == "" || cl.culprit != server && cl.culprit != caller {
			continue
		}
		if cl.culprit = caller; a.d.byID[cl.mechanism].Roles[0] == mechanism.RoleDatabase {
			cl.culprit = server
		}
	}
}

// twoEnded: a mechanism between a database and its callers, or a resource of a host that its services share.
func (a *analysis) twoEnded(cl *claim) bool {
	return slices.Contains(a.d.byID[cl.mechanism].Roles, mechanism.RoleDatabase) && slices.Contains(a.d.byID[cl.mechanism].Roles, mechanism.RoleSelf)
}

// serverEnd: the claim is of the server's side: it acts on a database, or on a host of which only metrics are known.
func (a *analysis) serverEnd(cl *claim) bool {
	return a.names.Kind(cl.culprit) == inquest.KindDatabase || a.names.Find(cl.culprit) == nil && cl.symptom.Kind == inquest.SymptomSaturation
}

func (a *analysis) compare(x, y *candidate) int {
	return cmp.Or(cmp.Compare(y.strength, x.strength), cmp.Compare(a.d.order[x.id], a.d.order[y.id]), cmp.Compare(x.culprit, y.culprit))
}

// weigh combines the claims: the strongest text and the strongest measurement of each kind are independent witnesses (the
// chance that all err is the product); further lines of the same kind repeat what one said.
func (c *candidate) weigh(silent bool) {
	best := map[string]float64{}
	for i := range c.claims {
		cl := &c.claims[i]
		kind := string(cl.symptom.Kind)
		if cl.text {
			kind = "text:" + string(layer(cl.symptom))
		}
		best[kind] = math.Max(best[kind], cl.strength)
		if cl.strength >= 0.15 {
			c.layers[layer(cl.symptom)] = true
			if c.onset.IsZero() || cl.symptom.Onset.Before(c.onset) {
				c.onset = cl.symptom.Onset
			}
			c.observers[cl.observer] = true
		}
		if cl.text {
			c.share = math.Max(c.share, cl.symptom.Share)
		}
	}
	if c.onset.IsZero() {
		c.onset = c.claims[0].symptom.Onset
	}
	kinds := make([]string, 0, len(best))
	texts := false
	for k := range best {
		kinds = append(kinds, k)
		texts = texts || k[0] == 't' && len(k) > 5
	}
	slices.Sort(kinds) // floating point is not associative: a fixed order keeps the bytes of the report the same
	miss := 1.0
	for _, k := range kinds {
		miss *= 1 - math.Min(0.97, best[k])
	}
	c.strength = 1 - miss
	if !texts && !silent {
		c.strength *= 0.8 // a mechanism that usually speaks, and is silent here
	}
	slices.SortStableFunc(c.claims, func(x, y claim) int { return cmp.Compare(y.strength, x.strength) })
}

func layer(s *inquest.Symptom) inquest.Layer {
	if len(s.Evidence) > 0 {
		return s.Evidence[0].Layer
	}
	return inquest.LayerResponse
}

// explain lets deeper candidates explain others away: along declared consequences, along the call graph, and in time.
func (a *analysis) explain() {
	for _, x := range a.cands {
		if x.strength < active || !x.specific() {
			continue
		}
		for _, y := range a.cands {
			if x == y || y.explained != nil || !a.brings(x, y) {
				continue
			}
			if loops(x, y) {
				continue
			}
			y.explained = x
			x.explains = append(x.explains, y)
		}
	}
}

// specific reports whether something points at this mechanism and few others: words, a resource at its limit, silence. Slow
// answers and time-outs fit a dozen mechanisms and explain nothing.
func (c *candidate) specific() bool {
	return slices.ContainsFunc(c.claims, func(cl claim) bool {
		switch cl.symptom.Kind {
		case inquest.SymptomPattern:
			return cl.strength >= faint
		case inquest.SymptomSaturation, inquest.SymptomGap:
			return true
		case inquest.SymptomTraffic:
			return cl.symptom.Detail == "heavy"
		case inquest.SymptomUpstream:
			// A new address, or a proxy's own word for a full queue (Envoy's UO, HAProxy's sQ): these have one meaning.
			return cl.symptom.Detail == "moved" || cl.symptom.Detail == "overload"
		}
		return false
	})
}

func loops(x, y *candidate) bool {
	for p := x; p != nil; p = p.explained {
		if p == y {
			return true
		}
	}
	return false
}

// slack: clocks differ, metrics are scraped every 15 to 30 seconds, and the first to complain is not always the first to
// suffer. Resources are seen at their limit only by the next scrape.
const slack = 35 * time.Second

// brings reports whether x brings y about.
func (a *analysis) brings(x, y *candidate) bool {
	if x.onset.After(y.onset.Add(slack)) {
		return false
	}
	mx := a.d.byID[x.id]
	same := x.culprit == y.culprit || y.observers[x.culprit] || a.shareObserver(x, y)
	if mx.Roles[0] == mechanism.RolePeer && x.id != y.id {
		// What a dependency does to its callers shows in the callers, not in the dependency itself.
		same = a.shareObserver(x, y) || x.observers[y.culprit] && y.culprit != x.culprit
	}
	if a.names.Kind(x.culprit) == inquest.KindDatabase && y.id.Class() == inquest.ClassDatabase && a.onlyDatabase(x.culprit) {
		same = true // what services say about their database is about this one
	}
	if same && slices.Contains(a.closure(x.id), y.id) {
		return true
	}
	if x.culprit == y.culprit && x.id == y.id {
		return false
	}
	if a.names.Kind(x.culprit) == inquest.KindCache && slices.Contains(fallThrough, y.id) {
		return true
	}
	// Up the call graph: what the callers of a sick component report about it.
	if a.caller(y, x) {
		return slices.Contains(mx.Above, y.id) || slices.Contains(mx.Explains, y.id) || y.id.Class() == inquest.ClassDependency && y.culprit == x.culprit && x.id != y.id && x.id.Class() != inquest.ClassDependency
	}
	return false
}

func (a *analysis) onlyDatabase(name string) bool {
	of := a.names.OfKind(inquest.KindDatabase, a.c.Components)
	return len(of) == 1 && of[0] == name
}

// fallThrough lists what happens to a database when the cache in front of it is gone: all reads reach it.
var fallThrough = []inquest.MechanismID{"database/slow-query", "database/pool-exhausted", "database/too-many-connections", "database/lock-contention",
	"resource-exhaustion/cpu", "resource-exhaustion/threads", "dependency-failure/timeout"}

// shareObserver: both were told by the same component's log, so they are of the same requests.
func (a *analysis) shareObserver(x, y *candidate) bool {
	for o := range x.observers {
		if y.observers[o] && a.names.Kind(o) != inquest.KindProxy {
			return true
		}
	}
	return false
}

// caller reports whether y was observed by somebody who calls x's culprit: the proxy in front, or a service upstream.
func (a *analysis) caller(y, x *candidate) bool {
	for o := range y.observers {
		if o == x.culprit {
			continue
		}
		if a.names.Kind(o) == inquest.KindProxy {
			// It stands in front of everybody: what it says of another service is that one's matter, unless that one calls x's.
			kind := a.names.Kind(y.culprit)
			stranger := kind == "" && a.servers[y.culprit].failed > 0 && a.servers[x.culprit].failed > 0 // both are upstreams, and not the same one
			if kind != inquest.KindApp && !stranger || a.leads([]string{y.culprit}, x.culprit) {
				return true
			}
			continue
		}
		if slices.ContainsFunc(a.calls, func(e inquest.Edge) bool { return e.From == o && e.To == x.culprit }) {
			return true
		}
		for _, s := range a.symptoms {
			if s.Component == o && s.Peer == x.culprit {
				return true
			}
		}
	}
	return false
}

// closure lists what a mechanism explains, directly or through others.
func (a *analysis) closure(id inquest.MechanismID) []inquest.MechanismID {
	var out []inquest.MechanismID
	todo := slices.Clone(a.d.byID[id].Explains)
	for len(todo) > 0 {
		n := todo[0]
		todo = todo[1:]
		if n == id || slices.Contains(out, n) {
			continue
		}
		out = append(out, n)
		if m := a.d.byID[n]; m != nil {
			todo = append(todo, m.Explains...)
		}
	}
	return out
}
