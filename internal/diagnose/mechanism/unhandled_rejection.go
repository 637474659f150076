package mechanism

import "github.com/inquesthq/inquest"

// unhandledRejection: an asynchronous failure that nobody awaited.
func unhandledRejection() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/unhandled-rejection",
		Title: "Unhandled rejection",
		What: "Something asynchronous (a promise, future, task or event) failed, and nobody was there to catch it. The request hangs until its time-out or " +
			"ends as a 500; since Node 15 the whole process exits and takes every other request along.",
		Signs: []string{
			"requests that hang, or 502 over all routes in short bursts with a restart after each",
			"`UnhandledPromiseRejection`, `Uncaught (in promise)`, `Unhandled 'error' event`, `exception was never retrieved`",
		},
		Needs:       []string{"the runtime's own report of an unhandled rejection, close to the failing requests"},
		Contradicts: []string{"the rejection's reason being a failed dependency, database or full resource: then that is the cause"},
		Explains:    these("unhandled-exception/panic", "unhandled-exception/uncaught"),
		Above:       goneAbove(),
		Triggers:    []inquest.TriggerKind{"deploy", inquest.TriggerExternal, inquest.TriggerData, "flag", "restart"},
		Roles:       []Role{RoleSelf},
		Clues: []Clue{
			says(1, "Node.js and browsers", "triggeruncaughtexception(err, true", "unhandledpromiserejection", "unhandled promise rejection", "uncaught (in promise)", "err_unhandled_rejection", "unhandledrejection",
				"unhandled 'error' event", "this error originated either by throwing inside of an async function without a catch block"),
			says(1, "asyncio of Python", "task exception was never retrieved", "future exception was never retrieved", "unhandled exception in event loop", "was never awaited"),
			says(1, ".NET: nobody observed the task", "unobservedtaskexception", "a task's exception(s) were not observed"),
			says(0.9, "Java, Kotlin, Scala, RxJava, Reactor", "undeliverableexception", "onerrornotimplementedexception", "onerrordropped", "operator called default onerrordropped", "exception in thread \"default-dispatcher",
				"unhandled exception in coroutine"),
			says(0.5, "Rust: the task died, its handle was joined", "task * panicked", "joinerror::panic"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomRestart, Detail: "crash", Weight: 0.3, Why: "Node exits on an unhandled rejection since version 15"},
		},
		Confirm: []inquest.Command{
			check("Read the last words of the process before it restarted.", "kubectl logs deployment/{service} --previous --tail=100", "the runtime's report and the rejection's reason"),
			check("Make Node say where the promise was made.", "NODE_OPTIONS='--trace-warnings --unhandled-rejections=strict' node server.js", "a stack that begins in our own code"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Await or catch it: hand the failure of every asynchronous handler to the framework's error handler.", ""),
			later("symptom", "Answer with a meaningful error and an error id instead of letting the request hang.", ""),
			later("cause", "Repair why it failed.", ""),
			prevent("Turn on the linter's rule against floating promises (no-floating-promises).", "npx eslint --rule '{\"@typescript-eslint/no-floating-promises\": \"error\"}' src"),
		},
		Owner:  "code",
		Status: 500,
	}
}
