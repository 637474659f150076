package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// named is whole with another name.
func named(name string) string { return strings.Replace(whole, "licence-server", name, 1) }

// folder writes files (a name that ends in "/" is a folder) and returns where.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFilesAndFolders(t *testing.T) {
	dir := folder(t, map[string]string{"b.yaml": named("bravo"), "a.yml": named("alpha"), "notes.txt": "no YAML: [", "nested/c.yaml": named("charlie"),
		"two.yaml": named("delta") + "---\n" + named("echo")})
	for name, c := range map[string]struct {
		paths []string
		want  string
	}{
		"no paths, no mechanisms":                     {nil, ""},
		"a folder is read by name, without the rest":  {[]string{dir}, "alpha bravo delta echo"},
		"files are read in the order given":           {[]string{dir + "/b.yaml", dir + "/nested/c.yaml", dir + "/a.yml"}, "bravo charlie alpha"},
		"what is named twice is read once":            {[]string{dir + "/b.yaml", dir + "/./b.yaml", dir}, "bravo alpha delta echo"},
		"a file may hold several documents":           {[]string{dir + "/two.yaml"}, "delta echo"},
		"a file with another ending is read if named": {[]string{dir + "/nested"}, "charlie"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := config.LoadMechanisms(c.paths...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range list {
				got = append(got, m.ID.Name())
			}
			if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir := folder(t, map[string]string{"empty/notes.txt": "", "large.yaml": strings.Repeat("# and so on\n", 1<<17)})
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling.yaml")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"missing.yaml":  "no such file or directory; name a YAML file or a folder of them",
		"empty":         "holds no *.yaml; put the files directly into it, or name one",
		"large.yaml":    "has more than 1048576 bytes; is it the right file? if it is, split it",
		"dangling.yaml": "no such file",
		"":              "dangling.yaml: no such file", // the folder: nothing of it is left out in silence
	} {
		t.Run(path, func(t *testing.T) {
			_, err := config.LoadMechanisms(filepath.Join(dir, path))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "mechanisms: ") {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestPathsComeFromTheFlagsOrElseTheEnvironment(t *testing.T) {
	t.Setenv(config.MechanismsVariable, "/etc/one.yaml::/etc/more")
	if d := cmp.Diff([]string{"/etc/one.yaml", "/etc/more"}, config.MechanismPaths(nil)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"mine.yaml"}, config.MechanismPaths([]string{"mine.yaml"})); d != "" {
		t.Error(d)
	}
	t.Setenv(config.MechanismsVariable, "")
	if got := config.MechanismPaths(nil); len(got) != 0 {
		t.Errorf("%v without anything set", got)
	}
}

// What the shipped catalogue uses can be written in a file as well: the vocabulary has not fallen behind.
func TestEveryShippedMechanismCanBeWritten(t *testing.T) {
	for _, want := range mechanism.All() {
		got, err := config.LoadMechanisms(file(t, written(&want)))
		if err != nil {
			t.Errorf("%s: %v", want.ID, err)
			continue
		}
		if d := cmp.Diff(want, got[0]); d != "" {
			t.Errorf("%s: %s", want.ID, d)
		}
	}
}

func FuzzLoadMechanisms(f *testing.F) {
	b, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(whole))
	f.Add([]byte(strings.ReplaceAll(whole, "  ", "\t")))
	f.Add([]byte("mechanisms: &a [*a]\n"))
	f.Add([]byte("{mechanisms: [{id: x/y, clues: {any: [!!binary aGk=]}}]}\n--- \n? [a]\n: b\n"))
	path := filepath.Join(f.TempDir(), "own.yaml")
	f.Fuzz(func(t *testing.T, in []byte) {
		if err := os.WriteFile(path, in, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := config.LoadMechanisms(path)
		if err == nil {
			if err := mechanism.Validate(mechanism.With(list)); err != nil {
				t.Errorf("read without a complaint, and yet: %v", err)
			}
			return
		}
		for _, l := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(l, path+":") && !strings.HasPrefix(l, "mechanisms: ") {
				t.Errorf("a complaint without its place: %q", l)
			}
			if strings.ContainsAny(l, "\x1b\r\x00") {
				t.Errorf("the file steers the terminal: %q", l)
			}
		}
	})
}
