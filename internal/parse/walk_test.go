package parse_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/parse"
)

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.log", "a/x.log", "a/b/y.log.gz", ".git/HEAD", ".hidden.log"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside.log")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"a/loop": "..", "current.log": "b.log", "out.log": outside, "dead.log": "gone"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	entries, notes, err := parse.Walk(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name)
		if e.Dir != dir {
			t.Errorf("%s: folder %q, want %q", e.Name, e.Dir, dir)
		}
	}
	// Each file once, under its real name, whatever links lead to it.
	if d := cmp.Diff([]string{".hidden.log", "a/b/y.log.gz", "a/x.log", "b.log", "out.log"}, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	for _, want := range []string{".git/: version control", "a/loop: symbolic link to a folder", "current.log: symbolic link to a file", "dead.log: not found"} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("notes do not say %q:\n%s", want, strings.Join(notes, "\n"))
		}
	}
}

func TestWalkOfOneFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := parse.Walk(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]parse.Entry{{Name: "a.log", Dir: dir, Size: 3}}, got); d != "" {
		t.Errorf("entries (-want +got):\n%s", d)
	}
	if _, _, err := parse.Walk(filepath.Join(dir, "missing")); err == nil || !strings.Contains(err.Error(), "check the path") {
		t.Errorf("a missing path gives %v, want the remedy", err)
	}
}
