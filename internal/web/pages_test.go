package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web"
)

func TestOverviewSaysWhatIsOpenAndWhoIsSick(t *testing.T) {
	w := newWorld(t, nil, nil)
	page := parsePage(t, w.local(t).get("/").Body.String())
	if got := page.first("h1"); got != "2 open incidents" {
		t.Errorf("h1 %q", got)
	}
	if cards := page.texts(".card"); len(cards) != 2 || !strings.HasPrefix(cards[0], "SEV-1 checkout answers 5xx") || !strings.Contains(cards[0], "nobody has it") || !strings.Contains(cards[1], "ann has it") {
		t.Errorf("cards %q", cards)
	}
	want := []string{"checkout degraded critical", "search ok", "storefront ok critical", "payments ok critical", "recommendations idle"}
	if got := page.texts(".services tbody th"); !slices.Equal(got, want) {
		t.Errorf("services %q, want the sick ones first: %q", got, want)
	}
	cells := page.texts(".services tbody tr")
	if !strings.Contains(cells[0], "16%") || !strings.Contains(cells[0], "4.81 s") || !strings.Contains(cells[0], "21.4×") || !strings.Contains(cells[2], "0.02% said 2xx") || strings.Contains(cells[4], "2xx") {
		t.Errorf("figures %q", cells)
	}
	if n := len(page.all(".services .spark")); n != 5 {
		t.Errorf("%d trends", n)
	}
}

func TestStatesOfServices(t *testing.T) {
	failing := func(r float64) func(time.Time) float64 { return func(time.Time) float64 { return r } }
	for name, c := range map[string]struct {
		s    service
		want string
	}{
		"1% of a critical one is still what rules allow": {service{rate: 10, tier: "critical", failed: failing(0.01)}, "ok"},
		"more than 1% of a critical one":                 {service{rate: 10, tier: "critical", failed: failing(0.0101)}, "degraded"},
		"more than 1% of another":                        {service{rate: 10, failed: failing(0.0101)}, "ok"},
		"more than 5% of another":                        {service{rate: 10, failed: failing(0.051)}, "degraded"},
		"every other request":                            {service{rate: 10, failed: failing(0.5)}, "down"},
		"nobody asks":                                    {service{rate: 0, failed: failing(0)}, "idle"},
	} {
		w := newWorld(t, nil, func(_ *web.Config, w *world) { w.querier.services = map[string]service{"x": c.s} })
		var v web.Overview
		decodeInto(t, w.local(t).get("/api/v1/overview").Body.Bytes(), &v)
		if len(v.Services) != 1 || v.Services[0].State != c.want {
			t.Errorf("%s: %+v, want %s", name, v.Services, c.want)
		}
	}
}

func decodeInto(t testing.TB, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%v in %.300s", err, b)
	}
}

func TestOverviewWithoutMetricsStillShowsIncidents(t *testing.T) {
	w := newWorld(t, nil, func(_ *web.Config, w *world) { w.querier.fail = errors.New("the store is closed") })
	page := parsePage(t, w.local(t).get("/").Body.String())
	if page.first("h1") != "2 open incidents" || !strings.Contains(page.first("[role=alert]"), "the store is closed") {
		t.Errorf("%s", page.first("main"))
	}
	if out := w.local(t).get("/incidents/" + openIncident); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `class="chart"`) {
		t.Errorf("the incident: %d", out.Code)
	}
}

// A failure of ours is told by an id alone; the operator's log has the reason.
func TestAFailureOfTheServerItselfIsLookedUpByItsID(t *testing.T) {
	var told error
	w := newWorld(t, nil, func(c *web.Config, w *world) {
		c.Objectives = broken{}
		c.Failed = func(err error) { told = err }
	})
	for _, path := range []string{"/slos", "/api/v1/slos"} {
		out := w.local(t).get(path)
		id := regexp.MustCompile(`ERR-[A-Z2-7]{12}`).FindString(out.Body.String())
		if out.Code != http.StatusInternalServerError || id == "" || strings.Contains(out.Body.String(), "10.0.0.9") {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
		if told == nil || !strings.HasPrefix(told.Error(), id+": GET "+path) || !strings.Contains(told.Error(), "10.0.0.9") {
			t.Errorf("%s: the operator is told %v", path, told)
		}
	}
}

type broken struct{}

func (broken) Objectives(context.Context) ([]web.Objective, error) {
	return nil, errors.New("dial tcp 10.0.0.9:5432: connection refused")
}

func TestEmptyServerSaysWhatToDo(t *testing.T) {
	w := newWorld(t, nil, func(c *web.Config, w *world) {
		w.desk.incidents, w.querier.services, w.desk.silences = nil, nil, nil
		c.Records = newRecords()
		c.Lookup, c.Runbooks, c.Postmortems, c.Objectives, c.Findings, c.Settings, c.Signals = nil, nil, nil, nil, nil, nil, nil
	})
	me := &agent{w: w, here: true}
	for path, want := range map[string]string{"/": "No service has sent anything yet", "/incidents": "No incident fits", "/alerts": "No alert fits", "/patterns": "No pattern fits", "/changes": "inquest change",
		"/slos": "No objective is configured", "/audit": "does not look by itself", "/settings": "nobody is told of an incident", "/errors?id=abcdef": "keeps no logs", "/signals": "Nothing has arrived yet", "/tokens": "no token yet"} {
		out := me.get(path)
		if out.Code != http.StatusOK || !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s: %d, does not say %q", path, out.Code, want)
		}
	}
}

func TestAlertsThatBelongToNoIncidentAreSeen(t *testing.T) {
	w := newWorld(t, nil, nil)
	me := w.local(t)
	if got := parsePage(t, me.get("/").Body.String()).first(".aside a"); got != "1 for the chat, 1 for working hours" {
		t.Errorf("the overview says %q", got)
	}
	page := parsePage(t, me.get("/alerts").Body.String())
	rows := page.texts("tbody tr")
	if len(rows) != 3 || !strings.Contains(rows[0], "search fails 6.1% of its requests") || !strings.Contains(rows[1], "DiskFullWithinADay") || !strings.Contains(rows[2], "silenced") {
		t.Errorf("rows %q", rows)
	}
	var l struct{ Items []web.StandingAlert }
	decodeInto(t, me.get("/api/v1/alerts?urgency=ticket").Body.Bytes(), &l)
	if len(l.Items) != 1 || l.Items[0].Service != "checkout" || l.Items[0].Urgency != inquest.UrgencyTicket || l.Items[0].ID != "AL2" || l.Items[0].Times != 1 {
		t.Errorf("tickets %+v", l.Items)
	}
}

func TestTheIncidentPageTellsWhenItWasVerified(t *testing.T) {
	for name, want := range map[string]string{"not yet": "to verify –", "the last step helped": "to verify 46 min"} {
		w := newWorld(t, nil, func(c *web.Config, w *world) {
			book := someRunbook()
			if name != "not yet" {
				i := slices.IndexFunc(w.desk.incidents, func(x *inquest.Incident) bool { return x.ID == openIncident })
				book.done = w.desk.incidents[i].Onset.Add(46 * time.Minute)
			}
			c.Runbooks = book
		})
		page := parsePage(t, w.local(t).get("/incidents/"+openIncident).Body.String())
		if got := page.texts(".spells div"); !slices.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestHowIncidentsWent(t *testing.T) {
	w := newWorld(t, nil, nil)
	page := parsePage(t, w.local(t).get("/stats?since=2160h").Body.String())
	if got := page.texts("tbody tr"); len(got) != 2 || !strings.HasSuffix(got[0], "– – 0") || !strings.HasPrefix(got[1], "to acknowledge MTTA first alert until a person had it") || !strings.HasSuffix(got[1], "6 min 1 min 12") {
		t.Errorf("times %q", got)
	}
	for _, want := range []string{"14 incidents, 2 of them active, 3 with the cause of an earlier one; 1 more", "SEV-2 9, SEV-1 5", "database 8, other 6", "41200 EUR", "later than 5 min, or not yet " + beforeIncident} {
		if !strings.Contains(page.first("main"), want) {
			t.Errorf("no %q in %q", want, page.first("main"))
		}
	}
	if got := page.all("option[selected]"); len(got) != 1 || got[0].attr("value") != "2160h" {
		t.Errorf("%d are chosen", len(got))
	}
	if got := parsePage(t, w.local(t).get("/stats?since=24h").Body.String()).first(".empty"); got != "No incident was opened in this time." {
		t.Error(got)
	}
	var v web.Stats
	decodeInto(t, w.local(t).get("/api/v1/stats").Body.Bytes(), &v)
	if v.To.Sub(v.From) != 30*24*time.Hour || !v.To.Equal(w.now) || v.Times[1].Mean != 412 {
		t.Errorf("without a word it is of 30 days: %+v", v)
	}
	for _, since := range []string{"30d", "-1h", "1m", "999999h"} {
		if out := w.local(t).get("/api/v1/stats?since=" + since); out.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", since, out.Code)
		}
	}
}

func TestWhatArrives(t *testing.T) {
	w := newWorld(t, nil, nil)
	page := parsePage(t, w.local(t).get("/signals").Body.String())
	for _, warning := range []string{"No file matches /srv/search/logs/*.log", "http://search:8080/metrics (job search) is down"} {
		if !strings.Contains(page.first("[role=alert]"), warning) {
			t.Errorf("no %q in %q", warning, page.first("[role=alert]"))
		}
		if first := parsePage(t, w.local(t).get("/").Body.String()); !strings.Contains(first.first("[role=alert]"), warning) || len(first.all("[role=alert] a[href=/signals]")) != 1 {
			t.Errorf("the overview: %q", first.first("[role=alert]"))
		}
	}
	rows := page.texts("tbody tr")
	for i, want := range []string{"checkout logs 48,211,907 1,200 last 9 min ago 0", "checkout spans 921 0 0", "cart metrics 0 0 12 last 20 h ago never", "/var/log/nginx/access.log* gateway 3 1 5 MiB", "/srv/search/logs/*.log by the name 0 0 0 B",
		"http://checkout:8080/metrics checkout up", "http://search:8080/metrics search down connect: connection refused", "http://mail:9090/metrics mail not yet"} {
		if !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d: %q, want %q", i, rows[i], want)
		}
	}
	if hot := page.texts("#sources .hot"); len(hot) != 1 || !strings.HasPrefix(hot[0], "1,200") {
		t.Errorf("only what was shed within the hour stands out: %q", hot)
	}
	if got := page.first("#counting"); !strings.Contains(got, "up to 12 s ago") || !strings.Contains(got, "3 MiB") {
		t.Error(got)
	}
}

func TestTheIncidentPage(t *testing.T) {
	w := newWorld(t, nil, nil)
	page := parsePage(t, w.local(t).get("/incidents/"+openIncident).Body.String())
	if h := page.texts("h1"); len(h) != 1 || h[0] != "checkout answers 5xx to 16% of requests" {
		t.Errorf("h1 %q", h)
	}
	for _, id := range []string{"verdict", "chart", "chain", "impact", "runbook", "log", "plan", "evidence", "rivals", "similar", "revisions", "coverage"} {
		if len(page.all("section#"+id)) != 1 {
			t.Errorf("no section %s", id)
		}
	}
	ids := map[string]bool{}
	for _, n := range page.all("[id]") {
		if ids[n.attr("id")] {
			t.Errorf("id %s twice", n.attr("id"))
		}
		ids[n.attr("id")] = true
	}
	for _, a := range page.all(".toc a") {
		if !ids[strings.TrimPrefix(a.attr("href"), "#")] {
			t.Errorf("%s leads nowhere", a.attr("href"))
		}
	}
	if got := page.texts(".acts button"); !slices.Equal(got, []string{"Acknowledge", "Mitigated", "Resolved"}) {
		t.Errorf("buttons %q", got)
	}
	if got := page.first(".log li"); !strings.Contains(got, "03:48:05") || !strings.Contains(got, "04:48:05 CET") {
		t.Errorf("the first entry has not both zones: %q", got)
	}
	if got := page.texts("#chart .mark"); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "deploy storefront") }) {
		t.Errorf("marks %q", got)
	}
	if got := page.first("#similar"); !strings.Contains(got, beforeIncident) || !strings.Contains(got, "83% alike") {
		t.Errorf("similar %q", got)
	}
	if got := page.first("#verdict"); !strings.Contains(got, "still going on") {
		t.Errorf("an open incident goes on: %q", got)
	}
	if old := parsePage(t, w.local(t).get("/incidents/"+openIncident+"?revision=1").Body.String()); !strings.Contains(old.first("#verdict"), "the cause is open") {
		t.Errorf("the first revision: %s", old.first("#verdict"))
	}
}

// young is a metrics store that has counted for two minutes.
type young struct {
	*querier
	steps []time.Duration
	began time.Time
}

func (y *young) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) ([]inquest.Series, error) {
	y.steps = append(y.steps, step)
	all, err := y.querier.Range(ctx, query, from, to, step)
	for i := range all {
		all[i].Samples = slices.DeleteFunc(all[i].Samples, func(s inquest.Sample) bool { return s.Time.Before(y.began) })
	}
	return all, err
}

func TestTheChartOfAYoungServerIsOfWhatItHasSeen(t *testing.T) {
	y := &young{}
	w := newWorld(t, nil, func(c *web.Config, w *world) {
		y.querier, y.began = w.querier, w.now.Add(-2*time.Minute)
		c.Querier = y
	})
	page := parsePage(t, w.local(t).get("/incidents/"+openIncident).Body.String())
	if len(page.all("section#chart svg")) == 0 || slices.Min(y.steps) != 10*time.Second {
		t.Errorf("%d charts, asked in steps of %v", len(page.all("section#chart svg")), y.steps)
	}
	y.steps, y.began = nil, time.Time{}
	w.local(t).get("/incidents/" + openIncident)
	if len(y.steps) != 3 || slices.Min(y.steps) != time.Minute {
		t.Errorf("an hour is asked in steps of %v", y.steps)
	}
}

func TestTheIncidentAsJSONHoldsTheReport(t *testing.T) {
	w := newWorld(t, nil, nil)
	var v struct {
		Version   int64
		Revision  int
		Diagnosis struct {
			Schema  string
			Verdict struct{ Mechanism, Culprit string }
		}
		Runbook web.Runbook
		Next    []string
		Similar []web.SimilarIncident
	}
	decodeInto(t, w.local(t).get("/api/v1/incidents/"+openIncident).Body.Bytes(), &v)
	if v.Diagnosis.Schema != "inquest/report/v1" || v.Diagnosis.Verdict.Culprit != "db-1" || v.Revision != 2 || v.Version != 7 || len(v.Runbook.Steps) != 4 || len(v.Next) != 3 || v.Similar[0].Incident != beforeIncident {
		t.Errorf("%+v", v)
	}
}

func TestEveryDeedReachesTheDeskAndTheLog(t *testing.T) {
	w := newWorld(t, users(), nil)
	ann := w.signIn(t, "ann")
	at := "/incidents/" + openIncident
	for _, c := range []struct {
		path  string
		form  []string
		leads string
	}{
		{at + "/acknowledge", []string{"version", "7"}, at}, {at + "/note", []string{"text", "hello"}, at}, {at + "/severity", []string{"severity", "2", "text", "few"}, at},
		{at + "/factors", []string{"factors", "bug", "factors", "human-error"}, at}, {at + "/identify", []string{"text", "index"}, at}, {at + "/mitigate", nil, at},
		{at + "/resolve", []string{"force", "true", "text", "rule is wrong"}, at}, {at + "/reopen", nil, at}, {at + "/waive", []string{"text", "drill"}, at},
		{at + "/steps/look", []string{"outcome", "helped", "note", "eleven"}, at + "#runbook"}, {at + "/postmortem", []string{"markdown", "# x owner: ann", "version", "0"}, at + "/postmortem"},
		{at + "/postmortem/publish", []string{"version", "1"}, at + "/postmortem"},
		{"/silences", []string{"match", "service=a", "hours", "3", "why", "drill"}, "/settings#silences"}, {"/silences/S1/end", nil, "/settings#silences"},
	} {
		out := ann.post(c.path, c.form...)
		if out.Code != http.StatusSeeOther || out.Header().Get("Location") != c.leads {
			t.Errorf("%s: %d to %q, want %q: %.200s", c.path, out.Code, out.Header().Get("Location"), c.leads, out.Body)
		}
	}
	var deeds []string
	for _, a := range w.desk.acts {
		deeds = append(deeds, fmt.Sprint(a.By, " ", a.Verb, " ", a.Text, " ", a.Severity, " ", a.Factors, " ", a.Force, " ", a.Version))
	}
	want := []string{"ann acknowledge  SEV-0 [] false 7", "ann note hello SEV-0 [] false 0", "ann severity few SEV-2 [] false 0", "ann factors  SEV-0 [bug human-error] false 0", "ann identify index SEV-0 [] false 0",
		"ann mitigate  SEV-0 [] false 0", "ann resolve rule is wrong SEV-0 [] true 0", "ann reopen  SEV-0 [] false 0", "ann waive drill SEV-0 [] false 0"}
	if !slices.Equal(deeds, want) {
		t.Errorf("the desk was told\n%s\nwant\n%s", strings.Join(deeds, "\n"), strings.Join(want, "\n"))
	}
	log, err := w.cfg.Auth.Log(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range log {
		lines = append(lines, l.By+" "+l.Action+" "+l.Target)
	}
	for _, want := range []string{"ann incident: resolve " + openIncident, "ann runbook step " + openIncident + " look", "ann silence ended S1", "ann postmortem saved " + openIncident, "ann postmortem published " + openIncident, "ann login "} {
		if !slices.Contains(lines, want) {
			t.Errorf("the log lacks %q: %q", want, lines)
		}
	}
}

func TestListingsGoOnWhereTheyLeftOff(t *testing.T) {
	w := newWorld(t, nil, func(c *web.Config, w *world) {
		m := newRecords()
		for i := range 120 {
			m.put("change", fmt.Sprintf("c%03d", i), "checkout", w.now.Add(-time.Duration(i/2)*time.Minute), inquest.Change{Time: w.now, Kind: inquest.ChangeDeploy, Version: fmt.Sprint(i)})
		}
		c.Records = m
	})
	me := &agent{w: w, here: true}
	seen := map[string]bool{}
	next, pages := "", 0
	for {
		var l struct {
			Items []web.Change
			Next  string
		}
		decodeInto(t, me.get("/api/v1/changes?after="+strings.ReplaceAll(next, "+", "%2B")).Body.Bytes(), &l)
		for _, c := range l.Items {
			seen[c.Version] = true
		}
		pages++
		if next = l.Next; next == "" || pages > 9 {
			break
		}
	}
	if pages != 3 || len(seen) != 120 {
		t.Errorf("%d pages with %d changes", pages, len(seen))
	}
	page := parsePage(t, me.get("/changes?kind=deploy").Body.String())
	if more := page.all(".more a"); len(more) != 1 || !strings.HasPrefix(more[0].attr("href"), "/changes?after=") || !strings.Contains(more[0].attr("href"), "kind=deploy") {
		t.Error("no way to older ones that keeps the filter")
	}
	var none struct{ Items []web.Change }
	decodeInto(t, me.get("/api/v1/changes?kind=flag").Body.Bytes(), &none)
	if none.Items == nil || len(none.Items) != 0 {
		t.Errorf("a filter that lets nothing through: %+v", none)
	}
}

var routeWords = regexp.MustCompile(`^(GET|POST) /api/v1(\S+) (\S+)$`)

func TestTheDocumentDescribesEveryRouteAndNothingElse(t *testing.T) {
	w := newWorld(t, users(), nil)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Role        string `json:"x-role"`
			RequestBody any
			Responses   map[string]any
		}
		Components struct{ Schemas map[string]any }
	}
	body := w.signIn(t, "vic").get("/api/v1/openapi.json").Body.Bytes()
	decodeInto(t, body, &doc)
	described, ids := map[string]bool{}, map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			described[strings.ToUpper(method)+" "+path+" "+op.Role] = true
			if op.OperationID == "" || ids[op.OperationID] || (method == "post") != (op.RequestBody != nil) || len(op.Responses) != 2 {
				t.Errorf("%s %s: %+v", method, path, op)
			}
			ids[op.OperationID] = true
		}
	}
	served := map[string]bool{}
	for _, r := range w.Routes() {
		if routeWords.MatchString(r) {
			served[r] = true
		}
	}
	if len(served) < 30 || len(served) != len(described) {
		t.Errorf("%d routes, %d described", len(served), len(described))
	}
	for r := range served {
		if !described[r] {
			t.Errorf("%s is not described", r)
		}
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %q", doc.OpenAPI)
	}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(string(body), -1) {
		if doc.Components.Schemas[m[1]] == nil {
			t.Errorf("schema %s is referred to and not there", m[1])
		}
	}
}

// A server that opens a way in without a word on it does not begin, so that programs find all of them in the document.
func TestAWayInIsNotServedUndescribed(t *testing.T) {
	w := newWorld(t, nil, nil)
	good := web.Way{Path: "/v1/logs", Summary: "lines", Takes: []string{"text/plain"}}
	for _, way := range []web.Way{{Path: good.Path, Takes: good.Takes}, {Path: good.Path, Summary: good.Summary}, {Summary: good.Summary, Takes: good.Takes}} {
		cfg := w.cfg
		cfg.Ways = []web.Way{good, way}
		if _, err := web.New(cfg); err == nil || !strings.Contains(err.Error(), "is not described") {
			t.Errorf("%+v: %v", way, err)
		}
	}
}

// TestAnswersAreAsDescribed compares what is answered with what the document says of it: every required key is there, and no other.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t, nil, nil)
	me := w.local(t)
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema map[string]string }
			}
		}
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]any
			}
		}
	}
	decodeInto(t, me.get("/api/v1/openapi.json").Body.Bytes(), &doc)
	checked := 0
	for path, item := range doc.Paths {
		op, ok := item["get"]
		if !ok {
			continue
		}
		name := strings.TrimPrefix(op.Responses["200"].Content["application/json"].Schema["$ref"], "#/components/schemas/")
		schema := doc.Components.Schemas[name]
		var got map[string]any
		decodeInto(t, me.get(filled(path)).Body.Bytes(), &got)
		for _, key := range schema.Required {
			if _, ok := got[key]; !ok {
				t.Errorf("%s: %s lacks %s", path, name, key)
			}
		}
		for key := range got {
			if schema.Properties[key] == nil {
				t.Errorf("%s: %s has %s, which is not described", path, name, key)
			}
		}
		checked++
	}
	if checked < 12 {
		t.Errorf("%d answers were looked at", checked)
	}
}
