// Package replay runs rules over old logs: what would have paged, when, for how long, how soon after the onset, and how often wrongly.
//
// The logs are counted by internal/rates as the server counts them, each stretch of time by itself and then added up in the order of time;
// the counters go into a metrics store in a folder that is deleted afterwards, and internal/detect evaluates on the logs' own clock.
// What is right is decided by the incident that the investigation finds in the same logs.
package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

// Config of Run.
type Config struct {
	Path     string             // a folder or a file of logs
	Groups   []detect.Group     // the rules
	Critical []string           // services that are critical
	Reports  []parse.FileReport // of the investigation: whose log each file is, and how its clock is off
	Found    *inquest.Diagnosis // of the investigation: what is right and wrong
	Step     time.Duration      // how often counters are written and rules looked at; 0: 5 s, more for logs of more than half a day
	Progress func(done, total int64)
}

// Judgement says whether an alert was right.
type Judgement string

// The judgements. Tickets are not judged: they are no claim that something is broken now.
const (
	Right    Judgement = "right"    // fired in the incident, or within five minutes of its end
	Wrong    Judgement = "wrong"    // fired when there was none
	Unjudged Judgement = "unjudged" // a ticket, or only pending
)

// Alert is one alert that would have been told.
type Alert struct {
	inquest.Alert
	Lasted    time.Duration // from firing to its end, or to the end of the logs
	Judgement Judgement
	After     time.Duration // from the onset of the incident until it fired; of right ones
}

// Result of Run.
type Result struct {
	Window  inquest.Window
	Step    time.Duration
	Records int
	Rules   int
	Alerts  []Alert // in the order in which they fired

	Incident bool
	Onset    time.Time
	End      time.Time     // zero: until the end of the logs
	Detected time.Duration // from the onset to the first right page, else chat; below zero: nothing told
	By       string        // which alert
	Wrong    map[inquest.AlertUrgency]int
	Failing  []string // rules that could not be evaluated, and why
}

// most is how many steps a replay has by itself: half a day of 5 s.
const most = 8640

// Run replays.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if len(cfg.Groups) == 0 {
		return nil, errors.New("replay: no rules: give a rule file")
	}
	c := newCounts(cfg)
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	if c.records == 0 && len(c.series) == 0 {
		return nil, fmt.Errorf("replay: %s: no records with a time: give access logs, application logs, metrics or traces", cfg.Path)
	}
	dir, err := os.MkdirTemp("", "inquest-replay-")
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := &run{cfg: cfg, counts: c, active: map[string]*inquest.Alert{}, failing: map[string]string{}}
	r.clock.Store(c.from.UnixNano())
	db, err := tsdb.Open(tsdb.Config{Dir: dir, Retention: 100 * 365 * 24 * time.Hour, Now: r.now})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r.db = db
	err = r.run(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return r.result(), nil
}

type run struct {
	cfg     Config
	counts  *counts
	db      *tsdb.DB
	clock   atomic.Int64 // the store's goroutine looks at it too
	active  map[string]*inquest.Alert
	order   []*inquest.Alert // that fired, also those that ended
	failing map[string]string
}

func (r *run) now() time.Time { return time.Unix(0, r.clock.Load()).UTC() }

// Alerts takes what the detector tells.
func (r *run) Alerts(_ context.Context, alerts []inquest.Alert) error {
	for _, a := range alerts {
		if a.State == inquest.AlertPending {
			continue
		}
		key := a.Key() + a.Fired.String()
		if old := r.active[key]; old != nil {
			old.State, old.Resolved = a.State, a.Resolved
			continue
		}
		own := a
		r.active[key] = &own
		r.order = append(r.order, &own)
	}
	return nil
}

func (r *run) run(ctx context.Context) error {
	d, err := detect.New(detect.Config{Groups: r.cfg.Groups, Query: r.db, Append: r.db, Receiver: r, Now: r.now, Restore: -1, Interval: max(15*time.Second, r.counts.step),
		Failed: func(rule string, err error) { r.failing[rule] = err.Error() }})
	if err != nil {
		return err
	}
	for i := int64(0); ; i++ {
		at := r.counts.from.Add(time.Duration(i+1) * r.counts.step)
		r.clock.Store(at.UnixNano())
		batch := r.counts.advance(i, at)
		if i%max(1, int64(time.Minute/r.counts.step)) == 0 {
			for _, s := range r.cfg.Critical {
				batch = append(batch, inquest.Series{Name: "inquest_service_info", Labels: map[string]string{"service": s, "tier": "critical"}, Samples: []inquest.Sample{{Time: at, Value: 1}}})
			}
		}
		if err := r.db.Append(ctx, batch); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		_ = d.EvalDue(ctx, at) // Failed remembers which rules cannot be evaluated; the others count
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.cfg.Progress != nil { // the second half of the work
			r.cfg.Progress(r.counts.total+r.counts.total*(i+1)/max(1, r.counts.steps()), 2*r.counts.total)
		}
		if !at.Before(r.counts.to) {
			return nil
		}
	}
}

// result judges.
func (r *run) result() *Result {
	found := r.cfg.Found
	out := &Result{Window: inquest.Window{From: r.counts.from, To: r.counts.to}, Step: r.counts.step, Records: r.counts.records, Detected: -1, Wrong: map[inquest.AlertUrgency]int{}}
	for _, g := range r.cfg.Groups {
		out.Rules += len(g.Rules)
	}
	if found != nil && found.Incident {
		out.Incident, out.Onset, out.End = true, found.Onset, found.End
	}
	for _, a := range r.order {
		x := Alert{Alert: *a, Judgement: Unjudged, Lasted: r.counts.to.Sub(a.Fired)}
		if !a.Resolved.IsZero() {
			x.Lasted = a.Resolved.Sub(a.Fired)
		}
		if u := a.Urgency(); u != inquest.UrgencyTicket {
			x.Judgement = Wrong
			if out.covers(a.Fired) {
				x.Judgement, x.After = Right, max(0, a.Fired.Sub(out.Onset))
			} else {
				out.Wrong[u]++
			}
		}
		out.Alerts = append(out.Alerts, x)
	}
	slices.SortStableFunc(out.Alerts, func(a, b Alert) int { return a.Fired.Compare(b.Fired) })
	out.detected(inquest.UrgencyChat)
	out.detected(inquest.UrgencyPage)
	for rule, err := range r.failing {
		out.Failing = append(out.Failing, rule+": "+err)
	}
	slices.Sort(out.Failing)
	return out
}

// covers reports whether there was an incident: a rule's window of five minutes sees the failures for so long after the last one. An
// alert in the step before the onset saw the same failures: a step is counted as a whole.
func (r *Result) covers(t time.Time) bool {
	return r.Incident && !t.Before(r.Onset.Add(-r.Step)) && (r.End.IsZero() || !t.After(r.End.Add(5*time.Minute)))
}

// detected looks for the first right alert of an urgency.
func (r *Result) detected(u inquest.AlertUrgency) {
	for _, a := range r.Alerts {
		if a.Judgement == Right && a.Urgency() == u {
			r.Detected, r.By = a.After, a.Rule
			return
		}
	}
}
