// Package flow is where the stages meet, and the first file to read:
//
//	folder -parse-> mem.Store -casefile-> Case -symptom-> Symptoms -mechanism-> candidates -diagnose-> Diagnosis
package flow

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/diagnose"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/servicegraph"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Options of Investigate.
type Options struct {
	Workers  int                     // parallel workers, 0: one a core
	Progress func(done, total int64) // bytes read of all files; may be called from several goroutines
	Extra    []mechanism.Mechanism   // mechanisms of the user's own; see mechanism.With for their place
}

// Outcome is all that one investigation came to.
type Outcome struct {
	Case      *inquest.Case
	Diagnosis *inquest.Diagnosis
	Symptoms  []inquest.Symptom
	Reports   []parse.FileReport // by file: what was read of it, and whose log it was taken for
}

// Investigate answers why the service of a case folder (or one file) failed. An error means that there is nothing to read;
// what could not be read of a folder is in the diagnosis' coverage.
func Investigate(ctx context.Context, path string, opts Options) (*Outcome, error) {
	store, reports, notes, err := Read(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return conclude(store, casefile.Config{Reports: reports, Notes: notes}, opts.Extra), nil
}

// conclude is what follows once everything is read.
func conclude(store *mem.Store, cfg casefile.Config, extra []mechanism.Mechanism) *Outcome {
	c := casefile.Build(store, cfg)
	c.Suspects = suspects(c, store)
	r := diagnose.New(mechanism.With(extra)).Diagnose(c)
	return &Outcome{Case: c, Diagnosis: r.Diagnosis, Symptoms: r.Symptoms, Reports: cfg.Reports}
}

// Read fills a store with the signals of a folder or file.
func Read(ctx context.Context, path string, opts Options) (*mem.Store, []parse.FileReport, []string, error) {
	r, notes, err := newReader(path, opts)
	if err != nil {
		return nil, nil, nil, err
	}
	return r.store, r.reports, notes, r.read(ctx)
}

func newReader(path string, opts Options) (*reader, []string, error) {
	entries, notes, err := parse.Walk(path)
	if err != nil {
		return nil, nil, err
	}
	if len(entries) == 0 {
		return nil, nil, fmt.Errorf("%s: no files in it: put access logs, application logs, metrics or changes there", path)
	}
	r := &reader{opts: opts, store: mem.New(), entries: entries, reports: make([]parse.FileReport, len(entries))}
	for _, e := range entries {
		r.total += e.Size
	}
	r.sinks = make([][]*mem.Collector, len(entries))
	return r, notes, nil
}

// read fills the store from all files.
func (r *reader) read(ctx context.Context) error {
	r.run(ctx)
	for _, g := range r.given {
		r.take(g)
	}
	r.alignClocks(ctx)
	r.made()
	if err := ctx.Err(); err != nil {
		return err
	}
	r.nameWriters()
	for i, sinks := range r.sinks { // in the order of names, so that the result does not depend on scheduling
		for k, c := range sinks {
			r.store.Merge(c, r.reports[i].Writer)
			sinks[k] = nil // large files have large collectors: no two copies of all of it at a time
		}
	}
	r.store.Seal()
	return nil
}

// nameWriters says of each file whose log it is, from all that the files say about each other.
func (r *reader) nameWriters() {
	clues := make([]mem.Clues, len(r.sinks))
	for i, sinks := range r.sinks {
		clues[i] = mem.CluesOf(sinks)
	}
	for i, name := range casefile.Writers(r.reports, clues) {
		r.reports[i].Writer = name
	}
}

// large files are read one after the other, each by all workers; the others side by side.
const large = 16 << 20

type reader struct {
	opts    Options
	store   *mem.Store
	entries []parse.Entry
	reports []parse.FileReport
	sinks   [][]*mem.Collector
	tapped  *tap            // who else sees the records; nil: nobody
	extra   []*parse.Record // requests that were made rather than read
	given   []given         // signals that were recorded elsewhere, for a live investigation
	logs    []*parse.Known  // of a live investigation: the log that an entry is a segment of; segments of one log follow each other
	from    []int64         // of a live audit: where each entry is read from; nil: from its beginning
	total   int64
	done    atomic.Int64
}

func (r *reader) run(ctx context.Context) {
	workers := r.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	small := make(chan log)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for l := range small {
				for i := l.from; i < l.to; i++ {
					r.file(ctx, i, 1, 0)
				}
			}
		})
	}
	all := r.inLogs()
	for _, l := range all {
		if l.size < large {
			small <- l
		}
	}
	close(small)
	wg.Wait()
	for _, l := range all {
		for i := l.from; i < l.to && l.size >= large; i++ {
			r.file(ctx, i, workers, 0)
		}
	}
}

// log is the entries [from, to), which are read one after the other: one file, or the segments of one log.
type log struct {
	from, to int
	size     int64
}

func (r *reader) inLogs() []log {
	var out []log
	for i, e := range r.entries {
		if i == 0 || r.logs == nil || r.logs[i] != r.logs[i-1] {
			out = append(out, log{from: i})
		}
		l := &out[len(out)-1]
		l.to, l.size = i+1, l.size+e.Size
	}
	return out
}

// file reads one file into collectors of its own, one a worker. shift is added to times without a zone.
func (r *reader) file(ctx context.Context, i, workers int, shift time.Duration) {
	if ctx.Err() != nil {
		return
	}
	e := r.entries[i]
	var mu sync.Mutex
	var sinks []*mem.Collector
	last := int64(0)
	r.tapped.begin(i)
	opts := parse.Options{Workers: workers, AllFields: r.tapped != nil, Progress: func(read, _ int64) {
		mu.Lock()
		delta := read - last
		last = read
		mu.Unlock()
		r.progress(delta)
	}}
	newSink := func() parse.Sink {
		mu.Lock()
		defer mu.Unlock()
		if len(sinks) == 0 {
			sinks = append(sinks, mem.NewCollector(mem.Settings{File: i, Shift: shift, Carry: workers == 1, Recorded: r.logs != nil}))
		} else {
			sinks = append(sinks, sinks[0].Beside())
		}
		return r.tapped.beside(i, shift, sinks[len(sinks)-1])
	}
	var rep parse.FileReport
	if r.logs != nil { // it may grow: what is behind its size is not written yet
		from := int64(0)
		if r.from != nil {
			from = r.from[i]
		}
		opts.Known = r.logs[i]
		rep = parse.ReadRange(ctx, e.Dir, e.Name, from, e.Size, opts, newSink)
	} else {
		rep = parse.ReadFile(ctx, e.Dir, e.Name, opts, newSink)
	}
	r.progress(e.Size - last)
	r.reports[i], r.sinks[i] = rep, sinks
}

func (r *reader) progress(delta int64) {
	done := r.done.Add(delta)
	if r.opts.Progress != nil {
		r.opts.Progress(done, r.total)
	}
}

// suspects ranks the components by unexplained deviation; it needs an incident to compare with the time before.
func suspects(c *inquest.Case, store *mem.Store) []inquest.Suspect {
	if !c.Incident {
		return nil
	}
	h := c.Hint
	if h.Window.IsZero() && h.Time.IsZero() {
		h.Window, h.Baseline, h.Target = c.Window, c.Baseline, c.Observer
		if !c.End.IsZero() {
			h.Window.To = c.End
		}
	}
	edges := store.Edges()
	if len(edges) == 0 {
		edges = c.Edges
	}
	var out []inquest.Suspect
	for _, s := range servicegraph.Rank(servicegraph.Input{Hint: h, Edges: edges, Series: c.Series, Traces: store.Traces(), Events: store.Events()}) {
		out = append(out, inquest.Suspect{Component: s.Component, Score: s.Score, Why: s.Why})
	}
	return out
}
