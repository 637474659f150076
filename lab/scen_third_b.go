package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// thirdScenariosB leave the worlds of the earlier rounds: MariaDB, RabbitMQ, memcached, an embedded Tomcat, uvicorn, chains without a gateway.
func thirdScenariosB() []Scenario {
	return []Scenario{waitTimeoutCut(), maxconnThree(), halfAChain(), routeTwice(), brokerDiskAlarm(), logEndsBefore(),
		kioskSendsText(), tariffQuotaCut(), frameSizeDropped(), lastTicketsRow(), memcachedAway(), reportsTakeConnections(), unitFileLimit()}
}

func waitTimeoutCut() Scenario {
	net := "10.41.0."
	s := late("wait-timeout-cut", "misconfiguration", "keepalive-mismatch", "the database closes idle connections after four seconds; the service keeps them longer and sends queries into closed ones", Truth{
		Acceptable: [][2]string{{"misconfiguration", "timeout-too-short"}}, Culprit: "ferry-db", Aliases: []string{"mariadb", "mysql", "database", "10.41.0.30", "wait_timeout", "ferry", "store.py"},
		Trigger:   &Trigger{Kind: "config", Summary: "ferry-db: wait_timeout from 28800 to 4, too many sleeping connections", Recorded: true},
		NotCauses: []string{"database down", "deploy of ferry-web", "pool exhausted"}, MustMention: []string{"gone away|Lost connection|Got timeout reading", "wait_timeout|2006|2013"},
		Fix: "Set wait_timeout back, or test connections before use and keep them for less time than the server does.", Difficulty: "hard"})
	s.TZ, s.Host, s.RPS, s.Shape = "Asia/Tokyo", "ferry-app-1", 7, bursts
	s.Fault = 140 * time.Second
	s.Routes = changed(ferryRoutes("http://"+net+"2"), "GET /terminals/{id}/sync", func(r *Route) { r.Weight = 7 })
	s.Setup = func(e *Env) {
		e.Past(31*time.Hour, "deploy", "ferry", "2026.47", "deploy ferry 2026.47: terminals synchronise every ten seconds")
		e.Past(9*time.Minute, "deploy", "ferry-web", "311", "deploy ferry-web 311: larger print")
		ferryUp(e, "ferry", "2026.47", net, "ferry-db", "journal", nil, true)
		e.Gateway(caddyFor("caddy", net, ":8000"))
	}
	s.Inject = func(e *Env) {
		e.Change("config", "ferry-db", "", "ferry-db: wait_timeout from 28800 to 4, too many sleeping connections")
		e.MySQL("", "set global wait_timeout = 4")
	}
	return s
}

func maxconnThree() Scenario {
	net := "10.42.1."
	opts := "option httpchk GET /health\n  timeout queue 1s"
	s := late("maxconn-three", "misconfiguration", "limit-too-small", "the load balancer lets three requests at a time through to the server; the others wait a second in its queue and are refused", Truth{
		Culprit: "haproxy", Aliases: []string{"10.42.1.2", "gateway", "load balancer", "maxconn"},
		Trigger:   &Trigger{Kind: "config", Summary: "haproxy: conservative connection limits for all servers", Recorded: true},
		NotCauses: []string{"cover release", "database", "partner slow"}, MustMention: []string{"sQ|queue", "maxconn|limit"},
		Fix: "Raise maxconn of the server to what it carries (60 threads).", Difficulty: "medium"})
	s.TZ, s.Host, s.RPS = "America/Lima", "lb-1", 34
	s.Routes = coverRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(5*time.Hour, "deploy", "cover", "7.2.0", "deploy cover 7.2.0: quotes for seniors")
		e.partner("tables.actuary.example", "10.98.0.5")
		e.behave("tables.actuary.example", behaviour{DelayMS: 240})
		e.MariaDB(MariaDB{Name: "cover-db", IP: net + "30", DB: "cover", Schema: e.schema("java/cover")})
		p := tomcatPart("cover", e.Release("cover", "java/cover", "7.2.0", nil), net+"11", "cover-db", "TARIFF_URL=http://tables.actuary.example")
		p.Wrap = "journal"
		e.up(p, net+"11:8080")
		e.Scrape("cover", "cover:8080", "http://"+net+"11:8080/metrics")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "cover_pool", Prefix: "/", Opts: opts, Servers: servers(net, ":8080", "check inter 2s maxconn 60", 1)}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "haproxy", "", "haproxy: conservative connection limits for all servers")
		e.Regate("haproxy", func(g *GW) { g.Routes[0].Servers = servers(net, ":8080", "check inter 2s maxconn 3", 1) })
	}
	return s
}

func halfAChain() Scenario {
	net := "10.43.2."
	s := late("half-a-chain", "dependency-failure", "tls", "after a renewal the underwriter serves its certificate without the intermediate one: Java cannot build the path", Truth{
		Culprit: "rates.underwriter.example", Aliases: []string{"underwriter", "10.98.0.5", "tariff"},
		Trigger:   &Trigger{Kind: "external", Summary: "rates.underwriter.example renewed its certificate and serves it without the intermediate", Recorded: false},
		NotCauses: []string{"change of apache2", "database", "cover release"}, MustMention: []string{"PKIX|SSLHandshakeException|certification path"},
		Fix: "Ask the underwriter to serve the whole chain; until then import its intermediate certificate.", Difficulty: "medium"})
	s.TZ, s.Host, s.RPS = "Pacific/Auckland", "cover-nz-1", 20
	s.Routes = coverRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(44*time.Hour, "deploy", "cover", "5.0.3", "deploy cover 5.0.3")
		e.Release("partner", "go/partner", "1", nil)
		e.Chain("/srv/partner/tls", "rates.underwriter.example")
		e.partner("rates.underwriter.example", "10.98.0.5", "CLOSE=1", "CERT=/srv/partner/tls/cert.pem", "KEY=/srv/partner/tls/key.pem")
		e.MariaDB(MariaDB{Name: "policies-db", IP: net + "30", DB: "cover", Schema: e.schema("java/cover")})
		e.up(tomcatPart("cover", e.Release("cover", "java/cover", "5.0.3", nil), net+"11", "policies-db", "TARIFF_URL=https://rates.underwriter.example"), net+"11:8080")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "common", Access: "apache/access_log", Errors: "apache/error_log", Routes: []Upstream{{Name: "cover", Prefix: "/", Servers: []string{net + "11:8080"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		e.decoy("config", "apache2", "", "apache2: keep access logs for 90 days")
		e.Run("cp", "/srv/partner/tls/leaf.pem", "/srv/partner/tls/cert.pem.new")
		e.Run("mv", "/srv/partner/tls/cert.pem.new", "/srv/partner/tls/cert.pem")
	}
	s.Fault = 95 * time.Second
	s.Keep = []string{"apache", "cover.log", "changes.jsonl", "mariadb.log"}
	return s
}

func transitRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /stops/{stop}", URL: gw + "/stops/{n:1-905}", Weight: 3},
		Route{Name: "GET /stops/{stop}/departures", URL: gw + "/stops/{n:1-900}/departures", Weight: 5},
		Route{Name: "GET /lines/{line}", URL: gw + "/lines/{n:1-60}", Weight: 2},
		Route{Name: "POST /tickets", Method: "POST", URL: gw + "/tickets", Body: `{"zone":{n:1-6}}`, Weight: 1})
}

func routeTwice() Scenario {
	net := "10.45.3."
	s := late("route-registered-twice", "bad-deploy", "startup-crash", "release 2.4.0 registers a route twice and panics at its start, on one instance after the other; a rollback mends it", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "panic"}}, Culprit: "transit", Aliases: []string{"transit-1", "transit-2", "10.45.3.11", "10.45.3.12", "main.go"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy transit 2.4.0: real-time departures", Recorded: true},
		NotCauses: []string{"haproxy", "network", "health check"}, MustMention: []string{"conflicts with pattern|panic", "2\\.4\\.0|deploy|exit"},
		Fix: "Roll back; let a rolling deploy stop when the first instance does not become ready.", Difficulty: "easy"})
	s.TZ, s.Host, s.RPS = "America/Denver", "transit-lb", 28
	s.Routes = transitRoutes("http://" + net + "2")
	part := func(i int, dir string) Part {
		p := goPart(fmt.Sprintf("transit-%d", i), dir, fmt.Sprintf("%s1%d:8080", net, i))
		p.Wrap = "cri"
		return p
	}
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "transit", "2.3.1", "deploy transit 2.3.1")
		dir := e.Release("transit", "go/transit", "2.3.1", nil)
		e.Release("transit", "go/transit", "2.4.0", nil,
			Edit{"main.go", "\thandle(mux, \"POST /tickets\", ticket)\n", "\thandle(mux, \"POST /tickets\", ticket)\n\thandle(mux, \"GET /stops/{id}/departures\", realtime)\n"},
			Edit{"main.go", "func line(", "func realtime(r *http.Request) (int, any) {\n\treturn http.StatusOK, map[string]any{\"stop\": r.PathValue(\"id\"), \"live\": true}\n}\n\nfunc line("})
		for i := 1; i <= 2; i++ {
			e.up(part(i, dir), fmt.Sprintf("%s1%d:8080", net, i))
			e.Scrape("transit", fmt.Sprintf("transit-%d:8080", i), fmt.Sprintf("http://%s1%d:8080/metrics", net, i))
		}
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "lb.log", Routes: []Upstream{{Name: "transit", Prefix: "/", Opts: "option httpchk GET /ready", Servers: servers(net, ":8080", "check inter 1s fall 2", 2)}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "transit", "2.4.0", "deploy transit 2.4.0: real-time departures")
		e.Replace(part(1, "/srv/transit/releases/2.4.0"), 0)
		e.Sleep(8 * time.Second)
		e.Replace(part(2, "/srv/transit/releases/2.4.0"), 0)
	}
	s.Recover = func(e *Env) {
		e.Change("deploy", "transit", "2.3.1", "roll transit back to 2.3.1")
		for i := 1; i <= 2; i++ {
			e.Replace(part(i, "/srv/transit/releases/2.3.1"), 0)
		}
	}
	s.Fault, s.Recovery = 60*time.Second, 50*time.Second
	return s
}

func brokerDiskAlarm() Scenario {
	net := "10.46.4."
	s := late("broker-disk-alarm", "resource-exhaustion", "disk", "traces fill the message broker's disk to its limit: it stops taking messages, and orders wait for a confirm that does not come", Truth{
		Culprit: "mq-1", Aliases: []string{"rabbitmq", "rabbit@petals-1", "broker", "10.46.4.40", "message queue"},
		Trigger:   &Trigger{Kind: "config", Summary: "mq-1: firehose tracing into files", Recorded: true},
		NotCauses: []string{"deploy of flowers 4.1.2", "database", "network"}, MustMention: []string{"disk resource limit alarm|Publishers will be blocked|disk_space_available", "no confirm|rabbit|mq-1"},
		Fix: "Delete the traces and stop tracing; the alarm clears itself.", Difficulty: "hard"})
	s.TZ, s.Host, s.RPS = "Europe/Kyiv", "petals-1", 18
	s.Fault = 90 * time.Second
	s.Routes = append(scanner("http://"+net+"2"),
		Route{Name: "GET /bouquets", URL: "http://" + net + "2/bouquets", Weight: 4},
		Route{Name: "GET /orders/{id}", URL: "http://" + net + "2/orders/{n:1-4010}", Weight: 3},
		Route{Name: "POST /orders", Method: "POST", URL: "http://" + net + "2/orders", Body: `{"bouquet":{n:1-90},"street":"Lane {n:1-400}"}`, Weight: 2},
		Route{Name: "POST /orders/{id}/cancel", Method: "POST", URL: "http://" + net + "2/orders/{n:1-4000}/cancel", Body: `{}`, Weight: 0.4})
	s.Setup = func(e *Env) {
		e.Past(8*24*time.Hour, "config", "mq-1", "", "mq-1: disk_free_limit 150MB as the manual advises")
		e.Past(6*time.Minute, "deploy", "flowers", "4.1.2", "deploy flowers 4.1.2: names of streets in capitals")
		e.MariaDB(MariaDB{Name: "petals-db", IP: net + "30", DB: "flowers", Schema: e.schema("node/flowers")})
		e.RabbitMQ("mq-1", net+"40", 320, "150MB", "")
		dir := e.Release("flowers", "node/flowers", "4.1.2", nil)
		for i := 1; i <= 2; i++ {
			ip := fmt.Sprintf("%s1%d", net, i)
			p := nodePart(fmt.Sprintf("flowers-%d", i), "flowers", dir, ip, append(mariaEnv("petals-db", "flowers"), "AMQP_URL=amqp://guest:guest@mq-1:5672")...)
			p.Wrap = "docker"
			e.up(p, ip+":3000")
			e.Scrape("flowers", fmt.Sprintf("flowers-%d:3000", i), "http://"+ip+":3000/metrics")
		}
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "timed", Access: "apache2/access.log", Errors: "apache2/error.log", Routes: []Upstream{{Name: "flowers", Prefix: "/", Servers: servers(net, ":3000", "", 2)}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "mq-1", "", "mq-1: firehose tracing into files")
		must(os.MkdirAll("/var/lib/rabbitmq/tracing", 0o755), "mkdir")
		e.fillDisk("/var/lib/rabbitmq/tracing/firehose.log", 250, 110*time.Millisecond)
	}
	return s
}

func logEndsBefore() Scenario {
	net := "10.47.5."
	s := healthy("log-ends-before", "buying a pass fails from one moment on; the service's log at hand was rotated away before that, and nothing else tells why")
	s.Kind = "open"
	s.Truth = Truth{Split: "held-out", NotCauses: []string{"database", "deploy", "client"}, Fix: "Fetch the current log of the service; act only then.", Difficulty: "hard"}
	s.Baseline, s.Fault, s.TZ, s.Host, s.RPS = 120*time.Second, 70*time.Second, "Europe/Zurich", "lifts-1", 20
	rename := []string{"sailings", "rides", "sailing", "ride", "bookings", "passes", "booking", "pass_", "vehicle_cm", "baggage_cm", "harbour", "valley", "HARBOUR", "VALLEY", "a ferry line", "cable cars"}
	s.Routes = renamed(ferryRoutes("http://"+net+"2"), append([]string{`"passengers"`, `"passengers"`, "QuayKiosk", "GateReader"}, rename...)...)
	s.Setup = func(e *Env) {
		ferryUp(e, "lifts", "19.4", net, "lifts-db", "", rename, false)
		e.Gateway(caddyFor("caddy", net, ":8000"))
	}
	s.Inject = func(e *Env) {
		e.cutLog("lifts.log", "lifts.log.1")
		e.Sleep(25 * time.Second)
		e.Injected = time.Now()
		e.MySQL("", "revoke all on ferry.* from 'ferry'@'%'; grant select on ferry.* to 'ferry'@'%'")
	}
	s.Keep = []string{"caddy-access.json", "lifts.log.1"}
	s.Rename = map[string]string{"lifts.log.1": "lifts.log.1.gz"}
	return s
}

func kioskSendsText() Scenario {
	net := "10.48.6."
	s := late("kiosk-sends-text", "unhandled-exception", "type-error", "the kiosk's new release sends the number of passengers as text; the fare cannot be added up", Truth{
		Culprit: "ferries", Aliases: []string{"fares.py", "main.py", "10.48.6.11", "uvicorn", "203.0.113.42", "QuayKiosk", "POST /bookings"},
		Trigger:   &Trigger{Kind: "client", Summary: "QuayKiosk/5.0.0 at 203.0.113.42 sends passengers as text", Recorded: false},
		NotCauses: []string{"deploy of screens 88", "database", "caddy"}, MustMention: []string{"TypeError|can only concatenate", "fares|QuayKiosk|203\\.0\\.113\\.42|/bookings"},
		Fix: "Answer 422 to a number that is none; tell the kiosk's maker.", Difficulty: "medium"})
	s.TZ, s.Host, s.RPS = "Atlantic/Azores", "ferries-1", 20
	s.Routes = append(ferryRoutes("http://"+net+"2"),
		Route{Name: "POST /bookings", Method: "POST", URL: "http://" + net + "2/bookings", Body: `{"sailing":{n:1-600},"terminal":17,"passengers":"{n:1-5}","vehicle_cm":0}`, Weight: 1.1, During: "fault", Clients: "203.0.113.42", Agent: "QuayKiosk/5.0.0"})
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "ferries", "2026.46", "deploy ferries 2026.46")
		ferryUp(e, "ferries", "2026.46", net, "ferries-db", "", nil, false)
		e.Gateway(caddyFor("caddy", net, ":8000"))
		e.Past(-s.Baseline+12*time.Second, "deploy", "screens", "88", "deploy screens 88: departures in two languages")
	}
	s.Rename = map[string]string{"caddy-access.json": "edge/access.log.gz"}
	return s
}

func tariffQuotaCut() Scenario {
	net := "10.49.7."
	s := late("tariff-quota-cut", "resource-exhaustion", "cpu", "right-sizing leaves the innermost of three services two hundredths of a core: it is throttled, the two before it run into time-outs", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "tariff", Aliases: []string{"tariff-5b8f7c9d4-q7k2m", "10.49.7.13", "pod/tariff"},
		Trigger:   &Trigger{Kind: "config", Summary: "tariff: CPU limit 500m to 20m (right-sizing)", Recorded: true},
		NotCauses: []string{"cover", "journey", "deploy of journey-web", "database"}, MustMention: []string{"throttled|cfs|CPU limit", "tariff|timed out"},
		Fix: "Give tariff its CPU limit back; size limits by throttling and not by the mean.", Difficulty: "hard"})
	s.Host, s.RPS = "node-7", 24
	gw := "http://" + net + "11:8080"
	s.Routes = append(scanner(gw),
		Route{Name: "GET /trips", URL: gw + "/trips", Weight: 3},
		Route{Name: "GET /trips/{id}", URL: gw + "/trips/{n:1-1010}", Weight: 4},
		Route{Name: "GET /trips/{id}/insurance", URL: gw + "/trips/{n:1-900}/insurance?age={n:18-90}", Weight: 5},
		Route{Name: "POST /insurances", Method: "POST", URL: gw + "/insurances", Body: `{"age":{n:18-90}}`, Weight: 1.5})
	file := "kubectl-logs.txt"
	pods := map[string]string{"journey": "journey-7d9c5f6b8-4xw9t", "cover": "cover-6f4b8d7c5-m2n8p", "tariff": "tariff-5b8f7c9d4-q7k2m"}
	s.Setup = func(e *Env) {
		e.Past(20*time.Hour, "deploy", "cover", "7.2.0", "deploy cover 7.2.0")
		e.Past(3*24*time.Hour, "deploy", "tariff", "1.9.0", "deploy tariff 1.9.0")
		e.MariaDB(MariaDB{Name: "travel-db", IP: net + "30", DB: "cover", Schema: e.schema("java/cover")})
		e.Host("cover", net+"12")
		e.Host("tariff", net+"13")
		run := func(p Part, cpu float64, addr string) {
			p.Log, p.Wrap, p.Ident, p.CPU = file, "kubectl", pods[p.Name]+"/"+p.Name, cpu
			e.up(p, addr)
		}
		run(goPart("tariff", e.Release("tariff", "go/tariff", "1.9.0", nil), net+"13:8080"), 0.5, net+"13:8080")
		run(tomcatPart("cover", e.Release("cover", "java/cover", "7.2.0", nil), net+"12", "travel-db", "TARIFF_URL=http://tariff:8080"), 1, net+"12:8080")
		run(goPart("journey", e.Release("journey", "go/journey", "3.1.0", nil), net+"11:8080", "COVER_URL=http://cover:8080"), 0.5, net+"11:8080")
		e.Containers(net+"60:8080", "node-7", pods)
		e.Scrape("cover", "cover:8080", "http://"+net+"12:8080/metrics")
	}
	s.Inject = func(e *Env) {
		e.Change("config", "tariff", "", "tariff: CPU limit 500m to 20m (right-sizing)")
		must(os.WriteFile(filepath.Join(cpuGroup(e.S.Name), "tariff", "cpu.cfs_quota_us"), []byte("2000"), 0o644), "quota")
		e.Sleep(14 * time.Second)
		e.Change("deploy", "journey-web", "640", "deploy journey-web 640: new pictures")
	}
	s.Fault = 90 * time.Second
	s.Keep = []string{file, "metrics.om", "changes.jsonl"}
	return s
}

func frameSizeDropped() Scenario {
	net := "10.50.8."
	s := late("frame-size-dropped", "bad-deploy", "schema-mismatch", "a migration drops a column that the running release still lists", Truth{
		Acceptable: [][2]string{{"database", "query-error"}}, Culprit: "bikes-db", Aliases: []string{"mariadb", "mysql", "database", "bikes", "Fleet.php", "frame_size", "10.50.8.30"},
		Trigger:   &Trigger{Kind: "migration", Summary: "2026_11_29_090000_drop_frame_size_from_bikes", Recorded: true},
		NotCauses: []string{"deploy of riders-app", "database down"}, MustMention: []string{"Unknown column|42S22", "frame_size"},
		Fix: "Add the column again (the code first, then the migration).", Difficulty: "easy"})
	s.TZ, s.Host, s.RPS = "Asia/Kolkata", "bikes-web-1", 22
	gw := "http://" + net + "2"
	s.Routes = append(scanner(gw),
		Route{Name: "GET /stations/{id}/bikes", URL: gw + "/stations/{n:1-80}/bikes", Weight: 4},
		Route{Name: "GET /bikes/{id}", URL: gw + "/bikes/{n:1-2410}", Weight: 3},
		Route{Name: "POST /rentals", Method: "POST", URL: gw + "/rentals", Body: `{"bike":{n:1-2400},"rider":{n:1-700}}`, Weight: 2},
		Route{Name: "GET /riders/{id}/rentals", URL: gw + "/riders/{n:1-700}/rentals", Weight: 2})
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "deploy", "bikes", "v118", "deploy bikes v118")
		e.MariaDB(MariaDB{Name: "bikes-db", IP: net + "30", DB: "bikes", Schema: e.schema("php/bikes"), Log: "mysqld.log"})
		dir := e.Release("bikes", "php/bikes", "v118", nil)
		e.Run("ln", "-sfn", dir, "/srv/bikes/current")
		e.up(e.phpPart("bikes", net+"11", 10, "DATABASE_DSN=mysql:host=bikes-db;dbname=bikes", "DATABASE_USER=bikes", "DATABASE_PASSWORD="+mariaPassword, "LOG_FILE="+e.Logs+"/laravel.log"), net+"11:9000")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "combined", Access: "httpd/access_log", Errors: "httpd/error_log", HTTP: apachePHP("bikes", net+"11")})
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "riders-app", "5.5.1", "deploy riders-app 5.5.1: store release")
		e.Change("migration", "bikes", "", "2026_11_29_090000_drop_frame_size_from_bikes")
		e.MySQL("bikes", "alter table bikes drop column frame_size")
	}
	s.Fault = 95 * time.Second
	return s
}

func lastTicketsRow() Scenario {
	net := "10.51.9."
	s := late("last-tickets-row", "database", "lock-contention", "everybody wants the same evening: each booking holds that show's row while the card is charged, the others wait for the lock and give up", Truth{
		Culprit: "tickets-db", Aliases: []string{"mariadb", "mysql", "database", "10.51.9.30", "boxoffice", "shows", "bookings.rb", "/shows/77/bookings"},
		Trigger:   &Trigger{Kind: "traffic", Summary: "a rush on the bookings of show 77", Recorded: false},
		NotCauses: []string{"deploy of newsletter", "cards.paytill.example", "too many connections", "threads"}, MustMention: []string{"Lock wait timeout", "bookings|shows"},
		Fix: "Charge the card outside of the transaction, or reserve seats row by row.", Difficulty: "medium"})
	s.TZ, s.Host, s.RPS = "America/Sao_Paulo", "boxoffice-1", 20
	gw := "http://" + net + "2"
	s.Routes = append(showRoutes(gw), Route{Name: "POST /shows/{id}/bookings", Method: "POST", URL: gw + "/shows/77/bookings", Body: `{"customer":{n:1-900},"seats":{n:1-4}}`, Weight: 6, During: "fault"})
	s.Shape = surge(1.6)
	s.Setup = func(e *Env) {
		e.Past(70*time.Hour, "deploy", "boxoffice", "36", "deploy boxoffice 36")
		e.partner("cards.paytill.example", "10.98.0.5")
		e.behave("cards.paytill.example", behaviour{DelayMS: 230})
		e.MariaDB(MariaDB{Name: "tickets-db", IP: net + "30", DB: "tickets", Schema: e.schema("ruby/boxoffice"), Export: true,
			Conf: map[string]string{"slow_query_log": "ON", "long_query_time": "1", "slow_query_log_file": e.Logs + "/mariadb-slow.log"}})
		p := rubyPart("boxoffice", e.Release("boxoffice", "ruby/boxoffice", "36", nil), net+"11", 64, append(mariaEnv("tickets-db", "tickets"), "CARDS_URL=http://cards.paytill.example")...)
		e.up(p, net+"11:9292")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "journal", Routes: []Upstream{{Name: "boxoffice", Prefix: "/", Opts: "option httpchk GET /up", Servers: servers(net, ":9292", "check inter 2s", 1)}}})
	}
	s.Inject = func(e *Env) {}
	s.Setup = decoyBefore(s.Setup, s.Baseline-18*time.Second, "deploy", "newsletter", "12", "deploy newsletter 12: dark mode for mails")
	return s
}

// decoyBefore records a change that will happen so long after the setup.
func decoyBefore(setup func(*Env), after time.Duration, kind, service, version, summary string) func(*Env) {
	return func(e *Env) {
		setup(e)
		e.Past(-after, kind, service, version, summary)
	}
}

func memcachedAway() Scenario {
	net := "10.52.1."
	s := healthy("memcached-away-fallback", "memcached goes away; the service complains at each read and asks the database, which carries it")
	s.Truth.Split = "held-out"
	s.Baseline, s.Fault, s.TZ, s.Host, s.RPS = 110*time.Second, 80*time.Second, "Africa/Nairobi", "tours-1", 24
	rename := []string{"show_exceptions", "show_exceptions", "BoxOffice", "TourDesk", "shows", "tours", "Shows", "Tours", "show_id", "tour_id", "show", "tour", "box office of a few theatres", "desk of a tour operator", "Evening", "Tour"}
	gw := "http://" + net + "2"
	s.Routes = renamed(showRoutes(gw), "shows", "tours")
	s.Setup = func(e *Env) {
		e.Past(2*time.Hour, "deploy", "tours", "9.0", "deploy tours 9.0: pages of tours come from memcached")
		e.partner("cards.paytill.example", "10.98.0.5")
		e.MariaDB(MariaDB{Name: "tours-db", IP: net + "30", DB: "tickets", Schema: e.schema("ruby/boxoffice", rename...), Export: true})
		e.Memcached("memc-1", net+"50")
		dir := e.Release("tours", "ruby/boxoffice", "9.0", rename,
			Edit{"app.rb", "require 'json'\n", "require 'dalli'\nrequire 'json'\n"},
			Edit{"app.rb", "LOG = Logger.new($stdout, level: Logger::INFO)\n", "LOG = Logger.new($stdout, level: Logger::INFO)\nCACHE = Dalli::Client.new(ENV.fetch('CACHE'), threadsafe: true, expires_in: 20, socket_timeout: 0.3, down_retry_delay: 2)\nDalli.logger = LOG\n"},
			Edit{"lib/shows.rb", "    Store.rows('select id, title, seats_left, cents from shows where id = ?', id).first\n", "    cached(\"show/#{id}\") { Store.rows('select id, title, seats_left, cents from shows where id = ?', id).first }\n  end\n\n" +
				"  def self.cached(key)\n    CACHE.fetch(key) { yield }\n  rescue Dalli::DalliError => e\n    LOG.error(\"cache read of #{key} failed, asking the database: #{e.class}: #{e.message}\")\n    yield\n"})
		p := rubyPart("tours", dir, net+"11", 12, append(mariaEnv("tours-db", "tickets"), "CARDS_URL=http://cards.paytill.example", "CACHE=memc-1:11211")...)
		e.up(p, net+"11:9292")
		e.Gateway(caddyFor("caddy", net, ":9292"))
	}
	s.Inject = func(e *Env) { e.Stop("memc-1", syscall.SIGKILL, time.Second) }
	return s
}
