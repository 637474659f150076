package answer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard/answer"
)

func reply(status int, contentType, body string) answer.Answer {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return answer.Answer{Status: status, Header: h, Body: []byte(body), Whole: true}
}

func TestA500WithAKnownMechanismGetsItsStatus(t *testing.T) {
	cases := map[string]struct {
		body string
		want int
		rule string
	}{
		"limit exceeded":             {`{"error":"Limit exceeded"}`, 429, answer.RuleLimit},
		"AWS LimitExceededException": {`{"__type":"LimitExceededException","message":"x"}`, 429, answer.RuleLimit},
		"AWS throttling":             {`{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}`, 429, answer.RuleLimit},
		"AWS throughput":             {`ProvisionedThroughputExceededException: rate of requests exceeds the allowed throughput`, 429, answer.RuleLimit},
		"Kong":                       {`{"message":"API rate limit exceeded"}`, 429, answer.RuleLimit},
		"Apigee":                     {`{"fault":{"faultstring":"Rate limit quota violation. Quota limit exceeded"}}`, 429, answer.RuleLimit},
		"plain words":                {`too many requests`, 429, answer.RuleLimit},
		"code word":                  {`{"code":"RATE_LIMIT_EXCEEDED"}`, 429, answer.RuleLimit},
		"quota":                      {`{"error":{"message":"You exceeded your current quota"}}`, 429, answer.RuleLimit},
		"daily requests":             {`daily request limit exceeded`, 429, answer.RuleLimit},
		"was throttled":              {`request was throttled`, 429, answer.RuleLimit},
		"HikariCP":                   {`java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.`, 503, answer.RulePool},
		"SQLAlchemy":                 {`sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00`, 503, answer.RulePool},
		"PostgreSQL slots":           {`FATAL: remaining connection slots are reserved for non-replication superuser connections`, 503, answer.RulePool},
		"PostgreSQL clients":         {`{"error":"FATAL: sorry, too many clients already (SQLSTATE 53300)"}`, 503, answer.RulePool},
		"MySQL":                      {`ERROR 1040 (HY000): Too many connections`, 503, answer.RulePool},
		"Knex":                       {`Knex: Timeout acquiring a connection. The pool is probably full.`, 503, answer.RulePool},
		"node-postgres":              {`{"message":"timeout exceeded when trying to connect"}`, 503, answer.RulePool},
		"ADO.NET":                    {`Timeout expired. The timeout period elapsed prior to obtaining a connection from the pool.`, 503, answer.RulePool},
		"Active Record":              {`could not obtain a connection from the pool within 5.000 seconds`, 503, answer.RulePool},
		"connection pool exhausted":  {`{"error":"connection pool exhausted"}`, 503, answer.RulePool},
		"psycopg2":                   {`psycopg2.pool.PoolError: connection pool exhausted`, 503, answer.RulePool},
		"Hibernate":                  {`{"message":"Unable to acquire JDBC Connection"}`, 503, answer.RulePool},
		"go-redis":                   {`redis: connection pool timeout`, 503, answer.RulePool},
		"MongoDB":                    {`Timed out after 30000 ms while waiting for a connection from pool`, 503, answer.RulePool},
		"ADO.NET, all in use":        {`This may have occurred because all pooled connections were in use and max pool size was reached.`, 503, answer.RulePool},
		"PostgreSQL, roles":          {`connection limit exceeded for non-superusers`, 503, answer.RulePool},
		"no connection in the pool":  {`{"error":"no available connections in pool"}`, 503, answer.RulePool},
		"has been exhausted":         {`The connection pool has been exhausted`, 503, answer.RulePool},
		"Amazon's words":             {`{"message":"Rate exceeded"}`, 429, answer.RuleLimit},
		"Google's words":             {`{"error":{"message":"Resource has been exhausted (e.g. check quota)."}}`, 429, answer.RuleLimit},
		"Cosmos DB":                  {`Request rate is too large`, 429, answer.RuleLimit},
		"x/time/rate":                {`rate: Wait(n=1) would exceed context deadline`, 429, answer.RuleLimit},
		"a 429 from behind":          {`{"error":"upstream returned 429"}`, 429, answer.RuleLimit},
		"a word between others":      {`{"error":"throttling","path":"/x"}`, 429, answer.RuleLimit},
		"Ruby":                       {`{"error":"Net::ReadTimeout"}`, 504, answer.RuleTimeout},
		".NET":                       {`The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.`, 504, answer.RuleTimeout},
		"gRPC's code":                {`{"code":"DEADLINE_EXCEEDED"}`, 504, answer.RuleTimeout},
		"one word":                   {`{"error":"timeout"}`, 504, answer.RuleTimeout},
		"whose timeout":              {`{"error":"upstream timeout","path":"/x"}`, 504, answer.RuleTimeout},
		"in an HTML page":            {`<html><title>Error</title><p>Couldn&#39;t get a connection after 30.00 sec</p></html>`, 503, answer.RulePool},
		"resilience4j":               {`CircuitBreaker 'payment' is OPEN and does not permit further calls`, 503, answer.RuleBreaker},
		"timed out":                  {`{"error":"upstream timed out"}`, 504, answer.RuleTimeout},
		"Java":                       {`java.net.SocketTimeoutException: Read timed out`, 504, answer.RuleTimeout},
		"Go":                         {`{"error":"context deadline exceeded"}`, 504, answer.RuleTimeout},
		"Node":                       {`{"code":"ETIMEDOUT"}`, 504, answer.RuleTimeout},
		"axios":                      {`{"message":"timeout of 5000ms exceeded"}`, 504, answer.RuleTimeout},
		"PostgreSQL statement":       {`canceling statement due to statement timeout`, 504, answer.RuleTimeout},
		"one that is meant after one that is not": {`session timed out while the gateway timed out`, 504, answer.RuleTimeout},
	}
	j := newJudge(t)
	for name, c := range cases {
		v := j.Status(reply(500, "", c.body))
		if v.Status != c.want || v.Rule != c.rule || v.Reason == "" {
			t.Errorf("%s: %q is %d by %q, want %d by %q", name, c.body, v.Status, v.Rule, c.want, c.rule)
		}
		if v := newJudge(t, c.rule).Status(reply(500, "", c.body)); v.Changed() {
			t.Errorf("%s: with %s switched off it is %d by %q", name, c.rule, v.Status, v.Rule)
		}
		for _, status := range []int{400, 404, 409, 422, 429, 501, 502, 503, 504} {
			if v := j.Status(reply(status, "", c.body)); v.Changed() || v.Status != status {
				t.Errorf("%s: %d became %d: a status that was chosen is meant", name, status, v.Status)
			}
		}
		if v := j.Status(reply(500, "application/problem+json", c.body)); v.Changed() {
			t.Errorf("%s: problem details became %d", name, v.Status)
		}
	}
}

func TestA500ThatOnlySoundsAlikeStaysOne(t *testing.T) {
	j := newJudge(t)
	for _, body := range []string{
		`RecursionError: maximum recursion depth exceeded`,
		`recursion limit exceeded`,
		`{"error":"recursion limit reached"}`,
		`file size limit exceeded`,
		`{"error":"upload size limit exceeded: 10 MB"}`,
		`{"error":"credit limit reached"}`,
		`credit limit exceeded`,
		`daily transfer limit exceeded`,
		`java.lang.OutOfMemoryError: GC overhead limit exceeded`,
		`memory limit exceeded`,
		`Disk quota exceeded`,
		`storage quota exceeded`,
		`java.util.concurrent.RejectedExecutionException: Task rejected from ThreadPoolExecutor[Running, pool size = 10, active threads = 10, queued tasks = 100]`,
		`{"error":"thread pool exhausted"}`,
		`worker pool is full`,
		`session timed out, please log in`,
		`{"error":"invalid rate limit: -1"}`,
		`string pool exhausted`,
		`cannot set timeout twice`,
		`{"error":"connection timeout must be positive"}`,
		`{"error":"idle pool size 429 is odd"}`,
		`invalid value for timeout`,
		`{"error":"cannot parse timeout: 5 apples"}`,
		`failed to load rate limit configuration`,
		"java.lang.NullPointerException\n\tat com.shop.RateLimitFilter.doFilter(RateLimitFilter.java:42)\n\tat com.shop.TimeoutException.<init>(TimeoutException.java:1)",
		"Traceback (most recent call last):\n  File \"/srv/ratelimit exceeded/x.py\", line 3, in timed_out\nKeyError: 'x'",
		`{"error":"INTERNAL_SERVER_ERROR"}`,
		`swimming pool booked`,
		``,
	} {
		if v := j.Status(reply(500, "", body)); v.Changed() || v.Status != 500 {
			t.Errorf("%q became %d by %s", body, v.Status, v.Rule)
		}
	}
}

func TestASuccessThatIsAnErrorIsALie(t *testing.T) {
	cases := map[string]struct {
		body string
		want int
	}{
		"a sentence":                  {`{"error":"database unavailable"}`, 500},
		"an object":                   {`{"error":{"message":"boom","code":"E17"}}`, 500},
		"not worth another try":       {`{"error":"boom","retryable":false}`, 500},
		"success false":               {`{"success":false,"message":"payment failed"}`, 500},
		"success false, with context": {`{"success":false,"orderId":"17","message":"payment failed"}`, 500},
		"ok false":                    {`{"ok":false,"error":"internal_error"}`, 500},
		"a number":                    {`{"code":500,"message":"Internal error"}`, 500},
		"an underscore":               {`{"error_code":"E1","error_message":"boom"}`, 500},
		"status error":                {`{"status":"error","message":"boom"}`, 500},
		"errors":                      {`{"errors":[{"message":"boom"}]}`, 500},
		"data is null beside it":      {`{"data":null,"error":"boom"}`, 500},
		"names its status":            {`{"error":{"code":404,"message":"no such order"}}`, 404},
		"names its status outside":    {`{"status":503,"error":"Service Unavailable","path":"/x"}`, 503},
		"names a code word":           {`{"success":false,"error":{"code":"UNAUTHENTICATED"}}`, 401},
		"names a limit":               {`{"error":"rate limit exceeded"}`, 429},
		"names a pool":                {`{"error":"connection pool exhausted"}`, 503},
		"names a timeout":             {`{"success":false,"error":"gateway timed out"}`, 504},
		"JSend fail is the client's":  {`{"status":"fail","data":{},"message":"bad title"}`, 400},
		"Lambda":                      {`{"errorMessage":"boom","errorType":"TypeError","stackTrace":["x"]}`, 500},
		"spaces before":               {"\n  {\"error\": \"boom\"}", 500},
	}
	j := newJudge(t)
	for name, c := range cases {
		for _, ct := range []string{"application/json; charset=utf-8", "application/vnd.shop+json", ""} {
			v := j.Status(reply(200, ct, c.body))
			if v.Status != c.want || v.Rule != answer.RuleLie || v.Error.Shape != "json" {
				t.Errorf("%s (%s): %s is %d by %q (%+v), want %d", name, ct, c.body, v.Status, v.Rule, v.Error, c.want)
			}
		}
		if v := newJudge(t, answer.RuleLie).Status(reply(200, "application/json", c.body)); v.Changed() {
			t.Errorf("%s: changed with the rule off", name)
		}
		cut := reply(200, "application/json", c.body)
		cut.Whole = false
		if v := j.Status(cut); v.Changed() {
			t.Errorf("%s: changed though only its beginning was seen", name)
		}
	}
}

func TestSuccessesThatMentionErrorsAreNone(t *testing.T) {
	j := newJudge(t)
	for name, body := range map[string]string{
		"no error":                   `{"error":null}`,
		"no error, in words":         `{"error":"","id":1}`,
		"error false":                `{"error":false}`,
		"the answer is no":           `{"valid":false,"errors":["email is missing"]}`,
		"none there":                 `{"available":false,"error":"out of stock"}`,
		"no errors":                  `{"errors":[]}`,
		"no errors, object":          `{"errors":{}}`,
		"a stored error report":      `{"id":"ERR-1","error":{"class":"TypeError","message":"boom"},"seen":12,"firstSeen":"2026-11-29"}`,
		"an error report's fields":   `{"report":{"title":"x"},"error":"NullPointerException","count":3}`,
		"a list of reports":          `[{"error":"a"},{"error":"b"}]`,
		"a partial batch":            `{"results":[{"success":true},{"success":false,"error":"x"}],"errors":1}`,
		"a partial batch, flag":      `{"success":false,"results":[{"id":1},{"error":"x"}]}`,
		"a batch with its failures":  `{"succeeded":[1,2],"failed":[3],"errors":[{"id":3,"message":"x"}]}`,
		"an answer with warnings":    `{"order":{"id":1},"errors":["coupon expired"]}`,
		"success true with warnings": `{"success":true,"error":"coupon expired"}`,
		"GraphQL, partial":           `{"data":{"user":null},"errors":[{"message":"x"}]}`,
		"JSON-RPC":                   `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`,
		"a metric":                   `{"errors":3,"requests":100}`,
		"a job that failed":          `{"id":"7","status":"failed","createdAt":"2026-11-29"}`,
		"a word":                     `{"status":"ok","message":"no errors found"}`,
		"not JSON":                   `{error`,
		"a document about errors":    `{"title":"Error handling","body":"How to fail"}`,
		"empty":                      ``,
	} {
		if v := j.Status(reply(200, "application/json", body)); v.Changed() || v.Status != 200 {
			t.Errorf("%s: %s became %d by %s", name, body, v.Status, v.Rule)
		}
	}
	if v := j.Status(reply(200, "application/health+json", `{"status":"fail"}`)); v.Changed() {
		t.Errorf("a health answer became %d: its status is the health package's affair", v.Status)
	}
}

func TestAnErrorPageWithSuccessIsALie(t *testing.T) {
	j := newJudge(t)
	for body, want := range map[string]int{
		`<html><head><title>502 Bad Gateway</title></head></html>`:                 502,
		`<html><TITLE>500 Internal Server Error</TITLE></html>`:                    500,
		`<title>Error 503: Service Temporarily Unavailable</title>`:                503,
		`<title>Gateway Time-out</title>`:                                          504,
		`<title>Error handling in Go: 500 Internal Server Error explained</title>`: 200,
		`<title>How we got rid of every 502 Bad Gateway</title>`:                   200,
		`<html><title>Shop</title><p>500 Internal Server Error</p></html>`:         200,
	} {
		if v := j.Status(reply(200, "text/html", body)); v.Status != want || (want != 200) != (v.Rule == answer.RuleLiePage) {
			t.Errorf("%s: %d by %q, want %d", body, v.Status, v.Rule, want)
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add(500, "application/json", []byte(`{"error":"limit exceeded"}`), true)
	f.Add(200, "application/json", []byte(`{"success":false}`), true)
	f.Add(200, "text/html", []byte(`<title>502 Bad Gateway</title>`), false)
	f.Add(500, "application/problem+json; charset=utf-8", []byte(`{"title":"timed out"}`), true)
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, status int, ct string, body []byte, whole bool) {
		a := reply(status, ct, string(body))
		a.Whole = whole
		v := j.Status(a)
		switch {
		case !v.Changed() && v.Status != status:
			t.Errorf("%d became %d without a rule", status, v.Status)
		case v.Changed() && status != 500 && (status < 200 || status > 299):
			t.Errorf("%d was changed", status)
		case v.Changed() && (v.Status < 400 || v.Status > 599):
			t.Errorf("%d became %d", status, v.Status)
		}
		if e := answer.Extract(a); len(e.Code) > 1000 || len(e.Message) > 1000 || strings.ToValidUTF8(e.Message, "") != e.Message {
			t.Errorf("extracted %+v", e)
		}
	})
}
