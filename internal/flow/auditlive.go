package flow

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// AuditLive is Audit over pieces of segments that a server has kept. Pieces of one source are read as one log that goes on; one that
// begins within a line is read from the line's beginning. Examples name the segment and the line in it; among the files stand the sources, with what was read of each, as segments are many and go.
func AuditLive(ctx context.Context, pieces []spool.Range, a *audit.Auditor, opts Options) (*inquest.Audit, error) {
	pieces = slices.Clone(pieces)
	slices.SortStableFunc(pieces, func(a, b spool.Range) int { return strings.Compare(a.Segment.Name, b.Segment.Name) })
	r := &reader{opts: opts, store: mem.New(), logs: []*parse.Known{}}
	source := map[string]string{} // by segment
	for i, p := range pieces {
		g := p.Segment
		if i == 0 || g.Source != pieces[i-1].Segment.Source {
			r.logs = append(r.logs, new(parse.Known))
		} else {
			r.logs = append(r.logs, r.logs[i-1])
		}
		r.entries = append(r.entries, parse.Entry{Name: g.Name, Dir: g.Dir, Size: p.To})
		r.from = append(r.from, wholeLine(g, p.From))
		r.total += p.To - p.From
		source[g.Name] = g.Source.Name
	}
	r.reports, r.sinks = make([]parse.FileReport, len(r.entries)), make([][]*mem.Collector, len(r.entries))
	out, err := r.audit(ctx, a, nil)
	if err != nil {
		return nil, err
	}
	for i := range out.Files {
		out.Files[i].File = source[out.Files[i].File]
	}
	return out, nil
}

// wholeLine is where the line begins that has the byte at. What cannot be opened fails when it is read.
func wholeLine(g spool.Segment, at int64) int64 {
	if at == 0 {
		return 0
	}
	f, err := os.Open(filepath.Join(g.Dir, filepath.FromSlash(g.Name)))
	if err != nil {
		return at
	}
	defer f.Close()
	return lineStart(f, at)
}
