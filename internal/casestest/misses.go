package casestest

import (
	"fmt"
	"os"
	"strings"
)

// Misses is what is known not to come out, by the section and first column of a table: section "verdict" and case name to
// what misses. Tests demand that a listed case still misses, so that the list only gets shorter.
type Misses map[string]map[string]string

// ReadMisses reads a Markdown file whose sections ("## name") hold tables of two columns: the case, and what misses.
func ReadMisses(path string) (Misses, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("known misses: %w", err)
	}
	out := Misses{}
	section := ""
	for i, line := range strings.Split(string(b), "\n") {
		if s, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(s)
			out[section] = map[string]string{}
			continue
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 2 || section == "" {
			return nil, fmt.Errorf("known misses: %s:%d: want a row of two columns below a section", path, i+1)
		}
		name := strings.Trim(cells[0], " `")
		if name == "case" || strings.HasPrefix(name, "-") {
			continue
		}
		out[section][name] = strings.TrimSpace(cells[1])
	}
	return out, nil
}

// Strike takes the rows of cases from a section of the file.
func Strike(path, section string, cases []string) error {
	if len(cases) == 0 {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("known misses: %w", err)
	}
	gone := map[string]bool{}
	for _, c := range cases {
		gone[c] = true
	}
	var out []string
	in := ""
	for _, line := range strings.Split(string(b), "\n") {
		if s, ok := strings.CutPrefix(line, "## "); ok {
			in = strings.TrimSpace(s)
		}
		if cells := strings.Split(line, "|"); in == section && len(cells) > 2 && gone[strings.Trim(cells[1], " `")] {
			continue
		}
		out = append(out, line)
	}
	if err := os.WriteFile(path, []byte(strings.Join(out, "\n")), 0o644); err != nil {
		return fmt.Errorf("known misses: %w", err)
	}
	return nil
}
