package main

import (
	"fmt"
	"net/http"
	"os"
	"syscall"
	"time"
)

// fourthScenarios is the fourth round: a shop (house_shop.go). It was written without sight of the rules, and all of it is held out.
func fourthScenarios() []Scenario {
	return []Scenario{orderLinesIndex(), alterBehindReport(), stockSyncConnections(), failoverDrill(), cacheFrozen(), paygridCertificate(), parcelwingNameGone(),
		twoWorkersLeft(), authPasswordRotated(), avatarKeyMissing(), avatarPreviews(), couponSuggestions(), fractionOfACent(), importWithoutTiers(),
		deviceNamesAndFullVolume(), waitsForSettled(), saleMorning(), cacheRestartAtNight(), labelsFailSilently()}
}

func orderLinesIndex() Scenario {
	h := newShop()
	h.pg.CPU, h.pg.Conf = 0.35, map[string]string{"log_min_duration_statement": "1000"}
	h.env["checkout"] = []string{"DB_POOL_MAX=5"}
	h.more = "insert into order_lines (order_id, product_id, quantity, note) select 1 + g * 11 % 40000, 1 + g * 7 % 3000, 1, 'shelf ' || g % 30 from generate_series(1, 400000) g; analyze order_lines"
	s := fourth(inc("order-lines-index", "database", "slow-query", "a migration drops an index that looked unused; the list of orders reads the whole table for each order, and carts wait for a connection behind it", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "db-primary", Aliases: []string{"postgres", "postgresql", "database", "127.20.0.61", "order_lines", "checkout", "checkout-1", "checkout-2"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0148 drop unused index order_lines_order_idx", Recorded: true},
		NotCauses: []string{"shipping 0.44.3", "pool too small", "database down", "payment provider"}, MustMention: []string{"order_lines|0148", "duration|timeout exceeded when trying to connect"},
		Fix: "Create the index on order_lines (order_id) again, concurrently.", Difficulty: "medium"}), h)
	s.Routes = changed(s.Routes, "GET /api/orders", func(r *Route) { r.Weight = 1.8 })
	s.Setup = func(e *Env) {
		e.Past(31*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: dependency updates")
		e.Past(26*time.Hour, "restart", "cache-1", "", "restart after kernel update")
		h.up(e)
		h.gate(e, GW{Access: "nginx-access.log", Errors: "nginx-error.log"}, " max_fails=0", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "shipping", "0.44.3", "wording of errors", 18*time.Second)
		e.Change("migration", "db-primary", "", "0148 drop unused index order_lines_order_idx")
		e.SQL("shop", "drop index order_lines_order_idx")
	}
	s.Keep = []string{"nginx-access.log", "nginx-error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "supervisord.log", "changes.jsonl", "metrics/checkout.om", "metrics/catalog.om", "metrics/nginx.om"}
	return s
}

func alterBehindReport() Scenario {
	h := newShop()
	h.pg.Conf = map[string]string{"log_lock_waits": "on"}
	h.env["catalog"] = []string{"LOG_FORMAT=text"}
	h.traces = "traces.jsonl"
	s := fourth(inc("alter-behind-report", "database", "lock-contention", "an analyst's session keeps a transaction open on products; a migration wants to add a column and waits behind it, and every reader of products waits behind the migration", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "db-primary", Aliases: []string{"postgres", "postgresql", "database", "127.20.0.61", "products", "migrate", "reporting"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0151 products: add column ean", Recorded: true},
		NotCauses: []string{"catalog 5.6.2", "database down", "pool too small", "redis"}, MustMention: []string{"AccessExclusiveLock|AccessShareLock|still waiting|canceling statement|timeout exceeded when trying to connect", "products|0151"},
		Fix: "End the open transaction (pg_terminate_backend) or cancel the migration; run migrations with a lock_timeout.", Difficulty: "hard"}), h)
	s.Setup = func(e *Env) {
		e.Past(8*time.Hour, "flag", "catalog", "", "new_search_ranking 5% -> 20%")
		e.Past(70*time.Minute, "infra", "db-primary", "", "nightly base backup finished")
		h.up(e)
		h.gate(e, GW{Format: "variables", Access: "access.json", Errors: "error.log"}, " max_fails=0", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "catalog", "5.6.2", "log wording", 12*time.Second)
		e.Background(func() {
			e.psql("reporting", "shop", "set application_name = 'notebook'; begin; select count(*) from products; select pg_sleep(75); commit")
		})
		e.Sleep(6 * time.Second)
		e.Injected = time.Now()
		e.Change("migration", "db-primary", "", "0151 products: add column ean")
		e.Background(func() {
			e.SQLLogged("shop", "set application_name = 'migrate'; ALTER TABLE products ADD COLUMN ean text")
		})
	}
	s.Fault = 90 * time.Second
	return s
}

func stockSyncConnections() Scenario {
	h := newShop()
	h.pg.Conf = map[string]string{"max_connections": "40"}
	h.env["checkout"] = []string{"DB_IDLE_MS=500"}
	h.logs = map[string]string{"stock-sync": "stock-sync.log"}
	s := fourth(inc("stock-sync-connections", "database", "too-many-connections", "a new worker opens a connection for each of 46 warehouses and takes every slot of the database; the services get theirs only now and then", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "stock-sync", Aliases: []string{"db-primary", "postgres", "postgresql", "database", "127.20.0.61"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy stock-sync 1.0.0: stock levels from the warehouses", Recorded: true},
		NotCauses: []string{"checkout deploy", "database down", "pool leak in checkout", "auth"}, MustMention: []string{"too many clients|remaining connection slots", "stock-sync|1\\.0\\.0|connections"},
		Fix: "Stop the worker; give it a pool of two or three connections and its role a connection limit.", Difficulty: "medium"}), h)
	s.Setup = func(e *Env) {
		e.Past(52*time.Hour, "deploy", "auth", "1.18.0", "deploy auth 1.18.0: profile page")
		e.Past(11*time.Hour, "deploy", "catalog", "5.6.1", "deploy catalog 5.6.1: cache list pages")
		h.up(e)
		h.gate(e, GW{Format: "plain", Access: "access.log", Errors: "error.log"}, " max_fails=0", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		e.Change("scale", "auth", "", "threads 6 -> 8")
		e.Sleep(15 * time.Second)
		dir := e.Release("shop/stock-sync", "python/stocksync", "1.0.0", nil)
		e.Injected = time.Now()
		e.Change("deploy", "stock-sync", "1.0.0", "deploy stock-sync 1.0.0: stock levels from the warehouses")
		e.Start(Part{Name: "stock-sync", Log: "stock-sync.log", Dir: dir, Argv: []string{"/usr/bin/python3", dir + "/worker.py"}, Env: []string{"DATABASE_URL=postgresql://shop:pw@db-primary:5432/shop", "WAREHOUSES=46"}})
	}
	s.Keep = []string{"access.log", "error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "supervisord.log", "changes.jsonl"}
	return s
}

func failoverDrill() Scenario {
	h := newShop()
	h.zones = map[string]string{"auth": "Europe/Berlin", "shipping": "Europe/Berlin"}
	s := fourth(inc("failover-drill", "database", "down", "a failover drill stops the primary; nobody promotes the standby, and it comes back after a minute", Truth{
		Acceptable: [][2]string{{"dependency-failure", "refused"}}, Culprit: "db-primary", Aliases: []string{"postgres", "postgresql", "database", "127.20.0.61"},
		Trigger:   &Trigger{Kind: "infra", Summary: "failover drill: primary stopped", Recorded: false},
		NotCauses: []string{"checkout", "auth", "pool exhausted", "catalog"}, MustMention: []string{"ECONNREFUSED|[Cc]onnection refused|terminating connection due to administrator command", "5432|127\\.20\\.0\\.61|db-primary"},
		Fix: "Start the primary again or promote the standby; drills with the standby in the services' list of hosts.", Difficulty: "easy"}), h)
	s.Setup = func(e *Env) {
		h.up(e)
		h.gate(e, GW{Format: "combined", Access: "www/access.log", Errors: "www/error.log"}, " max_fails=0", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) { e.Stop("db-primary", syscall.SIGINT, 5*time.Second) }
	s.Fault, s.Recovery = 62*time.Second, 32*time.Second
	s.Recover = func(e *Env) {
		e.Start(Part{Name: "db-primary", Argv: []string{pgBin + "/postgres", "-D", "/var/lib/postgresql/15/main", "-h", shopNet + "61"}, User: "postgres", Log: "postgresql.log"})
	}
	s.Keep = []string{"www", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log"}
	return s
}

func cacheFrozen() Scenario {
	h := newShop()
	h.pg.CPU = 0.15
	h.env["checkout"] = []string{"DB_POOL_MAX=5"}
	h.edits["catalog"] = []Edit{{"products.go", "ORDER BY stock DESC, id LIMIT 24`", "ORDER BY (SELECT count(*) FROM order_lines l WHERE l.note ILIKE '%gift%') DESC, stock DESC, id LIMIT 24`"},
		{"products.go", "WHERE category = $1 ORDER BY id LIMIT", "WHERE category = $1 ORDER BY (SELECT count(*) FROM order_lines l WHERE l.note ILIKE '%gift%'), id LIMIT"}, {"products.go", "text, time.Minute)", "text, 20*time.Minute)"}}
	s := fourth(inc("cache-frozen", "dependency-failure", "timeout", "the cache's machine is moved and stands still: each read of the cache runs into its timeout, the database has to answer for it and drowns", Truth{
		Acceptable: [][2]string{{"dependency-failure", "upstream-overload"}}, Culprit: "cache-1", Aliases: []string{"redis", "cache", "127.20.0.62"},
		Trigger:   &Trigger{Kind: "infra", Summary: "cache-1: live migration to host h7", Recorded: true},
		NotCauses: []string{"auth 1.18.1", "database down", "slow query", "checkout", "pool too small"}, MustMention: []string{"cache get failed|i/o timeout", "cache-1|redis|127\\.20\\.0\\.62|cache"},
		Fix: "Bring the cache back (restart it elsewhere); then a breaker on the cache and a limit on reads past it.", Difficulty: "hard"}), h)
	s.Setup = func(e *Env) {
		e.Past(27*time.Hour, "deploy", "catalog", "5.6.1", "deploy catalog 5.6.1: popular products first")
		e.Past(44*time.Minute, "config", "gateway", "", "raise access log retention to 30 days")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, " max_fails=0", "")
		h.warm()
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "auth", "1.18.1", "wording", 15*time.Second)
		e.Change("infra", "cache-1", "", "cache-1: live migration to host h7")
		e.Signal("cache-1", syscall.SIGSTOP)
	}
	s.Fault = 90 * time.Second
	s.Rename = map[string]string{"metrics.om": "prometheus.om.gz"}
	return s
}

// warm reads what people read: the day is not young.
func (s shop) warm() {
	get := func(path string) {
		resp, err := http.Get("http://" + where("catalog") + path)
		must(err, "warm the cache")
		must(resp.Body.Close(), "warm the cache")
	}
	for _, c := range []string{"kitchen", "toys", "garden", "office", "audio"} {
		for page := range 10 {
			get(fmt.Sprintf("/api/products?category=%s&page=%d", c, page))
		}
	}
	for _, q := range []string{"cable", "pro", "steel", "wool", "chair", "paint"} {
		get("/api/search?q=" + q)
	}
}

func paygridCertificate() Scenario {
	h := newShop()
	h.payLife = 150 * time.Second
	h.traces, h.ratio = "traces.jsonl", "0.2"
	s := fourth(inc("paygrid-certificate", "dependency-failure", "tls", "the payment provider's certificate runs out half a minute after an innocent release of checkout", Truth{
		Culprit: paygrid, Aliases: []string{"paygrid", "payment provider", "payments", "payment", "127.20.0.91"},
		Trigger:   &Trigger{Kind: "external", Summary: "the certificate of api.paygrid.example expired", Recorded: false},
		NotCauses: []string{"checkout 2.31.5", "database", "network"}, MustMention: []string{"certificate has expired|CERT_HAS_EXPIRED", "paygrid|payment"},
		Fix: "The provider has to renew its certificate: call them; queue orders meanwhile. A rollback of checkout helps nothing.", Difficulty: "medium"}), h)
	s.Setup = func(e *Env) {
		e.Past(22*time.Hour, "migration", "db-primary", "", "0141 add index orders_payment_id_idx")
		e.Past(3*time.Hour, "deploy", "shipping", "0.44.2", "deploy shipping 0.44.2: label layout")
		h.up(e)
		h.gate(e, GW{Format: "variables", Access: "gateway-access.json", Errors: "gateway-error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		made, err := os.Stat("/srv/shop/tls/cert.pem")
		must(err, "certificate")
		h.innocent(e, "checkout", "2.31.5", "wording of errors", 2*time.Second)
		e.settle(time.Until(made.ModTime().Add(h.payLife)))
	}
	s.Keep = []string{"gateway-access.json", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "traces.jsonl", "changes.jsonl", "metrics"}
	return s
}

func parcelwingNameGone() Scenario {
	h := newShop()
	h.noNames = true
	h.zones = map[string]string{"shipping": "America/Chicago"}
	resolver := func(more ...string) Part {
		return Part{Name: "resolver", User: "root", Argv: append([]string{"dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--listen-address=10.255.0.2", "--bind-interfaces", "--local=/example/", "--user=root", "--pid-file="}, more...)}
	}
	s := fourth(inc("parcelwing-name-gone", "dependency-failure", "dns", "the carrier's name does not exist any more; Java's exception says neither name nor reason, and its cache of names delays the onset", Truth{
		Culprit: carrier, Aliases: []string{"parcelwing", "carrier", "dns", "resolver", "127.20.0.92", "rates"},
		Trigger:   &Trigger{Kind: "external", Summary: "rates.parcelwing.example was removed from its zone", Recorded: false},
		NotCauses: []string{"catalog 5.6.2", "database", "shipping deploy"}, MustMention: []string{"UnresolvedAddressException|ConnectException", "quote|parcelwing|carrier"},
		Fix: "Ask the carrier for its new name, or put the old one back; answer quotes from a table meanwhile.", Difficulty: "hard"}), h)
	s.Routes = changed(s.Routes, "POST /api/shipping/quote", func(r *Route) { r.Weight = 1.8 })
	s.Setup = func(e *Env) {
		e.Start(resolver("--address=/" + carrier + "/" + shopNet + "92"))
		e.Release("partner", "go/partner", "1", nil)
		e.Start(Part{Name: carrier, Argv: []string{"/srv/partner/releases/1/bin"}, Env: []string{"CLOSE=1", "LISTEN=" + shopNet + "92:80", "CONTROL=/srv/partner/carrier.json"}})
		e.Past(90*time.Hour, "deploy", "shipping", "0.44.2", "deploy shipping 0.44.2: label layout")
		e.Past(5*time.Hour, "scale", "auth", "", "threads 6 -> 8")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "catalog", "5.6.2", "log wording", 10*time.Second)
		e.Replace(resolver(), 0)
	}
	s.Fault = 105 * time.Second
	s.Keep = []string{"error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "changes.jsonl", "metrics", "supervisord.log"}
	return s
}

func twoWorkersLeft() Scenario {
	h := newShop()
	s := fourth(inc("two-workers-left", "misconfiguration", "limit-too-small", "a memory review cuts shipping's HTTP workers from twelve to two; the carrier always took a second, so quotes and labels queue until the gateway gives up", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "threads"}}, Culprit: "shipping", Aliases: []string{"127.20.0.51", "HTTP_WORKERS", "http-worker"},
		Trigger:   &Trigger{Kind: "config", Summary: "shipping: http workers 12 -> 2 (memory review)", Recorded: true},
		NotCauses: []string{"carrier down", "rates.parcelwing.example", "gateway timeout too short", "checkout 2.31.5", "database"}, MustMention: []string{"workers|executor|queued|http-worker", "12 -> 2|memory review|timed out|504"},
		Fix: "Put the workers back to twelve.", Difficulty: "hard"}), h)
	s.Routes = changed(s.Routes, "POST /api/shipping/quote", func(r *Route) { r.Weight = 4 })
	s.Setup = func(e *Env) {
		e.Past(60*time.Hour, "deploy", "shipping", "0.44.2", "deploy shipping 0.44.2: label layout")
		e.Past(9*time.Hour, "flag", "checkout", "", "gift_wrap 50% -> 100%")
		h.up(e)
		e.behave(carrier, behaviour{DelayMS: 1050})
		h.gate(e, GW{Access: "nginx-access.log", Errors: "nginx-error.log"}, "", "proxy_read_timeout 10s;")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		e.Change("config", "shipping", "", "shipping: http workers 12 -> 2 (memory review)")
		e.Replace(h.part("shipping", "/srv/shop/shipping/releases/0.44.2", "HTTP_WORKERS=2"), 0)
		e.WaitPort(where("shipping"), 20*time.Second)
		e.TriggerAt = e.Injected
		h.innocent(e, "checkout", "2.31.5", "wording of errors", 0)
		e.Injected = e.TriggerAt
		e.Settled = e.Injected.Add(restartBlip)
	}
	s.OnsetStatus = 504
	s.Fault = 105 * time.Second
	s.Keep = []string{"nginx-access.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "changes.jsonl", "metrics/shipping.om", "metrics/checkout.om", "metrics/nginx.om", "supervisord.log"}
	return s
}

func authPasswordRotated() Scenario {
	h := newShop()
	h.env["auth"] = []string{"DB_RECYCLE=20"}
	h.zones = map[string]string{"auth": "America/New_York"}
	s := fourth(inc("auth-password-rotated", "misconfiguration", "bad-credential", "the quarterly rotation changes the password of auth's database role; auth keeps the old one, and as its connections grow old they cannot be replaced", Truth{
		Culprit: "auth", Aliases: []string{"shop_auth", "127.20.0.31", "DATABASE_URL", "db-primary", "postgres"},
		Trigger:   &Trigger{Kind: "config", Summary: "db-primary: quarterly rotation of role passwords", Recorded: true},
		NotCauses: []string{"shipping 0.44.3", "wrong passwords of users", "gateway", "too many connections"}, MustMention: []string{"password authentication failed", "shop_auth|rotation"},
		Fix: "Give auth the new password and restart it; rotate with two valid passwords.", Difficulty: "medium"}), h)
	s.Setup = func(e *Env) {
		e.Past(54*time.Hour, "deploy", "auth", "1.18.0", "deploy auth 1.18.0: profile page")
		h.up(e)
		h.gate(e, GW{Format: "variables", Access: "nginx-access.log", Errors: "nginx-error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		e.Change("config", "db-primary", "", "db-primary: quarterly rotation of role passwords")
		e.SQLAs("postgres", "set log_min_messages = 'panic'; alter role shop_auth password 'k3-Jw90-aPx'")
		e.TriggerAt = e.Injected
		e.Sleep(2 * time.Second)
		h.innocent(e, "shipping", "0.44.3", "wording of errors", 0)
		e.Injected = e.TriggerAt
	}
	s.OnsetStatus = 500
	s.Keep = []string{"nginx-access.log", "nginx-error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "changes.jsonl", "metrics", "supervisord.log"}
	return s
}
