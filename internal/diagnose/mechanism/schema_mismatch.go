package mechanism

import "github.com/inquesthq/inquest"

// schemaMismatch: code and database disagree about tables and columns.
func schemaMismatch() Mechanism {
	return Mechanism{
		ID:    "bad-deploy/schema-mismatch",
		Title: "Code and schema do not fit",
		What: "The code uses a table, column, type or index that the database does not have: the migration never ran, ran later than the code, or took away what the " +
			"old code still uses. A restart does not help: the same code meets the same schema again.",
		Signs: []string{
			"quick 500 answers on every route that touches the table, from the deploy or migration on",
			"`column ... does not exist`, `Unknown column`, `no such table` in the log",
		},
		Needs:       []string{"an unknown table, column or type in the failing requests"},
		Contradicts: []string{"the same error long before the last deploy or migration", "a typing error in a query that never worked"},
		Explains:    ids(fallout(), these("database/query-error", "bad-deploy/startup-crash", "unhandled-exception/parse-error", "misconfiguration/error-mapping")),
		Above:       ids(failingAbove(), goneAbove()),
		Triggers:    []inquest.TriggerKind{"deploy", "migration", "restart", "config", "infra"},
		About:       []string{"column", "table", "schema", "rename"},
		Roles:       []Role{RoleSelf, RoleDatabase},
		Clues: []Clue{
			coded(1, "undefined column, table, object, schema: PostgreSQL, MySQL, ODBC", "42703", "42p01", "42704", "3f000", "42s22", "42s02", "mysql:1054", "mysql:1146", "mysql:1049", "er_bad_field_error", "er_no_such_table", "p2021", "p2022", "p3009").but("configuration parameter"),
			says(1, "PostgreSQL", "column \"*\" does not exist", "column * does not exist", "relation \"*\" does not exist", "relation * does not exist", "of relation * does not exist", "type \"*\" does not exist", "schema \"*\" does not exist",
				"there is no unique or exclusion constraint matching").but("operator does not exist"),
			says(1, "MySQL and MariaDB", "unknown column '", "doesn't exist*table '", "table '*' doesn't exist", "unknown table '", "column count doesn't match value count", "doesn't have a default value"),
			says(1, "SQLite, SQL Server, Oracle", "no such column", "no such table", "has no column named", "invalid column name", "invalid object name", "ora-00904", "ora-00942", "ora-04043"),
			says(1, "ORMs: the model and the table differ", "schema-validation: missing column", "schema-validation: missing table", "schema-validation: wrong column type", "pg::undefinedcolumn", "pg::undefinedtable", "undefinedcolumn:", "undefinedtable:", "unknownattributeerror", "invalid column name",
				"the column * does not exist in the current database", "the table * does not exist in the current database", "sqlalchemy.exc.nosuchtableerror", "missing field * in row"),
			says(0.9, "migrations: pending, failed or in the wrong order", "migrations are pending", "pendingmigrationerror", "unapplied migration", "you have * unapplied migration", "migration checksum mismatch", "validate failed: migrations have failed validation", "flywayvalidateexception", "detected failed migration to version",
				"detected resolved migration not applied", "dirty database version", "can't locate revision identified by", "migration * failed", "multiple head revisions", "schema version mismatch", "database schema is not up to date", "database schema version", "liquibase*validation failed", "migrationsmissing", "error: p3009").but("version: ok"),
			says(0.8, "a row or result without the column that the code reads", "could not locate column in row for column", "column '*' not found", "the column name * was not found in this resultset", "missing destination name", "column index out of range", "sql: expected * destination arguments in scan", "no column found for name"),
			says(0.8, "Cassandra, ClickHouse, Elasticsearch, Avro, MongoDB validation", "undefined column name", "unconfigured table", "unknown identifier", "no mapping found for", "index_not_found_exception", "strict_dynamic_mapping_exception", "document failed validation", "schema being registered is incompatible", "mapper_parsing_exception", "avrotypeexception"),
		},
		Confirm: []inquest.Command{
			check("Does the table have the column?", `psql -d {database} -c '\d+ {table}'`, "the column from the message is not there"),
			check("Which migrations ran?", `psql -d {database} -c "SELECT * FROM schema_migrations ORDER BY version DESC LIMIT 5"`, "the newest of the release is missing, or one ran that the running code does not know"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("cause", "Or, if the pending migration is safe to run forward: run it now (a dropped column cannot be rolled back by the code alone).", "kubectl create job --from=cronjob/{service}-migrate {service}-migrate-now"),
			later("cause", "Fix the release: make its code work with the schema before and after the migration (expand, then contract).", ""),
			later("cause", "Redeploy in the proper order: expanding migration, code, and only when no instance uses the old column the contracting migration.", ""),
			later("cause", "Look for all other uses of what the change removed or renamed.", "git grep -n -w -e '{column}'"),
			prevent("Check at start that the schema has the version the code expects, and exit 1 if not, before the port is bound.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
