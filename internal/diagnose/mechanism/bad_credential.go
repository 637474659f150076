package mechanism

import "github.com/inquesthq/inquest"

// badCredential: a dependency does not accept the service's own credential.
func badCredential() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/bad-credential",
		Title: "The service's own credential is refused",
		What: "A database, cache or other dependency refuses the password, key or token of the service itself: it was rotated, has expired, is wrong in this " +
			"environment, or lacks a right. The dependency is up. This is not about a user who mistyped a password.",
		Signs: []string{
			"all calls to one dependency fail at once, quickly; new connections fail while old ones may go on",
			"`password authentication failed`, `Access denied`, `WRONGPASS`, 401 or 403 from a dependency",
		},
		Needs:       []string{"a refusal of the service's own credential in the failing requests"},
		Contradicts: []string{"other calls with the same credential succeeding at the time", "refusals for many different user names (those are people, or a scanner)"},
		Explains: ids(fallout(), these("database/down", "database/pool-exhausted", "database/query-error", "dependency-failure/bad-response", "bad-deploy/startup-crash",
			"misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), goneAbove()),
		Triggers: []inquest.TriggerKind{"config", "infra", "deploy", "restart", inquest.TriggerExternal, "migration"},
		About:    []string{"token", "password", "passwd", "secret", "credential", "apikey", "api-key", "api_key", "oauth", "login", "rotat"},
		Roles:    []Role{RoleSelf, RolePeer, RoleDatabase},
		Clues:    badCredentialClues(),
		Confirm: []inquest.Command{
			check("Try the service's credential from inside the service; the shell there expands the variable, nothing is printed.",
				`kubectl exec deployment/{service} -- sh -c 'psql "$DATABASE_URL" -c "SELECT 1"'`, "the same refusal"),
			check("When was the secret changed last?", "kubectl get secret {service} -o jsonpath='{.metadata.managedFields[*].time}'", "after the service's start: it still runs with the old value; or right before the onset"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the right credential (or put the old one back in force until every client has the new one).", "kubectl edit secret {service}"),
			now("cause", "Restart the service, so that it reads the credential.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "Meanwhile answer 503 with Retry-After on the routes that need the dependency.", ""),
			prevent("Validate at start: make one authenticated call to each dependency before binding the port, exit 1 with the dependency's name if refused.", ""),
			prevent("Rotate with two valid credentials at a time; alert on expiry 14 days ahead.", ""),
		},
		Owner:  "configuration",
		Status: 500,
	}
}

func badCredentialClues() []Clue {
	return []Clue{
		says(1, "PostgreSQL, in its log or told by the driver", "password authentication failed for user", "no pg_hba.conf entry for", "no password supplied", "fe_sendauth", "peer authentication failed for user", "scram authentication failed",
			"the server requested password-based authentication, but no password was provided", "sasl authentication failed*psql", "sasl: scram-server-first-message: client password must be").but("login attempt"),
		coded(1, "PostgreSQL 28P01 and 28000, MySQL 1045, 1044, 1698", "28p01", "28000", "mysql:1045", "mysql:1044", "mysql:1698", "er_access_denied_error", "er_dbaccess_denied_error"),
		says(1, "MySQL and MariaDB", "access denied for user", "authentication plugin * cannot be loaded", "er_not_supported_auth_mode", "client does not support authentication protocol").but("http"),
		says(1, "MongoDB, SQL Server, Oracle", "mongoserverror: authentication failed", "mongoservererror: authentication failed", "authentication failed.*mongo", "mongo*authentication failed", "sqlserver*login failed for user", "login failed for user * reason:", "login failed for user '*'. (",
			"cannot open database * requested by the login", "ora-01017", "ora-28000", "ora-28001", "ora-01045").by(OriginApp, OriginDatabase),
		says(1, "Redis", "wrongpass invalid", "noauth authentication required", "err invalid password", "noperm this user has no permissions", "auth called without any password configured"),
		says(1, "Kafka, RabbitMQ, NATS, Elasticsearch", "saslauthenticationexception", "sasl authentication failed", "access_refused - login was refused", "authentication failure*broker", "topicauthorizationexception", "groupauthorizationexception", "topic authorization failed",
			"nats: authorization violation", "security_exception*unable to authenticate", "missing authentication credentials for rest request", "username_or_password_incorrect"),
		says(1, "AWS, Azure, Google: the service's identity", "invalidclienttokenid", "unrecognizedclientexception", "signaturedoesnotmatch", "the security token included in the request is invalid", "the security token included in the request is expired", "expiredtokenexception", "expiredtoken:",
			"is not authorized to perform:", "invalidaccesskeyid", "authenticationfailed*server failed to authenticate the request", "invalid_grant*jwt", "aadsts7000215", "aadsts7000222", "kmsaccessdenied"),
		says(0.4, "OAuth: this client is not known; ours at their server, or somebody's at ours", "invalid_client", "unauthorized_client"),
		says(0.7, "keys of third parties; or a client's key for our own API", "invalid api key", "incorrect api key", "api key expired", "expired api key", "api key is invalid", "api key has been revoked", "invalid_api_key", "bad api key", "api key not valid", "api key is not valid",
			"unknown api key", "api key not found").but("from client", "client ip", "remote_addr"),
		says(0.7, "a dependency answered 401 or 403 to the service", "request failed with status code 401", "request failed with status code 403", "response code 401 (unauthorized)", "response code 403 (forbidden)", "401 client error: unauthorized for url", "403 client error: forbidden for url",
			"httpclienterrorexception$unauthorized", "httpclienterrorexception$forbidden", "httpclienterrorexception.unauthorized", "401 unauthorized: from", "status code does not indicate success: 401", "status code does not indicate success: 403", "rpc error: code = unauthenticated",
			"feignexception$unauthorized", "upstream returned 401", "upstream returned 403", "upstream said 401", "upstream said 403", "upstream answered 401", "upstream answered 403", "upstream responded with 401", "upstream responded with 403",
			"responded with status 401", "responded with status 403", "unexpected status 401", "unexpected status 403", "unexpected status code 401", "unexpected status code 403", "unexpected status code: 401", "unexpected status code: 403", "unexpected response status 401", "unexpected response status 403"),
		says(0.9, "image registry and secret store refuse", "pull access denied", "no basic auth credentials", "unauthorized: authentication required", "permission denied*vault", "vault*403", "code: 403. errors:").by(OriginSupervisor, OriginApp),
		says(0.8, "tokens and keys of the service cannot be used", "secretorprivatekey", "error:0909006c:pem routines", "pem_read_bio", "bad decrypt", "private key * does not match", "key values mismatch", "could not parse private key").but("must have a value"),
	}
}
