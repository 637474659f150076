// Package sqlite keeps store.Records in one SQLite file, for a server on one machine: no other process is needed.
// One process at a time has the folder; a second one is refused. When Put returns nil, the file system has been told to have everything on the disk.
// A file that cannot be read is never written to. Network file systems are not supported: SQLite's write-ahead log needs shared memory.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlrecords"
)

// File is the database in the data folder; SQLite puts records.db-wal and records.db-shm beside it.
const File = "records.db"

const readers = 4 // connections that only read

// Config of Open.
type Config struct {
	Dir        string                 // the data folder; it is made where it is missing
	Migrations []sqlrecords.Migration // default: what the program ships
}

// Store is store.Records, store.Keeper and store.Leaders in a file.
type Store struct {
	*sqlrecords.Records
	path        string
	lock        *os.File
	read, write *sql.DB
}

// Open locks the folder, opens or makes the file, and brings it to this program's schema. A damaged file gives store.ErrCorrupt.
func Open(ctx context.Context, c Config) (_ *Store, err error) {
	if c.Dir == "" {
		return nil, errors.New("sqlite: the data folder is not named")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{path: filepath.Join(dir, File)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	if s.lock, err = lockFolder(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.connect(c.Migrations); err != nil {
		return nil, err
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, err
	}
	// Whoever held a lease in this file is gone: the folder is ours.
	if _, err := s.write.ExecContext(ctx, "DELETE FROM leases"); err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}

// prepare makes the file, for its owner alone, and refuses one that SQLite would silently begin anew.
func (s *Store) prepare() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600) // before SQLite opens it: closing it later would give SQLite's locks away
	if err != nil {
		return unwritable(filepath.Dir(s.path), err)
	}
	defer f.Close()
	is, err := f.Stat()
	if err != nil {
		return err
	}
	log, err := os.Stat(s.path + "-wal")
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && is.Size() == 0 && log.Size() > 0:
		return s.damaged(errors.New("it is empty, and its log beside it is not"))
	}
	return syncFolder(filepath.Dir(s.path)) // or the new file's name may be lost with the power
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (s *Store) connect(migrations []sqlrecords.Migration) (err error) {
	if s.write, err = sql.Open("sqlite", s.source("_txlock=immediate")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1) // SQLite has one writer; here it waits with its context, there it would be told "busy"
	if s.read, err = sql.Open("sqlite", s.source("_query_only=1")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.Records, err = sqlrecords.New(sqlrecords.Config{Read: s.read, Write: s.write, Migrations: migrations, Dialect: sqlrecords.Dialect{
		Bytes: "text", Integer: "integer", Strict: " STRICT", // text of SQLite takes any bytes and is shown as it is
		Now:     "CAST(unixepoch('subsec') * 1000000 AS integer)",
		Exists:  "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'migration'",
		ID:      func(id string) any { return id },
		Body:    func(body []byte) any { return string(body) },
		Again:   func(error) bool { return false },
		Explain: s.explain,
	}})
	return err
}

// source names the database and how every connection is set up.
//   - WAL: readers see a snapshot and do not stop the writer.
//   - synchronous=FULL: the log is synced at every commit. NORMAL would lose the last commits with the power.
//   - busy_timeout: for others who open the file, as backups do.
//   - journal_size_limit: a log that grew beside a long reader is cut back.
func (s *Store) source(more string) string {
	u := url.URL{Scheme: "file", Path: s.path, OmitHost: true}
	u.RawQuery = more + "&_error_rc=1&_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL&_pragma=journal_size_limit(67108864)"
	return u.String()
}

// Close gives the file and the folder back. It is safe to call once, after all other calls have returned.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} { // the last connection moves the log into the file
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// explain says what to do about an error of SQLite.
func (s *Store) explain(err error) error { return s.explainFor(filepath.Dir(s.path), err) }

// explainFor is explain for what was written into another folder.
func (s *Store) explainFor(dir string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return s.damaged(err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk of %s is full; nothing was written, and nothing is lost: make room, inquest goes on by itself: %w (%w)", dir, err, store.ErrFull)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return unwritable(dir, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("the disk of %s does not take or give bytes; look for its errors in the kernel's log (dmesg), and at quotas and limits: %w", dir, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another program has held %s locked for 10 s; find it with `fuser %[1]s`: %w", s.path, err)
	}
	return err
}

func (s *Store) damaged(err error) error {
	return fmt.Errorf("%w: %s cannot be read: %w; inquest does not touch it. Move it away together with %[2]s-wal, then put a backup in its place, "+
		"or save what is legible with `sqlite3 MOVED .recover | sqlite3 %[2]s`, or start without it", store.ErrCorrupt, s.path, err)
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("the folder %s cannot be written to; is its disk mounted read-only, or does it belong to another user? %w", dir, err)
}
