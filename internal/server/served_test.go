package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

// requests are the lines of a gateway about requests of this moment, of which some failed.
func requests(failed, all int) string {
	var b strings.Builder
	now := time.Now()
	for i := range all {
		status := 200
		if i < failed {
			status = 500
		}
		b.WriteString(accessLine(now, "GET /api/cart", status, "-"))
	}
	return b.String()
}

func TestAnIncidentIsResolvedOnceUsersAreServed(t *testing.T) {
	services := map[string]server.Service{"pay": {Critical: true}, "login": {Critical: true}, "front": {Calls: []string{"shop"}}}
	p := nobody(t, serving(t, server.Settings{Data: t.TempDir(), Rules: server.Rules{NoShipped: true}, Services: services}))
	for service, n := range map[string][2]int{"cart": {60, 120}, "search": {2, 2}, "mail": {20, 2000}, "pay": {50, 2000}, "login": {5, 420}, "front": {30, 60}} {
		send(t, p, service, requests(n[0], n[1]))
	}
	until(t, "all are counted", func() bool {
		n := 0
		for _, s := range read[struct{ Services []web.ServiceHealth }](p, "/overview").Services {
			if s.State != "idle" {
				n++
			}
		}
		return n >= 6
	})
	for services, want := range map[string]string{
		"cart":        "cart failed 50 % of its requests in the last 2 minutes (",
		"search":      "", // two failures say nothing
		"mail":        "", // 1 % is within what a service that is not critical may fail
		"pay":         "pay failed 2.5 % of its requests",
		"login":       "", // 5 of 420 is more than 1 %, and may be chance; so are nearly twice as many, which is what increase() may make of a burst
		`mail","cart`: "cart failed 50 %",
		"shop":        "front failed 50 %", // whose requests nobody counts: front calls it
	} {
		inc := do[inquest.Incident](p, "/incidents", fmt.Sprintf(`{"title":"customers cannot pay","services":["%s"]}`, services))
		status, text := p.send("POST", "/api/v1/incidents/"+inc.ID+"/resolve", "application/json", `{"text":"rolled back"}`)
		if want == "" {
			if status != http.StatusOK {
				t.Errorf("%s: %d %s", services, status, text)
			}
			continue
		}
		if status != http.StatusConflict || !strings.Contains(text, "users are not served yet: "+want) {
			t.Errorf("%s: %d %s", services, status, text)
		}
		done := do[inquest.Incident](p, "/incidents/"+inc.ID+"/resolve", `{"force":true,"text":"a load test fails on purpose"}`)
		if done.State != inquest.IncidentResolved {
			t.Errorf("%s: %s", services, done.State)
		}
	}
}

// A store of metrics that is away keeps nobody from resolving an incident.
func TestAnIncidentIsResolvedWhereNobodyKnowsWhetherUsersAreServed(t *testing.T) {
	var asked atomic.Int64
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "away", http.StatusServiceUnavailable)
	}))
	defer away.Close()
	p := nobody(t, start(t, server.Settings{Data: t.TempDir(), Name: "one", Metrics: server.Metrics{Remote: away.URL}, Rules: server.Rules{NoShipped: true}}, nil).at)
	inc := do[inquest.Incident](p, "/incidents", `{"title":"customers cannot pay","services":["shop"]}`)
	do[inquest.Incident](p, "/incidents/"+inc.ID+"/resolve", `{}`)
	found := false
	for _, e := range read[web.IncidentView](p, "/incidents/"+inc.ID).Timeline {
		found = found || strings.Contains(e.Text, "whether users are served again could not be found out: ")
	}
	if !found || asked.Load() == 0 {
		t.Errorf("the timeline does not say so; asked %d times", asked.Load())
	}
}
