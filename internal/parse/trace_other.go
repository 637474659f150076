package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// elixirTrace reads "** (RuntimeError) message" with frames "(app 1.0.0) lib/x.ex:12: Mod.fun/2".
func elixirTrace(lines []string) *trace {
	t := &trace{lang: "elixir"}
	for _, line := range lines {
		s := strings.TrimSpace(line)
		if i := strings.Index(s, "** ("); i >= 0 {
			typ, msg, ok := strings.Cut(s[i+len("** ("):], ")")
			if ok && typ != "" && len(t.links) < maxChain {
				t.links = append(t.links, link{typ: strings.TrimSpace(typ), msg: strings.TrimSpace(msg)})
			}
			continue
		}
		if len(t.links) == 0 {
			continue
		}
		app := ""
		if strings.HasPrefix(s, "(") {
			var ok bool
			if app, s, ok = strings.Cut(s[1:], ") "); !ok {
				continue
			}
		}
		place, fn, ok := strings.Cut(s, ": ")
		if !ok {
			continue
		}
		file, num, ok := strings.Cut(place, ":")
		n, err := strconv.Atoi(num)
		if !ok || err != nil || !strings.Contains(file, ".e") {
			continue
		}
		f := inquest.Frame{Function: fn, File: file, Line: n}
		t.links[len(t.links)-1].frame(f, elixirLibrary(app))
	}
	return t.orNil()
}

// elixirLibrary: the application's name stands before each frame; those of the language and the usual web stack
// are not the user's.
func elixirLibrary(app string) bool {
	name, _, _ := strings.Cut(app, " ")
	switch name {
	case "elixir", "stdlib", "kernel", "erts", "phoenix", "plug", "plug_cowboy", "cowboy", "bandit", "ecto", "ecto_sql",
		"db_connection", "postgrex", "myxql", "telemetry", "phoenix_live_view", "thousand_island", "logger", "ex_unit":
		return true
	}
	return false
}

// gdbFrame reads "#0  0x00007f12 in handler (req=0x0) at server.c:12" as gdb, glibc and sanitizers print it.
func gdbFrame(s string) (inquest.Frame, bool) {
	if len(s) < 4 || s[0] != '#' {
		return inquest.Frame{}, false
	}
	num, rest, ok := strings.Cut(s[1:], " ")
	if _, err := strconv.Atoi(num); !ok || err != nil {
		return inquest.Frame{}, false
	}
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "0x") {
		_, after, ok := strings.Cut(rest, " in ")
		if !ok {
			return inquest.Frame{}, false
		}
		rest = after
	} else if !strings.Contains(rest, " at ") {
		return inquest.Frame{}, false
	}
	var f inquest.Frame
	if fn, place, ok := cutLast(rest, " at "); ok { // gdb
		f.Function, rest = strings.TrimSpace(fn), place
	} else if fn, place, ok := cutLast(rest, " "); ok { // sanitizers
		f.Function, rest = fn, place
	} else {
		return inquest.Frame{Function: rest}, true
	}
	if i := strings.Index(f.Function, " ("); i > 0 {
		f.Function = f.Function[:i]
	}
	p := strings.Split(rest, ":")
	f.File = p[0]
	if len(p) > 1 {
		f.Line, _ = strconv.Atoi(p[1])
	}
	return f, true
}

// nativeTrace reads what C and C++ programs say when they die: std::terminate, AddressSanitizer, a signal.
func nativeTrace(lines []string) *trace {
	t := &trace{lang: "native"}
	for _, line := range lines {
		s := strings.TrimSpace(line)
		switch {
		case len(t.links) == 0:
			if l, ok := nativeHead(s); ok {
				t.links = append(t.links, l)
			}
		case strings.HasPrefix(s, "what():"):
			t.links[0].msg = strings.TrimSpace(s[len("what():"):])
		}
		if f, ok := gdbFrame(s); ok {
			if len(t.links) == 0 {
				t.links = append(t.links, link{typ: "backtrace"})
			}
			lib := strings.HasPrefix(f.File, "/usr/") || strings.HasPrefix(f.File, "/lib") || strings.HasPrefix(f.File, "(/") ||
				strings.HasPrefix(f.Function, "__") || strings.HasPrefix(f.Function, "std::") || f.File == ""
			t.links[0].frame(f, lib)
		}
	}
	return t.orNil()
}

func nativeHead(s string) (link, bool) {
	if i := strings.Index(s, "terminate called after throwing an instance of '"); i >= 0 {
		typ, _, _ := strings.Cut(s[i+len("terminate called after throwing an instance of '"):], "'")
		return link{typ: typ}, true
	}
	if i := strings.Index(s, "ERROR: AddressSanitizer: "); i >= 0 {
		typ, msg, _ := strings.Cut(s[i+len("ERROR: AddressSanitizer: "):], " ")
		return link{typ: typ, msg: msg}, true
	}
	if strings.HasPrefix(s, "Segmentation fault") {
		return link{typ: "SIGSEGV", msg: s}, true
	}
	if r, ok := strings.CutPrefix(s, "Program received signal "); ok {
		typ, msg, _ := strings.Cut(r, ", ")
		return link{typ: typ, msg: msg}, true
	}
	return link{}, false
}
