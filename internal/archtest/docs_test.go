package archtest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const top = "../.."

// pages are the Markdown files of the repository, relative to its top.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(top, path)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || rel == "bin" || rel == "tmp" || d.Name() == "node_modules" || d.Name() == "testdata" && strings.HasPrefix(rel, "internal")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(rel, ".md") {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out[rel] = string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("%d pages found: the top of the repository is elsewhere", len(out))
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksBetweenPagesLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(top, filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}

var (
	ruleOfMake = regexp.MustCompile(`(?m)^([a-z-]+):`)
	callOfMake = regexp.MustCompile("(?:^|\\n|`)make ([a-z-]+(?: [a-z-]+)*)(?:`|\\s+#|\\n| [A-Z])")
)

func TestPagesCallTargetsThatExist(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(top, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, m := range ruleOfMake.FindAllStringSubmatch(string(b), -1) {
		rules[m[1]] = true
	}
	calls := 0
	for page, text := range pages(t) {
		for _, m := range callOfMake.FindAllStringSubmatch(text, -1) {
			for _, target := range strings.Fields(m[1]) {
				calls++
				if !rules[target] {
					t.Errorf("%s says make %s, which is no target", page, target)
				}
			}
		}
	}
	if calls < 5 {
		t.Errorf("%d calls of make found in all pages: the pattern does not see them", calls)
	}
}

func TestTheReadmeAndCIRunTheSame(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ci, err := os.ReadFile(filepath.Join(top, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"make setup check"} {
		if !strings.Contains(string(readme), command) || !strings.Contains(string(ci), command) {
			t.Errorf("README.md and .ci/run do not both say %q", command)
		}
	}
}
