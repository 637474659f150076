package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web"
)

// evil is what a stranger writes into whatever reaches a page.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{.}}` + "\x1b[31m\u202e"

// poisoned has the same text in every place that strangers write: log lines, paths, services, user reports, webhooks of changes and alerts.
func poisoned(c *web.Config, w *world) {
	inc := w.desk.incidents[0]
	inc.Title, inc.Services, inc.Owner, inc.Waiver = evil, []string{evil}, evil, evil
	inc.Alerts[0].Rule, inc.Alerts[0].Labels = evil, map[string]string{evil: evil}
	inc.Verdict.Summary, inc.Verdict.Action, inc.Verdict.Culprit = evil, evil, evil
	d := *w.desk.diagnoses[openIncident][1]
	v := *d.Verdict
	v.Summary, v.Culprit = evil, evil
	v.Chain = append(v.Chain[:1:1], inquest.Link{Role: inquest.RoleCause, Time: d.Onset, Text: evil, Evidence: []string{"E1"}})
	v.Trigger = &inquest.Trigger{Kind: inquest.TriggerKind(evil), Time: d.Onset, Service: evil, Version: evil, Summary: evil, Why: evil}
	v.Actions = []inquest.Action{{Text: evil, Phase: inquest.PhaseNow, Command: evil}}
	d.Verdict = &v
	d.Evidence = append(d.Evidence[:0:0], inquest.Evidence{ID: "E1", Layer: inquest.LayerApplication, Kind: "log", Time: d.Onset, Text: evil, Source: inquest.Source{File: evil, Line: 1}})
	d.Impact.Routes = []inquest.RouteImpact{{Route: "GET /" + evil, Requests: 2, Failed: 1}}
	d.Alternatives = []inquest.Candidate{{Mechanism: inquest.MechanismID(evil), Culprit: evil, For: []string{evil}, Against: []string{evil}}}
	d.Chart.Marks = []inquest.Mark{{Time: d.Onset, Kind: evil, Text: evil}}
	w.desk.diagnoses[openIncident] = []*inquest.Diagnosis{&d, &d}
	for i := range w.desk.timeline[openIncident] {
		e := &w.desk.timeline[openIncident][i]
		e.Text, e.By = evil, evil
	}
	w.desk.similar[openIncident] = []inquest.Similar{{Incident: evil, Score: 0.5, Why: evil}}
	w.desk.silences = []web.Silence{{ID: "S1", Match: evil, By: evil, Why: evil, On: true, Until: w.now}}
	w.desk.windows = []web.Maintenance{{ID: "M1", Services: []string{evil}, By: evil, Why: evil, On: true, From: w.now.Add(1), Until: w.now}}
	w.querier.services = map[string]service{evil: {rate: 1, p99: 1, tier: evil, failed: func(time.Time) float64 { return 0.9 }, lying: 0.1}}
	w.records.put("pattern", "x", evil, w.now, map[string]any{"template": evil, "level": evil, "service": evil, "example": map[string]any{"text": evil, "request_id": evil}})
	w.records.put("change", "x", evil, w.now, map[string]any{"kind": evil, "service": evil, "version": evil, "summary": evil})
	c.Lookup = &lookup{&web.Trace{IDs: []string{knownError, evil}, Lines: []web.Line{{Time: w.now, Service: evil, Layer: inquest.Layer(evil), Text: evil, Source: inquest.Source{File: evil, Line: 3}}}}}
	c.Runbooks = &runbooks{for_: openIncident, steps: []web.Step{{ID: "x", Phase: evil, Text: evil, Command: evil, Expect: evil}, {ID: "y", Done: &web.StepCheck{Outcome: evil, Note: evil, By: evil}}}}
	found := someFindings(&d, w.now)
	f := &found.Audit.Findings[1]
	f.Service, f.Route, f.Detail, f.Examples[0].Text, f.Examples[0].Source.File = evil, evil, evil, evil, evil
	found.Audit.Unchecked[0].Why, found.Audit.Files[0].File, found.Audit.Files[0].Format, found.Audit.Files[0].Notes, found.Audit.Notes[0], found.Servers[0] = evil, evil, evil, []string{evil}, evil, evil
	more := &told{findings: found, objectives: []web.Objective{{Name: evil, Service: evil, Burn: []web.BurnWindow{{Window: evil}}}},
		setup: &web.Setup{Channels: []web.Channel{{Name: evil, Kind: evil, Where: evil, Incident: evil, Error: evil}}, Rosters: []web.OnCall{{Roster: evil, Person: evil, Next: evil}},
			Rules: []web.Rule{{Group: evil, Name: evil, Expr: evil, For: evil, Severity: evil, State: evil}}, Facts: []web.Fact{{Name: evil, Value: evil}}},
		arrivals: &web.Arrivals{Server: evil, Warnings: []string{evil}, Signals: []web.Signal{{Source: evil, Signal: evil}}, Files: []web.FilePattern{{Pattern: evil, Service: evil}}, Targets: []web.ScrapeTarget{{URL: evil, Job: evil, Last: w.now, Error: evil}}, Counting: web.Counting{Error: evil}}}
	c.Objectives, c.Findings, c.Settings, c.Signals = more, more, more, more
}

func TestWhatStrangersWriteStaysText(t *testing.T) {
	w := newWorld(t, nil, poisoned)
	me := w.local(t)
	if out := me.post("/tokens", "name", evil, "role", "viewer"); out.Code != http.StatusOK {
		t.Fatal(out.Code, out.Body)
	}
	pages := map[string]string{"echo": "/patterns?service=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "echo id": "/errors?id=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
		"echo report": "/report?id=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "nowhere": "/%3Cscript%3Ealert(1)%3C/script%3E"}
	for name, path := range everyPage {
		pages[name] = path
	}
	shown := 0
	for name, path := range pages {
		out := me.get(path)
		body := out.Body.String()
		page := parsePage(t, body)
		for _, n := range page.all("script") {
			if !strings.HasPrefix(n.attr("src"), "/assets/") || n.text() != "" {
				t.Errorf("%s: a script of somebody else's: %s %q", name, n.attr("src"), n.text())
			}
		}
		if n := len(page.all("img")); n > 0 {
			t.Errorf("%s: %d images", name, n)
		}
		for _, n := range page.all("main") {
			for x := range n.node.Descendants() {
				for _, a := range x.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
						t.Errorf("%s: <%s %s=%q>", name, x.Data, a.Key, a.Val)
					}
				}
			}
		}
		if strings.ContainsAny(body, "\x1b\u202e") {
			t.Errorf("%s: control characters reach the page", name)
		}
		shown += strings.Count(page.first("main"), "<script>alert(1)</script>")
	}
	if shown < 50 {
		t.Errorf("the text is shown %d times: the pages were not looked at with it", shown)
	}
}

func TestJSONCannotBeTakenForAPage(t *testing.T) {
	w := newWorld(t, nil, poisoned)
	for _, path := range []string{"/api/v1/overview", "/api/v1/incidents/" + openIncident, "/api/v1/patterns", "/api/v1/nowhere<script>", "/api/v1/errors?id=" + knownError, "/api/v1/audit"} {
		out := w.local(t).get(strings.ReplaceAll(path, "<", "%3C"))
		if kind := out.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/") || strings.Contains(out.Body.String(), "<script") || !json.Valid(out.Body.Bytes()) {
			t.Errorf("%s: %s %.200s", path, kind, out.Body)
		}
	}
}

func TestTooMuchOrTheWrongKind(t *testing.T) {
	w := newWorld(t, nil, nil)
	me := w.local(t)
	large := strings.Repeat("x", 2<<20)
	note := "/incidents/" + openIncident + "/note"
	for name, c := range map[string]struct {
		path, kind, body string
		want             int
	}{
		"a form of two megabytes":     {note, "application/x-www-form-urlencoded", "csrf=" + me.csrf + "&text=" + large, http.StatusRequestEntityTooLarge},
		"JSON of two megabytes":       {"/api/v1" + note, "application/json", `{"text":"` + large + `"}`, http.StatusRequestEntityTooLarge},
		"a login of two megabytes":    {"/login", "application/x-www-form-urlencoded", "name=" + large, http.StatusRequestEntityTooLarge},
		"no kind":                     {note, "", "text=x", http.StatusUnsupportedMediaType},
		"text":                        {"/api/v1" + note, "text/plain", `{"text":"x"}`, http.StatusUnsupportedMediaType},
		"a form to the API":           {"/api/v1" + note, "application/x-www-form-urlencoded", "text=x", http.StatusUnsupportedMediaType},
		"JSON to the page":            {note, "application/json", `{"text":"x"}`, http.StatusUnsupportedMediaType},
		"broken JSON":                 {"/api/v1" + note, "application/json", `{"text":`, http.StatusBadRequest},
		"two objects":                 {"/api/v1" + note, "application/json", `{"text":"x"}{"text":"y"}`, http.StatusBadRequest},
		"a key that is not known":     {"/api/v1" + note, "application/json", `{"txt":"x"}`, http.StatusBadRequest},
		"a number that is none":       {"/incidents/" + openIncident + "/severity", "application/x-www-form-urlencoded", "severity=high&csrf=" + me.csrf, http.StatusBadRequest},
		"JSON a million levels deep":  {"/api/v1" + note, "application/json", strings.Repeat("[", 1000000), http.StatusBadRequest},
		"an outcome that is not":      {"/api/v1/incidents/" + openIncident + "/steps/look", "application/json", `{"outcome":"great"}`, http.StatusBadRequest},
		"a step that is not":          {"/api/v1/incidents/" + openIncident + "/steps/none", "application/json", `{"outcome":"helped"}`, http.StatusNotFound},
		"an incident that is not":     {"/api/v1/incidents/INC-0/acknowledge", "application/json", `{}`, http.StatusNotFound},
		"a version of before":         {"/api/v1/incidents/" + openIncident + "/acknowledge", "application/json", `{"version":1}`, http.StatusConflict},
		"an incident without a title": {"/api/v1/incidents", "application/json", `{"title":" "}`, http.StatusBadRequest},
		"a token for nothing":         {"/api/v1/tokens", "application/json", `{"name":"x"}`, http.StatusBadRequest},
		"a token for ever and a day":  {"/api/v1/tokens", "application/json", `{"name":"x","role":"viewer","days":99999}`, http.StatusBadRequest},
		"an empty postmortem":         {"/api/v1/incidents/" + openIncident + "/postmortem", "application/json", `{"markdown":""}`, http.StatusBadRequest},
		"a postmortem of before":      {"/api/v1/incidents/" + openIncident + "/postmortem", "application/json", `{"markdown":"x","version":4}`, http.StatusConflict},
	} {
		out := me.send("POST", c.path, c.kind, c.body)
		if out.Code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, out.Code, c.want, out.Body)
		}
		if strings.HasPrefix(c.path, "/api/") && out.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: not told as a problem: %s", name, out.Header().Get("Content-Type"))
		}
	}
	for path, want := range map[string]int{"/incidents?state=lost": 400, "/incidents?severity=9": 400, "/incidents?after=x": 400, "/incidents/" + openIncident + "?revision=0": 400,
		"/incidents/" + openIncident + "?revision=9": 404, "/incidents/INC-0": 404, "/changes?after=~": 400, "/nowhere": 404} {
		if out := me.get(path); out.Code != want {
			t.Errorf("%s: %d, want %d", path, out.Code, want)
		}
		if out := me.get("/api/v1" + path); out.Code != want {
			t.Errorf("/api/v1%s: %d, want %d", path, out.Code, want)
		}
	}
	if len(w.desk.acts) != 0 {
		t.Errorf("something was done: %+v", w.desk.acts)
	}
}
