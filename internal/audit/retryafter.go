package audit

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// retryAfterRules: a client that is turned away is told when to come back.
func retryAfterRules() []rule {
	return []rule{
		{
			AuditRule: inquest.AuditRule{
				ID: "status/503-without-retry-after", Title: "503 without Retry-After", Severity: inquest.AuditError,
				Why:    "Clients come back at once, all together, and keep down what was about to recover.",
				Source: "RFC 9110, 15.6.4 and 10.2.3",
				Fix:    "Send Retry-After with every 503, in seconds: the breaker's remaining time, or some seconds with jitter.",
				Needs:  "a log of the answer's Retry-After header (nginx: sent_http_retry_after, Caddy: resp_headers), a HAR file, or a live URL",
			},
			request: func(x *exchange, report func(string)) {
				if x.Status != 503 {
					return
				}
				if v, told := x.retryAfter(); told && v == "" {
					report("")
				}
			},
			unable: func(h *holdings) string { return needRetryAfter(h, h.unavailable) },
		},
		{
			AuditRule: inquest.AuditRule{
				ID: "status/429-without-retry-after", Title: "429 without Retry-After", Severity: inquest.AuditWarning,
				Why:    "A client that is not told when to come back guesses, and mostly guesses too early.",
				Source: "RFC 6585, 4",
				Fix:    "Send Retry-After with every 429: when the client's next request will be let through.",
				Needs:  "a log of the answer's Retry-After header, a HAR file, or a live URL",
			},
			request: func(x *exchange, report func(string)) {
				if x.Status != 429 {
					return
				}
				if v, told := x.retryAfter(); told && v == "" {
					report("")
				}
			},
			unable: func(h *holdings) string { return needRetryAfter(h, h.limited) },
		},
	}
}

// retryAfter returns the Retry-After header of the answer and whether the record tells whether there was one.
func (x *exchange) retryAfter() (value string, told bool) {
	if v := x.Get("retry_after"); v != "" {
		return strings.Trim(v, `[]"-`), true
	}
	for i := range x.Fields { // Caddy and Kong log all headers of the answer
		if n := x.Fields[i].Name; strings.HasPrefix(n, "resp_headers.") || strings.HasPrefix(n, "response.headers.") {
			return "", true
		}
	}
	return "", false
}

func needRetryAfter(h *holdings, answers int) string {
	switch {
	case h.requests == 0:
		return noRequests
	case answers > 0 && h.retryAfter == 0:
		return "no log tells whether Retry-After was sent: log it (nginx: sent_http_retry_after=$sent_http_retry_after)"
	}
	return ""
}
