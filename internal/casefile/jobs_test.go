package casefile_test

import (
	"testing"

	"github.com/inquesthq/inquest"
)

func TestAScheduledJobThatBeganIsAChange(t *testing.T) {
	for _, c := range []struct {
		name, file, text, want string
		at                     []float64 // seconds; the failures begin at 600
	}{
		{"a command of cron", "cron.log", "(root) CMD (/usr/local/bin/recount.sh --all >/dev/null 2>&1)", "recount", []float64{590}},
		{"a command of cron, in the file that holds all programs' lines", "syslog", "(returns) CMD (/usr/bin/python3 /srv/returns/releases/12/recheck.py)", "recheck", []float64{590}},
		{"behind what only wraps it", "cron.log", "(app) CMD (cd /srv/shop && RAILS_ENV=production nice -n 10 /srv/shop/bin/nightly-export)", "nightly-export", []float64{590}},
		{"what the job says in cron's name", "cron.log", "loyalty: counting the points of all donors", "loyalty", []float64{590}},
		{"a unit of systemd", "systemd.log", "Starting logrotate.service - Rotate log files...", "logrotate", []float64{590}},
		{"a unit of an older systemd", "systemd.log", "Starting Rotate log files...", "Rotate log files", []float64{590}},
		{"Celery's beat", "beat.log", "Scheduler: Sending due task recount-points (shop.tasks.recount)", "recount-points", []float64{590}},
		{"APScheduler", "web.log", `Running job "recount (trigger: cron[hour='3'], next run at: 2026-11-21 03:00:00 UTC)" (scheduled at 2026-11-20 03:00:00+00:00)`, "recount", []float64{590}},
		{"Kubernetes' CronJob", "events.log", "Created job recount-29411820", "recount", []float64{590}},
		{"an application that says something of that kind", "web.log", "loyalty: counting the points of all donors", "", []float64{590}},
		{"a job that ran before and harmed nobody", "cron.log", "(root) CMD (/usr/local/bin/recount.sh)", "", []float64{120, 360, 590}},
		{"a job of long ago", "cron.log", "(root) CMD (/usr/local/bin/recount.sh)", "", []float64{-600}},
		{"a job after the first failure", "cron.log", "(root) CMD (/usr/local/bin/recount.sh)", "", []float64{650}},
		{"a session of cron is no job", "cron.log", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", "", []float64{590}},
	} {
		gw, log := gateway(), &file{name: c.file, format: "syslog"}
		gw.traffic(-900, 1200, 10)
		gw.failing(600, 900, 2, "GET /cart", 500)
		for _, s := range c.at {
			log.says(sec(s), inquest.LevelInfo, c.text)
		}
		got := ""
		for _, ch := range build(gw, log).Changes {
			got = ch.Service
			if ch.Kind != inquest.ChangeRestart || ch.Time != sec(590) {
				t.Errorf("%s: %+v", c.name, ch)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
