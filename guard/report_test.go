package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard"
)

func TestUsersReportWhatTheySaw(t *testing.T) {
	var got []guard.UserReport
	var fails error
	g, k := newGuard(t, guard.Config{ReportPath: "/report"})
	h := g.Reports(func(_ context.Context, r guard.UserReport) error { got = append(got, r); return fails })
	post := func(form string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/report", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return serve(h, r)
	}
	const id = "ERR-1732845600000-K7X2MN"
	if w := post("id=" + id + "&text=I+paid,+password%3Dhunter22"); w.Code != 202 || !strings.Contains(w.Body.String(), id) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantEqual(t, got, []guard.UserReport{{ErrorID: id, Text: "I paid, password=[redacted]"}})
	for form, want := range map[string]int{"id=x": 400, "": 400, "id=" + id + "&text=" + strings.Repeat("x", 20_000): 400, "id=%zz": 400} {
		if w := post(form); w.Code != want {
			t.Errorf("%.40s: %d, want %d", form, w.Code, want)
		}
	}
	post("id=" + id + "&text=" + strings.Repeat("x", 5000))
	if n := len(got[len(got)-1].Text); n != 2000 {
		t.Errorf("%d bytes kept", n)
	}
	if w := serve(h, get("/report")); w.Code != 405 || w.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", w.Code)
	}
	fails = errors.New("store is down")
	if w := post("id=" + id); w.Code != 500 || len(k.records()) != 1 {
		t.Errorf("a report that is not kept: %d", w.Code)
	}
	w := httptest.NewRecorder()
	r := get("/")
	r.Header.Set("Accept", "text/html")
	g.Handle(returning(errors.New("boom"))).ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `action="/report"`) {
		t.Errorf("the page has no form: %s", w.Body)
	}
}
