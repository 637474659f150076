package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	ggzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web/browsertest"
)

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// ways are those over HTTP, with a body that each would take.
var ways = map[string]struct{ kind, body string }{
	"/api/v1/logs?service=shop":  {"text/plain", "hello\n"},
	"/api/v1/changes":            {"application/json", `{"kind":"deploy","service":"shop"}`},
	"/api/v1/hooks/alertmanager": {"application/json", `{"version":"4","alerts":[]}`},
	"/api/v1/hooks/github":       {"application/json", `{}`},
	"/api/v1/hooks/gitlab":       {"application/json", `{}`},
	"/v1/logs":                   {"application/json", `{"resourceLogs":[]}`},
	"/v1/traces":                 {"application/json", `{"resourceSpans":[]}`},
	"/v1/metrics":                {"application/json", `{"resourceMetrics":[]}`},
	"/api/v1/write":              {"application/x-protobuf", "\x00"},
}

// isWay says whether a path of the document is one of ways.
func isWay(path string) bool {
	for way := range ways {
		if at, _, _ := strings.Cut(way, "?"); at == path {
			return true
		}
	}
	return false
}

var variable = regexp.MustCompile(`\{\w+\}`)

// TestNothingIsServedToStrangersOnceSomebodyCanSignIn walks every route that the server's own document names, its pages and its ways in, as nobody and
// with a key that nobody made.
func TestNothingIsServedToStrangersOnceSomebodyCanSignIn(t *testing.T) {
	t.Parallel()
	otlp, gateway := freeAddress(t), freeAddress(t)
	s := start(t, server.Settings{Data: t.TempDir(), Access: people(t), In: server.In{HTTP: otlp, GRPC: gateway}}, nil)
	admin := signIn(t, s.at, "admin")
	inc := do[inquest.Incident](admin, "/incidents", `{"title":"a secret outage","services":["shop"]}`)
	document := read[struct {
		Paths map[string]map[string]json.RawMessage
	}](admin, "/openapi.json")
	stranger, guess := nobody(t, s.at), nobody(t, s.at)
	guess.bearer = "inq_made-up"
	walked := 0
	try := func(who *person, method, path, kind, body string, page bool) {
		t.Helper()
		walked++
		code, text := who.send(method, path, kind, body)
		switch {
		case strings.Contains(text, "a secret outage"):
			t.Errorf("%s %s shows an incident", method, path)
		case page && method == "GET":
			if code != http.StatusSeeOther {
				t.Errorf("%s %s: %d, want to be sent to the login", method, path, code)
			}
		case code != http.StatusUnauthorized && code != http.StatusForbidden:
			t.Errorf("%s %s: %d %.200s", method, path, code, text)
		}
	}
	for _, who := range []*person{stranger, guess} {
		for path, methods := range document.Paths {
			if isWay(path) {
				delete(methods, "post") // these are walked below, with what they take
			}
			path = strings.TrimPrefix(variable.ReplaceAllString(path, inc.ID), "/api/v1")
			for method := range methods {
				method = strings.ToUpper(method)
				try(who, method, "/api/v1"+path, "application/json", "{}", false)
				try(who, method, path, "application/x-www-form-urlencoded", "csrf=x", true)
			}
		}
		for _, path := range []string{"/events", "/api/v1/openapi.json", "/api/v1/nowhere"} {
			try(who, "GET", path, "", "", false)
		}
		for _, path := range []string{"/", "/nowhere", "/debug/pprof/", "/metrics"} {
			try(who, "GET", path, "", "", true)
		}
		for path, w := range ways {
			if !strings.Contains(path, "/git") { // these prove themselves by their own secret, of which there is none
				try(who, "POST", path, w.kind, w.body, false)
			} else if code, _ := who.send("POST", path, w.kind, w.body); code != http.StatusNotFound {
				t.Errorf("%s without a secret: %d", path, code)
			}
		}
		elsewhere := *who
		elsewhere.at = "http://" + otlp
		try(&elsewhere, "POST", "/v1/logs", "application/json", `{"resourceLogs":[]}`, false)
	}
	if walked < 150 {
		t.Fatalf("%d routes: the document was not walked", walked)
	}
	conn, err := grpc.NewClient(gateway, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := logs.NewLogsServiceClient(conn).Export(t.Context(), &logs.ExportLogsServiceRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("OTLP over gRPC: %v, want Unauthenticated", err)
	}
	// A token for one source opens nothing else.
	program := admin.program("shop")
	for _, path := range []string{"/api/v1/incidents", "/api/v1/overview", "/api/v1/settings", "/api/v1/log"} {
		if code, _ := program.send("GET", path, "", ""); code != http.StatusForbidden {
			t.Errorf("%s with a token of a source: %d", path, code)
		}
	}
	if code, _ := program.send("POST", "/api/v1/logs?service=billing", "text/plain", "x\n"); code != http.StatusForbidden {
		t.Errorf("lines of another source: %d", code)
	}
}

// Load balancers and supervisors ask without a login, and are told nothing that is not theirs to know.
func TestWhoHasNoLoginIsToldOnlyWhetherTheServerServes(t *testing.T) {
	t.Parallel()
	p := nobody(t, start(t, server.Settings{Data: t.TempDir(), Access: people(t)}, nil).at)
	for path, want := range map[string]string{"/livez": `"pass"`, "/readyz": `"pass"`, "/health": `"records:ping"`} {
		if status, text := p.send("GET", path, "", ""); status != 200 || !strings.Contains(text, want) || strings.Contains(text, "/tmp") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestAnotherSiteCannotActForSomebodyWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	s := start(t, server.Settings{Data: t.TempDir(), Access: people(t)}, nil)
	p := signIn(t, s.at, "responder")
	inc := do[inquest.Incident](p, "/incidents", `{"title":"checkout answers 500"}`)
	form, note := "application/x-www-form-urlencoded", "/incidents/"+inc.ID+"/note"
	good := url.Values{"csrf": {p.csrf}, "text": {"it is me"}}.Encode()
	for name, c := range map[string]struct {
		path, kind, body string
		headers          []string
	}{
		"a form of another site":           {note, form, good, []string{"Sec-Fetch-Site", "cross-site"}},
		"a form of a neighbouring site":    {note, form, good, []string{"Sec-Fetch-Site", "same-site"}},
		"a form without the token":         {note, form, "text=hello", nil},
		"a form with somebody's token":     {note, form, "csrf=AAAA&text=hello", nil},
		"JSON without the token":           {"/api/v1" + note, "application/json", `{"text":"hello"}`, []string{"X-CSRF-Token", ""}},
		"JSON of an old browser's site":    {"/api/v1" + note, "application/json", `{"text":"hello"}`, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}},
		"signing in from another site":     {"/login", form, "name=admin&password=x", []string{"Sec-Fetch-Site", "cross-site"}},
		"signing out from another site":    {"/logout", form, good, []string{"Sec-Fetch-Site", "cross-site"}},
		"JSON that a form sends as text":   {"/api/v1" + note, "text/plain", `{"text":"hello"}`, nil},
		"lines of logs with a session":     {"/api/v1/logs?service=shop", "text/plain", "x\n", []string{"Sec-Fetch-Site", "cross-site"}},
		"alerts with somebody's session":   {"/api/v1/hooks/alertmanager", "text/plain", `{"version":"4","alerts":[]}`, []string{"Sec-Fetch-Site", "cross-site"}},
		"a change with somebody's session": {"/api/v1/changes", "text/plain", `{"kind":"deploy","service":"x"}`, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		if code, text := p.send("POST", c.path, c.kind, c.body, c.headers...); code < 400 || code >= 500 {
			t.Errorf("%s: %d %.200s", name, code, text)
		}
	}
	if code, _ := p.send("POST", note, form, good); code != http.StatusSeeOther {
		t.Errorf("its own page: %d", code)
	}
	if got := read[view](p, "/incidents/"+inc.ID); strings.Contains(fmt.Sprint(got.Timeline), "hello") {
		t.Errorf("something was done: %+v", got.Timeline)
	}
}

// evil is a text that runs where it is taken for more than text.
const evil = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><a href="javascript:window.pwned=1">'`

// TestWhatStrangersSendStaysTextInARealBrowser sends it by every way in, and opens every page.
func TestWhatStrangersSendStaysTextInARealBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, server.Settings{Data: t.TempDir(), Rules: server.Rules{Interval: time.Second}}, nil)
	p := nobody(t, s.at)
	quoted := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	now := time.Now().UTC()
	id := "evil-request-1"
	var log strings.Builder
	for i := range 40 {
		fmt.Fprintf(&log, "%s\n", quoted(map[string]any{"time": now.Add(time.Duration(i) * time.Millisecond).Format(time.RFC3339Nano), "level": "error", "service": evil, "method": "GET", "path": "/" + evil, "status": 500, "requestId": id, "msg": "boom " + evil}))
	}
	for path, body := range map[string]string{
		"/api/v1/logs?service=" + url.QueryEscape(evil): log.String(),
		"/api/v1/logs?service=shop":                     log.String(),
		"/api/v1/changes":                               quoted(map[string]any{"kind": "deploy", "service": evil, "version": evil, "summary": evil}),
		"/api/v1/hooks/alertmanager": quoted(map[string]any{"version": "4", "alerts": []any{map[string]any{"status": "firing", "startsAt": now, "generatorURL": "javascript:window.pwned=1",
			"labels": map[string]string{"alertname": evil, "service": "shop", "severity": "page", "x": evil}, "annotations": map[string]string{"summary": evil, "runbook_url": "javascript:window.pwned=1"}}}}),
		"/api/v1/report": quoted(map[string]any{"text": evil, "contact": evil, "service": "shop", "error_id": id}),
	} {
		kind := "application/json"
		if strings.Contains(path, "/logs") {
			kind = "text/plain"
		}
		code, text := p.send("POST", path, kind, body, "Sec-Fetch-Site", "")
		if code != http.StatusOK && !strings.Contains(path, "/report") {
			t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	do[any](p, "/report", quoted(map[string]any{"text": evil, "contact": evil, "service": "shop"}))
	var inc inquest.Incident
	until(t, "an investigated incident", func() bool {
		if all := read[list](p, "/incidents").Items; len(all) > 0 {
			inc = all[0]
		}
		_, patterns := p.send("GET", "/api/v1/patterns", "", "")
		return inc.Revision > 0 && strings.Contains(patterns, "boom")
	})
	do[inquest.Incident](p, "/incidents/"+inc.ID+"/note", quoted(map[string]any{"text": evil}))
	tab := browsertest.NewTab(browsertest.Start(t), t, s.at)
	for _, path := range []string{"/", "/incidents", "/incidents/" + inc.ID, "/errors?id=" + id, "/errors?id=" + url.QueryEscape(evil), "/patterns", "/patterns?q=" + url.QueryEscape(evil), "/changes", "/changes?service=" + url.QueryEscape(evil),
		"/slos", "/audit", "/settings", "/signals", "/stats", "/tokens", "/log", "/report?id=" + url.QueryEscape(evil), "/incidents/" + inc.ID + "/postmortem", "/incidents?service=" + url.QueryEscape(evil)} {
		tab.Open(path)
		tab.Until(`document.readyState === "complete"`)
		tab.Until(`window.pwned === undefined && !document.querySelector('img[src="x"], a[href^="javascript:"], script:not([src])')`)
		for _, text := range tab.Heard() {
			if !strings.Contains(text, "status of 4") { // a page may refuse such a question
				t.Errorf("%s: the console says: %s", path, text)
			}
		}
	}
}

// packed is gzip of so many bytes of nothing.
func packed(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for i := range zeros {
		zeros[i] = ' '
	}
	for ; n > 0; n -= len(zeros) {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBodiesThatAreTooLargeAndBombsAreRefusedOnEveryWayIn(t *testing.T) {
	t.Parallel()
	gateway := freeAddress(t)
	s := start(t, server.Settings{Data: t.TempDir(), In: server.In{GRPC: gateway}}, nil)
	p := nobody(t, s.at)
	bomb, plain := packed(t, 512<<20), strings.Repeat(" ", 9<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for path, w := range ways {
		if strings.Contains(path, "/git") {
			continue // without a secret nothing of them is read
		}
		if code, text := p.send("POST", path, w.kind, plain, "Sec-Fetch-Site", ""); code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: 9 MB are answered with %d %.200s", path, code, text)
		}
		body, encoding := bomb, "gzip"
		if path == "/api/v1/write" { // snappy tells the length in front: 4 GB that never come
			body, encoding = "\xff\xff\xff\xff\x0f"+string(snappy.Encode(nil, make([]byte, 1<<20)))[3:], "snappy"
		}
		if code, text := p.send("POST", path, w.kind, body, "Content-Encoding", encoding, "Sec-Fetch-Site", ""); code != http.StatusRequestEntityTooLarge && code != http.StatusBadRequest {
			t.Errorf("%s: a bomb is answered with %d %.200s", path, code, text)
		}
	}
	for _, path := range []string{"/api/v1/incidents", "/api/v1/silences", "/api/v1/report", "/api/v1/tokens"} {
		if code, text := p.send("POST", path, "application/json", `{"title":"`+strings.Repeat("x", 2<<20)+`"}`, "Sec-Fetch-Site", ""); code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: 2 MB are answered with %d %.200s", path, code, text)
		}
	}
	conn, err := grpc.NewClient(gateway, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.UseCompressor(ggzip.Name)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	big := &logs.ExportLogsServiceRequest{ResourceLogs: []*logsv1.ResourceLogs{{ScopeLogs: []*logsv1.ScopeLogs{{LogRecords: []*logsv1.LogRecord{{
		Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.Repeat(" ", 64<<20)}}}}}}}}}
	if _, err := logs.NewLogsServiceClient(conn).Export(t.Context(), big); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a bomb over gRPC: %v, want ResourceExhausted", err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 1<<30 { // other tests, and the senders of these bodies, run in this process
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
	if code, text := p.send("POST", "/api/v1/logs?service=shop", "text/plain", "all is well\n", "Sec-Fetch-Site", ""); code != http.StatusOK {
		t.Errorf("after all that: %d %s", code, text)
	}
}

// TestMessagesDoNotReachTheInsideOfTheNetwork: a channel's address is an operator's, but the answer at it is a stranger's.
func TestMessagesDoNotReachTheInsideOfTheNetwork(t *testing.T) {
	t.Parallel()
	inside := newChannel(t)
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	outside := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect), ReadHeaderTimeout: time.Second}}
	outside.Start()
	t.Cleanup(outside.Close)
	s := start(t, server.Settings{Data: t.TempDir(), Channels: map[string]server.Channel{
		"direct":   {Webhook: &server.Webhook{URL: inside.URL}},
		"metadata": {Webhook: &server.Webhook{URL: "http://169.254.169.254/latest/meta-data/"}},
		"mapped":   {Webhook: &server.Webhook{URL: strings.Replace(inside.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)}},
		"redirect": {Webhook: &server.Webhook{URL: outside.URL}, Allow: []string{"127.0.0.2/32"}},
	}, Tell: []server.Tell{{Channel: "direct"}, {Channel: "metadata"}, {Channel: "mapped"}, {Channel: "redirect"}}}, nil)
	p := nobody(t, s.at)
	inc := do[inquest.Incident](p, "/incidents", `{"title":"checkout answers 500"}`)
	until(t, "all four are given up, or told as failing", func() bool {
		_, text := p.send("GET", "/api/v1/incidents/"+inc.ID, "", "")
		failing := 0
		for _, name := range []string{"direct", "metadata", "mapped", "redirect"} {
			if strings.Contains(text, name) || len(s.with(name)) > 0 {
				failing++
			}
		}
		return failing == 4
	})
	time.Sleep(time.Second)
	if got := inside.got(); len(got) > 0 {
		t.Errorf("the inside was reached: %v", got)
	}
}
