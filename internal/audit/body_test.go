package audit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/audit"
)

// archive is a HAR file of one GET /a.
func archive(t testing.TB, status int, body, mime string, headers ...string) string {
	t.Helper()
	quote := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var list []string
	for i := 0; i+1 < len(headers); i += 2 {
		list = append(list, fmt.Sprintf(`{"name":%s,"value":%s}`, quote(headers[i]), quote(headers[i+1])))
	}
	return fmt.Sprintf(`{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[{"startedDateTime":"2026-11-20T10:00:00Z","time":5,
"request":{"method":"GET","url":"https://shop.example/a","headers":[]},
"response":{"status":%d,"headers":[%s],"content":{"mimeType":%s,"text":%s}}}]}}`, status, strings.Join(list, ","), quote(mime), quote(body)) + "\n"
}

func TestWhatBodiesSay(t *testing.T) {
	const js = "application/json"
	id := []string{"X-Request-Id", "4bf92f35", "Retry-After", "5"}
	for name, c := range map[string]struct {
		status     int
		body, mime string
		headers    []string
		want       []string
	}{
		"a success that is an error": {200, `{"success":false,"error":"database unavailable"}`, js, id, []string{"status/lying-200 1 GET /a (shop.example): the body says 500"}},
		"a success without an error": {200, `{"error":null,"items":[1]}`, js, id, nil},
		"a limit told as 500":        {500, `{"__type":"ThrottlingException","message":"Rate limit exceeded"}`, js, id, []string{"status/500-for-limit 1 GET /a (shop.example): the body says 429"}},
		"a full pool told as 500":    {500, `{"error":"connection pool exhausted"}`, js, id, []string{"status/500-for-capacity 1 GET /a (shop.example): the body says 503"}},
		"a time-out told as 500":     {500, `{"error":"upstream timed out"}`, js, id, []string{"status/500-for-timeout 1 GET /a (shop.example): the body says 504"}},
		"a bug told as 500":          {500, `{"error":"INTERNAL_SERVER_ERROR","message":"Something went wrong"}`, js, id, nil},
		"an error without an id":     {500, `{"error":"INTERNAL_SERVER_ERROR","message":"Something went wrong"}`, js, nil, []string{"status/5xx-without-id 1 GET /a (shop.example)"}},
		"an error with an id":        {500, `{"error":"INTERNAL_SERVER_ERROR","message":"no","errorId":"ERR-1732147200000-7QK2ZD"}`, js, nil, nil},
		"a page with an id":          {502, `<h1>Bad gateway</h1><p>Request ID: <code>8c5f2ab19d</code></p>`, "text/html", nil, nil},
		"a stack trace": {500, "java.lang.NullPointerException\n\tat com.shop.Cart.total(Cart.java:42)\n\tat com.shop.Pay.run(Pay.java:7)", "text/plain", id,
			[]string{"leak/path 1 GET /a (shop.example)", "leak/stack 1 GET /a (shop.example)"}},
		"SQL": {500, `{"message":"ERROR: column \"tier\" does not exist at SELECT tier FROM users WHERE id=$1"}`, js, id, []string{"leak/sql 1 GET /a (shop.example)"}},
		"a connection string": {500, `{"message":"cannot connect to postgres://app:s3cret@db-1.internal:5432/shop"}`, js, id,
			[]string{"leak/connection 1 GET /a (shop.example)", "leak/host 1 GET /a (shop.example)"}},
		"a leak in a client's error": {404, "Traceback (most recent call last):\n  File \"/srv/app/views.py\", line 12, in get\nKeyError: 'x'", "text/plain", id,
			[]string{"leak/path 1 GET /a (shop.example)", "leak/stack 1 GET /a (shop.example)"}},
		"documentation about errors": {200, "Traceback (most recent call last):\n  File \"x.py\", line 12, in get\nKeyError: 'x'", "text/plain", id, nil},
		"a version in a header":      {200, `{}`, js, []string{"Server", "nginx/1.22.1"}, []string{"leak/version-header 1 GET /a (shop.example): nginx/1.22.1"}},
		"a product in a header":      {200, `{}`, js, []string{"Server", "cloudflare"}, nil},
		"503 without Retry-After":    {503, `{"error":"UNAVAILABLE","requestId":"4bf92f35aa"}`, js, nil, []string{"status/503-without-retry-after 1 GET /a (shop.example)"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, audit.Config{}, map[string]string{"browser.har": archive(t, c.status, c.body, c.mime, c.headers...)})
			if a.Requests != 1 {
				t.Fatalf("%d requests: %+v", a.Requests, a.Files)
			}
			if diff := cmp.Diff(append([]string{}, c.want...), found(a, "status/", "leak/")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// What gives access is not repeated by those who found it.
func TestSecretsInBodiesAreNotQuoted(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"browser.har": archive(t, 500, `{"message":"cannot connect to postgres://app:s3cret@db-1.internal:5432/shop"}`, "application/json")})
	for _, f := range a.Findings {
		for _, e := range f.Examples {
			if strings.Contains(e.Text, "s3cret") {
				t.Errorf("%s: %s", f.Rule.ID, e.Text)
			}
		}
	}
}

func TestBodiesInAccessLogs(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"gateway.log": times(3, func(i int) string {
		return fmt.Sprintf(`{"time":"2026-11-20T10:00:%02d+00:00","remote_addr":"10.0.0.9","request_uri":"/pay","request_method":"POST","status":"200","request_time":"0.2","request_id":"r%d","content_type":"application/json","response_body":"{\"success\":false,\"message\":\"payment failed\"}"}`+"\n", i, i)
	})})
	if diff := cmp.Diff([]string{"status/lying-200 3 POST /pay (gateway): the body says 500"}, found(a, "status/")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Where bodies are not logged, the service's own log under the request's id tells what the 500 was.
func TestA500WhoseLogNamesAnotherStatus(t *testing.T) {
	id := func(i int) string { return fmt.Sprintf("0000000000000000000000000000%04x", i) }
	files := func(message string) map[string]string {
		return map[string]string{
			"nginx-access.log": times(20, func(i int) string { return clf(i, fmt.Sprintf("GET /orders/%d", i), 500, via("500")+" rid="+id(i)) }),
			"orders.log": times(20, func(i int) string {
				return fmt.Sprintf(`{"time":"%s","level":"ERROR","msg":"%s","requestId":"%s","userId":"u1"}`+"\n", stamp(i), message, id(i))
			}),
		}
	}
	a := judge(t, audit.Config{}, files("HikariPool-1 - Connection is not available, request timed out after 30000ms."))
	if diff := cmp.Diff([]string{"status/500-for-capacity 20 GET /orders/{id} (nginx): the log of orders says 503"}, found(a, "status/")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	limit := found(judge(t, audit.Config{}, files("rates answered: too many requests")), "status/")
	if diff := cmp.Diff([]string{"status/500-for-capacity 20 GET /orders/{id} (nginx): the log of orders says 503"}, limit); diff != "" {
		t.Errorf("a limit on what the service called is no fault of its client: -want +got\n%s", diff)
	}
	if got := found(judge(t, audit.Config{}, files("Cannot read properties of undefined (reading 'total')")), "status/"); len(got) != 0 {
		t.Errorf("a bug: %v", got)
	}
}
