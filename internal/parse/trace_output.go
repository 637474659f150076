package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// appendChain appends the elements of the JSON array "chain", without its brackets. A text trace prints type names,
// outermost first; an error event the objects it came with, cause first, so that nothing of the event is lost.
func appendChain(dst []byte, e *inquest.Exception) []byte {
	for i := range e.Chain {
		if i > 0 {
			dst = append(dst, ',')
		}
		if e.Event {
			dst = appendEventLink(dst, &e.Chain[len(e.Chain)-1-i])
			continue
		}
		dst = appendString(dst, e.Chain[i].Type)
	}
	return dst
}

func appendEventLink(dst []byte, c *inquest.Cause) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendString(dst, c.Type)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, c.Message)
	dst = append(dst, `,"frames":`...)
	dst = strconv.AppendInt(dst, int64(c.Frames), 10)
	dst = appendEventFrame(dst, `,"innermost":`, c.Top)
	dst = appendEventFrame(dst, `,"innermost_in_app":`, c.App)
	return append(dst, '}')
}

// appendEventFrame writes the members that the event had; nothing for a zero frame.
func appendEventFrame(dst []byte, key string, f inquest.Frame) []byte {
	if f.IsZero() {
		return dst
	}
	dst = append(dst, key...)
	at := len(dst)
	for _, m := range [...]struct{ key, value string }{{`,"function":`, f.Function}, {`,"module":`, f.Module}, {`,"file":`, f.File}} {
		if m.value != "" {
			dst = append(dst, m.key...)
			dst = appendString(dst, m.value)
		}
	}
	if f.Line > 0 {
		dst = append(dst, `,"line":`...)
		dst = strconv.AppendInt(dst, int64(f.Line), 10)
	}
	dst[at] = '{' // in place of the first comma: a frame that is not zero has a member
	return append(dst, '}')
}

// messageText is the message without the stack trace below it, which `inquest parse` prints as the exception's own
// fields. Record.Message keeps both. Where the first line already is the exception that was read, an error below it is
// another one (PHP's warnings, which its web server logs in one piece) and stays.
func messageText(r *Record) string {
	if r.Exception == nil || r.Exception.Event || strings.IndexByte(r.Message, '\n') < 0 {
		return r.Message
	}
	lines := traceLines(r.Message)
	stays := r.Exception.Message != "" && strings.Contains(lines[0], r.Exception.Message)
	for i, at := 0, 0; i < len(lines); i++ {
		s := strings.TrimLeft(lines[i], " \t")
		if i > 0 && s != "" {
			_, _, typed := errHead(s, true)
			if !stays && (typed || headingLanguage(lines[i]) != "") || frameLanguage(lines, i) != "" || s == "Stack trace:" {
				return strings.TrimRight(r.Message[:at], " \t\r\n")
			}
		}
		at += strings.IndexByte(r.Message[at:], '\n') + 1 // there is one after every line but the last
	}
	return r.Message
}
