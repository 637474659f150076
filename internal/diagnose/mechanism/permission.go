package mechanism

import "github.com/inquesthq/inquest"

// permission: the operating system or database denies the service something it needs.
func permission() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/permission",
		Title: "Permission denied to the service",
		What: "The operating system, the container runtime or the database denies the service a file, a port, a socket or a table: wrong owner or mode, another user " +
			"since the last image, a read-only file system, SELinux, a missing GRANT. Not meant: a user who may not do something (403).",
		Signs: []string{
			"quick 5xx on the routes that touch the file or table, on every instance with this set-up",
			"`EACCES`, `Permission denied`, `Read-only file system`, `permission denied for table`",
		},
		Needs:       []string{"a denial by the operating system or the database in the failing requests or at the start before them"},
		Contradicts: []string{"the same user reading the same file", "denials that answer single users with 403"},
		Explains:    ids(fallout(), these("dependency-failure/tls", "database/query-error", "bad-deploy/startup-crash", "dependency-failure/refused", "misconfiguration/wrong-upstream")),
		Above:       ids(failingAbove(), goneAbove()),
		Triggers:    []inquest.TriggerKind{"deploy", "config", "infra", "migration", "restart"},
		About:       []string{"permission", "owner", "chmod", "chown", "harden", "privileg", "grant", "revoke", "rbac", "selinux", "apparmor", "umask"},
		Roles:       []Role{RoleSelf, RoleDatabase, RoleGateway},
		Clues: []Clue{
			says(1, "errno EACCES and EPERM on a file, in any runtime's words", "eacces", "(13: permission denied)", "[errno 13] permission denied", "[errno 1] operation not permitted", ": permission denied (os error 13)", "errno::eacces", "failed to open stream: permission denied", "eperm: operation not permitted",
				"@ rb_sysopen - ", "open /*: permission denied", "mkdir /*: permission denied", "open(* permission denied", "unlink * permission denied", "fopen(*permission denied").but("no such file"),
			thrown(1, "runtimes' names for it", "AccessDeniedException", "PermissionError", "UnauthorizedAccessException").
				but("spring", "access is denied", "springframework", "not authorized to perform", "http", "user "),
			says(1, "the file system is mounted read-only", "read-only file system", "erofs").but("erofs:", "erofs (device"),
			says(1, "a privileged port without the right to it", "listen eacces", "bind: permission denied", "bind() to * failed (13: permission denied)", "(13)permission denied: ah00072", "failed to create listener*permission denied"),
			says(1, "a socket of another user: FPM, gunicorn or Docker", "connect() to unix:* failed (13: permission denied)", "permission denied while trying to connect to the docker daemon").by(OriginProxy, OriginApp),
			says(1, "the database denies the service's role a table, sequence or schema", "permission denied for table", "permission denied for relation", "permission denied for sequence", "permission denied for schema", "permission denied for database", "must be owner of", "command denied to user",
				"the select permission was denied", "the insert permission was denied", "the execute permission was denied", "ora-01031", "not authorized on * to execute command", "permission denied for view", "permission denied for function"),
			coded(1, "PostgreSQL insufficient_privilege; MySQL 1142, 1143, 1227", "42501", "mysql:1142", "mysql:1143", "mysql:1227"),
			says(0.9, "the kernel's guards", "avc:  denied", "avc: denied", "apparmor=\"denied\"", "seccomp*syscall").by(OriginKernel, OriginApp, OriginSupervisor),
			says(0.9, "systemd and containers: not this user", "failed at step user spawning", "failed at step namespace spawning", "container has runasnonroot and image will run as root", "status=203/exec", "status=217/user", "exec: \"*\": permission denied"),
			says(0.9, "Kubernetes: the service account may not", "is forbidden: user \"system:serviceaccount:"),
			says(0.4, "a denial without saying of what", "permission denied", "operation not permitted").but("user id", "userid", "403", "role required", "publickey", "rpc error", "sudo", "sshd", "for user"),
		},
		Confirm: []inquest.Command{
			check("Who is the service, and whose is the file?", "kubectl exec deployment/{service} -- sh -c 'id; ls -ld {path}'", "another owner, or no right for this user"),
			check("What may the role do?", `psql -d {database} -c '\dp'`, "no grant for the service's role"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the right: owner and mode of the path, fsGroup of the volume, or GRANT for the role.", "kubectl exec deployment/{service} -- chown -R {user} {path}"),
			now("cause", "Restart the service if it checks only at start.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "If a change came right before: roll it back.", "kubectl rollout undo deployment/{service}"),
			prevent("Validate at start: open what must be read and written, as the user that serves, and exit 1 with the path if denied.", ""),
			prevent("Let migrations grant the rights of what they create; build and run the image as the same user.", ""),
		},
		Owner:  "configuration",
		Status: 500,
	}
}
