package casestest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is one file of a case, unpacked.
type File struct {
	Name  string // slash-separated path below the case folder, with its .gz if it had one
	Bytes []byte // without compression
}

// Files reads the files of a case folder, in the order of their names.
func Files(folder string) ([]File, error) {
	var out []File
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(path, ".gz") {
			b, err = gunzip(b)
		}
		if err != nil {
			return fmt.Errorf("file of a case: %s: %w", path, err)
		}
		out = append(out, File{Name: filepath.ToSlash(rel), Bytes: b})
		return nil
	})
	return out, err
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Write lays files out in a folder; those named .gz are compressed.
func Write(folder string, files []File) error {
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		b := f.Bytes
		if strings.HasSuffix(f.Name, ".gz") {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			if _, err := w.Write(b); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
			b = z.Bytes()
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Kind says what a file of the corpus is evidence of. The recorder names its files as people do, so the name tells;
// this is knowledge about testdata, not about the product.
type Kind string

// The kinds of files, as on-call people speak of them.
const (
	Access  Kind = "access logs"
	App     Kind = "application logs"
	Systems Kind = "metrics and server logs"
	Changes Kind = "changes"
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Access, App, Systems, Changes} }

// Kind tells what the file is.
func (f File) Kind() Kind {
	base := strings.ToLower(filepath.Base(f.Name))
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(base, w) {
				return true
			}
		}
		return false
	}
	switch {
	case strings.HasPrefix(base, "changes"):
		return Changes
	case has("metrics", "postgresql", "mysql", "redis", "kern", "supervisor", "error.log", "error_log", "caddy-error", "edge-error", "events", "syslog"):
		return Systems
	case has("access", "haproxy", "caddy", "lb.log", "edge.json", "gateway", "nginx"):
		return Access
	}
	return App
}

// Arrangement lays the same evidence out differently. Whole says that names which tell whose log it is survive: the
// verdict must then be the same in full, otherwise only what the lines themselves tell can be.
type Arrangement struct {
	Name  string
	Whole bool
	Do    func([]File) []File
}

// Arrangements are the ways in which people hand over the same files.
func Arrangements() []Arrangement {
	return []Arrangement{
		{"compressed the other way", true, each(func(f File) []File { return []File{{toggle(f.Name), f.Bytes}} })},
		{"split in two as by log rotation", true, each(split)},
		{"renamed with a date", true, each(func(f File) []File { return []File{{dated(f.Name), f.Bytes}} })},
		{"numbered in reverse, without names", false, numbered},
	}
}

func each(do func(File) []File) func([]File) []File {
	return func(in []File) []File {
		var out []File
		for _, f := range in {
			out = append(out, do(f)...)
		}
		return out
	}
}

func toggle(name string) string {
	if n, ok := strings.CutSuffix(name, ".gz"); ok {
		return n
	}
	return name + ".gz"
}

// split cuts a log at the record nearest to its middle; the older half becomes NAME.1. Metrics and changes are documents
// and stay whole.
func split(f File) []File {
	if k := f.Kind(); k == Changes || strings.Contains(f.Name, "metrics") {
		return []File{f}
	}
	cut := recordNear(f.Bytes, len(f.Bytes)/2)
	if cut == 0 {
		return []File{f}
	}
	name := strings.TrimSuffix(f.Name, ".gz")
	return []File{{name + ".1", f.Bytes[:cut]}, {name, f.Bytes[cut:]}}
}

// recordNear is the beginning of the first line after at that starts as the file's first line does (a digit, a bracket,
// a brace) and is therefore no continuation of a trace; 0 when there is none.
func recordNear(b []byte, at int) int {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 || at+i+1 >= len(b) {
			return 0
		}
		at += i + 1
		if shape(b[at:]) == shape(b) {
			return at
		}
	}
	return 0
}

// shape of the first 16 bytes: digits are all one, letters too.
func shape(b []byte) string {
	out := bytes.Clone(b[:min(16, len(b))])
	for i, c := range out {
		switch {
		case c >= '0' && c <= '9':
			out[i] = '0'
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			out[i] = 'a'
		}
	}
	return string(out)
}

// dated puts a date before the extension, which begins at ".log" (app.log.1) or at the last dot: php8.2-fpm.log has a version before.
func dated(name string) string {
	name = strings.TrimSuffix(name, ".gz")
	at := strings.Index(name, ".log")
	if at < 0 {
		at = len(name) - len(filepath.Ext(name))
	}
	return name[:at] + "-20261121" + name[at:]
}

func numbered(in []File) []File {
	var out []File
	for i, f := range in {
		out = append(out, File{fmt.Sprintf("%02d.txt", len(in)-i), f.Bytes})
	}
	return out
}
