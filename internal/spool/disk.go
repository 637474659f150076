package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// file is what a segment is written to.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// disk is what can fail: tests put one that fails in its place.
type disk interface {
	// open opens a segment for appending, and makes it if it is to be new.
	open(path string, create bool) (file, error)
	// syncFolder makes the names in a folder outlive a loss of power.
	syncFolder(path string) error
}

type realDisk struct{}

func (realDisk) open(path string, create bool) (file, error) {
	flags := os.O_WRONLY | os.O_APPEND
	if create {
		if err := os.Mkdir(filepath.Dir(path), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o640)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

func (realDisk) syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Errors of Append, to be asked for with errors.Is.
var (
	// ErrFull: the disk has no room. Nothing was acknowledged; the next Append tries again.
	ErrFull = errors.New("the disk is full")
	// ErrReadOnly: the folder cannot be written to.
	ErrReadOnly = errors.New("the folder is read-only")
	// ErrClosed: the spool was closed.
	ErrClosed = errors.New("the spool is closed")
)

// writeError words an error of writing with its remedy.
func writeError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("spool %s: %w: free space there, or give the spool fewer bytes; it goes on by itself once there is room: %w", dir, ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("spool %s: %w: mount it for writing and let the server's user write to it: %w", dir, ErrReadOnly, err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("spool %s: too many open files: raise the limit (ulimit -n, LimitNOFILE): %w", dir, err)
	}
	return fmt.Errorf("spool %s: the disk did not take it; look at the kernel's log for errors of the device: %w", dir, err)
}
