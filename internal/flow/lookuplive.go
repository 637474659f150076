package flow

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
)

const (
	chunk = 128 << 10 // searched at a time: it stays in the cache of a core
	// A record begins at most so far before the id in it, and ends at most so far behind it, unless it is one that is cut anyway.
	beforeID, behindID = 32 << 10, 128 << 10
	// hitsPerSegment bounds what is parsed of one segment; maxFound records are reached long before in nearly all.
	hitsPerSegment = 64
	// apart is how far apart the lines of one request may arrive: a layer's log that is shipped once in a while.
	apart = time.Hour
)

// LookupLive is Lookup, of one id or of several that are known to belong together, over the segments of a spool, the newest first, until ctx ends: then the trace has what was found, and Back says
// how far back was looked. Text is searched first, and parsed around what is found only. Once something is found, segments that
// end an hour before it are not looked at.
func LookupLive(ctx context.Context, segments []spool.Segment, ids ...string) (*Trace, error) {
	for _, id := range ids {
		if len(id) < 4 {
			return nil, fmt.Errorf("%q is too short for an id: give at least four characters", id)
		}
	}
	segments = slices.Clone(segments)
	slices.SortStableFunc(segments, func(a, b spool.Segment) int { return b.End.Compare(a.End) })
	t := &Trace{IDs: ids}
	for range 2 {
		f := &finder{ids: t.IDs}
		back, err := f.segments(ctx, segments)
		if err != nil {
			return nil, err
		}
		t.Records, t.Spans, t.Omitted = f.found, f.spans, f.omitted
		linked := t.linked()
		if t.Back = back; len(linked) == len(t.IDs) || !back.IsZero() {
			break
		}
		t.IDs = linked
	}
	t.sort()
	return t, nil
}

// segments looks through segments, the newest first. It returns how far back it came when ctx ended before all were looked at.
func (f *finder) segments(ctx context.Context, all []spool.Segment) (back time.Time, err error) {
	var oldest time.Time
	for _, g := range all {
		if !oldest.IsZero() && g.End.Before(oldest) {
			return time.Time{}, nil
		}
		n := len(f.found) + len(f.spans)
		switch err := f.segment(ctx, g); {
		case errors.Is(err, fs.ErrNotExist): // deleted in between, for age
		case ctx.Err() != nil:
			return cmp.Or(g.End, time.Unix(0, 0)), nil //nolint:nilerr // the time was up: what was found by then is the answer
		case err != nil:
			return time.Time{}, err
		}
		if len(f.found)+len(f.spans) > n {
			oldest = g.Start.Add(-apart)
		}
	}
	return time.Time{}, nil
}

// segment finds the records and spans of one segment.
func (f *finder) segment(ctx context.Context, g spool.Segment) error {
	file, err := os.Open(filepath.Join(g.Dir, filepath.FromSlash(g.Name)))
	if err != nil {
		return fmt.Errorf("%s: %w", g.Name, err)
	}
	defer file.Close()
	hits, err := search(ctx, io.NewSectionReader(file, 0, g.Size), f.ids)
	if err != nil {
		return fmt.Errorf("%s: %w", g.Name, err)
	}
	f.file = g.Name
	known, start := new(parse.Known), len(f.found)
	for i := 0; i < len(hits); {
		from, to := lineStart(file, hits[i]-beforeID), min(hits[i]+behindID, g.Size)
		for ; i < len(hits) && hits[i] < to; i++ {
			to = min(hits[i]+behindID, g.Size)
		}
		parse.ReadRange(ctx, g.Dir, g.Name, from, to, parse.Options{Workers: 1, AllFields: true, Known: known}, func() parse.Sink { return f })
	}
	for i := start; i < len(f.found); i++ {
		x := &f.found[i]
		x.Service = cmp.Or(x.Record.Service, casefile.ServiceOf(g.Name, known.Format()))
		x.Layer = casefile.LayerOf(g.Name, known.Format())
	}
	return nil
}

// search returns where the ids occur, ascending, the first few of each segment. An id that stands beside one found is of the same record
// as a rule, so hits near each other count once.
func search(ctx context.Context, r io.ReaderAt, ids []string) ([]int64, error) {
	var hits []int64
	longest := 0
	for _, id := range ids {
		longest = max(longest, len(id))
	}
	buf := make([]byte, chunk)
	for at := int64(0); ; at += int64(chunk - longest) {
		if err := ctx.Err(); err != nil {
			return hits, err
		}
		n, err := r.ReadAt(buf, at)
		for _, id := range ids {
			hits = occurrences(hits, buf[:n], id, at)
		}
		if err == io.EOF || len(hits) >= hitsPerSegment {
			slices.Sort(hits)
			return slices.Compact(hits), nil
		}
		if err != nil {
			return hits, err
		}
	}
}

// rareBytes is how much of the end of an id is searched for: ids begin alike ("req-2026..."), which makes a search stop on every line.
const rareBytes = 8

// occurrences adds where id occurs in a text that begins at the byte at.
func occurrences(hits []int64, text []byte, id string, at int64) []int64 {
	before := max(len(id)-rareBytes, 0)
	for k := before; k < len(text) && len(hits) < hitsPerSegment; k++ {
		i := bytes.Index(text[k:], []byte(id[before:]))
		if i < 0 {
			break
		}
		if k += i; string(text[k-before:k]) == id[:before] {
			hits = append(hits, at+int64(k-before))
		}
	}
	return hits
}

// lineStart is where a line begins at or before at, or a little behind it where lines are that long.
func lineStart(r io.ReaderAt, at int64) int64 {
	buf := make([]byte, 64<<10)
	from := max(at-int64(len(buf)), 0)
	if at <= 0 {
		return 0
	}
	n, _ := r.ReadAt(buf[:at-from], from)
	if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 || from == 0 {
		return from + int64(i) + 1
	}
	return at // within a line of more than 64 KiB: the range begins in its middle
}
