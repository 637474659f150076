package main

import (
	"fmt"
	"syscall"
	"time"
)

// cron says that a job begins, as cron does.
func (e *Env) cron(file, pid, user, command string) {
	fmt.Fprintf(e.sink(file, "syslog", "CRON["+pid+"]", "stdout"), "(%s) CMD (%s)\n", user, command)
}

// PgBouncer starts a pooler before a database; size is its number of connections to the server.
func (e *Env) PgBouncer(name, ip, db, server string, size int) {
	e.Host(name, ip)
	e.Write("/srv/"+name+"/users.txt", `"`+db+`" "pw"`+"\n")
	e.Write("/srv/"+name+"/pgbouncer.ini", fmt.Sprintf("[databases]\n%s = host=%s port=5432 dbname=%s user=%s password=pw\n[pgbouncer]\nlisten_addr = %s\nlisten_port = 6432\nunix_socket_dir =\nauth_type = any\nauth_file = /srv/%s/users.txt\npool_mode = transaction\n"+
		"default_pool_size = %d\nmax_client_conn = 200\nquery_wait_timeout = 2\nignore_startup_parameters = extra_float_digits\nlog_connections = 0\nlog_disconnections = 0\nstats_period = 15\n", db, server, db, db, ip, name, size))
	e.Start(Part{Name: name, User: "postgres", Argv: []string{"/usr/sbin/pgbouncer", "/srv/" + name + "/pgbouncer.ini"}, Log: "pgbouncer.log"})
	e.WaitPort(ip+":6432", 10*time.Second)
}

func settlementHoldsThePool() Scenario {
	net := "10.84.5."
	h := house{src: "go/parcels", service: "parcels", net: net}
	s := seventh("settlement-holds-the-pool", "database", "pool-exhausted", "a month-end job keeps a transaction open while it waits for the carriers' bank, one more every few seconds, until it holds all eight connections of PgBouncer: everything that asks the database waits two seconds and fails. A deploy of the depots' screens half a minute before is innocent", Truth{
		Acceptable: [][2]string{{"database", "too-many-connections"}}, Culprit: "settlement", Aliases: []string{"settle.py", "bouncer", "pgbouncer", "cron", "10.84.5.31", "parcels-pg", "postgres", "pool"},
		Trigger:   &Trigger{Kind: "restart", Summary: "the month-end settlement began its run", Recorded: true},
		NotCauses: []string{"deploy of depot-screens", "caddy", "database down", "network"}, MustMention: []string{"query_wait_timeout", "settlement|pool|bouncer"},
		Fix: "End the settlement job; let it commit before it asks the bank, and give it a pool of its own.", Difficulty: "hard"})
	s.Host, s.TZ = "dispatch-1", "America/Chicago"
	s.Routes = changed(parcelRoutes(h.gw()), "GET /quote", func(r *Route) { r.Weight = 0.8 })
	s.Setup = func(e *Env) {
		e.Past(4*24*time.Hour, "deploy", "parcels", "9.4.1", "deploy parcels 9.4.1: depots by region")
		e.Past(27*time.Hour, "config", "bouncer", "", "bouncer: transaction pooling for parcels and its jobs, eight connections")
		e.partner("duty.customs.example", "10.98.0.5")
		e.partner("bank.carriers.example", "10.98.0.6")
		e.behave("bank.carriers.example", behaviour{DelayMS: 60000})
		e.Postgres(Postgres{Name: "parcels-pg", IP: net + "30", DB: "parcels", Pass: "pw", Schema: e.schema("go/parcels"), Export: true})
		e.PgBouncer("bouncer", net+"31", "parcels", "parcels-pg", 8)
		dir := e.Release("parcels", "go/parcels", "9.4.1", nil)
		e.Release("settlement", "python/settlement", "1.3", nil)
		e.up(goPart("parcels", dir, net+"11:8080", "DATABASE_URL=postgres://parcels:pw@bouncer:6432/parcels?sslmode=disable&default_query_exec_mode=simple_protocol", "DB_CONNS=24", "CUSTOMS_URL=http://duty.customs.example"), net+"11:8080")
		e.Scrape("parcels", "parcels:8080", "http://"+net+"11:8080/metrics")
		e.Gateway(caddyFor("caddy", net, ":8080"))
	}
	s.Inject = func(e *Env) {
		dir := "/srv/settlement/releases/1.3"
		e.Change("deploy", "depot-screens", "61", "deploy depot-screens 61: night colours")
		e.settle(12 * time.Second)
		e.cron("cron.log", "7714", "billing", "/usr/bin/python3 "+dir+"/settle.py")
		e.Start(Part{Name: "settlement", Log: "cron.log", Wrap: "syslog", Ident: "settlement[7715]", Dir: dir, Argv: []string{"/usr/bin/python3", dir + "/settle.py"},
			Env: []string{"WORKERS=10", "DATABASE_URL=postgresql://parcels:pw@bouncer:6432/parcels", "BANK_URL=http://bank.carriers.example"}})
	}
	s.Keep = []string{"caddy-access.json", "parcels.log", "cron.log", "pgbouncer.log", "postgresql.log", "changes.jsonl", "metrics.om"}
	return s
}

func thirdReplicaOldPassword() Scenario {
	net := "10.85.6."
	s := seventh("third-replica-old-password", "misconfiguration", "bad-credential", "a matinée doubles the visitors and the box office is scaled from two instances to three; the image of the third carries the database password of last quarter. Its health check does not ask the database, so it keeps its third of the requests", Truth{
		Culprit: "boxoffice-3", Aliases: []string{"10.85.6.13", "boxoffice", "be_box-3"},
		Trigger:   &Trigger{Kind: "scale", Summary: "scale boxoffice 2 -> 3 instances: many visitors", Recorded: true},
		NotCauses: []string{"traffic", "stage-db down", "deploy of stage-web", "haproxy", "cards.example"}, MustMention: []string{"Access denied", "boxoffice-3|10\\.85\\.6\\.13|be_box-3"},
		Fix: "Take boxoffice-3 out; build its image with the password of this quarter; let the health check ask the database.", Difficulty: "medium"})
	s.Host, s.TZ = "stage-lb", "Europe/Paris"
	s.Routes = showRoutes("http://" + net + "2")
	s.Shape = surge(1.8)
	part := func(e *Env, i string, env ...string) Part {
		return rubyPart("boxoffice-"+i, "/srv/boxoffice/releases/5.1.0", net+"1"+i, 5, append(append(mariaEnv("stage-db", "stage"), "CARDS_URL=http://cards.example"), env...)...)
	}
	server := func(i string) string { return net + "1" + i + ":9292 check inter 2s fall 2 rise 2" }
	s.Setup = func(e *Env) {
		e.Past(11*24*time.Hour, "config", "stage-db", "", "stage-db: passwords of the fourth quarter")
		e.Past(2*24*time.Hour, "deploy", "boxoffice", "5.1.0", "deploy boxoffice 5.1.0: seats by row")
		e.partner("cards.example", "10.98.0.5")
		e.MariaDB(MariaDB{Name: "stage-db", IP: net + "30", DB: "stage", Schema: e.schema("ruby/boxoffice"), Conf: map[string]string{"log_warnings": "2"}, Export: true})
		e.Release("boxoffice", "ruby/boxoffice", "5.1.0", nil)
		for _, i := range []string{"1", "2"} {
			e.up(part(e, i), net+"1"+i+":9292")
		}
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "journal", Routes: []Upstream{{Name: "be_box", Prefix: "/", Opts: "option httpchk GET /up", Servers: []string{server("1"), server("2"), server("3")}}}})
		e.Sleep(6 * time.Second) // until the check has found out that the third is not there
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "stage-web", "3.0.7", "deploy stage-web 3.0.7: matinée banner")
		e.settle(15 * time.Second)
		e.Change("scale", "boxoffice", "5.1.0", "scale boxoffice 2 -> 3 instances: many visitors")
		e.up(part(e, "3", "DB_PASSWORD=pw-2026q3"), net+"13:9292")
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func returnsUseUpTheRate() Scenario {
	net := "10.86.7."
	gw := "http://" + net + "2"
	s := seventh("returns-use-up-the-rate", "dependency-failure", "rate-limited", "a nightly job of another team asks the carrier with the same key, a few more at a time every five seconds: the carrier refuses whoever comes over its limit, and shipping tells its callers 500. A release of shipping a quarter of a minute before is innocent", Truth{
		Culprit: "rates.parcelwing.example", Aliases: []string{"parcelwing", "carrier", "returns", "recheck.py", "recheck", "cron", "10.98.0.5"},
		Trigger:   &Trigger{Kind: "restart", Summary: "the recheck of returns began its run", Recorded: true},
		NotCauses: []string{"deploy of shipping 0.45.1", "shipping-pg", "apache2", "network"}, MustMention: []string{"429|rate_limit_exceeded|Too many requests", "carrier|parcelwing|recheck"},
		Fix: "Stop the recheck of returns, or let it ask slower and with a key of its own; answer 503 or a table's rate when the carrier refuses.", Difficulty: "medium"})
	s.Host, s.TZ = "ship-2", "America/Toronto"
	s.Routes = append(scanner(gw),
		Route{Name: "POST /api/shipping/quote", Method: "POST", URL: gw + "/api/shipping/quote", Body: `{"country":"{pick:DE|FR|AT|PL|US}","grams":{pick:400|900|1200|2500|300|700|5000|80}}`, Weight: 4},
		Route{Name: "POST /api/shipping/labels", Method: "POST", URL: gw + "/api/shipping/labels", Body: `{"order":{n:1-40000}}`, Weight: 3})
	part := func(dir string) Part {
		p := javaPart("shipping", dir, "com.shop.shipping.Shipping", "HOST="+net+"51", "APP_VERSION="+base(dir), "DATABASE_URL=jdbc:postgresql://shipping-pg:5432/shop", "DATABASE_PASSWORD=pw", "CARRIER_URL=http://rates.parcelwing.example", "LABEL_DIR=/srv/labels")
		p.Restart = 3 * time.Second
		return p
	}
	s.Setup = func(e *Env) {
		e.Past(3*24*time.Hour, "deploy", "shipping", "0.45.0", "deploy shipping 0.45.0: labels of A6")
		must(mkdir("/srv/labels"), "mkdir")
		e.Run("chown", "www-data:www-data", "/srv/labels")
		e.partner("rates.parcelwing.example", "10.98.0.5")
		e.behave("rates.parcelwing.example", behaviour{Limit: 27})
		e.Postgres(Postgres{Name: "shipping-pg", IP: net + "30", DB: "shop", Pass: "pw", Schema: "create table labels (id bigserial primary key, order_id int not null, country text not null, file text not null, at timestamptz not null default now());"})
		e.up(part(e.Release("shipping", "java/shipping", "0.45.0", nil)), net+"51:8090")
		e.Scrape("shipping", "shipping:8091", "http://"+net+"51:8091/metrics")
		e.Release("returns", "python/returns", "12", nil)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "timed", Access: "access_log", Errors: "error_log", Routes: []Upstream{{Name: "shipping", Prefix: "/", Servers: []string{net + "51:8090"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("shipping", "java/shipping", "0.45.1", nil, Edit{"Shipping.java", "client left", "the client has left"})
		e.Injected = time.Now()
		e.Change("deploy", "shipping", "0.45.1", "deploy shipping 0.45.1: wording of logs")
		e.Replace(part(dir), 0)
		e.WaitPort(net+"51:8090", 20*time.Second)
		e.settle(8 * time.Second)
		e.cron("syslog", "9921", "returns", "/usr/bin/python3 /srv/returns/releases/12/recheck.py")
		e.Start(Part{Name: "recheck", Log: "syslog", Wrap: "syslog", Ident: "returns[9922]", Dir: "/srv/returns", Argv: []string{"/usr/bin/python3", "/srv/returns/releases/12/recheck.py"},
			Env: []string{"CARRIER_URL=http://rates.parcelwing.example", "CARRIER_KEY=pwk_7c1f0a", "RETURNS=48211"}})
	}
	s.Fault = 90 * time.Second
	return s
}

func recordToNewAddress() Scenario {
	net := "10.87.8."
	gw := "http://" + net + "2"
	const name = "route.waymark.example"
	s := seventh("record-to-new-address", "dependency-failure", "refused", "the record of the routing service is changed to its new address, where nothing listens yet; the service tries five times and then answers 500. A release of the service's interface in between is innocent", Truth{
		Acceptable: [][2]string{{"dependency-failure", "dns"}, {"misconfiguration", "wrong-upstream"}}, Culprit: name, Aliases: []string{"waymark", "routing", "dns", "resolver", "10.97.0.44", "10.97.0.44:80"},
		Trigger:   &Trigger{Kind: "infra", Summary: "dns: route.waymark.example moves to 10.97.0.44", Recorded: true},
		NotCauses: []string{"deploy of pickup-ui", "kv-p", "nginx", "pickup release"}, MustMention: []string{"ECONNREFUSED", "10\\.97\\.0\\.44|waymark|dns"},
		Fix: "Put the record back to 10.97.0.4 until the new machine serves.", Difficulty: "medium"})
	s.Host, s.TZ = "pickup-1", "Australia/Sydney"
	s.Routes = append(lockerRoutes(gw)[:4], Route{Name: "GET /lockers/{id}/way", URL: gw + "/lockers/{n:1-900}/way", Weight: 3})
	resolver := func(ip string) Part {
		return Part{Name: "resolver", User: "root", Argv: []string{"dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--listen-address=10.255.0.2", "--bind-interfaces", "--local=/example/", "--user=root", "--pid-file=", "--address=/" + name + "/" + ip}}
	}
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "deploy", "pickup", "4.0.0", "deploy pickup 4.0.0: ways to lockers")
		e.Start(resolver("10.97.0.4"))
		e.Release("partner", "go/partner", "1", nil)
		e.Start(Part{Name: name, Argv: []string{"/srv/partner/releases/1/bin"}, Env: []string{"CLOSE=1", "LISTEN=10.97.0.4:80", "CONTROL=/srv/partner/routing.json"}})
		e.WaitPort("10.97.0.4:80", 10*time.Second)
		e.redisAt("kv-p", net+"40", "/srv/kv", "--save", "")
		p := lockersPart(e, "pickup", "4.0.0", net, "kv-p", 0)
		p.Wrap = "cri"
		e.up(p, net+"11:3000")
		e.Scrape("pickup", "pickup:3000", "http://"+net+"11:3000/metrics")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "variables", Access: "nginx/access.json", Errors: "nginx/error.log", Routes: []Upstream{{Name: "pickup", Prefix: "/", Servers: []string{net + "11:3000"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "dns", "", "dns: route.waymark.example moves to 10.97.0.44")
		e.Replace(resolver("10.97.0.44"), 0)
		e.Sleep(400 * time.Millisecond)
		e.Change("deploy", "pickup-ui", "88", "deploy pickup-ui 88: map in the dark")
	}
	return s
}

func forecastNotPaid() Scenario {
	net := "10.88.9."
	gw := "http://" + net + "2"
	s := seventh("forecast-not-paid", "dependency-failure", "bad-response", "the provider of forecasts has suspended the subscription and says so in an answer of 200; the huts' code reads the forecast that is not in it. A release of huts half a minute before is innocent", Truth{
		Culprit: "api.peakcast.example", Aliases: []string{"peakcast", "forecast", "10.98.0.7", "forecasts"},
		Trigger:   &Trigger{Kind: "external", Summary: "peakcast suspended the subscription", Recorded: false},
		NotCauses: []string{"deploy of huts 4.1.1", "huts-db", "apache2"}, MustMention: []string{"KeyError|forecast", "suspended|peakcast"},
		Fix: "Pay peakcast's invoice; show huts without a forecast when there is none.", Difficulty: "hard"})
	s.Host, s.TZ = "alpine-1", "Europe/Zurich"
	s.Routes = append(hutRoutes(gw), Route{Name: "GET /huts/{hut}/forecast", URL: gw + "/huts/{n:1-400}/forecast", Weight: 2.5})
	code := []Edit{{"main.py", "@app.post(\"/stays\", status_code=201)", "@app.get(\"/huts/{hut}/forecast\")\ndef weather(hut: int):\n    return forecast.tonight(hut)\n\n\n@app.post(\"/stays\", status_code=201)"},
		{"main.py", "import catering\n", "import catering\nimport forecast\n"}}
	part := func(e *Env, version string, more ...Edit) Part {
		dir := e.Release("huts", "python/huts", version, nil, append(code, more...)...)
		e.Write(dir+"/forecast.py", `"""Tonight's weather at a hut, from peakcast."""
import json
import logging
import os
import urllib.request

log = logging.getLogger("huts.forecast")


def tonight(hut):
    with urllib.request.urlopen(f"{os.environ['PEAKCAST_URL']}/v1/point/{hut}", timeout=3) as answer:
        body = answer.read()
        log.info("peakcast %s, %d bytes: %.90s", answer.status, len(body), body.decode())
    night = json.loads(body)["forecast"]["night"]
    return {"min": night["min"], "wind": night["wind"]}
`)
		p := uvicornPart("huts", dir, net+"11", append(mariaEnv("huts-db", "huts"), "FLAGS_FILE=/srv/huts/flags.json", "PEAKCAST_URL=http://api.peakcast.example")...)
		p.Wrap = "docker"
		return p
	}
	s.Setup = func(e *Env) {
		e.Past(33*time.Hour, "deploy", "huts", "4.1.0", "deploy huts 4.1.0: forecasts")
		e.Write("/srv/huts/flags.json", `{"dinner-offers": false}`)
		e.partner("api.peakcast.example", "10.98.0.7", "CLOSE=1")
		e.behave("api.peakcast.example", behaviour{Body: `{"status":"ok","forecast":{"night":{"min":-6,"wind":31},"day":{"max":3,"wind":22}}}`, Type: "application/json"})
		e.MariaDB(MariaDB{Name: "huts-db", IP: net + "30", DB: "huts", Schema: e.schema("python/huts")})
		e.up(part(e, "4.1.0"), net+"11:8000")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "common", Access: "access_log", Errors: "error_log", Routes: []Upstream{{Name: "huts", Prefix: "/", Servers: []string{net + "11:8000"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		next := part(e, "4.1.1", Edit{"main.py", "no such hut", "this hut does not exist"})
		e.Injected = time.Now()
		e.Change("deploy", "huts", "4.1.1", "deploy huts 4.1.1: wording")
		e.Replace(next, 0)
		e.WaitPort(net+"11:8000", 20*time.Second)
		e.settle(26 * time.Second)
		e.behave("api.peakcast.example", behaviour{Body: `{"status":"error","code":"SUBSCRIPTION_SUSPENDED","message":"invoice 2026-10 is overdue"}`, Type: "application/json"})
	}
	s.Keep = []string{"access_log", "huts.log", "mariadb.log", "changes.jsonl"}
	return s
}

func reportKilledNextDoor() Scenario {
	net := "10.89.1."
	s := calm("report-killed-next-door", "the kernel kills the report of the month next door again and again, an import is told of duplicates, and both instances of vouchers are replaced in turn behind a load balancer that tries the other one: nobody notices")
	s.Host, s.TZ = "rooms-3", "America/Denver"
	s.Routes = voucherRoutes("http://" + net + "2")
	part := func(dir, i string) Part {
		return rubyPart("vouchers-"+i, dir, net+"1"+i, 6, "DATABASE_URL=postgresql://vouchers:pw@vouchers-pg:5432/vouchers")
	}
	s.Setup = func(e *Env) {
		e.Past(40*time.Hour, "deploy", "vouchers", "2.11.0", "deploy vouchers 2.11.0: codes of eight letters")
		e.KernelLog("kern.log")
		e.Postgres(Postgres{Name: "vouchers-pg", IP: net + "30", DB: "vouchers", Schema: e.schema("ruby/vouchers")})
		dir := e.Release("vouchers", "ruby/vouchers", "2.11.0", nil)
		e.Release("report", "python/report", "3", nil)
		for _, i := range []string{"1", "2"} {
			e.up(part(dir, i), net+"1"+i+":9292")
		}
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "syslog", HTTP: "retries 3\n  option redispatch 1",
			Routes: []Upstream{{Name: "be_vouchers", Prefix: "/", Opts: "option httpchk GET /heartbeat\n  retry-on conn-failure empty-response", Servers: []string{net + "11:9292 check inter 1s", net + "12:9292 check inter 1s"}}}})
	}
	s.Inject = func(e *Env) {
		next := e.Release("vouchers", "ruby/vouchers", "2.11.1", nil, Edit{"app.rb", "voucher not found", "no such voucher"})
		e.cron("cron.log", "3310", "office", "/usr/bin/python3 /srv/report/releases/3/report.py")
		e.Start(Part{Name: "report", Log: "report.log", MemMB: 48, Restart: 6 * time.Second, Argv: []string{"/usr/bin/python3", "/srv/report/releases/3/report.py"}})
		e.Background(func() {
			for range 18 {
				e.Background(func() {
					e.SQLLogged("vouchers", "insert into vouchers (code, room, cents) values ('3e9', 'crypt', 4900)")
				})
				time.Sleep(4 * time.Second)
			}
		})
		e.Sleep(12 * time.Second)
		e.Change("deploy", "vouchers", "2.11.1", "deploy vouchers 2.11.1: wording, one instance after the other")
		for _, i := range []string{"1", "2"} {
			e.Replace(part(next, i), 0)
			e.WaitPort(net+"1"+i+":9292", 20*time.Second)
			e.Sleep(8 * time.Second)
		}
	}
	return s
}

func revokedKeyOfRadio() Scenario {
	net := "10.91.2."
	gw := "http://" + net + "2"
	s := calm("revoked-key-of-radio", "a partner goes on with a key that was taken back and gets hundreds of 401; the warehouse is away and each push to it is an ERROR; a release makes charts three times as slow, which is still a tenth of a second. Listeners notice nothing")
	s.Host, s.TZ = "tunes-2", "Asia/Tokyo"
	key := func(k string) map[string]string { return map[string]string{"X-Api-Key": k} }
	s.Routes = playRoutes(gw)
	for i := range s.Routes {
		if i > 0 {
			s.Routes[i].Headers = key("app-91")
		}
	}
	s.Routes = append(s.Routes, Route{Name: "POST /plays (radio)", Method: "POST", URL: gw + "/plays", Body: `{"track":{n:1-4000},"country":"{pick:de|fr}","id":{n:1-3000}}`, Headers: key("radio-22"), Weight: 7, Clients: "203.0.113.9", Agent: "RadioBridge/2.0"})
	push := Edit{"main.go", "	mux := http.NewServeMux()\n", "	mux := http.NewServeMux()\n	go func() { // best effort: the counts of the day are pushed again at night\n		c := http.Client{Timeout: time.Second}\n		for range time.Tick(900 * time.Millisecond) {\n			resp, err := c.Post(os.Getenv(\"WAREHOUSE_URL\"), \"application/json\", strings.NewReader(`{}`))\n			if err != nil {\n				log.Printf(\"[ERROR] push counts to the warehouse: %v\", err)\n				continue\n			}\n			resp.Body.Close()\n		}\n	}()\n"}
	part := func(e *Env, version, i, keys string, more ...Edit) Part {
		return goPart("plays-"+i, e.Release("plays", "go/plays", version, nil, append(more, push)...), net+"1"+i+":8085", "KV_ADDR=kv-1:6379", "API_KEYS="+keys, "WAREHOUSE_URL=http://warehouse.tunes.example/counts")
	}
	s.Setup = func(e *Env) {
		e.Past(70*time.Hour, "deploy", "plays", "3.2.2", "deploy plays 3.2.2: counts for the warehouse")
		e.redisAt("kv-1", net+"41", "/srv/kv", "--save", "")
		e.partner("warehouse.tunes.example", "10.98.0.9")
		for _, i := range []string{"1", "2"} {
			e.up(part(e, "3.2.2", i, "app-91,radio-22", slowCharts("30*time.Millisecond")), net+"1"+i+":8085")
			e.Scrape("plays", "plays-"+i+":8085", "http://"+net+"1"+i+":8085/metrics")
		}
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "json", Access: "nginx-access.json", Errors: "nginx-error.log",
			Routes: []Upstream{{Name: "plays", Prefix: "/", Servers: []string{net + "11:8085", net + "12:8085"}, Opts: "proxy_next_upstream error timeout non_idempotent;"}}})
	}
	s.Inject = func(e *Env) {
		e.Stop("warehouse.tunes.example", syscall.SIGTERM, time.Second)
		next := []Part{part(e, "3.3.0", "1", "app-91", slowCharts("95*time.Millisecond")), part(e, "3.3.0", "2", "app-91", slowCharts("95*time.Millisecond"))}
		e.Change("deploy", "plays", "3.3.0", "deploy plays 3.3.0: charts from the cold tier, the key of radio is taken back")
		for _, p := range next {
			e.Replace(p, 0)
			e.Sleep(12 * time.Second)
		}
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func boxOfficeMute() Scenario {
	net := "10.92.3."
	s := calm("box-office-mute", "buying a ticket answers 500 from one moment on; the service logs only a reference, the database's log is quiet, the changes are old or elsewhere, and nothing tells why")
	s.Kind = "open"
	s.Host, s.TZ = "box-1", "Europe/Rome"
	s.Routes = showRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "boxoffice", "5.1.2", "deploy boxoffice 5.1.2: no personal data in logs")
		e.Past(6*time.Hour, "config", "caddy", "", "caddy: HTTP/3 off")
		e.partner("cards.example", "10.98.0.5", "CLOSE=1")
		e.MariaDB(MariaDB{Name: "box-db", IP: net + "30", DB: "stage", Schema: e.schema("ruby/boxoffice")})
		dir := e.Release("boxoffice", "ruby/boxoffice", "5.1.2", nil, Edit{"app.rb", "    LOG.error(\"#{e.class} (#{e.message}):\\n#{e.backtrace.grep(%r{/srv/|mysql2}).first(8).map { |l| \"  #{l}\" }.join(\"\\n\")}\")\n", "    LOG.error(\"request failed, reference #{(e.object_id * 7919 + Time.now.to_i).to_s(36)}\")\n"})
		e.up(rubyPart("boxoffice", dir, net+"11", 8, append(mariaEnv("box-db", "stage"), "CARDS_URL=http://cards.example")...), net+"11:9292")
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: net + "2", Access: "caddy/access.json", Errors: "caddy/error.log", Routes: []Upstream{{Name: "all", Prefix: "/", Servers: []string{net + "11:9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "stage-web", "3.1.0", "deploy stage-web 3.1.0: winter programme")
		e.settle(24 * time.Second)
		e.Stop("cards.example", syscall.SIGTERM, time.Second)
	}
	s.Keep = []string{"caddy", "boxoffice.log", "mariadb.log", "changes.jsonl"}
	return s
}
