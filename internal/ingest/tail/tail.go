// Package tail follows files: it finds them by pattern, reads what is appended to them and hands whole lines to the spool. Rotation by rename,
// by copy and truncation, and by deletion is followed, also when it happened while nobody looked; what is packed is left alone.
//
// Promises: after a clean stop nothing is read twice and nothing is left out. After kill -9 at most the lines are read again that the spool had
// and the checkpoint had not: one piece of a file. It reads only as fast as the spool takes; memory does not grow with what waits in the files.
//
// What it will not do: use the system's notification of changes (network file systems have none; two looks a second cost next to nothing), split
// or join lines into records, or guess that a line without an ending is whole before its file was rotated away.
package tail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// Spool takes lines and returns when the disk has them.
type Spool interface {
	Append(ctx context.Context, src spool.Source, lines []byte) error
}

// Target is files to follow.
type Target struct {
	Glob    string // as in filepath.Match; absolute
	Service string // whose logs they are; "": told by the names of the files
	// FromStart: files that are there when there is no checkpoint yet are read from their start. Usually they are old: their lines would be
	// counted as what happens now.
	FromStart bool
}

// Config of New. Targets, Spool and Checkpoint are required.
type Config struct {
	Targets    []Target
	Spool      Spool
	Checkpoint string         // file that remembers how far each file was read
	Intake     *ingest.Intake // counts; nil: nobody counts
	Poll       time.Duration  // from one look to the next, 0: 500 ms
	Grace      time.Duration  // how long a file that was rotated away is read on, for writers that still have it open; 0: 10 s
	MaxFiles   int            // files followed, 0: 20,000
	MaxOpen    int            // files kept open, 0: 500; others are opened for each piece
	Piece      int            // bytes read at a time, 0: 256 KiB
	Readers    int            // files read at a time, 0: 16; they share the spool's commits
}

// maxLine is the longest line that is kept whole; internal/parse keeps no longer one either.
const maxLine = 1 << 20

// Tail follows files. Run it once.
type Tail struct {
	cfg   Config
	dated *regexp.Regexp // what rotation puts into names
	log   *checkpoint

	mu     sync.Mutex
	files  map[identity]*file
	status status
	opened int   // files kept open
	found  int64 // files found
	old    bool  // there was a checkpoint
	rounds int
	bufs   [][]byte // of the readers
}

// status is what Stats tells beside the files.
type status struct {
	looked    bool
	matched   []int // names that each target's pattern matches
	ignored   int
	tooMany   int
	lastError string
	lastAt    string
	lastTime  time.Time
}

// New reads the checkpoint.
func New(cfg Config) (*Tail, error) {
	if len(cfg.Targets) == 0 || cfg.Spool == nil || cfg.Checkpoint == "" {
		return nil, errors.New("tail: patterns of files, a spool and a checkpoint are needed")
	}
	for _, t := range cfg.Targets {
		if _, err := filepath.Match(t.Glob, ""); err != nil || !filepath.IsAbs(t.Glob) {
			return nil, fmt.Errorf("tail: %q is no pattern of an absolute path such as /var/log/nginx/*.log", t.Glob)
		}
	}
	cfg.Poll = cmp.Or(cfg.Poll, 500*time.Millisecond)
	cfg.Grace = cmp.Or(cfg.Grace, 10*time.Second)
	cfg.MaxFiles = cmp.Or(cfg.MaxFiles, 20_000)
	cfg.MaxOpen = cmp.Or(cfg.MaxOpen, 500)
	cfg.Piece = cmp.Or(cfg.Piece, 256<<10)
	cfg.Readers = cmp.Or(cfg.Readers, 16)
	if cfg.Poll < 0 || cfg.Grace < 0 || cfg.MaxFiles < 0 || cfg.MaxOpen < 0 || cfg.Piece < 0 || cfg.Readers < 0 {
		return nil, errors.New("tail: limits must not be negative")
	}
	t := &Tail{cfg: cfg, files: map[identity]*file{}, bufs: make([][]byte, cfg.Readers), dated: regexp.MustCompile(`[-._]\d{4}[-._]?\d\d[-._]?\d\d([-._T]?\d{2,6})*(\.log)?$|\.\d{1,3}$`)}
	var err error
	if t.log, err = openCheckpoint(cfg.Checkpoint); err != nil {
		return nil, err
	}
	t.old = t.log.found
	for _, e := range t.log.entries {
		t.found++
		t.files[e.identity()] = &file{entry: e, order: t.found, target: t.targetOf(e.Path), at: e.Path}
	}
	return t, nil
}

func (t *Tail) targetOf(path string) int {
	for i := range t.cfg.Targets {
		if ok, _ := filepath.Match(t.cfg.Targets[i].Glob, path); ok {
			return i
		}
	}
	return 0 // the pattern was taken out of the settings; what the file had left is still read
}

// Run follows the files until ctx ends. It returns nil then, or why the checkpoint could not be written at the end.
func (t *Tail) Run(ctx context.Context) error {
	tick := time.NewTicker(t.cfg.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		t.look()
		for t.readAll(ctx) && ctx.Err() == nil { // until every file is read to its end, a piece of each in turn
			if t.rounds++; t.rounds%64 == 0 {
				t.look() // one file that grows without end must not hide new ones
			}
		}
		if err := t.keep(); err != nil {
			t.failed(t.cfg.Checkpoint, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.files {
		t.close(f)
	}
	err := t.log.rewrite(t.entries())
	return errors.Join(err, t.log.Close())
}

// readAll reads one piece of each file that has news, and reports whether some have more.
func (t *Tail) readAll(ctx context.Context) (more bool) {
	work := make(chan *file)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range t.bufs {
		wg.Go(func() {
			for f := range work {
				again, err := t.advance(ctx, f, &t.bufs[i])
				if err != nil && ctx.Err() == nil {
					t.failed(f.Path, err)
				}
				if again {
					mu.Lock()
					more = true
					mu.Unlock()
				}
			}
		})
	}
	all, later := t.withNews()
	more = later
	for _, f := range all {
		select {
		case work <- f:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	return more
}

// withNews returns the files to read, of each source the one that was found first, and whether there are others.
func (t *Tail) withNews() (all []*file, later bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := map[string]*file{}
	for _, f := range t.files {
		if !f.news {
			continue
		}
		other := first[f.source]
		later = later || other != nil
		if other == nil || f.order < other.order {
			first[f.source] = f
		}
	}
	return slices.Collect(maps.Values(first)), later
}

func (t *Tail) failed(path string, err error) {
	t.mu.Lock()
	t.status.lastError, t.status.lastAt, t.status.lastTime = err.Error(), path, time.Now()
	t.mu.Unlock()
}

// keep writes the checkpoint to the disk.
func (t *Tail) keep() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log.large(len(t.files)) {
		return t.log.rewrite(t.entries())
	}
	return t.log.Sync()
}

func (t *Tail) entries() []entry {
	all := make([]*file, 0, len(t.files))
	for _, f := range t.files {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *file) int { return cmp.Compare(a.order, b.order) })
	out := make([]entry, 0, len(all))
	for _, f := range all {
		out = append(out, f.entry)
	}
	return out
}

// Stats is what is followed.
type Stats struct {
	Files     int   // followed now
	Open      int   // of them, kept open
	Behind    int64 // bytes in the files that were not read yet, as of the last look
	Packed    int   // left alone because they are packed or not text
	TooMany   int   // left alone because more files match than may be followed
	LastError string
	LastFile  string // that LastError is about
	LastTime  time.Time
	Patterns  []Pattern // as the targets; nil before the first look
}

// Pattern is what one target's pattern finds.
type Pattern struct {
	Glob, Service string
	Matched       int // names of files, packed and empty ones too
	Files         int // followed, of those that it was the first to find
	Behind        int64
}

// Stats returns the state as of the last look.
func (t *Tail) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Stats{Open: t.opened, Packed: t.status.ignored, TooMany: t.status.tooMany, LastError: t.status.lastError, LastFile: t.status.lastAt, LastTime: t.status.lastTime}
	patterns := make([]Pattern, len(t.cfg.Targets))
	for i, target := range t.cfg.Targets {
		patterns[i] = Pattern{Glob: target.Glob, Service: target.Service}
		if t.status.looked {
			patterns[i].Matched = t.status.matched[i]
		}
	}
	for _, f := range t.files {
		s.Files++
		patterns[f.target].Files++
		if !f.Copy {
			s.Behind += max(0, f.size-f.Offset)
			patterns[f.target].Behind += max(0, f.size-f.Offset)
		}
	}
	if t.status.looked {
		s.Patterns = patterns
	}
	return s
}
