package tail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// identity tells files apart whatever they are called.
type identity struct{ dev, ino uint64 }

func identityOf(st os.FileInfo) identity {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{uint64(s.Dev), s.Ino} //nolint:unconvert // Dev has another type on other systems
}

// packed are the endings of what rotation has packed; its lines were read before.
var packed = [...]string{".gz", ".zst", ".bz2", ".xz", ".zip", ".lz4", ".Z", ".tmp", ".swp"}

// look finds files: new ones, those that grew, and those that were rotated away.
func (t *Tail) look() {
	seen := map[identity]string{}
	ignored, matched := 0, make([]int, len(t.cfg.Targets))
	fresh := []*file{}
	for i := range t.cfg.Targets {
		paths, _ := filepath.Glob(t.cfg.Targets[i].Glob) // its only error is a bad pattern, which New refused
		matched[i] = len(paths)
		for _, path := range paths {
			if slices.ContainsFunc(packed[:], func(end string) bool { return strings.HasSuffix(path, end) }) {
				ignored++
				continue
			}
			st, err := os.Stat(path)
			if err != nil || !st.Mode().IsRegular() {
				continue
			}
			id := identityOf(st)
			if _, twice := seen[id]; twice { // by a link, or by two patterns
				continue
			}
			seen[id] = path
			if f := t.files[id]; f != nil {
				t.again(f, path, markOf(st))
				continue
			}
			fresh = append(fresh, &file{entry: entry{Path: path, Dev: id.dev, Ino: id.ino}, target: i, size: st.Size(), read: mark{changed: st.ModTime()}})
		}
	}
	t.missing(seen)
	t.mu.Lock()
	t.status.looked, t.status.matched, t.status.ignored, t.status.tooMany = true, matched, ignored, 0
	t.mu.Unlock()
	// The older file first, as it would have been found. Of a copy and its original, which is written to, the copy is the older one and known
	// by the original's past.
	slices.SortFunc(fresh, func(a, b *file) int { return a.read.changed.Compare(b.read.changed) })
	for _, f := range fresh {
		t.begin(f)
	}
	t.old = true
}

// again is a file that is known, under the name that it has now.
func (t *Tail) again(f *file, path string, now mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.source == "" {
		f.source = t.sourceName(f.target, f.Path)
	}
	f.size, f.at = now.size, path
	f.gone = time.Time{}
	if path != f.Path && t.files[f.identity()] == f { // renamed to a name that is followed too; whose it is does not change
		f.Path = path
		t.log.add(f.entry)
	}
	f.news = !f.Copy && now != f.read
	if f.news {
		f.idle = time.Now()
	} else if f.f != nil && time.Since(f.idle) > idleTime {
		t.close(f)
	}
}

// idleTime is how long a file is kept open that does not grow.
const idleTime = 5 * time.Minute

// missing are files whose name is not followed any more: renamed, or deleted. They are read to their end, and for the grace of a writer
// that has not reopened its log yet.
func (t *Tail) missing(seen map[identity]string) {
	for id, f := range t.files {
		if _, ok := seen[id]; ok {
			continue
		}
		size, there := t.trace(f)
		t.mu.Lock()
		if f.source == "" {
			f.source = t.sourceName(f.target, f.Path)
		}
		if f.gone.IsZero() {
			f.gone = time.Now()
		}
		grown := size != f.size
		f.size = size
		if grown {
			f.gone = time.Now()
		}
		f.news = there && !f.Copy && size > f.Offset
		over := time.Since(f.gone) >= t.cfg.Grace
		f.last = over // a line without an ending is as whole as it gets
		if !there || over && (f.Copy || size <= f.Offset) {
			t.close(f)
			delete(t.files, id)
			f.entry.Gone = true
			t.log.add(f.entry)
		}
		t.mu.Unlock()
	}
}

// trace finds a file that has lost its name: by the open file, or among its neighbours. It returns its size.
func (t *Tail) trace(f *file) (int64, bool) {
	if f.f != nil {
		st, err := f.f.Stat()
		return sizeOf(st, err)
	}
	if f.at != "" {
		if st, err := os.Stat(f.at); err == nil && identityOf(st) == f.identity() {
			return st.Size(), true
		}
	}
	dir, base := filepath.Split(f.Path)
	names, err := os.ReadDir(dir)
	if err != nil {
		return 0, false
	}
	stem, _, _ := strings.Cut(base, ".")
	for _, n := range names {
		if !strings.HasPrefix(n.Name(), stem) || !n.Type().IsRegular() {
			continue
		}
		if st, err := n.Info(); err == nil && identityOf(st) == f.identity() {
			f.at = filepath.Join(dir, n.Name())
			return st.Size(), true
		}
	}
	return 0, false
}

func sizeOf(st os.FileInfo, err error) (int64, bool) {
	if err != nil {
		return 0, false
	}
	return st.Size(), true
}

// begin follows a new file. An empty one may become a copy, which nobody can tell yet.
func (t *Tail) begin(f *file) {
	if f.size == 0 {
		return
	}
	f.at, f.source, f.idle = f.Path, t.sourceName(f.target, f.Path), time.Now()
	in, err := openFile(f.Path, f.identity())
	if err != nil {
		t.failed(f.Path, err)
		return
	}
	defer in.Close()
	if binary(in) {
		t.mu.Lock()
		t.status.ignored++
		t.mu.Unlock()
		return
	}
	f.head(in)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.files) >= t.cfg.MaxFiles {
		t.status.tooMany++
		return
	}
	for _, other := range t.files {
		if !other.Copy && named(f.Path, other.Path) && other.isCopy(in, f.size) {
			f.Copy = true // by logrotate's copytruncate; it is read when the original is cut
			break
		}
	}
	if !t.old && !t.cfg.Targets[f.target].FromStart {
		f.Offset = lineStart(in, f.size)
		f.Tail, _ = hashBefore(in, f.Offset)
	}
	f.news = !f.Copy && f.size > f.Offset
	t.found++
	f.order = t.found
	t.files[f.identity()] = f
	t.log.add(f.entry)
}

// generic names say nothing about who writes the file; the folder does.
var generic = [...]string{"access", "error", "app", "application", "server", "output", "stdout", "stderr", "console", "current", "log", "out", "0"}

// sourceName is whose lines they are, the same for a file before and after its rotation: one source has one format.
func (t *Tail) sourceName(target int, path string) string {
	dir, base := filepath.Split(path)
	if loc := t.dated.FindStringIndex(base); loc != nil && loc[0] > 0 {
		base = strings.TrimSuffix(base[:loc[0]], ".log") + ".log"
	}
	if s := t.cfg.Targets[target].Service; s != "" {
		return s + "/" + base
	}
	stem, _, _ := strings.Cut(base, ".")
	if slices.Contains(generic[:], strings.ToLower(stem)) {
		if parent := filepath.Base(dir); parent != "log" && parent != "logs" && parent != "/" {
			return parent + "/" + base
		}
		if parent := filepath.Base(filepath.Dir(filepath.Clean(dir))); parent != "var" && parent != "/" && parent != "." { // /srv/checkout/logs/app.log
			return parent + "/" + base
		}
	}
	return base
}
