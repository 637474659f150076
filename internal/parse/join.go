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
	if s.have && !s.single && s.trace.continues(l, w.rest) {
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
	if s.have && !s.single && w.anchored && !startsWithLevel(l) {
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
	if !w.text.parse(l, r) {
		r.Reset()
		r.Message = str(l)
	}
	if w.main.parser != w.text {
		w.extra["plain text"] += lines
	}
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

// startsWithLevel reports whether a line without a time begins with a level in capitals and a colon: programs whose output
// is captured by another (PHP by its FPM, a script by its supervisor) write so, and go on with no line so.
func startsWithLevel(l []byte) bool {
	i := bytes.IndexByte(l, ':')
	if i < 4 || i > 9 || i+1 < len(l) && l[i+1] != ' ' {
		return false
	}
	switch string(l[:i]) {
	case "NOTICE", "ERROR", "CRITICAL", "FATAL", "ALERT", "EMERGENCY": // WARNING and INFO begin the second line of java.util.logging
		return true
	}
	return false
}
