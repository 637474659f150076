package mechanism

import "github.com/inquesthq/inquest"

// typeError: code got a value of a kind it did not expect.
func typeError() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/type-error",
		Title: "Type error",
		What: "The code treated a value as something it is not: called what is no function, cast to the wrong class, added text to a number. " +
			"Nothing caught the exception, so the request ended as a 500. Mostly the shape of data changed: another version of a caller, a library or a record.",
		Signs: []string{
			"quick 500 answers on the routes that run this code",
			"one exception type with the same frame of our own code on top",
			"saturation and dependencies as ever",
		},
		Needs:       []string{"an exception of this kind in the requests that failed"},
		Contradicts: []string{"a dependency that answers garbage or a schema that changed at the same time: then the wrong type is its consequence"},
		Explains:    these("unhandled-exception/unhandled-rejection", "unhandled-exception/panic", "unhandled-exception/uncaught"),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"deploy", inquest.TriggerData, "flag", "config", "migration", inquest.TriggerClient},
		Roles:       []Role{RoleSelf},
		Clues:       typeErrorClues(),
		Confirm: []inquest.Command{
			check("Read the trace of one failing request and look at the value that its top frame of our own code got.",
				"inquest error {request} {folder}", "the same frame in every failing request"),
			check("Which change touched that line last?", "git log -n 5 --format='%h %ad %s' --date=iso -- {path}", "a change right before the onset"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Handle the unexpected value where it comes in: check the shape of requests and records at the edge.", ""),
			later("symptom", "Answer such requests with a meaningful error (400 or 422 if the request is at fault), never with a bare 500.", ""),
			later("cause", "Repair what produces the wrong type: the data, the caller, or the code that reads it.", ""),
			prevent("Add a test with this value; let a type checker or schema check run in CI.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}

func typeErrorClues() []Clue {
	return []Clue{
		says(1, "V8, Safari and Firefox: called or iterated what cannot be", "is not a function", "is not iterable", "is not a constructor", "undefined is not an object",
			"cannot convert undefined or null to object", "assignment to constant variable", "cannot mix bigint and other types"),
		thrown(1, "JVM and .NET: cast to the wrong class", "ClassCastException", "InvalidCastException", "ArrayStoreException"),
		says(1, "JVM's and .NET's wording without the type", "cannot be cast to class", "unable to cast object of type"),
		says(1, "Go: type assertion on another type", "interface conversion:"),
		says(1, "CPython: operation on the wrong type", "unsupported operand type(s) for", "can only concatenate str", "must be str, not", "object is not subscriptable",
			"object is not callable", "object is not iterable", "indices must be integers", "not json serializable", "unhashable type:", "got an unexpected keyword argument",
			"missing * required positional argument", "takes * positional argument").but("'nonetype' object"),
		says(1, "Ruby: implicit conversion or wrong number of arguments", "no implicit conversion of", "can't be coerced into", "wrong number of arguments (given"),
		says(1, "PHP 7 and 8", "unsupported operand types:", "must be of type * given", "too few arguments to function", "cannot access offset of type", "array to string conversion"),
		says(0.9, "Elixir", "no function clause matching in", "(badarithmeticerror)", "(badmatch)", "no match of right hand side value"),
		thrown(0.7, "the runtime's name for it (JavaScript, Python, PHP, Ruby); null dereferences carry it too", "TypeError").
			but("of null", "of undefined", "'nonetype'", "on null", "fetch failed", "failed to fetch", "networkerror", "invalid url", "terminated"),
		says(0.5, "Python and Ruby: an object of another kind than expected", "object has no attribute", "undefined method").but("'nonetype'", "for nil", "nil:nilclass"),
	}
}
