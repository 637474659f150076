package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

// filled is a folder with a database of some hundred pages.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	var batch []store.Record
	for i := range 1000 {
		batch = append(batch, store.Record{Kind: "entry", ID: fmt.Sprintf("%06d", i), Time: noon, Body: bytes.Repeat([]byte("x"), 1000)})
	}
	if err := s.Put(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	return dir
}

// files reads a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{sqlite.File, sqlite.File + "-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

func TestADamagedFileIsNamedWithTheRemedyAndLeftAsItIs(t *testing.T) {
	write := func(t *testing.T, path string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, damage := range map[string]func(t *testing.T, dir string, db []byte) []byte{
		"its first bytes are something else": func(_ *testing.T, _ string, db []byte) []byte { return append([]byte("<!DOCTYPE html>\n"), db[16:]...) },
		"it is a text":                       func(*testing.T, string, []byte) []byte { return []byte("please do not overwrite this\n") },
		"it is zeros":                        func(_ *testing.T, _ string, db []byte) []byte { return make([]byte, len(db)) },
		"its first page is random behind the header": func(_ *testing.T, _ string, db []byte) []byte {
			return append(append(db[:100:100], bytes.Repeat([]byte{0xa7, 0x11}, 1998)...), db[4096:]...)
		},
		"it was cut to nothing beside its log": func(t *testing.T, dir string, _ []byte) []byte {
			write(t, filepath.Join(dir, sqlite.File+"-wal"), []byte("the log of what was written last"))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, sqlite.File)
			db, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, damage(t, dir, db))
			before := files(t, dir)
			_, err = sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatalf("Open: %v, want ErrCorrupt", err)
			}
			for _, want := range []string{path, "Move it away", ".recover"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", err, want)
				}
			}
			if d := cmp.Diff(before, files(t, dir)); d != "" {
				t.Errorf("the damaged file was written to")
			}
			if err := os.Rename(path, path+".damaged"); err != nil { // the remedy
				t.Fatal(err)
			}
			_ = os.Remove(path + "-wal")
			put(t, open(t, dir), "a")
		})
	}
}

func TestDamageFarInTheFileShowsWhenItIsRead(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, sqlite.File)
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(db[len(db)/8:], bytes.Repeat([]byte{0xff}, len(db)*3/4)) // not the schema
	if err := os.WriteFile(path, db, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err == nil {
		t.Cleanup(func() { shut(t, s) })
		_, err = s.List(t.Context(), store.Query{Kind: "entry", Limit: 2000})
	}
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

// small mounts a file system of two megabytes and returns its folder, or "" where this user may not.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Logf("no file system of its own: mount: %v", err)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestAFullDiskIsToldLosesNothingAndIsLeftBehindOnceThereIsRoom(t *testing.T) {
	dir := small(t)
	if dir == "" {
		return // the limit on file sizes below needs no rights
	}
	t.Run("on a file system of two megabytes", func(t *testing.T) {
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 1_200_000), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		n := 0
		var full error
		for ; full == nil && n < 1000; n++ {
			full = s.Put(t.Context(), store.Record{Kind: "entry", ID: fmt.Sprintf("%06d", n), Time: noon, Body: make([]byte, 20_000)})
		}
		n--
		if full == nil || !strings.Contains(full.Error(), "the disk of "+dir+" is full; nothing was written") {
			t.Fatalf("after %d records: %v", n, full)
		}
		if got, err := s.List(t.Context(), store.Query{Kind: "entry"}); err != nil || len(got) != n {
			t.Errorf("%d records were acknowledged, %d are there, %v", n, len(got), err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		put(t, s, "after")
		shut(t, s)
		s = open(t, dir)
		if got, err := s.List(t.Context(), store.Query{Kind: "entry"}); err != nil || len(got) != n {
			t.Errorf("after a new start: %d records, %v, want %d", len(got), err, n)
		}
		shut(t, s)
	})
}

func TestAStoreStartsOnAFullDiskAndSaysSoWhenItWrites(t *testing.T) {
	dir := small(t)
	if dir == "" {
		return
	}
	t.Run("a new database", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 3<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling it: %v", err)
		}
		s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		if err == nil {
			shut(t, s)
			t.Fatal("a database was made on a full disk")
		}
		if !strings.Contains(err.Error(), "is full") && !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%v does not say that the disk is full", err)
		}
	})
}

func TestALimitOnFileSizesIsTold(t *testing.T) {
	dir := t.TempDir()
	out, err := again(t, "limited", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), dir) || !strings.Contains(string(out), "quotas and limits") {
		t.Errorf("%v: %s\nwant the folder, and what to look for", err, out)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	n, err := strconv.Atoi(first)
	if err != nil || n < 5 {
		t.Fatalf("%d records were written: %s", n, out)
	}
	if got, err := open(t, dir).List(t.Context(), store.Query{Kind: "entry"}); err != nil || len(got) != n {
		t.Errorf("%d records were acknowledged, %d are there, %v", n, len(got), err)
	}
}

func TestAFolderThatCannotBeWrittenIsTold(t *testing.T) {
	t.Run("a disk that is mounted read-only", func(t *testing.T) {
		dir := small(t)
		if dir == "" {
			return // only root sees such a mount here; the other user below is everyone's
		}
		s := open(t, dir)
		put(t, s, "a")
		shut(t, s)
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		unwritable(t, dir, err)
	})
	t.Run("a folder that belongs to somebody else", func(t *testing.T) {
		dir := filled(t)
		if os.Getuid() != 0 {
			for _, path := range []string{filepath.Join(dir, sqlite.File), filepath.Join(dir, sqlite.LockFile), dir} {
				if err := os.Chmod(path, 0o500); err != nil {
					t.Fatal(err)
				}
			}
			_, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
			unwritable(t, dir, err)
			return
		}
		unwritable(t, dir, asNobody(t, dir))
	})
}

func unwritable(t *testing.T, dir string, err error) {
	t.Helper()
	if want := "the folder " + dir + " cannot be written to; is its disk mounted read-only, or does it belong to another user?"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
	if errors.Is(err, store.ErrCorrupt) {
		t.Errorf("%v says that it is damaged", err)
	}
}

// asNobody opens a folder as a user without rights, for root may write everywhere.
func asNobody(t *testing.T, dir string) error {
	t.Helper()
	place, err := os.MkdirTemp("/tmp", "sqlite-test-") //nolint:usetesting // the other user must get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(place) })
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "sqlite.test"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{place, dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := again(t, "open", dir)
	c.Path, c.Dir = filepath.Join(place, "sqlite.test"), place
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
