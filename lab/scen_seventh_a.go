package main

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// seventhScenarios is the seventh round: what sets a fault off is somebody else's (a job, a flag, a record, an agent on the same
// host), most begin slowly, and innocent changes stand nearer. It was written without sight of the rules, and all of it is held out.
func seventhScenarios() []Scenario {
	return []Scenario{labelsNeverExpire(), refusedPoliciesLeak(), debugLogOfTheShipper(), guardMadeReadOnly(), settlementHoldsThePool(), thirdReplicaOldPassword(),
		returnsUseUpTheRate(), recordToNewAddress(), forecastNotPaid(), backupKeepsTheLock(), reportKilledNextDoor(), revokedKeyOfRadio(), boxOfficeMute()}
}

// seventh gives an incident of this round its usual shape.
func seventh(name, class, mechanism, title string, t Truth) Scenario {
	t.Split = "held-out"
	s := inc(name, class, mechanism, title, t)
	s.Baseline, s.Fault, s.RPS = 95*time.Second, 80*time.Second, 14
	return s
}

func labelsNeverExpire() Scenario {
	net := "10.80.1."
	s := seventh("labels-never-expire", "resource-exhaustion", "memory", "a new archiver keeps every label in the lockers' Redis, for ever; after the better part of a minute its memory limit is reached and Redis refuses every write. A wording release of lockers went in while the memory filled", Truth{
		Culprit: "lockers-kv", Aliases: []string{"redis", "kv", "10.80.1.40", "archiver", "maxmemory"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy archiver 0.1.0: labels of the day at hand", Recorded: true},
		NotCauses: []string{"deploy of lockers 6.2.1", "apache2", "network", "disk"}, MustMention: []string{"OOM command not allowed|maxmemory", "memory|archiver"},
		Fix: "Stop the archiver and delete label:*; give its keys an expiry and a Redis of its own.", Difficulty: "medium"})
	s.Host, s.TZ = "parcel-wall-1", "Europe/Madrid"
	s.Routes = changed(lockerRoutes("http://"+net+"2"), "POST /addresses/check (no number)", func(r *Route) { r.Weight = 0.1 })
	s.Setup = func(e *Env) {
		e.Past(31*time.Hour, "deploy", "lockers", "6.2.0", "deploy lockers 6.2.0: holds of fifteen minutes")
		e.redisAt("lockers-kv", net+"40", "/srv/kv", "--save", "", "--maxmemory", "16mb")
		lockersUp(e, "lockers", "6.2.0", net, "lockers-kv", 0)
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "combined", Access: "apache2/access.log", Errors: "apache2/error.log", Routes: []Upstream{{Name: "lockers", Prefix: "/", Servers: []string{net + "11:3000"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("archiver", "node/archiver", "0.1.0", nil)
		next := lockersPart(e, "lockers", "6.2.1", net, "lockers-kv", 0, Edit{"server.js", "no such locker", "this locker does not exist"})
		e.Change("deploy", "archiver", "0.1.0", "deploy archiver 0.1.0: labels of the day at hand")
		e.Start(Part{Name: "archiver", Dir: dir, Log: "archiver.log", Argv: []string{"/usr/bin/node", dir + "/server.js"}, Env: []string{"APP_VERSION=0.1.0", "REDIS_URL=redis://lockers-kv:6379"}})
		e.Sleep(14 * time.Second)
		e.Change("deploy", "lockers", "6.2.1", "deploy lockers 6.2.1: wording")
		e.Replace(next, 0)
		e.WaitPort(net+"11:3000", 20*time.Second)
		e.Settled = time.Now().Add(restartBlip)
	}
	s.Fault = 95 * time.Second
	s.Rename = map[string]string{"lockers-kv.log": "redis.log"}
	return s
}

func refusedPoliciesLeak() Scenario {
	net := "10.81.2."
	gw := "http://" + net + "2"
	s := seventh("refused-policies-leak", "database", "pool-exhausted", "cover never gives the connection back when it refuses a policy; nobody noticed until the travel app's new release lets people of any age ask. Eight refusals later every policy fails, quotes go on", Truth{
		Culprit: "cover", Aliases: []string{"10.81.2.11", "Policies.java", "cover.Policies", "pool", "hikari"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy travel-app 5.0: any age may ask", Recorded: true},
		NotCauses: []string{"change of cover-db", "haproxy", "database down", "tables.actuary.example"}, MustMention: []string{"Connection is not available|pool", "leak|Policies|active=8"},
		Fix: "Restart cover; close the connection in Policies.doPost on every way out; the app should not send ages over ninety.", Difficulty: "hard"})
	s.Host, s.TZ = "cover-2", "America/Sao_Paulo"
	s.Routes = append(coverRoutes(gw), Route{Name: "POST /policies (any age)", Method: "POST", URL: gw + "/policies", Body: `{"age":{n:91-104}}`, Weight: 0.32, During: "fault", Agent: "TravelApp/5.0 (Android 15)"})
	s.Setup = func(e *Env) {
		e.Past(6*24*time.Hour, "deploy", "cover", "7.3.0", "deploy cover 7.3.0: nobody over ninety")
		e.partner("tables.actuary.example", "10.98.0.5")
		e.MariaDB(MariaDB{Name: "cover-db", IP: net + "30", DB: "cover", Schema: e.schema("java/cover"), Export: true})
		dir := e.Release("cover", "java/cover", "7.3.0", nil, Edit{"Pool.java", "c.setConnectionTimeout(4000);", "c.setConnectionTimeout(4000);\n    c.setLeakDetectionThreshold(15000);"},
			Edit{"Policies.java", "    try (Connection c = source.getConnection(); PreparedStatement q = c.prepareStatement(\"insert into policies (holder, age) values (?, ?)\")) {\n      q.setString(1, \"holder \" + age);",
				"    try {\n      Connection c = source.getConnection();\n      PreparedStatement q = c.prepareStatement(\"insert into policies (holder, age) values (?, ?)\");\n      q.setString(1, holder(age));"},
			Edit{"Policies.java", "      q.executeUpdate();\n", "      q.executeUpdate();\n      q.close();\n      c.close();\n"},
			Edit{"Policies.java", "      log.info(\"policy for age {} written\", age);\n    } catch", "      log.info(\"policy for age {} written\", age);\n    } catch (IllegalArgumentException e) {\n      log.warn(\"policy refused: {}\", e.getMessage());\n      response.setStatus(422);\n    } catch"},
			Edit{"Policies.java", "  @Override\n  protected void doPost", "  private static String holder(int age) {\n    if (age > 90) {\n      throw new IllegalArgumentException(\"age \" + age + \" is over ninety\");\n    }\n    return \"holder \" + age;\n  }\n\n  @Override\n  protected void doPost"})
		e.up(tomcatPart("cover", dir, net+"11", "cover-db", "TARIFF_URL=http://tables.actuary.example"), net+"11:8080")
		e.Scrape("cover", "cover:8080", "http://"+net+"11:8080/metrics")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "be_cover", Prefix: "/", Opts: "option httpchk GET /health", Servers: servers(net, ":8080", "check inter 3s", 1)}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "travel-app", "5.0", "deploy travel-app 5.0: any age may ask")
		e.Sleep(11 * time.Second)
		e.Change("config", "cover-db", "", "cover-db: slow query log on, from two seconds")
	}
	s.Fault = 90 * time.Second
	s.Rename = map[string]string{"cover.log": "catalina.out.gz"}
	return s
}

func debugLogOfTheShipper() Scenario {
	net := "10.82.3."
	gw := "http://" + net + "2"
	s := seventh("debug-log-of-the-shipper", "resource-exhaustion", "disk", "the log shipper on the gateway's host was set to debug and fills /var/spool, where nginx keeps uploads while they come in: photos fail, all else goes on. The recipes' release half a minute before is innocent", Truth{
		Culprit: "shipper", Aliases: []string{"log-shipper", "/var/spool", "edge-3", "edge-3:9100", "node-exporter", "disk", "debug.log"},
		Trigger:   &Trigger{Kind: "config", Summary: "shipper: level debug, to find lost records", Recorded: true},
		NotCauses: []string{"deploy of recipes 87", "mariadb", "php-fpm", "max_allowed_packet"}, MustMention: []string{"No space left", "/var/spool|shipper"},
		Fix: "Set the shipper's level back to info and delete /var/spool/shipper/debug.log; let nginx keep bodies on a file system of their own.", Difficulty: "hard"})
	s.Host, s.TZ = "edge-3", "Europe/Prague"
	s.Routes = changed(recipeRoutes(gw), "POST /recipes/{id}/photos", func(r *Route) {
		r.Weight = 1.6
		r.Body = `{"pixel":"{pick:a|b|c}","kilobytes":{n:60-300},"exif":"` + strings.Repeat("ffd8ffe1", 5200) + `"}`
	})
	settings := func(e *Env, level string) {
		e.Write("/srv/shipper/settings.json.new", `{"level":"`+level+`","debug_file":"/var/spool/shipper/debug.log"}`)
		must(os.Rename("/srv/shipper/settings.json.new", "/srv/shipper/settings.json"), "settings")
	}
	s.Setup = func(e *Env) {
		e.Past(8*time.Hour, "deploy", "recipes", "86", "deploy recipes 86: minutes on cards")
		must(syscall.Mount("tmpfs", "/var/spool", "tmpfs", 0, "size=40m,mode=755"), "mount")
		for _, d := range []string{"/var/spool/nginx", "/var/spool/shipper"} {
			must(mkdir(d), "mkdir")
			must(os.Chmod(d, 0o777), "chmod")
		}
		e.NodeExporter(net+"2", "/var/spool")
		recipesUp(e, net, "kitchen-db")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "timed", Access: "nginx/access.log", Errors: "nginx/error.log", Routes: []Upstream{{Name: "php", Prefix: "/", Opts: "client_body_temp_path /var/spool/nginx; include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /srv/recipes/current/index.php; fastcgi_pass " + net + "11:9000; fastcgi_read_timeout 10s;"}}})
		dir := e.Release("shipper", "python/shipper", "2.4", nil)
		settings(e, "info")
		e.Start(Part{Name: "shipper", Dir: dir, Log: "shipper.log", Argv: []string{"/usr/bin/python3", dir + "/shipper.py", e.Logs + "/nginx/access.log"}, Env: []string{"SHIPPER_SETTINGS=/srv/shipper/settings.json"}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("recipes", "php/recipes", "87", nil, Edit{"index.php", "recipe not found", "this recipe does not exist"})
		e.Injected = time.Now()
		e.Change("config", "shipper", "", "shipper: level debug, to find lost records")
		settings(e, "debug")
		e.Signal("shipper", syscall.SIGHUP)
		e.Sleep(9 * time.Second)
		e.Change("deploy", "recipes", "87", "deploy recipes 87: wording")
		must(os.Symlink(dir, "/srv/recipes/next"), "next")
		must(os.Rename("/srv/recipes/next", "/srv/recipes/current"), "current")
	}
	s.Fault = 100 * time.Second
	return s
}

func guardMadeReadOnly() Scenario {
	net := "10.83.4."
	s := seventh("guard-made-read-only", "database", "query-error", "the provider's storage guard puts the database into read-only mode: vouchers can be neither sold nor redeemed, rooms and look-ups go on. A release of vouchers went out twenty seconds before", Truth{
		Acceptable: [][2]string{{"misconfiguration", "permission"}}, Culprit: "vouchers-pg", Aliases: []string{"postgres", "postgresql", "database", "10.83.4.30", "storage-guard", "default_transaction_read_only"},
		Trigger:   &Trigger{Kind: "infra", Summary: "storage-guard: volume above its warning mark, read-only until it is grown", Recorded: true},
		NotCauses: []string{"deploy of vouchers 2.10.2", "haproxy", "database down", "pool"}, MustMention: []string{"read-only transaction|ReadOnlySqlTransaction", "default_transaction_read_only|storage-guard|vouchers-pg"},
		Fix: "Grow the volume, then let the guard (or alter system reset default_transaction_read_only) allow writes again.", Difficulty: "medium"})
	s.Host, s.TZ = "escape-1", "Asia/Kolkata"
	s.Routes = voucherRoutes("http://" + net + "2")
	part := func(dir string) Part {
		return rubyPart("vouchers", dir, net+"12", 6, "DATABASE_URL=postgresql://vouchers:pw@vouchers-pg:5432/vouchers")
	}
	s.Setup = func(e *Env) {
		e.Past(52*time.Hour, "deploy", "vouchers", "2.10.1", "deploy vouchers 2.10.1: rooms by popularity")
		e.Past(3*time.Hour, "infra", "vouchers-pg", "", "vouchers-pg: minor upgrade, no restart needed")
		e.Postgres(Postgres{Name: "vouchers-pg", IP: net + "30", DB: "vouchers", Schema: e.schema("ruby/vouchers"), Export: true, Conf: map[string]string{"listen_addresses": "'" + net + "30'"}}) // as -h says, or a reload complains
		e.up(part(e.Release("vouchers", "ruby/vouchers", "2.10.1", nil)), net+"12:9292")
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: net + "2", Access: "haproxy.log", Wrap: "docker", Routes: []Upstream{{Name: "be_vouchers", Prefix: "/", Opts: "option httpchk GET /heartbeat", Servers: []string{net + "12:9292 check inter 2s"}}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("vouchers", "ruby/vouchers", "2.10.2", nil, Edit{"app.rb", "voucher not found", "no such voucher"})
		e.Change("deploy", "vouchers", "2.10.2", "deploy vouchers 2.10.2: wording")
		e.Replace(part(dir), 0)
		e.WaitPort(net+"12:9292", 20*time.Second)
		e.settle(17 * time.Second)
		e.Change("infra", "storage-guard", "", "storage-guard: volume above its warning mark, read-only until it is grown")
		e.SQLAs("postgres", "alter system set default_transaction_read_only = on")
		e.SQLAs("postgres", "select pg_reload_conf()")
	}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}
