package mechanism

import "github.com/inquesthq/inquest"

// tooManyConnections: the database server has no slot left.
func tooManyConnections() Mechanism {
	return Mechanism{
		ID:    "database/too-many-connections",
		Title: "Database out of connection slots",
		What: "The database server runs, but all its connection slots (max_connections) are taken; new connections are turned away. Usually instances x pool size " +
			"outgrew the limit (a scale-out, a second service, a leak), or each request opens a connection of its own.",
		Signs: []string{
			"some instances or services fail and others go on: whoever holds connections is fine",
			"`too many clients`, `Too many connections`, `remaining connection slots are reserved` at once, without waiting",
			"connections of the server = max_connections",
		},
		Needs:       []string{"the server's own refusal, or its connections at max_connections while requests fail"},
		Contradicts: []string{"free slots on the server at the time (then it is the application's own pool)"},
		Explains:    ids(fallout(), these("database/pool-exhausted", "database/query-error", "bad-deploy/startup-crash", "misconfiguration/error-mapping")),
		Above:       ids(slowAbove(), failingAbove()),
		Triggers:    []inquest.TriggerKind{"scale", "deploy", inquest.TriggerTraffic, "config", "restart"},
		About:       []string{"pool", "connection", "max_connections", "worker"},
		Gradual:     true,
		Shared:      true,
		Roles:       []Role{RoleDatabase, RoleSelf},
		Clues: []Clue{
			says(1, "PostgreSQL and its poolers", "sorry, too many clients already", "remaining connection slots are reserved", "too many connections for role", "too many connections for database",
				"no more connections allowed", "max client connections reached", "maxclientsinsessionmode"),
			coded(1, "PostgreSQL 53300, MySQL 1040 and 1203, SQL Server 10928", "53300", "mysql:1040", "mysql:1203", "mysql:1226", "er_con_count_error", "er_too_many_user_connections"),
			says(1, "MySQL and MariaDB", "too many connections", "has already more than 'max_user_connections' active connections", "has exceeded the 'max_user_connections' resource",
				"is blocked because of many connection errors").but("http", "accept", "worker_connections", "per host", "from your ip", "websocket"),
			says(1, "Oracle, SQL Server, MongoDB", "ora-00020", "ora-00018", "ora-12516", "ora-12519", "ora-12520", "maximum number of processes (", "the maximum number of user connections", "connection refused because too many open connections",
				"the request limit for the database is"),
			says(0.9, "Redis at maxclients: the cache's slots, not the database's, but the same cure", "max number of clients reached"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceConnections, Weight: 0.8, Why: "connections of the server at its maximum are what the mechanism is"},
			{Symptom: inquest.SymptomTraffic, Detail: "surge", Weight: 0.1, Why: "more traffic takes more connections"},
		},
		Confirm: []inquest.Command{
			check("Count the connections against the limit.",
				`psql -d {database} -c "SELECT count(*) AS used, current_setting('max_connections') AS max FROM pg_stat_activity"`, "used close to max (80%: warning, 95%: now)"),
			check("Who holds them?",
				`psql -d {database} -c "SELECT datname, usename, application_name, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC LIMIT 20"`,
				"one service, one host or one state with most of them"),
			check("MySQL: the same question.", `mysql --host={host} -e "SHOW STATUS LIKE 'Threads_connected'; SHOW VARIABLES LIKE 'max_connections'"`, "both numbers close together"),
			check("Count what ending idle connections would free.", `psql -d {database} -c "SELECT count(*) FROM pg_stat_activity WHERE `+idleConnections+`"`, "0: ending idle connections frees nothing"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "If the count above is not 0: end the connections of this database and user that have been idle for 5 minutes.",
				`psql -d {database} -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE `+idleConnections+`"`),
			now("cause", "Undo the scale-out or shrink the pools until instances x pool maximum fits under max_connections minus a reserve.", "kubectl scale deployment/{service} --replicas=2"),
			later("cause", "Put a pooler (PgBouncer, ProxySQL) between; let no request open a connection of its own.", ""),
			prevent("Compute instances x pool maximum at deploy time and refuse what does not fit; alert at 80% of max_connections.", ""),
		},
		Owner:  "configuration",
		Status: 503,
	}
}
