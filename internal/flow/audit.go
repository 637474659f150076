package flow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Audit reads a folder or file as Investigate does and judges it by the auditor's rules. extra are requests that were made
// rather than read; path may be empty then.
func Audit(ctx context.Context, path string, a *audit.Auditor, extra []*parse.Record, opts Options) (*inquest.Audit, error) {
	r, notes, err := &reader{opts: opts, store: mem.New()}, []string(nil), error(nil)
	if path != "" {
		if r, notes, err = newReader(path, opts); err != nil {
			return nil, err
		}
	}
	r.extra = extra
	return r.audit(ctx, a, notes)
}

// audit reads everything and judges it.
func (r *reader) audit(ctx context.Context, a *audit.Auditor, notes []string) (*inquest.Audit, error) {
	t := &tap{auditor: a, by: make([][]*audit.Collector, len(r.entries))}
	r.tapped = t
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	in := audit.Input{Store: r.store, Notes: notes}
	for i := range r.reports {
		rep := &r.reports[i]
		service := casefile.ServiceOf(rep.File, rep.Format)
		in.Files = append(in.Files, audit.File{Report: *rep, Service: service, Kind: casefile.KindOf(service, rep.Format), Collectors: t.by[i]})
	}
	return a.Judge(in), nil
}

// made takes over the requests that were made just now, as a file of their own.
func (r *reader) made() {
	if len(r.extra) == 0 {
		return
	}
	i := len(r.reports)
	r.entries = append(r.entries, parse.Entry{Name: liveName})
	r.tapped.by = append(r.tapped.by, nil)
	c := mem.NewCollector(mem.Settings{File: i})
	sink := r.tapped.beside(i, 0, c)
	for _, x := range r.extra {
		sink.Log(x)
	}
	r.sinks = append(r.sinks, []*mem.Collector{c})
	r.reports = append(r.reports, parse.FileReport{File: liveName, Format: liveName, Records: len(r.extra), Clock: parse.ClockUTC})
}

// liveName is what the requests that were made are called among the files.
const liveName = "live"

// tap lets an auditor see the records that go into the store.
type tap struct {
	auditor *audit.Auditor
	mu      sync.Mutex
	by      [][]*audit.Collector // by file
}

// begin forgets what was seen of a file: it is read again, with another clock.
func (t *tap) begin(file int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.by[file] = nil
	t.mu.Unlock()
}

// beside returns a sink that hands records to the auditor and then to next.
func (t *tap) beside(file int, shift time.Duration, next parse.Sink) parse.Sink {
	if t == nil {
		return next
	}
	c := t.auditor.NewCollector(file, shift)
	t.mu.Lock()
	t.by[file] = append(slices.Clip(t.by[file]), c)
	t.mu.Unlock()
	return tee{c, next}
}

// tee hands everything to both; the first must leave records as they are.
type tee struct{ first, second parse.Sink }

func (t tee) Log(r *parse.Record)   { t.first.Log(r); t.second.Log(r) }
func (t tee) Signal(s parse.Signal) { t.first.Signal(s); t.second.Signal(s) }
