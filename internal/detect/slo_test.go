package detect_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/detect"
)

const checkout = `apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{job="checkout",code=~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{job="checkout"}'}}}
  objectives: [{target: 0.999}]
`

func sloGroups(t *testing.T, content string) []detect.Group {
	t.Helper()
	slos, err := detect.ParseOpenSLO("slo.yml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	var out []detect.Group
	for _, s := range slos {
		g, err := s.Rules()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	return out
}

// burnCases: requests come at 100 a minute; bad is how many of them fail, minute by minute.
func burnCases(bad, more string) string {
	return `rule_files: [rules.yml]
evaluation_interval: 5m
tests:
- interval: 1m
  input_series:
  - {series: 'http_requests_total{job="checkout",code="200"}', values: '0+10000x500'}
  - {series: 'http_requests_total{job="checkout",code="500"}', values: '` + bad + `'}
  promql_expr_test:
` + more
}

func TestBurnRates(t *testing.T) {
	fast := `ALERTS{alertname="BudgetBurnsFast",alertstate="firing",service="checkout",severity="page",slo="checkout-availability",window="1h"}`
	six := `ALERTS{alertname="BudgetBurns",alertstate="firing",service="checkout",severity="page",slo="checkout-availability",window="6h"}`
	slow := `ALERTS{alertname="BudgetBurnsSlowly",alertstate="firing",service="checkout",severity="ticket",slo="checkout-availability",window="3d"}`
	at := func(eval string, labels ...string) string {
		out := "  - {expr: 'ALERTS{alertstate=\"firing\"}', eval_time: " + eval + ", exp_samples: ["
		for _, l := range labels {
			out += "{labels: '" + l + "', value: 1},"
		}
		return out + "]}\n"
	}
	for name, c := range map[string]string{
		// 1.5 % is 15 times the budget of 0.1 %: in the hour's window after 58 of its minutes, and only while it goes on.
		"15 times over an hour pages":    burnCases("0x400 0+150x80 12000x20", at("400m")+at("465m", fast, slow)+at("495m", slow)),
		"14 times does not page at once": burnCases("0x100 0+140x400", at("165m", slow)),
		"7 times over six hours pages":   burnCases("0x50 0+70x450", at("400m", six, slow)),
		"a blip of a minute":             burnCases("0x400 3000x100", at("405m")+at("420m")),
		"twice the budget is a ticket":   burnCases("0+20x500", at("400m", slow)),
		"within the budget":              burnCases("0+9x500", at("400m")),
	} {
		t.Run(name, func(t *testing.T) { bothAgree(t, sloGroups(t, checkout), c) })
	}
}

// bothAgree runs cases in our engine and in promtool, on the rules as `inquest rules export` writes them.
func bothAgree(t *testing.T, groups []detect.Group, cases string) {
	t.Helper()
	dir := t.TempDir()
	b, err := detect.Write(groups)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"rules.yml": string(b), "cases.yml": cases} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := detect.ParseCases("cases.yml", []byte(cases))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := c.Run(t.Context(), 0, parse(t, "rules.yml", string(b)), open(t))
	if err != nil || len(wrong) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(wrong, "\n"))
	}
	cmd := exec.CommandContext(t.Context(), promtool(t), "test", "rules", "cases.yml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v: %s", err, out)
	}
}

func TestFewBadEventsBurnNothing(t *testing.T) {
	cases := `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'http_requests_total{job="checkout",code="200"}', values: '0+1x100'}
  - {series: 'http_requests_total{job="checkout",code="500"}', values: '0x20 0+1x4 4x76'}
  promql_expr_test:
  - {expr: 'count_over_time(ALERTS[2h])', eval_time: 90m, exp_samples: []}
`
	bothAgree(t, sloGroups(t, checkout), cases)
}

func TestOpenSLOReads(t *testing.T) {
	const head = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: web\n"
	for name, c := range map[string]struct {
		content string
		want    []detect.SLO
	}{
		"counters": {checkout, []detect.SLO{{Name: "checkout-availability", Service: "checkout", Target: 0.999, Window: 30 * 24 * time.Hour, Counted: true,
			Bad:   `sum(increase(http_requests_total{job="checkout",code=~"5.."}[{{.window}}]))`,
			Total: `sum(increase(http_requests_total{job="checkout"}[{{.window}}]))`}}},
		"queries with a window": {head + "  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: 'sum(rate(good[{{ .window }}]))'}}}, total: {metricSource: {spec: {query: 'sum(rate(all[$window]))'}}}}}}\n  objectives: [{targetPercent: 99.9}]\n",
			[]detect.SLO{{Name: "a", Service: "web", Target: 0.999, Window: 28 * 24 * time.Hour, Good: "(sum(rate(good[{{.window}}])))", Total: "(sum(rate(all[{{.window}}])))"}}},
		"the requests that Inquest counts, and two objectives": {head + "  objectives: [{target: 0.99}, {target: 0.9}]\n", []detect.SLO{
			{Name: "a-1", Service: "web", Target: 0.99, Window: 28 * 24 * time.Hour, Counted: true, Bad: `sum(increase(inquest_failures_total{service="web"}[{{.window}}]))`, Total: `sum(increase(inquest_requests_total{service="web"}[{{.window}}]))`},
			{Name: "a-2", Service: "web", Target: 0.9, Window: 28 * 24 * time.Hour, Counted: true, Bad: `sum(increase(inquest_failures_total{service="web"}[{{.window}}]))`, Total: `sum(increase(inquest_requests_total{service="web"}[{{.window}}]))`},
		}},
		"an indicator of its own document, and kinds that are none of ours": {"apiVersion: openslo/v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: i}\nspec: {ratioMetric: {counter: true, bad: {metricSource: {spec: {query: bad_total}}}, total: {metricSource: {spec: {query: all_total}}}}}\n---\n" + head + "  indicatorRef: i\n  objectives: [{target: 0.5}]\n",
			[]detect.SLO{{Name: "a", Service: "web", Target: 0.5, Window: 28 * 24 * time.Hour, Counted: true, Bad: "sum(increase(bad_total[{{.window}}]))", Total: "sum(increase(all_total[{{.window}}]))"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := detect.ParseOpenSLO("slo.yml", []byte(c.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !detect.IsOpenSLO([]byte(c.content)) {
				t.Error("not recognised")
			}
		})
	}
	if detect.IsOpenSLO(load(t, "rules/requests.yml")) {
		t.Error("a rule file is taken for one of OpenSLO")
	}
}

func TestOpenSLOSaysWhatIsWrong(t *testing.T) {
	const head = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n"
	for name, c := range map[string]struct{ content, want string }{
		"no YAML":             {"kind: [", "slo.yml"},
		"nothing":             {"", "no SLO"},
		"an older version":    {"apiVersion: openslo/v1alpha\nkind: SLO", "this reads openslo/v1"},
		"time slices":         {head + "  service: a\n  budgetingMethod: Timeslices\n  objectives: [{target: 0.9}]", "only Occurrences"},
		"a calendar's window": {head + "  service: a\n  timeWindow: [{duration: 1M}]\n  objectives: [{target: 0.9}]", "such as 28d"},
		"a threshold":         {head + "  service: a\n  indicator: {spec: {thresholdMetric: {metricSource: {}}}}\n  objectives: [{target: 0.9}]", "only ratioMetric"},
		"no total":            {head + "  service: a\n  indicator: {spec: {ratioMetric: {counter: true, bad: {metricSource: {spec: {query: x}}}}}}\n  objectives: [{target: 0.9}]", "wants total"},
		"no window":           {head + "  service: a\n  indicator: {spec: {ratioMetric: {bad: {metricSource: {spec: {query: x}}}}}}\n  objectives: [{target: 0.9}]", "no {{.window}}"},
		"nobody of that name": {head + "  service: a\n  indicatorRef: b\n  objectives: [{target: 0.9}]", "no SLI of that name"},
		"no objectives":       {head + "  service: a", "no objectives"},
		"about nothing":       {head + "  objectives: [{target: 0.9}]", "neither an indicator nor a service"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := detect.ParseOpenSLO("slo.yml", []byte(c.content))
			if !errors.Is(err, detect.ErrRules) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ErrRules with %q", err, c.want)
			}
		})
	}
	for _, target := range []float64{0, 1, 99.9, -1} {
		s := detect.SLO{Name: "a", Target: target, Bad: "x", Total: "y", Window: time.Hour}
		if _, err := s.Rules(); !errors.Is(err, detect.ErrRules) || !strings.Contains(err.Error(), "such as 0.999") {
			t.Errorf("target %v: %v", target, err)
		}
	}
	s := detect.SLO{Name: "a", Target: 0.9, Bad: "sum(", Total: "y", Window: time.Hour}
	if _, err := s.Rules(); !errors.Is(err, detect.ErrRules) {
		t.Errorf("a query that is none: %v", err)
	}
}

func FuzzParseOpenSLO(f *testing.F) {
	f.Add([]byte(checkout))
	f.Add([]byte("apiVersion: openslo/v1\nkind: SLO\nspec: {service: a, objectives: [{target: 0.9}]}\n---\nkind: SLI"))
	f.Fuzz(func(t *testing.T, content []byte) {
		slos, err := detect.ParseOpenSLO("x.yml", content)
		if err == nil && len(slos) == 0 {
			t.Error("no SLOs and no error")
		}
		for _, s := range slos {
			g, err := s.Rules()
			if err != nil {
				continue
			}
			b, err := detect.Write([]detect.Group{g})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := detect.Parse("x.yml", b); err != nil && s.Name != "" {
				t.Errorf("what it makes of %q is no rule file: %v", content, err)
			}
		}
	})
}

func FuzzParseCases(f *testing.F) {
	b, err := os.ReadFile("testdata/semantics_test.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := detect.ParseCases("x.yml", content)
		if err == nil && len(c.Tests) == 0 {
			t.Error("no tests and no error")
		}
	})
}
