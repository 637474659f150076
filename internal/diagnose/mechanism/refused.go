package mechanism

import "github.com/inquesthq/inquest"

// refused: nothing listens where the dependency should be.
func refused() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/refused",
		Title: "Dependency refuses connections",
		What: "The host of a dependency answers, but nothing listens on the port: the process is down, is restarting, or moved. Callers " +
			"get the refusal at once, so failures are fast.",
		Signs: []string{
			"quick 5xx on the routes that need the dependency",
			"ECONNREFUSED / connection refused with the dependency's address in the caller's log",
		},
		Needs:       []string{"a refused connection to a dependency in the requests that failed"},
		Contradicts: []string{"the dependency answering other callers at the same address and port", "the caller's address or port having just been changed (then it is configuration)"},
		Explains: []inquest.MechanismID{"unhandled-exception/null-dereference", "unhandled-exception/type-error", "unhandled-exception/unhandled-rejection",
			"unhandled-exception/panic", "misconfiguration/error-mapping"},
		Triggers: []inquest.TriggerKind{inquest.TriggerExternal, "restart", "infra", "deploy", "config"},
		Roles:    []Role{RolePeer},
		Clues: []Clue{
			{Any: []string{"econnrefused", "connection refused", "connectionrefusederror", "actively refused it"}, From: []Origin{OriginApp}, Weight: 1,
				Why: "errno ECONNREFUSED in any runtime's words, told by the caller"},
			{Any: []string{"connection refused"}, From: []Origin{OriginProxy}, Weight: 0.7,
				Why: "a proxy's upstream refuses: the upstream is down, or the proxy looks in the wrong place"},
		},
		Supports: []Support{{Symptom: inquest.SymptomUpstream, Detail: "refused", Weight: 0.7, Why: "the proxy measured the refusal"}},
		Confirm: []inquest.Command{
			{Text: "Try the port from the caller's host.", Command: "nc -vz -w 3 {host} {port}", Expect: "refused at once (a time-out instead would mean network or firewall)"},
			{Text: "Is the process there?", Command: "kubectl get pods -l app={service} -o wide", Expect: "not running, or restarting"},
		},
		Actions: []inquest.Action{
			{Text: "Start the dependency, or contact its provider; take it out of rotation if a replica is left.", Phase: inquest.PhaseNow, Cures: "cause"},
			{Text: "Fail fast: open a breaker and answer 503 with Retry-After, queue what can wait.", Phase: inquest.PhaseNow, Cures: "symptom"},
			{Text: "Put a circuit breaker and a time-out (connect 3 s, response 5 s) around this dependency.", Phase: inquest.PhasePrevent, Cures: "symptom"},
		},
		Owner:  "dependency",
		Status: 503,
	}
}
