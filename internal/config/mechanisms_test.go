package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

const example = "../../docs/examples/mechanism.yaml"

// whole is a file with one mechanism that has every part it needs.
const whole = `mechanisms:
  - id: dependency-failure/licence-server
    title: Licence server out of reach
    what: No licence, no work.
    signs: [it says so]
    needs: [a line that says so]
    contradicts: [others with the same licence work]
    triggers: [external]
    roles: [peer]
    clues:
      - any: [licence server unreachable]
        weight: 1
        why: it says so
    confirm:
      - text: Is it up?
        command: curl -s https://{host}/
        expect: an answer
    actions:
      - {text: Extend the licence., phase: now, cures: cause}
      - {text: Alert before it ends., phase: prevent, cures: cause}
    owner: dependency
    status: 503
`

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// edit replaces one piece of whole, which must be there once.
func edit(t *testing.T, old, new string) string {
	t.Helper()
	if strings.Count(whole, old) != 1 {
		t.Fatalf("%q is in the file %d times", old, strings.Count(whole, old))
	}
	return strings.Replace(whole, old, new, 1)
}

func TestTheExampleIsReadWhole(t *testing.T) {
	got, err := config.LoadMechanisms(example)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("%d mechanisms", len(got))
	}
	m := got[0]
	if strings.Contains(m.What, "\n") || !strings.HasPrefix(m.What, "Tokens are signed with keys that the identity provider publishes and changes now and then. A service") {
		t.Errorf("What = %q", m.What)
	}
	m.What = "..."
	want := mechanism.Mechanism{
		ID: "dependency-failure/signing-keys", Title: "Signing keys of the identity provider not known", What: "...",
		Signs: []string{"500 or 401 on every route that asks for a signed-in user, while routes without sign-in work", "the log names a key id that was never seen before"},
		Needs: []string{"lines that say that a signing key was not found, from the time of the failures on"},
		Contradicts: []string{"only single users fail (then their tokens are old or forged)",
			"routes without sign-in fail as well"},
		Explains: []inquest.MechanismID{"unhandled-exception/uncaught", "unhandled-exception/null-dereference", "misconfiguration/error-mapping"},
		Above:    []inquest.MechanismID{"dependency-failure/bad-response"},
		Triggers: []inquest.TriggerKind{"external", "config", "deploy"},
		Roles:    []mechanism.Role{mechanism.RolePeer, mechanism.RoleSelf},
		Clues: []mechanism.Clue{
			{Any: []string{"unable to find a signing key that matches", "no matching key found in jwks", "signing key * not found"}, Weight: 1,
				Why: "libraries for JSON Web Tokens say it in these words when the set of keys lacks the one that the token names"},
			{Exception: []string{"SigningKeyNotFoundError", "SigningKeyNotFoundException"}, Weight: 1, Why: "the same, as the type of the exception (node-jwks-rsa, jwks-rsa-java)"},
			{Any: []string{"jwks", "openid-configuration"}, All: []string{"timed out"}, Not: []string{"retrying"}, From: []mechanism.Origin{mechanism.OriginApp}, Weight: 0.7,
				Why: "the keys could not be fetched; a line that says it tries again need not be a failure"},
		},
		Supports: []mechanism.Support{{Symptom: inquest.SymptomUpstream, Detail: "status", Weight: 0.2, Why: "the proxy sees the service answer with errors, as with many other faults"}},
		Confirm: []inquest.Command{{Text: "Which keys does the provider publish now?", Command: "curl -s https://{host}/.well-known/jwks.json",
			Expect: "the key id of the log line is in the list, so the provider is right and the service's copy is old"}},
		Actions: []inquest.Action{
			{Text: "Restart the instances that hold old keys, one after the other.", Phase: inquest.PhaseNow, Cures: "symptom", Command: "kubectl rollout restart deployment/{service}"},
			{Text: "Fetch the keys again when a token names an unknown one, at most once a minute.", Phase: inquest.PhaseLater, Cures: "cause"},
			{Text: "Change keys with an overlap of at least a day; alert on tokens refused for an unknown key.", Phase: inquest.PhasePrevent, Cures: "cause"},
		},
		Owner: "dependency", Status: 503,
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
}

// Each mistake is told with its line, its key and what to do about it.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // each complaint, after "own.yaml:"
	}{
		"a key with a typing error": {edit(t, "    title:", "    titel:"), []string{`3: titel: unknown key in a mechanism; did you mean title?`, `2: title: missing in a mechanism; write a short noun phrase`}},
		"a key nobody knows, deeper down": {edit(t, "weight: 1\n", "weight: 1\n        regex: a+\n"),
			[]string{`13: regex: unknown key in a clue; known: any, all, not, exception, code, from, weight, why`}},
		"an unknown key at the top":         {"mechanism: []\n", []string{`1: mechanism: unknown key in the file; did you mean mechanisms?`, `1: mechanisms: missing in the file`}},
		"a key given twice":                 {edit(t, "    owner: dependency\n", "    owner: dependency\n    owner: code\n"), []string{`22: owner: it is already given in line 21; keep one of the two`}},
		"no id":                             {edit(t, "id: dependency-failure/licence-server\n    ", ""), []string{`2: id: missing in a mechanism; write class/name, for example`}},
		"an id without a class":             {edit(t, "dependency-failure/licence-server", "licence-server"), []string{`2: id: "licence-server" is no id; write class/name`}},
		"an id of a class that is not":      {edit(t, "dependency-failure/licence-server", "dependency-failures/licence-server"), []string{`2: id: there is no class "dependency-failures"; did you mean dependency-failure?`}},
		"the id of a shipped one":           {edit(t, "dependency-failure/licence-server", "dependency-failure/dns"), []string{`2: id: dependency-failure/dns is shipped with Inquest; rename yours, or write "replace: true"`}},
		"replacing what is not there":       {edit(t, "    status: 503", "    status: 503\n    replace: true"), []string{`2: replace: there is no shipped dependency-failure/licence-server to replace`}},
		"replace is no truth value":         {edit(t, "    status: 503", "    status: 503\n    replace: maybe"), []string{`23: replace: the text "maybe" is neither true nor false`}},
		"an id used twice":                  {whole + strings.TrimPrefix(whole, "mechanisms:\n"), []string{`23: id: dependency-failure/licence-server is already in`}},
		"a trigger nobody knows":            {edit(t, "[external]", "[external, deployment]"), []string{`8: triggers: "deployment" means nothing here; did you mean deploy?`}},
		"a role nobody knows":               {edit(t, "[peer]", "[pear]"), []string{`9: roles: "pear" means nothing here; did you mean peer? (known: self, peer, database, gateway)`}},
		"an origin nobody knows":            {edit(t, "weight: 1\n", "weight: 1\n        from: [postgres]\n"), []string{`13: from: "postgres" means nothing here; known: app, proxy, database, cache, broker, kernel, supervisor`}},
		"an owner nobody knows":             {edit(t, "owner: dependency", "owner: marketing"), []string{`21: owner: "marketing" means nothing here; known: code, configuration`}},
		"a status that is no answer":        {edit(t, "status: 503", "status: 404"), []string{`22: status: the text "404" is not the answer of a well-behaved service that fails; write 429, or 500 to 504`}},
		"a weight in percent":               {edit(t, "weight: 1\n", "weight: 90%\n"), []string{`12: weight: the text "90%" is no weight; write a number above 0 and at most 1`}},
		"a weight above one":                {edit(t, "weight: 1\n", "weight: 1.5\n"), []string{`12: weight: the text "1.5" is no weight`}},
		"a weight that is no number":        {edit(t, "weight: 1\n", "weight: .nan\n"), []string{`12: weight: the text ".nan" is no weight`}},
		"a clue without a reason":           {edit(t, "        why: it says so\n", ""), []string{`11: why: missing in a clue; write the reason`}},
		"a clue that asks for nothing":      {edit(t, "any: [licence", "not: [licence"), []string{`11: clues: the clue asks for nothing; give it at least one of any, all, exception and code`}},
		"a phrase too short to be found":    {edit(t, "[licence server unreachable]", "[licence server, \"no*ok\"]"), []string{`11: any: the phrase "no*ok" needs a literal of 4 characters`}},
		"an exception name too short":       {edit(t, "any: [licence server unreachable]", "exception: [Err]"), []string{`11: exception: the exception name "Err" is too short`}},
		"an empty phrase":                   {edit(t, "[licence server unreachable]", "[licence server, \"\"]"), []string{`11: any: the text is empty`}},
		"an empty list":                     {edit(t, "signs: [it says so]", "signs: []"), []string{`5: signs: the list is empty; write "- a sentence" below it`}},
		"a text where a list of keys is":    {edit(t, "clues:\n      - any: [licence server unreachable]\n        weight: 1\n        why: it says so\n", "clues: [unreachable]\n"), []string{`10: a clue: the text "unreachable" where keys are expected; write "any: ..."`}},
		"a list where a text is":            {edit(t, "title: Licence server out of reach", "title: [Licence, server]"), []string{`3: title: a list where a text is expected`}},
		"a mapping where a list is":         {edit(t, "[it says so]", "{it: says}"), []string{`5: signs: a mapping where a list is expected`}},
		"nothing where a text is":           {edit(t, "title: Licence server out of reach", "title:"), []string{`3: title: nothing where a text is expected`}},
		"neither clues nor supports":        {edit(t, "clues:\n      - any: [licence server unreachable]\n        weight: 1\n        why: it says so\n    ", ""), []string{`2: dependency-failure/licence-server: neither Clues nor Supports`}},
		"nothing to do now":                 {edit(t, "phase: now", "phase: prevent"), []string{`2: dependency-failure/licence-server: Actions need something to do now`}},
		"actions out of order":              {edit(t, "phase: prevent, cures: cause}\n", "phase: prevent, cures: cause}\n      - {text: Call them., phase: later, cures: cause}\n"), []string{`21: text: the action "Call them." comes too late: now before later before prevent`}},
		"an action that cures nothing":      {edit(t, "phase: now, cures: cause", "phase: now, cures: everything"), []string{`19: cures: "everything" means nothing here; known: cause, symptom`}},
		"a confirm without a command":       {edit(t, "        command: curl -s https://{host}/\n", ""), []string{`15: command: missing in a confirm; write a command that only reads`}},
		"a command of two lines":            {edit(t, "command: curl -s https://{host}/", "command: |\n          cd /\n          ls"), []string{`16: command: it has several lines`}},
		"a placeholder with a typing error": {edit(t, "{host}", "{hots}s {hosts}"), []string{`16: command: nothing is filled in for {hosts}; did you mean {host}?`}},
		"it explains what is not there":     {edit(t, "    triggers:", "    explains: [database/pool-exhaust]\n    triggers:"), []string{`8: explains: there is no mechanism "database/pool-exhaust"; did you mean database/pool-exhausted?`}},
		"it explains by name only":          {edit(t, "    triggers:", "    above: [pool-exhausted]\n    triggers:"), []string{`8: above: there is no mechanism "pool-exhausted"; did you mean database/pool-exhausted?`}},
		"it explains itself":                {edit(t, "    triggers:", "    explains: [dependency-failure/licence-server]\n    triggers:"), []string{`2: dependency-failure/licence-server: it explains dependency-failure/licence-server twice, or itself`, `2: dependency-failure/licence-server: mechanisms explain each other in a circle`}},
		"a saturation of nothing":           {edit(t, "    confirm:", "    supports:\n      - {symptom: saturation, weight: 0.5, why: so}\n    confirm:"), []string{`15: resource: missing for a saturation; write one of pool, threads`}},
		"a resource that is not measured":   {edit(t, "    confirm:", "    supports:\n      - {symptom: saturation, resource: licences, weight: 0.5, why: so}\n    confirm:"), []string{`15: resource: "licences" means nothing here`, `...`}},
		"a resource without saturation":     {edit(t, "    confirm:", "    supports:\n      - {symptom: slow, resource: cpu, weight: 0.5, why: so}\n    confirm:"), []string{`15: resource: only a saturation has one`}},
		"a detail that never comes":         {edit(t, "    confirm:", "    supports:\n      - {symptom: upstream, detail: refusal, weight: 0.5, why: so}\n    confirm:"), []string{`15: detail: "refusal" is no detail of upstream; did you mean refused?`}},
		"silent without a measurement":      {edit(t, "    status: 503", "    status: 503\n    silent: true"), []string{`2: dependency-failure/licence-server: Silent without Supports`}},
		"an escape sequence in a title":     {edit(t, "title: Licence server out of reach", `title: "a \e[2J b"`), []string{`3: title: the text holds a character that cannot be shown; take it out: "a ?[2J b"`}},
		"a text that turns the direction":   {edit(t, "title: Licence server out of reach", `title: "a \u202e b"`), []string{`3: title: the text holds a character that cannot be shown`}},
		"a text without end":                {edit(t, "No licence, no work.", strings.Repeat("long ", 1000)), []string{`4: what: the text has 4999 bytes, at most 4000; shorten it`}},
		"an alias in place of a list":       {strings.Replace(edit(t, "signs: [it says so]", "signs: &s [it says so]"), "[a line that says so]", "*s", 1), []string{`6: needs: an alias (*s), which is not followed, where a list is expected`}},
		"a tab to indent":                   {edit(t, "    title:", "\ttitle:"), []string{`: not YAML: `}},
		"a bracket left open":               {edit(t, "[external]", "[external"), []string{`: not YAML: `}},
		"a file that is empty":              {"# nothing yet\n---\n", []string{`1: mechanisms: the file is empty; write "mechanisms:"`}},
		"a file that is something else":     {"just text\n", []string{`1: the file: the text "just text" where keys are expected; write "mechanisms: ..."`}},
		"a list at the top":                 {strings.TrimPrefix(whole, "mechanisms:\n"), []string{`1: the file: a list where keys are expected`}},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, c.text)
			_, err := config.LoadMechanisms(path)
			if err == nil {
				t.Fatal("it was read without a complaint")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) && c.want[len(c.want)-1] != "..." {
				t.Errorf("%d complaints, want %d", len(got), len(c.want))
			}
			for i, want := range c.want {
				if want == "..." {
					continue
				}
				if !slices.ContainsFunc(got, func(g string) bool {
					rest, ours := strings.CutPrefix(g, path+":")
					return ours && (strings.HasPrefix(rest, want) || strings.HasPrefix(want, ":") && strings.Contains(rest, want))
				}) {
					t.Errorf("complaint %d: want %q in\n%s", i, want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	a := file(t, edit(t, "owner: dependency", "owner: nobody"))
	b := file(t, strings.Replace(edit(t, "status: 503", "status: 200"), "[peer]", "[nobody]", 1))
	_, err := config.LoadMechanisms(a, b)
	if err == nil {
		t.Fatal("no complaint")
	}
	var got []string
	for _, l := range strings.Split(err.Error(), "\n") {
		got = append(got, l[:strings.Index(l, ": ")])
	}
	if d := cmp.Diff([]string{a + ":21", b + ":9", b + ":22", b + ":2"}, got); d != "" {
		t.Errorf("%s\n%v", d, err)
	}
}

func TestWhatCanBeWritten(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		see  func(m mechanism.Mechanism) any
		want any
	}{
		"codes are texts, whatever they look like": {edit(t, "any: [licence server unreachable]", "code: [57014, 08006, mysql:1040, 57P*]"),
			func(m mechanism.Mechanism) any { return m.Clues[0].Code }, []string{"57014", "08006", "mysql:1040", "57P*"}},
		"one text is a list of one": {edit(t, "any: [licence server unreachable]", "any: licence server unreachable"),
			func(m mechanism.Mechanism) any { return m.Clues[0].Any }, []string{"licence server unreachable"}},
		"blanks in phrases are kept": {edit(t, "any: [licence server unreachable]", `any: ["ms  plan: "]`),
			func(m mechanism.Mechanism) any { return m.Clues[0].Any }, []string{"ms  plan: "}},
		"all the origins, in their order": {edit(t, "weight: 1\n", "weight: 1\n        from: [app, proxy, database, cache, broker, kernel, supervisor]\n"),
			func(m mechanism.Mechanism) any { return m.Clues[0].From }, []mechanism.Origin{mechanism.OriginApp, mechanism.OriginProxy, mechanism.OriginDatabase,
				mechanism.OriginCache, mechanism.OriginBroker, mechanism.OriginKernel, mechanism.OriginSupervisor}},
		"all the roles, in their order": {edit(t, "[peer]", "[self, peer, database, gateway]"),
			func(m mechanism.Mechanism) any { return m.Roles }, []mechanism.Role{mechanism.RoleSelf, mechanism.RolePeer, mechanism.RoleDatabase, mechanism.RoleGateway}},
		"slow and silent": {edit(t, "    confirm:", "    gradual: true\n    silent: true\n    supports:\n      - {symptom: saturation, resource: pool, weight: 0.5, why: so}\n    confirm:"),
			func(m mechanism.Mechanism) any { return []any{m.Gradual, m.Silent, m.Supports} },
			[]any{true, true, []mechanism.Support{{Symptom: inquest.SymptomSaturation, Resource: mechanism.ResourcePool, Weight: 0.5, Why: "so"}}}},
		"a shipped one replaced": {strings.Replace(edit(t, "dependency-failure/licence-server", "dependency-failure/dns"), "status: 503", "status: 503\n    replace: true", 1),
			func(m mechanism.Mechanism) any { return m.ID }, inquest.MechanismID("dependency-failure/dns")},
		"braces of other tools in commands": {edit(t, "curl -s https://{host}/", `"kubectl get pods -o jsonpath='{.items}' | awk '{print}'"`),
			func(m mechanism.Mechanism) any { return m.Confirm[0].Command }, "kubectl get pods -o jsonpath='{.items}' | awk '{print}'"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.LoadMechanisms(file(t, c.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, c.see(got[0])); d != "" {
				t.Error(d)
			}
		})
	}
}
