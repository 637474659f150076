package parse

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// Bounds on what one trace may cost. A real trace of a deep recursion has a few thousand frames, all alike; the
// frames that matter stand at its ends. A message longer than this is a dump, not a sentence.
const (
	maxTraceLines   = 4000
	maxTraceMessage = 8 << 10
	maxChain        = 32
)

// ParseTrace reads the stack trace, or the one-line error, in text: a log message with its continuation lines or
// the value of a JSON field. It returns nil when there is none. The strings of the result do not alias text.
func ParseTrace(text string) *inquest.Exception {
	if strings.IndexByte(text, '\n') < 0 && !hasHeading(text) {
		return errorLine([]string{text}).exception(text)
	}
	if !hasTraceWord(text) {
		return nil
	}
	lines := traceLines(text)
	return readTrace(lines).exception(text)
}

// readTrace gives the lines to the reader of their language.
func readTrace(lines []string) (t *trace) {
	switch detectLanguage(lines) {
	case "java":
		t = javaTrace(lines)
	case "python":
		t = pythonTrace(lines)
	case "node":
		t = nodeTrace(lines)
	case "go":
		t = goTrace(lines)
	case "dotnet":
		t = dotnetTrace(lines)
	case "ruby":
		t = rubyTrace(lines)
	case "php":
		t = phpTrace(lines)
	case "rust":
		t = rustTrace(lines)
	case "elixir":
		t = elixirTrace(lines)
	case "native":
		t = nativeTrace(lines)
	default:
		if t = anyhowTrace(lines); t == nil {
			t = errorLine(lines)
		}
	}
	return t
}

// hasHeading reports whether a single line may hold more than "Type: message": a runtime's heading.
func hasHeading(text string) bool {
	for _, w := range [...]string{"panic", "PHP ", "** (", "terminate called", "Uncaught", "[object] (", "fatal error", ".rb:", "Sanitizer", " ---> ",
		"Segmentation", "Program received", "Unhandled"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// hasTraceWord is the cheap test that spares most records the line work: every form that is read below carries
// one of these words.
func hasTraceWord(text string) bool {
	for _, w := range [...]string{"Error", "Exception", "error", "panic", "goroutine ", "Traceback", " at ", "\tat ",
		".rb:", "PHP ", "terminate called", "** (", "Stack trace", "Fault", "fault", "Abort", ".go:", "stack",
		"Unhandled", "Uncaught", "FATAL ERROR", "Failure", "Interrupt", "Exit", "Timeout", "#0 "} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func traceLines(text string) []string {
	n := strings.Count(text, "\n") + 1
	if n > maxTraceLines {
		n = maxTraceLines
	}
	lines := make([]string, 0, n)
	for len(lines) < maxTraceLines {
		line, rest, more := strings.Cut(text, "\n")
		lines = append(lines, strings.TrimSuffix(line, "\r"))
		if !more {
			break
		}
		text = rest
	}
	return lines
}

// trace is what the language readers fill: one link per exception of the chain, outermost first.
type trace struct {
	lang   string
	links  []link
	code   string
	thrown inquest.Frame
}

// link is one exception while it is read.
type link struct {
	typ, msg string
	frames   int
	top, app inquest.Frame
	hasApp   bool
}

// frame adds a frame of a trace that prints the place of the throw first.
func (l *link) frame(f inquest.Frame, library bool) {
	if l.frames == 0 {
		l.top = f
	}
	l.frames++
	if !library && !l.hasApp {
		l.app, l.hasApp = f, true
	}
}

// frameLast adds a frame of a trace that prints the place of the throw last (Python, Sentry).
func (l *link) frameLast(f inquest.Frame, library bool) {
	l.frames++
	l.top = f
	if !library {
		l.app, l.hasApp = f, true
	}
}

// exception turns the trace into the noun, nil into nil. text is searched for an error code that no reader has set.
func (t *trace) exception(text string) *inquest.Exception {
	if t == nil || len(t.links) == 0 {
		return nil
	}
	if len(t.links) > maxChain {
		// Keep both ends: what was thrown last and the root.
		t.links = append(t.links[:maxChain-1:maxChain-1], t.links[len(t.links)-1])
	}
	e := &inquest.Exception{Language: t.lang, Thrown: cloneFrame(t.thrown)}
	for i := range t.links {
		l := &t.links[i]
		e.Chain = append(e.Chain, inquest.Cause{Type: strings.Clone(l.typ), Message: cloneMessage(l.msg),
			Frames: l.frames, Top: cloneFrame(l.top), App: cloneFrame(l.app)})
	}
	first := &e.Chain[0]
	e.Type, e.Message, e.Top, e.App = first.Type, first.Message, first.Top, first.App
	for i := len(e.Chain) - 1; i >= 0; i-- {
		if e.TopFrame == "" && !e.Chain[i].Top.IsZero() {
			e.TopFrame = e.Chain[i].Top.String()
		}
		if e.AppFrame == "" && !e.Chain[i].App.IsZero() {
			e.AppFrame = e.Chain[i].App.String()
		}
	}
	if e.TopFrame == "" {
		e.TopFrame = e.Thrown.String()
	}
	e.Code = strings.Clone(t.code)
	// The root knows the code best; a wrapper's text may only quote it.
	for i := len(e.Chain) - 1; i >= 0 && e.Code == ""; i-- {
		e.Code = errorCode(e.Chain[i].Type, e.Chain[i].Message)
	}
	if e.Code == "" {
		e.Code = sqlstate(text)
	}
	return e
}

func cloneFrame(f inquest.Frame) inquest.Frame {
	f.Function, f.File, f.Module = strings.Clone(f.Function), strings.Clone(f.File), strings.Clone(f.Module)
	return f
}

func cloneMessage(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxTraceMessage {
		s = strings.ToValidUTF8(s[:maxTraceMessage], "")
	}
	return strings.Clone(s)
}

// detectLanguage lets every line vote. Headings that only one runtime prints weigh more than frames, because a
// trace may quote another language's frames in its message, never its heading.
func detectLanguage(lines []string) string {
	votes := map[string]int{}
	for i, line := range lines {
		if len(line) < 4 {
			continue
		}
		if lang := headingLanguage(line); lang != "" {
			votes[lang] += 10
			continue
		}
		if lang := frameLanguage(lines, i); lang != "" {
			votes[lang]++
		}
		if i > 300 { // enough to decide
			break
		}
	}
	// Ties go to the first of this list: the more specific shape of frame.
	best, lang := 0, ""
	for _, l := range [...]string{"python", "php", "rust", "elixir", "native", "go", "ruby", "node", "java", "dotnet"} {
		if votes[l] > best {
			best, lang = votes[l], l
		}
	}
	return lang
}

// headingLanguage recognises a line that only one runtime writes.
func headingLanguage(line string) string {
	s := strings.TrimLeft(line, " \t|+")
	switch {
	case strings.Contains(line, "Traceback (most recent call last)"):
		return "python"
	case strings.HasPrefix(s, "goroutine ") && strings.Contains(s, "["),
		strings.HasPrefix(s, "panic: "), strings.HasPrefix(s, "fatal error: "),
		strings.Contains(s, "http: panic serving "), strings.Contains(s, "panic recovered:"), strings.HasPrefix(s, "[signal SIG"):
		return "go"
	case strings.HasPrefix(s, "Caused by: "), strings.Contains(s, "Exception in thread \""):
		return "java"
	case strings.Contains(s, "--- End of inner exception stack trace"),
		strings.Contains(s, "--- End of stack trace from previous location"),
		strings.Contains(s, "Unhandled exception. System."):
		return "dotnet"
	case strings.Contains(s, "PHP Fatal error: "), strings.Contains(s, "PHP Parse error: "),
		strings.Contains(s, "PHP Warning: "), strings.Contains(s, "Uncaught PHP Exception "),
		strings.Contains(s, "[object] ("), s == "[stacktrace]", s == "#0 {main}":
		return "php"
	case strings.Contains(s, "' panicked at "), strings.Contains(s, " panicked at ") && strings.Contains(s, "thread '"):
		return "rust"
	case strings.Contains(s, "** ("), strings.HasPrefix(s, "** (EXIT"):
		return "elixir"
	case strings.Contains(s, "terminate called after throwing"), strings.Contains(s, "ERROR: AddressSanitizer"),
		strings.HasPrefix(s, "Segmentation fault"), strings.HasPrefix(s, "Program received signal"):
		return "native"
	case strings.Contains(s, "UnhandledPromiseRejection"), strings.HasPrefix(s, "[cause]: "):
		return "node"
	}
	return ""
}

// frameLanguage tells whose frame the line is.
func frameLanguage(lines []string, i int) string {
	line := lines[i]
	s := strings.TrimLeft(line, " \t|")
	switch {
	case s == "":
	case strings.HasPrefix(s, "at "):
		if _, ok := nodeFrame(s); ok {
			return "node"
		}
		if _, ok := javaFrame(s); ok {
			return "java"
		}
		if _, ok := dotnetFrame(s); ok {
			return "dotnet"
		}
	case strings.HasPrefix(s, "File \""):
		if _, ok := pythonFrame(s); ok {
			return "python"
		}
	case s[0] == '#':
		if _, ok := phpFrame(s); ok {
			return "php"
		}
		if _, ok := gdbFrame(s); ok {
			return "native"
		}
	case i > 0 && line[0] == '\t' && strings.Contains(s, ".go:"):
		return "go"
	case strings.Contains(s, ":in `"), strings.Contains(s, ":in '"):
		return "ruby"
	case strings.Contains(s, "@"):
		if _, ok := firefoxFrame(s); ok {
			return "node"
		}
	}
	return ""
}
