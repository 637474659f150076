package mechanism

import "github.com/inquesthq/inquest"

// lockContention: transactions wait for each other.
func lockContention() Mechanism {
	return Mechanism{
		ID:    "database/lock-contention",
		Title: "Lock contention",
		What: "Transactions wait for locks that others hold too long, until a lock time-out, a statement time-out or the deadlock detector ends them. Typical holders: " +
			"a migration (ALTER TABLE), a long report, a transaction left open, a hot row that everybody updates.",
		Signs: []string{
			"slow answers and 5xx on the routes that write to one table, others fine",
			"`deadlock detected`, `Lock wait timeout exceeded`, `still waiting for ShareLock` in the logs",
			"database CPU low, sessions waiting high",
		},
		Needs:       []string{"lock or deadlock errors in failing requests, or sessions waiting for locks while requests are slow"},
		Contradicts: []string{"no session waiting for a lock at the time", "single deadlocks that the code repeated with success"},
		// Slow queries are listed: a statement that waits for a lock is slow, and the log calls it so.
		Explains: ids(fallout(), these("database/slow-query", "database/too-many-connections", "database/pool-exhausted", "database/query-error",
			"resource-exhaustion/threads", "misconfiguration/timeout-too-short")),
		Above:    slowAbove(),
		Triggers: []inquest.TriggerKind{"migration", "deploy", inquest.TriggerTraffic, "infra", inquest.TriggerData, "scale"},
		About:    []string{"lock", "index", "transaction", "batch", "backfill", "vacuum"},
		Shared:   true,
		Roles:    []Role{RoleDatabase, RoleSelf},
		Silent:   true,
		Clues: []Clue{
			says(1, "deadlocks in every database's words", "deadlock detected", "deadlock found when trying to get lock", "was deadlocked on lock resources", "ora-00060", "deadlockloserdataaccessexception", "activerecord::deadlocked",
				"transaction was chosen as the deadlock victim", "chosen as deadlock victim").but("retrying", "will retry", "retried", "goroutines are asleep"),
			coded(1, "PostgreSQL 40P01 and 55P03, MySQL 1205 and 1213", "40p01", "55p03", "mysql:1205", "mysql:1213", "er_lock_wait_timeout", "er_lock_deadlock").but("retrying", "will retry", "retried"),
			says(0.3, "a deadlock that the code repeats: everyday life under load", "deadlock detected", "deadlock found", "deadlocked").and("retr"),
			says(1, "the wait for a lock ran out", "canceling statement due to lock timeout", "lock wait timeout exceeded", "could not obtain lock on", "lock request time out period exceeded", "ora-00054", "ora-30006",
				"cannotacquirelockexception", "pessimisticlockexception", "locktimeoutexception", "lockacquisitionexception", "activerecord::lockwaittimeout", "locknotavailable"),
			says(0.9, "PostgreSQL's log_lock_waits", "still waiting for * on ", "process holding the lock:", "acquired * after * ms").by(OriginDatabase),
			says(0.9, "MySQL and MariaDB: what a list of processes says of a session that waits (General Thread States)", "waiting for global read lock", "waiting for backup lock", "waiting for commit lock", "waiting for table metadata lock", "waiting for schema metadata lock", "waiting for table level lock", "waiting for table flush"),
			says(0.6, "a backup or a migration says that it locks whole tables", "tables are locked", "tables locked for", "flush tables with read lock", "lock tables for backup", "acquiring global read lock", "lock instance for backup"),
			says(0.9, "SQLite and MongoDB", "database is locked", "database table is locked", "sqlite_busy", "unable to acquire lock", "writeconflict error", "lockbusy"),
			says(0.4, "serialization failures: transactions got in each other's way and have to be repeated", "could not serialize access due to", "current transaction is aborted due to conflict", "restart transaction:", "write conflict during plan execution"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSlow, Weight: 0.2, Why: "waiting for a lock is waiting"},
			{Symptom: inquest.SymptomPlateau, Weight: 0.2, Why: "lock and statement time-outs pile failures up at one duration"},
		},
		Confirm: []inquest.Command{
			check("Who waits for whom?",
				`psql -d {database} -c "SELECT pid, pg_blocking_pids(pid) AS blocked_by, now() - query_start AS age, state, left(query, 80) AS query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 ORDER BY age DESC"`,
				"many sessions blocked by one pid: that one is the holder"),
			check("MySQL: the same question.", `mysql --host={host} -e "SELECT * FROM sys.innodb_lock_waits\G"`, "the blocking query and since when it runs"),
		},
		Actions: []inquest.Action{
			now("cause", "Look at the blocking session; if it may go (a migration or report, not a payment run), cancel it, and only then end it.",
				`psql -d {database} -c "SELECT pid, usename, state, now() - xact_start AS age, query FROM pg_stat_activity WHERE pid = {pid}" -c "SELECT pg_cancel_backend({pid})"`),
			now("cause", "If a migration holds the lock: stop it and run it again with a lock time-out, outside the peak.", ""),
			later("symptom", "Set lock_timeout (3 s) and repeat deadlocked transactions with back-off, a few times only.", ""),
			later("cause", "Shorten transactions, take locks in one order everywhere, split up the hot row.", ""),
			prevent("Run migrations with lock_timeout and in small steps (CREATE INDEX CONCURRENTLY); alert on waits above 5 s.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}
