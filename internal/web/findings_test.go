package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web"
)

func TestThePageOfFindingsSaysWhatWasLookedAtWhateverWasFound(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	day := web.Findings{On: true, From: at.Add(-24 * time.Hour), To: at, Next: at.Add(time.Minute)}
	with := func(a inquest.Audit) *web.Findings {
		f := day
		f.Looked, f.Servers, f.Audit = at, []string{"a"}, &a
		return &f
	}
	partly := with(inquest.Audit{Requests: 10})
	partly.Arrived, partly.Read = 1000, 250
	for name, c := range map[string]struct {
		findings *web.Findings
		want     []string
		not      string
	}{
		"off":                     {&web.Findings{}, []string{"does not look by itself", "inquest audit FOLDER"}, "Nothing was found"},
		"nobody has looked yet":   {&day, []string{"Nothing was looked at yet", "2026-11-29 12:01:00 UTC"}, "Nothing was found"},
		"nothing came":            {with(inquest.Audit{Unchecked: []inquest.AuditGap{{Rule: "leak/sql", Why: "no requests were read"}}}), []string{"there is nothing to judge", "no requests were read", "leak/sql"}, "Nothing was found"},
		"nothing was found":       {with(inquest.Audit{Requests: 4821, Records: 9, Files: []inquest.FileCoverage{{File: "nginx", Records: 4830}}}), []string{"Nothing was found by the rules that could be checked", "4,821 answers and 9 log records of 1 source", "by a.", "4,830 records"}, "is nothing to judge"},
		"some of it was not read": {partly, []string{"25% of what came was looked at"}, "is nothing to judge"},
	} {
		w := newWorld(t, nil, func(c2 *web.Config, _ *world) { c2.Findings = &told{findings: c.findings} })
		out := w.local(t).get("/audit")
		text := strings.Join(strings.Fields(out.Body.String()), " ")
		for _, want := range c.want {
			if out.Code != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%s: %d, does not say %q", name, out.Code, want)
			}
		}
		if strings.Contains(text, c.not) {
			t.Errorf("%s: says %q", name, c.not)
		}
	}
}

func TestFindingsAreGroupedByRuleAndFiltered(t *testing.T) {
	w := newWorld(t, nil, nil)
	me := w.local(t)
	for query, want := range map[string][]string{
		"": {"health/lied", "status/503-without-retry-after", "log/no-correlation-id"}, "?severity=error": {"health/lied", "status/503-without-retry-after"}, "?service=checkout": {"log/no-correlation-id"}, "?service=nobody": {},
	} {
		page := parsePage(t, me.get("/audit"+query).Body.String())
		got := page.texts(".findings .rule")
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q shows %q, want %q", query, got, want)
		}
		if len(want) == 0 && !strings.Contains(page.texts("main")[0], "No finding fits") {
			t.Errorf("%q does not say that nothing fits", query)
		}
	}
	if n := len(parsePage(t, me.get("/audit").Body.String()).all(".places li")); n != 4 {
		t.Errorf("%d places, want one for each finding", n)
	}
	if out := me.get("/audit?severity=terrible"); out.Code != http.StatusBadRequest {
		t.Errorf("a severity that is none: %d", out.Code)
	}
}

func TestFindingsAsJSON(t *testing.T) {
	w := newWorld(t, nil, nil)
	var got struct {
		Audit struct {
			Schema   string
			Findings []struct {
				Rule     string
				Service  string
				Route    string
				Count    int
				Examples []struct{ Text string }
			}
		}
		On                      bool
		ArrivedBytes, ReadBytes int64
		Looked, Next            time.Time
		Servers                 []string
	}
	decodeInto(t, w.local(t).get("/api/v1/audit?severity=error").Body.Bytes(), &got)
	if got.Audit.Schema != "inquest/audit/v1" || len(got.Audit.Findings) != 3 || got.Audit.Findings[1].Rule != "status/503-without-retry-after" || got.Audit.Findings[1].Route != "GET /api/cart" || got.Audit.Findings[1].Count != 38 || len(got.Audit.Findings[1].Examples) != 1 {
		t.Errorf("%+v", got.Audit)
	}
	if !got.On || got.ReadBytes != 300<<20 || got.ArrivedBytes != 400<<20 || !got.Next.After(got.Looked) || len(got.Servers) != 2 {
		t.Errorf("%+v", got)
	}
}
