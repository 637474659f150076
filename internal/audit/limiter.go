package audit

import (
	"fmt"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// limiterRules: who is turned away for asking too often is told so, and not that the service is down.
func limiterRules() []rule {
	return []rule{{
		AuditRule: inquest.AuditRule{
			ID: "status/limit-as-5xx", Title: "a rate limiter answered 5xx", Severity: inquest.AuditError,
			Why: "Being over a limit is the client's doing: as 503 it counts against the service, pages people and makes balancers take " +
				"instances out. nginx's limit_req and limit_conn answer 503 unless told otherwise.",
			Source: "RFC 6585, 4; nginx, limit_req_status and limit_conn_status (default 503)",
			Fix:    "nginx: limit_req_status 429; limit_conn_status 429; and send Retry-After. Elsewhere: answer 429.",
			Needs:  "the limiter's word in the access log (nginx: $limit_req_status, Envoy: response flag RL) or in nginx's error log",
		},
		request: func(x *exchange, report func(string)) {
			if x.Status >= 500 && (limited(x.first("limit_req_status", "limit_conn_status")) || hasFlag(x, "RL") || hasFlag(x, "RLSE")) {
				report("")
			}
		},
		whole:  limiterLog,
		unable: needRequests,
	}}
}

func limited(status string) bool { return strings.HasPrefix(status, "REJECTED") }

// hasFlag reports whether the proxy gave the record one of Envoy's response flags ("UF,URX").
func hasFlag(x *exchange, flag string) bool {
	for f := range strings.SplitSeq(x.flags, ",") {
		if f == flag {
			return true
		}
	}
	return false
}

func needRequests(h *holdings) string {
	if h.requests == 0 {
		return noRequests
	}
	return ""
}

const limiterDetail = "nginx's error log says that a limit was exceeded"

// limitLogged counts a rejection that nginx wrote into its error log ("limiting requests, excess: 5.1 by zone ..."). Requests
// that are only delayed are logged as "delaying request".
func (c *Collector) limitLogged(r *parse.Record, at int64) {
	if r.Method == "" || r.Level < inquest.LevelError || !strings.HasPrefix(r.Message, "limiting ") {
		return
	}
	c.x.look(r)
	k := tallyKey{service: r.Service, rule: "status/limit-as-5xx", detail: limiterDetail}
	c.countText(k, &c.x, at, func() string {
		return fmt.Sprintf("%s: %s %s by zone %s", cut(r.Message, 100), r.Method, cut(r.URL, 200), r.Get("zone"))
	})
}

// limiterLog keeps of the rejections in the error log those that were answered 503, as far as the access logs tell.
func limiterLog(w *world) {
	answered := func(route string, status int) (n int) {
		for _, s := range w.in.Store.Streams() {
			for i := range s.Status {
				if s.Name() == route && s.Status[i].Status == status {
					n += int(s.Status[i].Count)
				}
			}
		}
		return n
	}
	for k, t := range w.tallies.by {
		if k.detail != limiterDetail {
			continue
		}
		t.count = min(t.count, answered(k.route, 503))
		if t.count == 0 || answered(k.route, 429) > 0 {
			delete(w.tallies.by, k)
		}
	}
}
