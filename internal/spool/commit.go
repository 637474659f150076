package spool

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// syncers is how many files are synced at a time: file systems with a journal let concurrent syncs share its commit.
const syncers = 16

// batch is the lines of one log in one commit.
type batch struct {
	log     *log
	data    []byte
	seg     *segment
	file    file
	header  int // how many bytes of data are the log's header
	created bool
	written bool
	err     error
}

// commit writes a group: the appends that came while the commit before it was at work.
func (s *Spool) commit(g *group) {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if wait := pace - time.Since(s.last); !s.last.IsZero() && wait > 0 {
		time.Sleep(wait)
	}
	s.last = time.Now()
	all := s.take(g)
	now := s.cfg.Now()
	for part := range slices.Chunk(all, max(1, s.cfg.MaxOpen/4)) {
		for i := range part {
			s.write(&part[i], now)
		}
		s.sync(part)
		s.settle(part, now)
		s.evict()
	}
	s.trim()
	s.answer(g, all)
}

// take ends the group's filling.
func (s *Spool) take(g *group) []batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group = nil
	all := make([]batch, len(g.logs))
	for i, l := range g.logs {
		all[i] = batch{log: l, data: l.pending}
		l.pending, l.spare = l.spare[:0], nil
	}
	return all
}

// write appends a batch to its log's last segment, or to a new one where that is large or old enough.
func (s *Spool) write(b *batch, now time.Time) {
	l := b.log
	seg := l.last()
	if seg != nil && !seg.sealed && (seg.size+int64(len(b.data)) > s.cfg.SegmentBytes && seg.size > 0 || now.Sub(seg.start) >= s.cfg.SegmentAge || now.Before(seg.start.Add(-s.cfg.SegmentAge))) {
		s.seal(l, seg)
	}
	if seg == nil || seg.sealed {
		seg, b.err = s.create(l, now)
		b.created = true
	} else if l.current == nil {
		b.err = s.reopen(l, seg)
	}
	if b.err != nil {
		return
	}
	b.begin()
	b.seg, b.file = seg, l.current
	s.uses++
	l.used = s.uses
	_, b.err = l.current.Write(b.data)
	b.written = b.err == nil
}

// begin puts the log's header before the first lines of a segment, unless they are a new one.
func (b *batch) begin() {
	if own := headerOf(b.data); len(own) > 0 {
		b.log.header = own
	} else if b.created {
		b.header = len(b.log.header)
		b.data = append(bytes.Clone(b.log.header), b.data...)
	}
}

func (l *log) last() *segment {
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}

// seal ends a segment.
func (s *Spool) seal(l *log, seg *segment) {
	s.mu.Lock()
	seg.sealed = true
	s.mu.Unlock()
	_ = s.closeFile(l) // all of it was synced
}

// create begins a new segment. Its name is later than that of the one before, whatever the clock says: order hangs on it.
func (s *Spool) create(l *log, now time.Time) (*segment, error) {
	start := now.UTC().Truncate(time.Second)
	if !start.After(l.begun) {
		start = l.begun.Add(time.Second)
	}
	s.mu.Lock() // an Append may be telling the source's whole name
	name := l.file(start)
	s.mu.Unlock()
	seg := &segment{name: name, start: now, end: now, unsure: start.Sub(now) > jump}
	f, err := s.cfg.disk.open(s.path(seg), true)
	if err != nil {
		return nil, err
	}
	l.current, l.begun = f, start
	s.open++
	s.mu.Lock()
	l.segments = append(l.segments, seg)
	s.mu.Unlock()
	return seg, nil
}

func (s *Spool) path(seg *segment) string {
	return filepath.Join(s.cfg.Dir, filepath.FromSlash(seg.name))
}

func (s *Spool) reopen(l *log, seg *segment) error {
	f, err := s.cfg.disk.open(s.path(seg), false)
	if err != nil { // somebody deleted it: the next Append begins a new one
		s.seal(l, seg)
		return err
	}
	l.current = f
	s.open++
	return nil
}

func (s *Spool) closeFile(l *log) error {
	if l.current == nil {
		return nil
	}
	err := l.current.Close()
	l.current = nil
	s.open--
	return err
}

// sync brings the batches to the disk, and the names of new files.
func (s *Spool) sync(part []batch) {
	next := make(chan *batch)
	var wg sync.WaitGroup
	for range min(syncers, len(part)) {
		wg.Go(func() {
			for b := range next {
				b.err = b.file.Sync()
				if b.created {
					b.err = errors.Join(b.err, s.cfg.disk.syncFolder(filepath.Dir(s.path(b.seg))))
				}
			}
		})
	}
	folders := false
	for i := range part {
		if b := &part[i]; b.err == nil {
			folders = folders || b.created && len(b.log.segments) == 1
			next <- b
		}
	}
	close(next)
	wg.Wait()
	if !folders {
		return
	}
	if err := s.cfg.disk.syncFolder(s.cfg.Dir); err != nil {
		for i := range part {
			part[i].err = errors.Join(part[i].err, err)
		}
	}
}

// settle takes back what failed and accounts for what the disk has.
func (s *Spool) settle(part []batch, now time.Time) {
	for i := range part {
		if b := &part[i]; b.err != nil && b.seg != nil {
			s.takeBack(b)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range part {
		b := &part[i]
		if b.err != nil {
			b.err = writeError(s.cfg.Dir, b.err)
			continue
		}
		n := int64(len(b.data))
		lines := b.data[b.header:]
		b.seg.size += n
		b.seg.unsure = b.seg.unsure || now.Before(b.seg.end.Add(-jump))
		b.seg.end = now
		s.bytes += n
		s.stats.Appended += int64(len(lines))
		s.stats.Lines += int64(bytes.Count(lines, newline))
	}
}

var newline = []byte{'\n'}

// takeBack undoes what was not acknowledged. A write that failed is cut off, and the segment goes on. After a failed fsync nobody
// knows what the disk has: the segment ends where it was acknowledged. Should a cut fail, its size keeps readers from what is behind.
func (s *Spool) takeBack(b *batch) {
	cut := b.file.Truncate(b.seg.size)
	switch {
	case b.seg.size == 0: // no empty file for each attempt
		_ = s.closeFile(b.log)
		_ = os.Remove(s.path(b.seg))
		s.mu.Lock()
		b.log.segments = slices.DeleteFunc(b.log.segments, func(g *segment) bool { return g == b.seg })
		s.mu.Unlock()
	case b.written || cut != nil:
		s.seal(b.log, b.seg)
	}
}

// evict closes the files that were used least recently, so that the next part of a commit has room.
func (s *Spool) evict() {
	if s.open <= s.cfg.MaxOpen*3/4 {
		return
	}
	var opened []*log
	s.mu.Lock()
	for _, l := range s.logs {
		if l.current != nil {
			opened = append(opened, l)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(opened, func(a, b *log) int { return cmp.Compare(a.used, b.used) })
	for _, l := range opened[:len(opened)-s.cfg.MaxOpen/2] { // several at once, not one at each commit
		_ = s.closeFile(l)
	}
}

// answer tells those who wait, and keeps buffers of a usual size for reuse.
func (s *Spool) answer(g *group, all []batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Commits++
	for i := range all {
		b := &all[i]
		if b.err != nil {
			g.errs[b.log] = b.err
			s.stats.refused(b.err)
		}
		if cap(b.data) <= maxSpare && len(s.logs) <= s.cfg.MaxOpen {
			b.log.spare = b.data
		}
	}
	close(g.done)
}

// maxSpare is the largest buffer that a log keeps from one commit to the next.
const maxSpare = 1 << 20
