package mechanism

import "github.com/inquesthq/inquest"

// wrongUpstream: traffic goes to an address where the service is not.
func wrongUpstream() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/wrong-upstream",
		Title: "Traffic sent to the wrong address",
		What: "A gateway or client sends its requests to a host, port, scheme or cluster where the service is not: the upstream is healthy at its own address, and " +
			"sees no traffic. Typical: a port changed on one side only, a regenerated upstream list, plain HTTP sent to a TLS port.",
		Signs: []string{
			"502 or 503 at the gateway on all routes of one upstream, at once; its own log falls silent without an error",
			"an upstream address in the gateway's log that was not there before",
		},
		Needs:       []string{"an address in the failures that differs from the one that worked, or a gateway that knows no such upstream"},
		Contradicts: []string{"the upstream having stopped or restarted at the onset (then it is down)", "the same address having worked right before without any change on the caller's side"},
		Explains: ids(fallout(), these("dependency-failure/refused", "dependency-failure/dns", "dependency-failure/tls", "dependency-failure/timeout", "dependency-failure/bad-response",
			"dependency-failure/upstream-overload", "database/down", "misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{"config", "deploy", "infra", "scale", "migration"},
		About:    []string{"upstream", "port", "backend", "endpoint", "proxy_pass", "host", "url"},
		Roles:    []Role{RoleGateway, RoleSelf},
		Clues: []Clue{
			says(0.9, "gateways that know no such upstream, cluster or route: nginx, Envoy, Kong, Traefik, HAProxy, ingress", "host not found in upstream", "cluster_not_found", "no_cluster_found", "unknown cluster", "no route matched with those values",
				"no servers are available for this backend", "unable to find service", "service * does not have any active endpoint", "error obtaining endpoints for service", "no resolver defined to resolve", "the service * does not exist", "no endpoints available for service",
				"could not find service", "service \"*\" not found").by(OriginProxy, OriginSupervisor),
			says(0.9, "Envoy response flag for a route that does not exist", "response_flags\":\"nr\"", "response_flags=nr", "response_flags\":\"nc\"", "route_not_found").by(OriginProxy, OriginApp),
			says(0.9, "plain HTTP sent to a TLS port, or the other way round", "the plain http request was sent to https port", "client sent an http request to an https server", "http: server gave http response to https client", "wrong version number", "plaintext connection*tls port",
				"unrecognized ssl message, plaintext connection", "first record does not look like a tls handshake", "speaking plain http to an ssl-enabled server port", "packet length too long").but("client certificate"),
			says(0.8, "HTTP/1 spoken to an HTTP/2 or gRPC port, or to a database", "malformed http response \"\\x00\\x00", "received http/0.9 when not allowed", "unexpected http/1.x request", "it looks like you are trying to access mongodb over http", "possible security attack detected. it looks like somebody is sending post",
				"invalid length of startup packet", "http_request_protocol_error"),
			says(0.4, "the proxy's upstream refuses: it is down, or not there", "connect() failed (111: connection refused) while connecting to upstream", "connect() failed (111: unknown error) while connecting to upstream", "dial tcp*connection refused").by(OriginProxy),
			says(0.5, "no way to the address at all: a wrong host or network", "no route to host", "ehostunreach", "network is unreachable", "enetunreach", "connect() failed (113:"),
			says(0.6, "the name or certificate belongs to somebody else", "virtual host * not found", "unknown virtual host", "421 misdirected request", "misdirected request").by(OriginProxy, OriginApp),
			says(0.5, "RFC 3986: an address that can never work", "invalid host in upstream", "invalid upstream", "upstream host not allowed", "invalid proxy url", "unsupported protocol scheme").but("scheme \"\""),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "refused", Weight: 0.4, Why: "the address refuses; whether it is the wrong one, a change on the caller's side decides"},
			{Symptom: inquest.SymptomUpstream, Detail: "dns", Weight: 0.3, Why: "a mistyped name does not resolve"},
			{Symptom: inquest.SymptomTraffic, Detail: "drop", Weight: 0.3, Why: "the upstream itself sees no requests, and no errors"},
		},
		Confirm: []inquest.Command{
			check("Which address does the gateway use?", "nginx -T 2>/dev/null | grep -n -A 8 'upstream'", "an address at which the service does not listen"),
			check("Where does the service listen?", "ss -ltnp", "another port than the gateway's"),
			check("Ask the service at its own address.", "curl -sS -i --max-time 5 http://{host}:{port}/health", "healthy there"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the upstream's address right (put the last good configuration back).", "git checkout HEAD~1 -- {path}"),
			now("cause", "Check the configuration, then restart or reload the gateway.", "nginx -t && systemctl reload nginx"),
			prevent("Validate at start and before each reload: probe every upstream address, refuse a configuration of which one does not answer.", ""),
			prevent("Generate both sides of an address from one source.", ""),
		},
		Owner:  "configuration",
		Status: 502,
	}
}
