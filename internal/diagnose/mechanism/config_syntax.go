package mechanism

import "github.com/inquesthq/inquest"

// configSyntax: a configuration that cannot be read or holds an impossible value.
func configSyntax() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/config-syntax",
		Title: "Invalid configuration",
		What: "A configuration file or setting cannot be read: a syntax error, an unknown directive, a value of the wrong kind. The component does not start, or " +
			"refuses the reload and goes on with the old configuration until its next restart.",
		Signs: []string{
			"a component that does not come back after a restart or reload",
			"the file's name and a line number in its log: `unknown directive`, `yaml: line 3`, `unable to decode into struct`",
		},
		Needs:       []string{"a message about the configuration, at the start or reload that preceded the failures"},
		Contradicts: []string{"the component having started with this configuration and served since"},
		Explains: ids(fallout(), these("misconfiguration/wrong-upstream", "dependency-failure/tls", "bad-deploy/startup-crash", "unhandled-exception/parse-error",
			"dependency-failure/refused")),
		Above:    goneAbove(),
		Triggers: []inquest.TriggerKind{"config", "deploy", "restart", "infra"},
		Roles:    []Role{RoleSelf, RoleGateway},
		Clues: []Clue{
			says(1, "nginx, Apache, HAProxy, Caddy, Envoy, Traefik refuse their configuration", "nginx: configuration file * test failed", "unknown directive", "[emerg]*directive", "invalid number of arguments in", "directive is not allowed here", "unexpected \"}\" in", "unexpected end of file, expecting",
				"ah00526: syntax error", "invalid command '*', perhaps misspelled", "error(s) found in configuration file", "fatal errors found in configuration", "[alert] * parsing [", "adapting config using caddyfile", "unrecognized directive:",
				"error initializing configuration", "gRPC config for type.googleapis.com* rejected", "cannot parse traefik"),
			says(1, "YAML, TOML, JSON and properties that hold the configuration", "config*yaml: line", "yaml: line *config", "yaml: unmarshal errors", "error parsing config", "failed to parse config", "could not parse config", "invalid configuration", "error loading config", "configuration error:", "config*toml:", "config*invalid character",
				"failed to bind properties under", "configurationpropertiesbindexception", "configuration property * is invalid", "invalid config", "bad configuration", "invalid value for option", "unrecognized configuration parameter", "unknown configuration option", "config validation error", "configuration is invalid", "unable to decode config").
				but("password", "reload ok", "execution failed due to"),
			says(1, "databases and caches refuse theirs", "bad directive or wrong number of arguments", "fatal config file error", "unknown variable '", "configuration file * contains errors", "unknown setting [").by(OriginApp, OriginDatabase, OriginCache, OriginBroker, OriginSupervisor),
			says(0.9, "systemd and Kubernetes: the unit or manifest is wrong", "unit configuration has fatal error", "bad unit file setting", "unknown key name '* in section", "invalidimagename", "error validating data: validationerror"),
			says(0.8, "a value that cannot be used", "invalid port number", "invalid port in url", "invalid log level", "invalid duration", "is not a valid value for setting", "port should be >= 0 and < 65536", "must be a valid port"),
		},
		Confirm: []inquest.Command{
			check("Let the component check its configuration.", "nginx -t", "file and line of the error"),
			check("Find the change.", "git log -n 5 --format='%h %ad %an %s' --date=iso -- {path}", "one right before the restart or reload"),
		},
		Actions: []inquest.Action{
			now("cause", "Put the last good configuration back, or set the wrong line right.", "git checkout HEAD~1 -- {path}"),
			now("cause", "Check it, then restart or reload.", "nginx -t && systemctl reload nginx"),
			prevent("Validate before it ships: run the component's own check (nginx -t, haproxy -c, caddy validate) in CI and before each reload.", ""),
			prevent("Alert when a reload was refused: the component runs stale configuration until its next restart.", ""),
		},
		Owner:  "configuration",
		Status: 500,
	}
}
