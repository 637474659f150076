package main

import (
	"fmt"
	"strings"
	"time"
)

// supervisord keeps the supervisor's log in the words of supervisord 4.2 (process.py): the recorder starts and restarts
// the parts itself, with supervisord's start and stop rules.
func (e *Env) supervisord(what string, p *Part, rest string) {
	w := e.sink(e.S.Supervisord, "", "", "stdout")
	say := func(level, format string, args ...any) {
		zone, err := time.LoadLocation(e.S.TZ)
		must(err, "zone")
		fmt.Fprintf(w, "%s %s %s\n", strings.Replace(time.Now().In(zone).Format("2006-01-02 15:04:05.000"), ".", ",", 1), level, fmt.Sprintf(format, args...))
	}
	if what == "spawned" {
		cmd, done := p.cmd, p.done
		say("INFO", "spawned: '%s' with pid %d", p.Name, cmd.Process.Pid)
		go func() {
			select {
			case <-done:
			case <-time.After(time.Second):
				say("INFO", "success: %s entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)", p.Name)
			}
		}()
		return
	}
	state := "exit status 0"
	if _, after, ok := strings.Cut(rest, `state="`); ok {
		state, _, _ = strings.Cut(after, `"`)
	}
	switch state {
	case "signal: killed":
		state = "terminated by SIGKILL"
	case "signal: terminated":
		state = "terminated by SIGTERM"
	case "signal: aborted":
		state = "terminated by SIGABRT"
	}
	if strings.HasSuffix(rest, "expected=true") {
		say("INFO", "stopped: %s (%s)", p.Name, state)
		return
	}
	say("WARN", "exited: %s (%s; not expected)", p.Name, state)
}
