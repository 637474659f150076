package mechanism

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// The small constructors below keep an entry readable: what is said, by whom, how much it weighs, and why.

// says is a clue for a text that holds at least one of the phrases.
func says(weight float64, why string, phrases ...string) Clue {
	return Clue{Any: phrases, Weight: weight, Why: why}
}

// thrown is a clue for an exception type, in the exception or anywhere in its cause chain.
func thrown(weight float64, why string, types ...string) Clue {
	return Clue{Exception: types, Weight: weight, Why: why}
}

// coded is a clue for an error code: SQLSTATE, errno name, or "mysql:1040" for a MySQL error number.
func coded(weight float64, why string, codes ...string) Clue {
	return Clue{Code: codes, Weight: weight, Why: why}
}

// and demands every one of the phrases on top of what the clue already demands.
func (c Clue) and(phrases ...string) Clue { c.All = append(c.All, phrases...); return c }

// but excludes texts with one of the phrases: the clue's false friends.
func (c Clue) but(phrases ...string) Clue { c.Not = append(c.Not, phrases...); return c }

// by restricts who may say it.
func (c Clue) by(origins ...Origin) Clue { c.From = origins; return c }

// carrying demands one of the phrases in addition to an exception type or code.
func (c Clue) carrying(phrases ...string) Clue { c.Any = append(c.Any, phrases...); return c }

// rollbackIf begins the advice that depends on a change having come before.
const rollbackIf = "If a change to the service came right before:"

// IsRollback reports whether an action is the advice to roll back if there was a change: a diagnosis that knows what set the
// fault off says it outright, or leaves it out.
func IsRollback(a inquest.Action) bool { return strings.HasPrefix(a.Text, rollbackIf) }

// rollback is the first thing to do when a change came right before: stability goes before analysis.
func rollback() inquest.Action {
	return inquest.Action{Text: rollbackIf + " roll it back first, investigate second.",
		Phase: inquest.PhaseNow, Cures: "cause", Command: "kubectl rollout undo deployment/{service}"}
}

func now(cures, text, command string) inquest.Action {
	return inquest.Action{Text: text, Phase: inquest.PhaseNow, Cures: cures, Command: command}
}

func later(cures, text, command string) inquest.Action {
	return inquest.Action{Text: text, Phase: inquest.PhaseLater, Cures: cures, Command: command}
}

func prevent(text, command string) inquest.Action {
	return inquest.Action{Text: text, Phase: inquest.PhasePrevent, Cures: "cause", Command: command}
}

func check(text, command, expect string) inquest.Command {
	return inquest.Command{Text: text, Command: command, Expect: expect}
}

// ids joins lists of mechanisms.
func ids(lists ...[]inquest.MechanismID) []inquest.MechanismID {
	var out []inquest.MechanismID
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func these(list ...inquest.MechanismID) []inquest.MechanismID { return list }

// fallout lists the exceptions that code throws when something it relied on was not there. They are how almost every
// deeper fault surfaces in an application that did not expect it.
func fallout() []inquest.MechanismID {
	return []inquest.MechanismID{"unhandled-exception/null-dereference", "unhandled-exception/type-error",
		"unhandled-exception/unhandled-rejection", "unhandled-exception/panic", "unhandled-exception/uncaught"}
}

// slowAbove lists what the callers of a slow or choking component report about it.
func slowAbove() []inquest.MechanismID {
	return []inquest.MechanismID{"dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
		"misconfiguration/timeout-too-short"}
}

// failingAbove lists what the callers of a component that answers with errors report about it.
func failingAbove() []inquest.MechanismID {
	return []inquest.MechanismID{"dependency-failure/bad-response", "dependency-failure/upstream-overload", "misconfiguration/error-mapping"}
}

// goneAbove lists what the callers of a component that does not run report about it.
func goneAbove() []inquest.MechanismID {
	return []inquest.MechanismID{"dependency-failure/refused", "dependency-failure/timeout", "dependency-failure/bad-response",
		"dependency-failure/upstream-overload", "dependency-failure/dns"}
}
