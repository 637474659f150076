// Command mechdocs writes docs/mechanisms from the catalogue: a page per mechanism and an index. Run it from the top of
// the repository; a test of the mechanism package fails when the pages are not current.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func main() {
	if err := write(filepath.Join("docs", "mechanisms")); err != nil {
		fmt.Fprintln(os.Stderr, "mechdocs:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder (run from the top of the repository): %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, f := range old { // pages of mechanisms that are gone
		if err := os.Remove(f); err != nil {
			return fmt.Errorf("remove an old page: %w", err)
		}
	}
	all := mechanism.All()
	pages := map[string]string{"README.md": mechanism.IndexPage(all)}
	for i := range all {
		pages[mechanism.PageName(all[i].ID)] = mechanism.Page(&all[i], all)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write a page: %w", err)
		}
	}
	return nil
}
