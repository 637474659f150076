package report_test

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

func triage(t *testing.T, d *inquest.Diagnosis, s []inquest.Symptom) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Triage(&b, d, s, report.TerminalOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func richSymptoms() []inquest.Symptom {
	e := evidence()
	return []inquest.Symptom{
		{Kind: inquest.SymptomPattern, Component: "checkout", Onset: at(761), Count: 3302, Share: 0.69, Text: "NullPointerException at PaymentProcessor.java:112 is new", Evidence: e[2:3]},
		{Kind: inquest.SymptomPattern, Component: "checkout", Onset: at(733), Count: 4012, Text: "connection is not available, timed out after 30000 ms", Evidence: e[2:3]},
		{Kind: inquest.SymptomPattern, Component: "catalog", Onset: at(1300), Count: 9999, Text: "a late consequence"},
		{Kind: inquest.SymptomSaturation, Detail: "pool", Component: "checkout", Onset: at(702), Value: 10, Baseline: 2, Limit: 10, Text: "the pool of checkout is full: 10 of 10, 47 waiting", Evidence: e[1:2]},
		{Kind: inquest.SymptomSaturation, Detail: "memory", Component: "checkout-1", Onset: at(900), Value: 0.91, Baseline: math.NaN(), Limit: 1, Text: "memory of checkout-1 at 91%"},
	}
}

func TestTriageAnswersFourQuestionsInOrder(t *testing.T) {
	got := triage(t, rich(), richSymptoms())
	if *update {
		if err := os.WriteFile("testdata/triage.txt.golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/triage.txt.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	last := -1
	for _, answer := range []string{
		"41 s after the last change", "Connection is not available", "The pool of checkout is full", "Memory of checkout-1 at 91%",
	} {
		i := strings.Index(got, answer)
		if i <= last {
			t.Errorf("%q is missing or out of order", answer)
		}
		last = i
	}
	if strings.Contains(got, "a late consequence") {
		t.Error("an error of ten minutes later is no error of that time")
	}
	if !strings.Contains(got, "disk: no data") {
		t.Error("disk was not measured, and that is not said")
	}
	for l := range strings.SplitSeq(got, "\n") {
		if uniseg.StringWidth(l) > 80 {
			t.Errorf("wider than 80: %q", l)
		}
	}
}

func TestTriageSaysNoData(t *testing.T) {
	d := open()
	d.Timeline = nil
	got := triage(t, d, nil)
	for _, want := range []string{"no data on changes", "No data: no application log was given.", "No data: no infrastructure metric or log was given."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "No data: no infrastructure"); n != 2 {
		t.Errorf("pools and host: %d times no data, want 2", n)
	}
}

func TestTriageIsCalmWithoutAnIncident(t *testing.T) {
	got := triage(t, healthy(), nil)
	for _, want := range []string{"It did not: no failure stands out.", "None: no new or surging error", "No data: nothing measures them in the 1 file", "No incident was found."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said in\n%s", want, got)
		}
	}
}

func TestTimesAreShownInTheZoneAskedFor(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	var b bytes.Buffer
	if err := report.Terminal(&b, rich(), report.TerminalOptions{Zone: zone}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "2026-11-27 15:02:11 CET") {
		t.Error("the onset is not in CET")
	}
}

func TestAMissingLayerIsSaidBesideTheVerdict(t *testing.T) {
	d := rich()
	d.Coverage.Layers[inquest.LayerInfrastructure] = inquest.LayerCoverage{State: "missing"}
	for _, how := range []string{"txt", "md", "html"} {
		if out := render(t, how, d); !strings.Contains(out, "Unconfirmed: the infrastructure layer was not checked.") {
			t.Errorf("%s: the verdict stands as if all had been checked", how)
		}
	}
}

func TestTitlesComeFromTheCatalogue(t *testing.T) {
	var b bytes.Buffer
	opts := report.PageOptions{Title: func(inquest.MechanismID) string { return "Connection pool <exhausted>" }}
	if err := report.HTML(&b, rich(), opts); err != nil {
		t.Fatal(err)
	}
	if h := nodes(t, b.String(), tag("h1")); text(h[0]) != "Connection pool <exhausted> at orders-db" {
		t.Errorf("h1 = %q", text(h[0]))
	}
}
