package web

import (
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
)

// ReportView is the form for users.
type ReportView struct {
	ErrorID string `json:"errorId"`
}

func (w *Web) reportForm(c *call) (any, error) {
	return &ReportView{ErrorID: c.query("id")}, nil
}

type reportInput struct {
	ErrorID string `json:"errorId,omitempty"` // that the error page showed
	Text    string `json:"text,omitempty"`
	Contact string `json:"contact,omitempty"` // how to answer
	Service string `json:"service,omitempty"`
}

func (w *Web) report(c *call) (any, error) {
	in := c.input.(*reportInput)
	if wait := w.guests.wait(auth.Network(auth.Address(c.r))); wait > 0 && c.who.Name == "" {
		return nil, &auth.WaitError{Wait: wait}
	}
	if in.Text == "" && in.ErrorID == "" {
		return nil, &InputError{"say what happened, or give the id that the error page showed"}
	}
	out, err := w.cfg.Desk.Report(c.ctx(), UserReport{ErrorID: in.ErrorID, Text: in.Text, Contact: in.Contact, Service: in.Service})
	if c.who.Name == "" { // a guest learns that it was received, not what is going on
		out = UserReport{ID: out.ID, ErrorID: in.ErrorID}
	}
	return &out, err
}

// pace lets each key do something `most` times in a stretch of time.
type pace struct {
	now  func() time.Time
	most int
	per  time.Duration

	mu   sync.Mutex
	from time.Time
	seen map[string]int
}

// wait counts one more, and is how long the key has to wait when that is too many.
func (p *pace) wait(key string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.seen == nil || now.Sub(p.from) >= p.per || len(p.seen) > 10000 {
		p.from, p.seen = now, map[string]int{}
	}
	p.seen[key]++
	if p.seen[key] <= p.most {
		return 0
	}
	return p.per - now.Sub(p.from)
}
