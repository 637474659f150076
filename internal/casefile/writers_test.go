package casefile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

func TestAFileWithoutANameIsNamedByWhatItAndTheOthersSay(t *testing.T) {
	monitored := mem.Clues{Known: []map[string]string{{"job": "shipping", "instance": "shipping-1:8091"}, {"job": "auth", "instance": "10.0.0.5:9000"}, {"job": "redis", "instance": "cache-1:9121"}}}
	loggers := func(names ...string) mem.Clues { return mem.Clues{Loggers: names} }
	lines := func(all map[string]uint64) mem.Clues { return mem.Clues{Lines: all} }
	for name, c := range map[string]struct {
		file string
		clue mem.Clues
		want string
	}{
		"its loggers are called like a service that is monitored": {"3.log", loggers("com.shop.shipping.Labels", "org.eclipse.jetty"), "shipping"},
		"one word is a logger's name too":                         {"app.log", loggers("auth"), "auth"},
		"a part of a word is not":                                 {"3.log", loggers("com.shop.author.Books"), "app"},
		"two services are in its loggers":                         {"3.log", loggers("auth.client", "shipping"), "app"},
		"the logger of a client does not make it a cache":         {"3.log", loggers("redis"), "app"},
		"the name of the file is better":                          {"billing.log", loggers("auth"), "billing"},
		"its other lines say who they are from":                   {"3.log", mem.Clues{Itself: []string{"cart"}, Loggers: []string{"auth"}}, "cart"},
		"its other lines are from several":                        {"3.log", mem.Clues{Itself: []string{"cart", "pay"}}, "app"},
		"supervisord":                                             {"3.log", lines(map[string]uint64{"spawned: '<*>' with pid <*>": 4, "exited: <*> (exit status <*>; not expected)": 2, "success: <*> entered RUNNING state": 4, "hello": 3}), "supervisor"},
		"a program that starts another one now and then":          {"3.log", lines(map[string]uint64{"worker exited with code <*>": 2, "GET <*>": 40}), "app"},
		"a single line about a process":                           {"3.log", lines(map[string]uint64{"process exited": 1}), "app"},
		"a framework's default name is nobody's":                  {"laravel.log", mem.Clues{}, "app"},
		"its own code lies in a folder called like a service":     {"laravel.log", mem.Clues{Frames: []string{"/srv/auth/releases/v118/src/Database.php"}}, "auth"},
		"code in folders of two services":                         {"laravel.log", mem.Clues{Frames: []string{"/srv/auth/x.php", "/srv/shipping/y.php"}}, "app"},
		"nothing at all":                                          {"3.log", mem.Clues{}, "app"},
	} {
		t.Run(name, func(t *testing.T) {
			reports := []parse.FileReport{{File: "metrics.om", Format: "openmetrics"}, {File: c.file, Format: "logger-text"}}
			got := casefile.Writers(reports, []mem.Clues{monitored, c.clue})
			if got[1] != c.want {
				t.Errorf("%q, want %q", got[1], c.want)
			}
		})
	}
	// Two files may be of one service, and none of one that has a log of its own.
	reports := []parse.FileReport{{File: "metrics.om", Format: "openmetrics"}, {File: "1.log", Format: "logger-text"}, {File: "2.log", Format: "logger-text"}, {File: "auth.log", Format: "logger-text"}, {File: "4.log", Format: "logger-text"}}
	got := casefile.Writers(reports, []mem.Clues{monitored, loggers("shipping"), loggers("a.shipping.B"), {}, loggers("auth")})
	if want := []string{"shipping", "shipping", "auth", "app"}; !cmp.Equal(got[1:], want) {
		t.Errorf("got %q, want %q", got[1:], want)
	}
}

func TestTheOnlyLogAndTheOnlyMonitoredApplicationAreOne(t *testing.T) {
	for name, c := range map[string]struct {
		jobs    []string
		changed string
		want    string // the name that the log's component goes by
	}{
		"one is monitored":                      {[]string{"cart"}, "", "cart"},
		"one is monitored, another was changed": {[]string{"cart"}, "export", "cart"},
		"none is monitored, one was changed":    {nil, "cart", "cart"},
		"two are monitored":                     {[]string{"cart", "pay"}, "", "app"},
		"only a database is":                    {[]string{"postgres"}, "", "app"},
	} {
		t.Run(name, func(t *testing.T) {
			gw, app, metrics := gateway(), &file{name: "2.log", format: "logger-text"}, &file{name: "1.om", format: "openmetrics"}
			gw.traffic(0, 600, 2)
			app.says(sec(10), inquest.LevelError, "boom")
			for _, job := range c.jobs {
				metrics.series("up", "job", job, "instance", job+":8080")
			}
			changes := &file{name: "3.jsonl", format: "changes"}
			if c.changed != "" {
				changes.change(sec(5), inquest.ChangeDeploy, c.changed, "release")
			}
			x := component(build(gw, app, metrics, changes), c.want)
			if x == nil || !x.Logs {
				t.Errorf("%q is %+v", c.want, x)
			}
		})
	}
}

func TestCluesAreOfTheRecordsThatNameNobody(t *testing.T) {
	a, b := mem.NewCollector(mem.Settings{}), mem.NewCollector(mem.Settings{})
	log := func(c *mem.Collector, service, logger, text string) {
		r := &parse.Record{}
		r.Reset()
		r.Service, r.Logger, r.Message, r.Level, r.Time, r.Clock = service, logger, text, inquest.LevelWarn, t0.UnixNano(), parse.ClockUTC
		c.Log(r)
	}
	log(a, "", "z.Last", "one thing")
	log(a, "cart", "not.this", "another")
	log(b, "", "a.First", "one thing")
	b.Signal(parse.Signal{Change: &inquest.Change{Service: "pay", Time: t0}})
	got := mem.CluesOf([]*mem.Collector{a, b})
	want := mem.Clues{Loggers: []string{"a.First", "z.Last"}, Lines: map[string]uint64{"one thing": 2}, Itself: []string{"cart"}, Known: []map[string]string{{"service": "pay"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestALogCalledAfterAProcessIsItsServices(t *testing.T) {
	for name, c := range map[string]struct {
		log, job string
		want     string // the component that has both the log and the metrics, "" when they are two
	}{
		"the web process of a service": {"members-web.log", "members", "members"},
		"its server, by underscore":    {"members_server.log", "members", "members"},
		"another word is another one":  {"members-import.log", "members", ""},
		"another service":              {"orders-web.log", "members", ""},
	} {
		t.Run(name, func(t *testing.T) {
			gw, app, metrics := gateway(), &file{name: c.log, format: "logger-text"}, &file{name: "1.om", format: "openmetrics"}
			gw.traffic(0, 600, 2)
			app.says(sec(10), inquest.LevelError, "boom")
			metrics.series("up", "job", c.job, "instance", c.job+":8080")
			got := ""
			for _, x := range build(gw, app, metrics).Components {
				if x.Logs && x.Metrics {
					got = x.Name
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
