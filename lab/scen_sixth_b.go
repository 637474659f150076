package main

import (
	"os"
	"syscall"
	"time"
)

func voucherRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /rooms", URL: gw + "/rooms", Weight: 3},
		Route{Name: "GET /vouchers/{code}", URL: gw + "/vouchers/{pick:3e9|4b0|5aa|7d2|9ff|a01|b3c|c55|1000|11f0|12ab|13cd|zzz}", Weight: 4},
		Route{Name: "POST /vouchers", Method: "POST", URL: gw + "/vouchers", Body: `{"room":"{pick:crypt|lab|bank|submarine}","cents":{pick:4900|7900|9900}}`, Weight: 2.2},
		Route{Name: "POST /vouchers/{code}/redeem", Method: "POST", URL: gw + "/vouchers/{pick:4|5|6|7|8|9|a|b|c|d|e|f}{pick:0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f}{pick:0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f}/redeem", Body: `{}`, Weight: 1.5})
}

func vouchersUp(e *Env, net, db string) {
	e.Postgres(Postgres{Name: db, IP: net + "30", DB: "vouchers", Schema: e.schema("ruby/vouchers")})
	dir := e.Release("vouchers", "ruby/vouchers", "2.10.1", nil)
	e.up(rubyPart("vouchers", dir, net+"12", 6, "DATABASE_URL=postgresql://vouchers:pw@"+db+":5432/vouchers"), net+"12:9292")
}

func secretAndGrants() Scenario {
	net := "10.66.7."
	s := sixth("secret-and-grants", "misconfiguration", "missing-env", "plays 3.2.0 wants a secret that is not in its environment and ends at every start; half a minute later, and with nothing to do with it, a hardening of grants takes the right to redeem vouchers", Truth{
		Acceptable: [][2]string{{"bad-deploy", "startup-crash"}}, Culprit: "plays", Aliases: []string{"10.66.7.11", "WEBHOOK_SECRET", "main.go"},
		Trigger:     &Trigger{Kind: "deploy", Summary: "deploy plays 3.2.0: signed webhooks", Recorded: true},
		NotCauses:   []string{"nginx", "redis", "network", "database down"},
		MustMention: []string{"WEBHOOK_SECRET|3\\.2\\.0", "refused|exit|FATAL"}, Independent: []Cause{{"misconfiguration", "permission", "vouchers-pg"}},
		Fix: "Set WEBHOOK_SECRET or roll plays back; grant UPDATE on vouchers to its role again.", Difficulty: "hard"})
	gw := "http://" + net + "2"
	s.Host = "web-b"
	s.Routes = append(playRoutes(gw), voucherRoutes(gw)[1:]...)
	s.Setup = func(e *Env) {
		e.Past(15*time.Hour, "deploy", "vouchers", "2.10.1", "deploy vouchers 2.10.1: rooms by popularity")
		e.Past(33*time.Hour, "restart", "vouchers-pg", "", "restart for huge pages")
		e.redisAt("kv-1", net+"41", "/srv/kv", "--save", "")
		e.up(goPart("plays", e.Release("plays", "go/plays", "3.1.0", nil), net+"11:8085", "KV_ADDR=kv-1:6379"), net+"11:8085")
		e.Scrape("plays", "plays:8085", "http://"+net+"11:8085/metrics")
		vouchersUp(e, net, "vouchers-pg")
		var routes []Upstream
		for _, p := range []string{"/plays", "/charts", "/listeners"} {
			up := Upstream{Name: "plays", Prefix: p, Servers: []string{net + "11:8085 max_fails=0"}}
			if len(routes) > 0 {
				up = Upstream{Prefix: p, Opts: "proxy_pass http://plays;"}
			}
			routes = append(routes, up)
		}
		routes = append(routes, Upstream{Name: "vouchers", Prefix: "/", Servers: []string{net + "12:9292"}})
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "timed", Routes: routes})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("plays", "go/plays", "3.2.0", nil, Edit{"main.go", "	mux := http.NewServeMux()\n", "	if os.Getenv(\"WEBHOOK_SECRET\") == \"\" {\n		log.Fatal(\"[FATAL] config: required variable WEBHOOK_SECRET is not set\")\n	}\n	mux := http.NewServeMux()\n"})
		e.Injected = time.Now()
		e.Change("deploy", "plays", "3.2.0", "deploy plays 3.2.0: signed webhooks")
		e.Replace(goPart("plays", dir, net+"11:8085", "KV_ADDR=kv-1:6379"), 0)
		e.Sleep(33 * time.Second)
		e.Change("migration", "vouchers-pg", "", "0031 least privilege: grants by hand are taken back")
		e.SQL("vouchers", "revoke update on vouchers from vouchers")
	}
	s.Fault = 85 * time.Second
	return s
}

func dinnerWithoutWarden() Scenario {
	net := "10.67.8."
	s := sixth("dinner-without-warden", "unhandled-exception", "null-dereference", "a flag shows who cooks; a fifth of the huts have no warden. The clock of the service's host is four minutes slow", Truth{
		Culprit: "refuge", Aliases: []string{"10.67.8.11", "catering.py", "main.py", "dinner-offers"},
		Trigger:   &Trigger{Kind: "flag", Summary: "dinner-offers 0% -> 100%", Recorded: true},
		NotCauses: []string{"deploy of refuge-mail", "huts-db", "nginx", "clock"}, MustMention: []string{"AttributeError|NoneType", "catering|dinner"},
		Fix: "Switch dinner-offers off; answer no dinner where there is no warden. Set the clock.", Difficulty: "hard"})
	s.Host = "refuge-1"
	s.Routes = hutRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "deploy", "refuge", "3.8.2", "deploy refuge 3.8.2: dinner offers, switched off")
		e.Write("/srv/refuge/flags.json", `{"dinner-offers": false}`)
		e.MariaDB(MariaDB{Name: "huts-db", IP: net + "30", DB: "huts", Schema: e.schema("python/huts"), Export: true})
		must(syscall.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64m,mode=1777"), "mount /dev/shm") // libfaketime keeps files by process number there
		p := uvicornPart("refuge", e.Release("refuge", "python/huts", "3.8.2", nil), net+"11", append(mariaEnv("huts-db", "huts"), "FLAGS_FILE=/srv/refuge/flags.json")...)
		p.Argv = append([]string{"env", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME=-247s", "FAKETIME_DONT_FAKE_MONOTONIC=1"}, p.Argv...)
		e.up(p, net+"11:8000")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "json", Access: "nginx/access.json", Errors: "nginx/error.log", Routes: []Upstream{{Name: "refuge", Prefix: "/", Servers: []string{net + "11:8000"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "refuge-mail", "77", "deploy refuge-mail 77: confirmation in two languages")
		e.settle(19 * time.Second)
		e.Change("flag", "refuge", "", "dinner-offers 0% -> 100%")
		e.Write("/srv/refuge/flags.json.new", `{"dinner-offers": true}`)
		must(os.Rename("/srv/refuge/flags.json.new", "/srv/refuge/flags.json"), "flags")
	}
	s.Keep = []string{"nginx", "refuge.log", "changes.jsonl", "metrics.om", "supervisor.log"}
	return s
}

// recipesUp starts PHP-FPM with a release of recipes.
func recipesUp(e *Env, net, db string) {
	e.Host("mysql-kitchen", net+"30")
	e.MariaDB(MariaDB{Name: db, IP: net + "30", DB: "recipes", Schema: e.schema("php/recipes"), Log: "mysqld.err"})
	dir := e.Release("recipes", "php/recipes", "86", nil)
	must(os.Symlink(dir, "/srv/recipes/current"), "current")
	e.up(e.phpPart("recipes", net+"11", 8, "MYSQL_HOST="+db, "MYSQL_DATABASE=recipes", "MYSQL_USER=recipes", "MYSQL_PASSWORD="+mariaPassword), net+"11:9000")
}

func recipeRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /recipes/{id}", URL: gw + "/recipes/{n:1-3030}", Weight: 5},
		Route{Name: "GET /recipes", URL: gw + "/recipes?q={pick:Soup|Pie|Stew|Bread}", Weight: 2},
		Route{Name: "POST /recipes/{id}/photos", Method: "POST", URL: gw + "/recipes/{n:1-3000}/photos", Body: `{"pixel":"{pick:a|b|c}","kilobytes":{n:60-1500}}`, Weight: 0.9, Agent: "CookbookApp/3.3"},
		Route{Name: "GET /cooks/{id}/favourites", URL: gw + "/cooks/{n:1-820}/favourites", Weight: 3})
}

func packetsOfPictures() Scenario {
	net := "10.68.9."
	s := sixth("packets-of-pictures", "misconfiguration", "limit-too-small", "a shared profile sets MariaDB's max_allowed_packet from sixteen megabytes to one half: larger photos cannot be stored any more", Truth{
		Culprit: "kitchen-db", Aliases: []string{"mariadb", "mysql", "database", "10.68.9.30", "max_allowed_packet", "recipes"},
		Trigger:   &Trigger{Kind: "config", Summary: "kitchen-db: values of the shared small-instance profile", Recorded: true},
		NotCauses: []string{"database down", "network", "php-fpm", "recipes-web"}, MustMention: []string{"max_allowed_packet|gone away|1153|2006", "photos|packet|profile"},
		Fix: "Set max_allowed_packet back to 16M on kitchen-db.", Difficulty: "medium"})
	s.Host, s.TZ, s.RPS = "kitchen-1", "Europe/Lisbon", 12
	s.Routes = recipeRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(9*time.Hour, "deploy", "recipes", "86", "deploy recipes 86: minutes on cards")
		recipesUp(e, net, "kitchen-db")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "plain", Access: "nginx-access.log", Errors: "nginx-error.log", Routes: []Upstream{{Name: "php", Prefix: "/", Opts: "include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /srv/recipes/current/index.php; fastcgi_pass " + net + "11:9000; fastcgi_read_timeout 10s;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "kitchen-db", "", "kitchen-db: values of the shared small-instance profile")
		e.MySQL("", "set global max_allowed_packet = 524288")
		e.Sleep(18 * time.Second)
		e.Change("deploy", "recipes-web", "2026.48.1", "deploy recipes-web 2026.48.1: autumn colours")
	}
	return s
}

func auditNumbersUsedUp() Scenario {
	net := "10.69.1."
	s := sixth("audit-numbers-used-up", "database", "query-error", "the 32-bit numbers of the audit table are used up: vouchers can be neither sold nor redeemed. A deploy of another service half a minute before is innocent", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "vouchers-pg", Aliases: []string{"postgres", "postgresql", "database", "10.69.1.30", "audit_entries", "audit_entries_id_seq", "vouchers", "ledger.rb"},
		Trigger:   &Trigger{Kind: "data", Summary: "audit_entries_id_seq reached 2147483647", Recorded: false},
		NotCauses: []string{"deploy of doors 0.9.4", "database down", "pool", "disk"}, MustMention: []string{"reached maximum value of sequence|SequenceGeneratorLimitExceeded", "audit_entries"},
		Fix: "Alter audit_entries.id and its sequence to bigint.", Difficulty: "medium"})
	s.Host, s.TZ = "rooms-1", "Australia/Adelaide"
	s.Routes = voucherRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(55*time.Hour, "deploy", "vouchers", "2.10.1", "deploy vouchers 2.10.1: rooms by popularity")
		vouchersUp(e, net, "vouchers-pg")
		e.SQL("vouchers", "select setval('audit_entries_id_seq', 2147480000)")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "combined", Access: "access.log", Errors: "error.log", Routes: []Upstream{{Name: "vouchers", Prefix: "/", Servers: []string{net + "12:9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "doors", "0.9.4", "deploy doors 0.9.4: firmware of the locks")
		e.settle(26 * time.Second)
		e.SQL("vouchers", "select setval('audit_entries_id_seq', 2147483646)")
	}
	s.Fault = 65 * time.Second
	return s
}

// calm is a healthy recording of this round.
func calm(name, title string) Scenario {
	s := healthy(name, title)
	s.Truth.Split = "held-out"
	s.Baseline, s.Fault, s.RPS = 95*time.Second, 75*time.Second, 14
	return s
}

func routingOnTheThirdTry() Scenario {
	net := "10.70.2."
	gw := "http://" + net + "2"
	s := calm("routing-on-the-third-try", "the routing service drops a quarter of the calls; the service tries again, logs an ERROR for each try, and answers everything. A deploy of its one instance went before, with a blip of a second")
	s.Routes = append(lockerRoutes(gw)[:4], Route{Name: "GET /lockers/{id}/way", URL: gw + "/lockers/{n:1-900}/way", Weight: 3})
	s.Host = "pickup-1"
	edit := Edit{"routing.js", "const ATTEMPTS = 5;", "const ATTEMPTS = 9;"}
	s.Setup = func(e *Env) {
		e.Past(30*time.Hour, "deploy", "pickup", "4.0.0", "deploy pickup 4.0.0: ways to lockers")
		e.redisAt("kv-p", net+"40", "/srv/kv", "--save", "")
		lockersUp(e, "pickup", "4.0.0", net, "kv-p", 0, edit)
		e.behave("route.waymark.example", behaviour{Status: 503, Ratio: 0.02, Body: "upstream connect error or disconnect/reset before headers", Type: "text/plain"})
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: net + "2", Access: "access.json", Errors: "caddy.log", Routes: []Upstream{{Name: "all", Prefix: "/", Servers: []string{net + "11:3000"}, Opts: "lb_try_duration 5s\n      lb_try_interval 200ms"}}})
	}
	s.Inject = func(e *Env) {
		p := lockersPart(e, "pickup", "4.0.1", net, "kv-p", 0, edit, Edit{"server.js", "no such locker", "this locker does not exist"})
		e.Change("deploy", "pickup", "4.0.1", "deploy pickup 4.0.1: wording")
		e.Replace(p, 0)
		e.WaitPort(net+"11:3000", 20*time.Second)
		e.Sleep(15 * time.Second)
		e.behave("route.waymark.example", behaviour{Status: 503, Ratio: 0.27, Body: "upstream connect error or disconnect/reset before headers", Type: "text/plain"})
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func prefetchersLeave() Scenario {
	net := "10.71.3."
	gw := "http://" + net + "2"
	s := calm("prefetchers-leave", "twice the requests on a release day: a script is held off with some hundred 429s, unknown listeners are 404, and both instances are replaced in turn; everybody who waits is answered. The app's prefetcher leaves after 30 ms, which the load balancer does not notice")
	s.Routes = append(playRoutes(gw),
		Route{Name: "GET /charts/{country} (prefetch)", URL: gw + "/charts/{pick:de|fr|jp}", Weight: 2.5, Agent: "TuneApp/7.3 prefetch", Timeout: 30 * time.Millisecond, During: "fault", Background: true},
		Route{Name: "GET /listeners/{id} (script)", URL: gw + "/listeners/{n:90000-99999}", Weight: 6, Agent: "Go-http-client/1.1", Clients: "203.0.113.77", During: "fault"})
	s.Shape = surge(2.2)
	s.Host = "edge-sjc"
	slow := []Edit{{"main.go", "	top, err := s.kv.ZRevRange", "	select { // charts are read from the cold tier\n	case <-r.Context().Done():\n	case <-time.After(45 * time.Millisecond):\n	}\n	top, err := s.kv.ZRevRange"},
		{"main.go", "		} else if err := do(a, r); err != nil {", "		} else if err := do(a, r); errors.Is(err, context.Canceled) {\n			log.Printf(\"[ERROR] %s %s: %v\", r.Method, r.URL.Path, err)\n			a.status = 499\n		} else if err != nil {"}}
	part := func(e *Env, version, n string, more ...Edit) Part {
		return goPart("plays-"+n, e.Release("plays", "go/plays", version, nil, append(slow, more...)...), net+"1"+n+":8085", "KV_ADDR=kv-1:6379")
	}
	s.Setup = func(e *Env) {
		e.Past(49*time.Hour, "deploy", "plays", "3.0.8", "deploy plays 3.0.8: charts from the cold tier")
		e.redisAt("kv-1", net+"41", "/srv/kv", "--save", "")
		for _, n := range []string{"1", "2"} {
			e.up(part(e, "3.0.8", n), net+"1"+n+":8085")
			e.Scrape("plays", "plays-"+n+":8085", "http://"+net+"1"+n+":8085/metrics")
		}
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "docker", HTTP: "retries 3\n  option redispatch 1",
			Routes: []Upstream{{Name: "be_plays", Prefix: "/", Opts: "option httpchk GET /-/ready\n  retry-on conn-failure empty-response\n  stick-table type ip size 10k expire 30s store http_req_rate(10s)\n  http-request track-sc0 src\n  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 60 }",
				Servers: []string{net + "11:8085 check inter 1s", net + "12:8085 check inter 1s"}}}})
	}
	s.Inject = func(e *Env) {
		wording := Edit{"main.go", "track is missing", "a play needs a track"}
		e.Change("deploy", "plays", "3.0.9", "deploy plays 3.0.9: wording, one instance after the other")
		for _, n := range []string{"1", "2"} {
			p := part(e, "3.0.9", n, wording)
			e.Replace(p, 0)
			e.WaitPort(net+"1"+n+":8085", 10*time.Second)
			e.Sleep(9 * time.Second)
		}
	}
	return s
}

func deprecatedKitchen() Scenario {
	net := "10.72.4."
	gw := "http://" + net + "2"
	s := calm("deprecated-kitchen", "PHP 8.2 complains of every third recipe, in the error log of the gateway and in its own; release 87 is linked in, which PHP-FPM does not see before its next reload; every page is as it was")
	s.Routes, s.Host, s.TZ = recipeRoutes(gw), "pantry-2", "America/Toronto"
	s.Setup = func(e *Env) {
		e.Past(3*24*time.Hour, "deploy", "recipes", "86", "deploy recipes 86: minutes on cards")
		e.Past(5*time.Hour, "infra", "pantry-2", "", "pantry-2: PHP 8.1 to 8.2")
		recipesUp(e, net, "pantry-db")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "combined", Access: "access_log", Errors: "error_log", HTTP: apachePHP("recipes", net+"11")})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("recipes", "php/recipes", "87", nil, Edit{"src/Card.php", "    private $id, $title, $minutes, $steps;\n\n", ""})
		e.Change("deploy", "recipes", "87", "deploy recipes 87: tidier cards")
		must(os.Symlink(dir, "/srv/recipes/next"), "next")
		must(os.Rename("/srv/recipes/next", "/srv/recipes/current"), "current")
	}
	return s
}

func stayFailsMute() Scenario {
	net := "10.73.5."
	s := calm("stay-fails-mute", "staying and free nights answer 500 from one moment on; the service's log says only that a request failed, with a reference that leads nowhere, and nothing else is there but old changes")
	s.Kind = "open"
	s.Routes, s.Host = hutRoutes("http://"+net+"2"), "shelter-1"
	s.Setup = func(e *Env) {
		e.Past(30*time.Hour, "deploy", "shelter", "12", "deploy shelter 12: log without personal data")
		e.Past(4*time.Hour, "config", "apache2", "", "apache2: HSTS for all hosts")
		e.Write("/srv/shelter/flags.json", `{"dinner-offers": false}`)
		e.MariaDB(MariaDB{Name: "shelter-db", IP: net + "30", DB: "huts", Schema: e.schema("python/huts")})
		dir := e.Release("shelter", "python/huts", "12", nil, Edit{"main.py", `log.exception("unhandled error in %s %s", request.method, request.url.path)`, `log.error("request failed, ref=%08x", int(began * 1000) & 0xffffffff)`})
		e.up(uvicornPart("shelter", dir, net+"11", append(mariaEnv("shelter-db", "huts"), "FLAGS_FILE=/srv/shelter/flags.json")...), net+"11:8000")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "common", Access: "access_log", Errors: "error_log", Routes: []Upstream{{Name: "shelter", Prefix: "/", Servers: []string{net + "11:8000"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) { e.MySQL("huts", "rename table stays to stays_2025") }
	s.Keep = []string{"access_log", "error_log", "shelter.log", "changes.jsonl"}
	return s
}
