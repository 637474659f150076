package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

// FindingsView is what was found where answers and logs hide failures, and what was looked at.
type FindingsView struct {
	Audit        any       `json:"audit"` // inquest/audit/v1; null while there is none
	On           bool      `json:"on"`    // the server looks by itself
	From         time.Time `json:"from"`  // of the stretch that is looked back on
	To           time.Time `json:"to"`
	Looked       time.Time `json:"looked,omitzero"` // the last time
	Next         time.Time `json:"next,omitzero"`   // when the next look is due
	ArrivedBytes int64     `json:"arrivedBytes"`    // of log lines, in the stretch
	ReadBytes    int64     `json:"readBytes"`       // of them, that were looked at
	Servers      []string  `json:"servers"`         // that looked

	Report *inquest.Audit `json:"-"`
	Rules  []brokenRule   `json:"-"`
	Gaps   []uncheckable  `json:"-"`
	Shown  int            `json:"-"` // findings after the filter
}

// brokenRule is a rule with all its findings.
type brokenRule struct {
	inquest.AuditRule
	Count    int
	Findings []inquest.AuditFinding
	Examples []inquest.AuditExample // of all of them, a few
}

// More is how many findings the page leaves out.
func (b *brokenRule) More() int { return max(0, len(b.Findings)-mostPlaces) }

// Places are the findings that the page shows.
func (b *brokenRule) Places() []inquest.AuditFinding {
	return b.Findings[:min(len(b.Findings), mostPlaces)]
}

const (
	mostPlaces   = 20 // services and routes that a page shows of one rule; the JSON has all
	mostExamples = 3  // lines likewise
)

// uncheckable is why rules could not be checked.
type uncheckable struct {
	Why   string
	Rules []string
}

func (w *Web) findings(c *call) (any, error) {
	least := inquest.AuditSeverity(c.query("severity"))
	if least != "" && least.Rank() == 0 {
		return nil, &InputError{fmt.Sprintf("severity %q: say error, warning or note", least)}
	}
	v := &FindingsView{Servers: []string{}}
	if w.cfg.Findings == nil {
		return v, nil
	}
	f, err := w.cfg.Findings.Findings(c.ctx())
	if err != nil {
		return nil, err
	}
	v.On, v.From, v.To, v.Looked, v.Next, v.ArrivedBytes, v.ReadBytes = f.On, f.From, f.To, f.Looked, f.Next, f.Arrived, f.Read
	v.Servers = append(v.Servers, f.Servers...)
	if f.Audit == nil {
		return v, nil
	}
	a := *f.Audit
	a.Findings = slices.DeleteFunc(slices.Clone(a.Findings), func(x inquest.AuditFinding) bool {
		return x.Rule.Severity.Rank() < least.Rank() || c.query("service") != "" && c.query("service") != x.Service
	})
	v.Report, v.Shown = &a, len(a.Findings)
	v.Rules, v.Gaps = byRule(a.Findings), byReason(a.Unchecked)
	var b bytes.Buffer
	err = report.AuditJSON(&b, &a)
	v.Audit = json.RawMessage(b.Bytes())
	return v, err
}

// byRule groups findings, which come in the order of their rules.
func byRule(all []inquest.AuditFinding) []brokenRule {
	var out []brokenRule
	for _, f := range all {
		if n := len(out); n == 0 || out[n-1].ID != f.Rule.ID {
			out = append(out, brokenRule{AuditRule: f.Rule})
		}
		r := &out[len(out)-1]
		r.Count += f.Count
		r.Findings = append(r.Findings, f)
		if n := min(len(f.Examples), mostExamples-len(r.Examples)); n > 0 {
			r.Examples = append(r.Examples, f.Examples[len(f.Examples)-n:]...)
		}
	}
	return out
}

func byReason(all []inquest.AuditGap) []uncheckable {
	var out []uncheckable
	for _, g := range all {
		i := slices.IndexFunc(out, func(u uncheckable) bool { return u.Why == g.Why })
		if i < 0 {
			i, out = len(out), append(out, uncheckable{Why: g.Why})
		}
		out[i].Rules = append(out[i].Rules, g.Rule)
	}
	return out
}

// Partly reports whether more came than was looked at.
func (v *FindingsView) Partly() bool { return v.ReadBytes < v.ArrivedBytes }

// ReadShare is the share that was looked at.
func (v *FindingsView) ReadShare() float64 { return float64(v.ReadBytes) / float64(v.ArrivedBytes) }

// Idle reports whether nothing came that could be judged.
func (v *FindingsView) Idle() bool {
	return v.Report == nil || v.Report.Requests+v.Report.Records == 0
}
