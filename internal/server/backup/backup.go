// Package backup keeps a few backups, one a day, of a store that is one file.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// File is a store of records in a file of our own. PostgreSQL has administrators who check and back it up.
type File interface {
	Check(ctx context.Context) error
	Backup(ctx context.Context, path string) error
}

// Daily writes today's backup where there is none, and removes the oldest that are more than keep; below zero none is made.
func Daily(ctx context.Context, file File, folder string, keep int, now time.Time) error {
	if keep < 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the folder of backups: %w; set backups.folder to one that this user may write to", err)
	}
	today := filepath.Join(folder, "records-"+now.UTC().Format(time.DateOnly)+".db")
	if err := file.Backup(ctx, today); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	all, err := filepath.Glob(filepath.Join(folder, "records-????-??-??.db"))
	if err != nil {
		return err
	}
	slices.Sort(all) // by day
	for _, old := range all[:max(0, len(all)-keep)] {
		if err := os.Remove(old); err != nil {
			return fmt.Errorf("an old backup: %w", err)
		}
	}
	return nil
}
