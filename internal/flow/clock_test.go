package flow_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
)

func coverageOf(d *inquest.Diagnosis, file string) inquest.FileCoverage {
	for _, f := range d.Coverage.Files {
		if f.File == file {
			return f
		}
	}
	return inquest.FileCoverage{}
}

func TestClocksWithoutAZoneAreFittedToThoseWithOne(t *testing.T) {
	local := func(offset time.Duration, layout string) func(time.Time) string {
		return func(at time.Time) string { return at.Add(offset).Format(layout) }
	}
	const plain = "2006-01-02 15:04:05.000"
	for _, c := range []struct {
		name   string
		layout func(time.Time) string
		shift  time.Duration
	}{
		{"UTC without saying so stays", local(0, plain), 0},
		{"India", local(5*time.Hour+30*time.Minute, plain), -5*time.Hour - 30*time.Minute},
		{"Nepal, by a quarter of an hour", local(5*time.Hour+45*time.Minute, plain), -5*time.Hour - 45*time.Minute},
		{"New York", local(-5*time.Hour, plain), 5 * time.Hour},
		{"Kiritimati", local(14*time.Hour, plain), -14 * time.Hour},
		{"a clock that is four minutes off is wrong, and no zone", local(4*time.Minute, plain), 0},
	} {
		d := investigate(t, folder(t, map[string]string{"gateway-access.json": gatewayLog(), "cart.log": cartLog(c.layout)}))
		f := coverageOf(d, "cart.log")
		want := t0
		if c.shift == 0 {
			want = t0.Add(map[bool]time.Duration{true: 4 * time.Minute}[strings.Contains(c.name, "four minutes")])
		}
		if f.From.Sub(want).Abs() > 15*time.Second {
			t.Errorf("%s: read from %s, want %s (%v)", c.name, f.From, want, f.Notes)
		}
		if shifted := strings.Contains(strings.Join(f.Notes, " "), "shifted by "+c.shift.String()); shifted != (c.shift != 0) {
			t.Errorf("%s: notes %q", c.name, f.Notes)
		}
		if c.shift != 0 && d.Verdict.Mechanism != "unhandled-exception/null-dereference" {
			t.Errorf("%s: verdict %s", c.name, d.Verdict.Mechanism)
		}
	}
}

func TestAYearThatIsMissingIsThatOfTheOtherFiles(t *testing.T) {
	text := cartLog(func(at time.Time) string { return at.Format("Jan _2 15:04:05") + " shop-1 cart[17]:" })
	dir := folder(t, map[string]string{"gateway-access.json": gatewayLog(), "cart.log": text})
	copied := time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC) // the file was copied years later
	if err := os.Chtimes(filepath.Join(dir, "cart.log"), copied, copied); err != nil {
		t.Fatal(err)
	}
	if f := coverageOf(investigate(t, dir), "cart.log"); f.From.Sub(t0).Abs() > 15*time.Second {
		t.Errorf("%s: read from %s, want %s (%v)", f.Format, f.From, t0, f.Notes)
	}
}
