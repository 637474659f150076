package server_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

// What is for the chat is told there and nowhere else, what is for working hours stands on the page, and nobody is woken: no incident is opened.
func TestAlertsThatWakeNobodyAreToldAndSeen(t *testing.T) {
	t.Parallel()
	hook, quiet := newChannel(t), newChannel(t)
	settings := server.Settings{Data: filepath.Join(t.TempDir(), "data"), Services: map[string]server.Service{"nginx": {}}, Rules: server.Rules{Interval: time.Second},
		Channels: hook.settings(), Tell: []server.Tell{{Channel: "hook"}, {Channel: "outages", Severity: 2}}}
	settings.Channels["outages"] = quiet.settings()["hook"]
	p := nobody(t, start(t, settings, nil).at)
	until(t, "the chat is told that a service of no great weight fails", func() bool {
		traffic(p, p, p, time.Now().Add(-time.Second), 20, 50*time.Millisecond, func(i int) bool { return i%2 == 0 })
		return len(hook.got()) > 0
	})
	for id := range hook.got() {
		if !strings.HasPrefix(id, "alert/") || !strings.Contains(hook.text[id], "nginx fails") {
			t.Errorf("%s: %s", id, hook.text[id])
		}
	}
	if got := read[list](p, "/incidents").Items; len(got) > 0 || len(quiet.got()) > 0 {
		t.Errorf("%d incidents, %d messages to who wants to hear of grave ones", len(got), len(quiet.got()))
	}
	ticket := `{"version":"4","alerts":[{"status":"firing","startsAt":"` + time.Now().UTC().Format(time.RFC3339) + `","labels":{"alertname":"DiskFills","service":"db","severity":"ticket"}}]}`
	if status, text := p.send("POST", "/api/v1/hooks/alertmanager", "application/json", ticket); status != 200 {
		t.Fatal(status, text)
	}
	firing := read[struct{ Items []web.StandingAlert }](p, "/alerts?"+url.Values{"state": {"firing"}, "urgency": {"ticket"}}.Encode()).Items
	if len(firing) != 1 || firing[0].Rule != "DiskFills" || firing[0].Service != "db" {
		t.Errorf("for working hours: %+v", firing)
	}
	if got := read[web.Overview](p, "/overview").Alerts; got.Chat < 1 || got.Ticket != 1 {
		t.Errorf("the overview counts %+v", got)
	}
}

// On the first night the settings name no service.
func TestAServiceOfWhichNobodySaidAnythingWakesSomebodyWhenItIsDown(t *testing.T) {
	t.Parallel()
	hook := newChannel(t)
	p := nobody(t, start(t, server.Settings{Data: t.TempDir(), Rules: server.Rules{Interval: time.Second}, Channels: hook.settings(), Tell: []server.Tell{{Channel: "hook", Severity: 3}}}, nil).at)
	var found []inquest.Incident
	until(t, "an incident", func() bool {
		traffic(p, p, p, time.Now().Add(-time.Second), 20, 50*time.Millisecond, func(int) bool { return true })
		found = read[list](p, "/incidents").Items
		return len(found) > 0 && len(hook.got()) > 0
	})
	if len(found) != 1 || found[0].Alerts[0].Rule != "ServiceDown" {
		t.Errorf("%+v", found)
	}
}
