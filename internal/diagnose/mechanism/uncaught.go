package mechanism

import "github.com/inquesthq/inquest"

// uncaught: an exception of the application's own that no more specific entry describes.
func uncaught() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/uncaught",
		Title: "Uncaught exception",
		What: "The application threw an exception of its own (a missing key, an index out of range, a failed assertion, a division by zero, an illegal state) " +
			"and nothing caught it, so the framework answered 500. No more specific entry of the catalogue describes it.",
		Signs: []string{
			"quick 500 answers on the routes that run this code",
			"a new exception pattern from the first failing request on, the same frame on top",
		},
		Needs:       []string{"a new or surging exception in the requests that failed"},
		Contradicts: []string{"the same exception at the same rate before the onset", "a resource, a dependency or the database failing at the same time"},
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"deploy", inquest.TriggerData, "flag", "config", "migration", inquest.TriggerClient},
		Roles:       []Role{RoleSelf},
		Clues: []Clue{
			thrown(0.6, "arithmetic, index, key, state: the application's own slips", "ArithmeticException", "IndexOutOfBoundsException", "ArrayIndexOutOfBoundsException", "StringIndexOutOfBoundsException",
				"IllegalStateException", "IllegalArgumentException", "NoSuchElementException", "UnsupportedOperationException", "ConcurrentModificationException", "ArgumentException", "ArgumentNullException",
				"ArgumentOutOfRangeException", "InvalidOperationException", "KeyNotFoundException", "IndexOutOfRangeException", "DivideByZeroException", "NotImplementedException",
				"KeyError", "IndexError", "ValueError", "AttributeError", "ZeroDivisionError", "AssertionError", "NotImplementedError", "RuntimeError", "UnboundLocalError", "NameError",
				"ReferenceError", "RangeError", "ArgumentError", "FrozenError", "DivisionByZeroError", "LogicException", "MatchError", "FunctionClauseError", "CaseClauseError"),
			says(0.5, "frameworks' words for an exception that nobody caught", "uncaught exception", "unhandled exception", "an unhandled exception has occurred while executing the request", "uncaughtexception",
				"exception in thread \"", "php fatal error: uncaught", "internal server error: /", "exception on /", "error handling request /", "servlet.service() for servlet",
				"traceback (most recent call last)").but("uncaught exceptions: 0", "handler registered", "handler installed"),
			says(0.6, "V8, PHP and Ruby: a name that does not exist", "referenceerror: * is not defined", "name '*' is not defined", "undefined variable", "undefined array key", "undefined index:", "undefined local variable or method", "uninitialized constant").
				but("environment variable", "env var"),
		},
		Confirm: []inquest.Command{
			check("Read the trace of one failing request.", "inquest error {request} {folder}", "the same exception and frame in every failing request, and none before the onset"),
			check("Search the message verbatim in the source.", "git grep -n -F -e '{message}'", "the line that throws, and whether anything handles it"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Handle the case where it arises.", ""),
			later("symptom", "Answer it with a meaningful error (4xx if the request is at fault) and an error id.", ""),
			later("cause", "Repair what brought the code into that state.", ""),
			prevent("Add a test that reproduces it; keep one handler at the top that logs the trace once and raises an alert.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
