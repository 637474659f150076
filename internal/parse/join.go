package parse

import (
	"bytes"
	"unicode/utf8"
)

// maxTries bounds, for one block, how many lines that nobody expected are offered to every format of the table.
const maxTries = 64

// refused decides about a line that does not start a record of the main format.
func (w *worker) refused(s *stream, line, lines int, l []byte) {
	if len(bytes.TrimSpace(l)) == 0 {
		w.blank(s, lines)
		return
	}
	if s.have && !s.single && s.trace.continues(l) {
		w.join(s, lines, l)
		return
	}
	for i := range w.others {
		if w.offer(s, line, lines, l, &w.others[i]) {
			return
		}
	}
	if w.head != nil && w.head.header(l) {
		w.skip(line, lines, "header line")
		return
	}
	if s.have && !s.single {
		w.join(s, lines, l)
		return
	}
	if w.unexpected(s, line, lines, l) {
		return
	}
	if reason := plainText(l); reason != "" {
		w.skip(line, lines, reason)
		return
	}
	w.plain(s, line, lines, l)
}

// hole drops the NUL bytes that a crash leaves in a file: what stands behind them is a line like any other.
func (w *worker) hole(s *stream, line, lines int, l []byte) {
	w.nul += lines
	if l = bytes.Trim(l, "\x00"); len(l) == 0 {
		w.blank(s, lines)
		return
	}
	w.line(s, line, lines, l)
}

func (w *worker) offer(s *stream, line, lines int, l []byte, o *other) bool {
	s.next.Reset()
	if !o.parser.parse(l, s.next) {
		return false
	}
	w.extra[o.format.name] += lines
	w.open(s, line, lines, o.format.isSingle(), o.finisher)
	return true
}

// unexpected offers the line to all formats with a clock: an error log may show up in an access log only when the
// incident begins, long after the sample.
func (w *worker) unexpected(s *stream, line, lines int, l []byte) bool {
	if w.tries >= maxTries {
		return false
	}
	w.tries++
	for i := range w.table {
		f := &w.table[i]
		if f.new == nil || f.sequential {
			continue
		}
		o := w.other(f, l)
		s.next.Reset()
		if o.parser.parse(l, s.next) && s.next.Clock != ClockNone {
			w.others = append(w.others, o)
			w.extra[f.name] += lines
			w.open(s, line, lines, f.isSingle(), o.finisher)
			return true
		}
	}
	return false
}

// plain makes a record of a line without a time: a panic, a start-up message or the error of a run-time that writes
// past the logger. It has no clock; its place in the file is its line.
func (w *worker) plain(s *stream, line, lines int, l []byte) {
	r := s.next
	r.Reset()
	r.Message = str(l)
	w.extra["plain text"] += lines
	w.open(s, line, lines, false, nil)
	s.trace.begin(l)
}

// plainText says why a line is not readable text, "" if it is. A line that begins like a request line of an access log
// (an address) but parses as none is a torn line, not a message.
func plainText(l []byte) string {
	if !utf8.Valid(l) {
		return "not valid UTF-8"
	}
	for _, c := range l {
		if c < 0x20 && c != '\t' && c != 0x1b {
			return "control characters"
		}
	}
	if c := l[0]; c >= '0' && c <= '9' || c == '"' || c == '{' || c == '#' {
		return "does not parse"
	}
	return ""
}

func (w *worker) blank(s *stream, lines int) {
	if s.have && !s.single {
		s.blanks += lines
		return
	}
	w.joined += lines
}

// join appends a continuation line to the open record.
func (w *worker) join(s *stream, lines int, l []byte) {
	r := s.cur
	if len(s.text) == 0 {
		s.text = append(s.text[:0], r.Message...)
	}
	room := MaxRecordBytes - len(s.text)
	for ; s.blanks > 0 && room > 0; s.blanks-- {
		s.text = append(s.text, '\n')
		r.Lines++
		w.joined++
		room--
	}
	r.Lines += lines + s.blanks
	w.joined += lines + s.blanks
	s.blanks = 0
	if room > len(l)+1 {
		s.text = append(append(s.text, '\n'), l...)
	}
	s.trace.follow(l)
}

func (w *worker) skip(line, lines int, reason string) {
	w.skipped += lines
	if len(w.skips) < maxSkips {
		w.skips = append(w.skips, Skip{Line: line, Reason: reason})
	}
}

// traceState follows a stack trace through lines, to tell its parts from a new message.
type traceState struct {
	in     bool // lines of a trace were seen
	closed bool // and its last line, as Python's "ValueError: ..."
}

// continues reports whether l goes on with the record before it, whatever its format: it is indented, or has the form of
// a line that only stands inside a stack trace.
func (t *traceState) continues(l []byte) bool {
	if l[0] == ' ' || l[0] == '\t' {
		return true
	}
	for _, p := range traceParts {
		if bytes.HasPrefix(l, p) {
			return true
		}
	}
	if bytes.HasPrefix(l, traceback) {
		return !t.closed
	}
	return t.in && !t.closed && (exceptionLine(l) || goFrame(l))
}

func (t *traceState) begin(l []byte) {
	*t = traceState{in: bytes.HasPrefix(l, traceback) || bytes.HasPrefix(l, []byte("panic: ")) ||
		bytes.HasPrefix(l, []byte("fatal error: "))}
}

func (t *traceState) follow(l []byte) {
	switch {
	case bytes.HasPrefix(l, []byte("During handling of")), bytes.HasPrefix(l, []byte("The above exception")):
		t.in, t.closed = true, false
	case bytes.HasPrefix(l, traceback):
		t.in, t.closed = true, false
	case l[0] == ' ' || l[0] == '\t':
		t.in = true
	case t.in && exceptionLine(l):
		t.closed = true
	}
}

var traceback = []byte("Traceback (most recent call last)")

// traceParts begin lines that stand only inside a stack trace: Java, .NET, Python, Go, PHP, Ruby and Rust.
var traceParts = [][]byte{
	[]byte("Caused by: "), []byte("Suppressed: "), []byte("at "), []byte("... "), []byte(`File "`),
	[]byte("During handling of the above exception"), []byte("The above exception was the direct cause"),
	[]byte("goroutine "), []byte("created by "), []byte("[signal "), []byte("exit status "), []byte("--- End of"),
	[]byte("---> "), []byte("Stack trace:"), []byte("stack backtrace:"), []byte("note: run with `RUST_BACKTRACE"),
	[]byte("#0 "), []byte("#1 "), []byte("#2 "), []byte("#3 "), []byte("#4 "), []byte("#5 "), []byte("#6 "),
	[]byte("#7 "), []byte("#8 "), []byte("#9 "),
}

// exceptionLine reports whether l has the form "some.Type: message" or is a bare dotted name ending a trace.
func exceptionLine(l []byte) bool {
	n := 0
	for n < len(l) && (l[n] == '.' || l[n] == '_' || l[n] >= '0' && l[n] <= '9' || l[n]|0x20 >= 'a' && l[n]|0x20 <= 'z') {
		n++
	}
	return n > 2 && (n == len(l) || l[n] == ':')
}

// goFrame reports whether l has the form "path/to/pkg.Func(...)" of a goroutine dump.
func goFrame(l []byte) bool {
	return l[len(l)-1] == ')' && bytes.IndexByte(l, '(') > 0 && bytes.IndexByte(l, '.') > 0 && bytes.IndexByte(l, ' ') < 0
}
