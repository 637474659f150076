package peers

import (
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// What stands around the host in a note on lines that could not be read.
const missedBefore, missedBehind = "what the server ", " has received could not be read: "

// missed is the server whose lines could not be read, by a note; "" when the note says something else.
func missed(note string) string {
	rest, ok := strings.CutPrefix(note, missedBefore)
	host, _, read := strings.Cut(rest, missedBehind)
	if !ok || !read {
		return ""
	}
	return host
}

// levels are in the order of how much they say.
var levels = []inquest.VerdictLevel{inquest.Open, inquest.Probable, inquest.Established}

// Poorer returns the note on lines of a server that a diagnosis misses and the last one had, when it says less than that one: "" when it says as much, or misses nothing more.
func Poorer(last, now *inquest.Diagnosis) string {
	if !last.Incident || last.Verdict == nil {
		return ""
	}
	if now.Incident && now.Verdict != nil && slices.Index(levels, now.Verdict.Level) >= slices.Index(levels, last.Verdict.Level) && now.Impact.Failed >= last.Impact.Failed {
		return ""
	}
	for _, note := range now.Coverage.Missing {
		if host := missed(note); host != "" && !slices.ContainsFunc(last.Coverage.Missing, func(old string) bool { return missed(old) == host }) {
			return note
		}
	}
	return ""
}
