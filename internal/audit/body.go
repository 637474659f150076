package audit

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/guard/answer"
)

const bodySource = "OWASP Error Handling Cheat Sheet; CWE-209 (error messages with sensitive information)"

// bodyRules look at what answers say. What a body means is judged by guard's answer package, as the gateway and the middleware
// judge it.
func bodyRules() []rule {
	out := []rule{
		bodyRule("status/lying-200", "a success whose body is an error", inquest.AuditError,
			"Monitors, error budgets, caches and retries read the status only: the failure happens unseen, for weeks.",
			"RFC 9110, 15.3 and 15.6", "Answer with the status that the body names; keep 2xx for what was done.", lyingSuccess),
		bodyRule("status/500-for-limit", "500 for a limit that the client exceeded", inquest.AuditError,
			"The client can do something about it, namely wait; 500 tells it that the service has a bug.",
			"RFC 6585, 4", "Answer 429 with Retry-After (in a gateway: map the error by its code).", misused("status/500-for-limit")),
		bodyRule("status/500-for-capacity", "500 for want of capacity", inquest.AuditError,
			"The code is well, and coming back later helps: 503 and Retry-After say so; 500 says that a retry is useless.",
			"RFC 9110, 15.6.4", "Answer 503 with Retry-After when a pool is exhausted or a circuit breaker is open.", misused("status/500-for-capacity")),
		bodyRule("status/500-for-timeout", "500 for something that did not answer in time", inquest.AuditWarning,
			"500 sends people to look for a bug; that something was too slow is known and lost.",
			"RFC 9110, 15.6.5", "Answer 504 when what was asked did not answer in time, 503 when it is known to be overloaded.", misused("status/500-for-timeout")),
		bodyRule("status/5xx-without-id", "a server error without an id", inquest.AuditWarning,
			"Whoever reports it can name nothing that finds it in the logs.",
			"RFC 9457, 3.1.5 (instance)", "Give every failure an id, in the body and as X-Request-ID, and log it with the error.", withoutID),
	}
	severity := [...]inquest.AuditSeverity{1: inquest.AuditNote, 2: inquest.AuditWarning, 3: inquest.AuditError}
	for _, k := range answer.Kinds() {
		if k == answer.Opaque {
			continue // not to be seen into is a matter for a gateway, which must not pass it on
		}
		out = append(out, bodyRule("leak/"+string(k), "an error's body gives away "+leakWords[k], severity[k.Severity()],
			"It tells a stranger how the service is built, where it runs, and sometimes how to get in; it may be personal data.",
			bodySource, "Answer with a fixed text, a code and an id, and keep the rest for the log.", leaks(k)))
	}
	header := bodyRule("leak/version-header", "a header names a product with its version", inquest.AuditNote,
		"It saves an attacker the search for what the version is known to be open to.",
		"RFC 9110, 10.2.4 (Server: overly detailed values)", "nginx: server_tokens off; Apache: ServerTokens Prod; Express: app.disable('x-powered-by').", versionHeader)
	header.unable = needRequests
	return append(out, header)
}

var leakWords = map[answer.Kind]string{
	answer.Stack: "a stack trace or the name of an exception class", answer.SQL: "SQL or the database's own words", answer.Connection: "a connection string",
	answer.Secret: "a key, token or password", answer.Host: "names or addresses of the inside", answer.Path: "paths of the server's disk",
	answer.Version: "products with their versions",
}

// bodyRule makes a rule for answers whose body is known.
func bodyRule(id, title string, severity inquest.AuditSeverity, why, source, fix string, judge func(*exchange, func(string))) rule {
	return rule{
		AuditRule: inquest.AuditRule{ID: id, Title: title, Severity: severity, Why: why, Source: source, Fix: fix,
			Needs: "bodies: HAR files, URLs, or a log with the field response_body (a misused 500: or error logs with the request's id)"},
		request: judge,
		unable: func(h *holdings) string {
			switch {
			case h.requests == 0:
				return noRequests
			case h.bodies == 0:
				return "no log holds the bodies of answers: bring HAR files, or name URLs to ask"
			}
			return ""
		},
	}
}

// wholeBody is the length from which a body may have been cut where it was recorded.
const wholeBody = 16 << 10

// answered returns the exchange as guard judges it.
func (x *exchange) answered() answer.Answer {
	if !x.asked {
		x.asked = true
		x.answer = answer.Answer{Status: x.Status, Body: []byte(x.said), Whole: len(x.said) < wholeBody}
		if ct := x.first("content_type", "sent_http_content_type"); ct != "" {
			x.answer.Header = map[string][]string{"Content-Type": {ct}}
		}
		x.verdict = answer.Verdict{Status: x.Status}
		if x.said != "" {
			x.verdict = x.judge.Status(x.answer)
		}
	}
	return x.answer
}

func lyingSuccess(x *exchange, report func(string)) {
	if x.Status < 200 || x.Status >= 300 || x.said == "" {
		return
	}
	if x.answered(); x.verdict.Changed() {
		report(fmt.Sprintf("the body says %d", x.verdict.Status))
	}
}

// misused reports a 500 that guard would correct.
func misused(id string) func(*exchange, func(string)) {
	return func(x *exchange, report func(string)) {
		if x.Status != 500 || x.said == "" {
			return
		}
		if x.answered(); ruleOf(x.verdict.Rule) == id {
			report(fmt.Sprintf("the body says %d", x.verdict.Status))
		}
	}
}

// errorID is what bodies call the id of a failure.
var errorID = regexp.MustCompile(`(?i)\bERR-\d{6,}-|(?:(?:error|request|trace|correlation|incident|event|ray)[ _-]?(?:id|number)|reference)["']?\s*[:=]?\s*(?:</?\w+[^>]*>\s*)*["']?[0-9a-z][0-9a-z_-]{7,}|"instance"\s*:`)

func withoutID(x *exchange, report func(string)) {
	if x.Status >= 500 && x.said != "" && x.RequestID == "" && x.TraceID == "" && !errorID.MatchString(x.said) {
		report("")
	}
}

// leaks reports an error that gives something of kind k away.
func leaks(k answer.Kind) func(*exchange, func(string)) {
	return func(x *exchange, report func(string)) {
		if x.said == "" || x.Status < 400 && (x.answered().Status >= 300 || !x.verdict.Changed()) {
			return
		}
		if !x.searched {
			x.searched, x.found = true, x.judge.Leaks(x.answered())
		}
		for _, l := range x.found {
			if l.Kind == k {
				x.quote = l.Text
				if k.Severity() == 3 {
					x.quote = "" // what gives access is not repeated
				}
				report("")
				x.quote = ""
			}
		}
	}
}

// productVersion is a product with a version of at least two parts: nginx/1.22.1, PHP/8.2, Express 4.18.
var productVersion = regexp.MustCompile(`[A-Za-z][A-Za-z.+_-]*[/ ]v?\d+\.\d+`)

func versionHeader(x *exchange, report func(string)) {
	if !x.headers {
		return
	}
	for _, name := range []string{"response_server", "response_x_powered_by", "response_x_aspnet_version", "response_x_aspnetmvc_version", "resp_headers.Server", "resp_headers.X-Powered-By"} {
		v := strings.Trim(x.Get(name), `[]"`)
		if strings.Contains(name, "aspnet") && v != "" || productVersion.MatchString(v) {
			report(cut(v, 60))
		}
	}
}
