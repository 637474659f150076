package main

import (
	"time"
)

// thirdScenariosA is the third round: a polyglot house (house_line.go) and faults that spread through it. It was written
// without sight of the rules, and all of it is held out.
func thirdScenariosA() []Scenario {
	return []Scenario{ageCheckHangs(), canaryKeepsReceipts(), twoFaultsOneAfternoon(), keyNotDeployed(), batchAnswers200(), regattaWeekend(),
		auditVolumeFull(), privateZoneLost(), companionsFlag(), cacheMoved(), printShopMarksDown(), payFailsLogsGone(), indexAndBackfill(), providerMaintenancePage()}
}

func ageCheckHangs() Scenario {
	l := campsite()
	l.logs = map[string]string{"stays-1": "app/stays-1.ndjson", "stays-2": "app/stays-2.ndjson", "guests": "app/guests.out", "pitches": "app/pitches.json.log", "rental": "app/rental.log"}
	s := thirdA(inc("age-check-hangs", "dependency-failure", "timeout", "the proof-of-age service takes calls and never answers; six threads wait ten seconds each and the profile pages of the same service starve", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "threads"}}, Culprit: "passcheck", Aliases: []string{"PASSCHECK_URL", l.passcheck(), "agegate", "10.98.1.3"},
		Trigger:   &Trigger{Kind: "external", Summary: "check.agegate.example stopped answering", Recorded: false},
		NotCauses: []string{"database down", "pg-camp-1", "pitches 12.4.2", "gateway timeout"}, MustMention: []string{"timed out|TimeoutError|timeout", "verify|agegate|urlopen"},
		Fix: "Shorter timeout and a limit on calls to the age check, so that they cannot take every thread; let verification wait.", Difficulty: "medium"}), l)
	s.TZ, s.Host = "Europe/Lisbon", "camp-edge"
	s.Routes = changed(s.Routes, "POST /api/guests/{id}/verify", func(r *Route) { r.Weight = 1.6 })
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "guests", "0.31.0", "deploy guests 0.31.0: proof of age for the bar")
		e.Past(5*time.Hour, "flag", "stays", "", "winter_rates 20% -> 100%")
		e.Past(47*time.Minute, "infra", "pg-camp-1", "", "base backup finished")
		l.up(e)
		l.gate(e, GW{Format: "json", Access: "nginx/access.json", Errors: "nginx/error.log"}, " max_fails=0", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "pitches", "12.4.2", "deploy pitches 12.4.2: shorter log lines", Edit{"sailings.go", "cache read failed, asking the database", "cache read failed"})
		e.settle(25 * time.Second)
		e.behave(l.passcheck(), behaviour{DelayMS: 90000})
	}
	s.Rename = map[string]string{"metrics.om": "prometheus/camp.om.gz"}
	return s
}

func canaryKeepsReceipts() Scenario {
	l := ferry()
	l.nodeMB, l.versions[0] = 150, "4.3.1"
	s := thirdA(inc("canary-keeps-receipts", "resource-exhaustion", "memory", "the canary release on one of two instances keeps every receipt in memory; the kernel kills it at its limit over and over", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "bookings-1", Aliases: []string{"bookings", "10.44.7.21"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy bookings 4.4.0 to bookings-1 (canary): receipts are kept for reprints", Recorded: true},
		NotCauses: []string{"gateway", "network", "database down", "members"}, MustMention: []string{"[Oo]ut of memory|oom|SIGKILL", "bookings-1|4\\.4\\.0"},
		Fix: "Roll the canary back; bound what is kept.", Difficulty: "medium"}), l)
	s.TZ, s.Host, s.RPS = "America/Halifax", "quay-app1", 15
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "bookings", "4.3.1", "deploy bookings 4.3.1: faster list of bookings")
		e.Past(7*time.Hour, "scale", "members", "", "threads 4 -> 6")
		e.KernelLog("kern.log")
		l.up(e)
		l.gate(e, GW{}, " max_fails=0", "proxy_next_upstream off; proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		dir := l.release(e, "bookings", "4.4.0", Edit{"bookings.js", "  if (flags.on('travel_companions'))", "  receipts.set(`${id}-${Date.now()}`, Buffer.alloc(2_400_000, JSON.stringify(rows[0])));\n  if (flags.on('travel_companions'))"},
			Edit{"bookings.js", "async function create(", "const receipts = new Map();\n\nasync function create("})
		e.Injected = time.Now()
		e.Change("deploy", "bookings", "4.4.0", "deploy bookings 4.4.0 to bookings-1 (canary): receipts are kept for reprints")
		p := l.nodePart("1", dir)
		p.Restart = 5 * time.Second
		e.Replace(p, 0)
		e.WaitPort(l.ip("21")+":3000", 20*time.Second)
		e.Sleep(restartBlip)
		e.Settled = time.Now()
		e.Sleep(12 * time.Second)
		e.Change("flag", "freight", "", "label_preview 10% -> 50%")
	}
	s.Fault = 130 * time.Second
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func twoFaultsOneAfternoon() Scenario {
	l := ferry()
	l.ratesTLS = 192 * time.Second
	l.logs = map[string]string{"sailings": "sailings-api.log", "freight": "freight-svc.log"}
	s := thirdA(inc("two-faults-one-afternoon", "unhandled-exception", "null-dereference", "a release of sailings reads a notice that some ships do not have; less than a minute later the certificate of the rates service runs out", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "panic"}, {"bad-deploy", "regression"}, {"dependency-failure", "tls"}}, Culprit: "sailings", Aliases: []string{"10.44.7.41", "sailings.go", "rates.haulindex.example", "haulindex"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy sailings 7.1.0: notices of ships", Recorded: true},
		NotCauses: []string{"database", "cache", "deploy of members"}, MustMention: []string{"nil pointer dereference", "7\\.1\\.0|sailings\\.go"},
		Fix: "Roll back sailings 7.1.0; have the rates service renew its certificate.", Difficulty: "hard",
		Independent: []Cause{{"dependency-failure", "tls", "rates.haulindex.example"}}}), l)
	s.TZ, s.Host = "Asia/Manila", "line-gw"
	s.Routes = changed(s.Routes, "POST /api/freight/quote", func(r *Route) { r.Weight = 1.6 })
	s.Setup = func(e *Env) {
		e.Past(90*time.Hour, "deploy", "freight", "1.12.2", "deploy freight 1.12.2: quotes over TLS")
		e.Past(3*time.Hour, "deploy", "members", "2.9.0", "deploy members 2.9.0: country in profiles")
		e.Past(16*time.Minute, "config", "gateway", "", "nginx: access log keeps the request id")
		l.up(e)
		l.gate(e, GW{Format: "plain", Access: "www-access.log", Errors: "www-error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "sailings", "7.1.0", "deploy sailings 7.1.0: notices of ships", Edit{"sailings.go", "		return found[0], nil\n", "		if s := found[0]; s.Vessel == \"Dorado\" || s.Vessel == \"Cygnus\" {\n			a.log.Debug(\"notice\", \"text\", s.Notice.Text)\n		}\n		return found[0], nil\n"})
	}
	s.OnsetStatus = 500
	s.Fault = 120 * time.Second
	s.Rename = map[string]string{"metrics.om": "metrics.txt.gz"}
	return s
}

func keyNotDeployed() Scenario {
	l := campsite()
	s := thirdA(inc("key-not-deployed", "misconfiguration", "missing-env", "twenty minutes ago the variable of the payment key got a new name in the environment; a restart after a kernel update makes it count", Truth{
		Acceptable: [][2]string{{"misconfiguration", "bad-credential"}}, Culprit: "stays", Aliases: []string{"stays-1", "stays-2", "10.71.2.21", "10.71.2.22", "PAY_SECRET_KEY"},
		Trigger:   &Trigger{Kind: "config", Summary: "stays: environment now comes from the vault, payment key is called PAYMENT_API_KEY there", Recorded: true},
		NotCauses: []string{"pitches 12.5.0", "payment provider", "database", "api.coastpay.example"}, MustMention: []string{"PAY_SECRET_KEY"},
		Fix: "Put PAY_SECRET_KEY back into the environment (or read the new name) and restart; fail at start when it is missing.", Difficulty: "medium"}), l)
	s.TZ, s.Host = "America/Lima", "camp-web-2"
	s.Setup = func(e *Env) {
		e.Past(20*time.Hour, "deploy", "stays", "2026.11.3", "deploy stays 2026.11.3: dependency updates")
		e.Past(21*time.Minute, "config", "stays", "", "stays: environment now comes from the vault, payment key is called PAYMENT_API_KEY there")
		e.Past(17*time.Minute, "migration", "pg-camp-1", "", "0088 add index hires_country_idx")
		l.up(e)
		l.gate(e, GW{Access: "gateway/access.log", Errors: "gateway/error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "pitches", "12.5.0", "deploy pitches 12.5.0: search by meadow", Edit{"sailings.go", "limit 20`, q)", "limit 24`, q)"})
		e.Sleep(20 * time.Second)
		e.Injected = time.Now()
		e.Change("restart", "stays", "", "restart after kernel update")
		dir := "/srv/stays/releases/2026.11.3"
		for _, i := range []string{"1", "2"} {
			e.Replace(l.nodePart(i, dir, "PAY_SECRET_KEY="), 0)
			e.WaitPort(l.ip("2"+i)+":3000", 20*time.Second)
			e.Sleep(4 * time.Second)
		}
	}
	s.OnsetStatus = 500 // the two restarts follow each other within fail_timeout, and the gateway finds no instance for a while
	s.Rename = map[string]string{"metrics.om": "metrics/", "redis.log": "-"}
	return s
}

func batchAnswers200() Scenario {
	l := ferry()
	l.logs = map[string]string{"bookings-1": "bookings/instance-1.log", "bookings-2": "bookings/instance-2.log"}
	s := thirdA(inc("batch-answers-200", "misconfiguration", "permission", "a migration gives the table of fares to another role; the app's batch route answers 200 with the error inside", Truth{
		Acceptable: [][2]string{{"database", "query-error"}}, Culprit: "ferry-pg", Aliases: []string{"fares", "postgres", "postgresql", "database", "10.44.7.61", "bookings", "bookings-1", "bookings-2", "ferry"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0153 fares: owner becomes reporting", Recorded: true},
		NotCauses: []string{"freight release", "payment provider", "gateway"}, MustMention: []string{"permission denied", "fares|0153"},
		Fix: "Grant the service's role its rights on fares again; put grants into migrations that change owners.", Difficulty: "hard"}), l)
	s.TZ, s.Host = "UTC", "ferry-gw-1"
	s.Routes = changed(s.Routes, "POST /api/app/batch", func(r *Route) { r.Weight, r.Lying = 2.2, `"code":"INTERNAL"` })
	s.Setup = func(e *Env) {
		e.Past(74*time.Hour, "deploy", "bookings", "4.3.1", "deploy bookings 4.3.1: batch route for the app")
		e.Past(9*time.Hour, "restart", "ferry-kv", "", "restart after kernel update")
		l.up(e)
		l.gate(e, GW{Format: "json", Access: "edge-access.log", Errors: "edge-error.log"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "freight", "1.12.3", "deploy freight 1.12.3: wording of errors", Edit{"Consignments.java", "no such consignment", "unknown consignment"})
		e.settle(15 * time.Second)
		e.Change("migration", "ferry-pg", "", "0153 fares: owner becomes reporting")
		e.psql("postgres", l.db, "set log_min_messages = 'panic'; create role reporting; alter table fares owner to reporting")
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	s.Keep = []string{"edge-access.log", "edge-error.log", "bookings", "members.log", "sailings.log", "freight.log", "redis.log", "changes.jsonl", "metrics", "supervisord.log"}
	return s
}

// regattaWeekend is healthy: more people than usual, two deploys, a scanner, a script that runs into the limiter, and the
// hum of every day.
func regattaWeekend() Scenario {
	l := campsite()
	s := thirdA(healthy("regatta-weekend", "a busy weekend: twice the visitors, two deploys, a scanner and a partner's script at the limiter; nothing is wrong"), l)
	s.TZ, s.Host = "Europe/Bratislava", "camp-edge-1"
	gw := l.gw()
	s.Routes = append(s.Routes, Route{Name: "scan", URL: gw + "/{pick:wp-admin|.env|vendor/phpunit|backup.zip|actuator/env}/{hex}", Weight: 5, During: "fault", Clients: "192.0.2.9", Agent: "Mozilla/5.0 zgrab/0.x"},
		Route{Name: "partner script", URL: gw + "/api/stays?guest={n:1-3000}", Weight: 9, During: "fault", Clients: "203.0.113.50", Agent: "channel-sync/0.4"})
	s.Shape = surge(2)
	s.Setup = func(e *Env) {
		e.Past(45*time.Hour, "deploy", "stays", "2026.11.3", "deploy stays 2026.11.3: dependency updates")
		e.Past(3*time.Hour, "config", "gateway", "", "nginx: limit_req 5r/s per client on stays")
		l.up(e)
		l.gate(e, GW{Format: "json", HTTP: "limit_req_zone $binary_remote_addr zone=c:1m rate=5r/s; limit_req_status 429;"}, " max_fails=0", "limit_req zone=c burst=10 nodelay; proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "pitches", "12.5.1", "deploy pitches 12.5.1: photos of meadows", Edit{"sailings.go", "limit 20`, q)", "limit 24`, q)"})
		e.Sleep(12 * time.Second)
		dir := l.release(e, "stays", "2026.11.4", Edit{"server.js", "seats must be positive", "seats must be more than none"})
		e.Change("deploy", "stays", "2026.11.4", "deploy stays 2026.11.4: wording")
		for _, i := range []string{"1", "2"} {
			e.Replace(l.nodePart(i, dir), 0)
			e.WaitPort(l.ip("2"+i)+":3000", 20*time.Second)
			e.Sleep(5 * time.Second)
		}
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}
