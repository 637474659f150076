package mechanism

import "github.com/inquesthq/inquest"

// memory: no memory left.
func memory() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/memory",
		Title: "Memory exhausted",
		What: "A process, container or host has no memory left. The runtime throws out-of-memory errors, collects garbage all the time, or the kernel kills the process: " +
			"then the log just ends, and the gateway answers 502 until the process is back. Either memory leaks, or the load or one request needs more than there is.",
		Signs: []string{
			"502 in bursts with a restart after each, or answers that get slower and slower before",
			"`OutOfMemoryError`, `JavaScript heap out of memory`, exit code 137, `Out of memory: Killed process` in the kernel's log",
			"memory climbing to its limit, falling at each restart (saw-tooth)",
		},
		Needs:       []string{"an out-of-memory error, a kill by the kernel or orchestrator, or memory at its limit, while requests fail"},
		Contradicts: []string{"available memory well above zero at the time", "a kill signal that a deploy or person sent"},
		// Memory before CPU: a nearly full heap makes the collector burn the CPU. Memory before pool and time-outs: see there.
		Explains: ids(fallout(), these("resource-exhaustion/cpu", "resource-exhaustion/threads", "database/down", "database/slow-query", "database/pool-exhausted", "database/query-error", "database/too-many-connections",
			"dependency-failure/timeout", "dependency-failure/refused", "dependency-failure/bad-response", "dependency-failure/upstream-overload", "bad-deploy/startup-crash", "misconfiguration/timeout-too-short", "misconfiguration/keepalive-mismatch")),
		Above:    ids(goneAbove(), failingAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{"deploy", inquest.TriggerTraffic, "config", inquest.TriggerData, "infra", "scale", "flag"},
		About:    []string{"memory", "heap", "cache", "ram", "xmx", "buffer"},
		Gradual:  true,
		Shared:   true,
		Roles:    []Role{RoleSelf, RolePeer, RoleDatabase},
		Silent:   true,
		Clues:    memoryClues(),
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceMemory, Weight: 0.7, Why: "memory at its limit while requests fail"},
			{Symptom: inquest.SymptomRestart, Detail: "oom", Weight: 0.9, Why: "the restart's reason says so"},
			{Symptom: inquest.SymptomRestart, Detail: "crash", Weight: 0.2, Why: "a kill by the kernel leaves no word in the application's log"},
		},
		Confirm: []inquest.Command{
			check("Look at available (not free) memory and disks, every 5 seconds.", "watch -n 5 'free -h; df -h'", "available near zero"),
			check("Did the kernel kill it?", "journalctl -k --since '-60 min' --no-pager | grep -i -E 'out of memory|oom-kill|killed process'", "the process by name"),
			check("Did the orchestrator kill it?", `kubectl get pods -l app={service} -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.status.containerStatuses[*].lastState.terminated.reason}{"\n"}{end}'`, "OOMKilled"),
			check("JVM: how full is the old generation after collections?", "jstat -gcutil {pid} 1000 5", "O above 95 and FGC growing"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Scale out, or give more memory; a restart buys time when it leaks (take the heap dump first).", "kubectl scale deployment/{service} --replicas=4"),
			now("symptom", "Take a heap dump of one instance before it is gone, and keep it (Node: kill -USR2 with --heapsnapshot-signal; Go: the heap profile).", "jmap -dump:live,format=b,file=/tmp/heap.hprof {pid}"),
			later("cause", "Fix the leak, or bound what grows: caches, queues, result sets, uploads.", ""),
			prevent("Alert when available memory falls under 20%, and on the slope between restarts; set limits from a load test.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}

func memoryClues() []Clue {
	return []Clue{
		says(1, "the kernel killed a process", "out of memory: killed process", "out of memory: kill process", "memory cgroup out of memory", "oom-kill:", "invoked oom-killer", "oom_reaper: reaped process", "lowmemorykiller"),
		says(1, "systemd, kubelet, Docker, ECS, Cloud Foundry, Heroku, pm2", "oom-kill", "oomkilled", "oomkilling", "oomkill", "system oom encountered", "the node was low on resource: memory", "exited with exit code 137", "exit code 137", "exitcode\":137", "outofmemoryerror: container killed due to memory usage",
			"error r14 (memory quota exceeded)", "error r15 (memory quota vastly exceeded)", "exceeded memory limit", "memory limit exceeded", "exceeds --max-memory-restart", "memory quota exceeded", "memory limit of * exceeded").but("per query", "query", "0 oomkilled", "oomkilled\":false", "oomkilled=false"),
		thrown(1, "JVM, .NET, Python, Ruby", "OutOfMemoryError", "OutOfMemoryException", "MemoryError", "NoMemoryError", "InsufficientMemoryException").but("unable to create new native thread", "unable to create native thread"),
		says(1, "JVM in words", "java heap space", "gc overhead limit exceeded", "outofmemoryerror: metaspace", "outofmemoryerror: direct buffer memory", "requested array size exceeds vm limit", "failed to allocate * byte(s) of direct memory", "there is insufficient memory for the java runtime environment"),
		says(1, "Node.js", "javascript heap out of memory", "reached heap limit allocation failed", "ineffective mark-compacts near heap limit", "err_worker_out_of_memory", "array buffer allocation failed", "invalid string length"),
		says(1, "Go, Rust, C, Erlang, Ruby", "runtime: out of memory", "fatal error: out of memory", "memory allocation of * bytes failed", "std::bad_alloc", "cannot allocate memory", "enomem", "failed to allocate memory", "eheap_alloc: cannot allocate", "failed to malloc", "out of memory (allocated").but("thread"),
		says(1, "PHP: a request's memory_limit", "allowed memory size of"),
		says(0.9, "gunicorn and uWSGI: a worker was killed from outside; mostly for memory", "was sent sigkill! perhaps out of memory", "worker * (pid: * killed by signal 9", "worker with pid * was terminated due to signal 9", "died, killed by signal 9"),
		says(0.6, "killed by signal 9: the kernel's usual way, but a person or orchestrator may send it too", "terminated by sigkill", "killed by signal 9", "status=9/kill", "signal: killed", "exited on signal 9", "code=killed, signal=kill").but("timeout", "stop-sigterm"),
		says(1, "Lambda", "memory size: * max memory used*runtime exited", "runtime exited with error: signal: killed", "runtime.outofmemory"),
		says(1, "Redis, memcached at maxmemory", "oom command not allowed when used memory", "server_error out of memory storing object", "can't save in background: fork: cannot allocate memory"),
		says(0.9, "databases and search engines run out themselves", "could not resize shared memory segment", "error: out of memory", "out of memory detail: failed on request of size", "ora-04030", "ora-04031", "circuit_breaking_exception", "circuitbreakingexception", "[parent] data too large", "there is insufficient system memory in resource pool",
			"out of sort memory", "memory_limit_exceeded", "exceeded memory limit for $group").by(OriginDatabase, OriginApp, OriginCache),
		coded(1, "PostgreSQL out_of_memory; MySQL 1037, 1038", "53200", "mysql:1037", "mysql:1038"),
		says(0.9, "RabbitMQ holds publishers back", "memory resource limit alarm set", "vm_memory_high_watermark set", "memory high watermark"),
		says(0.5, "the collector works all the time: the heap is nearly full", "gc (allocation failure)*full gc", "pause full (", "to-space exhausted", "gc overhead", "jvmgcmonitorservice*overhead, spent"),
	}
}
