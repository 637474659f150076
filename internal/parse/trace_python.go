package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// pythonFrame reads `File "app.py", line 3, in handler`; a SyntaxError's last frame has no function.
func pythonFrame(s string) (inquest.Frame, bool) {
	s, ok := strings.CutPrefix(s, "File \"")
	if !ok {
		return inquest.Frame{}, false
	}
	file, rest, ok := strings.Cut(s, "\", line ")
	if !ok {
		return inquest.Frame{}, false
	}
	num, fn, _ := strings.Cut(rest, ", in ")
	n, err := strconv.Atoi(strings.TrimSpace(num))
	if err != nil {
		return inquest.Frame{}, false
	}
	return inquest.Frame{Function: strings.TrimSpace(fn), File: file, Line: n}, true
}

// pythonLibrary knows where packages and the standard library are installed.
func pythonLibrary(file string) bool {
	if strings.HasPrefix(file, "<frozen") {
		return true
	}
	for _, d := range [...]string{"/site-packages/", "/dist-packages/", "/third_party/", "/lib/python", "/lib64/python",
		"\\site-packages\\", "\\Lib\\", "/Python.framework/", "/.local/lib/", "/usr/lib/"} {
		if strings.Contains(file, d) {
			return true
		}
	}
	return false
}

// ungroup strips the drawing of an exception group ("  | ", "  +-+---- 1 ----") and returns its depth in columns.
func ungroup(line string) (text string, depth int, rule bool) {
	s := strings.TrimLeft(line, " ")
	indent := len(line) - len(s)
	switch {
	case strings.HasPrefix(s, "+-") && strings.Contains(s, "----"):
		return s, indent, true
	case strings.HasPrefix(s, "+ Exception Group Traceback"):
		return s[2:], indent, false
	case strings.HasPrefix(s, "| "):
		return s[2:], indent, false
	case s == "|":
		return "", indent, false
	}
	return line, 0, false
}

// pythonReader follows tracebacks: the text order is oldest first, so the last block is the exception thrown last.
type pythonReader struct {
	blocks []link // of the outermost level, in text order
	inner  []link // of the first branch of a group, outermost first
	cur    link
	open   bool // inside a traceback, its exception line not yet seen
	msg    *link
	indent int
	group  int // depth of branches: 0 outside
	branch int // number of the branch of the group that is read
}

// pythonTrace reads one or more chained tracebacks and exception groups.
func pythonTrace(lines []string) *trace {
	r := &pythonReader{}
	for _, raw := range lines {
		line, depth, rule := ungroup(raw)
		if rule {
			r.rule(line)
			continue
		}
		r.line(line, depth)
	}
	if r.open && r.cur.frames > 0 { // cut off before the exception line
		r.cur.typ = "Exception"
		r.close()
	}
	links := append([]link(nil), r.blocks...)
	reverseLinks(links)
	links = append(links, r.inner...)
	if len(links) == 0 {
		return nil
	}
	return &trace{lang: "python", links: links}
}

// rule is a "+---- 2 ----" line between the branches of a group. Only the first branch is followed: the root of a
// group is not one exception, and the first raised is the best single answer.
func (r *pythonReader) rule(s string) {
	r.open, r.msg = false, nil
	n := strings.Trim(s, "+- ")
	if n == "" {
		return
	}
	if strings.HasPrefix(s, "+-+") {
		r.group++
	}
	if n != "1" {
		r.branch = 2
	}
}

func (r *pythonReader) line(line string, depth int) {
	s := strings.TrimLeft(line, " \t")
	if i := strings.Index(line, "Traceback (most recent call last)"); i >= 0 {
		if j := strings.Index(line, "Exception Group Traceback"); j >= 0 && j < i {
			i = j
		}
		r.indent = 0
		if strings.TrimLeft(line[:i], " \t") == "" {
			r.indent = i
		}
		r.cur, r.open, r.msg = link{}, true, nil
		return
	}
	if f, ok := pythonFrame(s); ok {
		if !r.open { // the heading was cut off
			r.cur, r.open, r.msg, r.indent = link{}, true, nil, max(0, len(line)-len(s)-2)
		}
		r.cur.frameLast(f, pythonLibrary(f.File))
		return
	}
	if r.open {
		if s == "" || len(line)-len(s) > r.indent {
			return // source line, caret line, "[Previous line repeated 996 more times]"
		}
		if r.cur.frames == 0 && !strings.Contains(s, "Error") && !strings.Contains(s, "Exception") {
			r.open = false
			return
		}
		typ, msg, ok := errHead(s, false)
		if !ok {
			typ, msg = "", s
			if t, m, found := strings.Cut(s, ": "); found && !strings.Contains(t, " ") {
				typ, msg = t, m
			}
		}
		r.cur.typ, r.cur.msg = typ, msg
		r.close()
		return
	}
	// Further lines of the message end at a blank line: behind it the interpreter writes a connecting sentence.
	if s == "" || depth > 0 && r.group == 0 {
		r.msg = nil
	} else if r.msg != nil && len(r.msg.msg) < maxTraceMessage {
		r.msg.msg += "\n" + line
	}
}

// close files the exception that has just been read.
func (r *pythonReader) close() {
	r.open = false
	switch {
	case r.group == 0:
		r.blocks = append(r.blocks, r.cur)
		r.msg = &r.blocks[len(r.blocks)-1]
	case r.branch < 2:
		r.inner = append(r.inner, r.cur)
		r.msg = &r.inner[len(r.inner)-1]
	}
}
