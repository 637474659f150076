package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

func decode(t *testing.T, d *inquest.Diagnosis) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(render(t, "json", d)), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestJSONComesBackAsItWas(t *testing.T) {
	for name, sample := range samples {
		want := sample()
		got, err := report.ReadJSON(strings.NewReader(render(t, "json", want)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want.Coverage.Layers != nil { // the wire names all four
			for _, l := range []inquest.Layer{inquest.LayerResponse, inquest.LayerApplication, inquest.LayerInfrastructure, inquest.LayerChange} {
				if c := want.Coverage.Layers[l]; c.State == "" {
					want.Coverage.Layers[l] = inquest.LayerCoverage{State: "missing"}
				}
			}
		}
		near := cmpopts.EquateApprox(0, 1e-6)
		if diff := cmp.Diff(want, got, near, cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Millisecond)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		again := render(t, "json", got)
		if diff := cmp.Diff(render(t, "json", want), again); diff != "" {
			t.Errorf("%s: written again it differs:\n%s", name, diff)
		}
	}
}

func TestJSONFollowsTheSchema(t *testing.T) {
	m := decode(t, rich())
	v := m["verdict"].(map[string]any)
	for key, want := range map[string]any{"level": "established", "class": "database", "mechanism": "pool-exhausted", "culprit": "orders-db"} {
		if v[key] != want {
			t.Errorf("verdict.%s = %v, want %v", key, v[key], want)
		}
	}
	if m["schema"] != "inquest/report/v1" || m["onset"] != "2026-11-27T14:02:11.204Z" {
		t.Errorf("schema %v, onset %v", m["schema"], m["onset"])
	}
	if m := decode(t, healthy()); m["verdict"] != nil || m["incident"] != false || m["onset"] != nil || m["end"] != nil {
		t.Errorf("healthy: verdict %v, incident %v, onset %v, end %v", m["verdict"], m["incident"], m["onset"], m["end"])
	}
	d := open()
	d.Verdict.Mechanism, d.Verdict.Culprit, d.Verdict.Trigger = "database/down", "db", &inquest.Trigger{Kind: "deploy"}
	v = decode(t, d)["verdict"].(map[string]any)
	for _, key := range []string{"class", "mechanism", "culprit", "trigger"} {
		if v[key] != nil {
			t.Errorf("an open verdict names %s: %v", key, v[key])
		}
	}
}

func TestJSONHasNoNullLists(t *testing.T) {
	nullable := regexp.MustCompile(`"(onset|end|from|to|verdict|class|mechanism|culprit|trigger|time|value|limit|share|before)": null`)
	for name, d := range map[string]*inquest.Diagnosis{"rich": rich(), "healthy": healthy(), "open": open(), "empty": {Incident: true, Verdict: &inquest.Verdict{}}} {
		for l := range strings.SplitSeq(render(t, "json", d), "\n") {
			if strings.HasSuffix(strings.TrimSuffix(l, ","), ": null") && !nullable.MatchString(l) {
				t.Errorf("%s: %s", name, l)
			}
		}
	}
}

func TestJSONTimesAreUTCWithMilliseconds(t *testing.T) {
	d := rich()
	d.Onset = time.Date(2026, 1, 2, 3, 4, 5, 999999999, time.FixedZone("x", 5*3600))
	if got := decode(t, d)["onset"]; got != "2026-01-01T22:04:05.999Z" {
		t.Errorf("onset = %v", got)
	}
	d.Onset = time.Unix(1<<55, 0)
	if got := decode(t, d)["onset"]; got != nil {
		t.Errorf("a year that RFC 3339 cannot write = %v, want null", got)
	}
}

func TestJSONTakesNumbersThatAreNone(t *testing.T) {
	d := rich()
	d.Verdict.Confidence, d.Impact.Ratio, d.Suspects[0].Score = math.NaN(), math.Inf(1), math.Inf(-1)
	if got := decode(t, d)["impact"].(map[string]any)["ratio"]; got != 0.0 {
		t.Errorf("ratio = %v", got)
	}
}

func TestCompactJSONIsOneLine(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, rich(), report.JSONOptions{Compact: true}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 1 || !json.Valid(b.Bytes()) {
		t.Errorf("%d line feeds, valid %v", n, json.Valid(b.Bytes()))
	}
	if err := report.JSON(&b, nil, report.JSONOptions{}); err == nil {
		t.Error("no diagnosis is no error")
	}
}

func TestReadJSONSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "--format json",
		"{":                              "--format json",
		`{"schema":"inquest/report/v9"}`: `"inquest/report/v9"`,
		`{"schema":"inquest/report/v1","onset":"yesterday"}`: "--format json",
	} {
		if _, err := report.ReadJSON(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadJSON(%q): %v, want an error with %q", in, err, want)
		}
	}
	if _, err := report.ReadJSON(strings.NewReader(`{"schema":"inquest/report/v1","added_later":1}`)); err != nil {
		t.Errorf("an unknown key: %v", err)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"schema":"inquest/report/v1","incident":true,"chart":{"step_ms":-5,"failed":[1]},"verdict":{"level":"probable","class":"a"}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := report.ReadJSON(bytes.NewReader(in))
		if err != nil {
			return
		}
		for how := range renderings {
			render(t, how, d)
		}
		first := render(t, "json", d)
		back, err := report.ReadJSON(strings.NewReader(first))
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if second := render(t, "json", back); second != first {
			t.Errorf("not stable:\n%s\n%s", first, second)
		}
	})
}
