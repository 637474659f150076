package diagnose

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
	"github.com/inquesthq/inquest/internal/pattern"
)

// culprit resolves on whom to act.
func (a *analysis) culprit(id inquest.MechanismID, s *inquest.Symptom) string {
	m := a.d.byID[id]
	if id == "dependency-failure/dns" && s.Pattern != nil {
		if r := a.silentResolver(symptom.Example(s.Pattern).Text); r != "" {
			return r
		}
	}
	for _, role := range m.Roles {
		switch role {
		case mechanism.RoleSelf:
			if s.Kind == inquest.SymptomUpstream && s.Peer != "" {
				return s.Peer
			}
			return a.self(id, s)
		case mechanism.RolePeer:
			switch a.names.Kind(s.Component) { // a server that reports its own end is the dependency
			case inquest.KindCache, inquest.KindBroker, inquest.KindDatabase:
				return s.Component
			}
			if s.Peer != "" && s.Peer != s.Component {
				return s.Peer
			}
			if p := cmp.Or(a.impliedPeer(s), a.tracedPeer(s)); p != "" {
				return p
			}
			if p := a.onlyStranger(s.Component); p != "" && id == "dependency-failure/bad-response" {
				return p
			}
		case mechanism.RoleDatabase:
			return a.database(s)
		case mechanism.RoleGateway:
			if g := a.gateway(s); g != "" {
				return g
			}
		}
	}
	return s.Component
}

// silentResolver names the resolver when it is at fault and not the name that was asked for: EAI_AGAIN, SERVFAIL and time-outs
// say that nobody answered, while NXDOMAIN is an answer (RFC 1035, RFC 8020). Go names the server it asked.
func (a *analysis) silentResolver(text string) string {
	low := strings.ToLower(text)
	if !pattern.ContainsAny(low, []string{"eai_again", "temporary failure in name resolution", "server misbehaving", "servfail", "try again", ":53: i/o timeout", "no servers could be reached", "dns query timed out", "resolver timeout"}) {
		return ""
	}
	if m := askedServer.FindStringSubmatch(text); m != nil {
		return a.names.Name(m[1])
	}
	for _, c := range a.c.Components {
		if n := strings.ToLower(c.Name); strings.Contains(n, "dns") || strings.Contains(n, "resolver") || strings.Contains(n, "unbound") {
			return c.Name
		}
	}
	return "dns"
}

var askedServer = regexp.MustCompile(`\bon (\S+:53)\b`)

// self is the component that wrote the line. A kernel's or supervisor's line is about the process that it names, and what a
// database complains of in a query is the matter of whoever sent it.
func (a *analysis) self(id inquest.MechanismID, s *inquest.Symptom) string {
	switch a.names.Kind(s.Component) {
	case inquest.KindKernel, inquest.KindSupervisor, inquest.KindHost:
		who := ""
		if s.Pattern != nil {
			who = cmp.Or(a.named(symptom.Example(s.Pattern).Text), a.victim(s))
		}
		return cmp.Or(who, a.onlyHit(), s.Component)
	case inquest.KindDatabase:
		if slices.Contains(a.d.byID[id].Roles, mechanism.RoleDatabase) {
			return cmp.Or(a.onlyHit(), s.Component)
		}
	}
	return s.Component
}

// killedProcess is a process that the kernel ended, by number and name (Linux, mm/oom_kill.c): "Killed process 812 (uwsgi)".
var killedProcess = regexp.MustCompile(`[Kk]illed? process (\d+) \(([^)]+)\)`)

// victim is the component of the process that a kernel's line is about, by the kernel's account of its end that is nearest in
// time: some of its lines tell neither name nor number. "" when nothing was killed; the process's own name when no component is
// known to be its.
func (a *analysis) victim(s *inquest.Symptom) string {
	about := symptom.Example(s.Pattern)
	best, nearest := "", time.Duration(math.MaxInt64)
	for i := range a.c.Patterns {
		p := &a.c.Patterns[i]
		if p.Service != s.Component && a.names.Name(p.Service) != s.Component {
			continue
		}
		for k := range p.Examples {
			x := &p.Examples[k]
			m := killedProcess.FindStringSubmatch(x.Text)
			if d := x.Time.Sub(about.Time).Abs(); m != nil && d < nearest {
				best, nearest = cmp.Or(a.named(x.Text), a.ofProcess(x.Text, m[1]), m[2]), d
			}
		}
	}
	return best
}

// ofProcess is the component of a process. Its name is often that of a runtime; its number stands beside the unit's name in another
// line of the kernel ("task_memcg=/system.slice/render.service"), or in the log of the service's own master.
func (a *analysis) ofProcess(text, pid string) string {
	for i := range a.c.Patterns {
		p := &a.c.Patterns[i]
		for k := range p.Examples {
			other := p.Examples[k].Text
			if other == text || !mechanism.WordIn(strings.ToLower(other), pid) {
				continue
			}
			if a.names.Kind(p.Service) == inquest.KindApp {
				return a.names.Name(p.Service)
			}
			if who := a.named(other); who != "" {
				return who
			}
		}
	}
	return ""
}

// onlyHit is the application whose requests failed, "" when there are several or none is known.
func (a *analysis) onlyHit() string {
	only := ""
	for _, name := range a.c.Impact.Services {
		if k := a.names.Kind(name); k == inquest.KindApp || k == "" {
			if only != "" {
				return ""
			}
			only = name
		}
	}
	return only
}

// named finds a component whose name stands as a word in a text; the longest name wins.
func (a *analysis) named(text string) string {
	low, best, long := strings.ToLower(text), "", 0
	for _, c := range a.c.Components {
		if c.Kind == inquest.KindKernel || c.Kind == inquest.KindSupervisor || c.Kind == inquest.KindHost {
			continue
		}
		for _, n := range append([]string{c.Name}, c.Aliases...) {
			if len(n) > long && len(n) >= 3 && mechanism.WordIn(low, strings.ToLower(n)) {
				best, long = c.Name, len(n)
			}
		}
	}
	return best
}

// impliedPeer guesses the dependency by its kind when the line names the software but no address.
func (a *analysis) impliedPeer(s *inquest.Symptom) string {
	if s.Pattern == nil {
		return ""
	}
	x := symptom.Example(s.Pattern)
	text := strings.ToLower(x.Text)
	if x.Exception != nil {
		text += " " + strings.ToLower(x.Exception.Type)
	}
	said := ""
	for _, k := range serverWords {
		if !strings.Contains(text, k.word) {
			continue
		}
		if of := a.names.OfKind(k.kind, a.c.Components); len(of) == 1 {
			return of[0]
		}
		said = cmp.Or(said, k.software)
	}
	if who := a.named(text); who != "" && who != s.Component {
		return who
	}
	return said
}

// tracedPeer is whom a call went to that failed with the same words: a log line often tells the error of a client library alone, and the
// span of the call tells its address too.
func (a *analysis) tracedPeer(s *inquest.Symptom) string {
	if s.Pattern == nil || s.Pattern.Span {
		return ""
	}
	x := symptom.Example(s.Pattern)
	if x.Exception == nil {
		return ""
	}
	said, found := x.Exception.Root().Message, ""
	if len(said) < 8 { // "failed" is what anything says
		return ""
	}
	for i := range a.symptoms {
		o := &a.symptoms[i]
		if o.Pattern == nil || !o.Pattern.Span || o.Component != s.Component || o.Peer == "" || o.Peer == s.Component || !strings.Contains(symptom.Example(o.Pattern).Text, said) {
			continue
		}
		if found != "" && found != o.Peer {
			return "" // of several nobody knows which
		}
		found = o.Peer
	}
	return found
}

// onlyStranger is the one server outside of this system that a component calls, "" if there are none or several: it goes by the name of
// a domain. Whoever sent something that cannot be read is mostly it: services of one's own say in their logs and statuses that they failed.
func (a *analysis) onlyStranger(component string) string {
	only := ""
	for _, e := range a.calls {
		if a.names.Name(e.From) != component || !strings.Contains(e.To, ".") || a.ours(e.To) {
			continue
		}
		if only != "" && only != e.To {
			return ""
		}
		only = e.To
	}
	return only
}

// serverWords are what clients' exceptions and messages call the server that they talk to ("RedisException", "PG::ConnectionBad"),
// and the name to print for it when no file names it otherwise: who is on call knows which Redis theirs is. The last ones name a
// role only, and so nobody.
var serverWords = []serverWord{
	{"redis", inquest.KindCache, "redis"}, {"against a read only replica", inquest.KindCache, "redis"}, {"valkey", inquest.KindCache, "valkey"}, {"memcache", inquest.KindCache, "memcached"},
	{"postgres", inquest.KindDatabase, "postgresql"}, {"pg::", inquest.KindDatabase, "postgresql"}, {"psycopg", inquest.KindDatabase, "postgresql"},
	{"npgsql", inquest.KindDatabase, "postgresql"}, {"mysql", inquest.KindDatabase, "mysql"}, {"mariadb", inquest.KindDatabase, "mariadb"}, {"mongo", inquest.KindDatabase, "mongodb"},
	{"elasticsearch", inquest.KindDatabase, "elasticsearch"}, {"kafka", inquest.KindBroker, "kafka"}, {"rabbit", inquest.KindBroker, "rabbitmq"}, {"amqp", inquest.KindBroker, "rabbitmq"},
	{"nats:", inquest.KindBroker, "nats"}, {"cache", inquest.KindCache, ""}, {"sql", inquest.KindDatabase, ""}, {"database", inquest.KindDatabase, ""}, {"db ", inquest.KindDatabase, ""},
	{"broker", inquest.KindBroker, ""},
}

// database is the server behind the line: the one that it names, the one that wrote it, or the only one there is.
func (a *analysis) database(s *inquest.Symptom) string {
	if a.names.Kind(s.Component) == inquest.KindDatabase {
		return s.Component
	}
	if s.Peer != "" && (a.names.Kind(s.Peer) == inquest.KindDatabase) {
		return s.Peer
	}
	implied := a.impliedPeer(s)
	if a.cache(implied) {
		return implied
	}
	if of := a.names.OfKind(inquest.KindDatabase, a.c.Components); len(of) == 1 {
		return of[0]
	}
	if s.Peer != "" && (symptom.KindAt(s.Peer) == inquest.KindDatabase || a.names.Kind(s.Peer) == "") {
		return s.Peer
	}
	return cmp.Or(implied, "database")
}

// cache: a component that is one, or the name of a software that is.
func (a *analysis) cache(name string) bool {
	return name != "" && (a.names.Kind(name) == inquest.KindCache || slices.ContainsFunc(serverWords, func(k serverWord) bool { return k.software == name && k.kind == inquest.KindCache }))
}

func (a *analysis) gateway(s *inquest.Symptom) string {
	if a.names.Kind(s.Component) == inquest.KindProxy {
		return s.Component
	}
	if a.c.Proxy {
		return a.names.Name(a.c.Observer)
	}
	if of := a.names.OfKind(inquest.KindProxy, a.c.Components); len(of) == 1 {
		return of[0]
	}
	return ""
}

type serverWord struct {
	word     string
	kind     inquest.ComponentKind
	software string
}
