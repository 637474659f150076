//go:build unix

package health

import "syscall"

// Disk makes a check of the space in use on the file system of path, as those who are not root see it.
func Disk(name, path string, warnAt, failAt float64) Check {
	return Usage(name, warnAt, failAt, func() (float64, error) {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(path, &fs); err != nil {
			return 0, err
		}
		used := float64(fs.Blocks - fs.Bfree)
		return used / (used + float64(fs.Bavail)), nil
	})
}
