package main

import (
	"os"
	"syscall"
	"time"
)

// sixthScenarios is the sixth round: small worlds of their own (SQLite, two Redis servers, Fastify, GraphQL, a slow clock). It was written
// without sight of the rules, and all of it is held out.
func sixthScenarios() []Scenario {
	return []Scenario{loyaltyRecount(), copiesOfSnapshots(), switchedToTheCopy(), guestsWithoutStays(), streetWithoutNumber(), oldKeyInGraph(),
		secretAndGrants(), dinnerWithoutWarden(), packetsOfPictures(), auditNumbersUsedUp(), routingOnTheThirdTry(), prefetchersLeave(), deprecatedKitchen(), stayFailsMute(), sixtyMillisecondsAreIll(), twelveConnections()}
}

// sixth gives an incident of this round its usual shape.
func sixth(name, class, mechanism, title string, t Truth) Scenario {
	t.Split = "held-out"
	s := inc(name, class, mechanism, title, t)
	s.Baseline, s.Fault, s.RPS = 95*time.Second, 75*time.Second, 14
	return s
}

func lockerRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /lockers/{id}", URL: gw + "/lockers/{n:1-906}", Weight: 4},
		Route{Name: "POST /lockers/{id}/holds", Method: "POST", URL: gw + "/lockers/{n:1-900}/holds", Body: `{"parcel":"PX{n:100000-999999}"}`, Weight: 3, Agent: "CourierScan/9.{n:1-4}"},
		Route{Name: "POST /addresses/check", Method: "POST", URL: gw + "/addresses/check", Weight: 2,
			Body: `{"line":"{pick:Harbour View Road|Mill Lane|Saint Anne's Close|Kirchweg|Long Acre|Neuer Wall|Rue de la Paix} {n:1-140}"}`},
		Route{Name: "POST /addresses/check (no number)", Method: "POST", URL: gw + "/addresses/check", Weight: 0.25, Body: `{"line":"{pick:Untere Donaudampfschiffergasse|Mittlere Donaudampfschiffstrasse}"}`})
}

func playRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "POST /plays", Method: "POST", URL: gw + "/plays", Body: `{"track":{n:1-4000},"country":"{pick:de|fr|pt|br|jp}","id":{n:1-3000}}`, Weight: 5, Agent: "TuneApp/7.{n:0-2}"},
		Route{Name: "GET /charts/{country}", URL: gw + "/charts/{pick:de|fr|pt|br|jp}", Weight: 3},
		Route{Name: "GET /listeners/{id}", URL: gw + "/listeners/{n:1-3000}", Weight: 3})
}

func hutRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /huts", URL: gw + "/huts?region={pick:north|south|east|west}", Weight: 3},
		Route{Name: "GET /huts/{id}", URL: gw + "/huts/{n:1-404}", Weight: 3},
		Route{Name: "GET /huts/{id}/nights/{night}", URL: gw + "/huts/{n:1-400}/nights/{n:1-89}", Weight: 4},
		Route{Name: "POST /stays", Method: "POST", URL: gw + "/stays", Body: `{"hut":{n:1-400},"night":{n:1-89},"beds":{n:1-4},"guest":{n:1-900}}`, Weight: 2},
		Route{Name: "GET /guests/{id}/stays", URL: gw + "/guests/{n:1-1800}/stays", Weight: 2})
}

// redisAt starts a Redis server with a log of its own.
func (e *Env) redisAt(name, ip, dir string, more ...string) {
	e.Host(name, ip)
	must(mkdir(dir), "mkdir")
	must(os.Chmod(dir, 0o777), "chmod")
	e.Start(Part{Name: name, Argv: append([]string{"redis-server", "--bind", ip, "--port", "6379", "--dir", dir, "--maxmemory", "64mb", "--protected-mode", "no"}, more...), Log: name + ".log"})
	e.WaitPort(ip+":6379", 10*time.Second)
	e.Start(Part{Name: name + "-exporter", Argv: []string{"prometheus-redis-exporter", "-redis.addr", "redis://" + ip + ":6379", "-web.listen-address", ip + ":9121"}})
	e.ScrapeOnly("redis", name+":9121", "http://"+ip+":9121/metrics", `^redis_(up|connected_(clients|slaves)|commands_processed_total|memory_(used|max)_bytes|rdb_last_bgsave_status|rdb_changes_since_last_save|instance_info|connected_slave_\w+|master_link_up|rejected_connections_total|errors_total)`)
}

// lockersUp starts the lockers service on an address below net; the routing service is a stand-in.
func lockersUp(e *Env, service, version, net, kv string, cpu float64, edits ...Edit) {
	e.partner("route.waymark.example", "10.97.0.4", "CLOSE=1")
	e.up(lockersPart(e, service, version, net, kv, cpu, edits...), net+"11:3000")
	e.Scrape(service, service+":3000", "http://"+net+"11:3000/metrics")
}

func lockersPart(e *Env, service, version, net, kv string, cpu float64, edits ...Edit) Part {
	dir := e.Release(service, "node/lockers", version, nil, edits...)
	p := nodePart(service, service, dir, net+"11", "REDIS_URL=redis://"+kv+":6379", "ROUTING_URL=http://route.waymark.example")
	p.CPU = cpu
	return p
}

func loyaltyRecount() Scenario {
	net := "10.60.1."
	s := sixth("loyalty-recount", "database", "lock-contention", "a job of cron counts the points of all donors in one transaction: the SQLite file stays locked for writing, appointments and answers fail after three seconds; reading goes on", Truth{
		Culprit: "donors.db", Aliases: []string{"loyalty", "loyalty.py", "sqlite", "donors", "database", "10.60.1.11", "cron"},
		Trigger:   &Trigger{Kind: "restart", Summary: "the loyalty job began its run", Recorded: true},
		NotCauses: []string{"deploy of donors-ui", "caddy", "disk", "slots"}, MustMention: []string{"database is locked", "loyalty|OperationalError"},
		Fix: "Stop the job; let it write in small transactions at night.", Difficulty: "medium"})
	s.TZ, s.Host = "America/Sao_Paulo", "donor-web-2"
	gw := "http://" + net + "2"
	s.Routes = append(scanner(gw),
		Route{Name: "GET /centres", URL: gw + "/centres?town=Town%20{n:1-9}", Weight: 3},
		Route{Name: "GET /centres/{id}/slots", URL: gw + "/centres/{n:1-80}/slots", Weight: 4},
		Route{Name: "GET /donors/{id}", URL: gw + "/donors/{n:1-20100}", Weight: 3},
		Route{Name: "POST /appointments", Method: "POST", URL: gw + "/appointments", Body: `{"slot":{n:1-6000},"donor":{n:1-20000}}`, Weight: 1.6},
		Route{Name: "PUT /donors/{id}/answers", Method: "PUT", URL: gw + "/donors/{n:1-20000}/answers", Body: `{"travel":"{pick:no|no|yes}","tattoo":"no"}`, Weight: 0.9})
	env := []string{"DONORS_DB=/srv/donors/data/donors.db"}
	var dir string
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "donors", "1.44.0", "deploy donors 1.44.0: loyalty points")
		e.Past(100*time.Minute, "config", "caddy", "", "caddy: shorter keep-alive for idle clients")
		must(mkdir("/srv/donors/data"), "mkdir")
		dir = e.Release("donors", "python/donors", "1.44.0", nil)
		e.Run("env", env[0], "python3", dir+"/schema.py")
		e.Run("chown", "-R", "www-data:www-data", "/srv/donors/data")
		e.up(gunicornPart("donors", dir, net+"11", 2, 8, env...), net+"11:8000")
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: net + "2", Access: "caddy/access.log", Errors: "caddy/error.log", Routes: []Upstream{{Name: "all", Prefix: "/", Servers: []string{net + "11:8000"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "donors-ui", "212", "deploy donors-ui 212: larger buttons")
		e.settle(22 * time.Second)
		e.Start(Part{Name: "loyalty", Log: "cron.log", Wrap: "syslog", Ident: "CRON[4471]", Dir: dir, Argv: []string{"/usr/bin/python3", dir + "/loyalty.py"}, Env: env})
	}
	s.Fault = 70 * time.Second
	s.Keep = []string{"caddy", "donors.log", "cron.log", "changes.jsonl"}
	return s
}

func copiesOfSnapshots() Scenario {
	net := "10.61.2."
	s := sixth("copies-of-snapshots", "resource-exhaustion", "disk", "copies of snapshots fill the disk of the key-value store: Redis cannot save and refuses every write; reading goes on", Truth{
		Culprit: "kv-main", Aliases: []string{"redis", "10.61.2.40", "/srv/kv", "snapshot"},
		Trigger:   &Trigger{Kind: "config", Summary: "kv-main: keep every hourly copy of the snapshot", Recorded: true},
		NotCauses: []string{"lockers deploy", "haproxy", "network", "memory"}, MustMention: []string{"MISCONF|No space left", "snapshot|RDB|kv-main"},
		Fix: "Delete copies on /srv/kv, then keep a few only; writes come back with the next snapshot that succeeds.", Difficulty: "medium"})
	s.Host = "kv-main"
	s.Routes = changed(lockerRoutes("http://"+net+"2"), "POST /addresses/check (no number)", func(r *Route) { r.Weight = 0.1 })
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "lockers", "6.2.0", "deploy lockers 6.2.0: holds of fifteen minutes")
		must(mkdir("/srv/kv"), "mkdir")
		must(syscall.Mount("tmpfs", "/srv/kv", "tmpfs", 0, "size=48m,mode=777"), "mount")
		must(mkdir("/srv/kv/copies"), "mkdir")
		e.redisAt("kv-main", net+"40", "/srv/kv", "--save", "5 1")
		e.NodeExporter(net+"40", "/srv/kv")
		lockersUp(e, "lockers", "6.2.0", net, "kv-main", 0)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "journal", Routes: []Upstream{{Name: "be_lockers", Prefix: "/", Opts: "option httpchk GET /ready", Servers: []string{net + "11:3000 check"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "kv-main", "", "kv-main: keep every hourly copy of the snapshot")
		e.fillDisk("/srv/kv/copies/dump-2026112922.rdb", 60, 350*time.Millisecond)
	}
	s.Fault = 85 * time.Second
	s.Rename = map[string]string{"metrics.om": "prom.om.gz", "kv-main.log": "redis-server.log"}
	return s
}

func switchedToTheCopy() Scenario {
	net := "10.62.3."
	s := sixth("switched-to-the-copy", "misconfiguration", "wrong-upstream", "the roles of two Redis servers are switched before maintenance; the service keeps the address of the old primary, which only reads now", Truth{
		Acceptable: [][2]string{{"dependency-failure", "bad-response"}}, Culprit: "kv-1", Aliases: []string{"redis", "10.62.3.41", "kv", "kv-2", "plays", "KV_ADDR"},
		Trigger:   &Trigger{Kind: "infra", Summary: "kv: kv-2 becomes primary before the kernel update of kv-1", Recorded: true},
		NotCauses: []string{"plays 3.1.1", "nginx", "redis down", "memory"}, MustMention: []string{"READONLY|read only replica", "kv-1|kv-2|replica"},
		Fix: "Point KV_ADDR at kv-2 (or at a name that follows the primary), or switch the roles back.", Difficulty: "medium"})
	s.Host, s.TZ = "node-c4", "UTC"
	s.Routes = playRoutes("http://" + net + "2")
	part := func(e *Env, version string, edits ...Edit) Part {
		p := goPart("plays", e.Release("plays", "go/plays", version, nil, edits...), net+"11:8085", "KV_ADDR=kv-1:6379")
		p.Wrap, p.Ident, p.Log = "kubectl", "plays-6f7d9c5b4-x2k8p/plays", "kubectl-plays.txt"
		return p
	}
	s.Setup = func(e *Env) {
		e.Past(71*time.Hour, "deploy", "plays", "3.1.0", "deploy plays 3.1.0: charts by country")
		e.redisAt("kv-1", net+"41", "/srv/kv-1", "--save", "")
		e.redisAt("kv-2", net+"42", "/srv/kv-2", "--save", "", "--replicaof", "kv-1", "6379")
		e.up(part(e, "3.1.0"), net+"11:8085")
		e.Scrape("plays", "plays:8085", "http://"+net+"11:8085/metrics")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "json", Access: "ingress-access.json", Errors: "ingress-error.log", Routes: []Upstream{{Name: "plays", Prefix: "/", Servers: []string{net + "11:8085"}}}})
	}
	s.Inject = func(e *Env) {
		p := part(e, "3.1.1", Edit{"main.go", "has not listened to anything", "nothing was played yet"})
		e.Change("deploy", "plays", "3.1.1", "deploy plays 3.1.1: wording")
		e.Replace(p, 0)
		e.settle(24 * time.Second)
		e.Change("infra", "kv-2", "", "kv: kv-2 becomes primary before the kernel update of kv-1")
		e.Run("redis-cli", "-h", net+"42", "replicaof", "no", "one")
		e.Run("redis-cli", "-h", net+"41", "replicaof", "kv-2", "6379")
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func guestsWithoutStays() Scenario {
	net := "10.63.4."
	s := sixth("guests-without-stays", "database", "too-many-connections", "release 3.9.0 of huts keeps a connection whenever a guest has no stays; after a while MariaDB has none left", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "huts", Aliases: []string{"10.63.4.11", "main.py", "pool.py", "huts-db", "mariadb", "mysql", "database", "stays"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy huts 3.9.0: lent connections are shown", Recorded: true},
		NotCauses: []string{"apache2", "traffic", "max_connections too small", "database down"}, MustMention: []string{"Too many connections|1040", "3\\.9\\.0|connection|pool"},
		Fix: "Roll back to 3.8.2; give connections back in a finally or with the context manager.", Difficulty: "hard"})
	s.Host, s.TZ = "huts-a", "Europe/Vienna"
	s.Routes = changed(hutRoutes("http://"+net+"2"), "GET /guests/{id}/stays", func(r *Route) { r.Weight = 2.2; r.URL = "http://" + net + "2/guests/{n:1-1900}/stays" })
	s.Setup = func(e *Env) {
		e.Past(6*24*time.Hour, "deploy", "huts", "3.8.2", "deploy huts 3.8.2: altitude")
		e.Write("/srv/huts/flags.json", `{"dinner-offers": false}`)
		e.MariaDB(MariaDB{Name: "huts-db", IP: net + "30", DB: "huts", Schema: e.schema("python/huts"), Conf: map[string]string{"max_connections": "48", "max_user_connections": "0"}, Export: true})
		e.up(uvicornPart("huts", e.Release("huts", "python/huts", "3.8.2", nil), net+"11", append(mariaEnv("huts-db", "huts"), "FLAGS_FILE=/srv/huts/flags.json")...), net+"11:8000")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "timed", Access: "apache2/access.log", Errors: "apache2/error.log", Routes: []Upstream{{Name: "huts", Prefix: "/", Servers: []string{net + "11:8000"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("huts", "python/huts", "3.9.0", nil,
			Edit{"pool.py", "spare = queue.LifoQueue()", "spare = queue.LifoQueue()\nlent = set()  # shown by /livez"},
			Edit{"pool.py", "    try:\n        return spare.get_nowait()\n    except queue.Empty:\n        return pymysql", "    try:\n        conn = spare.get_nowait()\n    except queue.Empty:\n        conn = pymysql"},
			Edit{"pool.py", "autocommit=True, cursorclass=DictCursor)\n", "autocommit=True, cursorclass=DictCursor)\n    lent.add(conn)\n    return conn\n"},
			Edit{"pool.py", "    spare.put(conn)", "    lent.discard(conn)\n    spare.put(conn)"},
			Edit{"main.py", "    return \"ok\"", "    return {\"lent\": len(pool.lent)}"},
			Edit{"main.py", "    pool.give(conn)\n    if not found:\n        return []\n", "    if not found:\n        return []\n    pool.give(conn)\n"})
		e.Injected = time.Now()
		e.Change("deploy", "huts", "3.9.0", "deploy huts 3.9.0: lent connections are shown")
		e.Replace(uvicornPart("huts", dir, net+"11", append(mariaEnv("huts-db", "huts"), "FLAGS_FILE=/srv/huts/flags.json")...), 0)
		e.WaitPort(net+"11:8000", 20*time.Second)
		e.Settled = time.Now().Add(restartBlip)
	}
	s.Fault = 105 * time.Second
	s.Keep = []string{"apache2", "huts.log", "mariadb.log", "changes.jsonl", "metrics.om"}
	return s
}

func streetWithoutNumber() Scenario {
	net := "10.64.5."
	s := sixth("street-without-number", "resource-exhaustion", "cpu", "release 6.3.0 checks addresses with a regular expression that backtracks without end on long street names without a number; the one event loop stands still, and the load balancer takes the server out", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "boxes", Aliases: []string{"10.64.5.11", "address.js", "be_boxes", "boxes-1"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy boxes 6.3.0: stricter addresses", Recorded: true},
		NotCauses: []string{"haproxy", "redis", "kv-eu", "network", "traffic"}, MustMention: []string{"cpu|event ?loop|6\\.3\\.0|addresses/check"},
		Fix: "Roll back to 6.2.0; write the expression without nested repetition and limit the length of the line.", Difficulty: "hard"})
	s.Host, s.Users = "lb-eu-1", 60
	s.Routes = lockerRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(40*time.Hour, "deploy", "boxes", "6.2.0", "deploy boxes 6.2.0: holds of fifteen minutes")
		e.Past(20*time.Minute, "infra", "kv-eu", "", "kv-eu: minor upgrade of Redis")
		e.redisAt("kv-eu", net+"40", "/srv/kv", "--save", "")
		lockersUp(e, "boxes", "6.2.0", net, "kv-eu", 0.6)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "be_boxes", Prefix: "/", Opts: "option httpchk GET /ready\n  timeout server 5s\n  timeout check 2s", Servers: []string{net + "11:3000 check inter 3s fall 3"}}}})
	}
	s.Inject = func(e *Env) {
		p := lockersPart(e, "boxes", "6.3.0", net, "kv-eu", 0.6, Edit{"address.js", `/^[\p{L}0-9 .'-]{3,80}$/u`, `/^(\p{L}+[ .'-]?)+ \d{1,4}$/u`})
		e.Injected = time.Now()
		e.Change("deploy", "boxes", "6.3.0", "deploy boxes 6.3.0: stricter addresses")
		e.Replace(p, 0)
		e.WaitPort(net+"11:3000", 20*time.Second)
		e.Settled = time.Now().Add(time.Second)
	}
	s.Keep = []string{"haproxy.log", "boxes.log", "kv-eu.log", "changes.jsonl", "supervisor.log", "metrics.om"}
	return s
}

func oldKeyInGraph() Scenario {
	net := "10.65.6."
	s := sixth("old-key-in-graph", "misconfiguration", "bad-credential", "the yearly rotation gives plays a new API key; graph keeps the old one and answers 200 with GraphQL errors", Truth{
		Culprit: "graph", Aliases: []string{"10.65.6.12", "PLAYS_KEY", "plays", "10.65.6.11", "api key"},
		Trigger:   &Trigger{Kind: "config", Summary: "plays: API_KEYS rotated (yearly)", Recorded: true},
		NotCauses: []string{"redis", "kv-1", "graph deploy", "nginx"}, MustMention: []string{"401|api key", "graph|plays|API_KEYS"},
		Fix: "Give graph the new key; let plays accept both keys while a rotation is under way.", Difficulty: "medium"})
	gw := "http://" + net + "2/graphql"
	s.Host, s.TZ = "api-3", "Asia/Kolkata"
	op := func(name, variables string, weight float64) Route {
		return Route{Name: "POST /graphql " + name, Method: "POST", URL: gw, Body: `{"operationName":"` + name + `","variables":` + variables + `}`, Weight: weight, Lying: `"errors":\[`}
	}
	s.Routes = append(scanner("http://"+net+"2"), op("Charts", `{"country":"{pick:de|fr|pt|br}"}`, 4), op("Listener", `{"id":{n:1-3000}}`, 3), op("AddPlay", `{"track":{n:1-4000},"country":"{pick:de|fr|pt|br}","id":{n:1-3000}}`, 3), op("Viewer", `{}`, 3))
	s.Setup = func(e *Env) {
		e.Past(4*time.Hour, "deploy", "graph", "18", "deploy graph 18: operations are counted")
		e.redisAt("kv-1", net+"41", "/srv/kv-1", "--save", "")
		p := goPart("plays", e.Release("plays", "go/plays", "3.1.0", nil), net+"11:8085", "KV_ADDR=kv-1:6379", "API_KEYS=pk_2025_7d1c")
		e.up(p, net+"11:8085")
		e.Scrape("plays", "plays:8085", "http://"+net+"11:8085/metrics")
		e.up(nodePart("graph", "graph", e.Release("graph", "node/graph", "18", nil), net+"12", "PLAYS_URL=http://"+net+"11:8085", "PLAYS_KEY=pk_2025_7d1c"), net+"12:3000")
		e.Scrape("graph", "graph:3000", "http://"+net+"12:3000/metrics")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "variables", Access: "edge/access.json", Errors: "edge/error.log", Routes: []Upstream{{Name: "graph", Prefix: "/graphql", Servers: []string{net + "12:3000"}}, {Prefix: "/", Opts: "return 404;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "plays", "", "plays: API_KEYS rotated (yearly)")
		e.Replace(goPart("plays", "/srv/plays/releases/3.1.0", net+"11:8085", "KV_ADDR=kv-1:6379", "API_KEYS=pk_2026_e03b"), 0)
		e.WaitPort(net+"11:8085", 10*time.Second)
		e.Settled = time.Now().Add(time.Second / 2)
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}
