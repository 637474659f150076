package mechanism

import "github.com/inquesthq/inquest"

// timeoutTooShort: a time-out ends calls that would have succeeded.
func timeoutTooShort() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/timeout-too-short",
		Title: "Time-out shorter than the work",
		What: "A gateway, client or worker gives up before the callee is done, though the callee works as ever: the time-out was lowered, or is shorter than what is " +
			"behind it (a gateway with 5 s in front of a service that allows 10 s). The work is often done after all, and done again by the retry.",
		Signs: []string{
			"504 or 499 that all take the same, round time, on the slower routes only",
			"the callee logs success for the same requests, a little later than the caller's failure",
		},
		Needs:       []string{"failures piling up at one duration, while the callee's own durations are as ever"},
		Contradicts: []string{"the callee having become slower than its baseline (then that is the cause)", "time-outs on routes that always take milliseconds"},
		Explains:    ids(fallout(), these("dependency-failure/timeout", "dependency-failure/upstream-overload", "misconfiguration/error-mapping")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"config", "deploy", "infra", inquest.TriggerData},
		About:       []string{"timeout", "time-out", "deadline", "retr", "attempt", "backoff"},
		Roles:       []Role{RoleGateway, RoleSelf},
		Silent:      true,
		Clues: []Clue{
			says(0.6, "AWS: a function or integration cut off by its configured limit", "task timed out after", "endpoint request timed out", "execution failed due to a timeout error", "status: timeout*init duration"),
			says(0.6, "gunicorn, uWSGI, PHP-FPM and PHP end a request by their own clock", "worker timeout (pid:", "harakiri", "execution timed out (*), terminating", "maximum execution time of", "request terminated by timeout"),
			says(0.6, "application frameworks' own request clock", "rack::timeout", "request ran for longer than", "asyncrequesttimeoutexception", "request timeout * exceeded", "http.timeouthandler", "http: handler timeout"),
			says(0.3, "nginx and Envoy gave up waiting: too short, or the upstream too slow", "upstream timed out (110", "response_flags\":\"ut\"", "response_flags=ut", "upstream request timeout").by(OriginProxy, OriginApp),
			says(0.2, "a deadline that was set by the caller passed", "context deadline exceeded", "deadline_exceeded", "code = deadlineexceeded").but("acquire", "pool"),
			says(0.5, "the callee finished for a caller that had left", "superfluous response.writeheader", "response already committed*timeout", "cannot set headers after they are sent"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomPlateau, Weight: 0.5, Why: "failures that all take the same round time are cut off by a clock"},
			{Symptom: inquest.SymptomUpstream, Detail: "timeout", Weight: 0.3, Why: "the proxy gave up waiting"},
		},
		Confirm: []inquest.Command{
			check("Which time-outs are set on the way?", "nginx -T 2>/dev/null | grep -n -E 'proxy_(connect|read|send)_timeout|keepalive_timeout'", "one at the duration of the failures"),
			check("How long does the callee take when nobody cuts it off?", "curl -sS -o /dev/null -w '%{http_code} %{time_total}\\n' --max-time 60 http://{host}:{port}{path}", "200 after more than the time-out"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the time-out back to what it was, above the callee's 99th percentile.", "git checkout HEAD~1 -- {path}"),
			now("cause", "Check the configuration, then restart or reload.", "nginx -t && systemctl reload nginx"),
			later("cause", "Order the time-outs along the call path: the caller waits longer than the callee is allowed to take.", ""),
			prevent("Validate at start: refuse a time-out that is longer than the one in front of it; keep work that takes long out of requests.", ""),
		},
		Owner:  "configuration",
		Status: 504,
	}
}
