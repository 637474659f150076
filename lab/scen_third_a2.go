package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

func auditVolumeFull() Scenario {
	l := ferry()
	l.pyEnv = []string{"AUDIT_FILE=/srv/audit/trail.log", "AUDIT_SETTING=/srv/members/shared/audit-level"}
	l.logs = map[string]string{"members": "members-web.log", "sailings": "sailings.jsonl"}
	s := thirdA(inc("audit-volume-full", "resource-exhaustion", "disk", "the audit trail was set to full detail; its small volume fills up and nobody can sign in", Truth{
		Acceptable: [][2]string{}, Culprit: "members", Aliases: []string{"/srv/audit", "audit", "audit.py", "10.44.7.31", "quay-m1", "trail.log"},
		Trigger:   &Trigger{Kind: "config", Summary: "members: audit level short -> full", Recorded: true},
		NotCauses: []string{"database", "freight release", "wrong passwords"}, MustMention: []string{"No space left on device|ENOSPC|Errno 28", "audit|/srv/audit"},
		Fix: "Set the level back, make room on the volume; sign-in must not fail for want of an audit line (or rotate it by size).", Difficulty: "medium"}), l)
	s.TZ, s.Host = "Europe/Athens", "quay-m1"
	s.Routes = changed(s.Routes, "POST /api/session", func(r *Route) { r.Weight = 2.6 })
	s.Setup = func(e *Env) {
		must(mkdir("/srv/audit"), "mkdir")
		must(syscall.Mount("tmpfs", "/srv/audit", "tmpfs", 0, "size=12m,mode=777"), "mount")
		old := strings.Repeat(`{"time": 1764300000.0, "event": "login", "email": "p18@mail.example", "ok": true, "agent": "LineApp/6.1.0"}`+"\n", 70000)
		e.Write("/srv/audit/trail.log", old)
		must(os.Chmod("/srv/audit/trail.log", 0o666), "chmod")
		e.Write("/srv/members/shared/audit-level", "short\n")
		e.Past(31*time.Hour, "deploy", "members", "2.9.0", "deploy members 2.9.0: audit trail")
		e.Past(2*time.Hour, "flag", "bookings", "", "seat_map 50% -> 100%")
		l.up(e)
		e.NodeExporter(l.ip("31"), "/srv/audit")
		l.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		e.Change("config", "members", "", "members: audit level short -> full")
		e.Write("/srv/members/shared/audit-level", "full\n")
		e.Sleep(18 * time.Second)
		l.deploy(e, "freight", "1.13.0", "deploy freight 1.13.0: consignments of the day", Edit{"Consignments.java", "no such consignment", "unknown consignment"})
		e.Sleep(6 * time.Second)
		e.Settled = time.Now()
	}
	s.Fault = 140 * time.Second
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func privateZoneLost() Scenario {
	l := campsite()
	l.skipPay, l.traces, l.ratio = true, "traces.jsonl", "0.25"
	resolver := func(more ...string) Part {
		return Part{Name: "resolver", User: "root", Argv: append([]string{"dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--listen-address=10.255.0.2", "--bind-interfaces", "--local=/example/", "--user=root", "--pid-file="}, more...)}
	}
	s := thirdA(inc("zone-entry-lost", "dependency-failure", "dns", "the resolver was set up anew and lost the entry of the payment provider: its name does not exist any more", Truth{
		Culprit: "resolver", Aliases: []string{"dns", "10.255.0.2", "api.coastpay.example", "dnsmasq", "ns-camp"},
		Trigger:   &Trigger{Kind: "infra", Summary: "resolver: zones come from the new repository", Recorded: true},
		NotCauses: []string{"payment provider down", "database", "guests 0.31.1"}, MustMention: []string{"ENOTFOUND|getaddrinfo", "coastpay"},
		Fix: "Put the entry back.", Difficulty: "easy"}), l)
	s.TZ, s.Host = "Pacific/Auckland", "camp-3"
	s.Routes = changed(s.Routes, "POST /api/stays/{id}/pay", func(r *Route) { r.Weight = 1.8 })
	s.Setup = func(e *Env) {
		e.Start(resolver("--address=/api.coastpay.example/10.98.1.1"))
		e.Certificate("/srv/tls/pay", l.pay(), 2000*time.Hour)
		e.Release("partner", "go/partner", "1", nil)
		e.Start(Part{Name: l.pay(), Argv: []string{"/srv/partner/releases/1/bin"}, Env: []string{"CERT=/srv/tls/pay/cert.pem", "KEY=/srv/tls/pay/key.pem", "CLOSE=1", "LISTEN=10.98.1.1:443", "CONTROL=/srv/partner/pay.json"}})
		e.Past(100*time.Hour, "deploy", "rental", "3.3.0", "deploy rental 3.3.0: canoes")
		e.Past(6*time.Hour, "migration", "pg-camp-1", "", "0087 stays: column note")
		l.up(e)
		l.gate(e, GW{Format: "combined", Access: "access.log", Errors: "error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "guests", "0.31.1", "deploy guests 0.31.1: wording", Edit{"app.py", "wrong email or password", "email or password is wrong"})
		e.settle(22 * time.Second)
		e.Change("infra", "resolver", "", "resolver: zones come from the new repository")
		e.Replace(resolver(), 0)
	}
	s.Keep = []string{"access.log", "stays-1.log", "stays-2.log", "guests.log", "postgresql.log", "traces.jsonl", "changes.jsonl", "metrics"}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func companionsFlag() Scenario {
	l := campsite()
	l.traces, l.ratio, l.nodeEnv = "otlp/traces.jsonl", "0.3", []string{"DB_POOL_MAX=4"}
	l.pg.CPU, l.pg.Conf = 0.7, map[string]string{"log_min_duration_statement": "600"}
	s := thirdA(inc("neighbours-flag", "database", "slow-query", "a flag switches on a query over all stays for every page of a stay; the pools of four are held by it and other routes find no connection", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "stays", Aliases: []string{"stays-1", "stays-2", "pg-camp-1", "10.71.2.21", "10.71.2.22", "stays.js", "postgres", "10.71.2.61"},
		Trigger:   &Trigger{Kind: "flag", Summary: "travel_companions 0% -> 100%", Recorded: true},
		NotCauses: []string{"database down", "rental 3.3.1", "traffic"}, MustMention: []string{"timeout exceeded when trying to connect|duration", "travel_companions|companions|together"},
		Fix: "Switch the flag off; then give the query an index or a table of its own.", Difficulty: "medium"}), l)
	s.TZ, s.Host = "Europe/Zurich", "camp-app"
	s.Setup = func(e *Env) {
		e.Past(25*time.Hour, "deploy", "stays", "2026.11.3", "deploy stays 2026.11.3: neighbours (behind a flag)")
		e.Past(80*time.Minute, "scale", "guests", "", "threads 4 -> 6")
		l.up(e)
		l.gate(e, GW{Access: "nginx-access.log", Errors: "nginx-error.log"}, " max_fails=0", "proxy_read_timeout 20s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "rental", "3.3.1", "deploy rental 3.3.1: wording of errors", Edit{"Consignments.java", "no such consignment", "unknown consignment"})
		e.settle(18 * time.Second)
		e.Change("flag", "stays", "", "travel_companions 0% -> 100%")
		e.Write("/srv/flags/stays.json", `{"travel_companions": true}`)
	}
	l.edits = map[string][]Edit{"stays": {{"bookings.js", "LIKE '%group%'", "LIKE '%desk 1%'"}}}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func cacheMoved() Scenario {
	l := ferry()
	l.traces, l.ratio = "traces.jsonl", "0.2"
	l.pg.CPU = 0.15
	l.versions = [4]string{"4.3.4", "2.9.1", "7.0.9", "1.12.2"}
	l.edits = map[string][]Edit{"sailings": {{"sailings.go", "<> ''), 0), s.price_cents", "<> ''), 0)\n\t\t\t- (select count(*) from bookings g where lower(g.note) like '%group%' or lower(g.note) like '%desk 7 hold%') / 1000, s.price_cents"},
		{"sailings.go", "text, time.Minute)", "text, 15*time.Minute)"}, {"sailings.go", "keeps for a minute", "keeps for a quarter of an hour"}}}
	s := thirdA(inc("cache-host-moved", "dependency-failure", "refused", "the cache is taken down for a move; every list of sailings is read from the database, which is far too small for that, and bookings drown with it", Truth{
		Acceptable: [][2]string{{"dependency-failure", "upstream-overload"}}, Culprit: "ferry-kv", Aliases: []string{"redis", "cache", "10.44.7.62"},
		Trigger:   &Trigger{Kind: "infra", Summary: "ferry-kv: moves to the new host", Recorded: true},
		NotCauses: []string{"bookings release", "database down", "members 2.9.2", "slow query"}, MustMention: []string{"cache read failed|connection refused", "ferry-kv|redis|10\\.44\\.7\\.62"},
		Fix: "Bring the cache back; then a limit on reads past it.", Difficulty: "hard"}), l)
	s.TZ, s.Host = "Atlantic/Reykjavik", "ferry-gw-2"
	s.Routes = changed(s.Routes, "GET /api/sailings", func(r *Route) { r.Weight = 8 })
	s.RPS = 17
	s.Setup = func(e *Env) {
		e.Past(28*time.Hour, "deploy", "bookings", "4.3.4", "deploy bookings 4.3.4: dependency updates")
		e.Past(35*time.Minute, "config", "gateway", "", "nginx: gzip for json")
		l.up(e)
		l.gate(e, GW{Format: "plain", Access: "access.log", Errors: "error.log"}, " max_fails=0", "proxy_read_timeout 15s;")
		for n := range 12 * 7 { // the day is not young: the lists are in the cache
			resp, err := http.Get(fmt.Sprintf("http://%s:8080/api/sailings?line=%d&day=%d", l.ip("41"), 1+n/7, 1+n%7))
			must(err, "warm the cache")
			must(resp.Body.Close(), "warm the cache")
		}
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "members", "2.9.2", "deploy members 2.9.2: wording", Edit{"app.py", "wrong email or password", "email or password is wrong"})
		e.settle(20 * time.Second)
		e.Change("infra", "ferry-kv", "", "ferry-kv: moves to the new host")
		e.Stop("ferry-kv", syscall.SIGTERM, time.Second)
	}
	s.Fault = 110 * time.Second
	s.Rename = map[string]string{"metrics.om": "prom.om.gz"}
	return s
}

func printShopMarksDown() Scenario {
	l := ferry()
	l.versions = [4]string{"4.2.9", "2.8.7", "6.9.0", "1.11.0"}
	opts := func(read string) string {
		return "proxy_next_upstream error timeout; proxy_connect_timeout 2s; proxy_read_timeout " + read + ";"
	}
	s := thirdA(inc("print-shop-marks-down", "misconfiguration", "timeout-too-short", "the gateway now waits two seconds instead of ten; boarding passes always took nearly three, each one takes both healthy instances out for a quarter of a minute", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "gateway", Aliases: []string{"nginx", "10.44.7.10", "proxy_read_timeout", "edge"},
		Trigger:   &Trigger{Kind: "config", Summary: "nginx: one read timeout for all (2s), fail_timeout 15s", Recorded: true},
		NotCauses: []string{"bookings down", "print shop down", "sailings 6.9.1", "database"}, MustMention: []string{"upstream timed out|no live upstreams|temporarily disabled", "read timeout|proxy_read_timeout|2s|pass"},
		Fix: "Put the timeout of the route back (10s); a slow answer should not count against an instance.", Difficulty: "hard"}), l)
	s.TZ, s.Host = "America/Bogota", "edge"
	s.Setup = func(e *Env) {
		e.Past(60*time.Hour, "deploy", "bookings", "4.2.9", "deploy bookings 4.2.9: boarding passes as PDF")
		e.Past(4*time.Hour, "infra", "ferry-pg", "", "base backup finished")
		l.up(e)
		e.behave(l.print(), behaviour{DelayMS: 2650})
		l.gate(e, GW{Name: "gateway", Access: "logs/gateway.access.log", Errors: "logs/gateway.error.log"}, " max_fails=1 fail_timeout=15s", opts("10s"))
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "sailings", "6.9.1", "deploy sailings 6.9.1: shorter log lines", Edit{"sailings.go", "cache read failed, asking the database", "cache read failed"})
		e.settle(20 * time.Second)
		e.Change("config", "gateway", "", "nginx: one read timeout for all (2s), fail_timeout 15s")
		e.Regate("gateway", func(g *GW) { g.Routes = l.routes(" max_fails=1 fail_timeout=15s", opts("2s")) })
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

// payFailsLogsGone keeps nothing that tells why payments fail: the other services' logs and the gateway's access log.
func payFailsLogsGone() Scenario {
	l := ferry()
	s := thirdA(healthy("pay-fails-logs-gone", "payments answer 500 from one moment on; of the service that takes them there is neither log nor metric nor trace"), l)
	s.Kind = "open"
	s.Truth = Truth{Split: "held-out", NotCauses: []string{"deploy of sailings", "database", "members"}, Fix: "Get the logs of bookings before acting.", Difficulty: "hard"}
	s.TZ, s.Host = "Africa/Nairobi", "ferry-gw-4"
	s.Setup = func(e *Env) {
		e.Past(52*time.Hour, "deploy", "bookings", "4.3.1", "deploy bookings 4.3.1: dependency updates")
		l.up(e)
		l.gate(e, GW{Access: "gw.access.log", Errors: "gw.error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "sailings", "7.0.5", "deploy sailings 7.0.5: shorter log lines", Edit{"sailings.go", "cache read failed, asking the database", "cache read failed"})
		e.settle(30 * time.Second)
		e.behave(l.pay(), behaviour{Status: 403, Body: fmt.Sprintf(`{"error":"account %d is under review"}`, 88120), Type: "application/json"})
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	s.Keep = []string{"gw.access.log", "gw.error.log", "sailings.log", "members.log", "freight.log", "changes.jsonl", "metrics/sailings.om", "metrics/members.om", "metrics/redis.om"}
	return s
}
