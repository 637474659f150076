package parse

import (
	"encoding/json"
	"strconv"

	"github.com/inquesthq/inquest"
)

// appendException appends the members of the exception to a JSON object that is being written, each with a leading
// comma: language, exception_type, exception_message, root_type, root_message, chain, top_frame, app_frame,
// thrown_at, code. A text trace prints its chain as type names, outermost first; an error event as the objects it
// came with, cause first, so that nothing of the event is lost.
func appendException(dst []byte, e *inquest.Exception) []byte {
	dst = appendMember(dst, "language", e.Language)
	dst = appendMember(dst, "exception_type", e.Type)
	dst = append(dst, `,"exception_message":`...)
	dst = appendQuoted(dst, e.Message)
	root := e.Root()
	dst = appendMember(dst, "root_type", root.Type)
	dst = appendMember(dst, "root_message", root.Message)
	dst = append(dst, `,"chain":[`...)
	for i := range e.Chain {
		if i > 0 {
			dst = append(dst, ',')
		}
		if e.Event {
			dst = appendEventLink(dst, &e.Chain[len(e.Chain)-1-i])
			continue
		}
		dst = appendQuoted(dst, e.Chain[i].Type)
	}
	dst = append(dst, ']')
	dst = appendFrame(dst, `,"top_frame":`, e.Top, true)
	dst = appendFrame(dst, `,"app_frame":`, e.App, true)
	dst = appendFrame(dst, `,"thrown_at":`, e.Thrown, false)
	return appendMember(dst, "code", e.Code)
}

func appendEventLink(dst []byte, c *inquest.Cause) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendQuoted(dst, c.Type)
	dst = append(dst, `,"message":`...)
	dst = appendQuoted(dst, c.Message)
	dst = append(dst, `,"frames":`...)
	dst = strconv.AppendInt(dst, int64(c.Frames), 10)
	dst = appendFrame(dst, `,"innermost":`, c.Top, false)
	dst = appendFrame(dst, `,"innermost_in_app":`, c.App, false)
	return append(dst, '}')
}

// appendFrame writes nothing for a zero frame. With named, an anonymous function of a known place is printed as "".
func appendFrame(dst []byte, key string, f inquest.Frame, named bool) []byte {
	if f.IsZero() {
		return dst
	}
	dst = append(dst, key...)
	at := len(dst)
	if named || f.Function != "" {
		dst = append(dst, `,"function":`...)
		dst = appendQuoted(dst, f.Function)
	}
	dst = appendMember(dst, "module", f.Module)
	dst = appendMember(dst, "file", f.File)
	if f.Line > 0 {
		dst = append(dst, `,"line":`...)
		dst = strconv.AppendInt(dst, int64(f.Line), 10)
	}
	dst[at] = '{' // in place of the first comma: a frame that is not zero has a member
	return append(dst, '}')
}

// appendMember writes nothing for an empty value.
func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	return appendQuoted(dst, value)
}

func appendQuoted(dst []byte, s string) []byte {
	b, err := json.Marshal(s) // a string cannot fail; exceptions are rare, so its cost does not matter
	if err != nil {
		return append(dst, `""`...)
	}
	return append(dst, b...)
}
