package mechanism

import "github.com/inquesthq/inquest"

// readOnly: writes reach a server that only reads.
func readOnly() Mechanism {
	return Mechanism{
		ID:    "database/read-only",
		Title: "Database refuses writes",
		What: "Writes reach a server that accepts only reads: a replica after a fail-over, an old primary, or a primary that protects itself (full disk, failed " +
			"snapshot). Reads work, so half of the service looks healthy.",
		Signs: []string{
			"5xx on writing routes (POST, PUT, DELETE), reading routes fine",
			"`read-only transaction`, `READONLY`, `not master`, `--read-only` in the logs",
		},
		Needs:       []string{"a write that the database refused as read-only in the failing requests"},
		Contradicts: []string{"writes of other services succeeding on the same server"},
		Explains:    ids(fallout(), these("database/query-error", "misconfiguration/error-mapping")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"infra", "config", "restart", inquest.TriggerExternal, "migration"},
		About:       []string{"replica", "failover", "primary", "standby", "switchover", "read-only", "readonly", "promot"},
		Roles:       []Role{RoleDatabase, RoleSelf},
		Clues: []Clue{
			says(1, "PostgreSQL", "in a read-only transaction", "during recovery*cannot execute", "cannot execute * during recovery"),
			coded(1, "PostgreSQL read_only_sql_transaction; MySQL 1290, 1792, 1836", "25006", "mysql:1290", "mysql:1792", "mysql:1836"),
			says(1, "MySQL and MariaDB", "running with the --read-only option", "running with the --super-read-only option", "cannot execute statement in a read only transaction", "running in read-only mode"),
			says(1, "MongoDB", "not master and slaveok=false", "notwritableprimary", "notprimarynosecondaryok", "not primary", "notmaster").but("not primary key"),
			says(1, "Redis: a replica, or a primary that cannot save its snapshot", "readonly you can't write against a read only replica", "you can't write against a read only", "misconf redis is configured to save rdb snapshots",
				"noreplicas not enough good replicas to write"),
			says(0.9, "Elasticsearch above its flood-stage disk watermark; SQL Server; Oracle; SQLite", "cluster_block_exception", "read-only-allow-delete", "because the database is read-only", "ora-16000", "attempt to write a readonly database"),
		},
		Confirm: []inquest.Command{
			check("Ask the server whether it is a replica.", `psql -h {host} -d {database} -c "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')"`, "t, or on: this server takes no writes"),
			check("Which server does the name point at now?", "getent hosts {host}", "the old primary or a replica"),
		},
		Actions: []inquest.Action{
			now("cause", "Point the service at the primary (name, pooler or load balancer), then restart it: connections made before the fail-over stay with the old server.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "Answer 503 with Retry-After on writing routes; keep reading routes up.", ""),
			later("cause", "Let the driver look for the primary (target_session_attrs=read-write) and drop connections that answer read-only.", ""),
			prevent("Rehearse the fail-over; use short DNS lifetimes and a connection lifetime in the pool.", ""),
		},
		Owner:  "infrastructure",
		Status: 503,
	}
}
