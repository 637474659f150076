package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// nodeFrame reads V8's "at fn (file:12:3)" and "at file:12:3". A column must be there or the place be one of V8's
// words; without it the line is another language's.
func nodeFrame(s string) (inquest.Frame, bool) {
	s, ok := strings.CutPrefix(s, "at ")
	if !ok {
		return inquest.Frame{}, false
	}
	s = strings.TrimSuffix(strings.TrimRight(s, " \t"), " {") // the error's properties follow
	s = strings.TrimRight(strings.TrimSuffix(s, ","), " ")
	s = strings.TrimPrefix(s, "async ")
	if i := strings.LastIndex(s, " ("); i >= 0 && strings.HasSuffix(s, ")") {
		fn, where := s[:i], s[i+2:len(s)-1]
		if where == "<anonymous>" || where == "native" || strings.HasPrefix(where, "index ") {
			return inquest.Frame{Function: fn}, true
		}
		if strings.HasPrefix(where, "eval at ") {
			if j := strings.LastIndex(where, "), "); j >= 0 {
				where = where[j+3:]
			}
		}
		f, ok := nodePlace(where)
		f.Function = fn
		return f, ok
	}
	if s == "<anonymous>" || s == "native" {
		return inquest.Frame{Function: s}, true
	}
	return nodePlace(s)
}

// nodePlace reads "file:line:column".
func nodePlace(s string) (inquest.Frame, bool) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return inquest.Frame{}, false
	}
	j := strings.LastIndexByte(s[:i], ':')
	if j <= 0 {
		return inquest.Frame{}, false
	}
	line, err := strconv.Atoi(s[j+1 : i])
	if err != nil {
		return inquest.Frame{}, false
	}
	if _, err := strconv.Atoi(s[i+1:]); err != nil {
		return inquest.Frame{}, false
	}
	return inquest.Frame{File: strings.TrimPrefix(s[:j], "file://"), Line: line}, true
}

// firefoxFrame reads "fn@http://host/app.js:12:3".
func firefoxFrame(s string) (inquest.Frame, bool) {
	fn, where, ok := strings.Cut(s, "@")
	if !ok || strings.ContainsAny(fn, " \t") {
		return inquest.Frame{}, false
	}
	if !strings.Contains(where, "/") || strings.ContainsAny(where, " \t") {
		return inquest.Frame{}, false
	}
	f, ok := nodePlace(where)
	f.Function = fn
	return f, ok
}

// nodeLibrary: packages lie in node_modules; the runtime's own files have the node: scheme or, before Node 16, no
// directory at all ("fs.js", "internal/modules/cjs/loader.js").
func nodeLibrary(f inquest.Frame) bool {
	if f.File == "" || strings.Contains(f.File, "node_modules") || strings.HasPrefix(f.File, "node:") ||
		strings.HasPrefix(f.File, "internal/") || strings.HasPrefix(f.File, "deno:") || strings.HasPrefix(f.File, "ext:") {
		return true
	}
	return !strings.ContainsAny(f.File, "/\\")
}

// nodeTrace reads V8 and Firefox traces with causes, aggregates and the property dump behind them.
func nodeTrace(lines []string) *trace {
	t := &trace{lang: "node"}
	first := nodeFirstFrame(lines)
	l, banner := nodeHead(lines[:first])
	t.thrown = banner
	if l.typ == "" && first == len(lines) {
		return errorLine(lines)
	}
	t.links = append(t.links, l)
	for i := first; i < len(lines); i++ {
		s := strings.TrimLeft(lines[i], " \t")
		f, ok := nodeFrame(s)
		if !ok && strings.Contains(s, "@") {
			f, ok = firefoxFrame(s)
		}
		if ok {
			t.links[len(t.links)-1].frame(f, nodeLibrary(f))
			continue
		}
		if !nodeCause(t, s) && strings.TrimSpace(s) != "" {
			nodeProp(t, s)
		}
	}
	if t.links[0].typ == "" && t.links[0].frames == 0 {
		return nil
	}
	return t
}

func nodeFirstFrame(lines []string) int {
	for i, line := range lines {
		s := strings.TrimLeft(line, " \t")
		if _, ok := nodeFrame(s); ok {
			return i
		}
		if strings.Contains(s, "@") {
			if _, ok := firefoxFrame(s); ok {
				return i
			}
		}
		if strings.HasPrefix(s, "[cause]: ") {
			return i
		}
	}
	return len(lines)
}

// nodeCause opens a link at "[cause]: Type: message", the first entry of "[errors]: [" or "Caused by: " (VError).
func nodeCause(t *trace, s string) bool {
	switch {
	case strings.HasPrefix(s, "[cause]: "):
		s = s[len("[cause]: "):]
	case strings.HasPrefix(s, "Caused by: "), strings.HasPrefix(s, "caused by: "):
		s = s[len("Caused by: "):]
	case strings.HasPrefix(s, "From previous event:"):
		return true // bluebird's long traces: frames of the caller follow, no further exception
	default:
		// Entries of [errors]: [ ... ]; the first one stands for all.
		typ, msg, ok := errHead(s, true)
		if !ok || t.links[len(t.links)-1].frames == 0 || !strings.HasPrefix(t.links[0].typ, "Aggregate") || len(t.links) > 1 {
			return false
		}
		t.links = append(t.links, link{typ: typ, msg: msg})
		return true
	}
	typ, msg, ok := errHead(strings.TrimSuffix(s, " {"), false)
	if !ok {
		typ, msg = "", s
	}
	t.links = append(t.links, link{typ: typ, msg: msg})
	return true
}

// nodeHead finds the error above the first frame. Node prints the throwing line as a banner ("/app/x.js:12", the
// source line, a caret) before an uncaught error.
func nodeHead(lines []string) (l link, banner inquest.Frame) {
	at := -1
	for i, line := range lines {
		s := strings.TrimSpace(line)
		if i+1 < len(lines) && !strings.Contains(s, " ") {
			if j := strings.LastIndexByte(s, ':'); j > 0 && strings.Contains(s[:j], ".") {
				if n, err := strconv.Atoi(s[j+1:]); err == nil && n > 0 {
					banner = inquest.Frame{File: s[:j], Line: n}
				}
			}
		}
		if _, _, ok := errHead(s, true); ok {
			at = i
			break
		}
	}
	if at < 0 && len(lines) > 0 { // any name goes directly above the frames: "error: relation does not exist" (pg)
		s := strings.TrimSpace(lines[len(lines)-1])
		if _, _, ok := errHead(s, false); ok {
			at = len(lines) - 1
		}
	}
	if at < 0 {
		for i := len(lines) - 1; i >= 0; i-- {
			if typ, msg, ok := findHead(lines[i]); ok {
				typ, msg = unwrapBanner(typ, msg)
				return nodeMessage(link{typ: typ, msg: msg}, lines[i+1:]), banner
			}
		}
		return nodeWordHead(lines), banner
	}
	typ, msg, _ := errHead(strings.TrimSpace(lines[at]), false)
	typ, msg = unwrapBanner(typ, msg)
	return nodeMessage(link{typ: typ, msg: msg}, lines[at+1:]), banner
}

// nodeWordHead reads a bare "Error: text" behind other words, which only frames right below make an error.
func nodeWordHead(lines []string) link {
	if len(lines) == 0 {
		return link{}
	}
	last := lines[len(lines)-1]
	for _, w := range [...]string{"Error: ", "Exception: ", "error: "} {
		if i := strings.Index(last, w); i >= 0 {
			return link{typ: strings.TrimSuffix(w, ": "), msg: last[i+len(w):]}
		}
	}
	return link{msg: strings.TrimSpace(last)}
}

func nodeMessage(l link, more []string) link {
	for _, s := range more {
		if len(l.msg) > maxTraceMessage {
			break
		}
		l.msg += "\n" + s
	}
	return l
}

// nodeProps reads the property dump of an error that was logged without frames.
func nodeProps(t *trace, lines []string) {
	for _, s := range lines {
		nodeProp(t, strings.TrimSpace(s))
	}
}

// nodeProp takes the error code from a line of the property dump: "code: 'ECONNREFUSED'," or "code: 14,". An
// SQLSTATE or errno name beats a bare errno number.
func nodeProp(t *trace, s string) {
	key, val, ok := strings.Cut(s, ": ")
	if !ok {
		return
	}
	val = strings.Trim(strings.TrimRight(val, ", }"), "'\"`")
	if val == "" || len(val) > 40 || val == "undefined" || val == "null" {
		return
	}
	switch strings.Trim(key, "'\"{ ") {
	case "code", "sqlState":
		if t.code == "" || isSQLState(val) && !isSQLState(t.code) {
			t.code = val
		}
	}
}
