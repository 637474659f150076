package mechanism

import "github.com/inquesthq/inquest"

// nullDereference: code used a value that was not there, and nothing caught it.
func nullDereference() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/null-dereference",
		Title: "Null dereference",
		What: "The code read a property of, or called a method on, a value that was null (nil, None, undefined). Nothing caught " +
			"the exception, so the request ended as a 500. The trace shows where it hurt; why the value was missing may lie elsewhere.",
		Signs: []string{
			"500 answers on few routes, quick ones (no waiting), from the first request that carries the unusual value",
			"one exception with one frame of our own code on top, in every failing request",
			"saturation and dependencies as ever",
		},
		Needs:       []string{"an exception of this kind in the requests that failed"},
		Contradicts: []string{"a resource exhausted, a dependency or the database failing at the same time in the same requests: then the missing value is its consequence"},
		Triggers:    []inquest.TriggerKind{"deploy", "flag", inquest.TriggerData, "config", "migration"},
		Roles:       []Role{RoleSelf},
		Explains:    these("unhandled-exception/panic", "unhandled-exception/unhandled-rejection", "unhandled-exception/uncaught"),
		Above:       failingAbove(),
		Clues: []Clue{
			{Exception: []string{"NullPointerException", "NullReferenceException", "NullPointerError"}, Weight: 1, Why: "the runtime's name for it (JVM, .NET)"},
			{Any: []string{"cannot read properties of null", "cannot read properties of undefined", "cannot read property * of null",
				"cannot read property * of undefined", "cannot set properties of null", "cannot set properties of undefined", "is null or undefined"},
				Weight: 1, Why: "wording of V8 and of Safari/Firefox"},
			{Any: []string{"nil pointer dereference", "assignment to entry in nil map"}, Weight: 1, Why: "Go runtime"},
			{Any: []string{"'nonetype' object has no attribute", "'nonetype' object is not", "'nonetype' object does not"}, Weight: 1, Why: "CPython"},
			{Any: []string{"undefined method * for nil", "undefined method `* for nil"}, Weight: 1, Why: "Ruby"},
			{Any: []string{"call to a member function * on null", "attempt to read property * on null", "trying to access array offset on value of type null"},
				Weight: 1, Why: "PHP 7 and 8"},
			{Any: []string{"on a `none` value"}, Weight: 1, Why: "Rust: unwrap of None"},
			says(1, "Elixir and Erlang: nil has no such function or key", "function nil.*/", "key * not found in: nil", "nil is undefined or private"),
			says(1, "the JVM's helpful message, without the type", "because the return value of * is null", "because \"*\" is null"),
			says(1, ".NET's message, without the type", "object reference not set to an instance of an object"),
			says(0.9, "Dart, Swift and Kotlin", "null check operator used on a null value", "unexpectedly found nil while unwrapping", "kotlin.kotlinnullpointerexception"),
			says(0.7, "Python: arithmetic or a call with None", "unsupported operand type(s) for * 'nonetype'", "not supported between instances of * 'nonetype'"),
		},
		Confirm: []inquest.Command{
			{Text: "Read the trace of one failing request and look at the value its top frame of our own code uses.",
				Command: "inquest error {request} {folder}", Expect: "the same frame in every failing request"},
		},
		Actions: []inquest.Action{
			{Text: "If a change to the service came right before: roll it back, then look for the cause.", Phase: inquest.PhaseNow, Cures: "cause",
				Command: "kubectl rollout undo deployment/{service}"},
			later("symptom", "Handle the missing value where it is read.", ""),
			later("symptom", "Answer such requests with a meaningful error (a 4xx if the request is at fault) or a default, never with a bare 500.", ""),
			{Text: "Find out why the value is missing (data, migration, dependency) and repair that.", Phase: inquest.PhaseLater, Cures: "cause"},
			{Text: "Add a test with the value missing; turn on the compiler's or linter's null checks.", Phase: inquest.PhasePrevent, Cures: "cause"},
		},
		Owner:  "code",
		Status: 500,
	}
}
