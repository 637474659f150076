package mechanism

import "github.com/inquesthq/inquest"

// missingEnv: a setting or secret that the service needs is not there.
func missingEnv() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/missing-env",
		Title: "Missing setting or secret",
		What: "An environment variable, setting or secret that the service needs is not set in this environment. Either it stops at start, or it starts and every " +
			"request that reads the value fails, often far from the place where the value is missing (an empty URL, a connection to localhost).",
		Signs: []string{
			"failures right after a deploy, a restart or a move, on every instance that was started since",
			"the variable's name in the log, `undefined`, or connections to localhost that nobody meant",
		},
		Needs:       []string{"a message that names the missing setting, in the failing requests or at the start before them"},
		Contradicts: []string{"instances with the same settings that work", "the same message at every start, as a warning, for months"},
		Explains: ids(fallout(), these("misconfiguration/bad-credential", "misconfiguration/wrong-path", "misconfiguration/wrong-upstream", "database/down",
			"dependency-failure/refused", "dependency-failure/dns", "dependency-failure/bad-response", "bad-deploy/startup-crash", "unhandled-exception/parse-error")),
		Above:    ids(goneAbove(), failingAbove()),
		Triggers: []inquest.TriggerKind{"config", "deploy", "restart", "infra", "scale"},
		About:    []string{"env", "variable", "setting", "configmap"},
		Roles:    []Role{RoleSelf},
		Clues: []Clue{
			says(1, "services and libraries name it", "environment variable * not set", "environment variable * is not set", "environment variable * missing", "environment variable * is missing", "environment variable * is required", "missing environment variable",
				"missing env var", "missing required environment", "required environment variable", "env var * not set", "env var * is required", "environment variable not found", "environment variable * not defined", "environment variable * is undefined",
				"no such environment variable", "environment variables are not set", "missing required env", "environment variables are missing", "environment variable is not set").but("using default", "defaulting to", "falling back", "optional"),
			says(0.3, "the setting is missing, and the service falls back on a default", "environment variable * not set", "env var * not set", "environment variable * is not set").and("default"),
			says(1, "Spring, Quarkus, Laravel, Django, Rails, .NET", "could not resolve placeholder", "no value present for required", "sre00014", "improperlyconfigured: set the", "improperlyconfigured: the secret_key", "missing `secret_key_base`", "missing secret_key_base",
				"no application encryption key has been specified", "key not found: \"*_", "unable to find config property", "no value for configuration key", "required configuration * not found"),
			says(1, "Go envconfig and Rust", "required key * missing value", "notpresent*env", "environment variable not found: notpresent", "called `result::unwrap()` on an `err` value: notpresent", "required environment variable"),
			says(0.9, "KeyError from os.environ; validators", "os.environ[", "keyerror: 'database_url'", "field required [type=missing, input_value={}", "envalid", "missing required configuration", "missing required setting", "missing mandatory configuration"),
			says(0.85, "Python and Ruby: the mapping of the environment (os.environ, ENV.fetch) or of the settings lacks a name written as environment variables are", "keyerror: '", "keyerror: \"", "key not found: \"").and(settingMark),
			says(1, "Kubernetes: secret or config map not there", "createcontainerconfigerror", "secret \"*\" not found", "configmap \"*\" not found", "couldn't find key * in secret", "couldn't find key * in configmap", "references non-existent secret key", "references non-existent config key"),
			says(1, "systemd and compose", "failed to load environment files", "variable is not set. defaulting to a blank string"),
			says(0.9, "SDKs without credentials: nothing was given at all", "unable to locate credentials", "unable to load credentials from any of the providers", "could not load credentials from any providers", "nocredentialserror", "could not load the default credentials",
				"could not find default credentials", "no valid credential sources", "no api key provided", "api_key client option must be set", "you did not provide an api key").but("request", "401", "client ip"),
			says(0.9, "a name in capitals and underscores, as environment variables have it, without a value", "is not set", "not set", "is missing", "is required", "is not defined", "is undefined", "must be set", "is empty", "must not be empty", "is unset", "no value for", "missing setting", "missing config").
				and(settingMark).but("default", "optional", "fallback", "disabled", "econn", "etimedout", "header", "cookie", "field", "column", "parameter"),
			says(0.8, "the code read nothing and said so", "secretorprivatekey must have a value", "process.env.* is undefined", "client password must be a string", "configuration value * is missing", "config key * is missing", "setting * is missing", "is not configured: missing").but("request"),
			says(0.6, "a URL without a value in it", "invalid url: undefined", "invalid url 'undefined", "getaddrinfo enotfound undefined", "connection string * not initialized", "value cannot be null. (parameter 'connectionstring')", "parse \"\": empty url", "unsupported protocol scheme \"\""),
			says(0.6, "a relative URL where an absolute one is due: the base address in front of it is empty", "err_invalid_url", "missingschema", "no scheme supplied", "uri is not absolute", "relative url without a base", "uri with undefined scheme",
				"target host is not specified", "an invalid request uri was provided", "only absolute urls are supported").but("user input", "webhook"),
		},
		Confirm: []inquest.Command{
			check("List the names (never the values) of what is set in the running service.", "kubectl exec deployment/{service} -- sh -c 'env | cut -d= -f1 | sort'", "the name from the message is not in the list"),
			check("Compare with what the manifest promises.", `kubectl get deployment {service} -o jsonpath='{.spec.template.spec.containers[*].env[*].name}'`, "the name is missing, or comes from a secret that does not exist"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the missing value: re-run the secrets injection or config sync for this environment.", "kubectl set env deployment/{service} --from=secret/{service}"),
			now("cause", "Restart the service, so that it reads the value.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "If the value is not at hand: roll back to the version that did not need it.", "kubectl rollout undo deployment/{service}"),
			prevent("Validate at start: check that every required setting is set and not empty before binding the port, name all missing ones, exit 1.", ""),
			prevent("Compare required and present names of each environment before a deploy.", ""),
		},
		Owner:  "configuration",
		Status: 500,
	}
}
