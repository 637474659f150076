package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
)

// auditor judges by all rules but some.
func auditor(t testing.TB, skip ...string) *audit.Auditor {
	t.Helper()
	a, err := audit.New(audit.Config{Skip: skip})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// gatewayAndShop are ten minutes of a gateway whose upstream answers 429 and 503 that become 500, of health checks that say fine, and of a plain
// log, from a second on.
func gatewayAndShop(from int) map[string]string {
	return map[string]string{
		"nginx-access.log": times(120, func(i int) string {
			n := from + 5*i
			return clf(n, "POST /orders", 500, via("429")) + clf(n, "GET /cart", 200, via("200")) + clf(n, "GET /health", 200, via("200"))
		}),
		"shop.log": times(60, func(i int) string { return fmt.Sprintf("%s ERROR Payment - charge failed\n", stamp(from+10*i)) }),
	}
}

// summary is what two audits of the same must share: findings with counts and times, what could not be checked, the logs' figures.
func summary(a *inquest.Audit) []string {
	out := []string{fmt.Sprintf("%d requests, %d records", a.Requests, a.Records)}
	for _, f := range a.Findings {
		line := fmt.Sprintf("%s %s %s %d of %d", f.Rule.ID, f.Service, f.Route, f.Count, f.Of)
		for _, i := range f.Intervals {
			line += fmt.Sprintf(" [%s %s %d %d %d]", i.From.Format("15:04"), i.To.Format("15:04"), i.Healthy, i.Requests, i.Failed)
		}
		out = append(out, line)
	}
	for _, g := range a.Unchecked {
		out = append(out, "unchecked "+g.Rule+": "+g.Why)
	}
	for _, m := range a.Mappings {
		out = append(out, fmt.Sprintf("%s to %d %d %s", m.UpstreamStatus, m.Status, m.Count, m.Basis))
	}
	for _, q := range a.Logs {
		out = append(out, fmt.Sprintf("%s %s %d %d %d", q.Service, q.Format, q.Records, q.Severity, q.Correlation))
	}
	return out
}

func TestTheMergeOfTwoStretchesIsTheAuditOfBoth(t *testing.T) {
	first, second := judge(t, audit.Config{}, gatewayAndShop(0)), judge(t, audit.Config{}, gatewayAndShop(600))
	both := map[string]string{}
	for name, text := range gatewayAndShop(0) {
		both[name] = text + gatewayAndShop(600)[name]
	}
	whole := judge(t, audit.Config{}, both)
	if len(whole.Findings) < 3 || len(whole.Unchecked) == 0 {
		t.Fatalf("too little to compare: %v", summary(whole))
	}
	a := auditor(t)
	got := a.Merge([]*inquest.Audit{first, second})
	if diff := cmp.Diff(summary(whole), summary(got)); diff != "" {
		t.Errorf("-whole +merged\n%s", diff)
	}
	if diff := cmp.Diff(summary(got), summary(a.Merge([]*inquest.Audit{{}, a.Merge([]*inquest.Audit{{}, first}), second}))); diff != "" {
		t.Errorf("in steps, from nothing on: -at once +in steps\n%s", diff)
	}
	for _, f := range got.Findings {
		if strings.HasPrefix(f.Rule.ID, "mapping/") && (!f.From.Equal(t0) || !f.To.Equal(t0.Add(1195*time.Second)) || len(f.Examples) != 3 || f.Examples[0].Time.Before(t0.Add(10*time.Minute))) {
			t.Errorf("first and last seen, and the newest examples: %+v", f)
		}
		if strings.HasPrefix(f.Rule.ID, "log/") && (f.From.IsZero() || f.To.Before(t0.Add(10*time.Minute))) {
			t.Errorf("a rule about logs has no time: %+v", f)
		}
	}
}

func TestWhatALaterStretchTellsIsNotUncheckedAnyMore(t *testing.T) {
	logs := judge(t, audit.Config{}, map[string]string{"shop.log": gatewayAndShop(0)["shop.log"]})
	all := judge(t, audit.Config{}, gatewayAndShop(600))
	unchecked := func(a *inquest.Audit, rule string) bool {
		for _, g := range a.Unchecked {
			if g.Rule == rule {
				return true
			}
		}
		return false
	}
	a := auditor(t)
	got := a.Merge([]*inquest.Audit{logs, {Unchecked: logs.Unchecked}, all})
	for rule, want := range map[string]bool{"retry/non-idempotent": false, "health/lied": false, "leak/sql": true} {
		if !unchecked(logs, rule) || unchecked(got, rule) != want {
			t.Errorf("%s: unchecked is %v, want %v; in the first part %v", rule, unchecked(got, rule), want, unchecked(logs, rule))
		}
	}
	idle := &inquest.Audit{Unchecked: []inquest.AuditGap{{Rule: "leak/sql", Why: "no requests"}}}
	if got := a.Merge([]*inquest.Audit{idle, idle}); len(got.Unchecked) != 1 || got.Unchecked[0].Why != "no requests" {
		t.Errorf("where nothing came at all: %+v", got.Unchecked)
	}
}

func TestLogsAreJudgedAnewOverAllRecords(t *testing.T) {
	log := func(n, traced int) *inquest.Audit {
		return judge(t, audit.Config{}, map[string]string{"shop.log": times(n, func(i int) string {
			id := ""
			if i < traced {
				id = fmt.Sprintf(`,"requestId":"r-%d"`, i)
			}
			return fmt.Sprintf("{\"time\":%q,\"level\":\"error\",\"service\":\"shop\",\"msg\":\"failed\"%s}\n", stamp(i), id)
		})})
	}
	few, many := log(12, 6), log(400, 400)
	a := auditor(t)
	if got := found(a.Merge([]*inquest.Audit{few}), "log/no-correlation-id"); len(got) != 1 {
		t.Errorf("of twelve errors six have no id: %v", got)
	}
	if got := found(a.Merge([]*inquest.Audit{few, many}), "log/no-correlation-id"); len(got) != 0 {
		t.Errorf("of 412 errors six have no id, which is start-up: %v", got)
	}
}

func TestARuleThatIsSkippedNowIsNotFoundInWhatWasKept(t *testing.T) {
	kept := judge(t, audit.Config{}, gatewayAndShop(0))
	got := auditor(t, "mapping/limit-lost", "log/plain-text").Merge([]*inquest.Audit{kept})
	if before := found(kept, "mapping/limit-lost", "log/plain-text"); len(before) != 2 {
		t.Fatalf("found before: %v", before)
	}
	if after := found(got, "mapping/limit-lost", "log/plain-text"); len(after) != 0 {
		t.Errorf("found: %v", after)
	}
}

func TestAMergeStaysSmall(t *testing.T) {
	rule := auditor(t).Merge([]*inquest.Audit{judge(t, audit.Config{}, gatewayAndShop(0))}).Findings[0].Rule
	part := func(k int) *inquest.Audit {
		p := &inquest.Audit{Requests: 1}
		for i := range 400 {
			p.Findings = append(p.Findings, inquest.AuditFinding{Rule: rule, Service: "s", Route: fmt.Sprintf("GET /%d/%d", k, i), Count: i})
			p.Files = append(p.Files, inquest.FileCoverage{File: fmt.Sprintf("%d-%d", k, i), Notes: []string{"a", "b", "c", "d"}})
			p.Mappings = append(p.Mappings, inquest.StatusMapping{Route: fmt.Sprintf("GET /%d/%d", k, i), Count: i})
		}
		return p
	}
	var got *inquest.Audit
	for k := range 5 {
		parts := []*inquest.Audit{part(k)}
		if got != nil {
			parts = append([]*inquest.Audit{got}, parts...)
		}
		got = auditor(t).Merge(parts)
	}
	if len(got.Findings) != 500 || len(got.Files) != 500 || len(got.Mappings) != 500 || len(got.Notes) != 3 {
		t.Errorf("%d findings, %d files, %d mappings, notes %q", len(got.Findings), len(got.Files), len(got.Mappings), got.Notes)
	}
	if got.Findings[0].Count != 399 || got.Findings[499].Count < 299 {
		t.Errorf("the most frequent are kept: %d to %d", got.Findings[0].Count, got.Findings[499].Count)
	}
}
