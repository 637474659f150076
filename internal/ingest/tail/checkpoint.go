package tail

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// entry is how far a file was read: a line of the checkpoint. The last line of a file counts (docs/format/tail.md).
type entry struct {
	Path    string `json:"path"`
	Dev     uint64 `json:"dev"`
	Ino     uint64 `json:"ino"`
	Offset  int64  `json:"offset"`
	Head    uint64 `json:"head"`           // FNV-1a of its first HeadLen bytes
	HeadLen int    `json:"head_len"`       // at most headBytes
	Tail    uint64 `json:"tail"`           // of the at most headBytes bytes before Offset
	Copy    bool   `json:"copy,omitempty"` // made by rotation of a file that was read; not to be read
	Gone    bool   `json:"gone,omitempty"` // not followed any more
}

func (e *entry) identity() identity { return identity{e.Dev, e.Ino} }

// checkpointVersion stands in the first line.
const checkpointVersion = "inquest/tail/v1"

type versionLine struct {
	Version string `json:"version"`
}

// checkpoint is a file to which lines are appended as files are read, and which is written anew when most of its lines are old. A line is
// written when the spool has what it speaks of, so kill -9 loses nothing of it; it is synced after each round of all files, for the loss of power.
type checkpoint struct {
	path    string
	f       *os.File
	found   bool
	entries []entry // as read
	lines   int     // in the file
	dirty   bool
	err     error // of the first write that failed since the last rewrite
	buf     []byte
}

func openCheckpoint(path string) (*checkpoint, error) {
	c := &checkpoint{path: path}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("tail: folder of the checkpoint: %w", err)
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	if err := c.rewrite(c.entries); err != nil { // also shows whether it can be written at all
		return nil, err
	}
	return c, nil
}

func (c *checkpoint) load() error {
	f, err := os.Open(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tail: checkpoint: %w", err)
	}
	defer f.Close()
	c.found = true
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	all, order := map[identity]entry{}, []identity(nil)
	for first := true; in.Scan(); first = false {
		var v versionLine
		if first {
			if err := json.Unmarshal(in.Bytes(), &v); err != nil || v.Version != checkpointVersion {
				return fmt.Errorf("tail: %s is no checkpoint of version %s: move it away to read new lines only", c.path, checkpointVersion)
			}
			continue
		}
		var e entry
		if json.Unmarshal(in.Bytes(), &e) != nil || e.Path == "" || e.Offset < 0 || e.HeadLen < 0 || e.HeadLen > headBytes {
			continue // a line that a loss of power tore; the one before it counts
		}
		if _, known := all[e.identity()]; !known {
			order = append(order, e.identity())
		}
		all[e.identity()] = e
		if e.Gone {
			delete(all, e.identity())
		}
	}
	for _, id := range order {
		if e, ok := all[id]; ok {
			c.entries = append(c.entries, e)
			delete(all, id)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("tail: checkpoint: %w", err)
	}
	return nil
}

// add appends a line. An error is told by the next Sync.
func (c *checkpoint) add(e entry) {
	b, err := json.Marshal(e)
	if err == nil && c.f != nil {
		c.buf = append(append(c.buf[:0], b...), '\n')
		_, err = c.f.Write(c.buf)
	}
	if err != nil && c.err == nil {
		c.err = err
	}
	c.lines++
	c.dirty = true
}

// large reports whether it is worth writing it anew, or must be because a line could not be written.
func (c *checkpoint) large(files int) bool { return c.err != nil || c.lines > 1000+4*files }

// Sync brings it to the disk.
func (c *checkpoint) Sync() error {
	if !c.dirty {
		return nil
	}
	if err := c.f.Sync(); err != nil {
		c.err = err
		return c.failure(err)
	}
	c.dirty = false
	return nil
}

func (c *checkpoint) failure(err error) error {
	return fmt.Errorf("tail: checkpoint %s: %w: free space there and let the server's user write to it; until then a restart reads lines again", c.path, err)
}

// rewrite replaces it by one line a file.
func (c *checkpoint) rewrite(entries []entry) (err error) {
	tmp := c.path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return c.failure(err)
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	err = enc.Encode(versionLine{checkpointVersion})
	for i := range entries {
		err = errors.Join(err, enc.Encode(&entries[i]))
	}
	if err = errors.Join(err, w.Flush(), f.Sync()); err == nil {
		err = os.Rename(tmp, c.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(c.path))
	}
	if err != nil {
		return errors.Join(c.failure(err), f.Close())
	}
	old := c.f
	c.f, c.lines, c.dirty, c.err = f, len(entries), false, nil
	if old != nil {
		_ = old.Close() // its lines are in the new one
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close closes the file.
func (c *checkpoint) Close() error { return c.f.Close() }
