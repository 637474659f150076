package answer

import "testing"

// Patterns are compiled when they are needed; a wrong one must not wait for the night on which it is.
func TestEveryPatternCompiles(t *testing.T) {
	j, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	patterns := []pattern{j.page, j.heading, j.tag}
	for _, r := range j.texts {
		patterns = append(patterns, r.say, r.not)
	}
	for _, r := range j.leaks {
		patterns = append(patterns, r.say)
	}
	for _, p := range patterns {
		if p != nil && p().MatchString("") { // one that cannot be compiled panics
			t.Errorf("%s fits every text", p())
		}
	}
}
