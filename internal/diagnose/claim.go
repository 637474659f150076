package diagnose

import (
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// claim is one symptom speaking for one mechanism.
type claim struct {
	mechanism inquest.MechanismID
	culprit   string // on whom to act if it holds
	observer  string // who shows the symptom
	strength  float64
	text      bool // rests on words, not on a measurement
	symptom   *inquest.Symptom
	why       string
}

var origins = map[inquest.ComponentKind]mechanism.Origin{
	inquest.KindApp: mechanism.OriginApp, inquest.KindExternal: mechanism.OriginApp, inquest.KindProxy: mechanism.OriginProxy,
	inquest.KindDatabase: mechanism.OriginDatabase, inquest.KindCache: mechanism.OriginCache, inquest.KindBroker: mechanism.OriginBroker,
	inquest.KindKernel: mechanism.OriginKernel, inquest.KindSupervisor: mechanism.OriginSupervisor, inquest.KindHost: mechanism.OriginSupervisor,
}

// claims lets every symptom speak for the mechanisms of the catalogue.
func (a *analysis) claims() {
	// What applications say of their pools tells how to read what the databases behind them say.
	for _, server := range []bool{false, true} {
		for i := range a.symptoms {
			if s := &a.symptoms[i]; s.Pattern != nil && (s.Pattern.Origin == inquest.KindDatabase) == server {
				a.textClaims(s)
			}
		}
	}
	a.guessCall()
	for i := range a.symptoms {
		a.measuredClaims(&a.symptoms[i])
	}
}

// guessCall takes it that one service calls another, of which nothing tells, where the first waits in vain and does not say for whom, and
// the second is the only one that began to starve in that moment.
func (a *analysis) guessCall() {
	waiting, starving := map[string]bool{}, map[string]bool{}
	for i := range a.claimed {
		if cl := &a.claimed[i]; cl.mechanism == "dependency-failure/timeout" && cl.symptom.Peer == "" && cl.strength >= probableFrom {
			waiting[cl.observer] = true
		}
	}
	for i := range a.symptoms {
		s := &a.symptoms[i]
		if s.Kind == inquest.SymptomSaturation && s.Onset.Sub(a.c.Onset).Abs() <= tooLate && a.names.Kind(s.Component) == inquest.KindApp && !a.onPath(s.Component) {
			starving[s.Component] = true
		}
	}
	if len(waiting) != 1 || len(starving) != 1 {
		return
	}
	for from := range waiting {
		for to := range starving {
			a.calls = append(slices.Clone(a.calls), inquest.Edge{From: from, To: to})
		}
	}
}

func (a *analysis) textClaims(s *inquest.Symptom) {
	x := symptom.Example(s.Pattern)
	t := mechanism.Text{Message: x.Text, Origin: origins[s.Pattern.Origin]}
	if e := x.Exception; e != nil {
		t.ExceptionType, t.ExceptionMessage, t.Chain = e.Type, e.Message, e.Chain
		if e.Code != "" {
			t.Codes = append(t.Codes, e.Code)
		}
	}
	for _, k := range []string{"sqlstate", "code", "err.code", "error.code"} {
		if v := x.Fields[k]; v != "" {
			t.Codes = append(t.Codes, v)
		}
	}
	rel := a.relevance(s)
	for _, h := range a.d.matcher.Match(t) {
		if h.Mechanism == "database/pool-exhausted" && h.Weight >= probableFrom {
			a.queued = true
		}
		w := h.Weight * a.peerFit(h.Mechanism, s)
		// Repeated in a compound line ("pool exhausted ... caused by connection refused") the deeper cause is said too: each
		// hit counts by its own weight.
		a.claimed = append(a.claimed, claim{mechanism: h.Mechanism, culprit: a.culprit(h.Mechanism, s), observer: s.Component,
			strength: w * rel, text: true, symptom: s, why: h.Why})
	}
}

func (a *analysis) measuredClaims(s *inquest.Symptom) {
	if s.Kind == inquest.SymptomPattern {
		return
	}
	for i := range a.d.list {
		m := &a.d.list[i]
		for _, sup := range m.Supports {
			if sup.Symptom != s.Kind || sup.Resource != "" && string(sup.Resource) != s.Detail || sup.Detail != "" && sup.Detail != s.Detail {
				continue
			}
			if sup.Resource == "" && sup.Symptom == inquest.SymptomSaturation || !a.kindFits(m, s) {
				continue
			}
			a.claimed = append(a.claimed, claim{mechanism: m.ID, culprit: a.culprit(m.ID, s), observer: s.Component,
				strength: sup.Weight * a.relevance(s), symptom: s, why: sup.Why})
		}
	}
}

// kindFits keeps measurements with the components they can be about: a database is down when a database falls silent,
// not when an application does.
func (a *analysis) kindFits(m *mechanism.Mechanism, s *inquest.Symptom) bool {
	about := s.Component
	if s.Kind == inquest.SymptomUpstream && s.Peer != "" {
		about = s.Peer
	}
	db := a.names.Kind(about) == inquest.KindDatabase
	switch s.Kind {
	case inquest.SymptomGap, inquest.SymptomRestart, inquest.SymptomUpstream:
		if slices.Contains(m.Roles, mechanism.RoleDatabase) {
			return db
		}
		return !db || m.ID.Class() != inquest.ClassDeploy
	}
	if slices.Contains(m.Roles, mechanism.RoleDatabase) && !slices.Contains(m.Roles, mechanism.RoleSelf) && s.Kind == inquest.SymptomSaturation {
		return db
	}
	return true
}

// peerFit weighs "refused", "timeout" and the like by whom they are about: towards a database it is the database's
// mechanisms that fit, towards others the dependency's.
func (a *analysis) peerFit(id inquest.MechanismID, s *inquest.Symptom) float64 {
	if id == "bad-deploy/startup-crash" && a.names.Kind(s.Component) == inquest.KindApp && !a.silent(s.Component) {
		return 0.4 // an application that goes on answering did not crash at its start
	}
	if s.Peer == "" {
		return 1
	}
	kind := a.names.Kind(s.Peer)
	_, port, _ := net.SplitHostPort(s.Peer)
	db := kind == inquest.KindDatabase || symptom.KindAt(s.Peer) == inquest.KindDatabase
	known := kind != "" || port != ""
	switch {
	case id == "database/down" && !db && known:
		return 0.2
	case db && (id == "dependency-failure/refused" || id == "dependency-failure/timeout"):
		return 0.5
	}
	return 1
}

// relevance says how much a symptom has to do with the failed requests, 0 to 1.
func (a *analysis) relevance(s *inquest.Symptom) float64 {
	r := 0.0
	switch {
	case s.Pattern == nil:
		r = a.measuredRelevance(s)
	case s.Share >= 0.02 || s.Share > 0 && s.Count >= 3:
		// Told by the request ids themselves. A fifth of the failures is enough to be a main actor.
		r = 0.6 + 0.4*math.Min(1, s.Share/0.2)
		if !a.c.Proxy {
			// The service that logs the error says itself that the request failed: one witness, heard twice. What clients got,
			// only who stands in front could confirm.
			r = math.Min(r, a.timeRelevance(s))
		}
	case s.Share >= 0 && s.Pattern.Origin == inquest.KindApp:
		// Its lines carry ids, and none of them is of a failed request.
		r = 0.1
	default:
		r = a.timeRelevance(s)
	}
	return r * a.nearness(s)
}

// timeRelevance judges a line without request ids by time alone.
func (a *analysis) timeRelevance(s *inquest.Symptom) float64 {
	p := s.Pattern
	r := 0.75
	if p.Surging {
		r = 0.65
	} else if !p.New {
		r = 0.3
	}
	// What a balancer says of the state of a server it says once, as a server tells of itself.
	infra := p.Origin != inquest.KindApp && (p.Origin != inquest.KindProxy || serverState.MatchString(symptom.Example(p).Text))
	if p.New && a.silent(s.Component) && s.Onset.Sub(a.c.Onset).Abs() < time.Minute {
		return 0.9 // a process that dies says so once
	}
	often := 0.75 // no failed request is known one by one: that the line is about as frequent is likely, and not measured
	if failed := len(a.c.Failures); failed > 0 {
		often = math.Min(1, float64(s.Count)/float64(failed)*3)
	}
	switch {
	case infra && p.Level >= inquest.LevelWarn, infra && p.Level == inquest.LevelUnknown:
		return r // one complaint of a kernel or a database is enough
	case infra:
		// What a server mentions in passing (a slow statement, a checkpoint) has to be frequent. Who waits for a connection in vain sends
		// it nothing: behind a pool that ran dry it does not see the failed requests, but those that hold what they wait for.
		if a.queued {
			often = math.Max(often, math.Min(1, a.connectionsKept(s)))
		}
		return r * (0.3 + 0.7*often)
	}
	// A line that explains failures goes on as long as they do, and is about as frequent.
	lasting := 1.0
	if span := a.incidentEnd().Sub(a.c.Onset); span > 0 {
		last := p.Last
		lasting = math.Max(0, math.Min(1, float64(last.Sub(a.c.Onset))/float64(span)/0.5))
	}
	return r * (0.4 + 0.3*often + 0.3*lasting)
}

// tookTime matches how long a statement took, in the lines of PostgreSQL (ms), MongoDB (ms) and MySQL (s).
var tookTime = regexp.MustCompile(`(?:\bduration: |"durationMillis":)(\d+(?:\.\d+)?)|\bQuery_time: (\d+(?:\.\d+)?)`)

// connectionsKept is how many connections the statements of a server's log kept on average since the first one, as far as it says how long they
// took (Little's law: so many at once as come a second times the seconds that each takes).
func (a *analysis) connectionsKept(s *inquest.Symptom) float64 {
	m := tookTime.FindStringSubmatch(symptom.Example(s.Pattern).Text)
	if m == nil {
		return 0
	}
	seconds, _ := strconv.ParseFloat(m[1]+m[2], 64) // digits; one of the two
	if m[1] != "" {
		seconds /= 1000
	}
	span := a.incidentEnd().Sub(s.Pattern.First).Seconds() + seconds // they are told when they end
	return float64(s.Count) * seconds / math.Max(span, seconds)
}

// incidentEnd is when the failures ended, or the record does.
func (a *analysis) incidentEnd() time.Time {
	if !a.c.End.IsZero() {
		return a.c.End
	}
	return a.c.Window.To
}

// serverState matches how balancers tell that a health check took a server out: HAProxy, nginx, Apache, Envoy, Traefik, Caddy, AWS.
var serverState = regexp.MustCompile(`(?i)^server \S+ is down|health[ -]?check|marked (?:as )?(?:down|dead|unhealthy)|unhealthy`)

// silent reports whether a component stopped serving: monitoring lost it, it restarts in a loop, or most failed requests
// were refused at its door.
func (a *analysis) silent(component string) bool {
	return slices.ContainsFunc(a.symptoms, func(s inquest.Symptom) bool {
		switch s.Kind {
		case inquest.SymptomGap:
			return s.Component == component
		case inquest.SymptomRestart:
			return s.Component == component && s.Detail == "crash-loop"
		case inquest.SymptomUpstream:
			return s.Peer == component && (s.Detail == "refused" || s.Detail == "no-live" || s.Detail == "no-answer") && s.Share >= 0.3
		}
		return false
	})
}

func (a *analysis) measuredRelevance(s *inquest.Symptom) float64 {
	switch s.Kind {
	case inquest.SymptomUpstream, inquest.SymptomPlateau:
		return 0.5 + 0.5*math.Min(1, math.Max(0, s.Share)/0.3)
	case inquest.SymptomSaturation:
		// A limit reached around the onset or before; one that fills much later is a consequence.
		if late := s.Onset.Sub(a.c.Onset); late > 30*time.Second {
			return 0.5
		}
		return 1
	}
	return 0.8
}

// nearness asks whether the component can have to do with the failed requests: it answered them, or is infrastructure, or a
// component on their path called it. Somebody else's error log during an incident is mostly coincidence.
func (a *analysis) nearness(s *inquest.Symptom) float64 {
	switch kind := a.names.Kind(s.Component); {
	case kind != "" && kind != inquest.KindApp:
		return 1
	case s.Share > 0.02, len(a.c.Impact.Services) == 0, s.Component == a.c.Observer:
		return 1
	case slices.Contains(a.c.Impact.Services, s.Component), a.onPath(s.Component):
		return 1
	}
	return 0.3
}

// onPath reports whether a service that failed calls the component, directly or through others.
func (a *analysis) onPath(component string) bool { return a.leads(a.c.Impact.Services, component) }

// leads reports whether one of the services calls the component, directly or through others, or is it.
func (a *analysis) leads(services []string, component string) bool {
	seen := map[string]bool{}
	todo := slices.Clone(services)
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		if s == component {
			return true
		}
		if seen[s] {
			continue
		}
		seen[s] = true
		for _, e := range a.calls {
			if e.From == s {
				todo = append(todo, e.To)
			}
		}
		for _, sy := range a.symptoms { // whom it named in its own errors
			if sy.Component == s && sy.Peer != "" {
				todo = append(todo, sy.Peer)
			}
		}
	}
	return false
}
