package mechanism_test

import (
	"slices"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// What must be explained away, and what must not: the sentences an SRE would say.
func TestWhatBringsAboutWhat(t *testing.T) {
	for sentence, c := range map[string]struct {
		deep, shallow inquest.MechanismID
		above         bool
		want          bool
	}{
		"an exhausted pool makes user objects null":                  {"database/pool-exhausted", "unhandled-exception/null-dereference", false, true},
		"an exhausted pool blocks the workers":                       {"database/pool-exhausted", "resource-exhaustion/threads", false, true},
		"an exhausted pool makes callers time out":                   {"database/pool-exhausted", "dependency-failure/timeout", true, true},
		"an exhausted pool does not make its own calls time out":     {"database/pool-exhausted", "dependency-failure/timeout", false, false},
		"a hanging dependency empties the pool":                      {"dependency-failure/timeout", "database/pool-exhausted", false, true},
		"a hanging dependency blocks the workers":                    {"dependency-failure/timeout", "resource-exhaustion/threads", false, true},
		"slow queries empty the pool":                                {"database/slow-query", "database/pool-exhausted", false, true},
		"slow queries burn the CPU":                                  {"database/slow-query", "resource-exhaustion/cpu", false, true},
		"locks make queries slow":                                    {"database/lock-contention", "database/slow-query", false, true},
		"a dead database refuses connections":                        {"database/down", "dependency-failure/refused", false, true},
		"a dead database empties the pool":                           {"database/down", "database/pool-exhausted", false, true},
		"a full disk stops the database":                             {"resource-exhaustion/disk", "database/down", false, true},
		"a full disk turns the database read-only":                   {"resource-exhaustion/disk", "database/read-only", false, true},
		"a memory kill looks like a crash at start":                  {"resource-exhaustion/memory", "bad-deploy/startup-crash", false, true},
		"a memory kill makes the port refuse, seen by callers":       {"resource-exhaustion/memory", "dependency-failure/refused", true, true},
		"used-up descriptors look like DNS trouble":                  {"resource-exhaustion/file-descriptors", "dependency-failure/dns", false, true},
		"used-up descriptors look like missing files":                {"resource-exhaustion/file-descriptors", "misconfiguration/wrong-path", false, true},
		"a wrong upstream is refused":                                {"misconfiguration/wrong-upstream", "dependency-failure/refused", false, true},
		"a missing setting crashes the start":                        {"misconfiguration/missing-env", "bad-deploy/startup-crash", false, true},
		"a schema that does not fit is a query error":                {"bad-deploy/schema-mismatch", "database/query-error", false, true},
		"a crash at start makes the port refuse, seen by callers":    {"bad-deploy/startup-crash", "dependency-failure/refused", true, true},
		"a null dereference does not empty the pool":                 {"unhandled-exception/null-dereference", "database/pool-exhausted", false, false},
		"a regression explains no specific mechanism away":           {"bad-deploy/regression", "unhandled-exception/null-dereference", false, false},
		"a refused dependency does not kill the database":            {"dependency-failure/refused", "database/down", true, false},
		"a status mapped wrongly explains nothing":                   {"misconfiguration/error-mapping", "unhandled-exception/uncaught", true, false},
		"an uncaught exception of a callee is a bad answer above it": {"unhandled-exception/uncaught", "dependency-failure/bad-response", true, true},
	} {
		m, ok := mechanism.ByID(c.deep)
		if !ok {
			t.Fatalf("%s: no entry %s", sentence, c.deep)
		}
		if got := m.Brings(c.shallow, c.above); got != c.want {
			t.Errorf("%s: got %v", sentence, got)
		}
	}
}

// Whatever fails below the code surfaces in code that did not expect it.
func TestEveryDeepFaultExplainsExceptions(t *testing.T) {
	for _, m := range mechanism.All() {
		switch m.ID.Class() {
		case inquest.ClassException, inquest.ClassDeploy:
			continue
		}
		if m.ID == "misconfiguration/error-mapping" || m.ID == "resource-exhaustion/cpu" || m.ID == "resource-exhaustion/ports" {
			continue // they change statuses and times, or surface as a failed connection that itself explains the exception
		}
		if !slices.Contains(m.Explains, "unhandled-exception/null-dereference") {
			t.Errorf("%s does not explain a null dereference", m.ID)
		}
	}
}
