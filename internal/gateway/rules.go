package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
)

// mapping builds the rules of a route: its own first, then the shipped ones that are on.
func (r *route) mapping(c *Mapping, t *table) (err error) {
	off := slices.Clone(c.Off)
	if slices.Contains(off, "all") {
		off = nil
		for _, s := range answer.Rules() {
			if !strings.HasPrefix(s.ID, "leak-") {
				off = append(off, s.ID)
			}
		}
	}
	if r.judge, err = t.judge(off); err != nil {
		return fmt.Errorf("off: %w", err)
	}
	r.trusting = slices.Contains(off, answer.RuleLie) && slices.Contains(off, answer.RuleLiePage)
	names := map[string]bool{}
	for i := range c.Own {
		own := c.Own[i]
		if err := own.check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		if names[own.Name] {
			return fmt.Errorf("rule %d: the name %q is taken; names are for the log, give each rule its own", i+1, own.Name)
		}
		names[own.Name] = true
		for k := range own.Statuses {
			r.trusting = r.trusting && own.Statuses[k] >= 300
		}
		own.Body, own.Not = lowered(own.Body), lowered(own.Not)
		r.own = append(r.own, own)
	}
	return nil
}

// judge returns the judge with these rules off; routes of one mind share it, for its rules take memory.
func (t *table) judge(off []string) (*answer.Judge, error) {
	key := strings.Join(off, " ")
	if j := t.judges[key]; j != nil {
		return j, nil
	}
	j, err := answer.New(answer.Config{Off: off})
	if err == nil {
		t.judges[key] = j
	}
	return j, err
}

func lowered(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

func (o *Rule) check() error {
	switch {
	case o.Name == "":
		return fmt.Errorf("no name; the log and the header X-Inquest-Rule tell it")
	case strings.ContainsFunc(o.Name, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("the name %q stands in a header: write it without blanks and in ASCII", o.Name)
	case len(o.Statuses) == 0:
		return fmt.Errorf("no statuses; list those of the upstream that the rule is for")
	case len(o.Body) == 0:
		return fmt.Errorf("no body; list at least one text that the answer has to hold")
	case o.Status < 400 || o.Status > 599:
		return fmt.Errorf("status %d is no error; write the one that is true, 400 to 599", o.Status)
	}
	for _, s := range o.Statuses {
		if s < 200 || s > 599 {
			return fmt.Errorf("statuses: %d is none of a final answer; write 200 to 599", s)
		}
	}
	return nil
}

// status is the true status of an answer, and the rule that says so ("" for the answer's own).
func (r *route) status(a answer.Answer) (status int, rule string, retryAfter time.Duration) {
	if len(r.own) > 0 {
		text := strings.ToLower(string(a.Body))
		for i := range r.own {
			if o := &r.own[i]; slices.Contains(o.Statuses, a.Status) && anyIn(text, o.Body) && !anyIn(text, o.Not) {
				return o.Status, o.Name, r.after(o.Status, o.RetryAfter)
			}
		}
	}
	v := r.judge.Status(a)
	return v.Status, v.Rule, r.after(v.Status, 0)
}

// after is when to come back, for the statuses that have to say so.
func (r *route) after(status int, d time.Duration) time.Duration {
	if d == 0 && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
		return r.RetryAfter
	}
	return d
}

func anyIn(text string, list []string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(text, s) })
}
