package config_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// The manual names every key and every word that the loader knows, section by section, and no key that it does not.
func TestTheManualNamesEveryKey(t *testing.T) {
	b, err := os.ReadFile("../../docs/own-mechanisms.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(b), "\n## ") {
		head, body, _ := strings.Cut(s, "\n")
		sections[head] = body
	}
	support := "    supports:\n      - {symptom: slow, weight: 0.5, why: so%s}\n    confirm:"
	for _, c := range []struct {
		section, text string
		keys          bool // the words are the keys of the section's table
	}{
		{"Keys of a mechanism", edit(t, "    status: 503", "    status: 503\n    qqqqqqqqqqqqqqqqqqqqqqq: 1"), true},
		{"Keys of a clue", edit(t, "weight: 1\n", "weight: 1\n        qqqqqqqqqqqqqqqqqqqqqqq: 1\n"), true},
		{"Keys of a support", edit(t, "    confirm:", strings.Replace(support, "%s", ", qqqqqqqqqqqqqqqqqqqqqqq: 1", 1)), true},
		{"Keys of a mechanism", edit(t, "[external]", "[qqqqqqqqqqqqqqqqqqqqqqq]"), false},
		{"Keys of a mechanism", edit(t, "[peer]", "[qqqqqqqqqqqqqqqqqqqqqqq]"), false},
		{"Keys of a mechanism", edit(t, "owner: dependency", "owner: qqqqqqqqqqqqqqqqqqqqqqq"), false},
		{"Keys of a mechanism", edit(t, "id: dependency-failure", "id: qqqqqqqqqqqqqqqqqqqqqqqq"), false},
		{"Keys of a clue", edit(t, "weight: 1\n", "weight: 1\n        from: qqqqqqqqqqqqqqqqqqqqqqq\n"), false},
		{"Keys of a support", edit(t, "    confirm:", strings.Replace(strings.Replace(support, "slow", "qqqqqqqqqqqqqqqqqqqqqqq", 1), "%s", "", 1)), false},
		{"Keys of a support", edit(t, "    confirm:", strings.Replace(strings.Replace(support, "slow", "saturation", 1), "%s", ", resource: qqqqqqqqqqqqqqqqqqqqqqq", 1)), false},
	} {
		known := knownIn(t, c.text)
		var written []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(sections[c.section], -1) {
			written = append(written, m[1])
		}
		for _, w := range known {
			if c.keys && !slices.Contains(written, w) || !strings.Contains(sections[c.section], w) {
				t.Errorf("%s does not name %q", c.section, w)
			}
		}
		for _, w := range written {
			if c.keys && !slices.Contains(known, w) {
				t.Errorf("%s names %q, which the loader does not know", c.section, w)
			}
		}
	}
	for p := range mechanism.Placeholders() {
		if !strings.Contains(string(b), "`{"+p+"}`") {
			t.Errorf("the manual does not name {%s}", p)
		}
	}
}

// knownIn returns the words that the complaint about a file with a nonsense word lists as known.
func knownIn(t *testing.T, text string) []string {
	t.Helper()
	_, err := config.LoadMechanisms(file(t, text))
	if err == nil {
		t.Fatal("no complaint")
	}
	for _, l := range strings.Split(err.Error(), "\n") {
		if _, list, ok := strings.Cut(l, "known: "); ok {
			return strings.Split(strings.TrimSuffix(list, ")"), ", ")
		}
	}
	t.Fatalf("no list of what is known in %v", err)
	return nil
}
