package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// phpFrame reads "#0 /app/src/Cart.php(12): Cart->total()", "#1 [internal function]: {closure}()", "#2 {main}".
func phpFrame(s string) (inquest.Frame, bool) {
	if len(s) < 4 || s[0] != '#' {
		return inquest.Frame{}, false
	}
	num, rest, ok := strings.Cut(s[1:], " ")
	if _, err := strconv.Atoi(num); !ok || err != nil {
		return inquest.Frame{}, false
	}
	if strings.HasPrefix(rest, "{main}") {
		return inquest.Frame{}, true
	}
	if fn, ok := strings.CutPrefix(rest, "[internal function]: "); ok {
		return inquest.Frame{Function: phpFunction(fn)}, true
	}
	i := strings.Index(rest, "): ")
	if i < 0 {
		return inquest.Frame{}, false
	}
	j := strings.LastIndexByte(rest[:i], '(')
	if j < 0 {
		return inquest.Frame{}, false
	}
	n, err := strconv.Atoi(rest[j+1 : i])
	if err != nil {
		return inquest.Frame{}, false
	}
	return inquest.Frame{Function: phpFunction(rest[i+3:]), File: rest[:j], Line: n}, true
}

func phpFunction(s string) string {
	if i := strings.IndexByte(s, '('); i > 0 {
		return s[:i]
	}
	return s
}

func phpLibrary(f inquest.Frame) bool {
	return f.File == "" || strings.Contains(f.File, "/vendor/") || strings.Contains(f.File, "\\vendor\\") ||
		strings.HasPrefix(f.File, "/usr/share/php/") || strings.HasPrefix(f.File, "phar://")
}

// phpTrace reads PHP's own fatal errors, Monolog's "[object] (...)" with "[stacktrace]" as Laravel and Symfony write
// them, and chains ("Next X", "[previous exception]").
func phpTrace(lines []string) *trace {
	t := &trace{lang: "php"}
	if !phpMonolog(t, lines) {
		phpFatal(t, lines)
	}
	if len(t.links) == 0 {
		return nil
	}
	// Where the runtime names the throw, that is the top frame of PHP: frame #0 is its caller. "#0 file(line): fn()"
	// says that fn was called at file:line, so the function that threw is the one called by frame #0.
	return t
}

// phpMonolog reads `{"exception":"[object] (Type(code: 0): message at file:line)`; inside the JSON string quotes and
// backslashes are doubled. It reports whether the text had one.
func phpMonolog(t *trace, lines []string) bool {
	in := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		j := strings.Index(line, "[object] (")
		if j < 0 {
			if in {
				phpAddFrame(t, line, true)
			}
			continue
		}
		escaped := strings.Contains(lines[0], `"[object] (`) || strings.Contains(line, `"[object] (`)
		text := line[j+len("[object] ("):]
		for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "[stacktrace]") && !phpPlaceEnd(text) && len(text) < maxTraceMessage {
			i++
			text += "\n" + lines[i]
		}
		if escaped {
			text = jsonUnescape.Replace(text)
		}
		phpObject(t, text)
		in = true
	}
	return in
}

var jsonUnescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, `/`)

// phpPlaceEnd reports whether the text ends in "at file:12)", as the last line of an object does.
func phpPlaceEnd(s string) bool {
	i := strings.LastIndex(s, ")")
	j := strings.LastIndex(s, ":")
	if i < 0 || j < 0 || j > i || i < len(s)-4 {
		return false
	}
	_, err := strconv.Atoi(s[j+1 : i])
	return err == nil
}

// phpObject adds the link of "Type(code: 0): message at file:12)". A fatal error that wraps an uncaught exception
// names it in its message.
func phpObject(t *trace, s string) {
	typ, rest, ok := strings.Cut(s, "(code: ")
	if !ok {
		return
	}
	code, msg, ok := strings.Cut(rest, "): ")
	if !ok {
		return
	}
	l := link{typ: typ, msg: msg}
	if i := strings.LastIndex(msg, " at "); i >= 0 {
		l.msg = msg[:i]
		if f, ok := phpPlace(strings.TrimRight(msg[i+4:], ")\"} ]")); ok {
			l.frame(f, phpLibrary(f))
			if len(t.links) == 0 {
				t.thrown = f
			}
		}
	}
	if isSQLState(code) {
		t.code = code
	}
	t.links = append(t.links, l)
	if r, ok := strings.CutPrefix(l.msg, "Uncaught "); ok {
		inner := phpUncaught(r, "Stack trace:")
		if inner.typ != "" {
			t.links = append(t.links, inner)
		}
	}
}

func phpPlace(s string) (inquest.Frame, bool) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return inquest.Frame{}, false
	}
	n, err := strconv.Atoi(s[i+1:])
	return inquest.Frame{File: s[:i], Line: n}, err == nil
}

// phpUncaught reads "Type: message in file:12" up to the stop word.
func phpUncaught(s, stop string) link {
	if i := strings.Index(s, stop); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if r, ok := strings.CutPrefix(s, "exception '"); ok { // PHP 5: exception 'Type' with message 'text' in file:12
		typ, rest, _ := strings.Cut(r, "'")
		rest = strings.TrimPrefix(rest, " with message '")
		l := link{typ: typ}
		l.msg, rest, _ = cutLast(rest, "' in ")
		if f, ok := phpPlace(rest); ok {
			l.frame(f, phpLibrary(f))
		}
		return l
	}
	typ, msg, ok := errHead(s, false)
	if !ok {
		return link{}
	}
	l := link{typ: typ, msg: msg}
	if text, place, ok := cutLast(msg, " in "); ok {
		if f, ok := phpPlace(place); ok {
			l.msg = text
			l.frame(f, phpLibrary(f))
		}
	}
	return l
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// phpFatal reads "PHP Fatal error:  Uncaught X: message in file:12" with its frames and the "Next Y" chain, which
// PHP prints innermost first.
func phpFatal(t *trace, lines []string) {
	for i, line := range lines {
		s := strings.TrimSpace(line)
		if j := strings.Index(s, "Uncaught "); j >= 0 && len(t.links) == 0 {
			s = strings.TrimPrefix(s[j+len("Uncaught "):], "PHP Exception ")
			if k := strings.Index(s, `: "`); k >= 0 && strings.Contains(s[k:], `" at `) { // Symfony's one-line form
				text, place, _ := strings.Cut(s[k+3:], `" at `)
				l := link{typ: s[:k], msg: text}
				if f, n, ok := strings.Cut(place, " line "); ok {
					num, _, _ := strings.Cut(n, " ")
					v, _ := strconv.Atoi(num)
					fr := inquest.Frame{File: f, Line: v}
					l.frame(fr, phpLibrary(fr))
					t.thrown = fr
				}
				t.links = append(t.links, l)
				continue
			}
			t.links = append(t.links, phpUncaught(phpMessage(s, lines[i+1:]), "Stack trace:"))
			continue
		}
		if r, ok := strings.CutPrefix(s, "Next "); ok && len(t.links) > 0 && len(t.links) < 2*maxChain {
			if l := phpUncaught(phpMessage(r, lines[i+1:]), "Stack trace:"); l.typ != "" {
				t.links = append([]link{l}, t.links...)
			}
			continue
		}
		if r, ok := strings.CutPrefix(s, "thrown in "); ok {
			if file, n, ok := strings.Cut(r, " on line "); ok {
				n, _, _ = strings.Cut(n, " ")
				v, _ := strconv.Atoi(strings.Trim(n, "\","))
				t.thrown = inquest.Frame{File: file, Line: v}
			}
			continue
		}
		if len(t.links) == 0 {
			phpPlainError(t, s)
			continue
		}
		phpAddFrame(t, s, false)
	}
	if len(t.links) == 0 {
		phpFromHead(t, lines)
	}
}

// phpMessage joins a message of several lines up to the stack.
func phpMessage(s string, more []string) string {
	for _, m := range more {
		if strings.Contains(s, "Stack trace:") || strings.HasPrefix(m, "Stack trace:") || strings.HasPrefix(m, "#0 ") || len(s) > maxTraceMessage {
			break
		}
		s += "\n" + m
	}
	return s
}

// phpPlainError reads an error that is no exception: "PHP Fatal error:  Allowed memory size of … in f on line 3".
func phpPlainError(t *trace, s string) {
	for _, k := range [...]string{"PHP Fatal error: ", "PHP Parse error: ", "PHP Recoverable fatal error: ", "PHP Warning: ", "PHP Core error: "} {
		i := strings.Index(s, k)
		if i < 0 {
			continue
		}
		l := link{typ: strings.TrimSuffix(k[len("PHP "):], ": "), msg: strings.TrimSpace(s[i+len(k):])}
		if text, place, ok := cutLast(l.msg, " in "); ok {
			if file, n, ok := strings.Cut(place, " on line "); ok {
				num, _, _ := strings.Cut(n, " ")
				v, _ := strconv.Atoi(strings.Trim(num, "\","))
				f := inquest.Frame{File: file, Line: v}
				l.msg, t.thrown = text, f
				l.frame(f, phpLibrary(f))
			}
		}
		t.links = append(t.links, l)
		return
	}
}

// phpFromHead reads "Type: message in file:12" above "Stack trace:" without any PHP heading.
func phpFromHead(t *trace, lines []string) {
	e := errorLine(lines)
	if e == nil {
		return
	}
	l := phpUncaught(e.links[0].typ+": "+e.links[0].msg, "Stack trace:")
	t.links = append(t.links, l)
	for _, line := range lines {
		phpAddFrame(t, strings.TrimSpace(line), false)
	}
}

// phpAddFrame adds the frame on the line, if it is one. PHP's frames hold the place of the call, so frame #0 is where
// the throwing function was called, one level above the throw.
func phpAddFrame(t *trace, line string, last bool) {
	f, ok := phpFrame(line)
	if !ok || f.IsZero() || len(t.links) == 0 {
		return
	}
	l := &t.links[0]
	if last {
		l = &t.links[len(t.links)-1]
	}
	if l.frames == 1 && l.top.Function == "" {
		l.top.Function = f.Function
		if l.hasApp && l.app.Function == "" {
			l.app.Function = f.Function
		}
	}
	l.frame(f, phpLibrary(f))
}
