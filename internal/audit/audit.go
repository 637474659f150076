package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Config of an Auditor. The zero value audits by every rule.
type Config struct {
	// HealthThreshold is the share of 5xx, 0 to 1, above which a health check that says fine lies. 0 is 0.05: the share at
	// which a chat alert is due on any route (REQUIREMENTS 187).
	HealthThreshold float64
	// HealthRoutes are paths of health checks beside the usual ones, e.g. "/internal/status".
	HealthRoutes []string
	// Skip are the IDs of rules that are not applied.
	Skip []string
}

// Auditor applies the rules.
type Auditor struct {
	cfg   Config
	rules []rule
	judge *answer.Judge // of bodies
}

// New returns an auditor; it refuses a threshold that is no share and rules that it does not know.
func New(cfg Config) (*Auditor, error) {
	if cfg.HealthThreshold == 0 {
		cfg.HealthThreshold = 0.05
	}
	if !(cfg.HealthThreshold > 0 && cfg.HealthThreshold < 1) {
		return nil, fmt.Errorf("audit: health threshold %v: say a share between 0 and 1, e.g. 0.05", cfg.HealthThreshold)
	}
	judge, err := answer.New(answer.Config{})
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	a := &Auditor{cfg: cfg, rules: catalogue(), judge: judge}
	for _, id := range cfg.Skip {
		n := len(a.rules)
		a.rules = slices.DeleteFunc(a.rules, func(r rule) bool { return r.ID == id })
		if len(a.rules) == n {
			return nil, fmt.Errorf("audit: no rule %q: `inquest audit rules` lists them", id)
		}
	}
	return a, nil
}

// Input is everything that was read.
type Input struct {
	Store *mem.Store // sealed
	Files []File     // in the order of their numbers
	Notes []string   // what was left out
}

// File is one file with what its collectors saw.
type File struct {
	Report     parse.FileReport
	Service    string // name of whoever wrote the records that name nobody
	Kind       inquest.ComponentKind
	Collectors []*Collector
}

// world is what the rules look at, and what they found.
type world struct {
	cfg      Config
	in       Input
	rules    map[string]inquest.AuditRule
	tallies  tallies
	holdings holdings
	logs     map[logKey]*logTally
	kinds    map[string]inquest.ComponentKind // by service
	proxies  map[string]bool                  // services whose records name upstreams
	from, to int64
	requests map[string]int // by service and route
	found    []inquest.AuditFinding
	shared   []pair // gateways and their upstreams that share requests
}

// Judge applies the rules to everything that was read.
func (a *Auditor) Judge(in Input) *inquest.Audit {
	w := a.world(in)
	w.pairUp()
	errorsBehind500(a.judge, w)
	logs := w.logQuality()
	for i := range a.rules {
		if a.rules[i].whole != nil {
			a.rules[i].whole(w)
		}
		if a.rules[i].log != nil {
			w.found = append(w.found, a.rules[i].judgeLogs(logs)...)
		}
	}
	w.tallies.shrink()
	w.fromTallies()
	out := &inquest.Audit{
		Window:   inquest.Window{From: instant(w.from), To: instant(w.to)},
		Requests: w.holdings.requests, Records: w.holdings.logs,
		Findings: w.found, Mappings: w.mappings(), Logs: logs, Files: w.files(), Notes: in.Notes,
	}
	slices.SortStableFunc(out.Findings, byGravity)
	for i := range a.rules {
		r := &a.rules[i]
		if r.unable == nil || w.has(r.ID) {
			continue
		}
		if why := r.unable(&w.holdings); why != "" {
			out.Unchecked = append(out.Unchecked, inquest.AuditGap{Rule: r.ID, Why: why})
		}
	}
	return out
}

// byGravity orders findings for people: gravest rules first, and of a rule what is most frequent.
func byGravity(x, y inquest.AuditFinding) int {
	return cmp.Or(cmp.Compare(y.Rule.Severity.Rank(), x.Rule.Severity.Rank()), cmp.Compare(x.Rule.ID, y.Rule.ID), cmp.Compare(y.Count, x.Count),
		cmp.Compare(x.Service, y.Service), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Detail, y.Detail))
}

func (a *Auditor) world(in Input) *world {
	w := &world{cfg: a.cfg, in: in, rules: map[string]inquest.AuditRule{}, tallies: newTallies(), logs: map[logKey]*logTally{},
		kinds: map[string]inquest.ComponentKind{}, proxies: map[string]bool{}, requests: map[string]int{}}
	for i := range a.rules {
		w.rules[a.rules[i].ID] = a.rules[i].AuditRule
	}
	for i := range in.Files {
		f := &in.Files[i]
		w.kinds[f.Service] = cmp.Or(w.kinds[f.Service], f.Kind)
		for _, c := range f.Collectors {
			w.tallies.merge(&c.tallies, f.Service)
			w.holdings.add(&c.holdings)
			for k, t := range c.logs {
				k.service = cmp.Or(k.service, f.Service)
				k.format, k.kind = f.Report.Format, f.Kind
				w.logOf(k).merge(t)
			}
			w.widen(c.from)
			w.widen(c.to)
		}
	}
	for _, s := range in.Store.Streams() {
		w.requests[s.Observer+" "+s.Name()] += total(s)
		w.proxies[s.Observer] = w.proxies[s.Observer] || s.Proxy
	}
	return w
}

func (w *world) widen(at int64) {
	if at == 0 {
		return
	}
	if w.from == 0 || at < w.from {
		w.from = at
	}
	w.to = max(w.to, at)
}

func total(s *mem.Stream) int {
	n := 0
	for i := range s.Status {
		n += int(s.Status[i].Count)
	}
	return n
}

// has reports whether a rule has findings.
func (w *world) has(id string) bool {
	for k := range w.tallies.by {
		if k.rule == id || k.mapped.status != 0 && judgeMapping(k.mapped) == id {
			return true
		}
	}
	return slices.ContainsFunc(w.found, func(f inquest.AuditFinding) bool { return f.Rule.ID == id })
}

// fromTallies makes findings of what was counted.
func (w *world) fromTallies() {
	for _, k := range w.tallies.keys() {
		id, detail := k.rule, k.detail
		if k.mapped.status != 0 {
			id, detail = judgeMapping(k.mapped), k.mapped.detail()
		}
		r, ok := w.rules[id]
		if !ok {
			continue // right, a matter of taste, or skipped
		}
		t := w.tallies.by[k]
		w.found = append(w.found, inquest.AuditFinding{
			Rule: r, Service: k.service, Route: k.route, Detail: detail, Count: t.count, Of: w.requests[k.service+" "+k.route],
			Estimated: k.mapped.basis == inquest.ByMinute, From: instant(t.from), To: instant(t.to), Examples: w.shown(t),
		})
	}
}

// mappings lists the changes of status, most frequent first.
func (w *world) mappings() []inquest.StatusMapping {
	var out []inquest.StatusMapping
	for _, k := range w.tallies.keys() {
		if k.mapped.status == 0 {
			continue
		}
		out = append(out, inquest.StatusMapping{Service: k.service, Route: k.route, UpstreamStatus: k.mapped.from(), Status: k.mapped.status,
			Count: w.tallies.by[k].count, Basis: k.mapped.basis, Rule: judgeMapping(k.mapped)})
	}
	slices.SortStableFunc(out, func(a, b inquest.StatusMapping) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

func (w *world) files() []inquest.FileCoverage {
	var out []inquest.FileCoverage
	for i := range w.in.Files {
		r := &w.in.Files[i].Report
		f := inquest.FileCoverage{File: r.File, Format: r.Format, Records: r.Records, Skipped: r.Skipped, From: r.From, To: r.To, Notes: slices.Clone(r.Notes)}
		if r.Err != nil {
			f.Notes = append(f.Notes, r.Err.Error())
		}
		out = append(out, f)
	}
	return out
}
