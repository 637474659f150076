package main

import "time"

func indexAndBackfill() Scenario {
	l := ferry()
	l.pg.Conf = map[string]string{"log_lock_waits": "on", "log_min_duration_statement": "1000"}
	l.logs = map[string]string{"bookings-1": "node/a.log", "bookings-2": "node/b.log"}
	s := thirdA(inc("index-and-backfill", "database", "lock-contention", "a migration builds an index and then fills a column in the same transaction: nobody can book or pay while it runs, reading goes on until the pools are full of writers", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "ferry-pg", Aliases: []string{"bookings", "postgres", "postgresql", "database", "10.44.7.61", "0161"},
		Trigger:   &Trigger{Kind: "migration", Summary: "0161 bookings: index on note, normalise notes", Recorded: true},
		NotCauses: []string{"database down", "freight 1.12.3", "pool too small", "payment provider"}, MustMention: []string{"still waiting for|RowExclusiveLock|ShareLock|lock|timeout exceeded when trying to connect", "0161|bookings"},
		Fix: "End the migration; build the index concurrently, fill in small pieces in transactions of their own.", Difficulty: "medium"}), l)
	s.TZ, s.Host = "America/St_Johns", "quay-app3"
	s.Setup = func(e *Env) {
		e.Past(33*time.Hour, "deploy", "bookings", "4.3.1", "deploy bookings 4.3.1: dependency updates")
		e.Past(70*time.Hour, "migration", "ferry-pg", "", "0160 members: index on country")
		l.up(e)
		l.gate(e, GW{Access: "access.log", Errors: "error.log"}, " max_fails=0", "proxy_next_upstream off; proxy_read_timeout 12s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "freight", "1.12.3", "deploy freight 1.12.3: wording of errors", Edit{"Consignments.java", "no such consignment", "unknown consignment"})
		e.settle(14 * time.Second)
		e.Change("migration", "ferry-pg", "", "0161 bookings: index on note, normalise notes")
		e.Background(func() {
			e.SQLLogged(l.db, "set application_name = 'migrate'; begin; create index bookings_note on bookings (lower(note)); update bookings set note = trim(note) where id % 9 = 0; select pg_sleep(64); commit;")
		})
	}
	s.Fault = 95 * time.Second
	s.Keep = []string{"access.log", "error.log", "node", "members.log", "postgresql.log", "changes.jsonl", "supervisord.log", "metrics/bookings.om", "metrics/postgres.om", "metrics/nginx.om"}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}

func providerMaintenancePage() Scenario {
	l := campsite()
	l.traces, l.ratio = "traces.jsonl", "0.3"
	l.nodeEnv = []string{"DB_POOL_MAX=10"}
	s := thirdA(inc("provider-maintenance-page", "dependency-failure", "bad-response", "the payment provider answers 200 with a page that says it is being worked on; the client wants JSON", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "parse-error"}}, Culprit: "api.coastpay.example", Aliases: []string{"coastpay", "10.98.1.1", "payment provider"},
		Trigger:   &Trigger{Kind: "external", Summary: "api.coastpay.example answers with a maintenance page", Recorded: false},
		NotCauses: []string{"guests 0.31.2", "database", "stays release", "redis-camp"}, MustMention: []string{"not valid JSON|Unexpected token|SyntaxError", "payments\\.js|coastpay|<!doctype|pay"},
		Fix: "Check content type and status of the provider's answers and tell people to try later; watch the provider's status page.", Difficulty: "medium"}), l)
	s.TZ, s.Host = "Asia/Kathmandu", "camp-7"
	s.Routes = changed(s.Routes, "POST /api/stays/{id}/pay", func(r *Route) { r.Weight = 1.6 })
	s.Setup = func(e *Env) {
		e.Past(6*time.Hour, "deploy", "stays", "2026.11.3", "deploy stays 2026.11.3: dependency updates")
		e.Past(31*time.Minute, "config", "gateway", "", "nginx: larger buffers")
		l.up(e)
		l.gate(e, GW{Format: "json", Access: "edge.json", Errors: "edge.err"}, "", "proxy_read_timeout 15s;")
		l.hum(e)
	}
	s.Inject = func(e *Env) {
		l.deploy(e, "guests", "0.31.2", "deploy guests 0.31.2: wording", Edit{"app.py", "wrong email or password", "email or password is wrong"})
		e.settle(16 * time.Second)
		e.behave(l.pay(), behaviour{Body: "<!doctype html><title>Scheduled maintenance</title><p>We will be back shortly.", Type: "text/html"})
	}
	s.Keep = []string{"edge.json", "edge.err", "stays-1.log", "stays-2.log", "guests.log", "pitches.log", "changes.jsonl", "traces.jsonl", "metrics/stays.om", "metrics/nginx.om", "metrics/guests.om"}
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	return s
}
