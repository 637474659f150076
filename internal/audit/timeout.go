package audit

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// timeoutRules: who waited in vain, and who left.
func timeoutRules() []rule {
	return []rule{
		{
			AuditRule: inquest.AuditRule{
				ID: "status/timeout-not-504", Title: "an upstream that did not answer in time was told as another status than 504", Severity: inquest.AuditWarning,
				Why:    "500 and 502 send people to look for a bug or a dead server; that something was too slow is known and lost.",
				Source: "RFC 9110, 15.6.5",
				Fix:    "Answer 504 when the upstream's time is up (Envoy does for UT; check local reply and error mappings behind it).",
				Needs:  "the proxy's own reason: Envoy's response flags, HAProxy's termination state, a gateway's reason",
			},
			request: func(x *exchange, report func(string)) {
				if x.Status >= 500 && x.Status != 504 && timedOut(x) {
					report("")
				}
			},
			unable: needRequests,
		},
		{
			AuditRule: inquest.AuditRule{
				ID: "status/client-left-as-5xx", Title: "a client that left was counted as a server error", Severity: inquest.AuditWarning,
				Why:    "Impatient clients and closed browser tabs then look like an outage, and real failures drown among them.",
				Source: "nginx, status 499; HAProxy, termination states C-; Envoy, response flag DC",
				Fix:    "Count it as 499 (or 0), apart from failures. In Go: a handler whose request context is cancelled must not answer 502.",
				Needs:  "the proxy's own reason: Envoy's response flags, HAProxy's termination state, a gateway's reason",
			},
			request: func(x *exchange, report func(string)) {
				if x.Status >= 500 && clientLeft(x) {
					report("")
				}
			},
			unable: needRequests,
		},
		{
			AuditRule: inquest.AuditRule{
				ID: "status/499-hides-wait", Title: "clients gave up after waiting for seconds; counted as the clients' doing", Severity: inquest.AuditNote,
				Why: "Nobody waits for seconds and leaves by choice: most of these are timeouts of clients or of a proxy in front, and failures of " +
					"the service that no 5xx counts.",
				Source: "nginx, status 499",
				Fix:    "Count 499s with a long duration as failures, and set the gateway's timeout shorter than its clients' so that it can answer 504.",
				Needs:  "an access log with status 499 and durations",
			},
			request: func(x *exchange, report func(string)) {
				if x.Status == 499 && x.Duration >= patience {
					report("")
				}
			},
			unable: needRequests,
		},
	}
}

// patience is how many seconds somebody waits before leaving means that the answer was too slow: three, beyond which most
// people abandon a page, and shorter than any client library's default timeout (5 s and more).
const patience = 3

// timedOut reports whether the proxy itself says that the upstream's time was up.
func timedOut(x *exchange) bool {
	state := x.Get("termination_state")
	// HAProxy: s for the server's time-out; H while waiting for the headers, D for data, C for the connection.
	return hasFlag(x, "UT") || hasFlag(x, "DT") || hasFlag(x, "SI") || len(state) >= 2 && state[0] == 's' && (state[1] == 'H' || state[1] == 'C') ||
		strings.HasSuffix(x.reason(), "-timeout")
}

// clientLeft reports whether the proxy itself says that the client broke the connection.
func clientLeft(x *exchange) bool {
	state := x.Get("termination_state")
	return hasFlag(x, "DC") || len(state) >= 2 && state[0] == 'C' || x.reason() == "client-left" ||
		strings.Contains(x.first("error", "upstream_failure", "error_reason", "response_code_details"), "context canceled") ||
		strings.Contains(x.Get("response_code_details"), "downstream_remote_disconnect")
}
