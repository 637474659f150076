package mechanism_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestCatalogueIsValid(t *testing.T) {
	if err := mechanism.Validate(mechanism.All()); err != nil {
		t.Error(err)
	}
}

func TestValidateNamesEachBreach(t *testing.T) {
	good, _ := mechanism.ByID("dependency-failure/refused")
	good.Explains, good.Above = nil, nil
	for sentence, c := range map[string]struct {
		spoil func(m *mechanism.Mechanism)
		want  string
	}{
		"no title":                          {func(m *mechanism.Mechanism) { m.Title = "" }, "Title is missing"},
		"an unknown class":                  {func(m *mechanism.Mechanism) { m.ID = "weather/rain" }, "known class"},
		"explains what does not exist":      {func(m *mechanism.Mechanism) { m.Explains = []inquest.MechanismID{"database/ghost"} }, "does not exist"},
		"above names what does not exist":   {func(m *mechanism.Mechanism) { m.Above = []inquest.MechanismID{"database/ghost"} }, "does not exist"},
		"explains itself":                   {func(m *mechanism.Mechanism) { m.Explains = []inquest.MechanismID{m.ID} }, "circle"},
		"a clue that asks for nothing":      {func(m *mechanism.Mechanism) { m.Clues = []mechanism.Clue{{Weight: 1, Why: "x"}} }, "asks for nothing"},
		"a clue without a reason":           {func(m *mechanism.Mechanism) { m.Clues = []mechanism.Clue{{Any: []string{"abcd"}, Weight: 1}} }, "needs a weight"},
		"a phrase that is too short":        {func(m *mechanism.Mechanism) { m.Clues = []mechanism.Clue{{Any: []string{"oom"}, Weight: 1, Why: "x"}} }, "literal"},
		"silent without supports":           {func(m *mechanism.Mechanism) { m.Silent, m.Supports = true, nil }, "Silent without"},
		"nothing to do now":                 {func(m *mechanism.Mechanism) { m.Actions = m.Actions[len(m.Actions)-1:] }, "to do now"},
		"prevention before mitigation":      {func(m *mechanism.Mechanism) { m.Actions = slices.Clone(m.Actions); slices.Reverse(m.Actions) }, "too late"},
		"a status that says nothing of 5xx": {func(m *mechanism.Mechanism) { m.Status = 404 }, "Status"},
	} {
		m := good
		c.spoil(&m)
		if err := mechanism.Validate([]mechanism.Mechanism{m}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to say %q", sentence, err, c.want)
		}
	}
	if err := mechanism.Validate([]mechanism.Mechanism{good}); err != nil {
		t.Errorf("unspoilt: %v", err)
	}
}

func TestByID(t *testing.T) {
	for _, m := range mechanism.All() {
		if got, ok := mechanism.ByID(m.ID); !ok || got.Title != m.Title {
			t.Errorf("%s is not found by its ID", m.ID)
		}
	}
	if _, ok := mechanism.ByID("database/ghost"); ok {
		t.Error("found a ghost")
	}
}

// Every command must be one that a shell can read, with values put in.
func TestCommandsAreShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatalf("this test reads the commands with bash -n; install bash: %v", err)
	}
	values := map[string]string{}
	for name := range mechanism.Placeholders() {
		values[name] = "v1"
	}
	var script strings.Builder
	for _, c := range allCommands() {
		s := mechanism.Fill(c, values)
		if out, err := exec.Command(bash, "-n", "-c", s).CombinedOutput(); err != nil {
			t.Errorf("%s\n  %s", s, out)
		}
		script.WriteString(s + "\n")
	}
	// The traps of the source documents must not come back.
	for _, bad := range []string{`watch -n \d+ [^'"]*&&`, `ulimit -n`, `lsof *\| *wc`, `state='active'`, `rm -rf`, `kill -9`} {
		if m := regexp.MustCompile(bad).FindString(script.String()); m != "" {
			t.Errorf("a command holds %q", m)
		}
	}
}

func TestPlaceholdersAreKnown(t *testing.T) {
	known := mechanism.Placeholders()
	name := regexp.MustCompile(`[^%$]\{([a-z]+)\}`)
	for _, c := range allCommands() {
		for _, m := range name.FindAllStringSubmatch(c, -1) {
			if _, ok := known[m[1]]; !ok && m[1] != "end" { // {end} belongs to kubectl's jsonpath
				t.Errorf("unknown placeholder {%s} in %s", m[1], c)
			}
		}
	}
}

func allCommands() []string {
	var out []string
	for _, m := range mechanism.All() {
		for _, c := range m.Confirm {
			out = append(out, c.Command)
		}
		for _, a := range m.Actions {
			if a.Command != "" {
				out = append(out, a.Command)
			}
		}
	}
	return out
}

func TestConfirmCommandsOnlyRead(t *testing.T) {
	mutating := regexp.MustCompile(`(?i)pg_terminate|pg_cancel|\bdelete\b|\btruncate\b|\bupdate\b|\brestart\b|\bscale\b|rollout undo|\bkill -|sysctl -w|systemctl (start|stop|reload)|set env|\brm\b`)
	for _, m := range mechanism.All() {
		for _, c := range m.Confirm {
			if bad := mutating.FindString(c.Command); bad != "" {
				t.Errorf("%s: diagnosis must not change anything: %q in %s", m.ID, bad, c.Command)
			}
		}
	}
}

// Ending sessions is proposed only with all filters, and after the count that says whether it frees anything.
func TestEndingConnectionsIsFiltered(t *testing.T) {
	found := false
	for _, m := range mechanism.All() {
		for _, a := range m.Actions {
			if !strings.Contains(a.Command, "pg_terminate_backend") {
				continue
			}
			found = true
			for _, f := range []string{"datname = current_database()", "usename = current_user", "pid <> pg_backend_pid()", "state_change < now() - interval", "state IN ('idle', 'idle in transaction')"} {
				if !strings.Contains(a.Command, f) {
					t.Errorf("%s: ends connections without %s", m.ID, f)
				}
			}
			if !slices.ContainsFunc(m.Confirm, func(c inquest.Command) bool {
				return strings.Contains(c.Command, "SELECT count(*)") && strings.Contains(c.Command, "state IN ('idle', 'idle in transaction')")
			}) {
				t.Errorf("%s: ends connections without counting them first", m.ID)
			}
		}
	}
	if !found {
		t.Error("no entry ends idle connections")
	}
}

// The order of each plan follows the class: what the source documents ask for.
func TestPlansFollowTheirClass(t *testing.T) {
	plans := map[inquest.Class][]string{
		inquest.ClassDeploy:    {"(?i)roll (it|the release) back|roll it back", "(?i)fix|make its code", "(?i)redeploy"},
		inquest.ClassException: {"(?i)handle|recover|catch|await", "(?i)answer", "(?i)repair|find out"},
		inquest.ClassConfig:    {"(?i)^set|put|point|check it", "(?i)restart|reload", "(?i)validate|refuse|at start"},
		inquest.ClassResource:  {"(?i)scale|restart|free space|raise", "(?i)fix|stop what"},
	}
	for _, m := range mechanism.All() {
		at := 0
		for _, step := range plans[m.ID.Class()] {
			i := slices.IndexFunc(m.Actions[at:], func(a inquest.Action) bool { return regexp.MustCompile(step).MatchString(a.Text) })
			if i < 0 {
				t.Errorf("%s: no step like %q after step %d", m.ID, step, at)
				break
			}
			at += i
		}
	}
}

func TestFill(t *testing.T) {
	for sentence, c := range map[string]struct{ template, name, value, want string }{
		"a value is put in":                        {"undo deployment/{service}", "service", "checkout", "undo deployment/checkout"},
		"a missing value stays readable":           {"undo deployment/{service}", "other", "x", "undo deployment/<service>"},
		"a value that a shell would run stays out": {"nc {host} 80", "host", "a;reboot", "nc <host> 80"},
		"a value that looks like an option too":    {"nc {host} 80", "host", "-e/bin/sh", "nc <host> 80"},
		"braces of awk stay":                       {"awk '{print $1}' {path}", "path", "/var/log/a.log", "awk '{print $1}' /var/log/a.log"},
	} {
		if got := mechanism.Fill(c.template, map[string]string{c.name: c.value}); got != c.want {
			t.Errorf("%s: got %s", sentence, got)
		}
	}
}

func TestPagesAreCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "docs", "mechanisms")
	all := mechanism.All()
	want := map[string]string{"README.md": mechanism.IndexPage(all)}
	for i := range all {
		want[mechanism.PageName(all[i].ID)] = mechanism.Page(&all[i], all)
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
			t.Errorf("docs/mechanisms/%s is not current; run: go run ./scripts/mechdocs (%v)", name, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(files) != len(want) {
		t.Errorf("%d pages, want %d: one belongs to no mechanism (%v)", len(files), len(want), err)
	}
}
