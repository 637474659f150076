package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// Find finds everything about one request, by any of its ids, in the lines of this server alone, or store.ErrNotFound.
type Find func(ctx context.Context, ids ...string) (*web.Trace, error)

// mostIDs is how many ids of one request are looked for: error, request and trace, of it and of one that was sent again.
const mostIDs = 6

// Source is where more lines are kept, read on demand: another server, or a log store (docs/adr/0014-lines-elsewhere-come-as-files.md).
type Source interface {
	// Host tells people whose lines they are.
	Host() string
	// Lines brings the lines of a window here, as files of one format each whose names are unique among all sources, and says what is missing of them in
	// people's words. It is bounded in time and bytes; of too many lines it brings the newest.
	Lines(ctx context.Context, w inquest.Window) (segments []spool.Segment, notes []string)
	// Trace returns what its lines say about one request, by any of its ids; nil or store.ErrNotFound when that is nothing.
	Trace(ctx context.Context, ids ...string) (*web.Trace, error)
}

// Group is this server and the others: what any of them has received can be read here.
type Group struct {
	Own    *spool.Spool
	Find   Find
	Others []Source
}

// lookFor bounds a search for one request, at whose end somebody waits.
const lookFor = 12 * time.Second

// Lines returns what all have received in a window, and says what is missing.
func (g *Group) Lines(ctx context.Context, w inquest.Window) (out []spool.Segment, notes []string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, other := range g.Others {
		wg.Go(func() {
			segments, missing := other.Lines(ctx, w)
			mu.Lock()
			defer mu.Unlock()
			out, notes = append(out, segments...), append(notes, missing...)
		})
	}
	wg.Wait()
	slices.Sort(notes)
	return append(out, g.Own.Segments(w)...), notes
}

// Lookup finds everything about one request in the lines that are kept anywhere, or store.ErrNotFound when nobody has any; when somebody could not be asked, the
// trace says so instead. The ids that lines of one server link to it are looked for on all: an error id leads to the trace id, and that to the other services.
func (g *Group) Lookup(ctx context.Context, id string) (*web.Trace, error) {
	ctx, stop := context.WithTimeout(ctx, lookFor)
	defer stop()
	if len(id) < 4 {
		return g.Find(ctx, id) // which says so
	}
	out, err := g.ask(ctx, g.Find, id)
	if err != nil {
		return nil, err
	}
	if ids := out.IDs[:min(len(out.IDs), mostIDs)]; len(g.Others) > 0 && len(ids) > 1 {
		more, err := g.ask(ctx, g.Find, ids...)
		if err != nil {
			return nil, err
		}
		if len(more.Lines) >= len(out.Lines) { // else time was up
			out = more
		}
	}
	if len(out.Lines)+len(out.Missing) == 0 {
		return nil, store.ErrNotFound
	}
	return out, nil
}

// findFor is how long Answered looks, here first.
const findFor = 5 * time.Second

// Answered tells which service answered with an error id, and when, or store.ErrNotFound. What a user reports is no answer.
func (g *Group) Answered(ctx context.Context, id string) (service string, at time.Time, err error) {
	ctx, stop := context.WithTimeout(ctx, findFor)
	defer stop()
	own := func(ctx context.Context) (*web.Trace, error) {
		ctx, stop := context.WithTimeout(ctx, findFor/2)
		defer stop()
		return g.Find(ctx, id)
	}
	elsewhere := func(ctx context.Context) (*web.Trace, error) {
		return g.ask(ctx, func(context.Context, ...string) (*web.Trace, error) { return nil, store.ErrNotFound }, id)
	}
	for _, look := range []func(context.Context) (*web.Trace, error){own, elsewhere} {
		t, err := look(ctx)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return "", time.Time{}, err
		}
		for i := range t.Lines {
			if l := &t.Lines[i]; l.Service != "" && !l.Report {
				return l.Service, l.Time, nil
			}
		}
	}
	return "", time.Time{}, store.ErrNotFound
}

// ask asks all at a time.
func (g *Group) ask(ctx context.Context, find Find, ids ...string) (*web.Trace, error) {
	found, errs := make([]*web.Trace, len(g.Others)), make([]error, len(g.Others))
	var wg sync.WaitGroup
	for i, other := range g.Others {
		wg.Go(func() { found[i], errs[i] = other.Trace(ctx, ids...) })
	}
	out := &web.Trace{IDs: slices.Clone(ids)}
	own, err := find(ctx, ids...)
	wg.Wait()
	switch {
	case err == nil:
		out.Add(own)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	for i, t := range found {
		switch err := errs[i]; {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			out.Missing = append(out.Missing, fmt.Sprintf("what the server %s has received could not be looked at: %v", g.Others[i].Host(), err))
		case t != nil:
			out.Add(t)
		}
	}
	return out, nil
}
