package main

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// ledger brings up the accounts API of a bank in front of PostgreSQL, with a provider of exchange rates.
type ledger struct {
	service string
	version string
	rename  []string
	edits   []Edit
	n       int
	env     []string
	wrap    string
	nofile  int
	dbURL   string
	pg      Postgres
}

const ledgerIP = "10.52.3.1"

func (l ledger) part(e *Env, i int, dir string, env ...string) Part {
	ip := ledgerIP + string(rune('0'+i))
	name := l.service
	if l.n > 1 {
		name += "-" + string(rune('0'+i))
	}
	url := l.dbURL
	if url == "" {
		url = "postgres://ledger:s3cret@ledger-db:5432/ledger?connect_timeout=3"
	}
	p := goPart(name, dir, ip+":8080", append(append([]string{"DATABASE_URL=" + url, "RATES_URL=http://rates.fxhub.example"}, l.env...), env...)...)
	p.Wrap, p.NoFile = l.wrap, l.nofile
	return p
}

func (l ledger) up(e *Env) {
	pg := l.pg
	pg.Name, pg.IP, pg.DB, pg.Pass = "ledger-db", "10.52.3.50", "ledger", "s3cret"
	if pg.Schema == "" {
		pg.Schema = e.schema("go/ledger", l.rename...)
	}
	e.Postgres(pg)
	e.partner("rates.fxhub.example", "10.99.2.10")
	dir := e.Release(l.service, "go/ledger", l.version, l.rename, l.edits...)
	for i := 1; i <= max(1, l.n); i++ {
		p := l.part(e, i, dir)
		ip := ledgerIP + string(rune('0'+i))
		e.up(p, ip+":8080")
		e.Scrape(l.service, p.Name+":8080", "http://"+ip+":8080/metrics")
	}
}

func (l ledger) servers(params string) []string {
	var s []string
	for i := 1; i <= max(1, l.n); i++ {
		s = append(s, ledgerIP+string(rune('0'+i))+":8080"+params)
	}
	return s
}

func (l ledger) roll(e *Env, dir string, gap time.Duration, env ...string) {
	for i := 1; i <= max(1, l.n); i++ {
		e.Replace(l.part(e, i, dir, env...), 0)
		e.Sleep(gap)
	}
}

func goScenarios() []Scenario {
	return []Scenario{emptyStatementPanic(), databaseKilled(), rotatedPassword(), quotaAs500(), fxRateLimited(), portsGone(), descriptorLeak(), wrongUpstream(), certExpired(), textTooLong()}
}

func emptyStatementPanic() Scenario {
	gw := "http://10.52.3.2"
	s := inc("empty-statement-panic", "unhandled-exception", "panic", "accounts without entries, opened today by a partner bank, panic with an index out of range", Truth{
		Culprit: "ledger", Aliases: []string{"10.52.3.11", "accounts.go"},
		Trigger:   &Trigger{Kind: "data", Summary: "new accounts without any entry", Recorded: false},
		NotCauses: []string{"gateway", "service down", "database"}, MustMention: []string{"index out of range", "accounts\\.go|summarise"},
		Fix: "Treat an empty statement; recover in a middleware that answers 500.", Difficulty: "easy"})
	s.Routes = append(ledgerRoutes(gw), Route{Name: "GET /accounts/{id}/statement", URL: gw + "/accounts/{n:2001-2300}/statement", Weight: 2, During: "fault"})
	l := ledger{service: "ledger", version: "1.33.0", edits: []Edit{{"accounts.go", "	var sum int64\n", "	sum, newest := int64(0), entries[0].At\n"}, {"accounts.go", `"sum_cents": sum}`, `"sum_cents": sum, "as_of": newest}`}}}
	s.Setup = func(e *Env) {
		e.Past(5*24*time.Hour, "deploy", "ledger", "1.33.0", "deploy ledger 1.33.0: as_of in statements")
		e.Past(10*time.Minute, "config", "gateway", "", "nginx: new access log format")
		l.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.52.3.2", Routes: []Upstream{{Name: "ledger", Prefix: "/", Servers: l.servers(" max_fails=0"), Pool: "keepalive 8;"}}})
	}
	s.Inject = func(e *Env) {
		e.SQL("ledger", "insert into accounts (owner, balance) select 'Sparkasse customer '||g, 0 from generate_series(1,300) g")
	}
	return s
}

func databaseKilled() Scenario {
	gw := "http://10.52.3.2"
	s := inc("ledger-db-down", "database", "down", "the database server is switched off for maintenance, on the wrong host", Truth{
		Culprit: "ledger-db", Aliases: []string{"postgres", "postgresql", "database", "10.52.3.50"},
		Trigger:   &Trigger{Kind: "infra", Summary: "stop PostgreSQL on ledger-db for disk replacement", Recorded: true},
		NotCauses: []string{"pool exhausted", "ledger release", "credentials"}, MustMention: []string{"connection refused|shutting down|admin_shutdown|57P01", "ledger-db|10\\.52\\.3\\.50"},
		Fix: "Start the database; answer 503 while it is away.", Difficulty: "easy"})
	s.Routes = ledgerRoutes(gw)
	l := ledger{service: "accounts-api", version: "0.99.2", n: 2, wrap: "cri", env: []string{"LOG_FORMAT=json"}}
	s.Setup = func(e *Env) {
		e.Past(27*time.Hour, "deploy", "accounts-api", "0.99.2", "deploy accounts-api 0.99.2: metrics")
		l.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.52.3.2", Access: "haproxy.log", Routes: []Upstream{{Name: "accounts", Prefix: "/", Servers: l.servers(" check inter 2s"), Opts: "option httpchk GET /healthz"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "ledger-db", "", "stop PostgreSQL on ledger-db for disk replacement")
		e.Stop("ledger-db", syscall.SIGINT, 5*time.Second)
	}
	return s
}

func rotatedPassword() Scenario {
	gw := "http://10.52.3.2"
	s := inc("password-rotated", "misconfiguration", "bad-credential", "the password of the service's role was rotated, the service still has the old one", Truth{
		Culprit: "payments-core", Aliases: []string{"ledger-db", "10.52.3.11"},
		Trigger:   &Trigger{Kind: "config", Summary: "quarterly rotation of database passwords", Recorded: true},
		NotCauses: []string{"database down", "deploy of fraud-score"}, MustMention: []string{"password authentication failed|28P01", "rotation"},
		Fix: "Hand the new secret to the service and restart it.", Difficulty: "medium"})
	s.Routes = ledgerRoutes(gw)
	l := ledger{service: "payments-core", version: "7.0.0", pg: Postgres{Export: true}, edits: []Edit{{"main.go", "30 * time.Second", "10 * time.Second"}}}
	s.Setup = func(e *Env) {
		e.Past(8*time.Hour, "deploy", "payments-core", "7.0.0", "deploy payments-core 7.0.0: split from the monolith")
		l.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache", IP: "10.52.3.2", Format: "combined", Access: "access_log", Errors: "error_log", Routes: []Upstream{{Name: "payments", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "ledger-db", "", "quarterly rotation of database passwords")
		e.SQL("ledger", "reset role; alter role ledger password 'n3w-s3cret'")
		e.Sleep(2 * time.Second)
		e.Change("deploy", "fraud-score", "3.1.1", "deploy fraud-score 3.1.1: threshold")
	}
	s.Fault = 60 * time.Second
	return s
}

func quotaAs500() Scenario {
	gw := "http://10.52.3.2"
	s := inc("quota-told-as-500", "misconfiguration", "error-mapping", "a batch client runs over its quota; the service tells the limit as 500 instead of 429", Truth{
		Acceptable: [][2]string{{"dependency-failure", "rate-limited"}}, Culprit: "open-banking", Aliases: []string{"10.52.3.11"},
		Trigger:   &Trigger{Kind: "client", Summary: "one client (203.0.113.77) began a bulk download of statements", Recorded: false},
		NotCauses: []string{"database", "overload", "service down"}, MustMention: []string{"LimitExceeded|quota", "203\\.0\\.113\\.77|429"},
		Fix: "Answer 429 with Retry-After; talk to the client.", Difficulty: "medium"})
	s.Routes = append(ledgerRoutes(gw), Route{Name: "GET /accounts/{id}/statement", URL: gw + "/accounts/{n:1-2000}/statement", Weight: 14, During: "fault", Clients: "203.0.113.77", Agent: "acme-sync/2.3 (+https://acme.example/bot)"})
	s.Shape = func(d time.Duration) float64 {
		if d < 0 {
			return 1
		}
		return 2
	}
	l := ledger{service: "open-banking", version: "2.40.5", edits: []Edit{
		{"main.go", "		began := time.Now()\n", "		began := time.Now()\n		if err := limits.take(r.Header.Get(\"X-Forwarded-For\")); err != nil {\n			requests.WithLabelValues(route, \"500\").Inc()\n			s.log.Error(\"request failed\", \"route\", route, \"path\", r.URL.Path, \"client\", r.Header.Get(\"X-Forwarded-For\"), \"request_id\", r.Header.Get(\"X-Request-Id\"), \"err\", err.Error())\n			reply(w, 500, map[string]string{\"error\": \"LimitExceededException\", \"message\": err.Error()})\n			return\n		}\n"},
		{"rates.go", "// rates asks the provider", "// quota allows a client 300 requests a minute.\ntype quota struct {\n	mu   sync.Mutex\n	used map[string]int\n	from time.Time\n}\n\nvar limits = quota{used: map[string]int{}}\n\nfunc (q *quota) take(client string) error {\n	q.mu.Lock()\n	defer q.mu.Unlock()\n	if time.Since(q.from) > time.Minute {\n		q.from, q.used = time.Now(), map[string]int{}\n	}\n	q.used[client]++\n	if q.used[client] > 300 {\n		return fmt.Errorf(\"LimitExceededException: quota of 300 requests a minute exceeded (%d)\", q.used[client])\n	}\n	return nil\n}\n\n// rates asks the provider"},
		{"rates.go", "	\"net/http\"\n", "	\"net/http\"\n	\"sync\"\n"}}}
	s.Setup = func(e *Env) {
		e.Past(16*time.Hour, "deploy", "open-banking", "2.40.5", "deploy open-banking 2.40.5: consent page")
		e.Past(50*time.Minute, "config", "gateway", "", "caddy: new certificate for staging")
		l.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.52.3.2", Access: "caddy.json.log", Errors: "caddy-error.log", Routes: []Upstream{{Name: "ob", Prefix: "/", Servers: l.servers("")}}})
	}
	return s
}

func fxRateLimited() Scenario {
	gw := "http://10.52.3.2"
	s := inc("rates-429", "dependency-failure", "rate-limited", "a release asks the rates provider for every request; the provider answers 429", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}, {"misconfiguration", "error-mapping"}}, Culprit: "rates.fxhub.example", Aliases: []string{"fxhub", "rates provider", "10.99.2.10", "treasury"},
		Trigger:   &Trigger{Kind: "traffic", Summary: "market opening: twice the usual look-ups", Recorded: false},
		NotCauses: []string{"database", "gateway"}, MustMention: []string{"429|Too Many Requests", "rates"},
		Fix: "Cache the rates; honour Retry-After; ask for a higher quota.", Difficulty: "easy"})
	s.Routes = changed(ledgerRoutes(gw), "GET /fx/{currency}", func(r *Route) { r.Weight = 3 })
	s.Shape = func(d time.Duration) float64 {
		if d < 0 {
			return 1
		}
		return 2.5
	}
	l := ledger{service: "treasury", version: "3.3.3", n: 2, wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(33*time.Hour, "deploy", "treasury", "3.3.3", "deploy treasury 3.3.3: live rates")
		l.up(e)
		e.behave("rates.fxhub.example", behaviour{Limit: 16})
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.52.3.2", Format: "json", Routes: []Upstream{{Name: "treasury", Prefix: "/", Servers: l.servers("")}}})
	}
	return s
}

func portsGone() Scenario {
	gw := "http://10.52.3.2"
	s := inc("local-ports-gone", "resource-exhaustion", "ports", "release 4.5.0 opens a connection per look-up; the host runs out of local ports", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "card-gateway", Aliases: []string{"10.52.3.11", "app-9"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy card-gateway 4.5.0: fresh connection per look-up", Recorded: true},
		NotCauses: []string{"rates provider down", "network"}, MustMention: []string{"cannot assign requested address", "4\\.5\\.0|TIME_WAIT|tw"},
		Fix: "Roll back 4.5.0; reuse connections.", Difficulty: "hard"})
	s.Host = "app-9"
	s.Routes = changed(ledgerRoutes(gw), "GET /fx/{currency}", func(r *Route) { r.Weight = 4 })
	l := ledger{service: "card-gateway", version: "4.4.1"}
	s.Setup = func(e *Env) {
		must(os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("32768 33000"), 0o644), "port range")
		must(os.WriteFile("/proc/sys/net/ipv4/tcp_tw_reuse", []byte("0"), 0o644), "tw reuse")
		e.Past(21*time.Hour, "infra", "app-9", "", "sysctl: net.ipv4.ip_local_port_range = 32768 33000, tcp_tw_reuse = 0 (firewall request)")
		e.Past(21*time.Hour, "deploy", "card-gateway", "4.4.1", "deploy card-gateway 4.4.1")
		l.up(e)
		e.Start(Part{Name: "node-exporter", Argv: []string{"prometheus-node-exporter", "--web.listen-address=10.52.3.70:9100", "--collector.disable-defaults", "--collector.sockstat", "--collector.filefd"}})
		e.Scrape("node", "app-9:9100", "http://10.52.3.70:9100/metrics")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.52.3.2", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "cards", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("card-gateway", "go/ledger", "4.5.0", nil, Edit{"rates.go", "&http.Client{Timeout: 3 * time.Second}", "&http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}"})
		e.Change("deploy", "card-gateway", "4.5.0", "deploy card-gateway 4.5.0: fresh connection per look-up")
		l.roll(e, dir, 0)
	}
	s.OnsetStatus = 500
	s.Fault = 100 * time.Second
	return s
}

func descriptorLeak() Scenario {
	gw := "http://10.52.3.2"
	s := inc("response-bodies-open", "resource-exhaustion", "file-descriptors", "release 12.2.0 forgets to close the rates' response bodies", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "wallet", Aliases: []string{"10.52.3.11"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy wallet 12.2.0: retry of rates", Recorded: true},
		NotCauses: []string{"database down", "rates provider", "dns"}, MustMention: []string{"too many open files", "process_open_fds|12\\.2\\.0"},
		Fix: "Roll back 12.2.0; close the body.", Difficulty: "medium"})
	s.Routes = changed(ledgerRoutes(gw), "GET /fx/{currency}", func(r *Route) { r.Weight = 3 })
	l := ledger{service: "wallet", version: "12.1.7", nofile: 160}
	s.Setup = func(e *Env) {
		e.Past(13*time.Hour, "deploy", "wallet", "12.1.7", "deploy wallet 12.1.7")
		l.up(e)
		e.behave("rates.fxhub.example", behaviour{Body: `{"rates":{"USD":1.0841,"GBP":0.8402,"NOK":11.62}}` + strings.Repeat(" ", 30) + strings.Repeat("\n", 9000), Type: "application/json"})
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.52.3.2", Format: "timed", Access: "logs/edge-access.log", Errors: "logs/edge-error.log", Routes: []Upstream{{Name: "wallet", Prefix: "/", Servers: l.servers(" max_fails=0")}}})
	}
	base := s.Setup
	s.Setup = func(e *Env) { must(mkdir(e.Logs+"/logs"), "mkdir"); base(e) }
	s.Inject = func(e *Env) {
		dir := e.Release("wallet", "go/ledger", "12.2.0", nil, Edit{"rates.go", "	defer resp.Body.Close()\n	if resp", "	if resp"}, Edit{"rates.go", "	var body struct", "	x.last = append(x.last, resp)\n	var body struct"},
			Edit{"rates.go", "	client *http.Client\n", "	client *http.Client\n	last   []*http.Response // for a retry\n"}, Edit{"rates.go", "json.NewDecoder(resp.Body).Decode(&body)", "json.NewDecoder(io.LimitReader(resp.Body, 90)).Decode(&body)"},
			Edit{"rates.go", "{Timeout: 3 * time.Second}", "{}"}, Edit{"rates.go", "	\"time\"\n", ""}, Edit{"rates.go", "	\"fmt\"\n", "	\"fmt\"\n	\"io\"\n"})
		e.Change("deploy", "wallet", "12.2.0", "deploy wallet 12.2.0: retry of rates")
		l.roll(e, dir, 0)
	}
	s.OnsetStatus = 500
	s.Fault = 80 * time.Second
	return s
}

func wrongUpstream() Scenario {
	gw := "http://10.52.3.2"
	s := inc("caddy-old-address", "misconfiguration", "wrong-upstream", "the gateway's new file sends account traffic to an address of the old network", Truth{
		Culprit: "caddy", Aliases: []string{"gateway", "10.52.3.2"},
		Trigger:   &Trigger{Kind: "config", Summary: "Caddyfile generated from inventory 2026-11", Recorded: true},
		NotCauses: []string{"accounts service down", "database"}, MustMention: []string{"connection refused|dial tcp", "10\\.52\\.9\\.11"},
		Fix: "Put the upstream's address back and reload.", Difficulty: "easy"})
	s.Routes = ledgerRoutes(gw)
	l := ledger{service: "accounts", version: "1.2.3"}
	s.Setup = func(e *Env) {
		e.Past(3*24*time.Hour, "deploy", "accounts", "1.2.3", "deploy accounts 1.2.3")
		l.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.52.3.2", Access: "caddy-access.log", Errors: "caddy.log", Routes: []Upstream{{Name: "fx", Prefix: "/fx", Servers: l.servers("")}, {Name: "all", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "caddy", "", "Caddyfile generated from inventory 2026-11")
		e.Regate("caddy", func(g *GW) { g.Routes[1].Servers = []string{"10.52.9.11:8080"} })
	}
	return s
}

func certExpired() Scenario {
	gw := "http://10.52.3.2"
	s := inc("rates-certificate-over", "dependency-failure", "tls", "the rates provider's certificate expires", Truth{
		Culprit: "rates.fxhub.example", Aliases: []string{"fxhub", "10.99.2.20", "rates provider"},
		Trigger:   &Trigger{Kind: "external", Summary: "certificate of the rates provider expired", Recorded: false},
		NotCauses: []string{"clock", "our release", "network"}, MustMention: []string{"certificate has expired|x509"},
		Fix: "The provider must renew; do not switch off verification. Cache rates meanwhile.", Difficulty: "easy"})
	s.Routes = changed(ledgerRoutes(gw), "GET /fx/{currency}", func(r *Route) { r.Weight = 3 })
	l := ledger{service: "exchange", version: "0.7.0", wrap: "compose", env: []string{"RATES_URL=https://secure.fxhub.example", "SSL_CERT_FILE=/srv/tls/ca.pem"},
		edits: []Edit{{"rates.go", "&http.Client{Timeout: 3 * time.Second}", "&http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{IdleConnTimeout: time.Second, DisableKeepAlives: true}}"}}}
	s.Setup = func(e *Env) {
		e.Past(11*time.Hour, "deploy", "exchange", "0.7.0", "deploy exchange 0.7.0: talk TLS to the provider")
		ends := time.Now().Add(105 * time.Second).Truncate(time.Second)
		e.TriggerAt = ends
		e.Certificate("/srv/tls", "secure.fxhub.example", time.Until(ends))
		e.partner("secure.fxhub.example", "10.99.2.20", "CERT=/srv/tls/cert.pem", "KEY=/srv/tls/key.pem")
		l.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.52.3.2", Format: "plain", Routes: []Upstream{{Name: "exchange", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Fault = 60 * time.Second
	return s
}

func textTooLong() Scenario {
	gw := "http://10.52.3.2"
	s := inc("reference-too-long", "database", "query-error", "a new client sends references longer than the column: inserts fail", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "*"}}, Culprit: "transfers", Aliases: []string{"10.52.3.11", "ledger-db"},
		Trigger:   &Trigger{Kind: "client", Summary: "a new payroll client sends long references", Recorded: false},
		NotCauses: []string{"database down", "deploy"}, MustMention: []string{"value too long|22001"},
		Fix: "Answer 400 for long references; widen the column.", Difficulty: "medium"})
	s.Routes = append(ledgerRoutes(gw), Route{Name: "POST /transfers", Method: "POST", URL: gw + "/transfers", Body: `{"from":{n:1-1000},"to":{n:1001-2000},"cents":{n:100-90000},"text":"SALARY NOVEMBER 2026 EMPLOYEE {n:10000-99999} COST CENTRE {n:100-999} REF {hex}{hex}"}`, Weight: 3, During: "fault", Clients: "203.0.113.", Agent: "payroll-connect/1.0"})
	l := ledger{service: "transfers", version: "5.5.0", env: []string{"LOG_FORMAT=json"}}
	s.Setup = func(e *Env) {
		e.Past(80*time.Hour, "deploy", "transfers", "5.5.0", "deploy transfers 5.5.0")
		e.Past(30*time.Second, "deploy", "cards", "2.2.2", "deploy cards 2.2.2: new logo")
		l.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.52.3.2", Format: "combined", Routes: []Upstream{{Name: "transfers", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Rotate("nginx", "access.log")
	}
	return s
}

// Rotate renames a log of nginx and makes it reopen, as logrotate does; the old part is compressed.
func (e *Env) Rotate(gateway, file string) {
	e.Run("mv", e.Logs+"/"+file, e.Logs+"/"+file+".1")
	e.Signal(gateway, syscall.SIGUSR1)
	e.Sleep(time.Second)
	e.Run("gzip", "-9", e.Logs+"/"+file+".1")
}
