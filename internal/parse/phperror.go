package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// phpError reads PHP's error_log: `[20-Nov-2026 16:12:03 UTC] PHP Fatal error:  Uncaught ...`.
type phpError struct{}

func newPHPError([]byte) lineParser { return phpError{} }

func (phpError) parse(line []byte, r *Record) bool {
	in, b := bracket(line)
	if len(in) < 20 || !isDigit(in[0]) {
		return false
	}
	ns, n, c := parseTime(in)
	if n == 0 || c == ClockNone {
		return false
	}
	if rest := in[n:]; len(rest) > 0 && (rest[0] != ' ' || bytes.IndexByte(rest, '/') < 0) { // a zone such as Europe/Berlin
		return false
	}
	if !bytes.HasPrefix(b, []byte("PHP ")) {
		return false
	}
	colon := bytes.Index(b, []byte(": "))
	if colon < 0 || colon > 40 {
		// "PHP Stack trace:" and "PHP   1. {main}() ..." go on with the record before.
		return false
	}
	word := b[4:colon]
	if r.Level = phpLevel(word); r.Level == inquest.LevelUnknown {
		return false
	}
	r.Add("level", str(word))
	r.Time, r.Clock, r.Message = ns, c, str(b)
	return true
}

// phpLevel is the severity of PHP's own word for a kind of error (PHP manual, error constants).
func phpLevel(word []byte) inquest.Level {
	switch string(word) {
	case "Fatal error", "Parse error", "Core error", "Compile error", "Recoverable fatal error", "Catchable fatal error":
		return inquest.LevelError
	case "Warning", "Core warning", "Compile warning", "User warning":
		return inquest.LevelWarn
	case "Notice", "Deprecated", "Strict Standards", "User notice", "User deprecated":
		return inquest.LevelInfo
	}
	return inquest.LevelUnknown
}

// phpMessageLevel finds the severity that PHP-FPM hides behind its own NOTICE: "NOTICE: PHP message: PHP Parse error:  ...".
func phpMessageLevel(line []byte) inquest.Level {
	_, rest, ok := bytes.Cut(line, []byte("PHP message: PHP "))
	if !ok {
		return inquest.LevelUnknown
	}
	word, _, ok := bytes.Cut(rest, []byte(":"))
	if !ok {
		return inquest.LevelUnknown
	}
	return phpLevel(word)
}
