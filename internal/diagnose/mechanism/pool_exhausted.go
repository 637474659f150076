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
		// Memory is not listed: an application near its memory limit collects garbage, answers slowly and so holds
		// connections longer, more often than a queue at the pool fills the memory.
		// A time-out that is too short is the callers' reading (Above): in the component itself, a shortened time-out makes
		// calls fail, and failing calls keep connections.
		Explains: ids(fallout(), these("resource-exhaustion/threads")),
		Above:    slowAbove(),
		Triggers: []inquest.TriggerKind{"deploy", inquest.TriggerTraffic, "config", "flag", "scale", "migration"}, About: []string{"pool", "connection", "max_connections"},
		Gradual: true,
		Roles:   []Role{RoleSelf},
		Clues:   poolClues(),
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourcePool, Weight: 0.8, Why: "in use at the maximum while requests fail is what the mechanism is"},
			{Symptom: inquest.SymptomPlateau, Weight: 0.2, Why: "an acquire time-out piles failures up at one duration"},
		},
		Confirm: []inquest.Command{
			check("Count the service's connections by state; connect as the service's database user.",
				`psql -d {database} -c "SELECT state, count(*), max(now() - state_change) AS longest FROM pg_stat_activity `+
					`WHERE datname = current_database() AND usename = current_user GROUP BY state"`,
				"as many as the pool's maximum; `idle in transaction` (leak) or long `active` ones (slow query) hold it"),
			check("Ask the logs for the pool's own figures.",
				`kubectl logs deployment/{service} --since=15m | grep -i 'connection pool'`, "active = max, pending above zero"),
			check("Count what killing idle connections would free, before anybody kills one.",
				`psql -d {database} -c "SELECT count(*) FROM pg_stat_activity WHERE `+idleConnections+`"`,
				"0: killing idle connections frees nothing; cancel the longest queries instead"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "A restart frees leaked connections for a while.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "If the count above is not 0: end the connections of this database and user that have been idle for 5 minutes.",
				`psql -d {database} -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE `+idleConnections+`"`),
			now("symptom", "If nothing is idle: cancel the longest running queries of this user.",
				`psql -d {database} -c "SELECT pg_cancel_backend(pid), now() - query_start AS age, query FROM pg_stat_activity `+
					`WHERE datname = current_database() AND usename = current_user AND state = 'active' AND pid <> pg_backend_pid() `+
					`AND query_start < now() - interval '30 seconds' ORDER BY query_start LIMIT 5"`),
			now("symptom", "If the load outgrew the pool: raise its maximum (to 50, say), as long as maximum x instances stays under max_connections minus a reserve.",
				`psql -d {database} -c "SHOW max_connections"`),
			later("symptom", "Set an acquire time-out (5 s) and a query time-out (10 s); answer 503 with Retry-After when they run out.",
				`psql -d {database} -c "ALTER ROLE {user} SET statement_timeout = '10s'"`),
			later("cause", "Give every connection back in a finally/defer; take none across outside calls; add the index that the slow query lacks.", ""),
			prevent("Alert at 80% of the pool, page at 95%, and let readiness answer 503 above 95%.", ""),
			prevent("Put a pooler (PgBouncer) or a read replica in front when instances outnumber connections.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}

// idleConnections narrows to what may be ended without harm: this database, this user, idle for 5 minutes, not ourselves.
const idleConnections = `datname = current_database() AND usename = current_user AND state IN ('idle', 'idle in transaction') ` +
	`AND state_change < now() - interval '5 minutes' AND pid <> pg_backend_pid()`

func poolClues() []Clue {
	return []Clue{
		says(1, "says so literally (many pools; Tomcat JDBC; MongoDB)", "connection pool exhausted", "pool exhausted", "pool is exhausted",
			"connection pool is full", "connection pool has been exhausted", "pool empty. unable to fetch a connection", "no more connections in pool",
			"no free connections in pool", "no available connections in the pool", "all connections in the pool are in use").
			but("thread pool exhausted", "thread pool is exhausted", "memory pool", "discarding connection"),
		says(1, "node-postgres: the wait for a pooled client ran out", "timeout exceeded when trying to connect"),
		says(1, "HikariCP", "connection is not available, request timed out after"),
		says(1, "SQLAlchemy", "queuepool limit of size * overflow * reached", "queuepool limit of size"),
		says(1, "knex, generic-pool, Sequelize, tarn", "knex: timeout acquiring a connection", "resourcerequest timed out", "timeout acquiring a connection",
			"sequelizeconnectionacquiretimeouterror", "operation timeout; resource acquire"),
		says(1, "DBCP, c3p0, Druid, JBoss/IronJacamar", "cannot get a connection, pool error", "timeout waiting for idle object",
			"an attempt by a client to checkout a connection has timed out", "wait millis *, active *, maxactive", "no managed connections available within configured blocking timeout"),
		says(1, "ActiveRecord, Sequel, the connection_pool gem", "could not obtain a connection from the pool within", "could not obtain a database connection within",
			"sequel::pooltimeout", "waited * sec, */* available"),
		says(1, "ADO.NET, Npgsql", "the timeout period elapsed prior to obtaining a connection from the pool", "timeout expired. the timeout period elapsed prior to obtaining"),
		says(1, "Prisma, TypeORM on mysql2", "timed out fetching a new connection from the connection pool", "queue limit reached", "no connections available.").
			but("message queue"),
		says(1, "sqlx, deadpool, bb8 and r2d2 (Rust)", "pool timed out while waiting for an open connection", "timed out waiting for connection from pool",
			"timeout occurred while waiting for a slot to become available", "timed out in bb8", "timed out waiting for connection: "),
		says(1, "Elixir DBConnection", "connection not available and request was dropped from queue", "could not checkout the connection"),
		says(1, "MongoDB drivers, psycopg 3, redis-py, Jedis", "timed out while checking out a connection from connection pool", "timed out waiting for a connection from the pool",
			"couldn't get a connection after", "waitqueuetimeouterror", "mongowaitqueuefullexception", "could not get a resource from the pool", "pooltimeout"),
		says(0.9, "go-redis; pgx and database/sql tell it as a deadline while acquiring", "redis: connection pool timeout", "failed to acquire connection: context deadline exceeded",
			"acquire connection: context deadline exceeded"),
		says(0.7, "PgBouncer: the pool between application and database has no free server connection", "query_wait_timeout", "no more connections allowed (max_client_conn)"),
		says(0.7, "HTTP client pools: leases not returned or too few", "timeout waiting for connection from pool", "connectionpooltimeoutexception", "pending acquire queue has reached its maximum"),
		says(0.4, "told with the pool's figures: somebody counts who waits", "pool stats (total=* waiting=", "connection pool * pending="),
		says(0.6, "leak detection of HikariCP and others: a connection was taken and not given back", "apparent connection leak detected", "connection leak detection triggered",
			"connection has been abandoned"),
	}
}
