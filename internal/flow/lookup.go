package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
)

// Trace is everything that a case folder says about one request.
type Trace struct {
	IDs     []string // the id asked for and those that its lines link it to
	Records []Found  // ascending in time
	Spans   []inquest.Span
	Omitted int       // records beyond maxFound
	Back    time.Time // of LookupLive: how far back was looked, zero when everything was
}

// Found is one record that belongs to the request.
type Found struct {
	Record  *parse.Record
	File    string
	Service string
	Layer   inquest.Layer
}

// maxFound bounds what is kept of one request; a retry storm under one id is told by its first lines.
const maxFound = 500

// Lookup finds the lines and spans of one request, by its request id, trace id or error id, in every file of a folder. Ids
// that those lines name beside it are followed once: an error id leads to the request id, and that to the other layers.
func Lookup(ctx context.Context, path, id string) (*Trace, error) {
	if len(id) < 4 {
		return nil, fmt.Errorf("%q is too short for an id: give at least four characters", id)
	}
	entries, _, err := parse.Walk(path)
	if err != nil {
		return nil, err
	}
	t := &Trace{IDs: []string{id}}
	for range 2 {
		f := &finder{ids: t.IDs}
		for _, e := range entries {
			f.file = e.Name
			f.found = f.found[:len(f.found):len(f.found)]
			start := len(f.found)
			rep := parse.ReadFile(ctx, e.Dir, e.Name, parse.Options{AllFields: true}, func() parse.Sink { return f })
			for i := start; i < len(f.found); i++ {
				x := &f.found[i]
				x.Service = cmp.Or(x.Record.Service, casefile.ServiceOf(e.Name, rep.Format))
				x.Layer = casefile.LayerOf(e.Name, rep.Format)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		t.Records, t.Spans, t.Omitted = f.found, f.spans, f.omitted
		linked := t.linked()
		if len(linked) == len(t.IDs) {
			break
		}
		t.IDs = linked
	}
	t.sort()
	return t, nil
}

// sort puts records and spans into the order of time.
func (t *Trace) sort() {
	slices.SortStableFunc(t.Records, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Record.Time, b.Record.Time), cmp.Compare(a.File, b.File), cmp.Compare(a.Record.Line, b.Record.Line))
	})
	slices.SortStableFunc(t.Spans, func(a, b inquest.Span) int { return a.Start.Compare(b.Start) })
}

// linked lists the ids asked for and those that the found records carry.
func (t *Trace) linked() []string {
	ids := slices.Clone(t.IDs)
	add := func(s string) {
		if len(s) >= 8 && !slices.Contains(ids, s) && len(ids) < 6 {
			ids = append(ids, s)
		}
	}
	for i := range t.Records {
		add(t.Records[i].Record.RequestID)
		add(t.Records[i].Record.TraceID)
	}
	return ids
}

// finder keeps the records and spans that carry one of the ids. Workers of one file share it.
type finder struct {
	mu      sync.Mutex
	ids     []string
	file    string
	found   []Found
	spans   []inquest.Span
	omitted int
}

func (f *finder) Log(r *parse.Record) {
	if !f.carries(r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.found) >= maxFound {
		f.omitted++
		return
	}
	c := r.Clone()
	f.found = append(f.found, Found{Record: c, File: f.file})
}

func (f *finder) carries(r *parse.Record) bool {
	for _, id := range f.ids {
		if r.RequestID == id || r.TraceID == id || strings.HasPrefix(r.RequestID, id) && len(id) >= 8 || strings.Contains(r.Message, id) || strings.Contains(r.URL, id) {
			return true
		}
		for i := range r.Fields {
			if strings.Contains(r.Fields[i].Value, id) {
				return true
			}
		}
	}
	return false
}

func (f *finder) Signal(s parse.Signal) {
	if s.Span == nil || !slices.Contains(f.ids, s.Span.TraceID) && !slices.Contains(f.ids, s.Span.SpanID) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.spans) < maxFound {
		f.spans = append(f.spans, *s.Span)
	}
}
