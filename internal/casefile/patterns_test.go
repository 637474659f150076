package casefile_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

func TestPatternsAreComparedWithTheBaseline(t *testing.T) {
	for _, c := range []struct {
		name         string
		at           func(say func(float64))
		isNew, surge bool
	}{
		{"seen only in the incident", func(say func(float64)) { say(605) }, true, false},
		{"shortly before the first failed request: a cause comes first", func(say func(float64)) { say(570) }, true, false},
		{"as often as ever", func(say func(float64)) {
			for s := 0.0; s < 1200; s += 10 {
				say(s)
			}
		}, false, false},
		{"ten times as often", func(say func(float64)) {
			for s := 0.0; s < 600; s += 20 {
				say(s)
			}
			for s := 600.0; s < 900; s += 2 {
				say(s)
			}
		}, false, true},
		{"once before, once in the incident", func(say func(float64)) { say(100); say(700) }, false, false},
		{"gone in the incident", func(say func(float64)) { say(100) }, false, false},
	} {
		gw, app := gateway(), &file{name: "cart.log", format: "pino"}
		gw.traffic(0, 1200, 10)
		gw.failing(600, 900, 2, "GET /cart", 500)
		c.at(func(s float64) { app.says(sec(s), inquest.LevelError, "no answer from db") })
		p := pattern(build(gw, app), "no answer")
		if p == nil || p.New != c.isNew || p.Surging != c.surge {
			t.Errorf("%s: %+v, want new %v, surging %v", c.name, p, c.isNew, c.surge)
		}
	}
}

func TestTheShareOfAPatternIsCountedByRequestIDs(t *testing.T) {
	for _, n := range []int{200, 12000} { // beyond what is kept of ids and failures, the share is still the same
		gw, app := gateway(), &file{name: "cart.log", format: "pino"}
		gw.traffic(0, 2400, 5)
		for i := range n {
			at, rid := sec(1200+float64(i)*1100/float64(n)), fmt.Sprint("req-", i)
			gw.asked(at, "GET /cart", 500, id(rid))
			switch {
			case i%4 != 0:
				app.says(at, inquest.LevelError, "no answer from db", id(rid))
			default:
				app.says(at, inquest.LevelError, "broken basket", id(rid))
			}
		}
		for i := range 50 {
			gw.asked(sec(1200+float64(i)), "GET /cart", 200, id(fmt.Sprint("ok-", i)))
			app.says(sec(1200+float64(i)), inquest.LevelError, "hint was not read", id(fmt.Sprint("ok-", i)))
			app.says(sec(1200+float64(i)), inquest.LevelError, "mail was not sent", id(fmt.Sprint("job-", i)))
		}
		c := build(gw, app)
		// Ids that no request log knows (those of jobs) cannot tell.
		for text, want := range map[string]float64{"no answer": 0.75, "broken basket": 0.25, "hint was": 0, "mail was": -1} {
			if p := pattern(c, text); p == nil || math.Abs(p.Share-want) > 0.06 {
				t.Errorf("%d failures, %s: share %v, want %v", n, text, p.Share, want)
			}
		}
	}
}

func TestALineWithoutIDsHasNoShare(t *testing.T) {
	gw, app := gateway(), &file{name: "cart.log", format: "pino"}
	gw.traffic(0, 1200, 10)
	gw.failing(600, 900, 2, "GET /cart", 500, id("r1"))
	app.says(sec(601), inquest.LevelError, "no answer from db")
	if p := pattern(build(gw, app), "no answer"); p.Share != -1 || p.Answered != -1 {
		t.Errorf("share %v, answered %v: nobody knows", p.Share, p.Answered)
	}
}

// lies makes 2xx answers from second 600 to 900 of which the service says that they failed.
func lies(gw, app *file, withID bool, text string) (n int) {
	for ; n < 300; n++ {
		at, rid := sec(600+float64(n)), fmt.Sprint("lie-", n)
		gw.asked(at, "POST /orders", 200, id(rid), via("10.0.0.1:80", "200"))
		if withID {
			app.says(at, inquest.LevelError, text, id(rid))
		} else {
			app.says(at, inquest.LevelError, "POST /orders: "+text)
		}
	}
	return n
}

func TestAnswersThatHideAFailureAreFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		withID bool
		text   string
		want   bool
	}{
		{"by the request's id", true, "order not saved: connection refused", true},
		{"by complaints about the route", false, "order not saved: connection refused", true},
		{"not when a retry helped", true, "connection refused, attempt 1, will retry", false},
		{"not when a stale copy was served", true, "rates service failed, serving stale copy", false},
		{"not when the line speaks of no failure", true, "order of unusual size", false},
	} {
		gw, app := gateway(), &file{name: "orders.log", format: "pino"}
		gw.traffic(0, 1200, 10, via("10.0.0.1:80", "200"))
		n := lies(gw, app, c.withID, c.text)
		got := build(gw, app)
		if got.Incident != c.want {
			t.Errorf("%s: incident %v", c.name, got.Incident)
			continue
		}
		if im := got.Impact; c.want && (im.Lying < n-5 || im.Lying > n || im.Failed != im.Lying || got.Onset.Sub(sec(600)).Abs() > 5*time.Second) {
			t.Errorf("%s: %d of %d lies, %d failed, since %s", c.name, im.Lying, n, im.Failed, got.Onset)
		}
	}
}

func TestErrorsThatNameTheirRequestAreSetAgainstAnEdgeThatLogsNoIds(t *testing.T) {
	path := func(p string) option {
		return func(r *parse.Record) { r.Add("path", p) }
	}
	for _, c := range []struct {
		name  string
		paths int // on how many the lies are spread
		ids   bool
	}{{"one route", 1, false}, {"every request on a route of its own", 150, false}, {"an edge that logs ids", 1, true}} {
		gw, app := gateway(), &file{name: "fares.log", format: "pino"}
		gw.traffic(0, 1200, 10, via("10.0.0.1:80", "200"))
		for n := range 300 {
			at, p := sec(600+float64(n)), fmt.Sprint("/fares/", strings.Repeat("x", 1+n%c.paths))
			gw.asked(at.Add(-10*time.Minute), "GET "+p, 200, via("10.0.0.1:80", "200"))
			rid := fmt.Sprint("edge-", n)
			if !c.ids {
				rid = ""
			}
			gw.asked(at, "GET "+p, 200, via("10.0.0.1:80", "200"), id(rid))
			app.says(at, inquest.LevelError, "no fares: unexpected token", id(fmt.Sprint("app-", n)), path(p))
		}
		got := build(gw, app)
		if got.Incident == c.ids { // by ids of another kind nothing can be told
			t.Errorf("%s: incident %v", c.name, got.Incident)
			continue
		}
		if im := got.Impact; !c.ids && (im.Lying < 290 || im.Lying > 300 || im.Failed != im.Lying) {
			t.Errorf("%s: %d lies of 300, %d failed", c.name, im.Lying, im.Failed)
		}
	}
}

func TestTheLieRateOfAnOldBugIsNoIncident(t *testing.T) {
	gw, app := gateway(), &file{name: "orders.log", format: "pino"}
	gw.traffic(0, 1200, 10)
	for i := range 60 {
		rid := fmt.Sprint("x-", i)
		gw.asked(sec(float64(i)*20), "POST /orders", 200, id(rid))
		app.says(sec(float64(i)*20), inquest.LevelError, "receipt could not be mailed", id(rid))
	}
	if c := build(gw, app); c.Incident {
		t.Errorf("incident since %s: %+v", c.Onset, c.Groups)
	}
}

func TestServicesBehindTheProxyAreNamedByUpstreamAndID(t *testing.T) {
	gw, app := gateway(), &file{name: "cart.log", format: "pino"}
	gw.traffic(0, 1200, 10)
	for i := range 100 {
		rid := fmt.Sprint("r", i)
		gw.asked(sec(600+float64(i)), "GET /cart", 502, id(rid), via("10.0.0.1:80", "502"))
		app.asked(sec(600+float64(i)), "GET /cart", 500, id(rid))
	}
	c := build(gw, app)
	if !slices.Equal(c.Impact.Services, []string{"cart"}) {
		t.Errorf("services %v, want cart", c.Impact.Services)
	}
	if u := c.Upstreams; len(u) != 1 || u[0].Component != "cart" || u[0].IncidentFailed != 100 || u[0].IncidentOK != 0 || u[0].BaselineOK != 0 || !u[0].FirstSeen.Equal(sec(600)) {
		t.Errorf("upstreams %+v", u)
	}
	if len(c.Failures) == 0 || c.Failures[0].Source.File != "gateway-access.log" || c.Failures[0].Source.Line == 0 || c.Failures[0].Upstream != "10.0.0.1:80" {
		t.Errorf("failures %+v", c.Failures[:min(1, len(c.Failures))])
	}
	if len(c.Answered) != 3 { // all the gateway's good routes but the failing one
		var rs []string
		for _, a := range c.Answered {
			rs = append(rs, a.Route)
		}
		if !slices.Equal(rs, []string{"GET /items/{id}", "POST /orders"}) {
			t.Errorf("routes that went on working: %v", rs)
		}
	}
}

func TestCoverageSaysWhatWasReadAndWhatItsAbsenceForbids(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 10, 10)
	c := build(gw)
	if !c.Layers[inquest.LayerResponse] || c.Layers[inquest.LayerApplication] || c.Layers[inquest.LayerInfrastructure] || c.Layers[inquest.LayerChange] {
		t.Errorf("layers %v", c.Layers)
	}
	if len(c.Coverage.Missing) != 3 || !strings.Contains(strings.Join(c.Coverage.Missing, "\n"), "an exception can be neither named nor ruled out") {
		t.Errorf("missing %q", c.Coverage.Missing)
	}
	all := []*file{gw, {name: "cart.log", format: "pino"}, {name: "metrics.om", format: "openmetrics"}, {name: "changes.jsonl", format: "changes"}}
	all[1].says(sec(1), inquest.LevelInfo, "x")
	all[2].series("up", "job", "cart", "instance", "cart:1")
	all[3].change(sec(2), inquest.ChangeDeploy, "cart", "v2")
	if c := build(all...); len(c.Coverage.Missing) != 0 || len(c.Coverage.Files) != 4 {
		t.Errorf("missing %q of %d files", c.Coverage.Missing, len(c.Coverage.Files))
	}
	all[1].records = nil
	if c := build(all...); c.Layers[inquest.LayerApplication] {
		t.Error("a file without records covers nothing")
	}
}

func TestWhatWasSkippedOrShiftedIsNoted(t *testing.T) {
	st := mem.New()
	st.Seal()
	c := casefile.Build(st, casefile.Config{Notes: []string{"core.7: is a binary file"}, Reports: []parse.FileReport{
		{File: "a.log", Format: "json", Wrapper: "docker", Records: 3, Skipped: 1, Clock: parse.ClockUTC, Skips: []parse.Skip{{Line: 7, Reason: "no JSON"}}, Err: errors.New("gzip: unexpected EOF")},
		{File: "b.log", Format: "time-first", Records: 3, Clock: parse.ClockLocal, Shift: -5 * time.Hour},
		{File: "c.log", Format: "time-first", Records: 3, Clock: parse.ClockLocal},
		{File: "d.log", Format: "klog", Records: 3, Clock: parse.ClockNoYear},
	}})
	var got [][]string
	for _, f := range c.Coverage.Files {
		got = append(got, append([]string{f.Format}, f.Notes...))
	}
	want := [][]string{
		{"json in docker", "line 7 skipped: no JSON", "gzip: unexpected EOF"},
		{"time-first", "times carry no zone or year: shifted by -5h0m0s, which fits the other files"},
		{"time-first", "times carry no zone: read as UTC"},
		{"klog", "times carry no year: the year was inferred"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !slices.Contains(c.Coverage.Missing, "core.7: is a binary file") || c.Incident {
		t.Errorf("missing %q, incident %v", c.Coverage.Missing, c.Incident)
	}
}

func TestTheSameStoreGivesTheSameCase(t *testing.T) {
	make := func() *inquest.Case {
		gw, app := gateway(), &file{name: "cart.log", format: "pino"}
		gw.traffic(0, 1200, 10, via("10.0.0.1:80", "200"))
		gw.failing(600, 900, 2, "GET /cart", 500, via("10.0.0.1:80", "500"))
		gw.failing(600, 900, 2, "POST /orders", 503, via("10.0.0.2:80", "503"))
		lies(gw, app, true, "failed")
		return build(gw, app)
	}
	want := make()
	for range 5 {
		if d := cmp.Diff(want, make(), cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })); d != "" {
			t.Fatal(d)
		}
	}
}

func TestWithoutAHealthyStretchWhatIsSaidMayBeNew(t *testing.T) {
	gw := gateway()
	for i := range 200 {
		gw.failing(float64(i), float64(i)+0.5, 1, "GET /cart", 502, func(r *parse.Record) { r.Add("error", "dial tcp: no such host") })
	}
	c := build(gw)
	p := pattern(c, "no such host")
	if !c.Incident || !c.Baseline.IsZero() || p == nil || !p.New || p.During < 190 || p.Before != 0 {
		t.Errorf("incident %v, baseline %v, pattern %+v", c.Incident, c.Baseline, p)
	}
}

func TestTheNameOfAFieldIsNoExceptionOfWhoeverAnswered(t *testing.T) {
	said := func(typ string) option {
		return func(r *parse.Record) {
			r.UpstreamStatus, r.Upstream = "500", "10.0.0.1:80"
			r.Exception = &inquest.Exception{Type: typ, Message: "boom of " + typ}
			r.Add("error", "boom of "+typ)
			r.Add(parse.ErrorBy, "upstream")
		}
	}
	gw := gateway()
	gw.traffic(0, 600, 5)
	gw.failing(300, 600, 1, "GET /a", 500, said("error"))
	gw.failing(300, 600, 1, "GET /b", 500, said("KeyError"))
	c := build(gw)
	for text, want := range map[string]bool{"boom of error": false, "boom of KeyError": true} {
		p := pattern(c, text)
		if p == nil || (p.Examples[0].Exception != nil) != want {
			t.Errorf("%s: %+v", text, p)
		}
	}
}
