package main

import (
	"time"
)

// clinic brings up the appointments service of a clinic: gunicorn in front of PostgreSQL, with an insurer to ask.
type clinic struct {
	service string
	version string
	rename  []string
	edits   []Edit
	n       int
	workers int
	threads int
	env     []string
	wrap    string
	cpu     float64
	memMB   int
	pg      Postgres
	nodb    bool
}

const clinicIP = "10.41.0.1"

func (c clinic) part(e *Env, i int, dir string, env ...string) Part {
	ip := clinicIP + string(rune('0'+i))
	name := c.service + "-" + string(rune('0'+i))
	if c.n <= 1 {
		name = c.service
	}
	p := gunicornPart(name, dir, ip, max(1, c.workers), max(4, c.threads), append(append([]string{
		"DATABASE_URL=postgresql://clinic:kz81@pg-main:5432/clinic", "INSURER_URL=http://api.carecover.example"}, c.env...), env...)...)
	p.Wrap, p.CPU, p.MemMB = c.wrap, c.cpu, c.memMB
	return p
}

func (c clinic) up(e *Env) {
	pg := c.pg
	pg.Name, pg.IP, pg.DB, pg.Pass = "pg-main", "10.41.0.60", "clinic", "kz81"
	if pg.Schema == "" {
		pg.Schema = e.schema("python/clinic", c.rename...)
	}
	e.Postgres(pg)
	e.partner("api.carecover.example", "10.99.1.10")
	dir := e.Release(c.service, "python/clinic", c.version, c.rename, c.edits...)
	for i := 1; i <= max(1, c.n); i++ {
		ip := clinicIP + string(rune('0'+i))
		p := c.part(e, i, dir)
		e.up(p, ip+":8000")
		e.Scrape(c.service, p.Name+":8000", "http://"+ip+":8000/metrics")
	}
}

func (c clinic) servers(params string) []string {
	var s []string
	for i := 1; i <= max(1, c.n); i++ {
		s = append(s, clinicIP+string(rune('0'+i))+":8000"+params)
	}
	return s
}

func (c clinic) roll(e *Env, dir string, gap time.Duration, env ...string) {
	for i := 1; i <= max(1, c.n); i++ {
		e.Replace(c.part(e, i, dir, env...), 0)
		e.Sleep(gap)
	}
}

func pythonScenarios() []Scenario {
	return []Scenario{poolLeak(), tariffKey(), templateDir(), moduleMissing(), maintenancePage(), oomWorker(), cpuNeighbour(), timeoutTooShort(), lyingPassword(), parseFeed(), uploadDisk(), twoFaults()}
}

func poolLeak() Scenario {
	gw := "http://10.41.0.5"
	s := inc("slots-pool-leak", "database", "pool-exhausted", "appointments 2.14.0 keeps a connection whenever a slot list is empty", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "appointments", Aliases: []string{"appointments-1", "appointments-2", "10.41.0.11", "10.41.0.12"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy appointments 2.14.0: waiting list hint", Recorded: true},
		NotCauses: []string{"database down", "slow query", "too many connections"}, MustMention: []string{"QueuePool limit", "2\\.14\\.0"},
		Fix: "Roll back 2.14.0; use the connection in a with block.", Difficulty: "medium"})
	s.TZ, s.Host = "Europe/Berlin", "klinik-web1"
	s.Routes = changed(clinicRoutes(gw), "GET /v1/slots", func(r *Route) { r.URL = gw + "/v1/slots?doctor={n:1-66}" })
	c := clinic{service: "appointments", version: "2.13.3", n: 2, pg: Postgres{Export: true}}
	s.Setup = func(e *Env) {
		e.Past(22*time.Hour, "deploy", "appointments", "2.13.3", "deploy appointments 2.13.3: phone numbers")
		e.Past(3*time.Hour, "config", "pg-main", "", "raise work_mem to 8MB")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.41.0.5", Format: "plain", Access: "nginx/access.log", Errors: "nginx/error.log", Routes: []Upstream{{Name: "appointments", Prefix: "/", Servers: c.servers(" max_fails=0")}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("appointments", "python/clinic", "2.14.0", nil, Edit{"app.py", `    with engine.connect() as db:
        rows = db.execute(text("select id, starts_at from slots where doctor_id = :d and taken = false limit 20"), {"d": doctor}).mappings().all()
    return`, `    db = engine.connect()
    rows = db.execute(text("select id, starts_at from slots where doctor_id = :d and taken = false limit 20"), {"d": doctor}).mappings().all()
    if not rows:
        waiting.append(db)  # ask again for the waiting list
        return jsonify([])
    db.close()
    return`}, Edit{"app.py", `app = Flask("clinic")`, "app = Flask(\"clinic\")\nwaiting = []"})
		e.Change("deploy", "appointments", "2.14.0", "deploy appointments 2.14.0: waiting list hint")
		c.roll(e, dir, 2*time.Second)
	}
	s.Fault = 75 * time.Second
	return s
}

func tariffKey() Scenario {
	gw := "http://10.41.0.5"
	s := inc("tariff-keyerror-canary", "bad-deploy", "regression", "one of two instances runs 5.1.0, whose tariff table lacks a kind of insurance", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "*"}}, Culprit: "billing", Aliases: []string{"billing-2", "10.41.0.12"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "canary billing 5.1.0 on billing-2: new tariffs", Recorded: true},
		NotCauses: []string{"database", "patients without insurance"}, MustMention: []string{"KeyError", "5\\.1\\.0|billing-2|10\\.41\\.0\\.12"},
		Fix: "Take billing-2 back to 5.0.7; put the missing tariff in.", Difficulty: "medium"})
	s.Routes = clinicRoutes(gw)
	c := clinic{service: "billing", version: "5.0.7", n: 2}
	s.Setup = func(e *Env) {
		e.Past(44*time.Hour, "deploy", "billing", "5.0.7", "deploy billing 5.0.7: rounding")
		c.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.41.0.5", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "billing", Prefix: "/", Servers: c.servers(" check inter 2s"), Opts: "option httpchk GET /healthz"}}})
	}
	s.Host = "edge-7"
	s.Inject = func(e *Env) {
		dir := e.Release("billing", "python/clinic", "5.1.0", nil, Edit{"tariffs.py", `FEES = {"public": 0, "private": 9000, "none": 6500}`, `FEES = {"public": 0, "private": 9400, "self_pay": 6800}`})
		e.Change("deploy", "billing", "5.1.0", "canary billing 5.1.0 on billing-2: new tariffs")
		e.Replace(c.part(e, 2, dir), 0)
	}
	return s
}

func templateDir() Scenario {
	gw := "http://10.41.0.5"
	s := inc("letter-template-path", "misconfiguration", "wrong-path", "TEMPLATE_DIR points to a folder that does not exist on this host", Truth{
		Culprit: "letters", Aliases: []string{"10.41.0.11"},
		Trigger:   &Trigger{Kind: "config", Summary: "letters: TEMPLATE_DIR follows the new naming scheme", Recorded: true},
		NotCauses: []string{"database", "disk"}, MustMention: []string{"FileNotFoundError|No such file", "TEMPLATE_DIR|/srv/templates-v2"},
		Fix: "Correct TEMPLATE_DIR (or create the folder); check it at the start.", Difficulty: "easy"})
	s.TZ, s.Host = "Asia/Tokyo", "web-tk1"
	s.Routes = changed(clinicRoutes(gw), "GET /v1/appointments/{id}/letter", func(r *Route) { r.Weight = 3 })
	c := clinic{service: "letters", version: "0.12.4", wrap: ""}
	s.Setup = func(e *Env) {
		e.Past(200*time.Minute, "deploy", "letters", "0.12.4", "deploy letters 0.12.4: accents in names")
		c.up(e)
		e.Gateway(GW{Kind: "apache", Name: "httpd", IP: "10.41.0.5", Format: "combined", Routes: []Upstream{{Name: "letters", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "letters", "", "letters: TEMPLATE_DIR follows the new naming scheme")
		c.roll(e, "/srv/letters/releases/0.12.4", 0, "TEMPLATE_DIR=/srv/templates-v2/letters")
	}
	s.OnsetStatus = 500
	s.Keep = []string{"access.log", "letters.log", "changes.jsonl", "error.log"}
	return s
}

func moduleMissing() Scenario {
	gw := "http://10.41.0.5"
	s := inc("module-not-shipped", "bad-deploy", "missing-dependency", "release 3.3.0 imports a package that the image lacks: gunicorn's workers do not boot", Truth{
		Acceptable: [][2]string{{"bad-deploy", "startup-crash"}}, Culprit: "patients", Aliases: []string{"patients-1", "patients-2", "10.41.0.11"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy patients 3.3.0: phonetic search", Recorded: true},
		NotCauses: []string{"gateway", "database"}, MustMention: []string{"ModuleNotFoundError|No module named", "3\\.3\\.0"},
		Fix: "Roll back 3.3.0; put the package in the image.", Difficulty: "easy"})
	s.Routes = clinicRoutes(gw)
	c := clinic{service: "patients", version: "3.2.8", n: 2, wrap: "compose"}
	s.Setup = func(e *Env) {
		e.Past(70*time.Hour, "deploy", "patients", "3.2.8", "deploy patients 3.2.8")
		e.Past(31*time.Minute, "flag", "patients", "", "sms-reminders on for 10%")
		c.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.41.0.5", Access: "access.json", Errors: "caddy-error.json", Routes: []Upstream{{Name: "patients", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("patients", "python/clinic", "3.3.0", nil, Edit{"app.py", "from letters import render_letter", "from metaphone import doublemetaphone  # noqa: F401\n\nfrom letters import render_letter"})
		e.Change("deploy", "patients", "3.3.0", "deploy patients 3.3.0: phonetic search")
		c.roll(e, dir, 4*time.Second)
	}
	return s
}

func maintenancePage() Scenario {
	gw := "http://10.41.0.5"
	s := inc("insurer-html", "dependency-failure", "bad-response", "the insurer answers 200 with an HTML maintenance page", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "parse-error"}}, Culprit: "api.carecover.example", Aliases: []string{"carecover", "insurer", "10.99.1.10"},
		Trigger:   &Trigger{Kind: "external", Summary: "insurer put up a maintenance page", Recorded: false},
		NotCauses: []string{"database", "our release"}, MustMention: []string{"JSONDecodeError|Expecting value", "insurance|INSURER|coverage"},
		Fix: "Check the content type; treat the insurer as unavailable (503), not as a bug.", Difficulty: "medium"})
	s.Routes = changed(clinicRoutes(gw), "GET /v1/insurance/{patient}", func(r *Route) { r.Weight = 3 })
	c := clinic{service: "intake", version: "1.0.14", wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(9*time.Hour, "config", "gateway", "", "nginx: gzip for json")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "intake", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.behave("api.carecover.example", behaviour{Body: "<!DOCTYPE html><html><head><title>Scheduled maintenance</title></head><body><h1>We will be back soon</h1></body></html>", Type: "text/html"})
	}
	return s
}

func oomWorker() Scenario {
	gw := "http://10.41.0.5"
	s := inc("report-oom-killed", "resource-exhaustion", "memory", "release 4.0.0 keeps every rendered letter in memory; the kernel kills the worker over and over", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "documents", Aliases: []string{"documents-1", "10.41.0.11", "gunicorn"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy documents 4.0.0: keep letters for reprints", Recorded: true},
		NotCauses: []string{"network", "database down", "gateway"}, MustMention: []string{"[Oo]ut of memory|oom|SIGKILL", "documents"},
		Fix: "Roll back 4.0.0; bound the cache.", Difficulty: "medium"})
	s.Host = "node-4"
	s.Routes = changed(clinicRoutes(gw), "GET /v1/appointments/{id}/letter", func(r *Route) { r.Weight = 4 })
	c := clinic{service: "documents", version: "3.9.2", memMB: 150, workers: 1, edits: []Edit{{"app.py", "app = Flask(\"clinic\")", "time.sleep(3)  # warms up fonts\napp = Flask(\"clinic\")"}, {"app.py", "import os\n", "import os\nimport time\n"}}}
	s.Setup = func(e *Env) {
		e.Past(24*time.Hour, "deploy", "documents", "3.9.2", "deploy documents 3.9.2: page numbers")
		c.up(e)
		e.KernelLog("kern.log")
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "documents", Prefix: "/", Servers: c.servers(" max_fails=0"), Opts: "proxy_read_timeout 3s;"}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("documents", "python/clinic", "4.0.0", nil, c.edits[0], c.edits[1], Edit{"letters.py", "        return template.read().format(number=number)", "        letter = template.read().format(number=number)\n    REPRINTS[len(REPRINTS)] = letter.encode().ljust(1_500_000)\n    time.sleep(0.3)\n    return letter"},
			Edit{"letters.py", "import os\n", "import os\nimport time\n\nREPRINTS = {}\n"})
		e.Change("deploy", "documents", "4.0.0", "deploy documents 4.0.0: keep letters for reprints")
		c.roll(e, dir, 0)
		e.Sleep(9 * time.Second) // the restart itself fails requests until the new worker is warm
		e.Settled = time.Now()
	}
	s.Fault = 90 * time.Second
	return s
}

func cpuNeighbour() Scenario {
	gw := "http://10.41.0.5"
	s := inc("batch-eats-cpu", "resource-exhaustion", "cpu", "a nightly job runs in the service's CPU quota: answers take longer than the gateway waits", Truth{
		Culprit: "app-1", Aliases: []string{"booking-web", "statistics-export", "10.41.0.11", "batch", "app-3"},
		Trigger:   &Trigger{Kind: "restart", Summary: "statistics-export started (monthly run)", Recorded: true},
		NotCauses: []string{"database slow", "network", "insurer"}, MustMention: []string{"cpu|throttl|load", "statistics-export|upstream timed out"},
		Fix: "Move the job to another machine or give it its own quota.", Difficulty: "hard"})
	s.Routes = clinicRoutes(gw)
	s.Host, s.RPS = "app-3", 18
	c := clinic{service: "booking-web", version: "8.2.0", cpu: 0.3, threads: 16, edits: []Edit{{"app.py", "    return jsonify([{\"id\": r[\"id\"]", "    checksum = sum(i * i for i in range(60_000))  # the calendar's version\n    log.debug(\"calendar %s\", checksum)\n    return jsonify([{\"id\": r[\"id\"]"}, {"app.py", "import json\n", "import json\nimport resource\n"},
		{"app.py", "    return generate_latest()", "    with open(\"/sys/fs/cgroup/cpu\" + CGROUP + \"/cpu.stat\", encoding=\"ascii\") as stat:\n        for line in stat:\n            name, value = line.split()\n            cgroup_cpu.labels(name).set(float(value))\n    return generate_latest()"},
		{"app.py", "pool_gauge = ", "cgroup_cpu = Gauge(\"container_cpu_cfs\", \"cpu.stat of the container\", [\"stat\"])\nCGROUP = next((line.strip().split(\":\", 2)[2] for line in open(\"/proc/self/cgroup\", encoding=\"ascii\") if \":cpu:\" in line), \"\")\npool_gauge = "}}}
	s.Setup = func(e *Env) {
		e.Past(3*time.Hour, "deploy", "booking-web", "8.2.0", "deploy booking-web 8.2.0: new calendar")
		c.up(e)
		e.NodeExporter("10.41.0.70", "/")
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "booking", Prefix: "/", Servers: c.servers(" max_fails=0"), Opts: "proxy_read_timeout 5s;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("restart", "statistics-export", "", "statistics-export started (monthly run)")
		for i := range 22 {
			p := Part{Name: "statistics-export-" + string(rune('a'+i)), Argv: []string{"/usr/bin/python3", "-c", "while True: sum(i*i for i in range(10**6))"}, Log: ""}
			e.StartIn(p, "booking-web")
		}
	}
	s.Fault = 60 * time.Second
	return s
}

func timeoutTooShort() Scenario {
	gw := "http://10.41.0.5"
	s := inc("gateway-impatient", "misconfiguration", "timeout-too-short", "the gateway's read time-out is cut to 300 ms; letters need up to 900", Truth{
		Culprit: "gateway", Aliases: []string{"nginx", "10.41.0.5"},
		Trigger:   &Trigger{Kind: "config", Summary: "nginx: proxy_read_timeout 30s -> 300ms (fail fast initiative)", Recorded: true},
		NotCauses: []string{"letters service slow", "database"}, MustMention: []string{"upstream timed out|504", "proxy_read_timeout"},
		Fix: "Put the time-out back above what the slowest route needs.", Difficulty: "medium"})
	s.Routes = changed(clinicRoutes(gw), "GET /v1/appointments/{id}/letter", func(r *Route) { r.Weight = 3 })
	c := clinic{service: "correspondence", version: "1.6.0", threads: 12, edits: []Edit{{"letters.py", "def render_letter(number):\n", "def render_letter(number):\n    subprocess.run([\"sleep\", str(random.uniform(0.2, 0.9))], check=True)  # the typesetter\n"}, {"letters.py", "import os\n", "import os\nimport random\nimport subprocess\n"}}}
	s.Setup = func(e *Env) {
		e.Past(49*time.Hour, "deploy", "correspondence", "1.6.0", "deploy correspondence 1.6.0: typeset letters")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "correspondence", Prefix: "/", Servers: c.servers(" max_fails=0"), Opts: "proxy_read_timeout 30s;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "gateway", "", "nginx: proxy_read_timeout 30s -> 300ms (fail fast initiative)")
		e.Regate("gateway", func(g *GW) { g.Routes[0].Opts = "proxy_read_timeout 300ms;" })
	}
	s.Recovery = 20 * time.Second
	s.Recover = func(e *Env) {
		e.Change("config", "gateway", "", "nginx: revert proxy_read_timeout to 30s")
		e.Regate("gateway", func(g *GW) { g.Routes[0].Opts = "proxy_read_timeout 30s;" })
	}
	return s
}

func lyingPassword() Scenario {
	gw := "http://10.41.0.5"
	s := inc("lying-after-rotation", "misconfiguration", "bad-credential", "the database password was rotated, the service keeps the old one and answers 200 with an error inside", Truth{
		Culprit: "referrals", Aliases: []string{"10.41.0.11", "pg-main"},
		Trigger:   &Trigger{Kind: "config", Summary: "rotate password of role clinic", Recorded: true},
		NotCauses: []string{"database down", "network"}, MustMention: []string{"password authentication failed"},
		Fix: "Give the service the new password; answer 5xx for failures.", Difficulty: "hard"})
	s.Routes = clinicRoutes(gw)
	for i := range s.Routes {
		s.Routes[i].Lying = `"status":"error"`
	}
	c := clinic{service: "referrals", version: "2.0.1", env: []string{"DB_MAX_OVERFLOW=6"}, edits: []Edit{{"app.py", "@app.get(\"/healthz\")", "@app.errorhandler(Exception)\ndef failed(error):\n    log.error(\"%s %s: %s\", request.method, request.path, error)\n    return jsonify(status=\"error\", message=\"Something went wrong\"), 200\n\n\n@app.get(\"/healthz\")"},
		{"app.py", "pool_pre_ping=False", "pool_pre_ping=False, pool_recycle=8"}}}
	s.Setup = func(e *Env) {
		e.Past(60*time.Hour, "deploy", "referrals", "2.0.1", "deploy referrals 2.0.1")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "referrals", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "pg-main", "", "rotate password of role clinic")
		e.SQL("clinic", "reset role; alter role clinic password 'q7-new'")
	}
	s.Fault = 70 * time.Second
	return s
}

func parseFeed() Scenario {
	gw := "http://10.41.0.5"
	s := inc("fee-list-comma", "unhandled-exception", "parse-error", "the fee list that finance uploaded uses decimal commas: the parser throws", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "type-error"}}, Culprit: "scheduling", Aliases: []string{"10.41.0.11", "tariffs.py"},
		Trigger:   &Trigger{Kind: "data", Summary: "finance uploaded a fee list with decimal commas", Recorded: false},
		NotCauses: []string{"deploy", "database"}, MustMention: []string{"ValueError|could not convert", "tariffs\\.py|fees"},
		Fix: "Correct the list; validate it when it is uploaded.", Difficulty: "medium"})
	s.TZ, s.Host = "Europe/Berlin", "praxis-2"
	s.Routes = clinicRoutes(gw)
	c := clinic{service: "scheduling", version: "6.6.1", edits: []Edit{{"tariffs.py", `FEES = {"public": 0, "private": 9000, "none": 6500}`, "def load():\n    with open(\"/srv/data/fees.csv\", encoding=\"utf-8\") as lines:\n        return {name: int(float(amount) * 100) for name, amount in (line.strip().split(\";\") for line in lines)}"},
		{"tariffs.py", "    fee = FEES[", "    fee = load()["}}}
	s.Setup = func(e *Env) {
		e.Write("/srv/data/fees.csv", "public;0.00\nprivate;90.00\nnone;65.00\n")
		e.Past(15*time.Hour, "deploy", "scheduling", "6.6.1", "deploy scheduling 6.6.1: fees from the shared list")
		c.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: "10.41.0.5", Format: "common", Access: "other_vhosts_access.log", Routes: []Upstream{{Name: "scheduling", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "portal", "22.4", "deploy portal 22.4: cookie banner")
		e.Sleep(12 * time.Second)
		e.Injected = time.Now()
		e.Write("/srv/data/fees.csv", "public;0,00\nprivate;94,50\nnone;68,00\n")
	}
	s.Keep = []string{"other_vhosts_access.log", "scheduling.log", "changes.jsonl"}
	return s
}

func uploadDisk() Scenario {
	gw := "http://10.41.0.5"
	s := inc("database-volume-full", "resource-exhaustion", "disk", "an import fills the database's volume: nothing can be written any more", Truth{
		Culprit: "pg-main", Aliases: []string{"postgres", "postgresql", "database", "10.41.0.60"},
		Trigger:   &Trigger{Kind: "infra", Summary: "archive import into pg-main", Recorded: true},
		NotCauses: []string{"query bug", "database down", "permission"}, MustMention: []string{"No space left on device|DiskFull", "import|node_filesystem"},
		Fix: "Make room (drop the import), grow the volume, alert on its use.", Difficulty: "easy"})
	s.Routes = clinicRoutes(gw)
	s.Host = "pg-main"
	c := clinic{service: "records", version: "11.0.3", pg: Postgres{DiskMB: 110, Conf: map[string]string{"max_wal_size": "'32MB'", "min_wal_size": "'32MB'", "wal_level": "minimal", "max_wal_senders": "0", "log_checkpoints": "on"}}}
	s.Setup = func(e *Env) {
		e.Past(90*time.Hour, "deploy", "records", "11.0.3", "deploy records 11.0.3: e-mail receipts")
		c.up(e)
		e.NodeExporter("10.41.0.70", "/")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.41.0.5", Access: "haproxy.log", Routes: []Upstream{{Name: "records", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "pg-main", "", "archive import into pg-main")
		e.Background(func() {
			e.SQL("clinic", "create table archive_1998 (id int, body text);")
			for i := 0; i < 400; i++ {
				e.SQLLogged("clinic", "insert into archive_1998 select g, repeat(md5(g::text), 20) from generate_series(1,1500) g")
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	s.Fault = 80 * time.Second
	return s
}

func twoFaults() Scenario {
	gw := "http://10.41.0.5"
	s := inc("two-at-once", "misconfiguration", "wrong-path", "the letters' template folder is gone and, independently, the insurer throttles us", Truth{
		Acceptable: [][2]string{{"dependency-failure", "rate-limited"}}, Culprit: "frontdesk", Aliases: []string{"10.41.0.11", "api.carecover.example", "carecover", "insurer"},
		Trigger:   &Trigger{Kind: "config", Summary: "frontdesk: TEMPLATE_DIR to shared storage", Recorded: true},
		NotCauses: []string{"database", "gateway"}, MustMention: []string{"FileNotFoundError|No such file", "429|TOO MANY"},
		Fix: "Correct TEMPLATE_DIR; slow down and cache the insurer's answers.", Difficulty: "hard",
		Independent: []Cause{{"dependency-failure", "rate-limited", "api.carecover.example"}}})
	s.Routes = changed(changed(clinicRoutes(gw), "GET /v1/insurance/{patient}", func(r *Route) { r.Weight = 3 }), "GET /v1/appointments/{id}/letter", func(r *Route) { r.Weight = 3 })
	c := clinic{service: "frontdesk", version: "1.21.0"}
	s.Setup = func(e *Env) {
		e.Past(12*time.Hour, "deploy", "frontdesk", "1.21.0", "deploy frontdesk 1.21.0")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.41.0.5", Routes: []Upstream{{Name: "frontdesk", Prefix: "/", Servers: c.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "frontdesk", "", "frontdesk: TEMPLATE_DIR to shared storage")
		c.roll(e, "/srv/frontdesk/releases/1.21.0", 0, "TEMPLATE_DIR=/mnt/shared/templates")
		e.Sleep(6 * time.Second)
		e.behave("api.carecover.example", behaviour{Limit: 1})
	}
	s.OnsetStatus = 500 // not the restart's 502
	return s
}
