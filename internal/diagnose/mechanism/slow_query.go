package mechanism

import "github.com/inquesthq/inquest"

// slowQuery: the database works, and takes too long.
func slowQuery() Mechanism {
	return Mechanism{
		ID:    "database/slow-query",
		Title: "Slow queries",
		What: "Queries that used to be quick take seconds: an index is missing, statistics are stale, the plan changed, the data grew, or the code asks for too much. " +
			"Requests time out, connections stay taken, and the pool runs dry behind them.",
		Signs: []string{
			"slow answers first, 5xx later, on the routes that run the query",
			"`duration: ... ms`, slow-query log or `canceling statement due to statement timeout`",
			"database CPU or disk reads high; pool filling up",
		},
		Needs:       []string{"queries measured as slow against their baseline, or statements cancelled by a time-out, on the failing routes"},
		Contradicts: []string{"the same queries as quick as ever", "sessions waiting for locks (then it is lock contention)", "one report that is always slow"},
		// CPU is listed: a query without its index burns the database's CPU far more often than a busy CPU makes queries slow.
		Explains: ids(fallout(), these("database/pool-exhausted", "database/query-error", "resource-exhaustion/cpu", "resource-exhaustion/threads",
			"misconfiguration/timeout-too-short", "dependency-failure/timeout", "dependency-failure/upstream-overload")),
		Above:    slowAbove(),
		Triggers: []inquest.TriggerKind{"deploy", "migration", inquest.TriggerData, inquest.TriggerTraffic, "config", "flag", "infra", "scale"}, About: []string{"report", "vacuum", "analyze", "statistics"},
		Gradual: true, Shared: true,
		Roles:  []Role{RoleDatabase, RoleSelf},
		Silent: true,
		Clues: []Clue{
			says(0.9, "cancelled by the time-out that was set for it", "canceling statement due to statement timeout", "maximum statement execution time exceeded", "query execution was interrupted, maximum statement", "max_execution_time exceeded",
				"exceeded time limit", "maxtimemsexpired", "operation exceeded time limit", "querytimeoutexception", "query timeout expired", "execution timeout expired", "ora-01013", "query read timeout", "statement timeout",
				"sqltimeoutexception", "statementtimeout", "query timed out").but("statement timeout =", "set statement_timeout", "statement timeout set to"),
			coded(0.5, "PostgreSQL query_canceled: by a time-out or by a person; MySQL 3024, 1969", "57014", "mysql:3024", "mysql:1969").but("due to user request"),
			thrown(0.6, "ActiveRecord, psycopg and others: a statement was cancelled, mostly by its time-out", "QueryCanceled", "StatementTimeout", "QueryCanceledError", "QueryCanceledException").but("due to user request"),
			says(0.8, "ADO.NET: the command's time-out", "the timeout period elapsed prior to completion of the operation").but("obtaining a connection"),
			says(0.7, "slow-query logs of servers, ORMs and pools", "slow query", "slow sql", "slow_query", "query_time:", "slow statement", "slowquery", "long running query", "longrunningquery").
				but("slow_query_log=", "slow query log is", "slow query log enabled"),
			says(0.5, "PostgreSQL's log_min_duration_statement: slow by the threshold that was set", "ms  statement:", "ms  execute ", "ms  parse ", "ms  bind ", "duration: * ms  plan:").by(OriginDatabase),
			says(0.5, "MongoDB's profiler", "\"slow query\"", "planSummary: COLLSCAN", "plansummary\":\"collscan").by(OriginDatabase),
			says(0.4, "Redis: a command that holds up all others", "busy redis is busy running a script"),
			says(0.6, "Cassandra and others: replicas answered too late", "readtimeoutexception: cassandra", "cassandra timeout during read", "operation timed out - received only"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSlow, Weight: 0.4, Why: "the routes that use the query became slow; who of the callees, spans and query metrics tell"},
			{Symptom: inquest.SymptomPlateau, Weight: 0.2, Why: "a statement time-out piles failures up at one duration"},
		},
		Confirm: []inquest.Command{
			check("Which queries take the time now?",
				`psql -d {database} -c "SELECT calls, round(mean_exec_time) AS mean_ms, round(max_exec_time) AS max_ms, left(query, 100) AS query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 10"`, "one query far above the others, or far above its usual mean"),
			check("Which run now, and for how long?",
				`psql -d {database} -c "SELECT pid, now() - query_start AS age, wait_event_type, left(query, 100) AS query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() ORDER BY age DESC LIMIT 10"`, "seconds, no Lock in wait_event_type"),
			check("Read the plan.", `psql -d {database} -c "EXPLAIN (BUFFERS) {query}"`, "a sequential scan over a large table: the index is missing"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Cancel the longest queries if they block the service.",
				`psql -d {database} -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND state = 'active' AND query_start < now() - interval '30 seconds' AND pid <> pg_backend_pid()"`),
			later("symptom", "Set a query time-out (10 s) and answer 503 when it runs out.", ""),
			later("cause", "Add the missing index without blocking writes.", `psql -d {database} -c "CREATE INDEX CONCURRENTLY ON {table} ({column})"`),
			later("cause", "If an index is there and not used: refresh the statistics.", `psql -d {database} -c "ANALYZE VERBOSE {table}"`),
			later("cause", "Ask for less: pages, fewer columns, no query per row.", ""),
			prevent("Keep pg_stat_statements on; alert when a query's mean triples; explain new queries on data of production size.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}
