package casefile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

func TestHealthyTrafficIsNoIncident(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(*file)
	}{
		{"no failures at all", func(*file) {}},
		{"a steady background of one failure in a hundred", func(f *file) { f.failing(3, 1200, 0.1, "GET /cart", 500) }},
		{"a random background", func(f *file) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 150 {
				f.asked(sec(rng.Float64()*1200), "GET /cart", 502)
			}
		}},
		{"ten times the traffic for two minutes", func(f *file) { f.traffic(500, 620, 100) }},
		{"ten times the traffic, and the background with it", func(f *file) {
			f.failing(3, 1200, 0.1, "GET /cart", 500)
			f.traffic(500, 620, 100)
			f.failing(500, 620, 1, "GET /cart", 500)
		}},
		{"a burst of 404", func(f *file) { f.failing(500, 560, 20, "GET /wp-login.php", 404) }},
		{"a burst of 429", func(f *file) { f.failing(500, 560, 20, "POST /orders", 429) }},
		{"clients that leave at once", func(f *file) { f.failing(500, 560, 20, "GET /cart", 499, took(0.1)) }},
		{"methods that nobody implements", func(f *file) { f.failing(500, 560, 20, "PROPFIND /", 501) }},
		{"four failures in a row", func(f *file) { f.failing(500, 504, 1, "GET /cart", 500) }},
	} {
		gw := gateway()
		gw.traffic(0, 1200, 10)
		c.with(gw)
		got := build(gw)
		if got.Incident || !got.Onset.IsZero() || got.Impact.Failed != 0 {
			t.Errorf("%s: incident since %s, %+v", c.name, got.Onset, got.Groups)
		}
		if got.Baseline != got.Span {
			t.Errorf("%s: without an incident all of %v is the baseline, not %v", c.name, got.Span, got.Baseline)
		}
	}
}

func TestABurstIsFoundWithItsOnsetToTheSecond(t *testing.T) {
	for _, c := range []struct {
		name       string
		with       func(*file)
		onset, end float64 // end 0: it lasts
		status     int
	}{
		{"failures on top of traffic", func(f *file) { f.failing(603.4, 900, 2, "GET /cart", 500) }, 603.4, 900, 500},
		{"until the recording ends", func(f *file) { f.failing(603.4, 1200, 2, "GET /cart", 500) }, 603.4, 0, 500},
		{"above a background of the same route and status", func(f *file) {
			f.failing(3, 1200, 0.02, "GET /cart", 500)
			f.failing(603.4, 900, 3, "GET /cart", 500)
		}, 603.4, 900, 500},
		{"above a background of other statuses", func(f *file) {
			f.failing(3, 1200, 0.2, "GET /cart", 502)
			f.failing(603.4, 900, 3, "GET /cart", 503)
		}, 603.4, 900, 503},
		{"a ramp with a thin beginning", func(f *file) {
			for _, s := range []float64{598, 604, 609, 613, 616, 618} {
				f.asked(sec(s), "GET /cart", 503)
			}
			f.failing(620, 900, 3, "GET /cart", 503)
		}, 598, 900, 503},
		{"all requests of a rare route", func(f *file) { f.failing(630, 1100, 0.05, "POST /refunds", 500) }, 630, 1096, 500},
		{"clients that give a hanging route up", func(f *file) { f.failing(603.4, 900, 10, "GET /cart", 499, took(8)) }, 603.4, 900, 499},
		{"spread thin over hundreds of routes", func(f *file) {
			for i := range 600 {
				f.asked(sec(603.4+float64(i)/2), fmt.Sprintf("GET /page-%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), 503)
			}
		}, 603.4, 903, 503},
	} {
		gw := gateway()
		gw.traffic(0, 1200, 10)
		c.with(gw)
		got := build(gw)
		if !got.Incident {
			t.Errorf("%s: no incident", c.name)
			continue
		}
		if d := got.Onset.Sub(sec(c.onset)).Abs(); d > time.Second {
			t.Errorf("%s: onset %s, want %s", c.name, got.Onset, sec(c.onset))
		}
		if got.Groups[0].Status != c.status {
			t.Errorf("%s: status %d", c.name, got.Groups[0].Status)
		}
		if c.end == 0 && !got.End.IsZero() || c.end > 0 && got.End.Sub(sec(c.end)).Abs() > 16*time.Second {
			t.Errorf("%s: end %s, want %v s", c.name, got.End, c.end)
		}
		if !got.Window.From.Equal(got.Onset) || !got.Baseline.From.Equal(got.Span.From) || !got.Baseline.To.Equal(got.Onset) {
			t.Errorf("%s: window %v, baseline %v, span %v, onset %s", c.name, got.Window, got.Baseline, got.Span, got.Onset)
		}
	}
}

func TestAnswersThatBreakOffHaveFailedWhateverTheirStatus(t *testing.T) {
	broken := func(r *parse.Record) { r.Broken = true }
	gw := gateway()
	gw.traffic(0, 1200, 10)
	gw.failing(603.4, 900, 1, "GET /report", 200, broken)
	gw.traffic(0, 1200, 2, broken) // streams that end as they always did
	got := build(gw)
	if !got.Incident || got.Onset.Sub(sec(603.4)).Abs() > time.Second || len(got.Groups) != 1 {
		t.Fatalf("incident %v since %s: %+v", got.Incident, got.Onset, got.Groups)
	}
	if g := got.Groups[0]; g.Route != "GET /report" || !g.Lying {
		t.Errorf("group %+v", g)
	}
	if im := got.Impact; im.Lying != 297 || im.Failed != 297 || im.Clients != 20 || len(got.Failures) == 0 {
		t.Errorf("impact %+v, %d failures with their detail; want 297 of 20 clients", im, len(got.Failures))
	}
	lying := 0
	for _, n := range got.Chart.Lying {
		lying += n
	}
	if lying != 297 {
		t.Errorf("the chart shows %d", lying)
	}
}

func TestABlipIsSetAsideAndTold(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 600, 10)
	gw.failing(300, 302, 20, "GET /cart", 502)
	got := build(gw)
	if got.Incident || len(got.Blips) != 1 {
		t.Fatalf("incident %v, blips %+v", got.Incident, got.Blips)
	}
	b := got.Blips[0]
	if b.Failed != 40 || b.Status != 502 || b.Route != "GET /cart" || b.Window.From.Sub(sec(300)).Abs() > 4*time.Second {
		t.Errorf("blip %+v", b)
	}
	gw.failing(596, 600, 20, "GET /cart", 502) // the recording ends in it: nobody knows whether it heals
	if got := build(gw); !got.Incident {
		t.Error("a burst that goes on to the end of the recording is no blip")
	}
}

func TestAStatusThatGivesWayToAnotherHasNotHealed(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 600, 10)
	gw.failing(300, 303, 20, "POST /orders", 500) // then the proxy asks no more
	gw.failing(303, 400, 20, "POST /orders", 503)
	gw.failing(305, 307, 20, "GET /cart", 502) // another route, which heals
	got := build(gw)
	var statuses []int
	for _, g := range got.Groups {
		statuses = append(statuses, g.Status)
	}
	slices.Sort(statuses)
	if !slices.Equal(statuses, []int{500, 503}) || got.Onset.Sub(sec(300)).Abs() > time.Second {
		t.Errorf("onset %s, groups %+v", got.Onset, got.Groups)
	}
	if len(got.Blips) != 1 || got.Blips[0].Route != "GET /cart" {
		t.Errorf("blips %+v", got.Blips)
	}
}

func TestTwoBurstsFarApartAreTwoIncidentsAndTheStrongerOneIsTold(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 3600, 10)
	gw.failing(600, 660, 2, "GET /cart", 500)
	gw.failing(2400, 2700, 5, "POST /orders", 503)
	got := build(gw)
	if got.Onset.Sub(sec(2400)).Abs() > time.Second || len(got.Groups) != 1 {
		t.Errorf("onset %s of %+v", got.Onset, got.Groups)
	}
	if len(got.Blips) != 1 || got.Blips[0].Status != 500 || !strings.Contains(got.Blips[0].Note, "separate") {
		t.Errorf("the other burst is not told: %+v", got.Blips)
	}
	if got.Impact.Failed != 1500 {
		t.Errorf("%d failed, want the 1500 of the stronger burst", got.Impact.Failed)
	}
}

func TestBurstsOfOneFaultOnSeveralRoutesAreOneIncident(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 1200, 10)
	gw.failing(600, 900, 2, "GET /cart", 500)
	gw.failing(640, 920, 2, "POST /orders", 504) // time-outs surface later
	got := build(gw)
	if len(got.Groups) != 2 || len(got.Blips) != 0 || got.Onset.Sub(sec(600)).Abs() > time.Second {
		t.Errorf("onset %s, groups %+v, blips %+v", got.Onset, got.Groups, got.Blips)
	}
}

func TestFailingFromTheFirstLine(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 600, 10)
	gw.failing(0, 600, 5, "GET /cart", 502)
	if got := build(gw); got.Incident && !got.Baseline.IsZero() {
		t.Errorf("there is nothing to compare with, but the baseline is %v", got.Baseline)
	}
	gw = gateway()
	gw.traffic(0, 900, 10)
	gw.failing(0, 300, 5, "GET /cart", 502)
	got := build(gw)
	if !got.Incident || !got.Onset.Equal(sec(0)) || got.Baseline.From.Sub(sec(300)).Abs() > 16*time.Second || !got.Baseline.To.Equal(got.Span.To) {
		t.Errorf("incident %v since %s, baseline %v: want what came after the end", got.Incident, got.Onset, got.Baseline)
	}
}

func TestTenOfTenRequestsThatFailAreAnIncident(t *testing.T) {
	for _, c := range []struct {
		name         string
		failed, well int
		want         bool
	}{
		{"ten of ten", 10, 0, true},
		{"ten of twelve", 10, 2, true},
		{"five of five", 5, 0, true},
		{"four of four are too few", 4, 0, false},
		{"half of them, from end to end, may be a bug of old", 20, 20, false},
	} {
		gw := gateway()
		for i := range c.failed + c.well {
			status := 500
			if i%max(1, (c.failed+c.well)/max(1, c.well)) == 1 && c.well > 0 {
				status = 200
			}
			gw.asked(sec(float64(i*7)), "GET /cart", status)
		}
		got := build(gw)
		if got.Incident != c.want {
			t.Errorf("%s: incident %v of %+v", c.name, got.Incident, got.Groups)
		}
		if c.want && (got.Impact.Failed != c.failed || got.Impact.Requests != c.failed+c.well || !got.Onset.Equal(t0) || !got.Baseline.IsZero() || !got.End.IsZero()) {
			t.Errorf("%s: onset %s, end %s, baseline %v, %+v", c.name, got.Onset, got.End, got.Baseline, got.Impact)
		}
	}
}

// An upstream that is never reached fails its route from the first line on, while all others work.
func TestARouteThatNeverWorkedIsAnIncidentIfItMatters(t *testing.T) {
	for _, c := range []struct {
		name              string
		failed, well, all int // on the route; on the others
		want              bool
	}{
		{"half of all requests go to a route that never worked", 100, 0, 100, true},
		{"a tenth of them", 40, 0, 360, true},
		{"mostly", 80, 10, 300, true},
		{"one in a hundred is somebody's old page", 10, 0, 990, false},
		{"half of a route's requests may be a bug of old", 50, 50, 300, false},
		{"four are too few", 4, 0, 20, false},
	} {
		gw := gateway()
		n := c.failed + c.well + c.all
		for i := range n {
			route, status := "GET /cart", 200
			if i*(c.failed+c.well)/n != (i+1)*(c.failed+c.well)/n {
				k := i * (c.failed + c.well) / n
				if route = "POST /orders"; k*c.failed/(c.failed+c.well) != (k+1)*c.failed/(c.failed+c.well) {
					status = 502
				}
			}
			gw.asked(sec(float64(i)), route, status)
		}
		got := build(gw)
		if got.Incident != c.want {
			t.Errorf("%s: incident %v of %+v", c.name, got.Incident, got.Groups)
		}
		if c.want && (len(got.Groups) != 1 || got.Groups[0].Route != "POST /orders" || got.Groups[0].Failed != c.failed || got.Impact.Failed != c.failed) {
			t.Errorf("%s: %+v, %+v", c.name, got.Groups, got.Impact)
		}
	}
}

func TestAnAlertMakesAnIncidentWhereRequestsDoNotShowIt(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 1200, 10)
	w, base := inquest.Window{From: sec(600), To: sec(900)}, inquest.Window{From: sec(0), To: sec(300)}
	for _, c := range []struct {
		name         string
		hint         inquest.Hint
		window, base inquest.Window
	}{
		{"window and baseline", inquest.Hint{Window: w, Baseline: base}, w, base},
		{"a window alone", inquest.Hint{Window: w}, w, inquest.Window{From: sec(0), To: sec(600)}},
		{"a time alone: the five minutes before it", inquest.Hint{Time: sec(900)}, inquest.Window{From: sec(600), To: sec(900)}, inquest.Window{From: sec(0), To: sec(600)}},
	} {
		f := &file{name: "incident.json", format: "incident"}
		f.signals = append(f.signals, signalOf(c.hint))
		got := build(gw, f)
		if !got.Incident || got.Window != c.window || got.Baseline != c.base || !got.Onset.Equal(c.window.From) {
			t.Errorf("%s: incident %v, window %v, baseline %v", c.name, got.Incident, got.Window, got.Baseline)
		}
	}
}

func TestImpactEqualsACountByHand(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 1200, 9) // 3 a second on each route
	a := gw.failing(600, 900, 2, "GET /cart", 500, via("10.0.0.1:80", "500"))
	b := gw.failing(600, 900, 1, "POST /orders", 503, via("10.0.0.1:80", "503"))
	gw.failing(600, 900, 0.02, "GET /items/7", 404) // six of them: the clients' business
	c := build(gw)
	well := int(9 * c.Window.Duration().Seconds()) // the end is known to a bin only
	n := well + a + b + 6
	want := inquest.Impact{Requests: n, Failed: a + b, Ratio: float64(a+b) / float64(n), Clients: 20, Spread: inquest.SpreadService,
		Routes: []inquest.RouteImpact{
			{Route: "GET /cart", Requests: well/3 + a, Failed: a, Status: map[int]int{500: a}},
			{Route: "POST /orders", Requests: well/3 + b, Failed: b, Status: map[int]int{503: b}},
		}, Services: []string{}}
	if d := cmp.Diff(want, c.Impact); d != "" || c.Window.To.Sub(sec(900)) > 16*time.Second {
		t.Errorf("window %v: %s", c.Window, d)
	}
}

func TestSpreadTellsHowFarItReaches(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(*file)
		want inquest.Spread
	}{
		{"one client's requests", func(f *file) {
			f.failing(600, 900, 1, "GET /cart", 500, from("203.0.113.9"))
			f.failing(600, 900, 1, "POST /orders", 500, from("203.0.113.9"))
		}, inquest.SpreadClient},
		{"one client's requests, beside a stray failure of another", func(f *file) {
			f.failing(600, 900, 2, "GET /cart", 500, from("203.0.113.9"))
			f.asked(sec(700), "GET /cart", 500)
		}, inquest.SpreadClient},
		{"one route", func(f *file) { f.failing(600, 900, 2, "GET /cart", 500) }, inquest.SpreadRoute},
		{"every route", func(f *file) {
			f.failing(600, 900, 2, "GET /cart", 503)
			f.failing(600, 900, 2, "POST /orders", 503)
			f.failing(600, 900, 2, "GET /items/1", 503)
		}, inquest.SpreadEverything},
		{"two routes of three", func(f *file) {
			f.failing(600, 900, 2, "GET /cart", 503)
			f.failing(600, 900, 2, "POST /orders", 503)
		}, inquest.SpreadService},
	} {
		gw := gateway()
		gw.traffic(0, 1200, 9)
		c.with(gw)
		if got := build(gw).Impact.Spread; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A server behind a balancer sees one address, the balancer's: that all failures have it tells nothing of clients.
func TestWhereAllRequestsComeFromOneAddressThatIsNoClient(t *testing.T) {
	balancer := from("10.0.0.1")
	gw := gateway()
	gw.traffic(0, 1200, 9, balancer)
	gw.failing(600, 900, 2, "GET /cart", 500, balancer)
	gw.failing(600, 900, 2, "POST /orders", 500, balancer)
	if got := build(gw).Impact.Spread; got == inquest.SpreadClient {
		t.Errorf("spread %q", got)
	}
}

func TestTrafficComparesTheLoadBeforeAndAtTheOnset(t *testing.T) {
	gw := gateway()
	gw.traffic(0, 540, 10)
	gw.traffic(540, 900, 30)
	gw.failing(600, 900, 5, "GET /cart", 503, took(2))
	got := build(gw).Traffic
	if got.BaselineRate < 9.5 || got.BaselineRate > 10.5 || got.OnsetRate < 28 || got.OnsetRate > 33 || got.IncidentRate < 34 || got.IncidentRate > 36 {
		t.Errorf("rates %+v, want 10, 30, 35", got)
	}
	if got.BaselineMean < 0.049 || got.BaselineMean > 0.051 || got.IncidentMean < 0.3 || got.IncidentMean > 0.35 {
		t.Errorf("means %+v, want 0.05 and (30*0.05+5*2)/35 = 0.33", got)
	}
}

func TestABurstThatHealsAndComesAgainIsNoBlip(t *testing.T) {
	bursts := func(at ...float64) *inquest.Case {
		gw := gateway()
		for i := range 4000 {
			x := float64(i) / 10
			status := 200
			for _, b := range at {
				if x >= b && x < b+5 && i%2 == 0 {
					status = 502
				}
			}
			gw.asked(sec(x), "GET /cart", status)
		}
		return build(gw)
	}
	if c := bursts(120); c.Incident || len(c.Blips) == 0 {
		t.Errorf("five seconds that healed: incident %v, blips %v", c.Incident, c.Blips)
	}
	c := bursts(120, 170, 220)
	if !c.Incident || c.Onset.Sub(sec(120)).Abs() > time.Second {
		t.Errorf("a process that dies every fifty seconds: incident %v since %s", c.Incident, c.Onset)
	}
}

func TestErrorsAloneAreAnIncidentWhereNobodyLoggedRequests(t *testing.T) {
	service := func(during int, text string) *inquest.Case {
		f := &file{name: "cart.log", format: "pino"}
		for i := range 600 {
			f.says(sec(float64(i)), inquest.LevelInfo, "stock of basket checked")
			if i%100 == 0 {
				f.says(sec(float64(i)), inquest.LevelError, "charge failed: card declined")
			}
			for range during {
				if i >= 300 && i < 400 {
					f.says(sec(float64(i)), inquest.LevelError, text)
				}
			}
		}
		return build(f)
	}
	if c := service(0, ""); c.Incident {
		t.Error("an error now and then is no incident")
	}
	if c := service(2, "cache read failed, asking the database: no server available"); c.Incident {
		t.Error("errors that do not say that a request failed are no incident: most services answer well behind them")
	}
	c := service(2, "request failed: no answer from pay")
	if !c.Incident || c.Onset.Sub(sec(300)).Abs() > 2*time.Second {
		t.Errorf("two errors a second: incident %v since %s", c.Incident, c.Onset)
	}
	if c.Layers[inquest.LayerResponse] {
		t.Error("what clients got is not known")
	}
}

// A gateway that tells 429 for its upstream's 500 spares the client a lie; the upstream called it a failure of its own.
func TestA429MadeOfTheUpstreams500HasFailed(t *testing.T) {
	field := func(name, value string) option { return func(r *parse.Record) { r.Add(name, value) } }
	quoting := []option{via("10.0.0.1:8080", "500"), field("error", "rate limit exceeded"), field(parse.ErrorBy, "upstream"), field("upstream_name", "shop")}
	one := func(r *parse.Record) { r.ClientAddr = "198.51.100.7" }
	for name, c := range map[string]struct {
		from, to float64 // when it answers so
		route    string
		opts     []option
		well     float64 // requests a second of the same route that go well meanwhile
		want     int     // failed requests; 0: no incident
	}{
		"after a healthy stretch":         {603, 900, "GET /pay", quoting, 0, 297},
		"from the first line":             {0, 1200, "GET /pay", quoting, 0, 1200},
		"one client of many":              {603, 900, "GET /pay", append(slices.Clone(quoting), one), 2, 0},
		"one client, and nobody else":     {603, 900, "GET /pay", append(slices.Clone(quoting), one), 0, 297},
		"the upstream's own 429":          {603, 900, "GET /pay", []option{via("10.0.0.1:8080", "429")}, 0, 0},
		"the gateway's own limit":         {603, 900, "GET /pay", nil, 0, 0},
		"the upstream's own 429, for all": {0, 1200, "GET /pay", []option{via("10.0.0.1:8080", "429")}, 0, 0},
	} {
		gw := gateway()
		if c.from > 0 {
			gw.traffic(0, 1200, 10)
			gw.failing(0, c.from, 1, c.route, 200)
		}
		gw.failing(c.from, c.to, 1, c.route, 429, c.opts...)
		if c.well > 0 {
			gw.failing(c.from, c.to, c.well, c.route, 200)
		}
		got := build(gw)
		if got.Incident != (c.want > 0) || got.Impact.Failed != c.want {
			t.Errorf("%s: incident %v, %d failed, want %d; %+v", name, got.Incident, got.Impact.Failed, c.want, got.Groups)
			continue
		}
		if c.want == 0 {
			continue
		}
		p := pattern(got, "rate limit exceeded")
		if p == nil || p.Service != "shop" || p.Origin != inquest.KindApp || p.During == 0 {
			t.Errorf("%s: the words are the upstream's: %+v", name, p)
		}
		failed := 0
		for _, n := range got.Chart.Failed {
			failed += n
		}
		if failed != c.want || len(got.Failures) == 0 || got.Groups[0].Status != 429 {
			t.Errorf("%s: the chart shows %d, %d failures with their detail, groups %+v", name, failed, len(got.Failures), got.Groups)
		}
	}
}

// Where every request has a route of its own (a code in the path), the few routes that were asked twice are not where it fails.
func TestAStatusIsToldWhereMostOfItsFailuresAre(t *testing.T) {
	spread := func(alone, together int) *inquest.Case {
		gw := gateway()
		gw.traffic(0, 600, 10)
		for i := range alone {
			gw.asked(sec(300+float64(i)), fmt.Sprintf("POST /codes/%c%c/use", 'a'+i/26, 'a'+i%26), 500)
		}
		gw.failing(300, 300+float64(together), 1, "POST /orders", 500)
		return build(gw)
	}
	for want, c := range map[string]*inquest.Case{"": spread(60, 12), "POST /orders": spread(12, 60)} {
		if len(c.Groups) != 1 || c.Groups[0].Route != want {
			t.Errorf("want the failures told of route %q once, got %+v", want, c.Groups)
		}
	}
	if c := spread(60, 12); c.Impact.Failed != 72 {
		t.Errorf("%d failed, want all 72", c.Impact.Failed)
	}
}

func TestAProxysErrorLogAloneTellsWhoIsHitAndHowOften(t *testing.T) {
	field := func(name, value string) option { return func(r *parse.Record) { r.Add(name, value) } }
	app := &file{name: "cart.log", format: "pino"}
	app.traffic(0, 600, 10)
	proxy := &file{name: "gateway-error.log", format: "nginx-error"}
	for i := range 290 {
		proxy.says(sec(305+float64(i)), inquest.LevelError, `connect() failed (111: Connection refused) while connecting to upstream`,
			func(r *parse.Record) { r.Method, r.URL = "POST", "/pay" }, via("http://pay:8080/pay", ""), field("server", "shop"))
	}
	pay := &file{name: "pay.log", format: "pino"}
	pay.says(sec(1), inquest.LevelInfo, "listening")
	c := build(app, proxy, pay)
	if !c.Incident || !slices.Contains(c.Impact.Services, "pay") {
		t.Errorf("incident %v, hit: %v, want pay among them", c.Incident, c.Impact.Services)
	}
	if c.Impact.Failed < 280 || c.Impact.Requests < c.Impact.Failed {
		t.Errorf("%d of %d requests failed", c.Impact.Failed, c.Impact.Requests)
	}
}

// Caddy by default writes why a request failed and that it was answered into the same file.
func TestWhatAProxySaysOfARequestIsNoSecondRequest(t *testing.T) {
	errors := func(gw *file) {
		for i := range 100 {
			gw.says(sec(300+float64(i)/2), inquest.LevelError, "no upstreams available", func(r *parse.Record) { r.Method, r.URL, r.Status = "GET", "/cart", 503 })
		}
	}
	both := &file{name: "caddy.log", format: "caddy"}
	both.traffic(0, 600, 10)
	both.failing(300, 350, 2, "GET /cart", 503)
	errors(both)
	if c := build(both); c.Impact.Failed != 100 {
		t.Errorf("%d failed, want 100", c.Impact.Failed)
	}
	alone := &file{name: "caddy.log", format: "caddy"}
	app := &file{name: "cart.log", format: "pino"}
	app.traffic(0, 600, 10)
	errors(alone)
	if c := build(alone, app); !c.Incident || len(c.Groups) == 0 || c.Groups[0].Status != 503 {
		t.Errorf("the error log alone: incident %v, %+v", c.Incident, c.Groups)
	}
}

// A route of ten seconds that was asked for once a minute, and then twice a second, keeps twenty workers busy: the quick routes wait.
func TestTheRouteThatCameToAskForMostOfTheWork(t *testing.T) {
	world := func(every, from float64, rate, general float64) *inquest.Case {
		gw := gateway()
		gw.traffic(0, 900, 10)
		gw.failing(0, 580, 1/every, "GET /export", 200, took(10))
		gw.failing(from-15, from, rate, "GET /export", 200, took(10)) // the first of them still found a worker
		gw.failing(from, 700, rate, "GET /export", 504, took(10))
		gw.failing(610, 700, 3, "GET /cart", 504, took(10))
		if general > 0 {
			gw.traffic(590, 700, general)
		}
		return build(gw)
	}
	c := world(60, 596, 2, 0)
	w := c.Traffic.Heaviest
	if w == nil || w.Route != "GET /export" {
		t.Fatalf("heaviest %+v; %+v", w, c.Groups)
	}
	if w.Mean < 9.9 || w.Mean > 10.1 || w.Before > 0.3 || w.During < 5 || w.During > 25 || w.All > 1 {
		t.Errorf("work %+v", w)
	}
	for name, c := range map[string]*inquest.Case{
		"as often as ever":        world(60, 596, 1.0/60, 0),
		"all routes rose with it": world(2, 596, 4, 100),
		"a quick one is asked for more often": func() *inquest.Case {
			gw := gateway()
			gw.traffic(0, 900, 10)
			gw.failing(600, 700, 30, "GET /cart", 503)
			return build(gw)
		}(),
		"its rise is no part of what began the rest": world(60, 660, 2, 0),
		"they are tried again once they fail": func() *inquest.Case {
			gw := gateway()
			gw.traffic(0, 900, 10)
			gw.failing(0, 600, 1.0/60, "GET /export", 200, took(10))
			gw.failing(600, 700, 4, "GET /export", 504, took(1))
			return build(gw)
		}(),
	} {
		if c.Traffic.Heaviest != nil {
			t.Errorf("%s: %+v", name, c.Traffic.Heaviest)
		}
	}
}

// Three requests before say little of a route; that it fails with the others, as they do, says enough.
func TestARouteThatHardlyAnybodyAskedForBeforeFailsWithTheOthers(t *testing.T) {
	world := func(status int, from, to float64) *inquest.Case {
		gw := gateway()
		gw.traffic(0, 900, 10)
		gw.failing(600, 700, 5, "GET /cart", 504)
		for _, at := range []float64{100, 300, 500} {
			gw.asked(sec(at), "GET /export", 200)
		}
		gw.failing(from, to, 0.3, "GET /export", status)
		return build(gw)
	}
	with := world(504, 595, 700)
	if len(with.Groups) != 2 || with.Impact.Failed < 525 {
		t.Errorf("%d failed, in %+v; want those of GET /export too", with.Impact.Failed, with.Groups)
	}
	if with.Onset.Sub(sec(595)).Abs() > time.Second {
		t.Errorf("since %s, want when the first of them failed", with.Onset)
	}
	for name, c := range map[string]*inquest.Case{"with another status": world(500, 595, 700), "minutes before": world(504, 450, 500)} {
		for _, g := range c.Groups {
			if g.Route == "GET /export" {
				t.Errorf("%s: %+v", name, g)
			}
		}
	}
}
