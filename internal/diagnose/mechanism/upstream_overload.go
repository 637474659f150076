package mechanism

import "github.com/inquesthq/inquest"

// upstreamOverload: a dependency has more to do than it can.
func upstreamOverload() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/upstream-overload",
		Title: "Dependency overloaded or unavailable",
		What: "A dependency answers 503, sheds load, or has no healthy instance left; breakers in front of it open. It is up in part, so some requests succeed. Retries " +
			"of all callers make it worse.",
		Signs: []string{
			"503 in waves on the routes that need the dependency",
			"`Service Unavailable`, `no healthy upstream`, `overflow`, `circuit breaker is open`, gRPC `UNAVAILABLE`",
			"requests at the dependency above its baseline, its queue full",
		},
		Needs:       []string{"refusals by the dependency for lack of capacity, or no healthy instance of it, in the failing requests"},
		Contradicts: []string{"a breaker that opened for another reason (refused, time-out): then that is the cause", "the dependency serving its usual traffic within its limits"},
		Explains:    ids(fallout(), these("dependency-failure/bad-response", "misconfiguration/error-mapping", "resource-exhaustion/threads")),
		Above:       ids(failingAbove(), slowAbove()),
		Triggers:    []inquest.TriggerKind{inquest.TriggerTraffic, inquest.TriggerExternal, "scale", "deploy", "config", "infra"},
		About:       []string{"retr", "attempt", "backoff", "timeout", "concurren", "parallel"},
		Roles:       []Role{RolePeer, RoleSelf},
		Clues: []Clue{
			says(0.9, "HTTP clients that were answered with a 503", "request failed with status code 503", "503 server error", "status code does not indicate success: 503", "resulted in a `503", "503 service unavailable from", "httpservererrorexception$serviceunavailable", "feignexception$serviceunavailable", "feignexception.serviceunavailable", "response code 503", "upstream returned 503", "returned status 503", "http status server error (503",
				"webclientresponseexception$serviceunavailable", "unexpected status 503", "unexpected status code 503", "unexpected status code: 503", "service returned 503"),
			says(0.9, "Envoy and service meshes: no healthy host, overflow", "no healthy upstream", "upstream connect error or disconnect/reset before headers. reset reason: overflow", "reset reason: overflow", "response_flags\":\"uo\"", "response_flags=uo", "response_flags\":\"uh\"", "response_flags=uh", "upstream_overflow", "no_healthy_upstream", "overload_manager", "response_flags\":\"uf,urx\"", "response_flags\":\"urx\"", "response_flags=urx"),
			says(0.35, "nginx, Apache, HAProxy, Traefik, Kong: every upstream is out; they were put out for what earlier lines tell", "no live upstreams while connecting to upstream", "all workers are in error state", "balancer: * all workers are in error state", "has no server available!", "no available server", "failure to get a peer from the ring-balancer", "all upstreams are unavailable", "503 no server is available", "no upstreams available").by(OriginProxy, OriginApp),
			says(0.8, "a dependency sheds load, in words", "overloaded, try again", "\"overloaded\"", "\"overloaded", "error: overloaded", "overloaded, please", "service overloaded", "server is overloaded", "server overloaded", "upstream overloaded", "load shedding", "shedding load", "temporarily overloaded", "server is busy", "serverbusy", "slowdown: please reduce your request rate", "overloaded_error", "engine_overloaded", "system overload", "is overloaded", "queue is full, rejecting", "too many pending requests").
				but("not overloaded", "method is overloaded", "queueing", "leader is overloaded"),
			says(0.7, "gRPC", "code = unavailable", "statuscode.unavailable", "status unavailable", "status{code=unavailable", "unavailable: io exception", "14 unavailable:", "statuscode=\"unavailable\"").but("econnrefused", "connection refused", "connect failed", "failed to connect", "no such host", "name resolution", "dns"),
			says(0.9, "gRPC flow control and AWS capacity", "code = resourceexhausted desc = * capacity", "insufficient capacity", "insufficientinstancecapacity", "service is unable to handle request", "serviceunavailableexception", "an error occurred (serviceunavailable)", "capacity exceeded"),
			says(0.3, "a breaker is open: something failed before, this says not what", "circuit breaker is open", "circuitbreaker is open", "circuit breaker * open", "callnotpermittedexception", "brokencircuitexception", "circuitbreaker:open", "circuit open", "breaker is open", "opossum*breaker is open", "breaker open", "circuit is open").but("half-open", "half open", "is now closed"),
			says(0.8, "inquest gateway: the circuit is open because the upstream's own answers said so", "open after status*: it answered 503").by(OriginProxy, OriginApp),
			says(0.8, "brokers and caches that hold producers back", "connection.blocked", "not_enough_replicas", "notenoughreplicasexception", "buffer pool exhausted*kafka", "bufferexhaustedexception", "loading redis is loading the dataset in memory", "clusterdown", "clusterdown hash slot not served", "tryagain multiple keys", "redis is loading the dataset"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "no-live", Weight: 0.7, Why: "the proxy has no healthy upstream left"},
			{Symptom: inquest.SymptomUpstream, Detail: "overload", Weight: 0.7, Why: "the proxy's own word: the queue or the connections that it allows the upstream were used up"},
			{Symptom: inquest.SymptomTraffic, Detail: "surge", Weight: 0.3, Why: "more traffic than the dependency can serve is the most usual reason"},
		},
		Confirm: []inquest.Command{
			check("How many instances of it are ready?", "kubectl get deployment {peer} -o jsonpath='{.status.readyReplicas}/{.spec.replicas}'", "fewer than wanted, or all busy"),
			check("Does it answer single requests?", "curl -sS -i --max-time 10 http://{host}:{port}/health", "503, perhaps with Retry-After"),
		},
		Actions: []inquest.Action{
			now("symptom", "Scale the dependency out, or contact its provider.", "kubectl scale deployment/{peer} --replicas=4"),
			now("symptom", "Send it less: cap retries (a budget of 10%), rate-limit the surge, answer 503 with Retry-After.", ""),
			later("cause", "Find what took its capacity: traffic, a slower version, fewer instances.", ""),
			prevent("Load-test with the peak times two; scale on its queue; back off with jitter in every caller.", ""),
		},
		Owner:  "dependency",
		Status: 503,
	}
}
