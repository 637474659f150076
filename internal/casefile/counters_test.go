package casefile_test

import (
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// counts adds a request counter that is scraped every 5 s from sec(a) to sec(b) and grows by so many at each scrape; value is what
// it shows at first.
func (f *file) counts(a, b, value, by float64, status string) {
	s := &inquest.Series{Name: "http_requests_total", Labels: map[string]string{"job": "cart", "instance": "cart:8000", "route": "/cart", "method": "GET", "status": status}}
	for t := a; t < b; t += 5 {
		s.Samples = append(s.Samples, inquest.Sample{Time: sec(t), Value: value})
		value += by
	}
	f.signals = append(f.signals, parse.Signal{Series: s})
}

func TestFailuresAreFoundWhereOnlyCountersOrErrorsTellOfThem(t *testing.T) {
	scrapes := func() *file { return &file{name: "metrics.om", format: "openmetrics"} }
	errors := func(from, to int) *file {
		f := &file{name: "cart.log", format: "pino"}
		for i := range to {
			f.says(sec(float64(i)), inquest.LevelInfo, "stock of basket checked")
			if i >= from {
				f.says(sec(float64(i)), inquest.LevelError, "request failed: no answer from pay")
			}
		}
		return f
	}
	born, cut, hung, front := scrapes(), scrapes(), scrapes(), scrapes()
	born.counts(0, 400, 1000, 50, "200")
	born.counts(395, 400, 40, 0, "500") // all that the last scrape before it hung has of them
	cut.counts(5, 600, 1000, 50, "200") // the file begins in the middle of a scrape
	cut.counts(0, 600, 900, 0, "500")
	hung.counts(0, 300, 1000, 50, "200")
	front.counts(0, 600, 1000, 50, "200")
	front.counts(0, 305, 7, 0, "503")
	front.counts(305, 600, 57, 30, "503")
	dies := &file{name: "cart.log", format: "pino"}
	for i := range 300 {
		dies.asked(sec(float64(i)), "GET /cart", 200)
	}
	for _, c := range []struct {
		name  string
		files []*file
		onset float64 // below 0: no incident
	}{
		{"a counter that is born with the first failures", []*file{born}, 395},
		{"a counter that was there before the file", []*file{cut}, -1},
		{"errors after the last scrape of a process that hangs", []*file{hung, errors(300, 420)}, 300},
		{"a process that dies and logs no answer, and who counts in front of it", []*file{dies, front}, 305},
		{"a process that logs answers, and counters that show no failure", []*file{dies, hung}, -1},
	} {
		got := build(c.files...)
		if got.Incident != (c.onset >= 0) {
			t.Errorf("%s: incident %v", c.name, got.Incident)
			continue
		}
		if c.onset >= 0 && got.Onset.Sub(sec(c.onset)).Abs() > 6*time.Second {
			t.Errorf("%s: since %s, want %s", c.name, got.Onset, sec(c.onset))
		}
	}
}

func TestFailuresThatCountersAndErrorsTellAreCountedOnce(t *testing.T) {
	f, log := &file{name: "metrics.om", format: "openmetrics"}, &file{name: "cart.log", format: "pino"}
	f.counts(0, 600, 1000, 50, "200")
	f.counts(0, 300, 3, 0, "500")
	f.counts(300, 600, 23, 20, "500")
	for i := range 600 {
		log.says(sec(float64(i)), inquest.LevelInfo, "stock of basket checked")
		for range 4 {
			if i >= 300 {
				log.says(sec(float64(i)), inquest.LevelError, "request failed: no answer from pay")
			}
		}
	}
	c := build(f, log)
	if c.Impact.Failed < 1100 || c.Impact.Failed > 1250 {
		t.Errorf("%d failures, %+v; the counter says 1200", c.Impact.Failed, c.Impact.Routes)
	}
}
