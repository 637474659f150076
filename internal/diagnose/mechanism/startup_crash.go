package mechanism

import "github.com/inquesthq/inquest"

// startupCrash: a new process does not get as far as serving.
func startupCrash() Mechanism {
	return Mechanism{
		ID:    "bad-deploy/startup-crash",
		Title: "Crash at start",
		What: "A newly started process ends, or never becomes ready, again and again. While old instances run, there is just less capacity; once they are gone, the " +
			"gateway answers 502 or 503. The last words before the exit name the reason.",
		Signs: []string{
			"502 or 503 at the gateway on all routes of the service since the deploy or restart",
			"the process restarts every few seconds: CrashLoopBackOff, start-limit-hit, exited too quickly",
			"no request reaches the application",
		},
		Needs:       []string{"repeated exits or failed starts of the service, at or before the first failing request"},
		Contradicts: []string{"the process running without a break through the onset", "a memory kill as the reason of each exit"},
		Explains:    these("dependency-failure/upstream-overload", "bad-deploy/syntax-error"),
		Above:       goneAbove(),
		Triggers:    []inquest.TriggerKind{"deploy", "config", "restart", "infra", "scale", "migration"},
		Roles:       []Role{RoleSelf},
		Clues: append(syntaxClues(), []Clue{
			says(1, "kubelet", "crashloopbackoff", "back-off restarting failed container", "runcontainererror", "containers with unready status*crash", "has exceeded its progress deadline", "createcontainererror"),
			says(1, "systemd gives up", "start request repeated too quickly", "start-limit-hit"),
			says(0.9, "systemd: one start failed", ": failed to start ", "scheduled restart job, restart counter is at").by(OriginSupervisor),
			says(0.7, "systemd: the main process ended by itself", "failed with result 'exit-code'", "main process exited, code=exited, status=").but("status=0", "status=143", "oom-kill").by(OriginSupervisor),
			says(1, "supervisord", "exited too quickly", "entered fatal state", "too many start retries too quickly", "gave up: * entered fatal", "spawnerr:", "can't find command").by(OriginSupervisor, OriginApp),
			says(0.6, "supervisord: ended without being asked", "(exit status * not expected)").by(OriginSupervisor, OriginApp),
			says(1, "application servers that cannot boot their application", "worker failed to boot", "haltserver", "reason: worker failed to boot", "application run failed", "application failed to start", "error starting applicationcontext", "unable to start web server", "unable to load application", "could not start application",
				"failed to boot", "app crashed - waiting for file changes", "application startup exception", "application startup failed", "no python application found", "no app loaded. going in full dynamic mode", "startup_failure", "startup failed", "beancreationexception", "unsatisfieddependencyexception", "hosting failed to start", "failed to start application", "fatal error during startup", "bootstrap failed"),
			says(0.9, "the port is taken, often by the old process", "address already in use", "eaddrinuse", "port * was already in use", "only one usage of each socket address", "port is already allocated"),
			says(0.8, "Docker, ECS, Heroku", "essential container in task exited", "unable to consistently start tasks successfully", "at=error code=h10", "error r10 (boot timeout)", "service * is not stable", "tasks failed to start", "deployment failed: tasks failed"),
			says(0.6, "probes fail: the container is up, the application is not", "liveness probe failed", "startup probe failed", "readiness probe failed", "failed liveness probe, will be restarted", "health checks failed with these codes").by(OriginSupervisor, OriginApp),
		}...),
		Supports: []Support{
			{Symptom: inquest.SymptomRestart, Detail: "crash-loop", Weight: 0.8, Why: "a process that ends again and again soon after its start is what the mechanism is"},
			{Symptom: inquest.SymptomGap, Detail: "up", Weight: 0.3, Why: "a process that does not start cannot be scraped"},
			{Symptom: inquest.SymptomUpstream, Detail: "refused", Weight: 0.2, Why: "nobody listens while the process does not start"},
		},
		Confirm: []inquest.Command{
			check("Is it restarting?", "kubectl get pods -l app={service}", "RESTARTS growing, CrashLoopBackOff"),
			check("Read its last words.", "kubectl logs deployment/{service} --previous --tail=100", "the reason, mostly in the last lines"),
			check("The same under systemd.", "journalctl -u {service} --since '-15 min' --no-pager | tail -n 100", "the reason, then `Failed with result`"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("cause", "Fix what the last words name (setting, dependency, schema, port).", ""),
			later("cause", "Redeploy; migrations first where the release has any.", "kubectl rollout status deployment/{service} --timeout=120s"),
			prevent("Roll out by steps with a readiness gate (maxUnavailable 0), and roll back by itself when a new instance does not become ready.", ""),
			prevent("Let the start fail loudly, before the port is bound, with one line that names the reason.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}
