package conformance

import (
	"fmt"
	"strings"
)

// leaks: what a failing service says to strangers.
func leaks() []behaviour {
	const group = "what leaks"
	var out []behaviour
	for _, l := range []struct{ name, kind, body, secret string }{
		{"500-java", "text/plain", "java.lang.NullPointerException: Cannot invoke \"Cart.total()\"\n\tat com.shop.checkout.Orders.place(Orders.java:88)\n\tat com.shop.Http.serve(Http.java:17)\n", "com.shop"},
		{"500-spring-json", "application/json", `{"timestamp":"2026-03-14T09:00:00Z","status":500,"error":"Internal Server Error","trace":"java.lang.IllegalStateException: x\n\tat com.shop.A.b(A.java:1)","path":"/a"}`, "IllegalState"},
		{"500-python-html", "text/html", "<html><head><title>OperationalError at /cart</title></head><body><h1>OperationalError at /cart</h1><pre>Traceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 41, in total\n</pre></body></html>", "/srv/shop"},
		{"500-node-json", "application/json", `{"error":"TypeError: Cannot read properties of undefined (reading 'id')","stack":"TypeError: Cannot read properties of undefined\n    at Cart.total (/app/src/cart.js:41:17)"}`, "/app/src"},
		{"500-go-panic", "text/plain", "panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 17 [running]:\nmain.(*Cart).Total(0x0)\n\t/src/shop/cart.go:41 +0x1d\n", "goroutine"},
		{"500-sql", "application/json", `{"error":"ERROR: column \"discount\" does not exist at SELECT discount FROM orders WHERE user_id = $1"}`, "SELECT"},
		{"500-connection", "text/plain", "could not connect: postgres://shop:hunter2@db-7.prod.internal:5432/shop", "hunter2"},
		{"500-host", "application/json", `{"message":"dial tcp 10.4.7.19:6379: connect: connection refused"}`, "10.4.7.19"},
		{"500-version", "text/html", "<html><body><h1>500 Internal Server Error</h1><hr>Apache/2.4.41 (Ubuntu) PHP/7.4.3</body></html>", "2.4.41"},
		{"500-trace-in-clean-html", "text/html", "<html><body>Sorry.<!-- at com.shop.Orders.place(Orders.java:88) --></body></html>", "Orders.java"},
	} {
		out = append(out, behaviour{group: group, name: l.name, sentence: "what a 5xx gives away stays inside; the client gets an id", expected: "500 with errorId",
			script: reply(message(500, l.kind, l.body, "X-Powered-By: Express/4.17")),
			judge: func(v *view) string {
				if id := v.Header.Get("X-Error-Id"); !strings.HasPrefix(id, "ERR-") || !strings.Contains(v.Body, id) || v.log.ErrorID != id {
					return fmt.Sprintf("id %q, logged %q, body %.100q", id, v.log.ErrorID, v.Body)
				}
				return want{status: []int{500}, not: []string{l.secret}, header: map[string]string{"X-Powered-By": ""}, reason: "body-rule"}.judge(v)
			}})
	}
	out = append(out, behaviour{group: group, name: "500-header", sentence: "what a header of a 5xx gives away stays inside; the clean body and the ids are kept", expected: "500, body kept",
		script: reply(message(500, "application/json", `{"error":"sorry"}`, "X-Exception: java.lang.NullPointerException: cart", "X-Backend: 10.4.7.19:8080", "X-Correlation-Id: 7f3a")),
		judge:  want{status: []int{500}, body: `{"error":"sorry"}`, header: map[string]string{"X-Exception": "", "X-Backend": "", "X-Correlation-Id": "7f3a"}}.judge})
	shapes := func(name, accept, kind, has string) behaviour {
		return behaviour{group: group, name: name, sentence: "an error of the gateway has the shape that the client asks for", expected: kind,
			script: reply(message(500, "text/plain", "panic: x\n\ngoroutine 1 [running]:\n")), ask: ask{header: []string{"Accept: " + accept}},
			judge: want{status: []int{500}, header: map[string]string{"Content-Type": kind}, has: []string{has, "ERR-"}}.judge}
	}
	return append(out, shapes("shape-json", "application/json", "application/json", `"error":"INTERNAL_SERVER_ERROR"`),
		shapes("shape-problem", "application/problem+json", "application/problem+json", `"status":500`),
		shapes("shape-html", "text/html,application/xhtml+xml", "text/html; charset=utf-8", "<h1>"))
}

// mapping: statuses that are not true.
func mapping() []behaviour {
	const group = "statuses that are not true"
	to := func(name string, status int, kind, body string, true_ int) behaviour {
		return behaviour{group: group, name: name, sentence: fmt.Sprintf("a %d that says this is a %d, and the log and a header say why", status, true_), expected: fmt.Sprint(true_),
			script: reply(message(status, kind, body)), judge: func(v *view) string {
				if v.log.Upstream != status {
					return fmt.Sprintf("the log has %d as the upstream's status", v.log.Upstream)
				}
				w := want{status: []int{true_}, reason: "body-rule", header: map[string]string{"X-Inquest-Reason": "body-rule"}}
				w.retry = true_ == 429 || true_ == 503
				return w.judge(v)
			}}
	}
	stays := func(name string, status int, kind, body string) behaviour {
		return behaviour{group: group, name: name, sentence: "this is what it says it is", expected: fmt.Sprintf("%d, untouched", status),
			script: reply(message(status, kind, body)), judge: want{status: []int{status}, body: body}.judge}
	}
	j := "application/json"
	return []behaviour{
		to("limit-exceeded", 500, j, `{"message":"Rate limit exceeded"}`, 429), to("limit-throttling", 500, j, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, 429),
		to("pool-hikari", 500, "text/plain", "HikariPool-1 - Connection is not available, request timed out after 30000ms.", 503),
		to("pool-sqlalchemy", 500, "text/plain", "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30", 503),
		to("pool-tomcat", 500, "text/plain", "Timeout: Pool empty. Unable to fetch a connection in 30 seconds, none available[size:10; busy:10; idle:0; lastwait:30000].", 503),
		stays("verdict-false", 200, j, `{"valid":false,"errors":["email is missing"]}`), stays("out-of-stock", 200, j, `{"available":false,"error":"out of stock"}`),
		to("pool-postgres", 500, j, `{"error":"FATAL: remaining connection slots are reserved for non-replication superuser connections"}`, 503),
		to("timeout-in-500", 500, j, `{"error":"upstream request timeout"}`, 504),
		to("lie-error", 200, j, `{"error":"internal error"}`, 500), to("lie-success-false", 200, j, `{"success":false,"message":"something broke"}`, 500),
		to("lie-number", 200, j, `{"code":503,"message":"try later"}`, 503), to("lie-page", 200, "text/html", "<html><body><h1>500 Internal Server Error</h1></body></html>", 500),
		to("pool-jdbc", 500, j, `{"message":"Unable to acquire JDBC Connection"}`, 503), to("limit-rate", 500, "text/plain", "Rate exceeded", 429), to("timeout-word", 500, j, `{"error":"timeout"}`, 504),
		stays("limit-invalid", 500, j, `{"error":"invalid rate limit: -1"}`), stays("article", 200, "text/html", "<html><head><title>What a 500 is</title></head><body><h1>Internal Server Error</h1></body></html>"),
		stays("recursion-limit", 500, j, `{"error":"recursion limit exceeded"}`), stays("file-size-limit", 500, j, `{"error":"file size limit exceeded"}`),
		stays("credit-limit", 500, j, `{"error":"credit limit reached"}`), stays("thread-pool", 500, j, `{"error":"thread pool exhausted, task rejected"}`),
		stays("error-null", 200, j, `{"error":null,"id":7}`), stays("errors-empty", 200, j, `{"errors":[],"data":{"id":7}}`),
		stays("error-report", 200, j, `{"id":7,"error":{"message":"disk full"},"created":"2026-03-14","project":"shop","events":12}`),
		stays("partial-batch", 200, j, `{"results":[{"id":1,"ok":true},{"id":2,"error":"not found"}]}`),
		{group: group, name: "lie-chunked", sentence: "a lie without a length is found too", expected: "500",
			script: reply("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"error\":\"broke\"\r\n1\r\n}\r\n0\r\n\r\n"),
			judge:  want{status: []int{500}, reason: "body-rule"}.judge},
	}
}
