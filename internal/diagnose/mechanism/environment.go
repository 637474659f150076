package mechanism

import "strings"

// Platform is what runs the services: it decides how one restarts, rolls back and looks at them.
type Platform string

// The platforms. The catalogue's commands are written for Kubernetes; On turns them into those of another.
const (
	Kubernetes Platform = "kubernetes"
	Compose    Platform = "compose"
	Docker     Platform = "docker"
	Systemd    Platform = "systemd"
	Supervisor Platform = "supervisord"
	ECS        Platform = "ecs"
	Lambda     Platform = "lambda"
)

// Dialect is the language of the database's client. The catalogue's queries are written for PostgreSQL.
type Dialect string

// The dialects.
const (
	PostgreSQL Dialect = "postgresql"
	MySQL      Dialect = "mysql" // and MariaDB
)

// Environment is where a case was recorded, as far as its files tell. The zero value takes the catalogue as it stands.
type Environment struct {
	Platform Platform
	Dialect  Dialect
}

// On is a template of the catalogue as one types it in this environment, "" where there is no such command:
// advice without a command is better than a command of another world, at 3 am above all.
func (e Environment) On(template string) string {
	switch {
	case strings.HasPrefix(template, "kubectl "):
		if e.Platform == "" || e.Platform == Kubernetes {
			return e.Dialect.inside(template)
		}
		return e.Dialect.inside(e.Platform.translate(template))
	case strings.HasPrefix(template, "psql "):
		return e.Dialect.translate(template)
	}
	return template
}

// verb is what a kubectl command of the catalogue does to a deployment.
type verb string

const (
	undo     verb = "rollout undo"
	restart  verb = "rollout restart"
	status   verb = "rollout status"
	pods     verb = "get pods"
	scale    verb = "scale"
	logs     verb = "logs"
	lastLogs verb = "logs --previous"
	execute  verb = "exec"
)

// typed lists the command of a verb by platform: {x} is the service, {rest} what runs inside of it or follows the logs.
// Left out is what the platform has no single command for: systemd and supervisord know no earlier version and no copies, and a
// command typed on their host sees another environment than the service does.
var typed = map[Platform]map[verb]string{
	Compose: {
		undo:     "docker compose up -d --no-deps {x}  # with the image tag of {previous} in compose.yaml",
		restart:  "docker compose restart {x}",
		status:   "docker compose ps {x}",
		pods:     "docker compose ps -a {x}",
		scale:    "docker compose up -d --no-recreate --scale {x}=4 {x}",
		logs:     "docker compose logs --since 15m {x}{rest}",
		lastLogs: "docker compose logs --tail 100 {x}",
		execute:  "docker compose exec {x} {rest}",
	},
	Docker: {
		restart:  "docker restart {x}",
		status:   "docker ps -a --filter name={x}",
		pods:     "docker ps -a --filter name={x}",
		logs:     "docker logs --since 15m {x}{rest}",
		lastLogs: "docker logs --tail 100 {x}",
		execute:  "docker exec {x} {rest}",
	},
	Systemd: {
		restart:  "systemctl restart {x}",
		status:   "systemctl status {x}",
		pods:     "systemctl status {x}",
		logs:     "journalctl -u {x} --since -15min{rest}",
		lastLogs: "journalctl -u {x} -n 100",
	},
	Supervisor: {
		restart:  "supervisorctl restart {x}",
		status:   "supervisorctl status {x}",
		pods:     "supervisorctl status {x}",
		logs:     "supervisorctl tail -100000 {x}{rest}",
		lastLogs: "supervisorctl tail -10000 {x} stderr",
	},
	ECS: {
		undo:    "aws ecs update-service --cluster <cluster> --service {x} --task-definition {previous}",
		restart: "aws ecs update-service --cluster <cluster> --service {x} --force-new-deployment",
		status:  "aws ecs wait services-stable --cluster <cluster> --services {x}",
		pods:    "aws ecs describe-services --cluster <cluster> --services {x} --query 'services[].[runningCount,desiredCount,events[:5].message]'",
		scale:   "aws ecs update-service --cluster <cluster> --service {x} --desired-count 4",
		logs:    "aws logs tail <log-group> --since 15m{rest}",
	},
	Lambda: {
		undo: "aws lambda update-alias --function-name {x} --name <alias> --function-version {previous}",
		logs: "aws logs tail /aws/lambda/{x} --since 15m{rest}",
	},
}

// translate reads a kubectl template and writes it for the platform.
func (p Platform) translate(template string) string {
	v, x, rest := readKubectl(template)
	out := typed[p][v]
	if out == "" || strings.HasPrefix(x, "--") {
		return ""
	}
	return strings.NewReplacer("{x}", x, "{rest}", rest).Replace(out)
}

// readKubectl takes a template apart: "kubectl logs deployment/{peer} --since=15m | grep x" is logs, "{peer}", " | grep x".
func readKubectl(template string) (v verb, service, rest string) {
	s := strings.TrimPrefix(template, "kubectl ")
	for _, known := range []verb{undo, restart, status, pods, scale, logs, execute} {
		after, ok := strings.CutPrefix(s, string(known)+" ")
		if !ok {
			continue
		}
		after = strings.TrimPrefix(strings.TrimPrefix(after, "deployment/"), "-l app=")
		service, after, _ = strings.Cut(after, " ")
		switch {
		case known == execute:
			_, rest, _ = strings.Cut(after, "-- ")
		case known == logs && strings.Contains(after, "--previous"):
			known = lastLogs
		case known == logs:
			if _, pipe, ok := strings.Cut(after, "|"); ok {
				rest = " |" + pipe
			}
		}
		return known, service, rest
	}
	return "", "", ""
}

// inMySQL says how MySQL and MariaDB are asked what a query of the catalogue asks PostgreSQL, told by what only that query holds.
var inMySQL = []struct{ holds, command string }{
	{"pg_stat_statements", `mysql -e "SELECT count_star AS calls, round(avg_timer_wait / 1e9) AS mean_ms, round(max_timer_wait / 1e9) AS max_ms, left(digest_text, 100) AS query FROM performance_schema.events_statements_summary_by_digest ORDER BY sum_timer_wait DESC LIMIT 10"`},
	{"pg_blocking_pids", `mysql -e "SELECT waiting_pid, waiting_query, blocking_pid, blocking_query, wait_age FROM sys.innodb_lock_waits ORDER BY wait_age DESC"`},
	{"pg_cancel_backend({pid})", `mysql -e "SELECT id, user, command, time, info FROM information_schema.processlist WHERE id = {pid}; KILL QUERY {pid}"`},
	{"wait_event_type", `mysql -e "SELECT id, time, state, left(info, 100) AS query FROM information_schema.processlist WHERE command = 'Query' AND id <> connection_id() ORDER BY time DESC LIMIT 10"`},
	{"pg_cancel_backend(pid)", `mysql -e "SELECT concat('KILL QUERY ', id, ';') AS to_run, time, left(info, 100) AS query FROM information_schema.processlist WHERE command = 'Query' AND time > 30 AND id <> connection_id() ORDER BY time DESC LIMIT 5"`},
	{"pg_terminate_backend", `mysql -e "SELECT concat('KILL ', id, ';') AS to_run, user, host, time FROM information_schema.processlist WHERE command = 'Sleep' AND time > 300 ORDER BY time DESC"`},
	{"SELECT count(*) FROM pg_stat_activity", `mysql -e "SELECT count(*) FROM information_schema.processlist WHERE command = 'Sleep' AND time > 300"`},
	{"SELECT state, count(*)", `mysql -e "SELECT user, db, command, count(*), max(time) AS longest FROM information_schema.processlist GROUP BY user, db, command"`},
	{"AS used, current_setting", `mysql -e "SHOW GLOBAL STATUS LIKE 'Threads_connected'; SHOW VARIABLES LIKE 'max_connections'"`},
	{"SELECT datname", `mysql -e "SELECT user, substring_index(host, ':', 1) AS client, db, command, count(*) FROM information_schema.processlist GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 20"`},
	{"SHOW max_connections", `mysql -e "SHOW VARIABLES LIKE 'max_connections'"`},
	{"ALTER ROLE", `mysql -e "SET GLOBAL max_execution_time = 10000"  # ms, MySQL; MariaDB: max_statement_time = 10`},
	{"CREATE INDEX", `mysql -D {database} -e "ALTER TABLE {table} ADD INDEX ({column}), ALGORITHM=INPLACE, LOCK=NONE"`},
	{"ANALYZE", `mysql -D {database} -e "ANALYZE TABLE {table}"`},
	{"EXPLAIN", `mysql -D {database} -e "EXPLAIN {query}"`},
	{`\d+`, `mysql -D {database} -e "SHOW CREATE TABLE {table}"`},
	{`\dp`, `mysql -e "SHOW GRANTS FOR '{user}'"`},
	{"schema_migrations", `mysql -D {database} -e "SELECT * FROM schema_migrations ORDER BY version DESC LIMIT 5"`},
	{"pg_is_in_recovery", `mysql -h {host} -e "SELECT @@read_only, @@hostname"`},
}

func (d Dialect) translate(template string) string {
	if d != MySQL {
		return template
	}
	for _, q := range inMySQL {
		if strings.Contains(template, q.holds) {
			return q.command
		}
	}
	return ""
}

// inside translates a client that is run in the service's container.
func (d Dialect) inside(template string) string {
	if d == MySQL && strings.Contains(template, "psql ") {
		return "" // a URL is no argument of MySQL's client
	}
	return template
}
