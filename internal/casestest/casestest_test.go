package casestest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casestest"
)

var (
	noon   = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	caused = casestest.Truth{
		IsIncident: true, Class: "database", Mechanism: "slow-query", Acceptable: [][2]string{{"database", "pool-exhausted"}, {"dependency-failure", "*"}},
		Culprit: "db-1", Aliases: []string{"postgres"}, Onset: noon,
		Trigger: &casestest.Trigger{Kind: "migration", Summary: "drop indexes", Time: noon.Add(-time.Minute), Recorded: true},
	}
)

func found(change func(*inquest.Diagnosis)) *inquest.Diagnosis {
	d := &inquest.Diagnosis{Incident: true, Onset: noon, Verdict: &inquest.Verdict{
		Level: inquest.Probable, Mechanism: "database/slow-query", Culprit: "db-1",
		Trigger: &inquest.Trigger{Kind: "migration", Time: noon.Add(-time.Minute)}}}
	change(d)
	return d
}

func TestJudgementOfAnIncident(t *testing.T) {
	unrecorded := caused
	unrecorded.Trigger = &casestest.Trigger{Kind: "traffic"}
	for name, c := range map[string]struct {
		truth  casestest.Truth
		change func(*inquest.Diagnosis)
		misses []string
	}{
		"all is right":                               {caused, func(*inquest.Diagnosis) {}, nil},
		"an acceptable mechanism is right":           {caused, func(d *inquest.Diagnosis) { d.Verdict.Mechanism = "database/pool-exhausted" }, nil},
		"a star stands for any mechanism":            {caused, func(d *inquest.Diagnosis) { d.Verdict.Mechanism = "dependency-failure/dns" }, nil},
		"another mechanism of the class is wrong":    {caused, func(d *inquest.Diagnosis) { d.Verdict.Mechanism = "database/down" }, []string{"mechanism"}},
		"an alias of the culprit is right":           {caused, func(d *inquest.Diagnosis) { d.Verdict.Culprit = "Postgres:5432" }, nil},
		"no culprit is wrong":                        {caused, func(d *inquest.Diagnosis) { d.Verdict.Culprit = "" }, []string{"culprit"}},
		"an onset eleven seconds late is wrong":      {caused, func(d *inquest.Diagnosis) { d.Onset = noon.Add(11 * time.Second) }, []string{"onset"}},
		"an onset ten seconds early is right":        {caused, func(d *inquest.Diagnosis) { d.Onset = noon.Add(-10 * time.Second) }, nil},
		"another change at another time is wrong":    {caused, func(d *inquest.Diagnosis) { d.Verdict.Trigger = &inquest.Trigger{Time: noon, Summary: "new logo"} }, []string{"trigger"}},
		"a rollout that takes time is told by words": {caused, func(d *inquest.Diagnosis) { d.Verdict.Trigger = &inquest.Trigger{Time: noon, Summary: "drop indexes"} }, nil},
		"a recorded trigger must be named":           {caused, func(d *inquest.Diagnosis) { d.Verdict.Trigger = nil }, []string{"trigger"}},
		"an unrecorded trigger may be left open":     {unrecorded, func(d *inquest.Diagnosis) { d.Verdict.Trigger = nil }, nil},
		"an unrecorded trigger of a wrong kind":      {unrecorded, func(*inquest.Diagnosis) {}, []string{"trigger"}},
		"an incident that was not seen lacks it all": {caused, func(d *inquest.Diagnosis) { *d = inquest.Diagnosis{} }, []string{"incident", "mechanism", "culprit", "trigger", "onset"}},
	} {
		t.Run(name, func(t *testing.T) {
			kase := casestest.Case{Truth: c.truth}
			if diff := cmp.Diff(c.misses, kase.Judge(found(c.change)).Misses()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJudgementOfHealthyAndOpenCases(t *testing.T) {
	healthy, undecidable := casestest.Case{}, casestest.Case{Truth: casestest.Truth{IsIncident: true, Open: true}}
	if !healthy.Judge(&inquest.Diagnosis{}).Whole() {
		t.Error("no incident is right where there is none")
	}
	if healthy.Judge(found(func(*inquest.Diagnosis) {})).Whole() {
		t.Error("an incident is wrong where there is none")
	}
	open := found(func(d *inquest.Diagnosis) { d.Verdict = &inquest.Verdict{Level: inquest.Open} })
	if !undecidable.Judge(open).Whole() {
		t.Error("an open verdict is right where nothing can be known")
	}
	if undecidable.Judge(found(func(*inquest.Diagnosis) {})).Whole() {
		t.Error("a named cause is wrong where nothing can be known")
	}
}

func TestKnownMissesAreReadAndStruck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "MISSES.md")
	text := "# Misses\n\n## verdict\n\n| case | what misses |\n|---|---|\n| a/b/c | culprit |\n| a/b/d | onset |\n\n## other\n\n| case | what misses |\n|---|---|\n| a/b/c | level |\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := casestest.Strike(path, "verdict", []string{"a/b/c"}); err != nil {
		t.Fatal(err)
	}
	got, err := casestest.ReadMisses(path)
	if err != nil {
		t.Fatal(err)
	}
	want := casestest.Misses{"verdict": {"a/b/d": "onset"}, "other": {"a/b/c": "level"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(path, []byte("## verdict\n| one column |\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := casestest.ReadMisses(path); err == nil || !strings.Contains(err.Error(), "MISSES.md:2") {
		t.Errorf("a row that is no row: %v", err)
	}
}

func TestArrangementsKeepEveryByte(t *testing.T) {
	log := strings.Repeat("2026-03-14 12:00:00 INFO a\n2026-03-14 12:00:01 ERROR b\n\tat c.d(E.java:1)\n", 50)
	files := []casestest.File{{Name: "app.log.gz", Bytes: []byte(log)}, {Name: "changes.jsonl", Bytes: []byte("{}\n")}}
	for _, a := range casestest.Arrangements() {
		t.Run(a.Name, func(t *testing.T) {
			dir := t.TempDir()
			out := a.Do(files)
			if err := casestest.Write(dir, out); err != nil {
				t.Fatal(err)
			}
			back, err := casestest.Files(dir)
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for _, f := range back {
				total += len(f.Bytes)
				if strings.HasPrefix(string(f.Bytes), "\tat") {
					t.Errorf("%s begins within a trace", f.Name)
				}
			}
			if want := len(log) + 3; total != want {
				t.Errorf("%d bytes, want %d", total, want)
			}
			if len(out) > 0 && out[0].Name == files[0].Name {
				t.Error("nothing was changed")
			}
		})
	}
}

func TestUntilLeavesWhatWasWrittenByThen(t *testing.T) {
	dir := t.TempDir()
	files := []casestest.File{
		{Name: "app.log", Bytes: []byte("2026-11-20 11:00:00 INFO started\n2026-11-20 11:00:09 ERROR no row\n\tat cart.js:7\n2026-11-20 11:00:11 ERROR no row\n\tat cart.js:7\n")},
		{Name: "changes.jsonl", Bytes: []byte(`{"time":"2026-11-20T10:00:05Z","kind":"deploy","service":"cart","version":"2"}` + "\n" + `{"time":"2026-11-20T10:00:30Z","kind":"rollback","service":"cart","version":"1"}` + "\n")},
		{Name: "late.log", Bytes: []byte("2026-11-20T10:00:40Z level=info msg=woken\n2026-11-20T10:00:41Z level=info msg=done\n")},
		{Name: "metrics.om", Bytes: []byte("# TYPE up gauge\nup{job=\"cart\"} 1 1795168805.000\nup{job=\"cart\"} 0 1795168820.000\n# EOF\n")},
	}
	if err := casestest.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 10, 0, 10, 0, time.UTC)
	local := []inquest.FileCoverage{{File: "app.log", From: at.Add(-10 * time.Second)}} // its clock is an hour ahead
	got, err := casestest.Until(dir, files, at, local)
	if err != nil {
		t.Fatal(err)
	}
	want := []casestest.File{
		{Name: "app.log", Bytes: []byte("2026-11-20 11:00:00 INFO started\n2026-11-20 11:00:09 ERROR no row\n\tat cart.js:7\n")},
		{Name: "changes.jsonl", Bytes: files[1].Bytes[:bytes.IndexByte(files[1].Bytes, '\n')+1]},
		{Name: "metrics.om", Bytes: []byte("# TYPE up gauge\nup{job=\"cart\"} 1 1795168805.000\n# EOF\n")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
