package mechanism

import "github.com/inquesthq/inquest"

// queryError: the database refused a statement.
func queryError() Mechanism {
	return Mechanism{
		ID:    "database/query-error",
		Title: "Query error",
		What: "The database refused a statement: it is malformed, breaks a constraint, or holds a value that does not fit. The code did not expect the refusal, " +
			"so the request ended as a 500.",
		Signs: []string{
			"quick 500 answers on the routes that run this statement",
			"an SQL exception with a SQLSTATE in the application's log, the same error in the database's",
		},
		Needs:       []string{"a database error about the statement in the requests that failed"},
		Contradicts: []string{"unknown tables or columns after a release (then it is a schema mismatch)", "the same few duplicate-key errors as every day"},
		Explains:    ids(fallout(), these("misconfiguration/error-mapping")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"deploy", "migration", inquest.TriggerData, "flag", "config"},
		Roles:       []Role{RoleSelf, RoleDatabase},
		Clues: []Clue{
			coded(0.9, "PostgreSQL: syntax, types, ambiguous names, values out of range; MySQL likewise", "42601", "42804", "42883", "42702", "42803", "42846", "22p02", "22001", "22003", "22007", "22008", "22012", "22021", "25p02",
				"mysql:1064", "mysql:1052", "mysql:1292", "mysql:1264", "mysql:1366", "mysql:1406", "er_parse_error", "er_data_too_long", "er_bad_null_error", "hy093", "hy010"),
			says(0.9, "syntax errors in SQL, in the servers' words", "you have an error in your sql syntax", "syntax error at or near", "incorrect syntax near", "sqlgrammarexception", "badsqlgrammarexception", "ora-00933", "ora-00936", "ora-00907",
				"sqlite_error: near", "sql logic error", "near \"*\": syntax error", "unterminated quoted string"),
			says(0.8, "values that do not fit", "invalid input syntax for", "value too long for type", "data too long for column", "out of range for type", "numeric field overflow", "incorrect datetime value", "incorrect string value",
				"string or binary data would be truncated", "conversion failed when converting", "arithmetic overflow error converting", "operator does not exist", "division by zero*sql", "dataintegrityviolationexception: could not execute", "out of range value for column",
				"ora-01400", "ora-01722", "ora-12899"),
			says(0.95, "numbers for keys are used up: PostgreSQL, SQL Server, Oracle, MySQL and MariaDB", "reached maximum value of sequence", "sequence generator limit exceeded", "has reached its minimum or maximum value", "exceeds maxvalue and cannot be instantiated",
				"failed to read auto-increment value from storage engine", "has run out, try restarting it"),
			coded(0.95, "PostgreSQL sequence_generator_limit_exceeded; MySQL 1467, MariaDB 4084", "2200h", "mysql:1467", "mysql:4084"),
			says(0.7, "a constraint that the code did not expect", "violates not-null constraint", "violates foreign key constraint", "violates check constraint", "a foreign key constraint fails", "cannot be null*sql", "cannot insert the value null into",
				"foreign key constraint failed", "ora-02291", "ora-02292", "not null constraint failed"),
			coded(0.7, "integrity violations but for duplicates", "23502", "23503", "23514", "mysql:1048", "mysql:1451", "mysql:1452"),
			says(0.8, "the transaction had failed before, and the code went on", "current transaction is aborted, commands ignored", "infailedsqltransaction", "transaction has been rolled back*only", "unexpectedrollbackexception"),
			says(0.2, "duplicates are everyday noise: two clients, one name", "duplicate key value violates unique constraint", "duplicate entry * for key", "unique constraint failed", "e11000 duplicate key", "ora-00001", "violation of unique key constraint", "violation of primary key constraint"),
			coded(0.2, "duplicates are everyday noise", "23505", "mysql:1062", "er_dup_entry"),
			says(0.2, "cancelled on request: somebody went away", "canceling statement due to user request", "query execution was interrupted").but("maximum statement"),
			says(0.5, "a replica cancelled the query to keep up with its primary", "canceling statement due to conflict with recovery"),
			thrown(0.5, "a database exception of any kind", "SQLException", "PSQLException", "DatabaseError", "ProgrammingError", "DataError", "IntegrityError", "QueryFailedError", "SequelizeDatabaseError", "PDOException", "QueryException", "StatementInvalid",
				"PostgresException", "SqlException", "MySqlException", "DbUpdateException", "PrismaClientKnownRequestError", "DataIntegrityViolationException", "ConstraintViolationException", "Postgrex.Error", "StatementError").
				but("duplicate", "unique constraint", "connection", "connect", "timeout", "timed out", "deadlock", "p2025"),
			says(0.6, "a statement with the wrong number of parameters, or results nobody closed", "bind message supplies", "parameter index out of range", "could not determine data type of parameter", "expected * arguments, got", "invalid parameter number", "commands out of sync",
				"cached plan must not change result type", "prepared statement * does not exist", "prepared statement * already exists"),
			says(0.6, "MongoDB and search engines refuse the query", "mongoservererror", "unrecognized pipeline stage", "search_phase_execution_exception", "query_shard_exception", "all shards failed", "unknown operator: $").but("e11000", "not primary"),
		},
		Confirm: []inquest.Command{
			check("Read the statement and the server's words.", "inquest error {request} {folder}", "one statement, one SQLSTATE in every failing request"),
			check("Look at the errors in the database's log.", "journalctl -u postgresql --since '-30 min' --no-pager | grep -E 'ERROR:|STATEMENT:' | tail -n 40", "the same statement, new since the onset"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Handle the refusal: answer 409 for duplicates and conflicts, 422 for values that do not fit, 500 with an error id for all else.", ""),
			later("cause", "Repair the statement, or the data that it stumbles over.", ""),
			prevent("Run every statement against the real schema in CI.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
