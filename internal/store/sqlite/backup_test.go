package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

func TestABackupIsOneMomentWhileOthersWriteAndIsWhatAServerStartsFrom(t *testing.T) {
	s := open(t, filled(t))
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() { // each Put adds one record of two kinds
		for n := 0; !stop.Load(); n++ {
			a := store.Record{Kind: "a", ID: fmt.Sprintf("%06d", n), Time: noon}
			b := a
			b.Kind = "b"
			if err := s.Put(t.Context(), a, b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	place := t.TempDir()
	for i := range 5 {
		data := filepath.Join(place, fmt.Sprintf("it's %d%%25 #", i))
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), filepath.Join(data, sqlite.File)); err != nil {
			t.Fatal(err)
		}
		names, err := os.ReadDir(data)
		if err != nil || len(names) != 1 || names[0].Name() != sqlite.File {
			t.Errorf("the backup left %v, %v", names, err)
		}
		if info, err := names[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read the backup: %v, %v", info, err)
		}
		restored := open(t, data)
		if err := restored.Check(t.Context()); err != nil {
			t.Error(err)
		}
		count := map[string]int{}
		for _, kind := range []string{"entry", "a", "b"} {
			got, err := restored.List(t.Context(), store.Query{Kind: kind, Limit: 1e6})
			if err != nil {
				t.Fatal(err)
			}
			count[kind] = len(got)
		}
		if count["entry"] != 1000 || count["a"] != count["b"] {
			t.Errorf("the backup holds %v, which never was", count)
		}
		put(t, restored, "after the restore")
	}
	stop.Store(true)
	wg.Wait()
}

func TestABackupNeverOverwritesAndLeavesNothingHalf(t *testing.T) {
	s := open(t, filled(t))
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("the last good backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), taken); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("over a file: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "nowhere", "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, filepath.Join(dir, "cancelled")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("%v, %v were left behind", names, err)
	}
	b, err := os.ReadFile(taken)
	if d := cmp.Diff("the last good backup", string(b)); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestABackupOntoAFullDiskIsToldAndLeavesNothing(t *testing.T) {
	dir := small(t)
	if dir == "" {
		return // a limit on file sizes would stop the database too
	}
	s := open(t, filled(t)) // about 1.3 MB
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.Backup(t.Context(), filepath.Join(dir, "backup"))
	if err == nil || !strings.Contains(err.Error(), "the disk of "+dir+" is full") {
		t.Errorf("%v does not say which disk is full", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("%v, %v are there", names, err)
	}
	put(t, s, "the store itself goes on")
}

func TestCheckFindsDamageThatNobodyHasReadYet(t *testing.T) {
	dir := filled(t)
	s := open(t, dir)
	if err := s.Check(t.Context()); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrCorrupt) {
		t.Errorf("with a context that has ended: %v", err)
	}
	shut(t, s)

	path := filepath.Join(dir, sqlite.File)
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(db, []byte("000500")) // a key in an index
	copy(db[at/4096*4096:], bytes.Repeat([]byte{0xff}, 4096))
	if err := os.WriteFile(path, db, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	before := files(t, dir)
	err = s.Check(t.Context())
	if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "Move it away") {
		t.Errorf("%v, want ErrCorrupt with the remedy", err)
	}
	if strings.Count(err.Error(), "\n") > 6 {
		t.Errorf("it goes on and on: %v", err)
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Error("Check has written to the file")
	}
}
