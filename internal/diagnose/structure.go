package diagnose

import (
	"fmt"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
	"github.com/inquesthq/inquest/internal/pattern"
)

// structure adds what no single line says: an upstream address that was not there before, a release after which an exception
// appears, exceptions that the catalogue does not know.
func (a *analysis) structure() {
	a.movedUpstream()
	a.afterRelease()
	a.afterConfig()
	a.goneServers()
	a.frozen()
	a.uncaught()
}

func (a *analysis) claim(id inquest.MechanismID, culprit string, strength float64, s *inquest.Symptom, why string) {
	if a.d.byID[id] == nil {
		return
	}
	a.claimed = append(a.claimed, claim{mechanism: id, culprit: culprit, observer: s.Component, strength: strength, symptom: s, why: why})
}

// movedUpstream: the proxy sends requests to an address that it did not know before, and gets no answer there, while the
// address that had worked gets none any more. Where the service stopped, the old address would be the failing one.
func (a *analysis) movedUpstream() {
	if a.c.Baseline.IsZero() {
		return // nothing is known of the time before: every address is new
	}
	for _, u := range a.c.Upstreams {
		if u.BaselineOK+u.BaselineFailed > 0 || u.IncidentFailed < 3 || u.IncidentOK*10 > u.IncidentFailed {
			continue
		}
		if _, _, err := net.SplitHostPort(u.Addr); err != nil {
			continue // nginx logs the group's name, which is no address, when no server of it is left
		}
		if u.FirstSeen.Before(a.c.Onset.Add(-5 * time.Second)) {
			continue
		}
		if a.unseenByChance(&u) {
			continue
		}
		gateway := a.names.Name(u.Observer)
		text := fmt.Sprintf("%s sends requests to %s, where it never did before the onset, and %d of %d failed", gateway, u.Addr, u.IncidentFailed, u.IncidentFailed+u.IncidentOK)
		s := &inquest.Symptom{Kind: inquest.SymptomUpstream, Detail: "moved", Component: gateway, Peer: u.Addr, Onset: a.c.Onset, Count: u.IncidentFailed, Share: -1, Text: text,
			Evidence: a.viaEvidence(u.Addr, text)}
		a.symptoms = append(a.symptoms, *s)
		a.claim("misconfiguration/wrong-upstream", gateway, 0.9, s, "an upstream address that appears with the first failure, and does not answer")
	}
}

// unseenByChance reports whether an address may have been in use before the onset already, and got none of the requests that are
// known of that time by chance: there were few, or it gets few. One in a thousand is taken for no chance.
func (a *analysis) unseenByChance(u *inquest.UpstreamUse) bool {
	before, during := 0, 0
	for _, o := range a.c.Upstreams {
		if o.Observer == u.Observer {
			before += o.BaselineOK + o.BaselineFailed
			during += o.IncidentOK + o.IncidentFailed
		}
	}
	share := float64(u.IncidentOK+u.IncidentFailed) / float64(max(1, during))
	return before == 0 || math.Pow(1-share, float64(before)) > 0.001
}

func (a *analysis) viaEvidence(addr, text string) []inquest.Evidence {
	for _, f := range a.c.Failures {
		if strings.Contains(f.Upstream, addr) {
			return []inquest.Evidence{{Layer: inquest.LayerResponse, Kind: "request", Time: f.Time, Text: fmt.Sprintf("%s %d (upstream %s)", f.Route, f.Status, f.Upstream), Source: f.Source}}
		}
	}
	return []inquest.Evidence{{Layer: inquest.LayerResponse, Kind: "request", Time: a.c.Onset, Text: text}}
}

// afterRelease: requests began to fail right after a service was deployed, and the failures are that service's.
func (a *analysis) afterRelease() {
	for _, ch := range a.c.Changes {
		if ch.Kind != inquest.ChangeDeploy {
			continue
		}
		d := a.c.Onset.Sub(ch.Time)
		if d < -2*time.Second || d > 5*time.Minute { // a process takes seconds to minutes to roll over
			continue
		}
		who := a.names.Name(ch.Service)
		if !slices.Contains(a.c.Impact.Services, who) {
			continue
		}
		for i := range a.symptoms {
			s := &a.symptoms[i]
			if s.Pattern != nil && s.Component == who && s.Pattern.New && s.Pattern.Level >= inquest.LevelError && s.Share != 0 {
				a.claim("bad-deploy/regression", who, 0.45, s, "an error that the version before never wrote, in the requests that fail")
				break
			}
		}
	}
}

// goneServers: monitoring finds a cache or broker gone. (Databases and applications have entries of their own for that.)
func (a *analysis) goneServers() {
	for i := range a.symptoms {
		s := &a.symptoms[i]
		if s.Kind != inquest.SymptomGap {
			continue
		}
		switch a.names.Kind(s.Component) {
		case inquest.KindCache, inquest.KindBroker:
			if a.waitedFor(s.Component) {
				a.claim("dependency-failure/timeout", s.Component, 0.6, s, "a server that monitoring cannot reach, and that keeps its clients waiting, stands still")
				continue
			}
			a.claim("dependency-failure/refused", s.Component, 0.6, s, "a server that monitoring cannot reach refuses its clients too")
		}
	}
}

// waitedFor reports whether a server's clients say that it did not answer in time, and none that it refused them.
func (a *analysis) waitedFor(name string) bool {
	timeouts := false
	for i := range a.claimed {
		switch cl := &a.claimed[i]; {
		case cl.culprit != name || !cl.text || cl.strength < 0.3:
		case cl.mechanism == "dependency-failure/refused":
			return false
		case cl.mechanism == "dependency-failure/timeout":
			timeouts = true
		}
	}
	return timeouts
}

// settingWords of a change's summary tell what a configuration change can break between a caller and its callee.
var settingWords = map[inquest.MechanismID][]string{
	"misconfiguration/timeout-too-short":  {"timeout", "time-out", "time out", "deadline", "patience", "fail fast"},
	"misconfiguration/keepalive-mismatch": {"keepalive", "keep-alive", "keep alive", "idle timeout", "idle_timeout", "idletimeout", "wait_timeout", "idle_session", "idle-session", "max_idle", "maxlifetime", "sleeping connections"},
	"misconfiguration/limit-too-small":    {"limit", "maxconn", "max_conn", "max connections", "max_requests", "max_body", "body size", "buffer", "max_size", "maximum size", "header size"},
	"misconfiguration/wrong-upstream": {"upstream", "backend", "address", "port", "host", "route", "routing", "registry", "discovery", "inventory", "endpoint", "url",
		"proxy_pass", "caddyfile", "cluster", "dns", "target", "server list", "service map", "generated", "regenerate", "template"},
	"misconfiguration/wrong-path": {"dir", "path", "folder", "file", "template", "root", "mount", "volume", "storage", "location", "home", "theme"},
}

// reread says which misconfiguration a failure turns out to be when who complains was reconfigured right before: nothing listens
// at a wrong address, a name that nobody has does not resolve, whoever answered in time before is too slow for a shorter
// time-out, a file that no release took away is looked for in the wrong place, and a queue fills before a limit that was lowered.
var reread = map[inquest.MechanismID]inquest.MechanismID{
	"dependency-failure/refused": "misconfiguration/wrong-upstream", "dependency-failure/dns": "misconfiguration/wrong-upstream",
	"dependency-failure/timeout": "misconfiguration/timeout-too-short", "bad-deploy/missing-dependency": "misconfiguration/wrong-path",
	"dependency-failure/upstream-overload": "misconfiguration/limit-too-small",
}

// afterConfig: a caller was reconfigured, and in the same seconds what it calls began to fail for it.
func (a *analysis) afterConfig() {
	for i := range a.c.Changes {
		ch := &a.c.Changes[i]
		gap := a.c.Onset.Sub(ch.Time)
		if ch.Kind != inquest.ChangeConfig || gap < -2*time.Second || gap > 20*time.Second { // a reload takes effect in seconds
			continue
		}
		who, text := a.names.Name(ch.Service), strings.ToLower(ch.Summary)
		for _, cl := range slices.Clone(a.claimed) {
			if id, ok := reread[cl.mechanism]; ok && cl.observer == who && cl.strength >= 0.3 && pattern.ContainsAny(text, settingWords[id]) {
				a.claim(id, who, 0.85, cl.symptom, "the caller's settings for it were changed in the same seconds")
			}
			// A text that may mean such a setting, and the setting changed at either end of the connection.
			if near := cl.observer == who || cl.culprit == who || cl.symptom.Peer == who; near && cl.strength >= 0.15 && pattern.ContainsAny(text, settingWords[cl.mechanism]) {
				a.claim(cl.mechanism, who, 0.85, cl.symptom, "the setting that this is about was changed in the same seconds")
			}
		}
	}
}

// uncaught: an exception in the failed requests that no clue knows is still an unhandled exception.
func (a *analysis) uncaught() {
	known := map[*inquest.LogPattern]bool{}
	for _, cl := range a.claimed {
		if cl.text && cl.strength >= 0.2 && cl.symptom.Pattern != nil {
			known[cl.symptom.Pattern] = true
		}
	}
	for i := range a.symptoms {
		s := &a.symptoms[i]
		if s.Pattern == nil || known[s.Pattern] || s.Pattern.Origin != inquest.KindApp {
			continue
		}
		if x := symptom.Example(s.Pattern); x.Exception != nil && (s.Share > 0.1 || s.Share < 0 && s.Pattern.New) {
			a.claim("unhandled-exception/uncaught", s.Component, 0.5*a.relevance(s), s, "an exception in the failed requests")
		}
	}
}

// contradict weighs what speaks against a candidate.
func (a *analysis) contradict(c *candidate) {
	switch c.id {
	case "dependency-failure/refused", "dependency-failure/timeout", "database/down":
		a.aliveElsewhere(c)
		if c.id == "database/down" {
			a.servesMeanwhile(c)
		}
	case "bad-deploy/startup-crash":
		a.servedBetween(c)
	case "misconfiguration/wrong-upstream":
		a.workedBefore(c)
	case "misconfiguration/keepalive-mismatch":
		a.waitedLong(c)
	}
	if c.id == "database/pool-exhausted" {
		a.beganLater(c)
	}
	if c.onset.After(a.c.Onset.Add(2*time.Minute)) && a.c.Window.Duration() > 0 {
		c.against = append(c.against, fmt.Sprintf("first seen %s after the first failed request", c.onset.Sub(a.c.Onset).Round(time.Second)))
		c.doubt *= 0.6
	}
}

// workedBefore: an address that answered until the onset is the right one, unless something says that the caller's settings changed.
func (a *analysis) workedBefore(c *candidate) {
	peers := map[string]bool{}
	for i := range c.claims {
		if c.claims[i].strength >= 0.5 { // more than a refusal, which any stopped server gives
			return
		}
		peers[c.claims[i].symptom.Peer] = true
	}
	if a.c.Baseline.IsZero() { // the server may as well be down since before: of the two, that needs nobody's mistake
		c.against = append(c.against, "nothing says that the address is wrong, or was changed")
		c.doubt *= 0.5
		return
	}
	for _, u := range a.c.Upstreams {
		if (peers[u.Addr] || u.Component != "" && peers[u.Component]) && u.IncidentFailed > 0 && u.BaselineOK >= 10 && u.BaselineOK > u.BaselineFailed {
			c.against = append(c.against, fmt.Sprintf("%s answered %d requests before, and nothing says that the caller's settings changed", u.Addr, u.BaselineOK))
			c.doubt *= 0.3
			return
		}
	}
}

// waitedLong: a connection that was closed while it was idle fails at once when it is used again; who waited for seconds waited for an answer.
func (a *analysis) waitedLong(c *candidate) {
	for i := range a.symptoms {
		if s := &a.symptoms[i]; s.Kind == inquest.SymptomPlateau && s.Value >= 1 && s.Share >= 0.5 {
			c.against = append(c.against, fmt.Sprintf("the failed requests took %.3g s: a connection that was closed while idle fails at once", s.Value))
			c.doubt *= 0.4
			return
		}
	}
}

// statedWait is how long somebody says that he waited in vain, in seconds or milliseconds: HikariCP's "request timed out after 30000ms",
// SQLAlchemy's "connection timed out, timeout 30.00".
var statedWait = regexp.MustCompile(`(?i)\b(?:timed out after|timeout(?: of)?|within|waited(?: for)?) (\d+(?:\.\d+)?) ?(ms|s|sec|seconds)?\b`)

// beganLater: who waited so long for a connection began to wait so long before he said so. If that is well after the first failed request was
// sent, the pool ran dry of what was wrong already.
func (a *analysis) beganLater(c *candidate) {
	sent, told := a.began(&candidate{}), false
	for i := range c.claims {
		cl := &c.claims[i]
		if cl.symptom.Kind == inquest.SymptomSaturation && cl.symptom.Onset.Sub(sent) <= tooLate {
			return // measured from the start on
		}
		if !cl.text || cl.symptom.Pattern == nil {
			continue
		}
		m := statedWait.FindStringSubmatch(symptom.Example(cl.symptom.Pattern).Text)
		if m == nil {
			return
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return
		}
		if m[2] == "ms" {
			n /= 1000
		}
		if cl.symptom.Onset.Add(-time.Duration(n*float64(time.Second))).Sub(sent) <= 2*tooLate {
			return
		}
		told = true
	}
	if !told {
		return
	}
	c.against = append(c.against, fmt.Sprintf("by its own words nobody waited for a connection until %s after the first failed request was sent", (2*tooLate).String()))
	c.doubt *= 0.85
}

// servedBetween: a process that answers requests between its restarts did start; what ends it comes later.
func (a *analysis) servedBetween(c *candidate) {
	for _, u := range a.c.Upstreams {
		if u.Component == c.culprit && u.IncidentFailed > 0 && u.IncidentOK >= 10 && u.IncidentOK*20 > u.IncidentFailed {
			c.against = append(c.against, fmt.Sprintf("%s answered %d requests between its restarts", c.culprit, u.IncidentOK))
			c.doubt *= 0.4
			return
		}
	}
}

// aliveElsewhere: a proxy that is refused at a new address while the service goes on logging is looking in the wrong place.
func (a *analysis) aliveElsewhere(c *candidate) {
	host, _, err := net.SplitHostPort(c.culprit)
	if err != nil {
		return
	}
	for _, u := range a.c.Upstreams {
		if u.Addr == c.culprit && u.BaselineOK == 0 && u.IncidentFailed > 0 {
			for _, o := range a.c.Upstreams {
				if h, _, e := net.SplitHostPort(o.Addr); e == nil && h == host && o.BaselineOK > 0 {
					c.against = append(c.against, fmt.Sprintf("requests used to go to %s, which answered", o.Addr))
					c.doubt *= 0.5
					return
				}
			}
		}
	}
}
