package parse

import "bytes"

// traceState follows a stack trace through the lines of a file, to tell its parts from a new message. It joins lines;
// what they say is read from the whole record afterwards, see ParseTrace.
type traceState struct {
	in     bool // lines that only a trace has were seen
	python bool // it began with "Traceback": its last line names the exception
	golang bool // it is a goroutine dump: function lines are not indented
	closed bool // the last line of a Python traceback was seen
	cause  bool // the line before announces that another exception follows
	failed bool // the record so far is one line that speaks of an error
	key    bool // within a private key, which is a secret as a whole only
}

// continues reports whether l goes on with the record before it, whatever its format: it is indented, or has the form of
// a line that only stands inside a stack trace. next is the text behind l.
func (t *traceState) continues(l, next []byte) bool {
	if l[0] == ' ' || l[0] == '\t' {
		return t.in || !railsError(l)
	}
	if t.cause || t.key {
		return true
	}
	if bytes.HasPrefix(l, traceback) {
		return t.python && !t.closed
	}
	for _, p := range traceParts {
		if bytes.HasPrefix(l, p) {
			return true
		}
	}
	switch {
	case t.python && !t.closed:
		return exceptionLine(l)
	case t.golang:
		return goFrame(l)
	case t.in && (l[0] == '}' || l[0] == ']' || l[0] == ')'):
		return true // the end of an object that Node prints behind the stack
	}
	// Go's pkg/errors prints cause, wrapping message and the frames of where it was wrapped.
	return goName(l) && sourceLine(next) || t.failed && goFramesAhead(next)
}

// begin starts anew with the first line of a record.
func (t *traceState) begin(l []byte) {
	*t = traceState{}
	t.python = bytes.Contains(l, traceback)
	t.golang = bytes.HasPrefix(l, []byte("panic: ")) || bytes.HasPrefix(l, []byte("fatal error: ")) || bytes.HasPrefix(l, []byte("goroutine "))
	t.in = t.python || t.golang
	t.cause = announces(l)
	t.failed = bytes.Contains(l, []byte("error"))
	t.key = opensKey(l)
}

// opensKey reports whether a private key in PEM form begins on the line and goes on behind it.
func opensKey(l []byte) bool {
	return bytes.Contains(l, []byte("-----BEGIN ")) && bytes.Contains(l, []byte("PRIVATE KEY-----")) && !bytes.Contains(l, []byte("-----END "))
}

// follow takes note of a line that was joined.
func (t *traceState) follow(l []byte) {
	t.cause, t.failed = announces(l), false
	t.key = t.key && !bytes.Contains(l, []byte("-----END ")) || opensKey(l)
	switch {
	case bytes.HasPrefix(l, []byte("During handling of")), bytes.HasPrefix(l, []byte("The above exception")), bytes.HasPrefix(l, traceback):
		t.in, t.python, t.closed = true, true, false
	case bytes.HasPrefix(l, []byte("goroutine ")):
		t.in, t.golang = true, true
	case l[0] == ' ' || l[0] == '\t':
		t.in = true
	case t.python && exceptionLine(l):
		t.closed = true
	}
}

// announces reports whether the next line, indented or not, belongs to l: "nested exception is:" and the like.
func announces(l []byte) bool {
	return bytes.HasSuffix(l, []byte("nested exception is:")) || bytes.HasSuffix(l, []byte("aused by:"))
}

var traceback = []byte("Traceback (most recent call last)")

// traceParts begin lines that stand only inside a stack trace: Java, .NET, Python, Go, PHP, Ruby, Node and Rust.
var traceParts = [][]byte{
	[]byte("Caused by: "), []byte("Suppressed: "), []byte("at "), []byte("... "), []byte(`File "`),
	[]byte("During handling of the above exception"), []byte("The above exception was the direct cause"),
	[]byte("goroutine "), []byte("created by "), []byte("[signal "), []byte("exit status "), []byte("--- End of"),
	[]byte("---> "), []byte("Stack trace:"), []byte("stack backtrace:"), []byte("note: run with `RUST_BACKTRACE"),
	[]byte("for call at"), []byte("from /"), []byte("Backtrace:"),
	[]byte("#0 "), []byte("#1 "), []byte("#2 "), []byte("#3 "), []byte("#4 "), []byte("#5 "), []byte("#6 "),
	[]byte("#7 "), []byte("#8 "), []byte("#9 "), []byte("#10 "), []byte("#11 "), []byte("#12 "),
}

// tracePart reports whether l stands only inside a stack trace, for the count of lines that a format should take.
func tracePart(l []byte) bool {
	var t traceState
	return len(l) > 0 && t.continues(l, nil)
}

// exceptionLine reports whether l has the form "some.Type: message" or is a bare dotted name ending a trace.
func exceptionLine(l []byte) bool {
	n := 0
	for n < len(l) && (l[n] == '.' || l[n] == '_' || alnum(l[n])) {
		n++
	}
	return n > 2 && (n == len(l) || l[n] == ':')
}

// railsError reports whether an indented line is what Rails writes at the head of a trace: " Module::Error (message):".
func railsError(l []byte) bool {
	l = bytes.TrimLeft(l, " \t")
	i := bytes.Index(l, []byte(" ("))
	return i > 0 && bytes.Contains(l[:i], []byte("::")) && bytes.IndexByte(l[:i], ' ') < 0 && bytes.HasSuffix(l, []byte("):"))
}

// goFrame reports whether l has the form "path/to/pkg.Func(0xc000, ...)" of a goroutine dump.
func goFrame(l []byte) bool {
	i := bytes.LastIndexByte(l, '(')
	return i > 0 && l[len(l)-1] == ')' && bytes.IndexByte(l[:i], ' ') < 0 || goName(l)
}

// goName reports whether l is a function's name and nothing else, as in "main.(*server).handle".
func goName(l []byte) bool {
	dot := false
	for i, c := range l {
		switch {
		case c == '.':
			dot = i > 0
		case alnum(c), c == '_', c == '/', c == '(', c == ')', c == '*', c == '-', c == '@', c == '[', c == ']':
		default:
			return false
		}
	}
	return dot
}

// goFramesAhead reports whether next begins with a function's name and its source line.
func goFramesAhead(next []byte) bool {
	i := bytes.IndexByte(next, '\n')
	return i > 0 && goName(next[:i]) && sourceLine(next[i+1:])
}

// sourceLine reports whether next begins with "\t/path/file.go:123" or file.s: what follows a function's name in Go's traces.
func sourceLine(next []byte) bool {
	if len(next) < 6 || next[0] != '\t' {
		return false
	}
	i := bytes.IndexByte(next, '\n')
	if i < 0 {
		i = len(next)
	}
	return bytes.Contains(next[:i], []byte(".go:")) || bytes.Contains(next[:i], []byte(".s:")) // the outermost one is runtime.goexit, in assembly
}
