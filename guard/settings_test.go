package guard_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/policy"
)

func TestDependenciesAreReadFromAFileWithTheDefaultsForTheRest(t *testing.T) {
	got, err := guard.ReadDependencies(strings.NewReader(`{
  "payment":   {"breaker": {"failures": 5, "open_for": "30s"}},
  "inventory": {"breaker": {"failures": 3, "open_for": "15s"}, "timeouts": {"response": "2s", "query": "500ms"}, "bulkhead": {"in_flight": 20, "queue": 5, "wait": "100ms"},
                "retry": {"attempts": 1, "statuses": [503]}, "rate": {"limit": 100, "per": "1m", "burst": 10}, "adaptive": {"max": 50, "tolerance": 2}, "failure_statuses": [502, 503]},
  "audit-log": {}
}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Name != "audit-log" || got[1].Name != "inventory" || got[2].Name != "payment" {
		t.Fatalf("got %+v, want three, sorted by name", got)
	}
	if b := got[2].Breaker; b.Failures != 5 || b.OpenFor != 30*time.Second {
		t.Errorf("payment: breaker %+v", b)
	}
	inv := got[1]
	if b := inv.Breaker; b.Failures != 3 || b.OpenFor != 15*time.Second {
		t.Errorf("inventory: breaker %+v", b)
	}
	if inv.Timeouts != (policy.Timeouts{Response: 2 * time.Second, Query: 500 * time.Millisecond}) {
		t.Errorf("inventory: timeouts %+v", inv.Timeouts)
	}
	if inv.Bulkhead.InFlight != 20 || inv.Bulkhead.Queue != 5 || inv.Bulkhead.Wait != 100*time.Millisecond || inv.Rate.Limit != 100 || inv.Rate.Per != time.Minute || inv.Rate.Burst != 10 ||
		inv.Adaptive.Max != 50 || inv.Adaptive.Tolerance != 2 || inv.Retry.Attempts != 1 || len(inv.Retry.Statuses) != 1 || len(inv.FailureStatuses) != 2 {
		t.Errorf("inventory: %+v", inv)
	}
	var r guard.Registry
	for _, cfg := range got {
		d, err := r.Add(cfg)
		if err != nil {
			t.Fatalf("%s: %v", cfg.Name, err)
		}
		if d.Name() != cfg.Name {
			t.Errorf("%q became %q", cfg.Name, d.Name())
		}
	}
}

func TestWrongSettingsOfDependenciesAreRefusedWithLineAndReason(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "line 1: the text ends too early"},
		{"a list", "[]", "line 1: not an object"},
		{"a bracket short", "{\n\"payment\": {}", "line 2: the text ends too early"},
		{"no JSON", "{\n\"payment\": {failures: 5}}", "line 2: invalid character"},
		{"more after the end", "{}\n{}", "line 2: something follows"},
		{"the same name twice", "{\"payment\": {},\n\"payment\": {}}", `line 2: "payment": a dependency has one entry`},
		{"no name", `{"": {}}`, "a dependency has one entry, under its own name"},
		{"an unknown key", "{\n\n\"payment\": {\"breaker\": {\"failure\": 5}}}", `line 3: "payment": json: unknown field "failure"`},
		{"a duration without a unit", `{"payment": {"breaker": {"open_for": 30}}}`, `write a text such as "500ms"`},
		{"a duration of nothing", `{"payment": {"timeouts": {"connect": "0s"}}}`, `leave it out for the default`},
		{"negative failures", `{"payment": {"breaker": {"failures": -1}}}`, `"payment": `},
		{"a bulkhead without a size", `{"payment": {"bulkhead": {"queue": 5}}}`, "in_flight is missing"},
		{"a rate without a limit", `{"payment": {"rate": {"per": "1s"}}}`, "limit is missing"},
		{"a status that is no failure", `{"payment": {"failure_statuses": [404]}}`, "only 5xx"},
		{"a file of something else", strings.Repeat(" ", 1<<20+1), "no file of settings"},
	} {
		got, err := guard.ReadDependencies(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, got, err, c.want)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := guard.ReadDependencies(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader's error is lost: %v", err)
	}
}

func FuzzReadDependencies(f *testing.F) {
	f.Add(`{"payment": {"breaker": {"failures": 5, "open_for": "30s"}}}`)
	f.Add(`{"a": {"bulkhead": {"in_flight": 1}}, "b": {"rate": {"limit": 1, "per": "1s"}}}`)
	f.Add("{\n\"a\":")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := guard.ReadDependencies(strings.NewReader(text))
		if err != nil && !strings.HasPrefix(err.Error(), "guard: settings of dependencies: ") {
			t.Errorf("error %q", err)
		}
		for _, cfg := range got {
			if _, err := guard.NewDependency(cfg); err != nil {
				t.Errorf("accepted, and then refused: %v", err)
			}
		}
	})
}
