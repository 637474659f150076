package config

import (
	"fmt"
	"strings"
)

// few is how many words are listed: more than any entry has keys, less than there are mechanisms.
const few = 25

// proposal says what may have been meant: the nearest known word, and all of them while they are few.
func proposal(got string, known []string) string {
	best, least := "", len(got)/2+1 // more than half of the letters wrong is no slip of the pen
	for _, k := range known {
		d := distance(got, k)
		if strings.HasSuffix(k, "/"+got) {
			d = 0 // the class was left out
		}
		if d < least {
			best, least = k, d
		}
	}
	switch list := strings.Join(known, ", "); {
	case best != "" && len(known) > few:
		return fmt.Sprintf("; did you mean %s?", best)
	case best != "":
		return fmt.Sprintf("; did you mean %s? (known: %s)", best, list)
	case len(known) > few:
		return "; 'inquest explain' lists what is known"
	default:
		return "; known: " + list
	}
}

// distance counts the letters to insert, delete or replace to turn a into b (Levenshtein). Long texts are cut: no known word
// has more than 60 letters.
func distance(a, b string) int {
	a, b = strings.ToLower(a[:min(len(a), 60)]), strings.ToLower(b[:min(len(b), 60)])
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
