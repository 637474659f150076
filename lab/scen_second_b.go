package main

import (
	"os"
	"syscall"
	"time"
)

func plateCheckHostname() Scenario {
	h := house{src: "python/clinic", service: "permit-desk", version: "4.0.13", net: "10.25.2.", db: "parking", dbHost: "pg-permits", rename: parking(), wrap: "docker", workers: 8, partner: "api.platecheck.example", https: true,
		env: []string{"REGISTRY_URL=https://api.platecheck.example", "SSL_CERT_FILE=/srv/partner/tls/ca.pem"}}
	s := inc("plate-check-wrong-name", "dependency-failure", "tls", "the plate registry serves a certificate of another name", Truth{
		Culprit: "api.platecheck.example", Aliases: []string{"platecheck", "registry", "plate registry", "10.98.0.5", "certificate"},
		Trigger:   &Trigger{Kind: "external", Summary: "registry moved behind another load balancer", Recorded: false},
		NotCauses: []string{"deploy of permit-desk-ui", "database"}, MustMention: []string{"CERTIFICATE_VERIFY_FAILED|Hostname mismatch", "platecheck"},
		Fix: "Ask the registry to serve its own certificate; take the check off the critical path.", Difficulty: "medium"})
	s.Routes = changed(renamed(clinicRoutes(h.gw()), parking()...), "GET /v1/badge/{driver}", func(r *Route) { r.Weight = 2.5 })
	s.Setup = func(e *Env) {
		e.Past(15*24*time.Hour, "deploy", "permit-desk", "4.0.13", "deploy permit-desk 4.0.13")
		h.up(e)
		h.gate(e, GW{Kind: "caddy", Name: "caddy", Access: "caddy.access.json", Errors: "caddy.errors.json"}, "", "")
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "permit-desk-ui", "9.9.0", "deploy permit-desk-ui 9.9.0: new form for badges")
		e.Certificate("/srv/partner/tls", "edge-7.hostpark.example", 2000*time.Hour)
		must(os.Chmod("/srv/partner/tls/ca.pem", 0o644), "chmod")
	}
	s.Fault = 70 * time.Second
	return s
}

func customsTypo() Scenario {
	h := house{src: "go/parcels", service: "freight", version: "1.2.30", net: "10.26.7.", db: "freight", dbHost: "freight-pg", n: 2, log: "freight.log", wrap: "compose", env: []string{"CUSTOMS_URL=http://duty.customs-portal.example"}}
	s := inc("customs-name-typo", "misconfiguration", "wrong-upstream", "the new address of the customs portal has a typing error: the name does not exist", Truth{
		Acceptable: [][2]string{{"dependency-failure", "dns"}}, Culprit: "freight", Aliases: []string{"freight-1", "freight-2", "10.26.7.11", "10.26.7.12", "duty.custmos-portal.example", "custmos-portal", "customs"},
		Trigger:   &Trigger{Kind: "config", Summary: "freight: CUSTOMS_URL to the portal's new address", Recorded: true},
		NotCauses: []string{"resolver down", "customs portal down", "database"}, MustMention: []string{"no such host", "custmos|CUSTOMS_URL"},
		Fix: "Correct CUSTOMS_URL and restart.", Difficulty: "easy"})
	s.Routes = changed(parcelRoutes(h.gw()), "GET /quote", func(r *Route) { r.Weight = 3 })
	s.Setup = func(e *Env) {
		e.Start(Part{Name: "resolver", User: "root", Argv: []string{"dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--listen-address=10.255.0.2", "--bind-interfaces", "--local=/example/", "--address=/duty.customs-portal.example/10.98.0.5", "--user=root", "--pid-file="}})
		e.partner("customs-portal", "10.98.0.5")
		e.Past(90*time.Hour, "deploy", "freight", "1.2.30", "deploy freight 1.2.30")
		h.up(e)
		h.gate(e, GW{Kind: "apache", Name: "httpd", Format: "timed", Access: "httpd/access_log", Errors: "httpd/error_log"}, "", "retry=0")
	}
	s.Inject = func(e *Env) {
		e.Change("config", "freight", "", "freight: CUSTOMS_URL to the portal's new address")
		h.roll(e, "/srv/freight/releases/1.2.30", time.Second, "CUSTOMS_URL=http://duty.custmos-portal.example")
	}
	s.OnsetStatus = 500
	return s
}

func geocoderQuota() Scenario {
	h := house{src: "node/menu", service: "eta", version: "0.44.1", net: "10.27.1.", db: "eta", dbHost: "eta-pg", partner: "geo.mapgrid.example", wrap: "docker", env: []string{"GEOCODER_URL=http://geo.mapgrid.example"}}
	s := inc("geocoder-quota-used-up", "dependency-failure", "rate-limited", "the geocoder's plan ran out: nearly every call is answered 429, and the service tells its callers 500", Truth{
		Acceptable: [][2]string{{"misconfiguration", "error-mapping"}}, Culprit: "geo.mapgrid.example", Aliases: []string{"geocoder", "mapgrid", "10.98.0.5", "eta", "delivery.js", "10.27.1.11"},
		Trigger:   &Trigger{Kind: "external", Summary: "the geocoder's plan ran out", Recorded: false},
		NotCauses: []string{"database", "deploy of kitchen-display"}, MustMention: []string{"429|Too Many Requests|rate_limit"},
		Fix: "A bigger plan, a cache of postcodes; answer with a default.", Difficulty: "easy"})
	s.Routes = changed(menuRoutes(h.gw()), "GET /delivery/{postcode}", func(r *Route) { r.Weight = 4 })
	s.Setup = func(e *Env) {
		e.Past(6*24*time.Hour, "deploy", "eta", "0.44.1", "deploy eta 0.44.1")
		e.Past(12*time.Minute, "deploy", "kitchen-display", "2.2", "deploy kitchen-display 2.2: bigger type")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "combined"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) { e.behave("geo.mapgrid.example", behaviour{Limit: 1}) }
	s.Keep = []string{"access.log", "eta.log", "changes.jsonl"}
	return s
}

func taxServiceSlow() Scenario {
	h := house{src: "php/market", service: "chalets", version: "61", net: "10.28.4.", db: "chalets", dbHost: "chalets-pg", rename: lodging(), partner: "vat.taxtable.example", workers: 8,
		edits: []Edit{{"src/Listings.php", "final class Listings", "final class Vat\n{\n    public static function rate(): string\n    {\n        $context = stream_context_create(['http' => ['timeout' => 12]]);\n        $answer = file_get_contents('http://vat.taxtable.example/v1/rates?country=AT', false, $context);\n        if ($answer === false) {\n            error_log('no VAT rate from vat.taxtable.example, going on with 10 %');\n            return '10';\n        }\n        return $answer;\n    }\n}\n\nfinal class Listings"},
			{"index.php", "    $id = Listings::offer(", "    Vat::rate();\n    $id = Listings::offer("}}}
	s := inc("vat-table-takes-forever", "dependency-failure", "timeout", "the tax table answers after half a minute; enquiries wait for it and hold every PHP child", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "threads"}}, Culprit: "vat.taxtable.example", Aliases: []string{"taxtable", "vat", "10.98.0.5", "tax"},
		Trigger:   &Trigger{Kind: "external", Summary: "vat.taxtable.example got slow", Recorded: false},
		NotCauses: []string{"deploy of chalets 62", "database", "too few children"}, MustMention: []string{"taxtable|VAT|HTTP request failed", "max_children|timed out"},
		Fix: "A short time-out and a cache for the VAT rate; it hardly ever changes.", Difficulty: "hard"})
	s.TZ, s.Host = "Europe/Vienna", "web-at-1"
	s.RPS = 20
	s.Routes = changed(renamed(marketRoutes(h.gw()), "/item", "/room", `"item"`, `"room"`, "/offer", "/enquiry"), "GET /export", func(r *Route) { r.Weight = 0.05 })
	s.Setup = func(e *Env) {
		e.Past(11*24*time.Hour, "deploy", "chalets", "61", "deploy chalets 61: VAT in enquiries")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx"}, "", "fastcgi_read_timeout 8s;")
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "chalets", "62", "deploy chalets 62: imprint")
		h.release(e, "62", append(h.edits, Edit{"index.php", "// A marketplace for second-hand things.", "// Rooms for the night."})...)
		e.Signal("chalets", syscall.SIGUSR2)
		e.Sleep(20 * time.Second)
		e.Injected = time.Now()
		e.behave("vat.taxtable.example", behaviour{DelayMS: 30000})
	}
	s.Fault = 75 * time.Second
	return s
}

func spoolFull() Scenario {
	h := house{src: "ruby/library", service: "toolshed", version: "1.1.1", net: "10.29.5.", db: "toolshed", dbHost: "shed-pg", env: []string{"SPOOL=/srv/spool"},
		rename: []string{"books", "tools", "book", "tool", "BOOK", "TOOL", "library", "toolshed", "Library", "Toolshed", "shelves", "racks", "shelf", "rack"},
		edits:  []Edit{{"lib/loans.rb", "    { id: row['id'].to_i, due_on", "    File.write(\"#{ENV.fetch('SPOOL')}/receipt-#{row['id']}.ps\", \"%!PS\\n(tool #{book}, due #{row['due_on']}) show\\n\" * 60)\n    { id: row['id'].to_i, due_on"}}}
	s := inc("spool-of-receipts-full", "resource-exhaustion", "disk", "raw scans fill the small file system on which receipts are spooled: lending fails", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "*"}}, Culprit: "toolshed", Aliases: []string{"/srv/spool", "spool", "shed-1", "10.29.5.11", "scanner", "disk", "loans.rb"},
		Trigger:   &Trigger{Kind: "config", Summary: "scanner: keep raw scans for a week", Recorded: true},
		NotCauses: []string{"database", "permission"}, MustMention: []string{"ENOSPC|No space left|node_filesystem_avail_bytes", "spool|scanner"},
		Fix: "Delete the raw scans; a file system of their own.", Difficulty: "easy"})
	s.Host = "shed-1"
	s.Routes = changed(renamed(libraryRoutes(h.gw()), "/books", "/tools", `"book"`, `"tool"`), "POST /loans", func(r *Route) { r.Weight = 3 })
	s.Setup = func(e *Env) {
		must(mkdir("/srv/spool"), "mkdir")
		must(syscall.Mount("tmpfs", "/srv/spool", "tmpfs", 0, "size=12m,mode=777"), "mount spool")
		e.Past(31*24*time.Hour, "deploy", "toolshed", "1.1.1", "deploy toolshed 1.1.1: receipts")
		h.up(e)
		e.NodeExporter(h.net+"11", "/srv/spool")
		h.gate(e, GW{Kind: "apache", Name: "apache2", Format: "combined"}, "", "retry=0")
	}
	s.Inject = func(e *Env) {
		e.Change("config", "scanner", "", "scanner: keep raw scans for a week")
		e.Background(func() {
			for i := range 400 {
				e.Run("sh", "-c", "head -c 400000 /dev/zero > /srv/spool/scan-"+string(rune('a'+i%26))+string(rune('a'+i/26))+".raw || true")
				time.Sleep(150 * time.Millisecond)
			}
		})
	}
	return s
}

func minorUpgrade() Scenario {
	h := house{src: "go/parcels", service: "consign", version: "3.8.8", net: "10.31.2.", db: "consign", dbHost: "consign-db", n: 2, partner: "duty.customs.example", env: []string{"CUSTOMS_URL=http://duty.customs.example"}, pg: Postgres{Export: true}}
	s := inc("minor-upgrade-at-noon", "database", "down", "the database server is upgraded at noon and is away for twenty seconds; then all is well again", Truth{
		Culprit: "consign-db", Aliases: []string{"postgres", "postgresql", "database", "10.31.2.30"},
		Trigger:   &Trigger{Kind: "infra", Summary: "consign-db: minor upgrade of PostgreSQL", Recorded: true},
		NotCauses: []string{"consign release", "pool", "credentials"}, MustMention: []string{"57P01|terminating connection|connection refused|shutting down", "consign-db|upgrade"},
		Fix: "It came back by itself; upgrade with a standby, in a quiet hour.", Difficulty: "easy"})
	s.Routes = parcelRoutes(h.gw())
	s.Setup = func(e *Env) {
		e.Past(20*time.Hour, "deploy", "consign", "3.8.8", "deploy consign 3.8.8")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "front", Format: "json", Access: "front.log", Errors: "front-error.log"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "consign-db", "", "consign-db: minor upgrade of PostgreSQL")
		e.Stop("consign-db", syscall.SIGINT, 4*time.Second)
	}
	s.Recover = func(e *Env) {
		p := *e.parts["consign-db"]
		p.stopped = false
		e.Start(p)
	}
	s.Fault, s.Recovery = 22*time.Second, 35*time.Second
	return s
}

func crawlerDrainsPool() Scenario {
	h := house{src: "python/clinic", service: "bays", version: "8.3", net: "10.33.6.", db: "parking", dbHost: "pg-bays", rename: parking(), workers: 40, partner: "reg.platecheck.example",
		env:   []string{"REGISTRY_URL=http://reg.platecheck.example", "DB_POOL_SIZE=3", "DB_MAX_OVERFLOW=0", "DB_POOL_TIMEOUT=3"},
		edits: []Edit{{"app.py", "where doctor_id = :d and taken = false limit 20", "where doctor_id = :d and taken = false and pg_sleep(0.004) is not null limit 60"}}}
	s := inc("one-client-drains-pool", "database", "pool-exhausted", "one client asks for free bays many times a second; three connections are too few for that", Truth{
		Acceptable: [][2]string{{"resource-exhaustion", "*"}}, Culprit: "bays", Aliases: []string{"10.33.6.11", "203.0.113.77", "FleetSync", "pool", "sqlalchemy"},
		Trigger:   &Trigger{Kind: "client", Summary: "FleetSync/2.4 began to ask for free bays all the time", Recorded: false},
		NotCauses: []string{"database down", "bays release", "lock"}, MustMention: []string{"QueuePool limit", "203\\.0\\.113\\.77|FleetSync|/v1/bays|traffic"},
		Fix: "Limit the client; a bigger pool.", Difficulty: "hard"})
	s.TZ, s.Host = "America/Caracas", "bays-ve"
	s.RPS = 16
	s.Routes = append(changed(renamed(clinicRoutes(h.gw()), parking()...), "GET /v1/bays", func(r *Route) { r.Weight = 1.5 }),
		Route{Name: "GET /v1/bays", URL: h.gw() + "/v1/bays?garage={n:1-60}", Weight: 22, During: "fault", Clients: "203.0.113.77", Agent: "FleetSync/2.4"})
	s.Shape = surge(2.6)
	s.Setup = func(e *Env) {
		e.Past(17*24*time.Hour, "deploy", "bays", "8.3", "deploy bays 8.3")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "combined"}, " max_fails=0", "")
	}
	return s
}

func themeMoved() Scenario {
	h := house{src: "php/market", service: "hostel", version: "17.2", net: "10.34.1.", db: "hostel", dbHost: "hostel-db", rename: lodging(),
		edits: []Edit{{"index.php", "        echo json_encode(Render::item($item));", "        $theme = parse_ini_file('/srv/hostel/shared/site.ini')['theme_dir'];\n        require $theme . '/item.php';"}}}
	s := inc("theme-folder-not-there", "misconfiguration", "wrong-path", "the setting for the theme points to a folder that does not exist", Truth{
		Culprit: "hostel", Aliases: []string{"site.ini", "theme_dir", "10.34.1.11", "php-fpm", "index.php", "theme"},
		Trigger:   &Trigger{Kind: "config", Summary: "hostel: theme_dir to the winter theme", Recorded: true},
		NotCauses: []string{"database", "deploy of ical-bridge", "permission"}, MustMention: []string{"Failed opening required|Failed to open stream|No such file", "theme"},
		Fix: "Point theme_dir to the folder that is there.", Difficulty: "easy"})
	s.Routes = renamed(marketRoutes(h.gw()), "/item", "/room", `"item"`, `"room"`, "/offer", "/enquiry")
	s.Setup = func(e *Env) {
		e.Write("/srv/hostel/shared/site.ini", "theme_dir = /srv/hostel/shared/themes/plain\n")
		e.Write("/srv/hostel/shared/themes/plain/room.php", "<?php\necho json_encode(Render::room($room));\n")
		e.Past(60*time.Hour, "deploy", "hostel", "17.2", "deploy hostel 17.2: themes")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "plain"}, "", "fastcgi_read_timeout 10s;")
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "ical-bridge", "0.8.5", "deploy ical-bridge 0.8.5: time zones")
		e.Change("config", "hostel", "", "hostel: theme_dir to the winter theme")
		e.Write("/srv/hostel/shared/site.ini", "theme_dir = /srv/hostel/shared/themes/winter\n")
	}
	s.Fault = 70 * time.Second
	return s
}

func rollingWithRetries() Scenario {
	h := house{src: "node/menu", service: "menus", version: "5.5.0", net: "10.35.0.", db: "menus", dbHost: "menus-db", partner: "geo.mapgrid.example", n: 3, log: "menus.log", wrap: "compose", env: []string{"GEOCODER_URL=http://geo.mapgrid.example"}}
	s := healthy("rolling-restart-noisy", "a rolling restart behind a gateway that tries the next instance; the new release logs ERROR for a lookup it can do without")
	s.Routes = menuRoutes(h.gw())
	s.Setup = func(e *Env) {
		e.Past(70*time.Hour, "deploy", "menus", "5.5.0", "deploy menus 5.5.0")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx"}, " max_fails=1 fail_timeout=2s", "proxy_next_upstream error timeout non_idempotent;")
	}
	s.Inject = func(e *Env) {
		dir := h.release(e, "5.6.0", Edit{"kitchen.js", "  return rows.length > 0 ? rows : null;", "  fetch('http://10.35.0.60:8080/stars').catch((e) => logger.error('menu.stars', `no stars for kitchen ${id}, showing none: ${e.message}: ${e.cause?.message}`));\n  return rows.length > 0 ? rows : null;"})
		e.Change("deploy", "menus", "5.6.0", "deploy menus 5.6.0: stars of kitchens, where there are any")
		h.roll(e, dir, 4*time.Second)
	}
	return s
}

func nightlyReport() Scenario {
	h := house{src: "go/parcels", service: "waybill", version: "2.0.0", net: "10.36.3.", db: "waybill", dbHost: "waybill-pg", n: 2, partner: "duty.customs.example", wrap: "cri", env: []string{"CUSTOMS_URL=http://duty.customs.example"},
		pg: Postgres{Export: true, Conf: map[string]string{"log_min_duration_statement": "300"}}}
	s := healthy("nightly-report-slow-queries", "a nightly report runs queries of seconds; the service is as fast as ever")
	s.Routes = parcelRoutes(h.gw())
	s.Setup = func(e *Env) {
		e.Past(90*time.Hour, "deploy", "waybill", "2.0.0", "deploy waybill 2.0.0")
		h.up(e)
		h.gate(e, GW{Kind: "haproxy", Name: "haproxy", Access: "haproxy.log"}, " check inter 2s", "option httpchk GET /ready")
	}
	s.Inject = func(e *Env) {
		e.Change("restart", "reports", "", "reports: nightly run started")
		e.Background(func() {
			for range 12 {
				e.SQLLogged("waybill", "set application_name = 'reports'; select left(p.postcode, 2) as area, count(*), avg(q.grams) from parcels p join parcels q on q.grams between p.grams - 400 and p.grams + 400 where q.id <> p.id group by 1 order by 2 desc;")
				time.Sleep(2 * time.Second)
			}
		})
	}
	return s
}

func burstOf502() Scenario {
	h := house{src: "go/parcels", service: "pickup", version: "6.1", net: "10.37.9.", db: "pickup", dbHost: "pickup-pg", partner: "duty.customs.example", env: []string{"CUSTOMS_URL=http://duty.customs.example"}}
	s := healthy("burst-of-502", "the gateway answers 502 for a quarter of a minute, and its access log is all there is")
	s.Kind = "open"
	s.Truth = Truth{NotCauses: []string{"database", "deploy"}, Fix: "Get the logs of what stands behind the gateway before acting.", Difficulty: "hard"}
	s.Routes = parcelRoutes(h.gw())
	s.Setup = func(e *Env) {
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "combined", Access: "edge.access.log"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) { e.Stop("pickup", syscall.SIGKILL, time.Second) }
	s.Recover = func(e *Env) { e.Start(h.part(e, 1, "/srv/pickup/releases/6.1")) }
	s.Fault, s.Recovery = 16*time.Second, 40*time.Second
	s.Keep = []string{"edge.access.log"}
	return s
}
