package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/audit"
)

func TestWhatOneRequestShows(t *testing.T) {
	haproxy := func(state string, status, timers, retries string) string {
		return "10.0.1.2:33317 [20/Nov/2026:10:00:01.123] front app/srv1 " + timers + " " + status + " 2750 - - " + state + " 1/1/1/1/" + retries + " 0/0 \"POST /pay HTTP/1.1\"\n"
	}
	envoy := func(status, flags string) string {
		return `[2026-11-20T10:00:01.000Z] "GET /pay HTTP/1.1" ` + status + ` ` + flags + ` upstream_reset - "-" 0 91 5000 - "-" "curl" "4d2f" "shop.example" "10.0.0.1:8080" outbound - 10.0.0.9:80 10.0.0.9:1 - -` + "\n"
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"503 without Retry-After, logged as not sent": {clf(0, "GET /a", 503, `retry_after="-"`), []string{"status/503-without-retry-after 1 GET /a (gateway)"}},
		"503 with Retry-After":                        {clf(0, "GET /a", 503, `retry_after="30"`), nil},
		"503 whose Retry-After nobody logged":         {clf(0, "GET /a", 503, ""), nil},
		"429 without Retry-After":                     {clf(0, "GET /a", 429, `retry_after="-"`), []string{"status/429-without-retry-after 1 GET /a (gateway)"}},
		"Caddy logs all headers, and there was none": {
			`{"level":"error","ts":1795168801.1,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.9","proto":"HTTP/1.1","method":"GET","host":"shop.example","uri":"/a","headers":{"Accept":["*/*"]}},"duration":0.1,"size":10,"status":503,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/plain"]}}` + "\n",
			[]string{"status/503-without-retry-after 1 GET /a (gateway)"},
		},
		"Caddy logs all headers, and it was among them": {
			`{"level":"error","ts":1795168801.1,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.9","proto":"HTTP/1.1","method":"GET","host":"shop.example","uri":"/a","headers":{"Accept":["*/*"]}},"duration":0.1,"size":10,"status":503,"resp_headers":{"Server":["Caddy"],"Retry-After":["5"]}}` + "\n", nil,
		},
		"a POST after an answer of the first upstream": {
			clf(0, "POST /pay", 200, `ua="10.0.0.1:80, 10.0.0.2:80" us="503, 200"`), []string{"retry/non-idempotent 1 POST /pay (gateway): the first attempt answered 503"},
		},
		"a POST whose first connection was made": {
			clf(0, "POST /pay", 200, `uct="0.001, 0.001" ua="10.0.0.1:80, 10.0.0.2:80" us="502, 200"`), []string{"retry/non-idempotent 1 POST /pay (gateway): the first attempt answered 502"},
		},
		"a POST whose first connection failed was sent once": {clf(0, "POST /pay", 200, `uct="-, 0.001" ua="10.0.0.1:80, 10.0.0.2:80" us="502, 200"`), nil},
		"a POST of which nothing tells whether it was sent":  {clf(0, "POST /pay", 200, `ua="10.0.0.1:80, 10.0.0.2:80" us="502, 200"`), []string{"retry/non-idempotent-unclear 1 POST /pay (gateway)"}},
		"a GET may be sent twice":                            {clf(0, "GET /pay", 200, `ua="10.0.0.1:80, 10.0.0.2:80" us="503, 200"`), nil},
		"a POST with an Idempotency-Key may be sent twice":   {clf(0, "POST /pay", 200, `ua="10.0.0.1:80, 10.0.0.2:80" us="503, 200" idempotency_key="k1"`), nil},
		"HAProxy's server time-out told as 504":              {haproxy("sH--", "504", "0/0/0/-1/5000", "0"), nil},
		"HAProxy's client that left while waiting":           {haproxy("CH--", "503", "0/0/0/-1/5000", "0"), []string{"status/client-left-as-5xx 1 POST /pay (gateway)"}},
		"HAProxy's server time-out told as 502":              {haproxy("sH--", "502", "0/0/0/-1/5000", "0"), []string{"status/timeout-not-504 1 POST /pay (gateway)"}},
		"Envoy's upstream time-out told as 500":              {envoy("500", "UT"), []string{"status/timeout-not-504 1 GET /pay (gateway)"}},
		"Envoy's client that left":                           {envoy("503", "DC"), []string{"status/client-left-as-5xx 1 GET /pay (gateway)"}},
		"Envoy's limiter told as 503":                        {envoy("503", "RL"), []string{"status/limit-as-5xx 1 GET /pay (gateway)"}},
		"Envoy's limiter told as 429":                        {envoy("429", "RL"), nil},
		"a client that waited for ten seconds and left":      {clf(0, "GET /slow", 499, "rt=10.2 urt=10.1"), []string{"status/499-hides-wait 1 GET /slow (gateway)"}},
		"a client that left at once":                         {clf(0, "GET /slow", 499, "rt=0.2 urt=0.1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, audit.Config{}, map[string]string{"gateway.log": c.text})
			if a.Requests != 1 {
				t.Fatalf("%d requests were read: %+v", a.Requests, a.Files)
			}
			if diff := cmp.Diff(append([]string{}, c.want...), found(a, "status/", "retry/")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// The service behind the gateway saw one request twice: nobody but the gateway can have sent it again.
func TestAServiceThatGotOnePostTwice(t *testing.T) {
	line := func(i, n, status int) string {
		return clf(i*10+n, "POST /pay", status, fmt.Sprintf("rid=0000000000000000000000000000%04x", i))
	}
	a := judge(t, audit.Config{}, map[string]string{
		"nginx-access.log": times(3, func(i int) string { return line(i, 2, 200) }),
		"pay-access.log":   times(3, func(i int) string { return line(i, 0, 500) + line(i, 1, 200) }),
	})
	if diff := cmp.Diff([]string{"retry/non-idempotent 3 POST /pay (nginx): pay was sent the same request 2 times"}, found(a, "retry/")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	twice := judge(t, audit.Config{}, map[string]string{
		"nginx-access.log": line(1, 2, 500) + line(1, 4, 200),
		"pay-access.log":   line(1, 1, 500) + line(1, 3, 200),
	})
	if got := found(twice, "retry/"); len(got) != 0 {
		t.Errorf("a client that sent it twice was blamed on the gateway: %v", got)
	}
}

// nginx answers a rejected request 503 unless told otherwise; only its error log tells why (REQUIREMENTS T21).
func TestTheLimiterOfNginx(t *testing.T) {
	errors := times(4, func(i int) string {
		return fmt.Sprintf("2026/11/20 10:00:%02d [error] 12#12: *%d limiting requests, excess: 5.120 by zone \"api\", client: 10.0.0.9, server: shop.example, request: \"GET /api/list?p=%d HTTP/1.1\", host: \"shop.example\"\n", i, i+77, i)
	})
	access := func(status int) string {
		return times(4, func(i int) string { return clf(i, "GET /api/list?p="+fmt.Sprint(i), status, "") })
	}
	a := judge(t, audit.Config{}, map[string]string{"access.log": access(503), "error.log": errors})
	if diff := cmp.Diff([]string{"status/limit-as-5xx 4 GET /api/list (nginx): nginx's error log says that a limit was exceeded"}, found(a, "status/limit")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, files := range map[string]map[string]string{
		"answered 429":           {"access.log": access(429), "error.log": errors},
		"only delayed":           {"access.log": access(503), "error.log": strings.ReplaceAll(errors, "limiting", "delaying")},
		"answers are not logged": {"error.log": errors},
	} {
		if got := found(judge(t, audit.Config{}, files), "status/limit"); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestExamplesAreTheFirstOnes(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{
		"b.log": times(5, func(i int) string { return clf(i, "GET /x", 503, `retry_after="-"`) }),
		"a.log": clf(9, "GET /x", 200, "") + clf(9, "GET /x", 503, `retry_after="-"`),
	})
	var got []string
	for _, f := range a.Findings {
		for _, e := range f.Examples {
			got = append(got, fmt.Sprintf("%s:%d %s", e.Source.File, e.Source.Line, e.Text))
		}
	}
	want := []string{"b.log:1 GET /x answered 503", "b.log:2 GET /x answered 503", "b.log:3 GET /x answered 503", "a.log:2 GET /x answered 503"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	for name, cfg := range map[string]audit.Config{
		"no rule":  {Skip: []string{"status/nonsense"}},
		"no share": {HealthThreshold: 5},
	} {
		if _, err := audit.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRulesThatAreSkippedFindNothing(t *testing.T) {
	text := clf(0, "GET /a", 503, `retry_after="-"`) + clf(0, "GET /a", 500, via("429"))
	if n := len(judge(t, audit.Config{}, map[string]string{"gateway.log": text}).Findings); n != 2 {
		t.Fatalf("%d findings", n)
	}
	a := judge(t, audit.Config{Skip: []string{"status/503-without-retry-after", "mapping/limit-lost"}}, map[string]string{"gateway.log": text})
	if len(a.Findings) != 0 {
		t.Errorf("%+v", a.Findings)
	}
}

// A rule without a reason, a source or a fix cannot be argued with.
func TestEveryRuleIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range audit.Rules() {
		if r.Title == "" || r.Why == "" || r.Source == "" || r.Fix == "" || r.Needs == "" || r.Severity.Rank() == 0 || strings.Count(r.ID, "/") != 1 {
			t.Errorf("%+v", r)
		}
		if seen[r.ID] {
			t.Errorf("%s twice", r.ID)
		}
		seen[r.ID] = true
	}
}
