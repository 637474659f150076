package mechanism

import "github.com/inquesthq/inquest"

// databaseDown: the database server does not answer.
func databaseDown() Mechanism {
	return Mechanism{
		ID:    "database/down",
		Title: "Database down",
		What: "The database server does not run, is starting up or shutting down, or cannot be reached. Every request that needs it fails; " +
			"requests served from a cache or without the database go on.",
		Signs: []string{
			"5xx on all routes that need the database, at the same second, on every instance",
			"connection refused, terminated or lost with the database's address in the logs",
			"the database's log ends, or tells of a shutdown or recovery; its metrics stop",
		},
		Needs:       []string{"refused, lost or rejected connections to the database in the failing requests, or the database's own word that it stops or starts"},
		Contradicts: []string{"other services using the same database without trouble", "free answers from the database at the same time: then it is the pool, a limit or one query"},
		Explains: ids(fallout(), these("database/too-many-connections", "database/pool-exhausted", "database/query-error", "database/slow-query", "resource-exhaustion/threads",
			"dependency-failure/refused", "dependency-failure/timeout", "dependency-failure/upstream-overload", "bad-deploy/startup-crash", "misconfiguration/error-mapping")),
		Above:    ids(slowAbove(), failingAbove()),
		Triggers: []inquest.TriggerKind{"infra", "restart", inquest.TriggerExternal, "config", "migration", "scale"},
		Roles:    []Role{RoleDatabase, RolePeer, RoleSelf},
		Clues:    databaseDownClues(),
		Supports: []Support{
			{Symptom: inquest.SymptomGap, Detail: "up", Weight: 0.6, Why: "the database's own scrape failed"},
			{Symptom: inquest.SymptomUpstream, Detail: "refused", Weight: 0.3, Why: "somebody's connection was refused; whether it was the database's, the peer tells"},
			{Symptom: inquest.SymptomRestart, Weight: 0.3, Why: "a database that restarts refuses connections until it has recovered"},
		},
		Confirm: []inquest.Command{
			check("Ask the server whether it accepts connections.", "pg_isready -h {host} -p {port} -d {database}", "`no response` or `rejecting connections`"),
			check("MySQL: the same question.", "mysqladmin --host={host} --port={port} ping", "`connect to server at ... failed`"),
			check("Read the last words of the server.", "journalctl -u postgresql --since '-30 min' --no-pager | tail -n 50", "a shutdown, a crash, a full disk or a recovery"),
		},
		Actions: []inquest.Action{
			now("cause", "Start the database, or fail over to the replica; first see why it stopped (disk full? out of memory?).", "systemctl start postgresql"),
			now("symptom", "Answer 503 with Retry-After on the routes that need it; keep the others up.", ""),
			later("symptom", "Let applications reconnect with back-off and jitter, and check a pooled connection before use.", ""),
			prevent("Run a replica with tested fail-over; alert on the server's absence, its disk and its replication.", ""),
			prevent("Readiness (not liveness) checks the database with SELECT 1, so that no restart storm follows an outage.", ""),
		},
		Owner:  "dependency",
		Status: 503,
	}
}

func databaseDownClues() []Clue {
	return []Clue{
		says(1, "refused at a port that belongs to a database: PostgreSQL, MySQL, MongoDB, SQL Server, Oracle, Cassandra",
			"connection refused*:5432", ":5432*connection refused", "econnrefused*:5432", "connection refused*:3306", ":3306*connection refused", "econnrefused*:3306",
			"connection refused*:27017", ":27017*connection refused", "econnrefused*:27017", ":1433*actively refused", ":1433*connection refused", "econnrefused*:1433",
			":1521*connection refused", "econnrefused*:1521", ":9042*connection refused", "econnrefused*:9042", "econnrefused*:26257",
			"127.0.0.1:5432 refused", ":5432 refused", ":3306 refused", "port 5432 failed: connection refused", "(10061)*mysql"),
		says(0.9, "pgx: no server answered the connection in time", "failed to connect to `*dial error", "failed to connect to `*timeout").but("password", "permission denied", "does not exist"),
		says(0.9, "the connection to a database's port timed out: host gone, firewall, or accept queue full",
			"etimedout*:5432", "etimedout*:3306", "etimedout*:27017", "etimedout*:1433", "dial tcp*:5432: i/o timeout", "dial tcp*:3306: i/o timeout", "dial tcp*:27017: i/o timeout",
			"dial tcp*:5432: connect: connection timed out", "dial tcp*:3306: connect: connection timed out", "connection timeout expired"),
		says(0.7, "node-postgres: no answer while connecting; the server is gone, or the process was too busy to see it", "connection terminated due to connection timeout"),
		says(1, "libpq, JDBC and Npgsql cannot reach the server", "is the server running on that host and accepting", "is the server running on host", "accepting tcp/ip connections",
			"check that the hostname and port are correct and that the postmaster is accepting", "the connection attempt failed.*psqlexception", "psqlexception: the connection attempt failed",
			"failed to connect to `host=* dial error", "failed to connect to `user=* dial error", "npgsqlexception*failed to connect to"),
		coded(1, "PostgreSQL: shutting down, crashed, starting up, cannot connect", "57p01", "57p02", "57p03", "08001", "08006").
			but("due to statement timeout", "due to user request", "password authentication"),
		says(1, "PostgreSQL says that it stops, recovers or starts", "terminating connection due to administrator command", "the database system is starting up", "the database system is shutting down",
			"the database system is in recovery mode", "the database system is not yet accepting connections", "terminating connection because of crash of another server process",
			"terminating connection due to unexpected postmaster exit"),
		says(0.9, "PostgreSQL's own log of going down or coming back", "received fast shutdown request", "received immediate shutdown request", "received smart shutdown request", "database system was interrupted", "database system was not properly shut down",
			"all server processes terminated; reinitializing", "database system is shut down").by(OriginDatabase, OriginSupervisor),
		says(1, "MySQL clients and server: 2002, 2003, 2006, 2013, 1053", "can't connect to mysql server", "can't connect to local mysql server", "can't connect to server on", "mysql server has gone away",
			"lost connection to mysql server", "communications link failure", "server shutdown in progress", "mysqlnontransientconnectionexception", "protocol_connection_lost", "no connection could be made because the target machine*mysql"),
		coded(1, "MySQL client errors", "mysql:2002", "mysql:2003", "mysql:2006", "mysql:2013", "mysql:1053"),
		says(0.9, "MySQL's own log", "normal shutdown", "shutdown complete (mysqld", "innodb: starting crash recovery", "mysqld got signal").by(OriginDatabase, OriginSupervisor),
		says(1, "MongoDB drivers", "mongoserverselectionerror", "mongotimeouterror", "serverselectiontimeouterror", "mongonetworkerror", "no primary found in replica set", "no suitable servers found",
			"no replica set members match selector", "timed out after * while waiting for a server that matches", "server selection error: ", "topology is closed", "pymongo.errors.autoreconnect"),
		says(1, "SQL Server", "a network-related or instance-specific error occurred while establishing a connection", "the server was not found or was not accessible", "a transport-level error has occurred",
			"is not currently available. please retry the connection later"),
		says(1, "Oracle", "ora-12541", "ora-12514", "ora-12170", "ora-03113", "ora-03114", "ora-01034", "ora-12537", "ora-12528", "ora-01033", "the network adapter could not establish the connection"),
		says(1, "ORMs and frameworks", "can't reach database server at", "sequelizeconnectionrefusederror", "sequelizehostnotreachableerror", "activerecord::connectionnotestablished", "pg::connectionbad", "pg::unabletosend",
			"activerecord::databaseconnectionerror", "connection is closed*psql").but("password authentication failed", "too many clients", "does not exist", "remaining connection slots"),
		says(0.8, "the connection broke in mid-use", "server closed the connection unexpectedly", "connection terminated unexpectedly", "terminating connection due to", "this connection has been closed.*psql", "an i/o error occurred while sending to the backend",
			"connection not open", "(dbconnection.connectionerror) tcp connect", "(dbconnection.connectionerror) tcp recv").
			but("idle-in-transaction", "idle-session", "conflict with recovery", "idle session"),
		says(0.8, "Cassandra, Elasticsearch, ClickHouse, DynamoDB local", "nohostavailableexception", "no hosts available for the control connection", "nohostavailable:", "all host(s) tried for query failed", "cannot achieve consistency level"),
		thrown(0.8, "SQL exceptions whose type says that there is no connection", "SQLNonTransientConnectionException", "SQLTransientConnectionException", "CannotGetJdbcConnectionException", "JDBCConnectionException").
			but("request timed out after", "access denied", "too many connections", "password authentication", "connection is not available"),
	}
}
