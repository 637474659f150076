package casefile

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// schedulers are the programs whose log says which job they begin: cron in its kinds.
var schedulers = map[string]bool{"cron": true, "crond": true, "anacron": true, "fcron": true, "cronie": true}

var (
	// cronCommand is cron's own line for a job (cron(8)): "(root) CMD (/usr/local/bin/recount.sh --all)".
	cronCommand = regexp.MustCompile(`^\(\S+\) CMD \((.+?)\)?$`)
	// unitStarts is systemd's for a unit (systemd.unit(5)): "Starting logrotate.service - Rotate log files..."; older ones tell the
	// description alone.
	unitStarts = regexp.MustCompile(`^Starting (?:(\S+)\.service - )?(.+?)\.\.\.$`)
	// dueTask is Celery beat's: "Scheduler: Sending due task recount-points (shop.tasks.recount)"; runningJob is APScheduler's:
	// `Running job "recount (trigger: cron[hour='3'], next run at: ...)" (scheduled at ...)`.
	dueTask    = regexp.MustCompile(`^Scheduler: Sending due task (\S+)`)
	runningJob = regexp.MustCompile(`^Running job "(\S+) \(trigger: `)
	// createdJob is an event of Kubernetes' CronJob controller, "Created job recount-29411820".
	createdJob = regexp.MustCompile(`^Created job (\S+?)-\d{6,}$`)
	// jobSays is what a job wrote under cron's name, "recount: counting all points".
	jobSays = regexp.MustCompile(`^([A-Za-z][\w.-]{2,40}): `)
)

// jobsWithin is how long before the first failure a job may have begun to be told of: those of longer ago, and those that began and
// nothing happened, are the rhythm of every day.
const jobsWithin = 15 * time.Minute

// jobs are the scheduled jobs that began shortly before the first failure, as changes: nobody changed anything, but something runs
// that did not run before, and what it takes of a shared resource comes on top. A job whose line stands in the baseline too ran
// then and harmed nobody.
func (b *builder) jobs(patterns []inquest.LogPattern) []inquest.Change {
	if b.onset.IsZero() {
		return nil
	}
	var out []inquest.Change
	for i := range patterns {
		p := &patterns[i]
		if p.Span || p.Before > 0 || len(p.Examples) == 0 {
			continue
		}
		x := &p.Examples[0] // the first
		if d := b.onset.Sub(x.Time); d < -time.Second || d > jobsWithin {
			continue
		}
		if name := jobOf(p.Service, x.Text); name != "" && !slices.ContainsFunc(out, func(c inquest.Change) bool { return c.Service == name }) {
			out = append(out, inquest.Change{Time: x.Time, Kind: inquest.ChangeRestart, Service: name, Summary: inquest.JobBegan + name + " began: " + x.Text, Source: x.Source})
		}
	}
	return out
}

// jobOf names the job whose start a line tells, "" if it tells none.
func jobOf(writer, text string) string {
	for _, re := range []*regexp.Regexp{dueTask, runningJob, createdJob} {
		if m := re.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	if m := cronCommand.FindStringSubmatch(text); m != nil { // also where syslog's file holds the lines of all programs
		return commandName(m[1])
	}
	writer = strings.ToLower(writer)
	switch {
	case schedulers[writer]:
		if m := jobSays.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	case writer == "systemd":
		if m := unitStarts.FindStringSubmatch(text); m != nil {
			if m[1] != "" {
				return m[1]
			}
			return m[2]
		}
	}
	return ""
}

// commandName is the name of what a command line runs: its program, without folder and ending, and not what only wraps it.
func commandName(line string) string {
	words := strings.Fields(line)
	for i, word := range words {
		name := path.Base(word)
		switch {
		case strings.Contains(word, "=") || strings.HasPrefix(word, "-") || strings.Trim(word, "0123456789") == "":
			continue // a variable, an option, a number of nice or timeout
		case slices.Contains([]string{"cd", "nice", "ionice", "timeout", "flock", "env", "sh", "bash", "test", "[", "&&", "sudo", "exec", "chronic", "python", "python3", "php", "ruby", "node", "java", "perl"}, name):
			continue
		case i > 0 && words[i-1] == "cd":
			continue
		}
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			name = name[:i]
		}
		return name
	}
	return ""
}
