package parse

import (
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// traceMemo remembers the stack traces that one worker has read last. A fault throws the same trace again and again, with nothing
// but its text to read; reading traces was 3% of the time on a log of which one line in five hundred has one. The zero value is ready for use, and nil
// remembers nothing.
type traceMemo struct {
	recent [64]seenTrace
}

type seenTrace struct {
	text      string
	exception *inquest.Exception
}

// maxSeenTrace bounds a text that is remembered, so that all of them together take at most 512 KB.
const maxSeenTrace = 8 << 10

// read is ParseTrace. The caller may change what it returns.
func (m *traceMemo) read(text string) *inquest.Exception {
	if m == nil || len(text) > maxSeenTrace || strings.IndexByte(text, '\n') < 0 {
		return ParseTrace(text)
	}
	// Traces differ in their length and towards their ends, where the caller stands.
	n := len(text)
	seen := &m.recent[(n^n>>6^int(text[n/2])<<2^int(text[n-1]))%len(m.recent)]
	if seen.text != text {
		seen.text, seen.exception = strings.Clone(text), ParseTrace(text)
	}
	if seen.exception == nil {
		return nil
	}
	e := *seen.exception
	e.Chain = slices.Clone(e.Chain)
	return &e
}
