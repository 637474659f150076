package casefile

import (
	"cmp"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// components gathers who is who from logs, changes, metrics and what proxies saw.
func (b *builder) components() {
	b.names = &names{byName: map[string]*component{}}
	b.fromLogs()
	b.fromChanges()
	b.fromMetrics()
	b.announced()
	b.joinTwins()
	b.joinRoles()
	b.joinNobody()
	b.fromUpstreams()
	for _, e := range b.st.Edges() {
		for _, name := range []string{e.From, e.To} {
			if b.names.resolve(name) == nil {
				b.names.add(name, kindOf(name), rankMetrics)
			}
		}
	}
}

// fromLogs adds everybody who wrote a log. Numbered names without a plain one ("api-1", "api-2") are one service.
func (b *builder) fromLogs() {
	own, fromFile := map[string]bool{}, map[string]string{} // service -> format
	for i := range b.cfg.Reports {
		if r := &b.cfg.Reports[i]; r.Format != "" {
			fromFile[writer(r)] = r.Format
		}
	}
	var all []string
	note := func(s string) {
		if !own[s] {
			own[s] = true
			all = append(all, s)
		}
	}
	for _, s := range b.st.Streams() {
		note(s.Observer)
	}
	for _, p := range b.st.Patterns() {
		note(p.Service)
	}
	for _, p := range b.st.SpanErrors() {
		note(p.Service)
	}
	slices.Sort(all)
	numbered := map[string]int{}
	for _, s := range all {
		if base, ok := group(s); ok {
			numbered[base]++
		}
	}
	for _, s := range all {
		format, file := fromFile[s]
		kind, rank := b.kindOfWriter(s, format), rankService
		if file {
			rank = rankFile
		}
		if base, ok := group(s); ok && (numbered[base] > 1 || own[base] || b.changed(base)) {
			c := b.names.add(base, kind, rank)
			c.Logs = true
			b.names.alias(c, s, rankAddress)
			continue
		}
		c := b.names.add(s, kind, rank)
		c.Logs = true
		c.software = cmp.Or(softwareOf(format), c.software)
	}
	for _, p := range b.st.Patterns() {
		c := b.names.resolve(p.Service)
		for _, i := range p.Instances {
			if b.names.get(i) == nil && c != nil && looksLikeInstanceOf(i, c.Name) {
				b.names.alias(c, i, rankAddress)
			}
		}
	}
}

// looksLikeInstanceOf: an instance is named after its service (checkout-2, checkout-7d9f-x2x1); a host name that many
// services share is not an instance of one of them.
func looksLikeInstanceOf(instance, service string) bool {
	return strings.HasPrefix(strings.ToLower(instance), strings.ToLower(service))
}

func (b *builder) changed(service string) bool {
	return slices.ContainsFunc(b.st.Changes(), func(c inquest.Change) bool { return strings.EqualFold(c.Service, service) })
}

// hostOfService is the name of a host after what runs on it: checkout-b2, checkout-prod3.
var hostOfService = regexp.MustCompile(`^(.+)-[a-z]{0,4}\d{1,3}$`)

func (b *builder) fromChanges() {
	for _, ch := range b.st.Changes() {
		if ch.Service == "" {
			continue
		}
		if c := b.names.resolve(ch.Service); c != nil {
			b.names.alias(c, ch.Service, rankChange)
			continue
		}
		if m := hostOfService.FindStringSubmatch(ch.Service); m != nil {
			if c := b.names.resolve(m[1]); c != nil && c.Logs && (c.Kind == "" || c.Kind == inquest.KindApp) {
				b.names.alias(c, ch.Service, rankAddress)
				continue
			}
		}
		b.names.add(ch.Service, kindOf(ch.Service), rankChange)
	}
}

// fromMetrics adds the targets of monitoring: the job names a service when a service goes by it, else the host does.
func (b *builder) fromMetrics() {
	// Exporters first: they say what stands behind a job and host of which other series only give the names.
	for _, exporters := range []bool{true, false} {
		seen := map[[2]string]bool{}
		for _, s := range b.st.Series() {
			// An exporter says whether its server is there: pg_up, redis_up. An application may name its own pool pg_pool_size.
			software := ""
			if strings.HasSuffix(s.Name, "_up") {
				software = softwareOf(s.Name)
			}
			if key := [2]string{s.Labels["job"] + s.Labels["service"] + s.Labels["app"], s.Labels["instance"] + s.Container()}; (software != "") == exporters && !seen[key] {
				seen[key] = true
				b.fromSeries(&s, software)
			}
		}
	}
}

func (b *builder) fromSeries(s *inquest.Series, software string) {
	if name := s.Container(); name != "" { // the target is the node's agent, the series is about what runs there
		c := b.names.resolve(name)
		if c == nil {
			c = b.names.add(name, kindOf(name), rankMetrics)
		}
		c.Metrics = true
		b.names.aliasIfFree(c, s.Labels["pod"], rankAddress)
		return
	}
	exporter := software != ""
	host := s.Labels["instance"]
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	job := cmp.Or(s.Labels["service"], s.Labels["app"], s.Labels["job"])
	if strings.HasPrefix(s.Name, "node_") || strings.EqualFold(job, "node") {
		return // a host's exporter is no component of the request path
	}
	c := b.target(job, host, exporter, software)
	if c == nil {
		return
	}
	c.Metrics = true
	if exporter {
		c.Kind = kindOf(software)
		c.software = software
	}
	b.names.aliasIfFree(c, job, rankMetrics)
	if host != "" && !servicegraph.Loopback(host) {
		// Servers go by their host's name (db-1), applications by their own.
		rank := rankAddress
		if exporter {
			rank = rankMetrics
		}
		b.names.aliasIfFree(c, host, rank)
		b.names.aliasIfFree(c, s.Labels["instance"], rankAddress)
	}
}

func (b *builder) target(job, host string, exporter bool, software string) *component {
	if c := b.names.resolve(host); c != nil && !servicegraph.Loopback(host) {
		return c
	}
	if c := b.names.resolve(job); c != nil {
		return c
	}
	name := job
	if exporter || name == "" {
		name = cmp.Or(hostName(host), job)
	}
	if name == "" {
		return nil
	}
	return b.names.add(name, kindOf(cmp.Or(software, name)), rankMetrics)
}

func hostName(host string) string {
	if servicegraph.Loopback(host) || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// aliasIfFree adds a name that nobody else goes by.
func (n *names) aliasIfFree(c *component, name string, rank int) {
	if name != "" && n.get(name) == nil {
		n.alias(c, name, rank)
	}
}

// listens matches what servers say when they open their port: gunicorn, PostgreSQL, Puma, Go, Jetty, php-fpm, Kestrel, Uvicorn.
var listens = regexp.MustCompile(`(?i)(?:listen(?:ing|s)?(?: at| on)?|running on|started on|bound to|inherited socket fd=\d+,)[^0-9a-z]*(?:ipv[46] address )?[^0-9a-z]*(?:https?://|tcp://)?["']?(\d{1,3}(?:\.\d{1,3}){3})["']?(?::|,? port )(\d{2,5})\b`)

// announced lets a component go by the address that its own log says it listens at.
func (b *builder) announced() {
	for _, p := range b.st.Patterns() {
		c := b.names.resolve(p.Service)
		if c == nil || c.Kind == inquest.KindProxy || c.Kind == inquest.KindSupervisor {
			continue
		}
		for i := range p.Examples {
			text := p.Examples[i].Text
			if strings.Count(text, ".") < 3 { // no address; a search costs a hundred times as much, and there are many texts
				continue
			}
			m := listens.FindStringSubmatch(text)
			if m == nil || m[1] == "0.0.0.0" {
				continue
			}
			b.names.aliasIfFree(c, m[1]+":"+m[2], rankAddress)
		}
	}
}

// released reports whether a deploy of the component is on record.
func (b *builder) released(c *component) bool {
	return slices.ContainsFunc(b.st.Changes(), func(ch inquest.Change) bool {
		return ch.Kind == inquest.ChangeDeploy && b.names.resolve(ch.Service) == c
	})
}

// joinTwins unites the log and the exporter (or change record) of the only database, cache, broker or proxy there is:
// "postgresql.log", pg_up{instance="db-1"} and a change to "db-1" are one component when there is one of the kind.
func (b *builder) joinTwins() {
	for _, kind := range []inquest.ComponentKind{inquest.KindDatabase, inquest.KindCache, inquest.KindBroker, inquest.KindProxy} {
		var logs, others []*component
		for _, c := range b.names.all {
			switch {
			case c.Kind != kind:
			case c.Logs:
				logs = append(logs, c)
			default:
				others = append(others, c)
			}
		}
		if len(logs) == 0 && len(others) == 2 && kind != inquest.KindProxy && compatible(others[0], others[1]) {
			b.names.unite(others[0], others[1])
			continue
		}
		// A proxy's error log under another name than its access log is the same proxy when there is one of each.
		if kind == inquest.KindProxy && len(logs) == 2 {
			if x, y := b.answers(logs[0]), b.answers(logs[1]); x != y && compatible(logs[0], logs[1]) {
				b.names.unite(logs[0], logs[1])
				logs = logs[:1]
			}
		}
		for _, o := range others {
			if len(logs) == 1 && len(others) <= 2 && compatible(logs[0], o) {
				b.names.unite(logs[0], o)
			}
		}
	}
}

// roleSuffix is what people append to a service's name for the process that serves it.
var roleSuffix = regexp.MustCompile(`(?i)[._-](web|api|app|svc|service|srv|server|backend|http)$`)

// joinRoles unites a log called after a service's process ("members-web.log") with the service that monitoring or the record of
// changes knows by its plain name ("members") and that has no log of its own.
func (b *builder) joinRoles() {
	for _, c := range slices.Clone(b.names.all) {
		plain := roleSuffix.ReplaceAllString(c.Name, "")
		o := b.names.get(plain)
		if plain == c.Name || o == nil || o == c || !c.Logs || c.Metrics || o.Logs || b.changed(c.Name) {
			continue
		}
		b.names.unite(o, c)
	}
}

// joinNobody unites the log of which nothing says whose it is with the application that is monitored and has no log, or else
// the one that was changed and has none, when there is one such: whose should it be, and where should theirs have gone?
func (b *builder) joinNobody() {
	c := b.names.get(nobody)
	if c == nil || !c.Logs || c.Metrics {
		return
	}
	for _, monitored := range []bool{true, false} {
		var silent []*component
		for _, o := range b.names.all {
			if o != c && o.Metrics == monitored && !o.Logs && (o.Kind == "" || o.Kind == inquest.KindApp) {
				silent = append(silent, o)
			}
		}
		if len(silent) > 1 && !monitored { // a release has a log; a database or a host that was changed need not have one here
			silent = slices.DeleteFunc(silent, func(o *component) bool { return !b.released(o) })
		}
		if len(silent) == 1 {
			b.names.unite(silent[0], c)
		}
		if len(silent) > 0 {
			return
		}
	}
}

// answers reports whether the component logged requests.
func (b *builder) answers(c *component) bool {
	return slices.ContainsFunc(b.st.Streams(), func(s *mem.Stream) bool { return b.names.resolve(s.Observer) == c })
}

func compatible(a, b *component) bool {
	return a.software == "" || b.software == "" || a.software == b.software
}

// fromUpstreams finds out whose addresses the proxy's upstreams are: by request ids that both logged, else by name.
func (b *builder) fromUpstreams() {
	votes := map[string]map[string]int{}
	vote := func(addr, service string) {
		if votes[addr] == nil {
			votes[addr] = map[string]int{}
		}
		votes[addr][service]++
	}
	ans := b.st.Answers()
	for i := 0; i < len(ans); {
		j := i
		for j < len(ans) && ans[j].ID == ans[i].ID {
			j++
		}
		for _, p := range ans[i:j] {
			if p.By.Upstream == "" {
				continue
			}
			for _, a := range ans[i:j] {
				if a.By.Upstream == "" && a.By.Observer != p.By.Observer {
					vote(p.By.Upstream, b.names.nameOf(a.By.Observer))
				}
			}
		}
		i = j
	}
	for _, u := range b.st.Upstreams() {
		if b.names.resolve(u.Addr) != nil {
			continue
		}
		best, n := "", 0
		for s, k := range votes[u.Addr] {
			if k > n || k == n && s < best {
				best, n = s, k
			}
		}
		if best == "" && b.names.resolve(u.Name) != nil {
			best = u.Name
		}
		if best == "" {
			best = b.byRoutes(u.Addr)
		}
		if best == "" {
			best = b.byWord(u.Addr)
		}
		if best == "" {
			best = b.byPort(u.Addr)
		}
		c := b.names.resolve(best)
		if c == nil && u.Name != "" {
			c = b.names.add(u.Name, inquest.KindApp, rankAddress)
		}
		if c != nil {
			b.names.alias(c, u.Addr, rankAddress)
			if host, _, err := net.SplitHostPort(u.Addr); err == nil && !b.sharedHost(host) {
				b.names.aliasIfFree(c, host, rankAddress)
			}
		}
	}
}

// byWord names the application whose name is a word of the name that a proxy has for a group of servers ("be_cart/cart1",
// "shop-cart-8080"), the longest where one contains the other; an address is no name.
func (b *builder) byWord(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil || net.ParseIP(addr) != nil {
		return ""
	}
	addr = strings.ToLower(addr)
	best := ""
	for _, c := range b.names.all {
		name := strings.ToLower(c.Name)
		switch {
		case c.Kind != "" && c.Kind != inquest.KindApp || !wordIn(addr, name) || strings.Contains(best, name):
		case strings.Contains(name, best):
			best = name
		default: // two of them
			return ""
		}
	}
	return best
}

// wordIn reports whether a word stands in a text with no letter or digit beside it.
func wordIn(text, word string) bool {
	letter := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9')
	}
	for from := 0; ; from++ {
		i := strings.Index(text[from:], word)
		if i < 0 || word == "" {
			return false
		}
		if from += i; !letter(from-1) && !letter(from+len(word)) {
			return true
		}
	}
}

// byPort names the only application there is, or the only one that monitoring knows at the port, if the address has one.
func (b *builder) byPort(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil && (!strings.Contains(addr, "/") || strings.HasSuffix(addr, "<NOSRV>")) { // HAProxy's backend/server has no port
		return ""
	}
	var apps, there []*component
	for _, c := range b.names.all {
		if c.Kind != "" && c.Kind != inquest.KindApp {
			continue
		}
		if c.Logs || c.Metrics {
			apps = append(apps, c)
		}
		if port != "" && c.listens(port) {
			there = append(there, c)
		}
	}
	switch {
	case len(there) == 1:
		return there[0].Name
	case len(apps) == 1 && len(there) == 0 && !b.servesElsewhere(apps[0]):
		return apps[0].Name
	}
	return ""
}

// listens reports whether the component is known at a port.
func (c *component) listens(port string) bool {
	return slices.ContainsFunc(c.Aliases, func(a string) bool { return strings.HasSuffix(a, ":"+port) })
}

// servesElsewhere: one of the proxy's upstreams has a port at which the component is known; instances of one service mostly share theirs.
func (b *builder) servesElsewhere(c *component) bool {
	return slices.ContainsFunc(b.st.Upstreams(), func(u *mem.Upstream) bool {
		_, port, err := net.SplitHostPort(u.Addr)
		return err == nil && c.listens(port)
	})
}

// sharedHost reports whether several ports of a host are upstreams: then the bare host names nobody.
func (b *builder) sharedHost(host string) bool {
	n := 0
	for _, u := range b.st.Upstreams() {
		if h, _, err := net.SplitHostPort(u.Addr); err == nil && h == host {
			n++
		}
	}
	return n > 1 || servicegraph.Loopback(host)
}

// byRoutes names the service that logs the same routes as those the proxy sends to addr, when only one does.
func (b *builder) byRoutes(addr string) string {
	via := map[string]bool{}
	for _, f := range b.st.Answers() {
		if f.By.Upstream == addr {
			via[f.By.Method+" "+f.By.Route] = true
		}
	}
	found := map[string]bool{}
	for _, s := range b.st.Streams() {
		if !s.Proxy && s.Observer != b.observer && via[s.Name()] {
			found[b.names.nameOf(s.Observer)] = true
		}
	}
	if len(found) != 1 {
		return ""
	}
	for s := range found {
		return s
	}
	return ""
}
