package servicegraph

import (
	"fmt"
	"math"
)

// traffic is the ratio of requests now to requests before, 1 when unknown.
func (m *measured) traffic(f frame) float64 {
	l := f.split(m.requests)
	before := quantile(l.base, 0.5)
	if len(l.base) < minBaseline || len(l.now) == 0 || before <= 0 {
		return 1
	}
	return mean(l.now) / before
}

// resourceClues looks at what a component uses. What more requests cost is no fault: references grow with the traffic.
func (s scene) resourceClues(name string, m *measured) {
	f, growth := s.frame, math.Max(1, m.traffic(s.frame))
	blame := func(k kind, strength float64, format string, args ...any) {
		s.board.add(name, clue{chResource, strength, fmt.Sprintf(format, args...), m.evidence(k, kindUsed)})
	}
	if c, ok := f.split(m.cpu.grid()).rise(); ok && f.significance(c.z()) > 0 {
		// Ten points of the limit are within what garbage collection and cron do; sixty leave nothing over.
		blame(kindCPU, ramp(c.now-c.ref*growth, 0.1, 0.6), "CPU rose from %.0f %% to %.0f %% of its limit", 100*c.ref, 100*c.now)
	}
	for _, fam := range sortedKeys(m.full) {
		if c, ok := f.split(m.full[fam].grid()).rise(); ok && c.now > 0.9 && c.delta > 0.1 && f.significance(c.z()) > 0 {
			blame(kindSaturation, ramp(c.now, 0.8, 1), "%s rose from %.0f %% to %.0f %% of its limit", fam, 100*c.ref, 100*c.now)
		}
	}
	// Throttling is CPU at its limit, seen from the scheduler; a fifth of the time is felt by every request.
	if c, ok := f.split(m.throttle).rise(); ok && f.significance(c.z()) > 0 && c.delta > 0.2 && c.now > 2*c.ref*growth {
		blame(kindThrottle, 0.6, "throttling rose from %.2g to %.2g", c.ref, c.now)
	}
	s.growthClues(m, growth, blame)
	s.presenceClues(m, blame)
}

// growthClues looks at resources whose limit is unknown, so that only the growth can be judged. That is half a clue:
// what doubled may have had room for ten times as much.
func (s scene) growthClues(m *measured, growth float64, blame func(kind, float64, string, ...any)) {
	f := s.frame
	times := func(g grid, least float64) (float64, change) {
		c, ok := f.split(g).rise()
		if !ok || f.significance(c.z()) == 0 || c.delta < least {
			return 0, c
		}
		return c.now / math.Max(c.ref*growth, least), c
	}
	if m.cpu == nil {
		// A twentieth of a core is what a cron job or a health check takes.
		n, c := times(m.cores, 0.05)
		blame(kindCores, 0.6*ramp(n, 2, 5), "CPU rose from %.2g to %.2g cores", c.ref, c.now)
	}
	for _, fam := range sortedKeys(m.grown) {
		n, c := times(m.grown[fam].grid(), 0)
		blame(kindUsed, 0.5*ramp(n, 1.5, 4), "%s rose from %.3g to %.3g", fam, c.ref, c.now)
	}
	for _, fam := range sortedKeys(m.io) {
		n, c := times(m.io[fam], 0)
		blame(kindIO, 0.4*ramp(n, 3, 10), "%s rose from %.3g to %.3g", fam, c.ref, c.now) // disks are busy in bursts by nature
	}
}

// presenceClues looks for components that went away or came back.
func (s scene) presenceClues(m *measured, blame func(kind, float64, string, ...any)) {
	if l := s.frame.split(m.up.grid()); len(l.base) >= minBaseline && len(l.now) > 0 {
		if before, now := quantile(l.base, 0.5), mean(l.now); before >= 0.5 && now < 0.5*before {
			blame(kindUp, 0.9, "%.0f %% of its instances are up instead of %.0f %%", 100*now, 100*before)
		}
	}
	if l := s.frame.split(m.restarts); len(l.base) >= minBaseline && mean(l.base) == 0 && mean(l.now) > 0 {
		blame(kindRestarts, 0.6, "restarted, which it did not do before")
	}
	if l := s.frame.split(m.alive()); len(l.base) >= minBaseline && len(l.now) == 0 && s.reporting {
		// Everybody else still reports: the component is gone, or its monitoring is.
		blame(kindCPU, 0.6, "stopped reporting its resource use")
	}
}

// alive holds the times at which the component reported what only a running process has.
func (m *measured) alive() grid {
	out := grid{}
	out.add(m.cpu.grid())
	out.add(m.cores)
	return out
}

// anybodyReports tells whether at least half of the components with resource metrics have some in the window.
func anybodyReports(components map[string]*measured, f frame) bool {
	before, now := 0, 0
	for _, m := range components {
		if l := f.split(m.alive()); len(l.base) >= minBaseline {
			before++
			if len(l.now) > 0 {
				now++
			}
		}
	}
	return now > 0 && 2*now >= before
}
