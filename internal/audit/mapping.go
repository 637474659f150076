package audit

import (
	"fmt"
	"strconv"

	"github.com/inquesthq/inquest"
)

// mapped is a status that an upstream gave and the one that the client got.
type mapped struct {
	upstream, status int // upstream 0: no answer
	basis            inquest.MappingBasis
}

func (m mapped) from() string {
	if m.upstream == 0 {
		return "none"
	}
	return strconv.Itoa(m.upstream)
}

func (m mapped) detail() string {
	if m.upstream == 0 {
		return fmt.Sprintf("the upstream did not answer, the client got %d", m.status)
	}
	return fmt.Sprintf("upstream answered %d, the client got %d", m.upstream, m.status)
}

// mappingRules judge a change of status on the way from the upstream to the client.
func mappingRules() []rule {
	const source = "RFC 9110, 15 (a client treats what it does not know by the first digit) and 15.6"
	entry := func(id, title string, severity inquest.AuditSeverity, why, fix string) rule {
		return rule{unable: needUpstreamStatus, AuditRule: inquest.AuditRule{
			ID: "mapping/" + id, Title: title, Severity: severity, Why: why, Source: source, Fix: fix,
			Needs: "a gateway log with the upstream's status, or the logs of gateway and upstream sharing a request id, or both logs over the same minutes"}}
	}
	return []rule{
		entry("failure-as-success", "an upstream's 5xx reached the client as a success", inquest.AuditError,
			"The client takes an error document for its answer, and every alert, error budget and balancer is blind.",
			"Pass the upstream's 5xx on, or answer 502; remove the rule that turns error pages into 200 (nginx: error_page 500 =200)."),
		entry("limit-lost", "an upstream's 429 reached the client as another status", inquest.AuditError,
			"The client is not told to slow down and retries at once, or a person is paged for what one client did.",
			"Pass 429 and Retry-After on unchanged (AWS API Gateway: add a gateway response or an integration response for 429)."),
		entry("client-error-as-server-error", "an upstream's 4xx reached the client as a 5xx", inquest.AuditError,
			"The client's mistake counts against the service: people are paged for it, and clients retry what can never succeed.",
			"Pass the 4xx on; in an integration mapping, map by the upstream's status and not by a catch-all."),
		entry("server-error-as-client-error", "an upstream's 5xx reached the client as a 4xx", inquest.AuditError,
			"The failure is blamed on the client, who cannot help it, and no error budget sees it.",
			"Pass the 5xx on, or answer 502."),
		entry("no-answer-as-500", "the upstream did not answer, and the client got 500", inquest.AuditError,
			"500 says that the gateway's own code failed; whoever is on call looks in the wrong place, and clients do not retry.",
			"Answer 502 when the upstream refuses or breaks the connection, 504 when it does not answer in time (RFC 9110, 15.6.3 and 15.6.5)."),
		entry("unavailable-as-500", "an upstream's 502, 503 or 504 reached the client as 500", inquest.AuditWarning,
			"503 and 504 tell a client that trying again later is worth it; 500 tells it not to.",
			"Pass the upstream's status and its Retry-After on."),
		entry("bug-as-unavailable", "an upstream's 500 reached the client as 503", inquest.AuditWarning,
			"503 invites clients to retry what a bug will fail again, and hides the bug among overload.",
			"Pass the 500 on; answer 503 only for what waiting cures."),
		entry("good-answer-as-failure", "an upstream's good answer reached the client as a 5xx", inquest.AuditWarning,
			"The work was done, and the client was told that it failed: it will do it again.",
			"Look for what the gateway could not do with the answer: a header or body over its limit, a transformation that failed, a body that was cut."),
		entry("error-as-200", "an upstream's 4xx reached the client as a success", inquest.AuditNote,
			"Caches keep it, clients parse it and monitoring counts it as well answered. Single-page applications do this for their pages on purpose.",
			"Answer pages that do not exist with 404; limit the fallback to the routes of the application."),
	}
}

// judgeMapping returns the ID of the rule that a change of status breaks, "" when it is right or a matter of taste.
func judgeMapping(m mapped) string {
	up, final := m.upstream/100, m.status/100
	switch {
	case m.upstream == 0 && m.status == 500:
		return "mapping/no-answer-as-500"
	case m.upstream == 0, m.upstream == m.status:
		return ""
	case m.upstream == 429:
		return "mapping/limit-lost"
	case up == 5 && (final == 2 || final == 3):
		return "mapping/failure-as-success"
	case up == 5 && final == 4:
		return "mapping/server-error-as-client-error"
	case up == 4 && final == 5:
		return "mapping/client-error-as-server-error"
	case up == 4 && final == 2:
		return "mapping/error-as-200"
	case m.upstream >= 502 && m.upstream <= 504 && m.status == 500:
		return "mapping/unavailable-as-500"
	case m.upstream == 500 && m.status == 503:
		return "mapping/bug-as-unavailable"
	case up < 4 && final == 5:
		return "mapping/good-answer-as-failure"
	}
	return ""
}

// mapping notes a change of status that one record tells by itself.
func (c *Collector) mapping(x *exchange, at int64) {
	up, told := x.upstream()
	if !told || up == x.Status || !worthMapping(x, up) {
		return
	}
	c.count(tallyKey{service: x.Service, mapped: mapped{up, x.Status, inquest.ByLine}}, x, at)
}

// worthMapping leaves out what is no change of an answer: a client that left (nginx's 499, 0 elsewhere), redirects and cached
// answers among themselves, an answer from a cache while the upstream is down (RFC 9111, 4.2.4), and what a gateway did on
// purpose and says so.
func worthMapping(x *exchange, up int) bool {
	switch {
	case x.Status < 100 || x.Status == 499 || x.Status == 444:
		return false
	case up != 0 && up < 400 && x.Status < 400:
		return false
	case up == 0 && x.Status < 500:
		return false
	}
	switch x.first("cache_status", "upstream_cache_status") {
	case "STALE", "UPDATING", "stale", "updating":
		return false
	}
	switch x.reason() {
	case "body-rule", "cut", "stall", "malformed": // inquest gateway: a status that was not true, or an answer that was no whole one
		return false
	}
	return true
}

func needUpstreamStatus(h *holdings) string {
	switch {
	case h.requests == 0:
		return noRequests
	case h.attempts == 0:
		return "no log tells the upstream's status: log it in the gateway (nginx: $upstream_status), or add the upstream's own access log"
	}
	return ""
}
