package mechanism

import "github.com/inquesthq/inquest"

// cpu: there is more to compute than cores or quota allow.
func cpu() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/cpu",
		Title: "CPU saturated",
		What: "The service, or a neighbour on its host, has more to compute than its cores or its quota allow. Everything takes longer, queues grow, time-outs and probes " +
			"fail. Causes: more load than planned, an expensive route or loop, garbage collection, a quota that throttles.",
		Signs: []string{
			"all routes of the component slow at once, then 502, 503 and 504",
			"mostly no error in the application's own log",
			"CPU at its limit or throttled; run queue longer than the cores",
		},
		Needs:       []string{"CPU at its quota or cores, or throttled, while answers are slow"},
		Contradicts: []string{"idle CPU at the time: waiting is not computing"},
		Explains: ids(fallout(), these("database/pool-exhausted", "database/query-error", "resource-exhaustion/threads", "dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
			"misconfiguration/timeout-too-short", "bad-deploy/startup-crash")),
		Above:    slowAbove(),
		Triggers: []inquest.TriggerKind{inquest.TriggerTraffic, "deploy", "infra", "config", "scale", "flag", inquest.TriggerData},
		About:    []string{"cpu", "core", "quota"},
		Gradual:  true,
		Shared:   true,
		Roles:    []Role{RoleSelf, RoleDatabase, RolePeer},
		Silent:   true,
		Clues: []Clue{
			says(1, "kernel: a core did not get to anything else", "soft lockup", "rcu_sched self-detected stall", "blocked for more than * seconds", "rcu: info: rcu_preempt detected stalls", "hard lockup").by(OriginKernel, OriginSupervisor),
			says(0.8, "runtimes that notice that they did not run: HikariCP, Akka, Vert.x, Netty, Orleans, Kestrel", "thread starvation or clock leap detected", "has been blocked for * ms, time limit is", "event loop is blocked", "event loop blocked", "event loop lag", "event loop delay", "heartbeat has been running for * which is longer than",
				"scheduled sending of heartbeat was delayed", "the thread pool is starved", "threadpool starvation", "long gc pause", "vertxexception: thread blocked"),
			says(0.8, "quota: throttled", "cpu throttl", "cputhrottlinghigh", "cfs throttl", "throttled by cgroup", "cpu quota exceeded", "cpu credit balance", "cpu credits exhausted", "cpu limit exceeded").but("not throttled", "throttled=0", "throttled: 0"),
			says(0.8, "somebody measured it", "cpu usage is above", "cpu utilization above", "cpu utilization is above", "high cpu usage", "high cpu load", "cpu usage high", "cpu saturat", "cpu usage at 100%", "cpu at 100%", "load average too high", "load average is too high", "server is too busy"),
			says(0.7, "the collector takes the CPU", "overhead, spent [", "gc overhead", "spent too much time in gc"),
			says(0.8, "etcd and consensus members that come too late", "failed to send out heartbeat on time", "server is likely overloaded", "apply request took too long", "clock skew or overload"),
			says(0.5, "regular expressions and loops that never end", "catastrophic backtracking", "regexmatchtimeoutexception", "regex match timed out", "pcre.backtrack_limit", "regexp::timeouterror"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceCPU, Weight: 0.7, Why: "CPU at its quota or cores while answers are slow"},
			{Symptom: inquest.SymptomSlow, Weight: 0.2, Why: "all routes of one component slow at once"},
			{Symptom: inquest.SymptomTraffic, Detail: "surge", Weight: 0.2, Why: "more load than planned is the most usual reason"},
		},
		Confirm: []inquest.Command{
			check("Who computes?", "top -b -n 1 -o %CPU | head -n 15", "our process, or a neighbour, near the number of cores"),
			check("Is the container throttled?", "kubectl exec deployment/{service} -- cat /sys/fs/cgroup/cpu.stat", "nr_throttled and throttled_usec growing"),
			check("What does it compute?", "perf top -p {pid}", "one function far above the others (Go: the CPU profile; JVM: jstack {pid}, three times)"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Scale out, or raise the CPU limit.", "kubectl scale deployment/{service} --replicas=4"),
			now("symptom", "Shed load: rate-limit the most expensive route or client, switch off what is optional.", ""),
			later("cause", "Fix the hot spot that the profile shows (index, cache, loop, serialization).", ""),
			prevent("Scale on CPU and queue length; alert on throttling and on p99, not on CPU alone; load-test each release.", ""),
		},
		Owner:  "infrastructure",
		Status: 503,
	}
}
