package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// rustTrace reads a panic with or without its backtrace; anyhow's "Caused by:" list adds the chain.
func rustTrace(lines []string) *trace {
	t := &trace{lang: "rust"}
	for i, line := range lines {
		j := strings.Index(line, " panicked at ")
		if j < 0 {
			continue
		}
		s := strings.TrimSpace(line[j+len(" panicked at "):])
		l := link{typ: "panic"}
		if strings.HasPrefix(s, "'") { // before Rust 1.73: 'message', src/main.rs:2:5
			msg, place, _ := cutLast(s[1:], "', ")
			l.msg = msg
			t.thrown, _ = nodePlace(place)
		} else {
			t.thrown, _ = nodePlace(strings.TrimSuffix(s, ":"))
			for _, more := range lines[i+1:] {
				if strings.HasPrefix(more, "note: ") || strings.HasPrefix(more, "stack backtrace:") || len(l.msg) > maxTraceMessage {
					break
				}
				l.msg += "\n" + more
			}
		}
		rustFrames(&l, lines[i+1:])
		if l.frames == 0 && !t.thrown.IsZero() {
			l.frame(t.thrown, rustLibrary(t.thrown))
		}
		t.links = append(t.links, l)
		break
	}
	if len(t.links) == 0 {
		return nil
	}
	rustCauses(t, lines)
	return t
}

// rustFrames reads "   4: app::handler" followed by "             at ./src/main.rs:12:5"; the frames of the panic
// machinery come first and are skipped.
func rustFrames(l *link, lines []string) {
	for i, line := range lines {
		num, fn, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if _, err := strconv.Atoi(num); !ok || err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(fn, " - "); ok && strings.HasPrefix(fn, "0x") {
			fn = rest
		}
		f := inquest.Frame{Function: fn}
		if i+1 < len(lines) {
			if place, ok := strings.CutPrefix(strings.TrimSpace(lines[i+1]), "at "); ok {
				p, _ := nodePlace(place)
				f.File, f.Line = p.File, p.Line
			}
		}
		if rustMachinery(fn) && l.frames == 0 {
			continue
		}
		l.frame(f, rustLibrary(f))
	}
}

func rustMachinery(fn string) bool {
	for _, p := range [...]string{"rust_begin_unwind", "core::panicking", "std::panicking", "std::backtrace", "core::option::unwrap_failed",
		"core::result::unwrap_failed", "core::option::expect_failed", "core::option::Option", "core::result::Result", "<std::", "std::sys", "backtrace::"} {
		if strings.HasPrefix(fn, p) {
			return true
		}
	}
	return false
}

func rustLibrary(f inquest.Frame) bool {
	if strings.Contains(f.File, "/rustc/") || strings.Contains(f.File, ".cargo/registry") || strings.Contains(f.File, "/vendor/") {
		return true
	}
	for _, p := range [...]string{"std::", "core::", "alloc::", "rust_", "<core::", "<std::", "<alloc::", "tokio::", "<tokio::", "hyper::",
		"<hyper::", "axum::", "<axum::", "actix", "<actix", "tower::", "<tower::", "futures", "<futures", "__rust", "_start", "__libc", "main\x00"} {
		if strings.HasPrefix(f.Function, p) {
			return true
		}
	}
	return false
}

// rustCauses reads the list that anyhow and eyre print: "Caused by:" then "    0: text" lines, or one indented line.
func rustCauses(t *trace, lines []string) {
	for i, line := range lines {
		if strings.TrimSpace(line) != "Caused by:" {
			continue
		}
		for _, s := range lines[i+1:] {
			if s == strings.TrimLeft(s, " \t") || len(t.links) >= maxChain {
				return
			}
			s = strings.TrimSpace(s)
			if num, rest, ok := strings.Cut(s, ": "); ok {
				if _, err := strconv.Atoi(num); err == nil {
					s = rest
				}
			}
			t.links = append(t.links, link{typ: "error", msg: s})
		}
		return
	}
}

// anyhowTrace reads an error report of main: "Error: text", a blank line, "Caused by:".
func anyhowTrace(lines []string) *trace {
	for i, line := range lines {
		if strings.TrimSpace(line) != "Caused by:" {
			continue
		}
		for j := i - 1; j >= 0; j-- {
			s := strings.TrimSpace(lines[j])
			if s == "" {
				continue
			}
			if k := strings.Index(s, "Error: "); k >= 0 {
				s = s[k+len("Error: "):]
			}
			t := &trace{lang: "rust", links: []link{{typ: "error", msg: s}}}
			rustCauses(t, lines)
			return t
		}
	}
	return nil
}
