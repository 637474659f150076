package server_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/server"
)

// serving runs a server until the test ends and returns its address.
func serving(t *testing.T, s server.Settings) string {
	t.Helper()
	s.Listen.Address = "127.0.0.1:0"
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Settings: s, Version: "test", Now: time.Now, Log: func(text string) { t.Log(text) }, Ready: func(a []string) { ready <- a[0] }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case at := <-ready:
		return at
	case err := <-ended:
		ended <- err
		t.Fatalf("it did not begin: %v", err)
	case <-time.After(2 * time.Minute):
		t.Fatal("it did not begin within two minutes")
	}
	return ""
}

// writer appends two logs as a gateway and a service write them: ten requests a second, of which a share fails because the database refuses.
func writer(t *testing.T, dir string) (write func(fail bool)) {
	t.Helper()
	open := func(name string) io.Writer {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	access, shop, n := open("nginx-access.log"), open("shop.log"), 0
	return func(fail bool) {
		n++
		now, status, level, msg := time.Now().UTC(), 200, "info", `"request completed"`
		if fail {
			status, level, msg = 500, "error", `"request failed: connect ECONNREFUSED 10.2.0.9:5432"`
		}
		id := fmt.Sprintf("%032x", n)
		fmt.Fprintf(access, "10.0.0.%d - - [%s] \"GET /api/cart HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 uct=\"0.001\" urt=\"0.011\" ua=\"10.1.0.5:3000\" us=\"%d\" rid=%s\n", n%200, now.Format("02/Jan/2006:15:04:05 -0700"), status, status, id)
		fmt.Fprintf(shop, "{\"time\":%q,\"level\":%q,\"service\":\"shop\",\"requestId\":%q,\"msg\":%s}\n", now.Format("2006-01-02T15:04:05.000Z"), level, id, msg)
	}
}

func incidents(t *testing.T, at string) []inquest.Incident {
	t.Helper()
	resp, err := http.Get(at + "/api/v1/incidents")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct {
		Items []inquest.Incident `json:"items"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return got.Items
}

func TestALogThatBeginsToFailBecomesAnInvestigatedIncidentThatPeopleAreToldOf(t *testing.T) {
	dir := t.TempDir()
	var told atomic.Int32
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if b, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(b), "INC-") {
			told.Add(1)
		}
	}))
	t.Cleanup(hook.Close)
	write := writer(t, dir)
	at := serving(t, server.Settings{Data: filepath.Join(dir, "data"), Services: map[string]server.Service{"nginx": {Critical: true}},
		In:       server.In{Files: []server.File{{Path: filepath.Join(dir, "*.log")}}},
		Rules:    server.Rules{Interval: time.Second},
		Channels: map[string]server.Channel{"hook": {Webhook: &server.Webhook{URL: hook.URL}, Allow: []string{"127.0.0.0/8"}}},
		Tell:     []server.Tell{{Channel: "hook"}}})
	began := time.Now()
	for i := 0; ; i++ {
		// Calm for a while, then every second request fails.
		write(time.Since(began) > 20*time.Second && i%2 == 0)
		time.Sleep(50 * time.Millisecond)
		if i%20 != 0 {
			continue
		}
		all := incidents(t, at)
		if len(all) > 1 {
			t.Fatalf("one outage, %d incidents", len(all))
		}
		if len(all) == 1 && all[0].Verdict.Mechanism == "database/down" && told.Load() > 0 {
			if all[0].Verdict.Level == inquest.Open || all[0].Onset.Before(began) {
				t.Errorf("%+v", all[0])
			}
			break
		}
		if time.Since(began) > 4*time.Minute {
			t.Fatalf("after four minutes: %d messages, incidents %+v", told.Load(), all)
		}
	}
	resp, err := http.Get(at + "/incidents/" + incidents(t, at)[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "10.2.0.9") {
		t.Errorf("its page: status %d, %v, without the culprit", resp.StatusCode, err)
	}
}

func TestEveryWayInOverHTTPIsServedBesideThePages(t *testing.T) {
	dir := t.TempDir()
	at := serving(t, server.Settings{Data: dir})
	for _, c := range []struct {
		path, kind, body string
		want             int
	}{
		{"/api/v1/logs?service=shop", "text/plain", "2026-11-29T12:00:00Z INFO hello\n", http.StatusOK},
		{"/api/v1/changes", "application/json", `{"time":"2026-11-29T12:00:00Z","kind":"deploy","service":"shop","version":"2.1","summary":"new cart"}`, http.StatusOK},
		{"/api/v1/hooks/alertmanager", "application/json", `{"version":"4","status":"firing","receiver":"inquest","alerts":[]}`, http.StatusOK},
		{"/v1/logs", "application/json", `{"resourceLogs":[]}`, http.StatusOK},
		{"/v1/traces", "application/json", `{"resourceSpans":[]}`, http.StatusOK},
		{"/v1/metrics", "application/json", `{"resourceMetrics":[]}`, http.StatusOK},
		{"/api/v1/write", "application/x-protobuf", "no snappy", http.StatusBadRequest},
		{"/api/v1/hooks/github", "application/json", "{}", http.StatusNotFound},
	} {
		resp, err := http.Post(at+c.path, c.kind, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		if err := resp.Body.Close(); err != nil || resp.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d: %s", c.path, resp.StatusCode, c.want, text)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "logs", "shop*", "*.log"))
	if err != nil || len(kept) == 0 {
		t.Errorf("the line of a log is not kept: %v, %v", kept, err)
	}
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		resp, err := http.Get(at + "/api/v1/changes")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if strings.Contains(string(text), "new cart") {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the change is not listed: %s", text)
		}
	}
}

func TestSettingsThatCannotBeServedAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*server.Settings)
		want string
	}{
		{"the world, before anybody can sign in", func(s *server.Settings) { s.Listen.Address = "0.0.0.0:0" }, "sign in"},
		{"a rule file that is not there", func(s *server.Settings) { s.Rules.Files = []string{"nowhere.yaml"} }, "nowhere.yaml"},
		{"a secret that is not there", func(s *server.Settings) {
			s.Channels = map[string]server.Channel{"team": {Slack: &server.Slack{URLFile: "/nowhere/slack"}}}
		}, "/nowhere/slack"},
		{"an occasion that there is not", func(s *server.Settings) {
			s.Channels = map[string]server.Channel{"hook": {Webhook: &server.Webhook{URL: "https://hook.example.com"}}}
			s.Tell = []server.Tell{{Channel: "hook", Occasions: []string{"open"}}}
		}, `"open" is none of`},
		{"a channel that nobody has", func(s *server.Settings) { s.Tell = []server.Tell{{Channel: "pager"}} }, "no channel"},
		{"an address that is taken", func(s *server.Settings) {
			taken := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(taken.Close)
			s.Listen.Address = strings.TrimPrefix(taken.URL, "http://")
		}, "listen.address"},
	} {
		s := server.Settings{Data: t.TempDir(), Listen: server.Listen{Address: "127.0.0.1:0"}}
		c.set(&s)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		err := server.Run(ctx, server.Options{Settings: s, Now: time.Now})
		stop()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestOnceSomebodyCanSignInNothingIsTakenFromStrangers(t *testing.T) {
	hash, err := auth.HashPassword(rand.Reader, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	at := serving(t, server.Settings{Data: t.TempDir(), Access: server.Access{Users: map[string]server.User{"ada": {Password: hash, Role: "admin"}}}})
	for _, path := range []string{"/api/v1/logs?service=shop", "/api/v1/changes", "/api/v1/hooks/alertmanager", "/v1/logs", "/v1/traces", "/v1/metrics", "/api/v1/write"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for _, key := range []string{"", "Bearer made-up"} {
			if key != "" {
				req.Header.Set("Authorization", key)
			}
			req.Body = io.NopCloser(strings.NewReader("{}"))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with %q: status %d, want 401", path, key, resp.StatusCode)
			}
		}
	}
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	serving(t, server.Settings{Data: dir})
	if err := server.Run(t.Context(), server.Options{Settings: server.Settings{Data: dir, Listen: server.Listen{Address: "127.0.0.1:0"}}, Now: time.Now}); err == nil {
		t.Error("two processes on one data folder")
	}
}
