package peers_test

import (
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server/peers"
)

// A verdict of all lines is not replaced by a lesser one of half of them, but what says as much is news, and so is less when nothing more is missing.
func TestOnlyWhatSaysLessForWantOfLinesIsPoorer(t *testing.T) {
	diagnosis := func(level inquest.VerdictLevel, failed int, missing ...string) *inquest.Diagnosis {
		d := &inquest.Diagnosis{Incident: level != "", Impact: inquest.Impact{Failed: failed}, Coverage: inquest.Coverage{Missing: missing}}
		if d.Incident {
			d.Verdict = &inquest.Verdict{Level: level}
		}
		return d
	}
	const b, c, trimmed = "what the server b:1 has received could not be read: connection refused", "what the server c:1 has received could not be read: EOF", "of what the server b:1 has received, lines before 08:00 were left out: more than 5 MiB"
	for name, x := range map[string]struct {
		last, now *inquest.Diagnosis
		want      string
	}{
		"a lower level":                         {diagnosis(inquest.Established, 10), diagnosis(inquest.Open, 20, b), b},
		"fewer failures":                        {diagnosis(inquest.Probable, 10), diagnosis(inquest.Established, 9, b), b},
		"no incident any more":                  {diagnosis(inquest.Open, 10), diagnosis("", 0, b), b},
		"as much":                               {diagnosis(inquest.Probable, 10), diagnosis(inquest.Probable, 10, b), ""},
		"more":                                  {diagnosis(inquest.Open, 10), diagnosis(inquest.Established, 90, b), ""},
		"less, and nothing is missing":          {diagnosis(inquest.Established, 10), diagnosis(inquest.Open, 10, "no metrics"), ""},
		"less, and the same was missing before": {diagnosis(inquest.Established, 10, strings.Replace(b, "connection refused", "EOF", 1)), diagnosis(inquest.Open, 10, b), ""},
		"less, and another is missing":          {diagnosis(inquest.Established, 10, b), diagnosis(inquest.Open, 10, b, c), c},
		"less, as lines were left out":          {diagnosis(inquest.Established, 10), diagnosis(inquest.Open, 10, trimmed), ""},
		"there was none":                        {diagnosis("", 0), diagnosis(inquest.Open, 0, b), ""},
	} {
		if got := peers.Poorer(x.last, x.now); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}
