package detect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// told remembers what a detector told, and refuses it when it is made to.
type told struct {
	mu     sync.Mutex
	alerts []inquest.Alert
	refuse error
}

func (r *told) Alerts(_ context.Context, alerts []inquest.Alert) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return r.refuse
	}
	r.alerts = append(r.alerts, alerts...)
	return nil
}

// take returns what was told since the last call, one line an alert.
func (r *told) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, a := range r.alerts {
		line := fmt.Sprintf("%s%s %s since %s", a.Rule, inquest.LabelText(a.Labels), a.State, a.Since.Format("15:04:05"))
		if !a.Fired.IsZero() {
			line += " fired " + a.Fired.Format("15:04:05")
		}
		if !a.Resolved.IsZero() {
			line += " resolved " + a.Resolved.Format("15:04:05")
		}
		lines = append(lines, line)
	}
	r.alerts = nil
	return strings.Join(lines, "\n")
}

// world is a detector on a clock of the test's.
type world struct {
	t     *testing.T
	db    *tsdb.DB
	rules []detect.Group
	told  *told
	d     *detect.Detector
	now   time.Time
}

func newWorld(t *testing.T, rules string) *world {
	t.Helper()
	w := &world{t: t, db: open(t), told: &told{}, now: noon, rules: parse(t, "rules.yml", rules)}
	w.restart()
	return w
}

func (w *world) restart() {
	w.t.Helper()
	d, err := detect.New(detect.Config{Groups: w.rules, Query: w.db, Append: w.db, Receiver: w.told, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.d = d
}

// look lets time pass, sets the metric up, and evaluates.
func (w *world) look(after time.Duration, up float64) error {
	w.t.Helper()
	w.now = w.now.Add(after)
	w.put("up", map[string]string{"service": "checkout"}, up)
	return w.d.Eval(w.t.Context(), w.now)
}

func (w *world) put(name string, labels map[string]string, v float64) {
	w.t.Helper()
	if err := w.db.Append(w.t.Context(), []inquest.Series{{Name: name, Labels: labels, Samples: []inquest.Sample{{Time: w.now, Value: v}}}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(what, lines string) {
	w.t.Helper()
	if diff := cmp.Diff(lines, w.told.take()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (w *world) step(after time.Duration, up float64, want string) {
	w.t.Helper()
	if err := w.look(after, up); err != nil {
		w.t.Error(err)
	}
	w.want(w.now.Format("15:04:05"), want)
}

const down = "groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}]}]"

func TestAnAlertsLife(t *testing.T) {
	w := newWorld(t, down)
	const name = `Down{service="checkout", severity="page"}`
	w.step(0, 1, "")
	w.step(time.Minute, 0, name+" pending since 12:01:00")
	w.step(time.Minute, 0, "")
	w.step(time.Minute, 0, name+" firing since 12:01:00 fired 12:03:00")
	w.step(30*time.Second, 0, "")
	w.step(30*time.Second, 0, name+" firing since 12:01:00 fired 12:03:00") // told again, once a minute
	w.step(30*time.Second, 1, name+" resolved since 12:01:00 fired 12:03:00 resolved 12:04:30")
	w.step(time.Minute, 1, "")
	w.step(time.Minute, 0, name+" pending since 12:06:30")
	w.step(time.Minute, 1, "") // what never fired needs no end
	a := w.d.Alerts()
	if len(a) != 0 {
		t.Errorf("left: %v", a)
	}
}

func TestWhatWasNotTakenComesAgain(t *testing.T) {
	w := newWorld(t, strings.Replace(down, "for: 2m, ", "", 1))
	const name = `Down{service="checkout", severity="page"}`
	w.told.refuse = errors.New("the desk is closed")
	if err := w.look(0, 0); err == nil || !strings.Contains(err.Error(), "1 alerts of group \"g\" were not taken: the desk is closed") {
		t.Errorf("got %v", err)
	}
	w.want("refused", "")
	w.told.refuse = nil
	w.step(15*time.Second, 0, name+" firing since 12:00:00 fired 12:00:00")
	w.told.refuse = errors.New("the desk is closed")
	_ = w.look(15*time.Second, 1)
	w.told.refuse = nil
	w.step(15*time.Second, 1, name+" resolved since 12:00:00 fired 12:00:00 resolved 12:00:30")
	w.step(15*time.Second, 1, "")
}

func TestARestartForgetsNothing(t *testing.T) {
	const name = `Down{service="checkout", severity="page"}`
	t.Run("pending goes on where it was, without the time when nobody looked", func(t *testing.T) {
		w := newWorld(t, down)
		w.step(0, 0, name+" pending since 12:00:00")
		w.step(time.Minute, 0, "")
		w.restart()
		w.step(10*time.Minute, 0, name+" pending since 12:10:00")
		w.step(time.Minute, 0, name+" firing since 12:10:00 fired 12:12:00")
	})
	t.Run("firing goes on", func(t *testing.T) {
		w := newWorld(t, down)
		w.step(0, 0, name+" pending since 12:00:00")
		w.step(2*time.Minute, 0, name+" firing since 12:00:00 fired 12:02:00")
		w.restart()
		w.step(10*time.Minute, 0, name+" firing since 12:00:00 fired 12:02:00")
		w.step(15*time.Second, 1, name+" resolved since 12:00:00 fired 12:02:00 resolved 12:12:15")
	})
	t.Run("firing ended in between", func(t *testing.T) {
		w := newWorld(t, down)
		w.step(0, 0, name+" pending since 12:00:00")
		w.step(2*time.Minute, 0, name+" firing since 12:00:00 fired 12:02:00")
		w.restart()
		w.step(10*time.Minute, 1, name+" resolved since 12:00:00 fired 12:02:00 resolved 12:12:00")
		if got, err := w.db.Instant(t.Context(), "ALERTS", w.now); err != nil || len(got) > 0 {
			t.Errorf("its series is not marked as ended: %v (%v)", got, err)
		}
	})
	t.Run("what had ended before is over", func(t *testing.T) {
		w := newWorld(t, down)
		w.step(0, 0, name+" pending since 12:00:00")
		w.step(2*time.Minute, 0, name+" firing since 12:00:00 fired 12:02:00")
		w.step(15*time.Second, 1, name+" resolved since 12:00:00 fired 12:02:00 resolved 12:02:15")
		w.restart()
		w.step(time.Minute, 1, "")
		w.restart()
		w.step(time.Minute, 0, name+" pending since 12:04:15")
	})
	t.Run("longer ago than an hour is another time", func(t *testing.T) {
		w := newWorld(t, down)
		w.step(0, 0, name+" pending since 12:00:00")
		w.restart()
		w.step(2*time.Hour, 0, name+" pending since 14:00:00")
	})
	t.Run("two rules of one name", func(t *testing.T) {
		w := newWorld(t, "groups: [{name: g, rules: [{alert: Down, expr: up == 0, labels: {severity: page}}, {alert: Down, expr: up == 2, labels: {severity: ticket}}]}]")
		w.step(0, 0, name+" firing since 12:00:00 fired 12:00:00")
		w.restart()
		w.step(time.Minute, 0, name+" firing since 12:00:00 fired 12:00:00")
		if n := len(w.d.Alerts()); n != 1 {
			t.Errorf("%d alerts, want 1", n)
		}
	})
}

func TestARuleThatFailsDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t, `groups: [{name: g, limit: 1, rules: [
  {record: a, expr: up * on (service) group_left () up2},
  {alert: Twice, expr: up3, labels: {n: ''}},
  {alert: Many, expr: up4},
  {record: many, expr: up4},
  {alert: Down, expr: up == 0}]}]`)
	for _, n := range []string{"1", "2"} {
		w.put("up2", map[string]string{"service": "checkout", "n": n}, 1)
		w.put("up3", map[string]string{"n": n}, 1)
		w.put("up4", map[string]string{"n": n}, 1)
	}
	err := w.look(0, 0)
	for _, want := range []string{`rule "a" of group "g"`, "same labels", `2 alerts, the group's limit is 1`, `2 series, the group's limit is 1`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v has no %q", err, want)
		}
	}
	w.want("the last rule", `Down{service="checkout"} firing since 12:00:00 fired 12:00:00`)
	status := w.d.Status()
	if len(status) != 5 || status[0].Error == "" || status[4].Error != "" || status[4].Firing != 1 || status[4].Pending != 0 || !status[4].Last.Equal(noon) || status[0].Alert {
		t.Errorf("status %+v", status)
	}
	for _, n := range []string{"1", "2"} { // and when what was wrong is gone, so is the error
		w.put("up2", map[string]string{"service": "checkout", "n": n}, 1)
	}
}

func TestATemplateThatFailsSaysSoInItsPlace(t *testing.T) {
	w := newWorld(t, `groups: [{name: g, rules: [{alert: Down, expr: up == 0, annotations: {summary: '{{ query "sum(" | first | value }}', plain: 'as it is'}}]}]`)
	if err := w.look(0, 0); err != nil {
		t.Fatal(err)
	}
	a := w.told.alerts
	if len(a) != 1 || !strings.Contains(a[0].Annotations["summary"], "error expanding template") || a[0].Annotations["plain"] != "as it is" || a[0].Source != "rules" {
		t.Errorf("got %+v", a)
	}
}

func TestAClockThatGoesBackIsWaitedFor(t *testing.T) {
	w := newWorld(t, down)
	const name = `Down{service="checkout", severity="page"}`
	w.step(0, 0, name+" pending since 12:00:00")
	w.now = noon.Add(-time.Minute)
	if err := w.d.Eval(t.Context(), w.now); err != nil {
		t.Error(err)
	}
	w.want("a minute back", "")
	w.now = noon
	w.step(2*time.Minute, 0, name+" firing since 12:00:00 fired 12:02:00")
}

func TestAClockThatGoesFarBackIsFollowed(t *testing.T) {
	w := newWorld(t, down)
	var err error
	if w.db, err = tsdb.Open(tsdb.Config{Dir: t.TempDir(), Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.db.Close() }()
	w.restart()
	const name = `Down{service="checkout", severity="page"}`
	w.step(0, 0, name+" pending since 12:00:00")
	w.now = noon.Add(-time.Hour)
	w.step(0, 0, "") // it is pending already
	w.step(2*time.Minute, 0, name+" firing since 11:00:00 fired 11:02:00")
}

func TestGroupsAreDueAtTheirOwnIntervals(t *testing.T) {
	w := newWorld(t, "groups: [{name: often, interval: 5s, rules: [{record: a, expr: vector(1)}]}, {name: seldom, interval: 1m, rules: [{record: b, expr: vector(1)}]}]")
	for range 24 {
		w.now = w.now.Add(5 * time.Second)
		if err := w.d.EvalDue(t.Context(), w.now); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]float64{"count_over_time(a[10m])": 24, "count_over_time(b[10m])": 2} {
		got, err := w.db.Instant(t.Context(), query, w.now)
		if err != nil || len(got) != 1 || got[0].Samples[0].Value != want {
			t.Errorf("%s is %v (%v), want %v", query, got, err, want)
		}
	}
}

func TestRunEvaluatesUntilItIsTold(t *testing.T) {
	r := &told{}
	db := open(t)
	d, err := detect.New(detect.Config{Groups: parse(t, "r.yml", "groups: [{name: g, interval: 10ms, rules: [{alert: Always, expr: vector(1)}]}]"), Query: db, Append: db, Receiver: r})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); r.take() == ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was told")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNewWantsAStoreAndGroupsThatDiffer(t *testing.T) {
	db := open(t)
	groups := parse(t, "r.yml", down)
	for name, c := range map[string]struct {
		cfg  detect.Config
		want string
	}{
		"no store":          {detect.Config{Groups: groups}, "metrics store"},
		"nowhere to record": {detect.Config{Groups: groups, Query: db}, "metrics store"},
		"one group twice":   {detect.Config{Groups: append(groups, groups...), Query: db, Append: db}, "there twice"},
		"no address":        {detect.Config{Query: db, Append: db, URL: "http://a b"}, "address"},
	} {
		if _, err := detect.New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

// latency fills a store with days of requests of which all took as long as usual, and the last minutes with others. All durations
// fall into one bucket that starts at zero, so that the quantile is 0.99 of its bound.
func latency(t *testing.T, days int, perMinute, now float64) string {
	t.Helper()
	w := newWorld(t, string(load(t, "rules/latency.yml")))
	counts := map[string]float64{}
	at := func(le string, when time.Time, n float64) {
		w.now = when
		counts[le] += n
		counts["+Inf"] += n
		var series []inquest.Series
		for _, b := range []string{"0.1", fmt.Sprint(now), "+Inf"} {
			v := counts[b]
			if b == fmt.Sprint(now) {
				v += counts["0.1"]
			}
			series = append(series, inquest.Series{Name: "inquest_request_duration_seconds_bucket", Labels: map[string]string{"service": "checkout", "le": b}, Samples: []inquest.Sample{{Time: when, Value: v}}})
		}
		series = append(series, inquest.Series{Name: "inquest_request_duration_seconds_count", Labels: map[string]string{"service": "checkout"}, Samples: []inquest.Sample{{Time: when, Value: counts["+Inf"]}}})
		if err := w.db.Append(t.Context(), series); err != nil {
			t.Fatal(err)
		}
	}
	for d := days; d > 0; d-- {
		for m := -40; m <= 40; m++ {
			at("0.1", noon.AddDate(0, 0, -d).Add(time.Duration(m)*time.Minute), perMinute)
		}
	}
	for m := -10; m <= 0; m++ {
		at(fmt.Sprint(now), noon.Add(time.Duration(m)*time.Minute), perMinute)
	}
	for _, after := range []time.Duration{0, 30 * time.Second, time.Minute} {
		if err := w.d.Eval(t.Context(), noon.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for _, a := range w.d.Alerts() {
		out = append(out, fmt.Sprintf("%s %s %s: %s", a.Rule, a.State, a.Labels["severity"], a.Annotations["description"]))
	}
	return strings.Join(out, "\n")
}

func TestSlowIsWhatIsSlowAtThisHour(t *testing.T) {
	const fires = "SlowerThanUsual firing chat: Normal is the median of the same hour on the last 7 days: 99ms."
	for name, c := range map[string]struct {
		days           int
		perMinute, now float64
		want           string
	}{
		"5.1 times":               {7, 60, 0.51, fires},
		"4.9 times":               {7, 60, 0.49, ""},
		"three days are enough":   {3, 60, 0.51, fires},
		"two days are no normal":  {2, 60, 0.51, ""},
		"few requests prove none": {7, 1, 0.51, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := latency(t, c.days, c.perMinute, c.now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
