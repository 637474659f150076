package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store/pgtest"
	"github.com/inquesthq/inquest/internal/web"
)

// sendLogs sends the last ten minutes of a gateway and a service, whose database refuses since three minutes.
func sendLogs(t *testing.T, at string) {
	t.Helper()
	sendLogsTo(t, at, at)
}

// sendLogsTo sends the gateway's to one server and the service's to another.
func sendLogsTo(t *testing.T, gateway, shop string) {
	t.Helper()
	var access, app strings.Builder
	now := time.Now().UTC()
	for i := range 10 * 60 * 5 {
		when := now.Add(-10*time.Minute + time.Duration(i)*200*time.Millisecond)
		status, level, msg := 200, "info", `"request completed"`
		if now.Sub(when) < 3*time.Minute && i%2 == 0 {
			status, level, msg = 500, "error", `"request failed: connect ECONNREFUSED 10.2.0.9:5432"`
		}
		id := fmt.Sprintf("%032x", i)
		fmt.Fprintf(&access, "10.0.0.%d - - [%s] \"GET /api/cart HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 uct=\"0.001\" urt=\"0.011\" ua=\"10.1.0.5:3000\" us=\"%d\" rid=%s\n", i%200, when.Format("02/Jan/2006:15:04:05 -0700"), status, status, id)
		fmt.Fprintf(&app, "{\"time\":%q,\"level\":%q,\"service\":\"shop\",\"requestId\":%q,\"msg\":%s}\n", when.Format("2006-01-02T15:04:05.000Z"), level, id, msg)
	}
	for service, text := range map[string]string{"nginx": access.String(), "shop": app.String()} {
		at := map[string]string{"nginx": gateway, "shop": shop}[service]
		resp, err := http.Post(at+"/api/v1/logs?service="+service, "text/plain", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", service, resp.StatusCode, b)
		}
	}
}

// investigated declares an incident and waits for its verdict.
func investigated(t *testing.T, at string, enough func(inquest.Incident) bool) web.IncidentView {
	t.Helper()
	id := declare(t, at).ID
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		var v web.IncidentView
		if code := call(t, "GET", at+"/api/v1/incidents/"+id, "", &v); code != http.StatusOK {
			t.Fatal(code)
		}
		if enough(v.Incident) {
			return v
		}
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("no verdict: %+v", v.Incident)
		}
	}
}

// filled is a draft with what only people know.
func filled(markdown string) string {
	markdown = strings.NewReplacer(": TODO", ": bug", "TODO: what did users and operators see?", "Customers saw 500.", "TODO: what ended it?", "started the database", "TODO: what is known now that was not known before?", "Databases stop. Enforced by: the alert").Replace(markdown)
	section, lines := "", strings.Split(markdown, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "## ") {
			section = line
		}
		if section == "## Action items" {
			lines[i] = strings.Replace(strings.Replace(strings.Replace(line, "TODO", "ben", 1), "TODO", "2099-12-15", 1), "TODO", "drill passes", 1)
		}
		if section == "## Fixes" && strings.HasSuffix(line, "|  |") {
			lines[i] = strings.TrimSuffix(line, "|  |") + "| probes |"
		}
	}
	return strings.Join(lines, "\n")
}

// From the verdict over the runbook to the published postmortem and the closed file; the next one of the same cause is a repeat, and shows what was
// left open. On both stores.
func TestAnIncidentIsLearntFrom(t *testing.T) {
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, database := range map[string]string{"SQLite": "", "PostgreSQL": pg.URL("postgres")} {
		t.Run(name, func(t *testing.T) {
			at := serving(t, server.Settings{Data: filepath.Join(t.TempDir(), "data"), Database: database})
			sendLogs(t, at)
			v := investigated(t, at, func(i inquest.Incident) bool { return i.Verdict.Mechanism != "" })
			api := at + "/api/v1/incidents/" + v.Incident.ID
			do := func(path, body string, want int) {
				t.Helper()
				if code := call(t, "POST", api+path, body, nil); code != want {
					t.Errorf("%s: %d, want %d", path, code, want)
				}
			}
			do("/acknowledge", `{}`, 200)
			book := v.Runbook
			if book == nil || book.Mechanism != "database/down" {
				t.Fatalf("the runbook: %+v", book)
			}
			for _, phase := range inquest.StepPhases {
				step := book.Steps[slices.IndexFunc(book.Steps, func(s inquest.Step) bool { return s.Phase == phase })]
				do("/steps/"+step.ID, `{"outcome":"helped","note":"as expected"}`, 200)
			}
			do("/resolve", `{"force":true,"text":"the database is up; what it failed was sent a moment ago"}`, 200)
			do("/review", `{}`, http.StatusConflict)
			var draft web.PostmortemView
			call(t, "GET", api+"/postmortem", "", &draft)
			for _, want := range []string{"10.2.0.9", "Database down", "| helped |", "## Evidence", "ECONNREFUSED"} {
				if !strings.Contains(draft.Postmortem.Markdown, want) {
					t.Errorf("the draft lacks %q:\n%s", want, draft.Postmortem.Markdown)
				}
			}
			text, err := json.Marshal(map[string]any{"markdown": filled(draft.Postmortem.Markdown)})
			if err != nil {
				t.Fatal(err)
			}
			var saved web.Postmortem
			if code := call(t, "POST", api+"/postmortem", string(text), &saved); code != 200 {
				t.Fatal(code)
			}
			for _, f := range saved.Lint {
				if f.Error {
					t.Errorf("%+v", f)
				}
			}
			do("/postmortem/publish", `{}`, 200)
			do("/review", `{}`, 200)

			second := investigated(t, at, func(i inquest.Incident) bool { return i.Repeats != "" })
			if second.Incident.Repeats != v.Incident.ID || len(second.OpenItems) == 0 || !strings.Contains(second.OpenItems[0], "(ben, due 2099-12-15)") {
				t.Errorf("repeats %q with %q", second.Incident.Repeats, second.OpenItems)
			}
			if !slices.ContainsFunc(second.Timeline, func(e inquest.IncidentEntry) bool {
				return strings.HasPrefix(e.Text, "REPEAT of "+v.Incident.ID) && strings.Contains(e.Text, "ben, due")
			}) {
				t.Errorf("the timeline does not say so: %+v", second.Timeline)
			}
			for _, path := range []string{"/incidents/" + second.Incident.ID, "/incidents/" + v.Incident.ID + "/postmortem", "/postmortems"} {
				resp, err := http.Get(at + path)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(b), v.Incident.ID) {
					t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
				}
			}
		})
	}
}
