package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
)

// The whole demo, with real processes. The scenario that needs no load is run always, the others in the long run.
func TestWhatBreaksIsInvestigatedAndTold(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "inquest")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/inquest").CombinedOutput(); err != nil {
		t.Fatalf("build inquest: %v\n%s", err, out)
	}
	o := options{inquest: bin, checkout: "../../examples/checkout", at: "127.0.0.1:0", healthy: 10 * time.Second, patience: 2 * time.Minute, orders: 1000, once: true}
	run1 := func(name string) {
		var said bytes.Buffer
		o := o
		o.out = &said
		var err error
		if o.scenario, err = find(name); err != nil {
			t.Fatal(err)
		}
		got, err := run(t.Context(), o)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, &said)
			return
		}
		for _, at := range []time.Time{got.investigated, got.notified} {
			if took := at.Sub(got.first); took <= 0 || took > time.Minute {
				t.Errorf("%s: %v from the first failing request, want at most a minute\n%s", name, took, &said)
			}
		}
		if got.message.Occasion != string(inquest.OccasionOpened) || !strings.Contains(got.message.Text, "Verdict") || !strings.HasSuffix(got.message.Link, got.incident.ID) {
			t.Errorf("%s: the message %+v", name, got.message)
		}
		if text := said.String(); !strings.Contains(text, "first failing request") || !strings.Contains(text, "That is what was broken.") {
			t.Errorf("%s: it said\n%s", name, text)
		}
	}
	run1("payment-down")
	if testing.Short() {
		return
	}
	for _, name := range names() {
		if name == "black-friday" {
			o.orders, o.healthy = 400_000, usual
		}
		run1(name)
	}
}

func TestAVerdictIsHeldAgainstTheTruth(t *testing.T) {
	is := truth{mechanisms: []inquest.MechanismID{"database/slow-query"}, culprits: []string{"orders-db"}, triggers: []inquest.TriggerKind{"migration"}}
	right := inquest.Verdict{Level: inquest.Established, Mechanism: "database/slow-query", Culprit: "orders-db", Trigger: &inquest.Trigger{Kind: "migration"}}
	for name, c := range map[string]struct {
		change func(*inquest.Verdict)
		want   bool
	}{
		"all of it":         {func(*inquest.Verdict) {}, true},
		"probable":          {func(v *inquest.Verdict) { v.Level = inquest.Probable }, true},
		"open":              {func(v *inquest.Verdict) { *v = inquest.Verdict{Level: inquest.Open} }, false},
		"another mechanism": {func(v *inquest.Verdict) { v.Mechanism = "database/down" }, false},
		"another culprit":   {func(v *inquest.Verdict) { v.Culprit = "checkout" }, false},
		"another trigger":   {func(v *inquest.Verdict) { v.Trigger.Kind = "deploy" }, false},
		"no trigger":        {func(v *inquest.Verdict) { v.Trigger = nil }, false},
	} {
		v, trigger := right, *right.Trigger
		v.Trigger = &trigger
		c.change(&v)
		if why, ok := is.right(&v); ok != c.want || ok != (why == "") {
			t.Errorf("%s: %v, %q", name, ok, why)
		}
	}
	if _, ok := is.right(nil); ok {
		t.Error("no verdict is right")
	}
}

func TestTheRuleMayPageFromTheFifthFailureOn(t *testing.T) {
	window := func(n, failed int) []answer {
		out := make([]answer, n)
		for i := range failed {
			out[i].failed = true
		}
		return out
	}
	got := map[string]bool{}
	want := map[string]bool{"4 of 4": false, "5 of 5": true, "5 of 240": true, "7 of 600": false, "15 of 600": true, "10 of 1000": false, "11 of 1000": true}
	for name, w := range map[string][]answer{"4 of 4": window(4, 4), "5 of 5": window(5, 5), "5 of 240": window(240, 5), "7 of 600": window(600, 7), "15 of 600": window(600, 15),
		"10 of 1000": window(1000, 10), "11 of 1000": window(1000, 11)} {
		got[name] = mayPage(w)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatCannotBeShownSaysTheRemedy(t *testing.T) {
	if _, err := find("earthquake"); err == nil || !strings.Contains(err.Error(), "black-friday") {
		t.Errorf("an unknown scenario: %v", err)
	}
	if _, err := run(context.Background(), options{inquest: "/nowhere/inquest", out: &bytes.Buffer{}}); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("no binary: %v", err)
	}
}

func TestTextsAreWrapped(t *testing.T) {
	text := strings.Repeat("fifteen letters ", 20)
	for line := range strings.Lines(wrap(text)) {
		if len(strings.TrimSpace(line)) > 90 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	if got := strings.Join(strings.Fields(wrap(text)), " "); got != strings.TrimSpace(text) {
		t.Errorf("words were lost: %q", got)
	}
}
