package detect

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Config of New.
type Config struct {
	Groups   []Group
	Query    store.Querier
	Append   store.Appender // for recorded series and the state of alerts
	Receiver Receiver       // nil: nobody is told

	Interval time.Duration // of groups that set none; 0: 15 s
	Resend   time.Duration // how often a firing alert is told again; 0: 1 minute

	URL            string            // of the server, for templates and in alerts
	ExternalLabels map[string]string // for templates

	Now     func() time.Time             // nil: the machine's clock
	Failed  func(rule string, err error) // told of each evaluation that failed; nil: only Status tells
	Restore time.Duration                // how far back a restart looks for the state of alerts; 0: 1 hour; below zero: it does not
}

// Detector evaluates rules. Safe for concurrent use; evaluations of one group do not overlap.
type Detector struct {
	cfg    Config
	url    *url.URL
	groups []*group
}

type group struct {
	Group
	mu       sync.Mutex
	alerting []*alerting // by rule; nil for a recording rule
	errs     []error     // by rule, of the last evaluation
	left     []map[string]inquest.Series
	last     time.Time
	took     time.Duration
	restored bool
}

// New checks the rules against each other.
func New(cfg Config) (*Detector, error) {
	if cfg.Query == nil || cfg.Append == nil {
		return nil, errors.New("detect: rules need a metrics store to query and to record in: set one")
	}
	if cfg.Interval <= 0 {
		cfg.Interval = 15 * time.Second
	}
	if cfg.Resend <= 0 {
		cfg.Resend = time.Minute
	}
	if cfg.Restore == 0 {
		cfg.Restore = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Detector{cfg: cfg}
	var err error
	if d.url, err = url.Parse(cfg.URL); err != nil {
		return nil, fmt.Errorf("detect: the server's address: %w", err)
	}
	seen := map[string]bool{}
	for _, g := range cfg.Groups {
		if seen[g.File+";"+g.Name] {
			return nil, fmt.Errorf("%w: %s: group %q is there twice", ErrRules, g.File, g.Name)
		}
		seen[g.File+";"+g.Name] = true
		if g.Interval <= 0 {
			g.Interval = cfg.Interval
		}
		own := &group{Group: g, alerting: make([]*alerting, len(g.Rules)), errs: make([]error, len(g.Rules)), left: make([]map[string]inquest.Series, len(g.Rules))}
		for i, r := range g.Rules {
			if r.Alert != "" {
				own.alerting[i] = &alerting{group: &own.Group, rule: r, active: map[string]*active{}}
			}
		}
		d.groups = append(d.groups, own)
	}
	return d, nil
}

// Run evaluates every group at its interval, until ctx ends. Groups start at different times, as in Prometheus, so that they do not all
// ask at once.
func (d *Detector) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i, g := range d.groups {
		wg.Go(func() {
			first := time.NewTimer(g.Interval * time.Duration(i) / time.Duration(4*len(d.groups)))
			defer first.Stop()
			select {
			case <-ctx.Done():
				return
			case <-first.C:
			}
			tick := time.NewTicker(g.Interval)
			defer tick.Stop()
			for {
				_ = d.eval(ctx, g, d.cfg.Now()) // Failed and Status tell
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// Eval evaluates every group once, in order, whatever its interval. The error joins those of all rules.
func (d *Detector) Eval(ctx context.Context, at time.Time) error {
	var errs []error
	for _, g := range d.groups {
		errs = append(errs, d.eval(ctx, g, at))
	}
	return errors.Join(errs...)
}

// EvalDue evaluates the groups whose interval has passed: Run on a clock of the caller's.
func (d *Detector) EvalDue(ctx context.Context, at time.Time) error {
	var errs []error
	for _, g := range d.groups {
		g.mu.Lock()
		due := at.Sub(g.last) >= g.Interval
		g.mu.Unlock()
		if due {
			errs = append(errs, d.eval(ctx, g, at))
		}
	}
	return errors.Join(errs...)
}

// farBack is by how much a clock must have gone back for its old time not to be waited for: nobody would be told of anything meanwhile. The store of
// metrics takes samples of so long ago then (tsdb: maxAhead).
const farBack = 10 * time.Minute

func (d *Detector) eval(ctx context.Context, g *group, at time.Time) error {
	at = at.Truncate(time.Millisecond).UTC()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !at.After(g.last) {
		if g.last.Sub(at) < farBack {
			return nil // the store would drop what is recorded
		}
		for _, a := range g.alerting {
			a.setBack(at)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !g.restored {
		if err := d.restore(ctx, g, at); err != nil && ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			d.failed(g.Name+": state of alerts", err) // and go on without: a rule that starts anew is better than none
		}
		g.restored = true
	}
	start := d.cfg.Now()
	var errs []error
	for i := range g.Rules {
		if err := d.rule(ctx, g, i, at); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			g.errs[i] = fmt.Errorf("rule %q of group %q: %w", g.Rules[i].Name(), g.Name, err)
			errs = append(errs, g.errs[i])
			d.failed(g.Rules[i].Name(), err)
		} else {
			g.errs[i] = nil
		}
	}
	if err := d.tell(ctx, g, at); err != nil {
		errs = append(errs, err)
		d.failed(g.Name+": telling", err)
	}
	g.last, g.took = at, d.cfg.Now().Sub(start)
	return errors.Join(errs...)
}

func (d *Detector) failed(rule string, err error) {
	if d.cfg.Failed != nil {
		d.cfg.Failed(rule, err)
	}
}

// rule evaluates one rule and stores what it leaves. The next rule of the group sees it.
func (d *Detector) rule(ctx context.Context, g *group, i int, at time.Time) error {
	var left []inquest.Series
	var err error
	if a := g.alerting[i]; a != nil {
		left, err = a.eval(ctx, d, at)
	} else {
		left, err = record(ctx, d, &g.Group, &g.Rules[i], at)
	}
	if err != nil {
		return err // what it left before stays visible for five minutes, as in Prometheus
	}
	now := byKey(left)
	write := append(left, ended(g.left[i], now, at)...)
	g.left[i] = now
	if len(write) == 0 {
		return nil
	}
	return d.cfg.Append.Append(ctx, write)
}

// tell hands the alerts of a group over.
func (d *Detector) tell(ctx context.Context, g *group, at time.Time) error {
	var due []*active
	for _, a := range g.alerting {
		if a != nil {
			due = append(due, a.due(at, d.cfg.Resend)...)
		}
	}
	if len(due) == 0 || d.cfg.Receiver == nil {
		return nil
	}
	alerts := make([]inquest.Alert, 0, len(due))
	for _, x := range due {
		alerts = append(alerts, x.Alert)
	}
	if err := d.cfg.Receiver.Alerts(ctx, alerts); err != nil {
		return fmt.Errorf("%d alerts of group %q were not taken: %w", len(alerts), g.Name, err)
	}
	for _, x := range due {
		x.told, x.toldAt = x.handedState, x.nextToldAt
	}
	return nil
}

// Alerts returns the alerts that are pending or firing, in the order of groups and rules.
func (d *Detector) Alerts() []inquest.Alert {
	var out []inquest.Alert
	for _, g := range d.groups {
		g.mu.Lock()
		for _, a := range g.alerting {
			if a == nil {
				continue
			}
			for _, x := range sortedActive(a.active) {
				if x.State != inquest.AlertResolved {
					out = append(out, x.Alert)
				}
			}
		}
		g.mu.Unlock()
	}
	return out
}

// RuleStatus is how one rule fares.
type RuleStatus struct {
	Group, Name, Expr string
	Alert             bool
	Last              time.Time     // zero: not evaluated yet
	Took              time.Duration // of its whole group
	Error             string
	For               string // how long its condition must hold, as rule files have it: "1m30s"; "" for not at all
	Severity          string // whom it tells: page, chat or ticket; may be a template
	Pending, Firing   int    // alerts
}

// Status tells of every rule.
func (d *Detector) Status() []RuleStatus {
	var out []RuleStatus
	for _, g := range d.groups {
		g.mu.Lock()
		for i, r := range g.Rules {
			s := RuleStatus{Group: g.Name, Name: r.Name(), Expr: strings.Join(strings.Fields(r.Expr), " "), Alert: r.Alert != "", Last: g.last, Took: g.took, Severity: r.Labels["severity"]}
			if r.For > 0 {
				s.For = model.Duration(r.For).String()
			}
			if g.errs[i] != nil {
				s.Error = g.errs[i].Error()
			}
			if a := g.alerting[i]; a != nil {
				for _, x := range a.active {
					switch x.State {
					case inquest.AlertPending:
						s.Pending++
					case inquest.AlertFiring:
						s.Firing++
					}
				}
			}
			out = append(out, s)
		}
		g.mu.Unlock()
	}
	return out
}
