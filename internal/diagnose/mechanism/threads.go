package mechanism

import "github.com/inquesthq/inquest"

// threads: every worker is busy.
func threads() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/threads",
		Title: "Workers used up",
		What: "All worker threads or processes of the service are busy, mostly waiting for something slow; new requests queue, are rejected, or wait until the gateway " +
			"gives up. The CPU may be idle. Mostly a consequence: look for what the workers wait for.",
		Signs: []string{
			"all routes of the service slow or refused, also those that need no dependency",
			"`RejectedExecutionException`, `server reached pm.max_children`, `thread pool is exhausted`, listen queue overflows",
			"busy workers = maximum, queue above zero",
			"a route that always takes seconds is asked for far more often (a crawler, an export), and the quick ones wait behind it",
		},
		Needs:       []string{"a rejected task or request for want of workers, or busy workers at their maximum, while requests fail"},
		Contradicts: []string{"idle workers at the time", "a dependency or database that the workers all wait for: then that is the cause"},
		Explains:    fallout(),
		Above:       ids(slowAbove(), these("dependency-failure/refused", "database/query-error", "misconfiguration/keepalive-mismatch")),
		Triggers:    []inquest.TriggerKind{inquest.TriggerTraffic, inquest.TriggerExternal, "deploy", "config", "scale", "flag"},
		About:       []string{"thread", "worker", "concurren", "executor", "children"},
		Gradual:     true,
		Roles:       []Role{RoleSelf, RolePeer},
		Silent:      true,
		Clues: []Clue{
			thrown(1, "JVM and Kotlin executors, resilience4j's bulkhead, Spring's executors", "RejectedExecutionException", "TaskRejectedException", "BulkheadFullException").but("circuit", "shutdown", "terminated,", "shutting down"),
			says(1, "thread pools in words", "rejected from java.util.concurrent.threadpoolexecutor", "thread pool exhausted", "thread pool is exhausted", "threadpool is exhausted", "threadpool exhausted", "all threads are busy", "all worker threads are busy", "maximum number of threads", "no free threads", "bulkhead * is full", "es_rejected_execution_exception",
				"no available worker", "no idle workers", "all workers are busy", "all threads (*) are currently busy", "worker pool is full", "worker pool exhausted", "thread limit reached", "max concurrent requests reached").but("shutdown", "terminated, pool size"),
			says(1, "PHP-FPM, Apache, uWSGI, Passenger, Puma, Tomcat, Phusion", "server reached pm.max_children", "server reached max_children", "server reached maxrequestworkers setting", "server reached maxclients setting", "listen queue of socket * full", "request queue is full", "request queue full", "at capacity, queueing", "maximum number of threads (*) created for connector",
				"seems busy (you may need to increase pm.start_servers", "scoreboard is full"),
			says(1, "no more threads can be made", "unable to create new native thread", "unable to create native thread", "can't start new thread", "pthread_create failed", "failed to create new os thread", "can't create thread", "resource temporarily unavailable*thread", "fork: resource temporarily unavailable", "fork: retry: resource temporarily unavailable", "cgroup: fork rejected by pids controller", "uv_thread_create"),
			says(0.9, "the kernel's listen queue overflows", "possible syn flooding on port", "times the listen queue of a socket overflowed", "listen queue overflow", "sendmsg() failed*resource temporarily unavailable", "connect() to unix:* failed (11: resource temporarily unavailable)").by(OriginKernel, OriginProxy, OriginSupervisor, OriginApp),
			says(0.5, "a worker hung and was ended", "worker timeout (pid:", "harakiri: process", "stuckthreaddetection", "stuck thread", "thread * has been active for * milliseconds"),
			says(0.5, "requests wait for a worker", "request queue time", "requests waiting for a thread", "queue wait time exceeded", "backlog is full"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceThreads, Weight: 0.7, Why: "busy workers at their maximum while requests fail"},
			{Symptom: inquest.SymptomTraffic, Detail: "heavy", Weight: 0.8, Why: "one slow route asks for more workers than all routes together did before, and the others wait"},
			{Symptom: inquest.SymptomSlow, Weight: 0.1, Why: "queueing for a worker is waiting"},
		},
		Confirm: []inquest.Command{
			check("How many threads, of how many allowed?", "grep Threads /proc/{pid}/status; cat /proc/sys/kernel/threads-max", "near the pool's maximum, or the system's"),
			check("What do they wait for? Three times, 5 seconds apart (Go: the goroutine profile; Python: py-spy dump).", "jstack -l {pid} | grep -A 3 'java.lang.Thread.State' | sort | uniq -c | sort -rn | head -n 20", "most in the same call: that is what they wait for"),
			check("Does the accept queue overflow?", "nstat -az TcpExtListenOverflows; ss -ltn", "Recv-Q near Send-Q on the service's port, overflows growing"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Scale out; if they all wait for one dependency, open its breaker and answer 503 with Retry-After.", "kubectl scale deployment/{service} --replicas=4"),
			later("symptom", "Put time-outs on every outside call (connect 3 s, response 5 s), also on fallbacks.", ""),
			later("cause", "Fix what holds the workers: give each slow dependency its own small pool (bulkhead), move long work out of requests.", ""),
			prevent("Alert at 80% busy workers and on queue time; refuse early (503) instead of queueing without bound.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}
