package symptom

import (
	"net"
	"regexp"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

// Resolver finds components by any of their names.
type Resolver struct {
	by map[string]*inquest.Component
}

// NewResolver indexes the components of a case.
func NewResolver(c *inquest.Case) *Resolver {
	r := &Resolver{by: map[string]*inquest.Component{}}
	for i := range c.Components {
		x := &c.Components[i]
		for _, a := range x.Aliases {
			r.by[strings.ToLower(a)] = x
		}
	}
	for i := range c.Components { // names win over aliases
		r.by[strings.ToLower(c.Components[i].Name)] = &c.Components[i]
	}
	return r
}

// Find returns who goes by the name, instance, host or host:port; nil when nobody does.
func (r *Resolver) Find(name string) *inquest.Component {
	name = strings.ToLower(strings.Trim(name, "[] "))
	if name == "" {
		return nil
	}
	if c := r.by[name]; c != nil {
		return c
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		if c := r.by[host]; c != nil && !servicegraph.Loopback(host) {
			return c
		}
		name = host
	}
	if net.ParseIP(name) != nil {
		return nil
	}
	if backend, server, ok := strings.Cut(name, "/"); ok { // HAProxy's backend/server
		if c := r.by[server]; c != nil {
			return c
		}
		return r.by[backend]
	}
	first, _, _ := strings.Cut(name, ".")
	return r.by[first]
}

// Name is the canonical name of whoever goes by name, or name itself.
func (r *Resolver) Name(name string) string {
	if c := r.Find(name); c != nil {
		return c.Name
	}
	return name
}

// usualPorts tell what listens (IANA registrations that everybody keeps).
var usualPorts = map[string]inquest.ComponentKind{
	"5432": inquest.KindDatabase, "3306": inquest.KindDatabase, "27017": inquest.KindDatabase, "1433": inquest.KindDatabase, "1521": inquest.KindDatabase, "9042": inquest.KindDatabase, "26257": inquest.KindDatabase,
	"6379": inquest.KindCache, "11211": inquest.KindCache, "5672": inquest.KindBroker, "9092": inquest.KindBroker, "4222": inquest.KindBroker,
}

// KindAt is the kind of server that usually listens at the port of an address, "" when nothing tells.
func KindAt(addr string) inquest.ComponentKind {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return usualPorts[port]
}

// Called is the canonical name of whom a text is about: of whoever goes by the address, else of the only component of the kind
// that listens at such a port, else the address itself.
func (r *Resolver) Called(addr string) string {
	if c := r.Find(addr); c != nil {
		return c.Name
	}
	only := ""
	if kind := KindAt(addr); kind != "" {
		for _, c := range r.by {
			if c.Kind == kind && c.Name != only {
				if only != "" {
					return addr
				}
				only = c.Name
			}
		}
	}
	if only != "" {
		return only
	}
	return addr
}

// Kind is the kind of the component, "" when it is not known.
func (r *Resolver) Kind(name string) inquest.ComponentKind {
	if c := r.Find(name); c != nil {
		return c.Kind
	}
	return ""
}

// OfKind lists the components of a kind, in name order.
func (r *Resolver) OfKind(kind inquest.ComponentKind, in []inquest.Component) []string {
	var out []string
	for _, c := range in {
		if c.Kind == kind {
			out = append(out, c.Name)
		}
	}
	return out
}

var (
	hostPort = regexp.MustCompile(`(\b(?:\d{1,3}\.){3}\d{1,3}|\b[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])[:/](\d{2,5})\b`)
	urlHost  = regexp.MustCompile(`\b(?:https?|grpc|amqps?|redis|rediss|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|tcp)://(?:[^/@\s"']*@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?`)
	lookedUp = regexp.MustCompile(`(?i)(?:ENOTFOUND|EAI_AGAIN|lookup|resolve host|resolve|resolving|unknown host:?|UnknownHostException:|host=['"]?|could not translate host name|name resolution for|getaddrinfo for|host name|host)\s+["']?([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+|[a-z0-9]+(?:-[a-z0-9]+)+)["']?`)
	bareHost = regexp.MustCompile(`(?i)\b(?:from|to|of|at|by|calling|call|host|reach|reaching|contact|contacting|with|against|for|GET|POST)\s+["'` + "`" + `]?((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})\b`)
	setting  = regexp.MustCompile(`while calling ([A-Z][A-Z0-9_]*)_(?:URL|URI|HOST|ADDR|ADDRESS|ENDPOINT|BASE)\b`)
	saidOf   = regexp.MustCompile(`(?i)\b([a-z][a-z0-9]+(?:[-_][a-z0-9]+)*)(?: (?:service|api|provider|server|backend))? (?:answered|responded|returned|replied) (?:with )?(?:status )?[45]\d\d\b`)
	pgServer = regexp.MustCompile(`(?i)(?:connection to server at|server at|host)\s+"([^"]+)"(?:\s+\(([0-9a-fA-F.:]+)\))?,?\s+port\s+"?(\d+)"?`)
	// Clients' own notations that name others beside the peer: Go's look-up names the server it asked, its connection the local
	// end first; libpq's settings; MySQL's clients.
	goLookup    = regexp.MustCompile(`\blookup ([A-Za-z0-9][A-Za-z0-9._-]*?)\.?(?: on \S+)?: `)
	goRemote    = regexp.MustCompile(`:\d+->(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d+)`)
	pgSettings  = regexp.MustCompile(`\bhost=['"]?([A-Za-z0-9._-]+)['"]?,? (?:port=['"]?(\d+))?(?:user|dbname|database|hostaddr|['" ])`)
	mysqlServer = regexp.MustCompile(`MySQL server on '([^':]+)(?::(\d+))?'`)
	poolHost    = regexp.MustCompile(`(?i)HTTPS?Connection(?:Pool)?\(host=['"]([^'"]+)['"],\s*port=(\d+)`)
)

// Peer finds whom a text is about: the host and port that it names, "" when it names none.
func Peer(text string, fields map[string]string) string {
	// Who is called by a name is not told better by an address: guard's records, and OpenTelemetry's attribute (semantic conventions, peer.service).
	for _, k := range []string{"dependency", "peer.service"} {
		if v := fields[k]; v != "" {
			return v
		}
	}
	if up := fields["upstream"]; up != "" {
		if m := urlHost.FindStringSubmatch(up); m != nil {
			return join(m[1], m[2])
		}
		if m := hostPort.FindStringSubmatch(up); m != nil {
			return join(m[1], m[2])
		}
	}
	if m := pgServer.FindStringSubmatch(text); m != nil {
		return join(m[1], m[3])
	}
	if m := goLookup.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	for _, known := range []*regexp.Regexp{poolHost, urlHost, goRemote, pgSettings, mysqlServer} {
		if m := known.FindStringSubmatch(text); m != nil {
			return join(m[1], m[2])
		}
	}
	for _, m := range hostPort.FindAllStringSubmatch(text, 8) {
		if plausibleHost(m[1]) {
			return join(m[1], m[2])
		}
	}
	if m := lookedUp.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	for _, m := range bareHost.FindAllStringSubmatch(text, 4) {
		if plausibleHost(m[1]) && !packageName(m[1]) {
			return m[1]
		}
	}
	if m := setting.FindStringSubmatch(text); m != nil { // PRICING_SERVICE_URL is where the pricing service is
		name := strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
		for _, noun := range []string{"-base", "-service", "-api"} {
			name = strings.TrimSuffix(name, noun)
		}
		return name
	}
	if m := saidOf.FindStringSubmatch(text); m != nil && !vagueName[strings.ToLower(m[1])] {
		return m[1]
	}
	for _, k := range []string{"address", "hostname", "err.hostname", "err.address", "peer", "server.address", "net.peer.name"} {
		if v := fields[k]; v != "" {
			return join(v, fields["port"])
		}
	}
	return ""
}

// plausibleHost keeps file names with line numbers (server.js:65, Shipping.java:86) from being taken for hosts.
func plausibleHost(h string) bool {
	if net.ParseIP(strings.Trim(h, "[]")) != nil {
		return true
	}
	i := strings.LastIndexByte(h, '.')
	if i < 0 {
		return h == "localhost" || strings.Contains(h, "-") || kindWordHost(h)
	}
	switch strings.ToLower(h[i+1:]) {
	case "js", "ts", "mjs", "cjs", "tsx", "jsx", "py", "go", "java", "kt", "scala", "rb", "php", "cs", "rs", "c", "cc", "cpp", "h", "sql", "erl", "ex", "exs", "html", "json", "xml", "yml", "yaml", "conf", "cfg", "ini", "log", "lua", "pl", "swift", "groovy", "vue", "inc", "tpl":
		return false
	}
	return !strings.ContainsAny(h[i+1:], "0123456789")
}

// vagueName are subjects of "answered 503" that name nobody.
var vagueName = map[string]bool{"upstream": true, "it": true, "server": true, "service": true, "api": true, "backend": true, "remote": true, "dependency": true,
	"request": true, "call": true, "which": true, "and": true, "provider": true, "client": true, "host": true, "target": true, "endpoint": true, "they": true, "has": true, "was": true, "we": true, "i": true}

// packageName tells com.acme.Cart from shop.acme.com: packages begin with what host names end with, and types are capitalised.
func packageName(s string) bool {
	first, _, _ := strings.Cut(s, ".")
	switch strings.ToLower(first) {
	case "com", "org", "net", "io", "java", "javax", "jakarta", "sun", "jdk", "kotlin", "scala", "system", "microsoft", "app", "src", "lib", "node", "self", "this", "module":
		return true
	}
	return strings.ToLower(s) != s
}

// kindWordHost accepts a bare word before a port when it is the usual host name of a service (redis:6379, db:5432).
func kindWordHost(h string) bool {
	switch strings.ToLower(h) {
	case "redis", "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb", "db", "database", "kafka", "rabbitmq", "nats", "memcached", "elasticsearch", "cache", "broker", "consul", "vault", "minio":
		return true
	}
	return false
}

func join(host, port string) string {
	if port == "" {
		return host
	}
	return host + ":" + port
}
