package parse_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// A record may have 256 KB, and whoever can make a service log can choose what is in it: no text of that size may
// keep a reader busy. A second of processor time is ten times what the slowest of these takes.
func TestParseTraceIsLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"words": "Aa ", "types": "AError: ", "rails heads": "A::B (", "frames": "\n\tat a.b(C.java:1)", "causes": "\nCaused by: a.B: c", "nested": "a.BException: nested exception is ",
		"python": "\nTraceback (most recent call last):\n  File \"a\", line 1, in b\nAError: x", "groups": "\n  +-+---- 1 ----\n  | Traceback (most recent call last):", "node": "\n[cause]: Error: x\n    at a (b.js:1:2)",
		"go": "\npanic: a\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1", "go parens": "((((", "dotnet": " ---> A.BException: x", "php": "\nNext A: b in c:1\n#0 a(1): b()",
		"monolog": "\n[object] (A(code: 0): b", "ruby": "\na.rb:1:in `b': c (D)", "rust": "\nCaused by:\n    0: a", "elixir": "\n** (A) b", "blank lines": "\nError\n", "capitals": "E_", "quotes": "\"\\",
		"backslashes": "\\A", "colons": "A::", "pool figures": "pool a=1 ",
	} {
		for _, head := range []string{"", "Error: ", "panic: ", "PHP Fatal error:  Uncaught ", "a.rb:1:in `b'\n", "x\n** (A) ", "{\"exception\":\"[object] ("} {
			text := head + strings.Repeat(unit, 256<<10/len(unit))
			from := processorTime(t)
			parse.ParseTrace(text)
			parse.ParsePool(text)
			if d := processorTime(t) - from; d > time.Second {
				t.Errorf("%s after %q: %v", name, head, d)
			}
		}
	}
}

// processorTime is what this process has used: unlike the wall clock it does not depend on the machine's other work.
func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
