package audit

import (
	"github.com/inquesthq/inquest"
)

// enoughRecords must be in a log before its shares say something.
const enoughRecords = 10

// mostly is the share that is asked for: start-up, shutdown and what a run-time writes past the logger belong to no request.
const mostly = 0.9

// logRules: who has to find out at night what happened can search the log.
func logRules() []rule {
	entry := func(id, title string, severity inquest.AuditSeverity, why, fix string, judge func(q *inquest.LogQuality) (n, of int, detail string)) rule {
		id = "log/" + id
		return rule{
			AuditRule: inquest.AuditRule{ID: id, Title: title, Severity: severity, Why: why, Source: "OpenTelemetry, log data model; OWASP Logging Cheat Sheet, event attributes",
				Fix: fix, Needs: "application logs"},
			log: judge,
			unable: func(h *holdings) string {
				if h.logs == 0 {
					return "no application logs were read"
				}
				return ""
			},
		}
	}
	return []rule{
		entry("plain-text", "log lines are text without named fields", inquest.AuditWarning,
			"Nobody can ask such a log for one user, one route or one kind of error; under pressure people read it line by line.",
			"Write one JSON object a line, with the fields of the rewritten sample.",
			func(q *inquest.LogQuality) (int, int, string) {
				return q.Records - q.Structured, q.Records, "lines are plain text"
			}),
		entry("no-timestamp", "log records without date and time", inquest.AuditWarning,
			"What cannot be put in order cannot be set against a deploy, a metric or another service's log.",
			"Write the time of each record in RFC 3339 with milliseconds and Z.",
			func(q *inquest.LogQuality) (int, int, string) {
				return q.Records - q.Timestamp, q.Records, "records have no date and time"
			}),
		entry("no-severity", "log records without severity", inquest.AuditWarning,
			"Without it errors can neither be counted nor told from talk.",
			"Give each record a level; let ERROR mean that a request or job failed.",
			func(q *inquest.LogQuality) (int, int, string) {
				return q.Records - q.Severity, q.Records, "records have no severity"
			}),
		entry("no-correlation-id", "errors without a request or trace id", inquest.AuditWarning,
			"A user's failed request cannot be followed through the services, and an error cannot be matched with the answer it caused.",
			"Take the id from X-Request-ID or traceparent at the edge, pass it on, and log it with every record about a request.",
			func(q *inquest.LogQuality) (int, int, string) {
				if q.Severity == 0 { // no record can be told from another
					return q.Records - q.Correlation, q.Records, "records have no request or trace id"
				}
				return q.Errors - q.Traced, q.Errors, "errors have no request or trace id"
			}),
		entry("no-business-context", "no record says whom or what it concerns", inquest.AuditNote,
			"Who was affected, and what they were about to do, must then be guessed from other systems.",
			"Log the ids that matter to the business (user, order, cart) as fields, from an allow-list; hash those that are personal.",
			func(q *inquest.LogQuality) (int, int, string) {
				if q.Business > 0 {
					return 0, 0, ""
				}
				return q.Records, q.Records, "records name no user, order or other thing of the business"
			}),
	}
}

// judgeLogs makes findings of the logs of which too many records lack what the rule asks for.
func (r *rule) judgeLogs(logs []inquest.LogQuality) []inquest.AuditFinding {
	var out []inquest.AuditFinding
	for i := range logs {
		q := &logs[i]
		n, of, detail := r.log(q)
		if of < enoughRecords || float64(n) <= (1-mostly)*float64(of) {
			continue
		}
		f := inquest.AuditFinding{Rule: r.AuditRule, Service: q.Service, Count: n, Of: of, Detail: detail}
		if q.Rewritten != "" {
			f.Examples = []inquest.AuditExample{q.Sample}
		}
		out = append(out, f)
	}
	return out
}
