package parse

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Entry is one file of a case folder.
type Entry struct {
	Name string // path relative to the folder, slash-separated; the base name when a single file was named
	Dir  string // folder that Name is relative to: ReadFile(ctx, e.Dir, e.Name, ...)
	Size int64  // bytes on disk
}

// maxEntries bounds a walk: a case folder with more files is somebody's home directory, given by mistake.
const maxEntries = 100_000

// Walk lists the files under root, which may be a single file, in an order that depends on names alone. Symbolic
// links are followed once: a link to a file or folder that is in the list anyway adds nothing. notes says, in
// people's words, what was left out. Files that cannot be opened are listed: ReadFile reports why.
func Walk(root string) (entries []Entry, notes []string, err error) {
	st, err := os.Stat(root)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", root, openError(err))
	}
	if !st.IsDir() {
		return []Entry{{Name: filepath.Base(root), Dir: filepath.Dir(root), Size: st.Size()}}, nil, nil
	}
	w := walker{root: root, dirs: map[string]bool{}, files: map[string]bool{}}
	w.folder("")
	// Links come after everything that lies in the folder itself, so that the real name of a file wins.
	for len(w.links) > 0 {
		link := w.links[0]
		w.links = w.links[1:]
		w.link(link)
	}
	sort.Slice(w.out, func(i, j int) bool { return w.out[i].Name < w.out[j].Name })
	return w.out, w.notes, nil
}

type walker struct {
	root        string
	out         []Entry
	notes       []string
	links       []string
	dirs, files map[string]bool // real paths taken
}

func (w *walker) path(rel string) string { return filepath.Join(w.root, filepath.FromSlash(rel)) }

func (w *walker) note(format string, a ...any) {
	if len(w.notes) < 100 {
		w.notes = append(w.notes, fmt.Sprintf(format, a...))
	}
}

// take reports whether the real path of rel is new, and remembers it.
func (w *walker) take(seen map[string]bool, rel string) bool {
	real, err := filepath.EvalSymlinks(w.path(rel))
	if err != nil {
		real = w.path(rel)
	}
	if seen[real] {
		return false
	}
	seen[real] = true
	return true
}

func (w *walker) folder(rel string) {
	if !w.take(w.dirs, rel) || len(w.out) >= maxEntries {
		return
	}
	list, err := os.ReadDir(w.path(rel))
	if err != nil {
		w.note("%s/: %v", rel, openError(err))
	}
	for _, e := range list {
		name := e.Name()
		if rel != "" {
			name = rel + "/" + name
		}
		switch {
		case e.IsDir() && versionControl(e.Name()):
			w.note("%s/: version control data, skipped", name)
		case e.IsDir():
			w.folder(name)
		case e.Type()&fs.ModeSymlink != 0:
			w.links = append(w.links, name)
		case e.Name() == ".DS_Store" || strings.HasSuffix(e.Name(), ".swp"):
			w.note("%s: left by an editor or file manager, skipped", name)
		default:
			w.file(name)
		}
	}
}

func versionControl(name string) bool { return name == ".git" || name == ".hg" || name == ".svn" }

func (w *walker) file(rel string) {
	if len(w.out) >= maxEntries {
		if len(w.out) == maxEntries {
			w.note("more than %d files: the rest is not read; give a smaller folder", maxEntries)
		}
		return
	}
	var size int64
	if st, err := os.Stat(w.path(rel)); err == nil {
		size = st.Size()
	}
	if w.take(w.files, rel) {
		w.out = append(w.out, Entry{Name: rel, Dir: w.root, Size: size})
	}
}

func (w *walker) link(rel string) {
	st, err := os.Stat(w.path(rel))
	switch {
	case err != nil:
		w.note("%s: %v", rel, openError(err))
	case st.IsDir():
		if w.inside(rel) {
			w.note("%s: symbolic link to a folder that is read already", rel)
			return
		}
		w.folder(rel)
	case w.take(w.files, rel):
		w.out = append(w.out, Entry{Name: rel, Dir: w.root, Size: st.Size()})
	default:
		w.note("%s: symbolic link to a file that is read already", rel)
	}
}

// inside reports whether the folder behind the link was walked already: the loop of a link to its own parent.
func (w *walker) inside(rel string) bool {
	real, err := filepath.EvalSymlinks(w.path(rel))
	return err == nil && w.dirs[real]
}
