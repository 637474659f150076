package flow_test

import (
	"fmt"
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

// A host's clock that is minutes wrong: no zone explains it, but both logs tell of the same requests.
func TestAWrongClockIsPutRightWhereTheSameFailuresProveIt(t *testing.T) {
	const wrong = -(4*time.Minute + 6*time.Second)
	logs := func(asked func(i int) string) map[string]string {
		var edge, app strings.Builder
		for i := range 20 * 60 * 5 {
			at, status := t0.Add(time.Duration(i)*200*time.Millisecond), 200
			if i >= 10*60*5 && i%3 == 0 {
				status = 500
				fmt.Fprintf(&app, "%s ERROR cart: unhandled error in GET %s: TypeError: Cannot read properties of undefined (reading 'price')\n", at.Add(wrong).Format("2006-01-02 15:04:05.000"), asked(i))
			} else if i%50 == 0 {
				fmt.Fprintf(&app, "%s INFO cart: basket opened\n", at.Add(wrong).Format("2006-01-02 15:04:05.000"))
			}
			fmt.Fprintf(&edge, `{"time":"%s","remote_addr":"198.51.100.%d","request_method":"GET","request_uri":"%s","status":%d,"request_time":0.05,"upstream_addr":"10.0.0.1:8080","upstream_status":"%d"}`+"\n",
				at.Add(50*time.Millisecond).Format(time.RFC3339Nano), i%40, asked(i), status, status)
		}
		return map[string]string{"gateway-access.json": edge.String(), "cart.log": app.String()}
	}
	d := investigate(t, folder(t, logs(func(i int) string { return fmt.Sprintf("/cart/%d", i) })))
	f := coverageOf(d, "cart.log")
	if f.From.Sub(t0).Abs() > 15*time.Second || !strings.Contains(strings.Join(f.Notes, " "), "the clock was wrong") || !strings.Contains(strings.Join(f.Notes, " "), "4m6s") {
		t.Errorf("read from %s: %q", f.From, f.Notes)
	}
	if d.Verdict.Mechanism != "unhandled-exception/null-dereference" {
		t.Errorf("verdict %s", d.Verdict.Mechanism)
	}
	// Requests that are all alike prove nothing.
	if f := coverageOf(investigate(t, folder(t, logs(func(int) string { return "/cart" }))), "cart.log"); f.From.Sub(t0.Add(wrong)).Abs() > 15*time.Second {
		t.Errorf("shifted without proof: read from %s: %q", f.From, f.Notes)
	}
}
