package flow

import (
	"context"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Live is what a server has about the hours of an incident.
type Live struct {
	Options
	Segments []spool.Segment  // raw lines that arrived in the window, some healthy hours before it included
	Series   []inquest.Series // of the metrics store, for the same hours
	Changes  []inquest.Change // that were recorded in them, of the segments' lines too: changes are not read from these again
	Edges    []inquest.Edge   // who calls whom, as the settings say
	Hint     inquest.Hint     // what the alert said
	About    []string         // services that the alert says fail
	Notes    []string         // what is missing of the window, in people's words: shown among what was not read
}

// The names under which what is in no file is listed and quoted.
const (
	metricsName = "metrics store"
	changesName = "record of changes"
)

// InvestigateLive answers why a service fails, from what the server has kept, by the same line as Investigate. Segments of one source
// are read as rotated files of one log, whose format is that of its first; evidence names the segment, and the line in it. What cannot be read (a segment that was deleted in between) is
// in the diagnosis' coverage.
func InvestigateLive(ctx context.Context, live Live) (*Outcome, error) {
	r := &reader{opts: live.Options, store: mem.New(), logs: []*parse.Known{}}
	segments := slices.Clone(live.Segments)
	slices.SortStableFunc(segments, func(a, b spool.Segment) int { return strings.Compare(a.Name, b.Name) })
	for i, g := range segments {
		if i == 0 || g.Source != segments[i-1].Source {
			r.logs = append(r.logs, new(parse.Known))
		} else {
			r.logs = append(r.logs, r.logs[i-1])
		}
		r.entries = append(r.entries, parse.Entry{Name: g.Name, Dir: g.Dir, Size: g.Size})
		r.total += g.Size
	}
	r.reports = make([]parse.FileReport, len(r.entries))
	r.sinks = make([][]*mem.Collector, len(r.entries))
	r.give(metricsName, "prometheus", signals(live.Series, func(s *inquest.Series) parse.Signal {
		s.Source = inquest.Source{Metric: s.Name, Labels: s.Labels}
		return parse.Signal{Series: s}
	}))
	r.give(changesName, "changes", signals(live.Changes, func(c *inquest.Change) parse.Signal {
		if c.Source.File == "" {
			c.Source.File = changesName
		}
		return parse.Signal{Change: c}
	}))
	r.give("settings", "topology", signals(live.Edges, func(e *inquest.Edge) parse.Signal { return parse.Signal{Edge: e} }))
	if live.Hint.Window != (inquest.Window{}) || !live.Hint.Time.IsZero() {
		r.give("alert", "incident", []parse.Signal{{Hint: &live.Hint}})
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return conclude(r.store, casefile.Config{Reports: r.reports, Notes: live.Notes, About: live.About}, live.Extra), nil
}

// signals makes signals of copies of all: the caller's values stay as they are. Our own counts of the same log lines are left out.
func signals[T any](all []T, signal func(*T) parse.Signal) []parse.Signal {
	var out []parse.Signal
	for _, x := range all {
		if s := signal(&x); s.Series == nil || !ownCount(s.Series.Name) {
			out = append(out, s)
		}
	}
	return out
}

// ownCount reports whether a series counts log lines, which the investigation reads itself: twice the same is no second witness. What the
// gateway says of itself is another matter.
func ownCount(name string) bool {
	return strings.HasPrefix(name, "inquest_") && !strings.HasPrefix(name, "inquest_gateway_")
}

// given is signals that were recorded elsewhere, as a file of their own.
type given struct {
	name, format string
	signals      []parse.Signal
}

func (r *reader) give(name, format string, all []parse.Signal) {
	if len(all) > 0 {
		r.given = append(r.given, given{name, format, all})
	}
}

// take adds what was given to what was read.
func (r *reader) take(g given) {
	c := mem.NewCollector(mem.Settings{File: len(r.reports)})
	for _, s := range g.signals {
		c.Signal(s)
	}
	r.entries = append(r.entries, parse.Entry{Name: g.name})
	r.sinks = append(r.sinks, []*mem.Collector{c})
	r.reports = append(r.reports, parse.FileReport{File: g.name, Format: g.format, Records: len(g.signals), Clock: parse.ClockUTC})
}
