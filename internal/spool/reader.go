package spool

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Reader follows the spool for one consumer, and remembers across restarts how far it got. Not for concurrent use.
type Reader struct {
	s     *Spool
	name  string
	at    map[string]position // by folder of the source; guarded by s.mu
	dirty bool
}

// position is how far the lines of one source were read: those of older segments, and of this one up to Offset.
type position struct {
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

// checkpoint is the file of a Reader; docs/format/spool.md.
type checkpoint struct {
	Version int                 `json:"version"`
	At      map[string]position `json:"at"`
}

// Range is what is new in one segment: its bytes [From, To), all of them on the disk. It begins at the begin of a line; it ends
// at the end of one unless Next had to cut it.
type Range struct {
	Segment  Segment
	From, To int64
}

// Reader opens the reader of a name, one at a time: where it was when it saved last, at the oldest segment if it is new.
// The name has letters, digits and dashes.
func (s *Spool) Reader(name string) (*Reader, error) {
	if _, err := (Source{Name: name, Kind: name}).check(); err != nil {
		return nil, fmt.Errorf("spool: name %q of a reader: %w", name, errKind)
	}
	r := &Reader{s: s, name: name, at: map[string]position{}}
	b, err := os.ReadFile(r.path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("spool: checkpoint of reader %s: %w", name, err)
	default:
		var c checkpoint
		if err := json.Unmarshal(b, &c); err != nil || c.Version != 1 {
			return nil, fmt.Errorf("spool: checkpoint %s is damaged or of another version: delete it to read everything once more: %w", r.path(), cmp.Or(err, errors.ErrUnsupported))
		}
		r.at = c.At
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers[name] != nil {
		return nil, fmt.Errorf("spool: there is a reader %s already", name)
	}
	for folder := range r.at {
		if s.logs[folder] == nil {
			delete(r.at, folder)
		}
	}
	s.readers[name] = r
	return r, nil
}

func (r *Reader) path() string { return filepath.Join(r.s.cfg.Dir, ".reader-"+r.name+".json") }

// minRange is the least that Next cuts a segment to: longer than the longest line that is kept of a log.
const minRange = 4 << 20

// Next returns what is there and not read yet, at most about most bytes (at least 4 MiB), oldest segments first. Until Done is
// called it returns the same again.
func (r *Reader) Next(most int64) []Range {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	type ordered struct {
		Range
		order time.Time
	}
	var all []ordered
	for _, l := range r.s.logs {
		var order time.Time // of one source's segments: a clock that went back does not change it
		for _, g := range l.segments {
			if g.start.After(order) {
				order = g.start
			}
			if from := r.from(l, g); from < g.size {
				all = append(all, ordered{Range{Segment: r.s.describe(l, g), From: from, To: g.size}, order})
			}
		}
	}
	slices.SortFunc(all, func(a, b ordered) int {
		return cmp.Or(a.order.Compare(b.order), strings.Compare(a.Segment.Name, b.Segment.Name))
	})
	out := make([]Range, 0, len(all))
	for left := max(most, minRange); left > 0 && len(out) < len(all); {
		g := all[len(out)].Range
		if left = max(left, minRange); g.To-g.From > left {
			g.To = g.From + left
		}
		left -= g.To - g.From
		out = append(out, g)
	}
	return out
}

// from is where the unread part of a segment begins.
func (r *Reader) from(l *log, g *segment) int64 {
	p, ok := r.at[l.folder]
	switch {
	case !ok, g.name > p.Segment:
		return 0
	case g.name < p.Segment:
		return g.size
	}
	return min(p.Offset, g.size)
}

// unread is how much of a segment is not read. s.mu is held.
func (r *Reader) unread(l *log, g *segment) int64 { return g.size - r.from(l, g) }

// Done says that a range was read up to the byte through. Ranges of one source are to be done in the order in which Next gave
// them.
func (r *Reader) Done(g Range, through int64) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	folder, _, _ := strings.Cut(g.Segment.Name, "/")
	p := position{g.Segment.Name, through}
	if old := r.at[folder]; old == p || old.Segment > p.Segment || r.s.logs[folder] == nil {
		return
	}
	r.at[folder], r.dirty = p, true
}

// Unread is how many bytes wait to be read.
func (r *Reader) Unread() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	n := int64(0)
	for _, l := range r.s.logs {
		for _, g := range l.segments {
			n += r.unread(l, g)
		}
	}
	return n
}

// Save makes the reader's position outlive the process. What was done after the last Save is read again after a restart.
func (r *Reader) Save() error {
	r.s.mu.Lock()
	if !r.dirty {
		r.s.mu.Unlock()
		return nil
	}
	b, err := json.Marshal(checkpoint{1, r.at})
	r.dirty = false
	r.s.mu.Unlock()
	if err == nil {
		err = replace(r.path(), b)
	}
	if err != nil {
		r.s.mu.Lock()
		r.dirty = true
		r.s.mu.Unlock()
		return writeError(r.s.cfg.Dir, err)
	}
	return nil
}

// replace writes a file so that after a crash it is the old one or the new one.
func replace(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return realDisk{}.syncFolder(filepath.Dir(path))
}

// Close lets another Reader of the name be opened. It does not save.
func (r *Reader) Close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.s.readers, r.name)
}
