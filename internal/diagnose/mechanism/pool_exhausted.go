package mechanism

import "github.com/inquesthq/inquest"

// poolExhausted: every connection of a pool is in use, and requests wait in vain for one.
func poolExhausted() Mechanism {
	return Mechanism{
		ID:    "database/pool-exhausted",
		Title: "Connection pool exhausted",
		What: "All connections of the application's pool were in use and none came back in time: requests queue for one and fail " +
			"when their wait runs out. The database itself may be idle. Either connections leak (taken, never given back), or they are held " +
			"too long (slow queries, transactions around outside calls), or the load outgrew the pool.",
		Signs: []string{
			"5xx and slow answers on every route that needs the database, routes without it stay fine",
			"durations of the failures pile up at the pool's acquire time-out",
			"pool in use = maximum, waiters above zero",
		},
		Needs:       []string{"the pool's own error in failing requests, or pool in use at its maximum with waiters while requests fail"},
		Contradicts: []string{"free connections in the pool at the time", "the database refusing connections (then it is down or out of slots)"},
		Explains: []inquest.MechanismID{"unhandled-exception/null-dereference", "unhandled-exception/type-error",
			"unhandled-exception/unhandled-rejection", "dependency-failure/timeout", "resource-exhaustion/threads",
			"misconfiguration/timeout-too-short", "resource-exhaustion/memory"},
		Triggers: []inquest.TriggerKind{"deploy", inquest.TriggerTraffic, "config", "flag", "scale", "migration"},
		Gradual:  true,
		Roles:    []Role{RoleSelf},
		Clues: []Clue{
			{Any: []string{"connection pool exhausted", "pool exhausted", "pool is exhausted", "connection pool is full", "pool empty. unable to fetch a connection"},
				Weight: 1, Why: "says so literally (many pools; Tomcat JDBC)"},
			{Any: []string{"timeout exceeded when trying to connect"}, Weight: 1, Why: "node-postgres: wait for a pooled client ran out"},
			{Any: []string{"connection is not available, request timed out after"}, Weight: 1, Why: "HikariCP"},
			{Any: []string{"queuepool limit of size * overflow * reached"}, Weight: 1, Why: "SQLAlchemy"},
			{Any: []string{"knex: timeout acquiring a connection", "resourcerequest timed out", "timeout acquiring a connection"}, Weight: 1, Why: "knex, generic-pool, sequelize"},
			{Any: []string{"cannot get a connection, pool error", "timeout waiting for idle object", "an attempt by a client to checkout a connection has timed out"},
				Weight: 1, Why: "DBCP, c3p0"},
			{Any: []string{"could not obtain a connection from the pool within", "could not obtain a database connection within"}, Weight: 1, Why: "ActiveRecord"},
			{Any: []string{"the timeout period elapsed prior to obtaining a connection from the pool", "connection pool has been exhausted"}, Weight: 1, Why: "ADO.NET, Npgsql"},
			{Any: []string{"timed out fetching a new connection from the connection pool"}, Weight: 1, Why: "Prisma"},
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourcePool, Weight: 0.8, Why: "in use at the maximum while requests fail is what the mechanism is"},
			{Symptom: inquest.SymptomPlateau, Weight: 0.2, Why: "an acquire time-out piles failures up at one duration"},
		},
		Confirm: []inquest.Command{
			{Text: "Count the service's connections by state.",
				Command: `psql -d {database} -c "SELECT state, count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY state"`,
				Expect:  "as many as the pool's maximum; `idle in transaction` or long `active` ones hold it"},
		},
		Actions: []inquest.Action{
			{Text: "If a change to the service came before: roll it back; a restart frees leaked connections for a while.", Phase: inquest.PhaseNow, Cures: "cause",
				Command: "kubectl rollout undo deployment/{service}"},
			{Text: "Set an acquire time-out (5 s) and a query time-out (10 s), answer 503 with Retry-After when they run out.", Phase: inquest.PhaseLater, Cures: "symptom"},
			{Text: "Give every connection back in a finally/defer; take none across outside calls.", Phase: inquest.PhaseLater, Cures: "cause"},
			{Text: "Alert at 80% of the pool, page at 95%; keep pool maximum x instances under max_connections with a reserve.", Phase: inquest.PhasePrevent, Cures: "cause"},
		},
		Owner:  "code",
		Status: 503,
	}
}
