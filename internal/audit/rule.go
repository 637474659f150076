package audit

import (
	"github.com/inquesthq/inquest"
)

// rule is one entry of the catalogue: what it says of itself, and how it is applied.
type rule struct {
	inquest.AuditRule

	// request looks at one answered request and reports what is wrong with it.
	request func(x *exchange, report func(detail string))
	// whole looks at everything that was read.
	whole func(w *world)
	// log counts the records of one service's log that lack something, of how many.
	log func(q *inquest.LogQuality) (n, of int, detail string)
	// unable says why the rule cannot be applied to what was read, "" if it can.
	unable func(h *holdings) string
}

// Rules lists what is known of every rule, in the order of the catalogue.
func Rules() []inquest.AuditRule {
	var out []inquest.AuditRule
	for _, r := range catalogue() {
		out = append(out, r.AuditRule)
	}
	return out
}

// catalogue is the list of all rules: first what clients are told, then what happens between gateway and upstream, then what is
// left for those who have to find out.
func catalogue() []rule {
	var out []rule
	for _, part := range [...][]rule{bodyRules(), retryAfterRules(), limiterRules(), timeoutRules(), mappingRules(), retryRules(), healthRules(), logRules()} {
		out = append(out, part...)
	}
	return out
}

// holdings counts what the records hold that rules look for.
type holdings struct {
	requests     int // answered requests
	unavailable  int // answers 503
	limited      int // answers 429
	retryAfter   int // requests whose log tells the Retry-After header, sent or not
	attempts     int // requests with an upstream's address or status
	nonIdem      int // requests whose method is not idempotent
	nonIdemTries int // of those, the ones whose log tells about attempts
	logs         int // log records
	bodies       int // requests whose answer's body is known
}

func (h *holdings) add(o *holdings) {
	h.requests += o.requests
	h.unavailable += o.unavailable
	h.limited += o.limited
	h.retryAfter += o.retryAfter
	h.attempts += o.attempts
	h.nonIdem += o.nonIdem
	h.nonIdemTries += o.nonIdemTries
	h.logs += o.logs
	h.bodies += o.bodies
}

const noRequests = "no requests were read: add access logs, HAR files or URLs"
