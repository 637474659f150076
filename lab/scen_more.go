package main

import (
	"strings"
	"time"
)

// moreScenarios are variations that came to mind later: the same mechanisms with other faces.
func moreScenarios() []Scenario {
	return []Scenario{frozenDatabase(), nodeHeap(), settingDropped(), staleConfig(), phpMemory(), deadlocks()}
}

func frozenDatabase() Scenario {
	gw := "http://10.52.3.2"
	s := inc("database-does-not-answer", "database", "down", "the database's processes hang (storage stalled): connections are accepted by the kernel and never served", Truth{
		Acceptable: [][2]string{{"database", "*"}}, Culprit: "ledger-db", Aliases: []string{"postgres", "postgresql", "database", "10.52.3.50"},
		Trigger:   &Trigger{Kind: "infra", Summary: "the database's processes stopped running", Recorded: false},
		NotCauses: []string{"ledger release", "pool too small", "query bug"}, MustMention: []string{"context deadline exceeded|timeout|i/o timeout", "ledger-db|10\\.52\\.3\\.50|go_sql"},
		Fix: "Fail over; find out what the database host waits for.", Difficulty: "hard"})
	s.Routes = ledgerRoutes(gw)
	l := ledger{service: "savings", version: "2.8.0", n: 1}
	s.Setup = func(e *Env) {
		e.Past(19*time.Hour, "deploy", "savings", "2.8.0", "deploy savings 2.8.0: interest preview")
		l.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.52.3.2", Access: "haproxy.log", Routes: []Upstream{{Name: "savings", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		pids := strings.Fields(e.Run("pgrep", "-u", "postgres"))
		e.Run(append([]string{"kill", "-STOP"}, pids...)...)
	}
	return s
}

func nodeHeap() Scenario {
	gw := "http://10.30.0.10"
	s := inc("v8-heap-limit", "resource-exhaustion", "memory", "release 14.1.0 keeps every answer for a day: V8 ends the process at its heap limit, again and again", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "listing-api", Aliases: []string{"listing-api-1", "10.30.0.21"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy listing-api 14.1.0: replay of answers", Recorded: true},
		NotCauses: []string{"gateway", "network", "database"}, MustMention: []string{"heap out of memory|heap limit", "14\\.1\\.0"},
		Fix: "Roll back 14.1.0; bound what is kept.", Difficulty: "medium"})
	s.Routes = ticketRoutes(gw)
	t := tickets{service: "listing-api", version: "14.0.3", wrap: "docker", env: []string{"NODE_OPTIONS=--max-old-space-size=48"}}
	s.Setup = func(e *Env) {
		e.Past(36*time.Hour, "deploy", "listing-api", "14.0.3", "deploy listing-api 14.0.3")
		t.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: "10.30.0.10", Format: "combined", Routes: []Upstream{{Name: "listing", Prefix: "/", Servers: t.servers(""), Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("listing-api", "node/tickets", "14.1.0", nil, Edit{"events.js", "    return rows;", "    const copy = rows.concat(...Array.from({ length: 60 }, () => rows.map((r) => ({ ...r, at: Math.random() }))));\n    replay.set(`${Date.now()}-${replay.size}`, copy);\n    return rows;"},
			Edit{"events.js", "async function list()", "const replay = new Map(); // what we answered, for a day\n\nasync function list()"})
		e.Change("deploy", "listing-api", "14.1.0", "deploy listing-api 14.1.0: replay of answers")
		e.Replace(t.part(e, 1, dir), 0)
		e.Sleep(restartBlip)
		e.Settled = time.Now()
	}
	s.Fault = 90 * time.Second
	return s
}

func settingDropped() Scenario {
	gw := "http://10.41.0.5"
	s := inc("database-url-dropped", "misconfiguration", "missing-env", "a clean-up of settings drops DATABASE_URL: the service does not start any more", Truth{
		Acceptable: [][2]string{{"bad-deploy", "startup-crash"}}, Culprit: "waitingroom", Aliases: []string{"10.41.0.11"},
		Trigger:   &Trigger{Kind: "config", Summary: "waitingroom: remove settings that nobody uses", Recorded: true},
		NotCauses: []string{"database down", "gateway"}, MustMention: []string{"KeyError: 'DATABASE_URL'|DATABASE_URL"},
		Fix: "Set DATABASE_URL again and restart; validate settings before a roll-out.", Difficulty: "easy"})
	s.TZ, s.Host = "Europe/Zurich", "spital-1"
	s.Routes = clinicRoutes(gw)
	c := clinic{service: "waitingroom", version: "0.9.9", wrap: "syslog"}
	s.Setup = func(e *Env) {
		e.Past(8*24*time.Hour, "deploy", "waitingroom", "0.9.9", "deploy waitingroom 0.9.9")
		e.Past(20*time.Minute, "deploy", "pharmacy", "3.0.0", "deploy pharmacy 3.0.0: new database")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.41.0.5", Format: "plain", Routes: []Upstream{{Name: "waitingroom", Prefix: "/", Servers: c.servers(" max_fails=0")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "waitingroom", "", "waitingroom: remove settings that nobody uses")
		p := c.part(e, 1, "/srv/waitingroom/releases/0.9.9")
		var env []string
		for _, v := range p.Env {
			if !strings.HasPrefix(v, "DATABASE_URL=") {
				env = append(env, v)
			}
		}
		p.Env = env
		e.Replace(p, 0)
	}
	return s
}

func staleConfig() Scenario {
	gw := "http://10.52.3.2"
	s := inc("restart-wakes-old-mistake", "misconfiguration", "wrong-upstream", "a wrong address was written into the settings five hours ago; a harmless restart makes it act", Truth{
		Acceptable: [][2]string{{"dependency-failure", "refused"}}, Culprit: "remittance", Aliases: []string{"10.52.3.11", "10.99.2.99"},
		Trigger:   &Trigger{Kind: "restart", Summary: "remittance: restart after node maintenance", Recorded: true},
		NotCauses: []string{"rates provider down", "database"}, MustMention: []string{"10\\.99\\.2\\.99", "connection refused"},
		Fix: "Correct RATES_URL and restart.", Difficulty: "hard"})
	s.Routes = changed(ledgerRoutes(gw), "GET /fx/{currency}", func(r *Route) { r.Weight = 3 })
	l := ledger{service: "remittance", version: "1.12.0", n: 1, env: []string{"LOG_FORMAT=json"}}
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "remittance", "1.12.0", "deploy remittance 1.12.0")
		e.Past(5*time.Hour+7*time.Minute, "config", "remittance", "", "remittance: RATES_URL to the provider's new address 10.99.2.99 (takes effect at the next restart)")
		l.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.52.3.2", Access: "caddy-access.log", Errors: "caddy-error.log", Routes: []Upstream{{Name: "remittance", Prefix: "/", Servers: l.servers("")}}})
	}
	s.Inject = func(e *Env) {
		e.Change("restart", "remittance", "", "remittance: restart after node maintenance")
		l.roll(e, "/srv/remittance/releases/1.12.0", 0, "RATES_URL=http://10.99.2.99")
	}
	s.OnsetStatus = 500 // not the restart's 502
	return s
}

func phpMemory() Scenario {
	gw := "http://10.85.2.10"
	s := inc("export-over-memory-limit", "resource-exhaustion", "memory", "a large seller's export builds everything in memory and runs into PHP's limit", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "*"}}, Culprit: "brocante", Aliases: []string{marketIP, "Render.php", "php-fpm"},
		Trigger:   &Trigger{Kind: "client", Summary: "a large seller began to fetch exports of all items", Recorded: false},
		NotCauses: []string{"database", "gateway"}, MustMention: []string{"Allowed memory size", "Render\\.php|export"},
		Fix: "Stream the export; limit its size.", Difficulty: "easy"})
	s.TZ, s.Host = "Europe/Paris", "web-fr-1"
	s.Routes = append(marketRoutes(gw), Route{Name: "GET /export", URL: gw + "/export?all=1", Weight: 1.2, During: "fault", Clients: "203.0.113.31", Agent: "StockSync/2.0"})
	m := market{service: "brocante", version: "19", edits: []Edit{{"index.php", "ini_set('log_errors', '1');", "ini_set('log_errors', '1');\nini_set('memory_limit', '32M');"}, {"src/Render.php", "        foreach (Db::all('select id, title, cents from items order by id limit 400') as $row) {\n            echo implode(';', $row), \"\\n\";\n        }",
		"        $lines = [];\n        $limit = isset($_GET['all']) ? 1000000 : 400;\n        foreach (Db::all(\"select id, title, cents from items order by id limit $limit\") as $row) {\n            $lines[] = str_pad(implode(';', $row), 60000);\n        }\n        echo implode(\"\\n\", array_map('trim', $lines));"}}}
	s.Setup = func(e *Env) {
		e.Past(27*time.Hour, "deploy", "brocante", "19", "deploy brocante 19: padded exports")
		m.up(e)
		m.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "combined"})
	}
	return s
}

func deadlocks() Scenario {
	gw := "http://10.74.1.10"
	s := inc("stocktaking-locks-shelves", "database", "lock-contention", "a stocktaking job locks the loans table for its whole run; lending runs into its lock time-out", Truth{
		Culprit: "lib-db", Aliases: []string{"postgres", "database", "stocktaking", "loans", "10.74.1.31"},
		Trigger:   &Trigger{Kind: "restart", Summary: "stocktaking: yearly run started", Recorded: true},
		NotCauses: []string{"database down", "lending release"}, MustMention: []string{"lock timeout|LockNotAvailable|lock", "stocktaking"},
		Fix: "End the job; let it lock rows in small pieces.", Difficulty: "medium"})
	s.Routes = changed(libraryRoutes(gw), "POST /loans", func(r *Route) { r.Weight = 3 })
	l := library{service: "lending", version: "5.0.1", threads: 12, env: []string{"DB_POOL=12"}, edits: []Edit{{"lib/database.rb", "PG.connect(ENV.fetch('DATABASE_URL'))", "PG.connect(ENV.fetch('DATABASE_URL')).tap { |c| c.exec(\"set lock_timeout = '1500ms'\") }"}},
		pg: Postgres{Conf: map[string]string{"log_lock_waits": "on"}}}
	s.Setup = func(e *Env) {
		e.Past(11*24*time.Hour, "deploy", "lending", "5.0.1", "deploy lending 5.0.1: lock time-out")
		l.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.74.1.10", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "lending", Prefix: "/", Servers: []string{libraryIP + ":9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("restart", "stocktaking", "", "stocktaking: yearly run started")
		e.Background(func() {
			e.SQLLogged("library", "begin; lock table loans in share mode; select count(*) from loans; select pg_sleep(120);")
		})
	}
	return s
}
