package replay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/replay"
)

var midnight = time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)

// day writes the access log of a shop: traffic that follows the day (a tenth at night), one background 5xx in 2,000 requests, scanners
// that meet hundreds of 404 in a minute, deploys every three hours during which one of four instances refuses for four seconds, slow
// spells, and in the outage, if there is one, four of ten orders answered 500.
type day struct {
	hours  float64
	seed   uint64
	outage inquest.Window
	peak   float64 // requests a second at noon
}

func (d day) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(d.seed, 9))
	routes := []string{"GET /products", "GET /products/%d", "GET /cart", "POST /orders"}
	line := func(at time.Time, request string, status int, took float64) {
		fmt.Fprintf(w, "10.1.%d.%d - - [%s] \"%s HTTP/1.1\" %d %d \"-\" \"Mozilla/5.0\" rt=%.3f\n", r.IntN(4), 1+r.IntN(250), at.Format("02/Jan/2006:15:04:05 -0700"), request, status, 200+r.IntN(900), took)
	}
	for s := range int(d.hours * 3600) {
		at := midnight.Add(time.Duration(s) * time.Second)
		curve := 0.1 + 0.9*math.Pow(math.Sin(math.Pi*float64(s)/86400), 2)
		for range poisson(r, d.peak*curve) {
			request := routes[r.IntN(4)]
			if strings.Contains(request, "%d") {
				request = fmt.Sprintf(request, 1+r.IntN(900))
			}
			took := 0.02 + 0.05*r.ExpFloat64()
			if s%7200 < 120 {
				took *= 3 // a slow spell
			}
			status := 200
			switch {
			case d.outage.Contains(at) && request == "POST /orders" && r.IntN(10) < 4, r.IntN(2000) == 0:
				status = 500
			case s%10800 < 4 && s > 0 && r.IntN(4) == 0:
				status = 502
			case r.IntN(60) == 0:
				status = 404
			}
			line(at, request, status, took)
		}
		if s%5000 < 60 && s > 5000 {
			for range 5 {
				line(at, fmt.Sprintf("GET /wp-admin/%x.php", r.Uint32()), 404, 0.001)
			}
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func poisson(r *rand.Rand, mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for {
		if p *= r.Float64(); p <= limit {
			return n
		}
		n++
	}
}

func run(t *testing.T, dir string, change func(*replay.Config)) (*replay.Result, *flow.Outcome) {
	t.Helper()
	found, err := flow.Investigate(t.Context(), dir, flow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	groups, err := detect.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	cfg := replay.Config{Path: dir, Groups: groups, Critical: []string{found.Case.Observer}, Reports: found.Reports, Found: found.Diagnosis}
	if change != nil {
		change(&cfg)
	}
	res, err := replay.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return res, found
}

func told(r *replay.Result) string {
	var lines []string
	for _, a := range r.Alerts {
		lines = append(lines, fmt.Sprintf("%s %s at %s for %s: %s", a.Rule, inquest.LabelText(a.Labels), a.Fired.Format("15:04:05"), a.Lasted, a.Judgement))
	}
	return strings.Join(lines, "\n")
}

// Acceptance C3: nobody is woken by a healthy day.
func TestAHealthyDayWakesNobody(t *testing.T) {
	d := day{hours: 24, peak: 6}
	seeds := []uint64{1}
	if testing.Short() {
		d.hours = 3 // the hours of few requests, and a deploy
	}
	for _, d.seed = range seeds {
		r, _ := run(t, d.write(t), nil)
		for _, a := range r.Alerts {
			if u := a.Urgency(); u != inquest.UrgencyTicket {
				t.Errorf("seed %d: told %s of\n%s", d.seed, u, told(r))
				break
			}
		}
		if r.Records < int(d.hours*1000) || len(r.Failing) > 0 || r.Rules < 30 {
			t.Errorf("seed %d: the replay saw too little: %d records, %d rules, failing %q", d.seed, r.Records, r.Rules, r.Failing)
		}
	}
}

func TestAnOutageIsToldSoonAndRightly(t *testing.T) {
	start := midnight.Add(100 * time.Minute)
	dir := day{hours: 3, peak: 20, seed: 5, outage: inquest.Window{From: start, To: start.Add(20 * time.Minute)}}.write(t)
	r, found := run(t, dir, nil)
	if !r.Incident || !r.Onset.Equal(found.Diagnosis.Onset) {
		t.Fatalf("onset %s, the investigation says %s", r.Onset, found.Diagnosis.Onset)
	}
	if r.By != "CriticalServiceFailing" || r.Detected < 0 || r.Detected > 2*time.Minute || len(r.Wrong) > 0 {
		t.Errorf("told by %q after %s, wrong %v\n%s", r.By, r.Detected, r.Wrong, told(r))
	}
	for _, a := range r.Alerts {
		if a.Rule == "CriticalServiceFailing" && (a.Lasted < 20*time.Minute || a.Lasted > 28*time.Minute || a.Judgement != replay.Right || a.Resolved.IsZero()) {
			t.Errorf("an outage of 20 minutes is seen for %s: %s, resolved %s", a.Lasted, a.Judgement, a.Resolved)
		}
	}

	t.Run("a service that is not critical", func(t *testing.T) {
		r, _ := run(t, dir, func(c *replay.Config) { c.Critical = nil })
		if r.By != "ServiceFailing" || len(r.Wrong) > 0 {
			t.Errorf("told by %q\n%s", r.By, told(r))
		}
	})
	t.Run("a rule that is silent misses it", func(t *testing.T) {
		r, _ := run(t, dir, func(c *replay.Config) {
			c.Groups = rules(t, "groups: [{name: g, rules: [{alert: Never, expr: inquest_requests_total < 0}]}]")
		})
		if r.Detected >= 0 || r.By != "" || len(r.Alerts) > 0 {
			t.Errorf("%s", told(r))
		}
	})
	t.Run("a rule that is never silent is wrong", func(t *testing.T) {
		r, _ := run(t, dir, func(c *replay.Config) {
			c.Groups = rules(t, "groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {severity: page}}, {alert: Bad, expr: 'inquest_requests_total * on () group_left () inquest_requests_total'}]}]")
		})
		if diff := cmp.Diff(map[inquest.AlertUrgency]int{inquest.UrgencyPage: 1}, r.Wrong); diff != "" || r.Detected >= 0 {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if len(r.Failing) != 1 || !strings.HasPrefix(r.Failing[0], "Bad: ") {
			t.Errorf("failing: %q", r.Failing)
		}
		if len(r.Alerts) != 1 || r.Alerts[0].Lasted < 2*time.Hour {
			t.Errorf("%s", told(r))
		}
	})
}

func rules(t *testing.T, content string) []detect.Group {
	t.Helper()
	g, err := detect.Parse("r.yml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestMetricsInTheFolderAreReplayedToo(t *testing.T) {
	dir := day{hours: 0.5, peak: 20, seed: 5}.write(t)
	var b strings.Builder
	for m := range 30 {
		at := midnight.Add(time.Duration(m) * time.Minute).UnixMilli()
		used := 5
		if m >= 10 {
			used = 20
		}
		fmt.Fprintf(&b, "hikaricp_connections_max{service=\"checkout\"} 20 %d\nhikaricp_connections_active{service=\"checkout\"} %d %d\n", at, used, at)
	}
	if err := os.WriteFile(filepath.Join(dir, "metrics.prom"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := run(t, dir, nil)
	if got := told(r); !strings.Contains(got, "PoolFull") || !strings.Contains(got, "at 00:11:") {
		t.Errorf("told:\n%s\n%v", got, r.Failing)
	}
}

func TestNothingToReplay(t *testing.T) {
	dir := day{hours: 0.1, peak: 5, seed: 1}.write(t)
	for name, c := range map[string]struct {
		cfg  replay.Config
		want string
	}{
		"no rules":   {replay.Config{Path: dir}, "no rules"},
		"no folder":  {replay.Config{Path: dir + "/x", Groups: rules(t, "groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]")}, "no such file"},
		"no records": {replay.Config{Path: dir, Groups: rules(t, "groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]")}, "no records with a time"},
	} {
		if _, err := replay.Run(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
	found, err := flow.Investigate(t.Context(), dir, flow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := replay.Run(ctx, replay.Config{Path: dir, Groups: rules(t, "groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]"), Reports: found.Reports}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
