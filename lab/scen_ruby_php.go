package main

import (
	"time"
)

const (
	libraryIP = "10.74.1.21"
	marketIP  = "10.85.2.21"
)

// library brings up the loans service of a library: Sinatra under puma, PostgreSQL.
type library struct {
	service string
	version string
	rename  []string
	edits   []Edit
	threads int
	env     []string
	wrap    string
	nofile  int
	pg      Postgres
}

func (l library) part(dir string) Part {
	p := rubyPart(l.service, dir, libraryIP, max(5, l.threads), append([]string{"DATABASE_URL=postgres://library@lib-db:5432/library?connect_timeout=3"}, l.env...)...)
	p.Wrap, p.NoFile = l.wrap, l.nofile
	return p
}

func (l library) up(e *Env) {
	pg := l.pg
	pg.Name, pg.IP, pg.DB = "lib-db", "10.74.1.31", "library"
	if pg.Schema == "" {
		pg.Schema = e.schema("ruby/library", l.rename...)
	}
	e.Postgres(pg)
	dir := e.Release(l.service, "ruby/library", l.version, l.rename, l.edits...)
	e.up(l.part(dir), libraryIP+":9292")
	e.Scrape(l.service, l.service+":9292", "http://"+libraryIP+":9292/metrics")
}

func (l library) deploy(e *Env, version string, edits ...Edit) {
	e.Replace(l.part(e.Release(l.service, "ruby/library", version, l.rename, edits...)), 0)
	e.WaitPort(libraryIP+":9292", 20*time.Second)
}

// market brings up a marketplace: PHP-FPM behind Apache, Caddy or nginx, PostgreSQL.
type market struct {
	service  string
	version  string
	rename   []string
	edits    []Edit
	children int
	env      []string
	pg       Postgres
}

func (m market) up(e *Env) {
	pg := m.pg
	pg.Name, pg.IP, pg.DB = "market-db", "10.85.2.31", "market"
	if pg.Schema == "" {
		pg.Schema = e.schema("php/market", m.rename...)
	}
	e.Postgres(pg)
	m.release(e, m.version, m.edits...)
	e.up(e.phpPart(m.service, marketIP, max(8, m.children), append([]string{"DATABASE_DSN=pgsql:host=market-db;dbname=market", "DATABASE_USER=market"}, m.env...)...), marketIP+":9000")
}

// release makes a version current, as a symbolic link switch does.
func (m market) release(e *Env, version string, edits ...Edit) {
	dir := e.Release(m.service, "php/market", version, m.rename, edits...)
	e.Run("ln", "-sfn", dir, "/srv/"+m.service+"/current.new")
	e.Run("mv", "-T", "/srv/"+m.service+"/current.new", "/srv/"+m.service+"/current")
}

// gate puts a web server in front that speaks FastCGI.
func (m market) gate(e *Env, g GW) {
	root := "/srv/" + m.service + "/current"
	g.IP = "10.85.2.10"
	switch g.Kind {
	case "apache":
		g.HTTP += "DocumentRoot /srv\nProxyFCGIBackendType FPM\nProxyPassMatch ^/(.*)$ fcgi://" + marketIP + ":9000" + root + "/index.php\n"
	case "nginx":
		g.Routes = []Upstream{{Name: "php", Prefix: "/", Opts: "include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME " + root + "/index.php; fastcgi_pass " + marketIP + ":9000; fastcgi_read_timeout 10s;"}}
	case "caddy":
		g.Routes = []Upstream{{Name: "php", Prefix: "/", Opts: "root * " + root + "\n    php_fastcgi " + marketIP + ":9000 {\n      read_timeout 10s\n    }"}}
	}
	e.Gateway(g)
}

func rubyScenarios() []Scenario {
	return []Scenario{shelfNil(), undefinedColumn(), gemMissing(), tooManyConnections()}
}

func phpScenarios() []Scenario {
	return []Scenario{discountType(), castQuery(), childrenBusy(), templateFatal(), marketDown(), parseErrorRelease()}
}

func shelfNil() Scenario {
	gw := "http://10.74.1.10"
	s := inc("book-without-shelf", "unhandled-exception", "null-dereference", "newly imported books have no shelf: the page of a book calls a method on nil", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "type-error"}}, Culprit: "loans", Aliases: []string{libraryIP, "search.rb"},
		Trigger:   &Trigger{Kind: "data", Summary: "import of new acquisitions without shelves", Recorded: false},
		NotCauses: []string{"database", "deploy of opening-hours"}, MustMention: []string{"NoMethodError|undefined method", "search\\.rb"},
		Fix: "Guard the missing shelf; give the books one.", Difficulty: "easy"})
	s.TZ, s.Host = "Europe/Vienna", "bib-1"
	s.Routes = append(libraryRoutes(gw), Route{Name: "GET /books/{id}", URL: gw + "/books/{n:3001-3400}", Weight: 2.5, During: "fault"})
	l := library{service: "loans", version: "2.2.0", edits: []Edit{{"lib/search.rb", "row['room'].to_s", "row['room'].sub('Room ', 'R')"}}}
	s.Setup = func(e *Env) {
		e.Past(9*24*time.Hour, "deploy", "loans", "2.2.0", "deploy loans 2.2.0: short room names")
		l.up(e)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: "10.74.1.10", Format: "combined", Routes: []Upstream{{Name: "loans", Prefix: "/", Servers: []string{libraryIP + ":9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "opening-hours", "0.3", "deploy opening-hours 0.3: holidays")
		e.SQL("library", "insert into books (title, author, shelf_id) select 'New acquisition '||g, 'Author '||g, null from generate_series(1,400) g")
	}
	s.Keep = []string{"access.log", "loans.log", "error.log", "changes.jsonl"}
	return s
}

func undefinedColumn() Scenario {
	gw := "http://10.74.1.10"
	s := inc("renewals-before-migration", "bad-deploy", "schema-mismatch", "release 3.0.0 reads a column whose migration has not run", Truth{
		Acceptable: [][2]string{{"database", "query-error"}}, Culprit: "circulation", Aliases: []string{libraryIP, "lib-db"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy circulation 3.0.0: renewals", Recorded: true},
		NotCauses: []string{"database down"}, MustMention: []string{"renewals", "does not exist|3\\.0\\.0"},
		Fix: "Roll back 3.0.0 or run the migration, then deploy again in the right order.", Difficulty: "easy"})
	s.Routes = libraryRoutes(gw)
	l := library{service: "circulation", version: "2.9.5", wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(21*time.Hour, "deploy", "circulation", "2.9.5", "deploy circulation 2.9.5")
		e.Past(20*time.Hour, "migration", "lib-db", "", "0041_loans_member_index")
		l.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.74.1.10", Routes: []Upstream{{Name: "circulation", Prefix: "/", Servers: []string{libraryIP + ":9292 max_fails=0"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "circulation", "3.0.0", "deploy circulation 3.0.0: renewals")
		l.deploy(e, "3.0.0", Edit{"lib/loans.rb", "select l.id, b.title, l.due_on from", "select l.id, b.title, l.due_on, l.renewals from"})
	}
	s.OnsetStatus = 500 // not the restart's 502
	return s
}

func gemMissing() Scenario {
	gw := "http://10.74.1.10"
	s := inc("gem-not-installed", "bad-deploy", "missing-dependency", "release 1.5.0 requires a gem that is not on the server: puma cannot load the application", Truth{
		Acceptable: [][2]string{{"bad-deploy", "startup-crash"}}, Culprit: "readers", Aliases: []string{libraryIP},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy readers 1.5.0: barcodes", Recorded: true},
		NotCauses: []string{"gateway", "database"}, MustMention: []string{"cannot load such file|LoadError", "1\\.5\\.0"},
		Fix: "Roll back 1.5.0; install the gem.", Difficulty: "easy"})
	s.Routes = libraryRoutes(gw)
	l := library{service: "readers", version: "1.4.3", wrap: "syslog"}
	s.Host = "vm-12"
	s.Setup = func(e *Env) {
		e.Past(4*24*time.Hour, "deploy", "readers", "1.4.3", "deploy readers 1.4.3")
		e.Past(15*time.Minute, "infra", "vm-12", "", "unattended-upgrades: openssl")
		l.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.74.1.10", Access: "caddy-access.log", Errors: "caddy-error.log", Routes: []Upstream{{Name: "readers", Prefix: "/", Servers: []string{libraryIP + ":9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "readers", "1.5.0", "deploy readers 1.5.0: barcodes")
		e.Replace(l.part(e.Release("readers", "ruby/library", "1.5.0", nil, Edit{"app.rb", "require 'pg'", "require 'barby/barcode/code_128'\nrequire 'pg'"})), 0)
	}
	return s
}

func tooManyConnections() Scenario {
	gw := "http://10.74.1.10"
	s := inc("scaled-past-the-server", "database", "too-many-connections", "more threads with bigger pools than the database server has connections for", Truth{
		Culprit: "lib-db", Aliases: []string{"postgres", "postgresql", "database", "catalog-web", "10.74.1.31", libraryIP},
		Trigger:   &Trigger{Kind: "scale", Summary: "catalog-web: 5 -> 24 threads before the semester starts", Recorded: true},
		NotCauses: []string{"database down", "credentials"}, MustMention: []string{"too many clients|remaining connection slots", "threads|max_connections"},
		Fix: "Fewer connections per process, or a pooler; raise max_connections with care.", Difficulty: "medium"})
	s.Routes = libraryRoutes(gw)
	s.RPS = 40
	l := library{service: "catalog-web", version: "0.8.8", pg: Postgres{Export: true, Conf: map[string]string{"max_connections": "16"}},
		edits: []Edit{{"lib/search.rb", "select id, title, author from books where title ilike $1 order by id limit 15", "select id, title, author, (select pg_sleep(0.9))::text from books where title ilike $1 order by id limit 15"}}}
	s.Setup = func(e *Env) {
		e.Past(7*24*time.Hour, "deploy", "catalog-web", "0.8.8", "deploy catalog-web 0.8.8")
		l.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.74.1.10", Access: "haproxy.log", Routes: []Upstream{{Name: "catalog", Prefix: "/", Servers: []string{libraryIP + ":9292"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("scale", "catalog-web", "", "catalog-web: 5 -> 24 threads before the semester starts")
		l.threads, l.env = 24, []string{"DB_POOL=24"}
		e.Replace(l.part("/srv/catalog-web/releases/0.8.8"), 0)
	}
	s.OnsetStatus = 500
	s.Shape = func(d time.Duration) float64 {
		if d < 0 {
			return 0.35
		}
		return 2.3
	}
	return s
}

func discountType() Scenario {
	gw := "http://10.85.2.10"
	s := inc("discount-is-a-string", "unhandled-exception", "type-error", "a flag makes prices come from a text column; strict types refuse the string", Truth{
		Culprit: "market", Aliases: []string{marketIP, "Prices.php", "php-fpm"},
		Trigger:   &Trigger{Kind: "flag", Summary: "campaign-discounts on", Recorded: true},
		NotCauses: []string{"database", "gateway"}, MustMention: []string{"TypeError|must be of type", "campaign-discounts|Prices\\.php"},
		Fix: "Switch the flag off; convert the discount.", Difficulty: "easy"})
	s.Routes = marketRoutes(gw)
	m := market{service: "market", version: "31", edits: []Edit{{"src/Listings.php", "        return Db::all('select id, title, cents, discount, seller from items where id = ?', [$id])[0] ?? null;",
		"        $discount = is_file('/srv/flags/campaign-discounts') ? \"coalesce(discount, 0) || '%' as discount\" : 'discount';\n        return Db::all(\"select id, title, cents, $discount, seller from items where id = ?\", [$id])[0] ?? null;"}}}
	s.Setup = func(e *Env) {
		must(mkdir("/srv/flags"), "mkdir")
		e.Past(17*time.Hour, "deploy", "market", "31", "deploy market 31: campaign discounts behind a flag")
		m.up(e)
		m.gate(e, GW{Kind: "caddy", Name: "caddy", Access: "caddy-access.log", Errors: "caddy-error.log"})
	}
	s.Inject = func(e *Env) {
		e.Change("flag", "market", "", "campaign-discounts on")
		e.Write("/srv/flags/campaign-discounts", "on\n")
	}
	return s
}

func castQuery() Scenario {
	gw := "http://10.85.2.10"
	s := inc("search-operator-missing", "database", "query-error", "release 77 builds a search that PostgreSQL cannot run", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}, {"bad-deploy", "schema-mismatch"}}, Culprit: "bazaar", Aliases: []string{marketIP, "market-db", "Listings.php"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy bazaar 77: search by price", Recorded: true},
		NotCauses: []string{"database down"}, MustMention: []string{"operator does not exist|42883|SQLSTATE", "77"},
		Fix: "Roll back 77; cast the column.", Difficulty: "easy"})
	s.TZ, s.Host = "Europe/Lisbon", "loja-1"
	s.Routes = marketRoutes(gw)
	m := market{service: "bazaar", version: "76"}
	s.Setup = func(e *Env) {
		e.Past(31*time.Hour, "deploy", "bazaar", "76", "deploy bazaar 76")
		m.up(e)
		m.gate(e, GW{Kind: "apache", Name: "apache2", Format: "combined"})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "bazaar", "77", "deploy bazaar 77: search by price")
		m.release(e, "77", Edit{"src/Listings.php", "where title ilike ? order", "where title ilike ? or cents like \\'9%\\' order"})
		e.Signal("bazaar", 12) // SIGUSR2: reload
	}
	return s
}

func childrenBusy() Scenario {
	gw := "http://10.85.2.10"
	s := inc("children-all-busy", "resource-exhaustion", "threads", "a crawler's slow exports hold every PHP child; others queue until the gateway gives up", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "*"}}, Culprit: "flohmarkt", Aliases: []string{marketIP, "php-fpm"},
		Trigger:   &Trigger{Kind: "client", Summary: "a crawler began to fetch /export", Recorded: false},
		NotCauses: []string{"database slow", "network"}, MustMention: []string{"max_children|upstream timed out", "export"},
		Fix: "Limit /export (and the crawler); more children if memory allows.", Difficulty: "hard"})
	s.TZ, s.Host = "Europe/Berlin", "web-de-2"
	s.Routes = append(marketRoutes(gw), Route{Name: "GET /export", URL: gw + "/export", Weight: 2, During: "fault", Clients: "203.0.113.", Agent: "PriceCrawler/4.1"})
	m := market{service: "flohmarkt", version: "8", children: 8, edits: []Edit{{"src/Render.php", "echo implode(';', $row), \"\\n\";", "echo implode(';', $row), \"\\n\";\n            usleep(25000); // be gentle with the picture server"}}}
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "flohmarkt", "8", "deploy flohmarkt 8: export for partners")
		m.up(e)
		m.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "plain"})
	}
	s.RPS = 18
	s.Routes = changed(s.Routes, "GET /export", func(r *Route) {
		if r.During == "" {
			r.Weight = 0.02
		}
	})
	return s
}

func templateFatal() Scenario {
	gw := "http://10.85.2.10"
	s := inc("method-renamed-halfway", "bad-deploy", "regression", "release 5.4 renames a method and forgets one caller: fatal at run time, only on item pages", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "*"}, {"bad-deploy", "*"}}, Culprit: "secondhand", Aliases: []string{marketIP, "Render.php"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy secondhand 5.4: clean-up", Recorded: true},
		NotCauses: []string{"database", "php-fpm crashed"}, MustMention: []string{"undefined method", "5\\.4"},
		Fix: "Roll back 5.4; rename the caller too.", Difficulty: "easy"})
	s.Routes = marketRoutes(gw)
	m := market{service: "secondhand", version: "5.3"}
	s.Setup = func(e *Env) {
		e.Past(100*time.Hour, "deploy", "secondhand", "5.3", "deploy secondhand 5.3")
		e.Past(2*time.Hour, "config", "gateway", "", "nginx: brotli off")
		m.up(e)
		m.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "json", Access: "edge.log"})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "secondhand", "5.4", "deploy secondhand 5.4: clean-up")
		m.release(e, "5.4", Edit{"src/Prices.php", "function format", "function display"})
		e.Signal("secondhand", 12)
	}
	return s
}

func marketDown() Scenario {
	gw := "http://10.85.2.10"
	s := inc("market-db-killed", "database", "down", "the database server was killed and does not come back", Truth{
		Culprit: "market-db", Aliases: []string{"postgres", "postgresql", "database", "10.85.2.31"},
		Trigger:   &Trigger{Kind: "infra", Summary: "PostgreSQL was killed", Recorded: false},
		NotCauses: []string{"pool", "php-fpm", "credentials"}, MustMention: []string{"Connection refused|could not connect|SQLSTATE\\[08006\\]"},
		Fix: "Start the database again; find out who killed it.", Difficulty: "easy"})
	s.Routes = marketRoutes(gw)
	m := market{service: "kleinanzeigen", version: "112"}
	s.Setup = func(e *Env) {
		e.Past(6*time.Hour, "deploy", "kleinanzeigen", "112", "deploy kleinanzeigen 112: cookie banner")
		m.up(e)
		m.gate(e, GW{Kind: "apache", Name: "apache2", Format: "common"})
	}
	s.Inject = func(e *Env) { e.Stop("market-db", 9, time.Second) }
	s.Keep = []string{"access.log", "kleinanzeigen.log", "error.log", "changes.jsonl"}
	return s
}

func parseErrorRelease() Scenario {
	gw := "http://10.85.2.10"
	s := inc("file-does-not-parse", "bad-deploy", "regression", "one file of release 210 does not parse: PHP notices at run time, on every request", Truth{
		Acceptable: [][2]string{{"bad-deploy", "*"}, {"unhandled-exception", "*"}}, Culprit: "auctions", Aliases: []string{marketIP, "Listings.php"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy auctions 210: search by price", Recorded: true},
		NotCauses: []string{"database", "php-fpm down"}, MustMention: []string{"Parse error|syntax error", "210"},
		Fix: "Roll back 210; lint in the pipeline.", Difficulty: "easy"})
	s.Routes = renamed(marketRoutes(gw), "/item", "/lot")
	m := market{service: "auctions", version: "209", rename: []string{"/item/", "/lot/"}}
	s.Setup = func(e *Env) {
		e.Past(45*time.Hour, "deploy", "auctions", "209", "deploy auctions 209")
		m.up(e)
		m.gate(e, GW{Kind: "caddy", Name: "caddy", Access: "caddy/access.log", Errors: "caddy/caddy.log"})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "mail-relay", "", "mail-relay: DKIM key rotation")
		e.Sleep(5 * time.Second)
		e.Injected = time.Now()
		e.Change("deploy", "auctions", "210", "deploy auctions 210: search by price")
		m.release(e, "210", Edit{"src/Listings.php", "where title ilike ? order", "where title ilike ? or cents like '9%' order"})
		e.Signal("auctions", 12)
	}
	return s
}
