package postmortem_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/postmortem"
)

func TestADraftStatesWhatTheRecordShows(t *testing.T) {
	r := record(t)
	p := postmortem.Draft(r)
	if got := p.Response.Acknowledged.Sub(p.Response.Detected); got != 30*time.Minute {
		t.Errorf("acknowledged after %s", got)
	}
	if len(p.Causes) == 0 || len(p.Causes[0].Evidence) == 0 || len(p.Evidence) == 0 {
		t.Errorf("causes %+v with %d quotes", p.Causes, len(p.Evidence))
	}
	var wrong []string
	for _, w := range p.Wrong {
		wrong = append(wrong, w.Belief)
		if w.Minutes != 7 {
			t.Errorf("%q took %d minutes, want 7", w.Belief, w.Minutes)
		}
	}
	if diff := cmp.Diff([]string{"timeout", "A restart frees leaked connections for a while."}, wrong); diff != "" {
		t.Error(diff)
	}
	if len(p.Fixes) != 2 || p.Fixes[0].State != "no-effect" || p.Fixes[1].State != "helped" || !strings.HasPrefix(p.Fixes[1].Verified, "Wait for one full window") {
		t.Errorf("%+v", p.Fixes)
	}
	text := postmortem.Markdown(p)
	for _, want := range []string{
		"# Postmortem: checkout answers 5xx to 16% of requests", "- **Severity**: SEV-1", "1,204 of 9,000 failed (13%)", "- **Time to acknowledge**: 30 min", "- **Identified to fixed**: 43 min",
		"- **Cost**: 99000 EUR (11 min × 9000 EUR a minute)", "## Timeline (UTC)", "| prevent |", "- **Not affected**: TODO", "- **User reports**: 3", "first failing answer",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if strings.Contains(text, "told oncall") {
		t.Error("a message that was delivered is no fact of the outage")
	}
	for _, f := range postmortem.Lint(text, postmortem.Options{}) {
		if strings.HasPrefix(f.Rule, "summary") || strings.HasPrefix(f.Rule, "timeline") || f.Rule == "contradictory-times" || f.Rule == "section-missing" || f.Rule == "cause-evidence" || f.Rule == "blame" {
			t.Errorf("what is written from the record has a fault: %+v", f)
		}
	}
}

func TestADraftMakesNothingUp(t *testing.T) {
	r := record(t)
	r.Diagnosis, r.Entries = nil, nil
	r.Incident.Verdict, r.Incident.Mitigated, r.Incident.Resolved, r.Incident.State = inquest.VerdictSummary{}, time.Time{}, time.Time{}, inquest.IncidentOpen
	p := postmortem.Draft(r)
	if len(p.Causes)+len(p.Items)+len(p.Fixes)+len(p.Evidence) != 0 || !strings.Contains(p.Summary, "The cause is not known yet.") || !strings.Contains(p.Summary, "still going on") {
		t.Errorf("%+v", p)
	}
	if all := postmortem.Lint(postmortem.Markdown(p), postmortem.Options{}); !postmortem.Blocks(all) {
		t.Error("a draft of nothing could be published")
	}
}

func TestWhatEndedItIsWhatWasSaidWhenNoStepHelped(t *testing.T) {
	r := record(t)
	for said, want := range map[string]string{": the index was created": "the index was created", "": "TODO: what ended it?"} {
		r.Entries = []inquest.IncidentEntry{
			{Time: r.At.Add(-time.Hour), Kind: inquest.EntryStep, Data: map[string]any{"step": "a", "phase": "Mitigate", "outcome": "no-effect", "text": "Restart."}},
			{Time: r.At, Kind: inquest.EntryState, Text: "resolved, was open" + said, Data: map[string]any{"to": "resolved"}},
		}
		fixes := postmortem.Draft(r).Fixes
		if len(fixes) != 2 || fixes[0].State != "no-effect" || fixes[1].Text != want || fixes[1].State != "done" || fixes[1].Verified != "no alert fires any more" {
			t.Errorf("%q: %+v", said, fixes)
		}
	}
}

func TestARepeatNamesTheFirstAndItsOpenItems(t *testing.T) {
	r := record(t)
	r.Incident.Repeats, r.Open = "INC-20261107-4M9T", []string{"Add the index (ada, due 2026-11-20)", "Alert on the pool"}
	text := postmortem.Markdown(postmortem.Draft(r))
	for _, want := range []string{"- **Repeat of**: INC-20261107-4M9T", "- **Still open from there**: Add the index (ada, due 2026-11-20)", "It repeats INC-20261107-4M9T."} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if !has(postmortem.Lint(text, postmortem.Options{}), "repeat-open") {
		t.Error("nobody is told of the items that are still open")
	}
}

// full has a value in every field.
func full(t testing.TB) *inquest.Postmortem {
	p := postmortem.Draft(record(t))
	p.Response.Verified = p.Response.Mitigated.Add(time.Minute)
	p.Repeats, p.Open, p.Zone = "INC-20261107-4M9T", []string{"one", "two"}, "Europe/Berlin"
	p.Summary = "From 04:14 to 05:00 (46 min) 1,204 of 9,000 requests to checkout failed. It is resolved."
	p.Symptom = "Customers saw 500.\n\nAnd nobody could *pay*."
	p.Impact.Affected, p.Impact.NotAffected, p.Impact.Failed, p.Impact.Status = "who paid", "who browsed", "POST /checkout", "500 (1,204 times)"
	p.Trigger = "flag of storefront at 2026-11-21 03:00:00 UTC: banner"
	p.Causes = append(p.Causes, inquest.RootCause{Text: "No limit (on the pool)", Evidence: []string{p.Evidence[0].ID}})
	p.Items = []inquest.ActionItem{{Text: `Index \| orders`, Type: inquest.ItemFix, Cause: 1, Cures: "cause", Owner: "ada", Due: date(2026, 12, 15), Check: "EXPLAIN shows it", State: inquest.ItemOpen},
		{Text: "Limit", Type: inquest.ItemPrevent, Cause: 2, Cures: "cause", Owner: "ben", Due: date(2026, 12, 20), Check: "drill", State: inquest.ItemDone}}
	for i := range p.Fixes {
		p.Fixes[i].Cures, p.Fixes[i].Verified = "symptom", "looked"
	}
	p.Lessons = []inquest.Lesson{{Text: "Queries need plans.", Enforced: "the test of plans"}, {Text: "Alone."}}
	p.Evidence = append(p.Evidence, inquest.Quote{ID: "E99", Layer: inquest.LayerApplication, Source: "a`b`.log:1", Text: "```\n  # no heading\n```\n\n- **x**: y"})
	return p
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// What is exported and read again has lost nothing (REQUIREMENTS 17).
func TestAPostmortemComesBackFromMarkdownAsItWas(t *testing.T) {
	for name, p := range map[string]*inquest.Postmortem{"a draft": postmortem.Draft(record(t)), "one with every field": full(t), "an empty one": {Zone: "UTC"}} {
		text := postmortem.Markdown(p)
		back := postmortem.Parse(text)
		if name == "a draft" { // the mark of an unwritten lesson is no lesson
			p.Lessons = nil
			back.Lessons = nil
		}
		if diff := cmp.Diff(p, back, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s: %s\n%s", name, diff, text)
		}
		if again := postmortem.Markdown(postmortem.Parse(text)); name != "a draft" && again != text {
			t.Errorf("%s: written again it is another text: %s", name, cmp.Diff(text, again))
		}
	}
}

func TestTextOfStrangersStaysText(t *testing.T) {
	r := record(t)
	const evil = "<script>alert(1)</script> [x](javascript:alert(1)) | # `a` ![i](http://evil.example/x.png) *b*"
	r.Incident.Title, r.Incident.Services = evil, []string{evil}
	r.Entries = append(r.Entries, inquest.IncidentEntry{Time: r.At, Kind: inquest.EntryReport, By: evil, Text: evil + "\n## Lessons\n- password=hunter2hunter2"})
	text := postmortem.Markdown(postmortem.Draft(r))
	page, err := postmortem.HTML(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "href=\"javascript", "<img", "hunter2"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("%q got through", bad)
		}
	}
	if got := postmortem.Parse(text).Title; !strings.Contains(got, "alert") {
		t.Errorf("title %q", got)
	}
}

func TestMarkdownIsRendered(t *testing.T) {
	const text = "# A *b*\n\n| # | What |\n|---|--:|\n| 1 | # no heading \\| **bold** `c` https://x.example/1 |\n| - x |\n\nSee https://x.example/2.\n\nAnd `https://x.example/3`.\n\n```text\n| a | b |\n|---|---|\nhttps://x.example/4 <b>\n```\n\n## After | it\n"
	page, err := postmortem.HTML(text)
	if err != nil {
		t.Fatal(err)
	}
	got := string(page)
	for _, want := range []string{"<h1 id=", "<em>b</em>", `aria-label="Table"><table><thead><tr><th>#</th><th>What</th></tr></thead>`, `<tr><td>1</td><td># no heading | <strong>bold</strong> <code>c</code> https://x.example/1</td></tr>`,
		"<tr><td>- x</td></tr>", `<a href="https://x.example/2">`, "<code>https://x.example/3</code>", "| a | b |\n|---|---|\nhttps://x.example/4 &lt;b&gt;", `<pre tabindex="0">`, "<h2 id="} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s in\n%s", want, got)
		}
	}
	if strings.Count(got, "<table>") != 1 {
		t.Error("a table in code is code")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(postmortem.Markdown(full(f)))
	f.Add("# a\n\n## Timeline (x\n- 8:30 AM - got the alert\n## Root cause\n|a|b\n|--|\n|\\")
	f.Fuzz(func(t *testing.T, text string) {
		p := postmortem.Parse(text)
		postmortem.Lint(text, postmortem.Options{})
		if _, err := postmortem.HTML(text); err != nil {
			t.Error(err)
		}
		postmortem.Parse(postmortem.Markdown(p))
	})
}

// Traffic is nobody's: "a traffic of ." says nothing.
func TestATriggerWithoutAServiceIsNamedWithoutOne(t *testing.T) {
	r := record(t)
	d := *r.Diagnosis
	v := *d.Verdict
	v.Trigger = &inquest.Trigger{Kind: inquest.TriggerTraffic, Summary: "requests rose from 10 to 40 a second"}
	d.Verdict, r.Diagnosis = &v, &d
	p := postmortem.Draft(r)
	if !strings.HasPrefix(p.Trigger, "traffic: requests rose") || !strings.Contains(p.Summary, ", set off by traffic.") {
		t.Errorf("trigger %q, summary %q", p.Trigger, p.Summary)
	}
}
