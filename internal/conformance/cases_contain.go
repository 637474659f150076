package conformance

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// containment: one sick upstream must not take the rest along.
func containment() []behaviour {
	const group = "containment"
	return []behaviour{
		{group: group, name: "drop-100", sentence: "an upstream that drops every request gets far fewer than 100 attempts for 100 requests", expected: "at most 30 attempts",
			script: func(p *peer) { p.request() }, judge: func(v *view) string {
				for range 99 {
					v.again(ask{path: "/"})
				}
				if n := v.wire.attempts.Load(); n > 30 {
					return fmt.Sprintf("%d attempts", n)
				}
				return ""
			}},
		{group: group, name: "timeouts-fail-fast", sentence: "after repeated timeouts answers come at once, 503 with Retry-After", expected: "503 at once",
			script: func(p *peer) { p.request(); p.hang() }, judge: func(v *view) string {
				storm(v, 20)
				s := v.again(ask{path: "/late"})
				if s.Status != http.StatusServiceUnavailable || s.Header.Get("Retry-After") == "" || s.Took > 900*time.Millisecond {
					return fmt.Sprintf("status %d, Retry-After %q after %v", s.Status, s.Header.Get("Retry-After"), s.Took)
				}
				return ""
			}},
		{group: group, name: "open-is-logged", sentence: "a request refused by an open circuit is logged with its reason", expected: "open",
			script: func(p *peer) { p.request() }, judge: func(v *view) string {
				storm(v, 20)
				s := v.again(ask{path: "/late"})
				if l, _ := v.lineOf("/a/late"); s.Status != 503 || l.Reason != "open" || l.Attempts != 0 {
					return fmt.Sprintf("status %d, logged %s with %d attempts", s.Status, l.Reason, l.Attempts)
				}
				return ""
			}},
		{group: group, name: "429-is-no-failure", sentence: "429 of the upstream is not a failure of the upstream", expected: "429 every time",
			script: reply(message(429, "text/plain", "slow", "Retry-After: 1")), judge: func(v *view) string {
				for range 30 {
					if s := v.again(ask{path: "/"}); s.Status != 429 {
						return fmt.Sprintf("status %d", s.Status)
					}
				}
				return ""
			}},
	}
}

func storm(v *view, n int) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { v.again(ask{path: "/storm"}) })
	}
	wg.Wait()
}
