package mechanism

import "github.com/inquesthq/inquest"

// panicked: the runtime stopped the goroutine, thread or process.
func panicked() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/panic",
		Title: "Panic",
		What: "The program ran into something its language treats as a broken promise: an index out of range, a failed assertion, concurrent writes to a map, " +
			"a stack overflow. Where a framework recovers it, one request ends as a 500; where nothing does, the whole process dies and takes all its requests along.",
		Signs: []string{
			"500 answers on few routes; or, if the process dies, a burst of 502 over all routes and a restart",
			"`panic:` or `fatal error:` with a stack in the log, as the last lines before a restart",
		},
		Needs:       []string{"a panic in the requests that failed, or right before a restart"},
		Contradicts: []string{"a null dereference or a failed dependency as the panic's own reason: then that is the cause"},
		Explains:    these("unhandled-exception/uncaught"),
		Above:       ids(goneAbove(), these("misconfiguration/error-mapping")),
		Triggers:    []inquest.TriggerKind{"deploy", inquest.TriggerData, "flag", inquest.TriggerTraffic, "config"},
		Roles:       []Role{RoleSelf},
		Clues: []Clue{
			says(1, "Go runtime", "panic: runtime error:", "runtime error: index out of range", "runtime error: slice bounds out of range", "runtime error: integer divide by zero",
				"fatal error: concurrent map", "fatal error: all goroutines are asleep", "close of closed channel", "send on closed channel", "http: panic serving").but("nil pointer", "nil map"),
			says(0.7, "Go: the log of a recovering middleware or of a nil dereference", "panic recovered:", "panic serving", "recovered from panic", "runtime error:", "[recovery]").but("nil pointer", "nil map"),
			says(1, "Rust", "thread '* panicked at", "called `result::unwrap()` on an `err` value", "attempt to subtract with overflow", "already borrowed: borrowmuterror").but("on a `none` value"),
			says(0.8, "a native crash: segmentation fault, abort, failed assertion in C or C++", "segmentation fault", "sigsegv", "segfault at", "assertion failed:", "assertion `* failed", "terminate called after throwing",
				"double free or corruption", "core dumped", "sigabrt", "a fatal error has been detected by the java runtime environment", "std::bad_variant_access"),
			says(1, "stack used up by endless recursion", "maximum call stack size exceeded", "stack level too deep", "maximum recursion depth exceeded", "stack overflow", "goroutine stack exceeds"),
			thrown(1, "stack used up by endless recursion (JVM, .NET, Python, Ruby)", "StackOverflowError", "StackOverflowException", "RecursionError", "SystemStackError"),
			says(0.5, "a line that begins with the word", "panic: ").but("nil pointer", "nil map", "kernel panic", "not syncing"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomRestart, Detail: "crash", Weight: 0.3, Why: "a panic that nothing recovers ends the process"},
		},
		Confirm: []inquest.Command{
			check("Read the last words of the process before it restarted.", "kubectl logs deployment/{service} --previous --tail=100", "`panic:` or `fatal error:` and a stack"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Recover at the top of each request, log the stack once, and keep the process up.", ""),
			later("symptom", "Answer 500 with an error id instead of a broken connection.", ""),
			later("cause", "Repair the promise that was broken: check the index, guard the map, end the recursion.", ""),
			prevent("Run the tests with the race detector; fuzz what reads input.", "go test -race ./..."),
		},
		Owner:  "code",
		Status: 500,
	}
}
