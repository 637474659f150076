package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// load finds the segments that are there, and mends what a crash left. Folders and files that are no segments stay as they are.
func (s *Spool) load() error {
	folders, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return writeError(s.cfg.Dir, err)
	}
	now := s.cfg.Now()
	for _, d := range folders {
		src, ok := sourceOf(d.Name())
		if !d.IsDir() || !ok {
			continue
		}
		l := &log{src: src, folder: d.Name()}
		if err := s.loadLog(l, now); err != nil {
			return err
		}
		if len(l.segments) > 0 {
			s.logs[l.folder] = l
		}
	}
	return nil
}

func (s *Spool) loadLog(l *log, now time.Time) error {
	files, err := os.ReadDir(filepath.Join(s.cfg.Dir, l.folder))
	if err != nil {
		return writeError(s.cfg.Dir, err)
	}
	for _, f := range files {
		start, ok := startOf(f.Name())
		if !ok || !f.Type().IsRegular() {
			continue
		}
		g := &segment{name: path.Join(l.folder, f.Name()), start: start}
		if err := s.mend(g, now); err != nil {
			return err
		}
		if start.After(l.begun) {
			l.begun = start
		}
		if g.size > 0 {
			l.segments = append(l.segments, g)
			s.bytes += g.size
		}
	}
	slices.SortFunc(l.segments, func(a, b *segment) int { return strings.Compare(a.name, b.name) })
	for i := range l.segments {
		l.segments[i].sealed = i < len(l.segments)-1
	}
	if last := l.last(); last != nil {
		if l.header, err = s.readHeader(last); err != nil {
			return writeError(s.cfg.Dir, err)
		}
	}
	return nil
}

// mend cuts a torn last line off a segment, and removes an empty one.
func (s *Spool) mend(g *segment, now time.Time) error {
	f, err := os.OpenFile(s.path(g), os.O_RDWR, 0)
	if err != nil {
		return writeError(s.cfg.Dir, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return writeError(s.cfg.Dir, err)
	}
	if g.size, err = wholeLines(f, st.Size()); err != nil {
		return fmt.Errorf("spool: %s cannot be read; move it away if the disk is damaged: %w", s.path(g), err)
	}
	if torn := st.Size() - g.size; torn > 0 {
		if err := errors.Join(f.Truncate(g.size), f.Sync()); err != nil {
			return writeError(s.cfg.Dir, err)
		}
		s.stats.Torn += torn
	}
	if g.size == 0 {
		return writeError(s.cfg.Dir, os.Remove(s.path(g)))
	}
	// The last write told the file when its last line arrived.
	if g.end = st.ModTime(); g.start.Sub(g.end) > jump || g.end.Sub(now) > jump {
		g.unsure = true
	}
	if g.end.After(now) {
		g.end = now
	}
	if g.start.After(g.end) {
		g.start = g.end
	}
	return nil
}

// wholeLines is where the last line ending of a file stands.
func wholeLines(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for n := int64(1); size > 0; n = int64(len(buf)) { // most files end well: one byte tells
		n = min(n, size)
		if _, err := f.ReadAt(buf[:n], size-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return size - n + int64(i) + 1, nil
		}
		size -= n
	}
	return 0, nil
}
