package main

import (
	"time"
)

// healthy is a recording in which nothing is wrong; what happens in it is noise that must not be called an incident.
func healthy(name, title string) Scenario {
	return Scenario{Name: name, Kind: "healthy", Title: title, Baseline: 80 * time.Second, Fault: 60 * time.Second, RPS: 25, Host: "app-1"}
}

func healthyScenarios() []Scenario {
	return []Scenario{scanBurst(), limitBurst(), trafficSpike(), innocentDeploy(), oldBug(), analyticsNoise(), duplicateKeys(), impatientClients()}
}

// surge raises the traffic after the fault moment.
func surge(factor float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 {
		if d < 0 {
			return 1
		}
		return factor
	}
}

func scanBurst() Scenario {
	gw := "http://10.30.0.10"
	s := healthy("scanner-burst", "a scanner asks for thousands of paths that do not exist")
	s.Routes = append(ticketRoutes(gw), Route{Name: "scan", URL: gw + "/{pick:wp-admin|.env|.git/HEAD|vendor/phpunit|cgi-bin/test|backup.zip|api/v1/pods|actuator/env}/{hex}", Weight: 20, During: "fault", Clients: "192.0.2.66", Agent: "Nuclei - Open-source project"})
	s.Shape = surge(2.5)
	t := tickets{service: "tickets", version: "5.9.0", n: 1}
	s.Setup = func(e *Env) {
		e.Past(30*time.Hour, "deploy", "tickets", "5.9.0", "deploy tickets 5.9.0")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.30.0.10", Routes: []Upstream{{Name: "tickets", Prefix: "/", Servers: t.servers("")}}})
	}
	return s
}

func limitBurst() Scenario {
	gw := "http://10.30.0.10"
	s := healthy("limiter-429", "a partner's script runs into the gateway's limiter, which answers 429 as it should")
	s.Routes = append(ticketRoutes(gw), Route{Name: "partner", URL: gw + "/api/events/{n:1-400}", Weight: 18, During: "fault", Clients: "203.0.113.40", Agent: "partner-sync/3"})
	s.Shape = surge(2.2)
	t := tickets{service: "listings", version: "2.2.2", n: 1, wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(3*time.Hour, "config", "gateway", "", "nginx: limit_req 10r/s per client")
		t.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.30.0.10", Format: "json", HTTP: "limit_req_zone $binary_remote_addr zone=c:1m rate=10r/s; limit_req_status 429;", Routes: []Upstream{{Name: "listings", Prefix: "/", Servers: t.servers(""), Opts: "limit_req zone=c burst=10 nodelay;"}}})
	}
	return s
}

func trafficSpike() Scenario {
	gw := "http://10.52.3.2"
	s := healthy("payday-spike", "pay day: three times the traffic, everything is answered")
	s.Routes = ledgerRoutes(gw)
	s.Shape = surge(3)
	l := ledger{service: "ledger", version: "1.34.0", n: 2}
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "ledger", "1.34.0", "deploy ledger 1.34.0")
		l.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.52.3.2", Access: "haproxy.log", Routes: []Upstream{{Name: "ledger", Prefix: "/", Servers: l.servers(" check inter 2s"), Opts: "option httpchk GET /healthz"}}})
	}
	return s
}

func innocentDeploy() Scenario {
	gw := "http://10.41.0.5"
	s := healthy("deploy-with-a-blip", "an ordinary deploy; the one instance is away for about a second")
	s.TZ, s.Host = "Europe/Berlin", "klinik-web2"
	s.Routes = clinicRoutes(gw)
	c := clinic{service: "appointments", version: "2.15.0"}
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "deploy", "appointments", "2.15.0", "deploy appointments 2.15.0")
		c.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.41.0.5", Format: "combined", Routes: []Upstream{{Name: "appointments", Prefix: "/", Servers: c.servers(" max_fails=0")}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("appointments", "python/clinic", "2.15.1", nil, Edit{"letter.txt", "Dear patient", "Dear Sir or Madam"})
		e.Change("deploy", "appointments", "2.15.1", "deploy appointments 2.15.1: salutation")
		e.Replace(c.part(e, 1, dir), 0)
	}
	return s
}

func oldBug() Scenario {
	gw := "http://10.74.1.10"
	s := healthy("old-bug-constant", "a known bug fails a steady few requests; nothing changes")
	s.Routes = append(libraryRoutes(gw), Route{Name: "GET /books/{id}", URL: gw + "/books/0x{n:10-99}", Weight: 0.35})
	l := library{service: "loans", version: "2.1.9"}
	s.Setup = func(e *Env) {
		e.Past(400*time.Hour, "deploy", "loans", "2.1.9", "deploy loans 2.1.9")
		l.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: "10.74.1.10", Format: "combined", Routes: []Upstream{{Name: "loans", Prefix: "/", Servers: []string{libraryIP + ":9292"}}}})
	}
	s.Routes[len(s.Routes)-1].URL = gw + "/books/{pick:12a|7b|unknown|99x}"
	s.Inject = func(e *Env) { e.Change("config", "apache2", "", "apache2: HSTS header") }
	return s
}

func analyticsNoise() Scenario {
	gw := "http://10.30.0.10"
	s := healthy("analytics-refused", "the best-effort analytics collector is away: ERROR lines, no failed request")
	s.Routes = ticketRoutes(gw)
	t := tickets{service: "tickets", version: "5.9.4", n: 2, log: "tickets.log", wrap: "compose", env: []string{"ANALYTICS_URL=http://10.99.9.9:4318/v1/events"}}
	s.Setup = func(e *Env) {
		e.Past(5*time.Hour, "deploy", "tickets", "5.9.4", "deploy tickets 5.9.4: analytics")
		t.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.30.0.10", Access: "caddy-access.log", Errors: "caddy-error.log", Routes: []Upstream{{Name: "tickets", Prefix: "/", Servers: t.servers("")}}})
	}
	return s
}

func duplicateKeys() Scenario {
	gw := "http://10.85.2.10"
	s := healthy("duplicate-key-stream", "an import job inserts what is there already: PostgreSQL logs errors, no request fails")
	s.Routes = marketRoutes(gw)
	m := market{service: "market", version: "32"}
	s.Setup = func(e *Env) {
		e.Past(9*time.Hour, "deploy", "market", "32", "deploy market 32")
		m.up(e)
		m.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "plain"})
	}
	s.Inject = func(e *Env) {
		e.Background(func() {
			for i := 1; i < 400; i++ {
				func() {
					defer func() { recover() }() // each insert is refused: that is the noise
					e.SQLLogged("market", "insert into items (id, title, cents, seller) values (17, 'bicycle', 100, 'import')")
				}()
				time.Sleep(150 * time.Millisecond)
			}
		})
	}
	return s
}

func impatientClients() Scenario {
	gw := "http://10.63.0.10"
	s := healthy("clients-leave-499", "a mobile release gives up after 60 ms: the gateway logs 499, the service is as fast as ever")
	s.Routes = append(courseRoutes(gw), Route{Name: "mobile", URL: gw + "/courses/{n:1-1500}/progress", Weight: 4, During: "fault", Timeout: 60 * time.Millisecond, Agent: "CampusApp/7.0 (Android 15)"})
	a := academy{service: "courses", version: "3.11.0", edits: []Edit{{"Courses.java", "select count(*), coalesce(max(lesson), 0) from", "select count(*), coalesce(max(lesson), 0), pg_sleep(0.1) from"}}}
	s.Setup = func(e *Env) {
		e.Past(60*time.Hour, "deploy", "courses", "3.11.0", "deploy courses 3.11.0")
		a.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.63.0.10", Routes: []Upstream{{Name: "courses", Prefix: "/", Servers: []string{academyIP + ":8080"}}}})
	}
	return s
}

// open makes an incident whose files do not suffice for a cause out of one whose cause is known.
func open(s Scenario, name, title string, keep ...string) Scenario {
	s.Name, s.Kind, s.Title = name, "open", title
	if len(keep) > 0 {
		s.Keep = keep
	}
	s.Truth = Truth{NotCauses: s.Truth.NotCauses, Fix: "Get the logs of the service before acting.", Difficulty: "hard"}
	return s
}

func openScenarios() []Scenario {
	return []Scenario{
		open(shelfNil(), "only-access-log", "500s from one moment on and nothing else is there", "access.log"),
		open(silentService(), "mute-service", "the service answers 500 and logs only that a request failed"),
		open(countersOnly(), "counters-alone", "only the gateway's counters are there: some turn to 5xx", "metrics/haproxy.om"),
	}
}

// silentService fails with no word about why, and nobody changed anything that was recorded.
func silentService() Scenario {
	s := textTooLong()
	setup := s.Setup
	s.Setup = func(e *Env) {
		setup(e)
		e.changes = nil
		l := ledger{service: "transfers", version: "5.5.1", env: []string{"LOG_FORMAT=json"}, edits: []Edit{{"main.go", `, "err", err.Error())
		}
		requests`, `)
		}
		requests`}}}
		e.Replace(l.part(e, 1, e.Release("transfers", "go/ledger", "5.5.1", nil, l.edits...)), 0)
	}
	s.Inject = nil
	s.Keep = []string{"access.log", "transfers.log"}
	return s
}

func countersOnly() Scenario {
	s := databaseKilled()
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}
