package spool

import (
	"errors"
	"time"
)

// Stats is what the spool holds and what became of what came. Counts are since Open, in bytes where they do not say otherwise.
type Stats struct {
	Bytes    int64 // of all segments
	Segments int
	Sources  int

	Appended int64 // acknowledged
	Lines    int64 // likewise, in lines
	Commits  int64 // groups of appends; each waited for the disk once

	RefusedFull int64 // sources in commits that a full disk refused
	Failed      int64 // that failed for another reason, and deletions that failed
	LastError   string

	Deleted       int64 // segments
	DeletedByAge  int64
	DeletedBySize int64
	DeletedUnread int64 // of what was deleted, what a Reader had not read
	// DeletedTo is when the youngest line of what was deleted had arrived; zero when nothing was.
	DeletedTo time.Time
	Torn      int64 // cut off torn last lines when it was opened
}

func (t *Stats) refused(err error) {
	t.LastError = err.Error()
	if errors.Is(err, ErrFull) {
		t.RefusedFull++
		return
	}
	t.Failed++
}

// Stats returns the counts as they are now.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.stats
	t.Bytes, t.Sources = s.bytes, len(s.logs)
	for _, l := range s.logs {
		t.Segments += len(l.segments)
	}
	return t
}
