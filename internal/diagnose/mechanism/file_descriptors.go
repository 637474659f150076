package mechanism

import "github.com/inquesthq/inquest"

// fileDescriptors: a process may open no more files or sockets.
func fileDescriptors() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/file-descriptors",
		Title: "File descriptors used up",
		What: "A process has as many files and sockets open as it may. It can open nothing more: no file, no connection to a dependency, no incoming connection, not " +
			"even the resolver's socket, so the errors seem to come from everywhere. Mostly handles leak; sometimes the limit is the small default (1024).",
		Signs: []string{
			"failures of many kinds at once on one instance: files, DNS, connections, TLS",
			"`Too many open files`, `EMFILE`, `accept4() failed (24)`",
			"open descriptors of the process = its limit, growing since a restart",
		},
		Needs:       []string{"EMFILE or ENFILE in the failing requests, or open descriptors at the process's limit"},
		Contradicts: []string{"open descriptors well under the limit of the process (not of your shell) at the time"},
		Explains: ids(fallout(), these("misconfiguration/wrong-path", "dependency-failure/dns", "dependency-failure/tls", "dependency-failure/refused", "dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
			"database/down", "database/pool-exhausted", "database/query-error", "bad-deploy/missing-dependency", "bad-deploy/startup-crash", "unhandled-exception/parse-error", "misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), goneAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{"deploy", inquest.TriggerTraffic, "config", "flag", "infra"},
		About:    []string{"descriptor", "nofile", "ulimit", "socket"},
		Gradual:  true,
		Roles:    []Role{RoleSelf, RolePeer, RoleGateway},
		Clues: []Clue{
			says(1, "errno EMFILE in any runtime's words", "too many open files", "emfile", "os error 24", "[errno 24]", "(24: too many open files)", "errno::emfile", "too many open sockets"),
			says(1, "errno ENFILE: the whole system", "enfile", "file-max limit * reached", "too many open files in system", "file table overflow", "os error 23").but("enfilesystem", "hiddenfile", "tokenfile", "brokenfile", "openfile", "ovenfile"),
			says(0.9, "servers that cannot accept", "accept4() failed (24:", "accept: too many open files", "http: accept error: accept * too many open files", "proxy * reached process fd limit", "reached system fd limit", "(24)too many open files"),
			says(0.9, "file watches: the kernel's other limit", "system limit for number of file watchers reached", "inotify_add_watch: no space left", "inotify instance limit", "inotify watches").but("increased"),
			says(0.8, "databases", "out of file descriptors", "insufficient file descriptors available", "errcode: 24", "can't open file: * (errno: 24", "could not open file * too many open files"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceDescriptors, Weight: 0.8, Why: "open descriptors at the limit of the process are what the mechanism is"},
		},
		Confirm: []inquest.Command{
			check("Open descriptors of the process.", "ls /proc/{pid}/fd | wc -l", "close to the limit"),
			check("The limit of the process (ulimit -n tells that of your shell).", "grep 'Max open files' /proc/{pid}/limits", "the soft limit, first number"),
			check("What are they?", `ls -l /proc/{pid}/fd | awk '{print $NF}' | sed 's/[0-9][0-9]*/N/g' | sort | uniq -c | sort -rn | head -n 10`, "one kind (one file, socket, pipe) far above the others: the leak"),
			check("The whole system: in use, free, maximum.", "cat /proc/sys/fs/file-nr", "the first number near the third"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Restart the process: that closes what leaked; or scale out.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "Raise the limit of the running process.", "prlimit --pid {pid} --nofile=65536:65536"),
			later("cause", "Fix the leak: close files, response bodies and sockets on every path, reuse clients.", ""),
			prevent("Set LimitNOFILE to what a load test needs; alert at 80% of the limit and on the slope between restarts.", "systemctl show {service} -p LimitNOFILE"),
		},
		Owner:  "code",
		Status: 503,
	}
}
