package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

func TestTheSettingsPageSaysWhatEachChannelTookAndWhatItDidNot(t *testing.T) {
	t.Parallel()
	var well atomic.Bool
	ill := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			http.Error(rw, "no room", http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(ill.Close)
	strict := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "who?", http.StatusForbidden) }))
	t.Cleanup(strict.Close)
	channels := newChannel(t).settings()
	for name, at := range map[string]string{"ill": ill.URL, "strict": strict.URL} {
		channels[name] = server.Channel{Webhook: &server.Webhook{URL: at}, Allow: []string{"127.0.0.0/8"}}
	}
	channels["unused"] = server.Channel{Webhook: &server.Webhook{URL: strict.URL}}
	s := start(t, server.Settings{Data: t.TempDir(), Channels: channels, Tell: []server.Tell{{Channel: "ill"}, {Channel: "strict"}, {Channel: "hook"}}}, nil)
	p := nobody(t, s.at)
	began := time.Now()
	inc := do[inquest.Incident](p, "/incidents", `{"title":"customers cannot pay","services":["checkout"]}`)
	channel := func(name string) (out web.Channel) {
		for _, c := range read[web.SettingsView](p, "/settings").Setup.Channels {
			if c.Name == name {
				out = c
			}
		}
		return out
	}
	until(t, "what became of the messages", func() bool {
		return !channel("hook").Sent.IsZero() && channel("ill").Error != "" && channel("strict").Error != ""
	})
	if c := channel("hook"); c.Sent.Before(began.Add(-time.Second)) || c.Incident != inc.ID || c.Error != "" || !c.Since.IsZero() || c.Waiting != 0 {
		t.Errorf("a channel that took it: %+v", c)
	}
	if c := channel("ill"); !c.Sent.IsZero() || !strings.Contains(c.Error, "503") || c.Waiting < 1 || c.Since.Before(began.Add(-time.Second)) || c.Since.After(time.Now()) {
		t.Errorf("a channel that is tried again: %+v", c)
	}
	if c := channel("strict"); !c.Sent.IsZero() || !strings.Contains(c.Error, "403") || c.Waiting != 0 || c.Since.IsZero() {
		t.Errorf("a channel that refuses: %+v", c)
	}
	if c := channel("unused"); !c.Sent.IsZero() || c.Error != "" || c.Waiting != 0 || !c.Since.IsZero() {
		t.Errorf("a channel that was never asked: %+v", c)
	}
	well.Store(true)
	until(t, "the trouble is over", func() bool {
		c := channel("ill")
		return c.Waiting == 0 && c.Error == "" && c.Since.IsZero() && c.Incident == inc.ID
	})
}

func TestTheSettingsPageTellsPendingFromFiring(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(`groups: [{name: mine, rules: [
  {alert: Soon, expr: 'vector(1)', for: 1h, labels: {severity: ticket}},
  {alert: Now, expr: 'vector(1)', labels: {severity: chat}},
  {alert: Never, expr: 'vector(1) > 2', for: 90s, labels: {severity: page}},
  {record: 'one:sum', expr: 'vector(1)'}]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, server.Settings{Data: t.TempDir(), Rules: server.Rules{Files: []string{file}, NoShipped: true, Interval: time.Second}}, nil)
	p := nobody(t, s.at)
	want := map[string]web.Rule{
		"Soon": {For: "1h", Severity: "ticket", State: "pending", Pending: 1}, "Now": {Severity: "chat", State: "firing", Firing: 1},
		"Never": {For: "1m30s", Severity: "page", State: "inactive"}, "one:sum": {State: "recorded"},
	}
	until(t, "the first look", func() bool {
		return len(read[web.SettingsView](p, "/settings").Setup.Rules) == len(want) && read[web.SettingsView](p, "/settings").Setup.Rules[1].Firing > 0
	})
	for _, r := range read[web.SettingsView](p, "/settings").Setup.Rules {
		w := want[r.Name]
		if r.For != w.For || r.Severity != w.Severity || r.State != w.State || r.Pending != w.Pending || r.Firing != w.Firing {
			t.Errorf("%+v, want %+v", r, w)
		}
	}
	if _, page := p.send("GET", "/settings", "", ""); !strings.Contains(page, ">ticket<") || !strings.Contains(page, `r-pending">pending<`) || !strings.Contains(page, "for 1m30s") {
		t.Errorf("the page: %.3000s", page)
	}
}
