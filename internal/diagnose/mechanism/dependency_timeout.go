package mechanism

import "github.com/inquesthq/inquest"

// dependencyTimeout: a dependency does not answer in time.
func dependencyTimeout() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/timeout",
		Title: "Dependency does not answer in time",
		What: "A dependency takes longer than the caller waits: it is slow, hangs, or its network swallows packets. While callers wait they hold workers, connections and " +
			"memory, so one hanging dependency can take down the whole service; without a time-out there is not even an error.",
		Signs: []string{
			"504 or 500 after a round time (3, 5, 10, 30, 60 s) on the routes that call the dependency",
			"`timed out`, `deadline exceeded`, `ETIMEDOUT` with the dependency's name or address",
			"workers and pools of the caller filling up",
		},
		Needs:       []string{"calls to one dependency that ran out of time, in the failing requests"},
		Contradicts: []string{"the dependency's own durations as ever (then the time-out is too short, or the caller is choking)", "time-outs towards all dependencies at once (then it is the caller or the network)"},
		// Memory and CPU are not listed: a caller whose collector or quota stops it sees time-outs everywhere, more often than
		// waiting calls fill its memory. The pool is listed: connections are held across the call that hangs.
		Explains: ids(fallout(), these("database/pool-exhausted", "resource-exhaustion/threads", "dependency-failure/upstream-overload", "misconfiguration/error-mapping", "bad-deploy/startup-crash")),
		Above:    ids(slowAbove(), failingAbove()),
		Triggers: []inquest.TriggerKind{inquest.TriggerExternal, inquest.TriggerTraffic, "deploy", "infra", "config"},
		About:    []string{"timeout", "time-out", "deadline", "retr", "attempt", "backoff"},
		Roles:    []Role{RolePeer, RoleSelf},
		Silent:   true,
		Clues:    dependencyTimeoutClues(),
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "timeout", Weight: 0.6, Why: "the proxy or client measured that the answer did not come"},
			{Symptom: inquest.SymptomPlateau, Weight: 0.3, Why: "failures pile up at the caller's time-out"},
			{Symptom: inquest.SymptomSlow, Weight: 0.2, Why: "a dependency that became slow is on the way to time-outs"},
		},
		Confirm: []inquest.Command{
			check("Ask the dependency from the caller's host, with times.", "curl -sS -o /dev/null -w 'dns=%{time_namelookup} connect=%{time_connect} tls=%{time_appconnect} first=%{time_starttransfer} status=%{http_code}\\n' --max-time 30 http://{host}:{port}/health", "which part takes the time: connect (network, accept queue) or first byte (the dependency works or waits)"),
			check("Do packets get there?", "nc -vz -w 3 {host} {port}", "a time-out: network, firewall or a full accept queue"),
		},
		Actions: []inquest.Action{
			now("symptom", "Open a breaker for this dependency: answer 503 with Retry-After at once, or a fallback that has a time-out of its own.", ""),
			now("cause", "Contact the dependency's owner with times and a request id; take the slow instance out of rotation; roll back a change of either side.", "kubectl get pods -l app={peer} -o wide"),
			later("symptom", "Put a time-out on every call (connect 3 s, response 5 s) and a budget on retries; hold no database connection across it.", ""),
			prevent("A breaker per dependency (5 failures, 30 s), a bulkhead, and an alert on the dependency's p99.", ""),
		},
		Owner:  "dependency",
		Status: 504,
	}
}

func dependencyTimeoutClues() []Clue {
	own := []string{"connection pool", "queuepool", "from pool", "acquir", "checkout a connection", "checking out", "statement timeout", "lock wait", "lock timeout", "worker timeout", "client timed out", "reading client", "client request", "session timed out", "session timeout", "handshake timed out from client",
		"timeout exceeded when trying to connect", "request timed out after*hikari", "connection is not available", "timed out fetching a new connection", "query timed out"}
	return []Clue{
		says(0.8, "a caller that gave up, in people's words", "no answer from * within", "no response from * within", "no answer within", "no response within", "did not answer within", "did not respond within", "did not reply within",
			"gave up waiting", "gave up after * waiting", "no reply from * within", "took too long to respond").but("database", "sql", "lock", "pool"),
		says(0.9, "errno ETIMEDOUT in any runtime's words", "etimedout", "connection timed out", "esockettimedout", "connect timed out", "connection attempt timed out", "operation timed out", "errno::etimedout", "os error 110", "(110)connection timed out").but(append(own, "while reading client", "sent by client")...).
			by(OriginApp, OriginBroker, OriginSupervisor),
		says(0.9, "HTTP clients: Go, axios, undici, requests, httpx, OkHttp, Guzzle, reqwest", "client.timeout exceeded while awaiting headers", "client.timeout or context cancellation while reading body", "timeout awaiting response headers", "i/o timeout", "timeout of * exceeded", "econnaborted", "headers timeout error", "body timeout error",
			"connect timeout error", "und_err_headers_timeout", "und_err_connect_timeout", "und_err_body_timeout", "read timed out", "(read timeout=", "(connect timeout=", "curl error 28", "operation timed out after * milliseconds", "error sending request*operation timed out", "net/http: timeout", "net/http: request canceled (client.timeout",
			"the operation was aborted due to timeout", "request timed out. (", "context deadline exceeded (client.timeout", "the operation has timed out", "the request was canceled due to the configured httpclient.timeout").but(own...).but("keepalive", "idle connection"),
		thrown(0.9, "clients' names for it", "SocketTimeoutException", "ReadTimeout", "ConnectTimeout", "ReadTimeoutError", "ConnectTimeoutError", "ConnectTimeoutException", "ReadTimeoutException", "HttpTimeoutException", "OpenTimeout", "HeadersTimeoutError", "HttpConnectTimeoutException", "ServerTimeoutError", "InterruptedIOException").but(own...).but("sslexception"),
		thrown(0.6, "a name that any wait may carry", "TimeoutException", "TimeoutError", "TimeoutRejectedException", "Timeout::Error", "TaskCanceledException", "AskTimeoutException").but(own...).but("mongo", "resourcerequest", "pool", "circuit"),
		says(0.6, "PHP's streams: no answer came (with one, its status line follows)", "failed to open stream: http request failed!").but("http request failed! http/"),
		says(0.8, "gRPC and deadlines", "deadline_exceeded", "code = deadlineexceeded", "statuscode.deadline_exceeded", "deadline exceeded after", "status(statuscode=\"deadlineexceeded\"").but(own...),
		says(0.5, "Go: some deadline passed; mostly that of an outgoing call", "context deadline exceeded").but(own...).but("failed to acquire"),
		says(0.8, "inquest gateway: the circuit is open because the upstream's own answers said so", "open after status*: it answered 504").by(OriginProxy, OriginApp),
		says(0.9, "nginx, Apache, HAProxy, Envoy, Traefik, Kong, Caddy and inquest gateway waited in vain", "upstream timed out (110", "ah01102: error reading*timeout", "the timeout specified has expired", "upstream request timeout", "no byte of the body within the limit", "response_flags\":\"ut\"", "response_flags=ut", "reset reason: connection timeout", "gateway timeout", "504 gateway time-out", "proxy error: context deadline exceeded",
			"response_timeout", "stream timeout", "the request to * timed out").by(OriginProxy, OriginApp).but("reading client"),
		says(0.8, "Redis, Kafka, AMQP and AWS clients waited in vain", "redis*command timed out", "rediscommandtimeoutexception", "redistimeoutexception", "timeout performing", "timed out waiting for a node assignment", "failed to update metadata after", "expiring * record(s) for", "request timed out: kafka", "local: message timed out", "jedisconnectionexception: * read timed out",
			"read timeout on endpoint url", "connect timeout on endpoint url", "timed out waiting for reply", "nats: timeout").but(own...),
		says(0.6, "a breaker or bulkhead ended the call after its time", "timelimiter * recorded a timeout exception", "timeoutrejectedexception", "hystrixtimeoutexception", "hystrixruntimeexception: * timed-out"),
	}
}
