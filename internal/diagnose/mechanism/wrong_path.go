package mechanism

import "github.com/inquesthq/inquest"

// wrongPath: a file or directory is not where the configuration says.
func wrongPath() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/wrong-path",
		Title: "File or directory not found",
		What: "The service opens a file, directory, socket or program at a path where nothing is: the path in the configuration is wrong, the volume is not mounted, " +
			"or the file was not shipped. At start it stops the service; in a request it is a 500.",
		Signs: []string{
			"failures on the routes that need the file, at once, on every instance with this configuration",
			"`No such file or directory`, `ENOENT`, `FileNotFoundException` with the path",
		},
		Needs:       []string{"a missing path in the failing requests or at the start before them"},
		Contradicts: []string{"the file being there for the service's user", "file descriptors or disk used up at the same time"},
		Explains:    ids(fallout(), these("bad-deploy/missing-dependency", "dependency-failure/tls", "bad-deploy/startup-crash", "dependency-failure/refused", "unhandled-exception/parse-error")),
		Above:       ids(goneAbove(), failingAbove()),
		Triggers:    []inquest.TriggerKind{"config", "deploy", "infra", "restart", inquest.TriggerData},
		About:       []string{"path", "folder", "director", "mount", "volume", "health", "check", "probe"},
		Roles:       []Role{RoleSelf, RoleGateway},
		Clues: []Clue{
			says(0.9, "errno ENOENT in any runtime's words", "no such file or directory", "enoent", "the system cannot find the file specified", "the system cannot find the path specified", "could not find a part of the path", "could not find file '",
				"os error 2").but("favicon", "robots.txt", "exec format", "cannot open shared object", "module", ".well-known", "library").by(OriginApp, OriginSupervisor, OriginDatabase, OriginBroker, OriginCache),
			thrown(0.9, "runtimes' names for a missing file", "FileNotFoundException", "FileNotFoundError", "NoSuchFileException", "DirectoryNotFoundException", "Errno::ENOENT").but("favicon", "robots.txt", ".well-known"),
			says(0.9, "a configuration or certificate file that is not there", "config file * not found", "configuration file * not found", "cannot open config", "could not open config", "failed to load config*no such file", "failed to read config*no such file",
				"config file not found", "cannot load certificate", "could not load * certificate file"),
			says(0.8, "PHP", "failed to open stream: no such file", "failed opening required", "primary script unknown"),
			says(0.2, "a web server asked for a static file that is not there: mostly a 404 of a scanner", "open() \"* failed (2: no such file or directory)", "file does not exist:").by(OriginProxy),
			says(0.9, "nginx, Apache: the socket of the application server is not there", "connect() to unix:* failed (2: no such file or directory)", "ah02454").by(OriginProxy),
			says(0.9, "containers: mount or program not there", "mountvolume.setup failed", "unable to attach or mount volumes", "failedmount", "is not a directory: unknown", "exec: \"*\": executable file not found", "failed at step exec spawning", "failed at step chdir", "can't find command '"),
			says(0.9, "a health check asks for a page that the service does not have: HAProxy, AWS target groups, kubelet, Traefik, Caddy", "layer7 wrong status, code: 404", "layer7 wrong status, code: 405", "health checks failed with these codes: [404]",
				"probe failed: http probe failed with statuscode: 404", "health check failed: received error status code: 404", "unexpected status code * 404 * health", "health check * 404 not found"),
			says(0.8, "SQLite and others: the data file's directory is not there", "unable to open database file", "nosuchbucket", "the specified bucket does not exist"),
		},
		Confirm: []inquest.Command{
			check("Look for the path as the service's own user.", "kubectl exec deployment/{service} -- ls -ld {path}", "No such file or directory"),
			check("Is the volume mounted?", "kubectl exec deployment/{service} -- sh -c 'cat /proc/1/mounts'", "no line for the directory"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the path right in the configuration, or put the file (mount, secret, artifact) where it is expected.", "kubectl edit deployment/{service}"),
			now("cause", "Restart the service.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "If a change came right before: roll it back.", "kubectl rollout undo deployment/{service}"),
			prevent("Validate at start: check that every configured path exists and can be read, name the missing one, exit 1.", ""),
		},
		Owner:  "configuration",
		Status: 500,
	}
}
