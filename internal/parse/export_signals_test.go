package parse

import "io"

// ReadDocument reads r as the named document format, whatever it looks like, for tests that must not depend on
// recognition.
func ReadDocument(format string, r io.Reader, sink Sink, skip func(line int, reason string)) (int, error) {
	for _, f := range signalsFormats() {
		if f.name == format {
			return f.read(r, "in", sink, skip)
		}
	}
	panic("no document format " + format)
}

// DocumentScore says how surely the sample is of the named document format.
func DocumentScore(format string, sample []byte) float64 {
	for _, f := range signalsFormats() {
		if f.name == format {
			return f.score(sample)
		}
	}
	panic("no document format " + format)
}
