package detect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

func open(t *testing.T) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(tsdb.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, file string, content string) []detect.Group {
	t.Helper()
	groups, err := detect.Parse(file, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// The tests of rules are told apart by Debian's promtool as well: our engine must say what Prometheus says.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*_test.yml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files of cases (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := detect.ParseCases(file, load(t, file))
			if err != nil {
				t.Fatal(err)
			}
			var groups []detect.Group
			for _, name := range c.RuleFiles {
				path := filepath.Join("testdata", name)
				groups = append(groups, parse(t, name, string(load(t, path)))...)
			}
			for i := range c.Tests {
				t.Run(c.Tests[i].Name, func(t *testing.T) {
					wrong, err := c.Run(t.Context(), i, groups, open(t))
					if err != nil {
						t.Fatal(err)
					}
					for _, w := range wrong {
						t.Error(w)
					}
				})
			}
			t.Run("promtool agrees", func(t *testing.T) {
				out, err := exec.CommandContext(t.Context(), promtool(t), "test", "rules", file).CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		})
	}
}

func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("no promtool: run `make setup` (apt-get install prometheus): %v", err)
	}
	return path
}

func TestShippedRulesAreRulesOfPrometheus(t *testing.T) {
	files, err := filepath.Glob("rules/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, file := range files {
		if out, err := exec.CommandContext(t.Context(), promtool(t), "check", "rules", "--lint-fatal", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	groups, err := detect.Shipped()
	if err != nil || len(groups) < 6 {
		t.Fatalf("%d groups (%v)", len(groups), err)
	}
}

// A person who is woken must be told by whom and what it means.
func TestEveryShippedAlertSaysWhomItTellsAndWhat(t *testing.T) {
	groups, err := detect.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	page := string(load(t, "../../docs/rules.md"))
	alerts := 0
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			alerts++
			switch r.Labels["severity"] {
			case "page", "chat", "ticket":
			default:
				t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s has no summary and description", r.Alert)
			}
			if !strings.Contains(page, "`"+r.Alert+"`") {
				t.Errorf("%s is not in docs/rules.md", r.Alert)
			}
		}
	}
	if alerts < 12 {
		t.Errorf("%d alerts", alerts)
	}
}

// What pages show as degraded and what is not resolved is judged by the same shares as the rules.
func TestTheShareThatMayFailIsThatOfTheRules(t *testing.T) {
	groups, err := detect.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"CriticalServiceFailing": inquest.MayFail(true), "ServiceFailing": inquest.MayFail(false)}
	for _, g := range groups {
		for _, r := range g.Rules {
			share, ok := want[r.Alert]
			if !ok {
				continue
			}
			delete(want, r.Alert)
			for _, series := range []string{"ratio5m", "ratio5m_lower"} {
				if over := fmt.Sprintf("service:inquest_failures:%s > %g ", series, share); !strings.Contains(strings.ReplaceAll(r.Expr, ")", " )"), over) {
					t.Errorf("%s has no %q", r.Alert, over)
				}
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no such rules: %v", want)
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"no YAML":              {"groups: [", "rules.yml: "},
		"no groups":            {"groups: []", "has no groups"},
		"nothing":              {"", "has no groups"},
		"an unknown field":     {"groups: [{name: a, rules: [{alert: A, expr: up, fro: 1m}]}]", "fro"},
		"a bad expression":     {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: sum(\n", "5:"},
		"both":                 {"groups: [{name: a, rules: [{alert: A, record: b, expr: up}]}]", "only one of"},
		"neither":              {"groups: [{name: a, rules: [{expr: up}]}]", "one of 'record' or 'alert'"},
		"the group twice":      {"groups: [{name: a, rules: []}, {name: a, rules: []}]", "repeated"},
		"a bad template":       {"groups: [{name: a, rules: [{alert: A, expr: up, annotations: {x: '{{ $labels.'}}]}]", "template"},
		"a bad duration":       {"groups: [{name: a, rules: [{alert: A, expr: up, for: soon}]}]", "soon"},
		"a label that is none": {"groups: [{name: a, rules: [{alert: A, expr: up, labels: {__name__: b}}]}]", "label"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := detect.Parse("rules.yml", []byte(c.content))
			if !errors.Is(err, detect.ErrRules) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ErrRules with %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"rules/requests.yml", "testdata/semantics_rules.yml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		groups, err := detect.Parse("x.yml", content)
		if err == nil && len(groups) == 0 {
			t.Error("no groups and no error")
		}
	})
}

func TestCasesThatAreWrongThemselves(t *testing.T) {
	groups := parse(t, "r.yml", "groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]")
	run := func(content string) ([]string, error) {
		c, err := detect.ParseCases("t.yml", []byte(content))
		if err != nil {
			return nil, err
		}
		return c.Run(context.Background(), 0, groups, open(t))
	}
	for name, content := range map[string]string{
		"no tests":         "rule_files: []",
		"an unknown field": "tests: [{intervall: 1m}]",
		"a bad series":     "tests: [{input_series: [{series: 'up{', values: '1'}]}]",
		"a bad time":       "tests: [{start_timestamp: yesterday}]",
		"a bad label set":  "tests: [{promql_expr_test: [{expr: vector(1), eval_time: 1m, exp_samples: [{labels: '{a', value: 1}]}]}]",
	} {
		if _, err := run(content); !errors.Is(err, detect.ErrRules) {
			t.Errorf("%s: %v, want ErrRules", name, err)
		}
	}
	wrong, err := run("tests: [{interval: 1m, input_series: [{series: 'up{a=\"b\"}', values: '0x3'}], alert_rule_test: [{eval_time: 2m, alertname: A, exp_alerts: []}, {eval_time: 2m, alertname: B, exp_alerts: [{}]}], promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: up, value: 1}]}]}]")
	if err != nil || len(wrong) != 3 {
		t.Fatalf("%d differences (%v), want 3: %q", len(wrong), err, wrong)
	}
	for _, want := range []string{"at 2m: firing alerts of A\n    expected: none\n    got:\n      {a=\"b\"}", "no rule raises \"B\"", "at 1m: up\n    expected:\n      up 1\n    got:\n      up{a=\"b\"} 0"} {
		if !strings.Contains(strings.Join(wrong, "\n"), want) {
			t.Errorf("%q is not in:\n%s", want, strings.Join(wrong, "\n"))
		}
	}
}
