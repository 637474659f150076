package guard_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/guard/record"
)

// kept is a sink that keeps records, or fails.
type kept struct {
	mu   sync.Mutex
	all  []record.Record
	fail error
}

func (k *kept) Write(r record.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	k.all = append(k.all, r)
	return nil
}

func (k *kept) records() []record.Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all
}

func newGuard(t testing.TB, cfg guard.Config) (*guard.Guard, *kept) {
	t.Helper()
	k := &kept{}
	if cfg.Sink == nil {
		cfg.Sink = k
	}
	g, err := guard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, k
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func returning(err error) guard.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

func TestErrorsGetTheAnswerTheyDeserve(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	open, err := policy.NewBreaker(policy.BreakerConfig{Name: "payment", Failures: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := open.Allow()
	p.Done(policy.Failure)
	_, openErr := open.Allow()
	cases := map[string]struct {
		err        error
		status     int
		code       string
		retryAfter string
	}{
		"a missing field":            {guard.BadRequest("MISSING_REQUIRED_FIELDS", "cart_id is missing"), 400, "MISSING_REQUIRED_FIELDS", ""},
		"a declined payment":         {guard.PaymentRequired("PAYMENT_DECLINED", "declined"), 402, "PAYMENT_DECLINED", ""},
		"nothing there":              {guard.NotFound("NO_ORDER", "no such order"), 404, "NO_ORDER", ""},
		"out of stock":               {fmt.Errorf("checkout: %w", guard.Conflict("INVENTORY_CONFLICT", "out of stock")), 409, "INVENTORY_CONFLICT", ""},
		"too many requests":          {guard.TooManyRequests(90 * time.Second), 429, "TOO_MANY_REQUESTS", "90"},
		"too many, no time given":    {guard.TooManyRequests(0), 429, "TOO_MANY_REQUESTS", "5"},
		"a bad answer":               {guard.BadGateway(errors.New("x")), 502, "BAD_GATEWAY", ""},
		"unavailable":                {guard.Unavailable(errors.New("x"), 1500*time.Millisecond), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "2"},
		"too late":                   {guard.GatewayTimeout(errors.New("x")), 504, "GATEWAY_TIMEOUT", ""},
		"an open breaker":            {fmt.Errorf("pay: %w", openErr), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "30"},
		"a full bulkhead":            {policy.ErrFull, 500, "INTERNAL_SERVER_ERROR", ""}, // bare: no policy returns it
		"a limit on our own calls":   {policy.Quota{RetryAfter: time.Second}.Err("payment"), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "1"},
		"a deadline":                 {fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"a refused connection":       {fmt.Errorf("db: %w", dial), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"a bad connection":           {driver.ErrBadConn, 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"PostgreSQL's slots":         {errors.New("FATAL: sorry, too many clients already (SQLSTATE 53300)"), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"a full disk":                {&os.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"no descriptors":             {os.NewSyscallError("accept", syscall.EMFILE), 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"a cut answer of payment":    {&guard.CallError{Dependency: "payment", Err: io.ErrUnexpectedEOF}, 503, "SERVICE_TEMPORARILY_UNAVAILABLE", "5"},
		"a malformed one":            {&guard.CallError{Dependency: "payment", Err: errors.New("malformed HTTP response")}, 502, "BAD_GATEWAY", ""},
		"a cut request of a client":  {fmt.Errorf("decode: %w", io.ErrUnexpectedEOF), 500, "INTERNAL_SERVER_ERROR", ""},
		"a request that is too long": {&http.MaxBytesError{Limit: 10}, 413, "REQUEST_TOO_LARGE", ""},
		"a bug":                      {errors.New("index out of range"), 500, "INTERNAL_SERVER_ERROR", ""},
		"a rate limit of theirs":     {errors.New("stripe: rate limit exceeded"), 500, "INTERNAL_SERVER_ERROR", ""},
		"an impossible status":       {&guard.Error{Status: 200}, 500, "INTERNAL_SERVER_ERROR", ""},
	}
	for name, c := range cases {
		g, k := newGuard(t, guard.Config{})
		w := serve(g.Handle(returning(c.err)), get("/orders"))
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %v in %s", name, err, w.Body)
		}
		if w.Code != c.status || body["error"] != c.code || w.Header().Get("Retry-After") != c.retryAfter {
			t.Errorf("%s: %d %v, Retry-After %q; want %d %s %q", name, w.Code, body, w.Header().Get("Retry-After"), c.status, c.code, c.retryAfter)
		}
		if c.retryAfter != "" && fmt.Sprint(body["retryAfterSeconds"]) != c.retryAfter {
			t.Errorf("%s: the body says %v, the header %s", name, body["retryAfterSeconds"], c.retryAfter)
		}
		id, _ := body["errorId"].(string)
		records := k.records()
		if c.status < 500 {
			if id != "" || len(records) != 0 {
				t.Errorf("%s: a refusal of the client's request was recorded: %v", name, records)
			}
			continue
		}
		if !problem.ValidID(id) || w.Header().Get("X-Error-Id") != id || len(records) != 1 || records[0].ErrorID != id {
			t.Errorf("%s: id %q, header %q, records %+v", name, id, w.Header().Get("X-Error-Id"), records)
		}
		if strings.Contains(w.Body.String(), c.err.Error()) {
			t.Errorf("%s: the error's own text was told", name)
		}
	}
}

func TestARedirectAndAChallenge(t *testing.T) {
	g, k := newGuard(t, guard.Config{})
	w := serve(g.Handle(returning(guard.SeeOther("/login"))), get("/"))
	if w.Code != 303 || w.Header().Get("Location") != "/login" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = serve(g.Handle(returning(guard.Unauthorized(`Bearer realm="shop"`))), get("/"))
	if w.Code != 401 || w.Header().Get("Www-Authenticate") != `Bearer realm="shop"` || len(k.records()) != 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestOneFailureIsOneRecordOneAnswerOneAlert(t *testing.T) {
	pager := &pager{}
	g, k := newGuard(t, guard.Config{Service: "checkout", Notifier: pager})
	mux := http.NewServeMux()
	mux.Handle("POST /orders/{id}", g.Handle(func(w http.ResponseWriter, r *http.Request) error {
		guard.Annotate(r.Context(), "userId", "usr_456")
		guard.Annotate(r.Context(), "cartId", "cart_789")
		guard.Annotate(r.Context(), "email", "a@b.example") // nobody allowed it
		w.Header().Set("Content-Length", "999")
		w.Header().Set("X-Powered-By", "Go")
		panic("password=hunter22 is wrong")
	}))
	r := httptest.NewRequest(http.MethodPost, "/orders/17?token=abc&page=2", strings.NewReader("x"))
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("X-Request-Id", "req-12345678")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	w := serve(mux, r)
	g.Wait()
	var body struct{ Error, Message, ErrorID string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 500 || body.Error != "INTERNAL_SERVER_ERROR" || body.Message == "" {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if h := w.Header(); h.Get("X-Request-Id") != "req-12345678" || h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) || h.Get("X-Powered-By") != "" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", h)
	}
	records := k.records()
	if len(records) != 1 || len(pager.alerts) != 1 || pager.alerts[0].Record.ErrorID != body.ErrorID {
		t.Fatalf("%d records, alerts %+v", len(records), pager.alerts)
	}
	b, err := json.Marshal(records[0])
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(b, &line); err != nil {
		t.Fatal(err)
	}
	if stack, _ := line["stack"].(string); !strings.Contains(stack, "guard_test.go:") || strings.HasPrefix(stack, "goroutine") {
		t.Errorf("stack %q", stack)
	}
	if at, err := time.Parse(record.TimeFormat, fmt.Sprint(line["timestamp"])); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("timestamp %v: %v", line["timestamp"], err)
	}
	if ms, ok := line["durationMs"].(float64); !ok || ms < 0 {
		t.Errorf("durationMs %v", line["durationMs"])
	}
	delete(line, "stack")
	delete(line, "timestamp")
	delete(line, "durationMs")
	wantEqual(t, line, map[string]any{
		"level": "ERROR", "service": "checkout", "errorId": body.ErrorID, "errorClass": "panic: string", "message": "panic: password=[redacted] is wrong",
		"endpoint": "POST /orders/{id}", "status": 500.0, "requestId": "req-12345678", "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
		"userId": "usr_456", "cartId": "cart_789",
		"request": map[string]any{"method": "POST", "url": "/orders/17?token=[redacted]&page=2", "userAgent": "curl/8", "userId": "usr_456", "cartId": "cart_789"},
	})
}

// pager keeps alerts.
type pager struct {
	mu     sync.Mutex
	alerts []guard.Alert
}

func (p *pager) Notify(_ context.Context, a guard.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alerts = append(p.alerts, a)
	return nil
}

func TestAFailureAfterTheHeaderCutsTheConnection(t *testing.T) {
	cases := map[string]guard.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half of ")
			return errors.New("the other half is gone")
		},
		"a panic": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half of ")
			panic("boom")
		},
	}
	for name, f := range cases {
		g, k := newGuard(t, guard.Config{})
		s := httptest.NewServer(g.Handle(f))
		s.Config.ErrorLog = nil
		resp, err := http.Get(s.URL)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		s.Close()
		if err == nil {
			t.Errorf("%s: the client took half an answer for a whole one", name)
		}
		if len(k.records()) != 1 {
			t.Errorf("%s: %d records", name, len(k.records()))
		}
	}
}

func TestAnAbortedHandlerIsLeftToTheServer(t *testing.T) {
	g, k := newGuard(t, guard.Config{})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || len(k.records()) != 0 {
			t.Errorf("recovered %v, records %v", v, k.records())
		}
	}()
	serve(g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })), get("/"))
}

func TestAClientThatLeftIsNoFailure(t *testing.T) {
	seen := &numbers{}
	g, k := newGuard(t, guard.Config{Observer: seen})
	ctx, cancel := context.WithCancel(t.Context())
	serve(g.Handle(func(_ http.ResponseWriter, r *http.Request) error { cancel(); return r.Context().Err() }), get("/").WithContext(ctx))
	if len(k.records()) != 0 {
		t.Errorf("records %v", k.records())
	}
	if seen.sums["http.server.request.duration http.request.method=GET url.scheme=http http.response.status_code=499 error.type=client-left"] != 1 {
		t.Errorf("numbers %v", seen.sums)
	}
}

func TestWhatAHandlerWritesItself(t *testing.T) {
	write := func(status int, ct, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if ct != "" {
				w.Header().Set("Content-Type", ct)
			}
			if status != 0 {
				w.WriteHeader(status)
			}
			half := len(body) / 2
			_, _ = io.WriteString(w, body[:half])
			_, _ = io.WriteString(w, body[half:])
		}
	}
	const trace = "java.lang.NullPointerException: x\n\tat com.shop.A.b(A.java:1)"
	cases := map[string]struct {
		h       http.HandlerFunc
		status  int
		keeps   bool // the body
		records int
		rule    string
	}{
		"a success":                     {write(0, "", "fine"), 200, true, 0, ""},
		"a created thing":               {write(201, "application/json", `{"orderId":"1"}`), 201, true, 0, ""},
		"a refusal":                     {write(409, "application/json", `{"error":"INVENTORY_CONFLICT","message":"out of stock"}`), 409, true, 0, ""},
		"a 404 that shows a path":       {write(404, "text/plain", "/usr/share/x is not there"), 404, true, 0, ""},
		"problem details":               {write(500, "application/problem+json", `{"title":"Out of stock","errorId":"x"}`), 500, true, 1, ""},
		"not implemented":               {write(501, "text/plain", "not yet"), 501, true, 0, ""},
		"a clean page":                  {write(500, "text/html", "<h1>Sorry</h1>"), 500, true, 1, ""},
		"a trace":                       {write(500, "text/plain", trace), 500, false, 1, "leak-stack"},
		"a trace in a 503":              {write(503, "text/plain", trace), 503, false, 1, "leak-stack"},
		"a dump":                        {write(500, "text/plain", strings.Repeat("so sorry ", 20_000)), 500, false, 1, "leak-opaque"},
		"a limit told as a 500":         {write(500, "application/json", `{"error":"limit exceeded","errorId":"x"}`), 429, true, 0, "limit-as-500"},
		"a pool told as a 500":          {write(500, "application/json", `{"error":"connection pool exhausted","errorId":"x"}`), 503, true, 1, "pool-as-500"},
		"a lie":                         {write(200, "application/json", `{"success":false,"message":"boom","errorId":"x"}`), 500, true, 1, "error-as-200"},
		"a lie that names its status":   {write(200, "", `{"error":{"code":404,"message":"no such order"}}`), 404, true, 0, "error-as-200"},
		"a lie that leaks":              {write(200, "application/json", `{"error":"dial tcp 10.2.3.4:5432: refused"}`), 500, false, 1, "error-as-200"},
		"a document about errors":       {write(200, "application/json", `{"id":1,"error":{"class":"TypeError"},"count":3}`), 200, true, 0, ""},
		"a long document with the word": {write(200, "application/json", `{"error":"x","text":"`+strings.Repeat("x", 10_000)+`"}`), 200, true, 0, ""},
		"a download with the word":      {write(200, "application/octet-stream", `{"error":"x"}`), 200, true, 0, ""},
	}
	for name, c := range cases {
		direct := serve(c.h, get("/"))
		g, k := newGuard(t, guard.Config{})
		w := serve(g.Wrap(c.h), get("/"))
		if w.Code != c.status || c.keeps != (w.Body.String() == direct.Body.String()) {
			t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
		}
		records := k.records()
		if len(records) != c.records || len(records) == 1 && (records[0].Rule != c.rule || records[0].ErrorID != w.Header().Get("X-Error-Id")) {
			t.Errorf("%s: header %v, records %+v", name, w.Header(), records)
		}
		if (w.Code == 503 || w.Code == 429) && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
		if strings.Contains(w.Body.String(), "com.shop") || strings.Contains(w.Body.String(), "10.2.3.4") {
			t.Errorf("%s: leaks %s", name, w.Body)
		}
	}
}

func TestEvery5xxBodyInJSONCarriesTheID(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"X"}`:         `{"errorId":"%s","error":"X"}`,
		" { } ":                 `{"errorId":"%s"}`,
		`{"errorId":"own"}`:     `{"errorId":"own"}`,
		`["not","an","object"]`: `["not","an","object"]`,
	} {
		g, _ := newGuard(t, guard.Config{})
		w := serve(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, body)
		})), get("/"))
		id := w.Header().Get("X-Error-Id")
		if strings.Contains(want, "%s") {
			want = fmt.Sprintf(want, id)
		}
		if !problem.ValidID(id) || w.Body.String() != want || w.Header().Get("Content-Length") != fmt.Sprint(len(want)) {
			t.Errorf("%s became %s (id %q, length %s)", body, w.Body, id, w.Header().Get("Content-Length"))
		}
	}
}

func TestStreamsAndControlsPassThrough(t *testing.T) {
	g, k := newGuard(t, guard.Config{})
	s := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		switch r.URL.Path {
		case "/stream":
			_, _ = io.WriteString(w, `{"error":"first line of a stream"}`+"\n")
			if err := rc.Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
			_, _ = io.WriteString(w, "second")
		case "/hints":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		case "/hijack":
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Errorf("hijack: %v", err)
				return
			}
			_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nraw")
			_ = rw.Flush()
			_ = conn.Close()
		case "/deadline":
			if err := rc.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Errorf("deadline: %v", err)
			}
			w.(http.Flusher).Flush()
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-Sum", "42")
		case "/file":
			w.Header().Set("Content-Type", "text/plain")
			if n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("from a file")); err != nil || n != 11 {
				t.Errorf("ReadFrom: %d, %v", n, err)
			}
		case "/error-file":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.Copy(w, strings.NewReader("panic: boom"))
		}
	})))
	defer s.Close()
	for path, want := range map[string]string{
		"/stream": "200 {\"error\":\"first line of a stream\"}\nsecond", "/hints": "204 ", "/hijack": "200 raw", "/deadline": "200 ", "/trailer": "200 body 42", "/file": "200 from a file",
	} {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		got := strings.TrimSuffix(fmt.Sprintf("%d %s %s", resp.StatusCode, b, resp.Trailer.Get("X-Sum")), " ")
		if err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", path, got, want, err)
		}
	}
	if len(k.records()) != 0 {
		t.Errorf("records: %+v", k.records())
	}
	resp, err := http.Get(s.URL + "/error-file")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if bytes.Contains(b, []byte("panic")) || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a 500 that was copied: %d %s", resp.StatusCode, b)
	}
}

func TestOneAlertPerKindAndWindow(t *testing.T) {
	p := &pager{}
	g, k := newGuard(t, guard.Config{Notifier: p, NotifyEvery: time.Hour})
	a := g.Handle(returning(fmt.Errorf("query: %w", driver.ErrBadConn)))
	for range 5 {
		serve(a, get("/a"))
	}
	serve(a, get("/b"))
	g.Wait()
	if len(p.alerts) != 2 || len(k.records()) != 6 || p.alerts[0].Fingerprint == p.alerts[1].Fingerprint {
		t.Errorf("%d alerts for %d records: %+v", len(p.alerts), len(k.records()), p.alerts)
	}
}

func TestARecordNamesTheDependencyThatFailed(t *testing.T) {
	d := newDependency(t, guard.DependencyConfig{Breaker: policy.BreakerConfig{Failures: 1}, Retry: policy.RetryConfig{Attempts: 1}})
	refused := &guard.CallError{Dependency: "inventory", Reason: policy.Refused, Err: errors.New("connection refused")}
	_ = d.Do(t.Context(), func(context.Context) error { return refused }) // opens it
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a call that failed": {fmt.Errorf("reserve: %w", refused), "inventory"},
		"an open breaker":    {d.Do(t.Context(), func(context.Context) error { return nil }), "payment"},
		"nobody's but ours":  {errors.New("a bug"), ""},
	} {
		g, k := newGuard(t, guard.Config{})
		serve(g.Handle(returning(c.err)), get("/"))
		if all := k.records(); len(all) != 1 || all[0].Dependency != c.want {
			t.Errorf("%s: %+v, want %q", name, all, c.want)
		}
	}
}

func TestRecordsSurviveALogThatFails(t *testing.T) {
	seen := &numbers{}
	k := &kept{fail: syscall.ENOSPC}
	g, _ := newGuard(t, guard.Config{Sink: k, Observer: seen})
	h := g.Handle(returning(errors.New("boom")))
	w := serve(h, get("/"))
	waiting := g.Waiting()
	if w.Code != 500 || len(waiting) != 1 || waiting[0].ErrorID != w.Header().Get("X-Error-Id") {
		t.Fatalf("%d, waiting %+v", w.Code, waiting)
	}
	k.mu.Lock()
	k.fail = nil
	k.mu.Unlock()
	serve(h, get("/"))
	if len(k.records()) != 2 || len(g.Waiting()) != 0 {
		t.Errorf("%d records, %d waiting after the disk has room again", len(k.records()), len(g.Waiting()))
	}
	if seen.sums["guard.errors http.route= error.type=error http.response.status_code=500"] != 2 {
		t.Errorf("numbers %v", seen.sums)
	}
}

func TestThePoliciesOfTheServer(t *testing.T) {
	rates, err := policy.NewKeyedRateLimiter(policy.RateConfig{Name: "per-client", Limit: 1, Per: time.Minute}, 0)
	if err != nil {
		t.Fatal(err)
	}
	capacity, err := policy.NewAdaptiveLimiter(policy.AdaptiveConfig{Name: "checkout", Min: 1, Initial: 1, Max: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, k := newGuard(t, guard.Config{Rates: rates, Key: func(r *http.Request) string { return r.Header.Get("X-Key") }, Capacity: capacity})
	var inner *httptest.ResponseRecorder
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inner == nil && r.URL.Path == "/nested" {
			again := get("/")
			again.Header.Set("X-Key", "b")
			inner = httptest.NewRecorder()
			g.Wrap(http.NotFoundHandler()).ServeHTTP(inner, again)
		}
	}))
	r := get("/nested")
	r.Header.Set("X-Key", "a")
	if w := serve(h, r); w.Code != 200 || w.Header().Get("Ratelimit") != `"per-client";r=0;t=60` {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if inner.Code != 503 || inner.Header().Get("Retry-After") != "1" {
		t.Errorf("beyond the capacity: %d %v", inner.Code, inner.Header())
	}
	if w := serve(h, r); w.Code != 429 || w.Header().Get("Retry-After") != "60" || len(k.records()) != 1 {
		t.Errorf("beyond the rate: %d %v, %d records", w.Code, w.Header(), len(k.records()))
	}
	if now, _ := capacity.InFlight(); now != 0 {
		t.Errorf("%d in flight at rest", now)
	}
}

// hidden is middleware that does not say what it writes to; seen does.
type hidden struct{ http.ResponseWriter }

type seen struct{ hidden }

func (s seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func TestAHandleWithinAWrapIsOneRequest(t *testing.T) {
	failing := map[string]guard.HandlerFunc{
		"an error": returning(errors.New("boom")),
		"a panic":  func(http.ResponseWriter, *http.Request) error { panic("boom") },
		"an answer of its own": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusInternalServerError)
			return nil
		},
	}
	between := map[string]func(http.ResponseWriter) http.ResponseWriter{
		"nothing":                          func(w http.ResponseWriter) http.ResponseWriter { return w },
		"middleware that can be unwrapped": func(w http.ResponseWriter) http.ResponseWriter { return seen{hidden{w}} },
	}
	for failure, f := range failing {
		for middle, wrap := range between {
			t.Run(failure+" behind "+middle, func(t *testing.T) {
				var numbers metric.Prometheus
				pager := &pager{}
				g, k := newGuard(t, guard.Config{Observer: &numbers, Notifier: pager})
				mux := http.NewServeMux()
				mux.Handle("GET /orders/{id}", g.Handle(f))
				w := serve(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.ServeHTTP(wrap(w), r) })), get("/orders/1"))
				g.Wait()
				records := k.records()
				if w.Code != 500 || len(records) != 1 || len(pager.alerts) != 1 {
					t.Fatalf("%d, %d records, %d alerts", w.Code, len(records), len(pager.alerts))
				}
				if id := records[0].ErrorID; w.Header().Get("X-Error-Id") != id || records[0].Endpoint != "GET /orders/{id}" {
					t.Errorf("told %q, recorded %+v", w.Header().Get("X-Error-Id"), records[0])
				}
				scrape := serve(&numbers, get("/metrics")).Body.String()
				if n := strings.Count(scrape, "http_server_request_duration_seconds_count{"); n != 1 {
					t.Errorf("%d durations of one request in\n%s", n, scrape)
				}
			})
		}
	}
}

func TestTheIDOfAGuardedServiceBehindIsKept(t *testing.T) {
	back, backRecords := newGuard(t, guard.Config{Service: "stock"})
	service := httptest.NewServer(back.Handle(returning(errors.New("boom"))))
	defer service.Close()
	target, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	front, frontRecords := newGuard(t, guard.Config{Service: "shop"})
	w := serve(front.Wrap(httputil.NewSingleHostReverseProxy(target)), get("/"))
	var body struct{ ErrorID string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	id := backRecords.records()[0].ErrorID
	if body.ErrorID != id || w.Header().Get("X-Error-Id") != id || frontRecords.records()[0].ErrorID != id {
		t.Errorf("recorded %s, told %s and %v, in front recorded %s", id, body.ErrorID, w.Header(), frontRecords.records()[0].ErrorID)
	}
	hostile := serve(front.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Error-Id", "<script>")
		w.WriteHeader(http.StatusInternalServerError)
	})), get("/"))
	if id := hostile.Header().Get("X-Error-Id"); !problem.ValidID(id) {
		t.Errorf("kept %q", id)
	}
}

func TestARequestWithinARequestIsAnsweredByItself(t *testing.T) {
	g, k := newGuard(t, guard.Config{})
	inner := httptest.NewRecorder()
	w := serve(g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.Handle(returning(errors.New("boom"))).ServeHTTP(hidden{inner}, r)
	})), get("/batch"))
	if w.Code != 200 || inner.Code != 500 || len(k.records()) != 1 {
		t.Errorf("%d, within %d, %d records", w.Code, inner.Code, len(k.records()))
	}
}

func TestHostileIDsAreReplaced(t *testing.T) {
	g, _ := newGuard(t, guard.Config{})
	var inside string
	h := g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = guard.RequestID(r.Context()) }))
	for _, id := range []string{"", strings.Repeat("x", 3000), "<script>alert(1)</script>", "a b c d e f", "line\nbreak-12345"} {
		r := get("/")
		r.Header["X-Request-Id"] = []string{id}
		w := serve(h, r)
		if got := w.Header().Get("X-Request-Id"); got == id || len(got) != 32 || got != inside {
			t.Errorf("%.40q became %q (inside %q)", id, got, inside)
		}
	}
	if guard.RequestID(t.Context()) != "" {
		t.Error("there is an id outside of a request")
	}
}

func TestIDsAreHandedOnToDependencies(t *testing.T) {
	var got http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer s.Close()
	d := newDependency(t, guard.DependencyConfig{})
	g, _ := newGuard(t, guard.Config{})
	client := &http.Client{Transport: d.Transport(nil)}
	h := g.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	r := get("/")
	r.Header.Set("X-Request-Id", "req-12345678")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if w := serve(h, r); w.Code != 200 {
		t.Fatal(w.Code)
	}
	if p := got.Get("Traceparent"); got.Get("X-Request-Id") != "req-12345678" || !strings.HasPrefix(p, "00-4bf92f3577b34da6a3ce929d0e0e4736-") || strings.Contains(p, "00f067aa0ba902b7") || !strings.HasSuffix(p, "-01") {
		t.Errorf("handed on: %v", got)
	}
}

func TestFieldsCanBeHashed(t *testing.T) {
	g, k := newGuard(t, guard.Config{Fields: []string{"userId", "note"}, Hash: []string{"userId"}, HashKey: []byte("0123456789abcdef")})
	h := g.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		guard.Annotate(r.Context(), "userId", "usr_456")
		guard.Annotate(r.Context(), "note", strings.Repeat("x", 999))
		return errors.New("boom")
	})
	serve(h, get("/"))
	serve(h, get("/"))
	a, b := k.records()[0].Fields, k.records()[1].Fields
	if len(a["userId"]) != 24 || a["userId"] != b["userId"] || strings.Contains(a["userId"], "456") || len(a["note"]) != 200 {
		t.Errorf("fields %v, then %v", a, b)
	}
}

func TestVerboseAnswers(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	g, _ := newGuard(t, guard.Config{Environment: "staging", VerboseUntil: soon})
	if w := serve(g.Handle(returning(errors.New("boom with token=abcdef"))), get("/")); !strings.Contains(w.Body.String(), `"verbose":"boom with token=[redacted]"`) {
		t.Errorf("staging: %s", w.Body)
	}
	for name, cfg := range map[string]guard.Config{
		"in production":            {Environment: "Production", VerboseUntil: soon},
		"nobody knows where":       {VerboseUntil: soon},
		"for a week":               {Environment: "staging", VerboseUntil: soon.Add(7 * 24 * time.Hour)},
		"a field that is taken":    {Fields: []string{"stack"}},
		"a hash of nothing":        {Hash: []string{"email"}},
		"a hash without a key":     {Hash: []string{"userId"}},
		"a negative window":        {NotifyEvery: -1},
		"a rule that is not there": {Off: []string{"leaks"}},
	} {
		if _, err := guard.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTraceKeepsThePlaceOfAnError(t *testing.T) {
	boom := errors.New("boom")
	err := guard.Trace(guard.Trace(fmt.Errorf("load: %w", boom)))
	if !errors.Is(err, boom) || err.Error() != "load: boom" || guard.Trace(nil) != nil {
		t.Errorf("%v", err)
	}
	g, k := newGuard(t, guard.Config{})
	serve(g.Handle(returning(err)), get("/"))
	if r := k.records()[0]; !strings.Contains(r.Stack, "TestTraceKeepsThePlaceOfAnError") {
		t.Errorf("stack %q", r.Stack)
	}
}

func TestAHealthyRequestCostsTwoAllocations(t *testing.T) {
	g, _ := newGuard(t, guard.Config{Observer: nothing{}})
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r := get("/")
	w := &discarder{http.Header{}}
	if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHealthyRequest(b *testing.B) {
	g, _ := newGuard(b, guard.Config{Observer: nothing{}})
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r := get("/")
	w := &discarder{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
