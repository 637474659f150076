package main

import (
	"strings"
	"time"
)

func reportsTakeConnections() Scenario {
	net := "10.53.2."
	s := late("reports-take-connections", "database", "too-many-connections", "the report workers are scaled up and keep every connection that MariaDB allows; pages get none", Truth{
		Culprit: "stock-db", Aliases: []string{"mariadb", "mysql", "database", "10.53.2.30", "reports"},
		Trigger:   &Trigger{Kind: "scale", Summary: "reports: 2 -> 24 workers before the end of the month", Recorded: true},
		NotCauses: []string{"database down", "deploy of rentals-web", "php-fpm"}, MustMention: []string{"Too many connections|1040", "reports|24"},
		Fix: "Scale the report workers down; give them a connection limit of their own (max_user_connections).", Difficulty: "medium"})
	s.TZ, s.Host, s.RPS = "Europe/Istanbul", "rentals-1", 24
	gw := "http://" + net + "2"
	s.Routes = append(scanner(gw),
		Route{Name: "GET /stations/{id}/bikes", URL: gw + "/stations/{n:1-80}/bikes", Weight: 4},
		Route{Name: "GET /bikes/{id}", URL: gw + "/bikes/{n:1-2410}", Weight: 3},
		Route{Name: "POST /rentals", Method: "POST", URL: gw + "/rentals", Body: `{"bike":{n:1-2400},"rider":{n:1-700}}`, Weight: 2})
	report := func(e *Env) {
		e.Background(func() {
			e.MySQLAs("bikes", "stock-db", strings.Repeat("select count(*), avg(battery) from rentals join bikes on bikes.id = bike_id; do sleep(5);\n", 60))
		})
	}
	s.Setup = func(e *Env) {
		e.Past(96*time.Hour, "deploy", "rentals", "v201", "deploy rentals v201")
		e.MariaDB(MariaDB{Name: "stock-db", IP: net + "30", DB: "bikes", Schema: e.schema("php/bikes"), Log: "stock-db.err", Conf: map[string]string{"max_connections": "22"}})
		dir := e.Release("rentals", "php/bikes", "v201", nil)
		e.Run("ln", "-sfn", dir, "/srv/rentals/current")
		e.up(e.phpPart("rentals", net+"11", 10, "DATABASE_DSN=mysql:host=stock-db;dbname=bikes", "DATABASE_USER=bikes", "DATABASE_PASSWORD="+mariaPassword, "LOG_FILE="+e.Logs+"/app.log"), net+"11:9000")
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: net + "2", Access: "access.json", Errors: "caddy.log", Routes: []Upstream{{Name: "all", Prefix: "/", Opts: "root * /srv/rentals/current\n    php_fastcgi " + net + "11:9000 {\n      read_timeout 10s\n    }"}}})
		e.Past(-s.Baseline+20*time.Second, "deploy", "rentals-web", "77", "deploy rentals-web 77: map tiles")
		for range 2 {
			report(e)
		}
	}
	s.Inject = func(e *Env) {
		e.Change("scale", "reports", "", "reports: 2 -> 24 workers before the end of the month")
		for range 22 {
			report(e)
			time.Sleep(100 * time.Millisecond)
		}
	}
	return s
}

func unitFileLimit() Scenario {
	net := "10.54.3."
	s := late("unit-file-limit", "resource-exhaustion", "file-descriptors", "a hardened unit file leaves the service 28 descriptors; each request needs two while the insurer thinks", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "journey", Aliases: []string{"journey-1", "10.54.3.11", "LimitNOFILE", "main.go"},
		Trigger:   &Trigger{Kind: "config", Summary: "journey: hardened unit file (NoNewPrivileges, LimitNOFILE=28)", Recorded: true},
		NotCauses: []string{"cover.insurer.example", "caddy", "network"}, MustMention: []string{"too many open files", "LimitNOFILE|unit file|accept"},
		Fix: "Raise LimitNOFILE of the unit again and restart.", Difficulty: "easy"})
	s.TZ, s.Host, s.RPS = "Asia/Singapore", "journey-1", 26
	s.OnsetStatus = 502
	gw := "http://" + net + "2"
	s.Routes = append(scanner(gw),
		Route{Name: "GET /trips", URL: gw + "/trips", Weight: 3},
		Route{Name: "GET /trips/{id}", URL: gw + "/trips/{n:1-1010}", Weight: 4},
		Route{Name: "GET /trips/{id}/insurance", URL: gw + "/trips/{n:1-900}/insurance?age={n:18-90}", Weight: 6, Timeout: 20 * time.Second})
	part := func(limit int) Part {
		p := goPart("journey", "/srv/journey/releases/3.1.0", net+"11:8080", "COVER_URL=http://cover.insurer.example")
		p.Wrap, p.NoFile = "journal", limit
		return p
	}
	s.Setup = func(e *Env) {
		e.Past(55*time.Hour, "deploy", "journey", "3.1.0", "deploy journey 3.1.0")
		e.partner("cover.insurer.example", "10.98.0.5")
		e.behave("cover.insurer.example", behaviour{DelayMS: 1300})
		e.Release("journey", "go/journey", "3.1.0", nil)
		e.up(part(4096), net+"11:8080")
		g := caddyFor("caddy", net, ":8080")
		g.Routes[0].Opts = "lb_try_duration 2s\n      transport http {\n        response_header_timeout 6s\n      }"
		e.Gateway(g)
	}
	s.Inject = func(e *Env) {
		e.Change("config", "journey", "", "journey: hardened unit file (NoNewPrivileges, LimitNOFILE=28)")
		e.Replace(part(28), 0)
		e.Settled = time.Now().Add(time.Second)
	}
	return s
}
