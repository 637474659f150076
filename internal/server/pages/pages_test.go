package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/server/pages"
	"github.com/inquesthq/inquest/internal/store/sqlite"
	"github.com/inquesthq/inquest/internal/web"
)

// silent is a metrics store that has nothing.
type silent struct{}

func (silent) Instant(context.Context, string, time.Time) ([]inquest.Series, error) { return nil, nil }
func (silent) Range(context.Context, string, time.Time, time.Time, time.Duration) ([]inquest.Series, error) {
	return nil, nil
}
func (silent) Raw(context.Context, string, time.Time, time.Time) ([]inquest.Series, error) {
	return nil, nil
}

// site is the pages over a real desk on SQLite.
type site struct {
	t       *testing.T
	handler http.Handler
	desk    *incident.Desk
	archive *postmortem.Archive
	now     time.Time
}

func newSite(t *testing.T) *site {
	records, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := records.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	if s.archive, err = postmortem.NewArchive(records, clock); err != nil {
		t.Fatal(err)
	}
	if s.desk, err = incident.New(incident.Config{Records: records, Now: clock, OpenItems: s.archive.OpenItems}); err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{Records: records, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	w, err := web.New(web.Config{Auth: a, Desk: pages.NewDesk(s.desk, clock), Records: records, Querier: silent{}, Now: clock, Runbooks: pages.NewRunbooks(s.desk, "the database team", clock),
		Postmortems: pages.NewPostmortems(s.desk, s.archive, pages.PostmortemsConfig{Now: clock})})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = w.Handler()
	return s
}

// call sends JSON and reads JSON.
func (s *site) call(method, path, body string, into any) int {
	s.t.Helper()
	r := httptest.NewRequest(method, "http://localhost/api/v1"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/json")
	out := httptest.NewRecorder()
	s.handler.ServeHTTP(out, r)
	if into != nil && out.Code == http.StatusOK {
		if err := json.Unmarshal(out.Body.Bytes(), into); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, out.Body)
		}
	}
	return out.Code
}

func TestAnIncidentFromDeclarationToReview(t *testing.T) {
	s := newSite(t)
	var inc inquest.Incident
	if code := s.call("POST", "/incidents", `{"title":"checkout answers 500","services":["checkout"],"severity":2,"text":"support says so"}`, &inc); code != 200 || inc.State != inquest.IncidentOpen {
		t.Fatalf("declare: %d %+v", code, inc)
	}
	at := "/incidents/" + inc.ID
	do := func(verb, body string, want int) {
		t.Helper()
		s.now = s.now.Add(time.Minute)
		if code := s.call("POST", at+"/"+verb, body, &inc); code != want {
			t.Errorf("%s %s: %d, want %d", verb, body, code, want)
		}
	}
	stale := fmt.Sprintf(`{"version":%d}`, inc.Version)
	do("acknowledge", stale, 200)
	do("mitigate", stale, http.StatusConflict) // somebody has acknowledged since
	do("note", `{"text":""}`, http.StatusBadRequest)
	do("note", `{"text":"rolled back"}`, 200)
	do("severity", `{"severity":9}`, http.StatusBadRequest)
	do("severity", `{"severity":1}`, 200)
	do("factors", `{"factors":["gremlins"]}`, http.StatusBadRequest)
	do("factors", `{"factors":["bug"]}`, 200)
	do("identify", `{"text":"the release"}`, 200)
	do("mitigate", `{}`, 200)
	do("resolve", `{}`, 200)
	do("review", `{}`, http.StatusConflict) // a SEV-1 without a postmortem
	do("waive", `{"text":"a drill"}`, 200)
	do("review", `{}`, 200)
	var v struct {
		Incident inquest.Incident        `json:"incident"`
		Timeline []inquest.IncidentEntry `json:"timeline"`
		Next     []string                `json:"next"`
	}
	if code := s.call("GET", at, "", &v); code != 200 || v.Incident.State != inquest.IncidentReviewed || v.Incident.Severity != inquest.SEV1 || v.Incident.Owner != "local" || len(v.Timeline) < 8 {
		t.Errorf("in the end: %d %+v", code, v)
	}
	do("reopen", `{}`, http.StatusConflict)
	if code := s.call("GET", "/incidents/INC-0", "", nil); code != http.StatusNotFound {
		t.Errorf("an incident that is not: %d", code)
	}
	for query, want := range map[string]int{"?state=reviewed": 1, "?state=active": 0, "?service=checkout": 1, "?service=search": 0, "?severity=1": 1, "": 1} {
		var l struct{ Items []inquest.Incident }
		if code := s.call("GET", "/incidents"+query, "", &l); code != 200 || len(l.Items) != want {
			t.Errorf("%q lists %d, want %d (%d)", query, len(l.Items), want, code)
		}
	}
}

// A phase that takes longer than its box is noted once, from the moment on that a person has the incident; when the search for the cause does, others are to come.
func TestAPhaseThatTakesTooLongIsNotedOnce(t *testing.T) {
	s := newSite(t)
	books := pages.NewRunbooks(s.desk, "the database team", func() time.Time { return s.now })
	var inc inquest.Incident
	if code := s.call("POST", "/incidents", `{"title":"checkout answers 500","services":["checkout"],"severity":2}`, &inc); code != 200 {
		t.Fatal(code)
	}
	noted := func(after time.Duration, want ...string) {
		t.Helper()
		s.now = s.now.Add(after)
		for range 2 {
			if err := books.Overruns(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		entries, err := s.desk.Timeline(t.Context(), inc.ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			if e.Data["overrun"] != nil {
				got = append(got, e.Text)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	const first, second = "Symptoms has taken longer than its 10 min", "Cause has taken longer than its 10 min: escalate to the database team"
	noted(time.Hour) // nobody has it
	s.call("POST", "/incidents/"+inc.ID+"/acknowledge", `{}`, nil)
	noted(10 * time.Minute)
	noted(time.Minute, first)
	noted(9*time.Minute, first)
	book, err := books.Runbook(t.Context(), inc.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range book.Steps {
		if step.Phase == inquest.StepSymptoms {
			if err := books.Check(t.Context(), inc.ID, inquest.StepCheck{Step: step.ID, Outcome: inquest.OutcomeHelped, By: "ada", Time: s.now}); err != nil {
				t.Fatal(err)
			}
		}
	}
	noted(10*time.Minute, first)
	noted(time.Minute, first, second)
	s.call("POST", "/incidents/"+inc.ID+"/resolve", `{}`, nil)
	noted(time.Hour, first, second)
	// What comes back has its time anew, from when somebody has it again.
	s.call("POST", "/incidents/"+inc.ID+"/reopen", `{}`, nil)
	noted(time.Hour, first, second)
	s.call("POST", "/incidents/"+inc.ID+"/acknowledge", `{}`, nil)
	noted(10*time.Minute, first, second)
	noted(time.Minute, first, second, first)
	noted(9*time.Minute, first, second, first)
	noted(time.Minute, first, second, first, second) // nobody has checked anything off
	// Once users are served, nobody is late with what comes before that.
	s.call("POST", "/incidents", `{"title":"search answers 500","services":["search"],"severity":3}`, &inc)
	s.call("POST", "/incidents/"+inc.ID+"/acknowledge", `{}`, nil)
	noted(5 * time.Minute)
	s.call("POST", "/incidents/"+inc.ID+"/mitigate", `{}`, nil)
	noted(time.Hour)
}

func TestSilences(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]int{
		`{"match":"{}","hours":1,"why":"x"}`: 400, `{"match":"service","hours":1,"why":"x"}`: 400, `{"match":"{service=~\".*\"}","hours":1,"why":"x"}`: 400,
		`{"match":"{service=~\"(\"}","hours":1,"why":"x"}`: 400, `{"match":"service=checkout","hours":0,"why":"x"}`: 400, `{"match":"service=checkout","hours":1,"why":""}`: 400,
	} {
		if code := s.call("POST", "/silences", body, nil); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	var made web.Silence
	if code := s.call("POST", "/silences", `{"match":"service=checkout, route=~\"GET .*\", tier!=critical,zone!~\"b|c\"","hours":2,"why":"drill"}`, &made); code != 200 {
		t.Fatal(code)
	}
	const want = `{service="checkout", route=~"GET .*", tier!="critical", zone!~"b|c"}`
	if made.Match != want || !made.On || made.By != "local" || !made.Until.Equal(s.now.Add(2*time.Hour)) {
		t.Errorf("%+v", made)
	}
	var v web.SettingsView
	if code := s.call("GET", "/settings", "", &v); code != 200 || len(v.Silences) != 1 || v.Silences[0].Match != want || !v.Open {
		t.Errorf("%d %+v", code, v)
	}
	if code := s.call("POST", "/silences/"+made.ID+"/end", `{}`, nil); code != 200 {
		t.Errorf("end: %d", code)
	}
	if code := s.call("GET", "/settings", "", &v); code != 200 || len(v.Silences) != 0 {
		t.Errorf("after its end: %+v", v.Silences)
	}
}

func TestMaintenance(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]int{
		`{"services":[],"hours":1,"why":"x"}`: 400, `{"services":["a"],"hours":0,"why":"x"}`: 400, `{"services":["a"],"hours":1,"why":" "}`: 400, `{"services":["a"],"hours":1,"why":"x","from":"tomorrow"}`: 400,
		`{"services":["a"],"why":"x","until":"2001-01-01T00:00:00Z"}`: 400,
	} {
		if code := s.call("POST", "/maintenance", body, nil); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	from := s.now.Add(24 * time.Hour).UTC().Truncate(time.Minute)
	var made, zoned web.Maintenance
	if code := s.call("POST", "/maintenance", `{"services":["checkout","db-1"],"from":"`+from.Format("2006-01-02T15:04")+`","hours":3,"why":"a new disk"}`, &made); code != 200 {
		t.Fatal(code)
	}
	if !made.On || made.By != "local" || !made.From.Equal(from) || !made.Until.Equal(from.Add(3*time.Hour)) || len(made.Services) != 2 || made.Why != "a new disk" {
		t.Errorf("%+v", made)
	}
	if code := s.call("POST", "/maintenance", `{"services":["*"],"from":"`+from.In(time.FixedZone("", 3600)).Format(time.RFC3339)+`","hours":1,"why":"x"}`, &zoned); code != 200 || !zoned.From.Equal(from) {
		t.Errorf("%d %+v", code, zoned)
	}
	var v web.SettingsView
	if code := s.call("GET", "/settings", "", &v); code != 200 || len(v.Maintenance) != 2 {
		t.Errorf("%d %+v", code, v)
	}
	for _, m := range []web.Maintenance{made, zoned} {
		if code := s.call("POST", "/maintenance/"+m.ID+"/end", `{}`, nil); code != 200 {
			t.Errorf("end: %d", code)
		}
	}
	if code := s.call("GET", "/settings", "", &v); code != 200 || len(v.Maintenance) != 0 {
		t.Errorf("after their end: %+v", v.Maintenance)
	}
	if code := s.call("POST", "/maintenance/MW-NONE/end", `{}`, nil); code != 404 {
		t.Errorf("the end of none: %d", code)
	}
}

func TestAUsersReportFindsItsIncident(t *testing.T) {
	s := newSite(t)
	var inc inquest.Incident
	s.call("POST", "/incidents", `{"title":"checkout answers 500","services":["checkout"]}`, &inc)
	var r web.UserReport
	if code := s.call("POST", "/report", `{"text":"I cannot pay","service":"checkout"}`, &r); code != 200 || r.Incident != inc.ID {
		t.Errorf("%d %+v", code, r)
	}
	s.call("GET", "/incidents/"+inc.ID, "", nil)
	got, err := s.desk.Get(t.Context(), inc.ID)
	if err != nil || got.Reports != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
