package gateway

import (
	"fmt"
	"html"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// maintenance is whether a route is closed. It is switched by the configuration and, while the gateway runs, by command.
type maintenance struct{ state atomic.Pointer[closure] }

type closure struct {
	message string
	page    []byte // HTML, instead of the page with the message
	until   time.Time
	allow   []netip.Prefix
}

func (m *maintenance) set(c *Maintenance) error {
	if c == nil || !c.On {
		m.state.Store(nil)
		return nil
	}
	s := &closure{message: c.Message, until: c.Until}
	if s.message == "" {
		s.message = "We are working on it. Please try again later."
	}
	if c.Page != "" {
		b, err := os.ReadFile(c.Page)
		if err != nil {
			return fmt.Errorf("page: %w", err)
		}
		s.page = b
	}
	for _, a := range c.Allow {
		p, err := network(a)
		if err != nil {
			return fmt.Errorf("allow: %w", err)
		}
		s.allow = append(s.allow, p)
	}
	m.state.Store(s)
	return nil
}

// closedFor returns the closure that stands in the way of a client, nil if none does. One that has expired opens by itself.
func (m *maintenance) closedFor(client netip.Addr, now time.Time) *closure {
	s := m.state.Load()
	switch {
	case s == nil:
		return nil
	case !s.until.IsZero() && !now.Before(s.until):
		m.state.CompareAndSwap(s, nil)
		return nil
	case within(s.allow, client):
		return nil
	}
	return s
}

// retryAfter is when to try again: at the announced end, or in five minutes, a time in which a switch is turned.
func (s *closure) retryAfter(now time.Time) time.Duration {
	if s.until.IsZero() {
		return 5 * time.Minute
	}
	return max(time.Second, s.until.Sub(now))
}

func (s *closure) html() []byte {
	if s.page != nil {
		return s.page
	}
	return []byte("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Maintenance</title></head>\n<body style=\"font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem\"><h1>Maintenance</h1><p>" +
		html.EscapeString(s.message) + "</p></body></html>\n")
}
