package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

var auditRule = inquest.AuditRule{ID: "status/503-without-retry-after", Title: "503 without Retry-After", Severity: inquest.AuditError,
	Why: "Clients come back at once.", Source: "RFC 9110, 15.6.4", Fix: "Send Retry-After with every 503.", Needs: "a log of Retry-After"}

var healthRule = inquest.AuditRule{ID: "health/lied", Title: "a health check answered 200 while requests failed", Severity: inquest.AuditWarning,
	Why: "The balancer keeps sending traffic.", Source: "Kubernetes, readiness probes", Fix: "Answer 503.", Needs: "access logs"}

// findings is an audit with one of everything.
func findings() *inquest.Audit {
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	return &inquest.Audit{
		Window: inquest.Window{From: minute(0), To: minute(30)}, Requests: 12345, Records: 40,
		Findings: []inquest.AuditFinding{
			{Rule: auditRule, Service: "gateway", Route: "POST /pay", Count: 12, Of: 340, From: minute(1), To: minute(2), Examples: []inquest.AuditExample{
				{Source: inquest.Source{File: "logs/gate way.log", Line: 7}, Time: minute(1), Text: "POST /pay?token=tok_live4242 answered 503\x1b[31m"},
				{Source: inquest.Source{File: "logs/gate way.log", Line: 9}, Text: "POST /pay answered 503"}}},
			{Rule: auditRule, Service: "gateway", Route: "GET /a", Detail: "sent by the limiter", Count: 1, Estimated: true},
			{Rule: healthRule, Service: "orders", Route: "GET /health", Count: 60, Of: 180, From: minute(10), To: minute(20),
				Intervals: []inquest.AuditInterval{{Window: inquest.Window{From: minute(10), To: minute(20)}, Healthy: 60, Requests: 300, Failed: 120}}},
		},
		Mappings: []inquest.StatusMapping{
			{Service: "gateway", Route: "GET /a", UpstreamStatus: "429", Status: 500, Count: 7, Basis: inquest.ByLine, Rule: "mapping/limit-lost"},
			{Service: "gateway", Route: "GET /b", UpstreamStatus: "none", Status: 502, Count: 2, Basis: inquest.ByMinute},
		},
		Logs: []inquest.LogQuality{{Service: "payments", Format: "level-text", Records: 40, Timestamp: 40, Severity: 40, Business: 10, Errors: 10,
			Sample: inquest.AuditExample{Source: inquest.Source{File: "payments.log", Line: 4}, Text: "charge failed"}, Rewritten: `{"timestamp":null,"message":"charge failed"}`}},
		Unchecked: []inquest.AuditGap{{Rule: "mapping/limit-lost", Why: "no log tells the upstream's status"}},
		Files:     []inquest.FileCoverage{{File: "logs/gate way.log", Format: "combined", Records: 340, Skipped: 1, Notes: []string{"NUL bytes"}}},
		Notes:     []string{"link.log: symbolic link to nowhere"},
	}
}

var auditRenderings = map[string]func(io.Writer, *inquest.Audit) error{
	"json": report.AuditJSON,
	"txt": func(w io.Writer, a *inquest.Audit) error {
		return report.AuditTerminal(w, a, report.TerminalOptions{Name: "logs"})
	},
	"ascii.txt": func(w io.Writer, a *inquest.Audit) error {
		return report.AuditTerminal(w, a, report.TerminalOptions{Width: 60, ASCII: true})
	},
	"md": func(w io.Writer, a *inquest.Audit) error {
		return report.AuditMarkdown(w, a, report.PageOptions{Name: "logs"})
	},
	"sarif": func(w io.Writer, a *inquest.Audit) error {
		return report.AuditSARIF(w, a, []inquest.AuditRule{healthRule, auditRule}, "1.0")
	},
}

func auditText(t *testing.T, how string, a *inquest.Audit) string {
	t.Helper()
	var b bytes.Buffer
	if err := auditRenderings[how](&b, a); err != nil {
		t.Fatalf("%s: %v", how, err)
	}
	return b.String()
}

func TestAuditGolden(t *testing.T) {
	for how := range auditRenderings {
		t.Run(how, func(t *testing.T) {
			got := auditText(t, how, findings())
			file := filepath.Join("testdata", "audit."+how+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got (go test -update rewrites it)\n%s", diff)
			}
		})
	}
}

func TestAuditsGiveNoSecretAndNoControlAway(t *testing.T) {
	for how := range auditRenderings {
		got := auditText(t, how, findings())
		if strings.Contains(got, "tok_live4242") {
			t.Errorf("%s shows a token", how)
		}
		if strings.Contains(got, "\x1b") {
			t.Errorf("%s passes an escape sequence on", how)
		}
	}
}

func TestAuditTextKeepsItsWidth(t *testing.T) {
	for l := range strings.SplitSeq(auditText(t, "txt", findings()), "\n") {
		if n := uniseg.StringWidth(l); n > 80 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestAuditWithoutFindings(t *testing.T) {
	got := auditText(t, "txt", &inquest.Audit{Requests: 1})
	for _, want := range []string{"No rule is broken, as far as it could be checked.", "Every rule could be applied"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := auditText(t, "json", &inquest.Audit{}); !strings.Contains(got, `"findings": []`) || !strings.Contains(got, `"schema": "inquest/audit/v1"`) {
		t.Errorf("%s", got)
	}
}

// What the schema of SARIF 2.1.0 requires: sarifLog version and runs, run tool, tool driver, driver name, reportingDescriptor id,
// result message, message text, notification message, invocation executionSuccessful; lines count from 1, URIs have no blanks.
func TestSARIFHasWhatItsSchemaRequires(t *testing.T) {
	a := findings()
	a.Findings[0].Examples[1].Source.Line = 0 // a URL's answer
	var log struct {
		Version string `json:"version"`
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string `json:"name"`
					Rules []struct {
						ID string `json:"id"`
					} `json:"rules"`
				} `json:"driver"`
			} `json:"tool"`
			Invocations []struct {
				Successful    *bool `json:"executionSuccessful"`
				Notifications []struct {
					Message struct {
						Text string `json:"text"`
					} `json:"message"`
				} `json:"toolExecutionNotifications"`
			} `json:"invocations"`
			Results []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex int    `json:"ruleIndex"`
				Level     string `json:"level"`
				Message   struct {
					Text string `json:"text"`
				} `json:"message"`
				Locations []struct {
					Physical *struct {
						Artifact struct {
							URI string `json:"uri"`
						} `json:"artifactLocation"`
						Region *struct {
							Line int `json:"startLine"`
						} `json:"region"`
					} `json:"physicalLocation"`
				} `json:"locations"`
				Fingerprints map[string]string `json:"partialFingerprints"`
			} `json:"results"`
		} `json:"runs"`
	}
	if err := json.Unmarshal([]byte(auditText(t, "sarif", a)), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || len(log.Runs[0].Tool.Driver.Rules) != 2 || len(log.Runs[0].Results) != 3 {
		t.Fatalf("%+v", log)
	}
	run := log.Runs[0]
	if i := run.Invocations[0]; i.Successful == nil || len(i.Notifications) != 1 || i.Notifications[0].Message.Text == "" {
		t.Errorf("%+v", i)
	}
	seen := map[string]bool{}
	for _, r := range run.Results {
		if r.Message.Text == "" || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Level != "error" && r.Level != "warning" && r.Level != "note" {
			t.Errorf("%+v", r)
		}
		if len(r.Locations) == 0 || seen[r.Fingerprints["inquest/v1"]] {
			t.Errorf("no place, or the fingerprint of another finding: %+v", r)
		}
		seen[r.Fingerprints["inquest/v1"]] = true
		for _, l := range r.Locations {
			if l.Physical != nil && (strings.Contains(l.Physical.Artifact.URI, " ") || l.Physical.Region != nil && l.Physical.Region.Line < 1) {
				t.Errorf("%+v", l.Physical)
			}
		}
	}
}

// A finding is the same tomorrow, when there are more of it: code hosts tell new ones from known ones by the fingerprint.
func TestFingerprintsDoNotDependOnCounts(t *testing.T) {
	marks := func(a *inquest.Audit) []string {
		var out []string
		for l := range strings.SplitSeq(auditText(t, "sarif", a), "\n") {
			if strings.Contains(l, `"inquest/v1"`) {
				out = append(out, l)
			}
		}
		return out
	}
	more := findings()
	more.Findings[0].Count, more.Findings[0].Examples, more.Findings[2].Intervals = 99, nil, nil
	if diff := cmp.Diff(marks(findings()), marks(more)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
