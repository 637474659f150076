package spool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	sweepEvery = time.Minute
	// oldFor is how many sweeps in a row must find a segment too old before it goes: a clock that jumps ahead and is set right
	// within ten minutes deletes nothing.
	oldFor = 10
	// jump is how far a clock has to go back, or a name to be ahead of it, to be no mere correction.
	jump = time.Minute
	// keep is what is left of MaxBytes when it is exceeded: not each commit shall have to delete.
	keep = 0.95
)

// Run deletes what is too old until ctx ends. Without it only MaxBytes is kept.
func (s *Spool) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			s.sweep()
		}
	}
}

// sweep deletes the segments that have been too old for long enough, and forgets sources that have none left.
func (s *Spool) sweep() {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	now := s.cfg.Now()
	var gone []victim
	s.mu.Lock()
	for _, l := range s.logs {
		for _, g := range l.segments {
			if g.end.After(now.Add(jump)) { // written while the clock was ahead
				g.end, g.unsure = now, true
			}
			if now.Sub(g.end) <= s.cfg.MaxAge {
				g.old = 0
				continue
			}
			if g.old++; g.old >= oldFor {
				gone = append(gone, victim{l, g})
			}
		}
	}
	s.mu.Unlock()
	s.delete(gone, &s.stats.DeletedByAge)
	s.trimNow()
}

type victim struct {
	log *log
	seg *segment
}

// trim deletes the oldest segments when there are too many bytes.
func (s *Spool) trim() {
	s.mu.Lock()
	over := s.bytes > s.cfg.MaxBytes
	s.mu.Unlock()
	if over {
		s.trimNow()
	}
}

func (s *Spool) trimNow() {
	s.mu.Lock()
	excess := int64(0)
	if s.bytes > s.cfg.MaxBytes {
		excess = s.bytes - int64(keep*float64(s.cfg.MaxBytes))
	}
	var all, gone []victim
	if excess > 0 {
		for _, l := range s.logs {
			for _, g := range l.segments {
				all = append(all, victim{l, g})
			}
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b victim) int { return a.seg.end.Compare(b.seg.end) })
	for _, v := range all {
		if excess <= 0 {
			break
		}
		gone = append(gone, v)
		excess -= v.seg.size
	}
	s.delete(gone, &s.stats.DeletedBySize)
}

// delete removes segments. One that cannot be removed stays, and is tried again by the next sweep.
func (s *Spool) delete(gone []victim, counter *int64) {
	for _, v := range gone {
		if v.seg == v.log.last() {
			_ = s.closeFile(v.log)
		}
		if err := os.Remove(s.path(v.seg)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.mu.Lock()
			s.stats.Failed++
			s.stats.LastError = writeError(s.cfg.Dir, err).Error()
			s.mu.Unlock()
			continue
		}
		s.forget(v, counter)
	}
}

func (s *Spool) forget(v victim, counter *int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.readers {
		s.stats.DeletedUnread += r.unread(v.log, v.seg)
	}
	v.log.segments = slices.DeleteFunc(v.log.segments, func(g *segment) bool { return g == v.seg })
	s.bytes -= v.seg.size
	*counter += v.seg.size
	s.stats.Deleted++
	if v.seg.end.After(s.stats.DeletedTo) {
		s.stats.DeletedTo = v.seg.end
	}
	if len(v.log.segments) > 0 || len(v.log.pending) > 0 {
		return
	}
	delete(s.logs, v.log.folder)
	for _, r := range s.readers {
		delete(r.at, v.log.folder)
	}
	_ = os.Remove(filepath.Join(s.cfg.Dir, v.log.folder)) // not empty: somebody put a file there
}
