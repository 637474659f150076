package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
	"github.com/inquesthq/inquest/internal/web"
)

// A pipeline that tells of its deploy when the incident is being worked on: half a minute later the page names it.
func TestAChangeThatIsToldDuringAnIncidentIsLookedInto(t *testing.T) {
	t.Parallel()
	r := start(t, server.Settings{Data: filepath.Join(t.TempDir(), "data")}, nil)
	onset := time.Now().Add(-3 * time.Minute)
	sendLogs(t, r.at)
	v := investigated(t, r.at, func(i inquest.Incident) bool { return i.Verdict.Mechanism != "" })
	time.Sleep(time.Until(v.Incident.Opened.Add(40 * time.Second))) // the next that is planned is two minutes after it was opened
	change := fmt.Sprintf(`{"time":%q,"kind":"config","service":"shop","summary":"database address set to 10.2.0.9"}`, onset.Add(-2*time.Second).UTC().Format(time.RFC3339))
	if code := call(t, "POST", r.at+"/api/v1/changes", change, nil); code/100 != 2 {
		t.Fatal(code)
	}
	told := time.Now()
	var page struct {
		Diagnosis struct {
			Verdict struct {
				Trigger *struct{ Kind string }
			}
		}
	}
	until(t, "the change is named", func() bool {
		if code := call(t, "GET", r.at+"/api/v1/incidents/"+v.Incident.ID, "", &page); code != http.StatusOK {
			t.Fatal(code)
		}
		trigger := page.Diagnosis.Verdict.Trigger
		return trigger != nil && trigger.Kind == string(inquest.ChangeConfig)
	})
	if took := time.Since(told); took > 45*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A ring of files that is too small for the hours of an incident: what was found while its beginning was there is not replaced by what its end alone shows.
func TestAVerdictStandsWhenTheLinesItWasMadeOfAreGone(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	r := start(t, server.Settings{Data: data, Logs: server.Logs{MaxBytes: 2 << 20}}, nil)
	sendLogs(t, r.at)
	v := investigated(t, r.at, func(i inquest.Incident) bool { return i.Verdict.Mechanism != "" })
	fill := strings.Repeat(`{"level":"info","service":"jobs","msg":"nothing to do"}`+"\n", 35_000)
	if code := call(t, "POST", r.at+"/api/v1/logs?service=jobs", fill, nil); code != http.StatusOK {
		t.Fatal(code)
	}
	alert := fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","startsAt":%q,"labels":{"alertname":"Failing","service":"shop","severity":"page"}}]}`, time.Now().UTC().Format(time.RFC3339))
	if code := call(t, "POST", r.at+"/api/v1/hooks/alertmanager", alert, nil); code != http.StatusOK {
		t.Fatal(code)
	}
	time.Sleep(time.Until(v.Incident.Opened.Add(35 * time.Second))) // once more half a minute after it was opened
	var now web.IncidentView
	if code := call(t, "GET", r.at+"/api/v1/incidents/"+v.Incident.ID, "", &now); code != http.StatusOK || len(now.Incident.Alerts) != 1 || now.Incident.Verdict.Mechanism != v.Incident.Verdict.Mechanism {
		t.Errorf("%d, %+v", code, now.Incident)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	records, err := sqlite.Open(t.Context(), sqlite.Config{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = records.Close() }()
	all, err := records.List(t.Context(), store.Query{Kind: "investigation", State: "done"})
	if err != nil || !slices.ContainsFunc(all, func(r store.Record) bool { return strings.Contains(string(r.Body), "not kept any more: lines up to") }) {
		t.Errorf("%v, %+v", err, all)
	}
}

// Two gateways that have nothing to do with each other: the larger one has failed a third of its requests for ever. What is shown are the failures of the one that the alert is about.
func TestAnIncidentShowsTheFailuresOfTheServiceThatTheAlertIsAbout(t *testing.T) {
	t.Parallel()
	r := start(t, server.Settings{Data: filepath.Join(t.TempDir(), "data")}, nil)
	now := time.Now().UTC()
	for gateway, c := range map[string]struct {
		path, upstream string
		every          time.Duration
		fails          func(i int, when time.Time) bool
	}{
		"search-gw": {"/search", "10.1.0.7:8080", 100 * time.Millisecond, func(i int, _ time.Time) bool { return i%3 == 0 }},
		"shop-gw":   {"/cart", "10.1.0.8:8080", 200 * time.Millisecond, func(i int, when time.Time) bool { return i%2 == 0 && now.Sub(when) < 2*time.Minute }},
	} {
		var lines strings.Builder
		for i := range int(10 * time.Minute / c.every) {
			when, status := now.Add(time.Duration(i)*c.every-10*time.Minute), 200
			if c.fails(i, when) {
				status = 502
			}
			fmt.Fprintf(&lines, "10.0.0.%d - - [%s] \"GET %s HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 uct=\"0.001\" urt=\"0.011\" ua=%q us=\"%d\" rid=%s-%032x\n", i%200, when.Format("02/Jan/2006:15:04:05 -0700"), c.path, status, c.upstream, status, gateway, i)
		}
		if code := call(t, "POST", r.at+"/api/v1/logs?service="+gateway, lines.String(), nil); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	alert := fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","startsAt":%q,"labels":{"alertname":"Failing","service":"shop-gw","severity":"page"}}]}`, now.Format(time.RFC3339))
	if code := call(t, "POST", r.at+"/api/v1/hooks/alertmanager", alert, nil); code != http.StatusOK {
		t.Fatal(code)
	}
	var inc inquest.Incident
	until(t, "it is investigated", func() bool {
		all := incidents(t, r.at)
		if len(all) == 1 {
			inc = all[0]
		}
		return inc.Revision > 0
	})
	if inc.Requests < 400 || inc.Requests > 700 || inc.Failed < 250 || inc.Failed > 310 {
		t.Errorf("%d of %d failed, want 300 of 600 or a few less: %+v", inc.Failed, inc.Requests, inc)
	}
}
