package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// rubyFrame reads "app/models/cart.rb:12:in `total'", with "from " or Rails' "actionpack (5.1.4) " before it and,
// on the first line of a trace, ": message (Class)" behind it.
func rubyFrame(s string) (f inquest.Frame, gem bool, rest string, ok bool) {
	s = strings.TrimPrefix(strings.TrimLeft(s, " \t"), "from ")
	i := strings.Index(s, ":in `")
	if i < 0 {
		i = strings.Index(s, ":in '")
	}
	if i < 0 {
		return f, false, "", false
	}
	place, fn := s[:i], s[i+len(":in `"):]
	end := strings.Index(fn, "': ")
	if end < 0 {
		end = strings.LastIndexByte(fn, '\'')
	} else {
		rest = fn[end+3:]
	}
	if end < 0 {
		return f, false, "", false
	}
	j := strings.LastIndexByte(place, ':')
	if j < 0 {
		return f, false, "", false
	}
	n, err := strconv.Atoi(place[j+1:])
	if err != nil {
		return f, false, "", false
	}
	file := place[:j]
	// Rails writes "name (version) path" for a gem; a log prefix may stand before the first line's path.
	if k := strings.LastIndexByte(file, ' '); k >= 0 {
		gem = strings.HasSuffix(file[:k], ")") && strings.Contains(file[:k], " (")
		file = file[k+1:]
	}
	return inquest.Frame{Function: fn[:end], File: file, Line: n}, gem, rest, true
}

func rubyLibrary(file string) bool {
	for _, d := range [...]string{"/gems/", "/lib/ruby/", "/rubygems/", "/vendor/bundle/", "<internal:", "/usr/lib/"} {
		if strings.Contains(file, d) {
			return true
		}
	}
	return false
}

// rubyTrace reads the interpreter's form ("file:1:in 'x': message (Class)") and Rails' form ("Class (message):").
func rubyTrace(lines []string) *trace {
	t := &trace{lang: "ruby"}
	var before []string
	for i, line := range lines {
		f, gem, rest, ok := rubyFrame(line)
		if !ok {
			if l, ok := rubyCause(line); ok && len(t.links) > 0 {
				t.links = append(t.links, l)
			}
			before = append(before, line)
			continue
		}
		switch {
		case rest != "" && (len(t.links) == 0 || t.links[len(t.links)-1].frames > 0):
			l, _ := rubyParens(rest, lines[i+1:])
			t.links = append(t.links, l)
		case len(t.links) == 0:
			t.links = append(t.links, rubyHead(before))
		}
		t.links[len(t.links)-1].frame(f, gem || rubyLibrary(f.File))
	}
	if len(t.links) == 0 || t.links[0].typ == "" && t.links[0].msg == "" {
		return nil
	}
	return t
}

// rubyParens splits "message (Class)"; a message of several lines has the class at the end of its first line.
func rubyParens(s string, _ []string) (link, bool) {
	s = strings.TrimSpace(s)
	if i := strings.LastIndex(s, " ("); i >= 0 && strings.HasSuffix(s, ")") {
		typ := s[i+2 : len(s)-1]
		if typeLen(typ) == len(typ) && typ != "" && typ[0] >= 'A' && typ[0] <= 'Z' {
			return link{typ: typ, msg: s[:i]}, true
		}
	}
	return link{msg: s}, false
}

// rubyCause reads Rails' "Causes:" entries and "Caused by: Class: message", "Class (message)" after frames.
func rubyCause(line string) (link, bool) {
	s := strings.TrimSpace(line)
	if r, ok := strings.CutPrefix(s, "Caused by: "); ok {
		if typ, msg, ok := errHead(r, false); ok {
			return link{typ: typ, msg: msg}, true
		}
		if l, ok := rubyRailsHead(r); ok {
			return l, true
		}
	}
	return link{}, false
}

// rubyRailsHead reads "ActionView::Template::Error (undefined method 'x' for nil):".
func rubyRailsHead(s string) (link, bool) {
	s = strings.TrimSpace(s)
	n := typeLen(s)
	if n == 0 || s[0] < 'A' || s[0] > 'Z' || !strings.HasPrefix(s[n:], " (") {
		return link{}, false
	}
	msg := strings.TrimSuffix(s[n+2:], ":")
	closed := strings.HasSuffix(msg, ")")
	if !closed && strings.Contains(msg, ")") {
		return link{}, false // "Completed (200 OK) in 3ms"
	}
	return link{typ: s[:n], msg: strings.TrimSuffix(msg, ")")}, true
}

// rubyHead finds the exception in the lines above the frames, the nearest first: "Class (message):" of Rails,
// "message (Class)" of Logger, "Class: message" of everything else.
func rubyHead(lines []string) link {
	for i := len(lines) - 1; i >= 0; i-- {
		for from := 0; from >= 0 && from < len(lines[i]); {
			j := nextTypeWord(lines[i], from)
			if j < 0 {
				break
			}
			n := typeLen(lines[i][j:])
			if l, ok := rubyRailsHead(lines[i][j:]); ok && (isErrType(l.typ) || strings.Contains(l.typ, "::")) {
				for _, more := range lines[i+1:] { // a message of several lines closes with "):"
					if strings.HasSuffix(lines[i], "):") || strings.TrimSpace(more) == "" {
						break
					}
					l.msg += "\n" + strings.TrimSuffix(strings.TrimSuffix(more, ":"), ")")
				}
				return l
			}
			from = j + max(n, 1)
		}
		if l, ok := rubyParens(lines[i], nil); ok {
			return l
		}
		if typ, msg, ok := findHead(lines[i]); ok {
			return link{typ: typ, msg: msg}
		}
	}
	return link{}
}
