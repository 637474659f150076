package mechanism

import "github.com/inquesthq/inquest"

// refused: nothing listens where the dependency should be.
func refused() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/refused",
		Title: "Dependency refuses connections",
		What: "The host of a dependency answers, but nothing listens on the port: the process is down, is restarting, or moved. Callers " +
			"get the refusal at once, so failures are fast.",
		Signs: []string{
			"quick 5xx on the routes that need the dependency",
			"ECONNREFUSED / connection refused with the dependency's address in the caller's log",
		},
		Needs:       []string{"a refused connection to a dependency in the requests that failed"},
		Contradicts: []string{"the dependency answering other callers at the same address and port", "the caller's address or port having just been changed (then it is configuration)"},
		Explains:    ids(fallout(), these("dependency-failure/upstream-overload", "misconfiguration/error-mapping", "bad-deploy/startup-crash")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{inquest.TriggerExternal, "restart", "infra", "deploy", "config"},
		About:       []string{"port", "listen", "bind", "firewall"},
		Roles:       []Role{RolePeer},
		Clues: []Clue{
			{Any: []string{"econnrefused", "connection refused", "connectionrefusederror", "actively refused it", "connection was refused", "errno::econnrefused",
				"failed to connect to * port * connection refused", "connectexception: connection refused"}, From: []Origin{OriginApp}, Weight: 1,
				Not: []string{"refused by policy", "connection refused by peer policy", "liveness probe", "readiness probe"},
				Why: "errno ECONNREFUSED in any runtime's words, told by the caller"},
			{Any: []string{"connection refused", "econnrefused"}, From: []Origin{OriginProxy, OriginBroker}, Weight: 0.7,
				Why: "a proxy's upstream refuses: the upstream is down, or the proxy looks in the wrong place"},
			says(0.8, "Apache httpd, HAProxy, Traefik, Envoy and nginx in their own words",
				"failed to make connection to backend", "ah00957: * attempt to connect to",
				"upstream connect error or disconnect/reset before headers. reset reason: connection failure",
				"upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "delayed connect error: 111").by(OriginProxy, OriginApp),
			says(0.3, "the proxy has taken every server out; why it did, earlier lines tell", "has no server available!", "no live upstreams while connecting to upstream", "no healthy upstream").by(OriginProxy, OriginApp),
			says(0.8, "HAProxy's and Traefik's health checks: nothing listens", "is down, reason: layer4 connection problem", "is down, reason: layer4 timeout").by(OriginProxy),
			says(0.8, "Kafka, RabbitMQ, NATS and Elasticsearch clients: no broker can be reached", "broker may not be available", "bootstrap broker * disconnected", "all brokers are down",
				"kafka: client has run out of available brokers", "nobrokersavailable", "nats: no servers available for connection", "amqpconnectionerror",
				"none of the configured nodes are available", "no living connections"),
			says(0.8, "gRPC and .NET", "connection error: desc = \"transport: error while dialing", "failed to connect to all addresses", "httprequestexception: connection refused"),
			says(0.8, "a cache or broker is told to end", "received sigterm scheduling shutdown", "user requested shutdown", "is now ready to exit, bye bye").by(OriginCache, OriginBroker),
			says(0.7, "ioredis and node-redis while their server is away", "stream isn't writeable and enableofflinequeue", "the client is closed", "socket closed unexpectedly", "reached the max retries per request limit"),
			says(0.7, "Redis clients without a server", "unable to connect to redis", "redisconnectionexception", "error connecting to redis", "redis connection to * failed"),
		},
		Supports: []Support{{Symptom: inquest.SymptomUpstream, Detail: "refused", Weight: 0.7, Why: "the proxy measured the refusal"}},
		Confirm: []inquest.Command{
			{Text: "Try the port from the caller's host.", Command: "nc -vz -w 3 {host} {port}", Expect: "refused at once (a time-out instead would mean network or firewall)"},
			check("Ask for the dependency's health page.", "curl -sS -I --max-time 5 http://{host}:{port}/health", "refused at once; a status instead means that it is back"),
			{Text: "Is the process there?", Command: "kubectl get pods -l app={peer} -o wide", Expect: "not running, or restarting"},
		},
		Actions: []inquest.Action{
			now("cause", "Start the dependency, or contact its provider; take the instance out of rotation if a replica is left.", "kubectl rollout restart deployment/{peer}"),
			{Text: "Fail fast: open a breaker and answer 503 with Retry-After, queue what can wait.", Phase: inquest.PhaseNow, Cures: "symptom"},
			{Text: "Put a circuit breaker and a time-out (connect 3 s, response 5 s) around this dependency.", Phase: inquest.PhasePrevent, Cures: "symptom"},
		},
		Owner:  "dependency",
		Status: 503,
	}
}
