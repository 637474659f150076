package audit

import (
	"fmt"

	"github.com/inquesthq/inquest"
)

// retryRules: what may not be done twice is not sent twice.
func retryRules() []rule {
	return []rule{
		{
			AuditRule: inquest.AuditRule{
				ID: "retry/non-idempotent", Title: "a POST or PATCH was sent to upstreams more than once", Severity: inquest.AuditError,
				Why:    "The first attempt may have been carried out though its answer was lost: orders are placed and cards charged twice.",
				Source: "RFC 9110, 9.2.2: a proxy MUST NOT automatically retry non-idempotent requests",
				Fix: "Retry only what was never sent, or what carries an Idempotency-Key that the service honours " +
					"(nginx: no proxy_next_upstream non_idempotent; Envoy: retriable methods; HAProxy: retry-on conn-failure only).",
				Needs: "a log of attempts: nginx's $upstream_addr and $upstream_status with several entries, a count of attempts, or the upstream's log with the same request id",
			},
			request: retriedPost,
			whole:   (*world).retriedByID,
			unable:  needAttempts,
		},
		{
			AuditRule: inquest.AuditRule{
				ID: "retry/non-idempotent-unclear", Title: "a POST or PATCH was tried again; the log does not tell whether the first attempt was sent", Severity: inquest.AuditNote,
				Why:    "Going on to the next server is right when the connection failed and wrong when the answer was lost; both are logged as 502 or 504.",
				Source: "RFC 9110, 9.2.2; nginx, proxy_next_upstream",
				Fix:    "Log $upstream_connect_time: a dash there says that nothing was sent.",
				Needs:  "nginx's $upstream_addr and $upstream_status, or a count of attempts",
			},
			request: unclearPost,
			unable:  needAttempts,
		},
	}
}

// retriedPost reports a request that went to another upstream, or again to the same, after one certainly had it.
func retriedPost(x *exchange, report func(string)) {
	if idempotent(x.Method) || x.hasKey() {
		return
	}
	for i := 0; i+1 < len(x.tries); i++ {
		if x.tries[i].sent {
			report(fmt.Sprintf("the first attempt %s", statusWord(x.tries[i].status)))
			return
		}
	}
}

// unclearPost reports the attempts of which nothing tells whether the upstream had the request.
func unclearPost(x *exchange, report func(string)) {
	if idempotent(x.Method) || x.hasKey() {
		return
	}
	if len(x.tries) < 2 {
		if x.others > 0 {
			report("")
		}
		return
	}
	connects := x.first("upstream_connect_time", "uct", "upstream_connect") != ""
	for i := 0; i+1 < len(x.tries); i++ {
		if x.tries[i].sent || connects {
			return
		}
	}
	report("")
}

// hasKey reports whether the log tells that the request carried an Idempotency-Key.
func (x *exchange) hasKey() bool {
	return x.first("idempotency_key", "http_idempotency_key", "request.headers.idempotency-key", "request.headers.Idempotency-Key") != ""
}

func needAttempts(h *holdings) string {
	switch {
	case h.requests == 0:
		return noRequests
	case h.nonIdem > 0 && h.nonIdemTries == 0:
		return "no log tells how many upstreams were asked: log $upstream_addr and $upstream_status, or add the upstream's own access log"
	}
	return ""
}
