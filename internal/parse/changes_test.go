package parse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func change(line int, when string, kind inquest.ChangeKind, service, version, summary string) *inquest.Change {
	return &inquest.Change{Time: at(when), Kind: kind, Service: service, Version: version, Summary: summary, Source: inquest.Source{File: "in", Line: line}}
}

func TestChanges(t *testing.T) {
	const noon = "2026-11-20T12:00:00Z"
	for name, tc := range map[string]struct {
		format, text string
		want         []*inquest.Change
		skipped      []int
	}{
		"the documented form": {"changes",
			`{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"auth","version":"1.18.0","summary":"profile page"}` + "\n\n" +
				`{"time":"2026-11-20T13:00:00+01:00","kind":"flag","service":"catalog","summary":"ranking 5% -> 20%"}` + "\n",
			[]*inquest.Change{change(1, noon, "deploy", "auth", "1.18.0", "profile page"), change(3, noon, "flag", "catalog", "", "ranking 5% -> 20%")}, nil},
		"other people's words": {"changes",
			`{"timestamp":1795176000,"type":"Rollback","app":"auth","tag":"1.17.9","message":"errors after release"}` + "\n" +
				`{"at":"2026-11-20 12:00:00","change_type":"feature-flag","component":"web","description":"new header"}` + "\n" +
				`{"ts":1795176000123,"kind":"db_migration","service":"db","title":"0141 add index"}` + "\n" +
				`{"time":"2026-11-20T12:00:00Z","kind":"autoscaling","service":"web","summary":"3 -> 5"}` + "\n",
			[]*inquest.Change{change(1, noon, "deploy", "auth", "1.17.9", "Rollback: errors after release"), change(2, noon, "flag", "web", "", "new header"),
				{Time: at("2026-11-20T12:00:00.123Z"), Kind: "migration", Service: "db", Summary: "0141 add index", Source: inquest.Source{File: "in", Line: 3}},
				change(4, noon, "scale", "web", "", "3 -> 5")}, nil},
		"a kind that nobody knows is kept in the summary": {"changes",
			`{"time":"2026-11-20T12:00:00Z","kind":"tuning","service":"db","summary":"work_mem 4MB -> 64MB"}` + "\n",
			[]*inquest.Change{change(1, noon, "config", "db", "", "tuning: work_mem 4MB -> 64MB")}, nil},
		"an array, pretty printed": {"changes",
			"[\n  {\n    \"time\": \"2026-11-20T12:00:00Z\",\n    \"kind\": \"restart\",\n    \"service\": \"cache\",\n    \"summary\": \"kernel\"\n  },\n" +
				"  {\"time\": \"2026-11-20T12:00:00Z\", \"kind\": \"infra\", \"service\": \"lb\", \"summary\": \"renewed\"}\n]\n",
			[]*inquest.Change{change(2, noon, "restart", "cache", "", "kernel"), change(8, noon, "infra", "lb", "", "renewed")}, nil},
		"entries without a time are reported": {"changes",
			`{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"a","summary":"x"}` + "\n" + `{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"b","summary":"x"}` + "\n" +
				`{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"b","summary":"x"}` + "\n" + `{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"b","summary":"x"}` + "\n" +
				`{"time":"yesterday","kind":"deploy","service":"c","summary":"x"}` + "\n",
			[]*inquest.Change{change(1, noon, "deploy", "a", "", "x"), change(2, noon, "deploy", "b", "", "x"), change(3, noon, "deploy", "b", "", "x"),
				change(4, noon, "deploy", "b", "", "x")}, []int{5}},
		"git log": {"git-log", `commit 4f2a9c1d0e8b7a6f5c4d3e2f1a0b9c8d7e6f5a4b (HEAD -> main, tag: v2.1)
Merge: 1111111 2222222
Author: A <a@example.org>
Date:   Fri Nov 20 13:00:00 2026 +0100

    Merge branch 'gift-cards'

    body text

commit 5f2a9c1d0e8b7a6f5c4d3e2f1a0b9c8d7e6f5a4b
Author:     B <b@example.org>
AuthorDate: Thu Nov 19 10:00:00 2026 +0000
Commit:     C <c@example.org>
CommitDate: Fri Nov 20 12:00:00 2026 +0000

    fix rounding
`, []*inquest.Change{change(1, noon, "deploy", "", "4f2a9c1d0e8b", "Merge branch 'gift-cards'"), change(10, noon, "deploy", "", "5f2a9c1d0e8b", "fix rounding")}, nil},
		"git log on one line, hash first or date first": {"git-log",
			"4f2a9c1 2026-11-20 13:00:00 +0100 add gift cards\n2026-11-20T12:00:00Z|5f2a9c1d0e8b7a6f5c4d3e2f1a0b9c8d7e6f5a4b|fix rounding\n",
			[]*inquest.Change{change(1, noon, "deploy", "", "4f2a9c1", "add gift cards"), change(2, noon, "deploy", "", "5f2a9c1d0e8b", "fix rounding")}, nil},
		"github webhook": {"deploy-webhook",
			`{"action":"created","deployment":{"sha":"4f2a9c1d0e8b7a6f5c4d3e2f1a0b9c8d7e6f5a4b","ref":"main","environment":"production","created_at":"2026-11-20T12:00:00Z","description":""},"repository":{"name":"shop"}}`,
			[]*inquest.Change{change(1, noon, "deploy", "shop", "4f2a9c1d0e8b", "deploy shop main (production)")}, nil},
		"gitlab webhook": {"deploy-webhook",
			`{"object_kind":"deployment","status":"failed","status_changed_at":"2026-11-20 13:00:00 +0100","environment":"prod","project":{"name":"shop"},"short_sha":"4f2a9c1d","commit_title":"Add gift cards"}`,
			[]*inquest.Change{change(1, noon, "deploy", "shop", "4f2a9c1d", "Add gift cards (prod), failed")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			k := readText(t, tc.format, tc.text)
			if diff := cmp.Diff(tc.want, k.changes); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			var lines []int
			for _, s := range k.rep.Skips {
				lines = append(lines, s.Line)
			}
			if diff := cmp.Diff(tc.skipped, lines); diff != "" {
				t.Errorf("skipped lines: -want +got\n%s", diff)
			}
		})
	}
}

func TestTopology(t *testing.T) {
	k := readText(t, "topology", `{"from": "web", "to": "cart"}`+"\n"+`{"from": "cart", "to": "db: main"}`+"\n")
	if diff := cmp.Diff([]*inquest.Edge{{From: "web", To: "cart"}, {From: "cart", To: "db: main"}}, k.edges); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	k = readText(t, "topology", `[{"parent":"web","child":"cart","callCount":7}]`)
	if diff := cmp.Diff([]*inquest.Edge{{From: "web", To: "cart"}}, k.edges); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestIncidentHint(t *testing.T) {
	k := readText(t, "incident", `{
 "time": "2026-11-20T12:05:00Z", "target": "web", "metric": "latency", "statistic": "avg",
 "window": {"from": "2026-11-20T12:00:00Z", "to": 1795176600},
 "baseline": {"from": "2026-11-19T12:00:00Z", "to": "2026-11-20T11:00:00Z", "shifted_by_s": 0}
}`)
	want := []*inquest.Hint{{Time: at("2026-11-20T12:05:00Z"), Target: "web", Metric: "latency",
		Window:   inquest.Window{From: at("2026-11-20T12:00:00Z"), To: at("2026-11-20T12:10:00Z")},
		Baseline: inquest.Window{From: at("2026-11-19T12:00:00Z"), To: at("2026-11-20T11:00:00Z")}}}
	if diff := cmp.Diff(want, k.hints); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzChanges(f *testing.F) {
	for _, s := range []string{`{"time":"2026-11-20T12:00:00Z","kind":"deploy","service":"a","summary":"x"}`, "[{\"at\":1,\"type\":\"\"}]\n{",
		"commit 4f2a9c1d0e8b\nDate:   Fri Nov 20 13:00:00 2026 +0100\n\n    x", "4f2a9c1 2026-11-20 13:00:00 +0100 x", `{"from":"a","to":"b"}`,
		`{"time":1,"target":"","window":{"from":1},"metric":""}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range fuzzDocument(t, s, "changes", "git-log", "topology", "incident", "deploy-webhook", "sentry").changes {
			if c.Time.IsZero() || c.Kind == "" || c.Source.Line < 1 {
				t.Fatalf("%+v", c)
			}
		}
	})
}
