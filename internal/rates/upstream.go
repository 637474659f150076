package rates

import (
	"strings"

	"github.com/inquesthq/inquest/internal/parse"
)

// outcome is what a proxy got from one upstream.
type outcome int

const (
	outcomeOK       outcome = iota
	outcomeFailed           // it answered 5xx, or broke off
	outcomeNoAnswer         // refused, timed out
	outcomes
)

func (o outcome) String() string { return [...]string{"ok", "failed", "no-answer"}[o] }

// viaUpstreams counts each attempt of a request: nginx lists them, "a:80, b:80", with their statuses likewise.
func (s *service) viaUpstreams(r *parse.Record) {
	if strings.IndexByte(r.Upstream, ',') < 0 { // nearly always
		s.attempt(r, r.Upstream, r.UpstreamStatus)
		return
	}
	statuses := r.UpstreamStatus
	for addr := range strings.SplitSeq(r.Upstream, ",") {
		var status string
		status, statuses, _ = strings.Cut(statuses, ",")
		s.attempt(r, strings.TrimSpace(addr), strings.TrimSpace(status))
	}
}

// attempt tells an outcome as the diagnosis does: without a status of its own the upstream is blamed for a 5xx only, which the proxy
// then made up for want of an answer.
func (s *service) attempt(r *parse.Record, addr, status string) {
	o := outcomeOK
	switch {
	case addr == "" || addr == "-":
		return
	case (status == "" || status == "-") && r.Status >= 500:
		o = outcomeNoAnswer
	case len(status) == 3 && status[0] == '5', r.Broken && r.Status < 400:
		o = outcomeFailed
	}
	s.upstream(addr, o)
}

func (s *service) upstream(addr string, o outcome) *counted {
	u := s.upstreams[addr]
	if u == nil {
		addr = strings.Clone(addr)
		if len(s.upstreams) >= maxUpstreams {
			addr = other
		}
		if u = s.upstreams[addr]; u == nil {
			u = new([outcomes]counted)
			for i := range u {
				u[i] = counted{name: "inquest_upstream_requests_total", labels: map[string]string{"service": s.name, "upstream": addr, "outcome": outcome(i).String()}}
			}
			s.upstreams[addr] = u
		}
	}
	u[o].value++
	return &u[o]
}
