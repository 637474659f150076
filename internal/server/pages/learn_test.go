package pages_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web"
)

func (s *site) declare(title string) inquest.Incident {
	s.t.Helper()
	var inc inquest.Incident
	if code := s.call("POST", "/incidents", `{"title":"`+title+`","services":["checkout"],"severity":2}`, &inc); code != 200 {
		s.t.Fatal(code)
	}
	return inc
}

func TestStepsOfTheRunbookAreCheckedOffInTheTimeline(t *testing.T) {
	s := newSite(t)
	at := "/incidents/" + s.declare("checkout answers 500").ID
	var book inquest.Runbook
	if code := s.call("GET", at+"/runbook", "", &book); code != 200 || len(book.Steps) < 6 || !strings.Contains(book.Escalation, "the database team") {
		t.Fatalf("%d %+v", code, book)
	}
	s.call("POST", at+"/acknowledge", `{}`, nil)
	s.now = s.now.Add(14 * time.Minute)
	first := at + "/steps/" + book.Steps[0].ID
	for body, want := range map[string]int{`{"outcome":"great"}`: 400, `{"outcome":"helped","note":"16% of POST /checkout"}`: 200} {
		if code := s.call("POST", first, body, nil); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	if code := s.call("POST", at+"/steps/nope", `{"outcome":"helped"}`, nil); code != 400 {
		t.Errorf("a step that is not there: %d", code)
	}
	if code := s.call("POST", "/incidents/INC-0/steps/nope", `{"outcome":"helped"}`, nil); code != 404 {
		t.Errorf("an incident that is not there: %d", code)
	}
	var v struct {
		Timeline []inquest.IncidentEntry `json:"timeline"`
		Runbook  inquest.Runbook         `json:"runbook"`
	}
	s.call("GET", at, "", &v)
	done := v.Runbook.Steps[0].Done
	if done == nil || done.Outcome != inquest.OutcomeHelped || done.By != "local" || !done.Time.Equal(s.now) || done.Note != "16% of POST /checkout" {
		t.Errorf("%+v", done)
	}
	last := v.Timeline[len(v.Timeline)-1]
	if last.Kind != inquest.EntryStep || last.By != "local" || !strings.Contains(last.Text, "4 min over its 10 min") {
		t.Errorf("%+v", last)
	}
}

// That users are served is a time of its own, from the steps of Verify that were checked off (REQUIREMENTS 276).
func TestWhenItWasVerifiedStandsInTheDraft(t *testing.T) {
	s := newSite(t)
	at := "/incidents/" + s.declare("checkout answers 500").ID
	var book inquest.Runbook
	s.call("GET", at+"/runbook", "", &book)
	var last time.Time
	for _, step := range book.Steps {
		if step.Phase == inquest.StepVerify {
			if _, text := s.draft(at); strings.Contains(text, "**Verified**") {
				t.Errorf("before %q was done it was verified", step.Text)
			}
			s.now = s.now.Add(6 * time.Minute)
			last = s.now
			if code := s.call("POST", at+"/steps/"+step.ID, `{"outcome":"helped"}`, nil); code != 200 {
				t.Fatal(code)
			}
		}
	}
	s.now = s.now.Add(time.Hour)
	if code, text := s.draft(at); code != 200 || !strings.Contains(text, "- **Verified**: "+last.Format("2006-01-02 15:04:05 UTC")+"\n") || !strings.Contains(text, "- **Time to verify**: 12 min\n") {
		t.Errorf("%d\n%s", code, text)
	}
	if s.call("GET", at+"/runbook", "", &book); !book.Verified.Equal(last) {
		t.Errorf("verified %s, want %s", book.Verified, last)
	}
}

func (s *site) draft(at string) (code int, markdown string) {
	var v web.PostmortemView
	code = s.call("GET", at+"/postmortem", "", &v)
	return code, v.Postmortem.Markdown
}

// mended is a draft with everything that only people know.
func mended(markdown string) string {
	var out []string
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "- **Requests**"), strings.HasPrefix(line, "- **What failed**"), strings.HasPrefix(line, "- **Status codes**"), strings.HasPrefix(line, "- **Affected**"),
			strings.HasPrefix(line, "- **Not affected**"), strings.HasPrefix(line, "- **Author**"), strings.HasPrefix(line, "- **Contributing factors**"):
			line = strings.ReplaceAll(line, "TODO", map[bool]string{true: "bug", false: "known"}[strings.Contains(line, "factors")])
		case strings.HasPrefix(line, "TODO: what did users"):
			line = "Customers saw 500."
		case line == "## Root causes":
			line += "\n\n1. The pool is too small, see https://graphs.example/1"
		case strings.HasPrefix(line, "|---") && strings.Count(line, "|") == 10:
			line += "\n| 1 | Size the pool | prevent | 1 | cause | ben | 2026-12-15 | drill passes | open |"
		case strings.Contains(line, "TODO: what ended it?"):
			line = strings.NewReplacer("TODO: what ended it?", "a larger pool", "|  |\n", "| seen |\n").Replace(line + "\n")
			line = strings.TrimRight(line, "\n")
		case strings.HasPrefix(line, "- TODO: what is known now"):
			line = "- Pools have limits. Enforced by: the pool alert"
		case strings.HasPrefix(line, "From 20"):
			line = "From 12:00 to 12:20 (20 min) 12 of 100 requests failed. It is resolved."
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestAPostmortemFromDraftToTheClosedFile(t *testing.T) {
	s := newSite(t)
	inc := s.declare("checkout answers 500")
	at := "/incidents/" + inc.ID
	for _, verb := range []string{"acknowledge", "mitigate", "resolve"} {
		s.now = s.now.Add(10 * time.Minute)
		if code := s.call("POST", at+"/"+verb, `{}`, nil); code != 200 {
			t.Fatalf("%s: %d", verb, code)
		}
	}
	var v web.PostmortemView
	if code := s.call("GET", at+"/postmortem", "", &v); code != 200 || v.Postmortem.Version != 0 || !v.Postmortem.Blocked() || !strings.Contains(v.Postmortem.Markdown, inc.ID) {
		t.Fatalf("the draft: %d %+v", code, v.Postmortem)
	}
	save := func(markdown string, version int64, want int) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"markdown": markdown, "version": version})
		if err != nil {
			t.Fatal(err)
		}
		var p web.Postmortem
		if code := s.call("POST", at+"/postmortem", string(body), &p); code != want {
			t.Errorf("save: %d, want %d", code, want)
		}
		if want == 200 && version > 0 {
			for _, f := range p.Lint {
				if f.Error {
					t.Errorf("%+v in\n%s", f, markdown)
				}
			}
		}
	}
	publish := func(want int) {
		t.Helper()
		if code := s.call("POST", at+"/postmortem/publish", `{}`, nil); code != want {
			t.Errorf("publish: %d, want %d", code, want)
		}
	}
	review := func(want int) {
		t.Helper()
		if code := s.call("POST", at+"/review", `{}`, nil); code != want {
			t.Errorf("review: %d, want %d", code, want)
		}
	}
	review(http.StatusConflict)
	publish(http.StatusConflict) // nobody has saved one
	save(v.Postmortem.Markdown, 0, 200)
	publish(http.StatusConflict) // there is something still to be written
	review(http.StatusConflict)
	save(mended(v.Postmortem.Markdown), 0, http.StatusConflict) // made from the draft, not from what was saved
	save(mended(v.Postmortem.Markdown), 1, 200)
	publish(200)
	review(200)
	var one struct {
		Published bool                    `json:"published"`
		Timeline  []inquest.IncidentEntry `json:"timeline"`
	}
	s.call("GET", at, "", &one)
	told := 0
	for _, e := range one.Timeline {
		if strings.HasPrefix(e.Text, "postmortem published") {
			told++
		}
	}
	if !one.Published || told != 1 {
		t.Errorf("published %v, told %d times", one.Published, told)
	}
	var all struct{ Items []web.PostmortemLine }
	for query, want := range map[string]int{"": 1, "?q=pool+larger": 1, "?q=elephants": 0, "?state=published": 1, "?state=draft": 0} {
		if code := s.call("GET", "/postmortems"+query, "", &all); code != 200 || len(all.Items) != want {
			t.Errorf("%q lists %d, want %d (%d)", query, len(all.Items), want, code)
		}
	}
	if code := s.call("POST", "/incidents/INC-0/postmortem", `{"markdown":"# x"}`, nil); code != http.StatusNotFound {
		t.Errorf("of an incident that is not there: %d", code)
	}
	items, err := s.archive.OpenItems(t.Context(), inc.ID)
	if err != nil || fmt.Sprint(items) != "[Size the pool (ben, due 2026-12-15)]" {
		t.Errorf("%v, %v", items, err)
	}
}
