package spool

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/inquesthq/inquest"
)

// Config of Open. Only Dir is required.
type Config struct {
	Dir          string           // folder of the segments; it is made if it is not there
	MaxBytes     int64            // of all segments together, 0: 2 GiB
	MaxAge       time.Duration    // since a segment's last line, 0: 24 hours
	SegmentBytes int64            // a segment is followed by a new one when it is larger, 0: 64 MiB; at most an eighth of MaxBytes
	SegmentAge   time.Duration    // or older, 0: 10 minutes
	MaxOpen      int              // files open at a time, 0: 512
	Now          func() time.Time // nil: time.Now

	disk disk // nil: the real one
}

// maxPending is how much may wait for the disk; an Append beyond it waits for room.
const maxPending = 64 << 20

// pace is the shortest time from one commit to the next: under load the appends of so long share one fsync, which keeps the
// number of fsyncs a second, and what they cost, bounded. A lone Append does not wait for it.
const pace = 5 * time.Millisecond

// Spool is an open folder of segments. Safe for concurrent use.
type Spool struct {
	cfg  Config
	lock *os.File

	turn chan struct{} // holds a token while nobody writes: a commit, a sweep or Close takes it
	last time.Time     // when the last commit began; by whoever has the turn
	open int           // files open; by whoever has the turn
	uses int64         // ascending with each use of a file; by whoever has the turn

	mu      sync.Mutex // guards what follows and what logs say about themselves; never held during I/O
	closed  bool
	running sync.WaitGroup // commits
	logs    map[string]*log
	group   *group // appends that wait for the next commit, nil: none
	bytes   int64  // of all segments
	readers map[string]*Reader
	stats   Stats
}

// log is the segments of one source.
type log struct {
	src      Source
	folder   string
	begun    time.Time  // by the name of the newest segment; names ascend even when it is deleted
	segments []*segment // in the order of writing; appends go to the last one
	header   []byte     // what each segment begins with; by whoever has the turn
	pending  []byte     // lines that wait for the next commit
	spare    []byte     // what pending was, for reuse
	current  file       // of the last segment, nil: not open; by whoever has the turn
	used     int64      // by whoever has the turn
}

// segment is one file.
type segment struct {
	name       string // relative to the folder, slash-separated
	start, end time.Time
	size       int64 // bytes that the disk has
	sealed     bool  // nothing is appended any more
	unsure     bool  // the clock jumped while it was written
	old        int   // sweeps in a row that found it too old
}

// group is the appends that one commit writes.
type group struct {
	logs  []*log
	bytes int
	done  chan struct{}
	errs  map[*log]error // set before done is closed
}

// Open opens a folder for one process at a time, and cuts torn lines off its segments.
func Open(cfg Config) (*Spool, error) {
	if cfg.Dir == "" {
		return nil, errors.New("spool: no folder given")
	}
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 2<<30)
	cfg.MaxAge = cmp.Or(cfg.MaxAge, 24*time.Hour)
	cfg.SegmentBytes = min(cmp.Or(cfg.SegmentBytes, 64<<20), max(cfg.MaxBytes/8, 1)) // what goes at a time must be a small part
	cfg.SegmentAge = cmp.Or(cfg.SegmentAge, 10*time.Minute)
	cfg.MaxOpen = cmp.Or(cfg.MaxOpen, 512)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.disk == nil {
		cfg.disk = realDisk{}
	}
	if cfg.MaxBytes < 0 || cfg.MaxAge < 0 || cfg.SegmentBytes < 0 || cfg.SegmentAge < 0 || cfg.MaxOpen < 0 {
		return nil, fmt.Errorf("spool %s: limits must not be negative", cfg.Dir)
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, writeError(cfg.Dir, err)
	}
	s := &Spool{cfg: cfg, turn: make(chan struct{}, 1), logs: map[string]*log{}, readers: map[string]*Reader{}}
	s.turn <- struct{}{}
	if err := s.lockFolder(); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		s.lock.Close()
		return nil, err
	}
	return s, nil
}

// lockFolder keeps a second process out: two writers would tear each other's lines.
func (s *Spool) lockFolder() error {
	f, err := os.OpenFile(filepath.Join(s.cfg.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return writeError(s.cfg.Dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("spool %s: another process writes to it: stop that one, or give this one a folder of its own: %w", s.cfg.Dir, err)
	}
	s.lock = f
	return nil
}

// Append adds whole lines to the source and returns when the disk has them. Concurrent callers share the wait. After an error
// that is not ctx's nothing of lines will be read; after ctx's the lines may have been written or not.
func (s *Spool) Append(ctx context.Context, src Source, lines []byte) error {
	src, err := src.check()
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if len(lines) == 0 {
		return nil
	}
	g, l, err := s.enqueue(ctx, src, lines)
	if err != nil {
		return err
	}
	select {
	case <-g.done:
		return g.errs[l]
	case <-ctx.Done():
		return fmt.Errorf("spool: gave up waiting for the disk: %w", context.Cause(ctx))
	}
}

// enqueue puts lines into the group of the next commit, once there is room in it.
func (s *Spool) enqueue(ctx context.Context, src Source, lines []byte) (*group, *log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.group != nil && s.group.bytes+len(lines) > maxPending {
		full := s.group
		s.mu.Unlock()
		select {
		case <-full.done:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("spool: gave up waiting for the disk, which is slower than what arrives: %w", err)
		}
	}
	if s.closed {
		return nil, nil, ErrClosed
	}
	g := s.group
	if g == nil {
		g = &group{done: make(chan struct{}), errs: map[*log]error{}}
		s.group = g
		s.running.Go(func() { s.commit(g) })
	}
	l := s.log(src)
	if len(l.pending) == 0 {
		g.logs = append(g.logs, l)
	}
	l.pending = append(l.pending, lines...)
	if lines[len(lines)-1] != '\n' {
		l.pending = append(l.pending, '\n')
	}
	g.bytes += len(lines)
	return g, l, nil
}

// log returns the source's log, a new one for a new source. s.mu is held.
func (s *Spool) log(src Source) *log {
	key := src.folder()
	l := s.logs[key]
	if l == nil {
		l = &log{folder: key}
		s.logs[key] = l
	}
	l.src = src // the folder of a very long name does not have all of it
	return l
}

// Close waits for what is being written and closes all files. Appends after it get ErrClosed.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	var err error
	for _, l := range s.logs {
		err = errors.Join(err, s.closeFile(l))
	}
	return errors.Join(err, s.lock.Close())
}

// Segment is one file of a source, as it is now.
type Segment struct {
	Source Source
	Dir    string // the spool's folder
	Name   string // of the file, relative to Dir, slash-separated
	// Start and End are when its first and last line arrived, by the server's clock.
	Start, End time.Time
	Size       int64 // bytes that the disk has; all of them whole lines. What is behind them is not written yet
}

// Segments returns the segments with lines that arrived in the window, of each source in the order of writing, sources in the
// order of their names. The zero Window asks for all. A segment that was written while the clock jumped is in every window.
func (s *Spool) Segments(w inquest.Window) []Segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Segment
	for _, l := range s.logs {
		for _, g := range l.segments {
			if g.size > 0 && (w.IsZero() || g.unsure || g.start.Before(w.To) && !g.end.Before(w.From)) {
				out = append(out, s.describe(l, g))
			}
		}
	}
	// Names of one source ascend in the order of writing.
	slices.SortFunc(out, func(a, b Segment) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

func (s *Spool) describe(l *log, g *segment) Segment {
	return Segment{Source: l.src, Dir: s.cfg.Dir, Name: g.name, Start: g.start, End: g.end, Size: g.size}
}
