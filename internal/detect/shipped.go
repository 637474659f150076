package detect

import (
	"embed"
	"fmt"
)

//go:embed rules/*.yml
var shipped embed.FS

// ShippedFiles are the rule files that come with Inquest, in the order of their names.
func ShippedFiles() ([]File, error) {
	entries, err := shipped.ReadDir("rules")
	if err != nil {
		return nil, fmt.Errorf("shipped rules: %w", err)
	}
	out := make([]File, 0, len(entries))
	for _, e := range entries {
		b, err := shipped.ReadFile("rules/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("shipped rules: %w", err)
		}
		out = append(out, File{Name: e.Name(), Content: b})
	}
	return out, nil
}

// File is a rule file.
type File struct {
	Name    string
	Content []byte
}

// Shipped returns the groups of the rules that come with Inquest; docs/rules.md explains them.
func Shipped() ([]Group, error) {
	files, err := ShippedFiles()
	if err != nil {
		return nil, err
	}
	var out []Group
	for _, f := range files {
		groups, err := Parse(f.Name, f.Content)
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
	}
	return out, nil
}
