package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// jsonVariants are the application and server logs in JSON that are known by name, the most specific first. What they
// do not say about a key, keyRules does.
func jsonVariants() []*jsonVariant {
	return []*jsonVariant{
		{name: "mongodb-json", need: []string{"t.$date", "s", "c", "id", "ctx", "msg"}, rest: mongoAttr,
			keys: map[string]keyRule{
				"t.$date": {actTime, 10, 0, ""}, "s": {actLevel, 10, 0, ""}, "c": {as: "component"}, "ctx": {as: "thread"},
				"id": {as: "log_id"}, "attr.remote": {}, "attr.durationMillis": {}, "attr.error": {},
			}},
		{name: "journald-json", need: []string{"__REALTIME_TIMESTAMP", "MESSAGE"}, rest: journalRest,
			keys: map[string]keyRule{
				"__REALTIME_TIMESTAMP": {actTime, 9, 0, ""}, "_SOURCE_REALTIME_TIMESTAMP": {}, "MESSAGE": {actMessage, 10, 0, ""},
				"PRIORITY": {actLevel, 10, numbersSyslog, "priority"}, "_PID": {as: "pid"}, "SYSLOG_PID": {as: "syslog_pid"},
				"SYSLOG_IDENTIFIER": {as: "program"}, "_HOSTNAME": {as: "hostname"}, "_SYSTEMD_UNIT": {as: "unit"},
			}},
		{name: "elasticsearch-json", need: []string{"cluster.name|elasticsearch.cluster.name", "node.name|elasticsearch.node.name",
			"level|log.level", "timestamp|@timestamp"},
			keys: map[string]keyRule{"component": {actLogger, 9, 0, ""}, "timestamp": {actTime, 9, 0, ""}}},
		{name: "logstash-json", need: []string{"logEvent.message", "timeMillis", "loggerName"},
			keys: map[string]keyRule{"logEvent.thread": {}, "logEvent.message": {actMessage, 10, 0, ""}}},
		{name: "postgresql-json", need: []string{"error_severity", "pid", "timestamp"}, rest: pgJSONRest,
			keys: map[string]keyRule{
				"error_severity": {actLevel, 10, 0, ""}, "dbname": {as: "database"}, "user": {as: "user"},
				"state_code": {as: "sqlstate"}, "application_name": {as: "application"}, "ps": {as: "command_tag"},
				"statement": {as: "query_text"}, "remote_host": {actClient, 9, 0, ""}, "query_id": {}, "message": {actMessage, 10, 0, ""},
			}},
		{name: "nextcloud-json", need: []string{"reqId", "remoteAddr", "app", "level", "message"},
			keys: map[string]keyRule{
				"level": {actLevel, 10, numbersNextcloud, ""}, "reqId": {actRequestID, 10, 0, ""}, "app": {as: "app"}, "data.app": {},
			}},
		{name: "gitlab-json", need: []string{"correlation_id", "time", "meta.caller_id|meta.remote_ip|meta.feature_category|controller"},
			keys: map[string]keyRule{"remote_ip": {actClient, 10, 0, ""}}, bare: unitS},
		{name: "gelf", need: []string{"version", "host", "short_message"},
			keys: map[string]keyRule{"version": {}, "host": {actInstance, 5, 0, ""}, "level": {actLevel, 10, numbersSyslog, ""}}},
		{name: "monolog-json", need: []string{"message", "level_name", "channel", "datetime|datetime.date"},
			keys: map[string]keyRule{"level": {as: "level_value"}, "level_name": {actLevel, 10, 0, ""}, "datetime.date": {actTime, 8, 0, ""}}},
		{name: "serilog", need: []string{"@t", "@m|@mt"}, rest: serilogRest, keys: map[string]keyRule{"@i": {}, "@r": {}}},
		{name: "dotnet-json", need: []string{"LogLevel", "Category", "EventId"},
			keys: map[string]keyRule{"Timestamp": {actTime, 10, 0, ""}, "State.Message": {}, "State.{OriginalFormat}": {}}},
		{name: "rust-tracing", need: []string{"timestamp", "level", "target", "fields.message|message"},
			keys: map[string]keyRule{"target": {actLogger, 9, 0, ""}, "threadName": {as: "thread"}, "threadId": {as: "tid"}}},
		{name: "ecs", need: []string{"@timestamp", "ecs.version"}},
		{name: "logback", need: []string{"@timestamp", "logger_name|logger", "thread_name|thread", "level", "message"},
			keys: map[string]keyRule{"level_value": {}, "thread_name": {as: "thread"}, "@version": {}}},
		{name: "log4j2-json", need: []string{"instant.epochSecond|timeMillis", "loggerName", "level"}, rest: log4jRest},
		{name: "gcp", need: []string{"severity", "textPayload|jsonPayload.message|logging.googleapis.com/trace|logging.googleapis.com/" +
			"sourceLocation.file|logging.googleapis.com/insertId|insertId|httpRequest.status|httpRequest.requestMethod"},
			keys: map[string]keyRule{"timestamp.seconds": {actTime, 5, 0, ""}, "severity": {actLevel, 10, 0, ""}}},
		{name: "bunyan", need: []string{"name", "hostname", "pid", "level", "time", "v"}, ok: numericLevel,
			keys: map[string]keyRule{"name": {actService, 5, 0, ""}, "v": {}}},
		{name: "pino", common: true, need: []string{"level", "time", "pid", "hostname"},
			keys: map[string]keyRule{"name": {actService, 5, 0, ""}}},
		{name: "python-json", need: []string{"levelname|levelno", "message", "name|asctime|module"},
			keys: map[string]keyRule{"levelno": {}, "created": {actTime, 2, 0, ""}}},
		{name: "zap", common: true, need: []string{"level", "ts", "msg", "caller|logger"}, bare: unitS},
		{name: "slog", common: true, need: []string{"time", "level", "msg"}, ok: upperLevel, bare: unitNs},
		{name: "zerolog", common: true, need: []string{"level", "message", "time"}, ok: lowerLevel, bare: unitMs},
		{name: "winston", common: true, need: []string{"level", "message", "timestamp"}, ok: lowerLevel},
	}
}

// numericLevel, upperLevel and lowerLevel tell loggers apart that use the same keys.
func numericLevel(p *jsonParser, r *Record) bool {
	i := p.slots[actLevel]
	return i >= 0 && p.scan.vals[i].kind == jsonNumber
}

func upperLevel(p *jsonParser, r *Record) bool {
	l := r.Get("level")
	return len(l) > 1 && l[0] >= 'A' && l[0] <= 'Z' && l[1] >= 'A' && l[1] <= 'Z'
}

func lowerLevel(p *jsonParser, r *Record) bool {
	l := r.Get("level")
	return len(l) > 1 && l[0] >= 'a' && l[0] <= 'z' && !numericLevel(p, r)
}

// journalRest reads what a program wrote into the journal when it is more than text.
func journalRest(p *jsonParser, r *Record) {
	if r.Instance == "" {
		r.Instance = r.Get("hostname")
	}
	if program := r.Get("program"); program == "kernel" {
		kernelMessage([]byte(r.Message), r)
	}
}

// serilogRest gives records without a level the one that Serilog leaves out.
func serilogRest(p *jsonParser, r *Record) {
	if r.Level == inquest.LevelUnknown {
		r.Level = inquest.LevelInfo
		r.Add("level", "Information")
	}
}

// log4jRest adds the nanoseconds that stand beside the seconds.
func log4jRest(p *jsonParser, r *Record) {
	if ns := wholeNumber([]byte(r.Get("instant.nanoOfSecond"))); ns > 0 && r.Time%1e9 == 0 {
		r.Time += ns
	}
}

// pgJSONRest reads durations and statements as in the text log.
func pgJSONRest(p *jsonParser, r *Record) {
	r.Level = pgLevelOf([]byte(r.Get("level")))
	if text, step, ok := pgStatement(r); ok {
		r.Add("query_text", text)
		r.Add("query_step", step)
	}
}

// appsFormats are the logs of applications and servers: formats known by a mark of their own first, then shapes that
// many loggers share, then the catch-alls.
func appsFormats() []format {
	out := []format{
		otlpLogsFormat(), journalExportFormat(),
		{name: "mysql-slow", new: newMySQLSlow, sequential: true},
		{name: "nginx-error", new: newNginxError},
		{name: "apache-error", new: newApacheError},
		{name: "postgresql-csv", new: newPostgresCSV},
		{name: "postgresql", new: newPostgres},
		{name: "mysql-error", new: newMySQLError},
		{name: "redis", new: newRedis},
		{name: "nats", new: newNATS},
		{name: "kafka", new: newKafka},
		{name: "elasticsearch", new: newElastic},
		{name: "logstash", new: newLogstash},
		{name: "mongodb", new: newMongoDB},
		{name: "rabbitmq", new: newRabbitMQ},
		{name: "litespeed", new: newLiteSpeed},
		{name: "haproxy-notes", new: newHAProxyNotes},
		{name: "kubernetes-events", new: newKubeEvents, single: true},
		{name: "klog", new: newKlog},
		{name: "ruby-logger", new: newRubyLog},
		{name: "monolog", new: newMonolog},
		{name: "php-error", new: newPHPError},
		{name: "tomcat", new: newJULI},
		{name: "odoo", new: newOdoo},
		{name: "dotnet-console", new: newDotnetConsole},
		{name: "zap-console", new: newZapConsole},
		{name: "dmesg", new: newDmesg},
		{name: "syslog", new: newSyslog, generic: true},
	}
	for _, v := range jsonVariants() {
		out = append(out, format{name: v.name, new: newJSON(v), single: v.name != "elasticsearch-json", generic: v.common})
	}
	return append(out,
		format{name: "logfmt", new: newLogfmt},
		format{name: "logger-text", new: newHead(true, true)},
		format{name: "level-text", new: newHead(true, false)},
		format{name: "json", new: newJSON(&jsonVariant{name: "json"}), single: true, generic: true},
		format{name: "timed-text", new: newHead(false, false), generic: true},
		format{name: "plain-text", new: newPlainText, generic: true, untimed: true, score: plainScore},
	)
}

// plainLines takes lines of text without a time: the output of a program that has no logger. Only a level at the start
// is read. Indented lines and the parts of a stack trace are not
// offered to it: the engine joins them.
type plainLines struct {
	head headParser
}

func newPlainText([]byte) lineParser { return &plainLines{} }

func (p *plainLines) parse(line []byte, r *Record) bool {
	if len(line) == 0 {
		return false
	}
	if p.head.parse(line, r) {
		return true
	}
	r.Reset()
	line = p.head.plain.strip(line)
	if len(line) == 0 || line[0] == '}' || line[0] == ')' || plainText(line) == "not valid UTF-8" {
		return false
	}
	word, _ := cutToken(line)
	word = bytes.Trim(word, "[]<>:")
	if i := bytes.IndexByte(word, ':'); i > 0 { // Python's default: ERROR:module:message
		word = word[:i]
	}
	if l := logLevelOf(word); l != inquest.LevelUnknown {
		r.Level = max(l, phpMessageLevel(line))
		r.Add("level", str(word))
	}
	if rest, ok := bytes.CutPrefix(line, []byte("Exception in thread \"")); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			r.Add("thread", str(rest[:end]))
		}
	}
	r.Message = str(line)
	messageRequest(r)
	return true
}

// plainScore takes any text, but yields to everything that knows more: to a catch-all that reads every fifth line.
func plainScore(sample []byte) float64 {
	if len(bytes.TrimSpace(sample)) == 0 || sample[0] == '{' {
		return 0
	}
	return 0.2
}
