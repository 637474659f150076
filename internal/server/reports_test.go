package server_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

// What users say with the form of the gateway's error page is in its log of reports, which the server follows.
func TestReportsInTheGatewaysLogCountForTheirIncident(t *testing.T) {
	at := serving(t, server.Settings{Data: t.TempDir()})
	send := func(service, line string) {
		t.Helper()
		if code := call(t, "POST", at+"/api/v1/logs?service="+service, line+"\n", nil); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	report := func(id, text string) string {
		t.Helper()
		b, err := json.Marshal(gateway.Report{Time: time.Now().UTC(), Level: "warn", Service: "inquest-gateway", Kind: "user-report", ErrorID: id, RequestID: "r-" + id, Client: "10.0.0.9", Message: "a user reports " + id + ": " + text})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	view := func(id string) (v web.IncidentView) {
		t.Helper()
		if code := call(t, "GET", at+"/api/v1/incidents/"+id, "", &v); code != http.StatusOK {
			t.Fatal(code)
		}
		return v
	}
	inc := declare(t, at)
	// Nothing but the report knows this id. There is one incident only.
	send("gateway", report("ERR-2026112912000-AAAAAA", "(no text)"))
	until(t, "the report of an id that nobody logged counts", func() bool { return view(inc.ID).Incident.Reports == 1 })

	if code := call(t, "POST", at+"/api/v1/incidents", `{"title":"no mail","services":["mail"],"severity":2}`, nil); code != http.StatusOK {
		t.Fatal(code)
	}
	const id = "ERR-2026112912000-BBBBBB"
	send("checkout", `{"time":"`+time.Now().UTC().Format(time.RFC3339Nano)+`","level":"error","service":"checkout","error_id":"`+id+`","msg":"cannot pay"}`)
	line := report(id, "I cannot pay")
	send("gateway", line)
	until(t, "the report counts for the service that answered", func() bool { return view(inc.ID).Incident.Reports == 2 })
	// As after kill -9: the line is read once more, and one that is new behind it.
	send("gateway", line)
	send("gateway", report(id, "me neither"))
	until(t, "the next report counts", func() bool { return view(inc.ID).Incident.Reports >= 3 })
	v := view(inc.ID)
	said := map[string]int{}
	for _, e := range v.Timeline {
		said[e.Text]++
	}
	for _, want := range []string{"a user reports error ERR-2026112912000-AAAAAA", "a user reports error " + id + ": I cannot pay", "a user reports error " + id + ": me neither"} {
		if said[want] != 1 {
			t.Errorf("%q stands %d times in the timeline, want 1: %v", want, said[want], said)
		}
	}
	if v.Incident.Reports != 3 {
		t.Errorf("%d reports, want 3: one line twice is one", v.Incident.Reports)
	}
}
