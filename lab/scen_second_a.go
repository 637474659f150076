package main

import (
	"syscall"
	"time"
)

// secondScenarios came after the product's rules were written; all of them are held out.
func secondScenarios() []Scenario {
	list := []Scenario{visitCounterRefused(), syncTakesSlots(), backfillHoldsLock(), columnDropped(), courierRejection(), windowsNilMap(), hoursNull(), labelShareRoot(),
		plateCheckHostname(), customsTypo(), geocoderQuota(), taxServiceSlow(), spoolFull(), minorUpgrade(), crawlerDrainsPool(), themeMoved(),
		rollingWithRetries(), nightlyReport(), burstOf502()}
	for i := range list {
		list[i].Truth.Split = "held-out"
	}
	return list
}

func visitCounterRefused() Scenario {
	h := house{src: "php/market", service: "stays", version: "208", net: "10.17.4.", db: "stays", dbHost: "stays-pg", rename: lodging(), env: []string{"KV_HOST=kv-2"},
		edits: []Edit{{"src/Listings.php", "final class Listings", "final class Visits\n{\n    public static function seen(int $id): int\n    {\n        $kv = new Redis();\n        $kv->connect(getenv('KV_HOST'), 6379, 0.5);\n        return $kv->incr(\"seen:$id\");\n    }\n}\n\nfinal class Listings"},
			{"index.php", "    $item = Listings::get((int) $m[1]);", "    Visits::seen((int) $m[1]);\n    $item = Listings::get((int) $m[1]);"}}}
	s := inc("visit-counter-refused", "dependency-failure", "refused", "the key-value store that counts visits is gone; every room page asks it first", Truth{
		Culprit: "redis", Aliases: []string{"kv-2", "kv", "cache", "10.17.4.50"},
		Trigger:   &Trigger{Kind: "infra", Summary: "kv-2 stopped", Recorded: false},
		NotCauses: []string{"deploy of stays-admin", "database", "php-fpm down"}, MustMention: []string{"RedisException|Redis", "Connection refused"},
		Fix: "Start kv-2 again; a page must not need its visit counter.", Difficulty: "medium"})
	s.TZ, s.Host = "Europe/Helsinki", "stays-web1"
	s.Routes = renamed(marketRoutes(h.gw()), "/item", "/room", `"item"`, `"room"`, "/offer", "/enquiry")
	s.Setup = func(e *Env) {
		e.Past(33*time.Hour, "deploy", "stays", "208", "deploy stays 208: visit counter")
		e.Redis("kv-2", "10.17.4.50")
		h.up(e)
		h.gate(e, GW{Kind: "apache", Name: "apache2", Format: "combined"}, "", "")
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "stays-admin", "41", "deploy stays-admin 41: calendar export")
		e.Stop("kv-2", syscall.SIGTERM, time.Second)
	}
	s.Fault = 70 * time.Second
	s.Keep = []string{"access.log", "stays.log", "changes.jsonl"}
	return s
}

const hogSource = `import datetime, os, time
import psycopg2
held = []
def say(level, text):
    print(datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"), level, "menu-sync", text, flush=True)
say("INFO", "starting 24 import workers")
while True:
    try:
        held.append(psycopg2.connect(os.environ["DATABASE_URL"], application_name="menu-sync"))
        say("INFO", f"worker {len(held)} of 24 connected")
        if len(held) >= 24:
            say("INFO", "all workers run")
            time.sleep(600)
    except psycopg2.OperationalError as e:
        if int(time.time() * 10) % 50 == 0:
            say("WARNING", f"worker {len(held) + 1} has to wait: {str(e).strip().splitlines()[-1]}")
        time.sleep(0.05)
`

func syncTakesSlots() Scenario {
	h := house{src: "node/menu", service: "bistro-api", version: "3.3.0", net: "10.18.9.", db: "bistro", dbHost: "bistro-pg", partner: "geo.mapgrid.example", env: []string{"GEOCODER_URL=http://geo.mapgrid.example"}, n: 2,
		edits: []Edit{{"kitchen.js", "idleTimeoutMillis: 2000,", "idleTimeoutMillis: 1000, maxLifetimeSeconds: 3,"}},
		pg:    Postgres{Export: true, Conf: map[string]string{"max_connections": "20", "log_line_prefix": "'%m [%p] %q%a/%u@%d '"}}}
	s := inc("sync-takes-every-slot", "database", "too-many-connections", "an import with 24 workers takes every connection the database server has; the API gets none", Truth{
		Culprit: "bistro-pg", Aliases: []string{"postgres", "postgresql", "database", "menu-sync", "10.18.9.30"},
		Trigger:   &Trigger{Kind: "scale", Summary: "menu-sync: 2 -> 24 import workers", Recorded: true},
		NotCauses: []string{"database down", "bistro-api pool too small"}, MustMention: []string{"too many clients|remaining connection slots", "menu-sync|24"},
		Fix: "End the import or run it with two workers; give it a connection limit of its own.", Difficulty: "medium"})
	s.Routes = menuRoutes(h.gw())
	s.Host = "bistro-n1"
	s.Setup = func(e *Env) {
		e.Past(70*time.Hour, "deploy", "bistro-api", "3.3.0", "deploy bistro-api 3.3.0: pool recycles connections")
		h.up(e)
		e.Write("/srv/menu-sync/sync.py", hogSource)
		h.gate(e, GW{Kind: "nginx", Name: "edge", Format: "json", Access: "edge-access.log", Errors: "edge-error.log"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) {
		e.Change("scale", "menu-sync", "", "menu-sync: 2 -> 24 import workers")
		e.Start(Part{Name: "menu-sync", Log: "menu-sync.log", Argv: []string{"/usr/bin/python3", "/srv/menu-sync/sync.py"}, Env: []string{"DATABASE_URL=postgresql://bistro:pw@bistro-pg:5432/bistro"}})
	}
	return s
}

func backfillHoldsLock() Scenario {
	h := house{src: "python/clinic", service: "parking-api", version: "2026.11.2", net: "10.19.1.", db: "parking", dbHost: "pgsql-3", rename: parking(), n: 2, workers: 10, partner: "reg.platecheck.example",
		env: []string{"REGISTRY_URL=http://reg.platecheck.example", "DB_POOL_SIZE=10"}, dbOpts: "?options=-c%20lock_timeout%3D1500", pg: Postgres{Conf: map[string]string{"log_lock_waits": "on"}}}
	s := inc("backfill-in-one-transaction", "database", "lock-contention", "a migration adds a column and fills it in the same transaction: the table stays locked all the while", Truth{
		Culprit: "pgsql-3", Aliases: []string{"postgres", "postgresql", "database", "bays", "10.19.1.30", "parking"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0087 bays: add and fill charger_kw", Recorded: true},
		NotCauses: []string{"pool too small", "database down", "parking-api release"}, MustMention: []string{"lock timeout|LockNotAvailable|AccessShareLock|AccessExclusiveLock", "0087|charger_kw|bays"},
		Fix: "End the migration; add the column and fill it in small pieces in transactions of their own.", Difficulty: "medium"})
	s.Routes = renamed(clinicRoutes(h.gw()), parking()...)
	s.Setup = func(e *Env) {
		e.Past(3*24*time.Hour, "deploy", "parking-api", "2026.11.2", "deploy parking-api 2026.11.2")
		e.Past(3*24*time.Hour, "migration", "pgsql-3", "", "0086 permits: index on driver")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx", Format: "plain"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) {
		e.Change("migration", "pgsql-3", "", "0087 bays: add and fill charger_kw")
		e.Background(func() {
			e.SQLLogged("parking", "begin; alter table bays add column charger_kw int; update bays set charger_kw = 11 where id % 7 = 0; select pg_sleep(120); commit;")
		})
	}
	return s
}

func columnDropped() Scenario {
	h := house{src: "java/courses", service: "atelier", version: "5.21", net: "10.20.6.", db: "studio", dbHost: "studio-db", rename: workshop()}
	s := inc("clean-up-drops-column", "bad-deploy", "schema-mismatch", "a clean-up migration drops a column that the running release still reads", Truth{
		Acceptable: [][2]string{{"database", "query-error"}}, Culprit: "studio-db", Aliases: []string{"atelier", "postgres", "postgresql", "database", "workshops", "10.20.6.30", "10.20.6.11", "Workshops.java", "studio"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0112 workshops: drop sittings (replaced by sessions)", Recorded: true},
		NotCauses: []string{"database down", "deploy of newsletter"}, MustMention: []string{"sittings", "does not exist|42703"},
		Fix: "Add the column again (or deploy the release that does without); drop columns only after no release reads them.", Difficulty: "easy"})
	s.Routes = renamed(courseRoutes(h.gw()), workshop()...)
	s.Host = "atelier-1"
	s.Setup = func(e *Env) {
		e.Past(52*time.Hour, "deploy", "atelier", "5.21", "deploy atelier 5.21: waiting list")
		h.up(e)
		h.gate(e, GW{Kind: "haproxy", Name: "haproxy", Access: "haproxy.log", Wrap: "syslog"}, "", "")
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "newsletter", "1.0.77", "deploy newsletter 1.0.77: unsubscribe in one click")
		e.Change("migration", "studio-db", "", "0112 workshops: drop sittings (replaced by sessions)")
		e.SQL("studio", "alter table workshops drop column sittings")
	}
	s.Fault = 70 * time.Second
	return s
}

func courierRejection() Scenario {
	h := house{src: "node/menu", service: "takeaway", version: "7.2.4", net: "10.21.3.", db: "takeaway", dbHost: "takeaway-db", partner: "api.pedalcouriers.example", n: 2, log: "takeaway.log", wrap: "compose",
		env: []string{"GEOCODER_URL=http://api.pedalcouriers.example", "COURIER_URL=http://api.pedalcouriers.example"}}
	s := inc("offer-without-courier", "unhandled-exception", "unhandled-rejection", "release 7.3.0 asks couriers in the background and nobody catches when the answer has none: each basket ends a process", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}, {"unhandled-exception", "type-error"}, {"unhandled-exception", "null-dereference"}}, Culprit: "takeaway", Aliases: []string{"takeaway-1", "takeaway-2", "10.21.3.11", "10.21.3.12", "kitchen.js"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy takeaway 7.3.0: offer baskets to couriers", Recorded: true},
		NotCauses: []string{"nginx", "courier service down", "database down"}, MustMention: []string{"TypeError|Unhandled|triggerUncaughtException|kitchen\\.js|reading", "7\\.3\\.0"},
		Fix: "Roll back 7.3.0; catch what the background call throws.", Difficulty: "medium"})
	s.Routes = menuRoutes(h.gw())
	s.Setup = func(e *Env) {
		e.Past(44*time.Hour, "deploy", "takeaway", "7.2.4", "deploy takeaway 7.2.4")
		e.Past(50*time.Minute, "config", "edge", "", "nginx: gzip for json")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx"}, " max_fails=0", "proxy_next_upstream off;")
	}
	s.Inject = func(e *Env) {
		dir := h.release(e, "7.3.0", Edit{"kitchen.js", "  return { basket: rows[0].id };", "  offer(rows[0].id);\n  return { basket: rows[0].id };"},
			Edit{"kitchen.js", "async function basket(body) {", "async function offer(id) {\n  const res = await fetch(`${process.env.COURIER_URL}/v1/offers?basket=${id}`);\n  const { couriers } = await res.json();\n  logger.info('menu.courier', `basket ${id} goes to ${couriers[0].name}`);\n}\n\nasync function basket(body) {"})
		e.Change("deploy", "takeaway", "7.3.0", "deploy takeaway 7.3.0: offer baskets to couriers")
		h.roll(e, dir, time.Second)
	}
	return s
}

func windowsNilMap() Scenario {
	h := house{src: "go/parcels", service: "dispatch", version: "0.71.0", net: "10.22.5.", db: "dispatch", dbHost: "dispatch-db", partner: "duty.customs.example", wrap: "cri", n: 2, env: []string{"CUSTOMS_URL=http://duty.customs.example"},
		edits: []Edit{{"handlers.go", "	return stops\n", "	if _, err := os.Stat(\"/srv/flags/delivery-windows\"); err == nil {\n		addWindows(p, stops)\n	}\n	return stops\n"},
			{"handlers.go", "// plan names the", "// windows holds the hour in which each stop is due, by parcel.\nvar windows map[int64]string\n\nfunc addWindows(p parcel, stops map[string]string) {\n	windows[p.ID] = fmt.Sprintf(\"%02d:00\", 8+p.ID%10)\n	stops[\"delivery\"] += \" \" + windows[p.ID]\n}\n\n// plan names the"}}}
	s := inc("windows-map-never-made", "unhandled-exception", "panic", "a flag switches code on that writes into a map nobody made: tracking panics", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "null-dereference"}}, Culprit: "dispatch", Aliases: []string{"dispatch-1", "dispatch-2", "10.22.5.11", "10.22.5.12", "handlers.go"},
		Trigger:   &Trigger{Kind: "flag", Summary: "delivery-windows: 0 % -> 100 %", Recorded: true},
		NotCauses: []string{"deploy of tracking-web", "database", "caddy"}, MustMention: []string{"nil map", "delivery-windows|addWindows|handlers\\.go"},
		Fix: "Switch the flag off; make the map.", Difficulty: "easy"})
	s.Routes = parcelRoutes(h.gw())
	s.Setup = func(e *Env) {
		must(mkdir("/srv/flags"), "mkdir")
		e.Past(26*time.Hour, "deploy", "dispatch", "0.71.0", "deploy dispatch 0.71.0: delivery windows behind a flag")
		h.up(e)
		h.gate(e, GW{Kind: "caddy", Name: "caddy", Access: "ingress/access.log", Errors: "ingress/caddy.log"}, "", "")
	}
	s.Inject = func(e *Env) {
		e.decoy("deploy", "tracking-web", "5.1.0", "deploy tracking-web 5.1.0: dark mode")
		e.Change("flag", "dispatch", "", "delivery-windows: 0 % -> 100 %")
		e.Write("/srv/flags/delivery-windows", "on\n")
	}
	s.Fault = 70 * time.Second
	return s
}

func hoursNull() Scenario {
	h := house{src: "node/menu", service: "canteen", version: "1.9.0", net: "10.23.0.", db: "canteen", dbHost: "canteen-db", partner: "geo.mapgrid.example", env: []string{"GEOCODER_URL=http://geo.mapgrid.example"}}
	s := inc("kitchens-without-hours", "unhandled-exception", "null-dereference", "a data clean-up set the opening hours of closed kitchens to null; the page of hours reads into them", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "type-error"}}, Culprit: "canteen", Aliases: []string{"10.23.0.11", "kitchen.js"},
		Trigger:   &Trigger{Kind: "data", Summary: "opening hours of closed kitchens set to null", Recorded: false},
		NotCauses: []string{"database", "config of mail"}, MustMention: []string{"Cannot read properties of null|TypeError", "kitchen\\.js"},
		Fix: "Guard missing hours.", Difficulty: "medium"})
	s.TZ, s.Host = "Australia/Adelaide", "canteen-a"
	s.Routes = changed(menuRoutes(h.gw()), "GET /menu/{id}/hours", func(r *Route) { r.Weight = 4 })
	s.Setup = func(e *Env) {
		e.Past(8*24*time.Hour, "deploy", "canteen", "1.9.0", "deploy canteen 1.9.0: hours of the day")
		e.Past(25*time.Minute, "config", "mail", "", "mail: new relay")
		h.up(e)
		h.gate(e, GW{Kind: "nginx", Name: "nginx"}, " max_fails=0", "")
	}
	s.Inject = func(e *Env) { e.SQL("canteen", "update restaurants set opens = null where id % 3 = 0") }
	s.Keep = []string{"access.log", "canteen.log", "changes.jsonl"}
	return s
}

func labelShareRoot() Scenario {
	h := house{src: "go/parcels", service: "labels", version: "12.0.1", net: "10.24.8.", db: "post", dbHost: "post-db", partner: "duty.customs.example", env: []string{"CUSTOMS_URL=http://duty.customs.example", "LABEL_DIR=/srv/share/labels"}}
	s := inc("label-share-remounted", "misconfiguration", "permission", "the share for labels was mounted anew and belongs to root: no parcel can be accepted", Truth{
		Culprit: "labels", Aliases: []string{"10.24.8.11", "/srv/share/labels", "share", "ind-post-4"},
		Trigger:   &Trigger{Kind: "infra", Summary: "ind-post-4: /srv/share moved to the new filer", Recorded: true},
		NotCauses: []string{"disk full", "database"}, MustMention: []string{"permission denied", "/srv/share"},
		Fix: "Give the folder to the service's user again.", Difficulty: "easy"})
	s.TZ, s.Host = "Asia/Kolkata", "ind-post-4"
	s.Routes = parcelRoutes(h.gw())
	s.Setup = func(e *Env) {
		must(mkdir("/srv/share/labels"), "mkdir")
		e.Run("chown", "-R", "www-data", "/srv/share/labels")
		e.Past(13*24*time.Hour, "deploy", "labels", "12.0.1", "deploy labels 12.0.1")
		h.up(e)
		h.gate(e, GW{Kind: "haproxy", Name: "haproxy", Access: "haproxy.log"}, "", "")
	}
	s.Inject = func(e *Env) {
		e.Change("infra", "ind-post-4", "", "ind-post-4: /srv/share moved to the new filer")
		e.Run("chown", "-R", "root:root", "/srv/share/labels")
		e.Run("chmod", "755", "/srv/share/labels")
	}
	s.Keep = []string{"haproxy.log", "labels.log", "changes.jsonl", "metrics.om"} // only the metrics tell the zone
	return s
}
