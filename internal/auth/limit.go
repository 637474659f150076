package auth

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// WaitError says that there were too many failures, and how long to wait.
type WaitError struct{ Wait time.Duration }

func (e *WaitError) Error() string {
	return fmt.Sprintf("too many failed attempts: try again in %d s", int(e.Wait.Seconds()+0.999))
}

// limiter makes whoever fails wait: five failures are free, the next waits a second, then two, four and so on up to longest. What was an hour ago is
// forgotten. It lives in memory: a restart forgives.
type limiter struct {
	now     func() time.Time
	longest time.Duration

	mu   sync.Mutex
	seen map[string]*attempts
}

type attempts struct {
	failures int
	last     time.Time
}

const (
	freeFailures = 5
	forgetAfter  = time.Hour
	mostSeen     = 10000 // names and addresses are chosen by strangers: bounded
)

func newLimiter(now func() time.Time, longest time.Duration) *limiter {
	return &limiter{now: now, longest: longest, seen: map[string]*attempts{}}
}

// wait is how long a key has to wait now.
func (l *limiter) wait(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.seen[key]
	if s == nil || s.failures < freeFailures {
		return 0
	}
	penalty := l.longest
	if over := s.failures - freeFailures; over < 20 {
		penalty = min(l.longest, time.Second<<over)
	}
	return max(0, s.last.Add(penalty).Sub(l.now()))
}

func (l *limiter) fail(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	s := l.seen[key]
	if s == nil {
		l.makeRoom(now)
		s = &attempts{}
		l.seen[key] = s
	}
	if now.Sub(s.last) > forgetAfter {
		s.failures = 0
	}
	s.failures++
	s.last = now
}

func (l *limiter) succeed(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, key)
}

// makeRoom forgets what is old, and if that does not suffice the one that failed least recently.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.seen) < mostSeen {
		return
	}
	oldest := ""
	for key, s := range l.seen {
		if now.Sub(s.last) > forgetAfter {
			delete(l.seen, key)
		} else if oldest == "" || s.last.Before(l.seen[oldest].last) {
			oldest = key
		}
	}
	if len(l.seen) >= mostSeen {
		delete(l.seen, oldest)
	}
}

// Network is what one person has of addresses: an IPv4 address, or a /64 of IPv6.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
