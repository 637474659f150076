package upstream

import (
	"fmt"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// ServerState is what is known of a server, for status pages and metrics.
type ServerState struct {
	Server    string `json:"server"`
	InFlight  int64  `json:"in_flight"`
	Requests  int64  `json:"requests"` // attempts since the start
	Failures  int64  `json:"failures"` // of them, those that speak against the server
	Breaker   string `json:"breaker"`  // closed, open, half-open, or "" without one
	OpenSince string `json:"open_since,omitempty"`
	Up        bool   `json:"up"` // by its active check; true without one
}

// State returns the servers in the order of the configuration.
func (u *Upstream) State() []ServerState {
	var out []ServerState
	for _, s := range u.servers {
		st := ServerState{Server: s.addr, InFlight: s.inFlight.Load(), Requests: s.requests.Load(), Failures: s.failures.Load(), Up: !s.down.Load()}
		if s.breaker != nil {
			st.Breaker = s.breaker.State().String()
			if at, open := s.breaker.OpenSince(); open {
				st.OpenSince = at.UTC().Format(time.RFC3339)
			}
		}
		out = append(out, st)
	}
	return out
}

// ResetBreaker closes the circuit of a server, or of all if server is "", and returns those that were not closed.
func (u *Upstream) ResetBreaker(server string) ([]string, error) {
	var reset []string
	found := false
	for _, s := range u.servers {
		if server != "" && s.addr != server {
			continue
		}
		found = true
		if s.breaker != nil && s.breaker.State() != policy.Closed {
			s.breaker.Reset()
			reset = append(reset, s.addr)
		}
	}
	if !found {
		return nil, fmt.Errorf("upstream %s has no server %q", u.cfg.Name, server)
	}
	return reset, nil
}
