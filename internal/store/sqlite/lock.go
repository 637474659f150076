package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// LockFile is in the data folder; its process has locked it. The file stays when the process ends, the lock does not.
const LockFile = "records.lock"

// lockFolder keeps the folder for this process until the file is closed, or the process ends, however it does.
func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who := "another process"
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			who = "process " + strings.TrimSpace(string(b))
		}
		f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by %s: stop that one first, or give this one a folder of its own", dir, who)
	}
	if err == nil {
		// Who has it is told to people only; on a full disk it stays unsaid.
		if f.Truncate(0) == nil {
			_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
		}
		return f, nil
	}
	f.Close()
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
