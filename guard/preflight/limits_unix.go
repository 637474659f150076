//go:build unix

package preflight

import (
	"context"
	"fmt"
	"syscall"
)

// Disk checks that the file system of path has at least free bytes for those who are not root.
func Disk(path string, free uint64) Check {
	return Check{Name: "disk", Run: func(context.Context) []error {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(path, &fs); err != nil {
			return []error{fmt.Errorf("disk of '%s' cannot be measured: %w", path, err)}
		}
		if have := uint64(fs.Bavail) * uint64(fs.Bsize); have < free { //nolint:unconvert // their types differ from system to system
			return []error{fmt.Errorf("disk of '%s' has %d MiB free, at least %d MiB are needed", path, have>>20, free>>20)}
		}
		return nil
	}}
}

// Descriptors checks that the process may open at least least files and connections (ulimit -n).
func Descriptors(least uint64) Check {
	return Check{Name: "descriptors", Run: func(context.Context) []error {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return []error{fmt.Errorf("the limit of open files cannot be read: %w", err)}
		}
		if uint64(limit.Cur) < least { //nolint:unconvert // signed on FreeBSD
			return []error{fmt.Errorf("the process may open %d files, at least %d are needed: raise ulimit -n (LimitNOFILE)", limit.Cur, least)}
		}
		return nil
	}}
}
