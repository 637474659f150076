package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Backup writes all records, as they are at one moment, into a new file, while others go on reading and writing. The file is a database of the same
// form without gaps: put in the place of records.db, with no records.db-wal beside it, it is what the server starts from. It appears whole or not
// at all, and nothing is ever overwritten. The path must not be in use; its folder must exist.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return fmt.Errorf("back up the records to %s: %w", path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("%w: move it away, or choose another name", fs.ErrExist)
		}
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".backup-") // for its owner alone, as the file
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	part := filepath.Join(dir, filepath.Base(path))
	if err := s.vacuumInto(ctx, part); err != nil {
		return err
	}
	if err := syncFile(part); err != nil { // SQLite does not
		return err
	}
	if err := os.Link(part, path); err != nil { // unlike a rename it fails where somebody else was faster
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// vacuumInto copies with a connection of its own: the writer goes on, and readers may not write, not even elsewhere.
func (s *Store) vacuumInto(ctx context.Context, part string) error {
	db, err := sql.Open("sqlite", s.source(""))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", part)
	err = errors.Join(err, db.Close())
	switch {
	case err == nil:
		return os.Chmod(part, 0o600)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return s.explainFor(filepath.Dir(filepath.Dir(part)), err)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// problems that Check names: what one broken page leads to repeats itself.
const problems = 5

// Check reads the whole file and returns store.ErrCorrupt with the first problems where it is damaged. A gigabyte took 15 s on a busy
// machine with two processors; readers and writers go on meanwhile.
func (s *Store) Check(ctx context.Context) error {
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", problems))
	if err != nil {
		return s.checked(ctx, err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return s.checked(ctx, err)
		}
		found = append(found, strings.TrimSpace(line))
	}
	if err := rows.Err(); err != nil {
		return s.checked(ctx, err)
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil
	}
	return fmt.Errorf("check the records: %w", s.damaged(errors.New(strings.Join(found, "; "))))
}

func (s *Store) checked(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("check the records: %w", s.explain(err))
}
