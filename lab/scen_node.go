package main

import (
	"syscall"
	"time"
)

// tickets brings up the ticket shop: n instances in front of PostgreSQL, with a payment provider.
type tickets struct {
	service string
	version string
	rename  []string
	edits   []Edit
	n       int
	env     []string
	wrap    string
	log     string // one log for all instances; default one per instance
	pg      Postgres
	redis   bool
}

const ticketIP = "10.30.0.2"

func (t tickets) part(e *Env, i int, dir string, env ...string) Part {
	ip := ticketIP + string(rune('0'+i))
	name := t.service + "-" + string(rune('0'+i))
	p := nodePart(name, t.service, dir, ip, append(append([]string{"DATABASE_URL=postgres://tickets:pw-4711@db-1:5432/tickets", "PAYMENT_URL=http://pay.cardwire.example"}, t.env...), env...)...)
	p.Wrap = t.wrap
	if t.redis {
		p.Env = append(p.Env, "REDIS_URL=redis://cache-1:6379")
	}
	if t.log != "" {
		p.Log = t.log
	}
	return p
}

func (t tickets) up(e *Env) {
	pg := t.pg
	pg.IP, pg.DB = "10.30.0.40", "tickets"
	if pg.Schema == "" {
		pg.Schema = e.schema("node/tickets", t.rename...)
	}
	pg.Pass = "pw-4711"
	e.Postgres(pg)
	if t.redis {
		e.Redis("cache-1", "10.30.0.50")
	}
	e.partner("pay.cardwire.example", "10.99.0.10")
	dir := e.Release(t.service, "node/tickets", t.version, t.rename, t.edits...)
	for i := 1; i <= max(1, t.n); i++ {
		p := t.part(e, i, dir)
		ip := ticketIP + string(rune('0'+i))
		e.up(p, ip+":3000")
		e.Scrape(t.service, p.Name+":3000", "http://"+ip+":3000/metrics")
	}
}

func (t tickets) servers(params string) []string {
	var s []string
	for i := 1; i <= max(1, t.n); i++ {
		s = append(s, ticketIP+string(rune('0'+i))+":3000"+params)
	}
	return s
}

// nodeScenarios are the incidents of the Node service.
func nodeScenarios() []Scenario {
	return []Scenario{unhandledRejection(), lockMigration(), missingEnv(), keepalive(), syntaxCrash(), cacheDown(), paymentHang(), permissionUploads(), maxFails(), dnsGone(), retryStorm()}
}

func unhandledRejection() Scenario {
	gw := "http://10.30.0.10"
	s := inc("seatmap-rejection", "unhandled-exception", "unhandled-rejection", "seating 3.8.0 forgets to await a hold on seats: a rejected promise ends the process", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "seating", Aliases: []string{"seating-1", "seating-2", "seats"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy seating 3.8.0: hold seats while paying", Recorded: true},
		NotCauses: []string{"gateway", "server down", "database down"}, MustMention: []string{"unhandled|triggerUncaughtException|UnhandledPromiseRejection|holdSeats", "3\\.8\\.0"},
		Fix: "Roll back 3.8.0; await the hold and handle its failure.", Difficulty: "medium"})
	rename := []string{"api/events", "api/shows", "tickets:", "tickets:"}
	s.Routes = renamed(ticketRoutes(gw), "/api/events", "/api/shows")
	s.RPS = 22
	t := tickets{service: "seating", version: "3.7.2", rename: rename, n: 2, log: "seating.log", wrap: "compose"}
	s.Setup = func(e *Env) {
		e.Past(20*time.Hour, "migration", "db-1", "", "add index orders_email")
		e.Past(2*time.Hour, "deploy", "seating", "3.7.2", "deploy seating 3.7.2: translations")
		t.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.30.0.10", Access: "haproxy.log", HTTP: "option redispatch\n  retries 1", Routes: []Upstream{{Name: "seating", Prefix: "/", Servers: t.servers(" check inter 2s fall 2 rise 1"), Opts: "option httpchk GET /healthz"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "mailer", "", "mailer: new sender address")
		dir := e.Release("seating", "node/tickets", "3.8.0", rename, Edit{"orders.js", "const receipt = await payments.charge(order, card);",
			"holdSeats(order);\n  const receipt = await payments.charge(order, card);"},
			Edit{"orders.js", "async function pay(id, card) {", "async function holdSeats(order) {\n  const { rows } = await db.query('update events set seats_left = seats_left - $2 where id = $1 and seats_left >= $2 returning seats_left', [order.event_id, order.seats]);\n  if (rows.length === 0) throw new Error(`no seats left for event ${order.event_id}`);\n  return rows[0].seats_left;\n}\n\nasync function pay(id, card) {"})
		e.SQL("tickets", "update events set seats_left = 0 where id % 3 = 0")
		e.Change("deploy", "seating", "3.8.0", "deploy seating 3.8.0: hold seats while paying")
		for i := 1; i <= 2; i++ {
			e.Replace(t.part(e, i, dir), 0)
			e.Sleep(2500 * time.Millisecond)
		}
	}
	s.Fault = 60 * time.Second
	return s
}

func lockMigration() Scenario {
	gw := "http://10.30.0.10"
	s := inc("venue-lock", "database", "lock-contention", "a migration waits for a long transaction and everybody else waits behind it", Truth{
		Culprit: "db-1", Aliases: []string{"postgres", "postgresql", "database", "events", "boxoffice", "10.30.0.40", "db"},
		Trigger:   &Trigger{Kind: "migration", Summary: "events: add column accessible_seats", Recorded: true},
		NotCauses: []string{"pool too small", "slow query", "database down"}, MustMention: []string{"lock|AccessExclusiveLock|ShareLock|AccessShareLock", "accessible_seats|migration"},
		Fix: "End the long transaction (or the migration); run migrations with lock_timeout.", Difficulty: "medium"})
	s.Routes = ticketRoutes(gw)
	t := tickets{service: "boxoffice", version: "1.44.0", n: 1, env: []string{"DB_STATEMENT_TIMEOUT_MS=3000"}, pg: Postgres{Export: true, Conf: map[string]string{"log_lock_waits": "on", "deadlock_timeout": "'1s'"}}}
	s.Setup = func(e *Env) {
		e.Past(30*time.Hour, "deploy", "boxoffice", "1.44.0", "deploy boxoffice 1.44.0: gift cards")
		t.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.30.0.10", Access: "caddy-access.log", Errors: "caddy.log", Routes: []Upstream{{Name: "boxoffice", Prefix: "/", Servers: t.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Background(func() { e.SQLLogged("tickets", "begin; select count(*) from events; select pg_sleep(55); commit;") })
		e.Sleep(time.Second)
		e.Injected = time.Now()
		e.Change("migration", "db-1", "", "events: add column accessible_seats")
		e.Background(func() {
			e.SQLLogged("tickets", "alter table events add column accessible_seats int not null default 0;")
		})
	}
	s.Fault = 45 * time.Second
	return s
}

func missingEnv() Scenario {
	gw := "http://10.30.0.10"
	s := inc("payment-url-unset", "misconfiguration", "missing-env", "the new environment file has no PAYMENT_URL: paying fails, all else works", Truth{
		Culprit: "box-office", Aliases: []string{"box-office-1", "boxoffice", "10.30.0.21"},
		Trigger:   &Trigger{Kind: "config", Summary: "move box-office settings to the new vault path", Recorded: true},
		NotCauses: []string{"payment provider down", "type error in code"}, MustMention: []string{"Invalid URL|ERR_INVALID_URL", "vault|undefined"},
		Fix: "Set PAYMENT_URL and restart; check required settings at the start.", Difficulty: "medium"})
	s.Routes = ticketRoutes(gw)
	t := tickets{service: "box-office", version: "9.2.1", wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(5*time.Hour, "deploy", "box-office", "9.2.1", "deploy box-office 9.2.1: printable tickets")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.30.0.10", Format: "json", Routes: []Upstream{{Name: "boxoffice", Prefix: "/", Servers: t.servers(""), Pool: "keepalive 8;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "box-office", "", "move box-office settings to the new vault path")
		p := t.part(e, 1, "/srv/box-office/releases/9.2.1")
		var env []string
		for _, v := range p.Env {
			if v != "PAYMENT_URL=http://pay.cardwire.example" {
				env = append(env, v)
			}
		}
		p.Env = env
		e.Replace(p, 0)
	}
	s.OnsetStatus = 500
	s.Keep = []string{"access.log", "box-office-1.log", "changes.jsonl"}
	return s
}

func keepalive() Scenario {
	gw := "http://10.30.0.10"
	s := inc("idle-close-race", "misconfiguration", "keepalive-mismatch", "the service closes idle connections after a fifth of a second, the gateway keeps them for a minute: requests meet a closing connection", Truth{
		Culprit: "kiosk", Aliases: []string{"kiosk-1", "kiosk-2", "gateway", "nginx", "10.30.0.21", "10.30.0.22"},
		Acceptable: [][2]string{{"misconfiguration", "timeout-too-short"}},
		Trigger:    &Trigger{Kind: "config", Summary: "kiosk: KEEPALIVE_MS 65000 -> 200 to save memory", Recorded: true},
		NotCauses:  []string{"kiosk down", "kiosk crashed", "network"}, MustMention: []string{"prematurely closed|Connection reset by peer|reset by peer", "KEEPALIVE"},
		Fix: "Keep idle connections longer in the service than in the gateway.", Difficulty: "hard"})
	s.Routes = changed(ticketRoutes(gw), "POST /api/orders", func(r *Route) { r.Weight = 6 })
	s.RPS, s.Fault = 14, 90*time.Second
	t := tickets{service: "kiosk", version: "2.0.9", n: 2, edits: []Edit{{"events.js", "return rows;", "summarise(rows);\n    return rows;"},
		{"events.js", "async function get(id)", "// The list carries a checksum that kiosks compare; it is slow to make.\nfunction summarise(rows) {\n  const { pbkdf2Sync } = require('node:crypto');\n  return pbkdf2Sync(JSON.stringify(rows), 'kiosk', 350000, 32, 'sha256');\n}\n\nasync function get(id)"}}}
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "kiosk", "2.0.9", "deploy kiosk 2.0.9: list checksums")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.30.0.10", Routes: []Upstream{{Name: "kiosk", Prefix: "/", Servers: t.servers(" max_fails=0"), Pool: "keepalive 32; keepalive_timeout 60s;", Opts: "proxy_next_upstream off;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "kiosk", "", "kiosk: KEEPALIVE_MS 65000 -> 200 to save memory")
		for i := 1; i <= 2; i++ {
			e.Replace(t.part(e, i, "/srv/kiosk/releases/2.0.9", "KEEPALIVE_MS=200"), 0)
			e.Sleep(time.Second)
		}
		e.Sleep(restartBlip)
		e.Settled = time.Now()
	}
	return s
}

func syntaxCrash() Scenario {
	gw := "http://10.30.0.10"
	s := inc("brace-missing", "bad-deploy", "startup-crash", "release 4.3.0 does not parse: no instance starts", Truth{
		Culprit: "booking", Aliases: []string{"booking-1", "booking-2", "10.30.0.21", "10.30.0.22"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy booking 4.3.0: group discount", Recorded: true},
		NotCauses: []string{"haproxy", "database down"}, MustMention: []string{"SyntaxError", "4\\.3\\.0"},
		Fix: "Roll back 4.3.0.", Difficulty: "easy"})
	s.Routes = ticketRoutes(gw)
	t := tickets{service: "booking", version: "4.2.6", n: 2, log: "booking.log", wrap: "cri"}
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "deploy", "booking", "4.2.6", "deploy booking 4.2.6: refund texts")
		e.Past(40*time.Minute, "infra", "db-1", "", "snapshot of the volume")
		t.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "lb", IP: "10.30.0.10", Access: "lb.log", Wrap: "syslog", Routes: []Upstream{{Name: "booking", Prefix: "/", Servers: t.servers(" check inter 1s fall 2 rise 1"), Opts: "option httpchk GET /healthz"}}})
	}
	s.Host, s.TZ = "lb-2", "America/New_York"
	s.Inject = func(e *Env) {
		dir := e.Release("booking", "node/tickets", "4.3.0", nil, Edit{"orders.js", "  return total;\n}", "  if (order.seats >= 8) {\n    total = Math.round(total * 0.9);\n  return total;\n}"})
		e.Change("deploy", "booking", "4.3.0", "deploy booking 4.3.0: group discount")
		for i := 1; i <= 2; i++ {
			e.Replace(t.part(e, i, dir), 0)
		}
	}
	return s
}

func cacheDown() Scenario {
	gw := "http://10.30.0.10"
	s := inc("cache-gone-db-drowns", "dependency-failure", "refused", "the cache goes away; every read falls through to a database that cannot carry it", Truth{

		Culprit: "cache-1", Aliases: []string{"redis", "cache", "10.30.0.50"},
		Trigger:   &Trigger{Kind: "infra", Summary: "cache-1 stopped", Recorded: false},
		NotCauses: []string{"pool too small", "slow queries", "tickets release"}, MustMention: []string{"cache read failed|redis|ECONNREFUSED", "10\\.30\\.0\\.50|cache-1"},
		Fix: "Bring the cache back; limit what may fall through to the database.", Difficulty: "hard"})
	s.Routes = changed(changed(ticketRoutes(gw), "GET /api/events", func(r *Route) { r.Weight = 14 }), "GET /api/events/{id}", func(r *Route) { r.URL = gw + "/api/events/{n:1-40}"; r.Weight = 10 })
	s.RPS = 40
	t := tickets{service: "tickets", version: "6.1.0", n: 2, redis: true, env: []string{"DB_POOL_MAX=5", "DB_CONNECT_TIMEOUT_MS=2000"}, pg: Postgres{CPU: 0.25, Export: true, Conf: map[string]string{"log_min_duration_statement": "400"}},
		edits: []Edit{{"events.js", "'events:list', 5,", "'events:list', 20,"}, {"events.js", "select id, name, venue, starts_at, price_cents from events order by starts_at limit 20",
			"select e.id, e.name, e.venue, e.starts_at, e.price_cents, count(o.id) as sold from events e left join orders o on o.event_id = e.id group by e.id order by sold desc, md5(e.name) limit 20"},
			{"events.js", "select id, name, venue, starts_at, price_cents, seats_left from events where id = $1", "select e.id, e.name, e.venue, e.starts_at, e.price_cents, e.seats_left, (select count(*) from orders o where o.event_id = e.id) as sold from events e where id = $1"}}}
	s.Setup = func(e *Env) {
		t.pg.Schema = e.schema("node/tickets") + "insert into orders (event_id, seats, email, total_cents) select 1+g%400, 1+g%4, 'visitor'||g||'@mail.example', 4000 from generate_series(1,90000) g; analyze;"
		e.Past(7*time.Hour, "deploy", "tickets", "6.1.0", "deploy tickets 6.1.0: bestseller list")
		e.Past(2*time.Minute, "deploy", "newsletter", "0.9.4", "deploy newsletter 0.9.4: unsubscribe link")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.30.0.10", Routes: []Upstream{{Name: "tickets", Prefix: "/", Servers: t.servers(""), Pool: "keepalive 8;"}}})
	}
	s.Inject = func(e *Env) { e.Stop("cache-1", syscall.SIGTERM, time.Second) }
	return s
}

func paymentHang() Scenario {
	gw := "http://10.30.0.10"
	s := inc("cardwire-hangs", "dependency-failure", "timeout", "the payment provider accepts connections and does not answer", Truth{
		Culprit: "pay.cardwire.example", Aliases: []string{"cardwire", "payment provider", "10.99.0.10", "payments"},
		Trigger:   &Trigger{Kind: "external", Summary: "payment provider stopped answering", Recorded: false},
		NotCauses: []string{"deploy of catalogue", "database"}, MustMention: []string{"cardwire", "within 4000 ms|no answer"},
		Fix: "Nothing to fix at home: fail fast, queue payments, ask the provider.", Difficulty: "easy"})
	s.Routes = changed(ticketRoutes(gw), "POST /api/orders/{id}/pay", func(r *Route) { r.Weight = 3 })
	t := tickets{service: "checkout-api", version: "2.18.3", n: 1}
	s.Setup = func(e *Env) {
		t.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache", IP: "10.30.0.10", Format: "timed", Access: "apache/access_log", Errors: "apache/error_log", Routes: []Upstream{{Name: "checkout", Prefix: "/", Servers: t.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.behave("pay.cardwire.example", behaviour{DelayMS: 60000})
	}
	base := s.Setup
	s.Setup = func(e *Env) {
		must(mkdir(e.Logs+"/apache"), "mkdir")
		e.Past(29*time.Hour, "deploy", "checkout-api", "2.18.3", "deploy checkout-api 2.18.3: log request ids")
		base(e)
	}
	inject := s.Inject
	s.Inject = func(e *Env) {
		e.Change("deploy", "catalogue", "7.0.1", "deploy catalogue 7.0.1: image sizes") // the decoy: another service, half a minute before
		e.Sleep(20 * time.Second)
		e.Injected = time.Now()
		inject(e)
	}
	s.Fault = 50 * time.Second
	return s
}

func permissionUploads() Scenario {
	gw := "http://10.30.0.10"
	s := inc("invoice-dir-root", "misconfiguration", "permission", "after a host rebuild the invoice folder belongs to root: orders cannot write their invoice", Truth{
		Culprit: "invoices", Aliases: []string{"invoices-1", "/srv/data/invoices", "10.30.0.21", "app-1"},
		Trigger:   &Trigger{Kind: "infra", Summary: "remount of /srv/data from the new volume", Recorded: true},
		NotCauses: []string{"disk full", "database"}, MustMention: []string{"EACCES|permission denied", "/srv/data/invoices"},
		Fix: "Give the folder back to the service's user.", Difficulty: "easy"})
	s.Routes = renamed(ticketRoutes(gw), "/api/events", "/api/products", "/api/orders", "/api/invoices")
	rename := []string{"/api/events", "/api/products", "/api/orders", "/api/invoices"}
	t := tickets{service: "invoices", version: "1.9.0", rename: rename, edits: []Edit{{"orders.js", "  analytics.track", "  await fs.appendFile(`/srv/data/invoices/${rows[0].id % 50}.txt`, `invoice ${rows[0].id}\\n`);\n  analytics.track"},
		{"orders.js", "const db = require('./db');", "const fs = require('node:fs/promises');\nconst db = require('./db');"}}}
	s.Setup = func(e *Env) {
		e.Run("sh", "-c", "mkdir -p /srv/data/invoices && chown -R www-data /srv/data")
		e.Past(3*time.Hour, "deploy", "invoices", "1.9.0", "deploy invoices 1.9.0: keep a copy on disk")
		t.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.30.0.10", Access: "edge.json.log", Errors: "edge-error.log", Routes: []Upstream{{Name: "invoices", Prefix: "/", Servers: t.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "app-1", "", "remount of /srv/data from the new volume")
		e.Run("sh", "-c", "mv /srv/data /srv/data.old; mkdir -p /srv/data/invoices; chmod 755 /srv/data/invoices")
	}
	return s
}

func maxFails() Scenario {
	gw := "http://10.30.0.10"
	s := inc("one-slow-route-all-down", "dependency-failure", "timeout", "paying hangs; the gateway takes its time-outs for dead servers and shuts out every route", Truth{
		Acceptable: [][2]string{{"misconfiguration", "timeout-too-short"}},
		Culprit:    "pay.cardwire.example", Aliases: []string{"cardwire", "payment provider", "10.99.0.10"},
		Trigger:   &Trigger{Kind: "external", Summary: "payment provider stopped answering", Recorded: false},
		NotCauses: []string{"all servers down", "tickets crashed", "database"}, MustMention: []string{"no live upstreams|upstream timed out", "/pay"},
		Fix: "Fail fast on payment; max_fails=0 (or passive checks that ignore time-outs of one route) in the gateway.", Difficulty: "hard"})
	s.Routes = changed(ticketRoutes(gw), "POST /api/orders/{id}/pay", func(r *Route) { r.Weight = 2 })
	t := tickets{service: "tickets", version: "6.4.2", n: 2, env: []string{"PAYMENT_TIMEOUT_MS=20000"}}
	s.Setup = func(e *Env) {
		e.Past(4*time.Hour, "config", "gateway", "", "nginx: proxy_read_timeout 60s -> 3s")
		e.Past(28*time.Hour, "deploy", "tickets", "6.4.2", "deploy tickets 6.4.2: receipts")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.30.0.10", Routes: []Upstream{{Name: "tickets", Prefix: "/", Servers: t.servers(" max_fails=1 fail_timeout=10s"), Opts: "proxy_read_timeout 3s; proxy_next_upstream error timeout non_idempotent;"}}})
	}
	s.Inject = func(e *Env) { e.behave("pay.cardwire.example", behaviour{DelayMS: 60000}) }
	return s
}

func dnsGone() Scenario {
	gw := "http://10.30.0.10"
	s := inc("resolver-silent", "dependency-failure", "dns", "the resolver stops answering: the payment provider's name does not resolve", Truth{
		Culprit: "resolver", Aliases: []string{"dns", "10.255.0.2", "pay.cardwire.example", "dnsmasq"},
		Trigger:   &Trigger{Kind: "external", Summary: "resolver stopped", Recorded: false},
		NotCauses: []string{"payment provider down", "database"}, MustMention: []string{"EAI_AGAIN|getaddrinfo"},
		Fix: "Bring the resolver back; a second resolver, a cache.", Difficulty: "easy"})
	s.Routes = changed(ticketRoutes(gw), "POST /api/orders/{id}/pay", func(r *Route) { r.Weight = 3 })
	t := tickets{service: "stage-door", version: "0.31.0", n: 1, wrap: "cri", env: []string{"PAYMENT_URL=http://pay.cardwire.test"}, edits: []Edit{{"payments.js", "keepAlive: true", "keepAlive: false"}}}
	s.Setup = func(e *Env) {
		e.Start(Part{Name: "resolver", User: "root", Argv: []string{"dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--listen-address=10.255.0.2", "--bind-interfaces", "--address=/pay.cardwire.test/10.99.0.10", "--user=root", "--pid-file="}})
		e.Past(6*time.Hour, "deploy", "stage-door", "0.31.0", "deploy stage-door 0.31.0: smaller images")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.30.0.10", Format: "combined", Routes: []Upstream{{Name: "stagedoor", Prefix: "/", Servers: t.servers("")}}})
	}
	s.Inject = func(e *Env) { e.Stop("resolver", syscall.SIGKILL, time.Second) }
	return s
}

func retryStorm() Scenario {
	gw := "http://10.30.0.10"
	s := inc("pricing-retry-storm", "dependency-failure", "upstream-overload", "the pricing service is over its capacity; callers try again at once, five times, and keep it there", Truth{
		Culprit: "pricing", Aliases: []string{"pricing.internal", "10.99.0.30", "quotes"},
		Trigger:   &Trigger{Kind: "traffic", Summary: "an advert sends twice the visitors", Recorded: false},
		NotCauses: []string{"database", "quotes release"}, MustMention: []string{"503|overloaded", "pricing"},
		Fix: "Back off with jitter and a retry budget; shed load; more capacity for pricing.", Difficulty: "hard"})
	s.Routes = renamed(changed(ticketRoutes(gw), "POST /api/orders/{id}/pay", func(r *Route) { r.Weight = 6 }), "/pay", "/quote")
	s.Shape = surge(2.2)
	t := tickets{service: "quotes", version: "1.0.8", n: 2, rename: []string{"/pay'", "/quote'", "payment provider", "pricing service", "v2/charges", "v1/price", "payments", "pricing", "PAYMENT_URL", "PRICING_URL"}, env: []string{"PRICING_URL=http://pricing.internal"},
		edits: []Edit{{"payments.js", "  return post(url, { amount: order.total_cents, card });", "  return again(5, () => post(url, { amount: order.total_cents, card }));"},
			{"payments.js", "function post(url, body) {", "async function again(times, call) {\n  for (let i = 1; ; i += 1) {\n    try { return await call(); } catch (err) {\n      if (i >= times) throw err;\n      log.warn({ attempt: i, reason: err.message }, 'pricing call failed, trying again');\n    }\n  }\n}\n\nfunction post(url, body) {"},
			{"payments.js", "const http = require('node:http');", "const http = require('node:http');\nconst log = require('./log');"}}}
	s.Setup = func(e *Env) {
		e.partner("pricing.internal", "10.99.0.30")
		e.behave("pricing.internal", behaviour{DelayMS: 180, Busy: 3})
		e.Past(14*time.Hour, "deploy", "quotes", "1.0.8", "deploy quotes 1.0.8: retry calls to pricing")
		t.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.30.0.10", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "quotes", Prefix: "/", Servers: t.servers(" check inter 2s"), Opts: "option httpchk GET /healthz"}}})
	}
	s.Routes = changed(s.Routes, "POST /api/orders/{id}/quote", func(r *Route) { r.Weight = 3.5 })
	return s
}
