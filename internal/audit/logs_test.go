package audit_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
)

func stamp(i int) string {
	return t0.Add(time.Duration(i) * time.Second).Format("2006-01-02T15:04:05.000Z")
}

// REQUIREMENTS 168 and 185: the share of lines with timestamp, severity, correlation id and business context, and a rewrite.
func TestPlainTextLogs(t *testing.T) {
	text := times(40, func(i int) string {
		if i%4 == 3 {
			return fmt.Sprintf("%s ERROR PaymentService - charge failed for cartId=c_%d userId=usr_456 token=tok_visa4242\n", stamp(i), i)
		}
		return fmt.Sprintf("%s INFO PaymentService - charge %d sent\n", stamp(i), i)
	})
	a := judge(t, audit.Config{}, map[string]string{"payments.log": text})
	if diff := cmp.Diff([]string{
		"log/no-correlation-id 10  (payments): errors have no request or trace id",
		"log/plain-text 40  (payments): lines are plain text",
	}, found(a, "log/")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(a.Logs) != 1 {
		t.Fatalf("%+v", a.Logs)
	}
	q := a.Logs[0]
	if q.Records != 40 || q.Structured != 0 || q.Timestamp != 40 || q.Severity != 40 || q.Correlation != 0 || q.Business != 10 || q.Errors != 10 || q.Traced != 0 {
		t.Errorf("%+v", q)
	}
	if q.Sample.Source.File != "payments.log" || q.Sample.Source.Line != 4 {
		t.Errorf("the first error is on line 4: %+v", q.Sample)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(q.Rewritten), &got); err != nil {
		t.Fatalf("%s: %v", q.Rewritten, err)
	}
	want := map[string]any{"timestamp": "2026-11-20T10:00:03.000Z", "level": "error", "service": "payments", "requestId": nil, "cartId": "c_3", "userId": "usr_456",
		"message": "charge failed for cartId=c_3 userId=usr_456 token=tok_visa4242"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestStructuredLogs(t *testing.T) {
	text := times(40, func(i int) string {
		return fmt.Sprintf(`{"time":"%s","level":"ERROR","msg":"charge failed","requestId":"r-%d","userId":"usr_456"}`+"\n", stamp(i), i)
	})
	a := judge(t, audit.Config{}, map[string]string{"payments.log": text})
	if got := found(a, "log/"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	want := inquest.LogQuality{Service: "payments", Format: "slog", Records: 40, Structured: 40, Timestamp: 40, Severity: 40, Correlation: 40, Business: 40, Errors: 40, Traced: 40}
	if diff := cmp.Diff([]inquest.LogQuality{want}, a.Logs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLogsThatSayHardlyAnything(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"worker.log": times(30, func(i int) string { return fmt.Sprintf("charge %d could not be sent to the bank\n", i) })})
	if diff := cmp.Diff([]string{
		"log/no-correlation-id 30  (worker): records have no request or trace id",
		"log/no-severity 30  (worker): records have no severity",
		"log/no-timestamp 30  (worker): records have no date and time",
		"log/plain-text 30  (worker): lines are plain text",
		"log/no-business-context 30  (worker): records name no user, order or other thing of the business",
	}, found(a, "log/")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A database writes as it must: its log is no application's.
func TestOnlyApplicationLogsAreJudged(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"postgresql.log": times(30, func(i int) string {
		return t0.Add(time.Duration(i)*time.Second).Format("2006-01-02 15:04:05.000 UTC") + " [71] LOG:  checkpoint starting: time\n"
	})})
	if len(a.Logs) != 0 || len(found(a, "log/")) != 0 {
		t.Errorf("%+v %v", a.Logs, found(a, "log/"))
	}
}

// However a file is divided among readers, the answer is the same.
func TestTheAnswerDoesNotDependOnWhoReadWhat(t *testing.T) {
	files := paired(true)
	files["payments.log"] = times(3000, func(i int) string { return fmt.Sprintf("%s ERROR charge failed for cartId=c_%d\n", stamp(i), i) })
	files["scan.log"] = times(9000, func(i int) string {
		return clf(i, fmt.Sprintf("GET /%c%c%c/x", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26), 503, `retry_after="-"`)
	})
	first := judge(t, audit.Config{}, files)
	for range 3 {
		if diff := cmp.Diff(first, judge(t, audit.Config{}, files)); diff != "" {
			t.Fatalf("-first +again\n%s", diff)
		}
	}
	if n := len(first.Findings); n > 2100 {
		t.Errorf("%d findings are kept apart", n)
	}
	total := 0
	for _, f := range first.Findings {
		if f.Rule.ID == "status/503-without-retry-after" {
			total += f.Count
		}
	}
	if total != 9000 {
		t.Errorf("%d of 9000 are counted", total)
	}
}
