package runbook_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/runbook"
)

// failing is an incident whose cause is open, with so many failed answers of each status.
func failing(status map[int]int) *inquest.Runbook {
	d := &inquest.Diagnosis{Incident: true, Onset: at(0), Verdict: &inquest.Verdict{Level: inquest.Open}, Impact: inquest.Impact{Routes: []inquest.RouteImpact{{Route: "GET /api/cart", Failed: 1, Status: status}}}}
	return runbook.Write(runbook.Situation{Incident: &inquest.Incident{ID: "INC-1", Services: []string{"checkout"}, Opened: at(1)}, Diagnosis: d, At: at(2)})
}

func TestWhileTheCauseIsOpenTheStatusSaysWhereToLookFirst(t *testing.T) {
	for name, c := range map[string]struct {
		status       map[int]int
		title, first string // of the runbook, of the phase Cause
	}{
		"500: the service itself":                 {map[int]int{500: 40, 502: 3}, "500, cause open", "Read the errors"},
		"502: no valid answer from behind":        {map[int]int{502: 40, 500: 3}, "502, cause open", "What did the proxy get"},
		"503: somebody refuses":                   {map[int]int{503: 1}, "503, cause open", "Who refuses"},
		"504: a hop gave up":                      {map[int]int{504: 40, 200: 3}, "504, cause open", "Which hop gave up"},
		"a vendor's own points nowhere":           {map[int]int{520: 40}, "520, cause open", "Read the errors"},
		"two statuses, neither of more than half": {map[int]int{502: 20, 504: 20}, "5xx, cause open", "Read the errors"},
		"200s that lie":                           {map[int]int{200: 40}, "5xx, cause open", "Read the errors"},
		"nothing measured":                        {nil, "5xx, cause open", "Read the errors"},
	} {
		b := failing(c.status)
		var first string
		var commands strings.Builder
		for _, s := range b.Steps {
			if s.Phase != inquest.StepCause {
				continue
			}
			if first == "" {
				first = s.Text
			}
			if s.Command == "" || s.Expect == "" || changing.MatchString(s.Command) || strings.Contains(s.Command, "{service}") {
				t.Errorf("%s: %+v", name, s)
			}
			commands.WriteString(s.Command + "\n")
		}
		if b.Title != "Runbook: "+c.title || !strings.HasPrefix(first, c.first) {
			t.Errorf("%s: %q begins with %q", name, b.Title, first)
		}
		if all := commands.String(); !strings.Contains(all, "deployment/checkout") || !strings.Contains(all, "pg_stat_activity") || !strings.Contains(all, "get-metric-data") {
			t.Errorf("%s: the checks that fit any 5xx are missing:\n%s", name, all)
		}
	}
}

// The queries are PromQL, by Prometheus' own judgement, and CloudWatch's are JSON.
func TestTheQueriesForCPUMemoryAndNetworkCanBeAsked(t *testing.T) {
	b := failing(map[int]int{500: 1})
	last := b.Steps[len(b.Steps)-1]
	if last.Phase != inquest.StepPrevent || !strings.HasPrefix(last.Text, "Watch CPU, memory and network") {
		t.Errorf("the runbook ends with %+v", last)
	}
	open := runbook.Write(runbook.Situation{Incident: &inquest.Incident{Services: []string{"checkout"}}, At: at(2)})
	rules := "groups:\n- name: runbook\n  rules:\n"
	for _, command := range []string{last.Command, open.Steps[len(open.Steps)-1].Command} {
		queries := regexp.MustCompile(`'([^']+)'`).FindAllStringSubmatch(command, -1)
		if len(queries) != 3 {
			t.Errorf("%d queries in %s", len(queries), command)
		}
		for _, q := range queries {
			rules += fmt.Sprintf("  - record: q%d\n    expr: %s\n", len(rules), q[1])
		}
	}
	if want := fmt.Sprintf(`{pod=~"checkout-.*"}[5m] @ %d)`, at(-10).Unix()); !strings.Contains(last.Command, want) {
		t.Errorf("no %s in %s", want, last.Command)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, rules)
	}
	for _, s := range b.Steps {
		if _, queries, ok := strings.Cut(s.Command, "--metric-data-queries '"); ok {
			var got []struct{ ID string }
			if err := json.Unmarshal([]byte(strings.TrimSuffix(queries, "'")), &got); err != nil || len(got) != 3 {
				t.Errorf("%v: %d of %s", err, len(got), queries)
			}
			return
		}
	}
	t.Error("CloudWatch is not asked")
}
