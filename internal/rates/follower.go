package rates

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
)

const (
	duePatterns = 200       // stored at a time
	tickBytes   = 128 << 20 // read at a time: what a core counts in about two seconds
	maxKnown    = 2000      // sources whose format is remembered
	lastTick    = 5 * time.Second
	// farBack is by how much a clock must have gone back for its old time not to be waited for; rules and the store of metrics have the same figure.
	farBack = 10 * time.Minute
)

// Reader gives what is new in the spool; *spool.Reader is one.
type Reader interface {
	Next(most int64) []spool.Range
	Done(r spool.Range, through int64)
	Unread() int64
	Save() error
}

// Config of New. All but Changed, Reported, Step and Now is required.
type Config struct {
	Reader  Reader
	Spool   interface{ Stats() spool.Stats }
	Series  store.Appender
	Records store.Records
	// Writer names whose log a segment is, by the name of its file and its format, where the lines name nobody.
	Writer func(file, format string) string
	// Changed is told of each change that is new, once it is stored; nil: nobody is.
	Changed func(context.Context, inquest.Change)
	// Reported is told of each report of a user in the gateway's log, again until it returns nil; nil: nobody is.
	Reported func(context.Context, UserReport) error
	Step     time.Duration // between two ticks, 0: two seconds
	Now      func() time.Time
}

// Follower reads what is new in the spool every few seconds and keeps the counts.
type Follower struct {
	cfg      Config
	counter  *Counter
	patterns *Patterns
	changes  *Changes
	changed  []inquest.Change        // to be stored
	reports  []UserReport            // to be told
	known    map[string]*parse.Known // formats, by the source's folder
	started  time.Time
	last     time.Time // of the last tick

	mu     sync.Mutex
	status Status
}

// Status is how the follower does.
type Status struct {
	Lag    time.Duration // since when not all that had arrived is counted; 0 when all is
	Unread int64         // bytes
	Passed int64         // bytes that could not be read, since New
	Err    error         // of the last tick
	caught time.Time     // when everything was counted last
}

// New returns a Follower; Run makes it work.
func New(cfg Config) (*Follower, error) {
	if cfg.Reader == nil || cfg.Spool == nil || cfg.Series == nil || cfg.Records == nil || cfg.Writer == nil {
		return nil, errors.New("rates: reader, spool, series, records and writer are all required")
	}
	cfg.Step = cmp.Or(cfg.Step, 2*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Follower{cfg: cfg, counter: NewCounter(cfg.Step), patterns: NewPatterns(cfg.Step), changes: NewChanges(),
		known: map[string]*parse.Known{}, started: cfg.Now(), status: Status{caught: cfg.Now()}}, nil
}

// Run ticks until ctx ends, and once more after that. What a tick could not do the next one does; Status tells its error.
func (f *Follower) Run(ctx context.Context) error {
	tick := time.NewTicker(f.cfg.Step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTick)
			defer cancel()
			return errors.Join(ctx.Err(), f.Tick(last))
		case <-tick.C:
			_ = f.Tick(ctx) // kept in Status
		}
	}
}

// Status tells how the follower does.
func (f *Follower) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Tick counts what is new and writes what has changed. Counts are cumulative, so nothing is lost when a store takes nothing for a while.
func (f *Follower) Tick(ctx context.Context) error {
	began := f.cfg.Now()
	f.followClock(began)
	all := f.read(ctx)
	now := f.cfg.Now()
	unread := f.cfg.Reader.Unread()
	f.mu.Lock()
	st := &f.status
	switch {
	case unread == 0:
		st.caught = now
	case all: // what has come since is not late yet: under load there is always some
		st.caught = began
	}
	st.Lag, st.Unread = max(0, now.Sub(st.caught)), unread
	lag := st.Lag
	f.mu.Unlock()

	err := errors.Join(
		f.append(ctx, append(f.counter.Series(now), f.gauges(now, lag)...)),
		f.savePatterns(ctx, now), // which finds out what is new
		f.append(ctx, f.patterns.Series(now)),
		f.saveChanges(ctx),
		f.tellReports(ctx),
		f.cfg.Reader.Save(),
	)
	f.mu.Lock()
	f.status.Err = err
	f.mu.Unlock()
	return err
}

// followClock counts anew when the clock was set back. What was counted before stays where it is stored; a counter cannot go on at a time that it has passed,
// and while nothing is counted nobody is told of anything.
func (f *Follower) followClock(now time.Time) {
	by := f.last.Sub(now)
	if by > 0 && by < farBack {
		return
	}
	if by > 0 {
		f.counter.StartOver()
		f.patterns.setBack(by, now)
		f.changes.setBack(by)
		f.mu.Lock()
		f.status.caught = now
		f.mu.Unlock()
	}
	f.last = now
}

func (f *Follower) append(ctx context.Context, series []inquest.Series) error {
	if len(series) == 0 {
		return nil
	}
	if err := f.cfg.Series.Append(ctx, series); err != nil {
		return fmt.Errorf("writing counts: %w", err)
	}
	return nil
}

// read counts what is new, and reports whether that was all there was. A piece that is begun is read to its end: half of it would be counted twice.
func (f *Follower) read(ctx context.Context) (all bool) {
	whole := context.WithoutCancel(ctx)
	left := f.cfg.Reader.Unread()
	for _, g := range f.cfg.Reader.Next(tickBytes) {
		if ctx.Err() != nil {
			return false
		}
		left -= g.To - g.From
		f.cfg.Reader.Done(g, f.piece(whole, g))
	}
	return left <= 0
}

// piece reads one range and returns up to where. What cannot be read is passed over: it must not hold up all that follows.
func (f *Follower) piece(ctx context.Context, g spool.Range) int64 {
	folder, _, _ := strings.Cut(g.Segment.Name, "/")
	k := f.known[folder]
	if k == nil {
		if len(f.known) >= maxKnown {
			clear(f.known)
		}
		k = new(parse.Known)
		f.known[folder] = k
	}
	now := f.cfg.Now()
	s := &sink{f: f, file: g.Segment.Name, now: now}
	rep := parse.ReadRange(ctx, g.Segment.Dir, g.Segment.Name, g.From, g.To, parse.Options{Workers: 1, Known: k, Latest: now.UnixNano()}, func() parse.Sink {
		s.writer = f.cfg.Writer(g.Segment.Name, k.Format())
		return s
	})
	if rep.Through <= g.From || rep.Err != nil {
		f.mu.Lock()
		f.status.Passed += max(g.To-g.From, 0)
		f.mu.Unlock()
		return max(rep.Through, g.To)
	}
	return rep.Through
}

// sink hands records to all that count.
type sink struct {
	f            *Follower
	file, writer string
	now          time.Time
}

func (s *sink) Log(r *parse.Record) {
	s.f.counter.Log(r, s.writer)
	s.f.patterns.Log(r, s.writer, s.file, s.now)
	s.f.changes.Log(r, s.now)
	s.f.report(r, s.now)
}

func (s *sink) Signal(x parse.Signal) {
	switch {
	case x.Span != nil:
		s.f.counter.Span(x.Span)
	case x.Change != nil:
		s.f.changes.Signal(x)
	}
}

// gauges tell about the spool and this follower themselves.
func (f *Follower) gauges(now time.Time, lag time.Duration) []inquest.Series {
	st := f.cfg.Spool.Stats()
	point := func(name, kind string, v float64, labels map[string]string) inquest.Series {
		return inquest.Series{Name: name, Type: kind, Labels: labels, Samples: []inquest.Sample{{Time: now, Value: v}}}
	}
	deleted := func(why string, n int64) inquest.Series {
		return point("inquest_spool_deleted_bytes_total", "counter", float64(n), map[string]string{"why": why})
	}
	return []inquest.Series{
		point("inquest_spool_bytes", "gauge", float64(st.Bytes), nil),
		point("inquest_spool_lag_seconds", "gauge", lag.Seconds(), nil),
		point("inquest_spool_appended_bytes_total", "counter", float64(st.Appended), nil),
		point("inquest_spool_refused_total", "counter", float64(st.RefusedFull+st.Failed), nil),
		deleted("age", st.DeletedByAge), deleted("size", st.DeletedBySize), deleted("unread", st.DeletedUnread),
	}
}
