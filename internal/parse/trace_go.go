package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// goPlace reads "\t/src/main.go:12 +0x1f".
func goPlace(line string) (file string, n int, ok bool) {
	s := strings.TrimSpace(line)
	if i := strings.IndexByte(s, ' '); i >= 0 && (strings.HasPrefix(s[i:], " +0x") || strings.HasPrefix(s[i:], " (0x") || strings.HasPrefix(s[i:], " fp=")) {
		s = s[:i]
	}
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || !strings.HasSuffix(s[:i], ".go") && !strings.HasSuffix(s[:i], ".s") && !strings.HasSuffix(s[:i], "_cgo_gotypes") {
		return "", 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	return s[:i], n, err == nil
}

// goFunction strips the arguments and "created by ... in goroutine 1".
func goFunction(line string) string {
	s := strings.TrimSpace(line)
	s = strings.TrimPrefix(s, "created by ")
	if i := strings.Index(s, " in goroutine "); i >= 0 {
		s = s[:i]
	}
	if strings.HasSuffix(s, ")") {
		depth := 0
		for i := len(s) - 1; i > 0; i-- {
			switch s[i] {
			case ')':
				depth++
			case '(':
				if depth--; depth == 0 {
					return s[:i]
				}
			}
		}
	}
	return s
}

// goLibrary: the standard library's packages have no dot in their first path element but are not main; modules
// lie in the module cache or under vendor/.
func goLibrary(f inquest.Frame) bool {
	if strings.Contains(f.File, "/pkg/mod/") || strings.Contains(f.File, "/vendor/") || strings.Contains(f.File, "/usr/local/go/src/") ||
		strings.Contains(f.File, "go/src/runtime/") || strings.Contains(f.File, "go/src/net/http/") || strings.Contains(f.File, "go/src/reflect/") {
		return true
	}
	for _, p := range [...]string{"runtime.", "runtime/", "net/http.", "net.", "reflect.", "panic", "sync.", "syscall.", "testing.",
		"encoding/", "database/sql.", "fmt.", "strconv.", "strings.", "bytes.", "context.", "io.", "os.", "sort.", "slices.",
		"google.golang.org/", "golang.org/x/", "github.com/gin-gonic/", "github.com/labstack/echo", "github.com/gofiber/",
		"github.com/gorilla/", "github.com/go-chi/", "github.com/jackc/", "gorm.io/", "go.opentelemetry.io/"} {
		if strings.HasPrefix(f.Function, p) {
			return p != "panic" || f.Function == "panic"
		}
	}
	return false
}

// goTrace reads a panic, a fatal error, net/http's "panic serving", or an error printed with its stack (pkg/errors).
func goTrace(lines []string) *trace {
	t := &trace{lang: "go"}
	l, found := goHead(lines)
	goFrames(&l, lines)
	if !found {
		if l.frames == 0 {
			return nil
		}
		l.typ, l.msg = "error", goErrorText(lines)
	}
	t.links = []link{l}
	// The last panic is the exception thrown last, the first one the root; the frames are the root's where the
	// runtime printed only one stack.
	if texts := goInner(lines); len(texts) > 1 && l.typ == "panic" {
		for _, s := range texts[1:min(len(texts), maxChain)] {
			t.links = append([]link{{typ: "panic", msg: s}}, t.links...)
		}
	}
	return t
}

// goHead finds what was panicked with.
func goHead(lines []string) (link, bool) {
	for i, line := range lines {
		s := strings.TrimSpace(line)
		switch {
		case strings.Contains(s, "http: panic serving "):
			rest := s[strings.Index(s, "http: panic serving ")+len("http: panic serving "):]
			if j := strings.Index(rest, ": "); j >= 0 { // "[::1]:54143: test panic"
				rest = rest[j+2:]
			}
			return link{typ: "panic", msg: rest}, true
		case strings.HasPrefix(s, "panic: "):
			return link{typ: "panic", msg: goPanicText(s[len("panic: "):], lines[i+1:])}, true
		case strings.HasPrefix(s, "fatal error: "):
			return link{typ: "fatal error", msg: s[len("fatal error: "):]}, true
		case strings.Contains(s, "panic recovered:"):
			// gin and others: the value stands behind the words or on the next line.
			rest := strings.TrimSpace(s[strings.Index(s, "panic recovered:")+len("panic recovered:"):])
			if rest == "" {
				rest = goAfterRequest(lines[i+1:])
			}
			return link{typ: "panic", msg: rest}, true
		}
	}
	for _, line := range lines { // behind a log prefix: "level=error msg=panic: ...", "[PANIC RECOVER] runtime error: ..."
		for _, w := range [...]string{"panic: ", "runtime error: "} {
			if i := strings.Index(line, w); i >= 0 {
				msg := line[i:]
				return link{typ: "panic", msg: strings.TrimPrefix(msg, "panic: ")}, true
			}
		}
	}
	return link{}, false
}

// goAfterRequest skips the request that gin dumps between the heading and the panic value.
func goAfterRequest(lines []string) string {
	for _, line := range lines {
		s := strings.TrimSpace(line)
		if s == "" || strings.Contains(s, " HTTP/1.") || strings.Contains(s, " HTTP/2") {
			continue
		}
		if k, _, ok := strings.Cut(s, ": "); ok && !strings.Contains(k, " ") && strings.ToLower(k[:1]) != k[:1] {
			continue // a header
		}
		return s
	}
	return ""
}

// goPanicText joins the lines of a panic value up to the blank line, "[signal" or the goroutine, without " [recovered]".
func goPanicText(first string, more []string) string {
	msg := first
	for _, line := range more {
		s := strings.TrimSpace(line)
		if s == "" || strings.HasPrefix(s, "[signal ") || strings.HasPrefix(s, "goroutine ") || strings.HasPrefix(s, "panic: ") ||
			len(msg) > maxTraceMessage {
			break
		}
		msg += "\n" + line
	}
	msg, _, _ = strings.Cut(msg, " [recovered")
	return msg
}

// goInner returns the panics behind the one reported first. The runtime prints the first panic first and each panic
// of a deferred function below it, so the lines after the first are later ones; a re-panicked value repeats the text.
func goInner(lines []string) []string {
	var texts []string
	for _, line := range lines {
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "panic: "); ok {
			s, _, _ = strings.Cut(s, " [recovered")
			if len(texts) == 0 || texts[len(texts)-1] != s {
				texts = append(texts, s)
			}
		}
	}
	return texts
}

// goFrames reads the frames of the first goroutine; those above panic() are the runtime's and the recoverer's.
func goFrames(l *link, lines []string) {
	goroutines := 0
	for i := 0; i+1 < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(strings.TrimSpace(line), "goroutine ") {
			if goroutines++; goroutines > 1 && l.frames > 0 {
				return
			}
			continue
		}
		if file, n, ok := goPlace(line); ok && line[0] != '\t' && line[0] != ' ' { // gin: place first, "\tfunction: source" below
			fn, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), ": ")
			addGoFrame(l, inquest.Frame{Function: fn, File: file, Line: n})
			i++
			continue
		}
		file, n, ok := goPlace(lines[i+1])
		if !ok || line == "" || lines[i+1][0] != '\t' && lines[i+1][0] != ' ' {
			continue
		}
		addGoFrame(l, inquest.Frame{Function: goFunction(line), File: file, Line: n})
		i++
	}
}

func addGoFrame(l *link, f inquest.Frame) {
	if strings.HasSuffix(f.File, "/runtime/panic.go") {
		*l = link{typ: l.typ, msg: l.msg} // gin prints functions without their package
		return
	}
	switch f.Function {
	case "panic", "runtime.gopanic", "runtime.panicmem", "runtime.sigpanic", "runtime.goPanicIndex", "runtime.panicIndex",
		"runtime.panicdivide", "runtime.goPanicSliceAcap", "runtime.mapassign_faststr", "runtime.mapassign", "runtime.throw",
		"runtime.fatal", "runtime.panicdottypeE", "runtime.panicdottypeI", "runtime.panicnil", "runtime.fatalthrow":
		// Everything above is the machinery of panicking.
		*l = link{typ: l.typ, msg: l.msg}
		return
	case "runtime/debug.Stack", "runtime/debug.PrintStack", "runtime.Callers":
		return
	}
	l.frame(f, goLibrary(f))
}

// goErrorText is the text above the first function of an error printed with its stack: its first line is the error
// itself, later lines are the annotations of those who wrapped it.
func goErrorText(lines []string) string {
	for i, line := range lines {
		if i+1 < len(lines) {
			if _, _, ok := goPlace(lines[i+1]); ok {
				break
			}
		}
		if s := strings.TrimSpace(line); s != "" {
			return s
		}
	}
	return ""
}
