package parse

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// stackFields are the JSON fields in which loggers put a whole trace: pino (err.stack), winston (stack), logback and
// ECS (stack_trace, error.stack_trace), OpenTelemetry (exception.stacktrace), python-json-logger (exc_info, exception),
// Serilog (@x, Exception), zap (stacktrace, errorVerbose), zerolog (stack), Rails (backtrace), Google Cloud (stack_trace).
var stackFields = [...]string{"err.stack", "error.stack", "error.stack_trace", "exception.stacktrace", "exception.stack_trace",
	"err.stack_trace", "stack_trace", "stackTrace", "stacktrace", "stack", "errorVerbose", "exc_info", "exc_text", "@x", "Exception",
	"exception", "exception.backtrace", "error.backtrace", "backtrace", "traceback", "thrown.extendedStackTrace", "throwable",
	"record.exception.traceback", "reason.stack", "e.stack", "ex.stack", "cause.stack"}

var typeFields = [...]string{"err.type", "error.type", "exception.type", "err.name", "error.name", "exception.name", "error.kind",
	"exception.class", "error.class", "exception_class", "thrown.name", "record.exception.type", "errorType", "error_type", "exception.0", "throwable.className"}

var textFields = [...]string{"err.message", "error.message", "exception.message", "err.msg", "error.msg", "thrown.message",
	"record.exception.value", "errorMessage", "exception_message", "error_message", "exception.1", "throwable.message", "err", "error", "exception", "cause", "reason"}

var codeFields = [...]string{"err.sqlState", "error.sqlState", "err.code", "error.code", "exception.code", "err.original.code", "err.parent.code",
	"err.cause.code", "sqlstate", "sqlState", "err.errno", "error.errno"}

// extract fills Exception, Pool and the field sqlstate from what a record of level warn or worse, of several lines, or
// of status 500 and more says. The engine calls it, because looking into every healthy line would cost too much. seen may be nil.
func extract(r *Record, seen *traceMemo) {
	if r.Message == "" && len(r.Fields) == 0 {
		return
	}
	if r.Exception == nil {
		r.Exception = exceptionOf(r, seen)
	}
	if r.Pool == nil {
		r.Pool = poolOf(r)
	}
	if r.RequestID == "" && r.Message != "" {
		r.RequestID = requestIDIn(r.Message)
	}
	if r.URL == "" && r.Message != "" && r.Get("path") == "" {
		r.Add("path", failedPath(r.Message))
	}
	if r.Get("sqlstate") == "" {
		s := ""
		if r.Exception != nil && isSQLState(r.Exception.Code) {
			s = r.Exception.Code
		} else if r.Message != "" {
			s = sqlstate(r.Message)
		}
		r.Add("sqlstate", s)
	}
}

func firstField(r *Record, names []string) string {
	for _, n := range names {
		if v := r.Get(n); v != "" && v != "null" && v != "{}" && v != "[]" {
			return v
		}
	}
	return ""
}

// exceptionOf prefers a trace in a field, then one in the message, then the bare type and text fields.
func exceptionOf(r *Record, seen *traceMemo) *inquest.Exception {
	var e *inquest.Exception
	fields := slices.ContainsFunc(r.Fields, tellsError)
	if fields {
		for _, n := range stackFields {
			if v := r.Get(n); v != "" {
				if e = seen.read(stackText(v)); e != nil {
					break
				}
			}
		}
	}
	if e == nil && r.Message != "" {
		e = seen.read(r.Message)
	}
	if fields {
		e = withFields(r, e)
	}
	return e
}

// tellsError is the cheap test of a field: every name in the lists above has one of these parts. Most warnings have no such
// field, and are then not asked for each of some seventy names.
func tellsError(f Field) bool { return namesError(f.Name) }

func namesError(name string) bool {
	for _, part := range [...]string{"rr", "xc", "tack", "race", "thro", "cause", "reason", "sql", "@x", "etail", "hint"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// withFields completes e, or makes it, from fields that hold the type, the text and the code apart.
func withFields(r *Record, e *inquest.Exception) *inquest.Exception {
	typ, text, code := firstField(r, typeFields[:]), firstField(r, textFields[:]), firstField(r, codeFields[:])
	if typ == "Object" { // pino's name for anything thrown that is no Error: it says nothing
		typ = ""
	}
	if len(code) > 40 || code == "undefined" {
		code = ""
	}
	if strings.HasPrefix(text, "{") {
		text = ""
	}
	if text == "" {
		text, code = listedError(r.Get("errors"), code)
	}
	if e == nil {
		if typ == "" && text == "" || r.Level < inquest.LevelWarn && r.Status < 500 {
			return nil
		}
		if e = ParseTrace(text); e == nil {
			e = textError(text)
		}
	}
	first := &e.Chain[0]
	// A class that does not set its name prints as "Error" in the stack; the type field knows the class.
	if typ != "" && (e.Type == "" || e.Type == "Error" || e.Type == "error") {
		e.Type, first.Type = strings.Clone(typ), strings.Clone(typ)
	}
	if e.Message == "" && text != "" {
		e.Message = cloneMessage(text)
		first.Message = e.Message
	}
	switch {
	case code != "" && (e.Code == "" || isSQLState(code) && !isSQLState(e.Code)):
		e.Code = strings.Clone(code)
	case e.Code == "":
		e.Code = errorCode(e.Type, e.Message)
	}
	return e
}

// listedError is the first of a list of errors, as a GraphQL server logs those of an answer (GraphQL specification, 7.1.2, Errors):
// [{"message": "...", "extensions": {"code": "..."}}]. code is what is known already.
func listedError(list, code string) (text, listed string) {
	if !strings.HasPrefix(list, "[{") {
		return "", code
	}
	p := &pull{b: []byte(list)}
	errors := 0
	known := func(key []byte) {
		switch string(key) {
		case "message", "msg", "detail":
			if text == "" {
				text = p.str()
			}
		case "code":
			if code == "" && p.peek() == '"' {
				code = p.str()
			}
		}
	}
	p.array(func() {
		if errors++; errors > 1 {
			p.skip()
			return
		}
		p.object(func(key []byte) {
			if string(key) == "extensions" {
				p.object(known)
				return
			}
			known(key)
		})
	})
	return text, code
}

// textError makes an exception of an error's text without a type, as Go's loggers write it: "a: b: c" wraps from
// left to right, so the last part is the root.
func textError(text string) *inquest.Exception {
	text = cloneMessage(text)
	e := &inquest.Exception{Type: "error", Message: text, Chain: []inquest.Cause{{Type: "error", Message: text}}}
	if _, root, ok := cutLast(text, ": "); ok && len(root) > 3 && !strings.ContainsAny(text, "\n{") {
		e.Chain = append(e.Chain, inquest.Cause{Type: "error", Message: root})
	}
	return e
}

// stackText turns a JSON array of frames into lines; a string is returned as it is.
func stackText(v string) string {
	if !strings.HasPrefix(v, "[") || !strings.HasSuffix(v, "]") {
		return v
	}
	var parts []string
	if json.Unmarshal([]byte(v), &parts) != nil || len(parts) == 0 {
		return v
	}
	// Rails' lograge writes ["Class", "message"].
	if len(parts) == 2 && typeLen(parts[0]) == len(parts[0]) {
		return parts[0] + ": " + parts[1]
	}
	return strings.Join(parts, "\n")
}
