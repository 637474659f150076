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
		Clues: []Clue{
			{Exception: []string{"NullPointerException", "NullReferenceException", "NullPointerError"}, Weight: 1, Why: "the runtime's name for it (JVM, .NET)"},
			{Any: []string{"cannot read properties of null", "cannot read properties of undefined", "cannot read property * of null",
				"cannot read property * of undefined", "cannot set properties of null", "cannot set properties of undefined", "is null or undefined"},
				Weight: 1, Why: "wording of V8 and of Safari/Firefox"},
			{Any: []string{"nil pointer dereference"}, Weight: 1, Why: "Go runtime"},
			{Any: []string{"'nonetype' object has no attribute", "'nonetype' object is not"}, Weight: 1, Why: "CPython"},
			{Any: []string{"undefined method * for nil", "undefined method `* for nil"}, Weight: 1, Why: "Ruby"},
			{Any: []string{"call to a member function * on null", "attempt to read property * on null", "trying to access array offset on value of type null"},
				Weight: 1, Why: "PHP 7 and 8"},
			{Any: []string{"on a `none` value"}, Weight: 1, Why: "Rust: unwrap of None"},
		},
		Confirm: []inquest.Command{
			{Text: "Read the trace of one failing request and look at the value its top frame of our own code uses.",
				Command: "inquest error {request} {folder}", Expect: "the same frame in every failing request"},
		},
		Actions: []inquest.Action{
			{Text: "If a change to the service came right before: roll it back, then look for the cause.", Phase: inquest.PhaseNow, Cures: "cause",
				Command: "kubectl rollout undo deployment/{service}"},
			{Text: "Answer such requests with a meaningful 4xx or a default instead of failing: guard the value where it is read.", Phase: inquest.PhaseLater, Cures: "symptom"},
			{Text: "Find out why the value is missing (data, migration, dependency) and repair that.", Phase: inquest.PhaseLater, Cures: "cause"},
			{Text: "Add a test with the value missing; turn on the compiler's or linter's null checks.", Phase: inquest.PhasePrevent, Cures: "cause"},
		},
		Owner:  "code",
		Status: 500,
	}
}
