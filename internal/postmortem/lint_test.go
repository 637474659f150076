package postmortem_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/postmortem"
)

func has(all []postmortem.Finding, rule string) bool {
	return slices.ContainsFunc(all, func(f postmortem.Finding) bool { return f.Rule == rule })
}

func TestAWholePostmortemHasNoFault(t *testing.T) {
	for _, f := range postmortem.Lint(whole(t), postmortem.Options{}) {
		if f.Must {
			t.Errorf("%+v", f)
		}
	}
}

// whole is a text that may be published.
func whole(t testing.TB) string {
	p := full(t)
	p.Summary = "From 04:14 to 05:00 UTC (46 min) 1,204 of 9,000 requests to checkout failed. It is resolved."
	return postmortem.Markdown(p)
}

func TestWhatAPostmortemLacksIsTold(t *testing.T) {
	cut := func(from, to string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, from) {
				t.Fatalf("%q is not in the text", from)
			}
			return strings.Replace(s, from, to, 1)
		}
	}
	edit := func(f func(*inquest.Postmortem)) func(string) string {
		return func(string) string {
			p := full(t)
			f(p)
			return postmortem.Markdown(p)
		}
	}
	item := func(f func(*inquest.ActionItem)) func(string) string {
		return edit(func(p *inquest.Postmortem) { f(&p.Items[0]) })
	}
	summary := func(s string) func(string) string {
		return edit(func(p *inquest.Postmortem) { p.Summary = s })
	}
	for _, c := range []struct {
		name   string
		change func(string) string
		rule   string
		must   bool
	}{
		{"no title", cut("# Postmortem: checkout answers 5xx to 16% of requests\n", ""), "title", true},
		{"no severity", cut("SEV-1", "high"), "severity", true},
		{"no author", cut("- **Author**: ada\n", ""), "author", true},
		{"a factor that nobody knows", cut("traffic-spike", "gremlins"), "factor-unknown", true},
		{"no factor", edit(func(p *inquest.Postmortem) { p.Factors = nil }), "factors", false},
		{"no section on the symptom", cut("## Symptom", "## Sympathy"), "section-missing", true},
		{"a summary of six sentences", summary("One is 1 min. Two. Three. Four. Five. It is resolved."), "summary-length", true},
		{"an exception in the summary", summary("From 1 to 2 (1 min) a NullPointerException hit users. It is resolved."), "summary-technical", true},
		{"SQL in the summary", summary("For 3 minutes SELECT * FROM orders was slow. It is resolved."), "summary-technical", true},
		{"a frame in the summary", summary("For 3 minutes PaymentProcessor.java:112 failed. It is resolved."), "summary-technical", true},
		{"a summary without a figure", summary("For minutes users could not pay. It is resolved."), "summary-impact", true},
		{"a summary without a duration", summary("1,204 requests failed. It is resolved."), "summary-duration", true},
		{"a summary that does not say whether it is over", summary("For 3 minutes users could not pay."), "summary-state", true},
		{"an end without a zone", cut("- **End**: 20", "- **End**: later 20"), "date-and-zone", true},
		{"nobody was spared", cut("- **Not affected**: who browsed\n", ""), "impact-field", true},
		{"it ends before it begins", edit(func(p *inquest.Postmortem) { p.Impact.End = p.Impact.Start.Add(-time.Hour) }), "impact-interval", true},
		{"nothing noticed it", cut("- **Detected by**", "- **Seen by**"), "detection", true},
		{"half an hour until somebody had it", func(s string) string { return s }, "late-acknowledgement", false},
		{"a wrong turn of no length", edit(func(p *inquest.Postmortem) { p.Wrong[0].Minutes = 0 }), "wrong-turn-minutes", false},
		{"no cause", edit(func(p *inquest.Postmortem) { p.Causes = nil }), "cause-none", true},
		{"a cause without evidence", edit(func(p *inquest.Postmortem) { p.Causes[0].Evidence = nil }), "cause-evidence", true},
		{"evidence that is not there", edit(func(p *inquest.Postmortem) { p.Causes[0].Evidence = []string{"E404"} }), "cause-evidence", true},
		{"an owner as the cause", edit(func(p *inquest.Postmortem) { p.Causes[0].Text = "Ada dropped the index" }), "cause-person", true},
		{"human error as the cause", edit(func(p *inquest.Postmortem) { p.Causes[0].Text = "Human error at the console" }), "cause-person", true},
		{"a cause that nobody works on", edit(func(p *inquest.Postmortem) { p.Items = p.Items[1:] }), "cause-without-item", true},
		{"a fix that nobody looked at", edit(func(p *inquest.Postmortem) { p.Fixes[1].Verified = "" }), "fix-verified", true},
		{"a fix without a time", edit(func(p *inquest.Postmortem) { p.Fixes[1].Time = time.Time{} }), "fix-state", true},
		{"no fix", edit(func(p *inquest.Postmortem) { p.Fixes = nil }), "fix-none", true},
		{"no action item", edit(func(p *inquest.Postmortem) { p.Items = nil }), "item-none", true},
		{"an item of nobody", item(func(x *inquest.ActionItem) { x.Owner = "" }), "item-owner", true},
		{"an item of everybody", item(func(x *inquest.ActionItem) { x.Owner = "the team" }), "item-owner", true},
		{"an item for some day", item(func(x *inquest.ActionItem) { x.Due = time.Time{} }), "item-due", true},
		{"an item without a check", item(func(x *inquest.ActionItem) { x.Check = "" }), "item-check", true},
		{"an item of no type", item(func(x *inquest.ActionItem) { x.Type = "miracle" }), "item-type", true},
		{"an item for a cause that is not there", item(func(x *inquest.ActionItem) { x.Cause = 7 }), "item-cause", true},
		{"an item in no state", item(func(x *inquest.ActionItem) { x.State = "soon" }), "item-state", true},
		{"nothing keeps it from coming back", edit(func(p *inquest.Postmortem) {
			for i := range p.Items {
				p.Items[i].Type, p.Items[i].Cures = inquest.ItemReview, "symptom"
			}
		}), "item-prevent", true},
		{"symptoms only", edit(func(p *inquest.Postmortem) {
			for i := range p.Items {
				p.Items[i].Cures = "symptom"
			}
		}), "symptom-only", false},
		{"no lesson", edit(func(p *inquest.Postmortem) { p.Lessons = nil }), "lesson-none", true},
		{"a lesson that nothing enforces", func(s string) string { return s }, "lesson-enforced", false},
		{"a lesson that is left to goodwill", edit(func(p *inquest.Postmortem) { p.Lessons[0].Enforced = "more care in reviews" }), "lesson-guard", false},
		{"a timeline in no order", edit(func(p *inquest.Postmortem) { slices.Reverse(p.Timeline) }), "timeline-order", true},
		{"a timeline in no zone", cut("## Timeline (Europe/Berlin)", "## Timeline"), "timeline-zone", true},
		{"an end that the timeline does not know", edit(func(p *inquest.Postmortem) { p.Impact.End = p.Impact.End.Add(7 * time.Minute) }), "contradictory-times", true},
		{"something still to be written", cut("who browsed", "TODO: ask"), "to-be-written", true},
		{"a heading of a template", cut("## Lessons", "## Lessons must contain"), "template-left-over", true},
		{"a code with the name of another", cut("who paid", "who got a 502: Internal Server Error"), "status-phrase", true},
		{"blame", cut("And nobody could", "The operator was careless and nobody could"), "blame", false},
		{"an empty phrase", cut("who paid", "who had any inconvenience"), "empty-phrase", false},
	} {
		found := postmortem.Lint(c.change(whole(t)), postmortem.Options{})
		at := slices.IndexFunc(found, func(f postmortem.Finding) bool { return f.Rule == c.rule })
		if at < 0 {
			t.Errorf("%s: no %s among %+v", c.name, c.rule, found)
			continue
		}
		if found[at].Must != c.must {
			t.Errorf("%s: must %v, want %v", c.name, found[at].Must, c.must)
		}
	}
}

func TestALessonIsEnforcedByWhatActsByItself(t *testing.T) {
	for by, want := range map[string]bool{"the guard on pools": true, "alert rule PoolFull": true, "Tests of plans": true, "`pool_test.go`": true, "TestPoolHasALimit": true, "the audit rule health/lied": true, "inquest audit": true, "the runbook of database/pool-exhausted": true,
		"a drill each month": true, "load testing before each sale": true, "more care": false, "the latest review": false, "a contest among teams": false, "the ruler of the team": false} {
		p := full(t)
		p.Lessons = []inquest.Lesson{{Text: "Pools have limits.", Enforced: by}}
		if got := !has(postmortem.Lint(postmortem.Markdown(p), postmortem.Options{}), "lesson-guard"); got != want {
			t.Errorf("%q enforces: %v, want %v", by, got, want)
		}
	}
}

func TestWhatIsDueIsLate(t *testing.T) {
	if !has(postmortem.Lint(whole(t), postmortem.Options{Now: date(2027, 1, 1)}), "item-late") || has(postmortem.Lint(whole(t), postmortem.Options{Now: date(2026, 12, 15)}), "item-late") {
		t.Error("an open item is late from the day after it was due on")
	}
}

// A report as teams write it without help: an end that the timeline contradicts, no date, half an hour until somebody had it, measures of nobody,
// a heading with the words of its template (REQUIREMENTS 273, 277, 280, 289, 290).
func TestAReportFromElsewhereIsReadAndJudged(t *testing.T) {
	text, err := os.ReadFile("testdata/sign-in.md")
	if err != nil {
		t.Fatal(err)
	}
	found := postmortem.Lint(string(text), postmortem.Options{})
	for _, rule := range []string{"contradictory-times", "date-and-zone", "late-acknowledgement", "item-owner", "item-due", "item-check", "item-prevent", "template-left-over", "severity", "section-missing", "cause-evidence", "empty-phrase"} {
		if !has(found, rule) {
			t.Errorf("no %s", rule)
		}
	}
	for _, f := range found {
		switch {
		case f.Rule == "contradictory-times" && !strings.Contains(f.Text, "12:15 PM"):
			t.Errorf("another time is wrong: %+v", f)
		case f.Rule == "late-acknowledgement" && !strings.Contains(f.Text, "30 min"):
			t.Errorf("%+v", f)
		case f.Rule == "timeline-zone" || f.Rule == "timeline-order" || f.Rule == "cause-none":
			t.Errorf("that is there: %+v", f)
		case f.Must && f.Line == 0 && f.Rule != "section-missing" && f.Rule != "severity" && f.Rule != "author":
			t.Errorf("without its line: %+v", f)
		}
	}
}
